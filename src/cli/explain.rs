//! `hearken explain`: what the rules decide for a caller at an instant, and why each counts or does not.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::{BAD_CONFIGURATION, load};
use crate::calendar::Local;
use crate::config::{self, Deployment, Errors};
use crate::policy::rules::{Explanation, Outcome, Question};
use crate::time::Wall;

/// Says what the rules decide for a caller at an instant, and why each counts or does not
#[derive(clap::Args)]
#[command(after_help = "Example: hearken explain --line elm-tree --at 2026-08-31T08:15 \
    --given elm-tree.waiting=30,elm-tree.longest-wait=5m,caller.redial=true")]
pub(super) struct Args {
    /// The trunk that the call comes by
    #[arg(long, value_name = "TRUNK", required_unless_present = "line", conflicts_with = "line")]
    trunk: Option<String>,
    /// The line that it joins
    #[arg(long, value_name = "LINE")]
    line: Option<String>,
    /// When, on the node's clock: 2026-08-31T08:15, or now
    #[arg(long, value_name = "WHEN", default_value = "now")]
    at: String,
    /// What is to be taken for so: LINE.waiting, .longest-wait, .estimated-wait, .agents-logged-in,
    /// .agents-free; caller.redial, caller.withheld
    #[arg(long, value_name = "WHAT=VALUE", value_delimiter = ',')]
    given: Vec<String>,
    /// The answer as JSON
    #[arg(long)]
    json: bool,
}

/// Answers on standard output; status 2 when the question, or the configuration, is of no use.
pub(super) fn run(path: &Path, args: &Args) -> ExitCode {
    let loaded = match load(path) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    match answer(&loaded.deployment, args, now()) {
        Ok(answer) => {
            // A reader that has gone away does not change the answer.
            let _ = io::stdout().write_all(answer.as_bytes());
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprint!("{fault}");
            ExitCode::from(BAD_CONFIGURATION)
        }
    }
}

fn now() -> Wall {
    Wall(jiff::Timestamp::now().as_millisecond())
}

/// The answer as text or JSON, or what is wrong with the question.
fn answer(deployment: &Deployment, args: &Args, now: Wall) -> Result<String, String> {
    let question =
        config::question(deployment, &asked(deployment, args, now)?).map_err(|faults| plain(&faults))?;
    let explanation = deployment.rules.explain(&deployment.calendar, &question);
    if args.json {
        let answer = Answer::new(deployment, args, &question, &explanation);
        let json = serde_json::to_string_pretty(&answer).map_err(|error| format!("hearken: {error}\n"))?;
        Ok(json + "\n")
    } else {
        Ok(text(deployment, args, &question, &explanation))
    }
}

/// The question as the configuration would have it in a test.
fn asked(deployment: &Deployment, args: &Args, now: Wall) -> Result<String, String> {
    let at = match args.at.as_str() {
        "now" => deployment.calendar.local(now, None).to_string(),
        at => at.to_owned(),
    };
    let mut text = format!("at = {}\n", quoted(&at));
    for (key, name) in [("line", &args.line), ("trunk", &args.trunk)] {
        if let Some(name) = name {
            let _ = writeln!(text, "{key} = {}", quoted(name));
        }
    }
    let mut given = Vec::with_capacity(args.given.len());
    for stated in &args.given {
        let Some((what, value)) = stated.split_once('=') else {
            return Err(format!("hearken: `{stated}` gives no value: write {stated}=30\n"));
        };
        let value = match (value.parse::<u32>(), value) {
            (Ok(number), _) => number.to_string(),
            (_, "true" | "false") => value.to_owned(),
            _ => quoted(value),
        };
        given.push(format!("{} = {value}", quoted(what)));
    }
    let _ = writeln!(text, "given = {{ {} }}", given.join(", "));
    Ok(text)
}

/// A text as TOML has it, which reads all that JSON writes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The faults of a question, without their places in a text that nobody wrote.
fn plain(faults: &Errors) -> String {
    let mut text = String::new();
    for fault in faults.0.diagnostics() {
        let _ = writeln!(text, "hearken: {}", fault.message);
        if let Some(meant) = &fault.suggestion {
            let _ = writeln!(text, "  did you mean `{meant}`?");
        }
        if let Some(help) = &fault.help {
            let _ = writeln!(text, "  {help}");
        }
    }
    text
}

fn text(deployment: &Deployment, args: &Args, question: &Question, explanation: &Explanation) -> String {
    let at = deployment.calendar.local(question.at, None);
    let by = args.trunk.as_ref().map(|trunk| format!(" by trunk {trunk}")).unwrap_or_default();
    let kind = if explanation.emergency { "an emergency call" } else { "a call" };
    let mut text = format!(
        "{kind} on line {}{by}, {} {}, {} in {}\n",
        explanation.line,
        at.weekday().name(),
        at.date,
        at.time,
        deployment.node.zone,
    );
    if !args.given.is_empty() {
        let _ = writeln!(text, "given {}", args.given.join(", "));
    }
    text.push('\n');
    if explanation.effects.is_empty() {
        text.push_str("the caller stays: only the line's own teams are asked\n");
    }
    for effect in &explanation.effects {
        let _ = writeln!(text, "{effect}");
    }
    if explanation.rules.is_empty() {
        text.push_str("\nno rule is for this line\n");
        return text;
    }
    text.push('\n');
    let width = explanation.rules.iter().map(|verdict| verdict.name.chars().count()).max().unwrap_or(0);
    for verdict in &explanation.rules {
        let counts = if counts(&verdict.outcome) { "yes" } else { "no " };
        let _ = writeln!(text, "{:width$}  {counts}  {}", verdict.name, verdict.words);
    }
    text
}

fn counts(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::On { counts, .. } if !counts.is_empty())
}

/// The answer as JSON; see `docs/rules.md`.
#[derive(Serialize)]
struct Answer<'a> {
    line: &'a str,
    trunk: Option<&'a str>,
    at: Local,
    zone: &'a str,
    emergency: bool,
    given: &'a [String],
    stays: bool,
    effects: &'a [String],
    rules: Vec<Judged<'a>>,
}

/// What became of one rule.
#[derive(Serialize)]
struct Judged<'a> {
    name: &'a str,
    counts: Vec<&'static str>,
    overruled: Vec<OverruledBy<'a>>,
    barred: Vec<&'static str>,
    why: &'a str,
}

/// An action that an earlier rule has decided.
#[derive(Serialize)]
struct OverruledBy<'a> {
    action: &'static str,
    by: &'a str,
}

impl<'a> Answer<'a> {
    fn new(
        deployment: &'a Deployment,
        args: &'a Args,
        question: &Question,
        explanation: &'a Explanation,
    ) -> Answer<'a> {
        let judged = explanation.rules.iter().map(|verdict| {
            let (counts, overruled, barred) = match &verdict.outcome {
                Outcome::On { counts, overruled, barred } => (&counts[..], &overruled[..], &barred[..]),
                Outcome::Off(_) => (&[][..], &[][..], &[][..]),
            };
            let by = |lost: &crate::policy::rules::Overruled| OverruledBy {
                action: lost.kind.key(),
                by: deployment.rules.rule_name(lost.by),
            };
            Judged {
                name: &verdict.name,
                counts: counts.iter().map(|kind| kind.key()).collect(),
                overruled: overruled.iter().map(by).collect(),
                barred: barred.iter().map(|kind| kind.key()).collect(),
                why: &verdict.words,
            }
        });
        Answer {
            line: &explanation.line,
            trunk: args.trunk.as_deref(),
            at: deployment.calendar.local(question.at, None),
            zone: &deployment.node.zone,
            emergency: explanation.emergency,
            given: &args.given,
            stays: explanation.effects.is_empty(),
            effects: &explanation.effects,
            rules: judged.collect(),
        }
    }
}
