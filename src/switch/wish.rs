//! A caller who would rather be called back: the key, the number read back, the key again, and the promise.
//!
//! The talk with the machine delays nobody: the moment that an agent answers it is cut, and nothing is promised. A
//! caller who does not confirm is where it was before. The caller hears that it will be called back once the
//! promise is safe on a disk, and not before.

use std::time::Duration;

use crate::acd::{Leaving, WayOut};
use crate::audio::Digit;
use crate::call::leg::Side;
use crate::call::media::Command;
use crate::call::record::{EndedBy, Presentation};
use crate::call::speech::{self, Prompt};
use crate::call::{Call, Stage, Wish};
use crate::id::{CallId, LegId, PromiseId};

use super::callbacks::CallbackNews;
use super::{Switch, Timer};

/// How long a caller may take to confirm, after the words.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the words may take.
const WORDS: Duration = Duration::from_secs(45);
/// How long the ledger may take to have a promise on a disk.
const SAFE_WITHIN: Duration = Duration::from_secs(3);

impl Switch {
    /// The key that asks for a callback on the line of a call.
    fn callback_key(&self, call: &Call) -> Digit {
        let own = self.plan.treatments.get(call.line.index()).and_then(|line| line.callback_key);
        own.unwrap_or(Digit::ONE)
    }

    /// Listens for the key from the beginning, where the line says so.
    pub(super) fn open_wish(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let own = self.plan.treatments.get(call.line.index()).is_some_and(|line| line.callback_key.is_some());
        if own && call.wish == Wish::Unasked && matches!(call.stage, Stage::Waiting { .. }) {
            self.listen(id);
        }
    }

    /// The caller knows the key from now on: what it hears is the offer, for its line's key.
    pub(super) fn offer(&mut self, id: CallId) -> Vec<Prompt> {
        let Some(call) = self.calls.get(&id) else { return Vec::new() };
        let key = self.callback_key(call);
        if call.wish == Wish::Unasked {
            self.listen(id);
        }
        speech::offer_callback(key)
    }

    fn listen(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.callable) else { return };
        let (Some(leg), thread) = (call.caller, call.thread) else { return };
        call.wish = Wish::Open;
        self.media(thread, Command::Listen { leg, on: true });
    }

    /// The media threads have forgotten everything: keys are listened to again, and a number is read back again.
    pub(super) fn listen_again(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let (Some(leg), thread, wish) = (call.caller, call.thread, call.wish) else { return };
        self.media(thread, Command::Listen { leg, on: true });
        if let Wish::Confirming { .. } = wish {
            self.read_back(id, &[]);
        }
    }

    /// Whether a caller talks with the machine, so that nothing else may be said to it.
    pub(super) fn is_asked(call: &Call) -> bool {
        matches!(call.wish, Wish::Confirming { .. } | Wish::Keeping { .. })
    }

    /// A caller pressed a key.
    pub(super) fn pressed(&mut self, leg: LegId, digit: Digit) {
        let Some(id) = self.legs.get(&leg).filter(|leg| leg.side == Side::Caller).map(|leg| leg.call) else {
            return;
        };
        let Some(call) = self.calls.get(&id) else { return };
        let fits = digit == self.callback_key(call);
        match (call.wish, &call.stage) {
            (Wish::Open, Stage::Waiting { .. }) if fits => self.read_back(id, &[]),
            (Wish::Confirming { .. }, _) if fits => self.confirmed(id),
            (Wish::Confirming { .. }, _) => self.declined(id),
            _ => {}
        }
    }

    /// Reads the caller's number back after some words, and waits for the key that confirms it.
    fn read_back(&mut self, id: CallId, before: &[Prompt]) {
        let Some(call) = self.calls.get(&id) else { return };
        let (Some(leg), Some(cli)) = (call.caller, call.cli.clone()) else { return };
        let stays = matches!(call.stage, Stage::Waiting { .. });
        let key = self.callback_key(call);
        let words = speech::confirm_callback(&cli, &self.plan.ingress.country_code, key, stays);
        let said = self.say(leg, &[before, &words].concat());
        if let Some(call) = self.calls.get_mut(&id) {
            call.wish = Wish::Confirming { said };
        }
        self.deadlines.set(Timer::Wish(id), self.now.mono + WORDS);
    }

    /// The number was read: from now on the caller has so long to press the key.
    pub(super) fn read(&mut self, id: CallId, said: u32) {
        if self.calls.get(&id).is_some_and(|call| call.wish == Wish::Confirming { said }) {
            self.deadlines.set(Timer::Wish(id), self.now.mono + ANSWER);
        }
    }

    fn confirmed(&mut self, id: CallId) {
        self.deadlines.clear(Timer::Wish(id));
        match self.promise(id) {
            Some((promise, new)) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.wish = Wish::Keeping { promise, new };
                }
                self.hush(id);
                self.deadlines.set(Timer::Wish(id), self.now.mono + SAFE_WITHIN);
            }
            None => self.not_now(id),
        }
    }

    /// The ledger has a promise on a disk: the caller is told, and leaves the line.
    pub(super) fn kept(&mut self, promise: PromiseId) {
        let keeps =
            |call: &&Call| matches!(call.wish, Wish::Keeping { promise: kept, .. } if kept == promise);
        let Some(origin) = self.promises.get(&promise).map(|known| known.record.call) else { return };
        let call = self.calls.get(&origin).filter(keeps).or_else(|| self.calls.values().find(keeps));
        let Some(id) = call.map(|call| call.id) else { return };
        self.deadlines.clear(Timer::Wish(id));
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.wish = Wish::Promised;
        let caller = call.caller;
        if let Stage::Waiting { ringing } = std::mem::replace(&mut call.stage, Stage::Leaving { why: None }) {
            for phone in &ringing {
                call.timeline.presentation_over(phone.agent, Presentation::CallerGone, self.now.mono);
            }
            call.timeline.left_line(self.now.mono);
            ringing.iter().for_each(|phone| self.silence_phone(phone.leg));
            let _ = self.exchange.handle(crate::acd::Input::Abandon { call: id }, self.now.mono);
        }
        self.note_promised(promise);
        self.say_goodbye(id, caller, Prompt::CallbackPromised);
    }

    /// A caller has left the line for a promise.
    pub(super) fn note_promised(&mut self, promise: PromiseId) {
        self.counters.callbacks.promised += 1;
        self.tell_of(promise, CallbackNews::Promised);
    }

    /// Another key, or none: the caller is where it was.
    fn declined(&mut self, id: CallId) {
        self.deadlines.clear(Timer::Wish(id));
        if self.give_up_promise(id) {
            self.hush(id);
        }
    }

    /// The caller did not confirm in time, or the ledger did not have the promise in time.
    pub(super) fn wish_timed_out(&mut self, id: CallId) {
        match self.calls.get(&id).map(|call| call.wish) {
            Some(Wish::Confirming { .. }) => self.declined(id),
            Some(Wish::Keeping { promise, new }) => {
                if new {
                    self.unpromise(promise);
                }
                self.not_now(id);
            }
            _ => {}
        }
    }

    /// Nothing can be promised now: the caller is told, and is where it was.
    fn not_now(&mut self, id: CallId) {
        self.counters.callbacks.not_made += 1;
        let caller = self.calls.get(&id).and_then(|call| call.caller);
        if self.give_up_promise(id)
            && let Some(leg) = caller
        {
            self.say(leg, &[Prompt::CallbackNotNow]);
        }
    }

    /// Nothing was promised: a caller on the way out hears that nobody can answer, and any other waits and may press
    /// the key again. Whether it is one of these.
    fn give_up_promise(&mut self, id: CallId) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let leaves = matches!(call.stage, Stage::Leaving { .. });
        call.wish = if leaves { Wish::Unasked } else { Wish::Open };
        let caller = call.caller;
        if leaves {
            self.say_goodbye(id, caller, Prompt::NobodyCanAnswer);
        }
        !leaves
    }

    /// An agent has the caller, or nobody: what it wished for is void. A promise that was not told yet ends with
    /// the answer, as the caller's own call.
    pub(super) fn end_wish(&mut self, id: CallId) {
        self.deadlines.clear(Timer::Wish(id));
        if let Some(call) = self.calls.get_mut(&id) {
            call.wish = Wish::Unasked;
        }
    }

    /// The line's way out. One who is just being asked finishes that first; where the way out is a callback, who
    /// can be called back is asked; all others hear that nobody can answer.
    pub(super) fn release(&mut self, id: CallId, way: WayOut, why: Leaving) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Leaving { why: Some(why) };
        call.timeline.left_line(self.now.mono);
        let (caller, asked) = (call.caller, Switch::is_asked(call));
        let callable = way == WayOut::Callback && call.callable && !self.exchange.callbacks().is_full();
        if asked {
            return;
        }
        if callable && caller.is_some() {
            self.listen(id);
            self.read_back(id, &[Prompt::NobodyCanAnswer, Prompt::Pause]);
        } else {
            self.say_goodbye(id, caller, Prompt::NobodyCanAnswer);
        }
    }

    fn say_goodbye(&mut self, id: CallId, caller: Option<LegId>, prompt: Prompt) {
        self.deadlines.set(Timer::Goodbye(id), self.now.mono + super::end::LONGEST_GOODBYE);
        if let Some(leg) = caller {
            self.say(leg, &[prompt]);
        }
    }

    pub(super) fn hush(&mut self, id: CallId) {
        if let Some((leg, thread)) = self.calls.get(&id).and_then(|call| Some((call.caller?, call.thread))) {
            self.media(thread, Command::Hush { leg });
        }
    }

    /// The caller, or the agent of a call that we made, has heard it, or had the time to.
    pub(super) fn end_goodbye(&mut self, id: CallId) {
        match self.calls.get(&id) {
            Some(call) if Switch::is_asked(call) => {}
            Some(Call { stage: Stage::Leaving { .. }, answered_by: Some(_), .. }) => {
                // An agent who promised that a clinician rings back has ended it.
                self.end_call(id, EndedBy::Agent);
            }
            Some(Call { stage: Stage::Leaving { .. } | Stage::Parting { .. }, .. }) => {
                self.end_call(id, EndedBy::DeadPeer);
            }
            _ => {}
        }
    }
}
