//! The writer step by step, on a clock of the test's own: what cannot be brought about from outside.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::counters::Shared;
use super::store::Store;
use super::writer::Writer;
use super::*;
use crate::acd::Band;
use crate::call::record::{Outcome, Segment, Stage};
use crate::id::CallId;
use crate::time::Wall;

mod cases;
mod promises;

const RUN: i64 = 7;
const HOUR: Duration = Duration::from_secs(3600);

fn record(call: u64) -> CallRecord {
    let waited = Duration::from_secs(call);
    CallRecord {
        call: CallId(call),
        sip_call_id: format!("{call}@elm-tree.example"),
        promise: None,
        case: None,
        trunk: "elm-tree".into(),
        practice: Some("Y00001".into()),
        line: "elm-tree".into(),
        band: Band::ROUTINE,
        ddi: "+442079460000".into(),
        cli: None,
        arrived: Wall(1_795_000_000_000),
        waited,
        lasted: waited,
        segments: vec![Segment { stage: Stage::Queue, from: Duration::ZERO, to: waited }],
        outcome: Outcome::Abandoned,
        disposition: None,
    }
}

struct Bench {
    dir: tempfile::TempDir,
    shared: Arc<Shared>,
    writer: Writer,
    now: Instant,
}

impl Bench {
    fn new(spool: usize) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let shared = Arc::new(Shared::default());
        let settings = Settings {
            path: dir.path().join("ledger.db"),
            cli: CliStorage::None,
            key_path: dir.path().join("cli.key"),
            spool,
            side_file: dir.path().join("ledger.side"),
            keep: Keep::default(),
            run: None,
        };
        let place = Place::of(&settings.path).unwrap();
        let writer = Writer::new(settings, place, RUN, Arc::clone(&shared), Box::new(|_| {}));
        Bench { dir, shared, writer, now: Instant::now() }
    }

    /// Hands in records as [`Ledger::write`] does and lets the writer step.
    fn write(&mut self, calls: std::ops::Range<u64>) {
        for call in calls {
            self.shared.waiting.fetch_add(1, Relaxed);
            self.writer.take(Given::Call(RUN, record(call)));
        }
        self.writer.step(self.now);
    }

    fn step_after(&mut self, time: Duration) {
        self.now += time;
        self.writer.step(self.now);
    }

    fn database(&self) -> &Connection {
        match self.writer.store.as_ref().unwrap() {
            Store::File(file) => &file.db,
            Store::Server(_) => panic!("not a file"),
        }
    }

    fn allow_pages(&self, pages: i64) {
        self.database().pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn stored(&self) -> Vec<u64> {
        calls_in(&self.path("ledger.db"))
    }
}

/// The calls in the order of writing.
fn calls_in(path: &Path) -> Vec<u64> {
    let db = Connection::open(path).unwrap();
    let mut calls = db.prepare("SELECT call FROM calls ORDER BY id").unwrap();
    let calls = calls.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    calls.map(|call| call.unwrap().cast_unsigned()).collect()
}

#[test]
fn a_full_disk_loses_nothing_and_keeps_the_order() {
    let mut bench = Bench::new(50);
    bench.write(0..0);
    bench.allow_pages(1);
    bench.write(0..400);
    bench.write(400..420);
    let counters = bench.shared.snapshot();
    assert_eq!((counters.errors, counters.spooled, counters.side_filed), (1, 50, 370));
    assert_eq!((counters.waiting, counters.healthy), (50, false));
    assert!(bench.stored().is_empty());

    bench.step_after(HOUR);
    assert_eq!(bench.shared.snapshot().errors, 2, "still full");
    bench.allow_pages(100_000);
    bench.now += HOUR;
    bench.write(420..430);
    let counters = bench.shared.snapshot();
    assert_eq!((counters.written, counters.replayed, counters.lost), (60, 370, 0));
    assert_eq!((counters.waiting, counters.healthy), (0, true));
    assert_eq!(bench.stored(), (0..430).collect::<Vec<_>>());
    assert!(!bench.path("ledger.side").exists());
}

#[test]
fn a_database_that_fails_again_half_way_through_keeps_the_order() {
    let mut bench = Bench::new(600);
    bench.write(0..0);
    bench.allow_pages(1);
    bench.write(0..700);
    // The least room that the first transaction needs is not enough for the second.
    let mut pages = 1;
    while bench.shared.snapshot().waiting == 600 {
        pages += 1;
        bench.allow_pages(pages);
        bench.step_after(HOUR);
    }
    let waiting = bench.shared.snapshot().waiting;
    assert!(waiting > 0 && bench.stored().len() as u64 == 600 - waiting);
    bench.write(700..710);
    assert_eq!(bench.shared.snapshot().side_filed, 110, "behind those that came before them");
    bench.allow_pages(100_000);
    bench.step_after(HOUR);
    assert_eq!(bench.stored(), (0..710).collect::<Vec<_>>());
}

#[test]
fn a_failed_database_is_tried_again_with_growing_patience_and_not_at_each_record() {
    let mut bench = Bench::new(1000);
    bench.write(0..0);
    bench.allow_pages(1);
    bench.write(0..400);
    for call in 400..500 {
        bench.write(call..call + 1);
    }
    assert_eq!(bench.shared.snapshot().errors, 1);
    bench.step_after(Duration::from_millis(20));
    assert_eq!(bench.shared.snapshot().errors, 2);
    bench.step_after(Duration::from_millis(39));
    assert_eq!(bench.shared.snapshot().errors, 2);
    bench.step_after(Duration::from_millis(1));
    assert_eq!(bench.shared.snapshot().errors, 3);
    for _ in 0..20 {
        bench.step_after(Duration::from_secs(2));
    }
    assert_eq!(bench.shared.snapshot().errors, 23, "never less often than every two seconds");
}

#[test]
fn a_record_that_the_database_refuses_is_kept_aside_and_holds_up_no_other() {
    let mut bench = Bench::new(10);
    bench.write(0..0);
    let trigger = "CREATE TRIGGER no BEFORE INSERT ON calls WHEN NEW.call = 3 \
                   BEGIN SELECT RAISE(ABORT, 'not this one'); END";
    bench.database().execute_batch(trigger).unwrap();
    bench.write(1..6);
    assert_eq!(bench.stored(), [1, 2, 4, 5]);
    let counters = bench.shared.snapshot();
    assert_eq!((counters.written, counters.rejected, counters.lost), (4, 1, 0));
    assert!(counters.healthy);
    let kept = fs::read(bench.path("ledger.side.rejected")).unwrap();
    assert_eq!(serde_json::from_slice::<Entry>(&kept).unwrap(), Entry { run: RUN, record: record(3) });
}

#[test]
fn a_refused_record_that_cannot_be_kept_aside_is_counted_as_lost() {
    let mut bench = Bench::new(10);
    bench.write(0..0);
    let trigger = "CREATE TRIGGER no BEFORE INSERT ON calls WHEN NEW.call = 3 \
                   BEGIN SELECT RAISE(ABORT, 'not this one'); END";
    bench.database().execute_batch(trigger).unwrap();
    fs::create_dir(bench.path("ledger.side.rejected")).unwrap();
    bench.write(1..6);
    assert_eq!(bench.stored(), [1, 2, 4, 5]);
    assert_eq!(bench.shared.snapshot().lost, 1);
}

#[test]
fn a_side_file_that_cannot_be_read_holds_up_nobody_but_itself() {
    let mut bench = Bench::new(0);
    bench.write(0..0);
    bench.allow_pages(1);
    bench.write(0..400);
    assert_eq!(bench.shared.snapshot().side_filed, 400);
    fs::rename(bench.path("ledger.side"), bench.path("elsewhere")).unwrap();
    fs::create_dir(bench.path("ledger.side")).unwrap();
    bench.allow_pages(100_000);
    bench.now += HOUR;
    bench.write(400..410);
    assert_eq!(bench.stored(), (400..410).collect::<Vec<_>>());
    assert!(!bench.shared.snapshot().healthy, "it is said, all the same");

    fs::remove_dir(bench.path("ledger.side")).unwrap();
    fs::rename(bench.path("elsewhere"), bench.path("ledger.side")).unwrap();
    bench.step_after(HOUR);
    assert_eq!(bench.stored().len(), 410);
    assert!(bench.shared.snapshot().healthy);
}

#[test]
fn a_side_file_that_fails_too_leaves_the_records_in_memory() {
    let mut bench = Bench::new(5);
    bench.write(0..0);
    bench.allow_pages(1);
    fs::create_dir(bench.path("ledger.side")).unwrap();
    bench.write(0..400);
    bench.write(400..410);
    let counters = bench.shared.snapshot();
    assert_eq!((counters.waiting, counters.side_filed, counters.lost), (410, 0, 0));
    assert_eq!(counters.errors, 2, "neither file is tried again at each record");
    bench.allow_pages(100_000);
    bench.step_after(HOUR);
    assert_eq!(bench.stored(), (0..410).collect::<Vec<_>>());
}

#[test]
fn the_schema_lets_no_call_have_two_outcomes_or_none() {
    let mut bench = Bench::new(0);
    bench.write(1..2);
    let db = bench.database();
    for outcome in ["answered", "lost", "refused", "Abandoned", ""] {
        assert!(db.execute("UPDATE calls SET outcome = ?1", [outcome]).is_err(), "{outcome}");
    }
    let orphan = "INSERT INTO segments (call, seq, stage, from_ms, to_ms) VALUES (99, 0, 'queue', 0, 0)";
    for sql in [
        "UPDATE calls SET outcome = NULL",
        "UPDATE calls SET agent = 'asha'",
        "UPDATE calls SET waited_ms = -1",
        "UPDATE segments SET stage = 'talk'",
        "UPDATE segments SET result = 'busy'",
        orphan,
    ] {
        assert!(db.execute(sql, []).is_err(), "{sql}");
    }
    assert_eq!(db.execute("UPDATE calls SET outcome = 'refused', code = 404", []).unwrap(), 1);
}
