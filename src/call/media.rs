//! What the core asks of the media threads, and what they report: the waist between calls and packets.
//!
//! A leg's stream is told apart by the local port it was given and the remote address it negotiated.
//! The core never gives two legs the same pair; media threads only look the pair up.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{ClipId, LegId};

pub use crate::audio::{Codec, Digit, Direction};

/// Most clips of one announcement; the longest that [`crate::call::speech`] puts together has fewer.
pub const MOST_SAID: usize = 64;

/// One leg's media as negotiated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Whose it is.
    pub leg: LegId,
    /// The local UDP port, one of the thread's own.
    pub port: u16,
    /// Where to send, and the only source accepted unless `latch` is set.
    pub remote: SocketAddr,
    /// What both directions carry.
    pub codec: Codec,
    /// RTP payload type of `codec` on this leg.
    pub payload_type: u8,
    /// RTP payload type of telephone-event (RFC 4733) on this leg, when agreed.
    pub dtmf: Option<u8>,
    /// Which way media flows.
    pub direction: Direction,
    /// The port is this leg's alone, and the first valid packet's source replaces `remote` (far end behind NAT).
    pub latch: bool,
}

/// The local UDP ports of one media thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadPorts {
    /// Each shared by many legs with different remote addresses.
    pub shared: Vec<u16>,
    /// Used when a remote address is taken on every shared port, and for legs behind NAT (one leg each).
    pub spill: Vec<u16>,
}

/// An order to one media thread; orders to one thread are carried out in sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Creates or replaces the stream of a leg; what it plays and whom it is bridged to stay.
    Set(Stream),
    /// Plays the clips in order to a leg, the last one over and over when `looped`; replaces what it played,
    /// but not what is being said to it, after which it begins.
    /// No clips means silence: frames of the codec's zero level, so that the far end always gets packets.
    Play {
        /// Who hears it.
        leg: LegId,
        /// What, in order.
        clips: Vec<ClipId>,
        /// Whether the last clip repeats.
        looped: bool,
    },
    /// Says the clips in order, at most [`MOST_SAID`], to a leg, in place of an announcement that is not over.
    /// What it plays, or its partner, is not heard meanwhile; what it plays then goes on where it was.
    /// While the leg is on hold the announcement passes unheard, so its end is always reported.
    Say {
        /// Who hears it.
        leg: LegId,
        /// Its number in [`Event::Said`].
        id: u32,
        /// What, in order.
        clips: Vec<ClipId>,
    },
    /// Ends at once what is being said to a leg, if anything.
    Hush {
        /// Who hears no more of it.
        leg: LegId,
    },
    /// Reports the keys pressed on a leg from now on, or no longer; a new bridge ends it for both its legs.
    Listen {
        /// Whose keys.
        leg: LegId,
        /// Whether they are reported.
        on: bool,
    },
    /// Relays between two legs of this thread, both ways; what either played, or was being told, stops.
    Bridge {
        /// One leg.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// Ends the relaying of a leg and its partner, if any; both stay open and hear silence.
    Unbridge {
        /// Either leg.
        leg: LegId,
    },
    /// Forgets a leg and its bridge; packets for it count as strays from now on.
    Close {
        /// Whose stream ends.
        leg: LegId,
    },
}

/// What a media thread reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A leg that should send has sent nothing for the dead-media timeout; said once until it sends again.
    Dead {
        /// Which leg.
        leg: LegId,
        /// For how long nothing came.
        silent_for: Duration,
    },
    /// An announcement came to its end by itself: it was neither replaced nor cut short.
    Said {
        /// Who heard it.
        leg: LegId,
        /// Its number in [`Command::Say`].
        id: u32,
    },
    /// A key was pressed on a leg that is listened to; said when the press begins.
    Digit {
        /// Whose key.
        leg: LegId,
        /// Which.
        digit: Digit,
    },
}
