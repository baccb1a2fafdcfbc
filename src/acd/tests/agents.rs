//! What becomes of an agent, step by step.

use super::callers::not_theirs;
use super::*;

fn missed(cause: Cause) -> Availability {
    Availability::Paused(PauseReason::Missed(cause))
}

fn paused() -> Availability {
    Availability::Paused(PauseReason::Chosen("tea".into()))
}

#[test]
fn a_finished_talk_leads_through_wrap_up_to_the_next_caller() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.arrive(12, 2, ELM);
    assert_eq!(hub.finish(40, A, 1), []);
    assert_eq!(hub.state(A), Availability::WrapUp);
    assert_eq!(hub.wake(40 + WRAP_UP), [present(2, A)]);
}

#[test]
fn without_wrap_up_the_next_caller_is_presented_in_the_same_step() {
    let mut plan = plan();
    plan.lines[0].wrap_up = Duration::ZERO;
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.arrive(12, 2, ELM);
    assert_eq!(hub.finish(40, A, 1), [present(2, A)]);
}

#[test]
fn idleness_counts_from_the_end_of_wrap_up() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.arrive(12, 2, ELM);
    hub.answer(13, B, 2);
    hub.finish(20, B, 2);
    hub.finish(21, A, 1);
    hub.wake(40);
    assert_eq!(hub.arrive(41, 3, ELM), [present(3, B)]);
}

#[test]
fn a_late_wake_frees_the_agent_at_the_time_that_wrap_up_ended() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.finish(20, A, 1);
    hub.arrive(25, 2, ELM);
    hub.answer(26, B, 2);
    hub.finish(27, B, 2);
    hub.wake(500);
    let since: Vec<_> = hub.acd.agents().take(2).map(|(_, state, since)| (state, since)).collect();
    let free_at = |second| (Availability::Free, secs(second));
    assert_eq!(since, [free_at(20 + WRAP_UP), free_at(27 + WRAP_UP)]);
    assert_eq!(hub.arrive(501, 3, ELM), [present(3, A)]);
}

#[test]
fn a_late_wake_rings_through_the_agents_as_timely_wakes_would() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    let outputs = hub.wake(10 + 2 * RING + 1);
    let rang_out = |agent| withdraw(1, agent, Withdrawal::RangOut);
    assert_eq!(outputs, [rang_out(A), present(1, B), rang_out(B), present(1, A)]);
    assert_eq!(hub.acd.poll_timeout(), Some(secs(10 + 2 * RING + REST)), "B's rest ends first");
}

#[test]
fn an_agent_rests_after_a_miss() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.refuse(11, A, 1), []);
    assert_eq!(hub.state(A), Availability::Resting);
    assert_eq!(hub.wake(10 + REST), []);
    assert_eq!(hub.wake(11 + REST), [present(1, A)]);
}

#[test]
fn without_a_rest_other_free_agents_still_come_first() {
    let mut plan = plan();
    plan.rest = Rests::default();
    plan.misses_before_pause = 0;
    let mut hub = Hub::with(plan, &[A, B]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.refuse(11, A, 1), [present(1, B)]);
    assert_eq!(hub.state(A), Availability::Free);
    hub.arrive(12, 2, ELM);
    assert_eq!(hub.refuse(13, A, 2), [present(2, A)], "there is nobody else");
}

#[test]
fn too_many_misses_in_a_row_pause_the_agent_with_the_last_cause() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.wake(10 + RING);
    hub.wake(10 + RING + REST);
    assert_eq!(hub.refuse(37, A, 1), []);
    assert_eq!(hub.state(A), missed(Cause::Busy));
    assert_eq!(hub.acd.poll_timeout(), Some(secs(37 + MISS_PAUSE)));
}

#[test]
fn a_pause_for_misses_ends_by_itself_and_the_row_goes_on() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.refuse(11, A, 1);
    hub.wake(11 + REST);
    hub.refuse(17, A, 1);
    assert_eq!(hub.wake(17 + MISS_PAUSE), [present(1, A)]);
    hub.refuse(80, A, 1);
    assert_eq!(hub.state(A), missed(Cause::Busy), "one more miss is enough");
}

#[test]
fn a_pause_for_misses_without_an_end_lasts_until_resumed() {
    let mut plan = plan();
    plan.misses_before_pause = 1;
    plan.miss_pause = Duration::ZERO;
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(10, 1, ELM);
    hub.refuse(11, A, 1);
    assert_eq!(hub.acd.poll_timeout(), None);
    assert_eq!(hub.wake(1_000_000), []);
    assert_eq!(hub.state(A), missed(Cause::Busy));
    assert_eq!(hub.resume(1_000_001, A), [present(1, A)]);
}

#[test]
fn an_answer_ends_the_row_of_misses() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.refuse(11, A, 1);
    hub.wake(16);
    hub.answer(17, A, 1);
    hub.finish(20, A, 1);
    hub.arrive(31, 2, ELM);
    hub.refuse(32, A, 2);
    assert_eq!(hub.state(A), Availability::Resting);
}

#[test]
fn a_resumption_by_hand_ends_the_row_of_misses() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.refuse(11, A, 1);
    hub.wake(16);
    hub.refuse(17, A, 1);
    hub.resume(18, A);
    hub.refuse(19, A, 1);
    assert_eq!(hub.state(A), Availability::Resting);
}

#[test]
fn misses_never_pause_when_the_plan_says_so() {
    let mut plan = plan();
    plan.misses_before_pause = 0;
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(10, 1, ELM);
    for round in 0..50 {
        hub.refuse(11 + round * REST, A, 1);
        assert_eq!(hub.state(A), Availability::Resting);
        assert_eq!(hub.wake(11 + (round + 1) * REST), [present(1, A)]);
    }
}

#[test]
fn a_lost_talk_counts_as_a_miss_of_an_unreachable_phone() {
    let mut plan = plan();
    plan.misses_before_pause = 1;
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.lose(12, A, 1);
    assert_eq!(hub.state(A), missed(Cause::Unreachable));
}

#[test]
fn a_caller_gone_while_ringing_costs_the_agent_neither_turn_nor_miss() {
    let mut plan = plan();
    plan.misses_before_pause = 1;
    let mut hub = Hub::with(plan, &[A, B]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.abandon(15, 1), [withdraw(1, A, Withdrawal::CallerGone)]);
    assert_eq!(hub.arrive(16, 2, ELM), [present(2, A)], "A is still the longest idle");
}

#[test]
fn a_caller_gone_while_ringing_makes_way_for_the_next_caller_at_once() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.arrive(11, 2, OAK);
    assert_eq!(hub.abandon(15, 1), [withdraw(1, A, Withdrawal::CallerGone), present(2, A)]);
    assert_eq!(hub.acd.poll_timeout(), Some(secs(15 + RING)), "the next caller gets the full ring");
}

#[test]
fn logging_out_or_pausing_while_ringing_withdraws_and_tries_the_next_agent() {
    let mut hub = Hub::new(&[A, B, C]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.log_out(11, A), [withdraw(1, A, Withdrawal::AgentGone), present(1, B)]);
    assert_eq!(hub.state(A), Availability::LoggedOut);
    assert_eq!(hub.pause(12, B), [withdraw(1, B, Withdrawal::AgentGone), present(1, C)]);
    assert_eq!(hub.state(B), paused());
    assert_eq!(hub.acd.poll_timeout(), Some(secs(12 + RING)));
}

#[test]
fn logging_out_or_pausing_in_a_talk_waits_for_its_end() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    hub.arrive(10, 2, ELM);
    hub.answer(11, A, 1);
    hub.answer(11, B, 2);
    assert_eq!(hub.log_out(12, A), []);
    assert_eq!(hub.pause(12, B), []);
    assert_eq!(hub.state(A), Availability::Talking(call(1)));
    assert_eq!(hub.state(B), Availability::Talking(call(2)));
    hub.finish(20, A, 1);
    hub.lose(20, B, 2);
    assert_eq!(hub.state(A), Availability::LoggedOut);
    assert_eq!(hub.state(B), paused());
    assert_eq!((hub.waiting(ELM), hub.acd.poll_timeout()), (vec![2], None));
}

#[test]
fn a_wish_made_in_a_talk_can_be_taken_back() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.pause(12, A);
    hub.resume(13, A);
    hub.log_out(14, A);
    hub.log_in(15, A);
    hub.finish(20, A, 1);
    assert_eq!(hub.state(A), Availability::WrapUp);
}

#[test]
fn logging_out_in_a_talk_outranks_a_pause() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.pause(12, A);
    hub.log_out(13, A);
    let pause = Input::Pause { agent: A, reason: PauseReason::Chosen("tea".into()) };
    assert_eq!(hub.refused(14, pause), Refused::WrongState(A));
    assert_eq!(hub.refused(14, Input::Resume { agent: A }), Refused::WrongState(A));
    hub.finish(20, A, 1);
    assert_eq!(hub.state(A), Availability::LoggedOut);
}

#[test]
fn an_agent_who_resumes_or_logs_in_gets_the_next_caller_at_once() {
    let mut hub = Hub::new(&[A]);
    hub.pause(10, A);
    assert_eq!(hub.arrive(11, 1, ELM), []);
    assert_eq!(hub.resume(12, A), [present(1, A)]);
    assert_eq!(hub.arrive(13, 2, ELM), []);
    assert_eq!(hub.log_in(14, B), [present(2, B)]);
}

#[test]
fn a_chosen_pause_takes_the_place_of_one_for_misses() {
    let mut plan = plan();
    plan.misses_before_pause = 1;
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(10, 1, ELM);
    hub.refuse(11, A, 1);
    hub.pause(12, A);
    assert_eq!((hub.wake(1_000), hub.state(A)), (vec![], paused()));
}

#[test]
fn an_answer_refusal_finish_or_loss_by_the_wrong_agent_is_refused() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    for (agent, number) in [(B, 1), (A, 2), (C, 1)] {
        let call = call(number);
        for input in [
            Input::Answer { agent, call },
            Input::Refuse { agent, call, cause: Cause::Rejected },
            Input::Finish { agent, call },
            Input::Lose { agent, call },
        ] {
            assert_eq!(hub.refused(11, input), not_theirs(agent, number));
        }
    }
    assert_eq!(hub.refused(11, Input::Finish { agent: A, call: call(1) }), not_theirs(A, 1));
    hub.answer(12, A, 1);
    assert_eq!(hub.refused(13, Input::Answer { agent: A, call: call(1) }), not_theirs(A, 1));
}

#[test]
fn an_input_that_does_not_fit_the_agents_state_is_refused() {
    let mut hub = Hub::new(&[A]);
    assert_eq!(hub.refused(10, Input::LogIn { agent: A }), Refused::WrongState(A));
    assert_eq!(hub.refused(10, Input::Resume { agent: A }), Refused::WrongState(A));
    assert_eq!(hub.refused(10, Input::LogOut { agent: B }), Refused::WrongState(B));
    assert_eq!(hub.refused(10, Input::Resume { agent: B }), Refused::WrongState(B));
    let pause = Input::Pause { agent: B, reason: PauseReason::Chosen("tea".into()) };
    assert_eq!(hub.refused(10, pause), Refused::WrongState(B));
}

#[test]
fn members_and_teams_named_twice_or_not_in_the_plan_do_no_harm() {
    let mut plan = plan();
    plan.lines[0].teams = vec![TeamId(0), TeamId(0), TeamId(77)];
    plan.teams[0].agents = vec![A, A, AgentId(99), B];
    let mut hub = Hub::with(plan, &[A]);
    assert_eq!(hub.arrive(10, 1, ELM), [present(1, A)]);
    assert_eq!(hub.refuse(11, A, 1), []);
    assert_eq!(hub.wake(11 + REST), [present(1, A)]);
}

#[test]
fn a_plan_without_ringing_time_or_rest_cannot_ring_for_ever_in_one_wake() {
    let mut plan = plan();
    plan.lines[0].ring_for = Duration::ZERO;
    plan.rest = Rests::default();
    plan.misses_before_pause = 0;
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.wake(11).len(), 2 * 1_000, "one withdrawal and one presentation each millisecond");
}

#[test]
fn each_cause_has_a_rest_of_its_own() {
    let of = |cause| Duration::from_secs(10 * (cause as u64 + 1));
    let mut plan = plan();
    plan.rest = Rests {
        busy: of(Cause::Busy),
        rejected: of(Cause::Rejected),
        no_answer: of(Cause::NoAnswer),
        unreachable: of(Cause::Unreachable),
        failed: of(Cause::Failed),
    };
    for cause in [Cause::Busy, Cause::Rejected, Cause::NoAnswer, Cause::Unreachable, Cause::Failed] {
        let mut hub = Hub::with(plan.clone(), &[A]);
        hub.arrive(10, 1, ELM);
        hub.at(20, Input::Refuse { agent: A, call: call(1), cause });
        assert_eq!(hub.acd.poll_timeout(), Some(secs(20) + of(cause)), "{cause:?}");
    }
}

#[test]
fn wrap_up_is_extended_to_its_limit_and_ended_by_hand() {
    let mut plan = plan();
    plan.wrap_up_limit = Duration::from_secs(40);
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.finish(20, A, 1);
    let extend = |seconds| Input::ExtendWrapUp { agent: A, by: Duration::from_secs(seconds) };
    hub.at(21, extend(15));
    assert_eq!(hub.acd.poll_timeout(), Some(secs(20 + WRAP_UP + 15)));
    hub.at(22, extend(1_000));
    assert_eq!(hub.acd.poll_timeout(), Some(secs(20 + 40)), "and no longer");
    hub.arrive(30, 2, ELM);
    assert_eq!(hub.at(31, Input::EndWrapUp { agent: A }), [present(2, A)]);
    assert_eq!(hub.refused(32, extend(5)), Refused::WrongState(A));
    assert_eq!(hub.refused(32, Input::EndWrapUp { agent: A }), Refused::WrongState(A));
}

#[test]
fn a_wrap_up_longer_than_the_limit_is_not_cut_short() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.finish(20, A, 1);
    hub.at(21, Input::ExtendWrapUp { agent: A, by: Duration::from_secs(5) });
    assert_eq!(hub.acd.poll_timeout(), Some(secs(20 + WRAP_UP)));
}

#[test]
fn a_phone_that_rings_while_it_is_found_unreachable_is_left_to_its_ring() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    let reach = |reachable| Input::Reach { agent: A, reachable };
    assert_eq!(hub.at(11, reach(false)), []);
    assert_eq!(hub.state(A), Availability::Ringing(call(1)));
    hub.refuse(12, A, 1);
    hub.wake(12 + REST);
    assert_eq!((hub.state(A), hub.waiting(ELM)), (Availability::Unreachable, vec![1]));
    assert_eq!(hub.at(30, reach(false)), [], "said twice");
    assert_eq!(hub.at(31, reach(true)), [present(1, A)]);
}
