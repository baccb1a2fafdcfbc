//! What must be true after every input, checked in full.
//!
//! Debug builds check by themselves while the state is small, and now and then in a long run; simulations call
//! [`Distributor::check_invariants`] when they choose.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::agent::State;
use super::distributor::Distributor;
use super::waiting::Queue;
use super::{Band, PauseReason, Stage};
use crate::id::{AgentId, LineId, TeamId};

/// Up to so many calls and agents a full check after every input is cheap enough for debug builds.
const SMALL: usize = 512;

/// After so many arrivals there is little news in every single one: a check around every 64th will do.
const YOUNG: u64 = 500;

impl Distributor {
    /// Panics, saying what is wrong, unless every caller has one owner or phones that all ring for it alone,
    /// every agent at most one call, no free agent may be presented a caller who wants one, no emergency waits
    /// while a phone that could ring for it rings for a routine call, nobody stays who has to leave, and every
    /// index and count agrees with the states.
    ///
    /// Costs a few steps for each call and agent.
    pub fn check_invariants(&self) {
        self.check_callers();
        self.check_agents();
        self.check_counts();
        self.check_desks();
        self.check_matching();
        assert!(self.to_clear.is_empty() && self.to_lead_out.is_empty(), "somebody is left to be led out");
        assert!(self.poll_timeout().is_none_or(|at| at >= self.now), "a deadline was passed over");
    }

    pub(super) fn check_while_small(&self) {
        let is_small = || self.calls.len() + self.seats.len() <= SMALL;
        let is_its_turn = || self.arrivals < YOUNG || self.arrivals.is_multiple_of(64);
        if cfg!(debug_assertions) && is_small() && is_its_turn() {
            self.check_invariants();
        }
    }

    fn check_callers(&self) {
        let mut queues = vec![Queue::default(); self.plan.lines.len()];
        let mut wanting = BTreeMap::new();
        for (&call, caller) in self.calls.iter() {
            assert_eq!(caller.place.call, call, "the place of {call} is another's");
            queues[caller.line.index()].insert(caller.place, caller.practice, caller.stage);
            let state = |agent: &AgentId| &self.seats[agent.index()].state;
            match caller.stage {
                Stage::Waiting => assert!(caller.rung.is_empty(), "{call} waits while phones ring"),
                Stage::Presented => {
                    assert!(!caller.rung.is_empty(), "{call} is presented to nobody");
                    let distinct: BTreeSet<_> = caller.rung.iter().collect();
                    assert_eq!(distinct.len(), caller.rung.len(), "{call} rings twice on one phone");
                    for agent in &caller.rung {
                        let holds =
                            matches!(state(agent), State::Ringing { call: held, .. } if *held == call);
                        assert!(holds, "{call} is presented to {agent}, who is {:?}", state(agent));
                    }
                }
                Stage::Talking(agent) => {
                    assert!(caller.rung.is_empty(), "{call} talks while phones ring");
                    let holds = matches!(state(&agent), State::Talking { call: held, .. } if *held == call);
                    assert!(holds, "{call} talks with {agent}, who is {:?}", state(&agent));
                }
                Stage::Transferring { by, on_line } => {
                    let [agent] = caller.rung[..] else { panic!("{call} is handed to {:?}", caller.rung) };
                    let rings = matches!(state(&agent), State::Ringing { call: held, .. } if *held == call);
                    assert!(rings, "{call} is handed to {agent}, who is {:?}", state(&agent));
                    let holds = matches!(state(&by), State::Talking { call: held, .. } if *held == call);
                    assert_eq!(holds, on_line, "{call} is handed on by {by}, who is {:?}", state(&by));
                }
            }
            assert_eq!(caller.class.is_some(), self.wants(caller), "{call} in a class");
            if let Some(class) = caller.class {
                wanting.entry(class).or_insert_with(BTreeSet::new).insert(caller.place);
                let kind = self.classes.of(class).kind;
                assert_eq!((kind.line, kind.band, kind.out), (caller.line, caller.place.band, caller.out));
                assert_eq!(kind.rung, caller.stage == Stage::Presented, "the class of {call}");
            }
            assert_eq!(self.way_out(call, self.now), None, "{call} should have left");
        }
        for (class, found) in self.classes.all() {
            assert_eq!(found.wanting, wanting.remove(&class).unwrap_or_default(), "{:?}", found.kind);
            assert_eq!(found.teams, self.classes.reach(&found.kind, &self.roster), "{:?}", found.kind);
        }
        for (line, (queue, found)) in queues.iter().zip(&self.queues).enumerate() {
            assert!(queue.agrees_with(found), "line {line}: {found:?}");
        }
    }

    fn check_agents(&self) {
        let mut deadlines = 0;
        let mut ringing = BTreeSet::new();
        for (agent, seat) in (0u32..).map(AgentId).zip(&self.seats) {
            let timed = self.deadlines.at(agent).is_some();
            deadlines += usize::from(timed);
            let state = &seat.state;
            let sound = match *state {
                State::LoggedOut | State::Paused(PauseReason::Chosen(_)) => !timed,
                State::Free { idle_since } => {
                    let is_in = |&(team, position): &(TeamId, u32)| {
                        self.free.of(team).has(seat, position, idle_since, agent)
                    };
                    !timed && seat.reachable && seat.teams.iter().all(is_in)
                }
                State::Unreachable => !timed && !seat.reachable,
                State::Ringing { call, .. } => {
                    let caller = self.calls.get(&call);
                    if caller.is_some_and(|caller| !caller.is_emergency()) {
                        ringing.insert((Reverse(seat.since), agent));
                    }
                    timed && caller.is_some_and(|caller| caller.rung.contains(&agent))
                }
                State::Talking { call, .. } => {
                    let handing = Stage::Transferring { by: agent, on_line: true };
                    let stage = self.stage(call);
                    !timed && (stage == Some(Stage::Talking(agent)) || stage == Some(handing))
                }
                State::WrapUp | State::Resting => timed,
                // By an earlier plan it may end by itself where by this one it does not.
                State::Paused(PauseReason::Missed(_)) => true,
            };
            assert!(sound, "{agent} is {state:?}, deadline set: {timed}");
        }
        assert_eq!(ringing, self.ringing, "phones that ring for routine callers");
        let callers = self.calls.keys().filter(|call| self.steps.at(**call).is_some());
        assert_eq!(
            (deadlines, callers.count()),
            (self.deadlines.len(), self.steps.len()),
            "a deadline of nobody"
        );
    }

    fn check_counts(&self) {
        for (team, bench) in (0u32..).map(TeamId).zip(&self.free.by_team) {
            let members = || self.seats.iter().filter(|seat| seat.is_in(team));
            let free = members().filter(|seat| seat.idle_since().is_some()).count();
            assert_eq!((bench.len, bench.all().count()), (free, free), "free in {team}");
            let at_work = members().filter(|seat| seat.at_work()).count();
            assert_eq!(self.at_work[team.index()], at_work, "at work in {team}");
        }
        for (line, &crew) in (0u32..).map(LineId).zip(&self.crew_of) {
            let teams = self.roster.own_teams(line);
            let of_line = || self.seats.iter().filter(|seat| teams.iter().any(|&team| seat.is_in(team)));
            let free = of_line().filter(|seat| seat.idle_since().is_some()).count();
            let at_work = of_line().filter(|seat| seat.at_work()).count();
            let crew = &self.crews[crew as usize];
            assert_eq!((crew.free as usize, crew.at_work as usize), (free, at_work), "the crew of {line}");
        }
    }

    /// Every desk has the first caller of every class that its team answers, and no other.
    fn check_desks(&self) {
        let mut firsts: Vec<BTreeSet<_>> = vec![BTreeSet::new(); self.classes.desks.len()];
        for (class, found) in self.classes.all() {
            if let Some(first) = found.wanting.first() {
                for team in &found.teams {
                    firsts[team.index()].insert((found.needs, first.call, class));
                }
            }
        }
        for (team, desk) in self.classes.desks.iter().enumerate() {
            let turns =
                desk.turns.iter().flat_map(|(&needs, turns)| turns.iter().map(move |turn| (needs, turn)));
            let found: BTreeSet<_> =
                turns.map(|(needs, turn)| (needs, turn.place.call, turn.class)).collect();
            assert_eq!(found, firsts[team], "the desk of team {team}");
            desk.check_tags();
        }
    }

    fn check_matching(&self) {
        for (agent, seat) in (0u32..).map(AgentId).zip(&self.seats) {
            let next = self.next_caller(agent);
            assert!(next.is_none(), "{agent} is {:?} while {next:?} waits", seat.state);
        }
        for class in self.classes.all().map(|(_, class)| class) {
            if class.kind.band == Band::EMERGENCY && !class.kind.rung && !class.wanting.is_empty() {
                assert_eq!(
                    self.to_recall(class),
                    None,
                    "rings for a routine call; {:?} waits",
                    class.wanting
                );
            }
        }
    }
}
