//! Requests inside a dialog: BYE, ACK, CANCEL of a re-INVITE, keys by INFO, and what is not served.

use crate::audio::Direction;
use crate::call::Stage;
use crate::call::leg::{Leg, Negotiation, Side, State};
use crate::call::record::EndedBy;
use crate::id::LegId;
use crate::sip::Flow;
use crate::sip::info::{self, BadInfo};
use crate::sip::message::{Method, Request};
use crate::sip::transaction::ServerTx;

use super::arrive::Refusal;
use super::{Switch, arrive, door};

impl Switch {
    pub(super) fn in_dialog(&mut self, tx: ServerTx, flow: Flow, request: Request) {
        let found = self.leg_of(&request);
        let Some((id, dialog)) = found.and_then(|id| Some((id, self.legs.get_mut(&id)?.dialog()?))) else {
            // A BYE that comes instead of the ACK that ours waited for: both sides agree.
            let parted = request.method == Method::Bye && self.farewell(&request).is_some();
            return self.reply(tx, request.response(if parted { 200 } else { 481 }));
        };
        if dialog.accept(&request).is_err() {
            return self.reply(tx, request.response(500));
        }
        dialog.seen_by(flow);
        match request.method {
            Method::Bye => {
                self.reply(tx, request.response(200));
                self.bye(id);
            }
            Method::Invite => self.reinvite(tx, id, request),
            Method::Refer => self.refer(tx, id, &request),
            Method::Options => {
                let mut response = request.response(200);
                response.headers.push("Allow", door::ALLOW);
                self.reply(tx, response);
            }
            Method::Info => self.info(tx, id, &request),
            _ => self.reply_not_allowed(tx, &request),
        }
    }

    /// A key in the body of an INFO counts like one among the sound; only where the leg has agreed to none there, as
    /// some peers send each press both ways.
    fn info(&mut self, tx: ServerTx, id: LegId, request: &Request) {
        let kind = request.headers.value("Content-Type").unwrap_or_default();
        let refusal = match info::press(kind, &request.body) {
            // RFC 6086, 4.2.3: we have asked for no package.
            _ if request.headers.value("Info-Package").is_some() => Refusal::with(469, "Recv-Info", ""),
            Ok(digit) => {
                self.reply(tx, request.response(200));
                let agreed = self.legs.get(&id).and_then(|leg| leg.audio.agreed.as_ref());
                if agreed.is_some_and(|agreed| agreed.dtmf.is_none()) {
                    self.pressed(id, digit);
                }
                return;
            }
            // Some ask in this way whether we are there.
            Err(_) if request.body.is_empty() => return self.reply(tx, request.response(200)),
            Err(BadInfo::Type) => Refusal::with(415, "Accept", info::TYPES),
            Err(BadInfo::Syntax | BadInfo::NoKey) => Refusal::new(400),
        };
        self.reply_refusal(tx, request, refusal);
    }

    /// The leg whose dialog a request belongs to.
    fn leg_of(&mut self, request: &Request) -> Option<LegId> {
        let id = *self.by_tag.get(request.headers.to_tag()?)?;
        self.legs.get_mut(&id)?.dialog()?.matches(request).then_some(id)
    }

    fn bye(&mut self, id: LegId) {
        let Some(&Leg { call, side, .. }) = self.legs.get(&id) else { return };
        let leg = self.drop_leg(id);
        match side {
            Side::Caller => self.end_call(call, EndedBy::Caller),
            Side::Code(_) => {}
            Side::Agent(_) if self.left_behind(call, id, leg) => {}
            Side::Agent(agent) => match self.calls.get(&call).map(|call| &call.stage) {
                Some(&Stage::Dialling { leg, .. }) if leg == id => {
                    self.agent_left(call, id, agent, EndedBy::Agent);
                }
                Some(&(Stage::Talking { leg, .. } | Stage::Parting { leg, .. })) if leg == id => {
                    self.end_call(call, EndedBy::Agent);
                }
                _ => {}
            },
        }
    }

    /// ACK of a 2xx; with the answer in it when we had to offer.
    pub(super) fn ack(&mut self, request: &Request) {
        let Some(id) = self.leg_of(request) else {
            if let Some(dialog) = self.farewell(request) {
                self.say_bye(dialog);
            }
            return;
        };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let State::Up { negotiation, .. } = &mut leg.state else { return };
        let pending = match negotiation {
            Negotiation::Asked { tx, .. } => Some(*tx),
            _ => None,
        };
        let seq = request.headers.cseq().map_or(0, |(number, _)| number);
        let answers = matches!(negotiation, Negotiation::AwaitingAnswer { cseq } if *cseq == seq);
        if answers {
            *negotiation = Negotiation::Stable;
        }
        let done: Vec<_> = leg.owed.iter().copied().filter(|&tx| Some(tx) != pending).collect();
        for tx in done {
            self.forget_owed(tx, id);
        }
        if answers && !self.take_late_answer(id, request) {
            self.peer_is_dead(id);
        }
    }

    fn take_late_answer(&mut self, id: LegId, ack: &Request) -> bool {
        let Ok(Some(answer)) = arrive::offer(ack) else { return false };
        let Some(leg) = self.legs.get_mut(&id) else { return false };
        let first = leg.audio.agreed.is_none();
        let Ok(agreed) = answer.settle(&self.plan.media.codecs, Direction::SendRecv) else { return false };
        let call = leg.call;
        if !self.agree(id, agreed) {
            return false;
        }
        let talking = self.calls.get(&call).is_some_and(|call| matches!(call.stage, Stage::Talking { .. }));
        match (first, talking) {
            (true, true) => self.bridge(call),
            (true, false) => self.entertain(id),
            (false, _) => {}
        }
        true
    }

    /// A CANCEL that came in time: only a re-INVITE that waits for the other end can still be cancelled.
    pub(super) fn cancelled(&mut self, tx: ServerTx) {
        let Some(&id) = self.server_txs.get(&tx) else { return };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let before = leg.audio.agreed.map(|agreed| agreed.direction.reversed()).unwrap_or_default();
        let State::Up { negotiation, .. } = &mut leg.state else { return };
        let Negotiation::Asked { tx: asked, request, .. } = negotiation else { return };
        if *asked != tx {
            return;
        }
        let response = request.response(487);
        *negotiation = Negotiation::Stable;
        self.reply(tx, response);
        self.forget_owed(tx, id);
        let other = self.across(id);
        if let Some(Leg {
            state: State::Up { negotiation: Negotiation::Offered { tx, restore, .. }, .. },
            ..
        }) = other.and_then(|other| self.legs.get_mut(&other))
        {
            *restore = Some(before);
            self.transactions.cancel(*tx, self.now.mono);
        }
    }
}
