//! Who ordered what, and what came of it: in the log, and the latest in memory.

use std::collections::VecDeque;

use serde::Serialize;

/// How many are kept in memory.
const KEPT: usize = 1_000;

/// One order, or one attempt to sign in.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    /// When (RFC 3339).
    pub(super) at: String,
    /// Name of the user; of an attempt to sign in, as it was given.
    pub(super) who: String,
    /// Where from.
    pub(super) from: String,
    /// Method and path.
    pub(super) what: String,
    /// The body, cut; empty where it holds a secret.
    pub(super) with: String,
    /// The status of the answer.
    pub(super) status: u16,
}

/// The latest entries, the newest last.
#[derive(Default)]
pub(super) struct Audit {
    entries: VecDeque<Entry>,
}

impl Audit {
    /// Writes one down.
    pub(super) fn note(&mut self, entry: Entry) {
        let Entry { who, from, what, with, status, .. } = &entry;
        tracing::info!(target: "audit", who, from, what, with, status, "ordered");
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The newest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }
}
