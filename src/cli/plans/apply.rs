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
use crate::config::{self, Loaded, Shadow};
use crate::daemon::{Order, Reload, Verdict};
use crate::time::Wall;
use crate::web::{Applied, Change, Found, NotApplied, Version};

/// Everything that the daemon must be given.
struct Prepared {
    next: Loaded,
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
        self.kept.prepare(&version, text)?;
        self.kept.settle(version.version)?;
        Ok(version)
    }

    /// Reads the file again; whatever is wrong with it, what is in force stays so.
    pub(in crate::cli) fn reload(&self) {
        let mut trial = locked(&self.trial);
        let Now { loaded: before, version: old } = self.now();
        let next = match config::load_after(&self.path, today(), &before) {
            Ok(next) => next,
            Err(errors) => return not_taken_over(&format!("\n{}", errors.0.render(false))),
        };
        let handed = prepare(next, self.shadow.clone(), &trial)
            .and_then(|prepared| self.hand_over(prepared, &mut trial));
        let loaded = match handed {
            Ok(loaded) => loaded,
            Err(NotApplied::Stranded(lines)) => return stranded(&lines),
            Err(refused) => return not_taken_over(&refused.to_string()),
        };
        let version = if loaded.text == before.text { old } else { self.kept_by_hand(&loaded.text, &old) };
        self.took_over(&before, &loaded, &version);
        *locked(&self.now) = Now { loaded: Arc::new(loaded), version };
    }

    /// Keeps what the file has, which is in force already.
    fn kept_by_hand(&self, text: &str, old: &Version) -> Version {
        let version = version(self.next(old), "SIGHUP", "");
        let kept = self.kept.prepare(&version, text).and_then(|()| self.kept.settle(version.version));
        if let Err(error) = kept {
            tracing::error!(%error, "the configuration is in force, and could not be kept among the versions");
        }
        version
    }

    /// The number of the next version: none is given twice.
    fn next(&self, old: &Version) -> u64 {
        old.version.max(self.kept.last().unwrap_or(0)) + 1
    }

    /// Puts a text into force and into the file, or changes nothing.
    pub(super) fn put(&self, change: Change) -> Result<Applied, NotApplied> {
        let mut trial = locked(&self.trial);
        let Now { loaded: before, version: old } = self.now();
        let Change { text, by, note, expected } = change;
        if expected.is_some_and(|expected| expected != old.version) {
            return Err(NotApplied::Outdated(old));
        }
        if text == before.text {
            return Err(NotApplied::Same);
        }
        let next = self.read(&text).map_err(NotApplied::Faulty)?.after(&before);
        let prepared = prepare(next, self.shadow.clone(), &trial)?;
        let version = version(self.next(&old), &by, &note);
        self.kept.prepare(&version, &text).map_err(|error| {
            let full = error.kind() == std::io::ErrorKind::StorageFull;
            NotApplied::Unwritable { why: format!("the version cannot be kept: {error}"), full }
        })?;
        let handed =
            file::replace(&self.path, &before.text, &text).map_err(NotApplied::from).and_then(|()| {
                self.hand_over(prepared, &mut trial).inspect_err(|_| {
                    if let Err(error) = file::replace(&self.path, &text, &before.text) {
                        tracing::error!(%error, "the file has a configuration that is not in force");
                    }
                })
            });
        let loaded = handed.inspect_err(|_| self.kept.forget(version.version))?;
        if let Err(error) = self.kept.settle(version.version) {
            tracing::error!(%error, "the configuration is in force, and could not be kept among the versions");
        }
        let applied = self.took_over(&before, &loaded, &version);
        *locked(&self.now) = Now { loaded: Arc::new(loaded), version };
        Ok(applied)
    }

    /// Gives it to the daemon, and waits for what that says.
    fn hand_over(&self, prepared: Prepared, trial: &mut Option<Shadow>) -> Result<Loaded, NotApplied> {
        let Prepared { next, trial: beside, reload, verdict } = prepared;
        self.orders.blocking_send(Order::Reload(Box::new(reload))).map_err(|_| NotApplied::Ending)?;
        match verdict.blocking_recv() {
            Ok(Ok(())) => {
                *trial = beside;
                announce(trial.as_ref(), self.format);
                Ok(next)
            }
            Ok(Err(lines)) => Err(NotApplied::Stranded(lines)),
            Err(_) => Err(NotApplied::Ending),
        }
    }

    /// Says what has changed.
    fn took_over(&self, before: &Loaded, loaded: &Loaded, version: &Version) -> Applied {
        warn(&loaded.warnings, self.format);
        let changes = config::changes(&before.text, &loaded.text);
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

/// Reads whatever sound and rules on trial it names.
fn prepare(
    mut next: Loaded,
    shadow: Option<std::path::PathBuf>,
    trial: &Option<Shadow>,
) -> Result<Prepared, NotApplied> {
    let trial = trial_beside(&next, shadow, trial.clone());
    next.deployment.plan.guide.trial = trial.as_ref().map(|shadow| shadow.trial.clone());
    let prepared = Reload::prepare(next.deployment.clone());
    let (reload, verdict) = prepared.map_err(|error| {
        NotApplied::Faulty(vec![Found { severity: "error", message: error.to_string(), ..Found::default() }])
    })?;
    Ok(Prepared { next, trial, reload, verdict })
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
