//! What comes in: the essentials decide which transaction a message belongs to, and most messages end there
//! without having been built.

use super::index::Key;
use super::invite_server::{Ack, InviteServer};
use super::keys::{BranchKey, request_key, tag_of, unique_part};
use super::outgoing::{self, BranchToken};
use super::reply_path::{complete, fill_in};
use super::served::{Machine, Served};
use super::server::Server;
use super::timers::{Life, TxId};
use super::{Event, Output, ServerTx, Transactions};
use crate::sip::Flow;
use crate::sip::message::{Message, Method, Request};
use crate::sip::wire::{Accepted, DropReason, Essentials, Start};
use crate::time::Mono;

/// What a refused peer is asked to wait before it tries again, in seconds.
const RETRY_AFTER: &str = "5";

impl Transactions {
    /// Takes in a message that the front door accepted, come by `flow`. Strays are counted and dropped.
    ///
    /// # Errors
    /// When the message cannot be built after all; nothing has happened then.
    pub fn receive(&mut self, flow: Flow, accepted: Accepted, now: Mono) -> Result<(), DropReason> {
        self.handle_timeout(now);
        match accepted.start() {
            Start::Response { code } => self.response(flow, code, accepted, now),
            Start::Request { method } => {
                let arrival = Arrival::new(flow, method, accepted)?;
                match method {
                    Method::Ack => self.acknowledgement(arrival, now),
                    Method::Cancel => self.cancellation(arrival, now),
                    _ => self.other_request(arrival, now),
                }
            }
        }
    }

    /// Answers a request that begins something with 503, keeping nothing and building no message; says whether it
    /// did. A repetition of a request in hand is left alone, and so is a peer of RFC 2543.
    pub fn turn_away(&mut self, flow: Flow, accepted: &Accepted) -> bool {
        let Essentials { start: Start::Request { method }, branch, sent_by, to_tag: None, .. } =
            accepted.essentials()
        else {
            return false;
        };
        let (Some(unique), Some(mut via)) = (unique_part(branch), accepted.top_via()) else { return false };
        let mut key = BranchKey::of_branch(unique, sent_by);
        let key = key.for_method(method);
        if self.by_branch.find(key).is_some() {
            return false;
        }
        let (reply_path, _) = complete(flow, &mut via);
        let bytes = accepted.refusal(503, &via, &tag_of(key), ("Retry-After", RETRY_AFTER));
        self.effects.outputs.push_back(Output::Send { flow: reply_path, bytes });
        true
    }

    fn response(&mut self, flow: Flow, code: u16, accepted: Accepted, now: Mono) -> Result<(), DropReason> {
        let essentials = accepted.essentials();
        let token = BranchToken::of(essentials.branch, essentials.cseq_method);
        let Some((tx, sent)) = token
            .and_then(|token| self.by_token.get(&token))
            .and_then(|tx| Some((*tx, self.clients.get(tx)?)))
            .filter(|(_, sent)| sent.method == essentials.cseq_method)
            .filter(|(_, sent)| sent.flow.transport == flow.transport)
        else {
            self.effects.counters.stray_responses += 1;
            return Ok(());
        };
        let mut step = self.effects.step(TxId::Client(tx), sent.flow, now);
        let absorbed = match &sent.machine {
            outgoing::Machine::Invite(machine) => machine.absorb(code, essentials.to_tag, &mut step),
            outgoing::Machine::Other(machine) => !machine.is_open(),
        };
        if absorbed {
            self.effects.counters.repeated_responses += 1;
            return Ok(());
        }
        if !sent.is_heard {
            self.heard(tx, code, "", now);
            return Ok(());
        }
        let Message::Response(response) = accepted.message()? else { return Ok(()) };
        self.heard(tx, code, response.headers.value("To").unwrap_or_default(), now);
        self.raise(Event::Response { tx, flow, response });
        Ok(())
    }

    fn acknowledgement(&mut self, mut arrival: Arrival, now: Mono) -> Result<(), DropReason> {
        let Some(tx) = self.acknowledged_by(&mut arrival) else {
            self.effects.counters.stray_acks += 1;
            return Ok(());
        };
        let Some(Served { reply_path, tag, machine: Machine::Invite(machine), .. }) =
            self.servers.get_mut(&tx)
        else {
            return Ok(());
        };
        let event = match machine.meaning_of_ack(arrival.parts().to_tag == tag.as_deref()) {
            Ack::Unexpected => {
                self.effects.counters.stray_acks += 1;
                return Ok(());
            }
            Ack::OfSuccess => {
                let flow = arrival.flow;
                Some(Event::Ack { tx, flow, request: arrival.into_request()? })
            }
            Ack::OfFailure | Ack::Repeated => {
                self.effects.counters.absorbed_acks += 1;
                None
            }
        };
        let life = machine.acknowledge(&mut self.effects.step(TxId::Server(tx), *reply_path, now));
        if life == Life::Ends {
            self.forget_server(tx);
        }
        if let Some(event) = event {
            self.raise(event);
        }
        Ok(())
    }

    /// The INVITE of an ACK: by branch (RFC 3261, 17.2.3), as it must be for a non-2xx; else, as it must be for
    /// a 2xx, by Call-ID, CSeq and both tags.
    fn acknowledged_by(&self, arrival: &mut Arrival) -> Option<ServerTx> {
        if let Some(tx) = self.by_branch.find(arrival.branch_key.for_method(Method::Invite)) {
            return Some(tx);
        }
        // An INVITE within a dialog came with the To tag that its ACK has; one that began a dialog came with none,
        // and its ACK has that of our response.
        let parts = arrival.parts();
        parts.to_tag?;
        if let Some(tx) = self.by_request.find(&parts.key(Method::Invite)) {
            return Some(tx);
        }
        let tx = self.by_request.find(&Parts { to_tag: None, ..parts }.key(Method::Invite))?;
        (self.servers.get(&tx)?.tag.as_deref() == parts.to_tag).then_some(tx)
    }

    fn cancellation(&mut self, mut arrival: Arrival, now: Mono) -> Result<(), DropReason> {
        if self.absorb(&mut arrival, now) {
            return Ok(());
        }
        let invite = self.by_branch.find(arrival.branch_key.for_method(Method::Invite));
        let branch_key = Key::new(arrival.branch_key.for_method(Method::Cancel));
        let flow = arrival.flow;
        let mut request = arrival.into_request()?;
        let reply_path = fill_in(flow, &mut request);
        let Some((invite, served)) = invite.and_then(|tx| Some((tx, self.servers.get_mut(&tx)?))) else {
            // Without a transaction: were the INVITE overtaken on its way, a repeated CANCEL would still find it.
            self.effects.counters.stray_cancels += 1;
            self.answer_statelessly(reply_path, &request, 481, branch_key.bytes());
            return Ok(());
        };
        // The To tag that the INVITE's own responses have (RFC 3261, 9.2).
        let mut response = request.response(200);
        response.set_to_tag(served.tag.get_or_insert_with(|| tag_of(served.branch_key.bytes()).into()));
        let news = match &mut served.machine {
            Machine::Invite(machine) => machine.cancel(),
            Machine::Other(_) => false,
        };
        let tx = self.admit(Served {
            reply_path,
            branch_key,
            request_key: None,
            tag: None,
            machine: Machine::Other(Server::Trying),
        });
        self.respond(tx, response, now);
        if news {
            self.raise(Event::Cancelled { tx: invite });
        }
        Ok(())
    }

    fn other_request(&mut self, mut arrival: Arrival, now: Mono) -> Result<(), DropReason> {
        if self.absorb(&mut arrival, now) {
            return Ok(());
        }
        let method = arrival.method;
        let flow = arrival.flow;
        let branch_key = Key::new(arrival.branch_key.for_method(method));
        let parts = arrival.parts();
        let begins = parts.to_tag.is_none();
        // Within a dialog only an INVITE is looked for again: by its ACK.
        let request_key = (begins || method == Method::Invite).then(|| parts.key(method));
        let twin = request_key.as_deref().and_then(|key| self.servers.get(&self.by_request.find(key)?));
        let merged = begins && parts.from_tag.is_some() && twin.is_some_and(Served::is_ongoing);
        let has_room = self.has_room(flow);
        let mut request = arrival.into_request()?;
        let reply_path = fill_in(flow, &mut request);
        if !has_room {
            self.effects.counters.refused += 1;
            self.answer_statelessly(reply_path, &request, 503, branch_key.bytes());
            return Ok(());
        }
        let tx = self.admit(Served {
            reply_path,
            branch_key,
            request_key: request_key.filter(|_| !merged).map(|key| Key::new(&key)),
            tag: None,
            machine: match method {
                Method::Invite => Machine::Invite(InviteServer::new()),
                _ => Machine::Other(Server::Trying),
            },
        });
        if merged {
            self.effects.counters.merged += 1;
            self.respond(tx, request.response(482), now);
        } else {
            self.raise(Event::Request { tx, flow, request });
        }
        Ok(())
    }

    /// Deals with a request that came before; says whether it did.
    fn absorb(&mut self, arrival: &mut Arrival, now: Mono) -> bool {
        let key = arrival.branch_key.for_method(arrival.method);
        let Some((tx, served)) = self.by_branch.find(key).and_then(|tx| Some((tx, self.servers.get(&tx)?)))
        else {
            return false;
        };
        self.effects.counters.repeated_requests += 1;
        served.repeated(&mut self.effects.step(TxId::Server(tx), served.reply_path, now));
        true
    }

    fn has_room(&self, flow: Flow) -> bool {
        let reserved =
            if self.known_peers.contains(&flow.remote.ip().to_canonical()) { 0 } else { self.room / 4 };
        self.servers.len() < self.room - reserved
    }

    fn admit(&mut self, served: Served) -> ServerTx {
        let tx = ServerTx(self.next_server);
        self.next_server += 1;
        self.by_branch.insert(served.branch_key.clone(), tx);
        if let Some(key) = &served.request_key {
            self.by_request.insert(key.clone(), tx);
        }
        self.servers.insert(tx, served);
        tx
    }

    fn answer_statelessly(&mut self, flow: Flow, request: &Request, code: u16, branch_key: &[u8]) {
        let mut response = request.response(code);
        response.set_to_tag(&tag_of(branch_key));
        if code == 503 {
            response.headers.push("Retry-After", RETRY_AFTER);
        }
        self.effects.outputs.push_back(Output::Send { flow, bytes: response.to_bytes() });
    }

    fn raise(&mut self, event: Event) {
        self.effects.outputs.push_back(Output::Event(event));
    }
}

/// A request that came in, built only if it had to be.
struct Arrival {
    flow: Flow,
    method: Method,
    branch_key: BranchKey,
    message: Reading,
}

enum Reading {
    Unbuilt(Accepted),
    Built(Request),
}

/// What tells a request apart without its branch.
#[derive(Copy, Clone)]
struct Parts<'a> {
    call_id: &'a str,
    cseq: u32,
    from_tag: Option<&'a str>,
    to_tag: Option<&'a str>,
}

impl Arrival {
    /// Builds the message only for a peer of RFC 2543, which is told by more than the essentials.
    fn new(flow: Flow, method: Method, accepted: Accepted) -> Result<Arrival, DropReason> {
        let Essentials { branch, sent_by, .. } = accepted.essentials();
        if let Some(unique) = unique_part(branch) {
            let branch_key = BranchKey::of_branch(unique, sent_by);
            return Ok(Arrival { flow, method, branch_key, message: Reading::Unbuilt(accepted) });
        }
        let request = build(accepted)?;
        let branch_key = BranchKey::of_old_request(&request);
        Ok(Arrival { flow, method, branch_key, message: Reading::Built(request) })
    }

    fn parts(&self) -> Parts<'_> {
        match &self.message {
            Reading::Unbuilt(accepted) => {
                let Essentials { call_id, cseq, from_tag, to_tag, .. } = accepted.essentials();
                Parts { call_id, cseq, from_tag, to_tag }
            }
            Reading::Built(request) => Parts {
                call_id: request.headers.call_id().unwrap_or_default(),
                cseq: request.headers.cseq().map_or(0, |(number, _)| number),
                from_tag: request.headers.from_tag(),
                to_tag: request.headers.to_tag(),
            },
        }
    }

    fn into_request(self) -> Result<Request, DropReason> {
        match self.message {
            Reading::Unbuilt(accepted) => build(accepted),
            Reading::Built(request) => Ok(request),
        }
    }
}

impl Parts<'_> {
    fn key(&self, method: Method) -> Vec<u8> {
        request_key(self.call_id, self.cseq, method, self.from_tag, self.to_tag)
    }
}

fn build(accepted: Accepted) -> Result<Request, DropReason> {
    match accepted.message()? {
        Message::Request(request) => Ok(request),
        Message::Response(_) => Err(DropReason::Unbuildable),
    }
}
