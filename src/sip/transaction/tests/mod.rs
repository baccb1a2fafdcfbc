//! The layer against a scripted peer; what it does is written as short lines, with milliseconds where time runs.

#![allow(clippy::unwrap_used)]

mod cancel;
mod client;
mod invite_client;
mod invite_server;
mod late_wake;
mod matching;
mod random;
mod reply_path;
mod server;
mod snapshot;

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::rng::Rng;
use crate::sip::message::{Message, Method};
use crate::sip::uri::Uri;
use crate::sip::wire::{Limits, Verdict, inspect};
use crate::sip::{ListenerId, Transport};

const UDP: Flow = flow(Transport::Udp, 5060);
const TCP: Flow = flow(Transport::Tcp, 40_000);

const fn flow(transport: Transport, port: u16) -> Flow {
    let peer = std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    Flow { transport, listener: ListenerId(0), remote: std::net::SocketAddr::new(peer, port) }
}

/// The layer, its clock, and all that it ever sent.
struct Rig {
    layer: Transactions,
    now: Mono,
    rng: Rng,
    flow: Flow,
    sent: Vec<(Flow, String)>,
}

impl Rig {
    fn over(flow: Flow) -> Rig {
        let layer = Transactions::new(Timing::default());
        Rig { layer, now: Mono(7_000_000), rng: Rng::new([1; 32]), flow, sent: Vec::new() }
    }

    fn udp() -> Rig {
        Rig::over(UDP)
    }

    fn tcp() -> Rig {
        Rig::over(TCP)
    }

    /// Takes in one message by the rig's own flow.
    fn hear(&mut self, text: &str) -> Vec<String> {
        self.layer.receive(self.flow, accepted(text), self.now).unwrap();
        self.drain()
    }

    fn respond(&mut self, tx: u64, request: &str, code: u16, tag: &str) -> Vec<String> {
        let mut response = parsed_request(request).response(code);
        if !tag.is_empty() {
            response.set_to_tag(tag);
        }
        self.layer.respond(ServerTx(tx), response, self.now);
        self.drain()
    }

    /// Sends a request of ours and gives its text.
    fn send(&mut self, method: Method) -> String {
        self.layer.request(ours(method), self.flow, us(), &mut self.rng, self.now);
        assert_eq!(self.drain(), [method.name()]);
        self.last()
    }

    fn cancel(&mut self, tx: u64) -> Vec<String> {
        self.layer.cancel(ClientTx(tx), self.now);
        self.drain()
    }

    fn ack(&mut self, tx: u64, to_tag: &str) -> Vec<String> {
        let mut ack = ours(Method::Ack);
        ack.headers.set("To", format!("<sip:agent@192.0.2.1>;tag={to_tag}"));
        self.layer.ack(ClientTx(tx), ack, self.flow, us(), &mut self.rng, self.now);
        self.drain()
    }

    /// Lets time pass, waking the layer at each of its deadlines; times count from the rig's present.
    fn run(&mut self, for_millis: u64) -> Vec<String> {
        let (start, end) = (self.now, self.now + Duration::from_millis(for_millis));
        let mut lines = Vec::new();
        while let Some(at) = self.layer.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.layer.handle_timeout(at);
            let millis = at.since(start).as_millis();
            lines.extend(self.drain().into_iter().map(|line| format!("{millis} {line}")));
        }
        self.now = end;
        lines
    }

    /// Lets time pass with a single wake at the end.
    fn sleep(&mut self, millis: u64) -> Vec<String> {
        self.now = self.now + Duration::from_millis(millis);
        self.layer.handle_timeout(self.now);
        self.drain()
    }

    fn drain(&mut self) -> Vec<String> {
        self.layer.check_invariants();
        let mut lines = Vec::new();
        while let Some(output) = self.layer.poll_output() {
            lines.push(line(&output));
            if let Output::Send { flow, bytes } = output {
                self.sent.push((flow, String::from_utf8(bytes.to_vec()).unwrap()));
            }
        }
        lines
    }

    fn last(&self) -> String {
        self.sent.last().unwrap().1.clone()
    }
}

/// `INVITE`, `200 INVITE`, or an event in a few words.
fn line(output: &Output) -> String {
    match output {
        Output::Send { bytes, .. } => {
            let text = std::str::from_utf8(bytes).unwrap();
            match text.strip_prefix("SIP/2.0 ") {
                Some(rest) => format!("{} {}", &rest[..3], header(text, "CSeq").split_once(' ').unwrap().1),
                None => text.split_once(' ').unwrap().0.to_owned(),
            }
        }
        Output::Event(event) => match event {
            Event::Request { tx, request, .. } => format!("request {} {}", tx.0, request.method),
            Event::Ack { tx, .. } => format!("acknowledged {}", tx.0),
            Event::Cancelled { tx } => format!("cancelled {}", tx.0),
            Event::Response { tx, response, .. } => format!("response {} {}", tx.0, response.code),
            Event::Failed { tx, why } => format!("failed {} {why:?}", tx.0),
            Event::Unacknowledged { tx } => format!("unacknowledged {}", tx.0),
        },
    }
}

/// The value of the first header of that name.
fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let mut lines = text.split("\r\n");
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

fn accepted(text: &str) -> crate::sip::wire::Accepted {
    match inspect(&Bytes::copy_from_slice(text.as_bytes()), UDP.remote, &Limits::default()) {
        Verdict::Accept(accepted) => accepted,
        _ => panic!("refused: {text}"),
    }
}

fn parsed_request(text: &str) -> Request {
    match accepted(text).message().unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response: {text}"),
    }
}

/// A request from the peer: its method, branch and To tag, all else alike.
fn request(method: &str, branch: &str, to_tag: &str) -> String {
    let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    [
        &format!("{method} sip:999@198.51.100.1 SIP/2.0"),
        &format!("Via: SIP/2.0/UDP 192.0.2.1:5060;branch={branch}"),
        "Max-Forwards: 70",
        "From: <sip:caller@192.0.2.1>;tag=from",
        &format!("To: <sip:999@198.51.100.1>{to_tag}"),
        "Call-ID: one@192.0.2.1",
        &format!("CSeq: 7 {method}"),
        "Contact: <sip:caller@192.0.2.1>",
        "Content-Length: 0",
        "\r\n",
    ]
    .join("\r\n")
    .replace("\r\n\r\n\r\n", "\r\n\r\n")
}

/// The peer's answer to a request of ours.
fn answer(request: &str, code: u16, to_tag: &str) -> String {
    let to = header(request, "To").split(";tag=").next().unwrap();
    let (number, method) = header(request, "CSeq").split_once(' ').unwrap();
    [
        &format!("SIP/2.0 {code} Whatever"),
        &format!("Via: {}", header(request, "Via")),
        &format!("From: {}", header(request, "From")),
        &format!("To: {to};tag={to_tag}"),
        &format!("Call-ID: {}", header(request, "Call-ID")),
        &format!("CSeq: {number} {method}"),
        "Contact: <sip:agent@192.0.2.1>",
        "Content-Length: 0",
        "\r\n",
    ]
    .join("\r\n")
    .replace("\r\n\r\n\r\n", "\r\n\r\n")
}

/// A request of ours without Via, with a route and a body.
fn ours(method: Method) -> Request {
    let mut request = Request::new(method, Uri::parse("sip:agent@192.0.2.1").unwrap());
    for (name, value) in [
        ("Route", "<sip:192.0.2.7;lr>"),
        ("Route", "<sip:192.0.2.8;lr>"),
        ("Max-Forwards", "70"),
        ("From", "<sip:999@198.51.100.1>;tag=ours"),
        ("To", "<sip:agent@192.0.2.1>"),
        ("Call-ID", "two@198.51.100.1"),
        ("Contact", "<sip:198.51.100.1>"),
    ] {
        request.headers.push(name, value);
    }
    request.headers.push("CSeq", format!("3 {method}"));
    request.body = Bytes::from_static(b"body");
    request
}

fn us() -> std::net::SocketAddr {
    "198.51.100.1:5060".parse().unwrap()
}

const NOTHING: [&str; 0] = [];
