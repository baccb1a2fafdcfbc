//! Keys as telephone events (RFC 4733): reports read and written, and a decoder that counts each press once.
//!
//! A press is sent as many reports that share the timestamp of its start: one each 20 ms or so while the key is
//! down, and three that say it is up. A press counts with the first report that arrives, so neither the loss
//! of the last reports nor of all but one hides it, and no clock is needed.

use std::time::Duration;

use crate::audio::Digit;
use crate::rtp::packet::Header;
use crate::rtp::{CLOCK_HZ, FRAME};

/// Bytes of a report.
pub const REPORT_LEN: usize = 4;
/// How far behind the last press a report is late and not a new press, in samples: the longest press that
/// fits into one event, and a pause. Further back the sender has begun to count anew.
const LATE: u32 = 10 * CLOCK_HZ;
/// How often the last report of a press is sent (RFC 4733, 2.5.1.4).
const ENDS: usize = 3;
/// The loudness of our own reports, in dB below the digital milliwatt.
const VOLUME: u8 = 10;

/// One report of a key that is or was down.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which key.
    pub digit: Digit,
    /// The key is up.
    pub end: bool,
    /// For how long it has been down, in samples; at least one.
    pub duration: u16,
}

/// Why a payload is no report of a key.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReport {
    /// Fewer than [`REPORT_LEN`] bytes.
    #[error("a telephone event of {0} bytes")]
    Short(usize),
    /// An event that is no key, such as a fax tone: we agree to keys only.
    #[error("telephone event {0} is no key")]
    NoKey(u8),
    /// A key that is down for no time at all, which must be ignored (RFC 4733, 2.3.5).
    #[error("a telephone event without duration")]
    NoDuration,
}

impl Report {
    /// Reads the payload of one packet; what follows the first report is passed over.
    pub fn read(payload: &[u8]) -> Result<Report, BadReport> {
        let &[code, flags, high, low, ..] = payload else { return Err(BadReport::Short(payload.len())) };
        let digit = Digit::of_code(code).ok_or(BadReport::NoKey(code))?;
        match u16::from_be_bytes([high, low]) {
            0 => Err(BadReport::NoDuration),
            duration => Ok(Report { digit, end: flags & 0x80 != 0, duration }),
        }
    }

    /// The payload of one packet.
    pub fn to_bytes(self) -> [u8; REPORT_LEN] {
        let [high, low] = self.duration.to_be_bytes();
        [self.digit.code(), u8::from(self.end) << 7 | VOLUME, high, low]
    }
}

/// The reports of one press, to be sent 20 ms apart with the timestamp of its start, the first with the marker;
/// the last three say the same. A press lasts between 20 ms and 8 s.
pub fn press(digit: Digit, held: Duration) -> impl Iterator<Item = Report> {
    let most = usize::from(u16::MAX) / FRAME;
    let frames = usize::try_from(held.as_millis() / 20).unwrap_or(most).clamp(1, most);
    let report = move |n: usize, end| Report { digit, end, duration: (n * FRAME) as u16 };
    (1..frames).map(move |n| report(n, false)).chain([report(frames, true); ENDS])
}

/// Tells presses from the reports of one leg, in whatever order and number they come.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    last: Option<Press>,
}

#[derive(Clone, Debug)]
struct Press {
    ssrc: u32,
    timestamp: u32,
    digit: Digit,
    ended: bool,
}

impl Decoder {
    /// Takes a packet of telephone events; `Some` when a press begins with it.
    ///
    /// Of a press every further report is absorbed, also those that come after the next press has begun.
    pub fn decode(&mut self, header: &Header, payload: &[u8]) -> Result<Option<Digit>, BadReport> {
        let Report { digit, end, duration: _ } = Report::read(payload)?;
        let press = Press { ssrc: header.ssrc, timestamp: header.timestamp, digit, ended: end };
        let Some(last) = self.last.as_mut().filter(|last| last.ssrc == press.ssrc) else {
            self.last = Some(press);
            return Ok(Some(digit));
        };
        let ahead = press.timestamp.wrapping_sub(last.timestamp);
        if ahead == 0 {
            last.ended |= end;
            return Ok(None);
        }
        if ahead.wrapping_neg() <= LATE {
            return Ok(None);
        }
        // A key held for longer than a report can tell goes on as a new event (RFC 4733, 2.5.1.3).
        let goes_on = ahead == u32::from(u16::MAX) && digit == last.digit && !last.ended && !header.marker;
        *last = press;
        Ok((!goes_on).then_some(digit))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn digit(key: char) -> Digit {
        key.try_into().unwrap()
    }

    fn header(timestamp: u32) -> Header {
        Header { marker: false, payload_type: 101, sequence: 0, timestamp, ssrc: 7 }
    }

    /// The packets of one press.
    fn packets(key: char, timestamp: u32) -> Vec<(Header, [u8; REPORT_LEN])> {
        let reports = press(digit(key), Duration::from_millis(100)).enumerate();
        reports
            .map(|(n, report)| (Header { marker: n == 0, ..header(timestamp) }, report.to_bytes()))
            .collect()
    }

    /// What a decoder makes of packets.
    fn heard(packets: &[(Header, [u8; REPORT_LEN])]) -> String {
        let mut decoder = Decoder::default();
        packets
            .iter()
            .filter_map(|(header, payload)| decoder.decode(header, payload).unwrap())
            .map(Digit::key)
            .collect()
    }

    #[test]
    fn a_press_is_written_as_the_rfc_has_it() {
        let bytes: Vec<_> = press(digit('#'), Duration::from_millis(60)).map(Report::to_bytes).collect();
        let end = [11, 0x8a, 1, 0xe0];
        assert_eq!(bytes, [[11, 0x0a, 0, 160], [11, 0x0a, 1, 0x40], end, end, end]);
        let longest = press(digit('1'), Duration::from_secs(60)).last().unwrap();
        assert_eq!(longest, Report { digit: digit('1'), end: true, duration: 409 * 160 });
        assert_eq!(press(digit('1'), Duration::ZERO).count(), 3);
    }

    #[test]
    fn every_key_pressed_counts_once() {
        let keys = "0123456789*#ABCD1122";
        let sent: Vec<_> = (0u32..).zip(keys.chars()).flat_map(|(n, key)| packets(key, n * 1_600)).collect();
        assert_eq!(heard(&sent), keys);
    }

    #[test]
    fn any_one_report_of_a_press_is_enough() {
        let (one, two) = (packets('1', 0), packets('2', 1_600));
        for first in one {
            for &second in &two {
                assert_eq!(heard(&[first, second]), "12", "{first:?} and {second:?}");
            }
        }
    }

    #[test]
    fn the_same_key_twice_counts_twice_though_every_end_was_lost() {
        let sent = [&packets('5', 0)[..2], &packets('5', 1_600)[..2]].concat();
        assert_eq!(heard(&sent), "55");
    }

    #[test]
    fn late_and_repeated_reports_count_for_nothing() {
        let (one, two) = (packets('1', u32::MAX - 100), packets('2', 1_600));
        assert_eq!(heard(&[&one[..], &one, &two, &one, &two[1..]].concat()), "12");
    }

    #[test]
    fn a_key_held_for_longer_than_an_event_counts_once() {
        let long = |n: u32, marker| {
            let report = Report { digit: digit('9'), end: false, duration: u16::MAX };
            (Header { marker, ..header(n * 65_535) }, report.to_bytes())
        };
        assert_eq!(heard(&[long(0, true), long(1, false), long(2, false)]), "9");
        assert_eq!(heard(&[long(0, true), long(1, true)]), "99", "a marker begins a press");
    }

    #[test]
    fn a_sender_that_starts_anew_is_followed() {
        let other = (Header { ssrc: 8, ..header(0) }, packets('1', 0)[0].1);
        assert_eq!(heard(&[packets('1', 0)[0], other]), "11");
        assert_eq!(heard(&[packets('1', 900_000)[0], packets('2', 5)[0]]), "12");
    }

    #[test]
    fn what_is_no_report_of_a_key_is_refused_and_forgotten() {
        let mut decoder = Decoder::default();
        for (payload, fault) in [
            (&[][..], BadReport::Short(0)),
            (&[1, 10, 0], BadReport::Short(3)),
            (&[16, 10, 0, 160], BadReport::NoKey(16)),
            (&[255, 255, 255, 255], BadReport::NoKey(255)),
            (&[1, 10, 0, 0], BadReport::NoDuration),
        ] {
            assert_eq!(decoder.decode(&header(0), payload), Err(fault));
        }
        // What a report is longer by, and its reserved bit, mean nothing.
        assert_eq!(decoder.decode(&header(0), &[1, 0x4a, 0, 160, 9, 9]), Ok(Some(digit('1'))));
    }

    type Sent = Vec<(Header, Vec<u8>)>;

    /// Every packet of these presses, spoilt in so many of the ways of a network (0 to 2) or a forger (the rest).
    fn spoilt(keys: &str, spoils: &[(u8, usize, u8)]) -> Sent {
        let presses = (0u32..).zip(keys.chars()).flat_map(|(n, key)| packets(key, n * 1_600));
        let mut sent: Sent = presses.map(|(header, payload)| (header, payload.to_vec())).collect();
        for &(how, at, with) in spoils {
            let len = sent.len().max(1);
            let at = at % len;
            match how % 6 {
                _ if sent.is_empty() => {}
                0 => drop(sent.remove(at)),
                1 => sent.insert(at, sent[at].clone()),
                2 => sent.swap(at, usize::from(with) % len),
                3 => sent[at].1.truncate(usize::from(with) % 5),
                4 => sent[at].1.iter_mut().skip(usize::from(with % 4)).take(1).for_each(|byte| *byte ^= with),
                _ => sent[at].0.timestamp ^= 1 << (with % 32),
            }
        }
        sent
    }

    fn spoils(ways: u8) -> impl Strategy<Value = Vec<(u8, usize, u8)>> {
        prop::collection::vec((0..ways, any::<usize>(), any::<u8>()), 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn loss_duplication_and_disorder_never_add_a_press(keys in "[0-9*#A-D]{1,8}", spoils in spoils(3)) {
            let mut decoder = Decoder::default();
            let mut rest = keys.chars();
            for (header, payload) in spoilt(&keys, &spoils) {
                if let Some(heard) = decoder.decode(&header, &payload).unwrap() {
                    // Presses may be lost, but those that are heard are in order.
                    prop_assert!(rest.any(|sent| sent == heard.key()), "{} of {}", heard.key(), keys);
                }
            }
        }

        #[test]
        fn mutated_reports_never_panic_and_none_counts_twice(keys in "[0-9*#A-D]{1,8}", spoils in spoils(6)) {
            let mut decoder = Decoder::default();
            for (header, payload) in spoilt(&keys, &spoils) {
                let first = decoder.decode(&header, &payload);
                prop_assert_eq!(first.is_err(), Report::read(&payload).is_err());
                if first.is_ok() {
                    prop_assert_eq!(decoder.decode(&header, &payload), Ok(None));
                }
            }
        }
    }
}
