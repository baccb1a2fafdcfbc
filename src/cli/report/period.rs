//! The period of a report: days in a zone, or instants.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Error;
use crate::ledger::Period;
use crate::time::Wall;

/// A day or an instant, as given on the command line.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum When {
    Day(Date),
    Instant(Timestamp),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<When, String> {
        const DAY: usize = "2026-11-16".len();
        // A date-time would be taken for a date if it were tried as one.
        let parsed = match text.len() {
            DAY => text.parse().map(When::Day),
            _ => text.parse().map(When::Instant),
        };
        parsed
            .map_err(|_| "neither a date like 2026-11-16 nor an instant like 2026-11-16T08:00:00Z".to_owned())
    }
}

pub(super) fn period(from: When, to: Option<When>, zone: &TimeZone) -> Result<Period, Error> {
    if let (When::Day(first), Some(When::Day(last))) = (from, to)
        && last < first
    {
        return Err(Error::Backwards);
    }
    let midnight = |day: Date| -> Result<Wall, Error> {
        let first = day.to_zoned(zone.clone()).map_err(|_| Error::Day(day))?;
        Ok(Wall(first.timestamp().as_millisecond()))
    };
    let from = match from {
        When::Day(day) => midnight(day)?,
        When::Instant(instant) => Wall(millisecond_from(instant)),
    };
    let to = match to {
        Some(When::Day(day)) => midnight(day.tomorrow().map_err(|_| Error::Day(day))?)?,
        Some(When::Instant(instant)) => Wall(millisecond_from(instant)),
        None => Wall(i64::MAX),
    };
    if to < from { Err(Error::Backwards) } else { Ok(Period { from, to }) }
}

/// The first whole millisecond that is not before `instant`: arrivals have no finer times.
fn millisecond_from(instant: Timestamp) -> i64 {
    let floor = instant.as_nanosecond().div_euclid(1_000_000);
    let up = i128::from(instant.as_nanosecond().rem_euclid(1_000_000) > 0);
    i64::try_from(floor + up).unwrap_or(i64::MAX)
}

/// What a report is of, for people.
pub(super) struct Heading<'a> {
    pub(super) period: Period,
    pub(super) zone: &'a TimeZone,
    pub(super) practice: Option<&'a str>,
}

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |wall: Wall| match Timestamp::from_millisecond(wall.0) {
            Ok(instant) => {
                instant.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.f %Z").to_string()
            }
            Err(_) => "the last record".to_owned(),
        };
        let Period { from, to } = self.period;
        let of = self.practice.map(|practice| format!(" of {practice}")).unwrap_or_default();
        write!(f, "Calls{of} that arrived from {} to {}", shown(from), shown(to))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").unwrap()
    }

    fn span(from: &str, to: &str) -> (String, String) {
        let to = Some(to.parse().unwrap());
        let Period { from, to } = period(from.parse().unwrap(), to, &london()).unwrap();
        (from.rfc3339(), to.rfc3339())
    }

    #[test]
    fn a_date_is_the_whole_day_in_the_zone() {
        let cases = [
            ("2026-11-16", "2026-11-17", "2026-11-16T00:00:00.000Z", "2026-11-18T00:00:00.000Z"),
            ("2026-07-01", "2026-07-01", "2026-06-30T23:00:00.000Z", "2026-07-01T23:00:00.000Z"),
            // 23 and 25 hours long.
            ("2026-03-29", "2026-03-29", "2026-03-29T00:00:00.000Z", "2026-03-29T23:00:00.000Z"),
            ("2026-10-25", "2026-10-25", "2026-10-24T23:00:00.000Z", "2026-10-26T00:00:00.000Z"),
        ];
        for (from, to, first, end) in cases {
            assert_eq!(span(from, to), (first.into(), end.into()), "{from} to {to}");
        }
    }

    #[test]
    fn an_instant_is_taken_as_it_is_and_rounded_up_to_a_millisecond() {
        let (from, to) = span("2026-11-16T09:00:00+01:00", "2026-11-16T09:30:00.0001Z");
        assert_eq!((from.as_str(), to.as_str()), ("2026-11-16T08:00:00.000Z", "2026-11-16T09:30:00.001Z"));
    }

    #[test]
    fn a_day_that_is_none_is_refused() {
        for text in ["2026-02-30", "16/11/2026", "today", "", "2026-11-16T08:00", "2026-11-16 08:00"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_period_that_ends_before_it_begins_is_refused() {
        for (from, to) in [
            ("2026-11-17", "2026-11-15"),
            ("2026-11-17", "2026-11-16"),
            ("2026-11-17", "2026-11-16T23:59:59Z"),
        ] {
            let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
            assert!(matches!(period(from, Some(to), &london()), Err(Error::Backwards)));
        }
    }
}
