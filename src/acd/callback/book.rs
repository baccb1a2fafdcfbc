//! The book itself: inputs and deadlines in order of their own time.
//!
//! Every change of a promise ends in `settle`, the one place where it joins or leaves matching.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{Hours, Input, Outcome, Output, Promise, Refused, Request, Settings, State};
use crate::acd::redial::CallerKey;
use crate::id::{LineId, PromiseId};
use crate::time::{Deadlines, Mono, Now};

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

    /// The book after a restart, from what [`Book::promises`] gave when both clocks stood at `stored`.
    ///
    /// The monotonic clock may have begun anew: its times are carried over by the wall clock. Agents are gone;
    /// whoever was not done with is called again.
    pub fn restore(
        settings: Settings,
        promises: Vec<Promise>,
        stored: Now,
        now: Now,
        hours: impl Fn(LineId, Mono) -> Hours,
    ) -> Book {
        let passed = i128::from(now.wall.0.saturating_sub(stored.wall.0)) * 1_000;
        let carried = |then: Mono| {
            let at = i128::from(then.0) - i128::from(stored.mono.0) - passed + i128::from(now.mono.0);
            Mono(u64::try_from(at.max(0)).unwrap_or(u64::MAX))
        };
        let mut book = Book::new(settings);
        book.now = now.mono;
        for mut promise in promises {
            promise.state = match promise.state {
                State::Promised { not_before } => State::Promised { not_before: carried(not_before) },
                _ => State::Promised { not_before: now.mono },
            };
            for time in [&mut promise.request.arrived, &mut promise.breach, &mut promise.expires] {
                *time = carried(*time);
            }
            if book.promises.contains_key(&promise.id) {
                promise.id = PromiseId(book.next);
            }
            book.next = book.next.max(promise.id.0.saturating_add(1));
            match book.find(promise.request.caller, promise.request.line) {
                Some(first) => book.join_first(first, &promise.request),
                None => {
                    book.by_caller.insert((promise.request.caller, promise.id));
                    book.promises.insert(promise.id, promise);
                }
            }
        }
        let ids: Vec<PromiseId> = book.promises.keys().copied().collect();
        ids.into_iter().for_each(|id| book.settle(id, now.mono, &hours));
        book
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
