//! Re-INVITEs: hold and resume across the bridge, glare, and what is answered here.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, World, header, phone, sdp};
use crate::audio::Direction;
use crate::call::media::Command;

fn talking() -> (World, Caller, Ringing) {
    let mut world = World::new(2);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    world.take_to(&phone(0));
    world.take_to(TRUNK);
    (world, caller, agent)
}

/// The caller's phone answers a request that was sent to it.
fn caller_replies(world: &mut World, request: &str, status: &str, body: &str) {
    let trunk = Ringing { at: TRUNK.to_owned(), invite: String::new() };
    world.from(TRUNK, &trunk.response(request, status, body));
}

/// An agent held the caller and died; the INVITE by which the caller is taken off hold.
fn left_on_hold() -> (World, String) {
    let (mut world, _caller, agent) = talking();
    agent.send(&mut world, "INVITE", 1, &sdp("192.0.2.60", 50000, "inactive"));
    let passed = world.expect(TRUNK, "INVITE");
    caller_replies(&mut world, &passed, "200 OK", &sdp("192.0.2.50", 40098, "inactive"));
    world.take_to(TRUNK);
    let dead =
        crate::call::media::Event::Dead { leg: crate::id::LegId(2), silent_for: Duration::from_secs(20) };
    world.give(crate::switch::Input::Media(dead));
    world.pass(Duration::from_secs(4));
    let resumed = world.expect(TRUNK, "INVITE");
    (world, resumed)
}

#[test]
fn the_agents_hold_and_resume_reach_the_caller() {
    let (mut world, _caller, agent) = talking();
    for (cseq, stated, answered) in [(1, "sendonly", "recvonly"), (2, "sendrecv", "sendrecv")] {
        agent.send(&mut world, "INVITE", cseq, &sdp("192.0.2.60", 50000, stated));
        assert!(world.take_to(&phone(0)).iter().all(|text| !text.starts_with("SIP/2.0 2")));
        let passed = world.expect(TRUNK, "INVITE");
        assert!(passed.contains(&format!("a={stated}\r\n")), "{passed}");
        caller_replies(&mut world, &passed, "200 OK", &sdp("192.0.2.50", 40098, answered));
        world.expect(TRUNK, "ACK");
        let answer = world.expect(&phone(0), "SIP/2.0 200");
        assert!(answer.contains(&format!("a={answered}\r\n")), "{answer}");
        agent.send(&mut world, "ACK", cseq, "");
        world.pass(Duration::from_secs(40));
        world.take_to(&phone(0));
    }
}

#[test]
fn a_refused_hold_is_refused_and_changes_nothing() {
    let (mut world, _caller, agent) = talking();
    agent.send(&mut world, "INVITE", 1, &sdp("192.0.2.60", 50000, "inactive"));
    let passed = world.expect(TRUNK, "INVITE");
    let before = world.media.len();
    caller_replies(&mut world, &passed, "488 Not Acceptable Here", "");
    world.expect(&phone(0), "SIP/2.0 488");
    assert_eq!(world.media.len(), before);
}

#[test]
fn a_hold_that_the_other_end_leaves_open_is_refused_after_twenty_seconds() {
    let (mut world, _caller, agent) = talking();
    agent.send(&mut world, "INVITE", 1, &sdp("192.0.2.60", 50000, "sendonly"));
    world.expect(&phone(0), "SIP/2.0 100");
    let passed = world.expect(TRUNK, "INVITE");
    caller_replies(&mut world, &passed, "180 Ringing", "");
    world.pass(Duration::from_secs(20));
    world.expect(&phone(0), "SIP/2.0 504");
    world.expect(TRUNK, "CANCEL");
    assert_eq!(world.switch.calls(), 1);
}

#[test]
fn a_caller_who_cannot_be_taken_off_hold_for_glare_is_asked_again() {
    let (mut world, resumed) = left_on_hold();
    caller_replies(&mut world, &resumed, "491 Request Pending", "");
    world.take_to(TRUNK);
    world.pass(Duration::from_millis(4_600));
    assert!(world.expect(TRUNK, "INVITE").contains("a=sendrecv\r\n"));
}

#[test]
fn glare_gets_491() {
    let (mut world, mut caller, agent) = talking();
    agent.send(&mut world, "INVITE", 1, &sdp("192.0.2.60", 50000, "sendonly"));
    world.expect(TRUNK, "INVITE");
    caller.send(&mut world, "INVITE", &sdp("192.0.2.50", 40098, "sendonly"));
    world.expect(TRUNK, "SIP/2.0 491");
    agent.send(&mut world, "INVITE", 2, &sdp("192.0.2.60", 50000, "sendrecv"));
    let refused = world.expect(&phone(0), "SIP/2.0 500");
    assert_eq!(header(&refused, "Retry-After"), "2");
}

#[test]
fn a_refresh_without_change_is_answered_here() {
    let (mut world, mut caller, _agent) = talking();
    caller.send(&mut world, "INVITE", &sdp("192.0.2.50", 40098, "sendrecv"));
    world.expect(TRUNK, "SIP/2.0 200");
    assert_eq!(world.take_to(&phone(0)), [""; 0]);
}

#[test]
fn a_bye_in_the_middle_of_a_hold_ends_both_legs() {
    let (mut world, mut caller, agent) = talking();
    agent.send(&mut world, "INVITE", 1, &sdp("192.0.2.60", 50000, "sendonly"));
    caller.send(&mut world, "BYE", "");
    let to_phone = world.take_to(&phone(0));
    assert!(to_phone.iter().any(|text| text.starts_with("SIP/2.0 487")), "{to_phone:#?}");
    assert!(to_phone.iter().any(|text| text.starts_with("BYE")), "{to_phone:#?}");
    assert_eq!(world.records.len(), 1);
}

#[test]
fn a_caller_on_hold_while_waiting_is_answered_and_gets_no_music() {
    let mut world = World::new(0);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    caller.send(&mut world, "INVITE", &sdp("192.0.2.50", 40098, "sendonly"));
    let answer = world.expect(TRUNK, "SIP/2.0 200");
    assert!(answer.contains("a=recvonly\r\n"), "{answer}");
    let Some(Command::Set(stream)) = world.media.last() else { panic!("no stream") };
    assert_eq!(stream.direction, Direction::RecvOnly);
}

#[test]
fn a_caller_held_by_an_agent_who_dies_is_taken_off_hold() {
    let (_world, resumed) = left_on_hold();
    assert!(resumed.contains("a=sendrecv\r\n"), "{resumed}");
}

#[test]
fn a_cancelled_hold_is_undone_at_the_other_end() {
    let (mut world, _caller, agent) = talking();
    agent.send(&mut world, "INVITE", 1, &sdp("192.0.2.60", 50000, "sendonly"));
    let passed = world.expect(TRUNK, "INVITE");
    agent.send(&mut world, "CANCEL", 1, "");
    world.expect(&phone(0), "SIP/2.0 487");
    caller_replies(&mut world, &passed, "200 OK", &sdp("192.0.2.50", 40098, "recvonly"));
    let undone = world.expect(TRUNK, "INVITE");
    assert!(undone.contains("a=sendrecv\r\n"), "{undone}");
}

#[test]
fn a_peer_that_leaves_in_the_middle_of_a_hold_need_not_answer_it() {
    for answers in [false, true] {
        let (mut world, mut caller, agent) = talking();
        agent.send(&mut world, "INVITE", 1, &sdp("192.0.2.60", 50000, "sendonly"));
        let passed = world.expect(TRUNK, "INVITE");
        caller_replies(&mut world, &passed, "100 Trying", "");
        caller.send(&mut world, "BYE", "");
        world.expect(TRUNK, "CANCEL");
        if answers {
            caller_replies(&mut world, &passed, "200 OK", &sdp("192.0.2.50", 40098, "recvonly"));
            world.expect(TRUNK, "ACK");
        }
        world.pass(Duration::from_secs(70));
        assert!(world.switch.is_empty(), "{:?}", world.switch.leftovers());
    }
}
