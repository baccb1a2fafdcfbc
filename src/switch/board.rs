//! What people who watch the service see at one instant, by name; made when somebody asks, and only then.
//!
//! Plain data in the shape in which it is published: instants as RFC 3339, lengths of time in seconds. No number of a
//! caller is in it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::acd::callback::State as Kept;
use crate::acd::pathway::{Closed, Offer};
use crate::acd::{Availability, Band, PauseReason};
use crate::call::{self, Purpose, Stage};
use crate::id::{AgentId, CallId, CaseId, LineId, PathwayId, ReferralId, StackId, TrunkId};
use crate::policy;
use crate::time::{Mono, Now, Wall};

use super::Switch;
use super::transfer::band_by;

/// The whole service at one instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Board {
    /// When.
    #[serde(serialize_with = "instant")]
    pub at: Wall,
    /// Whether only emergency calls are taken, as the daemon is about to end.
    pub draining: bool,
    /// By [`LineId`], those that the configuration no longer has left out.
    pub lines: Vec<Line>,
    /// Emergency callers in any line.
    pub emergencies: Emergencies,
    /// By [`AgentId`], those that the configuration no longer has left out.
    pub agents: Vec<Agent>,
    /// By [`TrunkId`].
    pub trunks: Vec<Trunk>,
    /// By [`PathwayId`], those that the configuration no longer has left out.
    pub pathways: Vec<Pathway>,
    /// Promised callbacks.
    pub callbacks: Promised,
    /// By [`StackId`], those that the configuration no longer has left out.
    pub stacks: Vec<Stack>,
}

/// One line and who waits there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Whether only emergency trunks' calls join it.
    pub emergency: bool,
    /// Whether it is within the hours of the practice whose line it is; always for a line of none or several.
    pub open: bool,
    /// Callers who do not talk yet.
    pub waiting: u32,
    /// How long the one has waited who came first.
    #[serde(rename = "longest_wait_s", serialize_with = "maybe_seconds")]
    pub longest_wait: Option<Duration>,
    /// How long one who came now would wait.
    pub estimate: Option<Estimate>,
    /// Members of its own teams who are at work.
    pub agents_logged_in: u32,
    /// Of these, those who are free.
    pub agents_free: u32,
    /// Names of the overflow rules that are on.
    pub rules: Vec<String>,
}

/// Emergency callers who wait, also in lines of routine callers: a red flag leaves the caller where it is.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Emergencies {
    /// Those who talk with nobody.
    pub waiting: u32,
    /// How long the one has waited who came first.
    #[serde(rename = "longest_wait_s", serialize_with = "maybe_seconds")]
    pub longest_wait: Option<Duration>,
}

/// A wait to come.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Half wait no longer.
    #[serde(rename = "p50_s", serialize_with = "seconds")]
    pub p50: Duration,
    /// Nine in ten wait no longer.
    #[serde(rename = "p90_s", serialize_with = "seconds")]
    pub p90: Duration,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agent {
    /// The agent's name.
    pub name: String,
    /// Names of the agent's teams.
    pub teams: Vec<String>,
    /// `free`, `ringing`, `talking`, `wrap-up`, `resting`, `paused`, `logged-out` or `unreachable`.
    pub state: &'static str,
    /// Since when.
    #[serde(serialize_with = "instant")]
    pub since: Wall,
    /// Why the agent is paused.
    pub reason: Option<String>,
    /// The call that rings or that the agent talks with.
    pub call: Option<CallId>,
    /// When the wrap-up ends by itself.
    #[serde(serialize_with = "maybe_instant")]
    pub wrap_up_ends: Option<Wall>,
}

/// One trunk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trunk {
    /// Its name.
    pub name: String,
    /// ODS code (or name, where it has none) of its practice.
    pub practice: Option<String>,
    /// Whether its calls are emergencies.
    pub emergency: bool,
    /// Its calls that are up.
    pub calls: u32,
    /// `up`, `down` or `unknown`.
    pub health: &'static str,
    /// Since when, unless it is unknown.
    #[serde(serialize_with = "maybe_instant")]
    pub since: Option<Wall>,
}

/// One pathway.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pathway {
    /// Its name.
    pub name: String,
    /// `pharmacy`, `urgent-community-response`, `mental-health`, `surgery` or `other`.
    pub kind: &'static str,
    /// How many callers it takes at once; `None` when it takes none by phone.
    pub capacity: Option<u32>,
    /// How many of its seats ring or talk.
    pub taken: u32,
    /// How many more patients it can take, as far as is known.
    pub reported: Option<u32>,
    /// Whether patients can be sent there now.
    pub offered: bool,
    /// Referrals that it has not answered.
    pub awaiting: Vec<ReferralId>,
}

/// How many callbacks are promised.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Promised {
    /// Not settled.
    pub open: u32,
    /// Of these, those that wait for an agent, or are being kept.
    pub due: u32,
    /// Of all, those that should have been kept by now.
    pub late: u32,
}

/// One stack of cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Cases that are not closed.
    pub open: u32,
    /// Of these, those that should have been closed by now.
    pub breached: u32,
    /// When the next of the others must be.
    #[serde(serialize_with = "maybe_instant")]
    pub soonest_breach: Option<Wall>,
}

/// One call that is up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Caller {
    /// Its number.
    pub id: CallId,
    /// `caller`, or what it is made for: `callback` or `case`.
    pub kind: &'static str,
    /// Name of the line it is of now.
    pub line: String,
    /// ODS code (or name, where it has none) of its practice.
    pub practice: Option<String>,
    /// Name of its trunk.
    pub trunk: String,
    /// Whether its band is 0.
    pub emergency: bool,
    /// Its priority class.
    pub band: Band,
    /// `waiting`, `ringing`, `talking`, `transferring`, `leaving`, `dialling` or `parting`.
    pub state: &'static str,
    /// When it arrived, or its promise was due.
    #[serde(serialize_with = "instant")]
    pub arrived: Wall,
    /// From then to the first answer, or until now.
    #[serde(rename = "waited_s", serialize_with = "seconds")]
    pub waited: Duration,
    /// Name of the agent who has the caller, or of the first whose phone rings.
    pub agent: Option<String>,
    /// Whether the caller gave up a while ago and rang again.
    pub redial: bool,
    /// The position in the line, from 1, while it waits.
    pub position: Option<usize>,
}

/// What one agent sees.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Desk {
    /// The agent.
    pub agent: Agent,
    /// The call that rings, or that the agent talks with.
    pub call: Option<Caller>,
    /// Where a caller may be sent.
    pub pathways: Vec<Pathway>,
    /// How a call may end.
    pub dispositions: Vec<Disposition>,
    /// Callbacks of the agent's lines that are due.
    pub callbacks_due: Vec<Callback>,
    /// Cases that the agent has.
    pub cases: Vec<Case>,
    /// Cases that the agent may take, the most urgent first; no more than a screen has room for.
    pub cases_waiting: Vec<Case>,
}

/// How a call or case may end, clinically.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disposition {
    /// What is dialled.
    pub code: String,
    /// What it means.
    pub words: String,
}

/// A promised callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Callback {
    /// Its number, as text: it is too large for some programs.
    pub id: String,
    /// Name of the line that calls.
    pub line: String,
    /// ODS code (or name, where it has none) of the practice.
    pub practice: Option<String>,
    /// When it was promised.
    #[serde(serialize_with = "instant")]
    pub promised: Wall,
    /// Not to be kept before.
    #[serde(serialize_with = "instant")]
    pub due: Wall,
    /// When it should have been kept.
    #[serde(serialize_with = "instant")]
    pub breach: Wall,
    /// `promised`, `due`, `reserved`, `dialling` or `talking`.
    pub state: &'static str,
    /// Whether its breach has passed.
    pub late: bool,
    /// How often the patient was dialled in vain.
    pub missed: u32,
}

/// A case that is not closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// Name of its stack.
    pub stack: String,
    /// Name of the line that its call was of.
    pub line: String,
    /// ODS code (or name, where it has none) of the practice.
    pub practice: Option<String>,
    /// Whether it came as an emergency.
    pub emergency: bool,
    /// When it was opened.
    #[serde(serialize_with = "instant")]
    pub opened: Wall,
    /// When it should be closed.
    #[serde(serialize_with = "instant")]
    pub breach: Wall,
    /// Whether that has passed.
    pub breached: bool,
    /// Name of the clinician who has it.
    pub holder: Option<String>,
    /// Name of the pathway that has not answered yet.
    pub pathway: Option<String>,
}

impl Switch {
    /// The whole service as it is at `now`. Costs a few steps for each line, agent, call, promise and case.
    pub fn board(&self, now: Now) -> Board {
        let acd = &self.plan.acd;
        let lines = (0u32..).map(LineId).zip(&acd.lines).filter(|(_, line)| line.gone.is_none());
        let mut calls: BTreeMap<TrunkId, u32> = BTreeMap::new();
        self.calls.values().for_each(|call| *calls.entry(call.trunk).or_default() += 1);
        let trunks = (0u32..).map(TrunkId).zip(&self.plan.ingress.trunks);
        let joined = self.trunks_by_line();
        let promises = self.exchange.callbacks().promises();
        let callbacks = promises.fold(Promised::default(), |sum, promise| Promised {
            open: sum.open + 1,
            due: sum.due + u32::from(!matches!(promise.state, Kept::Promised { .. })),
            late: sum.late + u32::from(promise.escalated),
        });
        Board {
            at: now.wall,
            draining: self.is_draining(),
            lines: lines
                .map(|(id, line)| {
                    let trunks = joined.get(&id).map_or(&[][..], Vec::as_slice);
                    self.line_shown(id, &line.name, trunks, now)
                })
                .collect(),
            emergencies: self.emergencies(now),
            agents: self.agents_shown(now),
            trunks: trunks
                .filter(|(_, trunk)| !trunk.from.is_empty())
                .map(|(id, trunk)| {
                    let health = self.trunks.get(&id);
                    Trunk {
                        name: trunk.name.clone(),
                        practice: self.practice_name(trunk.practice),
                        emergency: trunk.emergency,
                        calls: calls.get(&id).copied().unwrap_or_default(),
                        health: health.map_or("unknown", |health| if health.up { "up" } else { "down" }),
                        since: health.map(|health| health.since),
                    }
                })
                .collect(),
            pathways: self.pathways_shown(now),
            callbacks,
            stacks: self.stacks_shown(now),
        }
    }

    /// Every call that is up, in the order in which they began.
    pub fn callers(&self, now: Now) -> Vec<Caller> {
        self.calls.values().map(|call| self.caller_shown(call, now)).collect()
    }

    /// One call that is up.
    pub fn caller(&self, call: CallId, now: Now) -> Option<Caller> {
        self.calls.get(&call).map(|call| self.caller_shown(call, now))
    }

    /// The trunks whose calls join each line.
    fn trunks_by_line(&self) -> BTreeMap<LineId, Vec<&policy::Trunk>> {
        let mut joined: BTreeMap<LineId, Vec<&policy::Trunk>> = BTreeMap::new();
        self.plan.ingress.trunks.iter().for_each(|trunk| joined.entry(trunk.line).or_default().push(trunk));
        joined
    }

    fn line_shown(&self, id: LineId, name: &str, trunks: &[&policy::Trunk], now: Now) -> Line {
        let facts = self.exchange.distributor().facts(id);
        let range = self.exchange.estimate(id, now.mono);
        let on = self.exchange.distributor().rules_on(id);
        Line {
            name: name.to_owned(),
            emergency: band_by(trunks.iter().copied()) == Band::EMERGENCY,
            open: self.is_open(trunks, now.wall),
            waiting: facts.map_or(0, |facts| facts.waiting),
            longest_wait: facts.and_then(|facts| facts.longest_since).map(|since| now.mono.since(since)),
            estimate: range.map(|range| Estimate { p50: range.likely, p90: range.at_most }),
            agents_logged_in: facts.map_or(0, |facts| facts.agents_logged_in),
            agents_free: facts.map_or(0, |facts| facts.agents_free),
            rules: on.map(|rule| self.rule_name(rule)).collect(),
        }
    }

    fn emergencies(&self, now: Now) -> Emergencies {
        let waiting = self
            .calls
            .values()
            .filter(|call| call.band == Band::EMERGENCY && matches!(call.stage, Stage::Waiting { .. }));
        waiting.fold(Emergencies::default(), |sum, call| Emergencies {
            waiting: sum.waiting + 1,
            longest_wait: sum.longest_wait.max(Some(now.mono.since(call.arrived.mono))),
        })
    }

    /// Whether the practice is open whose trunks alone these are.
    fn is_open(&self, trunks: &[&policy::Trunk], at: Wall) -> bool {
        let mut practices = trunks.iter().map(|trunk| trunk.practice);
        let Some(Some(practice)) = practices.next() else { return true };
        if practices.any(|other| other != Some(practice)) {
            return true;
        }
        let calendar = &self.plan.guide.calendar;
        calendar.hours(practice).is_none_or(|hours| calendar.covers(hours, Some(practice), at))
    }

    fn agents_shown(&self, now: Now) -> Vec<Agent> {
        let acd = &self.plan.acd;
        let mut teams: BTreeMap<AgentId, Vec<String>> = BTreeMap::new();
        for team in &acd.teams {
            for &agent in &team.agents {
                teams.entry(agent).or_default().push(team.name.clone());
            }
        }
        let shown = self.exchange.distributor().agents().filter_map(|found| {
            let teams = teams.remove(&found.0).unwrap_or_default();
            self.agent_shown(found, teams, now)
        });
        shown.collect()
    }

    pub(super) fn agent_shown(
        &self,
        (id, availability, since): (AgentId, Availability, Mono),
        teams: Vec<String>,
        now: Now,
    ) -> Option<Agent> {
        let agent = self.plan.acd.agents.get(id.index()).filter(|agent| !agent.gone)?;
        let ends =
            (availability == Availability::WrapUp).then(|| self.exchange.distributor().ends(id)).flatten();
        let (state, reason, call) = shown(availability);
        Some(Agent {
            name: agent.name.clone(),
            teams,
            state,
            since: now.wall_of(since),
            reason,
            call,
            wrap_up_ends: ends.map(|at| now.wall_of(at)),
        })
    }

    pub(super) fn pathways_shown(&self, now: Now) -> Vec<Pathway> {
        let mut awaiting: BTreeMap<PathwayId, Vec<ReferralId>> = BTreeMap::new();
        for (id, referral) in self.pathways.awaiting() {
            awaiting.entry(referral.pathway).or_default().push(id);
        }
        let distributor = self.exchange.distributor();
        let busy = |seat: &AgentId| {
            let state = distributor.availability(*seat);
            matches!(state, Some(Availability::Ringing(_) | Availability::Talking(_)))
        };
        let known = self.pathways.offers(now.mono).filter(|(_, pathway, _)| !pathway.gone);
        let shown = known.map(|(id, pathway, offer)| {
            let seats = pathway.destination.map(|destination| self.plan.acd.seats(destination));
            let taken = seats.into_iter().flatten().filter(busy).count();
            let planned = pathway.destination.and_then(|at| self.plan.acd.destinations.get(at.index()));
            Pathway {
                name: pathway.name.clone(),
                kind: pathway.kind.word(),
                capacity: planned.map(|planned| planned.capacity),
                taken: u32::try_from(taken).unwrap_or(u32::MAX),
                reported: match offer {
                    Offer::Room(room) => Some(room),
                    Offer::Closed(Closed::Full) => Some(0),
                    Offer::Closed(Closed::NoReport | Closed::Stale { .. }) => None,
                },
                offered: matches!(offer, Offer::Room(_)) && self.is_at_work(pathway, now.wall),
                awaiting: awaiting.remove(&id).unwrap_or_default(),
            }
        });
        shown.collect()
    }

    fn stacks_shown(&self, now: Now) -> Vec<Stack> {
        let known = (0u32..).map(StackId).zip(&self.plan.stacks).filter(|(_, stack)| !stack.gone);
        let shown = known.map(|(id, stack)| {
            let open = || self.stacks.get(id.index()).into_iter().flat_map(|cases| cases.all());
            let late = open().filter(|(_, case)| case.urgency.breach <= now.mono).count();
            let next = open().map(|(_, case)| case.urgency.breach).filter(|&breach| breach > now.mono).min();
            Stack {
                name: stack.name.clone(),
                open: u32::try_from(open().count()).unwrap_or(u32::MAX),
                breached: u32::try_from(late).unwrap_or(u32::MAX),
                soonest_breach: next.map(|at| now.wall_of(at)),
            }
        });
        shown.collect()
    }

    fn caller_shown(&self, call: &call::Call, now: Now) -> Caller {
        let (state, agent) = match &call.stage {
            Stage::Waiting { ringing } => match ringing.first() {
                Some(phone) => ("ringing", Some(phone.agent)),
                None => ("waiting", None),
            },
            Stage::Leaving { .. } => ("leaving", None),
            Stage::Dialling { agent, .. } => ("dialling", Some(*agent)),
            Stage::Parting { agent, .. } => ("parting", Some(*agent)),
            Stage::Talking { agent, .. } => ("talking", Some(*agent)),
            Stage::Transferring(transfer) => ("transferring", Some(transfer.by)),
        };
        Caller {
            id: call.id,
            kind: match call.made_for {
                None => "caller",
                Some(Purpose::Promise(_)) => "callback",
                Some(Purpose::Case(_)) => "case",
            },
            line: self.line_name(call.line),
            practice: self.practice_name(call.practice),
            trunk: self.trunk_name(call.trunk),
            emergency: call.band == Band::EMERGENCY,
            band: call.band,
            state,
            arrived: call.arrived.wall,
            waited: call.waited.unwrap_or_else(|| now.mono.since(call.arrived.mono)),
            agent: agent.map(|agent| self.agent_name(agent)),
            redial: self.exchange.distributor().is_redial(call.id),
            position: self.exchange.distributor().position(call.id),
        }
    }
}

/// The word for a state, why, and with which call.
pub fn shown(availability: Availability) -> (&'static str, Option<String>, Option<CallId>) {
    match availability {
        Availability::LoggedOut => ("logged-out", None, None),
        Availability::Free => ("free", None, None),
        Availability::Ringing(call) => ("ringing", None, Some(call)),
        Availability::Talking(call) => ("talking", None, Some(call)),
        Availability::WrapUp => ("wrap-up", None, None),
        Availability::Resting => ("resting", None, None),
        Availability::Paused(PauseReason::Chosen(reason)) => ("paused", Some(reason), None),
        Availability::Paused(PauseReason::Missed(_)) => ("paused", Some("missed calls".to_owned()), None),
        Availability::Unreachable => ("unreachable", None, None),
    }
}

fn instant<S: Serializer>(at: &Wall, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.rfc3339())
}

fn maybe_instant<S: Serializer>(at: &Option<Wall>, to: S) -> Result<S::Ok, S::Error> {
    at.map(Wall::rfc3339).serialize(to)
}

/// To the millisecond.
fn seconds<S: Serializer>(length: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(length.as_millis() as f64 / 1_000.0)
}

fn maybe_seconds<S: Serializer>(length: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    match length {
        Some(length) => seconds(length, to),
        None => to.serialize_none(),
    }
}
