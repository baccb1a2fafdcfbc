//! Matching: a caller finds the longest idle agent, an agent finds the caller to serve next.
//!
//! Before each input no free agent could have answered any waiting caller, so only the caller or agent that
//! has just become available needs to look, and what it finds is right for all. An agent answers a line when
//! a member of one of its teams.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::agent::State;
use super::caller::Stage;
use super::distributor::Distributor;
use super::{Output, Plan};
use crate::id::{AgentId, CallId, TeamId};
use crate::time::Mono;

/// No phone rings for less, lest a late wake should ring through an endless row of agents in one instant.
const SHORTEST_RING: Duration = Duration::from_millis(1);

/// The free agents of each team, the longest idle first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FreeAgents {
    /// By [`TeamId`].
    pub(super) by_team: Vec<BTreeSet<(Mono, AgentId)>>,
}

impl FreeAgents {
    pub(super) fn new(plan: &Plan) -> FreeAgents {
        FreeAgents { by_team: vec![BTreeSet::new(); plan.teams.len()] }
    }

    pub(super) fn insert(&mut self, teams: &[TeamId], idle_since: Mono, agent: AgentId) {
        for team in teams {
            self.by_team[team.index()].insert((idle_since, agent));
        }
    }

    pub(super) fn remove(&mut self, teams: &[TeamId], idle_since: Mono, agent: AgentId) {
        for team in teams {
            self.by_team[team.index()].remove(&(idle_since, agent));
        }
    }

    /// The longest idle agent of any of `teams`, the lower id among equals, and since when it is idle.
    fn longest_idle(&self, teams: &[TeamId]) -> Option<(Mono, AgentId)> {
        teams.iter().filter_map(|team| self.by_team[team.index()].first()).min().copied()
    }
}

impl Distributor {
    /// Presents a waiting caller to the longest idle agent that can answer it, if one is free.
    pub(super) fn seek_agent(&mut self, call: CallId, now: Mono) {
        let Some(caller) = self.calls.get(&call) else { return };
        let teams = &self.lines.queues[caller.line.index()].teams;
        if let Some((idle_since, agent)) = self.free.longest_idle(teams) {
            self.present(call, agent, idle_since, now);
        }
    }

    /// Makes an agent free and presents the caller to serve next, if one waits.
    pub(super) fn become_free(&mut self, agent: AgentId, idle_since: Mono, now: Mono) {
        self.enter(agent, State::Free { idle_since }, now);
        if let Some(call) = self.lines.first_for(&self.seats[agent.index()].teams) {
            self.present(call, agent, idle_since, now);
        }
    }

    fn present(&mut self, call: CallId, agent: AgentId, idle_since: Mono, now: Mono) {
        let Some(line) = self.calls.get(&call).map(|caller| caller.line) else { return };
        self.move_to(call, Stage::Presented(agent));
        self.outputs.push_back(Output::Present { call, agent });
        self.enter(agent, State::Ringing { call, idle_since }, now);
        let ring_for = self.plan.lines[line.index()].ring_for.max(SHORTEST_RING);
        self.deadlines.set(agent, now + ring_for);
    }
}
