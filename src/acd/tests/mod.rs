//! The distributor under test: named behaviours, the complaints of other systems' users, and a sweep of
//! random inputs against a slow and simple model.
#![allow(clippy::unwrap_used)]

mod agents;
mod callers;
mod complaints;
mod emergency;
mod leaving;
mod model;
mod rules;
mod shares;
mod snapshot;
mod sweep;
mod teams;
mod transfer;

use std::time::Duration;

use super::*;
use crate::id::{SkillId, TeamId};
use crate::time::Mono;

const A: AgentId = AgentId(0);
const B: AgentId = AgentId(1);
const C: AgentId = AgentId(2);
const ELM: LineId = LineId(0);
const OAK: LineId = LineId(1);
const RING: u64 = 20;
const WRAP_UP: u64 = 10;
const REST: u64 = 5;
const MISS_PAUSE: u64 = 60;

/// Two lines and three agents: A and B answer both lines, C answers ELM only; nobody is logged in.
fn plan() -> Plan {
    let line = |name: &str, teams: &[u32]| Line {
        name: name.into(),
        teams: teams.iter().copied().map(TeamId).collect(),
        ring_for: Duration::from_secs(RING),
        wrap_up: Duration::from_secs(WRAP_UP),
        ..Line::default()
    };
    let team = |name: &str, agents: &[AgentId]| Team {
        name: name.into(),
        agents: agents.to_vec(),
        ..Team::default()
    };
    let agent = |name: &str| Agent { name: name.into(), logged_in: false, ..Agent::default() };
    Plan {
        lines: vec![line("elm", &[0, 1]), line("oak", &[0])],
        teams: vec![team("hub", &[A, B]), team("elm-only", &[B, C])],
        agents: vec![agent("a"), agent("b"), agent("c")],
        misses_before_pause: 2,
        rest: Rests::all(Duration::from_secs(REST)),
        miss_pause: Duration::from_secs(MISS_PAUSE),
        ..Plan::default()
    }
}

fn secs(secs: u64) -> Mono {
    Mono(secs * 1_000_000)
}

fn call(number: u64) -> CallId {
    CallId(number)
}

fn present(number: u64, agent: AgentId) -> Output {
    Output::Present { call: call(number), agent }
}

fn connect(number: u64, agent: AgentId) -> Output {
    Output::Connect { call: call(number), agent }
}

fn withdraw(number: u64, agent: AgentId, why: Withdrawal) -> Output {
    Output::Withdraw { call: call(number), agent, why }
}

/// A distributor whose steps are written in seconds and whose orders are read back.
struct Hub {
    acd: Distributor,
    at: Mono,
}

impl Hub {
    /// `agents` are logged in in this order, a second apart; the next step is at 10 s or later.
    fn with(plan: Plan, agents: &[AgentId]) -> Hub {
        let mut hub = Hub { acd: Distributor::new(plan, Mono(0)), at: Mono(0) };
        for (second, &agent) in (1..).zip(agents) {
            hub.at(second, Input::LogIn { agent });
        }
        hub
    }

    fn new(agents: &[AgentId]) -> Hub {
        Hub::with(plan(), agents)
    }

    /// Applies an input that must fit, and gives all that came of it but availabilities.
    fn at(&mut self, second: u64, input: Input) -> Vec<Output> {
        self.at = secs(second);
        self.acd.handle(input, self.at).unwrap();
        self.orders()
    }

    fn refused(&mut self, second: u64, input: Input) -> Refused {
        let before = postcard::to_stdvec(&self.acd).unwrap();
        self.at = self.at.max(secs(second));
        assert!(self.acd.poll_timeout().is_none_or(|at| at > self.at), "a deadline would confuse the test");
        let refused = self.acd.handle(input, self.at).unwrap_err();
        self.acd.now = postcard::from_bytes::<Distributor>(&before).unwrap().now;
        assert_eq!(postcard::to_stdvec(&self.acd).unwrap(), before, "a refused input changed something");
        refused
    }

    fn wake(&mut self, second: u64) -> Vec<Output> {
        self.at = secs(second);
        self.acd.handle_timeout(self.at);
        self.orders()
    }

    fn orders(&mut self) -> Vec<Output> {
        self.acd.check_invariants();
        let outputs = std::iter::from_fn(|| self.acd.poll_output());
        outputs.filter(|output| !matches!(output, Output::Availability { .. })).collect()
    }

    fn arrive(&mut self, second: u64, number: u64, line: LineId) -> Vec<Output> {
        self.at(second, Input::Arrive { call: call(number), newcomer: Newcomer::new(line, Band::ROUTINE) })
    }

    fn emergency(&mut self, second: u64, number: u64, line: LineId) -> Vec<Output> {
        self.at(second, Input::Arrive { call: call(number), newcomer: Newcomer::new(line, Band::EMERGENCY) })
    }

    fn abandon(&mut self, second: u64, number: u64) -> Vec<Output> {
        self.at(second, Input::Abandon { call: call(number) })
    }

    fn answer(&mut self, second: u64, agent: AgentId, number: u64) -> Vec<Output> {
        self.at(second, Input::Answer { agent, call: call(number) })
    }

    fn refuse(&mut self, second: u64, agent: AgentId, number: u64) -> Vec<Output> {
        self.at(second, Input::Refuse { agent, call: call(number), cause: Cause::Busy })
    }

    fn finish(&mut self, second: u64, agent: AgentId, number: u64) -> Vec<Output> {
        self.at(second, Input::Finish { agent, call: call(number) })
    }

    fn lose(&mut self, second: u64, agent: AgentId, number: u64) -> Vec<Output> {
        self.at(second, Input::Lose { agent, call: call(number) })
    }

    fn log_in(&mut self, second: u64, agent: AgentId) -> Vec<Output> {
        self.at(second, Input::LogIn { agent })
    }

    fn log_out(&mut self, second: u64, agent: AgentId) -> Vec<Output> {
        self.at(second, Input::LogOut { agent })
    }

    fn pause(&mut self, second: u64, agent: AgentId) -> Vec<Output> {
        self.at(second, Input::Pause { agent, reason: PauseReason::Chosen("tea".into()) })
    }

    fn resume(&mut self, second: u64, agent: AgentId) -> Vec<Output> {
        self.at(second, Input::Resume { agent })
    }

    fn state(&self, agent: AgentId) -> Availability {
        self.acd.availability(agent).unwrap()
    }

    fn waiting(&self, line: LineId) -> Vec<u64> {
        self.acd.waiting(line).map(|place| place.call.0).collect()
    }
}

impl Distributor {
    /// A rule adds these teams to a line's reach from now on, or none.
    fn begin_rule(&mut self, line: LineId, added: Vec<TeamId>, now: Mono) {
        self.set_added(line, std::array::from_fn(|_| added.clone()), now);
        self.settle(now);
        self.check_invariants();
    }
}
