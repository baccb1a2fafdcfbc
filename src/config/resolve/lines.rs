//! Lines: where callers wait, what they need, and how they leave.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::sink::Sink;
use super::super::table::{Named, shown};
use super::super::written::{self, Leave};
use super::floor::{check_not_empty, levels};
use super::names::{Names, Register};
use crate::acd::announce::Schedule;
use crate::acd::{Agent, Line, Needs, Relax, Team, WayOut, Widen};
use crate::id::{AgentId, ClipId, DestinationId, LineId, TeamId};
use crate::policy::Trunk;
use crate::policy::rules::Rule;
use crate::switch::plan::Treatment;

/// How long an agent is left alone after a call unless the line says otherwise.
const WRAP_UP: Duration = Duration::from_secs(10);

/// The lines and what their callers hear.
pub(super) fn lines(
    written: &Named<written::Line>,
    names: &mut Register<'_>,
    sink: &mut Sink,
) -> (Vec<Line>, Vec<Treatment>) {
    let mut lines = Vec::with_capacity(written.len());
    let mut treatments = Vec::with_capacity(written.len());
    for (name, line) in written {
        let teams: Vec<_> =
            line.teams.iter().flat_map(|list| names.teams.find_all(list, sink)).map(TeamId).collect();
        let mut clip = |name: &Option<Spanned<String>>| names.clips.find(name.as_ref()?, sink).map(ClipId);
        treatments.push(Treatment {
            greeting: clip(&line.greeting),
            music: clip(&line.music),
            callback_key: line.callback_key.as_ref().map(|key| *key.get_ref()),
        });
        let needs = levels(&line.needs, |skill, sink| names.skills.find(skill, sink), sink);
        lines.push(Line {
            name: name.get_ref().clone(),
            ring_for: line.ring_for,
            wrap_up: line.wrap_up.as_ref().map_or(WRAP_UP, |wrap_up| *wrap_up.get_ref()),
            relax: relax(line, &needs, names, sink),
            widen: widen(line, &teams, names, sink),
            teams,
            needs,
            join_when_empty: line.join_when_empty,
            leave_when_empty: leave(line.leave_when_empty.as_ref(), names, sink),
            max_wait: line.max_wait.as_ref().map(|wait| *wait.get_ref()),
            way_out: way_out(line, names, sink),
            most_per_practice: line.most_per_practice.as_ref().map(|most| *most.get_ref()),
            emergency_parallel: line.emergency_parallel.as_ref().map_or(1, |parallel| *parallel.get_ref()),
            first: line
                .first
                .as_ref()
                .and_then(|name| names.destinations.find(name, sink))
                .map(DestinationId),
            gone: None,
        });
    }
    (lines, treatments)
}

/// What callers who wait are told, and when; `offered` says whether a rule offers them callbacks.
pub(super) fn schedule(line: &written::Line, offered: bool) -> Option<Schedule> {
    Some(Schedule {
        first: line.announce_after,
        every: line.announce_every,
        position: line.announce_position,
        estimate: line.announce_estimate,
        offer_again: 3,
    })
    .filter(|schedule| schedule.position || schedule.estimate || offered)
}

/// Steps of lesser needs, each later than the one before and asking for no more.
fn relax(line: &written::Line, needs: &Needs, names: &mut Register<'_>, sink: &mut Sink) -> Vec<Relax> {
    let mut steps: Vec<Relax> = Vec::with_capacity(line.relax.len());
    for step in &line.relax {
        let relaxed = levels(&step.needs, |skill, sink| names.skills.find(skill, sink), sink);
        let Some(after) = &step.after else { continue };
        check_later(after, steps.last().map(|step| step.after), sink);
        let before = steps.last().map_or(needs, |step| &step.needs);
        let asks_more = relaxed.iter().any(|(skill, level)| before.get(skill).is_none_or(|had| level > had));
        if let Some(map) = step.needs.as_ref().filter(|_| asks_more) {
            sink.error(map.span.clone(), "this asks for more than before, and so relaxes nothing");
        }
        steps.push(Relax { after: *after.get_ref(), needs: relaxed });
    }
    steps
}

/// Steps that add teams, each later than the one before.
fn widen(line: &written::Line, teams: &[TeamId], names: &mut Register<'_>, sink: &mut Sink) -> Vec<Widen> {
    let mut steps: Vec<Widen> = Vec::with_capacity(line.widen.len());
    let mut reached = teams.to_vec();
    for step in &line.widen {
        check_not_empty(&step.add_teams, &step.header, "this step adds no teams".to_owned(), sink);
        let mut added = Vec::new();
        for name in step.add_teams.iter().flat_map(|list| &list.items) {
            let Some(team) = names.teams.find(name, sink).map(TeamId) else { continue };
            if reached.contains(&team) {
                sink.warning(name.span(), format!("team `{}` answers already", shown(name.get_ref())));
            } else {
                reached.push(team);
                added.push(team);
            }
        }
        let Some(after) = &step.after else { continue };
        check_later(after, steps.last().map(|step| step.after), sink);
        steps.push(Widen { after: *after.get_ref(), add_teams: added });
    }
    steps
}

fn check_later(after: &Spanned<Duration>, before: Option<Duration>, sink: &mut Sink) {
    if before.is_some_and(|before| *after.get_ref() <= before) {
        sink.error(after.span(), "`after` must be later than that of the step before");
    }
}

/// How callers leave after `max-wait`.
fn way_out(line: &written::Line, names: &mut Register<'_>, sink: &mut Sink) -> WayOut {
    let way = leave(line.way_out.as_ref(), names, sink);
    let (waits, leaves) = line.states;
    match (&line.max_wait, &line.way_out) {
        (Some(wait), None) if !leaves && !sink.is_partial() => {
            sink.error(wait.span(), "`max-wait` needs a `way-out`: nobody is dropped without a word")
                .help("write way-out = \"goodbye\", \"callback\" or { route-to = \"NAME\" }");
        }
        (None, Some(way)) if !waits => {
            sink.warning(way.span(), "`way-out` is used only with `max-wait`");
        }
        _ => {}
    }
    way.unwrap_or(WayOut::Goodbye)
}

/// `None` for a caller who stays.
fn leave(written: Option<&Spanned<Leave>>, names: &mut Register<'_>, sink: &mut Sink) -> Option<WayOut> {
    match written?.get_ref() {
        Leave::Stay => None,
        Leave::Goodbye => Some(WayOut::Goodbye),
        Leave::Callback => Some(WayOut::Callback),
        Leave::RouteTo(name) => names.destinations.find(name, sink).map(DestinationId).map(WayOut::RouteTo),
    }
}

/// Warns of what does nothing, because only emergency calls join a line, or none.
pub(super) fn warn_class(
    written: &Named<written::Line>,
    lines: &Names<'_>,
    trunks: &[Trunk],
    sink: &mut Sink,
) {
    if sink.is_partial() || sink.has_errors() {
        return;
    }
    for (at, (_, line)) in written.iter().enumerate() {
        let mut joining = trunks.iter().filter(|trunk| trunk.line.index() == at).peekable();
        if joining.peek().is_none() {
            continue;
        }
        let name = shown(lines.name(at).get_ref());
        let emergency: Vec<bool> = joining.map(|trunk| trunk.emergency).collect();
        if !emergency.contains(&true)
            && let Some(parallel) = &line.emergency_parallel
        {
            sink.warning(parallel.span(), format!("no emergency trunk joins line `{name}`"));
        }
        if !emergency.contains(&false) {
            let routine = [
                line.max_wait.as_ref().map(Spanned::span),
                line.leave_when_empty.as_ref().map(Spanned::span),
                line.most_per_practice.as_ref().map(Spanned::span),
                line.first.as_ref().map(Spanned::span),
                line.callback_key.as_ref().map(Spanned::span),
            ];
            for span in routine.into_iter().flatten() {
                let message = format!("only emergency calls join line `{name}`, which this does not touch");
                sink.warning(span, message);
            }
        }
    }
}

/// Reports each line that nobody could ever answer.
pub(super) fn check_answered(written: &Named<written::Line>, rules: &[Rule], sink: &mut Sink) {
    for (at, (name, line)) in (0u32..).zip(written) {
        let helped = rules.iter().filter(|rule| rule.lines.contains(&LineId(at)));
        let brings = |rule: &Rule| !rule.actions.add_teams.is_empty() || rule.actions.route_to.is_some();
        if line.widen.is_empty() && line.first.is_none() && !helped.into_iter().any(brings) {
            let words =
                format!("line `{}` has no teams, so that nobody could answer it", shown(name.get_ref()));
            check_not_empty(&line.teams, &line.header, words, sink);
        }
    }
}

/// Warns of each line on which nobody is logged in at the start.
pub(super) fn warn_unstaffed(
    written: &Named<written::Line>,
    lines: &[Line],
    teams: &[Team],
    agents: &[Agent],
    sink: &mut Sink,
) {
    let staffed: Vec<bool> = teams
        .iter()
        .map(|team| {
            team.agents.iter().any(|&AgentId(at)| agents[at as usize].logged_in) || team.agents.is_empty()
        })
        .collect();
    for ((name, _), line) in written.iter().zip(lines) {
        if !line.teams.is_empty() && !line.teams.iter().any(|&TeamId(at)| staffed[at as usize]) {
            let name_shown = shown(name.get_ref());
            sink.warning(name.span(), format!("no agent of line `{name_shown}` is logged in at the start"));
        }
    }
}

/// Reports each line whose needs nobody in its reach could ever meet.
pub(super) fn check_skilled(
    written: &Named<written::Line>,
    lines: &[Line],
    teams: &[Team],
    agents: &[Agent],
    rules: &[Rule],
    sink: &mut Sink,
) {
    if sink.is_partial() || sink.has_errors() {
        return;
    }
    for (at, ((_, stated), line)) in (0u32..).zip(written.iter().zip(lines)) {
        let needs = line.relax.last().map_or(&line.needs, |step| &step.needs);
        let own = line.teams.iter().copied();
        let widened = line.widen.iter().flat_map(|step| step.add_teams.iter().copied());
        let here = rules.iter().filter(|rule| rule.lines.contains(&LineId(at)));
        let added = here.flat_map(|rule| rule.actions.add_teams.iter().copied());
        let meets = |agent: &Agent| needs.iter().all(|(skill, level)| agent.skills.get(skill) >= Some(level));
        let reach = own.chain(widened).chain(added);
        let mut members = reach.flat_map(|team| &teams[team.index()].agents);
        if let Some(map) = &stated.needs
            && !members.any(|agent| meets(&agents[agent.index()]))
        {
            let name = shown(&line.name);
            sink.error(map.span.clone(), format!("nobody who answers line `{name}` has the skills it needs"))
                .help("give agents these skills, or let the line `relax` its needs");
        }
    }
}
