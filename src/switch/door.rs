//! From bytes to requests: the front door, and the checks that every request must pass.

use std::time::Duration;

use bytes::Bytes;

use super::plan::may_be_emergency;
use super::{Output, Switch, waits};
use crate::call::leg::Leg;
use crate::sip::Flow;
use crate::sip::message::{Message, Method, Request, Response};
use crate::sip::transaction::ServerTx;
use crate::sip::wire::{self, Accepted, Essentials, Framer, Start, Verdict};

/// Methods that this switch serves, as written into Allow.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REFER";

impl Switch {
    pub(super) fn datagram(&mut self, flow: Flow, bytes: &Bytes, waited: Duration) {
        let verdict = wire::inspect(bytes, flow.remote, &self.limits);
        let invite = match &verdict {
            Verdict::Accept(accepted) => accepted.start() == Start::Request { method: Method::Invite },
            _ => false,
        };
        let routine = invite && !may_be_emergency(&self.plan.ingress, flow.remote.ip());
        self.shed.observe(routine.then_some(waited), self.now.mono);
        if routine
            && !self.shed.is_idle(waited)
            && let Verdict::Accept(accepted) = &verdict
            && self.shed_call(flow, accepted, waited)
        {
            return;
        }
        self.admit(flow, verdict);
    }

    /// Turns a new call of routine away for load, before its message is built; says whether it did.
    fn shed_call(&mut self, flow: Flow, accepted: &Accepted, waited: Duration) -> bool {
        let turned = self.is_known(flow)
            && self.shed.refuses(digest(&accepted.essentials()), waited, self.now.mono)
            && self.transactions.turn_away(flow, accepted);
        self.counters.shed += u64::from(turned);
        turned
    }

    pub(super) fn chunk(&mut self, flow: Flow, bytes: &Bytes) {
        let limits = self.limits;
        let framer = self.framers.entry(flow).or_insert_with(|| Framer::new(flow.remote, limits));
        let mut verdicts = Vec::new();
        let mut broken = framer.push(bytes).is_err();
        for framed in framer.by_ref() {
            match framed {
                Ok(verdict) => verdicts.push(verdict),
                Err(_) => {
                    broken = true;
                    break;
                }
            }
        }
        for verdict in verdicts {
            self.admit(flow, verdict);
        }
        if broken {
            self.counters.broken_streams += 1;
            self.framers.remove(&flow);
            self.outputs.push_back(Output::Close { flow });
            self.transactions.transport_failed(flow, self.now.mono);
        }
    }

    pub(super) fn closed(&mut self, flow: Flow) {
        self.framers.remove(&flow);
        self.lose_connections(Some(flow));
        self.transactions.transport_failed(flow, self.now.mono);
    }

    /// A connection is gone, or with `None` every one, for all dialogs: also those of calls that are over.
    pub(super) fn lose_connections(&mut self, gone: Option<Flow>) {
        let legs = self.legs.values_mut().filter_map(Leg::dialog);
        let over = self.farewells.values_mut().chain(self.reinvited.values_mut()).map(|dialog| &mut **dialog);
        legs.chain(over).for_each(|dialog| dialog.lose_connection(gone));
    }

    fn admit(&mut self, flow: Flow, verdict: Verdict) {
        match verdict {
            Verdict::Accept(accepted) => self.accepted(flow, accepted),
            Verdict::Answer(refusal) => {
                *self.counters.refused.entry(refusal.code).or_default() += 1;
                self.outputs.push_back(Output::Send { flow, bytes: refusal.response });
            }
            Verdict::Drop(reason) => self.count_drop(reason.to_string()),
            Verdict::KeepAlive => {
                // RFC 5626, 4.4.1: a double CRLF on a stream is answered with a single one.
                if flow.transport.is_reliable() {
                    self.outputs.push_back(Output::Send { flow, bytes: Bytes::from_static(b"\r\n") });
                }
            }
        }
    }

    fn accepted(&mut self, flow: Flow, accepted: Accepted) {
        if let Start::Request { method } = accepted.start()
            && method != Method::Ack
            && method != Method::Cancel
            && !self.is_known(flow)
        {
            // A peer's proxy may speak from an address of its own, but only within a dialog that stands.
            match accepted.essentials().to_tag {
                None => return self.turn_stranger_away(flow, accepted, 403),
                Some(tag) if !self.by_tag.contains_key(tag) => {
                    return self.turn_stranger_away(flow, accepted, 481);
                }
                Some(_) => {}
            }
        }
        if let Err(reason) = self.transactions.receive(flow, accepted, self.now.mono) {
            self.count_drop(reason.to_string());
        }
    }

    /// Whether anything at this address may speak to us unasked: a trunk, or an agent's phone.
    fn is_known(&self, flow: Flow) -> bool {
        let source = flow.remote.ip();
        self.phone_hosts.contains(&source) || self.plan.ingress.knows(source)
    }

    /// Answers a stranger without keeping any state for it (RFC 3261, 8.2.7).
    fn turn_stranger_away(&mut self, flow: Flow, accepted: Accepted, code: u16) {
        let Ok(Message::Request(request)) = accepted.message() else {
            return self.count_drop("unreadable".to_owned());
        };
        if request.method == Method::Invite && code == 403 {
            self.counters.unknown_source += 1;
        }
        let mut response = request.response(code);
        response.set_to_tag("stranger");
        self.outputs.push_back(Output::Send { flow, bytes: response.to_bytes() });
    }

    fn count_drop(&mut self, reason: String) {
        *self.counters.dropped.entry(reason).or_default() += 1;
    }

    /// A new request: to a dialog, or to the switch itself.
    pub(super) fn request(&mut self, tx: ServerTx, flow: Flow, request: Request) {
        if let Some(unsupported) = unsupported(&request) {
            let mut response = request.response(420);
            response.headers.push("Unsupported", unsupported);
            return self.reply(tx, response);
        }
        if request.headers.to_tag().is_some() {
            return self.in_dialog(tx, flow, request);
        }
        match request.method {
            Method::Invite => self.arrive(tx, flow, request),
            Method::Options => {
                let mut response = request.response(200);
                response.headers.push("Allow", ALLOW);
                response.headers.push("Accept", "application/sdp");
                if let Some(wait) = self.wait_to_report(flow, &request) {
                    response.headers.push(waits::HEADER, wait.to_string());
                }
                self.reply(tx, response);
            }
            Method::Bye | Method::Info => self.reply(tx, request.response(481)),
            Method::Refer => self.refuse_refer(tx, &request),
            _ => self.reply_not_allowed(tx, &request),
        }
    }

    /// Refuses a method that is known but not served, and says which are.
    pub(super) fn reply_not_allowed(&mut self, tx: ServerTx, request: &Request) {
        let mut response = request.response(405);
        response.headers.push("Allow", ALLOW);
        self.reply(tx, response);
    }

    /// Sends a response, with a To tag of ours where it has none yet.
    pub(super) fn reply(&mut self, tx: ServerTx, mut response: Response) {
        if response.code > 100 && response.headers.to_tag().is_none() {
            response.set_to_tag(&self.rng.token());
        }
        self.transactions.respond(tx, response, self.now.mono);
    }
}

/// Tells one INVITE from others: FNV-1a of its Call-ID and branch.
fn digest(essentials: &Essentials<'_>) -> u64 {
    let bytes = essentials.call_id.bytes().chain(essentials.branch.unwrap_or_default().bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The option tags that a request requires; none is supported here (RFC 3261, 8.2.2.3).
fn unsupported(request: &Request) -> Option<String> {
    let required: Vec<_> = request.headers.values("Require").collect();
    (!required.is_empty()).then(|| required.join(", "))
}
