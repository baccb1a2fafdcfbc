//! The other thread: it writes snapshots, removes what is kept no longer, and writes the log itself while the disk
//! is slow.

use std::fs::File;
use std::io::{self, Write as _};
use std::mem;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use super::Settings;
use super::files::{self, Place};

/// How long the end of the daemon waits for the disk.
const FLUSH: Duration = Duration::from_secs(5);

/// How often old files are looked for when nothing else brings it about.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// What the other thread is asked to do, in order.
pub(super) enum Job {
    /// Append these bytes.
    Append(Arc<File>, Vec<u8>),
    /// Put this snapshot into its place.
    Snapshot(Place, Vec<u8>),
    /// Let this snapshot, which is in its place, outlive a power cut.
    Sync(Place),
    /// Say when everything before is done.
    Tell(SyncSender<()>),
}

/// What both threads see.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Bytes that wait for the disk.
    waiting: AtomicUsize,
    /// The log could not be written.
    failed: AtomicBool,
    /// The last snapshot could not be kept.
    stale: AtomicBool,
    /// Snapshots that could not be written, and tidyings that failed.
    pub(super) failures: AtomicU64,
    /// The buffer of the last snapshot: memory that is there already holds up the next one less.
    spare: Mutex<Vec<u8>>,
}

impl Shared {
    /// An empty buffer, with the room of the last snapshot if that is written.
    pub(super) fn spared(&self) -> Vec<u8> {
        self.spare.try_lock().map(|mut spare| mem::take(&mut *spare)).unwrap_or_default()
    }

    /// The buffer of a snapshot is needed no longer.
    pub(super) fn spare(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }
}

/// The handle of the other thread; dropping it waits for the thread.
pub(super) struct Keeper {
    jobs: Option<Sender<Job>>,
    pub(super) shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(settings: Settings) -> io::Result<Keeper> {
        let (jobs, inbox) = channel();
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let work = move || work(&settings, &inbox, &theirs);
        let thread = thread::Builder::new().name("flight".into()).spawn(work)?;
        Ok(Keeper { jobs: Some(jobs), shared, thread: Some(thread) })
    }

    pub(super) fn send(&self, job: Job) {
        if let Job::Append(_, bytes) | Job::Snapshot(_, bytes) = &job {
            self.shared.waiting.fetch_add(bytes.len(), Relaxed);
        }
        if self.jobs.as_ref().is_none_or(|jobs| jobs.send(job).is_err()) {
            self.shared.failed.store(true, Release);
        }
    }

    /// Bytes that wait for the disk.
    pub(super) fn waiting(&self) -> usize {
        self.shared.waiting.load(Relaxed)
    }

    /// Whether some of the log could not be written.
    pub(super) fn failed(&self) -> bool {
        self.shared.failed.load(Acquire)
    }

    /// Whether the last snapshot could not be kept.
    pub(super) fn stale(&self) -> bool {
        self.shared.stale.load(Acquire)
    }

    /// Begins anew after a failure.
    pub(super) fn forgive(&self) {
        self.shared.failed.store(false, Release);
    }

    /// Waits until everything sent so far is done, or the disk has had long enough; says whether all of it was kept.
    pub(super) fn flush(&self) -> bool {
        let (told, done) = sync_channel(1);
        self.send(Job::Tell(told));
        let in_time = done.recv_timeout(FLUSH).is_ok();
        if !in_time {
            tracing::error!("the flight log's disk hangs: what waits for it is given up");
        }
        in_time && !self.failed() && !self.stale()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.flush();
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take().filter(JoinHandle::is_finished) {
            let _ = thread.join();
        }
    }
}

fn work(settings: &Settings, inbox: &Receiver<Job>, shared: &Shared) {
    let Settings { directory, keep_for, keep_size, .. } = settings;
    let tidy = || files::tidy(directory, *keep_for, *keep_size, SystemTime::now());
    let mut complained = false;
    loop {
        let done = match inbox.recv_timeout(TIDY_EVERY) {
            Ok(Job::Append(file, bytes)) => {
                // What comes after a gap would be read as if it followed.
                if !shared.failed.load(Acquire) && (&*file).write_all(&bytes).is_err() {
                    shared.failed.store(true, Release);
                }
                shared.waiting.fetch_sub(bytes.len(), Relaxed);
                continue;
            }
            Ok(Job::Snapshot(place, bytes)) => {
                let kept = files::replace(&files::snapshot(directory, place), &bytes);
                shared.stale.store(kept.is_err(), Release);
                shared.waiting.fetch_sub(bytes.len(), Relaxed);
                shared.spare(bytes);
                kept.and_then(|()| tidy())
            }
            Ok(Job::Sync(place)) => files::sync(&files::snapshot(directory, place)),
            // Whoever asked may have gone meanwhile.
            Ok(Job::Tell(told)) => {
                let _ = told.send(());
                continue;
            }
            // A quiet daemon takes no snapshots, and what it has grows old all the same.
            Err(RecvTimeoutError::Timeout) => tidy(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        match done {
            Ok(()) => complained = false,
            Err(error) => {
                shared.failures.fetch_add(1, Relaxed);
                if !mem::replace(&mut complained, true) {
                    tracing::error!(%error, "a snapshot cannot be kept, or old files not removed");
                }
            }
        }
    }
}
