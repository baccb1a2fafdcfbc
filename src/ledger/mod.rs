//! Records of calls, written without ever holding up the switch, and reports from them.
//!
//! Every call leaves one [`CallRecord`], and the ledger's promise is that it is in the database once and
//! only once, whatever the disk does, and that no call ever waits for the disk:
//!
//! - [`Ledger::write`] puts the record into memory and returns. One thread writes the database: a file of SQLite's (WAL,
//!   `synchronous=NORMAL`: a killed process loses nothing that was committed; a power cut may lose the last
//!   moments, but never the database), or one on a PostgreSQL server.
//! - While the database cannot be written (locked, full, read-only, removed, damaged; the server gone, or silent for two
//!   seconds), records wait in
//!   memory, up to [`Settings::spool`] of them; later ones go into the side file, synced batch by batch.
//!   What the side file does not take waits in memory too. A killed process loses what is in its memory:
//!   a spool of 0 sends all to the side file at once.
//! - When the database works again, what waited is written in the order in which it came, and the side file,
//!   also one that an earlier run left, is replayed and removed. A record's key is the run of the daemon
//!   and the number of the call in it, so nothing is ever there twice.
//! - Memory has a hard bound: `spool` and [`ROOM`] records more. It is reached only when neither file
//!   takes anything for so long, or when the writer hangs in the kernel for so long; then new records are
//!   counted as lost, and said to be. No second thread would help: a disk that hangs, hangs for both files.
//! - Events go the same way. So that they never cost a record, they have no more than half of the memory; events beyond
//!   are counted ([`Counters::events_lost`]), and said to be lost. A killed process loses the events in its memory,
//!   though not the records, which the flight log has too.
//! - A damaged database is never deleted: it is renamed to `PATH.corrupt-TIME` and a new one begun. One that
//!   is removed or replaced under our hands is noticed at the next record. A database of a later version, or
//!   of another program, is left alone, and records wait as for a full disk.
//! - A record that the schema refuses, which only a defect could bring about, and a line of the side file that
//!   cannot be read, are kept in `SIDE_FILE.rejected` and hold up nothing.
//!
//! The files have mode 0600: the database, its log, the side file and the key. Callers' numbers are stored as
//! [`CliStorage`] says. When they should be hashed and the key cannot be had, the number is left out, an
//! error is logged and [`Counters::keyless`] set, and the key is tried again every ten seconds: calls and
//! their records go on.

mod counters;
mod error;
mod event;
mod keep;
mod key;
pub(crate) mod private_file;
mod reader;
pub mod report;
mod schema;
mod side;
mod store;
mod waits;
pub(crate) mod words;
mod writer;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use counters::Counters;
pub use error::Error;
pub use keep::{Erased, Erasure, Keep, erase};
pub use key::{CliStorage, Key, is_hash};
pub use reader::{Limit, Moment, Period, Reader};
pub use waits::{Figures, Table, Waits, waits_by_line};

use counters::{Progress, Shared, Throttle};
use event::EventRow;
use store::Place;
use writer::Writer;

use crate::call::record::{CallRecord, CaseRecord, PromiseRecord};
use crate::id::PromiseId;
use crate::switch::Event;
use crate::time::Wall;

/// How many records fit into memory besides the spool: more than a day of a hub for a hundred surgeries.
pub const ROOM: usize = 65_536;

/// How long [`Ledger::close`] waits for the disk.
const CLOSE: Duration = Duration::from_secs(5);

/// Where the ledger is and what it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The database: a file, or a server's where it begins with `postgres://`.
    pub path: PathBuf,
    /// How callers' numbers are stored.
    pub cli: CliStorage,
    /// The key under which they are hashed; made when it is missing.
    pub key_path: PathBuf,
    /// How many records wait in memory while the database cannot be written, before the side file is used.
    pub spool: usize,
    /// Where later ones go.
    pub side_file: PathBuf,
    /// For how long it is all kept.
    pub keep: Keep,
    /// The run that is gone on with; `None` begins one, and has the promises of all others reported.
    pub run: Option<i64>,
}

/// A record with the run of the daemon that it belongs to: the two together are its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When the run began, in milliseconds since 1970, times 2^20, plus 20 random bits: a clock that goes
    /// wrong across a restart must not make two runs one.
    pub run: i64,
    /// The record, with the caller's number in its stored form.
    pub record: CallRecord,
}

/// A promise as it stands, with the run of the daemon that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseEntry {
    /// As in [`Entry`].
    pub run: i64,
    /// The promise, the patient's number in clear only while it is open.
    pub promise: PromiseRecord,
}

/// A case as it stands, with the run of the daemon that opened it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseEntry {
    /// As in [`Entry`].
    pub run: i64,
    /// The case, the patient's number in clear only while it is open.
    pub case: CaseRecord,
}

/// An event, with the run of the daemon that it happened in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EventEntry {
    /// As in [`Entry`].
    run: i64,
    event: EventRow,
}

/// What is written: a call that is over, a promise or case as it stands, or an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Note {
    Call(Entry),
    Promise(PromiseEntry),
    Case(CaseEntry),
    Event(EventEntry),
}

/// The same before it has its stored form; or a question.
enum Given {
    /// Of this run, which may be over.
    Call(i64, CallRecord),
    Promise(PromiseRecord),
    Case(CaseRecord),
    Event {
        seq: i64,
        at: Wall,
        plan: Arc<str>,
        event: Box<Event>,
    },
    /// Which promises are open.
    Ask,
}

/// What the ledger says of promises and cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// This promise, as it was given last or later, is on a disk.
    Kept(PromiseId),
    /// Promises that are not settled, when they can be read: those of earlier runs, once, or all for
    /// [`Ledger::ask_for_promises`].
    Open(Vec<PromiseRecord>),
    /// Cases of earlier runs that are not closed, if there are any; said in the same way.
    Cases(Vec<CaseRecord>),
}

/// Who is told of promises and cases, on the ledger's own thread.
type Report = Box<dyn Fn(News) + Send>;

/// The open ledger.
pub struct Ledger {
    inbox: Option<Sender<Given>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    run: i64,
    /// The number of the next event.
    next_event: AtomicI64,
    bound: usize,
    complaints: Mutex<Throttle>,
}

impl Ledger {
    /// Starts the writer. What is wrong with files is no error here: it is logged, and records wait for it
    /// to end. The only errors are [`Error::Thread`], and a server's name that is none.
    pub fn open(settings: Settings) -> Result<Ledger, Error> {
        Ledger::open_with(settings, Box::new(|_| {}))
    }

    /// The same; `report` is told what is safe, and what earlier runs have promised.
    pub fn open_with(settings: Settings, report: Report) -> Result<Ledger, Error> {
        let shared = Arc::new(Shared::default());
        let bound = settings.spool.saturating_add(ROOM);
        let run = settings.run.unwrap_or_else(new_run);
        let place = Place::of(&settings.path)?;
        let writer = Writer::new(settings, place, run, Arc::clone(&shared), report);
        let (inbox, records) = mpsc::channel();
        let thread = thread::Builder::new().name("ledger".into()).spawn(move || writer.run(records));
        let thread = thread.map_err(Error::Thread)?;
        let (next_event, complaints) = (AtomicI64::new(Timestamp::now().as_microsecond()), Mutex::default());
        Ok(Ledger { inbox: Some(inbox), shared, thread: Some(thread), run, next_event, bound, complaints })
    }

    /// The run that its records belong to.
    pub fn run(&self) -> i64 {
        self.run
    }

    /// How many records it took so far, and how many of those, in order, are settled: in the database for good.
    pub fn progress(&self) -> (u64, u64) {
        (self.shared.sent.load(Relaxed), self.shared.settled())
    }

    /// Takes a record and returns at once, without any work on a disk.
    pub fn write(&self, record: CallRecord) {
        self.write_of(self.run, record);
    }

    /// The same for a call of an earlier run.
    pub fn write_of(&self, run: i64, record: CallRecord) {
        self.give(Given::Call(run, record));
    }

    /// Has every promise reported that is not settled once all that was given before is written, also those of this run:
    /// a switch that goes on may have forgotten some that it made.
    pub fn ask_for_promises(&self) {
        // Gone only if the writer has failed, which is logged.
        self.inbox.iter().for_each(|inbox| drop(inbox.send(Given::Ask)));
    }

    /// Takes a promise as it stands now, in the same way; once it is on a disk that is reported.
    pub fn write_promise(&self, promise: PromiseRecord) {
        self.give(Given::Promise(promise));
    }

    /// Takes a case as it stands now, in the same way; nobody waits to hear that it is safe.
    pub fn write_case(&self, case: CaseRecord) {
        self.give(Given::Case(case));
    }

    /// Takes an event in the same way, with when and under which version of the plan it happened. Records of calls are
    /// worth more: events fill half of the memory at most, and those beyond are lost.
    pub fn write_event(&self, at: Wall, plan: &Arc<str>, event: Event) {
        if !event::is_kept(&event) {
            return;
        }
        let seq = self.next_event.fetch_add(1, Relaxed);
        if self.shared.waiting.load(Relaxed) < self.bound / 2 {
            self.give(Given::Event { seq, at, plan: Arc::clone(plan), event: Box::new(event) });
        } else {
            let lost = self.shared.events_lost.fetch_add(1, Relaxed) + 1;
            self.complain(lost, "events are lost: the ledger keeps its memory for records of calls");
        }
    }

    fn give(&self, given: Given) {
        self.shared.accepted.fetch_add(1, Relaxed);
        if self.shared.waiting.fetch_add(1, Relaxed) < self.bound
            && self.inbox.as_ref().is_some_and(|inbox| inbox.send(given).is_ok())
        {
            self.shared.sent.fetch_add(1, Relaxed);
            return;
        }
        self.shared.waiting.fetch_sub(1, Relaxed);
        let lost = self.shared.lost.fetch_add(1, Relaxed) + 1;
        self.complain(lost, "records of calls are lost: the ledger takes no more");
    }

    fn complain(&self, lost: u64, what: &str) {
        // Another thread that complains right now does it for both.
        if self.complaints.try_lock().is_ok_and(|mut throttle| throttle.lets_through(Instant::now())) {
            tracing::error!(lost, bound = self.bound, "{what}");
        }
    }

    /// Waits until every record given so far is in the database and nothing is left to replay; false when
    /// `bound` passes first. Lost records are not waited for.
    pub fn flush(&self, bound: Duration) -> bool {
        let sent = self.shared.sent.load(Relaxed);
        let flushed = |progress: &Progress| progress.clean && progress.settled >= sent;
        let last = self.shared.wait_until(bound, |progress| progress.ended || flushed(progress));
        flushed(&last)
    }

    /// How the ledger fares.
    pub fn counters(&self) -> Counters {
        self.shared.snapshot()
    }

    /// Ends the ledger within five seconds: what the database does not take goes into the side file.
    ///
    /// When the answer has records `waiting`, the disk hung, and they end with the process.
    pub fn close(mut self) -> Counters {
        self.end();
        self.shared.snapshot()
    }

    fn end(&mut self) {
        drop(self.inbox.take());
        let Some(thread) = self.thread.take() else { return };
        if !self.shared.wait_until(CLOSE, |progress| progress.ended).ended {
            let waiting = self.shared.waiting.load(Relaxed);
            tracing::error!(waiting, "the ledger's disk hangs: records in memory are given up");
        } else if thread.join().is_err() {
            tracing::error!("the ledger's thread had failed");
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.end();
    }
}

fn new_run() -> i64 {
    const RANDOM_BITS: u32 = 20;
    let now = Timestamp::now();
    let mut bytes = [0; 4];
    let random = match getrandom::fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes),
        Err(_) => now.subsec_nanosecond().unsigned_abs(),
    };
    let random = i64::from(random & ((1 << RANDOM_BITS) - 1));
    (now.as_millisecond() << RANDOM_BITS) | random
}
