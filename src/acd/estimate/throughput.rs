//! How fast a line was served of late, and what wait follows from it.
//!
//! Measured is the work of agents between one answer and the next, while callers waited for whom nobody was
//! free. Were these gaps exponential, the wait behind `n` others would be a sum of `n + 1` of them, and its ratio
//! to the mean of `k` gaps seen would have an F distribution with `2(n + 1)` and `2k` degrees of freedom: that
//! allows for both the chance to come and the few gaps seen. Real gaps are more or less even than that; the
//! degrees of freedom are divided by their squared coefficient of variation, so that bursts widen the range.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Range;
use crate::time::Mono;

/// The gaps between answers, while callers waited.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Throughput {
    window: Duration,
    /// Each gap that an answer ended, with the time of that answer.
    gaps: VecDeque<(Mono, Gap)>,
    /// The gap since the last answer.
    open: Gap,
    waiting: u32,
    agents: u32,
    /// Up to when `open` is counted.
    counted: Mono,
}

/// What went on between two answers.
#[derive(Copy, Clone, Debug, Default, Serialize, Deserialize)]
struct Gap {
    /// Agents at work times microseconds, while callers waited.
    work: u64,
    /// Callers waiting times microseconds.
    waits: u64,
    /// Callers who left unanswered.
    left: u32,
}

/// How many gaps count.
const GAPS: usize = 64;

/// Callers ahead beyond these make no difference: nobody is told such a wait.
const MOST_AHEAD: u32 = 10_000;

/// No wait longer than a day is told.
const LONGEST: f64 = 86_400e6;

/// What a normal deviate exceeds one time in ten.
const TENTH: f64 = 1.281_551_6;

impl Throughput {
    pub(super) fn new(window: Duration) -> Throughput {
        let (gaps, open) = (VecDeque::new(), Gap::default());
        Throughput { window, gaps, open, waiting: 0, agents: 0, counted: Mono::default() }
    }

    pub(super) fn level(&mut self, waiting: u32, agents: u32, now: Mono) {
        self.open = self.open_until(now);
        self.counted = self.counted.max(now);
        (self.waiting, self.agents) = (waiting, agents);
    }

    /// A caller was answered. One who was answered while nobody waited says nothing of waiting.
    pub(super) fn start(&mut self, now: Mono) {
        self.level(self.waiting, self.agents, now);
        if self.open.work == 0 && self.waiting == 0 {
            return;
        }
        if self.gaps.len() == GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back((now, std::mem::take(&mut self.open)));
    }

    /// A caller left unanswered.
    pub(super) fn leave(&mut self, now: Mono) {
        self.level(self.waiting, self.agents, now);
        self.open.left = self.open.left.saturating_add(1);
    }

    /// The wait behind `ahead` others; `None` with fewer than `fewest` answers in the window, or nobody at work.
    pub(super) fn range(&self, ahead: u32, fewest: u32, now: Mono) -> Option<Range> {
        // They are in order of time.
        let old = self.gaps.iter().take_while(|(at, _)| now.since(*at) >= self.window).count();
        let recent = || self.gaps.iter().skip(old).map(|(_, gap)| gap);
        let count = self.gaps.len() - old;
        let answers = count as f64;
        let open = self.open_until(now);
        let (mut work, mut waits, mut left) = (0.0, 0.0, 0.0);
        for gap in recent().chain([&open]) {
            work += gap.work as f64;
            waits += gap.waits as f64;
            left += f64::from(gap.left);
        }
        if count < fewest.max(2) as usize || self.agents == 0 || work == 0.0 {
            return None;
        }
        let served = answers / work * f64::from(self.agents);
        let leaving = left / f64::max(waits, 1.0);
        // Those ahead are served, or leave; with each gone there are fewer left who might leave.
        let (mut mean, mut variance) = (0.0, 0.0);
        for others in 0..=ahead.min(MOST_AHEAD) {
            let step = 1.0 / (served + leaving * f64::from(others));
            mean += step;
            variance += step * step;
        }
        let unevenness = unevenness(recent, answers);
        let freedom = 2.0 * mean * mean / variance / unevenness;
        let known = 2.0 * answers / unevenness;
        let wait =
            |z| Duration::from_micros((mean * f_quantile(freedom, known, z)).clamp(0.0, LONGEST) as u64);
        Some(Range { likely: wait(0.0), at_most: wait(TENTH) })
    }

    fn open_until(&self, now: Mono) -> Gap {
        if self.waiting == 0 {
            return self.open;
        }
        let micros = now.0.saturating_sub(self.counted.0);
        let add = |sum: u64, many: u32| sum.saturating_add(micros.saturating_mul(u64::from(many)));
        Gap {
            work: add(self.open.work, self.agents),
            waits: add(self.open.waits, self.waiting),
            left: self.open.left,
        }
    }
}

/// The squared coefficient of variation of the gaps: 1 when they are exponential, 0 when all are the same.
/// Kept between a quarter and four, as a few gaps show it but roughly.
fn unevenness<'a, I: Iterator<Item = &'a Gap>>(gaps: impl Fn() -> I, many: f64) -> f64 {
    let mean = gaps().map(|gap| gap.work as f64).sum::<f64>() / many;
    let squares = gaps().map(|gap| (gap.work as f64 - mean) * (gap.work as f64 - mean)).sum::<f64>();
    if mean == 0.0 { 4.0 } else { (squares / (many - 1.0) / (mean * mean)).clamp(0.25, 4.0) }
}

/// The quantile of the F distribution with `m` and `n` degrees of freedom that a normal deviate has at `z`.
///
/// Paulson's approximation (1942), solved for the cube root of F; only exact operations, so that every
/// machine gets the same.
fn f_quantile(m: f64, n: f64, z: f64) -> f64 {
    let (a, b) = (2.0 / (9.0 * m), 2.0 / (9.0 * n));
    let (p, q) = (1.0 - a, 1.0 - b);
    let spread = (a * q * q + b * p * p - z * z * a * b).max(0.0).sqrt();
    let root = (p * q + z * spread) / (q * q - z * z * b).max(0.1);
    root.max(0.0) * root * root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From tables of the F distribution.
    #[test]
    fn the_approximation_agrees_with_the_tables_of_f() {
        for (m, n, median, tenth) in [
            (2.0, 20.0, 0.7177, 2.589),
            (10.0, 20.0, 0.9663, 1.937),
            (20.0, 60.0, 0.9777, 1.543),
            (60.0, 120.0, 0.9944, 1.320),
        ] {
            let near = |found: f64, table: f64| (found / table - 1.0).abs() < 0.02;
            assert!(near(f_quantile(m, n, 0.0), median), "{m} {n}: {}", f_quantile(m, n, 0.0));
            assert!(near(f_quantile(m, n, TENTH), tenth), "{m} {n}: {}", f_quantile(m, n, TENTH));
        }
    }
}
