//! What the daemon writes into its log: changes of the service at once, counts once a minute.
//!
//! No caller's number appears here; a call is named by its id.

use std::time::{Duration, Instant};

use crate::acd::{Availability, PauseReason, pathway};
use crate::policy::rules::{Disagreement, Side};
use crate::switch::callbacks::CallbackNews;
use crate::switch::{CaseNews, Event};

/// How often counts are written, and only when they changed.
const EVERY: Duration = Duration::from_secs(60);

/// When counts were last written, and what they were.
#[derive(Debug, Default)]
pub(super) struct Journal {
    last: Option<Instant>,
    said: String,
}

impl Journal {
    /// Whether counts are to be written again.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.last.is_none_or(|last| now.saturating_duration_since(last) >= EVERY);
        if due {
            self.last = Some(now);
        }
        due
    }

    /// Writes what was counted, if it has changed.
    pub(super) fn counters(&mut self, calls: usize, counters: String) {
        if counters != self.said {
            tracing::info!(calls, counters, "counted");
            self.said = counters;
        }
    }
}

/// Writes one event: changes of the service as `info`, steps of single calls as `debug`.
pub(super) fn event(event: &Event) {
    match event {
        Event::Arrived { call, trunk, line, band, waiting } => {
            tracing::debug!(%call, trunk, line, band = band.0, waiting, "arrived");
        }
        Event::Presented { call, agent } => tracing::debug!(%call, agent, "presented"),
        Event::Missed { call, agent, cause } => tracing::debug!(%call, agent, ?cause, "missed"),
        Event::Bridged { call, agent, waited } => tracing::debug!(%call, agent, ?waited, "bridged"),
        Event::BackInLine { call, agent, why } => {
            tracing::warn!(%call, agent, ?why, "agent lost, caller back in line")
        }
        Event::HandedOn { call, agent, to } => tracing::debug!(%call, agent, to, "handed on"),
        Event::NotHandedOn { call, agent, why } => tracing::debug!(%call, agent, why, "not handed on"),
        Event::HandedBack { call, agent, from, code } => {
            tracing::info!(%call, agent, from, code, "transfer failed, caller back");
        }
        Event::Case { case, stack, news: CaseNews::Breached } => {
            tracing::warn!(%case, stack, "a case has passed its breach time");
        }
        Event::Case { case, stack, news } => tracing::debug!(%case, stack, ?news, "case"),
        Event::Referred { referral, pathway, agent } => {
            tracing::debug!(%referral, pathway, agent, "referred");
        }
        Event::ReferralEnded { referral, pathway, agent, outcome: pathway::Outcome::Unacknowledged } => {
            tracing::warn!(%referral, pathway, agent, "a referral was not acknowledged in time");
        }
        Event::ReferralEnded { referral, pathway, agent, outcome } => {
            tracing::debug!(%referral, pathway, agent, ?outcome, "referral over");
        }
        Event::Disposed { call, agent, code } => tracing::debug!(%call, agent, code, "disposition"),
        Event::Ended { call, outcome, waited } => tracing::debug!(%call, ?outcome, ?waited, "ended"),
        Event::Availability { agent, state: Availability::Paused(PauseReason::Missed(cause)) } => {
            tracing::warn!(agent, ?cause, "agent paused after too many misses");
        }
        Event::Availability { agent, state: state @ (Availability::LoggedOut | Availability::Paused(_)) } => {
            tracing::info!(agent, ?state, "availability");
        }
        Event::Availability { agent, state } => tracing::debug!(agent, ?state, "availability"),
        Event::TurnedAway { source, code } => tracing::debug!(%source, code, "turned away"),
        Event::EntryRefused { why } => tracing::debug!(why, "the line does not take the caller"),
        Event::Rule { line, rule, on } => tracing::info!(line, rule, on, "overflow rule"),
        Event::Disagreement { line, apart } => {
            let Disagreement { kind, caller, live, other, lost, .. } = &**apart;
            let (redial, withheld) = (caller.redial, caller.withheld);
            let name = |side: &Side| side.rule.clone().unwrap_or_else(|| "none".to_owned());
            tracing::info!(
                line,
                action = kind.key(),
                redial,
                withheld,
                live = name(live),
                because = live.reason,
                shadow = name(other),
                it_says = other.reason,
                lost,
                "the shadow policy disagrees"
            );
        }
        Event::Callback { promise, line, news: CallbackNews::Escalated } => {
            tracing::warn!(%promise, line, "a promised callback is late");
        }
        Event::Callback { promise, line, news: CallbackNews::Ended(outcome) } if outcome.is_failure() => {
            tracing::warn!(%promise, line, ?outcome, "a promised callback has failed");
        }
        Event::Callback { promise, line, news } => tracing::debug!(%promise, line, ?news, "callback"),
        Event::Reloaded => tracing::info!("a new plan is in force"),
        // Whoever ordered it says so, and what to do about it.
        Event::ReloadRefused { .. } => {}
        Event::Draining { calls } => tracing::info!(calls, "draining: only emergency calls are taken"),
        Event::Drained => tracing::info!("the last call is over"),
        Event::Resumed { calls } => tracing::warn!(calls, "resumed: the calls go on"),
    }
}
