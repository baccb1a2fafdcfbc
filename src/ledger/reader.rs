//! The database as reports see it: read-only, one consistent moment, while the daemon goes on writing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::call::record::{CallRecord, Segment};
use crate::id::{CallId, CaseId, PromiseId};
use crate::time::Wall;

use super::store::open::{band, small};
use super::store::{Place, Row, Value, postgres, sqlite};
use super::words;
use super::{Entry, Error};

/// How many calls are read at once, with their stages.
const PAGE: i64 = 1000;

const CALLS: &str = "SELECT id, run, call, sip_call_id, trunk, practice, line, band, ddi, cli, arrived_ms, waited_ms, \
    lasted_ms, outcome, agent, ended_by, code, promise, about, disposition FROM calls \
    WHERE (arrived_ms, id) > ($1, $2) AND arrived_ms < $3 ORDER BY arrived_ms, id LIMIT $4";

/// The stages of the same calls, in the same order; the outer table is named first, as SQLite takes it.
const SEGMENTS: &str = "SELECT segments.call, stage, segments.agent, result, from_ms, to_ms, target \
    FROM calls CROSS JOIN segments WHERE segments.call = calls.id \
    AND (arrived_ms, calls.id) > ($1, $2) AND (arrived_ms, calls.id) <= ($3, $4) \
    ORDER BY arrived_ms, calls.id, seq";

/// A stretch of arrivals: from the first instant, up to but not including the second.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Included.
    pub from: Wall,
    /// Excluded.
    pub to: Wall,
}

/// How long a reader reads, whatever it is asked: until its time is over, or nobody wants the answer any more.
#[derive(Clone, Debug)]
pub struct Limit {
    /// When its time is over.
    pub until: Instant,
    /// Whether the answer is of no use any more.
    pub unwanted: Arc<AtomicBool>,
}

impl Limit {
    fn is_reached(&self) -> bool {
        self.unwanted.load(Relaxed) || Instant::now() >= self.until
    }
}

/// A ledger, open for reading.
pub struct Reader {
    source: Source,
    limit: Option<Limit>,
}

enum Source {
    File(Connection),
    Server(postgres::Server),
}

impl Reader {
    /// Opens the ledger in the file at `path`, or on the server that it names; an error when there is none, or it is of
    /// a later version.
    pub fn open(path: &Path) -> Result<Reader, Error> {
        let place = Place::of(path)?;
        let source = match &place {
            Place::File(path) => sqlite::open_to_read(path)?.map(Source::File),
            Place::Server(config) => postgres::Server::open_to_read(config)?.map(Source::Server),
        };
        source.map(|source| Reader { source, limit: None }).ok_or_else(|| Error::Missing(place.to_string()))
    }

    /// The same; once the limit is reached nothing more is read, and it answers [`Error::Stopped`].
    pub fn open_until(path: &Path, limit: Limit) -> Result<Reader, Error> {
        let mut reader = Reader::open(path)?;
        if let Source::File(db) = &mut reader.source {
            sqlite::stop_when(db, limit.clone(), Limit::is_reached)?;
        }
        reader.limit = Some(limit);
        reader.hurry().map_err(|error| reader.why(error))?;
        Ok(reader)
    }

    /// From now on an answer of a server may take what is left of the limit.
    fn hurry(&self) -> Result<(), Error> {
        match (&self.source, &self.limit) {
            (Source::Server(server), Some(limit)) => {
                server.hurry(limit.until.saturating_duration_since(Instant::now()))
            }
            _ => Ok(()),
        }
    }

    /// Gives `each` the rows that a query finds.
    fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let read = match &self.source {
            Source::File(db) => sqlite::query(db, sql, values, each),
            Source::Server(server) => self.hurry().and_then(|()| {
                server.query(sql, values, &mut |row| match self.is_over() {
                    true => Err(Error::Stopped),
                    false => each(row),
                })
            }),
        };
        read.map_err(|error| self.why(error))
    }

    fn is_over(&self) -> bool {
        self.limit.as_ref().is_some_and(Limit::is_reached)
    }

    /// What fails once the limit is reached fails for that.
    fn why(&self, error: Error) -> Error {
        if self.is_over() { Error::Stopped } else { error }
    }

    /// The ledger as it is now, whatever is written meanwhile; until the answer is dropped.
    pub fn moment(&self) -> Result<Moment<'_>, Error> {
        let begun = match &self.source {
            Source::File(db) => db.execute_batch("BEGIN").map_err(Error::from),
            Source::Server(server) => server.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        };
        begun.map(|()| Moment(self)).map_err(|error| self.why(error))
    }

    /// Gives `each` the calls that arrived in `period`, with their segments, in order of arrival.
    pub fn calls<E: From<Error>>(
        &self,
        period: Period,
        mut each: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        // So that calls and segments are of one moment.
        let _moment = self.moment()?;
        let mut after = (period.from.0.saturating_sub(1), i64::MAX);
        loop {
            let page = self.page(after, period.to)?;
            let Some((id, last)) = page.last() else { return Ok(()) };
            after = (last.record.arrived.0, *id);
            page.into_iter().try_for_each(|(_, entry)| each(entry))?;
        }
    }

    /// The next calls after one, by arrival and id; none when there are none left.
    fn page(&self, after: (i64, i64), to: Wall) -> Result<Vec<(i64, Entry)>, Error> {
        let mut page: Vec<(i64, Entry)> = Vec::new();
        let [arrived, id] = [after.0, after.1].map(Value::from);
        self.query(CALLS, &[arrived, id, to.0.into(), PAGE.into()], &mut |row| {
            page.push((row.int(0)?, entry(row)?));
            Ok(())
        })?;
        let Some((last, entry)) = page.last() else { return Ok(page) };
        let until = [entry.record.arrived.0, *last].map(Value::from);
        let mut calls = page.iter_mut().peekable();
        self.query(SEGMENTS, &[[arrived, id], until].concat(), &mut |row| {
            let call = row.int(0)?;
            while calls.next_if(|(id, _)| *id != call).is_some() {}
            if let Some((_, entry)) = calls.peek_mut() {
                entry.record.segments.push(segment(row)?);
            }
            Ok(())
        })?;
        Ok(page)
    }
}

/// A reader at one moment: every query sees the ledger as it was then.
pub struct Moment<'a>(&'a Reader);

impl Moment<'_> {
    /// Gives `each` the rows that a query finds.
    pub(in crate::ledger) fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.0.query(sql, values, each)
    }
}

impl Drop for Moment<'_> {
    fn drop(&mut self) {
        // Nothing was changed: a failure ends the connection, and with it the moment.
        let _ = match &self.0.source {
            Source::File(db) => db.execute_batch("ROLLBACK").map_err(Error::from),
            Source::Server(server) => server.run("ROLLBACK"),
        };
    }
}

fn entry(row: Row<'_>) -> Result<Entry, Error> {
    let record = CallRecord {
        call: CallId(row.int(2)?.cast_unsigned()),
        sip_call_id: row.text(3)?.to_owned(),
        trunk: row.text(4)?.to_owned(),
        practice: row.maybe_string(5)?,
        line: row.text(6)?.to_owned(),
        band: band(row.int(7)?)?,
        ddi: row.text(8)?.to_owned(),
        cli: row.maybe_string(9)?,
        arrived: Wall(row.int(10)?),
        waited: millis(row.int(11)?),
        lasted: millis(row.int(12)?),
        segments: Vec::new(),
        outcome: words::to_outcome(
            row.text(13)?.to_owned(),
            row.maybe_string(14)?,
            row.maybe_string(15)?,
            row.maybe_int(16)?.map(|code| small("code", code)).transpose()?,
        )?,
        promise: row.maybe_int(17)?.map(|promise| PromiseId(promise.cast_unsigned())),
        case: row.maybe_int(18)?.map(|case| CaseId(case.cast_unsigned())),
        disposition: row.maybe_string(19)?,
    };
    Ok(Entry { run: row.int(1)?, record })
}

fn segment(row: Row<'_>) -> Result<Segment, Error> {
    let stage = words::to_stage(
        row.text(1)?.to_owned(),
        row.maybe_string(2)?,
        row.maybe_string(3)?,
        row.maybe_string(6)?,
    )?;
    Ok(Segment { stage, from: millis(row.int(4)?), to: millis(row.int(5)?) })
}

/// The schema keeps durations from being negative.
fn millis(stored: i64) -> Duration {
    Duration::from_millis(stored.unsigned_abs())
}
