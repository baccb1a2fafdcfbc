//! Windows in English.

use std::collections::BTreeSet;

use super::Calendar;
use super::civil::{Date, Dates, Month, TimeOfDay, Weekday};
use super::spec::{Occasion, Window};

impl Calendar {
    /// `Mondays 08:00 to 09:30, not on bank holidays`
    pub(super) fn words(&self, window: &Window) -> String {
        let mut words = days(window);
        let (from, to) = window.times();
        words += &match (from, to) {
            (TimeOfDay::MIDNIGHT, TimeOfDay::MIDNIGHT) => ", all day".to_owned(),
            (_, TimeOfDay::MIDNIGHT) => format!(" {from} to midnight"),
            _ if to <= from => format!(" {from} to {to} the next day"),
            _ => format!(" {from} to {to}"),
        };
        if !window.include.is_empty() {
            let days = list(window.include.iter().map(|occasion| self.occasion(*occasion)), "and");
            words += &format!(", also on {days}");
        }
        let (windows, days): (Vec<&Occasion>, Vec<&Occasion>) =
            window.except.iter().partition(|occasion| matches!(occasion, Occasion::Window(_)));
        if !days.is_empty() {
            let days = list(days.into_iter().map(|occasion| self.occasion(*occasion)), "or");
            words += &format!(", not on {days}");
        }
        if !windows.is_empty() {
            let names = windows.into_iter().map(|occasion| match occasion {
                Occasion::Window(other) => self.name(other.index()),
                Occasion::BankHolidays | Occasion::Dates(_) => String::new(),
            });
            words += &format!(", not during {}", list(names, "or"));
        }
        words
    }

    fn occasion(&self, occasion: Occasion) -> String {
        match occasion {
            Occasion::BankHolidays => "bank holidays".to_owned(),
            Occasion::Dates(dates) => range(dates),
            Occasion::Window(other) => format!("days of {}", self.name(other.index())),
        }
    }

    fn name(&self, window: usize) -> String {
        self.spec.windows.get(window).map(|window| format!("`{}`", window.name)).unwrap_or_default()
    }
}

/// The days of a window: `Mondays in December`.
fn days(window: &Window) -> String {
    let mut words = match run(&window.days) {
        _ if window.days.is_empty() && !window.dates.is_empty() => String::new(),
        _ if window.days.is_empty() || window.days.len() == Weekday::ALL.len() => "every day".to_owned(),
        Some((first, last)) => format!("{} to {}", first.name(), last.name()),
        None => list(window.days.iter().map(|day| format!("{}s", day.name())), "and"),
    };
    if !window.months.is_empty() {
        words += &format!(" {}", in_months(&window.months));
    }
    if !window.dates.is_empty() {
        words += &format!(" {}", on_dates(&window.dates));
    }
    words.trim_start().to_owned()
}

/// `a Monday`, `a Monday or Friday`, `Monday to Friday`
pub(super) fn a_weekday(days: &BTreeSet<Weekday>) -> String {
    match run(days) {
        Some((first, last)) => format!("{} to {}", first.name(), last.name()),
        None => format!("a {}", list(days.iter().map(|day| day.name().to_owned()), "or")),
    }
}

/// `in December`
pub(super) fn in_months(months: &BTreeSet<Month>) -> String {
    format!("in {}", list(months.iter().map(|month| month.name().to_owned()), "or"))
}

/// `on 24 December 2026 or 1 to 3 January 2027`
pub(super) fn on_dates(dates: &[Dates]) -> String {
    format!("on {}", list(dates.iter().map(|dates| range(*dates)), "or"))
}

/// The first and last of three or more days in a row, if these are all.
fn run(days: &BTreeSet<Weekday>) -> Option<(Weekday, Weekday)> {
    let (&first, &last) = (days.first()?, days.last()?);
    let between = Weekday::ALL.into_iter().filter(|day| (first..=last).contains(day)).count();
    (days.len() >= 3 && between == days.len()).then_some((first, last))
}

fn range(dates: Dates) -> String {
    if dates.first() == dates.last() {
        date(dates.first())
    } else {
        format!("{} to {}", date(dates.first()), date(dates.last()))
    }
}

/// `24 December 2026`
fn date(date: Date) -> String {
    format!("{} {} {}", date.day(), Month::of(date).name(), date.year())
}

/// `a`, `a and b`, `a, b and c`
fn list(items: impl Iterator<Item = String>, last: &str) -> String {
    let mut items: Vec<_> = items.collect();
    let Some(end) = items.pop() else { return String::new() };
    if items.is_empty() { end } else { format!("{} {last} {end}", items.join(", ")) }
}
