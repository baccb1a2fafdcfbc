//! One request that we sent: its machine and its branch, and what the core above does with it.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::invite_client::{Heard, InviteClient};
use super::keys::{COOKIE, unique_part};
use super::timers::{Life, Timer, TxId};
use super::{ClientTx, Event, Failure, Transactions};
use crate::rng::Rng;
use crate::sip::Flow;
use crate::sip::message::{Method, Request};
use crate::sip::via::Via;
use crate::time::Mono;

/// The random part of a branch of ours, and whether it is that of a CANCEL, which shares its INVITE's.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct BranchToken {
    #[serde(with = "crate::octets")]
    random: [u8; 13],
    is_cancel: bool,
}

impl BranchToken {
    /// Of the branch of a response, when it can be one of ours.
    pub(super) fn of(branch: Option<&str>, method: Method) -> Option<BranchToken> {
        let random = unique_part(branch)?.as_bytes().try_into().ok()?;
        Some(BranchToken { random, is_cancel: method == Method::Cancel })
    }

    fn fresh(rng: &mut Rng) -> BranchToken {
        let mut random = [0; 13];
        for (to, from) in random.iter_mut().zip(rng.token().bytes()) {
            *to = from;
        }
        BranchToken { random, is_cancel: false }
    }

    fn of_cancel(self) -> BranchToken {
        BranchToken { is_cancel: true, ..self }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) flow: Flow,
    pub(super) token: BranchToken,
    pub(super) method: Method,
    pub(super) machine: Machine,
    /// The core above wants to hear what comes of it; a CANCEL is this layer's own affair.
    pub(super) is_heard: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Machine {
    Invite(InviteClient),
    Other(Client),
}

impl Transactions {
    /// Sends a request, not an ACK or a CANCEL, by `flow`; its top Via, with `sent_by` and a fresh branch, is added
    /// here.
    pub fn request(
        &mut self,
        mut request: Request,
        flow: Flow,
        sent_by: SocketAddr,
        rng: &mut Rng,
        now: Mono,
    ) -> ClientTx {
        self.handle_timeout(now);
        let token = push_via(&mut request, flow, sent_by, rng);
        let method = request.method;
        let bytes = request.to_bytes();
        self.launch(token, flow, method, now, |step| match method {
            Method::Invite => Machine::Invite(InviteClient::start(request, bytes, step)),
            _ => Machine::Other(Client::start(bytes, step)),
        })
    }

    /// An INVITE that has no final response yet, as it was sent but for its body.
    pub fn invite(&self, tx: ClientTx) -> Option<Arc<Request>> {
        match &self.clients.get(&tx)?.machine {
            Machine::Invite(machine) => machine.invite().cloned(),
            Machine::Other(_) => None,
        }
    }

    /// The core above does not want to hear what comes of a request; its responses are not even built.
    pub fn disregard(&mut self, tx: ClientTx) {
        if let Some(sent) = self.clients.get_mut(&tx) {
            sent.is_heard = false;
        }
    }

    /// Where a request of ours was sent, while it is known.
    pub fn flow_of(&self, tx: ClientTx) -> Option<Flow> {
        self.clients.get(&tx).map(|sent| sent.flow)
    }

    /// Gives an INVITE up (RFC 3261, 9.1): CANCEL goes out now, or after the first provisional response; after a
    /// final one nothing happens. The transaction ends as others do, by a final response, normally 487, or
    /// [`Event::Failed`].
    pub fn cancel(&mut self, tx: ClientTx, now: Mono) {
        self.handle_timeout(now);
        let Some(sent) = self.clients.get_mut(&tx) else { return };
        let Machine::Invite(machine) = &mut sent.machine else { return };
        let mut step = self.effects.step(TxId::Client(tx), sent.flow, now);
        if let Some(cancel) = machine.cancel(&mut step) {
            let (token, flow) = (sent.token, sent.flow);
            self.send_cancel(token, flow, &cancel, now);
        }
    }

    /// Sends the ACK of a 2xx by `flow`, with a top Via of its own, and keeps it to answer repetitions of the 2xx
    /// that has the ACK's To tag.
    pub fn ack(
        &mut self,
        tx: ClientTx,
        mut ack: Request,
        flow: Flow,
        sent_by: SocketAddr,
        rng: &mut Rng,
        now: Mono,
    ) {
        self.handle_timeout(now);
        push_via(&mut ack, flow, sent_by, rng);
        let bytes = ack.to_bytes();
        let mut step = self.effects.step(TxId::Client(tx), flow, now);
        step.send(&bytes);
        if let Some(Sent { machine: Machine::Invite(machine), .. }) = self.clients.get_mut(&tx) {
            machine.keep_ack(ack.headers.to_tag(), flow, bytes);
        }
    }

    /// The connection of `flow` was refused or lost: requests sent by it that have no final response fail.
    ///
    /// Responses are not concerned: the sender opens a connection for them (RFC 3261, 18.2.2).
    pub fn transport_failed(&mut self, flow: Flow, now: Mono) {
        self.handle_timeout(now);
        let on_it = self.by_connection.range((flow, ClientTx(0))..=(flow, ClientTx(u64::MAX)));
        let concerned: Vec<ClientTx> = on_it.map(|&(_, tx)| tx).collect();
        for tx in concerned {
            let Some(sent) = self.clients.get(&tx) else { continue };
            let mut step = self.effects.step(TxId::Client(tx), flow, now);
            let failed = match &sent.machine {
                Machine::Invite(machine) => machine.lose_transport(&mut step),
                Machine::Other(machine) => machine.lose_transport(&mut step),
            };
            if failed {
                self.effects.counters.transport_failures += 1;
                self.fail(tx, Failure::Transport, now);
            }
        }
    }

    /// A response that this transaction does not absorb goes up or, to a CANCEL of ours, no further.
    pub(super) fn heard(&mut self, tx: ClientTx, code: u16, to: &str, now: Mono) {
        let Some(sent) = self.clients.get_mut(&tx) else { return };
        let (flow, token) = (sent.flow, sent.token);
        let mut step = self.effects.step(TxId::Client(tx), flow, now);
        let heard = match &mut sent.machine {
            Machine::Invite(machine) => machine.hear(code, to, &mut step),
            Machine::Other(machine) => match machine.hear(code, &mut step) {
                Life::Ends => Heard::End,
                Life::GoesOn => Heard::Nothing,
            },
        };
        match heard {
            Heard::Nothing => {}
            Heard::Cancel(cancel) => self.send_cancel(token, flow, &cancel, now),
            Heard::End => self.forget_client(tx),
        }
    }

    pub(super) fn fire_client(&mut self, tx: ClientTx, timer: Timer, at: Mono, now: Mono) {
        let Some(sent) = self.clients.get_mut(&tx) else { return };
        let mut step = self.effects.step(TxId::Client(tx), sent.flow, now);
        let fired = match &mut sent.machine {
            Machine::Invite(machine) => machine.fire(timer, at, &mut step),
            Machine::Other(machine) => machine.fire(timer, at, &mut step),
        };
        match fired {
            Ok(Life::GoesOn) => {}
            Ok(Life::Ends) => self.forget_client(tx),
            Err(why) => {
                self.effects.counters.timed_out += 1;
                self.fail(tx, why, now);
            }
        }
    }

    fn fail(&mut self, tx: ClientTx, why: Failure, now: Mono) {
        let Some(sent) = self.clients.get(&tx) else { return };
        if sent.is_heard {
            self.effects.step(TxId::Client(tx), sent.flow, now).raise(Event::Failed { tx, why });
        }
        self.forget_client(tx);
    }

    fn send_cancel(&mut self, token: BranchToken, flow: Flow, cancel: &Request, now: Mono) {
        let bytes = cancel.to_bytes();
        self.launch(token.of_cancel(), flow, Method::Cancel, now, |step| {
            Machine::Other(Client::start(bytes, step))
        });
    }

    fn launch(
        &mut self,
        token: BranchToken,
        flow: Flow,
        method: Method,
        now: Mono,
        start: impl FnOnce(&mut super::Step<'_>) -> Machine,
    ) -> ClientTx {
        let tx = ClientTx(self.next_client);
        self.next_client += 1;
        let machine = start(&mut self.effects.step(TxId::Client(tx), flow, now));
        let is_heard = method != Method::Cancel;
        self.clients.insert(tx, Sent { flow, token, method, machine, is_heard });
        self.by_token.insert(token, tx);
        if flow.transport.is_reliable() {
            self.by_connection.insert((flow, tx));
        }
        tx
    }

    /// Removes a transaction whose deadlines its machine has stopped.
    fn forget_client(&mut self, tx: ClientTx) {
        let Some(sent) = self.clients.remove(&tx) else { return };
        self.by_token.remove(&sent.token);
        self.by_connection.remove(&(sent.flow, tx));
    }
}

/// Adds the top Via, with a fresh branch.
fn push_via(request: &mut Request, flow: Flow, sent_by: SocketAddr, rng: &mut Rng) -> BranchToken {
    let token = BranchToken::fresh(rng);
    let mut branch = String::with_capacity(COOKIE.len() + token.random.len());
    branch.push_str(COOKIE);
    branch.extend(token.random.map(char::from));
    request.headers.push_front("Via", Via::new(flow.transport, sent_by, &branch).text());
    token
}
