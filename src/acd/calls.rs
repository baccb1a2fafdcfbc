//! What is kept for each call: found at once, and walked through in the order of the calls.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::CallId;

/// A map by call. Its table is never walked through as it is: whoever sees all sees them sorted.
#[derive(Clone)]
pub(super) struct ByCall<T>(HashMap<CallId, T, BuildHasherDefault<Mixer>>);

impl<T> ByCall<T> {
    pub(super) fn get(&self, call: &CallId) -> Option<&T> {
        self.0.get(call)
    }

    pub(super) fn get_mut(&mut self, call: &CallId) -> Option<&mut T> {
        self.0.get_mut(call)
    }

    pub(super) fn contains_key(&self, call: &CallId) -> bool {
        self.0.contains_key(call)
    }

    pub(super) fn insert(&mut self, call: CallId, value: T) {
        self.0.insert(call, value);
    }

    pub(super) fn remove(&mut self, call: &CallId) -> Option<T> {
        self.0.remove(call)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All, in the order of their calls.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&CallId, &T)> {
        let mut all: Vec<(&CallId, &T)> = self.0.iter().collect();
        all.sort_unstable_by_key(|entry| entry.0);
        all.into_iter()
    }

    /// Their calls, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &CallId> {
        self.iter().map(|(call, _)| call)
    }

    /// Changes each by itself: no order can be seen.
    pub(super) fn for_each_mut(&mut self, mut change: impl FnMut(CallId, &mut T)) {
        self.0.iter_mut().for_each(|(&call, value)| change(call, value));
    }

    /// Takes all out, in the order of their calls.
    pub(super) fn drain(&mut self) -> Vec<(CallId, T)> {
        let mut all: Vec<(CallId, T)> = self.0.drain().collect();
        all.sort_unstable_by_key(|entry| entry.0);
        all
    }
}

impl<T> Default for ByCall<T> {
    fn default() -> Self {
        ByCall(HashMap::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for ByCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: Serialize> Serialize for ByCall<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let all: Vec<(&CallId, &T)> = self.iter().collect();
        to.collect_map(all)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByCall<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        HashMap::deserialize(from).map(ByCall)
    }
}

/// Spreads calls, whose numbers are our own and count up, over the table.
#[derive(Clone, Default)]
pub(super) struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = mixed as u64 ^ (mixed >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_holds_what_a_sorted_map_would_and_is_written_alike() {
        let mut dice = crate::rng::Rng::new([5; 32]);
        let (mut calls, mut sorted) = (ByCall::default(), BTreeMap::new());
        for number in 0..5_000u64 {
            let call = CallId(((dice.bits() % 700) << 24) | (dice.bits() % 3));
            if dice.bits().is_multiple_of(3) {
                assert_eq!(calls.remove(&call), sorted.remove(&call));
            } else {
                calls.insert(call, number);
                sorted.insert(call, number);
            }
            assert_eq!((calls.get(&call), calls.len()), (sorted.get(&call), sorted.len()));
        }
        assert!(calls.iter().eq(&sorted) && sorted.len() > 500);
        let written = serde_json::to_string(&calls).unwrap();
        assert_eq!(written, serde_json::to_string(&sorted).unwrap());
        assert_eq!(postcard::to_stdvec(&calls).unwrap(), postcard::to_stdvec(&sorted).unwrap());
        let mut read: ByCall<u64> = serde_json::from_str(&written).unwrap();
        assert!(read.drain().into_iter().eq(sorted));
    }
}
