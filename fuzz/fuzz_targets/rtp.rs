//! Datagrams of one media stream: RTP is told from RTCP, keys are decoded, and what goes out goes on in order.
//!
//! The input is packets, each after its length in one byte.

#![no_main]

use hearken::rtp::dtmf::{Decoder, Report};
use hearken::rtp::{Datagram, Outgoing};
use hearken::time::Mono;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut decoder = Decoder::default();
    let mut outgoing = Outgoing::new(7, 1, 1, Mono(0));
    let mut rest = data;
    let mut now = Mono(0);
    while let Some((&length, tail)) = rest.split_first() {
        let (packet, next) = tail.split_at(usize::from(length).min(tail.len()));
        rest = next;
        now = Mono(now.0 + 20_000);
        let Ok(Datagram::Rtp(packet)) = Datagram::read(packet) else { continue };
        let written = packet.header.to_bytes();
        let Ok(Datagram::Rtp(again)) = Datagram::read(&written) else {
            // Written plainly, the payload types of RTCP are RTCP (RFC 5761, 4).
            assert!((64..=95).contains(&packet.header.payload_type), "{:?}", packet.header);
            continue;
        };
        assert_eq!(again.header, packet.header);
        let _ = outgoing.relayed(&packet.header, now);
        if let Ok(report) = Report::read(packet.payload) {
            assert_eq!(Report::read(&report.to_bytes()), Ok(report));
        }
        let _ = decoder.decode(&packet.header, packet.payload);
    }
});
