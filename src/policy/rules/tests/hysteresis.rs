//! The machine against a slow reading of the contract that looks at a list of all instants.

use std::collections::BTreeMap;

use super::*;

/// How long a run is, in seconds: past the end of every window.
pub(super) const LENGTH: u64 = 480;

/// What lines look like from which second on.
pub(super) type Course = BTreeMap<u64, Vec<(LineId, LineFacts)>>;

prop_compose! {
    fn event()(second in 1..LENGTH)(
        elm in prop::option::of(facts(4, second)),
        hub in prop::option::of(facts(2, second)),
        second in Just(second),
    ) -> (u64, Vec<(LineId, LineFacts)>) {
        let named = elm.map(|facts| (ELM, facts)).into_iter().chain(hub.map(|facts| (HUB, facts)));
        (second, named.collect())
    }
}

pub(super) fn course() -> impl Strategy<Value = Course> {
    prop::collection::vec(event(), 0..60).prop_map(|events| events.into_iter().collect())
}

/// Every instant at which anything may change, in microseconds: limits are whole seconds, and a wait is over
/// one a microsecond later. Each comes twice: before and after the events of that instant.
fn instants() -> impl Iterator<Item = (u64, bool)> {
    let seconds = (0..=LENGTH).map(|second| second * 1_000_000);
    seconds.flat_map(|start| [(start, false), (start, true), (start + 1, false)])
}

/// Every change of one rule on one line, as the contract says.
fn slow_reading(rule: &Rule, line: LineId, course: &Course) -> Vec<(u64, bool)> {
    let calendar = calendar();
    let mut facts = [LineFacts::default(); 3];
    let mut pressed: Vec<(u64, bool)> = Vec::new();
    let (mut on, mut changes) = (false, Vec::new());
    for (micros, after) in instants() {
        for (line, now) in course.get(&(micros / 1_000_000)).filter(|_| after).into_iter().flatten() {
            facts[line.index()] = *now;
        }
        let holds = |one: &Condition| one.holds(&facts[one.line.unwrap_or(line).index()], Mono(micros));
        let open = |window| calendar.covers(window, None, at(micros).wall);
        let allowed = rule.during.is_none_or(open) && !rule.not_during.is_some_and(open);
        let ends = !rule.until.is_empty() && rule.until.iter().all(holds);
        let any = rule.when_any.is_empty() || rule.when_any.iter().any(holds);
        pressed.push((micros, !ends && any && rule.when_all.iter().all(holds)));
        let throughout = |wanted| lasted(&pressed, wanted, rule.for_at_least.as_micros() as u64);
        let next = match on {
            _ if !allowed => false,
            false => throughout(true),
            true if rule.until.is_empty() => !throughout(false),
            true => !ends,
        };
        if next != on {
            changes.push((micros, next));
            on = next;
        }
    }
    changes
}

/// Whether a list of instants has shown nothing but `wanted` for so long.
fn lasted(list: &[(u64, bool)], wanted: bool, long: u64) -> bool {
    let (now, last) = *list.last().unwrap();
    let Some(start) = now.checked_sub(long) else { return false };
    let mut recent = list.iter().rev().take_while(|(instant, _)| *instant > start);
    let at_start = list.iter().rev().find(|(instant, _)| *instant <= start).unwrap();
    last == wanted && (long == 0 || recent.all(|&(_, is)| is == wanted) && at_start.1 == wanted)
}

/// What the machine says: woken at each deadline, or only by what happens.
pub(super) fn machine(rules: &[Rule], course: &Course, punctual: bool) -> Vec<Change> {
    let (book, calendar) = (book(rules.to_vec()), calendar());
    let mut states = RuleStates::new(&book, &calendar, Vec::new(), at(0));
    let mut changes = Vec::new();
    let end = (LENGTH, Vec::new());
    let events = course.iter().map(|(&second, facts)| (second, facts.clone())).chain([end]);
    for (second, facts) in events {
        while punctual && let Some(due) = states.poll_timeout().filter(|due| due.0 < second * 1_000_000) {
            changes.extend(states.evaluate(&book, &calendar, &[], at(due.0)));
            assert!(states.poll_timeout().is_none_or(|next| next > due), "a deadline stays due");
        }
        changes.extend(states.evaluate(&book, &calendar, &facts, at(second * 1_000_000)));
    }
    changes.retain(|change| change.at.0 <= LENGTH * 1_000_000);
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_rule_is_on_exactly_when_the_contract_says(
        rules in prop::collection::vec(any_rule(), 1..4),
        course in course(),
    ) {
        let changes = machine(&rules, &course, true);
        prop_assert_eq!(&changes, &machine(&rules, &course, false), "late wakes");
        for (id, rule) in (0u32..).map(RuleId).zip(&rules) {
            for &line in &rule.lines {
                let of_this = |change: &&Change| (change.rule, change.line) == (id, line);
                let seen: Vec<_> = changes.iter().filter(of_this).map(|change| (change.at.0, change.on)).collect();
                let mut expected = slow_reading(rule, line, &course);
                expected.retain(|&(micros, _)| micros <= LENGTH * 1_000_000);
                prop_assert_eq!(seen, expected, "{:?} on {}", rule, line);
            }
        }
    }

    #[test]
    fn no_rule_without_windows_flaps(
        rule in any_rule(),
        long in 1u64..30,
        course in course(),
    ) {
        let rule = Rule { during: None, not_during: None, for_at_least: seconds(long), ..rule };
        let until = !rule.until.is_empty();
        let changes = machine(&[rule], &course, true);
        for line in [ELM, HUB] {
            let counted = changes.iter().filter(|change| change.line == line && (change.on || !until));
            let times: Vec<_> = counted.map(|change| change.at).collect();
            for pair in times.windows(2) {
                prop_assert!(pair[1] - pair[0] >= seconds(long), "{:?}", times);
            }
        }
    }
}
