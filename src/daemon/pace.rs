//! When to let arrivals gather instead of being woken for each.
//!
//! A wake finds cold caches and costs as much as the message that it is for. Network cards face the same and
//! moderate their interrupts; so does the control thread, while arrivals are dense and only then: a lone call is
//! served at once.

use std::time::{Duration, Instant};

/// How long arrivals gather. A call's set-up takes two such pauses, far less than anybody can notice.
const PAUSE: Duration = Duration::from_millis(2);
/// Over this time arrivals are counted.
const WINDOW: Duration = Duration::from_millis(100);
/// So many in a window are dense: one in each pause and more.
const DENSE: usize = 60;

/// How densely things arrive.
#[derive(Debug)]
pub(super) struct Pace {
    window: Instant,
    arrivals: usize,
    dense: bool,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace { window: now, arrivals: 0, dense: false }
    }

    /// How long to pause after a turn in which so many arrivals were served, and none is left.
    pub(super) fn after(&mut self, arrivals: usize, now: Instant) -> Option<Duration> {
        self.arrivals += arrivals;
        let passed = now.duration_since(self.window);
        if passed >= WINDOW {
            self.dense = self.arrivals >= DENSE && passed < 2 * WINDOW;
            (self.window, self.arrivals) = (now, 0);
        }
        self.dense.then_some(PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the last of ten turns, `every` so often with one arrival each, is followed by a pause.
    fn pauses(every: Duration, turns: u32) -> bool {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let paused = (1..=turns).map(|turn| pace.after(1, start + turn * every));
        paused.last().flatten().is_some()
    }

    #[test]
    fn only_dense_arrivals_are_made_to_wait() {
        assert!(pauses(Duration::from_millis(1), 100));
        assert!(!pauses(Duration::from_millis(1), 99));
        assert!(!pauses(Duration::from_millis(2), 500));
        assert!(!pauses(Duration::from_secs(1), 500));
    }

    #[test]
    fn a_burst_after_a_silence_is_served_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.after(1_000, start + Duration::from_secs(60)), None);
    }
}
