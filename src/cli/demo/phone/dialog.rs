//! What a phone must know of a call that stands, to end it or to see that it was ended (RFC 3261, 12).

use std::net::SocketAddr;

use crate::sip::message::{Method, Request, Response};
use crate::sip::uri::Uri;

/// A call that stands.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    call_id: String,
    /// From of our requests.
    ours: String,
    /// To of our requests.
    theirs: String,
    our_tag: String,
    target: Uri,
    /// Of our last request.
    cseq: u32,
}

impl Dialog {
    /// After the 2xx to our INVITE; `None` when that cannot be talked to.
    pub(super) fn placed(invite: &Request, answer: &Response) -> Option<Dialog> {
        Some(Dialog {
            call_id: invite.headers.call_id()?.to_owned(),
            ours: invite.headers.value("From")?.to_owned(),
            theirs: answer.headers.value("To")?.to_owned(),
            our_tag: invite.headers.from_tag()?.to_owned(),
            target: target(&answer.headers)?,
            cseq: invite.headers.cseq()?.0,
        })
    }

    /// After our 2xx to their INVITE; `None` when they cannot be talked to.
    pub(super) fn taken(invite: &Request, answer: &Response) -> Option<Dialog> {
        Some(Dialog {
            call_id: invite.headers.call_id()?.to_owned(),
            ours: answer.headers.value("To")?.to_owned(),
            theirs: invite.headers.value("From")?.to_owned(),
            our_tag: answer.headers.to_tag()?.to_owned(),
            target: target(&invite.headers)?,
            cseq: 0,
        })
    }

    /// Where requests go.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.target.socket_addr()
    }

    /// The ACK of the 2xx to our INVITE.
    pub(super) fn ack(&self) -> Request {
        self.write(Method::Ack, self.cseq)
    }

    /// The request that ends the call.
    pub(super) fn bye(&mut self) -> Request {
        self.cseq += 1;
        self.write(Method::Bye, self.cseq)
    }

    /// Whether a request of theirs is of this call.
    pub(super) fn holds(&self, request: &Request) -> bool {
        request.headers.call_id() == Some(&self.call_id) && request.headers.to_tag() == Some(&self.our_tag)
    }

    fn write(&self, method: Method, cseq: u32) -> Request {
        let mut request = Request::new(method, self.target.clone());
        let headers = &mut request.headers;
        headers.push("Max-Forwards", "70");
        headers.push("From", self.ours.as_str());
        headers.push("To", self.theirs.as_str());
        headers.push("Call-ID", self.call_id.as_str());
        headers.push("CSeq", format!("{cseq} {method}"));
        request
    }
}

fn target(headers: &crate::sip::message::Headers) -> Option<Uri> {
    headers.contact().map(|contact| contact.uri().clone()).filter(|uri| uri.socket_addr().is_some())
}
