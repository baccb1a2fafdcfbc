//! What days came to, for programs.
//!
//! One object: `load`, `date`, `seeds`, and `policies`, a list of objects with
//!
//! | key | holds |
//! |---|---|
//! | `policy` | the configuration's file, or the preset |
//! | `callers`, `reached_share` | how many people called, and the share whom an agent answered in the end |
//! | `events` | by seed: inputs and deadlines that the exchange took |
//! | `all`, `routine`, `emergency` | figures of these calls |
//! | `hours` | by hour of arrival, of routine calls: `hour` and its figures |
//! | `lines` | `line` and its figures |
//! | `fifths` | `fifth` (1 is the most deprived) and its figures |
//! | `practices` | `hub` (from 1), `practice`, `fifth` and its figures |
//! | `teams` | `team` and `hours`, of which each has `hour`, `at_work` (agents on average, all hubs, without breaks), `occupancy` |
//! | `minus_first` | of every policy but the first: `routine` and `emergency`, by how much each figure is greater than the first policy's, seed by seed |
//!
//! Figures are objects by measure; each is `{"mean": m, "within": w}` over the seeds, `w` half of the interval at 95 %
//! and null of one seed; null where there was nothing to measure. Names that end in `_s` are seconds, in `_share`
//! shares of 1. `called_back` and `not_called_back` are of the `promised`; callback times last from the promise until the
//! patient was reached.

use serde_json::{Value, json};

use super::setup::{Policy, Setup};
use super::show::Heading;
use crate::sim::day::figures::{Group, Measure};
use crate::sim::day::several::{Estimate, Summary};

/// The whole result, in lines.
pub(super) fn json(setup: &Setup, heading: &Heading<'_>, results: &[Summary]) -> String {
    serde_json::to_string_pretty(&value(&setup.policies, heading, results)).unwrap_or_default() + "\n"
}

/// The whole result.
pub(super) fn value(policies: &[Policy], heading: &Heading<'_>, results: &[Summary]) -> Value {
    let date = policies.first().map(|policy| policy.load.date.to_string());
    let policies: Vec<Value> = policies
        .iter()
        .zip(results)
        .enumerate()
        .map(|(at, (policy, summary))| {
            let mut value = one(&policy.name, summary);
            if let Some(first) = results.first().filter(|_| at > 0) {
                value["minus_first"] = json!({
                    "routine": differences(first, summary, &Group::Routine),
                    "emergency": differences(first, summary, &Group::Emergency),
                });
            }
            value
        })
        .collect();
    let seeds: Vec<u64> = (heading.first_seed..heading.first_seed.saturating_add(heading.seeds)).collect();
    json!({ "load": heading.load, "date": date, "seeds": seeds, "policies": policies })
}

fn one(name: &str, summary: &Summary) -> Value {
    let figures = |at: usize| -> Value {
        let measures = Measure::ALL.iter();
        measures.map(|measure| (measure.key().to_owned(), estimate(summary.measure(at, *measure)))).collect()
    };
    let mut value = json!({
        "policy": name,
        "callers": estimate(summary.people()),
        "reached_share": estimate(summary.reached()),
        "events": summary.days.iter().map(|day| day.events).collect::<Vec<_>>(),
        "hours": [], "lines": [], "fifths": [], "practices": [],
    });
    let mut add = |list: &str, at: usize, names: Value| {
        let mut entry = figures(at);
        if let (Value::Object(entry), Value::Object(names)) = (&mut entry, names) {
            entry.extend(names);
        }
        if let Some(list) = value[list].as_array_mut() {
            list.push(entry);
        }
    };
    let mut bands = Vec::new();
    for (at, group) in summary.groups() {
        match group {
            Group::All => bands.push(("all", at)),
            Group::Routine => bands.push(("routine", at)),
            Group::Emergency => bands.push(("emergency", at)),
            Group::Hour(hour) => add("hours", at, json!({ "hour": hour })),
            Group::Line(line) => add("lines", at, json!({ "line": line })),
            Group::Fifth(fifth) => add("fifths", at, json!({ "fifth": fifth })),
            Group::Practice { hub, name, fifth } => {
                add("practices", at, json!({ "hub": hub, "practice": name, "fifth": fifth }));
            }
        }
    }
    for (band, at) in bands {
        value[band] = figures(at);
    }
    value["teams"] = teams(summary);
    value
}

fn teams(summary: &Summary) -> Value {
    let days = summary.days.len() as f64;
    let team = |(name, hours): (String, [crate::sim::day::Work; 24])| {
        let hours = hours.iter().enumerate().map(|(hour, work)| {
            json!({ "hour": hour, "at_work": rounded(work.agents() / 2.0 / days), "occupancy": work.occupancy().map(rounded) })
        });
        json!({ "team": name, "hours": hours.collect::<Vec<_>>() })
    };
    summary.teams().into_iter().map(team).collect()
}

fn differences(first: &Summary, other: &Summary, group: &Group) -> Value {
    let differences = Measure::ALL
        .iter()
        .map(|measure| (measure.key().to_owned(), estimate(first.difference(other, group, *measure))));
    differences.collect()
}

fn estimate(found: Option<Estimate>) -> Value {
    found.map_or(
        Value::Null,
        |Estimate { mean, within }| json!({ "mean": rounded(mean), "within": within.map(rounded) }),
    )
}

/// To the millionth: more digits say nothing.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
