//! The rows of reports from SQLite: one moment of the ledger, however long a report takes.

use rusqlite::{Row, Transaction, params};

use crate::acd::Band;
use crate::id::{CallId, CaseId, PromiseId};
use crate::time::Wall;

use super::super::words::Kind;
use super::super::{Error, Period, Reader};
use super::rows::{CallKey, CallRow, CaseRow, PromiseRow, Reached, Rows};

/// How far a promise or a case may lie from the arrival of its call, which is what an index is asked for: far more
/// than a call lasts. In milliseconds.
const SLACK: i64 = 2 * 86_400_000;

/// The ledger as it is at one moment.
pub struct Moment<'a>(Transaction<'a>);

impl Reader {
    /// The ledger as it is now, whatever is written meanwhile.
    pub fn moment(&self) -> Result<Moment<'_>, Error> {
        Ok(Moment(self.db.unchecked_transaction()?))
    }
}

impl Rows for Moment<'_> {
    fn each_call(&self, period: Period, each: &mut dyn FnMut(&CallRow<'_>)) -> Result<(), Error> {
        let mut query = self.0.prepare_cached(
            "SELECT run, call, arrived_ms, waited_ms, lasted_ms, trunk, practice, line, band, cli, outcome, agent, \
             promise, about, disposition FROM calls WHERE arrived_ms >= ?1 AND arrived_ms < ?2 ORDER BY arrived_ms, id",
        )?;
        let mut rows = query.query(params![period.from.0, period.to.0])?;
        while let Some(row) = rows.next()? {
            each(&CallRow {
                key: key(row)?,
                arrived: Wall(row.get(2)?),
                waited: row.get::<_, i64>(3)?.unsigned_abs(),
                lasted: row.get::<_, i64>(4)?.unsigned_abs(),
                trunk: text(row, 5)?.unwrap_or_default(),
                practice: text(row, 6)?,
                line: text(row, 7)?.unwrap_or_default(),
                band: Band(row.get(8)?),
                cli: text(row, 9)?,
                kind: Kind::named(text(row, 10)?.unwrap_or_default())?,
                agent: text(row, 11)?,
                promise: row.get::<_, Option<i64>>(12)?.map(|promise| PromiseId(promise.cast_unsigned())),
                case: row.get::<_, Option<i64>>(13)?.map(|case| CaseId(case.cast_unsigned())),
                disposition: text(row, 14)?,
            });
        }
        Ok(())
    }

    fn promises(&self, period: Period) -> Result<Vec<PromiseRow>, Error> {
        let mut query = self.0.prepare_cached(
            "SELECT p.run, p.call, coalesce(c.arrived_ms, p.promised_ms) AS arrived, p.line, p.trunk, p.practice, \
             p.outcome, p.escalated, b.arrived_ms + b.waited_ms, b.lasted_ms - b.waited_ms \
             FROM promises p LEFT JOIN calls c ON c.run = p.run AND c.call = p.call \
             LEFT JOIN calls b ON b.id = \
               (SELECT id FROM calls WHERE promise = p.id AND outcome = 'answered' ORDER BY arrived_ms, id LIMIT 1) \
             WHERE p.promised_ms >= ?3 AND p.promised_ms < ?4 AND arrived >= ?1 AND arrived < ?2 ORDER BY arrived, p.id",
        )?;
        let rows = query.query_map(around(period), |row| {
            let at: Option<i64> = row.get(8)?;
            let talked: Option<i64> = row.get(9)?;
            Ok(PromiseRow {
                key: key(row)?,
                arrived: Wall(row.get(2)?),
                line: row.get(3)?,
                trunk: row.get(4)?,
                practice: row.get(5)?,
                outcome: row.get(6)?,
                late: row.get(7)?,
                reached: at
                    .zip(talked)
                    .map(|(at, talked)| Reached { at: Wall(at), talked: talked.max(0).unsigned_abs() }),
            })
        })?;
        rows.collect::<Result<_, _>>().map_err(Error::from)
    }

    fn cases(&self, period: Period) -> Result<Vec<CaseRow>, Error> {
        let mut query = self.0.prepare_cached(
            "SELECT k.run, k.call, coalesce(c.arrived_ms, k.opened_ms) AS arrived, k.line, k.trunk, k.practice, \
             k.breached, k.pathway, k.disposition, k.handed_to, k.closed_ms \
             FROM cases k LEFT JOIN calls c ON c.run = k.run AND c.call = k.call \
             WHERE k.opened_ms >= ?3 AND k.opened_ms < ?4 AND arrived >= ?1 AND arrived < ?2 ORDER BY arrived, k.id",
        )?;
        let rows = query.query_map(around(period), |row| {
            let closed: Option<i64> = row.get(10)?;
            Ok(CaseRow {
                key: key(row)?,
                arrived: Wall(row.get(2)?),
                line: row.get(3)?,
                trunk: row.get(4)?,
                practice: row.get(5)?,
                late: row.get(6)?,
                referred_to: row.get::<_, Option<String>>(7)?.filter(|_| closed.is_none()),
                disposition: row.get(8)?,
                handed_to: row.get(9)?,
            })
        })?;
        rows.collect::<Result<_, _>>().map_err(Error::from)
    }
}

/// The period, and the same with slack on either side.
fn around(Period { from, to }: Period) -> [i64; 4] {
    [from.0, to.0, from.0.saturating_sub(SLACK), to.0.saturating_add(SLACK)]
}

fn key(row: &Row<'_>) -> rusqlite::Result<CallKey> {
    Ok(CallKey { run: row.get(0)?, call: CallId(row.get::<_, i64>(1)?.cast_unsigned()) })
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Option<&'r str>> {
    Ok(row.get_ref(column)?.as_str_or_null()?)
}
