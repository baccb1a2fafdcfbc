//! What happened, as the ledger has it: every event once, with its rule and plan, and never at a record's cost.

use std::sync::Arc;

use hearken::acd::pathway;
use hearken::id::ReferralId;
use hearken::switch::{Event, Seen};

use super::home::{Home, on_both};
use super::*;

on_both!(
    an_event_is_kept_with_its_rule_and_plan_and_what_the_rule_saw,
    events_that_had_to_wait_are_there_once_and_in_order,
    a_referral_has_one_row_from_its_beginning_to_its_end,
);

fn arrived(call: u64) -> Event {
    let (trunk, line) = ("elm-tree-trunk".into(), "elm-tree".into());
    Event::Arrived { call: CallId(call), trunk, line, band: Band::ROUTINE, waiting: 1 }
}

fn an_event_is_kept_with_its_rule_and_plan_and_what_the_rule_saw(home: &Home) {
    let ledger = Ledger::open(home.settings()).unwrap();
    let (before, after): (Arc<str>, Arc<str>) = ("first".into(), "second".into());
    let seen = Seen { waiting: 9, longest_wait: Some(secs(240)), ..Seen::default() };
    let (line, rule) = ("elm-tree".to_owned(), "monday".to_owned());
    ledger.write_event(Wall(EIGHT), &before, arrived(1));
    ledger.write_event(Wall(EIGHT + 1), &before, Event::Rule { line, rule: rule.clone(), on: true, seen });
    ledger.write_event(Wall(EIGHT + 2), &after, Event::Reloaded);
    ledger.write_event(Wall(EIGHT + 3), &after, Event::Announced { call: CallId(1), rule });
    // From anybody, as often as they like.
    let source = "192.0.2.9".parse().unwrap();
    ledger.write_event(Wall(EIGHT + 4), &after, Event::TurnedAway { source, code: 403 });
    assert!(ledger.flush(PATIENCE));
    let rows = "SELECT at_ms, kind, call, line, trunk, agent, rule, plan, detail FROM events ORDER BY seq";
    let saw = r#"{"on":true,"seen":{"agents_free":0,"agents_logged_in":0,"estimated_wait":null,"longest_wait_ms":240000,"waiting":9}}"#;
    assert_eq!(
        home.ask(rows),
        [
            format!(r#"{EIGHT}|arrived|1|elm-tree|elm-tree-trunk|||first|{{"band":1,"waiting":1}}"#),
            format!("{}|rule||elm-tree|||monday|first|{saw}", EIGHT + 1),
            format!("{}|reloaded||||||second|{{}}", EIGHT + 2),
            format!("{}|announced|1||||monday|second|{{}}", EIGHT + 3),
        ]
    );
    assert_eq!(
        home.ask("SELECT happened FROM events_utc WHERE kind = 'arrived'"),
        ["2026-11-16T08:00:00.000Z"]
    );
}

fn events_that_had_to_wait_are_there_once_and_in_order(home: &Home) {
    let ledger = Ledger::open(Settings { spool: 10, ..home.settings() }).unwrap();
    let plan: Arc<str> = "plan".into();
    home.block();
    (0..100).for_each(|call| ledger.write_event(Wall(EIGHT), &plan, arrived(call)));
    wait_until(&ledger, "the side file is used", || ledger.counters().side_filed == 90);
    let side_file = fs::read(home.settings().side_file).unwrap();
    home.unblock();
    assert!(ledger.flush(PATIENCE));
    ledger.close();
    // As after a crash between the commit and the removal.
    fs::write(home.settings().side_file, &side_file).unwrap();
    let ledger = Ledger::open(home.settings()).unwrap();
    ledger.write_event(Wall(EIGHT), &plan, arrived(100));
    assert!(ledger.flush(PATIENCE));
    assert_eq!(ledger.close().replayed, 0);
    let calls: Vec<_> = (0..101).map(|call: u64| call.to_string()).collect();
    assert_eq!(home.ask("SELECT call FROM events ORDER BY seq"), calls);
}

fn a_referral_has_one_row_from_its_beginning_to_its_end(home: &Home) {
    let ledger = Ledger::open(home.settings()).unwrap();
    let plan: Arc<str> = "plan".into();
    let of = |number| (ReferralId(number), "pharmacy".to_owned(), "asha".to_owned());
    for number in [1, 2] {
        let (referral, pathway, agent) = of(number);
        ledger.write_event(Wall(EIGHT), &plan, Event::Referred { referral, pathway, agent });
    }
    let (referral, pathway, agent) = of(1);
    let outcome = pathway::Outcome::Acknowledged;
    ledger.write_event(Wall(EIGHT + 9), &plan, Event::ReferralEnded { referral, pathway, agent, outcome });
    assert!(ledger.flush(PATIENCE));
    let rows =
        "SELECT referral, pathway, agent, opened_ms, outcome, settled_ms FROM referrals ORDER BY referral";
    let open = format!("2|pharmacy|asha|{EIGHT}||");
    assert_eq!(home.ask(rows), [format!("1|pharmacy|asha|{EIGHT}|acknowledged|{}", EIGHT + 9), open]);
}

#[test]
fn events_never_take_the_memory_that_records_need_and_those_lost_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, _) = blocked(&dir);
    let ledger = Ledger::open(Settings { spool: 0, side_file: "/dev/full".into(), ..settings }).unwrap();
    let plan: Arc<str> = "plan".into();
    let half = ROOM as u64 / 2;
    (0..half + 25).for_each(|call| ledger.write_event(Wall(EIGHT), &plan, arrived(call)));
    (0..100).for_each(|call| ledger.write(abandoned(call)));
    let counters = ledger.counters();
    assert_eq!((counters.events_lost, counters.lost, counters.waiting), (25, 0, half + 100));
}
