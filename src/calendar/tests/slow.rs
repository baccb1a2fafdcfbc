//! The independent reading: its own calendar arithmetic, its own table of clock changes, minute by minute.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::*;

/// Days since 1970-01-01, by counting years and months.
pub(super) fn day(year: i64, month: i64, day: i64) -> i64 {
    let years: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    years + (1..month).map(|month| length(year, month)).sum::<i64>() + day - 1
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn length(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// 0 for Monday; the first day of 1970 was a Thursday.
pub(super) fn weekday(day: i64) -> usize {
    usize::try_from((day + 3).rem_euclid(7)).unwrap()
}

fn last_sunday(year: i64, month: i64) -> i64 {
    let last = day(year, month, length(year, month));
    (0..7).map(|back| last - back).find(|&day| weekday(day) == 6).unwrap()
}

/// From which minute to which a window is open on its day, and whether by an override.
type Interval = (i64, i64, bool);

/// The days of which the intervals are remembered: from late in 2019 on.
const REMEMBERED: usize = 6_000;

/// A calendar read slowly; days and minutes are counted from 1970.
pub(super) struct Slow {
    spec: Spec,
    /// From which minute to which summer time holds, from 2018 on.
    summers: Vec<(i64, i64)>,
    holidays: HashSet<(Nation, i64)>,
    /// Months of the year by day, from 2018 on.
    months: HashMap<i64, Month>,
    /// By practice, window and day; the outer `None` where none has been asked for.
    intervals: RefCell<Vec<Option<Option<Interval>>>>,
}

impl Slow {
    pub(super) fn new(spec: Spec) -> Slow {
        let summer = |year| {
            let change = |month| last_sunday(year, month) * 1440 + 60;
            (change(3), change(10))
        };
        let mut months = HashMap::new();
        for year in 2018..2038 {
            for (month, name) in (1..).zip(Month::ALL) {
                months.extend((1..=length(year, month)).map(|date| (day(year, month, date), name)));
            }
        }
        let days = |nation| spec.holidays.of(nation).map(move |(date, _)| (nation, number(date)));
        let holidays = Nation::ALL.into_iter().flat_map(days).collect();
        let rows = (spec.practices.len() + 1) * spec.windows.len();
        let intervals = RefCell::new(vec![None; rows * REMEMBERED]);
        Slow { spec, summers: (2018..2038).map(summer).collect(), holidays, months, intervals }
    }

    /// What the clocks show, in minutes, at a minute of UTC.
    fn reading(&self, practice: Option<PracticeId>, minute: i64) -> i64 {
        let own = practice.and_then(|practice| self.spec.practices[practice.index()].zone.as_deref());
        let winter = match own.unwrap_or(&self.spec.zone) {
            "Europe/London" => 0,
            "Europe/Paris" => 60,
            other => panic!("{other}"),
        };
        let year = (minute / 1440 - day(2018, 1, 1)) / 366;
        let near = &self.summers[usize::try_from(year).unwrap()..];
        let summer = near.iter().take(2).any(|&(from, to)| from <= minute && minute < to);
        minute + winter + if summer { 60 } else { 0 }
    }

    pub(super) fn is_open(&self, window: WindowId, practice: Option<PracticeId>, minute: i64) -> bool {
        let today = self.reading(practice, minute).div_euclid(1440);
        let holding: Vec<_> = (today - 2..=today + 1)
            .filter_map(|day| self.interval(window, practice, day))
            .filter(|&(start, end, _)| start <= minute && minute < end)
            .collect();
        let spared = |&(_, _, instead): &Interval| instead;
        let excepts = &self.spec.windows[window.index()].except;
        let excepted = || {
            excepts.iter().any(|occasion| match occasion {
                Occasion::Window(other) => self.is_open(*other, practice, minute),
                _ => false,
            })
        };
        !holding.is_empty() && (holding.iter().any(spared) || !excepted())
    }

    fn interval(&self, window: WindowId, practice: Option<PracticeId>, date: i64) -> Option<Interval> {
        let row = practice.map_or(0, |practice| practice.index() + 1) * self.spec.windows.len();
        let from = usize::try_from(date - day(2019, 12, 1)).unwrap();
        assert!(from < REMEMBERED, "day {date}");
        let at = (row + window.index()) * REMEMBERED + from;
        let known = self.intervals.borrow()[at];
        known.unwrap_or_else(|| {
            let found = self.find_interval(window, practice, date);
            self.intervals.borrow_mut()[at] = Some(found);
            found
        })
    }

    fn find_interval(&self, window: WindowId, practice: Option<PracticeId>, day: i64) -> Option<Interval> {
        let rule = &self.spec.windows[window.index()];
        let (mut from, mut to) = (rule.from, rule.to);
        let instead = self.instead(window, practice, day);
        match instead {
            Some(Instead::Closed) => return None,
            Some(Instead::Open { from: own, to: until }) => (from, to) = (own.or(from), until.or(to)),
            None if self.holds(window, practice, day) => {}
            None => return None,
        }
        let (from, mut to) = (minutes(from), minutes(to));
        if to <= from {
            to += 1440;
        }
        let (opens, closes) = (day * 1440 + from, day * 1440 + to);
        let start = (opens - 200..).find(|&minute| self.reading(practice, minute) >= opens).unwrap();
        let last =
            (0..).map(|back| closes + 200 - back).find(|&m| self.reading(practice, m) < closes).unwrap();
        (start <= last).then_some((start, last + 1, instead.is_some()))
    }

    fn instead(&self, window: WindowId, practice: Option<PracticeId>, day: i64) -> Option<Instead> {
        let practice = practice?;
        let hours = self.spec.practices[practice.index()].hours;
        let mine = |over: &&Override| over.practice == practice && over.window.or(hours) == Some(window);
        let over = self.spec.overrides.iter().filter(mine).find(|over| any(&over.dates, day))?;
        Some(over.hours)
    }

    fn holds(&self, window: WindowId, practice: Option<PracticeId>, day: i64) -> bool {
        let rule = &self.spec.windows[window.index()];
        let days: Vec<_> = rule.days.iter().map(|day| day.name()).collect();
        let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        let fits = (days.is_empty() || days.contains(&names[weekday(day)]))
            && (rule.months.is_empty() || rule.months.contains(&self.months[&day]))
            && (rule.dates.is_empty() || any(&rule.dates, day));
        let names = |occasion: &Occasion| match occasion {
            Occasion::BankHolidays => self.is_bank_holiday(practice, day),
            Occasion::Dates(dates) => any(&[*dates], day),
            Occasion::Window(_) => false,
        };
        let includes = |occasion: &Occasion| match occasion {
            Occasion::Window(other) => match self.instead(*other, practice, day) {
                Some(instead) => instead != Instead::Closed,
                None => self.holds(*other, practice, day),
            },
            _ => names(occasion),
        };
        (fits || rule.include.iter().any(includes)) && !rule.except.iter().any(names)
    }

    fn is_bank_holiday(&self, practice: Option<PracticeId>, day: i64) -> bool {
        let own = practice.and_then(|practice| self.spec.practices[practice.index()].nation);
        let nation = own.unwrap_or(self.spec.nation);
        self.holidays.contains(&(nation, day))
    }
}

fn any(dates: &[Dates], day: i64) -> bool {
    dates.iter().any(|dates| (number(dates.first())..=number(dates.last())).contains(&day))
}

/// The day of a date.
pub(super) fn number(date: Date) -> i64 {
    day(date.year().into(), date.month().into(), date.day().into())
}

fn minutes(time: Option<TimeOfDay>) -> i64 {
    time.map_or(0, |time| {
        let text = time.to_string();
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap()
    })
}

#[test]
fn its_own_arithmetic_knows_the_calendar() {
    assert_eq!(day(1970, 1, 1), 0);
    assert_eq!(day(2000, 2, 29), 11_016);
    assert_eq!(weekday(day(2026, 8, 31)), 0);
    assert_eq!((last_sunday(2026, 3), last_sunday(2026, 10)), (day(2026, 3, 29), day(2026, 10, 25)));
    assert_eq!(utc("2026-08-31T07:15"), Wall(1_788_160_500_000));
}
