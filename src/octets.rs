//! Bytes as text, and bytes of stored state as one value: on its own serde writes each byte of an array as a number.
//!
//! The latter is for `#[serde(with = "crate::octets")]`. What was written as numbers is read, too.

pub mod address;

use std::fmt::{self, Write as _};

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::ser::Serializer;

/// Most numbers that room is made for before they are there.
const FORESEEN: usize = 1_024;

/// Writes bytes.
pub fn serialize<S: Serializer>(bytes: &impl AsRef<[u8]>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes.as_ref())
}

/// Reads bytes, as many as fit.
pub fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<u8>>>(from: D) -> Result<T, D::Error> {
    let bytes = from.deserialize_byte_buf(Octets)?;
    let length = bytes.len();
    T::try_from(bytes).map_err(|_| D::Error::invalid_length(length, &Octets))
}

/// Two hexadecimal digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

struct Octets;

impl<'de> Visitor<'de> for Octets {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::with_capacity(numbers.size_hint().unwrap_or(0).min(FORESEEN));
        while let Some(byte) = numbers.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Now(#[serde(with = "super")] [u8; 3]);

    #[derive(Serialize)]
    struct Before([u8; 3]);

    #[test]
    fn bytes_are_read_as_they_are_written_and_as_they_were_before() {
        let now = rmp_serde::to_vec(&Now([1, 2, 255])).unwrap();
        assert_eq!(rmp_serde::from_slice::<Now>(&now).unwrap(), Now([1, 2, 255]));
        let before = rmp_serde::to_vec(&Before([1, 2, 255])).unwrap();
        assert!(before != now);
        assert_eq!(rmp_serde::from_slice::<Now>(&before).unwrap(), Now([1, 2, 255]));
        let stored = postcard::to_stdvec(&Now([1, 2, 255])).unwrap();
        assert_eq!(postcard::from_bytes::<Now>(&stored).unwrap(), Now([1, 2, 255]));
    }

    #[test]
    fn each_byte_is_two_digits() {
        assert_eq!(super::hex(&[0, 1, 0xab, 255]), "0001abff");
    }

    #[test]
    fn too_few_or_too_many_are_refused() {
        let many = rmp_serde::to_vec(&[1_u8, 2, 3, 4]).unwrap();
        let error = rmp_serde::from_slice::<Now>(&many).unwrap_err();
        assert!(error.to_string().contains("invalid length 4"), "{error}");
    }
}
