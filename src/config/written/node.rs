//! The node itself as written: its name and place, SIP, media, the ledger, stopping, the log.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::deployment::{LogFormat, StoredCli};
use super::super::sink::{Sink, Span};
use super::super::table::{List, Table, chosen};
use super::{hours, millis, or, secs};
use crate::calendar::Nation;
use crate::call::media::Codec;

/// `[node]`
pub(in super::super) struct Node {
    pub(in super::super) name: Option<Spanned<String>>,
    pub(in super::super) zone: Option<Spanned<String>>,
    pub(in super::super) country_code: Option<Spanned<String>>,
    pub(in super::super) nation: Option<Spanned<Nation>>,
    pub(in super::super) holidays: Option<Spanned<String>>,
    pub(in super::super) shadow: Option<Spanned<String>>,
}

/// `[sip]`
pub(in super::super) struct Sip {
    pub(in super::super) listen: Option<List<String>>,
    pub(in super::super) advertise: Option<Spanned<String>>,
    pub(in super::super) t1: Duration,
    pub(in super::super) t2: Duration,
    pub(in super::super) t4: Duration,
    /// Where T2 is written, or else T1.
    pub(in super::super) timers: Option<Span>,
    pub(in super::super) unreachable_after: Duration,
    pub(in super::super) probe_every: Duration,
    pub(in super::super) probe_trunks_every: Duration,
    pub(in super::super) max_calls: u32,
}

/// `[media]`
pub(in super::super) struct Media {
    /// `None` when there is no such table.
    pub(in super::super) header: Option<Span>,
    pub(in super::super) bind: Option<Spanned<String>>,
    pub(in super::super) advertise: Option<Spanned<String>>,
    pub(in super::super) threads: u16,
    pub(in super::super) first_port: Option<Spanned<u16>>,
    pub(in super::super) shared_ports: u16,
    pub(in super::super) spill_ports: u16,
    pub(in super::super) dead_after: Option<Spanned<Duration>>,
    pub(in super::super) codecs: Vec<Codec>,
    pub(in super::super) prompts: Option<Spanned<String>>,
}

/// `[ledger]`
pub(in super::super) struct Ledger {
    pub(in super::super) path: Option<Spanned<String>>,
    pub(in super::super) cli: StoredCli,
    pub(in super::super) cli_key: Option<Spanned<String>>,
    pub(in super::super) spool: u32,
    pub(in super::super) side_file: Option<Spanned<String>>,
    pub(in super::super) keep_plans: u32,
    pub(in super::super) keep: Option<Duration>,
}

/// `[flight]`
pub(in super::super) struct Flight {
    pub(in super::super) on: bool,
    pub(in super::super) directory: Option<Spanned<String>>,
    pub(in super::super) keep_for: Duration,
    pub(in super::super) keep_size: u64,
    pub(in super::super) snapshot_every: Duration,
}

pub(super) fn node(table: &mut Table<'_, '_>, sink: &mut Sink) -> Node {
    Node {
        name: table.text("name", sink),
        zone: table.text("zone", sink),
        country_code: table.text("country-code", sink),
        nation: table.civil("nation", sink),
        holidays: table.text("holidays", sink),
        shadow: table.text("shadow", sink),
    }
}

pub(super) fn sip(table: &mut Table<'_, '_>, sink: &mut Sink) -> Sip {
    let t1 = table.duration("t1", millis(100)..=secs(5), sink);
    let t2 = table.duration("t2", millis(100)..=secs(60), sink);
    let timers = t2.as_ref().or(t1.as_ref()).map(Spanned::span);
    Sip {
        listen: table.texts("listen", sink),
        advertise: table.text("advertise", sink),
        t1: or(t1, millis(500)),
        t2: or(t2, secs(4)),
        t4: or(table.duration("t4", millis(100)..=secs(60), sink), secs(5)),
        timers,
        unreachable_after: or(table.duration("unreachable-after", millis(200)..=secs(32), sink), secs(1)),
        probe_trunks_every: or(table.duration("probe-trunks-every", secs(4)..=hours(1), sink), secs(15)),
        probe_every: or(table.duration("probe-phones-every", secs(0)..=hours(1), sink), secs(30)),
        max_calls: or(table.number("max-calls", 1..=1_000_000, sink), 5_000),
    }
}

pub(super) fn media(table: &mut Table<'_, '_>, sink: &mut Sink) -> Media {
    Media {
        header: table.header(),
        bind: table.text("bind", sink),
        advertise: table.text("advertise", sink),
        threads: or(table.number("threads", 1..=64, sink), 1),
        first_port: table.number("first-port", 0..=65_534, sink),
        shared_ports: or(table.number("shared-ports", 1..=1_024, sink), 8),
        spill_ports: or(table.number("spill-ports", 0..=16_384, sink), 256),
        dead_after: table.duration("dead-media-after", secs(0)..=hours(1), sink),
        codecs: codecs(table, sink),
        prompts: table.text("prompts", sink),
    }
}

fn codecs(table: &mut Table<'_, '_>, sink: &mut Sink) -> Vec<Codec> {
    let Some(list) = table.texts("codecs", sink) else { return vec![Codec::Pcma, Codec::Pcmu] };
    if list.is_empty() {
        sink.error(list.span, "`codecs` names no codec, so that no call could have sound");
    }
    let mut codecs: Vec<Codec> = Vec::new();
    for word in &list.items {
        match chosen("codecs", word, &[("pcma", Codec::Pcma), ("pcmu", Codec::Pcmu)], sink) {
            Some(codec) if codecs.contains(&codec) => {
                sink.error(word.span(), format!("`{}` is listed twice", word.get_ref()));
            }
            Some(codec) => codecs.push(codec),
            None => {}
        }
    }
    codecs
}

pub(super) fn ledger(table: &mut Table<'_, '_>, sink: &mut Sink) -> Ledger {
    let choices = [("hash", StoredCli::Hash), ("plain", StoredCli::Plain), ("none", StoredCli::None)];
    Ledger {
        path: table.text("path", sink),
        cli: table.choice("cli", &choices, sink).unwrap_or(StoredCli::Hash),
        cli_key: table.text("cli-key", sink),
        spool: or(table.number("spool", 0..=1_000_000, sink), 10_000),
        side_file: table.text("side-file", sink),
        keep_plans: or(table.number("keep-plans", 1..=100_000, sink), 500),
        keep: keep(table, sink),
    }
}

/// For how long records are kept.
pub(super) fn keep(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<Duration> {
    table.duration("keep", hours(24)..=hours(24 * 36_500), sink).map(Spanned::into_inner)
}

pub(super) fn flight(table: &mut Table<'_, '_>, sink: &mut Sink) -> Flight {
    Flight {
        on: or(table.flag("on", sink), true),
        directory: table.text("directory", sink),
        keep_for: or(table.duration("keep-for", secs(60)..=hours(24 * 31), sink), hours(24)),
        keep_size: u64::from(or(table.number("keep-megabytes", 16..=10_000_000, sink), 1_000u32)) * 1_000_000,
        snapshot_every: or(table.duration("snapshot-every", secs(1)..=hours(1), sink), secs(30)),
    }
}

pub(super) fn drain(table: &mut Table<'_, '_>, sink: &mut Sink) -> Duration {
    or(table.duration("limit", secs(0)..=hours(24), sink), secs(600))
}

pub(super) fn log(table: &mut Table<'_, '_>, sink: &mut Sink) -> (tracing::Level, LogFormat) {
    use tracing::Level;
    let levels = [
        ("error", Level::ERROR),
        ("warn", Level::WARN),
        ("info", Level::INFO),
        ("debug", Level::DEBUG),
        ("trace", Level::TRACE),
    ];
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let level = table.choice("level", &levels, sink).unwrap_or(Level::INFO);
    (level, table.choice("format", &formats, sink).unwrap_or(LogFormat::Text))
}
