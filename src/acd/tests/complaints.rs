//! What users of other systems suffer, and must not suffer here.

use super::callers::not_theirs;
use super::*;

#[test]
fn no_agent_stays_reserved_after_its_call_is_over() {
    let endings: [fn(&mut Hub); 6] = [
        |hub| drop(hub.abandon(12, 1)),
        |hub| drop(hub.refuse(12, A, 1)),
        |hub| drop(hub.wake(10 + RING)),
        |hub| {
            hub.answer(12, A, 1);
            hub.finish(13, A, 1);
        },
        |hub| {
            hub.answer(12, A, 1);
            hub.abandon(13, 1);
        },
        |hub| {
            hub.answer(12, A, 1);
            hub.lose(13, A, 1);
        },
    ];
    for (number, end) in endings.into_iter().enumerate() {
        let mut hub = Hub::new(&[A]);
        hub.arrive(10, 1, ELM);
        end(&mut hub);
        let _ = hub.acd.handle(Input::Abandon { call: call(1) }, hub.at);
        hub.wake(200);
        assert_eq!(hub.state(A), Availability::Free, "ending {number}");
        assert_eq!(hub.arrive(201, 2, ELM), [present(2, A)], "ending {number}");
    }
}

#[test]
fn the_phone_stops_ringing_the_moment_the_caller_hangs_up() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.abandon(11, 1), [withdraw(1, A, Withdrawal::CallerGone)]);
    assert_eq!((hub.state(A), hub.acd.call_count(), hub.acd.poll_timeout()), (Availability::Free, 0, None));
}

#[test]
fn an_answer_that_crosses_the_callers_hang_up_is_refused() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.abandon(11, 1);
    assert_eq!(hub.refused(11, Input::Answer { agent: A, call: call(1) }), not_theirs(A, 1));
}

#[test]
fn two_agents_never_answer_one_call() {
    let mut hub = Hub::new(&[A, B, C]);
    assert_eq!(hub.arrive(10, 1, ELM), [present(1, A)], "one phone rings, the others stay free");
    assert_eq!(hub.wake(10 + RING), [withdraw(1, A, Withdrawal::RangOut), present(1, B)]);
    assert_eq!(hub.refused(31, Input::Answer { agent: A, call: call(1) }), not_theirs(A, 1), "too late");
    assert_eq!(hub.answer(32, B, 1), [connect(1, B)]);
    assert_eq!(hub.acd.stage(call(1)), Some(Stage::Talking(B)));
}

#[test]
fn one_callers_hang_up_stops_no_other_phone() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    hub.arrive(10, 2, ELM);
    assert_eq!(hub.abandon(11, 1), [withdraw(1, A, Withdrawal::CallerGone)]);
    assert_eq!(hub.state(B), Availability::Ringing(call(2)));
}

#[test]
fn no_refusal_of_any_kind_ends_the_callers_call() {
    for cause in [Cause::Busy, Cause::Rejected, Cause::NoAnswer, Cause::Unreachable, Cause::Failed] {
        let mut hub = Hub::new(&[A]);
        hub.arrive(10, 1, ELM);
        hub.at(11, Input::Refuse { agent: A, call: call(1), cause });
        assert_eq!(hub.waiting(ELM), [1]);
        assert_eq!(hub.log_in(12, B), [present(1, B)]);
    }
}

#[test]
fn a_free_agent_is_never_idle_while_a_caller_waits_after_a_rejection() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, OAK);
    hub.arrive(10, 2, OAK);
    hub.arrive(10, 3, OAK);
    assert_eq!(hub.refuse(11, A, 1), []);
    assert_eq!(hub.refuse(11, B, 2), []);
    assert_eq!(hub.wake(11 + REST), [present(1, A), present(2, B)]);
}

#[test]
fn agents_who_are_away_at_the_head_of_the_list_hold_nobody_up() {
    let mut hub = Hub::new(&[A, B, C]);
    hub.pause(10, A);
    hub.log_out(10, B);
    assert_eq!(hub.arrive(11, 1, ELM), [present(1, C)]);
}

#[test]
fn a_phone_that_never_answers_delays_each_caller_by_one_ring_at_most() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.wake(10 + RING), [withdraw(1, A, Withdrawal::RangOut), present(1, B)]);
    hub.answer(31, B, 1);
    hub.finish(32, B, 1);
    assert_eq!(hub.arrive(50, 2, ELM), [present(2, A)], "rested at 35 s, before B's wrap-up ended at 42 s");
    assert_eq!(hub.wake(50 + RING), [withdraw(2, A, Withdrawal::RangOut), present(2, B)]);
    hub.answer(71, B, 2);
    assert_eq!(hub.arrive(80, 3, ELM), [], "A is paused after two misses");
}

#[test]
fn wrap_up_lasts_its_full_time_whatever_arrives() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.finish(20, A, 1);
    assert_eq!(hub.emergency(21, 2, ELM), []);
    assert_eq!(hub.arrive(22, 3, OAK), []);
    assert_eq!(hub.wake(19 + WRAP_UP), []);
    assert_eq!(hub.state(A), Availability::WrapUp);
    assert_eq!(hub.wake(20 + WRAP_UP), [present(2, A)]);
}

#[test]
fn wrap_up_is_that_of_the_line_of_the_call() {
    let mut plan = plan();
    plan.lines[1].wrap_up = Duration::from_secs(90);
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(10, 1, OAK);
    hub.answer(11, A, 1);
    hub.finish(20, A, 1);
    assert_eq!(hub.acd.poll_timeout(), Some(secs(20 + 90)));
}

#[test]
fn ten_callers_are_served_in_the_order_in_which_they_came() {
    let mut plan = plan();
    plan.lines.iter_mut().for_each(|line| line.wrap_up = Duration::ZERO);
    let mut hub = Hub::with(plan, &[]);
    for number in 1..=10 {
        hub.arrive(10 + number, number, LineId(number as u32 % 2));
    }
    let mut orders = hub.log_in(30, A);
    for number in 1..=10 {
        assert_eq!(orders, [present(number, A)]);
        hub.answer(30 + number, A, number);
        orders = hub.finish(30 + number, A, number);
    }
    assert_eq!(orders, []);
}

#[test]
fn states_that_change_during_a_presentation_make_no_ring_loop() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.pause(11, B), []);
    assert_eq!(hub.resume(12, B), []);
    assert_eq!(hub.pause(13, A), [withdraw(1, A, Withdrawal::AgentGone), present(1, B)]);
    assert_eq!(hub.resume(14, A), [], "the caller is B's");
    assert_eq!(hub.refuse(15, B, 1), [present(1, A)]);
    assert_eq!(hub.refuse(15, A, 1), [], "both rest; no phone is rung again at once");
    assert_eq!(hub.wake(15 + REST), [present(1, A)]);
}

#[test]
fn a_long_line_neither_refuses_nor_delays_the_emergency_caller() {
    let mut hub = Hub::new(&[A]);
    for number in 1..=300 {
        hub.arrive(10, number, ELM);
    }
    let emergency = Newcomer::new(ELM, Band::EMERGENCY);
    assert_eq!(hub.acd.entry(&emergency, secs(11)), Entry::Join);
    assert_eq!(hub.emergency(11, 999, ELM), [withdraw(1, A, Withdrawal::Recalled), present(999, A)]);
    assert_eq!(hub.acd.position(call(999)), Some(1));
    assert_eq!(hub.acd.position(call(1)), Some(2), "in the original place");
}

#[test]
fn an_unplugged_phone_is_not_available() {
    let mut hub = Hub::new(&[A, B]);
    hub.at(10, Input::Reach { agent: A, reachable: false });
    assert_eq!(hub.state(A), Availability::Unreachable);
    assert_eq!(hub.arrive(11, 1, ELM), [present(1, B)]);
    hub.log_out(12, A);
    hub.log_in(13, A);
    assert_eq!(hub.state(A), Availability::Unreachable, "logging in does not plug it in");
    assert_eq!(hub.acd.facts(OAK).unwrap().agents_logged_in, 1);
}

#[test]
fn weights_starve_no_practice() {
    let mut plan = plan();
    plan.lines[0].wrap_up = Duration::ZERO;
    plan.teams[0].fair_share = Some(Shares::from([(PracticeId(0), 1_000)]));
    let mut hub = Hub::with(plan, &[]);
    for number in 0..2_100 {
        let practice = Some(PracticeId(u32::from(number >= 2_000)));
        let newcomer = Newcomer { practice, ..Newcomer::new(ELM, Band::ROUTINE) };
        hub.acd.handle(Input::Arrive { call: call(number), newcomer }, secs(10)).unwrap();
    }
    let mut orders = hub.log_in(20, A);
    let mut light = 0;
    for _ in 0..1_500 {
        let [Output::Present { call: taken, .. }] = orders[..] else { panic!("{orders:?}") };
        light += u64::from(taken.0 >= 2_000);
        hub.acd.handle(Input::Answer { agent: A, call: taken }, secs(21)).unwrap();
        hub.acd.handle(Input::Finish { agent: A, call: taken }, secs(21)).unwrap();
        orders = hub.orders();
        orders.retain(|output| matches!(output, Output::Present { .. }));
    }
    assert!(light >= 2, "one in a thousand and one");
}

#[test]
fn a_time_out_is_no_abandoned_call() {
    let mut plan = plan();
    plan.lines[0].max_wait = Some(Duration::from_secs(60));
    let mut hub = Hub::with(plan, &[]);
    hub.arrive(10, 1, ELM);
    let left = Output::Release { call: call(1), way: WayOut::Callback, why: Leaving::WaitedTooLong };
    assert_eq!(hub.wake(70), [left]);
    assert_eq!(hub.refused(71, Input::Abandon { call: call(1) }), Refused::UnknownCall(call(1)));
}

#[test]
fn a_position_is_told_at_once_in_the_longest_line() {
    let mut hub = Hub::new(&[]);
    for number in 0..50_000 {
        let newcomer = Newcomer::new(ELM, Band::ROUTINE);
        hub.acd.handle(Input::Arrive { call: call(number), newcomer }, secs(10)).unwrap();
    }
    for number in (0..50_000).step_by(7) {
        assert_eq!(hub.acd.position(call(number)), Some(number as usize + 1));
    }
}
