#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const CALL: CallId = CallId(1);

fn secs(secs: u64) -> Mono {
    Mono(secs * 1_000_000)
}

/// First after 10 s, then every 40 s.
fn schedule() -> Schedule {
    Schedule {
        first: Duration::from_secs(10),
        every: Duration::from_secs(40),
        position: true,
        estimate: true,
        offer_again: 3,
    }
}

fn at(position: u32) -> Facts {
    Facts { position: Some(position), ..Facts::default() }
}

fn within(likely: u64, at_most: u64) -> Facts {
    let range = Range { likely: Duration::from_secs(likely), at_most: Duration::from_secs(at_most) };
    Facts { estimate: Some(range), ..Facts::default() }
}

/// One caller who joined at 0 s.
struct Ear(Announcer);

impl Ear {
    fn new(schedule: Schedule) -> Ear {
        let mut announcer = Announcer::default();
        announcer.join(CALL, schedule, secs(0));
        Ear(announcer)
    }

    fn hears(&mut self, second: u64, facts: Facts) -> Vec<What> {
        self.0.handle_timeout(secs(second), |_| facts);
        let heard = self.0.poll_output().map(|announcement| announcement.what);
        assert_eq!(self.0.poll_output(), None);
        heard.unwrap_or_default()
    }
}

#[test]
fn the_first_comes_after_its_time_and_the_others_in_step() {
    let mut ear = Ear::new(schedule());
    assert_eq!(ear.hears(9, at(5)), []);
    assert_eq!(ear.hears(10, at(5)), [What::Position(5)]);
    assert_eq!(ear.hears(10, at(5)), []);
    assert_eq!(ear.0.poll_timeout(), Some(secs(50)));
    assert_eq!(ear.hears(50, at(4)), [What::Position(4)]);
    assert_eq!(ear.0.poll_timeout(), Some(secs(90)));
}

#[test]
fn a_late_wake_brings_one_announcement_and_keeps_step() {
    let mut ear = Ear::new(schedule());
    assert_eq!(ear.hears(135, at(5)), [What::Position(5)]);
    assert_eq!(ear.0.poll_timeout(), Some(secs(170)));
    assert_eq!(ear.hears(171, at(5)), [What::Position(5)]);
    assert_eq!(ear.0.poll_timeout(), Some(secs(210)));
}

#[test]
fn without_a_step_there_is_only_the_first() {
    let mut ear = Ear::new(Schedule { every: Duration::ZERO, ..schedule() });
    assert_eq!(ear.hears(10, at(5)), [What::Position(5)]);
    assert_eq!(ear.0.poll_timeout(), None);
    ear.0.hasten(CALL, secs(60));
    assert_eq!(ear.hears(60, at(2)), [What::Position(2)]);
    assert_eq!(ear.0.poll_timeout(), None);
}

#[test]
fn a_position_that_rose_is_not_told() {
    let mut ear = Ear::new(schedule());
    assert_eq!(ear.hears(10, at(5)), [What::Position(5)]);
    assert_eq!(ear.hears(50, at(6)), [], "an emergency went first");
    assert_eq!(ear.hears(90, at(5)), [What::Position(5)]);
    assert_eq!(ear.hears(130, at(3)), [What::Position(3)]);
    assert_eq!(ear.hears(170, at(4)), []);
}

#[test]
fn a_wait_is_told_in_minutes_that_hold_the_whole_range() {
    for (likely, at_most, from, to) in
        [(0, 1, 0, 1), (59, 60, 0, 1), (60, 61, 1, 2), (119, 240, 1, 4), (130, 241, 2, 5)]
    {
        let mut ear = Ear::new(schedule());
        assert_eq!(ear.hears(10, within(likely, at_most)), [What::Wait { from, to }]);
    }
}

#[test]
fn a_wait_that_would_end_later_than_was_told_is_not_told() {
    let mut ear = Ear::new(schedule());
    assert_eq!(ear.hears(10, within(120, 300)), [What::Wait { from: 2, to: 5 }]);
    assert_eq!(ear.hears(50, within(120, 300)), [], "five minutes were told forty seconds ago");
    assert_eq!(ear.hears(90, within(100, 210)), [], "four minutes would end at 330 s, not 310 s");
    assert_eq!(ear.hears(130, within(60, 180)), [What::Wait { from: 1, to: 3 }]);
    assert_eq!(ear.hears(330, within(1, 2)), [], "the time told has passed");
}

#[test]
fn positions_and_waits_are_told_only_where_the_line_wants_it() {
    let facts = Facts { position: Some(1), ..within(60, 120) };
    let mut ear = Ear::new(Schedule { position: false, ..schedule() });
    assert_eq!(ear.hears(10, facts), [What::Wait { from: 1, to: 2 }]);
    let mut ear = Ear::new(Schedule { estimate: false, ..schedule() });
    assert_eq!(ear.hears(10, facts), [What::Position(1)]);
}

#[test]
fn a_callback_is_offered_once_and_again_with_each_third_announcement() {
    let mut ear = Ear::new(schedule());
    let offer = Facts { offer: true, ..Facts::default() };
    let offered: Vec<bool> = (0..8)
        .map(|number| !ear.hears(10 + 40 * number, if number == 0 { at(1) } else { offer }).is_empty())
        .collect();
    // The first says the position only.
    assert_eq!(offered, [true, true, false, false, true, false, false, true]);
    let mut ear = Ear::new(Schedule { offer_again: 0, ..schedule() });
    let offers: usize = (0..8).map(|number| ear.hears(10 + 40 * number, offer).len()).sum();
    assert_eq!(offers, 1);
}

#[test]
fn a_rule_that_begins_is_heard_at_once_and_the_others_keep_step_but_do_not_crowd() {
    let mut ear = Ear::new(schedule());
    ear.0.hasten(CALL, secs(2));
    assert_eq!(ear.hears(2, Facts { offer: true, ..Facts::default() }), [What::Offer]);
    assert_eq!(ear.0.poll_timeout(), Some(secs(50)), "ten seconds would be a crowd");
    ear.0.hasten(CALL, secs(25));
    assert_eq!(ear.hears(25, at(3)), [What::Position(3)]);
    assert_eq!(ear.0.poll_timeout(), Some(secs(50)));
    assert_eq!(ear.hears(50, at(3)), [What::Position(3)]);
    ear.0.hasten(CALL, secs(80));
    assert_eq!(ear.hears(80, at(3)), [What::Position(3)]);
    assert_eq!(ear.0.poll_timeout(), Some(secs(130)));
}

#[test]
fn who_was_answered_or_has_left_hears_nothing_more() {
    let mut ear = Ear::new(schedule());
    ear.0.handle_timeout(secs(10), |_| at(1));
    ear.0.answered(CALL);
    assert_eq!(ear.0.poll_output(), None, "what was not yet said");
    ear.0.hasten(CALL, secs(20));
    assert_eq!(ear.0.poll_timeout(), None);
    ear.0.end(CALL);
    assert!(ear.0.is_empty());
    ear.0.hasten(CALL, secs(20));
    assert_eq!(ear.0.poll_timeout(), None);
}

#[test]
fn who_comes_back_from_a_lost_talk_is_told_nothing_that_takes_back_what_was_said() {
    let mut ear = Ear::new(schedule());
    assert_eq!(ear.hears(10, at(2)), [What::Position(2)]);
    ear.0.answered(CALL);
    ear.0.join(CALL, Schedule { position: false, ..schedule() }, secs(60));
    assert_eq!(ear.0.poll_timeout(), Some(secs(90)));
    assert_eq!(ear.hears(90, at(3)), []);
    assert_eq!(ear.hears(130, at(1)), [What::Position(1)]);
    ear.0.join(CALL, schedule(), secs(131));
    assert_eq!(ear.0.poll_timeout(), Some(secs(170)), "to join twice moves nothing");
}

#[test]
fn ten_thousand_who_wait_are_told_in_order_of_their_time() {
    let mut announcer = Announcer::default();
    for number in 0..10_000 {
        announcer.join(CallId(number), schedule(), Mono(10_000 - number));
    }
    announcer.handle_timeout(secs(60), |call| at(call.0 as u32 + 1));
    let calls: Vec<u64> = std::iter::from_fn(|| announcer.poll_output()).map(|said| said.call.0).collect();
    assert!(calls.into_iter().eq((0..10_000).rev()));
    assert_eq!((announcer.len(), announcer.due.len()), (10_000, 10_000));
    (0..10_000).for_each(|number| announcer.end(CallId(number)));
    assert!(announcer.is_empty() && announcer.poll_timeout().is_none());
}

proptest! {
    #[test]
    fn no_caller_ever_hears_a_position_rise_or_a_wait_grow(
        steps in proptest::collection::vec((0..6u8, 0..3u64, 0..90u64, 1..9u32, 0..2_000u64), 1..200),
    ) {
        let mut announcer = Announcer::default();
        let mut now = secs(0);
        let mut positions = BTreeMap::new();
        let mut ends = BTreeMap::new();
        let mut waiting = BTreeMap::new();
        for (step, call, pass, position, wait) in steps {
            now = now + Duration::from_secs(pass);
            let call = CallId(call);
            match step {
                0 => {
                    announcer.join(call, schedule(), now);
                    waiting.insert(call, ());
                }
                1 => {
                    announcer.answered(call);
                    waiting.remove(&call);
                }
                2 => announcer.hasten(call, now),
                _ => announcer.handle_timeout(now, |_| Facts {
                    position: Some(position),
                    offer: true,
                    ..within(wait / 2, wait)
                }),
            }
            announcer = serde_json::from_str(&serde_json::to_string(&announcer).unwrap()).unwrap();
            while let Some(Announcement { call, what }) = announcer.poll_output() {
                prop_assert!(waiting.contains_key(&call) && !what.is_empty());
                for what in what {
                    match what {
                        What::Position(position) => {
                            prop_assert!(positions.insert(call, position).is_none_or(|told| position <= told));
                        }
                        What::Wait { from, to } => {
                            let end = now + Duration::from_secs(60 * u64::from(to));
                            prop_assert!(from <= to && ends.insert(call, end).is_none_or(|told| end <= told));
                        }
                        What::Offer => {}
                    }
                }
            }
            prop_assert!(announcer.poll_timeout().is_none_or(|due| due > now) || step < 3);
        }
    }
}
