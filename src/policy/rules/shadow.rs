//! A second policy beside the live one: on the same facts, where would it decide otherwise?
//!
//! It only watches: nothing that it says reaches a caller.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::look::Look;
use super::{CallerFacts, Change, Decision, Kind, LineFacts, RuleBook, RuleStates};
use crate::calendar::Calendar;
use crate::id::{LineId, RuleId};
use crate::policy::Band;
use crate::time::{Mono, Now};

/// Most disagreements that are kept until they are taken; then the oldest goes.
const MOST_KEPT: usize = 1000;

/// Rules with the calendar that they speak of, to be tried beside the live ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Its rules, which speak of the same lines, teams, destinations and clips as the live ones.
    pub rules: Arc<RuleBook>,
    /// Its windows.
    pub calendar: Arc<Calendar>,
}

/// What is in force.
#[derive(Copy, Clone, Debug)]
pub struct Live<'a> {
    /// The rules.
    pub book: &'a RuleBook,
    /// Which of them are on.
    pub states: &'a RuleStates,
    /// The windows.
    pub calendar: &'a Calendar,
}

/// The two books, as they stand apart for one kind of action on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// Since when.
    pub at: Mono,
    /// On which line.
    pub line: LineId,
    /// For which kind of action.
    pub kind: Kind,
    /// For which callers.
    pub caller: CallerFacts,
    /// What the live rules say.
    pub live: Side,
    /// What the other rules say.
    pub other: Side,
    /// How many before this one were lost because nobody took them.
    pub lost: u64,
}

/// What one of the books says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The name of the rule that counts; `None` when none does. Of several that widen, the first.
    pub rule: Option<String>,
    /// What it does and why, in words; empty when none counts.
    pub reason: String,
}

/// Another policy with its states, and where it stands apart from the live one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    trial: Trial,
    states: RuleStates,
    /// For what the books disagree about: the rules that counted in the live one and in this.
    apart: BTreeMap<(LineId, Kind, CallerFacts), [Vec<RuleId>; 2]>,
    kept: VecDeque<Disagreement>,
    /// How many were lost since one was taken.
    lost: u64,
    /// Whether every line has been compared once.
    begun: bool,
}

/// The other book speaks of other lines, teams, destinations or clips than the live one.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other rules speak of other lines, teams, destinations or clips")]
pub struct Strange;

impl Shadow {
    /// Begins to watch with `trial`, which must speak of the same lines, teams, destinations and clips as `live`;
    /// lines without facts are empty and without agents.
    pub fn new(live: &RuleBook, trial: Trial, facts: Vec<LineFacts>, now: Now) -> Result<Shadow, Strange> {
        if live.surroundings != trial.rules.surroundings {
            return Err(Strange);
        }
        let states = RuleStates::new(&trial.rules, &trial.calendar, facts, now);
        Ok(Shadow { trial, states, apart: BTreeMap::new(), kept: VecDeque::new(), lost: 0, begun: false })
    }

    /// Lets rules that an older shadow had too be as they were there; what stands apart is said anew.
    pub fn carry(&mut self, facts: Vec<LineFacts>, old: &Shadow) {
        self.states.carry(&self.trial.rules, facts, &old.states, &old.trial.rules);
    }

    /// The other book.
    pub fn book(&self) -> &RuleBook {
        &self.trial.rules
    }

    /// Takes in what the live states took in, after them, with what that changed; keeps where the books come to
    /// stand apart.
    ///
    /// A disagreement is kept once, and again only when the rules that count in either book are others.
    pub fn evaluate(&mut self, live: Live<'_>, changes: &[Change], facts: &[(LineId, LineFacts)], now: Now) {
        let own = self.states.evaluate(&self.trial.rules, &self.trial.calendar, facts, now);
        let mut lines: BTreeSet<LineId> = changes.iter().chain(&own).map(|change| change.line).collect();
        if !self.begun {
            lines.extend((0u32..).map(LineId).take(self.book().surroundings.lines.len()));
            self.begun = true;
        }
        for line in lines {
            self.compare(live, line, now);
        }
    }

    /// When to call [`Shadow::evaluate`] next, if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.states.poll_timeout()
    }

    /// The next disagreement, the oldest first.
    pub fn poll_disagreement(&mut self) -> Option<Disagreement> {
        let apart = self.kept.pop_front()?;
        Some(Disagreement { lost: std::mem::take(&mut self.lost), ..apart })
    }

    fn compare(&mut self, live: Live<'_>, line: LineId, now: Now) {
        let trial = self.trial.clone();
        let Some(outline) = trial.rules.surroundings.lines.get(line.index()) else { return };
        let asks = live.book.asks_callers(line) || trial.rules.asks_callers(line);
        for caller in callers(outline.emergency, asks) {
            let ours = live.states.decide(live.book, line, caller);
            let theirs = self.states.decide(&trial.rules, line, caller);
            for kind in Kind::ALL {
                let key = (line, kind, caller);
                if same(&ours, &theirs, kind) {
                    self.apart.remove(&key);
                    continue;
                }
                let seen = [rules(live.book, &ours, kind), rules(&trial.rules, &theirs, kind)];
                if self.apart.get(&key) == Some(&seen) {
                    continue;
                }
                self.apart.insert(key, seen);
                let other = Live { book: &trial.rules, states: &self.states, calendar: &trial.calendar };
                let (live, other) =
                    (side(live, line, &ours, kind, now), side(other, line, &theirs, kind, now));
                self.keep(Disagreement { at: now.mono, line, kind, caller, live, other, lost: 0 });
            }
        }
    }

    fn keep(&mut self, disagreement: Disagreement) {
        if self.kept.len() == MOST_KEPT {
            self.kept.pop_front();
            self.lost += 1;
        }
        self.kept.push_back(disagreement);
    }
}

/// The callers whom rules may tell apart.
fn callers(emergency: bool, asks: bool) -> impl Iterator<Item = CallerFacts> {
    let band = if emergency { Band::EMERGENCY } else { Band::ROUTINE };
    let both = [false, true];
    let all = both.into_iter().flat_map(move |redial| both.map(|withheld| (redial, withheld)));
    all.filter(move |&facts| asks || facts == (false, false)).map(move |(redial, withheld)| CallerFacts {
        band,
        redial,
        withheld,
    })
}

/// Whether two decisions do the same, whichever rules they follow from.
fn same(one: &Decision, other: &Decision, kind: Kind) -> bool {
    match kind {
        Kind::AddTeams => one.reach().eq(other.reach()),
        Kind::Refuse => one.refuse.map(|won| won.action) == other.refuse.map(|won| won.action),
        Kind::RouteTo => one.route_to.map(|won| won.action) == other.route_to.map(|won| won.action),
        Kind::Offer => one.offer_callback.is_some() == other.offer_callback.is_some(),
        Kind::Announce => one.announce.map(|won| won.action) == other.announce.map(|won| won.action),
        Kind::Priority => one.priority.map(|won| won.action) == other.priority.map(|won| won.action),
    }
}

/// The rules of a book that count for a kind.
fn rules(book: &RuleBook, decision: &Decision, kind: Kind) -> Vec<RuleId> {
    let all = (0u32..).map(RuleId).take(book.rules.len());
    all.filter(|&rule| decision.counts(rule, kind)).collect()
}

fn side(of: Live<'_>, line: LineId, decision: &Decision, kind: Kind, now: Now) -> Side {
    let Live { book, states, calendar } = of;
    let Some(rule) = decision.winner(kind) else { return Side { rule: None, reason: String::new() } };
    let look = Look { book, calendar, facts: &states.facts, line, mono: now.mono, wall: now.wall };
    let effects = book.effects(&decision.only(kind)).join("; ");
    let written = &book.rules[rule.index()];
    let stays = if look.unmet(written).is_some() { "stays on: " } else { "" };
    let reason = format!("{effects}: {stays}{}", look.grounds(written));
    Side { rule: Some(book.rule_name(rule).to_owned()), reason }
}
