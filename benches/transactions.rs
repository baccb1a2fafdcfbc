//! What one message costs in the transaction layer with tens of thousands of transactions alive:
//! `cargo bench --bench transactions`.
//!
//! Each figure is the median over all calls, in microseconds; building messages is shown beside it, because the
//! layer builds one for each event.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hearken::rng::Rng;
use hearken::sip::message::{Method, Request};
use hearken::sip::transaction::{Event, Output, Timing, Transactions};
use hearken::sip::uri::Uri;
use hearken::sip::wire::{Accepted, Limits, Verdict, inspect};
use hearken::sip::{Flow, ListenerId, Transport};
use hearken::time::Mono;

const CALLS: u64 = 40_000;

fn main() {
    let peer = SocketAddr::from(([192, 0, 2, 1], 5060));
    let us = SocketAddr::from(([198, 51, 100, 1], 5060));
    let flow = Flow { transport: Transport::Udp, listener: ListenerId(0), remote: peer };
    let mut layer = Transactions::new(Timing::default());
    let mut rng = Rng::new([1; 32]);
    let mut costs = Costs::default();
    let mut now = Mono(0);

    for call in 0..CALLS {
        now = now + Duration::from_millis(2);
        costs.time("wake", || layer.handle_timeout(now));
        drain(&mut layer);

        let invite = accept(&received("INVITE", call, "", &rng.token()));
        let (again, built) = (invite.clone(), invite.clone());
        costs.time("  message() of an INVITE", || built.message().is_ok());
        costs.time("INVITE in, new", || layer.receive(flow, invite, now).is_ok());
        costs.time("INVITE in, repeated", || layer.receive(flow, again.clone(), now).is_ok());
        for output in drain(&mut layer) {
            let Output::Event(Event::Request { tx, request, .. }) = output else { continue };
            let mut ok = request.response(200);
            ok.set_to_tag("ours");
            costs.time("  to_bytes() of a 200", || ok.to_bytes());
            costs.time("200 out", || layer.respond(tx, ok, now));
        }
        costs.time("INVITE in, repeated after 200", || layer.receive(flow, again, now).is_ok());
        let ack = accept(&received("ACK", call, ";tag=ours", &rng.token()));
        let repeated = ack.clone();
        costs.time("ACK of a 200 in", || layer.receive(flow, ack, now).is_ok());
        costs.time("ACK of a 200 in, repeated", || layer.receive(flow, repeated, now).is_ok());
        drain(&mut layer);

        let invite = ours(Method::Invite);
        let tx = costs.time("INVITE out", || layer.request(invite, flow, us, &mut rng, now));
        let Some(Output::Send { bytes, .. }) = layer.poll_output() else { continue };
        let (ringing, ok) = (accept(&answer(&bytes, 180)), accept(&answer(&bytes, 200)));
        let repeated = ok.clone();
        costs.time("180 in", || layer.receive(flow, ringing, now).is_ok());
        costs.time("200 in", || layer.receive(flow, ok, now).is_ok());
        let mut ack = ours(Method::Ack);
        ack.headers.set("To", "<sip:agent@192.0.2.1>;tag=theirs");
        costs.time("ACK out", || layer.ack(tx, ack, flow, us, &mut rng, now));
        costs.time("200 in, repeated", || layer.receive(flow, repeated, now).is_ok());
        drain(&mut layer);
    }
    println!("{} transactions alive; median us", layer.len());
    costs.print();
}

#[derive(Default)]
struct Costs(BTreeMap<&'static str, Vec<Duration>>);

impl Costs {
    fn time<T>(&mut self, what: &'static str, call: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = call();
        self.0.entry(what).or_default().push(begin.elapsed());
        result
    }

    fn print(mut self) {
        for (what, costs) in &mut self.0 {
            costs.sort();
            println!("{what:<32} {:>7.2}", costs[costs.len() / 2].as_secs_f64() * 1e6);
        }
    }
}

fn drain(layer: &mut Transactions) -> Vec<Output> {
    std::iter::from_fn(|| layer.poll_output()).collect()
}

fn accept(text: &str) -> Accepted {
    let source = SocketAddr::from(([192, 0, 2, 1], 5060));
    match inspect(&Bytes::copy_from_slice(text.as_bytes()), source, &Limits::default()) {
        Verdict::Accept(accepted) => accepted,
        other => panic!("{other:?}"),
    }
}

fn received(method: &str, call: u64, to_tag: &str, branch: &str) -> String {
    format!(
        "{method} sip:999@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:caller@192.0.2.1>;tag=theirs\r\nTo: <sip:999@198.51.100.1>{to_tag}\r\n\
         Call-ID: {call}@192.0.2.1\r\nCSeq: 7 {method}\r\nContact: <sip:caller@192.0.2.1>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn ours(method: Method) -> Request {
    let mut request = Request::new(
        method,
        Uri::sip(Some("agent"), SocketAddr::from(([192, 0, 2, 1], 5060)), Transport::Udp),
    );
    for (name, value) in [
        ("Max-Forwards", "70"),
        ("From", "<sip:999@198.51.100.1>;tag=ours"),
        ("To", "<sip:agent@192.0.2.1>"),
        ("Call-ID", "two@198.51.100.1"),
        ("Contact", "<sip:198.51.100.1>"),
    ] {
        request.headers.push(name, value);
    }
    request.headers.push("CSeq", format!("3 {method}"));
    request
}

/// The peer's answer to a request as we sent it.
fn answer(request: &[u8], code: u16) -> String {
    let text = String::from_utf8_lossy(request);
    let (_, headers) = text.split_once("\r\n").unwrap_or_default();
    let headers = headers.replace("<sip:agent@192.0.2.1>", "<sip:agent@192.0.2.1>;tag=theirs");
    format!("SIP/2.0 {code} Whatever\r\n{headers}")
}
