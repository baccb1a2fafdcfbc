//! The commands beside `run`: check and report.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::harness::{FAILS, Net, Phone, SOON, Setup, Sipp, directory, hearken, scenario};

fn check(config: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hearken")).arg("check").arg("--config").arg(config).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_sample_and_the_examples_are_good() {
    for file in ["config/hearken.toml", "examples/surgery/hearken.toml", "examples/ambulance/hearken.toml"] {
        let output = check(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
        assert_eq!(output.status.code(), Some(0), "{file}: {}", text(&output.stderr));
    }
}

#[test]
fn a_broken_file_is_refused_with_every_fault_and_its_place() {
    let dir = directory();
    let file = dir.path().join("broken.toml");
    fs::write(
        &file,
        "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nmax-cals = 5\n[line.gp]\nring-for = \"20\"\n",
    )
    .unwrap();
    for command in ["check", "run"] {
        let output = Command::new(env!("CARGO_BIN_EXE_hearken"))
            .args([command, "--config"])
            .arg(&file)
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        for place in ["broken.toml:3:", "max-calls", "broken.toml:5:"] {
            assert!(said.contains(place), "{command}: {place} is not in {said}");
        }
    }
}

#[test]
fn a_file_whose_own_test_fails_is_not_run() {
    let dir = directory();
    let setup = Setup::new(Net::new()).agent("asha", "sip:asha@127.0.0.21:5080").and(FAILS);
    setup.write(&dir.path().join("hearken.toml"));
    let output = hearken(dir.path(), &["run"]).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("test `thirty wait` fails: expected `full`, got `stay`"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    assert_eq!(check(Path::new("/nonexistent/hearken.toml")).status.code(), Some(2));
}

#[test]
fn two_daemons_cannot_share_an_address() {
    let net = Net::new();
    let hub = Setup::new(net).agent("asha", Phone::at(net.agent(1)).uri("asha")).start();
    let toml = fs::read_to_string(hub.dir().join("hearken.toml")).unwrap();
    let taken = toml.replace(&format!("udp:{}:0", net.hub()), &format!("udp:{}", hub.udp));
    fs::write(hub.dir().join("hearken.toml"), taken + "\n[flight]\non = false\n").unwrap();
    let output = hub.run(&["run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(&hub.udp.to_string()), "{}", text(&output.stderr));
}

#[test]
fn the_report_says_what_the_ledger_says() {
    let net = Net::new();
    let agent = Sipp::agent(net.agent(1), &scenario("agent", &[("talk", "50")]), &[]);
    let hub = Setup::new(net).agent("asha", agent.uri("asha")).start();
    let mut impatient = Phone::at(net.surgery());
    let callers = Sipp::callers(net.surgery(), hub.udp, &scenario("caller", &[]), 5, 10, &[]);
    callers.good(std::time::Duration::from_secs(30));
    let mut last = Phone::at(net.emergency());
    drop(agent);
    for phone in [&mut impatient, &mut last] {
        phone.call(&hub);
        phone.bye();
    }
    let calls = hub.calls(7);

    // Also while the daemon runs.
    let table = hub.run(&["report", "--from", "2020-01-01", "--format", "table"]);
    assert_eq!(table.status.code(), Some(0), "{}", text(&table.stderr));
    let table = text(&table.stdout);
    let row = |line: &str| -> Vec<String> {
        let found =
            table.lines().find(|row| row.starts_with(line)).unwrap_or_else(|| panic!("no {line} in {table}"));
        found[line.len()..].split_whitespace().take(5).map(str::to_owned).collect()
    };
    assert_eq!(row("gp"), ["6", "5", "1", "0", "0"], "{table}");
    assert_eq!(row("emergency"), ["1", "0", "1", "0", "0"], "{table}");
    assert_eq!(row("all lines"), ["7", "5", "2", "0", "0"], "{table}");

    let sheet = hub.run(&["report", "--from", "2020-01-01", "--format", "csv"]);
    assert_eq!(sheet.status.code(), Some(0), "{}", text(&sheet.stderr));
    let mut sheet = csv::Reader::from_reader(&sheet.stdout[..]);
    let headings = sheet.headers().unwrap().clone();
    let at = |name: &str| headings.iter().position(|heading| heading == name).unwrap();
    let mut rows: Vec<_> = sheet.records().map(Result::unwrap).collect();
    rows.sort_by_key(|row| row[at("sip_call_id")].to_owned());
    let mut calls: Vec<_> = calls.iter().collect();
    calls.sort_by_key(|call| &call.sip_call_id);
    assert_eq!(rows.len(), calls.len());
    for (row, call) in rows.iter().zip(calls) {
        assert_eq!(row[at("sip_call_id")], call.sip_call_id);
        assert_eq!(row[at("outcome")], call.outcome);
        assert_eq!(row[at("waited_ms")], call.waited.to_string());
        assert_eq!(row[at("lasted_ms")], call.lasted.to_string());
        assert_eq!(row[at("agent")], *call.agent.as_deref().unwrap_or_default());
        assert_eq!(row[at("presentations")], call.presentations().len().to_string());
    }

    let empty = hub.run(&["report", "--from", "2020-01-01", "--to", "2020-01-02"]);
    assert_eq!(empty.status.code(), Some(0));
    let bad = hub.run(&["report", "--from", "yesterday"]);
    assert_eq!(bad.status.code(), Some(2));
}

/// Changes what one batch of inputs is said to have led to, so that only its meaning is wrong.
fn falsify(segment: &Path) {
    let mut bytes = fs::read(segment).unwrap();
    let mut at = 8;
    loop {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let end = at + 21 + length;
        if bytes[at + 4] == 7 && length > 0 {
            bytes[at + 21] ^= 1;
            let sum = crc32fast::hash(&bytes[at..end]).to_le_bytes();
            bytes[end..end + 4].copy_from_slice(&sum);
            return fs::write(segment, bytes).unwrap();
        }
        at = end + 4;
    }
}

#[test]
fn a_replay_shows_the_first_difference_and_a_call_that_is_not_in_the_log_is_no_success() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let mut hub = Setup::new(net).agent("asha", asha.uri("asha")).start();
    caller.call(&hub);
    asha.answer();
    caller.bye();
    asha.hung_up();
    hub.terminate();
    assert_eq!(hub.ended(SOON).code(), Some(0));
    let replay = |more: &[&str]| hub.run(&[&["replay", "flight/00000001.flight"], more].concat());
    let same: serde_json::Value = serde_json::from_slice(&replay(&["--json"]).stdout).unwrap();
    assert!(same[0]["outputs"].as_u64().unwrap() > 5 && same[0]["difference"].is_null(), "{same}");
    falsify(&hub.dir().join("flight/00000001.flight"));
    let differs = replay(&[]);
    let said = text(&differs.stdout);
    assert_eq!(differs.status.code(), Some(3), "{said}");
    assert!(said.contains("DIFFERS after") && said.contains("--- what comes out now:"), "{said}");
    let differs = replay(&["--json"]);
    assert_eq!(differs.status.code(), Some(3));
    let shown: serde_json::Value = serde_json::from_slice(&differs.stdout).unwrap();
    assert!(shown[0]["difference"]["now"].is_string() && shown[0]["end"].is_null(), "{shown}");
    let unknown = hub.run(&["flight", "flight", "--call", "call-999"]);
    assert_eq!(unknown.status.code(), Some(1), "{}", text(&unknown.stdout));
    assert!(!unknown.stderr.is_empty());
}
