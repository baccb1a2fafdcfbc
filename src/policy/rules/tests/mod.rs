//! Rules against facts: what follows from which, and when.

#![allow(clippy::unwrap_used)]

mod explain;
mod hysteresis;
mod lint;
mod lint_random;
mod shadow;
mod steps;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::calendar::{Calendar, Nation, Spec, Window};
use crate::id::{AgentId, LineId, RuleId, TeamId, WindowId};
use crate::time::{Mono, Now, Wall};

/// 2026-11-23T08:00:00Z, a Monday.
pub(super) const MONDAY_EIGHT: Wall = Wall(1_795_420_800_000);

pub(super) const EARLY: WindowId = WindowId(0);
pub(super) const LATE: WindowId = WindowId(1);
pub(super) const DAILY: WindowId = WindowId(2);
pub(super) const MONDAYS: WindowId = WindowId(3);

/// `early` 08:02 to 08:05, `late` 08:04 to 08:07, `daily` 08:01 to 09:00, and on Mondays `mondays` 08:00 to 09:30.
pub(super) fn calendar() -> Calendar {
    let window = |name: &str, from: &str, to: &str| Window {
        name: name.into(),
        from: Some(from.parse().unwrap()),
        to: Some(to.parse().unwrap()),
        ..Window::default()
    };
    let mut mondays = window("mondays", "08:00", "09:30");
    mondays.days = [crate::calendar::Weekday::Monday].into();
    let spec = Spec {
        windows: vec![
            window("early", "08:02", "08:05"),
            window("late", "08:04", "08:07"),
            window("daily", "08:01", "09:00"),
            mondays,
        ],
        ..Spec::empty("UTC", Nation::EnglandAndWales)
    };
    Calendar::new(spec).unwrap()
}

/// Lines `elm-tree`, `hub` and `emergency`, each with a team of its own of four, two and two agents; a team
/// `helpers` of one and a team `nobody` without agents.
pub(super) fn surroundings() -> Surroundings {
    let line = |name: &str, team, emergency| LineOutline {
        name: name.into(),
        emergency,
        teams: vec![TeamId(team)],
        ..LineOutline::default()
    };
    let team = |name: &str, agents: std::ops::Range<u32>| TeamOutline {
        name: name.into(),
        agents: agents.map(AgentId).collect(),
    };
    Surroundings {
        lines: vec![line("elm-tree", 0, false), line("hub", 1, false), line("emergency", 2, true)],
        teams: vec![
            team("elm", 0..4),
            team("hub", 4..6),
            team("999", 6..8),
            team("helpers", 8..9),
            team("nobody", 9..9),
        ],
        destinations: vec!["surgery-pbx".into(), "buddy".into()],
        clips: vec!["busy".into()],
    }
}

pub(super) const ELM: LineId = LineId(0);
pub(super) const HUB: LineId = LineId(1);
pub(super) const EMERGENCY: LineId = LineId(2);

pub(super) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn at(micros: u64) -> Now {
    Now { mono: Mono(micros), wall: Wall(MONDAY_EIGHT.0 + (micros / 1000) as i64) }
}

/// A rule of `elm-tree` that offers a callback while a condition holds.
pub(super) fn rule(name: &str, when: impl IntoIterator<Item = Condition>) -> Rule {
    Rule {
        name: name.into(),
        lines: vec![ELM],
        when_all: when.into_iter().collect(),
        actions: Actions { offer_callback: true, ..Actions::default() },
        ..Rule::default()
    }
}

pub(super) fn book(rules: impl IntoIterator<Item = Rule>) -> RuleBook {
    RuleBook::new(rules.into_iter().collect(), surroundings())
}

/// Callers who wait, the first of them since this second.
pub(super) fn waiting(waiting: u32, since: u64) -> LineFacts {
    let longest_since = (waiting > 0).then_some(Mono(since * 1_000_000));
    LineFacts { waiting, longest_since, ..LineFacts::default() }
}

prop_compose! {
    /// A condition on any of the two lines, with limits near to what [`facts`] gives.
    pub(super) fn condition()(
        line in prop::option::weighted(0.3, 0u32..2),
        measure in prop::sample::select(vec![
            Measure::Waiting, Measure::Waiting, Measure::LongestWait, Measure::EstimatedWait,
            Measure::AgentsLoggedIn, Measure::AgentsFree,
        ]),
        over in any::<bool>(),
        limit in 0u64..6,
    ) -> Condition {
        let limit = if measure.is_time() { limit * 10_000_000 } else { limit };
        let bound = if over { Bound::Over(limit) } else { Bound::Under(limit) };
        Condition { line: line.map(LineId), measure, bound }
    }
}

prop_compose! {
    /// What `elm-tree` (`members` 4) or `hub` (2) may look like at this second.
    pub(super) fn facts(members: u32, second: u64)(
        waiting in 0u32..7,
        waited in 0u64..60,
        estimate in prop::option::of(0u64..60),
        logged_in in 0..=members,
        free in 0..=members,
    ) -> LineFacts {
        LineFacts {
            estimated_wait: estimate.map(seconds),
            agents_logged_in: logged_in,
            agents_free: free.min(logged_in),
            ..super::tests::waiting(waiting, second.saturating_sub(waited))
        }
    }
}

prop_compose! {
    /// A rule of both lines, without actions.
    pub(super) fn any_rule()(
        during in prop::option::weighted(0.4, prop::sample::select(vec![EARLY, LATE, DAILY])),
        not_during in prop::option::weighted(0.2, Just(LATE)),
        when_all in prop::collection::vec(condition(), 0..3),
        when_any in prop::collection::vec(condition(), 0..3),
        for_at_least in prop::sample::select(vec![0u64, 0, 5, 20]),
        until in prop::option::weighted(0.4, prop::collection::vec(condition(), 1..3)),
    ) -> Rule {
        Rule {
            lines: vec![ELM, HUB],
            during,
            not_during,
            when_all,
            when_any,
            for_at_least: seconds(for_at_least),
            until: until.unwrap_or_default(),
            ..Rule::default()
        }
    }
}
