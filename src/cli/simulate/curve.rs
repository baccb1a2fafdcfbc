//! One day through its minutes and quarters of an hour, as pictures show it.

use crate::config::Deployment;
use crate::config::workload::Load;
use crate::sim::day::figures::{Measure, by_step};
use crate::sim::day::{Minute, Tally};

/// One day of one policy.
pub(super) struct Curve {
    /// By quarter of an hour of arrival: the median and the 95th centile of routine waits, in minutes.
    pub(super) waits: Vec<Option<(f64, f64)>>,
    /// The 95th centile of emergency waits, in seconds.
    pub(super) emergencies: Vec<Option<f64>>,
    /// How things stood at each minute, over all hubs.
    pub(super) minutes: Vec<Minute>,
}

/// Minutes of a step of waits.
pub(super) const STEP: u32 = 15;

impl Curve {
    pub(super) fn new(tally: &Tally, deployment: &Deployment, load: &Load) -> Curve {
        let steps = |emergency| by_step(tally, deployment, load, emergency, STEP).into_iter();
        let waits = steps(false)
            .map(|figures| Some((Measure::Median.of(&figures)? / 60.0, Measure::P95.of(&figures)? / 60.0)));
        Curve {
            waits: waits.collect(),
            emergencies: steps(true).map(|figures| Measure::P95.of(&figures)).collect(),
            minutes: tally.minutes.clone(),
        }
    }
}
