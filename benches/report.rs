//! What reports on a million calls cost, beside SQLite stepping through the same columns. `cargo bench --bench report`
//!
//! The calls are those of a month, in order of arrival, as a daemon writes them, without their stages, which no report
//! but `csv` and `parquet` reads. Takes the directory from `TMPDIR`.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Parser as _;
use hearken::cli::report::{self, Setup};
use hearken::ledger::{CliStorage, Keep, Ledger, Settings};
use rusqlite::{Connection, params};

const CALLS: i64 = 1_000_000;

/// 1 November 2026 in London, and how far apart the calls are that fill the month, in milliseconds.
const BEGIN: i64 = 1_793_491_200_000;
const APART: i64 = 30 * 86_400_000 / CALLS;

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    args: report::Args,
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("ledger.db");
    fill(&path)?;
    let setup = Setup::plain(&path, "Europe/London")?;
    println!("{CALLS} calls, {} MB", std::fs::metadata(&path)?.len() / 1_000_000);
    for round in 1..=3 {
        println!("round {round}");
        println!("  SQLite alone, the same columns by time: {:.2?}", bare(&path)?);
        for (name, more) in [
            ("table", &["--format", "table"][..]),
            ("table by practice", &["--by", "practice"]),
            ("table by hour", &["--by", "hour"]),
            ("cbt", &["--format", "cbt"]),
            ("ambsys", &["--format", "ambsys"]),
            ("iuc", &["--format", "iuc"]),
            ("gp", &["--format", "gp"]),
            ("svg", &["--format", "svg"]),
        ] {
            let arguments = [&["report", "--from", "2026-11-01", "--to", "2026-11-30"], more].concat();
            let args = Command::parse_from(arguments).args;
            let mut out = Vec::new();
            let began = Instant::now();
            report::run(&args, &setup, &mut out)?;
            println!("  {name}: {:.2?}", began.elapsed());
            black_box(out);
        }
    }
    Ok(())
}

/// How long SQLite takes to step through the columns that reports read, with nothing done about them.
fn bare(path: &Path) -> Result<Duration, Box<dyn Error>> {
    let db = Connection::open(path)?;
    let began = Instant::now();
    let mut query = db.prepare(
        "SELECT run, call, arrived_ms, waited_ms, lasted_ms, trunk, practice, line, band, cli, outcome, agent, promise, \
         about, disposition FROM calls WHERE arrived_ms >= ?1 AND arrived_ms < ?2 ORDER BY arrived_ms, id",
    )?;
    let mut rows = query.query([BEGIN, BEGIN + CALLS * APART])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        for column in 0..15 {
            black_box(row.get_ref(column)?);
        }
        count += 1;
    }
    assert_eq!(count, CALLS);
    Ok(began.elapsed())
}

fn fill(path: &Path) -> Result<(), Box<dyn Error>> {
    let settings = Settings {
        path: path.to_owned(),
        cli: CliStorage::None,
        key_path: path.with_extension("key"),
        spool: 1,
        side_file: path.with_extension("side"),
        keep: Keep::default(),
        run: None,
    };
    let ledger = Ledger::open(settings)?;
    ledger.flush(Duration::from_secs(10));
    ledger.close();
    let mut db = Connection::open(path)?;
    let tx = db.transaction()?;
    {
        let mut insert = tx.prepare(
            "INSERT INTO calls (run, call, sip_call_id, trunk, practice, line, band, ddi, cli, arrived_ms, waited_ms, \
             lasted_ms, outcome, agent, ended_by, promise) \
             VALUES (1, ?1, ?2, ?3, ?4, ?3, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, NULL)",
        )?;
        for call in 0..CALLS {
            let surgery = call % 112;
            let emergency = call % 10 == 0;
            let waited = call * 7_919 % 400_000;
            let answered = call % 4 != 0;
            insert.execute(params![
                call,
                format!("{call:016x}@198.51.100.7"),
                if emergency { "as-999".to_owned() } else { format!("surgery-{surgery:03}") },
                if emergency { None } else { Some(format!("Y{surgery:05}")) },
                if emergency { 0 } else { 1 },
                format!("+4420794{surgery:05}"),
                // As long as a hash; a third of all callers ring again.
                format!("{:032x}{:032x}", call * 7_919 % 700_000, 0),
                BEGIN + call * APART,
                waited,
                waited + if answered { call * 6_007 % 300_000 } else { 0 },
                if answered { "answered" } else { "abandoned" },
                answered.then(|| format!("navigator-{}", call % 40)),
                answered.then_some("caller"),
            ])?;
        }
    }
    tx.commit()?;
    Ok(())
}
