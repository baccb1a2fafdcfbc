//! What the rules that are on mean for one caller.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CallerFacts, Kind, Refusal, RouteTo, RuleBook, RuleStates};
use crate::id::{ClipId, LineId, RuleId, TeamId};

/// An action with the rule that it counts for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Won<T> {
    /// The rule.
    pub rule: RuleId,
    /// What it does.
    pub action: T,
}

/// What the rules of a line say of one caller: all that widen, and of each other kind the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The teams of every rule that widens, in file order; a team that two rules add stands here twice.
    pub add_teams: Vec<Won<TeamId>>,
    /// For those who arrive.
    pub refuse: Option<Won<Refusal>>,
    /// For all who wait.
    pub route_to: Option<Won<RouteTo>>,
    /// For all who wait: whether a callback is offered.
    pub offer_callback: Option<Won<()>>,
    /// For all who wait, once each.
    pub announce: Option<Won<ClipId>>,
    /// For those who arrive: the time that they count as having waited.
    pub priority: Option<Won<Duration>>,
}

impl RuleStates {
    /// What the rules that are on mean for a caller of this line; nothing for a line not in the book.
    pub fn decide(&self, book: &RuleBook, line: LineId, caller: CallerFacts) -> Decision {
        Decision::of(book, self.on(book, line), caller)
    }
}

impl Decision {
    /// What these rules, in file order, mean for a caller.
    pub(super) fn of(book: &RuleBook, on: impl Iterator<Item = RuleId>, caller: CallerFacts) -> Decision {
        let mut decision = Decision::default();
        for rule in on {
            let written = &book.rules[rule.index()];
            if !written.callers.admit(caller) {
                continue;
            }
            let actions = &written.actions;
            decision.add_teams.extend(actions.add_teams.iter().map(|&action| Won { rule, action }));
            first(&mut decision.announce, rule, actions.announce);
            if Kind::Refuse.touches(caller.band) {
                first(&mut decision.refuse, rule, actions.refuse);
                first(&mut decision.route_to, rule, actions.route_to);
                first(&mut decision.offer_callback, rule, actions.offer_callback.then_some(()));
                first(&mut decision.priority, rule, actions.priority);
            }
        }
        decision
    }

    /// The teams of every rule that widens, each once, by id.
    pub fn reach(&self) -> impl Iterator<Item = TeamId> {
        self.add_teams.iter().map(|won| won.action).collect::<BTreeSet<_>>().into_iter()
    }

    /// The same for one kind alone.
    pub fn only(&self, kind: Kind) -> Decision {
        let none = Decision::default();
        match kind {
            Kind::AddTeams => Decision { add_teams: self.add_teams.clone(), ..none },
            Kind::Refuse => Decision { refuse: self.refuse, ..none },
            Kind::RouteTo => Decision { route_to: self.route_to, ..none },
            Kind::Offer => Decision { offer_callback: self.offer_callback, ..none },
            Kind::Announce => Decision { announce: self.announce, ..none },
            Kind::Priority => Decision { priority: self.priority, ..none },
        }
    }

    /// The rule that counts for a kind; of those that widen, the first.
    pub fn winner(&self, kind: Kind) -> Option<RuleId> {
        match kind {
            Kind::AddTeams => self.add_teams.first().map(|won| won.rule),
            Kind::Refuse => self.refuse.map(|won| won.rule),
            Kind::RouteTo => self.route_to.map(|won| won.rule),
            Kind::Offer => self.offer_callback.map(|won| won.rule),
            Kind::Announce => self.announce.map(|won| won.rule),
            Kind::Priority => self.priority.map(|won| won.rule),
        }
    }

    /// Whether an action of this kind counts for this rule.
    pub fn counts(&self, rule: RuleId, kind: Kind) -> bool {
        match kind {
            Kind::AddTeams => self.add_teams.iter().any(|won| won.rule == rule),
            kind => self.winner(kind) == Some(rule),
        }
    }
}

fn first<T>(place: &mut Option<Won<T>>, rule: RuleId, action: Option<T>) {
    if place.is_none() {
        *place = action.map(|action| Won { rule, action });
    }
}
