//! `hearken flight`: one call as a ladder of its SIP messages, with what was decided between them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{FAILED, fail, replay};
use crate::call::leg::Side;
use crate::flight::{self, Batch, Segment, Stopped};
use crate::id::{CallId, LegId};
use crate::switch::{Event, Input, Output, Switch};
use crate::time::{Now, Wall};

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
    let mut text = String::new();
    for path in segments {
        match ladder(&path, &args.call) {
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

/// The part of a call that one segment has; empty when it has none.
fn ladder(path: &Path, wanted: &str) -> Result<String, Stopped> {
    let segment = Segment::read(path)?;
    let (state, now) = flight::base(path)?;
    let zone = TimeZone::get(&state.switch.plan().guide.calendar.spec().zone).unwrap_or(TimeZone::UTC);
    let mut ladder = Ladder::new(wanted, zone);
    ladder.learn(&state.switch);
    match flight::replay(state.switch, now, &segment, 0, None, |batch, switch| ladder.batch(batch, switch)) {
        // What came before is true all the same.
        Ok(_) | Err(Stopped::Differs { .. } | Stopped::Failed { .. }) => Ok(ladder.text),
        Err(stopped) => Err(stopped),
    }
}

struct Ladder {
    wanted: String,
    zone: TimeZone,
    /// The call and the end of each Call-ID.
    known: BTreeMap<String, (CallId, bool)>,
    last: LegId,
    text: String,
}

impl Ladder {
    fn new(wanted: &str, zone: TimeZone) -> Ladder {
        // `call-17` and `17` are the same.
        let wanted = match wanted.parse::<u64>() {
            Ok(number) => CallId(number).to_string(),
            Err(_) => wanted.to_owned(),
        };
        Ladder { wanted, zone, known: BTreeMap::new(), last: LegId(0), text: String::new() }
    }

    /// Learns whose the legs are that were made since the last time.
    fn learn(&mut self, switch: &Switch) {
        for (leg, call, call_id, side) in switch.legs_after(self.last) {
            self.last = leg;
            if let Some(call_id) = call_id {
                self.known.insert(call_id.to_owned(), (call, side == Side::Caller));
            }
        }
    }

    fn batch(&mut self, batch: &Batch, switch: &Switch) {
        self.learn(switch);
        for output in &batch.outputs {
            // One that was refused never had a leg.
            if let Output::Record(record) = output {
                self.known.entry(record.sip_call_id.clone()).or_insert((record.call, true));
            }
        }
        let mut from = 0;
        for ((now, input), &end) in batch.inputs.iter().zip(&batch.ends) {
            if let Input::Datagram { flow, bytes, .. } | Input::Chunk { flow, bytes } = input {
                self.message(*now, bytes, flow.remote, true);
            }
            for output in &batch.outputs[from..end] {
                match output {
                    Output::Send { flow, bytes } => self.message(*now, bytes, flow.remote, false),
                    Output::Event(event) => self.event(*now, event),
                    Output::Close { .. }
                    | Output::Media { .. }
                    | Output::Record(_)
                    | Output::Promise(_)
                    | Output::Case(_) => {}
                }
            }
            from = end;
        }
    }

    fn is_wanted(&self, call: CallId) -> bool {
        self.wanted == call.to_string()
            || self.known.get(&self.wanted).is_some_and(|&(wanted, _)| wanted == call)
    }

    fn message(&mut self, now: Now, bytes: &[u8], remote: SocketAddr, comes: bool) {
        let text = String::from_utf8_lossy(bytes);
        let Some((start, call_id)) = start_and_call_id(&text) else { return };
        let Some(&(call, of_caller)) = self.known.get(call_id) else { return };
        if !self.is_wanted(call) {
            return;
        }
        let line = match (of_caller, comes) {
            (true, true) => format!("{} ▶│", filled(&format!("{remote} {start} "), WIDTH - 2)),
            (true, false) => format!("{}│", filled(&format!("{remote} ◀ {start} "), WIDTH)),
            (false, true) => format!("{:WIDTH$}│◀ {start} ── {remote}", ""),
            (false, false) => format!("{:WIDTH$}│─ {start} ─▶ {remote}", ""),
        };
        self.line(now.wall, &line);
    }

    fn event(&mut self, now: Now, event: &Event) {
        let (call, what) = match event {
            Event::Arrived { call, trunk, line, waiting, .. } => {
                (call, format!("arrives by trunk {trunk} on line {line}, where {waiting} wait now"))
            }
            Event::Presented { call, agent } => (call, format!("presented to {agent}")),
            Event::Missed { call, agent, cause } => (call, format!("missed by {agent}: {cause:?}")),
            Event::Bridged { call, agent, waited } => {
                (call, format!("bridged to {agent} after {:.1} s", waited.as_secs_f64()))
            }
            Event::BackInLine { call, agent, why } => {
                (call, format!("back in line, {agent} is lost: {why:?}"))
            }
            Event::HandedOn { call, agent, to } => (call, format!("handed on by {agent} to {to}")),
            Event::NotHandedOn { call, agent, why } => (call, format!("not handed on by {agent}: {why}")),
            Event::HandedBack { call, agent, from, code } => {
                (call, format!("handed back to {agent}, not taken by {from}: {code}"))
            }
            Event::Disposed { call, agent, code } => (call, format!("ended as {code}, says {agent}")),
            Event::Flagged { call, .. } => (call, "flagged as an emergency".to_owned()),
            Event::Moved { call, from, to } => (call, format!("moved from line {from} to {to}")),
            Event::Ended { call, outcome, .. } => (call, format!("over: {outcome:?}")),
            _ => return,
        };
        if self.is_wanted(*call) {
            self.line(now.wall, &format!("{:WIDTH$}│ · {what}", ""));
        }
    }

    fn line(&mut self, at: Wall, line: &str) {
        let at = Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(self.zone.clone());
        if self.text.is_empty() {
            let _ = writeln!(self.text, "{}  {:WIDTH$}hearken", at.strftime("%F    "), "caller");
        }
        let _ = writeln!(self.text, "{}  {line}", at.strftime("%H:%M:%S%.3f"));
    }
}

/// The text, followed by a line up to this width.
fn filled(text: &str, width: usize) -> String {
    format!("{text:─<width$}")
}

/// What a message is, in a few words, and its Call-ID.
fn start_and_call_id(text: &str) -> Option<(String, &str)> {
    let (head, _) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let start = lines.next()?;
    let header = |names: [&str; 2]| {
        head.lines().skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            names.iter().any(|of| name.trim().eq_ignore_ascii_case(of)).then(|| value.trim())
        })
    };
    let call_id = header(["Call-ID", "i"])?;
    let method = header(["CSeq", "CSeq"]).and_then(|cseq| cseq.split_whitespace().nth(1)).unwrap_or_default();
    let start = match start.strip_prefix("SIP/2.0 ") {
        Some(status) => format!("{status} ({method})"),
        None => method.to_owned(),
    };
    Some((start, call_id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_message_is_known_by_its_method_or_status_and_its_call() {
        let invite = "INVITE sip:a@b SIP/2.0\r\ni: one@host\r\nCSeq: 7 INVITE\r\n\r\nCall-ID: two\r\n";
        assert_eq!(start_and_call_id(invite), Some(("INVITE".to_owned(), "one@host")));
        let ok = "SIP/2.0 200 OK\r\nCall-ID: one@host\r\nCSeq: 7 BYE\r\n\r\n";
        assert_eq!(start_and_call_id(ok), Some(("200 OK (BYE)".to_owned(), "one@host")));
        assert_eq!(start_and_call_id("\r\n\r\n"), None);
    }
}
