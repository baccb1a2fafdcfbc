//! Promised callbacks on their way to the disk and back.

use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::acd::callback::Miss;
use crate::call::record::{PromiseOutcome, PromiseRecord};
use crate::id::PromiseId;
use crate::ledger::report::{By, Promises, Scope, Summary, Terms};
use jiff::tz::TimeZone;

const NUMBER: &str = "+447700900123";

fn promise(id: u64, revision: u32) -> PromiseRecord {
    PromiseRecord {
        promise: PromiseId(id),
        call: CallId(9),
        line: "elm-tree".into(),
        trunk: "elm-tree".into(),
        practice: Some("Y00001".into()),
        band: Band::ROUTINE,
        ddi: "+442079460000".into(),
        number: Some(NUMBER.into()),
        cli: None,
        arrived: Wall(1),
        promised: Wall(2),
        next: Wall(3),
        breach: Wall(4),
        expires: Wall(5),
        missed: 1,
        escalated: false,
        revision,
        settled: None,
    }
}

fn settled(id: u64, revision: u32) -> PromiseRecord {
    let outcome = PromiseOutcome::Unreached(Miss::Busy);
    PromiseRecord { settled: Some((outcome, Wall(6))), ..promise(id, revision) }
}

/// A bench whose writer says what it reports, for a run of this number on this directory.
pub(super) fn bench(run: i64, dir: tempfile::TempDir) -> (Bench, Receiver<News>) {
    bench_of(None, run, dir)
}

/// The same, for a run that may be one that is gone on with.
fn bench_of(gone_on_with: Option<i64>, run: i64, dir: tempfile::TempDir) -> (Bench, Receiver<News>) {
    let (tell, news) = channel();
    let mut bench = Bench { dir, ..Bench::new(50) };
    let settings = Settings {
        run: gone_on_with,
        path: bench.path("ledger.db"),
        cli: CliStorage::Plain,
        key_path: bench.path("cli.key"),
        spool: 50,
        side_file: bench.path("ledger.side"),
        keep: Keep::default(),
    };
    let report = Box::new(move |said| drop(tell.send(said)));
    let place = Place::of(&settings.path).unwrap();
    bench.writer = Writer::new(settings, place, run, Arc::clone(&bench.shared), report);
    (bench, news)
}

fn give(bench: &mut Bench, promise: PromiseRecord) {
    bench.shared.waiting.fetch_add(1, Relaxed);
    bench.writer.take(Given::Promise(promise));
    bench.writer.step(bench.now);
}

pub(super) fn said(news: &Receiver<News>) -> Vec<News> {
    news.try_iter().collect()
}

fn column(bench: &Bench, column: &str) -> Option<String> {
    let sql = format!("SELECT CAST({column} AS TEXT) FROM promises");
    bench.database().query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_promise_is_reported_kept_when_it_is_in_the_database() {
    let (mut bench, news) = bench(RUN, tempfile::tempdir().unwrap());
    give(&mut bench, promise(70, 1));
    assert_eq!(said(&news), [News::Kept(PromiseId(70)), News::Open(vec![])]);
    assert_eq!(column(&bench, "number").as_deref(), Some(NUMBER));
}

#[test]
fn while_the_database_fails_a_promise_is_kept_by_the_side_file_at_once() {
    let (mut bench, news) = bench(RUN, tempfile::tempdir().unwrap());
    bench.write(0..0);
    bench.allow_pages(1);
    bench.write(0..400);
    give(&mut bench, promise(70, 1));
    assert!(said(&news).contains(&News::Kept(PromiseId(70))));
    assert!(fs::read_to_string(bench.path("ledger.side")).unwrap().contains(NUMBER));
    // Killed now: the next run has it from the side file.
    let Bench { dir, .. } = bench;
    let (mut next, news) = super::promises::bench(RUN + 1, dir);
    next.write(0..0);
    let stored = PromiseRecord { number: Some(NUMBER.into()), ..promise(70, 1) };
    assert_eq!(said(&news), [News::Open(vec![stored])]);
    assert!(!next.path("ledger.side").exists());
}

#[test]
fn what_is_open_is_handed_to_the_next_run_once_and_what_is_settled_is_not() {
    let (mut first, _news) = bench(RUN, tempfile::tempdir().unwrap());
    give(&mut first, promise(70, 1));
    give(&mut first, promise(71, 1));
    give(&mut first, settled(71, 2));
    let Bench { dir, .. } = first;
    let (mut next, news) = bench(RUN + 1, dir);
    give(&mut next, promise(90, 1));
    assert_eq!(said(&news), [News::Kept(PromiseId(90)), News::Open(vec![promise(70, 1)])]);
    // The database fails and is opened anew: what was handed over is not handed over again.
    next.writer.store = None;
    give(&mut next, settled(70, 2));
    assert_eq!(said(&news), [News::Kept(PromiseId(70))]);
}

#[test]
fn a_run_that_goes_on_asks_for_its_own_promises_too_and_what_it_settles_before_is_not_among_them() {
    let (mut first, _news) = bench(RUN, tempfile::tempdir().unwrap());
    give(&mut first, promise(70, 1));
    give(&mut first, promise(71, 1));
    let Bench { dir, .. } = first;
    let (mut other, _news) = bench(RUN + 1, dir);
    give(&mut other, promise(80, 1));
    let Bench { dir, .. } = other;
    let (mut next, news) = bench_of(Some(RUN), RUN, dir);
    next.write(0..0);
    assert_eq!(said(&news), [], "nothing is said unasked");
    next.shared.waiting.fetch_add(1, Relaxed);
    next.writer.take(Given::Promise(settled(71, 2)));
    next.writer.take(Given::Ask);
    next.step_after(HOUR);
    let open = News::Open(vec![promise(70, 1), promise(80, 1)]);
    assert_eq!(said(&news), [News::Kept(PromiseId(71)), open]);
}

#[test]
fn a_call_of_an_earlier_run_is_recorded_as_that_runs() {
    let (mut bench, _news) = bench(RUN, tempfile::tempdir().unwrap());
    bench.write(1..2);
    bench.shared.waiting.fetch_add(1, Relaxed);
    bench.writer.take(Given::Call(RUN - 1, record(1)));
    bench.writer.step(bench.now);
    let mut runs = bench.database().prepare("SELECT run FROM calls WHERE call = 1 ORDER BY run").unwrap();
    let runs: Vec<i64> = runs.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(runs, [RUN - 1, RUN]);
}

#[test]
fn the_number_of_a_settled_promise_is_erased_and_its_stored_form_stays() {
    let (mut bench, _news) = bench(RUN, tempfile::tempdir().unwrap());
    give(&mut bench, promise(70, 1));
    give(&mut bench, settled(70, 2));
    assert_eq!((column(&bench, "number"), column(&bench, "cli").as_deref()), (None, Some(NUMBER)));
    assert_eq!(column(&bench, "outcome || ' ' || why").as_deref(), Some("unreached busy"));
}

#[test]
fn an_older_state_that_comes_late_changes_nothing() {
    let (mut bench, _news) = bench(RUN, tempfile::tempdir().unwrap());
    give(&mut bench, PromiseRecord { missed: 2, ..promise(70, 3) });
    give(&mut bench, promise(70, 2));
    assert_eq!(column(&bench, "missed").as_deref(), Some("2"));
    give(&mut bench, settled(70, 4));
    give(&mut bench, promise(70, 5));
    assert_eq!(column(&bench, "outcome").as_deref(), Some("unreached"), "what is settled stays so");
}

#[test]
fn a_report_counts_promises_by_line_and_calls_made_are_no_callers() {
    let (mut bench, _news) = bench(RUN, tempfile::tempdir().unwrap());
    give(&mut bench, promise(70, 1));
    give(&mut bench, settled(71, 1));
    let reached = PromiseRecord { settled: Some((PromiseOutcome::Reached, Wall(7))), ..promise(72, 2) };
    give(&mut bench, PromiseRecord { escalated: true, ..reached });
    let merged = PromiseRecord { settled: Some((PromiseOutcome::Merged, Wall(7))), ..promise(73, 2) };
    give(&mut bench, merged);
    let made = CallRecord {
        promise: Some(PromiseId(71)),
        outcome: Outcome::Unreached { why: Miss::NoAnswer },
        ..record(1)
    };
    bench.writer.take(Given::Call(RUN, made.clone()));
    bench.writer.step(bench.now);
    let reader = Reader::open(&bench.path("ledger.db")).unwrap();
    let all = Period { from: Wall(0), to: Wall(i64::MAX) };
    let (scope, terms) = (Scope { period: all, practice: None }, Terms::plain(TimeZone::UTC));
    let summary = Summary::of(&reader.moment().unwrap(), scope, By::Line, &terms).unwrap();
    let counts = summary.callbacks["elm-tree"];
    let expected = Promises { promised: 3, reached: 1, own_calls: 0, failed: 1, open: 1, late: 1 };
    assert_eq!(counts, expected);
    assert_eq!(summary.waits.total.calls, 0);
    let mut calls = Vec::new();
    reader
        .calls(all, |entry| -> Result<(), Error> {
            calls.push(entry.record);
            Ok(())
        })
        .unwrap();
    assert_eq!(calls, [made]);
}
