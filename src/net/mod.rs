//! Sockets of SIP: what arrives becomes [`Arrival`]s, what is to be sent goes out at once.
//!
//! No SIP is understood here. Datagrams go out together after each batch of arrivals, so that whoever gets them is
//! woken once. Those that the kernel does not take are dropped and counted: SIP retransmits. Streams live in tasks of their own behind bounded queues, so no peer holds up another.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use hep::{Hep, Path};
use tokio::net::{TcpListener, UdpSocket};

use crate::sip::{Flow, ListenerId, Transport};

pub mod hep;
mod inbox;
mod stream;

/// How many datagrams are delivered before the sockets and the streams are looked at again.
const TURN: usize = 32;

/// One listening address.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// The transport protocol.
    pub transport: Transport,
    /// The local address; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The address that peers know it by, where that is another.
    pub known_as: Option<IpAddr>,
}

/// A bound socket.
#[derive(Debug)]
pub enum Opened {
    /// For datagrams.
    Udp(std::net::UdpSocket),
    /// For streams, listening.
    Tcp(std::net::TcpListener),
}

/// Something that came from the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A whole datagram.
    Datagram {
        /// From whom, at which listener.
        flow: Flow,
        /// All of it.
        bytes: Bytes,
        /// When it was read from its socket.
        read: Instant,
    },
    /// Bytes of a stream.
    Chunk(Flow, Bytes),
    /// A stream ended, or could not be opened.
    Closed(Flow),
}

/// What a host is to us, before anything that it says was read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// All that it sends comes first.
    First,
    /// It may send calls and open many streams.
    Friend,
    /// It gets little room and time.
    Stranger,
}

type PeerOf = Arc<dyn Fn(IpAddr) -> Peer + Send + Sync>;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams received.
    pub received: u64,
    /// INVITEs and CANCELs that were dropped because too many waited for their turn.
    pub crowded_out: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Datagrams that the kernel would not take.
    pub unsent: u64,
    /// Stream messages for which a peer's queue was full; its stream was closed.
    pub choked: u64,
}

/// All SIP sockets of this host.
pub struct Net {
    listeners: Vec<Socket>,
    addresses: Vec<SocketAddr>,
    /// The same as copies show them: a socket on every address by the one that peers know.
    shown: Vec<SocketAddr>,
    /// Descriptors of the listeners.
    descriptors: Vec<RawFd>,
    streams: stream::Streams,
    peer_of: PeerOf,
    inbox: inbox::Inbox,
    /// Datagrams that go out with the next [`Net::flush`].
    outbox: Vec<(Flow, Bytes)>,
    /// Where copies of all messages go.
    copies: Option<Hep>,
    /// Datagrams that may be delivered before the sockets are looked at again.
    turn: usize,
    counters: Counters,
}

enum Socket {
    Udp(UdpSocket),
    /// Accepts in a task of its own.
    Tcp,
}

impl Net {
    /// Listens on every address with the sockets that `open` gives; `peer_of` says how each host is to be treated, and
    /// `copies` has a copy of each message.
    ///
    /// Must be called within a runtime.
    pub fn bind(
        binds: &[Bind],
        mut open: impl FnMut(Bind) -> io::Result<Opened>,
        peer_of: impl Fn(IpAddr) -> Peer + Send + Sync + 'static,
        copies: Option<Hep>,
    ) -> io::Result<Net> {
        let peer_of: PeerOf = Arc::new(peer_of);
        let streams = stream::Streams::new(peer_of.clone(), copies.clone());
        let mut net = Net {
            listeners: Vec::new(),
            addresses: Vec::new(),
            shown: Vec::new(),
            descriptors: Vec::new(),
            streams,
            peer_of,
            inbox: inbox::Inbox::new(),
            outbox: Vec::new(),
            copies,
            turn: 0,
            counters: Counters::default(),
        };
        for (index, bind) in binds.iter().enumerate() {
            let listener =
                ListenerId(u8::try_from(index).map_err(|_| io::Error::other("more than 256 listeners"))?);
            let failed = |error: io::Error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot listen on {} {}: {error}", bind.transport.name(), bind.address),
                )
            };
            match open(*bind).map_err(failed)? {
                Opened::Udp(socket) => {
                    socket.set_nonblocking(true)?;
                    let socket = UdpSocket::from_std(socket)?;
                    net.descriptors.push(socket.as_raw_fd());
                    enlarge(&socket);
                    net.addresses.push(socket.local_addr()?);
                    net.listeners.push(Socket::Udp(socket));
                }
                Opened::Tcp(socket) => {
                    socket.set_nonblocking(true)?;
                    let socket = TcpListener::from_std(socket)?;
                    net.descriptors.push(socket.as_raw_fd());
                    net.addresses.push(socket.local_addr()?);
                    net.streams.accept_on(listener, socket);
                    net.listeners.push(Socket::Tcp);
                }
            }
            let bound = net.addresses[index];
            let known = bind.known_as.filter(|_| bound.ip().is_unspecified()).unwrap_or(bound.ip());
            net.shown.push(SocketAddr::new(known, bound.port()));
        }
        Ok(net)
    }

    /// The addresses really bound, by [`ListenerId`].
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The descriptors of the listening sockets, open for as long as this lives.
    pub fn descriptors(&self) -> &[RawFd] {
        &self.descriptors
    }

    /// How many streams are open at each listener, whoever opened them.
    pub fn connections(&self) -> BTreeMap<ListenerId, usize> {
        self.streams.open()
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Where copies of all messages go.
    pub fn copies(&self) -> Option<&Hep> {
        self.copies.as_ref()
    }

    /// Waits for the next arrival. Safe to drop and call again.
    pub async fn next(&mut self) -> Arrival {
        loop {
            if let Some(arrival) = self.try_next() {
                return arrival;
            }
            let sockets = &self.listeners;
            let streams = &mut self.streams;
            let arrival = poll_fn(|context| {
                if let Poll::Ready(arrival) = streams.poll(context) {
                    return Poll::Ready(Some(arrival));
                }
                let ready = sockets.iter().any(|socket| match socket {
                    Socket::Udp(socket) => socket.poll_recv_ready(context).is_ready(),
                    Socket::Tcp => false,
                });
                if ready { Poll::Ready(None) } else { Poll::Pending }
            })
            .await;
            if let Some(arrival) = arrival {
                return arrival;
            }
        }
    }

    /// The next arrival that is there already.
    pub fn try_next(&mut self) -> Option<Arrival> {
        if self.turn == 0 {
            self.read();
            self.turn = TURN;
            if let Some(arrival) = self.streams.try_next() {
                return Some(arrival);
            }
        }
        self.turn -= 1;
        let arrival = self.inbox.pop();
        if let (Some(copies), Some(Arrival::Datagram { flow, bytes, read })) = (&self.copies, &arrival) {
            let path = Path { from: flow.remote, to: self.shown[usize::from(flow.listener.0)] };
            copies.message(*read, Transport::Udp, path, bytes);
        }
        if arrival.is_none() {
            self.turn = 0;
        }
        arrival
    }

    fn read(&mut self) {
        for (index, socket) in self.listeners.iter().enumerate() {
            if let (Socket::Udp(socket), Ok(index)) = (socket, u8::try_from(index)) {
                let (received, crowded_out) = self.inbox.read(ListenerId(index), socket, &self.peer_of);
                self.counters.received += received;
                self.counters.crowded_out += crowded_out;
            }
        }
    }

    /// Sends one message on its way, or drops and counts it: a datagram with the next [`Net::flush`].
    pub fn send(&mut self, flow: Flow, bytes: Bytes) {
        match flow.transport {
            Transport::Udp => self.outbox.push((flow, bytes)),
            Transport::Tcp => {
                if !self.streams.send(flow, bytes) {
                    self.counters.choked += 1;
                }
            }
        }
    }

    /// Sends the datagrams that were given to [`Net::send`], in their order.
    pub fn flush(&mut self) {
        for (flow, bytes) in self.outbox.drain(..) {
            let Some(Socket::Udp(socket)) = self.listeners.get(usize::from(flow.listener.0)) else {
                continue;
            };
            match socket.try_send_to(&bytes, flow.remote) {
                Ok(_) => {
                    self.counters.sent += 1;
                    if let Some(copies) = &self.copies {
                        let path = Path { from: self.shown[usize::from(flow.listener.0)], to: flow.remote };
                        copies.message(Instant::now(), Transport::Udp, path, &bytes);
                    }
                }
                Err(_) => self.counters.unsent += 1,
            }
        }
    }

    /// Closes a stream.
    pub fn close(&mut self, flow: Flow) {
        self.streams.close(flow);
    }
}

/// Room for a burst: at eight on a Monday a hundred calls come in the same second.
fn enlarge(socket: &UdpSocket) {
    use nix::sys::socket::{setsockopt, sockopt};
    const ROOM: usize = 4 << 20;
    // What the kernel does not grant is not needed to work; past its limit it grants the privileged.
    if setsockopt(socket, sockopt::RcvBufForce, &ROOM).is_err() {
        let _ = setsockopt(socket, sockopt::RcvBuf, &ROOM);
    }
    let _ = setsockopt(socket, sockopt::SndBuf, &ROOM);
}

#[cfg(test)]
mod tests;
