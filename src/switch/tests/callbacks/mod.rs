//! Callbacks from the key to the talk: what callers, agents and patients hear and get.

mod dialling;
mod dialogue;
mod info;
mod keeping;
mod random;

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, World, flow, header, plan};
use crate::acd;
use crate::audio::Digit;
use crate::call::media::{self, Command};
use crate::call::record::{Outcome, PromiseOutcome, PromiseRecord};
use crate::call::speech::{self, Prompt};
use crate::id::{AgentId, ClipId, LegId};
use crate::switch::plan::Plan;
use crate::switch::{AgentOrder, Input};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Where patients are called.
const OUT: &str = "192.0.2.11:5060";

/// A line whose key is 1, and agents who are not at work yet.
fn callback_plan(agents: u32) -> Plan {
    let mut plan = plan(agents);
    plan.acd.agents.iter_mut().for_each(|agent| agent.logged_in = false);
    plan.callbacks.via = Some(flow(OUT));
    plan.treatments[0].callback_key = Some(Digit::ONE);
    plan
}

fn world(agents: u32) -> World {
    World::on(callback_plan(agents))
}

fn log_in(world: &mut World, agent: u32) {
    world.give(Input::Agent(AgentOrder::LogIn(AgentId(agent))));
}

fn patient(name: &str, number: &str) -> Caller {
    Caller { number: number.to_owned(), ..Caller::new(name, TRUNK) }
}

/// The leg that the last stream was set for.
fn last_leg(world: &World) -> LegId {
    let set = |command: &Command| if let Command::Set(stream) = command { Some(stream.leg) } else { None };
    world.media.iter().rev().find_map(set).unwrap()
}

fn press(world: &mut World, leg: LegId, key: char) {
    let digit = Digit::try_from(key).unwrap();
    world.give(Input::Media(media::Event::Digit { leg, digit }));
}

/// The announcement that a leg hears.
fn hears(world: &World, leg: LegId) -> (u32, Vec<ClipId>) {
    let said = |command: &Command| match command {
        Command::Say { leg: to, id, clips } if *to == leg => Some((*id, clips.clone())),
        _ => None,
    };
    world.media.iter().rev().find_map(said).unwrap_or_default()
}

fn clips(prompts: &[Prompt]) -> Vec<ClipId> {
    speech::clips(prompts, ClipId(100))
}

/// Lets what a leg hears come to its end.
fn hear_out(world: &mut World, leg: LegId) {
    let (id, _) = hears(world, leg);
    world.give(Input::Media(media::Event::Said { leg, id }));
}

fn listens(world: &World, leg: LegId) -> bool {
    world.media.contains(&Command::Listen { leg, on: true })
}

/// A caller who asks for a callback, confirms, hears the words and is let go.
fn promised(world: &mut World, caller: &mut Caller) -> PromiseRecord {
    caller.call(world);
    let leg = last_leg(world);
    press(world, leg, '1');
    press(world, leg, '1');
    assert_eq!(hears(world, leg).1, clips(&[Prompt::CallbackPromised]));
    hear_out(world, leg);
    world.expect(TRUNK, "BYE");
    assert_eq!(world.records.last().unwrap().outcome, Outcome::Promised);
    world.promises.last().unwrap().clone()
}

/// The patient's phone, which was sent an INVITE.
fn rung(world: &mut World) -> Ringing {
    let invite = world.expect(OUT, "INVITE");
    Ringing { at: OUT.to_owned(), invite }
}

fn rings(world: &mut World, at: &str) -> bool {
    world.take_to(at).iter().any(|text| text.starts_with("INVITE"))
}

fn outcomes(world: &World) -> Vec<PromiseOutcome> {
    world.promises.iter().filter_map(|promise| promise.settled.map(|(outcome, _)| outcome)).collect()
}

fn availability(world: &World, agent: u32) -> acd::Availability {
    world.switch.exchange.distributor().availability(AgentId(agent)).unwrap()
}

#[test]
fn a_caller_who_asks_for_it_is_called_back_when_an_agent_is_free() {
    let mut world = world(1);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let leg = last_leg(&world);
    assert!(listens(&world, leg));
    world.pass(10 * SECOND);
    press(&mut world, leg, '1');
    let read = speech::confirm_callback("+447700900123", "44", Digit::ONE, true);
    assert_eq!(hears(&world, leg).1, clips(&read));
    press(&mut world, leg, '1');
    assert_eq!(hears(&world, leg).1, clips(&[Prompt::CallbackPromised]));
    hear_out(&mut world, leg);
    world.expect(TRUNK, "BYE");
    assert_eq!((world.records[0].outcome.clone(), world.records[0].waited), (Outcome::Promised, 10 * SECOND));
    let made = world.promises[0].clone();
    assert_eq!((made.number.as_deref(), made.line.as_str()), (Some("+447700900123"), "elm-tree"));
    assert_eq!(
        (made.call, made.arrived, made.settled),
        (world.records[0].call, world.records[0].arrived, None)
    );

    log_in(&mut world, 0);
    let agent = Ringing::of(&mut world, 0);
    assert!(header(&agent.invite, "From").contains("\"elm-tree callback\""), "{}", agent.invite);
    assert!(!rings(&mut world, OUT), "the agent is reserved first");
    agent.answer(&mut world);
    let agents_leg = last_leg(&world);
    let told = [vec![Prompt::CallbackFor], speech::telephone("+447700900123", "44")].concat();
    assert_eq!(hears(&world, agents_leg).1, clips(&told));
    let phone = rung(&mut world);
    assert!(phone.invite.starts_with("INVITE sip:+447700900123@192.0.2.11:5060 SIP/2.0"), "{}", phone.invite);
    assert!(
        header(&phone.invite, "From").starts_with("<sip:+442079460101@192.0.2.1:5060>"),
        "{}",
        phone.invite
    );
    phone.reply(&mut world, "180 Ringing");
    world.pass(5 * SECOND);
    phone.answer(&mut world);
    world.expect(OUT, "ACK");
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })), "{:?}", world.media.last());
    world.pass(MINUTE);
    phone.send(&mut world, "BYE", 1, "");
    world.expect(&agent.at, "BYE");
    let record = world.records.last().unwrap();
    assert!(matches!(&record.outcome, Outcome::Answered { agent, .. } if agent == "agent-0"), "{record:?}");
    assert_eq!((record.promise, record.waited), (Some(made.promise), 5 * SECOND));
    assert_eq!(outcomes(&world), [PromiseOutcome::Reached]);
    let counters = &world.switch.counters().callbacks;
    assert_eq!((counters.promised, counters.dialled, counters.reached, counters.ended), (1, 1, 1, 1));
    assert_eq!(world.switch.promises(), 0);
}
