//! An agent's address: a SIP URI whose host is an IP address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::sip::Transport;

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
    #[error("an agent's address cannot have headers")]
    Headers,
    #[error("there is nothing before the `@`")]
    NoUser,
    #[error("`{0}` is a host name, and this version looks up no names: write the phone's IP address")]
    HostName(String),
    #[error("`{0}` is no address of one phone")]
    Host(IpAddr),
    #[error("`{0}` is no port")]
    Port(String),
    #[error("this version sends to phones over udp or tcp, not `{0}`")]
    Transport(String),
    #[error("the parameter `{0}` cannot be used here")]
    Parameter(String),
}

/// Reads `sip:user@192.0.2.50:5060;transport=tcp`; user, port and transport may be left out.
pub(super) fn parse(text: &str) -> Result<Address, NotAPhone> {
    if text.len() > LONGEST {
        return Err(NotAPhone::TooLong);
    }
    let unfit =
        |c: &char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '|' | '}');
    if let Some(c) = text.chars().find(unfit) {
        return Err(NotAPhone::Character(c));
    }
    let (scheme, rest) = text.split_once(':').ok_or(NotAPhone::NoScheme)?;
    match scheme.to_ascii_lowercase().as_str() {
        "sip" => {}
        "sips" => return Err(NotAPhone::Scheme("sips:")),
        "tel" => return Err(NotAPhone::Scheme("tel:")),
        _ => return Err(NotAPhone::NoScheme),
    }
    if rest.contains('?') {
        return Err(NotAPhone::Headers);
    }
    let host_and_parameters = match rest.rsplit_once('@') {
        Some(("", _)) => return Err(NotAPhone::NoUser),
        Some((user, _)) if user.contains(['@', '[', ']']) => return Err(NotAPhone::Character('@')),
        Some((_, host)) => host,
        None => rest,
    };
    let (host, parameters) = host_and_parameters.split_once(';').unwrap_or((host_and_parameters, ""));
    Ok(Address { transport: transport(parameters)?, remote: remote(host)? })
}

fn remote(host_and_port: &str) -> Result<SocketAddr, NotAPhone> {
    let host_name = |host: &str| NotAPhone::HostName(host.to_owned());
    let (ip, port) = match host_and_port.strip_prefix('[') {
        Some(rest) => {
            let (ip, port) = rest.split_once(']').ok_or_else(|| host_name(host_and_port))?;
            (IpAddr::V6(ip.parse::<Ipv6Addr>().map_err(|_| host_name(ip))?), port)
        }
        None => {
            let end = host_and_port.find(':').unwrap_or(host_and_port.len());
            let (ip, port) = host_and_port.split_at(end);
            (IpAddr::V4(ip.parse::<Ipv4Addr>().map_err(|_| host_name(ip))?), port)
        }
    };
    let ip = ip.to_canonical();
    if ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err(NotAPhone::Host(ip));
    }
    if port.is_empty() {
        return Ok(SocketAddr::new(ip, SIP_PORT));
    }
    let digits = port.strip_prefix(':').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse::<u16>().ok()).filter(|&number| number > 0);
    let number = number.ok_or_else(|| NotAPhone::Port(port.trim_start_matches(':').to_owned()))?;
    Ok(SocketAddr::new(ip, number))
}

/// The transport that the parameters name, or UDP; those that would send the call elsewhere are refused.
fn transport(parameters: &str) -> Result<Transport, NotAPhone> {
    let mut transport = None;
    for parameter in parameters.split(';').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let refused = || NotAPhone::Parameter(name.to_owned());
        match name.to_ascii_lowercase().as_str() {
            "transport" if transport.is_some() => return Err(refused()),
            "transport" => {
                transport = Some(match value.to_ascii_lowercase().as_str() {
                    "udp" => Transport::Udp,
                    "tcp" => Transport::Tcp,
                    _ => return Err(NotAPhone::Transport(value.to_owned())),
                });
            }
            "maddr" | "method" | "ttl" | "" => return Err(refused()),
            _ => {}
        }
    }
    Ok(transport.unwrap_or(Transport::Udp))
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
            ("sip:@192.0.2.50", "there is nothing before the `@`".to_owned()),
            ("sip:a@b@192.0.2.50", "a SIP address cannot have the character '@'".to_owned()),
            ("sip:asha@pbx.example", format!("`pbx.example` {name}")),
            ("sip:asha@", format!("`` {name}")),
            ("sip:asha@[2001:db8::50", format!("`[2001:db8::50` {name}")),
            ("sip:asha@0.0.0.0", "`0.0.0.0` is no address of one phone".to_owned()),
            ("sip:asha@224.0.1.75", "`224.0.1.75` is no address of one phone".to_owned()),
            ("sip:asha@192.0.2.50:0", "`0` is no port".to_owned()),
            ("sip:asha@192.0.2.50:65536", "`65536` is no port".to_owned()),
            ("sip:asha@192.0.2.50:+5060", "`+5060` is no port".to_owned()),
            (
                "sip:a@192.0.2.50;transport=tls",
                "this version sends to phones over udp or tcp, not `tls`".to_owned(),
            ),
            (
                "sip:a@192.0.2.50;transport=udp;transport=tcp",
                "the parameter `transport` cannot be used here".to_owned(),
            ),
            ("sip:a@192.0.2.50;maddr=198.51.100.1", "the parameter `maddr` cannot be used here".to_owned()),
            ("sip:a@192.0.2.50?Priority=emergency", "an agent's address cannot have headers".to_owned()),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(parse(&format!("sip:{}@192.0.2.50", "a".repeat(300))), Err(NotAPhone::TooLong));
    }
}
