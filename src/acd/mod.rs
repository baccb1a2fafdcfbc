//! The distributor: who answers whom, and when.
//!
//! Lines hold callers, teams hold agents, [`Distributor`] matches them. It knows no SIP, no sockets and
//! no clock: [`Input`]s go in with the time, [`Output`]s come out, [`Distributor::poll_timeout`] says when
//! to wake it. This pair of enums is the waist of the house: the switch drives it with real phones.

mod agent;
pub mod announce;
pub mod callback;
mod caller;
pub mod cases;
mod distributor;
pub mod estimate;
mod invariants;
mod matching;
pub mod pathway;
pub mod redial;
#[cfg(test)]
mod tests;
mod view;
mod waiting;

pub use caller::Stage;
pub use distributor::Distributor;
pub use waiting::Place;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, CallId, LineId, TeamId};

/// A strict priority class: 0 is emergency and always goes first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Band(pub u8);

impl Band {
    /// Calls of emergency trunks.
    pub const EMERGENCY: Band = Band(0);
    /// Every other call.
    pub const ROUTINE: Band = Band(1);
}

/// What the distributor must know of lines, teams and agents; positions are the ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// By [`LineId`].
    pub lines: Vec<Line>,
    /// By [`TeamId`].
    pub teams: Vec<Team>,
    /// By [`AgentId`].
    pub agents: Vec<Agent>,
    /// After how many misses in a row an agent is paused; 0 means never. An answer, a log-in or a resumption
    /// by hand ends the row; a pause that ends by itself does not, so that a dead phone costs one ring a pause.
    pub misses_before_pause: u32,
    /// How long an agent rests after a miss before the next presentation.
    pub rest_after_miss: Duration,
    /// How long an agent paused for misses stays paused; zero means until resumed by hand.
    pub miss_pause: Duration,
}

/// A queue of callers and the teams that answer it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its name in the configuration.
    pub name: String,
    /// Who answers it.
    pub teams: Vec<TeamId>,
    /// How long a phone rings before the next agent is tried.
    pub ring_for: Duration,
    /// How long an agent is left alone after a call of this line.
    pub wrap_up: Duration,
}

/// Agents who answer lines together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its name in the configuration.
    pub name: String,
    /// Its members.
    pub agents: Vec<AgentId>,
}

/// A person with a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its name in the configuration.
    pub name: String,
    /// Whether the agent is logged in when the daemon starts.
    pub logged_in: bool,
}

/// What happened, as the distributor must know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A caller joins a line and waits from now on.
    Arrive { call: CallId, line: LineId, band: Band },
    /// The caller hung up (or was lost) in any stage before or during talk.
    Abandon { call: CallId },
    /// The agent's phone answered the presentation.
    Answer { agent: AgentId, call: CallId },
    /// The agent's phone did not take the presentation.
    Refuse { agent: AgentId, call: CallId, cause: Cause },
    /// The phone could not be rung for want of something on this side: the caller goes back to the original
    /// place and the agent, who missed nothing, is left alone for the rest, a second at least.
    Withhold { agent: AgentId, call: CallId },
    /// The talk ended from either side; the agent enters wrap-up and the call is done.
    Finish { agent: AgentId, call: CallId },
    /// The agent's leg was lost in mid-call; the caller goes back to the original place.
    Lose { agent: AgentId, call: CallId },
    /// The agent starts work; also takes back a log-out that waits for the end of a talk.
    LogIn { agent: AgentId },
    /// The agent stops work; a ringing presentation is withdrawn, a talk goes on to its end.
    LogOut { agent: AgentId },
    /// The agent takes no presentations for a reason until resumed; a ringing presentation is withdrawn, a
    /// talk goes on to its end.
    Pause { agent: AgentId, reason: PauseReason },
    /// The agent takes presentations again; also takes back a pause that waits for the end of a talk.
    Resume { agent: AgentId },
}

/// Why a presentation failed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// The phone is on another call (486, 600).
    Busy,
    /// The agent pressed reject (603, 480 and other refusals).
    Rejected,
    /// The phone rang until the deadline of the line.
    NoAnswer,
    /// The phone gave no sign of life, or its address cannot be reached.
    Unreachable,
    /// The phone answered, but no media could be agreed or set up.
    Failed,
}

/// Why an agent is paused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PauseReason {
    /// Too many presentations missed in a row, the last with this cause.
    Missed(Cause),
    /// Chosen by the agent or a supervisor.
    Chosen(String),
}

/// What the world must do, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Ring this agent's phone for this caller.
    Present { call: CallId, agent: AgentId },
    /// Stop ringing this agent's phone at once.
    Withdraw { call: CallId, agent: AgentId, why: Withdrawal },
    /// Join caller and agent: the presentation was answered.
    Connect { call: CallId, agent: AgentId },
    /// The agent's availability changed.
    Availability { agent: AgentId, state: Availability },
}

/// Why a presentation is taken back.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Withdrawal {
    /// The ring deadline passed.
    RangOut,
    /// The caller hung up.
    CallerGone,
    /// The agent logged out or was paused.
    AgentGone,
}

/// An agent's availability, as supervisors see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    /// Not at work.
    LoggedOut,
    /// Can be presented a call.
    Free,
    /// The phone rings for this call.
    Ringing(CallId),
    /// Talks with this caller.
    Talking(CallId),
    /// Left alone after a call.
    WrapUp,
    /// Left alone for a moment after a miss.
    Resting,
    /// Takes no calls.
    Paused(PauseReason),
}

/// An input that does not fit the state; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The call is not known here.
    #[error("{0} is not known to the distributor")]
    UnknownCall(CallId),
    /// The call arrived before.
    #[error("{0} has arrived already")]
    DuplicateCall(CallId),
    /// The line or agent is not in the plan.
    #[error("{0} is not in the plan")]
    NotInPlan(String),
    /// That agent does not hold that presentation or talk now.
    #[error("{agent} holds no such presentation or talk of {call}")]
    NotTheirs {
        /// The agent named.
        agent: AgentId,
        /// The call named.
        call: CallId,
    },
    /// The agent is in a state that the input does not fit.
    #[error("{0} is in no state for that")]
    WrongState(AgentId),
}
