//! Two books on the same facts.

use super::*;

/// A live book and another that watches.
struct Pair {
    live: RuleBook,
    states: RuleStates,
    shadow: Shadow,
}

impl Pair {
    fn new(live: Rule, other: Rule) -> Pair {
        let (live, other) = (book([live]), book([other]));
        let states = RuleStates::new(&live, &calendar(), Vec::new(), at(0));
        let shadow = Shadow::new(&live, other, &calendar(), Vec::new(), at(0)).unwrap();
        Pair { live, states, shadow }
    }

    /// What comes to stand apart with so many callers from this second on.
    fn at(&mut self, second: u64, callers: u32) -> Vec<Disagreement> {
        let facts = [(ELM, waiting(callers, second))];
        let (now, calendar) = (at(second * 1_000_000), calendar());
        let changes = self.states.evaluate(&self.live, &calendar, &facts, now);
        self.shadow.evaluate((&self.live, &self.states), &changes, &calendar, &facts, now);
        std::iter::from_fn(|| self.shadow.poll_disagreement()).collect()
    }
}

fn over(name: &str, limit: u32) -> Rule {
    rule(name, [Condition::over(Measure::Waiting, limit)])
}

#[test]
fn where_the_books_stand_apart_is_kept_once() {
    let mut pair = Pair::new(over("live", 8), over("other", 4));
    assert_eq!(pair.at(1, 4), []);
    let apart = Disagreement {
        at: Mono(2_000_000),
        line: ELM,
        kind: Kind::Offer,
        caller: CallerFacts::default(),
        live: Side { rule: None, reason: String::new() },
        other: Side {
            rule: Some("other".into()),
            reason: "a callback is offered (`other`): 5 callers wait, over 4".into(),
        },
    };
    assert_eq!(pair.at(2, 5), [apart]);
    assert_eq!(pair.at(3, 6), []);
    assert_eq!(pair.at(4, 9), [], "they agree again");
    assert_eq!(pair.at(5, 8).len(), 1, "and no more");
}

#[test]
fn the_same_for_another_reason_is_no_disagreement() {
    let mut pair = Pair::new(over("live", 8), rule("other", [Condition::over(Measure::Waiting, 8)]));
    assert_eq!(pair.at(1, 9), []);
}

#[test]
fn callers_whom_a_rule_tells_apart_are_compared_apart() {
    let callers = Callers { redial: Some(true), withheld: None };
    let mut pair = Pair::new(over("live", 8), Rule { callers, ..over("other", 8) });
    let apart: Vec<_> = pair.at(1, 9).into_iter().map(|apart| apart.caller).collect();
    assert_eq!(apart.len(), 2, "whether withheld or not: {apart:?}");
    assert!(apart.iter().all(|caller| !caller.redial));
}

#[test]
fn a_watcher_that_begins_late_sees_what_is_on_already() {
    let live = book([over("live", 8)]);
    let mut states = RuleStates::new(&live, &calendar(), vec![waiting(9, 0)], at(0));
    states.evaluate(&live, &calendar(), &[], at(1));
    let other = book([over("other", 12)]);
    let mut shadow = Shadow::new(&live, other, &calendar(), vec![waiting(9, 0)], at(1)).unwrap();
    shadow.evaluate((&live, &states), &[], &calendar(), &[], at(2));
    let apart = shadow.poll_disagreement().unwrap();
    assert_eq!((apart.live.rule.as_deref(), apart.other.rule), (Some("live"), None));
}

#[test]
fn disagreements_that_nobody_takes_are_bounded_and_counted() {
    let mut pair = Pair::new(over("live", 8), over("other", 4));
    let calendar = calendar();
    for second in 1..=2402 {
        let facts = [(ELM, waiting(if second % 2 == 0 { 5 } else { 4 }, second))];
        let now = at(second * 1_000_000);
        pair.shadow.evaluate((&pair.live, &pair.states), &[], &calendar, &facts, now);
    }
    assert_eq!(pair.shadow.dropped(), 201);
    assert_eq!(std::iter::from_fn(|| pair.shadow.poll_disagreement()).count(), 1000);
}

#[test]
fn a_book_of_other_lines_cannot_watch() {
    let live = book([]);
    let mut other = surroundings();
    other.lines.pop();
    let other = RuleBook::new(Vec::new(), other);
    assert_eq!(Shadow::new(&live, other, &calendar(), Vec::new(), at(0)), Err(Strange));
}
