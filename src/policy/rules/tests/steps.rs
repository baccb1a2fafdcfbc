//! Rules through one course of events each: windows, waits, other lines, clocks that are set.

use super::*;

/// No rule is on.
const OFF: [u32; 0] = [];

/// A machine with a calendar, driven second by second.
struct Desk {
    book: RuleBook,
    states: RuleStates,
}

impl Desk {
    fn new(rules: impl IntoIterator<Item = Rule>) -> Desk {
        let book = book(rules);
        let states = RuleStates::new(&book, &calendar(), Vec::new(), at(0));
        Desk { book, states }
    }

    /// The rules of `elm-tree` that are on after these facts.
    fn at(&mut self, second: u64, facts: &[(LineId, LineFacts)]) -> Vec<u32> {
        self.states.evaluate(&self.book, &calendar(), facts, at(second * 1_000_000));
        self.on()
    }

    fn on(&self) -> Vec<u32> {
        self.states.on(&self.book, ELM).map(|rule| rule.0).collect()
    }
}

fn over(limit: u32) -> Condition {
    Condition::over(Measure::Waiting, limit)
}

#[test]
fn a_rule_turns_on_when_its_conditions_have_lasted() {
    let mut desk = Desk::new([Rule { for_at_least: seconds(20), ..rule("pressed", [over(8)]) }]);
    assert_eq!(desk.at(10, &[(ELM, waiting(9, 5))]), OFF);
    assert_eq!(desk.states.poll_timeout(), Some(Mono(30_000_000)));
    assert_eq!(desk.at(29, &[(ELM, waiting(8, 5))]), OFF, "a break");
    assert_eq!(desk.at(30, &[(ELM, waiting(9, 5))]), OFF);
    assert_eq!(desk.at(49, &[]), OFF);
    assert_eq!(desk.at(50, &[]), [0]);
    assert_eq!(desk.at(60, &[(ELM, waiting(0, 0))]), [0], "the end must last as well");
    assert_eq!(desk.at(80, &[]), OFF);
}

#[test]
fn until_ends_a_rule_at_once_and_it_must_last_anew() {
    let until = vec![Condition::under(Measure::Waiting, 5)];
    let mut desk = Desk::new([Rule { for_at_least: seconds(20), until, ..rule("pressed", [over(8)]) }]);
    desk.at(10, &[(ELM, waiting(9, 5))]);
    assert_eq!(desk.at(30, &[]), [0]);
    assert_eq!(desk.at(40, &[(ELM, waiting(5, 5))]), [0]);
    assert_eq!(desk.at(400, &[]), [0], "neither its conditions nor its end");
    assert_eq!(desk.at(401, &[(ELM, waiting(4, 5))]), OFF);
    assert_eq!(desk.at(402, &[(ELM, waiting(9, 5))]), OFF);
    assert_eq!(desk.at(422, &[]), [0]);
}

#[test]
fn a_longest_wait_turns_a_rule_on_at_its_own_time() {
    let longer = Condition::longer(Measure::LongestWait, seconds(240));
    let mut desk = Desk::new([Rule { for_at_least: seconds(20), ..rule("long", [longer]) }]);
    desk.at(10, &[(ELM, waiting(1, 10))]);
    let changes = desk.states.evaluate(&desk.book, &calendar(), &[(ELM, waiting(0, 0))], at(400_000_000));
    let on = Change { line: ELM, rule: RuleId(0), on: true, at: Mono(270_000_001) };
    assert_eq!(changes, [on], "on at its own time, though nobody woke it");
}

#[test]
fn the_end_of_a_window_ends_a_rule_at_once() {
    let pressed = Rule { during: Some(EARLY), for_at_least: seconds(20), ..rule("pressed", [over(8)]) };
    let mut desk = Desk::new([pressed]);
    assert_eq!(desk.at(1, &[(ELM, waiting(9, 1))]), OFF);
    assert_eq!(desk.states.poll_timeout(), Some(Mono(120_000_000)));
    assert_eq!(desk.at(120, &[]), [0], "its conditions had lasted before the window opened");
    assert_eq!(desk.at(299, &[]), [0]);
    assert_eq!(desk.at(300, &[]), OFF);
}

#[test]
fn a_rule_can_ask_what_another_line_looks_like() {
    let elsewhere = Condition::under(Measure::Waiting, 3).at(HUB);
    let mut desk = Desk::new([rule("hub has room", [over(8), elsewhere])]);
    assert_eq!(desk.at(1, &[(ELM, waiting(9, 1)), (HUB, waiting(3, 1))]), OFF);
    assert_eq!(desk.at(2, &[(HUB, waiting(2, 1))]), [0]);
    assert_eq!(desk.at(3, &[(HUB, waiting(3, 1))]), OFF);
}

#[test]
fn lines_that_change_in_one_step_are_seen_in_one_step() {
    let sum = [over(8), Condition::under(Measure::Waiting, 3).at(HUB)];
    let either = [over(8), Condition::over(Measure::Waiting, 2).at(HUB)];
    let lasting = |when_any: [Condition; 2]| Rule {
        when_any: when_any.to_vec(),
        for_at_least: seconds(20),
        ..rule("either", [])
    };
    let mut desk = Desk::new([lasting(either)]);
    desk.at(1, &[(ELM, waiting(9, 1)), (HUB, waiting(0, 0))]);
    desk.at(15, &[(ELM, waiting(0, 1)), (HUB, waiting(3, 1))]);
    assert_eq!(desk.at(21, &[]), [0], "one of the two has held all the while");
    let mut desk = Desk::new([rule("sum", sum)]);
    desk.at(1, &[(ELM, waiting(9, 1)), (HUB, waiting(5, 1))]);
    let both = [(ELM, waiting(8, 1)), (HUB, waiting(2, 1))];
    assert_eq!(desk.states.evaluate(&desk.book, &calendar(), &both, at(2_000_000)), []);
}

#[test]
fn what_is_on_from_the_start_turns_on_with_the_first_look() {
    let (book, calendar) = (book([rule("pressed", [over(8)])]), calendar());
    let mut states = RuleStates::new(&book, &calendar, vec![waiting(9, 0)], at(5));
    assert_eq!(states.poll_timeout(), Some(Mono(5)));
    let changes = states.evaluate(&book, &calendar, &[(ELM, waiting(0, 0))], at(5));
    assert_eq!(changes.len(), 2, "on by what it looked like, off by what it looks like now: {changes:?}");
}

#[test]
fn windows_follow_a_wall_clock_that_is_set() {
    let mut desk = Desk::new([Rule { during: Some(EARLY), ..rule("early", []) }]);
    let mut seen = |second: u64, shift: i64| {
        let now = at(second * 1_000_000);
        let now = Now { wall: Wall(now.wall.0 + shift * 1000), ..now };
        desk.states.evaluate(&desk.book, &calendar(), &[], now);
        desk.on()
    };
    assert_eq!(seen(10, 0), OFF);
    assert_eq!(seen(11, 150), [0], "set forward into the window");
    assert_eq!(seen(12, -30), OFF, "and back");
    assert_eq!(seen(149, -30), OFF);
    assert_eq!(seen(150, -30), [0], "opens by the clock that was set");
}

#[test]
fn states_survive_their_serialisation() {
    let mut desk = Desk::new([
        Rule { for_at_least: seconds(20), during: Some(EARLY), ..rule("early", [over(2)]) },
        rule("long", [Condition::longer(Measure::LongestWait, seconds(60))]),
    ]);
    desk.at(110, &[(ELM, waiting(5, 90))]);
    let stored = postcard::to_stdvec(&desk.states).unwrap();
    let mut restored: RuleStates = postcard::from_bytes(&stored).unwrap();
    assert_eq!(restored, desk.states);
    let later = at(200_000_000);
    assert_eq!(
        restored.evaluate(&desk.book, &calendar(), &[], later),
        desk.states.evaluate(&desk.book, &calendar(), &[], later)
    );
    assert_eq!(desk.on(), [0, 1]);
}

#[test]
fn of_each_kind_the_first_rule_counts_and_widening_adds_up() {
    let doing = |name: &str, actions: Actions| Rule { actions, ..rule(name, []) };
    let teams = |teams: &[u32]| teams.iter().map(|&team| TeamId(team)).collect::<Vec<_>>();
    let later = Refusal::Unavailable { retry_after: seconds(30) };
    let mut desk = Desk::new([
        doing("widen", Actions { add_teams: teams(&[1]), ..Actions::default() }),
        Rule {
            callers: Callers { redial: Some(true), withheld: None },
            ..doing("again", Actions { offer_callback: true, ..Actions::default() })
        },
        doing("offer", Actions { offer_callback: true, add_teams: teams(&[3, 1]), ..Actions::default() }),
        doing("refuse", Actions { refuse: Some(later), ..Actions::default() }),
    ]);
    desk.at(1, &[]);
    let caller = CallerFacts::default();
    let decision = desk.states.decide(&desk.book, ELM, caller);
    let added: Vec<_> = decision.add_teams.iter().map(|won| (won.rule.0, won.action.0)).collect();
    assert_eq!(added, [(0, 1), (2, 3), (2, 1)]);
    assert_eq!(decision.winner(Kind::Offer), Some(RuleId(2)));
    assert_eq!(decision.refuse, Some(Won { rule: RuleId(3), action: later }));
    let again = CallerFacts { redial: true, ..caller };
    assert_eq!(desk.states.decide(&desk.book, ELM, again).winner(Kind::Offer), Some(RuleId(1)));
    let emergency = CallerFacts { band: crate::policy::Band::EMERGENCY, ..again };
    let decision = desk.states.decide(&desk.book, ELM, emergency);
    assert_eq!(decision.add_teams.len(), 3);
    assert_eq!(
        Kind::ALL.map(|kind| decision.winner(kind).is_some()),
        [true, false, false, false, false, false]
    );
    assert_eq!(desk.states.decide(&desk.book, HUB, caller), Decision::default());
}
