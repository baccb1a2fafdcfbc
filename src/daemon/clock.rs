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
    /// The clock of a switch that was last told `last`. The kernel has counted the time since, unless it was booted: after
    /// a reboot the wall clock says how much has passed. So it does where the kernel does not tell whether there was one,
    /// unless it is `the_same_process` that goes on.
    pub fn continuing(run: &Run, last: Now, the_same_process: bool) -> Clock {
        let start = Instant::now();
        let shown = u64::try_from(kernel().saturating_sub(run.zero)).ok();
        // Each reading was rounded down to a microsecond, so of the same instant this may show one less.
        let shown = shown.filter(|shown| shown + 1 >= last.mono.0).map(|shown| shown.max(last.mono.0));
        let boot = boot();
        let the_same_kernel = the_same_process || (!boot.is_empty() && boot == run.boot);
        match shown.filter(|_| the_same_kernel) {
            Some(shown) => Clock { start, shown: Mono(shown) },
            None => {
                let passed = wall().0.saturating_sub(last.wall.0);
                let passed = Duration::from_millis(u64::try_from(passed).unwrap_or(0));
                Clock { start, shown: last.mono + passed }
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

    fn passed(last: Now, boot: &str, the_same_process: bool) -> u64 {
        let clock = Clock::default();
        let run = Run { ledger: 1, boot: boot.to_owned(), zero: clock.zero() };
        let last = Now { mono: clock.now().mono, ..last };
        Clock::continuing(&run, last, the_same_process).now().mono.since(last.mono).as_secs()
    }

    fn a_minute_and_a_half_ago() -> Now {
        Now { mono: Mono(0), wall: Wall(wall().0 - 90_000) }
    }

    #[test]
    fn a_switch_that_goes_on_in_another_process_keeps_its_time() {
        // Clocks that were rounded show now and then less than a moment before.
        for _ in 0..2_000 {
            let passed = passed(a_minute_and_a_half_ago(), &boot(), boot().is_empty());
            assert!(passed < 60, "whatever the wall clock says: {passed}");
        }
    }

    #[test]
    fn after_a_reboot_the_wall_clock_says_how_long_it_took() {
        // Nor does a kernel that did not tell its name vouch for anything.
        for boot in ["another", ""] {
            let passed = passed(a_minute_and_a_half_ago(), boot, false);
            assert!((90..150).contains(&passed), "{boot:?}: {passed}");
        }
    }

    #[test]
    fn a_process_that_goes_on_needs_no_name_of_its_kernel() {
        assert!(passed(a_minute_and_a_half_ago(), "", true) < 60);
    }
}
