#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const A: AgentId = AgentId(0);
const B: AgentId = AgentId(1);

fn secs(secs: u64) -> Mono {
    Mono(secs * 1_000_000)
}

fn table() -> Vec<Disposition> {
    ["advice", "pharmacy"].map(|code| Disposition { code: code.into(), words: code.into() }).to_vec()
}

fn cases() -> Cases {
    Cases::new(table(), 10_000).unwrap()
}

fn opened(cases: &mut Cases, band: Band, breach: u64) -> CaseId {
    let case = CaseId(1 + cases.all().map(|(case, _)| case.0).max().unwrap_or(0));
    cases.open(case, CallId(breach), Urgency { band, breach: secs(breach) }, secs(0)).unwrap();
    case
}

/// The clinician has gone: puts back all that he or she held, and gives how many.
fn gone(cases: &mut Cases, agent: AgentId, now: Mono) -> usize {
    cases.handle_timeout(now);
    let held: Vec<CaseId> = cases.held_of(agent).collect();
    held.iter().filter(|&&case| cases.give_back(case, agent, now).is_ok()).count()
}

#[test]
fn the_case_that_breaches_first_is_taken_first_within_its_band() {
    let mut cases = cases();
    let later = opened(&mut cases, Band::ROUTINE, 900);
    let sooner = opened(&mut cases, Band::ROUTINE, 600);
    let emergency = opened(&mut cases, Band::EMERGENCY, 1_200);
    let same = opened(&mut cases, Band::ROUTINE, 900);
    let taken: Vec<CaseId> = std::iter::from_fn(|| cases.take(A, secs(1))).collect();
    assert_eq!(taken, [emergency, sooner, later, same]);
}

#[test]
fn a_case_given_back_takes_its_old_place() {
    let mut cases = cases();
    let first = opened(&mut cases, Band::ROUTINE, 600);
    let second = opened(&mut cases, Band::ROUTINE, 900);
    assert_eq!(cases.take(A, secs(1)), Some(first));
    assert_eq!(cases.give_back(first, B, secs(2)), Err(Refused::NotTheirs { case: first, agent: B }));
    cases.give_back(first, A, secs(2)).unwrap();
    assert!(cases.stack().eq([first, second]));
}

#[test]
fn what_a_clinician_held_goes_back_when_he_or_she_has_gone() {
    let mut cases = cases();
    let all: Vec<CaseId> = (1..=3).map(|n| opened(&mut cases, Band::ROUTINE, 600 * n)).collect();
    cases.take(A, secs(1));
    cases.take(B, secs(1));
    cases.take(A, secs(1));
    assert_eq!(gone(&mut cases, A, secs(2)), 2);
    assert!(cases.stack().eq([all[0], all[2]]));
    assert_eq!(gone(&mut cases, A, secs(2)), 0);
}

#[test]
fn a_case_is_closed_once_by_its_holder_with_a_code_of_the_table() {
    let mut cases = cases();
    let case = opened(&mut cases, Band::ROUTINE, 600);
    assert_eq!(cases.close(case, A, "advice", secs(1)), Err(Refused::NotTheirs { case, agent: A }));
    cases.take(A, secs(1));
    assert_eq!(cases.close(case, A, "advise", secs(2)), Err(Refused::UnknownCode));
    let (closed, disposition) = cases.close(case, A, "pharmacy", secs(3)).unwrap();
    assert_eq!((closed.call, disposition), (CallId(600), DispositionId(1)));
    assert_eq!(cases.close(case, A, "pharmacy", secs(3)), Err(Refused::NotTheirs { case, agent: A }));
    assert_eq!((cases.open_count(), cases.poll_timeout()), (0, None));
}

#[test]
fn a_breach_is_told_once_whoever_has_the_case() {
    let mut cases = cases();
    let held = opened(&mut cases, Band::ROUTINE, 600);
    let left = opened(&mut cases, Band::ROUTINE, 700);
    cases.take(A, secs(1));
    assert_eq!(cases.poll_timeout(), Some(secs(600)));
    cases.handle_timeout(secs(599));
    assert_eq!(cases.poll_output(), None);
    cases.handle_timeout(secs(5_000));
    assert_eq!(cases.poll_output(), Some(Breached { case: held, holder: Some(A) }));
    assert_eq!(cases.poll_output(), Some(Breached { case: left, holder: None }));
    cases.give_back(held, A, secs(5_001)).unwrap();
    assert_eq!((cases.poll_output(), cases.poll_timeout()), (None, None));
}

#[test]
fn a_late_wake_names_the_holder_of_the_breach_time() {
    let mut cases = cases();
    let case = opened(&mut cases, Band::ROUTINE, 600);
    cases.take(A, secs(601));
    assert_eq!(cases.poll_output(), Some(Breached { case, holder: None }));
}

#[test]
fn no_more_cases_are_open_than_there_is_room_for() {
    let mut cases = Cases::new(table(), 1).unwrap();
    let urgency = Urgency { band: Band::ROUTINE, breach: secs(9) };
    let case = CaseId(7);
    cases.open(case, CallId(1), urgency, secs(0)).unwrap();
    assert_eq!(cases.open(CaseId(8), CallId(2), urgency, secs(0)), Err(Refused::Full));
    cases.take(A, secs(1));
    cases.close(case, A, "advice", secs(1)).unwrap();
    cases.open(CaseId(8), CallId(2), urgency, secs(1)).unwrap();
}

#[test]
fn a_table_with_a_code_twice_or_too_many_is_refused() {
    let twice = [table(), table()].concat();
    assert_eq!(Cases::new(twice, 1).unwrap_err(), Refused::Codes);
    let many = |count: usize| {
        (0..count).map(|n| Disposition { code: n.to_string(), words: String::new() }).collect::<Vec<_>>()
    };
    assert!(Cases::new(many(MOST_DISPOSITIONS), 1).is_ok());
    assert_eq!(Cases::new(many(MOST_DISPOSITIONS + 1), 1).unwrap_err(), Refused::Codes);
}

proptest! {
    #[test]
    fn every_case_is_on_the_stack_or_held_by_one_clinician_until_it_is_closed_once(
        steps in proptest::collection::vec((0..7u8, 0..3u32, 1..20u64, 0..200u64), 1..300),
    ) {
        let mut cases = Cases::new(table(), 12).unwrap();
        // The slow way: who holds each case that is open.
        let mut model: BTreeMap<CaseId, (Urgency, Option<AgentId>)> = BTreeMap::new();
        let mut breached = BTreeSet::new();
        let mut next = 1;
        let mut now = Mono(0);
        for (step, agent, case, pass) in steps {
            now = Mono(now.0 + pass);
            let (agent, case) = (AgentId(agent), CaseId(case));
            let theirs = model.get(&case).is_some_and(|&(_, holder)| holder == Some(agent));
            match step {
                0 | 1 => {
                    let band = Band(u8::from(pass % 5 > 0));
                    let urgency = Urgency { band, breach: Mono(now.0 + 3 * pass) };
                    match cases.open(CaseId(next), CallId(0), urgency, now) {
                        Ok(()) => {
                            model.insert(CaseId(next), (urgency, None));
                            next += 1;
                        }
                        Err(refused) => prop_assert!(refused == Refused::Full && model.len() == 12),
                    }
                }
                2 | 3 => {
                    let first = model.iter().filter(|(_, (_, holder))| holder.is_none());
                    let first = first.map(|(&case, &(urgency, _))| (urgency, case)).min();
                    prop_assert_eq!(cases.take(agent, now), first.map(|(_, case)| case));
                    if let Some((urgency, case)) = first {
                        model.insert(case, (urgency, Some(agent)));
                    }
                }
                4 => {
                    prop_assert_eq!(cases.give_back(case, agent, now).is_ok(), theirs);
                    if theirs {
                        model.entry(case).and_modify(|(_, holder)| *holder = None);
                    }
                }
                5 => {
                    prop_assert_eq!(cases.close(case, agent, "advice", now).is_ok(), theirs);
                    if theirs {
                        model.remove(&case);
                    }
                }
                _ => {
                    let held = model.values().filter(|(_, holder)| *holder == Some(agent)).count();
                    prop_assert_eq!(gone(&mut cases, agent, now), held);
                    model.values_mut().filter(|(_, holder)| *holder == Some(agent)).for_each(|(_, holder)| *holder = None);
                }
            }
            while let Some(Breached { case, .. }) = cases.poll_output() {
                prop_assert!(breached.insert(case), "{} breached twice", case);
            }
            for (case, (urgency, holder)) in &model {
                prop_assert_eq!(cases.get(*case).map(|case| case.holder), Some(*holder));
                prop_assert_eq!(breached.contains(case), urgency.breach <= now, "{}", case);
            }
            prop_assert_eq!(cases.open_count(), model.len());
            cases = serde_json::from_str(&serde_json::to_string(&cases).unwrap()).unwrap();
        }
    }
}

#[test]
fn a_named_case_is_taken_from_the_middle_of_the_stack_once() {
    let mut cases = cases();
    let [first, second, third] = [600, 700, 800].map(|breach| opened(&mut cases, Band::ROUTINE, breach));
    cases.take_this(second, A, secs(1)).unwrap();
    assert!(cases.stack().eq([first, third]) && cases.held_of(A).eq([second]));
    assert_eq!(cases.take_this(second, B, secs(2)), Err(Refused::NotOnStack(second)));
    cases.give_back(second, A, secs(3)).unwrap();
    assert!(cases.stack().eq([first, second, third]));
}
