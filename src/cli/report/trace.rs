//! The calls behind a figure.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;

use super::super::table;
use super::{Error, Report, Shape, calls, json, text::minutes};
use crate::ledger::report::cbt::{Class, Length, time_category};
use crate::ledger::report::{CallKey, Clock, Figure, Kind, Told};
use crate::ledger::{Entry, Period, words};
use crate::time::Wall;

/// How many calls a table shows: people read it.
const MOST_SHOWN: usize = 1_000;

/// What the CBT file calls the time, the wait and the duration of a call; empty where it has none.
type Place = [&'static str; 3];

/// Writes the calls that make up the figure of this name.
pub(super) fn write(
    report: &Report<'_>,
    name: &str,
    shape: Shape,
    out: &mut impl Write,
) -> Result<(), Error> {
    let figure = Figure::named(name).ok_or_else(|| Error::Figure(name.to_owned()))?;
    let terms = &report.setup.terms;
    let mut clock = Clock::new(terms.zone.clone());
    let mut found: BTreeMap<CallKey, Place> = BTreeMap::new();
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    report.walk(matches!(figure, Figure::Redials | Figure::Repeats), |told| {
        if figure.counts(told, terms) && found.len() <= report.most_traced {
            found.insert(told.call.key, place(told, &mut clock));
            let arrived = told.call.arrived.0;
            (first, last) = (first.min(arrived), last.max(arrived));
        }
    })?;
    if found.len() > report.most_traced {
        return Err(Error::TooMany(report.most_traced));
    }
    // Calls are never changed, so those that were found are all still there.
    let period = Period { from: Wall(first), to: Wall(last.saturating_add(1)) };
    let each = |give: &mut calls::Give<'_, 3>| {
        report.each_entry_of(period, &mut |entry| {
            let key = CallKey { run: entry.run, call: entry.record.call };
            found.get(&key).map_or(Ok(()), |&place| give(entry, place))
        })
    };
    match shape {
        Shape::Text => {}
        Shape::Json => {
            let whole = json!({ "figure": name, "count": found.len() });
            let whole = json::report(report.scope, whole);
            return json::write_calls(&whole, out, |give| each(&mut |entry, _| give(entry)));
        }
        Shape::Csv => return calls::write(out, ["time_category", "wait_time", "duration"], each),
        _ => return Err(Error::Shapeless),
    }
    writeln!(out, "{}", report.heading())?;
    let mut rows = Vec::new();
    each(&mut |entry, _| {
        if rows.len() < MOST_SHOWN {
            rows.push(row(&entry));
        }
        Ok(())
    })?;
    let heading =
        ["arrived", "run", "call", "trunk", "practice", "line", "outcome", "agent", "waited", "lasted"];
    out.write_all(table::lay_out(&heading, &rows).as_bytes())?;
    let cut = if found.len() > rows.len() {
        format!(" These are the first {MOST_SHOWN}; --format csv has all.")
    } else {
        String::new()
    };
    writeln!(out, "{} calls make up {name}.{cut}", found.len())?;
    Ok(())
}

fn place(told: &Told<'_>, clock: &mut Clock) -> Place {
    let (wait, duration) = match told.class {
        Some(Class::Answered { waited, talked }) => (Some(waited), Some(talked)),
        Some(Class::Missed { waited }) => (Some(waited), None),
        _ => (None, None),
    };
    let words = |millis: Option<u64>| millis.map_or("", |millis| Length::of(millis).words());
    [time_category(clock.local(told.call.arrived)), words(wait), words(duration)]
}

fn row(Entry { run, record }: &Entry) -> Vec<String> {
    let (agent, ..) = words::particulars(&record.outcome);
    vec![
        record.arrived.rfc3339(),
        run.to_string(),
        record.call.0.to_string(),
        record.trunk.clone(),
        record.practice.clone().unwrap_or_default(),
        record.line.clone(),
        Kind::of(&record.outcome).word().to_owned(),
        agent.unwrap_or_default().to_owned(),
        minutes(Some(record.waited)),
        minutes(Some(record.lasted)),
    ]
}
