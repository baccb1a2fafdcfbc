//! How many people are at work for each line.
//!
//! Lines with the same own teams share one crew, so that a step of an agent changes a few counts and not one
//! for each line; and a team knows at once when the last of its members leaves.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Plan;
use super::agent::Seat;
use super::distributor::Distributor;
use super::roster::Roster;
use crate::id::{AgentId, LineId, TeamId};

/// The people of some teams, each counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Crew {
    pub(super) teams: Vec<TeamId>,
    /// The lines whose own teams these are.
    pub(super) lines: Vec<LineId>,
    pub(super) at_work: u32,
    pub(super) free: u32,
}

/// The crews of a plan and which crew each line has; tells each seat its crews.
pub(super) fn new(plan: &Plan, roster: &Roster, seats: &mut [Seat]) -> (Vec<Crew>, Vec<u32>) {
    let mut numbers: BTreeMap<BTreeSet<TeamId>, u32> = BTreeMap::new();
    let mut crews: Vec<Crew> = Vec::new();
    let lines = (0u32..).map(LineId).take(plan.lines.len());
    let crew_of = lines.map(|line| {
        let teams: BTreeSet<TeamId> = roster.own_teams(line).iter().copied().collect();
        let next = crews.len() as u32;
        let number = *numbers.entry(teams).or_insert_with_key(|teams| {
            crews.push(Crew { teams: teams.iter().copied().collect(), ..Crew::default() });
            next
        });
        crews[number as usize].lines.push(line);
        number
    });
    let crew_of = crew_of.collect();
    for seat in seats {
        for (number, crew) in (0u32..).zip(&mut crews) {
            if crew.teams.iter().any(|&team| seat.is_in(team)) {
                seat.crews.push(number);
                crew.at_work += u32::from(seat.at_work());
                crew.free += u32::from(seat.idle_since().is_some());
            }
        }
    }
    (crews, crew_of)
}

impl Distributor {
    /// Counts an agent who may have come to work, or left it.
    pub(super) fn recount(&mut self, agent: AgentId, before: bool) {
        let seat = &self.seats[agent.index()];
        let crews = seat.crews.len();
        let after = seat.at_work();
        if before == after {
            return;
        }
        for &(team, _) in &seat.teams {
            let at_work = &mut self.at_work[team.index()];
            *at_work = *at_work + usize::from(after) - usize::from(before);
            if *at_work == 0 {
                self.to_clear.extend(&self.can_empty);
            }
        }
        for at in 0..crews {
            let crew = self.seats[agent.index()].crews[at];
            let at_work = &mut self.crews[crew as usize].at_work;
            *at_work = *at_work + u32::from(after) - u32::from(before);
            self.stir_crew(crew);
        }
    }
}
