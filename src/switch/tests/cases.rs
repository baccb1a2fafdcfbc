//! Callers whom an agent sends home with the promise that a clinician rings back.

use std::time::Duration;

use super::codes::dial;
use super::transfer::{has, refer};
use super::world::{Caller, Ringing, TRUNK, TRUNK_999, World, header, phone, plan};
use crate::acd::cases::Disposition;
use crate::acd::pathway::{Kind, Outcome, Pathway};
use crate::acd::{Availability, PauseReason};
use crate::call::media::{self, Command};
use crate::call::record::{self, EndedBy};
use crate::call::speech::{self, Prompt};
use crate::id::{AgentId, CaseId, ClipId, PathwayId, ReferralId, TeamId};
use crate::rng::Rng;
use crate::switch::codes::{Code, Codes};
use crate::switch::plan::{Plan, Stack};
use crate::switch::{AgentOrder, CaseNews, CaseOrder, Event, Input, Order, PathwayOrder, Refused, WithCase};

const SECOND: Duration = Duration::from_secs(1);
const PHARMACY: PathwayId = PathwayId(0);

/// What clinicians dial.
pub(super) fn codes() -> Codes {
    let dialled = [("*16", Code::TakeCase), ("*17", Code::Dispose), ("*18", Code::GiveBack)];
    Codes { dialled: dialled.map(|(number, code)| (number.into(), code)).to_vec(), ..Codes::default() }
}

/// Agents of one team, which takes cases from a stack; a pharmacy takes referrals.
pub(super) fn treat_plan(agents: u32) -> Plan {
    let mut plan = plan(agents);
    plan.stacks = vec![Stack {
        name: "doctors".into(),
        teams: vec![TeamId(0)],
        breach_within: 3_600 * SECOND,
        emergency_breach_within: 600 * SECOND,
        gone: false,
    }];
    plan.pathways = vec![Pathway {
        name: "pharmacy".into(),
        kind: Kind::Pharmacy,
        acknowledge_within: 120 * SECOND,
        destination: None,
        hours: None,
        gone: false,
    }];
    plan.dispositions = vec![Disposition { code: "21".into(), words: "advice given".into() }];
    plan
}

fn world(agents: u32) -> World {
    World::on(treat_plan(agents))
}

/// A caller whom agent 0 answers and puts on the stack.
pub(super) fn put_on_stack(world: &mut World, name: &str, trunk: &str) -> (Caller, CaseId) {
    let mut caller = Caller::new(name, trunk);
    caller.call(world);
    let agent = Ringing::of(world, 0);
    agent.answer(world);
    world.take_to(&phone(0));
    refer(world, &agent, 1, "doctors");
    let answer = world.take_to(&phone(0));
    assert!(has(&answer, "SIP/2.0 202") && has(&answer, "BYE"), "{answer:?}");
    let case = news(world).iter().rfind(|(_, news)| *news == CaseNews::Opened).unwrap().0;
    (caller, case)
}

pub(super) fn news(world: &World) -> Vec<(CaseId, CaseNews)> {
    let news = world.events.iter().filter_map(|event| match event {
        Event::Case { case, news, .. } => Some((*case, news.clone())),
        _ => None,
    });
    news.collect()
}

/// What befell this case last.
pub(super) fn last(world: &World, case: CaseId) -> CaseNews {
    news(world).into_iter().rfind(|(of, _)| *of == case).unwrap().1
}

fn order(world: &mut World, order: CaseOrder) {
    world.give(Input::Case(order));
}

#[test]
fn a_caller_is_told_that_a_clinician_rings_back_and_the_agents_call_has_ended() {
    let mut world = world(1);
    let (_caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    let words = speech::clips(&[Prompt::ClinicianWillCall], ClipId(100));
    let said = world.media.iter().find_map(|command| match command {
        Command::Say { leg, id, clips } if *clips == words => Some((*leg, *id)),
        _ => None,
    });
    let (leg, id) = said.expect("the caller hears it");
    let state = world.switch.exchange.distributor().availability(AgentId(0));
    assert_eq!(state, Some(Availability::WrapUp));
    world.give(Input::Media(media::Event::Said { leg, id }));
    assert!(has(&world.take_to(TRUNK), "BYE"));
    let record = &world.records[0];
    assert_eq!(
        record.outcome,
        record::Outcome::Answered { agent: "agent-0".into(), ended_by: EndedBy::Agent }
    );
    let to = |stage: &record::Stage| matches!(stage, record::Stage::Transfer { to, .. } if to == "doctors");
    assert!(record.segments.iter().any(|segment| to(&segment.stage)), "{:?}", record.segments);
    assert_eq!(news(&world), [(case, CaseNews::Opened)]);
}

#[test]
fn a_caller_who_hangs_up_during_the_words_has_a_case_all_the_same() {
    let mut world = world(1);
    let (mut caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    caller.send(&mut world, "BYE", "");
    assert_eq!(world.switch.calls(), 0);
    order(&mut world, CaseOrder::Take(AgentId(0)));
    assert_eq!(last(&world, case), CaseNews::Taken("agent-0".into()));
}

#[test]
fn a_caller_without_a_number_stays_with_the_agent() {
    let mut world = world(1);
    let caller = Caller::new("c1", TRUNK);
    world.from(TRUNK, &caller.invite().replacen("sip:07700900123@", "sip:anonymous@", 1));
    let agent = Ringing::of(&mut world, 0);
    agent.answer(&mut world);
    world.take_to(&phone(0));
    refer(&mut world, &agent, 1, "doctors");
    let answer = world.expect(&phone(0), "SIP/2.0 480");
    assert_eq!(header(&answer, "Warning"), "399 hearken \"the caller's number is not known\"");
    assert_eq!((news(&world).len(), world.switch.calls()), (0, 1));
}

#[test]
fn the_earliest_deadline_of_the_most_urgent_band_is_taken_first_and_closed_once() {
    let mut world = world(1);
    let mut cases = Vec::new();
    for (name, trunk) in [("c1", TRUNK), ("c2", TRUNK), ("e3", TRUNK_999)] {
        cases.push(put_on_stack(&mut world, name, trunk).1);
        world.pass(16 * SECOND);
    }
    for at in [2, 0, 1] {
        order(&mut world, CaseOrder::Take(AgentId(0)));
        assert_eq!(last(&world, cases[at]), CaseNews::Taken("agent-0".into()));
        order(&mut world, CaseOrder::Close(AgentId(0), cases[at], "99".into()));
        order(&mut world, CaseOrder::Close(AgentId(0), cases[at], "21".into()));
        assert_eq!(last(&world, cases[at]), CaseNews::Closed("21".into()));
    }
    order(&mut world, CaseOrder::Close(AgentId(0), cases[0], "21".into()));
    assert_eq!(world.switch.counters().cases_closed, 3);
}

#[test]
fn a_clinician_who_logs_out_leaves_the_case_to_the_others() {
    let mut world = world(2);
    let (_caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    order(&mut world, CaseOrder::Take(AgentId(1)));
    world.give(Input::Agent(AgentOrder::LogOut(AgentId(1))));
    assert_eq!(last(&world, case), CaseNews::GivenBack);
    order(&mut world, CaseOrder::Take(AgentId(0)));
    assert_eq!(last(&world, case), CaseNews::Taken("agent-0".into()));
}

#[test]
fn a_breach_is_told_once() {
    let mut world = world(1);
    let (_caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    world.pass(3_599 * SECOND);
    assert_eq!(last(&world, case), CaseNews::Opened);
    world.pass(7_200 * SECOND);
    let breaches = news(&world).iter().filter(|(_, news)| *news == CaseNews::Breached).count();
    assert_eq!((breaches, world.switch.counters().cases_breached), (1, 1));
}

#[test]
fn a_referral_that_is_not_acknowledged_comes_back_to_its_clinician_as_urgent_as_it_was() {
    let mut world = world(1);
    let (_caller, first) = put_on_stack(&mut world, "c1", TRUNK);
    world.pass(16 * SECOND);
    let (_caller, second) = put_on_stack(&mut world, "c2", TRUNK);
    world.give(Input::Pathway(PathwayOrder::Report(PHARMACY, 1)));
    order(&mut world, CaseOrder::Take(AgentId(0)));
    order(&mut world, CaseOrder::Refer(AgentId(0), first, PHARMACY));
    order(&mut world, CaseOrder::GiveBack(AgentId(0), first));
    assert_eq!(last(&world, first), CaseNews::Taken("agent-0".into()), "it awaits an answer");
    world.pass(120 * SECOND);
    assert_eq!(last(&world, first), CaseNews::Returned("agent-0".into()));
    let outcome =
        |event: &Event| matches!(event, Event::ReferralEnded { outcome: Outcome::Unacknowledged, .. });
    assert_eq!(world.events.iter().filter(|event| outcome(event)).count(), 1);
    order(&mut world, CaseOrder::GiveBack(AgentId(0), first));
    order(&mut world, CaseOrder::Take(AgentId(0)));
    assert_eq!(last(&world, first), CaseNews::Taken("agent-0".into()), "before {second}");
}

#[test]
fn a_referral_of_a_clinician_who_has_gone_home_comes_back_onto_the_stack() {
    let mut world = world(2);
    let (_caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    world.give(Input::Pathway(PathwayOrder::Report(PHARMACY, 1)));
    order(&mut world, CaseOrder::Take(AgentId(1)));
    order(&mut world, CaseOrder::Refer(AgentId(1), case, PHARMACY));
    world.give(Input::Agent(AgentOrder::LogOut(AgentId(1))));
    world.pass(119 * SECOND);
    assert_eq!(last(&world, case), CaseNews::Taken("agent-1".into()), "it awaits an answer");
    world.pass(SECOND);
    assert_eq!(last(&world, case), CaseNews::GivenBack);
    order(&mut world, CaseOrder::Take(AgentId(0)));
    assert_eq!(last(&world, case), CaseNews::Taken("agent-0".into()));
}

#[test]
fn a_referral_ends_no_later_than_the_time_by_which_its_case_must_be_closed() {
    let mut world = world(1);
    let (_caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    world.pass(3_500 * SECOND);
    world.give(Input::Pathway(PathwayOrder::Report(PHARMACY, 1)));
    order(&mut world, CaseOrder::Take(AgentId(0)));
    order(&mut world, CaseOrder::Refer(AgentId(0), case, PHARMACY));
    world.pass(100 * SECOND);
    let befell: Vec<_> = news(&world).into_iter().map(|(_, news)| news).collect();
    assert!(befell.ends_with(&[CaseNews::Returned("agent-0".into()), CaseNews::Breached]), "{befell:?}");
}

#[test]
fn a_referral_acknowledged_closes_the_case_and_one_declined_brings_it_back() {
    for acknowledged in [true, false] {
        let mut world = world(1);
        let (_caller, case) = put_on_stack(&mut world, "c1", TRUNK);
        world.give(Input::Pathway(PathwayOrder::Report(PHARMACY, 1)));
        order(&mut world, CaseOrder::Take(AgentId(0)));
        order(&mut world, CaseOrder::Refer(AgentId(0), case, PHARMACY));
        let answer = if acknowledged { PathwayOrder::Acknowledge } else { PathwayOrder::Decline };
        world.give(Input::Pathway(answer(ReferralId(1))));
        let expected = if acknowledged {
            CaseNews::HandedOver("pharmacy".into())
        } else {
            CaseNews::Returned("agent-0".into())
        };
        assert_eq!(last(&world, case), expected);
    }
}

#[test]
fn a_case_is_not_referred_to_a_stale_or_full_pathway_nor_by_anybody_else() {
    let mut world = world(2);
    let (_caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    order(&mut world, CaseOrder::Take(AgentId(0)));
    order(&mut world, CaseOrder::Refer(AgentId(0), case, PHARMACY));
    world.give(Input::Pathway(PathwayOrder::Report(PHARMACY, 0)));
    order(&mut world, CaseOrder::Refer(AgentId(0), case, PHARMACY));
    world.give(Input::Pathway(PathwayOrder::Report(PHARMACY, 1)));
    order(&mut world, CaseOrder::Refer(AgentId(1), case, PHARMACY));
    world.pass(61 * SECOND);
    order(&mut world, CaseOrder::Refer(AgentId(0), case, PHARMACY));
    assert_eq!(world.switch.counters().referrals, 0);
}

/// Whatever clinicians and pathways do, each case is closed once, and each referral ends once.
#[test]
fn two_hundred_random_days_end_every_case_and_referral_once() {
    for seed in 0..200u8 {
        let mut dice = Rng::new([seed; 32]);
        let mut world = world(2);
        let mut cases = Vec::new();
        for step in 0..60 {
            let case = cases.get(dice.bits() as usize % cases.len().max(1)).copied().unwrap_or(CaseId(0));
            let agent = AgentId((dice.bits() % 2) as u32);
            let referral = ReferralId(1 + dice.bits() % 4);
            match dice.bits() % 10 {
                0 if cases.len() < 6 => {
                    world.pass(16 * SECOND);
                    let free = world.switch.exchange.distributor().availability(AgentId(0));
                    if free == Some(Availability::Free) {
                        world.give(Input::Agent(AgentOrder::Pause(AgentId(1), "tea".into())));
                        cases.push(put_on_stack(&mut world, &format!("c{step}"), TRUNK).1);
                        world.give(Input::Agent(AgentOrder::Resume(AgentId(1))));
                    }
                }
                1 | 2 => order(&mut world, CaseOrder::Take(agent)),
                3 => order(&mut world, CaseOrder::GiveBack(agent, case)),
                4 => order(&mut world, CaseOrder::Close(agent, case, "21".into())),
                5 => order(&mut world, CaseOrder::Refer(agent, case, PHARMACY)),
                6 => world.give(Input::Pathway(PathwayOrder::Report(PHARMACY, (dice.bits() % 3) as u32))),
                7 => world.give(Input::Pathway(PathwayOrder::Acknowledge(referral))),
                8 => world.give(Input::Pathway(PathwayOrder::Decline(referral))),
                _ => world.pass(Duration::from_millis(dice.bits() % 60_000)),
            }
        }
        world.pass(300 * SECOND);
        let over = |news: &CaseNews| matches!(news, CaseNews::Closed(_) | CaseNews::HandedOver(_));
        let ended = |case: CaseId| news(&world).iter().filter(|(of, news)| *of == case && over(news)).count();
        let closed =
            cases.iter().map(|&case| ended(case)).inspect(|&times| assert!(times <= 1)).sum::<usize>();
        assert_eq!(closed + world.switch.case_files.len(), cases.len(), "seed {seed}");
        let ended = world.events.iter().filter(|event| matches!(event, Event::ReferralEnded { .. })).count();
        assert_eq!(ended as u64, world.switch.counters().referrals, "seed {seed}");
    }
}

#[test]
fn a_clinician_takes_closes_and_gives_back_cases_by_phone() {
    let mut plan = world(1).switch.plan().clone();
    plan.codes = codes();
    let mut world = World::on(plan);
    let state = |world: &World| world.switch.exchange.distributor().availability(AgentId(0)).unwrap();
    let says = |world: &World, prompts: &[Prompt]| {
        let words = speech::clips(prompts, ClipId(100));
        world.media.iter().any(|command| matches!(command, Command::Say { clips, .. } if *clips == words))
    };
    dial(&mut world, 0, "agent-0", "*16");
    assert!(says(&world, &[Prompt::NothingWaits]));
    let (mut caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    caller.send(&mut world, "BYE", "");
    world.pass(16 * SECOND);
    for _ in 0..2 {
        world.media.clear();
        world.pass(SECOND);
        dial(&mut world, 0, "agent-0", "*16");
        let number = speech::telephone("+447700900123", "44");
        assert!(says(&world, &[vec![Prompt::CallbackFor], number].concat()), "again when dialled again");
        assert_eq!(state(&world), Availability::Paused(PauseReason::Chosen("case".into())));
    }
    dial(&mut world, 0, "agent-0", "*18");
    assert_eq!((last(&world, case), state(&world)), (CaseNews::GivenBack, Availability::Free));
    world.pass(SECOND);
    dial(&mut world, 0, "agent-0", "*16");
    dial(&mut world, 0, "agent-0", "*1721");
    assert_eq!((last(&world, case), state(&world)), (CaseNews::Closed("21".into()), Availability::Free));
    assert!(world.switch.in_hand.is_empty() && world.switch.case_files.is_empty());
    assert_eq!(world.records.len(), 1);
}

/// Gives an order; why it was not obeyed.
fn ordered(world: &mut World, order: CaseOrder) -> Result<(), Refused> {
    let input = Input::Case(order);
    let said = world.switch.clone().obey(input.clone(), world.now);
    world.give(input);
    said
}

#[test]
fn a_named_case_is_taken_once_by_a_clinician_of_its_teams_and_orders_that_do_not_fit_say_why() {
    let mut plan = treat_plan(3);
    plan.acd.teams[0].agents = vec![AgentId(0), AgentId(1)];
    plan.acd.agents[1].logged_in = false;
    let mut world = World::on(plan);
    let (_first, first) = put_on_stack(&mut world, "c1", TRUNK);
    world.pass(16 * SECOND);
    let (_second, second) = put_on_stack(&mut world, "c2", TRUNK);
    let take = |world: &World| world.switch.meant(Order::Case("agent-1".into(), WithCase::Take(second)));
    assert_eq!(take(&world), Err(Refused::NotNow("the agent is logged-out".to_owned())));
    world.give(Input::Agent(AgentOrder::LogIn(AgentId(1))));
    assert_eq!(take(&world), Ok(Input::Case(CaseOrder::TakeThis(AgentId(1), second))));
    let waiting = |world: &World, agent: &str| -> Vec<CaseId> {
        let desk = world.switch.desk(agent, world.now).unwrap();
        desk.cases_waiting.iter().map(|case| case.id).collect()
    };
    assert_eq!(waiting(&world, "agent-1"), [first, second], "the most urgent first");
    assert!(waiting(&world, "agent-2").is_empty(), "of another team");
    let not_now = |why: &str| Err(Refused::NotNow(why.to_owned()));
    let of_others = not_now("the case is for other teams than the agent's");
    assert_eq!(ordered(&mut world, CaseOrder::TakeThis(AgentId(2), second)), of_others);
    assert_eq!(ordered(&mut world, CaseOrder::TakeThis(AgentId(1), second)), Ok(()));
    assert_eq!(last(&world, second), CaseNews::Taken("agent-1".into()));
    assert_eq!(waiting(&world, "agent-0"), [first]);
    let again = ordered(&mut world, CaseOrder::TakeThis(AgentId(0), second));
    assert_eq!(again, not_now("the case is taken already"));
    for order in [
        CaseOrder::GiveBack(AgentId(0), second),
        CaseOrder::Close(AgentId(0), second, "21".into()),
        CaseOrder::Refer(AgentId(0), second, PHARMACY),
    ] {
        assert_eq!(ordered(&mut world, order), not_now("the agent does not have this case"));
    }
    let unknown = ordered(&mut world, CaseOrder::Close(AgentId(1), second, "99".into()));
    assert_eq!(unknown, Err(Refused::Unknown("there is no disposition `99`".into())));
    assert_eq!(ordered(&mut world, CaseOrder::GiveBack(AgentId(1), second)), Ok(()));
    assert_eq!(waiting(&world, "agent-0"), [first, second], "in its old place");
    assert_eq!(ordered(&mut world, CaseOrder::Take(AgentId(0))), Ok(()));
    assert_eq!(ordered(&mut world, CaseOrder::Close(AgentId(0), first, "21".into())), Ok(()));
    let closed = Err(Refused::Unknown("there is no such case, or it is closed".into()));
    assert_eq!(ordered(&mut world, CaseOrder::TakeThis(AgentId(0), first)), closed);
    assert_eq!(ordered(&mut world, CaseOrder::Take(AgentId(0))), Ok(()));
    assert_eq!(ordered(&mut world, CaseOrder::Take(AgentId(0))), not_now("no case waits for the agent"));
}

#[test]
fn a_case_that_a_pathway_has_not_answered_for_stays_with_its_clinician() {
    let mut world = world(1);
    let (_caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    assert_eq!(ordered(&mut world, CaseOrder::Take(AgentId(0))), Ok(()));
    let closed = ordered(&mut world, CaseOrder::Refer(AgentId(0), case, PHARMACY));
    assert!(matches!(closed, Err(Refused::NotNow(_))), "it has not said that it has room: {closed:?}");
    world.give(Input::Pathway(PathwayOrder::Report(PHARMACY, 3)));
    assert_eq!(ordered(&mut world, CaseOrder::Refer(AgentId(0), case, PHARMACY)), Ok(()));
    let back = ordered(&mut world, CaseOrder::GiveBack(AgentId(0), case));
    assert_eq!(back, Err(Refused::NotNow("a pathway has yet to answer for the case".into())));
}

#[test]
fn a_clinician_who_dials_hears_the_number_of_the_case_that_was_taken_elsewhere() {
    let mut plan = treat_plan(1);
    plan.codes = codes();
    let mut world = World::on(plan);
    let (_first, first) = put_on_stack(&mut world, "c1", TRUNK);
    world.pass(16 * SECOND);
    let (_second, second) = put_on_stack(&mut world, "c2", TRUNK);
    world.pass(16 * SECOND);
    assert_eq!(ordered(&mut world, CaseOrder::TakeThis(AgentId(0), second)), Ok(()));
    dial(&mut world, 0, "agent-0", "*16");
    assert_eq!(world.switch.in_hand.get(&AgentId(0)), Some(&second));
    assert_eq!(last(&world, first), CaseNews::Opened, "no other is taken");
}
