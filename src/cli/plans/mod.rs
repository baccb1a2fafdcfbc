//! The configuration of a running daemon, as the web interface shows it and tries others beside it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::{explain, today};
use crate::config::{self, Diagnostic, Errors, Loaded, Report, Severity};
use crate::web::{Checked, Found, Plans, Question};

/// The file, and what was read from it last.
pub(super) struct InForce {
    path: PathBuf,
    loaded: Mutex<Arc<Loaded>>,
}

impl InForce {
    pub(super) fn new(path: &Path, loaded: Loaded) -> InForce {
        InForce { path: path.to_owned(), loaded: Mutex::new(Arc::new(loaded)) }
    }

    /// Another one is in force.
    pub(super) fn set(&self, loaded: Loaded) {
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What was read from it last.
    pub(super) fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads a text as if it stood in the place of the file; an error says what is wrong with it.
    fn read(&self, text: &str) -> Result<Loaded, Vec<Found>> {
        let draft = config::draft(text, &self.path, today(), &self.loaded().text);
        draft.map_err(|Errors(report)| found(&report, &self.path, text))
    }
}

impl Plans for InForce {
    fn text(&self) -> String {
        self.loaded().text.clone()
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
        let changes = config::changes(&self.loaded().text, text);
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
    fn of_a_file_that_the_draft_only_names_nothing_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hearken.toml");
        let users = directory.path().join("users.toml");
        let text = format!("{SAMPLE}\n").replace("[web]\n", "[web]\nusers = \"users.toml\"\n");
        std::fs::write(&path, &text).unwrap();
        std::fs::write(&users, "").unwrap();
        let plans = InForce::new(&path, config::load(&path, today()).unwrap());
        std::fs::write(&users, "[user.jo]\npassword = \"a-secret\"\nroles = [\"opps\"]\n").unwrap();
        let question =
            Question { trunk: None, line: Some("elm-tree".into()), at: None, given: BTreeMap::new() };
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
