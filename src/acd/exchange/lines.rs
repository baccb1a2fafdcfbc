//! What lines look like to the rules, and how the rules change what lines reach.

use std::collections::BTreeSet;

use super::*;
use crate::id::TeamId;
use crate::policy::rules::{Measure, RuleBook};

/// By agent: the lines whose own teams have it as a member.
pub(super) fn of_agents(plan: &Plan) -> Vec<Vec<LineId>> {
    let mut lines = vec![BTreeSet::new(); plan.agents.len()];
    for (line, written) in (0u32..).map(LineId).zip(&plan.lines) {
        for team in &written.teams {
            for agent in plan.teams.get(team.index()).into_iter().flat_map(|team| &team.agents) {
                if let Some(lines) = lines.get_mut(agent.index()) {
                    lines.insert(line);
                }
            }
        }
    }
    lines.into_iter().map(|lines| lines.into_iter().collect()).collect()
}

/// By line: whether a rule asks for its estimated wait, which costs something to tell.
pub(super) fn estimated(book: &RuleBook, lines: usize) -> Vec<bool> {
    let mut asked = vec![false; lines];
    for rule in book.rules() {
        for condition in rule.when_all.iter().chain(&rule.when_any).chain(&rule.until) {
            if condition.measure == Measure::EstimatedWait {
                let own = rule.lines.iter().filter(|_| condition.line.is_none());
                for line in condition.line.iter().chain(own) {
                    if let Some(asked) = asked.get_mut(line.index()) {
                        *asked = true;
                    }
                }
            }
        }
    }
    asked
}

impl Exchange {
    /// Follows what happened until nothing more follows from it: outputs, looks of lines, rules, reach.
    pub(super) fn settle(&mut self) {
        loop {
            while let Some(output) = self.distributor.poll_output() {
                self.note(&output);
                self.outputs.push_back(output);
            }
            let looks: Vec<(LineId, LineFacts)> =
                std::mem::take(&mut self.touched).into_iter().map(|line| (line, self.look(line))).collect();
            let changes = self.rules.evaluate(&self.guide.rules, &self.guide.calendar, &looks, self.now);
            for (line, _) in looks {
                self.watch(line);
            }
            if changes.is_empty() {
                break;
            }
            let lines: BTreeSet<LineId> = changes.iter().map(|change| change.line).collect();
            for change in changes {
                self.outputs.push_back(Output::Rule { line: change.line, rule: change.rule, on: change.on });
            }
            for line in lines {
                self.reach(line);
            }
        }
    }

    fn note(&mut self, output: &Output) {
        match output {
            Output::Connect { call, .. } => self.answered(*call),
            Output::Release { call, .. } => {
                self.left(*call);
            }
            Output::Availability { agent, .. } => {
                let lines = self.lines_of.get(agent.index()).into_iter().flatten();
                self.touched.extend(lines.copied());
            }
            Output::Present { call, .. } | Output::Withdraw { call, .. } => {
                self.touched.extend(self.callers.get(call).map(|who| who.line));
            }
            _ => {}
        }
    }

    /// What a line looks like now; its estimator is told as well.
    fn look(&mut self, line: LineId) -> LineFacts {
        let Some(facts) = self.distributor.facts(line) else { return LineFacts::default() };
        let estimator = &mut self.estimators[line.index()];
        let idle = u32::try_from(self.distributor.waiting_count(line)).unwrap_or(u32::MAX);
        let at_work = facts.agents_logged_in;
        estimator.level(idle, at_work, self.now.mono);
        let range = if self.estimated[line.index()] { estimator.range(facts.waiting, self.now.mono) } else { None };
        let estimated = range.map(|range| range.at_most);
        LineFacts { estimated_wait: estimated, ..facts }
    }

    /// Lets a line reach what the rules that are on say.
    fn reach(&mut self, line: LineId) {
        let decision = self.rules.decide(&self.guide.rules, line, CallerFacts::default());
        let mut teams: Vec<TeamId> = Vec::new();
        for team in decision.add_teams.iter().map(|won| won.action) {
            if !teams.contains(&team) {
                teams.push(team);
            }
        }
        let destination = decision.route_to.map(|won| won.action.destination);
        self.distributor.set_added(line, teams, destination, self.now.mono);
        self.touched.insert(line);
        if decision.announce.is_some() || decision.offer_callback.is_some() {
            let waiting: Vec<CallId> =
                self.callers.iter().filter(|(_, who)| who.line == line).map(|(&call, _)| call).collect();
            for call in waiting {
                self.announcer.hasten(call, self.now.mono);
            }
        }
    }

    /// Sets the alarm of a line's estimator and redials.
    pub(super) fn watch(&mut self, line: LineId) {
        let (estimator, redials) = (&self.estimators[line.index()], &self.redials[line.index()]);
        match estimator.poll_timeout().into_iter().chain(redials.poll_timeout()).min() {
            Some(at) => self.deadlines.set(line, at),
            None => self.deadlines.clear(line),
        }
    }
}
