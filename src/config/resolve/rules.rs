//! Overflow rules, and what they speak of.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::sink::{Sink, Span};
use super::super::table::{check_name, shown};
use super::super::written::{self, Conditions, Written};
use super::names::Register;
use crate::acd;
use crate::calendar::{Calendar, Date, Local, TimeOfDay};
use crate::id::{ClipId, DestinationId, LineId, RuleId, TeamId, WindowId};
use crate::policy::rules::{
    Actions, Callers, Condition, Finding, Kind, Never, Refusal, RouteTo, Rule, RuleBook,
};

/// What a test expects when no rule counts, and so no name of a rule.
pub(super) const STAY: &str = "stay";

/// How long the wait that a destination reports is believed.
const BELIEVED_FOR: Duration = Duration::from_secs(60);

/// What Retry-After says unless the rule says otherwise.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The rules in the order of the file.
pub(super) fn rules(written: &[written::Rule], names: &mut Register<'_>, sink: &mut Sink) -> Vec<Rule> {
    let mut rules = Vec::with_capacity(written.len());
    for (at, rule) in written.iter().enumerate() {
        check_own_name(at, written, sink);
        let lines = rule.from.iter().flat_map(|list| names.lines.seek_all(list, sink)).map(LineId).collect();
        if let Some(list) = rule.from.as_ref().filter(|list| list.is_empty()) {
            sink.error(list.span.clone(), "`from` names no line, so that the rule could do nothing");
        }
        let mut window =
            |name: &Option<Spanned<String>>| names.windows.find(name.as_ref()?, sink).map(WindowId);
        let (during, not_during) = (window(&rule.during), window(&rule.not_during));
        let all = rule.when_all.as_ref();
        let callers = Callers {
            redial: all.and_then(|all| all.redial.as_ref()).map(|redial| *redial.get_ref()),
            withheld: all.and_then(|all| all.withheld.as_ref()).map(|withheld| *withheld.get_ref()),
        };
        rules.push(Rule {
            name: rule.name.as_ref().map(|name| name.get_ref().clone()).unwrap_or_default(),
            lines,
            during,
            not_during,
            when_all: conditions(all, names, sink),
            when_any: conditions(rule.when_any.as_ref(), names, sink),
            for_at_least: rule.for_at_least.as_ref().map(|time| *time.get_ref()).unwrap_or_default(),
            until: conditions(rule.until.as_ref(), names, sink),
            callers,
            actions: actions(rule, names, sink),
        });
    }
    rules
}

/// Warns of rules that compare waits which no destination is asked for in time.
pub(super) fn warn_unasked(written: &[written::Rule], probe_every: Duration, sink: &mut Sink) {
    if probe_every > Duration::ZERO && probe_every < BELIEVED_FOR {
        return;
    }
    let compared = written.iter().filter_map(|rule| rule.if_its_wait_is_less.as_ref());
    for compares in compared.filter(|compares| *compares.get_ref()) {
        let message = "destinations are asked too seldom for their waits, which are believed for a minute";
        sink.warning(compares.span(), message).help("let [sip] `probe-phones-every` be \"30s\" or less");
    }
}

fn check_own_name(at: usize, written: &[written::Rule], sink: &mut Sink) {
    let Some(name) = &written[at].name else { return };
    check_name(name.get_ref(), name.span(), sink);
    if name.get_ref() == STAY {
        sink.error(name.span(), format!("`{STAY}` is what a test says of no rule, and cannot be one's name"));
    }
    let same = |other: &&Spanned<String>| other.get_ref() == name.get_ref();
    if let Some(other) = written[..at].iter().filter_map(|rule| rule.name.as_ref()).find(same) {
        sink.error(name.span(), format!("there is a rule `{}` already", shown(name.get_ref())))
            .also(other.span(), "here");
    }
}

/// The limits with the lines they are on, in the order in which [`places`] gives their places.
fn conditions(written: Option<&Conditions>, names: &mut Register<'_>, sink: &mut Sink) -> Vec<Condition> {
    let Some(written) = written else { return Vec::new() };
    let mut conditions: Vec<_> = written.own.iter().map(|limit| *limit.get_ref()).collect();
    for (name, limits) in &written.at {
        if let Some(line) = names.lines.seek(name, sink).map(LineId) {
            conditions.extend(limits.iter().map(|limit| limit.get_ref().at(line)));
        }
    }
    if written.is_empty {
        sink.error(written.span.clone(), "this states no limit");
    }
    conditions
}

fn actions(rule: &written::Rule, names: &mut Register<'_>, sink: &mut Sink) -> Actions {
    let compares = rule.if_its_wait_is_less.as_ref().is_some_and(|compares| *compares.get_ref());
    if let Some(compares) = rule.if_its_wait_is_less.as_ref().filter(|_| rule.route_to.is_none()) {
        sink.error(compares.span(), "`if-its-wait-is-less` is used only with `route-to`");
    }
    let add_teams = rule.add_teams.iter().flat_map(|list| names.teams.find_all(list, sink));
    let actions = Actions {
        add_teams: add_teams.map(TeamId).collect(),
        refuse: refusal(rule, names, sink),
        route_to: rule
            .route_to
            .as_ref()
            .and_then(|name| names.destinations.find(name, sink))
            .map(|to| RouteTo { destination: DestinationId(to), if_its_wait_is_less: compares }),
        offer_callback: rule.offer.is_some(),
        announce: rule.announce.as_ref().and_then(|name| names.clips.find(name, sink)).map(ClipId),
        priority: rule.priority.as_ref().map(|time| *time.get_ref()),
    };
    if !rule.acts && !sink.is_partial() {
        sink.error(rule.header.clone(), "this rule does nothing")
            .help("give it `add-teams`, `route-to`, `announce`, `offer`, `priority` or `refuse`");
    }
    actions
}

/// `refuse = 503` with `retry-after`, or `refuse = 302` with `to`.
fn refusal(rule: &written::Rule, names: &mut Register<'_>, sink: &mut Sink) -> Option<Refusal> {
    let to = rule.to.as_ref().and_then(|name| names.destinations.find(name, sink)).map(DestinationId);
    let stated = if rule.refuses { rule.refuse.as_ref().map(|code| *code.get_ref()) } else { Some(0) };
    if !sink.is_partial() {
        if let Some(to) = rule.to.as_ref().filter(|_| matches!(stated, Some(0 | 503))) {
            sink.error(to.span(), "`to` is used only with refuse = 302");
        }
        if let Some(time) = rule.retry_after.as_ref().filter(|_| matches!(stated, Some(0 | 302))) {
            sink.error(time.span(), "`retry-after` is used only with refuse = 503");
        }
    }
    let code = rule.refuse.as_ref()?;
    match code.get_ref() {
        503 => {
            let retry_after = rule.retry_after.as_ref().map(|time| *time.get_ref());
            Some(Refusal::Unavailable { retry_after: retry_after.unwrap_or(RETRY_AFTER) })
        }
        302 => {
            if rule.to.is_none() && !sink.is_partial() {
                sink.error(code.span(), "refuse = 302 needs `to`, the destination to try instead");
            }
            Some(Refusal::Moved { to: to? })
        }
        other => {
            sink.error(code.span(), format!("`refuse` cannot be {other}, only 503 or 302"))
                .help("503 with `retry-after` sends the call back, 302 with `to` sends it on");
            None
        }
    }
}

/// Warns of what is hardly meant, at the very words.
pub(super) fn report_findings(
    written: &Written,
    book: &RuleBook,
    calendar: &Calendar,
    plan: &acd::Plan,
    today: Date,
    names: &Register<'_>,
    sink: &mut Sink,
) {
    let outline = |line: LineId| &book.surroundings().lines[line.index()];
    let may_answer = |line, agent| plan.may_answer(line, agent, outline(line).emergency);
    let from = calendar.instant(Local { date: today, time: TimeOfDay::MIDNIGHT }, None);
    for finding in book.lint(calendar, from, &may_answer) {
        let words = finding.words(book, calendar);
        let line = match &finding {
            Finding::Unanswered { line, .. } => Some(names.lines.name(line.index()).span()),
            _ => None,
        };
        let rule = finding.rule().and_then(|rule| written.rules.get(rule.index()));
        let Some(span) = line.or_else(|| Some(place(&finding, rule?, names))) else { continue };
        let draft = sink.warning(span, words);
        let (by, label): (&[RuleId], _) = match &finding {
            Finding::Shadowed { by, .. } => (by, "this comes first"),
            Finding::AddsNothing { by, .. } => (by, "this adds them"),
            _ => (&[], ""),
        };
        for by in by {
            draft.also(names.rules.name(by.index()).span(), label);
        }
        match (&finding, rule) {
            (Finding::Unanswered { line, .. }, _) if !outline(*line).teams.is_empty() => {
                draft.help("who lacks a skill that the line needs, or is kept free for 999, does not count");
            }
            (Finding::NeverOn { why: Never::Contradict(one, _), .. }, Some(rule)) => {
                draft.also(place_of(one, rule, names), "this one");
            }
            (Finding::EndsTooSoon { condition, .. }, Some(rule)) => {
                draft.also(place_of(condition, rule, names), "while this one holds");
                draft
                    .also(rule.name.as_ref().map_or_else(|| rule.header.clone(), Spanned::span), "this rule");
                draft.help("let `until` ask for the end of this too");
            }
            _ => {}
        }
    }
}

/// Where in a rule the words are that a finding is about.
fn place(finding: &Finding, rule: &written::Rule, names: &Register<'_>) -> Span {
    let action = |kind: Kind| match kind {
        Kind::AddTeams => rule.add_teams.as_ref().map(|list| list.span.clone()),
        Kind::Refuse => rule.refuse.as_ref().map(Spanned::span),
        Kind::RouteTo => rule.route_to.as_ref().map(Spanned::span),
        Kind::Announce => rule.announce.as_ref().map(Spanned::span),
        Kind::Priority => rule.priority.as_ref().map(Spanned::span),
        Kind::Offer => rule.offer.as_ref().map(Spanned::span),
    };
    let conditions = || rule.when_all.as_ref().or(rule.when_any.as_ref()).map(|all| all.span.clone());
    let found = match finding {
        Finding::NeverOn { why, .. } => match why {
            Never::NeverOpen(_) | Never::Windows(..) => rule.during.as_ref().map(Spanned::span),
            Never::AlwaysOpen(_) => rule.not_during.as_ref().map(Spanned::span),
            Never::Impossible(condition) | Never::Contradict(_, condition) => {
                Some(place_of(condition, rule, names))
            }
            Never::Together => conditions(),
        },
        Finding::DeadCondition { condition, .. } => Some(place_of(condition, rule, names)),
        Finding::AlwaysHolds { .. } => conditions(),
        Finding::EndsAtOnce { .. } | Finding::EndsTooSoon { .. } | Finding::NeverEnds { .. } => {
            rule.until.as_ref().map(|until| until.span.clone())
        }
        Finding::AddsNothing { .. } | Finding::EmptyTeam { .. } => action(Kind::AddTeams),
        Finding::Shadowed { kind, .. } | Finding::EmergencyOnly { kind, .. } => action(*kind),
        Finding::Unanswered { .. } => None,
    };
    found.or_else(|| rule.name.as_ref().map(Spanned::span)).unwrap_or_else(|| rule.header.clone())
}

/// Where a limit of `when-all` or `when-any` is written.
pub(super) fn place_of(condition: &Condition, rule: &written::Rule, names: &Register<'_>) -> Span {
    let stated = rule.when_all.iter().chain(&rule.when_any).find_map(|all| {
        let own = all.own.iter().find(|limit| limit.get_ref() == condition);
        let elsewhere = all.at.iter().find_map(|(name, limits)| {
            let line = LineId(names.lines.position(name.get_ref())?);
            limits.iter().find(|limit| limit.get_ref().at(line) == *condition)
        });
        own.or(elsewhere).map(Spanned::span)
    });
    stated.unwrap_or_else(|| rule.header.clone())
}
