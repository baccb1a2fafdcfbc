//! One back-to-back call: the caller's leg, the agents' legs, what they hear, and what is recorded. A call that
//! we make has no caller's leg until an agent has answered and the patient is dialled.
//!
//! These are the parts; the machine that moves them is [`crate::switch`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd::callback::Miss;
use crate::acd::redial::CallerKey;
use crate::acd::{Band, Leaving};
use crate::id::{AgentId, CallId, CaseId, LegId, LineId, PracticeId, PromiseId, TrunkId};
use crate::time::{Mono, Now};

pub mod leg;
pub mod media;
pub mod ports;
pub mod record;
pub mod speech;
pub mod timeline;
pub mod transfer;

use transfer::Transfer;

/// One caller from arrival to record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// Call-ID of the caller's leg.
    pub sip_call_id: String,
    /// What we make it for; `None` for a caller's own.
    pub made_for: Option<Purpose>,
    /// The trunk it came by, or is made for.
    pub trunk: TrunkId,
    /// Whose call it is.
    pub practice: Option<PracticeId>,
    /// The line it is of now.
    pub line: LineId,
    /// Its priority class now.
    pub band: Band,
    /// The line it joined when it came, and the priority class it had then.
    pub joined: (LineId, Band),
    /// The number dialled, normalised.
    pub ddi: String,
    /// The caller's number, normalised; `None` when the network gave none.
    pub cli: Option<String>,
    /// Whether an agent's phone may show the number.
    pub show_cli: bool,
    /// Hops that an INVITE to an agent may still take.
    pub max_forwards: u8,
    /// What the number is known by while its own call lasts.
    pub key: Option<CallerKey>,
    /// When the INVITE came, or the promise was due.
    pub arrived: Now,
    /// From when on it counts as waiting: an older place may have been given back.
    pub since: Mono,
    /// Whether it may be promised a callback.
    pub callable: bool,
    /// What it has said of a callback.
    pub wish: Wish,
    /// The leg to the caller, or to the patient once that is dialled.
    pub caller: Option<LegId>,
    /// The media thread of all its legs.
    pub thread: u8,
    /// Who has the caller now.
    pub stage: Stage,
    /// Whether the caller hears ring tone: the line's first destination is tried before anything else.
    pub rings_first: bool,
    /// From arrival to the first agent's answer.
    pub waited: Option<Duration>,
    /// How it ended clinically, as far as an agent has said.
    pub disposition: Option<String>,
    /// Who answered last.
    pub answered_by: Option<AgentId>,
    /// What happened so far.
    pub timeline: timeline::Timeline,
}

/// What a call that we make is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// A promised callback.
    Promise(PromiseId),
    /// A case that a clinician has taken.
    Case(CaseId),
}

/// Who has the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Nobody: the caller waits in the line, while these phones ring: none, one, or several at once.
    Waiting {
        /// At most one for each agent.
        ringing: Vec<Ringing>,
    },
    /// The caller hears that nobody can answer, or is asked whether to be called back, or was promised it; then the
    /// call ends. The distributor has let go of it.
    Leaving {
        /// Why; `None` for one who chose to be called back.
        why: Option<Leaving>,
    },
    /// An agent has answered and waits while the patient's phone rings.
    Dialling {
        /// The agent's leg.
        leg: LegId,
        /// The agent.
        agent: AgentId,
    },
    /// The agent hears that the patient is not to be had; then the call ends.
    Parting {
        /// The agent's leg.
        leg: LegId,
        /// The agent.
        agent: AgentId,
        /// Why not; `None` when it was no fault of the patient's phone.
        why: Option<Miss>,
    },
    /// Bridged.
    Talking {
        /// The agent's leg.
        leg: LegId,
        /// The agent.
        agent: AgentId,
    },
    /// Handed on by an agent: another phone rings.
    Transferring(Box<Transfer>),
}

/// What a caller has said, by keys, of being called back.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// Keys are not listened to.
    Unasked,
    /// The key is known to the caller, who has not pressed it.
    Open,
    /// The number is read back, and the key confirms it.
    Confirming {
        /// The announcement in which it is.
        said: u32,
    },
    /// Confirmed: the promise is being written down.
    Keeping {
        /// Which.
        promise: PromiseId,
        /// Whether there was none of this caller before.
        new: bool,
    },
    /// The promise stands.
    Promised,
}

/// A phone that rings for a caller.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ringing {
    /// The agent's leg.
    pub leg: LegId,
    /// The agent.
    pub agent: AgentId,
}

impl Stage {
    /// A caller for whom nobody's phone rings.
    pub const fn waiting() -> Stage {
        Stage::Waiting { ringing: Vec::new() }
    }
}

impl Call {
    /// Whether it counts against the limit of calls at once: emergencies, and calls made to keep a promise, do not.
    pub fn is_limited(&self) -> bool {
        self.band != Band::EMERGENCY && self.made_for.is_none()
    }

    /// The phones that ring for the caller.
    pub fn ringing(&self) -> &[Ringing] {
        match &self.stage {
            Stage::Waiting { ringing } => ringing,
            Stage::Transferring(transfer) => &transfer.ringing,
            _ => &[],
        }
    }

    /// The same, to be changed; `None` while no phone may ring.
    pub fn ringing_mut(&mut self) -> Option<&mut Vec<Ringing>> {
        match &mut self.stage {
            Stage::Waiting { ringing } => Some(ringing),
            Stage::Transferring(transfer) => Some(&mut transfer.ringing),
            _ => None,
        }
    }

    /// The transfer of the caller, while one is on.
    pub fn transfer_mut(&mut self) -> Option<&mut Transfer> {
        match &mut self.stage {
            Stage::Transferring(transfer) => Some(transfer),
            _ => None,
        }
    }

    /// Takes out the presentation to an agent, if that phone rings for the caller.
    pub fn stop_ringing(&mut self, agent: AgentId) -> Option<Ringing> {
        let ringing = self.ringing_mut()?;
        let position = ringing.iter().position(|phone| phone.agent == agent)?;
        Some(ringing.remove(position))
    }

    /// Whether the caller talks over this leg of an agent.
    pub fn talks_over(&self, leg: LegId) -> bool {
        matches!(self.stage, Stage::Talking { leg: talking, .. } if talking == leg)
    }

    /// The leg at the other end of the bridge from `leg`, while one stands.
    pub fn across(&self, leg: LegId) -> Option<LegId> {
        match self.stage {
            Stage::Talking { leg: agent, .. } if leg == agent => self.caller,
            Stage::Talking { leg: agent, .. } if Some(leg) == self.caller => Some(agent),
            _ => None,
        }
    }

    /// The promise that it keeps.
    pub fn promise(&self) -> Option<PromiseId> {
        match self.made_for {
            Some(Purpose::Promise(promise)) => Some(promise),
            _ => None,
        }
    }

    /// The case that it is about, which a clinician has taken.
    pub fn case(&self) -> Option<CaseId> {
        match self.made_for {
            Some(Purpose::Case(case)) => Some(case),
            _ => None,
        }
    }

    /// Whether a promise was made in it that stands as far as it knows.
    pub fn is_promised(&self) -> bool {
        matches!(self.wish, Wish::Keeping { .. } | Wish::Promised)
    }
}
