//! Values by the names of their fields (MessagePack), so that a later version with more fields can read them:
//! new fields have a default, and no field changes its name or meaning.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;

/// Appends a value.
pub(super) fn append(buffer: &mut Vec<u8>, value: &impl Serialize) {
    let mut serializer = rmp_serde::Serializer::new(buffer).with_struct_map();
    value.serialize(&mut serializer).expect("plain data, into memory");
}

/// Reads a value.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    rmp_serde::from_slice(bytes).map_err(|error| Error::Unlike(error.to_string()))
}
