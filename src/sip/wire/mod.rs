//! The front door: every packet is judged here, in one pass, before anything else looks at it.
//!
//! [`inspect`] reads a datagram and [`Framer`] a stream. What passes is [`Accepted`]: its [`Essentials`] are
//! borrowed from the packet, so that a retransmission can be absorbed without building a message; only
//! [`Accepted::message`] builds one. What does not pass is answered with its code and reason, or dropped and
//! counted; an ACK or a response is never answered.
//!
//! Nothing allocates on the way to `Accept`, unless lines are folded or not UTF-8: then the head is rewritten
//! once. Nothing here knows which URIs can be routed, or whether a Via is ours.

mod answer;
mod build;
mod fault;
mod framer;
mod head;
mod names;
mod refuse;
mod rewrite;
mod start;

use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::message::{Message, Method};

pub use fault::{DropReason, Fault};
pub use framer::{Broken, Framer, content_length};

use head::{Facts, Stop};

/// How much of a message the door takes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of a whole message.
    pub message: usize,
    /// Headers, each element of a list counted as one (and each comma of any other header).
    pub headers: usize,
    /// Bytes of one header's value, unfolded, and of the start line.
    pub value: usize,
    /// Bytes of a header's name.
    pub name: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { message: 65_535, headers: 256, value: 8_192, name: 128 }
    }
}

/// What to do with a packet.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is a message: the headers that route it are present, single and well formed.
    Accept(Accepted),
    /// It is a request that must be refused.
    Answer(Refusal),
    /// It must not be answered.
    Drop(DropReason),
    /// Line ends only (RFC 5626, 3.5.1); on a stream, the ping that is answered with one line end.
    KeepAlive,
}

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was wrong.
    pub fault: Fault,
    /// Status code of the response.
    pub code: u16,
    /// Its reason phrase.
    pub reason: &'static str,
    /// The response, to be sent to where the request came from.
    pub response: Bytes,
}

/// Judges one datagram that came from `source`.
pub fn inspect(datagram: &Bytes, source: SocketAddr, limits: &Limits) -> Verdict {
    let fault = match head::read(datagram, limits) {
        Ok(facts) => return Verdict::Accept(Accepted { whole: datagram.clone(), facts }),
        Err(Stop::KeepAlive) => return Verdict::KeepAlive,
        Err(Stop::NotSip) => return Verdict::Drop(DropReason::NotSip),
        Err(Stop::Rewrite) => match rewrite::rewrite(datagram) {
            Ok(whole) => match head::read(&whole, limits) {
                Ok(facts) => return Verdict::Accept(Accepted { whole, facts }),
                Err(Stop::Fault(fault)) => fault,
                Err(_) => return Verdict::Drop(DropReason::NotSip),
            },
            Err(fault) => fault,
        },
        Err(Stop::Fault(fault)) => fault,
    };
    refuse::refuse(datagram, fault, source, limits)
}

/// A message that passed the door.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// As received, or with its head rewritten.
    whole: Bytes,
    facts: Facts,
}

/// What kind of message it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request.
    Request {
        /// Its method.
        method: Method,
    },
    /// A response.
    Response {
        /// From 100 to 699.
        code: u16,
    },
}

/// What tells a message's transaction and dialog, borrowed from the packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Essentials<'a> {
    /// Request or response.
    pub start: Start,
    /// Branch of the top Via.
    pub branch: Option<&'a str>,
    /// Host and port of the top Via, as received.
    pub sent_by: &'a str,
    /// Transport of the top Via.
    pub transport: &'a str,
    /// Call-ID.
    pub call_id: &'a str,
    /// Number of the CSeq.
    pub cseq: u32,
    /// Method of the CSeq.
    pub cseq_method: Method,
    /// Tag of From.
    pub from_tag: Option<&'a str>,
    /// Tag of To.
    pub to_tag: Option<&'a str>,
}

impl Accepted {
    /// What the transaction layer needs to know first; builds nothing.
    pub fn essentials(&self) -> Essentials<'_> {
        self.facts.essentials(&self.whole)
    }

    /// Request or response.
    pub fn start(&self) -> Start {
        self.facts.start
    }

    /// Builds the message: compact names expanded, lists split into one header for each element.
    pub fn message(self) -> Result<Message, DropReason> {
        build::message(&self.whole, &self.facts)
    }
}

#[cfg(test)]
mod tests;
