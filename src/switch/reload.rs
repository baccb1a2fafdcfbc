//! A new plan in place of the one that runs, in one step and without loss.
//!
//! Whatever has a name in both plans has the same id in both (`hearken::config` sees to that), so calls,
//! agents' states and counters simply go on. What is gone keeps its place in the tables, as gone, for the calls
//! that still speak of it. A plan that would strand a caller is refused, and nothing changes.

use crate::acd;
use crate::call::leg::Side;
use crate::sip::transaction::Transactions;

use super::plan::Plan;
use super::{Ask, Event, Switch};

impl Switch {
    pub(super) fn reload(&mut self, mut plan: Plan) {
        let stranded = self.exchange.stranded(&plan.acd);
        if !stranded.is_empty() {
            let lines = stranded.into_iter().map(|(line, callers)| (self.line_name(line), callers)).collect();
            return self.emit(Event::ReloadRefused { lines });
        }
        self.emit(Event::Reloaded);
        // What was bound stays bound until a restart.
        plan.sip.listeners = std::mem::take(&mut self.plan.sip.listeners);
        plan.media.threads = std::mem::take(&mut self.plan.media.threads);
        plan.media.address = self.plan.media.address;
        (plan.sip.t1, plan.sip.t2, plan.sip.t4) = (self.plan.sip.t1, self.plan.sip.t2, self.plan.sip.t4);
        self.stop_watching_phones();
        self.forget_moved_phones(&plan);
        self.follow_seats(&plan);
        self.plan = plan;
        self.phone_hosts = self.plan.phone_hosts();
        let reserved = self.plan.ingress.emergency_hosts().chain(self.phone_hosts.iter().copied()).collect();
        self.transactions.set_room(Transactions::ROOM, reserved);
        self.watch_phones();
        self.exchange.replan(self.plan.acd.clone(), self.plan.guide.clone(), self.now);
    }

    /// Destinations' seats come after the agents, so they move when agents are added; their calls move with them.
    fn follow_seats(&mut self, next: &Plan) {
        let moved = self.plan.acd.moved_seats(&next.acd);
        let to = |agent| moved.get(&agent).copied().unwrap_or(agent);
        self.calls.values_mut().for_each(|call| call.rename(to));
        for leg in self.legs.values_mut() {
            if let Side::Agent(agent) = &mut leg.side {
                *agent = to(*agent);
            }
        }
        // Answers still to come are those of the old phones.
        self.client_txs.retain(|_, ask| !matches!(ask, Ask::Health(_)));
    }

    /// What was learnt of a phone does not hold for another one.
    fn forget_moved_phones(&mut self, next: &Plan) {
        let moved: Vec<_> = (0u32..)
            .map(crate::id::AgentId)
            .zip(&self.plan.phones)
            .filter(|(agent, phone)| next.phones.get(agent.index()) != Some(phone))
            .map(|(agent, _)| agent)
            .collect();
        for agent in moved {
            self.heard_from.remove(&agent);
            self.seen.remove(&agent);
            if self.absent.remove(&agent) {
                let _ = self.exchange.handle(acd::Input::Reach { agent, reachable: true }, self.now.mono);
            }
        }
    }
}
