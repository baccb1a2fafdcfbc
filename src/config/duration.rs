//! Durations as people write them: `20s`, `500ms`, `1h30m`, `400d`.

use std::time::Duration;

/// A day of 24 hours.
const DAY: u64 = 86_400_000;

/// The units, largest first, with their length in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", DAY), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A text that is no duration, with what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotADuration {
    /// What is wrong, to follow the text in a sentence.
    pub(super) why: &'static str,
    /// The nearest text that is a duration.
    pub(super) meant: Option<String>,
}

/// Reads whole numbers with the units `d`, `h`, `m`, `s` and `ms`, each at most once and the largest first.
pub(super) fn parse(text: &str) -> Result<Duration, NotADuration> {
    let why = match read(text) {
        Ok(duration) => return Ok(duration),
        Err(why) => why,
    };
    let meant = tidied(text).filter(|tidy| tidy != text && read(tidy).is_ok());
    Err(NotADuration { why, meant })
}

/// The shortest text that [`parse`] reads as `duration`, to the millisecond.
pub(super) fn show(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    // Up to three days are thought of in hours.
    let units = if left > 3 * DAY { &UNITS[..] } else { &UNITS[1..] };
    for &(unit, length) in units {
        let count = left / length;
        left %= length;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    text
}

fn read(text: &str) -> Result<Duration, &'static str> {
    let mut total: u64 = 0;
    let mut rest = text;
    let mut units = UNITS.iter();
    if rest.is_empty() {
        return Err("is empty");
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err("is not a number with a unit");
        }
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        if unit.is_empty() {
            return Err(if after.is_empty() { "has no unit" } else { "is not a whole number with a unit" });
        }
        if !UNITS.iter().any(|(known, _)| *known == unit) {
            return Err("has an unknown unit");
        }
        let &(_, length) =
            units.find(|(known, _)| *known == unit).ok_or("has its units in the wrong order")?;
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(length));
        total = part.and_then(|part| total.checked_add(part)).ok_or("is too long")?;
        rest = after;
    }
    Ok(Duration::from_millis(total))
}

/// `text` with spaces dropped, units shortened, and seconds where there is no unit.
fn tidied(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let mut tidy = String::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            break;
        }
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let unit = match unit.to_ascii_lowercase().as_str() {
            "" | "s" | "sec" | "secs" | "second" | "seconds" => "s",
            "m" | "min" | "mins" | "minute" | "minutes" => "m",
            "d" | "day" | "days" => "d",
            "h" | "hr" | "hrs" | "hour" | "hours" => "h",
            "ms" | "msec" | "millis" | "milliseconds" => "ms",
            _ => return None,
        };
        tidy.push_str(number);
        tidy.push_str(unit);
        rest = after;
    }
    (rest.is_empty() && !tidy.is_empty()).then_some(tidy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn units_add_up() {
        for (text, millis) in [
            ("0s", 0),
            ("500ms", 500),
            ("20s", 20_000),
            ("4m", 240_000),
            ("1h30m", 5_400_000),
            ("1h1m1s1ms", 3_661_001),
            ("90m", 5_400_000),
            ("400d", 400 * DAY),
            ("1d12h", DAY * 3 / 2),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back_the_same() {
        for millis in [0, 1, 999, 1_000, 61_000, 3_600_000, 5_400_500, DAY, 2 * DAY + 1] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(&show(duration)), Ok(duration));
        }
        let shown = [90_000, DAY, 3 * DAY, 31 * DAY].map(|millis| show(Duration::from_millis(millis)));
        assert_eq!(shown, ["1m30s", "24h", "72h", "31d"]);
    }

    #[test]
    fn what_was_meant_is_suggested() {
        for (text, why, meant) in [
            ("", "is empty", None),
            ("20", "has no unit", Some("20s")),
            ("20 s", "is not a whole number with a unit", Some("20s")),
            ("4 min", "is not a whole number with a unit", Some("4m")),
            ("20sec", "has an unknown unit", Some("20s")),
            ("20S", "has an unknown unit", Some("20s")),
            ("2 days", "is not a whole number with a unit", Some("2d")),
            ("2w", "has an unknown unit", None),
            ("1.5s", "is not a whole number with a unit", None),
            ("-3s", "is not a number with a unit", None),
            ("soon", "is not a number with a unit", None),
            ("30m1h", "has its units in the wrong order", None),
            ("1s1s", "has its units in the wrong order", None),
            ("99999999999999999999s", "is too long", None),
            ("9999999999999999999h", "is too long", None),
            ("20\u{a0}s", "is not a whole number with a unit", Some("20s")),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.why, error.meant.as_deref()), (why, meant), "{text}");
        }
    }
}
