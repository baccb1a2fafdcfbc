//! The commands: what people type.
//!
//! | command | exit status |
//! |---|---|
//! | `run` | 0; 1 failed; 2 bad configuration |
//! | `check` | 0 good; 2 not |
//! | `explain` | 0; 2 bad question or configuration |
//! | `replay` | 0; 1 failed; 3 something else came out than then |
//! | `flight` | 0; 1 failed, or no such call |
//! | `report` | 0; 1 failed; 2 bad configuration |
//! | `erase` | 0; 1 failed; 2 bad configuration |
//! | `simulate` | 0; 1 failed; 2 bad configuration or load |
//! | `demo` | 0; 1 failed; 2 bad configuration |
//! | `user` | 0; 1 failed |

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::calendar::Date;
use crate::config::{self, Loaded};

mod again;
mod check;
mod demo;
mod erase;
mod explain;
mod flight;
mod font;
mod plans;
mod replay;
pub mod report;
mod run;
mod simulate;
mod table;
mod user;

/// Exit status of a command that failed.
const FAILED: u8 = 1;
/// Exit status when the configuration is not good.
const BAD_CONFIGURATION: u8 = 2;

/// A SIP call-routing daemon: truthful queues for GP surgeries and 999 lines
#[derive(Parser)]
#[command(name = "hearken", version, after_help = "Example: hearken run --config /etc/hearken/hearken.toml")]
struct Arguments {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = "config/hearken.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the daemon; SIGTERM drains, a second one or SIGINT stops
    #[command(after_help = "Example: hearken run --config config/hearken.toml --shadow next-week.toml")]
    Run {
        /// A second configuration whose rules are tried beside the live ones, in place of `shadow` in the file
        #[arg(long, value_name = "FILE")]
        shadow: Option<PathBuf>,
    },
    /// Validates the configuration, runs its tests and shows what it means
    #[command(after_help = "Example: hearken check --config config/hearken.toml")]
    Check,
    Explain(explain::Args),
    Replay(replay::Args),
    Flight(flight::Args),
    Report(report::Args),
    Erase(erase::Args),
    Simulate(simulate::Args),
    Demo(demo::Args),
    User(user::Args),
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let Arguments { config, command } = Arguments::parse();
    match command {
        Command::Run { shadow } => run::run(&config, shadow),
        Command::Check => check::run(&config),
        Command::Explain(args) => explain::run(&config, &args),
        Command::Replay(args) => replay::run(&args),
        Command::Flight(args) => flight::run(&args),
        Command::Report(args) => report_from(&config, args),
        Command::Erase(args) => erase::run(&config, &args),
        Command::Simulate(args) => simulate::run(&config, &args),
        Command::Demo(args) => demo::run(&config, args),
        Command::User(args) => user::run(&args),
    }
}

fn report_from(config: &Path, args: report::Args) -> ExitCode {
    let loaded = match load(config) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let report = |setup| report::run(&args, &setup, &mut BufWriter::new(std::io::stdout()));
    match report::Setup::of(&loaded.deployment).and_then(report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

/// Loads the configuration, or says what is wrong with it.
fn load(path: &Path) -> Result<Loaded, ExitCode> {
    config::load(path, today()).map_err(|errors| {
        eprint!("{}", errors.0.render(false));
        ExitCode::from(BAD_CONFIGURATION)
    })
}

/// The date on this host.
fn today() -> Date {
    jiff::Zoned::now().date()
}

fn fail(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("hearken: {error}");
    ExitCode::from(FAILED)
}
