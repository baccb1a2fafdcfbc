//! The words for audio that signalling and packets share: encodings, directions and keys.

use serde::{Deserialize, Serialize};

/// An audio encoding with its fixed clock of 8,000 Hz (RFC 3551).
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.711 mu-law, static payload type 0.
    Pcmu,
}

impl Codec {
    /// Its static RTP payload type (RFC 3551, 6).
    pub fn static_payload_type(self) -> u8 {
        match self {
            Codec::Pcma => 8,
            Codec::Pcmu => 0,
        }
    }

    /// Its encoding name in an rtpmap attribute.
    pub fn encoding_name(self) -> &'static str {
        match self {
            Codec::Pcma => "PCMA",
            Codec::Pcmu => "PCMU",
        }
    }
}

/// Which way media flows, seen from whoever states it (RFC 3264, 5.1).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// The speaker sends only.
    SendOnly,
    /// The speaker receives only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The direction that sends or not, receives or not.
    pub fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// Whether the speaker may send.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the speaker expects packets.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same, seen from the other end.
    pub fn reversed(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// What is left of it when the other party's statement, seen from here, is `other`.
    pub fn within(self, other: Direction) -> Direction {
        Direction::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// As an SDP attribute (RFC 8866, 6.7).
    pub fn attribute(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

/// A key of a telephone: `0` to `9`, `*`, `#`, or `A` to `D`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Digit(u8);

/// A character that is on no key.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no key of a telephone")]
pub struct NoKey(pub char);

/// By event code (RFC 4733, 3.2).
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

impl Digit {
    /// The key 1.
    pub const ONE: Digit = Digit(1);

    /// The key of an event code, 0 to 15 (RFC 4733, 3.2).
    pub fn of_code(code: u8) -> Option<Digit> {
        (usize::from(code) < KEYS.len()).then_some(Digit(code))
    }

    /// Its event code, 0 to 15.
    pub fn code(self) -> u8 {
        self.0
    }

    /// What is printed on it.
    pub fn key(self) -> char {
        KEYS[usize::from(self.0)]
    }
}

impl TryFrom<char> for Digit {
    type Error = NoKey;

    fn try_from(key: char) -> Result<Digit, NoKey> {
        let code = KEYS.iter().position(|&known| known == key.to_ascii_uppercase());
        code.map(|code| Digit(code as u8)).ok_or(NoKey(key))
    }
}

impl From<Digit> for char {
    fn from(digit: Digit) -> char {
        digit.key()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_key_and_its_code_name_each_other() {
        for code in 0..16 {
            let digit = Digit::of_code(code).unwrap();
            assert_eq!((digit.code(), Digit::try_from(digit.key())), (code, Ok(digit)));
        }
        assert_eq!((Digit::of_code(10).unwrap().key(), Digit::try_from('d').unwrap().code()), ('*', 15));
        assert_eq!((Digit::of_code(16), Digit::try_from('x')), (None, Err(NoKey('x'))));
    }

    #[test]
    fn a_written_key_reads_back_and_no_other_does() {
        let hash = Digit::try_from('#').unwrap();
        assert_eq!(serde_json::to_string(&hash).unwrap(), "\"#\"");
        assert_eq!(serde_json::from_str::<Digit>("\"#\"").unwrap(), hash);
        assert!(serde_json::from_str::<Digit>("\"!\"").is_err());
    }
}
