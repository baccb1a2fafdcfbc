//! The timers of RFC 3261 and RFC 6026 by their letters, and how a machine acts on the world.
//!
//! A machine never touches the tables: it sends, raises events and moves its own deadlines through a [`Step`].

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ClientTx, Counters, Event, Output, ServerTx, Timing};
use crate::sip::Flow;
use crate::time::{Deadlines, Mono};

/// Either kind of transaction.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum TxId {
    Server(ServerTx),
    Client(ClientTx),
}

/// What a deadline is for (RFC 3261, table 4; RFC 6026, 8).
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Timer {
    /// Repeats an INVITE.
    A,
    /// Gives an INVITE up.
    B,
    /// Ends the repeating of ACKs for a non-2xx.
    D,
    /// Repeats another request.
    E,
    /// Gives another request up.
    F,
    /// Repeats a non-2xx to INVITE.
    G,
    /// Ends the wait for the ACK of a non-2xx.
    H,
    /// Ends the absorbing of repeated ACKs.
    I,
    /// Ends the absorbing of other repeated requests.
    J,
    /// Ends the absorbing of other repeated finals.
    K,
    /// Ends the absorbing of repeated INVITEs after a 2xx.
    L,
    /// Ends the wait for further 2xx to an INVITE.
    M,
    /// Repeats a 2xx to INVITE (RFC 3261, 13.3.1.4).
    Success,
    /// Gives up an INVITE that was cancelled and got no final response (RFC 3261, 9.1).
    Cancelled,
}

impl Timer {
    /// Those of server transactions.
    pub(super) const OF_SERVERS: [Timer; 6] =
        [Timer::G, Timer::H, Timer::I, Timer::J, Timer::L, Timer::Success];
    /// Those of client transactions.
    pub(super) const OF_CLIENTS: [Timer; 8] =
        [Timer::A, Timer::B, Timer::D, Timer::E, Timer::F, Timer::K, Timer::M, Timer::Cancelled];
}

/// How long a transaction tries, waits for an ACK or absorbs: 64*T1.
pub(super) fn lifetime(timing: &Timing) -> Duration {
    timing.t1.saturating_mul(64)
}

/// Timer D: the far end's T1 is unknown, so never under 32 s (RFC 3261, 17.1.1.2).
pub(super) fn timer_d(timing: &Timing) -> Duration {
    lifetime(timing).max(Duration::from_secs(32))
}

/// What all machines act upon.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Effects {
    pub(super) timing: Timing,
    pub(super) deadlines: Deadlines<(TxId, Timer)>,
    pub(super) outputs: VecDeque<Output>,
    pub(super) counters: Counters,
    /// When we were woken, which may be long after a deadline that now fires at its own time.
    pub(super) woken: Mono,
}

/// One transition of one transaction: the hands of a machine.
pub(super) struct Step<'a> {
    pub(super) effects: &'a mut Effects,
    pub(super) tx: TxId,
    /// Where this transaction sends.
    pub(super) flow: Flow,
    pub(super) now: Mono,
}

impl Step<'_> {
    pub(super) fn timing(&self) -> Timing {
        self.effects.timing
    }

    pub(super) fn is_reliable(&self) -> bool {
        self.flow.transport.is_reliable()
    }

    pub(super) fn send(&mut self, bytes: &Bytes) {
        self.effects.outputs.push_back(Output::Send { flow: self.flow, bytes: bytes.clone() });
    }

    pub(super) fn raise(&mut self, event: Event) {
        self.effects.outputs.push_back(Output::Event(event));
    }

    pub(super) fn start(&mut self, timer: Timer, after: Duration) {
        self.effects.deadlines.set((self.tx, timer), self.now + after);
    }

    /// Starts a timer that only ends the absorbing of repetitions. Nobody minds when that is late, so such timers
    /// end together, at whole [`TOGETHER`]s: a wake for each would cost as much as a message.
    pub(super) fn linger(&mut self, timer: Timer, after: Duration) {
        let Mono(due) = self.now + after;
        self.effects.deadlines.set((self.tx, timer), Mono(due.next_multiple_of(TOGETHER)));
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.effects.deadlines.clear((self.tx, timer));
    }

    /// Repeats a message whose `timer` was due `at`, and sets the next repetition.
    ///
    /// Repetitions keep their nominal times: those missed by a late wake are skipped, not sent in a burst, and
    /// none is sent once `end` is due.
    pub(super) fn repeat(
        &mut self,
        timer: Timer,
        at: Mono,
        message: &mut Repeated,
        cap: Duration,
        end: Timer,
    ) {
        let now = self.now.max(self.effects.woken);
        if self.effects.deadlines.at((self.tx, end)).is_none_or(|end| end <= now) {
            return;
        }
        self.send(&message.bytes);
        self.effects.counters.retransmitted += 1;
        let mut next = at;
        while next <= now {
            message.interval = message.interval.saturating_mul(2).min(cap).max(SHORTEST);
            next = next + message.interval;
        }
        self.effects.deadlines.set((self.tx, timer), next);
    }
}

/// A quarter of a second, in microseconds.
const TOGETHER: u64 = 250_000;

/// Keeps a repetition moving even when T1 is configured as nothing.
const SHORTEST: Duration = Duration::from_millis(1);

/// A message that is sent again at growing intervals.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Repeated {
    pub(super) bytes: Bytes,
    /// The wait before the next repetition.
    pub(super) interval: Duration,
}

/// Whether a transaction outlives a transition.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Life {
    GoesOn,
    Ends,
}

impl Effects {
    pub(super) fn new(timing: Timing) -> Effects {
        Effects {
            timing,
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            woken: Mono::default(),
        }
    }

    pub(super) fn step(&mut self, tx: TxId, flow: Flow, now: Mono) -> Step<'_> {
        Step { effects: self, tx, flow, now }
    }
}
