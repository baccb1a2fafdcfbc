//! Hear and treat: where patients wait for a clinician and where they are sent, how calls end clinically.

use serde_spanned::Spanned;

use super::super::sink::Sink;
use super::super::table::{Named, shown};
use super::super::written;
use super::floor::check_not_empty;
use super::names::Register;
use super::network::Network;
use super::phones::flow;
use crate::acd::Destination;
use crate::acd::cases::{Disposition, MOST_DISPOSITIONS};
use crate::acd::pathway::Pathway;
use crate::id::{DestinationId, TeamId, WindowId};
use crate::switch::plan::{Phone, Stack};

/// Most pathways, and most stacks.
const MOST_PATHWAYS: usize = 200;
/// Most digits of a disposition's code.
const LONGEST_CODE: usize = 8;
/// Most bytes of its words.
const LONGEST_WORDS: usize = 200;

/// The pathways, and behind the destinations that there are already, those where their callers are transferred to.
pub(super) fn pathways(
    written: &Named<written::Pathway>,
    (destinations, phones): (&mut Vec<Destination>, &mut Vec<Phone>),
    names: &mut Register<'_>,
    network: &Network,
    sink: &mut Sink,
) -> Vec<Pathway> {
    if let Some((name, _)) = written.get(MOST_PATHWAYS) {
        sink.error(name.span(), format!("there are more than {MOST_PATHWAYS} pathways"));
    }
    let mut pathways = Vec::with_capacity(written.len());
    for (name, pathway) in written {
        let text = name.get_ref();
        check_own_name(name, names, sink);
        let ring_for = *pathway.ring_for.get_ref();
        if ring_for > pathway.acknowledge_within {
            sink.error(pathway.ring_for.span(), "`ring-for` must not be longer than `acknowledge-within`");
        }
        let flow = pathway.address.as_ref().and_then(|address| flow(address, network, sink));
        let destination = pathway.address.as_ref().zip(flow).map(|(address, flow)| {
            let seat = Phone { uri: address.get_ref().clone(), flow, nat: false };
            phones.extend(std::iter::repeat_n(seat, pathway.capacity as usize));
            destinations.push(Destination { name: text.clone(), capacity: pathway.capacity, ring_for });
            DestinationId(u32::try_from(destinations.len() - 1).unwrap_or(u32::MAX))
        });
        let hours = pathway.hours.as_ref().and_then(|window| names.windows.find(window, sink)).map(WindowId);
        pathways.push(Pathway {
            name: text.clone(),
            kind: pathway.kind,
            acknowledge_within: pathway.acknowledge_within,
            destination,
            hours,
            gone: false,
        });
    }
    pathways
}

/// The stacks.
pub(super) fn stacks(
    written: &Named<written::Stack>,
    pathways: &Named<written::Pathway>,
    names: &mut Register<'_>,
    sink: &mut Sink,
) -> Vec<Stack> {
    if let Some((name, _)) = written.get(MOST_PATHWAYS) {
        sink.error(name.span(), format!("there are more than {MOST_PATHWAYS} stacks"));
    }
    let stacks = written.iter().map(|(name, stack)| {
        let text = name.get_ref();
        check_own_name(name, names, sink);
        if let Some((other, _)) = pathways.iter().find(|(pathway, _)| pathway.get_ref() == text) {
            say_twice(name, "a pathway", other, sink);
        }
        check_not_empty(&stack.teams, &stack.header, format!("stack `{}` has no teams", shown(text)), sink);
        let teams =
            stack.teams.iter().flat_map(|list| names.teams.find_all(list, sink)).map(TeamId).collect();
        Stack {
            name: text.clone(),
            teams,
            breach_within: stack.breach_within,
            emergency_breach_within: stack.emergency_breach_within,
            gone: false,
        }
    });
    stacks.collect()
}

/// Reports a name that something else has to which callers may be transferred.
fn check_own_name(name: &Spanned<String>, names: &Register<'_>, sink: &mut Sink) {
    for (kind, others) in
        [("an agent", &names.agents), ("a line", &names.lines), ("a destination", &names.destinations)]
    {
        if let Some(at) = others.position(name.get_ref()) {
            say_twice(name, kind, others.name(at as usize), sink);
        }
    }
}

fn say_twice(name: &Spanned<String>, kind: &str, other: &Spanned<String>, sink: &mut Sink) {
    sink.error(name.span(), format!("`{}` is the name of {kind} too", shown(name.get_ref())))
        .also(other.span(), kind)
        .help("callers are transferred by name, so each needs one of its own");
}

/// The dispositions; their codes are dialled, and kept in reports.
pub(super) fn dispositions(written: &Named<written::Disposition>, sink: &mut Sink) -> Vec<Disposition> {
    if let Some((name, _)) = written.get(MOST_DISPOSITIONS) {
        sink.error(name.span(), format!("there are more than {MOST_DISPOSITIONS} dispositions"));
    }
    let mut dispositions = Vec::with_capacity(written.len());
    for (name, disposition) in written {
        let code = name.get_ref();
        if code.len() > LONGEST_CODE || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            sink.error(name.span(), format!("\"{}\" cannot be the code of a disposition", shown(code)))
                .help(format!("it is dialled: write 1 to {LONGEST_CODE} digits"));
        }
        let Some(words) = &disposition.words else { continue };
        let text = words.get_ref();
        if text.trim().is_empty() || text.len() > LONGEST_WORDS || text.chars().any(char::is_control) {
            sink.error(words.span(), format!("`words` must be words, at most {LONGEST_WORDS} bytes"));
        }
        dispositions.push(Disposition { code: code.clone(), words: text.clone() });
    }
    dispositions
}
