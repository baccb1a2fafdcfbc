//! One RTP packet: told apart from RTCP, read, and its header written (RFC 3550, 5.1; RFC 5761, 4).
//!
//! Reading borrows the datagram and writing fills the caller's buffer: nothing allocates.

use rtp_rs::RtpReader;

/// Bytes of an RTP header without contributing sources or extension.
pub const HEADER_LEN: usize = 12;

/// What arrived on a port that carries RTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// A media packet.
    Rtp(Packet<'a>),
    /// A control packet, told by its packet type of 192 to 223 (RFC 5761, 4).
    Rtcp,
}

/// A media packet; contributing sources, extension and padding are passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Everything but the payload.
    pub header: Header,
    /// The encoded audio or telephone event; may be empty.
    pub payload: &'a [u8],
}

/// The fixed header's fields.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The start of a talkspurt or of a telephone event.
    pub marker: bool,
    /// What the payload is, 0 to 127.
    pub payload_type: u8,
    /// Counts packets, modulo 2^16.
    pub sequence: u16,
    /// The first sample's instant in samples, modulo 2^32.
    pub timestamp: u32,
    /// The synchronisation source.
    pub ssrc: u32,
}

/// Why a datagram is neither RTP nor RTCP of version 2.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RTP packet: {len} bytes, first byte {first:?}")]
pub struct Malformed {
    /// Length of the datagram.
    pub len: usize,
    /// Its first byte, if any.
    pub first: Option<u8>,
}

impl Datagram<'_> {
    /// Reads one datagram; anything of a wrong version or a truncated header is [`Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Datagram<'_>, Malformed> {
        let malformed = || Malformed { len: bytes.len(), first: bytes.first().copied() };
        // A sender report reads as RTP with the marker and type 72, so this must come first.
        if let [first, 192..=223, ..] = bytes
            && first >> 6 == 2
        {
            return Ok(Datagram::Rtcp);
        }
        let reader = RtpReader::new(bytes).map_err(|_| malformed())?;
        let header = Header {
            marker: reader.mark(),
            payload_type: reader.payload_type(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
        };
        Ok(Datagram::Rtp(Packet { header, payload: reader.payload() }))
    }
}

impl Header {
    /// The header on the wire: version 2, no padding, extension or contributing sources.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = 2 << 6;
        bytes[1] = u8::from(self.marker) << 7 | (self.payload_type & 0x7f);
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const HEADER: Header =
        Header { marker: true, payload_type: 101, sequence: 65_535, timestamp: 0xdead_beef, ssrc: 7 };

    #[test]
    fn a_written_header_reads_back() {
        let mut bytes = HEADER.to_bytes().to_vec();
        bytes.extend_from_slice(b"audio");
        assert_eq!(Datagram::read(&bytes), Ok(Datagram::Rtp(Packet { header: HEADER, payload: b"audio" })));
    }

    #[test]
    fn rtcp_is_never_read_as_media() {
        for packet_type in 192..=223 {
            let mut report = [0u8; 28];
            report[0] = 0x80;
            report[1] = packet_type;
            assert_eq!(Datagram::read(&report), Ok(Datagram::Rtcp), "packet type {packet_type}");
        }
    }

    #[test]
    fn sources_extension_and_padding_are_passed_over() {
        let mut bytes = HEADER.to_bytes().to_vec();
        bytes[0] |= 0x20 | 0x10 | 2;
        bytes.extend_from_slice(&[1; 8]);
        bytes.extend_from_slice(&[0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        bytes.extend_from_slice(b"audio\x00\x00\x03");
        assert_eq!(Datagram::read(&bytes), Ok(Datagram::Rtp(Packet { header: HEADER, payload: b"audio" })));
    }

    #[test]
    fn what_is_not_version_2_or_is_cut_short_is_malformed() {
        let cut = &HEADER.to_bytes()[..11];
        let stun = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let padding_of_none = [0xa0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for bytes in [&[][..], b"\r\n\r\n", cut, &stun, &padding_of_none] {
            assert!(Datagram::read(bytes).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_datagram_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..300), rtp in any::<bool>()) {
            if let (true, Some(first)) = (rtp, bytes.first_mut()) {
                *first = 0x80 | *first & 0x3f;
            }
            let _ = Datagram::read(&bytes);
        }
    }
}
