//! What one message costs at the front door, beside rsip alone: `cargo bench --bench front_door`.
//!
//! Each figure is the median of many rounds, in microseconds for one message.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use hearken::sip::message::Message;
use hearken::sip::wire::{Accepted, Limits, Verdict, inspect};

const ROUNDS: usize = 4_001;
const CALLS: usize = 50;

/// 1,109 bytes, as a surgery's PBX sends it.
const INVITE: &str = "INVITE sip:+441614960000@192.0.2.9:5060;user=phone SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-524287-1---2f2c8c3ec1d3a4f0;rport
Max-Forwards: 70
Contact: <sip:elmtree@192.0.2.1:5070;transport=udp;ob>
To: <sip:+441614960000@192.0.2.9;user=phone>
From: \"Elm Tree Surgery\" <sip:+441614960001@192.0.2.1;user=phone>;tag=1928301774
Call-ID: a84b4c76e66710b24d8c@192.0.2.1
CSeq: 314159 INVITE
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY
Supported: replaces, 100rel, timer, norefersub
Session-Expires: 1800;refresher=uac
P-Asserted-Identity: <sip:+441614960001@192.0.2.1;user=phone>
User-Agent: Elm-PBX/17.4.2 (build 20260211)
Content-Type: application/sdp
Content-Length: 376

v=0
o=- 3907651200 3907651200 IN IP4 192.0.2.1
s=Elm-PBX
c=IN IP4 192.0.2.1
t=0 0
m=audio 40000 RTP/AVP 8 0 9 18 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:9 G722/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=maxptime:40
a=sendrecv
a=rtcp:40001
a=ssrc:3735928559 cname:elm-tree-surgery-01
";

fn main() {
    let bytes = Bytes::from(INVITE.replace('\n', "\r\n"));
    let folded = Bytes::from(INVITE.replace('\n', "\r\n").replace("CSeq: ", "CSeq:\r\n "));
    let source = SocketAddr::from(([192, 0, 2, 1], 5070));
    let limits = Limits::default();
    let accept = |bytes: &Bytes| -> Accepted {
        match inspect(bytes, source, &limits) {
            Verdict::Accept(accepted) => accepted,
            other => panic!("{other:?}"),
        }
    };
    let accepted = accept(&bytes);
    let build =
        |accepted: &Accepted| -> Message { accepted.clone().message().unwrap_or_else(|bad| panic!("{bad}")) };
    let message = build(&accepted);
    let from_rsip = || rsip::SipMessage::try_from(&bytes[..]).unwrap_or_else(|bad| panic!("{bad}"));
    let parsed = from_rsip();

    println!("INVITE of {} bytes, {} headers; median us", bytes.len(), message.headers().iter().count());
    report("inspect", || accept(&bytes));
    report("inspect, one line folded", || accept(&folded));
    report("inspect and essentials", || accept(&bytes).essentials().cseq);
    report("message()", || build(&accepted));
    report("to_bytes()", || message.to_bytes());
    report("inspect, message(), to_bytes()", || build(&accept(&bytes)).to_bytes());
    report("rsip alone: parse", from_rsip);
    report("rsip alone: to_string", || parsed.to_string());
}

fn report<T>(what: &str, mut call: impl FnMut() -> T) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..CALLS {
                black_box(call());
            }
            begin.elapsed().as_secs_f64() * 1e6 / CALLS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{what:<34} {:>7.2}", rounds[ROUNDS / 2]);
}
