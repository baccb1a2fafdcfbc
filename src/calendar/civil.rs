//! The words that windows are written in: dates, times of day, weekdays and months.
//!
//! Each is read from text and written back as the same text, in configuration and in records alike.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use jiff::civil::Date;
use jiff::civil::{DateTime, Time};
use serde::{Deserialize, Serialize};

/// Why a text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misread {
    /// No time of day.
    #[error("`{0}` is no time of day: write 08:00, from 00:00 to 23:59")]
    Time(String),
    /// No date.
    #[error("`{0}` is no date: write 2026-12-24")]
    Date(String),
    /// A range that ends before it begins.
    #[error("{last} is before {first}")]
    Backwards {
        /// Its first date.
        first: Date,
        /// Its last.
        last: Date,
    },
    /// No weekday.
    #[error("`{0}` is no weekday: write mon, tue, wed, thu, fri, sat or sun")]
    Weekday(String),
    /// No month.
    #[error("`{0}` is no month: write jan, feb, mar, apr, may, jun, jul, aug, sep, oct, nov or dec")]
    Month(String),
    /// No date with a time.
    #[error("`{0}` is no date with a time: write 2026-08-31T08:15")]
    Local(String),
}

/// Whole minutes since midnight on the clock face, 00:00 to 23:59; as text `08:00`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    hour: i8,
    minute: i8,
}

impl TimeOfDay {
    /// 00:00.
    pub const MIDNIGHT: TimeOfDay = TimeOfDay { hour: 0, minute: 0 };

    /// How long after midnight the clock shows it, on a day when nobody sets the clock.
    pub fn since_midnight(self) -> Duration {
        let minutes = 60 * self.hour.unsigned_abs() as u64 + self.minute.unsigned_abs() as u64;
        Duration::from_secs(60 * minutes)
    }

    /// The minute that a clock face shows at this time.
    pub(super) fn showing(time: Time) -> TimeOfDay {
        TimeOfDay { hour: time.hour(), minute: time.minute() }
    }

    pub(super) fn on(self, date: Date) -> DateTime {
        date.at(self.hour, self.minute, 0, 0)
    }
}

impl FromStr for TimeOfDay {
    type Err = Misread;

    fn from_str(text: &str) -> Result<TimeOfDay, Misread> {
        let read = || {
            let (hour, minute) = text.split_once(':')?;
            let two = |digits: &str, most: i8| {
                let sound = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
                digits.parse().ok().filter(|&number| sound && number <= most)
            };
            Some(TimeOfDay { hour: two(hour, 23)?, minute: two(minute, 59)? })
        };
        read().ok_or_else(|| Misread::Time(text.to_owned()))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// A date, or all dates from one to another, both included; as text `2026-12-24` or `2026-12-24..2026-12-31`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dates {
    first: Date,
    last: Date,
}

impl Dates {
    /// From `first` to `last`, both included; refused when `last` is earlier.
    pub fn new(first: Date, last: Date) -> Result<Dates, Misread> {
        if last < first { Err(Misread::Backwards { first, last }) } else { Ok(Dates { first, last }) }
    }

    /// The first of them.
    pub fn first(self) -> Date {
        self.first
    }

    /// The last of them.
    pub fn last(self) -> Date {
        self.last
    }

    /// Whether `date` is one of them.
    pub fn contains(self, date: Date) -> bool {
        self.first <= date && date <= self.last
    }

    /// The dates in order.
    pub(super) fn each(self) -> impl Iterator<Item = Date> {
        self.first.series(jiff::Span::new().days(1)).take_while(move |&date| date <= self.last)
    }
}

impl From<Date> for Dates {
    fn from(date: Date) -> Dates {
        Dates { first: date, last: date }
    }
}

impl FromStr for Dates {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Dates, Misread> {
        match text.split_once("..") {
            Some((first, last)) => Dates::new(date(first)?, date(last)?),
            None => date(text).map(Dates::from),
        }
    }
}

impl fmt::Display for Dates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}..{}", self.first, self.last)
        }
    }
}

/// Reads `2026-12-24`, and nothing else that ISO 8601 allows.
pub(super) fn date(text: &str) -> Result<Date, Misread> {
    let mask = |at, byte: u8| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    let sound = text.len() == 10 && text.bytes().enumerate().all(|(at, byte)| mask(at, byte));
    text.parse().ok().filter(|_| sound).ok_or_else(|| Misread::Date(text.to_owned()))
}

/// What calendar and clock on the wall of a place show, to the minute; as text `2026-08-31T08:15`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Local {
    /// The date there.
    pub date: Date,
    /// The time there.
    pub time: TimeOfDay,
}

impl Local {
    /// The day of the week there.
    pub fn weekday(self) -> Weekday {
        Weekday::of(self.date)
    }
}

impl FromStr for Local {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Local, Misread> {
        let read = || {
            let (day, time) = text.split_once('T')?;
            Some(Local { date: date(day).ok()?, time: time.parse().ok()? })
        };
        read().ok_or_else(|| Misread::Local(text.to_owned()))
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date, self.time)
    }
}

/// A closed set of names, each written as its first three letters and read so or in full.
macro_rules! names {
    ($(#[$doc:meta])* $type:ident, $misread:path: $($name:ident $word:literal,)*) => {
        $(#[$doc])*
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum $type {
            $(#[doc = stringify!($name)] $name,)*
        }

        impl $type {
            /// All of them, in order.
            pub const ALL: [$type; [$($type::$name),*].len()] = [$($type::$name),*];

            /// Its name in full.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$name => stringify!($name),)*
                }
            }
        }

        impl FromStr for $type {
            type Err = Misread;

            fn from_str(text: &str) -> Result<$type, Misread> {
                let meant = |one: &$type| one.to_string() == text || one.name().to_lowercase() == text;
                $type::ALL.into_iter().find(meant).ok_or_else(|| $misread(text.to_owned()))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $($type::$name => $word,)*
                })
            }
        }
    };
}

names! {
    /// A day of the week; as text `mon`.
    Weekday, Misread::Weekday:
    Monday "mon",
    Tuesday "tue",
    Wednesday "wed",
    Thursday "thu",
    Friday "fri",
    Saturday "sat",
    Sunday "sun",
}

names! {
    /// A month of the year; as text `jan`.
    Month, Misread::Month:
    January "jan",
    February "feb",
    March "mar",
    April "apr",
    May "may",
    June "jun",
    July "jul",
    August "aug",
    September "sep",
    October "oct",
    November "nov",
    December "dec",
}

impl Weekday {
    /// The day of the week of a date.
    pub fn of(date: Date) -> Weekday {
        use jiff::civil::Weekday as Day;
        match date.weekday() {
            Day::Monday => Weekday::Monday,
            Day::Tuesday => Weekday::Tuesday,
            Day::Wednesday => Weekday::Wednesday,
            Day::Thursday => Weekday::Thursday,
            Day::Friday => Weekday::Friday,
            Day::Saturday => Weekday::Saturday,
            Day::Sunday => Weekday::Sunday,
        }
    }
}

impl Month {
    /// The month of a date.
    pub fn of(date: Date) -> Month {
        let after_january = usize::try_from(date.month() - 1).unwrap_or_default();
        Month::ALL[after_january.min(11)]
    }
}

/// Text both ways, for serde.
macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = Misread;

            fn try_from(text: String) -> Result<$type, Misread> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.to_string()
            }
        }
    )*};
}

as_text!(TimeOfDay, Dates, Local, Weekday, Month);
