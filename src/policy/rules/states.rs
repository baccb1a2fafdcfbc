//! Which rules are on: limits, windows and hysteresis, moved by facts and time alone.
//!
//! Every deadline takes effect at its own time with the facts of that time, however late the wake: the end of
//! `for_at_least`, a longest wait that grows over a limit, the boundary of a window.

use serde::{Deserialize, Serialize};

use super::book::{RuleBook, Slot};
use super::openings::Openings;
use super::{Condition, LineFacts, Rule};
use crate::calendar::Calendar;
use crate::id::{LineId, RuleId};
use crate::time::{Deadlines, Mono, Now, earlier};

/// A rule that turned on or off.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// On which of its lines.
    pub line: LineId,
    /// Which rule.
    pub rule: RuleId,
    /// Whether it is on now.
    pub on: bool,
    /// When, by the deadline's own time.
    pub at: Mono,
}

/// The states of all rules of a book, each on each of its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleStates {
    /// By position in the book's slots.
    pub(super) states: Vec<State>,
    /// By [`LineId`]: what each line looks like.
    pub(super) facts: Vec<LineFacts>,
    pub(super) openings: Openings,
    /// When time alone may change a state.
    deadlines: Deadlines<usize>,
    /// The latest instant seen.
    now: Mono,
}

/// A rule on one of its lines.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) on: bool,
    /// Whether its conditions hold and `until` does not.
    pub(super) pressed: bool,
    /// Since when `pressed` has been so.
    pub(super) since: Mono,
    due: Option<Mono>,
}

impl RuleStates {
    /// All rules off, the lines as they look at `now`: lines without facts are empty and without agents.
    ///
    /// What is on from the start turns on with the first [`RuleStates::evaluate`].
    pub fn new(book: &RuleBook, calendar: &Calendar, mut facts: Vec<LineFacts>, now: Now) -> RuleStates {
        facts.resize(book.surroundings.lines.len(), LineFacts::default());
        let state = State { since: now.mono, due: Some(now.mono), ..State::default() };
        let mut deadlines = Deadlines::default();
        for slot in 0..book.slots.len() {
            deadlines.set(slot, now.mono);
        }
        RuleStates {
            states: vec![state; book.slots.len()],
            facts,
            openings: Openings::new(book, calendar, now),
            deadlines,
            now: now.mono,
        }
    }

    /// Lets every deadline up to `now` take effect, then takes in what these lines look like from `now` on.
    ///
    /// Lines that are not named look as before; those of one call change in one step. A call with nothing new
    /// changes nothing. An instant before one already seen counts as that one.
    pub fn evaluate(
        &mut self,
        book: &RuleBook,
        calendar: &Calendar,
        facts: &[(LineId, LineFacts)],
        now: Now,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        self.advance(book, calendar, now, &mut changes);
        let at = self.now;
        // All of them first: a rule on one line may measure another.
        let mut changed = vec![false; if facts.len() > 1 { facts.len() } else { 0 }];
        for (number, &(line, facts)) in facts.iter().enumerate() {
            if let Some(known) = self.facts.get_mut(line.index()).filter(|known| **known != facts) {
                *known = facts;
                match changed.get_mut(number) {
                    Some(changed) => *changed = true,
                    None => self.settle_watchers(book, line, at, &mut changes),
                }
            }
        }
        for (&(line, _), _) in facts.iter().zip(changed).filter(|(_, changed)| *changed) {
            self.settle_watchers(book, line, at, &mut changes);
        }
        changes
    }

    /// Goes on from the states of another book: a rule that is the same in both, on a line with the same id, is as
    /// it was there; any other is off. `facts` are what the lines look like now.
    pub fn carry(&mut self, book: &RuleBook, facts: Vec<LineFacts>, old: &RuleStates, old_book: &RuleBook) {
        for (known, facts) in self.facts.iter_mut().zip(facts) {
            *known = facts;
        }
        for at in 0..self.states.len() {
            let same = |known: &usize| old_book.written(*known) == book.written(at);
            let known = old_book.slots_of(book.slots[at].line).find(same).map(|known| old.states[known]);
            let state = known.unwrap_or(State { since: self.now, ..State::default() });
            // It is looked at again at once, which finds what has become due meanwhile.
            self.states[at] = State { due: Some(self.now), ..state };
            self.deadlines.set(at, self.now);
        }
    }

    /// When to call [`RuleStates::evaluate`] next, with no facts if there are none; changes with every call.
    pub fn poll_timeout(&self) -> Option<Mono> {
        earlier(self.deadlines.next(), self.openings.due())
    }

    /// The rules of a line that are on, in file order.
    pub fn on(&self, book: &RuleBook, line: LineId) -> impl Iterator<Item = RuleId> {
        let slots = book.slots_of(line);
        slots.filter(|&slot| self.states[slot].on).map(|slot| book.slots[slot].rule)
    }

    /// What a line looks like, as last told.
    pub fn facts(&self, line: LineId) -> Option<&LineFacts> {
        self.facts.get(line.index())
    }

    fn advance(&mut self, book: &RuleBook, calendar: &Calendar, now: Now, changes: &mut Vec<Change>) {
        loop {
            let window = self.openings.due().filter(|&at| at <= now.mono);
            let deadline = self.deadlines.next().filter(|&at| at <= now.mono);
            match (window, deadline) {
                (Some(window), deadline) if deadline.is_none_or(|deadline| window <= deadline) => {
                    self.now = self.now.max(window);
                    let turned = self.openings.pass(book, calendar);
                    self.settle_askers(book, &turned, changes);
                }
                (_, Some(_)) => {
                    if let Some((at, slot)) = self.deadlines.pop_due(now.mono) {
                        self.now = self.now.max(at);
                        self.states[slot].due = None;
                        self.settle(book, slot, self.now, changes);
                    }
                }
                (_, None) => break,
            }
        }
        self.now = self.now.max(now.mono);
        let turned = self.openings.follow(book, calendar, now);
        self.settle_askers(book, &turned, changes);
    }

    fn settle_watchers(&mut self, book: &RuleBook, line: LineId, at: Mono, changes: &mut Vec<Change>) {
        for &slot in book.watchers_of(line) {
            self.settle(book, slot, at, changes);
        }
    }

    fn settle_askers(&mut self, book: &RuleBook, openings: &[usize], changes: &mut Vec<Change>) {
        for &opening in openings {
            for &slot in &book.askers[opening] {
                self.settle(book, slot, self.now, changes);
            }
        }
    }

    /// The one way from state to state: what `slot` is, given what is known at `at`.
    fn settle(&mut self, book: &RuleBook, slot: usize, at: Mono, changes: &mut Vec<Change>) {
        let Slot { rule: id, line, during, not_during } = book.slots[slot];
        let rule = &book.rules[id.index()];
        let open = during.is_none_or(|opening| self.openings.is_open(opening))
            && !not_during.is_some_and(|opening| self.openings.is_open(opening));
        let ends = !rule.until.is_empty() && self.all_hold(&rule.until, line, at);
        let pressed = !ends && self.conditions_hold(rule, line, at);
        let mut state = self.states[slot];
        if pressed != state.pressed {
            state.pressed = pressed;
            state.since = at;
        }
        let lasted = at.since(state.since) >= rule.for_at_least;
        let on = open
            && match state.on {
                false => pressed && lasted,
                true if rule.until.is_empty() => pressed || !lasted,
                true => !ends,
            };
        if on != state.on {
            state.on = on;
            changes.push(Change { line, rule: id, on, at });
        }
        let lasts = (!lasted && open).then(|| state.since + rule.for_at_least);
        let due = self.next_turn(rule, line, at).into_iter().chain(lasts).min();
        if due != state.due {
            state.due = due;
            match due {
                Some(due) => self.deadlines.set(slot, due),
                None => self.deadlines.clear(slot),
            }
        }
        self.states[slot] = state;
    }

    fn conditions_hold(&self, rule: &Rule, line: LineId, at: Mono) -> bool {
        self.all_hold(&rule.when_all, line, at)
            && (rule.when_any.is_empty() || rule.when_any.iter().any(|one| self.holds(one, line, at)))
    }

    fn all_hold(&self, conditions: &[Condition], line: LineId, at: Mono) -> bool {
        conditions.iter().all(|condition| self.holds(condition, line, at))
    }

    fn holds(&self, condition: &Condition, line: LineId, at: Mono) -> bool {
        let measured = condition.line.unwrap_or(line);
        self.facts.get(measured.index()).is_some_and(|facts| condition.holds(facts, at))
    }

    /// When time alone next carries a wait that this rule measures over a limit.
    fn next_turn(&self, rule: &Rule, line: LineId, at: Mono) -> Option<Mono> {
        let conditions = rule.when_all.iter().chain(&rule.when_any).chain(&rule.until);
        let turns = conditions.filter_map(|condition| {
            let measured = condition.line.unwrap_or(line);
            self.facts.get(measured.index()).and_then(|facts| condition.turns(facts, at))
        });
        turns.min()
    }
}
