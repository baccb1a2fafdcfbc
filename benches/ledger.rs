//! What the ledger costs: the caller of `write`, the writer thread, and a report. `cargo bench --bench ledger`
//!
//! Takes the directory from `TMPDIR`: figures of the writer depend on the disk there.

use std::hint::black_box;
use std::time::{Duration, Instant};

use clap::Parser as _;
use hearken::acd::{Band, Cause};
use hearken::call::record::{CallRecord, EndedBy, Outcome, Presentation, Segment, Stage};
use hearken::cli::report;
use hearken::id::CallId;
use hearken::ledger::{CliStorage, Keep, Ledger, Settings};
use hearken::time::Wall;

const CALLS: u64 = 200_000;

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    args: report::Args,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for round in 1..=3 {
        let dir = tempfile::tempdir()?;
        let settings = Settings {
            path: dir.path().join("ledger.db"),
            cli: CliStorage::Hash,
            key_path: dir.path().join("cli.key"),
            spool: CALLS as usize,
            side_file: dir.path().join("ledger.side"),
            keep: Keep::default(),
            run: None,
        };
        println!("round {round}, {CALLS} calls of 4 segments");
        fill(&settings)?;
        for format in ["table", "csv"] {
            let from = ["report", "--from", "2026-11-01", "--format", format];
            let began = Instant::now();
            let mut out = Vec::new();
            let setup = report::Setup::plain(&settings.path, "Europe/London")?;
            report::run(&Command::parse_from(from).args, &setup, &mut out)?;
            println!("  report --format {format}: {:.0?}", began.elapsed());
            black_box(out);
        }
    }
    Ok(())
}

fn fill(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    let records: Vec<_> = (1..=CALLS).map(record).collect();
    let ledger = Ledger::open(settings.clone())?;
    let mut costs = Vec::with_capacity(records.len());
    let began = Instant::now();
    for record in records {
        let before = Instant::now();
        ledger.write(record);
        costs.push(before.elapsed());
    }
    let written = began.elapsed();
    if !ledger.flush(Duration::from_secs(600)) {
        return Err("the writer did not come to an end".into());
    }
    let stored = began.elapsed();
    costs.sort_unstable();
    let at = |per_mille: usize| costs[costs.len() * per_mille / 1000];
    println!(
        "  write(): mean {:.0?}, median {:?}, 99th {:?}, 99.9th {:?}, longest {:?}",
        written / CALLS as u32,
        at(500),
        at(990),
        at(999),
        costs[costs.len() - 1],
    );
    println!("  writer: {:.0} records/s", CALLS as f64 / stored.as_secs_f64());
    let counters = ledger.close();
    if counters.written != CALLS {
        return Err(format!("not all were written: {counters:?}").into());
    }
    Ok(())
}

fn record(call: u64) -> CallRecord {
    let waited = Duration::from_millis(call * 7919 % 400_000);
    let agent = format!("navigator-{}", call % 40);
    let missed = Presentation::Missed(Cause::NoAnswer);
    let stage = |stage, from, to| Segment { stage, from, to };
    CallRecord {
        call: CallId(call),
        sip_call_id: format!("{call:016x}@198.51.100.7"),
        promise: None,
        case: None,
        trunk: format!("surgery-{}", call % 112),
        practice: Some(format!("Y{:05}", call % 112)),
        line: format!("surgery-{}", call % 112),
        band: Band::ROUTINE,
        ddi: format!("+4420794{:05}", call % 112),
        cli: Some(format!("+4477009{:05}", call % 100_000)),
        arrived: Wall(1_794_816_000_000 + call.cast_signed() * 50),
        waited,
        lasted: waited + Duration::from_secs(120),
        segments: vec![
            stage(Stage::Queue, Duration::ZERO, waited),
            stage(Stage::Presented { agent: agent.clone(), result: missed }, waited / 2, waited * 3 / 4),
            stage(
                Stage::Presented { agent: agent.clone(), result: Presentation::Answered },
                waited * 3 / 4,
                waited,
            ),
            stage(Stage::Talk { agent: agent.clone() }, waited, waited + Duration::from_secs(120)),
        ],
        outcome: Outcome::Answered { agent, ended_by: EndedBy::Caller },
        disposition: None,
    }
}
