//! What happened in a simulated day, counted as it happens.

use std::time::Duration;

use crate::acd::Availability;
use crate::config::Deployment;
use crate::id::{AgentId, TeamId};
use crate::time::Mono;

/// Half hours of a day.
pub const HALF_HOURS: usize = 48;
const HALF_HOUR: u64 = 1_800_000_000;
const MINUTE: u64 = 60_000_000;

/// How a call ended, as far as waiting goes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// An agent answered.
    Answered,
    /// The caller gave up.
    Abandoned,
    /// The line did not take it: the surgery's trunk has it back.
    Refused,
    /// It had waited in vain and was led out.
    Released,
    /// The caller was promised to be called back.
    Promised,
    /// It waited still when the day was over.
    Waiting,
    /// No call but a promise: the patient was called back, and talks.
    CalledBack,
    /// No call but a promise: it ended without a talk.
    NotCalledBack,
    /// No call but a promise: it was not settled when the day was over.
    StillPromised,
}

impl End {
    /// Whether it is how a call ended, rather than a promise.
    pub fn is_of_call(self) -> bool {
        !matches!(self, End::CalledBack | End::NotCalledBack | End::StillPromised)
    }
}

/// One call, or what became of one promise to call back.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it arrived, in milliseconds after midnight; of a promise, the call in which it was made.
    pub arrived: u32,
    /// How long it waited, in milliseconds; of a promise, from when it was made.
    pub waited: u32,
    /// Whose call it was: the position in the load's calls, or of the trunk for a load from the ledger.
    pub source: u16,
    /// In which of the hubs.
    pub copy: u16,
    /// How it ended.
    pub end: End,
}

/// What a team's members did in half an hour, in microseconds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Talking.
    pub talking: u64,
    /// In wrap-up.
    pub wrap_up: u64,
    /// At work and not busy: free, rung, or resting after a miss.
    pub free: u64,
    /// On a break, or paused for misses.
    pub paused: u64,
}

/// How things stood at a full minute, over all hubs.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Routine callers who waited.
    pub waiting: u32,
    /// Emergency callers who waited.
    pub emergencies: u32,
    /// Agents at work and not paused.
    pub at_work: u32,
    /// Agents who talked.
    pub talking: u32,
}

/// All that was counted in one day.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Every call and promise that counts, hub by hub, in the order of their ends.
    pub samples: Vec<Sample>,
    /// By [`TeamId`] and half hour; an agent counts in the first team that has it.
    pub work: Vec<[Work; HALF_HOURS]>,
    /// By minute of the day.
    pub minutes: Vec<Minute>,
    /// Callers, each once, however often they called.
    pub people: u64,
    /// Those of them whom an agent answered.
    pub reached: u64,
    /// Inputs and deadlines that the exchange took.
    pub events: u64,
    /// What each agent does, and since when; by [`AgentId`].
    agents: Vec<(Doing, Mono)>,
    /// By [`AgentId`].
    team_of: Vec<Option<TeamId>>,
}

/// What an agent does, as far as it is counted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Doing {
    Nothing,
    Talking,
    WrapUp,
    Free,
    Paused,
}

impl Work {
    /// The share of the time at work that was spent on calls; `None` when nobody was at work.
    pub fn occupancy(&self) -> Option<f64> {
        let busy = (self.talking + self.wrap_up) as f64;
        let all = busy + self.free as f64;
        (all > 0.0).then(|| busy / all)
    }

    /// How many agents that makes, over half an hour.
    pub fn agents(&self) -> f64 {
        (self.talking + self.wrap_up + self.free) as f64 / HALF_HOUR as f64
    }

    /// The same of several half hours.
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Work>) -> Work {
        all.into_iter().fold(Work::default(), |sum, work| Work {
            talking: sum.talking + work.talking,
            wrap_up: sum.wrap_up + work.wrap_up,
            free: sum.free + work.free,
            paused: sum.paused + work.paused,
        })
    }
}

impl Tally {
    pub(super) fn new(deployment: &Deployment) -> Tally {
        let plan = &deployment.plan.acd;
        let mut team_of = vec![None; plan.agents.len()];
        for (id, team) in (0u32..).map(TeamId).zip(&plan.teams) {
            for agent in &team.agents {
                team_of[agent.index()].get_or_insert(id);
            }
        }
        Tally {
            work: vec![[Work::default(); HALF_HOURS]; plan.teams.len()],
            minutes: vec![Minute::default(); 24 * 60],
            agents: vec![(Doing::Nothing, Mono(0)); plan.agents.len()],
            team_of,
            ..Tally::default()
        }
    }

    /// From now on the agent is in this state.
    pub(super) fn turn(&mut self, agent: AgentId, state: &Availability, now: Mono) {
        let doing = match state {
            Availability::LoggedOut => Doing::Nothing,
            Availability::Talking(_) => Doing::Talking,
            Availability::WrapUp => Doing::WrapUp,
            Availability::Paused(_) => Doing::Paused,
            Availability::Free
            | Availability::Ringing(_)
            | Availability::Resting
            | Availability::Unreachable => Doing::Free,
        };
        let Some(known) = self.agents.get_mut(agent.index()) else { return };
        let (before, since) = *known;
        if before == doing {
            return;
        }
        *known = (doing, now);
        if let Some(team) = self.team_of[agent.index()] {
            spend(&mut self.work[team.index()], before, since, now);
        }
    }

    /// The day is over: what agents still do counts up to now, and the next hub begins with nobody at work.
    pub(super) fn close(&mut self, now: Mono) {
        for agent in (0u32..).map(AgentId).take(self.agents.len()) {
            self.turn(agent, &Availability::LoggedOut, now);
        }
    }

    /// Notes how things stand at a full minute.
    pub(super) fn minute(&mut self, now: Mono, waiting: u32, emergencies: u32) {
        let (mut at_work, mut talking) = (0, 0);
        for (doing, _) in &self.agents {
            at_work += u32::from(matches!(doing, Doing::Talking | Doing::WrapUp | Doing::Free));
            talking += u32::from(*doing == Doing::Talking);
        }
        if let Some(minute) = self.minutes.get_mut((now.0 / MINUTE) as usize) {
            minute.waiting += waiting;
            minute.emergencies += emergencies;
            minute.at_work += at_work;
            minute.talking += talking;
        }
    }
}

/// Adds what was done from `since` to `now` to the half hours that it fell in; after midnight nothing counts.
fn spend(work: &mut [Work; HALF_HOURS], doing: Doing, since: Mono, now: Mono) {
    let mut from = since.0;
    while from < now.0 {
        let at = from / HALF_HOUR;
        let until = now.0.min((at + 1) * HALF_HOUR);
        let Some(work) = work.get_mut(at as usize) else { return };
        let time = match doing {
            Doing::Nothing => return,
            Doing::Talking => &mut work.talking,
            Doing::WrapUp => &mut work.wrap_up,
            Doing::Free => &mut work.free,
            Doing::Paused => &mut work.paused,
        };
        *time += until - from;
        from = until;
    }
}

/// A time as whole milliseconds, rounded.
pub(super) fn millis(time: Duration) -> u32 {
    let micros = time.as_secs().saturating_mul(1_000_000).saturating_add(time.subsec_micros().into());
    u32::try_from(micros.saturating_add(500) / 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_at_work_falls_into_its_half_hours() {
        let mut work = [Work::default(); HALF_HOURS];
        let at = |minutes: u64| Mono(minutes * MINUTE);
        spend(&mut work, Doing::Talking, at(50), at(100));
        spend(&mut work, Doing::Free, at(100), at(120));
        spend(&mut work, Doing::WrapUp, at(24 * 60 - 1), at(24 * 60 + 1));
        let minutes = |work: &Work| (work.talking / MINUTE, work.wrap_up / MINUTE, work.free / MINUTE);
        assert_eq!(minutes(&work[1]), (10, 0, 0));
        assert_eq!(minutes(&work[2]), (30, 0, 0));
        assert_eq!(minutes(&work[3]), (10, 0, 20));
        assert_eq!(minutes(&work[47]), (0, 1, 0));
        assert_eq!(work[3].occupancy(), Some(1.0 / 3.0));
        assert_eq!(work[0].occupancy(), None);
        let sum = Work::sum(&work[1..4]);
        assert!((sum.agents() - 70.0 / 30.0).abs() < 1e-9);
    }
}
