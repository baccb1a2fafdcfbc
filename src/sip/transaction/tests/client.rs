//! RFC 3261, 17.1.2.

use super::*;

#[test]
fn a_request_is_repeated_up_to_t2_and_given_up_at_64_t1() {
    let mut rig = Rig::udp();
    rig.send(Method::Options);
    let lines = rig.run(100_000);
    let expected = "500 1500 3500 7500 11500 15500 19500 23500 27500 31500 32000";
    let times: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(times.join(" "), expected);
    assert_eq!(lines.last().unwrap(), "32000 failed 0 TimedOut");
    assert!(rig.layer.is_empty());
    assert_eq!(rig.layer.counters().timed_out, 1);
    assert_eq!(rig.layer.counters().retransmitted, 10);
}

#[test]
fn after_a_provisional_response_it_is_repeated_each_t2_and_still_given_up() {
    let mut rig = Rig::udp();
    let options = rig.send(Method::Options);
    assert_eq!(rig.hear(&answer(&options, 100, "t")), ["response 0 100"]);
    let lines = rig.run(100_000);
    let times: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(times.join(" "), "500 4500 8500 12500 16500 20500 24500 28500 32000");
    assert_eq!(lines.last().unwrap(), "32000 failed 0 TimedOut");
}

#[test]
fn repeated_finals_are_absorbed_for_t4() {
    let mut rig = Rig::udp();
    let bye = rig.send(Method::Bye);
    assert_eq!(rig.hear(&answer(&bye, 200, "t")), ["response 0 200"]);
    assert_eq!(rig.hear(&answer(&bye, 200, "t")), NOTHING);
    assert_eq!(rig.run(4_999), NOTHING);
    assert_eq!(rig.layer.len(), 1);
    assert_eq!(rig.run(1), NOTHING);
    assert!(rig.layer.is_empty());
    assert_eq!(rig.hear(&answer(&bye, 200, "t")), NOTHING);
    assert_eq!(rig.layer.counters().repeated_responses, 1);
    assert_eq!(rig.layer.counters().stray_responses, 1);
}

#[test]
fn over_a_reliable_transport_nothing_is_repeated_or_kept() {
    let mut rig = Rig::tcp();
    let bye = rig.send(Method::Bye);
    assert_eq!(rig.run(31_999), NOTHING);
    assert_eq!(rig.hear(&answer(&bye, 200, "t")), ["response 0 200"]);
    assert!(rig.layer.is_empty());
    rig.send(Method::Bye);
    assert_eq!(rig.run(40_000), ["32000 failed 1 TimedOut"]);
}

#[test]
fn each_request_has_a_branch_of_its_own() {
    let mut rig = Rig::udp();
    let (a, b) = (rig.send(Method::Options), rig.send(Method::Options));
    assert!(header(&a, "Via").contains("branch=z9hG4bK"));
    assert!(header(&a, "Via").starts_with("SIP/2.0/UDP 198.51.100.1:5060;"));
    assert_ne!(header(&a, "Via"), header(&b, "Via"));
    assert_eq!(rig.hear(&answer(&b, 200, "t")), ["response 1 200"]);
}

#[test]
fn a_response_must_have_the_method_and_transport_of_its_request() {
    let mut rig = Rig::udp();
    let options = rig.send(Method::Options);
    let good = answer(&options, 200, "t");
    assert_eq!(rig.hear(&good.replace("3 OPTIONS", "3 BYE")), NOTHING);
    assert_eq!(rig.hear(&good.replace("3 OPTIONS", "3 CANCEL")), NOTHING);
    assert_eq!(rig.hear(&good.replace("branch=z9hG4bK", "branch=z9hG4bKx")), NOTHING);
    rig.flow = TCP;
    assert_eq!(rig.hear(&good), NOTHING);
    assert_eq!(rig.layer.counters().stray_responses, 4);
    rig.flow = UDP;
    assert_eq!(rig.hear(&good), ["response 0 200"]);
}

#[test]
fn a_lost_connection_fails_what_was_sent_by_it_and_nothing_else() {
    let mut rig = Rig::tcp();
    rig.send(Method::Options);
    let invite = rig.send(Method::Invite);
    rig.hear(&answer(&invite, 180, "t"));
    rig.cancel(1);
    rig.flow = flow(Transport::Tcp, 40_001);
    rig.send(Method::Options);
    rig.flow = UDP;
    rig.send(Method::Options);
    rig.layer.transport_failed(TCP, rig.now);
    assert_eq!(rig.drain(), ["failed 0 Transport", "failed 1 Transport"]);
    assert_eq!(rig.layer.len(), 2);
    assert_eq!(rig.layer.counters().transport_failures, 3);
    rig.layer.transport_failed(TCP, rig.now);
    assert_eq!(rig.drain(), NOTHING);
}
