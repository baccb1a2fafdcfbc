//! Why a rule counts at an instant, or does not.
//!
//! A question is static: the facts are given, and conditions are taken as having lasted for as long as the
//! question says, so that there is no history to tell.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::look::Look;
use super::{CallerFacts, Decision, Failure, Kind, LineFacts, Measure, RuleBook, words};
use crate::calendar::Calendar;
use crate::id::{LineId, RuleId, TrunkId};
use crate::policy::{Band, Ingress};
use crate::time::{Mono, Wall};

/// The instant of every question on the monotonic clock: far enough from its start for any wait.
const INSTANT: Mono = Mono(u64::MAX / 2);

/// What the rules would decide for a caller of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The line.
    pub line: LineId,
    /// When.
    pub at: Wall,
    /// Who calls.
    pub caller: CallerFacts,
    /// What the lines look like; of two that are given of one measure the last counts.
    ///
    /// What is not given: nobody waits, there is no estimate, all agents of the line's teams are logged in, and
    /// they are free unless callers wait.
    pub given: Vec<Given>,
    /// How long the conditions have lasted; `None` for long enough.
    pub lasted: Option<Duration>,
}

/// One thing that a line looks like.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Which line.
    pub line: LineId,
    /// What is measured.
    pub measure: Measure,
    /// Callers, agents or microseconds.
    pub value: u64,
}

/// The answer to a [`Question`], in words and as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The line's name.
    pub line: String,
    /// Whether the caller is an emergency, whom only widening and announcements may touch.
    pub emergency: bool,
    /// What is decided.
    pub decision: Decision,
    /// The same in words; empty when the caller stays.
    pub effects: Vec<String>,
    /// Every rule of the line, in file order.
    pub rules: Vec<Verdict>,
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which rule.
    pub rule: RuleId,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, in words.
    pub words: String,
}

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is on for the caller.
    On {
        /// The kinds of its actions that count.
        counts: Vec<Kind>,
        /// The kinds for which an earlier rule counts.
        overruled: Vec<Overruled>,
        /// The kinds that may not touch an emergency.
        barred: Vec<Kind>,
    },
    /// It is not on, or not for the caller.
    Off(Failure),
}

/// A kind for which an earlier rule counts.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overruled {
    /// The kind.
    pub kind: Kind,
    /// The earlier rule.
    pub by: RuleId,
}

impl Question {
    /// A question about an ordinary caller of a line, of whom nothing is given.
    pub fn new(line: LineId, at: Wall) -> Question {
        Question { line, at, caller: CallerFacts::default(), given: Vec::new(), lasted: None }
    }

    /// A question about a caller of a trunk; `None` for a trunk that is not there.
    pub fn by_trunk(ingress: &Ingress, trunk: TrunkId, at: Wall) -> Option<Question> {
        let trunk = ingress.trunks.get(trunk.index())?;
        let band = if trunk.emergency { Band::EMERGENCY } else { Band::ROUTINE };
        let caller = CallerFacts { band, ..CallerFacts::default() };
        Some(Question { caller, ..Question::new(trunk.line, at) })
    }
}

impl RuleBook {
    /// What the rules decide, and why each counts or does not.
    pub fn explain(&self, calendar: &Calendar, question: &Question) -> Explanation {
        let facts = self.facts_given(&question.given);
        let Question { line, caller, .. } = *question;
        let look = Look { book: self, calendar, facts: &facts, line, mono: INSTANT, wall: question.at };
        let failures: Vec<(RuleId, Option<Failure>)> = self
            .rules_of(line)
            .map(|id| {
                let rule = &self.rules[id.index()];
                let short = question.lasted.is_some_and(|lasted| lasted < rule.for_at_least);
                let failure = look.failure(rule, caller).or_else(|| short.then_some(Failure::TooShort));
                (id, failure)
            })
            .collect();
        let on = failures.iter().filter(|(_, failure)| failure.is_none()).map(|&(id, _)| id);
        let decision = Decision::of(self, on, caller);
        let verdict = |(rule, failure): (RuleId, Option<Failure>)| {
            let written = &self.rules[rule.index()];
            let (words, outcome) = match failure {
                Some(failure) => (look.failed(written, &failure), Outcome::Off(failure)),
                None => {
                    let outcome = self.outcome(rule, &decision, caller);
                    (self.outcome_words(&look, rule, &outcome), outcome)
                }
            };
            Verdict { rule, name: written.name.clone(), outcome, words }
        };
        Explanation {
            line: self.line_name(line).to_owned(),
            emergency: caller.band == Band::EMERGENCY,
            effects: self.effects(&decision),
            rules: failures.into_iter().map(verdict).collect(),
            decision,
        }
    }

    fn facts_given(&self, given: &[Given]) -> Vec<LineFacts> {
        let stated = |line: LineId, measure: Measure| {
            let mut of_this =
                given.iter().rev().filter(|given| (given.line, given.measure) == (line, measure));
            of_this.next().map(|given| given.value)
        };
        let lines = (0u32..).map(LineId).take(self.surroundings.lines.len());
        let facts = lines.map(|line| {
            let count = |measure| stated(line, measure).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
            let waiting = count(Measure::Waiting).unwrap_or(0);
            let agents_logged_in = count(Measure::AgentsLoggedIn).unwrap_or_else(|| self.members(line));
            LineFacts {
                waiting,
                longest_since: stated(line, Measure::LongestWait)
                    .map(|wait| Mono(INSTANT.0.saturating_sub(wait))),
                estimated_wait: stated(line, Measure::EstimatedWait).map(Duration::from_micros),
                agents_logged_in,
                agents_free: count(Measure::AgentsFree).unwrap_or(if waiting == 0 {
                    agents_logged_in
                } else {
                    0
                }),
            }
        });
        facts.collect()
    }

    fn outcome(&self, rule: RuleId, decision: &Decision, caller: CallerFacts) -> Outcome {
        let kinds: Vec<Kind> = self.rules[rule.index()].actions.kinds().collect();
        let (touching, barred) = kinds.into_iter().partition::<Vec<_>, _>(|kind| kind.touches(caller.band));
        let (counts, lost) = touching.into_iter().partition::<Vec<_>, _>(|&kind| decision.counts(rule, kind));
        let overruled = lost.into_iter().filter_map(|kind| {
            let by = decision.winner(kind)?;
            Some(Overruled { kind, by })
        });
        Outcome::On { counts, overruled: overruled.collect(), barred }
    }

    fn outcome_words(&self, look: &Look<'_>, rule: RuleId, outcome: &Outcome) -> String {
        let grounds = look.grounds(&self.rules[rule.index()]);
        let Outcome::On { counts, overruled, barred } = outcome else { return grounds };
        let mut words = Vec::new();
        if !counts.is_empty() {
            words.push(format!("counts: {grounds}"));
        }
        let earlier = |lost: &Overruled| {
            format!("`{}` comes before it for `{}`", self.rule_name(lost.by), lost.kind.key())
        };
        words.extend(overruled.iter().map(earlier));
        if !barred.is_empty() {
            words.push(format!("{} may not touch an emergency call", words::kinds(barred)));
        }
        words.join("; ")
    }
}

impl Explanation {
    /// The rules that count, in file order.
    pub fn counting(&self) -> impl Iterator<Item = RuleId> {
        let counting = |verdict: &&Verdict| match &verdict.outcome {
            Outcome::On { counts, .. } => !counts.is_empty(),
            Outcome::Off(_) => false,
        };
        self.rules.iter().filter(counting).map(|verdict| verdict.rule)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.emergency {
            writeln!(
                f,
                "an emergency call: no rule may refuse it, send it elsewhere, offer it a callback or change its place"
            )?;
        }
        if self.effects.is_empty() {
            writeln!(f, "`{}`: the caller stays", self.line)?;
        }
        for effect in &self.effects {
            writeln!(f, "`{}`: {effect}", self.line)?;
        }
        for verdict in &self.rules {
            writeln!(f, "  `{}`: {}", verdict.name, verdict.words)?;
        }
        Ok(())
    }
}
