//! `hearken erase`: forgets callers, or deletes what the ledger has of them, also while the daemon writes it.

use std::path::Path;
use std::process::ExitCode;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{fail, load};
use crate::config::Deployment;
use crate::ledger::{Erasure, erase};
use crate::time::Wall;

/// Erases what the ledger has of a practice's callers, of one caller, or of a time
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hearken erase --practice elm-tree --before 2026-01-01
  hearken erase --caller +447700900123 --delete

All that is given must hold. Promised callbacks and cases that are open are left, since somebody is to be called: say
them to an agent, and erase again.")]
#[group(id = "whose", required = true, multiple = true, args = ["practice", "caller", "before"])]
pub(super) struct Args {
    /// Calls to this practice: its name in the configuration, or its ODS code
    #[arg(long, value_name = "NAME")]
    practice: Option<String>,
    /// Calls of the caller with this number, as +447700900123
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    caller: Option<String>,
    /// Calls that arrived before this day, in the node's zone
    #[arg(long, value_name = "DATE")]
    before: Option<Date>,
    /// Deletes the calls whole, with their events; otherwise they stay for the figures, and say of nobody who called
    #[arg(long)]
    delete: bool,
}

pub(super) fn run(config: &Path, args: &Args) -> ExitCode {
    let deployment = match load(config) {
        Ok(loaded) => loaded.deployment,
        Err(code) => return code,
    };
    let before = match args.before.map(|date| midnight(date, &deployment.node.zone)).transpose() {
        Ok(before) => before,
        Err(error) => return fail(error),
    };
    let erasure = Erasure {
        practice: args.practice.as_deref().map(|name| stored(name, &deployment)),
        caller: args.caller.clone(),
        before,
        delete: args.delete,
    };
    match erase(&deployment.ledger.path, &deployment.ledger.key_path, &erasure) {
        Ok(erased) => {
            let what = if args.delete { "deleted" } else { "made nobody's" };
            println!("{what}: {} calls, {} callbacks, {} cases", erased.calls, erased.promises, erased.cases);
            if erased.open > 0 {
                println!("left: {} callbacks and cases that are open", erased.open);
            }
            ExitCode::SUCCESS
        }
        Err(error) => fail(error),
    }
}

fn midnight(date: Date, zone: &str) -> Result<Wall, jiff::Error> {
    Ok(Wall(date.to_zoned(TimeZone::get(zone)?)?.timestamp().as_millisecond()))
}

/// A practice as records name it. One that the configuration does not have, as it has gone, may still have records.
fn stored(name: &str, deployment: &Deployment) -> String {
    let practices = &deployment.plan.ingress.practices;
    let known = practices.iter().find(|practice| practice.name == name);
    known.map_or(name, |practice| practice.in_records()).to_owned()
}

/// A number in E.164, as the ledger has it.
fn number(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix('+').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    match digits {
        Some(digits) if (3..=15).contains(&digits.len()) => Ok(text.to_owned()),
        _ => Err("write it with its country code: +447700900123".to_owned()),
    }
}
