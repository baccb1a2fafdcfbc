//! Via: the path a request took, one element at a time (RFC 3261, 20.42; RFC 3581).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Transport;
use super::grammar::{self, TOKEN};
use super::host::{BadHost, Host, HostRef, host_port, push_ip, read_port};

/// One element of a Via header.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Via {
    transport: String,
    host: Host,
    port: Option<u16>,
    /// `;name=value...` without white space, or empty.
    params: String,
}

/// Why a text is no Via element.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum BadVia {
    /// It does not begin with SIP/2.0 and a transport.
    #[error("does not begin with SIP/2.0 and a transport")]
    Protocol,
    /// The host or port it was sent by is malformed.
    #[error("sent by: {0}")]
    SentBy(#[from] BadHost),
    /// A parameter is malformed or has no name.
    #[error("malformed parameter")]
    Param,
}

impl Via {
    /// Reads one element, without a comma.
    pub fn parse(one_value: &str) -> Result<Via, BadVia> {
        let parts = read(one_value)?;
        Ok(Via {
            transport: parts.transport.to_owned(),
            host: parts.host.to_host(),
            port: parts.port,
            params: grammar::params_without(parts.params, ""),
        })
    }

    /// The element we put on a request: with `;rport` (RFC 3581) and `branch`, of which only token
    /// characters are kept.
    pub fn new(transport: Transport, sent_by: SocketAddr, branch: &str) -> Via {
        let mut params = String::with_capacity(branch.len() + 32);
        params.push_str(";rport;branch=");
        params.extend(branch.chars().filter(|&c| grammar::is_token_char(c)));
        Via {
            transport: transport.name().to_owned(),
            host: Host::Ip(sent_by.ip()),
            port: Some(sent_by.port()),
            params,
        }
    }

    /// The transport as written: UDP, TCP, or any other token.
    pub fn transport(&self) -> &str {
        &self.transport
    }

    /// The host it was sent by.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port it was sent by, where one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The branch: the name of the transaction when it begins with z9hG4bK.
    pub fn branch(&self) -> Option<&str> {
        grammar::param(&self.params, "branch").filter(|branch| !branch.is_empty())
    }

    /// The source address as the next hop saw it; IPv6 with or without brackets (RFC 5118, 4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let text = grammar::param(&self.params, "received")?;
        text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text).parse().ok()
    }

    /// The source port as the next hop saw it (RFC 3581): `Some(None)` when it is asked for and not yet known.
    pub fn rport(&self) -> Option<Option<u16>> {
        grammar::param(&self.params, "rport").map(|port| read_port(port).ok())
    }

    /// Sets the source address.
    pub fn set_received(&mut self, ip: IpAddr) {
        self.set("received", &ip.to_string());
    }

    /// Sets the source port.
    pub fn set_rport(&mut self, port: u16) {
        self.set("rport", &port.to_string());
    }

    /// As written in a header.
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(self.params.len() + 64);
        out.extend(["SIP/2.0/", &self.transport, " "]);
        match &self.host {
            Host::Name(name) => out.push_str(name),
            Host::Ip(ip) => push_ip(&mut out, *ip),
        }
        if let Some(port) = self.port {
            out.push(':');
            grammar::push_number(&mut out, port.into());
        }
        out.push_str(&self.params);
        out
    }

    fn set(&mut self, name: &str, value: &str) {
        self.params = grammar::params_without(&self.params, name);
        self.params.extend([";", name, "=", value]);
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl TryFrom<String> for Via {
    type Error = BadVia;

    fn try_from(text: String) -> Result<Via, BadVia> {
        Via::parse(&text)
    }
}

impl From<Via> for String {
    fn from(via: Via) -> String {
        via.text()
    }
}

/// An element's parts, borrowed: what the front door needs of one.
#[derive(Copy, Clone, Debug)]
pub(super) struct Parts<'a> {
    pub(super) transport: &'a str,
    /// Host and port as received.
    pub(super) sent_by: &'a str,
    host: HostRef<'a>,
    port: Option<u16>,
    pub(super) branch: Option<&'a str>,
    params: &'a str,
}

/// Checks one element without allocating.
pub(super) fn read(text: &str) -> Result<Parts<'_>, BadVia> {
    let rest = match text.strip_prefix("SIP/2.0/") {
        Some(rest) => rest,
        None => after_protocol(text).ok_or(BadVia::Protocol)?,
    };
    let (transport, rest) = grammar::split_class(rest, TOKEN);
    if transport.is_empty() || !rest.starts_with([' ', '\t']) {
        return Err(BadVia::Protocol);
    }
    let (sent_by, params) = rest.split_at(memchr::memchr(b';', rest.as_bytes()).unwrap_or(rest.len()));
    let sent_by = grammar::trim(sent_by);
    let (host, port) = spaced_host_port(sent_by)?;
    let mut branch = None;
    for param in grammar::params(params) {
        let (name, value) = param.map_err(|_| BadVia::Param)?;
        if branch.is_none() && name.eq_ignore_ascii_case("branch") {
            branch = Some(value.unwrap_or(""));
        }
    }
    let branch = branch.filter(|branch| !branch.is_empty());
    Ok(Parts { transport, sent_by, host, port, branch, params })
}

/// What follows `SIP/2.0/`, written with white space or in small letters.
fn after_protocol(text: &str) -> Option<&str> {
    let (name, rest) = text.split_once('/')?;
    let (version, rest) = rest.split_once('/')?;
    let ours = grammar::trim(name).eq_ignore_ascii_case("SIP") && grammar::trim(version) == "2.0";
    ours.then(|| grammar::trim_start(rest))
}

/// White space may stand around a sent-by's colon (RFC 3261, 25.1: COLON is SWS ":" SWS).
fn spaced_host_port(text: &str) -> Result<(HostRef<'_>, Option<u16>), BadHost> {
    if !text.bytes().any(|byte| matches!(byte, b' ' | b'\t')) {
        return host_port(text);
    }
    let (host, port) = text.rsplit_once(':').ok_or(BadHost::Host)?;
    let (host, none) = host_port(grammar::trim_end(host))?;
    if none.is_some() {
        return Err(BadHost::Port);
    }
    Ok((host, Some(read_port(grammar::trim_start(port))?)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn via(text: &str) -> Via {
        Via::parse(text).unwrap_or_else(|bad| panic!("{text}: {bad}"))
    }

    #[test]
    fn a_branch_may_hold_a_colon() {
        let text = "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-1:2:3==;rport";
        let via = via(text);
        assert_eq!(via.branch(), Some("z9hG4bK-1:2:3=="));
        assert_eq!((via.transport(), via.port()), ("UDP", Some(5070)));
        assert_eq!(via.host(), &Host::Ip("192.0.2.1".parse().unwrap()));
        assert_eq!(via.rport(), Some(None));
        assert_eq!(via.to_string(), text);
    }

    #[test]
    fn the_first_branch_counts_even_when_it_is_empty() {
        for (params, branch) in
            [(";branch;branch=x", None), (";branch=;branch=x", None), (";branch=x;branch=y", Some("x"))]
        {
            let text = format!("SIP/2.0/UDP h{params}");
            assert_eq!((via(&text).branch(), read(&text).unwrap().branch), (branch, branch), "{params}");
        }
    }

    #[test]
    fn received_is_a_whole_ipv6_address() {
        for text in ["2001:db8::1", "[2001:db8::1]"] {
            let via = via(&format!("SIP/2.0/UDP a.example.com;received={text};branch=z9hG4bKx"));
            assert_eq!(via.received(), Some("2001:db8::1".parse().unwrap()));
        }
        assert_eq!(via("SIP/2.0/UDP a;received=2001:db8::1:").received(), None);
    }

    #[test]
    fn any_transport_is_carried() {
        for name in ["SCTP", "TLS", "UNKNOWN", "WSS", "x-y"] {
            assert_eq!(via(&format!("SIP/2.0/{name} h")).transport(), name);
        }
    }

    #[test]
    fn white_space_is_allowed_where_the_grammar_has_it() {
        let via = via("SIP  / 2.0  / TCP     spindle.example.com : 5070  ;  branch  =   z9hG4bK9ikj8 ; x");
        assert_eq!(via.to_string(), "SIP/2.0/TCP spindle.example.com:5070;branch=z9hG4bK9ikj8;x");
        assert_eq!(via.branch(), Some("z9hG4bK9ikj8"));
    }

    #[test]
    fn source_address_and_port_are_filled_in() {
        let mut via = via("SIP/2.0/UDP h;rport;branch=z9hG4bKx;received=1.2.3.4");
        via.set_received("2001:db8::9".parse().unwrap());
        via.set_rport(5072);
        assert_eq!(via.received(), Some("2001:db8::9".parse().unwrap()));
        assert_eq!(via.rport(), Some(Some(5072)));
        assert_eq!(via.to_string(), "SIP/2.0/UDP h;branch=z9hG4bKx;received=2001:db8::9;rport=5072");
    }

    #[test]
    fn malformed_elements_are_refused() {
        for text in [
            "",
            "SIP/2.0 h",
            "SIP/7.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/2.0/ h",
            "SIP/2.0/UDP h i",
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP h;branch=a,b",
            "SIP/2.0/UDP h:1 : 2",
            "SIP/2.0/UDP h:70000",
            "SIP/2.0/UDP 2001:db8::1",
            "SIP/2.0/UDP h;branch=a\r\nX: y",
        ] {
            assert!(Via::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ours_reads_back_and_comes_back_from_storage() {
        for addr in ["192.0.2.1:5060", "[2001:db8::1]:5080"] {
            let addr: SocketAddr = addr.parse().unwrap();
            let via = Via::new(Transport::Tcp, addr, "z9hG4bKabc\r\n,; ");
            assert_eq!(via.branch(), Some("z9hG4bKabc"));
            assert_eq!(Via::parse(&via.to_string()), Ok(via.clone()));
            let stored = serde_json::to_string(&via).unwrap();
            assert_eq!(serde_json::from_str::<Via>(&stored).unwrap(), via);
        }
    }
}
