#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const WINDOW: Duration = Duration::from_secs(1_200);

fn secs(secs: u64) -> Mono {
    Mono(secs * 1_000_000)
}

fn caller(number: u8) -> CallerKey {
    CallerKey([number; 16])
}

fn redials() -> Redials {
    Redials::new(WINDOW, 100)
}

#[test]
fn a_redial_within_the_window_gets_its_place_back_once() {
    let mut redials = redials();
    redials.abandoned(caller(1), secs(100), secs(160));
    assert!(redials.is_redial(caller(1), secs(200)));
    assert_eq!(redials.take(caller(1), secs(200)), Some(secs(100)));
    assert!(!redials.is_redial(caller(1), secs(200)));
    assert_eq!(redials.take(caller(1), secs(201)), None);
}

#[test]
fn the_place_is_forgotten_at_the_end_of_the_window_whenever_one_looks() {
    let mut redials = redials();
    redials.abandoned(caller(1), secs(100), secs(160));
    redials.abandoned(caller(2), secs(100), secs(161));
    assert!(!redials.is_redial(caller(1), secs(1_360)));
    assert!(redials.is_redial(caller(2), secs(1_360)));
    assert_eq!(redials.poll_timeout(), Some(secs(1_360)));
    assert_eq!(redials.take(caller(1), secs(1_360)), None);
    redials.handle_timeout(secs(1_361));
    assert!(redials.is_empty());
}

#[test]
fn what_another_line_kept_is_kept_as_long_as_there_and_the_older_place_counts() {
    let (mut here, mut gone) = (redials(), redials());
    here.abandoned(caller(1), secs(100), secs(160));
    here.abandoned(caller(2), secs(90), secs(300));
    gone.abandoned(caller(1), secs(110), secs(200));
    gone.abandoned(caller(2), secs(80), secs(250));
    gone.abandoned(caller(3), secs(120), secs(180));
    here.take_over(&mut gone);
    assert!(gone.is_empty() && gone.poll_timeout().is_none());
    assert_eq!(here.poll_timeout(), Some(secs(1_380)), "that of the third");
    assert_eq!(here.take(caller(3), secs(1_379)), Some(secs(120)));
    assert_eq!(here.take(caller(1), secs(1_399)), Some(secs(100)));
    assert_eq!(here.take(caller(2), secs(1_499)), Some(secs(80)));
    let (mut here, mut gone) = (Redials::new(WINDOW, 2), redials());
    here.abandoned(caller(1), secs(100), secs(160));
    gone.abandoned(caller(2), secs(100), secs(150));
    gone.abandoned(caller(3), secs(100), secs(170));
    here.take_over(&mut gone);
    assert_eq!((here.len(), here.is_redial(caller(2), secs(200))), (2, false), "it left first");
}

#[test]
fn six_hundred_and_seventy_three_redials_of_one_caller_are_one_entry_with_the_first_place() {
    let mut redials = redials();
    let mut place = secs(10);
    for redial in 1..=673 {
        redials.abandoned(caller(7), place, secs(10 + 5 * redial));
        assert_eq!(redials.len(), 1);
        place = redials.take(caller(7), secs(12 + 5 * redial)).unwrap();
    }
    assert_eq!((place, redials.len()), (secs(10), 0));
}

#[test]
fn a_second_call_beside_one_that_still_waits_gets_nothing() {
    let mut redials = redials();
    // The first call arrived at 10 s and waits still.
    assert_eq!(redials.take(caller(1), secs(60)), None);
    redials.abandoned(caller(1), secs(10), secs(70));
    assert_eq!(redials.take(caller(1), secs(80)), Some(secs(10)), "the first call is over");
}

#[test]
fn two_calls_given_up_keep_the_older_place() {
    let mut redials = redials();
    redials.abandoned(caller(1), secs(10), secs(70));
    redials.abandoned(caller(1), secs(60), secs(90));
    assert_eq!(redials.take(caller(1), secs(100)), Some(secs(10)));
}

#[test]
fn who_was_answered_has_no_claim_left() {
    let mut redials = redials();
    redials.abandoned(caller(1), secs(10), secs(70));
    redials.answered(caller(1));
    assert_eq!(redials.take(caller(1), secs(80)), None);
    assert_eq!(redials.poll_timeout(), None);
}

#[test]
fn a_full_table_forgets_who_left_first() {
    let mut redials = Redials::new(WINDOW, 2);
    redials.abandoned(caller(1), secs(1), secs(10));
    redials.abandoned(caller(2), secs(2), secs(11));
    redials.abandoned(caller(1), secs(3), secs(12));
    redials.abandoned(caller(3), secs(4), secs(13));
    assert_eq!(redials.take(caller(2), secs(14)), None);
    assert_eq!(redials.take(caller(1), secs(14)), Some(secs(1)));
    assert_eq!(redials.take(caller(3), secs(14)), Some(secs(4)));
}

#[test]
fn a_table_without_room_keeps_nothing() {
    let mut redials = Redials::new(WINDOW, 0);
    redials.abandoned(caller(1), secs(1), secs(10));
    assert!(redials.is_empty());
}

#[test]
fn a_key_is_text_in_json_and_bytes_elsewhere() {
    let key = CallerKey([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(json, "\"000102030405060708090a0b0c0d0eff\"");
    assert_eq!(serde_json::from_str::<CallerKey>(&json).unwrap(), key);
    assert_eq!(postcard::to_stdvec(&key).unwrap(), [&[16], &key.0[..]].concat());
    for bad in ["\"\"", "\"+00102030405060708090a0b0c0d0eff\"", "\"000102030405060708090a0b0c0d0ef\""] {
        assert!(serde_json::from_str::<CallerKey>(bad).is_err(), "{bad}");
    }
}

/// The slow way: every entry in order of leaving.
#[derive(Default)]
struct Model(VecDeque<(CallerKey, Mono, Mono)>);

impl Model {
    fn forget(&mut self, now: Mono, window: Duration) {
        self.0.retain(|&(_, _, left)| now < left + window);
    }

    fn remove(&mut self, caller: CallerKey) -> Option<Mono> {
        let at = self.0.iter().position(|&(key, ..)| key == caller)?;
        self.0.remove(at).map(|(_, arrived, _)| arrived)
    }
}

proptest! {
    #[test]
    fn the_table_agrees_with_the_slow_way(
        steps in proptest::collection::vec((0..4u8, 0..6u8, 0..40u64), 1..200),
        most in 1..5usize,
    ) {
        let window = Duration::from_micros(50);
        let mut redials = Redials::new(window, most);
        let mut model = Model::default();
        let mut now = Mono(1_000);
        for (step, number, pass) in steps {
            // One microsecond at least, so that who left first is never a matter of taste.
            now = now + Duration::from_micros(1 + pass);
            let key = caller(number);
            model.forget(now, window);
            match step {
                0 | 1 => {
                    let arrived = Mono(now.0 - pass);
                    let older = model.remove(key).unwrap_or(arrived);
                    model.0.push_back((key, arrived.min(older), now));
                    if model.0.len() > most {
                        model.0.pop_front();
                    }
                    redials.abandoned(key, arrived, now);
                }
                2 => prop_assert_eq!(redials.take(key, now), model.remove(key)),
                _ => {
                    model.remove(key);
                    redials.answered(key);
                    redials.handle_timeout(now);
                }
            }
            prop_assert_eq!(redials.len(), model.0.len());
            for number in 0..6 {
                let known = model.0.iter().any(|&(key, ..)| key == caller(number));
                prop_assert_eq!(redials.is_redial(caller(number), now), known);
            }
            let stored = serde_json::to_string(&redials).unwrap();
            redials = serde_json::from_str(&stored).unwrap();
        }
    }
}
