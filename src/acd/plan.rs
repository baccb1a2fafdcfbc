//! What the distributor must know of lines, teams, agents and destinations; positions are the ids.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Cause;
use crate::id::{AgentId, DestinationId, LineId, PracticeId, SkillId, TeamId};
use crate::policy::Trunk;
use crate::policy::rules::{LineOutline, Surroundings, TeamOutline};

/// Skills that a caller needs, each with the least level that will do; levels count from 1.
pub type Needs = BTreeMap<SkillId, u8>;

/// Weights of practices that share a team; a practice that is not named weighs 1.
pub type Shares = BTreeMap<PracticeId, u32>;

/// Everything that is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// By [`crate::id::LineId`].
    pub lines: Vec<Line>,
    /// By [`TeamId`].
    pub teams: Vec<Team>,
    /// By [`AgentId`].
    pub agents: Vec<Agent>,
    /// By [`DestinationId`].
    pub destinations: Vec<Destination>,
    /// Names by [`SkillId`].
    pub skills: Vec<String>,
    /// After how many misses in a row an agent is paused; 0 means never. An answer, a log-in or a resumption
    /// by hand ends the row; a pause that ends by itself does not, so that a dead phone costs one ring a pause.
    pub misses_before_pause: u32,
    /// How long an agent rests after a miss before the next presentation.
    pub rest: Rests,
    /// How long an agent paused for misses stays paused; zero means until resumed by hand.
    pub miss_pause: Duration,
    /// How long a wrap-up may last in all when the agent extends it.
    pub wrap_up_limit: Duration,
    /// After what time a caller refused at the door is told to try again.
    pub retry_after: Duration,
    /// How many routine callers of one practice may wait in all lines together.
    #[serde(default)]
    pub most_per_practice: Option<u32>,
}

/// How long an agent rests after a miss, by cause.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rests {
    /// The phone was on another call.
    pub busy: Duration,
    /// The agent pressed reject.
    pub rejected: Duration,
    /// The phone rang in vain.
    pub no_answer: Duration,
    /// The phone could not be reached, or was lost in mid-call.
    pub unreachable: Duration,
    /// No media could be set up, or the presentation could not be made.
    pub failed: Duration,
}

impl Rests {
    /// The same rest whatever the cause.
    pub fn all(rest: Duration) -> Rests {
        Rests { busy: rest, rejected: rest, no_answer: rest, unreachable: rest, failed: rest }
    }

    /// The rest after a miss of this cause.
    pub fn after(&self, cause: Cause) -> Duration {
        match cause {
            Cause::Busy => self.busy,
            Cause::Rejected => self.rejected,
            Cause::NoAnswer => self.no_answer,
            Cause::Unreachable => self.unreachable,
            Cause::Failed => self.failed,
        }
    }
}

/// A queue of callers and the teams that answer it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its name in the configuration.
    pub name: String,
    /// Who answers it.
    pub teams: Vec<TeamId>,
    /// How long a phone rings before the next agent is tried.
    pub ring_for: Duration,
    /// How long an agent is left alone after a call of this line.
    pub wrap_up: Duration,
    /// What an agent must know to answer it.
    pub needs: Needs,
    /// What is enough after a wait, in order of time; the last that has come counts.
    pub relax: Vec<Relax>,
    /// Who answers as well after a wait; all that have come add up.
    pub widen: Vec<Widen>,
    /// Whether a caller may join while nobody who could answer is at work.
    pub join_when_empty: bool,
    /// How routine callers are led out when nobody who could answer is at work; `None` lets them stay.
    pub leave_when_empty: Option<WayOut>,
    /// How long a routine caller may wait.
    pub max_wait: Option<Duration>,
    /// How a caller is led out who has waited so long.
    pub way_out: WayOut,
    /// How many routine callers of one practice may wait in it.
    pub most_per_practice: Option<u32>,
    /// How many agents are rung at once for one emergency call.
    pub emergency_parallel: u32,
    /// Where a routine caller is offered before any agent.
    pub first: Option<DestinationId>,
    /// The configuration no longer has it; no trunk's calls join it.
    pub gone: Option<Gone>,
}

/// What becomes of the callers of a line that is gone.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gone {
    /// As long as there are any the plan must not be taken over.
    Refuse,
    /// They are served as before, until the last is gone.
    Drain,
    /// They join this line, each with the place it has.
    Remap(LineId),
}

impl Default for Line {
    fn default() -> Line {
        Line {
            name: String::new(),
            teams: Vec::new(),
            ring_for: Duration::from_secs(20),
            wrap_up: Duration::from_secs(10),
            needs: Needs::new(),
            relax: Vec::new(),
            widen: Vec::new(),
            join_when_empty: true,
            leave_when_empty: None,
            max_wait: None,
            way_out: WayOut::Callback,
            most_per_practice: None,
            emergency_parallel: 1,
            first: None,
            gone: None,
        }
    }
}

/// Lesser needs after a wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relax {
    /// The wait, credits included.
    pub after: Duration,
    /// What is enough from then on.
    pub needs: Needs,
}

/// More teams after a wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widen {
    /// The wait, credits included.
    pub after: Duration,
    /// Who answers as well from then on.
    pub add_teams: Vec<TeamId>,
}

/// How a caller who waited in vain is led out of a line.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WayOut {
    /// A callback is promised.
    Callback,
    /// The destination is offered the caller, who keeps the place until it or an agent answers.
    RouteTo(DestinationId),
    /// The caller is told, and the call ended.
    Goodbye,
}

/// Agents who answer lines together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its name in the configuration.
    pub name: String,
    /// Its members; their order counts for some strategies.
    pub agents: Vec<AgentId>,
    /// Which free member is presented the next call.
    pub strategy: Strategy,
    /// Routine calls leave so many members free.
    pub keep_free_for_emergency: u32,
    /// The practices share the team by these weights; `None` serves the earliest arrival.
    pub fair_share: Option<Shares>,
}

/// Which free member of a team is presented the next call.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Strategy {
    /// The one idle for the longest time.
    #[default]
    LongestIdle,
    /// The one with the fewest calls answered since the log-in; among equals the longest idle.
    FewestCalls,
    /// The next in the team's list after the last one presented.
    RoundRobin,
    /// The first in the team's list.
    Ordered,
    /// All at once.
    RingAll,
}

/// A person with a phone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its name in the configuration.
    pub name: String,
    /// Whether the agent is logged in when the daemon starts.
    pub logged_in: bool,
    /// The configuration no longer has the agent, who is logged out.
    pub gone: bool,
    /// What the agent knows, and how well.
    pub skills: BTreeMap<SkillId, u8>,
}

/// An address outside that takes calls, so many at once.
///
/// It is a group of seats which are presented calls like agents, after them, whatever skills are needed. The
/// seats have the [`AgentId`]s after those of the agents, destination by destination; no availability is told
/// of them. A miss of one rests all that are free, so that the next try goes elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Its name in the configuration.
    pub name: String,
    /// How many calls it takes at once.
    pub capacity: u32,
    /// How long it rings before the next try elsewhere.
    pub ring_for: Duration,
}

impl Plan {
    /// The seats of a destination; none when it is not in the plan.
    pub fn seats(&self, destination: DestinationId) -> impl Iterator<Item = AgentId> {
        let at = destination.index().min(self.destinations.len());
        let before: u32 = self.destinations[..at].iter().map(|before| before.capacity).sum();
        let first = self.agents.len() as u32 + before;
        let capacity = self.destinations.get(at).map_or(0, |found| found.capacity);
        (first..first + capacity).map(AgentId)
    }

    /// The agent of this name who is not gone.
    pub fn agent_named(&self, name: &str) -> Option<AgentId> {
        let mut agents = (0u32..).map(AgentId).zip(&self.agents);
        agents.find(|(_, agent)| !agent.gone && agent.name == name).map(|(id, _)| id)
    }

    /// The line of this name that is not gone.
    pub fn line_named(&self, name: &str) -> Option<LineId> {
        let mut lines = (0u32..).map(LineId).zip(&self.lines);
        lines.find(|(_, line)| line.gone.is_none() && line.name == name).map(|(id, _)| id)
    }

    /// The name of an agent, or of the destination that has this seat.
    pub fn name_of(&self, agent: AgentId) -> String {
        let destinations = (0u32..).map(DestinationId).zip(&self.destinations);
        let mut of_seat = destinations.filter(|&(id, _)| self.seats(id).any(|seat| seat == agent));
        match (self.agents.get(agent.index()), of_seat.next()) {
            (Some(person), _) => person.name.clone(),
            (None, Some((_, destination))) => destination.name.clone(),
            (None, None) => agent.to_string(),
        }
    }

    /// Whether an agent in the line's reach could ever be presented one of its calls: somebody who knows what the line
    /// needs in the end, and for routine calls is in no team that keeps all its members free for emergencies.
    pub fn may_answer(&self, line: LineId, agent: AgentId, emergency: bool) -> bool {
        let (Some(line), Some(person)) = (self.lines.get(line.index()), self.agents.get(agent.index()))
        else {
            return false;
        };
        let needs = line.relax.last().map_or(&line.needs, |step| &step.needs);
        let knows = needs.iter().all(|(skill, level)| person.skills.get(skill) >= Some(level));
        let mut teams = self.teams.iter().filter(|team| team.agents.contains(&agent));
        let spared = |team: &Team| {
            team.keep_free_for_emergency == 0 || team.agents.len() > team.keep_free_for_emergency as usize
        };
        knows && (emergency || teams.all(spared))
    }

    /// What rules may speak of; `clips` are the names of the clips, `trunks` those whose calls join the lines.
    pub fn surroundings(&self, trunks: &[Trunk], clips: Vec<String>) -> Surroundings {
        let lines = (0u32..).map(LineId).zip(&self.lines).map(|(id, line)| {
            let joining = || trunks.iter().filter(move |trunk| trunk.line == id && !trunk.from.is_empty());
            let practices: BTreeSet<_> = joining().map(|trunk| trunk.practice).collect();
            LineOutline {
                name: line.name.clone(),
                emergency: joining().next().is_some() && joining().all(|trunk| trunk.emergency),
                practice: practices.first().copied().flatten().filter(|_| practices.len() == 1),
                teams: line.teams.clone(),
                widened: line.widen.iter().flat_map(|step| step.add_teams.iter().copied()).collect(),
                first: line.first.is_some(),
            }
        });
        let team = |team: &Team| TeamOutline { name: team.name.clone(), agents: team.agents.clone() };
        Surroundings {
            lines: lines.collect(),
            teams: self.teams.iter().map(team).collect(),
            destinations: self.destinations.iter().map(|known| known.name.clone()).collect(),
            clips,
        }
    }

    /// The destination that a seat belongs to; `None` for agents.
    pub fn destination_of(&self, seat: AgentId) -> Option<DestinationId> {
        let mut first = self.agents.len();
        if seat.index() < first {
            return None;
        }
        (0u32..).map(DestinationId).zip(&self.destinations).find_map(|(id, destination)| {
            first += destination.capacity as usize;
            (seat.index() < first).then_some(id)
        })
    }
}
