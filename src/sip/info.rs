//! Keys in the bodies of INFO requests, as many PBXs send them: `application/dtmf-relay` and `application/dtmf`.
//!
//! No RFC describes them. The first is lines of `Signal=5` and `Duration=160`, the second
//! the key alone. Where a leg has agreed to telephone events, keys come as those and not here.

use crate::audio::Digit;

/// The types of body that are read, as written into Accept.
pub const TYPES: &str = "application/dtmf-relay, application/dtmf";
/// Longest body that is read, in bytes.
const MOST_BYTES: usize = 256;

/// Why a body tells no key press.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadInfo {
    /// Its type is neither of the two: 415.
    #[error("not a body that tells a key")]
    Type,
    /// It is not text of at most 256 bytes: 400.
    #[error("the body cannot be read")]
    Syntax,
    /// It names no key: 400.
    #[error("the body names no key")]
    NoKey,
}

/// Reads the body of an INFO by its Content-Type.
pub fn press(content_type: &str, body: &[u8]) -> Result<Digit, BadInfo> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let relay = kind.eq_ignore_ascii_case("application/dtmf-relay");
    if !relay && !kind.eq_ignore_ascii_case("application/dtmf") {
        return Err(BadInfo::Type);
    }
    if body.len() > MOST_BYTES || !body.is_ascii() {
        return Err(BadInfo::Syntax);
    }
    let text = std::str::from_utf8(body).map_err(|_| BadInfo::Syntax)?;
    let mut fields = text.lines().filter_map(|line| line.split_once('='));
    let signal = match fields.find(|(key, _)| key.trim().eq_ignore_ascii_case("signal")) {
        Some((_, value)) => value.trim(),
        None if relay => return Err(BadInfo::NoKey),
        None => text.trim(),
    };
    digit(signal).ok_or(BadInfo::NoKey)
}

/// A key as it is printed, or the code of one that is not a number: some send 10 for the star.
fn digit(signal: &str) -> Option<Digit> {
    let mut characters = signal.chars();
    match (characters.next(), characters.next()) {
        (Some(key), None) => key.try_into().ok(),
        _ => signal.parse().ok().filter(|code| *code >= 10).and_then(Digit::of_code),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const RELAY: &str = "application/dtmf-relay";

    fn pressed(kind: &str, body: &str) -> Result<char, BadInfo> {
        press(kind, body.as_bytes()).map(Digit::key)
    }

    #[test]
    fn keys_are_read_however_they_are_written() {
        for (body, told) in [
            ("Signal=5\r\nDuration=160\r\n", '5'),
            ("Signal= 5\r\nDuration= 250", '5'),
            ("signal = *\nDURATION = 90\n", '*'),
            ("Duration=100\r\nSignal=#\r\n\r\n", '#'),
            ("Signal=d", 'D'),
            ("Signal=10\r\nDuration=x", '*'),
            ("Signal=11\r\nDuration=-1", '#'),
            ("Signal=0\r\nDuration=18446744073709551615", '0'),
            ("Signal=1\r\nSignal=2", '1'),
        ] {
            assert_eq!(pressed(RELAY, body), Ok(told), "{body:?}");
        }
        assert_eq!(pressed("Application/DTMF-Relay ; charset=x", "Signal=1"), Ok('1'));
        assert_eq!(pressed("application/dtmf", " 7\r\n"), Ok('7'));
        assert_eq!(pressed("application/dtmf", "Signal=7"), Ok('7'));
    }

    #[test]
    fn what_tells_no_key_is_refused() {
        for (kind, body, fault) in [
            ("application/sdp", "Signal=1", BadInfo::Type),
            ("", "Signal=1", BadInfo::Type),
            (RELAY, "", BadInfo::NoKey),
            (RELAY, "5", BadInfo::NoKey),
            (RELAY, "Signal=", BadInfo::NoKey),
            (RELAY, "Signal=16", BadInfo::NoKey),
            (RELAY, "Signal=05", BadInfo::NoKey),
            (RELAY, "Signal=55", BadInfo::NoKey),
            (RELAY, "Signal=flash", BadInfo::NoKey),
            (RELAY, "Signal=5é", BadInfo::Syntax),
            ("application/dtmf", "", BadInfo::NoKey),
        ] {
            assert_eq!(pressed(kind, body), Err(fault), "{kind}: {body:?}");
        }
        assert_eq!(pressed(RELAY, &format!("Signal=5{}", " ".repeat(300))), Err(BadInfo::Syntax));
    }

    proptest! {
        #[test]
        fn no_body_panics(
            start in "(Signal|signal=|=|Duration=)?", rest in prop::collection::vec(any::<u8>(), 0..300)
        ) {
            for kind in [RELAY, "application/dtmf"] {
                let _ = press(kind, &[start.as_bytes(), &rest].concat());
            }
        }
    }
}
