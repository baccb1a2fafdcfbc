//! What makes a window open or closed, in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::civil::{Date, TimeOfDay};
use super::describe;
use super::view::{Verdict, View};
use crate::id::WindowId;
use crate::time::Wall;

/// Why a window is open or closed at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Open: it is one of its days, between its times.
    Within {
        /// When it opened.
        from: TimeOfDay,
        /// When it closes.
        to: TimeOfDay,
    },
    /// Open: the day is included, and the time between its times.
    Included {
        /// The day.
        date: Date,
        /// When it opened.
        from: TimeOfDay,
        /// When it closes.
        to: TimeOfDay,
    },
    /// Open: an override says so.
    OpenInstead {
        /// The day it is for.
        date: Date,
        /// When it opened.
        from: TimeOfDay,
        /// When it closes.
        to: TimeOfDay,
    },
    /// Closed: an override says so.
    ClosedInstead {
        /// The day it is for.
        date: Date,
    },
    /// Closed: none of its days of the week, its months or its dates.
    WrongDay {
        /// What the day is not: `a Monday`.
        not: String,
    },
    /// Closed: a bank holiday, which it excepts.
    BankHoliday {
        /// Its title.
        title: String,
    },
    /// Closed: it excepts the date.
    Excepted {
        /// The date.
        date: Date,
    },
    /// Closed: a window that it excepts is open.
    During {
        /// That window's name.
        window: String,
    },
    /// Closed: not yet open on this day.
    Before {
        /// When it opens.
        from: TimeOfDay,
        /// Whether an override says when.
        instead: bool,
    },
    /// Closed: no longer open.
    After {
        /// When it closed.
        to: TimeOfDay,
        /// Whether an override says when.
        instead: bool,
    },
    /// Closed: the clocks skip all its time on this day.
    Skipped {
        /// The day.
        date: Date,
    },
    /// Closed: there is no such window.
    NoWindow,
}

impl Reason {
    /// Whether it makes the window open.
    pub fn is_open(&self) -> bool {
        matches!(self, Reason::Within { .. } | Reason::Included { .. } | Reason::OpenInstead { .. })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = |instead: bool| if instead { ", by override" } else { "" };
        match self {
            Reason::Within { from: TimeOfDay::MIDNIGHT, to: TimeOfDay::MIDNIGHT } => f.write_str("all day"),
            Reason::Within { from, to } => write!(f, "between {from} and {to}"),
            Reason::Included { date, from, to } => write!(f, "{date} is included, between {from} and {to}"),
            Reason::OpenInstead { date, from, to } => {
                write!(f, "between {from} and {to} by override {date}")
            }
            Reason::ClosedInstead { date } => write!(f, "closed by override {date}"),
            Reason::WrongDay { not } => write!(f, "not {not}"),
            Reason::BankHoliday { title } => write!(f, "bank holiday: {title}"),
            Reason::Excepted { date } => write!(f, "{date} is excepted"),
            Reason::During { window } => write!(f, "during `{window}`"),
            Reason::Before { from, instead } => write!(f, "before {from}{}", by(*instead)),
            Reason::After { to, instead } => write!(f, "after {to}{}", by(*instead)),
            Reason::Skipped { date } => write!(f, "the clocks skip its time on {date}"),
            Reason::NoWindow => f.write_str("there is no such window"),
        }
    }
}

impl View<'_> {
    pub(super) fn why(&self, window: WindowId, at: Wall) -> Reason {
        match self.interval_at(window, at) {
            Some((date, interval)) => {
                let other = self.excepted(window, at).filter(|_| !interval.instead);
                match other.and_then(|other| self.window(other)) {
                    Some(other) => Reason::During { window: other.name.clone() },
                    None => self.why_on(window, date, at),
                }
            }
            None => self.why_on(window, self.day_in_question(window, at), at),
        }
    }

    /// What the rule for `date` says of `at`.
    fn why_on(&self, window: WindowId, date: Date, at: Wall) -> Reason {
        let (Some(rule), Some(verdict)) = (self.window(window), self.verdict(window, date)) else {
            return Reason::NoWindow;
        };
        let wrong = |not: String| Reason::WrongDay { not };
        let included = match verdict {
            Verdict::Holds { included } => included,
            Verdict::OpenInstead => false,
            Verdict::ClosedInstead => return Reason::ClosedInstead { date },
            Verdict::WrongDay => return wrong(describe::a_weekday(&rule.days)),
            Verdict::WrongMonth => return wrong(describe::in_months(&rule.months)),
            Verdict::WrongDate => return wrong(describe::on_dates(&rule.dates)),
            Verdict::BankHoliday(title) => return Reason::BankHoliday { title: title.to_owned() },
            Verdict::Excepted => return Reason::Excepted { date },
        };
        let Some((from, to, instead)) = self.times(window, date) else { return Reason::NoWindow };
        match self.interval(window, date) {
            None => Reason::Skipped { date },
            Some(interval) if at < interval.start => Reason::Before { from, instead },
            Some(interval) if interval.end <= at => Reason::After { to, instead },
            Some(_) if instead => Reason::OpenInstead { date, from, to },
            Some(_) if included => Reason::Included { date, from, to },
            Some(_) => Reason::Within { from, to },
        }
    }

    /// The day whose rule would have to hold for the window to be open: the day before in the small hours of a
    /// window that is past midnight.
    fn day_in_question(&self, window: WindowId, at: Wall) -> Date {
        let reading = self.zone.reading(at);
        let past_midnight = self.window(window).is_some_and(|rule| {
            let (from, to) = rule.times();
            to <= from && TimeOfDay::showing(reading.time()) < to
        });
        let date = reading.date();
        if past_midnight { date.yesterday().unwrap_or(date) } else { date }
    }
}
