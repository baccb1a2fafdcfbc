//! What one line asks of callers and agents, and how it lets callers go: as seen on the wire.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, TRUNK_999, World, flow, header, phone, plan};
use crate::acd::{Destination, Leaving, Relax, Team, WayOut, Widen};
use crate::call::media::{self, Command};
use crate::call::record::{EndedBy, Outcome};
use crate::call::speech::{self, Prompt};
use crate::id::{AgentId, ClipId, DestinationId, LineId, PracticeId, SkillId, TeamId};
use crate::policy::Practice;
use crate::policy::rules::{Actions, Callers, Rule, RuleBook};
use crate::switch::plan::{Phone, Plan};
use crate::switch::{AgentOrder, Input};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// The surgery's own telephone system, as the phone of the only seat after one agent.
const PBX: u32 = 1;

fn with_pbx(mut plan: Plan) -> Plan {
    plan.acd.destinations =
        vec![Destination { name: "pbx".into(), capacity: 1, ring_for: Duration::from_secs(20) }];
    plan.phones.push(Phone {
        uri: format!("sip:reception@{}", phone(PBX)),
        flow: flow(&phone(PBX)),
        nat: false,
    });
    plan
}

/// A caller who waits, and whose last agent then logs out while the phone rings.
fn deserted(plan: Plan) -> World {
    let mut world = World::on(plan);
    Caller::new("c1", TRUNK).call(&mut world);
    Ringing::of(&mut world, 0).reply(&mut world, "180 Ringing");
    world.give(Input::Agent(AgentOrder::LogOut(AgentId(0))));
    world
}

/// The last announcement, with its leg and number.
fn said(world: &World) -> (media::Event, Vec<ClipId>) {
    let said = world.media.iter().rev().find_map(|command| match command {
        Command::Say { leg, id, clips } => Some((media::Event::Said { leg: *leg, id: *id }, clips.clone())),
        _ => None,
    });
    said.unwrap()
}

fn clips(prompts: &[Prompt]) -> Vec<ClipId> {
    speech::clips(prompts, ClipId(100))
}

fn rings(world: &mut World, agent: u32) -> bool {
    world.take_to(&phone(agent)).iter().any(|text| text.starts_with("INVITE"))
}

#[test]
fn when_the_last_agent_logs_out_callers_are_told_and_let_go() {
    let mut plan = plan(1);
    plan.acd.lines[0].leave_when_empty = Some(WayOut::Goodbye);
    let mut world = deserted(plan);
    let (end, words) = said(&world);
    assert_eq!(words, clips(&[Prompt::NobodyCanAnswer]));
    world.give(Input::Media(end));
    world.expect(TRUNK, "BYE");
    assert_eq!(world.records[0].outcome, Outcome::Released { why: Leaving::NobodyAtWork });
}

#[test]
fn when_the_last_agent_logs_out_callers_are_asked_whether_to_be_called_back() {
    let mut plan = plan(1);
    plan.acd.lines[0].leave_when_empty = Some(WayOut::Callback);
    plan.callbacks.via = Some(flow("192.0.2.11:5060"));
    let mut world = deserted(plan);
    let (end, words) = said(&world);
    let question = speech::confirm_callback("+447700900123", "44", crate::audio::Digit::ONE, false);
    assert_eq!(words, clips(&[vec![Prompt::NobodyCanAnswer, Prompt::Pause], question].concat()));
    let media::Event::Said { leg, .. } = end else { panic!("{end:?}") };
    world.give(Input::Media(media::Event::Digit { leg, digit: crate::audio::Digit::ONE }));
    let (end, words) = said(&world);
    assert_eq!(words, clips(&[Prompt::CallbackPromised]));
    world.give(Input::Media(end));
    world.expect(TRUNK, "BYE");
    assert_eq!(world.records[0].outcome, Outcome::Promised);
}

#[test]
fn when_the_last_agent_logs_out_callers_are_offered_to_a_destination_and_keep_their_place() {
    let mut plan = with_pbx(plan(1));
    plan.acd.lines[0].leave_when_empty = Some(WayOut::RouteTo(DestinationId(0)));
    let mut world = deserted(plan);
    let pbx = Ringing::of(&mut world, PBX);
    pbx.reply(&mut world, "486 Busy Here");
    assert_eq!(world.switch.calls(), 1, "nobody is let go without a word");
    world.take_to(&phone(PBX));
    world.pass(3 * SECOND);
    Ringing::of(&mut world, PBX).answer(&mut world);
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })), "{:?}", world.media.last());
}

#[test]
fn an_emergency_caller_is_never_let_go_for_want_of_agents() {
    let mut plan = plan(1);
    plan.acd.lines[1].leave_when_empty = Some(WayOut::Goodbye);
    plan.acd.lines[1].max_wait = Some(MINUTE);
    plan.acd.lines[1].way_out = WayOut::Goodbye;
    let mut world = World::on(plan);
    Caller::new("e1", TRUNK_999).call(&mut world);
    Ringing::of(&mut world, 0).reply(&mut world, "180 Ringing");
    world.give(Input::Agent(AgentOrder::LogOut(AgentId(0))));
    world.pass(10 * MINUTE);
    assert_eq!((world.switch.calls(), world.records.len()), (1, 0));
}

#[test]
fn a_line_that_nobody_answers_takes_no_routine_caller_if_it_says_so_and_every_emergency() {
    let mut plan = plan(1);
    plan.acd.agents[0].logged_in = false;
    plan.acd.retry_after = 30 * SECOND;
    plan.acd.lines.iter_mut().for_each(|line| line.join_when_empty = false);
    let mut world = World::on(plan);
    let caller = Caller::new("c1", TRUNK);
    world.from(TRUNK, &caller.invite());
    assert_eq!(header(&world.expect(TRUNK, "SIP/2.0 503"), "Retry-After"), "30");
    Caller::new("e1", TRUNK_999).call(&mut world);
    assert_eq!(world.switch.calls(), 1);
    world.give(Input::Agent(AgentOrder::LogIn(AgentId(0))));
    Caller::new("c2", TRUNK).call(&mut world);
    assert_eq!(world.switch.calls(), 2);
}

#[test]
fn of_one_practice_only_so_many_may_wait_and_the_rest_are_sent_back() {
    let mut plan = plan(0);
    plan.ingress.practices = vec![Practice { name: "elm-tree".into(), ods: None }];
    plan.ingress.trunks.iter_mut().for_each(|trunk| trunk.practice = Some(PracticeId(0)));
    plan.acd.lines.iter_mut().for_each(|line| line.most_per_practice = Some(1));
    let mut world = World::on(plan);
    let mut first = Caller::new("c1", TRUNK);
    first.call(&mut world);
    let second = Caller::new("c2", TRUNK);
    world.from(TRUNK, &second.invite());
    world.expect(TRUNK, "SIP/2.0 503");
    for name in ["e1", "e2"] {
        Caller::new(name, TRUNK_999).call(&mut world);
    }
    first.send(&mut world, "BYE", "");
    Caller::new("c3", TRUNK).call(&mut world);
    assert_eq!(world.switch.calls(), 3);
}

#[test]
fn who_has_waited_long_enough_is_answered_by_another_team_too() {
    let mut plan = plan(2);
    plan.acd.teams[0].agents = Vec::new();
    plan.acd.teams.push(Team { name: "others".into(), agents: vec![AgentId(1)], ..Team::default() });
    plan.acd.lines[0].widen = vec![Widen { after: 3 * MINUTE, add_teams: vec![TeamId(1)] }];
    let mut world = World::on(plan);
    Caller::new("c1", TRUNK).call(&mut world);
    world.pass(3 * MINUTE - SECOND);
    assert!(!rings(&mut world, 1));
    Caller::new("c2", TRUNK).call(&mut world);
    world.pass(SECOND);
    assert!(rings(&mut world, 1));
}

#[test]
fn who_has_waited_long_enough_is_answered_by_someone_who_knows_less() {
    let mut plan = plan(1);
    plan.acd.skills = vec!["nursing".into()];
    plan.acd.agents[0].skills = [(SkillId(0), 1)].into();
    plan.acd.lines[0].needs = [(SkillId(0), 2)].into();
    plan.acd.lines[0].relax = vec![Relax { after: 2 * MINUTE, needs: [(SkillId(0), 1)].into() }];
    let mut world = World::on(plan);
    Caller::new("c1", TRUNK).call(&mut world);
    world.pass(2 * MINUTE - SECOND);
    assert!(!rings(&mut world, 0));
    world.pass(SECOND);
    Ringing::of(&mut world, 0).answer(&mut world);
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })));
}

#[test]
fn a_rules_priority_counts_as_time_waited_for_those_whom_it_touches() {
    for (waited, first) in [(60, "c2"), (180, "c1")] {
        let mut plan = plan(1);
        plan.acd.agents[0].logged_in = false;
        let rule = Rule {
            name: "favour".into(),
            lines: vec![LineId(0)],
            callers: Callers { withheld: Some(true), redial: None },
            actions: Actions { priority: Some(2 * MINUTE), ..Actions::default() },
            ..Rule::default()
        };
        plan.guide.rules =
            RuleBook::new(vec![rule], plan.acd.surroundings(&plan.ingress.trunks, Vec::new())).into();
        let mut world = World::on(plan);
        let mut known = Caller::new("c1", TRUNK);
        known.call(&mut world);
        world.pass(waited * SECOND);
        let mut hidden = Caller::new("c2", TRUNK);
        world.from(TRUNK, &hidden.invite().replacen("Contact:", "Privacy: id\r\nContact:", 1));
        hidden.to = header(&world.expect(TRUNK, "SIP/2.0 200"), "To").to_owned();
        world.from(TRUNK, &hidden.request("ACK", 1, "a", ""));
        world.give(Input::Agent(AgentOrder::LogIn(AgentId(0))));
        Ringing::of(&mut world, 0).answer(&mut world);
        let served = if first == "c1" { &mut known } else { &mut hidden };
        served.send(&mut world, "BYE", "");
        let outcome = &world.records[0].outcome;
        assert_eq!(
            *outcome,
            Outcome::Answered { agent: "agent-0".into(), ended_by: EndedBy::Caller },
            "{first} is first after {waited} seconds"
        );
    }
}
