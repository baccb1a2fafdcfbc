//! The configuration of a running daemon, as the web interface shows it and tries others beside it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::{explain, today};
use crate::config::{self, Diagnostic, Errors, Loaded, Report, Severity};
use crate::web::{Checked, Found, Plans, Question};

/// The file, and what was read from it last.
pub(super) struct InForce {
    path: PathBuf,
    loaded: Mutex<Loaded>,
}

impl InForce {
    pub(super) fn new(path: &Path, loaded: Loaded) -> InForce {
        InForce { path: path.to_owned(), loaded: Mutex::new(loaded) }
    }

    /// Another one is in force.
    pub(super) fn set(&self, loaded: Loaded) {
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    pub(super) fn loaded(&self) -> Loaded {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads a file as if it stood in the place of this one.
    fn read(&self, text: &str) -> Result<Loaded, Errors> {
        let base = self.path.parent().unwrap_or(Path::new(""));
        config::parse(text, &self.path.display().to_string(), base, today())
    }
}

impl Plans for InForce {
    fn text(&self) -> String {
        self.loaded().text
    }

    fn check(&self, text: &str) -> Checked {
        match self.read(text) {
            Ok(loaded) => {
                Checked { ok: true, diagnostics: found(&loaded.warnings, text), tests: loaded.tests }
            }
            Err(Errors(report)) => Checked { ok: false, diagnostics: found(&report, text), tests: 0 },
        }
    }

    fn changes(&self, text: &str) -> Result<(Vec<String>, Vec<String>), Checked> {
        let loaded = self.read(text).map_err(|Errors(report)| Checked {
            ok: false,
            diagnostics: found(&report, text),
            tests: 0,
        })?;
        let changes = config::changes(&self.loaded().text, text);
        let lines = loaded.deployment.plan.acd.lines.into_iter().map(|line| line.name);
        Ok((changes.iter().map(ToString::to_string).collect(), lines.collect()))
    }

    fn explain(&self, text: Option<&str>, question: Question) -> Result<Value, String> {
        let loaded = match text {
            Some(text) => self.read(text).map_err(|Errors(report)| report.render(false))?,
            None => self.loaded(),
        };
        explain::as_json(&loaded.deployment, question)
    }
}

fn found(report: &Report, text: &str) -> Vec<Found> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;

    const SAMPLE: &str = include_str!("../../config/hearken.toml");

    fn in_force() -> InForce {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/hearken.toml");
        InForce::new(&path, config::load(&path, today()).unwrap())
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
