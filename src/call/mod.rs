//! One back-to-back call: the caller's leg, the agents' legs, what they hear, and what is recorded.
//!
//! These are the parts; the machine that moves them is [`crate::switch`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd::{Band, Leaving};
use crate::id::{AgentId, CallId, LegId, LineId, PracticeId, TrunkId};
use crate::time::Now;

pub mod leg;
pub mod media;
pub mod ports;
pub mod record;
pub mod speech;
pub mod timeline;

/// One caller from arrival to record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// Call-ID of the caller's leg.
    pub sip_call_id: String,
    /// The trunk it came by.
    pub trunk: TrunkId,
    /// Whose call it is.
    pub practice: Option<PracticeId>,
    /// The line it joined.
    pub line: LineId,
    /// Its priority class.
    pub band: Band,
    /// The number dialled, normalised.
    pub ddi: String,
    /// The caller's number, normalised; `None` when the network gave none.
    pub cli: Option<String>,
    /// Whether an agent's phone may show the number.
    pub show_cli: bool,
    /// Hops that an INVITE to an agent may still take.
    pub max_forwards: u8,
    /// When the INVITE came.
    pub arrived: Now,
    /// The caller's leg.
    pub caller: LegId,
    /// The media thread of all its legs.
    pub thread: u8,
    /// Who has the caller now.
    pub stage: Stage,
    /// Whether the caller hears ring tone: the line's first destination is tried before anything else.
    pub rings_first: bool,
    /// From arrival to the first agent's answer.
    pub waited: Option<Duration>,
    /// Who answered last.
    pub answered_by: Option<AgentId>,
    /// What happened so far.
    pub timeline: timeline::Timeline,
}

/// Who has the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Nobody: the caller waits in the line, while these phones ring: none, one, or several at once.
    Waiting {
        /// At most one for each agent.
        ringing: Vec<Ringing>,
    },
    /// The caller hears that nobody can answer; then the call ends. The distributor has let go of it.
    Leaving {
        /// Why.
        why: Leaving,
    },
    /// Bridged.
    Talking {
        /// The agent's leg.
        leg: LegId,
        /// The agent.
        agent: AgentId,
    },
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
    /// The phones that ring for the caller.
    pub fn ringing(&self) -> &[Ringing] {
        match &self.stage {
            Stage::Waiting { ringing } => ringing,
            Stage::Leaving { .. } | Stage::Talking { .. } => &[],
        }
    }

    /// Takes out the presentation to an agent, if that phone rings for the caller.
    pub fn stop_ringing(&mut self, agent: AgentId) -> Option<Ringing> {
        let Stage::Waiting { ringing } = &mut self.stage else { return None };
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
            Stage::Talking { leg: agent, .. } if leg == agent => Some(self.caller),
            Stage::Talking { leg: agent, .. } if leg == self.caller => Some(agent),
            _ => None,
        }
    }
}
