//! Reports as JSON: times in seconds where a name ends in `_s`, instants as ISO 8601 in UTC, shares in per cent.

use std::io::Write;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::Error;
use super::calls::{COLUMNS, fields};
use super::setup::Setup;
use super::sheets::{self, seconds};
use crate::ledger::report::{By, HalfHour, Scope, Sheet, Summary, Value, cbt};
use crate::ledger::{Entry, Figures, Waits};
use crate::time::Wall;

/// What a report is of, and what it says.
pub(super) fn report(scope: Scope<'_>, parts: Json) -> Json {
    let end = Some(scope.period.to).filter(|to| to.0 < i64::MAX).map(Wall::rfc3339);
    let mut whole = json!({ "from": scope.period.from.rfc3339(), "to": end, "practice": scope.practice });
    if let (Json::Object(whole), Json::Object(parts)) = (&mut whole, parts) {
        whole.extend(parts);
    }
    whole
}

pub(super) fn summary(summary: &Summary, by: By) -> Json {
    let Summary { waits: table, redials, callbacks, cases, referrals } = summary;
    let waits: Map<_, _> =
        table.lines.iter().map(|(name, figures)| (name.clone(), of_figures(figures))).collect();
    json!({
        "by": by.word(), "groups": waits, "total": of_figures(&table.total), "again": redials,
        "callbacks": callbacks, "cases": cases, "referrals": referrals,
    })
}

fn of_figures(figures: &Figures) -> Json {
    let Figures { calls, answered, abandoned, refused, lost, released, promised, waits, longest_abandoned } =
        figures;
    json!({
        "calls": calls, "answered": answered, "abandoned": abandoned, "refused": refused, "lost": lost,
        "released": released, "promised": promised, "waits": waits.map(of_waits),
        "longest_abandoned_s": longest_abandoned.map(seconds),
    })
}

fn of_waits(waits: Waits) -> Json {
    let [mean, median, p90, p95, p99, longest] =
        [waits.mean, waits.median, waits.p90, waits.p95, waits.p99, waits.longest].map(seconds);
    json!({ "mean_s": mean, "median_s": median, "p90_s": p90, "p95_s": p95, "p99_s": p99, "longest_s": longest })
}

pub(super) fn sheet(sheet: Sheet, by: Option<By>) -> Json {
    let value = |value: Option<Value>| match value {
        None => ("value", Json::Null),
        Some(Value::Calls(calls)) => ("calls", calls.into()),
        Some(Value::Time(time)) => ("time_s", seconds(time).into()),
        Some(Value::Percent(percent)) => ("percent", percent.into()),
    };
    let groups: Vec<Json> = sheet
        .items()
        .into_iter()
        .map(|(name, items)| {
            let items = items.into_iter().map(|item| {
                let (unit, value) = value(item.value);
                json!({ "item": item.code, "meaning": item.words, unit: value })
            });
            json!({ "name": name, "items": items.collect::<Vec<_>>() })
        })
        .collect();
    json!({ "by": by.map(By::word), "groups": groups })
}

/// Writes the counts of cloud-based telephony, under the published names of their columns.
pub(super) fn write_counts(
    whole: &Json,
    counts: &cbt::Counts,
    setup: &Setup,
    out: &mut impl Write,
) -> Result<(), Error> {
    write_list(whole, "rows", out, |give| {
        counts.rows().try_for_each(|row| {
            let names = cbt::HEADER.iter().map(|name| (*name).to_owned());
            let mut cells: Map<_, _> = names.zip(row.cells(&setup.terms).map(Json::from)).collect();
            cells.insert("Value".to_owned(), row.value.into());
            give(&Json::Object(cells))
        })
    })
}

/// Writes the calls that `give` hands to its argument, each by its columns.
pub(super) fn write_calls(
    whole: &Json,
    out: &mut impl Write,
    give: impl FnOnce(&mut dyn FnMut(Entry) -> Result<(), Error>) -> Result<(), Error>,
) -> Result<(), Error> {
    let names = COLUMNS.map(|(name, _)| name.to_owned());
    write_list(whole, "calls", out, |write| {
        give(&mut |entry| {
            let fields = fields(&entry).map(|field| field.json());
            write(&Json::Object(names.iter().cloned().zip(fields).collect()))
        })
    })
}

/// The object `whole` with a list as its last value, each item on its line: there may be too many to keep.
fn write_list(
    whole: &Json,
    name: &str,
    out: &mut impl Write,
    give: impl FnOnce(&mut dyn FnMut(&Json) -> Result<(), Error>) -> Result<(), Error>,
) -> Result<(), Error> {
    let whole = whole.to_string();
    write!(out, "{},\"{name}\":[", whole.strip_suffix('}').unwrap_or(&whole))?;
    let mut before = "\n";
    give(&mut |item| {
        write!(out, "{before}{item}")?;
        before = ",\n";
        Ok(())
    })?;
    writeln!(out, "\n]}}")?;
    Ok(())
}

pub(super) fn half_hours(half_hours: &[HalfHour]) -> Json {
    let rows = half_hours.iter().enumerate().map(|(at, half_hour)| {
        let wait = |of: fn((Duration, Duration)) -> Duration| half_hour.waits.map(|waits| seconds(of(waits)));
        json!({
            "from": sheets::half_hour(at), "calls": half_hour.calls,
            "answered": half_hour.answered, "abandoned": half_hour.abandoned,
            "median_s": wait(|waits| waits.0), "p95_s": wait(|waits| waits.1),
        })
    });
    json!({ "half_hours": rows.collect::<Vec<_>>() })
}
