//! What displays, announcements, records and rules may read; nothing here changes anything.

use std::time::Duration;

use super::distributor::Distributor;
use super::place::Place;
use super::waiting::Queue;
use super::{Availability, Plan, Stage};
use crate::id::{AgentId, CallId, DestinationId, LineId};
use crate::policy::rules::LineFacts;
use crate::time::Mono;

impl Distributor {
    /// The plan it runs on.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Callers of a line for whom no phone rings, in the order of their places; none for a line not in the plan.
    ///
    /// It is the order of service within a band, unless skills or the shares of practices change it.
    pub fn waiting(&self, line: LineId) -> impl DoubleEndedIterator<Item = &Place> {
        self.standing(line, Stage::Waiting)
    }

    /// How many callers [`Distributor::waiting`] gives, without counting them.
    pub fn waiting_count(&self, line: LineId) -> usize {
        self.queue(line).map_or(0, |queue| queue.waiting)
    }

    /// Callers of a line for whom a phone rings, in the order of their places.
    pub fn presented(&self, line: LineId) -> impl DoubleEndedIterator<Item = &Place> {
        self.standing(line, Stage::Presented)
    }

    /// How many callers [`Distributor::presented`] gives, without counting them.
    pub fn presented_count(&self, line: LineId) -> usize {
        self.queue(line).map_or(0, |queue| queue.standing.len() - queue.waiting)
    }

    /// A caller's position in its line, from 1; `None` once it talks or is over.
    ///
    /// Callers ahead for whom a phone rings are counted, as they may come back: so it rises only when someone
    /// of a more urgent band or with a longer credit arrives, or a talk is lost.
    pub fn position(&self, call: CallId) -> Option<usize> {
        let caller = self.calls.get(&call)?;
        if !caller.stage.is_in_line() {
            return None;
        }
        Some(1 + self.queue(caller.line)?.standing.ahead_of(&caller.place))
    }

    /// What rules know of a line, kept up with every step; `None` for a line not in the plan.
    pub fn facts(&self, line: LineId) -> Option<LineFacts> {
        let queue = self.queue(line)?;
        let crew = &self.crews[self.crew_of[line.index()] as usize];
        Some(LineFacts {
            waiting: u32::try_from(queue.standing.len() - queue.callbacks).unwrap_or(u32::MAX),
            longest_since: queue.oldest(),
            estimated_wait: self.estimated(line),
            agents_logged_in: crew.at_work,
            agents_free: crew.free,
        })
    }

    /// The lines whose own teams have this agent as a member.
    pub fn lines_of(&self, agent: AgentId) -> impl Iterator<Item = LineId> {
        let crews = self.seats.get(agent.index()).into_iter().flat_map(|seat| &seat.crews);
        crews.flat_map(|&crew| &self.crews[crew as usize].lines).copied()
    }

    /// How long the callers of a destination wait, as it last said; `None` when it does not say.
    pub fn reported(&self, destination: DestinationId) -> Option<Duration> {
        self.rules.as_ref()?.reports.get(&destination).copied()
    }

    /// How far a call has come; `None` when it is not known or over.
    pub fn stage(&self, call: CallId) -> Option<Stage> {
        self.calls.get(&call).map(|caller| caller.stage)
    }

    /// Whose phones ring for a call, in the order in which they began.
    pub fn rung(&self, call: CallId) -> &[AgentId] {
        self.calls.get(&call).map_or(&[], |caller| &caller.rung)
    }

    /// The line and place of a call; `None` when it is not known or over.
    pub fn place(&self, call: CallId) -> Option<(LineId, Place)> {
        self.calls.get(&call).map(|caller| (caller.line, caller.place))
    }

    /// How many calls are not over, talks included.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// The availability of an agent or a destination's seat; `None` when it is not in the plan.
    pub fn availability(&self, agent: AgentId) -> Option<Availability> {
        self.seats.get(agent.index()).map(|seat| seat.availability())
    }

    /// Every agent's availability and since when it has lasted, by id; seats of destinations are no agents.
    pub fn agents(&self) -> impl Iterator<Item = (AgentId, Availability, Mono)> {
        let people = self.seats.iter().take(self.plan.agents.len());
        (0u32..).map(AgentId).zip(people).map(|(agent, seat)| (agent, seat.availability(), seat.since))
    }

    /// When an agent's wrap-up, rest or pause for misses ends by itself, or the ringing of the phone.
    pub fn ends(&self, agent: AgentId) -> Option<Mono> {
        self.deadlines.at(agent)
    }

    /// Whether a caller gave up a while ago and rang again.
    pub fn is_redial(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|caller| caller.who.redial)
    }

    fn standing(&self, line: LineId, stage: Stage) -> impl DoubleEndedIterator<Item = &Place> {
        let places = self.queue(line).into_iter().flat_map(|queue| queue.standing.iter());
        places.filter(move |place| self.stage(place.call) == Some(stage))
    }

    fn queue(&self, line: LineId) -> Option<&Queue> {
        self.queues.get(line.index())
    }
}
