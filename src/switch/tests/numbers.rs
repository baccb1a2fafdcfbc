//! Callers' numbers: who rings again is known by it, and who withholds it is not shown.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, TRUNK_999, World, header, plan};
use crate::call::media::Command;
use crate::id::{AgentId, ClipId, LineId};
use crate::policy::rules::{Actions, Callers, Rule, RuleBook};
use crate::switch::{AgentOrder, Input};

const SECOND: Duration = Duration::from_secs(1);
/// What those hear who ring again.
const AGAIN: ClipId = ClipId(7);

/// One agent, who is not at work, and a rule for those who ring again.
fn world() -> World {
    let mut plan = plan(1);
    plan.acd.agents[0].logged_in = false;
    let rule = Rule {
        name: "again".into(),
        lines: vec![LineId(0)],
        callers: Callers { redial: Some(true), withheld: None },
        actions: Actions { announce: Some(AGAIN), ..Actions::default() },
        ..Rule::default()
    };
    plan.guide.rules =
        RuleBook::new(vec![rule], plan.acd.surroundings(&plan.ingress.trunks, Vec::new())).into();
    World::on(plan)
}

fn caller(world: &mut World, name: &str, number: &str) -> Caller {
    let mut caller = Caller { number: number.to_owned(), ..Caller::new(name, TRUNK) };
    caller.call(world);
    caller
}

fn hears_again(world: &mut World) -> usize {
    let said = std::mem::take(&mut world.media);
    said.iter().filter(|c| matches!(c, Command::Say { clips, .. } if *clips == [AGAIN])).count()
}

/// Whom the agent is shown when it comes to work.
fn first(world: &mut World) -> String {
    world.give(Input::Agent(AgentOrder::LogIn(AgentId(0))));
    header(&Ringing::of(world, 0).invite, "From").to_owned()
}

#[test]
fn who_rings_again_has_the_old_place_however_the_number_is_written() {
    let mut world = world();
    let mut gives_up = caller(&mut world, "c1", "07700900123");
    world.pass(10 * SECOND);
    caller(&mut world, "c2", "07700900456");
    world.pass(50 * SECOND);
    gives_up.send(&mut world, "BYE", "");
    assert_eq!(hears_again(&mut world), 0);
    world.pass(30 * SECOND);
    caller(&mut world, "c3", "+447700900123");
    assert_eq!(hears_again(&mut world), 1, "rules know it as one who rings again");
    let from = first(&mut world);
    assert!(from.contains("+447700900123"), "it came first, long ago: {from}");
}

#[test]
fn the_place_is_given_back_once_and_only_within_its_time() {
    let mut world = world();
    let mut gives_up = caller(&mut world, "c1", "07700900123");
    gives_up.send(&mut world, "BYE", "");
    world.pass(1_200 * SECOND);
    let mut late = caller(&mut world, "c2", "07700900123");
    assert_eq!(hears_again(&mut world), 0, "twenty minutes are over");
    late.send(&mut world, "BYE", "");
    caller(&mut world, "c3", "07700900123");
    caller(&mut world, "c4", "07700900123");
    assert_eq!(hears_again(&mut world), 1, "the second call beside it is a call like any other");
}

/// The INVITE that an agent gets for a caller by `trunk` who sends this header.
fn shown(trunk: &str, privacy: &str) -> String {
    let mut world = World::new(1);
    let invite = Caller::new("c1", trunk).invite();
    world.from(trunk, &invite.replacen("Contact:", &format!("{privacy}Contact:"), 1));
    world.expect(trunk, "SIP/2.0 200");
    Ringing::of(&mut world, 0).invite
}

#[test]
fn a_withheld_number_is_shown_to_no_agent_save_in_an_emergency() {
    for privacy in ["Privacy: id\r\n", "Privacy: critical;id\r\n", "Privacy: user, header\r\n"] {
        let invite = shown(TRUNK, privacy);
        assert!(!invite.contains("7700900123"), "{invite}");
        assert!(header(&invite, "From").contains("anonymous"), "{invite}");
        assert!(header(&shown(TRUNK_999, privacy), "From").contains("+447700900123"));
    }
    assert!(header(&shown(TRUNK, ""), "From").contains("+447700900123"));
    assert!(header(&shown(TRUNK, "Privacy: none\r\n"), "From").contains("+447700900123"));
}
