//! The stage: the configured hub, moved to ports of the system's choosing so that it meets nobody.
//!
//! Nothing but loopback addresses is ever used, and a configuration that has others is refused.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use super::story::Cast;
use crate::acd::Rests;
use crate::config::Deployment;
use crate::id::{AgentId, LineId, TrunkId};
use crate::policy::{Ingress, Trunk, number};
use crate::sip::uri::Uri;
use crate::sip::{Flow, ListenerId, Transport};

/// Longest that a phone rings in the demo.
pub(super) const RING: Duration = Duration::from_secs(4);
/// Longest wrap-up in the demo.
pub(super) const WRAP_UP: Duration = Duration::from_secs(1);
/// Longest rest after a miss in the demo.
const REST: Duration = Duration::from_secs(2);
/// Longest pause after too many misses in the demo.
const PAUSE: Duration = Duration::from_secs(10);
/// Longer than the demo ever lets calls finish: it hangs up by itself.
const DRAIN: Duration = Duration::from_secs(120);
/// Media ports of each thread: every phone has an address of its own, so few are enough.
const PORTS: usize = 8;
/// Hosts of a trunk's network that are tried as a caller's address.
const TRIED: usize = 256;

/// A hub ready to be run, and the places of those who take part.
#[derive(Debug)]
pub(super) struct Stage {
    /// For the daemon.
    pub(super) deployment: Deployment,
    /// Position of the listener that all take part by.
    pub(super) listener: usize,
    /// The agents' phones, by `AgentId`.
    pub(super) phones: Vec<Phone>,
    /// Where callers come from, by `TrunkId`.
    pub(super) sources: Vec<Source>,
    /// Lines of emergency trunks, by name.
    pub(super) emergency_lines: BTreeSet<String>,
    /// Who calls and who answers.
    pub(super) cast: Cast,
}

/// An agent's phone.
#[derive(Debug)]
pub(super) struct Phone {
    /// The agent's name.
    pub(super) name: String,
    /// Its open sockets.
    pub(super) sockets: Sockets,
}

/// Where the calls of a trunk come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// An address that the hub takes for this trunk.
    pub(super) host: IpAddr,
    /// The number dialled.
    pub(super) dialled: String,
}

/// The two sockets of a phone.
#[derive(Debug)]
pub(super) struct Sockets {
    /// For SIP.
    pub(super) sip: UdpSocket,
    /// For RTP.
    pub(super) rtp: UdpSocket,
}

/// Why the configured hub cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// An address reaches other computers.
    #[error(
        "the demo needs a configuration with loopback addresses only (127.0.0.1 and the like), and {0} is not on loopback; config/hearken.toml is one that fits"
    )]
    NotLoopback(String),
    /// There is no UDP listener.
    #[error("the demo speaks SIP over UDP, and the configuration listens on no UDP address")]
    NoListener,
    /// No address can be found that is that trunk.
    #[error("the demo found no address from which a call would come by trunk {0:?}")]
    NoSource(String),
    /// Nobody could be called or answer.
    #[error("the demo needs a trunk, and an agent who is logged in")]
    Empty,
    /// A phone's socket cannot be had.
    #[error("cannot open a phone at {0}: {1}")]
    Socket(IpAddr, io::Error),
}

impl Sockets {
    /// Opens both at ports of the system's choosing.
    pub(super) fn open(host: IpAddr) -> io::Result<Sockets> {
        let open = || {
            let socket = UdpSocket::bind(SocketAddr::new(host, 0))?;
            socket.set_nonblocking(true)?;
            Ok::<_, io::Error>(socket)
        };
        Ok(Sockets { sip: open()?, rtp: open()? })
    }

    /// Where they are, that of SIP first.
    pub(super) fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.sip.local_addr()?, self.rtp.local_addr()?))
    }
}

/// Moves a deployment onto the stage; its ledger goes to `directory`.
pub(super) fn set(mut deployment: Deployment, directory: &Path) -> Result<Stage, Unfit> {
    refuse_other_networks(&deployment)?;
    let listener = deployment
        .listen
        .iter()
        .position(|listen| listen.transport == Transport::Udp)
        .ok_or(Unfit::NoListener)?;
    let family = deployment.listen[listener].bind.is_ipv4();
    let sources = sources(&deployment.plan.ingress, family)?;
    let cast = cast(&deployment);
    if sources.is_empty() || cast.answering + cast.kept == 0 {
        return Err(Unfit::Empty);
    }
    for listen in &mut deployment.listen {
        listen.bind.set_port(0);
    }
    let media = &mut deployment.media;
    media.first_port = 0;
    media.shared_ports = media.shared_ports.clamp(1, PORTS);
    media.spill_ports = media.spill_ports.min(PORTS);
    let ledger = &mut deployment.ledger;
    ledger.path = directory.join("hearken.db");
    ledger.key_path = directory.join("hearken.key");
    ledger.side_file = directory.join("hearken.side");
    deployment.flight = None;
    if let Some(web) = &mut deployment.web {
        web.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    }
    hurry(&mut deployment);
    let phones = open_phones(&mut deployment, listener)?;
    let ingress = &deployment.plan.ingress;
    let lines = ingress.trunks.iter().filter(|trunk| trunk.emergency).map(|trunk| trunk.line);
    let emergency_lines =
        lines.filter_map(|line| Some(deployment.plan.acd.lines.get(line.index())?.name.clone())).collect();
    Ok(Stage { deployment, listener, phones, sources, emergency_lines, cast })
}

/// Shortens what people would have to wait for.
fn hurry(deployment: &mut Deployment) {
    let acd = &mut deployment.plan.acd;
    for line in &mut acd.lines {
        line.ring_for = line.ring_for.min(RING);
        line.wrap_up = line.wrap_up.min(WRAP_UP);
    }
    acd.rest = Rests::all(acd.rest.no_answer.min(REST));
    acd.miss_pause = acd.miss_pause.min(PAUSE);
    deployment.plan.drain_limit = DRAIN;
}

fn refuse_other_networks(deployment: &Deployment) -> Result<(), Unfit> {
    let Deployment { plan, listen, media, .. } = deployment;
    let listening = listen.iter().map(|listen| (listen.bind.ip(), "the listening address"));
    let advertised = listen.iter().filter_map(|listen| Some((listen.advertise?, "the advertised address")));
    let media = [(media.bind, "the media address"), (plan.media.address, "the advertised media address")];
    let phones = plan.phones.iter().map(|phone| (phone.flow.remote.ip(), "the phone"));
    let mut places = listening.chain(advertised).chain(media).chain(phones);
    if let Some((address, what)) = places.find(|(address, _)| !address.is_loopback()) {
        return Err(Unfit::NotLoopback(format!("{what} {address}")));
    }
    let mut networks =
        plan.ingress.trunks.iter().flat_map(|trunk| trunk.from.iter().map(move |net| (trunk, net)));
    match networks.find(|(_, net)| !on_loopback(net)) {
        Some((trunk, net)) => Err(Unfit::NotLoopback(format!("{net} of trunk {:?}", trunk.name))),
        None => Ok(()),
    }
}

fn on_loopback(net: &IpNet) -> bool {
    net.network().is_loopback() && net.broadcast().is_loopback()
}

/// Opens each agent's phone, and writes its address into the plan.
fn open_phones(deployment: &mut Deployment, listener: usize) -> Result<Vec<Phone>, Unfit> {
    let id = ListenerId(u8::try_from(listener).map_err(|_| Unfit::NoListener)?);
    let plan = &mut deployment.plan;
    let mut phones = Vec::new();
    for (phone, agent) in plan.phones.iter_mut().zip(&plan.acd.agents) {
        let host = phone.flow.remote.ip();
        let failed = |error| Unfit::Socket(host, error);
        let sockets = Sockets::open(host).map_err(failed)?;
        let remote = sockets.sip.local_addr().map_err(failed)?;
        phone.flow = Flow { transport: Transport::Udp, listener: id, remote };
        phone.uri = Uri::sip(Some(&agent.name), remote, Transport::Udp).to_string();
        phones.push(Phone { name: agent.name.clone(), sockets });
    }
    Ok(phones)
}

/// For each trunk an address and a number by which a call really joins it.
fn sources(ingress: &Ingress, ipv4: bool) -> Result<Vec<Source>, Unfit> {
    let ids = (0..).map(TrunkId);
    ids.zip(&ingress.trunks)
        .map(|(id, trunk)| {
            let dialled = dialled(trunk, id);
            let normal = number::normalise(&dialled, &ingress.country_code);
            let mut hosts = trunk.from.iter().flat_map(|net| net.hosts().take(TRIED));
            let host = hosts.find(|&host| {
                host.is_ipv4() == ipv4
                    && ingress.admit(host, &normal).is_ok_and(|admission| admission.trunk == id)
            });
            let host = host.ok_or_else(|| Unfit::NoSource(trunk.name.clone()))?;
            Ok(Source { host, dialled })
        })
        .collect()
}

/// The first number of a trunk; where it takes any, one that is set aside for drama.
fn dialled(trunk: &Trunk, id: TrunkId) -> String {
    match trunk.ddis.first() {
        Some(ddi) => ddi.clone(),
        None if trunk.emergency => "999".to_owned(),
        None => format!("+4420794601{:02}", (id.index() + 1) % 100),
    }
}

fn cast(deployment: &Deployment) -> Cast {
    let plan = &deployment.plan;
    let trunks = |emergency: bool| -> Vec<usize> {
        let of_class =
            plan.ingress.trunks.iter().enumerate().filter(|(_, trunk)| trunk.emergency == emergency);
        of_class.map(|(at, _)| at).collect()
    };
    let (routine, emergency) = (trunks(false), trunks(true));
    let agents = |trunks: &[usize]| -> BTreeSet<AgentId> {
        let lines = trunks.iter().map(|&at| plan.ingress.trunks[at].line);
        lines.flat_map(|line| agents_of(deployment, line)).collect()
    };
    let answering = agents(&routine);
    let kept = agents(&emergency).difference(&answering).count();
    Cast { answering: answering.len(), kept, routine, emergency }
}

/// Agents at work who answer a line.
fn agents_of(deployment: &Deployment, line: LineId) -> impl Iterator<Item = AgentId> + '_ {
    let acd = &deployment.plan.acd;
    let teams = acd.lines.get(line.index()).into_iter().flat_map(|line| &line.teams);
    let agents = teams.filter_map(|team| acd.teams.get(team.index())).flat_map(|team| &team.agents);
    agents.copied().filter(|agent| acd.agents.get(agent.index()).is_some_and(|agent| agent.logged_in))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config;

    const SAMPLE: &str = include_str!("../../../config/hearken.toml");

    fn sample(changed: impl Fn(&str) -> String) -> Deployment {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        config::parse(&changed(SAMPLE), "hearken.toml", &base, crate::cli::today()).unwrap().deployment
    }

    #[test]
    fn the_sample_is_moved_to_free_ports_and_a_ledger_of_its_own() {
        let stage = set(sample(str::to_owned), Path::new("/nowhere")).unwrap();
        assert!(stage.deployment.listen.iter().all(|listen| listen.bind.port() == 0));
        assert_eq!(stage.deployment.media.first_port, 0);
        assert_eq!(stage.deployment.ledger.path, Path::new("/nowhere/hearken.db"));
        assert_eq!(stage.deployment.plan.phones.len(), stage.phones.len());
        for (planned, phone) in stage.deployment.plan.phones.iter().zip(&stage.phones) {
            let address = phone.sockets.sip.local_addr().unwrap();
            assert_eq!(planned.flow.remote, address);
            assert_eq!(planned.uri, format!("sip:{}@{address}", phone.name));
        }
        assert_eq!(stage.cast, Cast { routine: vec![0, 1], emergency: vec![2], answering: 4, kept: 2 });
        let hosts: Vec<_> = stage.sources.iter().map(|source| source.host.to_string()).collect();
        assert_eq!(hosts, ["127.0.0.2", "127.0.0.3", "127.0.0.9"]);
        assert_eq!(stage.sources[2].dialled, "999");
    }

    #[test]
    fn nobody_waits_as_long_as_configured() {
        let stage = set(sample(str::to_owned), Path::new("/nowhere")).unwrap();
        let lines = &stage.deployment.plan.acd.lines;
        assert!(lines.iter().all(|line| line.ring_for <= RING && line.wrap_up <= WRAP_UP));
    }

    #[test]
    fn any_address_off_loopback_is_refused_by_name() {
        type Change = fn(&mut Deployment, IpAddr);
        let cases: [(Change, &str); 5] = [
            (|d, other| d.listen[1].bind.set_ip(other), "the listening address 192.0.2.1 "),
            (|d, other| d.listen[0].advertise = Some(other), "the advertised address 192.0.2.1 "),
            (|d, other| d.media.bind = other, "the media address 192.0.2.1 "),
            (|d, other| d.plan.phones[1].flow.remote.set_ip(other), "the phone 192.0.2.1 "),
            (
                |d, other| d.plan.ingress.trunks[1].from[0] = other.into(),
                "192.0.2.1/32 of trunk \"riverside\" ",
            ),
        ];
        for (change, named) in cases {
            let mut deployment = sample(str::to_owned);
            change(&mut deployment, "192.0.2.1".parse().unwrap());
            let refused = set(deployment, Path::new("/nowhere")).unwrap_err().to_string();
            assert!(refused.contains(named) && refused.contains("loopback"), "{refused}");
        }
    }

    #[test]
    fn a_trunk_with_numbers_is_dialled_by_the_first() {
        let stage = set(
            sample(|text| text.replacen("#ddis = []", "ddis = [\"020 7946 0177\"] #", 1)),
            Path::new("/nowhere"),
        );
        assert_eq!(stage.unwrap().sources[0].dialled, "+442079460177");
    }
}
