//! One request that came in: its machine, where its responses go and under which keys it is found.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::index::Key;
use super::invite_server::InviteServer;
use super::keys::tag_of;
use super::server::Server;
use super::timers::{Life, Step, Timer, TxId};
use super::{ServerTx, Transactions};
use crate::sip::Flow;
use crate::sip::message::Response;
use crate::time::Mono;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Served {
    pub(super) reply_path: Flow,
    pub(super) branch_key: Key,
    pub(super) request_key: Option<Key>,
    /// The To tag of the latest response that had one.
    pub(super) tag: Option<Box<str>>,
    pub(super) machine: Machine,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Machine {
    Invite(InviteServer),
    Other(Server),
}

impl Served {
    /// Whether a final response is still to be sent.
    pub(super) fn is_open(&self) -> bool {
        match &self.machine {
            Machine::Invite(machine) => machine.is_open(),
            Machine::Other(machine) => machine.is_open(),
        }
    }

    /// Whether the same request by another path would do its work twice (RFC 3261, 8.2.2.2). A refused one would
    /// not: a proxy that tries its next target may well find us again.
    pub(super) fn is_ongoing(&self) -> bool {
        match &self.machine {
            Machine::Invite(machine) => machine.is_alive(),
            Machine::Other(machine) => machine.is_open(),
        }
    }

    pub(super) fn repeated(&self, step: &mut Step<'_>) {
        match &self.machine {
            Machine::Invite(machine) => machine.repeated(step),
            Machine::Other(machine) => machine.repeated(step),
        }
    }

    pub(super) fn fire(&mut self, tx: ServerTx, timer: Timer, at: Mono, step: &mut Step<'_>) -> Life {
        match &mut self.machine {
            Machine::Invite(machine) => machine.fire(tx, timer, at, step),
            Machine::Other(machine) => machine.fire(timer),
        }
    }

    fn respond(&mut self, code: u16, bytes: Bytes, step: &mut Step<'_>) -> Life {
        match &mut self.machine {
            Machine::Invite(machine) => {
                machine.respond(code, bytes, step);
                Life::GoesOn
            }
            Machine::Other(machine) => machine.respond(code, bytes, step),
        }
    }
}

impl Transactions {
    /// Answers a request: provisionally, as often as wanted, or finally, once; what comes after a final response
    /// is ignored. A response other than 100 that has no To tag is given one, the same for the whole transaction.
    /// A 2xx to an INVITE is repeated until its ACK comes, or for 64*T1.
    pub fn respond(&mut self, tx: ServerTx, mut response: Response, now: Mono) {
        self.handle_timeout(now);
        let Some(served) = self.servers.get_mut(&tx) else { return };
        if !served.is_open() {
            return;
        }
        let code = response.code;
        if code != 100 {
            if response.headers.to_tag().is_none() {
                response
                    .set_to_tag(served.tag.get_or_insert_with(|| tag_of(served.branch_key.bytes()).into()));
            } else if response.headers.to_tag() != served.tag.as_deref() {
                served.tag = response.headers.to_tag().map(Box::from);
            }
        }
        let mut step = self.effects.step(TxId::Server(tx), served.reply_path, now);
        let life = served.respond(code, response.to_bytes(), &mut step);
        if life == Life::Ends {
            self.forget_server(tx);
        } else if !served.is_ongoing()
            && matches!(served.machine, Machine::Other(_))
            && let Some(key) = served.request_key.take()
        {
            // Answered: a copy by another path does no harm any more.
            self.by_request.remove(&key, tx);
        }
    }

    /// Removes a transaction whose deadlines its machine has stopped.
    pub(super) fn forget_server(&mut self, tx: ServerTx) {
        let Some(served) = self.servers.remove(&tx) else { return };
        self.by_branch.remove(&served.branch_key, tx);
        if let Some(key) = served.request_key {
            self.by_request.remove(&key, tx);
        }
    }
}
