//! What a seed came to: how much was done, and which rare things happened.

use std::collections::BTreeMap;

/// Counts of one seed, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs of the switch.
    pub inputs: u64,
    /// Messages that the switch sent.
    pub sent: u64,
    /// Virtual time, in milliseconds.
    pub millis: u64,
    /// How often each thing happened, by its name.
    pub seen: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// One more of these.
    pub(super) fn note(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// How often this happened.
    pub fn count(&self, what: &str) -> u64 {
        self.seen.get(what).copied().unwrap_or(0)
    }

    /// Adds the counts of another seed.
    pub fn add(&mut self, other: &Tally) {
        self.inputs += other.inputs;
        self.sent += other.sent;
        self.millis += other.millis;
        for (what, count) in &other.seen {
            *self.seen.entry(what).or_default() += count;
        }
    }
}
