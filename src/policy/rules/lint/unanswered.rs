//! Lines that nobody can answer in some hours of the week.

use super::logic::Formula;
use super::{Finding, Lint, Spans};
use crate::calendar::{Local, TimeOfDay, Weekday};
use crate::id::{LineId, TeamId};
use crate::time::Wall;

/// Among how many weeks the one with the fewest gaps is looked for: some have holidays.
const WEEKS: usize = 8;

impl Lint<'_> {
    /// Adds the lines that nobody can answer in some hours of an ordinary week.
    ///
    /// Agents who could ever be presented its calls are taken to be at work, and rules to turn on whenever they may.
    pub(super) fn find_unanswered(&self, findings: &mut Vec<Finding>) {
        let weeks = self.weeks();
        for (line, outline) in (0u32..).map(LineId).zip(&self.book.surroundings.lines) {
            let teams = [&outline.teams[..], &outline.widened].concat();
            if outline.first || self.has_agents(line, &teams) {
                continue;
            }
            let answered = self.reached(line);
            let gaps = weeks.iter().map(|week| week.without(&answered));
            if let Some(gaps) = gaps.min_by_key(Spans::length).filter(|gaps| !gaps.is_empty()) {
                findings.push(Finding::Unanswered { line, gaps: gaps.0 });
            }
        }
    }

    /// When rules may bring somebody who answers.
    fn reached(&self, line: LineId) -> Spans {
        let helping = self.book.slots_of(line).filter(|&slot| {
            let rule = self.book.written(slot);
            let brings = rule.actions.route_to.is_some()
                && !self.book.surroundings.lines[line.index()].emergency
                || self.has_agents(line, &rule.actions.add_teams);
            brings && Formula::pressed(rule, line).is_possible(self.book)
        });
        helping.fold(Spans::default(), |all, slot| match self.allowed.get(&slot) {
            Some(allowed) => all.with(allowed),
            None => Spans::whole(self.from),
        })
    }

    /// Whether somebody of these teams could answer calls of the line.
    fn has_agents(&self, line: LineId, teams: &[TeamId]) -> bool {
        self.book.agents(teams).into_iter().any(|agent| (self.may_answer)(line, agent))
    }

    /// Whole weeks from the next Monday on.
    fn weeks(&self) -> Vec<Spans> {
        let mut date = self.calendar.local(self.from, None).date;
        let mut mondays: Vec<Wall> = Vec::new();
        while mondays.len() <= WEEKS {
            let Ok(next) = date.tomorrow() else { break };
            date = next;
            if Weekday::of(date) == Weekday::Monday {
                mondays.push(self.calendar.instant(Local { date, time: TimeOfDay::MIDNIGHT }, None));
            }
        }
        mondays.windows(2).map(|week| Spans(vec![(week[0], week[1])])).collect()
    }
}
