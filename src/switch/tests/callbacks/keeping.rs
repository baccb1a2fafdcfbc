//! The place, the hours, the breach, the end: what is promised holds over restarts, reloads and stops.

use std::collections::BTreeMap;

use super::*;
use crate::calendar;
use crate::id::{LineId, WindowId};
use crate::switch::Event;
use crate::switch::callbacks::CallbackNews;
use crate::switch::following::Removed;
use crate::switch::tests::world::phone;

/// A promise at the beginning, and a caller half a minute later.
fn promise_and_caller(world: &mut World) -> Caller {
    promised(world, &mut patient("c1", "07700900001"));
    world.pass(30 * SECOND);
    let mut caller = patient("c2", "07700900002");
    caller.call(world);
    caller
}

/// Whom the agent's phone shows.
fn shown(world: &mut World, agent: u32) -> String {
    header(&Ringing::of(world, agent).invite, "From").to_owned()
}

#[test]
fn a_promise_keeps_its_place_among_the_callers() {
    let mut world = world(2);
    let mut early = patient("c0", "07700900000");
    early.call(&mut world);
    world.pass(SECOND);
    promise_and_caller(&mut world);
    log_in(&mut world, 0);
    assert!(shown(&mut world, 0).contains("+447700900000"), "who came before the promise");
    log_in(&mut world, 1);
    assert!(shown(&mut world, 1).contains("+447700900001"), "the promise before who came later");
}

#[test]
fn rules_do_not_count_promises_as_waiting() {
    let mut world = world(0);
    promise_and_caller(&mut world);
    let facts = world.switch.exchange.distributor().facts(LineId(0)).unwrap();
    assert_eq!(facts.waiting, 1);
    assert_eq!(facts.longest_since, Some(world.now.mono));
}

#[test]
fn a_promise_that_is_late_is_told_and_put_before_everybody() {
    let mut plan = callback_plan(1);
    plan.guide.callbacks.terms.breach_after = 10 * MINUTE;
    let mut world = World::on(plan);
    let mut early = patient("c0", "07700900000");
    early.call(&mut world);
    world.pass(SECOND);
    promised(&mut world, &mut patient("c1", "07700900001"));
    world.pass(10 * MINUTE);
    let told = |event: &Event| matches!(event, Event::Callback { news: CallbackNews::Escalated, .. });
    assert_eq!(world.events.iter().filter(|event| told(event)).count(), 1);
    assert!(world.promises.last().unwrap().escalated);
    log_in(&mut world, 0);
    assert!(shown(&mut world, 0).contains("+447700900001"));
}

#[test]
fn a_promise_that_could_not_be_kept_in_time_has_failed() {
    let mut world = world(0);
    promised(&mut world, &mut Caller::new("c1", TRUNK));
    world.pass(8 * 60 * MINUTE);
    assert_eq!(outcomes(&world), [PromiseOutcome::Expired]);
    assert_eq!((world.switch.promises(), world.switch.calls()), (0, 0));
    let counters = &world.switch.counters().callbacks;
    assert_eq!((counters.escalated, counters.failed), (1, 1));
}

#[test]
fn patients_are_called_in_calling_hours_only() {
    let mut plan = callback_plan(1);
    let window = calendar::Window {
        name: "noon".into(),
        days: ["mon".parse().unwrap()].into(),
        from: "12:00".parse().ok(),
        to: "13:00".parse().ok(),
        ..calendar::Window::default()
    };
    let spec = calendar::Spec {
        windows: vec![window],
        ..calendar::Spec::empty("Europe/London", calendar::Nation::EnglandAndWales)
    };
    plan.guide.calendar = calendar::Calendar::new(spec).unwrap().into();
    plan.guide.callbacks.hours = Some(WindowId(0));
    let mut world = World::on(plan);
    // It is eight o'clock on a Monday.
    promised(&mut world, &mut Caller::new("c1", TRUNK));
    log_in(&mut world, 0);
    world.pass(4 * 60 * MINUTE - SECOND);
    assert!(!rings(&mut world, &phone(0)));
    world.pass(SECOND);
    let agent = Ringing::of(&mut world, 0);
    agent.reply(&mut world, "180 Ringing");
    // Nobody answers for the whole hour: then it is too late for today.
    world.pass(60 * MINUTE);
    world.take_to(&phone(0));
    world.pass(10 * MINUTE);
    assert!(!rings(&mut world, &phone(0)));
}

#[test]
fn promises_of_an_earlier_run_are_kept_by_the_next() {
    let mut before = world(1);
    promised(&mut before, &mut patient("c1", "07700900001"));
    before.pass(SECOND);
    let mut late = patient("c2", "07700900002");
    late.call(&mut before);
    let leg = last_leg(&before);
    press(&mut before, leg, '1');
    press(&mut before, leg, '1');
    let stored = before.promises.clone();

    let mut world = world(1);
    world.pass(5 * MINUTE);
    let mut caller = patient("c3", "07700900003");
    caller.call(&mut world);
    world.pass(SECOND);
    world.give(Input::Promises(stored.clone()));
    assert_eq!(world.switch.promises(), 2);
    // Whoever asks again has the same promise.
    let again = promised(&mut world, &mut patient("c4", "07700900002"));
    assert_eq!(again.promise, stored[1].promise);
    log_in(&mut world, 0);
    let agent = Ringing::of(&mut world, 0);
    assert!(header(&agent.invite, "From").contains("+447700900001"), "before the caller of this run");
    agent.answer(&mut world);
    rung(&mut world).answer(&mut world);
    world.give(Input::Stop);
    let reached: Vec<_> = world.promises.iter().filter(|promise| promise.settled.is_some()).collect();
    assert_eq!((reached.len(), reached[0].promise), (1, stored[0].promise));
    assert!(reached[0].revision > stored[0].revision);
}

#[test]
fn what_became_of_promises_while_nothing_ran_is_told_at_the_start() {
    let mut before = world(1);
    let promise = promised(&mut before, &mut Caller::new("c1", TRUNK));
    let mut gone = PromiseRecord { line: "mill-lane".into(), ..promise.clone() };
    gone.promise.0 += 1;
    let mut world = world(1);
    world.pass(9 * 60 * MINUTE);
    world.give(Input::Promises(vec![promise, gone]));
    assert_eq!(outcomes(&world).len(), 2);
    assert!(outcomes(&world).contains(&PromiseOutcome::Expired));
    assert!(outcomes(&world).contains(&PromiseOutcome::LineGone));
    assert_eq!(world.switch.promises(), 0);
}

#[test]
fn two_runs_give_no_promise_the_same_number() {
    let (mut one, mut other) = (world(0), world(0));
    other.pass(MINUTE);
    let mut later = World::on(callback_plan(0));
    later.now = other.now;
    later.switch = crate::switch::Switch::new(callback_plan(0), [7; 32], other.now);
    let first = promised(&mut one, &mut Caller::new("c1", TRUNK));
    let second = promised(&mut later, &mut Caller::new("c1", TRUNK));
    assert!(second.promise > first.promise);
}

#[test]
fn a_stop_lets_go_of_whoever_is_dialled_and_the_promise_stays_open() {
    let mut world = world(1);
    promised(&mut world, &mut Caller::new("c1", TRUNK));
    log_in(&mut world, 0);
    Ringing::of(&mut world, 0).answer(&mut world);
    rung(&mut world).reply(&mut world, "180 Ringing");
    world.give(Input::Stop);
    world.expect(OUT, "CANCEL");
    assert_eq!((outcomes(&world), world.switch.calls()), (vec![], 0));
    assert_eq!(world.switch.promises(), 1, "for the next run");
}

#[test]
fn a_drain_calls_nobody_any_more_and_is_not_held_up_by_promises() {
    let mut world = world(1);
    promised(&mut world, &mut Caller::new("c1", TRUNK));
    world.give(Input::Drain);
    assert!(world.events.contains(&Event::Drained), "{:?}", world.events.last());
    log_in(&mut world, 0);
    assert!(!rings(&mut world, &phone(0)));
    assert!(outcomes(&world).is_empty());
}

#[test]
fn a_reload_keeps_promises_and_strands_none() {
    let mut world = world(0);
    promised(&mut world, &mut Caller::new("c1", TRUNK));
    let without = || {
        let mut plan = callback_plan(1);
        plan.acd.lines[0].name = "oak-house".into();
        plan.acd.agents[0].logged_in = true;
        plan
    };
    let refused = without().following(world.switch.plan(), &BTreeMap::new());
    world.give(Input::Reload(Box::new(refused)));
    let lines = vec![("elm-tree".to_owned(), 1)];
    assert!(world.events.contains(&Event::ReloadRefused { lines }), "{:?}", world.events);
    let remapped = BTreeMap::from([("elm-tree".to_owned(), Removed::Remap("oak-house".to_owned()))]);
    let next = without().following(world.switch.plan(), &remapped);
    world.give(Input::Reload(Box::new(next)));
    assert_eq!(world.promises.last().unwrap().line, "oak-house");
    assert!(header(&Ringing::of(&mut world, 0).invite, "From").contains("callback"));
}

#[test]
fn an_older_state_of_a_promise_never_follows_a_newer_one() {
    let mut world = world(1);
    promised(&mut world, &mut Caller::new("c1", TRUNK));
    log_in(&mut world, 0);
    Ringing::of(&mut world, 0).answer(&mut world);
    rung(&mut world).reply(&mut world, "486 Busy Here");
    world.pass(9 * 60 * MINUTE);
    let revisions: Vec<u32> = world.promises.iter().map(|promise| promise.revision).collect();
    assert!(revisions.windows(2).all(|pair| pair[0] < pair[1]), "{revisions:?}");
}

#[test]
fn a_promise_that_was_made_in_a_lost_part_of_the_log_is_kept_and_its_number_is_not_given_out_again() {
    let mut world = world(0);
    let known = promised(&mut world, &mut patient("c0", "07700900000"));
    let before = world.switch.clone();
    let lost = promised(&mut world, &mut patient("c1", "07700900001"));
    // The power was cut: the switch is what it was then, the ledger is not.
    world.switch = before;
    world.pass(SECOND);
    world.promises.clear();
    world.give(Input::Restart { seed: [9; 32], incomplete: true });
    let [again] = &world.promises[..] else { panic!("{:?}", world.promises) };
    assert_eq!(again.promise, known.promise);
    assert!(again.revision > known.revision + 100, "newer than anything that was forgotten");
    let next = promised(&mut world, &mut patient("c2", "07700900002"));
    assert_ne!(next.promise, lost.promise);
    world.give(Input::Promises(vec![known, lost, next]));
    assert_eq!((world.switch.promises(), world.switch.counters().callbacks.restored), (3, 1));
}
