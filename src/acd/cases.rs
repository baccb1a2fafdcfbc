//! The clinicians' stack of cases: within a band, the one that must be dealt with first is taken first.
//!
//! A case is opened once and closed once, with a code of the configured table. In between it is on the stack
//! or held by one clinician; given back, it takes its old place.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::Band;
use crate::id::{AgentId, CallId, CaseId, DispositionId};
use crate::time::{Deadlines, Mono};

/// How urgent a case is; the lesser is taken first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Urgency {
    /// The priority class.
    pub band: Band,
    /// When it must have been dealt with.
    pub breach: Mono,
}

/// Something that a clinician must assess.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The call it came from.
    pub call: CallId,
    /// How urgent it is, from opening to close.
    pub urgency: Urgency,
    /// Who has it; `None` while it is on the stack.
    pub holder: Option<AgentId>,
}

/// A case passed its breach time before it was closed; told once.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breached {
    /// Which.
    pub case: CaseId,
    /// Who has it; `None` while it is on the stack.
    pub holder: Option<AgentId>,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// The code by which it is chosen and reported.
    pub code: String,
    /// What it means, for people.
    pub words: String,
}

/// All open cases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cases {
    /// By [`DispositionId`].
    dispositions: Vec<Disposition>,
    /// How many cases may be open at a time.
    most: usize,
    open: BTreeMap<CaseId, Case>,
    stack: BTreeSet<(Urgency, CaseId)>,
    held: BTreeSet<(AgentId, CaseId)>,
    deadlines: Deadlines<CaseId>,
    outputs: VecDeque<Breached>,
    next: u64,
}

/// How many codes there may be.
pub const MOST_DISPOSITIONS: usize = 1_000;

impl Cases {
    /// An empty stack for `most` cases, with its table of codes.
    pub fn new(dispositions: Vec<Disposition>, most: usize) -> Result<Cases, Refused> {
        let codes: BTreeSet<&str> =
            dispositions.iter().map(|disposition| disposition.code.as_str()).collect();
        if codes.len() < dispositions.len() || dispositions.len() > MOST_DISPOSITIONS {
            return Err(Refused::Codes);
        }
        Ok(Cases {
            dispositions,
            most,
            open: BTreeMap::new(),
            stack: BTreeSet::new(),
            held: BTreeSet::new(),
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            next: 1,
        })
    }

    /// Puts a new case on the stack.
    pub fn open(&mut self, call: CallId, urgency: Urgency, now: Mono) -> Result<CaseId, Refused> {
        self.handle_timeout(now);
        if self.open.len() >= self.most {
            return Err(Refused::Full);
        }
        let case = CaseId(self.next);
        self.next += 1;
        self.open.insert(case, Case { call, urgency, holder: None });
        self.stack.insert((urgency, case));
        self.deadlines.set(case, urgency.breach);
        self.handle_timeout(now);
        Ok(case)
    }

    /// Gives this clinician the most urgent case on the stack.
    pub fn take(&mut self, agent: AgentId, now: Mono) -> Option<CaseId> {
        self.handle_timeout(now);
        let (_, case) = self.stack.pop_first()?;
        self.open.get_mut(&case)?.holder = Some(agent);
        self.held.insert((agent, case));
        Some(case)
    }

    /// The clinician puts a case back: it takes its old place.
    pub fn give_back(&mut self, case: CaseId, agent: AgentId, now: Mono) -> Result<(), Refused> {
        self.handle_timeout(now);
        let held = self.held_by(case, agent)?;
        held.holder = None;
        let urgency = held.urgency;
        self.held.remove(&(agent, case));
        self.stack.insert((urgency, case));
        Ok(())
    }

    /// The clinician has gone: puts back all that he or she held, and gives how many.
    pub fn agent_gone(&mut self, agent: AgentId, now: Mono) -> usize {
        self.handle_timeout(now);
        let range = (agent, CaseId(0))..=(agent, CaseId(u64::MAX));
        let cases: Vec<CaseId> = self.held.range(range).map(|&(_, case)| case).collect();
        cases.iter().filter(|&&case| self.give_back(case, agent, now).is_ok()).count()
    }

    /// The clinician is done with a case; `code` says how it ended.
    pub fn close(
        &mut self,
        case: CaseId,
        agent: AgentId,
        code: &str,
        now: Mono,
    ) -> Result<(Case, DispositionId), Refused> {
        self.handle_timeout(now);
        self.held_by(case, agent)?;
        let place = self.dispositions.iter().position(|disposition| disposition.code == code);
        let disposition = place.and_then(|place| u16::try_from(place).ok()).ok_or(Refused::UnknownCode)?;
        let closed = self.open.remove(&case).ok_or(Refused::NotTheirs { case, agent })?;
        self.held.remove(&(agent, case));
        self.deadlines.clear(case);
        Ok((closed, DispositionId(disposition)))
    }

    /// When to call [`Cases::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.deadlines.next()
    }

    /// Tells of the cases that have passed their breach times by `now`.
    pub fn handle_timeout(&mut self, now: Mono) {
        while let Some((_, case)) = self.deadlines.pop_due(now) {
            let holder = self.open.get(&case).and_then(|case| case.holder);
            self.outputs.push_back(Breached { case, holder });
        }
    }

    /// The next case that has passed its breach time.
    pub fn poll_output(&mut self) -> Option<Breached> {
        self.outputs.pop_front()
    }

    /// An open case.
    pub fn get(&self, case: CaseId) -> Option<&Case> {
        self.open.get(&case)
    }

    /// The cases on the stack, most urgent first.
    pub fn stack(&self) -> impl Iterator<Item = CaseId> {
        self.stack.iter().map(|&(_, case)| case)
    }

    /// How many cases are open, on the stack or held.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    fn held_by(&mut self, case: CaseId, agent: AgentId) -> Result<&mut Case, Refused> {
        let held = self.open.get_mut(&case).filter(|open| open.holder == Some(agent));
        held.ok_or(Refused::NotTheirs { case, agent })
    }
}

/// What does not fit; nothing was changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many cases are open as may be.
    #[error("no more cases can be opened")]
    Full,
    /// The case is closed, on the stack, or another's.
    #[error("{agent} does not hold {case}")]
    NotTheirs { case: CaseId, agent: AgentId },
    /// The code is not in the table.
    #[error("no such disposition code")]
    UnknownCode,
    /// A code is in the table twice, or there are more than [`MOST_DISPOSITIONS`].
    #[error("the table of disposition codes has one twice or is too long")]
    Codes,
}

#[cfg(test)]
mod tests;
