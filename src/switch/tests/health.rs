//! Phones and trunks that are asked whether they are there.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, TRUNK_999, World, flow, header, phone, plan};
use crate::acd::Availability;
use crate::switch::plan::{Probe, Probes};
use crate::switch::{Event, Input};

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
    world.give(Input::Stop);
    world.pass(200 * SECOND);
    assert!(world.switch.is_empty());
}

/// Both trunks are asked; the emergency one must be up.
fn probed() -> World {
    let mut plan = plan(1);
    let probe = |at: &str, must_be_up| Some(Probe { uri: format!("sip:{at}"), flow: flow(at), must_be_up });
    plan.probes = Probes { every: 30 * SECOND, by_trunk: vec![probe(TRUNK, false), probe(TRUNK_999, true)] };
    let mut world = World::on(plan);
    world.pass(Duration::ZERO);
    world
}

/// Answers the OPTIONS that a trunk was sent, if it was.
fn trunk_answers(world: &mut World, at: &str, status: &str) -> bool {
    let asked = world.take_to(at).into_iter().find(|text| text.starts_with("OPTIONS"));
    let Some(options) = asked else { return false };
    let trunk = Ringing { at: at.to_owned(), invite: options.clone() };
    let response = trunk.response(&options, status, "");
    world.from(at, &response);
    true
}

fn healths(world: &World) -> Vec<&'static str> {
    world.switch.board(world.now).trunks.iter().map(|trunk| trunk.health).collect()
}

fn missed(world: &World) -> Vec<String> {
    world.switch.trunks_missed().collect()
}

#[test]
fn a_trunk_is_unknown_until_asked_then_up_then_down_when_silent_and_up_again_when_it_answers() {
    let mut world = probed();
    assert_eq!(healths(&world), ["unknown", "unknown"]);
    assert!(trunk_answers(&mut world, TRUNK, "404 Not Found"), "any answer is a sign of life");
    assert_eq!(healths(&world), ["up", "unknown"], "the others are asked in their turn");
    world.pass(15 * SECOND);
    assert!(trunk_answers(&mut world, TRUNK_999, "200 OK"));
    assert_eq!((healths(&world), missed(&world)), (vec!["up", "up"], vec![]));
    world.pass(30 * SECOND);
    world.take_to(TRUNK_999);
    let down = world.now.wall.0 + 4_000;
    world.pass(4 * SECOND);
    assert!(healths(&world)[1] == "down" && missed(&world) == ["as-999"]);
    let board = world.switch.board(world.now);
    assert_eq!(board.trunks[1].since.map(|since| since.0), Some(down));
    world.pass(5 * SECOND);
    assert!(trunk_answers(&mut world, TRUNK_999, "200 OK"), "asked more often while it is down");
    assert!(healths(&world)[1] == "up" && missed(&world).is_empty());
    let of = |event: &Event| match event {
        Event::Trunk { trunk, up } if trunk == "as-999" => Some(*up),
        _ => None,
    };
    let told: Vec<bool> = world.events.iter().filter_map(of).collect();
    assert_eq!(told, [true, false, true]);
}

#[test]
fn a_trunk_that_is_not_needed_is_not_missed_and_one_that_says_503_is_down() {
    let mut world = probed();
    assert!(trunk_answers(&mut world, TRUNK, "503 Service Unavailable"));
    assert_eq!((healths(&world)[0], missed(&world)), ("down", vec![]));
}

#[test]
fn a_call_from_a_trunk_that_is_down_is_taken_and_says_that_it_is_up() {
    let mut world = probed();
    world.pass(20 * SECOND);
    assert_eq!(healths(&world), ["down", "down"]);
    let mut caller = Caller::new("c1", TRUNK_999);
    caller.call(&mut world);
    assert_eq!(healths(&world), ["down", "up"]);
    Ringing::of(&mut world, 0).answer(&mut world);
    // It was asked before it called, and is asked again after an interval.
    world.pass(29 * SECOND);
    assert_eq!(healths(&world)[1], "up");
    world.pass(6 * SECOND);
    assert_eq!(healths(&world)[1], "down", "it calls, but does not answer");
}

#[test]
fn what_is_known_of_a_trunk_outlives_a_reload_unless_it_is_asked_elsewhere() {
    let mut world = probed();
    assert!(trunk_answers(&mut world, TRUNK, "200 OK"));
    let mut next = world.switch.plan().clone();
    next.sip.max_calls = 7;
    world.give(Input::Reload(Box::new(next.clone())));
    assert_eq!(healths(&world), ["up", "unknown"]);
    world.pass(Duration::ZERO);
    assert!(trunk_answers(&mut world, TRUNK, "200 OK"), "whoever was asked is asked again");
    next.probes.by_trunk[0] = None;
    world.give(Input::Reload(Box::new(next)));
    assert_eq!(healths(&world), ["unknown", "unknown"]);
    world.take_to(TRUNK);
    world.pass(120 * SECOND);
    assert!(world.take_to(TRUNK).is_empty(), "it is not asked any more");
}

#[test]
fn an_answer_is_not_taken_back_by_an_older_question_that_had_none() {
    let mut world = probed();
    world.pass(15 * SECOND);
    // The first is lost, however often it is sent; those after it are answered.
    let lost = header(&world.take_to(TRUNK_999)[0], "Via").to_owned();
    for _ in 0..40 {
        world.pass(SECOND);
        for text in world.take_to(TRUNK_999).into_iter().filter(|text| header(text, "Via") != lost) {
            let trunk = Ringing { at: TRUNK_999.to_owned(), invite: text.clone() };
            world.from(TRUNK_999, &trunk.response(&text, "200 OK", ""));
        }
    }
    let of = |event: &Event| match event {
        Event::Trunk { trunk, up } if trunk == "as-999" => Some(*up),
        _ => None,
    };
    let told: Vec<bool> = world.events.iter().filter_map(of).collect();
    assert_eq!(told, [false, true], "its transaction has ended meanwhile");
}

#[test]
fn a_switch_that_was_stopped_asks_no_trunk_even_one_that_calls() {
    let mut world = probed();
    world.give(Input::Stop);
    world.from(TRUNK_999, &Caller::new("e1", TRUNK_999).invite());
    world.pass(200 * SECOND);
    assert!(world.switch.is_empty(), "{:?}", world.switch.leftovers());
}

#[test]
fn an_answer_that_comes_after_the_end_has_nobody_asked_again() {
    let mut world = probed();
    world.give(Input::Stop);
    assert!(trunk_answers(&mut world, TRUNK, "503 Service Unavailable"));
    world.pass(200 * SECOND);
    assert!(world.switch.is_empty(), "{:?}", world.switch.leftovers());
    assert!(!world.events.iter().any(|event| matches!(event, Event::Trunk { .. })));
}

#[test]
fn a_trunk_that_was_just_asked_for_the_first_time_has_time_to_answer_a_new_process() {
    let mut world = probed();
    world.pass(3 * SECOND);
    world.give(Input::Restart { seed: [1; 32], incomplete: false });
    world.pass(2 * SECOND);
    assert_eq!(healths(&world)[0], "unknown");
    assert!(trunk_answers(&mut world, TRUNK, "200 OK"));
    assert_eq!(healths(&world)[0], "up");
}
