//! The server transaction of every method but INVITE (RFC 3261, 17.2.2).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::timers::{Life, Step, Timer, lifetime};

/// Where a request that came in stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Server {
    /// Nothing was answered yet; repetitions are absorbed in silence.
    Trying,
    /// A provisional response was sent, and is sent again on each repetition.
    Proceeding { last: Bytes },
    /// The final response was sent, and is sent again on each repetition.
    Completed { response: Bytes },
}

impl Server {
    /// Whether a final response is still to be sent.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self, Server::Completed { .. })
    }

    /// The same request came again.
    pub(super) fn repeated(&self, step: &mut Step<'_>) {
        match self {
            Server::Trying => {}
            Server::Proceeding { last: bytes } | Server::Completed { response: bytes } => step.send(bytes),
        }
    }

    /// The core above answers with `code`; nothing happens once a final response was sent.
    pub(super) fn respond(&mut self, code: u16, bytes: Bytes, step: &mut Step<'_>) -> Life {
        if !self.is_open() {
            return Life::GoesOn;
        }
        step.send(&bytes);
        if code < 200 {
            *self = Server::Proceeding { last: bytes };
        } else if step.is_reliable() {
            return Life::Ends;
        } else {
            step.linger(Timer::J, lifetime(&step.timing()));
            *self = Server::Completed { response: bytes };
        }
        Life::GoesOn
    }

    /// `timer` was due.
    pub(super) fn fire(&self, timer: Timer) -> Life {
        match (self, timer) {
            (Server::Completed { .. }, Timer::J) => Life::Ends,
            _ => Life::GoesOn,
        }
    }
}
