//! The rota: when each agent comes, goes and has a break, as inputs of the exchange in order of time.

use std::time::Duration;

use crate::acd::{Input, PauseReason, Plan};
use crate::config::workload::{Answering, Load, Staff};
use crate::id::{AgentId, TeamId};
use crate::time::Mono;

const DAY: Duration = Duration::from_secs(86_400);

/// The team of each agent that the load has an entry for, else its first.
fn teams(plan: &Plan, load: &Load) -> Vec<Option<(TeamId, usize)>> {
    let mut found: Vec<Option<(TeamId, usize)>> = vec![None; plan.agents.len()];
    let staffed = |team: TeamId| load.teams[team.index()].levels.is_some();
    for (id, team) in (0u32..).map(TeamId).zip(&plan.teams) {
        for (position, agent) in team.agents.iter().enumerate() {
            let known = &mut found[agent.index()];
            if known.is_none_or(|(other, _)| staffed(id) && !staffed(other)) {
                *known = Some((id, position));
            }
        }
    }
    found
}

/// How each agent answers, by [`AgentId`].
pub(super) fn answering<'a>(plan: &Plan, load: &'a Load) -> Vec<&'a Answering> {
    const NOBODY: &Answering = &Answering {
        no_answer: 0.0,
        pick_up: crate::config::workload::Spread::Fixed(Duration::ZERO),
        talk_times: 1.0,
    };
    let of = |found: Option<(TeamId, usize)>| {
        found.map_or(NOBODY, |(team, _)| &load.teams[team.index()].answering)
    };
    teams(plan, load).into_iter().map(of).collect()
}

/// What agents do of their own accord, in order of time.
///
/// Of a team that the load staffs the first members are at work, as many as it says at each instant.
pub(super) fn steps(plan: &Plan, load: &Load) -> Vec<(Mono, Input)> {
    let mut steps = Vec::new();
    for (agent, team) in (0u32..).map(AgentId).zip(teams(plan, load)) {
        let Some((team, position)) = team else { continue };
        let staff = &load.teams[team.index()];
        let spans = spans(staff, position, load, plan.agents[agent.index()].logged_in);
        if staff.levels.is_some() {
            steps.push((Mono(0) + load.from, Input::LogOut { agent }));
            for &(begin, end) in &spans {
                steps.push((Mono(0) + begin, Input::LogIn { agent }));
                steps.push((Mono(0) + end, Input::LogOut { agent }));
            }
        }
        for (begin, end) in spans {
            breaks(agent, staff, begin, end, &mut steps);
        }
    }
    // Sorted stably: who goes at an instant at which the same agent comes goes first.
    steps.sort_by_key(|step| step.0);
    steps
}

/// From when to when a member is at work.
fn spans(staff: &Staff, position: usize, load: &Load, logged_in: bool) -> Vec<(Duration, Duration)> {
    let Some(levels) = &staff.levels else {
        return if logged_in { vec![(load.from, DAY)] } else { Vec::new() };
    };
    let mut spans: Vec<(Duration, Duration)> = Vec::new();
    for (number, level) in levels.iter().enumerate() {
        let until = levels.get(number + 1).map_or(DAY, |next| next.from);
        let (begin, end) = (level.from.max(load.from), until.max(load.from));
        if position >= level.agents as usize || begin >= end {
            continue;
        }
        match spans.last_mut().filter(|last| last.1 == begin) {
            Some(last) => last.1 = end,
            None => spans.push((begin, end)),
        }
    }
    spans
}

/// The breaks of one span of work; the first comes earlier for some than for others, so that few are away at once.
fn breaks(agent: AgentId, staff: &Staff, begin: Duration, end: Duration, steps: &mut Vec<(Mono, Input)>) {
    /// Multiples of the golden ratio lie evenly between whole numbers, however many there are.
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let Some((every, length)) = staff.breaks else { return };
    let mut at = begin + every.mul_f64(0.5 + 0.5 * (f64::from(agent.0) * GOLDEN).fract());
    while at + length < end {
        let reason = PauseReason::Chosen("break".to_owned());
        steps.push((Mono(0) + at, Input::Pause { agent, reason }));
        steps.push((Mono(0) + at + length, Input::Resume { agent }));
        at += length + every;
    }
}
