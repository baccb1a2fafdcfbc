//! The only reader of clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Mono, Now, Wall};

/// What the monotonic clock shows at the start, in microseconds: a year, so that what an earlier run promised has an
/// instant too.
const START: u64 = 365 * 86_400 * 1_000_000;

/// Both clocks, the monotonic one counted from a year before the making of this value.
#[derive(Copy, Clone, Debug)]
pub struct Clock {
    start: Instant,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { start: Instant::now() }
    }
}

impl Clock {
    /// Reads both clocks.
    pub fn now(&self) -> Now {
        let mono = START + u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX - START);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Now { mono: Mono(mono), wall: Wall(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)) }
    }

    /// The instant of the system that `mono` means.
    pub fn instant(&self, mono: Mono) -> Instant {
        self.start + Duration::from_micros(mono.0.saturating_sub(START))
    }
}
