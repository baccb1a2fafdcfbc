//! Random plans and inputs by seed: the distributor must say exactly what the model says, and keep its
//! promises whatever happens. A failure names its seed.

use std::collections::{BTreeMap, BTreeSet};

use super::model::Model;
use super::*;
use crate::rng::Rng;

mod replanned;

const SEEDS: u8 = 64;
const STEPS: usize = 500;

/// Draws from the seeded generator.
struct Dice(Rng);

impl Dice {
    fn new(block: u8, seed: u8) -> Dice {
        let mut bytes = [block; 32];
        bytes[0] = seed;
        Dice(Rng::new(bytes))
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0.bits() % end
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    fn duration(&mut self) -> Duration {
        let micros = [0, 1, 700_000, 2_000_000, 5_000_000, 20_000_000];
        Duration::from_micros(self.pick(&micros))
    }

    fn some_of(&mut self, end: u64) -> Vec<u32> {
        (0..end as u32).filter(|_| !self.one_in(3)).collect()
    }

    fn skills(&mut self) -> Needs {
        let mut skills = Needs::new();
        for skill in 0..2 {
            if self.one_in(4) {
                skills.insert(SkillId(skill), self.below(3) as u8);
            }
        }
        skills
    }

    fn teams_of(&mut self, teams: u64) -> Vec<TeamId> {
        self.some_of(teams).into_iter().map(TeamId).collect()
    }

    fn way_out(&mut self) -> WayOut {
        let to = DestinationId(self.below(2) as u32);
        self.pick(&[WayOut::Callback, WayOut::Goodbye, WayOut::RouteTo(to)])
    }

    /// One way of sharing and choosing in four, so that plain plans are tried as well.
    fn team(&mut self, agents: u64) -> Team {
        use Strategy::*;
        let shares = (0..3).map(|practice| (PracticeId(practice), self.below(4) as u32)).collect();
        Team {
            name: String::new(),
            agents: self.some_of(agents).into_iter().map(AgentId).collect(),
            strategy: self.pick(&[LongestIdle, LongestIdle, FewestCalls, RoundRobin, Ordered, RingAll]),
            keep_free_for_emergency: if self.one_in(3) { self.below(3) as u32 } else { 0 },
            fair_share: self.one_in(3).then_some(shares),
        }
    }

    fn line(&mut self, teams: u64) -> Line {
        let relax = |dice: &mut Dice| Relax { after: dice.duration(), needs: dice.skills() };
        let widen = |dice: &mut Dice| Widen { after: dice.duration(), add_teams: dice.teams_of(teams) };
        Line {
            name: String::new(),
            teams: self.teams_of(teams),
            ring_for: Duration::from_millis(700) + self.duration(),
            wrap_up: self.duration(),
            needs: self.skills(),
            relax: (0..self.below(3)).map(|_| relax(self)).collect(),
            widen: (0..self.below(3)).map(|_| widen(self)).collect(),
            join_when_empty: true,
            leave_when_empty: self.one_in(4).then(|| self.way_out()),
            max_wait: self.one_in(3).then(|| self.duration()),
            way_out: self.way_out(),
            most_per_practice: None,
            emergency_parallel: 1 + self.below(3) as u32,
            first: self.one_in(4).then_some(DestinationId(0)),
            gone: None,
        }
    }

    fn plan(&mut self) -> Plan {
        let (lines, teams, agents) = (1 + self.below(3), 1 + self.below(3), 1 + self.below(6));
        let destination = |dice: &mut Dice| Destination {
            name: String::new(),
            capacity: dice.below(3) as u32,
            ring_for: Duration::from_secs(1) + dice.duration(),
        };
        let mut rest = Rests::all(self.duration());
        rest.busy = self.duration();
        rest.no_answer = self.duration();
        Plan {
            lines: (0..lines).map(|_| self.line(teams)).collect(),
            teams: (0..teams).map(|_| self.team(agents)).collect(),
            agents: (0..agents)
                .map(|number| Agent {
                    name: format!("agent {number}"),
                    logged_in: self.one_in(2),
                    gone: false,
                    skills: self.skills(),
                })
                .collect(),
            destinations: (0..self.below(3)).map(|_| destination(self)).collect(),
            skills: Vec::new(),
            misses_before_pause: self.below(4) as u32,
            rest,
            miss_pause: self.duration(),
            wrap_up_limit: self.duration(),
            retry_after: Duration::from_secs(30),
            most_per_practice: None,
        }
    }

    fn newcomer(&mut self, line: LineId) -> Newcomer {
        let band = Band(u8::from(!self.one_in(5)));
        let practice = (!self.one_in(4)).then(|| PracticeId(self.below(4) as u32));
        let credit = if self.one_in(5) { self.duration() } else { Duration::ZERO };
        let callback = self.one_in(6);
        Newcomer { practice, credit, callback, ..Newcomer::new(line, band) }
    }

    /// Teams for a rule to add, a destination's among them at times.
    fn added(&mut self, plan: &Plan) -> Vec<TeamId> {
        let all = (plan.teams.len() + plan.destinations.len()) as u64;
        if self.one_in(2) { Vec::new() } else { self.teams_of(all) }
    }

    /// An input that mostly fits the state, and sometimes is nonsense.
    fn input(&mut self, acd: &Distributor, calls: &mut Calls) -> Input {
        let unknown = u64::from(self.one_in(20));
        let agent = AgentId(self.below(acd.seats.len() as u64 + unknown) as u32);
        let any_call = CallId(calls.next.saturating_sub(self.below(40)));
        let cause = self.pick(&[Cause::Busy, Cause::Rejected, Cause::NoAnswer, Cause::Failed]);
        if !self.one_in(12) {
            match acd.availability(agent) {
                Some(Availability::Ringing(call)) => match self.below(6) {
                    0..=2 => return Input::Answer { agent, call },
                    3 => return Input::Refuse { agent, call, cause },
                    4 => return Input::Abandon { call },
                    5 if self.one_in(4) => return Input::Withhold { agent, call },
                    5 if self.one_in(3) => {
                        let line = LineId(self.below(acd.plan.lines.len() as u64) as u32);
                        return Input::Move { call, line, band: Band::ROUTINE };
                    }
                    _ => {}
                },
                Some(Availability::Talking(call)) => match self.below(8) {
                    0..=2 => return Input::Finish { agent, call },
                    3 => return Input::Lose { agent, call },
                    4 => return Input::Abandon { call },
                    5 if self.one_in(2) => return Input::Spare { agent, call },
                    _ => {}
                },
                Some(Availability::Unreachable) => return Input::Reach { agent, reachable: true },
                Some(Availability::WrapUp) if self.one_in(3) => {
                    let by = self.duration();
                    return if self.one_in(2) {
                        Input::EndWrapUp { agent }
                    } else {
                        Input::ExtendWrapUp { agent, by }
                    };
                }
                Some(Availability::LoggedOut) if !self.one_in(3) => return Input::LogIn { agent },
                Some(Availability::Paused(_)) if self.one_in(2) => return Input::Resume { agent },
                _ => {}
            }
        }
        match self.below(19) {
            0 => Input::LogIn { agent },
            1 => Input::LogOut { agent },
            2 => Input::Pause { agent, reason: PauseReason::Chosen("tea".into()) },
            3 => Input::Resume { agent },
            4 => Input::Answer { agent, call: any_call },
            5 if self.one_in(3) => Input::Withhold { agent, call: any_call },
            5 => Input::Refuse { agent, call: any_call, cause },
            6 => Input::Finish { agent, call: any_call },
            7 => Input::Lose { agent, call: any_call },
            8 if self.one_in(4) => Input::Rank { call: any_call, band: Band(self.below(3) as u8) },
            9 if self.one_in(4) => {
                let line = LineId(self.below(acd.plan.lines.len() as u64 + unknown) as u32);
                let band = self.pick(&[Band::EMERGENCY, Band::ROUTINE, Band::ROUTINE]);
                Input::Move { call: any_call, line, band }
            }
            8 | 9 => Input::Abandon { call: any_call },
            10 => Input::Reach { agent, reachable: self.one_in(2) },
            11 => Input::EndWrapUp { agent },
            12 if self.one_in(2) => Input::Spare { agent, call: any_call },
            12 => Input::Credit { call: any_call, credit: self.duration() },
            _ if calls.alive.len() > 16 => Input::Abandon { call: any_call },
            _ => {
                let line = self.below(acd.plan.lines.len() as u64 + unknown);
                let call = if self.one_in(20) { any_call } else { calls.number() };
                Input::Arrive { call, newcomer: self.newcomer(LineId(line as u32)) }
            }
        }
    }

    fn later(&mut self, now: Mono, deadline: Option<Mono>) -> Mono {
        match self.below(8) {
            0..=2 => now,
            3 => deadline.unwrap_or(now).max(now),
            4 | 5 => now + Duration::from_micros(self.below(1_500_000)),
            6 => now + Duration::from_micros(self.below(6_000_000)),
            _ => now + self.duration(),
        }
    }
}

/// The calls that a run knows of, kept apart from the distributor.
#[derive(Default)]
struct Calls {
    next: u64,
    alive: BTreeSet<CallId>,
}

impl Calls {
    fn number(&mut self) -> CallId {
        self.next += 1;
        CallId(self.next)
    }

    fn note(&mut self, input: &Input) {
        match *input {
            Input::Arrive { call, .. } => self.alive.insert(call),
            Input::Abandon { call } | Input::Finish { call, .. } | Input::Spare { call, .. } => {
                self.alive.remove(&call)
            }
            _ => false,
        };
    }

    /// A number may come back in the very step in which its first call was led out.
    fn note_leaving(&mut self, outputs: &[Output], acd: &Distributor) {
        for output in outputs {
            if let Output::Release { call, .. } = output
                && acd.stage(*call).is_none()
            {
                assert!(self.alive.remove(call), "{call} left twice");
            }
        }
    }
}

/// How often what came out, so that nothing is proved of what never happens.
#[derive(Default)]
struct Tally(BTreeMap<String, u32>);

impl Tally {
    fn note(&mut self, outputs: &[Output], agents: usize) {
        for output in outputs {
            let what = match output {
                Output::Present { agent, .. } if agent.index() >= agents => "presented to a seat".into(),
                Output::Withdraw { why, .. } => format!("{why:?}"),
                Output::Release { why, .. } => format!("{why:?}"),
                Output::Availability { state: Availability::Unreachable, .. } => "unreachable".into(),
                _ => continue,
            };
            *self.0.entry(what).or_default() += 1;
        }
    }

    fn check(&self) {
        let rarest = self.0.iter().min_by_key(|entry| entry.1).unwrap();
        assert!(self.0.len() == 9 && *rarest.1 > 100, "{:?}", self.0);
    }
}

fn drain(acd: &mut Distributor) -> Vec<Output> {
    std::iter::from_fn(|| acd.poll_output()).collect()
}

/// Runs the real one, the model and one that is woken at every deadline side by side.
fn sweep(block: u8) {
    let mut tally = Tally::default();
    for seed in 0..SEEDS {
        let mut dice = Dice::new(block, seed);
        let plan = dice.plan();
        let start = Mono(1_000);
        let mut acd = Distributor::new(plan.clone(), start);
        let mut model = Model::new(plan.clone(), start);
        let mut timely = Distributor::new(plan, start);
        let mut calls = Calls::default();
        let mut places = BTreeMap::new();
        let mut now = start;
        let stored_at = dice.below(STEPS as u64) as usize;
        for step in 0..STEPS {
            let context = || format!("block {block} seed {seed} step {step}");
            now = dice.later(now, acd.poll_timeout());
            while let Some(at) = timely.poll_timeout().filter(|&at| at < now) {
                timely.handle_timeout(at);
            }
            if dice.one_in(12) {
                let line = LineId(dice.below(acd.plan.lines.len() as u64) as u32);
                let added = dice.added(&acd.plan);
                acd.handle_timeout(now);
                timely.handle_timeout(now);
                model.handle_timeout(now);
                acd.begin_rule(line, added.clone(), now);
                timely.begin_rule(line, added.clone(), now);
                model.set_added(line, added);
            } else if dice.one_in(6) {
                acd.handle_timeout(now);
                model.handle_timeout(now);
                timely.handle_timeout(now);
            } else {
                let input = dice.input(&acd, &mut calls);
                let result = acd.handle(input.clone(), now);
                assert_eq!(result, model.handle(input.clone(), now), "{} {input:?}", context());
                assert_eq!(result, timely.handle(input.clone(), now), "{} {input:?}", context());
                if result.is_ok() {
                    calls.note(&input);
                    if let Input::Arrive { call, .. }
                    | Input::Credit { call, .. }
                    | Input::Rank { call, .. }
                    | Input::Move { call, .. } = input
                    {
                        places.remove(&call);
                    }
                }
            }
            let outputs = drain(&mut acd);
            assert_eq!(outputs, std::mem::take(&mut model.outputs), "{}", context());
            calls.note_leaving(&outputs, &acd);
            tally.note(&outputs, acd.plan.agents.len());
            places.retain(|call, _| acd.calls.contains_key(call));
            for (&call, caller) in acd.calls.iter() {
                let place = *places.entry(call).or_insert(caller.place);
                assert_eq!(caller.place, place, "{}: {call} lost its place", context());
            }
            assert_eq!(outputs, drain(&mut timely), "{}: woken in time", context());
            assert_eq!(acd.poll_timeout(), model.poll_timeout(), "{}", context());
            assert!(acd.calls.keys().eq(&calls.alive), "{}: a caller was lost or made up", context());
            if step == stored_at {
                acd = postcard::from_bytes(&postcard::to_stdvec(&acd).unwrap()).unwrap();
            }
        }
        end_of_the_day(&mut acd, now);
    }
    tally.check();
}

/// Once every caller has gone and time has passed, nobody may be left in any passing state.
fn end_of_the_day(acd: &mut Distributor, now: Mono) {
    let calls: Vec<CallId> = acd.calls.keys().copied().collect();
    for call in calls {
        acd.handle(Input::Abandon { call }, now).unwrap();
    }
    acd.handle_timeout(now + Duration::from_secs(100));
    assert_eq!((acd.call_count(), acd.poll_timeout()), (0, None));
    for (agent, state, _) in acd.agents() {
        let settled = matches!(state, Availability::Free | Availability::LoggedOut | Availability::Paused(_));
        let settled = settled || state == Availability::Unreachable;
        assert!(settled, "{agent} is stuck in {state:?}");
    }
}

#[test]
fn agrees_with_the_model_on_the_first_64_seeds() {
    sweep(0);
}

#[test]
fn agrees_with_the_model_on_the_second_64_seeds() {
    sweep(1);
}

#[test]
fn agrees_with_the_model_on_the_third_64_seeds() {
    sweep(2);
}

#[test]
fn agrees_with_the_model_on_the_fourth_64_seeds() {
    sweep(3);
}

fn presented(output: &Output) -> Option<(CallId, AgentId)> {
    match *output {
        Output::Present { call, agent } => Some((call, agent)),
        _ => None,
    }
}

/// A plan in which nothing but band and place decides.
fn plain(mut plan: Plan) -> Plan {
    for line in &mut plan.lines {
        *line = Line {
            teams: line.teams.clone(),
            ring_for: line.ring_for,
            wrap_up: line.wrap_up,
            ..Line::default()
        };
    }
    for team in &mut plan.teams {
        *team = Team { agents: team.agents.clone(), ..Team::default() };
    }
    plan.destinations.clear();
    plan
}

/// Each presentation is held against the callers who waited before the step and still wait after it.
#[test]
fn no_caller_is_ever_passed_over_for_one_of_a_lesser_band_or_a_later_arrival() {
    let mut presentations = 0;
    for seed in 0..SEEDS {
        let mut dice = Dice::new(100, seed);
        let plan = plain(dice.plan());
        let mut acd = Distributor::new(plan.clone(), Mono(0));
        let mut calls = Calls::default();
        let mut now = Mono(0);
        for step in 0..STEPS {
            let before = waiting(&acd);
            let places: Vec<Place> = acd.calls.iter().map(|(_, caller)| caller.place).collect();
            now = dice.later(now, acd.poll_timeout());
            let input = dice.input(&acd, &mut calls);
            if acd.handle(input.clone(), now).is_ok() {
                calls.note(&input);
            }
            let outputs = drain(&mut acd);
            let rung: BTreeSet<CallId> = outputs.iter().filter_map(presented).map(|(call, _)| call).collect();
            let after = waiting(&acd);
            let passed_over = after.intersection(&before).filter(|(_, place)| !rung.contains(&place.call));
            let passed_over: Vec<(LineId, Place)> = passed_over.copied().collect();
            for (call, agent) in outputs.iter().filter_map(presented) {
                presentations += 1;
                // What was due before an order that gives the caller another place was done by the old one.
                let places = places.iter().find(|place| place.call == call).copied();
                let Some(served) = places.into_iter().chain(acd.place(call).map(|(_, place)| place)).min()
                else {
                    continue;
                };
                for &(line, place) in &passed_over {
                    let teams = &plan.lines[line.index()].teams;
                    let eligible = teams.iter().any(|team| plan.teams[team.index()].agents.contains(&agent));
                    assert!(
                        !eligible || served < place,
                        "seed {seed} step {step}, {input:?}: {served:?} before {place:?}"
                    );
                }
            }
        }
    }
    assert!(presentations > 3_000, "{presentations} presentations prove little");
}

fn waiting(acd: &Distributor) -> BTreeSet<(LineId, Place)> {
    let lines = (0..acd.plan.lines.len() as u32).map(LineId);
    lines.flat_map(|line| acd.waiting(line).map(move |place| (line, *place))).collect()
}

#[test]
fn a_hundred_thousand_callers_and_ten_thousand_agents_are_matched_in_order() {
    const CALLERS: u64 = 100_000;
    const AGENTS: u32 = 10_000;
    let agents = (0..AGENTS).map(AgentId);
    let plan = Plan {
        lines: (0..100)
            .map(|number| Line {
                name: format!("line {number}"),
                teams: vec![TeamId(0), TeamId(1 + number % 10)],
                ring_for: Duration::from_secs(20),
                wrap_up: Duration::ZERO,
                ..Line::default()
            })
            .collect(),
        teams: (0..11)
            .map(|number| Team {
                name: format!("team {number}"),
                agents: agents.clone().filter(|agent| number == 0 || agent.0 % 10 == number - 1).collect(),
                ..Team::default()
            })
            .collect(),
        agents: agents
            .clone()
            .map(|agent| Agent { name: agent.to_string(), logged_in: false, ..Agent::default() })
            .collect(),
        ..super::plan()
    };
    let mut acd = Distributor::new(plan, Mono(0));
    for number in 0..CALLERS {
        let input = Input::Arrive {
            call: CallId(number),
            newcomer: Newcomer::new(LineId(number as u32 % 100), Band::ROUTINE),
        };
        acd.handle(input, Mono(number)).unwrap();
    }
    for agent in agents.clone() {
        acd.handle(Input::LogIn { agent }, Mono(CALLERS)).unwrap();
    }
    acd.check_invariants();
    let mut next = 0;
    for (call, agent) in drain(&mut acd).iter().filter_map(presented) {
        assert_eq!((call.0, u64::from(agent.0)), (next, next));
        next += 1;
    }
    assert_eq!(next, u64::from(AGENTS));
    for agent in agents {
        let call = CallId(u64::from(agent.0));
        acd.handle(Input::Answer { agent, call }, Mono(CALLERS)).unwrap();
        acd.handle(Input::Finish { agent, call }, Mono(CALLERS)).unwrap();
    }
    acd.check_invariants();
    let order: Vec<u64> = drain(&mut acd).iter().filter_map(presented).map(|(call, _)| call.0).collect();
    assert!(order.into_iter().eq(u64::from(AGENTS)..2 * u64::from(AGENTS)));
}
