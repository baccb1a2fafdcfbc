//! Chance, from one seed: each purpose of each caller has a sequence of its own, so that two policies meet the same
//! callers, whatever each does with them (common random numbers).

use std::time::Duration;

use rand_distr::{Distribution as _, Exp1, OpenClosed01, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng as _;

use crate::config::workload::Spread;

/// What a sequence is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// When the callers of a trunk come.
    Arrivals = 1,
    /// How long a caller talks.
    Talk,
    /// How long a caller waits, at one attempt.
    Patience,
    /// Whether and when a caller who gave up calls again.
    Redial,
    /// Whether and when a phone that rings for a caller is picked up.
    PickUp,
    /// Whether a caller takes a callback that is offered, at one attempt.
    Callback,
    /// Whether and when a patient who is called back picks up, at one dial.
    Patient,
}

/// A sequence of chance.
pub(super) struct Dice(Xoshiro256PlusPlus);

/// Longest that anything lasts.
const LONGEST: f64 = 1e6;

/// A number that is another for each seed and each sequence of parts.
pub(super) fn key(seed: u64, parts: &[u64]) -> u64 {
    parts.iter().fold(mix(seed), |key, part| mix(key ^ mix(*part)))
}

/// The number of a name.
pub(super) fn name(text: &str) -> u64 {
    text.bytes().fold(0, |key, byte| mix(key ^ u64::from(byte)))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl Dice {
    /// The sequence of a key for a purpose, of those the n-th.
    pub(super) fn new(key: u64, purpose: Purpose, nth: u32) -> Dice {
        let seed = mix(key ^ mix(purpose as u64 | u64::from(nth) << 8));
        Dice(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Whether something comes true that does with this probability.
    pub(super) fn is(&mut self, probability: f64) -> bool {
        let unit: f64 = OpenClosed01.sample(&mut self.0);
        unit <= probability
    }

    /// Exponential, with mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// A time that is spread so, to the microsecond.
    pub(super) fn time(&mut self, spread: &Spread) -> Duration {
        let seconds = match spread {
            Spread::Fixed(time) => return *time,
            Spread::Exponential(mean) => mean.as_secs_f64() * self.exponential(),
            Spread::Lognormal { mu, sigma } => (mu + sigma * self.normal()).exp(),
            Spread::Hazard(rates) => end_of(rates, Duration::ZERO, self.exponential()),
        };
        Duration::from_secs_f64(seconds.min(LONGEST))
    }

    /// A time that is spread so, of those that are longer than another.
    pub(super) fn time_beyond(&mut self, spread: &Spread, least: Duration) -> Duration {
        const TRIES: usize = 1_000;
        match spread {
            Spread::Hazard(rates) => {
                Duration::from_secs_f64(end_of(rates, least, self.exponential()).min(LONGEST))
            }
            Spread::Exponential(_) => least + self.time(spread),
            Spread::Fixed(_) | Spread::Lognormal { .. } => {
                let mut tries = std::iter::repeat_with(|| self.time(spread)).take(TRIES);
                tries.find(|&time| time > least).unwrap_or(least)
            }
        }
    }
}

/// When the hazard since `begin` has added up to `sum`, in seconds.
fn end_of(rates: &[(Duration, f64)], begin: Duration, mut sum: f64) -> f64 {
    let begin = begin.as_secs_f64();
    for (at, (from, rate)) in rates.iter().enumerate() {
        let from = from.as_secs_f64().max(begin);
        let until = rates.get(at + 1).map_or(f64::INFINITY, |next| next.0.as_secs_f64());
        if until <= from {
            continue;
        }
        let within = (until - from) * rate;
        if *rate > 0.0 && sum <= within {
            return from + sum / rate;
        }
        if *rate > 0.0 {
            sum -= within;
        }
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(spread: &Spread) -> Vec<f64> {
        let mut dice = Dice::new(key(7, &[1]), Purpose::Talk, 0);
        let mut times: Vec<f64> = (0..100_000).map(|_| dice.time(spread).as_secs_f64()).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    fn share(times: &[f64], below: f64) -> f64 {
        times.partition_point(|&time| time <= below) as f64 / times.len() as f64
    }

    #[test]
    fn times_are_spread_as_they_should_be() {
        let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
        let exponential = draws(&Spread::Exponential(Duration::from_secs(180)));
        assert!((mean(&exponential) - 180.0).abs() < 2.0);
        let talk = draws(&Spread::Lognormal { mu: 0.543 + 60f64.ln(), sigma: 0.75 });
        assert!((mean(&talk) - 136.8).abs() < 1.5, "{}", mean(&talk));
        assert!((talk[50_000] - 103.3).abs() < 1.0, "{}", talk[50_000]);
    }

    #[test]
    fn patience_ends_at_the_rate_of_its_time() {
        let rates = vec![(0, 0.114), (60, 0.058), (120, 0.030)];
        let rates = rates.into_iter().map(|(from, per)| (Duration::from_secs(from), per / 60.0)).collect();
        let times = draws(&Spread::Hazard(rates));
        for (below, hazard) in [(60.0, 0.114), (120.0, 0.172), (300.0, 0.262), (1_200.0, 0.712)] {
            let expected = 1.0 - f64::exp(-hazard);
            assert!((share(&times, below) - expected).abs() < 0.005, "{below}");
        }
    }

    #[test]
    fn a_time_beyond_another_is_spread_as_those_beyond_it() {
        let rates = vec![(Duration::ZERO, 0.1), (Duration::from_secs(10), 0.01)];
        let mut dice = Dice::new(1, Purpose::Patience, 0);
        let least = Duration::from_secs(5);
        let spread = Spread::Hazard(rates);
        let mut times: Vec<f64> =
            (0..50_000).map(|_| dice.time_beyond(&spread, least).as_secs_f64()).collect();
        times.sort_by(f64::total_cmp);
        assert!(times[0] >= 5.0);
        assert!((share(&times, 10.0) - (1.0 - f64::exp(-0.5))).abs() < 0.01);
        assert!((share(&times, 60.0) - (1.0 - f64::exp(-1.0))).abs() < 0.01);
    }

    #[test]
    fn a_hazard_that_ends_lets_some_wait_for_ever() {
        let times = draws(&Spread::Hazard(vec![(Duration::ZERO, 0.1), (Duration::from_secs(10), 0.0)]));
        assert!((share(&times, 10.0) - (1.0 - f64::exp(-1.0))).abs() < 0.01);
        assert_eq!(share(&times, 10.0), share(&times, 100_000.0));
    }

    #[test]
    fn each_purpose_of_each_caller_has_its_own_sequence() {
        let mut firsts = std::collections::BTreeSet::new();
        for caller in 0..1_000 {
            for purpose in [Purpose::Arrivals, Purpose::Talk, Purpose::Patience] {
                for nth in 0..3 {
                    let mut dice = Dice::new(key(1, &[2, caller]), purpose, nth);
                    firsts.insert(dice.exponential().to_bits());
                }
            }
        }
        assert_eq!(firsts.len(), 9_000);
    }
}
