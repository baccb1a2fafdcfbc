//! The other thread: it writes snapshots, removes what is kept no longer, and writes the log itself while the disk
//! is slow.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use super::Settings;
use super::files::{self, Place};

/// How long the end of the daemon waits for the disk.
const FLUSH: Duration = Duration::from_secs(5);

/// What the other thread is asked to do, in order.
pub(super) enum Job {
    /// Append these bytes.
    Append(Arc<File>, Vec<u8>),
    /// Put this snapshot into its place.
    Snapshot(Place, Vec<u8>),
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
    /// Snapshots that could not be written, and tidyings that failed.
    pub(super) failures: AtomicU64,
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

    /// Begins anew after a failure.
    pub(super) fn forgive(&self) {
        self.shared.failed.store(false, Release);
    }

    /// Waits until everything sent so far is done, or the disk has had long enough.
    pub(super) fn flush(&self) {
        let (told, done) = sync_channel(1);
        self.send(Job::Tell(told));
        if done.recv_timeout(FLUSH).is_err() {
            tracing::error!("the flight log's disk hangs: what waits for it is given up");
        }
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
    let mut complained = false;
    for job in inbox {
        match job {
            Job::Append(file, bytes) => {
                // What comes after a gap would be read as if it followed.
                if !shared.failed.load(Acquire) && (&*file).write_all(&bytes).is_err() {
                    shared.failed.store(true, Release);
                }
                shared.waiting.fetch_sub(bytes.len(), Relaxed);
            }
            Job::Snapshot(place, bytes) => {
                let kept =
                    files::replace(&files::snapshot(&settings.directory, place), &bytes).and_then(|()| {
                        let Settings { directory, keep_for, keep_size, .. } = settings;
                        files::tidy(directory, *keep_for, *keep_size, SystemTime::now())
                    });
                shared.waiting.fetch_sub(bytes.len(), Relaxed);
                match kept {
                    Ok(()) => complained = false,
                    Err(error) => {
                        shared.failures.fetch_add(1, Relaxed);
                        if !std::mem::replace(&mut complained, true) {
                            tracing::error!(%error, "a snapshot cannot be kept, or old files not removed");
                        }
                    }
                }
            }
            // Whoever asked may have gone meanwhile.
            Job::Tell(told) => drop(told.send(())),
        }
    }
}
