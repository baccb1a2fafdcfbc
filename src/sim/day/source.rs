//! Who calls, and when: made up from the load model, or as a ledger has it.

use std::time::Duration;

use super::dice::{Dice, Purpose, key, name};
use crate::call::record::{CallRecord, Outcome, Segment, Stage};
use crate::config::workload::{Calls, Profile};
use crate::id::TrunkId;
use crate::policy::Ingress;
use crate::time::{Mono, Wall};

/// A call that a ledger has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When it arrived, since midnight.
    pub at: Duration,
    /// The trunk that it came by.
    pub trunk: TrunkId,
    /// The same for calls of the same caller, another for others.
    pub caller: u64,
    /// How long it talked, if it was answered.
    pub talked: Option<Duration>,
    /// How long it waited.
    pub waited: Duration,
    /// Whether it then gave up: if not, it would have waited longer.
    pub gave_up: bool,
}

impl Recorded {
    /// What a load needs of a record; `None` for a trunk that `ingress` does not know, or a call before `midnight`.
    ///
    /// A call that was refused, lost or led out says nothing of how long its caller would have waited.
    pub fn of(record: &CallRecord, ingress: &Ingress, midnight: Wall) -> Option<Recorded> {
        let trunk = ingress.trunk_named(&record.trunk)?;
        let at = Duration::from_millis(u64::try_from(record.arrived.0 - midnight.0).ok()?);
        let talk = |segment: &Segment| matches!(segment.stage, Stage::Talk { .. });
        let talks = record.segments.iter().filter(|segment| talk(segment));
        let talked = talks.map(|segment| segment.to.saturating_sub(segment.from)).sum();
        let caller = match &record.cli {
            Some(cli) => name(cli),
            None => key(record.call.0, &[record.arrived.0.unsigned_abs()]),
        };
        Some(Recorded {
            at,
            trunk,
            caller,
            talked: matches!(record.outcome, Outcome::Answered { .. }).then_some(talked),
            waited: record.waited,
            gave_up: record.outcome == Outcome::Abandoned,
        })
    }
}

/// The first calls of the callers of one trunk: a Poisson process whose rate follows the profile.
pub(super) struct Source<'a> {
    calls: &'a Calls,
    dice: Dice,
    key: u64,
    /// Callers so far.
    count: u64,
    /// How many are expected by now: unit-rate time, in which the gaps are exponential.
    expected: f64,
    /// The step of the profile that `expected` falls in, and how many are expected before it.
    step: usize,
    before: f64,
    to: Duration,
}

impl<'a> Source<'a> {
    pub(super) fn new(calls: &'a Calls, copy: u32, seed: u64, from: Duration, to: Duration) -> Source<'a> {
        let key = key(seed, &[name(&calls.name), u64::from(copy)]);
        let dice = Dice::new(key, Purpose::Arrivals, 0);
        let expected = calls.per_day * share_before(&calls.profile, from);
        Source { calls, dice, key, count: 0, expected, step: 0, before: 0.0, to }
    }

    /// When the next caller comes, and its key; `None` when none does before the end.
    pub(super) fn next(&mut self) -> Option<(Mono, u64)> {
        self.expected += self.dice.exponential();
        let steps = &self.calls.profile.steps;
        loop {
            let step = steps.get(self.step)?;
            let until = steps.get(self.step + 1).map_or(DAY, |next| next.from);
            let within = step.share * self.calls.per_day;
            if self.expected < self.before + within {
                let part = (self.expected - self.before) / within;
                let at = step.from + (until - step.from).mul_f64(part);
                if at >= self.to {
                    return None;
                }
                self.count += 1;
                return Some((Mono(0) + at, key(self.key, &[self.count])));
            }
            self.before += within;
            self.step += 1;
        }
    }
}

const DAY: Duration = Duration::from_secs(86_400);

/// The share of a day's calls that come before an instant.
fn share_before(profile: &Profile, at: Duration) -> f64 {
    let mut share = 0.0;
    for (number, step) in profile.steps.iter().enumerate() {
        let until = profile.steps.get(number + 1).map_or(DAY, |next| next.from);
        if at >= until {
            share += step.share;
        } else if at > step.from {
            share +=
                step.share * at.saturating_sub(step.from).as_secs_f64() / (until - step.from).as_secs_f64();
        }
    }
    share
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::workload::Callers;

    fn arrivals(per_day: f64, seed: u64, from: u64, to: u64) -> Vec<u64> {
        let calls = Calls {
            trunk: TrunkId(0),
            name: "elm-tree".into(),
            per_day,
            fifth: None,
            profile: Arc::new(Profile::practices()),
            callers: Arc::new(Callers::patients()),
        };
        let hour = |hours| Duration::from_secs(3_600 * hours);
        let mut source = Source::new(&calls, 0, seed, hour(from), hour(to));
        std::iter::from_fn(|| source.next()).map(|(at, _)| at.0 / 1_000_000).collect()
    }

    #[test]
    fn calls_come_as_often_as_the_published_bands_say() {
        let per_day = 1_000_000.0;
        let all = arrivals(per_day, 3, 0, 24);
        let share = |from: u64, to: u64| {
            let within = |at: &&u64| (from * 60..to * 60).contains(*at);
            all.iter().filter(within).count() as f64 / per_day
        };
        for (from, to, expected) in [
            (0, 360, 0.001),
            (360, 480, 0.058),
            (480, 600, 0.322),
            (600, 720, 0.203),
            (720, 840, 0.152),
            (840, 960, 0.158),
            (960, 1_080, 0.095),
            (1_080, 1_110, 0.006),
            (1_110, 1_440, 0.005),
            (480, 540, 0.2093),
            (480, 485, 0.2093 / 4.0),
        ] {
            assert!((share(from, to) - expected).abs() < 0.002, "{from} to {to}: {}", share(from, to));
        }
        assert!(all.is_sorted());
    }

    #[test]
    fn a_part_of_the_day_has_its_part_of_the_calls() {
        let part = arrivals(100_000.0, 5, 9, 11);
        assert!(part.first().is_some_and(|&at| (9 * 3_600..9 * 3_600 + 60).contains(&at)));
        assert!(part.last().is_some_and(|&at| at < 11 * 3_600));
        let expected = 100_000.0 * (0.322 * 0.35 + 0.203 / 2.0);
        assert!((part.len() as f64 - expected).abs() < 4.0 * expected.sqrt(), "{}", part.len());
    }

    #[test]
    fn counts_of_a_day_vary_as_poissons_do() {
        let counts: Vec<f64> = (0..400).map(|seed| arrivals(300.0, seed, 0, 24).len() as f64).collect();
        let mean = counts.iter().sum::<f64>() / 400.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 399.0;
        assert!((mean - 300.0).abs() < 3.5, "{mean}");
        assert!((0.75..1.3).contains(&(variance / 300.0)), "{variance}");
    }
}
