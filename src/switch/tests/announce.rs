//! What callers are told while they wait, and that it delays nobody.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, World, plan};
use crate::acd::announce::Schedule;
use crate::acd::estimate;
use crate::call::media::{self, Command};
use crate::call::speech::{self, Prompt};
use crate::id::{AgentId, ClipId, LegId, LineId};
use crate::policy::rules::{Actions, Condition, Measure, Rule, RuleBook};
use crate::switch::{AgentOrder, Input};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// The clip of the rule.
const BUSY: ClipId = ClipId(7);

/// A line that says `BUSY` while more than one waits, with agents who are not at work.
fn busy_line(agents: u32) -> World {
    let mut plan = plan(agents);
    plan.acd.agents.iter_mut().for_each(|agent| agent.logged_in = false);
    let rule = Rule {
        name: "busy".into(),
        lines: vec![LineId(0)],
        when_any: vec![Condition::over(Measure::Waiting, 1)],
        actions: Actions { announce: Some(BUSY), ..Actions::default() },
        ..Rule::default()
    };
    plan.guide.rules =
        RuleBook::new(vec![rule], plan.acd.surroundings(&plan.ingress.trunks, Vec::new())).into();
    World::on(plan)
}

/// A line with this schedule, and agents who are not at work.
fn telling(schedule: Schedule, agents: u32) -> World {
    let mut plan = plan(agents);
    plan.acd.agents.iter_mut().for_each(|agent| agent.logged_in = false);
    plan.guide.announcements = vec![Some(schedule), None];
    World::on(plan)
}

/// A caller who joins the line; its leg.
fn joins(world: &mut World, name: &str) -> (Caller, LegId) {
    let mut caller = Caller::new(name, TRUNK);
    caller.call(world);
    let leg = world.media.iter().rev().find_map(|command| match command {
        Command::Set(stream) => Some(stream.leg),
        _ => None,
    });
    (caller, leg.unwrap())
}

/// All that was said to a leg.
fn told(world: &World, leg: LegId) -> Vec<Vec<ClipId>> {
    let said = world.media.iter().filter_map(|command| match command {
        Command::Say { leg: to, clips, .. } if *to == leg => Some(clips.clone()),
        _ => None,
    });
    said.collect()
}

fn clips(prompts: &[Prompt]) -> Vec<ClipId> {
    speech::clips(prompts, ClipId(100))
}

fn log_in(world: &mut World, agent: u32) {
    world.give(Input::Agent(AgentOrder::LogIn(AgentId(agent))));
}

#[test]
fn a_rule_says_its_clip_once_to_each_who_waits() {
    let mut world = busy_line(0);
    let (_first, one) = joins(&mut world, "c1");
    assert!(told(&world, one).is_empty(), "one waits, not over one");
    let (_second, two) = joins(&mut world, "c2");
    let (_third, three) = joins(&mut world, "c3");
    world.pass(10 * MINUTE);
    for leg in [one, two, three] {
        assert_eq!(told(&world, leg), [[BUSY]]);
    }
}

#[test]
fn a_caller_who_hears_an_announcement_is_presented_and_bridged_in_the_same_step() {
    let mut world = busy_line(1);
    let (_first, one) = joins(&mut world, "c1");
    joins(&mut world, "c2");
    assert_eq!(told(&world, one), [[BUSY]], "it is being said");
    log_in(&mut world, 0);
    let agent = Ringing::of(&mut world, 0);
    assert!(agent.invite.contains("+447700900123"));
    agent.answer(&mut world);
    let Some(&Command::Bridge { a, b }) = world.media.last() else { panic!("{:?}", world.media.last()) };
    assert!([a, b].contains(&one), "before the announcement has come to its end");
    world.give(Input::Media(media::Event::Said { leg: one, id: 1 }));
    assert_eq!(world.switch.calls(), 2, "its end changes nothing any more");
}

#[test]
fn callers_are_told_their_places_when_they_are_due_and_no_worse_ones_later() {
    let schedule =
        Schedule { first: 30 * SECOND, every: MINUTE, position: true, estimate: false, offer_again: 0 };
    let mut world = telling(schedule, 1);
    let (_first, one) = joins(&mut world, "c1");
    world.pass(10 * SECOND);
    let (_second, two) = joins(&mut world, "c2");
    world.pass(20 * SECOND);
    assert_eq!(told(&world, one), [clips(&speech::position(1))]);
    assert!(told(&world, two).is_empty(), "it came ten seconds later");
    world.pass(10 * SECOND);
    assert_eq!(told(&world, two), [clips(&speech::position(2))]);
    log_in(&mut world, 0);
    Ringing::of(&mut world, 0).answer(&mut world);
    world.pass(MINUTE);
    assert_eq!(told(&world, two), [clips(&speech::position(2)), clips(&speech::position(1))]);
    assert_eq!(told(&world, one).len(), 1, "nothing breaks into a talk");
}

#[test]
fn callers_are_told_how_long_it_may_take_once_that_was_right_often_enough() {
    let schedule = Schedule {
        first: 5 * SECOND,
        every: Duration::ZERO,
        position: false,
        estimate: true,
        offer_again: 0,
    };
    let mut plan = plan(1);
    plan.acd.lines[0].wrap_up = Duration::ZERO;
    plan.guide.announcements = vec![Some(schedule), None];
    plan.guide.estimates = estimate::Settings {
        fewest_answers: 2,
        fewest_tried: 2,
        most_late: 100,
        most_early: 100,
        ..Default::default()
    };
    let mut world = World::on(plan);
    let (mut talking, first) = joins(&mut world, "c0");
    Ringing::of(&mut world, 0).answer(&mut world);
    let mut legs = vec![first];
    for name in ["c1", "c2", "c3", "c4", "c5", "c6"] {
        let (next, leg) = joins(&mut world, name);
        legs.push(leg);
        world.pass(MINUTE);
        talking.send(&mut world, "BYE", "");
        Ringing::of(&mut world, 0).answer(&mut world);
        talking = next;
    }
    assert!(told(&world, legs[1]).is_empty(), "nothing was known yet");
    let last = told(&world, legs[6]);
    let mut ranges = (0..5).flat_map(|from| (1..30).map(move |to| (MINUTE * from, MINUTE * to)));
    assert_eq!(last.len(), 1);
    assert!(ranges.any(|(from, to)| clips(&speech::estimate(from, to)) == last[0]), "{last:?}");
}

#[test]
fn a_line_without_music_has_ring_tone_and_never_silence() {
    for greeting in [Some(ClipId(0)), None] {
        let mut plan = plan(0);
        plan.treatments[0].music = None;
        plan.treatments[0].greeting = greeting;
        let mut world = World::on(plan);
        let (_caller, leg) = joins(&mut world, "c1");
        let heard: Vec<ClipId> = greeting.into_iter().chain(clips(&[Prompt::RingTone])).collect();
        assert_eq!(world.media.last(), Some(&Command::Play { leg, clips: heard, looped: true }));
    }
}
