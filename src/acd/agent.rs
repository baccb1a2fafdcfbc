//! Agents: what state each is in, and how their own wishes change it.
//!
//! A wish during a talk is remembered and takes effect after it; during ringing it takes effect at once.

use serde::{Deserialize, Serialize};

use super::distributor::Distributor;
use super::{Availability, Output, PauseReason, Refused, Withdrawal};
use crate::id::{AgentId, CallId, TeamId};
use crate::time::Mono;

/// One agent's place at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Seat {
    /// Whose member the agent is, each team once.
    pub(super) teams: Vec<TeamId>,
    pub(super) state: State,
    /// When `state` was entered.
    pub(super) since: Mono,
    /// Misses since the last answer, log-in or resumption by hand.
    pub(super) misses: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    LoggedOut,
    /// In the free sets of all teams.
    Free {
        idle_since: Mono,
    },
    /// A deadline is set: the end of ringing.
    Ringing {
        call: CallId,
        /// Given back when the caller hangs up, which is not the agent's fault.
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
}

impl Distributor {
    pub(super) fn log_in(&mut self, agent: AgentId, now: Mono) -> Result<(), Refused> {
        let seat = self.seat_mut(agent)?;
        match &mut seat.state {
            State::LoggedOut => {
                seat.misses = 0;
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
        match &mut self.seat_mut(agent)?.state {
            State::LoggedOut | State::Talking { afterwards: Afterwards::LogOut, .. } => {
                return Err(Refused::WrongState(agent));
            }
            State::Talking { afterwards, .. } => *afterwards = Afterwards::LogOut,
            _ => self.step_away(agent, State::LoggedOut, now),
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, agent: AgentId, reason: PauseReason, now: Mono) -> Result<(), Refused> {
        match &mut self.seat_mut(agent)?.state {
            State::LoggedOut | State::Talking { afterwards: Afterwards::LogOut, .. } => {
                return Err(Refused::WrongState(agent));
            }
            State::Talking { afterwards, .. } => *afterwards = Afterwards::Pause(reason),
            _ => self.step_away(agent, State::Paused(reason), now),
        }
        Ok(())
    }

    pub(super) fn resume(&mut self, agent: AgentId, now: Mono) -> Result<(), Refused> {
        let seat = self.seat_mut(agent)?;
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

    /// The one way from state to state, so that free sets and deadlines always agree with it; a state that
    /// ends by itself gets its deadline from the caller, afterwards.
    pub(super) fn enter(&mut self, agent: AgentId, state: State, now: Mono) {
        let seat = &mut self.seats[agent.index()];
        if let State::Free { idle_since } = seat.state {
            self.free.remove(&seat.teams, idle_since, agent);
        }
        if let State::Free { idle_since } = state {
            self.free.insert(&seat.teams, idle_since, agent);
        }
        self.deadlines.clear(agent);
        seat.state = state;
        seat.since = now;
        self.outputs.push_back(Output::Availability { agent, state: seat.availability() });
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
            self.send_back(call, now);
        }
    }

    fn seat(&self, agent: AgentId) -> Result<&Seat, Refused> {
        self.seats.get(agent.index()).ok_or_else(|| Refused::NotInPlan(agent.to_string()))
    }

    fn seat_mut(&mut self, agent: AgentId) -> Result<&mut Seat, Refused> {
        self.seats.get_mut(agent.index()).ok_or_else(|| Refused::NotInPlan(agent.to_string()))
    }
}
