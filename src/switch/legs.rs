//! Legs as such: responses to what we asked, hanging up, letting go.

use crate::call::Stage;
use crate::call::leg::{Leg, Negotiation, Side, State};
use crate::call::media::{self, Command};
use crate::call::record::EndedBy;
use crate::id::{AgentId, CallId, LegId};
use crate::sip::Flow;
use crate::sip::dialog::Dialog;
use crate::sip::message::{Method, Request, Response};
use crate::sip::name_addr::NameAddr;
use crate::sip::transaction::{ClientTx, ServerTx};
use crate::sip::uri::Uri;

use super::{Ask, Peer, Switch, Timer};

/// How long a silent leg's peer may take to say that its dialog still stands.
const PROBE_FOR: std::time::Duration = std::time::Duration::from_secs(4);

impl Switch {
    /// The address that peers must see on a flow's listener.
    pub(super) fn advertised(&self, flow: Flow) -> std::net::SocketAddr {
        let listeners = &self.plan.sip.listeners;
        let listener = listeners.get(usize::from(flow.listener.0)).or(listeners.first());
        listener.map_or(flow.remote, |listener| listener.advertised)
    }

    /// A request of ours outside of any dialog (RFC 3261, 8.1.1), with a Call-ID and a From tag of its own.
    pub(super) fn new_request(
        &mut self,
        method: Method,
        uri: Uri,
        mut from: NameAddr,
        hops: u8,
        flow: Flow,
    ) -> Request {
        let (token, tag) = (self.rng.token(), self.rng.token());
        from.set_tag(&tag);
        let mut request = Request::new(method, uri.clone());
        let headers = &mut request.headers;
        headers.push("Max-Forwards", hops.to_string());
        headers.push("From", from.text());
        headers.push("To", NameAddr::new(uri).text());
        headers.push("Call-ID", format!("{token}@{}", self.advertised(flow).ip()));
        headers.push("CSeq", format!("1 {method}"));
        request
    }

    /// Sends a request of ours, from the listener of its flow.
    pub(super) fn ask(&mut self, request: Request, flow: Flow) -> ClientTx {
        let sent_by = self.advertised(flow);
        self.transactions.request(request, flow, sent_by, &mut self.rng, self.now.mono)
    }

    /// Sends the ACK of a 2xx to our INVITE.
    pub(super) fn send_ack(&mut self, tx: ClientTx, ack: Request, flow: Flow) {
        let sent_by = self.advertised(flow);
        self.transactions.ack(tx, ack, flow, sent_by, &mut self.rng, self.now.mono);
    }

    /// The leg at the other end of the bridge, while one stands.
    pub(super) fn across(&self, id: LegId) -> Option<LegId> {
        self.calls.get(&self.legs.get(&id)?.call)?.across(id)
    }

    pub(super) fn response(&mut self, tx: ClientTx, flow: Flow, response: Response) {
        if let Some(dialog) = self.reinvited.get(&tx).filter(|_| response.is_final()) {
            let ack =
                response.headers.cseq().filter(|_| response.is_success()).map(|(seq, _)| dialog.ack(seq));
            let flow = dialog.flow();
            self.reinvited.remove(&tx);
            return ack.into_iter().for_each(|ack| self.send_ack(tx, ack, flow));
        }
        match self.client_txs.get(&tx).copied() {
            Some(Ask::Invite(leg)) => self.phone_responds(tx, leg, &response),
            Some(Ask::Reinvite(leg)) => self.reinvite_answered(tx, leg, &response),
            Some(Ask::Health(agent)) if response.code >= 200 => {
                self.client_txs.remove(&tx);
                self.peer_says(Peer::Phone(agent), response.code);
                self.take_report(agent, flow, &response);
            }
            Some(Ask::TrunkHealth(trunk)) if response.code >= 200 => {
                self.client_txs.remove(&tx);
                self.peer_says(Peer::Trunk(trunk), response.code);
            }
            Some(Ask::Probe(leg)) if response.code >= 200 => {
                self.forget_ask(tx, leg);
                self.deadlines.clear(Timer::Probe(leg));
                if matches!(response.code, 408 | 481) {
                    self.peer_is_dead(leg);
                } else if let Some(leg) = self.legs.get(&leg)
                    && let Some(stream) = leg.stream()
                {
                    // Setting the stream anew starts the watch over it anew.
                    self.media(leg.audio.thread, Command::Set(stream));
                }
            }
            None if response.is_success() => self.hang_up_fork(tx, &response),
            _ => {}
        }
    }

    pub(super) fn request_failed(&mut self, tx: ClientTx) {
        match self.client_txs.remove(&tx) {
            Some(Ask::Invite(leg)) => self.invite_failed(leg),
            Some(Ask::Reinvite(leg) | Ask::Probe(leg)) => self.peer_is_dead(leg),
            Some(Ask::Health(agent)) => self.peer_failed(tx, Peer::Phone(agent)),
            Some(Ask::TrunkHealth(trunk)) => self.peer_failed(tx, Peer::Trunk(trunk)),
            None => drop(self.reinvited.remove(&tx)),
        }
    }

    pub(super) fn media_event(&mut self, event: media::Event) {
        match event {
            media::Event::Dead { leg, .. } => self.probe(leg),
            media::Event::Said { leg, id } => self.said(leg, id),
            media::Event::Digit { leg, digit } => self.pressed(leg, digit),
        }
    }

    /// Asks a silent leg's peer whether the dialog still stands: silence alone is no reason to cut a caller off.
    fn probe(&mut self, leg: LegId) {
        if self.deadlines.at(Timer::Probe(leg)).is_some() {
            return;
        }
        let Some(dialog) = self.legs.get_mut(&leg).and_then(Leg::dialog) else { return };
        let (request, flow) = (dialog.request(Method::Options), dialog.flow());
        let tx = self.ask(request, flow);
        self.remember_ask(tx, Ask::Probe(leg));
        self.deadlines.set(Timer::Probe(leg), self.now.mono + PROBE_FOR);
    }

    /// A leg's peer is gone: the caller's ends the call, an agent's puts the caller back in line.
    pub(super) fn peer_is_dead(&mut self, leg: LegId) {
        let Some(&Leg { call, side, .. }) = self.legs.get(&leg) else { return };
        match side {
            Side::Caller => self.end_call(call, EndedBy::DeadPeer),
            Side::Agent(agent) => self.agent_is_gone(call, leg, agent, EndedBy::DeadPeer),
            Side::Code(_) => self.hang_up(leg),
        }
    }

    /// The leg of an agent who has answered is lost: its caller waits again, or the patient is dialled no more.
    fn agent_is_gone(&mut self, id: CallId, leg: LegId, agent: AgentId, why: EndedBy) {
        match self.calls.get(&id).map(|call| &call.stage) {
            Some(Stage::Talking { leg: talking, .. }) if *talking == leg => {
                self.put_back(id, leg, agent, why)
            }
            Some(Stage::Dialling { leg: waiting, .. }) if *waiting == leg => {
                self.agent_left(id, leg, agent, why)
            }
            Some(Stage::Parting { leg: parting, .. }) if *parting == leg => self.end_call(id, why),
            _ => {
                self.left_behind(id, leg, None);
                self.hang_up(leg)
            }
        }
    }

    /// Ends a leg in whatever way its state demands: CANCEL, BYE, or nothing.
    pub(super) fn hang_up(&mut self, leg: LegId) {
        if let Some(Leg { state: State::Inviting { .. }, .. }) = self.legs.get(&leg) {
            return self.silence_phone(leg);
        }
        let unacknowledged = self.unacknowledged(leg);
        let Some(Leg { state: State::Up { dialog, .. }, .. }) = self.drop_leg(leg) else { return };
        match unacknowledged {
            // RFC 3261, 15: no BYE before the ACK of our 2xx, or the end of waiting for it.
            Some(tx) => drop(self.farewells.insert(tx, dialog)),
            None => self.say_bye(*dialog),
        }
    }

    /// The peer's INVITE whose 2xx of ours has no ACK yet.
    fn unacknowledged(&self, leg: LegId) -> Option<ServerTx> {
        let leg = self.legs.get(&leg)?;
        let pending = match &leg.state {
            State::Up { negotiation: Negotiation::Asked { tx, .. }, .. } => Some(*tx),
            _ => None,
        };
        leg.owed.iter().copied().find(|&tx| Some(tx) != pending)
    }

    /// Takes out the dialog of a call that is over, whose BYE waits, if this request belongs to one.
    pub(super) fn farewell(&mut self, request: &Request) -> Option<Dialog> {
        let (&tx, _) = self.farewells.iter().find(|(_, dialog)| dialog.matches(request))?;
        self.farewells.remove(&tx).map(|dialog| *dialog)
    }

    pub(super) fn say_bye(&mut self, mut dialog: Dialog) {
        let (bye, flow) = (dialog.request(Method::Bye), dialog.flow());
        let tx = self.ask(bye, flow);
        self.transactions.disregard(tx);
    }

    /// Acknowledges and at once ends the dialog of another fork's 2xx to our INVITE, whether or not the first one's
    /// still stands (RFC 3261, 13.2.2.4).
    pub(super) fn hang_up_fork(&mut self, tx: ClientTx, response: &Response) {
        let Some(flow) = self.transactions.flow_of(tx) else { return };
        let headers = &response.headers;
        let (Some((seq, Method::Invite)), Some(to)) = (headers.cseq(), headers.to()) else { return };
        let mut invite = Request::new(Method::Invite, to.uri().clone());
        for name in ["From", "Call-ID", "CSeq"] {
            invite.headers.push(name, headers.value(name).unwrap_or_default());
        }
        invite.headers.push("Contact", NameAddr::new(self.contact(flow)).to_string());
        let Ok(mut fork) = Dialog::calling(&invite, response, flow) else { return };
        if self.plan.phones.iter().any(|phone| phone.nat && phone.flow == flow) {
            fork.stay_on_flow();
        }
        self.send_ack(tx, fork.ack(seq), fork.flow());
        self.say_bye(fork);
    }

    /// Notes why a request was sent, so that its response finds the leg.
    pub(super) fn remember_ask(&mut self, tx: ClientTx, ask: Ask) {
        self.client_txs.insert(tx, ask);
        if let Ask::Invite(leg) | Ask::Reinvite(leg) | Ask::Probe(leg) = ask
            && let Some(leg) = self.legs.get_mut(&leg)
        {
            leg.asked.push(tx);
        }
    }

    /// The request has its final response.
    pub(super) fn forget_ask(&mut self, tx: ClientTx, leg: LegId) {
        self.client_txs.remove(&tx);
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.asked.retain(|&asked| asked != tx);
        }
    }

    /// Notes an INVITE of the peer that is not over for us.
    pub(super) fn remember_owed(&mut self, tx: ServerTx, leg: LegId) {
        self.server_txs.insert(tx, leg);
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.owed.push(tx);
        }
    }

    /// The peer's INVITE is over.
    pub(super) fn forget_owed(&mut self, tx: ServerTx, leg: LegId) {
        self.server_txs.remove(&tx);
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.owed.retain(|&owed| owed != tx);
        }
    }

    /// Forgets a leg: its media, its port, its deadlines and every way to find it.
    pub(super) fn drop_leg(&mut self, id: LegId) -> Option<Leg> {
        let leg = self.legs.remove(&id)?;
        let timers = [Timer::Unreachable(id), Timer::Probe(id), Timer::Reinvite(id), Timer::Resume(id)];
        for timer in timers.into_iter().chain([Timer::CodeCall(id), Timer::Unanswered(id)]) {
            self.deadlines.clear(timer);
        }
        if let State::Up { dialog, negotiation, .. } = &leg.state {
            self.by_tag.remove(dialog.local_tag());
            match negotiation {
                // RFC 3261, 15.1.2: what is pending in a dialog that ends gets a 487.
                Negotiation::Asked { tx, request, .. } => self.reply(*tx, request.response(487)),
                // The peer owes one to ours, and may have accepted it instead.
                Negotiation::Offered { tx, .. } if self.transactions.flow_of(*tx).is_some() => {
                    self.transactions.cancel(*tx, self.now.mono);
                    self.reinvited.insert(*tx, dialog.clone());
                }
                _ => {}
            }
        }
        for tx in &leg.asked {
            self.client_txs.remove(tx);
        }
        for tx in &leg.owed {
            self.server_txs.remove(tx);
        }
        let thread = leg.audio.thread;
        if leg.audio.agreed.is_some() {
            self.media(thread, Command::Close { leg: id });
        }
        if let Some(ports) = self.ports.get_mut(usize::from(thread)) {
            ports.release(leg.audio.held);
        }
        Some(leg)
    }
}
