//! What the ledger counts, and what its two sides share: numbers, and how far the writer has come.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How the ledger fares. All but `waiting`, `healthy` and `keyless` only grow.
///
/// While nothing is in flight, `accepted` is the sum of `written`, `waiting`, `lost`, what lies in the
/// side file, and what of this run was replayed or rejected.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records given to the ledger, events that found room among them.
    pub accepted: u64,
    /// Records that went from memory into the database.
    pub written: u64,
    /// Records that had to wait in memory because the database could not be written.
    pub spooled: u64,
    /// Records that went into the side file.
    pub side_filed: u64,
    /// Records that came back from the side file into the database, of this run or an earlier one.
    pub replayed: u64,
    /// Records, or unreadable lines of the side file, that the database can never take and that were kept beside it.
    pub rejected: u64,
    /// Records that are gone.
    pub lost: u64,
    /// Events that are gone; they are not among the records.
    pub events_lost: u64,
    /// Attempts to write the database or the side file that failed.
    pub errors: u64,
    /// Records in memory now.
    pub waiting: u64,
    /// Whether the last attempt to write the database succeeded and nothing is left to replay.
    pub healthy: bool,
    /// Whether callers' numbers are being dropped because the key for hashing them cannot be had.
    pub keyless: bool,
}

/// The shared part of a ledger: the caller's side writes and reads it without waiting for any disk.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) accepted: AtomicU64,
    /// Of the accepted, those that went on to the writer.
    pub(super) sent: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) spooled: AtomicU64,
    pub(super) side_filed: AtomicU64,
    pub(super) replayed: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) events_lost: AtomicU64,
    pub(super) errors: AtomicU64,
    /// Records in memory: in the inbox or with the writer.
    pub(super) waiting: AtomicUsize,
    pub(super) healthy: AtomicBool,
    pub(super) keyless: AtomicBool,
    progress: Mutex<Progress>,
    moved: Condvar,
}

#[derive(Copy, Clone, Default)]
pub(super) struct Progress {
    /// Of the records received, in order, how many are settled: in the database, or rejected.
    pub(super) settled: u64,
    /// Nothing of an earlier time is left to replay.
    pub(super) clean: bool,
    /// The writer has gone.
    pub(super) ended: bool,
}

impl Shared {
    pub(super) fn snapshot(&self) -> Counters {
        Counters {
            accepted: self.accepted.load(Relaxed),
            written: self.written.load(Relaxed),
            spooled: self.spooled.load(Relaxed),
            side_filed: self.side_filed.load(Relaxed),
            replayed: self.replayed.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            lost: self.lost.load(Relaxed),
            events_lost: self.events_lost.load(Relaxed),
            errors: self.errors.load(Relaxed),
            waiting: self.waiting.load(Relaxed) as u64,
            healthy: self.healthy.load(Relaxed),
            keyless: self.keyless.load(Relaxed),
        }
    }

    /// Of the records received, in order, how many are settled.
    pub(super) fn settled(&self) -> u64 {
        self.progress().settled
    }

    /// Tells those who wait how far the writer has come.
    pub(super) fn advance(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress());
        self.moved.notify_all();
    }

    /// Waits until `reached` holds, for `bound` at most, and says how far the writer has come by then.
    pub(super) fn wait_until(&self, bound: Duration, reached: impl Fn(&Progress) -> bool) -> Progress {
        let deadline = Instant::now() + bound;
        let mut progress = self.progress();
        while !reached(&progress) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.moved.wait_timeout(progress, left);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *progress
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets one message through in a while.
#[derive(Default)]
pub(super) struct Throttle(Option<Instant>);

impl Throttle {
    const EVERY: Duration = Duration::from_secs(10);

    pub(super) fn lets_through(&mut self, now: Instant) -> bool {
        let open = self.0.is_none_or(|last| now.saturating_duration_since(last) >= Self::EVERY);
        if open {
            self.0 = Some(now);
        }
        open
    }
}
