//! Promised callbacks: each keeps the place of the call it came from, and each ends in exactly one way.
//!
//! A promise stands in matching like a caller, with its [`Standing`], while its line's calling hours last and
//! nobody uses its number. An agent who answers is reserved first; then the patient is dialled. A dial that
//! fails is repeated after a pause; an agent who is lost brings the promise back to its place. The book knows
//! no telephone and no calendar: the world dials, and says on request when calling hours are.

mod book;
mod steps;
#[cfg(test)]
mod tests;

pub use book::Book;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Band;
use super::redial::CallerKey;
use crate::id::{AgentId, LineId, PromiseId};
use crate::time::Mono;

/// What is promised.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How often a patient who is not reached is dialled; once at least.
    pub attempts: u32,
    /// How long after a dial that failed the next one may come.
    pub pause: Duration,
    /// How long after the request the promise should have been kept, and is escalated.
    pub breach_after: Duration,
    /// How long after the request it expires, unless an attempt is going on.
    pub expires_after: Duration,
    /// How many promises there may be at a time.
    pub most: usize,
}

/// Whether patients of a line may be called, and until when that holds.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Whether they may be called.
    pub open: bool,
    /// When this changes; `None` when it does not as far as one can see.
    pub until: Option<Mono>,
}

/// A number to dial, of 32 characters at the most; never written to a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number(String);

impl Number {
    /// `None` for an empty text, or one too long.
    pub fn new(number: &str) -> Option<Number> {
        (1..=32).contains(&number.len()).then(|| Number(number.to_owned()))
    }

    /// The number itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number(..)")
    }
}

/// A wish to be called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The line that will call.
    pub line: LineId,
    /// Whom: of one line and one caller there is one promise.
    pub caller: CallerKey,
    /// The caller's number.
    pub number: Number,
    /// The priority class of the call it came from.
    pub band: Band,
    /// When that call arrived.
    pub arrived: Mono,
}

/// A callback that was promised and is not yet settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Its identifier, never used twice.
    pub id: PromiseId,
    /// To whom, and with which place.
    pub request: Request,
    /// How far it has come.
    pub state: State,
    /// Dials that failed.
    pub missed: u32,
    /// When it should have been kept.
    pub breach: Mono,
    /// Whether that has passed and was told.
    pub escalated: bool,
    /// When it ends of itself.
    pub expires: Mono,
}

/// How far a promise has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Not in matching before this time, nor out of hours, nor while the patient's number is in use.
    Promised { not_before: Mono },
    /// In matching, for an agent to take.
    Due,
    /// An agent has answered and waits for the patient.
    Reserved { agent: AgentId },
    /// The patient's phone is being rung.
    Dialling { agent: AgentId },
    /// The patient has answered and talks.
    Talking { agent: AgentId },
}

impl Promise {
    /// Its place in matching.
    pub fn standing(&self) -> Standing {
        let rank = if self.escalated { Rank::Head } else { Rank::ByArrival };
        Standing { band: self.request.band, rank, arrived: self.request.arrived, promise: self.id }
    }
}

/// A promise's place in matching; the lesser is served first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Standing {
    /// The priority class.
    pub band: Band,
    /// Whether it stands at the head of its band.
    pub rank: Rank,
    /// When the call it came from arrived.
    pub arrived: Mono,
    /// Whose standing it is.
    pub promise: PromiseId,
}

/// Where in its band a promise stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rank {
    /// Before all who stand by arrival, since the promise should have been kept by now.
    Head,
    /// By arrival, among the callers.
    ByArrival,
}

/// What happened to a promise, or to a patient's number.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// An agent took it from matching and waits on the phone.
    Reserve { promise: PromiseId, agent: AgentId },
    /// The patient's number is being dialled.
    Dial { promise: PromiseId },
    /// The patient answered.
    Reach { promise: PromiseId },
    /// The patient was not reached.
    Miss { promise: PromiseId, why: Miss },
    /// The talk is over.
    Finish { promise: PromiseId },
    /// The agent was lost before the end of the talk; the promise takes its place again.
    Lose { promise: PromiseId },
    /// The patient or a supervisor wants it no more.
    Cancel { promise: PromiseId },
    /// A call from this number has come in, whatever its line.
    CallIn { caller: CallerKey },
    /// An agent answered a call from this number on this line: the promise is fulfilled.
    CallAnswered { caller: CallerKey, line: LineId },
    /// A call from this number is over.
    CallOver { caller: CallerKey },
    /// Calling hours are not what they were said to be.
    HoursChanged,
}

/// Why a patient was not reached.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Miss {
    /// The patient's phone was engaged, or the call was declined.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The call could not be made.
    Failed,
}

/// What the world must do or know.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// It stands in matching from now on; if it does already, its standing has changed.
    Join { promise: PromiseId },
    /// It stands in matching no more.
    Leave { promise: PromiseId },
    /// Dial the patient for this agent, and say so by [`Input::Dial`].
    Dial { promise: PromiseId, agent: AgentId },
    /// Do not dial, or stop; the agent is free to go.
    Release { promise: PromiseId, agent: AgentId },
    /// It should have been kept by now, and has not been; told once.
    Escalated { promise: PromiseId },
    /// It is settled and forgotten here; told once.
    Ended { promise: PromiseId, outcome: Outcome },
}

/// How a promise ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    /// The patient was called and talked with an agent.
    Reached,
    /// The patient was dialled as often as was promised, the last time with this result.
    GaveUp { attempts: u32, why: Miss },
    /// It could not be kept in time.
    Expired,
    /// The patient or a supervisor wanted it no more.
    Cancelled,
    /// The patient rang again, and was answered.
    AnsweredByOwnCall,
    /// The same patient had an earlier promise of the line, and this one became part of it.
    Merged,
}

/// An input that does not fit the state; it changed nothing.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It never was, or is settled.
    #[error("{0} is not in the book")]
    Unknown(PromiseId),
    /// It is in a state that the input does not fit.
    #[error("{0} is in no state for that")]
    WrongState(PromiseId),
    /// There are as many promises as there may be.
    #[error("no more callbacks can be promised")]
    Full,
}
