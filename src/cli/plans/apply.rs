//! How another configuration is put into force: by SIGHUP, or over HTTP.
//!
//! Both go the same way: read and checked with its tests, its sound encoded, and only then handed to the daemon, which
//! takes it over in one step or refuses it for the callers whom it would strand. What comes over HTTP must also stand
//! in the file, so that whoever starts next starts with it; so the order is
//!
//! 1. the version is written aside, with who and why;
//! 2. the file is replaced, if nobody has changed it meanwhile;
//! 3. the daemon takes the plan over; if it refuses, the file is put back;
//! 4. the version counts.
//!
//! Whatever fails before the third step has changed nothing. Whoever is started after a crash reads the file, and finds
//! by what was written aside whose it is.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::file::{self, Failed};
use super::{InForce, Now, locked};
use crate::cli::run::{announce, trial_beside, warn};
use crate::cli::today;
use crate::config::{self, Files, Loaded, Shadow};
use crate::daemon::{Order, Reload, Verdict};
use crate::time::Wall;
use crate::web::{Applied, Change, Found, NotApplied, Version};

/// Everything that the daemon must be given.
struct Prepared {
    now: Now,
    trial: Option<Shadow>,
    reload: Reload,
    verdict: oneshot::Receiver<Verdict>,
}

/// A version that comes into force now.
pub(super) fn version(version: u64, by: &str, note: &str) -> Version {
    let at = Wall(jiff::Timestamp::now().as_millisecond()).rfc3339();
    Version { version, at, by: by.to_owned(), note: note.to_owned() }
}

impl InForce {
    /// Finds out, as the daemon begins, which version is in force; a file that was changed meanwhile is a new one.
    pub(in crate::cli) fn begin(&self) {
        let mut now = locked(&self.now);
        match self.found(&now.loaded.text) {
            Ok(version) => now.version = version,
            Err(error) => {
                tracing::error!(%error, "configurations cannot be kept: none can be put into force over HTTP")
            }
        }
    }

    fn found(&self, text: &str) -> std::io::Result<Version> {
        if let Some((prepared, of)) = self.kept.prepared()? {
            if of == text {
                self.kept.settle(prepared.version)?;
            } else {
                self.kept.forget(prepared.version);
            }
        }
        let last = self.kept.last()?;
        if let Ok(Some((kept, of))) = self.kept.version(last)
            && of == text
        {
            return Ok(kept);
        }
        let version = version(last + 1, "start", "");
        self.kept.keep(&version, text)?;
        Ok(version)
    }

    /// Reads the file again; whatever is wrong with it, what is in force stays so.
    pub(in crate::cli) fn reload(&self) {
        let mut trial = locked(&self.trial);
        let before = self.now();
        let next = match config::load_after(&self.path, today(), &before.loaded) {
            Ok(next) => next,
            Err(errors) => return not_taken_over(&format!("\n{}", errors.0.render(false))),
        };
        let is_new = next.text != before.loaded.text;
        let version =
            if is_new { version(self.next(&before.version), "SIGHUP", "") } else { before.version.clone() };
        let handed =
            self.prepare(next, version, &trial).and_then(|prepared| self.hand_over(prepared, &mut trial));
        let now = match handed {
            Ok(now) => now,
            Err(NotApplied::Stranded(lines)) => return stranded(&lines),
            Err(refused) => return not_taken_over(&refused.to_string()),
        };
        if is_new {
            not_kept(self.kept.keep(&now.version, &now.loaded.text));
        }
        self.took_over(&before, &now);
    }

    /// The number of the next version: none is given twice.
    fn next(&self, old: &Version) -> u64 {
        old.version.max(self.kept.last().unwrap_or(0)) + 1
    }

    /// Puts a text into force and into the file, or changes nothing.
    pub(super) fn put(&self, change: Change) -> Result<Applied, NotApplied> {
        let mut trial = locked(&self.trial);
        let before = self.now();
        let Change { text, by, note, expected } = change;
        if expected.is_some_and(|expected| expected != before.version.version) {
            return Err(NotApplied::Outdated(before.version));
        }
        if text == before.loaded.text {
            return Err(NotApplied::Same);
        }
        let next = self.read(&text).map_err(NotApplied::Faulty)?.after(&before.loaded);
        let version = version(self.next(&before.version), &by, &note);
        let prepared = self.prepare(next, version.clone(), &trial)?;
        self.kept.prepare(&version, &text).map_err(|error| {
            let full = error.kind() == std::io::ErrorKind::StorageFull;
            NotApplied::Unwritable { why: format!("the version cannot be kept: {error}"), full }
        })?;
        let handed =
            file::replace(&self.path, &before.loaded.text, &text).map_err(NotApplied::from).and_then(|()| {
                self.hand_over(prepared, &mut trial).inspect_err(|_| {
                    if let Err(error) = file::replace(&self.path, &text, &before.loaded.text) {
                        tracing::error!(%error, "the file has a configuration that is not in force");
                    }
                })
            });
        let now = handed.inspect_err(|_| self.kept.forget(version.version))?;
        not_kept(self.kept.settle(version.version));
        Ok(self.took_over(&before, &now))
    }

    /// Reads whatever sound and rules on trial it names.
    fn prepare(
        &self,
        mut next: Loaded,
        version: Version,
        trial: &Option<Shadow>,
    ) -> Result<Prepared, NotApplied> {
        let files = Files::of(&next.text, &self.path);
        let trial = trial_beside(&next, self.shadow.clone(), trial.clone());
        next.deployment.plan.guide.trial = trial.as_ref().map(|shadow| shadow.trial.clone());
        let prepared = Reload::prepare(next.deployment.clone());
        let (reload, verdict) = prepared.map_err(|error| {
            NotApplied::Faulty(vec![Found {
                severity: "error",
                message: error.to_string(),
                ..Found::default()
            }])
        })?;
        let now = Now { loaded: Arc::new(next), files, version };
        Ok(Prepared { now, trial, reload, verdict })
    }

    /// Gives it to the daemon, and waits for what that says. What is in force is known at once: whoever watches asks.
    fn hand_over(&self, prepared: Prepared, trial: &mut Option<Shadow>) -> Result<Now, NotApplied> {
        let Prepared { now, trial: beside, reload, verdict } = prepared;
        self.orders.blocking_send(Order::Reload(Box::new(reload))).map_err(|_| NotApplied::Ending)?;
        match verdict.blocking_recv() {
            Ok(Ok(())) => {
                *locked(&self.now) = now.clone();
                *trial = beside;
                announce(trial.as_ref(), self.format);
                Ok(now)
            }
            Ok(Err(lines)) => Err(NotApplied::Stranded(lines)),
            Err(_) => Err(NotApplied::Ending),
        }
    }

    /// Says what has changed.
    fn took_over(&self, before: &Now, now: &Now) -> Applied {
        let Now { loaded, files, version } = now;
        warn(&loaded.warnings, self.format);
        let mut changes = config::changes(&before.loaded.text, &loaded.text);
        changes.extend(files.since(&before.files));
        for change in &changes {
            tracing::info!("{change}");
        }
        let Version { version: number, by, .. } = version;
        tracing::info!(version = number, by, changes = changes.len(), "the configuration is taken over");
        let at_restart = changes.iter().filter(|change| change.at_restart).map(|change| change.key.clone());
        Applied {
            version: version.clone(),
            at_restart: at_restart.collect(),
            changes: changes.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<Failed> for NotApplied {
    fn from(failed: Failed) -> NotApplied {
        let why = failed.to_string();
        match failed {
            Failed::Changed => NotApplied::ByHand,
            Failed::Io { error, .. } => {
                NotApplied::Unwritable { why, full: error.kind() == std::io::ErrorKind::StorageFull }
            }
        }
    }
}

/// Says so where what is in force could not be kept.
fn not_kept(kept: std::io::Result<()>) {
    if let Err(error) = kept {
        tracing::error!(%error, "the configuration is in force, and could not be kept among the versions");
    }
}

fn not_taken_over(reason: &str) {
    tracing::error!("the configuration is not taken over, the old one stays in force: {reason}");
}

fn stranded(lines: &[(String, usize)]) {
    for (line, callers) in lines {
        tracing::error!(
            "line `{line}` is gone from the file, and {callers} wait in it: the old configuration stays in force. Let \
             it go with [removed.{line}] and `drain = true` or `remap-to = \"LINE\"`"
        );
    }
}
