//! Which calls count for what: the one place that says so.

use super::super::words::Kind;
use super::again::Again;
use super::cbt::Indicator;
use super::terms::{Terms, Treated};
use super::walk::Told;

/// A set of calls that a report counts, or of which it gives waits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Callers' own calls.
    Calls,
    /// Callers' own calls that ended so.
    Ended(Kind),
    /// Callers who gave up and rang again soon.
    Redials,
    /// Callers who rang again within 24 hours, redials among them.
    Repeats,
    /// Callers whose numbers are not stored.
    Unnumbered,
    /// An indicator of cloud-based telephony.
    Cbt(Indicator),
    /// Routine callers who gave up before an answer.
    Abandoned,
    /// Routine callers who were promised a callback, whatever came of it.
    Requested,
    /// 999 calls that were answered.
    EmergencyAnswered,
    /// 999 calls that waited over two minutes for the answer.
    EmergencyLong,
    /// 999 callers who were helped without an ambulance.
    HeardAndTreated,
    /// The same, by advice or by a referral.
    TreatedBy(Treated),
    /// Routine calls offered.
    Received,
    /// Routine calls answered.
    Answered,
    /// Routine callers who gave up late enough to count.
    AbandonedLate,
    /// Routine callers who gave up too soon to count.
    AbandonedEarly,
}

/// A wait for a 999 answer that is longer than this is a long one, in milliseconds.
const LONG: u64 = 120_000;

impl Figure {
    /// Figures of the table, with the words by which they can be traced.
    pub const OF_TABLE: [(&'static str, Figure); 11] = [
        ("calls", Figure::Calls),
        ("answered", Figure::Ended(Kind::Answered)),
        ("abandoned", Figure::Ended(Kind::Abandoned)),
        ("refused", Figure::Ended(Kind::Refused)),
        ("lost", Figure::Ended(Kind::Lost)),
        ("released", Figure::Ended(Kind::Released)),
        ("promised", Figure::Ended(Kind::Promised)),
        ("redials", Figure::Redials),
        ("repeats", Figure::Repeats),
        ("unnumbered", Figure::Unnumbered),
        ("callbacks", Figure::Cbt(Indicator::Cbt006)),
    ];

    /// Whether a call counts for it.
    pub fn counts(self, told: &Told<'_>, terms: &Terms) -> bool {
        let call = told.call;
        let routine = call.is_callers() && !call.is_emergency();
        let emergency = call.is_callers() && call.is_emergency();
        let late = || u128::from(call.waited) >= terms.abandoned_after.as_millis();
        match self {
            Figure::Calls => call.is_callers(),
            Figure::Ended(kind) => call.is_callers() && call.kind == kind,
            Figure::Redials => told.again == Again::Redial,
            Figure::Repeats => matches!(told.again, Again::Redial | Again::Repeat),
            Figure::Unnumbered => call.is_callers() && call.cli.is_none(),
            Figure::Cbt(indicator) => indicator.counts(told),
            Figure::Abandoned => routine && call.kind == Kind::Abandoned,
            Figure::Requested => routine && call.kind == Kind::Promised,
            Figure::EmergencyAnswered => emergency && call.kind == Kind::Answered,
            Figure::EmergencyLong => emergency && call.kind == Kind::Answered && call.waited > LONG,
            Figure::HeardAndTreated => told.treated.is_some(),
            Figure::TreatedBy(treated) => told.treated == Some(treated),
            Figure::Received => routine,
            Figure::Answered => routine && call.kind == Kind::Answered,
            Figure::AbandonedLate => routine && call.kind == Kind::Abandoned && late(),
            Figure::AbandonedEarly => routine && call.kind == Kind::Abandoned && !late(),
        }
    }
}
