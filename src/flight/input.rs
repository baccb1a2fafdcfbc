//! Inputs as payloads: those of every call by hand, for speed; the rare ones by their names, so that a later
//! version, which has more of them, can read them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use bytes::Bytes;

use super::format::{self, Kind, Record, number};
use super::{Error, named};
use crate::sip::{Flow, ListenerId, Transport};
use crate::switch::Input;
use crate::time::Now;

/// Appends an input as a record.
pub(super) fn append(buffer: &mut Vec<u8>, input: &Input, now: Now) {
    match input {
        Input::Datagram { flow, bytes, waited } => format::append(buffer, Kind::Datagram, now, |buffer| {
            push_flow(buffer, *flow);
            let nanos = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
            buffer.extend_from_slice(&nanos.to_le_bytes());
            buffer.extend_from_slice(bytes);
        }),
        Input::Chunk { flow, bytes } => format::append(buffer, Kind::Chunk, now, |buffer| {
            push_flow(buffer, *flow);
            buffer.extend_from_slice(bytes);
        }),
        Input::Closed { flow } => {
            format::append(buffer, Kind::Closed, now, |buffer| push_flow(buffer, *flow));
        }
        Input::Wake => format::append(buffer, Kind::Wake, now, |_| {}),
        other => format::append(buffer, Kind::Other, now, |buffer| named::append(buffer, other)),
    }
}

/// The input in a record; `None` when the record holds something else.
pub(super) fn read(record: &Record<'_>) -> Result<Option<Input>, Error> {
    let mut rest = record.payload;
    let input = match record.kind {
        Kind::Datagram => take_flow(&mut rest).and_then(|flow| {
            let waited = Duration::from_nanos(u64::from_le_bytes(take(&mut rest)?));
            Some(Input::Datagram { flow, bytes: Bytes::copy_from_slice(rest), waited })
        }),
        Kind::Chunk => {
            take_flow(&mut rest).map(|flow| Input::Chunk { flow, bytes: Bytes::copy_from_slice(rest) })
        }
        Kind::Closed => take_flow(&mut rest).map(|flow| Input::Closed { flow }),
        Kind::Wake => Some(Input::Wake),
        Kind::Other => return named::read(record.payload).map(Some),
        Kind::Head | Kind::Outputs | Kind::End | Kind::State => return Ok(None),
    };
    input.map(Some).ok_or(Error::Meaningless)
}

fn push_flow(buffer: &mut Vec<u8>, flow: Flow) {
    buffer.push(u8::from(flow.transport == Transport::Tcp));
    buffer.push(flow.listener.0);
    match flow.remote {
        SocketAddr::V4(v4) => {
            buffer.push(4);
            buffer.extend_from_slice(&v4.ip().octets());
            buffer.extend_from_slice(&v4.port().to_le_bytes());
        }
        SocketAddr::V6(v6) => {
            buffer.push(6);
            buffer.extend_from_slice(&v6.ip().octets());
            buffer.extend_from_slice(&v6.port().to_le_bytes());
            buffer.extend_from_slice(&v6.flowinfo().to_le_bytes());
            buffer.extend_from_slice(&v6.scope_id().to_le_bytes());
        }
    }
}

fn take_flow(rest: &mut &[u8]) -> Option<Flow> {
    let [transport, listener, family] = take(rest)?;
    let ip: IpAddr = match family {
        4 => Ipv4Addr::from(take::<4>(rest)?).into(),
        6 => Ipv6Addr::from(take::<16>(rest)?).into(),
        _ => return None,
    };
    let port = u16::from_le_bytes(take(rest)?);
    let remote = match ip {
        IpAddr::V4(ip) => SocketAddrV4::new(ip, port).into(),
        IpAddr::V6(ip) => {
            let [flowinfo, scope] = [take(rest)?, take(rest)?].map(u32::from_le_bytes);
            SocketAddrV6::new(ip, port, flowinfo, scope).into()
        }
    };
    let transport = match transport {
        0 => Transport::Udp,
        1 => Transport::Tcp,
        _ => return None,
    };
    Some(Flow { transport, listener: ListenerId(listener), remote })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let taken = number(rest, 0)?;
    *rest = &rest[N..];
    Some(taken)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::call::media::Event;
    use crate::id::{AgentId, LegId};
    use crate::switch::AgentOrder;
    use crate::time::{Mono, Wall};

    #[test]
    fn every_kind_of_input_is_read_as_it_was_written() {
        let flow = |remote: &str, transport| Flow {
            transport,
            listener: ListenerId(3),
            remote: remote.parse().unwrap(),
        };
        let scoped = SocketAddrV6::new("fe80::1".parse().unwrap(), 5060, 7, 2).into();
        let bytes = Bytes::from_static(b"BYE sip:a@b SIP/2.0\r\n\r\n");
        let inputs = [
            Input::Datagram {
                flow: flow("192.0.2.1:5060", Transport::Udp),
                bytes: bytes.clone(),
                waited: Duration::from_nanos(1_234_567),
            },
            Input::Chunk { flow: flow("[2001:db8::1]:5060", Transport::Tcp), bytes },
            Input::Closed { flow: Flow { remote: scoped, ..flow("192.0.2.1:1", Transport::Tcp) } },
            Input::Wake,
            Input::Media(Event::Dead { leg: LegId(9), silent_for: Duration::from_millis(20_001) }),
            Input::Agent(AgentOrder::Pause(AgentId(4), "lunch".to_owned())),
            Input::Drain,
            Input::Stop,
        ];
        let now = Now { mono: Mono(5), wall: Wall(6) };
        for input in inputs {
            let mut buffer = Vec::new();
            append(&mut buffer, &input, now);
            let (record, length) = format::read(&buffer).unwrap().unwrap();
            assert_eq!(length, buffer.len());
            assert_eq!(read(&record).unwrap(), Some(input));
        }
    }
}
