//! What one agent sees: the own state and call, and what is owed to patients.

use std::collections::BTreeSet;

use crate::acd::Band;
use crate::acd::callback::{Promise, State as Kept};
use crate::id::{AgentId, CaseId};
use crate::time::Now;

use super::Switch;
use super::board::{Callback, Case, Desk, Disposition};
use super::cases::File;

/// Most cases that a clinician is shown to take from.
const MOST_WAITING_SHOWN: usize = 20;

impl Switch {
    /// What the agent of this name sees.
    pub fn desk(&self, name: &str, now: Now) -> Option<Desk> {
        let id = self.plan.acd.agent_named(name)?;
        let distributor = self.exchange.distributor();
        let lines: Vec<String> = distributor.lines_of(id).map(|line| self.line_name(line)).collect();
        let teams = self.plan.acd.teams.iter().filter(|team| team.agents.contains(&id));
        let teams = teams.map(|team| team.name.clone()).collect();
        let agent = self.agent_shown(distributor.agents().find(|(known, ..)| *known == id)?, teams, now)?;
        let call = agent.call.and_then(|call| self.caller(call, now));
        let promises = self.exchange.callbacks().promises();
        let due = promises.filter(|promise| !matches!(promise.state, Kept::Promised { .. }));
        let due = due.filter_map(|promise| self.callback_shown(promise, now));
        let callbacks_due = due.filter(|callback| lines.contains(&callback.line)).collect();
        let held: BTreeSet<CaseId> = self.stacks.iter().flat_map(|cases| cases.held_of(id)).collect();
        let cases = held.iter().filter_map(|case| Some(self.case_shown(*case, self.case_files.get(case)?)));
        let cases = cases.collect();
        let dispositions = self.plan.dispositions.iter();
        Some(Desk {
            agent,
            call,
            pathways: self.pathways_shown(now),
            dispositions: dispositions
                .map(|known| Disposition { code: known.code.clone(), words: known.words.clone() })
                .collect(),
            callbacks_due,
            cases,
            cases_waiting: self.cases_waiting(id),
        })
    }

    /// The cases that a clinician may take, the most urgent first.
    fn cases_waiting(&self, agent: AgentId) -> Vec<Case> {
        let stacks = self.stacks_of(agent).filter_map(|stack| self.stacks.get(stack.index()));
        let first = stacks.flat_map(|cases| {
            let first = cases.stack().take(MOST_WAITING_SHOWN);
            first.filter_map(|case| Some((cases.get(case)?.urgency, case)))
        });
        let mut waiting: Vec<_> = first.collect();
        waiting.sort_unstable();
        let waiting = waiting.into_iter().take(MOST_WAITING_SHOWN);
        waiting.filter_map(|(_, case)| Some(self.case_shown(case, self.case_files.get(&case)?))).collect()
    }

    /// Promised callbacks that are not settled.
    pub fn callbacks_shown(&self, now: Now) -> Vec<Callback> {
        let promises = self.exchange.callbacks().promises();
        promises.filter_map(|promise| self.callback_shown(promise, now)).collect()
    }

    fn callback_shown(&self, promise: &Promise, now: Now) -> Option<Callback> {
        let record = &self.promises.get(&promise.id)?.record;
        let (state, due) = match promise.state {
            Kept::Promised { not_before } => ("promised", now.wall_of(not_before)),
            Kept::Due => ("due", now.wall),
            Kept::Reserved { .. } => ("reserved", now.wall),
            Kept::Dialling { .. } => ("dialling", now.wall),
            Kept::Talking { .. } => ("talking", now.wall),
        };
        Some(Callback {
            id: promise.id.0.to_string(),
            line: record.line.clone(),
            practice: record.practice.clone(),
            promised: record.promised,
            due,
            breach: record.breach,
            state,
            late: promise.escalated,
            missed: promise.missed,
        })
    }

    /// Cases that are not closed.
    pub fn cases_shown(&self) -> Vec<Case> {
        self.case_files.iter().map(|(&id, file)| self.case_shown(id, file)).collect()
    }

    fn case_shown(&self, id: CaseId, file: &File) -> Case {
        let held = self.stacks.get(file.stack.index()).and_then(|cases| cases.get(id));
        let referral = file.referral.and_then(|referral| self.pathways.get(referral));
        Case {
            id,
            stack: self.stack_name(file.stack),
            line: file.record.line.clone(),
            practice: file.record.practice.clone(),
            emergency: file.record.band == Band::EMERGENCY,
            opened: file.record.opened,
            breach: file.record.breach,
            breached: file.record.breached,
            holder: held.and_then(|held| held.holder).map(|holder| self.agent_name(holder)),
            pathway: referral.map(|referral| self.pathway_name(referral.pathway)),
        }
    }
}
