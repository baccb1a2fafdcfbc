//! A switch that goes on in another process: what died with the old one is made anew.
//!
//! Transactions, dialogs, calls, callers' places and deadlines are all still here. Gone are the media threads'
//! legs, the streams, and whatever was given out by the last inputs if those were lost.
//!
//! Nobody was there to ring a phone or to hear one while no process lived. So transactions and ringing go on where they
//! stood, those who may have answered in vain have time to repeat it, and whatever else was due meanwhile happens now:
//! at its own time it would have led to presentations that nobody ever saw, and blamed agents for them.

use std::time::Duration;

use crate::call::leg::{Leg, Side};
use crate::call::media::Command;
use crate::call::record::EndedBy;
use crate::call::speech::Prompt;
use crate::call::{Call, Stage, Wish};
use crate::id::{CallId, LegId};
use crate::rng::{Rng, Seed};
use crate::time::{Mono, Now, Wall};

use super::drain::Drain;
use super::{Event, Switch, Timer};

/// By how much the numbers of calls jump: more than could have been given out and forgotten.
const FORGOTTEN_CALLS: u64 = 1_000_000;
/// A peer repeats an answer that had no ACK within this, and we a question that had no answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// After so long nobody holds a silent phone any more.
const LONGEST_SILENCE: Duration = Duration::from_secs(600);

impl Switch {
    /// Time goes on after nobody was there, for as long as the first deadline that was missed is over.
    pub(super) fn wake_up(&mut self, now: Now) {
        // An older version may have counted them wrongly, and kept that.
        self.routine_calls = self.calls.values().filter(|call| call.is_limited()).count();
        let missed = self.poll_timeout().map_or(now.mono, |due| due.min(now.mono));
        let away = now.mono.since(missed);
        if away > LONGEST_SILENCE {
            // Just before that deadline, which would have a phone rung.
            let away_ms = i64::try_from(away.as_millis()).unwrap_or(i64::MAX);
            let mono = Mono(missed.0.saturating_sub(1)).max(self.now.mono);
            self.now = Now { mono, wall: Wall(now.wall.0.saturating_sub(away_ms)) };
            self.give_up_calls();
        }
        self.transactions.woken_at(now.mono);
        self.transactions.stood_still(away);
        self.deadlines.delay(away);
        self.now = now;
        self.have_patience();
        self.exchange.catch_up(now.mono, away, PATIENCE);
        self.pump();
    }

    /// Whoever has answered while nobody listened is heard before anything is concluded from the silence.
    fn have_patience(&mut self) {
        let patient = self.now.mono + PATIENCE;
        let phone = self.now.mono + self.plan.sip.unreachable_after;
        for &leg in self.legs.keys() {
            self.deadlines.not_before(Timer::Unreachable(leg), phone);
            self.deadlines.not_before(Timer::Unanswered(leg), patient);
            self.deadlines.not_before(Timer::Probe(leg), patient);
        }
        for &agent in &self.seen {
            self.deadlines.not_before(Timer::PhoneSilent(agent), patient);
        }
        for (trunk, _) in self.plan.probed_trunks() {
            self.deadlines.not_before(Timer::TrunkSilent(trunk), patient);
        }
    }

    /// Everybody has gone. Who waits goes first, so that no agent who becomes free is rung for them.
    fn give_up_calls(&mut self) {
        let waits = |call: &Call| matches!(call.stage, Stage::Waiting { .. });
        let with_people = self.calls.values().filter(|call| call.caller.is_some());
        let mut calls: Vec<_> = with_people.map(|call| (!waits(call), call.id)).collect();
        calls.sort_unstable();
        calls.into_iter().for_each(|(_, call)| self.end_call(call, EndedBy::DeadPeer));
        self.pump();
    }

    pub(super) fn restart(&mut self, seed: Seed, incomplete: bool) {
        // Tags, branches and numbers that were given out and forgotten must not be given out again.
        self.rng = Rng::new(seed);
        if incomplete {
            self.last_call += FORGOTTEN_CALLS;
            self.number_promises();
        }
        self.framers.clear();
        self.lose_connections(None);
        self.open_again();
        self.emit(Event::Resumed { calls: self.calls.len() });
        let streams: Vec<_> =
            self.legs.values().filter_map(|leg| Some((leg.audio.thread, leg.stream()?))).collect();
        for (thread, stream) in streams {
            self.media(thread, Command::Set(stream));
        }
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        calls.into_iter().for_each(|call| self.be_heard_again(call));
        self.write_promises(incomplete);
        self.write_cases();
    }

    /// Whoever starts the daemon again wants calls to be taken, even if it was told to end before it died.
    fn open_again(&mut self) {
        if !self.drain.is_on() {
            return;
        }
        self.drain = Drain::Open;
        self.deadlines.clear(Timer::Drain);
        self.watch_peers();
        self.exchange.release_callbacks(self.now.mono);
        self.pump();
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

    /// The number of the last call.
    pub fn last_call(&self) -> CallId {
        CallId(self.last_call)
    }

    /// Whether something may still come of a call: it is up, or its agent may say how it ended, or a leg of it is not
    /// over.
    pub fn knows(&self, call: CallId) -> bool {
        self.calls.contains_key(&call)
            || self.recent.contains_key(&call)
            || self.legs.values().any(|leg| leg.call == call)
    }

    /// Legs that were made after `last`, each with its call and its Call-ID, for those who read a log.
    pub fn legs_after(&self, last: LegId) -> impl Iterator<Item = (LegId, CallId, Option<&str>, Side)> {
        let later = (std::ops::Bound::Excluded(last), std::ops::Bound::Unbounded);
        self.legs.range(later).map(|(&id, leg)| (id, leg.call, leg.call_id(), leg.side))
    }
}
