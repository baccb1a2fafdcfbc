//! Callers whom an agent hands on.

use super::*;
use crate::rng::Rng;

/// The agents are at work, and A talks with caller 1 of ELM.
fn talking(agents: &[AgentId]) -> Hub {
    talking_under(plan(), agents)
}

fn talking_under(plan: Plan, agents: &[AgentId]) -> Hub {
    let mut hub = Hub::with(plan, agents);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub
}

fn hand(hub: &mut Hub, second: u64, to: Onward) -> Vec<Output> {
    hub.at(second, Input::Transfer { agent: A, call: call(1), to })
}

fn returned(to: Option<AgentId>) -> Output {
    Output::Returned { call: call(1), to }
}

fn leave() -> Input {
    Input::Leave { agent: A, call: call(1) }
}

#[test]
fn the_colleague_who_answers_has_the_caller_and_the_agent_wraps_up() {
    let mut hub = talking(&[A, B]);
    assert_eq!(hand(&mut hub, 20, Onward::Agent(B)), [present(1, B)]);
    assert_eq!(hub.state(A), Availability::Talking(call(1)));
    assert_eq!(hub.acd.waiting_count(ELM) + hub.acd.presented_count(ELM), 0);
    assert_eq!(hub.answer(25, B, 1), [connect(1, B)]);
    assert_eq!((hub.state(A), hub.state(B)), (Availability::WrapUp, Availability::Talking(call(1))));
}

#[test]
fn a_colleague_who_does_not_answer_leaves_the_caller_with_the_agent() {
    let mut hub = talking(&[A, B]);
    hand(&mut hub, 20, Onward::Agent(B));
    assert_eq!(hub.refuse(22, B, 1), [returned(Some(A))]);
    assert_eq!(hub.acd.stage(call(1)), Some(Stage::Talking(A)));
    hub.wake(30);
    hand(&mut hub, 31, Onward::Agent(B));
    assert_eq!(hub.wake(31 + RING), [withdraw(1, B, Withdrawal::RangOut), returned(Some(A))]);
}

#[test]
fn an_agent_who_hung_up_is_rung_again_and_then_the_caller_waits_in_the_old_place() {
    let mut hub = talking(&[A, B]);
    hand(&mut hub, 20, Onward::Agent(B));
    hub.at(21, leave());
    assert_eq!(hub.state(A), Availability::WrapUp);
    hub.arrive(21, 2, OAK);
    assert_eq!(hub.refuse(22, B, 1), [present(1, A)]);
    assert_eq!(hub.refuse(23, A, 1), [returned(None)]);
    assert_eq!(hub.waiting(ELM), [1]);
    assert_eq!(hub.wake(22 + REST), [present(1, B)], "caller 1 came before caller 2");
}

#[test]
fn an_agent_who_hung_up_and_answers_again_has_the_caller() {
    let mut hub = talking(&[A, B]);
    hand(&mut hub, 20, Onward::Agent(B));
    hub.at(21, leave());
    hub.refuse(22, B, 1);
    assert_eq!(hub.answer(24, A, 1), [connect(1, A)]);
    assert_eq!(hub.acd.stage(call(1)), Some(Stage::Talking(A)));
}

#[test]
fn an_agent_whose_phone_died_after_the_hand_over_is_not_rung_again() {
    let mut hub = talking(&[A, B]);
    hand(&mut hub, 20, Onward::Agent(B));
    hub.lose(21, A, 1);
    assert_eq!(hub.state(A), Availability::Resting);
    assert_eq!(hub.refuse(22, B, 1), [returned(None)]);
}

#[test]
fn the_hand_over_goes_on_when_the_agent_is_lost() {
    let mut hub = talking(&[A, B]);
    hand(&mut hub, 20, Onward::Agent(B));
    hub.lose(21, A, 1);
    assert_eq!(hub.answer(22, B, 1), [connect(1, B)]);
}

#[test]
fn a_caller_who_hangs_up_on_the_way_silences_the_phone_and_frees_the_agent() {
    for leaves in [false, true] {
        let mut hub = talking(&[A, B]);
        hand(&mut hub, 20, Onward::Agent(B));
        if leaves {
            hub.at(21, leave());
        }
        assert_eq!(hub.abandon(22, 1), [withdraw(1, B, Withdrawal::CallerGone)]);
        assert_eq!((hub.state(A), hub.state(B)), (Availability::WrapUp, Availability::Free));
        assert_eq!(hub.acd.call_count(), 0);
    }
}

#[test]
fn only_a_free_colleague_is_rung_and_only_by_the_agent_who_talks() {
    let mut hub = talking(&[A, B]);
    hub.arrive(12, 2, OAK);
    for (to, refused) in [
        (Onward::Agent(B), Refused::NobodyFree),
        (Onward::Agent(C), Refused::NobodyFree),
        (Onward::Agent(AgentId(9)), Refused::NotInPlan(AgentId(9).to_string())),
        (Onward::Destination(DestinationId(0)), Refused::NobodyFree),
        (Onward::Line(LineId(9), Band::ROUTINE), Refused::NotInPlan(LineId(9).to_string())),
    ] {
        assert_eq!(hub.refused(13, Input::Transfer { agent: A, call: call(1), to }), refused);
    }
    let theirs = Input::Transfer { agent: B, call: call(1), to: Onward::Line(OAK, Band::ROUTINE) };
    assert_eq!(hub.refused(13, theirs), Refused::NotTheirs { agent: B, call: call(1) });
    hub.abandon(14, 2);
    hand(&mut hub, 15, Onward::Agent(B));
    let second = Input::Transfer { agent: A, call: call(1), to: Onward::Line(OAK, Band::ROUTINE) };
    assert_eq!(hub.refused(16, second), Refused::WrongState(A));
}

#[test]
fn an_agent_kept_free_for_emergencies_is_rung_for_an_emergency_alone() {
    for (band, free) in [(Band::ROUTINE, false), (Band::EMERGENCY, true)] {
        let mut plan = plan();
        plan.teams[0].keep_free_for_emergency = 1;
        let mut hub = Hub::with(plan, &[A, B]);
        hub.at(10, Input::Arrive { call: call(1), newcomer: Newcomer::new(ELM, band) });
        hub.answer(11, A, 1);
        let to = Onward::Agent(B);
        let given = hub.acd.handle(Input::Transfer { agent: A, call: call(1), to }, secs(12));
        assert_eq!(given.is_ok(), free, "{band:?}");
        hub.acd.check_invariants();
    }
}

#[test]
fn a_caller_handed_to_a_line_waits_there_by_its_first_arrival() {
    let mut hub = talking(&[A]);
    hub.arrive(12, 2, OAK);
    assert_eq!(hand(&mut hub, 20, Onward::Line(OAK, Band::ROUTINE)), []);
    assert_eq!((hub.waiting(ELM), hub.waiting(OAK)), (vec![], vec![1, 2]));
    assert_eq!(hub.state(A), Availability::WrapUp);
    assert_eq!(hub.log_in(21, B), [present(1, B)]);
}

#[test]
fn a_caller_handed_to_an_emergency_line_is_an_emergency_from_then_on() {
    let mut hub = talking(&[A]);
    hub.emergency(12, 2, OAK);
    hub.arrive(13, 3, OAK);
    hand(&mut hub, 20, Onward::Line(OAK, Band::EMERGENCY));
    assert_eq!(hub.waiting(OAK), [1, 2, 3]);
    let (line, place) = hub.acd.place(call(1)).unwrap();
    assert_eq!((line, place.band, place.arrived), (OAK, Band::EMERGENCY, secs(10)));
}

#[test]
fn an_emergency_handed_to_a_routine_line_stays_one() {
    let mut hub = Hub::new(&[A]);
    hub.emergency(10, 1, ELM);
    hub.answer(11, A, 1);
    hand(&mut hub, 20, Onward::Line(OAK, Band::ROUTINE));
    assert_eq!(hub.acd.place(call(1)).unwrap().1.band, Band::EMERGENCY);
}

#[test]
fn an_emergency_takes_a_ringing_colleague_back_from_a_caller_on_the_way() {
    let mut hub = talking(&[A, B]);
    hand(&mut hub, 20, Onward::Agent(B));
    assert_eq!(
        hub.emergency(21, 2, OAK),
        [withdraw(1, B, Withdrawal::Recalled), present(2, B), returned(Some(A))]
    );
}

#[test]
fn a_destination_is_rung_for_its_own_time_and_gives_the_caller_back() {
    let mut hub = talking_under(with_a_pharmacy(), &[A]);
    let seat = AgentId(3);
    assert_eq!(hand(&mut hub, 20, Onward::Destination(DestinationId(0))), [present(1, seat)]);
    assert_eq!(hub.wake(25), [withdraw(1, seat, Withdrawal::RangOut), returned(Some(A))]);
    hub.wake(31);
    hand(&mut hub, 31, Onward::Destination(DestinationId(0)));
    assert_eq!(hub.answer(32, seat, 1), [connect(1, seat)]);
    hub.finish(40, seat, 1);
    assert_eq!(hub.acd.call_count(), 0);
}

/// A destination of one seat, which rings for 5 s.
fn with_a_pharmacy() -> Plan {
    let ring_for = Duration::from_secs(5);
    Plan { destinations: vec![Destination { name: "pharmacy".into(), capacity: 1, ring_for }], ..plan() }
}

#[test]
fn an_emergency_that_waits_has_the_agent_before_a_caller_who_comes_back() {
    let mut hub = talking_under(with_a_pharmacy(), &[A]);
    let seat = AgentId(3);
    hand(&mut hub, 20, Onward::Destination(DestinationId(0)));
    hub.at(21, leave());
    assert_eq!(hub.emergency(22, 2, OAK), [], "the agent wraps up");
    assert_eq!(hub.wake(25), [withdraw(1, seat, Withdrawal::RangOut), present(2, A), returned(None)]);
    assert_eq!(hub.waiting(ELM), [1]);
    hub.answer(26, A, 2);
    hub.finish(30, A, 2);
    assert_eq!(hub.wake(40), [present(1, A)]);
}

#[test]
fn an_agent_begins_a_call_when_idle_in_any_way_and_a_pause_goes_on_after_it() {
    let mut hub = Hub::new(&[A]);
    let serve = |number| Input::Serve { agent: A, call: call(number), line: ELM, band: Band::ROUTINE };
    hub.at(10, Input::Pause { agent: A, reason: PauseReason::Chosen("case".into()) });
    assert_eq!(hub.at(11, serve(1)), []);
    assert_eq!(hub.state(A), Availability::Talking(call(1)));
    assert_eq!(hub.refused(12, serve(2)), Refused::WrongState(A));
    hub.finish(13, A, 1);
    assert_eq!(hub.state(A), Availability::Paused(PauseReason::Chosen("case".into())));
    hub.at(14, Input::Resume { agent: A });
    hub.at(15, serve(3));
    hub.finish(16, A, 3);
    assert_eq!((hub.state(A), hub.acd.call_count()), (Availability::WrapUp, 0));
    hub.at(17, Input::LogOut { agent: A });
    assert_eq!(hub.refused(18, serve(4)), Refused::WrongState(A));
    let unknown = Input::Serve { agent: A, call: call(5), line: LineId(9), band: Band::ROUTINE };
    assert_eq!(hub.refused(19, unknown), Refused::NotInPlan(LineId(9).to_string()));
}

#[test]
fn a_patient_whose_agent_is_lost_waits_in_the_line_for_another() {
    let mut hub = Hub::new(&[A, B]);
    hub.at(10, Input::Serve { agent: A, call: call(1), line: ELM, band: Band::ROUTINE });
    assert_eq!(hub.lose(11, A, 1), [present(1, B)]);
}

#[test]
fn a_stored_hand_over_goes_on_with_the_same_outputs() {
    let mut hub = talking(&[A, B]);
    hand(&mut hub, 20, Onward::Agent(B));
    hub.at(21, leave());
    let mut restored: Distributor = postcard::from_bytes(&postcard::to_stdvec(&hub.acd).unwrap()).unwrap();
    for acd in [&mut hub.acd, &mut restored] {
        acd.handle_timeout(secs(200));
    }
    let outputs: Vec<_> = std::iter::from_fn(|| restored.poll_output()).collect();
    assert!(outputs.contains(&returned(None)));
    assert!(std::iter::from_fn(|| hub.acd.poll_output()).eq(outputs));
}

/// Every input that a world full of transfers may give, in any order; most do not fit and change nothing.
#[test]
fn a_thousand_random_days_of_hand_overs_lose_nobody() {
    for seed in 0..1_000u64 {
        let mut dice = Rng::new([seed.to_le_bytes()[0].wrapping_add(1); 32]);
        for _ in 0..seed / 256 {
            dice.bits();
        }
        let mut plan = plan();
        plan.teams[1].keep_free_for_emergency = (seed % 2) as u32;
        plan.destinations =
            vec![Destination { name: "ucr".into(), capacity: 2, ring_for: Duration::from_secs(7) }];
        plan.agents.iter_mut().for_each(|agent| agent.logged_in = true);
        let mut acd = Distributor::new(plan, Mono(0));
        let (mut open, mut next, mut at) = (std::collections::BTreeSet::new(), 1u64, Mono(0));
        for _ in 0..120 {
            at = at + Duration::from_millis(dice.bits() % 4_000);
            let (agent, call) = (AgentId((dice.bits() % 5) as u32), CallId(1 + dice.bits() % next));
            let input = match dice.bits() % 15 {
                0 | 1 => {
                    let band = if dice.bits().is_multiple_of(5) { Band::EMERGENCY } else { Band::ROUTINE };
                    let call = CallId(next);
                    next += 1;
                    open.insert(call);
                    Input::Arrive { call, newcomer: Newcomer::new(LineId((dice.bits() % 2) as u32), band) }
                }
                2 => Input::Abandon { call },
                3..=5 => Input::Answer { agent, call },
                6 => Input::Refuse { agent, call, cause: Cause::Rejected },
                7 => Input::Finish { agent, call },
                8 => Input::Lose { agent, call },
                9 => Input::Leave { agent, call },
                10 => Input::Serve { agent, call: CallId(next), line: ELM, band: Band::ROUTINE },
                11 => Input::Spare { agent, call },
                12 if dice.bits().is_multiple_of(2) => Input::Resume { agent },
                12 => Input::Pause { agent, reason: PauseReason::Chosen("tea".into()) },
                _ => {
                    let to = match dice.bits() % 4 {
                        0 => Onward::Destination(DestinationId(0)),
                        1 => Onward::Line(LineId((dice.bits() % 2) as u32), Band::ROUTINE),
                        _ => Onward::Agent(AgentId((dice.bits() % 3) as u32)),
                    };
                    Input::Transfer { agent, call, to }
                }
            };
            let ends = matches!(input, Input::Abandon { .. } | Input::Finish { .. } | Input::Spare { .. });
            let begins = matches!(input, Input::Serve { .. });
            let fits = acd.handle(input, at).is_ok();
            if fits && ends {
                open.remove(&call);
            }
            if fits && begins {
                open.insert(CallId(next));
                next += 1;
            }
            acd.check_invariants();
            while acd.poll_output().is_some() {}
            assert_eq!(acd.call_count(), open.len(), "seed {seed}");
        }
        acd.handle_timeout(at + Duration::from_secs(3_600));
        assert_eq!(acd.call_count(), open.len(), "seed {seed}: a deadline ends no call");
    }
}
