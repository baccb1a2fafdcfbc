//! What each kind of event costs the distributor, drained of its outputs, by the length of the backlog.
//!
//! 1,000 agents of 8 skill profiles in 200 teams, each in two of them; 112 lines, each with 4 teams of its own
//! and widening and relaxing with the time waited; every fourth team shares fairly between 112 practices, every
//! tenth keeps an agent free; 500 rules, a part of which turn on and off. The backlog is spread over the lines, or
//! all in one, which forty agents or so can answer; it is kept: a caller arrives for each that leaves. Prints nanoseconds, the cost of reading the clock twice included.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::time::{Duration, Instant};

use hearken::acd::{
    Agent, Availability, Band, Cause, Distributor, Input, Line, Needs, Newcomer, Output, Plan, Relax, Rests,
    Team, Widen,
};
use hearken::calendar::{Calendar, Nation, Spec};
use hearken::id::{AgentId, CallId, LineId, PracticeId, SkillId, TeamId};
use hearken::policy::rules::{
    Actions, Condition, LineOutline, Measure, Rule, RuleBook, Surroundings, TeamOutline,
};
use hearken::time::{Mono, Now, Wall};

const ROUNDS: u64 = 20_000;
const LINES: u32 = 112;
const TEAMS: u32 = 200;
const AGENTS: u32 = 1_000;
const RULES: u32 = 500;

type Costs = BTreeMap<&'static str, Vec<u64>>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("{AGENTS} agents, {TEAMS} teams, {LINES} lines, {RULES} rules; ns p50 / p99 / p99.9");
    let spread = [100, 1_000, 10_000, 100_000].map(|backlog| (backlog, LINES));
    for (backlog, lines) in spread.into_iter().chain([(10_000, 1), (100_000, 1)]) {
        let mut hub = Hub::new(backlog, lines)?;
        for number in 0..ROUNDS {
            hub.round(number)?;
        }
        println!("{backlog} waiting in {lines} lines");
        for (event, mut nanos) in hub.costs {
            nanos.sort_unstable();
            let at = |share: usize| nanos[(nanos.len() - 1) * share / 1_000];
            println!("  {event:24} {:>7} / {:>7} / {:>7}", at(500), at(990), at(999));
        }
    }
    Ok(())
}

/// Agents who all talk, and a standing backlog.
struct Hub {
    acd: Distributor,
    /// In how many of the lines callers wait.
    lines: u32,
    talks: VecDeque<(AgentId, CallId)>,
    /// The callers who came last, who may hang up.
    latest: VecDeque<CallId>,
    arrived: u64,
    now: Mono,
    costs: Costs,
}

impl Hub {
    fn new(backlog: u64, lines: u32) -> Result<Hub, Box<dyn Error>> {
        let spec = Spec::empty("UTC", Nation::EnglandAndWales);
        let calendar = Calendar::new(spec).map_err(|_| "an empty calendar is sound")?;
        let plan = plan();
        let book = rules(&plan, backlog / u64::from(lines));
        let acd = Distributor::with_rules(plan, book, calendar, Now { mono: Mono(0), wall: Wall(0) });
        let (talks, latest, costs) = (VecDeque::new(), VecDeque::new(), Costs::new());
        let mut hub = Hub { acd, lines, talks, latest, arrived: 0, now: Mono(0), costs };
        // Until nobody is left who could answer.
        let mut in_vain = 0;
        while hub.talks.len() < AGENTS as usize && in_vain < 1_000 {
            in_vain += 1;
            for call in hub.arrive("", Band::ROUTINE)? {
                in_vain = 0;
                hub.answer("", call)?;
            }
        }
        let waiting = |hub: &Hub| hub.acd.call_count() - hub.talks.len();
        while waiting(&hub) < backlog as usize {
            hub.arrive("", Band::ROUTINE)?;
        }
        hub.costs.clear();
        hub.latest.clear();
        Ok(hub)
    }

    /// One caller hangs up, one agent finishes, misses the next call and answers another, two callers arrive;
    /// now and then an emergency.
    fn round(&mut self, number: u64) -> Result<(), Box<dyn Error>> {
        self.arrive("arrive", Band::ROUTINE)?;
        self.arrive("arrive", Band::ROUTINE)?;
        if let Some(call) = self.latest.pop_front().filter(|_| self.latest.len() > 8)
            && self.acd.stage(call).is_some()
        {
            let begun = Instant::now();
            let position = self.acd.position(call);
            self.note("position (a look)", begun);
            if position.is_some() {
                self.step("abandon", Input::Abandon { call })?;
            }
        }
        let turn = (self.arrived * 7_919) as usize % self.talks.len();
        let Some((agent, call)) = self.talks.swap_remove_back(turn) else { return Ok(()) };
        let mut rung = self.step("finish", Input::Finish { agent, call })?;
        if number.is_multiple_of(8)
            && let Some((agent, call)) = rung.pop()
        {
            self.step("refuse", Input::Refuse { agent, call, cause: Cause::Busy })?;
            rung = self.pass(Duration::from_secs(3))?;
        } else if number % 16 == 1 && !rung.is_empty() {
            rung = self.arrive("arrive, emergency", Band::EMERGENCY)?;
        }
        for presented in rung {
            self.answer("answer", presented)?;
        }
        self.pass(Duration::from_millis(40))?;
        Ok(())
    }

    fn arrive(&mut self, event: &'static str, band: Band) -> Result<Vec<(AgentId, CallId)>, Box<dyn Error>> {
        self.arrived += 1;
        self.now = self.now + Duration::from_micros(1);
        let call = CallId(self.arrived);
        let line = (self.arrived.wrapping_mul(0x9e37_79b9) >> 8) as u32 % self.lines;
        let newcomer = Newcomer { practice: Some(PracticeId(line)), ..Newcomer::new(LineId(line), band) };
        self.latest.push_back(call);
        self.step(event, Input::Arrive { call, newcomer })
    }

    fn answer(
        &mut self,
        event: &'static str,
        (agent, call): (AgentId, CallId),
    ) -> Result<(), Box<dyn Error>> {
        if self.acd.availability(agent) == Some(Availability::Ringing(call)) {
            self.step(event, Input::Answer { agent, call })?;
            self.talks.push_back((agent, call));
        }
        Ok(())
    }

    /// Time passes; whoever rings then answers.
    fn pass(&mut self, time: Duration) -> Result<Vec<(AgentId, CallId)>, Box<dyn Error>> {
        let until = self.now + time;
        while let Some(at) = self.acd.poll_timeout().filter(|&at| at <= until) {
            self.now = self.now.max(at);
            let begun = Instant::now();
            self.acd.handle_timeout(at);
            let (rung, turned) = self.drain();
            self.note(if turned { "deadline, rule turns" } else { "deadline" }, begun);
            for presented in rung {
                self.answer("answer", presented)?;
            }
        }
        self.now = until;
        Ok(Vec::new())
    }

    fn step(&mut self, event: &'static str, input: Input) -> Result<Vec<(AgentId, CallId)>, Box<dyn Error>> {
        let begun = Instant::now();
        self.acd.handle(input, self.now)?;
        let (rung, turned) = self.drain();
        self.note(if turned { "event that turns a rule" } else { event }, begun);
        Ok(rung)
    }

    /// Whose phones are to ring, and whether a rule turned.
    fn drain(&mut self) -> (Vec<(AgentId, CallId)>, bool) {
        let (mut rung, mut turned) = (Vec::new(), false);
        while let Some(output) = self.acd.poll_output() {
            match output {
                Output::Present { call, agent } => rung.push((agent, call)),
                Output::Rule { .. } => turned = true,
                _ => {}
            }
        }
        (rung, turned)
    }

    fn note(&mut self, event: &'static str, begun: Instant) {
        let nanos = begun.elapsed().as_nanos() as u64;
        self.costs.entry(event).or_default().push(nanos);
    }
}

fn plan() -> Plan {
    let line = |number: u32| Line {
        name: number.to_string(),
        teams: (0..4).map(|step| TeamId((number * 7 + step * 13) % TEAMS)).collect(),
        wrap_up: Duration::ZERO,
        needs: Needs::from([(SkillId(number % 3), 1)]),
        relax: vec![Relax { after: Duration::from_secs(120), needs: Needs::new() }],
        widen: vec![Widen {
            after: Duration::from_secs(180),
            add_teams: vec![TeamId((number * 11 + 5) % TEAMS)],
        }],
        ..Line::default()
    };
    let team = |number: u32| Team {
        name: number.to_string(),
        agents: (0..AGENTS)
            .filter(|agent| agent % TEAMS == number || (agent / 5 + 100) % TEAMS == number)
            .map(AgentId)
            .collect(),
        fair_share: number.is_multiple_of(4).then(BTreeMap::new),
        keep_free_for_emergency: u32::from(number.is_multiple_of(10)),
        ..Team::default()
    };
    let agent = |number: u32| Agent {
        gone: false,
        name: number.to_string(),
        logged_in: true,
        skills: (0..3).filter(|skill| number >> skill & 1 == 0).map(|skill| (SkillId(skill), 1)).collect(),
    };
    Plan {
        lines: (0..LINES).map(line).collect(),
        teams: (0..TEAMS).map(team).collect(),
        agents: (0..AGENTS).map(agent).collect(),
        rest: Rests::all(Duration::from_secs(3)),
        ..Plan::default()
    }
}

/// Most watch a line that is long enough or far too short; one in ten is on the edge and turns now and then.
fn rules(plan: &Plan, usual: u64) -> RuleBook {
    let usual = usual as u32;
    let rule = |number: u32| Rule {
        name: format!("rule {number}"),
        lines: vec![LineId(number % LINES)],
        when_any: vec![
            Condition::over(
                Measure::Waiting,
                if number.is_multiple_of(10) { usual } else { usual * 3 + 100 },
            ),
            Condition::under(Measure::AgentsFree, 0),
        ],
        for_at_least: Duration::from_secs(u64::from(number % 20)),
        actions: Actions { add_teams: vec![TeamId((number * 17 + 3) % TEAMS)], ..Actions::default() },
        ..Rule::default()
    };
    let lines = plan.lines.iter().map(|line| LineOutline {
        name: line.name.clone(),
        teams: line.teams.clone(),
        ..LineOutline::default()
    });
    let teams =
        plan.teams.iter().map(|team| TeamOutline { name: team.name.clone(), agents: team.agents.clone() });
    let surroundings =
        Surroundings { lines: lines.collect(), teams: teams.collect(), ..Surroundings::default() };
    RuleBook::new((0..RULES).map(rule).collect(), surroundings)
}
