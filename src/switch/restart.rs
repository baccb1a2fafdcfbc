//! A switch that goes on in another process: what died with the old one is made anew.
//!
//! Transactions, dialogs, calls, callers' places and deadlines are all still here. Gone are the media threads'
//! legs, the streams, and whatever the random generator gave out if the last inputs were lost.

use crate::call::Stage;
use crate::call::leg::{Leg, Side};
use crate::call::media::Command;
use crate::call::speech::Prompt;
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
        let callers: Vec<_> = self.calls.values().map(|call| (call.id, call.caller)).collect();
        for (call, caller) in callers {
            self.be_heard_again(call, caller);
        }
    }

    /// What a caller hears is begun anew; the media thread knows the legs.
    fn be_heard_again(&mut self, call: CallId, caller: LegId) {
        if self.legs.get(&caller).and_then(Leg::stream).is_none() {
            return;
        }
        match &self.calls[&call].stage {
            Stage::Waiting { .. } => self.play_music(caller),
            Stage::Talking { .. } => self.bridge(call),
            Stage::Leaving { .. } => self.say(caller, &[Prompt::NobodyCanAnswer]),
        }
    }

    /// The music of the line alone: who was waiting when the old process died has heard the greeting.
    fn play_music(&mut self, leg: LegId) {
        let Some(call) = self.legs.get(&leg).and_then(|leg| self.calls.get(&leg.call)) else { return };
        let treatment = self.plan.treatments.get(call.line.index()).copied().unwrap_or_default();
        let (thread, looped) = (call.thread, treatment.music.is_some());
        self.media(thread, Command::Play { leg, clips: treatment.music.into_iter().collect(), looped });
    }

    /// Legs that were made after `last`, each with its call and its Call-ID, for those who read a log.
    pub fn legs_after(&self, last: LegId) -> impl Iterator<Item = (LegId, CallId, Option<&str>, Side)> {
        let later = (std::ops::Bound::Excluded(last), std::ops::Bound::Unbounded);
        self.legs.range(later).map(|(&id, leg)| (id, leg.call, leg.call_id(), leg.side))
    }
}
