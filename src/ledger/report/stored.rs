//! The rows of reports from a stored ledger: one moment of it, however long a report takes.

use crate::id::{CallId, CaseId, PromiseId};
use crate::time::Wall;

use super::super::reader::Moment;
use super::super::store::open::band;
use super::super::store::{Row, Value};
use super::super::words::Kind;
use super::super::{Error, Period};
use super::rows::{CallKey, CallRow, CaseRow, PromiseRow, Reached, Rows};

/// How far a promise or a case may lie from the arrival of its call, which is what an index is asked for: far more
/// than a call lasts. In milliseconds.
const SLACK: i64 = 2 * 86_400_000;

const CALLS: &str = "SELECT run, call, arrived_ms, waited_ms, lasted_ms, trunk, practice, line, band, cli, outcome, \
    agent, promise, about, disposition FROM calls WHERE arrived_ms >= $1 AND arrived_ms < $2 ORDER BY arrived_ms, id";

/// Values are numbered in the order in which they stand: to SQLite `$2` is a name and no number.
///
/// Of the calls made for a promise the first that was answered is the one that kept it.
const PROMISES: &str = "SELECT p.run, p.call, coalesce(c.arrived_ms, p.promised_ms), p.line, p.trunk, p.practice, \
    p.outcome, p.escalated, b.arrived_ms + b.waited_ms, b.lasted_ms - b.waited_ms \
    FROM promises p LEFT JOIN calls c ON c.run = p.run AND c.call = p.call \
    LEFT JOIN calls b ON b.id = (SELECT k.id FROM calls k WHERE k.promise = p.id AND k.outcome = 'answered' \
        ORDER BY k.arrived_ms, k.id LIMIT 1) \
    WHERE coalesce(c.arrived_ms, p.promised_ms) >= $1 AND coalesce(c.arrived_ms, p.promised_ms) < $2 \
    AND p.promised_ms >= $3 AND p.promised_ms < $4 \
    ORDER BY coalesce(c.arrived_ms, p.promised_ms), p.id";

const CASES: &str = "SELECT k.run, k.call, coalesce(c.arrived_ms, k.opened_ms), k.line, k.trunk, k.practice, \
    k.breached, k.pathway, k.disposition, k.handed_to, k.closed_ms \
    FROM cases k LEFT JOIN calls c ON c.run = k.run AND c.call = k.call \
    WHERE coalesce(c.arrived_ms, k.opened_ms) >= $1 AND coalesce(c.arrived_ms, k.opened_ms) < $2 \
    AND k.opened_ms >= $3 AND k.opened_ms < $4 \
    ORDER BY coalesce(c.arrived_ms, k.opened_ms), k.id";

const REFERRALS: &str =
    "SELECT pathway, outcome FROM referrals WHERE opened_ms >= $1 AND opened_ms < $2 ORDER BY id";

impl Rows for Moment<'_> {
    fn each_call(&self, period: Period, each: &mut dyn FnMut(&CallRow<'_>)) -> Result<(), Error> {
        self.query(CALLS, &around(period)[..2], &mut |row| {
            each(&CallRow {
                key: key(row)?,
                arrived: Wall(row.int(2)?),
                waited: row.int(3)?.unsigned_abs(),
                lasted: row.int(4)?.unsigned_abs(),
                trunk: row.text(5)?,
                practice: row.maybe_text(6)?,
                line: row.text(7)?,
                band: band(row.int(8)?)?,
                cli: row.maybe_text(9)?,
                kind: Kind::named(row.text(10)?)?,
                agent: row.maybe_text(11)?,
                promise: row.maybe_int(12)?.map(|promise| PromiseId(promise.cast_unsigned())),
                case: row.maybe_int(13)?.map(|case| CaseId(case.cast_unsigned())),
                disposition: row.maybe_text(14)?,
            });
            Ok(())
        })
    }

    fn promises(&self, period: Period) -> Result<Vec<PromiseRow>, Error> {
        let mut promises = Vec::new();
        self.query(PROMISES, &around(period), &mut |row| {
            let reached = row.maybe_int(8)?.zip(row.maybe_int(9)?);
            promises.push(PromiseRow {
                key: key(row)?,
                arrived: Wall(row.int(2)?),
                line: row.text(3)?.to_owned(),
                trunk: row.text(4)?.to_owned(),
                practice: row.maybe_string(5)?,
                outcome: row.maybe_string(6)?,
                late: row.flag(7)?,
                reached: reached
                    .map(|(at, talked)| Reached { at: Wall(at), talked: talked.max(0).unsigned_abs() }),
            });
            Ok(())
        })?;
        Ok(promises)
    }

    fn cases(&self, period: Period) -> Result<Vec<CaseRow>, Error> {
        let mut cases = Vec::new();
        self.query(CASES, &around(period), &mut |row| {
            let closed = row.maybe_int(10)?.is_some();
            cases.push(CaseRow {
                key: key(row)?,
                arrived: Wall(row.int(2)?),
                line: row.text(3)?.to_owned(),
                trunk: row.text(4)?.to_owned(),
                practice: row.maybe_string(5)?,
                late: row.flag(6)?,
                referred_to: row.maybe_string(7)?.filter(|_| !closed),
                disposition: row.maybe_string(8)?,
                handed_to: row.maybe_string(9)?,
            });
            Ok(())
        })?;
        Ok(cases)
    }

    fn referrals(&self, period: Period) -> Result<Vec<(String, Option<String>)>, Error> {
        let mut referrals = Vec::new();
        self.query(REFERRALS, &around(period)[..2], &mut |row| {
            referrals.push((row.text(0)?.to_owned(), row.maybe_string(1)?));
            Ok(())
        })?;
        Ok(referrals)
    }
}

/// The period, and the same with slack on either side.
fn around(Period { from, to }: Period) -> [Value<'static>; 4] {
    [from.0, to.0, from.0.saturating_sub(SLACK), to.0.saturating_add(SLACK)].map(Value::from)
}

fn key(row: Row<'_>) -> Result<CallKey, Error> {
    Ok(CallKey { run: row.int(0)?, call: CallId(row.int(1)?.cast_unsigned()) })
}
