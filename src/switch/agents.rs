//! Presentations: the distributor says whom to ring, the phone says what came of it.

use crate::acd::callback::Miss;
use crate::acd::{self, Cause};
use crate::audio::Direction;
use crate::call::leg::{Audio, Leg, Negotiation, Side, State};
use crate::call::media::Command;
use crate::call::record::Presentation;
use crate::call::{Ringing, Stage};
use crate::id::{AgentId, CallId, LegId, LineId};
use crate::sip::message::{Method, Request, Response};
use crate::sip::name_addr::NameAddr;
use crate::sip::sdp::{self, Description};
use crate::sip::transaction::ClientTx;
use crate::sip::uri::Uri;

use super::{AgentOrder, Ask, Event, Refused, Seen, Switch, Timer, dial, door, transfer};

impl Switch {
    pub(super) fn exchange_output(&mut self, output: acd::Output) {
        match output {
            acd::Output::Present { call, agent } => self.present(call, agent),
            acd::Output::Withdraw { call, agent, why } => self.withdraw(call, agent, why),
            acd::Output::Connect { call, agent } => self.connect(call, agent),
            acd::Output::Returned { call, to } => self.returned(call, to),
            acd::Output::Availability { agent, state } => {
                self.follow_wrap_up(agent, &state);
                if state == acd::Availability::LoggedOut {
                    self.give_back_cases(agent);
                }
                let agent = self.agent_name(agent);
                self.emit(Event::Availability { agent, state });
            }
            acd::Output::Rule { line, rule, on } => {
                let seen = self.seen(line);
                let line = self.line_name(line);
                self.emit(Event::Rule { line, rule: self.rule_name(rule), on, seen });
            }
            acd::Output::Disagreement(apart) => {
                self.counters.disagreements += 1 + apart.lost;
                self.emit(Event::Disagreement { line: self.line_name(apart.line), apart });
            }
            acd::Output::Announce { call, clip, rule } => {
                if self.play_once(call, vec![clip]) {
                    self.emit(Event::Announced { call, rule: self.rule_name(rule) });
                }
            }
            acd::Output::Tell { call, what } => self.tell(call, &what),
            acd::Output::Release { call, way, why } => self.release(call, way, why),
            acd::Output::Callback(news) => self.callback(news),
        }
    }

    /// What the rules see of a line now.
    fn seen(&self, line: LineId) -> Seen {
        let Some(facts) = self.exchange.distributor().facts(line) else { return Seen::default() };
        Seen {
            waiting: facts.waiting,
            longest_wait: facts.longest_since.map(|since| self.now.mono.since(since)),
            estimated_wait: facts.estimated_wait,
            agents_logged_in: facts.agents_logged_in,
            agents_free: facts.agents_free,
        }
    }

    pub(super) fn agent_order(&mut self, order: AgentOrder) -> Result<(), Refused> {
        let input = match order {
            AgentOrder::LogIn(agent) => acd::Input::LogIn { agent },
            AgentOrder::LogOut(agent) => acd::Input::LogOut { agent },
            AgentOrder::Pause(agent, reason) => {
                acd::Input::Pause { agent, reason: acd::PauseReason::Chosen(reason) }
            }
            AgentOrder::Resume(agent) => acd::Input::Resume { agent },
            AgentOrder::Transfer(agent, name) => return self.order_transfer(agent, &name),
            AgentOrder::Dispose(agent, code) => return self.dispose(agent, &code),
            AgentOrder::EndWrapUp(agent) => acd::Input::EndWrapUp { agent },
            AgentOrder::ExtendWrapUp(agent) => {
                acd::Input::ExtendWrapUp { agent, by: self.plan.codes.extension }
            }
        };
        self.instruct(input)
    }

    fn present(&mut self, call: CallId, agent: AgentId) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        if entry.transfer_mut().is_some_and(|transfer| transfer.by == agent) {
            self.come_to_nothing(call);
        }
        if self.ring(call, agent).is_some() {
            let agent = self.agent_name(agent);
            self.emit(Event::Presented { call, agent });
        } else {
            self.counters.no_port += 1;
            self.note_miss(call, agent, 503);
            // Refused only when the presentation was taken back in the same instant: then all is done.
            let _ = self.exchange.handle(acd::Input::Withhold { agent, call }, self.now.mono);
            self.end_ring_tone(call);
        }
    }

    /// Sends the INVITE that rings an agent's phone; `None` when no media port is left.
    fn ring(&mut self, call: CallId, agent: AgentId) -> Option<()> {
        let phone = self.plan.phones.get(agent.index())?.clone();
        let uri = Uri::parse(&phone.uri).ok()?;
        let (thread, caller, band) =
            self.calls.get(&call).map(|call| (call.thread, call.caller, call.band))?;
        let last = self.heard_from.get(&agent).copied();
        let ports = self.ports.get_mut(usize::from(thread))?;
        let nat = phone.nat.then(|| ports.alone(band)).flatten();
        let held = nat.or_else(|| ports.for_phone(last, band))?;
        let local = self.local(held.port);

        // The caller's encoding first, so that the relay seldom needs to transcode.
        let caller = caller.and_then(|caller| self.legs.get(&caller));
        let first = caller.and_then(|leg| leg.audio.agreed).map(|agreed| agreed.codec);
        let codecs = self.codecs_from(first);

        let mut invite = self.invitation(call, uri, phone.flow);
        invite.headers.push("Content-Type", "application/sdp");
        invite.body = sdp::offer(&local, &codecs, Direction::SendRecv);

        self.last_leg += 1;
        let leg = LegId(self.last_leg);
        let tx = self.ask(invite, phone.flow);
        let invite = self.transactions.invite(tx)?;
        self.deadlines.set(Timer::Unreachable(leg), self.now.mono + self.plan.sip.unreachable_after);
        let flow = phone.flow;
        let state = State::Inviting { tx, invite, flow, withdrawn: false, early: None };
        let audio = Audio { thread, held, local, agreed: None, latch: phone.nat };
        let side = Side::Agent(agent);
        self.legs.insert(leg, Leg { id: leg, call, side, state, audio, asked: Vec::new(), owed: Vec::new() });
        self.remember_ask(tx, Ask::Invite(leg));
        let entry = self.calls.get_mut(&call)?;
        if let Some(ringing) = entry.ringing_mut() {
            ringing.push(Ringing { leg, agent });
        }
        entry.timeline.presented(agent, self.now.mono);
        Some(())
    }

    /// An INVITE to an agent's phone that shows line and caller, without body.
    fn invitation(&mut self, call: CallId, uri: Uri, flow: crate::sip::Flow) -> Request {
        let call = &self.calls[&call];
        let shown = call.cli.as_deref().filter(|_| call.show_cli).unwrap_or("anonymous");
        let mut from = NameAddr::new(Uri::sip(Some(shown), self.advertised(flow), flow.transport));
        let line = self.line_name(call.line);
        // People who are to talk to a patient see before they answer that they have to wait for one.
        from.set_display_name(&if call.made_for.is_some() { format!("{line} callback") } else { line });
        let hops = call.max_forwards;
        let mut invite = self.new_request(Method::Invite, uri, from, hops, flow);
        invite.headers.push("Contact", format!("<{}>", self.contact(flow)));
        invite.headers.push("Allow", door::ALLOW);
        invite
    }

    /// The agent's side did not take it: the caller goes back to the original place, the next agent is rung.
    pub(super) fn presentation_failed(&mut self, call: CallId, agent: AgentId, cause: Cause) {
        if let Some(call) = self.calls.get_mut(&call) {
            call.timeline.presentation_over(agent, Presentation::Missed(cause), self.now.mono);
            call.stop_ringing(agent);
        }
        self.note_miss(call, agent, transfer::status_of(cause));
        let name = self.agent_name(agent);
        self.emit(Event::Missed { call, agent: name, cause });
        // Refused only when the presentation was taken back in the same instant: then all is done.
        let _ = self.exchange.handle(acd::Input::Refuse { agent, call, cause }, self.now.mono);
        self.end_ring_tone(call);
    }

    fn withdraw(&mut self, call: CallId, agent: AgentId, why: acd::Withdrawal) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let Some(Ringing { leg, .. }) = entry.stop_ringing(agent) else { return };
        let result = match why {
            acd::Withdrawal::RangOut => Presentation::Missed(Cause::NoAnswer),
            acd::Withdrawal::CallerGone => Presentation::CallerGone,
            acd::Withdrawal::AgentGone => Presentation::Withdrawn,
            acd::Withdrawal::AnsweredElsewhere => Presentation::AnsweredElsewhere,
            acd::Withdrawal::Recalled => Presentation::Recalled,
        };
        entry.timeline.presentation_over(agent, result, self.now.mono);
        if why == acd::Withdrawal::Recalled {
            self.note_miss(call, agent, 486);
        }
        self.silence_phone(leg);
        self.end_ring_tone(call);
        if why == acd::Withdrawal::RangOut {
            let agent = self.agent_name(agent);
            self.emit(Event::Missed { call, agent, cause: Cause::NoAnswer });
        }
    }

    /// Stops a phone that rings; the leg stays until the phone has said its final word.
    pub(super) fn silence_phone(&mut self, leg: LegId) {
        self.deadlines.clear(Timer::Unreachable(leg));
        self.deadlines.clear(Timer::Unanswered(leg));
        if let Some(Leg { state: State::Inviting { tx, withdrawn, .. }, .. }) = self.legs.get_mut(&leg) {
            *withdrawn = true;
            self.transactions.cancel(*tx, self.now.mono);
        }
    }

    /// The phone gave no sign of life: a deadline of the switch's own.
    pub(super) fn phone_is_dead(&mut self, leg: LegId) {
        let Some(&Leg { call, side, .. }) = self.legs.get(&leg) else { return };
        let Side::Agent(agent) = side else { return self.patient_is_silent(leg, Miss::Failed) };
        self.silence_phone(leg);
        if self.is_presented(call, leg) {
            self.presentation_failed(call, agent, Cause::Unreachable);
        }
    }

    fn is_presented(&self, call: CallId, leg: LegId) -> bool {
        self.calls.get(&call).is_some_and(|call| call.ringing().iter().any(|phone| phone.leg == leg))
    }

    /// A response to the INVITE that presents a call, or rings a patient's phone.
    pub(super) fn phone_responds(&mut self, tx: ClientTx, leg: LegId, response: &Response) {
        self.deadlines.clear(Timer::Unreachable(leg));
        match self.legs.get(&leg).map(|leg| &leg.state) {
            Some(State::Inviting { .. }) if response.code < 200 => self.phone_rings(leg, response),
            Some(State::Inviting { withdrawn, .. }) if response.code < 300 => {
                let withdrawn = *withdrawn;
                self.phone_answers(leg, response, withdrawn);
            }
            Some(State::Inviting { .. }) => match self.legs.get(&leg).map(|leg| leg.side) {
                Some(Side::Caller) => self.patient_refuses(leg, dial::miss_of(response.code)),
                _ => self.phone_refuses(leg, cause_of(response.code)),
            },
            Some(State::Up { invite: Some(_), .. }) if (200..300).contains(&response.code) => {
                self.hang_up_fork(tx, response);
            }
            _ => {}
        }
    }

    fn phone_rings(&mut self, leg: LegId, response: &Response) {
        if response.body.is_empty() {
            return;
        }
        if let (Ok(description), Some(Leg { state: State::Inviting { early, .. }, .. })) =
            (Description::parse(&response.body), self.legs.get_mut(&leg))
        {
            *early = Some(Box::new(description));
        }
    }

    /// An INVITE of ours had no final response, or could not be sent.
    pub(super) fn invite_failed(&mut self, leg: LegId) {
        match self.legs.get(&leg).map(|leg| leg.side) {
            Some(Side::Caller) => self.patient_refuses(leg, Miss::Failed),
            _ => self.phone_refuses(leg, Cause::Unreachable),
        }
    }

    /// Final refusal, time-out or transport failure: the leg is over.
    pub(super) fn phone_refuses(&mut self, leg: LegId, cause: Cause) {
        let Some(&Leg { call, side: Side::Agent(agent), .. }) = self.legs.get(&leg) else { return };
        let presented = self.is_presented(call, leg);
        self.drop_leg(leg);
        if presented {
            self.presentation_failed(call, agent, cause);
        }
    }

    fn phone_answers(&mut self, leg: LegId, response: &Response, withdrawn: bool) {
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let (call, side, nat) = (entry.call, entry.side, entry.audio.latch);
        let State::Inviting { tx, invite, flow, early, .. } = &mut entry.state else { return };
        let (tx, invite, flow, early) = (*tx, invite.clone(), *flow, early.take());
        let Ok(mut dialog) = crate::sip::dialog::Dialog::calling(&invite, response, flow) else {
            return match side {
                Side::Caller => self.patient_refuses(leg, Miss::Failed),
                _ => self.phone_refuses(leg, Cause::Failed),
            };
        };
        if nat {
            // Its Contact is an address of its own network.
            dialog.stay_on_flow();
        }
        self.by_tag.insert(dialog.local_tag().to_owned(), leg);
        let ack = dialog.ack(1);
        let ack_flow = dialog.flow();
        entry.state =
            State::Up { dialog: Box::new(dialog), negotiation: Negotiation::Stable, invite: Some(invite) };
        self.send_ack(tx, ack, ack_flow);
        if withdrawn {
            // The answer crossed our CANCEL: nobody is there any more.
            return self.hang_up(leg);
        }
        let Side::Agent(agent) = side else { return self.patient_answers(leg, response, early) };
        let presented = self.is_presented(call, leg);
        if let Err(unsettled) = self.settle(leg, response, early) {
            self.hang_up(leg);
            match unsettled {
                _ if !presented => {}
                Unsettled::NoMedia => self.presentation_failed(call, agent, Cause::Failed),
                Unsettled::Taken => self.port_was_taken(call, agent),
            }
            return;
        }
        if self.exchange.handle(acd::Input::Answer { agent, call }, self.now.mono).is_err() {
            self.hang_up(leg);
        }
    }

    /// Takes the answer of the phone into the leg's audio.
    pub(super) fn settle(
        &mut self,
        leg: LegId,
        response: &Response,
        early: Option<Box<Description>>,
    ) -> Result<(), Unsettled> {
        let answer = if response.body.is_empty() {
            early.map(|early| *early)
        } else {
            Description::parse(&response.body).ok()
        };
        let codecs = &self.plan.media.codecs;
        let agreed = answer.and_then(|answer| answer.settle(codecs, Direction::SendRecv).ok());
        let agreed = agreed.ok_or(Unsettled::NoMedia)?;
        if let Some(Leg { side: Side::Agent(agent), .. }) = self.legs.get(&leg) {
            self.heard_from.insert(*agent, agreed.remote);
        }
        if self.take_over(leg, agreed) { Ok(()) } else { Err(Unsettled::Taken) }
    }

    /// The phone answered with a media address that is another leg's on the port it was offered. That is no
    /// fault of the agent's, and the next port is chosen with the address in mind.
    fn port_was_taken(&mut self, call: CallId, agent: AgentId) {
        self.counters.no_port += 1;
        if let Some(call) = self.calls.get_mut(&call) {
            call.timeline.presentation_over(agent, Presentation::Missed(Cause::Failed), self.now.mono);
            call.stop_ringing(agent);
        }
        self.note_miss(call, agent, 503);
        // Refused only when the presentation was taken back in the same instant: then all is done.
        let _ = self.exchange.handle(acd::Input::Withhold { agent, call }, self.now.mono);
        self.end_ring_tone(call);
    }

    fn connect(&mut self, call: CallId, agent: AgentId) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let Some(Ringing { leg, .. }) = entry.stop_ringing(agent) else { return };
        self.arrived_there(call);
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let others = std::mem::replace(&mut entry.stage, Stage::Talking { leg, agent });
        entry.answered_by = Some(agent);
        entry.timeline.connected(agent, self.now.mono);
        let waited = *entry.waited.get_or_insert(self.now.mono.since(entry.arrived.mono));
        if let Stage::Waiting { ringing } = others {
            ringing.iter().for_each(|phone| self.silence_phone(phone.leg));
        }
        self.bridge(call);
        self.end_wish(call);
        let agent = self.agent_name(agent);
        self.emit(Event::Bridged { call, agent, waited });
    }

    /// Joins the media of caller and agent, as far as both are agreed.
    pub(super) fn bridge(&mut self, call: CallId) {
        let Some(call) = self.calls.get(&call) else { return };
        let Stage::Talking { leg: agent, .. } = call.stage else { return };
        let (thread, Some(caller)) = (call.thread, call.caller) else { return };
        let streams = [agent, caller].map(|leg| self.legs.get(&leg).and_then(Leg::stream));
        if let Some(stream) = &streams[0] {
            self.media(thread, Command::Set(stream.clone()));
        }
        if streams.iter().all(Option::is_some) {
            self.media(thread, Command::Bridge { a: caller, b: agent });
        }
    }
}

/// Why a phone that answered cannot be heard.
pub(super) enum Unsettled {
    /// Its answer has no media that we could agree to.
    NoMedia,
    /// Its media address is another leg's on the port that it was offered.
    Taken,
}

/// What a final refusal of a phone means for its agent.
fn cause_of(code: u16) -> Cause {
    match code {
        486 | 600 => Cause::Busy,
        404 | 408 | 410 | 430 | 502..=504 => Cause::Unreachable,
        415 | 488 | 606 => Cause::Failed,
        _ => Cause::Rejected,
    }
}
