//! The distributor: who answers whom, and when.
//!
//! Lines hold callers, teams hold agents, [`Distributor`] matches them. It knows no SIP, no sockets and
//! no clock: [`Input`]s go in with the time, [`Output`]s come out, [`Distributor::poll_timeout`] says when
//! to wake it. This pair of enums is the waist of the house: the switch drives it with real phones.

mod agent;
pub mod announce;
pub mod callback;
mod caller;
mod calls;
pub mod cases;
mod classes;
mod crews;
mod desk;
mod distributor;
pub mod estimate;
mod exchange;
mod free;
mod invariants;
mod leaving;
mod matching;
mod orders;
pub mod pathway;
mod place;
mod plan;
mod reach;
pub mod redial;
mod replan;
mod roster;
mod rules;
#[cfg(test)]
mod tests;
mod transfer;
mod view;
mod waiting;

pub use caller::Stage;
pub use distributor::Distributor;
pub use exchange::{Callback, Callbacks, Exchange, Guide};
pub use place::Place;
pub use plan::{
    Agent, Destination, Gone, Line, Needs, Plan, Relax, Rests, Shares, Strategy, Team, WayOut, Widen,
};
pub use transfer::Onward;

pub use crate::policy::Band;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, CallId, ClipId, DestinationId, LineId, PracticeId, RuleId};
use crate::policy::rules::Disagreement;

/// What happened, as the distributor must know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A caller joins a line and waits from now on; ask [`Distributor::entry`] first.
    Arrive { call: CallId, newcomer: Newcomer },
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
    /// The agent who talks with the caller hands the caller on; on success the agent is done with a caller who
    /// joins a line, and stays with any other until that is answered.
    Transfer { agent: AgentId, call: CallId, to: Onward },
    /// The agent hangs up while the phone rings that the caller is handed to; wrap-up begins, the ringing goes on.
    Leave { agent: AgentId, call: CallId },
    /// The agent answered for a patient who could not be reached: the call is over, and the agent free without wrap-up.
    Spare { agent: AgentId, call: CallId },
    /// The agent, who is on the phone already, begins a call to a patient, which is of a line: nobody else is rung for it.
    Serve { agent: AgentId, call: CallId, line: LineId, band: Band },
    /// The caller counts as if it had come to the line so much before it did, credits of the arrival included.
    Credit { call: CallId, credit: Duration },
    /// The caller gets another priority class, and keeps its arrival; an emergency stays one. Of one who becomes an emergency no destination
    /// is asked any more.
    Rank { call: CallId, band: Band },
    /// The caller, who waits, waits in another line from now on, in the place it has, with this priority if its own is
    /// less. Phones that ring for it ring no more. To move it to the line where it waits changes nothing.
    Move { call: CallId, line: LineId, band: Band },
    /// The agent starts work; also takes back a log-out that waits for the end of a talk.
    LogIn { agent: AgentId },
    /// The agent stops work; a ringing presentation is withdrawn, a talk goes on to its end.
    LogOut { agent: AgentId },
    /// The agent takes no presentations for a reason until resumed; a ringing presentation is withdrawn, a
    /// talk goes on to its end.
    Pause { agent: AgentId, reason: PauseReason },
    /// The agent takes presentations again; also takes back a pause that waits for the end of a talk.
    Resume { agent: AgentId },
    /// The agent's phone can be reached, or cannot: then nothing is presented to it. One that rings is left to
    /// its ring. Of a destination's seats one stands for all.
    Reach { agent: AgentId, reachable: bool },
    /// The agent's wrap-up lasts so much longer, up to the plan's limit.
    ExtendWrapUp { agent: AgentId, by: Duration },
    /// The agent is ready before the wrap-up is over.
    EndWrapUp { agent: AgentId },
    /// A destination reports how long its callers wait; `None` when it no longer says.
    Report { destination: DestinationId, wait: Option<Duration> },
    /// The wait that a caller who joined now should expect; `None` when there is no estimate.
    Estimate { line: LineId, wait: Option<Duration> },
}

/// A caller at the door of a line.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    /// The line it asks for.
    pub line: LineId,
    /// Its priority class.
    pub band: Band,
    /// Whose caller it is.
    pub practice: Option<PracticeId>,
    /// It counts as if it had waited so much longer, within its band: the priority of a rule, or the time since
    /// a redialling caller first arrived. Ageing needs no further rule: a credit is a length of time, so whoever
    /// has waited longer than the credit goes first.
    pub credit: Duration,
    /// Whether it gave up a while ago and rings again.
    pub redial: bool,
    /// Whether its number is withheld.
    pub withheld: bool,
    /// Whether nobody is on the phone: a promised callback stands in the line. Only agents take it, rules neither
    /// count it nor tell it anything, and it is never led out.
    pub callback: bool,
}

impl Newcomer {
    /// A caller of no practice and without credit.
    pub fn new(line: LineId, band: Band) -> Newcomer {
        Newcomer {
            line,
            band,
            practice: None,
            credit: Duration::ZERO,
            redial: false,
            withheld: false,
            callback: false,
        }
    }
}

/// Whether a caller may join a line.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// It may.
    Join,
    /// It is to be refused, fast, so that the trunk takes the call back.
    Refuse {
        /// The SIP status.
        code: u16,
        /// When it is worth trying again.
        retry_after: Option<Duration>,
        /// Where else to go, with 302.
        to: Option<DestinationId>,
        /// What was against it.
        why: Refusal,
    },
}

/// What is against a caller who asks to join.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// A rule that is on.
    Rule(RuleId),
    /// As many callers of the practice wait as may, in the line or in all.
    PracticeFull,
    /// Nobody who answers the line is at work.
    NobodyAtWork,
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
    /// The transfer came to nothing: the caller is the agent's again, who stayed on the line, or waits in the line.
    Returned { call: CallId, to: Option<AgentId> },
    /// The agent's availability changed.
    Availability { agent: AgentId, state: Availability },
    /// A rule turned on or off, on one of its lines.
    Rule { line: LineId, rule: RuleId, on: bool },
    /// The rules on trial would have decided otherwise than the live ones.
    Disagreement(Box<Disagreement>),
    /// Let the caller hear this clip, as a rule says; once for each caller and rule.
    Announce { call: CallId, clip: ClipId, rule: RuleId },
    /// Let the caller hear how things stand, one after the other.
    Tell { call: CallId, what: Vec<announce::What> },
    /// The caller has waited in vain: lead it out this way. The distributor has let go of the call.
    Release { call: CallId, way: WayOut, why: Leaving },
    /// Something befell a promised callback.
    Callback(Callback),
}

/// Why a caller is led out.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Leaving {
    /// It has waited for as long as the line lets anyone wait.
    WaitedTooLong,
    /// Nobody who could answer is at work.
    NobodyAtWork,
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
    /// Another agent for whom the phone rang too was faster.
    AnsweredElsewhere,
    /// An emergency call needs the agent; the caller is back in the original place.
    Recalled,
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
    /// At work and idle, but the phone cannot be reached.
    Unreachable,
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
    /// The caller does not wait in a line.
    #[error("{0} does not wait")]
    NotWaiting(CallId),
    /// Whoever the caller was to be handed to cannot be rung now.
    #[error("nobody is free there")]
    NobodyFree,
    /// The agent is in a state that the input does not fit.
    #[error("{0} is in no state for that")]
    WrongState(AgentId),
}
