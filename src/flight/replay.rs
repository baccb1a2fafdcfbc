//! A log again, from a snapshot on: the same inputs at the same times, and what comes out held against what came
//! out then.

use std::fs;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::digest::{Digest, first_difference};
use super::files;
use super::format::{self, Head, Kind, Record, Unreadable};
use super::snapshot::{self, State};
use super::{Error, input};
use crate::switch::{Input, Output, Switch};
use crate::time::Now;

/// Inputs that were handled together, and what came out of them in this replay.
#[derive(Debug, Default)]
pub struct Batch {
    /// When, and what.
    pub inputs: Vec<(Now, Input)>,
    /// What came out of all of them, in order.
    pub outputs: Vec<Output>,
    /// What came out of each of them: the number of outputs up to its end.
    pub ends: Vec<usize>,
}

/// How far a replay has come, and how it went.
#[derive(Debug)]
pub struct Course {
    /// The switch after it.
    pub switch: Switch,
    /// The time of the last input, or of the snapshot.
    pub now: Now,
    /// Inputs handled.
    pub inputs: u64,
    /// Outputs held against the log; those of the last inputs may not be in it.
    pub proven: u64,
    /// Batches after which something else came out than then; only a resume goes on after one.
    pub(super) differing: u64,
    /// What was handled last and not held against anything: it may not have left the machine.
    pub last: Batch,
    /// How the log ends.
    pub end: End,
}

/// How a log ends.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// In good order: every call was over.
    Closed,
    /// After some record, as when the daemon was killed.
    Cut,
    /// Before the end of a record: the machine or the disk failed, and what came after is lost.
    Torn,
}

/// Why a replay did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] Error),
    /// Something else came out than then.
    #[error("output {output} of the batch after input {input} differs: {was} then, {is} now")]
    Differs {
        /// How many inputs were handled before the batch.
        input: u64,
        /// The position of the first output that differs, or that one side lacks.
        output: usize,
        /// How many outputs there were.
        was: usize,
        /// How many there are.
        is: usize,
        /// The batch, and what came out of it now.
        batch: Box<Batch>,
    },
    /// The switch failed.
    #[error("the switch failed at input {input}")]
    Failed {
        /// How many inputs were handled before it.
        input: u64,
        /// Whether the log ends with its batch: it is what killed the daemon.
        fatal: bool,
    },
}

/// One segment, read into memory.
#[derive(Debug)]
pub struct Segment {
    bytes: Vec<u8>,
    /// Where the records begin.
    start: usize,
    /// What its first record says.
    pub head: Head,
}

impl Segment {
    /// Reads a segment.
    pub fn read(path: &Path) -> Result<Segment, Error> {
        let bytes = fs::read(path).map_err(Error::file(path))?;
        let (head, rest) = snapshot::head(&bytes)?;
        let start = bytes.len() - rest.len();
        Ok(Segment { start, head, bytes })
    }

    /// Its records from an offset on; those before the first record are nothing. `None` beyond its end.
    fn records(&self, offset: u64) -> Option<Records<'_>> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).max(self.start);
        Some(Records { rest: self.bytes.get(offset..)? })
    }

    /// Where what can be read from an offset on ends; `None` when the offset lies beyond the end.
    pub(super) fn readable(&self, offset: u64) -> Option<u64> {
        let mut records = self.records(offset)?;
        while let Ok(Some(_)) = records.next() {}
        Some((self.bytes.len() - records.rest.len()) as u64)
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }
}

struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    fn next(&mut self) -> Result<Option<Record<'a>>, Unreadable> {
        let Some((record, length)) = format::read(self.rest)? else { return Ok(None) };
        self.rest = &self.rest[length..];
        Ok(Some(record))
    }
}

/// The segments in a directory that can be replayed by themselves, the oldest first.
pub fn segments(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let found = files::list(directory).map_err(Error::file(directory))?;
    let bases = found.snapshots.iter().filter(|place| place.offset == 0).map(|place| place.segment);
    let whole = bases.filter(|number| found.segments.contains(number));
    Ok(whole.map(|number| files::segment(directory, number)).collect())
}

/// The state before the first input of a segment: the snapshot that lies beside it.
pub fn base(path: &Path) -> Result<(State, Now), Error> {
    let path = files::base_of(path).ok_or(Error::Foreign)?;
    let bytes = fs::read(&path).map_err(Error::file(&path))?;
    let (_, state, now) = snapshot::read(&bytes)?;
    Ok((state, now))
}

/// What a replay is for.
#[derive(Copy, Clone, Debug)]
pub(super) enum Aim<'a> {
    /// To prove that the same comes out: it stops where something else does.
    Proof,
    /// To have the calls again, whatever comes out, without these inputs.
    Resume { without: &'a [u64] },
}

/// Replays a segment onto `switch`, as it was before the record at `offset`. `each` sees every batch.
///
/// With `most`, no more inputs than that are handled.
pub fn replay(
    switch: Switch,
    now: Now,
    segment: &Segment,
    offset: u64,
    most: Option<u64>,
    mut each: impl FnMut(&Batch, &Switch),
) -> Result<Course, Stopped> {
    replay_for(Aim::Proof, switch, now, segment, offset, most, |batch, switch| {
        each(batch, switch);
        ControlFlow::Continue(())
    })
}

/// Replays a segment onto `switch`, as it was before its first record, until `each` has seen enough.
pub(super) fn replay_until(
    switch: Switch,
    now: Now,
    segment: &Segment,
    each: impl FnMut(&Batch, &Switch) -> ControlFlow<()>,
) -> Result<Course, Stopped> {
    replay_for(Aim::Proof, switch, now, segment, 0, None, each)
}

/// The same, for either aim, unless `each` ends it. With that to resume the only error is [`Stopped::Failed`].
pub(super) fn replay_for(
    aim: Aim<'_>,
    switch: Switch,
    now: Now,
    segment: &Segment,
    offset: u64,
    most: Option<u64>,
    mut each: impl FnMut(&Batch, &Switch) -> ControlFlow<()>,
) -> Result<Course, Stopped> {
    let last = Batch::default();
    let mut course = Course { switch, now, inputs: 0, proven: 0, differing: 0, last, end: End::Cut };
    let Some(mut records) = segment.records(offset) else {
        // The snapshot outlived a power cut, and what it follows did not.
        course.end = End::Torn;
        let _ = each(&course.last, &course.switch);
        return Ok(course);
    };
    let mut digest = Digest::default();
    let (proof, without) = match aim {
        Aim::Proof => (true, &[][..]),
        Aim::Resume { without } => (false, without),
    };
    loop {
        let record = match records.next() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(Unreadable::Unknown) if proof => return Err(Error::Meaningless.into()),
            Err(_) => {
                course.end = End::Torn;
                break;
            }
        };
        match record.kind {
            Kind::End => course.end = End::Closed,
            Kind::Outputs => {
                let is = digest.take();
                let difference = first_difference(record.payload, &is);
                course.differing += u64::from(difference.is_some());
                if let Some(output) = difference.filter(|_| proof) {
                    let batch = Box::new(std::mem::take(&mut course.last));
                    let input = course.inputs - batch.inputs.len() as u64;
                    let (was, is) = (record.payload.len() / 4, is.len() / 4);
                    return Err(Stopped::Differs { input, output, was, is, batch });
                }
                course.proven += is.len() as u64 / 4;
                if each(&course.last, &course.switch).is_break() {
                    return Ok(course);
                }
                course.last = Batch::default();
            }
            _ => {
                let input = match input::read(&record) {
                    Ok(Some(input)) => input,
                    Ok(None) => continue,
                    Err(error) if proof => return Err(error.into()),
                    Err(_) => {
                        course.differing += 1;
                        continue;
                    }
                };
                if most.is_some_and(|most| course.inputs >= most) {
                    break;
                }
                if without.contains(&course.inputs) {
                    course.inputs += 1;
                    continue;
                }
                if !course.take(input, record.at, &mut digest) {
                    let fatal = !later_outputs(records);
                    return Err(Stopped::Failed { input: course.inputs - 1, fatal });
                }
            }
        }
    }
    let _ = each(&course.last, &course.switch);
    Ok(course)
}

impl Course {
    /// Handles one input; `false` when the switch failed.
    fn take(&mut self, input: Input, now: Now, digest: &mut Digest) -> bool {
        let switch = &mut self.switch;
        let outputs = &mut self.last.outputs;
        let given = input.clone();
        // What it leaves behind when it fails is thrown away.
        let handled = catch_unwind(AssertUnwindSafe(|| {
            switch.handle(given, now);
            while let Some(output) = switch.poll_output() {
                digest.add(&output);
                outputs.push(output);
            }
        }));
        self.now = now;
        self.inputs += 1;
        self.last.inputs.push((now, input));
        self.last.ends.push(self.last.outputs.len());
        handled.is_ok()
    }
}

/// Whether outputs were written after this: then the daemon outlived what comes before.
fn later_outputs(mut records: Records<'_>) -> bool {
    while let Ok(Some(record)) = records.next() {
        if record.kind == Kind::Outputs {
            return true;
        }
    }
    false
}
