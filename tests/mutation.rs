//! Two million mutated messages through the front door, the same ones each time.
//!
//! Nothing may panic; whatever is accepted must build, and must pass the door again as we write it, with the
//! same essentials; whatever is answered must be answered with a response.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use hearken::sip::message::Message;
use hearken::sip::wire::{DropReason, Framer, Limits, Verdict, inspect};

const EACH: usize = 500_000;

#[test]
fn half_a_million_mutated_messages_keep_their_promises_1() {
    run(1, EACH);
}

#[test]
fn half_a_million_mutated_messages_keep_their_promises_2() {
    run(2, EACH);
}

#[test]
fn half_a_million_mutated_messages_keep_their_promises_3() {
    run(3, EACH);
}

#[test]
fn half_a_million_mutated_messages_keep_their_promises_4() {
    run(4, EACH);
}

#[test]
fn mutated_streams_neither_panic_nor_grow() {
    let mut chance = Chance(5);
    let corpus = corpus();
    let limits = Limits { message: 3_000, ..Limits::default() };
    let mut taken = 0;
    for _ in 0..20_000 {
        let mut framer = Framer::new(source(), limits);
        let stream: Vec<u8> = (0..4).flat_map(|_| mutated(&corpus, &mut chance)).collect();
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (chunk, tail) = rest.split_at(1 + chance.below(rest.len()));
            rest = tail;
            if framer.push(chunk).is_err() {
                break;
            }
            taken += framer.by_ref().filter(|verdict| matches!(verdict, Ok(Verdict::Accept(_)))).count();
        }
        assert!(framer.count() <= 1, "only that it is broken may be left to say");
    }
    assert!(taken > 5_000, "{taken} accepted: the mutations are too crude to test anything");
}

fn run(seed: u64, rounds: usize) {
    let mut chance = Chance(seed);
    let corpus = corpus();
    let (mut accepted, mut answered, mut dropped) = (0, 0, 0);
    for round in 0..rounds {
        let message = Bytes::from(mutated(&corpus, &mut chance));
        match judge(&message) {
            Verdict::Accept(first) => {
                accepted += 1;
                check(first, &format!("seed {seed}, round {round}"));
            }
            Verdict::Answer(refusal) => {
                answered += 1;
                let answer = judge(&refusal.response);
                let is_response =
                    matches!(answer, Verdict::Accept(_) | Verdict::Drop(DropReason::Response(_)));
                assert!(is_response, "seed {seed}, round {round}: {answer:?}");
            }
            Verdict::Drop(_) | Verdict::KeepAlive => dropped += 1,
        }
    }
    // The mutations must be fine enough that many messages still pass, and coarse enough that many do not.
    let share = |count: usize| count * 100 / rounds;
    assert!(
        share(accepted) > 15 && share(answered) > 15 && share(dropped) > 3,
        "{accepted} {answered} {dropped}"
    );
}

fn check(first: hearken::sip::wire::Accepted, which: &str) {
    let message = first.clone().message().unwrap_or_else(|bad| panic!("{which}: {bad}"));
    let written = message.to_bytes();
    let again = match judge(&written) {
        Verdict::Accept(again) => again,
        other => panic!("{which}: {other:?} of {:?}", String::from_utf8_lossy(&written)),
    };
    let essentials = first.essentials();
    assert_eq!(essentials, again.essentials(), "{which}");
    let headers = message.headers();
    let via = headers.top_via().unwrap_or_else(|| panic!("{which}: no Via"));
    assert_eq!((via.branch(), via.transport()), (essentials.branch, essentials.transport), "{which}");
    assert_eq!(headers.cseq(), Some((essentials.cseq, essentials.cseq_method)), "{which}");
    assert_eq!(headers.call_id(), Some(essentials.call_id), "{which}");
    assert_eq!(headers.from().unwrap().tag(), essentials.from_tag, "{which}");
    assert_eq!(headers.to().unwrap().tag(), essentials.to_tag, "{which}");
    assert_eq!((headers.from_tag(), headers.to_tag()), (essentials.from_tag, essentials.to_tag), "{which}");
    assert_eq!(headers.routes().len(), headers.values("Route").count(), "{which}");
    assert_eq!(headers.record_routes().len(), headers.values("Record-Route").count(), "{which}");
    let second = again.message().unwrap();
    match (&message, &second) {
        (Message::Request(a), Message::Request(b)) => assert_eq!(a, b, "{which}"),
        (Message::Response(a), Message::Response(b)) => {
            assert_eq!((a.code, &a.headers, &a.body), (b.code, &b.headers, &b.body), "{which}");
        }
        _ => panic!("{which}: {message:?} became {second:?}"),
    }
}

fn judge(message: &Bytes) -> Verdict {
    inspect(message, source(), &Limits::default())
}

fn source() -> SocketAddr {
    "198.51.100.7:5099".parse().unwrap()
}

/// The torture messages, and some of ordinary life.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut corpus: Vec<_> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    for message in ORDINARY {
        let message = message.replace('\n', "\r\n").into_bytes();
        // They are few, and what they grow into matters most.
        corpus.extend(std::iter::repeat_n(message, 6));
    }
    corpus
}

const ORDINARY: [&str; 4] = [
    "INVITE sip:+441614960000@192.0.2.9:5060;user=phone SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-524287-1---2f2c8c3ec1d3a4f0;rport, SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bKb;received=2001:db8::2
Record-Route: <sip:192.0.2.1;lr;transport=tcp>,<sip:[2001:db8::1]:5060;lr>
Max-Forwards: 69
Contact: \"Elm Tree, Surgery\" <sip:elm@192.0.2.1:5070;transport=udp;ob>;+sip.instance=\"<urn:uuid:0>\"
To: <sip:+441614960000@192.0.2.9>
From: \"01614960001\" <sip:+441614960001@192.0.2.1;user=phone>;tag=1928301774
Call-ID: a84b4c76e66710@192.0.2.1
CSeq: 314159 INVITE
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK
Supported: replaces, 100rel, timer
Session-Expires: 1800;refresher=uac
P-Asserted-Identity: <sip:+441614960001@192.0.2.1>, <tel:+441614960001>
User-Agent: Exchange 7.1 (comment; \"quoted\")
Content-Type: application/sdp
Content-Length: 87

v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 40000 RTP/AVP 8
",
    "SIP/2.0 200 OK
v: SIP/2.0/UDP 192.0.2.9:5060;rport=5060;received=192.0.2.9;branch=z9hG4bKabcdefghijklm
f: <sip:hearken@192.0.2.9>;tag=0123456789abc
t: \"Agent\" <sip:agent7@192.0.2.40>;tag=as5f6e
i: 0123456789abc@192.0.2.9
CSeq: 1 INVITE
m: <sip:agent7@192.0.2.40:5060>
Server: Phone
c: application/sdp
l: 19

v=0
m=audio 1 R 8

",
    "BYE sip:hearken@192.0.2.9:5060 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-2;rport
Route: <sip:192.0.2.1;lr>
Max-Forwards: 70
From: <sip:a@192.0.2.1>;tag=1
To: <sip:b@192.0.2.9>;tag=2
Call-ID: a84b4c76e66710@192.0.2.1
CSeq: 314160 BYE
Reason: Q.850;cause=16;text=\"Normal, clearing\"
Content-Length: 0

",
    "ACK sip:hearken@[2001:db8::9]:5060;transport=tcp SIP/2.0
Via: SIP/2.0/TCP [2001:db8::1]:5070;branch=z9hG4bK-3;rport
Max-Forwards: 70
From: \"Zo\u{eb}\" <sip:a@192.0.2.1>;tag=1
To: <urn:service:sos>;tag=2
Call-ID: x
CSeq: 1 ACK
Content-Length: 0

",
];

/// What is worth writing into a message.
const PIECES: [&[u8]; 40] = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b"\r\n\r\n",
    b"\r\n ",
    b" ",
    b"\t",
    b",",
    b";",
    b"=",
    b":",
    b"\"",
    b"\\",
    b"\\\"",
    b"<",
    b">",
    b"<>",
    b"@",
    b"%",
    b"%00",
    b"%41",
    b"[::1]",
    b"[",
    b"]",
    b"*",
    b"/",
    b"?",
    b"\xe9",
    b"\xc3\xa9",
    b"\xff\xfe",
    b"SIP/2.0",
    b"Via: ",
    b"v:",
    b"Content-Length: 5\r\n",
    b"l: 99999999999999999999\r\n",
    b"To: <sip:a@b>;tag=x\r\n",
    b";tag=y",
    b";branch=z9hG4bK",
    b"Route: <sip:a;lr>,<sip:b;lr>\r\n",
];

const NUMBERS: [&[u8]; 9] = [
    b"0",
    b"-1",
    b"255",
    b"256",
    b"65536",
    b"2147483648",
    b"4294967296",
    b"18446744073709551616",
    b"340282366920938463463374607431768211456",
];

fn mutated(corpus: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut message = corpus[chance.below(corpus.len())].clone();
    for _ in 0..chance.below(4) {
        mutate(&mut message, corpus, chance);
    }
    message
}

fn mutate(message: &mut Vec<u8>, corpus: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(message.len() + 1);
    match chance.below(12) {
        0 | 1 => {
            if let Some(byte) = message.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        2 => {
            if let Some(byte) = message.get_mut(at) {
                *byte = chance.next() as u8;
            }
        }
        3 => {
            let end = message.len().min(at + 1 + chance.below(8));
            message.drain(at..end);
        }
        4 | 5 => insert(message, at, PIECES[chance.below(PIECES.len())]),
        6 => {
            let other = &corpus[chance.below(corpus.len())];
            message.truncate(at);
            message.extend_from_slice(&other[chance.below(other.len())..]);
        }
        7 => message.truncate(at),
        8 => {
            let (start, end) = line(message, at);
            let again = message[start..end].to_vec();
            let to = line(message, chance.below(message.len() + 1)).0;
            insert(message, to, &again);
        }
        9 => {
            let (start, end) = line(message, at);
            message.drain(start..end);
        }
        10 => {
            let Some(start) = message[at..].iter().position(u8::is_ascii_digit).map(|step| at + step) else {
                return;
            };
            let len = message[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            message.splice(start..start + len, NUMBERS[chance.below(NUMBERS.len())].iter().copied());
        }
        _ => {
            let end = message.len().min(at + chance.below(64));
            let again = message[at..end].to_vec();
            insert(message, at, &again);
        }
    }
}

fn insert(message: &mut Vec<u8>, at: usize, piece: &[u8]) {
    message.splice(at..at, piece.iter().copied());
}

/// The line around `at`, its line end included.
fn line(message: &[u8], at: usize) -> (usize, usize) {
    let start = message[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |lf| lf + 1);
    let end =
        message[at..].iter().position(|&byte| byte == b'\n').map_or(message.len(), |step| at + step + 1);
    (start, end)
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
