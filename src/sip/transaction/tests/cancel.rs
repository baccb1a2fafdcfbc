//! CANCEL from both sides (RFC 3261, 9).

use super::*;

const BRANCH: &str = "z9hG4bKone";

#[test]
fn a_cancel_is_answered_and_told_once() {
    let mut rig = Rig::udp();
    let (invite, cancel) = (request("INVITE", BRANCH, ""), request("CANCEL", BRANCH, ""));
    rig.hear(&invite);
    rig.respond(0, &invite, 180, "t");
    assert_eq!(rig.hear(&cancel), ["200 CANCEL", "cancelled 0"]);
    assert!(header(&rig.last(), "To").ends_with(";tag=t"), "the tag of the INVITE's responses");
    assert_eq!(rig.hear(&cancel), ["200 CANCEL"], "repeated");
    assert_eq!(rig.respond(0, &invite, 487, "t"), ["487 INVITE"]);
    assert_eq!(rig.hear(&request("ACK", BRANCH, "t")), NOTHING);
    assert_eq!(rig.hear(&cancel), ["200 CANCEL"]);
    assert_eq!(rig.run(6_000), NOTHING);
    assert_eq!(rig.hear(&cancel), ["200 CANCEL"], "its own transaction outlives the INVITE's");
    assert_eq!(rig.run(32_000), NOTHING);
    assert!(rig.layer.is_empty());
}

#[test]
fn a_cancel_before_any_response_agrees_with_the_487_on_the_tag() {
    let mut rig = Rig::udp();
    let invite = request("INVITE", BRANCH, "");
    rig.hear(&invite);
    assert_eq!(rig.hear(&request("CANCEL", BRANCH, "")), ["200 CANCEL", "cancelled 0"]);
    let to = header(&rig.last(), "To").to_owned();
    rig.respond(0, &invite, 487, "");
    assert_eq!(header(&rig.last(), "To"), to);
}

#[test]
fn a_cancel_that_crosses_the_200_changes_nothing() {
    let mut rig = Rig::udp();
    let invite = request("INVITE", BRANCH, "");
    rig.hear(&invite);
    rig.respond(0, &invite, 200, "t");
    assert_eq!(rig.hear(&request("CANCEL", BRANCH, "")), ["200 CANCEL"]);
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "t")), ["acknowledged 0"]);
}

#[test]
fn a_200_that_crosses_the_cancel_still_makes_the_call() {
    let mut rig = Rig::udp();
    let invite = request("INVITE", BRANCH, "");
    rig.hear(&invite);
    assert_eq!(rig.hear(&request("CANCEL", BRANCH, "")), ["200 CANCEL", "cancelled 0"]);
    assert_eq!(rig.respond(0, &invite, 200, "t"), ["200 INVITE"]);
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "t")), ["acknowledged 0"]);
}

#[test]
fn a_cancel_of_nothing_gets_481_until_its_invite_arrives() {
    let mut rig = Rig::udp();
    let cancel = request("CANCEL", BRANCH, "");
    assert_eq!(rig.hear(&cancel), ["481 CANCEL"]);
    assert!(rig.layer.is_empty());
    assert_eq!(rig.hear(&request("INVITE", BRANCH, "")), ["request 0 INVITE"]);
    assert_eq!(rig.hear(&cancel), ["200 CANCEL", "cancelled 0"], "the CANCEL had overtaken the INVITE");
    assert_eq!(rig.layer.counters().stray_cancels, 1);
}

#[test]
fn a_cancel_matches_only_the_invite_of_its_branch_and_sent_by() {
    let mut rig = Rig::udp();
    rig.hear(&request("INVITE", BRANCH, ""));
    assert_eq!(rig.hear(&request("CANCEL", "z9hG4bKtwo", "")), ["481 CANCEL"]);
    let elsewhere = request("CANCEL", BRANCH, "").replace("192.0.2.1:5060;branch", "192.0.2.9:5060;branch");
    assert_eq!(rig.hear(&elsewhere), ["481 CANCEL"]);
    rig.hear(&request("OPTIONS", "z9hG4bKthree", ""));
    assert_eq!(rig.hear(&request("CANCEL", "z9hG4bKthree", "")), ["481 CANCEL"]);
}

#[test]
fn our_cancel_waits_for_a_provisional_response() {
    let mut rig = Rig::udp();
    let invite = rig.send(Method::Invite);
    assert_eq!(rig.cancel(0), NOTHING);
    assert_eq!(rig.run(1_600), ["500 INVITE", "1500 INVITE"], "the INVITE still has to get through");
    assert_eq!(rig.hear(&answer(&invite, 180, "t")), ["CANCEL", "response 0 180"]);
    let cancel = rig.last();
    assert_eq!(header(&cancel, "Via"), header(&invite, "Via"));
    assert_eq!(header(&cancel, "To"), header(&invite, "To"));
    assert_eq!(header(&cancel, "CSeq"), "3 CANCEL");
    assert!(cancel.starts_with("CANCEL sip:agent@192.0.2.1 SIP/2.0\r\n"));
    assert!(cancel.contains("Route: <sip:192.0.2.7;lr>\r\nRoute: <sip:192.0.2.8;lr>\r\n"));
    assert!(!cancel.contains("body"));
    assert_eq!(rig.cancel(0), NOTHING, "once is enough");
    assert_eq!(rig.hear(&answer(&cancel, 200, "t")), NOTHING, "the core above does not see CANCELs");
    assert_eq!(rig.hear(&answer(&invite, 487, "t")), ["ACK", "response 0 487"]);
    assert_eq!(rig.run(60_000), NOTHING);
    assert!(rig.layer.is_empty());
}

#[test]
fn our_cancel_goes_out_at_once_after_a_provisional_response() {
    let mut rig = Rig::udp();
    let invite = rig.send(Method::Invite);
    rig.hear(&answer(&invite, 100, "t"));
    assert_eq!(rig.cancel(0), ["CANCEL"]);
    assert_eq!(rig.run(1_600), ["500 CANCEL", "1500 CANCEL"], "repeated like any other request");
}

#[test]
fn a_final_response_instead_of_a_provisional_one_makes_the_cancel_moot() {
    let mut rig = Rig::udp();
    let invite = rig.send(Method::Invite);
    rig.cancel(0);
    assert_eq!(rig.hear(&answer(&invite, 486, "t")), ["ACK", "response 0 486"]);
    assert_eq!(rig.cancel(0), NOTHING);

    let invite = rig.send(Method::Invite);
    rig.cancel(1);
    assert_eq!(
        rig.hear(&answer(&invite, 200, "t")),
        ["response 1 200"],
        "to be acknowledged and ended by BYE"
    );
    assert_eq!(rig.cancel(1), NOTHING);
}

#[test]
fn a_200_that_crosses_our_cancel_is_passed_up() {
    let mut rig = Rig::udp();
    let invite = rig.send(Method::Invite);
    rig.hear(&answer(&invite, 180, "t"));
    assert_eq!(rig.cancel(0), ["CANCEL"]);
    let cancel = rig.last();
    assert_eq!(rig.hear(&answer(&invite, 200, "t")), ["response 0 200"]);
    assert_eq!(rig.ack(0, "t"), ["ACK"]);
    assert_eq!(rig.hear(&answer(&cancel, 481, "t")), NOTHING);
    assert_eq!(rig.run(60_000), NOTHING);
    assert!(rig.layer.is_empty());
}

#[test]
fn an_invite_without_a_final_response_fails_64_t1_after_its_cancel() {
    for answered in [true, false] {
        let mut rig = Rig::udp();
        let invite = rig.send(Method::Invite);
        rig.hear(&answer(&invite, 180, "t"));
        rig.run(100_000);
        rig.cancel(0);
        let cancel = rig.last();
        if answered {
            rig.hear(&answer(&cancel, 200, "t"));
        }
        let lines = rig.run(60_000);
        assert_eq!(lines.iter().filter(|line| line.contains("failed")).count(), 1);
        assert_eq!(lines.last().unwrap(), "32000 failed 0 TimedOut");
        assert_eq!(lines.len(), if answered { 1 } else { 11 });
        assert!(rig.layer.is_empty());
    }
}

#[test]
fn a_cancel_of_another_request_does_nothing() {
    let mut rig = Rig::udp();
    let options = rig.send(Method::Options);
    rig.hear(&answer(&options, 100, "t"));
    assert_eq!(rig.cancel(0), NOTHING);
    assert_eq!(rig.cancel(77), NOTHING);
}
