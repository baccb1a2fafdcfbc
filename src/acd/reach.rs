//! The reach of a line: its own teams, and those that rules add while they are on.
//!
//! Callers keep place and arrival; those already presented stay presented when a rule ends.

use super::distributor::Distributor;
use crate::id::{LineId, TeamId};
use crate::time::Mono;

impl Distributor {
    /// Changes the teams that rules add to a line, by position in [`super::classes::Who::all`].
    pub(super) fn set_added(&mut self, line: LineId, added: [Vec<TeamId>; 4], now: Mono) {
        if !self.classes.set_added(line, added, &self.roster) {
            return;
        }
        let classes = self.classes.of_line(line).iter().copied();
        self.seek_for_all(classes.filter(|&class| !self.classes.of(class).wanting.is_empty()).collect(), now);
        if self.plan.lines[line.index()].leave_when_empty.is_some() {
            self.to_clear.insert(line);
        }
    }
}
