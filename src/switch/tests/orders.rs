//! What supervisors and agents order from elsewhere than the phone, and what they are told when it does not fit.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, TRUNK_999, World, plan};
use crate::acd::{Availability, Band};
use crate::call::record::{EndedBy, Outcome, Presentation, Stage};
use crate::id::{AgentId, CallId};
use crate::switch::{AgentOrder, CallerOrder, Event, Input, Order, Refused, ToAgent};

impl World {
    /// Gives an order; why it was not obeyed.
    pub(super) fn order(&mut self, order: CallerOrder) -> Result<(), Refused> {
        let input = Input::Caller(order);
        let said = self.switch.clone().obey(input.clone(), self.now);
        self.give(input);
        said
    }

    fn order_agent(&mut self, order: AgentOrder) -> Result<(), Refused> {
        let input = Input::Agent(order);
        let said = self.switch.clone().obey(input.clone(), self.now);
        self.give(input);
        said
    }

    fn bands(&self) -> Vec<(u64, u8, &'static str)> {
        let callers = self.switch.callers(self.now);
        callers.iter().map(|call| (call.id.0, call.band.0, call.state)).collect()
    }
}

fn not_now(result: Result<(), Refused>) -> String {
    match result {
        Err(Refused::NotNow(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// One agent who talks, and callers `b`, `c` and so on who wait.
fn one_talks(waiting: usize) -> (World, Ringing, Vec<Caller>) {
    let mut world = World::new(1);
    let mut callers: Vec<Caller> =
        ["a", "b", "c", "d"].iter().take(waiting + 1).map(|name| Caller::new(name, TRUNK)).collect();
    callers[0].call(&mut world);
    let phone = Ringing::of(&mut world, 0);
    phone.answer(&mut world);
    for caller in &mut callers[1..] {
        world.pass(Duration::from_secs(1));
        caller.call(&mut world);
    }
    (world, phone, callers)
}

#[test]
fn a_flagged_caller_goes_before_all_that_wait_and_is_exempt_from_the_limits() {
    let (mut world, phone, _callers) = one_talks(3);
    assert_eq!(world.order(CallerOrder::Flag(CallId(4))), Ok(()));
    assert!(world.events.contains(&Event::Flagged { call: CallId(4), line: "elm-tree".into() }));
    assert_eq!(not_now(world.order(CallerOrder::Flag(CallId(4)))), "this is an emergency already");
    let positions: Vec<_> = world.switch.callers(world.now).iter().map(|call| call.position).collect();
    assert_eq!(positions, [None, Some(2), Some(3), Some(1)]);
    let board = world.switch.board(world.now);
    assert_eq!((board.emergencies.waiting, board.lines[0].emergency), (1, false), "it waits where it did");
    phone.send(&mut world, "BYE", 1, "");
    world.pass(Duration::from_millis(10_100));
    let rings =
        world.switch.callers(world.now).iter().find(|call| call.state == "ringing").map(|call| call.id);
    assert_eq!(rings, Some(CallId(4)));
}

#[test]
fn a_flagged_caller_waits_where_emergencies_do_once_the_plan_says_so() {
    let mut plan = plan(2);
    plan.acd.lines[1].teams = vec![crate::id::TeamId(1)];
    plan.acd.teams.push(crate::acd::Team {
        name: "clinicians".into(),
        agents: vec![AgentId(1)],
        ..crate::acd::Team::default()
    });
    plan.acd.teams[0].agents = vec![AgentId(0)];
    plan.red_flag_line = Some(crate::id::LineId(1));
    let mut world = World::on(plan);
    let (mut first, mut second) = (Caller::new("a", TRUNK), Caller::new("b", TRUNK));
    first.call(&mut world);
    Ringing::of(&mut world, 0).answer(&mut world);
    second.call(&mut world);
    assert_eq!(world.order(CallerOrder::Flag(CallId(2))), Ok(()));
    let call = CallId(2);
    let flagged = Event::Flagged { call, line: "emergency".into() };
    let moved = Event::Moved { call, from: "elm-tree".into(), to: "emergency".into() };
    assert!(world.events.contains(&flagged) && world.events.contains(&moved), "{:?}", world.events);
    Ringing::of(&mut world, 1).answer(&mut world);
    assert_eq!(world.bands(), [(1, 1, "talking"), (2, 0, "talking")]);
    // Who talks stays with whom it talks.
    assert_eq!(world.order(CallerOrder::Flag(CallId(1))), Ok(()));
    assert_eq!(world.switch.callers(world.now)[0].line, "elm-tree");
}

#[test]
fn a_caller_whose_phone_rings_already_is_not_taken_back_for_another_emergency_once_flagged() {
    let mut world = World::new(1);
    Caller::new("a", TRUNK).call(&mut world);
    assert_eq!(world.order(CallerOrder::Flag(CallId(1))), Ok(()));
    Caller::new("e", TRUNK_999).call(&mut world);
    assert_eq!(world.bands(), [(1, 0, "ringing"), (2, 0, "waiting")]);
}

#[test]
fn a_flagged_caller_takes_the_phone_that_rings_for_one_who_is_none() {
    let (mut world, phone, _callers) = one_talks(2);
    phone.send(&mut world, "BYE", 1, "");
    world.pass(Duration::from_millis(10_100));
    assert_eq!(world.bands(), [(2, 1, "ringing"), (3, 1, "waiting")]);
    assert_eq!(world.order(CallerOrder::Flag(CallId(3))), Ok(()));
    assert_eq!(world.bands(), [(2, 1, "waiting"), (3, 0, "ringing")]);
}

#[test]
fn one_who_is_flagged_while_talking_waits_as_an_emergency_should_the_agent_be_lost() {
    let (mut world, _phone, _callers) = one_talks(1);
    assert_eq!(world.order(CallerOrder::Flag(CallId(1))), Ok(()));
    assert_eq!(world.bands(), [(1, 0, "talking"), (2, 1, "waiting")]);
    // No agent is at work any more, and the phone is gone.
    assert_eq!(world.order_agent(AgentOrder::LogOut(AgentId(0))), Ok(()));
    world.pass(Duration::from_secs(60));
    assert_eq!(world.switch.callers(world.now)[0].band, Band::EMERGENCY);
}

#[test]
fn a_caller_gets_another_place_and_an_emergency_keeps_its_class() {
    let (mut world, _phone, _callers) = one_talks(3);
    let order = |world: &World| -> Vec<_> {
        let mut callers = world.switch.callers(world.now);
        callers.retain(|call| call.position.is_some());
        callers.sort_by_key(|call| call.position);
        callers.iter().map(|call| call.id.0).collect()
    };
    assert_eq!(order(&world), [2, 3, 4]);
    assert_eq!(world.order(CallerOrder::Credit(CallId(4), Duration::from_secs(60))), Ok(()));
    assert_eq!(order(&world), [4, 2, 3]);
    // Credits add up.
    assert_eq!(world.order(CallerOrder::Credit(CallId(3), Duration::from_secs(30))), Ok(()));
    assert_eq!(world.order(CallerOrder::Credit(CallId(3), Duration::from_secs(40))), Ok(()));
    assert_eq!(order(&world), [3, 4, 2]);
    assert_eq!(world.order(CallerOrder::Rank(CallId(3), Band(2))), Ok(()));
    assert_eq!(order(&world), [4, 2, 3]);
    assert_eq!(world.order(CallerOrder::Rank(CallId(3), Band(1))), Ok(()));
    assert_eq!(order(&world), [3, 4, 2]);
    assert_eq!(world.order(CallerOrder::Flag(CallId(2))), Ok(()));
    let why = "an emergency stays one, and is made by flagging it";
    assert_eq!(not_now(world.order(CallerOrder::Rank(CallId(2), Band(1)))), why);
    assert_eq!(not_now(world.order(CallerOrder::Rank(CallId(3), Band(0)))), why);
    assert_eq!(not_now(world.order(CallerOrder::Rank(CallId(1), Band(2)))), "the caller does not wait");
}

#[test]
fn a_caller_who_is_moved_keeps_the_place_and_hears_the_other_line() {
    let mut plan = plan(2);
    plan.acd.lines[1].teams = vec![crate::id::TeamId(1)];
    plan.acd.teams.push(crate::acd::Team {
        name: "others".into(),
        agents: vec![AgentId(1)],
        ..crate::acd::Team::default()
    });
    plan.acd.teams[0].agents = vec![AgentId(0)];
    plan.ingress.trunks[1].emergency = false;
    let mut world = World::on(plan);
    Caller::new("a", TRUNK).call(&mut world);
    let phone = Ringing::of(&mut world, 0);
    phone.reply(&mut world, "180 Ringing");
    assert_eq!(world.order(CallerOrder::Move(CallId(1), "emergency".into())), Ok(()));
    let moved = Event::Moved { call: CallId(1), from: "elm-tree".into(), to: "emergency".into() };
    assert!(world.events.contains(&moved));
    // The old phone is silent, the other rings.
    world.expect(&phone.at, "CANCEL");
    let other = Ringing::of(&mut world, 1);
    assert_eq!(world.switch.callers(world.now)[0].line, "emergency");
    assert_eq!(
        not_now(world.order(CallerOrder::Move(CallId(1), "emergency".into()))),
        "the caller waits there already"
    );
    let unknown = world.order(CallerOrder::Move(CallId(1), "nowhere".into()));
    assert_eq!(unknown, Err(Refused::Unknown("there is no line `nowhere`".into())));
    phone.reply(&mut world, "487 Request Terminated");
    other.answer(&mut world);
    assert_eq!(
        not_now(world.order(CallerOrder::Move(CallId(1), "elm-tree".into()))),
        "the caller does not wait"
    );
    assert_eq!(world.order(CallerOrder::HangUp(CallId(1))), Ok(()));
    let record = world.records.remove(0);
    assert_eq!(record.line, "elm-tree", "that which it joined");
    let result = |stage: &Stage| match stage {
        Stage::Presented { result, .. } => Some(*result),
        _ => None,
    };
    let results: Vec<_> = record.segments.iter().filter_map(|part| result(&part.stage)).collect();
    assert_eq!(results, [Presentation::Withdrawn, Presentation::Answered]);
}

#[test]
fn one_who_is_moved_to_an_emergency_line_is_an_emergency() {
    let (mut world, _phone, _callers) = one_talks(1);
    assert_eq!(world.order(CallerOrder::Move(CallId(2), "emergency".into())), Ok(()));
    assert_eq!(world.bands(), [(1, 1, "talking"), (2, 0, "waiting")]);
}

#[test]
fn a_call_that_a_supervisor_ends_says_so_in_its_record() {
    let (mut world, _phone, _callers) = one_talks(1);
    for call in [2, 1] {
        assert_eq!(world.order(CallerOrder::HangUp(CallId(call))), Ok(()));
    }
    let outcomes: Vec<_> = world.records.iter().map(|record| record.outcome.clone()).collect();
    let by_supervisor = EndedBy::Supervisor;
    assert_eq!(
        outcomes,
        [
            Outcome::Lost { ended_by: by_supervisor },
            Outcome::Answered { agent: "agent-0".into(), ended_by: by_supervisor }
        ]
    );
    let gone = Err(Refused::Unknown("the call is over, or never was".into()));
    for order in [
        CallerOrder::Flag(CallId(1)),
        CallerOrder::Rank(CallId(1), Band(2)),
        CallerOrder::Credit(CallId(1), Duration::ZERO),
        CallerOrder::Move(CallId(1), "emergency".into()),
        CallerOrder::HangUp(CallId(9)),
    ] {
        assert_eq!(world.order(order), gone);
    }
}

#[test]
fn an_agents_order_that_does_not_fit_is_refused_with_the_state() {
    let (mut world, phone, _callers) = one_talks(0);
    let agent = AgentId(0);
    assert_eq!(not_now(world.order_agent(AgentOrder::LogIn(agent))), "the agent is talking");
    assert_eq!(not_now(world.order_agent(AgentOrder::EndWrapUp(agent))), "the agent is talking");
    let nobody = world.order_agent(AgentOrder::Transfer(agent, "nobody".into()));
    assert_eq!(nobody, Err(Refused::Unknown("nobody of that name is in the plan".into())));
    let unknown = world.order_agent(AgentOrder::Dispose(agent, "21".into()));
    assert_eq!(unknown, Err(Refused::Unknown("there is no disposition `21`".into())));
    phone.send(&mut world, "BYE", 1, "");
    assert_eq!(world.order_agent(AgentOrder::EndWrapUp(agent)), Ok(()));
    let free = world.switch.agents().next();
    assert_eq!(free, Some(("agent-0".into(), Availability::Free)));
    assert_eq!(
        not_now(world.order_agent(AgentOrder::Transfer(agent, "agent-0".into()))),
        "the agent talks with nobody"
    );
    assert_eq!(not_now(world.order_agent(AgentOrder::Resume(agent))), "the agent is free");
}

#[test]
fn names_are_looked_up_and_those_that_mean_nothing_are_refused() {
    let (world, _phone, _callers) = one_talks(0);
    let meant = |order| world.switch.meant(order);
    let to = |name: &str, what| Order::Agent(name.into(), what);
    assert_eq!(meant(to("agent-0", ToAgent::LogOut)), Ok(Input::Agent(AgentOrder::LogOut(AgentId(0)))));
    let unknown = Err(Refused::Unknown("there is no agent `x`".into()));
    assert_eq!(meant(to("x", ToAgent::LogOut)), unknown);
    assert_eq!(meant(Order::FlagOf("agent-0".into())), Ok(Input::Caller(CallerOrder::Flag(CallId(1)))));
    assert!(matches!(meant(Order::Report("x".into(), 1)), Err(Refused::Unknown(_))));
}

#[test]
fn the_board_shows_who_waits_who_talks_and_what_ends_when() {
    let (mut world, phone, _callers) = one_talks(2);
    world.pass(Duration::from_secs(5));
    let board = world.switch.board(world.now);
    let line = &board.lines[0];
    assert_eq!((line.waiting, line.longest_wait, line.emergency), (2, Some(Duration::from_secs(6)), false));
    assert!(board.lines[1].emergency && line.open);
    let agent = &board.agents[0];
    assert_eq!(
        (agent.state, agent.call, agent.teams.as_slice()),
        ("talking", Some(CallId(1)), &["hub".into()][..])
    );
    assert_eq!((board.trunks[0].calls, board.trunks[1].calls), (3, 0));
    phone.send(&mut world, "BYE", 1, "");
    let board = world.switch.board(world.now);
    let ends = board.agents[0].wrap_up_ends.map(|ends| ends.0 - world.now.wall.0);
    assert_eq!((board.agents[0].state, ends), ("wrap-up", Some(10_000)));
    let json = serde_json::to_value(&board).unwrap();
    assert_eq!(json["lines"][0]["longest_wait_s"], 6.0);
    assert_eq!(json["at"], "2026-11-16T08:00:07.000Z");
    assert_eq!(world.switch.caller(CallId(2), world.now).map(|call| call.position), Some(Some(1)));
}
