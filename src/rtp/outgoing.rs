//! One leg's outgoing stream: a single SSRC whose sequence numbers and timestamps run on, whatever feeds it.
//!
//! Greeting, music and bridge follow one another without a break that the far end's jitter buffer could
//! stumble over: each new source is joined on at the next sequence number, with the timestamp moved by the
//! time that went by and the marker bit set. While relaying, loss, reordering and duplicates of the source
//! are passed on as they are, never repaired or hidden.

use std::time::Duration;

use crate::rtp::packet::Header;
use crate::rtp::{CLOCK_HZ, FRAME};
use crate::time::Mono;

/// The numbering of one outgoing packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Whether a new source begins here.
    pub marker: bool,
    /// For the header.
    pub sequence: u16,
    /// For the header.
    pub timestamp: u32,
}

/// The numbering of one leg's outgoing stream.
#[derive(Clone, Debug)]
pub struct Outgoing {
    ssrc: u32,
    /// Highest sequence number sent.
    sequence: u16,
    /// Highest timestamp sent, and when.
    timestamp: u32,
    at: Mono,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    None,
    Played,
    Relayed(Relayed),
}

/// The stream being relayed, as far as it has come.
#[derive(Clone, Debug)]
struct Relayed {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// How many sequence numbers past the joining packet.
    position: u64,
    /// From its numbers to ours.
    sequence_offset: u16,
    timestamp_offset: u32,
}

/// A longer gap forward is a restart (RFC 3550, A.1: MAX_DROPOUT).
const MAX_DROPOUT: i16 = 3_000;
/// A packet further back is a restart (RFC 3550, A.1: MAX_MISORDER).
const MAX_MISORDER: i16 = 100;
/// How far a timestamp may stray from the time gone by; a telephone event keeps that of its start for up
/// to 65,535 samples (RFC 4733, 2.3.5).
const MAX_STRAY: i64 = 10 * CLOCK_HZ as i64;

impl Outgoing {
    /// A stream that will start just after these numbers, which should be random (RFC 3550, 5.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32, now: Mono) -> Outgoing {
        Outgoing { ssrc, sequence, timestamp, at: now, source: Source::None }
    }

    /// The synchronisation source of every packet.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Ends the present source: whatever comes next is joined on as a new one.
    pub fn detach(&mut self) {
        self.source = Source::None;
    }

    /// Numbers the next frame of 20 ms that we make ourselves, due at `due`.
    ///
    /// Frames due 20 ms apart run on; after a pause the timestamp moves by the time that went by.
    pub fn played(&mut self, due: Mono) -> Stamp {
        let frame = FRAME as u32;
        let runs_on = matches!(self.source, Source::Played) && samples(due.since(self.at)) <= frame;
        if !runs_on {
            self.source = Source::Played;
            return self.joined(due);
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(frame);
        self.at = due;
        Stamp { marker: false, sequence: self.sequence, timestamp: self.timestamp }
    }

    /// Numbers a packet relayed from another stream; `None` when it is older than the joining packet, whose
    /// predecessors' numbers are already spent.
    ///
    /// A source that changes its SSRC, or jumps further than loss and reordering explain, is joined anew.
    pub fn relayed(&mut self, incoming: &Header, now: Mono) -> Option<Stamp> {
        let elapsed = i64::from(samples(now.since(self.at)));
        let Some(source) = self.source.continues(incoming, elapsed) else {
            let stamp = self.joined(now);
            self.source = Source::Relayed(Relayed {
                ssrc: incoming.ssrc,
                sequence: incoming.sequence,
                timestamp: incoming.timestamp,
                position: 0,
                sequence_offset: stamp.sequence.wrapping_sub(incoming.sequence),
                timestamp_offset: stamp.timestamp.wrapping_sub(incoming.timestamp),
            });
            return Some(stamp);
        };
        let ahead = signed(incoming.sequence, source.sequence);
        let position = source.position.checked_add_signed(i64::from(ahead))?;
        let stamp = Stamp {
            marker: incoming.marker,
            sequence: incoming.sequence.wrapping_add(source.sequence_offset),
            timestamp: incoming.timestamp.wrapping_add(source.timestamp_offset),
        };
        if ahead > 0 {
            source.position = position;
            source.sequence = incoming.sequence;
            source.timestamp = incoming.timestamp;
            self.sequence = stamp.sequence;
            if stamp.timestamp.wrapping_sub(self.timestamp).cast_signed() > 0 {
                self.timestamp = stamp.timestamp;
                self.at = now;
            }
        }
        Some(stamp)
    }

    fn joined(&mut self, now: Mono) -> Stamp {
        let step = samples(now.since(self.at)).max(FRAME as u32);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(step);
        self.at = now;
        Stamp { marker: true, sequence: self.sequence, timestamp: self.timestamp }
    }
}

impl Source {
    /// The relayed source, if `incoming` belongs to it.
    fn continues(&mut self, incoming: &Header, elapsed: i64) -> Option<&mut Relayed> {
        let Source::Relayed(source) = self else { return None };
        let ahead = signed(incoming.sequence, source.sequence);
        let step = i64::from(incoming.timestamp.wrapping_sub(source.timestamp).cast_signed());
        let same = source.ssrc == incoming.ssrc
            && (-MAX_MISORDER..=MAX_DROPOUT).contains(&ahead)
            && (-MAX_STRAY..=elapsed + MAX_STRAY).contains(&step);
        same.then_some(source)
    }
}

/// How far `a` is ahead of `b`, the short way round.
fn signed(a: u16, b: u16) -> i16 {
    a.wrapping_sub(b).cast_signed()
}

/// Samples in a span of time, modulo 2^32.
fn samples(span: Duration) -> u32 {
    (span.as_micros() * u128::from(CLOCK_HZ) / 1_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Mono {
        Mono(ms * 1_000)
    }

    fn incoming(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 8, sequence, timestamp, ssrc }
    }

    fn stamp(marker: bool, sequence: u16, timestamp: u32) -> Option<Stamp> {
        Some(Stamp { marker, sequence, timestamp })
    }

    /// A stream that is relaying source 9, whose packet (10, 1,600) went out as (1, 160) at 20 ms.
    fn relaying() -> Outgoing {
        let mut out = Outgoing::new(5, 0, 0, ms(0));
        assert_eq!(out.relayed(&incoming(9, 10, 1_600), ms(20)), stamp(true, 1, 160));
        out
    }

    #[test]
    fn played_frames_run_on_across_the_wrap_with_one_marker() {
        let mut out = Outgoing::new(5, 65_534, u32::MAX - 159, ms(0));
        assert_eq!(Some(out.played(ms(20))), stamp(true, 65_535, 0));
        for n in 1..1_000u32 {
            assert_eq!(Some(out.played(ms(20 + u64::from(n) * 20))), stamp(false, (n - 1) as u16, n * 160));
        }
    }

    #[test]
    fn a_pause_moves_the_timestamp_by_its_length_and_is_marked() {
        let mut out = Outgoing::new(5, 0, 0, ms(0));
        out.played(ms(20));
        assert_eq!(Some(out.played(ms(1_040))), stamp(true, 2, 160 + 8 * 1_020));
    }

    #[test]
    fn greeting_bridge_and_hold_are_one_continuous_stream() {
        let mut out = Outgoing::new(5, 0, 0, ms(0));
        out.played(ms(20));
        assert_eq!(Some(out.played(ms(40))), stamp(false, 2, 320));
        assert_eq!(out.relayed(&incoming(9, 4_000, 777), ms(100)), stamp(true, 3, 800));
        assert_eq!(out.relayed(&incoming(9, 4_001, 937), ms(121)), stamp(false, 4, 960));
        assert_eq!(Some(out.played(ms(125))), stamp(true, 5, 1_120));
        assert_eq!(Some(out.played(ms(145))), stamp(false, 6, 1_280));
    }

    #[test]
    fn loss_reordering_and_duplicates_are_passed_on() {
        let mut out = relaying();
        assert_eq!(out.relayed(&incoming(9, 13, 2_080), ms(80)), stamp(false, 4, 640));
        assert_eq!(out.relayed(&incoming(9, 12, 1_920), ms(81)), stamp(false, 3, 480));
        assert_eq!(out.relayed(&incoming(9, 12, 1_920), ms(82)), stamp(false, 3, 480));
        assert_eq!(out.relayed(&incoming(9, 13, 2_080), ms(82)), stamp(false, 4, 640));
        assert_eq!(out.relayed(&incoming(9, 14, 2_240), ms(100)), stamp(false, 5, 800));
    }

    #[test]
    fn a_packet_older_than_the_joining_one_is_refused() {
        let mut out = relaying();
        assert_eq!(out.relayed(&incoming(9, 9, 1_440), ms(21)), None);
        assert_eq!(out.relayed(&incoming(9, 11, 1_760), ms(40)), stamp(false, 2, 320));
    }

    #[test]
    fn a_changed_source_is_followed() {
        let mut out = relaying();
        assert_eq!(out.relayed(&incoming(77, 50_000, 5), ms(40)), stamp(true, 2, 320));
        assert_eq!(out.relayed(&incoming(77, 50_001, 165), ms(60)), stamp(false, 3, 480));
    }

    #[test]
    fn jumps_of_sequence_and_of_timestamp_are_followed() {
        let mut out = relaying();
        assert_eq!(out.relayed(&incoming(9, 40_000, 1_760), ms(40)), stamp(true, 2, 320));
        assert_eq!(out.relayed(&incoming(9, 40_001, 3_000_000_000), ms(60)), stamp(true, 3, 480));
        assert_eq!(out.relayed(&incoming(9, 40_002, 3_000_000_160), ms(80)), stamp(false, 4, 640));
    }

    #[test]
    fn a_silence_of_the_source_keeps_its_timestamps() {
        let mut out = relaying();
        let pause = 3_600 * CLOCK_HZ;
        assert_eq!(
            out.relayed(&incoming(9, 11, 1_600 + pause), ms(20 + 3_600_000)),
            stamp(false, 2, 160 + pause)
        );
    }

    #[test]
    fn an_event_keeps_the_timestamp_of_its_start_and_what_follows_is_later() {
        let mut out = relaying();
        for n in 1..=50u16 {
            let sent = out.relayed(&incoming(9, 10 + n, 1_600), ms(20 + 20 * u64::from(n)));
            assert_eq!(sent, stamp(false, 1 + n, 160));
        }
        assert_eq!(Some(out.played(ms(1_040))), stamp(true, 52, 160 + 8 * 1_020));
    }

    #[test]
    fn the_next_partner_is_joined_anew_even_with_the_same_ssrc() {
        let mut out = relaying();
        out.detach();
        assert_eq!(out.relayed(&incoming(9, 11, 1_760), ms(520)), stamp(true, 2, 160 + 8 * 500));
    }

    #[test]
    fn positions_are_counted_through_many_wraps() {
        let mut out = relaying();
        let mut last = Stamp { marker: true, sequence: 1, timestamp: 160 };
        for n in 1..200_000u32 {
            let packet = incoming(9, 10u16.wrapping_add(n as u16), 1_600 + 160 * n);
            let next = out.relayed(&packet, ms(20 + 20 * u64::from(n)));
            assert_eq!(next, stamp(false, last.sequence.wrapping_add(1), last.timestamp.wrapping_add(160)));
            last = next.unwrap_or(last);
        }
    }
}
