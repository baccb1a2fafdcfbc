//! What people see: one line for each event as it happens.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use crate::acd::{Availability, Band, Cause, PauseReason};
use crate::call::record::{EndedBy, Outcome};
use crate::id::CallId;
use crate::switch::Event;

/// Writes events as lines; remembers only the calls that are up.
pub(super) struct Screen<W> {
    out: W,
    colour: bool,
    /// Width of the longest line's name.
    width: usize,
    calls: BTreeMap<CallId, View>,
    gone: bool,
}

struct View {
    line: String,
    emergency: bool,
    /// Whether no phone rings for it and nobody talks with it.
    waiting: bool,
    talking_since: Option<Duration>,
}

impl<W: Write> Screen<W> {
    /// A screen for lines of callers whose names have at most `width` characters.
    pub(super) fn new(out: W, colour: bool, width: usize) -> Screen<W> {
        Screen { out, colour, width, calls: BTreeMap::new(), gone: false }
    }

    /// Writes a line that belongs to no call.
    pub(super) fn say(&mut self, text: &str) {
        self.gone |= writeln!(self.out, "{text}").is_err();
    }

    /// Whether nobody reads any more.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Writes a line with the time since the demo began.
    pub(super) fn note(&mut self, at: Duration, text: &str) {
        self.say(&format!("{}  {text}", clock(at)));
    }

    /// Writes what happened `at` this time since the demo began.
    pub(super) fn event(&mut self, at: Duration, event: &Event) {
        if let Some(text) = self.describe(at, event) {
            self.note(at, &text);
        }
    }

    fn describe(&mut self, at: Duration, event: &Event) -> Option<String> {
        match event {
            Event::Arrived { call, line, band, waiting, .. } => {
                let emergency = *band == Band::EMERGENCY;
                let view = View { line: line.clone(), emergency, waiting: true, talking_since: None };
                self.calls.insert(*call, view);
                Some(self.line(*call, &format!("arrived, {waiting} waiting")))
            }
            Event::Presented { call, agent } => {
                let overtaken = self.overtaken(*call);
                self.set(*call, |view| view.waiting = false);
                let before = match overtaken {
                    0 => String::new(),
                    1 => ", before 1 caller who came earlier".to_owned(),
                    n => format!(", before {n} callers who came earlier"),
                };
                Some(self.line(*call, &format!("presented to {agent}{before}")))
            }
            Event::Missed { call, agent, cause } => {
                self.set(*call, |view| view.waiting = true);
                Some(self.line(*call, &format!("missed by {agent} ({})", why(*cause))))
            }
            Event::Bridged { call, agent, waited } => {
                self.set(*call, |view| view.talking_since = Some(at));
                Some(self.line(*call, &format!("bridged to {agent} after {}", seconds(*waited))))
            }
            Event::BackInLine { call, agent, .. } => {
                self.set(*call, |view| (view.waiting, view.talking_since) = (true, None));
                Some(self.line(*call, &format!("back in line: the phone of {agent} is lost")))
            }
            Event::HandedOn { call, agent, to } => {
                self.set(*call, |view| (view.waiting, view.talking_since) = (true, None));
                Some(self.line(*call, &format!("handed on by {agent} to {to}")))
            }
            Event::HandedBack { call, agent, from, .. } => {
                Some(self.line(*call, &format!("not taken by {from}, to whom {agent} handed it")))
            }
            Event::NotHandedOn { call, agent, why } => {
                Some(self.line(*call, &format!("{agent} cannot hand it on: {why}")))
            }
            Event::Referred { .. } | Event::ReferralEnded { .. } | Event::Case { .. } => None,
            Event::Disposed { call, agent, code } => {
                Some(self.line(*call, &format!("disposition {code} by {agent}")))
            }
            Event::Flagged { call, .. } => {
                self.set(*call, |view| view.emergency = true);
                Some(self.line(*call, "flagged as an emergency"))
            }
            Event::Moved { call, to, .. } => {
                self.set(*call, |view| view.line.clone_from(to));
                Some(self.line(*call, "moved to this line"))
            }
            Event::Ended { call, outcome, waited } => {
                let talked = self.calls.get(call).and_then(|view| view.talking_since);
                let talked = talked.map(|since| seconds(at.saturating_sub(since)));
                let text = self.line(*call, &ending(outcome, *waited, talked));
                self.calls.remove(call);
                Some(text)
            }
            Event::TurnedAway { source, code } => {
                Some(format!("a call from {source} is turned away with {code}"))
            }
            Event::Availability { agent, state: Availability::Paused(PauseReason::Missed(_)) } => {
                Some(format!("{agent} is paused after too many missed calls"))
            }
            Event::Availability { .. } | Event::Draining { .. } | Event::Drained | Event::Resumed { .. } => {
                None
            }
            Event::Reloaded
            | Event::ReloadRefused { .. }
            | Event::EntryRefused { .. }
            | Event::Announced { .. }
            | Event::Offered { .. }
            | Event::Disagreement { .. }
            | Event::Callback { .. } => None,
            Event::Trunk { trunk, up } => {
                Some(format!("trunk {trunk} is {}", if *up { "up" } else { "down" }))
            }
            Event::Rule { line, rule, on, .. } => {
                Some(format!("rule {rule} of line {line} is {}", if *on { "on" } else { "off" }))
            }
        }
    }

    /// How many wait longer than this emergency call does.
    fn overtaken(&self, call: CallId) -> usize {
        match self.calls.get(&call) {
            Some(view) if view.emergency => {
                self.calls.range(..call).filter(|(_, earlier)| earlier.waiting && !earlier.emergency).count()
            }
            _ => 0,
        }
    }

    fn set(&mut self, call: CallId, change: impl FnOnce(&mut View)) {
        if let Some(view) = self.calls.get_mut(&call) {
            change(view);
        }
    }

    fn line(&self, call: CallId, what: &str) -> String {
        let view = self.calls.get(&call);
        let mark = match view {
            Some(view) if view.emergency && self.colour => "\x1b[1;31m999\x1b[0m",
            Some(view) if view.emergency => "999",
            _ => "   ",
        };
        let line = view.map_or("", |view| &view.line);
        format!("{:<8} {mark} {line:<width$}  {what}", call.to_string(), width = self.width)
    }
}

fn ending(outcome: &Outcome, waited: Duration, talked: Option<String>) -> String {
    let waited = seconds(waited);
    match outcome {
        Outcome::Answered { agent, ended_by } => {
            let talked = talked.map(|talked| format!(" after {talked} of talk")).unwrap_or_default();
            match ended_by {
                EndedBy::Caller => format!("ended by the caller{talked}"),
                EndedBy::Agent => format!("ended by {agent}{talked}"),
                other => format!("ended{talked}: {}", fault(*other)),
            }
        }
        Outcome::Abandoned => format!("abandoned after {waited}"),
        Outcome::Refused { code } => format!("refused with {code}"),
        Outcome::Released { .. } => format!("led out of the line after {waited}"),
        Outcome::Promised => format!("promised a callback after {waited}"),
        Outcome::Unreached { .. } => "called back, not reached".to_owned(),
        Outcome::Withdrawn => "not to be called back now".to_owned(),
        Outcome::Lost { ended_by } => format!("LOST after {waited}: {}", fault(*ended_by)),
    }
}

fn fault(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Caller => "the caller hung up",
        EndedBy::Agent => "the agent hung up",
        EndedBy::DeadMedia => "no sound came",
        EndedBy::DeadPeer => "a phone was gone",
        EndedBy::Shutdown => "the daemon stopped",
        EndedBy::Supervisor => "a supervisor ended it",
    }
}

fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Busy => "busy",
        Cause::Rejected => "rejected",
        Cause::NoAnswer => "no answer",
        Cause::Unreachable => "unreachable",
        Cause::Failed => "failed",
    }
}

fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// Minutes, seconds and tenths.
fn clock(at: Duration) -> String {
    let tenths = at.as_millis() / 100;
    format!("{:>2}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shown(colour: bool, events: &[(u64, Event)]) -> String {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out, colour, 9);
        for (millis, event) in events {
            screen.event(Duration::from_millis(*millis), event);
        }
        String::from_utf8(out).unwrap()
    }

    fn arrived(call: u64, line: &str, band: Band, waiting: usize) -> Event {
        Event::Arrived { call: CallId(call), trunk: line.into(), line: line.into(), band, waiting }
    }

    fn presented(call: u64) -> Event {
        Event::Presented { call: CallId(call), agent: "asha".into() }
    }

    #[test]
    fn a_call_is_told_from_arrival_to_end() {
        let call = CallId(1);
        let bridged = Event::Bridged { call, agent: "asha".into(), waited: Duration::from_millis(3_240) };
        let missed = Event::Missed { call, agent: "ben".into(), cause: Cause::Busy };
        let outcome = Outcome::Answered { agent: "asha".into(), ended_by: EndedBy::Agent };
        let ended = Event::Ended { call, outcome, waited: Duration::from_millis(3_240) };
        let text = shown(
            false,
            &[
                (0, arrived(1, "elm-tree", Band::ROUTINE, 1)),
                (900, missed),
                (1_000, presented(1)),
                (3_240, bridged),
                (63_240, ended),
            ],
        );
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                " 0:00.0  call-1       elm-tree   arrived, 1 waiting",
                " 0:00.9  call-1       elm-tree   missed by ben (busy)",
                " 0:01.0  call-1       elm-tree   presented to asha",
                " 0:03.2  call-1       elm-tree   bridged to asha after 3.2 s",
                " 1:03.2  call-1       elm-tree   ended by asha after 60.0 s of talk",
            ]
        );
    }

    #[test]
    fn an_emergency_is_marked_and_says_whom_it_overtakes() {
        let events = [
            (0, arrived(1, "elm-tree", Band::ROUTINE, 1)),
            (0, arrived(2, "elm-tree", Band::ROUTINE, 2)),
            (0, arrived(3, "elm-tree", Band::ROUTINE, 3)),
            (0, presented(1)),
            (0, arrived(4, "emergency", Band::EMERGENCY, 1)),
            (0, presented(4)),
        ];
        let text = shown(false, &events);
        let last = text.lines().last().unwrap();
        assert_eq!(
            last,
            " 0:00.0  call-4   999 emergency  presented to asha, before 2 callers who came earlier"
        );
        assert!(!text.contains('\x1b'));
        assert!(shown(true, &events).contains("\x1b[1;31m999\x1b[0m emergency"));
    }

    #[test]
    fn calls_that_are_over_are_forgotten() {
        let mut screen = Screen::new(Vec::new(), false, 9);
        screen.event(Duration::ZERO, &arrived(1, "elm-tree", Band::ROUTINE, 1));
        let ended =
            Event::Ended { call: CallId(1), outcome: Outcome::Abandoned, waited: Duration::from_secs(8) };
        screen.event(Duration::from_secs(8), &ended);
        assert!(screen.calls.is_empty());
        assert!(String::from_utf8(screen.out).unwrap().ends_with("abandoned after 8.0 s\n"));
    }
}
