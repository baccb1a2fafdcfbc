//! Where SIP is spoken, and what came and went there since the start.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Serialize;

/// All listeners, and what was counted of them together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Transports {
    /// In the order of the configuration.
    pub listeners: Vec<Listener>,
    /// What was counted over UDP.
    pub datagrams: Datagrams,
    /// What was counted over TCP.
    pub streams: Streams,
    /// Messages that the front door dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Messages that the front door answered by itself, by status.
    pub refused: BTreeMap<u16, u64>,
}

/// One address that is listened on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// `UDP` or `TCP`.
    pub transport: &'static str,
    /// What is bound.
    pub address: SocketAddr,
    /// What peers are told.
    pub advertised: SocketAddr,
    /// Connections that are open, whoever opened them; `None` where there is no such thing.
    pub connections: Option<usize>,
}

/// Datagrams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Datagrams {
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
    /// INVITEs and CANCELs that were dropped because too many waited.
    pub crowded_out: u64,
    /// Those that the kernel did not take.
    pub unsent: u64,
}

/// Connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Streams {
    /// Messages dropped, and their connections closed, because the peer did not read.
    pub choked: u64,
    /// Connections closed for broken framing.
    pub broken: u64,
}
