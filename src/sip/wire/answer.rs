//! A refusal written straight from the packet, without building its message: what a flood may cost at most.

use bytes::Bytes;

use crate::sip::grammar::elements;
use crate::sip::message::standard_reason;
use crate::sip::via::Via;

use super::Accepted;
use super::head::{header, line_end};
use super::names::{self, Known};

impl Accepted {
    /// The top Via, as received.
    pub fn top_via(&self) -> Option<Via> {
        let (_, value) = self.headers().find(|(known, _)| *known == Known::Via)?;
        Via::parse(elements(value).next()?.ok()?).ok()
    }

    /// The response to a request that began nothing (RFC 3261, 8.2.6.2), with `via` for the top one, `tag` on To
    /// and one more header.
    pub fn refusal(&self, code: u16, via: &Via, tag: &str, (name, value): (&str, &str)) -> Bytes {
        let mut out = String::with_capacity(self.facts.head.len() + 128);
        out.extend(["SIP/2.0 ", code.to_string().as_str(), " ", standard_reason(code), "\r\n"]);
        let mut top = Some(via);
        for (known, value) in self.headers() {
            match known {
                Known::Via => {
                    out.push_str("Via: ");
                    match (top.take(), elements(value).next()) {
                        (Some(via), Some(Ok(first))) => {
                            let below = value.get(first.len()..).unwrap_or_default();
                            out.extend([via.to_string().as_str(), below]);
                        }
                        _ => out.push_str(value),
                    }
                }
                Known::From => out.extend(["From: ", value]),
                Known::To => out.extend(["To: ", value, ";tag=", tag]),
                Known::CallId => out.extend(["Call-ID: ", value]),
                Known::CSeq => out.extend(["CSeq: ", value]),
                _ => continue,
            }
            out.push_str("\r\n");
        }
        out.extend([name, ": ", value, "\r\nContent-Length: 0\r\n\r\n"]);
        Bytes::from(out)
    }

    fn headers(&self) -> impl Iterator<Item = (Known, &str)> {
        let mut at = line_end(&self.whole, self.facts.head.start).map_or(self.facts.head.end, |end| end + 2);
        std::iter::from_fn(move || {
            let end = line_end(&self.whole, at).ok().filter(|&end| end > at && at < self.facts.head.end)?;
            let line = std::str::from_utf8(&self.whole[at..end]).ok()?;
            at = end + 2;
            let (name, value) = header(line).ok()?;
            Some((names::known(name), value))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sip::message::Message;
    use crate::sip::wire::{Limits, Verdict, inspect};

    fn accepted(text: &str) -> Accepted {
        let packet = Bytes::copy_from_slice(text.replace('\n', "\r\n").as_bytes());
        match inspect(&packet, "192.0.2.1:5060".parse().unwrap(), &Limits::default()) {
            Verdict::Accept(accepted) => accepted,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_is_what_the_built_message_would_have_been_answered() {
        let packet = accepted(
            "INVITE sip:b@192.0.2.1 SIP/2.0\nv: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa;rport , SIP/2.0/UDP \
             192.0.2.8;branch=z9hG4bKb\nf: \"A, B\" <sip:a@192.0.2.9>;tag=1\nt: <sip:b@192.0.2.1>\nMax-Forwards: \
             70\ni: call\nCSeq: 1 INVITE\nVia: SIP/2.0/UDP 192.0.2.7\nl: 3\n\nabc",
        );
        let via = packet.top_via().unwrap();
        let written = packet.refusal(503, &via, "ours", ("Retry-After", "5"));
        let Message::Request(request) = packet.message().unwrap() else { panic!("no request") };
        let mut response = request.response(503);
        response.set_to_tag("ours");
        response.headers.push("Retry-After", "5");
        let read = accepted(&String::from_utf8(written.to_vec()).unwrap().replace("\r\n", "\n"));
        assert_eq!(read.message().unwrap(), Message::Response(response));
    }

    #[test]
    fn folded_lines_are_answered_too() {
        let packet = accepted(
            "INVITE sip:b@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP\n 192.0.2.9;branch=z9hG4bKa\nFrom: <sip:a@a.example>;tag=1\nTo:\n <sip:b@192.0.2.1>\nCall-ID: call\nCSeq: 1 INVITE\n\n",
        );
        let via = packet.top_via().unwrap();
        let written = packet.refusal(503, &via, "ours", ("Retry-After", "5"));
        let written = String::from_utf8(written.to_vec()).unwrap();
        assert!(written.contains("To: <sip:b@192.0.2.1>;tag=ours\r\n"), "{written}");
        assert!(written.contains("Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\r\n"), "{written}");
    }
}
