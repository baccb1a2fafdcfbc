//! A caller's place, and places in order with their numbers counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Band;
use crate::id::CallId;
use crate::time::Mono;

/// A caller's place, kept from arrival to the end of the call; the lesser is served first.
///
/// The order is by band, then by arrival less credits; between equals it is that of their inputs. A credit is
/// a length of time, so that whoever has waited longer than the credit still goes first: nobody is overtaken
/// for ever, and waiting needs no other rule to count for more and more.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The priority class.
    pub band: Band,
    /// The arrival less credits, in microseconds of [`Mono`]; below zero when the credit is longer than the
    /// switch has run.
    pub rank: i64,
    /// The running number of the arrival, over all lines.
    pub number: u64,
    /// Whose place it is.
    pub call: CallId,
    /// When the caller joined the line.
    pub arrived: Mono,
    /// Nobody is on the phone: a promised callback holds the place.
    pub callback: bool,
}

impl Place {
    /// By how much longer than since its arrival it counts as having waited.
    pub fn credit(&self) -> Duration {
        let arrived = i64::try_from(self.arrived.0).unwrap_or(i64::MAX);
        Duration::from_micros(u64::try_from(arrived.saturating_sub(self.rank)).unwrap_or(0))
    }
}

/// Places in order, in runs short enough to be moved: inserting, removing and counting those ahead look at one
/// run and at the lengths of the runs before it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Places {
    runs: Vec<Vec<Place>>,
    len: usize,
}

/// A run that grows longer is cut in halves.
const LONGEST_RUN: usize = 128;

impl Places {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, place: Place) {
        if self.runs.is_empty() {
            self.runs.push(Vec::new());
        }
        let at = self.run_of(&place).min(self.runs.len() - 1);
        let run = &mut self.runs[at];
        if let Err(within) = run.binary_search(&place) {
            run.insert(within, place);
            self.len += 1;
        }
        if run.len() > LONGEST_RUN {
            let second = run.split_off(LONGEST_RUN / 2);
            self.runs.insert(at + 1, second);
        }
    }

    pub(super) fn remove(&mut self, place: &Place) {
        let at = self.run_of(place);
        let Some(run) = self.runs.get_mut(at) else { return };
        let Ok(within) = run.binary_search(place) else { return };
        run.remove(within);
        self.len -= 1;
        if run.is_empty() {
            self.runs.remove(at);
        }
    }

    /// How many places are ahead of this one.
    pub(super) fn ahead_of(&self, place: &Place) -> usize {
        let at = self.run_of(place);
        let within = self.runs.get(at).map_or(0, |run| run.partition_point(|other| other < place));
        self.runs[..at].iter().map(Vec::len).sum::<usize>() + within
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Place> {
        self.runs.iter().flatten()
    }

    fn run_of(&self, place: &Place) -> usize {
        self.runs.partition_point(|run| run.last().is_some_and(|last| last < place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_a_sorted_list_would() {
        let mut dice = crate::rng::Rng::new([9; 32]);
        let (mut places, mut list) = (Places::default(), Vec::new());
        for number in 0..20_000 {
            if dice.bits() % 5 < 3 || list.is_empty() {
                let rank = (dice.bits() % 1_000) as i64;
                let call = CallId(number);
                let place =
                    Place { band: Band::ROUTINE, rank, number, call, arrived: Mono(number), callback: false };
                places.insert(place);
                let at = list.partition_point(|other| *other < place);
                list.insert(at, place);
            } else {
                let at = (dice.bits() % list.len() as u64) as usize;
                assert_eq!(places.ahead_of(&list[at]), at);
                places.remove(&list.remove(at));
            }
        }
        assert!(list.len() > 1_000 && places.iter().eq(&list) && places.len() == list.len());
        for place in &list {
            places.remove(place);
        }
        assert_eq!((places.len(), places.runs.len()), (0, 0));
    }
}
