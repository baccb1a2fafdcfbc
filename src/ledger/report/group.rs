//! By what figures are told apart.

use std::borrow::Cow;
use std::str::FromStr;

use super::clock::Local;
use super::terms::Terms;

/// By what figures are told apart.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The line that the call joined.
    Line,
    /// The practice, by its ODS code.
    Practice,
    /// The team of the agent who answered.
    Team,
    /// The trunk that the call came by.
    Trunk,
    /// The hour of arrival.
    Hour,
    /// The practice's fifth of the country by deprivation, 1 the most deprived.
    Fifth,
}

/// What calls, promises and cases have in common.
pub(super) struct Subject<'a> {
    pub(super) line: &'a str,
    pub(super) trunk: &'a str,
    pub(super) practice: Option<&'a str>,
    pub(super) agent: Option<&'a str>,
}

/// What belongs to no practice that is known.
pub(super) const UNASSIGNED: &str = "Unassigned";

impl FromStr for By {
    type Err = String;

    fn from_str(word: &str) -> Result<By, String> {
        let found = By::ALL.into_iter().find(|by| by.word() == word);
        found.ok_or_else(|| format!("only {} are told apart", By::ALL.map(By::word).join(", ")))
    }
}

impl By {
    const ALL: [By; 6] = [By::Line, By::Practice, By::Team, By::Trunk, By::Hour, By::Fifth];

    /// Its word, also for a heading.
    pub fn word(self) -> &'static str {
        match self {
            By::Line => "line",
            By::Practice => "practice",
            By::Team => "team",
            By::Trunk => "trunk",
            By::Hour => "hour",
            By::Fifth => "fifth",
        }
    }

    /// The name of the group that `subject` belongs to.
    pub(super) fn name<'a>(self, subject: &Subject<'a>, local: Local, terms: &'a Terms) -> Cow<'a, str> {
        match self {
            By::Line => subject.line.into(),
            By::Trunk => subject.trunk.into(),
            By::Practice => subject.practice.unwrap_or(UNASSIGNED).into(),
            By::Team => match subject.agent {
                None => "unanswered".into(),
                Some(agent) => terms.team_of(agent, subject.line).unwrap_or("no team").into(),
            },
            By::Hour => format!("{:02}:00", local.minute / 60).into(),
            By::Fifth => {
                let fifth = subject.practice.and_then(|code| terms.practices.get(code)?.fifth);
                fifth.map_or("unknown".into(), |fifth| fifth.to_string().into())
            }
        }
    }
}
