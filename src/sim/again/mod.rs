//! A day that a flight log has, again under other rules: through the very exchange that routes real calls, without SIP.
//!
//! What people did is taken from the log ([`Recorded`]): when each called, how long each talked, when agents were at
//! work, how long a phone rang before it was picked up. What became of it is decided anew ([`rerun()`]).
//!
//! How long a caller who was answered would have waited, nobody knows: it is drawn from what all callers of the day
//! showed (Kaplan and Meier's estimate), longer than the caller was seen to wait, always the same for the same call.

mod rerun;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::acd::{Availability, PauseReason};
use crate::call::record::{CallRecord, Outcome, Presentation, Stage};
use crate::flight::Batch;
use crate::policy::Trunk;
use crate::rng::Rng;
use crate::switch::plan::Plan;
use crate::switch::{Event, Output, Switch};
use crate::time::{Mono, Now, Wall};

pub use rerun::rerun;

/// How long a talk lasts on a day that has none, and how long a phone rings.
const TALK: Duration = Duration::from_secs(180);
const RING: Duration = Duration::from_secs(5);

/// What a day was, as far as the rules had no say in it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When it began.
    pub begin: Now,
    /// Its calls, in order of arrival.
    pub calls: Vec<Call>,
    /// How each agent began the day.
    pub staff: BTreeMap<String, Shift>,
    /// When agents came, went, paused and came back.
    pub shifts: Vec<(Mono, String, Shift)>,
    /// Calls that had begun before.
    pub before: usize,
    rings: Vec<Duration>,
}

/// A call of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub number: u64,
    /// When it came.
    pub at: Mono,
    /// The same on the wall clock.
    pub arrived: Wall,
    /// Its trunk.
    pub trunk: String,
    /// The number that called, where it was known.
    pub cli: Option<String>,
    /// How long it talked, if it was answered.
    pub talked: Option<Duration>,
    /// What became of it.
    pub was: End,
    /// How long it waited for that.
    pub waited: Duration,
}

/// Whether an agent takes calls.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Shift {
    /// At work.
    Works,
    /// At work, but on a pause.
    Pauses,
    /// Not at work.
    Away,
}

/// What became of a call.
#[derive(Copy, Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// An agent answered.
    Answered,
    /// The caller gave up.
    GaveUp,
    /// The line did not take it, or led it out.
    TurnedAway,
    /// It waited still at the end, or was lost.
    Open,
}

/// What became of a call under some rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// By the position of the call: its line, what became of it, how long it waited.
    pub calls: Vec<(String, End, Duration)>,
}

impl Call {
    fn trunk_on<'a>(&self, plan: &'a Plan) -> Option<&'a Trunk> {
        plan.ingress.trunks.get(plan.ingress.trunk_named(&self.trunk)?.index())
    }
}

/// The line that a trunk leads to; none where the plan does not know the trunk.
fn line_of(trunk: Option<&Trunk>, plan: &Plan) -> String {
    let line = trunk.and_then(|trunk| plan.acd.lines.get(trunk.line.index()));
    line.map_or_else(String::new, |line| line.name.clone())
}

impl Recorded {
    /// A day that begins with this switch, of which nothing is known yet.
    pub fn new(switch: &Switch, begin: Now) -> Recorded {
        let staff = switch.agents().map(|(name, state)| (name, shift_of(&state))).collect();
        Recorded { begin, calls: Vec::new(), staff, shifts: Vec::new(), before: 0, rings: Vec::new() }
    }

    /// Takes in what came out of some inputs.
    pub fn note(&mut self, batch: &Batch) {
        let mut from = 0;
        for (&(now, _), &to) in batch.inputs.iter().zip(&batch.ends) {
            for output in &batch.outputs[from..to] {
                match output {
                    Output::Record(record) => self.record(record),
                    Output::Event(Event::Availability { agent, state }) => {
                        self.shifts.push((now.mono, agent.clone(), shift_of(state)));
                    }
                    _ => {}
                }
            }
            from = to;
        }
    }

    fn record(&mut self, record: &CallRecord) {
        if record.promise.is_some() {
            return;
        }
        let Ok(since) = u64::try_from(record.arrived.0 - self.begin.wall.0) else {
            self.before += 1;
            return;
        };
        let mut talked = Duration::ZERO;
        for segment in &record.segments {
            let lasted = segment.to.saturating_sub(segment.from);
            match &segment.stage {
                Stage::Talk { .. } => talked += lasted,
                Stage::Presented { result: Presentation::Answered, .. } => self.rings.push(lasted),
                _ => {}
            }
        }
        let was = match &record.outcome {
            Outcome::Answered { .. } => End::Answered,
            Outcome::Abandoned => End::GaveUp,
            Outcome::Refused { .. } | Outcome::Released { .. } | Outcome::Promised => End::TurnedAway,
            _ => End::Open,
        };
        self.calls.push(Call {
            number: record.call.0,
            at: self.begin.mono + Duration::from_millis(since),
            arrived: record.arrived,
            trunk: record.trunk.clone(),
            cli: record.cli.clone(),
            talked: (was == End::Answered).then_some(talked),
            was,
            waited: record.waited,
        });
    }

    /// All is taken in.
    pub fn complete(&mut self) {
        self.calls.sort_by_key(|call| (call.at, call.number));
        self.rings.sort_unstable();
    }

    /// What became of its calls that day, in the lines of the plan that it began with.
    pub fn as_it_was(&self, plan: &Plan) -> Outcomes {
        let calls = self.calls.iter().map(|call| (line_of(call.trunk_on(plan), plan), call.was, call.waited));
        Outcomes { calls: calls.collect() }
    }

    /// How long a phone rings before it is picked up: the median of the day.
    fn ring(&self) -> Duration {
        self.rings.get(self.rings.len() / 2).copied().unwrap_or(RING)
    }
}

fn shift_of(state: &Availability) -> Shift {
    match state {
        Availability::LoggedOut => Shift::Away,
        Availability::Paused(PauseReason::Chosen(_)) => Shift::Pauses,
        _ => Shift::Works,
    }
}

/// What the day shows of its callers' patience and talks.
struct People {
    /// How likely a caller is to wait longer than this, falling.
    patience: Vec<(Duration, f64)>,
    talks: Vec<Duration>,
}

impl People {
    fn of(day: &Recorded) -> People {
        let mut seen: Vec<(Duration, bool)> =
            day.calls.iter().map(|call| (call.waited, call.was == End::GaveUp)).collect();
        // Who gave up after the same wait as another was answered was at risk with that one.
        seen.sort_by_key(|&(waited, gave_up)| (waited, !gave_up));
        let (mut patience, mut stay) = (Vec::new(), 1.0);
        for (at, &(waited, gave_up)) in seen.iter().enumerate() {
            if gave_up {
                stay *= 1.0 - 1.0 / (seen.len() - at) as f64;
                patience.push((waited, stay));
            }
        }
        let mut talks: Vec<Duration> = day.calls.iter().filter_map(|call| call.talked).collect();
        talks.sort_unstable();
        People { patience, talks }
    }

    /// How long a caller waits before it gives up; `None` for as long as it takes.
    fn patience(&self, call: &Call) -> Option<Duration> {
        if call.was == End::GaveUp {
            return Some(call.waited);
        }
        let known = self.patience.iter().rev().find(|&&(waited, _)| waited <= call.waited);
        let left = known.map_or(1.0, |&(_, stay)| stay) * chance(call, 1);
        let later = self.patience.iter().filter(|&&(waited, _)| waited > call.waited);
        later.into_iter().find(|&&(_, stay)| stay <= left).map(|&(waited, _)| waited)
    }

    fn talk(&self, call: &Call) -> Duration {
        let any = (chance(call, 2) * self.talks.len() as f64) as usize;
        call.talked.or_else(|| self.talks.get(any).copied()).unwrap_or(TALK)
    }
}

/// From 0 to under 1, always the same for the same call and purpose.
fn chance(call: &Call, purpose: u8) -> f64 {
    let mut seed = [purpose; 32];
    seed[..8].copy_from_slice(&call.number.to_le_bytes());
    seed[8..16].copy_from_slice(&call.arrived.0.to_le_bytes());
    Rng::new(seed).fraction()
}
