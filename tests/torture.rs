//! The torture messages of RFC 4475, one file each, byte for byte, and what the front door must say to each.
//!
//! Some must be refused, but not by the door: these are accepted here, and the layer that refuses them is named.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use hearken::sip::message::{Message, Method};
use hearken::sip::wire::{DropReason, Fault, Limits, Start, Verdict, inspect};

#[derive(Debug)]
enum Want {
    /// Valid, or to be tolerated.
    Accept,
    /// Accepted here; the note says who refuses it and how.
    Above(&'static str),
    /// Answered with the code.
    Answer(u16, Fault),
    /// Dropped without an answer.
    Drop(DropReason),
}

use Want::{Above, Accept, Answer, Drop};

const TABLE: &[(&str, Want)] = &[
    // 3.1.1 Valid messages
    ("wsinv", Accept),
    ("intmeth", Answer(501, Fault::UnknownMethod)),
    ("esc01", Accept),
    ("escnull", Above("switch: 405, no registrar")),
    ("esc02", Answer(501, Fault::UnknownMethod)),
    ("lwsdisp", Accept),
    ("longreq", Accept),
    ("dblreq", Accept),
    ("semiuri", Accept),
    ("transports", Accept),
    ("mpart01", Above("switch: 405, no messages")),
    ("unreason", Above("transaction: matches no request of ours")),
    ("noreason", Above("transaction: matches no request of ours")),
    // 3.1.2 Invalid messages
    ("badinv01", Answer(400, Fault::Via)),
    ("clerr", Answer(400, Fault::ContentLength)),
    ("ncl", Answer(400, Fault::ContentLength)),
    ("scalar02", Answer(400, Fault::CSeq)),
    ("scalarlg", Drop(DropReason::Response(Fault::CSeq))),
    ("quotbal", Answer(400, Fault::To)),
    ("ltgtruri", Answer(400, Fault::RequestUri)),
    ("lwsruri", Answer(400, Fault::StartLine)),
    ("lwsstart", Answer(400, Fault::StartLine)),
    ("trws", Answer(400, Fault::StartLine)),
    ("escruri", Answer(400, Fault::RequestUri)),
    // The RFC lets an element that does not use Date ignore it.
    ("baddate", Accept),
    ("regbadct", Answer(400, Fault::Contact)),
    ("badaspec", Answer(400, Fault::To)),
    // The RFC lets a lenient element infer the display name.
    ("baddn", Accept),
    ("badvers", Answer(505, Fault::Version)),
    ("mismatch01", Answer(400, Fault::CSeqMethod)),
    ("mismatch02", Answer(501, Fault::UnknownMethod)),
    ("bigcode", Drop(DropReason::Response(Fault::StatusCode))),
    // 3.2 Transaction layer
    ("badbranch", Above("transaction: the branch after z9hG4bK is empty, so match as RFC 2543 did")),
    // 3.3 Application layer
    ("insuf", Answer(400, Fault::Missing)),
    ("unkscm", Answer(416, Fault::UriScheme)),
    ("novelsc", Answer(416, Fault::UriScheme)),
    ("unksm2", Above("switch: 405, no registrar")),
    ("bext01", Above("switch: 420, Require")),
    ("invut", Above("switch: 415, Content-Type")),
    ("regaut01", Above("switch: 405, no registrar")),
    ("multi01", Answer(400, Fault::Repeated)),
    ("mcl01", Answer(400, Fault::Repeated)),
    ("bcast", Above("transaction: matches no request of ours")),
    ("zeromf", Above("switch: it is the target, so it answers as if Max-Forwards were not zero")),
    ("cparam01", Above("switch: 405, no registrar")),
    ("cparam02", Above("switch: 405, no registrar")),
    ("regescrt", Above("switch: 405, no registrar")),
    ("sdp01", Accept),
    // 3.4 Backward compatibility
    ("inv2543", Accept),
];

fn torture(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture").join(name).with_extension("dat");
    Bytes::from(std::fs::read(path).unwrap())
}

fn judge(message: &Bytes) -> Verdict {
    let source: SocketAddr = "198.51.100.7:5099".parse().unwrap();
    inspect(message, source, &Limits::default())
}

fn accept(name: &str) -> Message {
    match judge(&torture(name)) {
        Verdict::Accept(accepted) => accepted.message().unwrap(),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn every_torture_message_gets_the_verdict_of_the_rfc() {
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture")).unwrap();
    assert_eq!((files.count(), TABLE.len()), (49, 49));
    for (name, want) in TABLE {
        let message = torture(name);
        let verdict = judge(&message);
        let note = if let Above(layer) = want { layer } else { "the door" };
        match (want, &verdict) {
            (Accept | Above(_), Verdict::Accept(accepted)) => {
                let again = accepted.clone().message().unwrap().to_bytes();
                let Verdict::Accept(again) = judge(&again) else { panic!("{name}: refused as we write it") };
                assert_eq!(accepted.essentials(), again.essentials(), "{name}");
                assert_eq!(accepted.clone().message(), again.message(), "{name}");
            }
            (Answer(code, fault), Verdict::Answer(refusal)) => {
                assert_eq!((*code, *fault), (refusal.code, refusal.fault), "{name}");
                let answer = judge(&refusal.response);
                let is_response =
                    matches!(answer, Verdict::Accept(_) | Verdict::Drop(DropReason::Response(_)));
                assert!(is_response, "{name}: {answer:?}");
            }
            (Drop(reason), Verdict::Drop(dropped)) => assert_eq!(reason, dropped, "{name}"),
            _ => panic!("{name} ({note}): wanted {want:?}, got {verdict:?}"),
        }
    }
}

#[test]
fn the_short_tortuous_invite_is_understood_in_full() {
    let Message::Request(request) = accept("wsinv") else { panic!() };
    let headers = &request.headers;
    let vias: Vec<_> = headers.values("Via").collect();
    assert_eq!(vias.len(), 3);
    assert_eq!(headers.top_via().unwrap().to_string(), "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw");
    assert_eq!((headers.to_tag(), headers.from_tag()), (Some("1918181833n"), Some("98asjd8")));
    assert_eq!(headers.from().unwrap().display_name(), Some("J Rosenberg \\\""));
    assert_eq!((headers.cseq(), headers.max_forwards()), (Some((9, Method::Invite)), Some(68)));
    assert_eq!(headers.value("Subject"), Some(""));
    assert_eq!(headers.value("NewFangledHeader"), Some("newfangled value continued newfangled value"));
    assert_eq!(headers.contact().unwrap().param("secondparam"), Some(""));
    assert_eq!(request.body.len(), 150);
}

#[test]
fn the_long_request_keeps_its_34_vias_in_order() {
    let message = accept("longreq");
    let hosts: Vec<_> = message.headers().values("Via").map(|via| via.split_once(' ').unwrap().1).collect();
    assert_eq!(hosts.len(), 34);
    assert_eq!(
        (hosts[0], hosts[11], hosts[32]),
        ("sip33.example.com", "sip22.example.com", "sip1.example.com")
    );
}

#[test]
fn what_follows_the_counted_body_is_ignored() {
    let Message::Request(request) = accept("dblreq") else { panic!() };
    assert_eq!((request.method, request.body.len()), (Method::Register, 0));
}

#[test]
fn a_multipart_body_of_any_bytes_arrives_unchanged() {
    let raw = torture("mpart01");
    let Message::Request(request) = accept("mpart01") else { panic!() };
    assert!(std::str::from_utf8(&request.body).is_err());
    assert_eq!(request.body, raw.slice(raw.len() - 553..));
    assert!(request.to_bytes().ends_with(&request.body));
}

#[test]
fn the_unusual_reason_is_kept() {
    let Message::Response(response) = accept("unreason") else { panic!() };
    assert_eq!(response.reason, "= 2**3 * 5**2 но сто девяносто девять - простое");
    assert!(response.to_bytes().starts_with("SIP/2.0 200 = 2**3 * 5**2 но сто".as_bytes()));
    let Message::Response(response) = accept("noreason") else { panic!() };
    assert_eq!((response.code, response.reason.as_str()), (100, ""));
}

#[test]
fn a_request_as_rfc_2543_wrote_it_passes_without_branch_and_max_forwards() {
    let Verdict::Accept(accepted) = judge(&torture("inv2543")) else { panic!() };
    let essentials = accepted.essentials();
    assert_eq!(essentials.start, Start::Request { method: Method::Invite });
    assert_eq!(
        (essentials.branch, essentials.sent_by, essentials.from_tag),
        (None, "iftgw.example.com", None)
    );
    let Message::Request(request) = accepted.message().unwrap() else { panic!() };
    assert_eq!(request.headers.max_forwards(), None);
    assert!(request.body.starts_with(b"v=0\r\n"));
}

#[test]
fn the_top_via_of_many_transports_is_the_first() {
    let message = accept("transports");
    assert_eq!(message.headers().top_via().unwrap().branch(), Some("z9hG4bKkdjuw"));
    let transports: Vec<_> =
        message.headers().values("Via").map(|via| via[8..].split(' ').next().unwrap()).collect();
    assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}
