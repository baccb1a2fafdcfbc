//! The ledger and its report from outside: real files, a real writer thread, other connections in its way.

#![allow(clippy::unwrap_used)]

mod both;
mod events;
mod home;
mod keep;
mod postgres;
mod report;
mod server;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hearken::acd::{Band, Cause};
use hearken::call::record::{CallRecord, EndedBy, Outcome, Presentation, Segment, Stage};
use hearken::id::CallId;
use hearken::ledger::{
    CliStorage, Entry, Error, Keep, Key, Ledger, Period, ROOM, Reader, Settings, waits_by_line,
};
use hearken::time::Wall;
use rusqlite::Connection;
use tempfile::TempDir;

/// Far longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Monday 16 November 2026, 08:00 in London.
const EIGHT: i64 = 1_794_816_000_000;

const EVER: Period = Period { from: Wall(i64::MIN), to: Wall(i64::MAX) };

fn settings(dir: &TempDir) -> Settings {
    Settings {
        path: dir.path().join("ledger.db"),
        cli: CliStorage::Plain,
        key_path: dir.path().join("cli.key"),
        spool: 1000,
        side_file: dir.path().join("ledger.side"),
        keep: Keep::default(),
        run: None,
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn record(call: u64, line: &str, outcome: Outcome, waited: Duration) -> CallRecord {
    CallRecord {
        call: CallId(call),
        sip_call_id: format!("{call}@elm-tree.example"),
        promise: None,
        case: None,
        trunk: "elm-tree".into(),
        practice: Some("Y00001".into()),
        line: line.into(),
        band: Band::ROUTINE,
        ddi: "+442079460000".into(),
        cli: Some("+442079460123".into()),
        arrived: Wall(EIGHT + call.cast_signed() * 1000),
        waited,
        lasted: waited + secs(60),
        segments: vec![Segment { stage: Stage::Queue, from: Duration::ZERO, to: waited }],
        outcome,
        disposition: None,
    }
}

fn abandoned(call: u64) -> CallRecord {
    record(call, "elm-tree", Outcome::Abandoned, secs(5))
}

fn answered(call: u64, line: &str, waited: Duration) -> CallRecord {
    record(call, line, Outcome::Answered { agent: "asha".into(), ended_by: EndedBy::Caller }, waited)
}

fn entries(path: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    let keep = |entry| {
        entries.push(entry);
        Ok::<_, Error>(())
    };
    Reader::open(path).unwrap().calls(EVER, keep).unwrap();
    entries
}

/// The calls in the order of writing.
fn calls(path: &Path) -> Vec<u64> {
    let db = Connection::open(path).unwrap();
    let mut calls = db.prepare("SELECT call FROM calls ORDER BY id").unwrap();
    let calls = calls.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    calls.map(|call| call.unwrap().cast_unsigned()).collect()
}

fn wait_until(ledger: &Ledger, what: &str, reached: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "{what}: {:?}", ledger.counters());
        ledger.flush(Duration::from_millis(5));
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A database that cannot exist, because a file stands where its directory should be.
fn blocked(dir: &TempDir) -> (Settings, PathBuf) {
    let directory = dir.path().join("disk");
    fs::write(&directory, "").unwrap();
    (Settings { path: directory.join("ledger.db"), ..settings(dir) }, directory)
}

fn unblock(directory: &Path) {
    fs::remove_file(directory).unwrap();
    fs::create_dir(directory).unwrap();
}

fn every_kind() -> Vec<CallRecord> {
    let everyone =
        [EndedBy::Caller, EndedBy::Agent, EndedBy::DeadMedia, EndedBy::DeadPeer, EndedBy::Shutdown];
    let results = [
        Presentation::Answered,
        Presentation::Missed(Cause::Busy),
        Presentation::Missed(Cause::Rejected),
        Presentation::Missed(Cause::NoAnswer),
        Presentation::Missed(Cause::Unreachable),
        Presentation::Missed(Cause::Failed),
        Presentation::CallerGone,
        Presentation::Withdrawn,
    ];
    let mut outcomes = vec![Outcome::Abandoned, Outcome::Refused { code: 503 }, Outcome::Refused { code: 0 }];
    outcomes.extend(everyone.map(|ended_by| Outcome::Answered { agent: "asha".into(), ended_by }));
    outcomes.extend(everyone.map(|ended_by| Outcome::Lost { ended_by }));
    let of_outcome = |(call, outcome)| record(call, "elm-tree", outcome, Duration::from_millis(1234));
    let mut records: Vec<_> = (1..).zip(outcomes).map(of_outcome).collect();

    let mut long = answered(u64::MAX, "emergency", secs(9));
    let presented =
        results.map(|result| Segment { stage: presented("ben", result), from: secs(1), to: secs(2) });
    long.segments.extend(presented);
    long.segments.push(Segment { stage: Stage::Talk { agent: "asha".into() }, from: secs(9), to: secs(69) });
    let transfer = Stage::Transfer { agent: "asha".into(), to: "pharmacy-first".into() };
    long.segments.push(Segment { stage: transfer, from: secs(60), to: secs(69) });
    long.disposition = Some("21".into());
    long.band = Band::EMERGENCY;
    records.push(long);
    let bare = CallRecord { practice: None, cli: None, segments: Vec::new(), ..abandoned(500) };
    records.push(bare);
    records.push(CallRecord { ddi: "'); DROP TABLE calls; -- \u{1F4DE}\0".into(), ..abandoned(501) });
    records
}

fn presented(agent: &str, result: Presentation) -> Stage {
    Stage::Presented { agent: agent.into(), result }
}

#[test]
fn a_locked_database_holds_up_no_caller_and_gets_all_later_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(settings(&dir)).unwrap();
    ledger.write(abandoned(0));
    assert!(ledger.flush(PATIENCE));
    let other = Connection::open(settings(&dir).path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // This thread holds the lock: if write() waited for it, the test would never go on.
    (1..800).for_each(|call| ledger.write(abandoned(call)));
    wait_until(&ledger, "the lock is noticed", || ledger.counters().errors > 0);
    (800..900).for_each(|call| ledger.write(abandoned(call)));
    wait_until(&ledger, "all wait", || ledger.counters().spooled == 899);
    assert!(!ledger.flush(Duration::ZERO));
    assert!(!ledger.counters().healthy);
    other.execute_batch("COMMIT").unwrap();
    assert!(ledger.flush(PATIENCE));
    assert_eq!(calls(&settings(&dir).path), (0..900).collect::<Vec<_>>());
    let counters = ledger.counters();
    assert_eq!((counters.accepted, counters.written, counters.side_filed), (900, 900, 0));
    assert!(counters.healthy);
}

#[test]
fn memory_has_a_bound_and_beyond_it_records_are_counted_as_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, directory) = blocked(&dir);
    let ledger =
        Ledger::open(Settings { spool: 10, side_file: "/dev/full".into(), ..settings.clone() }).unwrap();
    let bound = ROOM as u64 + 10;
    (0..bound + 25).for_each(|call| ledger.write(CallRecord { segments: Vec::new(), ..abandoned(call) }));
    let counters = ledger.counters();
    assert_eq!((counters.waiting, counters.lost, counters.accepted), (bound, 25, bound + 25));
    wait_until(&ledger, "both files fail", || ledger.counters().errors > 1);
    unblock(&directory);
    assert!(ledger.flush(PATIENCE));
    assert_eq!(calls(&settings.path), (0..bound).collect::<Vec<_>>());
}

#[test]
fn records_that_no_disk_takes_are_counted_as_lost_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, _) = blocked(&dir);
    let ledger = Ledger::open(Settings { side_file: "/dev/full".into(), ..settings }).unwrap();
    (0..5).for_each(|call| ledger.write(abandoned(call)));
    let counters = ledger.close();
    assert_eq!((counters.lost, counters.waiting, counters.written), (5, 0, 0));
}

#[test]
fn a_damaged_database_is_set_aside_whole_and_a_new_one_begun() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(&dir);
    let garbage = b"this is no database".repeat(500);
    fs::write(&settings.path, &garbage).unwrap();
    let ledger = Ledger::open(settings.clone()).unwrap();
    ledger.write(abandoned(1));
    assert!(ledger.flush(PATIENCE));
    assert_eq!(calls(&settings.path), [1]);
    assert_eq!(fs::read(set_aside(&dir)).unwrap(), garbage);
}

#[test]
fn damage_that_shows_only_in_writing_sets_the_database_aside_too() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(&dir);
    let ledger = Ledger::open(settings.clone()).unwrap();
    (0..500).for_each(|call| ledger.write(abandoned(call)));
    assert!(ledger.flush(PATIENCE));
    ledger.close();
    // The last to close the database folds its log into it.
    let deadline = Instant::now() + PATIENCE;
    while dir.path().join("ledger.db-wal").exists() {
        assert!(Instant::now() < deadline, "the database is not closed");
        std::thread::yield_now();
    }
    let mut damaged = fs::read(&settings.path).unwrap();
    damaged[4096..].fill(0xaa);
    fs::write(&settings.path, &damaged).unwrap();
    let ledger = Ledger::open(settings.clone()).unwrap();
    assert!(ledger.flush(PATIENCE), "nothing is written, nothing shows");
    (500..510).for_each(|call| ledger.write(abandoned(call)));
    assert!(ledger.flush(PATIENCE));
    assert_eq!(calls(&settings.path), (500..510).collect::<Vec<_>>());
    assert_eq!(fs::read(set_aside(&dir)).unwrap().len(), damaged.len());
}

fn set_aside(dir: &TempDir) -> PathBuf {
    let names = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
    let mut aside = names.filter(|name| name.to_str().unwrap().contains("ledger.db.corrupt-20"));
    let found = aside.next().unwrap();
    assert_eq!(aside.next(), None);
    found
}

#[test]
fn a_database_that_is_removed_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(&dir);
    let ledger = Ledger::open(settings.clone()).unwrap();
    ledger.write(abandoned(1));
    assert!(ledger.flush(PATIENCE));
    fs::remove_file(&settings.path).unwrap();
    ledger.write(abandoned(2));
    assert!(ledger.flush(PATIENCE));
    assert_eq!(calls(&settings.path), [2]);
    assert_eq!(mode(&settings.path), 0o600);
}

#[test]
fn a_database_that_is_replaced_is_written_in_its_new_place() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(&dir);
    let ledger = Ledger::open(settings.clone()).unwrap();
    ledger.write(abandoned(1));
    ledger.close();
    let restored = dir.path().join("restored.db");
    fs::copy(&settings.path, &restored).unwrap();
    let ledger = Ledger::open(settings.clone()).unwrap();
    ledger.write(abandoned(2));
    assert!(ledger.flush(PATIENCE));
    fs::rename(&restored, &settings.path).unwrap();
    ledger.write(abandoned(3));
    assert!(ledger.flush(PATIENCE));
    ledger.close();
    assert_eq!(calls(&settings.path), [1, 3], "the log of the old one is not mistaken for the new one's");
    let kept = |name: &PathBuf| name.to_str().unwrap().contains(".replaced-20");
    assert_eq!(fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).filter(kept).count(), 2);
}

#[test]
fn a_database_of_another_program_or_of_a_later_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let make = ["CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)", "PRAGMA user_version = 99"];
    for (sql, n) in make.into_iter().zip(0..) {
        let path = dir.path().join(format!("{n}.db"));
        let side_file = dir.path().join(format!("{n}.side"));
        let settings = Settings { path: path.clone(), side_file, ..settings(&dir) };
        if n == 1 {
            Ledger::open(settings.clone()).unwrap().close();
        }
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&path).unwrap();
        let ledger = Ledger::open(settings.clone()).unwrap();
        ledger.write(abandoned(1));
        assert_eq!(ledger.close().side_filed, 1, "{sql}");
        assert!(matches!(
            (n, Reader::open(&path)),
            (0, Err(Error::Foreign(_))) | (1, Err(Error::Newer { found: 99, known: 5 }))
        ));
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'calls'";
        let calls: i64 = Connection::open(&path).unwrap().query_row(tables, [], |row| row.get(0)).unwrap();
        assert_eq!(calls, n);
        if n == 1 {
            assert_eq!(fs::read(&path).unwrap(), before);
        }
    }
}

#[test]
fn neither_database_nor_side_file_holds_a_number_that_is_to_be_hashed() {
    let dir = tempfile::tempdir().unwrap();
    let (blocked, directory) = blocked(&dir);
    let settings = Settings { cli: CliStorage::Hash, ..blocked };
    let ledger = Ledger::open(settings.clone()).unwrap();
    ledger.write(abandoned(1));
    ledger.close();
    let absent = |path: &Path| !String::from_utf8_lossy(&fs::read(path).unwrap()).contains("9460123");
    assert!(absent(&settings.side_file));
    unblock(&directory);
    Ledger::open(settings.clone()).unwrap().close();
    assert_eq!(calls(&settings.path), [1]);
    assert!(absent(&settings.path));
}

#[test]
fn without_a_good_key_records_go_on_without_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { cli: CliStorage::Hash, ..settings(&dir) };
    fs::write(&settings.key_path, "too short").unwrap();
    let ledger = Ledger::open(settings.clone()).unwrap();
    ledger.write(abandoned(1));
    assert!(ledger.flush(PATIENCE));
    assert!(ledger.counters().keyless);
    assert_eq!(entries(&settings.path)[0].record.cli, None);
    assert_eq!(fs::read(&settings.key_path).unwrap(), b"too short");
}

#[test]
fn all_files_are_their_owners_alone_whatever_the_umask() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { cli: CliStorage::Hash, spool: 0, ..settings(&dir) };
    fs::write(&settings.path, "").unwrap();
    fs::set_permissions(&settings.path, fs::Permissions::from_mode(0o666)).unwrap();
    nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    let ledger = Ledger::open(settings.clone()).unwrap();
    ledger.write(abandoned(1));
    assert!(ledger.flush(PATIENCE));
    let other = Connection::open(&settings.path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    ledger.write(abandoned(2));
    wait_until(&ledger, "the side file is used", || ledger.counters().side_filed == 1);
    let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).collect();
    names.sort();
    let names: Vec<_> =
        names.iter().map(|path| (path.file_name().unwrap().to_str().unwrap(), mode(path))).collect();
    let expected = ["cli.key", "ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.side"];
    assert_eq!(names, expected.map(|name| (name, 0o600)));
    drop(other);
    assert!(ledger.flush(PATIENCE));
}
