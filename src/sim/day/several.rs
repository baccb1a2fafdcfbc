//! Days of several seeds: what they come to on average, how sure that is, and how two policies differ.
//!
//! All policies meet the same callers (`dice`), so differences are taken seed by seed: the chance that both share
//! falls out of them. Intervals are Student's, at 95 %.

use super::figures::{DayFigures, Group, Measure};
use super::tally::Work;

/// A mean over seeds.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval that holds the true mean with 95 %; `None` of a single seed.
    pub within: Option<f64>,
}

/// The figures of several days of one policy.
#[derive(Clone, Debug)]
pub struct Summary {
    /// By seed.
    pub days: Vec<DayFigures>,
}

impl Estimate {
    /// Of one value for each seed; `None` of none.
    pub fn of(values: &[f64]) -> Option<Estimate> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        match values.len() {
            0 => None,
            1 => Some(Estimate { mean, within: None }),
            n => {
                let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
                let error = (squares / (count - 1.0) / count).sqrt();
                Some(Estimate { mean, within: Some(student(n - 1) * error) })
            }
        }
    }
}

impl Summary {
    /// The groups of its days.
    pub fn groups(&self) -> impl Iterator<Item = (usize, &Group)> {
        self.days.first().into_iter().flat_map(|day| day.groups.iter().map(|(group, _)| group).enumerate())
    }

    /// The position of a group.
    pub fn position(&self, wanted: &Group) -> Option<usize> {
        self.groups().find(|(_, group)| *group == wanted).map(|(at, _)| at)
    }

    /// A measure of the group at a position; of the days that have it.
    pub fn measure(&self, group: usize, measure: Measure) -> Option<Estimate> {
        let values = self.days.iter().filter_map(|day| measure.of(&day.groups[group].1));
        Estimate::of(&values.collect::<Vec<_>>())
    }

    /// By how much a measure of a group is greater in another, seed by seed; of the seeds for which both have it.
    pub fn difference(&self, other: &Summary, group: &Group, measure: Measure) -> Option<Estimate> {
        let (here, there) = (self.position(group)?, other.position(group)?);
        let pairs = self.days.iter().zip(&other.days);
        let differences =
            pairs.filter_map(|(a, b)| Some(measure.of(&b.groups[there].1)? - measure.of(&a.groups[here].1)?));
        Estimate::of(&differences.collect::<Vec<_>>())
    }

    /// The share of callers whom an agent answered in the end.
    pub fn reached(&self) -> Option<Estimate> {
        let shares = self.days.iter().filter(|day| day.people > 0);
        Estimate::of(&shares.map(|day| day.reached as f64 / day.people as f64).collect::<Vec<_>>())
    }

    /// How many callers there were.
    pub fn people(&self) -> Option<Estimate> {
        Estimate::of(&self.days.iter().map(|day| day.people as f64).collect::<Vec<_>>())
    }

    /// The teams, each with its work by hour added up over the days.
    pub fn teams(&self) -> Vec<(String, [Work; 24])> {
        let mut teams: Vec<(String, [Work; 24])> = Vec::new();
        for (name, hours) in self.days.iter().flat_map(|day| &day.teams) {
            match teams.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => {
                    for (sum, hour) in sum.iter_mut().zip(hours) {
                        *sum = Work::sum([&*sum, hour]);
                    }
                }
                None => teams.push((name.clone(), *hours)),
            }
        }
        teams
    }
}

/// The 97.5th centile of Student's distribution: within this many errors lies the mean, with 95 %.
fn student(freedom: usize) -> f64 {
    const TABLE: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    /// Of the normal distribution.
    const Z: f64 = 1.959_964;
    if let Some(value) = freedom.checked_sub(1).and_then(|at| TABLE.get(at)) {
        return *value;
    }
    // Abramowitz and Stegun, 26.7.5.
    let v = freedom as f64;
    let (z3, z5, z7) = (Z.powi(3), Z.powi(5), Z.powi(7));
    Z + (z3 + Z) / (4.0 * v)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / (96.0 * v.powi(2))
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / (384.0 * v.powi(3))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_interval_is_students() {
        let estimate = Estimate::of(&[9.0, 10.0, 11.0]).unwrap();
        assert!((estimate.mean - 10.0).abs() < 1e-12);
        assert!((estimate.within.unwrap() - 4.303 / 3f64.sqrt()).abs() < 1e-9);
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Estimate::of(&[3.0]), Some(Estimate { mean: 3.0, within: None }));
        for (freedom, expected) in [(1, 12.706), (10, 2.228), (11, 2.201), (29, 2.045), (120, 1.980)] {
            assert!((student(freedom) - expected).abs() < 0.0015, "{freedom}: {}", student(freedom));
        }
    }
}
