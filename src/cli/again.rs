//! `hearken replay --policy`: the day of a flight log under other rules, side by side.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::report::minutes;
use super::table::lay_out;
use super::{fail, load};
use crate::flight::{self, Segment, Stopped};
use crate::ledger::Waits;
use crate::sim::again::{End, Outcomes, Recorded, rerun};
use crate::switch::plan::Plan;

/// The answer for programs.
#[derive(Serialize)]
struct Answer {
    /// What the columns of each call are.
    rules: Vec<String>,
    /// Calls that had begun before the log, and are left out.
    begun_before: usize,
    calls: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    call: u64,
    arrived_ms: i64,
    /// What became of it, by `rules`.
    outcomes: Vec<Became>,
}

#[derive(Serialize)]
struct Became {
    line: String,
    end: End,
    waited_ms: u64,
}

/// Answers on standard output; status 2 when a configuration is of no use.
pub(super) fn run(segments: &[PathBuf], policies: &[PathBuf], json: bool) -> ExitCode {
    let mut plans = Vec::new();
    for policy in policies {
        match load(policy) {
            Ok(loaded) => plans.push((policy.display().to_string(), loaded.deployment.plan)),
            Err(code) => return code,
        }
    }
    let (day, plan) = match recorded(segments) {
        Ok(Some(found)) => found,
        Ok(None) => return fail("there is no flight log"),
        Err(error) => return fail(error),
    };
    plans.insert(0, ("these rules again".to_owned(), plan));
    let mut columns = vec![("as it was".to_owned(), day.as_it_was(&plans[0].1))];
    columns.extend(plans.iter().map(|(name, plan)| (name.clone(), rerun(&day, plan))));
    let said = if json { in_full(&day, &columns) } else { Ok(text(&day, &columns)) };
    match said {
        // A reader that has gone away does not change the answer.
        Ok(said) => drop(io::stdout().write_all(said.as_bytes())),
        Err(error) => return fail(error),
    }
    ExitCode::SUCCESS
}

/// The day that segments have, one after the other, and the plan that it began with.
fn recorded(segments: &[PathBuf]) -> Result<Option<(Recorded, Plan)>, Stopped> {
    let mut found = None;
    for path in segments {
        let segment = Segment::read(Path::new(path))?;
        let (state, now) = flight::base(path)?;
        let (day, _) =
            found.get_or_insert_with(|| (Recorded::new(&state.switch, now), state.switch.plan().clone()));
        flight::replay(state.switch, now, &segment, 0, None, |batch, _| day.note(batch))?;
    }
    if let Some((day, _)) = &mut found {
        day.complete();
    }
    Ok(found)
}

fn text(day: &Recorded, columns: &[(String, Outcomes)]) -> String {
    let mut lines: Vec<&str> = columns
        .iter()
        .flat_map(|(_, outcomes)| outcomes.calls.iter().map(|(line, ..)| line.as_str()))
        .collect();
    lines.sort_unstable();
    lines.dedup();
    let mut rows = Vec::new();
    for line in lines {
        for (rules, outcomes) in columns {
            let of = |end: End| outcomes.calls.iter().filter(move |(of, was, _)| of == line && *was == end);
            let waits = of(End::Answered).map(|(.., waited)| millis(*waited)).collect();
            let waits = Waits::of(waits);
            let wait = |pick: fn(&Waits) -> Duration| minutes(waits.as_ref().map(pick));
            let all = outcomes.calls.iter().filter(|(of, ..)| of == line).count();
            let counts = [End::Answered, End::GaveUp, End::TurnedAway, End::Open].map(|end| of(end).count());
            let name = if line.is_empty() { "(no line)" } else { line };
            let mut row = vec![name.to_owned(), rules.clone(), all.to_string()];
            row.extend(counts.map(|count| count.to_string()));
            row.extend([wait(|waits| waits.median), wait(|waits| waits.p90), wait(|waits| waits.longest)]);
            rows.push(row);
        }
    }
    let heading = [
        "line",
        "rules",
        "calls",
        "answered",
        "gave up",
        "turned away",
        "open",
        "median wait",
        "90 %",
        "longest",
    ];
    let mut text = lay_out(&heading, &rows);
    if day.before > 0 {
        text += &format!("{} calls had begun before the log and are left out\n", day.before);
    }
    text
}

fn in_full(day: &Recorded, columns: &[(String, Outcomes)]) -> serde_json::Result<String> {
    let calls = day.calls.iter().enumerate().map(|(at, call)| Line {
        call: call.number,
        arrived_ms: call.arrived.0,
        outcomes: columns
            .iter()
            .filter_map(|(_, outcomes)| outcomes.calls.get(at))
            .map(|(line, end, waited)| Became { line: line.clone(), end: *end, waited_ms: millis(*waited) })
            .collect(),
    });
    let rules = columns.iter().map(|(name, _)| name.clone()).collect();
    let answer = Answer { rules, begun_before: day.before, calls: calls.collect() };
    serde_json::to_string_pretty(&answer).map(|json| json + "\n")
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}
