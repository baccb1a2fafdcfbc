//! For how long what is recorded is kept, and how it is erased before that when somebody asks.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::time::Wall;

use super::store::sweep::{Deed, Which, open, sweep, sweep_events};
use super::store::{Place, Store, millis};
use super::{Error, Key, Reader};

/// For how long what is recorded is kept, from the arrival of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// All that no practice has its own time for; `None` for ever.
    pub all: Option<Duration>,
    /// The calls of these practices, by ODS code (or name, where one has none).
    pub practices: BTreeMap<String, Duration>,
}

impl Keep {
    /// Whether anything is ever to be deleted.
    pub(super) fn is_limited(&self) -> bool {
        self.all.is_some() || !self.practices.is_empty()
    }

    /// Deletes some of what is too old; says whether there may be more.
    pub(super) fn sweep(&self, store: &mut Store, now: Wall) -> Result<bool, Error> {
        let before = |keep: Duration| Wall(now.0.saturating_sub(millis(keep)));
        let mut more = false;
        let mut alike: BTreeMap<Duration, Vec<String>> = BTreeMap::new();
        for (practice, keep) in &self.practices {
            alike.entry(*keep).or_default().push(practice.clone());
        }
        for (keep, practices) in alike {
            more |= sweep(store, &Which { practices, before: Some(before(keep)), ..Which::default() })?;
        }
        if let Some(all) = self.all {
            let of_none = self.practices.keys().cloned().collect();
            more |= sweep(store, &Which { of_none, before: Some(before(all)), ..Which::default() })?;
            // Those of calls go with them; the others are about nobody's call.
            let longest = self.practices.values().fold(all, |longest, keep| longest.max(*keep));
            more |= sweep_events(store, before(longest))?;
        }
        Ok(more)
    }
}

/// Whose records are erased: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Of this practice, by ODS code (or name, where it has none).
    pub practice: Option<String>,
    /// Of the caller with this number, in E.164.
    pub caller: Option<String>,
    /// Of calls that arrived before this.
    pub before: Option<Wall>,
    /// Whether whole rows are deleted, with the events of the calls. Otherwise they stay, for the figures, without what
    /// tells who called.
    pub delete: bool,
}

/// What was erased.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Calls.
    pub calls: u64,
    /// Promised callbacks.
    pub promises: u64,
    /// Cases.
    pub cases: u64,
    /// Promises and cases that are not over: somebody is to be called still, so they are left.
    pub open: u64,
}

/// Erases from the ledger in the file at `path`, or on the server that it names, also while a daemon writes there; `key`
/// is that of callers' numbers.
pub fn erase(path: &Path, key: &Path, erasure: &Erasure) -> Result<Erased, Error> {
    // A ledger that is not there is not to be made.
    drop(Reader::open(path)?);
    let mut callers: Vec<String> = erasure.caller.iter().cloned().collect();
    if let Some(number) = erasure.caller.as_ref().filter(|_| key.exists()) {
        callers.push(Key::at(key)?.hash(number));
    }
    let which = Which {
        practices: erasure.practice.iter().cloned().collect(),
        callers,
        before: erasure.before,
        ..Which::default()
    };
    let mut store = Store::open(&Place::of(path)?)?;
    store.be_patient()?;
    let deed = if erasure.delete { Deed::Delete } else { Deed::Forget };
    let open = open(&store, &which)?;
    let [calls, promises, cases] = deed.all(&mut store, &which)?;
    store.wipe()?;
    Ok(Erased { calls, promises, cases, open })
}
