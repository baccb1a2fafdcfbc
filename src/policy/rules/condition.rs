//! Limits on what a line looks like, and when time alone carries a line over one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::LineId;
use crate::time::Mono;

/// What a line looks like from one instant on, until the next facts.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFacts {
    /// Callers who do not talk yet, those for whom a phone rings included; callbacks not.
    pub waiting: u32,
    /// The earliest arrival among them; `None` when nobody waits.
    pub longest_since: Option<Mono>,
    /// The wait that a caller who joined now should expect; `None` when there is no estimate.
    pub estimated_wait: Option<Duration>,
    /// Members of the line's own teams who are at work, not paused, and whose phone can be reached.
    pub agents_logged_in: u32,
    /// Those of them who are free.
    pub agents_free: u32,
}

/// What of a line is measured.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Callers who do not talk yet.
    Waiting,
    /// The time since the earliest arrival among them, in microseconds; 0 when nobody waits.
    LongestWait,
    /// The estimated wait, in microseconds; neither over nor under anything when there is no estimate.
    EstimatedWait,
    /// Agents of the line's own teams at work.
    AgentsLoggedIn,
    /// Agents of the line's own teams who are free.
    AgentsFree,
}

/// A side of a limit; a value at the limit is on neither.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// More than this: callers, agents or microseconds.
    Over(u64),
    /// Less than this: callers, agents or microseconds.
    Under(u64),
}

/// A limit on one measure of a line.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Condition {
    /// Which line is measured; `None` for the one that the rule is asked about.
    pub line: Option<LineId>,
    /// What is measured.
    pub measure: Measure,
    /// Where it must be.
    pub bound: Bound,
}

impl Condition {
    /// More than `limit` callers or agents.
    pub fn over(measure: Measure, limit: u32) -> Condition {
        Condition { line: None, measure, bound: Bound::Over(limit.into()) }
    }

    /// Fewer than `limit` callers or agents.
    pub fn under(measure: Measure, limit: u32) -> Condition {
        Condition { line: None, measure, bound: Bound::Under(limit.into()) }
    }

    /// A wait longer than `limit`.
    pub fn longer(measure: Measure, limit: Duration) -> Condition {
        Condition { line: None, measure, bound: Bound::Over(micros(limit)) }
    }

    /// A wait shorter than `limit`.
    pub fn shorter(measure: Measure, limit: Duration) -> Condition {
        Condition { line: None, measure, bound: Bound::Under(micros(limit)) }
    }

    /// The same limit on another line.
    pub fn at(self, line: LineId) -> Condition {
        Condition { line: Some(line), ..self }
    }

    /// Whether a line that looks so at `now` is on the condition's side of its limit.
    pub fn holds(&self, facts: &LineFacts, now: Mono) -> bool {
        let Some(value) = self.measure.of(facts, now) else { return false };
        match self.bound {
            Bound::Over(limit) => value > limit,
            Bound::Under(limit) => value < limit,
        }
    }

    /// The instant after `now` at which time alone changes [`Condition::holds`], if there is one.
    pub(super) fn turns(&self, facts: &LineFacts, now: Mono) -> Option<Mono> {
        let (Measure::LongestWait, Some(since)) = (self.measure, facts.longest_since) else { return None };
        let turn = match self.bound {
            Bound::Over(limit) => since.0.checked_add(limit)?.checked_add(1)?,
            Bound::Under(limit) => since.0.checked_add(limit)?,
        };
        (turn > now.0).then_some(Mono(turn))
    }
}

impl Measure {
    /// The value of this measure: callers, agents or microseconds.
    pub fn of(self, facts: &LineFacts, now: Mono) -> Option<u64> {
        match self {
            Measure::Waiting => Some(facts.waiting.into()),
            Measure::LongestWait => Some(facts.longest_since.map_or(0, |since| micros(now.since(since)))),
            Measure::EstimatedWait => facts.estimated_wait.map(micros),
            Measure::AgentsLoggedIn => Some(facts.agents_logged_in.into()),
            Measure::AgentsFree => Some(facts.agents_free.into()),
        }
    }

    /// Whether it is a wait, counted in microseconds.
    pub fn is_time(self) -> bool {
        matches!(self, Measure::LongestWait | Measure::EstimatedWait)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_at_the_limit_is_on_neither_side() {
        let facts = LineFacts { waiting: 8, ..LineFacts::default() };
        assert!(!Condition::over(Measure::Waiting, 8).holds(&facts, Mono(0)));
        assert!(!Condition::under(Measure::Waiting, 8).holds(&facts, Mono(0)));
        assert!(Condition::over(Measure::Waiting, 7).holds(&facts, Mono(0)));
        assert!(Condition::under(Measure::Waiting, 9).holds(&facts, Mono(0)));
    }

    #[test]
    fn a_wait_without_an_estimate_is_neither_over_nor_under() {
        let limit = Duration::from_secs(1);
        for condition in [Condition::longer, Condition::shorter] {
            assert!(!condition(Measure::EstimatedWait, limit).holds(&LineFacts::default(), Mono(9)));
        }
    }

    #[test]
    fn time_alone_carries_the_longest_wait_over_a_limit() {
        let facts = LineFacts { waiting: 1, longest_since: Some(Mono(100)), ..LineFacts::default() };
        let limit = Duration::from_micros(50);
        for condition in [Condition::longer, Condition::shorter].map(|made| made(Measure::LongestWait, limit))
        {
            let turn = condition.turns(&facts, Mono(120)).expect("a turn ahead");
            let before = Mono(turn.0 - 1);
            assert_ne!(condition.holds(&facts, before), condition.holds(&facts, turn), "{condition:?}");
            assert_eq!(condition.turns(&facts, turn), None);
        }
    }
}
