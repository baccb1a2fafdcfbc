//! Re-INVITEs: hold and resume passed across the bridge, everything else answered here.
//!
//! Media is anchored, so only the direction matters to the other end. What one end states is offered to
//! the other as it stands, and the other's answer is what the first one gets.

use std::time::Duration;

use crate::audio::{Codec, Direction};
use crate::call::leg::{Leg, Negotiation, State};
use crate::call::media::Command;
use crate::id::LegId;
use crate::sip::message::{Method, Request, Response};
use crate::sip::sdp::{self, Agreed, Description};
use crate::sip::transaction::{ClientTx, ServerTx};

use super::arrive::{self, Refusal};
use super::{Ask, Switch, Timer};

/// How long the other end of a bridge may take over a re-INVITE.
const REINVITE_FOR: Duration = Duration::from_secs(20);
/// How long to wait after a 491 before offering again.
const GLARE_PAUSE: Duration = Duration::from_millis(4_500);

impl Switch {
    pub(super) fn reinvite(&mut self, tx: ServerTx, id: LegId, request: Request) {
        if let Err(refusal) = self.take_reinvite(tx, id, &request) {
            self.reply_refusal(tx, &request, refusal);
        }
    }

    fn take_reinvite(&mut self, tx: ServerTx, id: LegId, request: &Request) -> Result<(), Refusal> {
        let offer = arrive::offer(request)?;
        match self.negotiation(id) {
            Some(Negotiation::Stable) => {}
            // RFC 3261, 14.2: 491 when ours is under way, 500 with Retry-After when theirs is.
            Some(Negotiation::Asked { .. }) => return Err(Refusal::with(500, "Retry-After", "2")),
            Some(_) => return Err(Refusal::new(491)),
            None => return Err(Refusal::new(481)),
        }
        let across = self.across(id);
        let leg = self.legs.get_mut(&id).ok_or(Refusal::new(481))?;
        if let Some(dialog) = leg.dialog() {
            dialog.refresh(request.headers.contact());
        }
        let stated = leg.audio.agreed.map(|agreed| agreed.direction.reversed());
        let Some(offer) = offer else {
            self.offer_in_answer(tx, id, request);
            return Ok(());
        };
        match across.filter(|_| stated != Some(offer.direction)) {
            None => {
                // Unbridged or unchanged: nobody else is concerned.
                let allowed =
                    stated.filter(|_| across.is_some()).map_or(Direction::SendRecv, Direction::reversed);
                self.answer_reinvite(tx, id, request, &offer, allowed)
            }
            Some(other) => {
                if !matches!(self.negotiation(other), Some(Negotiation::Stable)) {
                    return Err(Refusal::new(491));
                }
                self.offer_direction(other, offer.direction);
                // The other end may take its time: a person may have to agree.
                self.reply(tx, request.response(100));
                let (request, offer) = (Box::new(request.clone()), Box::new(offer));
                self.set_negotiation(id, Negotiation::Asked { tx, request, offer });
                self.remember_owed(tx, id);
                Ok(())
            }
        }
    }

    /// A re-INVITE without an offer: we offer all we have, the answer comes in the ACK.
    fn offer_in_answer(&mut self, tx: ServerTx, id: LegId, request: &Request) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.audio.local.version += 1;
        let body = sdp::offer(&leg.audio.local, &self.plan.media.codecs, Direction::SendRecv);
        let cseq = request.headers.cseq().map_or(0, |(number, _)| number);
        self.set_negotiation(id, Negotiation::AwaitingAnswer { cseq });
        self.accept_reinvite(tx, id, request, body);
    }

    fn answer_reinvite(
        &mut self,
        tx: ServerTx,
        id: LegId,
        request: &Request,
        offer: &Description,
        allowed: Direction,
    ) -> Result<(), Refusal> {
        let leg = self.legs.get(&id).ok_or(Refusal::new(481))?;
        let current = leg.audio.agreed.map(|agreed| agreed.codec);
        let agreed = offer.choose(&self.codecs_from(current), allowed)?;
        let leg = self.legs.get_mut(&id).ok_or(Refusal::new(481))?;
        leg.audio.local.version += 1;
        let body = offer.answer(&leg.audio.local, &agreed);
        if !self.agree(id, agreed) {
            return Err(Refusal::new(488));
        }
        self.accept_reinvite(tx, id, request, body);
        Ok(())
    }

    fn accept_reinvite(&mut self, tx: ServerTx, id: LegId, request: &Request, body: bytes::Bytes) {
        let Some(contact) =
            self.legs.get_mut(&id).and_then(Leg::dialog).map(|dialog| dialog.contact().clone())
        else {
            return;
        };
        let mut response = request.response(200);
        self.describe(&mut response, &contact, body);
        self.reply(tx, response);
        self.remember_owed(tx, id);
    }

    /// Our encodings, this one before the others.
    pub(super) fn codecs_from(&self, first: Option<Codec>) -> Vec<Codec> {
        let mut codecs = self.plan.media.codecs.clone();
        codecs.sort_by_key(|&codec| Some(codec) != first);
        codecs
    }

    /// Takes over newly agreed media of a leg; `false` when its address is another leg's.
    pub(super) fn take_over(&mut self, id: LegId, agreed: Agreed) -> bool {
        let Some(leg) = self.legs.get_mut(&id) else { return false };
        let Some(ports) = self.ports.get_mut(usize::from(leg.audio.thread)) else { return false };
        let Ok(held) = ports.settle(leg.audio.held, leg.audio.expected(agreed.remote)) else { return false };
        leg.audio.held = held;
        leg.audio.agree(agreed);
        true
    }

    /// Takes over newly agreed media of a leg that is up, and lets the media thread know.
    pub(super) fn agree(&mut self, id: LegId, agreed: Agreed) -> bool {
        let taken = self.take_over(id, agreed);
        if taken
            && let Some(leg) = self.legs.get(&id)
            && let Some(stream) = leg.stream()
        {
            self.media(leg.audio.thread, Command::Set(stream));
        }
        taken
    }

    /// Sends a re-INVITE that changes nothing but the direction.
    fn offer_direction(&mut self, id: LegId, direction: Direction) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(agreed) = leg.audio.agreed else { return };
        leg.audio.local.version += 1;
        let body = sdp::reoffer(&leg.audio.local, &agreed, direction);
        let Some(dialog) = leg.dialog() else { return };
        let (mut request, flow) = (dialog.request(Method::Invite), dialog.flow());
        request.headers.push("Content-Type", "application/sdp");
        request.body = body;
        let tx = self.ask(request, flow);
        self.set_negotiation(id, Negotiation::Offered { tx, direction, restore: None });
        self.deadlines.set(Timer::Reinvite(id), self.now.mono + REINVITE_FOR);
        self.remember_ask(tx, Ask::Reinvite(id));
    }

    /// The other end's word on a passed re-INVITE.
    pub(super) fn reinvite_answered(&mut self, tx: ClientTx, id: LegId, response: &Response) {
        if response.code < 200 {
            return;
        }
        let Some(Negotiation::Offered { direction, restore, .. }) = self.negotiation(id) else { return };
        let (direction, restore) = (*direction, *restore);
        self.deadlines.clear(Timer::Reinvite(id));
        self.set_negotiation(id, Negotiation::Stable);
        let asker = self.across(id);
        if response.code >= 300 {
            self.forget_ask(tx, id);
            if matches!(response.code, 408 | 481) {
                // The dialog there is gone (RFC 5057); the asker's own stands and must not be told otherwise.
                return self.peer_is_dead(id);
            }
            self.answer_asker(asker, Err(response.code));
            if response.code == 491 && asker.is_none() {
                // RFC 3261, 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other less; long enough for both.
                self.deadlines.set(Timer::Resume(id), self.now.mono + GLARE_PAUSE);
            }
            return;
        }
        self.acknowledge(tx, id, response);
        let answer = Description::parse(&response.body).ok();
        let agreed =
            answer.as_ref().and_then(|answer| answer.settle(&self.plan.media.codecs, direction).ok());
        let stated = answer.map(|answer| answer.direction);
        match (agreed.is_some_and(|agreed| self.agree(id, agreed)), stated, restore) {
            (_, _, Some(before)) => self.offer_direction(id, before),
            (true, Some(stated), None) => self.answer_asker(asker, Ok(stated)),
            _ => self.answer_asker(asker, Err(488)),
        }
    }

    /// A peer that neither agrees nor refuses must not hold up the one that asked.
    pub(super) fn reinvite_is_late(&mut self, id: LegId) {
        let Some(&Negotiation::Offered { tx, .. }) = self.negotiation(id) else { return };
        self.transactions.cancel(tx, self.now.mono);
        self.answer_asker(self.across(id), Err(504));
    }

    fn acknowledge(&mut self, tx: ClientTx, id: LegId, response: &Response) {
        let Some(dialog) = self.legs.get_mut(&id).and_then(Leg::dialog) else { return };
        dialog.refresh(response.headers.contact());
        let cseq = response.headers.cseq().map_or(dialog.local_seq(), |(number, _)| number);
        let (ack, flow) = (dialog.ack(cseq), dialog.flow());
        self.send_ack(tx, ack, flow);
        self.forget_ask(tx, id);
    }

    /// Gives the leg that asked for a change the other end's word: its direction, or its refusal.
    fn answer_asker(&mut self, asker: Option<LegId>, word: Result<Direction, u16>) {
        let Some(id) = asker else { return };
        if !matches!(self.negotiation(id), Some(Negotiation::Asked { .. })) {
            return;
        }
        let Some(Negotiation::Asked { tx, request, offer }) = self.set_negotiation(id, Negotiation::Stable)
        else {
            return;
        };
        let answered = match word {
            Ok(stated) => self.answer_reinvite(tx, id, &request, &offer, stated),
            Err(code) => Err(Refusal::new(code)),
        };
        if let Err(refusal) = answered {
            self.reply_refusal(tx, &request, refusal);
            self.forget_owed(tx, id);
        }
    }

    /// A caller back in line must hear and be heard again, whatever the lost agent had asked for.
    pub(super) fn resume(&mut self, id: LegId) {
        self.answer_asker(Some(id), Ok(Direction::SendRecv));
        let held = self
            .legs
            .get(&id)
            .and_then(|leg| leg.audio.agreed)
            .is_some_and(|agreed| agreed.direction != Direction::SendRecv);
        if held && matches!(self.negotiation(id), Some(Negotiation::Stable)) {
            self.offer_direction(id, Direction::SendRecv);
        }
    }

    fn negotiation(&self, id: LegId) -> Option<&Negotiation> {
        match &self.legs.get(&id)?.state {
            State::Up { negotiation, .. } => Some(negotiation),
            State::Inviting { .. } => None,
        }
    }

    fn set_negotiation(&mut self, id: LegId, next: Negotiation) -> Option<Negotiation> {
        match &mut self.legs.get_mut(&id)?.state {
            State::Up { negotiation, .. } => Some(std::mem::replace(negotiation, next)),
            State::Inviting { .. } => None,
        }
    }
}
