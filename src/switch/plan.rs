//! The plan: everything the switch must know, resolved and validated.
//!
//! The configuration makes all of it but the addresses, which the daemon fills in once its sockets are bound.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd;
pub use crate::call::media::ThreadPorts;

use crate::acd::cases::Disposition;
use crate::acd::pathway::Pathway;
use crate::audio::{Codec, Digit};
use crate::id::{AgentId, ClipId, LineId, PathwayId, StackId, TeamId, TrunkId};
use crate::policy::Ingress;
use crate::sip::{Flow, Listener};

use super::callbacks::CallbackPlan;
use super::codes::Codes;

/// What the switch runs on; see the fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Who may call.
    pub ingress: Ingress,
    /// Lines, teams and agents.
    pub acd: acd::Plan,
    /// Rules, calendar, and what callers are told.
    pub guide: acd::Guide,
    /// Where each agent's phone is, by `AgentId`.
    pub phones: Vec<Phone>,
    /// What the callers of each line hear, by `LineId`.
    pub treatments: Vec<Treatment>,
    /// SIP settings.
    pub sip: SipPlan,
    /// Media settings.
    pub media: MediaPlan,
    /// What agents may dial.
    pub codes: Codes,
    /// Where callers are promised that a clinician will ring them back, by `StackId`.
    pub stacks: Vec<Stack>,
    /// Where patients are sent instead of an ambulance, by `PathwayId`.
    pub pathways: Vec<Pathway>,
    /// How a call or case may end, clinically.
    pub dispositions: Vec<Disposition>,
    /// How patients are called back.
    pub callbacks: CallbackPlan,
    /// How long waiting and talking calls may go on after a drain began.
    pub drain_limit: Duration,
    /// Which trunks are asked whether they are there.
    #[serde(default)]
    pub probes: Probes,
    /// Where a caller waits once flagged as an emergency; `None` for where it waited.
    #[serde(default)]
    pub red_flag_line: Option<LineId>,
}

/// Which trunks are asked by OPTIONS whether they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probes {
    /// How often.
    pub every: Duration,
    /// By [`TrunkId`]: where; `None` for one that is not asked.
    pub by_trunk: Vec<Option<Probe>>,
}

/// Where a trunk is asked whether it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Request URI, as text.
    pub uri: String,
    /// The path to it.
    pub flow: Flow,
    /// Whether we count as not ready while it is down.
    pub must_be_up: bool,
}

impl Probe {
    /// What makes it one peer.
    pub fn address(&self) -> (Flow, &str) {
        (self.flow, &self.uri)
    }
}

impl Plan {
    /// For each different phone the first agent who has it, in order of their ids; those who are gone have none.
    pub fn first_with_phone(&self) -> Vec<AgentId> {
        let mut known = BTreeSet::new();
        let is_gone = |agent: AgentId| self.acd.agents.get(agent.index()).is_some_and(|agent| agent.gone);
        let phones = (0u32..).map(AgentId).zip(&self.phones).filter(|&(agent, _)| !is_gone(agent));
        phones.filter(|(_, phone)| known.insert(phone.address())).map(|(agent, _)| agent).collect()
    }

    /// Where a trunk is asked whether it is there, if it is.
    pub fn probe(&self, trunk: TrunkId) -> Option<&Probe> {
        self.probes.by_trunk.get(trunk.index()).and_then(Option::as_ref)
    }

    /// Every trunk that is asked.
    pub fn probed_trunks(&self) -> impl Iterator<Item = (TrunkId, &Probe)> {
        let asked = (0u32..).map(TrunkId).zip(&self.probes.by_trunk);
        asked.filter_map(|(trunk, probe)| Some((trunk, probe.as_ref()?)))
    }

    /// The pathway of this name that is not gone.
    pub fn pathway_named(&self, name: &str) -> Option<PathwayId> {
        let mut pathways = (0u32..).map(PathwayId).zip(&self.pathways);
        pathways.find(|(_, pathway)| !pathway.gone && pathway.name == name).map(|(id, _)| id)
    }

    /// The stack of this name that is not gone.
    pub fn stack_named(&self, name: &str) -> Option<StackId> {
        let mut stacks = (0u32..).map(StackId).zip(&self.stacks);
        stacks.find(|(_, stack)| !stack.gone && stack.name == name).map(|(id, _)| id)
    }

    /// The hosts that agents' phones are on.
    pub fn phone_hosts(&self) -> BTreeSet<IpAddr> {
        self.phones.iter().map(|phone| phone.flow.remote.ip()).collect()
    }
}

/// Whether calls from this address may be emergencies: those are never turned away for load.
pub fn may_be_emergency(ingress: &Ingress, source: IpAddr) -> bool {
    let source = source.to_canonical();
    ingress.trunks.iter().any(|trunk| trunk.emergency && trunk.from.iter().any(|net| net.contains(&source)))
}

/// An agent's phone at a static address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// Request URI of its calls, as text.
    pub uri: String,
    /// The path to it.
    pub flow: Flow,
    /// Its media comes from behind NAT: give it an exclusive port and latch.
    pub nat: bool,
}

impl Phone {
    /// What makes it one phone, whoever has it.
    pub fn address(&self) -> (Flow, &str) {
        (self.flow, &self.uri)
    }
}

/// A stack: cases that wait for a clinician.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Its name in the configuration.
    pub name: String,
    /// Whose members take cases from it.
    pub teams: Vec<TeamId>,
    /// Within what time a routine case must be closed.
    pub breach_within: Duration,
    /// The same for a case that came as an emergency.
    pub emergency_breach_within: Duration,
    /// The configuration no longer has it; its cases are still to be taken.
    pub gone: bool,
}

/// What callers of a line hear.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Treatment {
    /// Once, at the start.
    pub greeting: Option<ClipId>,
    /// Over and over, until an agent answers.
    pub music: Option<ClipId>,
    /// The key by which who waits asks to be called back, at any time; `None` only when it was offered, by 1.
    pub callback_key: Option<Digit>,
}

/// SIP settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipPlan {
    /// By `ListenerId`; filled in by the daemon.
    pub listeners: Vec<Listener>,
    /// Round-trip estimate (RFC 3261, 17.1.1.1), 500 ms.
    pub t1: Duration,
    /// Longest retransmission interval, 4 s.
    pub t2: Duration,
    /// Longest life of a message in the network, 5 s.
    pub t4: Duration,
    /// A phone that gives no sign of life for this long after an INVITE is unreachable.
    pub unreachable_after: Duration,
    /// How often each agent's phone is asked by OPTIONS whether it is there; zero for never.
    pub probe_every: Duration,
    /// Most routine calls at once; more get 503. Emergency calls do not count against it.
    pub max_calls: usize,
}

/// Media settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaPlan {
    /// Written into SDP: where peers send media.
    pub address: IpAddr,
    /// The ports of each media thread; filled in by the daemon.
    pub threads: Vec<ThreadPorts>,
    /// The first of the clips that announcements are put together from; filled in by the daemon.
    pub prompts: ClipId,
    /// In order of preference.
    pub codecs: Vec<Codec>,
}
