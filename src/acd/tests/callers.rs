//! What becomes of a caller, step by step.

use super::*;

#[test]
fn a_caller_is_presented_to_the_longest_idle_agent_at_once() {
    let mut hub = Hub::new(&[B, A, C]);
    assert_eq!(hub.arrive(10, 1, ELM), [present(1, B)]);
    assert_eq!(hub.arrive(10, 2, ELM), [present(2, A)]);
    assert_eq!(hub.arrive(10, 3, ELM), [present(3, C)]);
    assert_eq!(hub.arrive(10, 4, ELM), []);
}

#[test]
fn agents_logged_in_from_the_start_are_tried_by_id() {
    let mut plan = plan();
    plan.agents.iter_mut().for_each(|agent| agent.logged_in = true);
    let mut hub = Hub::with(plan, &[]);
    assert_eq!(hub.arrive(10, 1, ELM), [present(1, A)]);
    assert_eq!(hub.arrive(10, 2, ELM), [present(2, B)]);
    assert_eq!(hub.arrive(10, 3, ELM), [present(3, C)]);
}

#[test]
fn an_agent_answers_only_lines_of_its_teams() {
    let mut hub = Hub::new(&[C]);
    assert_eq!(hub.arrive(10, 1, OAK), []);
    assert_eq!(hub.arrive(11, 2, ELM), [present(2, C)]);
    assert_eq!(hub.log_in(12, A), [present(1, A)]);
}

#[test]
fn an_agent_gets_the_earliest_caller_of_all_its_lines() {
    let mut hub = Hub::new(&[]);
    hub.arrive(10, 1, OAK);
    hub.arrive(11, 2, ELM);
    hub.arrive(12, 3, OAK);
    assert_eq!(hub.log_in(13, C), [present(2, C)]);
    assert_eq!(hub.log_in(14, A), [present(1, A)]);
    assert_eq!(hub.log_in(15, B), [present(3, B)]);
}

#[test]
fn callers_of_one_instant_are_served_in_the_order_of_their_inputs() {
    let mut hub = Hub::new(&[]);
    hub.arrive(10, 9, ELM);
    hub.arrive(10, 4, OAK);
    hub.arrive(10, 7, ELM);
    assert_eq!(hub.log_in(11, A), [present(9, A)]);
    assert_eq!(hub.log_in(11, B), [present(4, B)]);
    assert_eq!(hub.log_in(11, C), [present(7, C)]);
}

#[test]
fn an_emergency_is_served_before_every_routine_caller() {
    let mut hub = Hub::new(&[]);
    hub.arrive(10, 1, ELM);
    hub.arrive(11, 2, OAK);
    hub.emergency(12, 3, OAK);
    hub.emergency(13, 4, ELM);
    assert_eq!(hub.log_in(14, A), [present(3, A)]);
    assert_eq!(hub.log_in(14, B), [present(4, B)]);
    assert_eq!(hub.log_in(14, C), [present(1, C)]);
}

#[test]
fn an_answer_connects() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.answer(12, A, 1), [connect(1, A)]);
    assert_eq!(hub.state(A), Availability::Talking(call(1)));
    assert_eq!(hub.acd.stage(call(1)), Some(Stage::Talking(A)));
    assert_eq!(hub.acd.poll_timeout(), None);
}

#[test]
fn rings_out_at_the_deadline_and_the_next_agent_is_presented_at_once() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.acd.poll_timeout(), Some(secs(10 + RING)));
    assert_eq!(hub.wake(9 + RING), []);
    assert_eq!(hub.wake(10 + RING), [withdraw(1, A, Withdrawal::RangOut), present(1, B)]);
    assert_eq!(hub.state(A), Availability::Resting);
}

#[test]
fn a_refusal_brings_the_next_agent_at_once_and_withdraws_nothing() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.refuse(11, A, 1), [present(1, B)]);
    assert_eq!(hub.state(A), Availability::Resting);
}

#[test]
fn a_missed_caller_returns_to_the_original_place() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.arrive(11, 2, ELM);
    hub.arrive(12, 3, OAK);
    assert_eq!(hub.refuse(13, A, 1), []);
    assert_eq!(hub.waiting(ELM), [1, 2]);
    assert_eq!(hub.wake(13 + REST), [present(1, A)]);
}

#[test]
fn a_caller_who_abandons_while_waiting_is_gone() {
    let mut hub = Hub::new(&[]);
    hub.arrive(10, 1, ELM);
    hub.arrive(11, 2, ELM);
    assert_eq!(hub.abandon(12, 1), []);
    assert_eq!(hub.waiting(ELM), [2]);
    assert_eq!(hub.acd.stage(call(1)), None);
    assert_eq!(hub.log_in(13, A), [present(2, A)]);
}

#[test]
fn a_caller_who_abandons_a_talk_leaves_the_agent_in_wrap_up() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    assert_eq!(hub.abandon(20, 1), []);
    assert_eq!(hub.state(A), Availability::WrapUp);
    assert_eq!(hub.refused(21, Input::Finish { agent: A, call: call(1) }), not_theirs(A, 1));
}

#[test]
fn a_lost_talk_brings_the_caller_back_to_the_head_and_rests_the_agent() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.arrive(12, 2, ELM);
    assert_eq!(hub.lose(30, A, 1), []);
    assert_eq!(hub.waiting(ELM), [1, 2]);
    assert_eq!(hub.state(A), Availability::Resting);
    assert_eq!(hub.log_in(31, B), [present(1, B)]);
}

#[test]
fn a_lost_talk_is_presented_to_a_free_agent_at_once() {
    let mut hub = Hub::new(&[A, B]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    assert_eq!(hub.lose(30, A, 1), [present(1, B)]);
}

#[test]
fn a_returning_caller_of_a_line_without_free_agents_leaves_others_alone() {
    let mut hub = Hub::new(&[A, C]);
    hub.arrive(10, 1, OAK);
    assert_eq!(hub.refuse(11, A, 1), [], "C does not answer this line");
    assert_eq!(hub.state(C), Availability::Free);
}

#[test]
fn a_position_does_not_rise_when_a_presented_caller_comes_back() {
    let mut hub = Hub::new(&[A]);
    for number in 1..=3 {
        hub.arrive(10, number, ELM);
    }
    assert_eq!(hub.acd.position(call(1)), Some(1));
    assert_eq!(hub.acd.position(call(3)), Some(3));
    hub.refuse(11, A, 1);
    assert_eq!(hub.acd.position(call(3)), Some(3));
    hub.wake(11 + REST);
    hub.answer(20, A, 1);
    assert_eq!(hub.acd.position(call(1)), None);
    assert_eq!(hub.acd.position(call(3)), Some(2));
    hub.emergency(21, 4, ELM);
    assert_eq!(hub.acd.position(call(4)), Some(1));
    assert_eq!(hub.acd.position(call(3)), Some(3));
}

#[test]
fn displays_see_who_waits_since_when_and_whose_phone_rings() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    hub.arrive(12, 2, ELM);
    hub.arrive(13, 3, ELM);
    let waiting: Vec<_> = hub.acd.waiting(ELM).map(|place| (place.call, place.arrived)).collect();
    assert_eq!(waiting, [(call(2), secs(12)), (call(3), secs(13))]);
    assert_eq!((hub.acd.waiting_count(ELM), hub.acd.presented_count(ELM), hub.acd.call_count()), (2, 1, 3));
    assert_eq!(hub.acd.presented(ELM).map(|place| place.call).collect::<Vec<_>>(), [call(1)]);
    assert_eq!(hub.acd.place(call(2)).map(|(line, place)| (line, place.band)), Some((ELM, Band::ROUTINE)));
    assert_eq!(hub.acd.agents().next(), Some((A, Availability::Ringing(call(1)), secs(10))));
    assert_eq!((hub.acd.waiting_count(LineId(9)), hub.acd.availability(AgentId(9))), (0, None));
}

#[test]
fn an_input_about_an_unknown_call_line_or_agent_is_refused() {
    let mut hub = Hub::new(&[A]);
    hub.arrive(10, 1, ELM);
    let again = Input::Arrive { call: call(1), newcomer: Newcomer::new(OAK, Band::EMERGENCY) };
    assert_eq!(hub.refused(11, again), Refused::DuplicateCall(call(1)));
    let nowhere = Input::Arrive { call: call(2), newcomer: Newcomer::new(LineId(2), Band::ROUTINE) };
    assert_eq!(hub.refused(11, nowhere), Refused::NotInPlan("line-2".into()));
    assert_eq!(hub.refused(11, Input::Abandon { call: call(9) }), Refused::UnknownCall(call(9)));
    let nobody = AgentId(3);
    for input in [
        Input::LogIn { agent: nobody },
        Input::LogOut { agent: nobody },
        Input::Resume { agent: nobody },
        Input::Pause { agent: nobody, reason: PauseReason::Chosen("tea".into()) },
        Input::Answer { agent: nobody, call: call(1) },
        Input::Finish { agent: nobody, call: call(1) },
    ] {
        assert_eq!(hub.refused(11, input), Refused::NotInPlan("agent-3".into()));
    }
}

#[test]
fn time_that_seems_to_go_back_stands_still() {
    let mut hub = Hub::new(&[]);
    hub.arrive(10, 1, ELM);
    hub.arrive(5, 2, ELM);
    assert_eq!(hub.acd.place(call(2)).unwrap().1.arrived, secs(10));
    assert_eq!(hub.waiting(ELM), [1, 2]);
}

pub(super) fn not_theirs(agent: AgentId, number: u64) -> Refused {
    Refused::NotTheirs { agent, call: call(number) }
}
