//! The rules in file order, with what they speak of, and which rule concerns which line.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::id::{AgentId, LineId, PracticeId, RuleId, TeamId, WindowId};

/// What rules may speak of; positions are the ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// By [`LineId`].
    pub lines: Vec<LineOutline>,
    /// By [`TeamId`].
    pub teams: Vec<TeamOutline>,
    /// Names by [`crate::id::DestinationId`].
    pub destinations: Vec<String>,
    /// Names by [`crate::id::ClipId`].
    pub clips: Vec<String>,
}

/// A line, as far as rules know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineOutline {
    /// Its name in the configuration.
    pub name: String,
    /// Whether every trunk that joins it is an emergency trunk.
    pub emergency: bool,
    /// Whose hours its windows follow: the one practice whose trunks join it, `None` for none or several.
    pub practice: Option<PracticeId>,
    /// Its own teams.
    pub teams: Vec<TeamId>,
    /// Teams that its own widening adds with the time waited.
    pub widened: Vec<TeamId>,
    /// Whether its calls are offered to a phone outside before they wait for a team.
    pub first: bool,
}

/// A team, as far as rules know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamOutline {
    /// Its name in the configuration.
    pub name: String,
    /// Its members.
    pub agents: Vec<AgentId>,
}

/// A rule on one of its lines: what has a state of its own.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slot {
    pub(super) rule: RuleId,
    pub(super) line: LineId,
    /// Position in [`RuleBook::windows`] of what must be open.
    pub(super) during: Option<usize>,
    /// Position in [`RuleBook::windows`] of what must be closed.
    pub(super) not_during: Option<usize>,
}

/// A window by the hours of one practice, or of none.
pub(super) type Opening = (WindowId, Option<PracticeId>);

/// The rules, and which of them concern which line and window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleBook {
    pub(super) rules: Vec<Rule>,
    pub(super) surroundings: Surroundings,
    /// By line, then in file order.
    pub(super) slots: Vec<Slot>,
    /// By [`LineId`]: where its slots begin; one more at the end.
    starts: Vec<usize>,
    /// By [`LineId`]: slots whose conditions measure it.
    watchers: Vec<Vec<usize>>,
    /// The windows that the rules ask for.
    pub(super) openings: Vec<Opening>,
    /// By position in `openings`: slots that ask for it.
    pub(super) askers: Vec<Vec<usize>>,
}

impl RuleBook {
    /// A book of these rules, in the order of the file; lines outside of the surroundings are left out.
    pub fn new(rules: Vec<Rule>, surroundings: Surroundings) -> RuleBook {
        let mut book = RuleBook {
            starts: Vec::with_capacity(surroundings.lines.len() + 1),
            watchers: vec![Vec::new(); surroundings.lines.len()],
            ..RuleBook::default()
        };
        for (line, outline) in (0u32..).map(LineId).zip(&surroundings.lines) {
            book.starts.push(book.slots.len());
            for (rule, written) in (0u32..).map(RuleId).zip(&rules) {
                if written.lines.contains(&line) {
                    let during = written.during.map(|window| book.opening(window, outline.practice));
                    let not_during = written.not_during.map(|window| book.opening(window, outline.practice));
                    book.add(Slot { rule, line, during, not_during }, written);
                }
            }
        }
        book.starts.push(book.slots.len());
        RuleBook { rules, surroundings, ..book }
    }

    /// The rules in the order of the file, by [`RuleId`].
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A rule; `None` for one of another book.
    pub fn rule(&self, rule: RuleId) -> Option<&Rule> {
        self.rules.get(rule.index())
    }

    /// What its rules speak of.
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The rules of a line, in the order of the file.
    pub fn rules_of(&self, line: LineId) -> impl Iterator<Item = RuleId> {
        self.slots[self.slots_of(line)].iter().map(|slot| slot.rule)
    }

    /// Whether a rule of this line asks who the caller is, so that its callers may be decided on differently.
    pub fn asks_callers(&self, line: LineId) -> bool {
        self.slots_of(line).any(|slot| self.written(slot).callers != Default::default())
    }

    /// How many agents the line's own teams have.
    pub(super) fn members(&self, line: LineId) -> u32 {
        let teams = self.surroundings.lines.get(line.index()).map_or(&[][..], |line| &line.teams);
        u32::try_from(self.agents(teams).len()).unwrap_or(u32::MAX)
    }

    /// The agents of these teams, each once.
    pub(super) fn agents(&self, teams: &[TeamId]) -> BTreeSet<AgentId> {
        let teams = teams.iter().filter_map(|team| self.surroundings.teams.get(team.index()));
        teams.flat_map(|team| team.agents.iter().copied()).collect()
    }

    pub(super) fn slots_of(&self, line: LineId) -> Range<usize> {
        match (self.starts.get(line.index()), self.starts.get(line.index() + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        }
    }

    pub(super) fn watchers_of(&self, line: LineId) -> &[usize] {
        self.watchers.get(line.index()).map_or(&[], Vec::as_slice)
    }

    pub(super) fn written(&self, slot: usize) -> &Rule {
        &self.rules[self.slots[slot].rule.index()]
    }

    fn add(&mut self, slot: Slot, rule: &Rule) {
        let position = self.slots.len();
        let conditions = rule.when_all.iter().chain(&rule.when_any).chain(&rule.until);
        let measured: BTreeSet<LineId> =
            conditions.map(|condition| condition.line.unwrap_or(slot.line)).collect();
        for line in measured {
            if let Some(watchers) = self.watchers.get_mut(line.index()) {
                watchers.push(position);
            }
        }
        for opening in [slot.during, slot.not_during].into_iter().flatten() {
            self.askers[opening].push(position);
        }
        self.slots.push(slot);
    }

    fn opening(&mut self, window: WindowId, practice: Option<PracticeId>) -> usize {
        let wanted = (window, practice);
        self.openings.iter().position(|&opening| opening == wanted).unwrap_or_else(|| {
            self.openings.push(wanted);
            self.askers.push(Vec::new());
            self.openings.len() - 1
        })
    }
}
