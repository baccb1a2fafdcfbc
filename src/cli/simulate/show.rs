//! What days came to, for people.

use std::fmt::Write as _;
use std::time::Duration;

use super::setup::{Policy, Setup};
use crate::calendar::Weekday;
use crate::cli::{report, table};
use crate::sim::day::Work;
use crate::sim::day::figures::{Group, Measure, Unit};
use crate::sim::day::several::{Estimate, Summary};

/// What was simulated.
pub(super) struct Heading<'a> {
    pub(super) load: &'a str,
    pub(super) first_seed: u64,
    pub(super) seeds: u64,
}

/// Most lines, practices and teams that a table has.
const MOST_ROWS: usize = 10;

/// The measures of a table of groups, with their headings.
const COLUMNS: [(Measure, &str); 11] = [
    (Measure::Calls, "calls"),
    (Measure::Answered, "answered"),
    (Measure::Abandoned, "gave up"),
    (Measure::Refused, "refused"),
    (Measure::Released, "led out"),
    (Measure::Mean, "mean wait"),
    (Measure::Median, "median"),
    (Measure::P90, "90th"),
    (Measure::P95, "95th"),
    (Measure::P99, "99th"),
    (Measure::Longest, "longest"),
];

/// The measures of promised callbacks.
const CALLBACKS: [(Measure, &str); 8] = [
    (Measure::Promised, "promised"),
    (Measure::CalledBack, "reached"),
    (Measure::NotCalledBack, "in vain"),
    (Measure::CallbackMean, "mean wait"),
    (Measure::CallbackMedian, "median"),
    (Measure::CallbackP90, "90th"),
    (Measure::CallbackP95, "95th"),
    (Measure::CallbackP99, "99th"),
];

/// What policies are compared by.
const COMPARED: [(Measure, &str); 12] = [
    (Measure::Answered, "answered"),
    (Measure::Abandoned, "gave up"),
    (Measure::Refused, "refused"),
    (Measure::Mean, "mean wait"),
    (Measure::Median, "median"),
    (Measure::P90, "90th"),
    (Measure::P95, "95th"),
    (Measure::P99, "99th"),
    (Measure::LateShare, "over 2 minutes"),
    (Measure::Promised, "callbacks promised"),
    (Measure::CalledBack, "called back"),
    (Measure::CallbackP95, "95th until then"),
];

/// Those of them that are of calls, and not of callbacks.
const CALLS: usize = 9;

/// The report: of one policy in full, of several side by side.
pub(super) fn text(setup: &Setup, heading: &Heading<'_>, results: &[Summary]) -> String {
    let Some(first) = setup.policies.first() else { return String::new() };
    let seeds = match heading.seeds {
        1 => format!("seed {}", heading.first_seed),
        n => format!("seeds {} to {}", heading.first_seed, heading.first_seed + n - 1),
    };
    let date = first.load.date;
    let mut text = format!("{}, {} {date}, {seeds}\n\n", heading.load, Weekday::of(date).name());
    match (&setup.policies[..], results) {
        ([policy], [summary]) => one(&mut text, policy, summary),
        _ => compared(&mut text, setup, results),
    }
    let sure = if heading.seeds > 1 { " \u{b1} is half of the interval at 95 % over the seeds." } else { "" };
    let _ = write!(
        text,
        "Waits of answered calls in minutes:seconds; centiles are nearest-rank.{sure}\n\
         Refused calls are back with the surgery's trunk. Whoever called again was a caller once and several calls.\n"
    );
    text
}

fn one(text: &mut String, policy: &Policy, summary: &Summary) {
    let people = number(summary.people());
    let reached = summary.reached().map_or("-".to_owned(), |share| estimate(Unit::Share, share));
    let _ = writeln!(text, "{people} callers, of whom {reached} reached somebody\n");
    let wanted = |test: &dyn Fn(&Group) -> bool| -> Vec<usize> {
        let groups = summary.groups().filter(|(_, group)| test(group)).map(|(at, _)| at);
        groups.filter(|&at| called(summary, at)).collect()
    };
    let bands = wanted(&|group| matches!(group, Group::All | Group::Routine | Group::Emergency));
    groups(text, "calls", &COLUMNS, summary, bands);
    let hours = wanted(&|group| matches!(group, Group::Hour(_)));
    let promised = |at: &usize| summary.measure(*at, Measure::Promised).is_some_and(|found| found.mean > 0.0);
    let with_promises = hours.iter().copied().filter(promised).chain(summary.position(&Group::Routine));
    let with_promises: Vec<usize> = with_promises.collect();
    groups(text, "by hour", &COLUMNS, summary, hours);
    if with_promises.len() > 1 {
        groups(text, "callbacks", &CALLBACKS, summary, with_promises);
    }
    let lines = wanted(&|group| matches!(group, Group::Line(_)));
    let practices = wanted(&|group| matches!(group, Group::Practice { .. }));
    // Where each practice has a line of its own, one table says both.
    if lines.len() <= MOST_ROWS || practices.is_empty() {
        worst(text, "line", summary, lines);
    }
    let fifths = wanted(&|group| matches!(group, Group::Fifth(_)));
    groups(text, "by fifth, 1 the most deprived", &COLUMNS, summary, fifths);
    worst(text, "practice", summary, practices);
    staff(text, policy, summary);
}

fn called(summary: &Summary, group: usize) -> bool {
    summary.measure(group, Measure::Calls).is_some_and(|calls| calls.mean > 0.0)
}

/// All of them while they are few, else those with the longest waits.
fn worst(text: &mut String, kind: &str, summary: &Summary, mut positions: Vec<usize>) {
    let all = positions.len();
    let mut title = format!("by {kind}");
    if all > MOST_ROWS {
        let p95 = |at: &usize| summary.measure(*at, Measure::P95).map_or(0.0, |p95| p95.mean);
        positions.sort_by(|a, b| p95(b).total_cmp(&p95(a)).then(a.cmp(b)));
        positions.truncate(MOST_ROWS);
        title = format!("by {kind}: of {all} those with the longest 95th");
    }
    groups(text, &title, &COLUMNS, summary, positions);
}

fn groups(
    text: &mut String,
    title: &str,
    columns: &[(Measure, &'static str)],
    summary: &Summary,
    positions: Vec<usize>,
) {
    if positions.is_empty() {
        return;
    }
    let mut heading = vec![title];
    heading.extend(columns.iter().map(|(_, name)| *name));
    let rows: Vec<Vec<String>> = positions
        .into_iter()
        .filter_map(|at| {
            let (_, group) = summary.groups().nth(at)?;
            let mut row = vec![name(group)];
            row.extend(columns.iter().map(|(measure, _)| {
                summary.measure(at, *measure).map_or("-".to_owned(), |found| estimate(measure.unit(), found))
            }));
            Some(row)
        })
        .collect();
    text.push_str(&table::lay_out(&heading, &rows));
    text.push('\n');
}

/// How many were at work and how busy they were, hour by hour: all together, and the largest teams.
fn staff(text: &mut String, policy: &Policy, summary: &Summary) {
    let mut teams = summary.teams();
    let all: [Work; 24] = std::array::from_fn(|hour| Work::sum(teams.iter().map(|(_, hours)| &hours[hour])));
    let total = |hours: &[Work; 24]| Work::sum(hours).agents();
    teams.sort_by(|a, b| total(&b.1).total_cmp(&total(&a.1)));
    teams.truncate(if teams.len() > 4 { 2 } else { 4 });
    let several = teams.len() > 1;
    let mut heading = vec!["agents".to_owned(), "all at work".to_owned(), "busy".to_owned()];
    for (name, _) in teams.iter().filter(|_| several) {
        heading.extend([format!("{name} at work"), "busy".to_owned()]);
    }
    let days = summary.days.len() as f64;
    let cells = |work: &Work| {
        // Two half hours.
        let agents = work.agents() / 2.0 / days;
        [
            format!("{agents:.1}"),
            work.occupancy().map_or("-".to_owned(), |busy| format!("{:.0}%", busy * 100.0)),
        ]
    };
    let rows: Vec<Vec<String>> = (0..24)
        .filter(|&hour| all[hour].agents() > 0.0)
        .map(|hour| {
            let mut row = vec![format!("{hour:02}:00")];
            row.extend(cells(&all[hour]));
            teams.iter().filter(|_| several).for_each(|(_, hours)| row.extend(cells(&hours[hour])));
            row
        })
        .collect();
    if !rows.is_empty() {
        text.push_str(&table::lay_out(&heading.iter().map(String::as_str).collect::<Vec<_>>(), &rows));
        let hubs = if policy.load.copies > 1 { ", in all hubs" } else { "" };
        let _ = writeln!(text, "Busy is talking and wrap-up, of the time at work without breaks{hubs}.\n");
    }
}

fn compared(text: &mut String, setup: &Setup, results: &[Summary]) {
    for (letter, policy) in ('A'..='Z').zip(&setup.policies) {
        let _ = writeln!(text, "{letter}  {}", policy.name);
    }
    text.push('\n');
    let Some((first, others)) = results.split_first() else { return };
    let letters: Vec<String> = ('A'..='Z').take(results.len()).map(String::from).collect();
    let mut heading: Vec<String> = vec![String::new()];
    heading.extend(letters.iter().cloned());
    heading.extend(letters.iter().skip(1).map(|letter| format!("{letter} - A")));
    for group in [Group::Routine, Group::Emergency] {
        if !first.position(&group).is_some_and(|at| called(first, at)) {
            continue;
        }
        heading[0] = name(&group);
        let promises = |summary: &Summary| {
            let at = summary.position(&group)?;
            summary.measure(at, Measure::Promised).filter(|found| found.mean > 0.0)
        };
        let count =
            if results.iter().any(|summary| promises(summary).is_some()) { COMPARED.len() } else { CALLS };
        let rows: Vec<Vec<String>> = COMPARED[..count]
            .iter()
            .map(|&(measure, title)| {
                let mut row = vec![title.to_owned()];
                row.extend(results.iter().map(|summary| {
                    let found = summary.position(&group).and_then(|at| summary.measure(at, measure));
                    found.map_or("-".to_owned(), |found| estimate(measure.unit(), found))
                }));
                row.extend(others.iter().map(|other| {
                    let found = first.difference(other, &group, measure);
                    found.map_or("-".to_owned(), |found| difference(measure.unit(), found))
                }));
                row
            })
            .collect();
        text.push_str(&table::lay_out(&heading.iter().map(String::as_str).collect::<Vec<_>>(), &rows));
        text.push('\n');
    }
    let mut row = vec!["callers who reached somebody".to_owned()];
    row.extend(
        results
            .iter()
            .map(|summary| summary.reached().map_or("-".to_owned(), |share| estimate(Unit::Share, share))),
    );
    let heading: Vec<&str> = std::iter::once("").chain(letters.iter().map(String::as_str)).collect();
    text.push_str(&table::lay_out(&heading, &[row]));
    text.push_str("\nA difference marked * is more than chance: its interval does not hold 0.\n");
}

/// What a group is called.
pub(super) fn name(group: &Group) -> String {
    match group {
        Group::All => "all".to_owned(),
        Group::Routine => "routine".to_owned(),
        Group::Emergency => "emergency".to_owned(),
        Group::Hour(hour) => format!("{hour:02}:00"),
        Group::Line(name) => name.clone(),
        Group::Fifth(fifth) => fifth.to_string(),
        Group::Practice { hub: 1, name, fifth } => format!("{name}{}", of_fifth(*fifth)),
        Group::Practice { hub, name, fifth } => format!("hub {hub} {name}{}", of_fifth(*fifth)),
    }
}

fn of_fifth(fifth: Option<u8>) -> String {
    fifth.map_or(String::new(), |fifth| format!(" (fifth {fifth})"))
}

fn number(found: Option<Estimate>) -> String {
    found.map_or("-".to_owned(), |found| estimate(Unit::Calls, found))
}

fn estimate(unit: Unit, Estimate { mean, within }: Estimate) -> String {
    match within {
        Some(within) => format!("{} \u{b1}{}", value(unit, mean), width(unit, within)),
        None => value(unit, mean),
    }
}

fn difference(unit: Unit, Estimate { mean, within }: Estimate) -> String {
    let sign = if mean < 0.0 { "-" } else { "+" };
    let sure = within.is_some_and(|within| mean.abs() > within);
    let within = within.map_or(String::new(), |within| format!(" \u{b1}{}", width(unit, within)));
    format!("{sign}{}{within}{}", value(unit, mean.abs()), if sure { " *" } else { "" })
}

fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Calls => format!("{value:.0}"),
        Unit::Share => format!("{:.1}%", value * 100.0),
        Unit::Seconds => clock(value),
    }
}

fn width(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Calls => format!("{value:.0}"),
        Unit::Share => format!("{:.1}", value * 100.0),
        Unit::Seconds => clock(value),
    }
}

/// Seconds as minutes, seconds and tenths.
pub(super) fn clock(seconds: f64) -> String {
    report::minutes(Some(Duration::from_secs_f64(seconds.max(0.0))))
}
