//! The calendar as one practice sees it: which days are a window's, its interval on each, and its changes.

use jiff::Span as Days;

use super::Calendar;
use super::civil::{Date, Month, TimeOfDay, Weekday};
use super::holidays::Nation;
use super::spec::{Instead, Occasion, Window};
use super::zone::Zone;
use crate::id::{PracticeId, WindowId};
use crate::time::Wall;

/// A calendar with the zone, nation and overrides of one practice, or of the node.
#[derive(Copy, Clone)]
pub(super) struct View<'c> {
    pub(super) calendar: &'c Calendar,
    pub(super) practice: Option<PracticeId>,
    pub(super) zone: &'c Zone,
    nation: Nation,
}

/// Whether a window opens on a day, and what decides it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict<'c> {
    /// Its rule allows the day, or `include` does.
    Holds { included: bool },
    /// An override opens it.
    OpenInstead,
    /// An override closes it.
    ClosedInstead,
    /// Not one of its weekdays.
    WrongDay,
    /// Not one of its months.
    WrongMonth,
    /// Not one of its dates.
    WrongDate,
    /// It excepts bank holidays, and this is one.
    BankHoliday(&'c str),
    /// It excepts the date.
    Excepted,
}

/// One interval of a window: from `start`, until just before `end`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) start: Wall,
    pub(super) end: Wall,
    /// An override has opened it, so that nothing is excepted from it.
    pub(super) instead: bool,
}

impl Interval {
    pub(super) fn holds(&self, at: Wall) -> bool {
        self.start <= at && at < self.end
    }
}

impl Calendar {
    pub(super) fn view(&self, practice: Option<PracticeId>) -> View<'_> {
        let own = practice.and_then(|practice| self.spec.practices.get(practice.index()));
        let zone = practice.and_then(|practice| self.checked.zones.get(practice.index())?.as_ref());
        View {
            calendar: self,
            practice,
            zone: zone.unwrap_or(&self.checked.node),
            nation: own.and_then(|own| own.nation).unwrap_or(self.spec.nation),
        }
    }
}

impl<'c> View<'c> {
    pub(super) fn window(&self, window: WindowId) -> Option<&'c Window> {
        self.calendar.spec.windows.get(window.index())
    }

    pub(super) fn is_open(&self, window: WindowId, at: Wall) -> bool {
        self.interval_at(window, at)
            .is_some_and(|(_, interval)| interval.instead || self.excepted(window, at).is_none())
    }

    /// The interval that holds `at`, with its day; one that an override has opened before any other.
    pub(super) fn interval_at(&self, window: WindowId, at: Wall) -> Option<(Date, Interval)> {
        let holding = self
            .days_around(at)
            .filter_map(|date| Some((date, self.interval(window, date)?)))
            .filter(|(_, interval)| interval.holds(at));
        holding.max_by_key(|(_, interval)| interval.instead)
    }

    /// The first window excepted by this one that is open.
    pub(super) fn excepted(&self, window: WindowId, at: Wall) -> Option<WindowId> {
        self.excepts(window).find(|&other| self.is_open(other, at))
    }

    /// The first change in `(after, limit]`.
    pub(super) fn next_change(&self, window: WindowId, after: Wall, limit: Wall) -> Option<Wall> {
        let open = self.is_open(window, after);
        let mut at = after;
        loop {
            at = self.boundary(window, at, limit)?;
            if self.is_open(window, at) != open {
                return Some(at);
            }
        }
    }

    /// The first instant in `(after, limit]` at which an interval begins or ends, of the window or of one that
    /// it excepts.
    pub(super) fn boundary(&self, window: WindowId, after: Wall, limit: Wall) -> Option<Wall> {
        let own = self.own_boundary(window, after, limit);
        let others = self.excepts(window).filter_map(|other| self.boundary(other, after, limit));
        own.into_iter().chain(others).min()
    }

    fn own_boundary(&self, window: WindowId, after: Wall, limit: Wall) -> Option<Wall> {
        let last = self.zone.reading(limit).date().tomorrow().ok()?;
        let mut first = None;
        let mut look = last;
        let mut date = self.days_around(after).next()?;
        while date <= look {
            if let Some(Interval { start, end, .. }) = self.interval(window, date) {
                let ahead = [start, end].into_iter().filter(|&at| after < at && at <= limit).min();
                if first.is_none() && ahead.is_some() {
                    // The intervals of the next days may begin before this one ends, those of later ones not.
                    look = last.min(date.saturating_add(Days::new().days(2)));
                }
                first = first.into_iter().chain(ahead).min();
            }
            date = date.tomorrow().ok()?;
        }
        first
    }

    /// The days whose intervals may hold `at`: one that is past midnight may be a day long, and clocks that
    /// change at midnight show a date again.
    fn days_around(&self, at: Wall) -> impl Iterator<Item = Date> {
        let today = self.zone.reading(at).date();
        (-2..=1).map(move |days| today.saturating_add(Days::new().days(days)))
    }

    /// The interval that begins on `date`, if there is one.
    pub(super) fn interval(&self, window: WindowId, date: Date) -> Option<Interval> {
        let (from, to, instead) = self.times(window, date)?;
        let start = self.zone.first(from.on(date));
        let end = self.zone.end(to.on(if to <= from { date.tomorrow().ok()? } else { date }));
        (start < end).then_some(Interval { start, end, instead })
    }

    /// When the window opens and closes on `date`, and whether by an override.
    pub(super) fn times(&self, window: WindowId, date: Date) -> Option<(TimeOfDay, TimeOfDay, bool)> {
        let (from, to) = self.window(window)?.times();
        match self.instead(window, date) {
            Some(Instead::Closed) => None,
            Some(Instead::Open { from: own, to: until }) => {
                Some((own.unwrap_or(from), until.unwrap_or(to), true))
            }
            None => self.verdict(window, date)?.holds().then_some((from, to, false)),
        }
    }

    /// Whether the window opens on `date`; `None` for a window that is not there.
    pub(super) fn verdict(&self, window: WindowId, date: Date) -> Option<Verdict<'c>> {
        match self.instead(window, date) {
            Some(Instead::Closed) => return Some(Verdict::ClosedInstead),
            Some(Instead::Open { .. }) => return Some(Verdict::OpenInstead),
            None => {}
        }
        let rule = self.window(window)?;
        let misfit = if !rule.days.is_empty() && !rule.days.contains(&Weekday::of(date)) {
            Some(Verdict::WrongDay)
        } else if !rule.months.is_empty() && !rule.months.contains(&Month::of(date)) {
            Some(Verdict::WrongMonth)
        } else if !rule.dates.is_empty() && !rule.dates.iter().any(|dates| dates.contains(date)) {
            Some(Verdict::WrongDate)
        } else {
            None
        };
        let included = misfit.is_some();
        if let Some(misfit) = misfit.filter(|_| !self.includes(rule, date)) {
            return Some(misfit);
        }
        let excepted = rule.except.iter().find_map(|occasion| match occasion {
            Occasion::BankHolidays => self.bank_holiday(date).map(Verdict::BankHoliday),
            Occasion::Dates(dates) => dates.contains(date).then_some(Verdict::Excepted),
            Occasion::Window(_) => None,
        });
        Some(excepted.unwrap_or(Verdict::Holds { included }))
    }

    fn includes(&self, rule: &Window, date: Date) -> bool {
        rule.include.iter().any(|occasion| match *occasion {
            Occasion::BankHolidays => self.bank_holiday(date).is_some(),
            Occasion::Dates(dates) => dates.contains(date),
            Occasion::Window(other) => self.verdict(other, date).is_some_and(Verdict::holds),
        })
    }

    fn instead(&self, window: WindowId, date: Date) -> Option<Instead> {
        let stated = self.calendar.checked.overrides.get(&(self.practice?, window))?;
        stated.iter().find(|(dates, _)| dates.contains(date)).map(|&(_, instead)| instead)
    }

    fn bank_holiday(&self, date: Date) -> Option<&'c str> {
        self.calendar.spec.holidays.title(self.nation, date)
    }

    fn excepts(&self, window: WindowId) -> impl Iterator<Item = WindowId> {
        let except = self.window(window).map(|window| window.except.iter());
        except.into_iter().flatten().filter_map(|occasion| match occasion {
            Occasion::Window(other) => Some(*other),
            Occasion::BankHolidays | Occasion::Dates(_) => None,
        })
    }
}

impl Verdict<'_> {
    /// Whether the window opens on the day.
    pub(super) fn holds(self) -> bool {
        matches!(self, Verdict::Holds { .. } | Verdict::OpenInstead)
    }
}
