//! An agent's address: a SIP URI whose host is an IP address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::sip::Transport;
use crate::sip::uri::{BadUri, Host, Uri};

/// The port of SIP where none is written (RFC 3261, 19.1.2).
const SIP_PORT: u16 = 5060;
/// Longest address, in bytes.
const LONGEST: usize = 256;

/// Where a phone is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) transport: Transport,
    pub(super) remote: SocketAddr,
}

/// Why a text is no phone's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAPhone {
    #[error("a SIP address begins with `sip:`")]
    NoScheme,
    #[error("this version speaks no `{0}`, only `sip:`")]
    Scheme(&'static str),
    #[error("a SIP address cannot have the character {0:?}")]
    Character(char),
    #[error("the address is longer than {LONGEST} bytes")]
    TooLong,
    #[error("this is no SIP address: {0}")]
    Malformed(#[from] BadUri),
    #[error("an agent's address cannot have headers")]
    Headers,
    #[error("`{0}` is a host name, and this version looks up no names: write the phone's IP address")]
    HostName(String),
    #[error("`{0}` is no address of one phone")]
    Host(IpAddr),
    #[error("port 0 is no port of a phone")]
    Port,
    #[error("this version sends to phones over udp or tcp, not `{0}`")]
    Transport(String),
    #[error("the parameter `{0}` cannot be used here")]
    Parameter(&'static str),
}

/// Reads `sip:user@192.0.2.50:5060;transport=tcp`; user, port and transport may be left out.
///
/// Whatever is read here the switch can read too, for it is the same reading.
pub(super) fn parse(text: &str) -> Result<Address, NotAPhone> {
    if text.len() > LONGEST {
        return Err(NotAPhone::TooLong);
    }
    if let Some(c) = text.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"')) {
        return Err(NotAPhone::Character(c));
    }
    let (scheme, _) = text.split_once(':').ok_or(NotAPhone::NoScheme)?;
    match scheme.to_ascii_lowercase().as_str() {
        "sip" => {}
        "sips" => return Err(NotAPhone::Scheme("sips:")),
        "tel" => return Err(NotAPhone::Scheme("tel:")),
        _ => return Err(NotAPhone::NoScheme),
    }
    let uri = Uri::parse(text)?;
    if text.contains('?') {
        return Err(NotAPhone::Headers);
    }
    // These would send the call elsewhere, or make it something other than a call (RFC 3261, 19.1.1).
    if let Some(name) = ["maddr", "method", "ttl"].into_iter().find(|name| uri.param(name).is_some()) {
        return Err(NotAPhone::Parameter(name));
    }
    let ip = match uri.host() {
        Some(&Host::Ip(ip)) => ip.to_canonical(),
        Some(name) => return Err(NotAPhone::HostName(name.to_string())),
        None => return Err(NotAPhone::NoScheme),
    };
    if ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err(NotAPhone::Host(ip));
    }
    let port = uri.port().unwrap_or(SIP_PORT);
    if port == 0 {
        return Err(NotAPhone::Port);
    }
    let transport = match (uri.param("transport"), uri.transport()) {
        (None, _) => Transport::Udp,
        (Some(_), Some(transport)) => transport,
        (Some(other), None) => return Err(NotAPhone::Transport(other.to_owned())),
    };
    Ok(Address { transport, remote: SocketAddr::new(ip, port) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Ok(Address { transport, remote }) => format!("{} {remote}", transport.name()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_phone_is_where_its_address_says() {
        for (text, expected) in [
            ("sip:asha@192.0.2.50", "UDP 192.0.2.50:5060"),
            ("sip:192.0.2.50:5080", "UDP 192.0.2.50:5080"),
            ("SIP:asha@192.0.2.50;transport=TCP", "TCP 192.0.2.50:5060"),
            ("sip:asha@[2001:db8::50]:5070;user=phone", "UDP [2001:db8::50]:5070"),
            ("sip:asha@[::ffff:192.0.2.50]", "UDP 192.0.2.50:5060"),
            ("sip:asha;day=1@192.0.2.50", "UDP 192.0.2.50:5060"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_phone_is_refused_with_its_reason() {
        let name = "is a host name, and this version looks up no names: write the phone's IP address";
        for (text, expected) in [
            ("asha@192.0.2.50", "a SIP address begins with `sip:`".to_owned()),
            ("", "a SIP address begins with `sip:`".to_owned()),
            ("sips:asha@192.0.2.50", "this version speaks no `sips:`, only `sip:`".to_owned()),
            ("tel:+442079460101", "this version speaks no `tel:`, only `sip:`".to_owned()),
            ("sip:a b@192.0.2.50", "a SIP address cannot have the character ' '".to_owned()),
            ("sip:a@192.0.2.50\r\nX: y", "a SIP address cannot have the character '\\r'".to_owned()),
            ("sip:@192.0.2.50", "this is no SIP address: malformed user part".to_owned()),
            ("sip:a@b@192.0.2.50", "this is no SIP address: neither a domain name nor an address".to_owned()),
            ("sip:asha@pbx.example", format!("`pbx.example` {name}")),
            ("sip:asha@", "this is no SIP address: neither a domain name nor an address".to_owned()),
            (
                "sip:asha@[2001:db8::50",
                "this is no SIP address: neither a domain name nor an address".to_owned(),
            ),
            ("sip:asha@0.0.0.0", "`0.0.0.0` is no address of one phone".to_owned()),
            ("sip:asha@224.0.1.75", "`224.0.1.75` is no address of one phone".to_owned()),
            ("sip:asha@192.0.2.50:0", "port 0 is no port of a phone".to_owned()),
            (
                "sip:asha@192.0.2.50:65536",
                "this is no SIP address: port is not a number up to 65535".to_owned(),
            ),
            (
                "sip:asha@192.0.2.50:+5060",
                "this is no SIP address: port is not a number up to 65535".to_owned(),
            ),
            (
                "sip:a@192.0.2.50;transport=tls",
                "this version sends to phones over udp or tcp, not `tls`".to_owned(),
            ),
            ("sip:a@192.0.2.50;maddr=198.51.100.1", "the parameter `maddr` cannot be used here".to_owned()),
            ("sip:a@192.0.2.50?Priority=emergency", "an agent's address cannot have headers".to_owned()),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(parse(&format!("sip:{}@192.0.2.50", "a".repeat(300))), Err(NotAPhone::TooLong));
    }
}
