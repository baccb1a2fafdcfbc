//! Builds the message of an accepted packet.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use crate::sip::grammar::{self, elements};
use crate::sip::message::{Headers, Message, Request, Response};
use crate::sip::uri::Uri;

use super::fault::DropReason;
use super::head::{self, Facts};
use super::names;
use super::start::{self, Line};

/// Builds the message; no panic of the message model gets out.
pub(super) fn message(whole: &Bytes, facts: &Facts) -> Result<Message, DropReason> {
    catch_unwind(AssertUnwindSafe(|| build(whole, facts))).ok().flatten().ok_or(DropReason::Unbuildable)
}

/// `None` cannot happen for what the door accepted.
fn build(whole: &Bytes, facts: &Facts) -> Option<Message> {
    let head = std::str::from_utf8(whole.get(facts.head.clone())?).ok()?;
    let mut lines = grammar::lines(head);
    let line = start::read(lines.next()?).ok()?;
    let mut headers = Headers::new();
    for line in lines {
        let (name, value) = head::header(line).ok()?;
        push(&mut headers, names::full(name), value);
    }
    let body = whole.slice(facts.body.clone());
    Some(match line {
        Line::Request { method, uri } => {
            Message::Request(Request { method, uri: Uri::parse(uri).ok()?, headers, body })
        }
        Line::Response { code, reason } => {
            Message::Response(Response { code, reason: reason.to_owned(), headers, body })
        }
    })
}

/// One header for each element of a list; empty elements vanish, unless the whole list is empty.
fn push(headers: &mut Headers, name: &str, value: &str) {
    if name.eq_ignore_ascii_case("Content-Length") {
        return;
    }
    let splits = memchr::memchr(b',', value.as_bytes()).is_some() && names::is_list(name);
    if !splits || elements(value).any(|element| element.is_err()) {
        headers.push(name, value);
        return;
    }
    for element in elements(value).flatten().filter(|element| !element.is_empty()) {
        headers.push(name, element);
    }
}
