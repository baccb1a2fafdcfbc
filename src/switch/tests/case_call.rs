//! Clinicians who dial for a case and are joined to its patient.

use std::time::Duration;

use super::cases::{codes, last, news, put_on_stack, treat_plan};
use super::codes::dial;
use super::transfer::has;
use super::world::{Ringing, TRUNK, World, flow, header, phone};
use crate::acd::callback::Miss;
use crate::acd::{Availability, PauseReason};
use crate::call::media::{self, Command};
use crate::call::record::{CaseOutcome, EndedBy, Outcome, Stage};
use crate::call::speech::{self, Prompt};
use crate::id::{AgentId, CaseId, ClipId, LegId};
use crate::switch::{CaseNews, Input};

const SECOND: Duration = Duration::from_secs(1);
/// Where patients are called.
const OUT: &str = "192.0.2.11:5060";

/// One clinician, with a case on the stack.
fn world() -> (World, CaseId) {
    let mut plan = treat_plan(1);
    plan.codes = codes();
    plan.callbacks.via = Some(flow(OUT));
    let mut world = World::on(plan);
    let (mut caller, case) = put_on_stack(&mut world, "c1", TRUNK);
    caller.send(&mut world, "BYE", "");
    world.pass(16 * SECOND);
    world.take_to(&phone(0));
    world.take_to(TRUNK);
    (world, case)
}

/// The clinician's phone, which has dialled for a case, with what it was answered.
struct Desk {
    answer: String,
}

impl Desk {
    fn dial(world: &mut World) -> Desk {
        let answers = dial(world, 0, "agent-0", "*16");
        let answer = answers.into_iter().find(|text| text.starts_with("SIP/2.0 200")).unwrap();
        let desk = Desk { answer };
        desk.send(world, "ACK", 1);
        desk
    }

    /// The switch has hung up.
    fn hung_up(&self, world: &mut World) {
        let sent = world.take_to(&phone(0));
        let ours = |text: &String| header(text, "Call-ID") == header(&self.answer, "Call-ID");
        assert!(sent.iter().any(|text| text.starts_with("BYE") && ours(text)), "{sent:#?}");
    }

    fn send(&self, world: &mut World, method: &str, cseq: u32) {
        let at = phone(0);
        let [from, to, call_id] = ["From", "To", "Call-ID"].map(|name| header(&self.answer, name));
        world.from(
            &at,
            &format!(
                "{method} sip:*16@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{call_id}{method}{cseq}\r\n\
                 Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
                 Content-Length: 0\r\n\r\n"
            ),
        );
    }
}

fn patient(world: &mut World) -> Ringing {
    let invite = world.expect(OUT, "INVITE");
    Ringing { at: OUT.to_owned(), invite }
}

fn state(world: &World) -> Availability {
    world.switch.exchange.distributor().availability(AgentId(0)).unwrap()
}

fn with_case() -> Availability {
    Availability::Paused(PauseReason::Chosen("case".into()))
}

/// The last announcement: to which leg, which, and what.
fn said(world: &World) -> (LegId, u32, Vec<ClipId>) {
    let said = |command: &Command| match command {
        Command::Say { leg, id, clips } => Some((*leg, *id, clips.clone())),
        _ => None,
    };
    world.media.iter().rev().find_map(said).unwrap()
}

#[test]
fn a_clinician_who_dials_for_a_case_is_joined_to_the_patient_and_closes_it_after_the_talk() {
    let (mut world, case) = world();
    let desk = Desk::dial(&mut world);
    let whom = [vec![Prompt::CallbackFor], speech::telephone("+447700900123", "44")].concat();
    assert_eq!(said(&world).2, speech::clips(&whom, ClipId(100)));
    assert!(matches!(state(&world), Availability::Talking(_)), "{:?}", state(&world));
    let patient = patient(&mut world);
    assert!(patient.invite.starts_with("INVITE sip:+447700900123@192.0.2.11:5060"), "{}", patient.invite);
    assert!(header(&patient.invite, "From").starts_with("<sip:+442079460101@"), "{}", patient.invite);
    patient.reply(&mut world, "180 Ringing");
    world.pass(20 * SECOND);
    patient.answer(&mut world);
    world.expect(OUT, "ACK");
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })), "{:?}", world.media.last());
    world.pass(60 * SECOND);
    patient.send(&mut world, "BYE", 1, "");
    desk.hung_up(&mut world);
    assert_eq!(state(&world), with_case(), "no call is presented while the case is open");
    let record = world.records.last().unwrap().clone();
    assert_eq!(record.outcome, Outcome::Answered { agent: "agent-0".into(), ended_by: EndedBy::Caller });
    assert_eq!((record.case, record.waited, record.disposition), (Some(case), 20 * SECOND, None));
    dial(&mut world, 0, "agent-0", "*1721");
    assert_eq!(state(&world), Availability::Free);
    assert_eq!(world.records.last().unwrap().disposition.as_deref(), Some("21"));
    let befell: Vec<_> = news(&world).into_iter().map(|(_, news)| news).collect();
    let taken = CaseNews::Taken("agent-0".into());
    let closed = CaseNews::Closed("21".into());
    assert_eq!(befell, [CaseNews::Opened, taken, CaseNews::Dialled, CaseNews::Reached, closed]);
    let (outcome, _) = world.cases.last().unwrap().closed.clone().unwrap();
    assert_eq!(outcome, CaseOutcome::Disposed("21".into()));
    world.pass(70 * SECOND);
    assert!(world.switch.is_quiet(), "{:?}", world.switch.leftovers());
}

#[test]
fn a_clinician_whose_patient_is_not_reached_hears_so_and_may_dial_again() {
    let (mut world, case) = world();
    let desk = Desk::dial(&mut world);
    patient(&mut world).reply(&mut world, "486 Busy Here");
    assert_eq!(last(&world, case), CaseNews::Missed(Miss::Busy));
    let (leg, id, words) = said(&world);
    assert_eq!(words, speech::clips(&[Prompt::NotReached], ClipId(100)));
    world.give(Input::Media(media::Event::Said { leg, id }));
    desk.hung_up(&mut world);
    assert_eq!((state(&world), world.switch.calls()), (with_case(), 0));
    let record = world.records.last().unwrap();
    assert_eq!((&record.outcome, record.case), (&Outcome::Unreached { why: Miss::Busy }, Some(case)));
    world.pass(SECOND);
    world.take_to(OUT);
    Desk::dial(&mut world);
    patient(&mut world).reply(&mut world, "180 Ringing");
    assert_eq!(last(&world, case), CaseNews::Dialled);
}

#[test]
fn a_clinician_who_hangs_up_before_the_patient_answers_keeps_the_case_in_hand() {
    let (mut world, case) = world();
    let desk = Desk::dial(&mut world);
    let patient = patient(&mut world);
    patient.reply(&mut world, "180 Ringing");
    world.pass(5 * SECOND);
    desk.send(&mut world, "BYE", 2);
    let cancel = world.expect(OUT, "CANCEL");
    world.from(OUT, &patient.response(&cancel, "200 OK", ""));
    patient.reply(&mut world, "487 Request Terminated");
    assert_eq!((state(&world), world.switch.calls()), (with_case(), 0));
    let record = world.records.last().unwrap();
    assert_eq!((&record.outcome, record.case), (&Outcome::Withdrawn, Some(case)));
    assert!(record.segments.iter().any(|part| matches!(&part.stage, Stage::Dial { .. })));
    dial(&mut world, 0, "agent-0", "*18");
    assert_eq!((last(&world, case), state(&world)), (CaseNews::GivenBack, Availability::Free));
}

#[test]
fn a_number_that_may_not_be_called_is_only_read_out() {
    let (mut world, case) = world();
    world.switch.plan.callbacks.numbers = vec!["+4420".into()];
    Desk::dial(&mut world);
    assert!(!has(&world.take_to(OUT), "INVITE"));
    assert_eq!((last(&world, case), state(&world)), (CaseNews::Taken("agent-0".into()), with_case()));
    assert_eq!(world.switch.calls(), 0);
}

#[test]
fn a_patient_whose_clinician_is_lost_in_mid_talk_waits_in_the_line_and_is_answered_again() {
    let (mut world, _) = world();
    Desk::dial(&mut world);
    let patient = patient(&mut world);
    patient.answer(&mut world);
    world.expect(OUT, "ACK");
    let Some(Command::Bridge { a, b }) = world.media.last().cloned() else { panic!("{:?}", world.media) };
    let own = |leg: &LegId| matches!(world.switch.legs[leg].side, crate::call::leg::Side::Agent(_));
    let leg = if own(&a) { a } else { b };
    world.give(Input::Media(media::Event::Dead { leg, silent_for: 20 * SECOND }));
    world.pass(5 * SECOND);
    assert_eq!(world.switch.calls(), 1, "the patient is still there");
    assert_eq!(world.records.len(), 1, "of the call that the case came from");
}

#[test]
fn cases_of_an_earlier_run_are_on_their_stack_again_with_their_deadlines() {
    let (first, case) = world();
    let stored = first.cases.last().unwrap().clone();
    let mut next = World::on(first.switch.plan().clone());
    next.now = first.now;
    next.give(Input::Cases(vec![stored.clone(), stored.clone()]));
    assert_eq!(news(&next), [(case, CaseNews::Restored)]);
    assert_eq!((next.cases.len(), next.cases[0].breach), (1, stored.breach));
    let breach = first.switch.stacks[0].get(case).unwrap().urgency.breach;
    let restored = next.switch.stacks[0].get(case).unwrap().urgency.breach;
    assert!(breach.since(restored) < SECOND && restored.since(breach) < SECOND);
    Desk::dial(&mut next);
    assert!(patient(&mut next).invite.starts_with("INVITE sip:+447700900123@"));
}

#[test]
fn a_call_to_a_patient_goes_on_in_a_new_process() {
    let (mut world, case) = world();
    Desk::dial(&mut world);
    let patient = patient(&mut world);
    patient.reply(&mut world, "180 Ringing");
    world.media.clear();
    world.give(Input::Restart { seed: [7; 32], incomplete: true });
    assert!(world.media.iter().any(|c| matches!(c, Command::Play { looped: true, .. })), "ring tone again");
    assert_eq!(world.cases.last().unwrap().case, case, "written again");
    patient.answer(&mut world);
    world.expect(OUT, "ACK");
    assert!(matches!(world.media.last(), Some(Command::Bridge { .. })));
}
