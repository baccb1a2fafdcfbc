//! Calls that we make: an agent has answered and waits, and the patient's phone is rung.
//!
//! The patient's leg takes the place of a caller's, so that a talk is a talk whoever called whom. What the call is
//! made for is told what came of it, and nothing else here knows.

use std::time::Duration;

use crate::acd::callback::Miss;
use crate::acd::{self, Band};
use crate::audio::Direction;
use crate::call::leg::{Audio, Leg, Side, State};
use crate::call::media::Command;
use crate::call::record::EndedBy;
use crate::call::speech::{self, Prompt};
use crate::call::timeline::Timeline;
use crate::call::{Call, Purpose, Ringing, Stage, Wish};
use crate::id::{AgentId, CallId, LegId, LineId, PracticeId, TrunkId};
use crate::sip::Flow;
use crate::sip::message::{Method, Response};
use crate::sip::name_addr::NameAddr;
use crate::sip::sdp::{self, Description};
use crate::sip::uri::Uri;

use super::agents::Unsettled;
use super::{Ask, Switch, Timer, door};

/// How long a trunk may take to give a sign of life.
const TRUNK_PATIENCE: Duration = Duration::from_secs(4);
/// How long an agent may take to hear that the patient is not to be had.
const LONGEST_PARTING: Duration = Duration::from_secs(8);

/// Where a patient is called, and as whom.
pub(super) struct Callee {
    /// The trunk's own address.
    pub(super) via: Flow,
    /// The number to call.
    pub(super) number: String,
    /// The number that the patient's phone shows.
    pub(super) shown: String,
    /// How long that phone rings.
    pub(super) ring_for: Duration,
}

/// For whom a call is made.
pub(super) struct Patient {
    pub(super) trunk: TrunkId,
    pub(super) practice: Option<PracticeId>,
    pub(super) line: LineId,
    pub(super) band: Band,
    /// The number that the patient had dialled.
    pub(super) ddi: String,
    pub(super) number: Option<String>,
}

impl Switch {
    /// A call that we make, with its legs on this media thread: nobody is rung yet.
    pub(super) fn made_call(&self, id: CallId, purpose: Purpose, patient: Patient, thread: u8) -> Call {
        let Patient { trunk, practice, line, band, ddi, number } = patient;
        Call {
            id,
            sip_call_id: String::new(),
            made_for: Some(purpose),
            trunk,
            practice,
            line,
            band,
            joined: (line, band),
            ddi,
            cli: number,
            show_cli: true,
            max_forwards: 70,
            key: None,
            arrived: self.now,
            since: self.now.mono,
            callable: false,
            wish: Wish::Unasked,
            caller: None,
            thread,
            stage: Stage::waiting(),
            rings_first: false,
            waited: None,
            disposition: None,
            answered_by: None,
            timeline: Timeline::new(self.now.mono),
        }
    }

    /// Where a patient who had called by this trunk and dialled this number is called; `None` where nothing leads.
    pub(super) fn callee(&self, trunk: TrunkId, ddi: &str, number: String) -> Option<Callee> {
        let plan = &self.plan.callbacks;
        let shown = plan.shown.clone().unwrap_or_else(|| ddi.to_owned());
        Some(Callee { via: plan.via(trunk)?, number, shown, ring_for: plan.ring_for })
    }

    /// An agent has answered a call that we make: from now on the agent waits for the patient.
    pub(super) fn reserve(&mut self, call: CallId, agent: AgentId) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let Some(Ringing { leg, .. }) = entry.stop_ringing(agent) else { return };
        let others = std::mem::replace(&mut entry.stage, Stage::Dialling { leg, agent });
        entry.timeline.dialled(agent, self.now.mono);
        let number = entry.cli.clone().unwrap_or_default();
        if let Stage::Waiting { ringing } = others {
            ringing.iter().for_each(|phone| self.silence_phone(phone.leg));
        }
        let Some((thread, stream)) =
            self.legs.get(&leg).and_then(|leg| Some((leg.audio.thread, leg.stream()?)))
        else {
            return;
        };
        self.media(thread, Command::Set(stream));
        self.play_ring_tone(leg);
        let read = speech::telephone(&number, &self.plan.ingress.country_code);
        self.say(leg, &[vec![Prompt::CallbackFor], read].concat());
    }

    /// Rings the patient's phone for a call whose agent waits; `false` when there is no media port left.
    pub(super) fn dial(&mut self, call: CallId, callee: Callee) -> bool {
        let Some(entry) = self.calls.get(&call) else { return false };
        let Stage::Dialling { leg: agent, .. } = entry.stage else { return false };
        let (thread, band) = (entry.thread, entry.band);
        // A port of its own: once a patient has answered there is no second try with another.
        let Some(held) =
            self.ports.get_mut(usize::from(thread)).and_then(|ports| ports.for_caller(None, band))
        else {
            self.counters.no_port += 1;
            return false;
        };
        let Callee { via, number, shown, ring_for } = callee;
        let local = self.local(held.port);
        let first = self.legs.get(&agent).and_then(|leg| leg.audio.agreed).map(|agreed| agreed.codec);
        let uri = Uri::sip(Some(&number), via.remote, via.transport);
        let us = NameAddr::new(Uri::sip(Some(&shown), self.advertised(via), via.transport));
        let identity = us.to_string();
        let mut invite = self.new_request(Method::Invite, uri, us, 70, via);
        invite.headers.push("P-Asserted-Identity", identity);
        invite.headers.push("Contact", format!("<{}>", self.contact(via)));
        invite.headers.push("Allow", door::ALLOW);
        invite.headers.push("Content-Type", "application/sdp");
        invite.body = sdp::offer(&local, &self.codecs_from(first), Direction::SendRecv);

        self.last_leg += 1;
        let id = LegId(self.last_leg);
        let sip_call_id = invite.headers.call_id().unwrap_or_default().to_owned();
        let tx = self.ask(invite, via);
        let Some(invite) = self.transactions.invite(tx) else { return false };
        let state = State::Inviting { tx, invite, flow: via, withdrawn: false, early: None };
        let audio = Audio { thread, held, local, agreed: None, latch: false };
        let side = Side::Caller;
        self.legs.insert(id, Leg { id, call, side, state, audio, asked: Vec::new(), owed: Vec::new() });
        self.remember_ask(tx, Ask::Invite(id));
        self.deadlines.set(Timer::Unreachable(id), self.now.mono + TRUNK_PATIENCE);
        self.deadlines.set(Timer::Unanswered(id), self.now.mono + ring_for);
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.caller = Some(id);
            entry.sip_call_id = sip_call_id;
        }
        true
    }

    /// The call whose patient's phone rings over this leg.
    fn dialled_over(&self, leg: LegId) -> Option<CallId> {
        let call = self.calls.get(&self.legs.get(&leg)?.call)?;
        let dials = matches!(call.stage, Stage::Dialling { .. }) && call.caller == Some(leg);
        dials.then_some(call.id)
    }

    /// The patient's phone answered, and its dialog stands.
    pub(super) fn patient_answers(
        &mut self,
        leg: LegId,
        response: &Response,
        early: Option<Box<Description>>,
    ) {
        self.deadlines.clear(Timer::Unanswered(leg));
        let Some(call) = self.dialled_over(leg) else { return self.hang_up(leg) };
        if let Err(Unsettled::NoMedia | Unsettled::Taken) = self.settle(leg, response, early) {
            self.hang_up(leg);
            return self.patient_missed(call, Miss::Failed);
        }
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let Stage::Dialling { leg: across, agent } = entry.stage else { return };
        entry.stage = Stage::Talking { leg: across, agent };
        entry.answered_by = Some(agent);
        entry.timeline.connected(agent, self.now.mono);
        let waited = *entry.waited.get_or_insert(self.now.mono.since(entry.arrived.mono));
        if let Some((thread, stream)) =
            self.legs.get(&leg).and_then(|leg| Some((leg.audio.thread, leg.stream()?)))
        {
            self.media(thread, Command::Set(stream));
        }
        self.bridge(call);
        self.patient_reached(call);
        self.case_reached(call);
        let agent = self.agent_name(agent);
        self.emit(super::Event::Bridged { call, agent, waited });
    }

    /// The patient's phone refused, or the trunk did.
    pub(super) fn patient_refuses(&mut self, leg: LegId, why: Miss) {
        let call = self.dialled_over(leg);
        self.drop_leg(leg);
        if let Some(call) = call {
            self.patient_missed(call, why);
        }
    }

    /// The patient's phone has rung for long enough, or the trunk gave no sign of life.
    pub(super) fn patient_is_silent(&mut self, leg: LegId, why: Miss) {
        let call = self.dialled_over(leg);
        self.silence_phone(leg);
        if let Some(call) = call {
            self.patient_missed(call, why);
        }
    }

    /// The patient was not reached by this call: the agent is told, and what it was made for.
    pub(super) fn patient_missed(&mut self, call: CallId, why: Miss) {
        if self.part(call, Some(why)) {
            self.missed(call, why);
            self.case_missed(call, why);
        }
    }

    /// The patient is not to be dialled, or no more.
    pub(super) fn excuse(&mut self, call: CallId) {
        let leg = self.calls.get(&call).and_then(|call| call.caller);
        if self.part(call, None) {
            leg.into_iter().for_each(|leg| self.hang_up(leg));
        }
    }

    /// Lets the agent hear that nobody is to be had; whether there was one who waited.
    fn part(&mut self, call: CallId, why: Option<Miss>) -> bool {
        let Some(entry) = self.calls.get_mut(&call) else { return false };
        let Stage::Dialling { leg, agent } = entry.stage else { return false };
        entry.stage = Stage::Parting { leg, agent, why };
        entry.caller = None;
        entry.timeline.dial_over(self.now.mono);
        let thread = entry.thread;
        self.deadlines.set(Timer::Goodbye(call), self.now.mono + LONGEST_PARTING);
        self.media(thread, Command::Play { leg, clips: Vec::new(), looped: false });
        let told = if why.is_some() { Prompt::NotReached } else { Prompt::NotWanted };
        self.say(leg, &[told]);
        true
    }

    /// The agent is gone before the patient answered: the call waits for another, in the original place. One about a
    /// clinician's case is over, and the case still in hand.
    pub(super) fn agent_left(&mut self, id: CallId, leg: LegId, agent: AgentId, why: EndedBy) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.case().is_some() {
            return self.clinician_left(id, leg, why);
        }
        call.stage = Stage::waiting();
        call.timeline.back_in_line(self.now.mono);
        let patient = call.caller.take();
        patient.into_iter().for_each(|patient| self.hang_up(patient));
        self.hang_up(leg);
        let name = self.agent_name(agent);
        self.emit(super::Event::BackInLine { call: id, agent: name, why });
        let _ = self.exchange.handle(acd::Input::Lose { agent, call: id }, self.now.mono);
    }
}

/// What a final refusal means for the patient who was called.
pub(super) fn miss_of(code: u16) -> Miss {
    match code {
        486 | 600 | 603 => Miss::Busy,
        408 | 480 | 487 => Miss::NoAnswer,
        _ => Miss::Failed,
    }
}
