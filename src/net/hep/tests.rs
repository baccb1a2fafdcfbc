#![allow(clippy::unwrap_used)]

use super::*;

const PATH: &str = "192.0.2.1:5060 192.0.2.2:5080";

fn path(text: &str) -> Path {
    let (from, to) = text.split_once(' ').unwrap();
    Path { from: from.parse().unwrap(), to: to.parse().unwrap() }
}

fn settings(to: SocketAddr) -> Settings {
    Settings { to, capture_id: 77, key: Some("let me in".to_owned()) }
}

fn nowhere() -> Settings {
    settings("192.0.2.9:9060".parse().unwrap())
}

/// The chunks of a datagram by their kinds.
fn chunks(datagram: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let two = |at: usize| u16::from_be_bytes([datagram[at], datagram[at + 1]]);
    assert_eq!((&datagram[..4], usize::from(two(4))), (&b"HEP3"[..], datagram.len()));
    let (mut chunks, mut at) = (Vec::new(), 6);
    while at < datagram.len() {
        let end = at + usize::from(two(at + 4));
        assert_eq!(two(at), 0, "of the standard");
        chunks.push((two(at + 2), datagram[at + 6..end].to_vec()));
        at = end;
    }
    chunks
}

#[test]
fn a_datagram_says_who_sent_what_to_whom_and_when() {
    let message = b"BYE sip:a@b SIP/2.0\r\nVia: x\r\nCall-ID: one@two\r\n\r\n";
    let at = Duration::new(1_794_816_000, 123_456_789);
    let made = datagram::of(&nowhere(), Transport::Udp, path(PATH), at, message).unwrap();
    let expected: [(u16, &[u8]); 13] = [
        (1, &[2]),
        (3, &[192, 0, 2, 1]),
        (4, &[192, 0, 2, 2]),
        (2, &[17]),
        (7, &5_060u16.to_be_bytes()),
        (8, &5_080u16.to_be_bytes()),
        (9, &1_794_816_000u32.to_be_bytes()),
        (10, &123_456u32.to_be_bytes()),
        (11, &[1]),
        (12, &77u32.to_be_bytes()),
        (14, b"let me in"),
        (17, b"one@two"),
        (15, message),
    ];
    assert_eq!(chunks(&made), expected.map(|(kind, value)| (kind, value.to_vec())));

    let six = path("[2001:db8::1]:5060 [2001:db8::2]:5061");
    let made = datagram::of(&nowhere(), Transport::Tcp, six, at, b"SIP/2.0 200 OK\r\ni:z\r\n\r\n").unwrap();
    let made = chunks(&made);
    let of = |kind: u16| made.iter().find(|(own, _)| *own == kind).map(|(_, value)| value.as_slice());
    assert_eq!((of(1), of(2), of(17)), (Some(&[10][..]), Some(&[6][..]), Some(&b"z"[..])));
    assert_eq!((of(5).unwrap()[15], of(6).unwrap()[15], of(3)), (1, 2, None));
}

#[test]
fn a_message_that_no_datagram_has_room_for_is_not_made_into_one() {
    let longest = vec![b'A'; 65_300];
    assert!(datagram::of(&nowhere(), Transport::Tcp, path(PATH), Duration::ZERO, &longest).is_some());
    let longer = vec![b'A'; 65_500];
    assert!(datagram::of(&nowhere(), Transport::Tcp, path(PATH), Duration::ZERO, &longer).is_none());
}

#[test]
fn messages_of_a_stream_come_whole_however_they_were_cut() {
    let one = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 3\r\n\r\nabc";
    let two = "SIP/2.0 200 OK\r\nl: 0\r\n\r\n";
    let all = format!("{one}\r\n\r\n{two}{one}");
    for size in 1..all.len() {
        let (mut streams, mut found, mut place) = (Streams::default(), Vec::new(), Place::First);
        for chunk in all.as_bytes().chunks(size) {
            streams.take(path(PATH), &Bytes::copy_from_slice(chunk), place, |message| found.push(message));
            place = Place::Next;
        }
        assert_eq!(found, [one, two, one], "cut at {size}");
    }
}

#[test]
fn behind_a_gap_nothing_comes_until_a_message_begins() {
    let whole = Bytes::from_static(b"BYE sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n");
    let half = whole.slice(..20);
    let rest = Bytes::from_static(b"Bytes of a body");
    let steps = [
        (&half, Place::First, 0),
        (&rest, Place::AfterGap, 0),
        (&rest, Place::Next, 0),
        (&whole, Place::Next, 1),
        (&half, Place::Next, 0),
        (&whole, Place::AfterGap, 1),
    ];
    let mut streams = Streams::default();
    for (step, (chunk, place, expected)) in steps.into_iter().enumerate() {
        let mut count = 0;
        streams.take(path(PATH), chunk, place, |_| count += 1);
        assert_eq!(count, expected, "step {step}");
    }
}

#[test]
fn what_the_queue_has_no_room_for_is_counted_and_nobody_waits() {
    let collector = UdpSocket::bind("127.0.0.1:0").unwrap();
    let hep = Hep::start(settings(collector.local_addr().unwrap())).unwrap();
    let message = Bytes::from(vec![b'A'; 60_000]);
    let begun = Instant::now();
    // Far more than may wait, told faster than datagrams can be sent.
    let told = 20 * QUEUE_BYTES / message.len();
    for _ in 0..told {
        hep.message(begun, Transport::Udp, path(PATH), &message);
    }
    for no_message in ["\r\n\r\n", "\0", "HEP3\0\u{6}"] {
        hep.message(begun, Transport::Udp, path(PATH), &Bytes::from_static(no_message.as_bytes()));
    }
    let took = begun.elapsed();
    let _ = hep.end().unwrap().recv();
    let Counters { sent, dropped } = hep.counters();
    assert_eq!(sent + dropped, told as u64, "each is counted once, and a keep-alive or a copy is none");
    assert!(dropped > 0, "{sent} sent");
    assert!(took < Duration::from_secs(5), "{took:?}");
}
