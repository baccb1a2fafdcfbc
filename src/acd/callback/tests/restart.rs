//! Promises survive a restart, with place and times.

use super::*;
use crate::time::{Now, Wall};

fn now(second: u64, wall: i64) -> Now {
    Now { mono: secs(second), wall: Wall(wall * 1_000) }
}

/// One in each state at 5,000 s: due, pausing, reserved, dialling, talking.
fn full_book() -> Book {
    let mut desk = Desk::new(settings());
    let promises: Vec<_> =
        (1..=5).map(|n| desk.promise(4_000, request(n, ELM, 3_000 + u64::from(n))).0).collect();
    for (&promise, steps) in promises[1..].iter().zip([2, 1, 2, 3]) {
        let inputs =
            [Input::Reserve { promise, agent: A }, Input::Dial { promise }, Input::Reach { promise }];
        inputs[..steps].iter().for_each(|&input| drop(desk.at(4_900, input)));
    }
    desk.at(5_000, Input::Miss { promise: promises[1], why: Miss::Busy });
    desk.book
}

#[test]
fn every_promise_comes_back_with_its_times_moved_to_the_new_clock() {
    let book = full_book();
    let stored: Vec<Promise> = book.promises().cloned().collect();
    let text = serde_json::to_string(&stored).unwrap();
    let stored = serde_json::from_str(&text).unwrap();
    // Down for a minute; the new clock began at 100,000 s.
    let mut book = Book::restore(settings(), stored, now(5_000, 50_000), now(100_000, 50_060), always);
    check(&book);
    let joined: Vec<Output> = std::iter::from_fn(|| book.poll_output()).collect();
    let due = [1, 3, 4, 5].map(|id| Output::Join { promise: PromiseId(id) });
    assert_eq!(joined, due, "whoever was not done with is called again, the second after its pause");
    let arrived: Vec<Mono> = book.promises().map(|promise| promise.request.arrived).collect();
    assert_eq!(arrived, [97_941, 97_942, 97_943, 97_944, 97_945].map(secs));
    let second = book.get(PromiseId(2)).unwrap();
    assert_eq!((second.missed, second.state), (1, State::Promised { not_before: secs(100_240) }));
    assert_eq!(second.breach, secs(100_000 - 60 - 1_000 + 3_600));
    assert_eq!(book.promise(request(9, ELM, 0), secs(100_001), always), Ok(PromiseId(6)));
}

#[test]
fn a_clock_that_began_after_the_call_keeps_the_order_of_promises() {
    let stored: Vec<Promise> = full_book().promises().cloned().collect();
    let book = Book::restore(settings(), stored, now(5_000, 50_000), now(1, 50_000), always);
    let mut standings: Vec<Standing> = book.promises().map(Promise::standing).collect();
    standings.sort();
    assert!(standings.iter().map(|standing| standing.promise.0).eq(1..=5));
    assert!(standings.iter().all(|standing| standing.arrived == Mono(0)));
}

#[test]
fn what_fell_due_while_the_daemon_was_down_is_told_at_the_start() {
    let stored: Vec<Promise> = full_book().promises().cloned().collect();
    let down_for = |seconds: i64| {
        let mut book =
            Book::restore(settings(), stored.clone(), now(5_000, 50_000), now(9, 50_000 + seconds), always);
        check(&book);
        std::iter::from_fn(move || book.poll_output()).collect::<Vec<Output>>()
    };
    let escalated = |outputs: &[Output]| {
        outputs.iter().filter(|output| matches!(output, Output::Escalated { .. })).count()
    };
    assert_eq!(escalated(&down_for(60)), 0);
    assert_eq!(escalated(&down_for(3_600)), 5);
    let expired = down_for(5 * 3_600);
    assert_eq!(expired.len(), 5);
    assert!(expired.iter().all(|output| matches!(output, Output::Ended { outcome: Outcome::Expired, .. })));
}

#[test]
fn a_store_that_names_one_patient_or_one_promise_twice_is_put_in_order() {
    let mut stored: Vec<Promise> = full_book().promises().cloned().collect();
    let mut older = stored[0].clone();
    older.id = PromiseId(70);
    older.request.arrived = secs(1_000);
    stored.push(older);
    let mut namesake = stored[1].clone();
    namesake.request.caller = caller(99);
    stored.push(namesake);
    let book = Book::restore(settings(), stored, now(5_000, 0), now(5_000, 0), always);
    check(&book);
    assert_eq!(book.promises().count(), 6);
    assert_eq!(book.get(PromiseId(1)).unwrap().request.arrived, secs(1_000));
    assert!(book.find(caller(99), ELM).is_some_and(|id| id.0 > 70));
}
