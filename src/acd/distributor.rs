//! The machine itself: inputs and deadlines in order of their own time, outputs in order of their cause.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::agent::{Seat, State};
use super::caller::Caller;
use super::calls::ByCall;
use super::classes::Classes;
use super::crews::{self, Crew};
use super::desk::Desk;
use super::free::FreeAgents;
use super::roster::Roster;
use super::rules::Rules;
use super::waiting::Queue;
use super::{Input, Output, Plan, Refused};
use crate::id::{AgentId, CallId, DestinationId, LineId, TeamId};
use crate::time::{Deadlines, Mono, earlier};

/// Matches callers and agents; plain data, driven by [`Input`]s and time alone.
///
/// Bands are strict. An agent is presented the caller that comes first at any of its teams' desks: the earliest
/// arrival, credits counted, or the next by the practices' shares. A caller is presented to the agent that its
/// teams' strategies put forward; of several, the longest idle. Mutate once, drain all outputs, mutate again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Distributor {
    pub(super) plan: Arc<Plan>,
    pub(super) roster: Roster,
    /// Every call that is not over.
    pub(super) calls: ByCall<Caller>,
    /// By [`LineId`].
    pub(super) queues: Vec<Queue>,
    pub(super) classes: Classes,
    /// By [`AgentId`], the seats of destinations after the agents.
    pub(super) seats: Vec<Seat>,
    pub(super) free: FreeAgents,
    /// Agents whose phones ring for routine callers, the latest first.
    pub(super) ringing: BTreeSet<(Reverse<Mono>, AgentId)>,
    /// By [`TeamId`]: how many members are at work.
    pub(super) at_work: Vec<usize>,
    pub(super) crews: Vec<Crew>,
    /// By [`LineId`]: which crew its own teams are.
    pub(super) crew_of: Vec<u32>,
    /// The end of ringing, wrap-up, rest or a pause for misses.
    pub(super) deadlines: Deadlines<AgentId>,
    /// When the next teams, lesser needs or the end of the longest wait come for a caller.
    pub(super) steps: Deadlines<CallId>,
    /// `None` where there are no rules.
    pub(super) rules: Option<Box<Rules>>,
    pub(super) outputs: VecDeque<Output>,
    /// How many callers have ever arrived.
    pub(super) arrivals: u64,
    /// Lines that callers leave when nobody is at work.
    pub(super) can_empty: Vec<LineId>,
    /// Lines where somebody may have to be led out before the step is over.
    pub(super) to_clear: BTreeSet<LineId>,
    /// Callers who may have to be led out before the step is over.
    pub(super) to_lead_out: BTreeSet<CallId>,
    /// The latest instant seen.
    pub(super) now: Mono,
}

impl Distributor {
    /// A distributor in which nobody waits; agents that the plan logs in are free and idle since `now`.
    pub fn new(plan: impl Into<Arc<Plan>>, now: Mono) -> Distributor {
        let plan = plan.into();
        let (roster, profiles, of_destinations) = Roster::new(&plan);
        let seat = |state, profile, destination| Seat {
            teams: Vec::new(),
            crews: Vec::new(),
            profile,
            crowd: 0,
            destination,
            state,
            since: now,
            misses: 0,
            answered: 0,
            reachable: true,
        };
        let free = State::Free { idle_since: now };
        let people = plan.agents.iter().zip(profiles).map(|(agent, profile)| {
            seat(if agent.logged_in { free.clone() } else { State::LoggedOut }, profile, None)
        });
        let destinations =
            (0u32..).map(DestinationId).zip(&plan.destinations).flat_map(|(id, destination)| {
                (0..destination.capacity)
                    .map(|_| seat(free.clone(), of_destinations, Some(id)))
                    .collect::<Vec<_>>()
            });
        let mut seats: Vec<Seat> = people.chain(destinations).collect();
        let members = plan.teams.iter().map(|team| {
            let people = team.agents.iter().copied().filter(|agent| agent.index() < plan.agents.len());
            people.collect::<Vec<_>>()
        });
        let ids = (0u32..).map(DestinationId).take(plan.destinations.len());
        let of_destinations = ids.map(|id| plan.seats(id).collect::<Vec<_>>());
        for (team, members) in (0u32..).map(TeamId).zip(members.chain(of_destinations)) {
            for (position, agent) in (1..).zip(members) {
                let seat = &mut seats[agent.index()];
                if !seat.is_in(team) {
                    seat.teams.push((team, position));
                }
            }
        }
        let mut crowds = BTreeMap::new();
        for seat in &mut seats {
            let next = crowds.len() as u32;
            let teams: BTreeSet<TeamId> = seat.teams.iter().map(|member| member.0).collect();
            seat.crowd = *crowds.entry((seat.profile, teams)).or_insert(next);
        }
        let (crews, crew_of) = crews::new(&plan, &roster, &mut seats);
        let shares = plan.teams.iter().map(|team| team.fair_share.as_ref());
        let desks = shares.chain(plan.destinations.iter().map(|_| None)).map(Desk::new).collect::<Vec<_>>();
        let mut at_work = vec![0; desks.len()];
        let mut free = FreeAgents::new(&plan);
        for (agent, seat) in (0u32..).map(AgentId).zip(&seats) {
            if let Some(idle_since) = seat.idle_since() {
                free.insert(seat, idle_since, agent);
                seat.teams.iter().for_each(|(team, _)| at_work[team.index()] += 1);
            }
        }
        let lines = (0u32..).map(LineId).zip(&plan.lines);
        let can_empty = lines.filter(|(_, line)| line.leave_when_empty.is_some()).map(|(id, _)| id).collect();
        Distributor {
            calls: ByCall::default(),
            queues: vec![Queue::default(); plan.lines.len()],
            classes: Classes::new(plan.lines.len(), desks),
            roster,
            seats,
            free,
            ringing: BTreeSet::new(),
            at_work,
            crews,
            crew_of,
            deadlines: Deadlines::default(),
            steps: Deadlines::default(),
            rules: None,
            outputs: VecDeque::new(),
            arrivals: 0,
            can_empty,
            to_clear: BTreeSet::new(),
            to_lead_out: BTreeSet::new(),
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
            Input::Arrive { call, newcomer } => self.arrive(call, newcomer, now),
            Input::Abandon { call } => self.abandon(call, now),
            Input::Answer { agent, call } => self.answer(agent, call, now),
            Input::Refuse { agent, call, cause } => self.refuse(agent, call, cause, now),
            Input::Withhold { agent, call } => self.withhold(agent, call, now),
            Input::Finish { agent, call } => self.finish(agent, call, now),
            Input::Lose { agent, call } => self.lose(agent, call, now),
            Input::Transfer { agent, call, to } => self.transfer(agent, call, to, now),
            Input::Leave { agent, call } => self.leave(agent, call, now),
            Input::Spare { agent, call } => self.spare(agent, call, now),
            Input::Serve { agent, call, line, band } => self.serve(agent, call, (line, band), now),
            Input::Credit { call, credit } => self.credit(call, credit, now),
            Input::Rank { call, band } => self.rank(call, band, now),
            Input::Move { call, line, band } => self.move_to(call, (line, band), now),
            Input::LogIn { agent } => self.log_in(agent, now),
            Input::LogOut { agent } => self.log_out(agent, now),
            Input::Pause { agent, reason } => self.pause(agent, reason, now),
            Input::Resume { agent } => self.resume(agent, now),
            Input::Reach { agent, reachable } => self.reach(agent, reachable, now),
            Input::ExtendWrapUp { agent, by } => self.extend_wrap_up(agent, by),
            Input::EndWrapUp { agent } => self.end_wrap_up(agent, now),
            Input::Report { destination, wait } => self.report(destination, wait, now),
            Input::Estimate { line, wait } => self.estimate(line, wait, now),
        };
        self.settle(now);
        self.check_while_small();
        result
    }

    /// Lets every deadline up to `now` take effect, each at its own time; a wake too many does nothing.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.advance(now);
        self.check_while_small();
    }

    /// After nobody was there for `away`: phones ring on for as long as they had left, and for `patience` at least, and
    /// what else was missed takes effect `now`, not at its own time. Nothing that follows from it may lie in the past.
    pub(super) fn catch_up(&mut self, now: Mono, away: Duration, patience: Duration) {
        for (agent, seat) in (0u32..).map(AgentId).zip(&self.seats) {
            if let (State::Ringing { .. }, Some(at)) = (&seat.state, self.deadlines.at(agent)) {
                self.deadlines.set(agent, (at + away).max(now + patience));
            }
        }
        while self.poll_timeout().is_some_and(|at| at <= now) {
            self.fire(now);
        }
    }

    /// The next thing that the world must do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether there is something for the world to do.
    pub(super) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// When to call [`Distributor::handle_timeout`] next; changes with every input.
    pub fn poll_timeout(&self) -> Option<Mono> {
        earlier(earlier(self.deadlines.next(), self.steps.next()), self.rules_due())
    }

    pub(super) fn advance(&mut self, now: Mono) -> Mono {
        while let Some(at) = self.poll_timeout().filter(|&at| at <= now) {
            self.fire(at);
        }
        self.now = self.now.max(now);
        self.now
    }

    /// Of one instant callers' steps come first, all together, then agents' deadlines one by one, then rules.
    fn fire(&mut self, at: Mono) {
        self.now = self.now.max(at);
        let calls: Vec<CallId> =
            std::iter::from_fn(|| self.steps.pop_due(at)).map(|(_, call)| call).collect();
        if !calls.is_empty() {
            self.step_on(calls, at);
        } else if let Some((_, agent)) = self.deadlines.pop_due(at) {
            self.agent_timed_out(agent, at);
        }
        self.settle(at);
    }

    fn agent_timed_out(&mut self, agent: AgentId, at: Mono) {
        match self.seats[agent.index()].state {
            State::Ringing { call, .. } => self.ring_out(agent, call, at),
            State::WrapUp | State::Resting | State::Paused(_) => self.become_free(agent, at, at),
            State::LoggedOut | State::Free { .. } | State::Unreachable | State::Talking { .. } => {}
        }
    }
}
