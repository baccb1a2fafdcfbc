#![allow(clippy::unwrap_used)]

mod keys;
mod random;
mod said;

use super::*;
use crate::call::media::{Codec, Command, Direction, MOST_SAID, Stream};
use crate::id::{ClipId, LegId};
use crate::rtp::g711::{self, ALAW_TO_MULAW, MULAW_TO_ALAW};

const PORTS: [u16; 3] = [4_000, 4_002, 4_004];

/// A packet that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sent {
    at: Mono,
    port: usize,
    to: SocketAddr,
    header: Header,
    payload: Vec<u8>,
}

/// All that came out since it was last taken.
#[derive(Debug, Default)]
struct Log {
    now: Mono,
    sent: Vec<Sent>,
    events: Vec<Event>,
    refusing: bool,
}

impl Out for Log {
    fn packet(&mut self, port: usize, to: SocketAddr, packet: &[u8]) -> bool {
        let Datagram::Rtp(Packet { header, payload }) = Datagram::read(packet).unwrap() else {
            panic!("RTCP")
        };
        self.sent.push(Sent { at: self.now, port, to, header, payload: payload.to_vec() });
        !self.refusing
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// An engine on virtual time.
struct Rig {
    engine: Engine,
    log: Log,
}

impl Rig {
    fn new(dead_after: Duration) -> Rig {
        let clips = [Clip::from_samples(&[1_000; 800]), Clip::from_samples(&[9_000; 1_600])];
        Rig { engine: Engine::new(&PORTS, clips.into(), dead_after, [1; 32]), log: Log::default() }
    }

    /// A rig with two bridged legs: 1 speaks A-law, 2 speaks `codec`.
    fn bridged(codec: Codec) -> Rig {
        let mut rig = Rig::new(Duration::ZERO);
        rig.order(Command::Set(stream(1)));
        rig.order(Command::Set(Stream { codec, payload_type: kind(codec), dtmf: Some(96), ..stream(2) }));
        rig.order(Command::Bridge { a: LegId(1), b: LegId(2) });
        rig
    }

    fn order(&mut self, command: Command) {
        self.engine.command(command, self.log.now);
    }

    fn play(&mut self, leg: u64, clips: &[u32], looped: bool) {
        let clips = clips.iter().map(|&clip| ClipId(clip)).collect();
        self.order(Command::Play { leg: LegId(leg), clips, looped });
    }

    /// Lets time pass, waking exactly when the engine asks.
    fn run(&mut self, span: Duration) {
        let end = self.log.now + span;
        while let Some(due) = self.engine.next_due().filter(|&due| due < end) {
            self.log.now = self.log.now.max(due);
            self.engine.tick(self.log.now, &mut self.log);
        }
        self.log.now = end;
    }

    fn receive(&mut self, from: u64, header: Header, payload: &[u8]) {
        self.receive_at(0, remote(from), header, payload);
    }

    fn receive_at(&mut self, port: usize, source: SocketAddr, header: Header, payload: &[u8]) {
        let mut datagram = header.to_bytes().to_vec();
        datagram.extend_from_slice(payload);
        self.engine.receive(port, source, &datagram, self.log.now, &mut self.log);
    }

    fn sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.log.sent)
    }

    fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.log.events)
    }
}

fn kind(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => 8,
        Codec::Pcmu => 0,
    }
}

fn remote(leg: u64) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 20_000 + 2 * leg as u16))
}

fn stream(leg: u64) -> Stream {
    Stream {
        leg: LegId(leg),
        port: PORTS[0],
        remote: remote(leg),
        codec: Codec::Pcma,
        payload_type: 8,
        dtmf: Some(101),
        direction: Direction::SendRecv,
        latch: false,
    }
}

fn audio(n: u16) -> Header {
    Header { marker: false, payload_type: 8, sequence: n, timestamp: u32::from(n) * 160, ssrc: 99 }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_leg_hears_the_first_frame_at_once_and_fifty_a_second_for_minutes() {
    let mut rig = Rig::new(Duration::ZERO);
    rig.order(Command::Set(stream(1)));
    rig.run(Duration::from_micros(12_345));
    rig.play(1, &[0], true);
    let start = rig.log.now;
    rig.run(Duration::from_secs(600) - ms(1));
    let sent = rig.sent();
    assert_eq!(sent.len(), 600 * 50);
    assert!(sent[0].at.since(start) < ms(2));
    assert!(sent[0].header.marker);
    for pair in sent.windows(2) {
        assert!(pair[1].at.since(pair[0].at) <= ms(20));
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        assert_eq!(pair[1].header.timestamp, pair[0].header.timestamp.wrapping_add(160));
        assert_eq!((pair[1].header.ssrc, pair[1].header.marker), (pair[0].header.ssrc, false));
        assert_eq!(pair[1].to, remote(1));
    }
}

#[test]
fn a_thousand_legs_each_get_fifty_a_second_spread_over_the_frame_however_late_the_wakes() {
    let mut rig = Rig::new(Duration::ZERO);
    for leg in 0..1_000 {
        rig.order(Command::Set(stream(leg)));
        rig.play(leg, &[1], true);
    }
    let mut lateness = Rng::new([3; 32]);
    while rig.log.now < Mono(5_000_000) {
        let due = rig.engine.next_due().unwrap();
        rig.log.now = rig.log.now.max(due) + Duration::from_micros(lateness.bits() % 30_000);
        rig.engine.tick(rig.log.now, &mut rig.log);
    }
    let mut times = vec![Vec::new(); 1_000];
    for sent in rig.sent() {
        times[usize::from(sent.to.port() - 20_000) / 2].push(sent.at);
    }
    let expected = rig.log.now.0 / 20_000;
    for times in times {
        assert!((expected - 1..=expected + 1).contains(&(times.len() as u64)), "{}", times.len());
        for (n, at) in times.iter().enumerate() {
            let ideal = times[0].0.saturating_sub(30_000) + 20_000 * n as u64;
            assert!((ideal..ideal + 80_000).contains(&at.0));
        }
    }
    let mut on_time = Rig::new(Duration::ZERO);
    for leg in 0..1_000 {
        on_time.order(Command::Set(stream(leg)));
        on_time.play(leg, &[1], true);
    }
    on_time.run(ms(20));
    let sent = on_time.sent();
    assert_eq!(sent.len(), 1_000);
    for at in (0..20).step_by(2) {
        assert_eq!(sent.iter().filter(|sent| sent.at == Mono(at * 1_000)).count(), 100);
    }
}

#[test]
fn the_clip_is_heard_in_the_codec_of_the_leg() {
    let mut rig = Rig::new(Duration::ZERO);
    rig.order(Command::Set(stream(1)));
    rig.order(Command::Set(Stream { codec: Codec::Pcmu, payload_type: 0, ..stream(2) }));
    rig.play(1, &[1], true);
    rig.play(2, &[1], true);
    rig.run(ms(20));
    for sent in rig.sent() {
        let expected = if sent.to == remote(1) { g711::alaw(9_000) } else { g711::mulaw(9_000) };
        assert_eq!(sent.payload, [expected; FRAME]);
        assert_eq!(sent.header.payload_type, if sent.to == remote(1) { 8 } else { 0 });
    }
}

#[test]
fn greeting_music_and_silence_follow_in_order() {
    let mut rig = Rig::new(Duration::ZERO);
    rig.order(Command::Set(stream(1)));
    rig.play(1, &[0, 1], false);
    rig.run(ms(400));
    let heard: Vec<_> = rig.sent().into_iter().map(|sent| sent.payload[0]).collect();
    assert_eq!(heard[..5], [g711::alaw(1_000); 5]);
    assert_eq!(heard[5..15], [g711::alaw(9_000); 10]);
    assert_eq!(heard[15..], [g711::ALAW_SILENCE; 5]);
    rig.play(1, &[], false);
    rig.run(ms(20));
    assert_eq!(rig.sent()[0].payload, [g711::ALAW_SILENCE; FRAME]);
}

#[test]
fn a_bridge_relays_both_ways_with_the_numbers_of_the_hearer() {
    let mut rig = Rig::bridged(Codec::Pcma);
    rig.receive(1, audio(500), &[7; 160]);
    rig.receive(1, audio(501), &[8; 240]);
    rig.receive(2, audio(9), &[9; 160]);
    let sent = rig.sent();
    assert_eq!(sent.iter().map(|sent| sent.to).collect::<Vec<_>>(), [remote(2), remote(2), remote(1)]);
    assert_eq!((&sent[0].payload[..], &sent[1].payload[..]), (&[7; 160][..], &[8; 240][..]));
    assert_eq!(sent[1].header.sequence, sent[0].header.sequence.wrapping_add(1));
    assert_eq!(sent[1].header.timestamp, sent[0].header.timestamp.wrapping_add(160));
    assert!(sent[0].header.marker && !sent[1].header.marker);
    assert!(sent[0].header.ssrc == sent[1].header.ssrc && sent[0].header.ssrc != 99);
    assert_ne!(sent[0].header.ssrc, sent[2].header.ssrc);
    assert_eq!((rig.engine.counters().relayed, rig.engine.counters().packets_in), (3, 3));
}

#[test]
fn codecs_and_payload_types_are_translated() {
    let mut rig = Rig::bridged(Codec::Pcmu);
    let every: Vec<u8> = (0..=255).collect();
    rig.receive(1, audio(1), &every);
    rig.receive(2, Header { payload_type: 0, ..audio(1) }, &every);
    let sent = rig.sent();
    assert_eq!((sent[0].header.payload_type, sent[1].header.payload_type), (0, 8));
    assert_eq!((&sent[0].payload[..], &sent[1].payload[..]), (&ALAW_TO_MULAW[..], &MULAW_TO_ALAW[..]));
}

#[test]
fn telephone_events_get_the_partners_type_or_are_dropped_and_counted() {
    let mut rig = Rig::bridged(Codec::Pcmu);
    let event = Header { marker: true, payload_type: 101, ..audio(1) };
    rig.receive(1, event, &[5, 0x0a, 0, 160]);
    let sent = rig.sent();
    assert_eq!((sent[0].header.payload_type, &sent[0].payload[..]), (96, &[5, 0x0a, 0, 160][..]));
    assert!(sent[0].header.marker);
    rig.order(Command::Set(Stream { dtmf: None, ..stream(2) }));
    rig.receive(1, Header { payload_type: 101, ..audio(2) }, &[5, 0x0a, 0, 160]);
    assert_eq!((rig.sent().len(), rig.engine.counters().events_dropped), (0, 1));
}

#[test]
fn nothing_from_another_address_is_ever_relayed() {
    let mut rig = Rig::bridged(Codec::Pcma);
    for source in [
        SocketAddr::from(([192, 0, 2, 1], 19_999)),
        SocketAddr::from(([192, 0, 2, 99], remote(1).port())),
        SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], remote(1).port())),
    ] {
        rig.receive_at(0, source, audio(1), &[7; 160]);
    }
    assert_eq!(rig.engine.counters().wrong_source, 3);
    rig.receive_at(1, remote(1), audio(1), &[7; 160]);
    assert_eq!(rig.engine.counters().strays, 1);
    assert_eq!(rig.sent(), []);
    let mapped = SocketAddr::new("::ffff:192.0.2.1".parse().unwrap(), remote(1).port());
    rig.receive_at(0, mapped, audio(2), &[7; 160]);
    assert_eq!(rig.sent().len(), 1);
}

#[test]
fn what_cannot_be_relayed_is_dropped_and_counted() {
    let mut rig = Rig::bridged(Codec::Pcma);
    rig.engine.receive(0, remote(1), b"\r\n", Mono(0), &mut rig.log);
    rig.engine.receive(0, remote(1), &[0x80; MAX_DATAGRAM + 1], Mono(0), &mut rig.log);
    rig.engine.receive(0, remote(1), &[0x80, 200, 0, 6, 0, 0, 0, 1], Mono(0), &mut rig.log);
    rig.receive(1, Header { payload_type: 13, ..audio(1) }, &[40]);
    rig.receive(1, audio(2), &[]);
    assert_eq!(rig.sent(), []);
    let counters = *rig.engine.counters();
    assert_eq!((counters.malformed, counters.rtcp, counters.unplayable), (2, 1, 2));
}

#[test]
fn a_datagram_of_the_greatest_length_is_relayed() {
    let mut rig = Rig::bridged(Codec::Pcmu);
    rig.receive(1, audio(1), &[1; MAX_DATAGRAM - HEADER_LEN]);
    assert_eq!(rig.sent()[0].payload.len(), MAX_DATAGRAM - HEADER_LEN);
}

#[test]
fn directions_are_honoured_and_hold_generates_nothing() {
    let mut rig = Rig::bridged(Codec::Pcma);
    let hold = |direction| Command::Set(Stream { direction, ..stream(1) });
    let mut passed = Vec::new();
    for (n, direction) in [Direction::SendOnly, Direction::RecvOnly, Direction::Inactive, Direction::SendRecv]
        .into_iter()
        .enumerate()
    {
        rig.order(hold(direction));
        rig.receive(1, audio(n as u16), &[1; 160]);
        rig.receive(2, audio(n as u16), &[2; 160]);
        rig.run(ms(1_000));
        passed.push(rig.sent().iter().map(|sent| sent.to).collect::<Vec<_>>());
    }
    assert_eq!(passed, [vec![remote(1)], vec![remote(2)], vec![], vec![remote(2), remote(1)]]);
    assert_eq!(rig.engine.counters().held, 4);
}

#[test]
fn nothing_is_sent_to_the_unspecified_address() {
    let mut rig = Rig::bridged(Codec::Pcma);
    for nowhere in [SocketAddr::from(([0, 0, 0, 0], 20_000)), SocketAddr::from(([192, 0, 2, 1], 0))] {
        rig.order(Command::Set(Stream { remote: nowhere, ..stream(1) }));
        rig.receive(2, audio(1), &[2; 160]);
        rig.play(1, &[1], true);
        rig.run(ms(100));
    }
    assert_eq!(rig.sent(), []);
}

#[test]
fn a_stream_that_comes_back_to_its_hearer_is_cut() {
    let mut rig = Rig::bridged(Codec::Pcma);
    rig.receive(1, audio(1), &[1; 160]);
    let echo = rig.sent()[0].header;
    rig.receive(1, echo, &[1; 160]);
    assert_eq!((rig.sent(), rig.engine.counters().looped), (vec![], 1));
}

#[test]
fn a_leg_on_hold_is_not_played_to_and_resumes_where_it_was() {
    let mut rig = Rig::new(Duration::ZERO);
    rig.order(Command::Set(stream(1)));
    rig.play(1, &[0, 1], true);
    rig.run(ms(40));
    let before = rig.sent();
    rig.order(Command::Set(Stream { direction: Direction::Inactive, ..stream(1) }));
    rig.run(ms(10_000));
    assert_eq!(rig.sent(), []);
    rig.order(Command::Set(stream(1)));
    rig.run(ms(80));
    let after = rig.sent();
    let heard: Vec<_> = after.iter().map(|sent| sent.payload[0]).collect();
    let (voice, music) = (g711::alaw(1_000), g711::alaw(9_000));
    assert_eq!(heard, [voice, voice, voice, music]);
    assert_eq!(after[0].header.sequence, before[1].header.sequence.wrapping_add(1));
    assert_eq!(after[0].header.timestamp, before[1].header.timestamp.wrapping_add(8 * 10_020));
    assert!(after[0].header.marker);
}

#[test]
fn music_for_the_held_partner_stands_before_the_bridge_and_yields_to_it() {
    let mut rig = Rig::bridged(Codec::Pcma);
    rig.play(2, &[1], true);
    rig.receive(1, audio(1), &[1; 160]);
    rig.receive(2, audio(1), &[2; 160]);
    rig.run(ms(20));
    assert_eq!(rig.sent().iter().map(|sent| sent.to).collect::<Vec<_>>(), [remote(1), remote(2)]);
    rig.order(Command::Bridge { a: LegId(1), b: LegId(2) });
    rig.receive(1, audio(2), &[1; 160]);
    rig.run(ms(200));
    assert_eq!(rig.sent().iter().map(|sent| sent.payload[0]).collect::<Vec<_>>(), [1]);
    rig.play(2, &[0], false);
    rig.run(ms(200));
    rig.receive(1, audio(20), &[1; 160]);
    assert_eq!(rig.sent().iter().filter(|sent| sent.payload[0] == 1).count(), 1);
}

#[test]
fn one_stream_runs_on_through_greeting_bridge_and_silence() {
    let mut rig = Rig::new(Duration::ZERO);
    rig.order(Command::Set(stream(1)));
    rig.order(Command::Set(stream(2)));
    rig.play(1, &[0, 1], true);
    rig.run(ms(200));
    rig.order(Command::Bridge { a: LegId(1), b: LegId(2) });
    for n in 0..10 {
        rig.run(ms(20));
        rig.receive(2, audio(700 + n), &[3; 160]);
    }
    rig.order(Command::Unbridge { leg: LegId(2) });
    rig.run(ms(200));
    let sent: Vec<_> = rig.sent().into_iter().filter(|sent| sent.to == remote(1)).collect();
    assert!((29..=31).contains(&sent.len()), "{}", sent.len());
    let markers = sent.iter().filter(|sent| sent.header.marker).count();
    assert_eq!(markers, 3);
    for pair in sent.windows(2) {
        assert_eq!(pair[1].header.ssrc, pair[0].header.ssrc);
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        let step = pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp);
        assert!((160..=320).contains(&step), "{step}");
    }
}

#[test]
fn unbridged_legs_hear_silence_and_no_longer_each_other() {
    let mut rig = Rig::bridged(Codec::Pcmu);
    rig.order(Command::Unbridge { leg: LegId(2) });
    rig.receive(1, audio(1), &[1; 160]);
    rig.run(ms(100));
    let sent = rig.sent();
    assert_eq!(sent.len(), 10);
    for sent in sent {
        let silence = if sent.to == remote(1) { g711::ALAW_SILENCE } else { g711::MULAW_SILENCE };
        assert_eq!(sent.payload, [silence; FRAME]);
    }
}

#[test]
fn a_new_bridge_leaves_the_former_partner_in_silence() {
    let mut rig = Rig::bridged(Codec::Pcma);
    rig.order(Command::Set(stream(3)));
    rig.order(Command::Bridge { a: LegId(3), b: LegId(1) });
    rig.receive(3, audio(1), &[3; 160]);
    rig.receive(2, audio(1), &[2; 160]);
    rig.run(ms(20));
    let sent = rig.sent();
    assert_eq!((sent[0].to, sent[0].payload[0]), (remote(1), 3));
    assert_eq!((sent[1].to, sent[1].payload[0]), (remote(2), g711::ALAW_SILENCE));
    assert_eq!(sent.len(), 2);
}

#[test]
fn packets_for_a_closed_leg_are_strays_and_its_partner_hears_silence() {
    let mut rig = Rig::bridged(Codec::Pcma);
    rig.order(Command::Close { leg: LegId(1) });
    rig.receive(1, audio(1), &[1; 160]);
    assert_eq!(rig.engine.counters().wrong_source, 1);
    rig.run(ms(20));
    assert_eq!(rig.sent().iter().map(|sent| sent.to).collect::<Vec<_>>(), [remote(2)]);
    rig.order(Command::Close { leg: LegId(2) });
    rig.receive(2, audio(1), &[1; 160]);
    rig.run(ms(1_000));
    assert_eq!((rig.sent(), rig.engine.counters().strays), (vec![], 1));
    assert_eq!(rig.engine.next_due(), None);
}

#[test]
fn a_leg_that_moves_is_followed_and_its_old_address_is_not() {
    let mut rig = Rig::bridged(Codec::Pcma);
    let moved = Stream { remote: remote(50), port: PORTS[1], ..stream(1) };
    rig.order(Command::Set(moved));
    rig.receive(1, audio(1), &[1; 160]);
    assert_eq!(rig.sent(), []);
    rig.receive_at(1, remote(50), audio(1), &[1; 160]);
    rig.receive(2, audio(1), &[2; 160]);
    assert_eq!(
        rig.sent().iter().map(|sent| (sent.port, sent.to)).collect::<Vec<_>>(),
        [(0, remote(2)), (1, remote(50))]
    );
}

#[test]
fn a_pair_given_to_a_new_leg_stays_its_own_when_the_old_one_closes() {
    let mut rig = Rig::new(Duration::ZERO);
    rig.order(Command::Set(stream(1)));
    rig.order(Command::Set(stream(2)));
    rig.order(Command::Set(Stream { leg: LegId(3), ..stream(1) }));
    rig.order(Command::Close { leg: LegId(1) });
    rig.order(Command::Bridge { a: LegId(2), b: LegId(3) });
    rig.receive(1, audio(1), &[1; 160]);
    assert_eq!(rig.sent().len(), 1);
}

#[test]
fn a_latching_leg_takes_the_first_usable_source_and_then_no_other() {
    let mut rig = Rig::new(Duration::ZERO);
    let behind_nat = Stream { port: PORTS[2], latch: true, ..stream(1) };
    let (far, forger) =
        (SocketAddr::from(([198, 51, 100, 7], 7_777)), SocketAddr::from(([203, 0, 113, 9], 9)));
    rig.order(Command::Set(behind_nat.clone()));
    rig.order(Command::Set(stream(2)));
    rig.order(Command::Bridge { a: LegId(1), b: LegId(2) });
    rig.receive_at(2, forger, Header { payload_type: 35, ..audio(1) }, &[9; 160]);
    rig.engine.receive(2, forger, b"hello", Mono(0), &mut rig.log);
    assert_eq!(rig.sent(), []);
    rig.receive_at(2, far, audio(1), &[1; 160]);
    rig.receive_at(2, forger, audio(2), &[9; 160]);
    rig.receive_at(2, remote(1), audio(2), &[9; 160]);
    rig.receive(2, audio(1), &[2; 160]);
    let sent = rig.sent();
    assert_eq!(
        sent.iter().map(|sent| (sent.to, sent.payload[0])).collect::<Vec<_>>(),
        [(remote(2), 1), (far, 2)]
    );
    rig.order(Command::Set(behind_nat.clone()));
    rig.receive_at(2, forger, audio(3), &[9; 160]);
    rig.receive_at(2, far, audio(3), &[1; 160]);
    assert_eq!(rig.sent().len(), 1);
    rig.order(Command::Set(Stream { remote: remote(60), ..behind_nat }));
    rig.receive_at(2, remote(60), audio(4), &[1; 160]);
    assert_eq!(rig.sent().len(), 1);
}

#[test]
fn a_silent_leg_is_reported_once_until_it_sends_again() {
    let mut rig = Rig::new(Duration::from_secs(10));
    rig.order(Command::Set(stream(1)));
    rig.order(Command::Set(Stream { direction: Direction::SendOnly, ..stream(2) }));
    for n in 0..500 {
        rig.run(ms(20));
        rig.receive(1, audio(n), &[1; 160]);
    }
    rig.run(Duration::from_secs(9));
    assert_eq!(rig.log.events, []);
    rig.run(Duration::from_secs(60));
    let [Event::Dead { leg: LegId(1), silent_for }] = rig.log.events[..] else {
        panic!("{:?}", rig.log.events)
    };
    assert!((10..12).contains(&silent_for.as_secs()));
    rig.receive(1, audio(1_000), &[1; 160]);
    rig.run(Duration::from_secs(60));
    assert_eq!(rig.log.events.len(), 2);
}

#[test]
fn a_leg_that_never_sent_is_reported_and_a_timeout_of_zero_reports_none() {
    for (dead_after, reports) in [(5, 1), (0, 0)] {
        let mut rig = Rig::new(Duration::from_secs(dead_after));
        rig.order(Command::Set(stream(1)));
        rig.run(Duration::from_secs(100));
        assert_eq!(rig.log.events.len(), reports);
    }
}

#[test]
fn a_network_that_refuses_is_counted_and_the_clock_goes_on() {
    let mut rig = Rig::new(Duration::ZERO);
    rig.order(Command::Set(stream(1)));
    rig.play(1, &[1], true);
    rig.log.refusing = true;
    rig.run(ms(200));
    assert_eq!((rig.engine.counters().send_errors, rig.engine.counters().packets_out), (10, 0));
}

#[test]
fn orders_for_unknown_legs_and_ports_change_nothing() {
    let mut rig = Rig::bridged(Codec::Pcma);
    rig.order(Command::Set(Stream { port: 9, ..stream(8) }));
    rig.order(Command::Bridge { a: LegId(1), b: LegId(8) });
    rig.order(Command::Bridge { a: LegId(1), b: LegId(1) });
    rig.play(8, &[1], true);
    rig.order(Command::Unbridge { leg: LegId(8) });
    rig.order(Command::Close { leg: LegId(8) });
    rig.receive(1, audio(1), &[1; 160]);
    assert_eq!(rig.sent().iter().map(|sent| sent.to).collect::<Vec<_>>(), [remote(2)]);
}
