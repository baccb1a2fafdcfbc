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
        })
    }

    /// The table of codes is another from now on; refused as in [`Cases::new`].
    pub fn replan(&mut self, dispositions: Vec<Disposition>) -> Result<(), Refused> {
        let Cases { dispositions, .. } = Cases::new(dispositions, self.most)?;
        self.dispositions = dispositions;
        Ok(())
    }

    /// Puts a new case on the stack; its number must never have been used.
    pub fn open(&mut self, case: CaseId, call: CallId, urgency: Urgency, now: Mono) -> Result<(), Refused> {
        self.handle_timeout(now);
        if self.open.len() >= self.most {
            return Err(Refused::Full);
        }
        if self.open.contains_key(&case) {
            return Err(Refused::Duplicate(case));
        }
        self.open.insert(case, Case { call, urgency, holder: None });
        self.stack.insert((urgency, case));
        self.deadlines.set(case, urgency.breach);
        self.handle_timeout(now);
        Ok(())
    }

    /// How urgent the most urgent case on the stack is.
    pub fn most_urgent(&self) -> Option<Urgency> {
        self.stack.first().map(|&(urgency, _)| urgency)
    }

    /// Gives this clinician the most urgent case on the stack.
    pub fn take(&mut self, agent: AgentId, now: Mono) -> Option<CaseId> {
        self.handle_timeout(now);
        let (_, case) = self.stack.pop_first()?;
        self.open.get_mut(&case)?.holder = Some(agent);
        self.held.insert((agent, case));
        Some(case)
    }

    /// Gives this clinician a case that is on the stack.
    pub fn take_this(&mut self, case: CaseId, agent: AgentId, now: Mono) -> Result<(), Refused> {
        self.handle_timeout(now);
        let open = self.open.get_mut(&case).filter(|open| open.holder.is_none());
        let open = open.ok_or(Refused::NotOnStack(case))?;
        open.holder = Some(agent);
        self.stack.remove(&(open.urgency, case));
        self.held.insert((agent, case));
        Ok(())
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

    /// The cases that a clinician holds.
    pub fn held_of(&self, agent: AgentId) -> impl Iterator<Item = CaseId> {
        let range = (agent, CaseId(0))..=(agent, CaseId(u64::MAX));
        self.held.range(range).map(|&(_, case)| case)
    }

    /// The clinician is done with a case, which a pathway has taken over.
    pub fn hand_over(&mut self, case: CaseId, agent: AgentId, now: Mono) -> Result<Case, Refused> {
        self.handle_timeout(now);
        self.held_by(case, agent)?;
        let closed = self.open.remove(&case).ok_or(Refused::NotTheirs { case, agent })?;
        self.held.remove(&(agent, case));
        self.deadlines.clear(case);
        Ok(closed)
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
        Ok((self.hand_over(case, agent, now)?, DispositionId(disposition)))
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

    /// Every open case, on the stack or held.
    pub fn all(&self) -> impl Iterator<Item = (CaseId, &Case)> {
        self.open.iter().map(|(&id, case)| (id, case))
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
    /// There is an open case of that number.
    #[error("{0} is open already")]
    Duplicate(CaseId),
    /// The case is closed, on the stack, or another's.
    #[error("{agent} does not hold {case}")]
    NotTheirs { case: CaseId, agent: AgentId },
    /// The case is closed, or somebody has it.
    #[error("{0} is not on the stack")]
    NotOnStack(CaseId),
    /// The code is not in the table.
    #[error("no such disposition code")]
    UnknownCode,
    /// A code is in the table twice, or there are more than [`MOST_DISPOSITIONS`].
    #[error("the table of disposition codes has one twice or is too long")]
    Codes,
}

#[cfg(test)]
mod tests;
