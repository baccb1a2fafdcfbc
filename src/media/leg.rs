//! The legs of one thread, found by identifier, by port and source address, or by index.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use crate::call::media::{Codec, Digit, Stream};
use crate::id::LegId;
use crate::media::playlist::Playlist;
use crate::rtp::dtmf::Decoder;
use crate::rtp::g711::{ALAW_TO_MULAW, MULAW_TO_ALAW};
use crate::rtp::{Outgoing, Packet};
use crate::time::Mono;

/// One leg's media.
#[derive(Debug)]
pub(super) struct Leg {
    /// As ordered.
    pub(super) stream: Stream,
    /// Position of the local port among the thread's.
    pub(super) port: usize,
    /// Where packets go and come from: as ordered, or latched on to.
    pub(super) remote: SocketAddr,
    /// `remote` was learnt from a packet.
    pub(super) latched: bool,
    /// Its one outgoing stream.
    pub(super) out: Outgoing,
    /// The leg it is bridged to.
    pub(super) partner: Option<u32>,
    /// What it hears instead of its partner.
    pub(super) playing: Option<Playing>,
    /// The keys pressed on it.
    pub(super) keys: Keys,
    /// When its last packet came, or else when the stream was set.
    pub(super) heard: Mono,
    /// Its silence was reported.
    pub(super) dead: bool,
}

/// What a leg hears of clips, and its place in the pacer; at least one of the two.
#[derive(Debug)]
pub(super) struct Playing {
    /// Heard first.
    pub(super) saying: Option<Saying>,
    /// Waits while something is said.
    pub(super) list: Option<Playlist>,
    pub(super) slot: usize,
}

/// An announcement under way.
#[derive(Debug)]
pub(super) struct Saying {
    pub(super) id: u32,
    pub(super) list: Playlist,
}

/// The keys pressed on a leg, and whether anybody is told.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) listening: bool,
    /// Runs whether listened to or not: a key that is down when listening begins was not pressed since.
    decoder: Decoder,
    /// The second in which the last press fell, and the presses reported in it.
    second: (u64, u32),
}

/// What became of a packet of telephone events.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A press to be reported.
    Press(Digit),
    /// Nothing new, or nobody listens.
    Nothing,
    /// No report of a key.
    Malformed,
    /// A press beyond [`MOST_PRESSES`].
    Flood,
}

/// Presses of a leg reported in one second; no finger is faster, and the core is not to be flooded.
const MOST_PRESSES: u32 = 25;

/// Who sent a packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The leg with this port and remote address.
    Leg(u32),
    /// Unknown so far, on a port whose only leg waits to latch on.
    Latching(u32),
    /// Nobody: the port has legs, but elsewhere.
    Wrong,
    /// Nobody: the port has no leg.
    Stray,
}

/// All legs of a thread.
#[derive(Debug, Default)]
pub(super) struct Legs {
    legs: Vec<Option<Leg>>,
    free: Vec<u32>,
    by_id: HashMap<LegId, u32>,
    ports: Vec<Port>,
}

/// Who is on a port.
#[derive(Debug, Default)]
struct Port {
    number: u16,
    legs: usize,
    by_source: HashMap<(IpAddr, u16), u32>,
    latching: Option<u32>,
}

impl Legs {
    /// No legs, on these ports.
    pub(super) fn new(ports: &[u16]) -> Legs {
        let ports = ports.iter().map(|&number| Port { number, ..Port::default() }).collect();
        Legs { ports, ..Legs::default() }
    }

    /// The position of a port, if it is the thread's.
    pub(super) fn port(&self, number: u16) -> Option<usize> {
        self.ports.iter().position(|port| port.number == number)
    }

    /// The index of a leg.
    pub(super) fn index(&self, id: LegId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// A leg by its index.
    pub(super) fn leg(&self, index: u32) -> Option<&Leg> {
        self.legs.get(index as usize)?.as_ref()
    }

    /// A leg by its index.
    pub(super) fn leg_mut(&mut self, index: u32) -> Option<&mut Leg> {
        self.legs.get_mut(index as usize)?.as_mut()
    }

    /// Every leg, in order of index.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Leg> {
        self.legs.iter_mut().flatten()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Takes in a leg, which is not yet found by its source: see [`Legs::listen`].
    pub(super) fn insert(&mut self, leg: Leg) -> u32 {
        let (id, port) = (leg.stream.leg, leg.port);
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.legs.push(None);
                (self.legs.len() - 1) as u32
            }
        };
        self.legs[index as usize] = Some(leg);
        self.by_id.insert(id, index);
        self.ports[port].legs += 1;
        index
    }

    /// Takes a leg out.
    pub(super) fn remove(&mut self, id: LegId) {
        let Some(index) = self.index(id) else { return };
        self.deafen(index);
        self.by_id.remove(&id);
        if let Some(leg) = self.legs[index as usize].take() {
            self.ports[leg.port].legs -= 1;
            self.free.push(index);
        }
    }

    /// Moves a leg to another port.
    pub(super) fn change_port(&mut self, index: u32, port: usize) {
        if let Some(leg) = self.legs[index as usize].as_mut() {
            self.ports[leg.port].legs -= 1;
            self.ports[port].legs += 1;
            leg.port = port;
        }
    }

    /// Makes a leg found by its port and remote address, and by any source if it is still to latch on.
    pub(super) fn listen(&mut self, index: u32, latching: bool) {
        let Some(leg) = self.leg(index) else { return };
        let (at, source) = (leg.port, key(leg.remote));
        let port = &mut self.ports[at];
        port.by_source.insert(source, index);
        if latching {
            port.latching = Some(index);
        }
    }

    /// Undoes [`Legs::listen`].
    pub(super) fn deafen(&mut self, index: u32) {
        let Some(leg) = self.leg(index) else { return };
        let (at, source) = (leg.port, key(leg.remote));
        let port = &mut self.ports[at];
        // Another leg that was given the same pair since then keeps it.
        if port.by_source.get(&source) == Some(&index) {
            port.by_source.remove(&source);
        }
        port.latching = port.latching.filter(|&latching| latching != index);
    }

    /// Who sent a packet that came to the port at this position.
    pub(super) fn sender(&self, port: usize, source: SocketAddr) -> Sender {
        let Some(port) = self.ports.get(port) else { return Sender::Stray };
        match (port.latching, port.by_source.get(&key(source))) {
            (None, Some(&leg)) => Sender::Leg(leg),
            (Some(leg), _) => Sender::Latching(leg),
            (None, None) if port.legs > 0 => Sender::Wrong,
            (None, None) => Sender::Stray,
        }
    }
}

impl Leg {
    /// Whether packets may be sent to it: never to 0.0.0.0, the hold of old (RFC 3264, 8.4), nor to port 0.
    pub(super) fn can_hear(&self) -> bool {
        let nowhere = self.remote.ip().is_unspecified() || self.remote.port() == 0;
        self.stream.direction.sends() && !nowhere
    }

    /// Turns audio of this leg's codec into the other's, in place.
    pub(super) fn transcode(&self, audio: &mut [u8], to: Codec) {
        let table = match (self.stream.codec, to) {
            (Codec::Pcma, Codec::Pcmu) => &ALAW_TO_MULAW,
            (Codec::Pcmu, Codec::Pcma) => &MULAW_TO_ALAW,
            (Codec::Pcma, Codec::Pcma) | (Codec::Pcmu, Codec::Pcmu) => return,
        };
        for byte in audio {
            *byte = table[usize::from(*byte)];
        }
    }
}

impl Playing {
    /// Fills a frame with what comes next; the number of the announcement that is over with it, if one is.
    pub(super) fn fill(&mut self, frame: &mut [u8], codec: Codec) -> Option<u32> {
        match (&mut self.saying, &mut self.list) {
            (Some(saying), _) => {
                saying.list.fill(frame, codec);
                let over = saying.list.spent().then_some(saying.id)?;
                self.saying = None;
                Some(over)
            }
            (None, Some(list)) => {
                list.fill(frame, codec);
                None
            }
            (None, None) => None,
        }
    }

    /// Whether a leg has nothing more to hear of clips; without a partner it hears silence after a list.
    pub(super) fn ended(&self, bridged: bool) -> bool {
        let list_ended = self.list.as_ref().is_none_or(|list| bridged && list.ended());
        self.saying.is_none() && list_ended
    }
}

impl Keys {
    /// Takes a packet of telephone events.
    pub(super) fn take(&mut self, packet: &Packet<'_>, now: Mono) -> Heard {
        let digit = match self.decoder.decode(&packet.header, packet.payload) {
            Ok(Some(digit)) if self.listening => digit,
            Ok(_) => return Heard::Nothing,
            Err(_) => return Heard::Malformed,
        };
        let second = now.0 / 1_000_000;
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 += 1;
        if self.second.1 > MOST_PRESSES { Heard::Flood } else { Heard::Press(digit) }
    }
}

/// A source address as it is compared: an IPv4 address is the same when seen through an IPv6 socket.
fn key(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}
