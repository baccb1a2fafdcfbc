//! Trunks and practices: who may call, and what keeps their classes apart.
//!
//! At the door a call's trunks are those whose network holds its source most narrowly; the number dialled
//! chooses among them. So trunks that share a network exactly must share a class, and must not claim the
//! same number; other overlaps are decided by the source address alone.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde_spanned::Spanned;

use super::super::sink::{Sink, Span};
use super::super::table::{List, Named, shown};
use super::super::written;
use super::names::Register;
use super::network::Network;
use super::phones::flow;
use crate::id::{LineId, PracticeId};
use crate::policy::number::normalise;
use crate::policy::{Practice, Trunk};
use crate::switch::plan::{Probe, Probes};

/// Shorter prefixes than this hold more hosts than any carrier has.
const SHORTEST_IPV4_PREFIX: u8 = 8;
const SHORTEST_IPV6_PREFIX: u8 = 16;

/// The practices.
pub(super) fn practices(written: &Named<written::Practice>, sink: &mut Sink) -> Vec<Practice> {
    let mut practices = Vec::with_capacity(written.len());
    let mut codes: BTreeMap<&str, Span> = BTreeMap::new();
    for (key, practice) in written {
        if let Some(ods) = &practice.ods {
            check_ods(ods, sink);
            match codes.get(ods.get_ref().as_str()) {
                Some(first) => {
                    let message = format!("the ODS code {} is another practice's", shown(ods.get_ref()));
                    sink.error(ods.span(), message).also(first.clone(), "here");
                }
                None => drop(codes.insert(ods.get_ref(), ods.span())),
            }
        }
        if let Some(name) = &practice.name
            && (name.get_ref().trim().is_empty() || name.get_ref().chars().any(char::is_control))
        {
            sink.error(name.span(), "`name` must be words that can be shown");
        }
        let name = practice.name.as_ref().unwrap_or(key).get_ref().clone();
        let ods = practice.ods.as_ref().map(|ods| ods.get_ref().clone());
        practices.push(Practice { name, ods });
    }
    practices
}

/// The trunks.
pub(super) fn trunks(
    written: &Named<written::Trunk>,
    country_code: &str,
    names: &mut Register<'_>,
    sink: &mut Sink,
) -> Vec<Trunk> {
    if written.is_empty() && !sink.is_partial() {
        sink.error_of_file("there is no trunk, so that nobody could call")
            .help("add a table [trunk.NAME] with `from` and `line`");
    }
    let mut trunks = Vec::with_capacity(written.len());
    let mut claims = Claims::default();
    for (name, trunk) in written {
        let from = networks(name, trunk, sink);
        let ddis = numbers(trunk, country_code, sink);
        claims.claim(trunk, name, &from, &ddis, sink);
        if trunk.emergency
            && let Some(list) = trunk.ddis.as_ref().filter(|list| !list.items.is_empty())
        {
            sink.warning(
                list.span.clone(),
                "an emergency trunk with `ddis` turns away calls to any other number",
            );
        }
        let practice =
            trunk.practice.as_ref().and_then(|name| names.practices.find(name, sink)).map(PracticeId);
        let line = trunk.line.as_ref().and_then(|name| names.lines.find(name, sink)).map(LineId);
        let Some(line) = line else { continue };
        trunks.push(Trunk {
            name: name.get_ref().clone(),
            from: from.into_iter().map(Spanned::into_inner).collect(),
            emergency: trunk.emergency,
            practice,
            line,
            ddis: ddis.into_iter().map(Spanned::into_inner).collect(),
        });
    }
    trunks
}

/// Where trunks are asked whether they are there.
pub(super) fn probes(
    written: &Named<written::Trunk>,
    every: Duration,
    network: &Network,
    sink: &mut Sink,
) -> Probes {
    let mut by_trunk = Vec::with_capacity(written.len());
    for (_, trunk) in written {
        let must_be_up = trunk.must_be_up.as_ref().is_some_and(|must| *must.get_ref());
        let Some(address) = &trunk.probe else {
            if let Some(must) = trunk.must_be_up.as_ref().filter(|_| must_be_up) {
                sink.error(must.span(), "nobody asks whether this trunk is up")
                    .help("say where to ask it: probe = \"sip:192.0.2.10:5060\"");
            }
            by_trunk.push(None);
            continue;
        };
        let flow = flow(address, network, sink);
        let from = trunk.from.iter().flat_map(|list| &list.items);
        let mut from = from.filter_map(|text| match text.get_ref().parse::<IpAddr>() {
            Ok(ip) => Some(IpNet::from(ip.to_canonical())),
            Err(_) => text.get_ref().parse().ok(),
        });
        if let Some(flow) = flow
            && !from.any(|net| net.contains(&flow.remote.ip().to_canonical()))
        {
            sink.warning(
                address.span(),
                "no call of this trunk comes from there: it says nothing of the trunk",
            );
        }
        by_trunk.push(flow.map(|flow| Probe { uri: address.get_ref().trim().to_owned(), flow, must_be_up }));
    }
    Probes { every, by_trunk }
}

/// ODS codes of practices are a letter and five letters or digits; others of up to eight exist.
fn check_ods(ods: &Spanned<String>, sink: &mut Sink) {
    let text = ods.get_ref().as_str();
    let usual = |text: &str| {
        let alphanumeric = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        text.len() == 6
            && text.bytes().all(alphanumeric)
            && text.starts_with(|c: char| c.is_ascii_uppercase())
    };
    let message = format!("\"{}\" does not look like a practice's ODS code", shown(text));
    let better = text.trim().to_ascii_uppercase();
    let better = Some(better).filter(|better| usual(better));
    if text.is_empty() || text.len() > 8 || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        sink.error(ods.span(), message)
            .suggest(better)
            .help("a letter and five letters or digits: \"Y00352\"");
    } else if !usual(text) {
        sink.warning(ods.span(), message)
            .suggest(better)
            .help("a letter and five letters or digits: \"Y00352\"");
    }
}

fn networks(name: &Spanned<String>, trunk: &written::Trunk, sink: &mut Sink) -> Vec<Spanned<IpNet>> {
    let empty = format!("trunk `{}` has no `from`, so that nobody could call on it", shown(name.get_ref()));
    let Some(list) = &trunk.from else {
        if !sink.is_partial() {
            sink.error(trunk.header.clone(), empty);
        }
        return Vec::new();
    };
    if list.is_empty() {
        sink.error(list.span.clone(), empty);
    }
    let mut networks: Vec<Spanned<IpNet>> = Vec::new();
    for text in &list.items {
        let Some(network) = network(text, sink) else { continue };
        check_width(network, trunk.emergency, text.span(), sink);
        networks.push(Spanned::new(text.span(), network));
    }
    networks
}

/// An address, or a network whose host bits are zero.
fn network(text: &Spanned<String>, sink: &mut Sink) -> Option<IpNet> {
    let written = text.get_ref().as_str();
    if let Ok(ip) = written.parse::<IpAddr>() {
        return Some(IpNet::from(ip.to_canonical()));
    }
    let Ok(network) = written.parse::<IpNet>() else {
        let without_port = written.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip().to_string());
        sink.error(text.span(), format!("\"{}\" is no IP address or network", shown(written)))
            .suggest(without_port)
            .help("write \"192.0.2.10\" or \"198.51.100.0/24\"; host names are not looked up");
        return None;
    };
    if network != network.trunc() {
        sink.error(text.span(), format!("\"{}\" has bits set beyond its prefix", shown(written)))
            .suggest(Some(network.trunc().to_string()));
        return None;
    }
    Some(network)
}

fn check_width(network: IpNet, emergency: bool, span: Span, sink: &mut Sink) {
    let shortest = match network {
        IpNet::V4(_) => SHORTEST_IPV4_PREFIX,
        IpNet::V6(_) => SHORTEST_IPV6_PREFIX,
    };
    if network.prefix_len() >= shortest {
        return;
    }
    if emergency {
        sink.error(span, format!("{network} would let strangers make emergency calls"))
            .help("list the addresses of the emergency trunk itself");
    } else {
        sink.warning(span, format!("{network} lets strangers call"));
    }
}

/// The numbers of a trunk in E.164 where they have it.
fn numbers(trunk: &written::Trunk, country_code: &str, sink: &mut Sink) -> Vec<Spanned<String>> {
    let mut numbers = Vec::new();
    for text in trunk.ddis.iter().flat_map(|list| &list.items) {
        let number = normalise(text.get_ref(), country_code);
        let digits = number.strip_prefix('+').unwrap_or(&number);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("\"{}\" is no telephone number", shown(text.get_ref()));
            sink.error(text.span(), message).help("write \"020 7946 0101\" or \"+442079460101\"");
            continue;
        }
        numbers.push(Spanned::new(text.span(), number));
    }
    numbers
}

/// What each network is claimed for, and where: the first claim of each kind.
#[derive(Default)]
struct Claims {
    emergency: BTreeMap<IpNet, Span>,
    routine: BTreeMap<IpNet, Span>,
    any_number: BTreeMap<IpNet, Span>,
    number: BTreeMap<(IpNet, String), Span>,
}

impl Claims {
    /// Enters a trunk's claims and reports each that an earlier trunk, or this one, made before.
    fn claim(
        &mut self,
        trunk: &written::Trunk,
        name: &Spanned<String>,
        from: &[Spanned<IpNet>],
        ddis: &[Spanned<String>],
        sink: &mut Sink,
    ) {
        let (own, other) = match trunk.emergency {
            true => (&mut self.emergency, &self.routine),
            false => (&mut self.routine, &self.emergency),
        };
        for network in from {
            if let Some(first) = other.get(network.get_ref()) {
                let message =
                    format!("{} is on an emergency and on a routine trunk", address(*network.get_ref()));
                sink.error(network.span(), message)
                    .also(first.clone(), "here too")
                    .help("the class of a call must follow from where it comes, not from the number dialled");
            }
            own.entry(*network.get_ref()).or_insert_with(|| network.span());
        }
        let takes_any = trunk.ddis.as_ref().is_none_or(List::is_empty);
        if takes_any && let Some((network, first)) = first_taken(&mut self.any_number, from) {
            let (name, address) = (shown(name.get_ref()), address(*network.get_ref()));
            sink.error(network.span(), format!("{address} has a trunk for every number before `{name}`"))
                .also(first, "here")
                .help("give all but one of these trunks the numbers that are theirs, as `ddis`");
        }
        for ddi in ddis {
            let key = |network: &IpNet| (*network, ddi.get_ref().clone());
            let taken = from.iter().find_map(|network| self.number.get(&key(network.get_ref())));
            if let Some(first) = taken {
                sink.error(ddi.span(), format!("{} is taken already for the same address", ddi.get_ref()))
                    .also(first.clone(), "here");
            }
            for network in from {
                self.number.entry(key(network.get_ref())).or_insert_with(|| ddi.span());
            }
        }
    }
}

/// Enters each network; the first that was there before, with the place of that claim.
fn first_taken<'f>(
    claims: &mut BTreeMap<IpNet, Span>,
    from: &'f [Spanned<IpNet>],
) -> Option<(&'f Spanned<IpNet>, Span)> {
    let mut taken = None;
    for network in from {
        match claims.get(network.get_ref()) {
            Some(first) => drop(taken.get_or_insert_with(|| (network, first.clone()))),
            None => drop(claims.insert(*network.get_ref(), network.span())),
        }
    }
    taken
}

/// A network as people write it: a single host without its prefix.
fn address(network: IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}
