//! A phone's audio: every party sends one A-law byte of its own over and over, so that whoever hears it
//! knows who speaks.
//!
//! Hearing is counted in whole frames of one byte; music and silence are nobody's.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};

use super::Packet;
use crate::cli::demo::dice::Dice;
use crate::rtp::packet::{Datagram, HEADER_LEN, Header};
use crate::rtp::{FRAME, g711};

/// Payload type of A-law (RFC 3551, 6).
const ALAW: u8 = 8;
/// Length of a frame.
const FRAME_TIME: Duration = Duration::from_millis(20);
/// Frames that were missed for longer than this are not made up for.
const LATE: Duration = Duration::from_millis(100);
/// Frames of one voice until it is believed.
const BELIEVED: u32 = 3;
/// Voices of agents; the others are callers'.
const AGENTS: usize = 100;

/// Who speaks: the byte that the party sends.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli::demo) struct Voice(u8);

impl Voice {
    /// The voice of the n-th agent.
    pub(in crate::cli::demo) fn of_agent(nth: usize) -> Voice {
        Voice(audible(nth % AGENTS))
    }

    /// The voice of the n-th caller: more than a hundred call before one is used again.
    pub(in crate::cli::demo) fn of_caller(nth: usize) -> Voice {
        Voice(audible(AGENTS + nth % (audible_bytes().count() - AGENTS)))
    }

    /// Whether it is an agent's.
    pub(in crate::cli::demo) fn is_agent(self) -> bool {
        audible_bytes().take(AGENTS).any(|byte| byte == self.0)
    }
}

/// Every byte but the two that mean silence.
fn audible_bytes() -> impl Iterator<Item = u8> {
    const OTHER_SILENCE: u8 = g711::ALAW_SILENCE ^ 0x80;
    (0..=u8::MAX).filter(|byte| ![g711::ALAW_SILENCE, OTHER_SILENCE].contains(byte))
}

fn audible(nth: usize) -> u8 {
    audible_bytes().nth(nth).unwrap_or_default()
}

/// What a phone sent and heard in one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli::demo) struct Ear {
    /// Packets sent.
    pub(in crate::cli::demo) sent: u64,
    /// Packets received.
    pub(in crate::cli::demo) received: u64,
    /// When the first came.
    pub(in crate::cli::demo) first: Option<Instant>,
    voices: BTreeMap<u8, u32>,
}

impl Ear {
    /// Whether this voice was heard.
    pub(in crate::cli::demo) fn heard(&self, voice: Voice) -> bool {
        self.voices.get(&voice.0).is_some_and(|&frames| frames >= BELIEVED)
    }

    /// Every voice that was heard.
    pub(in crate::cli::demo) fn voices(&self) -> impl Iterator<Item = Voice> + '_ {
        self.voices.iter().filter(|&(_, &frames)| frames >= BELIEVED).map(|(&byte, _)| Voice(byte))
    }

    /// Whether any agent was heard.
    pub(super) fn heard_an_agent(&self) -> bool {
        self.voices().any(Voice::is_agent)
    }

    /// An ear that heard these voices.
    #[cfg(test)]
    pub(in crate::cli::demo) fn of(voices: &[Voice]) -> Ear {
        let voices = voices.iter().map(|voice| (voice.0, BELIEVED)).collect();
        Ear { sent: 10, received: 10, first: None, voices }
    }

    fn hear(&mut self, payload: &[u8]) {
        if let [first, rest @ ..] = payload
            && rest.iter().all(|byte| byte == first)
        {
            let frames = self.voices.entry(*first).or_default();
            *frames = frames.saturating_add(1);
        }
    }
}

/// The audio side of a phone.
#[derive(Debug)]
pub(super) struct Audio {
    address: SocketAddr,
    frame: Bytes,
    stream: Option<Stream>,
    ear: Ear,
    outbox: VecDeque<Packet>,
}

#[derive(Debug)]
struct Stream {
    remote: SocketAddr,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    next: Instant,
}

impl Audio {
    /// A phone that receives at this address.
    pub(super) fn new(address: SocketAddr, voice: Voice) -> Audio {
        let frame = Bytes::from(vec![voice.0; FRAME]);
        Audio { address, frame, stream: None, ear: Ear::default(), outbox: VecDeque::new() }
    }

    /// A description of the phone's side (RFC 8866): A-law and nothing else.
    pub(super) fn describe(&self, dice: &mut Dice) -> Bytes {
        let (ip, port, session) = (self.address.ip(), self.address.port(), dice.word());
        let family = if ip.is_ipv6() { "IP6" } else { "IP4" };
        format!(
            "v=0\r\no=- {session} 1 IN {family} {ip}\r\ns=call\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {ALAW}\r\na=rtpmap:{ALAW} PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n"
        )
        .into()
    }

    /// Speaks to the address in a description from now on; false when it has no A-law stream.
    pub(super) fn start(&mut self, description: &[u8], dice: &mut Dice, now: Instant) -> bool {
        let Some(remote) = stream_of(description) else { return false };
        let (ssrc, sequence, timestamp) = (dice.word(), dice.word() as u16, dice.word());
        self.stream = Some(Stream { remote, ssrc, sequence, timestamp, next: now });
        true
    }

    /// Falls silent, and gives what was heard since the last time.
    pub(super) fn stop(&mut self) -> Ear {
        self.stream = None;
        self.outbox.clear();
        std::mem::take(&mut self.ear)
    }

    /// What was heard so far.
    pub(super) fn ear(&self) -> &Ear {
        &self.ear
    }

    /// Takes a packet; those of strangers are not heard.
    pub(super) fn receive(&mut self, bytes: &[u8], source: SocketAddr, now: Instant) {
        let from_peer = self.stream.as_ref().is_some_and(|stream| stream.remote == source);
        if let Ok(Datagram::Rtp(packet)) = Datagram::read(bytes)
            && from_peer
        {
            self.ear.received += 1;
            self.ear.first.get_or_insert(now);
            if packet.header.payload_type == ALAW {
                self.ear.hear(packet.payload);
            }
        }
    }

    /// Sends the frames that are due.
    pub(super) fn wake(&mut self, now: Instant) {
        let Some(stream) = &mut self.stream else { return };
        if now.saturating_duration_since(stream.next) > LATE {
            stream.next = now;
        }
        while stream.next <= now {
            stream.next += FRAME_TIME;
            stream.sequence = stream.sequence.wrapping_add(1);
            stream.timestamp = stream.timestamp.wrapping_add(FRAME as u32);
            let header = Header {
                marker: self.ear.sent == 0,
                payload_type: ALAW,
                sequence: stream.sequence,
                timestamp: stream.timestamp,
                ssrc: stream.ssrc,
            };
            let mut packet = BytesMut::with_capacity(HEADER_LEN + FRAME);
            packet.put_slice(&header.to_bytes());
            packet.put_slice(&self.frame);
            self.ear.sent += 1;
            self.outbox.push_back(Packet::Rtp(stream.remote, packet.freeze()));
        }
    }

    /// When the next frame is due.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.stream.as_ref().map(|stream| stream.next)
    }

    /// What is to be sent.
    pub(super) fn poll_output(&mut self) -> Option<Packet> {
        self.outbox.pop_front()
    }
}

/// Where the first A-law audio stream of a description is received.
fn stream_of(description: &[u8]) -> Option<SocketAddr> {
    let text = std::str::from_utf8(description).ok()?;
    let (mut ip, mut port) = (None, None);
    for line in text.lines() {
        if let Some(connection) = line.strip_prefix("c=IN IP") {
            ip = connection.split_once(' ').and_then(|(_, ip)| ip.trim().parse().ok());
        } else if let Some(audio) = line.strip_prefix("m=audio ").filter(|_| port.is_none()) {
            let mut words = audio.split_ascii_whitespace();
            let number: u16 = words.next()?.parse().ok()?;
            let alaw = words.next() == Some("RTP/AVP") && words.any(|format| format == "8");
            port = Some(number).filter(|&number| alaw && number != 0);
        }
    }
    Some(SocketAddr::new(ip?, port?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    fn phone(port: u16, voice: Voice) -> Audio {
        Audio::new(SocketAddr::from(([127, 0, 0, 2], port)), voice)
    }

    /// Two phones that are connected for a number of frames.
    fn talk(frames: u32) -> (Ear, Ear) {
        let (mut a, mut b) = (phone(4_000, Voice::of_agent(0)), phone(4_002, Voice::of_caller(0)));
        let (start, mut dice) = (Instant::now(), Dice::new(1, 1));
        let (of_a, of_b) = (a.describe(&mut dice), b.describe(&mut dice));
        assert!(a.start(&of_b, &mut dice, start) && b.start(&of_a, &mut dice, start));
        for nth in 0..frames {
            let now = start + FRAME_TIME * nth;
            a.wake(now);
            while let Some(Packet::Rtp(to, bytes)) = a.poll_output() {
                assert_eq!(to, b.address);
                b.receive(&bytes, a.address, now);
            }
        }
        (a.stop(), b.stop())
    }

    #[test]
    fn a_voice_is_heard_after_three_frames() {
        let (spoke, listened) = talk(2);
        assert_eq!((spoke.sent, listened.received, listened.heard_an_agent()), (2, 2, false));
        let (_, listened) = talk(3);
        assert!(listened.heard(Voice::of_agent(0)) && listened.heard_an_agent());
        assert!(!listened.heard(Voice::of_agent(1)) && !listened.heard(Voice::of_caller(0)));
    }

    #[test]
    fn strangers_music_and_silence_are_nobody() {
        let mut listener = phone(4_000, Voice::of_agent(0));
        let now = Instant::now();
        let mut dice = Dice::new(1, 1);
        let description = phone(4_002, Voice::of_agent(1)).describe(&mut dice);
        listener.start(&description, &mut dice, now);
        let header = Header { marker: false, payload_type: ALAW, sequence: 1, timestamp: 1, ssrc: 1 };
        let music: Vec<u8> = header.to_bytes().into_iter().chain((0..160).map(|n| n as u8)).collect();
        let silence: Vec<u8> = header.to_bytes().into_iter().chain([g711::ALAW_SILENCE; FRAME]).collect();
        for _ in 0..10 {
            listener.receive(&music, SocketAddr::from(([127, 0, 0, 2], 4_002)), now);
            listener.receive(&silence, SocketAddr::from(([127, 0, 0, 2], 4_002)), now);
            listener.receive(&silence, SocketAddr::from(([127, 0, 0, 3], 4_002)), now);
        }
        assert_eq!(listener.ear().received, 20);
        assert!(!listener.ear().heard_an_agent());
    }

    #[test]
    fn no_voice_is_silence_and_neighbours_differ() {
        let callers: BTreeSet<Voice> = (0..150).map(Voice::of_caller).collect();
        let agents: BTreeSet<Voice> = (0..AGENTS).map(Voice::of_agent).collect();
        assert_eq!((callers.len(), agents.len()), (150, AGENTS));
        assert!(callers.is_disjoint(&agents));
        assert!(
            !callers.contains(&Voice(g711::ALAW_SILENCE)) && !agents.contains(&Voice(g711::ALAW_SILENCE))
        );
        assert!(agents.iter().all(|voice| voice.is_agent()) && !callers.iter().any(|voice| voice.is_agent()));
    }

    #[test]
    fn a_late_phone_does_not_send_a_burst() {
        let mut late = phone(4_000, Voice::of_agent(0));
        let (start, mut dice) = (Instant::now(), Dice::new(1, 1));
        let description = late.describe(&mut dice);
        late.start(&description, &mut dice, start);
        late.wake(start + Duration::from_secs(5));
        assert_eq!(late.ear().sent, 1);
    }

    #[test]
    fn a_description_without_a_law_is_of_no_use() {
        let head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
        for audio in
            ["m=audio 4000 RTP/AVP 0\r\n", "m=audio 0 RTP/AVP 8\r\n", "m=video 4000 RTP/AVP 8\r\n", ""]
        {
            assert_eq!(stream_of(format!("{head}{audio}").as_bytes()), None, "{audio}");
        }
        let good = format!("{head}m=audio 4000 RTP/AVP 0 8\r\n");
        assert_eq!(stream_of(good.as_bytes()), Some("127.0.0.1:4000".parse().unwrap()));
    }
}
