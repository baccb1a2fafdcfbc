//! Dispositions: how a call ended, clinically, as its agent says during the talk or in the wrap-up.
//!
//! The record of a call leaves when the call is over and does not wait for anybody. So it is kept while an agent
//! wraps up after it, and leaves once more when a disposition is given then.

use crate::acd::{self, Availability};
use crate::call::Call;
use crate::call::record::CallRecord;
use crate::id::{AgentId, CallId, CaseId};

use super::{Event, Output, Refused, Switch};

impl Switch {
    /// Notes how the agent's call ended; in the wrap-up it ends that too. Without a call, or after one to the patient
    /// of the case in hand, it closes that case.
    pub(super) fn dispose(&mut self, agent: AgentId, code: &str) -> Result<(), Refused> {
        if !self.plan.dispositions.iter().any(|disposition| disposition.code == code) {
            return Err(Refused::Unknown(format!("there is no disposition `{code}`")));
        }
        let call = match self.exchange.distributor().availability(agent) {
            Some(Availability::Talking(call)) => Some(call),
            _ => self.wrapping_up.get(&agent).copied(),
        };
        let case = self.in_hand.get(&agent).copied();
        let Some(id) = call.filter(|&call| self.note_disposition(call, code)) else {
            let closed = case.is_some_and(|case| self.close_case(agent, case, code));
            let nothing = || Refused::NotNow("the agent has neither call nor case".to_owned());
            return closed.then_some(()).ok_or_else(nothing);
        };
        let name = self.agent_name(agent);
        self.emit(Event::Disposed { call: id, agent: name, code: code.to_owned() });
        if let Some(case) = case.filter(|&case| self.is_about(id, case)) {
            self.close_case(agent, case, code);
        }
        // Refused while the agent still talks.
        let _ = self.exchange.handle(acd::Input::EndWrapUp { agent }, self.now.mono);
        Ok(())
    }

    fn note_disposition(&mut self, id: CallId, code: &str) -> bool {
        let code = Some(code.to_owned());
        if let Some(call) = self.calls.get_mut(&id) {
            call.disposition = code;
        } else if let Some(record) = self.recent.get_mut(&id) {
            record.disposition = code;
            let record = record.clone();
            self.outputs.push_back(Output::Record(record));
        } else {
            return false;
        }
        true
    }

    /// Whether a call was made to the patient of this case.
    fn is_about(&self, call: CallId, case: CaseId) -> bool {
        let of_call = self.calls.get(&call).and_then(Call::case);
        let of_record = self.recent.get(&call).and_then(|record| record.case);
        of_call.or(of_record) == Some(case)
    }

    /// The agent has done with a call.
    pub(super) fn wraps_up(&mut self, agent: AgentId, call: CallId) {
        let state = self.exchange.distributor().availability(agent);
        if state.is_some_and(|state| self.is_after_call(agent, &state)) {
            self.wrapping_up.insert(agent, call);
        }
    }

    /// Whether an agent has something to say of a call that is over: in the wrap-up, or with a case in hand.
    fn is_after_call(&self, agent: AgentId, state: &Availability) -> bool {
        let has_case = self.in_hand.contains_key(&agent);
        *state == Availability::WrapUp || (has_case && matches!(state, Availability::Paused(_)))
    }

    /// A call is over: its record is kept for the agents who wrap up after it.
    pub(super) fn keep_for_wrap_up(&mut self, record: &CallRecord) {
        if !self.plan.dispositions.is_empty() && self.wrapping_up.values().any(|&call| call == record.call) {
            self.recent.insert(record.call, Box::new(record.clone()));
        }
    }

    /// An agent's availability has changed: after the wrap-up nothing is said of its call any more.
    pub(super) fn follow_wrap_up(&mut self, agent: AgentId, state: &Availability) {
        if self.is_after_call(agent, state) {
            return;
        }
        if let Some(call) = self.wrapping_up.remove(&agent)
            && !self.wrapping_up.values().any(|&other| other == call)
        {
            self.recent.remove(&call);
        }
    }
}
