//! Pathways: which can be transferred to now, and what becomes of the patients who are referred to them.
//!
//! A pathway is offered while it is open, has been heard of within [`FRESH_FOR`] and has room. It is heard of by its
//! answers to OPTIONS, by which it can take as many callers as it has seats left; or it reports how many it can take.

use std::time::Duration;

use crate::acd::Availability;
use crate::acd::cases::Urgency;
use crate::acd::pathway::{
    Closed, Ended, Offer, Outcome, Pathway, Pathways, Referral, Refused, Report, Subject,
};
use crate::call::Call;
use crate::id::{AgentId, CallId, DestinationId, PathwayId, ReferralId};
use crate::time::{Mono, Wall};

use super::plan::Phone;
use super::transfer::Unwilling;
use super::{Event, PathwayOrder, Switch};

/// For how long what is known of a pathway counts.
pub(super) const FRESH_FOR: Duration = Duration::from_secs(60);

impl Switch {
    pub(super) fn pathway_order(&mut self, order: PathwayOrder) -> Result<(), super::Refused> {
        let now = self.now.mono;
        let obeyed = match order {
            PathwayOrder::Report(pathway, free) => {
                self.pathways.report(pathway, Report { free, at: now }, now)
            }
            PathwayOrder::Acknowledge(referral) | PathwayOrder::Decline(referral)
                if self.is_of_caller(referral) =>
            {
                let why = "the caller is on the way to the pathway, and its phone answers for it";
                return Err(super::Refused::NotNow(why.to_owned()));
            }
            PathwayOrder::Acknowledge(referral) => self.pathways.acknowledge(referral, now),
            PathwayOrder::Decline(referral) => self.pathways.decline(referral, now),
        };
        Ok(obeyed?)
    }

    fn is_of_caller(&self, referral: ReferralId) -> bool {
        self.pathways.get(referral).is_some_and(|known| matches!(known.of, Subject::Call(_)))
    }

    /// Where to ring for a pathway that can be transferred to now.
    pub(super) fn open_pathway(&self, id: PathwayId) -> Result<DestinationId, Unwilling> {
        let pathway =
            self.plan.pathways.get(id.index()).ok_or(Unwilling::new(404, "there is no such pathway"))?;
        let destination = pathway.destination.ok_or(Unwilling::new(480, "the pathway takes no calls"))?;
        if !self.is_at_work(pathway, self.now.wall) {
            return Err(Unwilling::new(480, "the pathway is closed at this hour"));
        }
        match self.pathways.offer(id, self.now.mono) {
            Some(Offer::Room(_)) => Ok(destination),
            Some(Offer::Closed(Closed::Full)) => Err(Unwilling::new(480, "the pathway is full")),
            Some(Offer::Closed(Closed::NoReport | Closed::Stale { .. })) | None => {
                Err(Unwilling::new(480, "the pathway has not been heard of for a minute"))
            }
        }
    }

    /// Why no seat of a pathway that is offered can be rung.
    pub(super) fn why_no_seat(&self, pathway: PathwayId) -> Unwilling {
        let destination = self.plan.pathways.get(pathway.index()).and_then(|pathway| pathway.destination);
        let mut seats = destination.into_iter().flat_map(|destination| self.plan.acd.seats(destination));
        let distributor = self.exchange.distributor();
        if seats.any(|seat| distributor.availability(seat) == Some(Availability::Unreachable)) {
            Unwilling::new(480, "the pathway cannot be reached")
        } else {
            Unwilling::new(480, "the pathway is full")
        }
    }

    /// A caller is on the way to a pathway.
    pub(super) fn refer_caller(&mut self, call: CallId, agent: AgentId, pathway: PathwayId) {
        let Some(band) = self.calls.get(&call).map(|call| call.band) else { return };
        let within =
            self.plan.pathways.get(pathway.index()).map_or(FRESH_FOR, |known| known.acknowledge_within);
        let urgency = Urgency { band, breach: self.now.mono + within };
        let referral = Referral { of: Subject::Call(call), pathway, from: agent, urgency };
        let referred = self.pathways.refer(referral, self.now.mono).ok();
        if let Some(transfer) = self.calls.get_mut(&call).and_then(Call::transfer_mut) {
            transfer.referral = referred;
        }
        if let Some(referral) = referred {
            self.referred(referral, pathway, agent);
        }
    }

    /// An agent has referred a caller or a case to a pathway.
    pub(super) fn referred(&mut self, referral: ReferralId, pathway: PathwayId, agent: AgentId) {
        self.counters.referrals += 1;
        let (pathway, agent) = (self.pathway_name(pathway), self.agent_name(agent));
        self.emit(Event::Referred { referral, pathway, agent });
    }

    /// Whether this is an hour of a pathway.
    pub(super) fn is_at_work(&self, pathway: &Pathway, at: Wall) -> bool {
        pathway.hours.is_none_or(|hours| self.plan.guide.calendar.covers(hours, None, at))
    }

    /// What has come of a caller's transfer is what has come of the referral, if it was one.
    pub(super) fn referral_of(
        &mut self,
        call: CallId,
        end: impl Fn(&mut Pathways, ReferralId, Mono) -> Result<(), Refused>,
    ) {
        let transfer = self.calls.get_mut(&call).and_then(Call::transfer_mut);
        if let Some(referral) = transfer.and_then(|transfer| transfer.referral.take()) {
            // Refused only when it is over already, which is what is wanted.
            let _ = end(&mut self.pathways, referral, self.now.mono);
        }
    }

    pub(super) fn referral_ended(&mut self, ended: Ended) {
        let Ended { id, referral, outcome } = ended;
        if matches!(outcome, Outcome::Declined | Outcome::Unacknowledged) {
            self.counters.referrals_returned += 1;
        }
        let (pathway, agent) = (self.pathway_name(referral.pathway), self.agent_name(referral.from));
        self.emit(Event::ReferralEnded { referral: id, pathway: pathway.clone(), agent, outcome });
        if let Subject::Case(case) = referral.of {
            self.case_referral_ended(case, referral.from, outcome, pathway);
        }
    }

    /// The phone of this agent or seat has answered: so have the pathways at its address.
    pub(super) fn pathway_answers(&mut self, agent: AgentId) {
        let answered: Vec<_> = self.pathways_of(agent).collect();
        for (pathway, destination) in answered {
            let distributor = self.exchange.distributor();
            let talks =
                |&seat: &AgentId| matches!(distributor.availability(seat), Some(Availability::Talking(_)));
            let free = self.plan.acd.seats(destination).filter(|seat| !talks(seat)).count();
            self.pathways.answered(pathway, u32::try_from(free).unwrap_or(u32::MAX), self.now.mono);
        }
    }

    /// The pathways that are at the address of this agent's or seat's phone.
    pub(super) fn pathways_of(&self, agent: AgentId) -> impl Iterator<Item = (PathwayId, DestinationId)> {
        let address = self.plan.phones.get(agent.index()).map(Phone::address);
        let pathways = (0u32..).map(PathwayId).zip(&self.plan.pathways);
        pathways.filter(|(_, pathway)| !pathway.gone).filter_map(move |(id, pathway)| {
            let destination = pathway.destination?;
            let seat = self.plan.acd.seats(destination).next()?;
            (self.plan.phones.get(seat.index()).map(Phone::address) == address).then_some((id, destination))
        })
    }

    pub(super) fn pathway_name(&self, pathway: PathwayId) -> String {
        let known = self.plan.pathways.get(pathway.index());
        known.map_or_else(|| pathway.to_string(), |pathway| pathway.name.clone())
    }
}
