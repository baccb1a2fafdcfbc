//! The client transaction of every method but INVITE (RFC 3261, 17.1.2).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Failure;
use super::timers::{Life, Repeated, Step, Timer, lifetime};
use crate::time::Mono;

/// Where a request that we sent stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Client {
    /// No response yet.
    Trying { request: Repeated },
    /// A provisional response came; the request is still repeated, each T2.
    Proceeding { request: Repeated },
    /// The final response came; its repetitions are absorbed.
    Completed,
}

impl Client {
    /// Sends the request for the first time.
    pub(super) fn start(bytes: Bytes, step: &mut Step<'_>) -> Client {
        let timing = step.timing();
        step.send(&bytes);
        if !step.is_reliable() {
            step.start(Timer::E, timing.t1.min(timing.t2));
        }
        step.start(Timer::F, lifetime(&timing));
        Client::Trying { request: Repeated { bytes, interval: timing.t1.min(timing.t2) } }
    }

    /// Whether a final response is still awaited.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self, Client::Completed)
    }

    /// The first final response, or a provisional one before it, came.
    pub(super) fn hear(&mut self, code: u16, step: &mut Step<'_>) -> Life {
        if code >= 200 {
            step.stop(Timer::E);
            step.stop(Timer::F);
            if step.is_reliable() {
                return Life::Ends;
            }
            step.linger(Timer::K, step.timing().t4);
            *self = Client::Completed;
        } else if let Client::Trying { request } = self {
            let bytes = std::mem::take(&mut request.bytes);
            *self = Client::Proceeding { request: Repeated { bytes, interval: step.timing().t2 } };
        }
        Life::GoesOn
    }

    /// `timer` was due `at`; the error says why the request failed.
    pub(super) fn fire(&mut self, timer: Timer, at: Mono, step: &mut Step<'_>) -> Result<Life, Failure> {
        let t2 = step.timing().t2;
        match (self, timer) {
            (Client::Trying { request } | Client::Proceeding { request }, Timer::E) => {
                step.repeat(Timer::E, at, request, t2, Timer::F);
            }
            (Client::Trying { .. } | Client::Proceeding { .. }, Timer::F) => {
                step.stop(Timer::E);
                return Err(Failure::TimedOut);
            }
            (Client::Completed, Timer::K) => return Ok(Life::Ends),
            _ => {}
        }
        Ok(Life::GoesOn)
    }

    /// The transport refused or lost the request; says whether that ends the transaction.
    pub(super) fn lose_transport(&self, step: &mut Step<'_>) -> bool {
        if self.is_open() {
            step.stop(Timer::E);
            step.stop(Timer::F);
        }
        self.is_open()
    }
}
