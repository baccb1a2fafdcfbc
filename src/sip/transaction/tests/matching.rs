//! RFC 3261, 17.1.3, 17.2.3 and 8.2.2.2, and the bounds.

use super::*;

#[test]
fn requests_are_told_apart_by_branch_sent_by_and_method() {
    let mut rig = Rig::udp();
    let options = request("OPTIONS", "z9hG4bKone", "t");
    assert_eq!(rig.hear(&options), ["request 0 OPTIONS"]);
    assert_eq!(rig.hear(&options.replace("z9hG4bKone", "z9hG4bKtwo")), ["request 1 OPTIONS"]);
    assert_eq!(
        rig.hear(&options.replace("Via: SIP/2.0/UDP 192.0.2.1", "Via: SIP/2.0/UDP 192.0.2.9")),
        ["request 2 OPTIONS"]
    );
    assert_eq!(rig.hear(&options.replace("OPTIONS", "INFO")), ["request 3 INFO"]);
    assert_eq!(rig.hear(&options), NOTHING);
}

#[test]
fn a_request_that_comes_by_a_second_path_gets_482() {
    for method in ["INVITE", "OPTIONS"] {
        let mut rig = Rig::udp();
        let (one, two) = (request(method, "z9hG4bKone", ""), request(method, "z9hG4bKtwo", ""));
        assert_eq!(rig.hear(&one), [format!("request 0 {method}")]);
        assert_eq!(rig.hear(&two), [format!("482 {method}")]);
        assert!(header(&rig.last(), "To").contains(";tag="));
        assert_eq!(rig.hear(&two), [format!("482 {method}")], "the same transaction");
        assert_eq!(rig.layer.counters().merged, 1);
        if method == "INVITE" {
            let tag = header(&rig.last(), "To").split(";tag=").nth(1).unwrap().to_owned();
            assert_eq!(rig.hear(&request("ACK", "z9hG4bKtwo", &tag)), NOTHING);
            assert_eq!(rig.run(3_000), NOTHING);
        }
        assert_eq!(rig.respond(0, &one, 200, "t"), [format!("200 {method}")], "the first is not disturbed");
    }
}

#[test]
fn an_accepted_invite_is_still_not_taken_twice() {
    let mut rig = Rig::udp();
    let invite = request("INVITE", "z9hG4bKone", "");
    rig.hear(&invite);
    rig.respond(0, &invite, 200, "t");
    assert_eq!(rig.hear(&request("INVITE", "z9hG4bKtwo", "")), ["482 INVITE"]);
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "t")), ["acknowledged 0"]);
}

#[test]
fn a_refused_invite_may_be_tried_by_another_path() {
    let mut rig = Rig::udp();
    let (one, two) = (request("INVITE", "z9hG4bKone", ""), request("INVITE", "z9hG4bKtwo", ""));
    rig.hear(&one);
    rig.respond(0, &one, 503, "t");
    assert_eq!(rig.hear(&two), ["request 1 INVITE"]);
    assert_eq!(rig.respond(1, &two, 200, "u"), ["200 INVITE"]);
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKone", "t")), NOTHING);
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKack", "u")), ["acknowledged 1"]);
    assert_eq!(rig.run(60_000), NOTHING);
    assert!(rig.layer.is_empty());
}

#[test]
fn the_next_request_of_a_sequence_is_not_merged() {
    let mut rig = Rig::udp();
    rig.hear(&request("INVITE", "z9hG4bKone", ""));
    let next = request("INVITE", "z9hG4bKtwo", "").replace("CSeq: 7", "CSeq: 8");
    assert_eq!(rig.hear(&next), ["request 1 INVITE"]);
    let other = request("INVITE", "z9hG4bKthree", "").replace("tag=from", "tag=another");
    assert_eq!(rig.hear(&other), ["request 2 INVITE"]);
}

#[test]
fn peers_of_rfc_2543_are_told_by_the_request_itself() {
    for branch in ["", ";branch=1", ";branch=z9hG4bK"] {
        let old = |method, to_tag| request(method, "X", to_tag).replace(";branch=X", branch);
        let mut rig = Rig::udp();
        let invite = old("INVITE", "");
        assert_eq!(rig.hear(&invite), ["request 0 INVITE"]);
        assert_eq!(rig.hear(&invite), NOTHING);
        assert_eq!(rig.hear(&invite.replace("CSeq: 7", "CSeq: 8")), ["request 1 INVITE"]);
        assert_eq!(
            rig.hear(&invite.replace("sip:999@198.51.100.1 SIP", "sip:111@198.51.100.1 SIP")),
            ["482 INVITE"]
        );
        assert_eq!(rig.hear(&old("CANCEL", "")), ["200 CANCEL", "cancelled 0"]);
        assert_eq!(rig.hear(&old("CANCEL", "")), ["200 CANCEL"]);
        assert_eq!(rig.respond(0, &invite, 487, "t"), ["487 INVITE"]);
        assert_eq!(rig.hear(&old("ACK", "other")), NOTHING);
        assert_eq!(rig.layer.counters().stray_acks, 1);
        assert_eq!(rig.hear(&old("ACK", "t")), NOTHING);
        assert_eq!(rig.layer.counters().absorbed_acks, 1);
        let bye = old("BYE", "t");
        assert_eq!(rig.hear(&bye), ["request 4 BYE"]);
        assert_eq!(rig.hear(&bye), NOTHING);
        assert_eq!(rig.hear(&bye.replace("tag=t\r", "tag=u\r")), ["request 5 BYE"], "another dialog");
    }
}

#[test]
fn a_2xx_to_a_peer_of_rfc_2543_is_acknowledged() {
    let old = |method, to_tag| request(method, "X", to_tag).replace(";branch=X", "");
    let mut rig = Rig::udp();
    let invite = old("INVITE", "");
    rig.hear(&invite);
    rig.respond(0, &invite, 200, "t");
    assert_eq!(rig.hear(&old("ACK", "t")), ["acknowledged 0"]);
    assert_eq!(rig.run(60_000), NOTHING);
}

#[test]
fn strays_are_counted_and_dropped() {
    let mut rig = Rig::udp();
    assert_eq!(rig.hear(&request("ACK", "z9hG4bKone", "t")), NOTHING);
    let stray = answer(&request("INVITE", "z9hG4bK1saber230000", ""), 200, "t");
    assert_eq!(rig.hear(&stray), NOTHING);
    assert_eq!(rig.layer.counters().stray_acks, 1);
    assert_eq!(rig.layer.counters().stray_responses, 1);
    assert!(rig.layer.is_empty());
}

#[test]
fn a_2xx_sent_to_a_forged_address_is_a_stray() {
    // RFC 4475, 3.3.10.
    let broadcast = [
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923",
        "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23",
        "Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf",
        "CSeq: 35 INVITE",
        "From: sip:user@example.com;tag=11141343",
        "To: sip:user@example.edu;tag=2229",
        "Content-Length: 0",
        "\r\n",
    ]
    .join("\r\n")
    .replace("\r\n\r\n\r\n", "\r\n\r\n");
    let mut rig = Rig::udp();
    assert_eq!(rig.hear(&broadcast), NOTHING);
    assert_eq!(rig.layer.counters().stray_responses, 1);
}

fn stranger(number: usize) -> String {
    request("OPTIONS", &format!("z9hG4bKflood{number}"), "").replace("one@", &format!("flood{number}@"))
}

#[test]
fn strangers_cannot_take_the_room_of_known_peers() {
    let mut rig = Rig::udp();
    rig.layer.set_room(8, BTreeSet::from(["192.0.2.200".parse().unwrap()]));
    for number in 0..6 {
        assert_eq!(rig.hear(&stranger(number)), [format!("request {number} OPTIONS")]);
    }
    assert_eq!(rig.hear(&stranger(6)), ["503 OPTIONS"]);
    assert_eq!(header(&rig.last(), "Retry-After"), "5");
    assert_eq!(rig.hear(&stranger(0)), NOTHING, "those who are in stay in");

    let known = Flow { remote: "192.0.2.200:5060".parse().unwrap(), ..UDP };
    let mut taken = 0;
    for number in 10..20 {
        rig.layer.receive(known, accepted(&stranger(number)), rig.now).unwrap();
        taken += usize::from(rig.drain()[0].starts_with("request"));
    }
    assert_eq!(taken, 2);
    assert_eq!(rig.layer.len(), 8);
    assert_eq!(rig.layer.counters().refused, 9);
}

#[test]
fn a_cancel_finds_room_when_there_is_none() {
    let mut rig = Rig::udp();
    rig.layer.set_room(1, BTreeSet::new());
    assert_eq!(rig.hear(&request("INVITE", "z9hG4bKone", "")), ["request 0 INVITE"]);
    assert_eq!(rig.hear(&request("CANCEL", "z9hG4bKone", "")), ["200 CANCEL", "cancelled 0"]);
    assert_eq!(rig.hear(&request("CANCEL", "z9hG4bKtwo", "")), ["481 CANCEL"]);
    assert_eq!(rig.layer.len(), 2);
}
