//! Transfers: the agent who talks with a caller hands the caller on, to a colleague, a destination or a line.
//!
//! While the other phone rings the caller belongs to the agent, who may stay on the line or hang up. One whom the
//! other does not take is back with the agent who stayed; an agent who hung up is rung again; and when that comes
//! to nothing too, the caller waits in the line, in the original place.

use serde::{Deserialize, Serialize};

use super::agent::State;
use super::caller::{Caller, Stage};
use super::distributor::Distributor;
use super::{Band, Output, Refused};
use crate::id::{AgentId, CallId, DestinationId, LineId};
use crate::time::Mono;

/// Where an agent hands a caller on to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Onward {
    /// This agent's phone is rung, if the agent is free.
    Agent(AgentId),
    /// A free seat of this destination is rung.
    Destination(DestinationId),
    /// The caller waits in this line, in the place it has, with this priority if its own is less.
    Line(LineId, Band),
}

impl Distributor {
    pub(super) fn transfer(
        &mut self,
        agent: AgentId,
        call: CallId,
        to: Onward,
        now: Mono,
    ) -> Result<(), Refused> {
        self.check_talking(agent, call)?;
        if self.stage(call) != Some(Stage::Talking(agent)) {
            return Err(Refused::WrongState(agent));
        }
        let other = match to {
            Onward::Line(line, band) => return self.hand_to_line(agent, call, (line, band), now),
            Onward::Agent(other) => self.free_colleague(other, call)?,
            Onward::Destination(destination) => self.free_seat(destination).ok_or(Refused::NobodyFree)?,
        };
        if let Some(caller) = self.calls.get_mut(&call) {
            caller.charged.clear();
        }
        self.restage(call, Stage::Transferring { by: agent, on_line: true });
        self.present(call, other, None, now);
        Ok(())
    }

    /// The agent who hands a caller on hangs up before the other has answered.
    pub(super) fn leave(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        self.check_talking(agent, call)?;
        let Some(caller) = self.calls.get_mut(&call) else { return Err(Refused::UnknownCall(call)) };
        let Stage::Transferring { on_line, .. } = &mut caller.stage else {
            return Err(Refused::WrongState(agent));
        };
        *on_line = false;
        let line = caller.line;
        self.end_talk(agent, line, now);
        Ok(())
    }

    /// The other does not take the caller, or the agent who hands it on is lost.
    pub(super) fn transfer_failed(&mut self, call: CallId, agent: AgentId, now: Mono) {
        let Some(Stage::Transferring { by, on_line }) = self.stage(call) else { return };
        match (on_line, agent == by) {
            // The other goes on ringing.
            (true, true) => self.restage(call, Stage::Transferring { by, on_line: false }),
            (true, false) => {
                self.outputs.push_back(Output::Returned { call, to: Some(by) });
                self.restage(call, Stage::Talking(by));
            }
            (false, false) if self.may_be_rung_again(by) => {
                self.idle(by, now, now);
                if self.is_for_an_emergency(by) && !self.calls.get(&call).is_some_and(Caller::is_emergency) {
                    self.seek_callers(vec![by], now);
                    self.return_to_line(call, now);
                } else {
                    self.present(call, by, None, now);
                }
            }
            (false, _) => self.return_to_line(call, now),
        }
    }

    fn return_to_line(&mut self, call: CallId, now: Mono) {
        if let Some(caller) = self.calls.get_mut(&call) {
            caller.waits_since = now;
        }
        self.outputs.push_back(Output::Returned { call, to: None });
        self.restage(call, Stage::Waiting);
        self.to_lead_out.insert(call);
        self.seek_agents(call, now);
    }

    /// Whether an emergency that nothing rings for yet would have this agent, who is free.
    fn is_for_an_emergency(&self, agent: AgentId) -> bool {
        self.next_caller(agent).is_some_and(|turn| turn.is_emergency())
    }

    /// A colleague who can be rung: free, and not kept free for emergencies.
    fn free_colleague(&self, other: AgentId, call: CallId) -> Result<AgentId, Refused> {
        let seat = self.seats.get(other.index()).filter(|seat| seat.destination.is_none());
        let seat = seat.ok_or_else(|| Refused::NotInPlan(other.to_string()))?;
        let emergency = self.calls.get(&call).is_some_and(|caller| caller.is_emergency());
        let free = seat.idle_since().is_some() && (emergency || self.free.can_spare(seat));
        if free { Ok(other) } else { Err(Refused::NobodyFree) }
    }

    /// An agent who handed a caller on may be rung for that caller even in the wrap-up of the very call.
    fn may_be_rung_again(&self, agent: AgentId) -> bool {
        let seat = &self.seats[agent.index()];
        seat.reachable && matches!(seat.state, State::Free { .. } | State::WrapUp)
    }

    fn hand_to_line(
        &mut self,
        agent: AgentId,
        call: CallId,
        (line, band): (LineId, Band),
        now: Mono,
    ) -> Result<(), Refused> {
        let known = self.plan.lines.get(line.index()).is_some_and(|known| known.gone.is_none());
        let caller = self.calls.get_mut(&call).filter(|_| known);
        let caller = caller.ok_or_else(|| Refused::NotInPlan(line.to_string()))?;
        let old = std::mem::replace(&mut caller.line, line);
        caller.place.band = caller.place.band.min(band);
        caller.waits_since = now;
        caller.charged.clear();
        caller.out = None;
        self.restage(call, Stage::Waiting);
        self.to_lead_out.insert(call);
        self.seek_agents(call, now);
        self.announce(call);
        self.end_talk(agent, old, now);
        Ok(())
    }
}
