//! What an agent's side can do wrong, and that the caller does not pay for it.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, World, phone, plan, sdp};
use crate::acd::{Availability, Cause, PauseReason};
use crate::call::media::{Command, Event as MediaEvent, ThreadPorts};
use crate::call::record::{EndedBy, Outcome};
use crate::id::LegId;
use crate::switch::{Event, Input};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn busy_and_reject_bring_the_next_agent_at_once() {
    for (status, cause) in [("486 Busy Here", Cause::Busy), ("603 Decline", Cause::Rejected)] {
        let mut world = World::new(2);
        Caller::new("c1", TRUNK).call(&mut world);
        let agent = Ringing::of(&mut world, 0);
        agent.reply(&mut world, status);
        world.expect(&phone(0), "ACK");
        Ringing::of(&mut world, 1);
        assert!(
            world
                .events
                .iter()
                .any(|event| matches!(event, Event::Missed { cause: why, .. } if *why == cause))
        );
        assert_eq!(world.switch.calls(), 1);
    }
}

#[test]
fn a_dead_phone_brings_the_next_agent_within_a_second() {
    let mut world = World::new(2);
    Caller::new("c1", TRUNK).call(&mut world);
    Ringing::of(&mut world, 0);
    world.pass(SECOND);
    Ringing::of(&mut world, 1);
    assert!(
        world.events.iter().any(|event| matches!(event, Event::Missed { cause: Cause::Unreachable, .. }))
    );
}

#[test]
fn a_dead_phone_that_revives_is_silenced() {
    let mut world = World::new(2);
    Caller::new("c1", TRUNK).call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    world.pass(2 * SECOND);
    world.take_to(&phone(0));
    agent.reply(&mut world, "180 Ringing");
    world.expect(&phone(0), "CANCEL");
}

#[test]
fn three_misses_in_a_row_pause_the_agent_with_the_reason() {
    let mut world = World::new(1);
    Caller::new("c1", TRUNK).call(&mut world);
    for _ in 0..3 {
        let agent = Ringing::of(&mut world, 0);
        agent.reply(&mut world, "486 Busy Here");
        world.pass(3 * SECOND);
    }
    assert!(world.take_to(&phone(0)).iter().all(|text| !text.starts_with("INVITE")));
    let paused = Availability::Paused(PauseReason::Missed(Cause::Busy));
    assert!(
        world
            .events
            .iter()
            .any(|event| matches!(event, Event::Availability { state, .. } if *state == paused))
    );
    assert_eq!(world.switch.calls(), 1, "the caller still waits");
}

#[test]
fn a_phone_without_a_common_encoding_is_hung_up_and_missed() {
    let mut world = World::new(2);
    Caller::new("c1", TRUNK).call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    let body = sdp("192.0.2.60", 50000, "sendrecv")
        .replace("RTP/AVP 8 101", "RTP/AVP 18")
        .replace("8 PCMA", "18 G729");
    world.from(&phone(0), &agent.response(&agent.invite, "200 OK", &body));
    let to_phone = world.take_to(&phone(0));
    assert!(to_phone[0].starts_with("ACK") && to_phone[1].starts_with("BYE"), "{to_phone:#?}");
    Ringing::of(&mut world, 1);
}

#[test]
fn without_a_media_port_nobody_is_blamed_and_nobody_is_lost() {
    let mut plan = plan(2);
    plan.acd.rest = crate::acd::Rests::default();
    plan.acd.misses_before_pause = 1;
    // One port, and both phones send their media from the address that the caller's comes from.
    plan.media.threads = vec![ThreadPorts { shared: vec![20000], spill: vec![] }];
    let mut world = World::on(plan);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    for n in 0..2 {
        let agent = Ringing::of(&mut world, n);
        let body = sdp("192.0.2.50", caller.media_port(), "sendrecv");
        world.from(&phone(n), &agent.response(&agent.invite, "200 OK", &body));
        world.expect(&phone(n), "BYE");
    }
    world.pass(10 * SECOND);
    assert!(world.switch.counters().no_port >= 4);
    for n in 0..2 {
        let rung_again = world.take_to(&phone(n)).iter().any(|text| text.starts_with("INVITE"));
        assert!(!rung_again, "what is known of its address is enough to know that it cannot be heard");
    }
    assert!(!world.events.iter().any(|event| matches!(event, Event::Missed { .. })));
    assert!(
        !world
            .events
            .iter()
            .any(|event| matches!(event, Event::Availability { state: Availability::Paused(_), .. }))
    );
    caller.send(&mut world, "BYE", "");
    assert_eq!(world.records[0].outcome, Outcome::Abandoned);
}

#[test]
fn a_phone_behind_nat_is_spoken_to_where_it_was_seen() {
    let mut plan = plan(1);
    plan.phones[0].nat = true;
    let mut world = World::on(plan);
    Caller::new("c1", TRUNK).call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    let private = agent.response(&agent.invite, "200 OK", &sdp("10.0.0.7", 50000, "sendrecv"));
    world.from(
        &phone(0),
        &private.replace("Contact: <sip:agent@192.0.2.20:5060>", "Contact: <sip:agent@10.0.0.7:5060>"),
    );
    assert!(world.expect(&phone(0), "ACK").starts_with("ACK sip:agent@10.0.0.7:5060"));
    let Some(Command::Set(stream)) = world.media.iter().rev().find(|c| matches!(c, Command::Set(_))) else {
        panic!("no stream")
    };
    assert!(stream.latch && stream.port >= 30000);
}

#[test]
fn two_phones_with_one_media_address_never_share_a_port() {
    let mut world = World::new(3);
    for n in 0..3 {
        Caller::new(&format!("c{n}"), TRUNK).call(&mut world);
        let agent = Ringing::of(&mut world, n);
        agent.answer(&mut world);
    }
    let mut streams: Vec<_> = world
        .media
        .iter()
        .filter_map(|command| {
            if let Command::Set(stream) = command { Some((stream.port, stream.remote)) } else { None }
        })
        .collect();
    streams.sort_unstable();
    streams.dedup();
    assert_eq!(streams.len(), 6);
}

#[test]
fn an_agents_phone_that_dies_in_mid_call_brings_the_caller_back_in_line() {
    let mut world = World::new(2);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    world.take_to(&phone(0));
    world.give(Input::Media(MediaEvent::Dead { leg: LegId(2), silent_for: 20 * SECOND }));
    world.expect(&phone(0), "OPTIONS");
    world.pass(4 * SECOND);
    Ringing::of(&mut world, 1).answer(&mut world);
    assert!(world.events.iter().any(|event| matches!(event, Event::BackInLine { .. })));
    caller.send(&mut world, "BYE", "");
    assert_eq!(
        world.records[0].outcome,
        Outcome::Answered { agent: "agent-1".into(), ended_by: EndedBy::Caller }
    );
}

#[test]
fn silence_of_a_phone_that_still_answers_is_no_reason_to_cut_the_call() {
    let mut world = World::new(1);
    Caller::new("c1", TRUNK).call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    world.take_to(&phone(0));
    world.give(Input::Media(MediaEvent::Dead { leg: LegId(2), silent_for: 20 * SECOND }));
    let probe = world.expect(&phone(0), "OPTIONS");
    let watched = world.media.len();
    world.from(&phone(0), &agent.response(&probe, "200 OK", ""));
    assert!(matches!(world.media[watched..], [Command::Set(_)]), "the watch begins anew");
    world.pass(60 * SECOND);
    assert_eq!((world.switch.calls(), world.records.len()), (1, 0));
}

#[test]
fn a_caller_whose_trunk_died_is_recorded_as_lost() {
    let mut world = World::new(0);
    Caller::new("c1", TRUNK).call(&mut world);
    world.give(Input::Media(MediaEvent::Dead { leg: LegId(1), silent_for: 20 * SECOND }));
    world.pass(4 * SECOND);
    assert_eq!(world.records[0].outcome, Outcome::Lost { ended_by: EndedBy::DeadPeer });
}

#[test]
fn the_second_phone_that_answers_after_the_call_was_withdrawn_is_hung_up_too() {
    let mut world = World::new(1);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.reply(&mut world, "180 Ringing");
    caller.send(&mut world, "BYE", "");
    world.expect(&phone(0), "CANCEL");
    let answer = agent.response(&agent.invite, "200 OK", &sdp("192.0.2.60", 50000, "sendrecv"));
    for tag in ["phone", "fork"] {
        world.from(&phone(0), &answer.replace(";tag=phone", &format!(";tag={tag}")));
        let sent = world.take_to(&phone(0));
        assert!(sent[0].starts_with("ACK") && sent[1].starts_with("BYE"), "{sent:#?}");
        assert!(sent.iter().all(|text| text.contains(&format!(";tag={tag}"))), "{sent:#?}");
    }
    world.pass(70 * SECOND);
    assert!(world.switch.is_empty());
}

#[test]
fn a_process_that_slept_makes_up_for_no_repetition() {
    let mut world = World::new(1);
    Caller::new("c1", TRUNK).call(&mut world);
    Ringing::of(&mut world, 0);
    world.now.mono = world.now.mono + Duration::from_secs(3);
    world.give(Input::Wake);
    assert_eq!(world.take_to(&phone(0)).iter().filter(|text| text.starts_with("INVITE")).count(), 1);
}

#[test]
fn an_ack_without_tag_is_none_and_the_call_is_ended_by_bye() {
    let mut world = World::new(0);
    let mut caller = Caller::new("c1", TRUNK);
    world.from(TRUNK, &caller.invite());
    world.expect(TRUNK, "SIP/2.0 200");
    caller.to = "<sip:02079460101@192.0.2.1>".to_owned();
    world.from(TRUNK, &caller.request("ACK", 1, "a", ""));
    world.pass(33 * SECOND);
    let sent = world.take_to(TRUNK);
    assert!(sent.iter().filter(|text| text.starts_with("SIP/2.0 200")).count() > 5);
    assert!(sent.iter().any(|text| text.starts_with("BYE")), "{sent:#?}");
    world.pass(40 * SECOND);
    assert!(world.switch.is_empty());
}
