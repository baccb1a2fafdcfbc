//! What the media thread costs: music for 1,000 callers, and the relay of 100 and 600 calls, over loopback.
//!
//! `cargo bench --bench media`. Beside each stands, in the same run and turn about, the least that the kernel
//! lets anyone pay: a bare `send_to`, or `recv_from` and `send_to`, with no logic. CPU is the measured
//! thread's own, user and system, from `/proc/self/task/*/schedstat`.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use hearken::call::media::{Codec, Command, Direction, Stream};
use hearken::id::{ClipId, LegId};
use hearken::media::{Clip, Media, Settings, bind};
use mio::{Events, Interest, Poll, Token};

const FRAME: Duration = Duration::from_millis(20);
const PACKET: usize = 172;
const ROUNDS: usize = 3;
const SETTLE: Duration = Duration::from_millis(500);

fn main() {
    music(1_000, Duration::from_secs(10));
    for calls in [100, 600] {
        relay(calls, Duration::from_secs(5));
    }
}

fn music(legs: u64, span: Duration) {
    let sink = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    nix::sys::socket::setsockopt(&sink, nix::sys::socket::sockopt::RcvBuf, &(8 << 20)).unwrap();
    let to_port = sink.local_addr().unwrap().port();
    let stop = Arc::new(AtomicBool::new(false));
    let listening = stop.clone();
    let counting = thread::spawn(move || count_by_ssrc(&sink, &listening));

    let (media, ports) = start(4);
    for leg in 0..legs {
        let far = Ipv4Addr::from(0x7f01_0000 + leg as u32);
        let port = ports[leg as usize % ports.len()];
        media.send(0, Command::Set(stream(leg, port, SocketAddr::from((far, to_port)), Codec::Pcma)));
        media.send(0, Command::Play { leg: LegId(leg), clips: vec![ClipId(0)], looped: true });
    }
    thread::sleep(SETTLE);
    let (start, cpu, before) = (Instant::now(), cpu_of("media-0"), media.counters());
    thread::sleep(span);
    let (elapsed, cpu, after) = (start.elapsed(), cpu_of("media-0") - cpu, media.counters());
    let packets = after.packets_out - before.packets_out;
    let late = after.late_frames - before.late_frames;
    drop(media);
    let bare = thread::Builder::new().name("bare".into()).spawn(move || bare_sends(legs as u32, to_port));
    let bare = bare.unwrap().join().unwrap();
    stop.store(true, Relaxed);
    let (rates, longest_gap) = counting.join().unwrap();
    assert_eq!(rates.len() as u64, legs);
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    let (least, most) =
        (rates.iter().copied().fold(f64::MAX, f64::min), rates.iter().copied().fold(0.0, f64::max));
    let each = cpu.as_secs_f64() * 1e6 / packets as f64;
    println!("music for {legs} callers, {:.1} s", elapsed.as_secs_f64());
    println!("  CPU of one core            {:.1} %", 100.0 * cpu.as_secs_f64() / elapsed.as_secs_f64());
    println!("  CPU us a packet            {each:.2}; bare send_to {bare:.2}; ratio {:.2}", each / bare);
    println!("  packets/s of each caller   min {least:.2}, mean {mean:.2}, max {most:.2}");
    println!("  longest gap                {:.1} ms; late frames {late}", longest_gap.as_secs_f64() * 1e3);
    println!("  sent {packets}, refused {}\n", after.send_errors - before.send_errors);
}

/// Packets a second of each source, between its first and last packet, and the longest gap of any.
fn count_by_ssrc(sink: &UdpSocket, stop: &AtomicBool) -> (Vec<f64>, Duration) {
    struct Heard {
        first: Instant,
        last: Instant,
        packets: u64,
        gap: Duration,
    }
    sink.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut by_ssrc: HashMap<[u8; 4], Heard> = HashMap::new();
    let mut bytes = [0; 2_048];
    while !stop.load(Relaxed) {
        let Ok(len) = sink.recv(&mut bytes) else { continue };
        assert_eq!(len, PACKET);
        if bytes[0] == 0 {
            continue;
        }
        let now = Instant::now();
        let heard = by_ssrc.entry([bytes[8], bytes[9], bytes[10], bytes[11]]).or_insert(Heard {
            first: now,
            last: now,
            packets: 0,
            gap: Duration::ZERO,
        });
        heard.gap = heard.gap.max(now - heard.last);
        heard.last = now;
        heard.packets += 1;
    }
    let rate = |heard: &Heard| (heard.packets - 1) as f64 / (heard.last - heard.first).as_secs_f64();
    (by_ssrc.values().map(rate).collect(), by_ssrc.values().map(|heard| heard.gap).max().unwrap())
}

/// CPU us a packet of sending to the same listener at the same pace, with no logic.
fn bare_sends(legs: u32, port: u16) -> f64 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (start, before) = (Instant::now(), cpu_of("bare"));
    let turns = 1_000;
    for turn in 0..turns {
        if let Some(early) = (FRAME / 10 * turn).checked_sub(start.elapsed()) {
            thread::sleep(early);
        }
        for n in 0..legs / 10 {
            let far = Ipv4Addr::from(0x7f01_0000 + turn % 10 * legs / 10 + n);
            let _ = socket.send_to(&[0; PACKET], (far, port));
        }
    }
    (cpu_of("bare") - before).as_secs_f64() * 1e6 / f64::from(turns * (legs / 10))
}

/// One round of relaying.
struct Relayed {
    cpu_share: f64,
    cpu_each: f64,
    p50: f64,
    p99: f64,
    lost: f64,
}

fn relay(calls: usize, span: Duration) {
    let (mut bare, mut same, mut transcoding) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(bare_round(calls, span));
        same.push(media_round(calls, span, Codec::Pcma));
        transcoding.push(media_round(calls, span, Codec::Pcmu));
    }
    println!("relay of {calls} calls, {} packets/s offered; medians of {ROUNDS}", calls * 100);
    println!(
        "  {:24}{:>10}{:>12}{:>8}{:>10}{:>10}{:>9}",
        "", "CPU %", "us/packet", "ratio", "p50 ms", "p99 ms", "lost %"
    );
    let least = median(&bare, |round| round.cpu_each);
    for (name, rounds) in
        [("bare recv and send", bare), ("media thread", same), ("  A-law to mu-law", transcoding)]
    {
        let each = median(&rounds, |round| round.cpu_each);
        println!(
            "  {name:24}{:>10.1}{each:>12.2}{:>8.2}{:>10.3}{:>10.3}{:>9.3}",
            median(&rounds, |round| round.cpu_share),
            each / least,
            median(&rounds, |round| round.p50),
            median(&rounds, |round| round.p99),
            median(&rounds, |round| round.lost),
        );
    }
    println!();
}

fn median(rounds: &[Relayed], value: impl Fn(&Relayed) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn media_round(calls: usize, span: Duration, second: Codec) -> Relayed {
    let phones = phones(calls);
    let (media, ports) = start(4);
    let mut targets = Vec::new();
    for (leg, phone) in phones.iter().enumerate() {
        let port = ports[leg / 2 % ports.len()];
        let codec = if leg % 2 == 0 { Codec::Pcma } else { second };
        let remote = phone.local_addr().unwrap();
        media.send(0, Command::Set(stream(leg as u64, port, remote, codec)));
        targets.push((SocketAddr::from((Ipv4Addr::LOCALHOST, port)), payload_type(codec)));
    }
    for call in 0..calls as u64 {
        media.send(0, Command::Bridge { a: LegId(2 * call), b: LegId(2 * call + 1) });
    }
    thread::sleep(SETTLE);
    traffic(phones, targets, span, "media-0")
}

fn bare_round(calls: usize, span: Duration) -> Relayed {
    let phones = phones(calls);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::RcvBuf, &(8 << 20)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let at = socket.local_addr().unwrap();
    let mut partner = vec![0u16; 65_536];
    for pair in phones.chunks(2) {
        let (a, b) = (pair[0].local_addr().unwrap().port(), pair[1].local_addr().unwrap().port());
        (partner[usize::from(a)], partner[usize::from(b)]) = (b, a);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = stop.clone();
    let forwarder = thread::Builder::new().name("bare".into()).spawn(move || {
        let mut bytes = [0; 2_048];
        while !stopping.load(Relaxed) {
            let Ok((len, from)) = socket.recv_from(&mut bytes) else { continue };
            let _ = socket.send_to(&bytes[..len], (Ipv4Addr::LOCALHOST, partner[usize::from(from.port())]));
        }
    });
    thread::sleep(SETTLE);
    let targets = vec![(at, 8); phones.len()];
    let relayed = traffic(phones, targets, span, "bare");
    stop.store(true, Relaxed);
    forwarder.unwrap().join().unwrap();
    relayed
}

fn phones(calls: usize) -> Vec<UdpSocket> {
    let phone = |_| {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    (0..2 * calls).map(phone).collect()
}

/// Every phone sends 50 packets a second, evenly spread, and all that come back are timed.
fn traffic(
    phones: Vec<UdpSocket>,
    targets: Vec<(SocketAddr, u8)>,
    span: Duration,
    thread_name: &str,
) -> Relayed {
    let epoch = Instant::now();
    let stop = Arc::new(AtomicBool::new(false));
    let (copies, stopping) = (phones.iter().map(|phone| phone.try_clone().unwrap()).collect(), stop.clone());
    let receiving = thread::spawn(move || delays(copies, epoch, &stopping));
    let cpu = cpu_of(thread_name);
    let frames = (span.as_nanos() / FRAME.as_nanos()) as u32;
    let legs = phones.len() as u32;
    let mut packet = [0x55; PACKET];
    packet[0] = 0x80;
    for n in 0..frames * legs {
        let (frame, leg) = (n / legs, n % legs);
        let due = FRAME * frame + FRAME * leg / legs;
        if let Some(early) = due.checked_sub(epoch.elapsed()) {
            thread::sleep(early);
        }
        let (to, kind) = targets[leg as usize];
        packet[1] = kind;
        packet[2..4].copy_from_slice(&(frame as u16).to_be_bytes());
        packet[4..8].copy_from_slice(&(frame * 160).to_be_bytes());
        packet[8..12].copy_from_slice(&leg.to_be_bytes());
        stamp(&mut packet, epoch.elapsed());
        let _ = phones[leg as usize].send_to(&packet, to);
    }
    let cpu = cpu_of(thread_name) - cpu;
    let elapsed = epoch.elapsed();
    thread::sleep(SETTLE);
    stop.store(true, Relaxed);
    let mut delays = receiving.join().unwrap();
    delays.sort_unstable();
    let at = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let sent = f64::from(frames * legs);
    Relayed {
        cpu_share: 100.0 * cpu.as_secs_f64() / elapsed.as_secs_f64(),
        cpu_each: cpu.as_secs_f64() * 1e6 / delays.len() as f64,
        p50: at(0.5),
        p99: at(0.99),
        lost: 100.0 * (sent - delays.len() as f64) / sent,
    }
}

/// Writes a time into the audio bit by bit, as two loud values that every transcoding keeps apart.
fn stamp(packet: &mut [u8; PACKET], time: Duration) {
    let nanos = time.as_nanos() as u64;
    for bit in 0..64 {
        packet[12 + bit] = if nanos >> bit & 1 == 1 { 0xaa } else { 0x2a };
    }
}

fn stamped(packet: &[u8]) -> Duration {
    // The sign is the top bit of both laws.
    Duration::from_nanos((0..64).map(|bit| u64::from(packet[12 + bit] >> 7) << bit).sum())
}

fn delays(phones: Vec<UdpSocket>, epoch: Instant, stop: &AtomicBool) -> Vec<Duration> {
    let mut poll = Poll::new().unwrap();
    let mut phones: Vec<_> = phones.into_iter().map(mio::net::UdpSocket::from_std).collect();
    for (n, phone) in phones.iter_mut().enumerate() {
        poll.registry().register(phone, Token(n), Interest::READABLE).unwrap();
    }
    let (mut events, mut delays) = (Events::with_capacity(1_024), Vec::new());
    let mut bytes = [0; 2_048];
    while !stop.load(Relaxed) {
        let _ = poll.poll(&mut events, Some(Duration::from_millis(50)));
        for event in &events {
            while let Ok(len) = phones[event.token().0].recv(&mut bytes) {
                assert_eq!(len, PACKET);
                delays.push(epoch.elapsed().saturating_sub(stamped(&bytes)));
            }
        }
    }
    delays
}

fn start(shared_ports: u16) -> (Media, Vec<u16>) {
    let samples: Vec<i16> = (0..80_000).map(|n| ((n * 37) % 8_000 - 4_000) as i16).collect();
    let settings = Settings {
        address: Ipv4Addr::UNSPECIFIED.into(),
        threads: 1,
        shared_ports,
        spill_ports: 0,
        first_port: 0,
        before: Vec::new(),
        clips: vec![Clip::from_samples(&samples)],
        dead_after: Duration::from_secs(30),
    };
    let bound = bind(settings, UdpSocket::bind).unwrap();
    let ports = bound.ports()[0].shared.clone();
    (bound.start(Box::new(|_, event| eprintln!("{event:?}"))).unwrap(), ports)
}

fn stream(leg: u64, port: u16, remote: SocketAddr, codec: Codec) -> Stream {
    Stream {
        leg: LegId(leg),
        port,
        remote,
        codec,
        payload_type: payload_type(codec),
        dtmf: None,
        direction: Direction::SendRecv,
        latch: false,
    }
}

fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => 8,
        Codec::Pcmu => 0,
    }
}

/// Time on the processor of the thread with this name.
fn cpu_of(thread_name: &str) -> Duration {
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let named = |name: String| name.trim_end() == thread_name;
        if std::fs::read_to_string(task.path().join("comm")).is_ok_and(named) {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap();
            return Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap());
        }
    }
    panic!("no thread {thread_name}");
}
