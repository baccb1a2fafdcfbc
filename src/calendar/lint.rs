//! What is sound in a window and yet hardly meant.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Calendar;
use super::civil::{Date, Dates, Local, TimeOfDay};
use super::spec::Occasion;
use super::view::{Verdict, View};
use super::zone::Shown;
use crate::id::{PracticeId, WindowId};

/// Most days that are looked through: a hundred years.
const MOST_DAYS: i32 = 36_525;

/// Something about a window that its author should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lint {
    /// It has no days within these dates.
    NoDays {
        /// The window.
        window: WindowId,
        /// The dates looked through.
        within: Dates,
    },
    /// It has days, but what it excepts leaves nothing of them.
    AllExcepted {
        /// The window.
        window: WindowId,
        /// The dates looked through.
        within: Dates,
    },
    /// It includes a date that it also excepts.
    IncludedInVain {
        /// The window.
        window: WindowId,
        /// The date.
        date: Date,
    },
    /// The clocks skip one of its times, or show it twice.
    Dst(DstFault),
}

/// Which end of a window.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Edge {
    /// Where it opens.
    From,
    /// Where it closes.
    To,
}

/// What is made of a time that the clocks skip or show twice.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Taken {
    /// They skip it: the instant of the change, when they show this.
    Change(TimeOfDay),
    /// They skip all the time of the window, which does not open on that day.
    Nothing,
    /// They show it twice: the first.
    First,
    /// They show it twice: the second.
    Second,
}

/// A time at which a window opens or closes, on a day when the clocks skip it or show it twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DstFault {
    /// The window.
    pub window: WindowId,
    /// Which of its ends.
    pub edge: Edge,
    /// The day and the time.
    pub local: Local,
    /// What is made of it.
    pub taken: Taken,
    /// The zone whose clocks change.
    pub zone: String,
    /// Whose day it is; `None` where it is so for the node.
    pub practice: Option<PracticeId>,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = |within: &Dates| format!("between {} and {}", within.first(), within.last());
        match self {
            Lint::NoDays { within, .. } => write!(f, "it has no day {}", between(within)),
            Lint::AllExcepted { within, .. } => {
                write!(f, "what it excepts leaves nothing of it {}", between(within))
            }
            Lint::IncludedInVain { date, .. } => write!(f, "{date} is included, but also excepted"),
            Lint::Dst(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for DstFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DstFault { local: Local { date, time }, zone, .. } = self;
        let does = match self.edge {
            Edge::From => "opens",
            Edge::To => "closes",
        };
        match self.taken {
            Taken::Change(shown) => {
                write!(f, "the clocks of {zone} skip {time} on {date}: it {does} when they show {shown}")
            }
            Taken::Nothing => {
                write!(f, "the clocks of {zone} skip {time} on {date}: it does not open on that day")
            }
            Taken::First => {
                write!(f, "the clocks of {zone} show {time} twice on {date}: it {does} the first time")
            }
            Taken::Second => {
                write!(f, "the clocks of {zone} show {time} twice on {date}: it {does} the second time")
            }
        }
    }
}

impl Calendar {
    /// Everything about the windows that is hardly meant, as far as it can be seen within these dates.
    pub fn lints(&self, within: Dates) -> Vec<Lint> {
        let within = bounded(within);
        let views = self.differing_views();
        let windows = (0u32..).map(WindowId).take(self.spec.windows.len());
        let mut lints: Vec<_> = windows.flat_map(|window| self.lints_of(window, within, &views)).collect();
        lints.extend(self.dst_faults(within).into_iter().map(Lint::Dst));
        lints
    }

    /// Every day within these dates on which the clocks skip a window's `from` or `to`, or show it twice.
    pub fn dst_faults(&self, within: Dates) -> Vec<DstFault> {
        let within = bounded(within);
        let mut faults = BTreeSet::new();
        for view in self.differing_views() {
            let midnight = |date: Date| view.zone.first(TimeOfDay::MIDNIGHT.on(date));
            let until = midnight(days_on(within.last(), 2));
            for change in view.zone.changes(midnight(days_on(within.first(), -1)), until) {
                let day = view.zone.reading(change).date();
                for date in (-2..=1).map(|days| days_on(day, days)).filter(|&date| within.contains(date)) {
                    let windows = (0u32..).map(WindowId).take(self.spec.windows.len());
                    faults.extend(windows.flat_map(|window| view.dst_faults(window, date)));
                }
            }
        }
        let nodes_own: BTreeSet<_> =
            faults.iter().filter(|fault| fault.practice.is_none()).cloned().collect();
        let also_nodes = |fault: &DstFault| nodes_own.contains(&DstFault { practice: None, ..fault.clone() });
        faults.into_iter().filter(|fault| fault.practice.is_none() || !also_nodes(fault)).collect()
    }

    fn lints_of(&self, window: WindowId, within: Dates, views: &[View<'_>]) -> Vec<Lint> {
        let mut lints = Vec::new();
        if !views.iter().any(|view| view.opens(window, within)) {
            let has_days = |view: &View<'_>| within.each().any(|date| view.would_open(window, date));
            lints.push(if views.iter().any(has_days) {
                Lint::AllExcepted { window, within }
            } else {
                Lint::NoDays { window, within }
            });
        }
        let node = self.view(None);
        for occasion in node.window(window).iter().flat_map(|rule| &rule.include) {
            if let Occasion::Dates(dates) = *occasion {
                let in_vain = |&date: &Date| node.is_excepted_date(window, date);
                let first = bounded(dates).each().find(in_vain);
                lints.extend(first.map(|date| Lint::IncludedInVain { window, date }));
            }
        }
        lints
    }

    /// The node's view, and those of the practices that may see something else.
    fn differing_views(&self) -> Vec<View<'_>> {
        let practices = (0u32..).map(PracticeId).zip(&self.spec.practices);
        let differing = practices.filter(|(id, practice)| {
            let overridden = self.checked.overrides.keys().any(|(practice, _)| practice == id);
            practice.zone.is_some() || practice.nation.is_some() || overridden
        });
        [None].into_iter().chain(differing.map(|(id, _)| Some(id))).map(|id| self.view(id)).collect()
    }
}

impl View<'_> {
    /// Whether the window is ever open on a day within these dates.
    fn opens(&self, window: WindowId, within: Dates) -> bool {
        within.each().filter_map(|date| self.interval(window, date)).any(|interval| {
            let mut at = Some(interval.start);
            while let Some(instant) = at.filter(|_| !at.is_some_and(|at| self.is_open(window, at))) {
                at = self.boundary(window, instant, interval.end).filter(|&next| next < interval.end);
            }
            at.is_some()
        })
    }

    /// Whether the day is the window's but for what it excepts.
    fn would_open(&self, window: WindowId, date: Date) -> bool {
        self.is_excepted_date(window, date) || self.interval(window, date).is_some()
    }

    fn is_excepted_date(&self, window: WindowId, date: Date) -> bool {
        let verdict = self.verdict(window, date);
        matches!(verdict, Some(Verdict::BankHoliday(_) | Verdict::Excepted))
    }

    fn dst_faults(&self, window: WindowId, date: Date) -> Vec<DstFault> {
        let Some((from, to, _)) = self.times(window, date) else { return Vec::new() };
        let closes_on = if to <= from { days_on(date, 1) } else { date };
        let opens_at_all = self.interval(window, date).is_some();
        let ends =
            [(Edge::From, Local { date, time: from }), (Edge::To, Local { date: closes_on, time: to })];
        let fault = |(edge, local): (Edge, Local)| {
            let reading = local.time.on(local.date);
            let taken = match self.zone.shown(reading) {
                Shown::Once(_) => return None,
                Shown::Never(_) if !opens_at_all => Taken::Nothing,
                // What ends as the clocks go forward ends when it would have anyway.
                Shown::Never(at) if edge == Edge::To && self.zone.would_show(at, reading) => return None,
                Shown::Never(at) => Taken::Change(TimeOfDay::showing(self.zone.reading(at).time())),
                Shown::Twice(..) if edge == Edge::From => Taken::First,
                Shown::Twice(_, again) if self.zone.end(reading) == again => Taken::Second,
                Shown::Twice(..) => Taken::First,
            };
            let (zone, practice) = (self.zone.name().to_owned(), self.practice);
            Some(DstFault { window, edge, local, taken, zone, practice })
        };
        ends.into_iter().filter_map(fault).collect()
    }
}

fn bounded(within: Dates) -> Dates {
    let last = days_on(within.first(), MOST_DAYS).min(within.last());
    Dates::new(within.first(), last).unwrap_or(within)
}

fn days_on(date: Date, days: i32) -> Date {
    date.saturating_add(jiff::Span::new().days(days))
}
