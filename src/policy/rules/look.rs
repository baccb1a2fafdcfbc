//! One look at a line: which condition of a rule is the first to fail, with the facts and the clock of one instant.

use serde::{Deserialize, Serialize};

use super::{CallerFacts, Condition, LineFacts, Rule, RuleBook};
use crate::calendar::Calendar;
use crate::id::{LineId, WindowId};
use crate::time::{Mono, Wall};

/// Why a rule is not on, or not for this caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The window of `during` is closed.
    Closed(WindowId),
    /// The window of `not-during` is open.
    Open(WindowId),
    /// This condition of `when-all` does not hold.
    Not(Condition),
    /// None of these, all of `when-any`, holds.
    None(Vec<Condition>),
    /// All of these, `until`, hold.
    Ended(Vec<Condition>),
    /// Its conditions have not lasted for long enough.
    TooShort,
    /// It does not touch such callers.
    OtherCallers,
}

/// What is known at one instant.
pub(super) struct Look<'a> {
    pub(super) book: &'a RuleBook,
    pub(super) calendar: &'a Calendar,
    /// By [`LineId`].
    pub(super) facts: &'a [LineFacts],
    /// Of which line the rules are asked.
    pub(super) line: LineId,
    pub(super) mono: Mono,
    pub(super) wall: Wall,
}

impl Look<'_> {
    pub(super) fn holds(&self, condition: &Condition) -> bool {
        condition.holds(&self.facts_for(condition), self.mono)
    }

    /// The facts that a condition measures.
    pub(super) fn facts_for(&self, condition: &Condition) -> LineFacts {
        let line = condition.line.unwrap_or(self.line);
        self.facts.get(line.index()).copied().unwrap_or_default()
    }

    /// What is the first to keep a rule from this caller, be it only since a moment ago.
    pub(super) fn failure(&self, rule: &Rule, caller: CallerFacts) -> Option<Failure> {
        let practice = self.book.surroundings.lines.get(self.line.index()).and_then(|line| line.practice);
        let is_open = |window: &WindowId| self.calendar.covers(*window, practice, self.wall);
        let closed = rule.during.filter(|window| !is_open(window)).map(Failure::Closed);
        let open = rule.not_during.filter(is_open).map(Failure::Open);
        closed.or(open).or_else(|| self.unmet(rule)).or_else(|| {
            let touched = rule.callers.admit(caller);
            (!touched).then_some(Failure::OtherCallers)
        })
    }

    /// What of its conditions and its `until` is the first to be against a rule.
    pub(super) fn unmet(&self, rule: &Rule) -> Option<Failure> {
        let failed = rule.when_all.iter().find(|condition| !self.holds(condition));
        let any = rule.when_any.is_empty() || rule.when_any.iter().any(|condition| self.holds(condition));
        let ended = !rule.until.is_empty() && rule.until.iter().all(|condition| self.holds(condition));
        failed
            .map(|&condition| Failure::Not(condition))
            .or_else(|| (!any).then(|| Failure::None(rule.when_any.clone())))
            .or_else(|| ended.then(|| Failure::Ended(rule.until.clone())))
    }
}
