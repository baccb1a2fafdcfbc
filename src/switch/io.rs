//! What goes into the switch and what comes out: the whole of its contact with the world.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::acd;
use crate::call::media;
use crate::call::record::{CallRecord, EndedBy, Outcome, PromiseRecord};
use crate::id::{AgentId, CallId, PromiseId};
use crate::policy::rules::Disagreement;
use crate::rng::Seed;
use crate::sip::Flow;

use super::callbacks::{CallbackCounters, CallbackNews};
use super::plan::Plan;

/// What happened in the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A datagram arrived.
    Datagram {
        /// From whom, at which listener.
        flow: Flow,
        /// All of it.
        bytes: Bytes,
        /// How long it has waited for its turn.
        waited: Duration,
    },
    /// Bytes arrived on a stream.
    Chunk {
        /// The connection.
        flow: Flow,
        /// As many as came.
        bytes: Bytes,
    },
    /// A stream was closed or could not be opened.
    Closed {
        /// The connection.
        flow: Flow,
    },
    /// A media thread reports.
    Media(media::Event),
    /// An agent's availability is set from outside.
    Agent(AgentOrder),
    /// Run on this plan from now on. Whatever both plans have must have the same id in both.
    Reload(Box<Plan>),
    /// Promised callbacks of earlier runs, as they were written down last.
    Promises(Vec<PromiseRecord>),
    /// This promise is safe on a disk.
    Kept(PromiseId),
    /// Take no new calls but emergencies, let the others finish up to the plan's limit.
    Drain,
    /// Hang up every call now.
    Stop,
    /// The switch was taken over by a new process: media legs and streams are gone and must be made anew.
    Restart {
        /// For the generator, from the operating system.
        seed: Seed,
        /// Inputs may have been lost since the state that was taken over: only a hand-over knows that none were.
        incomplete: bool,
    },
    /// The time that `poll_timeout` named has come; harmless at any time.
    Wake,
}

/// What a person or an interface says of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentOrder {
    /// Starts work.
    LogIn(AgentId),
    /// Stops work.
    LogOut(AgentId),
    /// Takes no calls for a reason.
    Pause(AgentId, String),
    /// Takes calls again.
    Resume(AgentId),
}

/// What the world must do, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Send these bytes on this path.
    Send {
        /// To whom, from which listener.
        flow: Flow,
        /// One whole message.
        bytes: Bytes,
    },
    /// Close this stream: its framing is broken.
    Close {
        /// The connection.
        flow: Flow,
    },
    /// An order to a media thread.
    Media {
        /// Which thread.
        thread: u8,
        /// The order.
        command: media::Command,
    },
    /// A call is over: write this down.
    Record(Box<CallRecord>),
    /// A promised callback as it stands now: write this down, and say by [`Input::Kept`] that it is safe.
    Promise(Box<PromiseRecord>),
    /// Something that people watch happened.
    Event(Event),
}

/// What people who watch the service see, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A caller was answered and waits.
    Arrived {
        /// The call.
        call: CallId,
        /// Name of the trunk.
        trunk: String,
        /// Name of the line.
        line: String,
        /// Priority class.
        band: acd::Band,
        /// Callers waiting in that line now, this one included.
        waiting: usize,
    },
    /// An agent's phone is being rung.
    Presented {
        /// The call.
        call: CallId,
        /// Name of the agent.
        agent: String,
    },
    /// A presentation ended without a talk.
    Missed {
        /// The call.
        call: CallId,
        /// Name of the agent.
        agent: String,
        /// Why.
        cause: acd::Cause,
    },
    /// Caller and agent hear each other.
    Bridged {
        /// The call.
        call: CallId,
        /// Name of the agent.
        agent: String,
        /// From arrival to the agent's answer.
        waited: Duration,
    },
    /// The agent's leg was lost and the caller waits again.
    BackInLine {
        /// The call.
        call: CallId,
        /// Name of the agent.
        agent: String,
        /// What was wrong.
        why: EndedBy,
    },
    /// The call is over.
    Ended {
        /// The call.
        call: CallId,
        /// How.
        outcome: Outcome,
        /// From arrival to the answer or the end.
        waited: Duration,
    },
    /// An agent can be presented calls, or no longer.
    Availability {
        /// Name of the agent.
        agent: String,
        /// The new state.
        state: acd::Availability,
    },
    /// A call was turned away at the door.
    TurnedAway {
        /// Who sent it.
        source: IpAddr,
        /// SIP status sent.
        code: u16,
    },
    /// A new plan is in force. Said before anything that follows from it.
    Reloaded,
    /// A new plan would strand callers: the old one goes on.
    ReloadRefused {
        /// Lines that are gone from it, by name, and how many wait in each or were promised a callback.
        lines: Vec<(String, usize)>,
    },
    /// A line does not take a caller.
    EntryRefused {
        /// Name of the rule, or the key of the line, that was against it.
        why: String,
    },
    /// An overflow rule turned on or off, on one of its lines.
    Rule {
        /// Name of the line.
        line: String,
        /// Name of the rule.
        rule: String,
        /// Whether it is on now.
        on: bool,
    },
    /// Something befell a promised callback.
    Callback {
        /// Which.
        promise: PromiseId,
        /// Name of its line.
        line: String,
        /// What.
        news: CallbackNews,
    },
    /// The rules on trial would have decided otherwise than the live ones.
    Disagreement {
        /// Name of the line.
        line: String,
        /// For which callers, and which kind of action; what either side says, and why.
        apart: Box<Disagreement>,
    },
    /// No new calls but emergencies are taken from now on.
    Draining {
        /// Calls still up.
        calls: usize,
    },
    /// The last call of a drain is over, or all were hung up.
    Drained,
    /// The calls of a process that died go on in this one.
    Resumed {
        /// How many.
        calls: usize,
    },
}

/// What the switch counted since it was made. Label sets are bounded by the code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Messages that the front door dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Messages that the front door answered, by status code.
    pub refused: BTreeMap<u16, u64>,
    /// Calls from addresses on no trunk (403).
    pub unknown_source: u64,
    /// Calls to numbers on no trunk (404).
    pub unknown_number: u64,
    /// Calls turned away for load or drain (503).
    pub overload: u64,
    /// New calls of routine turned away unread, because more came than could be served in time (503). They
    /// have no records.
    pub shed: u64,
    /// Calls turned away by a rule, or by what their line takes (503 or 302).
    pub entry_refused: u64,
    /// Calls answered.
    pub calls: u64,
    /// How often the rules on trial would have decided otherwise than the live ones.
    pub disagreements: u64,
    /// Streams closed for broken framing.
    pub broken_streams: u64,
    /// Offers for which no media port was left.
    pub no_port: u64,
    /// Promised callbacks.
    pub callbacks: CallbackCounters,
}
