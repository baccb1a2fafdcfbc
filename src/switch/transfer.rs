//! Transfers: an agent hands a caller on to a colleague, a pathway, a stack or a line, by name.
//!
//! While the other phone rings the caller hears music. When the other answers, the agent is released; when not,
//! the caller is back with the agent, or in the line, in the original place: nobody is dropped.

use crate::acd::pathway::Pathways;
use crate::acd::{self, Availability, Band, Cause, Onward};
use crate::call::leg::{Leg, State};
use crate::call::media::Command;
use crate::call::record::EndedBy;
use crate::call::speech::Prompt;
use crate::call::transfer::{Transfer, Way};
use crate::call::{Call, Stage};
use crate::id::{AgentId, CallId, LegId, LineId, PathwayId, StackId};
use crate::policy::Trunk;
use crate::sip::uri::Uri;

use super::arrive::Refusal;
use super::{Event, Refused, Switch};

/// Why a caller is not handed on: a status code and, for people, why.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Unwilling {
    pub(super) code: u16,
    pub(super) why: &'static str,
}

impl Unwilling {
    pub(super) const fn new(code: u16, why: &'static str) -> Unwilling {
        Unwilling { code, why }
    }
}

impl From<Unwilling> for Refusal {
    fn from(Unwilling { code, why }: Unwilling) -> Refusal {
        // Warning code of RFC 3261, 20.43: 399, for people.
        Refusal::with(code, "Warning", &format!("399 hearken \"{why}\""))
    }
}

/// Whom a name means.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Target {
    Agent(AgentId),
    Line(LineId),
    Pathway(PathwayId),
    Stack(StackId),
}

/// What a phone that asked for a transfer is told when nothing more is known of its failure.
const LEAST_TELLING: u16 = 480;

impl Switch {
    /// An agent's order to hand on the caller, from elsewhere than the phone.
    pub(super) fn order_transfer(&mut self, agent: AgentId, name: &str) -> Result<(), Refused> {
        let call = self.talks_with(agent)?;
        let Some(&Stage::Talking { leg, .. }) = self.calls.get(&call).map(|call| &call.stage) else {
            return Err(Unwilling::new(491, "the caller is being transferred already").into());
        };
        let handed = self.hand_on(call, agent, name);
        if handed.is_err() {
            self.say_not_transferred(leg);
        } else if !self.is_being_transferred(call) {
            self.hang_up(leg);
        }
        Ok(handed?)
    }

    /// Hands the caller who talks with this agent on to whom the name means. On an error nothing is changed. When
    /// it is done at once, with a line, the agent's leg is left to whoever asked.
    pub(super) fn hand_on(&mut self, call: CallId, agent: AgentId, name: &str) -> Result<(), Unwilling> {
        let target = self.hand_on_to(call, agent, name);
        let agent = self.agent_name(agent);
        match target {
            Ok(target) => {
                self.counters.transfers += 1;
                let to = self.name_of(target);
                self.emit(Event::HandedOn { call, agent, to });
            }
            Err(Unwilling { why, .. }) => {
                self.counters.transfers_refused += 1;
                self.emit(Event::NotHandedOn { call, agent, why: why.to_owned() });
            }
        }
        target.map(|_| ())
    }

    fn hand_on_to(&mut self, call: CallId, agent: AgentId, name: &str) -> Result<Target, Unwilling> {
        let target = self.target(name).ok_or(Unwilling::new(404, "nobody of that name is in the plan"))?;
        let onward = match target {
            Target::Agent(other) if other == agent => {
                return Err(Unwilling::new(403, "a caller cannot be handed to the agent who has it"));
            }
            Target::Agent(other) => Onward::Agent(other),
            Target::Line(line) => Onward::Line(line, self.band_of(line)),
            Target::Pathway(pathway) => Onward::Destination(self.open_pathway(pathway)?),
            Target::Stack(stack) => {
                self.put_on_stack(call, agent, stack)?;
                return Ok(target);
            }
        };
        let handed = self.exchange.handle(acd::Input::Transfer { agent, call, to: onward }, self.now.mono);
        handed.map_err(|refused| match refused {
            acd::Refused::NobodyFree => self.why_not_free(target),
            acd::Refused::NotInPlan(_) => Unwilling::new(404, "nobody of that name is in the plan"),
            _ => Unwilling::new(491, "the caller is being transferred already"),
        })?;
        self.depart(call, agent, target);
        Ok(target)
    }

    /// The caller is no longer bridged to the agent, and hears music.
    fn depart(&mut self, id: CallId, agent: AgentId, target: Target) {
        let to = self.name_of(target);
        let Some((line, place)) = self.exchange.distributor().place(id) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Stage::Talking { leg, .. } = call.stage else { return };
        call.timeline.handed_on(agent, to.clone(), self.now.mono);
        let flagged = call.band != Band::EMERGENCY && place.band == Band::EMERGENCY;
        call.line = line;
        if !flagged {
            call.band = place.band;
        }
        call.stage = match target {
            Target::Line(_) | Target::Stack(_) => {
                call.timeline.transfer_over(self.now.mono);
                Stage::waiting()
            }
            Target::Agent(_) | Target::Pathway(_) => {
                let transfer = Transfer {
                    by: agent,
                    leg: Some(leg),
                    ringing: Vec::new(),
                    way: Way::There { to, code: LEAST_TELLING },
                    subscription: None,
                    referral: None,
                };
                Stage::Transferring(Box::new(transfer))
            }
        };
        let (caller, thread) = (call.caller, call.thread);
        if flagged {
            self.is_emergency_now(id);
        }
        if let Target::Pathway(pathway) = target {
            self.refer_caller(id, agent, pathway);
        }
        self.wraps_up(agent, id);
        if let Some(caller) = caller {
            self.media(thread, Command::Unbridge { leg: caller });
            self.entertain(caller);
            self.resume(caller);
        }
    }

    /// The other phone has answered: the agent who handed the caller on is released.
    pub(super) fn arrived_there(&mut self, id: CallId) {
        self.conclude(id, 200);
        self.referral_of(id, Pathways::acknowledge);
        if let Some(call) = self.calls.get_mut(&id) {
            call.timeline.transfer_over(self.now.mono);
            let left = call.transfer_mut().and_then(|transfer| Some((transfer.by, transfer.leg.take()?)));
            if let Some((agent, leg)) = left {
                self.hang_up(leg);
                self.wraps_up(agent, id);
            }
        }
    }

    /// The phone that rang for a caller on the way does not take it; the distributor says what next.
    pub(super) fn note_miss(&mut self, call: CallId, agent: AgentId, code: u16) {
        if let Some(Transfer { by, way: Way::There { code: known, .. }, .. }) =
            self.calls.get_mut(&call).and_then(Call::transfer_mut)
            && *by != agent
        {
            *known = code;
        }
    }

    /// The transfer came to nothing: whoever asked for it is told, once.
    pub(super) fn come_to_nothing(&mut self, id: CallId) {
        let Some(transfer) = self.calls.get_mut(&id).and_then(Call::transfer_mut) else { return };
        let by = transfer.by;
        let Way::There { to, code } = std::mem::replace(&mut transfer.way, Way::Back) else { return };
        self.conclude(id, code);
        self.referral_of(id, Pathways::decline);
        self.counters.transfers_failed += 1;
        if let Some(call) = self.calls.get_mut(&id) {
            call.timeline.transfer_over(self.now.mono);
        }
        let agent = self.agent_name(by);
        self.emit(Event::HandedBack { call: id, agent, from: to, code });
    }

    /// The caller is the agent's again, or back in the line.
    pub(super) fn returned(&mut self, id: CallId, to: Option<AgentId>) {
        self.come_to_nothing(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let leg = call.transfer_mut().and_then(|transfer| transfer.leg);
        let (Some(agent), Some(leg)) = (to, leg) else {
            let by = call.transfer_mut().map(|transfer| transfer.by);
            call.stage = Stage::waiting();
            if let Some(by) = by {
                let agent = self.agent_name(by);
                self.emit(Event::BackInLine { call: id, agent, why: EndedBy::Agent });
            }
            return;
        };
        call.stage = Stage::Talking { leg, agent };
        call.timeline.connected(agent, self.now.mono);
        self.bridge(id);
        self.say_not_transferred(leg);
    }

    /// The leg of an agent who handed a caller on is over, by BYE or because its peer is gone: the other phone goes
    /// on ringing. Says whether it was such a leg.
    pub(super) fn left_behind(&mut self, call: CallId, leg: LegId, gone: Option<Leg>) -> bool {
        let Some(transfer) = self.calls.get_mut(&call).and_then(Call::transfer_mut) else { return false };
        if transfer.leg != Some(leg) {
            return false;
        }
        transfer.leg = None;
        let agent = transfer.by;
        let input = match gone {
            Some(Leg { state: State::Up { dialog, .. }, .. }) => {
                if let Some(subscription) = &mut transfer.subscription {
                    subscription.dialog = Some(dialog);
                }
                acd::Input::Leave { agent, call }
            }
            _ => {
                transfer.subscription = None;
                acd::Input::Lose { agent, call }
            }
        };
        // Refused only if the distributor has let go of the agent already, which is what is wanted.
        let _ = self.exchange.handle(input, self.now.mono);
        self.wraps_up(agent, call);
        true
    }

    /// Lets an agent hear that the caller has not been handed on.
    pub(super) fn say_not_transferred(&mut self, leg: LegId) {
        let talks = self.legs.get(&leg).and_then(|leg| self.calls.get(&leg.call));
        if talks.is_some_and(|call| call.talks_over(leg)) {
            self.say(leg, &[Prompt::NotTransferred]);
        }
    }

    fn is_being_transferred(&self, call: CallId) -> bool {
        matches!(self.calls.get(&call), Some(Call { stage: Stage::Transferring(_), .. }))
    }

    /// Whom a name means: an agent by name, or by the user part of the phone's address if nobody else has it; else
    /// a line, a pathway or a stack.
    fn target(&self, name: &str) -> Option<Target> {
        if let Some(agent) = self.plan.acd.agent_named(name) {
            return Some(Target::Agent(agent));
        }
        if let Some(line) = self.plan.acd.line_named(name) {
            return Some(Target::Line(line));
        }
        if let Some(pathway) = self.plan.pathway_named(name) {
            return Some(Target::Pathway(pathway));
        }
        if let Some(stack) = self.plan.stack_named(name) {
            return Some(Target::Stack(stack));
        }
        let has_phone = |agent: AgentId| {
            let phone = self.plan.phones.get(agent.index());
            let uri = phone.and_then(|phone| Uri::parse(&phone.uri).ok());
            uri.is_some_and(|uri| uri.user().as_deref() == Some(name))
        };
        let agents = (0u32..).map(AgentId).zip(&self.plan.acd.agents).filter(|(_, agent)| !agent.gone);
        let mut with_phone = agents.map(|(agent, _)| agent).filter(|&agent| has_phone(agent));
        match (with_phone.next(), with_phone.next()) {
            (Some(agent), None) => Some(Target::Agent(agent)),
            _ => None,
        }
    }

    fn name_of(&self, target: Target) -> String {
        match target {
            Target::Agent(agent) => self.agent_name(agent),
            Target::Line(line) => self.line_name(line),
            Target::Pathway(pathway) => self.pathway_name(pathway),
            Target::Stack(stack) => self.stack_name(stack),
        }
    }

    /// The priority that callers of a line get: whoever is handed to a line of emergency trunks alone is an
    /// emergency from then on.
    pub(super) fn band_of(&self, line: LineId) -> Band {
        band_by(self.plan.ingress.trunks.iter().filter(|trunk| trunk.line == line))
    }

    fn why_not_free(&self, target: Target) -> Unwilling {
        let agent = match target {
            Target::Agent(agent) => agent,
            Target::Line(_) | Target::Stack(_) => return Unwilling::new(480, "nobody is taken there"),
            Target::Pathway(pathway) => return self.why_no_seat(pathway),
        };
        match self.exchange.distributor().availability(agent) {
            Some(Availability::LoggedOut) => Unwilling::new(480, "the agent is logged out"),
            Some(Availability::Paused(_)) => Unwilling::new(480, "the agent is paused"),
            Some(Availability::Unreachable) => Unwilling::new(480, "the agent's phone cannot be reached"),
            Some(Availability::Free) => Unwilling::new(486, "the agent is kept free for emergency calls"),
            _ => Unwilling::new(486, "the agent is busy"),
        }
    }
}

/// What the phone that asked for a transfer is told when the other did not take the caller.
pub(super) fn status_of(cause: Cause) -> u16 {
    match cause {
        Cause::Busy => 486,
        Cause::Rejected => 603,
        Cause::NoAnswer | Cause::Unreachable => 480,
        Cause::Failed => 488,
    }
}

/// The priority that these trunks give to a line together.
pub(super) fn band_by<'a>(trunks: impl Iterator<Item = &'a Trunk>) -> Band {
    let mut trunks = trunks.peekable();
    let emergency = trunks.peek().is_some() && trunks.all(|trunk| trunk.emergency);
    if emergency { Band::EMERGENCY } else { Band::ROUTINE }
}
