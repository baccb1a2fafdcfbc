//! The configuration in force, those that were before, and one that somebody would have: what is wrong with it, what it
//! would change, what its rules would decide, how a day would have been; and how it is put into force.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::orders::Whole;
use super::problem::Problem;
use super::{Ask, Shared, Unwanted, locked};

/// Knows the configuration. Answers may take their time: they are asked for off the thread that serves.
pub trait Plans: Send + Sync {
    /// Which is in force; answered at once.
    fn version(&self) -> Version;
    /// The same with its text.
    fn in_force(&self) -> (Version, String);
    /// All that were in force and are kept, the newest first; an error says why they cannot be read.
    fn versions(&self) -> Result<Vec<Version>, String>;
    /// One of them with its text.
    fn kept(&self, version: u64) -> Result<Option<(Version, String)>, String>;
    /// What is wrong with a file, and what is odd about it.
    fn check(&self, text: &str) -> Checked;
    /// What a file would change, for people; and the names of the lines that it has.
    fn changes(&self, text: &str) -> Result<(Vec<String>, Vec<String>), Checked>;
    /// What the rules of a file, or of the one in force, decide; an error says what is wrong with the question.
    fn explain(&self, text: Option<&str>, question: Question) -> Result<Value, String>;
    /// Puts another into force and into the file, or changes nothing.
    fn apply(&self, change: Change) -> Result<Applied, NotApplied>;
    /// What a day of calls comes to under the one in force and under another, until it is told to stop; an error says
    /// why that cannot be known.
    fn simulate(&self, text: &str, load: &str, stop: &AtomicBool) -> Result<Value, String>;
}

/// One configuration that is or was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number, from 1; numbers go on from run to run.
    pub version: u64,
    /// When it came into force (RFC 3339).
    pub at: String,
    /// Who put it there: a user's name, `SIGHUP`, or `start` for what the daemon found in the file when it began.
    pub by: String,
    /// What for.
    pub note: String,
}

/// What is to be put into force.
#[derive(Clone, Debug)]
pub struct Change {
    /// The whole file.
    pub text: String,
    /// Name of the user.
    pub by: String,
    /// What for.
    pub note: String,
    /// The version that it is to take the place of; `None` for whichever is in force.
    pub expected: Option<u64>,
}

/// What was put into force.
#[derive(Clone, Debug, Serialize)]
pub struct Applied {
    /// Its number, and so on.
    #[serde(flatten)]
    pub version: Version,
    /// What it changed, for people.
    pub changes: Vec<String>,
    /// Keys of which only a restart takes over what they say now.
    pub at_restart: Vec<String>,
}

/// Why nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotApplied {
    /// Another is in force than the one that it is to take the place of.
    #[error("another configuration came into force meanwhile: version {}, by {}", .0.version, .0.by)]
    Outdated(Version),
    /// It is in force.
    #[error("this is the configuration in force")]
    Same,
    /// It has faults.
    #[error("the configuration has faults")]
    Faulty(Vec<Found>),
    /// It no longer has lines in which callers wait; how many, by line.
    #[error("callers wait in lines that it no longer has")]
    Stranded(Vec<(String, usize)>),
    /// Somebody has changed the file.
    #[error("the file was changed on the host and not taken over: have it read again, or put it back, first")]
    ByHand,
    /// It cannot be kept.
    #[error("{why}")]
    Unwritable {
        /// Why not.
        why: String,
        /// The disk is full.
        full: bool,
    },
    /// The daemon is ending.
    #[error("the daemon is ending")]
    Ending,
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

/// A configuration, and what it is put into force for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Put {
    text: String,
    note: String,
}

/// The number of a version that was in force before, and what it is put into force again for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RollBack {
    version: Whole,
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Simulate {
    text: String,
    load: String,
}

/// What the audit keeps of a change.
#[derive(Deserialize)]
pub(super) struct Noted {
    pub(super) note: String,
}

/// Longest note, in letters.
const LONGEST_NOTE: usize = 500;
/// Within what time a simulation must be over.
const SIMULATED: Duration = Duration::from_secs(60);

/// The configuration in force, and its number.
pub(super) async fn in_force(web: &Arc<Shared>) -> Result<(Value, u64), Problem> {
    let (version, text) = apart(web, |plans| plans.in_force()).await?;
    // As the board has it.
    let mut value = with_text(&version, text);
    value["since"] = version.at.into();
    Ok((value, version.version))
}

/// All that were in force.
pub(super) async fn versions(web: &Arc<Shared>) -> Result<Value, Problem> {
    let versions = apart(web, |plans| plans.versions()).await?.map_err(unreadable)?;
    Ok(json!({ "versions": versions }))
}

/// One of them.
pub(super) async fn version(web: &Arc<Shared>, number: &str) -> Result<Value, Problem> {
    let (version, text) = kept(web, number.parse().map_err(|_| none())?).await?;
    Ok(with_text(&version, text))
}

async fn kept(web: &Arc<Shared>, number: u64) -> Result<(Version, String), Problem> {
    apart(web, move |plans| plans.kept(number)).await?.map_err(unreadable)?.ok_or_else(none)
}

fn none() -> Problem {
    Problem::not_found("there is no such version, or it is no longer kept")
}

fn unreadable(why: String) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, why)
}

fn with_text(Version { version, at, by, note }: &Version, text: String) -> Value {
    json!({ "version": version, "at": at, "by": by, "note": note, "text": text })
}

/// Puts a configuration into force in the place of the version that `If-Match` names.
pub(super) async fn put(
    web: &Arc<Shared>,
    (headers, by): (&HeaderMap, String),
    asked: Put,
) -> Result<Applied, Problem> {
    let Some(expected) = if_match(headers)? else {
        return Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "say by If-Match which version this is to take the place of: what stands in the ETag of `plan`",
        ));
    };
    apply(web, Change { text: asked.text, by, note: asked.note, expected }).await
}

/// What `If-Match` says, if it says anything.
fn if_match(headers: &HeaderMap) -> Result<Option<Option<u64>>, Problem> {
    let header = headers.get(header::IF_MATCH).filter(|header| !header.is_empty());
    header.map(matched).transpose()
}

/// The version in an `If-Match`; `None` for `*`, which is any.
fn matched(header: &HeaderValue) -> Result<Option<u64>, Problem> {
    let text = header.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let number = number.and_then(|number| number.parse().ok());
    number.map(Some).ok_or_else(|| Problem::bad("If-Match names no version: write \"7\", with its quotes"))
}

/// Puts one into force again that was before.
pub(super) async fn roll_back(
    web: &Arc<Shared>,
    (headers, by): (&HeaderMap, String),
    asked: RollBack,
) -> Result<Applied, Problem> {
    let (_, text) = kept(web, asked.version.0).await?;
    let expected = if_match(headers)?.flatten();
    apply(web, Change { text, by, note: asked.note, expected }).await
}

async fn apply(web: &Arc<Shared>, change: Change) -> Result<Applied, Problem> {
    let letters = change.note.chars().count();
    if change.note.trim().is_empty() || letters > LONGEST_NOTE || change.note.contains(char::is_control) {
        return Err(Problem::bad(format!(
            "a change needs a note: one line of at most {LONGEST_NOTE} letters that says what it is for"
        )));
    }
    let applied = apart(web, |plans| plans.apply(change)).await?.map_err(refused)?;
    web.show_anew().await;
    Ok(applied)
}

fn refused(why: NotApplied) -> Problem {
    let status = match &why {
        NotApplied::Outdated(_) => StatusCode::PRECONDITION_FAILED,
        NotApplied::Faulty(_) => StatusCode::UNPROCESSABLE_ENTITY,
        NotApplied::Unwritable { full: true, .. } => StatusCode::INSUFFICIENT_STORAGE,
        NotApplied::Ending => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::CONFLICT,
    };
    let problem = Problem::new(status, why.to_string());
    match why {
        NotApplied::Faulty(found) => problem.with("diagnostics", json!(found)),
        NotApplied::Stranded(lines) => {
            let lines = lines.iter().map(|(line, waiting)| json!({ "line": line, "waiting": waiting }));
            problem.with("stranded", lines.collect())
        }
        NotApplied::Outdated(version) => problem.with("in_force", json!(version)),
        _ => problem,
    }
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

/// A day of calls under the configuration in force and under another; one at a time, and never for long.
pub(super) async fn simulate(web: &Arc<Shared>, asked: Simulate) -> Result<Value, Problem> {
    let plans = plans(web)?;
    let Ok(turn) = Arc::clone(&web.simulating).try_acquire_owned() else {
        return Err(Problem::busy("another simulation is running", 10));
    };
    let stop = Unwanted::default();
    let (stopped, (answer, answered)) = (Arc::clone(&stop.0), oneshot::channel());
    let run = move || {
        let simulated = plans.simulate(&asked.text, &asked.load, &stopped);
        drop(turn);
        // Nobody may wait for it any more.
        let _ = answer.send(simulated);
    };
    thread::Builder::new().name("simulate".into()).spawn(run).map_err(|_| Problem::gone())?;
    match tokio::time::timeout(SIMULATED, answered).await {
        Ok(Ok(simulated)) => simulated.map_err(Problem::conflict),
        Ok(Err(_)) => Err(Problem::gone()),
        Err(_) => Err(Problem::busy("this takes too long here: ask `hearken simulate`", 60)),
    }
}

fn plans(web: &Shared) -> Result<Arc<dyn Plans>, Problem> {
    let plans = locked(&web.plans).clone();
    plans.ok_or_else(|| Problem::not_found("this daemon has no configuration file"))
}

/// Asks for something that may take its time: one at a time, and not on the thread that serves.
async fn apart<T: Send + 'static>(
    web: &Arc<Shared>,
    ask: impl FnOnce(&dyn Plans) -> T + Send + 'static,
) -> Result<T, Problem> {
    let plans = plans(web)?;
    let turn = Arc::clone(&web.planning).acquire_owned().await.map_err(|_| Problem::gone())?;
    let asked = move || {
        // It ends with the work, and not with whoever has gone meanwhile.
        let _turn = turn;
        ask(&*plans)
    };
    tokio::task::spawn_blocking(asked).await.map_err(|_| Problem::gone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::Ordering::Relaxed;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::super::Web;
    use super::super::tests::started;
    use super::*;

    /// Simulates until it is told to stop.
    struct Endless {
        begun: SyncSender<()>,
    }

    impl Plans for Endless {
        fn version(&self) -> Version {
            unreachable!("nobody asks")
        }

        fn in_force(&self) -> (Version, String) {
            unreachable!("nobody asks")
        }

        fn versions(&self) -> Result<Vec<Version>, String> {
            unreachable!("nobody asks")
        }

        fn kept(&self, _: u64) -> Result<Option<(Version, String)>, String> {
            unreachable!("nobody asks")
        }

        fn check(&self, _: &str) -> Checked {
            unreachable!("nobody asks")
        }

        fn changes(&self, _: &str) -> Result<(Vec<String>, Vec<String>), Checked> {
            unreachable!("nobody asks")
        }

        fn explain(&self, _: Option<&str>, _: Question) -> Result<Value, String> {
            unreachable!("nobody asks")
        }

        fn apply(&self, _: Change) -> Result<Applied, NotApplied> {
            unreachable!("nobody asks")
        }

        fn simulate(&self, _: &str, _: &str, stop: &AtomicBool) -> Result<Value, String> {
            self.begun.send(()).unwrap();
            while !stop.load(Relaxed) {
                thread::yield_now();
            }
            Err("it was told to stop".to_owned())
        }
    }

    fn simulating() -> (Web, Receiver<()>) {
        let (web, _) = started(Box::new(Vec::new));
        let (begun, begins) = sync_channel(1);
        web.show_plans(Arc::new(Endless { begun }));
        (web, begins)
    }

    #[test]
    fn one_simulation_runs_at_a_time_and_ends_with_whoever_asked() {
        let (web, begins) = simulating();
        let asked = || Simulate { text: String::new(), load: String::new() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for _ in 0..2 {
                let shared = Arc::clone(&web.shared);
                let first = tokio::spawn(async move { simulate(&shared, asked()).await });
                tokio::task::yield_now().await;
                begins.recv().unwrap();
                let second = simulate(&web.shared, asked()).await.unwrap_err();
                let said = format!("{second:?}");
                assert!(said.contains("503") && said.contains("another simulation is running"), "{said}");
                // Whoever asked hangs up; then there is room for the next one.
                first.abort();
                drop(web.shared.simulating.acquire().await.unwrap());
            }
        });
    }

    #[test]
    fn an_if_match_names_a_version_or_any() {
        let matched = |text: &'static str| matched(&HeaderValue::from_static(text)).ok();
        assert_eq!((matched("\"12\""), matched("*")), (Some(Some(12)), Some(None)));
        for text in ["12", "W/\"12\"", "\"\"", "\"x\"", "", "\"1\", \"2\""] {
            assert_eq!(matched(text), None, "{text}");
        }
    }
}
