//! The flight log: every input of the switch, written down before it is handled, and snapshots of its state.
//!
//! Since the switch is a function of its inputs, the log is all that there is to know of it: a daemon that was
//! killed goes on from the newest snapshot and what came after it ([`open`], [`Opened::left`]), and any past
//! hour can be run again and held against what really came out ([`replay()`]).
//!
//! | file | holds |
//! |---|---|
//! | `format`, `input`, `named` | records and their payloads |
//! | `digest` | a checksum for each output |
//! | `files` | names, modes, and how long files are kept |
//! | `recorder`, `keeper` | the writing end, and the thread behind it |
//! | `snapshot`, `replay`, `recover` | the reading end |
//! | `ladder` | one call of it |
//!
//! Segments and snapshots hold callers' numbers in full, and the secrets of running dialogs: mode 0600, and kept
//! no longer than the configuration says.

mod digest;
mod files;
mod format;
mod input;
mod keeper;
pub mod ladder;
mod named;
mod recorder;
mod recover;
mod replay;
mod snapshot;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use format::{FORMAT, Head, Run};
pub use recorder::Recorder;
pub use recover::{Left, Opened, open, resumed};
pub use replay::{Batch, Course, End, Segment, Stopped, base, replay, segments};
pub use snapshot::{Kept, State};

/// Where a flight log is, and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its directory.
    pub directory: PathBuf,
    /// How long after its last record a segment is kept.
    pub keep_for: Duration,
    /// How many bytes are kept at most; what a resume needs is kept in any case.
    pub keep_size: u64,
    /// How often a snapshot is taken.
    pub snapshot_every: Duration,
}

/// What was counted since the log was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Inputs noted.
    pub inputs: u64,
    /// Writes that took so long that the log was handed to the other thread.
    pub slow: u64,
    /// Times that a part of the log was lost.
    pub gaps: u64,
    /// Snapshots taken.
    pub snapshots: u64,
    /// Bytes of the last one.
    pub snapshot_bytes: u64,
    /// Snapshots that could not be kept, and tidyings that failed.
    pub snapshots_failed: u64,
    /// The longest that a snapshot held up calls.
    pub longest_hold: Duration,
}

/// What is wrong with a flight log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, or the directory, cannot be read or written.
    #[error("{path}: {error}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another daemon writes there.
    #[error("another daemon writes to {path}", path = .0.display())]
    Locked(PathBuf),
    /// It is no file of a flight log.
    #[error("this is no flight log")]
    Foreign,
    /// It was written by a later version.
    #[error(
        "this was written by a later version, in format {found}; format {FORMAT} and earlier can be read"
    )]
    Newer {
        /// Its format.
        found: u16,
    },
    /// It is not whole.
    #[error("the file is torn or damaged")]
    Torn,
    /// A record says nothing that could be understood.
    #[error("a record has no meaning in this version")]
    Meaningless,
    /// What was stored does not fit what this version knows.
    #[error("what was stored does not fit: {0}")]
    Unlike(String),
    /// Attempts to resume died.
    #[error("{0} attempts to resume died")]
    Died(u8),
}

impl Error {
    fn file(path: &Path) -> impl Fn(io::Error) -> Error {
        let path = path.to_owned();
        move |error| Error::File { path: path.clone(), error }
    }
}
