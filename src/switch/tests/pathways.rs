//! Callers who are transferred to pathways.

use std::time::Duration;

use super::transfer::{has, refer, told};
use super::world::{Caller, Ringing, TRUNK, World, flow, header, phone, plan};
use crate::acd::pathway::{Kind, Outcome, Pathway};
use crate::acd::{Availability, Destination};
use crate::call::record;
use crate::id::{AgentId, CallId, DestinationId, PathwayId, ReferralId};
use crate::switch::plan::Phone;
use crate::switch::{Event, Input, PathwayOrder};

const SECOND: Duration = Duration::from_secs(1);
/// The pharmacy's phone is where a second agent's would be.
const PHARMACY: u32 = 1;

/// Agent 0 talks with the caller; a pharmacy takes two calls at once.
fn talking() -> (World, Caller, Ringing) {
    let mut plan = plan(1);
    let ring_for = 10 * SECOND;
    plan.acd.destinations = vec![Destination { name: "pharmacy".into(), capacity: 2, ring_for }];
    let uri = format!("sip:pharmacy@{}", phone(PHARMACY));
    plan.phones.extend(vec![Phone { uri, flow: flow(&phone(PHARMACY)), nat: false }; 2]);
    let pathway = |name: &str, destination| Pathway {
        name: name.into(),
        kind: Kind::Pharmacy,
        acknowledge_within: 60 * SECOND,
        destination,
        hours: None,
        gone: false,
    };
    plan.pathways = vec![pathway("pharmacy", Some(DestinationId(0))), pathway("falls", None)];
    let mut world = World::on(plan);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    world.sent.clear();
    (world, caller, agent)
}

fn report(world: &mut World, free: u32) {
    world.give(Input::Pathway(PathwayOrder::Report(PathwayId(0), free)));
}

/// Answers the OPTIONS that the pharmacy was sent, if it was.
fn answer_options(world: &mut World, status: &str) {
    for asked in world.take_to(&phone(PHARMACY)).iter().filter(|text| text.starts_with("OPTIONS")) {
        let phone = Ringing { at: phone(PHARMACY), invite: asked.clone() };
        let response = phone.response(asked, status, "");
        world.from(&phone.at, &response);
    }
}

/// The agent asks for the pharmacy, and is refused for this reason.
fn assert_refused(world: &mut World, agent: &Ringing, cseq: u32, to: &str, why: &str) {
    world.take_to(&phone(0));
    refer(world, agent, cseq, to);
    let answer = world.expect(&phone(0), "SIP/2.0 480");
    assert_eq!(header(&answer, "Warning"), format!("399 hearken \"{why}\""));
    let state = world.switch.exchange.distributor().availability(AgentId(0));
    assert_eq!(state, Some(Availability::Talking(CallId(1))), "caller and agent stay connected");
}

fn endings(world: &World) -> Vec<Outcome> {
    let ended = world.events.iter().filter_map(|event| match event {
        Event::ReferralEnded { outcome, .. } => Some(*outcome),
        _ => None,
    });
    ended.collect()
}

#[test]
fn a_pathway_of_which_nothing_is_known_is_not_rung() {
    let (mut world, _caller, agent) = talking();
    assert_refused(&mut world, &agent, 1, "pharmacy", "the pathway has not been heard of for a minute");
    assert_refused(&mut world, &agent, 2, "falls", "the pathway takes no calls");
    assert_eq!(endings(&world), []);
}

#[test]
fn a_pathway_that_answers_options_is_rung_while_its_answers_are_fresh() {
    for (seconds, refused) in [
        (10, None),
        (25, Some("the pathway cannot be reached")),
        (61, Some("the pathway has not been heard of for a minute")),
    ] {
        let (mut world, _caller, agent) = talking();
        world.pass(15 * SECOND);
        answer_options(&mut world, "200 OK");
        world.pass(seconds * SECOND);
        match refused {
            Some(why) => assert_refused(&mut world, &agent, 1, "pharmacy", why),
            None => {
                refer(&mut world, &agent, 1, "pharmacy");
                assert!(has(&world.take_to(&phone(PHARMACY)), "INVITE"));
            }
        }
    }
}

#[test]
fn a_pathway_whose_pbx_says_that_nobody_is_there_is_not_fresh() {
    let (mut world, _caller, agent) = talking();
    world.sent.clear();
    world.pass(15 * SECOND);
    answer_options(&mut world, "480 Temporarily Unavailable");
    assert_refused(&mut world, &agent, 1, "pharmacy", "the pathway has not been heard of for a minute");
}

#[test]
fn a_full_pathway_is_not_rung() {
    let (mut world, _caller, agent) = talking();
    report(&mut world, 0);
    assert_refused(&mut world, &agent, 1, "pharmacy", "the pathway is full");
    report(&mut world, 1);
    refer(&mut world, &agent, 2, "pharmacy");
    assert!(has(&world.take_to(&phone(PHARMACY)), "INVITE"));
}

#[test]
fn a_closed_pathway_is_not_rung() {
    use crate::calendar::{Calendar, Nation, Spec, Weekday, Window};
    let (world, ..) = talking();
    let mut plan = world.switch.plan().clone();
    let mut spec = Spec::empty("Europe/London", Nation::EnglandAndWales);
    spec.windows.push(Window { name: "sundays".into(), days: [Weekday::Sunday].into(), ..Window::default() });
    plan.guide.calendar = Calendar::new(spec).unwrap().into();
    plan.pathways[0].hours = Some(crate::id::WindowId(0));
    let mut world = World::on(plan);
    Caller::new("c1", TRUNK).call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    report(&mut world, 2);
    assert_refused(&mut world, &agent, 1, "pharmacy", "the pathway is closed at this hour");
}

#[test]
fn a_pathway_that_answers_has_acknowledged_and_the_agent_is_released() {
    let (mut world, mut caller, agent) = talking();
    report(&mut world, 2);
    refer(&mut world, &agent, 1, "pharmacy");
    let pharmacy = Ringing { at: phone(PHARMACY), invite: world.expect(&phone(PHARMACY), "INVITE") };
    pharmacy.answer(&mut world);
    assert_eq!(endings(&world), [Outcome::Acknowledged]);
    assert_eq!(told(&mut world, &agent).len(), 2);
    assert!(has(&world.take_to(&phone(0)), "BYE"));
    caller.send(&mut world, "BYE", "");
    let record = &world.records[0];
    assert!(matches!(&record.outcome, record::Outcome::Answered { agent, .. } if agent == "pharmacy"));
    let to = |stage: &record::Stage| matches!(stage, record::Stage::Transfer { to, .. } if to == "pharmacy");
    assert!(record.segments.iter().any(|segment| to(&segment.stage)));
}

#[test]
fn a_pathway_that_does_not_answer_or_is_busy_gives_the_caller_back() {
    for busy in [true, false] {
        let (mut world, _caller, agent) = talking();
        report(&mut world, 2);
        refer(&mut world, &agent, 1, "pharmacy");
        let pharmacy = Ringing { at: phone(PHARMACY), invite: world.expect(&phone(PHARMACY), "INVITE") };
        assert_eq!(told(&mut world, &agent).len(), 1);
        pharmacy.reply(&mut world, if busy { "486 Busy Here" } else { "180 Ringing" });
        world.pass(10 * SECOND);
        assert_eq!(endings(&world), [Outcome::Declined]);
        let told = told(&mut world, &agent);
        assert!(told[0].starts_with(if busy { "SIP/2.0 486" } else { "SIP/2.0 480" }), "{told:?}");
        let state = world.switch.exchange.distributor().availability(AgentId(0));
        assert_eq!(state, Some(Availability::Talking(CallId(1))));
        assert_eq!(world.switch.counters().referrals_returned, 1);
    }
}

#[test]
fn nobody_answers_for_a_pathway_whose_phone_rings_for_a_caller() {
    for order in [PathwayOrder::Acknowledge, PathwayOrder::Decline] {
        let (mut world, _caller, agent) = talking();
        report(&mut world, 2);
        refer(&mut world, &agent, 1, "pharmacy");
        let pharmacy = Ringing { at: phone(PHARMACY), invite: world.expect(&phone(PHARMACY), "INVITE") };
        world.give(Input::Pathway(order(ReferralId(1))));
        assert_eq!(endings(&world), []);
        pharmacy.answer(&mut world);
        assert_eq!(endings(&world), [Outcome::Acknowledged]);
    }
}

#[test]
fn a_caller_who_hangs_up_on_the_way_withdraws_the_referral() {
    let (mut world, mut caller, agent) = talking();
    report(&mut world, 2);
    refer(&mut world, &agent, 1, "pharmacy");
    caller.send(&mut world, "BYE", "");
    assert_eq!(endings(&world), [Outcome::Withdrawn]);
    world.give(Input::Pathway(PathwayOrder::Acknowledge(ReferralId(1))));
    assert_eq!(endings(&world).len(), 1, "it is over once");
}

#[test]
fn both_calls_of_a_pathway_taken_it_is_full() {
    let (mut world, _caller, agent) = talking();
    report(&mut world, 9);
    refer(&mut world, &agent, 1, "pharmacy");
    let first = Ringing { at: phone(PHARMACY), invite: world.expect(&phone(PHARMACY), "INVITE") };
    first.answer(&mut world);
    for (name, n) in [("c2", 1), ("c3", 2)] {
        world.pass(11 * SECOND);
        Caller::new(name, TRUNK).call(&mut world);
        let agent = Ringing::of(&mut world, 0);
        agent.answer(&mut world);
        world.take_to(&phone(0));
        refer(&mut world, &agent, 1, "pharmacy");
        let answer = world.take_to(&phone(0)).remove(0);
        let status = if n == 1 { "SIP/2.0 202" } else { "SIP/2.0 480" };
        assert!(answer.starts_with(status), "{answer}");
        if n == 1 {
            let second = Ringing { at: phone(PHARMACY), invite: world.expect(&phone(PHARMACY), "INVITE") };
            world.from(
                &phone(PHARMACY),
                &second.response(
                    &second.invite,
                    "200 OK",
                    &super::world::sdp("192.0.2.61", 50004, "sendrecv"),
                ),
            );
        }
    }
}

#[test]
fn pathways_keep_their_state_over_a_reload() {
    let (mut world, _caller, agent) = talking();
    report(&mut world, 2);
    let mut next = world.switch.plan().clone();
    next.pathways.reverse();
    let next = next.following(world.switch.plan(), &Default::default());
    assert_eq!(next.pathways, world.switch.plan().pathways);
    world.give(Input::Reload(Box::new(next)));
    refer(&mut world, &agent, 1, "pharmacy");
    assert!(has(&world.take_to(&phone(PHARMACY)), "INVITE"));
}
