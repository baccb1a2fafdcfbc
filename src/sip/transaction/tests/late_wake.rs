//! A wake that comes late changes no outcome and sends no burst.

use super::*;

#[test]
fn missed_repetitions_are_not_made_up_for() {
    let mut rig = Rig::udp();
    rig.send(Method::Invite);
    assert_eq!(rig.sleep(10_000), ["INVITE"]);
    assert_eq!(rig.run(30_000), ["5500 INVITE", "21500 INVITE", "22000 failed 0 TimedOut"]);
}

#[test]
fn nothing_is_repeated_once_the_end_has_passed() {
    let mut rig = Rig::udp();
    rig.send(Method::Invite);
    rig.send(Method::Options);
    let invite = request("INVITE", "z9hG4bKone", "");
    rig.hear(&invite);
    rig.respond(0, &invite, 200, "t");
    let other = request("INVITE", "z9hG4bKtwo", "").replace("one@", "three@");
    rig.hear(&other);
    rig.respond(1, &other, 486, "t");
    assert_eq!(rig.sleep(86_400_000), ["unacknowledged 0", "failed 0 TimedOut", "failed 1 TimedOut"]);
    assert!(rig.layer.is_empty());
}

#[test]
fn a_response_that_comes_after_the_deadline_finds_the_request_failed() {
    let mut rig = Rig::udp();
    let options = rig.send(Method::Options);
    rig.now = rig.now + Duration::from_secs(40);
    assert_eq!(rig.hear(&answer(&options, 200, "t")), ["failed 0 TimedOut"]);
    assert_eq!(rig.layer.counters().stray_responses, 1);
}

#[test]
fn a_spurious_wake_does_nothing() {
    let mut rig = Rig::udp();
    rig.send(Method::Invite);
    assert_eq!(rig.sleep(499), NOTHING);
    assert_eq!(rig.sleep(0), NOTHING);
    assert_eq!(rig.sleep(1), ["INVITE"]);
    assert_eq!(rig.sleep(0), NOTHING);
}

#[test]
fn a_layer_whose_t1_is_nothing_neither_hangs_nor_spins() {
    let timing = Timing { t1: Duration::ZERO, t2: Duration::ZERO, t4: Duration::ZERO };
    let mut rig = Rig { layer: Transactions::new(timing), ..Rig::udp() };
    rig.send(Method::Invite);
    assert_eq!(rig.run(1), ["0 failed 0 TimedOut"]);
    rig.send(Method::Options);
    assert_eq!(rig.run(1), ["0 failed 1 TimedOut"]);
}
