//! REFER and NOTIFY (RFC 3515): how an agent's phone asks for a transfer, and what it is told of it.
//!
//! Only an agent who talks with a caller may ask, within the call's dialog, and the user part of Refer-To must be
//! a name of the plan; its host counts for nothing, so that nobody is ever called whom the plan does not name.
//! The subscription that a REFER makes ends with the transfer, which ends with the ringing.

use crate::call::leg::{Leg, Negotiation, Side, State};
use crate::call::transfer::{Subscription, Transfer};
use crate::call::{Call, Stage};
use crate::id::{AgentId, CallId, LegId};
use crate::sip::dialog::Dialog;
use crate::sip::message::{Method, Request, standard_reason};
use crate::sip::name_addr::NameAddr;
use crate::sip::transaction::ServerTx;
use crate::sip::uri::Uri;

use super::Switch;
use super::transfer::Unwilling;

/// For how long a subscription is announced to stand, in seconds: no phone rings for longer.
const SUBSCRIBED_FOR: u32 = 180;

impl Switch {
    /// A REFER within a dialog.
    pub(super) fn refer(&mut self, tx: ServerTx, id: LegId, request: &Request) {
        let asked = self.take_refer(id, request);
        let handed = asked.and_then(|(call, agent, name)| self.hand_on(call, agent, &name).map(|()| call));
        match handed {
            Ok(call) => {
                self.reply(tx, request.response(202));
                let seq = request.headers.cseq().map_or(0, |(number, _)| number);
                self.subscribe(call, id, Subscription { id: seq, dialog: None });
            }
            Err(unwilling) => {
                self.reply_refusal(tx, request, unwilling.into());
                self.say_not_transferred(id);
            }
        }
    }

    /// A REFER outside of any dialog: nobody may make Hearken call anybody.
    pub(super) fn refuse_refer(&mut self, tx: ServerTx, request: &Request) {
        let unwilling = Unwilling::new(403, "only an agent who talks with a caller can transfer");
        self.reply_refusal(tx, request, unwilling.into());
    }

    /// Who is to be handed on, by whom, and to which name.
    fn take_refer(&self, id: LegId, request: &Request) -> Result<(CallId, AgentId, String), Unwilling> {
        let leg = self.legs.get(&id).ok_or(Unwilling::new(481, "the call is over"))?;
        let Side::Agent(agent) = leg.side else {
            return Err(Unwilling::new(403, "only an agent who talks with a caller can transfer"));
        };
        let Some(call) = self.calls.get(&leg.call) else {
            return Err(Unwilling::new(481, "the call is over"));
        };
        if matches!(&call.stage, Stage::Transferring(_)) {
            return Err(Unwilling::new(491, "the caller is being transferred already"));
        }
        if !call.talks_over(id) {
            return Err(Unwilling::new(481, "the call is over"));
        }
        if !matches!(&leg.state, State::Up { negotiation: Negotiation::Stable, .. }) {
            return Err(Unwilling::new(491, "a re-INVITE is under way"));
        }
        let mut targets = request.headers.values("Refer-To");
        let (Some(target), None) = (targets.next(), targets.next()) else {
            return Err(Unwilling::new(400, "one Refer-To is needed"));
        };
        let target = NameAddr::parse(target).map_err(|_| Unwilling::new(400, "Refer-To is malformed"))?;
        Ok((call.id, agent, name_in(target.uri())?))
    }

    /// Tells the phone how its transfer stands, and remembers to tell it what becomes of it.
    fn subscribe(&mut self, call: CallId, leg: LegId, mut subscription: Subscription) {
        let Some(transfer) = self.calls.get_mut(&call).and_then(Call::transfer_mut) else {
            // The caller is in another line already.
            self.notify(Some(leg), &mut subscription, 200);
            return self.hang_up(leg);
        };
        transfer.subscription = Some(subscription.clone());
        self.notify(Some(leg), &mut subscription, 100);
    }

    /// Tells the phone that asked for a transfer what has become of it, if it has not been told.
    pub(super) fn conclude(&mut self, call: CallId, code: u16) {
        let Some(transfer) = self.calls.get_mut(&call).and_then(Call::transfer_mut) else { return };
        let leg = transfer.leg;
        if let Some(mut subscription) = transfer.subscription.take() {
            self.notify(leg, &mut subscription, code);
        }
    }

    /// The caller has hung up, or the daemon stops, in the middle of a transfer.
    pub(super) fn part_from(&mut self, transfer: &mut Transfer) {
        if let Some(mut subscription) = transfer.subscription.take() {
            self.notify(transfer.leg, &mut subscription, 487);
        }
        transfer.leg.into_iter().for_each(|leg| self.hang_up(leg));
    }

    /// Sends a NOTIFY that says how far a transfer has come; a final status ends the subscription. What the phone
    /// answers changes nothing: the call is watched by other means.
    fn notify(&mut self, leg: Option<LegId>, subscription: &mut Subscription, code: u16) {
        let of_leg = leg.and_then(|leg| self.legs.get_mut(&leg)).and_then(Leg::dialog);
        let Some(dialog) = subscription.dialog.as_deref_mut().or(of_leg) else { return };
        let (request, flow) = (notification(dialog, subscription.id, code), dialog.flow());
        self.ask(request, flow);
    }
}

/// The NOTIFY of RFC 3515, 2.4.5.
fn notification(dialog: &mut Dialog, id: u32, code: u16) -> Request {
    let state = match code {
        100..200 => format!("active;expires={SUBSCRIBED_FOR}"),
        _ => "terminated;reason=noresource".to_owned(),
    };
    let contact = NameAddr::new(dialog.contact().clone());
    let mut request = dialog.request(Method::Notify);
    let headers = &mut request.headers;
    headers.push("Contact", contact.to_string());
    headers.push("Event", format!("refer;id={id}"));
    headers.push("Subscription-State", state);
    headers.push("Content-Type", "message/sipfrag;version=2.0");
    request.body = format!("SIP/2.0 {code} {}\r\n", standard_reason(code)).into();
    request
}

/// The name that a Refer-To speaks of.
fn name_in(uri: &Uri) -> Result<String, Unwilling> {
    let (_, headers) = uri.as_str().split_once('?').unwrap_or_default();
    let mut names = headers.split('&').filter_map(|header| header.split('=').next());
    if names.any(|name| name.eq_ignore_ascii_case("Replaces")) {
        return Err(Unwilling::new(501, "attended transfer is not served, only blind transfer"));
    }
    if uri.param("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
        return Err(Unwilling::new(501, "only an INVITE can be asked for"));
    }
    match uri.user() {
        Some(user) if !user.is_empty() => Ok(user.into_owned()),
        _ => Err(Unwilling::new(404, "Refer-To names nobody")),
    }
}
