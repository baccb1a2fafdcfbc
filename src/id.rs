//! Identifiers as newtypes, so that a line is never taken for a team.
//!
//! Those of the plan (trunk, practice, line, team, agent, clip, window, destination, skill, rule, pathway,
//! stack, disposition) are positions in its tables and live as long as that plan; those of calls, legs, promises, cases
//! and referrals are counted up from one and never used twice.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($int:ty) $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $int);

        impl $name {
            /// The position in the plan's table, or the running number.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    )*};
}

ids! {
    /// A trunk: who may send calls.
    TrunkId(u32) "trunk-";
    /// A practice: a GP surgery, known by its ODS code.
    PracticeId(u32) "practice-";
    /// A line: a queue of callers.
    LineId(u32) "line-";
    /// A team: agents who answer lines together.
    TeamId(u32) "team-";
    /// A window: times that come again, as opening hours do.
    WindowId(u32) "window-";
    /// An agent: a person with a phone.
    AgentId(u32) "agent-";
    /// A clip: a greeting or a piece of music.
    ClipId(u32) "clip-";
    /// A destination: an address that calls may be offered to.
    DestinationId(u32) "destination-";
    /// A skill of agents that lines may ask for.
    SkillId(u32) "skill-";
    /// An overflow rule.
    RuleId(u32) "rule-";
    /// A pathway: where a clinician sends a patient instead of an ambulance.
    PathwayId(u32) "pathway-";
    /// A stack: cases that wait for clinicians.
    StackId(u32) "stack-";
    /// A disposition: how a case ended, clinically.
    DispositionId(u16) "disposition-";
    /// A call: one caller from arrival to record.
    CallId(u64) "call-";
    /// A leg: one SIP dialog of a call, the caller's or an agent's.
    LegId(u64) "leg-";
    /// A promise: a callback that a patient was promised.
    PromiseId(u64) "promise-";
    /// A case: what a clinician has to assess.
    CaseId(u64) "case-";
    /// A referral: a case handed to a pathway.
    ReferralId(u64) "referral-";
}
