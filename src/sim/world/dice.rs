//! Chance, from one seed: the same seed always makes the same world.

use std::time::Duration;

/// A small generator of its own (SplitMix64), fast and with nothing in common with that of the switch.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to one less than `sides`.
    pub(super) fn below(&mut self, sides: usize) -> usize {
        (self.bits() % sides.max(1) as u64) as usize
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(super) fn chance(&mut self, in_a_thousand: u32) -> bool {
        self.bits() % 1_000 < u64::from(in_a_thousand)
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A time between two, in milliseconds, the longer one excluded.
    pub(super) fn between(&mut self, least: u64, most: u64) -> Duration {
        let micros = least * 1_000 + self.bits() % ((most - least).max(1) * 1_000);
        Duration::from_micros(micros)
    }

    /// A generator for one part of the world, so that another part's throws do not move its own.
    pub(super) fn split(&mut self) -> Dice {
        Dice(self.bits())
    }
}
