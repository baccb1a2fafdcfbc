//! Findings about single rules, and about a rule and those before it.

use super::super::{Condition, Kind, Rule};
use super::logic::{Formula, follows};
use super::{Finding, Lint, Never};
use crate::id::{LineId, RuleId};
use crate::policy::Band;

impl Lint<'_> {
    /// Adds what is to be said of one rule.
    pub(super) fn look_at(&self, id: RuleId, findings: &mut Vec<Finding>) {
        let slots: Vec<usize> = self.slots(id).collect();
        if slots.is_empty() {
            return;
        }
        let rule = &self.book.rules[id.index()];
        let lines: Vec<LineId> = slots.iter().map(|&slot| self.book.slots[slot].line).collect();
        let everywhere = |is_so: &dyn Fn(LineId) -> bool| lines.iter().all(|&line| is_so(line));
        self.look_at_teams(id, findings);
        let reasons: Vec<Never> = slots.iter().map_while(|&slot| self.never(slot)).collect();
        if reasons.len() == slots.len() {
            findings.extend(reasons.into_iter().take(1).map(|why| Finding::NeverOn { rule: id, why }));
            return;
        }
        if everywhere(&|line| !self.possible(&Formula::pressed(rule, line))) {
            findings.push(Finding::EndsAtOnce { rule: id });
            return;
        }
        if !rule.until.is_empty() && everywhere(&|line| !self.possible(&Formula::ends(rule, line))) {
            findings.push(Finding::NeverEnds { rule: id });
        }
        let asks = !rule.when_all.is_empty() || !rule.when_any.is_empty();
        if asks && everywhere(&|line| !self.possible(&Formula::conditions(rule, line).not())) {
            findings.push(Finding::AlwaysHolds { rule: id });
        }
        for &condition in &rule.when_any {
            let alone = Rule { when_any: vec![condition], ..rule.clone() };
            if everywhere(&|line| !self.possible(&Formula::pressed(&alone, line))) {
                findings.push(Finding::DeadCondition { rule: id, condition });
            }
        }
        self.look_at_end(id, rule, &lines, findings);
        self.look_at_actions(id, &slots, findings);
    }

    /// An `until` that contradicts one of `when-any` is meant to be its opposite; another of `when-any`, of something
    /// else, may hold all the same. One that contradicts none is meant to have the last word.
    fn look_at_end(&self, id: RuleId, rule: &Rule, lines: &[LineId], findings: &mut Vec<Finding>) {
        if rule.until.is_empty() {
            return;
        }
        let contradicts = |condition: &Condition, line: LineId| {
            let alone = Rule { when_any: vec![*condition], ..rule.clone() };
            !self.possible(&Formula::And(vec![Formula::conditions(&alone, line), Formula::ends(rule, line)]))
        };
        let alive = rule
            .when_any
            .iter()
            .copied()
            .filter(|&condition| !findings.contains(&Finding::DeadCondition { rule: id, condition }));
        let (opposite, others): (Vec<_>, Vec<_>) =
            alive.partition(|condition| lines.iter().any(|&line| contradicts(condition, line)));
        if !opposite.is_empty() {
            findings.extend(others.into_iter().map(|condition| Finding::EndsTooSoon { rule: id, condition }));
        }
    }

    fn look_at_teams(&self, id: RuleId, findings: &mut Vec<Finding>) {
        for &team in &self.book.rules[id.index()].actions.add_teams {
            if self.book.agents(&[team]).is_empty() {
                findings.push(Finding::EmptyTeam { rule: id, team });
            }
        }
    }

    fn look_at_actions(&self, id: RuleId, slots: &[usize], findings: &mut Vec<Finding>) {
        let actions = &self.book.rules[id.index()].actions;
        let line_of = |slot: usize| &self.book.surroundings.lines[self.book.slots[slot].line.index()];
        let emergencies = slots.iter().all(|&slot| line_of(slot).emergency);
        for kind in actions.kinds() {
            if emergencies && !kind.touches(Band::EMERGENCY) {
                findings.push(Finding::EmergencyOnly { rule: id, kind });
            } else if kind == Kind::AddTeams {
                self.look_at_reach(id, slots, findings);
            } else {
                let shadow = |&slot: &usize| {
                    self.earlier(slot).find_map(|(by, earlier)| {
                        (earlier.actions.has(kind) && self.covers(by, slot)).then(|| self.book.slots[by].rule)
                    })
                };
                let by: Vec<RuleId> = slots.iter().map_while(shadow).collect();
                if by.len() == slots.len() {
                    findings.push(Finding::Shadowed { rule: id, kind, by: unique(by) });
                }
            }
        }
    }

    fn look_at_reach(&self, id: RuleId, slots: &[usize], findings: &mut Vec<Finding>) {
        let added = self.book.agents(&self.book.rules[id.index()].actions.add_teams);
        if added.is_empty() {
            return;
        }
        let mut by = Vec::new();
        for &slot in slots {
            let own = &self.book.surroundings.lines[self.book.slots[slot].line.index()].teams;
            let suffices = |teams: &[_]| added.is_subset(&self.book.agents(&[own, teams].concat()));
            if suffices(&[]) {
                continue;
            }
            let found = self
                .earlier(slot)
                .find(|(by, earlier)| suffices(&earlier.actions.add_teams) && self.covers(*by, slot));
            match found {
                Some((found, _)) => by.push(self.book.slots[found].rule),
                None => return,
            }
        }
        findings.push(Finding::AddsNothing { rule: id, by: unique(by) });
    }

    /// Why a rule can never turn on by its windows or its conditions alone.
    fn never(&self, slot: usize) -> Option<Never> {
        let rule = self.book.written(slot);
        if self.allowed.get(&slot).is_some_and(|allowed| allowed.is_empty()) {
            let opens =
                |opening: Option<usize>| opening.is_none_or(|opening| !self.windows[opening].is_empty());
            return Some(match (rule.during, rule.not_during) {
                (Some(during), _) if !opens(self.book.slots[slot].during) => Never::NeverOpen(during),
                (Some(during), Some(not_during)) => Never::Windows(during, not_during),
                (None, Some(not_during)) => Never::AlwaysOpen(not_during),
                (during, None) => Never::NeverOpen(during?),
            });
        }
        let line = self.book.slots[slot].line;
        if self.possible(&Formula::conditions(rule, line)) {
            return None;
        }
        // Alternatives are named only when there is but one.
        let any = if rule.when_any.len() == 1 { &rule.when_any[..] } else { &[] };
        let named: Vec<Condition> = rule.when_all.iter().chain(any).copied().collect();
        let fails = |conditions: &[Condition]| !self.possible(&Formula::all(conditions, line));
        if let Some(&condition) = named.iter().find(|&&condition| fails(&[condition])) {
            return Some(Never::Impossible(condition));
        }
        let pairs = named
            .iter()
            .enumerate()
            .flat_map(|(at, one)| named[at + 1..].iter().map(move |other| (one, other)));
        let mut contradictory = pairs.filter(|&(&one, &other)| fails(&[one, other]));
        let first = contradictory.next().map(|(&one, &other)| Never::Contradict(one, other));
        Some(first.unwrap_or(Never::Together))
    }

    /// The slots of the same line that come before this one, with their rules.
    fn earlier(&self, slot: usize) -> impl Iterator<Item = (usize, &Rule)> {
        let all = self.book.slots_of(self.book.slots[slot].line);
        (all.start..slot).map(|earlier| (earlier, self.book.written(earlier)))
    }

    /// Whether `by` is on for a caller whenever `slot` of the same line is.
    ///
    /// It turns on no later: it is pressed whenever the other is, and need not last longer. And it does not turn
    /// off before: while the other is on, its own end cannot come.
    fn covers(&self, by: usize, slot: usize) -> bool {
        let (wide, narrow) = (self.book.written(by), self.book.written(slot));
        let line = self.book.slots[slot].line;
        let asks_no_more = |wide: Option<bool>, narrow: Option<bool>| wide.is_none() || wide == narrow;
        asks_no_more(wide.callers.redial, narrow.callers.redial)
            && asks_no_more(wide.callers.withheld, narrow.callers.withheld)
            && wide.for_at_least <= narrow.for_at_least
            && self.allows_whenever(by, slot)
            && follows(self.book, &Formula::pressed(narrow, line), &Formula::pressed(wide, line))
            && self.lasts_as_long(wide, narrow, line)
    }

    fn allows_whenever(&self, by: usize, slot: usize) -> bool {
        match (self.allowed.get(&by), self.allowed.get(&slot)) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => narrow.without(wide).is_empty(),
            (Some(wide), None) => super::Spans::whole(self.from).without(wide).is_empty(),
        }
    }

    /// Whether `wide`, on when `narrow` turned on, stays on for as long.
    fn lasts_as_long(&self, wide: &Rule, narrow: &Rule, line: LineId) -> bool {
        // How its line may look while `narrow` is on.
        let on = match (narrow.until.is_empty(), narrow.for_at_least.is_zero()) {
            (false, _) => Formula::ends(narrow, line).not(),
            (true, true) => Formula::conditions(narrow, line),
            (true, false) => Formula::And(Vec::new()),
        };
        if !wide.until.is_empty() {
            return follows(self.book, &on, &Formula::ends(wide, line).not());
        }
        let end_alike = narrow.until.is_empty() && narrow.for_at_least == wide.for_at_least;
        end_alike || follows(self.book, &on, &Formula::conditions(wide, line))
    }

    fn possible(&self, formula: &Formula) -> bool {
        formula.is_possible(self.book)
    }
}

fn unique(mut rules: Vec<RuleId>) -> Vec<RuleId> {
    rules.sort_unstable();
    rules.dedup();
    rules
}
