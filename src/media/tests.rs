//! The threads themselves, over real sockets on loopback.

#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::time::Instant;

use super::*;
use crate::call::media::{Codec, Digit, Direction, Stream};
use crate::id::{ClipId, LegId};
use crate::rtp::{Datagram, Header, dtmf, g711};

const PATIENCE: Duration = Duration::from_secs(20);

fn settings() -> Settings {
    Settings {
        address: Ipv4Addr::LOCALHOST.into(),
        threads: 1,
        shared_ports: 1,
        spill_ports: 1,
        first_port: 0,
        before: Vec::new(),
        clips: vec![Clip::from_samples(&[5_000; 8_000])],
        dead_after: Duration::ZERO,
    }
}

/// Running threads and the ports of the first.
fn started(settings: Settings) -> (Media, ThreadPorts) {
    let bound = bind(settings, UdpSocket::bind).unwrap();
    let ports = bound.ports()[0].clone();
    (bound.start(Box::new(|_, _| {})).unwrap(), ports)
}

fn phone() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn stream(leg: u64, port: u16, phone: &UdpSocket) -> Stream {
    Stream {
        leg: LegId(leg),
        port,
        remote: phone.local_addr().unwrap(),
        codec: Codec::Pcma,
        payload_type: 8,
        dtmf: None,
        direction: Direction::SendRecv,
        latch: false,
    }
}

fn packet(sequence: u16, value: u8) -> Vec<u8> {
    let header =
        Header { marker: false, payload_type: 8, sequence, timestamp: 160 * u32::from(sequence), ssrc: 1 };
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend_from_slice(&[value; 160]);
    bytes
}

/// The next packet's header and first sample.
fn hear(phone: &UdpSocket) -> (Header, u8) {
    let mut bytes = [0; 2_048];
    let (len, _) = phone.recv_from(&mut bytes).unwrap();
    match Datagram::read(&bytes[..len]).unwrap() {
        Datagram::Rtp(packet) => (packet.header, packet.payload[0]),
        Datagram::Rtcp => panic!("RTCP"),
    }
}

fn wait_for(media: &Media, reached: impl Fn(&Counters) -> bool) -> Counters {
    let start = Instant::now();
    loop {
        let counters = media.counters();
        if reached(&counters) {
            return counters;
        }
        assert!(start.elapsed() < PATIENCE, "{counters:?}");
        std::thread::yield_now();
    }
}

#[test]
fn each_thread_has_ports_of_its_own() {
    let bound = bind(Settings { threads: 3, shared_ports: 2, spill_ports: 4, ..settings() }, UdpSocket::bind)
        .unwrap();
    let mut numbers = Vec::new();
    for thread in bound.ports() {
        assert_eq!((thread.shared.len(), thread.spill.len()), (2, 4));
        numbers.extend(thread.shared.into_iter().chain(thread.spill));
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((numbers.len(), numbers.contains(&0)), (18, false));
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let (taken, number) = loop {
        let socket = phone();
        let number = socket.local_addr().unwrap().port();
        if number.is_multiple_of(2) {
            break (socket, number);
        }
    };
    let error = bind(Settings { first_port: number, ..settings() }, UdpSocket::bind).unwrap_err();
    assert!(error.to_string().contains(&taken.local_addr().unwrap().to_string()), "{error}");
}

#[test]
fn no_thread_is_an_error() {
    assert!(matches!(bind(Settings { threads: 0, ..settings() }, UdpSocket::bind), Err(BindError::Nothing)));
}

#[test]
fn music_is_heard_until_the_bridge_and_then_the_partner() {
    let (media, ports) = started(settings());
    let (caller, agent) = (phone(), phone());
    let port = ports.shared[0];
    media.send(0, Command::Set(stream(1, port, &caller)));
    media.send(0, Command::Play { leg: LegId(1), clips: vec![ClipId(0)], looped: true });
    let mut last = hear(&caller);
    for _ in 0..10 {
        let next = hear(&caller);
        assert_eq!(next.0.sequence, last.0.sequence.wrapping_add(1));
        assert_eq!(next.0.timestamp, last.0.timestamp.wrapping_add(160));
        assert_eq!(next.1, g711::alaw(5_000));
        last = next;
    }
    media.send(0, Command::Set(stream(2, port, &agent)));
    media.send(0, Command::Bridge { a: LegId(1), b: LegId(2) });
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // The bridge may take hold between two of these.
    let mut n = 0;
    let joined = loop {
        agent.send_to(&packet(n, 77), to).unwrap();
        n += 1;
        let next = hear(&caller);
        assert_eq!(next.0.sequence, last.0.sequence.wrapping_add(1));
        last = next;
        if next.1 == 77 {
            break next;
        }
    };
    assert!(joined.0.marker);
    caller.send_to(&packet(0, 55), to).unwrap();
    assert_eq!(hear(&agent).1, 55);
}

#[test]
fn an_announcement_interrupts_the_music_its_end_and_keys_are_reported_and_the_bridge_cuts_it() {
    let clips = vec![Clip::from_samples(&[5_000; 8_000]), Clip::from_samples(&[1_000; 800])];
    let bound = bind(Settings { clips, ..settings() }, UdpSocket::bind).unwrap();
    let port = bound.ports()[0].shared[0];
    let (reports, told) = mpsc::channel();
    let media = bound.start(Box::new(move |_, event| reports.send(event).unwrap())).unwrap();
    let (caller, agent) = (phone(), phone());
    let (leg, to) = (LegId(1), SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let [music, voice] = [5_000, 1_000].map(g711::alaw);
    media.send(0, Command::Set(Stream { dtmf: Some(101), ..stream(1, port, &caller) }));
    media.send(0, Command::Play { leg, clips: vec![ClipId(0)], looped: true });
    while hear(&caller).1 != music {}
    media.send(0, Command::Say { leg, id: 3, clips: vec![ClipId(1)] });
    media.send(0, Command::Listen { leg, on: true });
    while hear(&caller).1 != voice {}
    let mut spoken = 1;
    while hear(&caller).1 == voice {
        spoken += 1;
    }
    assert_eq!(spoken, 5);
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), Event::Said { leg, id: 3 });
    let digit = Digit::try_from('1').unwrap();
    for (n, report) in (0..).zip(dtmf::press(digit, Duration::from_millis(60))) {
        let header = Header { marker: n == 0, payload_type: 101, sequence: n, timestamp: 9_000, ssrc: 1 };
        caller.send_to(&[&header.to_bytes()[..], &report.to_bytes()].concat(), to).unwrap();
    }
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), Event::Digit { leg, digit });
    media.send(0, Command::Say { leg, id: 4, clips: vec![ClipId(1); 50] });
    while hear(&caller).1 != voice {}
    media.send(0, Command::Set(stream(2, port, &agent)));
    media.send(0, Command::Bridge { a: leg, b: LegId(2) });
    // A packet may overtake the order, so not every one is heard.
    caller.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let (mut n, mut heard) = (0, [0; 2_048]);
    while caller.recv_from(&mut heard).is_err() || heard[12] != 77 {
        assert!(n < 40, "the announcement goes on");
        agent.send_to(&packet(n, 77), to).unwrap();
        n += 1;
    }
    media.stop();
    let told: Vec<_> = told.try_iter().collect();
    assert_eq!(told, [], "no press counts twice, and what was cut short is not said");
}

#[test]
fn a_stranger_on_the_port_is_never_heard() {
    let (media, ports) = started(settings());
    let (caller, agent, stranger) = (phone(), phone(), phone());
    let port = ports.shared[0];
    media.send(0, Command::Set(stream(1, port, &caller)));
    media.send(0, Command::Set(stream(2, port, &agent)));
    media.send(0, Command::Bridge { a: LegId(1), b: LegId(2) });
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    caller.send_to(&packet(0, 1), to).unwrap();
    hear(&agent);
    for n in 0..200 {
        stranger.send_to(&packet(n, 66), to).unwrap();
    }
    wait_for(&media, |counters| counters.wrong_source == 200);
    caller.send_to(&packet(1, 1), to).unwrap();
    agent.send_to(&packet(0, 2), to).unwrap();
    assert_eq!((hear(&agent).1, hear(&caller).1), (1, 2));
    let counters = wait_for(&media, |counters| counters.relayed == 3);
    assert_eq!((counters.packets_out, counters.packets_in), (3, 203));
    for phone in [&caller, &agent] {
        phone.set_nonblocking(true).unwrap();
        assert!(phone.recv_from(&mut [0; 64]).is_err());
    }
}

#[test]
fn a_phone_behind_nat_is_latched_on_to() {
    let (media, ports) = started(settings());
    let (caller, agent, announced) = (phone(), phone(), phone());
    let spill = ports.spill[0];
    media.send(0, Command::Set(stream(1, ports.shared[0], &caller)));
    media.send(0, Command::Set(Stream { latch: true, ..stream(2, spill, &announced) }));
    media.send(0, Command::Bridge { a: LegId(1), b: LegId(2) });
    agent.send_to(&packet(0, 9), (Ipv4Addr::LOCALHOST, spill)).unwrap();
    assert_eq!(hear(&caller).1, 9);
    caller.send_to(&packet(0, 8), (Ipv4Addr::LOCALHOST, ports.shared[0])).unwrap();
    assert_eq!(hear(&agent).1, 8);
}

#[test]
fn a_dual_stack_port_serves_both_families() {
    let any = std::net::Ipv6Addr::UNSPECIFIED.into();
    let Ok(bound) = bind(Settings { address: any, ..settings() }, UdpSocket::bind) else { return };
    let port = bound.ports()[0].shared[0];
    let media = bound.start(Box::new(|_, _| {})).unwrap();
    let (v4, v6) = (phone(), UdpSocket::bind("[::1]:0"));
    let Ok(v6) = v6 else { return };
    v6.set_read_timeout(Some(PATIENCE)).unwrap();
    media.send(0, Command::Set(stream(1, port, &v4)));
    media.send(0, Command::Set(stream(2, port, &v6)));
    media.send(0, Command::Bridge { a: LegId(1), b: LegId(2) });
    v4.send_to(&packet(0, 4), (Ipv4Addr::LOCALHOST, port)).unwrap();
    v6.send_to(&packet(0, 6), ("::1", port)).unwrap();
    assert_eq!((hear(&v6).1, hear(&v4).1), (4, 6));
}

#[test]
fn dead_media_is_reported_with_the_thread() {
    let bound =
        bind(Settings { threads: 2, dead_after: Duration::from_millis(50), ..settings() }, UdpSocket::bind)
            .unwrap();
    let port = bound.ports()[1].shared[0];
    let (reports, told) = mpsc::channel();
    let media = bound.start(Box::new(move |thread, event| reports.send((thread, event)).unwrap())).unwrap();
    let caller = phone();
    media.send(1, Command::Set(stream(1, port, &caller)));
    let (thread, event) = told.recv_timeout(PATIENCE).unwrap();
    let Event::Dead { leg, silent_for } = event else { panic!("{event:?}") };
    assert_eq!((thread, leg), (1, LegId(1)));
    assert!(silent_for >= Duration::from_millis(50));
}

#[test]
fn stopping_joins_the_threads() {
    let held = Arc::new(());
    let theirs = held.clone();
    let bound = bind(Settings { threads: 2, ..settings() }, UdpSocket::bind).unwrap();
    let media = bound.start(Box::new(move |_, _| drop(theirs.clone()))).unwrap();
    media.send(9, Command::Close { leg: LegId(1) });
    assert!(media.running());
    media.stop();
    assert_eq!(Arc::strong_count(&held), 1);
}
