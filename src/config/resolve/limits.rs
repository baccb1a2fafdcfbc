//! Limits that contradict each other: what begins only after callers have left, or agents are free again.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::sink::{Sink, Span};
use super::super::table::shown;
use super::super::written::Written;
use super::names::Register;
use super::rules::place_of;
use crate::acd::{self, WayOut};
use crate::id::LineId;
use crate::policy::Trunk;
use crate::policy::rules::{Bound, Condition, Measure, RuleBook};

/// Warns of steps and rules for callers who have waited longer than their line lets anyone wait, and of wrap-ups that
/// cannot be made longer.
pub(super) fn warn_too_late(
    written: &Written,
    plan: &acd::Plan,
    trunks: &[Trunk],
    book: &RuleBook,
    names: &Register<'_>,
    sink: &mut Sink,
) {
    if sink.is_partial() {
        return;
    }
    let by_line: Vec<_> = (0u32..)
        .map(LineId)
        .zip(&plan.lines)
        .map(|(id, line)| leaves_after(id, line, trunks).map(|wait| wait + most_credit(id, book)))
        .collect();
    for (at, (name, line)) in written.lines.iter().enumerate() {
        if let Some(wrap_up) = line.wrap_up.as_ref().filter(|wrap_up| *wrap_up.get_ref() > plan.wrap_up_limit)
        {
            sink.warning(wrap_up.span(), "this is longer than `wrap-up-limit`, so agents cannot extend it")
                .help("let `wrap-up-limit` in [distributor] be longer");
        }
        let steps =
            line.relax.iter().map(|step| &step.after).chain(line.widen.iter().map(|step| &step.after));
        for after in steps.flatten().filter(|after| by_line[at].is_some_and(|left| *after.get_ref() >= left))
        {
            warn(after.span(), name, line.max_wait.as_ref(), sink);
        }
    }
    for (rule, stated) in book.rules().iter().zip(&written.rules) {
        for condition in rule.when_all.iter().chain(&rule.when_any) {
            let lines = condition.line.as_ref().map_or(&rule.lines[..], std::slice::from_ref);
            let too_long = |line: &LineId| {
                plan.lines[line.index()].max_wait.is_some_and(|wait| is_over(condition, wait))
            };
            let leave = |line: &LineId| by_line[line.index()].is_some();
            if let Some(first) = lines.first()
                && lines.iter().all(|line| leave(line) && too_long(line))
            {
                let (name, line) = &written.lines[first.index()];
                warn(place_of(condition, stated, names), name, line.max_wait.as_ref(), sink);
            }
        }
    }
}

fn warn(span: Span, line: &Spanned<String>, max_wait: Option<&Spanned<Duration>>, sink: &mut Sink) {
    let message =
        format!("callers leave line `{}` before they have waited for so long", shown(line.get_ref()));
    let draft = sink.warning(span, message);
    if let Some(max_wait) = max_wait {
        draft.also(max_wait.span(), "this lets them go");
    }
}

/// After what wait the last caller has left the line. Whoever is offered to a destination besides, or is promised a
/// callback, keeps the place; and emergency callers stay.
fn leaves_after(id: LineId, line: &acd::Line, trunks: &[Trunk]) -> Option<Duration> {
    let emergency = trunks.iter().any(|trunk| trunk.line == id && trunk.emergency);
    line.max_wait.filter(|_| line.way_out == WayOut::Goodbye && !emergency)
}

/// The most that a rule lets a caller count as having waited.
fn most_credit(line: LineId, book: &RuleBook) -> Duration {
    let rules = book.rules_of(line).filter_map(|rule| book.rule(rule));
    rules.filter_map(|rule| rule.actions.priority).max().unwrap_or_default()
}

/// Whether a condition asks for a wait that nobody has who leaves after `wait`.
fn is_over(condition: &Condition, wait: Duration) -> bool {
    match (condition.measure, condition.bound) {
        (Measure::LongestWait, Bound::Over(micros)) => u128::from(micros) >= wait.as_micros(),
        _ => false,
    }
}
