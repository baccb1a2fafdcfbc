//! What holds of a ledger in a file and of one on a server.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hearken::ledger::Limit;

use super::home::{Home, on_both};
use super::*;

on_both!(
    every_outcome_and_stage_comes_back_as_written,
    more_calls_than_are_read_at_once_come_back_in_order_with_their_stages,
    what_the_spool_cannot_hold_goes_by_the_side_file_and_keeps_its_order,
    closing_leaves_in_the_side_file_what_the_database_did_not_take,
    a_side_file_that_is_replayed_again_adds_nothing,
    a_torn_line_is_kept_aside_and_spoils_no_other,
    two_runs_may_number_their_calls_alike,
    callers_numbers_are_stored_as_chosen,
    the_view_for_people_shows_arrivals_in_utc,
    a_disposition_given_after_the_call_amends_its_row_and_nothing_else,
    a_reader_stops_when_its_time_is_over_or_nobody_wants_the_answer_any_more,
);

fn every_outcome_and_stage_comes_back_as_written(home: &Home) {
    let ledger = Ledger::open(home.settings()).unwrap();
    let mut written = every_kind();
    written.iter().for_each(|record| ledger.write(record.clone()));
    assert!(ledger.flush(PATIENCE), "{:?}", ledger.counters());
    let read = home.entries();
    assert!(read.iter().all(|entry| entry.run == ledger.run()));
    written.sort_by_key(|record| record.arrived);
    written.iter_mut().for_each(|record| record.ddi = home.held(&record.ddi));
    assert_eq!(read.into_iter().map(|entry| entry.record).collect::<Vec<_>>(), written);
    let counters = ledger.close();
    assert_eq!((counters.written, counters.rejected, counters.lost, counters.errors), (16, 0, 0, 0));
}

fn more_calls_than_are_read_at_once_come_back_in_order_with_their_stages(home: &Home) {
    let ledger = Ledger::open(Settings { spool: 5000, ..home.settings() }).unwrap();
    // A few arrive in the same millisecond, also where one page ends.
    let of = |call: u64| CallRecord { arrived: Wall(EIGHT + (call / 7).cast_signed()), ..abandoned(call) };
    let bare = |call| CallRecord { segments: Vec::new(), ..of(call) };
    let written: Vec<_> = (0..2500).map(|call| if call % 5 == 0 { bare(call) } else { of(call) }).collect();
    written.iter().for_each(|record| ledger.write(record.clone()));
    assert!(ledger.flush(PATIENCE));
    assert_eq!(home.entries().into_iter().map(|entry| entry.record).collect::<Vec<_>>(), written);
}

fn what_the_spool_cannot_hold_goes_by_the_side_file_and_keeps_its_order(home: &Home) {
    let ledger = Ledger::open(Settings { spool: 10, ..home.settings() }).unwrap();
    assert!(ledger.flush(PATIENCE));
    home.block();
    (0..100).for_each(|call| ledger.write(abandoned(call)));
    wait_until(&ledger, "the side file is used", || ledger.counters().side_filed == 90);
    let lines = fs::read_to_string(home.settings().side_file).unwrap();
    assert_eq!((lines.lines().count(), lines.ends_with('\n')), (90, true));
    assert_eq!(mode(&home.settings().side_file), 0o600);
    home.unblock();
    assert!(ledger.flush(PATIENCE));
    assert_eq!(home.calls(), (0..100).collect::<Vec<_>>());
    assert!(!home.settings().side_file.exists());
    let counters = ledger.close();
    assert_eq!((counters.written, counters.replayed, counters.waiting, counters.lost), (10, 90, 0, 0));
}

fn closing_leaves_in_the_side_file_what_the_database_did_not_take(home: &Home) {
    home.block();
    let ledger = Ledger::open(home.settings()).unwrap();
    (0..700).for_each(|call| ledger.write(abandoned(call)));
    let counters = ledger.close();
    assert_eq!((counters.side_filed, counters.waiting, counters.lost), (700, 0, 0));
    home.unblock();
    let ledger = Ledger::open(home.settings()).unwrap();
    assert!(ledger.flush(PATIENCE), "an old side file is replayed before anything is written");
    assert_eq!(ledger.counters().replayed, 700);
    assert_eq!(home.calls(), (0..700).collect::<Vec<_>>());
}

fn a_side_file_that_is_replayed_again_adds_nothing(home: &Home) {
    home.block();
    let ledger = Ledger::open(home.settings()).unwrap();
    (0..20).for_each(|call| ledger.write(abandoned(call)));
    ledger.close();
    let side_file = fs::read(home.settings().side_file).unwrap();
    home.unblock();
    for replayed in [20, 0] {
        // As after a crash between the commit and the removal.
        fs::write(home.settings().side_file, &side_file).unwrap();
        let ledger = Ledger::open(home.settings()).unwrap();
        assert!(ledger.flush(PATIENCE));
        let counters = ledger.close();
        assert_eq!((counters.replayed, counters.rejected), (replayed, 0));
        assert_eq!(home.calls().len(), 20);
        assert!(!home.settings().side_file.exists());
    }
}

fn a_torn_line_is_kept_aside_and_spoils_no_other(home: &Home) {
    home.block();
    let write = |calls: std::ops::Range<u64>| {
        let ledger = Ledger::open(home.settings()).unwrap();
        calls.for_each(|call| ledger.write(abandoned(call)));
        ledger.close()
    };
    write(0..3);
    let torn = br#"{"run":1,"record":{"call":"#;
    let mut side_file = fs::read(home.settings().side_file).unwrap();
    side_file.extend(torn);
    fs::write(home.settings().side_file, &side_file).unwrap();
    assert_eq!(write(3..5).side_filed, 2, "what is appended to a torn line is no part of it");
    home.unblock();
    let counters = write(5..6);
    assert_eq!((counters.replayed, counters.rejected, counters.written), (5, 1, 1));
    assert_eq!(home.calls(), (0..6).collect::<Vec<_>>());
    let rejected = home.path("ledger.side.rejected");
    assert_eq!(fs::read(&rejected).unwrap(), [&torn[..], b"\n"].concat());
    assert_eq!(mode(&rejected), 0o600);
}

fn two_runs_may_number_their_calls_alike(home: &Home) {
    for _ in 0..2 {
        let ledger = Ledger::open(home.settings()).unwrap();
        ledger.write(abandoned(1));
        ledger.close();
    }
    let read = home.entries();
    assert_eq!(read.len(), 2);
    assert_ne!(read[0].run, read[1].run);
}

fn callers_numbers_are_stored_as_chosen(home: &Home) {
    let number = "+442079460123";
    for cli in [CliStorage::Hash, CliStorage::Plain, CliStorage::None] {
        let settings = Settings { cli, ..home.settings() };
        let ledger = Ledger::open(settings.clone()).unwrap();
        let run = ledger.run();
        ledger.write(abandoned(1));
        ledger.write(abandoned(2));
        ledger.write(CallRecord { cli: None, ..abandoned(3) });
        ledger.close();
        let of_run = home.entries().into_iter().filter(|entry| entry.run == run);
        let stored: Vec<_> = of_run.map(|entry| entry.record.cli).collect();
        let expected = match cli {
            CliStorage::Hash => Some(Key::at(&settings.key_path).unwrap().hash(number)),
            CliStorage::Plain => Some(number.to_owned()),
            CliStorage::None => None,
        };
        assert_eq!(stored, [expected.clone(), expected, None]);
    }
}

fn the_view_for_people_shows_arrivals_in_utc(home: &Home) {
    let ledger = Ledger::open(home.settings()).unwrap();
    ledger.write(CallRecord { arrived: Wall(EIGHT + 59_999), ..abandoned(1) });
    ledger.close();
    assert_eq!(home.ask("SELECT arrived FROM calls_utc"), ["2026-11-16T08:00:59.999Z"]);
}

fn a_disposition_given_after_the_call_amends_its_row_and_nothing_else(home: &Home) {
    let ledger = Ledger::open(home.settings()).unwrap();
    let first = answered(1, "elm-tree", secs(3));
    let given =
        |code: &str| CallRecord { disposition: Some(code.into()), line: "forged".into(), ..first.clone() };
    for record in [first.clone(), given("21"), given("22"), first.clone()] {
        ledger.write(record);
    }
    ledger.close();
    let kept = CallRecord { disposition: Some("22".into()), ..first };
    let found: Vec<_> = home.entries().into_iter().map(|entry| entry.record).collect();
    assert_eq!(found, [kept]);
}

fn a_reader_stops_when_its_time_is_over_or_nobody_wants_the_answer_any_more(home: &Home) {
    let ledger = Ledger::open(home.settings()).unwrap();
    (0..3_000).for_each(|call| ledger.write(abandoned(call)));
    assert!(ledger.flush(PATIENCE));
    ledger.close();
    let limit = |until| Limit { until, unwanted: Arc::default() };
    let read = |limit: Limit, is_enough: usize| {
        let (mut count, unwanted) = (0, Arc::clone(&limit.unwanted));
        let reader = Reader::open_until(&home.settings().path, limit)?;
        let read = reader.calls(EVER, |_| {
            count += 1;
            unwanted.store(count == is_enough, Relaxed);
            Ok(())
        });
        read.map(|()| count)
    };
    let later = Instant::now() + PATIENCE;
    assert!(matches!(read(limit(later), usize::MAX), Ok(3_000)));
    assert!(matches!(read(limit(Instant::now()), usize::MAX), Err(Error::Stopped)));
    // What was read already is given.
    assert!(matches!(read(limit(later), 1_000), Err(Error::Stopped)));
}
