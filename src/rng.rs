//! The one source of randomness in the core: a generator seeded at construction.
//!
//! ChaCha, because tags, branches and Call-IDs must not be guessable by a forger (RFC 3261, 19.3), and
//! because its state can be stored and its sequence repeated.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// Seed of the generator: 32 bytes, from the operating system in production, fixed in tests.
pub type Seed = [u8; 32];

/// A seeded, serialisable generator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// A generator that will always give the same sequence for `seed`.
    pub fn new(seed: Seed) -> Rng {
        Rng(ChaCha8Rng::from_seed(seed))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A fraction of one, below it: of the 53 bits that a float holds exactly.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A token of 13 characters of `0-9a-v` (64 bits), for tags and branches.
    pub fn token(&mut self) -> String {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
        let bits = self.bits();
        let mut token = String::with_capacity(13);
        token.extend((0..13).map(|i| DIGITS[(bits >> (5 * i)) as usize & 31] as char));
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_tokens() {
        let (mut a, mut b) = (Rng::new([7; 32]), Rng::new([7; 32]));
        let tokens: Vec<_> = (0..100).map(|_| a.token()).collect();
        assert!(tokens.iter().all(|token| *token == b.token() && token.len() == 13));
        assert_ne!(tokens[0], tokens[1]);
    }
}
