//! Callers who gave up and ring again: a redial within the window gets the place of the call that was given up.
//!
//! One table for each line. It holds what was left behind, never who waits: a second call beside one that
//! still waits finds nothing here and joins like any other. No number is kept, only a key made from it above.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::octets;
use crate::time::{Deadlines, Mono};

/// A caller's number as a keyed hash: equal numbers have equal keys, and no number can be read from one.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallerKey(pub [u8; 16]);

/// The order of the bytes, compared all at once.
impl Ord for CallerKey {
    fn cmp(&self, other: &CallerKey) -> Ordering {
        u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
    }
}

impl PartialOrd for CallerKey {
    fn partial_cmp(&self, other: &CallerKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for CallerKey {
    /// In 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// As text where people may read it, so that it can be the key of a map in JSON too.
impl Serialize for CallerKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { octets::serialize(&self.0, to) }
    }
}

impl<'de> Deserialize<'de> for CallerKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<CallerKey, D::Error> {
        if !from.is_human_readable() {
            return octets::deserialize(from).map(CallerKey);
        }
        let text = String::deserialize(from)?;
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u128::from_str_radix(&text, 16).ok()).flatten();
        let bytes = number.ok_or_else(|| D::Error::custom("a caller's key has 32 hexadecimal digits"))?;
        Ok(CallerKey(bytes.to_be_bytes()))
    }
}

/// The places left behind in one line, each for a while.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Redials {
    window: Duration,
    most: usize,
    /// When each caller who left had first arrived.
    arrivals: BTreeMap<CallerKey, Mono>,
    /// When each of them is forgotten.
    ends: Deadlines<CallerKey>,
}

impl Redials {
    /// An empty table: places are kept for `window` after the caller left, `most` of them at a time.
    pub fn new(window: Duration, most: usize) -> Redials {
        Redials { window, most, arrivals: BTreeMap::new(), ends: Deadlines::default() }
    }

    /// From now on places are kept for another time; those that are kept already stay as long as they would have.
    pub fn set_window(&mut self, window: Duration) {
        self.window = window;
    }

    /// A caller left unanswered; `arrived` is the place it had, which may itself have been given back.
    ///
    /// A caller who left before keeps the older of both places. A full table forgets the one who left first.
    pub fn abandoned(&mut self, caller: CallerKey, arrived: Mono, now: Mono) {
        self.forget_until(now);
        let arrived = self.arrivals.get(&caller).map_or(arrived, |&older| older.min(arrived));
        self.arrivals.insert(caller, arrived);
        self.ends.set(caller, now + self.window);
        self.forget_most();
    }

    /// Keeps what another line that is gone has kept, each place as long as it would have been there.
    pub fn take_over(&mut self, other: &mut Redials) {
        for (caller, arrived) in std::mem::take(&mut other.arrivals) {
            let Some(end) = other.ends.at(caller) else { continue };
            other.ends.clear(caller);
            let older = self.arrivals.get(&caller).map_or(arrived, |&known| known.min(arrived));
            self.arrivals.insert(caller, older);
            self.ends.set(caller, self.ends.at(caller).map_or(end, |known| known.max(end)));
        }
        self.forget_most();
    }

    /// Whether a call of this caller would be a redial.
    pub fn is_redial(&self, caller: CallerKey, now: Mono) -> bool {
        self.ends.at(caller).is_some_and(|end| now < end)
    }

    /// The place to give back to this caller, who arrives now; it is given once.
    pub fn take(&mut self, caller: CallerKey, now: Mono) -> Option<Mono> {
        self.forget_until(now);
        self.ends.clear(caller);
        self.arrivals.remove(&caller)
    }

    /// A caller was served: what an earlier call left behind is void.
    pub fn answered(&mut self, caller: CallerKey) {
        self.ends.clear(caller);
        self.arrivals.remove(&caller);
    }

    /// When to call [`Redials::handle_timeout`], so that nothing is kept longer than the window.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.ends.next()
    }

    /// Forgets who left a window ago or longer.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.forget_until(now);
    }

    /// How many places are kept.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// Forgets those whose time ends first, until there is room for the others.
    fn forget_most(&mut self) {
        while self.arrivals.len() > self.most {
            let Some((_, oldest)) = self.ends.pop_due(Mono(u64::MAX)) else { break };
            self.arrivals.remove(&oldest);
        }
    }

    fn forget_until(&mut self, now: Mono) {
        while let Some((_, caller)) = self.ends.pop_due(now) {
            self.arrivals.remove(&caller);
        }
    }
}

#[cfg(test)]
mod tests;
