//! The INVITE server transaction (RFC 3261, 17.2.1, as corrected by RFC 6026, 7.1).
//!
//! It also repeats a 2xx until its ACK comes, which RFC 3261 (13.3.1.4) leaves to the core above.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::timers::{Life, Repeated, Step, Timer, lifetime};
use super::{Event, ServerTx};
use crate::time::Mono;

/// Where an INVITE that came in stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum InviteServer {
    /// No final response yet; `last` is the latest provisional one.
    Proceeding { last: Option<Bytes>, cancelled: bool },
    /// A 2xx was sent; kept until it is acknowledged.
    Accepted { unacknowledged: Option<Repeated> },
    /// A non-2xx final was sent and its ACK is awaited.
    Completed { response: Repeated },
    /// The ACK of a non-2xx came; its repetitions are absorbed.
    Confirmed,
}

/// What an ACK means to the transaction that it matched.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Ack {
    /// It ends the repeating of a 2xx, and is for the dialog.
    OfSuccess,
    /// It ends the repeating of a non-2xx.
    OfFailure,
    /// A repetition.
    Repeated,
    /// Nothing was sent that it could acknowledge.
    Unexpected,
}

impl InviteServer {
    pub(super) fn new() -> InviteServer {
        InviteServer::Proceeding { last: None, cancelled: false }
    }

    /// Whether a final response is still to be sent.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, InviteServer::Proceeding { .. })
    }

    /// Whether the call that it asked for may still come about, or has.
    pub(super) fn is_alive(&self) -> bool {
        matches!(self, InviteServer::Proceeding { .. } | InviteServer::Accepted { .. })
    }

    /// The same INVITE came again.
    pub(super) fn repeated(&self, step: &mut Step<'_>) {
        use InviteServer::*;
        match self {
            Proceeding { last: Some(bytes), .. } => step.send(bytes),
            Accepted { unacknowledged: Some(response) } | Completed { response } => {
                step.send(&response.bytes)
            }
            Proceeding { last: None, .. } | Accepted { unacknowledged: None } | Confirmed => {}
        }
    }

    /// The core above answers with `code`; nothing happens once a final response was sent.
    pub(super) fn respond(&mut self, code: u16, bytes: Bytes, step: &mut Step<'_>) {
        let InviteServer::Proceeding { last, .. } = self else { return };
        step.send(&bytes);
        let timing = step.timing();
        match code {
            ..200 => *last = Some(bytes),
            200..300 => {
                step.start(Timer::Success, timing.t1);
                step.linger(Timer::L, lifetime(&timing));
                *self =
                    InviteServer::Accepted { unacknowledged: Some(Repeated { bytes, interval: timing.t1 }) };
            }
            300.. => {
                if !step.is_reliable() {
                    step.start(Timer::G, timing.t1);
                }
                step.start(Timer::H, lifetime(&timing));
                *self = InviteServer::Completed { response: Repeated { bytes, interval: timing.t1 } };
            }
        }
    }

    /// A CANCEL matched; says whether that is news to the core above.
    pub(super) fn cancel(&mut self) -> bool {
        match self {
            InviteServer::Proceeding { cancelled, .. } => !std::mem::replace(cancelled, true),
            _ => false,
        }
    }

    /// What an ACK would mean now, whose To tag may be that of our response; changes nothing.
    pub(super) fn meaning_of_ack(&self, has_our_tag: bool) -> Ack {
        match self {
            InviteServer::Proceeding { .. } => Ack::Unexpected,
            // It is of a refusal that a spoilt copy of the INVITE got: the peer does not know yet of the 2xx.
            InviteServer::Accepted { unacknowledged: Some(_) } if !has_our_tag => Ack::Unexpected,
            InviteServer::Accepted { unacknowledged: Some(_) } => Ack::OfSuccess,
            InviteServer::Completed { .. } => Ack::OfFailure,
            InviteServer::Accepted { unacknowledged: None } | InviteServer::Confirmed => Ack::Repeated,
        }
    }

    /// An ACK came.
    pub(super) fn acknowledge(&mut self, step: &mut Step<'_>) -> Life {
        match self {
            InviteServer::Accepted { unacknowledged } => {
                step.stop(Timer::Success);
                *unacknowledged = None;
            }
            InviteServer::Completed { .. } => {
                step.stop(Timer::G);
                step.stop(Timer::H);
                if step.is_reliable() {
                    return Life::Ends;
                }
                step.linger(Timer::I, step.timing().t4);
                *self = InviteServer::Confirmed;
            }
            InviteServer::Proceeding { .. } | InviteServer::Confirmed => {}
        }
        Life::GoesOn
    }

    /// `timer` was due `at`.
    pub(super) fn fire(&mut self, tx: ServerTx, timer: Timer, at: Mono, step: &mut Step<'_>) -> Life {
        use InviteServer::*;
        let t2 = step.timing().t2;
        match (self, timer) {
            (Completed { response }, Timer::G) => step.repeat(Timer::G, at, response, t2, Timer::H),
            (Accepted { unacknowledged: Some(response) }, Timer::Success) => {
                step.repeat(Timer::Success, at, response, t2, Timer::L);
            }
            (Accepted { unacknowledged: Some(_) }, Timer::L) => {
                step.stop(Timer::Success);
                step.effects.counters.unacknowledged += 1;
                step.raise(Event::Unacknowledged { tx });
                return Life::Ends;
            }
            (Accepted { unacknowledged: None }, Timer::L) | (Confirmed, Timer::I) => return Life::Ends,
            (Completed { .. }, Timer::H) => {
                step.stop(Timer::G);
                step.effects.counters.timed_out += 1;
                return Life::Ends;
            }
            _ => {}
        }
        Life::GoesOn
    }
}
