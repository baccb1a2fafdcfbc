//! RFC 3261, 17.1.1 and 13.2.2.4; RFC 6026, 7.2.

use super::*;

#[test]
fn an_invite_is_repeated_at_doubling_intervals_and_given_up_at_64_t1() {
    let mut rig = Rig::udp();
    rig.send(Method::Invite);
    assert_eq!(
        rig.run(100_000),
        [
            "500 INVITE",
            "1500 INVITE",
            "3500 INVITE",
            "7500 INVITE",
            "15500 INVITE",
            "31500 INVITE",
            "32000 failed 0 TimedOut"
        ]
    );
    assert!(rig.layer.is_empty());
}

#[test]
fn over_a_reliable_transport_an_invite_is_sent_once() {
    let mut rig = Rig::tcp();
    rig.send(Method::Invite);
    assert_eq!(rig.run(100_000), ["32000 failed 0 TimedOut"]);
}

#[test]
fn a_provisional_response_ends_the_repeating_and_the_wait_is_the_cores() {
    let mut rig = Rig::udp();
    let invite = rig.send(Method::Invite);
    assert_eq!(rig.hear(&answer(&invite, 100, "t")), ["response 0 100"]);
    assert_eq!(rig.hear(&answer(&invite, 180, "t")), ["response 0 180"]);
    assert_eq!(rig.run(600_000), NOTHING);
    assert_eq!(rig.layer.len(), 1);
}

#[test]
fn a_refusal_is_acknowledged_here_as_often_as_it_comes() {
    let mut rig = Rig::udp();
    let invite = rig.send(Method::Invite);
    rig.hear(&answer(&invite, 180, "t"));
    assert_eq!(rig.hear(&answer(&invite, 486, "t")), ["ACK", "response 0 486"]);
    let ack = rig.last();
    assert!(ack.starts_with("ACK sip:agent@192.0.2.1 SIP/2.0\r\n"));
    for name in ["Via", "From", "Call-ID"] {
        assert_eq!(header(&ack, name), header(&invite, name));
    }
    assert_eq!(header(&ack, "To"), "<sip:agent@192.0.2.1>;tag=t");
    assert_eq!(header(&ack, "CSeq"), "3 ACK");
    assert!(ack.contains("Route: <sip:192.0.2.7;lr>\r\nRoute: <sip:192.0.2.8;lr>\r\n"));
    assert_eq!(ack.matches("Via:").count(), 1);
    assert_eq!(rig.hear(&answer(&invite, 486, "t")), ["ACK"]);
    assert_eq!(rig.last(), ack);
    assert_eq!(rig.hear(&answer(&invite, 180, "t")), NOTHING, "a late provisional response");
    assert_eq!(rig.run(31_999), NOTHING);
    assert_eq!(rig.hear(&answer(&invite, 486, "t")), ["ACK"]);
    assert_eq!(rig.run(1), NOTHING);
    assert!(rig.layer.is_empty(), "timer D is 32 s");
}

#[test]
fn over_a_reliable_transport_a_refused_invite_is_forgotten_at_once() {
    let mut rig = Rig::tcp();
    let invite = rig.send(Method::Invite);
    assert_eq!(rig.hear(&answer(&invite, 486, "t")), ["ACK", "response 0 486"]);
    assert!(rig.layer.is_empty());
}

#[test]
fn a_repeated_2xx_gets_the_same_ack_without_an_event() {
    let mut rig = Rig::udp();
    let invite = rig.send(Method::Invite);
    let ok = answer(&invite, 200, "t");
    assert_eq!(rig.hear(&ok), ["response 0 200"]);
    assert_eq!(rig.hear(&ok), ["response 0 200"], "not acknowledged yet");
    assert_eq!(rig.ack(0, "t"), ["ACK"]);
    let ack = rig.last();
    assert_ne!(header(&ack, "Via"), header(&invite, "Via"));
    assert_eq!(rig.hear(&ok), ["ACK"]);
    assert_eq!(rig.last(), ack);
    assert_eq!(rig.hear(&answer(&invite, 180, "t")), NOTHING);
    assert_eq!(rig.hear(&answer(&invite, 486, "t")), NOTHING, "RFC 6026: a final that lost the race");
    assert_eq!(rig.run(31_999), NOTHING);
    assert_eq!(rig.hear(&ok), ["ACK"]);
    assert_eq!(rig.run(1), NOTHING);
    assert!(rig.layer.is_empty(), "timer M is 64*T1");
}

#[test]
fn the_2xx_of_another_fork_is_passed_up() {
    let mut rig = Rig::tcp();
    let invite = rig.send(Method::Invite);
    rig.hear(&answer(&invite, 200, "a"));
    rig.ack(0, "a");
    assert_eq!(rig.hear(&answer(&invite, 200, "b")), ["response 0 200"]);
    assert_eq!(rig.ack(0, "b"), ["ACK"]);
    assert_eq!(rig.hear(&answer(&invite, 200, "a")), ["ACK"]);
    assert!(rig.last().contains(";tag=a"));
    assert_eq!(rig.hear(&answer(&invite, 200, "b")), ["ACK"]);
    assert!(rig.last().contains(";tag=b"));
}

#[test]
fn a_peer_that_forks_without_end_costs_no_memory() {
    let mut rig = Rig::udp();
    let invite = rig.send(Method::Invite);
    let mut size = 0;
    for fork in 0..100 {
        let tag = format!("fork{fork:03}");
        assert_eq!(rig.hear(&answer(&invite, 200, &tag)), ["response 0 200"]);
        assert_eq!(rig.ack(0, &tag), ["ACK"]);
        if fork == 20 {
            size = postcard::to_stdvec(&rig.layer).unwrap().len();
        }
    }
    assert_eq!(postcard::to_stdvec(&rig.layer).unwrap().len(), size);
}

#[test]
fn an_ack_for_a_transaction_long_gone_is_sent_all_the_same() {
    let mut rig = Rig::udp();
    assert_eq!(rig.ack(5, "t"), ["ACK"]);
    assert!(rig.layer.is_empty());
}
