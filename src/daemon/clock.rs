//! The only reader of clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

use crate::flight::Run;
use crate::time::{Mono, Now, Wall};

/// What the monotonic clock shows when a switch begins its life: a year, so that what an earlier run promised has an
/// instant too.
const START: Mono = Mono(365 * 86_400 * 1_000_000);

/// Both clocks, the monotonic one counted from a year before the beginning of the switch's life.
#[derive(Copy, Clone, Debug)]
pub struct Clock {
    start: Instant,
    /// What the clock showed at `start`.
    shown: Mono,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { start: Instant::now(), shown: START }
    }
}

impl Clock {
    /// The clock of a switch that was last told `last`, and whether the kernel has counted all the time since: after
    /// a reboot the wall clock says how much has passed.
    pub fn continuing(run: &Run, last: Now) -> (Clock, bool) {
        let start = Instant::now();
        let shown =
            u64::try_from(kernel().saturating_sub(run.zero)).ok().filter(|&shown| shown >= last.mono.0);
        match shown.filter(|_| boot() == run.boot) {
            Some(shown) => (Clock { start, shown: Mono(shown) }, true),
            None => {
                let passed = wall().0.saturating_sub(last.wall.0);
                let passed = Duration::from_millis(u64::try_from(passed).unwrap_or(0));
                (Clock { start, shown: last.mono + passed }, false)
            }
        }
    }

    /// What the kernel's own clock showed when this one was at zero, in microseconds.
    pub fn zero(&self) -> i64 {
        kernel().saturating_sub(i64::try_from(self.now().mono.0).unwrap_or(i64::MAX))
    }

    /// Reads both clocks.
    pub fn now(&self) -> Now {
        Now { mono: self.shown + self.start.elapsed(), wall: wall() }
    }

    /// The instant of the system that `mono` means; the past is now.
    pub fn instant(&self, mono: Mono) -> Instant {
        self.start + mono.since(self.shown)
    }
}

/// The kernel's name for the time since it was booted; empty where it does not tell.
pub(super) fn boot() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    read.map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// The kernel's monotonic clock, in microseconds.
fn kernel() -> i64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() * 1_000_000 + time.tv_nsec() / 1_000)
}

fn wall() -> Wall {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Wall(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_that_goes_on_in_another_process_keeps_its_time() {
        let clock = Clock::default();
        let run = Run { ledger: 1, boot: boot(), zero: clock.zero() };
        let last = clock.now();
        let (next, whole) = Clock::continuing(&run, last);
        let now = next.now();
        assert!(
            whole && now.mono >= last.mono && now.mono.since(last.mono) < Duration::from_secs(60),
            "{now:?}"
        );
    }

    #[test]
    fn after_a_reboot_the_wall_clock_says_how_long_it_took() {
        let clock = Clock::default();
        let last = Now { mono: Mono(5_000_000), wall: Wall(wall().0 - 90_000) };
        let run = Run { ledger: 1, boot: "another".to_owned(), zero: clock.zero() };
        let (next, whole) = Clock::continuing(&run, last);
        let passed = next.now().mono.since(last.mono);
        assert!(
            !whole && passed >= Duration::from_secs(90) && passed < Duration::from_secs(150),
            "{passed:?}"
        );
    }
}
