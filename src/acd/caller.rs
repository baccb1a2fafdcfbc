//! What befalls callers: they arrive, are answered, refused, lost or done.
//!
//! A caller keeps its place until the call is over; every failure on the agent's side leads back to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::agent::{Afterwards, State};
use super::distributor::Distributor;
use super::waiting::Place;
use super::{Band, Cause, Output, PauseReason, Refused, Withdrawal};
use crate::id::{AgentId, CallId, LineId};
use crate::time::Mono;

/// How far a caller has come, and who holds the call.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Nobody's phone rings for it.
    Waiting,
    /// This agent's phone rings for it.
    Presented(AgentId),
    /// It talks with this agent.
    Talking(AgentId),
}

/// A caller from arrival to the end of the call.
#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
pub(super) struct Caller {
    pub(super) line: LineId,
    pub(super) place: Place,
    pub(super) stage: Stage,
}

/// Without it, a presentation that cannot be made would be tried again in the same instant, for ever.
const SHORTEST_WITHHELD: Duration = Duration::from_secs(1);

impl Distributor {
    pub(super) fn arrive(
        &mut self,
        call: CallId,
        line: LineId,
        band: Band,
        now: Mono,
    ) -> Result<(), Refused> {
        if line.index() >= self.plan.lines.len() {
            return Err(Refused::NotInPlan(line.to_string()));
        }
        if self.calls.contains_key(&call) {
            return Err(Refused::DuplicateCall(call));
        }
        let place = Place { band, arrived: now, number: self.arrivals, call };
        self.arrivals += 1;
        self.calls.insert(call, Caller { line, place, stage: Stage::Waiting });
        self.lines.insert(line, place, Stage::Waiting);
        self.seek_agent(call, now);
        Ok(())
    }

    pub(super) fn abandon(&mut self, call: CallId, now: Mono) -> Result<(), Refused> {
        let Some(caller) = self.forget(call) else { return Err(Refused::UnknownCall(call)) };
        match caller.stage {
            Stage::Waiting => {}
            Stage::Presented(agent) => {
                self.outputs.push_back(Output::Withdraw { call, agent, why: Withdrawal::CallerGone });
                let idle_since = match self.seats[agent.index()].state {
                    State::Ringing { idle_since, .. } => idle_since,
                    _ => now,
                };
                self.become_free(agent, idle_since, now);
            }
            Stage::Talking(agent) => self.end_talk(agent, caller.line, now),
        }
        Ok(())
    }

    pub(super) fn answer(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        self.check_ringing(agent, call)?;
        self.seats[agent.index()].misses = 0;
        self.move_to(call, Stage::Talking(agent));
        self.outputs.push_back(Output::Connect { call, agent });
        self.enter(agent, State::Talking { call, afterwards: Afterwards::WrapUp }, now);
        Ok(())
    }

    pub(super) fn refuse(
        &mut self,
        agent: AgentId,
        call: CallId,
        cause: Cause,
        now: Mono,
    ) -> Result<(), Refused> {
        self.check_ringing(agent, call)?;
        self.miss(agent, call, cause, now);
        Ok(())
    }

    pub(super) fn withhold(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        self.check_ringing(agent, call)?;
        self.enter(agent, State::Resting, now);
        self.deadlines.set(agent, now + self.plan.rest.failed.max(SHORTEST_WITHHELD));
        self.send_back(call, now);
        Ok(())
    }

    pub(super) fn ring_out(&mut self, agent: AgentId, call: CallId, now: Mono) {
        self.outputs.push_back(Output::Withdraw { call, agent, why: Withdrawal::RangOut });
        self.miss(agent, call, Cause::NoAnswer, now);
    }

    pub(super) fn finish(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        self.check_talking(agent, call)?;
        if let Some(caller) = self.forget(call) {
            self.end_talk(agent, caller.line, now);
        }
        Ok(())
    }

    pub(super) fn lose(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        match self.check_talking(agent, call)?.state_after() {
            None => self.miss(agent, call, Cause::Unreachable, now),
            Some(state) => {
                self.enter(agent, state, now);
                self.send_back(call, now);
            }
        }
        Ok(())
    }

    /// Back to the original place, and to the next agent if one is free.
    pub(super) fn send_back(&mut self, call: CallId, now: Mono) {
        self.move_to(call, Stage::Waiting);
        self.seek_agent(call, now);
    }

    /// The one way from stage to stage, so that the lines always agree with it.
    pub(super) fn move_to(&mut self, call: CallId, stage: Stage) {
        if let Some(caller) = self.calls.get_mut(&call) {
            self.lines.remove(caller.line, caller.place, caller.stage);
            caller.stage = stage;
            self.lines.insert(caller.line, caller.place, caller.stage);
        }
    }

    fn forget(&mut self, call: CallId) -> Option<Caller> {
        let caller = self.calls.remove(&call)?;
        self.lines.remove(caller.line, caller.place, caller.stage);
        Some(caller)
    }

    /// The agent is set aside before the caller looks for another; one that needs no rest comes last.
    fn miss(&mut self, agent: AgentId, call: CallId, cause: Cause, now: Mono) {
        let seat = &mut self.seats[agent.index()];
        seat.misses = seat.misses.saturating_add(1);
        let most = self.plan.misses_before_pause;
        let (state, time) = if most > 0 && seat.misses >= most {
            (State::Paused(PauseReason::Missed(cause)), self.plan.miss_pause)
        } else {
            (State::Resting, self.plan.rest.failed)
        };
        let rests = state == State::Resting;
        if !(rests && time.is_zero()) {
            self.enter(agent, state, now);
        }
        if !time.is_zero() {
            self.deadlines.set(agent, now + time);
        }
        self.send_back(call, now);
        if rests && time.is_zero() {
            self.become_free(agent, now, now);
        }
    }

    fn end_talk(&mut self, agent: AgentId, line: LineId, now: Mono) {
        if let Some(state) = self.seats[agent.index()].state_after() {
            self.enter(agent, state, now);
            return;
        }
        let wrap_up = self.plan.lines[line.index()].wrap_up;
        if wrap_up.is_zero() {
            self.become_free(agent, now, now);
        } else {
            self.enter(agent, State::WrapUp, now);
            self.deadlines.set(agent, now + wrap_up);
        }
    }
}
