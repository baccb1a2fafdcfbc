//! What the transaction layer counts; plain numbers, read by whoever reports them.

use serde::{Deserialize, Serialize};

/// Counts since the start.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests that came again and were absorbed, CANCELs included.
    pub repeated_requests: u64,
    /// ACKs of a non-2xx, and repeated ACKs, absorbed.
    pub absorbed_acks: u64,
    /// Responses that came again or too late and were absorbed.
    pub repeated_responses: u64,
    /// Messages that our timers sent again.
    pub retransmitted: u64,
    /// Responses that match no transaction, dropped.
    pub stray_responses: u64,
    /// ACKs that match no transaction, dropped.
    pub stray_acks: u64,
    /// CANCELs that match no INVITE, answered 481.
    pub stray_cancels: u64,
    /// Requests that came by a second path, answered 482.
    pub merged: u64,
    /// New requests for which there was no room, answered 503.
    pub refused: u64,
    /// Transactions that ended without a final response or without an ACK of a non-2xx.
    pub timed_out: u64,
    /// 2xx that were never acknowledged.
    pub unacknowledged: u64,
    /// Client transactions that ended with their connection.
    pub transport_failures: u64,
}
