//! Agents who hand callers on with the transfer key of their phones.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, TRUNK_999, World, header, phone, plan, sdp};
use crate::acd::{Availability, Band};
use crate::call::media::{self, Command};
use crate::call::record::{CallRecord, EndedBy, Outcome, Stage};
use crate::call::speech::{self, Prompt};
use crate::id::{AgentId, CallId, ClipId, LegId};
use crate::rng::Rng;
use crate::switch::{AgentOrder, CallerOrder, Event, Input};

const SECOND: Duration = Duration::from_secs(1);

/// Agent 0 talks with the caller; the others are free.
fn talking(agents: u32) -> (World, Caller, Ringing) {
    let mut world = World::new(agents);
    let mut caller = Caller::new("c1", TRUNK);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    clear(&mut world);
    (world, caller, agent)
}

/// Forgets what was sent and said so far.
fn clear(world: &mut World) {
    world.sent.clear();
    world.media.clear();
    world.events.clear();
}

fn with_refer_to(agent: &Ringing, cseq: u32, refer_to: &str) -> String {
    let at = &agent.at;
    let call = header(&agent.invite, "Call-ID").split('@').next().unwrap();
    format!(
        "REFER sip:hearken@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKrefer{cseq}{call}\r\nMax-Forwards: 70\r\n\
         From: {};tag=phone\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} REFER\r\nContact: <sip:agent@{at}>\r\n{refer_to}\
         Content-Length: 0\r\n\r\n",
        header(&agent.invite, "To"),
        header(&agent.invite, "From"),
        header(&agent.invite, "Call-ID"),
    )
}

/// The agent presses the transfer key.
pub(super) fn refer(world: &mut World, agent: &Ringing, cseq: u32, to: &str) {
    let text = with_refer_to(agent, cseq, &format!("Refer-To: <sip:{to}@hub.example.org>\r\n"));
    world.from(&agent.at, &text);
}

/// What the phone was told of its transfer, each NOTIFY answered.
pub(super) fn told(world: &mut World, agent: &Ringing) -> Vec<String> {
    let sent = world.take_to(&agent.at);
    let (mut told, mut rest) = (Vec::new(), Vec::new());
    for text in sent {
        if text.starts_with("NOTIFY") {
            world.from(&agent.at, &agent.response(&text, "200 OK", ""));
            let (_, body) = text.split_once("\r\n\r\n").unwrap();
            told.push(format!("{} {}", body.trim(), header(&text, "Subscription-State")));
        } else {
            rest.push((agent.at.parse().unwrap(), text));
        }
    }
    world.sent.extend(rest);
    told
}

pub(super) fn has(texts: &[String], start: &str) -> bool {
    texts.iter().any(|text| text.starts_with(start))
}

fn state(world: &World, agent: u32) -> Availability {
    world.switch.exchange.distributor().availability(AgentId(agent)).unwrap()
}

fn stages(record: &CallRecord) -> Vec<String> {
    let stage = |stage: &Stage| match stage {
        Stage::Queue => "queue".to_owned(),
        Stage::Presented { agent, result } => format!("{agent} {result:?}"),
        Stage::Dial { agent } => format!("dial {agent}"),
        Stage::Talk { agent } => format!("talk {agent}"),
        Stage::Transfer { agent, to } => format!("{agent} to {to}"),
    };
    record.segments.iter().map(|segment| stage(&segment.stage)).collect()
}

#[test]
fn a_caller_is_handed_to_a_colleague_and_the_agent_is_released() {
    let (mut world, mut caller, agent) = talking(2);
    world.pass(SECOND);
    refer(&mut world, &agent, 1, "agent-1");
    world.expect(&phone(0), "SIP/2.0 202");
    refer(&mut world, &agent, 2, "agent-1");
    world.expect(&phone(0), "SIP/2.0 491");
    assert!(world.media.contains(&Command::Unbridge { leg: LegId(1) }));
    assert!(world.media.iter().any(|c| matches!(c, Command::Play { leg: LegId(1), looped: true, .. })));
    let other = Ringing::of(&mut world, 1);
    assert!(header(&other.invite, "From").contains("+447700900123"), "{}", other.invite);
    other.reply(&mut world, "180 Ringing");
    world.pass(3 * SECOND);
    other.answer(&mut world);
    let to_agent = world.take_to(&phone(0));
    assert!(has(&to_agent, "BYE"), "{to_agent:?}");
    assert!(world.media.contains(&Command::Bridge { a: LegId(1), b: LegId(3) }));
    assert_eq!(
        (state(&world, 0), state(&world, 1)),
        (Availability::WrapUp, Availability::Talking(CallId(1)))
    );
    world.pass(5 * SECOND);
    caller.send(&mut world, "BYE", "");
    let record = &world.records[0];
    let expected = [
        "queue",
        "agent-0 Answered",
        "talk agent-0",
        "queue",
        "agent-0 to agent-1",
        "agent-1 Answered",
        "talk agent-1",
    ];
    let mut found = stages(record);
    found[3..6].sort();
    let mut sorted = expected.map(str::to_owned).to_vec();
    sorted[3..6].sort();
    assert_eq!(found, sorted);
    assert_eq!(record.outcome, Outcome::Answered { agent: "agent-1".into(), ended_by: EndedBy::Caller });
    assert_eq!(world.switch.counters().transfers, 1);
}

#[test]
fn the_phone_is_told_how_its_transfer_goes() {
    let (mut world, _caller, agent) = talking(2);
    refer(&mut world, &agent, 7, "agent-1");
    let notify = world.sent.iter().find(|(_, text)| text.starts_with("NOTIFY")).unwrap().1.clone();
    assert_eq!(header(&notify, "Event"), "refer;id=7");
    assert_eq!(header(&notify, "Content-Type"), "message/sipfrag;version=2.0");
    assert_eq!(told(&mut world, &agent), ["SIP/2.0 100 Trying active;expires=180"]);
    Ringing::of(&mut world, 1).answer(&mut world);
    assert_eq!(told(&mut world, &agent), ["SIP/2.0 200 OK terminated;reason=noresource"]);
}

#[test]
fn a_colleague_who_is_busy_leaves_the_caller_with_the_agent_who_hears_so() {
    for (status, told_so) in
        [("486 Busy Here", "486"), ("603 Decline", "603"), ("488 Not Acceptable Here", "488")]
    {
        let (mut world, mut caller, agent) = talking(2);
        refer(&mut world, &agent, 1, "agent-1");
        told(&mut world, &agent);
        let other = Ringing::of(&mut world, 1);
        clear(&mut world);
        other.reply(&mut world, status);
        let told = told(&mut world, &agent);
        assert!(told.len() == 1 && told[0].starts_with(&format!("SIP/2.0 {told_so}")), "{told:?}");
        assert!(world.media.contains(&Command::Bridge { a: LegId(1), b: LegId(2) }));
        let words = speech::clips(&[Prompt::NotTransferred], ClipId(100));
        assert!(
            world
                .media
                .iter()
                .any(|c| matches!(c, Command::Say { leg: LegId(2), clips, .. } if *clips == words))
        );
        assert!(world.events.iter().any(|event| matches!(event, Event::HandedBack { .. })));
        assert_eq!(state(&world, 0), Availability::Talking(CallId(1)));
        caller.send(&mut world, "BYE", "");
        let by = EndedBy::Caller;
        assert_eq!(world.records[0].outcome, Outcome::Answered { agent: "agent-0".into(), ended_by: by });
    }
}

#[test]
fn a_phone_that_rings_in_vain_or_is_dead_gives_the_caller_back() {
    for (answers, seconds) in [(true, 20), (false, 1)] {
        let (mut world, _caller, agent) = talking(2);
        refer(&mut world, &agent, 1, "agent-1");
        told(&mut world, &agent);
        let other = Ringing::of(&mut world, 1);
        if answers {
            other.reply(&mut world, "180 Ringing");
        }
        world.pass(seconds * SECOND);
        let told = told(&mut world, &agent);
        assert!(told.len() == 1 && told[0].starts_with("SIP/2.0 480"), "{told:?}");
        assert_eq!(state(&world, 0), Availability::Talking(CallId(1)));
    }
}

#[test]
fn an_agent_who_hung_up_is_told_in_the_old_dialog_and_rung_again() {
    let (mut world, _caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    agent.send(&mut world, "BYE", 2, "");
    world.expect(&phone(0), "SIP/2.0 200");
    assert_eq!((state(&world, 0), world.switch.calls()), (Availability::WrapUp, 1));
    let other = Ringing::of(&mut world, 1);
    clear(&mut world);
    other.reply(&mut world, "486 Busy Here");
    let to_phone = world.sent.iter().filter(|(to, _)| to.to_string() == phone(0));
    let calls: Vec<_> = to_phone.map(|(_, text)| text.clone()).collect();
    assert!(has(&calls, "NOTIFY") && has(&calls, "INVITE"), "{calls:?}");
    assert!(told(&mut world, &agent)[0].starts_with("SIP/2.0 486"));
    Ringing::of(&mut world, 0).answer(&mut world);
    assert_eq!(state(&world, 0), Availability::Talking(CallId(1)));
}

#[test]
fn when_nobody_takes_the_caller_the_line_does_in_the_old_place() {
    let (mut world, _caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    agent.send(&mut world, "BYE", 2, "");
    let other = Ringing::of(&mut world, 1);
    world.take_to(&phone(0));
    other.reply(&mut world, "486 Busy Here");
    world.from(&phone(0), "");
    let again = Ringing::of(&mut world, 0);
    again.reply(&mut world, "603 Decline");
    assert_eq!(world.switch.exchange.distributor().waiting(crate::id::LineId(0)).count(), 1);
    let told = world.events.iter().filter_map(|event| match event {
        Event::HandedOn { .. } => Some("on"),
        Event::HandedBack { code: 486, .. } => Some("back"),
        Event::BackInLine { why: EndedBy::Agent, .. } => Some("in line"),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), ["on", "back", "in line"]);
    world.pass(Duration::from_millis(3_500));
    let rung = [0, 1].map(|n| has(&world.take_to(&phone(n)), "INVITE"));
    assert_eq!(rung.iter().filter(|rung| **rung).count(), 1, "the next free agent is rung");
}

#[test]
fn an_agent_who_hung_up_does_not_end_the_transfer() {
    let (mut world, mut caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    agent.send(&mut world, "BYE", 2, "");
    let other = Ringing::of(&mut world, 1);
    other.answer(&mut world);
    assert!(world.media.contains(&Command::Bridge { a: LegId(1), b: LegId(3) }));
    assert_eq!(told(&mut world, &agent).last().unwrap(), "SIP/2.0 200 OK terminated;reason=noresource");
    caller.send(&mut world, "BYE", "");
    assert_eq!(world.records.len(), 1);
    world.pass(100 * SECOND);
    assert!(world.switch.is_quiet());
}

#[test]
fn a_caller_on_the_way_gets_there_in_a_new_process() {
    let (mut world, _caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    let other = Ringing::of(&mut world, 1);
    other.reply(&mut world, "180 Ringing");
    world.take_to(&phone(0));
    world.media.clear();
    world.give(Input::Restart { seed: [3; 32], incomplete: false });
    assert!(world.media.iter().any(|c| matches!(c, Command::Play { leg: LegId(1), looped: true, .. })));
    other.answer(&mut world);
    assert!(world.media.contains(&Command::Bridge { a: LegId(1), b: LegId(3) }));
    assert!(has(&world.take_to(&phone(0)), "BYE"));
}

#[test]
fn a_caller_who_hangs_up_on_the_way_ends_everything() {
    for agent_left in [false, true] {
        let (mut world, mut caller, agent) = talking(2);
        refer(&mut world, &agent, 1, "agent-1");
        if agent_left {
            agent.send(&mut world, "BYE", 2, "");
        }
        let other = Ringing::of(&mut world, 1);
        other.reply(&mut world, "180 Ringing");
        clear(&mut world);
        caller.send(&mut world, "BYE", "");
        assert!(has(&world.take_to(&phone(1)), "CANCEL"));
        let to_agent = world.take_to(&phone(0));
        let (notify, bye) = (has(&to_agent, "NOTIFY"), has(&to_agent, "BYE"));
        assert_eq!((notify, bye), (true, !agent_left), "{to_agent:?}");
        assert!(to_agent.iter().any(|text| text.contains("SIP/2.0 487")), "{to_agent:?}");
        assert_eq!((world.records.len(), world.switch.calls()), (1, 0));
        assert_eq!((state(&world, 0), state(&world, 1)), (Availability::WrapUp, Availability::Free));
    }
}

#[test]
fn an_answer_that_crosses_the_callers_bye_is_hung_up() {
    let (mut world, mut caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    let other = Ringing::of(&mut world, 1);
    caller.send(&mut world, "BYE", "");
    other.answer(&mut world);
    let to_other = world.take_to(&phone(1));
    assert!(has(&to_other, "ACK") && has(&to_other, "BYE"), "{to_other:?}");
    assert_eq!(world.records.len(), 1);
    world.pass(100 * SECOND);
    assert!(world.switch.is_quiet());
}

#[test]
fn a_refer_that_crosses_a_bye_gets_481_and_changes_nothing() {
    let (mut world, mut caller, agent) = talking(2);
    caller.send(&mut world, "BYE", "");
    refer(&mut world, &agent, 1, "agent-1");
    let to_agent = world.take_to(&phone(0));
    assert!(has(&to_agent, "SIP/2.0 481"), "{to_agent:?}");
    assert!(!has(&world.take_to(&phone(1)), "INVITE"));
}

#[test]
fn an_agent_whose_phone_dies_on_the_way_leaves_the_ringing_to_go_on() {
    let (mut world, _caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    told(&mut world, &agent);
    let other = Ringing::of(&mut world, 1);
    other.reply(&mut world, "180 Ringing");
    let dead = media::Event::Dead { leg: LegId(2), silent_for: 20 * SECOND };
    world.give(Input::Media(dead));
    world.pass(5 * SECOND);
    assert_eq!(world.switch.calls(), 1);
    other.answer(&mut world);
    assert_eq!(state(&world, 1), Availability::Talking(CallId(1)));
    assert_eq!(told(&mut world, &agent), [""; 0]);
}

#[test]
fn a_caller_handed_to_another_line_is_told_to_nobody_else() {
    let (mut world, mut caller, agent) = talking(2);
    world.give(Input::Agent(AgentOrder::LogOut(AgentId(1))));
    clear(&mut world);
    refer(&mut world, &agent, 1, "emergency");
    let to_agent = world.take_to(&phone(0));
    assert!(
        has(&to_agent, "SIP/2.0 202") && has(&to_agent, "NOTIFY") && has(&to_agent, "BYE"),
        "{to_agent:?}"
    );
    assert!(to_agent.iter().any(|text| text.contains("SIP/2.0 200 OK\r\n") && text.starts_with("NOTIFY")));
    let (line, place) = world.switch.exchange.distributor().place(CallId(1)).unwrap();
    assert_eq!((line.0, place.band), (1, Band::EMERGENCY), "a surgery's caller who turns out an emergency");
    world.pass(2 * SECOND);
    caller.send(&mut world, "BYE", "");
    let record = &world.records[0];
    assert_eq!((record.line.as_str(), record.band), ("elm-tree", Band::ROUTINE), "as it came");
    assert!(stages(record).contains(&"agent-0 to emergency".to_owned()), "{:?}", stages(record));
    assert_eq!(state(&world, 0), Availability::WrapUp);
}

#[test]
fn an_emergency_handed_to_a_routine_line_stays_an_emergency() {
    let mut world = World::new(1);
    let mut caller = Caller::new("c1", TRUNK_999);
    caller.call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    refer(&mut world, &agent, 1, "elm-tree");
    let (line, place) = world.switch.exchange.distributor().place(CallId(1)).unwrap();
    assert_eq!((line.0, place.band), (0, Band::EMERGENCY));
}

#[test]
fn whoever_cannot_be_handed_to_is_refused_with_a_reason_and_the_talk_goes_on() {
    for (to, status) in [
        ("nobody", "404"),
        ("agent-0", "403"),
        ("agent-2", "480"),
        ("agent-3", "480"),
        ("agent-1", "486"),
        ("agent-1@hub.example.org?Replaces=x%3Bto-tag%3Da%3Bfrom-tag%3Db#", "501"),
        ("agent-1;method=BYE#", "501"),
    ] {
        let (mut world, mut other, agent) = talking(4);
        world.give(Input::Agent(AgentOrder::LogOut(AgentId(2))));
        world.give(Input::Agent(AgentOrder::Pause(AgentId(3), "tea".into())));
        Caller::new("c2", TRUNK).call(&mut world);
        clear(&mut world);
        match to.strip_suffix('#') {
            Some(uri) => {
                let text = with_refer_to(&agent, 1, &format!("Refer-To: <sip:{uri}>\r\n"));
                world.from(&agent.at, &text);
            }
            None => refer(&mut world, &agent, 1, to),
        }
        let answer = world.expect(&phone(0), "SIP/2.0");
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{to}: {answer}");
        assert!(header(&answer, "Warning").starts_with("399 hearken \""), "{answer}");
        assert_eq!(state(&world, 0), Availability::Talking(CallId(1)));
        assert!(!world.media.iter().any(|command| matches!(command, Command::Unbridge { .. })));
        assert!(world.media.iter().any(|command| matches!(command, Command::Say { leg: LegId(2), .. })));
        other.send(&mut world, "BYE", "");
    }
}

#[test]
fn a_refer_needs_one_refer_to() {
    for headers in ["", "Refer-To: <sip:agent-1@x.example>\r\nRefer-To: <sip:agent-1@x.example>\r\n"] {
        let (mut world, _caller, agent) = talking(2);
        world.from(&agent.at, &with_refer_to(&agent, 1, headers));
        world.expect(&phone(0), "SIP/2.0 400");
    }
}

#[test]
fn nobody_but_an_agent_in_a_talk_can_transfer() {
    let (mut world, mut caller, _agent) = talking(2);
    caller.send(&mut world, "REFER", "");
    let answer = world.expect(TRUNK, "SIP/2.0 403");
    assert!(header(&answer, "Warning").contains("only an agent"), "{answer}");
    for source in [TRUNK, &phone(1)] {
        let text = Caller::new("r", source).request("REFER", 1, "x", "");
        world.from(source, &text);
        world.expect(source, "SIP/2.0 403");
    }
    assert_eq!(state(&world, 1), Availability::Free);
}

#[test]
fn a_phone_is_named_by_its_number_where_that_is_one_agents() {
    let mut plan = plan(3);
    plan.phones[1].uri = format!("sip:201@{}", phone(1));
    plan.phones[2].uri = format!("sip:202@{}", phone(2));
    let mut world = World::on(plan);
    Caller::new("c1", TRUNK).call(&mut world);
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    refer(&mut world, &agent, 1, "201");
    assert!(has(&world.take_to(&phone(1)), "INVITE"));
}

#[test]
fn a_held_caller_hears_music_on_the_way() {
    let (mut world, _caller, agent) = talking(2);
    let trunk = Ringing { at: TRUNK.to_owned(), invite: String::new() };
    agent.send(&mut world, "INVITE", 1, &sdp("192.0.2.60", 50000, "sendonly"));
    refer(&mut world, &agent, 2, "agent-1");
    world.expect(&phone(0), "SIP/2.0 491");
    let held = world.expect(TRUNK, "INVITE");
    world.from(TRUNK, &trunk.response(&held, "200 OK", &sdp("192.0.2.50", 40098, "recvonly")));
    agent.send(&mut world, "ACK", 1, "");
    refer(&mut world, &agent, 3, "agent-1");
    let resumed = world.take_to(TRUNK).into_iter().find(|text| text.starts_with("INVITE")).unwrap();
    assert!(resumed.contains("a=sendrecv\r\n"), "{resumed}");
}

#[test]
fn an_order_from_elsewhere_does_the_same() {
    let (mut world, _caller, _agent) = talking(2);
    world.give(Input::Agent(AgentOrder::Transfer(AgentId(0), "agent-1".into())));
    Ringing::of(&mut world, 1).answer(&mut world);
    assert!(has(&world.take_to(&phone(0)), "BYE"));
    world.give(Input::Agent(AgentOrder::Transfer(AgentId(1), "elm-tree".into())));
    assert!(has(&world.take_to(&phone(1)), "BYE"));
    assert_eq!(world.switch.calls(), 1);
}

#[test]
fn a_caller_ranked_behind_others_still_counts_against_the_limit_when_handed_on() {
    let mut world = World::new(1);
    world.give(Input::Agent(AgentOrder::LogOut(AgentId(0))));
    Caller::new("c1", TRUNK).call(&mut world);
    world.give(Input::Caller(CallerOrder::Rank(CallId(1), Band(2))));
    world.give(Input::Agent(AgentOrder::LogIn(AgentId(0))));
    Ringing::of(&mut world, 0).answer(&mut world);
    // That it counts is an invariant, which is checked after each of these.
    world.give(Input::Agent(AgentOrder::Transfer(AgentId(0), "elm-tree".into())));
    assert_eq!(world.switch.callers(world.now)[0].state, "waiting");
}

#[test]
fn an_emergency_takes_the_colleague_and_the_caller_is_the_agents_again() {
    let (mut world, _caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    told(&mut world, &agent);
    Caller::new("e1", TRUNK_999).call(&mut world);
    assert!(told(&mut world, &agent)[0].starts_with("SIP/2.0 486"));
    assert_eq!(state(&world, 0), Availability::Talking(CallId(1)));
    assert_eq!(state(&world, 1), Availability::Ringing(CallId(2)));
}

#[test]
fn a_stop_in_the_middle_of_a_transfer_leaves_nothing_behind() {
    let (mut world, _caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    Ringing::of(&mut world, 1).reply(&mut world, "180 Ringing");
    world.give(Input::Stop);
    assert_eq!((world.switch.calls(), world.records.len()), (0, 1));
    world.pass(100 * SECOND);
    assert!(world.switch.is_quiet());
}

#[test]
fn a_reload_in_the_middle_of_a_transfer_changes_nothing_of_it() {
    let (mut world, _caller, agent) = talking(2);
    refer(&mut world, &agent, 1, "agent-1");
    let other = Ringing::of(&mut world, 1);
    let next = plan(2).following(world.switch.plan(), &Default::default());
    world.give(Input::Reload(Box::new(next)));
    other.answer(&mut world);
    assert_eq!(state(&world, 1), Availability::Talking(CallId(1)));
    assert!(has(&world.take_to(&phone(0)), "BYE"));
}

/// One random happening after another; whatever it is, no caller is lost and each has one record at the end.
#[test]
fn two_hundred_random_transfers_end_each_call_once() {
    for seed in 0..200u8 {
        let mut dice = Rng::new([seed; 32]);
        let (mut world, mut caller, agent) = talking(3);
        let targets = ["agent-1", "agent-2", "elm-tree", "emergency", "nobody"];
        let (mut cseq, mut over) = (1, false);
        for _ in 0..30 {
            cseq += 1;
            match dice.bits() % 12 {
                0..=2 => {
                    let to = targets[(dice.bits() % 5) as usize];
                    refer(&mut world, &agent, cseq, to);
                }
                3 => agent.send(&mut world, "BYE", cseq, ""),
                4 if dice.bits().is_multiple_of(3) && !over => {
                    caller.send(&mut world, "BYE", "");
                    over = true;
                }
                5..=9 => {
                    let at = phone((dice.bits() % 3) as u32);
                    let invite = world.take_to(&at).into_iter().rfind(|text| text.starts_with("INVITE"));
                    let Some(invite) = invite else { continue };
                    let ringing = Ringing { at, invite };
                    match dice.bits() % 4 {
                        0 => ringing.reply(&mut world, "486 Busy Here"),
                        1 => ringing.reply(&mut world, "180 Ringing"),
                        _ => ringing.answer(&mut world),
                    }
                }
                _ => world.pass(Duration::from_millis(dice.bits() % 15_000)),
            }
            assert_eq!(world.switch.calls() + world.records.len(), 1, "seed {seed}");
        }
        if world.records.is_empty() {
            caller.send(&mut world, "BYE", "");
        }
        assert_eq!((world.switch.calls(), world.records.len()), (0, 1), "seed {seed}");
        world.pass(200 * SECOND);
        assert!(world.switch.is_quiet(), "seed {seed}");
    }
}
