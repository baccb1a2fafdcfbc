//! What must be true after every input, checked in full.
//!
//! Debug builds check by themselves while the state is small; simulations call
//! [`Distributor::check_invariants`] when they choose.

use std::collections::BTreeSet;

use super::agent::State;
use super::distributor::Distributor;
use super::{PauseReason, Stage};
use crate::id::AgentId;

/// Up to so many calls and agents a full check after every input is cheap enough for debug builds.
const SMALL: usize = 512;

impl Distributor {
    /// Panics, saying what is wrong, unless every caller has exactly one owner, every agent at most one call,
    /// no free agent can answer a waiting caller, and every index agrees with the states.
    ///
    /// Costs a step for each call and agent.
    pub fn check_invariants(&self) {
        self.check_callers();
        self.check_agents();
        self.check_teams();
        assert!(self.deadlines.next().is_none_or(|at| at >= self.now), "a deadline was passed over");
    }

    pub(super) fn check_while_small(&self) {
        if cfg!(debug_assertions) && self.calls.len() + self.seats.len() <= SMALL {
            self.check_invariants();
        }
    }

    fn check_callers(&self) {
        let (mut waiting, mut presented) = (0, 0);
        for (&call, caller) in &self.calls {
            assert_eq!(caller.place.call, call, "the place of {call} is another's");
            let queue = &self.lines.queues[caller.line.index()];
            match caller.stage {
                Stage::Waiting => {
                    waiting += 1;
                    assert!(queue.waiting.contains(&caller.place), "{call} waits in no line");
                }
                Stage::Presented(agent) => {
                    presented += 1;
                    assert!(queue.presented.contains(&caller.place), "{call} is presented in no line");
                    let state = &self.seats[agent.index()].state;
                    let holds = matches!(state, State::Ringing { call: held, .. } if *held == call);
                    assert!(holds, "{call} is presented to {agent}, who is {state:?}");
                }
                Stage::Talking(agent) => {
                    let state = &self.seats[agent.index()].state;
                    let holds = matches!(state, State::Talking { call: held, .. } if *held == call);
                    assert!(holds, "{call} talks with {agent}, who is {state:?}");
                }
            }
        }
        let queues = &self.lines.queues;
        assert_eq!(waiting, queues.iter().map(|queue| queue.waiting.len()).sum::<usize>(), "waiting");
        assert_eq!(presented, queues.iter().map(|queue| queue.presented.len()).sum::<usize>(), "presented");
    }

    fn check_agents(&self) {
        let (mut places_in_free_sets, mut deadlines) = (0, 0);
        for (agent, seat) in (0u32..).map(AgentId).zip(&self.seats) {
            let stage = |call| self.calls.get(&call).map(|caller| caller.stage);
            let timed = self.deadlines.at(agent).is_some();
            deadlines += usize::from(timed);
            let state = &seat.state;
            let sound = match *state {
                State::LoggedOut => !timed,
                State::Free { idle_since } => {
                    places_in_free_sets += seat.teams.len();
                    let mut sets = seat.teams.iter().map(|team| &self.free.by_team[team.index()]);
                    !timed && sets.all(|set| set.contains(&(idle_since, agent)))
                }
                State::Ringing { call, .. } => timed && stage(call) == Some(Stage::Presented(agent)),
                State::Talking { call, .. } => !timed && stage(call) == Some(Stage::Talking(agent)),
                State::WrapUp | State::Resting => timed,
                State::Paused(PauseReason::Missed(_)) => !timed || !self.plan.miss_pause.is_zero(),
                State::Paused(PauseReason::Chosen(_)) => !timed,
            };
            assert!(sound, "{agent} is {state:?}, deadline set: {timed}");
        }
        let in_free_sets: usize = self.free.by_team.iter().map(BTreeSet::len).sum();
        assert_eq!(places_in_free_sets, in_free_sets, "an agent who is not free is in a free set");
        assert_eq!(deadlines, self.deadlines.len(), "a deadline of nobody");
    }

    fn check_teams(&self) {
        let mut heads = vec![BTreeSet::new(); self.plan.teams.len()];
        for queue in &self.lines.queues {
            for team in &queue.teams {
                heads[team.index()].extend(queue.waiting.first());
            }
        }
        assert_eq!(heads, self.lines.heads, "the first callers by team");
        for (team, (heads, free)) in heads.iter().zip(&self.free.by_team).enumerate() {
            let idle = !heads.is_empty() && !free.is_empty();
            assert!(!idle, "in team {team} {:?} is free while {:?} waits", free.first(), heads.first());
        }
    }
}
