//! The configuration in force, and one that somebody would have: what is wrong with it, what it would change, what
//! its rules would decide. Nothing here changes anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::problem::Problem;
use super::{Ask, Shared, locked};

/// Knows the configuration. Answers may take their time: they are asked for off the thread that serves.
pub trait Plans: Send + Sync {
    /// The file in force.
    fn text(&self) -> String;
    /// What is wrong with a file, and what is odd about it.
    fn check(&self, text: &str) -> Checked;
    /// What a file would change, for people; and the names of the lines that it has.
    fn changes(&self, text: &str) -> Result<(Vec<String>, Vec<String>), Checked>;
    /// What the rules of a file, or of the one in force, decide; an error says what is wrong with the question.
    fn explain(&self, text: Option<&str>, question: Question) -> Result<Value, String>;
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Whether it could be taken over.
    pub ok: bool,
    /// In the order of the file, at most a hundred.
    pub diagnostics: Vec<Found>,
    /// How many tests of its own it passed.
    pub tests: usize,
}

/// One thing found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The line, from 1; `None` for the file as a whole.
    pub line: Option<usize>,
    /// The first letter, from 1.
    pub column: Option<usize>,
    /// Behind the last letter of that line that is meant.
    pub end_column: Option<usize>,
    /// What it is.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

/// What is asked of the rules: as `hearken explain` has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The trunk that the call comes by, or
    pub trunk: Option<String>,
    /// the line that it joins.
    pub line: Option<String>,
    /// When, on the node's clock; now, if it is not said.
    pub at: Option<String>,
    /// What is taken for so, as `LINE.waiting`.
    #[serde(default)]
    pub given: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Explain {
    text: Option<String>,
    question: Question,
}

/// The configuration in force.
pub(super) async fn in_force(web: &Arc<Shared>) -> Result<Value, Problem> {
    let plan = *locked(&web.plan);
    let text = apart(web, |plans| plans.text()).await?;
    Ok(json!({ "version": plan.version, "since": plan.since.rfc3339(), "text": text }))
}

/// Whether a file could be taken over.
pub(super) async fn check(web: &Arc<Shared>, asked: Text) -> Result<Checked, Problem> {
    apart(web, move |plans| plans.check(&asked.text)).await
}

/// What a file would change, and which waiting callers it concerns: those whose lines it no longer has.
pub(super) async fn diff(web: &Arc<Shared>, asked: Text) -> Result<Value, Problem> {
    let (changes, lines) = match apart(web, move |plans| plans.changes(&asked.text)).await? {
        Ok(changes) => changes,
        Err(checked) => {
            return Ok(
                json!({ "ok": false, "changes": [], "touches": [], "diagnostics": checked.diagnostics }),
            );
        }
    };
    let board = web.ask(Ask::Board).await?;
    let gone = board.lines.iter().filter(|line| line.waiting > 0 && !lines.contains(&line.name));
    let touches: Vec<_> = gone.map(|line| json!({ "line": line.name, "waiting": line.waiting })).collect();
    Ok(json!({ "ok": true, "changes": changes, "touches": touches, "diagnostics": [] }))
}

/// What the rules decide.
pub(super) async fn explain(web: &Arc<Shared>, asked: Explain) -> Result<Value, Problem> {
    let Explain { text, question } = asked;
    apart(web, move |plans| plans.explain(text.as_deref(), question)).await?.map_err(Problem::conflict)
}

/// Asks for something that may take its time: one at a time, and not on the thread that serves.
async fn apart<T: Send + 'static>(
    web: &Arc<Shared>,
    ask: impl FnOnce(&dyn Plans) -> T + Send + 'static,
) -> Result<T, Problem> {
    let plans = locked(&web.plans).clone();
    let plans = plans.ok_or_else(|| Problem::not_found("this daemon has no configuration file"))?;
    let _turn = web.planning.acquire().await.map_err(|_| Problem::gone())?;
    tokio::task::spawn_blocking(move || ask(&*plans)).await.map_err(|_| Problem::gone())
}
