//! Dates, times of day and names of days as people write them, and what they probably meant.

use std::str::FromStr;

use super::nearest::nearest;
use crate::calendar::{Date, Dates, Local, Month, Nation, TimeOfDay, Weekday};

/// Longest text that is looked at.
const LONGEST: usize = 32;

/// A word of the calendar.
pub(super) trait Civil: Sized {
    /// What it must be, in a sentence: `a time of day such as "08:00"`.
    const SUCH_AS: &'static str;
    /// Several of it.
    const MANY: &'static str;

    /// Reads it as it should be written.
    fn read(text: &str) -> Option<Self>;

    /// How it was probably meant to be written.
    fn meant(text: &str) -> Option<String>;
}

impl Civil for TimeOfDay {
    const SUCH_AS: &'static str = "a time of day such as \"08:00\"";
    const MANY: &'static str = "times of day";

    fn read(text: &str) -> Option<TimeOfDay> {
        text.parse().ok()
    }

    fn meant(text: &str) -> Option<String> {
        if text == "24:00" {
            return Some("00:00".to_owned());
        }
        let text = bounded(text)?.replace('.', ":");
        let (clock, noon) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
            (Some(clock), _) => (clock, Some(0)),
            (_, Some(clock)) => (clock, Some(12)),
            _ => (text.as_str(), None),
        };
        let mut parts = clock.trim().split(':');
        let hour: u32 = digits(parts.next()?)?;
        let minute = parts.next().map_or(Some(0), digits)?;
        let hour = match noon {
            Some(_) if hour > 12 => return None,
            Some(noon) => hour % 12 + noon,
            None => hour,
        };
        Some(format!("{hour:02}:{minute:02}"))
    }
}

impl Civil for Date {
    const SUCH_AS: &'static str = "a date such as \"2026-12-24\"";
    const MANY: &'static str = "dates";

    fn read(text: &str) -> Option<Date> {
        let dates: Dates = text.parse().ok()?;
        (!text.contains("..")).then(|| dates.first())
    }

    fn meant(text: &str) -> Option<String> {
        let text = bounded(text)?;
        let parts: Vec<u32> = text.split(['-', '/', '.', ' ']).map(digits).collect::<Option<_>>()?;
        match *parts.as_slice() {
            [year, month, day] if year > 999 => Some(format!("{year}-{month:02}-{day:02}")),
            [day, month, year] if year > 999 => Some(format!("{year}-{month:02}-{day:02}")),
            _ => None,
        }
    }
}

impl Civil for Dates {
    const SUCH_AS: &'static str = "a date such as \"2026-12-24\", or two with \"..\" between";
    const MANY: &'static str = "dates";

    fn read(text: &str) -> Option<Dates> {
        text.parse().ok()
    }

    fn meant(text: &str) -> Option<String> {
        let Some((first, last)) = text.split_once("..").or_else(|| text.split_once(" to ")) else {
            return Date::meant(text);
        };
        let date = |text: &str| Date::read(&Date::meant(text.trim())?);
        let (first, last) = (date(first)?, date(last)?);
        Some(format!("{}..{}", first.min(last), first.max(last)))
    }
}

impl Civil for Local {
    const SUCH_AS: &'static str = "a date with a time such as \"2026-08-31T08:15\"";
    const MANY: &'static str = "dates with times";

    fn read(text: &str) -> Option<Local> {
        text.parse().ok()
    }

    fn meant(text: &str) -> Option<String> {
        let (date, time) = text.split_once(['T', 't', ' '])?;
        Some(format!("{}T{}", Date::meant(date)?, TimeOfDay::meant(time)?))
    }
}

/// The calendar's names, of which each has its own short form.
macro_rules! named {
    ($($type:ty, $such_as:literal, $many:literal;)*) => {$(
        impl Civil for $type {
            const SUCH_AS: &'static str = $such_as;
            const MANY: &'static str = $many;

            fn read(text: &str) -> Option<$type> {
                FromStr::from_str(text).ok()
            }

            fn meant(text: &str) -> Option<String> {
                let names: Vec<String> = <$type>::ALL.iter().map(ToString::to_string).collect();
                let word = bounded(text)?.to_ascii_lowercase();
                let begins = names.iter().find(|name| word.starts_with(name.as_str()));
                begins.cloned().or_else(|| nearest(&word, names.iter().map(String::as_str)).map(str::to_owned))
            }
        }
    )*};
}

named! {
    Weekday, "a weekday: \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" or \"sun\"", "weekdays";
    Month, "a month: \"jan\", \"feb\", \"mar\" and so on", "months";
    Nation, "\"england-and-wales\", \"scotland\" or \"northern-ireland\"", "nations";
}

fn bounded(text: &str) -> Option<&str> {
    (text.len() <= LONGEST).then(|| text.trim())
}

/// At most four digits.
fn digits(text: &str) -> Option<u32> {
    let fits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant<T: Civil>(text: &str) -> Option<String> {
        assert!(T::read(text).is_none(), "{text} is sound");
        T::meant(text).filter(|meant| T::read(meant).is_some())
    }

    #[test]
    fn what_was_meant_is_suggested() {
        let time = meant::<TimeOfDay>;
        for (text, expected) in [
            ("8:00", Some("08:00")),
            ("08.30", Some("08:30")),
            ("08:00:00", Some("08:00")),
            ("8am", Some("08:00")),
            ("6:30 pm", Some("18:30")),
            ("12am", Some("00:00")),
            ("24:00", Some("00:00")),
            ("25:00", None),
            ("noon", None),
            ("", None),
        ] {
            assert_eq!(time(text).as_deref(), expected, "{text}");
        }
        for (text, expected) in [
            ("24/12/2026", Some("2026-12-24")),
            ("2026-12-4", Some("2026-12-04")),
            ("2026-02-30", None),
            ("2026-12-31..2026-12-24", Some("2026-12-24..2026-12-31")),
            ("24/12/2026 to 31/12/2026", Some("2026-12-24..2026-12-31")),
            ("Christmas", None),
        ] {
            assert_eq!(meant::<Dates>(text).as_deref(), expected, "{text}");
        }
        assert_eq!(meant::<Local>("2026-08-31 8:15").as_deref(), Some("2026-08-31T08:15"));
        assert_eq!(meant::<Weekday>("Mondays").as_deref(), Some("mon"));
        assert_eq!(meant::<Weekday>("thrs"), None);
        assert_eq!(meant::<Month>("Sept").as_deref(), Some("sep"));
        assert_eq!(meant::<Nation>("england").as_deref(), Some("england-and-wales"));
    }
}
