//! The least staff for a target, as a table and as lines for the load file.

use std::fmt::Write as _;

use super::setup::{Policy, Setup};
use super::{Args, bar};
use crate::cli::table;
use crate::config::workload::Load;
use crate::id::TeamId;
use crate::sim::day::figures::Unit;
use crate::sim::day::staffing::{Found, Search, Target};

/// Seeds that a search looks at, unless told otherwise.
const SEEDS: u64 = 3;

/// Why nothing is searched.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the search takes one policy at a time")]
    Policies,
    #[error("there is no team `{0}`")]
    Team(String),
    #[error("say whose staff with --team: {0}")]
    Several(String),
    #[error("the search takes one hub, and the load has {0}")]
    Copies(u32),
}

/// Searches, and checks what was found on other days.
pub(super) fn run(setup: &Setup, args: &Args) -> Result<String, Error> {
    let [policy] = &setup.policies[..] else { return Err(Error::Policies) };
    let Policy { deployment, load, recorded, .. } = policy;
    if load.copies > 1 {
        return Err(Error::Copies(load.copies));
    }
    let team = team(policy, args)?;
    let count = args.seeds.unwrap_or(SEEDS);
    let seeds: Vec<u64> = (args.seed..args.seed.saturating_add(count)).collect();
    let others: Vec<u64> = seeds.iter().map(|seed| seed.saturating_add(count)).collect();
    let search = Search { deployment, load, recorded, team, targets: &args.target, seeds: &seeds };
    let bar = bar(1);
    let found = search.run(&mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let checked = Search { seeds: &others, ..search }.check(&found);
    Ok(text(&deployment.plan.acd.teams[team.index()].name, &args.target, &seeds, &found, &checked))
}

/// The team that is named, or the only one whose numbers the load gives.
fn team(policy: &Policy, args: &Args) -> Result<TeamId, Error> {
    let teams = || (0u32..).map(TeamId).zip(&policy.deployment.plan.acd.teams);
    if let Some(name) = &args.team {
        let found = teams().find(|(_, team)| team.name == *name);
        return found.map(|(id, _)| id).ok_or_else(|| Error::Team(name.clone()));
    }
    let counted: Vec<TeamId> = teams().map(|(id, _)| id).filter(|id| is_counted(&policy.load, *id)).collect();
    match (&counted[..], policy.deployment.plan.acd.teams.len()) {
        ([team], _) => Ok(*team),
        (_, 1) => Ok(TeamId(0)),
        _ => Err(Error::Several(teams().map(|(_, team)| team.name.as_str()).collect::<Vec<_>>().join(", "))),
    }
}

/// Whether the load says how many of a team are at work, rather than all or none.
fn is_counted(load: &Load, team: TeamId) -> bool {
    let levels = load.teams[team.index()].levels.iter().flatten();
    levels.into_iter().any(|level| level.agents != crate::config::workload::ALL && level.agents > 0)
}

fn text(
    team: &str,
    targets: &[Target],
    seeds: &[u64],
    found: &Found,
    checked: &[Vec<Option<f64>>],
) -> String {
    let wanted: Vec<String> = targets.iter().map(Target::to_string).collect();
    let mut text = format!(
        "The least of {team} for {}, of all who joined a line in each half hour,\nin {} simulated days, and how other {} \
         days fare with it.\n\n",
        wanted.join(" and "),
        seeds.len(),
        seeds.len()
    );
    let mut heading = vec!["from", "agents"];
    heading.extend(wanted.iter().map(|target| target.split(" <").next().unwrap_or(target)));
    let rows: Vec<Vec<String>> = found
        .staff
        .iter()
        .map(|&(half, agents)| {
            let mut row = vec![time(half), agents.to_string()];
            for (target, value) in targets.iter().zip(&checked[half]) {
                let late = value.is_some_and(|value| value >= target.limit);
                row.push(format!("{}{}", shown(target, *value), if late { " !" } else { "" }));
            }
            row
        })
        .collect();
    text.push_str(&table::lay_out(&heading, &rows));
    let hours: f64 = found.staff.iter().map(|&(_, agents)| f64::from(agents) / 2.0).sum();
    let _ = writeln!(text, "{hours} hours of work");
    if !found.unmet.is_empty() {
        let unmet: Vec<String> = found.unmet.iter().map(|&half| time(half)).collect();
        let _ = writeln!(text, "Not even all members of the team meet the target from {}.", unmet.join(", "));
    }
    let _ = writeln!(text, "\n# For the load file:\n[[staff]]\nteams = [\"{team}\"]\nagents = [");
    let mut last = None;
    let end = found.staff.last().map(|&(half, _)| (half + 1, 0)).filter(|end| end.0 < 48);
    for (half, agents) in found.staff.iter().copied().chain(end) {
        if last != Some(agents) {
            let _ = writeln!(text, "    {{ from = \"{}\", at-work = {agents} }},", time(half));
        }
        last = Some(agents);
    }
    text.push_str("]\n");
    text
}

fn time(half: usize) -> String {
    format!("{:02}:{:02}", half / 2, half % 2 * 30)
}

fn shown(target: &Target, value: Option<f64>) -> String {
    match (value, target.measure.unit()) {
        (None, _) => "-".to_owned(),
        (Some(value), Unit::Share) => format!("{:.1}%", value * 100.0),
        (Some(value), _) => super::show::clock(value),
    }
}
