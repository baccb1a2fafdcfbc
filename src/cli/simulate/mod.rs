//! `hearken simulate`: a day of calls on virtual time, through the policy and distributor that route real ones.
//!
//! | file | holds |
//! |---|---|
//! | `setup` | the load and the policies that are asked for |
//! | `show`, `json` | what a day came to, for people and for programs |
//! | `beside` | the configuration in force and a draft, for the web interface |
//! | `curve`, `plot` | waits and lines through the day, as a picture |
//! | `find` | the least staff for a target |

mod beside;
mod curve;
mod find;
mod json;
mod plot;
mod setup;
mod show;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

pub(super) use self::beside::beside;
use self::curve::Curve;
use self::setup::Setup;
use super::fail;
use crate::sim::day::several::Summary;
use crate::sim::day::staffing::Target;
use crate::sim::day::{self, figures};
use crate::time::Mono;

/// Simulates a day of calls: how long callers would wait under a configuration, and under another
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  hearken simulate --load pilot-monday
  hearken simulate --load monday.toml --config config/hearken.toml --plot monday.svg
  hearken simulate --load monday.toml --policy now.toml --policy next.toml
  hearken simulate --load ledger:2026-11-16
  hearken simulate --load pilot-monday --find agents --target \"p95 wait < 2m\"")]
pub(super) struct Args {
    /// pilot-monday, england-monday, quiet-tuesday or 999-surge; a load file; or a day of the ledger: ledger:2026-11-16
    #[arg(long, value_name = "LOAD", default_value = "pilot-monday")]
    load: String,
    /// A configuration to simulate, in place of the preset's or that of --config; several are compared on the same callers
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// The first seed: the same seed gives the same day
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many days are simulated, each by a seed of its own; 10 when policies are compared, else 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: Option<u64>,
    /// The result as JSON
    #[arg(long)]
    json: bool,
    /// Draws waits, lines and staff of the first seed's day to this file, .svg or .png
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Searches for the least staff that meets the targets
    #[arg(long, value_name = "WHAT", requires = "target")]
    find: Option<Wanted>,
    /// What must hold in each half hour: \"p95 wait < 2m\", \"abandoned < 5%\"; may be given several times
    #[arg(long, value_name = "TARGET", requires = "find")]
    target: Vec<Target>,
    /// The team whose staff is searched
    #[arg(long, value_name = "TEAM", requires = "find")]
    team: Option<String>,
    /// Writes the preset's configuration and load file to this directory, and simulates nothing
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

/// What `--find` looks for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Wanted {
    /// How many agents each half hour needs
    Agents,
}

/// Runs the days and says what they come to; status 2 when a file is of no use.
pub(super) fn run(config: &Path, args: &Args) -> ExitCode {
    if let Some(directory) = &args.write {
        return match setup::write(&args.load, directory) {
            Ok(said) => print(&said),
            Err(error) => fail(error),
        };
    }
    let setup = match Setup::new(config, args) {
        Ok(setup) => setup,
        Err(code) => return code,
    };
    if args.find.is_some() {
        return match find::run(&setup, args) {
            Ok(said) => print(&said),
            Err(error) => fail(error),
        };
    }
    let usual = if setup.policies.len() > 1 { 10 } else { 1 };
    let count = args.seeds.unwrap_or(usual);
    let (results, curves) = simulate(&setup, args.seed, count);
    if let Some(path) = &args.plot
        && let Err(error) = plot::draw(path, &setup, &curves)
    {
        return fail(format_args!("cannot draw {}: {error}", path.display()));
    }
    let heading = show::Heading { load: &args.load, first_seed: args.seed, seeds: count };
    if args.json {
        print(&json::json(&setup, &heading, &results))
    } else {
        print(&show::text(&setup, &heading, &results))
    }
}

/// The days of each policy, and the first seed's through the day.
fn simulate(setup: &Setup, first: u64, count: u64) -> (Vec<Summary>, Vec<Curve>) {
    let begun = Instant::now();
    let hubs: u64 = setup.policies.iter().map(|policy| u64::from(policy.load.copies)).sum();
    let bar = bar(hubs * count);
    let (mut results, mut curves, mut events) = (Vec::new(), Vec::new(), 0);
    for policy in &setup.policies {
        let mut days = Vec::new();
        for seed in first..first.saturating_add(count) {
            let before = bar.position();
            let mut tick = |hub: u32, _: Mono| bar.set_position(before + u64::from(hub));
            let (deployment, load) = (&policy.deployment, &policy.load);
            let tally = day::run(deployment, load, &policy.recorded, seed, None, &mut tick);
            bar.set_position(before + u64::from(load.copies));
            if seed == first {
                curves.push(Curve::new(&tally, deployment, load));
            }
            events += tally.events;
            days.push(figures::figures(&tally, deployment, load));
        }
        results.push(Summary { days });
    }
    bar.finish_and_clear();
    let seconds = begun.elapsed().as_secs_f64();
    let rate = events as f64 / seconds / 1e6;
    eprintln!("{events} events in {seconds:.2} s, {rate:.2} million a second");
    (results, curves)
}

/// A bar on the terminal, of what takes long; it says nothing where there is none.
fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta} left") {
        bar.set_style(style);
    }
    bar
}

fn print(text: &str) -> ExitCode {
    // A reader that has gone away does not change the result.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
