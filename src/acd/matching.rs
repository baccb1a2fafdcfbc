//! Matching: a caller finds an agent, an agent finds the caller to serve next.
//!
//! Before each input no free agent could be presented any caller who wants one, so only callers and agents that
//! have just become available need to look, and what they find is right for all. An agent can answer a caller
//! when it is a member of a team in the caller's reach and meets the caller's needs; a routine caller leaves in
//! each of the agent's teams as many free as the team keeps for emergencies.

use std::collections::BTreeSet;
use std::time::Duration;

use super::agent::State;
use super::caller::{Caller, Stage};
use super::classes::{Class, ClassId, Kind};
use super::desk::Turn;
use super::distributor::Distributor;
use super::place::Place;
use super::roster::waited;
use super::{Band, Output, Strategy, Withdrawal};
use crate::id::{AgentId, CallId, DestinationId, TeamId};
use crate::time::Mono;

/// No phone rings for less, lest a late wake should ring through an endless row of agents in one instant.
const SHORTEST_RING: Duration = Duration::from_millis(1);

impl Distributor {
    /// Presents a caller to as many agents as it wants and can have; an emergency for whom nobody is free takes
    /// back a routine presentation.
    pub(super) fn seek_agents(&mut self, call: CallId, now: Mono) {
        let Some(before) = self.stage(call) else { return };
        let Some(class) = self.class_of(call, now) else { return };
        while self.seek_agent(call, class, now) {}
        let unheard = |caller: &&Caller| caller.is_emergency() && caller.stage == Stage::Waiting;
        if self.calls.get(&call).filter(unheard).is_some()
            && let Some(agent) = self.to_recall(self.classes.of(class))
        {
            self.recall(agent, call, now);
        }
        match self.calls.get(&call) {
            // Nothing has come of it: the class that was found is the one to stand in.
            Some(caller) if caller.stage == before => {
                let class = self.wants(caller).then_some(class);
                self.stand_in(call, class);
            }
            _ => self.line_up(call, now),
        }
    }

    /// Presents a caller who wants an agent to the one put forward, or to all of a team that rings together;
    /// whether there was one.
    pub(super) fn seek_agent(&mut self, call: CallId, class: ClassId, now: Mono) -> bool {
        if !self.calls.get(&call).is_some_and(|caller| self.wants(caller)) {
            return false;
        }
        let Some((agent, team)) = self.put_forward(self.classes.of(class)) else { return false };
        self.present(call, agent, Some(class), now);
        if self.free.of(team).strategy == Strategy::RingAll {
            while let Some(agent) = self.pick(self.classes.of(class), team) {
                self.present(call, agent, Some(class), now);
            }
        }
        true
    }

    /// Makes an agent free, unless its phone cannot be reached, and presents the caller to serve next.
    pub(super) fn become_free(&mut self, agent: AgentId, idle_since: Mono, now: Mono) {
        self.idle(agent, idle_since, now);
        let teams = &self.seats[agent.index()].teams;
        if teams.iter().any(|&(team, _)| self.free.of(team).keep > 0) {
            return self.seek_callers(vec![agent], now);
        }
        // Nobody else has become free by it.
        while let Some(turn) = self.next_caller(agent) {
            self.serve_turn(turn, now);
        }
    }

    /// Makes an agent free, unless its phone cannot be reached, and no more.
    pub(super) fn idle(&mut self, agent: AgentId, idle_since: Mono, now: Mono) {
        let reachable = self.seats[agent.index()].reachable;
        let state = if reachable { State::Free { idle_since } } else { State::Unreachable };
        self.enter(agent, state, now);
    }

    /// Agents who have just become free are presented the callers to serve next; so are members of their teams
    /// who need no longer be kept free.
    pub(super) fn seek_callers(&mut self, mut agents: Vec<AgentId>, now: Mono) {
        let many = agents.len();
        let mut keep_fewer: Vec<TeamId> = Vec::new();
        for &(team, _) in agents.iter().flat_map(|agent| &self.seats[agent.index()].teams) {
            let bench = self.free.of(team);
            if bench.keep > 0 && bench.has_to_spare() && bench.len <= bench.keep + many {
                keep_fewer.push(team);
            }
        }
        keep_fewer.sort_unstable();
        keep_fewer.dedup();
        agents.extend(keep_fewer.into_iter().flat_map(|team| self.free.of(team).all()));
        agents.sort_by_key(|agent| self.seats[agent.index()].crowd);
        loop {
            agents.retain(|agent| self.seats[agent.index()].idle_since().is_some());
            let crowds = agents.chunk_by(|a, b| self.seats[a.index()].crowd == self.seats[b.index()].crowd);
            let turns = crowds.filter_map(|crowd| self.next_caller(*crowd.first()?));
            let Some(turn) = turns.min_by_key(|turn| turn.between_teams()) else { return };
            self.serve_turn(turn, now);
        }
    }

    /// One agent at a time: an emergency for whom nothing rings yet may come before this caller's next.
    fn serve_turn(&mut self, turn: Turn, now: Mono) {
        self.seek_agent(turn.place.call, turn.class, now);
        self.line_up(turn.place.call, now);
    }

    /// Callers who have just come within reach of more agents are served in the order in which the agents take
    /// them; emergencies who found none take back routine presentations.
    pub(super) fn seek_for_all(&mut self, classes: BTreeSet<ClassId>, now: Mono) {
        let reach = classes.iter().flat_map(|&class| &self.classes.of(class).teams);
        let reach: BTreeSet<TeamId> = reach.copied().collect();
        let mut free: Vec<AgentId> = reach.iter().flat_map(|&team| self.free.of(team).all()).collect();
        free.sort_unstable();
        free.dedup();
        self.seek_callers(free, now);
        let classes = classes.iter().map(|&class| self.classes.of(class));
        let unheard = classes.filter(|class| class.kind.band == Band::EMERGENCY && !class.kind.rung);
        let unheard: BTreeSet<Place> = unheard.flat_map(|class| &class.wanting).copied().collect();
        for place in unheard {
            self.seek_agents(place.call, now);
        }
    }

    /// The first at any desk of the agent's teams, if the agent is free to take it.
    pub(super) fn next_caller(&self, agent: AgentId) -> Option<Turn> {
        let seat = &self.seats[agent.index()];
        seat.idle_since()?;
        let firsts = seat
            .teams
            .iter()
            .filter_map(|&(team, _)| self.classes.desks[team.index()].first(seat.profile, &self.roster));
        let first = firsts.min_by_key(|turn| turn.between_teams())?;
        (first.is_emergency() || self.free.can_spare(seat)).then_some(*first)
    }

    /// Each team in the reach puts one member forward; people come before destinations, then the longest idle.
    fn put_forward(&self, class: &Class) -> Option<(AgentId, TeamId)> {
        let forward = class.teams.iter().filter_map(|&team| Some((self.pick(class, team)?, team)));
        forward.min_by_key(|&(agent, _)| {
            let seat = &self.seats[agent.index()];
            (seat.destination.is_some(), seat.idle_since(), agent)
        })
    }

    /// The member that a team puts forward for callers of a class.
    fn pick(&self, class: &Class, team: TeamId) -> Option<AgentId> {
        let routine = class.kind.band != Band::EMERGENCY;
        let bench = self.free.of(team);
        if bench.len == 0 || routine && !bench.has_to_spare() {
            return None;
        }
        let fits = |profile| self.roster.meets(profile, class.needs);
        let may = |agent: AgentId| !routine || self.free.can_spare(&self.seats[agent.index()]);
        bench.first(fits, may)
    }

    /// The agent whose phone rings for a routine caller and who could answer this emergency: the phone that has
    /// rung for the shortest time, whose caller loses least and whose agent is least likely to be reaching for it.
    pub(super) fn to_recall(&self, class: &Class) -> Option<AgentId> {
        self.ringing.iter().map(|&(_, agent)| agent).find(|&agent| {
            let seat = &self.seats[agent.index()];
            class.teams.iter().any(|&team| seat.is_in(team)) && self.roster.meets(seat.profile, class.needs)
        })
    }

    fn recall(&mut self, agent: AgentId, emergency: CallId, now: Mono) {
        let State::Ringing { call, .. } = self.seats[agent.index()].state else { return };
        self.outputs.push_back(Output::Withdraw { call, agent, why: Withdrawal::Recalled });
        self.present(emergency, agent, None, now);
        self.line_up(emergency, now);
        self.ring_ended(call, agent, now);
    }

    /// Rings a phone of an agent who is free, or rings for a caller who has to stand back.
    pub(super) fn present(&mut self, call: CallId, agent: AgentId, class: Option<ClassId>, now: Mono) {
        let seat = &self.seats[agent.index()];
        let (State::Free { idle_since } | State::Ringing { idle_since, .. }) = seat.state else { return };
        let ring_for = match seat.destination {
            Some(destination) => self.plan.destinations[destination.index()].ring_for,
            None => {
                let Some(caller) = self.calls.get(&call) else { return };
                self.plan.lines[caller.line.index()].ring_for
            }
        };
        if let Some(class) = class {
            self.charge(call, agent, class);
        }
        self.free.presented(&self.seats[agent.index()]);
        if let Some(caller) = self.calls.get_mut(&call) {
            caller.rung.push(agent);
        }
        if self.stage(call).is_some_and(Stage::is_in_line) {
            self.restage(call, Stage::Presented);
        }
        self.outputs.push_back(Output::Present { call, agent });
        self.enter(agent, State::Ringing { call, idle_since }, now);
        self.deadlines.set(agent, now + ring_for.max(SHORTEST_RING));
    }

    pub(super) fn free_seat(&self, destination: DestinationId) -> Option<AgentId> {
        let team = self.roster.team_of(destination)?;
        self.free.of(team).first(|_| true, |_| true)
    }

    /// Whether a caller wants an agent, or an emergency one more.
    pub(super) fn wants(&self, caller: &Caller) -> bool {
        match caller.stage {
            Stage::Waiting => true,
            Stage::Presented => {
                let most = self.plan.lines[caller.line.index()].emergency_parallel;
                caller.is_emergency() && caller.rung.len() < most as usize
            }
            Stage::Talking(_) | Stage::Transferring { .. } => false,
        }
    }

    /// The class that a caller is of now; `None` when it is over.
    pub(super) fn class_of(&mut self, call: CallId, now: Mono) -> Option<ClassId> {
        let caller = self.calls.get(&call)?;
        let (widened, relaxed) = self.roster.steps(caller.line, waited(caller.place.rank, now));
        let kind = Kind {
            line: caller.line,
            band: caller.place.band,
            callback: caller.place.callback,
            rung: caller.stage == Stage::Presented,
            practice: caller.practice.filter(|_| self.roster.shares()),
            widened,
            relaxed,
            out: caller.out,
            who: caller.who,
        };
        Some(self.classes.find(kind, &self.roster))
    }

    /// Puts a caller who wants an agent into its class, and takes it out of any other.
    pub(super) fn line_up(&mut self, call: CallId, now: Mono) {
        let wants = self.calls.get(&call).is_some_and(|caller| self.wants(caller));
        let class = if wants { self.class_of(call, now) } else { None };
        self.stand_in(call, class);
    }

    /// Puts a caller into a class, and takes it out of any other.
    fn stand_in(&mut self, call: CallId, class: Option<ClassId>) {
        let Some(caller) = self.calls.get_mut(&call) else { return };
        let old = std::mem::replace(&mut caller.class, class);
        if old == class {
            return;
        }
        let place = caller.place;
        // In before out: a practice whose caller changes classes has somebody waiting all the time.
        if let Some(class) = class {
            self.classes.insert(class, place);
        }
        if let Some(old) = old {
            self.classes.remove(old, place);
        }
    }

    /// The teams that give this agent count the call as a turn of its practice, once.
    fn charge(&mut self, call: CallId, agent: AgentId, class: ClassId) {
        if !self.roster.shares() {
            return;
        }
        let Some(caller) = self.calls.get_mut(&call).filter(|caller| !caller.is_emergency()) else { return };
        for (team, _) in &self.seats[agent.index()].teams {
            let serves = self.classes.of(class).teams.contains(team) && !caller.charged.contains(team);
            if serves && self.classes.desks[team.index()].charge(caller.practice) {
                caller.charged.push(*team);
            }
        }
    }

    /// The turns that a call was counted as are given back: nobody answered.
    pub(super) fn give_back(&mut self, call: CallId) {
        let Some(caller) = self.calls.get_mut(&call) else { return };
        for team in caller.charged.drain(..) {
            self.classes.desks[team.index()].give_back(caller.practice);
        }
    }
}
