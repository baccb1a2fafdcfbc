//! The start line: request line or status line (RFC 3261, 7.1 and 7.2).

use crate::sip::grammar;
use crate::sip::message::Method;
use crate::sip::uri::{self, Scheme};

use super::Start;
use super::fault::Fault;

/// Whether a line could be the start line of SIP, of any version, well formed or not.
pub(super) fn looks_like_sip(line: &[u8]) -> bool {
    let is_version = |word: &[u8]| word.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/"));
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    words.next().is_some_and(is_version) || words.next_back().is_some_and(is_version)
}

/// The parts of a start line that are needed to build a message.
#[derive(Copy, Clone, Debug)]
pub(super) enum Line<'a> {
    Request { method: Method, uri: &'a str },
    Response { code: u16, reason: &'a str },
}

impl Line<'_> {
    pub(super) fn start(&self) -> Start {
        match *self {
            Line::Request { method, .. } => Start::Request { method },
            Line::Response { code, .. } => Start::Response { code },
        }
    }
}

/// Reads and checks a start line.
pub(super) fn read(line: &str) -> Result<Line<'_>, Fault> {
    if line.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("SIP/")) {
        return read_status(line);
    }
    let mut words = line.split(' ');
    let (Some(method), Some(uri), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Fault::StartLine);
    };
    if !grammar::is_token(method) {
        return Err(Fault::StartLine);
    }
    check_version(version)?;
    let uri_parts = uri::read(uri).map_err(|_| Fault::RequestUri)?;
    if !uri_parts.headers.is_empty() {
        return Err(Fault::RequestUri);
    }
    let method = Method::named(method).ok_or(Fault::UnknownMethod)?;
    if uri_parts.scheme == Scheme::Other {
        return Err(Fault::UriScheme);
    }
    Ok(Line::Request { method, uri })
}

fn read_status(line: &str) -> Result<Line<'_>, Fault> {
    let (version, rest) = line.split_once(' ').ok_or(Fault::StartLine)?;
    check_version(version)?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let number = grammar::number(code, 699).filter(|&number| number >= 100 && code.len() == 3);
    let code = number.and_then(|number| u16::try_from(number).ok()).ok_or(Fault::StatusCode)?;
    Ok(Line::Response { code, reason })
}

fn check_version(version: &str) -> Result<(), Fault> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let name = version.get(..4).filter(|name| name.eq_ignore_ascii_case("SIP/"));
    let (major, minor) =
        version.get(4..).and_then(|number| number.split_once('.')).ok_or(Fault::StartLine)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if name.is_some() && digits(major) && digits(minor) { Err(Fault::Version) } else { Err(Fault::StartLine) }
}
