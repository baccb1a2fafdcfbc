//! The day on virtual time: people do as they did, the exchange decides.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Call, End, Outcomes, People, Recorded, Shift, line_of};
use crate::acd::redial::CallerKey;
use crate::acd::{Band, Entry, Exchange, Guide, Input, Newcomer, Output, PauseReason};
use crate::id::{AgentId, CallId};
use crate::switch::plan::Plan;
use crate::time::Mono;

/// For how long after the last arrival those who wait may still be answered.
const AFTERWARDS: Duration = Duration::from_secs(3 * 3_600);

/// What happens next.
#[derive(Copy, Clone, Debug)]
enum Due {
    Shift(usize),
    Arrives(usize),
    GivesUp(CallId),
    PicksUp(AgentId, CallId),
    Done(AgentId, CallId),
}

struct Rerun<'a> {
    day: &'a Recorded,
    people: People,
    plan: &'a Plan,
    exchange: Exchange,
    due: BTreeMap<(Mono, u64), Due>,
    number: u64,
    /// Who rings for whom.
    rings: BTreeMap<AgentId, CallId>,
    /// Calls that are not over, and whether they talk.
    open: BTreeMap<CallId, bool>,
    outcomes: Outcomes,
}

/// What would have become of the day's calls on this plan. Calls of trunks that it does not know are turned away.
///
/// Callbacks are offered to nobody, and every agent who is rung picks up.
pub fn rerun(day: &Recorded, plan: &Plan) -> Outcomes {
    // Rules on trial decide nothing.
    let guide = Guide { trial: None, ..plan.guide.clone() };
    let mut rerun = Rerun {
        day,
        people: People::of(day),
        plan,
        exchange: Exchange::new(plan.acd.clone(), guide, day.begin),
        due: BTreeMap::new(),
        number: 0,
        rings: BTreeMap::new(),
        open: BTreeMap::new(),
        outcomes: Outcomes { calls: Vec::new() },
    };
    rerun.run();
    rerun.outcomes
}

impl Rerun<'_> {
    fn run(&mut self) {
        for (name, &shift) in &self.day.staff {
            self.turn(name, shift, self.day.begin.mono);
        }
        for (at, (when, ..)) in self.day.shifts.iter().enumerate() {
            self.at(*when, Due::Shift(at));
        }
        for (at, call) in self.day.calls.iter().enumerate() {
            self.at(call.at, Due::Arrives(at));
        }
        let last = self.day.calls.last().map_or(self.day.begin.mono, |call| call.at);
        let end = last + AFTERWARDS;
        self.follow(self.day.begin.mono);
        loop {
            let next = self.due.first_key_value().map(|(&(at, _), _)| at);
            let deadline = self.exchange.poll_timeout();
            let Some(now) = next.into_iter().chain(deadline).min().filter(|&at| at < end) else { break };
            if now > last && self.open.is_empty() {
                break;
            }
            if deadline.is_some_and(|deadline| deadline <= now) {
                self.exchange.handle_timeout(now);
            } else if let Some((_, due)) = self.due.pop_first() {
                self.take(due, now);
            }
            self.follow(now);
        }
        let open: Vec<CallId> =
            self.open.iter().filter(|(_, talks)| !**talks).map(|(call, _)| *call).collect();
        open.into_iter().for_each(|call| self.is_over(call, End::Open, end));
    }

    fn at(&mut self, at: Mono, due: Due) {
        self.number += 1;
        self.due.insert((at, self.number), due);
    }

    fn take(&mut self, due: Due, now: Mono) {
        match due {
            Due::Shift(at) => {
                let (_, name, shift) = &self.day.shifts[at];
                self.turn(name, *shift, now);
            }
            Due::Arrives(at) => self.arrive(at, now),
            Due::GivesUp(call) => {
                if self.open.get(&call) == Some(&false) {
                    self.tell(Input::Abandon { call }, now);
                    self.is_over(call, End::GaveUp, now);
                    self.open.remove(&call);
                }
            }
            Due::PicksUp(agent, call) => {
                if self.rings.get(&agent) == Some(&call) {
                    self.tell(Input::Answer { agent, call }, now);
                }
            }
            Due::Done(agent, call) => {
                self.tell(Input::Finish { agent, call }, now);
                self.open.remove(&call);
            }
        }
    }

    /// An agent comes, goes, pauses or comes back; one whom the plan does not know does not count.
    fn turn(&mut self, name: &str, shift: Shift, now: Mono) {
        let Some(agent) = self.plan.acd.agent_named(name) else { return };
        let inputs = match shift {
            Shift::Works => vec![Input::LogIn { agent }, Input::Resume { agent }],
            Shift::Pauses => {
                vec![
                    Input::LogIn { agent },
                    Input::Pause { agent, reason: PauseReason::Chosen(String::new()) },
                ]
            }
            Shift::Away => vec![Input::LogOut { agent }],
        };
        inputs.into_iter().for_each(|input| self.tell(input, now));
    }

    /// What does not fit changes nothing: a log-in of one who is at work, say.
    fn tell(&mut self, input: Input, now: Mono) {
        let _ = self.exchange.handle(input, now);
    }

    fn arrive(&mut self, at: usize, now: Mono) {
        let call = &self.day.calls[at];
        let trunk = call.trunk_on(self.plan);
        self.outcomes.calls.push((line_of(trunk, self.plan), End::TurnedAway, Duration::ZERO));
        let Some(trunk) = trunk else { return };
        let band = if trunk.emergency { Band::EMERGENCY } else { Band::ROUTINE };
        let newcomer = Newcomer { practice: trunk.practice, ..Newcomer::new(trunk.line, band) };
        let key = call.cli.as_deref().map(key_of);
        if self.exchange.entry(&newcomer, key, now) != Entry::Join {
            return;
        }
        let id = CallId(at as u64);
        if self.exchange.arrive(id, newcomer, key, now).is_ok() {
            self.open.insert(id, false);
            if let Some(patience) = self.people.patience(call) {
                self.at(now + patience, Due::GivesUp(id));
            }
        }
    }

    /// Does what the exchange wants, until it wants nothing more.
    fn follow(&mut self, now: Mono) {
        while let Some(output) = self.exchange.poll_output() {
            match output {
                Output::Present { call, agent } => {
                    self.rings.insert(agent, call);
                    self.at(now + self.day.ring(), Due::PicksUp(agent, call));
                }
                Output::Withdraw { agent, .. } => {
                    self.rings.remove(&agent);
                }
                Output::Connect { call, agent } => {
                    self.rings.remove(&agent);
                    self.is_over(call, End::Answered, now);
                    self.open.insert(call, true);
                    let talk = self.people.talk(self.call(call));
                    self.at(now + talk, Due::Done(agent, call));
                }
                Output::Release { call, .. } => {
                    self.is_over(call, End::TurnedAway, now);
                    self.open.remove(&call);
                }
                _ => {}
            }
        }
    }

    fn call(&self, call: CallId) -> &Call {
        &self.day.calls[call.0 as usize]
    }

    /// What became of a call is known.
    fn is_over(&mut self, id: CallId, end: End, now: Mono) {
        let waited = now.since(self.call(id).at);
        let (_, known, wait) = &mut self.outcomes.calls[id.0 as usize];
        (*known, *wait) = (end, waited);
    }
}

/// Equal numbers have equal keys; this stays within the process.
fn key_of(cli: &str) -> CallerKey {
    let mut key = [0; 16];
    cli.bytes().zip(&mut key).for_each(|(byte, to)| *to = byte);
    CallerKey(key)
}
