//! A day of the ledger, simulated again.

use std::time::Duration;

use hearken::acd::Band;
use hearken::call::record::{CallRecord, EndedBy, Outcome, Segment, Stage};
use hearken::id::CallId;
use hearken::ledger::{CliStorage, Keep, Ledger, Settings};
use hearken::time::Wall;

use super::*;

/// Monday 16 November 2026, 08:00 in London.
const EIGHT: i64 = 1_794_816_000_000;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn record(call: u64, trunk: &str, at: u64, waited: u64, outcome: Outcome) -> CallRecord {
    let talked = if let Outcome::Answered { .. } = outcome { 60 } else { 0 };
    let segment = |stage, from, to| Segment { stage, from: secs(from), to: secs(to) };
    let mut segments = vec![segment(Stage::Queue, 0, waited)];
    if talked > 0 {
        segments.push(segment(Stage::Talk { agent: "asha".into() }, waited, waited + talked));
    }
    CallRecord {
        call: CallId(call),
        sip_call_id: call.to_string(),
        trunk: trunk.into(),
        practice: None,
        line: trunk.into(),
        band: Band::ROUTINE,
        ddi: "+442079460000".into(),
        cli: Some(format!("+4477009{call:05}")),
        arrived: Wall(EIGHT + 1_000 * at as i64),
        waited: secs(waited),
        lasted: secs(waited + talked),
        segments,
        outcome,
        promise: None,
        case: None,
        disposition: None,
    }
}

#[test]
fn its_calls_come_when_they_came_talk_as_long_and_give_up_when_they_did() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let settings = Settings {
        keep: Keep::default(),
        run: None,
        path: path.clone(),
        cli: CliStorage::Plain,
        key_path: dir.path().join("cli.key"),
        spool: 100,
        side_file: dir.path().join("ledger.side"),
    };
    let ledger = Ledger::open(settings).unwrap();
    let answered = || Outcome::Answered { agent: "asha".into(), ended_by: EndedBy::Caller };
    // Six at once for four agents, who pick up at once, talk for a minute and rest for ten seconds: two wait 70 s,
    // unless they give up before.
    for call in 1..=4 {
        ledger.write(record(call, "elm-tree", 0, 5, answered()));
    }
    ledger.write(record(5, "elm-tree", 1, 30, Outcome::Abandoned));
    ledger.write(record(6, "riverside", 2, 100, answered()));
    ledger.write(record(7, "no-longer-there", 3, 5, answered()));
    ledger.write(CallRecord { arrived: Wall(EIGHT - 86_400_000), ..record(8, "elm-tree", 0, 5, answered()) });
    assert!(ledger.flush(secs(60)));
    drop(ledger);
    let sample =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/hearken.toml")).unwrap();
    let sample = sample
        .replace("prompts/", &format!("{}/config/prompts/", env!("CARGO_MANIFEST_DIR")))
        .replace("#path = \"hearken.db\"", &format!("path = {:?}", str(&path)));
    let config = file(&dir, "hearken.toml", &sample);
    let load = file(
        &dir,
        "load.toml",
        "ledger = \"2026-11-16\"\n[[staff]]\nteams = [\"*\"]\npick-up = { fixed = \"0s\" }\n",
    );
    let figures = figures(&["--load", str(&load), "--policy", str(&config)]);
    let mean = |group: &Value, key: &str| group[key]["mean"].as_f64().unwrap();
    let all = &figures["all"];
    assert_eq!((mean(all, "calls"), mean(all, "answered"), mean(all, "abandoned")), (6.0, 5.0, 1.0));
    assert_eq!((mean(all, "longest_wait_s"), mean(all, "median_wait_s")), (68.0, 0.0));
    let output = hearken(&["--load", "ledger:2026-11-16", "--policy", str(&config)]);
    assert!(text(&output.stderr).contains("1 calls of the day came by trunks"), "{}", text(&output.stderr));
}
