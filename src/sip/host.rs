//! Hosts and ports, as they stand in URIs and in Via headers.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::grammar;

/// The host of a URI or of a Via's sent-by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Host {
    /// A domain name, as received.
    Name(String),
    /// An address.
    Ip(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// The text is no host, or no host and port.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum BadHost {
    /// Neither a domain name nor an address.
    #[error("neither a domain name nor an address")]
    Host,
    /// Not a number up to 65535.
    #[error("port is not a number up to 65535")]
    Port,
}

/// A host that borrows from the text it was read from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum HostRef<'a> {
    Name(&'a str),
    Ip(IpAddr),
}

impl HostRef<'_> {
    pub(super) fn to_host(self) -> Host {
        match self {
            HostRef::Name(name) => Host::Name(name.to_owned()),
            HostRef::Ip(ip) => Host::Ip(ip),
        }
    }
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(super) fn host_port(text: &str) -> Result<(HostRef<'_>, Option<u16>), BadHost> {
    let (host, port) = if let Some(inner) = text.strip_prefix('[') {
        let (ip, rest) = inner.split_once(']').ok_or(BadHost::Host)?;
        let ip: Ipv6Addr = ip.parse().map_err(|_| BadHost::Host)?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port),
            None if rest.is_empty() => None,
            None => return Err(BadHost::Host),
        };
        (HostRef::Ip(IpAddr::V6(ip)), port)
    } else {
        match text.bytes().position(|byte| byte == b':') {
            Some(colon) => (name_or_v4(&text[..colon])?, Some(&text[colon + 1..])),
            None => (name_or_v4(text)?, None),
        }
    };
    Ok((host, port.map(read_port).transpose()?))
}

/// A port; zero is one by the grammar, though nothing can be sent there.
pub(super) fn read_port(text: &str) -> Result<u16, BadHost> {
    let port = grammar::number(text, u32::from(u16::MAX)).ok_or(BadHost::Port)?;
    u16::try_from(port).map_err(|_| BadHost::Port)
}

fn name_or_v4(text: &str) -> Result<HostRef<'_>, BadHost> {
    if let Some(ip) = v4(text) {
        return Ok(HostRef::Ip(IpAddr::V4(ip)));
    }
    if text.is_empty() || !grammar::all(text, grammar::HOST) {
        return Err(BadHost::Host);
    }
    // A name's last label never is a number (RFC 3261, 25.1), so that 999.1.1.1 is no name; a final dot ends it.
    let labels = text.as_bytes();
    let labels = labels.strip_suffix(b".").unwrap_or(labels);
    let is_number = labels.iter().rev().take_while(|&&byte| byte != b'.').all(u8::is_ascii_digit);
    if is_number { Err(BadHost::Host) } else { Ok(HostRef::Name(text)) }
}

/// Four numbers without leading zeros; the front door reads one for nearly every header, and this takes a third of
/// the time of `Ipv4Addr::from_str`.
fn v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let (mut at, mut digits) = (0, 0);
    for byte in text.bytes() {
        let octet = octets.get_mut(at)?;
        match byte {
            b'0'..=b'9' if digits == 0 || *octet != 0 => {
                *octet = octet.checked_mul(10)?.checked_add(byte - b'0')?;
                digits += 1;
            }
            b'.' if digits > 0 => (at, digits) = (at + 1, 0),
            _ => return None,
        }
    }
    (at == 3 && digits > 0).then(|| octets.into())
}

/// Appends an address as [`Host`] writes it. Nearly every line that we write has one, and the formatter of the
/// standard library takes ten times as long.
pub(super) fn push_ip(out: &mut String, ip: IpAddr) {
    match ip {
        IpAddr::V4(v4) => {
            for (at, octet) in v4.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push('.');
                }
                grammar::push_number(out, u32::from(octet));
            }
        }
        IpAddr::V6(v6) => {
            let _ = write!(out, "[{v6}]");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_addresses_and_ports_are_told_apart() {
        let name = |text| Host::Name(String::from(text));
        let ip = |text: &str| Host::Ip(text.parse().unwrap());
        for (text, host, port) in [
            ("example.com", name("example.com"), None),
            ("host_1.example.com.:5060", name("host_1.example.com."), Some(5060)),
            ("127.0.0.1:65535", ip("127.0.0.1"), Some(65535)),
            ("[2001:db8::1]", ip("2001:db8::1"), None),
            ("[::1]:5061", ip("::1"), Some(5061)),
        ] {
            let (read, read_port) = host_port(text).unwrap();
            assert_eq!((read.to_host(), read_port), (host, port), "{text}");
        }
        assert_eq!(ip("::1").to_string(), "[::1]");
    }

    #[test]
    fn an_address_is_read_and_written_as_the_standard_library_does() {
        for text in [
            "0.0.0.0",
            "255.255.255.255",
            "10.0.20.100",
            "1.2.3.04",
            "1.2.3.256",
            "1.2.3",
            "1.2.3.4.5",
            "1..2.3",
            "1.2.3.",
            ".1.2.3",
            "00.1.2.3",
            "1.2.3.4x",
            "1.2.3.1000",
            "",
        ] {
            assert_eq!(v4(text), text.parse().ok(), "{text}");
        }
        for text in ["0.0.0.0", "255.255.255.255", "10.0.20.100", "::1", "2001:db8::1"] {
            let (ip, mut out) = (text.parse().unwrap(), String::new());
            push_ip(&mut out, ip);
            assert_eq!(out, Host::Ip(ip).to_string());
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in
            ["", ":5060", "a b", "2001:db8::1", "[::1", "[::1]x", "[x]", "999.1.1.1", "1234", "a@b", "."]
        {
            assert!(host_port(text).is_err(), "{text}");
        }
        for text in ["a:", "a:65536", "a:+1", "a:5060x", "[::1]:"] {
            assert_eq!(host_port(text), Err(BadHost::Port), "{text}");
        }
    }
}
