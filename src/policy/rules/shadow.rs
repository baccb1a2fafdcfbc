//! A second rule book beside the live one: on the same facts, where would it decide otherwise?
//!
//! It only watches: nothing that it says reaches a caller.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::look::Look;
use super::{CallerFacts, Change, Decision, Kind, LineFacts, RuleBook, RuleStates};
use crate::calendar::Calendar;
use crate::id::{LineId, RuleId};
use crate::policy::Band;
use crate::time::{Mono, Now};

/// Most disagreements that are kept until they are taken; then the oldest goes.
const MOST_KEPT: usize = 1000;

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
}

/// What one of the books says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The name of the rule that counts; `None` when none does. Of several that widen, the first.
    pub rule: Option<String>,
    /// What it does and why, in words; empty when none counts.
    pub reason: String,
}

/// Another rule book with its states, and where it stands apart from the live one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    book: RuleBook,
    states: RuleStates,
    /// For what the books disagree about: the rules that counted in the live one and in this.
    apart: BTreeMap<(LineId, Kind, CallerFacts), [Vec<RuleId>; 2]>,
    kept: VecDeque<Disagreement>,
    dropped: u64,
    /// Whether every line has been compared once.
    begun: bool,
}

/// The other book speaks of other lines, teams, destinations or clips than the live one.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other rules speak of other lines, teams, destinations or clips")]
pub struct Strange;

impl Shadow {
    /// Begins to watch with `book`, which must speak of the same lines, teams, destinations and clips as `live`;
    /// lines without facts are empty and without agents.
    pub fn new(
        live: &RuleBook,
        book: RuleBook,
        calendar: &Calendar,
        facts: Vec<LineFacts>,
        now: Now,
    ) -> Result<Shadow, Strange> {
        if live.surroundings != book.surroundings {
            return Err(Strange);
        }
        let states = RuleStates::new(&book, calendar, facts, now);
        Ok(Shadow { book, states, apart: BTreeMap::new(), kept: VecDeque::new(), dropped: 0, begun: false })
    }

    /// The other book.
    pub fn book(&self) -> &RuleBook {
        &self.book
    }

    /// Takes in what the live states took in, after them, with what that changed; keeps where the books come to
    /// stand apart.
    ///
    /// A disagreement is kept once, and again only when the rules that count in either book are others.
    pub fn evaluate(
        &mut self,
        live: (&RuleBook, &RuleStates),
        changes: &[Change],
        calendar: &Calendar,
        facts: &[(LineId, LineFacts)],
        now: Now,
    ) {
        let own = self.states.evaluate(&self.book, calendar, facts, now);
        let mut lines: BTreeSet<LineId> = changes.iter().chain(&own).map(|change| change.line).collect();
        if !self.begun {
            lines.extend((0u32..).map(LineId).take(self.book.surroundings.lines.len()));
            self.begun = true;
        }
        for line in lines {
            self.compare(live, calendar, line, now);
        }
    }

    /// When to call [`Shadow::evaluate`] next, if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.states.poll_timeout()
    }

    /// The next disagreement, the oldest first.
    pub fn poll_disagreement(&mut self) -> Option<Disagreement> {
        self.kept.pop_front()
    }

    /// How many disagreements were lost because nobody took them.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn compare(&mut self, live: (&RuleBook, &RuleStates), calendar: &Calendar, line: LineId, now: Now) {
        let Some(outline) = self.book.surroundings.lines.get(line.index()) else { return };
        let asks = live.0.asks_callers(line) || self.book.asks_callers(line);
        for caller in callers(outline.emergency, asks) {
            let ours = live.1.decide(live.0, line, caller);
            let theirs = self.states.decide(&self.book, line, caller);
            for kind in Kind::ALL {
                let key = (line, kind, caller);
                if same(&ours, &theirs, kind) {
                    self.apart.remove(&key);
                    continue;
                }
                let seen = [rules(live.0, &ours, kind), rules(&self.book, &theirs, kind)];
                if self.apart.get(&key) == Some(&seen) {
                    continue;
                }
                self.apart.insert(key, seen);
                let other = (&self.book, &self.states);
                let side = |of, decision| side(of, calendar, line, decision, kind, now);
                let (live, other) = (side(live, &ours), side(other, &theirs));
                self.keep(Disagreement { at: now.mono, line, kind, caller, live, other });
            }
        }
    }

    fn keep(&mut self, disagreement: Disagreement) {
        if self.kept.len() == MOST_KEPT {
            self.kept.pop_front();
            self.dropped += 1;
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

fn side(
    (book, states): (&RuleBook, &RuleStates),
    calendar: &Calendar,
    line: LineId,
    decision: &Decision,
    kind: Kind,
    now: Now,
) -> Side {
    let Some(rule) = decision.winner(kind) else { return Side { rule: None, reason: String::new() } };
    let look = Look { book, calendar, facts: &states.facts, line, mono: now.mono, wall: now.wall };
    let effects = book.effects(&decision.only(kind)).join("; ");
    let written = &book.rules[rule.index()];
    let stays = if look.unmet(written).is_some() { "stays on: " } else { "" };
    let reason = format!("{effects}: {stays}{}", look.grounds(written));
    Side { rule: Some(book.rule_name(rule).to_owned()), reason }
}
