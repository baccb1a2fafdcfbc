//! Calendars of surgeries, and an independent reading of them.

#![allow(clippy::unwrap_used)]

mod faults;
mod holidays;
mod lints;
mod slow;
mod sweep;
mod windows;
mod words;

use super::*;

/// What `config/bank-holidays.json` says.
fn shipped() -> Holidays {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/bank-holidays.json");
    Holidays::from_json(&std::fs::read(path).unwrap()).unwrap()
}

/// A window from words: days, times `08:00-18:30` or `all-day`, `in:dec`, `on:DATES`, `but:OCCASION`,
/// `also:OCCASION`; a window is named by its number.
fn window(name: &str, words: &str) -> Window {
    let mut window = Window { name: name.to_owned(), ..Window::default() };
    let occasion = |word: &str| match word.parse::<u32>() {
        Ok(number) => Occasion::Window(WindowId(number)),
        Err(_) if word == "bank-holidays" => Occasion::BankHolidays,
        Err(_) => Occasion::Dates(word.parse().unwrap()),
    };
    for word in words.split_whitespace() {
        if let Some(month) = word.strip_prefix("in:") {
            window.months.insert(month.parse().unwrap());
        } else if let Some(dates) = word.strip_prefix("on:") {
            window.dates.push(dates.parse().unwrap());
        } else if let Some(word) = word.strip_prefix("but:") {
            window.except.push(occasion(word));
        } else if let Some(word) = word.strip_prefix("also:") {
            window.include.push(occasion(word));
        } else if let Some((from, to)) = word.split_once('-') {
            if word != "all-day" {
                (window.from, window.to) = (Some(from.parse().unwrap()), Some(to.parse().unwrap()));
            }
        } else {
            window.days.insert(word.parse().unwrap());
        }
    }
    window
}

fn london(windows: &[&str]) -> Spec {
    let name = |at: usize| char::from(b'a' + u8::try_from(at).unwrap()).to_string();
    Spec {
        zone: "Europe/London".to_owned(),
        nation: Nation::EnglandAndWales,
        holidays: shipped(),
        windows: windows.iter().enumerate().map(|(at, words)| window(&name(at), words)).collect(),
        practices: Vec::new(),
        overrides: Vec::new(),
    }
}

fn calendar(windows: &[&str]) -> Calendar {
    Calendar::new(london(windows)).unwrap()
}

const WEEKDAYS: &str = "mon tue wed thu fri 08:00-18:30 but:bank-holidays";

/// What a hub of several surgeries may have. Practice 0 is as the node; 1 closes for learning, opens late and
/// on a Saturday; 2 is in Scotland; 3 is in France and has a night of its own.
fn hub() -> Spec {
    let mut spec = london(&[
        WEEKDAYS,
        "mon 08:00-09:30 but:bank-holidays",
        "sat 09:00-17:00",
        "22:00-06:00",
        "all-day but:0",
        "08:00-12:00 on:2026-12-24..2026-12-31",
        "all-day on:2024-02-29 on:2028-02-29 on:2032-02-28..2032-03-01",
        "sun 01:30-02:30",
        "sun 00:00-01:30",
        "fri 18:30-08:00 but:bank-holidays",
        "mon thu 08:00-08:00",
        "12:30-13:30",
        "mon tue wed thu fri 08:00-18:30 but:bank-holidays but:11 also:2026-08-29",
        "wed in:feb in:dec 23:59-00:01 also:0 but:2027-01-01..2027-12-31",
        "sun 01:10-01:50",
        "all-day but:4 but:11",
        "00:00-01:00",
    ]);
    let practice = |zone: Option<&str>, nation| Practice {
        zone: zone.map(str::to_owned),
        nation,
        hours: Some(WindowId(0)),
    };
    spec.practices = vec![
        practice(None, None),
        practice(None, None),
        practice(None, Some(Nation::Scotland)),
        practice(Some("Europe/Paris"), None),
    ];
    let time = |text: &str| Some(text.parse().unwrap());
    let over = |practice, window: Option<u32>, dates: &str, hours| Override {
        practice: PracticeId(practice),
        window: window.map(WindowId),
        dates: dates.split_whitespace().map(|dates| dates.parse().unwrap()).collect(),
        hours,
    };
    spec.overrides = vec![
        over(1, None, "2026-09-16 2026-11-18..2026-11-19", Instead::Closed),
        over(1, None, "2026-09-17", Instead::Open { from: time("10:00"), to: None }),
        over(1, None, "2026-09-19 2026-08-31", Instead::Open { from: time("09:00"), to: time("12:00") }),
        over(1, Some(12), "2026-09-18", Instead::Open { from: None, to: time("14:00") }),
        over(3, Some(3), "2026-03-29", Instead::Open { from: time("02:30"), to: time("02:45") }),
        over(3, Some(3), "2027-03-28", Instead::Open { from: time("02:30"), to: time("03:45") }),
        over(3, Some(3), "2026-10-25", Instead::Open { from: time("20:00"), to: time("02:30") }),
    ];
    spec
}

/// The instant of a time in UTC: `2026-08-31T07:15`.
fn utc(text: &str) -> Wall {
    let (date, time) = text.split_once('T').unwrap();
    let numbers =
        |text: &str, by: char| text.split(by).map(|part| part.parse().unwrap()).collect::<Vec<i64>>();
    let (date, time) = (numbers(date, '-'), numbers(time, ':'));
    let days = slow::day(date[0], date[1], date[2]);
    Wall(((days * 24 + time[0]) * 60 + time[1]) * 60_000)
}
