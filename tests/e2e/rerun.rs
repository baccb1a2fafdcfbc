//! A day of the daemon's own flight log, again under other rules.

use serde_json::Value;

use crate::harness::{Net, Phone, Setup};

/// Two callers of one agent who rests a while between them; and a daemon that has ended.
#[test]
fn a_flight_log_tells_how_long_its_callers_would_have_waited_for_two_agents() {
    let net = Net::new();
    let (mut asha, ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut one = Setup::new(net).agent("asha", asha.uri("asha"));
    one.wrap_up = "1s";
    let two = one.clone().agent("ben", ben.uri("ben"));
    let mut hub = one.beside("two.toml", &two).start();
    let mut callers = [(); 2].map(|()| Phone::at(net.surgery()));
    callers[0].call(&hub);
    asha.answer();
    callers[1].call(&hub);
    hub.logs_times(": arrived", 2);
    callers[0].bye();
    asha.hung_up();
    asha.answer();
    callers[1].bye();
    asha.hung_up();
    hub.calls(2);
    hub.terminate();
    assert_eq!(hub.ended(crate::harness::SOON).code(), Some(0));

    let said = hub.run(&["replay", "flight", "--policy", "two.toml", "--json"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said["rules"], serde_json::json!(["as it was", "these rules again", "two.toml"]), "{said}");
    let calls = said["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2, "{said}");
    let second: Vec<_> = calls[1]["outcomes"].as_array().unwrap().iter().collect();
    assert!(second.iter().all(|became| became["end"] == "answered" && became["line"] == "gp"), "{said}");
    let waited: Vec<_> = second.iter().map(|became| became["waited_ms"].as_u64().unwrap()).collect();
    assert!(waited[0] >= 1_000 && waited[1] >= 1_000, "the agent's second of rest is in it: {waited:?}");
    assert!(waited[2] < 1_000, "the other agent was free: {waited:?}");

    let table = hub.run(&["replay", "flight", "--policy", "two.toml"]);
    let table = String::from_utf8(table.stdout).unwrap();
    let rows: Vec<_> = table.lines().filter(|row| row.starts_with("gp ")).collect();
    assert_eq!(rows.len(), 3, "{table}");
    let bad = hub.run(&["replay", "flight", "--policy", "none.toml"]);
    assert_eq!(bad.status.code(), Some(2));
}
