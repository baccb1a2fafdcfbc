//! The database as its one writer sees it: opened, filled batch by batch, set aside when it is damaged.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::call::record::{CallRecord, CaseRecord, Outcome, PromiseRecord, Stage};
use crate::id::{CallId, PromiseId};
use crate::time::Wall;

use super::words::{self, Kind};
use super::{Entry, Error, Note, PromiseEntry, cases, private_file, schema};
use crate::acd::Band;

/// How long one attempt waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_millis(200);

/// What the write-ahead log shrinks to after a checkpoint, in bytes.
const LOG_LIMIT: i64 = 16 * 1024 * 1024;

/// What SQLite appends to the database's name for its write-ahead log, and for the log's index.
const LOG: &str = "-wal";
const SHARED_MEMORY: &str = "-shm";

/// The database, open for writing.
pub(super) struct Store {
    pub(super) db: Connection,
    path: PathBuf,
    /// Which file is open, to notice when its name no longer leads to it.
    file: FileId,
    /// Which file is its log.
    log: Option<FileId>,
}

/// Device and inode.
type FileId = (u64, u64);

impl Store {
    /// Opens or makes the database at `path`, mode 0600, in WAL mode, with the newest schema.
    pub(super) fn open(path: &Path) -> Result<Store, Error> {
        make_private(path).map_err(Error::file(path))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update_and_check(None, "journal_size_limit", LOG_LIMIT, |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        // Numbers of settled promises are overwritten, not only unlinked.
        db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        db.pragma_update(None, "foreign_keys", false)?;
        schema::migrate(&mut db, path)?;
        db.pragma_update(None, "foreign_keys", true)?;
        let file = identity(path).map_err(Error::file(path))?;
        let log = identity(&private_file::beside(path, LOG)).ok();
        Ok(Store { db, path: path.to_owned(), file, log })
    }

    /// Whether the path still leads to the file that is open: SQLite itself would go on writing to a file
    /// that somebody removed.
    pub(super) fn in_place(&self) -> bool {
        identity(&self.path).is_ok_and(|file| file == self.file)
    }

    /// Closes a database that is not in its place any more. Its log may still be: beside another database it would
    /// be taken for that one's and damage it, so it is renamed to `PATH.replaced-TIME-wal`.
    pub(super) fn leave(self) -> Result<(), Error> {
        let Store { db, path, log, .. } = self;
        drop(db);
        if log.is_some() && identity(&private_file::beside(&path, LOG)).ok() == log {
            rename_all(&path, &free_name(&path, "replaced"), &[LOG, SHARED_MEMORY])?;
        }
        Ok(())
    }

    /// Writes a batch in one transaction, all or nothing, and says how many were not there before.
    pub(super) fn insert(&mut self, batch: &[Note]) -> Result<usize, Error> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut fresh = 0;
        for note in batch {
            fresh += usize::from(match note {
                Note::Call(entry) => insert_one(&tx, entry)?,
                Note::Promise(entry) => put_promise(&tx, entry)?,
                Note::Case(entry) => cases::put(&tx, entry)?,
            });
        }
        tx.commit()?;
        Ok(fresh)
    }

    /// The promises that are not settled, but for those of one run, the oldest first.
    pub(super) fn open_promises(&self, but: Option<i64>) -> Result<Vec<PromiseRecord>, Error> {
        let mut query = self.db.prepare(
            "SELECT id, call, line, trunk, practice, band, ddi, number, arrived_ms, promised_ms, next_ms, breach_ms, \
             expires_ms, missed, escalated, revision FROM promises WHERE settled_ms IS NULL AND run IS NOT ?1 \
             ORDER BY promised_ms, id",
        )?;
        let rows = query.query_map([but], |row| {
            Ok(PromiseRecord {
                promise: PromiseId(row.get::<_, i64>(0)?.cast_unsigned()),
                call: CallId(row.get::<_, i64>(1)?.cast_unsigned()),
                line: row.get(2)?,
                trunk: row.get(3)?,
                practice: row.get(4)?,
                band: Band(row.get(5)?),
                ddi: row.get(6)?,
                number: row.get(7)?,
                cli: None,
                arrived: Wall(row.get(8)?),
                promised: Wall(row.get(9)?),
                next: Wall(row.get(10)?),
                breach: Wall(row.get(11)?),
                expires: Wall(row.get(12)?),
                missed: row.get(13)?,
                escalated: row.get(14)?,
                revision: row.get(15)?,
                settled: None,
            })
        })?;
        rows.collect::<Result<_, _>>().map_err(Error::from)
    }

    /// The cases of earlier runs that are not closed.
    pub(super) fn open_cases(&self, run: i64) -> Result<Vec<CaseRecord>, Error> {
        cases::open(&self.db, run)
    }

    /// Whether a commit waits for the disk: needed before the only other copy of a record is removed.
    pub(super) fn sync_commits(&mut self, sync: bool) -> Result<(), Error> {
        self.db.pragma_update(None, "synchronous", if sync { "FULL" } else { "NORMAL" })?;
        Ok(())
    }
}

/// Renames a damaged database, and its log with it, to `PATH.corrupt-TIME`, and says where it went.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    let aside = free_name(path, "corrupt");
    // The log first: a damaged database without its log is tried again, a log without its database would be
    // deleted by the next one that is made there.
    rename_all(path, &aside, &[LOG, SHARED_MEMORY, ""])?;
    Ok(aside)
}

fn rename_all(from: &Path, to: &Path, suffixes: &[&str]) -> Result<(), Error> {
    for suffix in suffixes {
        let (from, to) = (private_file::beside(from, suffix), private_file::beside(to, suffix));
        match fs::rename(&from, &to) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::file(&from)(e)),
            _ => {}
        }
    }
    Ok(())
}

/// A name beside `path` that says why and when and is not in use.
fn free_name(path: &Path, why: &str) -> PathBuf {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%.3fZ");
    let first = private_file::beside(path, &format!(".{why}-{time}"));
    let taken = |name: &PathBuf| ["", LOG].iter().any(|suffix| private_file::beside(name, suffix).exists());
    let later = (1u64..).map(|n| private_file::beside(&first, &format!("-{n}")));
    let mut names = std::iter::once(first.clone()).chain(later);
    names.find(|name| !taken(name)).unwrap_or(first)
}

/// SQLite gives its log and shared memory the mode of the database, so that one has to be right first.
fn make_private(path: &Path) -> io::Result<()> {
    match private_file::create_new(path) {
        Ok(_) => private_file::sync_parent(path),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            for suffix in ["", LOG, SHARED_MEMORY] {
                match private_file::tighten(&private_file::beside(path, suffix)) {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                    _ => {}
                }
            }
            Ok(())
        }
        Err(e) => Err(e),
    }
}

fn identity(path: &Path) -> io::Result<FileId> {
    let found = fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Whether the record is new. A call that is there already is left as it is but for its disposition: it was
/// written before.
fn insert_one(tx: &Transaction<'_>, Entry { run, record }: &Entry) -> Result<bool, Error> {
    let (agent, ended_by, code) = match &record.outcome {
        Outcome::Answered { agent, ended_by } => (Some(agent), Some(words::ended_by(*ended_by)), None),
        Outcome::Abandoned => (None, None, None),
        Outcome::Refused { code } => (None, None, Some(*code)),
        Outcome::Lost { ended_by } => (None, Some(words::ended_by(*ended_by)), None),
        Outcome::Released { why } => (None, Some(words::leaving(*why)), None),
        Outcome::Promised | Outcome::Withdrawn => (None, None, None),
        Outcome::Unreached { why } => (None, Some(words::miss(*why)), None),
    };
    let mut insert = tx.prepare_cached(
        "INSERT INTO calls (run, call, sip_call_id, trunk, practice, line, band, ddi, cli, arrived_ms, \
         waited_ms, lasted_ms, outcome, agent, ended_by, code, promise, about, disposition) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
         ON CONFLICT (run, call) DO NOTHING",
    )?;
    let values = params![
        run,
        record.call.0.cast_signed(),
        record.sip_call_id,
        record.trunk,
        record.practice,
        record.line,
        record.band.0,
        record.ddi,
        record.cli,
        record.arrived.0,
        millis(record.waited),
        millis(record.lasted),
        Kind::of(&record.outcome).word(),
        agent,
        ended_by,
        code,
        record.promise.map(|promise| promise.0.cast_signed()),
        record.case.map(|case| case.0.cast_signed()),
        record.disposition,
    ];
    // RETURNING would give the id as well, by way of a temporary table for each record.
    let is_new = insert.execute(values)? == 1;
    if is_new {
        insert_segments(tx, tx.last_insert_rowid(), record)?;
    } else {
        amend(tx, *run, record)?;
    }
    Ok(is_new)
}

/// A call may be written again with a disposition that was given after its end.
fn amend(tx: &Transaction<'_>, run: i64, record: &CallRecord) -> Result<(), Error> {
    if let Some(disposition) = &record.disposition {
        tx.prepare_cached("UPDATE calls SET disposition = ?3 WHERE run = ?1 AND call = ?2")?
            .execute(params![run, record.call.0.cast_signed(), disposition])?;
    }
    Ok(())
}

/// Whether the promise was not there before. One that is there takes the state, unless it has a newer one.
fn put_promise(tx: &Transaction<'_>, PromiseEntry { run, promise }: &PromiseEntry) -> Result<bool, Error> {
    let id = promise.promise.0.cast_signed();
    let known: Option<i64> =
        tx.query_row("SELECT revision FROM promises WHERE id = ?1", [id], |row| row.get(0)).optional()?;
    let mut put = tx.prepare_cached(
        "INSERT INTO promises (id, run, call, line, trunk, practice, band, ddi, number, cli, arrived_ms, promised_ms, \
         next_ms, breach_ms, expires_ms, missed, escalated, revision, outcome, why, settled_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) \
         ON CONFLICT (id) DO UPDATE SET line = excluded.line, band = excluded.band, number = excluded.number, \
         arrived_ms = excluded.arrived_ms, next_ms = excluded.next_ms, missed = excluded.missed, \
         escalated = excluded.escalated, revision = excluded.revision, outcome = excluded.outcome, \
         why = excluded.why, settled_ms = excluded.settled_ms \
         WHERE settled_ms IS NULL AND excluded.revision >= revision",
    )?;
    let (outcome, why) = match promise.settled.map(|(outcome, _)| words::promise_outcome(outcome)) {
        Some((outcome, why)) => (Some(outcome), why),
        None => (None, None),
    };
    put.execute(params![
        id,
        run,
        promise.call.0.cast_signed(),
        promise.line,
        promise.trunk,
        promise.practice,
        promise.band.0,
        promise.ddi,
        promise.number,
        promise.cli,
        promise.arrived.0,
        promise.promised.0,
        promise.next.0,
        promise.breach.0,
        promise.expires.0,
        promise.missed,
        promise.escalated,
        promise.revision,
        outcome,
        why,
        promise.settled.map(|(_, at)| at.0),
    ])?;
    Ok(known.is_none())
}

fn insert_segments(tx: &Transaction<'_>, id: i64, record: &CallRecord) -> Result<(), Error> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO segments (call, seq, stage, agent, result, from_ms, to_ms, target) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (seq, segment) in (0i64..).zip(&record.segments) {
        let (agent, result, target) = match &segment.stage {
            Stage::Queue => (None, None, None),
            Stage::Presented { agent, result } => (Some(agent), Some(words::result(*result)), None),
            Stage::Dial { agent } | Stage::Talk { agent } => (Some(agent), None, None),
            Stage::Transfer { agent, to } => (Some(agent), None, Some(to)),
        };
        let (from, to) = (millis(segment.from), millis(segment.to));
        insert.execute(params![id, seq, words::stage(&segment.stage), agent, result, from, to, target])?;
    }
    Ok(())
}

/// Whole milliseconds; what is left over is cut off, so that a wait is never overstated.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
