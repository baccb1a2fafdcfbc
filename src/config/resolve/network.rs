//! Sockets: where SIP is listened for, and where media comes and goes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_spanned::Spanned;

use super::super::deployment::{Listen, MediaSettings};
use super::super::nearest::nearest;
use super::super::sink::{Sink, Span};
use super::super::table::shown;
use super::super::written::{Media, Sip};
use crate::sip::Transport;

const DEFAULT_LISTEN: [(Transport, SocketAddr); 2] = [
    (Transport::Udp, SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5060)),
    (Transport::Tcp, SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5060)),
];
const MOST_LISTENERS: usize = 16;
const PORTS: u32 = 65_536;
const DEFAULT_FIRST_PORT: u16 = 20_000;
const DEFAULT_DEAD_AFTER: Duration = Duration::from_secs(20);
/// Less would end calls in which a phone is only silent.
const LEAST_DEAD_AFTER: Duration = Duration::from_secs(5);
const ADVERTISE_HINT: &str = "set `advertise` to the address by which phones and trunks reach this host";

/// Where SIP is listened for.
pub(super) struct Network {
    pub(super) listen: Vec<Listen>,
    /// Where that is written.
    pub(super) span: Option<Span>,
    /// Every listener could be read, so that one that is missing is truly missing.
    pub(super) whole: bool,
    advertise: Advertised,
}

/// The address that peers are told.
#[derive(Copy, Clone)]
enum Advertised {
    Nothing,
    /// Something was written that cannot be used, which is reported already.
    Unusable,
    Address(IpAddr),
}

/// The SIP sockets.
pub(super) fn listen(sip: &Sip, sink: &mut Sink) -> Network {
    let advertise = Advertised::read(sip.advertise.as_ref(), sink);
    let Some(list) = &sip.listen else {
        if matches!(advertise, Advertised::Nothing) && !sink.is_partial() {
            let message = "without `listen` Hearken listens on every address, so peers must be told one";
            sink.error_of_file(message).help(format!("in [sip], {ADVERTISE_HINT}"));
        }
        let on = |(transport, bind): (Transport, SocketAddr)| Listen {
            transport,
            bind,
            advertise: advertise.instead_of(bind.ip()),
        };
        let listen = DEFAULT_LISTEN.map(on).to_vec();
        return Network { listen, span: None, whole: !sink.is_partial(), advertise };
    };
    if list.is_empty() {
        sink.error(list.span.clone(), "`listen` is empty, so that no call could arrive");
    }
    if let Some(extra) = list.items.get(MOST_LISTENERS) {
        sink.error(extra.span(), format!("there may be at most {MOST_LISTENERS} listeners"));
    }
    let mut listen: Vec<Listen> = Vec::new();
    let mut places: Vec<Span> = Vec::new();
    for text in list.items.iter().take(MOST_LISTENERS) {
        let Some((transport, bind)) = read_listener(text, sink) else { continue };
        let clash = listen.iter().position(|other| other.transport == transport && overlap(other.bind, bind));
        if let Some(at) = clash {
            sink.error(text.span(), format!("\"{}\" is listened on already", shown(text.get_ref())))
                .also(places[at].clone(), "here");
        }
        let seen = advertise.instead_of(bind.ip());
        if advertise.is_wanting(bind.ip()) {
            let message =
                format!("\"{}\" listens on every address, so peers must be told one", shown(text.get_ref()));
            sink.error(text.span(), message).help(format!("in [sip], {ADVERTISE_HINT}"));
        }
        listen.push(Listen { transport, bind, advertise: seen });
        places.push(text.span());
    }
    let whole = !list.broken && listen.len() == list.items.len();
    Network { listen, span: Some(list.span.clone()), whole, advertise }
}

/// The media settings, and the address that peers are told; both follow [sip] where they are not set.
pub(super) fn media(media: &Media, network: &Network, sink: &mut Sink) -> Option<(MediaSettings, IpAddr)> {
    let advertise = match Advertised::read(media.advertise.as_ref(), sink) {
        Advertised::Nothing => network.advertise,
        stated => stated,
    };
    let first_port = first_port(media, network, sink);
    let dead_after = dead_after(media, sink);
    let bind = match &media.bind {
        Some(text) => {
            let bind = read_ip("bind", text, sink)?;
            if advertise.is_wanting(bind) {
                sink.error(text.span(), "this is every address, so peers must be told one")
                    .help(format!("in [media] or [sip], {ADVERTISE_HINT}"));
            }
            bind
        }
        None => network.listen.first()?.bind.ip(),
    };
    let address = advertise.instead_of(bind).unwrap_or(bind);
    let settings = MediaSettings {
        bind,
        threads: media.threads as usize,
        first_port,
        shared_ports: media.shared_ports as usize,
        spill_ports: media.spill_ports as usize,
        dead_after,
    };
    Some((settings, address))
}

impl Advertised {
    fn read(text: Option<&Spanned<String>>, sink: &mut Sink) -> Advertised {
        let Some(text) = text else { return Advertised::Nothing };
        let Some(ip) = read_ip("advertise", text, sink) else { return Advertised::Unusable };
        if ip.is_unspecified() || ip.is_multicast() {
            sink.error(text.span(), format!("peers cannot send to {ip}"));
            return Advertised::Unusable;
        }
        Advertised::Address(ip)
    }

    /// What peers see of a socket bound to `bind`, where that differs; loopback needs no other name.
    fn instead_of(self, bind: IpAddr) -> Option<IpAddr> {
        match self {
            Advertised::Address(ip) if ip.is_ipv4() == bind.is_ipv4() && !bind.is_loopback() => Some(ip),
            _ => None,
        }
    }

    /// Whether a socket bound to `bind` has no address that peers could be told.
    fn is_wanting(self, bind: IpAddr) -> bool {
        bind.is_unspecified() && self.instead_of(bind).is_none() && !matches!(self, Advertised::Unusable)
    }
}

fn read_listener(text: &Spanned<String>, sink: &mut Sink) -> Option<(Transport, SocketAddr)> {
    let written = text.get_ref().as_str();
    let (word, address) = written.split_once(':').unwrap_or((written, ""));
    let transport = match word {
        "udp" => Some(Transport::Udp),
        "tcp" => Some(Transport::Tcp),
        _ => None,
    };
    if let (Some(transport), Ok(bind)) = (transport, address.parse::<SocketAddr>()) {
        if bind.ip().is_multicast() {
            sink.error(text.span(), format!("{} is an address of many hosts", bind.ip()));
            return None;
        }
        return Some((transport, bind));
    }
    let message = match transport {
        None if matches!(word, "tls" | "ws" | "wss" | "sctp") => {
            format!("this version listens for udp and tcp, not {word}")
        }
        _ => format!("\"{}\" is not a transport, an IP address and a port", shown(written)),
    };
    sink.error(text.span(), message)
        .suggest(listener_meant(written, word, address))
        .help("write \"udp:192.0.2.1:5060\" or \"tcp:[2001:db8::1]:5060\"");
    None
}

/// A listener near to what was written: a transport, port or pair of brackets put in.
fn listener_meant(written: &str, word: &str, address: &str) -> Option<String> {
    let with_port = |text: &str| {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let socket = text.parse::<SocketAddr>().ok();
        socket.or_else(|| bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 5060)))
    };
    if let Some(socket) = with_port(written) {
        return Some(format!("udp:{socket}"));
    }
    let transport =
        nearest(word, ["udp", "tcp"]).or(["udp", "tcp"].into_iter().find(|&known| known == word))?;
    with_port(address).map(|socket| format!("{transport}:{socket}"))
}

fn read_ip(key: &str, text: &Spanned<String>, sink: &mut Sink) -> Option<IpAddr> {
    let ip = text.get_ref().parse::<IpAddr>().ok();
    if ip.is_none() {
        let meant = text.get_ref().parse::<SocketAddr>().ok().map(|socket| socket.ip().to_string());
        sink.error(text.span(), format!("`{key}` must be an IP address, not \"{}\"", shown(text.get_ref())))
            .suggest(meant);
    }
    ip
}

/// Whether two sockets of one transport cannot both be bound.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let one_holds_other = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port() && a.port() != 0 && a.is_ipv4() == b.is_ipv4() && one_holds_other
}

/// The first media port: even, with room above it for a pair (RTP and RTCP) of each port of each thread,
/// and no SIP socket among them.
fn first_port(media: &Media, network: &Network, sink: &mut Sink) -> u16 {
    let first = media.first_port.as_ref().map_or(DEFAULT_FIRST_PORT, |port| *port.get_ref());
    let place = media.first_port.as_ref().map(Spanned::span).or(media.header.clone()).unwrap_or(0..0);
    let needed =
        2 * u32::from(media.threads) * (u32::from(media.shared_ports) + u32::from(media.spill_ports));
    if first % 2 == 1 {
        sink.error(
            place.clone(),
            format!("`first-port` must be even, for RTP goes to even ports, not {first}"),
        )
        .suggest(Some((first + 1).to_string()));
    }
    let arithmetic = format!(
        "{} threads x ({} shared + {} spill) ports x 2",
        media.threads, media.shared_ports, media.spill_ports
    );
    let least = if first == 0 { 1_024 } else { u32::from(first) };
    if least + needed > PORTS {
        sink.error(place, format!("media needs {needed} ports from {least} up, and ports end at 65535"))
            .help(arithmetic);
    } else if first != 0 {
        let taken = u32::from(first)..u32::from(first) + needed;
        let inside = |listen: &&Listen| {
            listen.transport == Transport::Udp && taken.contains(&u32::from(listen.bind.port()))
        };
        if let Some(listen) = network.listen.iter().find(inside) {
            let (port, last) = (listen.bind.port(), taken.end - 1);
            sink.error(place, format!("SIP port {port} lies among the media ports, {first} to {last}"))
                .help(arithmetic);
        }
    }
    first
}

fn dead_after(media: &Media, sink: &mut Sink) -> Duration {
    let Some(written) = &media.dead_after else { return DEFAULT_DEAD_AFTER };
    if !written.get_ref().is_zero() && *written.get_ref() < LEAST_DEAD_AFTER {
        sink.error(written.span(), "`dead-media-after` must be \"0s\", which turns it off, or at least 5s");
    }
    *written.get_ref()
}
