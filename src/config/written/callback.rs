//! How patients are called back, as written.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::sink::Sink;
use super::super::table::{List, Table};
use super::{hours, or, secs};

/// `[callback]`
pub(in super::super) struct Callback {
    pub(in super::super) via: Option<Spanned<String>>,
    pub(in super::super) show: Option<Spanned<String>>,
    pub(in super::super) ring_for: Duration,
    pub(in super::super) attempts: Option<Spanned<u32>>,
    pub(in super::super) pause: Option<Spanned<Duration>>,
    pub(in super::super) breach_after: Option<Spanned<Duration>>,
    pub(in super::super) expires_after: Option<Spanned<Duration>>,
    pub(in super::super) hours: Option<Spanned<String>>,
    pub(in super::super) most: u32,
    pub(in super::super) numbers: Option<List<String>>,
}

pub(super) fn callback(table: &mut Table<'_, '_>, sink: &mut Sink) -> Callback {
    Callback {
        via: table.text("via", sink),
        show: table.text("show", sink),
        ring_for: or(table.duration("ring-for", secs(5)..=secs(180), sink), secs(30)),
        attempts: table.number("attempts", 1..=20, sink),
        pause: table.duration("pause", secs(1)..=hours(24), sink),
        breach_after: table.duration("breach-after", secs(1)..=hours(168), sink),
        expires_after: table.duration("expires-after", secs(1)..=hours(168), sink),
        hours: table.text("hours", sink),
        most: or(table.number("most", 1..=100_000, sink), 10_000),
        numbers: table.texts("numbers", sink),
    }
}
