//! `hearken explain`: what the rules decide for a caller at an instant, and why each counts or does not.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

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
    let explanation = deployment.plan.guide.rules.explain(&deployment.plan.guide.calendar, &question);
    if args.json {
        let answer = Answer::new(deployment, args, &question, &explanation);
        let json = serde_json::to_string_pretty(&answer).map_err(|error| format!("hearken: {error}\n"))?;
        Ok(json + "\n")
    } else {
        Ok(text(deployment, args, &question, &explanation))
    }
}

/// The answer to a question that came over the web interface, as `--json` gives it.
pub(super) fn as_json(deployment: &Deployment, question: crate::web::Question) -> Result<Value, String> {
    let crate::web::Question { trunk, line, at, given } = question;
    if trunk.is_some() == line.is_some() {
        return Err("ask for a trunk or for a line".to_owned());
    }
    let stated = |(what, value): (String, Value)| match value {
        Value::String(text) => format!("{what}={text}"),
        value => format!("{what}={value}"),
    };
    let given = given.into_iter().map(stated).collect();
    let args = Args { trunk, line, at: at.unwrap_or_else(|| "now".to_owned()), given, json: true };
    let answer = answer(deployment, &args, now())?;
    serde_json::from_str(&answer).map_err(|error| error.to_string())
}

/// The question as the configuration would have it in a test.
fn asked(deployment: &Deployment, args: &Args, now: Wall) -> Result<String, String> {
    let at = match args.at.as_str() {
        "now" => deployment.plan.guide.calendar.local(now, None).to_string(),
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
    let at = deployment.plan.guide.calendar.local(question.at, None);
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
                by: deployment.plan.guide.rules.rule_name(lost.by),
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
            at: deployment.plan.guide.calendar.local(question.at, None),
            zone: &deployment.node.zone,
            emergency: explanation.emergency,
            given: &args.given,
            stays: explanation.effects.is_empty(),
            effects: &explanation.effects,
            rules: judged.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sample() -> Deployment {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/hearken.toml");
        let today = "2026-06-01T00:00".parse::<Local>().unwrap().date;
        config::load(&path, today).unwrap().deployment
    }

    fn asking(line: &str, at: &str, given: &[&str]) -> Args {
        let given = given.iter().map(|&given| given.to_owned()).collect();
        Args { trunk: None, line: Some(line.to_owned()), at: at.to_owned(), given, json: false }
    }

    #[test]
    fn the_answer_names_what_is_decided_and_why_each_rule_counts_or_does_not() {
        let args = Args {
            trunk: Some("elm-tree".to_owned()),
            line: None,
            ..asking("", "2026-11-23T08:15", &["elm-tree.waiting=9"])
        };
        let answered = answer(&sample(), &args, Wall(0)).unwrap();
        let expected = "\
a call on line elm-tree by trunk elm-tree, Monday 2026-11-23, 08:15 in Europe/London
given elm-tree.waiting=9

`clinicians` may answer too (`monday-help`)

monday-help  yes  counts: `monday-peak` is open; 9 callers wait, over 8
full         no   9 callers wait, not over 30
";
        assert_eq!(answered, expected, "{answered}");
        let shown = include_str!("../../docs/rules.md");
        assert!(shown.contains(expected), "the handbook shows something else");
    }

    #[test]
    fn programs_get_the_same_as_json() {
        let args = Args {
            json: true,
            ..asking("riverside", "now", &["riverside.waiting=31", "caller.redial=true"])
        };
        let json = answer(&sample(), &args, Wall(0)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["at"], &json["line"]), (&"1970-01-01T01:00".into(), &"riverside".into()));
        assert_eq!((&json["trunk"], &json["stays"]), (&serde_json::Value::Null, &false.into()));
        assert_eq!(json["rules"][1]["counts"], serde_json::json!(["refuse"]));
        assert_eq!(json["rules"][0]["counts"], serde_json::json!([]));
    }

    #[test]
    fn a_bad_question_is_answered_with_what_was_meant() {
        for (line, at, given, expected) in [
            ("elm-tre", "now", &[][..], "hearken: there is no line `elm-tre`\n  did you mean `elm-tree`?\n"),
            ("elm-tree", "now", &["waiting"], "hearken: `waiting` gives no value: write waiting=30\n"),
            (
                "elm-tree",
                "2026-11-23",
                &[],
                "hearken: `at` must be a date with a time such as \"2026-08-31T08:15\", not \"2026-11-23\"\n",
            ),
            (
                "elm-tree",
                "now",
                &["elm-tree.longest-wait=5"],
                "hearken: `elm-tree.longest-wait` must be a duration such as \"20s\", but this is a number\n  \
                 did you mean `\"5s\"`?\n",
            ),
            (
                "elm-tree",
                "now",
                &["elm-tre.waiting=9"],
                "hearken: there is no line `elm-tre`\n  did you mean `elm-tree`?\n",
            ),
            (
                "a\"\n[x]\n",
                "now",
                &[],
                "hearken: there is no line `a\"\u{fffd}[x]\u{fffd}`\n  the lines are elm-tree, riverside, emergency\n",
            ),
        ] {
            assert_eq!(answer(&sample(), &asking(line, at, given), Wall(0)).unwrap_err(), expected);
        }
    }
}
