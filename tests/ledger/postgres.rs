//! A server that goes away, hangs, or is not what it should be: nothing is lost, nothing is there twice, nobody waits.

use std::sync::mpsc;

use hearken::id::PromiseId;
use hearken::ledger::News;

use super::home::Home;
use super::keep::promise;
use super::server::{Proxy, Server, Way};
use super::*;

/// How long a caller waits to hear that a callback is promised.
const SAFE_WITHIN: Duration = Duration::from_secs(3);

/// A ledger behind a way that the test rules.
struct Far {
    dir: TempDir,
    server: Server,
    proxy: Proxy,
}

impl Far {
    fn new() -> Far {
        let server = Server::start();
        Far { dir: tempfile::tempdir().unwrap(), proxy: Proxy::to(&server), server }
    }

    fn settings(&self) -> Settings {
        Settings { path: self.proxy.url(), ..settings(&self.dir) }
    }

    fn calls(&self) -> Vec<u64> {
        let calls = self.server.ask("SELECT call FROM calls ORDER BY id");
        calls.iter().map(|call| call.parse().unwrap()).collect()
    }
}

#[test]
fn a_server_that_is_killed_and_started_again_gets_every_call_once_and_in_order() {
    let far = Far::new();
    let ledger = Ledger::open(Settings { spool: 100, ..far.settings() }).unwrap();
    (0..50).for_each(|call| ledger.write(abandoned(call)));
    assert!(ledger.flush(PATIENCE));
    for round in 0..2 {
        far.server.stop();
        let first = 50 + 300 * round;
        (first..first + 300).for_each(|call| ledger.write(abandoned(call)));
        wait_until(&ledger, "the loss is noticed", || !ledger.counters().healthy);
        far.server.start_again();
        assert!(ledger.flush(PATIENCE), "{:?}", ledger.counters());
    }
    assert_eq!(far.calls(), (0..650).collect::<Vec<_>>());
    let counters = ledger.close();
    assert_eq!((counters.written + counters.replayed, counters.lost, counters.rejected), (650, 0, 0));
}

#[test]
fn a_connection_that_breaks_between_commit_and_answer_adds_nothing_twice() {
    let far = Far::new();
    let ledger = Ledger::open(far.settings()).unwrap();
    assert!(ledger.flush(PATIENCE));
    for round in 0..3 {
        far.proxy.set(Way::CutAtCommit);
        (10 * round..10 * (round + 1)).for_each(|call| ledger.write(answered(call, "elm-tree", secs(3))));
        ledger.write_promise(promise(70, Wall(EIGHT), false));
        assert!(ledger.flush(PATIENCE));
        assert!(far.proxy.is(Way::Open), "the connection was cut");
    }
    assert_eq!(far.calls(), (0..30).collect::<Vec<_>>());
    assert_eq!(far.server.ask("SELECT count(*) FROM segments"), ["30"]);
    assert_eq!(far.server.ask("SELECT id, revision FROM promises"), ["70|1"]);
    let counters = ledger.close();
    assert!(counters.errors >= 3 && counters.lost == 0, "{counters:?}");
}

#[test]
fn a_server_that_hangs_keeps_nobody_waiting_longer_than_a_caller_waits_for_a_promise() {
    let far = Far::new();
    let (tell, news) = mpsc::channel();
    let ledger = Ledger::open_with(far.settings(), Box::new(move |said| drop(tell.send(said)))).unwrap();
    ledger.write(abandoned(0));
    assert!(ledger.flush(PATIENCE));
    far.proxy.set(Way::Silent);
    // The first finds a connection that says nothing any more, the other a server that answers no new one.
    for (id, call) in (70..72).zip(1..) {
        ledger.write(abandoned(call));
        let begun = Instant::now();
        ledger.write_promise(promise(id, Wall(EIGHT), false));
        let kept = News::Kept(PromiseId(id));
        while news.recv_timeout(SAFE_WITHIN).unwrap() != kept {}
        assert!(begun.elapsed() < SAFE_WITHIN, "{:?}", begun.elapsed());
    }
    far.proxy.set(Way::Open);
    assert!(ledger.flush(PATIENCE));
    assert_eq!(far.calls(), [0, 1, 2]);
    assert_eq!(far.server.ask("SELECT count(*) FROM promises"), ["2"]);
}

#[test]
fn a_server_that_hangs_while_old_records_are_deleted_keeps_nobody_waiting_longer_either() {
    let far = Far::new();
    let ledger = Ledger::open(far.settings()).unwrap();
    ledger.write(abandoned(0));
    assert!(ledger.flush(PATIENCE));
    ledger.close();
    far.proxy.set(Way::SilentAtDelete);
    let (tell, news) = mpsc::channel();
    let keep = Keep { all: Some(secs(86_400)), ..Keep::default() };
    let settings = Settings { keep, ..far.settings() };
    let ledger = Ledger::open_with(settings, Box::new(move |said| drop(tell.send(said)))).unwrap();
    wait_until(&ledger, "the server falls silent", || far.proxy.is(Way::Silent));
    let begun = Instant::now();
    ledger.write_promise(promise(70, Wall(EIGHT), false));
    while news.recv_timeout(SAFE_WITHIN).unwrap() != News::Kept(PromiseId(70)) {}
    assert!(begun.elapsed() < SAFE_WITHIN, "{:?}", begun.elapsed());
    far.proxy.set(Way::Open);
    assert!(ledger.flush(PATIENCE));
    assert_eq!(far.server.ask("SELECT id FROM promises"), ["70"]);
}

#[test]
fn a_transaction_that_nobody_can_end_any_more_holds_up_its_records_for_a_while_only() {
    let far = Far::new();
    let ledger = Ledger::open(far.settings()).unwrap();
    assert!(ledger.flush(PATIENCE));
    far.proxy.set(Way::StrandAtCommit);
    ledger.write(abandoned(1));
    assert!(ledger.flush(PATIENCE));
    assert!(far.proxy.is(Way::Open));
    assert_eq!(far.calls(), [1]);
    assert!(ledger.counters().errors > 0);
}

#[test]
fn a_database_of_another_program_or_of_a_later_version_on_a_server_is_left_alone() {
    let home = Home::server();
    home.ask("CREATE TABLE calls (theirs BIGINT)");
    let ledger = Ledger::open(home.settings()).unwrap();
    ledger.write(abandoned(1));
    assert_eq!(ledger.close().side_filed, 1);
    let path = home.settings().path;
    assert!(matches!(Reader::open(&path), Err(Error::ForeignServer)));
    home.ask("DROP TABLE calls");
    assert!(matches!(Reader::open(&path), Err(Error::Missing(_))));

    assert_eq!(Ledger::open(home.settings()).unwrap().close().replayed, 1);
    home.ask("UPDATE ledger_schema SET version = 99");
    let ledger = Ledger::open(home.settings()).unwrap();
    ledger.write(abandoned(2));
    assert_eq!(ledger.close().side_filed, 1);
    assert!(matches!(Reader::open(&path), Err(Error::Newer { found: 99, .. })));
    assert_eq!(home.calls(), [1]);
}

#[test]
fn a_record_that_the_server_refuses_is_kept_aside_and_holds_up_no_other() {
    let home = Home::server();
    let ledger = Ledger::open(home.settings()).unwrap();
    assert!(ledger.flush(PATIENCE));
    home.ask("ALTER TABLE calls ADD CHECK (call <> 3)");
    (1..6).for_each(|call| ledger.write(abandoned(call)));
    assert!(ledger.flush(PATIENCE));
    assert_eq!(home.calls(), [1, 2, 4, 5]);
    let counters = ledger.close();
    assert_eq!((counters.written, counters.rejected, counters.lost, counters.errors), (4, 1, 0, 0));
    let kept = fs::read(home.path("ledger.side.rejected")).unwrap();
    assert_eq!(serde_json::from_slice::<Entry>(&kept).unwrap().record, abandoned(3));
}
