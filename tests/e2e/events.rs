//! Events of the real program, in a file and on a PostgreSQL server: every call that arrived has one outcome, and every
//! decision is there with its rule and plan.

use std::time::Duration;

use rusqlite::Connection;

use crate::harness::{Hub, Net, Phone, Setup, wait_for};
use crate::server::Server;

/// A line that turns callers away when one waits.
const FULL: &str =
    "[[overflow]]\nname = \"full\"\nfrom = \"gp\"\nwhen-all = { waiting-over = 0 }\nrefuse = 503\n";

/// One caller is answered, one gives up, one is turned away by a rule; then the daemon is stopped.
fn a_little_day(path: &str) -> Hub {
    let net = Net::new();
    let mut asha = Phone::at(net.agent(1));
    let mut callers = [(); 3].map(|()| Phone::at(net.surgery()));
    let path = format!("path = \"{path}\"");
    let setup = Setup::new(net).agent("asha", asha.uri("asha")).and(FULL).with("path = \"calls.db\"", &path);
    let mut hub = setup.start();
    callers[0].call(&hub);
    asha.answer();
    callers[1].call(&hub);
    callers[2].invite(&hub);
    let response = callers[2].expect("503 INVITE");
    callers[2].ack(&response);
    callers[1].bye();
    callers[0].bye();
    asha.hung_up();
    hub.signal("INT");
    hub.ended(Duration::from_secs(20));
    hub
}

/// What must hold of what the day left, asked of either database in the same words.
fn assert_whole(ask: impl Fn(&str) -> Vec<String>) {
    let kinds = ask("SELECT kind, count(*) FROM events WHERE kind IN \
        ('arrived', 'presented', 'bridged', 'ended', 'entry-refused', 'drained') GROUP BY kind ORDER BY kind");
    assert_eq!(kinds, ["arrived|2", "bridged|1", "drained|1", "ended|2", "entry-refused|1", "presented|1"]);
    // Whoever arrived or was turned away is one call, and each call has one outcome.
    let callers = "FROM calls WHERE promise IS NULL AND about IS NULL";
    let arrived = ask("SELECT count(*) FROM events WHERE kind IN ('arrived', 'entry-refused')");
    assert_eq!(ask(&format!("SELECT count(*) {callers}")), arrived);
    let outcomes = ask(&format!("SELECT outcome, count(*) {callers} GROUP BY outcome ORDER BY outcome"));
    assert_eq!(outcomes, ["abandoned|1", "answered|1", "refused|1"]);
    let unheard = "SELECT count(*) FROM calls c WHERE outcome <> 'refused' AND NOT EXISTS \
        (SELECT 1 FROM events e WHERE e.run = c.run AND e.call = c.call AND e.kind = 'arrived')";
    assert_eq!(ask(unheard), ["0"]);
    // Who decided what, by which rule, upon what, under which plan.
    let refused = ask("SELECT trunk, line, rule, detail FROM events WHERE kind = 'entry-refused'");
    assert_eq!(refused, [r#"surgery|gp|full|{"why":"full"}"#]);
    let rules = ask("SELECT rule, line, detail FROM events WHERE kind = 'rule' ORDER BY seq");
    // Once while the first caller's phone rang, and once while the second waited.
    assert_eq!(rules.len(), 4, "{rules:?}");
    let saw = ["\"on\":true", "\"waiting\":1", "\"agents_logged_in\":1", "\"agents_free\":0"];
    assert!(rules[2].starts_with("full|gp|") && saw.iter().all(|word| rules[2].contains(word)), "{rules:?}");
    assert!(rules[3].contains("\"on\":false"), "{rules:?}");
    let plans = ask("SELECT DISTINCT length(plan) FROM events");
    assert_eq!(
        (plans, ask("SELECT count(DISTINCT plan) FROM events")),
        (vec!["16".into()], vec!["1".into()])
    );
}

#[test]
fn every_call_that_arrived_has_one_outcome_and_every_decision_its_event() {
    let hub = a_little_day("calls.db");
    let db = Connection::open(hub.dir().join("calls.db")).unwrap();
    assert_whole(|sql| {
        let mut query = db.prepare(sql).unwrap();
        let columns = query.column_count();
        let cell = |row: &rusqlite::Row<'_>, column| match row.get(column)? {
            rusqlite::types::Value::Integer(number) => Ok(number.to_string()),
            rusqlite::types::Value::Text(text) => Ok(text),
            other => panic!("{other:?}"),
        };
        let rows = query.query_map([], |row| {
            Ok((0..columns).map(|at| cell(row, at)).collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
        });
        rows.unwrap().map(Result::unwrap).collect()
    });
}

#[test]
fn the_same_day_on_a_server_is_the_same_and_is_reported_and_erased_there() {
    let server = Server::start();
    let hub = a_little_day(server.url().to_str().unwrap());
    wait_for("three calls on the server", Duration::from_secs(20), || {
        (server.ask("SELECT count(*) FROM calls") == ["3"]).then_some(())
    });
    assert_whole(|sql| server.ask(sql));
    let day = server.ask("SELECT min(substr(arrived, 1, 10)) FROM calls_utc").remove(0);
    let report = hub.run(&["report", "--from", &day]);
    let text = String::from_utf8(report.stdout).unwrap();
    let row: Vec<_> =
        text.lines().find(|line| line.starts_with("all lines")).unwrap().split_whitespace().collect();
    assert_eq!(row[2..6], ["3", "1", "1", "1"], "{text}");
    let erased = hub.run(&["erase", "--before", "9999-01-01", "--delete"]);
    assert_eq!(String::from_utf8(erased.stdout).unwrap(), "deleted: 3 calls, 0 callbacks, 0 cases\n");
    assert_eq!(server.ask("SELECT count(*) FROM segments"), ["0"]);
}
