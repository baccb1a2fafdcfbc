//! Transactions (RFC 3261, 17, as corrected by RFC 6026): what makes one request and its responses a pair
//! over a network that loses, repeats and reorders.
//!
//! [`Transactions`] owns all of them. It absorbs repetitions before any message is built, repeats what goes
//! unanswered, answers CANCEL, merged requests and what goes beyond its room by itself, and passes the rest up
//! as [`Event`]s. It holds no dialogs, opens no socket and reads no clock: each call takes the time, everything
//! to be done comes out of [`Transactions::poll_output`], and [`Transactions::poll_timeout`] says when to wake
//! it. A call first fires the deadlines that are due by its `now`, so a late wake changes no outcome.
//!
//! One file per machine: `invite_server`, `server`, `invite_client`, `client`.

mod client;
mod counters;
mod index;
mod invariants;
mod invite_client;
mod invite_server;
mod keys;
mod outgoing;
mod receive;
mod reply_path;
mod served;
mod server;
#[cfg(test)]
mod tests;
mod timers;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use counters::Counters;

use self::index::Index;
use self::outgoing::{BranchToken, Sent};
use self::served::Served;
use self::timers::{Effects, Life, Step, TxId};
use crate::sip::Flow;
use crate::sip::message::{Request, Response};
use crate::time::Mono;

/// The time constants of RFC 3261, 17.1.1.1.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Round-trip estimate, the first interval of repetition.
    pub t1: Duration,
    /// Longest interval of repetition, but for an INVITE's.
    pub t2: Duration,
    /// Longest life of a message in the network.
    pub t4: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

/// A request that came in, numbered in order of arrival.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServerTx(pub u64);

/// A request that we sent, numbered in order of sending.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientTx(pub u64);

/// What happened, for the core above.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A new request, never an ACK, a CANCEL or a repetition; must be answered by [`Transactions::respond`].
    ///
    /// Its top Via already says where it came from, so [`Request::response`] copies the right one.
    Request {
        /// To answer by.
        tx: ServerTx,
        /// The path it came by, which is not always the one that its responses take.
        flow: Flow,
        /// The request itself.
        request: Request,
    },
    /// The first ACK of a 2xx; repetitions of that 2xx have stopped.
    Ack {
        /// The INVITE that it acknowledges.
        tx: ServerTx,
        /// The path it came by.
        flow: Flow,
        /// The ACK itself.
        request: Request,
    },
    /// A CANCEL of an INVITE that has no final response; it was answered 200. The INVITE is to be answered 487.
    Cancelled {
        /// The INVITE.
        tx: ServerTx,
    },
    /// A response: any provisional one, the first final one, and to an INVITE also the 2xx of each other fork.
    /// A 2xx is to be acknowledged by [`Transactions::ack`]; other finals were.
    Response {
        /// What it answers.
        tx: ClientTx,
        /// The path it came by.
        flow: Flow,
        /// The response itself.
        response: Response,
    },
    /// No final response will come; the transaction is over.
    Failed {
        /// What failed.
        tx: ClientTx,
        /// Why.
        why: Failure,
    },
    /// A 2xx to INVITE was repeated for 64*T1 and never acknowledged; the call is to be ended by BYE.
    Unacknowledged {
        /// The INVITE.
        tx: ServerTx,
    },
}

/// Why a request got no final response.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Failure {
    /// Timer B or F fired, or 64*T1 passed since its CANCEL.
    TimedOut,
    /// The transport refused or lost the connection.
    Transport,
}

/// What is to be done outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Output {
    /// Send a whole message.
    Send {
        /// Where.
        flow: Flow,
        /// What.
        bytes: Bytes,
    },
    /// Tell the core above.
    Event(Event),
}

/// All transactions of one node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transactions {
    effects: Effects,
    servers: BTreeMap<ServerTx, Served>,
    clients: BTreeMap<ClientTx, Sent>,
    /// Server transactions by branch, sent-by and method (17.2.3).
    by_branch: Index,
    /// INVITEs, and other requests that may yet be merged, by From tag, Call-ID, CSeq and To tag.
    by_request: Index,
    /// Client transactions by branch, a CANCEL's apart from its INVITE's (17.1.3).
    by_token: BTreeMap<BranchToken, ClientTx>,
    /// Client transactions on connections that can be lost.
    by_connection: BTreeSet<(Flow, ClientTx)>,
    room: usize,
    known_peers: BTreeSet<IpAddr>,
    next_server: u64,
    next_client: u64,
}

impl Transactions {
    /// How many server transactions there is room for unless [`Transactions::set_room`] says otherwise.
    pub const ROOM: usize = 250_000;

    /// Without any transaction yet.
    pub fn new(timing: Timing) -> Transactions {
        Transactions {
            effects: Effects::new(timing),
            servers: BTreeMap::new(),
            clients: BTreeMap::new(),
            by_branch: Index::default(),
            by_request: Index::default(),
            by_token: BTreeMap::new(),
            by_connection: BTreeSet::new(),
            room: Transactions::ROOM,
            known_peers: BTreeSet::new(),
            next_server: 0,
            next_client: 0,
        }
    }

    /// Limits the server transactions to `room`; a new request beyond it gets a stateless 503. The last quarter
    /// is kept for requests from `known_peers`, so that a flood of strangers shuts nobody else out.
    pub fn set_room(&mut self, room: usize, known_peers: BTreeSet<IpAddr>) {
        self.room = room;
        self.known_peers = known_peers;
    }

    /// What has been counted since the start.
    pub fn counters(&self) -> &Counters {
        &self.effects.counters
    }

    /// How many transactions there are, of both kinds.
    pub fn len(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    /// Whether there is no transaction.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a request of ours still awaits its final response. Costs a step for each client transaction.
    pub fn awaits_response(&self) -> bool {
        self.clients.values().any(|sent| match &sent.machine {
            outgoing::Machine::Invite(machine) => machine.is_open(),
            outgoing::Machine::Other(machine) => machine.is_open(),
        })
    }

    /// The next thing to do outside, in order; to be called until it gives none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.effects.outputs.pop_front()
    }

    /// When [`Transactions::handle_timeout`] is next needed.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.effects.deadlines.next()
    }

    /// Tells when it really is before deadlines fire one by one, each at its own time: repetitions that were missed
    /// until then are not made up for.
    pub fn woken_at(&mut self, now: Mono) {
        self.effects.woken = now;
    }

    /// Time stood still for so long, because nobody was there: every deadline is as much later.
    pub fn stood_still(&mut self, away: Duration) {
        self.effects.deadlines.delay(away);
    }

    /// Fires all deadlines that are due by `now`, each at its own time, in order.
    pub fn handle_timeout(&mut self, now: Mono) {
        while let Some((at, (tx, timer))) = self.effects.deadlines.pop_due(now) {
            match tx {
                TxId::Server(id) => {
                    let Some(served) = self.servers.get_mut(&id) else { continue };
                    let mut step = Step { effects: &mut self.effects, tx, flow: served.reply_path, now };
                    if served.fire(id, timer, at, &mut step) == Life::Ends {
                        self.forget_server(id);
                    }
                }
                TxId::Client(id) => self.fire_client(id, timer, at, now),
            }
        }
    }
}
