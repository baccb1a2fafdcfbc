//! Each call of a period, with what is known of it besides its row.

use std::collections::BTreeMap;

use crate::time::Wall;

use super::super::words::Kind;
use super::super::{Error, Period};
use super::again::{Again, Callers, REPEATS_WITHIN};
use super::cbt::Class;
use super::rows::{CallKey, CallRow, CaseRow, PromiseRow, Reached, Rows};
use super::terms::{CallbacksCount, Terms, Treated};

/// Which calls a report is of.
#[derive(Copy, Clone, Debug)]
pub struct Scope<'a> {
    /// Those that arrived in it.
    pub period: Period,
    /// Those of this practice, by ODS code or name; `None` for all.
    pub practice: Option<&'a str>,
}

/// The promises and cases of a period.
pub struct Background {
    /// Promised callbacks.
    pub promises: Vec<PromiseRow>,
    /// Cases.
    pub cases: Vec<CaseRow>,
    /// Callbacks that were answered, by the call in which they were promised.
    reached: BTreeMap<CallKey, Reached>,
    /// What the case of a call came to.
    treated: BTreeMap<CallKey, Option<Treated>>,
}

/// A call, and what is known of it.
pub struct Told<'a> {
    /// Its row.
    pub call: &'a CallRow<'a>,
    /// What it counts as in cloud-based telephony; `None` for an emergency and for a call that we made.
    pub class: Option<Class>,
    /// Whether the caller rings again; [`Again::Unknown`] where nobody asked.
    pub again: Again,
    /// How a 999 caller was helped without an ambulance.
    pub treated: Option<Treated>,
}

impl Scope<'_> {
    /// Whether calls of a practice, as they name it, are among them.
    pub fn takes(&self, practice: Option<&str>, terms: &Terms) -> bool {
        let Some(wanted) = self.practice else { return true };
        let named = |code: &str| terms.practices.get(code).is_some_and(|known| known.name == wanted);
        practice.is_some_and(|code| code == wanted || named(code))
    }
}

impl Background {
    /// Reads what belongs to the calls of `scope`.
    pub fn read(rows: &impl Rows, scope: Scope<'_>, terms: &Terms) -> Result<Background, Error> {
        let mut promises = rows.promises(scope.period)?;
        promises.retain(|promise| scope.takes(promise.practice.as_deref(), terms));
        let mut cases = rows.cases(scope.period)?;
        cases.retain(|case| scope.takes(case.practice.as_deref(), terms));
        let reached = promises.iter().filter_map(|promise| Some((promise.key, promise.reached?))).collect();
        let treated = cases.iter().map(|case| (case.key, terms.came_to(case))).collect();
        Ok(Background { promises, cases, reached, treated })
    }
}

impl Terms {
    fn came_to(&self, case: &CaseRow) -> Option<Treated> {
        match (&case.handed_to, &case.disposition) {
            (Some(_), _) => Some(Treated::Referral),
            (None, code) => self.dispositions.get(code.as_deref()?).copied(),
        }
    }
}

/// Gives `each` the calls of `scope`, in order of arrival; with `again` also whether callers ring again, for which
/// the calls of the day before are read too.
pub fn walk(
    rows: &impl Rows,
    scope: Scope<'_>,
    terms: &Terms,
    background: &Background,
    again: bool,
    mut each: impl FnMut(&Told<'_>),
) -> Result<(), Error> {
    let Period { from, to } = scope.period;
    let look_back = if again { REPEATS_WITHIN } else { 0 };
    let mut callers = again.then(|| Callers::new(terms.redials_within));
    rows.each_call(Period { from: Wall(from.0.saturating_sub(look_back)), to }, &mut |call| {
        let again = callers.as_mut().map_or(Again::Unknown, |callers| callers.see(call));
        if call.arrived >= from && scope.takes(call.practice, terms) {
            each(&Told {
                call,
                class: background.class(call, terms),
                again,
                treated: background.treated(call, terms),
            });
        }
    })
}

impl Background {
    fn class(&self, call: &CallRow<'_>, terms: &Terms) -> Option<Class> {
        if call.is_emergency() || !call.is_callers() {
            return None;
        }
        let reached = || self.reached.get(&call.key).filter(|_| terms.callbacks == CallbacksCount::Answered);
        match call.kind {
            Kind::Refused => Some(Class::Routing),
            Kind::Answered => Some(Class::Answered { waited: call.waited, talked: call.talked() }),
            Kind::Abandoned | Kind::Lost | Kind::Released => Some(Class::Missed { waited: call.waited }),
            Kind::Promised => Some(match reached() {
                Some(reached) => Class::Answered {
                    waited: reached.at.0.saturating_sub(call.arrived.0).max(0).unsigned_abs(),
                    talked: reached.talked,
                },
                None => Class::Requested,
            }),
            // Only of calls that we make.
            Kind::Unreached | Kind::Withdrawn => None,
        }
    }

    /// The end of its case counts, if it has one; or else who answered last, and with what disposition.
    fn treated(&self, call: &CallRow<'_>, terms: &Terms) -> Option<Treated> {
        if !call.is_emergency() || !call.is_callers() || call.kind != Kind::Answered {
            return None;
        }
        if let Some(&treated) = self.treated.get(&call.key) {
            return treated;
        }
        match call.agent {
            Some(agent) if terms.pathways.contains(agent) => Some(Treated::Referral),
            _ => terms.dispositions.get(call.disposition?).copied(),
        }
    }
}

impl Told<'_> {
    /// The wait, with that for a callback where it counts as answered.
    pub fn waited(&self) -> u64 {
        match self.class {
            Some(Class::Answered { waited, .. }) => waited,
            _ => self.call.waited,
        }
    }

    /// How long caller and agent talked, likewise.
    pub fn talked(&self) -> u64 {
        match self.class {
            Some(Class::Answered { talked, .. }) => talked,
            _ => self.call.talked(),
        }
    }
}

impl Told<'_> {
    /// Whether it is a callback that was made: the patient answered or was not reached. One that ended before that was
    /// none.
    pub fn is_callback_made(&self) -> bool {
        let call = self.call;
        call.promise.is_some()
            && !call.is_emergency()
            && matches!(call.kind, Kind::Answered | Kind::Unreached)
    }
}
