//! The exchange: matching, rules, estimates, announcements and redials, kept in step.
//!
//! The [`Distributor`] matches callers and agents and knows nothing of rules. The exchange tells the rules what
//! each line looks like, widens lines by what the rules say, keeps the estimate of each line, gives a redialling
//! caller the old place back and makes announcements fall due. Whoever drives calls talks to the exchange alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::announce::{Announcer, Facts};
use super::estimate::Estimator;
use super::redial::{CallerKey, Redials};
use super::{Distributor, Entry, Input, Leaving, Newcomer, Output, Plan, Refusal, Refused, Stage};
use crate::id::{AgentId, CallId, LineId};
use crate::policy::Band;
use crate::policy::rules::{CallerFacts, LineFacts, RuleStates};
use crate::time::{Deadlines, Mono, Now, Wall};

mod guide;
mod lines;

pub use guide::Guide;

/// Most places of callers who gave up that are kept for each line.
const MOST_REDIALS: usize = 10_000;

/// All that decides who is answered by whom, and what callers are told meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exchange {
    distributor: Distributor,
    guide: Guide,
    rules: RuleStates,
    /// By [`LineId`].
    estimators: Vec<Estimator>,
    /// By [`LineId`].
    redials: Vec<Redials>,
    announcer: Announcer,
    /// Callers who are not over, as far as the distributor does not know them.
    callers: BTreeMap<CallId, Who>,
    /// By [`LineId`]: whether a rule asks for its estimated wait.
    estimated: Vec<bool>,
    /// By [`AgentId`]: the lines that the agent's teams answer first.
    lines_of: Vec<Vec<LineId>>,
    /// Lines whose looks may have changed.
    touched: BTreeSet<LineId>,
    /// When a line's estimator or its redials want to be woken.
    deadlines: Deadlines<LineId>,
    outputs: VecDeque<Output>,
    now: Now,
}

/// What the rules ask of a caller, and how it is known again.
#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
struct Who {
    line: LineId,
    key: Option<CallerKey>,
    facts: CallerFacts,
    /// When it arrived, or would have with the place that was given back.
    arrived: Mono,
    answered: bool,
}

impl Exchange {
    /// Nobody waits; agents are as the plan says.
    pub fn new(plan: Plan, guide: Guide, now: Now) -> Exchange {
        let lines = plan.lines.len();
        let distributor = Distributor::new(plan, now.mono);
        let facts = (0..lines).map(|_| LineFacts::default()).collect();
        let rules = RuleStates::new(&guide.rules, &guide.calendar, facts, now);
        let mut exchange = Exchange {
            estimators: (0..lines).map(|_| Estimator::new(guide.estimates)).collect(),
            redials: (0..lines).map(|_| Redials::new(guide.redial_window, MOST_REDIALS)).collect(),
            estimated: lines::estimated(&guide.rules, lines),
            lines_of: lines::of_agents(distributor.plan()),
            touched: (0u32..).map(LineId).take(lines).collect(),
            distributor,
            guide,
            rules,
            announcer: Announcer::default(),
            callers: BTreeMap::new(),
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            now,
        };
        exchange.settle();
        exchange
    }

    /// Whether a caller may join its line, by the rules and by what the line takes; an emergency always may.
    pub fn entry(&mut self, newcomer: &Newcomer, now: Now) -> Entry {
        self.handle_timeout(now);
        let newcomer = self.recognised(newcomer);
        let decision = self.rules.decide(&self.guide.rules, newcomer.line, facts_of(&newcomer));
        match decision.refuse {
            Some(won) => Entry::by_rule(won),
            None => self.distributor.entry(&newcomer),
        }
    }

    /// Takes an input in. Deadlines that passed before it take effect first, each at its own time.
    pub fn handle(&mut self, input: Input, now: Now) -> Result<(), Refused> {
        self.handle_timeout(now);
        let input = match input {
            Input::Arrive { call, newcomer } => {
                Input::Arrive { call, newcomer: self.credited(newcomer) }
            }
            other => other,
        };
        self.distributor.handle(input.clone(), now.mono)?;
        match input {
            Input::Arrive { call, newcomer } => self.arrived(call, newcomer),
            Input::Abandon { call } => self.left(call),
            Input::Finish { call, .. } => self.over(call),
            Input::Lose { call, .. } => self.waits_again(call),
            _ => {}
        }
        self.settle();
        Ok(())
    }

    /// Lets every deadline up to `now` take effect, in order of time.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(at) = self.poll_timeout().filter(|&at| at <= now.mono) {
            let late = i64::try_from(now.mono.since(at).as_millis()).unwrap_or(i64::MAX);
            self.now = Now { mono: at.max(self.now.mono), wall: Wall(now.wall.0.saturating_sub(late)) };
            self.distributor.handle_timeout(at);
            while let Some((_, line)) = self.deadlines.pop_due(at) {
                self.estimators[line.index()].handle_timeout(at);
                self.redials[line.index()].handle_timeout(at);
                self.touched.insert(line);
            }
            self.settle();
            self.announce(at);
        }
        self.now = now;
    }

    /// When to call [`Exchange::handle_timeout`], if nothing else comes first.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let next = [
            self.distributor.poll_timeout(),
            self.rules.poll_timeout(),
            self.announcer.poll_timeout(),
            self.deadlines.next(),
        ];
        next.into_iter().flatten().min()
    }

    /// The next thing that the world must do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Who waits, who is presented to whom.
    pub fn floor(&self) -> &Distributor {
        &self.distributor
    }

    /// The newcomer, known again if it gave up a while ago.
    fn recognised(&self, newcomer: &Newcomer) -> Newcomer {
        let line = newcomer.line.index();
        let redial = newcomer.caller.is_some_and(|key| {
            self.redials.get(line).is_some_and(|redials| redials.is_redial(key, self.now.mono))
        });
        Newcomer { redial: newcomer.redial || redial, ..*newcomer }
    }

    /// The newcomer with the place it had before, and with what the rules credit it.
    fn credited(&mut self, newcomer: Newcomer) -> Newcomer {
        let newcomer = self.recognised(&newcomer);
        let restored = newcomer.caller.and_then(|key| {
            self.redials.get_mut(newcomer.line.index()).and_then(|redials| redials.take(key, self.now.mono))
        });
        let waited = restored.map(|arrived| self.now.mono.since(arrived)).unwrap_or_default();
        let decision = self.rules.decide(&self.guide.rules, newcomer.line, facts_of(&newcomer));
        let priority = decision.priority.map(|won| won.action).unwrap_or_default();
        Newcomer { credit: newcomer.credit.max(waited) + priority, ..newcomer }
    }

    fn arrived(&mut self, call: CallId, newcomer: Newcomer) {
        let arrived = Mono(self.now.mono.0.saturating_sub(newcomer.credit.as_micros() as u64));
        let who = Who {
            line: newcomer.line,
            key: newcomer.caller,
            facts: facts_of(&newcomer),
            arrived,
            answered: false,
        };
        self.callers.insert(call, who);
        self.touched.insert(newcomer.line);
        if let Some(schedule) = self.guide.announcements.get(newcomer.line.index()).copied().flatten() {
            self.announcer.join(call, schedule, self.now.mono);
        }
    }

    /// The caller hung up, or was led out, before or during a talk.
    fn left(&mut self, call: CallId) {
        let Some(who) = self.over(call) else { return };
        if who.answered {
            return;
        }
        self.estimators[who.line.index()].left(call, self.now.mono);
        if let Some(key) = who.key.filter(|_| who.facts.band != Band::EMERGENCY) {
            self.redials[who.line.index()].abandoned(key, who.arrived, self.now.mono);
        }
    }

    fn over(&mut self, call: CallId) -> Option<Who> {
        let who = self.callers.remove(&call)?;
        self.announcer.end(call);
        self.touched.insert(who.line);
        Some(who)
    }

    fn answered(&mut self, call: CallId) {
        self.announcer.answered(call);
        let Some(who) = self.callers.get_mut(&call) else { return };
        who.answered = true;
        self.touched.insert(who.line);
        self.estimators[who.line.index()].answered(call, self.now.mono);
        if let Some(key) = who.key {
            self.redials[who.line.index()].answered(key);
        }
    }

    fn waits_again(&mut self, call: CallId) {
        let Some(who) = self.callers.get(&call) else { return };
        self.touched.insert(who.line);
        if let Some(schedule) = self.guide.announcements.get(who.line.index()).copied().flatten() {
            self.announcer.join(call, schedule, self.now.mono);
        }
    }

    /// Makes the announcements that are due, from how things stand now.
    fn announce(&mut self, at: Mono) {
        let (distributor, callers, rules, guide) =
            (&self.distributor, &self.callers, &self.rules, &self.guide);
        let (estimators, mut asked) = (&mut self.estimators, BTreeSet::new());
        self.announcer.handle_timeout(at, |call| {
            let Some(who) = callers.get(&call) else { return Facts::default() };
            asked.insert(who.line);
            let position = distributor.position(call).and_then(|position| u32::try_from(position).ok());
            let ahead = position.unwrap_or(1).saturating_sub(1);
            let decision = rules.decide(&guide.rules, who.line, who.facts);
            Facts {
                position,
                estimate: estimators[who.line.index()].ask(call, ahead, at),
                clip: decision.announce.map(|won| won.action),
                offer: decision.offer_callback.is_some(),
            }
        });
        while let Some(said) = self.announcer.poll_output() {
            self.outputs.push_back(Output::Announce { call: said.call, what: said.what });
        }
        for line in asked {
            self.watch(line);
        }
    }
}

fn facts_of(newcomer: &Newcomer) -> CallerFacts {
    CallerFacts { band: newcomer.band, redial: newcomer.redial, withheld: newcomer.withheld }
}
