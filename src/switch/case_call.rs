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
use crate::call::timeline::Timeline;
use crate::call::{Call, Purpose, Stage, Wish};
use crate::id::{AgentId, CallId, CaseId, LegId};

use super::dial::Callee;
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
        let plan = &self.plan.callbacks;
        // Whoever sets a caller's number must not make us call any other.
        let number = file.record.number.clone().filter(|number| plan.allows(number))?;
        let callee = Callee {
            via: plan.via(file.trunk)?,
            number: number.clone(),
            shown: plan.shown.clone().unwrap_or_else(|| file.record.ddi.clone()),
            ring_for: plan.ring_for,
        };
        let band =
            self.stacks.get(file.stack.index())?.get(case).map_or(Band::ROUTINE, |case| case.urgency.band);
        let mut timeline = Timeline::new(self.now.mono);
        timeline.dialled(agent, self.now.mono);
        let call = Call {
            id: *call,
            sip_call_id: String::new(),
            made_for: Some(Purpose::Case(case)),
            trunk: file.trunk,
            practice: file.practice,
            line: file.line,
            band,
            joined: (file.line, band),
            ddi: file.record.ddi.clone(),
            cli: Some(number),
            show_cli: true,
            max_forwards: 70,
            key: None,
            arrived: self.now,
            since: self.now.mono,
            callable: false,
            wish: Wish::Unasked,
            caller: None,
            thread: audio.thread,
            stage: Stage::Dialling { leg, agent },
            rings_first: false,
            waited: None,
            disposition: None,
            answered_by: None,
            timeline,
        };
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
