//! Whatever the lints say can never happen does not happen, over random rules and random courses of events.

use std::collections::BTreeSet;

use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::hysteresis::{Course, course, machine};
use super::*;

/// How many books are tried.
const BOOKS: usize = 1500;
/// How many courses of events each book with a finding goes through.
const COURSES: usize = 8;

prop_compose! {
    fn actions()(
        offer in any::<bool>(),
        refuse in any::<bool>(),
        teams in prop::sample::subsequence(vec![TeamId(0), TeamId(1), TeamId(3), TeamId(4)], 0..3),
    ) -> Actions {
        Actions {
            offer_callback: offer,
            refuse: refuse.then_some(Refusal::Unavailable { retry_after: seconds(30) }),
            add_teams: teams,
            ..Actions::default()
        }
    }
}

prop_compose! {
    fn acting_rule()(
        rule in any_rule(),
        actions in actions(),
        redial in prop::option::weighted(0.2, any::<bool>()),
    ) -> Rule {
        Rule { actions, callers: Callers { redial, withheld: None }, ..rule }
    }
}

/// A rule and one that is like it but for a thing or two, in either order.
fn alike() -> impl Strategy<Value = Vec<Rule>> {
    (acting_rule(), acting_rule(), prop::collection::vec(0u8..8, 0..3), any::<bool>()).prop_map(
        |(rule, other, changes, turned)| {
            let mut near = rule.clone();
            for change in changes {
                match change {
                    0 => near.when_all.extend(other.when_all.first()),
                    1 => near.when_any.truncate(1),
                    2 => near.when_any.extend(other.when_any.first()),
                    3 => near.for_at_least = other.for_at_least,
                    4 => near.until = other.until.clone(),
                    5 => near.during = other.during,
                    6 => near.until.extend(other.until.first()),
                    _ => near.actions = other.actions.clone(),
                }
            }
            if turned { vec![near, rule] } else { vec![rule, near] }
        },
    )
}

/// Panics if the course shows what a finding says cannot be.
fn contradict(rules: &[Rule], finding: &Finding, course: &Course) {
    let book = book(rules.to_vec());
    let changed = |rule: RuleId, edit: &dyn Fn(&mut Rule)| {
        let mut rules = rules.to_vec();
        edit(&mut rules[rule.index()]);
        run(&rules, course)
    };
    let as_it_is = run(rules, course);
    let mut on: BTreeSet<(LineId, RuleId)> = BTreeSet::new();
    match *finding {
        Finding::AlwaysHolds { rule } => {
            let without = |rule: &mut Rule| (rule.when_all, rule.when_any) = Default::default();
            assert_eq!(changed(rule, &without), as_it_is);
        }
        Finding::DeadCondition { rule, condition } => {
            let without = |rule: &mut Rule| rule.when_any.retain(|one| *one != condition);
            assert_eq!(changed(rule, &without), as_it_is, "{condition:?} of {:?}", rules[rule.index()]);
        }
        Finding::NeverOn { rule, .. } | Finding::EndsAtOnce { rule } => {
            assert!(as_it_is.iter().all(|change| change.rule != rule));
        }
        Finding::NeverEnds { rule } => {
            let by_window = rules[rule.index()].during.is_some() || rules[rule.index()].not_during.is_some();
            assert!(by_window || as_it_is.iter().all(|change| change.rule != rule || change.on));
        }
        Finding::Shadowed { rule, kind, .. } => replay(&as_it_is, &mut on, |on| {
            for (line, caller) in callers() {
                let here = on.iter().filter(|(at, _)| *at == line).map(|&(_, rule)| rule);
                assert_ne!(Decision::of(&book, here, caller).winner(kind), Some(rule));
            }
        }),
        Finding::AddsNothing { rule, .. } => replay(&as_it_is, &mut on, |on| {
            for (line, caller) in callers() {
                let reach = |without: Option<RuleId>| {
                    let here = on.iter().filter(|(at, rule)| *at == line && Some(*rule) != without);
                    let decision = Decision::of(&book, here.map(|&(_, rule)| rule), caller);
                    let own = book.surroundings.lines[line.index()].teams.iter().copied();
                    let teams: Vec<_> = decision.add_teams.iter().map(|won| won.action).chain(own).collect();
                    book.agents(&teams)
                };
                assert_eq!(reach(None), reach(Some(rule)));
            }
        }),
        Finding::EndsTooSoon { .. }
        | Finding::EmptyTeam { .. }
        | Finding::EmergencyOnly { .. }
        | Finding::Unanswered { .. } => {}
    }
}

/// Every change, those of one instant by line and rule.
fn run(rules: &[Rule], course: &Course) -> Vec<Change> {
    let mut changes = machine(rules, course, true);
    changes.sort_by_key(|change| (change.at, change.line, change.rule));
    changes
}

/// Looks at the rules that are on after all changes of each instant.
fn replay(
    changes: &[Change],
    on: &mut BTreeSet<(LineId, RuleId)>,
    mut look: impl FnMut(&BTreeSet<(LineId, RuleId)>),
) {
    for step in changes.chunk_by(|one, next| one.at == next.at) {
        for change in step {
            if change.on {
                on.insert((change.line, change.rule));
            } else {
                on.remove(&(change.line, change.rule));
            }
        }
        look(on);
    }
}

fn callers() -> impl Iterator<Item = (LineId, CallerFacts)> {
    let both = [false, true].map(|redial| CallerFacts { redial, ..CallerFacts::default() });
    [ELM, HUB].into_iter().flat_map(move |line| both.map(|caller| (line, caller)))
}

#[test]
fn what_is_said_never_to_happen_does_not_happen() {
    let mut runner = TestRunner::deterministic();
    let mut draw = |strategy: &dyn Fn(&mut TestRunner) -> Vec<Rule>| strategy(&mut runner);
    let books: Vec<Vec<Rule>> =
        (0..BOOKS).map(|_| draw(&|runner| alike().new_tree(runner).unwrap().current())).collect();
    let mut tally = std::collections::BTreeMap::<&str, usize>::new();
    for rules in &books {
        let findings = book(rules.clone()).lint(&calendar(), MONDAY_EIGHT, &|_, _| true);
        if findings.is_empty() {
            continue;
        }
        for _ in 0..COURSES {
            let course = course().new_tree(&mut runner).unwrap().current();
            for finding in &findings {
                contradict(rules, finding, &course);
            }
        }
        for finding in &findings {
            let name = match finding {
                Finding::NeverOn { .. } => "never on",
                Finding::Shadowed { .. } => "shadowed",
                Finding::DeadCondition { .. } => "dead condition",
                Finding::AlwaysHolds { .. } => "always holds",
                Finding::EndsAtOnce { .. } => "ends at once",
                Finding::NeverEnds { .. } => "never ends",
                Finding::AddsNothing { .. } => "adds nothing",
                _ => "other",
            };
            *tally.entry(name).or_default() += 1;
        }
    }
    assert!(tally.len() >= 7 && tally.values().all(|&count| count > 10), "too few to tell: {tally:?}");
}
