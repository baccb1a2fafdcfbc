//! Calls to the patients of cases: a clinician dials for a case, stays on the line, and the patient's phone is rung.
//!
//! The phone call in which the clinician dialled the feature code becomes the clinician's leg of the call, so nobody
//! is rung back who holds the receiver already. A patient who is not reached is told of to the clinician, who keeps
//! the case in hand and may dial again.

use crate::acd::callback::Miss;
use crate::acd::{self, Band};
use crate::call::leg::{Leg, Negotiation, Side, State};
use crate::call::record::EndedBy;
use crate::call::speech::Prompt;
use crate::call::{Call, Purpose, Stage};
use crate::id::{AgentId, CallId, CaseId, LegId};

use super::cases::File;
use super::dial::{Callee, Patient};
use super::{CaseNews, Switch, Timer};

impl Switch {
    /// Calls the patient of a case for the clinician who is on the line by this leg and hears whom. `false`, with
    /// nothing changed, when the patient cannot be called from here.
    pub(super) fn call_patient(
        &mut self,
        leg: LegId,
        (agent, case): (AgentId, CaseId),
        whom: &[Prompt],
    ) -> bool {
        let Some((callee, call)) = self.plan_call(leg, agent, case) else { return false };
        let (id, line, band) = (call.id, call.line, call.band);
        if self.exchange.handle(acd::Input::Serve { agent, call: id, line, band }, self.now.mono).is_err() {
            return false;
        }
        self.deadlines.clear(Timer::CodeCall(leg));
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.side = Side::Agent(agent);
        }
        self.calls.insert(id, call);
        self.play_ring_tone(leg);
        self.say(leg, whom);
        self.tell_of_case(case, CaseNews::Dialled);
        if !self.dial(id, callee) {
            self.patient_missed(id, Miss::Failed);
        }
        true
    }

    /// The call that would be made, and to where; `None` when none can.
    fn plan_call(&self, leg: LegId, agent: AgentId, case: CaseId) -> Option<(Callee, Call)> {
        let (Leg { call, audio, state, .. }, file) = (self.legs.get(&leg)?, self.case_files.get(&case)?);
        let hears = matches!(state, State::Up { negotiation: Negotiation::Stable, .. });
        if audio.agreed.is_none() || !hears || self.drain.is_on() {
            return None;
        }
        // Whoever sets a caller's number must not make us call any other.
        let number = file.record.number.clone().filter(|number| self.plan.callbacks.allows(number))?;
        let ddi = file.record.ddi.clone();
        let callee = self.callee(file.trunk, &ddi, number.clone())?;
        let band =
            self.stacks.get(file.stack.index())?.get(case).map_or(Band::ROUTINE, |case| case.urgency.band);
        let &File { trunk, practice, line, .. } = file;
        let patient = Patient { trunk, practice, line, band, ddi, number: Some(number) };
        let mut call = self.made_call(*call, Purpose::Case(case), patient, audio.thread);
        call.stage = Stage::Dialling { leg, agent };
        call.timeline.dialled(agent, self.now.mono);
        Some((callee, call))
    }

    /// The patient of a case has answered.
    pub(super) fn case_reached(&mut self, call: CallId) {
        if let Some(case) = self.calls.get(&call).and_then(Call::case) {
            self.tell_of_case(case, CaseNews::Reached);
        }
    }

    /// The patient of a case was not reached.
    pub(super) fn case_missed(&mut self, call: CallId, why: Miss) {
        if let Some(case) = self.calls.get(&call).and_then(Call::case) {
            self.tell_of_case(case, CaseNews::Missed(why));
        }
    }

    /// The clinician is gone before the patient answered: there is nobody else for this call.
    pub(super) fn clinician_left(&mut self, call: CallId, leg: LegId, why: EndedBy) {
        self.hang_up(leg);
        self.end_call(call, why);
    }

    fn tell_of_case(&mut self, case: CaseId, news: CaseNews) {
        if let Some(stack) = self.case_files.get(&case).map(|file| file.stack) {
            self.tell_case(case, stack, news);
        }
    }
}
