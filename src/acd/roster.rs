//! What follows from the plan alone: who meets which needs, and how each line's reach and needs change with
//! the time waited.
//!
//! Agents with the same skills have one profile, and equal needs one number, so that matching compares small
//! numbers instead of skills. It never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::id::{DestinationId, LineId, SkillId, TeamId};
use crate::time::Mono;

/// Agents with the same skills.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Profile(u32);

/// Needs that lines ask for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Asked(u32);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Roster {
    /// By [`Profile`] and [`Asked`].
    meets: Vec<Vec<bool>>,
    /// By [`LineId`].
    lines: Vec<Steps>,
    /// How many teams people are in; those of destinations come after them.
    teams: u32,
    destinations: u32,
    /// Whether practices share any team.
    shares: bool,
}

/// How one line's needs and reach change with the time waited.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Steps {
    teams: Vec<TeamId>,
    needs: Asked,
    relax: Vec<(Duration, Asked)>,
    widen: Vec<(Duration, Vec<TeamId>)>,
}

impl Roster {
    /// The roster of `plan`, and the profile of each agent and then of every destination; teams and skills that
    /// mean nothing are left out.
    pub(super) fn new(plan: &Plan) -> (Roster, Vec<Profile>, Profile) {
        let mut profiles: BTreeMap<&BTreeMap<SkillId, u8>, Profile> = BTreeMap::new();
        let by_agent: Vec<Profile> = plan
            .agents
            .iter()
            .map(|agent| {
                let next = Profile(profiles.len() as u32);
                *profiles.entry(&agent.skills).or_insert(next)
            })
            .collect();
        let mut asked = BTreeMap::new();
        let known = |teams: &[TeamId]| {
            let mut seen = BTreeSet::new();
            let known = teams.iter().filter(|team| team.index() < plan.teams.len() && seen.insert(**team));
            known.copied().collect::<Vec<_>>()
        };
        let mut number = |needs| {
            let next = Asked(asked.len() as u32);
            *asked.entry(needs).or_insert(next)
        };
        let lines = plan.lines.iter().map(|line| {
            let mut relax: Vec<_> = line.relax.iter().map(|step| (step.after, number(&step.needs))).collect();
            let mut widen: Vec<_> =
                line.widen.iter().map(|step| (step.after, known(&step.add_teams))).collect();
            relax.sort_by_key(|step| step.0);
            widen.sort_by_key(|step| step.0);
            Steps { teams: known(&line.teams), needs: number(&line.needs), relax, widen }
        });
        let lines = lines.collect();
        let mut meets = vec![vec![false; asked.len()]; profiles.len()];
        for (skills, profile) in &profiles {
            for (needs, asked) in &asked {
                let has = |skill| skills.get(skill).copied().unwrap_or_default();
                meets[profile.0 as usize][asked.0 as usize] =
                    needs.iter().all(|(skill, &level)| has(skill) >= level);
            }
        }
        meets.push(vec![true; asked.len()]);
        let of_destinations = Profile(profiles.len() as u32);
        let (teams, destinations) = (plan.teams.len() as u32, plan.destinations.len() as u32);
        let shares = plan.teams.iter().any(|team| team.fair_share.is_some());
        (Roster { meets, lines, teams, destinations, shares }, by_agent, of_destinations)
    }

    pub(super) fn shares(&self) -> bool {
        self.shares
    }

    pub(super) fn meets(&self, profile: Profile, asked: Asked) -> bool {
        self.meets[profile.0 as usize][asked.0 as usize]
    }

    /// The team of a destination's seats; `None` when it is not in the plan.
    pub(super) fn team_of(&self, destination: DestinationId) -> Option<TeamId> {
        (destination.0 < self.destinations).then_some(TeamId(self.teams + destination.0))
    }

    pub(super) fn is_of_people(&self, team: TeamId) -> bool {
        team.0 < self.teams
    }

    pub(super) fn own_teams(&self, line: LineId) -> &[TeamId] {
        &self.lines[line.index()].teams
    }

    /// How many steps of widening and of relaxing a caller has behind it who counts as waiting for `waited`.
    pub(super) fn steps(&self, line: LineId, waited: Duration) -> (u32, u32) {
        let steps = &self.lines[line.index()];
        let widened = steps.widen.partition_point(|step| step.0 <= waited);
        let relaxed = steps.relax.partition_point(|step| step.0 <= waited);
        (widened as u32, relaxed as u32)
    }

    /// When the next such step comes for a caller of this rank, after `now`.
    pub(super) fn next_step(&self, line: LineId, rank: i64, now: Mono) -> Option<Mono> {
        let steps = &self.lines[line.index()];
        let waited = waited(rank, now);
        let widen = steps.widen.iter().map(|step| step.0);
        let after =
            widen.chain(steps.relax.iter().map(|step| step.0)).filter(|&after| after > waited).min()?;
        Some(now + (after - waited))
    }

    pub(super) fn needs(&self, line: LineId, relaxed: u32) -> Asked {
        let steps = &self.lines[line.index()];
        match relaxed.checked_sub(1) {
            Some(last) => steps.relax[last as usize].1,
            None => steps.needs,
        }
    }

    /// The teams that the line's first `widened` steps of widening add.
    pub(super) fn widened_by(&self, line: LineId, widened: u32) -> impl Iterator<Item = TeamId> {
        let widen = &self.lines[line.index()].widen[..widened as usize];
        widen.iter().flat_map(|step| step.1.iter().copied())
    }
}

/// How long a caller of this rank counts as waiting.
pub(super) fn waited(rank: i64, now: Mono) -> Duration {
    let micros = i128::from(now.0) - i128::from(rank);
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}
