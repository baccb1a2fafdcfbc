//! The file as written: every key with its type, its bounds and its default, and its place kept.
//!
//! Nothing here looks from one table into another; names are still names.

use std::time::Duration;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::deployment::{LogFormat, StoredCli};
use super::sink::{Sink, Span};
use super::syntax;
use super::table::{List, Schema, Table, chosen};
use crate::call::media::Codec;

/// The whole file.
pub(super) struct Written {
    pub(super) node: Node,
    pub(super) sip: Sip,
    pub(super) media: Media,
    pub(super) distributor: Distributor,
    pub(super) ledger: Ledger,
    pub(super) drain_limit: Duration,
    pub(super) log_level: tracing::Level,
    pub(super) log_format: LogFormat,
    pub(super) clips: Named<Clip>,
    pub(super) practices: Named<Practice>,
    pub(super) trunks: Named<Trunk>,
    pub(super) lines: Named<Line>,
    pub(super) teams: Named<Team>,
    pub(super) agents: Named<Agent>,
}

/// The tables `[kind.NAME]` in the order of the file; positions are the ids.
pub(super) type Named<T> = Vec<(Spanned<String>, T)>;

/// `[node]`
pub(super) struct Node {
    pub(super) name: Option<Spanned<String>>,
    pub(super) zone: Option<Spanned<String>>,
    pub(super) country_code: Option<Spanned<String>>,
}

/// `[sip]`
pub(super) struct Sip {
    pub(super) listen: Option<List<String>>,
    pub(super) advertise: Option<Spanned<String>>,
    pub(super) t1: Duration,
    pub(super) t2: Duration,
    pub(super) t4: Duration,
    /// Where T2 is written, or else T1.
    pub(super) timers: Option<Span>,
    pub(super) unreachable_after: Duration,
    pub(super) probe_every: Duration,
    pub(super) max_calls: u32,
}

/// `[media]`
pub(super) struct Media {
    /// `None` when there is no such table.
    pub(super) header: Option<Span>,
    pub(super) bind: Option<Spanned<String>>,
    pub(super) advertise: Option<Spanned<String>>,
    pub(super) threads: u16,
    pub(super) first_port: Option<Spanned<u16>>,
    pub(super) shared_ports: u16,
    pub(super) spill_ports: u16,
    pub(super) dead_after: Option<Spanned<Duration>>,
    pub(super) codecs: Vec<Codec>,
}

/// `[distributor]`
pub(super) struct Distributor {
    pub(super) misses_before_pause: u32,
    pub(super) rest_after_miss: Duration,
    pub(super) miss_pause: Duration,
}

/// `[ledger]`
pub(super) struct Ledger {
    pub(super) path: Option<Spanned<String>>,
    pub(super) cli: StoredCli,
    pub(super) cli_key: Option<Spanned<String>>,
    pub(super) spool: u32,
    pub(super) side_file: Option<Spanned<String>>,
}

/// `[clip.NAME]`
pub(super) struct Clip {
    pub(super) file: Option<Spanned<String>>,
}

/// `[practice.NAME]`
pub(super) struct Practice {
    pub(super) ods: Option<Spanned<String>>,
    pub(super) name: Option<Spanned<String>>,
}

/// `[trunk.NAME]`
pub(super) struct Trunk {
    pub(super) header: Span,
    pub(super) from: Option<List<String>>,
    pub(super) emergency: bool,
    pub(super) practice: Option<Spanned<String>>,
    pub(super) line: Option<Spanned<String>>,
    pub(super) ddis: Option<List<String>>,
}

/// `[line.NAME]`
pub(super) struct Line {
    pub(super) header: Span,
    pub(super) greeting: Option<Spanned<String>>,
    pub(super) music: Option<Spanned<String>>,
    pub(super) teams: Option<List<String>>,
    pub(super) ring_for: Duration,
    pub(super) wrap_up: Duration,
}

/// `[team.NAME]`
pub(super) struct Team {
    pub(super) header: Span,
    pub(super) agents: Option<List<String>>,
}

/// `[agent.NAME]`
pub(super) struct Agent {
    pub(super) address: Option<Spanned<String>>,
    pub(super) logged_in: bool,
    pub(super) nat: bool,
}

/// Reads the file; whatever cannot be read is reported and has its default.
pub(super) fn read(text: &str, sink: &mut Sink) -> Written {
    let readable = syntax::readable(text, sink);
    let (document, faults) = DeTable::parse_recoverable(&readable);
    syntax::report(&faults, text, sink);
    Reader { root: document.get_ref(), known: Vec::new(), schema: Schema::default(), sink }.read()
}

/// Goes through the tables of a document.
struct Reader<'t, 'i, 's> {
    root: &'t DeTable<'i>,
    known: Vec<&'static str>,
    schema: Schema,
    sink: &'s mut Sink,
}

impl<'t, 'i> Reader<'t, 'i, '_> {
    fn read(mut self) -> Written {
        let (log_level, log_format) = self.one("log", "[log]", log);
        let written = Written {
            node: self.one("node", "[node]", node),
            sip: self.one("sip", "[sip]", sip),
            media: self.one("media", "[media]", media),
            distributor: self.one("distributor", "[distributor]", distributor),
            ledger: self.one("ledger", "[ledger]", ledger),
            drain_limit: self.one("drain", "[drain]", drain),
            log_level,
            log_format,
            clips: self.many("clip", "[clip.NAME]", clip),
            practices: self.many("practice", "[practice.NAME]", practice),
            trunks: self.many("trunk", "[trunk.NAME]", trunk),
            lines: self.many("line", "[line.NAME]", line),
            teams: self.many("team", "[team.NAME]", team),
            agents: self.many("agent", "[agent.NAME]", agent),
        };
        self.schema.close_root(self.root, &self.known);
        self.schema.report_unknown(self.sink);
        written
    }

    fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.root.get(key)
    }

    /// The table `[key]`, read as an empty one when it is absent.
    fn one<T>(
        &mut self,
        key: &'static str,
        kind: &'static str,
        read: impl Fn(&mut Table<'t, 'i>, &mut Sink) -> T,
    ) -> T {
        let mut table = match self.value(key) {
            Some(value) => Table::open(kind, value, self.sink),
            None => Table::absent(kind),
        };
        let read = read(&mut table, self.sink);
        table.close(&mut self.schema);
        read
    }

    /// The tables `[key.NAME]`.
    fn many<T>(
        &mut self,
        key: &'static str,
        kind: &'static str,
        read: impl Fn(&mut Table<'t, 'i>, &mut Sink) -> T,
    ) -> Named<T> {
        let entries = self.value(key);
        let tables = Table::named(entries, kind, self.sink);
        let mut named = Vec::with_capacity(tables.len());
        for (name, mut table) in tables {
            named.push((name, read(&mut table, self.sink)));
            table.close(&mut self.schema);
        }
        named
    }
}

fn node(table: &mut Table<'_, '_>, sink: &mut Sink) -> Node {
    Node {
        name: table.text("name", sink),
        zone: table.text("zone", sink),
        country_code: table.text("country-code", sink),
    }
}

fn sip(table: &mut Table<'_, '_>, sink: &mut Sink) -> Sip {
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
        probe_every: or(table.duration("probe-phones-every", secs(0)..=hours(1), sink), secs(30)),
        max_calls: or(table.number("max-calls", 1..=1_000_000, sink), 5_000),
    }
}

fn media(table: &mut Table<'_, '_>, sink: &mut Sink) -> Media {
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

fn distributor(table: &mut Table<'_, '_>, sink: &mut Sink) -> Distributor {
    Distributor {
        misses_before_pause: or(table.number("misses-before-pause", 0..=1_000, sink), 3),
        rest_after_miss: or(table.duration("rest-after-miss", secs(0)..=secs(300), sink), secs(3)),
        miss_pause: or(table.duration("miss-pause", secs(0)..=hours(24), sink), secs(300)),
    }
}

fn ledger(table: &mut Table<'_, '_>, sink: &mut Sink) -> Ledger {
    let choices = [("hash", StoredCli::Hash), ("plain", StoredCli::Plain), ("none", StoredCli::None)];
    Ledger {
        path: table.text("path", sink),
        cli: table.choice("cli", &choices, sink).unwrap_or(StoredCli::Hash),
        cli_key: table.text("cli-key", sink),
        spool: or(table.number("spool", 0..=1_000_000, sink), 10_000),
        side_file: table.text("side-file", sink),
    }
}

fn drain(table: &mut Table<'_, '_>, sink: &mut Sink) -> Duration {
    or(table.duration("limit", secs(0)..=hours(24), sink), secs(600))
}

fn log(table: &mut Table<'_, '_>, sink: &mut Sink) -> (tracing::Level, LogFormat) {
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

fn clip(table: &mut Table<'_, '_>, sink: &mut Sink) -> Clip {
    Clip { file: table.needed_text("file", sink) }
}

fn practice(table: &mut Table<'_, '_>, sink: &mut Sink) -> Practice {
    Practice { ods: table.text("ods", sink), name: table.text("name", sink) }
}

fn trunk(table: &mut Table<'_, '_>, sink: &mut Sink) -> Trunk {
    Trunk {
        header: table.header().unwrap_or_default(),
        from: table.texts("from", sink),
        emergency: table.flag("emergency", sink).unwrap_or(false),
        practice: table.text("practice", sink),
        line: table.needed_text("line", sink),
        ddis: table.texts("ddis", sink),
    }
}

fn line(table: &mut Table<'_, '_>, sink: &mut Sink) -> Line {
    Line {
        header: table.header().unwrap_or_default(),
        greeting: table.text("greeting", sink),
        music: table.text("music", sink),
        teams: table.texts("teams", sink),
        ring_for: or(table.duration("ring-for", secs(3)..=secs(180), sink), secs(20)),
        wrap_up: or(table.duration("wrap-up", secs(0)..=hours(1), sink), secs(10)),
    }
}

fn team(table: &mut Table<'_, '_>, sink: &mut Sink) -> Team {
    Team { header: table.header().unwrap_or_default(), agents: table.texts("agents", sink) }
}

fn agent(table: &mut Table<'_, '_>, sink: &mut Sink) -> Agent {
    Agent {
        address: table.needed_text("address", sink),
        logged_in: table.flag("logged-in", sink).unwrap_or(true),
        nat: table.flag("nat", sink).unwrap_or(false),
    }
}

fn or<T>(value: Option<Spanned<T>>, default: T) -> T {
    value.map_or(default, Spanned::into_inner)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}
