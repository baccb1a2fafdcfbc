//! The configuration in force and a draft on the same callers, while the daemon serves its own.
//!
//! It must not take long: one hub, a bounded day, so many days as are done within a time, and an end at any full minute
//! of the simulated day once nobody waits for it.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::json;
use super::setup::{LEDGER, NotRecorded, Policy, recorded};
use super::show::Heading;
use crate::config::workload::{self, Load};
use crate::config::{Deployment, Errors};
use crate::sim::day::figures::{Group, Measure, Unit, figures};
use crate::sim::day::preset::{self, Preset};
use crate::sim::day::run_while;
use crate::sim::day::several::Summary;

/// Most days of each policy.
const DAYS: u64 = 10;
/// No further day is begun after this.
const ENOUGH: Duration = Duration::from_secs(10);
/// Most calls of a day of the ledger.
const MOST_CALLS: usize = 50_000;

/// What people decide by.
const COMPARED: [(Measure, &str); 8] = [
    (Measure::Answered, "answered"),
    (Measure::Abandoned, "gave up"),
    (Measure::Refused, "refused"),
    (Measure::Median, "half of them waited up to"),
    (Measure::P90, "9 in 10 waited up to"),
    (Measure::P95, "19 in 20 waited up to"),
    (Measure::LateShare, "waited over 2 minutes"),
    (Measure::AtOnceShare, "answered at once"),
];

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Error {
    #[error("`{0}` is no load: write ledger:2026-11-16, or the name of a preset")]
    Load(String),
    #[error("the load is of {0} hubs, which takes too long here: ask `hearken simulate`")]
    Hubs(u32),
    #[error(transparent)]
    Ledger(#[from] NotRecorded),
    #[error("the ledger has no calls of that day by trunks that are configured")]
    NoCalls,
    #[error("the load does not fit the configuration: {0}")]
    Unfit(String),
    #[error("it was stopped")]
    Stopped,
}

/// Both on the same load, as `hearken simulate --json` has it, with what differs; until `stop` is set.
pub(in crate::cli) fn beside(
    [live, draft]: [(&str, Deployment); 2],
    load: &str,
    stop: &AtomicBool,
) -> Result<Value, Error> {
    days([policy(live, load)?, policy(draft, load)?], load, stop)
}

fn days(policies: [Policy; 2], load: &str, stop: &AtomicBool) -> Result<Value, Error> {
    let begun = Instant::now();
    let mut results = [const { Vec::new() }; 2];
    let mut days = 0;
    while days < DAYS && (days == 0 || begun.elapsed() < ENOUGH) {
        days += 1;
        for (policy, results) in policies.iter().zip(&mut results) {
            let Policy { deployment, load, recorded, .. } = policy;
            let tally = run_while(deployment, load, recorded, days, None, &mut |_, _| !stop.load(Relaxed));
            if stop.load(Relaxed) {
                return Err(Error::Stopped);
            }
            results.push(figures(&tally, deployment, load));
        }
    }
    let results = results.map(|days| Summary { days });
    let mut value = json::value(&policies, &Heading { load, first_seed: 1, seeds: days }, &results);
    value["compared"] = compared(&results);
    Ok(value)
}

fn policy((name, deployment): (&str, Deployment), asked: &str) -> Result<Policy, Error> {
    let unknown = || Error::Load(asked.to_owned());
    let load: Load = match (preset::named(asked), asked.strip_prefix(LEDGER)) {
        (Some(Preset { load, .. }), _) => {
            workload::parse(&load, asked, &deployment).map_err(|Errors(report)| {
                let first = report.diagnostics().first();
                Error::Unfit(first.map(|fault| fault.message.clone()).unwrap_or_default())
            })?
        }
        (None, Some(date)) => workload::of_ledger(date.parse().map_err(|_| unknown())?, &deployment),
        (None, None) => return Err(unknown()),
    };
    if load.copies > 1 {
        return Err(Error::Hubs(load.copies));
    }
    let recorded = match load.ledger {
        Some(date) => match recorded(date, &deployment, MOST_CALLS)?.0 {
            calls if calls.is_empty() => return Err(Error::NoCalls),
            calls => calls,
        },
        None => Vec::new(),
    };
    Ok(Policy { name: name.to_owned(), deployment, load, recorded })
}

/// What people decide by, one row for each: of `routine` and `emergency` calls, in `calls`, `share` or `seconds`; `sure`
/// where the difference is more than chance, as far as so many days can tell.
fn compared([live, draft]: &[Summary; 2]) -> Value {
    let mut rows = Vec::new();
    for (group, of) in [(Group::Routine, "routine"), (Group::Emergency, "emergency")] {
        let mean = |summary: &Summary, measure| {
            let found = summary.measure(summary.position(&group)?, measure)?;
            Some((found.mean * 1e3).round() / 1e3)
        };
        if mean(live, Measure::Calls).is_none_or(|calls| calls == 0.0) {
            continue;
        }
        rows.extend(COMPARED.iter().map(|&(measure, words)| {
            let sure = live
                .difference(draft, &group, measure)
                .is_some_and(|found| found.within.is_some_and(|within| found.mean.abs() > within));
            json!({
                "of": of, "what": measure.key(), "words": words, "unit": unit(measure.unit()),
                "in_force": mean(live, measure), "draft": mean(draft, measure), "sure": sure,
            })
        }));
    }
    rows.into()
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Calls => "calls",
        Unit::Share => "share",
        Unit::Seconds => "seconds",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;
    use crate::config;

    const LOAD: &str = "date = \"2026-11-23\"\nfrom = \"08:00\"\nto = \"10:00\"\n\
        [profile.even]\nsteps = [{ from = \"00:00\", share = 1 }]\n\
        [[calls]]\ntrunks = [\"gp\"]\nper-day = 720\nprofile = \"even\"\n\
        [[calls]]\ntrunks = [\"as-999\"]\nper-day = 48\nprofile = \"even\"\n";

    /// A hub of three people, with so long a wrap-up.
    fn hub(wrap_up: &str) -> Deployment {
        let agents: String =
            (1..=3).map(|n| format!("[agent.a{n}]\naddress = \"sip:a@127.3.0.{n}:5060\"\n")).collect();
        let text = format!(
            "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\n[team.all]\nagents = [\"a1\", \"a2\", \"a3\"]\n{agents}\
             [line.gp]\nteams = [\"all\"]\nwrap-up = \"{wrap_up}\"\n[trunk.gp]\nfrom = [\"127.9.0.1\"]\nline = \"gp\"\n\
             [line.emergency]\nteams = [\"all\"]\n\
             [trunk.as-999]\nfrom = [\"127.9.0.2\"]\nemergency = true\nline = \"emergency\"\n"
        );
        let today = "2026-11-23".parse().unwrap();
        config::parse(&text, "hub", Path::new(""), today).unwrap_or_else(|e| panic!("{e}")).deployment
    }

    fn policies() -> [Policy; 2] {
        [("in force", "0s"), ("draft", "3m")].map(|(name, wrap_up)| {
            let deployment = hub(wrap_up);
            let load = workload::parse(LOAD, "load", &deployment).unwrap_or_else(|e| panic!("{e}"));
            Policy { name: name.to_owned(), deployment, load, recorded: Vec::new() }
        })
    }

    #[test]
    fn a_worse_configuration_is_seen_to_be_worse_on_the_same_callers() {
        let told = days(policies(), "load", &AtomicBool::new(false)).unwrap();
        let rows = told["compared"].as_array().unwrap();
        let row = |of: &str, what: &str| {
            rows.iter().find(|row| row["of"] == of && row["what"] == what).unwrap_or_else(|| panic!("{told}"))
        };
        let waited = row("routine", "p95_wait_s");
        assert!(waited["draft"].as_f64() > waited["in_force"].as_f64(), "{waited}");
        assert_eq!((&waited["unit"], &waited["sure"]), (&json!("seconds"), &json!(true)));
        assert!(row("emergency", "median_wait_s")["draft"].is_number());
        let names: Vec<_> = told["policies"].as_array().unwrap().iter().map(|one| &one["policy"]).collect();
        assert_eq!(names, ["in force", "draft"]);
    }

    #[test]
    fn it_ends_when_nobody_waits_and_takes_no_load_that_is_none_or_too_large() {
        assert!(matches!(days(policies(), "load", &AtomicBool::new(true)), Err(Error::Stopped)));
        let refused = |load: &str| policy(("draft", hub("0s")), load).map(|_| ()).unwrap_err();
        assert!(matches!(refused("/etc/passwd"), Error::Load(_)));
        assert!(matches!(refused("ledger:yesterday"), Error::Load(_)));
        // It speaks of lines that this hub does not have.
        assert!(matches!(refused("pilot-monday"), Error::Unfit(_)));
        let Preset { config, .. } = preset::named("england-monday").unwrap();
        let today = "2026-11-23".parse().unwrap();
        let england = config::parse(&config, "hub", Path::new(""), today).unwrap().deployment;
        assert!(matches!(policy(("draft", england), "england-monday"), Err(Error::Hubs(56))));
    }
}
