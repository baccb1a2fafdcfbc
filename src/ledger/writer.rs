//! The writer: the one thread that touches the ledger's files.
//!
//! Its life is a loop of [`Writer::step`]: try to put everything into the database, and keep safe what it
//! did not take. Three places hold records on their way, oldest first: the spool (in memory since the
//! database failed), the side file (what the spool had no room for), and the fresh ones. They are written in
//! that order, so that the order of writing outlives an outage.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::id::PromiseId;
use crate::time::Wall;

use super::counters::{Shared, Throttle};
use super::event::{Circumstances, EventRow};
use super::key::Sealer;
use super::side::{self, Line, Side};
use super::store::{Place, Store, open, sqlite};
use super::{CaseEntry, Entry, Error, EventEntry, Given, News, Note, PromiseEntry, Report, Settings};

/// The most records in one transaction.
const BATCH: usize = 512;

/// The most records that are taken from the inbox at once: each call has some ten events.
const GATHERED: usize = 16 * BATCH;

/// How long records gather before they are written together: a transaction costs as much as many records.
const GATHER: Duration = Duration::from_millis(200);

const FIRST_RETRY: Duration = Duration::from_millis(20);
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// How often what is too old is looked for, and how long others have the database between two steps of that.
const SWEEP: Duration = Duration::from_secs(24 * 3600);
const SWEEP_STEP: Duration = Duration::from_secs(1);
/// How long until that is tried again when it failed.
const SWEEP_AGAIN: Duration = Duration::from_secs(600);

/// The writer's state, all of it private to its thread.
pub(super) struct Writer {
    settings: Settings,
    place: Place,
    run: i64,
    shared: Arc<Shared>,
    sealer: Sealer,
    pub(super) store: Option<Store>,
    side: Side,
    spool: VecDeque<Note>,
    fresh: VecDeque<Note>,
    report: Report,
    /// Whose promises are to be reported.
    asked: Option<Whose>,
    /// Records of this run lie in the side file, so later ones have to queue up behind them there.
    spilled: bool,
    /// The side file failed since the last attempt on the database.
    side_blocked: bool,
    retry: Option<Retry>,
    /// When to look again for what is too old; `None` when all is kept for ever.
    sweep: Option<Instant>,
    received: u64,
    complaints: Throttle,
    complained: bool,
}

/// Promises of which runs.
#[derive(Copy, Clone)]
enum Whose {
    /// All but this one's.
    Others,
    All,
}

/// When to try the database again after it failed.
#[derive(Copy, Clone)]
struct Retry {
    at: Instant,
    delay: Duration,
}

impl Writer {
    pub(super) fn new(
        settings: Settings,
        place: Place,
        run: i64,
        shared: Arc<Shared>,
        report: Report,
    ) -> Writer {
        Writer {
            place,
            run,
            shared,
            sealer: Sealer::new(settings.cli, settings.key_path.clone()),
            store: None,
            side: Side::new(settings.side_file.clone()),
            spool: VecDeque::new(),
            fresh: VecDeque::new(),
            report,
            asked: settings.run.is_none().then_some(Whose::Others),
            spilled: false,
            side_blocked: false,
            retry: None,
            sweep: settings.keep.is_limited().then(Instant::now),
            received: 0,
            complaints: Throttle::default(),
            complained: false,
            settings,
        }
    }

    /// Works until the other end of `inbox` is gone, and leaves nothing in memory that any disk would take.
    pub(super) fn run(mut self, inbox: Receiver<Given>) {
        let _ended = Ended(Arc::clone(&self.shared));
        self.unlock();
        loop {
            self.step(Instant::now());
            match self.next(&inbox) {
                Ok(first) => {
                    self.take(first);
                    // Nothing wakes this thread meanwhile, so gathering costs the switch nothing either.
                    std::thread::sleep(GATHER);
                    inbox.try_iter().take(GATHERED - 1).for_each(|record| self.take(record));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.finish();
    }

    /// Takes a record in; from here on the caller's number is in its stored form.
    pub(super) fn take(&mut self, given: Given) {
        let run = self.run;
        let note = match given {
            Given::Call(run, mut record) => {
                record.cli = record.cli.take().and_then(|number| self.seal(number));
                Note::Call(Entry { run, record })
            }
            Given::Ask => return self.asked = Some(Whose::All),
            Given::Promise(mut promise) => {
                promise.cli = promise.number.clone().and_then(|number| self.seal(number));
                promise.number = promise.number.filter(|_| promise.settled.is_none());
                Note::Promise(PromiseEntry { run, promise })
            }
            Given::Case(mut case) => {
                case.cli = case.number.clone().and_then(|number| self.seal(number));
                case.number = case.number.filter(|_| case.closed.is_none());
                Note::Case(CaseEntry { run, case })
            }
            Given::Event { seq, at, plan, event } => {
                let circumstances = Circumstances { seq, at, plan: plan.to_string() };
                Note::Event(EventEntry { run, event: EventRow::of(circumstances, &event) })
            }
        };
        self.fresh.push_back(note);
        self.received += 1;
    }

    fn seal(&mut self, number: String) -> Option<String> {
        self.unlock();
        self.sealer.seal(number)
    }

    /// Tries the database, if it is time to, and keeps safe what is left.
    pub(super) fn step(&mut self, now: Instant) {
        if self.retry.is_none_or(|retry| now >= retry.at) {
            self.side_blocked = false;
            // A server that hangs takes its time to fail once more, and patients wait for what they were promised.
            if self.retry.is_some() && !self.fresh.iter().all(may_wait) {
                self.keep(now);
            }
            match self.settle() {
                Ok(()) => self.succeeded(),
                Err(e) => self.failed(&e, now),
            }
        }
        self.keep(now);
        self.sweep(now);
    }

    /// Deletes some of what is too old, if it is time to and nothing else is to be done.
    fn sweep(&mut self, now: Instant) {
        let (Some(at), None, Some(store)) = (self.sweep, self.retry, &mut self.store) else { return };
        if now < at {
            return;
        }
        let swept = self.settings.keep.sweep(store, Wall(Timestamp::now().as_millisecond()));
        let next = match &swept {
            Ok(true) => SWEEP_STEP,
            Ok(false) => SWEEP,
            Err(_) => SWEEP_AGAIN,
        };
        self.sweep = Some(now + next);
        if let Err(error) = swept {
            if matches!(error, Error::Silent(_)) {
                // Nobody who was promised something is to wait until the server is silent once more.
                return self.failed(&error, now);
            }
            count(&self.shared.errors, 1);
            if !error.keeps_connection() {
                self.store = None;
            }
            self.complain(&error, now, "what is too old cannot be deleted from the ledger");
        }
    }

    fn unlock(&mut self) {
        if let Err(error) = self.sealer.prepare(Instant::now()) {
            tracing::error!(%error, "callers' numbers are not stored: there is no key to hash them with");
        }
        self.shared.keyless.store(self.sealer.lacks_key(), Relaxed);
    }

    /// Puts everything into the database, oldest first.
    fn settle(&mut self) -> Result<(), Error> {
        let place = &self.place;
        if let Some(gone) = self.store.take_if(|store| !store.in_place()) {
            tracing::error!(%place, "the ledger's database was removed or replaced: opening anew");
            gone.leave()?;
        }
        let store = match &mut self.store {
            Some(store) => store,
            none => none.insert(Store::open(place)?),
        };
        drain(&mut self.spool, store, &self.side, &self.shared, &self.report)?;
        let replayed = replay(store, &mut self.side, &self.shared);
        // A side file that cannot be read holds up nobody but itself.
        if !matches!(replayed, Err(Error::Side { .. }) | Ok(())) {
            return replayed;
        }
        drain(&mut self.fresh, store, &self.side, &self.shared, &self.report)?;
        // After what was given before the question: what is settled by that is not open.
        if let Some(whose) = self.asked {
            let but = matches!(whose, Whose::Others).then_some(self.run);
            (self.report)(News::Open(open::promises(store, but)?));
            // A run that is gone on with has its cases still.
            let cases = but.map(|run| open::cases(store, run)).transpose()?.unwrap_or_default();
            if !cases.is_empty() {
                (self.report)(News::Cases(cases));
            }
            self.asked = None;
        }
        replayed
    }

    fn succeeded(&mut self) {
        self.retry = None;
        self.spilled = false;
        self.shared.healthy.store(true, Relaxed);
        let received = self.received;
        self.shared.advance(|progress| {
            progress.settled = received;
            progress.clean = true;
        });
        if std::mem::take(&mut self.complained) {
            tracing::info!(place = %self.place, "the ledger is written again");
        }
    }

    fn failed(&mut self, error: &Error, now: Instant) {
        count(&self.shared.errors, 1);
        self.shared.healthy.store(false, Relaxed);
        let delay = self.retry.map_or(FIRST_RETRY, |retry| LONGEST_RETRY.min(retry.delay * 2));
        self.retry = Some(Retry { at: now + delay, delay });
        if !error.keeps_connection() {
            self.store = None;
        }
        if let Place::File(path) = &self.place
            && error.is_corruption()
        {
            match sqlite::set_aside(path) {
                Ok(aside) => tracing::error!(%error, kept_as = %aside.display(),
                    "the ledger's database is damaged: it is set aside, and a new one begun"),
                Err(e) => self.complain(&e, now, "the ledger's damaged database cannot be set aside"),
            }
        } else {
            self.complain(error, now, "the ledger cannot be written: calls go on, records wait");
        }
    }

    /// Keeps what the database did not take: in the spool, else in the side file, else where it is. A patient waits
    /// for what was promised, or for a clinician, so these go to the side file at once.
    fn keep(&mut self, now: Instant) {
        if !self.spilled && self.fresh.iter().all(may_wait) {
            let room = self.settings.spool.saturating_sub(self.spool.len()).min(self.fresh.len());
            self.spool.extend(self.fresh.drain(..room));
            count(&self.shared.spooled, room);
        }
        if self.fresh.is_empty() || self.side_blocked {
            return;
        }
        match self.side.append(self.fresh.iter()) {
            Ok(()) => {
                self.spilled = true;
                count(&self.shared.side_filed, self.fresh.len());
                self.shared.waiting.fetch_sub(self.fresh.len(), Relaxed);
                promises(&self.fresh).for_each(|promise| (self.report)(News::Kept(promise)));
                self.fresh.clear();
            }
            Err(e) => {
                self.side_blocked = true;
                count(&self.shared.errors, 1);
                self.complain(&e, now, "the ledger's side file cannot be written: records wait in memory");
            }
        }
    }

    /// The last chance of what is still in memory.
    fn finish(mut self) {
        if self.settle().is_ok() {
            self.succeeded();
            return;
        }
        let left = self.spool.len() + self.fresh.len();
        if left == 0 {
            return;
        }
        match self.side.append(self.spool.iter().chain(&self.fresh)) {
            Ok(()) => count(&self.shared.side_filed, left),
            Err(error) => {
                count(&self.shared.lost, left);
                tracing::error!(%error, lost = left, "records are lost: neither database nor side file took them");
            }
        }
        self.shared.waiting.fetch_sub(left, Relaxed);
    }

    /// The next record, waited for as long as there is nothing else to do.
    fn next(&self, inbox: &Receiver<Given>) -> Result<Given, RecvTimeoutError> {
        match self.retry.map(|retry| retry.at).or(self.sweep) {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
        }
    }

    fn complain(&mut self, error: &Error, now: Instant, what: &str) {
        if self.complaints.lets_through(now) {
            self.complained = true;
            let counters = self.shared.snapshot();
            tracing::error!(%error, waiting = counters.waiting, side_filed = counters.side_filed, "{what}");
        }
    }
}

/// Tells those who wait for the writer that it has gone, even if it panicked.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.advance(|progress| progress.ended = true);
    }
}

/// Moves a queue into the database; what went in is gone from the queue, whatever happens to the rest.
fn drain(
    queue: &mut VecDeque<Note>,
    store: &mut Store,
    side: &Side,
    shared: &Shared,
    report: &Report,
) -> Result<(), Error> {
    while !queue.is_empty() {
        let size = queue.len().min(BATCH);
        let batch = &queue.make_contiguous()[..size];
        let kept: Vec<PromiseId> = promises(batch).collect();
        // What a caller is told is safe must outlive a power cut too.
        let synced = !batch.iter().all(may_wait);
        if synced {
            store.sync_commits(true)?;
        }
        let done = commit(batch, store)?;
        if synced {
            store.sync_commits(false)?;
        }
        for refused in &done.refused {
            if let Err(error) = reject(side, shared, refused) {
                count(&shared.lost, 1);
                tracing::error!(%error, "a record is lost: the database refused it and it could not be kept aside");
            }
        }
        if done.refused.is_empty() {
            kept.into_iter().for_each(|promise| report(News::Kept(promise)));
        }
        count(&shared.written, size - done.refused.len());
        queue.drain(..size);
        shared.waiting.fetch_sub(size, Relaxed);
    }
    Ok(())
}

/// Moves the side file into the database and removes it; done again after a crash, it adds nothing twice.
fn replay(store: &mut Store, side: &mut Side, shared: &Shared) -> Result<(), Error> {
    if !side.present() {
        return Ok(());
    }
    let Some(mut lines) = side.lines()? else { return Ok(()) };
    store.sync_commits(true)?;
    let mut batch = Vec::with_capacity(BATCH);
    let mut replayed = 0;
    loop {
        let line = lines.next()?;
        let at_end = line.is_none();
        match line {
            Some(Line::Record(entry)) => batch.push(*entry),
            Some(Line::Unreadable(line)) => reject(side, shared, &line)?,
            None => {}
        }
        if batch.len() == BATCH || at_end {
            let done = commit(&batch, store)?;
            done.refused.iter().try_for_each(|refused| reject(side, shared, refused))?;
            count(&shared.replayed, done.added);
            replayed += done.added;
            batch.clear();
        }
        if at_end {
            break;
        }
    }
    side.remove()?;
    store.sync_commits(false)?;
    tracing::info!(replayed, "the ledger's side file is replayed");
    Ok(())
}

/// What came of a batch.
#[derive(Default)]
struct Committed {
    /// How many records were not there before.
    added: usize,
    /// Those that the database will never take, as lines of JSON.
    refused: Vec<Vec<u8>>,
}

/// Writes a batch; a record that breaks a rule of the schema does not hold up the others.
fn commit(batch: &[Note], store: &mut Store) -> Result<Committed, Error> {
    match store.write(batch) {
        Err(e) if e.is_constraint() => {}
        other => return other.map(|added| Committed { added, refused: Vec::new() }),
    }
    let mut done = Committed::default();
    for note in batch {
        match store.write(std::slice::from_ref(note)) {
            Ok(added) => done.added += added,
            Err(error) if error.is_constraint() => {
                let what = match note {
                    Note::Call(entry) => entry.record.call.to_string(),
                    Note::Promise(entry) => entry.promise.promise.to_string(),
                    Note::Case(entry) => entry.case.case.to_string(),
                    Note::Event(entry) => format!("event-{}", entry.event.circumstances.seq),
                };
                tracing::error!(%error, what, "the database refuses a record for good");
                done.refused.push(side::line(note));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// Whether nobody waits to hear that it is on a disk.
fn may_wait(note: &Note) -> bool {
    matches!(note, Note::Call(_) | Note::Event(_))
}

fn promises<'a>(notes: impl IntoIterator<Item = &'a Note>) -> impl Iterator<Item = PromiseId> {
    notes.into_iter().filter_map(|note| match note {
        Note::Promise(entry) => Some(entry.promise.promise),
        Note::Call(_) | Note::Case(_) | Note::Event(_) => None,
    })
}

fn reject(side: &Side, shared: &Shared, line: &[u8]) -> Result<(), Error> {
    side.reject(line)?;
    count(&shared.rejected, 1);
    Ok(())
}

fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}
