//! Windows and reasons in English.

use super::*;

#[test]
fn a_window_describes_itself() {
    let cases = [
        ("mon 08:00-09:30 but:bank-holidays", "Mondays 08:00 to 09:30, not on bank holidays"),
        (WEEKDAYS, "Monday to Friday 08:00 to 18:30, not on bank holidays"),
        ("all-day", "every day, all day"),
        ("sat sun 22:00-06:00", "Saturdays and Sundays 22:00 to 06:00 the next day"),
        ("mon wed fri 18:30-00:00", "Mondays, Wednesdays and Fridays 18:30 to midnight"),
        ("00:00-08:00 in:nov in:dec", "every day in November or December 00:00 to 08:00"),
        (
            "08:00-12:00 on:2026-12-24..2026-12-31 on:2027-01-02",
            "on 24 December 2026 to 31 December 2026 or 2 January 2027 08:00 to 12:00",
        ),
        (
            "mon 08:00-18:30 also:2026-08-29 also:bank-holidays also:0 but:2026-12-25 but:1 but:0",
            "Mondays 08:00 to 18:30, also on 29 August 2026, bank holidays and days of `a`, \
             not on 25 December 2026, not during `b` or `a`",
        ),
    ];
    for (words, described) in cases {
        let calendar = calendar(&["mon", "tue", words]);
        assert_eq!(calendar.describe(WindowId(2)), described);
    }
}

#[test]
fn a_reason_says_what_decides() {
    let calendar = Calendar::new(hub()).unwrap();
    let cases = [
        (1, 0, "2026-08-24T08:15", true, "between 08:00 and 09:30"),
        (1, 0, "2026-08-25T08:15", false, "not a Monday"),
        (1, 0, "2026-08-31T08:15", false, "bank holiday: Summer bank holiday"),
        (1, 0, "2026-08-24T07:59", false, "before 08:00"),
        (1, 0, "2026-08-24T09:30", false, "after 09:30"),
        (0, 0, "2026-08-29T10:00", false, "not Monday to Friday"),
        (10, 0, "2026-08-29T10:00", false, "not a Monday or Thursday"),
        (0, 1, "2026-09-16T10:00", false, "closed by override 2026-09-16"),
        (0, 1, "2026-09-17T09:00", false, "before 10:00, by override"),
        (0, 1, "2026-09-19T12:00", false, "after 12:00, by override"),
        (0, 1, "2026-09-19T09:00", true, "between 09:00 and 12:00 by override 2026-09-19"),
        (4, 1, "2026-09-15T10:00", false, "during `a`"),
        (4, 1, "2026-09-16T10:00", true, "all day"),
        (5, 0, "2026-12-23T09:00", false, "not on 24 December 2026 to 31 December 2026"),
        (12, 0, "2026-08-29T09:00", true, "2026-08-29 is included, between 08:00 and 18:30"),
        (12, 0, "2026-08-28T13:00", false, "during `l`"),
        (13, 0, "2027-06-02T23:59", false, "2027-06-02 is excepted"),
        (13, 0, "2026-06-06T23:59", false, "not a Wednesday"),
        (9, 0, "2026-12-26T03:00", false, "bank holiday: Christmas Day"),
        (9, 0, "2026-12-19T03:00", true, "between 18:30 and 08:00"),
        (9, 0, "2026-12-19T08:00", false, "not a Friday"),
        (14, 0, "2026-03-29T02:00", false, "the clocks skip its time on 2026-03-29"),
        (99, 0, "2026-03-29T02:00", false, "there is no such window"),
    ];
    for (window, practice, local, open, words) in cases {
        let (window, practice) = (WindowId(window), Some(PracticeId(practice)));
        let at = calendar.instant(local.parse().unwrap(), practice);
        let reason = calendar.why(window, practice, at);
        assert_eq!(reason.to_string(), words, "{window} at {local}");
        assert_eq!((reason.is_open(), calendar.covers(window, practice, at)), (open, open), "{local}");
    }
    let months = self::calendar(&["mon in:dec"]);
    assert_eq!(months.why(WindowId(0), None, utc("2026-11-23T10:00")).to_string(), "not in December");
}
