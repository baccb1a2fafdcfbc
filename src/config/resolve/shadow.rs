//! Rules on trial: whether they speak of nothing that the running configuration lacks.

use serde_spanned::Spanned;

use super::super::nearest::nearest;
use super::super::sink::Sink;
use super::super::table::shown;
use super::super::written::Rule;
use crate::switch::plan::Plan;

/// Reports each name in the rules that is good in their own file, but means nothing beside `live`.
pub(in super::super) fn check(rules: &[Rule], live: &Plan, sink: &mut Sink) {
    let lines: Vec<&str> =
        live.acd.lines.iter().filter(|line| line.gone.is_none()).map(|line| line.name.as_str()).collect();
    let teams: Vec<&str> = live.acd.teams.iter().map(|team| team.name.as_str()).collect();
    let destinations: Vec<&str> = live.acd.destinations.iter().map(|known| known.name.as_str()).collect();
    let clips: Vec<&str> = live.guide.rules.surroundings().clips.iter().map(String::as_str).collect();
    for rule in rules {
        let conditions = [&rule.when_all, &rule.when_any, &rule.until].into_iter().flatten();
        let measured = conditions.flat_map(|conditions| conditions.at.iter().map(|(name, _)| name));
        let of_lines = rule.from.iter().flat_map(|list| &list.items).chain(measured);
        of_lines.for_each(|name| look_for("line", name, &lines, sink));
        let of_teams = rule.add_teams.iter().flat_map(|list| &list.items);
        of_teams.for_each(|name| look_for("team", name, &teams, sink));
        let of_destinations = rule.route_to.iter().chain(&rule.to);
        of_destinations.for_each(|name| look_for("destination", name, &destinations, sink));
        rule.announce.iter().for_each(|name| look_for("clip", name, &clips, sink));
    }
}

fn look_for(kind: &str, name: &Spanned<String>, known: &[&str], sink: &mut Sink) {
    if known.contains(&name.get_ref().as_str()) {
        return;
    }
    let meant = sink.has_room().then(|| nearest(name.get_ref(), known.iter().copied())).flatten();
    let message = format!("the running configuration has no {kind} `{}`", shown(name.get_ref()));
    sink.error(name.span(), message)
        .suggest(meant)
        .help("rules on trial may speak only of what the running configuration has");
}
