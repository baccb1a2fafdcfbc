//! The pass over start line and headers: checks all that routes a message, and notes where it stands.

use std::ops::Range;

use memchr::memchr3;

use crate::sip::grammar::{self, elements};
use crate::sip::message::{Method, read_cseq};
use crate::sip::{name_addr, via};

use super::fault::Fault;
use super::names::{self, Known};
use super::{Essentials, Limits, Start, start};

/// Where the essentials of an accepted message stand.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) start: Start,
    branch: Option<Range<usize>>,
    sent_by: Range<usize>,
    transport: Range<usize>,
    call_id: Range<usize>,
    cseq: u32,
    cseq_method: Method,
    from_tag: Option<Range<usize>>,
    to_tag: Option<Range<usize>>,
    /// From the start line up to the empty line, which is left out.
    pub(super) head: Range<usize>,
    /// As long as Content-Length says.
    pub(super) body: Range<usize>,
}

/// Why the pass ended early.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nothing but line ends.
    KeepAlive,
    /// The first line is no start line of SIP.
    NotSip,
    /// A line is folded or not UTF-8: rewrite the head and read again.
    Rewrite,
    /// It must be refused.
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl Facts {
    /// Borrows the essentials from the packet that the facts were read from.
    pub(super) fn essentials<'a>(&self, whole: &'a [u8]) -> Essentials<'a> {
        // The pass has seen that all of it is text.
        let text = |range: &Range<usize>| {
            whole.get(range.clone()).and_then(|part| std::str::from_utf8(part).ok()).unwrap_or_default()
        };
        Essentials {
            start: self.start,
            branch: self.branch.as_ref().map(text),
            sent_by: text(&self.sent_by),
            transport: text(&self.transport),
            call_id: text(&self.call_id),
            cseq: self.cseq,
            cseq_method: self.cseq_method,
            from_tag: self.from_tag.as_ref().map(text),
            to_tag: self.to_tag.as_ref().map(text),
        }
    }
}

/// Reads and checks a whole datagram, or one framed message.
pub(super) fn read(whole: &[u8], limits: &Limits) -> Result<Facts, Stop> {
    let begin = leading_line_ends(whole);
    if begin == whole.len() {
        return Err(Stop::KeepAlive);
    }
    let end = line_end(whole, begin).map_err(|fault| {
        let rest = &whole[begin..];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        if start::looks_like_sip(line) { Stop::Fault(fault) } else { Stop::NotSip }
    })?;
    if !start::looks_like_sip(&whole[begin..end]) {
        return Err(Stop::NotSip);
    }
    if whole.len() > limits.message {
        return Err(Fault::TooLarge.into());
    }
    if end - begin > limits.value {
        return Err(Fault::LongStartLine.into());
    }
    let line = text_line(whole, begin, end)?;
    let mut pass = Pass::new(whole, start::read(line)?.start());
    let mut at = end + 2;
    loop {
        let end = line_end(whole, at)?;
        if end == at {
            break;
        }
        let (name, value) = header(text_line(whole, at, end)?)?;
        pass.count += 1;
        if value.len() > limits.value || name.len() > limits.name || pass.count > limits.headers {
            return Err(Fault::TooLarge.into());
        }
        pass.header(name, value)?;
        at = end + 2;
    }
    if pass.count > limits.headers {
        return Err(Fault::TooLarge.into());
    }
    pass.finish(begin..at, at + 2)
}

/// How many bytes of CRLF pairs a packet begins with (RFC 3261, 7.5).
pub(super) fn leading_line_ends(whole: &[u8]) -> usize {
    2 * whole.chunks_exact(2).take_while(|pair| pair == b"\r\n").count()
}

/// Where the line that begins at `at` ends: at a CRLF, with no other CR, LF or NUL before it.
pub(super) fn line_end(whole: &[u8], at: usize) -> Result<usize, Fault> {
    let rest = whole.get(at..).unwrap_or_default();
    let found = memchr3(b'\r', b'\n', 0, rest).ok_or(Fault::Truncated)?;
    match (rest[found], rest.get(found + 1)) {
        (b'\r', Some(b'\n')) => Ok(at + found),
        (b'\r', None) => Err(Fault::Truncated),
        (0, _) => Err(Fault::Nul),
        _ => Err(Fault::BareLineEnd),
    }
}

/// Name and value of a header's line, white space around them cut off.
pub(super) fn header(line: &str) -> Result<(&str, &str), Fault> {
    let (name, rest) = grammar::split_class(line, grammar::TOKEN);
    let value = match rest.strip_prefix(':') {
        Some(value) => value,
        None => grammar::trim_start(rest).strip_prefix(':').ok_or(Fault::HeaderLine)?,
    };
    if name.is_empty() {
        return Err(Fault::HeaderLine);
    }
    Ok((name, grammar::trim(value)))
}

/// A line as text, unless it, or the next one, shows that the head must be rewritten.
fn text_line(whole: &[u8], at: usize, end: usize) -> Result<&str, Stop> {
    if matches!(whole.get(end + 2), Some(b' ' | b'\t')) {
        return Err(Stop::Rewrite);
    }
    std::str::from_utf8(&whole[at..end]).map_err(|_| Stop::Rewrite)
}

/// What the pass has found so far.
struct Pass<'a> {
    whole: &'a [u8],
    start: Start,
    seen: u32,
    count: usize,
    via: Option<via::Parts<'a>>,
    call_id: &'a str,
    cseq: Option<(u32, &'a str)>,
    from_tag: Option<&'a str>,
    to_tag: Option<&'a str>,
    content_length: Option<u32>,
}

impl<'a> Pass<'a> {
    fn new(whole: &'a [u8], start: Start) -> Pass<'a> {
        Pass {
            whole,
            start,
            seen: 0,
            count: 0,
            via: None,
            call_id: "",
            cseq: None,
            from_tag: None,
            to_tag: None,
            content_length: None,
        }
    }

    fn header(&mut self, name: &str, value: &'a str) -> Result<(), Fault> {
        let known = names::known(name);
        if known.is_single() && self.seen & known.bit() != 0 {
            return Err(Fault::Repeated);
        }
        self.seen |= known.bit();
        match known {
            Known::Via => self.via(value)?,
            Known::From => self.from_tag = name_addr::check(value).map_err(|_| Fault::From)?,
            Known::To => self.to_tag = name_addr::check(value).map_err(|_| Fault::To)?,
            Known::CallId => {
                let blank = value.bytes().any(|byte| byte <= b' ' || byte == 0x7f);
                if value.is_empty() || blank {
                    return Err(Fault::CallId);
                }
                self.call_id = value;
            }
            Known::CSeq => self.cseq = Some(read_cseq(value).ok_or(Fault::CSeq)?),
            Known::MaxForwards => {
                grammar::number(value, u32::from(u8::MAX)).ok_or(Fault::MaxForwards)?;
            }
            Known::ContentLength => {
                self.content_length = Some(grammar::number(value, u32::MAX).ok_or(Fault::ContentLength)?);
            }
            Known::Contact if value == "*" && self.start == (Start::Request { method: Method::Register }) => {
            }
            Known::Contact => self.addresses(value, Fault::Contact)?,
            Known::Route | Known::RecordRoute => self.addresses(value, Fault::Route)?,
            // Should it be a list, it has one element more than commas outside of quotes.
            Known::Plain => self.count += memchr::memchr_iter(b',', value.as_bytes()).count(),
            _ => {}
        }
        Ok(())
    }

    fn via(&mut self, value: &'a str) -> Result<(), Fault> {
        for (i, element) in elements(value).enumerate() {
            let parts = element.ok().and_then(|element| via::read(element).ok()).ok_or(Fault::Via)?;
            self.via.get_or_insert(parts);
            self.count += usize::from(i > 0);
        }
        Ok(())
    }

    fn addresses(&mut self, value: &str, fault: Fault) -> Result<(), Fault> {
        for (i, element) in elements(value).enumerate() {
            element.ok().and_then(|element| name_addr::check(element).ok()).ok_or(fault)?;
            self.count += usize::from(i > 0);
        }
        Ok(())
    }

    fn finish(self, head: Range<usize>, body: usize) -> Result<Facts, Stop> {
        const MANDATORY: [Known; 5] = [Known::Via, Known::From, Known::To, Known::CallId, Known::CSeq];
        let (Some(via), Some((cseq, cseq_method))) = (self.via, self.cseq) else {
            return Err(Fault::Missing.into());
        };
        if MANDATORY.iter().any(|known| self.seen & known.bit() == 0) {
            return Err(Fault::Missing.into());
        }
        let cseq_method = match (self.start, Method::named(cseq_method)) {
            (Start::Request { method }, Some(same)) if method == same => same,
            (Start::Request { .. }, _) => return Err(Fault::CSeqMethod.into()),
            (Start::Response { .. }, Some(known)) => known,
            (Start::Response { .. }, None) => return Err(Fault::UnknownMethod.into()),
        };
        let present = self.whole.len() - body;
        let length = match self.content_length.map(usize::try_from) {
            None => present,
            Some(Ok(length)) if length <= present => length,
            Some(_) => return Err(Fault::ContentLength.into()),
        };
        Ok(Facts {
            start: self.start,
            branch: via.branch.map(|branch| self.range(branch)),
            sent_by: self.range(via.sent_by),
            transport: self.range(via.transport),
            call_id: self.range(self.call_id),
            cseq,
            cseq_method,
            from_tag: self.from_tag.map(|tag| self.range(tag)),
            to_tag: self.to_tag.map(|tag| self.range(tag)),
            head,
            body: body..body + length,
        })
    }

    /// Where `part`, a piece of the packet, stands in it.
    fn range(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr().addr().saturating_sub(self.whole.as_ptr().addr());
        start..start + part.len()
    }
}
