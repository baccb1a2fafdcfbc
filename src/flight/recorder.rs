//! The writing end: inputs go into the page cache before they are handled, snapshots to a thread of their own.
//!
//! What is in the page cache outlives the death of the process, not of the machine. A write costs a few
//! microseconds; should one ever be slow (a full or failing disk under the page cache), what follows is handed
//! to the other thread for a while, so that calls are held up once at most.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::digest::Digest;
use super::files::{self, Place};
use super::format::{self, Head, Kind, MAGIC};
use super::keeper::{Job, Keeper};
use super::snapshot::{self, Kept};
use super::{Counters, Settings, input, named};
use crate::switch::{Input, Output};
use crate::time::Now;

/// A write that takes longer hands those after it to the other thread.
const SLOW: Duration = Duration::from_millis(20);
/// For so long at least.
const BEHIND_FOR: Duration = Duration::from_secs(10);
/// Bytes that may wait there; beyond them the log has a gap.
const MOST_BEHIND: usize = 64 << 20;
/// A segment that has grown to this ends with the next snapshot.
const SEGMENT_BYTES: u64 = 64 << 20;
/// So does one that has lasted so long.
const SEGMENT_FOR: Duration = Duration::from_secs(3_600);
/// How often a log with a gap tries to begin anew.
const RETRY: Duration = Duration::from_secs(5);
/// How many attempts of those go by before it is said again.
const COMPLAIN_EVERY: u32 = 12;

/// A flight log that is being written.
pub struct Recorder {
    settings: Settings,
    head: Head,
    /// The last number that a segment had.
    number: u64,
    /// The segment that is written; `None` while the disk takes nothing, which is tried again.
    segment: Option<Segment>,
    buffer: Vec<u8>,
    digest: Digest,
    /// Something was handled since the last snapshot.
    moved: bool,
    last_snapshot: Instant,
    /// How often the log was tried to be begun anew, in vain.
    retries: u32,
    keeper: Keeper,
    counters: Counters,
    _lock: File,
}

struct Segment {
    file: Arc<File>,
    /// The length of what it begins with.
    head: u64,
    length: u64,
    begun: Instant,
    way: Way,
}

/// Which way bytes go to the file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Way {
    /// From here.
    Direct,
    /// Through the other thread, since then.
    Behind(Instant),
}

impl Recorder {
    /// Begins a log, or its next segment, with a snapshot. `lock` is the directory's. What is wrong with the
    /// disk is logged, and tried again; the only error is that the other thread cannot be started.
    pub(super) fn begin(
        settings: Settings,
        head: Head,
        number: u64,
        lock: File,
        kept: &Kept<'_>,
        now: Now,
    ) -> io::Result<Recorder> {
        let keeper = Keeper::start(settings.clone())?;
        let mut recorder = Recorder {
            settings,
            head,
            number,
            segment: None,
            buffer: Vec::new(),
            digest: Digest::default(),
            moved: true,
            last_snapshot: Instant::now(),
            retries: 0,
            keeper,
            counters: Counters::default(),
            _lock: lock,
        };
        match recorder.first_segment(kept, now) {
            Ok(segment) => recorder.segment = Some(segment),
            Err(error) => recorder.lose(&error),
        }
        Ok(recorder)
    }

    fn first_segment(&mut self, kept: &Kept<'_>, now: Now) -> io::Result<Segment> {
        // The snapshot first: a segment without it would not be found to follow anything. Callers wait for this, so
        // it is not they who wait for the disk.
        let place = Place { segment: self.number, offset: 0 };
        let base = self.state(kept, now);
        let put = files::put(&files::snapshot(&self.settings.directory, place), &base);
        self.keeper.shared.spare(base);
        put?;
        let segment = Segment::begin(&self.settings, &self.head, self.number, now)?;
        self.keeper.send(Job::Sync(place));
        Ok(segment)
    }

    /// Notes an input that is about to be handled.
    pub fn input(&mut self, input: &Input, now: Now) {
        self.moved |= *input != Input::Wake;
        if self.segment.is_some() {
            input::append(&mut self.buffer, input, now);
            self.counters.inputs += 1;
        }
    }

    /// Writes what was noted. After it the inputs may be handled.
    pub fn commit(&mut self) {
        let Some(segment) = self.segment.as_mut().filter(|_| !self.buffer.is_empty()) else {
            return self.buffer.clear();
        };
        segment.length += self.buffer.len() as u64;
        match segment.way {
            Way::Direct => {
                let begun = Instant::now();
                match (&*segment.file).write_all(&self.buffer) {
                    Ok(()) => self.buffer.clear(),
                    Err(error) => return self.lose(&error),
                }
                if begun.elapsed() > SLOW {
                    self.counters.slow += 1;
                    tracing::warn!(took = ?begun.elapsed(), "the flight log's disk is slow: it is written behind the calls");
                    segment.way = Way::Behind(Instant::now());
                }
            }
            Way::Behind(since) => {
                if self.keeper.failed() || self.keeper.waiting() > MOST_BEHIND {
                    return self.lose(&io::Error::other("the disk does not keep up"));
                }
                let bytes = std::mem::take(&mut self.buffer);
                self.keeper.send(Job::Append(segment.file.clone(), bytes));
                if since.elapsed() > BEHIND_FOR && self.keeper.waiting() == 0 {
                    segment.way = Way::Direct;
                }
            }
        }
    }

    /// Notes what came out after the inputs of this batch.
    pub fn output(&mut self, output: &Output) {
        self.moved = true;
        if self.segment.is_some() {
            self.digest.add(output);
        }
    }

    /// The batch is handled; its outputs are written with the next one.
    pub fn handled(&mut self, now: Now) {
        if self.segment.is_some() {
            self.digest.append(&mut self.buffer, now);
        }
    }

    /// Whether it is time for a snapshot.
    pub fn wants_snapshot(&self) -> bool {
        let stale = self.segment.is_none() || self.keeper.stale();
        let every =
            if stale { RETRY.min(self.settings.snapshot_every) } else { self.settings.snapshot_every };
        (self.moved || stale) && self.last_snapshot.elapsed() >= every && self.keeper.waiting() == 0
    }

    /// Takes a snapshot of a switch with nothing left to put out; says for how long that held it up.
    pub fn snapshot(&mut self, kept: &Kept<'_>, now: Now) -> Duration {
        let begun = Instant::now();
        self.last_snapshot = begun;
        self.moved = false;
        self.commit();
        if self.segment.as_ref().is_none_or(Segment::is_full)
            && let Err(error) = self.next_segment(now)
        {
            self.lose(&error);
        }
        let Some(segment) = &self.segment else { return begun.elapsed() };
        // The state before the first record is called that at the beginning.
        let offset = if segment.length == segment.head { 0 } else { segment.length };
        let place = Place { segment: self.number, offset };
        let bytes = self.state(kept, now);
        self.counters.snapshots += 1;
        self.counters.snapshot_bytes = bytes.len() as u64;
        self.keeper.send(Job::Snapshot(place, bytes));
        let held = begun.elapsed();
        self.counters.longest_hold = self.counters.longest_hold.max(held);
        held
    }

    /// A snapshot, in the memory of the one before, or in as much.
    fn state(&self, kept: &Kept<'_>, now: Now) -> Vec<u8> {
        let mut room = self.keeper.shared.spared();
        room.reserve(usize::try_from(self.counters.snapshot_bytes).unwrap_or(0));
        snapshot::write(&self.head, kept, now, room)
    }

    /// Waits until all that was given is in its files; says whether all of it is.
    pub fn flush(&mut self) -> bool {
        self.commit();
        self.keeper.flush() && self.segment.is_some()
    }

    /// Ends the log for good: every call is over, nothing is to be resumed.
    pub fn end(mut self, now: Now) {
        format::append(&mut self.buffer, Kind::End, now, |_| {});
        self.flush();
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        Counters { snapshots_failed: self.keeper.shared.failures.load(Relaxed), ..self.counters.clone() }
    }

    /// Puts a file that takes nothing in place of the segment.
    #[cfg(test)]
    pub(super) fn break_file(&mut self) {
        let segment = self.segment.as_mut().expect("one is written");
        segment.file = Arc::new(File::open("/dev/null").expect("it is everywhere"));
    }

    fn next_segment(&mut self, now: Now) -> io::Result<()> {
        let mut head = self.head.clone();
        head.continues = self.segment.is_some();
        // A number is used once, also one whose file could be made and not written.
        self.number += 1;
        let way = self.segment.as_ref().map_or(Way::Direct, |before| before.way);
        let segment = match way {
            Way::Direct => Segment::begin(&self.settings, &head, self.number, now)?,
            Way::Behind(_) => {
                let (mut segment, bytes) = Segment::open(&self.settings, &head, self.number, now)?;
                self.keeper.send(Job::Append(segment.file.clone(), bytes));
                segment.way = way;
                segment
            }
        };
        if self.segment.replace(segment).is_none() {
            tracing::info!("the flight log is written again");
            self.keeper.forgive();
            self.retries = 0;
        }
        Ok(())
    }

    /// Some of the log is lost: calls go on without it, and it begins anew with a snapshot.
    fn lose(&mut self, error: &io::Error) {
        if self.segment.take().is_some() || self.counters.gaps == 0 {
            tracing::error!(%error, "the flight log has a gap: calls go on, but could not be resumed after a crash");
            self.counters.gaps += 1;
        } else {
            self.retries += 1;
            if self.retries.is_multiple_of(COMPLAIN_EVERY) {
                tracing::error!(%error, retries = self.retries, "the flight log still cannot be written");
            }
        }
        self.buffer.clear();
        self.digest.take();
    }
}

impl Segment {
    /// Makes the file of a segment with what it begins with; leaves none behind that has not all of that.
    fn begin(settings: &Settings, head: &Head, number: u64, now: Now) -> io::Result<Segment> {
        let (segment, bytes) = Segment::open(settings, head, number, now)?;
        if let Err(error) = (&*segment.file).write_all(&bytes) {
            let _ = std::fs::remove_file(files::segment(&settings.directory, number));
            return Err(error);
        }
        Ok(segment)
    }

    /// Makes the file of a segment, and says what it begins with.
    fn open(settings: &Settings, head: &Head, number: u64, now: Now) -> io::Result<(Segment, Vec<u8>)> {
        let file = files::create(&files::segment(&settings.directory, number))?;
        let mut bytes = MAGIC.to_vec();
        format::append(&mut bytes, Kind::Head, now, |buffer| named::append(buffer, head));
        let length = bytes.len() as u64;
        let segment =
            Segment { file: Arc::new(file), head: length, length, begun: Instant::now(), way: Way::Direct };
        Ok((segment, bytes))
    }

    fn is_full(&self) -> bool {
        self.length > SEGMENT_BYTES || self.begun.elapsed() > SEGMENT_FOR
    }
}
