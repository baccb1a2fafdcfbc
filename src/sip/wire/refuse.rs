//! The response to a request that must be refused: it copies what could be read, however wrong the rest is.

use std::net::SocketAddr;

use crate::sip::grammar;
use crate::sip::message::{Headers, Response};
use crate::sip::name_addr;
use crate::sip::via::Via;
use bytes::Bytes;

use super::fault::{DropReason, Fault};
use super::head::leading_line_ends;
use super::names::{self, Known};
use super::{Limits, Refusal, Verdict};

/// Answers a request with `fault`; drops ACKs, responses, and requests without any Via.
pub(super) fn refuse(whole: &[u8], fault: Fault, source: SocketAddr, limits: &Limits) -> Verdict {
    let message = &whole[leading_line_ends(whole)..];
    if message.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
        return Verdict::Drop(DropReason::Response(fault));
    }
    if message.starts_with(b"ACK ") {
        return Verdict::Drop(DropReason::Ack(fault));
    }
    let mut headers = Headers::default();
    for (known, value) in copied(message, limits) {
        match known {
            Known::Via => push_via(&mut headers, &value, source),
            Known::From if headers.value("From").is_none() => headers.push("From", value),
            Known::To if headers.value("To").is_none() => headers.push("To", value),
            Known::CallId if headers.value("Call-ID").is_none() => headers.push("Call-ID", value),
            Known::CSeq if headers.value("CSeq").is_none() => headers.push("CSeq", value),
            _ => {}
        }
    }
    if headers.value("Via").is_none() {
        return Verdict::Drop(DropReason::Unanswerable(fault));
    }
    tag_to(&mut headers);
    let (code, reason) = (fault.code(), fault.reason());
    let response = Response { code, reason: reason.to_owned(), headers, body: Bytes::new() };
    Verdict::Answer(Refusal { fault, code, reason, response: response.to_bytes() })
}

/// The headers that a response copies, unfolded and as text, within the limits.
fn copied(message: &[u8], limits: &Limits) -> Vec<(Known, String)> {
    let message = &message[..message.len().min(limits.message)];
    let mut found: Vec<(Known, String)> = Vec::new();
    // Whether a continuation line belongs to the last one found.
    let mut open = false;
    for line in lines(message).skip(1).take(limits.headers) {
        let text = text(line);
        if text.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut().filter(|_| open) {
                value.push(' ');
                value.push_str(grammar::trim(&text));
            }
            continue;
        }
        let Some((name, value)) = text.split_once(':') else { continue };
        let known = names::known(grammar::trim_end(name));
        open = matches!(known, Known::Via | Known::From | Known::To | Known::CallId | Known::CSeq);
        if open {
            found.push((known, grammar::trim(value).to_owned()));
        }
    }
    found.retain(|(_, value)| value.len() <= limits.value);
    found
}

fn lines(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = message.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.take_while(|line| !line.is_empty())
}

/// UTF-8, or else Latin-1.
fn text(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(_) => line.iter().copied().map(char::from).collect(),
    }
}

/// Copies a Via as it is, save that the first element of all, when it can be read, gets the source address and
/// port (RFC 3261, 18.2.1; RFC 3581).
fn push_via(headers: &mut Headers, value: &str, source: SocketAddr) {
    let top = grammar::elements(value).next().and_then(Result::ok);
    let read = top.and_then(|top| Via::parse(top).ok()).filter(|_| headers.value("Via").is_none());
    let Some(mut via) = read else {
        headers.push("Via", value);
        return;
    };
    via.set_received(source.ip());
    if via.rport().is_some() {
        via.set_rport(source.port());
    }
    let others = value.trim_start().get(top.map_or(0, str::len)..).unwrap_or("");
    headers.push("Via", format!("{via}{others}"));
}

/// Gives To a tag when it has none (RFC 3261, 8.2.6.2): the same for each retransmission.
fn tag_to(headers: &mut Headers) {
    let Some(to) = headers.value("To") else { return };
    let Ok(None) = name_addr::check(to) else { return };
    // FNV-1a, 64 bits.
    let hash = headers.iter().flat_map(|(_, value)| value.bytes());
    let hash = hash.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let tagged = format!("{to};tag={hash:016x}");
    headers.set("To", tagged);
}
