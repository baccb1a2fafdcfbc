//! From state to state: who takes a promise, how it comes back, how it ends.

use super::book::{Book, Calendar};
use super::{Miss, Outcome, Output, Promise, Refused, Request, State};
use crate::acd::redial::CallerKey;
use crate::id::{AgentId, PromiseId};
use crate::time::Mono;

impl Book {
    pub(super) fn state(&self, id: PromiseId) -> Result<State, Refused> {
        self.promises.get(&id).map(|promise| promise.state).ok_or(Refused::Unknown(id))
    }

    /// The promises to one number.
    pub(super) fn of(&self, caller: CallerKey) -> impl Iterator<Item = PromiseId> {
        let (first, last) = (PromiseId(0), PromiseId(u64::MAX));
        self.by_caller.range((caller, first)..=(caller, last)).map(|&(_, id)| id)
    }

    /// A second request of the same patient: the first one stands, with the better place of the two.
    pub(super) fn join_first(&mut self, id: PromiseId, second: &Request) {
        let Some(promise) = self.promises.get_mut(&id) else { return };
        let before = promise.standing();
        promise.request.arrived = promise.request.arrived.min(second.arrived);
        promise.request.band = promise.request.band.min(second.band);
        if promise.state == State::Due && promise.standing() != before {
            self.outputs.push_back(Output::Join { promise: id });
        }
    }

    /// A promise that is not in the book ends for the sake of the first.
    pub(super) fn merge(&mut self, first: PromiseId, second: &Promise) {
        self.outputs.push_back(Output::Ended { promise: second.id, outcome: Outcome::Merged });
        self.join_first(first, &second.request);
    }

    pub(super) fn reserve(
        &mut self,
        id: PromiseId,
        agent: AgentId,
        now: Mono,
        hours: Calendar,
    ) -> Result<(), Refused> {
        self.settle(id, now, hours);
        match self.state(id)? {
            State::Due => {
                self.outputs.push_back(Output::Dial { promise: id, agent });
                self.enter(id, State::Reserved { agent }, now, hours)
            }
            _ => Err(Refused::WrongState(id)),
        }
    }

    pub(super) fn miss(
        &mut self,
        id: PromiseId,
        why: Miss,
        now: Mono,
        hours: Calendar,
    ) -> Result<(), Refused> {
        let promise = self.promises.get_mut(&id).ok_or(Refused::Unknown(id))?;
        if !matches!(promise.state, State::Dialling { .. }) {
            return Err(Refused::WrongState(id));
        }
        promise.missed += 1;
        let attempts = promise.missed;
        if attempts >= self.settings.attempts {
            return self.end(id, Outcome::GaveUp { attempts, why }, now, hours);
        }
        self.enter(id, State::Promised { not_before: now + self.settings.pause }, now, hours)
    }

    /// Enters a state, and lets this promise and others to the same number do what follows from it.
    pub(super) fn enter(
        &mut self,
        id: PromiseId,
        state: State,
        now: Mono,
        hours: Calendar,
    ) -> Result<(), Refused> {
        let promise = self.promises.get_mut(&id).ok_or(Refused::Unknown(id))?;
        promise.state = state;
        let caller = promise.request.caller;
        self.settle(id, now, hours);
        self.settle_all_of(caller, now, hours);
        Ok(())
    }

    /// The one end of a promise, which may set its number free for others.
    pub(super) fn end(
        &mut self,
        id: PromiseId,
        outcome: Outcome,
        now: Mono,
        hours: Calendar,
    ) -> Result<(), Refused> {
        let caller = self.close(id, outcome).ok_or(Refused::Unknown(id))?;
        self.settle_all_of(caller, now, hours);
        Ok(())
    }

    pub(super) fn settle_all_of(&mut self, caller: CallerKey, now: Mono, hours: Calendar) {
        let ids: Vec<PromiseId> = self.of(caller).collect();
        ids.into_iter().for_each(|id| self.settle(id, now, hours));
    }

    /// Lets a promise join or leave matching, be escalated or expire, as the time and its number allow.
    pub(super) fn settle(&mut self, id: PromiseId, at: Mono, hours: Calendar) {
        let Some(promise) = self.promises.get(&id) else { return };
        let before = promise.state;
        if matches!(before, State::Promised { .. } | State::Due) && at >= promise.expires {
            self.close(id, Outcome::Expired);
            return;
        }
        let dials = matches!(before, State::Dialling { .. });
        let open = hours(promise.request.line, at).open;
        let free = self.is_free_for(id, promise.request.caller);
        let Some(promise) = self.promises.get_mut(&id) else { return };
        promise.state = match before {
            State::Promised { not_before } if not_before <= at && open && free => State::Due,
            State::Due if !open || !free => State::Promised { not_before: at },
            State::Reserved { agent } | State::Dialling { agent } if !free || (!open && !dials) => {
                promise.state = State::Promised { not_before: at };
                self.outputs.push_back(Output::Release { promise: id, agent });
                // It may have expired in the meantime, and another to this number may be due.
                let caller = promise.request.caller;
                return self.settle_all_of(caller, at, hours);
            }
            state => state,
        };
        let talks = matches!(promise.state, State::Talking { .. });
        let escalates = !promise.escalated && !talks && at >= promise.breach;
        if escalates {
            promise.escalated = true;
            self.outputs.push_back(Output::Escalated { promise: id });
        }
        match (before == State::Due, promise.state == State::Due) {
            (false, true) => self.outputs.push_back(Output::Join { promise: id }),
            (true, true) if escalates => self.outputs.push_back(Output::Join { promise: id }),
            (true, false) => self.outputs.push_back(Output::Leave { promise: id }),
            _ => {}
        }
        self.set_deadline(id, at, hours);
    }

    /// Whether nothing else goes on with this number: no call of its own, no other promise with an agent.
    fn is_free_for(&self, id: PromiseId, caller: CallerKey) -> bool {
        let taken = |other| !matches!(self.promises[&other].state, State::Promised { .. } | State::Due);
        !self.calls.contains_key(&caller) && !self.of(caller).any(|other| other != id && taken(other))
    }

    /// The next time at which anything can change by itself.
    fn set_deadline(&mut self, id: PromiseId, at: Mono, hours: Calendar) {
        let promise = &self.promises[&id];
        let change = || hours(promise.request.line, at).until;
        let (turn, expires) = match promise.state {
            State::Promised { not_before } if not_before > at => (Some(not_before), Some(promise.expires)),
            State::Promised { .. } | State::Due => (change(), Some(promise.expires)),
            State::Reserved { .. } => (change(), None),
            State::Dialling { .. } | State::Talking { .. } => (None, None),
        };
        let talks = matches!(promise.state, State::Talking { .. });
        let breach = (!promise.escalated && !talks).then_some(promise.breach);
        match [turn, expires, breach].into_iter().flatten().filter(|&time| time > at).min() {
            Some(time) => self.deadlines.set(id, time),
            None => self.deadlines.clear(id),
        }
    }

    /// Takes a promise out of the book and tells how it ended; gives its number.
    pub(super) fn close(&mut self, id: PromiseId, outcome: Outcome) -> Option<CallerKey> {
        let promise = self.promises.remove(&id)?;
        self.by_caller.remove(&(promise.request.caller, id));
        self.deadlines.clear(id);
        match promise.state {
            State::Due => self.outputs.push_back(Output::Leave { promise: id }),
            State::Reserved { agent } | State::Dialling { agent }
                if !matches!(outcome, Outcome::GaveUp { .. }) =>
            {
                self.outputs.push_back(Output::Release { promise: id, agent });
            }
            _ => {}
        }
        self.outputs.push_back(Output::Ended { promise: id, outcome });
        Some(promise.request.caller)
    }
}
