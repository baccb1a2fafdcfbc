//! The file as written: every key with its type, its bounds and its default, and its place kept.
//!
//! Nothing here looks from one table into another; names are still names.

mod calendar;
mod callback;
mod codes;
mod exports;
mod floor;
mod node;
mod report;
mod rules;
mod treat;
mod web;

use std::time::Duration;

use serde_spanned::Spanned;
use toml::de::DeTable;

use super::deployment::LogFormat;
use super::sink::Sink;
use super::syntax;
use super::table::{Named, Table};

pub(super) use calendar::{Override, Window};
pub(super) use callback::Callback;
pub(super) use codes::Codes;
pub(super) use exports::{Hep, Telemetry};
pub(super) use floor::{
    Agent, Clip, Destination, Distributor, Leave, Line, Practice, Removed, Skill, Team, Trunk,
};
pub(super) use node::{Flight, Ledger, Media, Node, Sip};
pub(super) use report::{Places, Report};
pub(super) use rules::{Conditions, Given, Rule, Test};
pub(super) use treat::{Disposition, Pathway, Stack};
pub(super) use web::{Oidc, User, Web};

/// Most overflow rules, and most tests.
const MOST_RULES: usize = 1_000;

/// The whole file.
pub(super) struct Written {
    pub(super) node: Node,
    pub(super) sip: Sip,
    pub(super) media: Media,
    pub(super) distributor: Distributor,
    pub(super) callback: Callback,
    pub(super) codes: Codes,
    pub(super) ledger: Ledger,
    pub(super) report: Report,
    pub(super) flight: Flight,
    pub(super) web: Web,
    pub(super) hep: Hep,
    pub(super) telemetry: Telemetry,
    pub(super) drain_limit: Duration,
    pub(super) log_level: tracing::Level,
    pub(super) log_format: LogFormat,
    pub(super) clips: Named<Clip>,
    pub(super) windows: Named<Window>,
    pub(super) practices: Named<Practice>,
    pub(super) skills: Named<Skill>,
    pub(super) trunks: Named<Trunk>,
    pub(super) lines: Named<Line>,
    pub(super) teams: Named<Team>,
    pub(super) agents: Named<Agent>,
    pub(super) destinations: Named<Destination>,
    pub(super) stacks: Named<Stack>,
    pub(super) pathways: Named<Pathway>,
    pub(super) dispositions: Named<Disposition>,
    pub(super) removed: Named<Removed>,
    /// `[[overflow]]`
    pub(super) rules: Vec<Rule>,
    /// `[[test]]`
    pub(super) tests: Vec<Test>,
}

/// Reads the file; whatever cannot be read is reported and has its default.
pub(super) fn read(text: &str, sink: &mut Sink) -> Written {
    let readable = syntax::readable(text, sink);
    let (document, faults) = DeTable::parse_recoverable(&readable);
    syntax::report(&faults, text, sink);
    let mut root = Table::root(document.get_ref());
    let (log_level, log_format) = root.one("log", "[log]", sink, node::log);
    let written = Written {
        node: root.one("node", "[node]", sink, node::node),
        sip: root.one("sip", "[sip]", sink, node::sip),
        media: root.one("media", "[media]", sink, node::media),
        distributor: root.one("distributor", "[distributor]", sink, floor::distributor),
        callback: root.one("callback", "[callback]", sink, callback::callback),
        codes: root.one("feature-codes", "[feature-codes]", sink, codes::codes),
        ledger: root.one("ledger", "[ledger]", sink, node::ledger),
        report: root.one("report", "[report]", sink, report::report),
        flight: root.one("flight", "[flight]", sink, node::flight),
        web: root.one("web", "[web]", sink, web::web),
        hep: root.one("hep", "[hep]", sink, exports::hep),
        telemetry: root.one("telemetry", "[telemetry]", sink, exports::telemetry),
        drain_limit: root.one("drain", "[drain]", sink, node::drain),
        log_level,
        log_format,
        clips: root.named("clip", "[clip.NAME]", sink, floor::clip),
        windows: root.named("window", "[window.NAME]", sink, calendar::window),
        practices: root.named("practice", "[practice.NAME]", sink, floor::practice),
        skills: root.named("skill", "[skill.NAME]", sink, |_, _| Skill),
        trunks: root.named("trunk", "[trunk.NAME]", sink, floor::trunk),
        lines: root.named("line", "[line.NAME]", sink, floor::line),
        teams: root.named("team", "[team.NAME]", sink, floor::team),
        agents: root.named("agent", "[agent.NAME]", sink, floor::agent),
        destinations: root.named("destination", "[destination.NAME]", sink, floor::destination),
        stacks: root.named("stack", "[stack.NAME]", sink, treat::stack),
        pathways: root.named("pathway", "[pathway.NAME]", sink, treat::pathway),
        dispositions: root.named("disposition", "[disposition.CODE]", sink, treat::disposition),
        removed: root.named("removed", "[removed.NAME]", sink, floor::removed),
        rules: root.each("overflow", "[[overflow]]", MOST_RULES, sink, rules::rule),
        tests: root.each("test", "[[test]]", MOST_RULES, sink, rules::test),
    };
    root.close_root(sink);
    written
}

/// Reads the file of those who may use the interface.
pub(super) fn read_users(text: &str, sink: &mut Sink) -> Named<User> {
    let readable = syntax::readable(text, sink);
    let (document, faults) = DeTable::parse_recoverable(&readable);
    syntax::report(&faults, text, sink);
    let mut root = Table::root(document.get_ref());
    let users = root.named("user", "[user.NAME]", sink, web::user);
    root.close_root(sink);
    users
}

/// Reads a question about the rules, which has the keys of a test but what it expects.
pub(super) fn read_question(text: &str, sink: &mut Sink) -> Test {
    let (document, faults) = DeTable::parse_recoverable(text);
    syntax::report(&faults, text, sink);
    let mut root = Table::root(document.get_ref());
    let question = rules::question(&mut root, sink);
    root.close_root(sink);
    question
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
