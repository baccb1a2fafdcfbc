//! Windows that are hardly meant.

use super::*;

fn within(dates: &str) -> Dates {
    dates.parse().unwrap()
}

fn said(calendar: &Calendar, dates: &str) -> Vec<String> {
    calendar.lints(within(dates)).iter().map(Lint::to_string).collect()
}

#[test]
fn a_window_that_never_opens_is_told() {
    let calendar = calendar(&[
        "mon 08:00-09:30",
        "mon on:2026-06-02",
        "all-day on:2020-01-01",
        "on:2026-12-25 but:bank-holidays",
        "mon 09:00-17:00 but:5",
        "mon 09:00-17:00",
        "mon 09:00-17:00 but:7",
        "12:00-17:00",
    ]);
    assert_eq!(
        calendar.lints(within("2026-01-01..2028-12-31")),
        [
            Lint::NoDays { window: WindowId(1), within: within("2026-01-01..2028-12-31") },
            Lint::NoDays { window: WindowId(2), within: within("2026-01-01..2028-12-31") },
            Lint::AllExcepted { window: WindowId(3), within: within("2026-01-01..2028-12-31") },
            Lint::AllExcepted { window: WindowId(4), within: within("2026-01-01..2028-12-31") },
        ]
    );
    let words = said(&calendar, "2026-01-01..2028-12-31");
    assert_eq!(words[0], "it has no day between 2026-01-01 and 2028-12-31");
    assert_eq!(words[2], "what it excepts leaves nothing of it between 2026-01-01 and 2028-12-31");
}

#[test]
fn a_window_that_only_one_practice_opens_is_no_fault() {
    let mut spec = london(&["on:2020-01-01 09:00-12:00"]);
    let never = Calendar::new(spec.clone()).unwrap();
    assert_eq!(never.lints(within("2026-01-01..2026-12-31")).len(), 1);
    spec.practices = vec![Practice { hours: Some(WindowId(0)), ..Practice::default() }];
    spec.overrides = vec![Override {
        practice: PracticeId(0),
        window: None,
        dates: vec![within("2026-09-19")],
        hours: Instead::Open { from: None, to: None },
    }];
    let once = Calendar::new(spec).unwrap();
    assert_eq!(once.lints(within("2026-01-01..2026-12-31")), []);
}

#[test]
fn a_date_that_is_included_in_vain_is_told() {
    let calendar =
        calendar(&["mon 08:00-09:30 but:bank-holidays also:2026-08-29..2026-08-31 also:2026-08-22"]);
    assert_eq!(said(&calendar, "2026-01-01..2026-12-31"), ["2026-08-31 is included, but also excepted"]);
}

#[test]
fn a_time_that_the_clocks_skip_or_show_twice_is_told() {
    let cases: [(&str, &[&str]); 8] = [
        (
            "sun 01:30-05:00",
            &[
                "the clocks of Europe/London skip 01:30 on 2026-03-29: it opens when they show 02:00",
                "the clocks of Europe/London show 01:30 twice on 2026-10-25: it opens the first time",
            ],
        ),
        (
            "sat 22:00-01:30",
            &[
                "the clocks of Europe/London skip 01:30 on 2026-03-29: it closes when they show 02:00",
                "the clocks of Europe/London show 01:30 twice on 2026-10-25: it closes the second time",
            ],
        ),
        (
            "sun 01:10-01:50 in:mar",
            &[
                "the clocks of Europe/London skip 01:10 on 2026-03-29: it does not open on that day",
                "the clocks of Europe/London skip 01:50 on 2026-03-29: it does not open on that day",
            ],
        ),
        // It ends as the clocks go forward, and before they go back.
        (
            "sun 00:00-01:00",
            &["the clocks of Europe/London show 01:00 twice on 2026-10-25: it closes the first time"],
        ),
        (
            "sun 01:00-02:00 in:mar",
            &["the clocks of Europe/London skip 01:00 on 2026-03-29: it does not open on that day"],
        ),
        ("sun 02:00-05:00", &[]),
        ("mon tue wed thu fri sat 01:30-05:00", &[]),
        ("sun 01:30-05:00 but:2026-03-29 but:2026-10-25", &[]),
    ];
    for (words, faults) in cases {
        assert_eq!(said(&calendar(&[words]), "2026-01-01..2026-12-31"), faults, "{words}");
    }
    let many = calendar(&["sun 01:30-05:00"]).dst_faults(within("2026-10-25..2046-03-25"));
    assert_eq!(many.len(), 40);
}

#[test]
fn a_practice_is_named_where_its_clocks_or_days_differ() {
    let mut spec = london(&["02:30-05:00"]);
    let zone = |zone: &str| Practice { zone: Some(zone.to_owned()), ..Practice::default() };
    spec.practices = vec![zone("Europe/Paris"), zone("Europe/London"), Practice::default()];
    let faults = Calendar::new(spec).unwrap().dst_faults(within("2026-01-01..2026-12-31"));
    let found: Vec<_> = faults.iter().map(|fault| (fault.practice, fault.edge, fault.taken)).collect();
    let paris = Some(PracticeId(0));
    let three = "03:00".parse().unwrap();
    assert_eq!(found, [(paris, Edge::From, Taken::Change(three)), (paris, Edge::From, Taken::First)]);
    assert_eq!(faults[0].zone, "Europe/Paris");
}
