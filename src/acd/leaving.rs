//! Who may join a line, and who is led out of it.
//!
//! Both concern routine callers only. Nobody is dropped without a word: a caller leaves by the line's way out,
//! or stays and is offered to a destination besides. One whose phone rings at that instant is not led out
//! before the ringing has come to nothing and no other agent is free.

use std::collections::BTreeSet;

use super::classes::{Class, Who};
use super::distributor::Distributor;
use super::place::Place;
use super::rules::asked;
use super::{Band, Entry, Leaving, Newcomer, Output, Refusal, Stage, WayOut};
use crate::id::{CallId, LineId, PracticeId};
use crate::policy::rules::{self, Won};
use crate::time::Mono;

/// What a full line and an empty one answer: 503, so that the trunk takes the call back.
const UNAVAILABLE: u16 = 503;

impl Distributor {
    /// Whether a caller may join; asked before [`super::Input::Arrive`], which does not ask again. An emergency
    /// always may.
    pub fn entry(&mut self, newcomer: &Newcomer, now: Mono) -> Entry {
        self.advance(now);
        let Some(line) = self.plan.lines.get(newcomer.line.index()) else { return Entry::Join };
        if newcomer.band == Band::EMERGENCY {
            return Entry::Join;
        }
        let why = if newcomer.practice.is_some_and(|practice| self.has_filled(practice, newcomer.line)) {
            Refusal::PracticeFull
        } else if !line.join_when_empty && self.nobody_answers(newcomer) {
            Refusal::NobodyAtWork
        } else {
            let Some(Won { rule, action }) = self.decision(newcomer.line, asked(newcomer)).refuse else {
                return Entry::Join;
            };
            let (retry_after, to) = match action {
                rules::Refusal::Unavailable { retry_after } => (Some(retry_after), None),
                rules::Refusal::Moved { to } => (None, Some(to)),
            };
            return Entry::Refuse { code: action.code(), retry_after, to, why: Refusal::Rule(rule) };
        };
        Entry::Refuse { code: UNAVAILABLE, retry_after: Some(self.plan.retry_after), to: None, why }
    }

    /// Whether as many callers of a practice wait as may: in this line, or in all.
    fn has_filled(&self, practice: PracticeId, line: LineId) -> bool {
        let (queue, most) = (&self.queues[line.index()], self.plan.lines[line.index()].most_per_practice);
        let everywhere = || self.queues.iter().map(|queue| queue.of_practice(practice)).sum::<u32>();
        most.is_some_and(|most| queue.of_practice(practice) >= most)
            || self.plan.most_per_practice.is_some_and(|most| everywhere() >= most)
    }

    /// A caller may have to be led out before the step is over, where its line leads anybody out.
    pub(super) fn may_leave(&mut self, call: CallId) {
        let line = self.calls.get(&call).map(|caller| &self.plan.lines[caller.line.index()]);
        if line.is_some_and(|line| line.max_wait.is_some() || line.leave_when_empty.is_some()) {
            self.to_lead_out.insert(call);
        }
    }

    /// Leads out who has waited in vain; the last thing in every step.
    pub(super) fn lead_out(&mut self, now: Mono) {
        if self.to_lead_out.is_empty() && self.to_clear.is_empty() {
            return;
        }
        if self.to_clear.is_empty() && self.to_lead_out.len() == 1 {
            // Nearly always it is one caller, who has just come and may stay.
            if let Some(call) = self.to_lead_out.pop_first() {
                self.lead_out_if_it_must(call, now);
            }
            return;
        }
        let mut candidates: BTreeSet<(LineId, Place)> = BTreeSet::new();
        for call in std::mem::take(&mut self.to_lead_out) {
            candidates.extend(self.calls.get(&call).map(|caller| (caller.line, caller.place)));
        }
        for line in std::mem::take(&mut self.to_clear) {
            let classes = self.classes.of_line(line).iter().map(|&class| self.classes.of(class));
            let deserted = classes.filter(|class| self.is_deserted(class));
            candidates
                .extend(deserted.flat_map(|class| class.wanting.iter().map(move |&place| (line, place))));
        }
        for (_, place) in candidates {
            self.lead_out_if_it_must(place.call, now);
        }
    }

    fn lead_out_if_it_must(&mut self, call: CallId, now: Mono) {
        while let Some((way, why)) = self.way_out(call, now) {
            if let (WayOut::RouteTo(destination), Some(caller)) = (way, self.calls.get_mut(&call)) {
                caller.out = Some(destination);
                self.seek_agents(call, now);
            } else {
                self.forget(call);
                self.outputs.push_back(Output::Release { call, way, why });
            }
        }
    }

    /// How a caller has to leave now, if it has to.
    pub(super) fn way_out(&self, call: CallId, now: Mono) -> Option<(WayOut, Leaving)> {
        let caller = self.calls.get(&call)?;
        if caller.is_emergency() || caller.place.callback || caller.stage != Stage::Waiting {
            return None;
        }
        let line = &self.plan.lines[caller.line.index()];
        let too_long = line.max_wait.is_some_and(|longest| now >= caller.waits_since + longest);
        let deserted = || caller.class.is_some_and(|class| self.is_deserted(self.classes.of(class)));
        let ways = [
            too_long.then_some((line.way_out, Leaving::WaitedTooLong)),
            line.leave_when_empty.filter(|_| deserted()).map(|way| (way, Leaving::NobodyAtWork)),
        ];
        ways.into_iter().flatten().find(|(way, _)| match way {
            WayOut::RouteTo(destination) => {
                caller.out.is_none() && self.roster.team_of(*destination).is_some()
            }
            WayOut::Callback | WayOut::Goodbye => true,
        })
    }

    fn is_deserted(&self, class: &Class) -> bool {
        class.teams.iter().all(|team| self.at_work[team.index()] == 0)
    }

    fn nobody_answers(&self, newcomer: &Newcomer) -> bool {
        let who = Who { redial: newcomer.redial, withheld: newcomer.withheld };
        let own = self.roster.own_teams(newcomer.line);
        let reach = own.iter().chain(self.classes.added(newcomer.line, who));
        reach.copied().all(|team| self.at_work[team.index()] == 0)
    }
}
