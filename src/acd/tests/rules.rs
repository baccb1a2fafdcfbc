//! Rules at work in the distributor: they see the line's facts at once and change who may answer.

use super::*;
use crate::calendar::{Calendar, Nation, Spec};
use crate::id::RuleId;
use crate::policy::rules::{
    Actions, Callers, Condition, LineFacts, LineOutline, Measure, Refusal as Turned, RouteTo, Rule, RuleBook,
    Surroundings,
};
use crate::time::{Now, Wall};

fn hub(rules: Vec<Rule>, agents: &[AgentId]) -> Hub {
    let spec = Spec::empty("UTC", Nation::EnglandAndWales);
    let mut plan = plan();
    plan.destinations =
        vec![Destination { name: "buddy".into(), capacity: 1, ring_for: Duration::from_secs(15) }];
    let line = |line: &Line| LineOutline { teams: line.teams.clone(), ..LineOutline::default() };
    let surroundings =
        Surroundings { lines: plan.lines.iter().map(line).collect(), ..Surroundings::default() };
    let (book, calendar) = (RuleBook::new(rules, surroundings), Calendar::new(spec).unwrap());
    let acd = Distributor::with_rules(plan, book, calendar, Now { mono: Mono(0), wall: Wall(0) });
    let mut hub = Hub { acd, at: Mono(0) };
    for (second, &agent) in (1..).zip(agents) {
        hub.log_in(second, agent);
    }
    hub
}

/// On the line `oak` while more than one waits.
fn pressed(actions: Actions) -> Rule {
    Rule {
        lines: vec![OAK],
        when_any: vec![Condition::over(Measure::Waiting, 1)],
        actions,
        ..Rule::default()
    }
}

fn turned(on: bool) -> Output {
    Output::Rule { line: OAK, rule: RuleId(0), on }
}

#[test]
fn a_rule_widens_after_its_time_and_ends_with_its_conditions() {
    let add = Actions { add_teams: vec![TeamId(1)], ..Actions::default() };
    let rule = Rule { for_at_least: Duration::from_secs(20), ..pressed(add) };
    let mut hub = hub(vec![rule], &[C]);
    hub.arrive(10, 1, OAK);
    assert_eq!(hub.arrive(11, 2, OAK), []);
    assert_eq!(
        hub.wake(100),
        [
            turned(true),
            present(1, C),
            withdraw(1, C, Withdrawal::RangOut),
            present(1, C),
            withdraw(1, C, Withdrawal::RangOut)
        ]
    );
    assert_eq!(hub.wake(136), [present(1, C)], "after the pause for two misses");
    hub.answer(137, C, 1);
    assert_eq!(hub.wake(157), [turned(false)]);
    hub.finish(158, C, 1);
    assert_eq!((hub.wake(250), hub.waiting(OAK)), (vec![], vec![2]));
}

#[test]
fn facts_are_those_of_the_line_after_every_step() {
    let mut hub = hub(vec![], &[A, B]);
    hub.arrive(10, 1, OAK);
    hub.arrive(11, 2, OAK);
    hub.arrive(12, 3, OAK);
    hub.answer(13, A, 1);
    let facts = LineFacts {
        waiting: 2,
        longest_since: Some(secs(11)),
        estimated_wait: None,
        agents_logged_in: 2,
        agents_free: 0,
    };
    assert_eq!(hub.acd.facts(OAK), Some(facts));
    hub.pause(14, B);
    hub.log_in(14, C);
    let elm = LineFacts { agents_logged_in: 2, agents_free: 1, ..LineFacts::default() };
    assert_eq!(hub.acd.facts(ELM), Some(elm), "B is in both teams and counted in neither while paused");
}

#[test]
fn a_rule_routes_routine_callers_to_a_destination_whose_wait_is_less() {
    let to = RouteTo { destination: DestinationId(0), if_its_wait_is_less: true };
    let mut hub = hub(vec![pressed(Actions { route_to: Some(to), ..Actions::default() })], &[]);
    let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
    hub.emergency(10, 1, OAK);
    assert_eq!(hub.arrive(11, 2, OAK), [turned(true)], "its wait is not known");
    hub.at(12, Input::Report { destination: DestinationId(0), wait: minutes(3) });
    assert_eq!(hub.at(13, Input::Estimate { line: OAK, wait: minutes(2) }), []);
    assert_eq!(hub.at(14, Input::Estimate { line: OAK, wait: minutes(4) }), [present(2, AgentId(3))]);
    assert_eq!(hub.waiting(OAK), [1], "an emergency stays");
}

#[test]
fn a_rule_refuses_those_who_arrive_and_no_emergency() {
    let refuse = Turned::Unavailable { retry_after: Duration::from_secs(90) };
    let mut hub = hub(vec![pressed(Actions { refuse: Some(refuse), ..Actions::default() })], &[]);
    let newcomer = Newcomer::new(OAK, Band::ROUTINE);
    hub.arrive(10, 1, OAK);
    assert_eq!(hub.acd.entry(&newcomer, secs(11)), Entry::Join);
    hub.arrive(11, 2, OAK);
    let refused = Entry::Refuse {
        code: 503,
        retry_after: Some(Duration::from_secs(90)),
        to: None,
        why: Refusal::Rule(RuleId(0)),
    };
    assert_eq!(hub.acd.entry(&newcomer, secs(12)), refused);
    assert_eq!(hub.acd.entry(&Newcomer::new(OAK, Band::EMERGENCY), secs(12)), Entry::Join);
}

#[test]
fn a_rule_touches_only_the_callers_that_it_asks_for() {
    let actions =
        Actions { add_teams: vec![TeamId(1)], priority: Some(Duration::from_secs(5)), ..Actions::default() };
    let callers = Callers { redial: Some(true), withheld: None };
    let mut hub = hub(vec![Rule { callers, ..pressed(actions) }], &[C]);
    hub.arrive(10, 1, OAK);
    hub.arrive(11, 2, OAK);
    let redial = Newcomer { redial: true, ..Newcomer::new(OAK, Band::ROUTINE) };
    assert_eq!(hub.at(14, Input::Arrive { call: call(3), newcomer: redial }), [present(3, C)]);
    hub.refuse(15, C, 3);
    assert_eq!(hub.waiting(OAK), [3, 1, 2], "five seconds ahead");
}

#[test]
fn a_rule_says_its_clip_once_to_each_who_waits() {
    let mut hub = hub(vec![pressed(Actions { announce: Some(ClipId(4)), ..Actions::default() })], &[]);
    let told = |number| Output::Announce { call: call(number), clip: ClipId(4), rule: RuleId(0) };
    hub.arrive(10, 1, OAK);
    assert_eq!(hub.arrive(11, 2, OAK), [turned(true), told(1), told(2)]);
    assert_eq!(hub.arrive(12, 3, OAK), [told(3)]);
    hub.abandon(13, 3);
    assert_eq!(hub.abandon(14, 2), [turned(false)]);
    assert_eq!(hub.arrive(15, 4, OAK), [turned(true), told(4)], "the first caller has heard it");
}

#[test]
fn a_distributor_with_rules_is_stored_whole() {
    let add = Actions { add_teams: vec![TeamId(1)], ..Actions::default() };
    let mut hub = hub(vec![Rule { for_at_least: Duration::from_secs(20), ..pressed(add) }], &[C]);
    hub.arrive(10, 1, OAK);
    hub.arrive(11, 2, OAK);
    let bytes = postcard::to_stdvec(&hub.acd).unwrap();
    let mut stored: Distributor = postcard::from_bytes(&bytes).unwrap();
    stored.handle_timeout(secs(31));
    let mut stored = Hub { acd: stored, at: secs(31) };
    assert_eq!(stored.orders(), hub.wake(31));
    assert_eq!(stored.state(C), Availability::Ringing(call(1)));
}
