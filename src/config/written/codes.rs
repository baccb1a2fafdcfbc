//! What agents dial to change their own state, as written.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::sink::Sink;
use super::super::table::{Map, Table, value};
use super::{hours, or, secs};

/// `[feature-codes]`
pub(in super::super) struct Codes {
    /// To log in, log out, pause, be ready, extend wrap-up, take a case, say how a call ended, give a
    /// case back; an empty text switches a code off.
    pub(in super::super) dialled: [Option<Spanned<String>>; 8],
    pub(in super::super) reasons: Option<Map<String>>,
    pub(in super::super) extension: Duration,
}

pub(super) fn codes(table: &mut Table<'_, '_>, sink: &mut Sink) -> Codes {
    Codes {
        dialled: ["log-in", "log-out", "pause", "ready", "extend", "take-case", "disposition", "give-back"]
            .map(|key| table.text(key, sink)),
        reasons: table.map("reasons", sink, value::text),
        extension: or(table.duration("extension", secs(1)..=hours(1), sink), secs(60)),
    }
}
