//! What is not kept: too old, or erased because somebody asked.

use std::sync::Arc;
use std::time::SystemTime;

use hearken::call::record::{PromiseOutcome, PromiseRecord};
use hearken::id::PromiseId;
use hearken::ledger::{Erased, Erasure, erase};
use hearken::switch::Event;

use super::home::{Home, on_both};
use super::*;

on_both!(
    what_is_too_old_goes_step_by_step_and_each_practice_has_its_own_time,
    who_called_is_forgotten_and_the_figures_stay,
    what_is_deleted_takes_its_stages_and_events_along,
    a_promise_that_is_open_is_kept_until_it_is_settled,
);

const DAY: i64 = 86_400_000;
const NUMBER: &str = "+442079460123";

fn ago(days: i64) -> Wall {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Wall(i64::try_from(now).unwrap() - days * DAY)
}

fn days(days: u64) -> Duration {
    secs(days * 86_400)
}

fn of(call: u64, practice: &str, arrived: Wall) -> CallRecord {
    CallRecord { practice: Some(practice.into()), arrived, ..abandoned(call) }
}

fn ended(call: u64) -> Event {
    Event::Ended { call: CallId(call), outcome: Outcome::Abandoned, waited: secs(5) }
}

pub(super) fn promise(id: u64, promised: Wall, settled: bool) -> PromiseRecord {
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
        arrived: promised,
        promised,
        next: promised,
        breach: promised,
        expires: promised,
        missed: 0,
        escalated: false,
        revision: 1,
        settled: settled.then_some((PromiseOutcome::Reached, promised)),
    }
}

fn count(home: &Home, what: &str) -> u64 {
    home.ask(&format!("SELECT count(*) FROM {what}"))[0].parse().unwrap()
}

fn what_is_too_old_goes_step_by_step_and_each_practice_has_its_own_time(home: &Home) {
    let plan: Arc<str> = "plan".into();
    let ledger = Ledger::open(home.settings()).unwrap();
    (0..600).for_each(|call| ledger.write(of(call, "Y00001", ago(20))));
    let others = [("Y00001", 5), ("SHORT", 5), ("SHORT", 1), ("LONG", 20), ("LONG", 50), ("ALSO", 5)];
    for ((practice, age), call) in others.into_iter().zip(600..) {
        ledger.write(of(call, practice, ago(age)));
        ledger.write_event(ago(age), &plan, ended(call));
    }
    ledger.write_promise(promise(70, ago(20), true));
    ledger.write_promise(promise(71, ago(20), false));
    ledger.write_event(ago(50), &plan, Event::Reloaded);
    assert!(ledger.flush(PATIENCE));
    assert_eq!(ledger.close().written, 615);

    let practices = [("SHORT".into(), days(2)), ("ALSO".into(), days(2)), ("LONG".into(), days(40))].into();
    let keep = Keep { all: Some(days(10)), practices };
    let ledger = Ledger::open(Settings { keep, ..home.settings() }).unwrap();
    wait_until(&ledger, "what is too old goes", || home.calls() == [600, 602, 603]);
    assert_eq!(count(home, "segments"), 3);
    wait_until(&ledger, "the rest of it too", || {
        home.ask("SELECT call FROM events ORDER BY seq") == ["600", "602", "603"]
    });
    assert_eq!(home.ask("SELECT id FROM promises"), ["71"]);
    assert_eq!(ledger.close().errors, 0);
}

/// Calls 0 to 4 of one practice and 5 of another, the last two of them by another caller; then two promises.
fn filled(home: &Home, cli: CliStorage) -> Settings {
    let settings = Settings { cli, ..home.settings() };
    let ledger = Ledger::open(settings.clone()).unwrap();
    for call in 0..6 {
        let practice = if call < 5 { "Y00001" } else { "Y00002" };
        let number = if call < 4 { NUMBER } else { "+447700900999" };
        ledger.write(CallRecord {
            cli: Some(number.into()),
            ..of(call, practice, Wall(EIGHT + call.cast_signed()))
        });
        ledger.write_event(Wall(EIGHT), &"plan".into(), ended(call));
    }
    ledger.write_promise(promise(70, Wall(EIGHT), true));
    ledger.write_promise(promise(71, Wall(EIGHT), false));
    assert!(ledger.flush(PATIENCE));
    ledger.close();
    settings
}

fn who_called_is_forgotten_and_the_figures_stay(home: &Home) {
    let settings = filled(home, CliStorage::Hash);
    let before = report::waits(&settings.path);
    // The daemon writes meanwhile.
    let ledger = Ledger::open(settings.clone()).unwrap();
    let by_number = Erasure { caller: Some(NUMBER.into()), ..Erasure::default() };
    let erased = erase(&settings.path, &settings.key_path, &by_number).unwrap();
    assert_eq!(erased, Erased { calls: 4, promises: 1, cases: 0, open: 1 });
    let known = "calls WHERE cli IS NOT NULL AND sip_call_id <> ''";
    assert_eq!((count(home, known), count(home, "calls WHERE cli IS NULL AND sip_call_id = ''")), (2, 4));
    let of_practice =
        Erasure { practice: Some("Y00001".into()), before: Some(Wall(EIGHT + 5)), ..Erasure::default() };
    let erased = erase(&settings.path, &settings.key_path, &of_practice).unwrap();
    assert_eq!((erased.calls, count(home, known)), (1, 1));
    assert_eq!(report::waits(&settings.path), before);
    ledger.write(abandoned(9));
    assert!(ledger.flush(PATIENCE));
}

fn what_is_deleted_takes_its_stages_and_events_along(home: &Home) {
    let settings = filled(home, CliStorage::Plain);
    let first = Erasure { before: Some(Wall(EIGHT + 3)), delete: true, ..Erasure::default() };
    let erased = erase(&settings.path, &settings.key_path, &first).unwrap();
    assert_eq!(erased, Erased { calls: 3, promises: 1, cases: 0, open: 1 });
    assert_eq!(home.calls(), [3, 4, 5]);
    assert_eq!((count(home, "segments"), count(home, "events")), (3, 3));
    let caller = Erasure { caller: Some(NUMBER.into()), delete: true, ..Erasure::default() };
    let erased = erase(&settings.path, &settings.key_path, &caller).unwrap();
    assert_eq!((erased.calls, home.calls()), (1, vec![4, 5]));
}

fn a_promise_that_is_open_is_kept_until_it_is_settled(home: &Home) {
    let settings = filled(home, CliStorage::Plain);
    let all = Erasure { before: Some(Wall(i64::MAX)), delete: true, ..Erasure::default() };
    assert_eq!(erase(&settings.path, &settings.key_path, &all).unwrap().open, 1);
    let run = home.ask("SELECT run FROM promises")[0].parse().unwrap();
    let ledger = Ledger::open(Settings { run: Some(run), ..settings.clone() }).unwrap();
    ledger.write_promise(PromiseRecord { revision: 2, ..promise(71, Wall(EIGHT), true) });
    assert!(ledger.flush(PATIENCE));
    let erased = erase(&settings.path, &settings.key_path, &all).unwrap();
    assert_eq!((erased.promises, erased.open, count(home, "promises")), (1, 0, 0));
}

#[test]
fn nothing_of_a_number_that_was_erased_is_left_in_the_files() {
    let home = Home::file();
    let settings = filled(&home, CliStorage::Plain);
    // Another reader keeps the log from being removed with the last writer.
    let reader = Connection::open(&settings.path).unwrap();
    let everything = || -> Vec<u8> {
        let files = fs::read_dir(settings.path.parent().unwrap()).unwrap();
        files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
    };
    let holds = |text: &str| everything().windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("+447700900999"));
    let other = Erasure { caller: Some("+447700900999".into()), delete: true, ..Erasure::default() };
    assert_eq!(erase(&settings.path, &settings.key_path, &other).unwrap().calls, 2);
    assert!(!holds("+447700900999"));
    assert!(holds(NUMBER));
    drop(reader);
}

#[test]
fn nothing_is_erased_from_a_ledger_that_is_not_there_and_none_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(&dir);
    let error = erase(&settings.path, &settings.key_path, &Erasure::default()).unwrap_err();
    assert!(matches!(error, Error::Missing(_)));
    assert!(!settings.path.exists() && !settings.key_path.exists());
}
