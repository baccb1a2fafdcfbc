//! What displays, announcements and records may read; nothing here changes anything.

use super::distributor::Distributor;
use super::waiting::{Place, Queue};
use super::{Availability, Plan, Stage};
use crate::id::{AgentId, CallId, LineId};
use crate::time::Mono;

impl Distributor {
    /// The plan it runs on.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Callers of a line for whom no phone rings, in the order of service; none for a line not in the plan.
    pub fn waiting(&self, line: LineId) -> impl DoubleEndedIterator<Item = &Place> {
        self.queue(line).into_iter().flat_map(|queue| &queue.waiting)
    }

    /// How many callers [`Distributor::waiting`] gives, without counting them.
    pub fn waiting_count(&self, line: LineId) -> usize {
        self.queue(line).map_or(0, |queue| queue.waiting.len())
    }

    /// Callers of a line for whom a phone rings, in the order of their places.
    pub fn presented(&self, line: LineId) -> impl DoubleEndedIterator<Item = &Place> {
        self.queue(line).into_iter().flat_map(|queue| &queue.presented)
    }

    /// How many callers [`Distributor::presented`] gives, without counting them.
    pub fn presented_count(&self, line: LineId) -> usize {
        self.queue(line).map_or(0, |queue| queue.presented.len())
    }

    /// A caller's position in its line, from 1; `None` once it talks or is over.
    ///
    /// Callers ahead for whom a phone rings are counted, as they may come back: so it rises only when someone
    /// of a more urgent band arrives, or a talk is lost. Costs a step for each caller ahead.
    pub fn position(&self, call: CallId) -> Option<usize> {
        let caller = self.calls.get(&call)?;
        if let Stage::Talking(_) = caller.stage {
            return None;
        }
        let queue = self.queue(caller.line)?;
        Some(1 + queue.waiting.range(..caller.place).count() + queue.presented.range(..caller.place).count())
    }

    /// How far a call has come; `None` when it is not known or over.
    pub fn stage(&self, call: CallId) -> Option<Stage> {
        self.calls.get(&call).map(|caller| caller.stage)
    }

    /// The line and place of a call; `None` when it is not known or over.
    pub fn place(&self, call: CallId) -> Option<(LineId, Place)> {
        self.calls.get(&call).map(|caller| (caller.line, caller.place))
    }

    /// How many calls are not over, talks included.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// An agent's availability; `None` for an agent not in the plan.
    pub fn availability(&self, agent: AgentId) -> Option<Availability> {
        self.seats.get(agent.index()).map(|seat| seat.availability())
    }

    /// Every agent's availability and since when it has lasted, by id.
    pub fn agents(&self) -> impl Iterator<Item = (AgentId, Availability, Mono)> {
        (0u32..).map(AgentId).zip(&self.seats).map(|(agent, seat)| (agent, seat.availability(), seat.since))
    }

    fn queue(&self, line: LineId) -> Option<&Queue> {
        self.lines.queues.get(line.index())
    }
}
