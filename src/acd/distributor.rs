//! The machine itself: inputs and deadlines in order of their own time, outputs in order of their cause.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::agent::{Seat, State};
use super::caller::Caller;
use super::matching::FreeAgents;
use super::waiting::Lines;
use super::{Input, Output, Plan, Refused};
use crate::id::{AgentId, CallId, TeamId};
use crate::time::{Deadlines, Mono};

/// Matches callers and agents; plain data, driven by [`Input`]s and time alone.
///
/// Bands are strict; within a band the earliest arrival over all lines that an agent can answer goes first,
/// and a caller goes to the longest idle agent. Mutate once, drain all outputs, mutate again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Distributor {
    pub(super) plan: Arc<Plan>,
    /// Every call that is not over.
    pub(super) calls: BTreeMap<CallId, Caller>,
    pub(super) lines: Lines,
    /// By [`AgentId`].
    pub(super) seats: Vec<Seat>,
    pub(super) free: FreeAgents,
    /// The end of ringing, wrap-up, rest or a pause for misses.
    pub(super) deadlines: Deadlines<AgentId>,
    pub(super) outputs: VecDeque<Output>,
    /// How many callers have ever arrived.
    pub(super) arrivals: u64,
    /// The latest instant seen.
    pub(super) now: Mono,
}

impl Distributor {
    /// A distributor in which nobody waits; agents that the plan logs in are free and idle since `now`.
    pub fn new(plan: impl Into<Arc<Plan>>, now: Mono) -> Distributor {
        let plan = plan.into();
        let mut seats: Vec<Seat> = plan
            .agents
            .iter()
            .map(|agent| {
                let state = if agent.logged_in { State::Free { idle_since: now } } else { State::LoggedOut };
                Seat { teams: Vec::new(), state, since: now, misses: 0 }
            })
            .collect();
        for (team, members) in (0u32..).map(TeamId).zip(&plan.teams) {
            let members: BTreeSet<AgentId> = members.agents.iter().copied().collect();
            for agent in members {
                if let Some(seat) = seats.get_mut(agent.index()) {
                    seat.teams.push(team);
                }
            }
        }
        let mut free = FreeAgents::new(&plan);
        for (agent, seat) in (0u32..).map(AgentId).zip(&seats) {
            if let State::Free { idle_since } = seat.state {
                free.insert(&seat.teams, idle_since, agent);
            }
        }
        Distributor {
            calls: BTreeMap::new(),
            lines: Lines::new(&plan),
            seats,
            free,
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            arrivals: 0,
            now,
            plan,
        }
    }

    /// Applies `input` after all deadlines up to `now`; a refused input changes nothing.
    ///
    /// A deadline and an input of the same instant: the deadline comes first. An instant before one already
    /// seen counts as that one.
    pub fn handle(&mut self, input: Input, now: Mono) -> Result<(), Refused> {
        let now = self.advance(now);
        let result = match input {
            Input::Arrive { call, newcomer } => self.arrive(call, newcomer.line, newcomer.band, now),
            Input::Abandon { call } => self.abandon(call, now),
            Input::Answer { agent, call } => self.answer(agent, call, now),
            Input::Refuse { agent, call, cause } => self.refuse(agent, call, cause, now),
            Input::Withhold { agent, call } => self.withhold(agent, call, now),
            Input::Finish { agent, call } => self.finish(agent, call, now),
            Input::Lose { agent, call } => self.lose(agent, call, now),
            Input::LogIn { agent } => self.log_in(agent, now),
            Input::LogOut { agent } => self.log_out(agent, now),
            Input::Pause { agent, reason } => self.pause(agent, reason, now),
            Input::Resume { agent } => self.resume(agent, now),
            Input::Reach { agent, .. } | Input::ExtendWrapUp { agent, .. } | Input::EndWrapUp { agent } => {
                Err(Refused::WrongState(agent))
            }
        };
        self.check_while_small();
        result
    }

    /// Lets every deadline up to `now` take effect, each at its own time; a wake too many does nothing.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.advance(now);
        self.check_while_small();
    }

    /// The next thing that the world must do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Distributor::handle_timeout`] next; changes with every input.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.deadlines.next()
    }

    fn advance(&mut self, now: Mono) -> Mono {
        while let Some((at, agent)) = self.deadlines.pop_due(now) {
            self.now = self.now.max(at);
            self.time_out(agent, at);
        }
        self.now = self.now.max(now);
        self.now
    }

    fn time_out(&mut self, agent: AgentId, at: Mono) {
        match self.seats[agent.index()].state {
            State::Ringing { call, .. } => self.ring_out(agent, call, at),
            State::WrapUp | State::Resting | State::Paused(_) => self.become_free(agent, at, at),
            State::LoggedOut | State::Free { .. } | State::Talking { .. } => {}
        }
    }
}
