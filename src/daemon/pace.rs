//! When to let arrivals gather instead of being woken for each.
//!
//! A wake finds cold caches and costs as much as the message that it is for. Network cards face the same and
//! moderate their interrupts; so does the control thread, while arrivals are dense and only then: a lone call is
//! served at once.

use std::time::{Duration, Instant};

/// How long arrivals gather. A call's set-up takes two such pauses, far less than anybody can notice.
const PAUSE: Duration = Duration::from_millis(8);
/// Over this time arrivals are counted.
const WINDOW: Duration = Duration::from_millis(100);
/// So many in a window are dense: four in each pause and more.
const DENSE: usize = 50;

/// How densely things arrive.
#[derive(Debug)]
pub(super) struct Pace {
    window: Instant,
    arrivals: usize,
    dense: bool,
    ran_dry: bool,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace { window: now, arrivals: 0, dense: false, ran_dry: false }
    }

    /// So many inputs were served in one turn, of which `most` may be.
    pub(super) fn served(&mut self, inputs: usize, most: usize) {
        self.arrivals += inputs;
        self.ran_dry = inputs < most;
    }

    /// How long to pause before the next turn, unless more is waiting already.
    pub(super) fn pause(&mut self, now: Instant) -> Option<Duration> {
        let passed = now.duration_since(self.window);
        if passed >= WINDOW {
            self.dense = self.arrivals >= DENSE && passed < 2 * WINDOW;
            (self.window, self.arrivals) = (now, 0);
        }
        (self.dense && self.ran_dry).then_some(PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the last of so many turns, `every` so often with one arrival each, is followed by a pause.
    fn pauses(every: Duration, turns: u32) -> bool {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let paused = (1..=turns).map(|turn| {
            pace.served(1, 100);
            pace.pause(start + turn * every)
        });
        paused.last().flatten().is_some()
    }

    #[test]
    fn only_dense_arrivals_are_made_to_wait() {
        assert!(pauses(Duration::from_millis(1), 100));
        assert!(!pauses(Duration::from_millis(1), 99));
        assert!(!pauses(Duration::from_millis(3), 500));
        assert!(!pauses(Duration::from_secs(1), 500));
    }

    #[test]
    fn nothing_is_made_to_wait_for_more_when_more_is_there() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.served(100, 100);
        assert_eq!(pace.pause(start + WINDOW), None);
        pace.served(99, 100);
        assert_eq!(pace.pause(start + WINDOW), Some(PAUSE));
    }

    #[test]
    fn a_burst_after_a_silence_is_served_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.served(1_000, 10_000);
        assert_eq!(pace.pause(start + Duration::from_secs(60)), None);
    }
}
