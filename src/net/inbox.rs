//! Datagrams that were read and wait for their turn: what begins a call comes after what belongs to one.
//!
//! Whatever waits in the kernel waits in the order of arrival, and a BYE behind a thousand INVITEs would be
//! repeated before it is read. So everything is read soon, and sorted here by its first word.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Instant;

use bytes::Bytes;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::{Arrival, Peer, PeerOf};
use crate::sip::{Flow, ListenerId, Transport};

/// The largest datagram that UDP can carry.
const DATAGRAM: usize = 65_535;
/// Datagrams taken in one system call.
const BATCH: usize = 16;
/// Batches taken from one socket before the others, and what was read, get their turn.
const BATCHES: usize = 16;
/// Most datagrams, and most bytes, that wait in one lane.
const LANE: (usize, usize) = (8_192, 16 << 20);

/// What was read, and room to read into.
pub(super) struct Inbox {
    lanes: Lanes,
    headers: MultiHeaders<SockaddrStorage>,
    rooms: Box<[[u8; DATAGRAM]; BATCH]>,
}

#[derive(Default)]
struct Lanes {
    belonging: Lane,
    beginning: Lane,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<(Flow, Bytes, Instant)>,
    bytes: usize,
}

impl Lanes {
    /// Takes a datagram in, or says that there is no room for it.
    fn sort(&mut self, flow: Flow, text: &[u8], read: Instant, peer_of: &PeerOf) -> bool {
        // A CANCEL must not overtake its INVITE.
        let begins = text.starts_with(b"INVITE ") || text.starts_with(b"CANCEL ");
        let peer = if begins { peer_of(flow.remote.ip().to_canonical()) } else { Peer::First };
        let lane = if peer == Peer::First { &mut self.belonging } else { &mut self.beginning };
        let has_room = lane.has_room(peer);
        if has_room {
            lane.push(flow, Bytes::copy_from_slice(text), read);
        }
        has_room
    }

    fn pop(&mut self) -> Option<Arrival> {
        self.belonging.pop().or_else(|| self.beginning.pop())
    }
}

impl Lane {
    /// Whether it takes more from such a peer: strangers must not crowd out the trunks.
    fn has_room(&self, peer: Peer) -> bool {
        let share = match peer {
            // Within a batch it may run over: see [`Inbox::read`].
            Peer::First => return true,
            Peer::Friend => 1,
            Peer::Stranger => 4,
        };
        self.waiting.len() < LANE.0 / share && self.bytes < LANE.1 / share
    }

    fn push(&mut self, flow: Flow, bytes: Bytes, read: Instant) {
        self.bytes += bytes.len();
        self.waiting.push_back((flow, bytes, read));
    }

    fn pop(&mut self) -> Option<Arrival> {
        let (flow, bytes, read) = self.waiting.pop_front()?;
        self.bytes -= bytes.len();
        Some(Arrival::Datagram { flow, bytes, read })
    }
}

impl Inbox {
    pub(super) fn new() -> Inbox {
        let rooms = vec![[0; DATAGRAM]; BATCH].into_boxed_slice().try_into();
        Inbox {
            lanes: Lanes::default(),
            headers: MultiHeaders::preallocate(BATCH, None),
            rooms: rooms.expect("as many rooms as a batch has"),
        }
    }

    pub(super) fn pop(&mut self) -> Option<Arrival> {
        self.lanes.pop()
    }

    /// Reads what lies at a socket; says how many datagrams were taken in and how many found no room.
    pub(super) fn read(&mut self, listener: ListenerId, socket: &UdpSocket, peer_of: &PeerOf) -> (u64, u64) {
        let (mut taken, mut crowded_out) = (0, 0);
        for _ in 0..BATCHES {
            // What belongs to a call is left to the kernel rather than lost.
            if !self.lanes.belonging.has_room(Peer::Friend) {
                break;
            }
            let batch = socket.try_io(Interest::READABLE, || {
                let count = self.read_batch(listener, socket, peer_of, &mut crowded_out)?;
                taken += count as u64;
                // A short batch has emptied the socket: what comes later is announced anew.
                if count < BATCH { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match batch {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Nothing more to read, or an ICMP report of an earlier send.
                Err(_) => break,
            }
        }
        (taken, crowded_out)
    }

    fn read_batch(
        &mut self,
        listener: ListenerId,
        socket: &UdpSocket,
        peer_of: &PeerOf,
        crowded_out: &mut u64,
    ) -> io::Result<usize> {
        let Inbox { lanes, headers, rooms } = self;
        let mut slices = rooms.each_mut().map(|room| [IoSliceMut::new(room)]);
        let flags = MsgFlags::MSG_DONTWAIT;
        let batch = match recvmmsg(socket.as_raw_fd(), headers, &mut slices, flags, None) {
            Ok(batch) => batch,
            Err(Errno::EAGAIN) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => return Err(error.into()),
        };
        let (read, mut count) = (Instant::now(), 0);
        for message in batch {
            count += 1;
            let Some(remote) = message.address.as_ref().and_then(socket_address) else { continue };
            let flow = Flow { transport: Transport::Udp, listener, remote };
            let text = message.iovs().next().unwrap_or_default();
            *crowded_out += u64::from(!lanes.sort(flow, text, read, peer_of));
        }
        Ok(count)
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::V4((*v4).into()));
    }
    address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// What comes out of lanes that these went into, and how many found no room.
    fn sorted(peer: Peer, datagrams: &[&str]) -> (Vec<String>, usize) {
        let flow = Flow {
            transport: Transport::Udp,
            listener: ListenerId(0),
            remote: "192.0.2.1:5060".parse().unwrap(),
        };
        let peer_of: PeerOf = Arc::new(move |_| peer);
        let mut lanes = Lanes::default();
        let full = datagrams
            .iter()
            .filter(|text| !lanes.sort(flow, text.as_bytes(), Instant::now(), &peer_of))
            .count();
        let found = std::iter::from_fn(|| match lanes.pop()? {
            Arrival::Datagram { bytes, .. } => Some(String::from_utf8(bytes.to_vec()).unwrap()),
            other => panic!("{other:?}"),
        });
        (found.collect(), full)
    }

    #[test]
    fn what_begins_a_call_comes_last_and_an_emergency_does_not() {
        let mixed = ["INVITE 1", "BYE", "CANCEL 1", "SIP/2.0 200 OK", "INVITE 2", "ACK"];
        let last = ["BYE", "SIP/2.0 200 OK", "ACK", "INVITE 1", "CANCEL 1", "INVITE 2"];
        assert_eq!(sorted(Peer::Friend, &mixed).0, last);
        assert_eq!(sorted(Peer::First, &mixed).0, mixed);
    }

    #[test]
    fn a_flood_of_calls_finds_the_lane_full_and_one_of_strangers_finds_it_so_sooner() {
        let flood = vec!["INVITE 1"; LANE.0 + 10];
        assert_eq!(sorted(Peer::Friend, &flood).1, 10);
        assert_eq!(sorted(Peer::Stranger, &flood).0.len(), LANE.0 / 4);
        let heavy = "INVITE ".to_owned() + &"x".repeat(60_000);
        assert_eq!(sorted(Peer::Friend, &vec![heavy.as_str(); 1_000]).0.len(), LANE.1 / heavy.len() + 1);
    }
}
