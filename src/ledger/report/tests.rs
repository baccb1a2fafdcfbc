//! Figures counted by hand, and what must hold for any calls.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::cbt::{Counts, Indicator};
use super::*;
use crate::acd::Band;
use crate::id::{CallId, CaseId, PromiseId};
use crate::ledger::{Error, Period};
use crate::time::Wall;

/// Monday 16 November 2026, 08:00 in London, in milliseconds.
const EIGHT: i64 = 1_794_816_000_000;

/// A call as a test states it.
#[derive(Clone, Debug)]
struct Call {
    /// Seconds after [`EIGHT`].
    at: i64,
    waited: u64,
    talked: u64,
    kind: Kind,
    practice: Option<&'static str>,
    emergency: bool,
    agent: Option<&'static str>,
    cli: Option<&'static str>,
    promise: Option<u64>,
    case: Option<u64>,
    disposition: Option<&'static str>,
}

#[derive(Default)]
struct Ledger {
    calls: Vec<Call>,
    promises: Vec<PromiseRow>,
    cases: Vec<CaseRow>,
    referrals: Vec<(String, Option<String>)>,
}

impl Rows for Ledger {
    fn each_call(&self, period: Period, each: &mut dyn FnMut(&CallRow<'_>)) -> Result<(), Error> {
        let mut calls: Vec<_> = self.calls.iter().enumerate().collect();
        calls.sort_by_key(|(_, call)| call.at);
        for (at, call) in calls {
            let row = CallRow {
                key: key(at as u64),
                arrived: arrived(call.at),
                waited: call.waited,
                lasted: call.waited + call.talked,
                trunk: "trunk",
                practice: call.practice,
                line: "line",
                band: if call.emergency { Band::EMERGENCY } else { Band::ROUTINE },
                cli: call.cli,
                kind: call.kind,
                agent: call.agent,
                promise: call.promise.map(PromiseId),
                case: call.case.map(CaseId),
                disposition: call.disposition,
            };
            if (period.from..period.to).contains(&row.arrived) {
                each(&row);
            }
        }
        Ok(())
    }

    fn promises(&self, _: Period) -> Result<Vec<PromiseRow>, Error> {
        Ok(self.promises.clone())
    }

    fn cases(&self, _: Period) -> Result<Vec<CaseRow>, Error> {
        Ok(self.cases.clone())
    }

    fn referrals(&self, _: Period) -> Result<Vec<(String, Option<String>)>, Error> {
        Ok(self.referrals.clone())
    }
}

fn key(call: u64) -> CallKey {
    CallKey { run: 1, call: CallId(call) }
}

fn arrived(at: i64) -> Wall {
    Wall(EIGHT + at * 1_000)
}

/// Waits and talks in seconds.
fn call(at: i64, kind: Kind, waited: u64, talked: u64) -> Call {
    Call {
        at,
        waited: waited * 1_000,
        talked: talked * 1_000,
        kind,
        practice: Some("Y00001"),
        emergency: false,
        agent: (kind == Kind::Answered).then_some("asha"),
        cli: None,
        promise: None,
        case: None,
        disposition: None,
    }
}

fn answered_999(at: i64, waited: u64) -> Call {
    Call { emergency: true, practice: None, ..call(at, Kind::Answered, waited, 60) }
}

fn london() -> Terms {
    Terms::plain(TimeZone::get("Europe/London").unwrap())
}

const EVER: Period = Period { from: Wall(i64::MIN), to: Wall(i64::MAX) };

fn told(ledger: &Ledger, terms: &Terms, scope: Scope<'_>, mut each: impl FnMut(&Told<'_>)) {
    let background = Background::read(ledger, scope, terms).unwrap();
    walk(ledger, scope, terms, &background, true, &mut each).unwrap();
}

fn ever(ledger: &Ledger, terms: &Terms, each: impl FnMut(&Told<'_>)) {
    told(ledger, terms, Scope { period: EVER, practice: None }, each);
}

/// How many calls count for each figure that is named.
fn traced<const N: usize>(ledger: &Ledger, terms: &Terms, names: [&str; N]) -> [u64; N] {
    let figures = names.map(|name| Figure::named(name).unwrap());
    let mut counts = [0; N];
    ever(ledger, terms, |told| {
        for (count, figure) in counts.iter_mut().zip(figures) {
            *count += u64::from(figure.counts(told, terms));
        }
    });
    counts
}

fn cbt_rows(ledger: &Ledger, terms: &Terms) -> Vec<String> {
    let mut counts = Counts::new(terms);
    ever(ledger, terms, |told| counts.add(told, terms));
    let line = |row: cbt::Row<'_>| {
        let cells = row.cells(terms);
        [5, 6, 7, 8, 9, 10].map(|at| cells[at].clone()).join("|")
    };
    counts.rows().map(line).collect()
}

fn items(ledger: &Ledger, terms: &Terms, mut sheet: Sheet) -> BTreeMap<&'static str, Option<Value>> {
    ever(ledger, terms, |told| sheet.add(told, terms));
    let (_, items) = sheet.items().pop().unwrap();
    items.into_iter().map(|item| (item.code, item.value)).collect()
}

/// Ten routine calls of one practice between 08:00 and 08:01, one at 18:30, one of no practice; and a 999 call.
fn morning() -> Ledger {
    let calls = vec![
        call(0, Kind::Answered, 60, 61),
        call(1, Kind::Answered, 61, 120),
        call(2, Kind::Answered, 301, 301),
        call(3, Kind::Abandoned, 29, 0),
        call(4, Kind::Abandoned, 30, 0),
        call(5, Kind::Abandoned, 130, 0),
        call(6, Kind::Refused, 0, 0),
        call(7, Kind::Lost, 10, 0),
        call(8, Kind::Released, 2_700, 0),
        call(9, Kind::Promised, 200, 0),
        Call { promise: Some(1), ..call(2_000, Kind::Answered, 20, 90) },
        Call { promise: Some(1), ..call(1_500, Kind::Unreached, 40, 0) },
        Call { promise: Some(1), ..call(1_200, Kind::Withdrawn, 10, 0) },
        call(37_800, Kind::Answered, 5, 10),
        Call { practice: None, ..call(10, Kind::Abandoned, 5, 0) },
        answered_999(11, 3),
    ];
    let promise = PromiseRow {
        key: key(9),
        arrived: arrived(9),
        line: "line".into(),
        trunk: "trunk".into(),
        practice: Some("Y00001".into()),
        outcome: Some("reached".into()),
        late: false,
        reached: Some(Reached { at: arrived(2_020), talked: 90_000 }),
    };
    Ledger { calls, promises: vec![promise], ..Ledger::default() }
}

#[test]
fn the_telephony_counts_of_a_morning_are_those_counted_by_hand() {
    let rows = cbt_rows(&morning(), &london());
    let expected = [
        // Ten from 08:00 to 08:01 and one at 18:30, which is 37,800 s after 08:00.
        "Unassigned|CBT001|08:00-09:59|||1",
        "Unassigned|CBT004|08:00-09:59|Up to 1 minute||1",
        "Y00001|CBT001|08:00-09:59|||10",
        "Y00001|CBT001|18:30-23:59|||1",
        // The refused one.
        "Y00001|CBT002|08:00-09:59|||1",
        // Waits of 60 and 5 s; of 61 s; of 301 s.
        "Y00001|CBT003|08:00-09:59|Up to 1 minute||1",
        "Y00001|CBT003|18:30-23:59|Up to 1 minute||1",
        "Y00001|CBT003|08:00-09:59|1 to 2 minutes||1",
        "Y00001|CBT003|08:00-09:59|Over 5 minutes||1",
        // Given up after 29, 30 and 130 s; lost after 10 s; led out after 2,700 s.
        "Y00001|CBT004|08:00-09:59|Up to 1 minute||3",
        "Y00001|CBT004|08:00-09:59|2 to 5 minutes||1",
        "Y00001|CBT004|08:00-09:59|Over 5 minutes||1",
        "Y00001|CBT005|08:00-09:59|||1",
        // One reached and one tried; the one withdrawn was not made.
        "Y00001|CBT006|08:00-09:59|||2",
        // Talks of 61 and 120 s; of 301 s; of 10 s.
        "Y00001|CBT007|18:30-23:59||Up to 1 minute|1",
        "Y00001|CBT007|08:00-09:59||1 to 2 minutes|2",
        "Y00001|CBT007|08:00-09:59||Over 5 minutes|1",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn an_answered_callback_counts_as_set() {
    let codes = ["CBT001", "CBT002", "CBT003", "CBT004", "CBT005", "CBT006", "CBT007"];
    let mut terms = london();
    assert_eq!(traced(&morning(), &terms, codes), [12, 1, 4, 6, 1, 2, 4]);
    terms.callbacks = CallbacksCount::Answered;
    assert_eq!(traced(&morning(), &terms, codes), [12, 1, 5, 6, 0, 2, 5]);
    // It waited from its arrival at 9 s until 2,020 s, and talked for 90 s.
    let rows = cbt_rows(&morning(), &terms);
    assert!(rows.contains(&"Y00001|CBT003|08:00-09:59|Over 5 minutes||2".to_owned()), "{rows:#?}");
    assert!(rows.contains(&"Y00001|CBT007|08:00-09:59||1 to 2 minutes|3".to_owned()), "{rows:#?}");
}

#[test]
fn answer_times_of_999_calls_are_those_counted_by_hand() {
    let mut ledger = morning();
    // With the 3 s of the morning: 1, 2, 3, 4, 130 s. Sum 140, mean 28, median the 3rd, all higher centiles the 5th.
    ledger.calls.extend([1, 2, 4, 130].map(|waited| answered_999(60, waited)));
    ledger.calls.push(Call { emergency: true, ..call(70, Kind::Abandoned, 500, 0) });
    let terms = london();
    let items = items(&ledger, &terms, Sheet::ambsys(None, &terms));
    let time = |code| match items[code] {
        Some(Value::Time(time)) => time.as_secs(),
        other => panic!("{code}: {other:?}"),
    };
    assert_eq!(items["A1"], Some(Value::Calls(5)));
    assert_eq!(["A2", "A3", "A4", "A114", "A5", "A6"].map(time), [140, 28, 3, 130, 130, 130]);
    assert_eq!(items["over-120s"], Some(Value::Calls(1)));
}

#[test]
fn hear_and_treat_counts_each_999_call_once_by_the_end_of_its_case() {
    let case = |call, disposition: Option<&str>, handed_to: Option<&str>| CaseRow {
        key: key(call),
        arrived: arrived(0),
        line: "line".into(),
        trunk: "trunk".into(),
        practice: None,
        late: false,
        referred_to: None,
        disposition: disposition.map(str::to_owned),
        handed_to: handed_to.map(str::to_owned),
    };
    let coded = |code| Call { disposition: Some(code), ..answered_999(0, 1) };
    let calls = vec![
        coded("21"),                                     // 0: advice
        coded("22"),                                     // 1: referral
        coded("99"),                                     // 2: an ambulance
        Call { agent: Some("pharmacy"), ..coded("99") }, // 3: the pathway took it over: referral
        coded("99"),                                     // 4: its case was closed with advice
        coded("21"),                                     // 5: its case is open: nothing yet
        coded("21"),                                     // 6: its case was handed over: referral
        Call { emergency: false, ..coded("21") },        // 7: no 999 call
        Call { case: Some(4), ..coded("21") },           // 8: the clinician's call about 4
        answered_999(0, 1),                              // 9: nothing was said of it
    ];
    let cases = vec![case(4, Some("21"), None), case(5, None, None), case(6, None, Some("pharmacy"))];
    let ledger = Ledger { calls, cases, ..Ledger::default() };
    let mut terms = london();
    terms.dispositions = [("21".to_owned(), Treated::Advice), ("22".to_owned(), Treated::Referral)].into();
    terms.pathways = ["pharmacy".to_owned()].into();
    // Advice: 0 and 4. Referral: 1, 3 and 6.
    assert_eq!(traced(&ledger, &terms, ["A17", "A18", "A19"]), [5, 2, 3]);
}

#[test]
fn a_caller_who_gave_up_soon_was_not_abandoned_in_the_iuc_adc() {
    let terms = london();
    let items = items(&morning(), &terms, Sheet::iuc(None, &terms));
    // 12 routine calls, 4 answered; given up after 29 s, 5 s: too soon; after 30 and 130 s: 2 of 12.
    let counts = ["A01", "A03", "B02", "abandoned-early"].map(|code| items[code]);
    assert_eq!(counts, [12, 4, 2, 2].map(|calls| Some(Value::Calls(calls))));
    let Some(Value::Percent(share)) = items["abandoned-share"] else { panic!("{items:?}") };
    assert!((share - 100.0 * 2.0 / 12.0).abs() < 1e-9);
}

#[test]
fn the_gp_contracts_metrics_are_those_counted_by_hand() {
    let terms = london();
    let items = items(&morning(), &terms, Sheet::gp(None, &terms));
    let counts = ["volume", "taken", "missed", "given-up", "callbacks-requested", "callbacks-made"];
    assert_eq!(counts.map(|code| items[code]), [12, 4, 6, 4, 1, 2].map(|calls| Some(Value::Calls(calls))));
    let millis = |code| match items[code] {
        Some(Value::Time(time)) => time.as_millis(),
        other => panic!("{code}: {other:?}"),
    };
    // Waits 5, 60, 61, 301: 427 / 4. Talks 10, 61, 120, 301: 492 / 4. Given up after 5, 29, 30, 130: 194 / 4.
    let times = ["time-to-answer", "time-to-answer-median", "time-to-answer-longest", "call-length"];
    assert_eq!(times.map(millis), [106_750, 60_000, 301_000, 123_000]);
    let times = ["wait-before-abandonment", "wait-before-abandonment-median", "wait-before-abandonment-95"];
    assert_eq!(times.map(millis), [48_500, 29_000, 130_000]);
}

#[test]
fn redials_and_repeat_calls_are_told_by_the_stored_number() {
    let by = |cli, call: Call| Call { cli: Some(cli), ..call };
    let day = 24 * 3_600;
    let calls = vec![
        by("a", call(0, Kind::Abandoned, 60, 0)),
        // It gave up at 60 s: twenty minutes later is 1,260 s.
        by("a", call(1_260, Kind::Abandoned, 0, 0)),
        by("a", call(1_260 + 1_201, Kind::Answered, 1, 1)),
        by("a", call(1_260 + 1_201 + 10, Kind::Answered, 1, 1)),
        by("b", call(5, Kind::Answered, 1, 1)),
        by("b", call(5 + day, Kind::Answered, 1, 1)),
        by("b", call(6 + 2 * day, Kind::Answered, 1, 1)),
        Call { cli: None, ..call(7, Kind::Abandoned, 1, 0) },
        // A call that we made is no caller's.
        Call { promise: Some(1), ..by("a", call(100, Kind::Answered, 1, 1)) },
    ];
    let ledger = Ledger { calls, ..Ledger::default() };
    let terms = london();
    // Redial: a's second. Repeats: a's second, third and fourth; b's second, a whole day later and not more.
    assert_eq!(traced(&ledger, &terms, ["redials", "repeats", "unnumbered", "calls"]), [1, 4, 1, 8]);
    // A period that begins with a's second call knows of the first all the same.
    let scope = Scope { period: Period { from: arrived(1_260), to: arrived(1_261) }, practice: None };
    let mut found = Vec::new();
    told(&ledger, &terms, scope, |told| found.push(told.again));
    assert_eq!(found, [Again::Redial]);
}

#[test]
fn groups_are_named_as_the_configuration_has_them() {
    let mut terms = london();
    let practice =
        Practice { name: "Elm Tree Surgery".into(), has_ods: true, fifth: Some(2), ..Practice::default() };
    terms.practices.insert("Y00001".into(), practice);
    terms.teams.insert("asha".into(), vec!["help".into(), "navigators".into()]);
    terms.line_teams.insert("line".into(), vec!["navigators".into()]);
    let names = |by, practice: Option<&str>| {
        let summary = Summary::of(&morning(), Scope { period: EVER, practice }, by, &terms).unwrap();
        summary
            .waits
            .lines
            .iter()
            .map(|(name, figures)| format!("{name}:{}", figures.calls))
            .collect::<Vec<_>>()
    };
    // Eleven of the practice, one of none, one 999 call of none; five are answered, one of them at 18:30.
    assert_eq!(names(By::Line, None), ["line:13"]);
    assert_eq!(names(By::Practice, None), ["Unassigned:2", "Y00001:11"]);
    assert_eq!(names(By::Fifth, None), ["2:11", "unknown:2"]);
    assert_eq!(names(By::Hour, None), ["08:00:12", "18:00:1"]);
    assert_eq!(names(By::Team, None), ["navigators:5", "unanswered:8"]);
    assert_eq!(names(By::Practice, Some("Elm Tree Surgery")), ["Y00001:11"]);
    assert_eq!(names(By::Practice, Some("Y00001")), ["Y00001:11"]);
    assert_eq!(names(By::Practice, Some("Y00002")), [""; 0]);
}

#[test]
fn referrals_are_counted_by_pathway_and_outcome() {
    let outcomes = ["acknowledged", "acknowledged", "declined", "unacknowledged", "withdrawn"].map(Some);
    let mut referrals: Vec<_> =
        outcomes.iter().chain([&None]).map(|of| ("falls".to_owned(), of.map(str::to_owned))).collect();
    referrals.push(("pharmacy".to_owned(), Some("unacknowledged".to_owned())));
    let ledger = Ledger { referrals, ..Ledger::default() };
    let of = |practice| {
        Summary::of(&ledger, Scope { period: EVER, practice }, By::Line, &london()).unwrap().referrals
    };
    let falls = Referrals { made: 6, acknowledged: 2, declined: 1, unacknowledged: 1, withdrawn: 1, open: 1 };
    let pharmacy = Referrals { made: 1, unacknowledged: 1, ..Referrals::default() };
    assert_eq!(of(None), [("falls".to_owned(), falls), ("pharmacy".to_owned(), pharmacy)].into());
    assert_eq!(of(Some("Y00001")), BTreeMap::new());
}

#[test]
fn a_practice_without_an_ods_code_is_unassigned() {
    let mut terms = london();
    terms.practices.insert("LARCHE".into(), Practice { name: "LARCHE".into(), ..Practice::default() });
    let of = |practice| {
        let ledger =
            Ledger { calls: vec![Call { practice, ..call(0, Kind::Refused, 0, 0) }], ..Ledger::default() };
        let row = cbt_rows(&ledger, &terms).remove(0);
        row.split('|').next().unwrap().to_owned()
    };
    let cases = [
        (Some("Y00001"), "Y00001"),
        (Some("Elm Tree"), "Unassigned"),
        (Some("LARCHE"), "Unassigned"),
        (None, "Unassigned"),
    ];
    for (practice, shown) in cases {
        assert_eq!(of(practice), shown, "{practice:?}");
    }
}

#[test]
fn half_hours_are_those_of_the_clock_on_the_wall() {
    let terms = london();
    // 16 July 2026 is 123 days before 16 November: 08:00 in winter is 09:00 in summer.
    let calls = vec![
        call(1_799, Kind::Answered, 7, 1),
        call(1_800, Kind::Abandoned, 9, 0),
        call(-123 * 86_400, Kind::Refused, 0, 0),
    ];
    let mut day = Day::new(&terms);
    ever(&Ledger { calls, ..Ledger::default() }, &terms, |told| day.add(told));
    let half_hours = day.half_hours();
    let counts = |at: usize| (half_hours[at].calls, half_hours[at].answered, half_hours[at].abandoned);
    assert_eq!([counts(16), counts(17), counts(18)], [(1, 1, 0), (1, 0, 1), (1, 0, 0)]);
    assert_eq!(half_hours.iter().map(|of| of.calls).sum::<u64>(), 3);
}

fn any_call() -> impl Strategy<Value = Call> {
    let kinds = [Kind::Answered, Kind::Abandoned, Kind::Refused, Kind::Lost, Kind::Released, Kind::Promised];
    let made = [Kind::Answered, Kind::Lost, Kind::Unreached, Kind::Withdrawn];
    let own = (prop::sample::select(kinds.to_vec()), Just((None, None)));
    let ours =
        (prop::sample::select(made.to_vec()), prop_oneof![Just((Some(7), None)), Just((None, Some(7)))]);
    let practices = vec![Some("Y00001"), Some("A81001"), Some("Elm Tree"), None];
    let numbers = vec![Some("a"), Some("b"), None];
    (
        prop_oneof![3 => own.boxed(), 1 => ours.boxed()],
        (-200_000i64..200_000, 0u64..400_000, 0u64..400_000),
        prop::sample::select(practices),
        any::<bool>(),
        prop::sample::select(numbers),
    )
        .prop_map(|((kind, (promise, case)), (at, waited, talked), practice, emergency, cli)| Call {
            waited,
            talked,
            practice,
            emergency,
            cli,
            promise,
            case,
            ..call(at, kind, 0, 0)
        })
}

proptest! {
    /// CBT001 = 002 + 003 + 004 + 005 and CBT007 = CBT003: in each practice, day and band, whatever callbacks count as; and
    /// what is traced is what is counted.
    #[test]
    fn the_telephony_counts_add_up(
        calls in prop::collection::vec(any_call(), 0..80),
        reached in prop::collection::vec((0usize..80, 0i64..9_000_000, 0u64..400_000), 0..20),
        as_answered in any::<bool>(),
    ) {
        let promise = |(of, after, talked): (usize, i64, u64)| {
            let call = calls.get(of).filter(|call| call.kind == Kind::Promised)?;
            Some(PromiseRow {
                key: key(of as u64), arrived: arrived(call.at), line: String::new(), trunk: String::new(), practice: None,
                outcome: Some("reached".into()), late: false, reached: Some(Reached { at: arrived(call.at) + std::time::Duration::from_millis(after.unsigned_abs()), talked }),
            })
        };
        let ledger = Ledger { promises: reached.into_iter().filter_map(promise).collect(), calls, ..Ledger::default() };
        let mut terms = london();
        terms.callbacks = if as_answered { CallbacksCount::Answered } else { CallbacksCount::Requested };
        let mut counts = Counts::new(&terms);
        ever(&ledger, &terms, |told| counts.add(told, &terms));
        let mut sums: BTreeMap<_, BTreeMap<Indicator, u64>> = BTreeMap::new();
        for row in counts.rows() {
            let of = sums.entry((row.date, row.practice, row.time)).or_default();
            *of.entry(row.indicator).or_default() += row.value;
        }
        for (place, sums) in &sums {
            let sum = |indicator| sums.get(&indicator).copied().unwrap_or(0);
            use Indicator::*;
            prop_assert_eq!(sum(Cbt001), sum(Cbt002) + sum(Cbt003) + sum(Cbt004) + sum(Cbt005), "{:?}", place);
            prop_assert_eq!(sum(Cbt007), sum(Cbt003), "{:?}", place);
        }
        let codes = Indicator::ALL.map(Indicator::code);
        for (indicator, traced) in Indicator::ALL.into_iter().zip(traced(&ledger, &terms, codes)) {
            let counted: u64 = sums.values().filter_map(|sums| sums.get(&indicator)).sum();
            prop_assert_eq!(counted, traced, "{:?}", indicator);
        }
        // Every routine call of a caller is an external inbound call, and no other.
        let routine = ledger.calls.iter().filter(|call| !call.emergency && call.promise.is_none() && call.case.is_none());
        prop_assert_eq!(traced(&ledger, &terms, ["CBT001", "A01"]), [routine.count() as u64; 2]);
    }

    /// Advice and referrals are all there is of hear and treat; what is abandoned is so early or late.
    #[test]
    fn parts_add_up_to_their_wholes(calls in prop::collection::vec(any_call(), 0..60)) {
        let ledger = Ledger { calls, ..Ledger::default() };
        let terms = london();
        let parts = ["A17", "A18", "A19", "given-up", "B02", "abandoned-early", "calls"];
        let [both, advice, referral, given_up, late, early, calls] = traced(&ledger, &terms, parts);
        prop_assert_eq!(both, advice + referral);
        prop_assert_eq!(given_up, late + early);
        let outcomes = ["answered", "abandoned", "refused", "lost", "released", "promised"];
        prop_assert_eq!(calls, traced(&ledger, &terms, outcomes).iter().sum::<u64>());
    }
}
