//! Emergencies: before everyone, on several phones at once, and on phones that ring for others.

use super::*;

fn parallel(most: u32, agents: &[AgentId]) -> Hub {
    let mut plan = plan();
    plan.lines.iter_mut().for_each(|line| line.emergency_parallel = most);
    plan.misses_before_pause = 1;
    Hub::with(plan, agents)
}

#[test]
fn takes_back_the_routine_presentation_that_has_rung_for_the_shortest_time() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, OAK);
    hub.arrive(15, 2, OAK);
    assert_eq!(hub.emergency(20, 3, OAK), [withdraw(2, B, Withdrawal::Recalled), present(3, B)]);
    assert_eq!(hub.waiting(OAK), [2], "in the original place");
    assert_eq!(hub.acd.poll_timeout(), Some(secs(10 + RING)));
    assert_eq!(hub.emergency(21, 4, OAK), [withdraw(1, A, Withdrawal::Recalled), present(4, A)]);
    assert_eq!(hub.emergency(22, 5, OAK), [], "no emergency takes back another");
    assert_eq!(hub.waiting(OAK), [5, 1, 2]);
}

#[test]
fn never_takes_back_what_was_answered_nor_a_phone_that_cannot_serve_it() {
    let mut hub = Hub::new(&[A, C]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.arrive(12, 2, ELM);
    assert_eq!(hub.emergency(13, 3, OAK), [], "A talks, C answers another line");
    assert_eq!(
        (hub.state(A), hub.state(C)),
        (Availability::Talking(call(1)), Availability::Ringing(call(2)))
    );
}

#[test]
fn a_recall_costs_the_agent_no_miss_and_the_caller_goes_to_whoever_is_free() {
    let mut plan = plan();
    plan.misses_before_pause = 1;
    let mut hub = Hub::with(plan, &[A, C]);
    hub.arrive(10, 1, ELM);
    hub.arrive(10, 2, ELM);
    hub.emergency(11, 3, OAK);
    hub.refuse(12, C, 2);
    assert_eq!(hub.state(C), Availability::Paused(PauseReason::Missed(Cause::Busy)));
    assert_eq!(hub.state(A), Availability::Ringing(call(3)));
    hub.abandon(13, 3);
    assert_eq!(hub.state(A), Availability::Ringing(call(1)), "the earliest of those who waited");
}

#[test]
fn a_miss_of_the_emergency_takes_back_the_next() {
    let mut hub = Hub::new(&[A, B]);
    hub.emergency(10, 1, OAK);
    hub.arrive(11, 2, OAK);
    let taken = [withdraw(2, B, Withdrawal::Recalled), present(1, B)];
    assert_eq!(hub.refuse(12, A, 1), taken);
}

#[test]
fn rings_several_at_once_and_one_wins() {
    let mut hub = parallel(2, &[A, B, C]);
    assert_eq!(hub.emergency(10, 1, ELM), [present(1, A), present(1, B)]);
    assert_eq!(hub.acd.rung(call(1)), [A, B]);
    assert_eq!(hub.answer(12, B, 1), [connect(1, B), withdraw(1, A, Withdrawal::AnsweredElsewhere)]);
    assert_eq!(hub.state(A), Availability::Free, "no miss is counted");
    assert_eq!(hub.arrive(13, 2, OAK), [present(2, A)], "nor a turn lost");
}

#[test]
fn one_refusal_brings_another_phone_and_the_rest_ring_on() {
    let mut hub = parallel(2, &[A, B, C]);
    hub.emergency(10, 1, ELM);
    assert_eq!(hub.refuse(11, A, 1), [present(1, C)]);
    assert_eq!(hub.acd.rung(call(1)), [B, C]);
    assert_eq!(hub.refuse(12, B, 1), []);
    assert_eq!(hub.acd.stage(call(1)), Some(Stage::Presented));
    assert_eq!(hub.refuse(13, C, 1), []);
    assert_eq!(hub.acd.stage(call(1)), Some(Stage::Waiting));
}

#[test]
fn a_hang_up_stops_every_phone() {
    let mut hub = parallel(3, &[A, B, C]);
    hub.emergency(10, 1, ELM);
    let gone = |agent| withdraw(1, agent, Withdrawal::CallerGone);
    assert_eq!(hub.abandon(11, 1), [gone(A), gone(B), gone(C)]);
}

#[test]
fn all_ring_out_at_one_deadline() {
    let mut hub = parallel(2, &[A, B]);
    hub.emergency(10, 1, OAK);
    let rang_out = |agent| withdraw(1, agent, Withdrawal::RangOut);
    assert_eq!(hub.wake(10 + RING), [rang_out(A), rang_out(B)]);
    assert_eq!(hub.waiting(OAK), [1]);
}

#[test]
fn whoever_becomes_free_rings_too_but_first_for_an_emergency_that_rings_nowhere() {
    let mut hub = parallel(2, &[A]);
    hub.arrive(9, 9, OAK);
    hub.answer(9, A, 9);
    hub.emergency(10, 1, OAK);
    hub.emergency(11, 2, OAK);
    hub.arrive(11, 3, OAK);
    assert_eq!(hub.log_in(12, B), [present(1, B)]);
    hub.finish(13, A, 9);
    assert_eq!(hub.wake(13 + WRAP_UP), [present(2, A)]);
    hub.answer(24, A, 2);
    hub.finish(25, A, 2);
    assert_eq!(hub.wake(25 + WRAP_UP), [withdraw(1, B, Withdrawal::RangOut), present(1, A)]);
    assert_eq!(hub.waiting(OAK), [3]);
}

#[test]
fn ten_thousand_routine_callers_delay_no_emergency() {
    let mut hub = Hub::new(&[]);
    for number in 1..=10_000 {
        hub.acd
            .handle(
                Input::Arrive { call: call(number), newcomer: Newcomer::new(OAK, Band::ROUTINE) },
                secs(10),
            )
            .unwrap();
    }
    hub.emergency(20, 0, OAK);
    assert_eq!(hub.acd.position(call(0)), Some(1));
    assert_eq!(hub.log_in(21, A), [present(0, A)]);
}
