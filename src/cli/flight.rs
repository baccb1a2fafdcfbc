//! `hearken flight`: one call as a ladder of its SIP messages, with what was decided between them.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{FAILED, fail, replay};
use crate::flight::ladder::{Collector, Party, Step, Wanted, What};
use crate::flight::{self, Segment, Stopped};
use crate::id::CallId;

/// Columns from the caller's edge to ours.
const WIDTH: usize = 40;

/// Shows the messages and decisions of one call, from a flight log
#[derive(clap::Args)]
#[command(after_help = "Example: hearken flight /var/lib/hearken/flight --call call-1207")]
pub(super) struct Args {
    /// A segment of a flight log, or its directory
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The call: its number, as in the daemon's log, or the SIP Call-ID of any of its legs
    #[arg(long, value_name = "ID")]
    call: String,
}

/// Answers on standard output; status 1 when the log knows no such call.
pub(super) fn run(args: &Args) -> ExitCode {
    let segments = match replay::segments(&args.file) {
        Ok(segments) => segments,
        Err(error) => return fail(error),
    };
    let wanted = wanted(&args.call);
    let mut text = String::new();
    for path in segments {
        match ladder(&path, &wanted) {
            Ok(found) => text += &found,
            Err(error) => eprintln!("hearken: {}: {error}", path.display()),
        }
    }
    if text.is_empty() {
        eprintln!("hearken: there is no call `{}` in this log", args.call);
        return ExitCode::from(FAILED);
    }
    // A reader that has gone away does not change the answer.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// `call-17` and `17` are the same.
fn wanted(text: &str) -> Wanted {
    match text.strip_prefix("call-").unwrap_or(text).parse() {
        Ok(number) => Wanted::Number(CallId(number)),
        Err(_) => Wanted::CallId(text.to_owned()),
    }
}

/// The part of a call that one segment has; empty when it has none.
fn ladder(path: &Path, wanted: &Wanted) -> Result<String, Stopped> {
    let segment = Segment::read(path)?;
    let (state, now) = flight::base(path)?;
    let zone = TimeZone::get(&state.switch.plan().guide.calendar.spec().zone).unwrap_or(TimeZone::UTC);
    let mut collector = Collector::new(wanted.clone());
    collector.learn(&state.switch);
    let each = |batch: &flight::Batch, switch: &_| collector.batch(batch, switch);
    match flight::replay(state.switch, now, &segment, 0, None, each) {
        // What came before is true all the same.
        Ok(_) | Err(Stopped::Differs { .. } | Stopped::Failed { .. }) => Ok(text(&collector.steps, &zone)),
        Err(stopped) => Err(stopped),
    }
}

/// The steps as lines; what is heard is left out.
fn text(steps: &[Step], zone: &TimeZone) -> String {
    let mut text = String::new();
    for Step { at, what } in steps {
        let line = match what {
            What::Message { party: Party::Caller, remote, comes: true, start, .. } => {
                format!("{} ▶│", filled(&format!("{remote} {start} "), WIDTH - 2))
            }
            What::Message { party: Party::Caller, remote, start, .. } => {
                format!("{}│", filled(&format!("{remote} ◀ {start} "), WIDTH))
            }
            What::Message { remote, comes: true, start, .. } => {
                format!("{:WIDTH$}│◀ {start} ── {remote}", "")
            }
            What::Message { remote, start, .. } => format!("{:WIDTH$}│─ {start} ─▶ {remote}", ""),
            What::Decision(what) => format!("{:WIDTH$}│ · {what}", ""),
            What::Media(..) => continue,
        };
        let at = Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone());
        if text.is_empty() {
            let _ = writeln!(text, "{}  {:WIDTH$}hearken", at.strftime("%F    "), "caller");
        }
        let _ = writeln!(text, "{}  {line}", at.strftime("%H:%M:%S%.3f"));
    }
    text
}

/// The text, followed by a line up to this width.
fn filled(text: &str, width: usize) -> String {
    format!("{text:─<width$}")
}
