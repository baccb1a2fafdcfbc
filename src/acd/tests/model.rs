//! The reference: a distributor of plain lists, searched in full for every decision.
//!
//! Nothing is stored twice, so nothing can disagree: a caller waits when no agent holds the call, and a
//! deadline is part of the state that it ends.

use super::*;

#[derive(Clone, Debug)]
struct Caller {
    call: CallId,
    line: LineId,
    /// Band, arrival and running number: the lesser goes first.
    place: (Band, Mono, usize),
}

#[derive(Clone, Debug)]
enum Doing {
    Nothing,
    Idle { since: Mono },
    Ringing { call: CallId, until: Mono, idle_since: Mono },
    Talking { call: CallId, wish: Option<Wish> },
    WrapUp { until: Mono },
    Resting { until: Mono },
    Paused { reason: PauseReason, until: Option<Mono> },
}

#[derive(Clone, Debug)]
enum Wish {
    Pause(PauseReason),
    LogOut,
}

/// The reference distributor.
#[derive(Clone, Debug)]
pub(super) struct Model {
    plan: Plan,
    callers: Vec<Caller>,
    agents: Vec<Doing>,
    misses: Vec<u32>,
    arrivals: usize,
    now: Mono,
    pub(super) outputs: Vec<Output>,
}

impl Model {
    pub(super) fn new(plan: Plan, now: Mono) -> Model {
        let doing = |agent: &Agent| if agent.logged_in { Doing::Idle { since: now } } else { Doing::Nothing };
        Model {
            agents: plan.agents.iter().map(doing).collect(),
            misses: vec![0; plan.agents.len()],
            plan,
            callers: Vec::new(),
            arrivals: 0,
            now,
            outputs: Vec::new(),
        }
    }

    pub(super) fn handle(&mut self, input: Input, now: Mono) -> Result<(), Refused> {
        self.handle_timeout(now);
        let now = self.now;
        match input {
            Input::Arrive { call, newcomer: Newcomer { line, band, .. } } => {
                if line.index() >= self.plan.lines.len() {
                    return Err(Refused::NotInPlan(line.to_string()));
                }
                if self.callers.iter().any(|caller| caller.call == call) {
                    return Err(Refused::DuplicateCall(call));
                }
                self.arrivals += 1;
                self.callers.push(Caller { call, line, place: (band, now, self.arrivals) });
            }
            Input::Abandon { call } => {
                let Some(caller) = self.callers.iter().find(|caller| caller.call == call).cloned() else {
                    return Err(Refused::UnknownCall(call));
                };
                self.callers.retain(|caller| caller.call != call);
                if let Some(agent) = self.holder(call) {
                    if let Doing::Ringing { idle_since, .. } = self.agents[agent.index()] {
                        self.withdraw(agent, call, Withdrawal::CallerGone);
                        self.set(agent, Doing::Idle { since: idle_since });
                    } else {
                        self.after_talk(agent, caller.line);
                    }
                }
            }
            Input::Answer { agent, call } => {
                self.ringing(agent, call)?;
                self.misses[agent.index()] = 0;
                self.outputs.push(Output::Connect { call, agent });
                self.set(agent, Doing::Talking { call, wish: None });
            }
            Input::Refuse { agent, call, cause } => {
                self.ringing(agent, call)?;
                self.miss(agent, cause);
            }
            Input::Withhold { agent, call } => {
                self.ringing(agent, call)?;
                let rest = self.plan.rest.failed.max(Duration::from_secs(1));
                self.set(agent, Doing::Resting { until: self.now + rest });
            }
            Input::Finish { agent, call } => {
                self.talking(agent, call)?;
                let line = self.callers.iter().find(|caller| caller.call == call).unwrap().line;
                self.callers.retain(|caller| caller.call != call);
                self.after_talk(agent, line);
            }
            Input::Lose { agent, call } => match self.talking(agent, call)? {
                Some(wish) => self.grant(agent, wish),
                None => self.miss(agent, Cause::Unreachable),
            },
            Input::LogIn { agent } => match self.doing(agent)? {
                Doing::Nothing => {
                    self.misses[agent.index()] = 0;
                    self.set(agent, Doing::Idle { since: now });
                }
                Doing::Talking { call, wish: Some(Wish::LogOut) } => {
                    self.agents[agent.index()] = Doing::Talking { call, wish: None };
                }
                _ => return Err(Refused::WrongState(agent)),
            },
            Input::LogOut { agent } => self.wish(agent, Wish::LogOut)?,
            Input::Pause { agent, reason } => self.wish(agent, Wish::Pause(reason))?,
            Input::Reach { agent, .. } | Input::ExtendWrapUp { agent, .. } | Input::EndWrapUp { agent } => {
                return Err(Refused::WrongState(agent));
            }
            Input::Resume { agent } => match self.doing(agent)? {
                Doing::Paused { .. } => {
                    self.misses[agent.index()] = 0;
                    self.set(agent, Doing::Idle { since: now });
                }
                Doing::Talking { call, wish: Some(Wish::Pause(_)) } => {
                    self.agents[agent.index()] = Doing::Talking { call, wish: None };
                }
                _ => return Err(Refused::WrongState(agent)),
            },
        }
        self.match_all();
        Ok(())
    }

    pub(super) fn handle_timeout(&mut self, now: Mono) {
        while let Some((at, agent)) = self.next_deadline().filter(|&(at, _)| at <= now) {
            self.now = self.now.max(at);
            match self.agents[agent.index()] {
                Doing::Ringing { call, .. } => {
                    self.withdraw(agent, call, Withdrawal::RangOut);
                    self.miss(agent, Cause::NoAnswer);
                }
                _ => self.set(agent, Doing::Idle { since: self.now }),
            }
            self.match_all();
        }
        self.now = self.now.max(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Mono> {
        self.next_deadline().map(|(at, _)| at)
    }

    fn next_deadline(&self) -> Option<(Mono, AgentId)> {
        let until = |doing: &Doing| match *doing {
            Doing::Ringing { until, .. } | Doing::WrapUp { until } | Doing::Resting { until } => Some(until),
            Doing::Paused { until, .. } => until,
            _ => None,
        };
        self.ids().filter_map(|agent| Some((until(&self.agents[agent.index()])?, agent))).min()
    }

    /// Presents callers in order, each to the longest idle agent that can answer, until none can be.
    fn match_all(&mut self) {
        loop {
            let mut waiting: Vec<Caller> =
                self.callers.iter().filter(|caller| self.holder(caller.call).is_none()).cloned().collect();
            waiting.sort_by_key(|caller| caller.place);
            let pair = waiting.iter().find_map(|caller| {
                let idle = |agent: AgentId| match self.agents[agent.index()] {
                    Doing::Idle { since } if self.can_answer(agent, caller.line) => Some((since, agent)),
                    _ => None,
                };
                Some((caller.clone(), self.ids().filter_map(idle).min()?))
            });
            let Some((Caller { call, line, .. }, (idle_since, agent))) = pair else { return };
            let ring_for = self.plan.lines[line.index()].ring_for.max(Duration::from_millis(1));
            self.outputs.push(Output::Present { call, agent });
            self.set(agent, Doing::Ringing { call, until: self.now + ring_for, idle_since });
        }
    }

    fn can_answer(&self, agent: AgentId, line: LineId) -> bool {
        let teams = &self.plan.lines[line.index()].teams;
        teams.iter().any(|team| self.plan.teams[team.index()].agents.contains(&agent))
    }

    fn miss(&mut self, agent: AgentId, cause: Cause) {
        let Plan { misses_before_pause, rest: Rests { failed: rest_after_miss, .. }, miss_pause, .. } =
            self.plan;
        let misses = &mut self.misses[agent.index()];
        *misses += 1;
        if misses_before_pause > 0 && *misses >= misses_before_pause {
            let until = (!miss_pause.is_zero()).then(|| self.now + miss_pause);
            self.set(agent, Doing::Paused { reason: PauseReason::Missed(cause), until });
        } else if rest_after_miss.is_zero() {
            self.agents[agent.index()] = Doing::Nothing;
            self.match_all();
            self.set(agent, Doing::Idle { since: self.now });
        } else {
            self.set(agent, Doing::Resting { until: self.now + rest_after_miss });
        }
    }

    fn after_talk(&mut self, agent: AgentId, line: LineId) {
        let wrap_up = self.plan.lines[line.index()].wrap_up;
        match self.agents[agent.index()].clone() {
            Doing::Talking { wish: Some(wish), .. } => self.grant(agent, wish),
            _ if wrap_up.is_zero() => self.set(agent, Doing::Idle { since: self.now }),
            _ => self.set(agent, Doing::WrapUp { until: self.now + wrap_up }),
        }
    }

    fn wish(&mut self, agent: AgentId, wish: Wish) -> Result<(), Refused> {
        match self.doing(agent)? {
            Doing::Nothing | Doing::Talking { wish: Some(Wish::LogOut), .. } => {
                return Err(Refused::WrongState(agent));
            }
            Doing::Talking { call, .. } => {
                self.agents[agent.index()] = Doing::Talking { call, wish: Some(wish) };
            }
            Doing::Ringing { call, .. } => {
                self.withdraw(agent, call, Withdrawal::AgentGone);
                self.grant(agent, wish);
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

    fn set(&mut self, agent: AgentId, doing: Doing) {
        let state = match &doing {
            Doing::Nothing => Availability::LoggedOut,
            Doing::Idle { .. } => Availability::Free,
            Doing::Ringing { call, .. } => Availability::Ringing(*call),
            Doing::Talking { call, .. } => Availability::Talking(*call),
            Doing::WrapUp { .. } => Availability::WrapUp,
            Doing::Resting { .. } => Availability::Resting,
            Doing::Paused { reason, .. } => Availability::Paused(reason.clone()),
        };
        self.agents[agent.index()] = doing;
        self.outputs.push(Output::Availability { agent, state });
    }

    fn withdraw(&mut self, agent: AgentId, call: CallId, why: Withdrawal) {
        self.outputs.push(Output::Withdraw { call, agent, why });
    }

    fn holder(&self, call: CallId) -> Option<AgentId> {
        self.ids().find(|agent| match self.agents[agent.index()] {
            Doing::Ringing { call: held, .. } | Doing::Talking { call: held, .. } => held == call,
            _ => false,
        })
    }

    fn ringing(&self, agent: AgentId, call: CallId) -> Result<(), Refused> {
        match self.doing(agent)? {
            Doing::Ringing { call: held, .. } if held == call => Ok(()),
            _ => Err(Refused::NotTheirs { agent, call }),
        }
    }

    fn talking(&self, agent: AgentId, call: CallId) -> Result<Option<Wish>, Refused> {
        match self.doing(agent)? {
            Doing::Talking { call: held, wish } if held == call => Ok(wish),
            _ => Err(Refused::NotTheirs { agent, call }),
        }
    }

    fn doing(&self, agent: AgentId) -> Result<Doing, Refused> {
        self.agents.get(agent.index()).cloned().ok_or_else(|| Refused::NotInPlan(agent.to_string()))
    }

    fn ids(&self) -> impl Iterator<Item = AgentId> + use<> {
        (0..self.agents.len() as u32).map(AgentId)
    }
}
