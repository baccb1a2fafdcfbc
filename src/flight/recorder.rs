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
/// Room for the first snapshot; later ones have as much as the one before took.
const FIRST_ROOM: usize = 1 << 20;

/// A flight log that is being written.
pub struct Recorder {
    settings: Settings,
    head: Head,
    segment: Segment,
    way: Way,
    buffer: Vec<u8>,
    digest: Digest,
    /// Something was handled since the last snapshot.
    moved: bool,
    last_snapshot: Instant,
    room: usize,
    keeper: Keeper,
    counters: Counters,
    _lock: File,
}

struct Segment {
    number: u64,
    file: Arc<File>,
    length: u64,
    begun: Instant,
}

/// Which way bytes go to the file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Way {
    /// From here.
    Direct,
    /// Through the other thread, since then.
    Behind(Instant),
    /// Nowhere: the disk did not take some of them. Tried again with a new segment.
    Nowhere,
}

impl Recorder {
    /// Begins a log, or its next segment, with a snapshot. `lock` is the directory's.
    pub(super) fn begin(
        settings: Settings,
        head: Head,
        number: u64,
        lock: File,
        kept: &Kept<'_>,
        now: Now,
    ) -> io::Result<Recorder> {
        // The snapshot first: a segment without it would not be found to follow anything.
        let base = snapshot::write(&head, kept, now, FIRST_ROOM);
        files::replace(&files::snapshot(&settings.directory, Place { segment: number, offset: 0 }), &base)?;
        let (segment, bytes) = Segment::open(&settings, &head, number, now)?;
        (&*segment.file).write_all(&bytes)?;
        let keeper = Keeper::start(settings.clone())?;
        Ok(Recorder {
            head,
            segment,
            way: Way::Direct,
            buffer: Vec::new(),
            digest: Digest::default(),
            moved: true,
            last_snapshot: Instant::now(),
            room: FIRST_ROOM,
            keeper,
            counters: Counters::default(),
            settings,
            _lock: lock,
        })
    }

    /// Notes an input that is about to be handled.
    pub fn input(&mut self, input: &Input, now: Now) {
        self.moved |= *input != Input::Wake;
        if self.way != Way::Nowhere {
            input::append(&mut self.buffer, input, now);
            self.counters.inputs += 1;
        }
    }

    /// Writes what was noted. After it the inputs may be handled.
    pub fn commit(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        self.segment.length += self.buffer.len() as u64;
        match self.way {
            Way::Nowhere => self.buffer.clear(),
            Way::Direct => {
                let begun = Instant::now();
                match (&*self.segment.file).write_all(&self.buffer) {
                    Ok(()) => self.buffer.clear(),
                    Err(error) => return self.lose(&error),
                }
                if begun.elapsed() > SLOW {
                    self.counters.slow += 1;
                    tracing::warn!(took = ?begun.elapsed(), "the flight log's disk is slow: it is written behind the calls");
                    self.way = Way::Behind(Instant::now());
                }
            }
            Way::Behind(since) => {
                if self.keeper.failed() || self.keeper.waiting() > MOST_BEHIND {
                    return self.lose(&io::Error::other("the disk does not keep up"));
                }
                let bytes = std::mem::take(&mut self.buffer);
                self.keeper.send(Job::Append(self.segment.file.clone(), bytes));
                if since.elapsed() > BEHIND_FOR && self.keeper.waiting() == 0 {
                    self.way = Way::Direct;
                }
            }
        }
    }

    /// Notes what came out after the inputs of this batch.
    pub fn output(&mut self, output: &Output) {
        self.moved = true;
        if self.way != Way::Nowhere {
            self.digest.add(output);
        }
    }

    /// The batch is handled; its outputs are written with the next one.
    pub fn handled(&mut self, now: Now) {
        if self.way != Way::Nowhere {
            self.digest.append(&mut self.buffer, now);
        }
    }

    /// Whether it is time for a snapshot.
    pub fn wants_snapshot(&self) -> bool {
        let every = if self.way == Way::Nowhere { RETRY } else { self.settings.snapshot_every };
        self.moved && self.last_snapshot.elapsed() >= every && self.keeper.waiting() == 0
    }

    /// Takes a snapshot of a switch with nothing left to put out; says for how long that held it up.
    pub fn snapshot(&mut self, kept: &Kept<'_>, now: Now) -> Duration {
        let begun = Instant::now();
        self.last_snapshot = begun;
        self.moved = false;
        self.commit();
        let full = self.segment.length > SEGMENT_BYTES || self.segment.begun.elapsed() > SEGMENT_FOR;
        let fresh = full || self.way == Way::Nowhere;
        if fresh && let Err(error) = self.next_segment(now) {
            self.lose(&error);
            return begun.elapsed();
        }
        let offset = if fresh { 0 } else { self.segment.length };
        let place = Place { segment: self.segment.number, offset };
        let bytes = snapshot::write(&self.head, kept, now, self.room);
        self.room = bytes.len() + bytes.len() / 8;
        self.counters.snapshots += 1;
        self.counters.snapshot_bytes = bytes.len() as u64;
        self.keeper.send(Job::Snapshot(place, bytes));
        let held = begun.elapsed();
        self.counters.longest_hold = self.counters.longest_hold.max(held);
        held
    }

    /// Waits until all that was given is in its files.
    pub fn flush(&mut self) {
        self.commit();
        self.keeper.flush();
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
        self.segment.file = Arc::new(File::open("/dev/null").expect("it is everywhere"));
    }

    fn next_segment(&mut self, now: Now) -> io::Result<()> {
        let mut head = self.head.clone();
        head.continues = self.way != Way::Nowhere;
        let (segment, bytes) = Segment::open(&self.settings, &head, self.segment.number + 1, now)?;
        match self.way {
            Way::Behind(_) => self.keeper.send(Job::Append(segment.file.clone(), bytes)),
            Way::Direct | Way::Nowhere => (&*segment.file).write_all(&bytes)?,
        }
        self.segment = segment;
        if self.way == Way::Nowhere {
            tracing::info!("the flight log is written again");
            self.keeper.forgive();
            self.way = Way::Direct;
        }
        Ok(())
    }

    /// Some of the log is lost: calls go on without it, and it begins anew with a snapshot.
    fn lose(&mut self, error: &io::Error) {
        if self.way != Way::Nowhere {
            tracing::error!(%error, "the flight log has a gap: calls go on, but could not be resumed after a crash");
            self.counters.gaps += 1;
        }
        self.way = Way::Nowhere;
        self.buffer.clear();
        self.digest.take();
    }
}

impl Segment {
    /// Makes the file of a segment, and says what it begins with.
    fn open(settings: &Settings, head: &Head, number: u64, now: Now) -> io::Result<(Segment, Vec<u8>)> {
        let file = files::create(&files::segment(&settings.directory, number))?;
        let mut bytes = MAGIC.to_vec();
        format::append(&mut bytes, Kind::Head, now, |buffer| named::append(buffer, head));
        let length = bytes.len() as u64;
        Ok((Segment { number, file: Arc::new(file), length, begun: Instant::now() }, bytes))
    }
}
