//! Tests that stand in the configuration itself: what its author expects of the rules.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Question, RuleBook, Verdict};
use crate::calendar::Calendar;
use crate::id::RuleId;

/// An expectation: exactly these rules count for such a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTest {
    /// Its name in the configuration.
    pub name: String,
    /// Who calls where and when, with which facts given.
    pub question: Question,
    /// The rules that count, in any order; empty when the caller stays.
    pub expect: Vec<RuleId>,
}

/// An expectation that the rules do not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// The test's name.
    pub name: String,
    /// What became of the rules that were expected and do not count.
    pub missing: Vec<Verdict>,
    /// What became of the rules that count and were not expected.
    pub unexpected: Vec<Verdict>,
    /// Names of the rules that were expected and do not belong to the line.
    pub strangers: Vec<String>,
}

impl RuleTest {
    /// Whether the rules do what is expected of them.
    pub fn run(&self, book: &RuleBook, calendar: &Calendar) -> Result<(), Unmet> {
        let explanation = book.explain(calendar, &self.question);
        let counting: Vec<RuleId> = explanation.counting().collect();
        if counting.iter().all(|rule| self.expect.contains(rule))
            && self.expect.iter().all(|rule| counting.contains(rule))
        {
            return Ok(());
        }
        let of_line = |rule: &RuleId| explanation.rules.iter().any(|verdict| verdict.rule == *rule);
        let strangers = self.expect.iter().filter(|rule| !of_line(rule));
        let strangers = strangers.map(|&rule| book.rule_name(rule).to_owned()).collect();
        let (missing, unexpected) = explanation
            .rules
            .into_iter()
            .filter(|verdict| self.expect.contains(&verdict.rule) != counting.contains(&verdict.rule))
            .partition(|verdict| self.expect.contains(&verdict.rule));
        Err(Unmet { name: self.name.clone(), missing, unexpected, strangers })
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` fails", self.name)?;
        for Verdict { name, words, .. } in &self.missing {
            write!(f, "\n  expected `{name}`, which does not count: {words}")?;
        }
        for Verdict { name, words, .. } in &self.unexpected {
            write!(f, "\n  did not expect `{name}`, which {words}")?;
        }
        for name in &self.strangers {
            write!(f, "\n  expected `{name}`, which is no rule of this line")?;
        }
        Ok(())
    }
}
