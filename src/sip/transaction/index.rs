//! Server transactions by key, quick to search although keys are long.
//!
//! A map ordered by the keys themselves would visit the bytes of some sixteen keys for each look-up; here a hash
//! beside each key settles nearly all comparisons. A peer that makes keys of equal hash gains nothing: they
//! are then ordered by their bytes.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ServerTx;

/// A key kept in an index, shared with the transaction that it leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key {
    hash: u64,
    #[serde(with = "crate::octets")]
    bytes: Arc<[u8]>,
}

impl Key {
    pub(super) fn new(bytes: &[u8]) -> Key {
        Key { hash: hash(bytes), bytes: bytes.into() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Transactions by key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Index(BTreeMap<Key, ServerTx>);

impl Index {
    pub(super) fn find(&self, bytes: &[u8]) -> Option<ServerTx> {
        let sought: &dyn Parts = &Sought { hash: hash(bytes), bytes };
        self.0.get(sought).copied()
    }

    /// Leads `key` to `tx`, whoever had it before.
    pub(super) fn insert(&mut self, key: Key, tx: ServerTx) {
        self.0.insert(key, tx);
    }

    /// Removes `key`, unless another transaction than `tx` has taken it over.
    pub(super) fn remove(&mut self, key: &Key, tx: ServerTx) {
        if self.0.get(key) == Some(&tx) {
            self.0.remove(key);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &ServerTx)> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What keys are compared by, so that one can be sought without being made.
trait Parts {
    fn parts(&self) -> (u64, &[u8]);
}

struct Sought<'a> {
    hash: u64,
    bytes: &'a [u8],
}

impl Parts for Key {
    fn parts(&self) -> (u64, &[u8]) {
        (self.hash, &self.bytes)
    }
}

impl Parts for Sought<'_> {
    fn parts(&self) -> (u64, &[u8]) {
        (self.hash, self.bytes)
    }
}

impl<'a> Borrow<dyn Parts + 'a> for Key {
    fn borrow(&self) -> &(dyn Parts + 'a) {
        self
    }
}

impl PartialEq for dyn Parts + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn Parts + '_ {}

impl PartialOrd for dyn Parts + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Parts + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// Spreads keys; stored with them, so it must stay the same from version to version.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_bytes_alone() {
        let mut index = Index::default();
        for number in 0..1_000u64 {
            index.insert(Key::new(format!("key {number}").as_bytes()), ServerTx(number));
        }
        assert_eq!(index.find(b"key 0"), Some(ServerTx(0)));
        assert_eq!(index.find(b"key 999"), Some(ServerTx(999)));
        assert_eq!(index.find(b"key 1000"), None);
        assert_eq!(index.find(b""), None);
    }

    #[test]
    fn keys_of_equal_hash_stay_apart() {
        let alike = |bytes: &[u8]| Key { hash: 7, bytes: bytes.into() };
        let mut index = Index::default();
        index.insert(alike(b"one"), ServerTx(1));
        index.insert(alike(b"two"), ServerTx(2));
        let find = |bytes| index.0.get(&Sought { hash: 7, bytes } as &dyn Parts).copied();
        assert_eq!((find(b"one"), find(b"two")), (Some(ServerTx(1)), Some(ServerTx(2))));
        assert_eq!(find(b"three"), None);
    }

    #[test]
    fn a_key_that_was_taken_over_is_not_removed_by_its_former_owner() {
        let mut index = Index::default();
        let key = Key::new(b"key");
        index.insert(key.clone(), ServerTx(1));
        index.insert(key.clone(), ServerTx(2));
        index.remove(&key, ServerTx(1));
        assert_eq!(index.find(b"key"), Some(ServerTx(2)));
        index.remove(&key, ServerTx(2));
        assert_eq!(index.len(), 0);
    }
}
