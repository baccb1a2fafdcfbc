//! What was counted today, by line and by half hours since midnight on the node's clock.
//!
//! A call belongs to the day, the line and the half hour of its arrival, as in the reports. Calls that were turned away
//! at the door are not counted: no line has had them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::call::record::Outcome;
use crate::id::CallId;
use crate::switch::Event;
use crate::switch::board::Caller;
use crate::time::Wall;

/// Within what time callers should be answered.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Of a line.
    pub routine: Duration,
    /// Of a line of emergency trunks alone.
    pub emergency: Duration,
}

/// A call of today that is over, as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Its line when it arrived.
    pub line: String,
    /// Whether it came as an emergency.
    pub emergency: bool,
    /// When.
    pub arrived: Wall,
    /// From arrival to the answer or the end.
    pub waited: Duration,
    /// How it ended.
    pub end: End,
}

/// How a call ended, as far as it is counted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Somebody answered.
    Answered,
    /// The caller gave up.
    Abandoned,
    /// Neither.
    Other,
}

/// Counts of one line.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) answered: u64,
    pub(super) answered_in_target: u64,
    pub(super) abandoned: u64,
    pub(super) other: u64,
}

/// Counts of half an hour.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Half {
    calls: u64,
    answered: u64,
    abandoned: u64,
    longest: Duration,
}

/// Half an hour as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Trend {
    from: String,
    calls: u64,
    answered: u64,
    abandoned: u64,
    longest_wait_s: f64,
}

/// A call of today that is up.
#[derive(Clone, Debug)]
struct Up {
    line: String,
    emergency: bool,
    half: usize,
    answered: bool,
}

/// The bounds of the buckets of [`Waits`], in seconds.
pub(super) const BUCKETS: [u64; 12] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800];

/// How long those waited who were answered since the start.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Waits {
    /// How many waited no longer than each of [`BUCKETS`].
    pub(super) within: [u64; BUCKETS.len()],
    pub(super) count: u64,
    pub(super) sum: Duration,
}

/// The day so far.
#[derive(Debug)]
pub struct Day {
    zone: TimeZone,
    targets: Targets,
    from: Wall,
    to: Wall,
    lines: BTreeMap<String, Counts>,
    halves: Vec<Half>,
    up: BTreeMap<CallId, Up>,
    /// Of all days.
    waits: BTreeMap<String, Waits>,
}

const HALF_HOUR_MS: i64 = 1_800_000;

impl Day {
    /// The day of `now` in a zone of that name (UTC, if there is none), of which nothing is known yet.
    pub fn new(zone: &str, targets: Targets, now: Wall) -> Day {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let (from, to) = bounds(&zone, now);
        let (lines, halves, up, waits) = Default::default();
        Day { zone, targets, from, to, lines, halves, up, waits }
    }

    /// When it began.
    pub fn began(&self) -> Wall {
        self.from
    }

    /// Counts a call that was over before anybody watched.
    pub fn count(&mut self, call: &Finished) {
        let Some(half) = self.half(call.arrived) else { return };
        let within = call.waited <= self.target(call.emergency);
        let counts = self.lines.entry(call.line.clone()).or_default();
        counts.calls += 1;
        self.halves[half].calls += 1;
        self.halves[half].end(call.end, call.waited);
        counts.end(call.end, within);
    }

    /// Takes up a call that goes on, and was there before anybody watched.
    pub fn take_up(&mut self, call: &Caller) {
        if call.kind != "caller" {
            return;
        }
        self.arrived(call.id, &call.line, call.emergency, call.arrived);
        if matches!(call.state, "talking" | "transferring") {
            self.answered(call.id, call.waited);
        }
    }

    /// Something happened.
    pub(super) fn event(&mut self, at: Wall, event: &Event) {
        self.turn(at);
        match event {
            Event::Arrived { call, line, band, .. } => {
                self.arrived(*call, line, *band == crate::acd::Band::EMERGENCY, at);
            }
            Event::Bridged { call, waited, .. } => self.answered(*call, *waited),
            Event::Ended { call, outcome, waited } => {
                let Some(up) = self.up.remove(call).filter(|up| !up.answered) else { return };
                let end = match outcome {
                    Outcome::Abandoned => End::Abandoned,
                    _ => End::Other,
                };
                self.lines.entry(up.line).or_default().end(end, false);
                self.halves[up.half].end(end, *waited);
            }
            _ => {}
        }
    }

    /// What was counted of a line.
    pub(super) fn of(&self, line: &str) -> Counts {
        self.lines.get(line).copied().unwrap_or_default()
    }

    /// How long those waited who were answered since the start, by line.
    pub(super) fn waits(&self) -> &BTreeMap<String, Waits> {
        &self.waits
    }

    /// Within what time its callers should be answered.
    pub(super) fn target(&self, emergency: bool) -> Duration {
        if emergency { self.targets.emergency } else { self.targets.routine }
    }

    /// The half hours from midnight to the one of `now`.
    pub(super) fn trend(&mut self, now: Wall) -> Vec<Trend> {
        self.turn(now);
        self.half(now);
        let halves = (0..).zip(&self.halves).map(|(at, half)| Trend {
            from: Wall(self.from.0 + at * HALF_HOUR_MS).rfc3339(),
            calls: half.calls,
            answered: half.answered,
            abandoned: half.abandoned,
            longest_wait_s: half.longest.as_millis() as f64 / 1_000.0,
        });
        halves.collect()
    }

    /// Begins the next day when it has come. Whoever arrived before is of the day before.
    fn turn(&mut self, now: Wall) {
        if now >= self.to {
            (self.from, self.to) = bounds(&self.zone, now);
            self.lines.clear();
            self.halves.clear();
            self.up.clear();
        }
    }

    /// The position of an instant among the half hours of the day; `None` if it is not of this day.
    fn half(&mut self, at: Wall) -> Option<usize> {
        if at < self.from || at >= self.to {
            return None;
        }
        let half = usize::try_from((at.0 - self.from.0) / HALF_HOUR_MS).ok()?;
        if self.halves.len() <= half {
            self.halves.resize(half + 1, Half::default());
        }
        Some(half)
    }

    fn arrived(&mut self, call: CallId, line: &str, emergency: bool, at: Wall) {
        let Some(half) = self.half(at) else { return };
        self.halves[half].calls += 1;
        self.lines.entry(line.to_owned()).or_default().calls += 1;
        self.up.insert(call, Up { line: line.to_owned(), emergency, half, answered: false });
    }

    fn answered(&mut self, call: CallId, waited: Duration) {
        let targets = self.targets;
        let Some(up) = self.up.get_mut(&call).filter(|up| !up.answered) else { return };
        up.answered = true;
        let target = if up.emergency { targets.emergency } else { targets.routine };
        self.lines.entry(up.line.clone()).or_default().end(End::Answered, waited <= target);
        self.waits.entry(up.line.clone()).or_default().add(waited);
        self.halves[up.half].end(End::Answered, waited);
    }
}

impl Counts {
    fn end(&mut self, end: End, within: bool) {
        match end {
            End::Answered => {
                self.answered += 1;
                self.answered_in_target += u64::from(within);
            }
            End::Abandoned => self.abandoned += 1,
            End::Other => self.other += 1,
        }
    }
}

impl Waits {
    fn add(&mut self, waited: Duration) {
        for (within, bound) in self.within.iter_mut().zip(BUCKETS) {
            *within += u64::from(waited <= Duration::from_secs(bound));
        }
        self.count += 1;
        self.sum += waited;
    }
}

impl Half {
    fn end(&mut self, end: End, waited: Duration) {
        self.longest = self.longest.max(waited);
        self.answered += u64::from(end == End::Answered);
        self.abandoned += u64::from(end == End::Abandoned);
    }
}

/// When the day of an instant begins and ends in a zone; it may have 23 or 25 hours.
fn bounds(zone: &TimeZone, at: Wall) -> (Wall, Wall) {
    let day = || {
        let local = Timestamp::from_millisecond(at.0).ok()?.to_zoned(zone.clone());
        let from = local.start_of_day().ok()?;
        let to = local.tomorrow().ok()?.start_of_day().ok()?;
        Some((Wall(from.timestamp().as_millisecond()), Wall(to.timestamp().as_millisecond())))
    };
    day().unwrap_or((at, Wall(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::Band;
    use crate::call::record::EndedBy;

    const TARGETS: Targets = Targets { routine: Duration::from_secs(60), emergency: Duration::from_secs(5) };

    fn at(text: &str) -> Wall {
        Wall(text.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond))
    }

    fn arrived(call: u64, line: &str, band: Band) -> Event {
        Event::Arrived { call: CallId(call), trunk: "t".into(), line: line.into(), band, waiting: 1 }
    }

    fn bridged(call: u64, seconds: u64) -> Event {
        Event::Bridged { call: CallId(call), agent: "a".into(), waited: Duration::from_secs(seconds) }
    }

    fn ended(call: u64, outcome: Outcome) -> Event {
        Event::Ended { call: CallId(call), outcome, waited: Duration::from_secs(90) }
    }

    #[test]
    fn a_call_is_counted_once_by_its_line_and_half_hour_of_arrival() {
        let noon = at("2026-07-06T11:05:00Z");
        let mut day = Day::new("Europe/London", TARGETS, noon);
        assert_eq!(day.began(), at("2026-07-05T23:00:00Z"));
        for event in [
            arrived(1, "gp", Band::ROUTINE),
            arrived(2, "gp", Band::ROUTINE),
            arrived(3, "999", Band::EMERGENCY),
            arrived(4, "gp", Band::ROUTINE),
            bridged(1, 60),
            bridged(3, 6),
            // Handed on, it is bridged again, and is the same call.
            bridged(1, 60),
            ended(1, Outcome::Answered { agent: "a".into(), ended_by: EndedBy::Caller }),
            ended(2, Outcome::Abandoned),
            ended(4, Outcome::Promised),
        ] {
            day.event(noon, &event);
        }
        let gp = Counts { calls: 3, answered: 1, answered_in_target: 1, abandoned: 1, other: 1 };
        assert_eq!(day.of("gp"), gp);
        assert_eq!(day.of("999"), Counts { calls: 1, answered: 1, ..Counts::default() });
        let trend = day.trend(noon);
        assert_eq!(trend.len(), 25);
        let last = trend.last().map(|half| (half.from.as_str(), half.calls, half.answered, half.abandoned));
        assert_eq!(last, Some(("2026-07-06T11:00:00.000Z", 4, 2, 1)));
    }

    #[test]
    fn what_the_ledger_has_and_what_goes_on_are_of_the_same_day() {
        let noon = at("2026-07-06T11:05:00Z");
        let mut day = Day::new("Europe/London", TARGETS, noon);
        let finished = |arrived, end| Finished {
            line: "gp".into(),
            emergency: false,
            arrived: at(arrived),
            waited: Duration::from_secs(61),
            end,
        };
        day.count(&finished("2026-07-05T22:59:59Z", End::Answered));
        day.count(&finished("2026-07-05T23:00:00Z", End::Answered));
        day.count(&finished("2026-07-06T10:00:00Z", End::Abandoned));
        assert_eq!(day.of("gp"), Counts { calls: 2, answered: 1, abandoned: 1, ..Counts::default() });
    }

    #[test]
    fn at_midnight_on_the_nodes_clock_all_begins_anew() {
        let evening = at("2026-07-06T22:59:00Z");
        let mut day = Day::new("Europe/London", TARGETS, evening);
        day.event(evening, &arrived(1, "gp", Band::ROUTINE));
        let next = at("2026-07-06T23:00:00Z");
        day.event(next, &ended(1, Outcome::Abandoned));
        assert_eq!(day.of("gp"), Counts::default(), "it was of the day before");
        day.event(next, &arrived(2, "gp", Band::ROUTINE));
        assert_eq!((day.of("gp").calls, day.trend(next).len()), (1, 1));
    }

    #[test]
    fn a_day_on_which_the_clocks_change_has_all_its_half_hours() {
        let mut day = Day::new("Europe/London", TARGETS, at("2026-10-25T12:00:00Z"));
        assert_eq!(day.trend(at("2026-10-25T23:59:59Z")).len(), 50);
    }
}
