//! Findings in plain English.

use super::super::words::{kinds, written};
use super::super::{Condition, RuleBook};
use super::{Finding, Never};
use crate::calendar::Calendar;
use crate::id::{LineId, RuleId, WindowId};
use crate::time::Wall;

impl Finding {
    /// The rule that it is about; `None` when it is about a line.
    pub fn rule(&self) -> Option<RuleId> {
        match *self {
            Finding::NeverOn { rule, .. }
            | Finding::Shadowed { rule, .. }
            | Finding::DeadCondition { rule, .. }
            | Finding::AlwaysHolds { rule }
            | Finding::EndsAtOnce { rule }
            | Finding::EndsTooSoon { rule, .. }
            | Finding::NeverEnds { rule }
            | Finding::AddsNothing { rule, .. }
            | Finding::EmptyTeam { rule, .. }
            | Finding::EmergencyOnly { rule, .. } => Some(rule),
            Finding::Unanswered { .. } => None,
        }
    }

    /// What is found, in one sentence.
    pub fn words(&self, book: &RuleBook, calendar: &Calendar) -> String {
        let rules = |rules: &[RuleId]| {
            let names: Vec<_> = rules.iter().map(|&rule| format!("`{}`", book.rule_name(rule))).collect();
            names.join(" and ")
        };
        match self {
            Finding::NeverOn { why, .. } => {
                format!("this rule can never turn on: {}", why.words(book, calendar))
            }
            Finding::Shadowed { kind, by, .. } => {
                format!("{} never counts: {} counts whenever this rule is on", kinds(&[*kind]), rules(by))
            }
            Finding::DeadCondition { condition, .. } => {
                format!("`{}` can never be what turns this rule on", limit(book, condition))
            }
            Finding::AlwaysHolds { .. } => "the conditions of this rule hold always".to_owned(),
            Finding::EndsAtOnce { .. } => {
                "this rule can never turn on: its `until` holds whenever its conditions do".to_owned()
            }
            Finding::EndsTooSoon { condition, .. } => {
                let limit = limit(book, condition);
                format!(
                    "`until` may hold while `{limit}` still does, and then turns this rule off all the same"
                )
            }
            Finding::NeverEnds { .. } => "the `until` of this rule can never hold".to_owned(),
            Finding::AddsNothing { by, .. } if by.is_empty() => {
                "`add-teams` adds nothing: all their agents answer the line already".to_owned()
            }
            Finding::AddsNothing { by, .. } => {
                format!("`add-teams` adds nothing: {} adds them whenever this rule is on", rules(by))
            }
            Finding::EmptyTeam { team, .. } => {
                let team = book.surroundings.teams.get(team.index()).map_or("", |team| &team.name);
                format!("`{team}` has no agents")
            }
            Finding::EmergencyOnly { kind, .. } => {
                format!("{} may not touch emergency calls, and this line has no others", kinds(&[*kind]))
            }
            Finding::Unanswered { line, gaps } => {
                let gap = |&(from, to): &_| hours(book, calendar, *line, from, to);
                let gaps: Vec<_> = gaps.iter().map(gap).collect();
                format!("nobody can answer `{}` {}", book.line_name(*line), gaps.join(", "))
            }
        }
    }
}

impl Never {
    fn words(&self, book: &RuleBook, calendar: &Calendar) -> String {
        let name = |window: &WindowId| {
            let known = calendar.spec().windows.get(window.index());
            known.map_or("", |window| window.name.as_str())
        };
        match self {
            Never::NeverOpen(window) => format!("`{}` does not open in the next 400 days", name(window)),
            Never::AlwaysOpen(window) => format!("`{}` is open throughout the next 400 days", name(window)),
            Never::Windows(during, not_during) => {
                format!("`{}` is open only while `{}` is", name(during), name(not_during))
            }
            Never::Impossible(condition) => format!("`{}` can never hold", limit(book, condition)),
            Never::Contradict(one, other) => {
                format!("`{}` contradicts `{}`", limit(book, one), limit(book, other))
            }
            Never::Together => "its conditions contradict each other".to_owned(),
        }
    }
}

fn limit(book: &RuleBook, condition: &Condition) -> String {
    let place = condition.line.map(|line| format!(" at {}", book.line_name(line))).unwrap_or_default();
    format!("{}{place}", written(condition))
}

/// `from Monday 09:30 to Friday 08:00`, by the clock of the line's practice.
fn hours(book: &RuleBook, calendar: &Calendar, line: LineId, from: Wall, to: Wall) -> String {
    let practice = book.surroundings.lines.get(line.index()).and_then(|line| line.practice);
    let time = |at: Wall| {
        let local = calendar.local(at, practice);
        (local.weekday().name(), local.time)
    };
    let ((day, start), (last_day, end)) = (time(from), time(to));
    if to.0 - from.0 >= 7 * 24 * 3_600_000 {
        "at any time of the week".to_owned()
    } else {
        format!("from {day} {start} to {last_day} {end}")
    }
}
