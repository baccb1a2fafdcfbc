//! Reports as JSON: times in seconds where a name ends in `_s`, instants as ISO 8601 in UTC, shares in per cent.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::calls::{COLUMNS, fields};
use super::period::iso;
use super::setup::Setup;
use super::sheets::{self, seconds};
use crate::ledger::report::{
    By, Cases, HalfHour, Promises, Redials, Referrals, Scope, Sheet, Summary, Value, cbt,
};
use crate::ledger::{Entry, Figures, Waits};

/// What a report is of, and what it says.
pub(super) fn report(scope: Scope<'_>, parts: Json) -> Json {
    let end = Some(scope.period.to).filter(|to| to.0 < i64::MAX).map(iso);
    let mut whole = json!({ "from": iso(scope.period.from), "to": end, "practice": scope.practice });
    if let (Json::Object(whole), Json::Object(parts)) = (&mut whole, parts) {
        whole.extend(parts);
    }
    whole
}

pub(super) fn summary(summary: &Summary, by: By) -> Json {
    let Summary { waits: table, redials, callbacks, cases, referrals } = summary;
    let waits: Map<_, _> =
        table.lines.iter().map(|(name, figures)| (name.clone(), of_figures(figures))).collect();
    let callbacks: Map<_, _> = callbacks.iter().map(|(name, of)| (name.clone(), of_promises(of))).collect();
    let cases: Map<_, _> = cases.iter().map(|(name, of)| (name.clone(), of_cases(of))).collect();
    let referrals: Map<_, _> = referrals.iter().map(|(name, of)| (name.clone(), of_referrals(of))).collect();
    let Redials { calls, unnumbered, redials, repeats } = redials;
    let again = json!({ "calls": calls, "unnumbered": unnumbered, "redials": redials, "repeats": repeats });
    json!({
        "by": by.word(), "groups": waits, "total": of_figures(&table.total), "again": again,
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

fn of_promises(Promises { promised, reached, own_calls, failed, open, late }: &Promises) -> Json {
    json!({
        "promised": promised, "reached": reached, "own_calls": own_calls, "failed": failed, "open": open, "late": late,
    })
}

fn of_cases(Cases { opened, closed, handed_over, unacknowledged, open, late }: &Cases) -> Json {
    json!({
        "opened": opened, "closed": closed, "handed_over": handed_over, "unacknowledged": unacknowledged,
        "open": open, "late": late,
    })
}

fn of_referrals(referrals: &Referrals) -> Json {
    let Referrals { made, acknowledged, declined, unacknowledged, withdrawn, open } = referrals;
    json!({
        "made": made, "acknowledged": acknowledged, "declined": declined, "unacknowledged": unacknowledged,
        "withdrawn": withdrawn, "open": open,
    })
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

pub(super) fn counts(counts: &cbt::Counts, setup: &Setup) -> Json {
    let rows = counts.rows().map(|row| {
        let names = cbt::HEADER.iter().map(|name| (*name).to_owned());
        let mut cells: Map<_, _> = names.zip(row.cells(&setup.terms).map(Json::from)).collect();
        cells.insert("Value".to_owned(), row.value.into());
        Json::Object(cells)
    });
    json!({ "rows": rows.collect::<Vec<_>>() })
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

/// A call by its columns.
pub(super) fn call(entry: &Entry) -> Json {
    let names = COLUMNS.map(|(name, _)| name.to_owned());
    Json::Object(names.into_iter().zip(fields(entry).map(|field| field.json())).collect())
}
