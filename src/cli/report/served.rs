//! The same reports for the web interface.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use super::super::plans::InForce;
use super::period::{When, period};
use super::{Error, Report, Setup, Shape, What};
use crate::config::nearest;
use crate::ledger::report::{By, Figure, Scope, Terms};
use crate::ledger::{self, Period, Reader};
use crate::web::{Answer, Asked, Format, Kind, Limit, NoReport, Offer, Practice, Reports, give_way};

/// Longest period of one report, in days; the command has no such bound.
const MOST_DAYS: i64 = 366;

/// Most calls of a trace: more do not fit into an answer, and would fill the memory before that is known.
const MOST_TRACED: usize = 100_000;

/// Makes reports as the configuration in force has them.
pub(in crate::cli) struct Served {
    plans: Arc<InForce>,
    /// A daemon keeps the ledger that it was started with.
    ledger: PathBuf,
}

impl Served {
    pub(in crate::cli) fn new(plans: Arc<InForce>, ledger: PathBuf) -> Served {
        Served { plans, ledger }
    }

    fn setup(&self) -> Result<Setup, Error> {
        Setup::of(&self.plans.loaded().deployment)
    }

    fn make(&self, asked: &Asked, limit: &Limit, out: &mut Answer) -> Result<(), Error> {
        let setup = self.setup()?;
        let scope = Scope {
            period: asked_period(asked, &setup.terms.zone)?,
            practice: asked.practice.as_deref().map(|name| known(name, &setup.terms)).transpose()?,
        };
        let by = asked.by.as_deref().map(|by| by.parse::<By>().map_err(Error::By)).transpose()?;
        let what = match (asked.kind, &asked.trace) {
            (Kind::Calls, Some(name)) if Figure::named(name).is_none() => {
                return Err(Error::Figure(name.clone()));
            }
            (Kind::Calls, Some(name)) => What::Trace(name.clone()),
            (Kind::Calls, None) => What::Calls,
            (Kind::Waits, _) => What::Waits,
            (Kind::Cbt, _) => What::Cbt,
            (Kind::Ambsys, _) => What::Ambsys,
            (Kind::Iuc, _) => What::Iuc,
            (Kind::Gp, _) => What::Gp,
            (Kind::Day, _) => What::Day,
        };
        let shape = match asked.format {
            Format::Json => Shape::Json,
            Format::Csv => Shape::Csv,
            Format::Svg => Shape::Svg,
            Format::Parquet => Shape::Parquet,
        };
        // What the configuration says has been taken: nothing is held that others wait for.
        give_way();
        let limit = ledger::Limit { until: limit.until, unwanted: Arc::clone(&limit.unwanted) };
        let reader = Reader::open_until(&self.ledger, limit)?;
        let (setup, reader) = (&setup, &reader);
        let report = Report { by, setup, scope, reader, hides_numbers: true, most_traced: MOST_TRACED };
        report.write(&what, shape, out)
    }
}

impl Reports for Served {
    fn offer(&self) -> Offer {
        let Ok(Setup { terms, .. }) = self.setup() else {
            return Offer { zone: "UTC".into(), today: day(&TimeZone::UTC), practices: Vec::new() };
        };
        let practices = terms.practices.iter();
        let mut practices: Vec<_> =
            practices.map(|(code, of)| Practice { name: of.name.clone(), code: code.clone() }).collect();
        practices.sort();
        let zone = terms.zone.iana_name().unwrap_or("UTC").to_owned();
        Offer { zone, today: day(&terms.zone), practices }
    }

    fn write(&self, asked: &Asked, limit: &Limit, out: &mut Answer) -> Result<(), NoReport> {
        self.make(asked, limit, out).map_err(|error| match error {
            Error::Unknown(..) => NoReport::Unknown(error.to_string()),
            Error::When(..)
            | Error::By(_)
            | Error::Day(_)
            | Error::TooMany(_)
            | Error::Backwards
            | Error::TooLong
            | Error::Figure(_) => NoReport::Wrong(error.to_string()),
            Error::Ledger(ledger::Error::Stopped) => NoReport::Stopped,
            // Memory can always be written; that it was too much is known there.
            Error::Output(_) | Error::Csv(_) | Error::Parquet(_) => NoReport::Failed(error.to_string()),
            error => {
                tracing::warn!(%error, "a report could not be made");
                NoReport::Failed("the ledger cannot be read; the log of the daemon says why".to_owned())
            }
        })
    }
}

fn day(zone: &TimeZone) -> String {
    Timestamp::now().to_zoned(zone.clone()).date().to_string()
}

fn asked_period(asked: &Asked, zone: &TimeZone) -> Result<Period, Error> {
    let when = |key, text: &str| text.parse::<When>().map_err(|why| Error::When(key, why));
    let period = period(when("from", &asked.from)?, Some(when("to", &asked.to)?), zone)?;
    let most = (MOST_DAYS + 1) * 86_400_000;
    if period.to.0.saturating_sub(period.from.0) > most { Err(Error::TooLong) } else { Ok(period) }
}

/// The practice of this code or name.
fn known<'a>(wanted: &'a str, terms: &'a Terms) -> Result<&'a str, Error> {
    let named = || terms.practices.values().any(|known| known.name == wanted);
    if terms.practices.contains_key(wanted) || named() {
        return Ok(wanted);
    }
    let names = terms.practices.iter().flat_map(|(code, known)| [code.as_str(), known.name.as_str()]);
    Err(Error::Unknown(wanted.to_owned(), nearest(wanted, names).map(str::to_owned)))
}
