//! What waiting callers are told, and when: their position, the likely wait, the offer of a callback.
//!
//! Nothing is said that would take back what was said before: a position that has risen, or a wait that would
//! end later than was told, is passed over in silence. The schedule goes on while an agent's phone rings; who
//! plays an announcement cuts it when the call is answered.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::estimate::Range;
use crate::id::CallId;
use crate::time::{Deadlines, Mono};

/// When the callers of a line are told something, and what.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// How long after joining the first announcement comes.
    pub first: Duration,
    /// How long after that each further one comes; zero means that there is only the first.
    pub every: Duration,
    /// Whether positions are told.
    pub position: bool,
    /// Whether likely waits are told.
    pub estimate: bool,
    /// With which announcement after an offer of a callback it is offered again; zero means never.
    pub offer_again: u32,
}

/// How things stand for one caller when an announcement is due.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The place in the line, from 1; `None` when it is not known.
    pub position: Option<u32>,
    /// The wait still to come, if it can be told.
    pub estimate: Option<Range>,
    /// Whether a callback may be offered.
    pub offer: bool,
}

/// One thing to say.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// "You are number ... in the line."
    Position(u32),
    /// "You will be answered in ... to ... minutes", or within the latter when the former is zero.
    Wait { from: u32, to: u32 },
    /// "To be called back, press ..."
    Offer,
}

/// What to say to one caller, in this order and without a break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// To whom.
    pub call: CallId,
    /// One thing at least.
    pub what: Vec<What>,
}

/// The announcements due to all who wait.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Announcer {
    listeners: BTreeMap<CallId, Listener>,
    due: Deadlines<CallId>,
    outputs: VecDeque<Announcement>,
}

/// What a caller was told already.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Listener {
    schedule: Schedule,
    /// When the first announcement was due: the others keep step with it.
    first_due: Mono,
    /// Whether the caller talks, and is told nothing.
    talks: bool,
    /// The last position told.
    position: Option<u32>,
    /// When the wait ends at the latest by what was told.
    answered_by: Option<Mono>,
    /// Announcements since the callback was offered; `None` before that.
    since_offer: Option<u32>,
}

impl Announcer {
    /// A caller begins to wait, or waits again after a talk that was lost.
    ///
    /// Who is known keeps the schedule, and what was told before still counts.
    pub fn join(&mut self, call: CallId, schedule: Schedule, now: Mono) {
        let next = if let Some(listener) = self.listeners.get_mut(&call) {
            if !std::mem::take(&mut listener.talks) {
                return;
            }
            listener.next_after(now)
        } else {
            let first_due = now + schedule.first;
            self.listeners.insert(call, Listener::new(schedule, first_due));
            Some(first_due)
        };
        if let Some(next) = next {
            self.due.set(call, next);
        }
    }

    /// A caller was answered: nothing is said, unless the caller comes to wait again.
    pub fn answered(&mut self, call: CallId) {
        if let Some(listener) = self.listeners.get_mut(&call) {
            listener.talks = true;
            self.silence(call);
        }
    }

    /// The call is over, or waits here no more.
    pub fn end(&mut self, call: CallId) {
        if self.listeners.remove(&call).is_some() {
            self.silence(call);
        }
    }

    /// There is something new to say, since a rule has begun: the next announcement comes now.
    pub fn hasten(&mut self, call: CallId, now: Mono) {
        let waits = self.listeners.get(&call).is_some_and(|listener| !listener.talks);
        if waits && self.due.at(call).is_none_or(|due| due > now) {
            self.due.set(call, now);
        }
    }

    /// When to call [`Announcer::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.due.next()
    }

    /// Makes the announcements due up to `now`, from what `facts` says of each caller at this moment.
    ///
    /// However late the wake, a caller gets one announcement, and the next one is in step with the first.
    pub fn handle_timeout(&mut self, now: Mono, mut facts: impl FnMut(CallId) -> Facts) {
        while let Some((_, call)) = self.due.pop_due(now) {
            let Some(listener) = self.listeners.get_mut(&call) else { continue };
            let what = listener.announcement(facts(call), now);
            if let Some(next) = listener.next_after(now) {
                self.due.set(call, next);
            }
            if !what.is_empty() {
                self.outputs.push_back(Announcement { call, what });
            }
        }
    }

    /// The next announcement to make.
    pub fn poll_output(&mut self) -> Option<Announcement> {
        self.outputs.pop_front()
    }

    /// How many callers are known.
    pub fn len(&self) -> usize {
        self.listeners.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }

    fn silence(&mut self, call: CallId) {
        self.due.clear(call);
        self.outputs.retain(|announcement| announcement.call != call);
    }
}

impl Listener {
    fn new(schedule: Schedule, first_due: Mono) -> Listener {
        Listener { schedule, first_due, talks: false, position: None, answered_by: None, since_offer: None }
    }

    fn announcement(&mut self, facts: Facts, now: Mono) -> Vec<What> {
        let position = facts.position.filter(|&position| self.is_credible_position(position));
        let wait = facts.estimate.and_then(|range| self.credible_wait(range, now));
        let offer = self.is_time_to_offer(facts.offer).then_some(What::Offer);
        [position.map(What::Position), wait, offer].into_iter().flatten().collect()
    }

    fn is_credible_position(&mut self, position: u32) -> bool {
        let credible = self.schedule.position && self.position.is_none_or(|told| position <= told);
        if credible {
            self.position = Some(position);
        }
        credible
    }

    /// In whole minutes, the range widened to them.
    fn credible_wait(&mut self, range: Range, now: Mono) -> Option<What> {
        const MINUTE: u128 = 60_000_000;
        let minutes = |count: u128| u32::try_from(count).unwrap_or(u32::MAX);
        let from = minutes(range.likely.as_micros() / MINUTE);
        let to = minutes(range.at_most.as_micros().div_ceil(MINUTE)).max(1);
        let by = now + Duration::from_secs(60 * u64::from(to));
        let credible = self.schedule.estimate && self.answered_by.is_none_or(|told| by <= told);
        if credible {
            self.answered_by = Some(by);
        }
        credible.then_some(What::Wait { from, to })
    }

    fn is_time_to_offer(&mut self, possible: bool) -> bool {
        let again = self.schedule.offer_again;
        let since = self.since_offer.map(|since| since.saturating_add(1));
        let offer = possible && since.is_none_or(|since| again > 0 && since >= again);
        self.since_offer = if offer { Some(0) } else { since };
        offer
    }

    /// The next time in step with the first announcement, at least half a step away.
    fn next_after(&self, now: Mono) -> Option<Mono> {
        let every = self.schedule.every.as_micros() as u64;
        let half = Duration::from_micros((every / 2).max(1));
        if now + half <= self.first_due {
            return Some(self.first_due);
        }
        if every == 0 {
            return None;
        }
        let next = (now + half).since(self.first_due).as_micros() as u64;
        let next = next.div_ceil(every).saturating_mul(every);
        Some(self.first_due + Duration::from_micros(next))
    }
}

#[cfg(test)]
mod tests;
