//! A plan made to follow another: whatever both have by name gets the id it has there.
//!
//! What the new plan no longer has keeps its place in the tables, marked as gone, for the calls, agents and
//! counters that still speak of it. Clips, windows and rules are only spoken of by the plan itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::acd::pathway::Pathway;
use crate::acd::{self, Destination, Gone, Needs, WayOut};
use crate::calendar::{self, Calendar};
use crate::id::{AgentId, ClipId, DestinationId, LineId, PracticeId, SkillId, TeamId};
use crate::policy::rules::{Refusal, Rule, RuleBook, Trial};
use crate::policy::{Ingress, Trunk};

use super::callbacks::CallbackPlan;
use super::plan::{Phone, Plan, Probes, Stack, Treatment};

/// What becomes of the callers of a line that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// They are served as before, until the last is gone.
    Drain,
    /// They join this line.
    Remap(String),
}

/// Where the entries of one table go.
struct Moves {
    /// By old place in the new plan's own table: the place it gets.
    to: Vec<usize>,
    len: usize,
}

impl Moves {
    fn new(old: Vec<&str>, new: Vec<&str>) -> Moves {
        let at: BTreeMap<&str, usize> = old.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let mut len = old.len();
        let to: Vec<usize> = new
            .iter()
            .map(|name| match at.get(name) {
                Some(&at) => at,
                None => {
                    len += 1;
                    len - 1
                }
            })
            .collect();
        Moves { to, len }
    }

    /// The new place of what was at `at`; what was nowhere stays so.
    fn of(&self, at: u32) -> u32 {
        self.to.get(at as usize).map_or(at, |&to| u32::try_from(to).unwrap_or(u32::MAX))
    }

    /// The table in its new order, with what `ghost` makes of each place whose owner is gone.
    fn arrange<T>(&self, table: Vec<T>, mut ghost: impl FnMut(usize) -> T) -> Vec<T> {
        let mut arranged: Vec<Option<T>> = (0..self.len).map(|_| None).collect();
        for (entry, &to) in table.into_iter().zip(&self.to) {
            arranged[to] = Some(entry);
        }
        arranged.into_iter().enumerate().map(|(at, entry)| entry.unwrap_or_else(|| ghost(at))).collect()
    }
}

fn names<T>(table: &[T], name: impl Fn(&T) -> &str) -> Vec<&str> {
    table.iter().map(name).collect()
}

impl Plan {
    /// This plan with the ids of `old`; `removed` says what becomes of the callers of lines that it no longer has.
    pub fn following(self, old: &Plan, removed: &BTreeMap<String, Removed>) -> Plan {
        let (a, b) = (&old.acd, &self.acd);
        let lines = Moves::new(names(&a.lines, |x| &x.name), names(&b.lines, |x| &x.name));
        let teams = Moves::new(names(&a.teams, |x| &x.name), names(&b.teams, |x| &x.name));
        let agents = Moves::new(names(&a.agents, |x| &x.name), names(&b.agents, |x| &x.name));
        let destinations =
            Moves::new(names(&a.destinations, |x| &x.name), names(&b.destinations, |x| &x.name));
        let skills = Moves::new(names(&a.skills, |x| x), names(&b.skills, |x| x));
        let pathways = Moves::new(names(&old.pathways, |x| &x.name), names(&self.pathways, |x| &x.name));
        let stacks = Moves::new(names(&old.stacks, |x| &x.name), names(&self.stacks, |x| &x.name));
        let (a, b) = (&old.ingress, &self.ingress);
        let trunks = Moves::new(names(&a.trunks, |x| &x.name), names(&b.trunks, |x| &x.name));
        let practices = Moves::new(names(&a.practices, |x| &x.name), names(&b.practices, |x| &x.name));
        let shift = Shift { lines, teams, agents, destinations, skills, pathways, stacks, trunks, practices };
        shift.plan(self, old, removed)
    }

    /// The rules and the calendar of this plan, to be tried beside those of `live`: whatever both have by name has
    /// the id it has there. Rules must speak of nothing that `live` lacks.
    pub fn on_trial_beside(self, live: &Plan) -> Trial {
        let clips = self.guide.rules.surroundings().clips.clone();
        let surroundings = live.guide.rules.surroundings().clone();
        let guide = self.following(live, &BTreeMap::new()).guide;
        let clip_of = |clip: ClipId| {
            let at = surroundings.clips.iter().position(|name| Some(name) == clips.get(clip.index()));
            at.and_then(|at| u32::try_from(at).ok()).map(ClipId)
        };
        let rules = guide.rules.rules().iter().cloned().map(|mut rule| {
            rule.actions.announce = rule.actions.announce.and_then(clip_of);
            rule
        });
        let rules = rules.collect();
        Trial { rules: Arc::new(RuleBook::new(rules, surroundings)), calendar: guide.calendar }
    }
}

struct Shift {
    lines: Moves,
    teams: Moves,
    agents: Moves,
    destinations: Moves,
    pathways: Moves,
    stacks: Moves,
    skills: Moves,
    trunks: Moves,
    practices: Moves,
}

impl Shift {
    fn line(&self, line: LineId) -> LineId {
        LineId(self.lines.of(line.0))
    }

    fn teams(&self, teams: &mut [TeamId]) {
        teams.iter_mut().for_each(|team| *team = TeamId(self.teams.of(team.0)));
    }

    fn skills(&self, levels: &mut Needs) {
        let moved = std::mem::take(levels).into_iter();
        *levels = moved.map(|(skill, level)| (SkillId(self.skills.of(skill.0)), level)).collect();
    }

    fn practice(&self, practice: PracticeId) -> PracticeId {
        PracticeId(self.practices.of(practice.0))
    }

    fn destination(&self, destination: &mut DestinationId) {
        *destination = DestinationId(self.destinations.of(destination.0));
    }

    fn plan(&self, new: Plan, old: &Plan, removed: &BTreeMap<String, Removed>) -> Plan {
        let Plan { ingress, acd, guide, phones, treatments, mut pathways, mut stacks, .. } = new;
        stacks.iter_mut().for_each(|stack| self.teams(&mut stack.teams));
        let stacks = self.stacks.arrange(stacks, |at| Stack { gone: true, ..old.stacks[at].clone() });
        let homes = pathways.iter_mut().filter_map(|pathway| pathway.destination.as_mut());
        homes.for_each(|destination| self.destination(destination));
        let pathways =
            self.pathways.arrange(pathways, |at| Pathway { gone: true, ..old.pathways[at].clone() });
        let some_music = treatments.iter().find_map(|treatment| treatment.music);
        let ghost = Treatment { greeting: None, music: some_music, callback_key: None };
        let moved = ingress.trunks.into_iter().map(|trunk| Trunk {
            line: self.line(trunk.line),
            practice: trunk.practice.map(|practice| self.practice(practice)),
            ..trunk
        });
        let trunks = self.trunks.arrange(moved.collect(), |at| Trunk {
            // Nobody calls from nowhere.
            from: Vec::new(),
            ..old.ingress.trunks[at].clone()
        });
        let phones = self.phones(phones, &acd, old);
        let acd = self.acd(acd, old, removed);
        let guide = self.guide(guide, &acd, &trunks);
        let ingress = Ingress {
            trunks,
            practices: self.practices.arrange(ingress.practices, |at| old.ingress.practices[at].clone()),
            country_code: ingress.country_code,
        };
        let treatments = self.lines.arrange(treatments, |_| ghost);
        let ways = new.callbacks.by_trunk;
        let by_trunk = self.trunks.arrange(ways, |at| old.callbacks.by_trunk.get(at).copied().flatten());
        let callbacks = CallbackPlan { by_trunk, ..new.callbacks };
        let by_trunk = self.trunks.arrange(new.probes.by_trunk, |_| None);
        let probes = Probes { by_trunk, ..new.probes };
        let red_flag_line = new.red_flag_line.map(|line| self.line(line));
        Plan {
            ingress,
            acd,
            guide,
            phones,
            treatments,
            callbacks,
            pathways,
            stacks,
            probes,
            red_flag_line,
            ..new
        }
    }

    /// People's phones by their agents, then those of the destinations' seats.
    fn phones(&self, phones: Vec<Phone>, new: &acd::Plan, old: &Plan) -> Vec<Phone> {
        let seats = |plan: &acd::Plan, phones: &[Phone]| -> Vec<Vec<Phone>> {
            let ids = (0u32..).map(DestinationId).take(plan.destinations.len());
            let of = |id| plan.seats(id).filter_map(|seat| phones.get(seat.index()).cloned()).collect();
            ids.map(of).collect()
        };
        let (before, after) = (seats(&old.acd, &old.phones), seats(new, &phones));
        let people = phones.into_iter().take(new.agents.len()).collect();
        let mut phones = self.agents.arrange(people, |at| old.phones[at].clone());
        for (at, mut seats) in
            self.destinations.arrange(after, |at| before[at].clone()).into_iter().enumerate()
        {
            let kept = before.get(at).map_or(0, Vec::len);
            let phone = seats.first().or_else(|| before.get(at)?.first()).cloned();
            seats.extend(phone.into_iter().cycle().take(kept.saturating_sub(seats.len())));
            phones.extend(seats);
        }
        phones
    }

    fn acd(&self, new: acd::Plan, old: &Plan, removed: &BTreeMap<String, Removed>) -> acd::Plan {
        let at_new: BTreeMap<String, LineId> = (0u32..)
            .map(LineId)
            .zip(&new.lines)
            .map(|(id, line)| (line.name.clone(), self.line(id)))
            .collect();
        let gone = |at: usize| {
            let line = old.acd.lines[at].clone();
            let gone = match removed.get(&line.name) {
                Some(Removed::Drain) => Gone::Drain,
                Some(Removed::Remap(to)) => at_new.get(to).map_or(Gone::Refuse, |&to| Gone::Remap(to)),
                None => Gone::Refuse,
            };
            acd::Line { gone: Some(gone), ..line }
        };
        let lines = new.lines.into_iter().map(|mut line| {
            self.teams(&mut line.teams);
            line.widen.iter_mut().for_each(|step| self.teams(&mut step.add_teams));
            self.skills(&mut line.needs);
            line.relax.iter_mut().for_each(|step| self.skills(&mut step.needs));
            line.first.iter_mut().for_each(|to| self.destination(to));
            for way in line.leave_when_empty.iter_mut().chain([&mut line.way_out]) {
                if let WayOut::RouteTo(to) = way {
                    self.destination(to);
                }
            }
            line
        });
        let agents = new.agents.into_iter().map(|mut agent| {
            self.skills(&mut agent.skills);
            agent
        });
        let teams = new.teams.into_iter().map(|mut team| {
            team.agents.iter_mut().for_each(|agent| *agent = AgentId(self.agents.of(agent.0)));
            team.fair_share = team.fair_share.map(|shares| {
                shares.into_iter().map(|(practice, weight)| (self.practice(practice), weight)).collect()
            });
            team
        });
        // Its members still answer the lines that drain.
        let ghost_team = |at: usize| old.acd.teams[at].clone();
        let ghost_agent =
            |at: usize| acd::Agent { gone: true, logged_in: false, ..old.acd.agents[at].clone() };
        let before = |at: usize| old.acd.destinations.get(at).map_or(0, |known| known.capacity);
        let destinations = self.destinations.arrange(new.destinations, |at| old.acd.destinations[at].clone());
        acd::Plan {
            lines: self.lines.arrange(lines.collect(), gone),
            teams: self.teams.arrange(teams.collect(), ghost_team),
            agents: self.agents.arrange(agents.collect(), ghost_agent),
            skills: self.skills.arrange(new.skills, |at| old.acd.skills[at].clone()),
            // One that takes fewer calls than before keeps its seats until a restart: they may be taken.
            destinations: (0..)
                .zip(destinations)
                .map(|(at, known)| Destination { capacity: known.capacity.max(before(at)), ..known })
                .collect(),
            ..new
        }
    }

    fn guide(&self, new: acd::Guide, plan: &acd::Plan, trunks: &[Trunk]) -> acd::Guide {
        let rules = new.rules.rules().iter().cloned().map(|rule| self.rule(rule)).collect();
        let surroundings = plan.surroundings(trunks, new.rules.surroundings().clips.clone());
        acd::Guide {
            rules: Arc::new(RuleBook::new(rules, surroundings)),
            calendar: self.calendar(&new.calendar).map_or(new.calendar, Arc::new),
            announcements: self.lines.arrange(new.announcements, |_| None),
            ..new
        }
    }

    fn rule(&self, mut rule: Rule) -> Rule {
        rule.lines.iter_mut().for_each(|line| *line = self.line(*line));
        for condition in rule.when_all.iter_mut().chain(&mut rule.when_any).chain(&mut rule.until) {
            condition.line = condition.line.map(|line| self.line(line));
        }
        self.teams(&mut rule.actions.add_teams);
        if let Some(route) = &mut rule.actions.route_to {
            self.destination(&mut route.destination);
        }
        if let Some(Refusal::Moved { to }) = &mut rule.actions.refuse {
            self.destination(to);
        }
        rule
    }

    /// The calendar with its practices in their new places; `None` when it would be unsound, which no order can
    /// make it.
    fn calendar(&self, calendar: &Calendar) -> Option<Calendar> {
        let mut spec = calendar.spec().clone();
        spec.practices = self.practices.arrange(spec.practices, |_| calendar::Practice {
            zone: None,
            nation: None,
            hours: None,
        });
        for exception in &mut spec.overrides {
            exception.practice = self.practice(exception.practice);
        }
        Calendar::new(spec).ok()
    }
}
