//! When each leg's next frame is due: one clock for all, the 20 ms cut into ten slots.
//!
//! A leg keeps its slot while it plays. Due times are multiples of the slot since the epoch, never measured
//! from the last wake, so nothing drifts: however late the wakes, every leg is served once in 20 ms.

use std::time::Duration;

use crate::time::Mono;

/// Slots in a frame.
const SLOTS: usize = 10;
/// Length of a slot.
const SLOT: Duration = Duration::from_millis(20 / SLOTS as u64);
/// Length of a frame.
const CYCLE: Duration = Duration::from_millis(20);
/// What was missed for longer than this is skipped: it would only overflow the far end's jitter buffer.
const MAX_CATCH_UP: Duration = Duration::from_millis(200);

/// Members by slot, and the turn to be served next.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    slots: [Vec<u32>; SLOTS],
    /// Turn `n` is due at `n` slots after the epoch and serves slot `n` modulo [`SLOTS`].
    turn: u64,
    members: usize,
}

/// One slot to be served.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// Whose members.
    pub(super) slot: usize,
    /// When it should have been.
    pub(super) at: Mono,
    /// Frames of its members that were skipped before it.
    pub(super) skipped: u64,
}

impl Pacer {
    /// Takes in a member and returns its slot: one of the least crowded, the soonest of those.
    pub(super) fn join(&mut self, member: u32, now: Mono) -> usize {
        if self.members == 0 {
            self.turn = self.turn.max(now.0 / SLOT.as_micros() as u64);
        }
        while self.slots[slot_of(self.turn)].is_empty() && due_at(self.turn + 1) <= now {
            self.turn += 1;
        }
        let least = self.slots.iter().map(Vec::len).min().unwrap_or(0);
        let soonest = self.coming().map(slot_of).find(|&slot| self.slots[slot].len() == least);
        let slot = soonest.unwrap_or(0);
        self.slots[slot].push(member);
        self.members += 1;
        slot
    }

    /// Forgets a member of `slot`.
    pub(super) fn leave(&mut self, member: u32, slot: usize) {
        if let Some(place) = self.slots[slot].iter().position(|&other| other == member) {
            self.slots[slot].swap_remove(place);
            self.members -= 1;
        }
    }

    /// Who is in a slot.
    pub(super) fn members(&self, slot: usize) -> &[u32] {
        &self.slots[slot]
    }

    /// When the next slot with members is due.
    pub(super) fn next_due(&self) -> Option<Mono> {
        self.coming().find(|&turn| !self.slots[slot_of(turn)].is_empty()).map(due_at)
    }

    /// The earliest slot with members that is due, which counts as served; call until `None`.
    pub(super) fn pop_due(&mut self, now: Mono) -> Option<Due> {
        let turn = self.coming().find(|&turn| !self.slots[slot_of(turn)].is_empty())?;
        let late = now.since(due_at(turn)).saturating_sub(MAX_CATCH_UP);
        let cycles = late.as_micros().div_ceil(CYCLE.as_micros()) as u64;
        let turn = turn + cycles * SLOTS as u64;
        if due_at(turn) > now {
            return None;
        }
        self.turn = turn + 1;
        Some(Due { slot: slot_of(turn), at: due_at(turn), skipped: cycles * self.members as u64 })
    }

    /// The turns of one cycle from now on.
    fn coming(&self) -> impl Iterator<Item = u64> + use<> {
        self.turn..self.turn + SLOTS as u64
    }
}

fn slot_of(turn: u64) -> usize {
    (turn % SLOTS as u64) as usize
}

fn due_at(turn: u64) -> Mono {
    Mono(turn * SLOT.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn ms(ms: u64) -> Mono {
        Mono(ms * 1_000)
    }

    #[test]
    fn the_first_member_is_due_at_once_and_then_each_20_ms() {
        let mut pacer = Pacer::default();
        let joined = Mono(1_234_567);
        pacer.join(7, joined);
        let first = pacer.pop_due(joined).unwrap();
        assert!(joined.since(first.at) < SLOT);
        assert_eq!(pacer.members(first.slot), [7]);
        assert_eq!(pacer.pop_due(joined), None);
        for n in 1..100 {
            let at = first.at + CYCLE * n;
            assert_eq!(pacer.next_due(), Some(at));
            assert_eq!(pacer.pop_due(at), Some(Due { slot: first.slot, at, skipped: 0 }));
        }
    }

    #[test]
    fn many_who_join_at_once_are_spread_evenly() {
        let mut pacer = Pacer::default();
        for member in 0..1_000 {
            pacer.join(member, ms(55));
        }
        assert!(pacer.slots.iter().all(|slot| slot.len() == 1_000 / SLOTS));
    }

    #[test]
    fn a_late_wake_makes_up_what_was_missed_and_no_more() {
        let mut pacer = Pacer::default();
        pacer.join(1, ms(0));
        assert!(pacer.pop_due(ms(0)).is_some());
        let caught_up: Vec<_> = std::iter::from_fn(|| pacer.pop_due(ms(75))).map(|due| due.at).collect();
        assert_eq!(caught_up, [ms(20), ms(40), ms(60)]);
        assert_eq!(pacer.next_due(), Some(ms(80)));
    }

    #[test]
    fn a_long_stall_is_skipped_and_counted() {
        let mut pacer = Pacer::default();
        pacer.join(1, ms(0));
        pacer.join(2, ms(0));
        while pacer.pop_due(ms(19)).is_some() {}
        let served: Vec<_> = std::iter::from_fn(|| pacer.pop_due(ms(10_000))).collect();
        assert_eq!(served.iter().map(|due| due.skipped).sum::<u64>(), 2 * (10_000 - 200 - 20) / 20);
        assert!(served.iter().all(|due| ms(10_000).since(due.at) <= MAX_CATCH_UP));
        assert!(served.len() <= 22, "{}", served.len());
    }

    #[test]
    fn nobody_is_due_once_all_have_left() {
        let mut pacer = Pacer::default();
        let slot = pacer.join(1, ms(0));
        pacer.leave(1, slot);
        pacer.leave(1, slot);
        assert_eq!((pacer.next_due(), pacer.pop_due(ms(1_000))), (None, None));
    }
}
