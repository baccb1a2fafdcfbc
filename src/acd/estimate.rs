//! How long a caller of a line is likely to wait still, as a range that half and nine in ten of such callers
//! do not exceed.
//!
//! The range follows from how fast the line was served of late. Each range given is kept and held against the
//! wait that came true; while too many proved wrong, or too few were ever tried, the estimate stays silent.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::CallId;
use crate::time::{Deadlines, Mono};

mod throughput;
use throughput::Throughput;

/// How much proof an estimate needs before it is told.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How far back answers tell anything of the present.
    pub window: Duration,
    /// How many answers in the window there must be.
    pub fewest_answers: u32,
    /// How many ranges must have been held against the truth, 64 at the most.
    pub fewest_tried: u32,
    /// Up to how many in a hundred may have waited longer than the range said; ten would be perfect.
    pub most_late: u32,
    /// Up to how many in a hundred may have waited less than half of the range's lower end.
    pub most_early: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            window: Duration::from_secs(1_800),
            fewest_answers: 8,
            fewest_tried: 10,
            most_late: 30,
            most_early: 60,
        }
    }
}

/// A wait still to come.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Half of such callers wait no longer (p50).
    pub likely: Duration,
    /// Nine in ten of such callers wait no longer (p90).
    pub at_most: Duration,
}

/// How the latest ranges compare with what came true, 64 at the most.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// How many were held against the truth.
    pub tried: u32,
    /// Of these, callers who waited longer than [`Range::at_most`].
    pub late: u32,
    /// Of these, callers who waited less than half of [`Range::likely`].
    pub early: u32,
}

/// The waits of one line.
///
/// Events must come in order of time. An estimate holds for callers who wait because nobody who may answer
/// them is free; one for whom a phone rings at once needs none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Estimator {
    settings: Settings,
    throughput: Throughput,
    /// The range given to each caller who waits still, the oldest that is not yet settled.
    given: BTreeMap<CallId, (Mono, Range)>,
    /// When each of them proves to have been too short.
    late_from: Deadlines<CallId>,
    /// What came true of the latest ranges.
    verdicts: VecDeque<Verdict>,
}

/// What came true of a range.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Verdict {
    Early,
    Within,
    Late,
}

/// How many verdicts count.
const VERDICTS: usize = 64;

/// Ranges kept for callers who wait still; whoever asks beyond that is told the same, but does not count.
const MOST_GIVEN: usize = 16_384;

impl Estimator {
    /// For a line that nothing is known of.
    pub fn new(settings: Settings) -> Estimator {
        Estimator {
            settings,
            throughput: Throughput::new(settings.window),
            given: BTreeMap::new(),
            late_from: Deadlines::default(),
            verdicts: VecDeque::new(),
        }
    }

    /// From now on `waiting` callers wait for whom no phone rings, and `agents` are at work for the line.
    ///
    /// To be called on each change of either.
    pub fn level(&mut self, waiting: u32, agents: u32, now: Mono) {
        self.throughput.level(waiting, agents, now);
    }

    /// An agent answered this caller.
    pub fn answered(&mut self, call: CallId, now: Mono) {
        self.settle_until(now);
        self.throughput.start(now);
        let Some((asked, range)) = self.forget(call) else { return };
        let early = now.since(asked) < range.likely / 2;
        self.note(if early { Verdict::Early } else { Verdict::Within });
    }

    /// This caller left unanswered: what was told can no longer be held against the truth.
    pub fn left(&mut self, call: CallId, now: Mono) {
        self.settle_until(now);
        self.throughput.leave(now);
        self.forget(call);
    }

    /// What to tell a caller who waits behind `ahead` others; kept, told or not, to be held against the truth.
    ///
    /// Of ranges given to one caller the oldest that is not yet settled is kept.
    pub fn ask(&mut self, call: CallId, ahead: u32, now: Mono) -> Option<Range> {
        self.settle_until(now);
        let range = self.untried(ahead, now)?;
        if !self.given.contains_key(&call) && self.given.len() < MOST_GIVEN {
            self.given.insert(call, (now, range));
            // To wait exactly as long as was said is not late.
            self.late_from.set(call, now + range.at_most + Duration::from_micros(1));
        }
        self.is_trusted().then_some(range)
    }

    /// What a caller behind `ahead` others would be told.
    pub fn range(&self, ahead: u32, now: Mono) -> Option<Range> {
        self.is_trusted().then(|| self.untried(ahead, now)).flatten()
    }

    /// How the estimate has done up to the last event.
    pub fn score(&self) -> Score {
        let mut score = Score { tried: self.verdicts.len() as u32, ..Score::default() };
        for verdict in &self.verdicts {
            score.late += u32::from(*verdict == Verdict::Late);
            score.early += u32::from(*verdict == Verdict::Early);
        }
        score
    }

    /// When to call [`Estimator::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.late_from.next()
    }

    /// Counts the ranges that have proved too short although their callers wait still.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.settle_until(now);
    }

    fn is_trusted(&self) -> bool {
        let Score { tried, late, early } = self.score();
        tried >= self.settings.fewest_tried.clamp(1, VERDICTS as u32)
            && 100 * late <= self.settings.most_late * tried
            && 100 * early <= self.settings.most_early * tried
    }

    fn untried(&self, ahead: u32, now: Mono) -> Option<Range> {
        self.throughput.range(ahead, self.settings.fewest_answers, now)
    }

    fn settle_until(&mut self, now: Mono) {
        while let Some((_, call)) = self.late_from.pop_due(now) {
            self.given.remove(&call);
            self.note(Verdict::Late);
        }
    }

    fn forget(&mut self, call: CallId) -> Option<(Mono, Range)> {
        self.late_from.clear(call);
        self.given.remove(&call)
    }

    fn note(&mut self, verdict: Verdict) {
        if self.verdicts.len() == VERDICTS {
            self.verdicts.pop_front();
        }
        self.verdicts.push_back(verdict);
    }
}

#[cfg(test)]
mod tests;
