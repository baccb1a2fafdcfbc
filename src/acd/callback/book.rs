//! The book itself: inputs and deadlines in order of their own time.
//!
//! Every change of a promise ends in `settle`, the one place where it joins or leaves matching.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{Hours, Input, Outcome, Output, Promise, Refused, Request, Settings, State};
use crate::acd::redial::CallerKey;
use crate::id::{LineId, PromiseId};
use crate::time::{Deadlines, Mono};

/// All promises that are not settled; plain data, driven by [`Input`]s and time alone.
///
/// Where `hours` is asked for, it must tell the calling hours of a line at any instant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Book {
    pub(super) settings: Settings,
    pub(super) promises: BTreeMap<PromiseId, Promise>,
    /// The same by number.
    pub(super) by_caller: BTreeSet<(CallerKey, PromiseId)>,
    /// How many calls have come in from each number and are not over; no entry is zero.
    pub(super) calls: BTreeMap<CallerKey, u32>,
    pub(super) deadlines: Deadlines<PromiseId>,
    pub(super) outputs: VecDeque<Output>,
    next: u64,
    /// The latest instant seen.
    now: Mono,
}

/// The calling hours of a line at an instant.
pub(super) type Calendar<'a> = &'a dyn Fn(LineId, Mono) -> Hours;

impl Book {
    /// An empty book.
    pub fn new(settings: Settings) -> Book {
        Book {
            settings,
            promises: BTreeMap::new(),
            by_caller: BTreeSet::new(),
            calls: BTreeMap::new(),
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            next: 1,
            now: Mono::default(),
        }
    }

    /// Takes up other terms; the times of promises that were made stay.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// The next promise gets this number, or a later one.
    pub fn number_from(&mut self, first: PromiseId) {
        self.next = self.next.max(first.0);
    }

    /// Takes back a promise of an earlier run, its times on the clock of this one. Agents of that run are gone:
    /// whoever was not done with is called again. A second one of a caller on a line is merged into the first.
    pub fn readmit(&mut self, mut promise: Promise, now: Mono, hours: impl Fn(LineId, Mono) -> Hours) {
        let now = self.advance(now, &hours);
        let id = promise.id;
        if self.promises.contains_key(&id) {
            return;
        }
        self.number_from(PromiseId(id.0.saturating_add(1)));
        if !matches!(promise.state, State::Promised { .. }) {
            promise.state = State::Promised { not_before: now };
        }
        match self.find(promise.request.caller, promise.request.line) {
            Some(first) => self.merge(first, &promise),
            None => {
                self.by_caller.insert((promise.request.caller, id));
                self.promises.insert(id, promise);
                self.settle(id, now, &hours);
            }
        }
    }

    /// Promises of lines that are gone pass to others, where two of one caller become one.
    pub fn remap(
        &mut self,
        line: impl Fn(LineId) -> LineId,
        now: Mono,
        hours: impl Fn(LineId, Mono) -> Hours,
    ) {
        let now = self.advance(now, &hours);
        let ids: Vec<PromiseId> = self.promises.keys().copied().collect();
        for id in ids {
            let Some(promise) = self.promises.get(&id) else { continue };
            let (caller, to) = (promise.request.caller, line(promise.request.line));
            if to == promise.request.line {
                continue;
            }
            // One who talks, or is being dialled, is not merged but done with.
            let idle = |promise: &Promise| matches!(promise.state, State::Promised { .. } | State::Due);
            if let Some(other) = self.find(caller, to) {
                let (kept, gone) = if idle(promise) { (other, id) } else { (id, other) };
                if let Some(merged) = self.promises.get(&gone).cloned() {
                    self.close(gone, Outcome::Merged);
                    self.join_first(kept, &merged.request);
                }
            }
            if let Some(promise) = self.promises.get_mut(&id) {
                promise.request.line = to;
                self.settle(id, now, &hours);
            }
        }
    }

    /// Promises a callback. A second request of one caller on one line joins the first; the older place and
    /// the higher band of the two count.
    pub fn promise(
        &mut self,
        request: Request,
        now: Mono,
        hours: impl Fn(LineId, Mono) -> Hours,
    ) -> Result<PromiseId, Refused> {
        let now = self.advance(now, &hours);
        if let Some(id) = self.find(request.caller, request.line) {
            self.join_first(id, &request);
            return Ok(id);
        }
        if self.promises.len() >= self.settings.most {
            return Err(Refused::Full);
        }
        let id = PromiseId(self.next);
        self.next += 1;
        self.by_caller.insert((request.caller, id));
        let promise = Promise {
            id,
            request,
            state: State::Promised { not_before: now },
            missed: 0,
            breach: now + self.settings.breach_after,
            escalated: false,
            expires: now + self.settings.expires_after,
        };
        self.promises.insert(id, promise);
        self.settle(id, now, &hours);
        Ok(id)
    }

    /// Applies `input` after all deadlines up to `now`; a refused input changes nothing.
    pub fn handle(
        &mut self,
        input: Input,
        now: Mono,
        hours: impl Fn(LineId, Mono) -> Hours,
    ) -> Result<(), Refused> {
        let now = self.advance(now, &hours);
        match input {
            Input::Reserve { promise, agent } => self.reserve(promise, agent, now, &hours),
            Input::Dial { promise } => {
                self.settle(promise, now, &hours);
                let State::Reserved { agent } = self.state(promise)? else {
                    return Err(Refused::WrongState(promise));
                };
                self.enter(promise, State::Dialling { agent }, now, &hours)
            }
            Input::Reach { promise } => match self.state(promise)? {
                State::Dialling { agent } => self.enter(promise, State::Talking { agent }, now, &hours),
                _ => Err(Refused::WrongState(promise)),
            },
            Input::Miss { promise, why } => self.miss(promise, why, now, &hours),
            Input::Finish { promise } => match self.state(promise)? {
                State::Talking { .. } => self.end(promise, Outcome::Reached, now, &hours),
                _ => Err(Refused::WrongState(promise)),
            },
            Input::Lose { promise } => match self.state(promise)? {
                State::Promised { .. } | State::Due => Err(Refused::WrongState(promise)),
                _ => self.enter(promise, State::Promised { not_before: now }, now, &hours),
            },
            Input::Cancel { promise } => match self.state(promise)? {
                State::Talking { .. } => Err(Refused::WrongState(promise)),
                _ => self.end(promise, Outcome::Cancelled, now, &hours),
            },
            Input::CallIn { caller } => {
                let calls = self.calls.entry(caller).or_default();
                *calls = calls.saturating_add(1);
                self.settle_all_of(caller, now, &hours);
                Ok(())
            }
            Input::CallAnswered { caller, line } => match self.find(caller, line) {
                Some(id) if !matches!(self.state(id)?, State::Talking { .. }) => {
                    self.end(id, Outcome::AnsweredByOwnCall, now, &hours)
                }
                _ => Ok(()),
            },
            Input::CallOver { caller } => {
                if let Entry::Occupied(mut calls) = self.calls.entry(caller) {
                    *calls.get_mut() -= 1;
                    if *calls.get() == 0 {
                        calls.remove();
                    }
                }
                self.settle_all_of(caller, now, &hours);
                Ok(())
            }
            Input::HoursChanged => {
                let ids: Vec<PromiseId> = self.promises.keys().copied().collect();
                ids.into_iter().for_each(|id| self.settle(id, now, &hours));
                Ok(())
            }
        }
    }

    /// Lets every deadline up to `now` take effect, each at its own time; a wake too many does nothing.
    pub fn handle_timeout(&mut self, now: Mono, hours: impl Fn(LineId, Mono) -> Hours) {
        self.advance(now, &hours);
    }

    /// When to call [`Book::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.deadlines.next()
    }

    /// The next thing that the world must do or know.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// All promises, by identifier.
    pub fn promises(&self) -> impl Iterator<Item = &Promise> {
        self.promises.values()
    }

    /// The promise of this name.
    pub fn get(&self, promise: PromiseId) -> Option<&Promise> {
        self.promises.get(&promise)
    }

    /// Whether there are as many promises as there may be.
    pub fn is_full(&self) -> bool {
        self.promises.len() >= self.settings.most
    }

    /// The promise to this caller on this line.
    pub fn find(&self, caller: CallerKey, line: LineId) -> Option<PromiseId> {
        self.of(caller).find(|id| self.promises[id].request.line == line)
    }

    fn advance(&mut self, now: Mono, hours: Calendar) -> Mono {
        while let Some((at, id)) = self.deadlines.pop_due(now) {
            self.now = self.now.max(at);
            self.settle(id, at, hours);
        }
        self.now = self.now.max(now);
        self.now
    }
}
