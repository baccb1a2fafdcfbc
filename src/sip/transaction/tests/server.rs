//! RFC 3261, 17.2.2.

use super::*;

#[test]
fn a_repeated_request_is_absorbed_and_answered_as_before() {
    let mut rig = Rig::udp();
    let options = request("OPTIONS", "z9hG4bKone", "");
    assert_eq!(rig.hear(&options), ["request 0 OPTIONS"]);
    assert_eq!(rig.hear(&options), NOTHING, "trying");
    assert_eq!(rig.respond(0, &options, 183, "t"), ["183 OPTIONS"]);
    assert_eq!(rig.hear(&options), ["183 OPTIONS"]);
    assert_eq!(rig.respond(0, &options, 200, "t"), ["200 OPTIONS"]);
    assert_eq!(rig.hear(&options), ["200 OPTIONS"]);
    assert_eq!(rig.respond(0, &options, 500, "t"), NOTHING);
    assert_eq!(rig.run(31_999), NOTHING);
    assert_eq!(rig.hear(&options), ["200 OPTIONS"]);
    assert_eq!(rig.run(1), NOTHING);
    assert!(rig.layer.is_empty(), "timer J is 64*T1");
    assert_eq!(rig.hear(&options), ["request 1 OPTIONS"]);
    assert_eq!(rig.layer.counters().repeated_requests, 4);
}

#[test]
fn over_a_reliable_transport_a_request_is_forgotten_once_answered() {
    let mut rig = Rig::tcp();
    let bye = request("BYE", "z9hG4bKone", "t");
    assert_eq!(rig.hear(&bye), ["request 0 BYE"]);
    assert_eq!(rig.respond(0, &bye, 200, ""), ["200 BYE"]);
    assert!(rig.layer.is_empty());
    assert_eq!(rig.layer.poll_timeout(), None);
}
