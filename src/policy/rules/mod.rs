//! Overflow rules: when a line is pressed, who else may answer, and what its callers are offered.
//!
//! A [`RuleBook`] holds the rules in file order with what they speak of. [`RuleStates`] holds which of them are
//! on: it takes in [`LineFacts`] and time, and nothing else moves it. [`RuleStates::decide`] says what that
//! means for one caller. The rest answers questions: [`RuleBook::explain`] why a rule counts or does not,
//! [`RuleBook::lint`] which rules can do nothing, [`RuleTest`] whether a rule does what its author expects, and
//! [`Shadow`] where another book would decide otherwise.
//!
//! Nothing here moves a caller or knows one: the distributor asks, and acts.

mod book;
mod condition;
mod decision;
mod example;
mod explain;
mod lint;
mod look;
mod openings;
mod rule;
mod shadow;
mod states;
#[cfg(test)]
mod tests;
mod words;

pub use book::{LineOutline, RuleBook, Surroundings, TeamOutline};
pub use condition::{Bound, Condition, LineFacts, Measure};
pub use decision::{Decision, Won};
pub use example::{RuleTest, Unmet};
pub use explain::{Explanation, Given, Outcome, Overruled, Question, Verdict};
pub use lint::{Finding, Never};
pub use look::Failure;
pub use rule::{Actions, CallerFacts, Callers, Kind, Refusal, RouteTo, Rule};
pub use shadow::{Disagreement, Live, Shadow, Side, Strange, Trial};
pub use states::{Change, RuleStates};
