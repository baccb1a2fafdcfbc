//! Ledgers of made-up calls, with promises, callbacks, cases and callers who ring again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hearken::acd::callback::Miss;
use hearken::acd::{Band, pathway};
use hearken::call::record::{
    CallRecord, CaseOutcome, CaseRecord, EndedBy, Outcome, Presentation, PromiseOutcome, PromiseRecord,
    Segment, Stage,
};
use hearken::id::{CallId, CaseId, PromiseId, ReferralId};
use hearken::ledger::{CliStorage, Keep, Ledger, Settings};
use hearken::switch::Event;
use hearken::time::Wall;

/// 24 October 2026, 12:00 in UTC, eleven hours before the period of the reports; in milliseconds.
const NOON: i64 = 1_792_843_200_000;
/// How long calls come: until 14 hours after the period.
const LENGTH: u64 = 74 * 3_600_000;

/// Numbers that look random and are the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    /// A wait or a talk, often at the edge of what it counts as.
    fn length(&mut self) -> Duration {
        let edges = [0, 29_999, 30_000, 60_000, 60_001, 120_000, 120_001, 300_000, 300_001];
        let millis = if self.below(3) == 0 { self.one_of(&edges) } else { self.below(400_000) };
        Duration::from_millis(millis)
    }
}

/// Writes `calls` callers' calls, and what came of them, into a new ledger in a file.
pub(crate) fn write(path: &Path, seed: u64, calls: u64) {
    write_to(path, path, seed, calls);
}

/// The same into whatever database, with the ledger's other files beside a path.
pub(crate) fn write_to(database: &Path, beside: &Path, seed: u64, calls: u64) {
    let settings = Settings {
        path: database.to_owned(),
        cli: CliStorage::Hash,
        key_path: beside.with_extension("key"),
        spool: 100_000,
        side_file: beside.with_extension("side"),
        keep: Keep::default(),
        run: None,
    };
    let ledger = Ledger::open(settings).unwrap();
    let mut dice = Dice(seed);
    let mut arrivals: Vec<i64> = (0..calls).map(|_| NOON + dice.below(LENGTH).cast_signed()).collect();
    arrivals.sort_unstable();
    // Callbacks have numbers of their own, behind those of callers' calls.
    let mut ours = calls;
    for (call, arrived) in (1..).zip(arrivals) {
        let record = caller(&mut dice, call, arrived);
        match &record.outcome {
            Outcome::Promised => promise(&mut dice, &ledger, &record, &mut ours),
            Outcome::Answered { .. } if dice.below(3) == 0 => case(&mut dice, &ledger, &record),
            _ => {}
        }
        if dice.below(3) == 0 {
            referral(&mut dice, &ledger, call, Wall(arrived));
        }
        ledger.write(record);
    }
    assert!(ledger.flush(Duration::from_secs(60)));
    assert_eq!(ledger.close().rejected, 0);
}

fn caller(dice: &mut Dice, call: u64, arrived: i64) -> CallRecord {
    let emergency = dice.below(4) == 0;
    let practices = [Some("Y00001"), Some("Y00002"), Some("mill-lane"), None];
    let practice = if emergency { None } else { dice.one_of(&practices).map(str::to_owned) };
    let agent = dice.one_of(&["asha", "asha", "ben", "pharmacy"]).to_owned();
    let answered = Outcome::Answered { agent: agent.clone(), ended_by: EndedBy::Caller };
    let outcomes = [
        answered.clone(),
        answered.clone(),
        answered,
        Outcome::Abandoned,
        Outcome::Abandoned,
        Outcome::Refused { code: 503 },
        Outcome::Released { why: hearken::acd::Leaving::WaitedTooLong },
        Outcome::Lost { ended_by: EndedBy::DeadPeer },
        Outcome::Promised,
    ];
    let outcome = dice.one_of(&outcomes);
    let waited = if matches!(outcome, Outcome::Refused { .. }) { Duration::ZERO } else { dice.length() };
    let talked = if matches!(outcome, Outcome::Answered { .. }) { dice.length() } else { Duration::ZERO };
    let code = dice.one_of(&[None, Some("21"), Some("22"), Some("23")]);
    let line = if emergency { "emergency" } else { "elm-tree" };
    let presented = Stage::Presented { agent, result: Presentation::Answered };
    CallRecord {
        call: CallId(call),
        sip_call_id: format!("{call}@example"),
        promise: None,
        case: None,
        trunk: if emergency { "as-999".into() } else { "elm-tree".into() },
        practice,
        line: line.into(),
        band: if emergency { Band::EMERGENCY } else { Band::ROUTINE },
        ddi: "+442079460000".into(),
        // Few numbers, so that many ring again.
        cli: (dice.below(8) > 0).then(|| format!("+4420794601{:02}", dice.below(60))),
        arrived: Wall(arrived),
        waited,
        lasted: waited + talked,
        segments: vec![
            Segment { stage: Stage::Queue, from: Duration::ZERO, to: waited },
            Segment { stage: presented, from: waited / 2, to: waited },
        ],
        disposition: code.filter(|_| matches!(outcome, Outcome::Answered { .. })).map(str::to_owned),
        outcome,
    }
}

/// The promise of a call, and the calls that were made for it.
fn promise(dice: &mut Dice, ledger: &Ledger, of: &CallRecord, ours: &mut u64) {
    let id = PromiseId(1_000_000 + of.call.0);
    let promised = Wall(of.arrived.0 + millis(of.lasted));
    let mut due = promised.0 + dice.below(20_000_000).cast_signed();
    let outcomes = [
        None,
        Some(PromiseOutcome::Reached),
        Some(PromiseOutcome::Reached),
        Some(PromiseOutcome::Unreached(Miss::NoAnswer)),
        Some(PromiseOutcome::OwnCall),
        Some(PromiseOutcome::Expired),
        Some(PromiseOutcome::Merged),
        Some(PromiseOutcome::Cancelled),
    ];
    let outcome = dice.one_of(&outcomes);
    let answered = Outcome::Answered { agent: "asha".into(), ended_by: EndedBy::Agent };
    let unreached = Outcome::Unreached { why: Miss::NoAnswer };
    let tries = match outcome {
        Some(PromiseOutcome::Reached) => vec![Outcome::Withdrawn, unreached, answered],
        Some(PromiseOutcome::Unreached(_)) => vec![unreached.clone(), unreached],
        _ => Vec::new(),
    };
    for outcome in tries {
        *ours += 1;
        let (waited, talked) = (dice.length(), dice.length());
        let lasted = if matches!(outcome, Outcome::Answered { .. }) { waited + talked } else { waited };
        let call = CallRecord {
            call: CallId(*ours),
            promise: Some(id),
            arrived: Wall(due),
            waited,
            lasted,
            outcome,
            disposition: None,
            ..of.clone()
        };
        ledger.write(call);
        due += 600_000;
    }
    ledger.write_promise(PromiseRecord {
        promise: id,
        call: of.call,
        line: of.line.clone(),
        trunk: of.trunk.clone(),
        practice: of.practice.clone(),
        band: of.band,
        ddi: of.ddi.clone(),
        number: Some("+442079460123".into()),
        cli: None,
        arrived: of.arrived,
        promised,
        next: promised,
        breach: promised,
        expires: promised,
        missed: 0,
        escalated: dice.below(2) == 0,
        revision: 0,
        settled: outcome.map(|outcome| (outcome, Wall(due))),
    });
}

fn case(dice: &mut Dice, ledger: &Ledger, of: &CallRecord) {
    let opened = Wall(of.arrived.0 + millis(of.lasted));
    let outcomes = [
        None,
        Some(CaseOutcome::Disposed("21".into())),
        Some(CaseOutcome::Disposed("22".into())),
        Some(CaseOutcome::Disposed("23".into())),
        Some(CaseOutcome::HandedOver("pharmacy".into())),
    ];
    let outcome = dice.one_of(&outcomes);
    ledger.write_case(CaseRecord {
        case: CaseId(2_000_000 + of.call.0),
        call: of.call,
        stack: "call-backs".into(),
        line: of.line.clone(),
        trunk: of.trunk.clone(),
        practice: of.practice.clone(),
        band: of.band,
        ddi: of.ddi.clone(),
        number: Some("+442079460123".into()),
        cli: None,
        opened,
        breach: opened,
        breached: dice.below(2) == 0,
        holder: None,
        pathway: dice.one_of(&[None, Some("pharmacy".to_owned())]),
        revision: 0,
        closed: outcome.map(|outcome| (outcome, opened)),
    });
}

/// A referral to one of two pathways, and what came of it.
fn referral(dice: &mut Dice, ledger: &Ledger, number: u64, at: Wall) {
    let plan: Arc<str> = "plan".into();
    let (referral, agent) = (ReferralId(number), "asha".to_owned());
    let pathway = dice.one_of(&["falls", "pharmacy"]).to_owned();
    ledger.write_event(
        at,
        &plan,
        Event::Referred { referral, pathway: pathway.clone(), agent: agent.clone() },
    );
    let outcomes = [
        None,
        Some(pathway::Outcome::Acknowledged),
        Some(pathway::Outcome::Declined),
        Some(pathway::Outcome::Unacknowledged),
        Some(pathway::Outcome::Withdrawn),
    ];
    if let Some(outcome) = dice.one_of(&outcomes) {
        let at = Wall(at.0 + dice.below(600_000).cast_signed());
        ledger.write_event(at, &plan, Event::ReferralEnded { referral, pathway, agent, outcome });
    }
}

fn millis(duration: Duration) -> i64 {
    duration.as_millis() as i64
}
