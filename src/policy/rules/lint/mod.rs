//! Rules that can do nothing, or not what their author means.
//!
//! A rule that is said never to turn on, or never to count, never does so in the next 400 days; of
//! others nothing is promised. A rule of several lines is named only for what is so on all of them:
//! a general rule after a special one is no mistake.

mod find;
mod logic;
mod spans;
mod unanswered;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::spans::Spans;
use super::{Condition, Kind, RuleBook};
use crate::calendar::Calendar;
use crate::id::{AgentId, LineId, RuleId, TeamId, WindowId};
use crate::time::Wall;

/// Something that a rule's author should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// It can never turn on.
    NeverOn {
        /// Which rule.
        rule: RuleId,
        /// Why not.
        why: Never,
    },
    /// Of this kind, an earlier rule counts whenever it is on.
    Shadowed {
        /// Which rule.
        rule: RuleId,
        /// Which of its actions.
        kind: Kind,
        /// The earlier rules, one for each line.
        by: Vec<RuleId>,
    },
    /// One of `when-any` can never be what turns it on.
    DeadCondition {
        /// Which rule.
        rule: RuleId,
        /// Which condition.
        condition: Condition,
    },
    /// Its conditions can only hold: they ask for nothing.
    AlwaysHolds {
        /// Which rule.
        rule: RuleId,
    },
    /// Its `until` holds whenever its conditions do: it would end as it begins, so it never turns on.
    EndsAtOnce {
        /// Which rule.
        rule: RuleId,
    },
    /// Its `until` ends what another of `when-any` began, but can hold while this one still does: then the rule is
    /// off although it is wanted, and turns on and off as `until` does.
    EndsTooSoon {
        /// Which rule.
        rule: RuleId,
        /// Which of `when-any`.
        condition: Condition,
    },
    /// Its `until` can never hold.
    NeverEnds {
        /// Which rule.
        rule: RuleId,
    },
    /// The agents that it adds answer the line already.
    AddsNothing {
        /// Which rule.
        rule: RuleId,
        /// The earlier rules that add them whenever it is on, one for each line; empty when the lines' own teams
        /// suffice.
        by: Vec<RuleId>,
    },
    /// It adds a team that has no agents.
    EmptyTeam {
        /// Which rule.
        rule: RuleId,
        /// Which team.
        team: TeamId,
    },
    /// Its lines take emergency calls alone, which this kind may not touch.
    EmergencyOnly {
        /// Which rule.
        rule: RuleId,
        /// Which of its actions.
        kind: Kind,
    },
    /// In some hours of an ordinary week nobody can answer the line.
    Unanswered {
        /// Which line.
        line: LineId,
        /// From when to when, in the first week that has the fewest such hours.
        gaps: Vec<(Wall, Wall)>,
    },
}

/// Why a rule can never turn on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Never {
    /// Its window does not open.
    NeverOpen(WindowId),
    /// The window that must be closed is always open.
    AlwaysOpen(WindowId),
    /// `during` is open only while `not-during` is.
    Windows(WindowId, WindowId),
    /// No line can look like this.
    Impossible(Condition),
    /// These two contradict each other.
    Contradict(Condition, Condition),
    /// Its conditions contradict each other, no two of them alone.
    Together,
}

impl RuleBook {
    /// Everything that is worth a look, in the order of the rules, then of the lines. `may_answer` says whether an
    /// agent of a team in a line's reach could ever be presented its calls.
    pub fn lint(
        &self,
        calendar: &Calendar,
        from: Wall,
        may_answer: &dyn Fn(LineId, AgentId) -> bool,
    ) -> Vec<Finding> {
        let windows = self
            .openings
            .iter()
            .map(|&(window, practice)| Spans::of(calendar, window, practice, from))
            .collect();
        let lint =
            Lint { book: self, calendar, from, may_answer, windows, allowed: BTreeMap::new() }.prepared();
        let mut findings = Vec::new();
        for rule in (0u32..).map(RuleId).take(self.rules.len()) {
            lint.look_at(rule, &mut findings);
        }
        lint.find_unanswered(&mut findings);
        findings
    }
}

/// A book with its windows laid out over time.
struct Lint<'a> {
    book: &'a RuleBook,
    calendar: &'a Calendar,
    from: Wall,
    may_answer: &'a dyn Fn(LineId, AgentId) -> bool,
    /// By position in the book's openings.
    windows: Vec<Spans>,
    /// By position in the book's slots: when the windows of a rule allow it, if it has any.
    allowed: BTreeMap<usize, Spans>,
}

impl Lint<'_> {
    fn prepared(mut self) -> Self {
        for (position, slot) in self.book.slots.iter().enumerate() {
            if slot.during.is_some() || slot.not_during.is_some() {
                let whole = Spans::whole(self.from);
                let open = slot.during.map_or(whole, |opening| self.windows[opening].clone());
                let allowed =
                    slot.not_during.map_or(open.clone(), |opening| open.without(&self.windows[opening]));
                self.allowed.insert(position, allowed);
            }
        }
        self
    }

    /// The positions of a rule's slots.
    fn slots(&self, rule: RuleId) -> impl Iterator<Item = usize> {
        let slots = self.book.slots.iter().enumerate();
        slots.filter(move |(_, slot)| slot.rule == rule).map(|(position, _)| position)
    }
}
