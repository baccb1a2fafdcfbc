//! Another plan under a switch at work: nobody is dropped, and what rang rings on.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, World, flow, phone, plan};
use crate::acd;
use crate::call::record::{Outcome, Stage};
use crate::id::{AgentId, CallId, DestinationId};
use crate::switch::plan::{Phone, Plan};
use crate::switch::{AgentOrder, Event, Input};

const SECOND: Duration = Duration::from_secs(1);
const BUDDY: &str = "192.0.2.200:5060";

fn reload(world: &mut World, next: Plan) {
    let next = next.following(world.switch.plan(), &Default::default());
    world.give(Input::Reload(Box::new(next)));
}

/// Calls of the first line are offered to a practice next door first.
fn with_buddy(agents: u32) -> Plan {
    let mut plan = plan(agents);
    plan.acd.destinations.push(acd::Destination { name: "buddy".into(), capacity: 2, ring_for: 30 * SECOND });
    plan.acd.lines[0].first = Some(DestinationId(0));
    let phone = Phone { uri: format!("sip:desk@{BUDDY}"), flow: flow(BUDDY), nat: false };
    plan.phones.extend([phone.clone(), phone]);
    plan
}

#[test]
fn a_caller_who_waits_over_a_reload_is_answered_by_an_agent_whom_it_added() {
    let mut world = World::new(0);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    reload(&mut world, plan(1));
    Ringing::of(&mut world, 0).answer(&mut world);
    world.pass(5 * SECOND);
    caller.send(&mut world, "BYE", "");
    assert!(matches!(&world.records[0].outcome, Outcome::Answered { agent, .. } if agent == "agent-0"));
}

#[test]
fn a_talk_goes_on_over_a_reload_that_takes_its_agent_away_who_is_then_logged_out() {
    let mut world = World::new(1);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    world.sent.clear();
    reload(&mut world, plan(0));
    assert!(world.sent.is_empty(), "{:?}", world.sent);
    agent.send(&mut world, "BYE", 7, "");
    assert_eq!(world.records.len(), 1);
    let availability = world.switch.exchange.distributor().availability(AgentId(0));
    assert_eq!(availability, Some(acd::Availability::LoggedOut));
}

#[test]
fn a_reload_that_would_strand_a_caller_is_refused_with_the_line_and_how_many_wait() {
    let mut world = World::new(0);
    Caller::new("c1", TRUNK).call(&mut world);
    let mut next = plan(1);
    next.acd.lines[0].name = "oak-road".into();
    next.ingress.trunks[0].name = "oak-road".into();
    reload(&mut world, next);
    let refused = Event::ReloadRefused { lines: vec![("elm-tree".to_owned(), 1)] };
    assert!(world.events.contains(&refused), "{:?}", world.events);
    assert!(world.switch.plan().acd.agents.is_empty());
}

#[test]
fn a_destination_whose_seats_move_rings_on_and_talks_on() {
    let mut world = World::on(with_buddy(1));
    let mut talks = Caller::new("c1", TRUNK);
    talks.call(&mut world);
    let at = BUDDY.to_owned();
    let first = Ringing { invite: world.expect(BUDDY, "INVITE"), at: at.clone() };
    first.answer(&mut world);
    world.take_to(BUDDY);
    Caller::new("c2", TRUNK).call(&mut world);
    let second = Ringing { invite: world.expect(BUDDY, "INVITE"), at };
    world.sent.clear();
    reload(&mut world, with_buddy(3));
    assert!(world.sent.is_empty(), "{:?}", world.sent);
    let distributor = world.switch.exchange.distributor();
    assert_eq!(distributor.stage(CallId(1)), Some(acd::Stage::Talking(AgentId(3))));
    assert_eq!(distributor.rung(CallId(2)), [AgentId(4)]);
    second.answer(&mut world);
    assert_eq!(world.switch.exchange.distributor().stage(CallId(2)), Some(acd::Stage::Talking(AgentId(4))));
    first.send(&mut world, "BYE", 7, "");
    let talk = Stage::Talk { agent: "buddy".into() };
    assert!(world.records[0].segments.iter().any(|segment| segment.stage == talk), "{:?}", world.records[0]);
}

#[test]
fn an_agent_whose_sharer_of_a_silent_phone_moves_away_is_freed_when_it_is_back() {
    let mut shared = plan(2);
    shared.phones[1] = shared.phones[0].clone();
    shared.sip.probe_every = 30 * SECOND;
    let mut world = World::on(shared);
    world.pass(Duration::ZERO);
    let answer = |world: &mut World| {
        let options = world.take_to("192.0.2.20:5060").into_iter().rfind(|text| text.starts_with("OPTIONS"));
        let ringing = Ringing { at: "192.0.2.20:5060".into(), invite: options.unwrap() };
        ringing.reply(world, "200 OK");
    };
    answer(&mut world);
    world.pass(40 * SECOND);
    let state = |world: &World, agent| world.switch.exchange.distributor().availability(AgentId(agent));
    assert_eq!(state(&world, 1), Some(acd::Availability::Unreachable));
    let mut next = plan(2);
    next.phones.swap(0, 1);
    next.sip.probe_every = 30 * SECOND;
    reload(&mut world, next);
    assert_eq!(state(&world, 0), Some(acd::Availability::Free));
    assert_eq!(state(&world, 1), Some(acd::Availability::Unreachable));
    world.take_to("192.0.2.20:5060");
    world.pass(31 * SECOND);
    answer(&mut world);
    assert_eq!(state(&world, 1), Some(acd::Availability::Free));
}

#[test]
fn counters_and_agents_states_go_on_over_a_reload() {
    let mut world = World::new(4);
    world.from("203.0.113.66:5060", &Caller::new("s1", "203.0.113.66:5060").invite());
    let mut over = Caller::new("c1", TRUNK);
    over.call(&mut world);
    Ringing::of(&mut world, 0).answer(&mut world);
    over.send(&mut world, "BYE", "");
    world.give(Input::Agent(AgentOrder::Pause(AgentId(1), "lunch".into())));
    Caller::new("c2", TRUNK).call(&mut world);
    Ringing::of(&mut world, 2).answer(&mut world);
    world.give(Input::Agent(AgentOrder::LogOut(AgentId(3))));
    let agents = |world: &World| -> Vec<_> { world.switch.exchange.distributor().agents().collect() };
    let (counters, states) = (world.switch.counters().clone(), agents(&world));
    assert_eq!(counters.calls, 2);
    let kinds: Vec<_> = states.iter().map(|(_, state, _)| state.clone()).collect();
    let paused = acd::Availability::Paused(acd::PauseReason::Chosen("lunch".into()));
    let talking = acd::Availability::Talking(CallId(2));
    assert_eq!(kinds, [acd::Availability::WrapUp, paused, talking, acd::Availability::LoggedOut]);
    world.pass(SECOND);
    let mut next = plan(5);
    next.acd.agents.reverse();
    next.phones.reverse();
    next.acd.teams[0].agents.reverse();
    reload(&mut world, next);
    assert_eq!(world.switch.counters(), &counters);
    assert_eq!(agents(&world)[..4], states, "the same since the same instants");
    world.pass(9 * SECOND);
    let state = world.switch.exchange.distributor().availability(AgentId(0));
    assert_eq!(state, Some(acd::Availability::Free), "the wrap-up ends when it would have");
}

#[test]
fn the_phone_of_an_agent_who_is_gone_is_not_asked_any_more_unless_another_has_it() {
    let asked = |world: &mut World, agent: u32| {
        let texts = world.take_to(&phone(agent));
        texts.into_iter().filter(|text| text.starts_with("OPTIONS")).count()
    };
    let watched = |agents: u32| {
        let mut plan = plan(agents);
        plan.sip.probe_every = 30 * SECOND;
        plan
    };
    let mut world = World::on(watched(3));
    Caller::new("c1", TRUNK).call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    world.pass(31 * SECOND);
    assert!((0..3).all(|agent| asked(&mut world, agent) > 0));
    let mut next = watched(3);
    next.acd.agents = vec![acd::Agent { name: "heir".into(), ..next.acd.agents[1].clone() }];
    next.phones = vec![next.phones[1].clone()];
    next.acd.teams[0].agents.truncate(1);
    reload(&mut world, next);
    agent.send(&mut world, "BYE", 7, "");
    assert_eq!(world.records.len(), 1);
    // What was asked before the reload is repeated for 64 x T1.
    world.pass(33 * SECOND);
    (0..3).for_each(|agent| drop(world.take_to(&phone(agent))));
    world.pass(200 * SECOND);
    assert_eq!((asked(&mut world, 0), asked(&mut world, 2)), (0, 0));
    assert!(asked(&mut world, 1) > 0, "it is the heir's");
}
