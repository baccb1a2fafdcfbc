//! Lines, teams and agents: who answers whom, and on which phone.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde_spanned::Spanned;

use super::super::phone::{self, NotAPhone};
use super::super::sink::{Sink, Span};
use super::super::table::{List, shown};
use super::super::written::{self, Named};
use super::names::Names;
use super::network::Network;
use crate::acd::{Agent, Line, Team};
use crate::id::{AgentId, ClipId, TeamId};
use crate::sip::{Flow, ListenerId, Transport};
use crate::switch::plan::{Phone, Treatment};

/// The lines and what their callers hear.
pub(super) fn lines(
    written: &Named<written::Line>,
    teams: &mut Names<'_>,
    clips: &mut Names<'_>,
    sink: &mut Sink,
) -> (Vec<Line>, Vec<Treatment>) {
    let mut lines = Vec::with_capacity(written.len());
    let mut treatments = Vec::with_capacity(written.len());
    for (name, line) in written {
        let words = format!("line `{}` has no teams, so that nobody could answer it", shown(name.get_ref()));
        check_not_empty(&line.teams, &line.header, words, sink);
        let found = line.teams.iter().flat_map(|list| teams.find_all(list, sink)).map(TeamId).collect();
        let mut clip = |name: &Option<Spanned<String>>| clips.find(name.as_ref()?, sink).map(ClipId);
        treatments.push(Treatment { greeting: clip(&line.greeting), music: clip(&line.music) });
        lines.push(Line {
            name: name.get_ref().clone(),
            teams: found,
            ring_for: line.ring_for,
            wrap_up: line.wrap_up,
            ..Line::default()
        });
    }
    (lines, treatments)
}

/// The teams.
pub(super) fn teams(written: &Named<written::Team>, agents: &mut Names<'_>, sink: &mut Sink) -> Vec<Team> {
    let mut teams = Vec::with_capacity(written.len());
    for (name, team) in written {
        let words = format!("team `{}` has no agents", shown(name.get_ref()));
        check_not_empty(&team.agents, &team.header, words, sink);
        let found = team.agents.iter().flat_map(|list| agents.find_all(list, sink)).map(AgentId).collect();
        teams.push(Team { name: name.get_ref().clone(), agents: found, ..Team::default() });
    }
    teams
}

/// The agents and their phones.
pub(super) fn agents(
    written: &Named<written::Agent>,
    network: &Network,
    sink: &mut Sink,
) -> (Vec<Agent>, Vec<Phone>) {
    let mut agents = Vec::with_capacity(written.len());
    let mut phones = Vec::with_capacity(written.len());
    let mut owners: BTreeMap<&str, &Spanned<String>> = BTreeMap::new();
    for (name, agent) in written {
        agents.push(Agent { name: name.get_ref().clone(), logged_in: agent.logged_in, ..Agent::default() });
        let Some(address) = &agent.address else { continue };
        if let Some(other) = owners.insert(address.get_ref(), name) {
            sink.warning(address.span(), format!("this is the phone of `{}` too", shown(other.get_ref())))
                .also(other.span(), "the other agent")
                .help("calls to both would ring on one phone; it will refuse the second as busy");
        }
        if let Some(flow) = flow(address, network, sink) {
            phones.push(Phone { uri: address.get_ref().clone(), flow, nat: agent.nat });
        }
    }
    (agents, phones)
}

/// Warns of each line on which nobody is logged in at the start.
pub(super) fn warn_unstaffed(
    written: &Named<written::Line>,
    lines: &[Line],
    teams: &[Team],
    agents: &[Agent],
    sink: &mut Sink,
) {
    let staffed: Vec<bool> = teams
        .iter()
        .map(|team| {
            team.agents.iter().any(|&AgentId(at)| agents[at as usize].logged_in) || team.agents.is_empty()
        })
        .collect();
    for ((name, _), line) in written.iter().zip(lines) {
        if !line.teams.is_empty() && !line.teams.iter().any(|&TeamId(at)| staffed[at as usize]) {
            let name_shown = shown(name.get_ref());
            sink.warning(name.span(), format!("no agent of line `{name_shown}` is logged in at the start"));
        }
    }
}

fn check_not_empty(list: &Option<List<String>>, header: &Span, words: String, sink: &mut Sink) {
    match list {
        Some(list) if list.is_empty() => drop(sink.error(list.span.clone(), words)),
        None if !sink.is_partial() => drop(sink.error(header.clone(), words)),
        _ => {}
    }
}

/// The path to a phone: over the first listener of its transport from which its address can be reached.
fn flow(address: &Spanned<String>, network: &Network, sink: &mut Sink) -> Option<Flow> {
    let phone::Address { transport, remote } = match phone::parse(address.get_ref()) {
        Ok(address) => address,
        Err(error) => {
            let text = address.get_ref().trim();
            let meant = match error {
                NotAPhone::NoScheme => Some(format!("sip:{text}")),
                NotAPhone::Scheme(scheme) => {
                    Some(format!("sip:{}", text.get(scheme.len()..).unwrap_or_default()))
                }
                _ => None,
            };
            let meant = meant.filter(|meant| phone::parse(meant).is_ok());
            sink.error(address.span(), error.to_string()).suggest(meant);
            return None;
        }
    };
    if network.listen.iter().any(|listen| listen.transport == transport && listen.bind == remote) {
        sink.error(address.span(), "this is where Hearken itself listens, not a phone");
        return None;
    }
    let listener = (0..)
        .zip(&network.listen)
        .find(|(_, listen)| listen.transport == transport && reaches(listen.bind.ip(), remote));
    let flow = listener.map(|(at, _)| Flow { transport, listener: ListenerId(at), remote });
    if flow.is_none() && network.whole {
        unreachable(address, transport, remote, network, sink);
    }
    flow
}

/// Whether a socket bound to `local` can send to `remote`.
fn reaches(local: IpAddr, remote: SocketAddr) -> bool {
    let same_family = local.is_ipv4() == remote.is_ipv4();
    same_family && (local.is_unspecified() || local.is_loopback() == remote.ip().is_loopback())
}

fn unreachable(
    address: &Spanned<String>,
    transport: Transport,
    remote: SocketAddr,
    network: &Network,
    sink: &mut Sink,
) {
    let word = transport.name().to_ascii_lowercase();
    let any = match (remote.ip().is_loopback(), remote.is_ipv4()) {
        (true, true) => "127.0.0.1",
        (true, false) => "[::1]",
        (false, true) => "0.0.0.0",
        (false, false) => "[::]",
    };
    let message = format!("nothing listens for {word} where {} could be reached", remote.ip());
    let draft = sink.error(address.span(), message);
    draft.help(format!("add \"{word}:{any}:5060\" to `listen` in [sip]"));
    if let Some(span) = &network.span {
        draft.also(span.clone(), "listens only here");
    }
}
