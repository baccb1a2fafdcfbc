//! RTP as bytes in and bytes out: packets (RFC 3550), G.711 (ITU-T G.711), keys (RFC 4733), and one steady
//! outgoing stream.
//!
//! Nothing here opens a socket, reads a clock or knows a call; `media` on floor 4 does the moving.

pub mod dtmf;
pub mod g711;
pub mod outgoing;
pub mod packet;

pub use outgoing::{Outgoing, Stamp};
pub use packet::{Datagram, HEADER_LEN, Header, Malformed, Packet};

/// Samples a second of every encoding used here (RFC 3551, 4.5.14).
pub const CLOCK_HZ: u32 = 8_000;

/// Samples, and bytes of G.711, in one frame of 20 ms.
pub const FRAME: usize = 160;
