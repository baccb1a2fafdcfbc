//! Who waits where: the callers of each line in order, and for each team the first caller of each of its lines.
//!
//! Through the second index an agent finds the next caller without looking at lines where nobody waits. It
//! never decides anything; a call is in exactly the sets that its stage says.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Band, Plan, Stage};
use crate::id::{CallId, LineId, TeamId};
use crate::time::Mono;

/// A caller's place, kept from arrival to the end of the call; the lesser is served first.
///
/// The order is by band, then by arrival; between arrivals in one instant it is that of their inputs.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The priority class.
    pub band: Band,
    /// When the caller joined the line.
    pub arrived: Mono,
    /// The running number of the arrival, over all lines.
    pub number: u64,
    /// Whose place it is.
    pub call: CallId,
}

/// The callers of every line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lines {
    /// By [`LineId`].
    pub(super) queues: Vec<Queue>,
    /// By [`TeamId`]: the first waiting caller of each line that the team answers.
    pub(super) heads: Vec<BTreeSet<Place>>,
}

/// The callers of one line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Queue {
    /// Who answers it, each team once.
    pub(super) teams: Vec<TeamId>,
    /// Callers for whom no phone rings.
    pub(super) waiting: BTreeSet<Place>,
    /// Callers for whom a phone rings: they may come back.
    pub(super) presented: BTreeSet<Place>,
}

impl Lines {
    /// The lines of `plan`, all empty; teams that are not in it are left out.
    pub(super) fn new(plan: &Plan) -> Lines {
        let queue = |line: &super::Line| {
            let teams: BTreeSet<TeamId> = line.teams.iter().copied().collect();
            let teams = teams.into_iter().filter(|team| team.index() < plan.teams.len()).collect();
            Queue { teams, waiting: BTreeSet::new(), presented: BTreeSet::new() }
        };
        Lines {
            queues: plan.lines.iter().map(queue).collect(),
            heads: vec![BTreeSet::new(); plan.teams.len()],
        }
    }

    /// Puts a caller into the set of its stage.
    pub(super) fn insert(&mut self, line: LineId, place: Place, stage: Stage) {
        let queue = &mut self.queues[line.index()];
        match stage {
            Stage::Waiting => {
                let first = queue.waiting.first().copied();
                queue.waiting.insert(place);
                if first.is_none_or(|first| place < first) {
                    self.replace_head(line, first, Some(place));
                }
            }
            Stage::Presented(_) => {
                queue.presented.insert(place);
            }
            Stage::Talking(_) => {}
        }
    }

    /// Takes a caller out of the set of its stage.
    pub(super) fn remove(&mut self, line: LineId, place: Place, stage: Stage) {
        let queue = &mut self.queues[line.index()];
        match stage {
            Stage::Waiting => {
                let first = queue.waiting.first().copied();
                queue.waiting.remove(&place);
                if first == Some(place) {
                    let next = queue.waiting.first().copied();
                    self.replace_head(line, first, next);
                }
            }
            Stage::Presented(_) => {
                queue.presented.remove(&place);
            }
            Stage::Talking(_) => {}
        }
    }

    /// The caller to serve next over all lines that any of `teams` answers.
    pub(super) fn first_for(&self, teams: &[TeamId]) -> Option<CallId> {
        let first = teams.iter().filter_map(|team| self.heads[team.index()].first()).min()?;
        Some(first.call)
    }

    fn replace_head(&mut self, line: LineId, old: Option<Place>, new: Option<Place>) {
        for team in &self.queues[line.index()].teams {
            let heads = &mut self.heads[team.index()];
            if let Some(old) = old {
                heads.remove(&old);
            }
            heads.extend(new);
        }
    }
}
