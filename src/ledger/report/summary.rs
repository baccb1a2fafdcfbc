//! Waits, callbacks, cases and callers who rang again, told apart as asked.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::Error;
use super::super::waits::{Table, Tally};
use super::clock::Clock;
use super::figure::Figure;
use super::group::{By, Subject};
use super::rows::{CallRow, CaseRow, PromiseRow, Rows};
use super::terms::Terms;
use super::walk::{Background, Scope, Told, walk};

/// What became of the calls of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Outcomes and waits of callers' own calls, by group.
    pub waits: Table,
    /// Callers who rang again.
    pub redials: Redials,
    /// Promised callbacks, by group.
    pub callbacks: BTreeMap<String, Promises>,
    /// Cases, by group.
    pub cases: BTreeMap<String, Cases>,
    /// Referrals, by pathway; none in a summary of one practice, for no practice is written with them.
    pub referrals: BTreeMap<String, Referrals>,
}

/// What became of referrals to a pathway.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Referrals {
    /// All of them; the sum of the next five.
    pub made: u64,
    /// Taken on.
    pub acknowledged: u64,
    /// Turned down.
    pub declined: u64,
    /// Not answered in time.
    pub unacknowledged: u64,
    /// Taken back.
    pub withdrawn: u64,
    /// Not answered yet.
    pub open: u64,
}

/// What became of promised callbacks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Promises {
    /// All of them; the sum of the next four.
    pub promised: u64,
    /// The patient was called and talked with an agent.
    pub reached: u64,
    /// The patient rang again, and was answered.
    pub own_calls: u64,
    /// The patient was not reached, or not called in time.
    pub failed: u64,
    /// Not settled yet.
    pub open: u64,
    /// Of all, those that were not kept by their breach time.
    pub late: u64,
}

/// Callers who rang again.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// Of the calls of `scope`.
    pub fn of(rows: &impl Rows, scope: Scope<'_>, by: By, terms: &Terms) -> Result<Summary, Error> {
        let background = Background::read(rows, scope, terms)?;
        let (mut clock, mut tally) = (Clock::new(terms.zone.clone()), Tally::default());
        let mut redials = Redials::default();
        walk(rows, scope, terms, &background, true, |told| {
            let call = told.call;
            if call.is_callers() {
                let name = by.name(&Subject::from(call), clock.local(call.arrived), terms);
                tally.add(&name, call.kind, call.waited);
                redials.add(told, terms);
            }
        })?;
        let (callbacks, cases) = (background.callbacks(by, terms), background.cases(by, terms));
        let referrals = match scope.practice {
            None => Referrals::by_pathway(rows.referrals(scope.period)?),
            Some(_) => BTreeMap::new(),
        };
        Ok(Summary { waits: tally.table(), redials, callbacks, cases, referrals })
    }
}

impl Redials {
    fn add(&mut self, told: &Told<'_>, terms: &Terms) {
        let counts = |figure: Figure| u64::from(figure.counts(told, terms));
        self.calls += counts(Figure::Calls);
        self.unnumbered += counts(Figure::Unnumbered);
        self.redials += counts(Figure::Redials);
        self.repeats += counts(Figure::Repeats);
    }
}

impl Referrals {
    fn by_pathway(rows: Vec<(String, Option<String>)>) -> BTreeMap<String, Referrals> {
        let mut pathways: BTreeMap<String, Referrals> = BTreeMap::new();
        for (pathway, outcome) in rows {
            let of = pathways.entry(pathway).or_default();
            let count = match outcome.as_deref() {
                None => &mut of.open,
                Some("acknowledged") => &mut of.acknowledged,
                Some("declined") => &mut of.declined,
                Some("withdrawn") => &mut of.withdrawn,
                Some(_) => &mut of.unacknowledged,
            };
            *count += 1;
            of.made += 1;
        }
        pathways
    }
}

impl Background {
    fn callbacks(&self, by: By, terms: &Terms) -> BTreeMap<String, Promises> {
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

    fn cases(&self, by: By, terms: &Terms) -> BTreeMap<String, Cases> {
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
