//! What a day comes to: for each group of calls how many there were, what became of them, how long they waited.

use std::time::Duration;

use super::tally::{End, Sample, Tally, Work};
use crate::config::Deployment;
use crate::config::workload::Load;
use crate::id::{LineId, PracticeId, TrunkId};
use crate::ledger::Waits;

/// Calls that are looked at together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Every call.
    All,
    /// Calls of routine trunks.
    Routine,
    /// Calls of emergency trunks.
    Emergency,
    /// Routine calls that arrived in this hour.
    Hour(u8),
    /// Calls of a line, in all hubs.
    Line(String),
    /// Calls of practices of a fifth by deprivation; 1 is the most deprived.
    Fifth(u8),
    /// Calls of one practice of one hub, counted from 1.
    Practice {
        /// The hub.
        hub: u32,
        /// The practice.
        name: String,
        /// Its fifth.
        fifth: Option<u8>,
    },
}

/// What became of the calls of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// All of them; the sum of the outcomes.
    pub calls: u64,
    /// An agent answered.
    pub answered: u64,
    /// The caller gave up.
    pub abandoned: u64,
    /// The line did not take it.
    pub refused: u64,
    /// It was led out.
    pub released: u64,
    /// The caller left for a promise to be called back.
    pub promised: u64,
    /// It waited still at the end.
    pub waiting: u64,
    /// Answered after more than two minutes.
    pub late: u64,
    /// Answered without any wait, to the millisecond.
    pub at_once: u64,
    /// How long the answered ones waited.
    pub waits: Option<Waits>,
    /// Of the promises, those whose patients were called back and reached.
    pub called_back: u64,
    /// Those that ended without.
    pub not_called_back: u64,
    /// How long the patients who were reached had waited since the promise.
    pub callback_waits: Option<Waits>,
}

/// A day's figures.
#[derive(Clone, Debug)]
pub struct DayFigures {
    /// Each group, in an order that depends on load and deployment alone.
    pub groups: Vec<(Group, Figures)>,
    /// Each team that was at work, with its work by hour.
    pub teams: Vec<(String, [Work; 24])>,
    /// Callers, each once.
    pub people: u64,
    /// Those whom an agent answered.
    pub reached: u64,
    /// Inputs and deadlines that the exchange took.
    pub events: u64,
}

/// Collects the calls of a group.
#[derive(Clone, Default)]
struct Sums {
    figures: Figures,
    waits: Vec<u64>,
    callback_waits: Vec<u64>,
}

const LATE: u32 = 120_000;

impl Sums {
    fn add(&mut self, sample: &Sample) {
        let figures = &mut self.figures;
        figures.calls += u64::from(sample.end.is_of_call());
        match sample.end {
            End::Answered => {
                figures.answered += 1;
                figures.late += u64::from(sample.waited > LATE);
                figures.at_once += u64::from(sample.waited == 0);
                self.waits.push(sample.waited.into());
            }
            End::Abandoned => figures.abandoned += 1,
            End::Refused => figures.refused += 1,
            End::Released => figures.released += 1,
            End::Promised => figures.promised += 1,
            End::Waiting => figures.waiting += 1,
            End::CalledBack => {
                figures.called_back += 1;
                self.callback_waits.push(sample.waited.into());
            }
            End::NotCalledBack => figures.not_called_back += 1,
            End::StillPromised => {}
        }
    }

    fn figures(self) -> Figures {
        Figures {
            waits: Waits::of(self.waits),
            callback_waits: Waits::of(self.callback_waits),
            ..self.figures
        }
    }
}

/// Where the calls of each source belong.
struct Origin {
    line: LineId,
    practice: Option<PracticeId>,
    fifth: Option<u8>,
    emergency: bool,
}

/// The figures of a day of `load` on `deployment`.
pub fn figures(tally: &Tally, deployment: &Deployment, load: &Load) -> DayFigures {
    let plan = &deployment.plan;
    let origins = origins(deployment, load);
    let of = |sample: &Sample| &origins[usize::from(sample.source)];
    // Sorted once, rather than in every group.
    let mut samples = tally.samples.clone();
    samples.sort_unstable_by_key(|sample| sample.waited);
    let mut groups = Vec::new();
    let mut add = |names: Vec<Group>, position: &dyn Fn(&Sample) -> Option<usize>| {
        let mut sums = vec![Sums::default(); names.len()];
        for sample in &samples {
            if let Some(sums) = position(sample).and_then(|at| sums.get_mut(at)) {
                sums.add(sample);
            }
        }
        groups.extend(names.into_iter().zip(sums.into_iter().map(Sums::figures)));
    };
    add(vec![Group::All], &|_| Some(0));
    add(vec![Group::Routine, Group::Emergency], &|sample| Some(usize::from(of(sample).emergency)));
    add((0..24).map(Group::Hour).collect(), &|sample| {
        (!of(sample).emergency).then_some(sample.arrived as usize / 3_600_000)
    });
    let lines = plan.acd.lines.iter().map(|line| Group::Line(line.name.clone()));
    add(lines.collect(), &|sample| Some(of(sample).line.index()));
    if origins.iter().any(|origin| origin.fifth.is_some()) {
        add((1..=5).map(Group::Fifth).collect(), &|sample| Some(usize::from(of(sample).fifth?) - 1));
    }
    let practices = plan.ingress.practices.len();
    let names = (1..=load.copies).flat_map(|hub| {
        let practices = (0u32..).map(PracticeId).zip(&plan.ingress.practices);
        let fifth_of = |id| origins.iter().find(|origin| origin.practice == Some(id))?.fifth;
        practices
            .map(|(id, practice)| Group::Practice { hub, name: practice.name.clone(), fifth: fifth_of(id) })
            .collect::<Vec<_>>()
    });
    add(names.collect(), &|sample| Some(usize::from(sample.copy) * practices + of(sample).practice?.index()));
    let hours = |work: &[Work]| std::array::from_fn(|hour| Work::sum(&work[2 * hour..2 * hour + 2]));
    let teams = plan.acd.teams.iter().zip(&tally.work).map(|(team, work)| (team.name.clone(), hours(work)));
    DayFigures {
        groups,
        teams: teams.filter(|(_, hours)| Work::sum(hours).agents() > 0.0).collect(),
        people: tally.people,
        reached: tally.reached,
        events: tally.events,
    }
}

fn origins(deployment: &Deployment, load: &Load) -> Vec<Origin> {
    let trunks = &deployment.plan.ingress.trunks;
    let origin = |trunk: TrunkId, fifth| {
        let trunk = &trunks[trunk.index()];
        Origin { line: trunk.line, practice: trunk.practice, fifth, emergency: trunk.emergency }
    };
    match load.ledger {
        None => load.calls.iter().map(|calls| origin(calls.trunk, calls.fifth)).collect(),
        Some(_) => (0u32..).map(TrunkId).take(trunks.len()).map(|trunk| origin(trunk, None)).collect(),
    }
}

/// Calls of one band by when they arrived, in steps of so many minutes.
pub fn by_step(
    tally: &Tally,
    deployment: &Deployment,
    load: &Load,
    emergency: bool,
    minutes: u32,
) -> Vec<Figures> {
    let origins = origins(deployment, load);
    let mut sums = vec![Sums::default(); (24 * 60 / minutes) as usize];
    for sample in &tally.samples {
        let at = (sample.arrived / 60_000 / minutes) as usize;
        if origins[usize::from(sample.source)].emergency == emergency
            && let Some(sums) = sums.get_mut(at)
        {
            sums.add(sample);
        }
    }
    sums.into_iter().map(Sums::figures).collect()
}

/// What can be measured of a group of calls.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many calls.
    Calls,
    /// How many were answered.
    Answered,
    /// How many callers gave up.
    Abandoned,
    /// How many were not taken.
    Refused,
    /// How many were led out.
    Released,
    /// How many were promised to be called back.
    Promised,
    /// How many waited still at the end.
    Waiting,
    /// The share of callers who gave up, of those who joined a line.
    AbandonedShare,
    /// The share of answered calls that were answered at once.
    AtOnceShare,
    /// The share of answered calls that waited more than two minutes.
    LateShare,
    /// The mean wait of answered calls, and so on.
    Mean,
    /// Half waited no longer.
    Median,
    /// Nine in ten waited no longer.
    P90,
    /// 95 in 100.
    P95,
    /// 99 in 100.
    P99,
    /// The longest.
    Longest,
    /// How many of those who were promised it were called back, and reached.
    CalledBack,
    /// How many promises ended without.
    NotCalledBack,
    /// The mean time from the promise until the patient was reached, and so on.
    CallbackMean,
    /// Half waited no longer.
    CallbackMedian,
    /// Nine in ten.
    CallbackP90,
    /// 95 in 100.
    CallbackP95,
    /// 99 in 100.
    CallbackP99,
}

/// In what a measure is counted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Calls.
    Calls,
    /// A share of 1.
    Share,
    /// Seconds.
    Seconds,
}

impl Measure {
    /// All of them, in the order of reports.
    pub const ALL: [Measure; 23] = [
        Measure::Calls,
        Measure::Answered,
        Measure::Abandoned,
        Measure::Refused,
        Measure::Released,
        Measure::Promised,
        Measure::Waiting,
        Measure::AbandonedShare,
        Measure::AtOnceShare,
        Measure::LateShare,
        Measure::Mean,
        Measure::Median,
        Measure::P90,
        Measure::P95,
        Measure::P99,
        Measure::Longest,
        Measure::CalledBack,
        Measure::NotCalledBack,
        Measure::CallbackMean,
        Measure::CallbackMedian,
        Measure::CallbackP90,
        Measure::CallbackP95,
        Measure::CallbackP99,
    ];

    /// Its name in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Measure::Calls => "calls",
            Measure::Answered => "answered",
            Measure::Abandoned => "abandoned",
            Measure::Refused => "refused",
            Measure::Released => "released",
            Measure::Promised => "promised",
            Measure::Waiting => "waiting_at_end",
            Measure::AbandonedShare => "abandoned_share",
            Measure::AtOnceShare => "answered_at_once_share",
            Measure::LateShare => "over_two_minutes_share",
            Measure::Mean => "mean_wait_s",
            Measure::Median => "median_wait_s",
            Measure::P90 => "p90_wait_s",
            Measure::P95 => "p95_wait_s",
            Measure::P99 => "p99_wait_s",
            Measure::Longest => "longest_wait_s",
            Measure::CalledBack => "called_back",
            Measure::NotCalledBack => "not_called_back",
            Measure::CallbackMean => "mean_callback_s",
            Measure::CallbackMedian => "median_callback_s",
            Measure::CallbackP90 => "p90_callback_s",
            Measure::CallbackP95 => "p95_callback_s",
            Measure::CallbackP99 => "p99_callback_s",
        }
    }

    /// What it is counted in.
    pub fn unit(self) -> Unit {
        match self {
            Measure::Calls
            | Measure::Answered
            | Measure::Abandoned
            | Measure::Refused
            | Measure::Released
            | Measure::Promised
            | Measure::Waiting
            | Measure::CalledBack
            | Measure::NotCalledBack => Unit::Calls,
            Measure::AbandonedShare | Measure::AtOnceShare | Measure::LateShare => Unit::Share,
            _ => Unit::Seconds,
        }
    }

    /// Of these figures; `None` where there is nothing to measure.
    pub fn of(self, figures: &Figures) -> Option<f64> {
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let wait =
            |wait: fn(&Waits) -> Duration| figures.waits.as_ref().map(|waits| wait(waits).as_secs_f64());
        let callback = |wait: fn(&Waits) -> Duration| {
            figures.callback_waits.as_ref().map(|waits| wait(waits).as_secs_f64())
        };
        match self {
            Measure::Calls => Some(figures.calls as f64),
            Measure::Answered => Some(figures.answered as f64),
            Measure::Abandoned => Some(figures.abandoned as f64),
            Measure::Refused => Some(figures.refused as f64),
            Measure::Released => Some(figures.released as f64),
            Measure::Promised => Some(figures.promised as f64),
            Measure::Waiting => Some(figures.waiting as f64),
            Measure::AbandonedShare => share(figures.abandoned, figures.calls - figures.refused),
            Measure::AtOnceShare => share(figures.at_once, figures.answered),
            Measure::LateShare => share(figures.late, figures.answered),
            Measure::Mean => wait(|waits| waits.mean),
            Measure::Median => wait(|waits| waits.median),
            Measure::P90 => wait(|waits| waits.p90),
            Measure::P95 => wait(|waits| waits.p95),
            Measure::P99 => wait(|waits| waits.p99),
            Measure::Longest => wait(|waits| waits.longest),
            Measure::CalledBack => Some(figures.called_back as f64),
            Measure::NotCalledBack => Some(figures.not_called_back as f64),
            Measure::CallbackMean => callback(|waits| waits.mean),
            Measure::CallbackMedian => callback(|waits| waits.median),
            Measure::CallbackP90 => callback(|waits| waits.p90),
            Measure::CallbackP95 => callback(|waits| waits.p95),
            Measure::CallbackP99 => callback(|waits| waits.p99),
        }
    }
}
