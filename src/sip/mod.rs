//! SIP as bytes in and bytes out: the front door, messages, transactions, dialogs, SDP,
//! keys.
//!
//! Nothing here opens a socket or reads a clock. A hostile peer gets a 4xx or is dropped and counted;
//! no input panics.

pub mod dialog;
mod grammar;
mod host;
pub mod info;
pub mod message;
pub mod name_addr;
pub mod sdp;
mod session;
pub mod transaction;
pub mod uri;
pub mod via;
pub mod wire;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A transport protocol of SIP.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Transport {
    /// Datagrams; retransmission is ours.
    Udp,
    /// A stream, framed by Content-Length.
    Tcp,
}

impl Transport {
    /// Whether the transport itself retransmits (RFC 3261, 17).
    pub fn is_reliable(self) -> bool {
        self == Transport::Tcp
    }

    /// As written in a Via header.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        }
    }
}

/// Which listening address of this host, by its position in the configuration.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ListenerId(pub u8);

/// A path to a peer: over which listener and to or from which address.
///
/// For TCP it names the connection with that remote address; a sender opens one when there is none.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// The transport protocol.
    pub transport: Transport,
    /// The local end.
    pub listener: ListenerId,
    /// The remote end.
    pub remote: SocketAddr,
}

/// A local SIP address as peers must see it, by [`ListenerId`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// The transport protocol.
    pub transport: Transport,
    /// Written into Via and Contact: where peers reach this listener.
    pub advertised: SocketAddr,
}
