//! Who calls, and when: a Monday morning at eight, pressed into the time there is.
//!
//! The line opens quietly and every agent gets a caller. Then comes the rush, until about twice as many
//! wait as there are agents. Emergency calls keep those busy who answer nothing else, and at the busiest
//! moment comes the emergency call that finds nobody free. After that, few call and the line empties.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::dice::Dice;

/// Who is there to call and to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cast {
    /// Routine trunks, by position.
    pub(super) routine: Vec<usize>,
    /// Emergency trunks, by position.
    pub(super) emergency: Vec<usize>,
    /// How many agents answer routine calls.
    pub(super) answering: usize,
    /// How many agents answer emergency calls alone.
    pub(super) kept: usize,
}

/// One caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    /// When, from the beginning of the morning.
    pub(super) at: Duration,
    /// By which trunk.
    pub(super) trunk: usize,
    /// How long the caller waits before hanging up.
    pub(super) patience: Duration,
    /// How long the caller talks before hanging up; `None` leaves that to the agent.
    pub(super) talk: Option<Duration>,
}

/// Length of a morning when there is no other.
const MORNING: Duration = Duration::from_secs(60);
/// How long an agent is busy with a call, all in all; only a guess, to size the rush.
const HANDLING: Duration = Duration::from_secs(8);
/// How long it takes until the first agents are free again.
const FIRST_FREE: Duration = Duration::from_secs(6);
/// Most callers of one part of a morning.
const MOST: usize = 400;

/// One morning after the other.
#[derive(Debug)]
pub(super) struct Mornings {
    cast: Cast,
    dice: Dice,
    length: Duration,
    /// How many are still to come; `None` without end.
    left: Option<u64>,
    begun: Instant,
    next: Instant,
    visits: VecDeque<Visit>,
}

impl Mornings {
    /// As many mornings as fit into `whole`, at least one, from `begin` on; without `whole` they never end.
    pub(super) fn new(cast: Cast, whole: Option<Duration>, dice: Dice, begin: Instant) -> Mornings {
        let left = whole.map(|whole| (whole.as_secs() / MORNING.as_secs()).max(1));
        let length = whole.zip(left).map_or(MORNING, |(whole, count)| whole.div_f64(count as f64));
        Mornings { cast, dice, length, left, begun: begin, next: begin, visits: VecDeque::new() }
    }

    /// The next caller who should have called by `now`.
    pub(super) fn due(&mut self, now: Instant) -> Option<Visit> {
        if self.visits.is_empty() && self.next <= now && self.left != Some(0) {
            self.left = self.left.map(|left| left - 1);
            // A computer that slept does not make up for the mornings that it missed.
            self.begun = now;
            self.next = now + self.length;
            self.visits = morning(&self.cast, self.length, &mut self.dice).into();
        }
        self.visits.pop_front_if(|visit| self.begun + visit.at <= now)
    }

    /// When [`Mornings::due`] may have a caller; `None` when all have called.
    pub(super) fn next(&self) -> Option<Instant> {
        match self.visits.front() {
            Some(visit) => Some(self.begun + visit.at),
            None if self.left == Some(0) => None,
            None => Some(self.next),
        }
    }
}

/// All callers of a morning of this length, in order.
fn morning(cast: &Cast, length: Duration, dice: &mut Dice) -> Vec<Visit> {
    let at = |part: f64| length.mul_f64(part);
    let agents = cast.answering + cast.kept;
    let served = |span: Duration| cast.answering as f64 * span.as_secs_f64() / HANDLING.as_secs_f64();
    let mut visits = Vec::new();
    if !cast.routine.is_empty() {
        let patient = |_| (Duration::from_secs(30), Duration::from_secs(60));
        // One in four of the rush has little patience, and some of those are gone when it is over.
        let in_rush =
            |nth| if nth % 4 == 2 { (Duration::from_secs(2), Duration::from_secs(5)) } else { patient(nth) };
        let rush = (2 * agents) as f64 + served(at(0.42).saturating_sub(FIRST_FREE));
        let late = served(at(0.45)) * 0.4;
        routine(&mut visits, cast, (at(0.0), at(0.12)), cast.answering, patient, dice);
        routine(&mut visits, cast, (at(0.16), at(0.40)), rush.ceil() as usize, in_rush, dice);
        routine(&mut visits, cast, (at(0.50), at(0.95)), late.ceil() as usize, patient, dice);
    }
    if !cast.emergency.is_empty() {
        let busiest = at(0.42);
        let lead = at(0.1).min(Duration::from_secs(3));
        let step = lead / u32::try_from(cast.kept + 1).unwrap_or(u32::MAX);
        for before in (0..=cast.kept.min(MOST)).rev() {
            let at = busiest.saturating_sub(step * u32::try_from(before).unwrap_or(0));
            let trunk = cast.emergency[before % cast.emergency.len()];
            visits.push(Visit { at, trunk, patience: Duration::from_secs(120), talk: None });
        }
    }
    visits.sort_by_key(|visit| visit.at);
    visits
}

fn routine(
    visits: &mut Vec<Visit>,
    cast: &Cast,
    (from, to): (Duration, Duration),
    count: usize,
    patience: impl Fn(usize) -> (Duration, Duration),
    dice: &mut Dice,
) {
    let count = count.min(MOST);
    let step = to.saturating_sub(from) / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
    let mut begin = from;
    for nth in 0..count {
        let at = dice.between(begin, begin + step);
        begin += step;
        let (shortest, longest) = patience(nth);
        let talk =
            dice.once_in(3).then(|| dice.between(Duration::from_millis(2_500), Duration::from_secs(6)));
        visits.push(Visit {
            at,
            trunk: cast.routine[dice.below(cast.routine.len())],
            patience: dice.between(shortest, longest),
            talk,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast() -> Cast {
        Cast { routine: vec![0, 1], emergency: vec![2], answering: 4, kept: 2 }
    }

    fn told(seconds: u64) -> Vec<Visit> {
        morning(&cast(), Duration::from_secs(seconds), &mut Dice::new(1, 0))
    }

    #[test]
    fn callers_come_in_order_and_within_the_morning() {
        for seconds in [1, 8, 20, 60, 3_600] {
            let visits = told(seconds);
            assert!(visits.is_sorted_by_key(|visit| visit.at));
            assert!(visits.iter().all(|visit| visit.at <= Duration::from_secs(seconds)), "{seconds} s");
        }
    }

    #[test]
    fn the_last_emergency_finds_a_long_line_and_others_busy_with_the_first() {
        for seconds in [8, 20, 60] {
            let visits = told(seconds);
            let emergencies: Vec<_> = visits.iter().filter(|visit| visit.trunk == 2).collect();
            assert_eq!(emergencies.len(), 3);
            let last = emergencies[2].at;
            assert!(last.saturating_sub(emergencies[0].at) <= Duration::from_secs(3));
            let earlier = visits.iter().filter(|visit| visit.trunk != 2 && visit.at < last).count();
            // Some are being talked to, some were served, and some have given up.
            let agents_had = 4 + 4 * last.saturating_sub(FIRST_FREE).as_secs() / HANDLING.as_secs();
            let gave_up = visits.iter().filter(|visit| visit.at + visit.patience < last).count();
            let waiting = earlier - agents_had as usize - gave_up;
            assert!((6..=14).contains(&waiting), "{seconds} s: {waiting} wait");
        }
    }

    #[test]
    fn some_callers_have_little_patience() {
        let impatient = told(8).iter().filter(|visit| visit.patience < Duration::from_secs(6)).count();
        assert!(impatient >= 2);
    }

    #[test]
    fn a_hub_without_emergency_trunks_has_routine_callers_only() {
        let cast = Cast { emergency: Vec::new(), ..cast() };
        let visits = morning(&cast, Duration::from_secs(20), &mut Dice::new(1, 0));
        assert!(!visits.is_empty() && visits.iter().all(|visit| visit.trunk < 2));
    }

    #[test]
    fn mornings_follow_one_another_until_there_are_no_more() {
        let begin = Instant::now();
        let count = |whole: Option<u64>, until: u64| {
            let whole = whole.map(Duration::from_secs);
            let mut mornings = Mornings::new(cast(), whole, Dice::new(1, 0), begin);
            let mut emergencies = 0;
            for second in 0..until {
                while let Some(visit) = mornings.due(begin + Duration::from_secs(second)) {
                    emergencies += usize::from(visit.trunk == 2);
                }
            }
            assert_eq!(mornings.next().is_none(), whole.is_some());
            emergencies
        };
        assert_eq!((count(Some(20), 40), count(Some(150), 400), count(None, 240)), (3, 6, 12));
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        assert_eq!(told(20), told(20));
    }
}
