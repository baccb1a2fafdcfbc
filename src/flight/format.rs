//! How records lie in a file: length, kind, both clocks, payload, CRC-32; all numbers little-endian.
//!
//! Segments and snapshots are both a magic word and then records, the first of which is a [`Head`].

use serde::{Deserialize, Serialize};

use crate::time::{Mono, Now, Wall};

/// The first bytes of every file.
pub(super) const MAGIC: [u8; 8] = *b"HKFLIGHT";

/// The version of the format that is written. Older ones can be read.
pub const FORMAT: u16 = 1;

/// Longest payload; a plan with ten thousand agents, or the state with ten thousand calls, has a tenth of it.
const LONGEST: usize = 256 << 20;

/// Length, kind, monotonic and wall clock.
const BEFORE: usize = 4 + 1 + 8 + 8;
/// The checksum.
const AFTER: usize = 4;

/// What a record holds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// What wrote the file, and on which clock.
    Head = 1,
    /// An input: a datagram.
    Datagram = 2,
    /// An input: bytes of a stream.
    Chunk = 3,
    /// An input: the end of a stream.
    Closed = 4,
    /// An input: a wake.
    Wake = 5,
    /// Any other input, by its names.
    Other = 6,
    /// Checksums of what came out after the inputs before it.
    Outputs = 7,
    /// The daemon ended with every call over: nothing is left to resume.
    End = 8,
    /// The whole state.
    State = 9,
}

impl Kind {
    fn of(byte: u8) -> Option<Kind> {
        use Kind::*;
        [Head, Datagram, Chunk, Closed, Wake, Other, Outputs, End, State]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// The first record of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u16,
    /// Its version.
    pub version: String,
    /// The life of the switch that it belongs to.
    pub run: Run,
    /// Whether every input since the segment before is here.
    pub continues: bool,
}

/// The life of a switch, which may be longer than that of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// What the ledger calls it.
    pub ledger: i64,
    /// What the kernel calls the time since it was booted.
    pub boot: String,
    /// What the kernel's monotonic clock showed at the switch's zero, in microseconds.
    pub zero: i64,
}

/// A record as it lies in memory.
#[derive(Copy, Clone, Debug)]
pub(super) struct Record<'a> {
    pub(super) kind: Kind,
    pub(super) at: Now,
    pub(super) payload: &'a [u8],
}

/// Why no record can be read at a place.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It ends before the record does, or its checksum is wrong: a torn write.
    Torn,
    /// It is whole, but of a kind that this version does not know.
    Unknown,
}

/// Appends a record whose payload `fill` writes.
pub(super) fn append(buffer: &mut Vec<u8>, kind: Kind, at: Now, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    buffer.push(kind as u8);
    buffer.extend_from_slice(&at.mono.0.to_le_bytes());
    buffer.extend_from_slice(&at.wall.0.to_le_bytes());
    fill(buffer);
    let length = buffer.len() - start - BEFORE;
    let length = u32::try_from(length).expect("no payload is near four gigabytes");
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    let crc = crc32fast::hash(&buffer[start..]);
    buffer.extend_from_slice(&crc.to_le_bytes());
}

/// The record at the beginning of `bytes` and the length of it all; `None` at the end of the file.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Record<'_>, usize)>, Unreadable> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let length = number::<4>(bytes, 0).map(u32::from_le_bytes).ok_or(Unreadable::Torn)? as usize;
    let whole = BEFORE + length + AFTER;
    if length > LONGEST || bytes.len() < whole {
        return Err(Unreadable::Torn);
    }
    let crc = number::<4>(bytes, whole - AFTER).map(u32::from_le_bytes).ok_or(Unreadable::Torn)?;
    if crc != crc32fast::hash(&bytes[..whole - AFTER]) {
        return Err(Unreadable::Torn);
    }
    let kind = Kind::of(bytes[4]).ok_or(Unreadable::Unknown)?;
    let (Some(mono), Some(wall)) = (number(bytes, 5), number(bytes, 13)) else {
        return Err(Unreadable::Torn);
    };
    let at = Now { mono: Mono(u64::from_le_bytes(mono)), wall: Wall(i64::from_le_bytes(wall)) };
    Ok(Some((Record { kind, at, payload: &bytes[BEFORE..whole - AFTER] }, whole)))
}

/// The bytes of a number at a place.
pub(super) fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const AT: Now = Now { mono: Mono(7), wall: Wall(-1) };

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut bytes = Vec::new();
        append(&mut bytes, Kind::Chunk, AT, |buffer| buffer.extend_from_slice(b"some bytes"));
        append(&mut bytes, Kind::Wake, AT, |_| {});
        let (first, length) = read(&bytes).unwrap().unwrap();
        assert_eq!((first.kind, first.at, first.payload), (Kind::Chunk, AT, &b"some bytes"[..]));
        let (second, rest) = read(&bytes[length..]).unwrap().unwrap();
        assert_eq!((second.kind, second.payload), (Kind::Wake, &b""[..]));
        assert!(read(&bytes[length + rest..]).unwrap().is_none());
    }

    #[test]
    fn every_torn_and_every_spoilt_record_is_seen() {
        let mut bytes = Vec::new();
        append(&mut bytes, Kind::Datagram, AT, |buffer| buffer.extend_from_slice(b"INVITE"));
        for length in 1..bytes.len() {
            assert_eq!(read(&bytes[..length]).unwrap_err(), Unreadable::Torn, "{length}");
        }
        for at in 0..bytes.len() {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= 0x10;
            assert!(read(&spoilt).is_err(), "byte {at}");
        }
    }
}
