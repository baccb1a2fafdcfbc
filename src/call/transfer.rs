//! A caller on the way from one agent to another.

use serde::{Deserialize, Serialize};

use super::Ringing;
use crate::id::{AgentId, LegId, ReferralId};
use crate::sip::dialog::Dialog;

/// An agent hands a caller on, who hears music while the other phone rings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Who hands the caller on.
    pub by: AgentId,
    /// That agent's leg; `None` once the agent has hung up.
    pub leg: Option<LegId>,
    /// The phone that rings: the other's, or the agent's own again. One at most.
    pub ringing: Vec<Ringing>,
    /// Whose phone that is.
    pub way: Way,
    /// The agent's phone asked for it and wants to know what becomes of it; `None` once it has been told.
    pub subscription: Option<Subscription>,
    /// The caller is referred to a pathway, which has not answered.
    pub referral: Option<ReferralId>,
}

/// Where a caller who is handed on is on the way to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// To another.
    There {
        /// To whom, by name.
        to: String,
        /// What came of it so far, as a SIP status.
        code: u16,
    },
    /// The other did not take the caller: back to the agent, who has hung up and is rung again.
    Back,
}

/// What a phone that asked for a transfer must be told in (RFC 3515, 2.4.4); it lasts as long as the ringing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// CSeq of its REFER, which tells it from others of the dialog.
    pub id: u32,
    /// The dialog, once the phone has said BYE to the call in it (RFC 5057, 4.1); else it is the leg's.
    pub dialog: Option<Box<Dialog>>,
}
