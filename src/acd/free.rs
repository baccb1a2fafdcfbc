//! The free agents of each team, in the order in which the team's strategy takes them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::agent::Seat;
use super::roster::Profile;
use super::{Plan, Strategy};
use crate::id::{AgentId, TeamId};
use crate::time::Mono;

/// Where an agent stands among the free members of one team.
type Rank = (u64, u64, AgentId);

/// The free members of every team.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FreeAgents {
    /// By [`TeamId`], teams of destinations after those of people.
    pub(super) by_team: Vec<Bench>,
}

/// The free members of one team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bench {
    pub(super) strategy: Strategy,
    /// So many members stay free for emergency calls.
    pub(super) keep: usize,
    pub(super) len: usize,
    /// The place in the team's list of the last member presented.
    pub(super) last: u64,
    by_profile: BTreeMap<Profile, BTreeSet<Rank>>,
}

impl FreeAgents {
    pub(super) fn new(plan: &Plan) -> FreeAgents {
        let of_people = plan.teams.iter().map(|team| Bench {
            strategy: team.strategy,
            keep: team.keep_free_for_emergency as usize,
            ..Bench::default()
        });
        let of_destinations = plan.destinations.iter().map(|_| Bench::default());
        FreeAgents { by_team: of_people.chain(of_destinations).collect() }
    }

    pub(super) fn of(&self, team: TeamId) -> &Bench {
        &self.by_team[team.index()]
    }

    pub(super) fn insert(&mut self, seat: &Seat, idle_since: Mono, agent: AgentId) {
        for &(team, position) in &seat.teams {
            let bench = &mut self.by_team[team.index()];
            let rank = bench.rank(seat, position, idle_since, agent);
            bench.len += usize::from(bench.by_profile.entry(seat.profile).or_default().insert(rank));
        }
    }

    pub(super) fn remove(&mut self, seat: &Seat, idle_since: Mono, agent: AgentId) {
        for &(team, position) in &seat.teams {
            let bench = &mut self.by_team[team.index()];
            let rank = bench.rank(seat, position, idle_since, agent);
            if let Some(free) = bench.by_profile.get_mut(&seat.profile) {
                bench.len -= usize::from(free.remove(&rank));
            }
        }
    }

    /// Remembers who was presented last.
    pub(super) fn presented(&mut self, seat: &Seat) {
        for &(team, position) in &seat.teams {
            self.by_team[team.index()].last = u64::from(position);
        }
    }

    /// Whether a routine call may take this agent: each of its teams keeps as many free as it must.
    pub(super) fn can_spare(&self, seat: &Seat) -> bool {
        seat.teams.iter().all(|&(team, _)| self.of(team).has_to_spare())
    }
}

impl Bench {
    pub(super) fn has_to_spare(&self) -> bool {
        self.keep == 0 || self.len > self.keep
    }

    /// The member that the strategy takes next among those that `fits` and `may`.
    pub(super) fn first(
        &self,
        fits: impl Fn(Profile) -> bool,
        may: impl Fn(AgentId) -> bool,
    ) -> Option<AgentId> {
        let fitting = self.by_profile.iter().filter(|(profile, _)| fits(**profile)).map(|(_, free)| free);
        if self.strategy != Strategy::RoundRobin {
            return fitting.filter_map(|free| free.iter().find(|rank| may(rank.2))).min().map(|rank| rank.2);
        }
        let start = (self.last + 1, 0, AgentId(0));
        let firsts = fitting.filter_map(|free| {
            let onward = free.range(start..).map(|rank| (false, rank));
            let mut all = onward.chain(free.range(..start).map(|rank| (true, rank)));
            all.find(|(_, rank)| may(rank.2))
        });
        firsts.min().map(|(_, rank)| rank.2)
    }

    /// Every free member.
    pub(super) fn all(&self) -> impl Iterator<Item = AgentId> {
        self.by_profile.values().flatten().map(|rank| rank.2)
    }

    /// Whether this free agent stands where it must.
    pub(super) fn has(&self, seat: &Seat, position: u32, idle_since: Mono, agent: AgentId) -> bool {
        let rank = self.rank(seat, position, idle_since, agent);
        self.by_profile.get(&seat.profile).is_some_and(|free| free.contains(&rank))
    }

    fn rank(&self, seat: &Seat, position: u32, idle_since: Mono, agent: AgentId) -> Rank {
        match self.strategy {
            Strategy::LongestIdle => (idle_since.0, 0, agent),
            Strategy::FewestCalls => (u64::from(seat.answered), idle_since.0, agent),
            Strategy::RoundRobin | Strategy::Ordered | Strategy::RingAll => (u64::from(position), 0, agent),
        }
    }
}
