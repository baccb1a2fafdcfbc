//! What the configuration says of how to count.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::tz::TimeZone;

/// How to count; what is not configured counts for nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// The zone that days and hours are reckoned in.
    pub zone: TimeZone,
    /// What a call is whose promised callback was answered.
    pub callbacks: CallbacksCount,
    /// A caller who gave up sooner does not count as abandoned in the IUC ADC.
    pub abandoned_after: Duration,
    /// A caller who gave up and rings again within this time redials.
    pub redials_within: Duration,
    /// By ODS code, or by name where it has none: as calls name them.
    pub practices: BTreeMap<String, Practice>,
    /// The teams of each agent, in the order of the configuration.
    pub teams: BTreeMap<String, Vec<String>>,
    /// The teams that answer each line first.
    pub line_teams: BTreeMap<String, Vec<String>>,
    /// What the codes of dispositions count as.
    pub dispositions: BTreeMap<String, Treated>,
    /// Names of pathways: who answers by one of them has taken the patient over.
    pub pathways: BTreeSet<String>,
}

impl Terms {
    /// The terms of a configuration that says nothing.
    pub fn plain(zone: TimeZone) -> Terms {
        Terms {
            zone,
            callbacks: CallbacksCount::Requested,
            abandoned_after: Duration::from_secs(30),
            redials_within: Duration::from_secs(1_200),
            practices: BTreeMap::new(),
            teams: BTreeMap::new(),
            line_teams: BTreeMap::new(),
            dispositions: BTreeMap::new(),
            pathways: BTreeSet::new(),
        }
    }

    /// The team that answered: of the agent's teams the first that is the line's own, or else the first.
    pub fn team_of<'t>(&'t self, agent: &str, line: &str) -> Option<&'t str> {
        let teams = self.teams.get(agent)?;
        let own = self.line_teams.get(line);
        let first = teams.iter().find(|team| own.is_some_and(|own| own.contains(team)));
        first.or(teams.first()).map(String::as_str)
    }
}

/// A practice, beyond the name that its calls have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Practice {
    /// What people call it.
    pub name: String,
    /// Whether its calls name it by its ODS code.
    pub has_ods: bool,
    /// Its fifth of the country by deprivation; 1 is the most deprived.
    pub fifth: Option<u8>,
    /// Codes of its region, integrated care board, sub-board location and primary care network; empty when not stated.
    pub places: [String; 4],
}

/// What a call is, in the counts of cloud-based telephony, whose promised callback was answered.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum CallbacksCount {
    /// A callback requested, CBT005, like any other promise.
    #[default]
    Requested,
    /// Answered, CBT003, after a wait from arrival to the answered callback.
    Answered,
}

/// How a patient was helped without an ambulance.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Treated {
    /// By advice.
    Advice,
    /// By a referral to another service.
    Referral,
}
