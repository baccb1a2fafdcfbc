//! The phones of agents and the addresses of destinations.

use std::net::{IpAddr, SocketAddr};

use serde_spanned::Spanned;

use super::super::phone::{self, NotAPhone};
use super::super::sink::Sink;
use super::network::Network;
use crate::sip::{Flow, ListenerId, Transport};

/// The path to a phone: over the first listener of its transport from which its address can be reached.
pub(super) fn flow(address: &Spanned<String>, network: &Network, sink: &mut Sink) -> Option<Flow> {
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
