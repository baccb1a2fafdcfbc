//! How much one user or address may ask, and how often a password may be tried.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::make_room;

/// For how many seconds' worth requests may come at once.
const BURST: f64 = 3.0;
/// Wrong passwords in a row before a name is locked.
const TRIES: u32 = 5;
/// For how long it is locked then.
pub(super) const LOCKED: Duration = Duration::from_secs(60);
/// Most names and addresses that are remembered; beyond them the one that was seen least lately is forgotten.
const MOST: usize = 4_096;

/// What is remembered of users and addresses.
pub(super) struct Limits {
    /// Requests a second.
    rate: f64,
    buckets: BTreeMap<String, (f64, Instant)>,
    failures: BTreeMap<String, (u32, Instant)>,
}

impl Limits {
    /// So many requests a second are let through in the long run.
    pub(super) fn new(rate: u32) -> Limits {
        Limits { rate: f64::from(rate), buckets: BTreeMap::new(), failures: BTreeMap::new() }
    }

    /// Counts a request of `whose`; after how many seconds to try again if it is one too many.
    pub(super) fn spend(&mut self, whose: &str, now: Instant) -> Result<(), u64> {
        if !self.buckets.contains_key(whose) {
            make_room(&mut self.buckets, MOST, |(_, at)| *at);
        }
        let (left, at) = self.buckets.entry(whose.to_owned()).or_insert((BURST * self.rate, now));
        let earned = now.saturating_duration_since(*at).as_secs_f64() * self.rate;
        (*left, *at) = ((*left + earned).min(BURST * self.rate), now);
        if *left < 1.0 {
            return Err(1);
        }
        *left -= 1.0;
        Ok(())
    }

    /// For how many seconds a name is still locked.
    pub(super) fn locked(&self, name: &str, now: Instant) -> Option<u64> {
        let &(tries, at) = self.failures.get(name)?;
        let left = (at + LOCKED).saturating_duration_since(now);
        (tries >= TRIES && !left.is_zero()).then_some(left.as_secs() + 1)
    }

    /// A password was wrong.
    pub(super) fn failed(&mut self, name: &str, now: Instant) {
        if !self.failures.contains_key(name) {
            make_room(&mut self.failures, MOST, |(_, at)| *at);
        }
        let (tries, at) = self.failures.entry(name.to_owned()).or_insert((0, now));
        if *tries >= TRIES && now.saturating_duration_since(*at) >= LOCKED {
            *tries = 0;
        }
        (*tries, *at) = (*tries + 1, now);
    }

    /// A password was right.
    pub(super) fn succeeded(&mut self, name: &str) {
        self.failures.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_so_many_a_second() {
        let (mut limits, now) = (Limits::new(20), Instant::now());
        let let_through =
            |limits: &mut Limits, at| (0..200).filter(|_| limits.spend("jo", at).is_ok()).count();
        assert_eq!(let_through(&mut limits, now), 60);
        assert_eq!(let_through(&mut limits, now + Duration::from_secs(1)), 20);
        assert_eq!(let_through(&mut limits, now + Duration::from_secs(3_600)), 60);
        assert!(limits.spend("other", now).is_ok());
    }

    #[test]
    fn a_name_is_locked_after_five_wrong_passwords_for_a_minute() {
        let (mut limits, now) = (Limits::new(20), Instant::now());
        for _ in 0..4 {
            limits.failed("jo", now);
        }
        assert_eq!(limits.locked("jo", now), None);
        limits.failed("jo", now);
        assert_eq!(limits.locked("jo", now + Duration::from_secs(30)), Some(31));
        let later = now + LOCKED;
        assert_eq!(limits.locked("jo", later), None);
        limits.failed("jo", later);
        assert_eq!(limits.locked("jo", later), None, "the count begins again");
        limits.succeeded("jo");
        assert!(limits.failures.is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut limits, now) = (Limits::new(20), Instant::now());
        for n in 0..2 * MOST as u64 {
            let at = now + Duration::from_millis(n);
            assert!(limits.spend(&n.to_string(), at).is_ok());
            limits.failed(&n.to_string(), at);
        }
        assert_eq!((limits.buckets.len(), limits.failures.len()), (MOST, MOST));
        assert!(limits.buckets.contains_key(&(2 * MOST - 1).to_string()));
    }
}
