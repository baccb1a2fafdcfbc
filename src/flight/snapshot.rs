//! Snapshots: the whole state as it was before one record of a segment, in a file of its own.

use serde::{Deserialize, Serialize};

use super::format::{self, FORMAT, Head, Kind, MAGIC};
use super::{Error, named};
use crate::call::record::{CallRecord, PromiseRecord};
use crate::switch::Switch;
use crate::time::Now;

/// What is to be kept.
#[derive(Serialize)]
pub struct Kept<'a> {
    /// The switch, with nothing left to put out.
    pub switch: &'a Switch,
    /// Records of calls that the ledger has not yet settled.
    pub unsettled: Vec<&'a CallRecord>,
    /// Promises that are over, of which the ledger may not know it.
    pub promises: Vec<&'a PromiseRecord>,
}

impl<'a> Kept<'a> {
    /// A switch all of whose records the ledger has.
    pub fn of(switch: &'a Switch) -> Kept<'a> {
        Kept { switch, unsettled: Vec::new(), promises: Vec::new() }
    }
}

/// What was kept.
#[derive(Clone, Debug, Deserialize)]
pub struct State {
    /// The switch, with nothing left to put out.
    pub switch: Switch,
    /// Records of calls that the ledger had not yet settled.
    pub unsettled: Vec<CallRecord>,
    /// Promises that were over, of which the ledger may not have known it.
    #[serde(default)]
    pub promises: Vec<PromiseRecord>,
}

/// A snapshot as the bytes of its file, in an empty buffer.
pub(super) fn write(head: &Head, kept: &Kept<'_>, now: Now, mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend_from_slice(&MAGIC);
    format::append(&mut bytes, Kind::Head, now, |buffer| named::append(buffer, head));
    format::append(&mut bytes, Kind::State, now, |buffer| named::append(buffer, kept));
    bytes
}

/// Reads a snapshot of this version or an older one; and when it was taken.
pub(super) fn read(bytes: &[u8]) -> Result<(Head, State, Now), Error> {
    let (head, rest) = head(bytes)?;
    let (record, _) = format::read(rest).ok().flatten().ok_or(Error::Torn)?;
    if record.kind != Kind::State {
        return Err(Error::Meaningless);
    }
    Ok((head, named::read(record.payload)?, record.at))
}

/// The head of a file, and what comes after it.
pub(super) fn head(bytes: &[u8]) -> Result<(Head, &[u8]), Error> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(Error::Foreign)?;
    let (record, length) = format::read(rest).ok().flatten().ok_or(Error::Torn)?;
    if record.kind != Kind::Head {
        return Err(Error::Meaningless);
    }
    let head: Head = named::read(record.payload)?;
    if head.format > FORMAT {
        return Err(Error::Newer { found: head.format });
    }
    Ok((head, &rest[length..]))
}
