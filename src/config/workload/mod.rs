//! The load file of `hearken simulate`: who calls and when, how long they talk and wait, and who is at work.
//!
//! It is read and shown like the configuration, with every fault at its place, and speaks of trunks, teams and
//! destinations of one deployment. What it leaves out has the figures published for practices in England.

mod read;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Deployment, Errors, Sink, read_bounded};
use crate::calendar::Date;
use crate::id::TrunkId;
#[cfg(doc)]
use crate::id::{DestinationId, TeamId};

/// One day's load on a deployment; times are since midnight on the node's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// The day, for the windows of rules.
    pub date: Date,
    /// When the first caller may come.
    pub from: Duration,
    /// From when on nobody calls for the first time any more.
    pub to: Duration,
    /// Calls that arrive earlier are simulated and not counted.
    pub count_from: Duration,
    /// How many such hubs there are, each with its own callers and people; they share nothing.
    pub copies: u32,
    /// Who calls: for each trunk one entry at most, in the order of the deployment.
    pub calls: Vec<Calls>,
    /// The calls of this day are taken from the ledger, in place of `calls`.
    pub ledger: Option<Date>,
    /// Who callers of the ledger are.
    pub patients: Arc<Callers>,
    /// By [`TeamId`]: who is at work, and how they answer.
    pub teams: Vec<Staff>,
    /// By [`DestinationId`].
    pub destinations: Vec<Answering>,
}

/// The calls of one trunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Calls {
    /// The trunk that they come by.
    pub trunk: TrunkId,
    /// Its name.
    pub name: String,
    /// How many calls a day, without redials.
    pub per_day: f64,
    /// The practice's fifth of the country by deprivation: 1 is the most deprived.
    pub fifth: Option<u8>,
    /// When they come.
    pub profile: Arc<Profile>,
    /// What the callers are like.
    pub callers: Arc<Callers>,
}

/// How a day's calls are spread over it: from each instant on, so much of them until the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// In order of time; the last step lasts until midnight.
    pub steps: Vec<Step>,
}

/// One step of a profile.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Step {
    /// When it begins.
    pub from: Duration,
    /// Its share of the day's calls; all shares add up to 1.
    pub share: f64,
}

/// What callers are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Callers {
    /// How long they wait before they give up.
    pub patience: Spread,
    /// How long an agent talks with them.
    pub talk: Spread,
    /// The share of those who give up who call again.
    pub redial: f64,
    /// How long after giving up they do.
    pub redial_after: Spread,
    /// The share of those who are offered a callback who take it.
    pub callback: f64,
    /// The share of calls back that are picked up.
    pub reached: f64,
}

/// How a time is spread.
#[derive(Clone, Debug, PartialEq)]
pub enum Spread {
    /// Always the same.
    Fixed(Duration),
    /// Exponential, with this mean.
    Exponential(Duration),
    /// Lognormal: the mean and standard deviation of the logarithm of seconds.
    Lognormal {
        /// ln of the median in seconds.
        mu: f64,
        /// The spread.
        sigma: f64,
    },
    /// From each time on it ends at this rate per second; the last rate lasts for ever.
    Hazard(Vec<(Duration, f64)>),
}

/// How calls that are presented are answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answering {
    /// The share of presentations that nobody picks up: the phone rings out.
    pub no_answer: f64,
    /// How long the phone rings before it is picked up.
    pub pick_up: Spread,
    /// How many times as long as the caller's own talk the talk is here.
    pub talk_times: f64,
}

/// A team at work.
#[derive(Clone, Debug, PartialEq)]
pub struct Staff {
    /// How many members are at work, from each instant on; `None` leaves all at work who are logged in at the start.
    pub levels: Option<Vec<Level>>,
    /// After how much work a member has a break, and for how long.
    pub breaks: Option<(Duration, Duration)>,
    /// How they answer.
    pub answering: Answering,
}

/// How many members of a team are at work from an instant on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The instant.
    pub from: Duration,
    /// How many, or [`ALL`].
    pub agents: u32,
}

/// All members of a team, however many it has.
pub const ALL: u32 = u32::MAX;

/// Calls per 1,000 patients on a Monday (NHS England, cloud-based telephony data, 2026).
pub const PER_1000_MONDAY: f64 = 36.3;
/// The same on a Tuesday.
pub const PER_1000_TUESDAY: f64 = 27.5;
/// The same on other days: the mean of the working days of the least and the most deprived fifth.
pub const PER_1000: f64 = 25.4;
/// Patients of a practice for which no number is given: England's mean.
pub const LIST_SIZE: u32 = 8_916;

/// How many times as many calls as the mean a fifth by deprivation makes: from 28.7 to 22.1 calls per 1,000
/// patients and working day, in even steps.
pub fn factor_of(fifth: u8) -> f64 {
    let (most, least) = (28.7, 22.1);
    let step = (most - least) / 4.0;
    (most - step * f64::from(fifth.clamp(1, 5) - 1)) / PER_1000
}

impl Profile {
    /// A Monday's calls to practices: shares of the published time bands; of those from 08:00 to 10:00 65 % in the
    /// first hour, whose first five minutes have three times the hour's rate.
    pub fn practices() -> Profile {
        let hour = 32.2 * 0.65;
        let burst = 3.0 * hour / 12.0;
        Profile::new(&[
            (0, 0.1),
            (360, 5.8),
            (480, burst),
            (485, hour - burst),
            (540, 32.2 - hour),
            (600, 20.3),
            (720, 15.2),
            (840, 15.8),
            (960, 9.5),
            (1_080, 0.6),
            (1_110, 0.5),
        ])
    }

    /// The same rate all day.
    pub fn even() -> Profile {
        Profile::new(&[(0, 1.0)])
    }

    fn new(steps: &[(u64, f64)]) -> Profile {
        let all: f64 = steps.iter().map(|step| step.1).sum();
        let step = |&(minutes, share): &(u64, f64)| Step {
            from: Duration::from_secs(60 * minutes),
            share: share / all,
        };
        Profile { steps: steps.iter().map(step).collect() }
    }
}

impl Callers {
    /// Patients of practices: talk and patience as fitted to the published waits and durations. That half of those
    /// who give up call again, after a median of two minutes, is assumed; so is that half of those who are offered a
    /// callback take it, and pick up four times in five.
    pub fn patients() -> Callers {
        let rate = |from, per_minute: f64| (Duration::from_secs(from), per_minute / 60.0);
        Callers {
            patience: Spread::Hazard(vec![rate(0, 0.114), rate(60, 0.058), rate(120, 0.030)]),
            talk: Spread::Lognormal { mu: 0.543 + 60f64.ln(), sigma: 0.750 },
            redial: 0.5,
            redial_after: Spread::Lognormal { mu: 120f64.ln(), sigma: 0.8 },
            callback: 0.5,
            reached: 0.8,
        }
    }

    /// Emergency callers, who hang on for a mean of ten minutes and call again at once, and whom nobody offers to call
    /// back. All of it is assumed.
    pub fn emergency() -> Callers {
        Callers {
            patience: Spread::Exponential(Duration::from_secs(600)),
            talk: Spread::Lognormal { mu: 300f64.ln(), sigma: 0.6 },
            redial: 1.0,
            redial_after: Spread::Fixed(Duration::from_secs(10)),
            callback: 0.0,
            reached: 0.0,
        }
    }
}

impl Default for Answering {
    /// Everybody picks up, after four seconds or so.
    fn default() -> Answering {
        Answering {
            no_answer: 0.0,
            pick_up: Spread::Lognormal { mu: 4f64.ln(), sigma: 0.5 },
            talk_times: 1.0,
        }
    }
}

/// Reads the load file at `path`, which speaks of `deployment`.
///
/// Fails with every fault found.
pub fn load(path: &Path, deployment: &Deployment) -> Result<Load, Errors> {
    let name = path.display().to_string();
    match read_bounded(path) {
        Ok(text) => parse(&text, &name, deployment),
        Err((_, message)) => {
            let mut sink = Sink::new();
            sink.error_of_file(message);
            Err(Errors(sink.into_report(&name, "")))
        }
    }
}

/// Reads `text` as the load file called `name`.
pub fn parse(text: &str, name: &str, deployment: &Deployment) -> Result<Load, Errors> {
    let mut sink = Sink::new();
    let load = read::read(text, deployment, &mut sink);
    match load.filter(|_| !sink.has_errors()) {
        Some(load) => Ok(load),
        None => Err(Errors(sink.into_report(name, text))),
    }
}

/// The day `date` as the ledger has it: its calls, with everybody at work all day.
pub fn of_ledger(date: Date, deployment: &Deployment) -> Load {
    let plan = &deployment.plan.acd;
    let staff = Staff { levels: None, breaks: None, answering: Answering::default() };
    Load {
        date,
        from: Duration::ZERO,
        to: read::MIDNIGHT,
        count_from: Duration::ZERO,
        copies: 1,
        calls: Vec::new(),
        ledger: Some(date),
        patients: Arc::new(Callers::patients()),
        teams: vec![staff; plan.teams.len()],
        destinations: vec![Answering::default(); plan.destinations.len()],
    }
}
