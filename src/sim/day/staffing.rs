//! The least staff for a target, half hour by half hour.
//!
//! From the first half hour on, each in turn gets the fewest agents with which the target still holds in it, in those
//! before and in the two hours after, while all later ones have every member. So each number is the least, given those
//! before it; another day's rota that is shorter overall is not ruled out.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::figures::Measure;
use super::source::Recorded;
use super::tally::{End, HALF_HOURS, Sample};
use crate::config::Deployment;
use crate::config::workload::{Level, Load};
use crate::id::TeamId;
use crate::ledger::Waits;

const HALF_HOUR: Duration = Duration::from_secs(1_800);
/// How many half hours after one must hold as well when its staff is tried.
const AHEAD: usize = 4;

/// What must hold for the calls that arrive in each half hour.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Target {
    /// Of emergency calls, rather than of the others.
    pub emergency: bool,
    /// What is limited.
    pub measure: Measure,
    /// Below what it must stay: seconds, or a share.
    pub limit: f64,
}

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a target is \"p95 wait < 2m\" (mean, median, p90, p95 or p99) or \"abandoned < 5%\", with \"emergency\" before it for 999 calls"
)]
pub struct NoTarget;

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Target, NoTarget> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (emergency, words) = match words.split_first() {
            Some((&"emergency", rest)) => (true, rest),
            _ => (false, &words[..]),
        };
        let (measure, limit) = match *words {
            ["abandoned", "<", share] => {
                let share: f64 = share.strip_suffix('%').ok_or(NoTarget)?.parse().map_err(|_| NoTarget)?;
                (Measure::AbandonedShare, share / 100.0)
            }
            [measure, "wait", "<", limit] => {
                let measure = match measure {
                    "mean" => Measure::Mean,
                    "median" => Measure::Median,
                    "p90" => Measure::P90,
                    "p95" => Measure::P95,
                    "p99" => Measure::P99,
                    _ => return Err(NoTarget),
                };
                let limit: jiff::SignedDuration = limit.parse().map_err(|_| NoTarget)?;
                (measure, limit.as_secs_f64())
            }
            _ => return Err(NoTarget),
        };
        if limit > 0.0 { Ok(Target { emergency, measure, limit }) } else { Err(NoTarget) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let emergency = if self.emergency { "emergency " } else { "" };
        let what = match self.measure {
            Measure::Mean => "mean wait",
            Measure::Median => "median wait",
            Measure::P90 => "p90 wait",
            Measure::P99 => "p99 wait",
            Measure::AbandonedShare => {
                return write!(f, "{emergency}abandoned < {}%", self.limit * 100.0);
            }
            _ => "p95 wait",
        };
        let limit = jiff::SignedDuration::from_millis((self.limit * 1_000.0).round() as i64);
        write!(f, "{emergency}{what} < {limit:#}")
    }
}

/// What to search, and with what.
pub struct Search<'a> {
    /// The hub.
    pub deployment: &'a Deployment,
    /// Its load.
    pub load: &'a Load,
    /// The calls of a load from the ledger.
    pub recorded: &'a [Recorded],
    /// Whose staff is searched.
    pub team: TeamId,
    /// What must hold.
    pub targets: &'a [Target],
    /// The seeds of the days that it must hold for, all together.
    pub seeds: &'a [u64],
}

/// The least staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// For each half hour in which the load has the team at work: how many of it are needed.
    pub staff: Vec<(usize, u32)>,
    /// Half hours in which the target does not hold with every member at work.
    pub unmet: Vec<usize>,
}

/// How the calls of one half hour fared, of one target.
#[derive(Clone, Default)]
struct Fared {
    waits: Vec<u64>,
    joined: u64,
    abandoned: u64,
}

impl Search<'_> {
    /// Finds the least staff; `tick` is told how many half hours are done, of how many.
    pub fn run(&self, tick: &mut dyn FnMut(usize, usize)) -> Found {
        let open = self.open();
        let most = self.deployment.plan.acd.teams[self.team.index()].agents.len() as u32;
        let mut staff = [0; HALF_HOURS];
        open.iter().for_each(|&half| staff[half] = most);
        let possible = self.trial(&staff, HALF_HOURS);
        let unmet: Vec<usize> = (0..HALF_HOURS).filter(|&half| !possible[half]).collect();
        for (done, &half) in open.iter().enumerate() {
            tick(done, open.len());
            if !possible[half] {
                // All are needed where not even all are enough.
                continue;
            }
            let until = (half + 1 + AHEAD).min(HALF_HOURS);
            let (mut least, mut enough) = (0, most);
            while least < enough {
                staff[half] = least + (enough - least) / 2;
                let held = self.trial(&staff, until);
                let good = (0..until).all(|half| held[half] || !possible[half]);
                if good { enough = staff[half] } else { least = staff[half] + 1 }
            }
            staff[half] = enough;
        }
        tick(open.len(), open.len());
        Found { staff: open.into_iter().map(|half| (half, staff[half])).collect(), unmet }
    }

    /// For each half hour the value of each target's measure on these seeds, with so much staff.
    pub fn check(&self, found: &Found) -> Vec<Vec<Option<f64>>> {
        let mut staff = [0; HALF_HOURS];
        found.staff.iter().for_each(|&(half, agents)| staff[half] = agents);
        let fared = self.fared(&staff, HALF_HOURS);
        let values = |half: usize| {
            let targets = self.targets.iter().zip(&fared);
            targets.map(|(target, fared)| fared[half].value(target.measure)).collect()
        };
        (0..HALF_HOURS).map(values).collect()
    }

    /// Half hours in which the load has somebody of the team at work, while calls come.
    fn open(&self) -> Vec<usize> {
        let levels = self.load.teams[self.team.index()].levels.as_deref();
        let at_work = |half: usize| {
            let from = HALF_HOUR * half as u32;
            let until = from + HALF_HOUR;
            let Some(levels) = levels else { return true };
            let begun = levels.iter().take_while(|level| level.from < until);
            let before = levels.iter().rfind(|level| level.from <= from);
            begun.filter(|level| level.from >= from).chain(before).any(|level| level.agents > 0)
        };
        let called = |half: usize| {
            let from = HALF_HOUR * half as u32;
            from < self.load.to && from + HALF_HOUR > self.load.from
        };
        (0..HALF_HOURS).filter(|&half| called(half) && at_work(half)).collect()
    }

    /// Whether every target holds, for each half hour before `until`.
    fn trial(&self, staff: &[u32; HALF_HOURS], until: usize) -> Vec<bool> {
        let fared = self.fared(staff, until);
        let holds = |half: usize| {
            self.targets.iter().zip(&fared).all(|(target, fared)| {
                fared[half].joined == 0
                    || fared[half].value(target.measure).is_some_and(|value| value < target.limit)
            })
        };
        (0..HALF_HOURS).map(holds).collect()
    }

    /// How the calls fared, by target and half hour.
    fn fared(&self, staff: &[u32; HALF_HOURS], until: usize) -> Vec<Vec<Fared>> {
        let mut load = self.load.clone();
        let level = |(half, &agents): (usize, &u32)| Level { from: HALF_HOUR * half as u32, agents };
        load.teams[self.team.index()].levels = Some(staff.iter().enumerate().map(level).collect());
        // Calls of the last half hour are followed for an hour more.
        let end = (until < HALF_HOURS).then(|| HALF_HOUR * (until as u32 + 2));
        let mut fared = vec![vec![Fared::default(); HALF_HOURS]; self.targets.len()];
        let trunks = &self.deployment.plan.ingress.trunks;
        let is_emergency = |source: usize| match load.ledger {
            Some(_) => trunks[source].emergency,
            None => trunks[load.calls[source].trunk.index()].emergency,
        };
        for &seed in self.seeds {
            let tally = super::run(self.deployment, &load, self.recorded, seed, end, &mut |_, _| ());
            let joined = |sample: &&Sample| sample.end != End::Refused && sample.end.is_of_call();
            for sample in tally.samples.iter().filter(joined) {
                let emergency = is_emergency(usize::from(sample.source));
                let half = sample.arrived as usize / 1_800_000;
                for (target, fared) in self.targets.iter().zip(&mut fared) {
                    if target.emergency == emergency
                        && let Some(fared) = fared.get_mut(half)
                    {
                        fared.joined += 1;
                        fared.abandoned += u64::from(sample.end == End::Abandoned);
                        fared.waits.push(sample.waited.into());
                    }
                }
            }
        }
        fared
    }
}

impl Fared {
    /// Waits are those of all who joined: whoever gave up had waited too.
    fn value(&self, measure: Measure) -> Option<f64> {
        if measure == Measure::AbandonedShare {
            return (self.joined > 0).then(|| self.abandoned as f64 / self.joined as f64);
        }
        let waits = Waits::of(self.waits.clone())?;
        let wait = match measure {
            Measure::Mean => waits.mean,
            Measure::Median => waits.median,
            Measure::P90 => waits.p90,
            Measure::P99 => waits.p99,
            _ => waits.p95,
        };
        Some(wait.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn targets_are_read_as_people_write_them_and_shown_so() {
        let target = |emergency, measure, limit| Target { emergency, measure, limit };
        for (text, expected) in [
            ("p95 wait < 2m", target(false, Measure::P95, 120.0)),
            ("median wait < 20s", target(false, Measure::Median, 20.0)),
            ("emergency p99 wait < 10s", target(true, Measure::P99, 10.0)),
            ("abandoned < 5%", target(false, Measure::AbandonedShare, 0.05)),
        ] {
            assert_eq!(text.parse(), Ok(expected));
            assert_eq!(expected.to_string(), text);
        }
        for text in [
            "",
            "p95 < 2m",
            "p95 wait > 2m",
            "p96 wait < 2m",
            "p95 wait < 2",
            "abandoned < 5",
            "mean wait < 0s",
        ] {
            assert_eq!(text.parse::<Target>(), Err(NoTarget), "{text}");
        }
    }
}
