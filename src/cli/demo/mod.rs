//! `hearken demo`: what a newcomer runs first.
//!
//! The real daemon runs the configured hub at ports of the system's choosing, and callers and agents that
//! are built in call and answer over loopback sockets, as anyone else would. At the end stands the table of
//! waits and the proof that nobody was lost.
//!
//! | file | holds |
//! |---|---|
//! | `stage` | the configured hub, moved where it meets nobody |
//! | `hub` | the daemon on a thread of its own |
//! | `story`, `dice` | who calls, and when |
//! | `phone`, `crowd` | callers' and agents' phones; all that are switched on |
//! | `show` | all of them together, in real time |
//! | `screen`, `proof` | what people see; what is claimed at the end |

mod crowd;
mod dice;
mod hub;
mod phone;
mod proof;
mod screen;
mod show;
mod stage;
mod story;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io::{self, IsTerminal as _, Stdout};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use jiff::tz::TimeZone;

use self::hub::{Down, Hub};
use self::screen::Screen;
use self::show::Show;
use self::stage::{RING, Stage, Unfit, WRAP_UP};
use super::run::log_as;
use super::{BAD_CONFIGURATION, FAILED, fail, load, report};
use crate::access::{Role, User};
use crate::config::{Deployment, LogSettings};
use crate::ledger::report::{By, Scope, Summary, Terms};
use crate::ledger::{self, Period, Reader, Table};
use crate::octets::hex;
use crate::time::Wall;
use crate::web::hashed;

/// Shows the configured hub at work, with callers and agents that are built in
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example: hearken demo --for 60s")]
pub(super) struct Args {
    /// How long callers come, as 20s or 5m; until Ctrl-C when not given
    #[arg(long = "for", value_name = "DURATION", value_parser = length)]
    length: Option<Duration>,
    /// Tells the same story again
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Keeps the ledger, in a directory that this makes
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Who may use the demo's web interface.
const USER: &str = "demo";

/// Why the demo could not go on.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    Down(#[from] Down),
    #[error("cannot make the directory {0}: {1}")]
    Directory(PathBuf, io::Error),
    #[error("the system gives no randomness: {0}")]
    Randomness(getrandom::Error),
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Shows the hub of the configuration at work.
pub(super) fn run(config: &Path, args: Args) -> ExitCode {
    let deployment = match load(config) {
        Ok(loaded) => loaded.deployment,
        Err(code) => return code,
    };
    log_as(LogSettings { level: tracing::Level::ERROR, ..deployment.log });
    match perform(deployment, args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(Error::Unfit(unfit @ Unfit::Socket(..))) => fail(unfit),
        Err(Error::Unfit(unfit)) => {
            eprintln!("hearken: {unfit}");
            ExitCode::from(BAD_CONFIGURATION)
        }
        Err(error) => fail(error),
    }
}

/// The whole demo; whether all was well.
fn perform(deployment: Deployment, args: Args) -> Result<bool, Error> {
    let seed = match args.seed {
        Some(seed) => seed,
        None => u64::from(getrandom::u32().map_err(Error::Randomness)?),
    };
    let directory = Directory::make(args.keep)?;
    let mut stage = stage::set(deployment, &directory.path)?;
    let password = welcome(&mut stage)?;
    let ledger = stage.deployment.ledger.path.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (proof, mut screen) = runtime.block_on(async {
        let mut screen = screen_for(&stage);
        introduce(&mut screen, &stage, seed);
        let Stage { deployment, listener, phones, sources, emergency_lines, cast } = stage;
        let hub = Hub::open(deployment, listener).await?;
        if let Some(web) = hub.web {
            screen
                .say(&format!("The wallboard is at http://{web}/ for the user {USER}, password {password}."));
        }
        screen.say(&format!("The daemon listens on udp {}. Ctrl-C ends the demo.\n", hub.address));
        let people = show::People { phones, sources, emergency_lines, cast };
        let show = Show::begin(hub, people, seed, args.length, screen)?;
        let (hub, proof, screen) = show.go_on().await?;
        hub.close()?;
        Ok::<_, Error>((proof, screen))
    })?;
    let (table, calls) = read_back(&ledger)?;
    let verdict = proof.verdict(calls);
    screen.say(&format!("\n{}\n{verdict}", report::waits_table(&table)));
    screen.say(&directory.farewell(&ledger));
    Ok(verdict.is_good())
}

/// Lets whoever watches the demo use the web interface too, for all that it can; gives the password.
fn welcome(stage: &mut Stage) -> Result<String, Error> {
    let mut bytes = [0; 22];
    getrandom::fill(&mut bytes).map_err(Error::Randomness)?;
    let (secret, salt) = bytes.split_at(6);
    let password = hex(secret);
    let salt: [u8; 16] = salt.try_into().expect("22 is 6 and 16");
    let user = User {
        name: USER.to_owned(),
        password: Some(hashed(&password, &salt)),
        tokens: Vec::new(),
        roles: Role::WORDS.map(|(_, role)| role).to_vec(),
        agent: stage.phones.first().map(|phone| phone.name.clone()),
        oidc: None,
    };
    if let Some(web) = &mut stage.deployment.web {
        web.users = vec![user];
    }
    Ok(password)
}

fn screen_for(stage: &Stage) -> Screen<Stdout> {
    let colour =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = &stage.deployment.plan.acd.lines;
    let width = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or_default();
    Screen::new(io::stdout(), colour, width)
}

fn introduce(screen: &mut Screen<Stdout>, stage: &Stage, seed: u64) {
    let agents: Vec<_> = stage.phones.iter().map(|phone| &*phone.name).collect();
    let trunks: Vec<_> = stage.deployment.plan.ingress.trunks.iter().map(|trunk| &*trunk.name).collect();
    screen.say(&format!(
        "The real daemon, with callers on the trunks {} and agents {}: all speak SIP and RTP over loopback sockets.\n\
         So that nobody waits for long, phones ring for at most {} s and wrap-up lasts at most {} s here. Seed {seed}.",
        trunks.join(", "),
        agents.join(", "),
        RING.as_secs(),
        WRAP_UP.as_secs(),
    ));
}

/// The table of waits from the ledger, and how many different calls are in it.
fn read_back(path: &Path) -> Result<(Table, u64), ledger::Error> {
    let always = Period { from: Wall(i64::MIN), to: Wall(i64::MAX) };
    let reader = Reader::open(path)?;
    let mut calls = BTreeSet::new();
    let mut rows = 0;
    reader.calls(always, |entry| {
        rows += 1;
        calls.insert(entry.record.sip_call_id);
        Ok::<_, ledger::Error>(())
    })?;
    // A call that is there twice must not stand for one that is missing.
    let different = if calls.len() == rows { rows } else { 0 };
    let (scope, terms) = (Scope { period: always, practice: None }, Terms::plain(TimeZone::UTC));
    let summary = Summary::of(&reader.moment()?, scope, By::Line, &terms)?;
    Ok((summary.waits, different as u64))
}

/// Where the ledger is while the demo lasts, and after it where that is wanted.
struct Directory {
    path: PathBuf,
    keep: bool,
}

impl Directory {
    /// Makes a new directory that only its owner may read.
    fn make(wanted: Option<PathBuf>) -> Result<Directory, Error> {
        let keep = wanted.is_some();
        let path = match wanted {
            Some(path) => path,
            None => {
                let name = getrandom::u64().map_err(Error::Randomness)?;
                std::env::temp_dir().join(format!("hearken-demo-{name:016x}"))
            }
        };
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Directory { path, keep }),
            Err(error) => Err(Error::Directory(path, error)),
        }
    }

    fn farewell(&self, ledger: &Path) -> String {
        if !self.keep {
            return "The ledger is removed; --keep DIR keeps it.".to_owned();
        }
        let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
        format!("The ledger is kept: hearken report --ledger {} --from {today}", ledger.display())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            eprintln!("hearken: cannot remove {}: {error}", self.path.display());
        }
    }
}

/// A length of time as people write it.
fn length(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| "give it a unit, as in 20s or 5m".to_owned())?;
    let span = Duration::try_from(span).map_err(|_| "it cannot be less than nothing".to_owned())?;
    let longest = Duration::from_secs(365 * 24 * 3_600);
    if span.is_zero() || span > longest {
        Err("give it a length between nothing and a year".to_owned())
    } else {
        Ok(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        assert_eq!(length("20s"), Ok(Duration::from_secs(20)));
        assert_eq!(length("1m30s"), Ok(Duration::from_secs(90)));
        for text in ["", "20", "-5s", "0s", "soon", "99999h", "9223372036854775807s"] {
            assert!(length(text).is_err(), "{text}");
        }
    }
}
