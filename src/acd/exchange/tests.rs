//! Redials, announcements and estimates in step with the distributor.
#![allow(clippy::unwrap_used)]

use super::super::{Agent, Leaving, Line, Team, WayOut};
use super::*;
use crate::acd::announce::What;
use crate::calendar::{Calendar, Nation, Spec, Window};
use crate::id::{AgentId, RuleId, TeamId, WindowId};
use crate::policy::rules::{Actions, Callers, Condition, LineOutline, Measure, Rule, Surroundings};
use crate::time::Wall;

const A: AgentId = AgentId(0);
const ELM: LineId = LineId(0);
const OAK: LineId = LineId(1);
const KEY: CallerKey = CallerKey([1; 16]);
const WINDOW: u64 = 600;

fn secs(secs: u64) -> Mono {
    Mono(secs * 1_000_000)
}

fn for_secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn clocks(at: u64) -> Now {
    Now { mono: secs(at), wall: Wall(i64::try_from(at * 1_000).unwrap()) }
}

fn exchange(rules: Vec<Rule>, windows: Vec<Window>) -> Exchange {
    let line = |name: &str, teams: Vec<TeamId>| Line {
        name: name.into(),
        teams,
        wrap_up: Duration::ZERO,
        ..Line::default()
    };
    let oak = Line { max_wait: Some(for_secs(300)), way_out: WayOut::Goodbye, ..line("oak", Vec::new()) };
    let plan = Plan {
        lines: vec![line("elm", vec![TeamId(0)]), oak],
        teams: vec![Team { name: "hub".into(), agents: vec![A], ..Team::default() }],
        agents: vec![Agent { name: "a".into(), ..Agent::default() }],
        ..Plan::default()
    };
    let spec = Spec { windows, ..Spec::empty("UTC", Nation::EnglandAndWales) };
    let surroundings = Surroundings { lines: vec![LineOutline::default(); 2], ..Surroundings::default() };
    let schedule =
        Schedule { first: for_secs(30), every: for_secs(60), position: true, estimate: true, offer_again: 0 };
    let guide = Guide {
        rules: RuleBook::new(rules, surroundings).into(),
        calendar: Calendar::new(spec).unwrap().into(),
        announcements: vec![Some(schedule), None],
        estimates: estimate::Settings {
            fewest_answers: 2,
            fewest_tried: 2,
            most_late: 100,
            most_early: 100,
            ..Default::default()
        },
        trial: None,
        redial_window: for_secs(WINDOW),
        callbacks: Callbacks::default(),
    };
    Exchange::new(plan, guide, clocks(0))
}

fn arrive(exchange: &mut Exchange, at: u64, call: u64, line: LineId, band: Band, key: Option<CallerKey>) {
    exchange.arrive(CallId(call), Newcomer::new(line, band), key, secs(at)).unwrap();
}

fn routine(exchange: &mut Exchange, at: u64, call: u64, key: Option<CallerKey>) {
    arrive(exchange, at, call, ELM, Band::ROUTINE, key);
}

fn abandon(exchange: &mut Exchange, at: u64, call: u64) {
    exchange.handle(Input::Abandon { call: CallId(call) }, secs(at)).unwrap();
}

fn waiting(exchange: &Exchange, line: LineId) -> Vec<u64> {
    exchange.distributor().waiting(line).map(|place| place.call.0).collect()
}

fn drain(exchange: &mut Exchange) -> Vec<Output> {
    std::iter::from_fn(|| exchange.poll_output()).collect()
}

fn told(exchange: &mut Exchange, call: u64) -> Vec<Vec<What>> {
    let told = drain(exchange).into_iter().filter_map(|output| match output {
        Output::Tell { call: of, what } if of == CallId(call) => Some(what),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_redial_within_the_window_gets_the_old_place_back_once() {
    let mut exchange = exchange(vec![], vec![]);
    routine(&mut exchange, 10, 1, Some(KEY));
    routine(&mut exchange, 20, 2, None);
    abandon(&mut exchange, 30, 1);
    routine(&mut exchange, 29 + WINDOW, 3, Some(KEY));
    routine(&mut exchange, 29 + WINDOW, 4, Some(KEY));
    assert_eq!(waiting(&exchange, ELM), [3, 2, 4]);
}

#[test]
fn a_redial_after_the_window_or_in_another_line_joins_at_the_end() {
    let mut exchange = exchange(vec![], vec![]);
    routine(&mut exchange, 10, 1, Some(KEY));
    routine(&mut exchange, 20, 2, None);
    arrive(&mut exchange, 20, 3, OAK, Band::ROUTINE, None);
    abandon(&mut exchange, 30, 1);
    arrive(&mut exchange, 31, 4, OAK, Band::ROUTINE, Some(KEY));
    assert_eq!(waiting(&exchange, OAK), [3, 4]);
    routine(&mut exchange, 30 + WINDOW, 5, Some(KEY));
    assert_eq!(waiting(&exchange, ELM), [2, 5]);
}

#[test]
fn an_emergency_leaves_no_place_behind_and_takes_none() {
    let mut exchange = exchange(vec![], vec![]);
    arrive(&mut exchange, 10, 1, ELM, Band::EMERGENCY, Some(KEY));
    routine(&mut exchange, 20, 2, None);
    abandon(&mut exchange, 30, 1);
    routine(&mut exchange, 31, 3, Some(KEY));
    assert_eq!(waiting(&exchange, ELM), [2, 3]);
    abandon(&mut exchange, 32, 3);
    arrive(&mut exchange, 33, 4, ELM, Band::EMERGENCY, None);
    arrive(&mut exchange, 60, 5, ELM, Band::EMERGENCY, Some(KEY));
    assert_eq!(waiting(&exchange, ELM), [4, 5, 2]);
}

#[test]
fn a_refused_arrival_takes_no_place() {
    let mut exchange = exchange(vec![], vec![]);
    routine(&mut exchange, 10, 1, Some(KEY));
    routine(&mut exchange, 20, 2, None);
    abandon(&mut exchange, 30, 1);
    let again = exchange.arrive(CallId(2), Newcomer::new(ELM, Band::ROUTINE), Some(KEY), secs(40));
    assert_eq!(again, Err(Refused::DuplicateCall(CallId(2))));
    routine(&mut exchange, 50, 3, Some(KEY));
    assert_eq!(waiting(&exchange, ELM), [3, 2]);
}

#[test]
fn a_caller_led_out_or_cut_off_from_an_agent_may_come_back_and_one_who_was_served_may_not() {
    let mut exchange = exchange(vec![], vec![]);
    arrive(&mut exchange, 10, 1, OAK, Band::ROUTINE, Some(KEY));
    exchange.handle_timeout(secs(310));
    let why = Leaving::WaitedTooLong;
    assert_eq!(drain(&mut exchange), [Output::Release { call: CallId(1), way: WayOut::Goodbye, why }]);
    arrive(&mut exchange, 311, 2, OAK, Band::ROUTINE, None);
    arrive(&mut exchange, 312, 3, OAK, Band::ROUTINE, Some(KEY));
    assert_eq!(waiting(&exchange, OAK), [3, 2]);
    exchange.handle(Input::LogIn { agent: A }, secs(320)).unwrap();
    routine(&mut exchange, 321, 4, Some(KEY));
    exchange.handle(Input::Answer { agent: A, call: CallId(4) }, secs(322)).unwrap();
    exchange.handle(Input::LogOut { agent: A }, secs(323)).unwrap();
    exchange.handle(Input::Lose { agent: A, call: CallId(4) }, secs(324)).unwrap();
    routine(&mut exchange, 325, 5, None);
    abandon(&mut exchange, 326, 4);
    routine(&mut exchange, 327, 6, Some(KEY));
    assert_eq!(waiting(&exchange, ELM), [6, 5]);
    exchange.handle(Input::LogIn { agent: A }, secs(328)).unwrap();
    exchange.handle(Input::Answer { agent: A, call: CallId(6) }, secs(329)).unwrap();
    exchange.handle(Input::LogOut { agent: A }, secs(330)).unwrap();
    exchange.handle(Input::Finish { agent: A, call: CallId(6) }, secs(331)).unwrap();
    routine(&mut exchange, 332, 7, Some(KEY));
    assert_eq!(waiting(&exchange, ELM), [5, 7]);
}

#[test]
fn a_position_is_told_in_time_and_never_rises_and_an_answer_ends_it() {
    let mut exchange = exchange(vec![], vec![]);
    routine(&mut exchange, 10, 1, None);
    routine(&mut exchange, 11, 2, None);
    exchange.handle_timeout(secs(41));
    assert_eq!(told(&mut exchange, 2), [[What::Position(2)]]);
    arrive(&mut exchange, 50, 3, ELM, Band::EMERGENCY, None);
    exchange.handle_timeout(secs(101));
    assert_eq!(told(&mut exchange, 2), [] as [Vec<What>; 0], "it is third now");
    abandon(&mut exchange, 110, 3);
    abandon(&mut exchange, 111, 1);
    exchange.handle_timeout(secs(161));
    assert_eq!(told(&mut exchange, 2), [[What::Position(1)]]);
    exchange.handle(Input::LogIn { agent: A }, secs(170)).unwrap();
    exchange.handle(Input::Answer { agent: A, call: CallId(2) }, secs(171)).unwrap();
    exchange.handle_timeout(secs(1_000));
    assert_eq!(told(&mut exchange, 2), [] as [Vec<What>; 0]);
}

/// Six callers at once and one agent, who takes each for a minute.
fn busy(exchange: &mut Exchange) {
    (1..=6).for_each(|call| routine(exchange, 10, call, None));
    exchange.handle(Input::LogIn { agent: A }, secs(10)).unwrap();
    for call in 1..=4 {
        let at = 20 + 60 * (call - 1);
        exchange.handle(Input::Answer { agent: A, call: CallId(call) }, secs(at)).unwrap();
        // New ones come, so that ranges are put to the proof.
        routine(exchange, at + 1, 10 + call, None);
        exchange.handle(Input::Finish { agent: A, call: CallId(call) }, secs(at + 59)).unwrap();
    }
}

#[test]
fn a_stored_exchange_goes_on_with_the_same_outputs() {
    let rule = Rule {
        name: "slow".into(),
        lines: vec![ELM],
        when_any: vec![Condition::longer(Measure::EstimatedWait, for_secs(1))],
        actions: Actions { offer_callback: true, ..Actions::default() },
        ..Rule::default()
    };
    let mut first = exchange(vec![rule], vec![]);
    busy(&mut first);
    let mut second: Exchange = postcard::from_bytes(&postcard::to_stdvec(&first).unwrap()).unwrap();
    for exchange in [&mut first, &mut second] {
        exchange.handle(Input::Answer { agent: A, call: CallId(5) }, secs(262)).unwrap();
        abandon(exchange, 300, 6);
        routine(exchange, 310, 30, Some(KEY));
        exchange.handle_timeout(secs(2_000));
    }
    let outputs = drain(&mut first);
    assert!(outputs.len() > 30, "{outputs:?}");
    assert_eq!(outputs, drain(&mut second));
    assert_eq!(first.poll_timeout(), second.poll_timeout());
}

#[test]
fn an_offer_to_some_callers_only_is_heard_at_once_by_them_and_by_nobody_else() {
    let rule = Rule {
        lines: vec![ELM],
        when_all: vec![Condition::over(Measure::Waiting, 1)],
        callers: Callers { redial: Some(true), ..Callers::default() },
        actions: Actions { offer_callback: true, ..Actions::default() },
        ..Rule::default()
    };
    let mut exchange = exchange(vec![rule], vec![]);
    routine(&mut exchange, 1, 1, Some(KEY));
    abandon(&mut exchange, 2, 1);
    routine(&mut exchange, 3, 2, Some(KEY));
    exchange.set_callable(CallId(2));
    routine(&mut exchange, 4, 3, None);
    exchange.set_callable(CallId(3));
    exchange.handle_timeout(secs(5));
    assert_eq!(told(&mut exchange, 2), [[What::Position(1), What::Offer]]);
    exchange.handle_timeout(secs(40));
    assert_eq!(told(&mut exchange, 3), [[What::Position(2)]], "in its own time, without the offer");
}

#[test]
fn an_estimate_turns_a_rule_on_and_off() {
    let rule = Rule {
        lines: vec![ELM],
        when_any: vec![Condition::longer(Measure::EstimatedWait, for_secs(300))],
        ..Rule::default()
    };
    let turns = |exchange: &mut Exchange| -> Vec<bool> {
        let turned = drain(exchange).into_iter().filter_map(|output| match output {
            Output::Rule { line: ELM, rule: RuleId(0), on } => Some(on),
            _ => None,
        });
        turned.collect()
    };
    let mut exchange = exchange(vec![rule], vec![]);
    busy(&mut exchange);
    assert_eq!(turns(&mut exchange), [true], "six wait, and each is served for a minute");
    let gone = waiting(&exchange, ELM);
    gone.iter().for_each(|&call| abandon(&mut exchange, 260, call));
    assert_eq!(turns(&mut exchange), [false], "nobody is ahead any more");
}

#[test]
fn a_line_that_is_remapped_takes_the_places_of_those_who_gave_up_with_it() {
    let mut exchange = exchange(vec![], vec![]);
    arrive(&mut exchange, 10, 1, OAK, Band::ROUTINE, Some(KEY));
    abandon(&mut exchange, 15, 1);
    routine(&mut exchange, 20, 2, None);
    let mut plan = exchange.distributor().plan().clone();
    plan.lines[OAK.index()].gone = Some(Gone::Remap(ELM));
    let guide = exchange.guide.clone();
    exchange.replan(plan, guide, clocks(30));
    routine(&mut exchange, 31, 3, Some(KEY));
    assert_eq!(waiting(&exchange, ELM), [3, 2]);
}

#[test]
fn a_clock_that_is_set_moves_the_windows() {
    let night = Window { name: "night".into(), from: Some("22:00".parse().unwrap()), ..Window::default() };
    let rule =
        Rule { lines: vec![ELM], during: Some(WindowId(0)), callers: Callers::default(), ..Rule::default() };
    let mut exchange = exchange(vec![rule], vec![night]);
    exchange.handle_timeout(secs(10));
    assert_eq!(drain(&mut exchange), []);
    exchange.set_clock(Now { mono: secs(20), wall: Wall(23 * 3_600_000) });
    assert_eq!(drain(&mut exchange), [Output::Rule { line: ELM, rule: RuleId(0), on: true }]);
    assert_eq!(exchange.poll_timeout(), Some(secs(20 + 3_600)), "at midnight");
}
