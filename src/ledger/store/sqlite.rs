//! A database in a file of SQLite's: opened, filled batch by batch, set aside when it is damaged.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter};

use super::row::{Row, Value};
use super::rows;
use crate::ledger::{Error, Note, private_file, schema};

/// How long one attempt waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_millis(200);

/// How long a reader waits for a lock; readers need one only while a log is recovered.
const READER_TIMEOUT: Duration = Duration::from_secs(5);

/// How many steps of its own SQLite takes between two questions whether it shall go on: some tens of microseconds.
const STEPS: i32 = 10_000;

/// What the write-ahead log shrinks to after a checkpoint, in bytes.
const LOG_LIMIT: i64 = 16 * 1024 * 1024;

/// What SQLite appends to the database's name for its write-ahead log, and for the log's index.
const LOG: &str = "-wal";
const SHARED_MEMORY: &str = "-shm";

/// The database, open for writing.
pub(in crate::ledger) struct File {
    pub(in crate::ledger) db: Connection,
    path: PathBuf,
    /// Which file is open, to notice when its name no longer leads to it.
    file: FileId,
    /// Which file is its log.
    log: Option<FileId>,
}

/// Device and inode.
type FileId = (u64, u64);

impl File {
    /// Opens or makes the database at `path`, mode 0600, in WAL mode, with the newest schema.
    pub(super) fn open(path: &Path) -> Result<File, Error> {
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
        Ok(File { db, path: path.to_owned(), file, log })
    }

    /// Whether the path still leads to the file that is open: SQLite itself would go on writing to a file
    /// that somebody removed.
    pub(super) fn in_place(&self) -> bool {
        identity(&self.path).is_ok_and(|file| file == self.file)
    }

    /// Closes a database that is not in its place any more. Its log may still be: beside another database it would
    /// be taken for that one's and damage it, so it is renamed to `PATH.replaced-TIME-wal`.
    pub(super) fn leave(self) -> Result<(), Error> {
        let File { db, path, log, .. } = self;
        drop(db);
        if log.is_some() && identity(&private_file::beside(&path, LOG)).ok() == log {
            rename_all(&path, &free_name(&path, "replaced"), &[LOG, SHARED_MEMORY])?;
        }
        Ok(())
    }

    /// Writes a batch in one transaction, and says how many records it made or changed.
    pub(super) fn write(&mut self, batch: &[Note]) -> Result<usize, Error> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut changed = 0;
        let mut statements = Vec::new();
        for note in batch {
            rows::statements(note, &mut statements);
            for statement in statements.drain(..) {
                let rows = tx.prepare_cached(statement.sql)?.execute(params_from_iter(&statement.values))?;
                changed += if statement.counts { rows } else { 0 };
            }
        }
        tx.commit()?;
        Ok(changed)
    }

    /// Makes changes in one transaction; says how many rows the last of them changed.
    pub(super) fn change(&mut self, changes: &[String], values: &[Value<'_>]) -> Result<usize, Error> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut changed = 0;
        for change in changes {
            changed = tx.prepare_cached(change)?.execute(params_from_iter(values))?;
        }
        tx.commit()?;
        Ok(changed)
    }

    /// From now on it waits for a lock as readers do.
    pub(super) fn be_patient(&mut self) -> Result<(), Error> {
        Ok(self.db.busy_timeout(READER_TIMEOUT)?)
    }

    /// Empties the log: in the database itself `secure_delete` overwrites what is deleted.
    pub(super) fn wipe(&mut self) -> Result<(), Error> {
        let busy: bool = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy {
            let why = "done, but a reader keeps what was erased in the log: erase again".to_owned();
            let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            return Err(rusqlite::Error::SqliteFailure(busy, Some(why)).into());
        }
        Ok(())
    }

    /// Whether a commit waits for the disk: needed before the only other copy of a record is removed.
    pub(super) fn sync_commits(&mut self, sync: bool) -> Result<(), Error> {
        self.db.pragma_update(None, "synchronous", if sync { "FULL" } else { "NORMAL" })?;
        Ok(())
    }
}

/// Opens the database at `path` for reading; `None` where there is no ledger.
pub(in crate::ledger) fn open_to_read(path: &Path) -> Result<Option<Connection>, Error> {
    if !path.is_file() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(READER_TIMEOUT)?;
    Ok((schema::check(&db, path)? > 0).then_some(db))
}

/// From now on whatever is asked is given up once `is_over` says so.
pub(in crate::ledger) fn stop_when<L: Send + 'static>(
    db: &mut Connection,
    limit: L,
    is_over: fn(&L) -> bool,
) -> Result<(), Error> {
    Ok(db.progress_handler(STEPS, Some(move || is_over(&limit)))?)
}

/// Gives `each` the rows that a query finds.
pub(in crate::ledger) fn query(
    db: &Connection,
    sql: &str,
    values: &[Value<'_>],
    each: &mut dyn FnMut(Row<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        each(Row::File(row))?;
    }
    Ok(())
}

/// Renames a damaged database, and its log with it, to `PATH.corrupt-TIME`, and says where it went.
pub(in crate::ledger) fn set_aside(path: &Path) -> Result<PathBuf, Error> {
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
