//! A switch that goes on in a new process.

use std::time::Duration;

use bytes::Bytes;

use super::world::{Caller, Ringing, TRUNK, World, flow, header, phone, plan, sdp};
use crate::call::media::{self, Command};
use crate::call::record::{EndedBy, Outcome};
use crate::sip::{Flow, Transport};
use crate::switch::{Event, Input, Output};
use crate::time::{Now, Wall};

fn restart(world: &mut World, seed: u8, incomplete: bool) {
    world.media.clear();
    world.give(Input::Restart { seed: [seed; 32], incomplete });
}

/// Nobody is there for so long.
fn away(world: &mut World, away: Duration) {
    let millis = i64::try_from(away.as_millis()).unwrap();
    world.now = Now { mono: world.now.mono + away, wall: Wall(world.now.wall.0 + millis) };
}

fn missed(world: &World) -> usize {
    world.events.iter().filter(|event| matches!(event, Event::Missed { .. })).count()
}

#[test]
fn a_phone_that_rang_has_time_to_repeat_its_answer_and_its_agent_is_not_blamed() {
    for gone in [2, 19, 45, 300] {
        let mut world = World::new(2);
        let mut caller = Caller::new("a", TRUNK);
        caller.call(&mut world);
        let ringing = Ringing::of(&mut world, 0);
        ringing.reply(&mut world, "180 Ringing");
        world.pass(Duration::from_secs(5));
        away(&mut world, Duration::from_secs(gone));
        restart(&mut world, 1, true);
        world.pass(Duration::from_millis(4_900));
        assert_eq!(missed(&world), 0, "after {gone} s");
        assert!(world.take_to(&phone(1)).is_empty(), "after {gone} s: nobody else is rung");
        ringing.answer(&mut world);
        assert!(world.events.iter().any(|event| matches!(event, Event::Bridged { .. })), "after {gone} s");
    }
}

#[test]
fn a_phone_that_had_no_time_to_answer_is_asked_again() {
    let mut world = World::new(1);
    Caller::new("a", TRUNK).call(&mut world);
    let ringing = Ringing::of(&mut world, 0);
    away(&mut world, Duration::from_secs(40));
    restart(&mut world, 1, true);
    world.pass(Duration::from_millis(100));
    assert_eq!((missed(&world), world.expect(&phone(0), "INVITE")), (0, ringing.invite.clone()));
    ringing.reply(&mut world, "180 Ringing");
    world.pass(Duration::from_secs(10));
    assert_eq!(missed(&world), 0);
}

#[test]
fn an_agent_whose_wrap_up_ended_meanwhile_is_rung_now_and_not_in_the_past() {
    let mut world = World::new(1);
    let (mut first, mut second) = (Caller::new("a", TRUNK), Caller::new("b", TRUNK));
    first.call(&mut world);
    Ringing::of(&mut world, 0).answer(&mut world);
    second.call(&mut world);
    first.send(&mut world, "BYE", "");
    away(&mut world, Duration::from_secs(200));
    restart(&mut world, 1, true);
    world.pass(Duration::from_millis(100));
    let ringing = Ringing::of(&mut world, 0);
    ringing.reply(&mut world, "180 Ringing");
    world.pass(Duration::from_secs(19));
    assert_eq!(missed(&world), 0);
    world.pass(Duration::from_secs(2));
    assert_eq!(missed(&world), 1);
}

#[test]
fn calls_that_nobody_can_still_be_holding_are_given_up_and_little_is_made_up_for() {
    let mut plan = plan(2);
    plan.sip.probe_every = Duration::from_secs(30);
    let mut world = World::on(plan);
    let (mut talking, mut waiting) = (Caller::new("a", TRUNK), Caller::new("b", TRUNK));
    talking.call(&mut world);
    Ringing::of(&mut world, 0).answer(&mut world);
    waiting.call(&mut world);
    world.pass(Duration::from_secs(3));
    let before: Vec<_> =
        world.take_to(&phone(1)).iter().map(|text| header(text, "Call-ID").to_owned()).collect();
    world.outputs.clear();
    away(&mut world, Duration::from_secs(60 * 3_600));
    restart(&mut world, 1, true);
    assert_eq!(world.switch.calls(), 0);
    let ended = |name: &str| {
        let of = world.records.iter().find(|record| record.sip_call_id == name).unwrap();
        (of.outcome.clone(), of.lasted < Duration::from_secs(60))
    };
    let agent = "agent-0".to_owned();
    assert_eq!(ended("a"), (Outcome::Answered { agent, ended_by: EndedBy::DeadPeer }, true));
    assert_eq!(ended("b"), (Outcome::Lost { ended_by: EndedBy::DeadPeer }, true));
    assert!(world.outputs.len() < 40, "{}", world.outputs.len());
    let rung = world.take_to(&phone(1));
    assert!(rung.iter().all(|text| !text.starts_with("INVITE")), "{rung:#?}");
    world.sent.clear();
    Caller::new("c", TRUNK).call(&mut world);
    // The phone that said nothing is sent the old INVITE again, until that is over.
    let invites = world.sent.iter().filter(|(_, text)| text.starts_with("INVITE"));
    let new = invites.filter(|(_, text)| before.iter().all(|old| header(text, "Call-ID") != old));
    assert_eq!(new.count(), 1, "{:#?}", world.sent);
}

#[test]
fn a_caller_who_answered_a_question_in_vain_has_time_to_answer_it_again() {
    let mut world = World::new(1);
    let mut caller = Caller::new("a", TRUNK);
    caller.call(&mut world);
    Ringing::of(&mut world, 0).answer(&mut world);
    let legs: Vec<_> = world.switch.legs.keys().copied().collect();
    for leg in legs {
        let silent_for = Duration::from_secs(20);
        world.give(Input::Media(media::Event::Dead { leg, silent_for }));
    }
    world.pass(Duration::from_millis(3_900));
    world.take_to(TRUNK);
    away(&mut world, Duration::from_secs(30));
    restart(&mut world, 1, true);
    world.pass(Duration::from_millis(4_500));
    assert_eq!(world.switch.calls(), 1);
    let again = world.take_to(TRUNK);
    assert!(again.iter().any(|text| text.starts_with("OPTIONS")), "it is asked again: {again:#?}");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.switch.calls(), 0, "and is not waited for for ever");
}

#[test]
fn whoever_starts_it_again_wants_calls_to_be_taken() {
    for end in [Input::Drain, Input::Stop] {
        let mut plan = plan(1);
        plan.sip.probe_every = Duration::from_secs(30);
        let mut world = World::on(plan);
        world.give(end);
        assert!(world.events.contains(&Event::Drained));
        away(&mut world, Duration::from_secs(1));
        restart(&mut world, 1, true);
        Caller::new("a", TRUNK).call(&mut world);
        Ringing::of(&mut world, 0);
        world.pass(Duration::from_secs(31));
        assert!(world.take_to(&phone(0)).iter().any(|text| text.starts_with("OPTIONS")));
        // And the next drain ends as any other.
        world.events.clear();
        world.give(Input::Stop);
        assert!(world.events.contains(&Event::Drained));
    }
}

#[test]
fn every_leg_gets_its_sound_again() {
    let mut world = World::new(1);
    let (mut talking, mut waiting) = (Caller::new("a", TRUNK), Caller::new("b", TRUNK));
    talking.call(&mut world);
    Ringing::of(&mut world, 0).answer(&mut world);
    waiting.call(&mut world);
    restart(&mut world, 1, false);
    let sets = world.media.iter().filter(|command| matches!(command, Command::Set(_))).count();
    assert!(sets >= 3, "both callers and the agent: {:#?}", world.media);
    let bridges = world.media.iter().filter(|command| matches!(command, Command::Bridge { .. })).count();
    assert_eq!(bridges, 1, "{:#?}", world.media);
    let played: Vec<_> = world
        .media
        .iter()
        .filter_map(|command| match command {
            Command::Play { clips, looped, .. } => Some((clips.len(), *looped)),
            _ => None,
        })
        .collect();
    assert_eq!(played, [(1, true)], "music without the greeting");
    assert!(world.events.contains(&Event::Resumed { calls: 2 }));
    let first_bridge = world.media.iter().position(|command| matches!(command, Command::Bridge { .. }));
    let last_set = world.media.iter().rposition(|command| matches!(command, Command::Play { .. }));
    assert!(first_bridge < last_set, "callers in order of their numbers");
}

#[test]
fn what_was_given_out_and_forgotten_is_not_given_out_again() {
    let story = |seed| {
        let mut world = World::new(1);
        restart(&mut world, seed, true);
        let mut caller = Caller::new("a", TRUNK);
        let tag = header(&caller.call(&mut world), "To").to_owned();
        let call = world.events.iter().find_map(|event| match event {
            Event::Arrived { call, .. } => Some(*call),
            _ => None,
        });
        (tag, call.unwrap())
    };
    let (first, second) = (story(1), story(2));
    assert_ne!(first.0, second.0);
    assert!(first.1.0 > 1_000_000, "{}", first.1);
}

/// What goes to a TCP connection.
fn to(world: &mut World, flow: Flow) -> Vec<String> {
    let outputs = std::mem::take(&mut world.outputs);
    let text = |output| match output {
        Output::Send { flow: to, bytes } if to == flow => Some(String::from_utf8_lossy(&bytes).into_owned()),
        _ => None,
    };
    outputs.into_iter().filter_map(text).collect()
}

#[test]
fn a_call_whose_connection_is_gone_is_hung_up_at_the_address_that_its_peer_gave() {
    let mut world = World::new(1);
    let mut caller = Caller::new("a", TRUNK);
    let by = |port: u16| Flow {
        transport: Transport::Tcp,
        ..flow(&format!("{}:{port}", TRUNK.split(':').next().unwrap()))
    };
    let chunk = |world: &mut World, flow, text: String| {
        world.give(Input::Chunk { flow, bytes: Bytes::from(text) });
    };
    let contact = |text: String| text.replace(&format!("a@{TRUNK}>"), &format!("a@{TRUNK};transport=tcp>"));
    chunk(&mut world, by(40_001), contact(caller.invite()));
    let ok = to(&mut world, by(40_001)).into_iter().find(|text| text.starts_with("SIP/2.0 200")).unwrap();
    caller.to = header(&ok, "To").to_owned();
    let ack = caller.request("ACK", 1, "a", "");
    chunk(&mut world, by(40_001), ack);
    restart(&mut world, 1, false);
    // It speaks by a new connection first, and by another after that has gone.
    let reinvite = contact(caller.request("INVITE", 2, "r", &sdp("192.0.2.50", 41_000, "sendonly")));
    chunk(&mut world, by(40_002), reinvite);
    chunk(&mut world, by(40_002), caller.request("ACK", 2, "ra", ""));
    world.give(Input::Closed { flow: by(40_002) });
    to(&mut world, by(5_060));
    world.give(Input::Stop);
    let hung_up = to(&mut world, by(5_060));
    assert!(hung_up.iter().any(|text| text.starts_with("BYE")), "{hung_up:#?}");
}

#[test]
fn a_farewell_that_waited_for_its_time_does_not_go_to_a_connection_that_is_gone() {
    for restarted in [true, false] {
        let mut world = World::new(1);
        let caller = Caller::new("a", TRUNK);
        let by = |port: u16| Flow {
            transport: Transport::Tcp,
            ..flow(&format!("{}:{port}", TRUNK.split(':').next().unwrap()))
        };
        let invite = caller.invite().replace(&format!("a@{TRUNK}>"), &format!("a@{TRUNK};transport=tcp>"));
        world.give(Input::Chunk { flow: by(40_001), bytes: Bytes::from(invite) });
        // Its 200 has no ACK, so the BYE has to wait.
        world.give(Input::Stop);
        match restarted {
            true => restart(&mut world, 1, true),
            false => world.give(Input::Closed { flow: by(40_001) }),
        }
        to(&mut world, by(40_001));
        world.pass(Duration::from_secs(60));
        let begins = |texts: Vec<String>| texts.iter().filter(|text| text.starts_with("BYE")).count();
        let sent = std::mem::take(&mut world.outputs);
        world.outputs.clone_from(&sent);
        let old = begins(to(&mut world, by(40_001)));
        world.outputs = sent;
        assert_eq!(old, 0, "restarted: {restarted}");
        assert!(begins(to(&mut world, by(5_060))) > 0, "restarted: {restarted}");
    }
}

#[test]
fn what_an_older_version_counted_wrongly_is_counted_anew() {
    let mut world = World::new(1);
    let mut caller = Caller::new("a", TRUNK);
    caller.call(&mut world);
    // As one left it that took a ranked caller who was handed on for an emergency.
    world.switch.routine_calls = 0;
    restart(&mut world, 1, false);
    assert_eq!(world.switch.routine_calls, 1);
    caller.send(&mut world, "BYE", "");
    Caller::new("b", TRUNK).call(&mut world);
    assert_eq!(world.switch.calls(), 1, "the switch is not full");
}
