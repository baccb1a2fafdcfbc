//! The agent waits and the patient's phone rings: every way in which that can go.

use super::*;
use crate::acd::Availability;
use crate::acd::callback::Miss;
use crate::call::record::{EndedBy, Stage};
use crate::switch::tests::world::phone;
use crate::switch::{CallerOrder, Refused};

/// A promise whose agent has answered; the agent's phone, its leg, and the patient's phone.
fn dialled(world: &mut World) -> (Ringing, LegId, Ringing) {
    promised(world, &mut Caller::new("c1", TRUNK));
    log_in(world, 0);
    let agent = Ringing::of(world, 0);
    agent.answer(world);
    let leg = last_leg(world);
    (agent, leg, rung(world))
}

/// The next attempt, up to the patient's phone.
fn dialled_again(world: &mut World) -> Ringing {
    let agent = Ringing::of(world, 0);
    agent.answer(world);
    rung(world)
}

#[test]
fn an_agent_whose_patient_is_not_reached_is_told_and_free_without_wrap_up() {
    let mut world = world(1);
    let (agent, leg, phone) = dialled(&mut world);
    phone.reply(&mut world, "486 Busy Here");
    world.expect(OUT, "ACK");
    assert_eq!(hears(&world, leg).1, clips(&[Prompt::NotReached]));
    assert!(matches!(availability(&world, 0), Availability::Talking(_)));
    hear_out(&mut world, leg);
    world.expect(&agent.at, "BYE");
    assert_eq!(availability(&world, 0), Availability::Free);
    let record = world.records.last().unwrap();
    assert_eq!(record.outcome, Outcome::Unreached { why: Miss::Busy });
    assert!(
        record
            .segments
            .iter()
            .any(|segment| matches!(&segment.stage, Stage::Dial { agent } if agent == "agent-0"))
    );
}

#[test]
fn a_supervisor_does_not_hang_up_on_a_patient_who_has_not_answered() {
    let mut world = world(1);
    let (_agent, _leg, phone) = dialled(&mut world);
    let call = world.switch.callers(world.now).last().unwrap().id;
    let refused = Err(Refused::NotNow("nobody is on the phone yet".into()));
    assert_eq!(world.order(CallerOrder::HangUp(call)), refused);
    phone.answer(&mut world);
    assert_eq!(world.order(CallerOrder::HangUp(call)), Ok(()));
    assert_eq!(outcomes(&world), [PromiseOutcome::Reached]);
}

#[test]
fn a_patient_who_is_not_reached_is_called_again_after_the_pause_and_fails_after_the_last_attempt() {
    let mut world = world(1);
    let (agent, leg, phone) = dialled(&mut world);
    phone.reply(&mut world, "486 Busy Here");
    hear_out(&mut world, leg);
    world.take_to(&agent.at);
    world.pass(10 * MINUTE - SECOND);
    assert!(!rings(&mut world, &agent.at), "before the pause is over");
    world.pass(SECOND);
    let second = dialled_again(&mut world);
    second.reply(&mut world, "180 Ringing");
    world.pass(30 * SECOND);
    let cancel = world.expect(OUT, "CANCEL");
    world.from(OUT, &second.response(&cancel, "200 OK", ""));
    second.reply(&mut world, "487 Request Terminated");
    world.pass(10 * SECOND);
    world.take_to(&agent.at);
    world.take_to(OUT);
    world.pass(10 * MINUTE - 10 * SECOND);
    let third = dialled_again(&mut world);
    third.reply(&mut world, "404 Not Found");
    let missed: Vec<_> = world.records.iter().map(|record| record.outcome.clone()).collect();
    assert_eq!(
        missed[1..],
        [Outcome::Unreached { why: Miss::Busy }, Outcome::Unreached { why: Miss::NoAnswer }]
    );
    assert_eq!(outcomes(&world), [PromiseOutcome::Unreached(Miss::Failed)]);
    let last = world.promises.last().unwrap();
    assert_eq!((last.missed, world.switch.promises()), (3, 0));
    assert_eq!(world.switch.counters().callbacks.failed, 1);
    world.pass(60 * MINUTE);
    assert!(!rings(&mut world, OUT));
}

fn last_invite(world: &mut World) -> String {
    let sent = world.take_to(&phone(0));
    sent.into_iter().rev().find(|text| text.starts_with("INVITE")).unwrap()
}

#[test]
fn a_trunk_that_gives_no_sign_of_life_is_given_up_after_four_seconds() {
    let mut world = world(1);
    let (_, leg, _) = dialled(&mut world);
    world.pass(4 * SECOND);
    assert_eq!(hears(&world, leg).1, clips(&[Prompt::NotReached]));
    // The agent does not wait for the end of the words, if that is never reported.
    world.pass(8 * SECOND);
    assert_eq!(world.records.last().unwrap().outcome, Outcome::Unreached { why: Miss::Failed });
}

#[test]
fn an_agent_who_hangs_up_while_the_phone_rings_silences_it_and_the_next_agent_is_rung() {
    let mut world = world(2);
    let (agent, _, patient) = dialled(&mut world);
    patient.reply(&mut world, "180 Ringing");
    log_in(&mut world, 1);
    agent.send(&mut world, "BYE", 7, "");
    world.expect(OUT, "CANCEL");
    // The answer crosses the CANCEL: nobody would be there to talk.
    patient.answer(&mut world);
    let sent = world.take_to(OUT);
    assert!(
        sent.iter().any(|text| text.starts_with("ACK")) && sent.iter().any(|text| text.starts_with("BYE"))
    );
    Ringing::of(&mut world, 1).answer(&mut world);
    rung(&mut world).answer(&mut world);
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })));
    assert_eq!(world.promises.last().unwrap().missed, 0, "it was no attempt");
}

#[test]
fn an_agent_who_does_not_answer_costs_the_promise_nothing() {
    let mut world = world(2);
    promised(&mut world, &mut Caller::new("c1", TRUNK));
    log_in(&mut world, 0);
    Ringing::of(&mut world, 0).reply(&mut world, "486 Busy Here");
    log_in(&mut world, 1);
    Ringing::of(&mut world, 1).answer(&mut world);
    rung(&mut world);
}

#[test]
fn a_patient_who_rings_meanwhile_is_not_called_but_answered() {
    let mut world = world(1);
    let (agent, leg, patient) = dialled(&mut world);
    patient.reply(&mut world, "180 Ringing");
    let mut own = Caller::new("c2", TRUNK);
    own.call(&mut world);
    world.expect(OUT, "CANCEL");
    assert_eq!(hears(&world, leg).1, clips(&[Prompt::NotWanted]));
    hear_out(&mut world, leg);
    assert_eq!(world.records.last().unwrap().outcome, Outcome::Withdrawn);
    let agent = Ringing { invite: last_invite(&mut world), ..agent };
    agent.answer(&mut world);
    assert_eq!(outcomes(&world), [PromiseOutcome::OwnCall]);
    own.send(&mut world, "BYE", "");
    assert!(matches!(world.records.last().unwrap().outcome, Outcome::Answered { .. }));
}

#[test]
fn a_patient_who_rings_and_gives_up_is_called_back_after_all() {
    let mut world = world(1);
    promised(&mut world, &mut Caller::new("c1", TRUNK));
    let mut own = Caller::new("c2", TRUNK);
    own.call(&mut world);
    world.pass(MINUTE);
    own.send(&mut world, "BYE", "");
    log_in(&mut world, 0);
    Ringing::of(&mut world, 0).answer(&mut world);
    rung(&mut world);
}

#[test]
fn a_patient_whose_agent_is_lost_in_the_talk_waits_for_the_next_one_on_the_line() {
    let mut world = world(2);
    let (_, leg, patient) = dialled(&mut world);
    patient.answer(&mut world);
    world.give(Input::Media(media::Event::Dead { leg, silent_for: 20 * SECOND }));
    world.pass(4 * SECOND);
    assert!(
        matches!(world.media.last(), Some(Command::Play { looped: true, .. })),
        "{:?}",
        world.media.last()
    );
    log_in(&mut world, 1);
    Ringing::of(&mut world, 1).answer(&mut world);
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })));
    assert!(!rings(&mut world, OUT), "the patient is on the line already");
    patient.send(&mut world, "BYE", 1, "");
    let record = world.records.last().unwrap();
    assert_eq!(record.outcome, Outcome::Answered { agent: "agent-1".into(), ended_by: EndedBy::Caller });
    assert_eq!(outcomes(&world), [PromiseOutcome::Reached]);
}

#[test]
fn a_patient_who_answers_without_sound_is_let_go_and_called_again() {
    let mut world = world(1);
    let (_, leg, patient) = dialled(&mut world);
    patient.reply(&mut world, "200 OK");
    let sent = world.take_to(OUT);
    assert!(sent.iter().any(|text| text.starts_with("BYE")), "{sent:?}");
    assert_eq!(hears(&world, leg).1, clips(&[Prompt::NotReached]));
    assert_eq!(world.promises.last().unwrap().missed, 1);
}
