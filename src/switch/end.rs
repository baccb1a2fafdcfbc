//! The end of a call: every leg hung up, the distributor told, one record with one outcome.

use std::time::Duration;

use crate::acd;
use crate::call::media::Command;
use crate::call::record::{self, CallRecord, EndedBy, Outcome, Presentation};
use crate::call::speech::Prompt;
use crate::call::{Call, Stage, Wish};
use crate::id::{AgentId, CallId, LegId};

use super::{Event, Output, Switch, Timer};

/// How long a caller may take to hear that nobody can answer.
pub(super) const LONGEST_GOODBYE: Duration = Duration::from_secs(15);

impl Switch {
    /// Ends a call for good. Legs whose peer already said BYE must have been dropped before.
    pub(super) fn end_call(&mut self, id: CallId, by: EndedBy) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        self.routine_calls = self.routine_calls.saturating_sub(usize::from(call.is_limited()));
        self.close_legs(&mut call);
        let input = match call.stage {
            Stage::Talking { agent, .. } => Some(acd::Input::Finish { agent, call: id }),
            Stage::Waiting { .. } | Stage::Transferring(_) => Some(acd::Input::Abandon { call: id }),
            // A clinician's own call is nobody else's.
            Stage::Dialling { agent, .. } if call.case().is_some() => {
                Some(acd::Input::Spare { agent, call: id })
            }
            Stage::Dialling { agent, .. } => Some(acd::Input::Lose { agent, call: id }),
            Stage::Parting { agent, .. } => Some(acd::Input::Spare { agent, call: id }),
            Stage::Leaving { .. } => None,
        };
        if let Some(input) = input {
            // Refused only if the distributor has let go of the call already, which is what is wanted.
            let _ = self.exchange.handle(input, self.now.mono);
        }
        if let Stage::Talking { agent, .. } | Stage::Parting { agent, .. } = call.stage {
            self.wraps_up(agent, id);
        }
        if let Some(key) = call.key {
            self.exchange.hung_up(key, self.now.mono);
        }
        if let Wish::Keeping { promise, .. } = call.wish {
            self.note_promised(promise);
        }
        self.record(call, by);
        self.note_drained();
    }

    /// The caller hears that a clinician will ring back, and then the call ends. The distributor has let go of it.
    pub(super) fn dismiss(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Leaving { why: None };
        call.timeline.left_line(self.now.mono);
        let caller = call.caller;
        self.deadlines.set(Timer::Goodbye(id), self.now.mono + LONGEST_GOODBYE);
        if let Some(leg) = caller {
            self.say(leg, &[Prompt::ClinicianWillCall]);
        }
    }

    /// A call that we were to make is not wanted any more. The distributor has let go of it.
    pub(super) fn withdraw_call(&mut self, id: CallId) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        self.close_legs(&mut call);
        self.record(call, EndedBy::Caller);
        self.note_drained();
    }

    /// Hangs up everybody of a call that is over, and forgets its deadlines.
    fn close_legs(&mut self, call: &mut Call) {
        match &mut call.stage {
            Stage::Waiting { ringing } => ringing.iter().for_each(|phone| self.silence_phone(phone.leg)),
            &mut (Stage::Talking { leg, .. } | Stage::Dialling { leg, .. } | Stage::Parting { leg, .. }) => {
                self.hang_up(leg);
            }
            Stage::Transferring(transfer) => {
                transfer.ringing.iter().for_each(|phone| self.silence_phone(phone.leg));
                if let Some(referral) = transfer.referral.take() {
                    // Refused only when it is over already, which is what is wanted.
                    let _ = self.pathways.withdraw(referral, self.now.mono);
                }
                self.part_from(transfer);
            }
            Stage::Leaving { .. } => {}
        }
        self.deadlines.clear(Timer::Goodbye(call.id));
        self.deadlines.clear(Timer::Wish(call.id));
        call.caller.into_iter().for_each(|leg| self.hang_up(leg));
    }

    /// The agent's leg is lost in mid-call: the caller waits again, in the original place.
    pub(super) fn put_back(&mut self, id: CallId, leg: LegId, agent: AgentId, why: EndedBy) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::waiting();
        call.timeline.back_in_line(self.now.mono);
        let (caller, thread) = (call.caller, call.thread);
        caller.into_iter().for_each(|leg| self.media(thread, Command::Unbridge { leg }));
        self.hang_up(leg);
        let name = self.agent_name(agent);
        self.emit(Event::BackInLine { call: id, agent: name, why });
        if let Some(caller) = caller {
            self.entertain(caller);
            self.resume(caller);
        }
        let _ = self.exchange.handle(acd::Input::Lose { agent, call: id }, self.now.mono);
    }

    fn record(&mut self, call: Call, by: EndedBy) {
        let lasted = self.now.mono.since(call.arrived.mono);
        let promised = call.is_promised();
        let (promise, case) = (call.promise(), call.case());
        let unfinished = match by {
            EndedBy::Caller | EndedBy::DeadPeer => Presentation::CallerGone,
            EndedBy::Agent | EndedBy::DeadMedia | EndedBy::Shutdown | EndedBy::Supervisor => {
                Presentation::Withdrawn
            }
        };
        let outcome = match (call.answered_by.map(|agent| self.agent_name(agent)), &call.stage, by) {
            (Some(agent), _, ended_by) => Outcome::Answered { agent, ended_by },
            (None, &Stage::Parting { why: Some(why), .. }, _) => Outcome::Unreached { why },
            (None, _, EndedBy::Shutdown) if !promised => Outcome::Lost { ended_by: by },
            (None, ..) if call.made_for.is_some() => Outcome::Withdrawn,
            (None, ..) if promised => Outcome::Promised,
            (None, &Stage::Leaving { why: Some(why) }, _) => Outcome::Released { why },
            (None, _, EndedBy::Caller) => Outcome::Abandoned,
            (None, _, ended_by) => Outcome::Lost { ended_by },
        };
        let waited = call.waited.unwrap_or(lasted);
        let segments = call.timeline.finish(unfinished, self.now.mono, &self.plan.acd);
        if outcome == Outcome::Withdrawn && segments.iter().all(|part| part.stage == record::Stage::Queue) {
            // It stood in line, and nobody's phone ever rang for it.
            return;
        }
        let record = CallRecord {
            call: call.id,
            sip_call_id: call.sip_call_id,
            promise,
            case,
            trunk: self.trunk_name(call.trunk),
            practice: self.practice_name(call.practice),
            line: self.line_name(call.joined.0),
            band: call.joined.1,
            ddi: call.ddi,
            cli: call.cli,
            arrived: call.arrived.wall,
            waited,
            lasted,
            segments,
            outcome: outcome.clone(),
            disposition: call.disposition,
        };
        self.keep_for_wrap_up(&record);
        self.outputs.push_back(Output::Record(Box::new(record)));
        self.emit(Event::Ended { call: call.id, outcome, waited });
    }
}
