//! A phone's own way of sending SIP over UDP: requests are repeated until answered, answers are repeated
//! when asked again, an INVITE's final answer until it is acknowledged.
//!
//! Written apart from [`crate::sip::transaction`], so that two implementations must understand each other.
//! Free of sockets and clocks; every list is bounded.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Packet;
use crate::cli::demo::dice::Dice;
use crate::sip::Transport;
use crate::sip::message::{Message, Method, Request, Response};
use crate::sip::via::Via;
use crate::sip::wire::{self, Limits, Verdict};

/// First interval of repetition (RFC 3261, 17.1.1.1: T1).
const FIRST: Duration = Duration::from_millis(500);
/// Longest interval of repetition (T2).
const LONGEST: Duration = Duration::from_secs(4);
/// How long something is repeated before it is given up (64 T1).
const LIMIT: Duration = Duration::from_secs(32);
/// Requests and answers remembered; older ones are forgotten.
const REMEMBERED: usize = 16;

/// What a phone hears that is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A request that wants an answer.
    Request(Box<Request>, SocketAddr),
    /// An answer to a request of ours.
    Response(Box<Response>),
    /// A request of this method got no answer.
    Unanswered(Method),
}

/// The SIP side of a phone.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Where the phone is.
    address: SocketAddr,
    dice: Dice,
    asked: VecDeque<Asked>,
    said: VecDeque<Said>,
    outbox: VecDeque<Packet>,
}

/// A request of ours.
#[derive(Debug)]
struct Asked {
    method: Method,
    branch: String,
    to: SocketAddr,
    repeat: Option<Repeat>,
    /// Of an INVITE: from what its ACK is made.
    invite: Option<Box<Request>>,
    /// The ACK that was sent, to be sent again.
    ack: Option<Bytes>,
}

/// An answer of ours.
#[derive(Debug)]
struct Said {
    method: Method,
    branch: String,
    call_id: String,
    cseq: u32,
    to: SocketAddr,
    bytes: Bytes,
    /// Until the ACK comes.
    repeat: Option<Repeat>,
}

#[derive(Debug)]
struct Repeat {
    bytes: Bytes,
    next: Instant,
    interval: Duration,
    until: Instant,
}

impl Endpoint {
    /// A phone at this address.
    pub(super) fn new(address: SocketAddr, dice: Dice) -> Endpoint {
        Endpoint { address, dice, asked: VecDeque::new(), said: VecDeque::new(), outbox: VecDeque::new() }
    }

    /// Where the phone is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Chance, for tags and Call-IDs.
    pub(super) fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// What is to be sent.
    pub(super) fn poll_output(&mut self) -> Option<Packet> {
        self.outbox.pop_front()
    }

    /// Sends a request, again and again until it is answered.
    pub(super) fn request(&mut self, mut request: Request, to: SocketAddr, now: Instant) {
        let branch = self.stamp(&mut request);
        let bytes = request.to_bytes();
        let repeat = Some(Repeat::new(bytes.clone(), now));
        let method = request.method;
        let invite = (method == Method::Invite).then(|| Box::new(request));
        remember(&mut self.asked, Asked { method, branch, to, repeat, invite, ack: None });
        self.outbox.push_back(Packet::Sip(to, bytes));
    }

    /// Acknowledges the 2xx of our INVITE, and does so again whenever that 2xx comes again.
    pub(super) fn acknowledge(&mut self, mut ack: Request, to: SocketAddr) {
        self.stamp(&mut ack);
        let bytes = ack.to_bytes();
        if let Some(asked) = self.asked.iter_mut().rfind(|asked| asked.method == Method::Invite) {
            asked.ack = Some(bytes.clone());
            asked.to = to;
        }
        self.outbox.push_back(Packet::Sip(to, bytes));
    }

    /// Answers a request; a final answer to an INVITE is repeated until it is acknowledged.
    pub(super) fn respond(&mut self, request: &Request, response: &Response, to: SocketAddr, now: Instant) {
        let bytes = response.to_bytes();
        self.outbox.push_back(Packet::Sip(to, bytes.clone()));
        let branch = branch_of(request);
        self.said.retain(|said| said.method != request.method || said.branch != branch);
        let waits = request.method == Method::Invite && response.is_final();
        let said = Said {
            method: request.method,
            branch,
            call_id: request.headers.call_id().unwrap_or_default().to_owned(),
            cseq: request.headers.cseq().map_or(0, |(number, _)| number),
            to,
            repeat: waits.then(|| Repeat::new(bytes.clone(), now)),
            bytes,
        };
        remember(&mut self.said, said);
    }

    /// Takes what came from the network; `None` when it was a repetition, an ACK, or no SIP.
    pub(super) fn receive(&mut self, bytes: &Bytes, source: SocketAddr) -> Option<Heard> {
        let Verdict::Accept(accepted) = wire::inspect(bytes, source, &Limits::default()) else { return None };
        match accepted.message().ok()? {
            Message::Request(request) => self.requested(request, source),
            Message::Response(response) => self.answered(response),
        }
    }

    fn requested(&mut self, request: Request, source: SocketAddr) -> Option<Heard> {
        if request.method == Method::Ack {
            let number = request.headers.cseq().map(|(number, _)| number);
            let call_id = request.headers.call_id();
            let acknowledged = self.said.iter_mut().find(|said| {
                said.method == Method::Invite && Some(said.cseq) == number && Some(&*said.call_id) == call_id
            });
            if let Some(said) = acknowledged {
                said.repeat = None;
            }
            return None;
        }
        let branch = branch_of(&request);
        if let Some(said) =
            self.said.iter().find(|said| said.method == request.method && said.branch == branch)
        {
            self.outbox.push_back(Packet::Sip(said.to, said.bytes.clone()));
            return None;
        }
        Some(Heard::Request(Box::new(request), source))
    }

    fn answered(&mut self, response: Response) -> Option<Heard> {
        let branch = response.headers.top_via()?.branch()?.to_owned();
        let (_, method) = response.headers.cseq()?;
        let at = self.asked.iter().position(|asked| asked.branch == branch && asked.method == method)?;
        let asked = &mut self.asked[at];
        if let Some(ack) = asked.ack.clone().filter(|_| response.is_final()) {
            self.outbox.push_back(Packet::Sip(asked.to, ack));
            return None;
        }
        if response.is_provisional() {
            match (&mut asked.repeat, method) {
                (repeat, Method::Invite) => *repeat = None,
                (Some(repeat), _) => repeat.interval = LONGEST,
                (None, _) => {}
            }
            return Some(Heard::Response(Box::new(response)));
        }
        asked.repeat = None;
        match asked.invite.take() {
            None => drop(self.asked.remove(at)),
            Some(invite) if !response.is_success() => {
                let ack = ack_of_refusal(&invite, &response).to_bytes();
                asked.ack = Some(ack.clone());
                self.outbox.push_back(Packet::Sip(asked.to, ack));
            }
            Some(_) => {}
        }
        Some(Heard::Response(Box::new(response)))
    }

    /// Repeats what is due, and says which request was given up; call until `None`.
    pub(super) fn wake(&mut self, now: Instant) -> Option<Heard> {
        for said in &mut self.said {
            if let Some(bytes) = said.repeat.as_mut().and_then(|repeat| repeat.due(now)) {
                self.outbox.push_back(Packet::Sip(said.to, bytes));
            }
            said.repeat.take_if(|repeat| repeat.until <= now);
        }
        for asked in &mut self.asked {
            if let Some(bytes) = asked.repeat.as_mut().and_then(|repeat| repeat.due(now)) {
                self.outbox.push_back(Packet::Sip(asked.to, bytes));
            }
        }
        let over = |asked: &Asked| asked.repeat.as_ref().is_some_and(|repeat| repeat.until <= now);
        let at = self.asked.iter().position(over)?;
        self.asked.remove(at).map(|asked| Heard::Unanswered(asked.method))
    }

    /// When [`Endpoint::wake`] has something to do.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        let asked = self.asked.iter().filter_map(|asked| asked.repeat.as_ref());
        let said = self.said.iter().filter_map(|said| said.repeat.as_ref());
        asked.chain(said).map(|repeat| repeat.next.min(repeat.until)).min()
    }

    /// Puts our Via on a request and returns its branch.
    fn stamp(&mut self, request: &mut Request) -> String {
        let branch = format!("z9hG4bK{}", self.dice.token());
        request.headers.push_front("Via", Via::new(Transport::Udp, self.address, &branch).to_string());
        branch
    }
}

impl Repeat {
    fn new(bytes: Bytes, now: Instant) -> Repeat {
        Repeat { bytes, next: now + FIRST, interval: FIRST, until: now + LIMIT }
    }

    fn due(&mut self, now: Instant) -> Option<Bytes> {
        if now < self.next {
            return None;
        }
        self.interval = (self.interval * 2).min(LONGEST);
        self.next = now + self.interval;
        Some(self.bytes.clone())
    }
}

fn remember<T>(list: &mut VecDeque<T>, entry: T) {
    if list.len() >= REMEMBERED {
        list.pop_front();
    }
    list.push_back(entry);
}

fn branch_of(request: &Request) -> String {
    request.headers.top_via().and_then(|via| via.branch().map(str::to_owned)).unwrap_or_default()
}

/// RFC 3261, 17.1.1.3: the INVITE's own Via, and the To of the answer.
fn ack_of_refusal(invite: &Request, response: &Response) -> Request {
    let mut ack = Request::new(Method::Ack, invite.uri.clone());
    for name in ["Via", "Max-Forwards", "From", "Call-ID"] {
        if let Some(value) = invite.headers.value(name) {
            ack.headers.push(name, value);
        }
    }
    ack.headers.push("To", response.headers.value("To").unwrap_or_default());
    ack.headers.push("CSeq", format!("{} ACK", invite.headers.cseq().map_or(1, |(number, _)| number)));
    ack
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sip::uri::Uri;

    const A: &str = "127.0.0.2:5060";
    const B: &str = "127.0.0.1:5060";

    fn request(method: Method) -> Request {
        let mut request = Request::new(method, Uri::parse("sip:b@127.0.0.1:5060").unwrap());
        let headers = &mut request.headers;
        headers.push("Max-Forwards", "70");
        headers.push("From", "<sip:a@127.0.0.2>;tag=a");
        headers.push("To", "<sip:b@127.0.0.1>");
        headers.push("Call-ID", "x");
        headers.push("CSeq", format!("1 {method}"));
        request
    }

    fn pair() -> (Endpoint, Endpoint) {
        let at = |address: &str, player| Endpoint::new(address.parse().unwrap(), Dice::new(1, player));
        (at(A, 1), at(B, 2))
    }

    fn sent(endpoint: &mut Endpoint) -> Vec<Bytes> {
        let packets = std::iter::from_fn(|| endpoint.poll_output());
        packets
            .map(|packet| if let Packet::Sip(_, bytes) = packet { bytes } else { panic!("not SIP") })
            .collect()
    }

    /// What one endpoint hears of all that the other has sent.
    fn pass(from: &mut Endpoint, to: &mut Endpoint) -> Vec<Heard> {
        let source = from.address();
        sent(from).iter().filter_map(|bytes| to.receive(bytes, source)).collect()
    }

    fn asked(heard: &[Heard]) -> Request {
        match heard {
            [Heard::Request(request, _)] => (**request).clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_repeated_until_answered_and_the_repetition_is_answered_alike() {
        let (mut a, mut b) = pair();
        let (start, address) = (Instant::now(), a.address());
        a.request(request(Method::Bye), b.address(), start);
        let bye = asked(&pass(&mut a, &mut b));
        b.respond(&bye, &bye.response(200), address, start);
        assert_eq!(sent(&mut b).len(), 1, "and it is lost");
        assert_eq!(a.wake(start + FIRST), None);
        assert_eq!(pass(&mut a, &mut b), [], "a repetition is not heard twice");
        assert!(matches!(&pass(&mut b, &mut a)[..], [Heard::Response(response)] if response.code == 200));
        assert_eq!(a.next_wake(), None);
    }

    #[test]
    fn a_request_without_answer_is_given_up() {
        let (mut a, b) = pair();
        let start = Instant::now();
        a.request(request(Method::Invite), b.address(), start);
        assert_eq!(a.wake(start + LIMIT), Some(Heard::Unanswered(Method::Invite)));
        assert_eq!((a.wake(start + LIMIT), a.next_wake()), (None, None));
    }

    #[test]
    fn the_answer_to_an_invite_is_repeated_until_acknowledged() {
        let (mut a, mut b) = pair();
        let (start, address) = (Instant::now(), a.address());
        a.request(request(Method::Invite), b.address(), start);
        let invite = asked(&pass(&mut a, &mut b));
        b.respond(&invite, &invite.response(180), address, start);
        b.respond(&invite, &invite.response(200), address, start);
        assert_eq!(pass(&mut b, &mut a).len(), 2);
        a.acknowledge(request(Method::Ack), b.address());
        assert_eq!(sent(&mut a).len(), 1, "and it is lost");
        assert_eq!(b.wake(start + FIRST), None);
        assert_eq!(pass(&mut b, &mut a), [], "the answer is not heard twice");
        assert_eq!(pass(&mut a, &mut b), []);
        assert_eq!(b.next_wake(), None, "the second ACK has arrived");
    }

    #[test]
    fn a_refusal_is_acknowledged_on_the_branch_of_the_invite() {
        let (mut a, mut b) = pair();
        let (start, address) = (Instant::now(), a.address());
        a.request(request(Method::Invite), b.address(), start);
        let invite = asked(&pass(&mut a, &mut b));
        b.respond(&invite, &invite.response(486), address, start);
        assert_eq!(pass(&mut b, &mut a).len(), 1);
        let ack = sent(&mut a).remove(0);
        let text = String::from_utf8(ack.to_vec()).unwrap();
        assert!(text.starts_with("ACK ") && text.contains(&branch_of(&invite)));
        b.receive(&ack, address);
        assert_eq!(b.next_wake(), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut a, b) = pair();
        for _ in 0..100 {
            a.request(request(Method::Options), b.address(), Instant::now());
        }
        assert_eq!(a.asked.len(), REMEMBERED);
    }
}
