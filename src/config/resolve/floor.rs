//! Teams, agents and destinations: who answers, and on which phone.

use std::collections::BTreeMap;

use serde_spanned::Spanned;

use super::super::sink::{Sink, Span};
use super::super::table::{List, Map, Named, shown};
use super::super::written;
use super::names::Register;
use super::network::Network;
use super::phones::flow;
use crate::acd::{Agent, Destination, Shares, Team};
use crate::id::{AgentId, PracticeId, SkillId};
use crate::switch::following::Removed;
use crate::switch::plan::Phone;

/// Most calls that all destinations together take at once.
const MOST_SEATS: u32 = 10_000;

/// The teams.
pub(super) fn teams(written: &Named<written::Team>, names: &mut Register<'_>, sink: &mut Sink) -> Vec<Team> {
    let mut teams = Vec::with_capacity(written.len());
    for (name, team) in written {
        let shown_name = shown(name.get_ref());
        check_not_empty(&team.agents, &team.header, format!("team `{shown_name}` has no agents"), sink);
        let agents: Vec<_> =
            team.agents.iter().flat_map(|list| names.agents.find_all(list, sink)).map(AgentId).collect();
        let keep_free = team.keep_free_for_emergency.as_ref().map_or(0, |keep| *keep.get_ref());
        if let Some(keep) = &team.keep_free_for_emergency
            && keep_free > 0
            && keep_free as usize >= agents.len()
            && !agents.is_empty()
        {
            let message = format!(
                "team `{shown_name}` has {} agents, so that none would answer routine calls",
                agents.len()
            );
            sink.warning(keep.span(), message);
        }
        teams.push(Team {
            name: name.get_ref().clone(),
            agents,
            strategy: team.strategy,
            keep_free_for_emergency: keep_free,
            fair_share: shares(team, names, sink),
        });
    }
    teams
}

fn shares(team: &written::Team, names: &mut Register<'_>, sink: &mut Sink) -> Option<Shares> {
    let mut shares = Shares::new();
    if let Some(written) = &team.share {
        if !team.fair_share {
            sink.warning(written.span.clone(), "`share` is used only with fair-share = true");
        }
        for (practice, weight) in &written.items {
            if let Some(at) = names.practices.seek(practice, sink) {
                shares.insert(PracticeId(at), *weight.get_ref());
            }
        }
    }
    team.fair_share.then_some(shares)
}

/// The agents and their phones.
pub(super) fn agents(
    written: &Named<written::Agent>,
    names: &mut Register<'_>,
    network: &Network,
    sink: &mut Sink,
) -> (Vec<Agent>, Vec<Phone>) {
    let mut agents = Vec::with_capacity(written.len());
    let mut phones = Vec::with_capacity(written.len());
    let mut owners: BTreeMap<&str, &Spanned<String>> = BTreeMap::new();
    for (name, agent) in written {
        let skills = levels(&agent.skills, |skill, sink| names.skills.seek(skill, sink), sink);
        agents.push(Agent { name: name.get_ref().clone(), logged_in: agent.logged_in, gone: false, skills });
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

/// Skills with their levels.
pub(super) fn levels(
    written: &Option<Map<u8>>,
    mut find: impl FnMut(&Spanned<String>, &mut Sink) -> Option<u32>,
    sink: &mut Sink,
) -> BTreeMap<SkillId, u8> {
    let items = written.iter().flat_map(|map| &map.items);
    items.filter_map(|(skill, level)| Some((SkillId(find(skill, sink)?), *level.get_ref()))).collect()
}

/// The destinations, and a phone for each call that one takes.
pub(super) fn destinations(
    written: &Named<written::Destination>,
    network: &Network,
    sink: &mut Sink,
) -> (Vec<Destination>, Vec<Phone>) {
    let mut destinations = Vec::with_capacity(written.len());
    let mut phones = Vec::new();
    let mut seats = 0;
    for (name, destination) in written {
        seats += destination.capacity;
        if seats > MOST_SEATS {
            sink.error(name.span(), format!("the destinations take more than {MOST_SEATS} calls at once"))
                .help("lower `capacity`");
            break;
        }
        destinations.push(Destination {
            name: name.get_ref().clone(),
            capacity: destination.capacity,
            ring_for: destination.ring_for,
        });
        let Some(address) = &destination.address else { continue };
        if let Some(flow) = flow(address, network, sink) {
            let seat = Phone { uri: address.get_ref().clone(), flow, nat: false };
            phones.extend(std::iter::repeat_n(seat, destination.capacity as usize));
        }
    }
    (destinations, phones)
}

/// What becomes of those who wait in lines that the file no longer has.
pub(super) fn removed(
    written: &Named<written::Removed>,
    names: &mut Register<'_>,
    sink: &mut Sink,
) -> BTreeMap<String, Removed> {
    let mut removed = BTreeMap::new();
    for (name, line) in written {
        if names.lines.position(name.get_ref()).is_some() {
            let message = format!("line `{}` is in this file, so it is not removed", shown(name.get_ref()));
            sink.error(name.span(), message).help("take away one of the two tables");
        }
        let fate = match (&line.remap_to, line.drain) {
            (Some(to), false) => names.lines.find(to, sink).map(|_| Removed::Remap(to.get_ref().clone())),
            (None, true) => Some(Removed::Drain),
            _ => {
                let message = "a removed line has either `drain = true` or `remap-to`";
                sink.error(line.header.clone(), message);
                None
            }
        };
        removed.extend(fate.map(|fate| (name.get_ref().clone(), fate)));
    }
    removed
}

/// Reports a list without which its table is no use.
pub(super) fn check_not_empty(list: &Option<List<String>>, header: &Span, words: String, sink: &mut Sink) {
    match list {
        Some(list) if list.is_empty() => drop(sink.error(list.span.clone(), words)),
        None if !sink.is_partial() => drop(sink.error(header.clone(), words)),
        _ => {}
    }
}
