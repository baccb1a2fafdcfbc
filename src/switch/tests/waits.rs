//! Waits that hubs report to each other in the answers to OPTIONS.

use std::time::Duration;

use super::world::{Caller, Ringing, STRANGER, TRUNK, TRUNK_999, World, flow, phone, plan};
use crate::acd::{Destination, estimate};
use crate::call::media::Command;
use crate::call::speech::{self, Prompt};
use crate::id::{ClipId, DestinationId, LineId};
use crate::policy::rules::{Actions, Condition, Measure, RouteTo, Rule, RuleBook};
use crate::switch::plan::Phone;

const SECOND: Duration = Duration::from_secs(1);
/// The hub next door, as the phone of the only seat after one agent.
const BUDDY: u32 = 1;

/// One agent; callers who wait are offered to the hub next door while it answers sooner.
fn hub() -> World {
    let mut plan = plan(1);
    plan.sip.probe_every = 30 * SECOND;
    plan.acd.lines[0].wrap_up = Duration::ZERO;
    plan.acd.destinations =
        vec![Destination { name: "buddy".into(), capacity: 1, ring_for: Duration::from_secs(20) }];
    plan.phones.push(Phone {
        uri: format!("sip:02079460101@{}", phone(BUDDY)),
        flow: flow(&phone(BUDDY)),
        nat: false,
    });
    let route_to = Some(RouteTo { destination: DestinationId(0), if_its_wait_is_less: true });
    let rule = Rule {
        name: "sooner".into(),
        lines: vec![LineId(0)],
        when_all: vec![Condition::over(Measure::Waiting, 0)],
        actions: Actions { route_to, ..Actions::default() },
        ..Rule::default()
    };
    let surroundings = plan.acd.surroundings(&plan.ingress.trunks, Vec::new());
    plan.guide.rules = RuleBook::new(vec![rule], surroundings).into();
    plan.guide.estimates = estimate::Settings {
        fewest_answers: 2,
        fewest_tried: 2,
        most_late: 100,
        most_early: 100,
        ..Default::default()
    };
    World::on(plan)
}

/// Six callers, each of whom the agent talks with for a minute; the last is left talking.
fn busy(world: &mut World) {
    let mut callers: Vec<_> = (0..6).map(|n| Caller::new(&format!("b{n}"), TRUNK)).collect();
    callers[0].call(world);
    Ringing::of(world, 0).answer(world);
    for next in 1..callers.len() {
        callers[next].call(world);
        world.pass(60 * SECOND);
        callers[next - 1].send(world, "BYE", "");
        Ringing::of(world, 0).answer(world);
    }
}

/// What the hub next door says when it is next asked, from this address.
fn says(world: &mut World, header: &str, from: &str) {
    let at = phone(BUDDY);
    world.take_to(&at);
    let options = loop {
        world.pass(SECOND / 10);
        if let Some(found) = world.take_to(&at).into_iter().find(|text| text.starts_with("OPTIONS")) {
            break found;
        }
    };
    let ringing = Ringing { at, invite: options.clone() };
    let response = ringing.response(&options, "200 OK", "").replace("Contact:", &format!("{header}Contact:"));
    world.from(from, &response);
}

fn reported(world: &World) -> Option<u64> {
    world.switch.exchange.distributor().reported(DestinationId(0)).map(|wait| wait.as_secs())
}

/// Whether a caller who comes now is offered to the hub next door.
fn goes_on(world: &mut World, name: &str) -> bool {
    world.take_to(&phone(BUDDY));
    Caller::new(name, TRUNK).call(world);
    world.take_to(&phone(BUDDY)).iter().any(|text| text.starts_with("INVITE"))
}

/// The wait that is told to whoever asks from this address.
fn told(world: &mut World, name: &str, at: &str) -> Option<u64> {
    world.take_to(at);
    world.from(at, &Caller::new(name, at).request("OPTIONS", 1, "o", ""));
    let answer = world.expect(at, "SIP/2.0 200");
    let told = answer.lines().find_map(|line| line.strip_prefix("X-Hearken-Wait: "))?;
    Some(told.parse().unwrap())
}

#[test]
fn a_caller_whom_the_surgery_is_tried_for_first_hears_ring_tone_and_the_greeting_when_that_is_over() {
    let ring_tone = *speech::clips(&[Prompt::RingTone], ClipId(100)).first().unwrap();
    let played = |world: &World| -> Vec<Vec<u32>> {
        let plays = world.media.iter().filter_map(|command| match command {
            Command::Play { clips, looped: true, .. } => Some(clips.iter().map(|clip| clip.0).collect()),
            _ => None,
        });
        plays.collect()
    };
    let mut world = hub();
    let mut plan = world.switch.plan().clone();
    plan.acd.lines[0].first = Some(DestinationId(0));
    world = World::on(plan);
    world.pass(Duration::ZERO);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let pbx = Ringing::of(&mut world, BUDDY);
    assert_eq!(played(&world), [[ring_tone.0].to_vec()]);
    pbx.reply(&mut world, "486 Busy Here");
    Ringing::of(&mut world, 0);
    assert_eq!(played(&world)[1..], [vec![0, 1]], "greeting and music");
    caller.send(&mut world, "BYE", "");
    world.pass(5 * SECOND);
    Caller::new("c2", TRUNK).call(&mut world);
    Ringing::of(&mut world, BUDDY).reply(&mut world, "180 Ringing");
    assert_eq!(played(&world)[2..], [[ring_tone.0].to_vec()]);
    Caller::new("c3", TRUNK).call(&mut world);
    assert_eq!(played(&world)[3..], [vec![0, 1]], "there is no room at the surgery");
    world.pass(19 * SECOND);
    assert_eq!(played(&world).len(), 4);
    world.pass(SECOND);
    assert_eq!(played(&world)[4..], [vec![0, 1]], "it has rung in vain");
}

#[test]
fn callers_are_offered_to_a_hub_that_answers_sooner_and_to_no_other() {
    let mut world = hub();
    busy(&mut world);
    assert!(!goes_on(&mut world, "c1"), "it has said nothing");
    says(&mut world, "X-Hearken-Wait: 3600\r\n", &phone(BUDDY));
    assert!(!goes_on(&mut world, "c2"), "it says an hour");
    says(&mut world, "X-Hearken-Wait: 5\r\n", &phone(BUDDY));
    let invited = world.take_to(&phone(BUDDY)).iter().any(|text| text.starts_with("INVITE"));
    assert!(invited, "whoever waits already goes on too");
}

#[test]
fn a_report_is_believed_only_from_the_address_that_was_asked() {
    let mut world = hub();
    says(&mut world, "X-Hearken-Wait: 5\r\n", STRANGER);
    assert_eq!(reported(&world), None);
    says(&mut world, "X-Hearken-Wait: 5\r\n", &phone(BUDDY));
    assert_eq!(reported(&world), Some(5));
}

#[test]
fn a_report_is_forgotten_after_a_minute_and_when_the_hub_no_longer_says() {
    let mut world = hub();
    says(&mut world, "X-Hearken-Wait: 5\r\n", &phone(BUDDY));
    world.pass(59 * SECOND);
    assert_eq!(reported(&world), Some(5));
    world.pass(2 * SECOND);
    assert_eq!(reported(&world), None);
    for nothing in ["", "X-Hearken-Wait: soon\r\n", "X-Hearken-Wait: 99999999\r\n"] {
        says(&mut world, "X-Hearken-Wait: 5\r\n", &phone(BUDDY));
        assert_eq!(reported(&world), Some(5));
        says(&mut world, nothing, &phone(BUDDY));
        assert_eq!(reported(&world), None, "{nothing:?}");
    }
}

#[test]
fn a_trunk_that_asks_is_told_the_wait_of_its_own_line_while_it_is_known() {
    let mut world = hub();
    assert_eq!(told(&mut world, "o1", TRUNK), Some(0), "an agent is free");
    assert_eq!(told(&mut world, "o2", TRUNK_999), None);
    Caller::new("c1", TRUNK).call(&mut world);
    assert_eq!(told(&mut world, "o3", TRUNK), None, "there is no estimate");
    let mut world = hub();
    busy(&mut world);
    let wait = told(&mut world, "o4", TRUNK);
    assert!(wait.is_some_and(|wait| (10..600).contains(&wait)), "{wait:?}");
    world.give(crate::switch::Input::Drain);
    assert_eq!(told(&mut world, "o5", TRUNK), None, "no caller is taken any more");
}

#[test]
fn what_a_hub_said_does_not_hold_for_another_at_its_place() {
    let mut world = hub();
    says(&mut world, "X-Hearken-Wait: 5\r\n", &phone(BUDDY));
    let mut plan = world.switch.plan().clone();
    world.give(crate::switch::Input::Reload(Box::new(plan.clone())));
    assert_eq!(reported(&world), Some(5));
    (plan.phones[1].uri, plan.phones[1].flow) = ("sip:other@192.0.2.77:5060".into(), flow("192.0.2.77:5060"));
    world.give(crate::switch::Input::Reload(Box::new(plan)));
    assert_eq!(reported(&world), None);
}
