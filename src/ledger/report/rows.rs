//! What a store gives to reports: rows with the columns that figures need, and no more.

use crate::acd::Band;
use crate::id::{CallId, CaseId, PromiseId};
use crate::time::Wall;

use super::super::words::Kind;
use super::super::{Error, Period};

/// A store, at one moment.
pub trait Rows {
    /// Gives `each` the calls that arrived in `period`, in order of arrival.
    fn each_call(&self, period: Period, each: &mut dyn FnMut(&CallRow<'_>)) -> Result<(), Error>;

    /// The callbacks promised to callers who arrived in `period`.
    fn promises(&self, period: Period) -> Result<Vec<PromiseRow>, Error>;

    /// The cases of callers who arrived in `period`.
    fn cases(&self, period: Period) -> Result<Vec<CaseRow>, Error>;

    /// The referrals to pathways that were made in `period`: the pathway's name, and the stored word of what came of it,
    /// `None` while it is open.
    fn referrals(&self, period: Period) -> Result<Vec<(String, Option<String>)>, Error>;
}

/// What makes a call one of its kind: the run of the daemon and the number in it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// The run.
    pub run: i64,
    /// The number.
    pub call: CallId,
}

/// A call, without its stages; times in milliseconds.
#[derive(Copy, Clone, Debug)]
pub struct CallRow<'a> {
    /// Which it is.
    pub key: CallKey,
    /// When it arrived.
    pub arrived: Wall,
    /// From arrival to the answer, or to the end of a call never answered.
    pub waited: u64,
    /// From arrival to the end.
    pub lasted: u64,
    /// Name of the trunk.
    pub trunk: &'a str,
    /// ODS code of the practice, or its name where it has none.
    pub practice: Option<&'a str>,
    /// Name of the line.
    pub line: &'a str,
    /// The priority class that it came with.
    pub band: Band,
    /// The caller's number as stored.
    pub cli: Option<&'a str>,
    /// How it ended.
    pub kind: Kind,
    /// Who answered last.
    pub agent: Option<&'a str>,
    /// The promise for which we made it.
    pub promise: Option<PromiseId>,
    /// The case about which we made it.
    pub case: Option<CaseId>,
    /// How it ended clinically.
    pub disposition: Option<&'a str>,
}

impl CallRow<'_> {
    /// Whether it is a caller's own, and not one that we made.
    pub fn is_callers(&self) -> bool {
        self.promise.is_none() && self.case.is_none()
    }

    /// Whether it came by an emergency trunk.
    pub fn is_emergency(&self) -> bool {
        self.band == Band::EMERGENCY
    }

    /// From the answer to the end.
    pub fn talked(&self) -> u64 {
        self.lasted.saturating_sub(self.waited)
    }
}

/// A promised callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromiseRow {
    /// The call in which it was made.
    pub key: CallKey,
    /// When that call arrived.
    pub arrived: Wall,
    /// Name of the line that calls.
    pub line: String,
    /// Name of the trunk by which the patient called.
    pub trunk: String,
    /// ODS code of the practice, or its name.
    pub practice: Option<String>,
    /// The stored word of how it ended; `None` while it is open.
    pub outcome: Option<String>,
    /// Whether it was not kept by its breach time.
    pub late: bool,
    /// The call by which the patient was reached.
    pub reached: Option<Reached>,
}

/// An answered callback.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// When patient and agent were connected.
    pub at: Wall,
    /// How long they talked, in milliseconds.
    pub talked: u64,
}

/// A case for a clinician.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// The call that it came from.
    pub key: CallKey,
    /// When that call arrived.
    pub arrived: Wall,
    /// Name of the line that the call was of.
    pub line: String,
    /// Name of the trunk.
    pub trunk: String,
    /// ODS code of the practice, or its name.
    pub practice: Option<String>,
    /// Whether it was not closed by its breach time.
    pub late: bool,
    /// The pathway it is referred to, which has not acknowledged it.
    pub referred_to: Option<String>,
    /// The code by which a clinician closed it.
    pub disposition: Option<String>,
    /// The pathway that has taken it over.
    pub handed_to: Option<String>,
}
