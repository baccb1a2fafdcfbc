//! Who calls and who answers, as written: clips, practices, trunks, lines, teams, agents, destinations.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::sink::{Sink, Span};
use super::super::table::value::{self, Value, kind_of};
use super::super::table::{List, Map, Table, chosen};
use super::{Override, Places, calendar, hours, node, or, report, secs};
use crate::acd::Strategy;
use crate::audio::Digit;
use crate::calendar::Nation;

/// Highest level of a skill.
const HIGHEST_LEVEL: u32 = 10;
/// Most steps of `relax` and of `widen`.
const MOST_STEPS: usize = 32;
/// Most dated exceptions of one practice.
const MOST_OVERRIDES: usize = 1_000;

/// `[distributor]`
pub(in super::super) struct Distributor {
    pub(in super::super) misses_before_pause: u32,
    pub(in super::super) rest_after_miss: Duration,
    /// After busy, rejected, no answer, unreachable, failed.
    pub(in super::super) rests: [Option<Spanned<Duration>>; 5],
    pub(in super::super) miss_pause: Duration,
    pub(in super::super) wrap_up_limit: Duration,
    pub(in super::super) retry_after: Duration,
    pub(in super::super) most_per_practice: Option<u32>,
    pub(in super::super) redial_window: Duration,
    pub(in super::super) estimate_most_late: u32,
}

/// `[clip.NAME]`
pub(in super::super) struct Clip {
    pub(in super::super) file: Option<Spanned<String>>,
}

/// `[practice.NAME]`
pub(in super::super) struct Practice {
    pub(in super::super) ods: Option<Spanned<String>>,
    pub(in super::super) name: Option<Spanned<String>>,
    pub(in super::super) hours: Option<Spanned<String>>,
    pub(in super::super) zone: Option<Spanned<String>>,
    pub(in super::super) nation: Option<Spanned<Nation>>,
    pub(in super::super) places: Places,
    pub(in super::super) overrides: Vec<Override>,
    pub(in super::super) keep: Option<Duration>,
}

/// `[skill.NAME]`, which has no keys.
pub(in super::super) struct Skill;

/// `[trunk.NAME]`
pub(in super::super) struct Trunk {
    pub(in super::super) header: Span,
    pub(in super::super) from: Option<List<String>>,
    pub(in super::super) emergency: bool,
    pub(in super::super) practice: Option<Spanned<String>>,
    pub(in super::super) line: Option<Spanned<String>>,
    pub(in super::super) ddis: Option<List<String>>,
    pub(in super::super) callback_via: Option<Spanned<String>>,
}

/// `[line.NAME]`
pub(in super::super) struct Line {
    pub(in super::super) header: Span,
    pub(in super::super) greeting: Option<Spanned<String>>,
    pub(in super::super) music: Option<Spanned<String>>,
    pub(in super::super) teams: Option<List<String>>,
    pub(in super::super) ring_for: Duration,
    pub(in super::super) wrap_up: Option<Spanned<Duration>>,
    pub(in super::super) needs: Option<Map<u8>>,
    pub(in super::super) relax: Vec<Relax>,
    pub(in super::super) widen: Vec<Widen>,
    pub(in super::super) join_when_empty: bool,
    pub(in super::super) leave_when_empty: Option<Spanned<Leave>>,
    pub(in super::super) max_wait: Option<Spanned<Duration>>,
    pub(in super::super) way_out: Option<Spanned<Leave>>,
    /// Whether each is written, be it wrongly: `max-wait`, `way-out`.
    pub(in super::super) states: (bool, bool),
    pub(in super::super) most_per_practice: Option<Spanned<u32>>,
    pub(in super::super) first: Option<Spanned<String>>,
    pub(in super::super) emergency_parallel: Option<Spanned<u32>>,
    pub(in super::super) callback_key: Option<Spanned<Digit>>,
    pub(in super::super) announce_position: bool,
    pub(in super::super) announce_estimate: bool,
    pub(in super::super) announce_after: Duration,
    pub(in super::super) announce_every: Duration,
}

/// A step of `relax`.
pub(in super::super) struct Relax {
    pub(in super::super) after: Option<Spanned<Duration>>,
    pub(in super::super) needs: Option<Map<u8>>,
}

/// A step of `widen`.
pub(in super::super) struct Widen {
    pub(in super::super) header: Span,
    pub(in super::super) after: Option<Spanned<Duration>>,
    pub(in super::super) add_teams: Option<List<String>>,
}

/// What becomes of a caller who waits in vain.
#[derive(Clone, Debug)]
pub(in super::super) enum Leave {
    /// `"stay"`
    Stay,
    /// `"goodbye"`
    Goodbye,
    /// `"callback"`
    Callback,
    /// `{ route-to = "surgery-pbx" }`
    RouteTo(Spanned<String>),
}

/// `[team.NAME]`
pub(in super::super) struct Team {
    pub(in super::super) header: Span,
    pub(in super::super) agents: Option<List<String>>,
    pub(in super::super) strategy: Strategy,
    pub(in super::super) keep_free_for_emergency: Option<Spanned<u32>>,
    pub(in super::super) fair_share: bool,
    pub(in super::super) share: Option<Map<u32>>,
}

/// `[agent.NAME]`
pub(in super::super) struct Agent {
    pub(in super::super) address: Option<Spanned<String>>,
    pub(in super::super) logged_in: bool,
    pub(in super::super) nat: bool,
    pub(in super::super) skills: Option<Map<u8>>,
}

/// `[removed.NAME]`
pub(in super::super) struct Removed {
    pub(in super::super) header: Span,
    pub(in super::super) drain: bool,
    pub(in super::super) remap_to: Option<Spanned<String>>,
}

/// `[destination.NAME]`
pub(in super::super) struct Destination {
    pub(in super::super) address: Option<Spanned<String>>,
    pub(in super::super) capacity: u32,
    pub(in super::super) ring_for: Duration,
}

pub(super) fn distributor(table: &mut Table<'_, '_>, sink: &mut Sink) -> Distributor {
    let rest = secs(0)..=secs(300);
    let mut after = |key| table.duration(key, rest.clone(), sink);
    let rest_after_miss = or(after("rest-after-miss"), secs(3));
    let causes = [
        "rest-after-busy",
        "rest-after-rejected",
        "rest-after-no-answer",
        "rest-after-unreachable",
        "rest-after-failed",
    ];
    let rests = causes.map(after);
    Distributor {
        misses_before_pause: or(table.number("misses-before-pause", 0..=1_000, sink), 3),
        rest_after_miss,
        rests,
        miss_pause: or(table.duration("miss-pause", secs(0)..=hours(24), sink), secs(300)),
        wrap_up_limit: or(table.duration("wrap-up-limit", secs(0)..=hours(8), sink), secs(600)),
        retry_after: or(table.duration("retry-after", secs(1)..=hours(1), sink), secs(30)),
        most_per_practice: table.number("most-per-practice", 1..=100_000, sink).map(|most| *most.get_ref()),
        redial_window: or(table.duration("redial-window", secs(0)..=hours(24), sink), secs(1_200)),
        estimate_most_late: or(table.number("estimate-most-late", 10..=90, sink), 30),
    }
}

pub(super) fn clip(table: &mut Table<'_, '_>, sink: &mut Sink) -> Clip {
    Clip { file: table.needed_text("file", sink) }
}

pub(super) fn practice(table: &mut Table<'_, '_>, sink: &mut Sink) -> Practice {
    let kind = "[[practice.NAME.override]]";
    Practice {
        ods: table.text("ods", sink),
        name: table.text("name", sink),
        hours: table.text("hours", sink),
        zone: table.text("zone", sink),
        nation: table.civil("nation", sink),
        places: report::places(table, sink),
        overrides: table.each("override", kind, MOST_OVERRIDES, sink, calendar::exception),
        keep: node::keep(table, sink),
    }
}

pub(super) fn trunk(table: &mut Table<'_, '_>, sink: &mut Sink) -> Trunk {
    Trunk {
        header: table.header().unwrap_or_default(),
        from: table.texts("from", sink),
        emergency: or(table.flag("emergency", sink), false),
        practice: table.text("practice", sink),
        line: table.needed_text("line", sink),
        ddis: table.texts("ddis", sink),
        callback_via: table.text("callback-via", sink),
    }
}

pub(super) fn line(table: &mut Table<'_, '_>, sink: &mut Sink) -> Line {
    Line {
        header: table.header().unwrap_or_default(),
        greeting: table.text("greeting", sink),
        music: table.text("music", sink),
        teams: table.texts("teams", sink),
        ring_for: or(table.duration("ring-for", secs(3)..=secs(180), sink), secs(20)),
        wrap_up: table.duration("wrap-up", secs(0)..=hours(1), sink),
        needs: table.map("needs", sink, level),
        relax: table.each("relax", "step of `relax`", MOST_STEPS, sink, relax),
        widen: table.each("widen", "step of `widen`", MOST_STEPS, sink, widen),
        join_when_empty: or(table.flag("join-when-empty", sink), true),
        leave_when_empty: leave(table, "leave-when-empty", sink),
        max_wait: table.duration("max-wait", secs(10)..=hours(24), sink),
        way_out: leave(table, "way-out", sink),
        states: (table.has("max-wait"), table.has("way-out")),
        most_per_practice: table.number("most-per-practice", 1..=100_000, sink),
        first: table.text("first", sink),
        emergency_parallel: table.number("emergency-parallel", 1..=100, sink),
        callback_key: callback_key(table, sink),
        announce_position: or(table.flag("announce-position", sink), false),
        announce_estimate: or(table.flag("announce-estimate", sink), false),
        announce_after: or(table.duration("announce-after", secs(5)..=hours(1), sink), secs(30)),
        announce_every: or(table.duration("announce-every", secs(0)..=hours(1), sink), secs(60)),
    }
}

fn relax(table: &mut Table<'_, '_>, sink: &mut Sink) -> Relax {
    table.need("after", sink);
    table.need("needs", sink);
    Relax {
        after: table.duration("after", secs(1)..=hours(24), sink),
        needs: table.map("needs", sink, level),
    }
}

fn widen(table: &mut Table<'_, '_>, sink: &mut Sink) -> Widen {
    table.need("after", sink);
    Widen {
        header: table.header().unwrap_or_default(),
        after: table.duration("after", secs(1)..=hours(24), sink),
        add_teams: table.texts("add-teams", sink),
    }
}

#[derive(Copy, Clone)]
enum Word {
    Stay,
    Goodbye,
    Callback,
}

/// A key with a figure on it, which announcements can name.
fn callback_key(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<Spanned<Digit>> {
    let text = table.text("callback-key", sink)?;
    let mut keys = text.get_ref().chars();
    let key = match (keys.next().filter(char::is_ascii_digit), keys.next()) {
        (Some(key), None) => Digit::try_from(key).ok(),
        _ => None,
    };
    if key.is_none() {
        sink.error(text.span(), "`callback-key` is one figure, \"0\" to \"9\"");
    }
    key.map(|key| Spanned::new(text.span(), key))
}

/// One of the words, or a table that names a destination.
fn leave(table: &mut Table<'_, '_>, key: &'static str, sink: &mut Sink) -> Option<Spanned<Leave>> {
    let value = table.value(key)?;
    let leave = match value.get_ref().as_table() {
        Some(_) => {
            let kind = if key == "way-out" { "`way-out`" } else { "`leave-when-empty`" };
            let to = table.maybe(key, kind, sink, |table, sink| table.needed_text("route-to", sink));
            to.flatten().map(Leave::RouteTo)
        }
        None if value.get_ref().as_str().is_some() => {
            let word = value::text(value, &format!("`{key}`"), sink)?;
            let words: &[_] = match key {
                "way-out" => &[("goodbye", Word::Goodbye), ("callback", Word::Callback)],
                _ => &[("stay", Word::Stay), ("goodbye", Word::Goodbye), ("callback", Word::Callback)],
            };
            chosen(key, &word, words, sink).map(|word| match word {
                Word::Stay => Leave::Stay,
                Word::Goodbye => Leave::Goodbye,
                Word::Callback => Leave::Callback,
            })
        }
        None => {
            let found = kind_of(value.get_ref());
            sink.error(value.span(), format!("`{key}` must be a word or a table, but this is {found}"))
                .help("write \"goodbye\" or { route-to = \"NAME\" }");
            None
        }
    };
    leave.map(|leave| Spanned::new(value.span(), leave))
}

fn level(value: &Value<'_>, what: &str, sink: &mut Sink) -> Option<Spanned<u8>> {
    value::number(value, what, 1..=HIGHEST_LEVEL, sink)
}

pub(super) fn team(table: &mut Table<'_, '_>, sink: &mut Sink) -> Team {
    let strategies = [
        ("longest-idle", Strategy::LongestIdle),
        ("fewest-calls", Strategy::FewestCalls),
        ("round-robin", Strategy::RoundRobin),
        ("ordered", Strategy::Ordered),
        ("ring-all", Strategy::RingAll),
    ];
    let weight = |value: &Value<'_>, what: &str, sink: &mut Sink| value::number(value, what, 1..=1_000, sink);
    Team {
        header: table.header().unwrap_or_default(),
        agents: table.texts("agents", sink),
        strategy: table.choice("strategy", &strategies, sink).unwrap_or_default(),
        keep_free_for_emergency: table.number("keep-free-for-emergency", 0..=1_000, sink),
        fair_share: or(table.flag("fair-share", sink), table.has("fair-share")),
        share: table.map("share", sink, weight),
    }
}

pub(super) fn agent(table: &mut Table<'_, '_>, sink: &mut Sink) -> Agent {
    Agent {
        address: table.needed_text("address", sink),
        logged_in: or(table.flag("logged-in", sink), true),
        nat: or(table.flag("nat", sink), false),
        skills: table.map("skills", sink, level),
    }
}

pub(super) fn removed(table: &mut Table<'_, '_>, sink: &mut Sink) -> Removed {
    Removed {
        header: table.header().unwrap_or_default(),
        drain: or(table.flag("drain", sink), false),
        remap_to: table.text("remap-to", sink),
    }
}

pub(super) fn destination(table: &mut Table<'_, '_>, sink: &mut Sink) -> Destination {
    Destination {
        address: table.needed_text("address", sink),
        capacity: or(table.number("capacity", 1..=1_000, sink), 10),
        ring_for: or(table.duration("ring-for", secs(3)..=secs(180), sink), secs(20)),
    }
}
