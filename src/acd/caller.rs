//! What befalls callers: they arrive, are answered, refused, lost or done.
//!
//! A caller keeps its place until the call is over; every failure on the agent's side leads back to it. Several
//! phones may ring for one caller, of which one wins; a phone rings for one caller at most.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::agent::{Afterwards, State};
use super::classes::{ClassId, Who};
use super::distributor::Distributor;
use super::place::Place;
use super::{Band, Cause, Newcomer, Output, PauseReason, Refused, Withdrawal};
use crate::id::{AgentId, CallId, DestinationId, LineId, PracticeId, RuleId, TeamId};
use crate::time::Mono;

/// How far a caller has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Nobody's phone rings for it.
    Waiting,
    /// Phones ring for it: [`Distributor::rung`] says whose.
    Presented,
    /// It talks with this agent.
    Talking(AgentId),
    /// It is handed on: one other phone rings, of which [`Distributor::rung`] says whose.
    Transferring {
        /// By this agent.
        by: AgentId,
        /// The agent has not hung up.
        on_line: bool,
    },
}

impl Stage {
    /// Whether the caller waits in the line, be it with a phone ringing.
    pub(super) fn is_in_line(self) -> bool {
        matches!(self, Stage::Waiting | Stage::Presented)
    }
}

/// A caller from arrival to the end of the call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Caller {
    pub(super) line: LineId,
    pub(super) place: Place,
    pub(super) practice: Option<PracticeId>,
    /// Since when it waits without having talked.
    pub(super) waits_since: Mono,
    pub(super) stage: Stage,
    /// Whose phones ring, in the order in which they began.
    pub(super) rung: Vec<AgentId>,
    /// Teams that count the presentation as the practice's turn.
    pub(super) charged: Vec<TeamId>,
    /// Where it is offered besides, having waited in vain.
    pub(super) out: Option<DestinationId>,
    /// What rules may ask of it.
    pub(super) who: Who,
    /// The rules that have said something to it.
    pub(super) told: Vec<RuleId>,
    /// Where it stands as long as it wants an agent.
    pub(super) class: Option<ClassId>,
}

impl Caller {
    pub(super) fn is_emergency(&self) -> bool {
        self.place.band == Band::EMERGENCY
    }
}

/// Without it, a presentation that cannot be made would be tried again in the same instant, for ever.
const SHORTEST_WITHHELD: Duration = Duration::from_secs(1);

impl Distributor {
    pub(super) fn arrive(&mut self, call: CallId, newcomer: Newcomer, now: Mono) -> Result<(), Refused> {
        let Newcomer { line, band, practice, .. } = newcomer;
        let Some(planned) = self.plan.lines.get(line.index()) else {
            return Err(Refused::NotInPlan(line.to_string()));
        };
        if self.calls.contains_key(&call) {
            return Err(Refused::DuplicateCall(call));
        }
        let first = planned.first.filter(|_| band != Band::EMERGENCY && !newcomer.callback);
        let place = self.enrol(call, &newcomer, Stage::Waiting, now);
        self.queues[line.index()].insert(place, practice, Stage::Waiting);
        self.stir(line);
        self.set_caller_deadline(call, now);
        match first.and_then(|destination| self.free_seat(destination)) {
            Some(seat) => self.present(call, seat, None, now),
            None => {
                self.seek_agents(call, now);
                self.may_leave(call);
                self.announce(call);
            }
        }
        Ok(())
    }

    /// Makes a caller known, who is not in the line yet.
    fn enrol(&mut self, call: CallId, newcomer: &Newcomer, stage: Stage, now: Mono) -> Place {
        let &Newcomer { line, band, practice, callback, .. } = newcomer;
        let priority = if callback { Duration::ZERO } else { self.priority(newcomer) };
        let rank = rank(now, newcomer.credit.saturating_add(priority));
        let place = Place { band, rank, number: self.arrivals, call, arrived: now, callback };
        self.arrivals += 1;
        let caller = Caller {
            line,
            place,
            practice,
            waits_since: now,
            stage,
            rung: Vec::new(),
            charged: Vec::new(),
            out: None,
            who: Who { redial: newcomer.redial, withheld: newcomer.withheld },
            told: Vec::new(),
            class: None,
        };
        self.calls.insert(call, caller);
        place
    }

    /// An agent who is idle in any way begins a call of the agent's own; a pause goes on after it.
    pub(super) fn serve(
        &mut self,
        agent: AgentId,
        call: CallId,
        (line, band): (LineId, Band),
        now: Mono,
    ) -> Result<(), Refused> {
        if self.plan.lines.get(line.index()).is_none() {
            return Err(Refused::NotInPlan(line.to_string()));
        }
        if self.calls.contains_key(&call) {
            return Err(Refused::DuplicateCall(call));
        }
        let seat = self.seats.get(agent.index()).filter(|seat| seat.destination.is_none());
        let afterwards = match seat.map(|seat| &seat.state) {
            Some(State::Free { .. } | State::Unreachable | State::WrapUp | State::Resting) => {
                Afterwards::WrapUp
            }
            Some(State::Paused(reason)) => Afterwards::Pause(reason.clone()),
            Some(State::LoggedOut | State::Ringing { .. } | State::Talking { .. }) => {
                return Err(Refused::WrongState(agent));
            }
            None => return Err(Refused::NotInPlan(agent.to_string())),
        };
        // Like a promised callback it is never led out, should the agent be lost and the patient have to wait.
        let newcomer = Newcomer { callback: true, ..Newcomer::new(line, band) };
        self.enrol(call, &newcomer, Stage::Talking(agent), now);
        self.enter(agent, State::Talking { call, afterwards }, now);
        Ok(())
    }

    pub(super) fn abandon(&mut self, call: CallId, now: Mono) -> Result<(), Refused> {
        let Some(caller) = self.forget(call) else { return Err(Refused::UnknownCall(call)) };
        match caller.stage {
            Stage::Waiting => {}
            Stage::Presented => self.silence(call, caller.rung, Withdrawal::CallerGone, now),
            Stage::Talking(agent) => self.end_talk(agent, caller.line, now),
            Stage::Transferring { by, on_line } => {
                self.silence(call, caller.rung, Withdrawal::CallerGone, now);
                if on_line {
                    self.end_talk(by, caller.line, now);
                }
            }
        }
        Ok(())
    }

    pub(super) fn answer(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        self.check_ringing(agent, call)?;
        let seat = &mut self.seats[agent.index()];
        seat.misses = 0;
        seat.answered = seat.answered.saturating_add(1);
        let mut others = self.calls.get_mut(&call).map(|caller| std::mem::take(&mut caller.rung));
        let handed_on = self.calls.get(&call).map(|caller| (caller.stage, caller.line));
        self.restage(call, Stage::Talking(agent));
        self.outputs.push_back(Output::Connect { call, agent });
        self.enter(agent, State::Talking { call, afterwards: Afterwards::WrapUp }, now);
        if let Some(others) = others.as_mut().filter(|others| others.len() > 1) {
            others.retain(|&other| other != agent);
            self.silence(call, std::mem::take(others), Withdrawal::AnsweredElsewhere, now);
        }
        if let Some((Stage::Transferring { by, on_line: true }, line)) = handed_on {
            self.end_talk(by, line, now);
        }
        Ok(())
    }

    pub(super) fn refuse(
        &mut self,
        agent: AgentId,
        call: CallId,
        cause: Cause,
        now: Mono,
    ) -> Result<(), Refused> {
        self.check_ringing(agent, call)?;
        self.miss(agent, call, cause, now);
        Ok(())
    }

    pub(super) fn withhold(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        self.check_ringing(agent, call)?;
        self.rest(agent, self.plan.rest.failed.max(SHORTEST_WITHHELD), now);
        self.ring_ended(call, agent, now);
        Ok(())
    }

    pub(super) fn ring_out(&mut self, agent: AgentId, call: CallId, now: Mono) {
        self.outputs.push_back(Output::Withdraw { call, agent, why: Withdrawal::RangOut });
        self.miss(agent, call, Cause::NoAnswer, now);
    }

    pub(super) fn finish(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        self.check_talking(agent, call)?;
        if self.stage(call) != Some(Stage::Talking(agent)) {
            return self.abandon(call, now);
        }
        if let Some(caller) = self.forget(call) {
            self.end_talk(agent, caller.line, now);
        }
        Ok(())
    }

    /// The agent is free again at once, whatever the line's wrap-up: there was no talk.
    pub(super) fn spare(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        let state = self.check_talking(agent, call)?.state_after();
        if self.stage(call) != Some(Stage::Talking(agent)) {
            return Err(Refused::WrongState(agent));
        }
        self.forget(call);
        match state {
            Some(state) => self.enter(agent, state, now),
            None => self.become_free(agent, now, now),
        }
        Ok(())
    }

    /// The caller takes another place.
    pub(super) fn credit(&mut self, call: CallId, credit: Duration, now: Mono) -> Result<(), Refused> {
        let caller = self.calls.get_mut(&call).ok_or(Refused::UnknownCall(call))?;
        let old = caller.place;
        let place = Place { rank: rank(old.arrived, credit), ..old };
        if place == old {
            return Ok(());
        }
        caller.place = place;
        let (practice, stage, old_class) = (caller.practice, caller.stage, caller.class.take());
        if !stage.is_in_line() {
            return Ok(());
        }
        let queue = &mut self.queues[caller.line.index()];
        queue.remove(old, practice, stage);
        queue.insert(place, practice, stage);
        self.stand_anew(call, (old_class, old), now);
        self.seek_agents(call, now);
        Ok(())
    }

    pub(super) fn lose(&mut self, agent: AgentId, call: CallId, now: Mono) -> Result<(), Refused> {
        let state = self.check_talking(agent, call)?.state_after();
        if let Some(caller) = self.calls.get_mut(&call) {
            caller.waits_since = now;
            caller.charged.clear();
        }
        match state {
            None => self.miss(agent, call, Cause::Unreachable, now),
            Some(state) => {
                self.enter(agent, state, now);
                self.ring_ended(call, agent, now);
            }
        }
        Ok(())
    }

    /// The next step of these callers has come: more teams, lesser needs, or the longest wait.
    pub(super) fn step_on(&mut self, calls: Vec<CallId>, now: Mono) {
        let mut classes = BTreeSet::new();
        for &call in &calls {
            self.set_caller_deadline(call, now);
            self.line_up(call, now);
            classes.extend(self.calls.get(&call).and_then(|caller| caller.class));
        }
        match calls[..] {
            [call] => self.seek_agents(call, now),
            _ => self.seek_for_all(classes, now),
        }
        calls.into_iter().for_each(|call| self.may_leave(call));
    }

    /// This agent no longer rings for, or talks with, the caller, who keeps the place and seeks another if none
    /// is left, or an emergency if too few are; one who was handed on goes back.
    pub(super) fn ring_ended(&mut self, call: CallId, agent: AgentId, now: Mono) {
        let Some(caller) = self.calls.get_mut(&call) else { return };
        caller.rung.retain(|&other| other != agent);
        if let Stage::Transferring { .. } = caller.stage {
            return self.transfer_failed(call, agent, now);
        }
        if caller.rung.is_empty() {
            self.give_back(call);
            self.restage(call, Stage::Waiting);
            self.may_leave(call);
        }
        self.seek_agents(call, now);
    }

    /// The one way from stage to stage, so that line and deadline agree with it.
    pub(super) fn restage(&mut self, call: CallId, stage: Stage) {
        let Some(caller) = self.calls.get_mut(&call) else { return };
        let from = std::mem::replace(&mut caller.stage, stage);
        let (line, place, practice) = (caller.line, caller.place, caller.practice);
        let queue = &mut self.queues[line.index()];
        match (from.is_in_line(), stage.is_in_line()) {
            (false, true) => {
                queue.insert(place, practice, stage);
                self.set_caller_deadline(call, self.now);
            }
            (true, false) => {
                queue.remove(place, practice, from);
                self.steps.clear(call);
                self.line_up(call, self.now);
            }
            (true, true) => return queue.restage(from, stage),
            (false, false) => return,
        }
        self.stir(line);
    }

    /// Takes the call out of everything, and its turns back if nobody has answered.
    pub(super) fn forget(&mut self, call: CallId) -> Option<Caller> {
        if self.stage(call)?.is_in_line() {
            self.give_back(call);
        }
        let caller = self.calls.remove(&call)?;
        self.queues[caller.line.index()].remove(caller.place, caller.practice, caller.stage);
        self.stir(caller.line);
        if let Some(class) = caller.class {
            self.classes.remove(class, caller.place);
        }
        self.steps.clear(call);
        Some(caller)
    }

    /// Sets a caller's own deadline after `now`.
    pub(super) fn set_caller_deadline(&mut self, call: CallId, now: Mono) {
        let Some(caller) = self.calls.get(&call) else { return };
        let step = self.roster.next_step(caller.line, caller.place.rank, now);
        let stays = caller.is_emergency() || caller.place.callback;
        let longest = self.plan.lines[caller.line.index()].max_wait.filter(|_| !stays);
        let end = longest.map(|longest| caller.waits_since + longest).filter(|&end| end > now);
        match step.into_iter().chain(end).min() {
            Some(at) => self.steps.set(call, at),
            None => self.steps.clear(call),
        }
    }

    /// Phones stop ringing through no fault of their agents, who keep their turns, and take whom they take next.
    fn silence(&mut self, call: CallId, rung: Vec<AgentId>, why: Withdrawal, now: Mono) {
        self.hush(call, &rung, why, now);
        self.seek_callers(rung, now);
    }

    /// Phones stop ringing, and no more.
    pub(super) fn hush(&mut self, call: CallId, rung: &[AgentId], why: Withdrawal, now: Mono) {
        for &agent in rung {
            self.outputs.push_back(Output::Withdraw { call, agent, why });
            let idle_since = match self.seats[agent.index()].state {
                State::Ringing { idle_since, .. } => idle_since,
                _ => now,
            };
            self.idle(agent, idle_since, now);
        }
    }

    /// The agent is set aside before the caller looks for another; one that needs no rest comes last.
    fn miss(&mut self, agent: AgentId, call: CallId, cause: Cause, now: Mono) {
        let rest = self.plan.rest.after(cause);
        let seat = &mut self.seats[agent.index()];
        if seat.destination.is_some() {
            self.rest(agent, rest.max(SHORTEST_WITHHELD), now);
            return self.ring_ended(call, agent, now);
        }
        seat.misses = seat.misses.saturating_add(1);
        let most = self.plan.misses_before_pause;
        if most > 0 && seat.misses >= most {
            self.enter(agent, State::Paused(PauseReason::Missed(cause)), now);
            if !self.plan.miss_pause.is_zero() {
                self.deadlines.set(agent, now + self.plan.miss_pause);
            }
            self.ring_ended(call, agent, now);
        } else if rest.is_zero() {
            self.ring_ended(call, agent, now);
            self.become_free(agent, now, now);
        } else {
            self.rest(agent, rest, now);
            self.ring_ended(call, agent, now);
        }
    }

    /// Leaves an agent alone for a while; for a seat, all of its destination that are free.
    fn rest(&mut self, agent: AgentId, rest: Duration, now: Mono) {
        let mut resting = vec![agent];
        if let Some(destination) = self.seats[agent.index()].destination {
            let others = self.plan.seats(destination);
            resting.extend(others.filter(|seat| self.seats[seat.index()].idle_since().is_some()));
        }
        for agent in resting {
            self.enter(agent, State::Resting, now);
            self.deadlines.set(agent, now + rest);
        }
    }

    pub(super) fn end_talk(&mut self, agent: AgentId, line: LineId, now: Mono) {
        if let Some(state) = self.seats[agent.index()].state_after() {
            self.enter(agent, state, now);
            return;
        }
        let wrap_up = self.plan.lines[line.index()].wrap_up;
        if wrap_up.is_zero() || self.seats[agent.index()].destination.is_some() {
            self.become_free(agent, now, now);
        } else {
            self.enter(agent, State::WrapUp, now);
            self.deadlines.set(agent, now + wrap_up);
        }
    }
}

/// The rank of one who came at `arrived` and counts as if it had waited so much longer.
fn rank(arrived: Mono, credit: Duration) -> i64 {
    let credit = i64::try_from(credit.as_micros()).unwrap_or(i64::MAX);
    i64::try_from(arrived.0).unwrap_or(i64::MAX).saturating_sub(credit)
}
