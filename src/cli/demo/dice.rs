//! Chance for the demo, from one seed: the same seed tells the same story.

use std::time::Duration;

use crate::rng::{Rng, Seed};

/// The player who tells the story.
pub(super) const STORY: u64 = 0;

/// The player who is the n-th agent.
pub(super) fn agent(nth: usize) -> u64 {
    1 + nth as u64
}

/// The player who is the n-th caller.
pub(super) fn caller(nth: u64) -> u64 {
    (1 << 32) + nth
}

/// A source of chance.
#[derive(Clone, Debug)]
pub(super) struct Dice(Rng);

impl Dice {
    /// The dice of one player: every player has a sequence of his own, so that no one's timing moves another's.
    pub(super) fn new(seed: u64, player: u64) -> Dice {
        let mut bytes = Seed::default();
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&player.to_le_bytes());
        Dice(Rng::new(bytes))
    }

    /// A span between two others.
    pub(super) fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        shortest + longest.saturating_sub(shortest).mul_f64(self.0.fraction())
    }

    /// A number below `end`; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = end.max(1) as u64;
        (self.0.bits() % end) as usize
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A token for tags, branches and Call-IDs.
    pub(super) fn token(&mut self) -> String {
        self.0.token()
    }

    /// 32 bits, for RTP.
    pub(super) fn word(&mut self) -> u32 {
        (self.0.bits() >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_stays_in_its_bounds() {
        let (short, long) = (Duration::from_secs(3), Duration::from_secs(8));
        let mut dice = Dice::new(1, 2);
        for _ in 0..1_000 {
            assert!((short..=long).contains(&dice.between(short, long)));
            assert!(dice.below(7) < 7);
        }
        assert_eq!(dice.between(long, short), long);
        assert_eq!(dice.below(0), 0);
    }

    #[test]
    fn players_of_one_seed_have_different_luck() {
        assert_ne!(Dice::new(1, 1).word(), Dice::new(1, 2).word());
        assert_eq!(Dice::new(1, 1).token(), Dice::new(1, 1).token());
    }
}
