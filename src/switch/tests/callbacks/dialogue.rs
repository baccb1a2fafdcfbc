//! The talk with the machine: who may have it, how it ends, and that it delays nobody.

use super::*;
use crate::acd::announce::Schedule;
use crate::acd::{Leaving, WayOut};
use crate::id::{CallId, LineId};
use crate::policy::rules::{Actions, Condition, Measure, Rule, RuleBook};
use crate::switch::Event;
use crate::switch::tests::world::TRUNK_999;

/// A line that says this, and offers a callback, while more than one waits.
fn busy_plan(announce: Option<ClipId>) -> Plan {
    let mut plan = callback_plan(0);
    let rule = Rule {
        name: "busy".into(),
        lines: vec![LineId(0)],
        when_any: vec![Condition::over(Measure::Waiting, 1)],
        actions: Actions { offer_callback: true, announce, ..Actions::default() },
        ..Rule::default()
    };
    plan.guide.rules =
        RuleBook::new(vec![rule], plan.acd.surroundings(&plan.ingress.trunks, Vec::new())).into();
    let schedule =
        Schedule { first: MINUTE, every: MINUTE, position: false, estimate: false, offer_again: 3 };
    plan.guide.announcements = vec![Some(schedule), None];
    plan
}

fn asked(world: &mut World, caller: &mut Caller) -> LegId {
    caller.call(world);
    let leg = last_leg(world);
    press(world, leg, '1');
    leg
}

#[test]
fn a_caller_who_presses_another_key_or_none_waits_on_in_the_same_place() {
    for keys in ["*", "2", ""] {
        let mut world = world(1);
        let mut caller = Caller::new("c1", TRUNK);
        let leg = asked(&mut world, &mut caller);
        for key in keys.chars() {
            press(&mut world, leg, key);
        }
        hear_out(&mut world, leg);
        world.pass(11 * SECOND);
        assert_eq!(world.media.last(), Some(&Command::Hush { leg }), "{keys:?}");
        press(&mut world, leg, '2');
        assert!(world.promises.is_empty() && world.switch.calls() == 1);
        log_in(&mut world, 0);
        Ringing::of(&mut world, 0).answer(&mut world);
        assert!(matches!(world.media.last(), Some(Command::Bridge { .. })));
    }
}

#[test]
fn an_agent_who_answers_cuts_the_talk_with_the_machine_and_nothing_is_promised() {
    let mut world = world(1);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let leg = last_leg(&world);
    log_in(&mut world, 0);
    let agent = Ringing::of(&mut world, 0);
    press(&mut world, leg, '1');
    agent.answer(&mut world);
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })), "at once");
    press(&mut world, leg, '1');
    world.pass(MINUTE);
    assert!(world.promises.is_empty() && world.records.is_empty());
    caller.send(&mut world, "BYE", "");
    assert!(matches!(world.records[0].outcome, Outcome::Answered { .. }));
}

#[test]
fn an_agent_who_answers_before_the_promise_is_safe_has_the_caller() {
    let mut world = world(1);
    world.disk = false;
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let leg = last_leg(&world);
    log_in(&mut world, 0);
    let agent = Ringing::of(&mut world, 0);
    press(&mut world, leg, '1');
    press(&mut world, leg, '1');
    agent.answer(&mut world);
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })));
    let promise = world.promises[0].promise;
    world.give(Input::Kept(promise));
    assert_eq!(outcomes(&world), [PromiseOutcome::OwnCall]);
    caller.send(&mut world, "BYE", "");
    assert!(matches!(world.records[0].outcome, Outcome::Answered { .. }));
}

#[test]
fn a_caller_who_hangs_up_before_the_confirmation_is_not_called_back_and_one_after_it_is() {
    let mut world = world(1);
    world.disk = false;
    let mut undecided = patient("c1", "07700900001");
    asked(&mut world, &mut undecided);
    undecided.send(&mut world, "BYE", "");
    assert_eq!(world.records[0].outcome, Outcome::Abandoned);
    let mut quick = patient("c2", "07700900002");
    let leg = asked(&mut world, &mut quick);
    press(&mut world, leg, '1');
    quick.send(&mut world, "BYE", "");
    assert_eq!(world.records[1].outcome, Outcome::Promised);
    log_in(&mut world, 0);
    assert!(header(&Ringing::of(&mut world, 0).invite, "From").contains("+447700900002"));
}

#[test]
fn what_no_disk_takes_is_not_promised_and_the_caller_waits_on() {
    let mut world = world(1);
    world.disk = false;
    let mut caller = Caller::new("c1", TRUNK);
    let leg = asked(&mut world, &mut caller);
    press(&mut world, leg, '1');
    assert!(!world.media.iter().any(
        |c| matches!(c, Command::Say { clips: said, .. } if *said == clips(&[Prompt::CallbackPromised]))
    ));
    world.pass(3 * SECOND);
    assert_eq!(hears(&world, leg).1, clips(&[Prompt::CallbackNotNow]));
    assert_eq!(outcomes(&world), [PromiseOutcome::Cancelled]);
    // The disk is back, and so is the offer.
    world.disk = true;
    press(&mut world, leg, '1');
    press(&mut world, leg, '1');
    hear_out(&mut world, leg);
    assert_eq!(world.records[0].outcome, Outcome::Promised);
}

#[test]
fn nobody_is_offered_a_callback_who_cannot_be_called() {
    let withheld: fn(String) -> String = |text| text.replacen("Contact:", "Privacy: id\r\nContact:", 1);
    let none: fn(String) -> String = |text| text;
    for (what, at, number, change) in [
        ("an emergency", TRUNK_999, "07700900123", none),
        ("withheld", TRUNK, "07700900123", withheld),
        ("anonymous", TRUNK, "anonymous", none),
        ("abroad", TRUNK, "+14155550100", none),
    ] {
        let mut plan = callback_plan(0);
        plan.treatments[1].callback_key = Some(Digit::ONE);
        plan.acd.lines[0].max_wait = Some(MINUTE);
        plan.acd.lines[0].way_out = WayOut::Callback;
        let mut world = World::on(plan);
        let mut caller = Caller { at: at.to_owned(), ..patient("c1", number) };
        world.from(at, &change(caller.invite()));
        caller.to = header(&world.expect(at, "SIP/2.0 200"), "To").to_owned();
        world.from(at, &caller.request("ACK", 1, "a", ""));
        let leg = last_leg(&world);
        press(&mut world, leg, '1');
        press(&mut world, leg, '1');
        assert!(!listens(&world, leg) && world.promises.is_empty(), "{what}");
        world.pass(MINUTE);
        let goodbye = at == TRUNK;
        assert_eq!(hears(&world, leg).1 == clips(&[Prompt::NobodyCanAnswer]), goodbye, "{what}");
    }
}

#[test]
fn a_rule_tells_those_who_wait_the_key_and_nobody_else() {
    let mut plan = busy_plan(None);
    plan.treatments[0].callback_key = None;
    let mut world = World::on(plan);
    let mut first = patient("c1", "07700900001");
    first.call(&mut world);
    let leg = last_leg(&world);
    press(&mut world, leg, '1');
    assert!(!listens(&world, leg), "the key means nothing to one who was not told");
    patient("c2", "07700900002").call(&mut world);
    let second = last_leg(&world);
    patient("c3", "anonymous").call(&mut world);
    let third = last_leg(&world);
    world.pass(MINUTE);
    let offer = clips(&speech::offer_callback(Digit::ONE));
    assert_eq!((hears(&world, leg).1, hears(&world, second).1), (offer.clone(), offer));
    assert!(hears(&world, third).1.is_empty());
    press(&mut world, leg, '1');
    press(&mut world, leg, '1');
    assert_eq!(hears(&world, leg).1, clips(&[Prompt::CallbackPromised]));
}

#[test]
fn a_rule_is_said_to_have_told_nobody_who_was_just_being_asked() {
    let mut world = World::on(busy_plan(Some(ClipId(7))));
    asked(&mut world, &mut patient("c1", "07700900001"));
    patient("c2", "07700900002").call(&mut world);
    world.pass(SECOND);
    let told: Vec<&Event> = world
        .events
        .iter()
        .filter(|event| matches!(event, Event::Announced { .. } | Event::Offered { .. }))
        .collect();
    let (call, rule) = (CallId(2), "busy".to_owned());
    assert_eq!(told, [&Event::Announced { call, rule: rule.clone() }, &Event::Offered { call, rule }]);
}

#[test]
fn a_caller_handed_to_an_emergency_line_is_asked_nothing_there() {
    let mut plan = callback_plan(1);
    plan.treatments[1].callback_key = Some(Digit::ONE);
    let mut world = World::on(plan);
    log_in(&mut world, 0);
    Caller::new("c1", TRUNK).call(&mut world);
    let leg = last_leg(&world);
    Ringing::of(&mut world, 0).answer(&mut world);
    world.media.clear();
    world.give(Input::Agent(AgentOrder::Transfer(AgentId(0), "emergency".into())));
    assert!(world.events.contains(&Event::Flagged { call: CallId(1), line: "emergency".into() }));
    press(&mut world, leg, '1');
    assert!(!listens(&world, leg) && hears(&world, leg).1.is_empty());
    assert!(world.switch.calls[&CallId(1)].show_cli, "whoever answers must be able to ring back");
}

#[test]
fn no_announcement_breaks_into_the_reading_of_the_number() {
    let mut plan = callback_plan(0);
    let schedule =
        Schedule { first: 5 * SECOND, every: 5 * SECOND, position: true, estimate: false, offer_again: 0 };
    plan.guide.announcements = vec![Some(schedule), None];
    let mut world = World::on(plan);
    let mut caller = Caller::new("c1", TRUNK);
    let leg = asked(&mut world, &mut caller);
    let before = hears(&world, leg);
    world.pass(12 * SECOND);
    assert_eq!(hears(&world, leg), before);
}

#[test]
fn a_second_request_of_one_patient_is_the_same_promise() {
    let mut world = world(1);
    let first = promised(&mut world, &mut Caller::new("c1", TRUNK));
    world.pass(MINUTE);
    let second = promised(&mut world, &mut Caller::new("c2", TRUNK));
    assert_eq!((second.promise, second.arrived, second.call), (first.promise, first.arrived, first.call));
    assert_eq!(world.switch.promises(), 1);
}

#[test]
fn a_caller_who_has_waited_too_long_is_asked_and_told_goodbye_unless_it_confirms() {
    for confirms in [true, false] {
        let mut plan = callback_plan(1);
        plan.treatments[0].callback_key = None;
        plan.acd.lines[0].max_wait = Some(MINUTE);
        plan.acd.lines[0].way_out = WayOut::Callback;
        let mut world = World::on(plan);
        let mut caller = Caller::new("c1", TRUNK);
        caller.call(&mut world);
        let leg = last_leg(&world);
        world.pass(MINUTE);
        let read = speech::confirm_callback("+447700900123", "44", Digit::ONE, false);
        let words = [vec![Prompt::NobodyCanAnswer, Prompt::Pause], read].concat();
        assert_eq!(hears(&world, leg).1, clips(&words));
        hear_out(&mut world, leg);
        if confirms {
            press(&mut world, leg, '1');
            hear_out(&mut world, leg);
            assert_eq!(world.records[0].outcome, Outcome::Promised);
            assert_eq!(world.promises[0].arrived, world.records[0].arrived);
            log_in(&mut world, 0);
            Ringing::of(&mut world, 0).answer(&mut world);
            rung(&mut world);
        } else {
            world.pass(11 * SECOND);
            assert_eq!(hears(&world, leg).1, clips(&[Prompt::NobodyCanAnswer]));
            hear_out(&mut world, leg);
            assert_eq!(world.records[0].outcome, Outcome::Released { why: Leaving::WaitedTooLong });
            assert!(world.promises.is_empty());
        }
        world.expect(TRUNK, "BYE");
    }
}

#[test]
fn one_who_is_just_confirming_when_the_wait_is_over_may_finish() {
    let mut plan = callback_plan(0);
    plan.acd.lines[0].max_wait = Some(MINUTE);
    plan.acd.lines[0].way_out = WayOut::Goodbye;
    let mut world = World::on(plan);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let leg = last_leg(&world);
    world.pass(55 * SECOND);
    press(&mut world, leg, '1');
    let before = hears(&world, leg);
    world.pass(7 * SECOND);
    assert_eq!(hears(&world, leg), before);
    press(&mut world, leg, '1');
    hear_out(&mut world, leg);
    assert_eq!(world.records[0].outcome, Outcome::Promised);
}

#[test]
fn when_there_are_as_many_promises_as_may_be_no_more_are_made() {
    let mut plan = callback_plan(0);
    plan.guide.callbacks.terms.most = 1;
    let mut world = World::on(plan);
    promised(&mut world, &mut patient("c1", "07700900001"));
    let mut caller = patient("c2", "07700900002");
    let leg = asked(&mut world, &mut caller);
    press(&mut world, leg, '1');
    assert_eq!(hears(&world, leg).1, clips(&[Prompt::CallbackNotNow]));
    assert_eq!((world.switch.promises(), world.switch.counters().callbacks.not_made), (1, 1));
}
