//! Phones are asked now and then whether they are there; one that is not gets no calls until it is back.
//!
//! A phone is believed to be there until it has answered once and then no longer does: some PBXs answer no
//! OPTIONS at all, and their agents must not be lost for that.

use std::time::Duration;

use crate::acd;
use crate::id::AgentId;
use crate::sip::message::Method;
use crate::sip::name_addr::NameAddr;
use crate::sip::uri::Uri;

use super::plan::Phone;
use super::{Ask, Switch, Timer};

/// How long a phone may take to answer: four transmissions over UDP.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often a pathway is asked, at least: three answers may be lost before it counts as stale.
const PATHWAY_EVERY: Duration = Duration::from_secs(15);
/// How often a phone that is not there is asked, at least.
const RECHECK: Duration = Duration::from_secs(5);

impl Switch {
    /// Sets out to ask every phone, spread evenly over the interval, pathways at once. Agents who share a phone share its answers.
    pub(super) fn watch_phones(&mut self) {
        let phones = u32::try_from(self.plan.phones.len()).unwrap_or(u32::MAX);
        for agent in self.plan.first_with_phone() {
            if let Some(every) = self.asked_every(agent) {
                // Nobody is sent to a pathway before it has answered.
                let spread = self.pathways_of(agent).next().is_none().then(|| every * agent.0 / phones);
                self.deadlines.set(Timer::AskPhone(agent), self.now.mono + spread.unwrap_or_default());
            }
        }
    }

    /// How often a phone is asked; `None` for never. Pathways have to be heard of whatever is said of phones.
    fn asked_every(&self, agent: AgentId) -> Option<Duration> {
        let every = Some(self.plan.sip.probe_every).filter(|every| !every.is_zero());
        match self.pathways_of(agent).next() {
            Some(_) => Some(every.map_or(PATHWAY_EVERY, |every| every.min(PATHWAY_EVERY))),
            None => every,
        }
    }

    /// Asks no phone any more.
    pub(super) fn stop_watching_phones(&mut self) {
        let phones = u32::try_from(self.plan.phones.len()).unwrap_or(u32::MAX);
        for agent in (0..phones).map(AgentId) {
            self.deadlines.clear(Timer::AskPhone(agent));
            self.deadlines.clear(Timer::PhoneSilent(agent));
        }
    }

    /// The time has come to ask a phone.
    pub(super) fn ask_phone(&mut self, agent: AgentId) {
        let Some(phone) = self.plan.phones.get(agent.index()) else { return };
        let (flow, Ok(uri)) = (phone.flow, Uri::parse(&phone.uri)) else { return };
        let from = NameAddr::new(self.contact(flow));
        let mut request = self.new_request(Method::Options, uri, from, 70, flow);
        request.headers.push("Accept", "application/sdp");
        let tx = self.ask(request, flow);
        self.remember_ask(tx, Ask::Health(agent));
        self.deadlines.set(Timer::PhoneSilent(agent), self.now.mono + PATIENCE);
        let every = self.asked_every(agent).unwrap_or(self.plan.sip.probe_every);
        let next = if self.absent.contains(&agent) { every.min(RECHECK) } else { every };
        self.deadlines.set(Timer::AskPhone(agent), self.now.mono + next.max(PATIENCE));
    }

    /// A phone answered, or its transport failed (`None`).
    pub(super) fn phone_says(&mut self, agent: AgentId, code: Option<u16>) {
        self.deadlines.clear(Timer::PhoneSilent(agent));
        match code {
            // Its PBX speaks for it: nobody of that name is there now. Any other answer is a sign of life.
            None | Some(404 | 408 | 410 | 480 | 502..=504 | 604) => self.phone_is_absent(agent),
            Some(_) => {
                self.seen.insert(agent);
                self.pathway_answers(agent);
                if self.absent.remove(&agent) {
                    self.set_reachable(agent, true);
                }
            }
        }
    }

    /// A phone that was seen before does not answer, or is not there.
    pub(super) fn phone_is_absent(&mut self, agent: AgentId) {
        if self.seen.contains(&agent) && self.absent.insert(agent) {
            self.set_reachable(agent, false);
            let every = self.asked_every(agent).unwrap_or(RECHECK);
            let at = self.now.mono + every.min(RECHECK);
            self.deadlines.set(Timer::AskPhone(agent), at);
        }
    }

    fn set_reachable(&mut self, agent: AgentId, reachable: bool) {
        let Some(address) = self.plan.phones.get(agent.index()).map(Phone::address) else { return };
        let phones = (0u32..).map(AgentId).zip(&self.plan.phones);
        let sharers = phones.filter(|(_, phone)| phone.address() == address).map(|(agent, _)| agent);
        for agent in sharers.collect::<Vec<_>>() {
            // Refused only for a phone of nobody, which no call would be presented to.
            let _ = self.exchange.handle(acd::Input::Reach { agent, reachable }, self.now.mono);
        }
    }
}
