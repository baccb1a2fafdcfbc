//! A new plan in place of the one in force: everybody keeps place and state, and only who may answer whom changes.
//!
//! Lines, teams, agents and destinations that both plans name have the same ids in both; the seats of
//! destinations come after the agents and may have moved. What the new plan marks as gone stays in its tables
//! for those who still speak of it. Shares of practices begin anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::agent::State;
use super::caller::Caller;
use super::distributor::Distributor;
use super::{Gone, Plan, Stage};
use crate::calendar::Calendar;
use crate::id::{AgentId, CallId, DestinationId, LineId};
use crate::policy::rules::RuleBook;
use crate::time::{Mono, Now};

impl Plan {
    /// Where the seats of this plan's destinations are in `next`, as far as they moved.
    pub fn moved_seats(&self, next: &Plan) -> BTreeMap<AgentId, AgentId> {
        let destinations = (0u32..).map(DestinationId).take(self.destinations.len());
        let pairs = destinations.flat_map(|id| self.seats(id).zip(next.seats(id)).collect::<Vec<_>>());
        pairs.filter(|(old, new)| old != new).collect()
    }
}

impl Distributor {
    /// The lines that are gone from `next` without a word of what is to become of their callers, and how many
    /// wait in each: with these, the plan must not be taken over.
    pub fn stranded(&self, next: &Plan) -> Vec<(LineId, usize)> {
        let gone = (0u32..).map(LineId).zip(&next.lines).filter(|(_, line)| line.gone == Some(Gone::Refuse));
        let waiting =
            gone.map(|(line, _)| (line, self.facts(line).map_or(0, |facts| facts.waiting as usize)));
        waiting.filter(|&(_, callers)| callers > 0).collect()
    }

    /// Goes on with another plan, which strands nobody and has the ids of this one.
    pub fn replan(
        &mut self,
        plan: impl Into<Arc<Plan>>,
        book: impl Into<Arc<RuleBook>>,
        calendar: impl Into<Arc<Calendar>>,
        now: Now,
    ) {
        let at = self.advance(now.mono);
        let mut next = Distributor::with_rules(plan, book, calendar, Now { mono: at, ..now });
        next.outputs.clear();
        let moved = self.plan.moved_seats(&next.plan);
        let seat_of = |agent: AgentId| moved.get(&agent).copied().unwrap_or(agent);
        next.arrivals = self.arrivals;
        for (call, mut caller) in self.calls.drain() {
            caller.rung.iter_mut().for_each(|agent| *agent = seat_of(*agent));
            if let Stage::Talking(agent) | Stage::Transferring { by: agent, .. } = &mut caller.stage {
                *agent = seat_of(*agent);
            }
            next.seat_caller(call, caller);
        }
        for (agent, seat) in (0u32..).map(AgentId).zip(std::mem::take(&mut self.seats)) {
            let deadline = self.deadlines.at(agent);
            next.take_seat(seat_of(agent), seat, deadline);
        }
        let teams = self.plan.teams.len();
        for (old, new) in self.free.by_team.iter().take(teams).zip(&mut next.free.by_team) {
            new.last = old.last;
        }
        // Nobody's availability has changed by this.
        next.outputs.clear();
        next.carry_rules(self);
        std::mem::swap(&mut next.outputs, &mut self.outputs);
        let before = std::mem::replace(self, next).plan;
        let is_gone =
            |plan: &Plan, agent: AgentId| plan.agents.get(agent.index()).is_some_and(|known| known.gone);
        let agents = || (0u32..).map(AgentId).take(self.plan.agents.len());
        let gone: Vec<AgentId> = agents().filter(|&agent| is_gone(&self.plan, agent)).collect();
        let back =
            agents().filter(|&agent| is_gone(&before, agent) && self.plan.agents[agent.index()].logged_in);
        let back: Vec<AgentId> = back.filter(|&agent| !is_gone(&self.plan, agent)).collect();
        let (ringing, others): (Vec<_>, Vec<_>) = gone
            .into_iter()
            .partition(|agent| matches!(self.seats[agent.index()].state, State::Ringing { .. }));
        // Refused for those who are logged out already.
        others.into_iter().for_each(|agent| drop(self.log_out(agent, at)));
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for &call in &calls {
            self.line_up(call, at);
        }
        // Those whose wait is too long by this plan, or whom nobody answers now.
        self.to_lead_out.extend(calls);
        back.into_iter().for_each(|agent| drop(self.log_in(agent, at)));
        let classes = self.classes.all().filter(|(_, class)| !class.wanting.is_empty());
        self.seek_for_all(classes.map(|(id, _)| id).collect(), at);
        // Only now, when nobody else is left who ought to have the agent whom their callers get.
        ringing.into_iter().for_each(|agent| drop(self.log_out(agent, at)));
        self.settle(at);
        self.check_while_small();
    }

    /// Puts a caller of the old plan into its line, or the one that takes its place.
    fn seat_caller(&mut self, call: CallId, mut caller: Caller) {
        if let Some(Gone::Remap(line)) = self.plan.lines[caller.line.index()].gone {
            caller.line = line;
        }
        caller.class = None;
        caller.charged.clear();
        let (line, place) = (caller.line, caller.place);
        self.queues[line.index()].insert(place, caller.practice, caller.stage);
        self.stir(line);
        let waits = caller.stage.is_in_line();
        self.calls.insert(call, caller);
        if waits {
            self.set_caller_deadline(call, self.now);
        }
    }

    /// Lets an agent go on in the old state.
    fn take_seat(&mut self, agent: AgentId, old: super::agent::Seat, deadline: Option<Mono>) {
        let Some(seat) = self.seats.get(agent.index()) else { return };
        let now = seat.since;
        self.enter(agent, State::LoggedOut, now);
        let seat = &mut self.seats[agent.index()];
        (seat.misses, seat.answered, seat.reachable) = (old.misses, old.answered, old.reachable);
        self.enter(agent, old.state, old.since);
        if let Some(at) = deadline {
            self.deadlines.set(agent, at);
        }
    }
}
