//! The file of bank holidays that is shipped follows from the law and the proclamations.

use std::collections::BTreeMap;

use super::slow::{day, number, weekday};
use super::*;

/// Easter Sundays, as in any almanac.
const EASTERS: [(i64, i64, i64); 10] = [
    (2019, 4, 21),
    (2020, 4, 12),
    (2021, 4, 4),
    (2022, 4, 17),
    (2023, 4, 9),
    (2024, 3, 31),
    (2025, 4, 20),
    (2026, 4, 5),
    (2027, 3, 28),
    (2028, 4, 16),
];

/// Gauss's rule for Easter Sunday, right from 1900 to 2099 with its two exceptions.
fn easter(year: i64) -> i64 {
    let (a, b, c) = (year % 19, year % 4, year % 7);
    let d = (19 * a + 24) % 30;
    let e = (2 * b + 4 * c + 6 * d + 5) % 7;
    let late = d + e > 34 || (d == 28 && e == 6 && a > 10);
    day(year, 3, 22) + d + e - if late { 7 } else { 0 }
}

/// By Banking and Financial Dealings Act 1971, schedule 1, and by proclamation.
fn by_law(nation: Nation, year: i64) -> BTreeMap<i64, &'static str> {
    let scotland = nation == Nation::Scotland;
    let first_monday =
        |month| (1..=7).map(|date| day(year, month, date)).find(|&day| weekday(day) == 0).unwrap();
    let last_monday =
        |month| (25..=31).map(|date| day(year, month, date)).find(|&day| weekday(day) == 0).unwrap();
    let mut all = BTreeMap::new();
    // A fixed day at a weekend is kept on the first weekday after it that is free.
    let mut fixed = |days: &[(i64, &'static str)]| {
        let (weekend, week): (Vec<_>, Vec<_>) = days.iter().partition(|&&(day, _)| weekday(day) > 4);
        all.extend(week);
        for (day, title) in weekend {
            let free = (day..).find(|day| weekday(*day) < 5 && !all.contains_key(day)).unwrap();
            all.insert(free, title);
        }
    };
    if scotland {
        fixed(&[(day(year, 1, 1), "New Year’s Day"), (day(year, 1, 2), "2nd January")]);
        fixed(&[(day(year, 11, 30), "St Andrew’s Day")]);
    } else {
        fixed(&[(day(year, 1, 1), "New Year’s Day")]);
    }
    if nation == Nation::NorthernIreland {
        fixed(&[(day(year, 3, 17), "St Patrick’s Day")]);
        fixed(&[(day(year, 7, 12), "Battle of the Boyne (Orangemen’s Day)")]);
    }
    fixed(&[(day(year, 12, 25), "Christmas Day"), (day(year, 12, 26), "Boxing Day")]);
    all.insert(easter(year) - 2, "Good Friday");
    if !scotland {
        all.insert(easter(year) + 1, "Easter Monday");
    }
    if year == 2020 {
        all.insert(day(2020, 5, 8), "Early May bank holiday (VE day)");
    } else {
        all.insert(first_monday(5), "Early May bank holiday");
    }
    if year == 2022 {
        all.insert(day(2022, 6, 2), "Spring bank holiday");
        all.insert(day(2022, 6, 3), "Platinum Jubilee bank holiday");
        all.insert(day(2022, 9, 19), "Bank Holiday for the State Funeral of Queen Elizabeth II");
    } else {
        all.insert(last_monday(5), "Spring bank holiday");
    }
    if year == 2023 {
        all.insert(day(2023, 5, 8), "Bank holiday for the coronation of King Charles III");
    }
    if scotland && year == 2026 {
        all.insert(day(2026, 6, 15), "World Cup bank holiday");
    }
    all.insert(if scotland { first_monday(8) } else { last_monday(8) }, "Summer bank holiday");
    if scotland && year == 2023 {
        // GOV.UK names the two days of that year in their order.
        all.insert(day(2023, 1, 2), "New Year’s Day");
        all.insert(day(2023, 1, 3), "2nd January");
    }
    all
}

#[test]
fn the_shipped_file_has_every_bank_holiday_from_2019_to_2028_and_no_other() {
    let shipped = shipped();
    for nation in Nation::ALL {
        let law: BTreeMap<_, _> = (2019..=2028).flat_map(|year| by_law(nation, year)).collect();
        let file: BTreeMap<_, _> = shipped.of(nation).map(|(date, title)| (number(date), title)).collect();
        for (day, title) in &law {
            assert_eq!(file.get(day), Some(title), "{nation}, {title} of day {day}");
        }
        assert_eq!(file.len(), law.len(), "{nation}");
        assert_eq!(shipped.of(nation).count(), shipped_events(nation).len(), "{nation}: a date comes twice");
    }
}

#[test]
fn easter_by_rule_is_easter_by_table() {
    for (year, month, date) in EASTERS {
        assert_eq!(easter(year), day(year, month, date), "{year}");
        assert_eq!(weekday(easter(year)), 6, "{year}");
    }
}

#[test]
fn a_substitute_day_says_so_and_good_friday_has_no_bunting() {
    for nation in Nation::ALL {
        for event in shipped_events(nation) {
            let (title, date) = (event["title"].as_str().unwrap(), event["date"].as_str().unwrap());
            let own = match title {
                "New Year’s Day" => "-01-01",
                "2nd January" => "-01-02",
                "St Patrick’s Day" => "-03-17",
                "Battle of the Boyne (Orangemen’s Day)" => "-07-12",
                "St Andrew’s Day" => "-11-30",
                "Christmas Day" => "-12-25",
                "Boxing Day" => "-12-26",
                _ => &date[4..],
            };
            let notes = if date.ends_with(own) { "" } else { "Substitute day" };
            assert_eq!(event["notes"].as_str(), Some(notes), "{nation}: {event}");
            let sombre = title == "Good Friday"
                || title.contains("Funeral")
                || title.contains("Boyne")
                || date == "2020-04-13";
            assert_eq!(event["bunting"].as_bool(), Some(!sombre), "{nation}: {event}");
            assert_eq!(event.as_object().unwrap().len(), 4, "{nation}: {event}");
        }
    }
}

fn shipped_events(nation: Nation) -> Vec<serde_json::Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/bank-holidays.json");
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file[nation.to_string()]["events"].as_array().unwrap().clone()
}

#[test]
fn the_days_that_were_moved_are_known() {
    let shipped = shipped();
    let title = |date: &str| shipped.title(Nation::EnglandAndWales, date.parse().unwrap());
    for date in ["2020-05-08", "2022-06-02", "2022-06-03", "2022-12-27", "2023-05-08", "2021-12-28"] {
        assert!(title(date).is_some(), "{date}");
    }
    for date in ["2020-05-04", "2022-05-30", "2022-12-25", "2021-12-25", "2026-06-15"] {
        assert_eq!(title(date), None, "{date}");
    }
}

#[test]
fn ninety_days_before_the_last_date_it_is_time_for_a_new_file() {
    let shipped = shipped();
    for nation in Nation::ALL {
        assert_eq!(shipped.last(nation), Some("2028-12-26".parse().unwrap()));
        assert!(!shipped.end_within(nation, 90, "2028-09-27".parse().unwrap()));
        assert!(shipped.end_within(nation, 90, "2028-09-28".parse().unwrap()));
        assert!(Holidays::default().end_within(nation, 90, "2026-01-01".parse().unwrap()));
    }
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    let file = |event: &str| {
        let nation = |name: &str| format!(r#""{name}": {{"division": "{name}", "events": [{event}]}}"#);
        format!("{{{}}}", Nation::ALL.map(|name| nation(&name.to_string())).join(","))
    };
    let good = r#"{"title": "Christmas Day", "date": "2026-12-25", "notes": "", "bunting": true, "new": 1}"#;
    assert!(Holidays::from_json(file(good).as_bytes()).is_ok());
    let cases = [
        ("".to_owned(), "not as GOV.UK publishes them: EOF"),
        ("[]".to_owned(), "not as GOV.UK publishes them: invalid type"),
        ("{}".to_owned(), "lack `england-and-wales`"),
        (file(""), "of `england-and-wales` are empty"),
        (
            file(good).replace(r#"division": "scotland"#, r#"division": "wales"#),
            "`scotland` call themselves `wales`",
        ),
        (
            file(r#"{"title": "Christmas Day", "date": "25/12/2026"}"#),
            "`Christmas Day` of `england-and-wales`: `25/12/2026` is no date",
        ),
        (file(r#"{"title": "Leap day", "date": "2027-02-29"}"#), "`2027-02-29` is no date"),
        (file(r#"{"title": "Christmas Day"}"#), "missing field `date`"),
    ];
    for (json, fault) in cases {
        let found = Holidays::from_json(json.as_bytes()).unwrap_err().to_string();
        assert!(found.contains(fault), "{found} is not {fault}");
    }
}
