//! The main job: answered, queued, bridged, ended, recorded.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, TRUNK_999, World, header, phone, plan};
use crate::acd::{Band, Cause};
use crate::call::media::Command;
use crate::call::record::{EndedBy, Outcome, Presentation, Stage};
use crate::id::AgentId;
use crate::switch::{AgentOrder, Event, Input};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_caller_is_answered_at_once_and_hears_greeting_and_music() {
    let mut world = World::new(0);
    let ok = Caller::new("c1", TRUNK).call(&mut world);
    assert!(ok.contains("m=audio 20000 RTP/AVP 8 101"), "{ok}");
    assert!(matches!(&world.media[0], Command::Set(stream) if stream.port == 20000));
    assert!(matches!(&world.media[1], Command::Play { clips, looped: true, .. } if clips.len() == 2));
    assert_eq!(world.records.len(), 0);
}

#[test]
fn a_caller_is_bridged_to_the_agent_who_answers_and_recorded_once() {
    let mut world = World::new(1);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    assert_eq!(header(&agent.invite, "Max-Forwards"), "69");
    assert!(header(&agent.invite, "From").contains("+447700900123"), "{}", agent.invite);
    agent.reply(&mut world, "180 Ringing");
    world.pass(3 * SECOND);
    agent.answer(&mut world);
    assert!(world.expect(&phone(0), "ACK").starts_with("ACK sip:agent@192.0.2.20:5060 SIP/2.0"));
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })));
    assert!(
        world
            .events
            .iter()
            .any(|event| matches!(event, Event::Bridged { waited, .. } if *waited == 3 * SECOND))
    );
    world.pass(60 * SECOND);
    caller.send(&mut world, "BYE", "");
    world.expect(TRUNK, "SIP/2.0 200");
    world.expect(&phone(0), "BYE");
    let [record] = &world.records[..] else { panic!("{:?}", world.records) };
    assert_eq!(record.outcome, Outcome::Answered { agent: "agent-0".into(), ended_by: EndedBy::Caller });
    assert_eq!((record.waited, record.lasted), (3 * SECOND, 63 * SECOND));
    assert_eq!((record.ddi.as_str(), record.cli.as_deref()), ("+442079460101", Some("+447700900123")));
    let stages: Vec<_> =
        record.segments.iter().map(|segment| (&segment.stage, segment.from, segment.to)).collect();
    assert_eq!(
        stages,
        [
            (&Stage::Queue, Duration::ZERO, 3 * SECOND),
            (
                &Stage::Presented { agent: "agent-0".into(), result: Presentation::Answered },
                Duration::ZERO,
                3 * SECOND
            ),
            (&Stage::Talk { agent: "agent-0".into() }, 3 * SECOND, 63 * SECOND),
        ]
    );
}

#[test]
fn the_agents_bye_ends_the_callers_leg() {
    let mut world = World::new(1);
    Caller::new("c1", TRUNK).call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    agent.send(&mut world, "BYE", 1, "");
    world.expect(TRUNK, "BYE sip:c1@192.0.2.10:5060 SIP/2.0");
    assert_eq!(
        world.records[0].outcome,
        Outcome::Answered { agent: "agent-0".into(), ended_by: EndedBy::Agent }
    );
    assert_eq!(world.switch.calls(), 0);
}

#[test]
fn a_wait_and_a_talk_of_hours_go_on_until_somebody_hangs_up() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let mut plan = plan(1);
    plan.acd.agents[0].logged_in = false;
    let mut world = World::on(plan);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    world.pass(6 * HOUR);
    assert_eq!(
        (world.take_to(TRUNK).len(), world.switch.calls()),
        (0, 1),
        "nothing is sent to one who waits"
    );
    world.give(Input::Agent(AgentOrder::LogIn(AgentId(0))));
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    world.take_to(&phone(0));
    world.pass(6 * HOUR);
    assert_eq!((world.sent.len(), world.switch.calls(), world.records.len()), (0, 1, 0));
    caller.send(&mut world, "BYE", "");
    assert_eq!((world.records[0].waited, world.records[0].lasted), (6 * HOUR, 12 * HOUR));
    assert_eq!(
        world.records[0].outcome,
        Outcome::Answered { agent: "agent-0".into(), ended_by: EndedBy::Caller }
    );
}

#[test]
fn a_caller_who_gives_up_is_abandoned() {
    let mut world = World::new(0);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    world.pass(42 * SECOND);
    caller.send(&mut world, "BYE", "");
    assert_eq!(world.records[0].outcome, Outcome::Abandoned);
    assert_eq!(world.records[0].waited, 42 * SECOND);
}

#[test]
fn a_caller_who_hangs_up_while_a_phone_rings_silences_it_at_once() {
    let mut world = World::new(1);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.reply(&mut world, "180 Ringing");
    caller.send(&mut world, "BYE", "");
    let cancel = world.expect(&phone(0), "CANCEL");
    assert_eq!(header(&cancel, "CSeq"), "1 CANCEL");
    let presented = &world.records[0].segments[1].stage;
    assert_eq!(*presented, Stage::Presented { agent: "agent-0".into(), result: Presentation::CallerGone });
    world.from(&phone(0), &agent.response(&cancel, "200 OK", ""));
    agent.reply(&mut world, "487 Request Terminated");
    world.expect(&phone(0), "ACK");
    world.pass(120 * SECOND);
    assert!(world.switch.is_empty());
}

#[test]
fn an_answer_that_crosses_the_cancel_is_hung_up() {
    let mut world = World::new(1);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.reply(&mut world, "180 Ringing");
    caller.send(&mut world, "BYE", "");
    agent.answer(&mut world);
    let to_phone = world.take_to(&phone(0));
    assert!(to_phone.iter().any(|text| text.starts_with("ACK")), "{to_phone:#?}");
    assert!(to_phone.iter().any(|text| text.starts_with("BYE")), "{to_phone:#?}");
    assert_eq!(world.records.len(), 1);
    assert_eq!(world.records[0].outcome, Outcome::Abandoned);
}

#[test]
fn no_cancel_is_sent_before_the_phone_has_said_anything() {
    let mut world = World::new(1);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    caller.send(&mut world, "BYE", "");
    assert!(!world.take_to(&phone(0)).iter().any(|text| text.starts_with("CANCEL")));
    agent.reply(&mut world, "180 Ringing");
    world.expect(&phone(0), "CANCEL");
}

#[test]
fn longest_waiting_caller_and_longest_idle_agent_meet() {
    let mut world = World::new(2);
    let mut first = Caller::new("c1", TRUNK);
    first.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    world.pass(SECOND);
    first.send(&mut world, "BYE", "");
    // Agent 1 has been idle since the start, agent 0 is in wrap-up.
    Caller::new("c2", TRUNK).call(&mut world);
    Ringing::of(&mut world, 1);
}

#[test]
fn an_emergency_call_goes_before_all_who_wait() {
    let mut world = World::new(1);
    let mut busy = Caller::new("c0", TRUNK);
    busy.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    for n in 1..=5 {
        Caller::new(&format!("c{n}"), TRUNK).call(&mut world);
    }
    Caller::new("e9", TRUNK_999).call(&mut world);
    world.take_to(&phone(0));
    busy.send(&mut world, "BYE", "");
    world.pass(10 * SECOND);
    let next = Ringing::of(&mut world, 0);
    assert!(header(&next.invite, "From").contains("emergency"), "{}", next.invite);
    let presented: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| if let Event::Presented { call, .. } = event { Some(call.0) } else { None })
        .collect();
    assert_eq!(presented, [1, 7]);
    assert!(world.events.iter().any(|event| matches!(event, Event::Arrived { band: Band::EMERGENCY, .. })));
}

#[test]
fn a_full_switch_refuses_routine_calls_and_takes_emergencies() {
    let mut plan = plan(0);
    plan.sip.max_calls = 1;
    let mut world = World::on(plan);
    Caller::new("c1", TRUNK).call(&mut world);
    world.from(TRUNK, &Caller::new("c2", TRUNK).invite());
    let refused = world.expect(TRUNK, "SIP/2.0 503");
    assert_eq!(header(&refused, "Retry-After"), "5");
    Caller::new("e9", TRUNK_999).call(&mut world);
    assert_eq!(world.switch.calls(), 2);
}

#[test]
fn a_drain_refuses_routine_calls_takes_emergencies_and_says_when_all_is_over() {
    let mut world = World::new(0);
    let mut waiting = Caller::new("c1", TRUNK);
    waiting.call(&mut world);
    world.give(Input::Drain);
    world.from(TRUNK, &Caller::new("c2", TRUNK).invite());
    world.expect(TRUNK, "SIP/2.0 503");
    let mut emergency = Caller::new("e9", TRUNK_999);
    emergency.call(&mut world);
    waiting.send(&mut world, "BYE", "");
    assert!(!world.events.contains(&Event::Drained));
    emergency.send(&mut world, "BYE", "");
    assert!(world.events.contains(&Event::Drained));
}

#[test]
fn the_drain_limit_and_a_stop_hang_everyone_up() {
    for stop in [false, true] {
        let mut world = World::new(1);
        Caller::new("c1", TRUNK).call(&mut world);
        let agent = Ringing::of(&mut world, 0);
        agent.answer(&mut world);
        Caller::new("c2", TRUNK).call(&mut world);
        world.take_to(TRUNK);
        world.take_to(&phone(0));
        if stop {
            world.give(Input::Stop);
        } else {
            world.give(Input::Drain);
            world.pass(601 * SECOND);
        }
        let byes = world.take_to(TRUNK).iter().filter(|text| text.starts_with("BYE")).count();
        assert!(byes >= 2);
        let outcomes: Vec<_> = world.records.iter().map(|record| record.outcome.clone()).collect();
        assert!(outcomes.contains(&Outcome::Lost { ended_by: EndedBy::Shutdown }), "{outcomes:?}");
        assert!(world.events.contains(&Event::Drained));
    }
}

#[test]
fn a_retransmitted_invite_makes_no_second_call() {
    let mut world = World::new(0);
    let caller = Caller::new("c1", TRUNK);
    for _ in 0..5 {
        world.from(TRUNK, &caller.invite());
    }
    assert_eq!(world.switch.calls(), 1);
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    let mut world = World::new(0);
    let mut caller = Caller::new("c1", TRUNK);
    world.from(TRUNK, &caller.request("INVITE", 1, "i", ""));
    let ok = world.expect(TRUNK, "SIP/2.0 200");
    assert!(ok.contains("m=audio 30000 RTP/AVP 8 0 101"), "{ok}");
    assert!(world.media.is_empty());
    caller.to = header(&ok, "To").to_owned();
    let answer = super::world::sdp("192.0.2.50", 40000, "sendrecv");
    world.from(TRUNK, &caller.request("ACK", 1, "a", &answer));
    assert!(matches!(world.media.last(), Some(Command::Play { .. })));
}

#[test]
fn a_caller_who_never_acknowledges_is_lost_after_thirty_two_seconds() {
    let mut world = World::new(0);
    world.from(TRUNK, &Caller::new("c1", TRUNK).invite());
    world.pass(33 * SECOND);
    assert!(world.take_to(TRUNK).iter().filter(|text| text.starts_with("SIP/2.0 200")).count() > 5);
    assert_eq!(world.records[0].outcome, Outcome::Lost { ended_by: EndedBy::DeadPeer });
}

#[test]
fn a_presentation_that_rings_out_is_a_miss_without_an_answer() {
    let mut world = World::new(2);
    Caller::new("c1", TRUNK).call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.reply(&mut world, "180 Ringing");
    world.pass(20 * SECOND);
    world.expect(&phone(0), "CANCEL");
    Ringing::of(&mut world, 1);
    assert!(world.events.iter().any(|event| matches!(event, Event::Missed { cause: Cause::NoAnswer, .. })));
}

#[test]
fn no_bye_comes_before_the_ack_of_our_200() {
    let mut world = World::new(1);
    let mut caller = Caller::new("c1", TRUNK);
    world.from(TRUNK, &caller.invite());
    caller.to = header(&world.expect(TRUNK, "SIP/2.0 200"), "To").to_owned();
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    agent.send(&mut world, "BYE", 1, "");
    assert_eq!(world.switch.calls(), 0);
    assert!(world.take_to(TRUNK).iter().all(|text| !text.starts_with("BYE")), "RFC 3261, 15");
    world.from(TRUNK, &caller.request("ACK", 1, "a", ""));
    world.expect(TRUNK, "BYE sip:c1@192.0.2.10:5060 SIP/2.0");
}

#[test]
fn a_caller_who_never_acknowledges_is_hung_up_when_the_waiting_is_over() {
    let mut world = World::new(1);
    let caller = Caller::new("c1", TRUNK);
    world.from(TRUNK, &caller.invite());
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    agent.send(&mut world, "BYE", 1, "");
    world.pass(Duration::from_secs(33));
    assert!(world.take_to(TRUNK).iter().any(|text| text.starts_with("BYE")));
}
