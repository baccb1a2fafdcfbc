//! Promised callbacks among the callers: the book says when one is due, and the distributor finds its agent.
//!
//! A promise that is due stands in its line as a call without a caller, whose number the driver of calls gives.
//! That call and the promise go together until the patient was missed, the talk is over, or the promise is not
//! due any more.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::callback::{self, Book, Outcome, Promise, Rank, Request, State};
use super::super::{Input, Newcomer, Output, Plan, Refused};
use super::{Exchange, Guide, Who};
use crate::acd::Gone;
use crate::id::{AgentId, CallId, LineId, PracticeId, PromiseId, WindowId};
use crate::policy::rules::CallerFacts;
use crate::time::{Mono, Now, Wall};

/// A credit beyond any wait: it puts a promise before all others of its band, in the order of their arrivals.
const HEAD_START: Duration = Duration::from_secs(10 * 365 * 86_400);

/// How callbacks are promised and kept.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callbacks {
    /// What is promised.
    pub terms: callback::Settings,
    /// When patients may be called; `None` at any time.
    pub hours: Option<WindowId>,
}

impl Default for Callbacks {
    /// Three attempts ten minutes apart within eight hours, of which two until the breach; ten thousand promises.
    fn default() -> Callbacks {
        let terms = callback::Settings {
            attempts: 3,
            pause: Duration::from_secs(600),
            breach_after: Duration::from_secs(2 * 3_600),
            expires_after: Duration::from_secs(8 * 3_600),
            most: 10_000,
        };
        Callbacks { terms, hours: None }
    }
}

/// What the world must do about a promised callback, or know of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Callback {
    /// It is due: make a call for it, and let that stand by [`Exchange::stand`].
    Due { promise: PromiseId },
    /// The call that stood for a promise is not wanted any more. The distributor has let go of it.
    Undue { call: CallId },
    /// The agent has answered and waits: dial the patient.
    Dial { call: CallId, agent: AgentId },
    /// The patient is not to be dialled, or no more: let the agent go.
    Excuse { call: CallId, agent: AgentId },
    /// It should have been kept by now; told once.
    Escalated { promise: PromiseId },
    /// It has come to its one end.
    Ended { promise: PromiseId, outcome: Outcome },
}

impl Exchange {
    /// The promises that are not settled.
    pub fn callbacks(&self) -> &Book {
        &self.book
    }

    /// Promises are numbered from here on.
    pub fn number_promises_from(&mut self, first: PromiseId) {
        self.book.number_from(first);
    }

    /// This caller may be offered a callback.
    pub fn set_callable(&mut self, call: CallId) {
        if let Some(who) = self.callers.get_mut(&call) {
            who.callable = true;
        }
    }

    /// Promises a callback; see [`Book::promise`].
    pub fn promise(&mut self, request: Request, now: Mono) -> Result<PromiseId, callback::Refused> {
        self.handle_timeout(now);
        let promised = self.book.promise(request, now, hours(&self.guide, self.clock, self.held));
        self.settle(now);
        promised
    }

    /// Takes back a promise of an earlier run; see [`Book::readmit`].
    pub fn readmit(&mut self, promise: Promise, now: Mono) {
        self.handle_timeout(now);
        self.book.readmit(promise, now, hours(&self.guide, self.clock, self.held));
        self.settle(now);
    }

    /// What happened to a promise or to a number; the agent's side of it is [`Exchange::handle`]'s.
    pub fn keep(&mut self, input: callback::Input, now: Mono) -> Result<(), callback::Refused> {
        self.handle_timeout(now);
        let told = self.tell_book(input, now);
        self.settle(now);
        told
    }

    /// No patient is called from now on; one who is being dialled still is.
    pub fn hold_callbacks(&mut self, now: Mono) {
        self.held = true;
        let _ = self.keep(callback::Input::HoursChanged, now);
    }

    /// Patients are called again.
    pub fn release_callbacks(&mut self, now: Mono) {
        self.held = false;
        let _ = self.keep(callback::Input::HoursChanged, now);
    }

    /// A call stands in line for a promise that is due; `false` when it is due no more, or another stands for it.
    pub fn stand(
        &mut self,
        promise: PromiseId,
        call: CallId,
        practice: Option<PracticeId>,
        now: Mono,
    ) -> Result<bool, Refused> {
        self.handle_timeout(now);
        let due = self.book.get(promise).filter(|promise| promise.state == State::Due);
        let Some(due) = due.filter(|_| !self.standing.contains_key(&promise)) else { return Ok(false) };
        let (line, band) = (due.request.line, due.request.band);
        let newcomer =
            Newcomer { practice, credit: credit(due, now), callback: true, ..Newcomer::new(line, band) };
        self.distributor.handle(Input::Arrive { call, newcomer }, now)?;
        let facts = CallerFacts { band, ..CallerFacts::default() };
        let who = Who {
            line,
            key: None,
            facts,
            arrived: due.request.arrived,
            answered: false,
            callable: false,
            promise: Some(promise),
        };
        self.callers.insert(call, who);
        self.standing.insert(promise, call);
        self.touched.push(line);
        self.settle(now);
        Ok(true)
    }

    /// The promise that a call stands for.
    pub fn stands_for(&self, call: CallId) -> Option<PromiseId> {
        let promise = self.callers.get(&call)?.promise?;
        (self.standing.get(&promise) == Some(&call)).then_some(promise)
    }

    /// How many promises are outstanding on a line.
    pub(super) fn promised_on(&self, line: LineId) -> usize {
        self.book.promises().filter(|promise| promise.request.line == line).count()
    }

    /// Whether a caller may be offered a callback now, beside what rules say.
    pub(super) fn may_offer(&self, who: &Who) -> bool {
        let already = || who.key.is_some_and(|key| self.book.find(key, who.line).is_some());
        who.callable && !self.book.is_full() && !already()
    }

    /// An input of a call that comes to nothing else: a number is in use, or no longer.
    pub(super) fn tell_book(&mut self, input: callback::Input, now: Mono) -> Result<(), callback::Refused> {
        self.book.handle(input, now, hours(&self.guide, self.clock, self.held))?;
        if let callback::Input::Miss { promise, .. } | callback::Input::Finish { promise } = input {
            self.standing.remove(&promise);
        }
        Ok(())
    }

    /// An agent took a call: one that stands for a promise is reserved for it. Whether it was one.
    pub(super) fn reserve(&mut self, call: CallId, agent: AgentId, now: Mono) -> bool {
        let Some(promise) = self.stands_for(call) else { return false };
        // One who was put back in line in mid-talk is on the phone, and is talked with at once.
        if self.book.get(promise).is_some_and(|promise| matches!(promise.state, State::Talking { .. })) {
            return false;
        }
        if self.tell_book(callback::Input::Reserve { promise, agent }, now).is_err() {
            self.drop_call(call, now);
        }
        true
    }

    /// The agent of a promise's call is gone: unless the patient is on the line, the promise takes its place again.
    pub(super) fn lost_agent(&mut self, call: CallId, now: Mono) {
        let Some(promise) = self.stands_for(call) else { return };
        let state = |exchange: &Exchange| exchange.book.get(promise).map(|promise| promise.state);
        if let Some(State::Talking { .. }) = state(self) {
            return;
        }
        let _ = self.tell_book(callback::Input::Lose { promise }, now);
        if state(self) != Some(State::Due) {
            self.drop_call(call, now);
        }
    }

    /// The call is over: one in which the patient has talked has kept the promise.
    pub(super) fn kept(&mut self, promise: PromiseId, call: CallId, now: Mono) {
        if self.standing.get(&promise) == Some(&call) {
            self.standing.remove(&promise);
            // Refused when it came to no talk.
            let _ = self.tell_book(callback::Input::Finish { promise }, now);
        }
    }

    /// What the book wants done.
    pub(super) fn follow_book(&mut self, now: Mono) {
        while let Some(output) = self.book.poll_output() {
            let news = match output {
                callback::Output::Join { promise } => {
                    match (self.standing.get(&promise), self.book.get(promise)) {
                        (Some(&call), Some(due)) => {
                            let arrived =
                                self.distributor.place(call).map_or(now, |(_, place)| place.arrived);
                            let credit = credit(due, arrived);
                            // Refused only for a call that is over.
                            let _ = self.distributor.handle(Input::Credit { call, credit }, now);
                            continue;
                        }
                        _ => Callback::Due { promise },
                    }
                }
                callback::Output::Leave { promise } => {
                    if let Some(call) = self.standing.get(&promise).copied() {
                        self.drop_call(call, now);
                    }
                    continue;
                }
                callback::Output::Dial { promise, agent } => match self.standing.get(&promise) {
                    Some(&call) => Callback::Dial { call, agent },
                    None => continue,
                },
                callback::Output::Release { promise, agent } => match self.standing.remove(&promise) {
                    Some(call) => Callback::Excuse { call, agent },
                    None => continue,
                },
                callback::Output::Escalated { promise } => Callback::Escalated { promise },
                callback::Output::Ended { promise, outcome } => Callback::Ended { promise, outcome },
            };
            self.outputs.push_back(Output::Callback(news));
        }
    }

    /// Lets promises follow a new plan: lines that are gone pass theirs on.
    pub(super) fn replan_callbacks(&mut self, plan: &Plan, now: Mono) {
        self.book.set_settings(self.guide.callbacks.terms);
        let to = |line: LineId| match plan.lines.get(line.index()).and_then(|line| line.gone) {
            Some(Gone::Remap(to)) => to,
            _ => line,
        };
        self.book.remap(to, now, hours(&self.guide, self.clock, self.held));
        let _ = self.tell_book(callback::Input::HoursChanged, now);
    }

    /// A call that stands for no promise any more leaves the line.
    fn drop_call(&mut self, call: CallId, now: Mono) {
        // Refused when the distributor has let go of it already.
        let _ = self.distributor.handle(Input::Abandon { call }, now);
        if let Some(who) = self.callers.remove(&call) {
            self.estimators[who.line.index()].left(call, now);
            self.touched.push(who.line);
            if let Some(promise) = who.promise {
                self.standing.remove(&promise);
            }
        }
        self.outputs.push_back(Output::Callback(Callback::Undue { call }));
    }
}

/// By how much a promise counts as older than what came to the line at `arrived`.
fn credit(promise: &Promise, arrived: Mono) -> Duration {
    let standing = promise.standing();
    let waited = arrived.since(standing.arrived);
    if standing.rank == Rank::Head { waited + HEAD_START } else { waited }
}

/// When the patients of each line may be called.
pub(super) fn hours(guide: &Guide, clock: Now, held: bool) -> impl Fn(LineId, Mono) -> callback::Hours {
    move |line, at| {
        let Some(window) = guide.callbacks.hours.filter(|_| !held) else {
            return callback::Hours { open: !held, until: None };
        };
        let practice = guide.rules.surroundings().lines.get(line.index()).and_then(|line| line.practice);
        let hours = guide.calendar.at(window, practice, wall(clock, at));
        let ahead = u64::try_from(hours.until.0.saturating_sub(clock.wall.0)).unwrap_or(0);
        let until = clock.mono + Duration::from_millis(ahead);
        callback::Hours { open: hours.open, until: Some(until.max(at)) }
    }
}

fn wall(clock: Now, at: Mono) -> Wall {
    if at >= clock.mono {
        return clock.wall + at.since(clock.mono);
    }
    let before = i64::try_from(clock.mono.since(at).as_millis()).unwrap_or(i64::MAX);
    Wall(clock.wall.0.saturating_sub(before))
}
