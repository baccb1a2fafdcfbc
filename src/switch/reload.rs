//! A new plan in place of the one that runs, in one step and without loss.
//!
//! Whatever has a name in both plans has the same id in both (`hearken::config` sees to that), so calls,
//! agents' states and counters simply go on. What is gone keeps its place in the tables, as gone, for the calls
//! that still speak of it. A plan that would strand a caller is refused, and nothing changes.

use std::collections::BTreeSet;

use crate::acd;
use crate::call::Stage;
use crate::call::leg::Side;
use crate::id::AgentId;
use crate::sip::Flow;
use crate::sip::transaction::Transactions;

use super::plan::{Phone, Plan};
use super::{Event, Switch};

impl Switch {
    pub(super) fn reload(&mut self, mut plan: Plan) {
        // What the old plan has still to say speaks of its seats.
        self.pump();
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
        self.stop_watching_peers();
        self.renumber_seats(&plan);
        let old = std::mem::replace(&mut self.plan, plan);
        self.phone_hosts = self.plan.phone_hosts();
        let reserved = self.plan.ingress.emergency_hosts().chain(self.phone_hosts.iter().copied()).collect();
        self.transactions.set_room(Transactions::ROOM, reserved);
        self.exchange.replan(self.plan.acd.clone(), self.plan.guide.clone(), self.now);
        self.pathways.replan(self.plan.pathways.clone());
        self.replan_stacks();
        self.follow_phones(&old);
        let phone_of = |plan: &Plan, destination| {
            let seat = plan.acd.seats(destination).next()?;
            plan.phones.get(seat.index()).cloned()
        };
        let next = self.plan.clone();
        self.forget_reports(|destination| phone_of(&old, destination) != phone_of(&next, destination));
        self.follow_trunks(&old);
        self.watch_peers();
        self.pump();
        self.follow_merges();
    }

    /// The seats of destinations come after the agents, and have other ids when there are more of those.
    fn renumber_seats(&mut self, next: &Plan) {
        let moved = self.plan.acd.moved_seats(&next.acd);
        let seat_of = |agent: AgentId| moved.get(&agent).copied().unwrap_or(agent);
        for call in self.calls.values_mut() {
            match &mut call.stage {
                Stage::Waiting { ringing } => {
                    ringing.iter_mut().for_each(|phone| phone.agent = seat_of(phone.agent));
                }
                Stage::Talking { agent, .. }
                | Stage::Dialling { agent, .. }
                | Stage::Parting { agent, .. } => *agent = seat_of(*agent),
                Stage::Transferring(transfer) => {
                    transfer.by = seat_of(transfer.by);
                    transfer.ringing.iter_mut().for_each(|phone| phone.agent = seat_of(phone.agent));
                }
                Stage::Leaving { .. } => {}
            }
            call.answered_by = call.answered_by.map(seat_of);
            call.timeline.renumber(seat_of);
        }
        for leg in self.legs.values_mut() {
            if let Side::Agent(agent) = &mut leg.side {
                *agent = seat_of(*agent);
            }
        }
        let heard_from = std::mem::take(&mut self.heard_from).into_iter();
        self.heard_from = heard_from.map(|(agent, from)| (seat_of(agent), from)).collect();
        // What was learnt of a phone does not hold for another one.
        let phone = |agent: &AgentId| next.phones.get(agent.index());
        let olds = (0u32..).map(AgentId).zip(&self.plan.phones);
        for (agent, old) in olds.map(|(agent, old)| (seat_of(agent), old)) {
            if phone(&agent) != Some(old) {
                self.heard_from.remove(&agent);
            }
        }
    }

    /// What is known of a phone holds for whoever has it now.
    fn follow_phones(&mut self, old: &Plan) {
        let of = |agents: &BTreeSet<AgentId>| -> BTreeSet<(Flow, &str)> {
            agents.iter().filter_map(|agent| old.phones.get(agent.index())).map(Phone::address).collect()
        };
        let (seen, absent) = (of(&self.seen), of(&self.absent));
        (self.seen, self.absent) = (BTreeSet::new(), BTreeSet::new());
        for agent in self.plan.first_with_phone() {
            let address = self.plan.phones[agent.index()].address();
            self.seen.extend(seen.contains(&address).then_some(agent));
            self.absent.extend(absent.contains(&address).then_some(agent));
        }
        for (agent, phone) in (0u32..).map(AgentId).zip(&self.plan.phones) {
            let reachable = !absent.contains(&phone.address());
            // Refused only for a phone of nobody, which no call would be presented to.
            let _ = self.exchange.handle(acd::Input::Reach { agent, reachable }, self.now.mono);
        }
    }
}
