//! What patients, agents and supervisors may rely on.

use super::*;

fn join(promise: PromiseId) -> Output {
    Output::Join { promise }
}

fn leave(promise: PromiseId) -> Output {
    Output::Leave { promise }
}

fn ended(promise: PromiseId, outcome: Outcome) -> Output {
    Output::Ended { promise, outcome }
}

#[test]
fn a_promise_joins_with_the_place_of_the_call_and_is_kept_when_the_patient_has_talked() {
    let mut desk = Desk::new(settings());
    let (promise, outputs) = desk.promise(100, request(1, ELM, 40));
    assert_eq!(outputs, [join(promise)]);
    let standing = desk.book.get(promise).unwrap().standing();
    assert_eq!((standing.arrived, standing.rank), (secs(40), Rank::ByArrival));
    let outputs = desk.at(200, Input::Reserve { promise, agent: A });
    assert_eq!(outputs, [Output::Dial { promise, agent: A }]);
    assert_eq!(desk.at(201, Input::Dial { promise }), []);
    assert_eq!(desk.at(210, Input::Reach { promise }), []);
    assert_eq!(desk.at(300, Input::Finish { promise }), [ended(promise, Outcome::Reached)]);
    assert_eq!(desk.refused(301, Input::Finish { promise }), Refused::Unknown(promise));
    assert_eq!(desk.book.poll_timeout(), None);
}

#[test]
fn a_patient_not_reached_is_dialled_again_after_the_pause_and_given_up_after_the_last_attempt() {
    let mut desk = Desk::new(settings());
    let (promise, _) = desk.promise(0, request(1, ELM, 0));
    desk.dialled(10, promise);
    assert_eq!(desk.at(20, Input::Miss { promise, why: Miss::Busy }), []);
    assert_eq!(desk.refused(30, Input::Reserve { promise, agent: A }), Refused::WrongState(promise));
    assert_eq!(desk.wake(319), []);
    assert_eq!(desk.wake(320), [join(promise)]);
    desk.dialled(330, promise);
    assert_eq!(desk.at(340, Input::Miss { promise, why: Miss::Failed }), []);
    assert_eq!(desk.wake(700), [join(promise)]);
    assert_eq!(desk.book.get(promise).unwrap().request.arrived, secs(0));
    desk.dialled(710, promise);
    let outcome = Outcome::GaveUp { attempts: 3, why: Miss::NoAnswer };
    assert_eq!(desk.at(720, Input::Miss { promise, why: Miss::NoAnswer }), [ended(promise, outcome)]);
}

#[test]
fn an_agent_lost_in_any_state_leads_back_to_the_same_place() {
    let mut desk = Desk::new(settings());
    let (promise, _) = desk.promise(100, request(1, ELM, 40));
    let standing = desk.book.get(promise).unwrap().standing();
    let inputs = [None, Some(Input::Dial { promise }), Some(Input::Reach { promise })];
    for steps in 0..3 {
        desk.at(200, Input::Reserve { promise, agent: A });
        for input in inputs[..=steps].iter().flatten() {
            desk.at(200, *input);
        }
        assert_eq!(desk.at(200, Input::Lose { promise }), [join(promise)], "{steps}");
        let promise = desk.book.get(promise).unwrap();
        assert_eq!((promise.state, promise.standing(), promise.missed), (State::Due, standing, 0));
    }
    assert_eq!(desk.refused(201, Input::Lose { promise }), Refused::WrongState(promise));
}

#[test]
fn nobody_is_called_out_of_hours() {
    let mut desk = Desk { hours: closed_for_lunch, ..Desk::new(settings()) };
    let (early, _) = desk.promise(900, request(1, ELM, 900));
    assert_eq!(desk.wake(1_000), [leave(early)]);
    assert_eq!(desk.refused(1_500, Input::Reserve { promise: early, agent: A }), Refused::WrongState(early));
    let (late, outputs) = desk.promise(1_500, request(2, ELM, 1_500));
    assert_eq!(outputs, []);
    assert_eq!(desk.book.poll_timeout(), Some(secs(2_000)));
    assert_eq!(desk.wake(2_000), [join(early), join(late)]);
}

#[test]
fn an_agent_reserved_at_closing_time_is_released_but_a_dial_goes_on() {
    let mut desk = Desk { hours: closed_for_lunch, ..Desk::new(settings()) };
    let (reserved, _) = desk.promise(900, request(1, ELM, 900));
    let (dialled, _) = desk.promise(900, request(2, ELM, 900));
    desk.dialled(998, dialled);
    desk.at(999, Input::Reserve { promise: reserved, agent: B });
    assert_eq!(desk.wake(1_001), [Output::Release { promise: reserved, agent: B }]);
    assert_eq!(desk.refused(1_001, Input::Dial { promise: reserved }), Refused::WrongState(reserved));
    assert_eq!(desk.at(1_002, Input::Miss { promise: dialled, why: Miss::Busy }), []);
    assert_eq!(desk.wake(2_000), [join(reserved), join(dialled)]);
}

#[test]
fn a_number_set_free_by_one_line_at_its_closing_time_is_due_on_the_other() {
    let mut desk = Desk::new(settings());
    desk.hours = |line, at| if line == ELM { closed_for_lunch(line, at) } else { always(line, at) };
    let (elm, _) = desk.promise(900, request(1, ELM, 900));
    let (oak, _) = desk.promise(900, request(1, OAK, 900));
    let outputs = desk.at(999, Input::Reserve { promise: elm, agent: A });
    assert_eq!(outputs, [Output::Dial { promise: elm, agent: A }, leave(oak)]);
    assert_eq!(desk.wake(1_000), [Output::Release { promise: elm, agent: A }, join(oak)]);
}

#[test]
fn hours_that_change_without_warning_still_keep_a_dial_back() {
    let mut desk = Desk::new(settings());
    let (promise, _) = desk.promise(0, request(1, ELM, 0));
    desk.at(1, Input::Reserve { promise, agent: A });
    desk.hours = |_, _| Hours { open: false, until: None };
    assert_eq!(desk.refused(2, Input::Dial { promise }), Refused::WrongState(promise));
    assert_eq!(desk.outputs(), [Output::Release { promise, agent: A }]);
    desk.hours = always;
    assert_eq!(desk.at(3, Input::HoursChanged), [join(promise)]);
    desk.hours = |_, _| Hours { open: false, until: None };
    assert_eq!(desk.at(4, Input::HoursChanged), [leave(promise)]);
    assert_eq!(desk.wake(4 * 3_600).last(), Some(&ended(promise, Outcome::Expired)));
}

#[test]
fn a_second_request_joins_the_first_with_the_older_place() {
    let mut desk = Desk::new(settings());
    let (promise, _) = desk.promise(100, request(1, ELM, 60));
    assert_eq!(desk.promise(200, request(1, ELM, 150)), (promise, vec![]));
    assert_eq!(desk.book.get(promise).unwrap().request.arrived, secs(60));
    assert_eq!(desk.promise(300, request(1, ELM, 50)), (promise, vec![join(promise)]));
    assert_eq!(desk.book.get(promise).unwrap().request.arrived, secs(50));
    let (other, _) = desk.promise(300, request(1, OAK, 300));
    assert_ne!(other, promise, "another practice's line");
    assert_eq!(desk.book.promises().count(), 2);
}

#[test]
fn two_lines_never_dial_one_number_at_once() {
    let mut desk = Desk::new(settings());
    let (elm, _) = desk.promise(0, request(1, ELM, 0));
    let (oak, _) = desk.promise(0, request(1, OAK, 0));
    let outputs = desk.at(10, Input::Reserve { promise: elm, agent: A });
    assert_eq!(outputs, [Output::Dial { promise: elm, agent: A }, leave(oak)]);
    assert_eq!(desk.refused(11, Input::Reserve { promise: oak, agent: B }), Refused::WrongState(oak));
    desk.at(11, Input::Dial { promise: elm });
    desk.at(12, Input::Reach { promise: elm });
    let outputs = desk.at(60, Input::Finish { promise: elm });
    assert_eq!(outputs, [ended(elm, Outcome::Reached), join(oak)]);
}

#[test]
fn who_rings_is_not_dialled_meanwhile_and_needs_no_callback_once_answered() {
    let mut desk = Desk::new(settings());
    let (promise, _) = desk.promise(0, request(1, ELM, 0));
    assert_eq!(desk.at(10, Input::CallIn { caller: caller(1) }), [leave(promise)]);
    assert_eq!(desk.at(20, Input::CallOver { caller: caller(1) }), [join(promise)], "unanswered");
    desk.dialled(30, promise);
    let outputs = desk.at(31, Input::CallIn { caller: caller(1) });
    assert_eq!(outputs, [Output::Release { promise, agent: A }]);
    assert_eq!(desk.at(32, Input::CallAnswered { caller: caller(1), line: OAK }), [], "another line");
    let outputs = desk.at(40, Input::CallAnswered { caller: caller(1), line: ELM });
    assert_eq!(outputs, [ended(promise, Outcome::AnsweredByOwnCall)]);
    assert_eq!(desk.at(50, Input::CallOver { caller: caller(1) }), []);
    assert!(desk.book.calls.is_empty());
}

#[test]
fn a_promise_made_during_a_call_waits_for_the_end_of_that_call() {
    let mut desk = Desk::new(settings());
    desk.at(10, Input::CallIn { caller: caller(1) });
    let (promise, outputs) = desk.promise(60, request(1, ELM, 10));
    assert_eq!(outputs, []);
    assert_eq!(desk.at(65, Input::CallOver { caller: caller(1) }), [join(promise)]);
    assert_eq!(desk.at(66, Input::CallOver { caller: caller(1) }), [], "no call was known");
}

#[test]
fn a_promise_past_its_breach_time_is_told_once_and_goes_to_the_head_of_its_band() {
    let mut desk = Desk::new(settings());
    let (late, _) = desk.promise(0, request(1, ELM, 3_000));
    let (first, _) = desk.promise(600, request(2, ELM, 10));
    assert!(desk.book.get(first).unwrap().standing() < desk.book.get(late).unwrap().standing());
    assert_eq!(desk.wake(3_599), []);
    assert_eq!(desk.wake(3_600), [Output::Escalated { promise: late }, join(late)]);
    assert!(desk.book.get(late).unwrap().standing() < desk.book.get(first).unwrap().standing());
    let emergency = Standing { band: Band::EMERGENCY, ..desk.book.get(first).unwrap().standing() };
    assert!(emergency < desk.book.get(late).unwrap().standing(), "never before an emergency");
    assert_eq!(desk.wake(4_000), []);
}

#[test]
fn a_breach_during_the_pause_is_told_and_the_head_is_taken_after_it() {
    let mut desk = Desk::new(settings());
    let (promise, _) = desk.promise(0, request(1, ELM, 0));
    desk.dialled(3_500, promise);
    desk.at(3_550, Input::Miss { promise, why: Miss::Busy });
    assert_eq!(desk.wake(3_600), [Output::Escalated { promise }]);
    assert_eq!(desk.wake(3_850), [join(promise)]);
    assert_eq!(desk.book.get(promise).unwrap().standing().rank, Rank::Head);
}

#[test]
fn an_attempt_that_goes_on_at_expiry_may_still_reach_the_patient() {
    let end = 4 * 3_600;
    let mut desk = Desk::new(settings());
    let (kept, _) = desk.promise(0, request(1, ELM, 0));
    let (missed, _) = desk.promise(0, request(2, ELM, 0));
    let (idle, _) = desk.promise(0, request(3, ELM, 0));
    desk.wake(end - 1);
    desk.dialled(end - 1, kept);
    desk.dialled(end - 1, missed);
    assert_eq!(desk.wake(end), [leave(idle), ended(idle, Outcome::Expired)]);
    desk.at(end + 1, Input::Reach { promise: kept });
    assert_eq!(desk.at(end + 60, Input::Finish { promise: kept }), [ended(kept, Outcome::Reached)]);
    let outputs = desk.at(end + 60, Input::Miss { promise: missed, why: Miss::NoAnswer });
    assert_eq!(outputs, [ended(missed, Outcome::Expired)]);
}

#[test]
fn a_cancelled_promise_leaves_matching_or_releases_its_agent() {
    let mut desk = Desk::new(settings());
    let (due, _) = desk.promise(0, request(1, ELM, 0));
    let (dialled, _) = desk.promise(0, request(2, ELM, 0));
    desk.dialled(1, dialled);
    assert_eq!(desk.at(2, Input::Cancel { promise: due }), [leave(due), ended(due, Outcome::Cancelled)]);
    let outputs = desk.at(2, Input::Cancel { promise: dialled });
    assert_eq!(outputs, [Output::Release { promise: dialled, agent: A }, ended(dialled, Outcome::Cancelled)]);
}

#[test]
fn a_talk_can_not_be_cancelled() {
    let mut desk = Desk::new(settings());
    let (promise, _) = desk.promise(0, request(1, ELM, 0));
    desk.dialled(1, promise);
    desk.at(2, Input::Reach { promise });
    assert_eq!(desk.refused(3, Input::Cancel { promise }), Refused::WrongState(promise));
    assert_eq!(desk.at(3, Input::CallAnswered { caller: caller(1), line: ELM }), []);
}

#[test]
fn no_more_is_promised_than_there_is_room_for() {
    let mut desk = Desk::new(Settings { most: 1, ..settings() });
    let (promise, _) = desk.promise(0, request(1, ELM, 0));
    assert_eq!(desk.book.promise(request(2, ELM, 0), secs(1), always), Err(Refused::Full));
    assert_eq!(desk.promise(2, request(1, ELM, 2)).0, promise);
    desk.at(3, Input::Cancel { promise });
    assert!(desk.book.promise(request(2, ELM, 0), secs(4), always).is_ok());
}

#[test]
fn a_number_has_one_to_thirty_two_characters_and_is_never_logged() {
    assert_eq!(Number::new(""), None);
    assert_eq!(Number::new(&"1".repeat(33)), None);
    let number = Number::new("+441614960000").unwrap();
    assert_eq!(number.as_str(), "+441614960000");
    assert_eq!(format!("{number:?}"), "Number(..)");
}
