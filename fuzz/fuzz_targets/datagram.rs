//! A datagram through the SIP front door: nothing panics, what is accepted builds, and what we write of it is
//! accepted again with the same essentials.

#![no_main]

use std::net::SocketAddr;

use bytes::Bytes;
use hearken::sip::message::Message;
use hearken::sip::wire::{DropReason, Limits, Verdict, inspect};
use libfuzzer_sys::fuzz_target;

fn judge(datagram: &Bytes) -> Verdict {
    inspect(datagram, SocketAddr::from(([192, 0, 2, 10], 5060)), &Limits::default())
}

fuzz_target!(|data: &[u8]| {
    let datagram = Bytes::copy_from_slice(data);
    match judge(&datagram) {
        Verdict::Accept(first) => {
            let message = first.clone().message().expect("what is accepted builds");
            let headers = message.headers();
            let _ = (headers.contact(), headers.routes(), headers.record_routes(), headers.max_forwards());
            let Verdict::Accept(again) = judge(&message.to_bytes()) else {
                panic!("what we write is not accepted")
            };
            assert_eq!(first.essentials(), again.essentials());
            let second = again.message().expect("what is accepted builds");
            match (&message, &second) {
                (Message::Request(a), Message::Request(b)) => assert_eq!(a, b),
                (Message::Response(a), Message::Response(b)) => {
                    assert_eq!((a.code, &a.headers, &a.body), (b.code, &b.headers, &b.body));
                }
                _ => panic!("a request became a response, or the other way round"),
            }
        }
        Verdict::Answer(refusal) => {
            let answer = judge(&refusal.response);
            assert!(
                matches!(answer, Verdict::Accept(_) | Verdict::Drop(DropReason::Response(_))),
                "{answer:?}"
            );
        }
        Verdict::Drop(_) | Verdict::KeepAlive => {}
    }
});
