//! The waits that hubs tell each other, so that calls go on only where they are answered sooner.
//!
//! A hub that is asked by OPTIONS whether it is there says in its answer how long a caller who came by the same way
//! would wait: `X-Hearken-Wait: 120`, in whole seconds. No header is registered for that: 182 has it in free text
//! only (RFC 3261, 21.1.4), and Retry-After speaks of those who are turned away. A report is believed only from the
//! address that was asked, and only for a while.

use std::time::Duration;

use crate::acd::{self, Band};
use crate::id::{AgentId, DestinationId};
use crate::sip::Flow;
use crate::sip::message::{Request, Response};

use super::plan::Phone;
use super::{Switch, Timer};

/// The header, in whole seconds.
pub(super) const HEADER: &str = "X-Hearken-Wait";
/// How long a report is believed.
const STALE_AFTER: Duration = Duration::from_secs(60);
/// The longest wait that is believed.
const LONGEST: u64 = 24 * 3_600;

impl Switch {
    /// How long a routine caller who came as this request did would wait, in seconds rounded up; `None` while that is
    /// not known, or no such caller is taken.
    pub(super) fn wait_to_report(&self, flow: Flow, request: &Request) -> Option<u64> {
        let admission = self.plan.ingress.admit(flow.remote.ip(), &self.dialled(request)).ok()?;
        if admission.band == Band::EMERGENCY || self.drain.is_on() {
            return None;
        }
        let wait = self.exchange.expected_wait(admission.line, self.now.mono)?;
        Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }

    /// A phone has answered an OPTIONS: what it says of its waits is the word of every destination that it is.
    pub(super) fn take_report(&mut self, agent: AgentId, flow: Flow, response: &Response) {
        let Some(phone) = self.plan.phones.get(agent.index()) else { return };
        if flow.remote != phone.flow.remote {
            return;
        }
        let said = response.headers.value(HEADER).and_then(|value| value.trim().parse().ok());
        let wait = said.filter(|&seconds| seconds <= LONGEST).map(Duration::from_secs);
        let address = phone.address();
        let is_there = |&destination: &DestinationId| {
            let seat = self.plan.acd.seats(destination).next();
            seat.and_then(|seat| self.plan.phones.get(seat.index())).map(Phone::address) == Some(address)
        };
        let destinations: Vec<_> = self.destinations().filter(is_there).collect();
        for destination in destinations {
            match wait {
                Some(_) => {
                    self.deadlines.set(Timer::ReportStale(destination), self.now.mono + STALE_AFTER);
                    self.report(destination, wait);
                }
                None => self.forget_report(destination),
            }
        }
    }

    /// A destination no longer says how long its callers wait.
    pub(super) fn forget_report(&mut self, destination: DestinationId) {
        self.deadlines.clear(Timer::ReportStale(destination));
        self.report(destination, None);
    }

    /// Forgets what these destinations have said.
    pub(super) fn forget_reports(&mut self, of: impl Fn(DestinationId) -> bool) {
        let stands = |destination: &DestinationId| {
            of(*destination) && self.deadlines.at(Timer::ReportStale(*destination)).is_some()
        };
        let destinations: Vec<_> = self.destinations().filter(stands).collect();
        destinations.into_iter().for_each(|destination| self.forget_report(destination));
    }

    fn destinations(&self) -> impl Iterator<Item = DestinationId> + use<> {
        (0u32..).map(DestinationId).take(self.plan.acd.destinations.len())
    }

    fn report(&mut self, destination: DestinationId, wait: Option<Duration>) {
        // Refused only for a destination that is not in the plan.
        let _ = self.exchange.handle(acd::Input::Report { destination, wait }, self.now.mono);
    }
}
