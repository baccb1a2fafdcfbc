//! Who may join, who is led out, and where callers go who are offered elsewhere.

use super::*;

const PBX: DestinationId = DestinationId(0);
const SEAT: AgentId = AgentId(3);
const OTHER_SEAT: AgentId = AgentId(4);

fn with_pbx(change: impl Fn(&mut Line)) -> Plan {
    let mut plan = plan();
    plan.lines.iter_mut().for_each(change);
    plan.destinations =
        vec![Destination { name: "pbx".into(), capacity: 2, ring_for: Duration::from_secs(15) }];
    plan.retry_after = Duration::from_secs(30);
    plan
}

fn release(number: u64, way: WayOut, why: Leaving) -> Output {
    Output::Release { call: call(number), way, why }
}

fn refuse(why: Refusal) -> Entry {
    Entry::Refuse { code: 503, retry_after: Some(Duration::from_secs(30)), to: None, why }
}

#[test]
fn a_caller_who_has_waited_too_long_is_led_out_at_the_time_itself() {
    let plan = with_pbx(|line| line.max_wait = Some(Duration::from_secs(60)));
    let mut hub = Hub::with(plan, &[]);
    hub.arrive(10, 1, ELM);
    hub.arrive(20, 2, ELM);
    assert_eq!(hub.wake(69), []);
    assert_eq!(hub.wake(75), [release(1, WayOut::Callback, Leaving::WaitedTooLong)]);
    assert_eq!((hub.acd.stage(call(1)), hub.waiting(ELM)), (None, vec![2]));
    hub.emergency(76, 3, ELM);
    hub.wake(79);
    assert_eq!(hub.wake(10_000), [release(2, WayOut::Callback, Leaving::WaitedTooLong)]);
    assert_eq!(hub.waiting(ELM), [3], "an emergency waits as long as it must");
}

#[test]
fn a_phone_that_rings_at_that_instant_rings_on() {
    let plan = with_pbx(|line| line.max_wait = Some(Duration::from_secs(15)));
    let mut hub = Hub::with(plan.clone(), &[A]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.wake(25), []);
    assert_eq!(hub.answer(26, A, 1), [connect(1, A)]);

    let mut hub = Hub::with(plan, &[A, B]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.refuse(27, A, 1), [present(1, B)], "another agent is free");
    assert_eq!(hub.refuse(28, B, 1), [release(1, WayOut::Callback, Leaving::WaitedTooLong)]);
}

#[test]
fn a_talk_that_is_lost_begins_a_new_wait() {
    let plan = with_pbx(|line| line.max_wait = Some(Duration::from_secs(60)));
    let mut hub = Hub::with(plan, &[A]);
    hub.arrive(10, 1, ELM);
    hub.answer(11, A, 1);
    hub.pause(12, A);
    assert_eq!(hub.lose(500, A, 1), []);
    assert_eq!(hub.wake(559), []);
    assert_eq!(hub.wake(560), [release(1, WayOut::Callback, Leaving::WaitedTooLong)]);
}

#[test]
fn callers_leave_when_the_last_agent_within_reach_does() {
    let plan = with_pbx(|line| line.leave_when_empty = Some(WayOut::Goodbye));
    let mut hub = Hub::with(plan, &[A, C]);
    hub.arrive(10, 1, OAK);
    hub.answer(10, A, 1);
    hub.arrive(11, 2, OAK);
    hub.arrive(12, 3, ELM);
    hub.emergency(13, 4, OAK);
    assert_eq!(hub.pause(14, A), [], "it talks on");
    assert_eq!(hub.finish(15, A, 1), [release(2, WayOut::Goodbye, Leaving::NobodyAtWork)]);
    assert_eq!((hub.waiting(OAK), hub.state(C)), (vec![4], Availability::Ringing(call(3))));
    assert_eq!(hub.arrive(16, 5, OAK), [release(5, WayOut::Goodbye, Leaving::NobodyAtWork)]);
}

#[test]
fn a_way_out_to_a_destination_keeps_the_caller_in_line() {
    let plan = with_pbx(|line| {
        line.max_wait = Some(Duration::from_secs(60));
        line.way_out = WayOut::RouteTo(PBX);
    });
    let mut hub = Hub::with(plan, &[]);
    hub.arrive(10, 1, ELM);
    assert_eq!(hub.wake(70), [present(1, SEAT)]);
    assert_eq!(hub.refuse(71, SEAT, 1), [], "every seat rests after a miss of one");
    assert_eq!(hub.waiting(ELM), [1]);
    assert_eq!(hub.wake(71 + REST), [present(1, SEAT)]);
    hub.refuse(77, SEAT, 1);
    assert_eq!(hub.log_in(78, A), [present(1, A)], "an agent may still take it");
}

#[test]
fn the_first_destination_is_tried_once_and_then_the_teams() {
    let mut hub = Hub::with(with_pbx(|line| line.first = Some(PBX)), &[A]);
    assert_eq!(hub.arrive(10, 1, ELM), [present(1, SEAT)]);
    assert_eq!(hub.emergency(10, 2, ELM), [present(2, A)], "never an emergency");
    assert_eq!(hub.arrive(11, 3, ELM), [present(3, OTHER_SEAT)]);
    assert_eq!(hub.arrive(12, 4, ELM), [], "all seats are taken");
    assert_eq!(hub.wake(25), [withdraw(1, SEAT, Withdrawal::RangOut)]);
    hub.answer(25, A, 2);
    assert_eq!(hub.answer(25, OTHER_SEAT, 3), [connect(3, OTHER_SEAT)]);
    hub.finish(27, OTHER_SEAT, 3);
    assert_eq!(hub.waiting(ELM), [1, 4]);
    assert_eq!(hub.acd.availability(OTHER_SEAT), Some(Availability::Free), "without wrap-up");
    assert_eq!(hub.acd.agents().count(), 3, "seats are no agents");
    let order = Input::Pause { agent: SEAT, reason: PauseReason::Chosen("tea".into()) };
    assert_eq!(hub.refused(28, order), Refused::NotInPlan("agent-3".into()));
}

#[test]
fn people_come_before_destinations() {
    let mut hub = Hub::with(with_pbx(|_| {}), &[A]);
    hub.acd.begin_rule(OAK, vec![TeamId(2)], secs(9));
    assert_eq!(hub.arrive(10, 1, OAK), [present(1, A)]);
    assert_eq!(hub.arrive(10, 2, OAK), [present(2, SEAT)]);
    let taken = [withdraw(1, A, Withdrawal::Recalled), present(3, A), present(1, OTHER_SEAT)];
    assert_eq!(hub.emergency(10, 3, OAK), taken, "an emergency takes an agent back, not a seat");
}

#[test]
fn a_practice_may_not_fill_the_line() {
    let mut hub = Hub::with(with_pbx(|line| line.most_per_practice = Some(2)), &[]);
    let of = |practice, band| Newcomer { practice: Some(PracticeId(practice)), ..Newcomer::new(ELM, band) };
    for number in 1..=2 {
        assert_eq!(hub.acd.entry(&of(7, Band::ROUTINE), secs(10)), Entry::Join);
        hub.at(10, Input::Arrive { call: call(number), newcomer: of(7, Band::ROUTINE) });
    }
    hub.at(10, Input::Arrive { call: call(3), newcomer: of(7, Band::EMERGENCY) });
    assert_eq!(hub.acd.entry(&of(7, Band::ROUTINE), secs(11)), refuse(Refusal::PracticeFull));
    assert_eq!(hub.acd.entry(&of(8, Band::ROUTINE), secs(11)), Entry::Join);
    assert_eq!(hub.acd.entry(&of(7, Band::EMERGENCY), secs(11)), Entry::Join);
    hub.abandon(12, 1);
    assert_eq!(hub.acd.entry(&of(7, Band::ROUTINE), secs(12)), Entry::Join);
}

#[test]
fn a_practice_may_not_fill_the_hub_by_way_of_several_lines() {
    let plan = Plan { most_per_practice: Some(2), ..with_pbx(|_| {}) };
    let mut hub = Hub::with(plan, &[]);
    let of = |practice, line| Newcomer {
        practice: Some(PracticeId(practice)),
        ..Newcomer::new(line, Band::ROUTINE)
    };
    for (number, line) in [(1, ELM), (2, OAK)] {
        assert_eq!(hub.acd.entry(&of(7, line), secs(10)), Entry::Join);
        hub.at(10, Input::Arrive { call: call(number), newcomer: of(7, line) });
    }
    for line in [ELM, OAK] {
        assert_eq!(hub.acd.entry(&of(7, line), secs(11)), refuse(Refusal::PracticeFull));
        assert_eq!(hub.acd.entry(&of(8, line), secs(11)), Entry::Join);
    }
    assert_eq!(hub.acd.entry(&Newcomer::new(ELM, Band::ROUTINE), secs(11)), Entry::Join, "of no practice");
    let emergency = Newcomer { band: Band::EMERGENCY, ..of(7, ELM) };
    assert_eq!(hub.acd.entry(&emergency, secs(11)), Entry::Join);
    hub.abandon(12, 2);
    assert_eq!(hub.acd.entry(&of(7, ELM), secs(12)), Entry::Join);
}

#[test]
fn a_line_may_refuse_while_nobody_is_at_work() {
    let mut hub = Hub::with(with_pbx(|line| line.join_when_empty = false), &[]);
    let newcomer = Newcomer::new(OAK, Band::ROUTINE);
    assert_eq!(hub.acd.entry(&newcomer, secs(10)), refuse(Refusal::NobodyAtWork));
    let emergency = Newcomer::new(OAK, Band::EMERGENCY);
    assert_eq!(hub.acd.entry(&emergency, secs(10)), Entry::Join, "an emergency always may");
    hub.log_in(11, A);
    assert_eq!(hub.acd.entry(&newcomer, secs(11)), Entry::Join);
    hub.at(12, Input::Reach { agent: A, reachable: false });
    assert_eq!(hub.acd.entry(&newcomer, secs(12)), refuse(Refusal::NobodyAtWork));
    hub.acd.begin_rule(OAK, vec![TeamId(1)], secs(13));
    hub.log_in(13, C);
    assert_eq!(hub.acd.entry(&newcomer, secs(13)), Entry::Join, "a rule reaches C");
}
