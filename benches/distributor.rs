//! How long a freed agent takes to be presented the next caller: `Finish` without wrap-up until `Present`.
//!
//! The backlog is kept: one caller arrives for each that is served. Prints nanoseconds, the cost of reading
//! the clock twice included.

use std::error::Error;
use std::time::{Duration, Instant};

use hearken::acd::{Agent, Band, Distributor, Input, Line, Newcomer, Output, Plan, Team};
use hearken::id::{AgentId, CallId, LineId, TeamId};
use hearken::time::Mono;

const ROUNDS: usize = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    for (agents, backlog, lines, teams) in
        [(20, 80, 1, 1), (20, 80, 112, 1), (1_000, 10_000, 1, 1), (1_000, 10_000, 112, 4)]
    {
        let mut hub = Hub::new(agents, backlog, lines, teams)?;
        let mut nanos: Vec<u128> = Vec::with_capacity(ROUNDS);
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            nanos.push(hub.serve()?.as_nanos());
        }
        let round = begun.elapsed().as_nanos() / ROUNDS as u128;
        nanos.sort_unstable();
        let at = |share: usize| nanos[ROUNDS * share / 1_000];
        println!(
            "{agents} agents, {backlog} waiting, {lines} lines, {teams} teams: finish to present p50 {} p99 {} \
             p99.9 {} ns; whole round (arrive, answer, finish) {round} ns",
            at(500),
            at(990),
            at(999),
        );
    }
    Ok(())
}

/// Agents who all talk, and a standing backlog.
struct Hub {
    acd: Distributor,
    talks: Vec<(AgentId, CallId)>,
    arrived: u64,
    lines: u32,
    served: usize,
}

impl Hub {
    fn new(agents: u32, backlog: u64, lines: u32, teams: u32) -> Result<Hub, Box<dyn Error>> {
        let plan = Plan {
            lines: (0..lines)
                .map(|number| Line {
                    name: number.to_string(),
                    teams: (0..teams).map(TeamId).collect(),
                    ring_for: Duration::from_secs(20),
                    wrap_up: Duration::ZERO,
                    ..Line::default()
                })
                .collect(),
            teams: (0..teams)
                .map(|number| Team {
                    name: number.to_string(),
                    agents: (0..agents).filter(|agent| agent % teams == number).map(AgentId).collect(),
                    ..Team::default()
                })
                .collect(),
            agents: (0..agents)
                .map(|number| Agent { name: number.to_string(), logged_in: true, ..Agent::default() })
                .collect(),
            ..Plan::default()
        };
        let acd = Distributor::new(plan, Mono(0));
        let mut hub = Hub { acd, talks: Vec::new(), arrived: 0, lines, served: 0 };
        for _ in 0..u64::from(agents) + backlog {
            hub.arrive()?;
            while let Some(output) = hub.acd.poll_output() {
                if let Output::Present { call, agent } = output {
                    hub.acd.handle(Input::Answer { agent, call }, Mono(hub.arrived))?;
                    hub.talks.push((agent, call));
                }
            }
        }
        Ok(hub)
    }

    fn arrive(&mut self) -> Result<(), Box<dyn Error>> {
        self.arrived += 1;
        let line = LineId((self.arrived.wrapping_mul(0x9e37_79b9) >> 8) as u32 % self.lines);
        let input =
            Input::Arrive { call: CallId(self.arrived), newcomer: Newcomer::new(line, Band::ROUTINE) };
        Ok(self.acd.handle(input, Mono(self.arrived))?)
    }

    /// One agent finishes and takes the next caller; the time from `Finish` to `Present`.
    fn serve(&mut self) -> Result<Duration, Box<dyn Error>> {
        self.arrive()?;
        let turn = (self.served * 7_919) % self.talks.len();
        self.served += 1;
        let (agent, call) = self.talks[turn];
        let begun = Instant::now();
        self.acd.handle(Input::Finish { agent, call }, Mono(self.arrived))?;
        let next = loop {
            match self.acd.poll_output() {
                Some(Output::Present { call, agent: to }) if to == agent => break call,
                Some(_) => {}
                None => return Err("a freed agent was presented nobody".into()),
            }
        };
        let took = begun.elapsed();
        self.acd.handle(Input::Answer { agent, call: next }, Mono(self.arrived))?;
        while self.acd.poll_output().is_some() {}
        self.talks[turn] = (agent, next);
        Ok(took)
    }
}
