//! `hearken report`: what callers waited, from the ledger, also while the daemon writes it.
//!
//! # Periods
//! `--from` and `--to` are dates or RFC 3339 instants. A date means the whole of that day in `--zone`, so
//! `--from 2026-11-16 --to 2026-11-17` is two days, whatever their length in hours. An instant given to
//! `--to` is not included. Without `--to` the report goes to the last record. A call belongs to the moment
//! of its arrival.
//!
//! # `--format table`
//! For each line and for all of them: calls, those answered, abandoned, refused, lost, released and promised
//! (which add up to the calls), and the waits of answered calls: mean, median, 90th, 95th and 99th centile, longest; last the
//! longest wait of a caller who gave up. Waits are in minutes and seconds. Centiles are nearest-rank.
//!
//! Where callbacks were promised in the period, a second table: promises, those reached, answered by the patient's own
//! call, failed (not reached, or not called in time), still open, and of all those not kept by their breach time.
//!
//! # `--format csv`
//! RFC 4180, in UTF-8, one row for each call in order of arrival, instants as ISO 8601 in UTC with milliseconds:
//!
//! | column | holds |
//! |---|---|
//! | `run`, `call` | together the key of the call |
//! | `arrived` | when the INVITE was received |
//! | `answered` | when an agent answered; empty for calls never answered |
//! | `ended` | when the call ended |
//! | `waited_ms` | from arrival to answer, or to the end of a call never answered |
//! | `lasted_ms` | from arrival to the end |
//! | `trunk`, `practice`, `line`, `band` | how it came in; band 0 is emergency |
//! | `ddi` | the number dialled |
//! | `cli` | the caller's number as stored: a keyed hash, the number, or empty |
//! | `outcome` | `answered`, `abandoned`, `refused`, `lost`, `released` (led out of the line) or `promised` (a callback); of calls that we made `answered`, `lost`, `unreached` or `withdrawn` |
//! | `agent` | who answered last |
//! | `ended_by` | of answered and lost calls: `caller`, `agent`, `dead-media`, `dead-peer` or `shutdown`; of released ones: `waited-too-long` or `nobody-at-work`; of unreached ones: `busy`, `no-answer` or `failed` |
//! | `code` | of refused calls: the SIP status sent |
//! | `presentations` | how often an agent's phone was rung |
//! | `sip_call_id` | Call-ID of the caller's leg |
//! | `promise` | the promised callback for which we made the call; empty for a caller's own |
//! | `case` | the case about which a clinician made the call; empty for a caller's own |
//! | `disposition` | the code by which an agent said how the call ended clinically, if one did |
//!
//! Spreadsheets run cells that begin with `=`, `+`, `-`, `@`, tab or a line break as formulas, and the network
//! chooses some of these texts. Such a text gets an apostrophe in front, which spreadsheets take as
//! "this is text" and other readers have to remove. A `+` that is followed by digits only is a telephone
//! number, does no harm, and stays as it is.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::table;
use crate::call::record::{CallRecord, Outcome, Stage};
use crate::ledger::words::{self, Kind};
use crate::ledger::{self, Entry, Figures, Period, Promises, Reader, Table};
use crate::time::Wall;

/// Reports from the ledger: what callers waited
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example: hearken report --from 2026-11-16 --to 2026-11-20 --format table")]
pub struct Args {
    /// First day (2026-11-16) or instant (2026-11-16T08:00:00Z) of arrival
    #[arg(long, value_name = "WHEN")]
    from: When,
    /// Last day, included whole, or the instant to stop before; the last record when not given
    #[arg(long, value_name = "WHEN")]
    to: Option<When>,
    /// The time zone that days are reckoned in; the node's when not given
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The ledger to read, in place of the configuration's
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// A table of waits by line, or one row for each call
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Csv,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The zone is not in the system's time zone database.
    #[error("there is no time zone {0:?} here")]
    Zone(String),
    /// The day lies outside of all calendars.
    #[error("there is no such day: {0}")]
    Day(Date),
    /// The period ends before it begins.
    #[error("the period ends before it begins")]
    Backwards,
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The report cannot be written.
    #[error("cannot write the report: {0}")]
    Output(#[from] io::Error),
    /// The report cannot be written as CSV.
    #[error("cannot write the report: {0}")]
    Csv(#[from] csv::Error),
}

/// Writes the report on the ledger at `path`, unless the arguments name another, to `out`; a reader of `out`
/// that has had enough is no error.
pub fn run(args: &Args, path: &Path, node_zone: &str, out: &mut impl Write) -> Result<(), Error> {
    match write(args, path, node_zone, out) {
        Err(e) if e.is_broken_pipe() => Ok(()),
        other => other,
    }
}

fn write(args: &Args, path: &Path, node_zone: &str, out: &mut impl Write) -> Result<(), Error> {
    let zone = args.zone.as_deref().unwrap_or(node_zone);
    let zone = TimeZone::get(zone).map_err(|_| Error::Zone(zone.to_owned()))?;
    let period = period(args.from, args.to, &zone)?;
    let reader = Reader::open(args.ledger.as_deref().unwrap_or(path))?;
    match args.format {
        Format::Table => {
            writeln!(out, "{}", Heading { period, zone })?;
            out.write_all(waits_table(&reader.waits(period)?).as_bytes())?;
            let promises = reader.promises(period)?;
            if !promises.is_empty() {
                out.write_all(promises_table(&promises).as_bytes())?;
            }
        }
        Format::Csv => write_csv(&reader, period, out)?,
    }
    out.flush()?;
    Ok(())
}

impl Error {
    fn is_broken_pipe(&self) -> bool {
        let cause = match self {
            Error::Output(e) => e.kind(),
            Error::Csv(e) => match e.kind() {
                csv::ErrorKind::Io(e) => e.kind(),
                _ => return false,
            },
            _ => return false,
        };
        cause == io::ErrorKind::BrokenPipe
    }
}

/// The table of waits as text, with what its figures mean.
pub fn waits_table(table: &Table) -> String {
    let heading = [
        "line",
        "calls",
        "answered",
        "abandoned",
        "refused",
        "lost",
        "released",
        "promised",
        "mean wait",
        "median",
        "90th",
        "95th",
        "99th",
        "longest",
        "longest abandoned",
    ];
    let mut rows: Vec<_> = table.lines.iter().map(|(line, figures)| row(line, figures)).collect();
    rows.push(row("all lines", &table.total));
    let mut text = table::lay_out(&heading, &rows);
    text.push_str("Waits of answered calls in minutes:seconds; centiles are nearest-rank.\n");
    text
}

/// The table of promised callbacks.
fn promises_table(lines: &BTreeMap<String, Promises>) -> String {
    let heading = ["line", "callbacks promised", "reached", "own call", "failed", "open", "late"];
    let row = |(line, of_line): (&String, &Promises)| {
        let Promises { promised, reached, own_calls, failed, open, late } = of_line;
        let counts = [promised, reached, own_calls, failed, open, late].map(u64::to_string);
        [vec![line.clone()], counts.to_vec()].concat()
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    format!("\n{}", table::lay_out(&heading, &rows))
}

fn row(name: &str, figures: &Figures) -> Vec<String> {
    let counts = [
        figures.calls,
        figures.answered,
        figures.abandoned,
        figures.refused,
        figures.lost,
        figures.released,
        figures.promised,
    ];
    let waits = figures.waits.map(|w| [w.mean, w.median, w.p90, w.p95, w.p99, w.longest]);
    let mut row = vec![name.to_owned()];
    row.extend(counts.iter().map(u64::to_string));
    row.extend((0..6).map(|i| minutes(waits.map(|waits| waits[i]))));
    row.push(minutes(figures.longest_abandoned));
    row
}

/// Minutes, seconds and tenths, rounded half up; hours only where there are any.
pub(super) fn minutes(wait: Option<Duration>) -> String {
    let Some(wait) = wait else { return "-".to_owned() };
    let tenths = (wait.as_nanos() + 50_000_000) / 100_000_000;
    let (hours, minutes) = (tenths / 36_000, tenths / 600 % 60);
    let (seconds, tenth) = (tenths / 10 % 60, tenths % 10);
    match hours {
        0 => format!("{minutes}:{seconds:02}.{tenth}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{tenth}"),
    }
}

/// A day or an instant, as given on the command line.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum When {
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

fn period(from: When, to: Option<When>, zone: &TimeZone) -> Result<Period, Error> {
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

struct Heading {
    period: Period,
    zone: TimeZone,
}

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |wall: Wall| match Timestamp::from_millisecond(wall.0) {
            Ok(instant) => {
                instant.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.f %Z").to_string()
            }
            Err(_) => "the last record".to_owned(),
        };
        write!(f, "Calls that arrived from {} to {}", shown(self.period.from), shown(self.period.to))
    }
}

const COLUMNS: [&str; 22] = [
    "run",
    "call",
    "arrived",
    "answered",
    "ended",
    "waited_ms",
    "lasted_ms",
    "trunk",
    "practice",
    "line",
    "band",
    "ddi",
    "cli",
    "outcome",
    "agent",
    "ended_by",
    "code",
    "presentations",
    "sip_call_id",
    "promise",
    "case",
    "disposition",
];

fn write_csv(reader: &Reader, period: Period, out: &mut impl Write) -> Result<(), Error> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    csv.write_record(COLUMNS)?;
    reader.calls(period, |entry| csv.write_record(cells(&entry)).map_err(Error::from))?;
    csv.flush()?;
    Ok(())
}

fn cells(Entry { run, record }: &Entry) -> [String; COLUMNS.len()] {
    let (agent, ended_by, code) = match &record.outcome {
        Outcome::Answered { agent, ended_by } => {
            (Some(agent.as_str()), Some(words::ended_by(*ended_by)), None)
        }
        Outcome::Abandoned => (None, None, None),
        Outcome::Refused { code } => (None, None, Some(*code)),
        Outcome::Lost { ended_by } => (None, Some(words::ended_by(*ended_by)), None),
        Outcome::Released { why } => (None, Some(words::leaving(*why)), None),
        Outcome::Promised | Outcome::Withdrawn => (None, None, None),
        Outcome::Unreached { why } => (None, Some(words::miss(*why)), None),
    };
    let answered = agent.map(|_| iso(record.arrived + record.waited)).unwrap_or_default();
    [
        run.to_string(),
        record.call.0.to_string(),
        iso(record.arrived),
        answered,
        iso(record.arrived + record.lasted),
        record.waited.as_millis().to_string(),
        record.lasted.as_millis().to_string(),
        as_text(&record.trunk),
        as_text(record.practice.as_deref().unwrap_or_default()),
        as_text(&record.line),
        record.band.0.to_string(),
        as_text(&record.ddi),
        as_text(record.cli.as_deref().unwrap_or_default()),
        Kind::of(&record.outcome).word().to_owned(),
        as_text(agent.unwrap_or_default()),
        ended_by.unwrap_or_default().to_owned(),
        code.map(|code| code.to_string()).unwrap_or_default(),
        presentations(record).to_string(),
        as_text(&record.sip_call_id),
        record.promise.map(|promise| promise.0.to_string()).unwrap_or_default(),
        record.case.map(|case| case.0.to_string()).unwrap_or_default(),
        as_text(record.disposition.as_deref().unwrap_or_default()),
    ]
}

fn presentations(record: &CallRecord) -> usize {
    record.segments.iter().filter(|segment| matches!(segment.stage, Stage::Presented { .. })).count()
}

/// A text that no spreadsheet runs; see the module's description.
fn as_text(text: &str) -> String {
    let telephone = text.strip_prefix('+').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    if !telephone && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// ISO 8601 in UTC with milliseconds; a time outside of all calendars as its bare number.
fn iso(wall: Wall) -> String {
    match Timestamp::from_millisecond(wall.0) {
        Ok(instant) => instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        Err(_) => wall.0.to_string(),
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
        (iso(from), iso(to))
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
        let (from, to) = ("2026-11-17".parse().unwrap(), "2026-11-15".parse().unwrap());
        assert!(matches!(period(from, Some(to), &london()), Err(Error::Backwards)));
    }

    #[test]
    fn waits_are_shown_in_minutes_and_rounded_half_up() {
        let cases = [
            (0, "0:00.0"),
            (49, "0:00.0"),
            (50, "0:00.1"),
            (59_949, "0:59.9"),
            (59_950, "1:00.0"),
            (845_000, "14:05.0"),
            (3_600_000, "1:00:00.0"),
            (36_061_100, "10:01:01.1"),
        ];
        for (millis, text) in cases {
            assert_eq!(minutes(Some(Duration::from_millis(millis))), text);
        }
        assert_eq!(minutes(None), "-");
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_marked_as_text() {
        let cases = [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("@SUM(1)", "'@SUM(1)"),
            ("-1+1", "'-1+1"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("\t=1", "'\t=1"),
            ("+442079460123", "+442079460123"),
            ("elm-tree", "elm-tree"),
            ("", ""),
        ];
        for (given, written) in cases {
            assert_eq!(as_text(given), written);
        }
    }
}
