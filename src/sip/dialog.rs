//! One confirmed dialog, from either side (RFC 3261, 12): identity, route set, remote target, sequence numbers.
//!
//! It makes requests and judges the order of those that come in; it keeps no timers and no transactions.

use serde::{Deserialize, Serialize};

use super::message::{Method, Request, Response};
use super::name_addr::NameAddr;
use super::uri::Uri;
use super::{Flow, Transport};

/// Most entries of a route set; a longer one is refused.
const MAX_ROUTES: usize = 16;

/// One end of a confirmed dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    call_id: String,
    local: NameAddr,
    remote: NameAddr,
    local_tag: String,
    remote_tag: String,
    target: Uri,
    routes: Vec<NameAddr>,
    contact: Uri,
    local_seq: u32,
    remote_seq: Option<u32>,
    flow: Flow,
    /// Requests go where the peer was seen, whatever its Contact says: it is behind NAT.
    stays: bool,
}

/// Why no dialog can be made of a message.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDialog {
    /// From or To cannot be read.
    #[error("From or To is missing or malformed")]
    Parties,
    /// No Contact to send later requests to (RFC 3261, 8.1.1.8).
    #[error("Contact is missing or malformed")]
    Contact,
    /// More Record-Route entries than any sane path has.
    #[error("too many Record-Route entries")]
    Routes,
}

/// The request is older than one already seen in the dialog (RFC 3261, 12.2.2): 500.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("CSeq {got} is not above {last}")]
pub struct OutOfOrder {
    /// The sequence number that came.
    pub got: u32,
    /// The highest one seen before.
    pub last: u32,
}

impl Dialog {
    /// The dialog that a 2xx to `invite` makes, seen from the answering side (12.1.1).
    pub fn answering(
        invite: &Request,
        local_tag: &str,
        contact: Uri,
        flow: Flow,
    ) -> Result<Dialog, BadDialog> {
        let remote = invite.headers.from().ok_or(BadDialog::Parties)?;
        let mut local = invite.headers.to().ok_or(BadDialog::Parties)?;
        local.set_tag(local_tag);
        let target = match invite.headers.contact() {
            Some(contact) => contact.into_uri(),
            None if is_of_old(invite) => remote.uri().clone(),
            None => return Err(BadDialog::Contact),
        };
        Ok(Dialog {
            call_id: invite.headers.call_id().ok_or(BadDialog::Parties)?.to_owned(),
            local,
            local_tag: local_tag.to_owned(),
            remote_tag: remote.tag().unwrap_or_default().to_owned(),
            remote,
            target,
            routes: routes(invite.headers.record_routes())?,
            contact,
            local_seq: 0,
            remote_seq: invite.headers.cseq().map(|(number, _)| number),
            flow,
            stays: false,
        })
    }

    /// The dialog that a 2xx `response` to our `invite` makes (12.1.2).
    pub fn calling(invite: &Request, response: &Response, flow: Flow) -> Result<Dialog, BadDialog> {
        let local = invite.headers.from().ok_or(BadDialog::Parties)?;
        let remote = response.headers.to().ok_or(BadDialog::Parties)?;
        let mut route_set = routes(response.headers.record_routes())?;
        route_set.reverse();
        Ok(Dialog {
            call_id: invite.headers.call_id().ok_or(BadDialog::Parties)?.to_owned(),
            local_tag: local.tag().unwrap_or_default().to_owned(),
            local,
            remote_tag: remote.tag().unwrap_or_default().to_owned(),
            remote,
            target: response.headers.contact().map_or_else(|| invite.uri.clone(), NameAddr::into_uri),
            routes: route_set,
            contact: invite.headers.contact().ok_or(BadDialog::Contact)?.into_uri(),
            local_seq: invite.headers.cseq().map_or(1, |(number, _)| number),
            remote_seq: None,
            flow,
            stays: false,
        })
    }

    /// Sends every request where the peer was seen, for a peer behind NAT.
    pub fn stay_on_flow(&mut self) {
        self.stays = true;
    }

    /// A connection is gone, or with `None` every one: what would have gone by it goes to the address that the peer
    /// gave for itself. A peer that has none must come to us.
    pub fn lose_connection(&mut self, gone: Option<Flow>) {
        let next = self.routes.first().map_or(&self.target, NameAddr::uri).socket_addr();
        let lost = self.flow.transport == Transport::Tcp && gone.is_none_or(|gone| gone == self.flow);
        if let Some(remote) = next.filter(|_| lost && !self.stays) {
            self.flow.remote = remote;
        }
    }

    /// A request of the peer came by `flow`: a new connection from the same host takes the place of the old one.
    pub fn seen_by(&mut self, flow: Flow) {
        let reconnected = flow.transport == Transport::Tcp && self.flow.transport == Transport::Tcp;
        if reconnected && flow.remote.ip() == self.flow.remote.ip() {
            self.flow = flow;
        }
    }

    /// Our tag, by which requests of the dialog are found.
    pub fn local_tag(&self) -> &str {
        &self.local_tag
    }

    /// The Call-ID.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Whether a request with these identifiers belongs to the dialog (12.2.2). A peer of RFC 2543 has no tag.
    pub fn matches(&self, request: &Request) -> bool {
        request.headers.call_id() == Some(&self.call_id)
            && request.headers.to_tag() == Some(&self.local_tag)
            && request.headers.from_tag().unwrap_or_default() == self.remote_tag
    }

    /// Judges the order of a request that came in; an ACK carries the number of its INVITE and is not judged.
    pub fn accept(&mut self, request: &Request) -> Result<(), OutOfOrder> {
        let got = request.headers.cseq().map_or(0, |(number, _)| number);
        match self.remote_seq {
            Some(last) if got <= last => Err(OutOfOrder { got, last }),
            _ => {
                self.remote_seq = Some(got);
                Ok(())
            }
        }
    }

    /// Follows a target refresh: the Contact of a re-INVITE or of its 2xx (12.2.1.2, 12.2.2).
    pub fn refresh(&mut self, contact: Option<NameAddr>) {
        if let Some(contact) = contact {
            self.target = contact.into_uri();
        }
    }

    /// Where requests of this dialog go: the first route, else the remote target, else where the peer was seen.
    pub fn flow(&self) -> Flow {
        let next = self.routes.first().map_or(&self.target, NameAddr::uri);
        let Some(remote) = next.socket_addr().filter(|_| !self.stays) else { return self.flow };
        let transport = next.transport().unwrap_or(Transport::Udp);
        if self.flow.transport == Transport::Tcp && remote.ip() == self.flow.remote.ip() {
            // The connection that the peer opened passes its firewall; a new one might not.
            return self.flow;
        }
        if transport != self.flow.transport {
            return self.flow;
        }
        Flow { remote, ..self.flow }
    }

    /// The next request of the dialog (12.2.1.1), without Via and body.
    pub fn request(&mut self, method: Method) -> Request {
        self.local_seq += 1;
        self.build(method, self.local_seq)
    }

    /// The ACK of a 2xx to our INVITE with this sequence number (13.2.2.4), without Via and body.
    pub fn ack(&self, invite_seq: u32) -> Request {
        self.build(Method::Ack, invite_seq)
    }

    /// Sequence number of the last request made.
    pub fn local_seq(&self) -> u32 {
        self.local_seq
    }

    /// Our Contact in this dialog.
    pub fn contact(&self) -> &Uri {
        &self.contact
    }

    fn build(&self, method: Method, seq: u32) -> Request {
        let strict = self.routes.first().filter(|route| route.uri().param("lr").is_none());
        let mut request = Request::new(method, strict.map_or(&self.target, NameAddr::uri).clone());
        let headers = &mut request.headers;
        let rest = if strict.is_some() { &self.routes[1..] } else { &self.routes[..] };
        for route in rest {
            headers.push("Route", route.text());
        }
        if strict.is_some() {
            headers.push("Route", NameAddr::new(self.target.clone()).text());
        }
        headers.push("Max-Forwards", "70");
        headers.push("From", self.local.text());
        headers.push("To", self.remote.text());
        headers.push("Call-ID", self.call_id.clone());
        headers.push("CSeq", format!("{seq} {method}"));
        if method == Method::Invite {
            headers.push("Contact", NameAddr::new(self.contact.clone()).text());
        }
        request
    }
}

/// Whether a request is of a peer of RFC 2543: its branch lacks the cookie. Such a peer need not give a Contact.
fn is_of_old(request: &Request) -> bool {
    let via = request.headers.top_via();
    !via.is_some_and(|via| via.branch().is_some_and(|branch| branch.starts_with("z9hG4bK")))
}

fn routes(list: Vec<NameAddr>) -> Result<Vec<NameAddr>, BadDialog> {
    if list.len() > MAX_ROUTES { Err(BadDialog::Routes) } else { Ok(list) }
}
