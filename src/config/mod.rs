//! The configuration: TOML as written, then a resolved and validated deployment.
//!
//! Two stages. `written` reads the file key by key into typed values that remember their places;
//! `resolve` turns names into ids, checks what no single key can tell, and yields a [`Deployment`]. Both
//! report into one [`Report`], so that every fault of a file is shown at once, each with line, caret and,
//! where a near name exists, a suggestion. Nothing in a file can panic this module, and nothing here opens
//! a socket, writes a file or reads a clock.

mod changes;
mod civil;
mod deployment;
mod draft;
mod duration;
mod named;
mod nearest;
mod phone;
mod report;
mod resolve;
mod sink;
mod syntax;
mod table;
pub mod workload;
mod written;

use std::io::Read as _;
use std::path::{Path, PathBuf};

pub use changes::{Change, changes};
pub use deployment::{
    CallbacksCountAs, ClipFile, Collector, CountsAs, Deployment, FlightSettings, HepSettings, LedgerSettings,
    Listen, LogFormat, LogSettings, MediaSettings, Node, PracticePlaces, ReportSettings, StoredCli,
    WebSettings,
};
pub use named::Files;
pub(crate) use nearest::nearest;
pub use report::{Diagnostic, Errors, Place, Report, Severity};

use crate::access::User;
use crate::calendar::Date;
use crate::policy::rules::{Question, Trial};
use resolve::expect::Asked;
use sink::Sink;
use written::Written;

/// Largest configuration file that is read, in bytes.
pub const LARGEST_FILE: u64 = 1 << 20;

/// A deployment that passed every check, with what is odd about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What to run.
    pub deployment: Deployment,
    /// Diagnostics of severity [`Severity::Warning`] only.
    pub warnings: Report,
    /// How many tests the file has of its own rules; they passed.
    pub tests: usize,
    /// The file as it was read.
    pub text: String,
}

/// Another configuration's rules and calendar, ready to be tried beside those of a running one.
#[derive(Clone, Debug)]
pub struct Shadow {
    /// What to try.
    pub trial: Trial,
    /// Diagnostics of severity [`Severity::Warning`] only.
    pub warnings: Report,
    /// Where it was read.
    pub path: PathBuf,
    /// The file as it was read.
    text: String,
}

/// Reads and validates the file at `path` as on the day `today`; other files are looked for from its directory.
///
/// Fails with every fault found, not only the first.
pub fn load(path: &Path, today: Date) -> Result<Loaded, Errors> {
    parse(&read(path)?, &path.display().to_string(), directory(path), today)
}

/// Reads a whole second configuration, to try its rules beside those of `live`.
///
/// Fails if it would not do by itself, or where its rules speak of what `live` does not have.
pub fn load_shadow(path: &Path, today: Date, live: &Deployment) -> Result<Shadow, Errors> {
    shadow(read(path)?, path, today, live)
}

impl Shadow {
    /// The same as it was read, beside another configuration.
    pub fn beside(self, today: Date, live: &Deployment) -> Result<Shadow, Errors> {
        shadow(self.text, &self.path, today, live)
    }
}

fn shadow(text: String, path: &Path, today: Date, live: &Deployment) -> Result<Shadow, Errors> {
    let check = |written: &Written, sink: &mut Sink| {
        resolve::shadow::check(&written.rules, &live.plan, sink);
    };
    let loaded = parse_and(&text, &path.display().to_string(), directory(path), today, check)?;
    let trial = loaded.deployment.plan.on_trial_beside(&live.plan);
    Ok(Shadow { trial, warnings: loaded.warnings, path: path.to_owned(), text })
}

fn directory(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn read(path: &Path) -> Result<String, Errors> {
    read_bounded(path).map_err(|(text, message)| {
        let mut sink = Sink::new();
        match &text {
            Some((_, valid)) => sink.error(*valid..valid + 1, message),
            None => sink.error_of_file(message),
        };
        let text = text.map(|(text, _)| text).unwrap_or_default();
        Errors(sink.into_report(&path.display().to_string(), &text))
    })
}

/// The same, to be taken over by a daemon that runs `old`: whatever both have keeps its id, and what the file no
/// longer has stays in the plan's tables as gone.
pub fn load_after(path: &Path, today: Date, old: &Loaded) -> Result<Loaded, Errors> {
    Ok(load(path, today)?.after(old))
}

impl Loaded {
    /// The same, to be taken over by a daemon that runs `old`: see [`load_after`].
    pub fn after(self, old: &Loaded) -> Loaded {
        let Deployment { plan, removed, .. } = self.deployment;
        let plan = plan.following(&old.deployment.plan, &removed);
        Loaded { deployment: Deployment { plan, removed, ..self.deployment }, ..self }
    }
}

/// Validates a text that somebody sends who need not have the host, as if it stood in the file at `path`; `live` is the
/// text in force. What belongs to the host must be as it is there, and no file is read that is none of its business.
pub fn draft(text: &str, path: &Path, today: Date, live: &str) -> Result<Loaded, Errors> {
    let name = path.display().to_string();
    let mut sink = Sink::new();
    if text.len() as u64 > LARGEST_FILE {
        sink.error_of_file(format!("the text is larger than {} KiB", LARGEST_FILE / 1024));
        return Err(Errors(sink.into_report(&name, "")));
    }
    let written = written::read(text, &mut sink);
    let Ok(table) = text.parse() else { return Err(Errors(sink.into_report(&name, text))) };
    let mut foreign = Sink::new();
    draft::check(&table, &written, live, directory(path), &mut foreign);
    if foreign.has_errors() {
        return Err(Errors(foreign.into_report(&name, text)));
    }
    parse(text, &name, directory(path), today)
}

/// Validates `text` as the file called `name` in the directory `base`, as on the day `today`.
pub fn parse(text: &str, name: &str, base: &Path, today: Date) -> Result<Loaded, Errors> {
    parse_and(text, name, base, today, |_, _| {})
}

fn parse_and(
    text: &str,
    name: &str,
    base: &Path,
    today: Date,
    check: impl FnOnce(&Written, &mut Sink),
) -> Result<Loaded, Errors> {
    let mut sink = Sink::new();
    let written = written::read(text, &mut sink);
    let resolved = resolve::resolve(&written, base, today, &mut sink);
    if !sink.has_errors() {
        check(&written, &mut sink);
    }
    let failed = sink.has_errors();
    let report = sink.into_report(name, text);
    match resolved {
        Some((mut deployment, tests)) if !failed => {
            if let (Some(web), Some(users)) = (&mut deployment.web, &deployment.users) {
                web.users = self::users(users)?;
            }
            Ok(Loaded { deployment, warnings: report, tests, text: text.to_owned() })
        }
        _ => Err(Errors(report)),
    }
}

/// Reads and validates the file of those who may use the interface.
///
/// Fails with every fault found, not only the first.
pub fn users(path: &Path) -> Result<Vec<User>, Errors> {
    let text = read(path)?;
    let mut sink = Sink::new();
    let written = written::read_users(&text, &mut sink);
    let users = resolve::web::users(&written, &mut sink);
    if sink.has_errors() {
        return Err(Errors(sink.into_report(&path.display().to_string(), &text)));
    }
    Ok(users)
}

/// Reads a question about the rules of a deployment: the keys of a `[[test]]` but what it expects.
pub fn question(deployment: &Deployment, text: &str) -> Result<Question, Errors> {
    let mut sink = Sink::new();
    let written = written::read_question(text, &mut sink);
    let plan = &deployment.plan;
    let asked = Asked { ingress: &plan.ingress, calendar: &plan.guide.calendar, rules: &plan.guide.rules };
    let question = resolve::expect::ask(&written, &asked, &mut sink);
    match question.filter(|_| !sink.has_errors()) {
        Some(question) => Ok(question),
        None => Err(Errors(sink.into_report("question", text))),
    }
}

/// The file as text, or what is wrong with it; a file of other bytes than UTF-8 comes with the offset of
/// the first bad one in its lossy text.
fn read_bounded(path: &Path) -> Result<String, (Option<(String, usize)>, String)> {
    let cannot = |error: std::io::Error| (None, format!("the file cannot be read: {}", plain(&error)));
    let file = std::fs::File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err((None, format!("the file is larger than {} KiB", LARGEST_FILE / 1024)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        (Some((text, valid)), "this is not UTF-8 text".to_owned())
    })
}

/// The text of an input/output error without the code that the standard library appends.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = words.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
