//! The database as reports see it: read-only, one consistent moment, while the daemon goes on writing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OpenFlags, Row, params};

use crate::acd::Band;
use crate::call::record::{CallRecord, Segment};
use crate::id::{CallId, CaseId, PromiseId};
use crate::time::Wall;

use super::waits::Tally;
use super::words::{self, Kind};
use super::{Entry, Error, Table, schema};

/// How long a reader waits for a lock; readers need one only while a log is recovered.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A stretch of arrivals: from the first instant, up to but not including the second.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Included.
    pub from: Wall,
    /// Excluded.
    pub to: Wall,
}

/// What became of promised callbacks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Promises {
    /// All of them; the sum of the next four.
    pub promised: u64,
    /// The patient was called and talked with an agent.
    pub reached: u64,
    /// The patient rang again, and was answered.
    pub own_calls: u64,
    /// The patient was not reached, or not called in time.
    pub failed: u64,
    /// Not settled yet.
    pub open: u64,
    /// Of all, those that were not kept by their breach time.
    pub late: u64,
}

/// A ledger, open for reading.
pub struct Reader {
    pub(super) db: Connection,
}

impl Reader {
    /// Opens the ledger at `path`; an error when there is none, or it is of a later version.
    pub fn open(path: &Path) -> Result<Reader, Error> {
        if !path.is_file() {
            return Err(Error::Missing(path.to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        match schema::check(&db, path)? {
            0 => Err(Error::Missing(path.to_owned())),
            _ => Ok(Reader { db }),
        }
    }

    /// The table of the calls that arrived in `period`.
    pub fn waits(&self, period: Period) -> Result<Table, Error> {
        let mut tally = Tally::default();
        let mut calls = self.db.prepare(
            "SELECT line, outcome, waited_ms FROM calls \
             WHERE arrived_ms >= ?1 AND arrived_ms < ?2 AND promise IS NULL AND about IS NULL",
        )?;
        let mut rows = calls.query(params![period.from.0, period.to.0])?;
        while let Some(row) = rows.next()? {
            let word = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let line = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            tally.add(line, Kind::named(word)?, row.get::<_, i64>(2)?.unsigned_abs());
        }
        Ok(tally.table())
    }

    /// What became of the callbacks promised in `period`, by line.
    pub fn promises(&self, period: Period) -> Result<BTreeMap<String, Promises>, Error> {
        let mut lines: BTreeMap<String, Promises> = BTreeMap::new();
        let mut query = self.db.prepare(
            "SELECT line, outcome, escalated FROM promises WHERE promised_ms >= ?1 AND promised_ms < ?2",
        )?;
        let mut rows = query.query(params![period.from.0, period.to.0])?;
        while let Some(row) = rows.next()? {
            let outcome: Option<String> = row.get(1)?;
            let of_line = lines.entry(row.get(0)?).or_default();
            let count = match outcome.as_deref() {
                // What became part of another is counted there; what was not made was no promise.
                Some("merged" | "cancelled") => continue,
                None => &mut of_line.open,
                Some("reached") => &mut of_line.reached,
                Some("own-call") => &mut of_line.own_calls,
                Some(_) => &mut of_line.failed,
            };
            *count += 1;
            of_line.promised += 1;
            of_line.late += u64::from(row.get::<_, bool>(2)?);
        }
        lines.retain(|_, of_line| of_line.promised > 0);
        Ok(lines)
    }

    /// Gives `each` the calls that arrived in `period`, with their segments, in order of arrival.
    pub fn calls<E: From<Error>>(
        &self,
        period: Period,
        mut each: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        // One transaction, so that calls and segments are of one moment.
        let moment = self.db.unchecked_transaction().map_err(Error::from)?;
        let mut segments = moment
            .prepare_cached(
                "SELECT stage, agent, result, from_ms, to_ms, target FROM segments WHERE call = ?1 ORDER BY seq",
            )
            .map_err(Error::from)?;
        let mut calls = moment
            .prepare_cached(
                "SELECT id, run, call, sip_call_id, trunk, practice, line, band, ddi, cli, arrived_ms, \
                 waited_ms, lasted_ms, outcome, agent, ended_by, code, promise, about, disposition FROM calls \
                 WHERE arrived_ms >= ?1 AND arrived_ms < ?2 ORDER BY arrived_ms, id",
            )
            .map_err(Error::from)?;
        let mut rows = calls.query(params![period.from.0, period.to.0]).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            each(entry(row, &mut segments)?)?;
        }
        Ok(())
    }
}

fn entry(row: &Row<'_>, segments: &mut CachedStatement<'_>) -> Result<Entry, Error> {
    let id: i64 = row.get("id")?;
    let record = CallRecord {
        call: CallId(row.get::<_, i64>("call")?.cast_unsigned()),
        sip_call_id: row.get("sip_call_id")?,
        promise: row.get::<_, Option<i64>>("promise")?.map(|promise| PromiseId(promise.cast_unsigned())),
        case: row.get::<_, Option<i64>>("about")?.map(|case| CaseId(case.cast_unsigned())),
        trunk: row.get("trunk")?,
        practice: row.get("practice")?,
        line: row.get("line")?,
        band: Band(row.get("band")?),
        ddi: row.get("ddi")?,
        cli: row.get("cli")?,
        arrived: Wall(row.get("arrived_ms")?),
        waited: millis(row.get("waited_ms")?),
        lasted: millis(row.get("lasted_ms")?),
        segments: stages(id, segments)?,
        outcome: words::to_outcome(
            row.get("outcome")?,
            row.get("agent")?,
            row.get("ended_by")?,
            row.get("code")?,
        )?,
        disposition: row.get("disposition")?,
    };
    Ok(Entry { run: row.get("run")?, record })
}

fn stages(id: i64, segments: &mut CachedStatement<'_>) -> Result<Vec<Segment>, Error> {
    let mut rows = segments.query([id])?;
    let mut stages = Vec::new();
    while let Some(row) = rows.next()? {
        let stage =
            words::to_stage(row.get("stage")?, row.get("agent")?, row.get("result")?, row.get("target")?)?;
        stages.push(Segment { stage, from: millis(row.get("from_ms")?), to: millis(row.get("to_ms")?) });
    }
    Ok(stages)
}

/// The schema keeps durations from being negative.
fn millis(stored: i64) -> Duration {
    Duration::from_millis(stored.unsigned_abs())
}
