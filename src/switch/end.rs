//! The end of a call: every leg hung up, the distributor told, one record with one outcome.

use std::time::Duration;

use crate::acd;
use crate::acd::Band;
use crate::call::media::Command;
use crate::call::record::{CallRecord, EndedBy, Outcome, Presentation};
use crate::call::speech::Prompt;
use crate::call::{Call, Stage};
use crate::id::{AgentId, CallId, LegId};

use super::{Event, Output, Switch, Timer};

/// How long a caller may take to hear that nobody can answer.
const LONGEST_GOODBYE: Duration = Duration::from_secs(15);

impl Switch {
    /// Ends a call for good. Legs whose peer already said BYE must have been dropped before.
    pub(super) fn end_call(&mut self, id: CallId, by: EndedBy) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        if call.band != Band::EMERGENCY {
            self.routine_calls = self.routine_calls.saturating_sub(1);
        }
        match &mut call.stage {
            Stage::Waiting { ringing } => ringing.iter().for_each(|phone| self.silence_phone(phone.leg)),
            &mut Stage::Talking { leg, .. } => self.hang_up(leg),
            Stage::Transferring(transfer) => {
                transfer.ringing.iter().for_each(|phone| self.silence_phone(phone.leg));
                if let Some(referral) = transfer.referral.take() {
                    // Refused only when it is over already, which is what is wanted.
                    let _ = self.pathways.withdraw(referral, self.now.mono);
                }
                self.part(transfer);
            }
            Stage::Leaving { .. } => self.deadlines.clear(Timer::Goodbye(id)),
        }
        self.hang_up(call.caller);
        let input = match call.stage {
            Stage::Talking { agent, .. } => Some(acd::Input::Finish { agent, call: id }),
            Stage::Waiting { .. } | Stage::Transferring(_) => Some(acd::Input::Abandon { call: id }),
            Stage::Leaving { .. } => None,
        };
        if let Some(input) = input {
            // Refused only if the distributor has let go of the call already, which is what is wanted.
            let _ = self.exchange.handle(input, self.now.mono);
        }
        if let Stage::Talking { agent, .. } = call.stage {
            self.wraps_up(agent, id);
        }
        self.record(call, by);
        self.note_drained();
    }

    /// The line's way out: the caller hears that nobody can answer, and then the call ends.
    pub(super) fn release(&mut self, id: CallId, why: acd::Leaving) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Leaving { why: Some(why) };
        call.timeline.left_line(self.now.mono);
        let caller = call.caller;
        self.deadlines.set(Timer::Goodbye(id), self.now.mono + LONGEST_GOODBYE);
        self.say(caller, &[Prompt::NobodyCanAnswer]);
    }

    /// The caller hears that a clinician will ring back, and then the call ends. The distributor has let go of it.
    pub(super) fn dismiss(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Leaving { why: None };
        call.timeline.left_line(self.now.mono);
        let caller = call.caller;
        self.deadlines.set(Timer::Goodbye(id), self.now.mono + LONGEST_GOODBYE);
        self.say(caller, &[Prompt::ClinicianWillCall]);
    }

    /// The caller has heard it, or had the time to.
    pub(super) fn end_goodbye(&mut self, id: CallId) {
        if let Some(Call { stage: Stage::Leaving { why }, .. }) = self.calls.get(&id) {
            // An agent who promised a call back has ended this one.
            let by = if why.is_some() { EndedBy::DeadPeer } else { EndedBy::Agent };
            self.end_call(id, by);
        }
    }

    /// The agent's leg is lost in mid-call: the caller waits again, in the original place.
    pub(super) fn put_back(&mut self, id: CallId, leg: LegId, agent: AgentId, why: EndedBy) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::waiting();
        call.timeline.back_in_line(self.now.mono);
        let (caller, thread) = (call.caller, call.thread);
        self.media(thread, Command::Unbridge { leg: caller });
        self.hang_up(leg);
        let name = self.agent_name(agent);
        self.emit(Event::BackInLine { call: id, agent: name, why });
        self.entertain(caller);
        self.resume(caller);
        let _ = self.exchange.handle(acd::Input::Lose { agent, call: id }, self.now.mono);
    }

    fn record(&mut self, call: Call, by: EndedBy) {
        let lasted = self.now.mono.since(call.arrived.mono);
        let outcome = match (call.answered_by.map(|agent| self.agent_name(agent)), &call.stage, by) {
            (Some(agent), _, ended_by) => Outcome::Answered { agent, ended_by },
            (None, &Stage::Leaving { why: Some(why) }, _) => Outcome::Released { why },
            (None, _, EndedBy::Caller) => Outcome::Abandoned,
            (None, _, ended_by) => Outcome::Lost { ended_by },
        };
        let unfinished = match by {
            EndedBy::Caller | EndedBy::DeadPeer => Presentation::CallerGone,
            EndedBy::Agent | EndedBy::DeadMedia | EndedBy::Shutdown => Presentation::Withdrawn,
        };
        let waited = call.waited.unwrap_or(lasted);
        let record = CallRecord {
            call: call.id,
            sip_call_id: call.sip_call_id,
            trunk: self.trunk_name(call.trunk),
            practice: self.practice_name(call.practice),
            line: self.line_name(call.joined.0),
            band: call.joined.1,
            ddi: call.ddi,
            cli: call.cli,
            arrived: call.arrived.wall,
            waited,
            lasted,
            segments: call.timeline.finish(unfinished, self.now.mono, &self.plan.acd),
            outcome: outcome.clone(),
            disposition: call.disposition,
        };
        self.keep_for_wrap_up(&record);
        self.outputs.push_back(Output::Record(Box::new(record)));
        self.emit(Event::Ended { call: call.id, outcome, waited });
    }
}
