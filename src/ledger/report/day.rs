//! The half hours of the day, over all days of a period.

use std::time::Duration;

use super::super::waits::Waits;
use super::super::words::Kind;
use super::clock::Clock;
use super::terms::Terms;
use super::walk::Told;

const HALF_HOURS: usize = 48;

/// Collects calls by the half hour in which they arrived.
pub struct Day {
    clock: Clock,
    half_hours: [Sum; HALF_HOURS],
}

#[derive(Clone, Default)]
struct Sum {
    calls: u64,
    abandoned: u64,
    /// Of answered calls, in milliseconds.
    waits: Vec<u64>,
}

/// The calls that arrived in one half hour.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct HalfHour {
    /// All of them.
    pub calls: u64,
    /// Those answered.
    pub answered: u64,
    /// Those whose caller gave up.
    pub abandoned: u64,
    /// Median and 95th centile wait of those answered.
    pub waits: Option<(Duration, Duration)>,
}

impl Day {
    /// No calls yet.
    pub fn new(terms: &Terms) -> Day {
        Day { clock: Clock::new(terms.zone.clone()), half_hours: std::array::from_fn(|_| Sum::default()) }
    }

    /// Counts a call, if it is a caller's own.
    pub fn add(&mut self, told: &Told<'_>) {
        let call = told.call;
        if !call.is_callers() {
            return;
        }
        let at = usize::from(self.clock.local(call.arrived).minute / 30);
        let sum = &mut self.half_hours[at.min(HALF_HOURS - 1)];
        sum.calls += 1;
        match call.kind {
            Kind::Answered => sum.waits.push(call.waited),
            Kind::Abandoned => sum.abandoned += 1,
            _ => {}
        }
    }

    /// The half hours from midnight.
    pub fn half_hours(self) -> Vec<HalfHour> {
        let half_hour = |sum: Sum| {
            let answered = sum.waits.len() as u64;
            let waits = Waits::of(sum.waits).map(|waits| (waits.median, waits.p95));
            HalfHour { calls: sum.calls, answered, abandoned: sum.abandoned, waits }
        };
        self.half_hours.into_iter().map(half_hour).collect()
    }
}
