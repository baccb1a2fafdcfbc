//! The INVITE client transaction (RFC 3261, 17.1.1, as corrected by RFC 6026, 7.2).
//!
//! It makes the ACK of a non-2xx and the CANCEL itself, from the INVITE that it keeps until a final response
//! comes; the ACK of a 2xx comes from the core above and is kept here to answer repetitions.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Failure;
use super::timers::{Life, Repeated, Step, Timer, lifetime, timer_d};
use crate::sip::Flow;
use crate::sip::message::{Method, Request};
use crate::time::Mono;

/// Most ACKs kept for the forks of one INVITE; a 2xx of a further fork reaches the core above each time.
const FORKS: usize = 8;

/// Where an INVITE that we sent stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum InviteClient {
    /// No response yet; `cancel` waits for the first provisional one (RFC 3261, 9.1).
    Calling { bytes: Repeated, invite: Arc<Request>, cancel: bool },
    /// A provisional response came.
    Proceeding { invite: Arc<Request>, cancelled: bool },
    /// A non-2xx came; its repetitions are acknowledged.
    Completed { ack: Bytes },
    /// A 2xx came; repetitions are acknowledged, those of other forks passed up.
    Accepted { acks: Vec<SentAck> },
}

/// The ACK of one fork's 2xx.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SentAck {
    to_tag: Option<Box<str>>,
    flow: Flow,
    bytes: Bytes,
}

/// What follows from a response that was passed up.
pub(super) enum Heard {
    Nothing,
    /// The CANCEL that was waiting for it is due.
    Cancel(Request),
    /// The transaction is over.
    End,
}

impl InviteClient {
    /// Sends the INVITE for the first time.
    pub(super) fn start(mut invite: Request, bytes: Bytes, step: &mut Step<'_>) -> InviteClient {
        let timing = step.timing();
        step.send(&bytes);
        if !step.is_reliable() {
            step.start(Timer::A, timing.t1);
        }
        step.start(Timer::B, lifetime(&timing));
        invite.body = Bytes::new();
        InviteClient::Calling {
            bytes: Repeated { bytes, interval: timing.t1 },
            invite: Arc::new(invite),
            cancel: false,
        }
    }

    /// The INVITE, while no final response has come.
    pub(super) fn invite(&self) -> Option<&Arc<Request>> {
        match self {
            InviteClient::Calling { invite, .. } | InviteClient::Proceeding { invite, .. } => Some(invite),
            InviteClient::Completed { .. } | InviteClient::Accepted { .. } => None,
        }
    }

    /// Whether a final response is still awaited.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, InviteClient::Calling { .. } | InviteClient::Proceeding { .. })
    }

    /// Whether the core above is what keeps it waiting, without any deadline.
    pub(super) fn waits_for_core(&self) -> bool {
        matches!(self, InviteClient::Proceeding { cancelled: false, .. })
    }

    /// Deals with a response that is of no interest above; says whether it was one.
    pub(super) fn absorb(&self, code: u16, to_tag: Option<&str>, step: &mut Step<'_>) -> bool {
        match self {
            InviteClient::Calling { .. } | InviteClient::Proceeding { .. } => false,
            InviteClient::Completed { ack } => {
                if code >= 300 {
                    step.send(ack);
                }
                true
            }
            InviteClient::Accepted { .. } if !(200..300).contains(&code) => true,
            InviteClient::Accepted { acks } => {
                match acks.iter().find(|ack| ack.to_tag.as_deref() == to_tag) {
                    Some(ack) => {
                        step.flow = ack.flow;
                        step.send(&ack.bytes);
                        true
                    }
                    None => false,
                }
            }
        }
    }

    /// A response that is not absorbed came, with this To header.
    pub(super) fn hear(&mut self, code: u16, to: &str, step: &mut Step<'_>) -> Heard {
        let (InviteClient::Calling { invite, .. } | InviteClient::Proceeding { invite, .. }) = self else {
            return Heard::Nothing;
        };
        if code >= 200 {
            [Timer::A, Timer::B, Timer::Cancelled].into_iter().for_each(|timer| step.stop(timer));
        }
        let timing = step.timing();
        match code {
            ..200 => return self.proceed(step),
            200..300 => {
                step.linger(Timer::M, lifetime(&timing));
                *self = InviteClient::Accepted { acks: Vec::new() };
            }
            300.. => {
                let ack = hop(invite, Method::Ack, to).to_bytes();
                step.send(&ack);
                if step.is_reliable() {
                    return Heard::End;
                }
                step.linger(Timer::D, timer_d(&timing));
                *self = InviteClient::Completed { ack };
            }
        }
        Heard::Nothing
    }

    /// The core above no longer wants the call; gives the CANCEL if it may be sent now.
    pub(super) fn cancel(&mut self, step: &mut Step<'_>) -> Option<Request> {
        match self {
            InviteClient::Calling { cancel, .. } => {
                *cancel = true;
                None
            }
            InviteClient::Proceeding { invite, cancelled } if !*cancelled => {
                *cancelled = true;
                step.start(Timer::Cancelled, lifetime(&step.timing()));
                Some(cancel_of(invite))
            }
            _ => None,
        }
    }

    /// Keeps the ACK that the core above sent for a 2xx.
    pub(super) fn keep_ack(&mut self, to_tag: Option<&str>, flow: Flow, bytes: Bytes) {
        let InviteClient::Accepted { acks } = self else { return };
        acks.retain(|ack| ack.to_tag.as_deref() != to_tag);
        if acks.len() < FORKS {
            acks.push(SentAck { to_tag: to_tag.map(Box::from), flow, bytes });
        }
    }

    /// `timer` was due `at`; the error says why the INVITE failed.
    pub(super) fn fire(&mut self, timer: Timer, at: Mono, step: &mut Step<'_>) -> Result<Life, Failure> {
        use InviteClient::*;
        match (self, timer) {
            (Calling { bytes, .. }, Timer::A) => {
                step.repeat(Timer::A, at, bytes, std::time::Duration::MAX, Timer::B);
            }
            (Calling { .. }, Timer::B) => {
                step.stop(Timer::A);
                return Err(Failure::TimedOut);
            }
            (Proceeding { .. }, Timer::Cancelled) => return Err(Failure::TimedOut),
            (Completed { .. }, Timer::D) | (Accepted { .. }, Timer::M) => return Ok(Life::Ends),
            _ => {}
        }
        Ok(Life::GoesOn)
    }

    /// The transport refused or lost the INVITE; says whether that ends the transaction.
    pub(super) fn lose_transport(&self, step: &mut Step<'_>) -> bool {
        if self.is_open() {
            [Timer::A, Timer::B, Timer::Cancelled].into_iter().for_each(|timer| step.stop(timer));
        }
        self.is_open()
    }

    fn proceed(&mut self, step: &mut Step<'_>) -> Heard {
        if !matches!(self, InviteClient::Calling { .. }) {
            return Heard::Nothing;
        }
        let vacant = InviteClient::Completed { ack: Bytes::new() };
        let InviteClient::Calling { invite, cancel: cancelled, .. } = std::mem::replace(self, vacant) else {
            return Heard::Nothing;
        };
        step.stop(Timer::A);
        step.stop(Timer::B);
        let due = cancelled.then(|| cancel_of(&invite));
        *self = InviteClient::Proceeding { invite, cancelled };
        match due {
            Some(cancel) => {
                step.start(Timer::Cancelled, lifetime(&step.timing()));
                Heard::Cancel(cancel)
            }
            None => Heard::Nothing,
        }
    }
}

/// The CANCEL of an INVITE (RFC 3261, 9.1).
fn cancel_of(invite: &Request) -> Request {
    hop(invite, Method::Cancel, invite.headers.value("To").unwrap_or_default())
}

/// A request of the same hop as `invite` (RFC 3261, 9.1 and 17.1.1.3): its Request-URI, top Via, From, Call-ID,
/// CSeq number and Route, with the `to` given.
fn hop(invite: &Request, method: Method, to: &str) -> Request {
    let mut request = Request::new(method, invite.uri.clone());
    let (from, headers) = (&invite.headers, &mut request.headers);
    headers.push("Via", from.value("Via").unwrap_or_default());
    for route in from.values("Route") {
        headers.push("Route", route);
    }
    headers.push("Max-Forwards", "70");
    headers.push("From", from.value("From").unwrap_or_default());
    headers.push("To", to);
    headers.push("Call-ID", from.value("Call-ID").unwrap_or_default());
    let number = from.cseq().map_or(1, |(number, _)| number);
    headers.push("CSeq", format!("{number} {method}"));
    request
}
