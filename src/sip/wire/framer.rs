//! Messages of a stream, framed by Content-Length (RFC 3261, 18.3), and its keep-alives (RFC 5626, 3.5.1).

use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::sip::grammar;

use super::fault::Fault;
use super::names::{self, Known};
use super::{Limits, Verdict, inspect, refuse};

/// The unread input of one connection: never more than two messages' worth.
///
/// Push what was read, then take verdicts until there is none. After [`Broken`] nothing more comes, and the
/// connection must be closed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Framer {
    limits: Limits,
    source: SocketAddr,
    buffer: BytesMut,
    /// How many bytes of the buffer are known to hold no end of a head.
    searched: usize,
    /// Length of the message that the buffer begins with, once its head is complete.
    length: Option<usize>,
    broken: Option<Broken>,
    told: bool,
}

/// Why a connection can carry no more messages.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error, Serialize, Deserialize)]
pub enum Broken {
    /// A message is above the limit.
    #[error("message above the limit")]
    TooLarge,
    /// Content-Length is missing, repeated or malformed, so that nobody can tell where the next message begins.
    #[error("no usable Content-Length")]
    ContentLength,
}

impl Framer {
    /// An empty connection from `source`.
    pub fn new(source: SocketAddr, limits: Limits) -> Framer {
        Framer {
            limits,
            source,
            buffer: BytesMut::new(),
            searched: 0,
            length: None,
            broken: None,
            told: false,
        }
    }

    /// Appends what was read; refused when the connection is broken, or more than two messages' worth is unread.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        if self.buffer.len() + chunk.len() > 2 * self.limits.message {
            self.fail(Broken::TooLarge);
            return Err(Broken::TooLarge);
        }
        self.buffer.extend_from_slice(chunk);
        Ok(())
    }

    fn fail(&mut self, broken: Broken) {
        self.broken = Some(broken);
        self.buffer = BytesMut::new();
    }

    /// Refuses the message whose head the buffer begins with, as the last of this connection.
    fn refuse(&mut self, head: usize, fault: Fault, broken: Broken) -> Verdict {
        let verdict = refuse::refuse(&self.buffer[..head], fault, self.source, &self.limits);
        self.fail(broken);
        verdict
    }
}

impl Iterator for Framer {
    type Item = Result<Verdict, Broken>;

    /// The verdict on the next whole message; `None` until more is pushed. Broken is said once.
    fn next(&mut self) -> Option<Result<Verdict, Broken>> {
        if let Some(broken) = self.broken {
            return (!std::mem::replace(&mut self.told, true)).then_some(Err(broken));
        }
        while self.length.is_none() && self.buffer.starts_with(b"\r\n") {
            if self.buffer.starts_with(b"\r\n\r\n") {
                self.buffer.advance(4);
                self.searched = 0;
                return Some(Ok(Verdict::KeepAlive));
            }
            if self.buffer.len() < 4 && b"\r\n\r\n".starts_with(&self.buffer) {
                return None;
            }
            self.buffer.advance(2);
            self.searched = 0;
        }
        let length = match self.length {
            Some(length) => length,
            None => {
                let from = self.searched.saturating_sub(3);
                let Some(end) = memmem::find(&self.buffer[from..], b"\r\n\r\n") else {
                    self.searched = self.buffer.len();
                    if self.buffer.len() > self.limits.message {
                        return Some(Ok(self.refuse(self.limits.message, Fault::TooLarge, Broken::TooLarge)));
                    }
                    return None;
                };
                let head = from + end + 4;
                let Some(body) = content_length(&self.buffer[..head]) else {
                    return Some(Ok(self.refuse(head, Fault::ContentLength, Broken::ContentLength)));
                };
                let length = head.saturating_add(body);
                if length > self.limits.message {
                    return Some(Ok(self.refuse(head, Fault::TooLarge, Broken::TooLarge)));
                }
                length
            }
        };
        if self.buffer.len() < length {
            self.length = Some(length);
            return None;
        }
        self.length = None;
        self.searched = 0;
        let message = self.buffer.split_to(length).freeze();
        Some(Ok(inspect(&message, self.source, &self.limits)))
    }
}

/// The one Content-Length of a head, folded or not.
pub fn content_length(head: &[u8]) -> Option<usize> {
    let mut found: Option<Vec<u8>> = None;
    let mut open = false;
    let mut rest = head;
    while let Some(end) = memmem::find(rest, b"\r\n") {
        let line = &rest[..end];
        rest = &rest[end + 2..];
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some(value) = found.as_mut().filter(|_| open) {
                value.extend_from_slice(line);
            }
            continue;
        }
        open = false;
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let name = std::str::from_utf8(line[..colon].trim_ascii_end()).unwrap_or_default();
        if names::known(name) == Known::ContentLength {
            if found.is_some() {
                return None;
            }
            open = true;
            found = Some(line[colon + 1..].to_vec());
        }
    }
    let value = found?;
    let digits = grammar::number(grammar::trim(std::str::from_utf8(&value).ok()?), u32::MAX)?;
    usize::try_from(digits).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{DropReason, Start};
    use super::*;
    use crate::sip::message::Method;

    fn options(length: &str, body: &str) -> String {
        format!(
            "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:h>\r\n\
             Call-ID: c\r\nCSeq: 1 OPTIONS\r\n{length}\r\n{body}"
        )
    }

    fn framer(limit: usize) -> Framer {
        Framer::new("192.0.2.1:40000".parse().unwrap(), Limits { message: limit, ..Limits::default() })
    }

    fn body(verdict: Option<Result<Verdict, Broken>>) -> Vec<u8> {
        match verdict {
            Some(Ok(Verdict::Accept(accepted))) => {
                assert_eq!(accepted.essentials().start, Start::Request { method: Method::Options });
                match accepted.message().unwrap() {
                    crate::sip::message::Message::Request(request) => request.body.to_vec(),
                    other => panic!("{other:?}"),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn messages_are_framed_however_the_stream_is_cut() {
        let stream = [
            "\r\n",
            &options("Content-Length: 3\r\n", "one"),
            &options("l:\r\n  0\r\n", ""),
            "\r\n\r\n",
            &options("content-length : 7\r\n", "a\r\n\r\nb!"),
        ]
        .concat();
        for chunk in 1..stream.len() {
            let mut framer = framer(1_000);
            let mut verdicts = Vec::new();
            for piece in stream.as_bytes().chunks(chunk) {
                framer.push(piece).unwrap();
                verdicts.extend(framer.by_ref());
            }
            let mut verdicts = verdicts.into_iter();
            assert_eq!(body(verdicts.next()), b"one");
            assert_eq!(body(verdicts.next()), b"");
            assert!(matches!(verdicts.next(), Some(Ok(Verdict::KeepAlive))), "in chunks of {chunk}");
            assert_eq!(body(verdicts.next()), b"a\r\n\r\nb!");
            assert!(verdicts.next().is_none());
            assert!(framer.buffer.is_empty());
        }
    }

    #[test]
    fn a_refused_message_does_not_end_the_connection_when_its_length_is_known() {
        let mut framer = framer(1_000);
        let unknown = options("Content-Length: 3\r\n", "one").replace("OPTIONS", "NEWMETHOD");
        framer.push(unknown.as_bytes()).unwrap();
        framer.push(options("Content-Length: 3\r\n", "two").as_bytes()).unwrap();
        assert!(matches!(framer.next(), Some(Ok(Verdict::Answer(refusal))) if refusal.code == 501));
        assert_eq!(body(framer.next()), b"two");
    }

    #[test]
    fn without_a_usable_length_the_connection_is_broken_after_the_answer() {
        for length in ["", "Content-Length: -1\r\n", "Content-Length: 1\r\nl: 1\r\n", "Content-Length:\r\n"] {
            let mut framer = framer(1_000);
            framer.push(options(length, "x").as_bytes()).unwrap();
            assert!(matches!(framer.next(), Some(Ok(Verdict::Answer(refusal))) if refusal.code == 400));
            assert!(matches!(framer.next(), Some(Err(Broken::ContentLength))));
            assert!(framer.next().is_none());
            assert_eq!(framer.push(b"more"), Err(Broken::ContentLength));
        }
    }

    #[test]
    fn nothing_grows_beyond_the_limit() {
        let mut endless = framer(1_000);
        for _ in 0..10 {
            endless.push(&[b'x'; 100]).unwrap();
            assert!(endless.next().is_none());
        }
        endless.push(b"x").unwrap();
        assert!(matches!(endless.next(), Some(Ok(Verdict::Drop(DropReason::Unanswerable(Fault::TooLarge))))));
        assert!(matches!(endless.next(), Some(Err(Broken::TooLarge))));

        let mut large = framer(1_000);
        large.push(options("Content-Length: 4294967295\r\n", "").as_bytes()).unwrap();
        assert!(matches!(large.next(), Some(Ok(Verdict::Answer(refusal))) if refusal.code == 513));
        assert!(matches!(large.next(), Some(Err(Broken::TooLarge))));

        let mut undrained = framer(1_000);
        undrained.push(&[b'x'; 2_000]).unwrap();
        assert_eq!(undrained.push(b"x"), Err(Broken::TooLarge));
        assert!(matches!(undrained.next(), Some(Err(Broken::TooLarge))));
    }

    #[test]
    fn a_stored_connection_goes_on_in_mid_message() {
        let stream = options("Content-Length: 3\r\n", "one");
        for cut in 0..stream.len() {
            let mut framer = framer(1_000);
            framer.push(&stream.as_bytes()[..cut]).unwrap();
            assert!(framer.next().is_none());
            let stored = postcard::to_stdvec(&framer).unwrap();
            let mut framer: Framer = postcard::from_bytes(&stored).unwrap();
            framer.push(&stream.as_bytes()[cut..]).unwrap();
            assert_eq!(body(framer.next()), b"one");
        }
    }
}
