//! The calendar and the slow reading agree, from 2020 to 2035.

use super::slow::{Slow, day};
use super::*;
use crate::rng::Rng;

const PRACTICES: [Option<PracticeId>; 5] =
    [None, Some(PracticeId(0)), Some(PracticeId(1)), Some(PracticeId(2)), Some(PracticeId(3))];

fn wall(minute: i64) -> Wall {
    Wall(minute * 60_000)
}

fn windows(spec: &Spec) -> impl Iterator<Item = WindowId> + use<> {
    (0u32..).map(WindowId).take(spec.windows.len())
}

#[test]
fn every_quarter_of_an_hour_from_2020_to_2035_is_read_alike() {
    let spec = hub();
    let (calendar, slow) = (Calendar::new(spec.clone()).unwrap(), Slow::new(spec));
    for window in [0, 4, 9].map(WindowId) {
        let mut hours = calendar.at(window, None, wall(day(2020, 1, 1) * 1440));
        for minute in (day(2020, 1, 1) * 1440..day(2036, 1, 1) * 1440).step_by(15) {
            let at = wall(minute);
            if hours.until <= at {
                hours = calendar.at(window, None, at);
            }
            let open = slow.is_open(window, None, minute);
            assert_eq!(calendar.covers(window, None, at), open, "{window} at {at:?}");
            assert_eq!(hours.open, open, "{window} at {at:?}, as known before");
        }
    }
}

#[test]
fn every_change_from_2020_to_2035_is_found_to_the_millisecond() {
    let spec = hub();
    let (calendar, slow) = (Calendar::new(spec.clone()).unwrap(), Slow::new(spec.clone()));
    for window in windows(&spec) {
        let practice = PRACTICES[window.index() % PRACTICES.len()];
        let (mut at, end) = (wall(day(2020, 1, 1) * 1440), wall(day(2036, 1, 1) * 1440));
        let mut changes = 0;
        while let Some(change) = calendar.next_change(window, practice, at).filter(|&change| change < end) {
            let minute = change.0 / 60_000;
            assert_eq!(change, wall(minute), "{window}: {change:?} is no whole minute");
            let open = calendar.covers(window, practice, change);
            for near in minute - 2..minute {
                assert_eq!(slow.is_open(window, practice, near), !open, "{window} before {change:?}");
            }
            for near in minute..minute + 2 {
                let read = slow.is_open(window, practice, near);
                assert_eq!(read, calendar.covers(window, practice, wall(near)), "{window} after {change:?}");
            }
            assert_eq!(slow.is_open(window, practice, minute), open, "{window} at {change:?}");
            assert_eq!(calendar.covers(window, practice, Wall(change.0 - 1)), !open, "{window}: {change:?}");
            (at, changes) = (change, changes + 1);
        }
        assert!(changes > 1 || window == WindowId(5) || window == WindowId(6), "{window}: {changes}");
    }
}

#[test]
fn every_minute_about_the_changes_of_the_clocks_is_read_alike() {
    let spec = hub();
    let (calendar, slow) = (Calendar::new(spec.clone()).unwrap(), Slow::new(spec.clone()));
    let sundays = [(2026, 3, 29), (2026, 10, 25), (2027, 3, 28), (2027, 10, 31)];
    for (year, month, date) in sundays {
        let sunday = day(year, month, date) * 1440;
        for practice in PRACTICES {
            for (window, minute) in windows(&spec).flat_map(|w| (-180..420).map(move |m| (w, sunday + m))) {
                let open = slow.is_open(window, practice, minute);
                assert_eq!(calendar.covers(window, practice, wall(minute)), open, "{window} {minute}");
            }
        }
    }
}

#[test]
fn random_calendars_are_read_alike_at_random_instants() {
    for seed in 0..80u8 {
        let mut rng = Rng::new([seed; 32]);
        let spec = random(&mut rng);
        let (calendar, slow) = (Calendar::new(spec.clone()).unwrap(), Slow::new(spec.clone()));
        for _ in 0..20 {
            let window = WindowId(below(&mut rng, spec.windows.len() as u64) as u32);
            let practice = PRACTICES[below(&mut rng, PRACTICES.len() as u64) as usize];
            let date = interesting_day(&mut rng);
            let minute = date * 1440 + below(&mut rng, 1440) as i64;
            let at = Wall(minute * 60_000 + below(&mut rng, 60_000) as i64);
            let what = format!("seed {seed}, {window}, {practice:?}, {at:?}: {:?}", spec.windows);
            let open = slow.is_open(window, practice, minute);
            let hours = calendar.at(window, practice, at);
            assert_eq!(calendar.covers(window, practice, at), open, "{what}");
            assert_eq!(calendar.why(window, practice, at).is_open(), open, "{what}");
            assert_eq!(hours.open, open, "{what}");
            assert!(hours.until > at && hours.until <= at + ASK_AGAIN, "{what}");
            let lasts =
                (minute + 1..hours.until.0 / 60_000).all(|m| slow.is_open(window, practice, m) == open);
            assert!(lasts, "{what}: not until {:?}", hours.until);
            if hours.until < at + ASK_AGAIN {
                let after = slow.is_open(window, practice, hours.until.0 / 60_000);
                assert_ne!(after, open, "{what}: no change at {:?}", hours.until);
                assert_eq!(calendar.next_change(window, practice, at), Some(hours.until), "{what}");
            }
        }
    }
}

fn below(rng: &mut Rng, bound: u64) -> u64 {
    rng.bits() % bound
}

/// Often a day about a change of the clocks, a leap day or a new year.
fn interesting_day(rng: &mut Rng) -> i64 {
    let year = 2020 + below(rng, 16) as i64;
    let near = below(rng, 4) as i64 - 2;
    match below(rng, 5) {
        0 => day(year, 3, 25 + below(rng, 7) as i64),
        1 => day(year, 10, 25 + below(rng, 7) as i64),
        2 => day(year, 3, 1) + near,
        3 => day(year, 12, 26) + near * 3,
        _ => day(year, 1, 1) + below(rng, 365) as i64,
    }
}

fn random_date(rng: &mut Rng) -> Dates {
    let first = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(interesting_day(rng)));
    let days = below(rng, 4).saturating_sub(1) * below(rng, 40);
    Dates::new(first, first.saturating_add(jiff::Span::new().days(days as i64))).unwrap()
}

fn random_time(rng: &mut Rng) -> Option<TimeOfDay> {
    let hour = if below(rng, 2) == 0 { below(rng, 4) } else { below(rng, 24) };
    let minute = if below(rng, 2) == 0 { 0 } else { below(rng, 60) };
    (below(rng, 6) > 0).then(|| format!("{hour:02}:{minute:02}").parse().unwrap())
}

fn random_occasions(rng: &mut Rng, windows: u64) -> Vec<Occasion> {
    let mut occasions = Vec::new();
    for _ in 0..below(rng, 3) {
        occasions.push(match below(rng, 3) {
            0 => Occasion::BankHolidays,
            1 if windows > 0 => Occasion::Window(WindowId(below(rng, windows) as u32)),
            _ => Occasion::Dates(random_date(rng)),
        });
    }
    occasions
}

fn random(rng: &mut Rng) -> Spec {
    let mut spec = hub();
    spec.windows.clear();
    for number in 0..4 {
        let mut window = Window { name: format!("w{number}"), ..Window::default() };
        (window.from, window.to) = (random_time(rng), random_time(rng));
        for day in Weekday::ALL.into_iter().filter(|_| below(rng, 2) == 0) {
            window.days.insert(day);
        }
        if below(rng, 3) == 0 {
            window.months.extend(Month::ALL.into_iter().filter(|_| below(rng, 2) == 0));
        }
        for _ in 0..below(rng, 4).saturating_sub(2) * 3 {
            window.dates.push(random_date(rng));
        }
        window.except = random_occasions(rng, number);
        window.include = random_occasions(rng, number);
        spec.windows.push(window);
    }
    spec.overrides.clear();
    for practice in [1, 3].map(PracticeId) {
        let hours = match below(rng, 3) {
            0 => Instead::Closed,
            _ => Instead::Open { from: random_time(rng), to: random_time(rng) },
        };
        let window = Some(WindowId(below(rng, 4) as u32));
        spec.overrides.push(Override { practice, window, dates: vec![random_date(rng)], hours });
    }
    spec
}
