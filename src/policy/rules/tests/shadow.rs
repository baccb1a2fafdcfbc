//! Two books on the same facts.

use super::*;

fn trial(book: RuleBook) -> Trial {
    Trial { rules: book.into(), calendar: calendar().into() }
}

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
        let shadow = Shadow::new(&live, trial(other), Vec::new(), at(0)).unwrap();
        Pair { live, states, shadow }
    }

    /// What comes to stand apart with so many callers from this second on.
    fn at(&mut self, second: u64, callers: u32) -> Vec<Disagreement> {
        let facts = [(ELM, waiting(callers, second))];
        let (now, calendar) = (at(second * 1_000_000), calendar());
        let changes = self.states.evaluate(&self.live, &calendar, &facts, now);
        let live = Live { book: &self.live, states: &self.states, calendar: &calendar };
        self.shadow.evaluate(live, &changes, &facts, now);
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
        lost: 0,
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
    let mut shadow = Shadow::new(&live, trial(other), vec![waiting(9, 0)], at(1)).unwrap();
    shadow.evaluate(Live { book: &live, states: &states, calendar: &calendar() }, &[], &[], at(2));
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
        let live = Live { book: &pair.live, states: &pair.states, calendar: &calendar };
        pair.shadow.evaluate(live, &[], &facts, now);
    }
    let kept: Vec<_> = std::iter::from_fn(|| pair.shadow.poll_disagreement()).collect();
    assert_eq!((kept.len(), kept[0].lost, kept[1].lost), (1000, 201, 0));
}

#[test]
fn a_book_of_other_lines_cannot_watch() {
    let live = book([]);
    let mut other = surroundings();
    other.lines.pop();
    let other = RuleBook::new(Vec::new(), other);
    assert_eq!(Shadow::new(&live, trial(other), Vec::new(), at(0)), Err(Strange));
}

#[test]
fn each_policy_goes_by_its_own_windows() {
    let during = |name: &str| Rule { during: Some(DAILY), ..over(name, 8) };
    let mut pair = Pair::new(during("live"), during("other"));
    let mut hours = calendar().spec().clone();
    hours.windows[DAILY.index()].from = Some("08:00".parse().unwrap());
    let other =
        Trial { rules: book([during("other")]).into(), calendar: Calendar::new(hours).unwrap().into() };
    pair.shadow = Shadow::new(&pair.live, other, Vec::new(), at(0)).unwrap();
    let apart = pair.at(1, 9);
    assert_eq!(apart.len(), 1, "{apart:?}");
    assert_eq!((apart[0].live.rule.as_deref(), apart[0].other.rule.as_deref()), (None, Some("other")));
    assert_eq!(pair.at(61, 9), [], "by then it is open for both");
}

#[test]
fn a_shadow_that_follows_another_goes_on_with_the_rules_that_both_have() {
    let slow = |name: &str| Rule { for_at_least: seconds(60), ..over(name, 4) };
    let mut pair = Pair::new(over("live", 8), slow("other"));
    assert_eq!(pair.at(1, 5), []);
    let mut next =
        Shadow::new(&pair.live, trial(book([slow("new"), slow("other")])), Vec::new(), at(30_000_000))
            .unwrap();
    next.carry(vec![waiting(5, 1)], &pair.shadow);
    pair.shadow = next;
    assert_eq!(pair.at(30, 5), []);
    let apart: Vec<_> = pair.at(61, 5).into_iter().map(|apart| apart.other.rule.unwrap()).collect();
    assert_eq!(apart, ["other"], "a minute has passed since second 1");
}
