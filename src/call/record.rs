//! The record of one call: every stage of its wait and exactly one outcome.
//!
//! Names, not ids, so that a record outlives the plan it was made under.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd::callback::Miss;
use crate::acd::{Band, Cause, Leaving};
use crate::id::{CallId, CaseId, PromiseId};
use crate::time::Wall;

/// One call from arrival to end, written once when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The switch's own number for the call.
    pub call: CallId,
    /// Call-ID of the caller's SIP leg.
    pub sip_call_id: String,
    /// The promised callback for which we made it; `None` for a caller's own.
    #[serde(default)]
    pub promise: Option<PromiseId>,
    /// The case about which a clinician made it; `None` for a caller's own.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// Name of the trunk it came by.
    pub trunk: String,
    /// ODS code (or name, where it has none) of the practice; `None` for trunks of no practice.
    pub practice: Option<String>,
    /// Name of the line it joined.
    pub line: String,
    /// Its priority class as it came.
    pub band: Band,
    /// The number dialled, E.164 where it could be normalised.
    pub ddi: String,
    /// The caller's number, E.164 where it could be normalised; the ledger decides how it is stored.
    pub cli: Option<String>,
    /// When the INVITE was received.
    pub arrived: Wall,
    /// From arrival to the agent's answer, or to the end of a call that no agent answered.
    pub waited: Duration,
    /// From arrival to the end of the call.
    pub lasted: Duration,
    /// The stages in order of their beginning; offsets count from `arrived`, on the monotonic clock.
    pub segments: Vec<Segment>,
    /// How it ended; each call has exactly one.
    pub outcome: Outcome,
    /// The code by which an agent said how it ended clinically. It may be given after the end, in the wrap-up: the
    /// record then comes again with it.
    #[serde(default)]
    pub disposition: Option<String>,
}

/// One stage of a call. `Queue` covers the whole wait; presentations lie inside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// What happened in it.
    pub stage: Stage,
    /// Offset of its beginning from arrival.
    pub from: Duration,
    /// Offset of its end from arrival.
    pub to: Duration,
}

/// What a segment of a call was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// In the line, hearing greeting, music or ringing of nobody.
    Queue,
    /// An agent's phone was rung.
    Presented {
        /// Name of the agent.
        agent: String,
        /// What came of it.
        result: Presentation,
    },
    /// An agent waited while the patient's phone was rung.
    Dial {
        /// Name of the agent.
        agent: String,
    },
    /// Bridged to an agent.
    Talk {
        /// Name of the agent.
        agent: String,
    },
    /// Handed on by an agent, until that was done or had come to nothing.
    Transfer {
        /// Name of the agent who handed the caller on.
        agent: String,
        /// Name of the agent, line, pathway or stack that the caller was handed to.
        to: String,
    },
}

/// What came of a presentation.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Presentation {
    /// The agent answered.
    Answered,
    /// The agent's side did not take it.
    Missed(Cause),
    /// It was taken back because the caller had gone.
    CallerGone,
    /// It was taken back because the agent paused or logged out, or the daemon stopped.
    Withdrawn,
    /// Another phone that rang for the same caller was answered first.
    AnsweredElsewhere,
    /// It was taken back because an emergency needed the agent.
    Recalled,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// A person answered.
    Answered {
        /// Name of the last agent.
        agent: String,
        /// Who or what ended it.
        ended_by: EndedBy,
    },
    /// The caller gave up before a person answered.
    Abandoned,
    /// The call was turned away at the door with this SIP status.
    Refused {
        /// SIP status code sent.
        code: u16,
    },
    /// No person answered for as long as the line lets anyone wait: the caller was told so, and led out.
    Released {
        /// What the line's way out was for.
        why: Leaving,
    },
    /// The caller left the line for a promised callback.
    Promised,
    /// The patient was called and not reached.
    Unreached {
        /// What was in the way.
        why: Miss,
    },
    /// A call that we were to make and did not: the patient rang again, or may not be called now, or the clinician
    /// hung up before the patient answered.
    Withdrawn,
    /// The call ended before an answer for a reason that was not the caller's wish.
    Lost {
        /// Who or what ended it.
        ended_by: EndedBy,
    },
}

/// Who or what ended a call.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EndedBy {
    /// The caller hung up.
    Caller,
    /// The agent hung up.
    Agent,
    /// Media of a leg stopped for longer than the limit. Kept for ledgers that have it: a silent peer is asked
    /// first, and one that does not answer is a dead peer.
    DeadMedia,
    /// A peer no longer answered SIP.
    DeadPeer,
    /// The daemon was stopped.
    Shutdown,
    /// A supervisor ended it.
    Supervisor,
}

/// A promised callback as it stands: written when it is made, at each change, and when it is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseRecord {
    /// Its number, never used twice, not even in another run.
    pub promise: PromiseId,
    /// The call in which it was made, of the run that made it.
    pub call: CallId,
    /// Name of the line that calls.
    pub line: String,
    /// Name of the trunk by which the patient called.
    pub trunk: String,
    /// ODS code (or name, where it has none) of the practice.
    pub practice: Option<String>,
    /// Its priority class.
    pub band: Band,
    /// The number that the patient had dialled, which is shown to the patient.
    pub ddi: String,
    /// The patient's number; the ledger keeps it in clear only until the promise is settled.
    pub number: Option<String>,
    /// The number as it is stored for good; the ledger fills it in.
    pub cli: Option<String>,
    /// When the call it came from arrived, credits counted: its place.
    pub arrived: Wall,
    /// When it was made.
    pub promised: Wall,
    /// Not to be kept before.
    pub next: Wall,
    /// When it should have been kept.
    pub breach: Wall,
    /// When it ends of itself.
    pub expires: Wall,
    /// How often the patient was dialled in vain.
    pub missed: u32,
    /// Whether the breach has passed and was told.
    pub escalated: bool,
    /// How often it was written before: an older state never replaces a newer one.
    pub revision: u32,
    /// How and when it ended.
    pub settled: Option<(PromiseOutcome, Wall)>,
}

/// A case as it stands: written when it is opened, at each change, and when it is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// Its number, never used twice, not even in another run.
    pub case: CaseId,
    /// The call that it came from, of the run that opened it.
    pub call: CallId,
    /// Name of its stack.
    pub stack: String,
    /// Name of the line that the call was of.
    pub line: String,
    /// Name of the trunk by which the patient called.
    pub trunk: String,
    /// ODS code (or name, where it has none) of the practice.
    pub practice: Option<String>,
    /// Its priority class.
    pub band: Band,
    /// The number that the patient had dialled, which is shown to the patient.
    pub ddi: String,
    /// The patient's number; the ledger keeps it in clear only until the case is closed.
    pub number: Option<String>,
    /// The number as it is stored for good; the ledger fills it in.
    pub cli: Option<String>,
    /// When it was opened.
    pub opened: Wall,
    /// When it should have been closed.
    pub breach: Wall,
    /// Whether the breach has passed and was told.
    pub breached: bool,
    /// Name of the clinician who has it.
    pub holder: Option<String>,
    /// Name of the pathway it is referred to, which has not answered.
    pub pathway: Option<String>,
    /// How often it was written before: an older state never replaces a newer one.
    pub revision: u32,
    /// How and when it was closed.
    pub closed: Option<(CaseOutcome, Wall)>,
}

/// How a case ended; each has exactly one end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaseOutcome {
    /// By a clinician, with the code of a disposition.
    Disposed(String),
    /// The pathway of this name has taken it over.
    HandedOver(String),
}

/// How a promised callback ended; each has exactly one end.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PromiseOutcome {
    /// The patient was called and talked with an agent.
    Reached,
    /// The patient was dialled as often as was promised, the last time with this result.
    Unreached(Miss),
    /// It could not be kept in time.
    Expired,
    /// It could not be written down, and the caller was told that it was not made.
    Cancelled,
    /// The patient rang again, and was answered.
    OwnCall,
    /// It became part of an earlier promise to the same patient.
    Merged,
    /// Its line is no longer in the configuration.
    LineGone,
}

impl PromiseOutcome {
    /// Whether the patient was promised a call and neither got it nor was answered otherwise.
    pub fn is_failure(self) -> bool {
        use PromiseOutcome::{Expired, LineGone, Unreached};
        matches!(self, Unreached(_) | Expired | LineGone)
    }
}
