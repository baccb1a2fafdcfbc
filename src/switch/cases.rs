//! Cases: callers whom an agent sends home with the promise that a clinician rings back, and what becomes of each.
//!
//! A case is on its stack or held by one clinician from its opening to its close, which is by a disposition or by a
//! pathway that has taken it over.

use serde::{Deserialize, Serialize};

use crate::acd::cases::{Breached, Case, Cases, Urgency};
use crate::acd::pathway::{Outcome, Referral, Subject};
use crate::acd::{self, Availability, Band, PauseReason};
use crate::call::Stage;
use crate::call::media::Command;
use crate::call::record::{CaseOutcome, CaseRecord};
use crate::call::speech::{self, Prompt};
use crate::id::{
    AgentId, CallId, CaseId, LineId, PathwayId, PracticeId, ReferralId, StackId, TeamId, TrunkId,
};

use super::transfer::Unwilling;
use super::{CaseNews, CaseOrder, Event, Output, Refused, Switch};

/// Most cases of one stack that are open at a time.
const MOST_CASES: usize = 10_000;

/// Why a clinician who has taken a case by phone is paused.
const IN_HAND: &str = "case";

/// What a clinician must know of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    pub(super) stack: StackId,
    pub(super) line: LineId,
    pub(super) trunk: TrunkId,
    pub(super) practice: Option<PracticeId>,
    /// As it is written down.
    pub(super) record: CaseRecord,
    /// A pathway has not answered yet whether it takes the case over.
    pub(super) referral: Option<ReferralId>,
}

impl Switch {
    /// The stacks of the plan; those that are there keep their cases.
    pub(super) fn replan_stacks(&mut self) {
        let codes = &self.plan.dispositions;
        for stack in &mut self.stacks {
            // A table that is sound is never refused.
            let _ = stack.replan(codes.clone());
        }
        for _ in self.stacks.len()..self.plan.stacks.len() {
            self.stacks.extend(Cases::new(codes.clone(), MOST_CASES).ok());
        }
    }

    /// The agent ends the talk with the promise that a clinician of this stack rings back.
    pub(super) fn put_on_stack(
        &mut self,
        id: CallId,
        agent: AgentId,
        stack: StackId,
    ) -> Result<(), Unwilling> {
        let now = self.now.mono;
        let call = self.calls.get(&id).ok_or(Unwilling::new(481, "the call is over"))?;
        let &Stage::Talking { .. } = &call.stage else {
            return Err(Unwilling::new(491, "the caller is being transferred already"));
        };
        let number = call.cli.clone().ok_or(Unwilling::new(480, "the caller's number is not known"))?;
        let planned =
            self.plan.stacks.get(stack.index()).ok_or(Unwilling::new(404, "there is no such stack"))?;
        let within = match call.band {
            Band::EMERGENCY => planned.emergency_breach_within,
            _ => planned.breach_within,
        };
        let urgency = Urgency { band: call.band, breach: now + within };
        // By the clock, so that no later run uses it again.
        let case = CaseId(self.now.wall.0.unsigned_abs().saturating_mul(1_000).max(self.last_case + 1));
        let record = CaseRecord {
            case,
            call: id,
            stack: planned.name.clone(),
            line: self.line_name(call.line),
            trunk: self.trunk_name(call.trunk),
            practice: self.practice_name(call.practice),
            band: call.band,
            ddi: call.ddi.clone(),
            number: Some(number),
            cli: None,
            opened: self.now.wall,
            breach: self.wall_of(urgency.breach),
            breached: false,
            holder: None,
            pathway: None,
            revision: 0,
            closed: None,
        };
        let (line, trunk, practice) = (call.line, call.trunk, call.practice);
        let file = File { stack, line, trunk, practice, record, referral: None };
        let cases =
            self.stacks.get_mut(stack.index()).ok_or(Unwilling::new(404, "there is no such stack"))?;
        cases.open(case, id, urgency, now).map_err(|_| Unwilling::new(480, "the stack is full"))?;
        self.last_case = case.0;
        self.case_files.insert(case, file);
        self.counters.cases += 1;
        self.tell_case(case, stack, CaseNews::Opened);
        // Refused only if the distributor has let go of the call already, which is what is wanted.
        let _ = self.exchange.handle(acd::Input::Finish { agent, call: id }, now);
        let name = self.stack_name(stack);
        self.wraps_up(agent, id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.timeline.handed_on(agent, name, now);
            call.timeline.transfer_over(now);
            let (leg, thread) = (call.caller, call.thread);
            if let Some(leg) = leg {
                self.media(thread, Command::Unbridge { leg });
                self.resume(leg);
            }
            self.dismiss(id);
        }
        Ok(())
    }

    pub(super) fn case_order(&mut self, order: CaseOrder) -> Result<(), Refused> {
        match order {
            CaseOrder::Take(agent) => {
                let none = || Refused::NotNow("no case waits for the agent".to_owned());
                self.take_case(agent).map(|_| ()).ok_or_else(none)
            }
            CaseOrder::TakeThis(agent, case) => self.take_this_case(agent, case),
            CaseOrder::GiveBack(agent, case) => {
                if self.held_case(agent, case)?.0.referral.is_some() {
                    return Err(Refused::NotNow("a pathway has yet to answer for the case".to_owned()));
                }
                self.give_back_case(agent, case);
                Ok(())
            }
            CaseOrder::Close(agent, case, code) => {
                self.held_case(agent, case)?;
                let unknown = || Refused::Unknown(format!("there is no disposition `{code}`"));
                self.close_case(agent, case, &code).then_some(()).ok_or_else(unknown)
            }
            CaseOrder::Refer(agent, case, pathway) => self.refer_case(agent, case, pathway),
        }
    }

    /// What is known of a case that this clinician has.
    fn held_case(&self, agent: AgentId, case: CaseId) -> Result<(&File, &Case), Refused> {
        let file = self.case_files.get(&case).ok_or_else(no_case)?;
        let held = self.stacks.get(file.stack.index()).and_then(|cases| cases.get(case));
        let theirs = held.filter(|held| held.holder == Some(agent)).map(|held| (file, held));
        theirs.ok_or_else(|| Refused::NotNow("the agent does not have this case".to_owned()))
    }

    /// The stacks from which a clinician takes cases.
    pub(super) fn stacks_of(&self, agent: AgentId) -> impl Iterator<Item = StackId> {
        let is_member = move |team: &TeamId| {
            self.plan.acd.teams.get(team.index()).is_some_and(|team| team.agents.contains(&agent))
        };
        let stacks = (0u32..).map(StackId).zip(&self.plan.stacks);
        stacks.filter(move |(_, stack)| stack.teams.iter().any(is_member)).map(|(id, _)| id)
    }

    fn take_this_case(&mut self, agent: AgentId, case: CaseId) -> Result<(), Refused> {
        let stack = self.case_files.get(&case).ok_or_else(no_case)?.stack;
        if !self.stacks_of(agent).any(|theirs| theirs == stack) {
            return Err(Refused::NotNow("the case is for other teams than the agent's".to_owned()));
        }
        let cases = self.stacks.get_mut(stack.index()).ok_or_else(no_case)?;
        let taken = cases.take_this(case, agent, self.now.mono);
        taken.map_err(|_| Refused::NotNow("the case is taken already".to_owned()))?;
        let name = self.agent_name(agent);
        self.tell_case(case, stack, CaseNews::Taken(name));
        Ok(())
    }

    /// Gives a clinician the most urgent case of the stacks of his or her teams.
    pub(super) fn take_case(&mut self, agent: AgentId) -> Option<CaseId> {
        let stacks = self.stacks_of(agent);
        let urgent = stacks.filter_map(|id| Some((self.stacks.get(id.index())?.most_urgent()?, id)));
        let (_, stack) = urgent.min()?;
        let case = self.stacks.get_mut(stack.index())?.take(agent, self.now.mono)?;
        let name = self.agent_name(agent);
        self.tell_case(case, stack, CaseNews::Taken(name));
        Some(case)
    }

    /// The most urgent of the cases that a clinician has, but those for which a pathway has yet to answer.
    fn most_urgent_held(&self, agent: AgentId) -> Option<CaseId> {
        let held = self
            .stacks
            .iter()
            .flat_map(|cases| cases.held_of(agent).filter_map(|case| Some((cases.get(case)?.urgency, case))));
        let is_free = |case: &CaseId| self.case_files.get(case).is_some_and(|file| file.referral.is_none());
        held.filter(|(_, case)| is_free(case)).min().map(|(_, case)| case)
    }

    /// Gives a clinician who dials for one a case, unless there is one in hand or taken elsewhere, and says whom to ring.
    /// No calls are presented meanwhile.
    pub(super) fn take_case_by_phone(&mut self, agent: AgentId) -> Vec<Prompt> {
        let in_hand = self.in_hand.get(&agent).copied();
        let held = in_hand.or_else(|| self.most_urgent_held(agent));
        let Some(case) = held.or_else(|| self.take_case(agent)) else { return vec![Prompt::NothingWaits] };
        self.in_hand.insert(agent, case);
        if in_hand.is_none() {
            let reason = PauseReason::Chosen(IN_HAND.to_owned());
            // Refused to an agent who is logged out, to whom nothing is presented anyway.
            let _ = self.exchange.handle(acd::Input::Pause { agent, reason }, self.now.mono);
        }
        let number = self.case_files.get(&case).and_then(|file| file.record.number.as_deref());
        let read = speech::telephone(number.unwrap_or_default(), &self.plan.ingress.country_code);
        [vec![Prompt::CallbackFor], read].concat()
    }

    /// Puts the case back that a clinician has in hand; whether there is one.
    pub(super) fn give_back_in_hand(&mut self, agent: AgentId) -> bool {
        let case = self.in_hand.get(&agent).copied();
        case.into_iter().for_each(|case| self.give_back_case(agent, case));
        case.is_some()
    }

    /// A case is no longer a clinician's: calls may be presented again.
    fn done_with(&mut self, agent: AgentId, case: CaseId) {
        if self.in_hand.get(&agent) != Some(&case) {
            return;
        }
        self.in_hand.remove(&agent);
        let paused = Availability::Paused(PauseReason::Chosen(IN_HAND.to_owned()));
        if self.exchange.distributor().availability(agent) == Some(paused) {
            // One who is paused can always be resumed.
            let _ = self.exchange.handle(acd::Input::Resume { agent }, self.now.mono);
        }
    }

    /// Puts a case back, unless a pathway has yet to say whether it takes it over.
    pub(super) fn give_back_case(&mut self, agent: AgentId, case: CaseId) {
        let Some(File { stack, referral: None, .. }) = self.case_files.get(&case) else { return };
        let stack = *stack;
        let cases = self.stacks.get_mut(stack.index());
        if cases.is_some_and(|cases| cases.give_back(case, agent, self.now.mono).is_ok()) {
            self.tell_case(case, stack, CaseNews::GivenBack);
            self.done_with(agent, case);
        }
    }

    /// The clinician has gone home: what he or she held is for others.
    pub(super) fn give_back_cases(&mut self, agent: AgentId) {
        let held: Vec<CaseId> = self.stacks.iter().flat_map(|stack| stack.held_of(agent)).collect();
        held.into_iter().for_each(|case| self.give_back_case(agent, case));
    }

    /// Closes a case by the code of a disposition; whether there were such a case and code.
    pub(super) fn close_case(&mut self, agent: AgentId, case: CaseId, code: &str) -> bool {
        let Some(&File { stack, referral, .. }) = self.case_files.get(&case) else { return false };
        let cases = self.stacks.get_mut(stack.index());
        if cases.is_none_or(|cases| cases.close(case, agent, code, self.now.mono).is_err()) {
            return false;
        }
        if let Some(referral) = referral {
            // Refused only when it is over already, which is what is wanted.
            let _ = self.pathways.withdraw(referral, self.now.mono);
        }
        self.end_case(case, CaseOutcome::Disposed(code.to_owned()));
        self.tell_case(case, stack, CaseNews::Closed(code.to_owned()));
        self.done_with(agent, case);
        true
    }

    /// Refers a case to a pathway; it stays with the clinician until the pathway has answered.
    fn refer_case(&mut self, agent: AgentId, case: CaseId, pathway: PathwayId) -> Result<(), Refused> {
        let urgency = self.held_case(agent, case)?.1.urgency;
        let known = self.plan.pathways.get(pathway.index()).filter(|known| !known.gone);
        if !known.is_some_and(|known| self.is_at_work(known, self.now.wall)) {
            return Err(Refused::NotNow("the pathway is not at work".to_owned()));
        }
        let referral = Referral { of: Subject::Case(case), pathway, from: agent, urgency };
        let id = self.pathways.refer(referral, self.now.mono)?;
        if let Some(file) = self.case_files.get_mut(&case) {
            file.referral = Some(id);
        }
        self.write_case(case);
        self.referred(id, pathway, agent);
        Ok(())
    }

    /// A pathway has answered for a case, or has not in time: then the case is the clinician's again.
    pub(super) fn case_referral_ended(
        &mut self,
        case: CaseId,
        agent: AgentId,
        outcome: Outcome,
        pathway: String,
    ) {
        let Some(file) = self.case_files.get_mut(&case) else { return };
        file.referral = None;
        let stack = file.stack;
        if outcome != Outcome::Acknowledged {
            return self.return_case(agent, case, stack);
        }
        let cases = self.stacks.get_mut(stack.index());
        if cases.is_some_and(|cases| cases.hand_over(case, agent, self.now.mono).is_ok()) {
            self.end_case(case, CaseOutcome::HandedOver(pathway.clone()));
            self.tell_case(case, stack, CaseNews::HandedOver(pathway));
            self.done_with(agent, case);
        }
    }

    /// A case is its clinician's again, as urgent as it was; of one who is not at work it is on its stack.
    fn return_case(&mut self, agent: AgentId, case: CaseId, stack: StackId) {
        let gone = matches!(
            self.exchange.distributor().availability(agent),
            None | Some(Availability::LoggedOut | Availability::Unreachable)
        );
        if gone {
            return self.give_back_case(agent, case);
        }
        let name = self.agent_name(agent);
        self.tell_case(case, stack, CaseNews::Returned(name));
    }

    pub(super) fn case_breached(&mut self, breached: Breached) {
        let Some(file) = self.case_files.get_mut(&breached.case) else { return };
        let stack = file.stack;
        // One of an earlier run may have been told of by that.
        if !std::mem::replace(&mut file.record.breached, true) {
            self.counters.cases_breached += 1;
            self.tell_case(breached.case, stack, CaseNews::Breached);
        }
    }

    pub(super) fn stack_name(&self, stack: StackId) -> String {
        self.plan.stacks.get(stack.index()).map_or_else(|| stack.to_string(), |stack| stack.name.clone())
    }

    pub(super) fn tell_case(&mut self, case: CaseId, stack: StackId, news: CaseNews) {
        if !matches!(news, CaseNews::Dialled | CaseNews::Reached | CaseNews::Missed(_)) {
            self.write_case(case);
        }
        let stack = self.stack_name(stack);
        self.emit(Event::Case { case, stack, news });
    }

    /// The one end of a case, of which no stack knows any more.
    fn end_case(&mut self, case: CaseId, outcome: CaseOutcome) {
        let Some(File { mut record, .. }) = self.case_files.remove(&case) else { return };
        self.counters.cases_closed += 1;
        (record.holder, record.pathway) = (None, None);
        record.closed = Some((outcome, self.now.wall));
        record.revision += 1;
        self.outputs.push_back(Output::Case(Box::new(record)));
    }

    /// Lets the ledger have a case as it stands.
    fn write_case(&mut self, case: CaseId) {
        let Some(file) = self.case_files.get(&case) else { return };
        let open = self.stacks.get(file.stack.index()).and_then(|cases| cases.get(case));
        let holder = open.and_then(|open| open.holder).map(|holder| self.agent_name(holder));
        let referral = file.referral.and_then(|referral| self.pathways.get(referral));
        let pathway = referral.map(|referral| self.pathway_name(referral.pathway));
        let Some(File { record, .. }) = self.case_files.get_mut(&case) else { return };
        (record.holder, record.pathway) = (holder, pathway);
        record.revision += 1;
        self.outputs.push_back(Output::Case(Box::new(record.clone())));
    }

    /// Lets the ledger have every case again, of which the newest states may not have reached it.
    pub(super) fn write_cases(&mut self) {
        let cases: Vec<CaseId> = self.case_files.keys().copied().collect();
        cases.into_iter().for_each(|case| self.write_case(case));
    }

    /// Takes up cases of an earlier run: each is on its stack, or on another if the plan has it no more. What a clinician
    /// had in hand, or a pathway had not answered, is for whoever takes it first.
    pub(super) fn restore_cases(&mut self, records: Vec<CaseRecord>) {
        for record in records {
            let case = record.case;
            let mut stacks = (0u32..).map(StackId).zip(&self.plan.stacks).filter(|(_, stack)| !stack.gone);
            let stack = self.plan.stack_named(&record.stack).or_else(|| stacks.next().map(|(id, _)| id));
            let Some(stack) = stack.filter(|_| !self.case_files.contains_key(&case)) else { continue };
            let trunk = self.plan.ingress.trunk_named(&record.trunk).unwrap_or(TrunkId(0));
            let known = self.plan.ingress.trunks.get(trunk.index());
            let practice = known.and_then(|trunk| trunk.practice);
            let named = self.plan.acd.line_named(&record.line);
            let line = named.or_else(|| known.map(|trunk| trunk.line)).unwrap_or(LineId(0));
            let urgency = Urgency { band: record.band, breach: self.mono_of(record.breach) };
            let Some(cases) = self.stacks.get_mut(stack.index()) else { continue };
            if cases.open(case, record.call, urgency, self.now.mono).is_ok() {
                self.last_case = self.last_case.max(case.0);
                self.case_files.insert(case, File { stack, line, trunk, practice, record, referral: None });
                self.tell_case(case, stack, CaseNews::Restored);
            }
        }
    }
}

fn no_case() -> Refused {
    Refused::Unknown("there is no such case, or it is closed".to_owned())
}
