//! Who of a team is presented a call, and who stays free.

use super::*;

const WELSH: SkillId = SkillId(0);

/// One line and one team of A, B and C with this strategy; no wrap-up, no rest.
fn with(strategy: Strategy) -> Hub {
    let mut plan = plan();
    plan.lines[0].teams = vec![TeamId(0)];
    plan.lines[0].wrap_up = Duration::ZERO;
    plan.teams[0] = Team { agents: vec![C, A, B], strategy, ..Team::default() };
    plan.teams[1].agents.clear();
    Hub::with(plan, &[A, B, C])
}

/// Calls one after another, each answered and finished before the next; who took them.
fn takers(hub: &mut Hub, calls: std::ops::Range<u64>) -> Vec<AgentId> {
    calls
        .map(|number| {
            let orders = hub.arrive(10 + number, number, ELM);
            let [Output::Present { agent, .. }] = orders[..] else { panic!("{orders:?}") };
            hub.answer(10 + number, agent, number);
            hub.finish(10 + number, agent, number);
            agent
        })
        .collect()
}

#[test]
fn longest_idle_takes_turns_by_idleness() {
    assert_eq!(takers(&mut with(Strategy::LongestIdle), 1..5), [A, B, C, A]);
}

#[test]
fn ordered_always_takes_the_first_in_the_list_who_is_free() {
    let mut hub = with(Strategy::Ordered);
    assert_eq!(takers(&mut hub, 1..4), [C, C, C]);
    hub.pause(20, C);
    assert_eq!(takers(&mut hub, 11..13), [A, A]);
}

#[test]
fn round_robin_goes_through_the_list_and_past_those_who_are_away() {
    let mut hub = with(Strategy::RoundRobin);
    assert_eq!(takers(&mut hub, 1..5), [C, A, B, C]);
    hub.pause(20, A);
    assert_eq!(takers(&mut hub, 11..14), [B, C, B]);
}

#[test]
fn fewest_calls_evens_out_what_each_has_answered() {
    let mut hub = with(Strategy::FewestCalls);
    hub.pause(9, A);
    assert_eq!(takers(&mut hub, 1..5), [B, C, B, C]);
    hub.resume(20, A);
    assert_eq!(takers(&mut hub, 11..16), [A, A, B, C, A]);
}

#[test]
fn ring_all_rings_every_free_member_and_one_wins() {
    let mut hub = with(Strategy::RingAll);
    hub.pause(9, A);
    assert_eq!(hub.arrive(10, 1, ELM), [present(1, C), present(1, B)]);
    assert_eq!(hub.acd.rung(call(1)), [C, B]);
    assert_eq!(hub.resume(11, A), [], "the caller is with others");
    assert_eq!(hub.answer(12, B, 1), [connect(1, B), withdraw(1, C, Withdrawal::AnsweredElsewhere)]);
    assert_eq!(hub.refused(12, Input::Answer { agent: C, call: call(1) }), super::callers::not_theirs(C, 1));
    assert_eq!((hub.state(A), hub.state(C)), (Availability::Free, Availability::Free));
}

#[test]
fn ring_all_goes_on_while_one_phone_rings_and_counts_no_miss_for_the_slower() {
    let mut hub = with(Strategy::RingAll);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.refuse(11, C, 1), []);
    assert_eq!(hub.acd.stage(call(1)), Some(Stage::Presented));
    hub.answer(12, A, 1);
    for number in 2..6 {
        hub.finish(20 * number, A, number - 1);
        hub.arrive(20 * number + 1, number, ELM);
        hub.answer(20 * number + 2, A, number);
    }
    assert_eq!(hub.state(B), Availability::Free, "outrun four times, and not paused");
}

#[test]
fn a_caller_whom_all_phones_miss_is_back_in_the_original_place() {
    let mut hub = with(Strategy::RingAll);
    hub.arrive(10, 1, ELM);
    hub.arrive(11, 2, ELM);
    hub.refuse(12, A, 1);
    hub.refuse(12, B, 1);
    assert_eq!(hub.refuse(12, C, 1), []);
    assert_eq!(hub.waiting(ELM), [1, 2]);
}

#[test]
fn only_those_with_the_skills_are_presented_and_needs_relax_at_their_own_time() {
    let mut plan = plan();
    plan.lines[0].needs = Needs::from([(WELSH, 2)]);
    plan.lines[0].relax = vec![
        Relax { after: Duration::from_secs(60), needs: Needs::from([(WELSH, 1)]) },
        Relax { after: Duration::from_secs(120), needs: Needs::new() },
    ];
    plan.agents[1].skills.insert(WELSH, 1);
    plan.agents[2].skills.insert(WELSH, 2);
    let mut hub = Hub::with(plan, &[A, B]);
    assert_eq!(hub.arrive(10, 1, ELM), []);
    assert_eq!(hub.arrive(11, 2, OAK), [present(2, A)], "who needs no skill is not held up");
    assert_eq!(hub.log_in(12, C), [present(1, C)]);
    assert_eq!(hub.arrive(13, 3, ELM), []);
    hub.answer(14, A, 2);
    hub.answer(14, C, 1);
    assert_eq!(hub.wake(72), []);
    assert_eq!(hub.wake(73), [present(3, B)]);
    assert_eq!(hub.pause(74, B), [withdraw(3, B, Withdrawal::AgentGone)]);
    hub.finish(75, A, 2);
    assert_eq!(hub.wake(132), [], "A is free and has not the skill");
    assert_eq!(hub.wake(133), [present(3, A)]);
}

#[test]
fn reach_widens_with_the_time_waited_and_the_place_is_kept() {
    let mut plan = plan();
    plan.lines[1].widen = vec![Widen { after: Duration::from_secs(30), add_teams: vec![TeamId(1)] }];
    let mut hub = Hub::with(plan, &[C]);
    hub.arrive(10, 1, OAK);
    hub.arrive(20, 2, OAK);
    assert_eq!(hub.wake(39), []);
    assert_eq!(hub.wake(40), [present(1, C)]);
    assert_eq!(hub.acd.place(call(1)).unwrap().1.arrived, secs(10));
    assert_eq!(hub.log_in(41, A), [present(2, A)], "its own team still answers");
}

#[test]
fn a_rule_widens_at_once_and_its_end_leaves_what_rings() {
    let mut hub = Hub::new(&[C]);
    hub.arrive(10, 1, OAK);
    hub.arrive(11, 2, OAK);
    hub.acd.begin_rule(OAK, vec![TeamId(1)], secs(12));
    assert_eq!(hub.orders(), [present(1, C)]);
    hub.acd.begin_rule(OAK, vec![], secs(13));
    assert_eq!((hub.orders(), hub.state(C)), (vec![], Availability::Ringing(call(1))));
    assert_eq!(hub.refuse(14, C, 1), []);
    hub.wake(14 + REST);
    assert_eq!(hub.waiting(OAK), [1, 2], "back in place, and out of the reach of C");
}

#[test]
fn routine_calls_leave_free_what_the_team_keeps_for_emergencies() {
    let mut plan = plan();
    plan.teams[0].keep_free_for_emergency = 1;
    let mut hub = Hub::with(plan, &[A, B]);
    assert_eq!(hub.arrive(10, 1, OAK), [present(1, A)]);
    assert_eq!(hub.arrive(11, 2, OAK), []);
    assert_eq!(hub.emergency(12, 3, OAK), [present(3, B)]);
    hub.answer(13, B, 3);
    hub.answer(13, A, 1);
    assert_eq!(hub.finish(14, A, 1), []);
    assert_eq!(hub.wake(14 + WRAP_UP), [], "A is the one who is kept free");
    hub.finish(30, B, 3);
    assert_eq!(hub.wake(30 + WRAP_UP), [present(2, A)], "the longer idle of the two goes");
}

#[test]
fn practices_share_a_team_by_their_weights_and_within_one_call_of_each() {
    let mut plan = plan();
    plan.lines[0].wrap_up = Duration::ZERO;
    let (elm, oak, ash) = (PracticeId(0), PracticeId(1), PracticeId(2));
    plan.teams[0].fair_share = Some(Shares::from([(elm, 3), (oak, 1)]));
    let mut hub = Hub::with(plan, &[]);
    for number in 0..400 {
        let practice = if number < 300 { elm } else { oak };
        let newcomer = Newcomer { practice: Some(practice), ..Newcomer::new(ELM, Band::ROUTINE) };
        hub.at(10, Input::Arrive { call: call(number), newcomer });
    }
    let mut served = [0i64; 3];
    let mut orders = hub.log_in(20, A);
    for round in 0..200 {
        let [Output::Present { call: taken, .. }] = orders[..] else { panic!("{orders:?}") };
        let practice = if taken.0 < 300 {
            elm
        } else if taken.0 < 400 {
            oak
        } else {
            ash
        };
        served[practice.index()] += 1;
        // In twelfths: |n/3 - m/1| <= 1/3 + 1/1, and with `ash`, who comes late, from then on.
        assert!((4 * served[0] - 12 * served[1]).abs() <= 16, "{served:?}");
        if round == 100 {
            let newcomer = Newcomer { practice: Some(ash), ..Newcomer::new(ELM, Band::ROUTINE) };
            for number in 400..500 {
                hub.at(30, Input::Arrive { call: call(number), newcomer });
            }
            served[2] = served[1];
        }
        assert!(
            round <= 100 || (served[1] - served[2]).abs() <= 2,
            "{served:?}: nothing saved up, nothing lost"
        );
        hub.answer(31, A, taken.0);
        orders = hub.finish(31, A, taken.0);
    }
    assert!(served[0] > 100 && served[1] > 30);
}

#[test]
fn shares_never_put_a_routine_caller_before_an_emergency() {
    let mut plan = plan();
    plan.teams[0].fair_share = Some(Shares::from([(PracticeId(0), 1_000)]));
    let mut hub = Hub::with(plan, &[]);
    let newcomer = Newcomer { practice: Some(PracticeId(0)), ..Newcomer::new(OAK, Band::ROUTINE) };
    hub.at(10, Input::Arrive { call: call(1), newcomer });
    hub.emergency(11, 2, OAK);
    assert_eq!(hub.log_in(12, A), [present(2, A)]);
}

#[test]
fn a_credit_counts_as_time_waited_and_overtakes_no_longer_wait() {
    let mut hub = Hub::new(&[]);
    let credited =
        |seconds| Newcomer { credit: Duration::from_secs(seconds), ..Newcomer::new(ELM, Band::ROUTINE) };
    hub.arrive(10, 1, ELM);
    hub.arrive(100, 2, ELM);
    hub.at(110, Input::Arrive { call: call(3), newcomer: credited(60) });
    assert_eq!(hub.waiting(ELM), [1, 3, 2]);
    hub.at(111, Input::Arrive { call: call(4), newcomer: credited(1_000) });
    hub.at(112, Input::Arrive { call: call(5), newcomer: credited(1_010) });
    assert_eq!(hub.waiting(ELM), [5, 4, 1, 3, 2], "longer than the switch has run");
}

#[test]
fn whoever_has_waited_longer_than_the_credit_of_those_who_still_come_is_next() {
    let mut plan = plan();
    plan.lines[0].wrap_up = Duration::ZERO;
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(5, 1, ELM);
    hub.answer(5, A, 1);
    hub.arrive(10, 2, ELM);
    let mut talks = 1;
    for number in 3.. {
        // Each time that A is free somebody has just come who counts as having waited two minutes.
        let second = number * 10;
        let newcomer = Newcomer { credit: Duration::from_secs(120), ..Newcomer::new(ELM, Band::ROUTINE) };
        hub.at(second, Input::Arrive { call: call(number), newcomer });
        let [Output::Present { call: next, .. }] = hub.finish(second, A, talks)[..] else { panic!() };
        hub.answer(second, A, next.0);
        talks = next.0;
        if next == call(2) {
            assert_eq!(second, 130, "two minutes after it came, and no later");
            return;
        }
        assert_eq!(next, call(number));
    }
}
