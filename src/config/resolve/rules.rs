//! Overflow rules, and what they speak of.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::sink::Sink;
use super::super::table::{check_name, shown};
use super::super::written::{self, Conditions};
use super::names::Register;
use crate::id::{ClipId, DestinationId, LineId, TeamId, WindowId};
use crate::policy::rules::{Actions, Callers, Condition, Refusal, RouteTo, Rule};

/// What a test expects when no rule counts, and so no name of a rule.
pub(super) const STAY: &str = "stay";

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
    let says_nothing = conditions.is_empty() && written.redial.is_none() && written.withheld.is_none();
    if says_nothing && !sink.has_errors() {
        sink.error(written.span.clone(), "this states no limit");
    }
    conditions
}

fn actions(rule: &written::Rule, names: &mut Register<'_>, sink: &mut Sink) -> Actions {
    let add_teams = rule.add_teams.iter().flat_map(|list| names.teams.find_all(list, sink));
    let actions = Actions {
        add_teams: add_teams.map(TeamId).collect(),
        refuse: refusal(rule, names, sink),
        route_to: rule.route_to.as_ref().and_then(|name| names.destinations.find(name, sink)).map(|to| {
            RouteTo {
                destination: DestinationId(to),
                if_its_wait_is_less: rule.if_its_wait_is_less.as_ref().is_some_and(|flag| *flag.get_ref()),
            }
        }),
        offer_callback: false,
        announce: rule.announce.as_ref().and_then(|name| names.clips.find(name, sink)).map(ClipId),
        priority: rule.priority.as_ref().map(|time| *time.get_ref()),
    };
    let states_none = rule.add_teams.as_ref().is_none_or(|list| list.is_empty())
        && rule.refuse.is_none()
        && rule.route_to.is_none()
        && rule.announce.is_none()
        && rule.priority.is_none();
    if states_none && !sink.is_partial() && !sink.has_errors() {
        sink.error(rule.header.clone(), "this rule does nothing")
            .help("give it `add-teams`, `route-to`, `announce`, `priority` or `refuse`");
    }
    let idle = rule.if_its_wait_is_less.as_ref().filter(|_| rule.route_to.is_none() && !sink.is_partial());
    if let Some(flag) = idle {
        sink.error(flag.span(), "`if-its-wait-is-less` is used only with `route-to`");
    }
    actions
}

/// `refuse = 503` with `retry-after`, or `refuse = 302` with `to`.
fn refusal(rule: &written::Rule, names: &mut Register<'_>, sink: &mut Sink) -> Option<Refusal> {
    let to = rule.to.as_ref().and_then(|name| names.destinations.find(name, sink)).map(DestinationId);
    let code = rule.refuse.as_ref().map(|code| *code.get_ref());
    if !sink.is_partial() {
        if let Some(to) = rule.to.as_ref().filter(|_| code != Some(302)) {
            sink.error(to.span(), "`to` is used only with refuse = 302");
        }
        if let Some(time) = rule.retry_after.as_ref().filter(|_| code != Some(503)) {
            sink.error(time.span(), "`retry-after` is used only with refuse = 503");
        }
    }
    match (code?, &rule.refuse) {
        (302, Some(code)) if rule.to.is_none() => {
            if !sink.is_partial() {
                sink.error(code.span(), "refuse = 302 needs `to`, the destination to try instead");
            }
            None
        }
        (302, _) => Some(Refusal::Moved { to: to? }),
        _ => {
            let retry_after = rule.retry_after.as_ref().map(|time| *time.get_ref());
            Some(Refusal::Unavailable { retry_after: retry_after.unwrap_or(RETRY_AFTER) })
        }
    }
}
