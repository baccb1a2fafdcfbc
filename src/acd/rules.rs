//! Overflow rules at work: facts go to the rules as they change, and what is on changes who may answer.
//!
//! Rules change the reach of a line and say things to those who wait; they never move a caller. Their
//! deadlines take effect at their own time, after those of callers and agents of the same instant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::classes::Who;
use super::distributor::Distributor;
use super::{Band, Newcomer, Output, Plan, Refused, Stage};
use crate::calendar::Calendar;
use crate::id::{CallId, DestinationId, LineId, RuleId, TeamId};
use crate::policy::rules::{
    CallerFacts, Change, Decision, Kind, LineFacts, Live, Measure, Rule, RuleBook, RuleStates, Shadow, Trial,
};
use crate::time::{Mono, Now, Wall, earlier};

/// The rules and what they are told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rules {
    book: Arc<RuleBook>,
    calendar: Arc<Calendar>,
    states: RuleStates,
    /// One instant on both clocks, as last told.
    clock: Now,
    /// By [`LineId`]: whether a rule measures it.
    measured: Vec<bool>,
    /// By [`LineId`]: whether a rule asks for its estimated wait, which costs something to work out.
    estimated: Vec<bool>,
    /// By crew: the lines of which a rule counts the agents.
    counted: Vec<Vec<LineId>>,
    /// By [`LineId`]: whether a rule of it credits or tells callers anything.
    credits: Vec<bool>,
    tells: Vec<bool>,
    /// Lines that may look different from what the rules were last told, each once.
    stirred: Vec<LineId>,
    /// By [`LineId`]: whether it is among them.
    is_stirred: Vec<bool>,
    /// The waits that destinations report.
    pub(super) reports: BTreeMap<DestinationId, Duration>,
    /// The estimated waits of lines.
    estimates: BTreeMap<LineId, Duration>,
    /// Rules on trial, which see what these see.
    shadow: Option<Shadow>,
}

impl Distributor {
    /// A distributor with rules; `book` speaks of the lines and teams of `plan`.
    pub fn with_rules(
        plan: impl Into<Arc<Plan>>,
        book: impl Into<Arc<RuleBook>>,
        calendar: impl Into<Arc<Calendar>>,
        now: Now,
    ) -> Distributor {
        let (book, calendar) = (book.into(), calendar.into());
        let mut distributor = Distributor::new(plan, now.mono);
        let facts = distributor.all_facts();
        let none = vec![false; distributor.plan.lines.len()];
        let (mut credits, mut tells) = (none.clone(), none.clone());
        for rule in book.rules() {
            for line in rule.lines.iter().filter(|line| line.index() < none.len()) {
                credits[line.index()] |= rule.actions.priority.is_some();
                tells[line.index()] |= rule.actions.announce.is_some();
            }
        }
        let mut rules = Rules {
            states: RuleStates::new(&book, &calendar, facts, now),
            book: book.clone(),
            calendar,
            clock: now,
            measured: none.clone(),
            estimated: none.clone(),
            counted: vec![Vec::new(); distributor.crews.len()],
            credits,
            tells,
            stirred: Vec::new(),
            is_stirred: none,
            reports: BTreeMap::new(),
            estimates: BTreeMap::new(),
            shadow: None,
        };
        rules.measure_for(&book, &distributor.crew_of);
        distributor.rules = Some(Box::new(rules));
        distributor.settle(now.mono);
        distributor
    }

    /// Tells the wall clock, which may have been set; windows follow it.
    pub fn set_clock(&mut self, now: Now) {
        self.advance(now.mono);
        if let Some(rules) = &mut self.rules {
            rules.clock = now;
        }
        self.follow_rules(self.now, true);
        self.settle(self.now);
    }

    /// The rules that are on for a line.
    pub fn rules_on(&self, line: LineId) -> impl Iterator<Item = RuleId> {
        self.rules.as_ref().into_iter().flat_map(move |rules| rules.states.on(&rules.book, line))
    }

    /// What the rules that are on mean for a caller of this line; nothing without rules.
    pub fn decision(&self, line: LineId, caller: CallerFacts) -> Decision {
        let rules = self.rules.as_ref();
        rules.map_or_else(Decision::default, |rules| rules.states.decide(&rules.book, line, caller))
    }

    pub(super) fn report(
        &mut self,
        destination: DestinationId,
        wait: Option<Duration>,
        now: Mono,
    ) -> Result<(), Refused> {
        if destination.index() >= self.plan.destinations.len() {
            return Err(Refused::NotInPlan(destination.to_string()));
        }
        let Some(rules) = &mut self.rules else { return Ok(()) };
        if rules.reports.get(&destination).copied() == wait {
            return Ok(());
        }
        set(&mut rules.reports, destination, wait);
        for line in (0u32..).map(LineId).take(self.plan.lines.len()) {
            self.follow_reach(line, now);
        }
        Ok(())
    }

    pub(super) fn estimate(
        &mut self,
        line: LineId,
        wait: Option<Duration>,
        now: Mono,
    ) -> Result<(), Refused> {
        if line.index() >= self.plan.lines.len() {
            return Err(Refused::NotInPlan(line.to_string()));
        }
        if let Some(rules) = &mut self.rules {
            set(&mut rules.estimates, line, wait);
        }
        self.stir(line);
        self.follow_reach(line, now);
        Ok(())
    }

    /// The estimated wait of a line, as last told.
    pub(super) fn estimated(&self, line: LineId) -> Option<Duration> {
        self.rules.as_ref()?.estimates.get(&line).copied()
    }

    /// Whether the estimated wait of a line means anything to the rules.
    pub fn wants_estimate(&self, line: LineId) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.estimated.get(line.index()) == Some(&true))
    }

    /// How much longer the rules let this caller count as having waited.
    pub(super) fn priority(&self, newcomer: &Newcomer) -> Duration {
        if !self.rules.as_ref().is_some_and(|rules| rules.credits[newcomer.line.index()]) {
            return Duration::ZERO;
        }
        let decision = self.decision(newcomer.line, asked(newcomer));
        decision.priority.map_or(Duration::ZERO, |won| won.action)
    }

    /// The callers of a line have changed.
    pub(super) fn stir(&mut self, line: LineId) {
        if let Some(rules) = self.rules.as_mut().filter(|rules| rules.measured[line.index()]) {
            rules.stir(line);
        }
    }

    /// The agents of a crew have changed.
    pub(super) fn stir_crew(&mut self, crew: u32) {
        if let Some(rules) = &mut self.rules {
            for at in 0..rules.counted[crew as usize].len() {
                rules.stir(rules.counted[crew as usize][at]);
            }
        }
    }

    /// When time alone may turn a rule.
    pub(super) fn rules_due(&self) -> Option<Mono> {
        self.rules.as_ref()?.due()
    }

    /// The last thing in every step: rules take in what has changed, and who has waited in vain is led out.
    ///
    /// It ends because every turn of the loop presents a call or lets one go.
    pub(super) fn settle(&mut self, now: Mono) {
        loop {
            self.follow_rules(now, false);
            self.lead_out(now);
            if self.rules.as_ref().is_none_or(|rules| rules.stirred.is_empty()) {
                return;
            }
        }
    }

    /// A waiting caller is told what a rule says to it, once.
    pub(super) fn announce(&mut self, call: CallId) {
        let Some(caller) = self.calls.get(&call) else { return };
        if !self.rules.as_ref().is_some_and(|rules| rules.tells[caller.line.index()]) {
            return;
        }
        let Some(won) = self.decision(caller.line, caller.who.facts(caller.place.band)).announce else {
            return;
        };
        if let Some(caller) = self.calls.get_mut(&call)
            && caller.stage != Stage::Presented
            && !caller.place.callback
            && !caller.told.contains(&won.rule)
        {
            caller.told.push(won.rule);
            self.outputs.push_back(Output::Announce { call, clip: won.action, rule: won.rule });
        }
    }

    /// Tries other rules beside the live ones from now on; rules that were on trial in `before` go on as they are.
    pub(super) fn watch(&mut self, trial: Trial, before: Option<&Shadow>, now: Now) {
        let facts = self.all_facts();
        let Some(rules) = &mut self.rules else { return };
        let shadow = Shadow::new(&rules.book, trial.clone(), facts.clone(), now);
        debug_assert!(shadow.is_ok(), "whoever made the plan has given both the same surroundings");
        let Ok(mut shadow) = shadow else { return };
        if let Some(before) = before {
            shadow.carry(facts, before);
        }
        rules.measure_for(&trial.rules, &self.crew_of);
        rules.shadow = Some(shadow);
        self.follow_rules(now.mono, true);
        self.settle(now.mono);
    }

    /// Tries no other rules any more; gives what was on trial.
    pub(super) fn unwatch(&mut self) -> Option<Shadow> {
        self.rules.as_mut()?.shadow.take()
    }

    /// Lets rules that both books have go on as they are in `old`, and looks at every line anew.
    pub(super) fn carry_rules(&mut self, old: &Distributor) {
        if let (Some(new), Some(old)) = (&mut self.rules, &old.rules) {
            (new.reports, new.estimates) = (old.reports.clone(), old.estimates.clone());
        }
        let facts = self.all_facts();
        if let (Some(new), Some(old)) = (&mut self.rules, &old.rules) {
            new.states.carry(&new.book, facts, &old.states, &old.book);
            let now_at = |rule: RuleId| {
                let same = |known: &Rule| old.book.rule(rule) == Some(known);
                (0u32..).map(RuleId).zip(new.book.rules()).find(|(_, known)| same(known)).map(|(id, _)| id)
            };
            self.calls.for_each_mut(|_, caller| {
                caller.told = caller.told.iter().filter_map(|&rule| now_at(rule)).collect();
            });
        }
        for line in (0u32..).map(LineId).take(self.plan.lines.len()) {
            self.follow_reach(line, self.now);
            self.stir(line);
        }
    }

    /// By [`LineId`]: what rules know of the lines.
    fn all_facts(&self) -> Vec<LineFacts> {
        let lines = (0u32..).map(LineId).take(self.plan.lines.len());
        lines.filter_map(|line| self.facts(line)).collect()
    }

    fn follow_rules(&mut self, now: Mono, clock_was_set: bool) {
        loop {
            let Some(rules) = &mut self.rules else { return };
            let mut stirred = std::mem::take(&mut rules.stirred);
            stirred.iter().for_each(|line| rules.is_stirred[line.index()] = false);
            let due = rules.due().is_some_and(|at| at <= now);
            if stirred.is_empty() && !due && !clock_was_set {
                return;
            }
            stirred.sort_unstable();
            let look = |&line: &LineId| Some((line, self.facts(line)?));
            // Nearly always one line alone has changed, and needs no list.
            let (one, several): (Option<_>, Vec<_>) = match &stirred[..] {
                [line] => (look(line), Vec::new()),
                lines => (None, lines.iter().filter_map(look).collect()),
            };
            let facts: &[(LineId, LineFacts)] = one.as_ref().map_or(&several[..], std::slice::from_ref);
            let Some(rules) = &mut self.rules else { return };
            stirred.clear();
            rules.stirred = stirred;
            let at = rules.at(now);
            let changes = rules.states.evaluate(&rules.book, &rules.calendar, facts, at);
            if rules.shadow.is_some() {
                self.outputs.extend(rules.disagreements(&changes, facts, at));
            }
            if changes.is_empty() {
                return;
            }
            let (mut reaches, mut told) = (BTreeSet::new(), BTreeSet::new());
            for change in changes {
                let (line, rule, on) = (change.line, change.rule, change.on);
                let actions = rules.book.rule(rule).map(|rule| &rule.actions);
                let has = |kind| actions.is_some_and(|actions| actions.has(kind));
                reaches.extend((has(Kind::AddTeams) || has(Kind::RouteTo)).then_some(line));
                told.extend(has(Kind::Announce).then_some(line));
                self.outputs.push_back(Output::Rule { line, rule, on });
            }
            for line in reaches {
                self.follow_reach(line, now);
            }
            for line in told {
                let standing = self.queues[line.index()].standing.iter().map(|place| place.call);
                for call in standing.collect::<Vec<_>>() {
                    self.announce(call);
                }
            }
        }
    }

    /// Gives a line the reach that its rules give it now.
    fn follow_reach(&mut self, line: LineId, now: Mono) {
        if self.rules.is_none() {
            return;
        }
        let added = Who::all().map(|who| self.added_by_rules(line, who));
        self.set_added(line, added, now);
    }

    fn added_by_rules(&self, line: LineId, who: Who) -> Vec<TeamId> {
        let decision = self.decision(line, who.facts(Band::ROUTINE));
        let mut teams: Vec<TeamId> = Vec::new();
        for won in decision.add_teams {
            if won.action.index() < self.plan.teams.len() && !teams.contains(&won.action) {
                teams.push(won.action);
            }
        }
        let route = decision.route_to.map(|won| won.action).filter(|route| {
            let reported = self.rules.as_ref().and_then(|rules| rules.reports.get(&route.destination));
            let less = reported.zip(self.estimated(line)).is_some_and(|(there, here)| *there < here);
            !route.if_its_wait_is_less || less
        });
        teams.extend(route.and_then(|route| self.roster.team_of(route.destination)));
        teams
    }
}

impl Rules {
    /// From now on what these rules ask of lines is measured too.
    pub(super) fn measure_for(&mut self, book: &RuleBook, crew_of: &[u32]) {
        let lines = self.measured.len();
        let in_plan = |line: &&LineId| line.index() < lines;
        for rule in book.rules() {
            let compares = rule.actions.route_to.is_some_and(|route| route.if_its_wait_is_less);
            for line in rule.lines.iter().filter(in_plan) {
                self.estimated[line.index()] |= compares;
            }
            for condition in rule.when_all.iter().chain(&rule.when_any).chain(&rule.until) {
                let measured = condition.line.as_ref().map_or(&rule.lines[..], std::slice::from_ref);
                for line in measured.iter().filter(in_plan) {
                    self.measured[line.index()] = true;
                    self.estimated[line.index()] |= condition.measure == Measure::EstimatedWait;
                    if matches!(condition.measure, Measure::AgentsFree | Measure::AgentsLoggedIn) {
                        let counted = &mut self.counted[crew_of[line.index()] as usize];
                        if let Err(at) = counted.binary_search(line) {
                            counted.insert(at, *line);
                        }
                    }
                }
            }
        }
    }

    /// When time alone may turn a rule, live or on trial.
    fn due(&self) -> Option<Mono> {
        let shadow = self.shadow.as_ref().and_then(Shadow::poll_timeout);
        earlier(self.states.poll_timeout(), shadow)
    }

    /// Lets the rules on trial take in what the live ones took in; gives where they would have decided otherwise.
    fn disagreements(
        &mut self,
        changes: &[Change],
        facts: &[(LineId, LineFacts)],
        now: Now,
    ) -> impl Iterator<Item = Output> {
        if let Some(shadow) = &mut self.shadow {
            let live = Live { book: &self.book, states: &self.states, calendar: &self.calendar };
            shadow.evaluate(live, changes, facts, now);
        }
        let shadow = &mut self.shadow;
        std::iter::from_fn(|| shadow.as_mut()?.poll_disagreement())
            .map(|apart| Output::Disagreement(Box::new(apart)))
    }

    fn stir(&mut self, line: LineId) {
        if !std::mem::replace(&mut self.is_stirred[line.index()], true) {
            self.stirred.push(line);
        }
    }

    /// An instant on both clocks.
    fn at(&self, mono: Mono) -> Now {
        let wall = if mono >= self.clock.mono {
            self.clock.wall + mono.since(self.clock.mono)
        } else {
            let before = self.clock.mono.since(mono).as_millis();
            Wall(self.clock.wall.0.saturating_sub(i64::try_from(before).unwrap_or(i64::MAX)))
        };
        Now { mono, wall }
    }
}

/// What rules ask of a newcomer.
pub(super) fn asked(newcomer: &Newcomer) -> CallerFacts {
    CallerFacts { band: newcomer.band, redial: newcomer.redial, withheld: newcomer.withheld }
}

fn set<K: Ord>(map: &mut BTreeMap<K, Duration>, key: K, wait: Option<Duration>) {
    match wait {
        Some(wait) => drop(map.insert(key, wait)),
        None => drop(map.remove(&key)),
    }
}
