//! Where a daemon that was killed goes on: the newest snapshot that can be read, and all that came after it.

use std::fs::{self, File, OpenOptions};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use super::files::{self, Found, Place};
use super::format::{FORMAT, Head, Run};
use super::recorder::Recorder;
use super::replay::{Aim, Batch, Course, End, Segment, Stopped, replay_for};
use super::snapshot::{self, Kept, State};
use super::{Error, Settings};
use crate::call::record::{CallRecord, PromiseRecord};
use crate::switch::{Output, Switch};
use crate::time::Now;

/// Attempts to resume that may die before the third begins with nothing.
const ATTEMPTS: u8 = 2;
/// Inputs at which the switch fails that are left out one by one; at the next, the rest is given up.
const MOST_LEFT_OUT: usize = 8;
/// Where attempts are counted.
const RESUMING: &str = "resuming";
/// Held by the one daemon that writes here.
const LOCK: &str = "lock";

/// A directory of a flight log that is ours alone.
pub struct Opened {
    settings: Settings,
    lock: File,
    next: u64,
}

/// What a daemon left that did not end in good order.
#[derive(Debug)]
pub struct Left {
    /// The switch after the last input.
    pub switch: Switch,
    /// When that was.
    pub now: Now,
    /// The life that it had.
    pub run: Run,
    /// Records of calls that the ledger may not have.
    pub records: Vec<CallRecord>,
    /// Promises that are over, which the ledger may still have as open.
    pub promises: Vec<PromiseRecord>,
    /// The last inputs and what came out of them: it may not have left the machine.
    pub last: Batch,
    /// Inputs replayed since the snapshot.
    pub inputs: u64,
    /// Whether inputs are missing: the switch is older than the world knows it.
    pub incomplete: bool,
}

/// Opens the directory, makes it if need be, and repairs what a crash tore.
///
/// # Errors
/// [`Error::Locked`] when another daemon writes there; else what the system says.
pub fn open(settings: Settings) -> Result<Opened, Error> {
    let directory = &settings.directory;
    let at = Error::file(directory);
    files::make_directory(directory).map_err(at)?;
    let lock = directory.join(LOCK);
    let mut options = OpenOptions::new();
    let lock = options.write(true).create(true).truncate(false).mode(0o600).open(lock);
    let lock = lock.map_err(Error::file(directory))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(Error::Locked(directory.clone())),
        Err(fs::TryLockError::Error(error)) => return Err(Error::file(directory)(error)),
    }
    let found = files::list(directory).map_err(Error::file(directory))?;
    repair(directory, &found)?;
    let used = found.segments.last().copied().max(found.snapshots.last().map(|place| place.segment));
    Ok(Opened { next: used.map_or(1, |used| used + 1), lock, settings })
}

/// Cuts half a record off the end of the last segment; what comes before its newest snapshot is needed no more, and what
/// comes after it is kept, however torn the rest.
fn repair(directory: &Path, found: &Found) -> Result<(), Error> {
    let Some(&last) = found.segments.last() else { return Ok(()) };
    let path = files::segment(directory, last);
    // One whose very head is torn says nothing, and is left as it is.
    let Ok(segment) = Segment::read(&path) else { return Ok(()) };
    let newest = found.snapshots.iter().rev().find(|place| place.segment == last);
    let length = segment.length();
    let Some(readable) = segment.readable(newest.map_or(0, |place| place.offset)) else { return Ok(()) };
    if readable < length {
        tracing::warn!(path = %path.display(), cut = length - readable, "the end of the flight log is torn: cut off");
        let file = OpenOptions::new().write(true).open(&path).map_err(Error::file(&path))?;
        file.set_len(readable).map_err(Error::file(&path))?;
    }
    Ok(())
}

impl Opened {
    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.settings.directory
    }

    /// What the daemon before left; `None` when it ended in good order, or there was none.
    ///
    /// A resume that dies is tried twice; then an error says so. Call [`resumed`] once all is well.
    pub fn left(&self) -> Result<Option<Left>, Stopped> {
        let directory = &self.settings.directory;
        let found = files::list(directory).map_err(Error::file(directory))?;
        if found.snapshots.is_empty() {
            return Ok(None);
        }
        let counter = directory.join(RESUMING);
        let before = fs::read(&counter).ok().and_then(|bytes| bytes.first().copied()).unwrap_or(0);
        if before >= ATTEMPTS {
            return Err(Error::Died(before).into());
        }
        // Not synced: it counts what dies of these calls, not what dies of the machine.
        files::put(&counter, &[before + 1]).map_err(Error::file(&counter))?;
        let mut unread = None;
        for &place in found.snapshots.iter().rev() {
            match read_snapshot(directory, place) {
                Ok((head, state, now)) => return self.go_on(&found, place, head, state, now),
                Err(error) => {
                    tracing::error!(%error, ?place, "a snapshot cannot be read: trying the one before");
                    unread.get_or_insert(error);
                }
            }
        }
        Err(unread.unwrap_or(Error::Torn).into())
    }

    fn go_on(
        &self,
        found: &Found,
        place: Place,
        head: Head,
        state: State,
        now: Now,
    ) -> Result<Option<Left>, Stopped> {
        let State { switch, unsettled, promises } = state;
        let mut left = Left {
            switch,
            now,
            run: head.run,
            records: unsettled,
            promises,
            last: Batch::default(),
            inputs: 0,
            incomplete: false,
        };
        let numbers = found.segments.iter().copied().filter(|&number| number >= place.segment);
        for (expected, number) in (place.segment..).zip(numbers) {
            let path = files::segment(&self.settings.directory, number);
            let segment = match Segment::read(&path) {
                Ok(segment) if number == expected && (number == place.segment || segment.head.continues) => {
                    segment
                }
                Ok(_) => {
                    left.incomplete = true;
                    break;
                }
                Err(error) => {
                    tracing::error!(%error, path = %path.display(), "what this part of the flight log held is lost");
                    left.incomplete = true;
                    break;
                }
            };
            let offset = if number == place.segment { place.offset } else { 0 };
            let course = run(&mut left, &segment, offset)?;
            left.incomplete |= course.end == End::Torn;
            if course.end == End::Closed {
                resumed(&self.settings.directory);
                return Ok(None);
            }
            left.take(course);
            if left.incomplete {
                break;
            }
        }
        Ok(Some(left))
    }

    /// Begins the next segment.
    pub fn record(self, run: Run, kept: &Kept<'_>, now: Now) -> std::io::Result<Recorder> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let head = Head { format: FORMAT, version, run, continues: false };
        let Settings { directory, keep_for, keep_size, .. } = &self.settings;
        if let Err(error) = files::tidy(directory, *keep_for, *keep_size, SystemTime::now()) {
            tracing::error!(%error, "old flight logs cannot be removed");
        }
        Recorder::begin(self.settings, head, self.next, self.lock, kept, now)
    }
}

/// Says that a resume went well: the next one may be tried again as often.
pub fn resumed(directory: &Path) {
    // It may not be there.
    let _ = fs::remove_file(directory.join(RESUMING));
}

fn read_snapshot(directory: &Path, place: Place) -> Result<(Head, State, Now), Error> {
    let path = files::snapshot(directory, place);
    let bytes = fs::read(&path).map_err(Error::file(&path))?;
    snapshot::read(&bytes)
}

/// Replays one segment, whatever comes out: another version may say something else than the one that died. An input that
/// the switch fails at, as it may have when the daemon died of it, is left out.
fn run(left: &mut Left, segment: &Segment, offset: u64) -> Result<Course, Stopped> {
    let (mut without, mut most) = (Vec::new(), None);
    loop {
        let (mut ended, mut over) = (Vec::new(), Vec::new());
        // A copy, since a switch that failed is of no use any more.
        let (switch, aim) = (left.switch.clone(), Aim::Resume { without: &without });
        let course = replay_for(aim, switch, left.now, segment, offset, most, |batch, _| {
            gather(batch, &mut ended, &mut over);
            ControlFlow::Continue(())
        });
        match course {
            Err(Stopped::Failed { input, .. }) if most.is_none() => {
                tracing::error!(input, "the switch fails at an input: resuming without it");
                left.incomplete = true;
                // Each costs another replay, and callers wait for it.
                match without.len() < MOST_LEFT_OUT {
                    true => without.push(input),
                    false => most = Some(input),
                }
            }
            Err(stopped) => return Err(stopped),
            Ok(course) => {
                if course.differing > 0 {
                    tracing::error!(
                        batches = course.differing,
                        "this version does not say the same as the one that died: resuming all the same"
                    );
                    left.incomplete = true;
                }
                left.records.extend(ended);
                left.promises.extend(over);
                return Ok(course);
            }
        }
    }
}

/// Adds what came out of a batch for the ledger and is in no later state of the switch.
fn gather(batch: &Batch, records: &mut Vec<CallRecord>, promises: &mut Vec<PromiseRecord>) {
    for output in &batch.outputs {
        match output {
            Output::Record(record) => records.push(CallRecord::clone(record)),
            Output::Promise(promise) if promise.settled.is_some() => {
                promises.push(PromiseRecord::clone(promise));
            }
            _ => {}
        }
    }
}

impl Left {
    fn take(&mut self, course: Course) {
        let Course { switch, now, inputs, last, .. } = course;
        self.inputs += inputs;
        self.switch = switch;
        self.now = now;
        self.last = last;
    }
}
