//! Callers who leave the line for a promise to be called back, and how the promise is kept.
//!
//! The exchange offers, lets promises stand in line and says when to dial; here callers take the offer or not, and pick
//! up or not.

use super::dice::{Dice, Purpose};
use super::engine::{Call, Engine, Event, Person, caller_key};
use super::tally::End;
use crate::acd::callback::{self, Miss, Number, Outcome, Request, State};
use crate::acd::{Callback, Input};
use crate::config::workload::Spread;
use crate::id::{AgentId, CallId, PromiseId};
use crate::time::Mono;

/// A promise that is not settled, and whose patient has not been reached.
#[derive(Copy, Clone, Debug)]
pub(super) struct Promised {
    person: Person,
    /// When the call arrived in which it was made.
    arrived: Mono,
    made: Mono,
    dials: u32,
}

/// Nobody is dialled: every number will do.
const NUMBER: &str = "+442079460000";

impl Engine<'_> {
    /// A caller who still waits is told of callbacks.
    pub(super) fn offered(&mut self, id: CallId, now: Mono) {
        let Some(call) = self.call(id).filter(|call| !call.talking).copied() else { return };
        if self.takes(call.person) && self.promise(call, now) {
            self.tell(Input::Abandon { call: id }, now);
            self.over(id, now);
        }
    }

    /// A caller who was led out is asked the same; whether it is promised a callback.
    pub(super) fn asked_at_the_end(&mut self, call: Call, now: Mono) -> bool {
        self.ways[usize::from(call.person.source)].callable
            && self.takes(call.person)
            && self.promise(call, now)
    }

    /// Whoever does not want a callback does not want it later in the same call either.
    fn takes(&self, person: Person) -> bool {
        let callers = self.ways[usize::from(person.source)].callers;
        Dice::new(person.key, Purpose::Callback, person.attempt.into()).is(callers.callback)
    }

    fn promise(&mut self, call: Call, now: Mono) -> bool {
        let Call { id, person, arrived, .. } = call;
        let way = &self.ways[usize::from(person.source)];
        let Some(number) = Number::new(NUMBER) else { return false };
        let place = self.exchange.distributor().place(id);
        let since = place.map_or(arrived, |(_, place)| Mono(u64::try_from(place.rank).unwrap_or(0)));
        let caller = caller_key(person.key);
        let request = Request { line: way.line, caller, number, band: way.band, arrived: since };
        self.tally.events += 1;
        let Ok(promise) = self.exchange.promise(request, now) else { return false };
        self.sample(person, arrived, now, End::Promised);
        let promised = Promised { person, arrived, made: now, dials: 0 };
        if self.promised.insert(promise, promised).is_none() {
            self.open += 1;
        }
        true
    }

    /// Does what the exchange asks for.
    pub(super) fn callback(&mut self, news: Callback, now: Mono) {
        match news {
            Callback::Due { promise } => self.stand(promise, now),
            Callback::Undue { call } => drop(self.forget(call)),
            Callback::Dial { call, agent } => self.dial(call, agent, now),
            Callback::Excuse { call, agent } => {
                self.tell(Input::Spare { agent, call }, now);
                self.forget(call);
            }
            Callback::Escalated { .. } => {}
            Callback::Ended { promise, outcome } => {
                let end = match outcome {
                    Outcome::Reached | Outcome::AnsweredByOwnCall => End::CalledBack,
                    _ => End::NotCalledBack,
                };
                self.settled(promise, end, now);
            }
        }
    }

    /// What became of a promise is counted once.
    fn settled(&mut self, promise: PromiseId, end: End, now: Mono) {
        if let Some(Promised { person, arrived, made, .. }) = self.promised.remove(&promise) {
            self.open -= 1;
            self.sample_of(person, arrived, now.since(made), end);
        }
    }

    /// The promises of which nothing has come by the end of the day.
    pub(super) fn close_promises(&mut self, now: Mono) {
        while let Some((&promise, _)) = self.promised.first_key_value() {
            self.settled(promise, End::StillPromised, now);
        }
    }

    /// A call without a caller stands in line.
    fn stand(&mut self, promise: PromiseId, now: Mono) {
        let Some(&Promised { person, .. }) = self.promised.get(&promise) else { return };
        let practice = self.ways[usize::from(person.source)].practice;
        let id = self.seat(Call {
            id: CallId(0),
            person,
            promise: Some(promise),
            arrived: now,
            patient_until: Mono(u64::MAX),
            watched: false,
            presented: 0,
            talking: false,
        });
        self.tally.events += 1;
        if self.exchange.stand(promise, id, practice, now) != Ok(true) {
            self.forget(id);
        }
    }

    /// The agent waits while the patient's phone rings.
    fn dial(&mut self, id: CallId, agent: AgentId, now: Mono) {
        self.rings[agent.index()] = None;
        let Some(promise) = self.exchange.stands_for(id) else { return };
        if self.exchange.keep(callback::Input::Dial { promise }, now).is_err() {
            return;
        }
        let Some(promised) = self.promised.get_mut(&promise) else { return };
        promised.dials += 1;
        let Promised { person, dials, .. } = *promised;
        let mut dice = Dice::new(person.key, Purpose::Patient, dials);
        let reached = dice.is(self.ways[usize::from(person.source)].callers.reached);
        let rings =
            if reached { dice.time(&PICK_UP).min(self.ring_patients_for) } else { self.ring_patients_for };
        self.push(now + rings, Event::Patient { agent, call: id, reached });
    }

    /// The patient has picked up, or the phone has rung for long enough.
    pub(super) fn patient(&mut self, id: CallId, agent: AgentId, reached: bool, now: Mono) {
        let Some(promise) = self.exchange.stands_for(id) else { return };
        let state = self.exchange.callbacks().get(promise).map(|promise| promise.state);
        if state != Some(State::Dialling { agent }) {
            return;
        }
        self.tally.events += 1;
        let input = match reached {
            true => callback::Input::Reach { promise },
            false => callback::Input::Miss { promise, why: Miss::NoAnswer },
        };
        let kept = self.exchange.keep(input, now);
        debug_assert_eq!(kept, Ok(()));
        if !reached {
            self.tell(Input::Spare { agent, call: id }, now);
            self.forget(id);
            return;
        }
        if let Some(&Promised { person, arrived, .. }) = self.promised.get(&promise) {
            self.settled(promise, End::CalledBack, now);
            self.talk(id, person, agent, arrived, now);
        }
    }
}

/// How long a patient's phone rings who picks up: eight seconds or so.
const PICK_UP: Spread = Spread::Lognormal { mu: 2.079_441_541_679_835_7, sigma: 0.5 };
