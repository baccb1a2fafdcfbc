//! RFC 3261, 17.2.1 and 13.3.1.4; RFC 6026, 7.1.

use super::*;

const BRANCH: &str = "z9hG4bKone";

fn rig_with_invite(rig: Rig) -> (Rig, String) {
    let (mut rig, invite) = (rig, request("INVITE", BRANCH, ""));
    assert_eq!(rig.hear(&invite), ["request 0 INVITE"]);
    (rig, invite)
}

#[test]
fn a_repeated_invite_gets_the_latest_provisional_and_never_a_second_event() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    assert_eq!(rig.hear(&invite), NOTHING);
    assert_eq!(rig.respond(0, &invite, 100, ""), ["100 INVITE"]);
    assert_eq!(rig.hear(&invite), ["100 INVITE"]);
    assert_eq!(rig.respond(0, &invite, 180, "t"), ["180 INVITE"]);
    assert_eq!(rig.hear(&invite), ["180 INVITE"]);
    assert_eq!(rig.layer.counters().repeated_requests, 3);
    assert_eq!(rig.run(600_000), NOTHING, "an unanswered INVITE waits for the core, without deadlines");
    assert_eq!(rig.layer.len(), 1);
}

#[test]
fn a_2xx_is_repeated_until_it_is_acknowledged() {
    for rig in [Rig::udp(), Rig::tcp()] {
        let (mut rig, invite) = rig_with_invite(rig);
        assert_eq!(rig.respond(0, &invite, 200, "t"), ["200 INVITE"]);
        assert_eq!(
            rig.run(12_000),
            ["500 200 INVITE", "1500 200 INVITE", "3500 200 INVITE", "7500 200 INVITE", "11500 200 INVITE"]
        );
        assert_eq!(rig.hear(&invite), ["200 INVITE"], "a repeated INVITE says that the 2xx was lost");
        assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "t")), ["acknowledged 0"]);
        assert_eq!(rig.hear(&invite), NOTHING, "a late INVITE makes no new call");
        assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "t")), NOTHING);
        assert_eq!(rig.run(40_000), NOTHING);
        assert!(rig.layer.is_empty());
        assert_eq!(rig.layer.counters().absorbed_acks, 1);
    }
}

#[test]
fn an_unacknowledged_2xx_is_reported_after_64_t1() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    rig.respond(0, &invite, 200, "t");
    let lines = rig.run(100_000);
    let times: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    let expected = "500 1500 3500 7500 11500 15500 19500 23500 27500 31500 32000";
    assert_eq!(times.join(" "), expected);
    assert_eq!(lines.last().unwrap(), "32000 unacknowledged 0");
    assert!(rig.layer.is_empty());
    assert_eq!(rig.layer.counters().unacknowledged, 1);
}

#[test]
fn an_ack_that_reuses_the_branch_of_its_invite_still_acknowledges_the_2xx() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    rig.respond(0, &invite, 200, "t");
    assert_eq!(rig.hear(&request("ACK", BRANCH, "t")), ["acknowledged 0"]);
    assert_eq!(rig.run(31_000), NOTHING);
}

#[test]
fn an_ack_of_the_refusal_that_a_spoilt_copy_got_does_not_acknowledge_the_2xx() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    rig.respond(0, &invite, 200, "t");
    assert_eq!(rig.hear(&request("ACK", BRANCH, "other")), NOTHING);
    assert_eq!(rig.hear(&request("ACK", BRANCH, "")), NOTHING);
    assert_eq!(rig.layer.counters().stray_acks, 2);
    assert_eq!(rig.run(600), ["500 200 INVITE"], "the peer is still to learn that it was accepted");
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "t")), ["acknowledged 0"]);
}

#[test]
fn an_ack_of_a_2xx_within_a_dialog_is_found_by_both_tags() {
    let mut rig = Rig::udp();
    let invite = request("INVITE", BRANCH, "t");
    rig.hear(&invite);
    rig.respond(0, &invite, 200, "");
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "other")), NOTHING);
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "t")), ["acknowledged 0"]);
    assert_eq!(rig.layer.counters().stray_acks, 1);
}

#[test]
fn a_refusal_is_repeated_until_its_ack_which_is_absorbed() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    assert_eq!(rig.respond(0, &invite, 486, "t"), ["486 INVITE"]);
    assert_eq!(rig.run(4_000), ["500 486 INVITE", "1500 486 INVITE", "3500 486 INVITE"]);
    assert_eq!(rig.hear(&invite), ["486 INVITE"]);
    assert_eq!(rig.hear(&request("ACK", BRANCH, "t")), NOTHING);
    assert_eq!(rig.hear(&request("ACK", BRANCH, "t")), NOTHING);
    assert_eq!(rig.hear(&invite), NOTHING, "confirmed: a late INVITE is absorbed");
    assert_eq!(rig.run(4_999), NOTHING);
    assert_eq!(rig.layer.len(), 1);
    assert_eq!(rig.run(1), NOTHING);
    assert!(rig.layer.is_empty(), "timer I is T4");
    assert_eq!(rig.layer.counters().absorbed_acks, 2);
}

#[test]
fn a_refusal_whose_ack_never_comes_is_given_up_after_64_t1() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    rig.respond(0, &invite, 486, "t");
    assert_eq!(rig.run(31_999).len(), 10);
    assert_eq!(rig.layer.len(), 1);
    assert_eq!(rig.run(1), NOTHING);
    assert!(rig.layer.is_empty());
    assert_eq!(rig.layer.counters().timed_out, 1);
}

#[test]
fn over_a_reliable_transport_a_refusal_is_sent_once_and_forgotten_with_its_ack() {
    let (mut rig, invite) = rig_with_invite(Rig::tcp());
    assert_eq!(rig.respond(0, &invite, 486, "t"), ["486 INVITE"]);
    assert_eq!(rig.run(31_000), NOTHING);
    assert_eq!(rig.hear(&request("ACK", BRANCH, "t")), NOTHING);
    assert!(rig.layer.is_empty());
}

#[test]
fn an_ack_of_a_refusal_by_a_branch_of_its_own_is_known_by_its_tags() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    rig.respond(0, &invite, 486, "t");
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "other")), NOTHING);
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "t")), NOTHING);
    assert_eq!(rig.run(400_000), NOTHING);
    assert_eq!(rig.layer.counters().absorbed_acks, 1);
}

#[test]
fn an_ack_before_any_final_response_is_a_stray() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    assert_eq!(rig.hear(&request("ACK", BRANCH, "")), NOTHING);
    assert_eq!(rig.layer.counters().stray_acks, 1);
    assert_eq!(rig.respond(0, &invite, 200, "t"), ["200 INVITE"]);
}

#[test]
fn what_is_answered_after_a_final_response_is_not_sent() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    rig.respond(0, &invite, 200, "t");
    assert_eq!(rig.respond(0, &invite, 180, "t"), NOTHING);
    assert_eq!(rig.respond(0, &invite, 486, "t"), NOTHING);
    assert_eq!(rig.respond(9, &invite, 486, "t"), NOTHING);
    assert_eq!(rig.hear(&invite), ["200 INVITE"]);
}

#[test]
fn responses_without_a_tag_get_the_one_of_their_transaction() {
    let (mut rig, invite) = rig_with_invite(Rig::udp());
    rig.respond(0, &invite, 100, "");
    assert!(!header(&rig.last(), "To").contains(";tag="));
    rig.respond(0, &invite, 183, "mine");
    rig.respond(0, &invite, 486, "");
    assert!(header(&rig.last(), "To").ends_with(";tag=mine"));

    let (mut rig, invite) = rig_with_invite(Rig::udp());
    rig.respond(0, &invite, 180, "");
    let ringing = header(&rig.last(), "To").to_owned();
    rig.respond(0, &invite, 486, "");
    assert!(ringing.contains(";tag="));
    assert_eq!(header(&rig.last(), "To"), ringing);
}
