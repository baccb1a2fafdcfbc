//! `hearken report`: what became of calls, from the ledger, also while the daemon writes it.
//!
//! # Periods
//! `--from` and `--to` are dates or RFC 3339 instants. A date means the whole of that day in `--zone`, so
//! `--from 2026-11-16 --to 2026-11-17` is two days, whatever their length in hours. An instant given to
//! `--to` is not included. Without `--to` the report goes to the last record. A call belongs to the moment
//! of its arrival, and what was promised in it or became of it belongs with it.
//!
//! # Formats
//! | `--format` | what | told apart `--by` | `--json` |
//! |---|---|---|---|
//! | `table` | waits, promised callbacks, cases, callers who rang again, for people to read | yes, by line unless said | yes |
//! | `csv` | one row for each call; see below | - | - |
//! | `cbt` | NHS England's counts of cloud-based telephony, CBT001 to CBT007, as CSV | - | yes |
//! | `ambsys` | call answering and hear and treat of the Ambulance Systems Indicators, as CSV | yes | yes |
//! | `iuc` | call handling of the IUC ADC, as CSV | yes | yes |
//! | `gp` | the metrics that the GP contract asks for, as CSV | yes | yes |
//! | `parquet` | as `csv`, in one typed file | - | - |
//! | `svg` | a picture of the half hours of the day | - | yes |
//!
//! docs/reports.md says what each figure is. `--trace FIGURE` gives the calls that make it up, as a table, as CSV or,
//! with `--json`, as JSON.
//!
//! # `--format table`
//! For each line and for all of them: calls, those answered, abandoned, refused, lost, released and promised
//! (which add up to the calls), and the waits of answered calls: mean, median, 90th, 95th and 99th centile, longest; last the
//! longest wait of a caller who gave up. Waits are in minutes and seconds. Centiles are nearest-rank.
//!
//! Where callbacks were promised to these callers, a second table: promises, those reached, answered by the patient's own
//! call, failed (not reached, or not called in time), still open, and of all those not kept by their breach time. Where
//! they became cases, a third: closed by a clinician, taken over by a pathway, referred to one that has not acknowledged
//! it, open, and of all those not closed by their breach time. Where patients were referred, a fourth, by pathway:
//! referrals acknowledged, declined, not acknowledged in time, withdrawn, open.
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
//!
//! With `--trace` three columns more: `time_category`, `wait_time` and `duration`, in the words of the CBT file, so that the
//! calls behind each of its rows can be told.

mod calls;
mod json;
mod parquet;
mod period;
mod plot;
mod served;
mod setup;
mod sheets;
mod text;
mod trace;

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::civil::Date;

use crate::ledger::report::{Background, By, Day, Figure, Scope, Sheet, Summary, Told, cbt, walk};
use crate::ledger::{self, Period, Reader};

pub(super) use served::Served;
pub use setup::Setup;
pub(super) use text::minutes;
pub use text::waits_table;

use period::{Heading, When, period};
use setup::zone_named;

/// Reports from the ledger: what became of calls
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Example: hearken report --from 2026-11-16 --to 2026-11-20 --format table --by practice"
)]
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
    /// What the report is and how it is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// What figures are told apart by: line, practice, team, trunk, hour or fifth (by deprivation)
    #[arg(long, value_name = "WHAT")]
    by: Option<By>,
    /// Only calls of this practice, by ODS code or name
    #[arg(long, value_name = "PRACTICE")]
    practice: Option<String>,
    /// The calls that make up this figure: CBT004, A1, B02, abandoned, ...
    #[arg(long, value_name = "FIGURE", conflicts_with = "by")]
    trace: Option<String>,
    /// The same as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Waits, callbacks, cases and redials, for people to read
    Table,
    /// One row for each call
    Csv,
    /// Cloud-based telephony, CBT001 to CBT007, by day, practice and time of day
    Cbt,
    /// Ambulance Systems Indicators: call answering, hear and treat
    Ambsys,
    /// IUC ADC: call handling
    Iuc,
    /// The metrics of the GP contract
    Gp,
    /// One row for each call, in a Parquet file
    Parquet,
    /// A picture of the half hours of the day
    Svg,
}

impl Format {
    /// Whether `--by`, `--json` and `--trace` mean anything here.
    fn allows(self) -> (bool, bool, bool) {
        match self {
            Format::Table => (true, true, true),
            Format::Csv => (false, false, true),
            Format::Cbt | Format::Svg => (false, true, false),
            Format::Ambsys | Format::Iuc | Format::Gp => (true, true, false),
            Format::Parquet => (false, false, false),
        }
    }

    /// What it shows, and in which shape.
    fn of(self) -> (What, Shape) {
        match self {
            Format::Table => (What::Waits, Shape::Text),
            Format::Csv => (What::Calls, Shape::Csv),
            Format::Cbt => (What::Cbt, Shape::Csv),
            Format::Ambsys => (What::Ambsys, Shape::Csv),
            Format::Iuc => (What::Iuc, Shape::Csv),
            Format::Gp => (What::Gp, Shape::Csv),
            Format::Parquet => (What::Calls, Shape::Parquet),
            Format::Svg => (What::Day, Shape::Svg),
        }
    }
}

/// What a report shows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// Waits, callbacks, cases and redials.
    Waits,
    /// One row for each call.
    Calls,
    /// The same of those that make up the figure of this name.
    Trace(String),
    Cbt,
    Ambsys,
    Iuc,
    Gp,
    /// The half hours of the day.
    Day,
}

/// How it is written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Shape {
    /// For people.
    Text,
    Csv,
    Json,
    Parquet,
    Svg,
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
    /// A time that is none.
    #[error("`{0}` is {1}")]
    When(&'static str, String),
    /// Nothing is told apart so.
    #[error("{0}")]
    By(String),
    /// No practice has this code or name.
    #[error("there is no practice `{0}`{meant}", meant = .1.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Unknown(String, Option<String>),
    /// The period is longer than one may be that is asked for over HTTP.
    #[error("the period is longer than a year: ask for less, or use `hearken report`")]
    TooLong,
    /// More calls make up the figure than a trace over HTTP may have.
    #[error("more than {0} calls make that up: ask for fewer days or one practice, or use `hearken report`")]
    TooMany(usize),
    /// An option that this format has no use for.
    #[error("--{0} does not go with this --format")]
    NotHere(&'static str),
    /// It is not written in this shape.
    #[error("a report of this kind has no such format")]
    Shapeless,
    /// No figure has this name.
    #[error("there is no figure {0:?}; there are {known}", known = Figure::names().join(", "))]
    Figure(String),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The report cannot be written.
    #[error("cannot write the report: {0}")]
    Output(#[from] io::Error),
    /// The report cannot be written as CSV.
    #[error("cannot write the report: {0}")]
    Csv(#[from] csv::Error),
    /// The report cannot be written as Parquet.
    #[error("cannot write the report: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// The picture cannot be drawn.
    #[error("cannot draw the report: {0}")]
    Picture(String),
}

/// Writes the report to `out`; a reader of `out` that has had enough is no error.
pub fn run(args: &Args, setup: &Setup, out: &mut (impl Write + Send)) -> Result<(), Error> {
    match write(args, setup, out) {
        Err(e) if e.is_broken_pipe() => Ok(()),
        other => other,
    }
}

fn write(args: &Args, setup: &Setup, out: &mut (impl Write + Send)) -> Result<(), Error> {
    let (by, json, trace) = args.format.allows();
    let options = [
        ("by", args.by.is_some() && !by),
        ("json", args.json && !json),
        ("trace", args.trace.is_some() && !trace),
    ];
    if let Some((option, _)) = options.into_iter().find(|(_, amiss)| *amiss) {
        return Err(Error::NotHere(option));
    }
    let mut setup = setup.clone();
    if let Some(zone) = &args.zone {
        setup.terms.zone = zone_named(zone)?;
    }
    let scope =
        Scope { period: period(args.from, args.to, &setup.terms.zone)?, practice: args.practice.as_deref() };
    let reader = Reader::open(args.ledger.as_deref().unwrap_or(&setup.ledger))?;
    let (what, shape) = args.format.of();
    let what = args.trace.clone().map_or(what, What::Trace);
    let shape = if args.json { Shape::Json } else { shape };
    let (by, setup, reader) = (args.by, &setup, &reader);
    let report = Report { by, setup, scope, reader, hides_numbers: false, most_traced: usize::MAX };
    report.write(&what, shape, out)?;
    out.flush()?;
    Ok(())
}

/// What a report is made from.
struct Report<'a> {
    by: Option<By>,
    setup: &'a Setup,
    scope: Scope<'a>,
    reader: &'a Reader,
    /// Whether callers' numbers that are stored as they are stay out of it.
    hides_numbers: bool,
    /// How many calls a trace may have.
    most_traced: usize,
}

impl Report<'_> {
    fn write(&self, what: &What, shape: Shape, out: &mut (impl Write + Send)) -> Result<(), Error> {
        let (by, terms) = (self.by, &self.setup.terms);
        match what {
            What::Waits => self.write_summary(shape, out),
            What::Calls => match shape {
                Shape::Csv => calls::write(out, [], |give| self.each_entry(&mut |entry| give(entry, []))),
                Shape::Parquet => parquet::write(out, |give| self.each_entry(give)),
                Shape::Json => {
                    let whole = json::report(self.scope, serde_json::json!({}));
                    json::write_calls(&whole, out, |give| self.each_entry(give))
                }
                _ => Err(Error::Shapeless),
            },
            What::Trace(figure) => trace::write(self, figure, shape, out),
            What::Cbt => self.write_cbt(shape, out),
            What::Ambsys => self.write_sheet(Sheet::ambsys(by, terms), shape, out),
            What::Iuc => self.write_sheet(Sheet::iuc(by, terms), shape, out),
            What::Gp => self.write_sheet(Sheet::gp(by, terms), shape, out),
            What::Day => self.write_day(shape, out),
        }
    }

    fn write_summary(&self, shape: Shape, out: &mut impl Write) -> Result<(), Error> {
        let (by, terms) = (self.by.unwrap_or(By::Line), &self.setup.terms);
        let summary = Summary::of(&self.reader.moment()?, self.scope, by, terms)?;
        match shape {
            Shape::Json => self.write_json(json::summary(&summary, by), out),
            Shape::Csv => sheets::write_waits(&summary.waits, by, out),
            Shape::Text => {
                writeln!(out, "{}", self.heading())?;
                let parts = [
                    text::waits(&summary.waits, by),
                    text::callbacks(&summary.callbacks, by),
                    text::cases(&summary.cases, by),
                    text::referrals(&summary.referrals),
                    text::redials(&summary.redials, terms),
                ];
                out.write_all(parts.concat().as_bytes())?;
                Ok(())
            }
            _ => Err(Error::Shapeless),
        }
    }

    fn write_cbt(&self, shape: Shape, out: &mut impl Write) -> Result<(), Error> {
        let mut counts = cbt::Counts::new(&self.setup.terms);
        self.walk(false, |told| counts.add(told, &self.setup.terms))?;
        match shape {
            Shape::Json => {
                let whole = json::report(self.scope, serde_json::json!({}));
                json::write_counts(&whole, &counts, self.setup, out)
            }
            Shape::Csv => sheets::write_cbt(&counts, self.setup, out),
            _ => Err(Error::Shapeless),
        }
    }

    fn write_sheet(&self, mut sheet: Sheet, shape: Shape, out: &mut impl Write) -> Result<(), Error> {
        self.walk(false, |told| sheet.add(told, &self.setup.terms))?;
        match shape {
            Shape::Json => self.write_json(json::sheet(sheet, self.by), out),
            Shape::Csv => sheets::write_items(sheet, self.by, out),
            _ => Err(Error::Shapeless),
        }
    }

    fn write_day(&self, shape: Shape, out: &mut impl Write) -> Result<(), Error> {
        let mut day = Day::new(&self.setup.terms);
        self.walk(false, |told| day.add(told))?;
        let half_hours = day.half_hours();
        match shape {
            Shape::Json => self.write_json(json::half_hours(&half_hours), out),
            Shape::Csv => sheets::write_half_hours(&half_hours, out),
            Shape::Svg => {
                let picture = plot::draw(&self.heading().to_string(), &half_hours);
                out.write_all(picture.map_err(|error| Error::Picture(error.to_string()))?.as_bytes())?;
                Ok(())
            }
            _ => Err(Error::Shapeless),
        }
    }

    /// Gives `each` the calls of the report, with `again` also whether callers ring again.
    fn walk(&self, again: bool, each: impl FnMut(&Told<'_>)) -> Result<(), Error> {
        let (scope, terms) = (self.scope, &self.setup.terms);
        let rows = self.reader.moment()?;
        let background = Background::read(&rows, scope, terms)?;
        Ok(walk(&rows, scope, terms, &background, again, each)?)
    }

    /// Gives `each` the calls of the report with their stages.
    fn each_entry(&self, each: &mut dyn FnMut(ledger::Entry) -> Result<(), Error>) -> Result<(), Error> {
        self.each_entry_of(self.scope.period, each)
    }

    /// The same of a part of its period.
    fn each_entry_of(
        &self,
        period: Period,
        each: &mut dyn FnMut(ledger::Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.reader.calls(period, |mut entry| {
            if !self.scope.takes(entry.record.practice.as_deref(), &self.setup.terms) {
                return Ok(());
            }
            if self.hides_numbers {
                entry.record.cli = entry.record.cli.filter(|stored| ledger::is_hash(stored));
            }
            each(entry)
        })
    }

    fn heading(&self) -> Heading<'_> {
        let Scope { period, practice } = self.scope;
        Heading { period, zone: &self.setup.terms.zone, practice }
    }

    fn write_json(&self, parts: serde_json::Value, out: &mut impl Write) -> Result<(), Error> {
        writeln!(out, "{:#}", json::report(self.scope, parts))?;
        Ok(())
    }
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
