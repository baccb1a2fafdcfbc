//! The record of one call: every stage of its wait and exactly one outcome.
//!
//! Names, not ids, so that a record outlives the plan it was made under.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd::{Band, Cause, Leaving};
use crate::id::CallId;
use crate::time::Wall;

/// One call from arrival to end, written once when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The switch's own number for the call.
    pub call: CallId,
    /// Call-ID of the caller's SIP leg.
    pub sip_call_id: String,
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
    /// The call was turned away at the door with this SIP status. The switch counts such calls and makes no
    /// record of them yet.
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
}
