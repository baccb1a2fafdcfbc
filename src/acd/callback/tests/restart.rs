//! Promises of an earlier run are taken back, with place and times.

use super::*;

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

fn taken_back(stored: &[Promise], second: u64) -> (Book, Vec<Output>) {
    let mut book = Book::new(settings());
    stored.iter().for_each(|promise| book.readmit(promise.clone(), secs(second), always));
    check(&book);
    let outputs = std::iter::from_fn(|| book.poll_output()).collect();
    (book, outputs)
}

#[test]
fn whoever_was_not_done_with_is_called_again_with_the_old_place() {
    let stored: Vec<Promise> = full_book().promises().cloned().collect();
    let (mut book, joined) = taken_back(&stored, 5_000);
    let due = [1, 3, 4, 5].map(|id| Output::Join { promise: PromiseId(id) });
    assert_eq!(joined, due, "the second after its pause");
    let arrived: Vec<Mono> = book.promises().map(|promise| promise.request.arrived).collect();
    assert_eq!(arrived, [3_001, 3_002, 3_003, 3_004, 3_005].map(secs));
    let second = book.get(PromiseId(2)).unwrap();
    assert_eq!((second.missed, second.state), (1, State::Promised { not_before: secs(5_300) }));
    assert_eq!(book.promise(request(9, ELM, 0), secs(5_001), always), Ok(PromiseId(6)));
}

#[test]
fn what_fell_due_while_the_daemon_was_down_is_told_at_the_start() {
    let stored: Vec<Promise> = full_book().promises().cloned().collect();
    let escalated = |outputs: &[Output]| {
        outputs.iter().filter(|output| matches!(output, Output::Escalated { .. })).count()
    };
    assert_eq!(escalated(&taken_back(&stored, 5_060).1), 0);
    assert_eq!(escalated(&taken_back(&stored, 8_600).1), 5);
    let (_, expired) = taken_back(&stored, 23_000);
    assert_eq!(expired.len(), 5);
    assert!(expired.iter().all(|output| matches!(output, Output::Ended { outcome: Outcome::Expired, .. })));
}

#[test]
fn of_two_promises_to_one_caller_on_a_line_the_second_becomes_part_of_the_first() {
    let mut stored: Vec<Promise> = full_book().promises().cloned().collect();
    let mut older = stored[0].clone();
    older.id = PromiseId(70);
    older.request.arrived = secs(1_000);
    stored.push(older);
    stored.push(stored[1].clone());
    let (book, outputs) = taken_back(&stored, 5_000);
    assert_eq!(book.promises().count(), 5);
    assert_eq!(book.get(PromiseId(1)).unwrap().request.arrived, secs(1_000));
    let merged = Output::Ended { promise: PromiseId(70), outcome: Outcome::Merged };
    assert!(outputs.contains(&merged), "{outputs:?}");
}

#[test]
fn promises_of_a_line_that_is_gone_pass_to_another() {
    let mut desk = Desk::new(settings());
    let (first, _) = desk.promise(100, request(1, ELM, 90));
    let (second, _) = desk.promise(110, request(1, OAK, 80));
    let (third, _) = desk.promise(120, request(2, ELM, 70));
    desk.book.remap(|_| OAK, secs(200), always);
    let outputs = desk.outputs();
    let merged = outputs.iter().filter(|o| matches!(o, Output::Ended { outcome: Outcome::Merged, .. }));
    assert_eq!(merged.count(), 1, "{outputs:?}");
    let left: Vec<_> = desk.book.promises().map(|p| (p.id, p.request.line, p.request.arrived)).collect();
    assert_eq!(left, [(second, OAK, secs(80)), (third, OAK, secs(70))], "{first} is part of {second}");
}
