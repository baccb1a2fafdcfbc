//! How long callers waited, line by line, with every call counted under exactly one outcome.
//!
//! A centile is the nearest-rank one: the p-th of n waits is the one at place ceil(p * n / 100) in ascending
//! order, so it is always a wait that somebody had. The median is the 50th. Waits are whole milliseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::record::CallRecord;

use super::store;
use super::words::Kind;

/// The figures of each line that had calls, by name, and of all lines together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// By line.
    pub lines: BTreeMap<String, Figures>,
    /// Of all calls: its centiles are those of all waits, not of the lines' centiles.
    pub total: Figures,
}

/// What became of a number of calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// All of them; the sum of the outcomes.
    pub calls: u64,
    /// A person answered.
    pub answered: u64,
    /// The caller gave up.
    pub abandoned: u64,
    /// Turned away at the door.
    pub refused: u64,
    /// Ended without answer and without the caller's wish.
    pub lost: u64,
    /// Led out of the line: nobody could answer for as long as anyone may wait.
    pub released: u64,
    /// Left the line for a promised callback.
    pub promised: u64,
    /// How long the answered ones waited; `None` when there are none.
    pub waits: Option<Waits>,
    /// How long the most patient of those who gave up had waited.
    pub longest_abandoned: Option<Duration>,
}

/// The waits of answered calls: the mean is not to be had without the centiles.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// The sum divided by their number.
    pub mean: Duration,
    /// The 50th centile.
    pub median: Duration,
    /// The 90th centile.
    pub p90: Duration,
    /// The 95th centile.
    pub p95: Duration,
    /// The 99th centile.
    pub p99: Duration,
    /// The longest.
    pub longest: Duration,
}

/// The table of records in memory; the ledger's own is part of [`super::report::Summary`].
pub fn waits_by_line<'a>(records: impl IntoIterator<Item = &'a CallRecord>) -> Table {
    let mut tally = Tally::default();
    // What we called ourselves was no caller's wait.
    for record in records.into_iter().filter(|record| record.promise.is_none() && record.case.is_none()) {
        let waited = store::millis(record.waited).unsigned_abs();
        tally.add(&record.line, Kind::of(&record.outcome), waited);
    }
    tally.table()
}

impl Waits {
    /// The figures of these waits in milliseconds; `None` of none.
    pub fn of(mut waits: Vec<u64>) -> Option<Waits> {
        waits.sort_unstable();
        let longest = *waits.last()?;
        let count = waits.len();
        let sum: u128 = waits.iter().copied().map(u128::from).sum();
        let mean_nanos = sum * 1_000_000 / count as u128;
        let centile = |p: usize| Duration::from_millis(waits[(p * count).div_ceil(100) - 1]);
        Some(Waits {
            mean: Duration::from_nanos(u64::try_from(mean_nanos).unwrap_or(u64::MAX)),
            median: centile(50),
            p90: centile(90),
            p95: centile(95),
            p99: centile(99),
            longest: Duration::from_millis(longest),
        })
    }
}

/// Collects calls for a [`Table`].
#[derive(Default)]
pub(super) struct Tally {
    lines: BTreeMap<String, Sums>,
}

#[derive(Default)]
struct Sums {
    answered: Vec<u64>,
    abandoned: u64,
    longest_abandoned: Option<u64>,
    refused: u64,
    lost: u64,
    released: u64,
    promised: u64,
}

impl Tally {
    /// Counts one call that waited `waited` milliseconds.
    pub(super) fn add(&mut self, line: &str, outcome: Kind, waited: u64) {
        let sums = match self.lines.get_mut(line) {
            Some(sums) => sums,
            None => self.lines.entry(line.to_owned()).or_default(),
        };
        match outcome {
            Kind::Answered => sums.answered.push(waited),
            Kind::Abandoned => {
                sums.abandoned += 1;
                sums.longest_abandoned = sums.longest_abandoned.max(Some(waited));
            }
            Kind::Refused => sums.refused += 1,
            Kind::Lost => sums.lost += 1,
            Kind::Released => sums.released += 1,
            Kind::Promised => sums.promised += 1,
            // Calls that we make are not callers'.
            Kind::Unreached | Kind::Withdrawn => {}
        }
    }

    /// The figures of all that was counted.
    pub(super) fn table(self) -> Table {
        let mut all = Sums::default();
        for sums in self.lines.values() {
            all.answered.extend(&sums.answered);
            all.abandoned += sums.abandoned;
            all.longest_abandoned = all.longest_abandoned.max(sums.longest_abandoned);
            all.refused += sums.refused;
            all.lost += sums.lost;
            all.released += sums.released;
            all.promised += sums.promised;
        }
        let lines = self.lines.into_iter().map(|(line, sums)| (line, sums.figures())).collect();
        Table { lines, total: all.figures() }
    }
}

impl Sums {
    fn figures(self) -> Figures {
        let answered = self.answered.len() as u64;
        Figures {
            calls: answered + self.abandoned + self.refused + self.lost + self.released + self.promised,
            answered,
            abandoned: self.abandoned,
            refused: self.refused,
            lost: self.lost,
            released: self.released,
            promised: self.promised,
            waits: Waits::of(self.answered),
            longest_abandoned: self.longest_abandoned.map(Duration::from_millis),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn seconds(waits: impl IntoIterator<Item = u64>) -> Vec<u64> {
        waits.into_iter().map(|s| s * 1000).collect()
    }

    #[test]
    fn centiles_of_a_hundred_waits_are_their_own_numbers() {
        let waits = Waits::of(seconds((1..=100).rev())).unwrap();
        let figures = [waits.mean, waits.median, waits.p90, waits.p95, waits.p99, waits.longest];
        assert_eq!(figures.map(|wait| wait.as_millis()), [50_500, 50_000, 90_000, 95_000, 99_000, 100_000]);
    }

    #[test]
    fn one_wait_is_all_centiles_and_none_has_no_mean() {
        let waits = Waits::of(vec![1234]).unwrap();
        assert!([waits.mean, waits.median, waits.p99].iter().all(|wait| wait.as_millis() == 1234));
        assert_eq!(Waits::of(Vec::new()), None);
    }

    #[test]
    fn the_mean_of_the_longest_waits_does_not_overflow() {
        assert_eq!(Waits::of(vec![u64::MAX; 3]).unwrap().mean, Duration::from_nanos(u64::MAX));
    }

    proptest! {
        /// The nearest-rank centile by its definition: the least wait that p per cent of all do not exceed.
        #[test]
        fn a_centile_is_the_least_wait_that_enough_do_not_exceed(given in prop::collection::vec(0u64..500, 1..300)) {
            let waits = Waits::of(given.clone()).unwrap();
            for (p, centile) in [(50, waits.median), (90, waits.p90), (95, waits.p95), (99, waits.p99)] {
                let reaches = |v: u64| given.iter().filter(|&&w| w <= v).count() * 100 >= p * given.len();
                let least = given.iter().copied().filter(|&v| reaches(v)).min().unwrap();
                prop_assert_eq!(centile.as_millis(), u128::from(least));
            }
        }
    }
}
