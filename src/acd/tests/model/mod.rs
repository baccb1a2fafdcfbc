//! The reference: a distributor of plain lists, searched in full for every decision.
//!
//! Nothing is stored twice, so nothing can disagree: a caller waits when no agent holds the call, reach and
//! needs follow from the time, and a deadline is part of the state that it ends. Only the practices' tags have
//! a memory of their own.

mod look;

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[derive(Clone, Debug)]
struct Caller {
    call: CallId,
    newcomer: Newcomer,
    /// Arrival less credit, and running number: the lesser goes first.
    place: (i64, usize),
    arrived: Mono,
    waits_since: Mono,
    charged: Vec<usize>,
    out: Option<DestinationId>,
}

#[derive(Clone, Debug)]
enum Doing {
    Nothing,
    Idle { since: Mono },
    CutOff,
    Ringing { call: CallId, since: Mono, until: Mono, idle_since: Mono, turn: usize },
    Talking { call: CallId, wish: Option<Wish> },
    WrapUp { since: Mono, until: Mono },
    Resting { until: Mono },
    Paused { reason: PauseReason, until: Option<Mono> },
}

#[derive(Clone, Debug)]
enum Wish {
    Pause(PauseReason),
    LogOut,
}

#[derive(Clone, Debug)]
struct Agent {
    doing: Doing,
    destination: Option<DestinationId>,
    reachable: bool,
    misses: u32,
    answered: u32,
}

/// What one team remembers.
#[derive(Clone, Debug, Default)]
struct Memory {
    last: usize,
    now: u64,
    tags: BTreeMap<Option<PracticeId>, u64>,
    waiting: BTreeSet<Option<PracticeId>>,
}

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Caller(CallId),
    Agent(AgentId),
}

/// The reference distributor.
#[derive(Clone, Debug)]
pub(super) struct Model {
    plan: Plan,
    callers: Vec<Caller>,
    agents: Vec<Agent>,
    /// Teams of destinations after those of people.
    teams: Vec<Memory>,
    added: Vec<Vec<TeamId>>,
    arrivals: usize,
    turns: usize,
    now: Mono,
    pub(super) outputs: Vec<Output>,
}

impl Model {
    pub(super) fn new(plan: Plan, now: Mono) -> Model {
        let agent = |logged_in, destination| Agent {
            doing: if logged_in { Doing::Idle { since: now } } else { Doing::Nothing },
            destination,
            reachable: true,
            misses: 0,
            answered: 0,
        };
        let mut agents: Vec<Agent> =
            plan.agents.iter().map(|planned| agent(planned.logged_in, None)).collect();
        for (id, destination) in (0u32..).map(DestinationId).zip(&plan.destinations) {
            agents.extend((0..destination.capacity).map(|_| agent(true, Some(id))));
        }
        Model {
            agents,
            teams: vec![Memory::default(); plan.teams.len() + plan.destinations.len()],
            added: vec![Vec::new(); plan.lines.len()],
            plan,
            callers: Vec::new(),
            arrivals: 0,
            turns: 0,
            now,
            outputs: Vec::new(),
        }
    }

    pub(super) fn handle(&mut self, input: Input, now: Mono) -> Result<(), Refused> {
        self.handle_timeout(now);
        let result = self.apply(input);
        self.match_all();
        self.lead_out();
        result
    }

    pub(super) fn handle_timeout(&mut self, now: Mono) {
        while let Some((at, timer)) = self.next_deadline().filter(|&(at, _)| at <= now) {
            self.now = self.now.max(at);
            if let Timer::Agent(agent) = timer {
                match self.agent(agent).doing {
                    Doing::Ringing { call, .. } => {
                        self.withdraw(agent, call, Withdrawal::RangOut);
                        self.miss(agent, Cause::NoAnswer);
                    }
                    _ => self.idle(agent, self.now),
                }
            }
            self.match_all();
            self.lead_out();
        }
        self.now = self.now.max(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Mono> {
        self.next_deadline().map(|(at, _)| at)
    }

    pub(super) fn set_added(&mut self, line: LineId, added: Vec<TeamId>) {
        self.added[line.index()] = added;
        self.match_all();
        self.lead_out();
    }

    fn apply(&mut self, input: Input) -> Result<(), Refused> {
        let now = self.now;
        match input {
            Input::Transfer { .. } | Input::Leave { .. } | Input::Serve { .. } => {
                panic!("what agents begin themselves has a sweep of its own")
            }
            Input::Arrive { call, newcomer } => return self.arrive(call, newcomer),
            Input::Abandon { call } => {
                let Some(caller) = self.callers.iter().find(|caller| caller.call == call).cloned() else {
                    return Err(Refused::UnknownCall(call));
                };
                match self.talker(call) {
                    Some(agent) => self.after_talk(agent, caller.newcomer.line),
                    None => self.give_back(call),
                }
                self.callers.retain(|caller| caller.call != call);
                self.silence(call, Withdrawal::CallerGone);
            }
            Input::Answer { agent, call } => {
                self.ringing(agent, call)?;
                let winner = &mut self.agents[agent.index()];
                winner.misses = 0;
                winner.answered += 1;
                self.outputs.push(Output::Connect { call, agent });
                self.set(agent, Doing::Talking { call, wish: None });
                self.silence(call, Withdrawal::AnsweredElsewhere);
            }
            Input::Refuse { agent, call, cause } => {
                self.ringing(agent, call)?;
                self.miss(agent, cause);
            }
            Input::Withhold { agent, call } => {
                self.ringing(agent, call)?;
                self.rest(agent, self.plan.rest.failed.max(Duration::from_secs(1)));
                self.give_back_if_waiting(call);
            }
            Input::Finish { agent, call } => {
                self.talking(agent, call)?;
                let line = self.caller(call).newcomer.line;
                self.callers.retain(|caller| caller.call != call);
                self.after_talk(agent, line);
            }
            Input::Lose { agent, call } => {
                let wish = self.talking(agent, call)?;
                let caller = self.callers.iter_mut().find(|caller| caller.call == call).unwrap();
                caller.waits_since = now;
                caller.charged.clear();
                match wish {
                    Some(wish) => self.grant(agent, wish),
                    None => self.miss(agent, Cause::Unreachable),
                }
            }
            Input::Spare { agent, call } => {
                let wish = self.talking(agent, call)?;
                self.callers.retain(|caller| caller.call != call);
                match wish {
                    Some(wish) => self.grant(agent, wish),
                    None => self.idle(agent, now),
                }
            }
            Input::Credit { call, credit } => {
                let caller = self.callers.iter_mut().find(|caller| caller.call == call);
                let caller = caller.ok_or(Refused::UnknownCall(call))?;
                caller.place.0 = caller.arrived.0 as i64 - credit.as_micros() as i64;
            }
            Input::Rank { call, band } => {
                let in_line = self.talker(call).is_none();
                let caller = self.callers.iter_mut().find(|caller| caller.call == call);
                let caller = caller.ok_or(Refused::UnknownCall(call))?;
                if caller.newcomer.band == Band::EMERGENCY {
                    return Ok(());
                }
                let urgent = band == Band::EMERGENCY;
                caller.newcomer.band = band;
                if urgent {
                    caller.out = None;
                }
                if urgent && in_line {
                    self.give_back(call);
                    self.silence_some(call, Withdrawal::AgentGone, |agent| agent.destination.is_some());
                }
            }
            Input::Move { call, line, band } => {
                if self.plan.lines.get(line.index()).is_none_or(|known| known.gone.is_some()) {
                    return Err(Refused::NotInPlan(line.to_string()));
                }
                let in_line = self.talker(call).is_none();
                let caller = self.callers.iter_mut().find(|caller| caller.call == call);
                let caller = caller.ok_or(Refused::UnknownCall(call))?;
                if !in_line || caller.newcomer.callback {
                    return Err(Refused::NotWaiting(call));
                }
                if caller.newcomer.line == line {
                    return Ok(());
                }
                (caller.newcomer.line, caller.newcomer.band) = (line, caller.newcomer.band.min(band));
                (caller.out, caller.waits_since) = (None, now);
                self.give_back(call);
                self.silence(call, Withdrawal::AgentGone);
            }
            Input::LogIn { agent } => match self.person(agent)?.doing.clone() {
                Doing::Nothing => {
                    self.agents[agent.index()].misses = 0;
                    self.agents[agent.index()].answered = 0;
                    self.idle(agent, now);
                }
                Doing::Talking { call, wish: Some(Wish::LogOut) } => {
                    self.agents[agent.index()].doing = Doing::Talking { call, wish: None };
                }
                _ => return Err(Refused::WrongState(agent)),
            },
            Input::LogOut { agent } => self.wish(agent, Wish::LogOut)?,
            Input::Pause { agent, reason } => self.wish(agent, Wish::Pause(reason))?,
            Input::Resume { agent } => match self.person(agent)?.doing.clone() {
                Doing::Paused { .. } => {
                    self.agents[agent.index()].misses = 0;
                    self.idle(agent, now);
                }
                Doing::Talking { call, wish: Some(Wish::Pause(_)) } => {
                    self.agents[agent.index()].doing = Doing::Talking { call, wish: None };
                }
                _ => return Err(Refused::WrongState(agent)),
            },
            Input::Reach { agent, reachable } => {
                let found = self.agents.get(agent.index()).ok_or(Refused::NotInPlan(agent.to_string()))?;
                let group = found.destination.map_or(vec![agent], |id| self.plan.seats(id).collect());
                for agent in group {
                    self.agents[agent.index()].reachable = reachable;
                    match self.agent(agent).doing {
                        Doing::Idle { .. } if !reachable => self.set(agent, Doing::CutOff),
                        Doing::CutOff if reachable => self.set(agent, Doing::Idle { since: now }),
                        _ => {}
                    }
                }
            }
            Input::ExtendWrapUp { agent, by } => {
                let limit = self.plan.wrap_up_limit;
                self.person(agent)?;
                match &mut self.agents[agent.index()].doing {
                    Doing::WrapUp { since, until } => {
                        *until = (*until).max((*until + by).min(*since + limit));
                    }
                    _ => return Err(Refused::WrongState(agent)),
                }
            }
            Input::Report { .. } | Input::Estimate { .. } => {}
            Input::EndWrapUp { agent } => match self.person(agent)?.doing {
                Doing::WrapUp { .. } => self.idle(agent, now),
                _ => return Err(Refused::WrongState(agent)),
            },
        }
        Ok(())
    }

    fn arrive(&mut self, call: CallId, newcomer: Newcomer) -> Result<(), Refused> {
        let Some(line) = self.plan.lines.get(newcomer.line.index()) else {
            return Err(Refused::NotInPlan(newcomer.line.to_string()));
        };
        if self.callers.iter().any(|caller| caller.call == call) {
            return Err(Refused::DuplicateCall(call));
        }
        let first = line.first.filter(|_| newcomer.band != Band::EMERGENCY && !newcomer.callback);
        self.arrivals += 1;
        let place = (self.now.0 as i64 - newcomer.credit.as_micros() as i64, self.arrivals);
        let waits_since = self.now;
        let arrived = self.now;
        self.callers.push(Caller {
            call,
            newcomer,
            place,
            arrived,
            waits_since,
            charged: Vec::new(),
            out: None,
        });
        let idle = |agent: &AgentId| matches!(self.agent(*agent).doing, Doing::Idle { .. });
        let seats = first.into_iter().flat_map(|id| self.plan.seats(id)).filter(idle);
        let longest = seats.min_by_key(|&seat| match self.agent(seat).doing {
            Doing::Idle { since } => (since, seat),
            _ => unreachable!(),
        });
        if let Some(seat) = longest {
            self.present(call, seat, &[]);
        }
        Ok(())
    }

    /// Of the callers whom free agents would take next the first is served, until there is none; then
    /// emergencies for whom nothing rings take back routine presentations.
    fn match_all(&mut self) {
        loop {
            self.notice_practices();
            let next = self.ids().filter_map(|agent| self.next_for(agent));
            if let Some(caller) = next.min_by_key(|caller| self.order(caller)) {
                assert!(self.serve(&caller));
            } else if let Some(caller) =
                self.in_order().into_iter().find(|caller| self.to_recall(caller).is_some())
            {
                self.recall(&caller);
            } else {
                return;
            }
        }
    }

    /// Presents a caller to the agent put forward, or to all of its team; whether there is one.
    fn serve(&mut self, caller: &Caller) -> bool {
        let Some((agent, team)) = self.choose(caller) else { return false };
        let reach = self.reach(caller);
        self.present(caller.call, agent, &reach);
        if self.plan.teams.get(team).is_some_and(|team| team.strategy == Strategy::RingAll) {
            while let Some(agent) = self.put_forward(caller, team) {
                self.present(caller.call, agent, &reach);
            }
        }
        self.notice_practices();
        true
    }

    fn recall(&mut self, emergency: &Caller) {
        let agent = self.to_recall(emergency).unwrap();
        let Doing::Ringing { call, .. } = self.agent(agent).doing else { unreachable!() };
        self.withdraw(agent, call, Withdrawal::Recalled);
        self.present(emergency.call, agent, &[]);
        self.give_back_if_waiting(call);
    }

    fn present(&mut self, call: CallId, agent: AgentId, reach: &[usize]) {
        let (Doing::Idle { since: idle_since } | Doing::Ringing { idle_since, .. }) = self.agent(agent).doing
        else {
            unreachable!()
        };
        let caller = self.caller(call).clone();
        let line = self.line(&caller);
        let ring_for = match self.agent(agent).destination {
            Some(id) => self.plan.destinations[id.index()].ring_for,
            None => line.ring_for,
        };
        let mine: Vec<usize> = (0..self.teams.len()).filter(|&team| self.is_member(agent, team)).collect();
        for &team in mine.iter().filter(|team| reach.contains(team) && !caller.charged.contains(team)) {
            let shares = self.plan.teams.get(team).and_then(|team| team.fair_share.as_ref());
            let Some(one) = shares.map(|shares| one_call(shares, caller.newcomer.practice)) else { continue };
            if caller.newcomer.band == Band::EMERGENCY {
                continue;
            }
            let memory = &mut self.teams[team];
            let tag = memory.tags.get_mut(&caller.newcomer.practice).unwrap();
            memory.now = memory.now.max(*tag);
            *tag += one;
            self.callers.iter_mut().find(|other| other.call == call).unwrap().charged.push(team);
        }
        for team in mine {
            self.teams[team].last = self.position(agent, team);
        }
        self.turns += 1;
        self.outputs.push(Output::Present { call, agent });
        let until = self.now + ring_for.max(Duration::from_millis(1));
        self.set(agent, Doing::Ringing { call, since: self.now, until, idle_since, turn: self.turns });
    }

    /// A practice of which nobody waited at a team and now somebody does starts at the team's own time.
    fn notice_practices(&mut self) {
        for team in 0..self.teams.len() {
            let wanting = self.callers.iter().filter(|caller| {
                let routine = caller.newcomer.band != Band::EMERGENCY;
                routine && self.wants(caller) && self.reach(caller).contains(&team)
            });
            let practices: BTreeSet<_> = wanting.map(|caller| caller.newcomer.practice).collect();
            let memory = &mut self.teams[team];
            for &practice in practices.difference(&memory.waiting) {
                let tag = memory.tags.entry(practice).or_default();
                *tag = (*tag).max(memory.now);
            }
            memory.waiting = practices;
        }
    }

    fn give_back_if_waiting(&mut self, call: CallId) {
        if self.holders(call) == 0 {
            self.give_back(call);
        }
    }

    fn give_back(&mut self, call: CallId) {
        let caller = self.callers.iter_mut().find(|caller| caller.call == call).unwrap();
        let practice = caller.newcomer.practice;
        for team in std::mem::take(&mut caller.charged) {
            let one = one_call(self.plan.teams[team].fair_share.as_ref().unwrap(), practice);
            let tag = self.teams[team].tags.get_mut(&practice).unwrap();
            *tag = tag.saturating_sub(one);
        }
    }

    fn lead_out(&mut self) {
        let mut callers = self.in_order();
        callers.sort_by_key(|caller| caller.newcomer.line);
        for Caller { call, .. } in callers {
            while let Some((way, why)) = self.way_out(call) {
                if let WayOut::RouteTo(to) = way {
                    self.callers.iter_mut().find(|other| other.call == call).unwrap().out = Some(to);
                    self.match_all();
                } else {
                    self.callers.retain(|other| other.call != call);
                    self.outputs.push(Output::Release { call, way, why });
                }
            }
        }
    }

    fn miss(&mut self, agent: AgentId, cause: Cause) {
        let (Doing::Ringing { call, .. } | Doing::Talking { call, .. }) = self.agent(agent).doing else {
            unreachable!()
        };
        let rest = self.plan.rest.after(cause);
        let Plan { misses_before_pause, miss_pause, .. } = self.plan;
        if self.agent(agent).destination.is_some() {
            self.rest(agent, rest.max(Duration::from_secs(1)));
            return self.give_back_if_waiting(call);
        }
        let misses = &mut self.agents[agent.index()].misses;
        *misses += 1;
        if misses_before_pause > 0 && *misses >= misses_before_pause {
            let until = (!miss_pause.is_zero()).then(|| self.now + miss_pause);
            self.set(agent, Doing::Paused { reason: PauseReason::Missed(cause), until });
            self.give_back_if_waiting(call);
        } else if rest.is_zero() {
            self.agents[agent.index()].doing = Doing::Nothing;
            self.give_back_if_waiting(call);
            self.match_all();
            self.idle(agent, self.now);
        } else {
            self.rest(agent, rest);
            self.give_back_if_waiting(call);
        }
    }

    fn rest(&mut self, agent: AgentId, rest: Duration) {
        let group = self.agent(agent).destination.map_or(vec![], |id| self.plan.seats(id).collect());
        let others = group.into_iter().filter(|&other| other != agent && self.is_idle(other));
        for agent in std::iter::once(agent).chain(others.collect::<Vec<_>>()) {
            self.set(agent, Doing::Resting { until: self.now + rest });
        }
    }

    fn after_talk(&mut self, agent: AgentId, line: LineId) {
        let wrap_up = self.plan.lines[line.index()].wrap_up;
        match self.agent(agent).doing.clone() {
            Doing::Talking { wish: Some(wish), .. } => self.grant(agent, wish),
            _ if wrap_up.is_zero() || self.agent(agent).destination.is_some() => self.idle(agent, self.now),
            _ => self.set(agent, Doing::WrapUp { since: self.now, until: self.now + wrap_up }),
        }
    }

    fn wish(&mut self, agent: AgentId, wish: Wish) -> Result<(), Refused> {
        match self.person(agent)?.doing.clone() {
            Doing::Nothing | Doing::Talking { wish: Some(Wish::LogOut), .. } => {
                return Err(Refused::WrongState(agent));
            }
            Doing::Talking { call, .. } => {
                self.agents[agent.index()].doing = Doing::Talking { call, wish: Some(wish) };
            }
            Doing::Ringing { call, .. } => {
                self.withdraw(agent, call, Withdrawal::AgentGone);
                self.grant(agent, wish);
                self.give_back_if_waiting(call);
            }
            _ => self.grant(agent, wish),
        }
        Ok(())
    }

    fn grant(&mut self, agent: AgentId, wish: Wish) {
        let doing = match wish {
            Wish::Pause(reason) => Doing::Paused { reason, until: None },
            Wish::LogOut => Doing::Nothing,
        };
        self.set(agent, doing);
    }

    fn idle(&mut self, agent: AgentId, since: Mono) {
        let doing = if self.agent(agent).reachable { Doing::Idle { since } } else { Doing::CutOff };
        self.set(agent, doing);
    }

    fn set(&mut self, agent: AgentId, doing: Doing) {
        let state = match &doing {
            Doing::Nothing => Availability::LoggedOut,
            Doing::Idle { .. } => Availability::Free,
            Doing::CutOff => Availability::Unreachable,
            Doing::Ringing { call, .. } => Availability::Ringing(*call),
            Doing::Talking { call, .. } => Availability::Talking(*call),
            Doing::WrapUp { .. } => Availability::WrapUp,
            Doing::Resting { .. } => Availability::Resting,
            Doing::Paused { reason, .. } => Availability::Paused(reason.clone()),
        };
        self.agents[agent.index()].doing = doing;
        if self.agent(agent).destination.is_none() {
            self.outputs.push(Output::Availability { agent, state });
        }
    }

    /// Every phone that still rings for a call stops, in the order in which they began.
    fn silence(&mut self, call: CallId, why: Withdrawal) {
        self.silence_some(call, why, |_| true);
    }

    fn silence_some(&mut self, call: CallId, why: Withdrawal, which: impl Fn(&Agent) -> bool) {
        let rung = self.ids().filter_map(|agent| match self.agent(agent).doing {
            Doing::Ringing { call: held, idle_since, turn, .. }
                if held == call && which(self.agent(agent)) =>
            {
                Some((turn, agent, idle_since))
            }
            _ => None,
        });
        for (_, agent, idle_since) in rung.collect::<BTreeSet<_>>() {
            self.withdraw(agent, call, why);
            self.idle(agent, idle_since);
        }
    }

    fn withdraw(&mut self, agent: AgentId, call: CallId, why: Withdrawal) {
        self.outputs.push(Output::Withdraw { call, agent, why });
    }
}

fn one_call(shares: &Shares, practice: Option<PracticeId>) -> u64 {
    let weight = practice.and_then(|practice| shares.get(&practice)).copied().unwrap_or(1);
    (1 << 32) / u64::from(weight.max(1))
}
