//! Whether limits can hold together: formulas over what lines look like, decided by narrowing ranges.
//!
//! Sound on one side: what is said to be impossible is impossible. A formula that costs too many steps counts
//! as possible.

use std::collections::BTreeMap;

use super::super::{Bound, Condition, Measure, Rule, RuleBook};
use crate::id::LineId;

/// Most ranges that are narrowed for one answer.
const MOST_STEPS: u32 = 20_000;

/// Limits joined by and, or.
#[derive(Clone, Debug)]
pub(super) enum Formula {
    /// A limit on a measure of a line holds, or does not.
    Limit {
        line: LineId,
        measure: Measure,
        bound: Bound,
        holds: bool,
    },
    And(Vec<Formula>),
    Or(Vec<Formula>),
}

impl Formula {
    pub(super) fn limit(condition: &Condition, line: LineId) -> Formula {
        let Condition { measure, bound, .. } = *condition;
        Formula::Limit { line: condition.line.unwrap_or(line), measure, bound, holds: true }
    }

    /// All of these conditions, for a rule of `line`.
    pub(super) fn all(conditions: &[Condition], line: LineId) -> Formula {
        Formula::And(conditions.iter().map(|condition| Formula::limit(condition, line)).collect())
    }

    /// The conditions of a rule, without its `until`.
    pub(super) fn conditions(rule: &Rule, line: LineId) -> Formula {
        let any: Vec<_> = rule.when_any.iter().map(|condition| Formula::limit(condition, line)).collect();
        let any = if any.is_empty() { Formula::And(any) } else { Formula::Or(any) };
        Formula::And(vec![Formula::all(&rule.when_all, line), any])
    }

    /// That `until` holds; never, without one.
    pub(super) fn ends(rule: &Rule, line: LineId) -> Formula {
        if rule.until.is_empty() { Formula::Or(Vec::new()) } else { Formula::all(&rule.until, line) }
    }

    /// The conditions of a rule hold, and its `until` does not.
    pub(super) fn pressed(rule: &Rule, line: LineId) -> Formula {
        Formula::And(vec![Formula::conditions(rule, line), Formula::ends(rule, line).not()])
    }

    pub(super) fn not(self) -> Formula {
        let each = |formulas: Vec<Formula>| formulas.into_iter().map(Formula::not).collect();
        match self {
            Formula::Limit { line, measure, bound, holds } => {
                Formula::Limit { line, measure, bound, holds: !holds }
            }
            Formula::And(formulas) => Formula::Or(each(formulas)),
            Formula::Or(formulas) => Formula::And(each(formulas)),
        }
    }

    /// Whether lines of this book can look so that the formula holds.
    pub(super) fn is_possible(&self, book: &RuleBook) -> bool {
        let mut steps = MOST_STEPS;
        possible(vec![self], Ranges { book, by_measure: BTreeMap::new() }, &mut steps)
    }
}

/// Whether `self` holds whenever `cause` does.
pub(super) fn follows(book: &RuleBook, cause: &Formula, effect: &Formula) -> bool {
    !Formula::And(vec![cause.clone(), effect.clone().not()]).is_possible(book)
}

/// Whether all of `open` can hold within `ranges`: limits narrow, of each alternative one is tried.
fn possible(mut open: Vec<&Formula>, mut ranges: Ranges<'_>, steps: &mut u32) -> bool {
    let mut choices: Vec<&Vec<Formula>> = Vec::new();
    while let Some(formula) = open.pop() {
        match formula {
            Formula::And(formulas) => open.extend(formulas),
            Formula::Or(formulas) => choices.push(formulas),
            Formula::Limit { line, measure, bound, holds } => {
                *steps = steps.saturating_sub(1);
                if *steps == 0 {
                    return true;
                }
                if !ranges.narrow(*line, *measure, *bound, *holds) {
                    return false;
                }
            }
        }
    }
    let Some(choice) = choices.pop() else { return true };
    choice.iter().any(|alternative| {
        // The rest of the choices stay open as they are: each is an `Or` of its own.
        let mut open = vec![alternative];
        let rest: Vec<Formula> = choices.iter().map(|&rest| Formula::Or(rest.clone())).collect();
        open.extend(&rest);
        possible(open, ranges.clone(), steps)
    })
}

/// What each measure may still be.
#[derive(Clone)]
struct Ranges<'a> {
    book: &'a RuleBook,
    by_measure: BTreeMap<(LineId, Measure), Range>,
}

/// The values that a measure may still have, both ends included.
#[derive(Copy, Clone)]
struct Range {
    least: u64,
    most: u64,
    /// Whether there may be no value: an estimate.
    none: bool,
}

impl Ranges<'_> {
    /// Takes a limit in; says whether anything is left.
    fn narrow(&mut self, line: LineId, measure: Measure, bound: Bound, holds: bool) -> bool {
        let mut range = self.of(line, measure);
        match (bound, holds) {
            (Bound::Over(u64::MAX) | Bound::Under(0), true) => return false,
            (Bound::Over(limit), true) => range.least = range.least.max(limit + 1),
            (Bound::Under(limit), true) => range.most = range.most.min(limit - 1),
            (Bound::Over(limit), false) => range.most = range.most.min(limit),
            (Bound::Under(limit), false) => range.least = range.least.max(limit),
        }
        range.none &= !holds;
        self.by_measure.insert((line, measure), range);
        self.keep_together(line) && !range.is_empty()
    }

    /// What one measure of a line says of another; says whether anything is left.
    fn keep_together(&mut self, line: LineId) -> bool {
        let mut waiting = self.of(line, Measure::Waiting);
        let mut longest = self.of(line, Measure::LongestWait);
        let mut logged_in = self.of(line, Measure::AgentsLoggedIn);
        let mut free = self.of(line, Measure::AgentsFree);
        if longest.least > 0 {
            waiting.least = waiting.least.max(1);
        }
        if waiting.most == 0 {
            longest.most = 0;
        }
        logged_in.least = logged_in.least.max(free.least);
        free.most = free.most.min(logged_in.most);
        let changed = [
            (Measure::Waiting, waiting),
            (Measure::LongestWait, longest),
            (Measure::AgentsLoggedIn, logged_in),
            (Measure::AgentsFree, free),
        ];
        self.by_measure.extend(changed.map(|(measure, range)| ((line, measure), range)));
        changed.iter().all(|(_, range)| !range.is_empty())
    }

    fn of(&self, line: LineId, measure: Measure) -> Range {
        self.by_measure.get(&(line, measure)).copied().unwrap_or_else(|| {
            let most = match measure {
                Measure::AgentsLoggedIn | Measure::AgentsFree => self.book.members(line).into(),
                Measure::Waiting => u32::MAX.into(),
                Measure::LongestWait | Measure::EstimatedWait => u64::MAX,
            };
            Range { least: 0, most, none: measure == Measure::EstimatedWait }
        })
    }
}

impl Range {
    fn is_empty(self) -> bool {
        self.least > self.most && !self.none
    }
}
