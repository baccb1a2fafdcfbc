//! Agents who dial feature codes.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, World, header, phone, plan, sdp};
use crate::acd::{Availability, PauseReason};
use crate::call::media::{self, Command};
use crate::call::speech::{self, Prompt};
use crate::id::{AgentId, ClipId};
use crate::switch::Input;
use crate::switch::codes::{Code, Codes};

const SECOND: Duration = Duration::from_secs(1);

fn world(agents: u32) -> World {
    let mut plan = plan(agents);
    let dialled = [
        ("*11", Code::LogIn),
        ("*12", Code::LogOut),
        ("*13", Code::Pause),
        ("*14", Code::Ready),
        ("*15", Code::Extend),
    ];
    plan.codes = Codes {
        dialled: dialled.iter().map(|(number, code)| ((*number).to_owned(), *code)).collect(),
        reasons: vec![('1', "lunch".to_owned())],
        extension: SECOND,
    };
    World::on(plan)
}

pub(super) fn dial(world: &mut World, agent: u32, from: &str, code: &str) -> Vec<String> {
    let at = phone(agent);
    let n = world.now.mono.0;
    let body = sdp("192.0.2.60", 50000, "sendrecv");
    world.from(
        &at,
        &format!(
            "INVITE sip:{code}@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{from}{n}{code}\r\nMax-Forwards: 70\r\n\
             From: <sip:{from}@192.0.2.1>;tag=code\r\nTo: <sip:{code}@192.0.2.1>\r\nCall-ID: {from}{n}{code}\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:{from}@{at}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    world.take_to(&at)
}

fn state(world: &World, agent: u32) -> Availability {
    world.switch.exchange.distributor().availability(AgentId(agent)).unwrap()
}

#[test]
fn an_agent_pauses_for_a_reason_and_comes_back() {
    let mut world = world(1);
    let answer = dial(&mut world, 0, "agent-0", "*131");
    assert!(answer[0].starts_with("SIP/2.0 200"), "{answer:?}");
    assert_eq!(state(&world, 0), Availability::Paused(PauseReason::Chosen("lunch".into())));
    let said = speech::clips(&[Prompt::YouArePaused], ClipId(100));
    assert!(world.media.iter().any(|c| matches!(c, Command::Say { clips, .. } if *clips == said)));
    dial(&mut world, 0, "agent-0", "*14");
    assert_eq!(state(&world, 0), Availability::Free);
}

#[test]
fn an_agent_makes_the_wrap_up_longer_up_to_the_limit_and_ends_it() {
    let mut plan = world(1).switch.plan().clone();
    plan.codes.extension = 60 * SECOND;
    plan.acd.wrap_up_limit = 90 * SECOND;
    let mut world = World::on(plan);
    let talk = |world: &mut World, name: &str| {
        let mut caller = Caller::new(name, TRUNK);
        caller.call(world);
        Ringing::of(world, 0).answer(world);
        caller.send(world, "BYE", "");
    };
    talk(&mut world, "c1");
    assert_eq!(state(&world, 0), Availability::WrapUp);
    world.pass(5 * SECOND);
    dial(&mut world, 0, "agent-0", "*15");
    world.pass(64 * SECOND);
    assert_eq!(state(&world, 0), Availability::WrapUp, "ten seconds, and sixty more");
    dial(&mut world, 0, "agent-0", "*15");
    world.pass(20 * SECOND);
    assert_eq!(state(&world, 0), Availability::WrapUp);
    world.pass(SECOND);
    assert_eq!(state(&world, 0), Availability::Free, "ninety in all");
    talk(&mut world, "c2");
    dial(&mut world, 0, "agent-0", "*15");
    dial(&mut world, 0, "agent-0", "*14");
    assert_eq!(state(&world, 0), Availability::Free);
    dial(&mut world, 0, "agent-0", "*15");
    assert_eq!(state(&world, 0), Availability::Free, "there is no wrap-up to make longer");
    let said = speech::clips(&[Prompt::YouAreReady], ClipId(100));
    assert!(matches!(world.media.last(), Some(Command::Say { clips, .. }) if *clips == said));
}

#[test]
fn the_line_is_cleared_when_the_words_are_said_or_after_ten_seconds() {
    let mut world = world(1);
    let answer = dial(&mut world, 0, "agent-0", "*12");
    let to = header(&answer[0], "To").to_owned();
    let Some(&Command::Say { leg, id, .. }) = world.media.last() else { panic!("{:?}", world.media) };
    world.from(
        &phone(0),
        &format!(
            "ACK sip:hearken@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKack\r\nMax-Forwards: 70\r\n\
             From: <sip:agent-0@192.0.2.1>;tag=code\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
            phone(0),
            header(&answer[0], "Call-ID")
        ),
    );
    world.give(Input::Media(media::Event::Said { leg, id }));
    world.expect(&phone(0), "BYE");
    dial(&mut world, 0, "agent-0", "*11");
    world.pass(100 * SECOND);
    assert_eq!(world.records.len(), 0);
    assert!(world.switch.is_quiet());
}

#[test]
fn an_agent_who_logs_in_by_phone_gets_the_caller_who_waits() {
    let mut world = world(1);
    dial(&mut world, 0, "agent-0", "*12");
    Caller::new("c1", TRUNK).call(&mut world);
    world.take_to(&phone(0));
    dial(&mut world, 0, "agent-0", "*11");
    assert_eq!(state(&world, 0), Availability::Ringing(crate::id::CallId(2)));
}

#[test]
fn behind_one_pbx_the_user_in_from_says_who_it_is() {
    let mut plan = world(2).switch.plan().clone();
    plan.phones[1].flow = plan.phones[0].flow;
    let mut world = World::on(plan);
    dial(&mut world, 0, "agent-1", "*12");
    assert_eq!((state(&world, 0), state(&world, 1)), (Availability::Free, Availability::LoggedOut));
    let answer = dial(&mut world, 0, "somebody", "*12");
    assert!(answer[0].starts_with("SIP/2.0 403"), "{answer:?}");
    assert_eq!(state(&world, 0), Availability::Free);
}

#[test]
fn a_trunk_that_dials_a_code_changes_nobody() {
    let mut world = world(1);
    let caller = Caller::new("c1", TRUNK);
    world.from(TRUNK, &caller.invite().replacen("02079460101", "*12", 1));
    world.expect(TRUNK, "SIP/2.0 404");
    assert_eq!(state(&world, 0), Availability::Free);
}

#[test]
fn a_phone_behind_nat_is_hung_up_where_it_was_seen_and_heard_where_it_speaks_from() {
    let mut world = world(1);
    world.switch.plan.phones[0].nat = true;
    let body = sdp("10.0.0.7", 50000, "sendrecv");
    let at = phone(0);
    let request = |method: &str, to: &str, body: &str| {
        format!(
            "{method} sip:*12@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\n\
             From: <sip:agent-0@192.0.2.1>;tag=code\r\nTo: {to}\r\nCall-ID: nat\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:agent-0@10.0.0.7:5062>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    world.from(&at, &request("INVITE", "<sip:*12@192.0.2.1>", &body));
    let answer = world.expect(&at, "SIP/2.0 200");
    world.from(&at, &request("ACK", header(&answer, "To"), ""));
    let stream = world.media.iter().find_map(|command| match command {
        Command::Set(stream) => Some(stream),
        _ => None,
    });
    assert!(stream.unwrap().latch);
    world.pass(11 * SECOND);
    assert!(world.take_to(&at).iter().any(|text| text.starts_with("BYE")));
}
