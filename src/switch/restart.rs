//! A switch that goes on in another process: what died with the old one is made anew.
//!
//! Transactions, dialogs, calls, callers' places and deadlines are all still here. Gone are the media threads'
//! legs, the streams, and whatever the random generator gave out if the last inputs were lost.

use crate::call::leg::{Leg, Side};
use crate::call::media::Command;
use crate::call::speech::Prompt;
use crate::call::{Call, Stage, Wish};
use crate::id::{CallId, LegId};
use crate::rng::{Rng, Seed};

use super::{Event, Switch};

/// By how much the numbers of calls jump when some that were given out may be forgotten.
const FORGOTTEN_CALLS: u64 = 1_000_000;

impl Switch {
    pub(super) fn restart(&mut self, seed: Seed, incomplete: bool) {
        // Tags and branches that were given out and forgotten must not be given out again.
        self.rng = Rng::new(seed);
        if incomplete {
            self.last_call += FORGOTTEN_CALLS;
        }
        self.framers.clear();
        self.legs.values_mut().filter_map(Leg::dialog).for_each(|dialog| dialog.lose_connection(None));
        self.emit(Event::Resumed { calls: self.calls.len() });
        let streams: Vec<_> =
            self.legs.values().filter_map(|leg| Some((leg.audio.thread, leg.stream()?))).collect();
        for (thread, stream) in streams {
            self.media(thread, Command::Set(stream));
        }
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        calls.into_iter().for_each(|call| self.be_heard_again(call));
        self.write_promises();
        self.write_cases();
    }

    /// What the people of a call hear is begun anew; the media thread knows the legs.
    fn be_heard_again(&mut self, id: CallId) {
        let Some(Call { stage, wish, caller, .. }) = self.calls.get(&id).cloned() else { return };
        match (stage, caller) {
            (Stage::Waiting { .. } | Stage::Transferring(_), Some(caller)) if self.is_heard(caller) => {
                // Who was waiting when the old process died has heard the greeting.
                self.play_to_waiting(caller, false);
            }
            (Stage::Leaving { why: Some(_) }, Some(caller)) if self.is_heard(caller) => {
                self.say(caller, &[Prompt::NobodyCanAnswer]);
            }
            (Stage::Talking { .. }, _) => self.bridge(id),
            (Stage::Dialling { leg, .. }, _) => self.play_ring_tone(leg),
            (Stage::Parting { leg, .. }, _) => {
                self.say(leg, &[Prompt::NotReached]);
            }
            (Stage::Leaving { why: None }, Some(caller))
                if wish == Wish::Unasked && self.is_heard(caller) =>
            {
                self.say(caller, &[Prompt::ClinicianWillCall]);
            }
            (Stage::Waiting { .. } | Stage::Transferring(_) | Stage::Leaving { .. }, _) => {}
        }
        if wish != Wish::Unasked {
            self.listen_again(id);
        }
    }

    fn is_heard(&self, leg: LegId) -> bool {
        self.legs.get(&leg).and_then(Leg::stream).is_some()
    }

    /// Legs that were made after `last`, each with its call and its Call-ID, for those who read a log.
    pub fn legs_after(&self, last: LegId) -> impl Iterator<Item = (LegId, CallId, Option<&str>, Side)> {
        let later = (std::ops::Bound::Excluded(last), std::ops::Bound::Unbounded);
        self.legs.range(later).map(|(&id, leg)| (id, leg.call, leg.call_id(), leg.side))
    }
}
