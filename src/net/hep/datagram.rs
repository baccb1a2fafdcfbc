//! One message as a datagram of HEP3 (HEP/EEP, revision 3): a head, and chunks with type and length.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Path, Settings};
use crate::sip::Transport;

/// The most that fits into a datagram of UDP over IPv4.
const LONGEST: usize = 65_507;
/// Address families, IP protocols and the kind of what is carried, by their numbers in HEP.
const IPV4: u8 = 2;
const IPV6: u8 = 10;
const TCP: u8 = 6;
const UDP: u8 = 17;
const SIP: u8 = 1;

/// The datagram; `None` for a message that none has room for.
pub(super) fn of(
    settings: &Settings,
    transport: Transport,
    path: Path,
    at: Duration,
    message: &[u8],
) -> Option<Vec<u8>> {
    let mut datagram = Vec::with_capacity(message.len() + 256);
    datagram.extend_from_slice(b"HEP3\0\0");
    let protocol = match transport {
        Transport::Udp => UDP,
        Transport::Tcp => TCP,
    };
    let mut chunk = |kind: u16, value: &[u8]| {
        let length = u16::try_from(value.len() + 6).ok()?;
        // Chunks of the standard are those of vendor 0.
        datagram.extend_from_slice(&[0, 0]);
        datagram.extend_from_slice(&kind.to_be_bytes());
        datagram.extend_from_slice(&length.to_be_bytes());
        datagram.extend_from_slice(value);
        Some(())
    };
    let of_one_family = |a: IpAddr, b: IpAddr| match (a.to_canonical(), b.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => Some((a, b)),
        _ => None,
    };
    let Path { from, to } = path;
    match of_one_family(from.ip(), to.ip()) {
        Some((from, to)) => {
            chunk(1, &[IPV4])?;
            chunk(3, &from.octets())?;
            chunk(4, &to.octets())?;
        }
        None => {
            chunk(1, &[IPV6])?;
            chunk(5, &sixteen(from))?;
            chunk(6, &sixteen(to))?;
        }
    }
    chunk(2, &[protocol])?;
    chunk(7, &from.port().to_be_bytes())?;
    chunk(8, &to.port().to_be_bytes())?;
    chunk(9, &u32::try_from(at.as_secs()).unwrap_or(u32::MAX).to_be_bytes())?;
    chunk(10, &at.subsec_micros().to_be_bytes())?;
    chunk(11, &[SIP])?;
    chunk(12, &settings.capture_id.to_be_bytes())?;
    if let Some(key) = &settings.key {
        chunk(14, key.as_bytes())?;
    }
    if let Some(id) = call_id(message) {
        chunk(17, id)?;
    }
    chunk(15, message)?;
    let length = u16::try_from(datagram.len()).ok().filter(|&length| usize::from(length) <= LONGEST)?;
    datagram[4..6].copy_from_slice(&length.to_be_bytes());
    Some(datagram)
}

fn sixteen(address: SocketAddr) -> [u8; 16] {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// The Call-ID, which the collector joins messages by.
fn call_id(message: &[u8]) -> Option<&[u8]> {
    let head = message.split(|&byte| byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    head.skip(1).find_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let name = line[..colon].trim_ascii_end();
        let fits = name.eq_ignore_ascii_case(b"Call-ID") || name.eq_ignore_ascii_case(b"i");
        fits.then(|| line[colon + 1..].trim_ascii())
    })
}
