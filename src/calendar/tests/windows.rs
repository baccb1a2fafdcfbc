//! When the windows of surgeries are open.

use super::*;

fn open(calendar: &Calendar, window: u32, local: &str) -> bool {
    calendar.covers(WindowId(window), None, calendar.instant(local.parse().unwrap(), None))
}

#[test]
fn a_window_is_open_from_its_first_instant_until_just_before_its_last() {
    let calendar = calendar(&["mon 08:00-09:30 but:bank-holidays"]);
    let covers = |at: Wall| calendar.covers(WindowId(0), None, at);
    // A Monday in summer: 08:00 there is 07:00 UTC.
    let (from, to) = (utc("2026-08-24T07:00"), utc("2026-08-24T08:30"));
    assert!(!covers(Wall(from.0 - 1)) && covers(from) && covers(Wall(to.0 - 1)) && !covers(to));
    // A Monday in winter.
    assert!(covers(utc("2026-11-30T08:00")) && !covers(utc("2026-11-30T07:59")));
}

#[test]
fn surgeries_are_closed_on_the_bank_holidays_that_were_moved() {
    let calendar = calendar(&[WEEKDAYS]);
    for closed in [
        "2020-05-08T10:00",
        "2022-06-02T10:00",
        "2022-06-03T10:00",
        "2022-09-19T10:00",
        "2022-12-27T10:00",
        "2023-05-08T10:00",
        "2026-08-31T08:15",
        "2026-12-28T10:00",
    ] {
        assert!(!open(&calendar, 0, closed), "{closed}");
    }
    for opened in ["2020-05-04T10:00", "2022-05-30T10:00", "2022-12-28T10:00", "2026-08-28T18:29"] {
        assert!(open(&calendar, 0, opened), "{opened}");
    }
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let calendar = calendar(&["fri 18:30-08:00 but:2026-11-27 but:bank-holidays"]);
    // The night of the 20th; the 27th is excepted, and its night with it; Good Friday likewise.
    assert!(open(&calendar, 0, "2026-11-20T23:00") && open(&calendar, 0, "2026-11-21T07:59"));
    assert!(!open(&calendar, 0, "2026-11-21T08:00") && !open(&calendar, 0, "2026-11-20T07:00"));
    assert!(!open(&calendar, 0, "2026-11-27T23:00") && !open(&calendar, 0, "2026-11-28T01:00"));
    assert!(!open(&calendar, 0, "2027-03-27T01:00"));
    // Christmas Day is a Friday; the night of the 18th is no bank holiday's.
    assert!(!open(&calendar, 0, "2026-12-26T01:00") && open(&calendar, 0, "2026-12-19T01:00"));
}

#[test]
fn a_window_from_a_time_to_the_same_lasts_a_whole_day() {
    let calendar = calendar(&["thu", "thu 00:00-00:00", "thu 08:00-08:00", "all-day on:2028-02-29"]);
    for window in 0..2 {
        let open = |local: &str| open(&calendar, window, local);
        assert!(open("2026-11-26T00:00") && open("2026-11-26T23:59"));
        assert!(!open("2026-11-25T23:59") && !open("2026-11-27T00:00"));
    }
    assert!(!open(&calendar, 2, "2026-11-26T07:59") && open(&calendar, 2, "2026-11-26T08:00"));
    assert!(open(&calendar, 2, "2026-11-27T07:59") && !open(&calendar, 2, "2026-11-27T08:00"));
    assert!(open(&calendar, 3, "2028-02-29T12:00") && !open(&calendar, 3, "2028-03-01T00:00"));
}

#[test]
fn include_adds_days_and_except_always_wins() {
    let calendar = calendar(&[
        "mon 08:00-09:30 but:bank-holidays also:2026-08-29 also:2026-08-31",
        "sun 09:00-12:00 also:bank-holidays but:2026-12-25",
        "wed 10:00-11:00 also:0",
    ]);
    assert!(open(&calendar, 0, "2026-08-29T08:00"), "a Saturday");
    assert!(!open(&calendar, 0, "2026-08-31T08:00"), "a bank holiday");
    assert!(open(&calendar, 1, "2026-12-28T09:00") && !open(&calendar, 1, "2026-12-25T09:00"));
    assert!(open(&calendar, 2, "2026-08-24T10:00") && open(&calendar, 2, "2026-08-29T10:00"));
    assert!(!open(&calendar, 2, "2026-08-31T10:00") && !open(&calendar, 2, "2026-08-24T08:00"));
}

#[test]
fn an_excepted_window_takes_away_its_times_and_not_its_days() {
    let calendar = calendar(&["mon 12:30-13:30", "mon 08:00-18:30 but:0", "all-day but:1"]);
    for (local, hours, rest) in [
        ("2026-11-23T07:59", false, true),
        ("2026-11-23T08:00", true, false),
        ("2026-11-23T12:30", false, true),
        ("2026-11-23T13:30", true, false),
        ("2026-11-24T09:00", false, true),
    ] {
        assert_eq!((open(&calendar, 1, local), open(&calendar, 2, local)), (hours, rest), "{local}");
    }
}

#[test]
fn an_override_stands_above_the_rule_and_for_its_practice_alone() {
    let calendar = Calendar::new(hub()).unwrap();
    let open = |practice: u32, window: u32, local: &str| {
        let practice = Some(PracticeId(practice));
        calendar.covers(WindowId(window), practice, calendar.instant(local.parse().unwrap(), practice))
    };
    // Protected learning: closed, and so out of hours.
    assert!(!open(1, 0, "2026-09-16T10:00") && open(0, 0, "2026-09-16T10:00"));
    assert!(open(1, 4, "2026-09-16T10:00") && !open(0, 4, "2026-09-16T10:00"));
    // Late opening until the usual end.
    assert!(!open(1, 0, "2026-09-17T09:59") && open(1, 0, "2026-09-17T10:00"));
    assert!(open(1, 0, "2026-09-17T18:29") && !open(1, 0, "2026-09-17T18:30"));
    // A Saturday, and a bank holiday.
    assert!(open(1, 0, "2026-09-19T09:00") && !open(1, 0, "2026-09-19T12:00"));
    assert!(open(1, 0, "2026-08-31T09:00") && !open(1, 0, "2026-08-31T08:59"));
    // An override of another window, from which its lunch is not excepted.
    assert!(open(1, 12, "2026-09-18T13:00") && !open(1, 12, "2026-09-18T14:00"));
    assert!(!open(0, 12, "2026-09-18T13:00") && open(1, 0, "2026-09-18T14:00"));
}

#[test]
fn an_override_that_begins_before_the_night_ends_is_the_next_change() {
    let mut spec = london(&["22:00-06:00 but:1", "03:00-07:00"]);
    spec.practices = vec![Practice { hours: Some(WindowId(0)), ..Practice::default() }];
    let (from, to) = (Some("05:00".parse().unwrap()), Some("08:00".parse().unwrap()));
    let dates = vec!["2026-11-24".parse().unwrap()];
    let hours = Instead::Open { from, to };
    spec.overrides = vec![Override { practice: PracticeId(0), window: None, dates, hours }];
    let calendar = Calendar::new(spec).unwrap();
    let next = |at: &str| calendar.next_change(WindowId(0), Some(PracticeId(0)), utc(at));
    assert_eq!(next("2026-11-24T00:00"), Some(utc("2026-11-24T03:00")));
    assert_eq!(next("2026-11-24T03:00"), Some(utc("2026-11-24T05:00")));
    assert_eq!(next("2026-11-24T05:00"), Some(utc("2026-11-24T08:00")));
}

#[test]
fn a_practice_has_its_own_bank_holidays_and_its_own_clocks() {
    let calendar = Calendar::new(hub()).unwrap();
    let covers = |practice: u32, at: &str| calendar.covers(WindowId(0), Some(PracticeId(practice)), utc(at));
    // Scotland keeps St Andrew's Day and not the last Monday of August.
    assert!(covers(0, "2026-11-30T10:00") && !covers(2, "2026-11-30T10:00"));
    assert!(!covers(0, "2026-08-31T10:00") && covers(2, "2026-08-31T10:00"));
    // In Paris it is 08:00 an hour earlier.
    assert!(!covers(0, "2026-11-24T07:00") && covers(3, "2026-11-24T07:00"));
    assert_eq!(calendar.local(utc("2026-08-31T07:15"), None).to_string(), "2026-08-31T08:15");
    assert_eq!(calendar.local(utc("2026-08-31T07:15"), Some(PracticeId(3))).to_string(), "2026-08-31T09:15");
    assert_eq!(calendar.local(utc("2026-08-31T07:15"), None).weekday(), Weekday::Monday);
    assert_eq!(calendar.hours(PracticeId(1)), Some(WindowId(0)));
}

#[test]
fn on_the_day_that_lacks_an_hour_a_window_opens_and_closes_as_far_as_it_can() {
    let calendar = calendar(&["sun 01:30-03:00", "sun 00:00-01:30", "sun 01:10-01:50", "sun 00:00-01:00"]);
    let change = utc("2026-03-29T01:00");
    let next = |window: u32, at| calendar.next_change(WindowId(window), None, at);
    let midnight = utc("2026-03-29T00:00");
    assert_eq!(next(0, midnight), Some(change));
    assert_eq!(next(0, change), Some(utc("2026-03-29T02:00")));
    assert_eq!(next(1, midnight), Some(change));
    assert_eq!(next(2, midnight), Some(utc("2026-04-05T00:10")), "not on that day");
    assert_eq!(next(3, midnight), Some(change));
}

#[test]
fn on_the_day_that_has_an_hour_twice_a_window_opens_at_the_first_and_closes_at_the_second() {
    let calendar = calendar(&["sun 01:30-03:00", "sun 00:00-01:30", "sun 00:00-01:00", "sun 01:00-02:00"]);
    let hours = |window: u32| {
        let opens = calendar.next_change(WindowId(window), None, utc("2026-10-24T22:59")).unwrap();
        (opens, calendar.next_change(WindowId(window), None, opens).unwrap())
    };
    assert_eq!(hours(0), (utc("2026-10-25T00:30"), utc("2026-10-25T03:00")));
    assert_eq!(hours(1), (utc("2026-10-24T23:00"), utc("2026-10-25T01:30")));
    // The clocks go back to 01:00 itself: what ends then has ended, and what begins then has begun.
    assert_eq!(hours(2), (utc("2026-10-24T23:00"), utc("2026-10-25T00:00")));
    assert_eq!(hours(3), (utc("2026-10-25T00:00"), utc("2026-10-25T02:00")));
}

#[test]
fn a_date_that_a_zone_never_had_is_no_day() {
    let mut spec = london(&["all-day on:2011-12-30", "09:00-17:00"]);
    spec.zone = "Pacific/Apia".to_owned();
    let calendar = Calendar::new(spec).unwrap();
    let change = utc("2011-12-30T10:00");
    assert_eq!(calendar.next_change(WindowId(0), None, utc("2011-12-01T00:00")), None);
    assert_eq!(calendar.next_change(WindowId(1), None, change), Some(utc("2011-12-30T19:00")));
}

#[test]
fn clocks_that_go_back_over_midnight_show_a_date_again() {
    let mut spec = london(&["sat", "sun", "sat 23:30-23:45"]);
    spec.zone = "America/St_Johns".to_owned();
    let calendar = Calendar::new(spec).unwrap();
    // At 00:01 on Sunday 2008-11-02, which is 02:31 UTC, the clocks went back to 23:01 on Saturday.
    let covers = |at: &str| [0, 1, 2].map(|window| calendar.covers(WindowId(window), None, utc(at)));
    assert_eq!(covers("2008-11-02T02:00"), [true, false, true]);
    assert_eq!(covers("2008-11-02T02:30"), [true, true, true], "00:00 for the first time");
    assert_eq!(covers("2008-11-02T02:40"), [true, true, true], "23:10 for the second");
    assert_eq!(covers("2008-11-02T03:14"), [true, true, true], "23:44 for the second");
    assert_eq!(covers("2008-11-02T03:15"), [true, true, false]);
    assert_eq!(covers("2008-11-02T03:30"), [false, true, false], "00:00 for the second");
}

#[test]
fn what_is_not_there_is_closed_and_no_instant_is_out_of_reach() {
    let calendar = calendar(&[WEEKDAYS, "all-day"]);
    let nowhere = (WindowId(9), Some(PracticeId(9)));
    assert!(!calendar.covers(nowhere.0, nowhere.1, utc("2026-11-24T10:00")));
    assert!(calendar.covers(WindowId(0), nowhere.1, utc("2026-11-24T10:00")), "as the node sees it");
    assert_eq!(calendar.describe(nowhere.0), "");
    for at in [i64::MIN, -1, 0, 253_402_300_799_999, i64::MAX - 1].map(Wall) {
        for window in [0, 1].map(WindowId) {
            assert!(calendar.at(window, None, at).until > at, "{at:?}");
            let _ = calendar.next_change(window, None, at);
            let _ = calendar.why(window, None, at).to_string();
            let _ = calendar.local(at, None);
        }
    }
}

#[test]
fn a_change_is_told_only_if_it_comes_within_400_days() {
    let calendar = calendar(&["all-day", "all-day on:2028-02-29"]);
    let now = utc("2026-11-22T12:00");
    assert_eq!(calendar.next_change(WindowId(0), None, now), None);
    assert_eq!(calendar.next_change(WindowId(1), None, now), None);
    let (leap, eve) = (utc("2028-02-29T00:00"), utc("2027-01-26T00:00"));
    assert_eq!(calendar.next_change(WindowId(1), None, eve), Some(leap));
    assert_eq!(calendar.at(WindowId(1), None, eve), Hours { open: false, until: eve + ASK_AGAIN });
}

#[test]
fn a_stored_calendar_is_the_same_calendar() {
    let calendar = Calendar::new(hub()).unwrap();
    let json = serde_json::to_string(&calendar).unwrap();
    assert!(json.contains(r#""dates":["2026-12-24..2026-12-31"]"#), "{json}");
    assert_eq!(serde_json::from_str::<Calendar>(&json).unwrap(), calendar);
    let bytes = postcard::to_stdvec(&calendar).unwrap();
    let again: Calendar = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(again, calendar);
    assert_eq!(again.checked.overrides, calendar.checked.overrides);
    let broken = json.replace("Europe/London", "Europe/Londom");
    let fault = serde_json::from_str::<Calendar>(&broken).unwrap_err().to_string();
    assert!(fault.contains("there is no time zone `Europe/Londom`"), "{fault}");
}

#[test]
fn words_of_windows_are_read_strictly_and_written_back() {
    for text in ["00:00", "08:05", "23:59"] {
        assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
    }
    for text in ["24:00", "8:00", "08:60", "08:00:00", "+8:00", "0800", "", ":"] {
        assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
    }
    for text in ["2026-12-24", "2026-12-24..2026-12-31", "2028-02-29"] {
        assert_eq!(text.parse::<Dates>().unwrap().to_string(), text);
    }
    for text in
        ["2027-02-29", "20261224", "2026-12-24T10:00", "2026-12-31..2026-12-24", "2026-12-24..", "٢٠٢٦"]
    {
        assert!(text.parse::<Dates>().is_err(), "{text}");
    }
    assert_eq!("2026-08-31T08:15".parse::<Local>().unwrap().to_string(), "2026-08-31T08:15");
    assert!("2026-08-31 08:15".parse::<Local>().is_err());
    assert_eq!("mon".parse::<Weekday>(), "monday".parse());
    assert_eq!("may".parse::<Month>(), Ok(Month::May));
    assert!("Mon".parse::<Weekday>().is_err() && "sept".parse::<Month>().is_err());
    assert!(is_zone("Europe/London") && !is_zone("Europe/Londom") && !is_zone("Etc/Unknown"));
}
