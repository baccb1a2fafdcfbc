//! How calls end clinically, as agents say by dialling.

use std::time::Duration;

use super::codes::dial;
use super::transfer::refer;
use super::world::{Caller, Ringing, TRUNK, World, plan};
use crate::acd::Availability;
use crate::acd::cases::Disposition;
use crate::call::media::Command;
use crate::call::speech::{self, Prompt};
use crate::id::{AgentId, CallId, ClipId};
use crate::switch::codes::{Code, Codes};
use crate::switch::{AgentOrder, Event, Input};

const SECOND: Duration = Duration::from_secs(1);

/// Agent 0 talks with the caller.
fn talking(agents: u32) -> (World, Caller, Ringing) {
    let mut plan = plan(agents);
    plan.codes = Codes { dialled: vec![("*17".into(), Code::Dispose)], ..Codes::default() };
    plan.dispositions = [("21", "advice given"), ("22", "own surgery")]
        .map(|(code, words)| Disposition { code: code.into(), words: words.into() })
        .to_vec();
    let mut world = World::on(plan);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    (world, caller, agent)
}

fn state(world: &World, agent: u32) -> Availability {
    world.switch.exchange.distributor().availability(AgentId(agent)).unwrap()
}

fn says(world: &World, prompt: Prompt) -> bool {
    let words = speech::clips(&[prompt], ClipId(100));
    world.media.iter().any(|command| matches!(command, Command::Say { clips, .. } if *clips == words))
}

#[test]
fn a_code_dialled_during_the_talk_is_in_the_record() {
    let (mut world, mut caller, _agent) = talking(1);
    dial(&mut world, 0, "agent-0", "*1721");
    assert!(says(&world, Prompt::Noted));
    assert_eq!(state(&world, 0), Availability::Talking(CallId(1)));
    dial(&mut world, 0, "agent-0", "*1722");
    caller.send(&mut world, "BYE", "");
    assert_eq!(world.records.len(), 1);
    assert_eq!(world.records[0].disposition.as_deref(), Some("22"), "the last counts");
    assert_eq!(state(&world, 0), Availability::WrapUp);
}

#[test]
fn a_code_dialled_in_the_wrap_up_amends_the_record_and_ends_the_wrap_up() {
    let (mut world, mut caller, _agent) = talking(1);
    caller.send(&mut world, "BYE", "");
    assert_eq!(world.records[0].disposition, None, "the record does not wait");
    dial(&mut world, 0, "agent-0", "*1721");
    assert_eq!(state(&world, 0), Availability::Free);
    let again = &world.records[1];
    assert_eq!((again.call, again.disposition.as_deref()), (world.records[0].call, Some("21")));
    assert!(world.events.iter().any(|event| matches!(event, Event::Disposed { code, .. } if code == "21")));
    assert!(world.switch.recent.is_empty() && world.switch.wrapping_up.is_empty());
}

#[test]
fn after_the_wrap_up_or_with_an_unknown_code_nothing_is_noted() {
    let (mut world, mut caller, _agent) = talking(1);
    for code in ["*1799", "*17", "*17*"] {
        world.media.clear();
        dial(&mut world, 0, "agent-0", code);
        assert!(says(&world, Prompt::NotRecognised), "{code}");
    }
    caller.send(&mut world, "BYE", "");
    world.pass(11 * SECOND);
    dial(&mut world, 0, "agent-0", "*1721");
    assert_eq!(world.records.len(), 1);
    assert!(world.switch.recent.is_empty() && world.switch.wrapping_up.is_empty());
}

#[test]
fn an_agent_who_handed_the_caller_on_can_still_say_how_it_ended_for_its_part() {
    let (mut world, mut caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    Ringing::of(&mut world, 1).answer(&mut world);
    world.give(Input::Agent(AgentOrder::Dispose(AgentId(0), "21".into())));
    assert_eq!(state(&world, 0), Availability::Free);
    caller.send(&mut world, "BYE", "");
    assert_eq!((world.records.len(), world.records[0].disposition.as_deref()), (1, Some("21")));
}
