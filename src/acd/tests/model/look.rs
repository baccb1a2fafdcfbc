//! What the reference sees when it looks at its lists; nothing here changes anything.

use std::cmp::Reverse;

use super::*;

impl Model {
    pub(super) fn next_deadline(&self) -> Option<(Mono, Timer)> {
        let until = |agent: &AgentId| match self.agent(*agent).doing {
            Doing::Ringing { until, .. } | Doing::WrapUp { until, .. } | Doing::Resting { until } => {
                Some(until)
            }
            Doing::Paused { until, .. } => until,
            _ => None,
        };
        let agents = self.ids().filter_map(|agent| Some((until(&agent)?, Timer::Agent(agent))));
        let waiting = self.callers.iter().filter(|caller| self.talker(caller.call).is_none());
        let callers = waiting.flat_map(|caller| {
            let line = self.line(caller);
            let steps =
                line.relax.iter().map(|step| step.after).chain(line.widen.iter().map(|step| step.after));
            let steps = steps.map(|after| (caller.place.0 + after.as_micros() as i64).max(0) as u64);
            let longest = line
                .max_wait
                .filter(|_| caller.newcomer.band != Band::EMERGENCY && !caller.newcomer.callback);
            let end = longest.map(|longest| (caller.waits_since + longest).0);
            let times = steps.chain(end).filter(|&at| at > self.now.0).collect::<Vec<_>>();
            times.into_iter().map(|at| (Mono(at), Timer::Caller(caller.call)))
        });
        agents.chain(callers).min()
    }

    pub(super) fn to_recall(&self, caller: &Caller) -> Option<AgentId> {
        if caller.newcomer.band != Band::EMERGENCY || self.holders(caller.call) > 0 {
            return None;
        }
        let routine = self.ids().filter_map(|agent| match self.agent(agent).doing {
            Doing::Ringing { call, since, .. } if self.caller(call).newcomer.band != Band::EMERGENCY => {
                self.can_answer(agent, caller).then_some((Reverse(since), agent))
            }
            _ => None,
        });
        routine.min().map(|(_, agent)| agent)
    }

    /// What a free agent would take next: the first at the desks of its teams.
    pub(super) fn next_for(&self, agent: AgentId) -> Option<Caller> {
        if !self.is_idle(agent) {
            return None;
        }
        let firsts = (0..self.teams.len()).filter(|&team| self.is_member(agent, team)).filter_map(|team| {
            let wanting = self.callers.iter().filter(|caller| {
                self.wants(caller) && self.reach(caller).contains(&team) && self.meets(agent, caller)
            });
            let is_fair = self.plan.teams.get(team).is_some_and(|team| team.fair_share.is_some());
            wanting.min_by_key(|caller| {
                let counts = is_fair && caller.newcomer.band != Band::EMERGENCY;
                let tag = counts.then(|| self.teams[team].tags[&caller.newcomer.practice]);
                let (band, rung, place) = self.order(caller);
                (band, rung, tag, place)
            })
        });
        let first = firsts.min_by_key(|caller| self.order(caller))?;
        (first.newcomer.band == Band::EMERGENCY || self.can_spare(agent)).then_some(first.clone())
    }

    /// The agent for a caller, and the team that puts it forward.
    pub(super) fn choose(&self, caller: &Caller) -> Option<(AgentId, usize)> {
        if !self.wants(caller) {
            return None;
        }
        let mut best: Option<((bool, Mono, AgentId), AgentId, usize)> = None;
        for team in self.reach(caller) {
            let Some(agent) = self.put_forward(caller, team) else { continue };
            let Doing::Idle { since } = self.agent(agent).doing else { unreachable!() };
            let order = (self.agent(agent).destination.is_some(), since, agent);
            if best.is_none_or(|(least, ..)| order < least) {
                best = Some((order, agent, team));
            }
        }
        best.map(|(_, agent, team)| (agent, team))
    }

    pub(super) fn put_forward(&self, caller: &Caller, team: usize) -> Option<AgentId> {
        let emergency = caller.newcomer.band == Band::EMERGENCY;
        let strategy = self.plan.teams.get(team).map(|team| team.strategy).unwrap_or_default();
        let free = self.ids().filter(|&agent| self.is_idle(agent) && self.is_member(agent, team));
        let may = free.filter(|&agent| self.meets(agent, caller) && (emergency || self.can_spare(agent)));
        may.min_by_key(|&agent| {
            let Doing::Idle { since } = self.agent(agent).doing else { unreachable!() };
            let position = self.position(agent, team);
            match strategy {
                Strategy::LongestIdle => (false, since.0, 0, agent),
                Strategy::FewestCalls => (false, u64::from(self.agent(agent).answered), since.0, agent),
                Strategy::RoundRobin => (position <= self.teams[team].last, position as u64, 0, agent),
                Strategy::Ordered | Strategy::RingAll => (false, position as u64, 0, agent),
            }
        })
    }

    pub(super) fn way_out(&self, call: CallId) -> Option<(WayOut, Leaving)> {
        let caller = self.callers.iter().find(|caller| caller.call == call)?;
        if caller.newcomer.band == Band::EMERGENCY || caller.newcomer.callback || self.holders(call) > 0 {
            return None;
        }
        let line = self.line(caller);
        let too_long = line.max_wait.is_some_and(|longest| self.now >= caller.waits_since + longest);
        let reach = self.reach(caller);
        let mut members = self.ids().filter(|&agent| reach.iter().any(|&team| self.is_member(agent, team)));
        let nobody = !members.any(|agent| self.is_at_work(agent));
        let ways = [
            too_long.then_some((line.way_out, Leaving::WaitedTooLong)),
            line.leave_when_empty.filter(|_| nobody).map(|way| (way, Leaving::NobodyAtWork)),
        ];
        ways.into_iter().flatten().find(|(way, _)| match way {
            WayOut::RouteTo(to) => caller.out.is_none() && to.index() < self.plan.destinations.len(),
            _ => true,
        })
    }

    pub(super) fn line(&self, caller: &Caller) -> &Line {
        &self.plan.lines[caller.newcomer.line.index()]
    }

    pub(super) fn waited(&self, caller: &Caller) -> Duration {
        Duration::from_micros((self.now.0 as i64 - caller.place.0).max(0) as u64)
    }

    pub(super) fn reach(&self, caller: &Caller) -> Vec<usize> {
        let (line, people) = (self.line(caller), self.plan.teams.len());
        let mut widen: Vec<&Widen> = line.widen.iter().collect();
        widen.sort_by_key(|step| step.after);
        let widened = widen.into_iter().filter(|step| step.after <= self.waited(caller));
        let known = |team: &&TeamId| team.index() < people;
        let mut reach: Vec<usize> = line.teams.iter().filter(known).map(|team| team.index()).collect();
        reach.extend(self.added[caller.newcomer.line.index()].iter().map(|team| team.index()));
        reach.extend(widened.flat_map(|step| &step.add_teams).filter(known).map(|team| team.index()));
        reach.extend(caller.out.map(|id| people + id.index()));
        let outside = caller.newcomer.band != Band::EMERGENCY && !caller.newcomer.callback;
        reach.retain(|&team| team < people || outside);
        let mut seen = BTreeSet::new();
        reach.into_iter().filter(|team| seen.insert(*team)).collect()
    }

    pub(super) fn meets(&self, agent: AgentId, caller: &Caller) -> bool {
        let Some(planned) = self.plan.agents.get(agent.index()) else { return true };
        let line = self.line(caller);
        let mut relax: Vec<&Relax> = line.relax.iter().collect();
        relax.sort_by_key(|step| step.after);
        let last = relax.into_iter().rfind(|step| step.after <= self.waited(caller));
        let needs = last.map_or(&line.needs, |step| &step.needs);
        needs.iter().all(|(skill, &level)| planned.skills.get(skill).copied().unwrap_or(0) >= level)
    }

    pub(super) fn can_answer(&self, agent: AgentId, caller: &Caller) -> bool {
        self.meets(agent, caller) && self.reach(caller).iter().any(|&team| self.is_member(agent, team))
    }

    pub(super) fn can_spare(&self, agent: AgentId) -> bool {
        self.plan.teams.iter().enumerate().filter(|&(team, _)| self.is_member(agent, team)).all(
            |(at, team)| {
                let free =
                    self.ids().filter(|&other| self.is_idle(other) && self.is_member(other, at)).count();
                free > team.keep_free_for_emergency as usize
            },
        )
    }

    pub(super) fn wants(&self, caller: &Caller) -> bool {
        let holders = self.holders(caller.call);
        let parallel = self.line(caller).emergency_parallel as usize;
        let emergency = caller.newcomer.band == Band::EMERGENCY;
        self.talker(caller.call).is_none() && (holders == 0 || emergency && holders < parallel)
    }

    pub(super) fn order(&self, caller: &Caller) -> (Band, bool, (i64, usize)) {
        (caller.newcomer.band, self.holders(caller.call) > 0, caller.place)
    }

    pub(super) fn in_order(&self) -> Vec<Caller> {
        let mut callers = self.callers.clone();
        callers.sort_by_key(|caller| self.order(caller));
        callers
    }

    /// From 1 in the team's list; 0 for one who is no member.
    pub(super) fn position(&self, agent: AgentId, team: usize) -> usize {
        match self.plan.teams.get(team) {
            Some(team) => {
                let known = team.agents.iter().filter(|agent| agent.index() < self.plan.agents.len());
                known.copied().position(|member| member == agent).map_or(0, |at| at + 1)
            }
            None => {
                let id = DestinationId((team - self.plan.teams.len()) as u32);
                self.plan.seats(id).position(|seat| seat == agent).map_or(0, |at| at + 1)
            }
        }
    }

    pub(super) fn is_member(&self, agent: AgentId, team: usize) -> bool {
        self.position(agent, team) > 0
    }

    pub(super) fn is_idle(&self, agent: AgentId) -> bool {
        matches!(self.agent(agent).doing, Doing::Idle { .. })
    }

    pub(super) fn is_at_work(&self, agent: AgentId) -> bool {
        let found = self.agent(agent);
        found.reachable && !matches!(found.doing, Doing::Nothing | Doing::Paused { .. })
    }

    pub(super) fn talker(&self, call: CallId) -> Option<AgentId> {
        self.ids().find(
            |agent| matches!(self.agent(*agent).doing, Doing::Talking { call: held, .. } if held == call),
        )
    }

    /// How many ring for, or talk with, a caller.
    pub(super) fn holders(&self, call: CallId) -> usize {
        let holds = |agent: &AgentId| match self.agent(*agent).doing {
            Doing::Ringing { call: held, .. } | Doing::Talking { call: held, .. } => held == call,
            _ => false,
        };
        self.ids().filter(holds).count()
    }

    pub(super) fn ringing(&self, agent: AgentId, call: CallId) -> Result<(), Refused> {
        match self.known(agent)?.doing {
            Doing::Ringing { call: held, .. } if held == call => Ok(()),
            _ => Err(Refused::NotTheirs { agent, call }),
        }
    }

    pub(super) fn talking(&self, agent: AgentId, call: CallId) -> Result<Option<Wish>, Refused> {
        match self.known(agent)?.doing.clone() {
            Doing::Talking { call: held, wish } if held == call => Ok(wish),
            _ => Err(Refused::NotTheirs { agent, call }),
        }
    }

    pub(super) fn caller(&self, call: CallId) -> &Caller {
        self.callers.iter().find(|caller| caller.call == call).unwrap()
    }

    pub(super) fn agent(&self, agent: AgentId) -> &Agent {
        &self.agents[agent.index()]
    }

    pub(super) fn known(&self, agent: AgentId) -> Result<&Agent, Refused> {
        self.agents.get(agent.index()).ok_or_else(|| Refused::NotInPlan(agent.to_string()))
    }

    pub(super) fn person(&self, agent: AgentId) -> Result<&Agent, Refused> {
        let person = self.known(agent).ok().filter(|found| found.destination.is_none());
        person.ok_or_else(|| Refused::NotInPlan(agent.to_string()))
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = AgentId> + use<> {
        (0..self.agents.len() as u32).map(AgentId)
    }
}
