//! The load and the policies that are asked for.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::Args;
use crate::calendar::{Date, Local, TimeOfDay};
use crate::cli::{BAD_CONFIGURATION, fail, load as load_config, today};
use crate::config::workload::{self, Load};
use crate::config::{self, Deployment, Errors};
use crate::ledger::{self, Period, Reader};
use crate::sim::day::Recorded;
use crate::sim::day::preset::{self, PRESETS, Preset};

/// What is to be simulated.
pub(super) struct Setup {
    /// At least one.
    pub(super) policies: Vec<Policy>,
}

/// A configuration with its load.
pub(super) struct Policy {
    /// What it is called in reports: its file, or the preset.
    pub(super) name: String,
    pub(super) deployment: Deployment,
    pub(super) load: Load,
    /// The calls of a load from the ledger.
    pub(super) recorded: Vec<Recorded>,
}

/// Where a load comes from.
enum From {
    Preset(Preset),
    Ledger(Date),
    File,
}

/// How a day of the ledger is asked for.
pub(super) const LEDGER: &str = "ledger:";

impl Setup {
    /// Reads all that the arguments name, or says what is wrong with it.
    pub(super) fn new(config: &Path, args: &Args) -> Result<Setup, ExitCode> {
        let from = match (preset::named(&args.load), args.load.strip_prefix(LEDGER)) {
            (Some(preset), _) => From::Preset(preset),
            (None, Some(date)) => From::Ledger(date.parse().map_err(|_| {
                eprintln!("hearken: `{date}` is no date: write ledger:2026-11-16");
                ExitCode::from(BAD_CONFIGURATION)
            })?),
            (None, None) => From::File,
        };
        if matches!(from, From::File) && !Path::new(&args.load).is_file() {
            let names = PRESETS.map(|(name, _)| name).join(", ");
            eprintln!("hearken: there is no load {}: give a file, or one of {names}", args.load);
            return Err(ExitCode::from(BAD_CONFIGURATION));
        }
        let mut deployments: Vec<(String, Deployment)> = Vec::new();
        for path in &args.policy {
            deployments.push((path.display().to_string(), load_config(path)?.deployment));
        }
        if deployments.is_empty() {
            deployments.push(match &from {
                From::Preset(preset) => {
                    let loaded = config::parse(&preset.config, &args.load, Path::new(""), today());
                    (args.load.clone(), loaded.map_err(shown)?.deployment)
                }
                _ => (config.display().to_string(), load_config(config)?.deployment),
            });
        }
        let policies = deployments.into_iter().map(|(name, deployment)| {
            let load = match &from {
                From::Preset(preset) => workload::parse(&preset.load, &args.load, &deployment),
                From::Ledger(date) => Ok(workload::of_ledger(*date, &deployment)),
                From::File => workload::load(Path::new(&args.load), &deployment),
            };
            let load = load.map_err(shown)?;
            let recorded = match load.ledger {
                Some(date) => {
                    let (recorded, unknown) = recorded(date, &deployment, usize::MAX).map_err(fail)?;
                    if unknown > 0 {
                        eprintln!(
                            "hearken: {unknown} calls of the day came by trunks that the configuration does not have"
                        );
                    }
                    recorded
                }
                None => Vec::new(),
            };
            Ok(Policy { name, deployment, load, recorded })
        });
        let policies: Vec<Policy> = policies.collect::<Result<_, ExitCode>>()?;
        Ok(Setup { policies })
    }
}

fn shown(errors: Errors) -> ExitCode {
    eprint!("{}", errors.0.render(false));
    ExitCode::from(BAD_CONFIGURATION)
}

/// Why the calls of a day cannot be had.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum NotRecorded {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// There are too many.
    #[error("the day has more than {0} calls")]
    TooMany(usize),
}

/// The calls that the ledger of a deployment has of a day, if there are not more than so many; and of how many it does
/// not know the trunk.
pub(super) fn recorded(
    date: Date,
    deployment: &Deployment,
    most: usize,
) -> Result<(Vec<Recorded>, usize), NotRecorded> {
    let calendar = &deployment.plan.guide.calendar;
    let midnight = |date| calendar.instant(Local { date, time: TimeOfDay::MIDNIGHT }, None);
    let from = midnight(date);
    let period = Period { from, to: date.tomorrow().map_or(from, midnight) };
    let (mut recorded, mut unknown) = (Vec::new(), 0);
    let ingress = &deployment.plan.ingress;
    Reader::open(&deployment.ledger.path)?.calls(period, |entry| {
        match Recorded::of(&entry.record, ingress, from) {
            Some(_) if recorded.len() >= most => return Err(NotRecorded::TooMany(most)),
            Some(call) => recorded.push(call),
            None => unknown += 1,
        }
        Ok(())
    })?;
    Ok((recorded, unknown))
}

/// Writes a preset's files, to be changed; never over others.
pub(super) fn write(name: &str, directory: &Path) -> io::Result<String> {
    let Some(Preset { config, load }) = preset::named(name) else {
        return Err(io::Error::other(format!("{name} is no preset")));
    };
    fs::create_dir_all(directory)?;
    let mut said = String::new();
    for (file, text) in [("hearken.toml", config), ("load.toml", load)] {
        let path = directory.join(file);
        let mut new = fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
        })?;
        io::Write::write_all(&mut new, text.as_bytes())?;
        said.push_str(&format!("{}\n", path.display()));
    }
    Ok(said)
}
