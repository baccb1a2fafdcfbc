//! Where clinicians send patients instead of an ambulance, and what becomes of each referral.
//!
//! A pathway is offered only while a recent report says that it has room. A referral that it does not
//! acknowledge in time goes back to the clinician it came from, as urgent as it was: nobody is left between two
//! services.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cases::Urgency;
use crate::id::{AgentId, CallId, CaseId, DestinationId, PathwayId, ReferralId, WindowId};
use crate::time::{Deadlines, Mono};

/// A service that takes patients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pathway {
    /// Its name in the configuration.
    pub name: String,
    /// What kind of service it is.
    pub kind: Kind,
    /// How long it has to acknowledge a referral.
    pub acknowledge_within: Duration,
    /// Where callers are transferred to; `None` when it only takes referrals of cases.
    pub destination: Option<DestinationId>,
    /// When it is open; `None` for always.
    pub hours: Option<WindowId>,
    /// The configuration no longer has it.
    pub gone: bool,
}

/// The kinds of services that take patients.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A pharmacy.
    Pharmacy,
    /// Urgent community response: a team that is at the patient's home within two hours.
    UrgentCommunityResponse,
    /// Mental health crisis services.
    MentalHealth,
    /// The patient's own surgery.
    Surgery,
    /// Any other.
    Other,
}

impl Kind {
    /// Each with its word, as it is configured and published.
    pub const WORDS: [(&'static str, Kind); 5] = [
        ("pharmacy", Kind::Pharmacy),
        ("urgent-community-response", Kind::UrgentCommunityResponse),
        ("mental-health", Kind::MentalHealth),
        ("surgery", Kind::Surgery),
        ("other", Kind::Other),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Kind::WORDS[self as usize].0
    }
}

/// What a pathway last said of itself.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How many patients it can take.
    pub free: u32,
    /// When that was so.
    pub at: Mono,
}

/// Whether patients can be sent to a pathway now.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Offer {
    /// So many more.
    Room(u32),
    /// None, and why.
    Closed(Closed),
}

/// Why a pathway is not offered.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Closed {
    /// It has never said how many it can take.
    #[error("it has not reported")]
    NoReport,
    /// What it said is too long ago.
    #[error("its report is {} s old", .age.as_secs())]
    Stale {
        /// How long ago.
        age: Duration,
    },
    /// It can take no more.
    #[error("its capacity is used up")]
    Full,
}

/// A patient sent to a pathway, which has not answered yet.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// Of whom; a case stays the clinician's until the pathway acknowledges.
    pub of: Subject,
    /// To where.
    pub pathway: PathwayId,
    /// By whom.
    pub from: AgentId,
    /// How urgent the case is.
    pub urgency: Urgency,
}

/// Whom a referral is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// A caller who is transferred: to answer the call is to acknowledge.
    Call(CallId),
    /// A case.
    Case(CaseId),
}

/// How a referral ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    /// The pathway has taken the patient over.
    Acknowledged,
    /// The pathway will not; the case is its clinician's again.
    Declined,
    /// The pathway did not answer in time; the case is its clinician's again.
    Unacknowledged,
    /// The caller has hung up meanwhile.
    Withdrawn,
}

impl Outcome {
    /// Its word, as it is stored and published.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Acknowledged => "acknowledged",
            Outcome::Declined => "declined",
            Outcome::Unacknowledged => "unacknowledged",
            Outcome::Withdrawn => "withdrawn",
        }
    }
}

/// A referral is over; told once.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Which.
    pub id: ReferralId,
    /// As it was made.
    pub referral: Referral,
    /// How.
    pub outcome: Outcome,
}

/// All pathways, and the referrals that await an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pathways {
    /// After which age a report says nothing of the present.
    fresh_for: Duration,
    /// By [`PathwayId`].
    pathways: Vec<Desk>,
    referrals: BTreeMap<ReferralId, Referral>,
    /// Who has a referral.
    referred: BTreeSet<Subject>,
    deadlines: Deadlines<ReferralId>,
    outputs: VecDeque<Ended>,
    next: u64,
}

/// One pathway's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Desk {
    pathway: Pathway,
    report: Option<Report>,
    /// The report is its own, not what was made of its answer to a question.
    own: bool,
    /// Referrals that await an answer: no report is trusted to have counted them.
    awaiting: u32,
    /// Referrals acknowledged since the report was made.
    acknowledged: u32,
}

impl Desk {
    fn new(pathway: Pathway) -> Desk {
        Desk { pathway, report: None, own: false, awaiting: 0, acknowledged: 0 }
    }

    fn offer(&self, fresh_for: Duration, now: Mono) -> Offer {
        let Some(report) = self.report else { return Offer::Closed(Closed::NoReport) };
        let age = now.since(report.at);
        if age > fresh_for {
            return Offer::Closed(Closed::Stale { age });
        }
        match report.free.saturating_sub(self.awaiting.saturating_add(self.acknowledged)) {
            0 => Offer::Closed(Closed::Full),
            room => Offer::Room(room),
        }
    }
}

impl Pathways {
    /// Pathways that have not reported yet; a report older than `fresh_for` does not count.
    pub fn new(pathways: Vec<Pathway>, fresh_for: Duration) -> Pathways {
        Pathways {
            fresh_for,
            pathways: pathways.into_iter().map(Desk::new).collect(),
            referrals: BTreeMap::new(),
            referred: BTreeSet::new(),
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            next: 1,
        }
    }

    /// A pathway says how many it can take. One that is overtaken by a later report is left aside; one that
    /// claims to be of the future counts as of now.
    pub fn report(&mut self, pathway: PathwayId, report: Report, now: Mono) -> Result<(), Refused> {
        self.handle_timeout(now);
        let desk = self.pathways.get_mut(pathway.index()).ok_or(Refused::UnknownPathway(pathway))?;
        let report = Report { at: report.at.min(now), ..report };
        if desk.report.is_none_or(|last| last.at <= report.at) {
            (desk.report, desk.own) = (Some(report), true);
            desk.acknowledged = 0;
        }
        Ok(())
    }

    /// A pathway has answered that it is there, and by our own count can take so many. What it has reported itself
    /// counts for as long as that is fresh.
    pub fn answered(&mut self, pathway: PathwayId, free: u32, now: Mono) {
        self.handle_timeout(now);
        let fresh_for = self.fresh_for;
        let Some(desk) = self.pathways.get_mut(pathway.index()) else { return };
        let has_said = desk.own && desk.report.is_some_and(|last| now.since(last.at) <= fresh_for);
        if !has_said {
            (desk.report, desk.own) = (Some(Report { free, at: now }), false);
            desk.acknowledged = 0;
        }
    }

    /// Goes on with other pathways; whichever both have has the same id.
    pub fn replan(&mut self, pathways: Vec<Pathway>) {
        for (at, pathway) in pathways.into_iter().enumerate() {
            match self.pathways.get_mut(at) {
                Some(desk) => desk.pathway = pathway,
                None => self.pathways.push(Desk::new(pathway)),
            }
        }
    }

    /// What can be said of one pathway now.
    pub fn offer(&self, pathway: PathwayId, now: Mono) -> Option<Offer> {
        self.pathways.get(pathway.index()).map(|desk| desk.offer(self.fresh_for, now))
    }

    /// What can be said of each pathway now, by [`PathwayId`].
    pub fn offers(&self, now: Mono) -> impl Iterator<Item = (PathwayId, &Pathway, Offer)> {
        let numbered = (0u32..).map(PathwayId).zip(&self.pathways);
        numbered.map(move |(id, desk)| (id, &desk.pathway, desk.offer(self.fresh_for, now)))
    }

    /// Sends a patient to a pathway that has room; a case goes to one pathway at a time. It comes back when the pathway
    /// has not acknowledged in time, or when the patient's own time is over, whichever is first.
    pub fn refer(&mut self, referral: Referral, now: Mono) -> Result<ReferralId, Refused> {
        self.handle_timeout(now);
        let unknown = Refused::UnknownPathway(referral.pathway);
        let desk = self.pathways.get_mut(referral.pathway.index()).ok_or(unknown)?;
        if self.referred.contains(&referral.of) {
            return Err(Refused::AlreadyReferred);
        }
        if let Offer::Closed(why) = desk.offer(self.fresh_for, now) {
            return Err(Refused::Closed(why));
        }
        desk.awaiting += 1;
        let id = ReferralId(self.next);
        self.next += 1;
        let answered_by = now + desk.pathway.acknowledge_within;
        let breach = Some(referral.urgency.breach).filter(|&breach| breach > now);
        self.deadlines.set(id, breach.map_or(answered_by, |breach| breach.min(answered_by)));
        self.referred.insert(referral.of);
        self.referrals.insert(id, referral);
        Ok(id)
    }

    /// The pathway takes the patient over.
    pub fn acknowledge(&mut self, id: ReferralId, now: Mono) -> Result<(), Refused> {
        self.handle_timeout(now);
        self.end(id, Outcome::Acknowledged)
    }

    /// The pathway will not take the patient.
    pub fn decline(&mut self, id: ReferralId, now: Mono) -> Result<(), Refused> {
        self.handle_timeout(now);
        self.end(id, Outcome::Declined)
    }

    /// The caller has hung up before the pathway answered.
    pub fn withdraw(&mut self, id: ReferralId, now: Mono) -> Result<(), Refused> {
        self.handle_timeout(now);
        self.end(id, Outcome::Withdrawn)
    }

    /// When to call [`Pathways::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.deadlines.next()
    }

    /// Ends the referrals that nobody has acknowledged in time.
    pub fn handle_timeout(&mut self, now: Mono) {
        while let Some((_, id)) = self.deadlines.pop_due(now) {
            // Every deadline has its referral.
            let _ = self.end(id, Outcome::Unacknowledged);
        }
    }

    /// The next referral that is over.
    pub fn poll_output(&mut self) -> Option<Ended> {
        self.outputs.pop_front()
    }

    /// The referrals that await an answer.
    pub fn awaiting(&self) -> impl Iterator<Item = (ReferralId, &Referral)> {
        self.referrals.iter().map(|(&id, referral)| (id, referral))
    }

    /// A referral that awaits an answer.
    pub fn get(&self, id: ReferralId) -> Option<&Referral> {
        self.referrals.get(&id)
    }

    fn end(&mut self, id: ReferralId, outcome: Outcome) -> Result<(), Refused> {
        let referral = self.referrals.remove(&id).ok_or(Refused::UnknownReferral(id))?;
        self.deadlines.clear(id);
        self.referred.remove(&referral.of);
        if let Some(desk) = self.pathways.get_mut(referral.pathway.index()) {
            desk.awaiting -= 1;
            desk.acknowledged += u32::from(outcome == Outcome::Acknowledged);
        }
        self.outputs.push_back(Ended { id, referral, outcome });
        Ok(())
    }
}

/// What does not fit; nothing was changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The pathway is not in the plan.
    #[error("{0} is not in the plan")]
    UnknownPathway(PathwayId),
    /// The referral never was, or is over.
    #[error("{0} awaits no answer")]
    UnknownReferral(ReferralId),
    /// Another pathway has not answered yet.
    #[error("the patient is referred already")]
    AlreadyReferred,
    /// The pathway is not offered now.
    #[error("the pathway cannot be used: {0}")]
    Closed(Closed),
}

#[cfg(test)]
mod tests;
