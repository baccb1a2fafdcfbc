//! What is written, as rows: the same statements for both databases.
//!
//! Each may be done again, by a replay or after an answer that did not come, and adds nothing twice.

use super::millis;
use super::row::Value;
use crate::call::record::{CallRecord, CaseOutcome, Stage};
use crate::ledger::event::ReferralRow;
use crate::ledger::words::{self, Kind};
use crate::ledger::{CaseEntry, Entry, EventEntry, Note, PromiseEntry};

/// A call. One that is there already is left as it is but for a disposition that was given after its end.
const CALL: &str = "INSERT INTO calls (run, call, sip_call_id, trunk, practice, line, band, ddi, cli, arrived_ms, \
    waited_ms, lasted_ms, outcome, agent, ended_by, code, promise, about, disposition) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
    ON CONFLICT (run, call) DO UPDATE SET disposition = excluded.disposition \
    WHERE excluded.disposition IS NOT NULL AND excluded.disposition IS DISTINCT FROM calls.disposition";

/// A stage of a call. RETURNING would give the call's id, at the price of a temporary table or a round of its own.
const SEGMENT: &str = "INSERT INTO segments (call, seq, stage, agent, result, from_ms, to_ms, target) \
    VALUES ((SELECT id FROM calls WHERE run = $1 AND call = $2), $3, $4, $5, $6, $7, $8, $9) \
    ON CONFLICT (call, seq) DO NOTHING";

/// A promise. One that is there takes the state, unless it has a newer one.
const PROMISE: &str = "INSERT INTO promises (id, run, call, line, trunk, practice, band, ddi, number, cli, arrived_ms, \
    promised_ms, next_ms, breach_ms, expires_ms, missed, escalated, revision, outcome, why, settled_ms) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) \
    ON CONFLICT (id) DO UPDATE SET line = excluded.line, band = excluded.band, number = excluded.number, \
    arrived_ms = excluded.arrived_ms, next_ms = excluded.next_ms, missed = excluded.missed, \
    escalated = excluded.escalated, revision = excluded.revision, outcome = excluded.outcome, \
    why = excluded.why, settled_ms = excluded.settled_ms \
    WHERE promises.settled_ms IS NULL AND excluded.revision >= promises.revision";

/// A case, in the same way.
const CASE: &str = "INSERT INTO cases (id, run, call, stack, line, trunk, practice, band, ddi, number, cli, opened_ms, \
    breach_ms, breached, holder, pathway, revision, disposition, handed_to, closed_ms) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) \
    ON CONFLICT (id) DO UPDATE SET stack = excluded.stack, number = excluded.number, \
    breached = excluded.breached, holder = excluded.holder, pathway = excluded.pathway, \
    revision = excluded.revision, disposition = excluded.disposition, handed_to = excluded.handed_to, \
    closed_ms = excluded.closed_ms \
    WHERE cases.closed_ms IS NULL AND excluded.revision >= cases.revision";

/// An event, which is never changed.
const EVENT: &str = "INSERT INTO events (run, seq, at_ms, kind, call, line, trunk, agent, rule, plan, detail) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (at_ms, run, seq) DO NOTHING";

/// A referral, when it is made and when it is over.
const REFERRAL: &str = "INSERT INTO referrals (run, referral, pathway, agent, opened_ms, outcome, settled_ms) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (run, referral) DO UPDATE SET outcome = excluded.outcome, settled_ms = excluded.settled_ms \
    WHERE referrals.outcome IS NULL AND excluded.outcome IS NOT NULL";

/// All of them, to be prepared.
pub(super) const WRITES: [&str; 6] = [CALL, SEGMENT, PROMISE, CASE, EVENT, REFERRAL];

/// One statement and what goes into it.
pub(super) struct Statement<'a> {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value<'a>>,
    /// Whether the rows that it makes or changes stand for records.
    pub(super) counts: bool,
}

/// Appends what writes `note`, in the order in which it has to be done.
pub(super) fn statements<'a>(note: &'a Note, all: &mut Vec<Statement<'a>>) {
    let mut add = |sql, values, counts| all.push(Statement { sql, values, counts });
    match note {
        Note::Call(Entry { run, record }) => {
            add(CALL, call(*run, record), true);
            let segments = (0..).zip(&record.segments);
            segments.for_each(|(seq, segment)| {
                let call = [Value::Int(*run), record.call.0.cast_signed().into(), Value::Int(seq)];
                let (agent, result, target) = match &segment.stage {
                    Stage::Queue => (None, None, None),
                    Stage::Presented { agent, result } => (Some(agent), Some(words::result(*result)), None),
                    Stage::Dial { agent } | Stage::Talk { agent } => (Some(agent), None, None),
                    Stage::Transfer { agent, to } => (Some(agent), None, Some(to)),
                };
                let stage = [
                    words::stage(&segment.stage).into(),
                    agent.map(String::as_str).into(),
                    result.into(),
                    millis(segment.from).into(),
                    millis(segment.to).into(),
                    target.map(String::as_str).into(),
                ];
                add(SEGMENT, [&call[..], &stage].concat(), false);
            });
        }
        Note::Promise(entry) => add(PROMISE, promise(entry), true),
        Note::Case(entry) => add(CASE, case(entry), true),
        Note::Event(entry) => {
            add(EVENT, event(entry), true);
            if let Some(row) = &entry.event.referral {
                add(REFERRAL, referral(entry, row), false);
            }
        }
    }
}

fn event(EventEntry { run, event }: &EventEntry) -> Vec<Value<'_>> {
    vec![
        (*run).into(),
        event.circumstances.seq.into(),
        event.circumstances.at.0.into(),
        (&event.kind).into(),
        event.call.map(u64::cast_signed).into(),
        (&event.line).into(),
        (&event.trunk).into(),
        (&event.agent).into(),
        (&event.rule).into(),
        (&event.circumstances.plan).into(),
        (&event.detail).into(),
    ]
}

fn referral<'a>(entry: &EventEntry, row: &'a ReferralRow) -> Vec<Value<'a>> {
    let at = entry.event.circumstances.at.0;
    vec![
        entry.run.into(),
        row.referral.cast_signed().into(),
        (&row.pathway).into(),
        (&row.agent).into(),
        at.into(),
        (&row.outcome).into(),
        row.outcome.as_ref().map(|_| at).into(),
    ]
}

fn call(run: i64, record: &CallRecord) -> Vec<Value<'_>> {
    let (agent, ended_by, code) = words::particulars(&record.outcome);
    vec![
        run.into(),
        record.call.0.cast_signed().into(),
        (&record.sip_call_id).into(),
        (&record.trunk).into(),
        (&record.practice).into(),
        (&record.line).into(),
        i64::from(record.band.0).into(),
        (&record.ddi).into(),
        (&record.cli).into(),
        record.arrived.0.into(),
        millis(record.waited).into(),
        millis(record.lasted).into(),
        Kind::of(&record.outcome).word().into(),
        agent.into(),
        ended_by.into(),
        code.map(i64::from).into(),
        record.promise.map(|promise| promise.0.cast_signed()).into(),
        record.case.map(|case| case.0.cast_signed()).into(),
        (&record.disposition).into(),
    ]
}

fn promise(PromiseEntry { run, promise }: &PromiseEntry) -> Vec<Value<'_>> {
    let (outcome, why) = match promise.settled.map(|(outcome, _)| words::promise_outcome(outcome)) {
        Some((outcome, why)) => (Some(outcome), why),
        None => (None, None),
    };
    vec![
        promise.promise.0.cast_signed().into(),
        (*run).into(),
        promise.call.0.cast_signed().into(),
        (&promise.line).into(),
        (&promise.trunk).into(),
        (&promise.practice).into(),
        i64::from(promise.band.0).into(),
        (&promise.ddi).into(),
        (&promise.number).into(),
        (&promise.cli).into(),
        promise.arrived.0.into(),
        promise.promised.0.into(),
        promise.next.0.into(),
        promise.breach.0.into(),
        promise.expires.0.into(),
        i64::from(promise.missed).into(),
        i64::from(promise.escalated).into(),
        i64::from(promise.revision).into(),
        outcome.into(),
        why.into(),
        promise.settled.map(|(_, at)| at.0).into(),
    ]
}

fn case(CaseEntry { run, case }: &CaseEntry) -> Vec<Value<'_>> {
    let (disposition, handed_to) = match case.closed.as_ref().map(|(outcome, _)| outcome) {
        Some(CaseOutcome::Disposed(code)) => (Some(code.as_str()), None),
        Some(CaseOutcome::HandedOver(pathway)) => (None, Some(pathway.as_str())),
        None => (None, None),
    };
    vec![
        case.case.0.cast_signed().into(),
        (*run).into(),
        case.call.0.cast_signed().into(),
        (&case.stack).into(),
        (&case.line).into(),
        (&case.trunk).into(),
        (&case.practice).into(),
        i64::from(case.band.0).into(),
        (&case.ddi).into(),
        (&case.number).into(),
        (&case.cli).into(),
        case.opened.0.into(),
        case.breach.0.into(),
        i64::from(case.breached).into(),
        (&case.holder).into(),
        (&case.pathway).into(),
        i64::from(case.revision).into(),
        disposition.into(),
        handed_to.into(),
        case.closed.as_ref().map(|(_, at)| at.0).into(),
    ]
}
