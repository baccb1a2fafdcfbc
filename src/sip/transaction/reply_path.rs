//! Where the responses to a request go (RFC 3261, 18.2.1 and 18.2.2; RFC 3581).
//!
//! A `maddr` parameter is ignored: following it would let anyone aim our responses at a third party.

use std::net::{IpAddr, SocketAddr};

use crate::sip::Flow;
use crate::sip::message::Request;
use crate::sip::uri::Host;
use crate::sip::via::Via;

/// The port of a sent-by that names none.
const SIP_PORT: u16 = 5060;

/// Notes in the top Via where the request came from, and says where its responses go.
///
/// Over UDP they go to the source address when `rport` asks for it. They also do when the sent-by is another IP
/// address than the source, where RFC 3261 would have the source's IP with the sent-by's port: such a peer sits
/// behind NAT, and that port is not open to us.
pub(super) fn fill_in(flow: Flow, request: &mut Request) -> Flow {
    let Some(mut via) = request.headers.top_via() else { return flow };
    let (reply_path, changed) = complete(flow, &mut via);
    if changed {
        request.headers.set_top_via(&via);
    }
    reply_path
}

/// Notes in a top Via where its request came from; says where the responses go, and whether the Via was changed.
pub(super) fn complete(flow: Flow, via: &mut Via) -> (Flow, bool) {
    let source = flow.remote.ip().to_canonical();
    let wants_rport = via.rport().is_some();
    if wants_rport {
        via.set_rport(flow.remote.port());
    }
    let sent_by = match via.host() {
        Host::Ip(ip) => Some(ip.to_canonical()),
        Host::Name(_) => None,
    };
    let changed = wants_rport || sent_by != Some(source) || via.received().is_some();
    if changed {
        via.set_received(source);
    }
    if flow.transport.is_reliable() || wants_rport || sent_by.is_some_and(|ip| ip != source) {
        return (flow, changed);
    }
    (Flow { remote: at(flow.remote.ip(), via.port()), ..flow }, changed)
}

fn at(ip: IpAddr, port: Option<u16>) -> SocketAddr {
    SocketAddr::new(ip, port.filter(|port| *port != 0).unwrap_or(SIP_PORT))
}
