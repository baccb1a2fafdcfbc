//! Peers are asked now and then whether they are there: agents' phones, and those trunks that the plan says.
//!
//! A phone that is not there gets no calls until it is back. It is believed to be there until it has answered once and
//! then no longer does: some PBXs answer no OPTIONS at all, and their agents must not be lost for that. What is known of
//! a trunk is told to people and to whoever asks whether we are ready, and changes nothing of its calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd;
use crate::id::{AgentId, TrunkId};
use crate::sip::Flow;
use crate::sip::message::Method;
use crate::sip::name_addr::NameAddr;
use crate::sip::transaction::ClientTx;
use crate::sip::uri::Uri;
use crate::time::Wall;

use super::plan::{Phone, Plan, Probe};
use super::{Ask, Event, Switch, Timer};

/// How long a peer may take to answer: four transmissions over UDP.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often a pathway is asked, at least: three answers may be lost before it counts as stale.
const PATHWAY_EVERY: Duration = Duration::from_secs(15);
/// How often a peer that is not there is asked, at least.
const RECHECK: Duration = Duration::from_secs(5);

/// Who is asked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// The phone of this agent, and of all who share it.
    Phone(AgentId),
    /// A trunk.
    Trunk(TrunkId),
}

/// What is known of a trunk that is asked; nothing before its first answer, or its first silence.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Health {
    pub(super) up: bool,
    pub(super) since: Wall,
}

impl Peer {
    /// It has not answered.
    fn silent(self) -> Timer {
        match self {
            Peer::Phone(agent) => Timer::PhoneSilent(agent),
            Peer::Trunk(trunk) => Timer::TrunkSilent(trunk),
        }
    }

    /// It is to be asked.
    fn due(self) -> Timer {
        match self {
            Peer::Phone(agent) => Timer::AskPhone(agent),
            Peer::Trunk(trunk) => Timer::AskTrunk(trunk),
        }
    }

    fn question(self) -> Ask {
        match self {
            Peer::Phone(agent) => Ask::Health(agent),
            Peer::Trunk(trunk) => Ask::TrunkHealth(trunk),
        }
    }

    /// Whether an answer is a sign of life. Of a phone its PBX may say that nobody of that name is there now.
    fn lives(self, code: u16) -> bool {
        let gone = matches!(self, Peer::Phone(_)) && matches!(code, 404 | 410 | 480 | 604);
        !gone && !matches!(code, 408 | 502..=504)
    }
}

impl Switch {
    /// Sets out to ask every phone and every trunk, spread evenly over the interval, pathways at once. Agents who share a
    /// phone share its answers.
    pub(super) fn watch_peers(&mut self) {
        let phones = u32::try_from(self.plan.phones.len()).unwrap_or(u32::MAX);
        for agent in self.plan.first_with_phone() {
            if let Some(every) = self.asked_every(Peer::Phone(agent)) {
                // Nobody is sent to a pathway before it has answered.
                let spread = self.pathways_of(agent).next().is_none().then(|| every * agent.0 / phones);
                self.deadlines.set(Timer::AskPhone(agent), self.now.mono + spread.unwrap_or_default());
            }
        }
        let trunks: Vec<TrunkId> = self.plan.probed_trunks().map(|(trunk, _)| trunk).collect();
        let count = u32::try_from(trunks.len()).unwrap_or(u32::MAX);
        for (at, trunk) in (0u32..).zip(trunks) {
            let spread = self.plan.probes.every * at / count;
            self.deadlines.set(Timer::AskTrunk(trunk), self.now.mono + spread);
        }
    }

    /// How often a peer is asked; `None` for never. Pathways have to be heard of whatever is said of phones.
    fn asked_every(&self, peer: Peer) -> Option<Duration> {
        let Peer::Phone(agent) = peer else { return Some(self.plan.probes.every) };
        let every = Some(self.plan.sip.probe_every).filter(|every| !every.is_zero());
        match self.pathways_of(agent).next() {
            Some(_) => Some(every.map_or(PATHWAY_EVERY, |every| every.min(PATHWAY_EVERY))),
            None => every,
        }
    }

    /// Asks nobody any more.
    pub(super) fn stop_watching_peers(&mut self) {
        let phones = u32::try_from(self.plan.phones.len()).unwrap_or(u32::MAX);
        let trunks = u32::try_from(self.plan.ingress.trunks.len()).unwrap_or(u32::MAX);
        let phones = (0..phones).map(AgentId).map(Peer::Phone);
        for peer in phones.chain((0..trunks).map(TrunkId).map(Peer::Trunk)) {
            self.deadlines.clear(peer.due());
            self.deadlines.clear(peer.silent());
        }
        // What they still answer to says nothing any more.
        self.client_txs.retain(|_, ask| !matches!(ask, Ask::Health(_) | Ask::TrunkHealth(_)));
    }

    /// Where a peer is, and its address as it is asked.
    fn whereabouts(&self, peer: Peer) -> Option<(Flow, &str)> {
        match peer {
            Peer::Phone(agent) => self.plan.phones.get(agent.index()).map(Phone::address),
            Peer::Trunk(trunk) => self.plan.probe(trunk).map(Probe::address),
        }
    }

    /// The time has come to ask a peer.
    pub(super) fn ask_peer(&mut self, peer: Peer) {
        let Some((flow, uri)) = self.whereabouts(peer) else { return };
        let Ok(uri) = Uri::parse(uri) else { return };
        let from = NameAddr::new(self.contact(flow));
        let mut request = self.new_request(Method::Options, uri, from, 70, flow);
        request.headers.push("Accept", "application/sdp");
        let tx = self.ask(request, flow);
        self.remember_ask(tx, peer.question());
        self.deadlines.set(peer.silent(), self.now.mono + PATIENCE);
        let every = self.asked_every(peer).unwrap_or(self.plan.sip.probe_every);
        let away = match peer {
            Peer::Phone(agent) => self.absent.contains(&agent),
            Peer::Trunk(trunk) => self.trunks.get(&trunk).is_some_and(|health| !health.up),
        };
        let next = if away { every.min(RECHECK) } else { every };
        self.deadlines.set(peer.due(), self.now.mono + next.max(PATIENCE));
    }

    /// A question came to nothing. Who was silent for too long was judged by that, and an older question than the last
    /// says nothing any more.
    pub(super) fn peer_failed(&mut self, tx: ClientTx, peer: Peer) {
        let is_last = !self.client_txs.range(tx..).any(|(_, ask)| *ask == peer.question());
        if is_last && self.deadlines.at(peer.silent()).is_some() {
            self.deadlines.clear(peer.silent());
            self.peer_is_absent(peer);
        }
    }

    /// A peer answered.
    pub(super) fn peer_says(&mut self, peer: Peer, code: u16) {
        self.deadlines.clear(peer.silent());
        match (peer, peer.lives(code)) {
            (_, false) => self.peer_is_absent(peer),
            (Peer::Trunk(trunk), true) => {
                self.trunk_is(trunk, true);
            }
            (Peer::Phone(agent), true) => {
                self.seen.insert(agent);
                self.pathway_answers(agent);
                if self.absent.remove(&agent) {
                    self.set_reachable(agent, true);
                }
            }
        }
    }

    /// A peer does not answer, or is not there; a phone counts only if it was seen before.
    pub(super) fn peer_is_absent(&mut self, peer: Peer) {
        let is_new = match peer {
            Peer::Phone(agent) => self.seen.contains(&agent) && self.absent.insert(agent),
            Peer::Trunk(trunk) => self.trunk_is(trunk, false),
        };
        if !is_new {
            return;
        }
        if let Peer::Phone(agent) = peer {
            self.set_reachable(agent, false);
        }
        let every = self.asked_every(peer).unwrap_or(RECHECK);
        self.deadlines.set(peer.due(), self.now.mono + every.min(RECHECK));
    }

    /// A call has come by a trunk: it is there, and need not be asked for a while.
    pub(super) fn trunk_calls(&mut self, trunk: TrunkId) {
        let due = Timer::AskTrunk(trunk);
        // Nobody is asked any more once the daemon ends.
        if self.deadlines.at(due).is_some() {
            self.deadlines.clear(Timer::TrunkSilent(trunk));
            self.deadlines.set(due, self.now.mono + self.plan.probes.every);
            self.trunk_is(trunk, true);
        }
    }

    /// Notes what a trunk is; says whether it was not known to be that.
    fn trunk_is(&mut self, trunk: TrunkId, up: bool) -> bool {
        let is_new = self.trunks.get(&trunk).is_none_or(|health| health.up != up);
        if is_new {
            self.trunks.insert(trunk, Health { up, since: self.now.wall });
            self.emit(Event::Trunk { trunk: self.trunk_name(trunk), up });
        }
        is_new
    }

    /// Forgets what is known of trunks that are asked elsewhere now, or no longer.
    pub(super) fn follow_trunks(&mut self, old: &Plan) {
        let plan = &self.plan;
        self.trunks.retain(|&trunk, _| {
            let now = plan.probe(trunk).map(Probe::address);
            now.is_some() && now == old.probe(trunk).map(Probe::address)
        });
    }

    /// Names of the trunks that must be up and are known to be down.
    pub fn trunks_missed(&self) -> impl Iterator<Item = String> {
        let missed = self.plan.probed_trunks().filter(|(trunk, probe)| {
            probe.must_be_up && self.trunks.get(trunk).is_some_and(|health| !health.up)
        });
        missed.map(|(trunk, _)| self.trunk_name(trunk))
    }

    fn set_reachable(&mut self, agent: AgentId, reachable: bool) {
        let Some(address) = self.plan.phones.get(agent.index()).map(Phone::address) else { return };
        let phones = (0u32..).map(AgentId).zip(&self.plan.phones);
        let sharers = phones.filter(|(_, phone)| phone.address() == address).map(|(agent, _)| agent);
        for agent in sharers.collect::<Vec<_>>() {
            // Refused only for a phone of nobody, which no call would be presented to.
            let _ = self.exchange.handle(acd::Input::Reach { agent, reachable }, self.now.mono);
        }
    }
}
