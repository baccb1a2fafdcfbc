//! Phones that are asked whether they are there.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, World, header, phone, plan};
use crate::acd::Availability;
use crate::switch::Event;

const SECOND: Duration = Duration::from_secs(1);

fn watched(agents: u32) -> World {
    let mut plan = plan(agents);
    plan.sip.probe_every = 30 * SECOND;
    let mut world = World::on(plan);
    world.pass(Duration::ZERO);
    world
}

/// Answers the OPTIONS that an agent's phone was sent, if it was.
fn answer(world: &mut World, agent: u32, status: &str) -> bool {
    let asked = world.take_to(&phone(agent)).into_iter().find(|text| text.starts_with("OPTIONS"));
    let Some(options) = asked else { return false };
    let ringing = Ringing { at: phone(agent), invite: options.clone() };
    let response = ringing.response(&options, status, "");
    world.from(&phone(agent), &response);
    true
}

fn states(world: &mut World) -> Vec<Availability> {
    let states = std::mem::take(&mut world.events).into_iter().filter_map(|event| match event {
        Event::Availability { state, .. } => Some(state),
        _ => None,
    });
    states.collect()
}

#[test]
fn every_phone_is_asked_once_an_interval() {
    let mut world = watched(3);
    let mut asked = [0; 3];
    for _ in 0..60 {
        for agent in 0..3 {
            asked[agent as usize] += u32::from(answer(&mut world, agent, "200 OK"));
        }
        world.pass(SECOND);
    }
    assert_eq!(asked, [2, 2, 2]);
}

#[test]
fn a_phone_that_falls_silent_gets_no_calls_until_it_is_back() {
    let mut world = watched(1);
    assert!(answer(&mut world, 0, "200 OK"));
    world.pass(35 * SECOND);
    assert_eq!(states(&mut world), [Availability::Unreachable]);
    Caller::new("c1", TRUNK).call(&mut world);
    assert!(!world.take_to(&phone(0)).iter().any(|text| text.starts_with("INVITE")));
    world.pass(6 * SECOND);
    assert!(answer(&mut world, 0, "405 Method Not Allowed"));
    assert!(header(&Ringing::of(&mut world, 0).invite, "To").contains("agent-0"));
}

#[test]
fn a_pbx_that_says_nobody_is_there_is_believed() {
    let mut world = watched(1);
    answer(&mut world, 0, "200 OK");
    world.pass(30 * SECOND);
    assert!(answer(&mut world, 0, "480 Temporarily Unavailable"));
    assert_eq!(states(&mut world), [Availability::Unreachable]);
}

#[test]
fn a_phone_that_never_answered_an_options_is_rung_all_the_same() {
    let mut world = watched(1);
    world.pass(120 * SECOND);
    assert_eq!(states(&mut world), []);
    world.take_to(&phone(0));
    Caller::new("c1", TRUNK).call(&mut world);
    Ringing::of(&mut world, 0).answer(&mut world);
}

#[test]
fn a_switch_that_was_stopped_asks_nobody() {
    let mut world = watched(2);
    world.give(crate::switch::Input::Stop);
    world.pass(200 * SECOND);
    assert!(world.switch.is_empty());
}
