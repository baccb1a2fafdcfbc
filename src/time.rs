//! Instants as the core sees them, and deadlines kept in order.
//!
//! Nothing here reads a clock: the drivers on floor 5 make a [`Now`] and hand it down. Waits are
//! measured on [`Mono`]; calendars and records use [`Wall`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A monotonic instant: microseconds since the switch's own epoch.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mono(pub u64);

impl Mono {
    /// Time elapsed since `earlier`; zero when `earlier` lies ahead.
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;

    fn add(self, rhs: Duration) -> Mono {
        let micros = rhs.as_secs().saturating_mul(1_000_000).saturating_add(rhs.subsec_micros().into());
        Mono(self.0.saturating_add(micros))
    }
}

impl Sub<Mono> for Mono {
    type Output = Duration;

    fn sub(self, rhs: Mono) -> Duration {
        self.since(rhs)
    }
}

/// A wall-clock instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wall(pub i64);

impl Wall {
    /// The instant as text for machines (RFC 3339), in UTC to the millisecond: `2026-08-31T07:15:00.000Z`.
    pub fn rfc3339(self) -> String {
        const DAY: i64 = 86_400_000;
        // Days are counted from the first of March of the year 0, so that a leap day is the last of its year.
        let (days, millis) = (self.0.div_euclid(DAY) + 719_468, self.0.rem_euclid(DAY));
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let date = day - (153 * month + 2) / 5 + 1;
        let (year, month) = (year + era * 400 + i64::from(month > 9), (month + 2) % 12 + 1);
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl Add<Duration> for Wall {
    type Output = Wall;

    fn add(self, rhs: Duration) -> Wall {
        let millis = rhs.as_secs().saturating_mul(1_000).saturating_add(rhs.subsec_millis().into());
        Wall(self.0.saturating_add(i64::try_from(millis).unwrap_or(i64::MAX)))
    }
}

impl Now {
    /// What the wall clock shows, or will, at another instant.
    pub fn wall_of(self, at: Mono) -> Wall {
        let ahead = i128::from(at.0) - i128::from(self.mono.0);
        Wall(self.wall.0.saturating_add(i64::try_from(ahead.div_euclid(1_000)).unwrap_or(0)))
    }
}

/// One reading of both clocks, taken together by the driver.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// For waits and deadlines.
    pub mono: Mono,
    /// For records and calendars.
    pub wall: Wall,
}

/// The earlier of two instants, either of which may be missing.
pub fn earlier(a: Option<Mono>, b: Option<Mono>) -> Option<Mono> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Deadlines by key, popped in order of time and then of key, so that two runs agree.
///
/// A key holds at most one deadline; setting it again moves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines<K: Ord> {
    by_key: BTreeMap<K, Mono>,
    by_time: BTreeSet<(Mono, K)>,
}

impl<K: Ord> Default for Deadlines<K> {
    fn default() -> Self {
        Deadlines { by_key: BTreeMap::new(), by_time: BTreeSet::new() }
    }
}

impl<K: Ord + Copy> Deadlines<K> {
    /// Sets or moves the deadline of `key`.
    pub fn set(&mut self, key: K, at: Mono) {
        if let Some(old) = self.by_key.insert(key, at) {
            if old == at {
                return;
            }
            self.by_time.remove(&(old, key));
        }
        self.by_time.insert((at, key));
    }

    /// Forgets the deadline of `key`, if it has one.
    pub fn clear(&mut self, key: K) {
        if let Some(old) = self.by_key.remove(&key) {
            self.by_time.remove(&(old, key));
        }
    }

    /// The deadline of `key`, if it has one.
    pub fn at(&self, key: K) -> Option<Mono> {
        self.by_key.get(&key).copied()
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Mono> {
        self.by_time.first().map(|&(at, _)| at)
    }

    /// Removes and returns the earliest deadline that is not after `now`, with its own time.
    pub fn pop_due(&mut self, now: Mono) -> Option<(Mono, K)> {
        let &(at, key) = self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.by_key.remove(&key);
        Some((at, key))
    }

    /// Moves every deadline later, all by as much.
    pub fn delay(&mut self, by: Duration) {
        self.by_key.values_mut().for_each(|at| *at = *at + by);
        self.by_time =
            std::mem::take(&mut self.by_time).into_iter().map(|(at, key)| (at + by, key)).collect();
    }

    /// Moves the deadline of `key`, if it has one that is before `at`, to `at`.
    pub fn not_before(&mut self, key: K, at: Mono) {
        if self.at(key).is_some_and(|due| due < at) {
            self.set(key, at);
        }
    }

    /// Whatever has a deadline, in order.
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.by_key.keys().copied()
    }

    /// How many deadlines are set.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn instants_are_written_as_every_other_program_reads_them() {
        for at in [0, 1_789_000_000_123, -1, 951_782_399_999, 951_782_400_000, 4_107_542_399_000] {
            let text = jiff::Timestamp::from_millisecond(at).unwrap().strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
            assert_eq!(Wall(at).rfc3339(), text.to_string());
        }
        let mut at = -2_208_988_800_000;
        while at < 4_200_000_000_000 {
            assert_eq!(Wall(at).rfc3339().parse::<jiff::Timestamp>().unwrap().as_millisecond(), at);
            at += 86_400_000 * 13 + 1_234_567;
        }
    }

    #[test]
    fn a_moved_deadline_fires_once_at_its_new_time() {
        let mut deadlines = Deadlines::default();
        deadlines.set(7u32, Mono(100));
        deadlines.set(7, Mono(300));
        deadlines.set(3, Mono(300));
        assert_eq!(deadlines.pop_due(Mono(200)), None);
        assert_eq!(deadlines.pop_due(Mono(400)), Some((Mono(300), 3)));
        assert_eq!(deadlines.pop_due(Mono(400)), Some((Mono(300), 7)));
        assert_eq!(deadlines.pop_due(Mono(400)), None);
    }

    #[test]
    fn deadlines_that_are_delayed_keep_their_distance() {
        let mut deadlines = Deadlines::default();
        deadlines.set(7u32, Mono(100));
        deadlines.set(3, Mono(300));
        deadlines.delay(Duration::from_micros(50));
        assert_eq!((deadlines.at(7), deadlines.next()), (Some(Mono(150)), Some(Mono(150))));
        assert_eq!(deadlines.pop_due(Mono(149)), None);
        assert_eq!(deadlines.pop_due(Mono(400)), Some((Mono(150), 7)));
        deadlines.not_before(3, Mono(200));
        assert_eq!(deadlines.at(3), Some(Mono(350)));
        deadlines.not_before(3, Mono(380));
        deadlines.not_before(9, Mono(380));
        assert_eq!(deadlines.pop_due(Mono(400)), Some((Mono(380), 3)));
        assert!(deadlines.is_empty());
    }

    #[test]
    fn a_cleared_deadline_never_fires() {
        let mut deadlines = Deadlines::default();
        deadlines.set(1u8, Mono(5));
        deadlines.clear(1);
        assert!(deadlines.is_empty());
        assert_eq!(deadlines.next(), None);
    }
}
