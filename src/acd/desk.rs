//! One team's desk: the first caller of each class that the team answers, in the order in which its members
//! take them.
//!
//! The order is by band, then emergencies for whom nothing rings before those for whom too few phones ring,
//! then by the share of the practice where practices share the team, then by place.
//!
//! The share is start-time fair queueing (Goyal, Vin and Cheng, 1996) counted in calls presented: a practice has
//! a tag, the least tag goes first, and each call presented adds 1/weight to it. The team's own time is the tag
//! of the last call presented; a practice that comes back with callers starts there at the earliest, so that no
//! credit is saved up while nobody waits. Hence two practices that both have callers waiting whom the same
//! members can answer are never further apart than one call of each: |calls of f / weight of f - calls of g /
//! weight of g| <= 1 / weight of f + 1 / weight of g. A presentation that came to nothing is given back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Band;
use super::classes::{ClassId, Kind};
use super::place::Place;
use super::plan::Shares;
use super::roster::{Asked, Profile, Roster};
use crate::id::PracticeId;

/// One call of a practice of weight 1.
const ONE_CALL: u64 = 1 << 32;

/// A class's first caller at a desk; the lesser goes first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Turn {
    band: Band,
    rung: bool,
    tag: u64,
    pub(super) place: Place,
    pub(super) class: ClassId,
    practice: Option<PracticeId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Desk {
    pub(super) turns: BTreeMap<Asked, BTreeSet<Turn>>,
    pub(super) share: Option<Share>,
}

/// How the practices share the team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Share {
    weights: Shares,
    now: u64,
    /// Callers of no practice are one practice together.
    tags: Vec<(Option<PracticeId>, Standing)>,
}

/// Where a practice stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    tag: u64,
    /// Its turns, by the tag that they have at the desk.
    turns: Vec<(Asked, Turn)>,
}

impl Turn {
    pub(super) fn new(kind: &Kind, place: Place, class: ClassId) -> Turn {
        Turn { band: kind.band, rung: kind.rung, tag: 0, place, class, practice: kind.practice }
    }

    /// The order between the callers that several teams put forward, whose tags cannot be compared.
    pub(super) fn between_teams(&self) -> (Band, bool, Place) {
        (self.band, self.rung, self.place)
    }

    pub(super) fn is_emergency(&self) -> bool {
        self.band == Band::EMERGENCY
    }
}

impl Desk {
    pub(super) fn new(shares: Option<&Shares>) -> Desk {
        let share = shares.map(|weights| Share { weights: weights.clone(), now: 0, tags: Vec::new() });
        Desk { turns: BTreeMap::new(), share }
    }

    /// The caller whom a member of this profile takes next.
    pub(super) fn first(&self, profile: Profile, roster: &Roster) -> Option<&Turn> {
        let fitting = self.turns.iter().filter(|(asked, _)| roster.meets(profile, **asked));
        fitting.filter_map(|(_, turns)| turns.first()).min()
    }

    /// A class has somebody waiting who is its first.
    pub(super) fn join(&mut self, asked: Asked, mut turn: Turn) {
        if let Some(share) = self.share.as_mut().filter(|_| !turn.is_emergency()) {
            share.catch_up(turn.practice);
            let standing = share.standing(turn.practice);
            turn.tag = standing.tag;
            standing.turns.push((asked, turn));
        }
        self.turns.entry(asked).or_default().insert(turn);
    }

    /// A class has nobody any more.
    pub(super) fn leave(&mut self, asked: Asked, mut turn: Turn) {
        if let Some(share) = self.share.as_mut().filter(|_| !turn.is_emergency()) {
            let standing = share.standing(turn.practice);
            turn.tag = standing.tag;
            standing.turns.retain(|(_, other)| other.class != turn.class);
        }
        self.take(asked, &turn);
    }

    /// A class has another first.
    pub(super) fn replace(&mut self, asked: Asked, mut old: Turn, mut new: Turn) {
        if let Some(share) = self.share.as_mut().filter(|_| !new.is_emergency()) {
            let standing = share.standing(new.practice);
            (old.tag, new.tag) = (standing.tag, standing.tag);
            if let Some((_, turn)) = standing.turns.iter_mut().find(|(_, turn)| turn.class == new.class) {
                *turn = new;
            }
        }
        self.take(asked, &old);
        self.turns.entry(asked).or_default().insert(new);
    }

    /// A routine call of the practice is presented to a member; whether turns are counted here.
    pub(super) fn charge(&mut self, practice: Option<PracticeId>) -> bool {
        let Some(share) = &mut self.share else { return false };
        share.catch_up(practice);
        let tag = share.standing(practice).tag;
        share.now = share.now.max(tag);
        self.set_tag(practice, |tag, one| tag.saturating_add(one));
        true
    }

    /// It came to nothing.
    pub(super) fn give_back(&mut self, practice: Option<PracticeId>) {
        self.set_tag(practice, u64::saturating_sub);
    }

    /// Panics unless every turn has its practice's tag, and is known to the practice.
    pub(super) fn check_tags(&self) {
        let Some(share) = &self.share else { return };
        for (asked, turn) in
            self.turns.iter().flat_map(|(asked, turns)| turns.iter().map(move |t| (asked, t)))
        {
            let known =
                share.tags.iter().find(|entry| entry.0 == turn.practice).is_some_and(|(_, standing)| {
                    turn.tag == standing.tag && standing.turns.contains(&(*asked, *turn))
                });
            assert!(known || turn.is_emergency(), "{turn:?} at {share:?}");
        }
    }

    fn set_tag(&mut self, practice: Option<PracticeId>, change: impl Fn(u64, u64) -> u64) {
        let Some(share) = &mut self.share else { return };
        let one = share.one_call(practice);
        let standing = share.standing(practice);
        standing.tag = change(standing.tag, one);
        for (asked, turn) in &mut standing.turns {
            if let Some(turns) = self.turns.get_mut(asked) {
                turns.remove(turn);
                turn.tag = standing.tag;
                turns.insert(*turn);
            }
        }
    }

    fn take(&mut self, asked: Asked, turn: &Turn) {
        if let Some(turns) = self.turns.get_mut(&asked) {
            turns.remove(turn);
        }
    }
}

impl Share {
    fn one_call(&self, practice: Option<PracticeId>) -> u64 {
        let weight = practice.and_then(|practice| self.weights.get(&practice)).copied().unwrap_or(1);
        ONE_CALL / u64::from(weight.max(1))
    }

    /// A practice of which nobody waits here saves up nothing.
    fn catch_up(&mut self, practice: Option<PracticeId>) {
        let now = self.now;
        let standing = self.standing(practice);
        if standing.turns.is_empty() {
            standing.tag = standing.tag.max(now);
        }
    }

    fn standing(&mut self, practice: Option<PracticeId>) -> &mut Standing {
        let at = match self.tags.binary_search_by_key(&practice, |entry| entry.0) {
            Ok(at) => at,
            Err(at) => {
                self.tags.insert(at, (practice, Standing::default()));
                at
            }
        };
        &mut self.tags[at].1
    }
}
