//! A switch that goes on in a new process.

use bytes::Bytes;

use super::world::{Caller, Ringing, TRUNK, World, flow, header, sdp};
use crate::call::media::Command;
use crate::sip::{Flow, Transport};
use crate::switch::{Event, Input, Output};

fn restart(world: &mut World, seed: u8, incomplete: bool) {
    world.media.clear();
    world.give(Input::Restart { seed: [seed; 32], incomplete });
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
