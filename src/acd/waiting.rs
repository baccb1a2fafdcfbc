//! What each line's displays, limits and rules need to know of its callers who do not talk yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Stage;
use super::place::{Place, Places};
use crate::id::PracticeId;
use crate::time::Mono;

/// The callers of one line who do not talk yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Queue {
    /// Those for whom no phone rings, and those for whom one does, who may come back.
    pub(super) standing: Places,
    /// How many of them have no phone ringing.
    pub(super) waiting: usize,
    /// How many of all are promised callbacks, which rules do not count.
    pub(super) callbacks: usize,
    /// When each arrived, by the running number of the arrival.
    arrivals: BTreeMap<u64, Mono>,
    /// How many routine callers there are of each practice.
    by_practice: BTreeMap<PracticeId, u32>,
}

impl Queue {
    /// Counts a caller in who comes to this stage.
    pub(super) fn insert(&mut self, place: Place, practice: Option<PracticeId>, stage: Stage) {
        if !stage.is_in_line() {
            return;
        }
        self.waiting += usize::from(stage == Stage::Waiting);
        self.standing.insert(place);
        if place.callback {
            self.callbacks += 1;
            return;
        }
        self.arrivals.insert(place.number, place.arrived);
        if let Some(practice) = practice.filter(|_| place.band != super::Band::EMERGENCY) {
            *self.by_practice.entry(practice).or_default() += 1;
        }
    }

    /// Counts a caller out who leaves this stage.
    pub(super) fn remove(&mut self, place: Place, practice: Option<PracticeId>, stage: Stage) {
        if !stage.is_in_line() {
            return;
        }
        self.waiting -= usize::from(stage == Stage::Waiting);
        self.standing.remove(&place);
        if place.callback {
            self.callbacks -= 1;
            return;
        }
        self.arrivals.remove(&place.number);
        if let Some(practice) = practice.filter(|_| place.band != super::Band::EMERGENCY)
            && let Some(count) = self.by_practice.get_mut(&practice)
        {
            *count -= 1;
            if *count == 0 {
                self.by_practice.remove(&practice);
            }
        }
    }

    /// A caller's phone begins or stops ringing; cheaper than taking it out and putting it back.
    pub(super) fn restage(&mut self, from: Stage, to: Stage) {
        self.waiting -= usize::from(from == Stage::Waiting);
        self.waiting += usize::from(to == Stage::Waiting);
    }

    /// When the caller arrived who has been here for longest.
    pub(super) fn oldest(&self) -> Option<Mono> {
        self.arrivals.first_key_value().map(|(_, &arrived)| arrived)
    }

    pub(super) fn of_practice(&self, practice: PracticeId) -> u32 {
        self.by_practice.get(&practice).copied().unwrap_or_default()
    }

    /// Whether both say the same of the same callers.
    pub(super) fn agrees_with(&self, other: &Queue) -> bool {
        (self.waiting, self.callbacks) == (other.waiting, other.callbacks)
            && self.standing.iter().eq(other.standing.iter())
            && self.standing.len() == other.standing.len()
            && self.arrivals == other.arrivals
            && self.by_practice == other.by_practice
    }
}
