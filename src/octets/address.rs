//! An address of stored state as one value, where serde writes nine: its octets, then its port.
//!
//! For `#[serde(with = "crate::octets::address")]`. What was written as nine is read, too.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize as _, Serializer};

/// Octets of an address with its port.
const V4: usize = 6;
const V6: usize = 18;

/// Writes an address.
pub fn serialize<S: Serializer>(address: &SocketAddr, to: S) -> Result<S::Ok, S::Error> {
    if to.is_human_readable() {
        return address.serialize(to);
    }
    let mut bytes = [0; V6];
    let length = match address.ip() {
        IpAddr::V4(ip) => {
            bytes[..V4 - 2].copy_from_slice(&ip.octets());
            V4
        }
        IpAddr::V6(ip) => {
            bytes[..V6 - 2].copy_from_slice(&ip.octets());
            V6
        }
    };
    bytes[length - 2..length].copy_from_slice(&address.port().to_be_bytes());
    to.serialize_bytes(&bytes[..length])
}

/// Reads an address.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    if from.is_human_readable() {
        return SocketAddr::deserialize(from);
    }
    from.deserialize_bytes(Address)
}

struct Address;

#[derive(Deserialize)]
enum Version {
    V4,
    V6,
}

impl<'de> Visitor<'de> for Address {
    type Value = SocketAddr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{V4} or {V6} octets of an address")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<SocketAddr, E> {
        let (ip, port) = bytes.split_last_chunk().ok_or_else(|| E::invalid_length(bytes.len(), &self))?;
        let ip = <[u8; V4 - 2]>::try_from(ip)
            .map(|ip| Ipv4Addr::from(ip).into())
            .or_else(|_| <[u8; V6 - 2]>::try_from(ip).map(|ip| Ipv6Addr::from(ip).into()));
        let ip = ip.map_err(|_| E::invalid_length(bytes.len(), &self))?;
        Ok(SocketAddr::new(ip, u16::from_be_bytes(*port)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SocketAddr, A::Error> {
        match map.next_key()? {
            Some(Version::V4) => map.next_value::<SocketAddrV4>().map(SocketAddr::V4),
            Some(Version::V6) => map.next_value::<SocketAddrV6>().map(SocketAddr::V6),
            None => Err(A::Error::invalid_length(0, &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Now(#[serde(with = "super")] SocketAddr);

    #[derive(Serialize)]
    struct Before(SocketAddr);

    #[test]
    fn an_address_is_read_as_it_is_written_and_as_it_was_before() {
        for text in ["192.0.2.7:5060", "[2001:db8::7]:65535", "0.0.0.0:0"] {
            let address: SocketAddr = text.parse().unwrap();
            let stored = postcard::to_stdvec(&Now(address)).unwrap();
            assert_eq!(postcard::from_bytes::<Now>(&stored).unwrap(), Now(address));
            let json = serde_json::to_string(&Now(address)).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Now>(&json).unwrap(), Now(address));
            let now = rmp_serde::to_vec_named(&Now(address)).unwrap();
            let before = rmp_serde::to_vec_named(&Before(address)).unwrap();
            assert!(now != before);
            for stored in [now, before] {
                assert_eq!(rmp_serde::from_slice::<Now>(&stored).unwrap(), Now(address));
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        #[derive(Serialize)]
        struct Bytes(#[serde(with = "crate::octets")] Vec<u8>);
        for length in [0, 1, 5, 7, 17, 19] {
            let stored = rmp_serde::to_vec(&Bytes(vec![1; length])).unwrap();
            let error = rmp_serde::from_slice::<Now>(&stored).unwrap_err().to_string();
            assert!(error.contains("6 or 18 octets"), "{length}: {error}");
        }
    }
}
