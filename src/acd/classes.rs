//! Who wants an agent: callers in classes that the same agents can answer, and for each team the first caller
//! of every class that it answers.
//!
//! Callers of one class have the same reach and the same needs, so their first stands for all; a change of a
//! line's reach touches its classes and not its callers. Through the desks an agent finds the next caller
//! without looking at classes where nobody waits. Nothing here decides who is presented to whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Band;
use super::desk::{Desk, Turn};
use super::place::Place;
use super::roster::{Asked, Roster};
use crate::id::{DestinationId, LineId, PracticeId, TeamId};
use crate::policy::rules::CallerFacts;

/// Position of a class in the table.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct ClassId(u32);

/// What callers of one class have in common.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Kind {
    pub(super) line: LineId,
    pub(super) band: Band,
    /// Promised callbacks, which only people can keep.
    pub(super) callback: bool,
    /// Phones ring already, but not as many as should.
    pub(super) rung: bool,
    /// Told apart only where practices share a team.
    pub(super) practice: Option<PracticeId>,
    pub(super) widened: u32,
    pub(super) relaxed: u32,
    pub(super) out: Option<DestinationId>,
    pub(super) who: Who,
}

/// What rules tell callers apart by.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Who {
    pub(super) redial: bool,
    pub(super) withheld: bool,
}

impl Who {
    pub(super) fn all() -> [Who; 4] {
        let who = |redial, withheld| Who { redial, withheld };
        [who(false, false), who(false, true), who(true, false), who(true, true)]
    }

    pub(super) fn facts(self, band: Band) -> CallerFacts {
        CallerFacts { band, redial: self.redial, withheld: self.withheld }
    }

    /// Position in [`Who::all`].
    fn index(self) -> usize {
        usize::from(self.redial) * 2 + usize::from(self.withheld)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Class {
    pub(super) kind: Kind,
    pub(super) needs: Asked,
    /// Its reach, each team once.
    pub(super) teams: Vec<TeamId>,
    pub(super) wanting: BTreeSet<Place>,
}

/// All classes there have been; there are as many as lines, practices and steps make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Classes {
    all: Vec<Class>,
    #[serde(with = "pairs")]
    by_kind: BTreeMap<Kind, ClassId>,
    /// By [`LineId`].
    by_line: Vec<Vec<ClassId>>,
    /// By [`LineId`] and who asks: teams that rules add to the reach, in their order.
    added: Vec<[Vec<TeamId>; 4]>,
    /// By [`TeamId`], teams of destinations after those of people.
    pub(super) desks: Vec<Desk>,
}

impl Classes {
    pub(super) fn new(lines: usize, desks: Vec<Desk>) -> Classes {
        Classes {
            all: Vec::new(),
            by_kind: BTreeMap::new(),
            by_line: vec![Vec::new(); lines],
            added: vec![Default::default(); lines],
            desks,
        }
    }

    pub(super) fn of(&self, class: ClassId) -> &Class {
        &self.all[class.0 as usize]
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (ClassId, &Class)> {
        (0u32..).map(ClassId).zip(&self.all)
    }

    pub(super) fn of_line(&self, line: LineId) -> &[ClassId] {
        &self.by_line[line.index()]
    }

    pub(super) fn added(&self, line: LineId, who: Who) -> &[TeamId] {
        &self.added[line.index()][who.index()]
    }

    /// The class of this kind, made when it is the first of it.
    pub(super) fn find(&mut self, kind: Kind, roster: &Roster) -> ClassId {
        /// A line has few kinds of callers, unless practices share a team: then a tree is faster.
        const FEW: usize = 16;
        let known = &self.by_line[kind.line.index()];
        let found = match known.len() {
            0..=FEW => known.iter().find(|class| self.all[class.0 as usize].kind == kind),
            _ => self.by_kind.get(&kind),
        };
        if let Some(&class) = found {
            return class;
        }
        let class = ClassId(self.all.len() as u32);
        let needs = roster.needs(kind.line, kind.relaxed);
        let teams = self.reach(&kind, roster);
        self.all.push(Class { kind, needs, teams, wanting: BTreeSet::new() });
        self.by_kind.insert(kind, class);
        self.by_line[kind.line.index()].push(class);
        class
    }

    /// Own teams, then those of rules that are on, then those of widening, then that of a way out; destinations
    /// are for routine callers only, who are on the phone.
    pub(super) fn reach(&self, kind: &Kind, roster: &Roster) -> Vec<TeamId> {
        let routine = kind.band != Band::EMERGENCY && !kind.callback;
        let own = roster.own_teams(kind.line).iter().chain(self.added(kind.line, kind.who)).copied();
        let widened = roster.widened_by(kind.line, kind.widened);
        let out = kind.out.and_then(|destination| roster.team_of(destination));
        let mut teams = Vec::new();
        for team in own.chain(widened).chain(out) {
            if (routine || roster.is_of_people(team)) && !teams.contains(&team) {
                teams.push(team);
            }
        }
        teams
    }

    /// Changes the teams that rules add to a line's reach, by position in [`Who::all`]; whether that is a change.
    pub(super) fn set_added(&mut self, line: LineId, added: [Vec<TeamId>; 4], roster: &Roster) -> bool {
        if self.added[line.index()] == added {
            return false;
        }
        self.added[line.index()] = added;
        for &class in &self.by_line[line.index()] {
            let teams = self.reach(&self.all[class.0 as usize].kind, roster);
            let Class { kind, needs, wanting, teams: old } = &mut self.all[class.0 as usize];
            if let Some(&first) = wanting.first() {
                let turn = Turn::new(kind, first, class);
                for team in old.iter().filter(|team| !teams.contains(team)) {
                    self.desks[team.index()].leave(*needs, turn);
                }
                for team in teams.iter().filter(|team| !old.contains(team)) {
                    self.desks[team.index()].join(*needs, turn);
                }
            }
            *old = teams;
        }
        true
    }

    pub(super) fn insert(&mut self, class: ClassId, place: Place) {
        let Class { kind, needs, teams, wanting } = &mut self.all[class.0 as usize];
        let first = wanting.first().copied();
        wanting.insert(place);
        if first.is_some_and(|first| first < place) {
            return;
        }
        let turn = Turn::new(kind, place, class);
        for team in &*teams {
            let desk = &mut self.desks[team.index()];
            match first {
                Some(old) => desk.replace(*needs, Turn::new(kind, old, class), turn),
                None => desk.join(*needs, turn),
            }
        }
    }

    pub(super) fn remove(&mut self, class: ClassId, place: Place) {
        let Class { kind, needs, teams, wanting } = &mut self.all[class.0 as usize];
        let was_first = wanting.first() == Some(&place);
        wanting.remove(&place);
        if !was_first {
            return;
        }
        let turn = Turn::new(kind, place, class);
        for team in &*teams {
            let desk = &mut self.desks[team.index()];
            match wanting.first() {
                Some(&next) => desk.replace(*needs, turn, Turn::new(kind, next, class)),
                None => desk.leave(*needs, turn),
            }
        }
    }
}

/// A map whose keys are no text, as a list of pairs, so that JSON can carry it.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{ClassId, Kind};

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<Kind, ClassId>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Kind, ClassId>, D::Error> {
        Ok(Vec::deserialize(from)?.into_iter().collect())
    }
}
