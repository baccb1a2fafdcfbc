//! The configuration of a running daemon: what the web interface shows of it, tries beside it, and puts in its place.
//!
//! | file | holds |
//! |---|---|
//! | `apply` | how another is put into force, by SIGHUP or over HTTP |
//! | `file` | the configuration file, replaced as a whole or not at all |
//! | `kept` | every version that was in force |

mod apply;
mod file;
mod kept;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::mpsc;

use super::{explain, simulate, today};
use crate::config::{self, Diagnostic, Errors, Files, Loaded, LogFormat, Report, Severity, Shadow};
use crate::daemon::Order;
use crate::web::{Applied, Change, Checked, Found, NotApplied, Plans, Question, Version, give_way};
use kept::Kept;

/// The file, what of it is in force, and what was before.
pub(super) struct InForce {
    path: PathBuf,
    /// The file of rules on trial, as the command line names it.
    shadow: Option<PathBuf>,
    /// To the daemon.
    orders: mpsc::Sender<Order>,
    /// How the log is written; another way waits for a restart, as all of [log] does.
    format: LogFormat,
    kept: Kept,
    now: Mutex<Now>,
    /// What is on trial. Held while another configuration is put into force: one at a time.
    trial: Mutex<Option<Shadow>>,
}

/// What is in force.
#[derive(Clone)]
struct Now {
    loaded: Arc<Loaded>,
    /// The files that it names, as they were when it was read.
    files: Files,
    version: Version,
}

impl InForce {
    /// What was read from the file at `path`, and what is on trial beside it.
    pub(super) fn new(
        path: &Path,
        loaded: Loaded,
        (shadow, trial): (Option<PathBuf>, Option<Shadow>),
        orders: mpsc::Sender<Order>,
    ) -> InForce {
        let ledger = &loaded.deployment.ledger;
        let kept = Kept::new(&ledger.plans, ledger.keep_plans);
        let format = loaded.deployment.log.format;
        let version = apply::version(1, "start", "");
        let files = Files::of(&loaded.text, path);
        let now = Mutex::new(Now { loaded: Arc::new(loaded), files, version });
        InForce { path: path.to_owned(), shadow, orders, format, kept, now, trial: Mutex::new(trial) }
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What was read from it last.
    pub(super) fn loaded(&self) -> Arc<Loaded> {
        self.now().loaded
    }

    fn now(&self) -> Now {
        locked(&self.now).clone()
    }

    /// Reads a text as if it stood in the place of the file; an error says what is wrong with it.
    fn read(&self, text: &str) -> Result<Loaded, Vec<Found>> {
        let draft = config::draft(text, &self.path, today(), &self.loaded().text);
        draft.map_err(|Errors(report)| found(&report, &self.path, text))
    }
}

impl Plans for InForce {
    fn version(&self) -> Version {
        self.now().version
    }

    fn in_force(&self) -> (Version, String) {
        let Now { loaded, version, .. } = self.now();
        (version, loaded.text.clone())
    }

    fn versions(&self) -> Result<Vec<Version>, String> {
        self.kept.versions().map_err(|error| unreadable(&error))
    }

    fn kept(&self, version: u64) -> Result<Option<(Version, String)>, String> {
        self.kept.version(version).map_err(|error| unreadable(&error))
    }

    fn check(&self, text: &str) -> Checked {
        match self.read(text) {
            Ok(Loaded { warnings, tests, .. }) => {
                Checked { ok: true, diagnostics: found(&warnings, &self.path, text), tests }
            }
            Err(diagnostics) => Checked { ok: false, diagnostics, tests: 0 },
        }
    }

    fn changes(&self, text: &str) -> Result<(Vec<String>, Vec<String>), Checked> {
        let loaded = self.read(text).map_err(|diagnostics| Checked { ok: false, diagnostics, tests: 0 })?;
        let now = self.now();
        let mut changes = config::changes(&now.loaded.text, text);
        changes.extend(Files::of(text, &self.path).since(&now.files));
        let lines = loaded.deployment.plan.acd.lines.into_iter().map(|line| line.name);
        Ok((changes.iter().map(ToString::to_string).collect(), lines.collect()))
    }

    fn explain(&self, text: Option<&str>, question: Question) -> Result<Value, String> {
        let loaded = match text {
            Some(text) => Arc::new(self.read(text).map_err(|found| in_words(&found))?),
            None => self.loaded(),
        };
        explain::as_json(&loaded.deployment, question)
    }

    fn apply(&self, change: Change) -> Result<Applied, NotApplied> {
        self.put(change)
    }

    fn simulate(&self, text: &str, load: &str, stop: &AtomicBool) -> Result<Value, String> {
        // Both are read alike: what the daemon has also holds what reloads have let go of, and what is on trial.
        let read = |text| self.read(text).map(|read| read.deployment).map_err(|found| in_words(&found));
        let (draft, live) = (read(text)?, read(&self.loaded().text)?);
        give_way();
        simulate::beside([("in force", live), ("draft", draft)], load, stop)
            .map_err(|error| error.to_string())
    }
}

fn unreadable(error: &std::io::Error) -> String {
    format!("what was kept cannot be read: {error}")
}

/// A lock that nobody can have left in disorder: each who has it changes one thing at a time.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is to be said of a text that stands for the file at `path`. Of another file, which is not the asker's to read,
/// only that it is of no use.
fn found(report: &Report, path: &Path, text: &str) -> Vec<Found> {
    if report.file() != path.display().to_string() {
        let message = format!("{} is of no use: see the daemon's log", report.file());
        tracing::error!("a file that the configuration names is of no use:\n{}", report.render(false));
        return vec![Found { severity: "error", message, ..Found::default() }];
    }
    report.diagnostics().iter().map(|diagnostic| shown(diagnostic, text)).collect()
}

fn shown(diagnostic: &Diagnostic, text: &str) -> Found {
    let place = diagnostic.place.as_ref();
    let end = place.map(|place| {
        let meant = text.get(place.span.clone()).unwrap_or_default();
        place.column + meant.lines().next().unwrap_or_default().chars().count()
    });
    Found {
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        line: place.map(|place| place.line),
        column: place.map(|place| place.column),
        end_column: end,
        message: diagnostic.message.clone(),
        suggestion: diagnostic.suggestion.clone(),
        help: diagnostic.help.clone(),
    }
}

/// The same in lines.
fn in_words(found: &[Found]) -> String {
    let line = |found: &Found| match found.line {
        Some(line) => format!("line {line}: {}", found.message),
        None => found.message.clone(),
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;

    const SAMPLE: &str = include_str!("../../../config/hearken.toml");

    fn in_force() -> InForce {
        at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/hearken.toml"))
    }

    fn at(path: &Path) -> InForce {
        InForce::new(path, config::load(path, today()).unwrap(), (None, None), mpsc::channel(1).0)
    }

    /// A configuration whose files are all in one directory; its users are in `users.toml`.
    fn small(directory: &Path) -> String {
        format!(
            "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\n[web]\nusers = \"users.toml\"\n[ledger]\npath = \"{}\"\n\
             [agent.a]\naddress = \"sip:a@127.3.0.1:5060\"\n[team.all]\nagents = [\"a\"]\n\
             [line.gp]\nteams = [\"all\"]\n[trunk.gp]\nfrom = [\"127.9.0.1\"]\nline = \"gp\"\n",
            directory.join("calls.db").display()
        )
    }

    #[test]
    fn a_fault_is_found_at_its_place() {
        let plans = in_force();
        assert_eq!(plans.check(SAMPLE), Checked { ok: true, diagnostics: vec![], tests: 4 });
        let checked = plans.check(&SAMPLE.replace("teams = [\"clinicians\"", "teams = [\"clinician\""));
        assert!(!checked.ok);
        let found = &checked.diagnostics[0];
        assert_eq!((found.severity, found.suggestion.as_deref()), ("error", Some("clinicians")));
        assert_eq!(found.end_column.unwrap() - found.column.unwrap(), "\"clinician\"".len());
    }

    #[test]
    fn changes_are_told_and_a_bad_file_has_none() {
        let plans = in_force();
        let (changes, lines) =
            plans.changes(&SAMPLE.replace("wrap-up = \"5s\"", "wrap-up = \"7s\"")).unwrap();
        assert_eq!(
            (changes.len(), lines),
            (1, vec!["elm-tree".into(), "riverside".into(), "emergency".into()])
        );
        assert!(changes[0].contains("7s"), "{changes:?}");
        assert!(plans.changes("[line").is_err());
    }

    #[test]
    fn who_is_started_after_a_crash_finds_by_the_file_which_version_is_in_force() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hearken.toml");
        let text = small(directory.path());
        std::fs::write(directory.path().join("users.toml"), "").unwrap();
        let begun = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let plans = at(&path);
            plans.begin();
            let Version { version, by, .. } = plans.version();
            (plans, version, by)
        };
        let (plans, number, by) = begun(&text);
        assert_eq!((number, by.as_str()), (1, "start"));
        assert_eq!(begun(&text).1, 1, "the same file is the same version");
        // It ended when the file had been replaced; then before.
        let changed = format!("{text}# changed\n");
        plans.kept.prepare(&apply::version(2, "jo", "why"), &changed).unwrap();
        let (plans, number, by) = begun(&changed);
        assert_eq!((number, by.as_str()), (2, "jo"));
        plans.kept.prepare(&apply::version(3, "jo", "why"), &text).unwrap();
        assert_eq!(begun(&changed).1, 2);
        // Somebody has edited the file meanwhile.
        let (plans, number, by) = begun(&text);
        assert_eq!((number, by.as_str()), (3, "start"));
        assert_eq!(plans.versions().unwrap().len(), 3);
        assert_eq!(plans.kept(1).unwrap().unwrap().1, text);
    }

    #[test]
    fn what_gives_way_lets_every_other_thread_go_first() {
        let nice = || -> i32 {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            stat.rsplit(')').next().unwrap().split_whitespace().nth(16).unwrap().parse().unwrap()
        };
        let here = nice();
        let there = std::thread::spawn(move || {
            give_way();
            nice()
        });
        assert_eq!((there.join().unwrap(), nice()), (19, here));
    }

    #[test]
    fn of_a_file_that_the_draft_only_names_nothing_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hearken.toml");
        let users = directory.path().join("users.toml");
        let text = small(directory.path());
        std::fs::write(&path, &text).unwrap();
        std::fs::write(&users, "").unwrap();
        let plans = at(&path);
        std::fs::write(&users, "[user.jo]\npassword = \"a-secret\"\nroles = [\"opps\"]\n").unwrap();
        let question = Question { trunk: None, line: Some("gp".into()), at: None, given: BTreeMap::new() };
        let told = [
            format!("{:?}", plans.check(&text)),
            format!("{:?}", plans.changes(&text).unwrap_err()),
            plans.explain(Some(&text), question).unwrap_err(),
        ];
        for told in told {
            let leaks = ["a-secret", "opps", "user.jo"].iter().any(|word| told.contains(word));
            assert!(!leaks && told.contains("users.toml is of no use"), "{told}");
        }
    }

    #[test]
    fn the_rules_are_explained_as_the_command_does() {
        let plans = in_force();
        let question = Question {
            trunk: Some("elm-tree".into()),
            line: None,
            at: Some("2026-11-23T08:15".into()),
            given: BTreeMap::from([("elm-tree.waiting".to_owned(), 9.into())]),
        };
        let answer = plans.explain(None, question.clone()).unwrap();
        assert_eq!(answer["rules"][0]["counts"], serde_json::json!(["add-teams"]));
        let wrong = Question { trunk: Some("nobody".into()), ..question };
        assert!(plans.explain(None, wrong).unwrap_err().contains("nobody"));
    }
}
