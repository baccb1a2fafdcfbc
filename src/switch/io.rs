//! What goes into the switch and what comes out: the whole of its contact with the world.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::acd;
use crate::acd::callback::Miss;
use crate::acd::pathway;
use crate::call::media;
use crate::call::record::{CallRecord, CaseRecord, EndedBy, Outcome, PromiseRecord};
use crate::id::{AgentId, CallId, CaseId, PathwayId, PromiseId, ReferralId};
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
    /// A clinician does something with a case.
    Case(CaseOrder),
    /// A pathway says something, or something is said to it.
    Pathway(PathwayOrder),
    /// Run on this plan from now on. Whatever both plans have must have the same id in both.
    Reload(Box<Plan>),
    /// Promised callbacks of earlier runs, as they were written down last.
    Promises(Vec<PromiseRecord>),
    /// Cases of earlier runs, as they were written down last.
    Cases(Vec<CaseRecord>),
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
    /// A supervisor does something with a caller.
    Caller(CallerOrder),
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
    /// Hands the caller on to the agent or line of this name.
    Transfer(AgentId, String),
    /// Says by code how the call ended, clinically, or is about to; in the wrap-up it ends that.
    Dispose(AgentId, String),
    /// Is ready before the wrap-up is over.
    EndWrapUp(AgentId),
    /// Makes the wrap-up longer, by as much as the feature code does.
    ExtendWrapUp(AgentId),
}

/// What a supervisor does with a caller; to flag one is for an agent too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallerOrder {
    /// This is an emergency: it goes before all that are not, in the order of arrival, and is exempt from every limit.
    Flag(CallId),
    /// Another priority class than that of an emergency.
    Rank(CallId, acd::Band),
    /// It counts as if it had come so much earlier than it counts now.
    Credit(CallId, Duration),
    /// It waits in the line of this name from now on, in the place it has.
    Move(CallId, String),
    /// The call is ended.
    HangUp(CallId),
}

/// What a clinician does with cases, from elsewhere than the phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaseOrder {
    /// Takes the most urgent one.
    Take(AgentId),
    /// Puts one back onto its stack, in its old place.
    GiveBack(AgentId, CaseId),
    /// Closes one by the code of a disposition.
    Close(AgentId, CaseId, String),
    /// Refers one to a pathway, which has to acknowledge.
    Refer(AgentId, CaseId, PathwayId),
    /// Takes this one.
    TakeThis(AgentId, CaseId),
}

/// What befell a case, for those who watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaseNews {
    /// A caller was promised that a clinician rings back.
    Opened,
    /// It comes from an earlier run, and is on a stack again.
    Restored,
    /// This clinician has it.
    Taken(String),
    /// The patient is being called.
    Dialled,
    /// The patient has answered.
    Reached,
    /// The patient was not reached this time.
    Missed(Miss),
    /// It is on its stack again.
    GivenBack,
    /// The pathway has not taken it over, or not answered in time: it is this clinician's again.
    Returned(String),
    /// It should have been closed by now.
    Breached,
    /// It is closed, by this code.
    Closed(String),
    /// It is closed, as this pathway has taken it over.
    HandedOver(String),
}

/// What is said by or to a pathway from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathwayOrder {
    /// It can take so many patients now.
    Report(PathwayId, u32),
    /// It takes over the patient of this referral.
    Acknowledge(ReferralId),
    /// It does not.
    Decline(ReferralId),
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
    /// A call is over: write this down. It comes again when its disposition is given after its end.
    Record(Box<CallRecord>),
    /// A promised callback as it stands now: write this down, and say by [`Input::Kept`] that it is safe.
    Promise(Box<PromiseRecord>),
    /// A case as it stands now: write this down.
    Case(Box<CaseRecord>),
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
    /// The agent's leg was lost, or the agent who handed the caller on is not there to take the caller back: the
    /// caller waits again, in the original place.
    BackInLine {
        /// The call.
        call: CallId,
        /// Name of the agent.
        agent: String,
        /// What was wrong.
        why: EndedBy,
    },
    /// An agent hands the caller on.
    HandedOn {
        /// The call.
        call: CallId,
        /// Name of the agent.
        agent: String,
        /// Name of whom or what the caller is handed to.
        to: String,
    },
    /// An agent cannot hand the caller on.
    NotHandedOn {
        /// The call.
        call: CallId,
        /// Name of the agent.
        agent: String,
        /// Why.
        why: String,
    },
    /// A transfer came to nothing: the caller is the agent's again, who is rung if not on the line.
    HandedBack {
        /// The call.
        call: CallId,
        /// Name of the agent.
        agent: String,
        /// Name of the one who did not take the caller.
        from: String,
        /// What came of it, as a SIP status.
        code: u16,
    },
    /// An agent says how a call ended, clinically.
    Disposed {
        /// The call.
        call: CallId,
        /// Name of the agent.
        agent: String,
        /// The code.
        code: String,
    },
    /// Something befell a case.
    Case {
        /// Which.
        case: CaseId,
        /// Name of its stack.
        stack: String,
        /// What.
        news: CaseNews,
    },
    /// A patient is referred to a pathway, which has not answered yet.
    Referred {
        /// The referral.
        referral: ReferralId,
        /// Name of the pathway.
        pathway: String,
        /// Name of the agent.
        agent: String,
    },
    /// A referral is over.
    ReferralEnded {
        /// The referral.
        referral: ReferralId,
        /// Name of the pathway.
        pathway: String,
        /// Name of the agent.
        agent: String,
        /// How it ended.
        outcome: pathway::Outcome,
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
        /// Name of the trunk.
        trunk: String,
        /// Name of the line.
        line: String,
        /// Name of the rule that was against it; `None` when it was what the line itself takes.
        rule: Option<String>,
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
        /// What it saw of the line.
        seen: Seen,
    },
    /// A rule has a caller hear something.
    Announced {
        /// The call.
        call: CallId,
        /// Name of the rule.
        rule: String,
    },
    /// A rule has a caller offered a callback.
    Offered {
        /// The call.
        call: CallId,
        /// Name of the rule.
        rule: String,
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
    /// A caller is an emergency from now on.
    Flagged {
        /// The call.
        call: CallId,
        /// Name of its line.
        line: String,
    },
    /// A trunk that is asked whether it is there has begun to be, or no longer is.
    Trunk {
        /// Its name.
        trunk: String,
        /// Whether it is there.
        up: bool,
    },
    /// A caller waits in another line.
    Moved {
        /// The call.
        call: CallId,
        /// Name of the line it was of.
        from: String,
        /// Name of the line it is of now.
        to: String,
    },
}

/// What a line looked like when a rule was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Callers who did not talk yet.
    pub waiting: u32,
    /// How long the first of them had waited; nothing when nobody waited.
    pub longest_wait: Option<Duration>,
    /// The wait that a new caller was to expect, if there was an estimate.
    pub estimated_wait: Option<Duration>,
    /// Members of the line's own teams at work.
    pub agents_logged_in: u32,
    /// Those of them who were free.
    pub agents_free: u32,
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
    /// Callers whom agents handed on.
    pub transfers: u64,
    /// Transfers that were refused at once.
    pub transfers_refused: u64,
    /// Transfers that came to nothing, after which the caller went back.
    pub transfers_failed: u64,
    /// Cases opened.
    pub cases: u64,
    /// Cases that were not closed by their breach times.
    pub cases_breached: u64,
    /// Cases closed.
    pub cases_closed: u64,
    /// Patients referred to pathways.
    pub referrals: u64,
    /// Referrals that pathways declined, or did not acknowledge in time.
    pub referrals_returned: u64,
    /// How often the rules on trial would have decided otherwise than the live ones.
    pub disagreements: u64,
    /// Streams closed for broken framing.
    pub broken_streams: u64,
    /// Offers for which no media port was left.
    pub no_port: u64,
    /// Promised callbacks.
    pub callbacks: CallbackCounters,
}
