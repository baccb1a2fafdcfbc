//! Calendars that cannot be made.

use super::*;

fn faults(spec: Spec) -> Vec<Fault> {
    Calendar::new(spec).unwrap_err()
}

#[test]
fn every_fault_is_named_at_once() {
    let mut spec = london(&["mon but:7", "tue also:8"]);
    spec.zone = "Europe/Londom".to_owned();
    let zone = Some("Mars/Base".to_owned());
    spec.practices = vec![
        Practice { zone, nation: None, hours: Some(WindowId(9)) },
        Practice::default(),
        Practice { hours: Some(WindowId(0)), ..Practice::default() },
    ];
    let over = |practice, window: Option<u32>, dates: &[&str]| Override {
        practice: PracticeId(practice),
        window: window.map(WindowId),
        dates: dates.iter().map(|dates| dates.parse().unwrap()).collect(),
        hours: Instead::Closed,
    };
    spec.overrides = vec![
        over(5, None, &["2026-01-01"]),
        over(1, None, &["2026-01-01"]),
        over(1, Some(9), &["2026-01-01"]),
        over(2, None, &[]),
        over(2, None, &["2026-01-10..2026-01-20"]),
        over(2, Some(0), &["2026-01-05..2026-01-12"]),
        over(2, Some(1), &["2026-01-05..2026-01-12"]),
    ];
    let said: Vec<_> = faults(spec).iter().map(Fault::to_string).collect();
    assert_eq!(
        said,
        [
            "there is no time zone `Europe/Londom`",
            "there is no time zone `Mars/Base`",
            "`a` names window-7, which is not there",
            "`b` names window-8, which is not there",
            "the hours of practice-0 are window-9, which is not there",
            "the override is of a practice or a window that is not there",
            "the override names no window, and practice-1 has no hours",
            "the override is of a practice or a window that is not there",
            "the override has no dates",
            "2026-01-10 is overridden twice",
        ]
    );
}

#[test]
fn a_circle_of_windows_is_named_once() {
    for (windows, names) in [
        (&["mon but:0"][..], "`a` -> `a`: a window cannot depend on itself"),
        (&["mon but:1", "tue but:0"], "`a` -> `b` -> `a`: a window cannot depend on itself"),
        (
            &["mon also:2", "tue also:0", "wed but:1"],
            "`a` -> `c` -> `b` -> `a`: a window cannot depend on itself",
        ),
        (&["mon but:1", "tue but:2", "wed but:1"], "`b` -> `c` -> `b`: a window cannot depend on itself"),
    ] {
        let said: Vec<_> = faults(london(windows)).iter().map(Fault::to_string).collect();
        assert_eq!(said, [names]);
    }
    assert!(Calendar::new(london(&["mon but:1 but:2", "tue but:2", "wed"])).is_ok());
}

#[test]
fn windows_that_lead_to_too_many_others_are_refused() {
    // Each names the one before twice, so that the ways double.
    let doubling = |count: u32| {
        let mut spec = london(&["mon"]);
        for before in 0..count {
            spec.windows.push(window("w", &format!("mon but:{before} also:{before}")));
        }
        spec
    };
    assert!(Calendar::new(doubling(7)).is_ok());
    assert_eq!(faults(doubling(8)).len(), 1);
    // A long chain, from either end.
    let chain = |step: i64| {
        let mut spec = london(&[]);
        for number in 0..100_000i64 {
            let next = number + step;
            let words =
                if (0..100_000).contains(&next) { format!("mon but:{next}") } else { "mon".to_owned() };
            spec.windows.push(window("w", &words));
        }
        spec
    };
    let too_many = |window| Fault::TooMany { window: WindowId(window), name: "w".to_owned() };
    assert_eq!(faults(chain(-1)), [too_many(256)]);
    assert!(faults(chain(1)).contains(&too_many(0)));
}
