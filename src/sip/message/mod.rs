//! SIP messages: requests, responses and their headers.
//!
//! Headers are kept in rsip's model, which only `headers` names; start lines, URIs, Via and addresses are
//! our own. Messages are written by us alone: no CR or LF within a line, Content-Length counted.

mod headers;
mod method;
mod reason;
mod write;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use headers::Headers;
pub(in crate::sip) use headers::read_cseq;
pub use method::Method;
pub use reason::standard_reason;

use super::uri::Uri;

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// Of whom.
    pub uri: Uri,
    /// Without Content-Length, which is counted when written.
    pub headers: Headers,
    /// As many bytes as Content-Length said.
    pub body: Bytes,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// From 100 to 699.
    pub code: u16,
    /// For people; the sender's own words are kept.
    pub reason: String,
    /// Without Content-Length, which is counted when written.
    pub headers: Headers,
    /// As many bytes as Content-Length said.
    pub body: Bytes,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, uri: Uri) -> Request {
        Request { method, uri, headers: Headers::new(), body: Bytes::new() }
    }

    /// The response to this request (RFC 3261, 8.2.6.2): all Via, From, To, Call-ID, CSeq and Record-Route
    /// copied, the standard reason, no body; Timestamp too for a 100.
    pub fn response(&self, code: u16) -> Response {
        const COPIED: [&str; 6] = ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"];
        let headers = self.headers.copied(|name| {
            let timestamp = code == 100 && name.eq_ignore_ascii_case("Timestamp");
            timestamp || COPIED.iter().any(|copied| copied.eq_ignore_ascii_case(name))
        });
        Response { code, reason: standard_reason(code).to_owned(), headers, body: Bytes::new() }
    }

    /// The request as sent.
    pub fn to_bytes(&self) -> Bytes {
        write::request(self)
    }
}

impl Response {
    /// Sets the tag of To, unless it has one (RFC 3261, 8.2.6.2).
    pub fn set_to_tag(&mut self, tag: &str) {
        if let Some(mut to) = self.headers.to().filter(|to| to.tag().is_none()) {
            to.set_tag(tag);
            self.headers.set("To", to.text());
        }
    }

    /// Whether it is a 1xx.
    pub fn is_provisional(&self) -> bool {
        self.code < 200
    }

    /// Whether it is a 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether it ends its transaction: any but a 1xx.
    pub fn is_final(&self) -> bool {
        self.code >= 200
    }

    /// The response as sent.
    pub fn to_bytes(&self) -> Bytes {
        write::response(self)
    }
}

impl Message {
    /// The headers of either.
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    /// The message as sent.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Message::Request(request) => request.to_bytes(),
            Message::Response(response) => response.to_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
