//! Overflow rules and the file's own tests, as written.

use std::time::Duration;

use serde_spanned::Spanned;
use toml::de::DeValue;

use super::super::nearest::nearest;
use super::super::sink::{Sink, Span};
use super::super::table::value::{self, Value, kind_of};
use super::super::table::{List, Table, chosen, in_order, shown};
use super::{hours, secs};
use crate::calendar::Local;
use crate::policy::rules::{Condition, Measure};

/// `[[overflow]]`
pub(in super::super) struct Rule {
    pub(in super::super) header: Span,
    pub(in super::super) name: Option<Spanned<String>>,
    pub(in super::super) from: Option<List<String>>,
    pub(in super::super) during: Option<Spanned<String>>,
    pub(in super::super) not_during: Option<Spanned<String>>,
    pub(in super::super) when_all: Option<Conditions>,
    pub(in super::super) when_any: Option<Conditions>,
    pub(in super::super) for_at_least: Option<Spanned<Duration>>,
    pub(in super::super) until: Option<Conditions>,
    pub(in super::super) add_teams: Option<List<String>>,
    pub(in super::super) announce: Option<Spanned<String>>,
    /// `offer = "callback"`
    pub(in super::super) offer: Option<Spanned<()>>,
    pub(in super::super) route_to: Option<Spanned<String>>,
    pub(in super::super) if_its_wait_is_less: Option<Spanned<bool>>,
    pub(in super::super) refuse: Option<Spanned<u16>>,
    /// Whether it may do something: an action, or a key that may be meant for one, is written.
    pub(in super::super) acts: bool,
    /// Whether `refuse` is written, be it wrongly.
    pub(in super::super) refuses: bool,
    pub(in super::super) retry_after: Option<Spanned<Duration>>,
    pub(in super::super) to: Option<Spanned<String>>,
    pub(in super::super) priority: Option<Spanned<Duration>>,
}

/// `when-all`, `when-any` or `until`.
pub(in super::super) struct Conditions {
    pub(in super::super) span: Span,
    /// Whether it is written without a key.
    pub(in super::super) is_empty: bool,
    /// On the rule's own line.
    pub(in super::super) own: Vec<Limit>,
    /// On lines that are named.
    pub(in super::super) at: Vec<(Spanned<String>, Vec<Limit>)>,
    pub(in super::super) redial: Option<Spanned<bool>>,
    pub(in super::super) withheld: Option<Spanned<bool>>,
}

/// A limit on the rule's own line, with its place.
pub(in super::super) type Limit = Spanned<Condition>;

/// `[[test]]`
pub(in super::super) struct Test {
    pub(in super::super) header: Span,
    pub(in super::super) name: Option<Spanned<String>>,
    pub(in super::super) at: Option<Spanned<Local>>,
    pub(in super::super) line: Option<Spanned<String>>,
    pub(in super::super) trunk: Option<Spanned<String>>,
    pub(in super::super) given: Vec<Given>,
    /// Names of rules, or the one word `stay`.
    pub(in super::super) expect: Option<List<String>>,
}

/// One thing that a test, or a question, takes for given.
#[derive(Clone, Debug)]
pub(in super::super) enum Given {
    /// `LINE.waiting = 30`
    Line(Spanned<String>, Bare),
    /// `caller.redial = true`
    Redial(bool),
    /// `caller.withheld = true`
    Withheld(bool),
}

/// A measure of a line with its value: callers, agents, or microseconds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Bare {
    pub(in super::super) measure: Measure,
    pub(in super::super) value: u64,
}

/// Most callers or agents that a limit can name.
const MOST_COUNTED: u32 = 1_000_000;

/// The keys of limits: more than, fewer than.
const LIMITS: [(&str, &str, Measure); 5] = [
    ("waiting-over", "waiting-under", Measure::Waiting),
    ("longest-wait-over", "longest-wait-under", Measure::LongestWait),
    ("estimated-wait-over", "estimated-wait-under", Measure::EstimatedWait),
    ("agents-logged-in-over", "agents-logged-in-under", Measure::AgentsLoggedIn),
    ("agents-free-over", "agents-free-under", Measure::AgentsFree),
];

/// What may be given of a line.
const MEASURES: [(&str, Measure); 5] = [
    ("waiting", Measure::Waiting),
    ("longest-wait", Measure::LongestWait),
    ("estimated-wait", Measure::EstimatedWait),
    ("agents-logged-in", Measure::AgentsLoggedIn),
    ("agents-free", Measure::AgentsFree),
];

pub(super) fn rule(table: &mut Table<'_, '_>, sink: &mut Sink) -> Rule {
    let actions = ["add-teams", "announce", "offer", "route-to", "refuse", "priority"];
    let mut rule = Rule {
        acts: actions.iter().any(|key| table.has(key)),
        header: table.header().unwrap_or_default(),
        name: table.needed_text("name", sink),
        from: {
            table.need("from", sink);
            table.text_or_texts("from", sink)
        },
        during: table.text("during", sink),
        not_during: table.text("not-during", sink),
        when_all: table.maybe("when-all", "`when-all`", sink, |table, sink| {
            let redial = table.flag("redial", sink);
            let withheld = table.flag("withheld", sink);
            Conditions { redial, withheld, ..conditions(table, sink) }
        }),
        when_any: table.maybe("when-any", "`when-any`", sink, conditions),
        for_at_least: table.duration("for-at-least", secs(0)..=hours(1), sink),
        until: table.maybe("until", "`until`", sink, conditions),
        add_teams: table.text_or_texts("add-teams", sink),
        announce: table.text("announce", sink),
        offer: table.text("offer", sink).and_then(|word| {
            chosen("offer", &word, &[("callback", ())], sink).map(|()| Spanned::new(word.span(), ()))
        }),
        route_to: table.text("route-to", sink),
        if_its_wait_is_less: table.flag("if-its-wait-is-less", sink),
        refuse: table.number("refuse", 300..=699, sink),
        refuses: table.has("refuse"),
        retry_after: table.duration("retry-after", secs(1)..=hours(1), sink),
        to: table.text("to", sink),
        priority: table.duration("priority", secs(1)..=hours(1), sink),
    };
    rule.acts |= table.has_unknown();
    rule
}

fn conditions(table: &mut Table<'_, '_>, sink: &mut Sink) -> Conditions {
    Conditions {
        span: table.header().unwrap_or_default(),
        is_empty: table.is_empty(),
        own: limits(table, sink),
        at: table.named("at", "line in `at`", sink, limits),
        redial: None,
        withheld: None,
    }
}

fn limits(table: &mut Table<'_, '_>, sink: &mut Sink) -> Vec<Limit> {
    let mut limits = Vec::new();
    for (over, under, measure) in LIMITS {
        if measure.is_time() {
            let mut limit = |key, least, make: fn(Measure, Duration) -> Condition| {
                let limit = table.duration(key, least..=hours(24), sink)?;
                Some(Spanned::new(limit.span(), make(measure, *limit.get_ref())))
            };
            limits.extend(limit(over, secs(0), Condition::longer));
            limits.extend(limit(under, secs(1), Condition::shorter));
        } else {
            let mut limit = |key, least, make: fn(Measure, u32) -> Condition| {
                let limit = table.number(key, least..=MOST_COUNTED, sink)?;
                Some(Spanned::new(limit.span(), make(measure, *limit.get_ref())))
            };
            limits.extend(limit(over, 0, Condition::over));
            limits.extend(limit(under, 1, Condition::under));
        }
    }
    limits
}

pub(super) fn test(table: &mut Table<'_, '_>, sink: &mut Sink) -> Test {
    table.need("expect", sink);
    let expect = table.text_or_texts("expect", sink);
    Test { expect, ..question(table, sink) }
}

/// What a test asks, without what it expects.
pub(super) fn question(table: &mut Table<'_, '_>, sink: &mut Sink) -> Test {
    table.need("at", sink);
    Test {
        header: table.header().unwrap_or_default(),
        name: table.text("name", sink),
        at: table.civil("at", sink),
        line: table.text("line", sink),
        trunk: table.text("trunk", sink),
        given: givens(table, sink),
        expect: None,
    }
}

fn givens(table: &mut Table<'_, '_>, sink: &mut Sink) -> Vec<Given> {
    let Some(value) = table.value("given") else { return Vec::new() };
    let Some(entries) = value.get_ref().as_table() else {
        let found = kind_of(value.get_ref());
        sink.error(value.span(), format!("`given` must be a table, but this is {found}"))
            .help("write { \"LINE.waiting\" = 30, \"caller.redial\" = true }");
        return Vec::new();
    };
    let mut given = Vec::new();
    for (name, value) in in_order(entries) {
        match value.get_ref() {
            // Without quotes round the name: TOML takes its dot for a table.
            DeValue::Table(inner) => {
                for (measure, value) in in_order(inner) {
                    given.extend(read_given(name.get_ref(), measure.get_ref(), &name.span(), value, sink));
                }
            }
            _ => match name.get_ref().rsplit_once('.') {
                Some((of, measure)) => given.extend(read_given(of, measure, &name.span(), value, sink)),
                None => drop(
                    sink.error(
                        name.span(),
                        format!("`{}` is nothing that can be given", shown(name.get_ref())),
                    )
                    .help("write \"LINE.waiting\", with the name of a line"),
                ),
            },
        }
    }
    given
}

fn read_given(of: &str, measure: &str, span: &Span, value: &Value<'_>, sink: &mut Sink) -> Option<Given> {
    let what = format!("`{}.{}`", shown(of), shown(measure));
    match (of, measure) {
        ("caller", "redial") => {
            return value::flag(value, &what, sink).map(|flag| Given::Redial(flag.into_inner()));
        }
        ("caller", "withheld") => {
            return value::flag(value, &what, sink).map(|flag| Given::Withheld(flag.into_inner()));
        }
        _ => {}
    }
    let Some(&(_, measured)) = MEASURES.iter().find(|(name, _)| *name == measure) else {
        let callers = ["redial", "withheld"].into_iter().filter(|_| of == "caller");
        let meant = nearest(measure, MEASURES.iter().map(|(name, _)| *name).chain(callers));
        sink.error(span.clone(), format!("{what} is nothing that can be given"))
            .suggest(meant.map(|meant| format!("{}.{meant}", shown(of))))
            .help(
                "of a line: waiting, longest-wait, estimated-wait, agents-logged-in, agents-free; of the caller: \
                 caller.redial, caller.withheld",
            );
        return None;
    };
    let amount = if measured.is_time() {
        let wait = value::duration(value, &what, secs(0)..=hours(24), sink)?;
        u64::try_from(wait.get_ref().as_micros()).unwrap_or(u64::MAX)
    } else {
        let count = value::number::<u32>(value, &what, 0..=MOST_COUNTED, sink)?;
        u64::from(*count.get_ref())
    };
    let line = Spanned::new(span.clone(), of.to_owned());
    Some(Given::Line(line, Bare { measure: measured, value: amount }))
}
