//! Agents: what state each is in, and how their own wishes change it.
//!
//! A wish during a talk is remembered and takes effect after it; during ringing it takes effect at once. The
//! seats of destinations are here too: they have no wishes and no pauses.

use std::cmp::Reverse;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::distributor::Distributor;
use super::roster::Profile;
use super::{Availability, Band, Output, PauseReason, Refused, Withdrawal};
use crate::id::{AgentId, CallId, DestinationId, TeamId};
use crate::time::Mono;

/// One agent's place at work, or one seat of a destination.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Seat {
    /// Whose member it is, each team once, with the position in the team's list from 1.
    pub(super) teams: Vec<(TeamId, u32)>,
    /// Which crews it is of.
    pub(super) crews: Vec<u32>,
    pub(super) profile: Profile,
    /// Agents of the same teams and skills, between whom callers see no difference.
    pub(super) crowd: u32,
    /// `None` for agents.
    pub(super) destination: Option<DestinationId>,
    pub(super) state: State,
    /// When `state` was entered.
    pub(super) since: Mono,
    /// Misses since the last answer, log-in or resumption by hand.
    pub(super) misses: u32,
    /// Calls answered since the log-in.
    pub(super) answered: u32,
    /// Whether the phone can be reached, as far as is known.
    pub(super) reachable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    LoggedOut,
    /// In the free sets of all teams.
    Free {
        idle_since: Mono,
    },
    /// Idle, but the phone cannot be reached.
    Unreachable,
    /// A deadline is set: the end of ringing.
    Ringing {
        call: CallId,
        /// Given back when the presentation ends through no fault of the agent's.
        idle_since: Mono,
    },
    Talking {
        call: CallId,
        afterwards: Afterwards,
    },
    /// A deadline is set: its end.
    WrapUp,
    /// A deadline is set: its end.
    Resting,
    /// A deadline is set when the pause is for misses and ends by itself.
    Paused(PauseReason),
}

/// What follows a talk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Afterwards {
    WrapUp,
    Pause(PauseReason),
    LogOut,
}

impl Seat {
    pub(super) fn availability(&self) -> Availability {
        match &self.state {
            State::LoggedOut => Availability::LoggedOut,
            State::Free { .. } => Availability::Free,
            State::Unreachable => Availability::Unreachable,
            State::Ringing { call, .. } => Availability::Ringing(*call),
            State::Talking { call, .. } => Availability::Talking(*call),
            State::WrapUp => Availability::WrapUp,
            State::Resting => Availability::Resting,
            State::Paused(reason) => Availability::Paused(reason.clone()),
        }
    }

    /// What the agent asked for during the talk, if anything.
    pub(super) fn state_after(&self) -> Option<State> {
        match &self.state {
            State::Talking { afterwards: Afterwards::Pause(reason), .. } => {
                Some(State::Paused(reason.clone()))
            }
            State::Talking { afterwards: Afterwards::LogOut, .. } => Some(State::LoggedOut),
            _ => None,
        }
    }

    /// Logged in, not paused, the phone within reach.
    pub(super) fn at_work(&self) -> bool {
        self.reachable && !matches!(self.state, State::LoggedOut | State::Paused(_))
    }

    pub(super) fn idle_since(&self) -> Option<Mono> {
        match self.state {
            State::Free { idle_since } => Some(idle_since),
            _ => None,
        }
    }

    pub(super) fn is_in(&self, team: TeamId) -> bool {
        self.teams.iter().any(|&(mine, _)| mine == team)
    }
}

impl Distributor {
    pub(super) fn log_in(&mut self, agent: AgentId, now: Mono) -> Result<(), Refused> {
        if self.plan.agents.get(agent.index()).is_some_and(|known| known.gone) {
            return Err(Refused::NotInPlan(agent.to_string()));
        }
        let seat = self.person_mut(agent)?;
        match &mut seat.state {
            State::LoggedOut => {
                seat.misses = 0;
                seat.answered = 0;
                self.become_free(agent, now, now);
            }
            State::Talking { afterwards: afterwards @ Afterwards::LogOut, .. } => {
                *afterwards = Afterwards::WrapUp;
            }
            _ => return Err(Refused::WrongState(agent)),
        }
        Ok(())
    }

    pub(super) fn log_out(&mut self, agent: AgentId, now: Mono) -> Result<(), Refused> {
        match &mut self.person_mut(agent)?.state {
            State::LoggedOut | State::Talking { afterwards: Afterwards::LogOut, .. } => {
                return Err(Refused::WrongState(agent));
            }
            State::Talking { afterwards, .. } => *afterwards = Afterwards::LogOut,
            _ => self.step_away(agent, State::LoggedOut, now),
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, agent: AgentId, reason: PauseReason, now: Mono) -> Result<(), Refused> {
        match &mut self.person_mut(agent)?.state {
            State::LoggedOut | State::Talking { afterwards: Afterwards::LogOut, .. } => {
                return Err(Refused::WrongState(agent));
            }
            State::Talking { afterwards, .. } => *afterwards = Afterwards::Pause(reason),
            _ => self.step_away(agent, State::Paused(reason), now),
        }
        Ok(())
    }

    pub(super) fn resume(&mut self, agent: AgentId, now: Mono) -> Result<(), Refused> {
        let seat = self.person_mut(agent)?;
        match &mut seat.state {
            State::Paused(_) => {
                seat.misses = 0;
                self.become_free(agent, now, now);
            }
            State::Talking { afterwards: afterwards @ Afterwards::Pause(_), .. } => {
                *afterwards = Afterwards::WrapUp;
            }
            _ => return Err(Refused::WrongState(agent)),
        }
        Ok(())
    }

    pub(super) fn reach(&mut self, agent: AgentId, reachable: bool, now: Mono) -> Result<(), Refused> {
        let group = match self.seat(agent)?.destination {
            None => vec![agent],
            Some(destination) => self.plan.seats(destination).collect(),
        };
        let mut freed = Vec::new();
        for agent in group {
            let before = self.seats[agent.index()].at_work();
            self.seats[agent.index()].reachable = reachable;
            self.recount(agent, before);
            match self.seats[agent.index()].state {
                State::Free { .. } if !reachable => self.enter(agent, State::Unreachable, now),
                State::Unreachable if reachable => {
                    self.enter(agent, State::Free { idle_since: now }, now);
                    freed.push(agent);
                }
                _ => {}
            }
        }
        self.seek_callers(freed, now);
        Ok(())
    }

    pub(super) fn extend_wrap_up(&mut self, agent: AgentId, by: Duration) -> Result<(), Refused> {
        let seat = self.person_mut(agent)?;
        let (state, since) = (seat.state.clone(), seat.since);
        let until = match (state, self.deadlines.at(agent)) {
            (State::WrapUp, Some(until)) => until,
            _ => return Err(Refused::WrongState(agent)),
        };
        let extended = (until + by).min(since + self.plan.wrap_up_limit);
        self.deadlines.set(agent, extended.max(until));
        Ok(())
    }

    pub(super) fn end_wrap_up(&mut self, agent: AgentId, now: Mono) -> Result<(), Refused> {
        if self.person_mut(agent)?.state != State::WrapUp {
            return Err(Refused::WrongState(agent));
        }
        self.become_free(agent, now, now);
        Ok(())
    }

    /// The one way from state to state, so that every set and count agrees with it; a state that ends by itself
    /// gets its deadline from the caller, afterwards.
    pub(super) fn enter(&mut self, agent: AgentId, state: State, now: Mono) {
        let seat = &mut self.seats[agent.index()];
        let (before, old_since) = (seat.at_work(), seat.since);
        let (old, new) = (seat.idle_since(), matches!(state, State::Free { .. }));
        let may_be_timed =
            !matches!(seat.state, State::Free { .. } | State::Talking { .. } | State::LoggedOut);
        if let Some(idle_since) = old {
            self.free.remove(seat, idle_since, agent);
        }
        if let State::Ringing { .. } = seat.state {
            self.ringing.remove(&(Reverse(old_since), agent));
        }
        let routine = |call| self.calls.get(&call).is_some_and(|caller| caller.place.band != Band::EMERGENCY);
        if matches!(state, State::Ringing { call, .. } if routine(call)) {
            self.ringing.insert((Reverse(now), agent));
        }
        seat.state = state;
        seat.since = now;
        if let Some(idle_since) = seat.idle_since() {
            self.free.insert(seat, idle_since, agent);
        }
        if new != old.is_some() {
            for at in 0..self.seats[agent.index()].crews.len() {
                let crew = self.seats[agent.index()].crews[at];
                let free = &mut self.crews[crew as usize].free;
                *free = *free + u32::from(new) - u32::from(!new);
                self.stir_crew(crew);
            }
        }
        let seat = &self.seats[agent.index()];
        if seat.destination.is_none() {
            self.outputs.push_back(Output::Availability { agent, state: seat.availability() });
        }
        if may_be_timed {
            self.deadlines.clear(agent);
        }
        self.recount(agent, before);
    }

    pub(super) fn check_ringing(&self, agent: AgentId, call: CallId) -> Result<(), Refused> {
        match self.seat(agent)?.state {
            State::Ringing { call: held, .. } if held == call => Ok(()),
            _ => Err(Refused::NotTheirs { agent, call }),
        }
    }

    pub(super) fn check_talking(&self, agent: AgentId, call: CallId) -> Result<&Seat, Refused> {
        let seat = self.seat(agent)?;
        match seat.state {
            State::Talking { call: held, .. } if held == call => Ok(seat),
            _ => Err(Refused::NotTheirs { agent, call }),
        }
    }

    fn step_away(&mut self, agent: AgentId, state: State, now: Mono) {
        let ringing = match self.seats[agent.index()].state {
            State::Ringing { call, .. } => Some(call),
            _ => None,
        };
        if let Some(call) = ringing {
            self.outputs.push_back(Output::Withdraw { call, agent, why: Withdrawal::AgentGone });
        }
        self.enter(agent, state, now);
        if let Some(call) = ringing {
            self.ring_ended(call, agent, now);
        }
    }

    fn seat(&self, agent: AgentId) -> Result<&Seat, Refused> {
        self.seats.get(agent.index()).ok_or_else(|| Refused::NotInPlan(agent.to_string()))
    }

    fn person_mut(&mut self, agent: AgentId) -> Result<&mut Seat, Refused> {
        let seat = self.seats.get_mut(agent.index()).filter(|seat| seat.destination.is_none());
        seat.ok_or_else(|| Refused::NotInPlan(agent.to_string()))
    }
}
