//! A rule as resolved from the configuration, and the caller that it is asked about.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Condition;
use crate::id::{ClipId, DestinationId, LineId, TeamId, WindowId};
use crate::policy::Band;

/// An overflow rule.
///
/// On one line it turns on when its windows allow it and its conditions have held, and `until` has not, without
/// a break for `for_at_least`. It turns off at once when its windows end, or when `until` holds; without
/// `until`, when the conditions have been false without a break for `for_at_least`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name in the configuration.
    pub name: String,
    /// The lines that it belongs to, each with a state of its own.
    pub lines: Vec<LineId>,
    /// The window that must be open, by the hours of the line's practice.
    pub during: Option<WindowId>,
    /// The window that must be closed, by the hours of the line's practice.
    pub not_during: Option<WindowId>,
    /// All of these must hold.
    pub when_all: Vec<Condition>,
    /// One of these must hold; empty asks for none.
    pub when_any: Vec<Condition>,
    /// How long the conditions must last.
    pub for_at_least: Duration,
    /// All of these end it; empty for the end of its conditions.
    pub until: Vec<Condition>,
    /// Which callers its actions touch.
    pub callers: Callers,
    /// What it does while it is on.
    pub actions: Actions,
}

/// Which callers a rule touches.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callers {
    /// Only those who called again (`true`), or only those who did not.
    pub redial: Option<bool>,
    /// Only those who withhold their number (`true`), or only those who do not.
    pub withheld: Option<bool>,
}

/// What is asked of a caller.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallerFacts {
    /// The priority class.
    pub band: Band,
    /// Whether the caller hung up while waiting a short while ago, and called again.
    pub redial: bool,
    /// Whether the number is withheld.
    pub withheld: bool,
}

/// What a rule does; of each kind at most one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actions {
    /// These teams may answer too.
    pub add_teams: Vec<TeamId>,
    /// Those who arrive are refused.
    pub refuse: Option<Refusal>,
    /// The call is offered elsewhere too.
    pub route_to: Option<RouteTo>,
    /// A callback is offered.
    pub offer_callback: bool,
    /// A clip is played, once for each caller.
    pub announce: Option<ClipId>,
    /// Those who arrive count as if they had waited this much longer, within the routine band.
    pub priority: Option<Duration>,
}

/// A destination that a call is offered, as if it were an agent.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RouteTo {
    /// Where to.
    pub destination: DestinationId,
    /// Only while the wait that it reports is less than the one here.
    pub if_its_wait_is_less: bool,
}

/// How a call is refused.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// 503 with Retry-After: the surgery's trunk takes the call back.
    Unavailable {
        /// What Retry-After says.
        retry_after: Duration,
    },
    /// 302 to this destination.
    Moved {
        /// Where to.
        to: DestinationId,
    },
}

/// The kinds of action; of each but [`Kind::AddTeams`] the first rule that is on counts.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Adds up over all rules that are on.
    AddTeams,
    /// Concerns calls as they arrive; never emergency calls.
    Refuse,
    /// Never emergency calls.
    RouteTo,
    /// Never emergency calls.
    Offer,
    /// Concerns every caller.
    Announce,
    /// Concerns calls as they arrive; never emergency calls.
    Priority,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] =
        [Kind::AddTeams, Kind::Refuse, Kind::RouteTo, Kind::Offer, Kind::Announce, Kind::Priority];

    /// Whether an action of this kind may touch a call of this band.
    pub fn touches(self, band: Band) -> bool {
        band != Band::EMERGENCY || matches!(self, Kind::AddTeams | Kind::Announce)
    }

    /// The key of the configuration.
    pub fn key(self) -> &'static str {
        match self {
            Kind::AddTeams => "add-teams",
            Kind::Refuse => "refuse",
            Kind::RouteTo => "route-to",
            Kind::Offer => "offer",
            Kind::Announce => "announce",
            Kind::Priority => "priority",
        }
    }
}

impl Actions {
    /// Whether there is an action of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::AddTeams => !self.add_teams.is_empty(),
            Kind::Refuse => self.refuse.is_some(),
            Kind::RouteTo => self.route_to.is_some(),
            Kind::Offer => self.offer_callback,
            Kind::Announce => self.announce.is_some(),
            Kind::Priority => self.priority.is_some(),
        }
    }

    /// The kinds that there are.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|&kind| self.has(kind))
    }
}

impl Callers {
    /// Whether a caller is touched.
    pub fn admit(self, caller: CallerFacts) -> bool {
        self.redial.is_none_or(|redial| redial == caller.redial)
            && self.withheld.is_none_or(|withheld| withheld == caller.withheld)
    }
}

impl Refusal {
    /// The SIP status code.
    pub fn code(self) -> u16 {
        match self {
            Refusal::Unavailable { .. } => 503,
            Refusal::Moved { .. } => 302,
        }
    }
}

impl Default for CallerFacts {
    /// A routine caller with a number, who calls for the first time.
    fn default() -> Self {
        CallerFacts { band: Band::ROUTINE, redial: false, withheld: false }
    }
}
