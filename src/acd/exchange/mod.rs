//! The exchange: the distributor, and what callers are told and promised while they wait, kept in step.
//!
//! The [`Distributor`] matches callers and agents by the plan and the rules. The exchange keeps the estimate of
//! each line and tells the rules, gives a redialling caller the old place back, makes announcements fall due, and
//! lets promised callbacks stand in line. Whoever drives calls talks to the exchange alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::announce::{Announcer, Facts, Schedule};
use super::callback::{self, Book};
use super::calls::ByCall;
use super::estimate::{self, Estimator};
use super::redial::{CallerKey, Redials};
use super::{Band, Distributor, Entry, Gone, Input, Newcomer, Onward, Output, Plan, Refused};
use crate::calendar::Calendar;
use crate::id::{CallId, LineId, PromiseId, RuleId};
use crate::policy::rules::{CallerFacts, RuleBook, Trial};
use crate::time::{Deadlines, Mono, Now, earlier};

mod callbacks;
#[cfg(test)]
mod tests;

pub use callbacks::{Callback, Callbacks};

/// Most places of callers who gave up that are kept for each line.
const MOST_REDIALS: usize = 10_000;

/// What guides an exchange beside lines, teams and agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    /// The overflow rules.
    pub rules: Arc<RuleBook>,
    /// The windows that they speak of.
    pub calendar: Arc<Calendar>,
    /// Rules on trial, which see what the live ones see and do nothing.
    pub trial: Option<Trial>,
    /// By [`LineId`]: what callers who wait are told, and when; `None` for nothing.
    pub announcements: Vec<Option<Schedule>>,
    /// How much proof an estimate needs before it is told.
    pub estimates: estimate::Settings,
    /// For how long the place of a caller who gave up is kept; zero for not at all.
    pub redial_window: Duration,
    /// How callbacks are promised and kept.
    pub callbacks: Callbacks,
}

/// All that decides who is answered by whom, and what callers are told meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exchange {
    distributor: Distributor,
    guide: Guide,
    /// By [`LineId`].
    estimators: Vec<Estimator>,
    /// By [`LineId`].
    redials: Vec<Redials>,
    announcer: Announcer,
    /// Promised callbacks.
    book: Book,
    /// The call that stands for each promise that is due or on its way.
    standing: BTreeMap<PromiseId, CallId>,
    /// No patient is to be called any more.
    held: bool,
    /// One instant on both clocks, as last told.
    clock: Now,
    /// Callers who are not over.
    callers: ByCall<Who>,
    /// Lines whose callers or agents may have changed.
    touched: Vec<LineId>,
    /// When a line's estimator or its redials want to be woken.
    deadlines: Deadlines<LineId>,
    /// By [`LineId`]: the same, as far as it is known, so that what has not changed is not set again.
    #[serde(skip)]
    alarms: Vec<Option<Option<Mono>>>,
    outputs: VecDeque<Output>,
}

/// A caller, as the exchange knows it beside the distributor.
#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
struct Who {
    line: LineId,
    key: Option<CallerKey>,
    facts: CallerFacts,
    /// When it arrived, or would have with the place that was given back.
    arrived: Mono,
    answered: bool,
    /// Whether it may be offered a callback.
    callable: bool,
    /// The promise that this call was made for.
    promise: Option<PromiseId>,
}

impl Exchange {
    /// Nobody waits; agents are as the plan says.
    pub fn new(plan: Plan, guide: Guide, now: Now) -> Exchange {
        let lines = plan.lines.len();
        let mut distributor = Distributor::with_rules(plan, guide.rules.clone(), guide.calendar.clone(), now);
        if let Some(trial) = guide.trial.clone() {
            distributor.watch(trial, None, now);
        }
        let mut exchange = Exchange {
            distributor,
            estimators: (0..lines).map(|_| Estimator::new(guide.estimates)).collect(),
            redials: (0..lines).map(|_| Redials::new(guide.redial_window, MOST_REDIALS)).collect(),
            announcer: Announcer::default(),
            book: Book::new(guide.callbacks.terms),
            standing: BTreeMap::new(),
            held: false,
            clock: now,
            callers: ByCall::default(),
            touched: (0u32..).map(LineId).take(lines).collect(),
            deadlines: Deadlines::default(),
            alarms: Vec::new(),
            outputs: VecDeque::new(),
            guide,
        };
        exchange.settle(now.mono);
        exchange
    }

    /// Who waits and who is presented to whom.
    pub fn distributor(&self) -> &Distributor {
        &self.distributor
    }

    /// How long a caller who joined this line now would wait; `None` while there is no estimate to be trusted.
    pub fn estimate(&self, line: LineId, now: Mono) -> Option<estimate::Range> {
        let waiting = self.distributor.facts(line)?.waiting;
        self.estimators.get(line.index())?.range(waiting, now)
    }

    /// The wait that a caller who joined this line now should expect (p90); nothing while somebody is free for it,
    /// `None` while there is no estimate to be trusted.
    pub fn expected_wait(&self, line: LineId, now: Mono) -> Option<Duration> {
        let facts = self.distributor.facts(line)?;
        if facts.waiting == 0 && facts.agents_free > 0 {
            return Some(Duration::ZERO);
        }
        self.estimate(line, now).map(|range| range.at_most)
    }

    /// Tells the wall clock, which may have been set; windows follow it.
    pub fn set_clock(&mut self, now: Now) {
        self.handle_timeout(now.mono);
        self.distributor.set_clock(now);
        self.clock = now;
        let _ = self.tell_book(callback::Input::HoursChanged, now.mono);
        self.settle(now.mono);
    }

    /// The lines that are gone from `next` without a word of what is to become of those who wait in them or were
    /// promised a callback, and how many these are.
    pub fn stranded(&self, next: &Plan) -> Vec<(LineId, usize)> {
        let mut stranded: BTreeMap<LineId, usize> = self.distributor.stranded(next).into_iter().collect();
        let gone = (0u32..).map(LineId).zip(&next.lines).filter(|(_, line)| line.gone == Some(Gone::Refuse));
        for (line, promised) in gone.map(|(line, _)| (line, self.promised_on(line))).filter(|gone| gone.1 > 0)
        {
            *stranded.entry(line).or_default() += promised;
        }
        stranded.into_iter().collect()
    }

    /// Goes on with another plan; see [`Distributor::replan`]. Estimates and places kept for redials go on.
    pub fn replan(&mut self, plan: Plan, guide: Guide, now: Now) {
        self.handle_timeout(now.mono);
        let lines = plan.lines.len();
        let before = self.distributor.unwatch();
        self.distributor.replan(plan.clone(), guide.rules.clone(), guide.calendar.clone(), now);
        if let Some(trial) = guide.trial.clone() {
            self.distributor.watch(trial, before.as_ref(), now);
        }
        if self.guide.estimates != guide.estimates {
            self.estimators.clear();
        }
        self.redials.iter_mut().for_each(|redials| redials.set_window(guide.redial_window));
        self.estimators.resize_with(lines, || Estimator::new(guide.estimates));
        self.redials.resize_with(lines, || Redials::new(guide.redial_window, MOST_REDIALS));
        self.guide = guide;
        self.clock = now;
        self.replan_callbacks(&plan, now.mono);
        let planned = self.distributor.plan().lines.iter().enumerate();
        let moves = planned.filter_map(|(from, line)| match line.gone {
            Some(Gone::Remap(to)) => Some([from, to.index()]),
            _ => None,
        });
        for pair in moves {
            if let Ok([from, to]) = self.redials.get_disjoint_mut(pair) {
                to.take_over(from);
            }
        }
        self.callers.for_each_mut(|call, who| {
            if let Some((line, _)) = self.distributor.place(call) {
                who.line = line;
            }
        });
        self.touched.extend((0u32..).map(LineId).take(lines));
        self.settle(now.mono);
    }

    /// Whether a caller, known again by `key`, may join its line; an emergency always may.
    pub fn entry(&mut self, newcomer: &Newcomer, key: Option<CallerKey>, now: Mono) -> Entry {
        self.handle_timeout(now);
        let redial = self.is_redial(newcomer, key, now);
        let entry = self.distributor.entry(&Newcomer { redial, ..*newcomer }, now);
        self.settle(now);
        entry
    }

    /// A caller joins its line; one who gave up a while ago gets the old place back.
    pub fn arrive(
        &mut self,
        call: CallId,
        newcomer: Newcomer,
        key: Option<CallerKey>,
        now: Mono,
    ) -> Result<(), Refused> {
        self.handle_timeout(now);
        if self.callers.contains_key(&call) {
            return Err(Refused::DuplicateCall(call));
        }
        let redial = self.is_redial(&newcomer, key, now);
        let place = key.filter(|_| redial).and_then(|key| {
            self.redials.get_mut(newcomer.line.index()).and_then(|redials| redials.take(key, now))
        });
        let credit = place.map_or(Duration::ZERO, |arrived| now.since(arrived));
        let newcomer = Newcomer { redial, credit, ..newcomer };
        self.distributor.handle(Input::Arrive { call, newcomer }, now)?;
        let Newcomer { line, band, withheld, .. } = newcomer;
        let facts = CallerFacts { band, redial, withheld };
        let arrived = place.unwrap_or(now);
        let who = Who { line, key, facts, arrived, answered: false, callable: false, promise: None };
        self.callers.insert(call, who);
        if let Some(caller) = key {
            let _ = self.tell_book(callback::Input::CallIn { caller }, now);
        }
        self.touched.push(line);
        self.begin_announcements(call, line, now);
        self.settle(now);
        if self.distributor.stage(call) == Some(super::Stage::Waiting) {
            // Whoever has to wait puts the estimate to the proof, told or not.
            let ahead = self.ahead_of(call);
            self.estimators[line.index()].ask(call, ahead, now);
            self.watch(line);
        }
        Ok(())
    }

    /// Takes in any other input. Deadlines that passed before it take effect first, each at its own time.
    pub fn handle(&mut self, input: Input, now: Mono) -> Result<(), Refused> {
        if let Input::Arrive { call, newcomer } = input {
            return self.arrive(call, newcomer, None, now);
        }
        self.handle_timeout(now);
        let (ended, back) = match input {
            Input::Abandon { call } | Input::Finish { call, .. } | Input::Spare { call, .. } => {
                (Some(call), None)
            }
            Input::Lose { call, .. } | Input::Transfer { call, to: Onward::Line(..), .. } => {
                (None, Some(call))
            }
            _ => (None, None),
        };
        let moved = match input {
            Input::Rank { call, .. } | Input::Move { call, .. } => Some(call),
            _ => None,
        };
        let served = match input {
            Input::Serve { call, line, band, .. } => Some((call, line, band)),
            _ => None,
        };
        self.distributor.handle(input, now)?;
        if let Some((call, line, band)) = served {
            let facts = CallerFacts { band, ..CallerFacts::default() };
            let who =
                Who { line, key: None, facts, arrived: now, answered: true, callable: false, promise: None };
            self.callers.insert(call, who);
        }
        if let Some(call) = ended {
            self.over(call, now);
        }
        if let Some(call) = moved {
            self.moved(call, now);
        }
        if let Some(call) = back {
            self.lost_agent(call, now);
            self.back_in_line(call, now);
        }
        self.settle(now);
        Ok(())
    }

    /// Cut off or handed on, a caller waits again, and may give up and come back like one who was never answered.
    fn back_in_line(&mut self, call: CallId, now: Mono) {
        let place = self.distributor.place(call).filter(|_| self.waits(call));
        let (Some(who), Some((line, place))) = (self.callers.get_mut(&call), place) else { return };
        who.answered = false;
        who.facts.band = place.band;
        who.callable &= place.band != Band::EMERGENCY;
        self.touched.extend([std::mem::replace(&mut who.line, line), line]);
        self.begin_announcements(call, line, now);
    }

    /// A caller has another class, or waits in another line: it is told how things stand there, and is a call that has
    /// left to the line where it was. No emergency is called back.
    fn moved(&mut self, call: CallId, now: Mono) {
        let Some((line, place)) = self.distributor.place(call) else { return };
        let Some(who) = self.callers.get_mut(&call) else { return };
        who.facts.band = place.band;
        who.callable &= place.band != Band::EMERGENCY;
        let from = std::mem::replace(&mut who.line, line);
        let answered = who.answered;
        self.touched.extend([from, line]);
        if from == line {
            return;
        }
        self.announcer.end(call);
        self.begin_announcements(call, line, now);
        if !answered {
            self.estimators[from.index()].left(call, now);
            let ahead = self.ahead_of(call);
            self.estimators[line.index()].ask(call, ahead, now);
        }
    }

    fn waits(&self, call: CallId) -> bool {
        matches!(self.distributor.stage(call), Some(super::Stage::Waiting | super::Stage::Presented))
    }

    /// Lets every deadline up to `now` take effect, in order of time.
    pub fn handle_timeout(&mut self, now: Mono) {
        while let Some(at) = self.poll_timeout().filter(|&at| at <= now) {
            self.fire(at);
        }
    }

    /// Goes on after nobody was there for `away`: phones ring on for as long as they had left, and for `patience` at
    /// least, and what else was missed takes effect `now`.
    pub fn catch_up(&mut self, now: Mono, away: Duration, patience: Duration) {
        self.distributor.catch_up(now, away, patience);
        while self.poll_timeout().is_some_and(|at| at <= now) {
            self.fire(now);
        }
        self.settle(now);
    }

    fn fire(&mut self, at: Mono) {
        self.distributor.handle_timeout(at);
        while let Some((_, line)) = self.deadlines.pop_due(at) {
            if let Some(alarm) = self.alarms.get_mut(line.index()) {
                *alarm = None;
            }
            self.estimators[line.index()].handle_timeout(at);
            self.redials[line.index()].handle_timeout(at);
            self.touched.push(line);
        }
        self.book.handle_timeout(at, callbacks::hours(&self.guide, self.clock, self.held));
        self.settle(at);
        self.announce(at);
    }

    /// When to call [`Exchange::handle_timeout`], if nothing else comes first.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let next = earlier(self.distributor.poll_timeout(), self.deadlines.next());
        earlier(next, earlier(self.announcer.poll_timeout(), self.book.poll_timeout()))
    }

    /// The next thing that the world must do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// A call from this number is over; until then no patient is called back at it.
    pub fn hung_up(&mut self, caller: CallerKey, now: Mono) {
        let _ = self.keep(callback::Input::CallOver { caller }, now);
    }

    /// Follows what happened until nothing more follows from it.
    fn settle(&mut self, now: Mono) {
        loop {
            while let Some(output) = self.distributor.poll_output() {
                if let Output::Connect { call, agent } = output
                    && self.reserve(call, agent, now)
                {
                    self.answered(call, now);
                    continue;
                }
                self.note(&output, now);
                self.outputs.push_back(output);
            }
            self.follow_book(now);
            if self.touched.is_empty() && !self.distributor.has_output() {
                return;
            }
            let mut touched = std::mem::take(&mut self.touched);
            touched.sort_unstable();
            touched.dedup();
            for line in touched.drain(..) {
                self.take_stock(line, now);
            }
            if self.touched.is_empty() {
                // Its room is used again: this is done in every step.
                self.touched = touched;
            }
        }
    }

    fn note(&mut self, output: &Output, now: Mono) {
        match output {
            Output::Connect { call, .. } => self.answered(*call, now),
            Output::Release { call, .. } => self.over(*call, now),
            Output::Returned { call, to: None } => self.back_in_line(*call, now),
            Output::Availability { agent, .. } => {
                self.touched.extend(self.distributor.lines_of(*agent));
            }
            Output::Present { call, .. } | Output::Withdraw { call, .. } => {
                self.touched.extend(self.callers.get(call).map(|who| who.line));
            }
            Output::Rule { line, rule, on: true } => self.hasten_offers(*line, *rule, now),
            _ => {}
        }
    }

    /// Tells a line's estimator how things stand, and the rules what it makes of it.
    fn take_stock(&mut self, line: LineId, now: Mono) {
        let Some(facts) = self.distributor.facts(line) else { return };
        let waiting = u32::try_from(self.distributor.waiting_count(line)).unwrap_or(u32::MAX);
        let estimator = &mut self.estimators[line.index()];
        estimator.level(waiting, facts.agents_logged_in, now);
        if self.distributor.wants_estimate(line) {
            let wait = estimator.range(facts.waiting, now).map(|range| range.at_most);
            if wait != facts.estimated_wait {
                // Refused only for a line that is not in the plan.
                let _ = self.distributor.handle(Input::Estimate { line, wait }, now);
            }
        }
        self.watch(line);
    }

    /// Sets the alarm of a line's estimator and redials.
    fn watch(&mut self, line: LineId) {
        let (estimator, redials) = (&self.estimators[line.index()], &self.redials[line.index()]);
        let alarm = earlier(estimator.poll_timeout(), redials.poll_timeout());
        if self.alarms.get(line.index()) == Some(&Some(alarm)) {
            return;
        }
        if self.alarms.len() != self.estimators.len() {
            self.alarms.clear();
            self.alarms.resize(self.estimators.len(), None);
        }
        self.alarms[line.index()] = Some(alarm);
        match alarm {
            Some(at) => self.deadlines.set(line, at),
            None => self.deadlines.clear(line),
        }
    }

    /// Whether a routine caller gave up a while ago; an emergency has no old place to come back to.
    fn is_redial(&self, newcomer: &Newcomer, key: Option<CallerKey>, now: Mono) -> bool {
        let routine = newcomer.band != Band::EMERGENCY && !self.guide.redial_window.is_zero();
        let redials = self.redials.get(newcomer.line.index()).filter(|_| routine);
        redials.zip(key).is_some_and(|(redials, key)| redials.is_redial(key, now))
    }

    fn ahead_of(&self, call: CallId) -> u32 {
        let position = self.distributor.position(call).unwrap_or(1);
        u32::try_from(position - 1).unwrap_or(u32::MAX)
    }

    fn begin_announcements(&mut self, call: CallId, line: LineId, now: Mono) {
        if let Some(schedule) = self.guide.announcements.get(line.index()).copied().flatten()
            && self.waits(call)
            && self.callers.get(&call).is_some_and(|who| who.promise.is_none())
        {
            self.announcer.join(call, schedule, now);
        }
    }

    fn answered(&mut self, call: CallId, now: Mono) {
        self.announcer.answered(call);
        let Some(who) = self.callers.get_mut(&call) else { return };
        self.touched.push(who.line);
        if std::mem::replace(&mut who.answered, true) {
            // Handed on by whoever answered first.
            return;
        }
        self.estimators[who.line.index()].answered(call, now);
        let line = who.line;
        if let Some(caller) = who.key {
            self.redials[line.index()].answered(caller);
            let _ = self.tell_book(callback::Input::CallAnswered { caller, line }, now);
        }
    }

    /// The call is over. A routine caller whom nobody answered may ring again and have the place back.
    fn over(&mut self, call: CallId, now: Mono) {
        let Some(who) = self.callers.remove(&call) else { return };
        self.announcer.end(call);
        self.touched.push(who.line);
        if let Some(promise) = who.promise {
            self.kept(promise, call, now);
        }
        if who.answered {
            return;
        }
        self.estimators[who.line.index()].left(call, now);
        if let Some(key) = who.key.filter(|_| who.facts.band != Band::EMERGENCY)
            && !self.guide.redial_window.is_zero()
        {
            self.redials[who.line.index()].abandoned(key, who.arrived, now);
        }
    }

    /// The rule by which a caller is offered a callback now, if one does.
    pub fn offered_by(&self, call: CallId) -> Option<RuleId> {
        self.offer_to(self.callers.get(&call)?)
    }

    fn offer_to(&self, who: &Who) -> Option<RuleId> {
        Some(self.distributor.decision(who.line, who.facts).offer_callback?.rule)
    }

    /// A rule has begun: those who wait and whom it offers something hear of it with the next announcement, now.
    fn hasten_offers(&mut self, line: LineId, rule: RuleId, now: Mono) {
        if !self.guide.rules.rule(rule).is_some_and(|rule| rule.actions.offer_callback) {
            return;
        }
        let waiting: Vec<CallId> = self.distributor.waiting(line).map(|place| place.call).collect();
        for call in waiting {
            let Some(who) = self.callers.get(&call) else { continue };
            if self.offer_to(who) == Some(rule) {
                self.announcer.hasten(call, now);
            }
        }
    }

    /// Makes the announcements that are due, from how things stand now.
    fn announce(&mut self, at: Mono) {
        if self.announcer.poll_timeout().is_none_or(|due| due > at) {
            return;
        }
        let (mut estimators, mut announcer) =
            (std::mem::take(&mut self.estimators), std::mem::take(&mut self.announcer));
        let mut asked = BTreeSet::new();
        announcer.handle_timeout(at, |call| {
            let Some(who) = self.callers.get(&call) else { return Facts::default() };
            asked.insert(who.line);
            let position = self.distributor.position(call).and_then(|position| u32::try_from(position).ok());
            let ahead = position.unwrap_or(1).saturating_sub(1);
            Facts {
                position,
                estimate: estimators[who.line.index()].ask(call, ahead, at),
                offer: self.may_offer(who) && self.offer_to(who).is_some(),
            }
        });
        (self.estimators, self.announcer) = (estimators, announcer);
        for line in asked {
            self.watch(line);
        }
        while let Some(told) = self.announcer.poll_output() {
            self.outputs.push_back(Output::Tell { call: told.call, what: told.what });
        }
    }
}
