//! Stopping: first no new calls, then no calls.

use serde::{Deserialize, Serialize};

use crate::call::record::EndedBy;
use crate::id::CallId;

use super::{Event, Switch, Timer};

/// Whether new calls are taken.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Drain {
    /// All are taken.
    Open,
    /// Only emergency calls are taken; those that are up may finish.
    Draining,
    /// Every call was over, and that was said.
    Drained,
    /// Every call was hung up, and none is taken any more.
    Stopped,
}

impl Drain {
    pub(super) fn is_on(self) -> bool {
        self != Drain::Open
    }

    /// An emergency call arrived after the last call was over: its end will be said again.
    pub(super) fn reopen(&mut self) {
        if *self == Drain::Drained {
            *self = Drain::Draining;
        }
    }
}

impl Switch {
    /// Whether it is about to end.
    pub fn is_draining(&self) -> bool {
        self.drain.is_on()
    }

    pub(super) fn begin_drain(&mut self) {
        if self.drain.is_on() {
            return;
        }
        self.exchange.hold_callbacks(self.now.mono);
        self.pump();
        self.drain = Drain::Draining;
        self.deadlines.set(Timer::Drain, self.now.mono + self.plan.drain_limit);
        self.emit(Event::Draining { calls: self.calls.len() });
        self.note_drained();
    }

    /// Hangs up every call now.
    pub(super) fn stop(&mut self) {
        self.exchange.hold_callbacks(self.now.mono);
        self.pump();
        self.drain = Drain::Draining;
        self.deadlines.clear(Timer::Drain);
        self.stop_watching_peers();
        self.forget_reports(|_| true);
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for call in calls {
            self.end_call(call, EndedBy::Shutdown);
        }
        self.note_drained();
        self.drain = Drain::Stopped;
    }

    /// Says once that the last call of a drain is over.
    pub(super) fn note_drained(&mut self) {
        if self.drain == Drain::Draining && self.calls.is_empty() {
            self.drain = Drain::Drained;
            self.deadlines.clear(Timer::Drain);
            self.emit(Event::Drained);
        }
    }
}
