//! Waits, callbacks and cases, told apart as asked.

use std::collections::BTreeMap;

use super::super::reader::Promises;
use super::super::waits::{Table, Tally};
use super::again::Again;
use super::clock::Clock;
use super::group::{By, Subject};
use super::rows::{CallRow, CaseRow, PromiseRow};
use super::terms::Terms;
use super::walk::{Background, Told};

/// Collects calls for the table of waits.
pub struct Summary {
    by: By,
    clock: Clock,
    tally: Tally,
    redials: Redials,
}

/// Callers who rang again.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Redials {
    /// Callers' own calls.
    pub calls: u64,
    /// Of these, those without a stored number, of which nobody can tell.
    pub unnumbered: u64,
    /// Those within the time for redials after the same caller gave up.
    pub redials: u64,
    /// Those within 24 hours of another call by the same number, redials among them.
    pub repeats: u64,
}

/// What became of the cases of a group.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Cases {
    /// All of them; the sum of the next four.
    pub opened: u64,
    /// Closed by a clinician.
    pub closed: u64,
    /// Taken over by a pathway.
    pub handed_over: u64,
    /// Referred to a pathway that has not acknowledged it.
    pub unacknowledged: u64,
    /// Not closed, and referred nowhere.
    pub open: u64,
    /// Of all, those that were not closed by their breach time.
    pub late: u64,
}

impl Summary {
    /// No calls yet.
    pub fn new(by: By, terms: &Terms) -> Summary {
        Summary {
            by,
            clock: Clock::new(terms.zone.clone()),
            tally: Tally::default(),
            redials: Redials::default(),
        }
    }

    /// Counts a call, if it is a caller's own.
    pub fn add(&mut self, told: &Told<'_>, terms: &Terms) {
        let call = told.call;
        if !call.is_callers() {
            return;
        }
        let local = match self.by {
            By::Hour => self.clock.local(call.arrived),
            _ => super::clock::Local { day: 0, minute: 0 },
        };
        self.tally.add(&self.by.name(&Subject::from(call), local, terms), call.kind, call.waited);
        self.redials.calls += 1;
        self.redials.unnumbered += u64::from(call.cli.is_none());
        self.redials.redials += u64::from(told.again == Again::Redial);
        self.redials.repeats += u64::from(matches!(told.again, Again::Redial | Again::Repeat));
    }

    /// The table of waits by group, and who rang again.
    pub fn end(self) -> (Table, Redials) {
        (self.tally.table(), self.redials)
    }
}

impl Background {
    /// What became of promised callbacks, by group.
    pub fn callbacks(&self, by: By, terms: &Terms) -> BTreeMap<String, Promises> {
        let mut clock = Clock::new(terms.zone.clone());
        let mut groups: BTreeMap<String, Promises> = BTreeMap::new();
        // What became part of another is counted there; what was not made was no promise.
        let kept =
            |promise: &&PromiseRow| !matches!(promise.outcome.as_deref(), Some("merged" | "cancelled"));
        for promise in self.promises.iter().filter(kept) {
            let name = by.name(&Subject::from(promise), clock.local(promise.arrived), terms);
            let group = groups.entry(name.into_owned()).or_default();
            let count = match promise.outcome.as_deref() {
                None => &mut group.open,
                Some("reached") => &mut group.reached,
                Some("own-call") => &mut group.own_calls,
                Some(_) => &mut group.failed,
            };
            *count += 1;
            group.promised += 1;
            group.late += u64::from(promise.late);
        }
        groups
    }

    /// What became of cases, by group.
    pub fn cases(&self, by: By, terms: &Terms) -> BTreeMap<String, Cases> {
        let mut clock = Clock::new(terms.zone.clone());
        let mut groups: BTreeMap<String, Cases> = BTreeMap::new();
        for case in &self.cases {
            let name = by.name(&Subject::from(case), clock.local(case.arrived), terms);
            let group = groups.entry(name.into_owned()).or_default();
            let count = match (&case.disposition, &case.handed_to, &case.referred_to) {
                (Some(_), ..) => &mut group.closed,
                (_, Some(_), _) => &mut group.handed_over,
                (_, _, Some(_)) => &mut group.unacknowledged,
                _ => &mut group.open,
            };
            *count += 1;
            group.opened += 1;
            group.late += u64::from(case.late);
        }
        groups
    }
}

impl<'a> From<&CallRow<'a>> for Subject<'a> {
    fn from(call: &CallRow<'a>) -> Subject<'a> {
        Subject { line: call.line, trunk: call.trunk, practice: call.practice, agent: call.agent }
    }
}

/// Nobody has answered a promise or a case yet: by team they all are one group.
impl<'a> From<&'a PromiseRow> for Subject<'a> {
    fn from(promise: &'a PromiseRow) -> Subject<'a> {
        let PromiseRow { line, trunk, practice, .. } = promise;
        Subject { line, trunk, practice: practice.as_deref(), agent: None }
    }
}

impl<'a> From<&'a CaseRow> for Subject<'a> {
    fn from(case: &'a CaseRow) -> Subject<'a> {
        let CaseRow { line, trunk, practice, .. } = case;
        Subject { line, trunk, practice: practice.as_deref(), agent: None }
    }
}
