//! One call as a ladder: its SIP messages, what was decided between them, and what its people heard and pressed.
//!
//! A log holds what came in; what went out and was decided is what comes out of it again. So each segment that has
//! some of the call is replayed, from the snapshot beside it.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::replay::{Batch, Segment, Stopped, replay_until, segments};
use super::snapshot::State;
use super::{Error, files, snapshot};
use crate::call::leg::Side;
use crate::call::media;
use crate::id::{CallId, LegId};
use crate::switch::{CallerOrder, Event, Input, Output, Switch};
use crate::time::{Mono, Now, Wall};

/// Most bytes of segments and snapshots that are read for one ladder: two segments and what lies beside them.
const MOST_BYTES: u64 = 256 << 20;
/// Longest that a ladder may take.
const LONGEST: Duration = Duration::from_secs(20);
/// Most steps of one.
const MOST_STEPS: usize = 1_000;
/// How long after the end of a call its last messages are looked for: no transaction lasts longer.
const AFTER: Duration = Duration::from_secs(35);

/// Something that happened in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Wall,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A message went over the wire.
    Message {
        /// The other end.
        party: Party,
        /// Its address.
        remote: SocketAddr,
        /// Whether it came from there.
        comes: bool,
        /// Its method, or its status and the method that it answers.
        start: String,
        /// All of it.
        text: String,
    },
    /// The switch has decided, or done, something.
    Decision(String),
    /// Somebody hears something else, or has pressed a key.
    Media(Party, String),
}

/// The other end of a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// The caller, or the patient who is called back.
    Caller,
    /// The agent, or seat of a destination, of this name.
    Agent(String),
}

/// Which call is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The call of this number, in every run that the log holds.
    Number(CallId),
    /// The call one of whose legs has this Call-ID.
    CallId(String),
}

/// What the log holds of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// In order.
    pub steps: Vec<Step>,
    /// Why this is not all of it.
    pub short: Option<Short>,
}

/// Why a ladder is not whole.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Short {
    /// The log no longer holds the beginning of the call.
    Beginning,
    /// There are more steps.
    Steps,
    /// More of the log would have to be read.
    Bytes,
    /// It would take longer.
    Time,
}

/// Why there is no ladder of a call.
#[derive(Debug, thiserror::Error)]
pub enum NoLadder {
    /// The log holds no such call, and never did.
    #[error("there was no such call")]
    Unknown,
    /// The part of the log that held it is gone.
    #[error("the log no longer holds this call")]
    Forgotten,
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] Stopped),
}

impl From<Error> for NoLadder {
    fn from(error: Error) -> NoLadder {
        NoLadder::Log(error.into())
    }
}

/// The call of this number in one life of the switch, from the log in `directory`, which may be being written.
///
/// Reads and replays as much as [`Short`] says at most; costs seconds at worst, so it is nothing for a thread that
/// others wait for.
pub fn ladder(directory: &Path, run: i64, call: CallId) -> Result<Ladder, NoLadder> {
    ladder_within(directory, run, call, (MOST_BYTES, LONGEST))
}

/// The same with other bounds on the bytes that are read and the time that it takes.
pub(super) fn ladder_within(
    directory: &Path,
    run: i64,
    call: CallId,
    (left, longest): (u64, Duration),
) -> Result<Ladder, NoLadder> {
    let mut search = Search { begun: Instant::now(), longest, left, short: None };
    let paths = segments(directory)?;
    let Some(first) = search.first(&paths, run, call)? else { return Err(NoLadder::Forgotten) };
    let mut collector = Collector::new(Wanted::Number(call));
    for path in &paths[first..] {
        if search.is_over(&mut collector, path, run)? {
            break;
        }
    }
    let Collector { mut steps, .. } = collector;
    steps.truncate(MOST_STEPS);
    match search.short {
        None if steps.is_empty() => Err(NoLadder::Unknown),
        short => Ok(Ladder { steps, short }),
    }
}

/// What a ladder has cost so far.
struct Search {
    begun: Instant,
    longest: Duration,
    left: u64,
    short: Option<Short>,
}

impl Search {
    /// The segment in which a call of a run began, or the first of those that are left of it.
    fn first(&mut self, paths: &[PathBuf], run: i64, call: CallId) -> Result<Option<usize>, Error> {
        // Numbers are given out in order, so the one that is looked for is found in a few steps.
        let (mut low, mut high, mut before, mut goes_on) = (0, paths.len(), None, false);
        while low < high {
            let middle = low.midpoint(high);
            let (of, state, _) = self.base(&paths[middle])?;
            if of == run && state.switch.last_call() >= call {
                (high, goes_on) = (middle, state.switch.knows(call));
            } else {
                (low, before) = (middle + 1, (of == run).then_some(middle));
            }
        }
        if before.is_some() {
            return Ok(before);
        }
        self.short = goes_on.then_some(Short::Beginning);
        Ok(goes_on.then_some(low))
    }

    /// The run of a segment, and the state before its first input.
    fn base(&mut self, path: &Path) -> Result<(i64, State, Now), Error> {
        let path = files::base_of(path).ok_or(Error::Foreign)?;
        let bytes = fs::read(&path).map_err(Error::file(&path))?;
        self.left = self.left.saturating_sub(bytes.len() as u64);
        let (head, state, now) = snapshot::read(&bytes)?;
        Ok((head.run.ledger, state, now))
    }

    /// Adds what a segment has of the call; says whether there is nothing more to look for.
    fn is_over(&mut self, collector: &mut Collector, path: &Path, run: i64) -> Result<bool, NoLadder> {
        let size = fs::metadata(path).map_err(Error::file(path))?.len();
        if size > self.left {
            self.short = Some(Short::Bytes);
            return Ok(true);
        }
        self.left -= size;
        let (of, state, now) = self.base(path)?;
        if of != run {
            return Ok(true);
        }
        let segment = Segment::read(path)?;
        collector.learn(&state.switch);
        let mut over = false;
        let each = |batch: &Batch, switch: &Switch| {
            collector.batch(batch, switch);
            over = collector.is_over(batch, switch);
            if collector.steps.len() > MOST_STEPS {
                self.short = Some(Short::Steps);
            } else if self.begun.elapsed() > self.longest {
                self.short = Some(Short::Time);
            }
            over |= matches!(self.short, Some(Short::Steps | Short::Time));
            if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match replay_until(state.switch, now, &segment, each) {
            // What came before is true all the same.
            Ok(_) | Err(Stopped::Differs { .. } | Stopped::Failed { .. }) => Ok(over),
            Err(stopped) => Err(stopped.into()),
        }
    }
}

/// Gathers the steps of one call from a replay.
#[derive(Debug)]
pub struct Collector {
    wanted: Wanted,
    /// Whose each Call-ID is.
    known: BTreeMap<String, (CallId, Party)>,
    /// Whose each leg is.
    legs: BTreeMap<LegId, (CallId, Party)>,
    last: LegId,
    /// When the call was over.
    ended: Option<Mono>,
    /// What was gathered so far, in order.
    pub steps: Vec<Step>,
}

impl Collector {
    /// Nothing gathered yet.
    pub fn new(wanted: Wanted) -> Collector {
        let (known, legs) = (BTreeMap::new(), BTreeMap::new());
        Collector { wanted, known, legs, last: LegId(0), ended: None, steps: Vec::new() }
    }

    /// Learns whose the legs are that were made since the last time.
    pub fn learn(&mut self, switch: &Switch) {
        for (leg, call, call_id, side) in switch.legs_after(self.last) {
            self.last = leg;
            let party = match side {
                Side::Caller => Party::Caller,
                Side::Agent(agent) | Side::Code(agent) => Party::Agent(switch.plan().acd.name_of(agent)),
            };
            if let Some(call_id) = call_id {
                self.known.insert(call_id.to_owned(), (call, party.clone()));
            }
            self.legs.insert(leg, (call, party));
        }
    }

    /// Adds what inputs that were handled together have of the call.
    pub fn batch(&mut self, batch: &Batch, switch: &Switch) {
        self.learn(switch);
        for output in &batch.outputs {
            // One that was refused never had a leg.
            if let Output::Record(record) = output {
                self.known.entry(record.sip_call_id.clone()).or_insert((record.call, Party::Caller));
            }
        }
        let mut from = 0;
        for ((now, input), &end) in batch.inputs.iter().zip(&batch.ends) {
            match input {
                Input::Datagram { flow, bytes, .. } | Input::Chunk { flow, bytes } => {
                    self.message(*now, bytes, flow.remote, true);
                }
                Input::Media(event) => self.heard(*now, event),
                Input::Caller(order) => self.order(*now, order),
                _ => {}
            }
            for output in &batch.outputs[from..end] {
                match output {
                    Output::Send { flow, bytes } => self.message(*now, bytes, flow.remote, false),
                    Output::Event(event) => self.event(*now, event),
                    Output::Media { command, .. } => self.media(*now, command),
                    Output::Record(record) if self.is_wanted(record.call) => self.ended = Some(now.mono),
                    Output::Close { .. } | Output::Record(_) | Output::Promise(_) | Output::Case(_) => {}
                }
            }
            from = end;
        }
    }

    /// Whether the call is over for so long that nothing more comes of it.
    fn is_over(&self, batch: &Batch, switch: &Switch) -> bool {
        let Wanted::Number(call) = self.wanted else { return false };
        let now = batch.inputs.last().map(|(now, _)| now.mono);
        let long_over = now.zip(self.ended).is_some_and(|(now, ended)| now.since(ended) > AFTER);
        long_over && !switch.knows(call)
    }

    fn is_wanted(&self, call: CallId) -> bool {
        match &self.wanted {
            Wanted::Number(wanted) => *wanted == call,
            Wanted::CallId(wanted) => self.known.get(wanted).is_some_and(|(wanted, _)| *wanted == call),
        }
    }

    fn step(&mut self, now: Now, what: What) {
        self.steps.push(Step { at: now.wall, what });
    }

    fn decided(&mut self, now: Now, call: CallId, what: impl FnOnce() -> String) {
        if self.is_wanted(call) {
            self.step(now, What::Decision(what()));
        }
    }

    fn message(&mut self, now: Now, bytes: &[u8], remote: SocketAddr, comes: bool) {
        let text = String::from_utf8_lossy(bytes);
        let Some((start, call_id)) = start_and_call_id(&text) else { return };
        let Some((call, party)) = self.known.get(call_id) else { return };
        if self.is_wanted(*call) {
            let party = party.clone();
            self.step(now, What::Message { party, remote, comes, start, text: text.into_owned() });
        }
    }

    /// What was ordered that no event tells of.
    fn order(&mut self, now: Now, order: &CallerOrder) {
        match order {
            CallerOrder::Rank(call, band) => {
                self.decided(now, *call, || format!("a supervisor orders band {}", band.0));
            }
            CallerOrder::Credit(call, credit) => self.decided(now, *call, || {
                format!("a supervisor orders that it counts as {} s earlier", credit.as_secs())
            }),
            CallerOrder::HangUp(call) => {
                self.decided(now, *call, || "a supervisor orders its end".to_owned());
            }
            CallerOrder::Flag(_) | CallerOrder::Move(..) => {}
        }
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
            Event::Announced { call, rule } => (call, format!("told something by rule {rule}")),
            Event::Offered { call, rule } => (call, format!("offered a callback by rule {rule}")),
            Event::Flagged { call, .. } => (call, "flagged as an emergency".to_owned()),
            Event::Moved { call, from, to } => (call, format!("moved from line {from} to {to}")),
            Event::Ended { call, outcome, .. } => (call, format!("over: {outcome:?}")),
            _ => return,
        };
        self.decided(now, *call, || what);
    }

    fn media(&mut self, now: Now, command: &media::Command) {
        use media::Command::*;
        let (leg, what) = match command {
            Set(stream) => {
                let way = format!("{:?}", stream.direction).to_lowercase();
                (
                    stream.leg,
                    format!("{:?} with {} over port {}, {way}", stream.codec, stream.remote, stream.port),
                )
            }
            Play { leg, clips, .. } if clips.is_empty() => (*leg, "hears silence".to_owned()),
            Play { leg, .. } => (*leg, "hears music".to_owned()),
            Say { leg, .. } => (*leg, "is told something".to_owned()),
            Hush { leg } => (*leg, "is told no more".to_owned()),
            Listen { leg, on: true } => (*leg, "is asked for a key".to_owned()),
            Listen { leg, on: false } => (*leg, "is asked for no key any more".to_owned()),
            Bridge { a, b } => {
                let party = |leg| self.legs.get(leg).map(|(_, party)| party.to_string());
                let others = party(a).zip(party(b)).map(|(a, b)| format!("{a} and {b} hear each other"));
                (*a, others.unwrap_or_else(|| "is bridged".to_owned()))
            }
            Unbridge { leg } => (*leg, "is bridged no more".to_owned()),
            Close { leg } => (*leg, "hears nothing any more".to_owned()),
        };
        self.of_leg(now, leg, what);
    }

    fn heard(&mut self, now: Now, event: &media::Event) {
        match event {
            media::Event::Dead { leg, silent_for } => {
                self.of_leg(now, *leg, format!("has sent nothing for {} s", silent_for.as_secs()));
            }
            media::Event::Said { leg, .. } => self.of_leg(now, *leg, "has heard it out".to_owned()),
            media::Event::Digit { leg, .. } => self.of_leg(now, *leg, "presses a key".to_owned()),
        }
    }

    fn of_leg(&mut self, now: Now, leg: LegId, what: String) {
        if let Some((call, party)) = self.legs.get(&leg)
            && self.is_wanted(*call)
        {
            let party = party.clone();
            self.step(now, What::Media(party, what));
        }
    }
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Party::Caller => f.write_str("caller"),
            Party::Agent(name) => f.write_str(name),
        }
    }
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
