//! `hearken replay`: a flight log once more, held against what came out then.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::{FAILED, again, fail};
use crate::flight::{self, Batch, End, Segment, Stopped};
use crate::switch::{Input, Output};

/// Exit status when a replay differs from what happened.
const DIFFERS: u8 = 3;
/// Most bytes of a message that are shown.
const MOST_SHOWN: usize = 2_000;

/// Runs a flight log again and proves that every output is the same, or shows the first that differs
#[derive(clap::Args)]
#[command(after_help = "Examples:
  hearken replay /var/lib/hearken/flight/00000007.flight
  hearken replay /var/lib/hearken/flight --policy next.toml")]
pub(super) struct Args {
    /// A segment of a flight log, beside which its snapshot lies; or the directory, for all segments
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Other rules: what would have become of the day's calls, and how long each would have waited; may be given
    /// several times
    #[arg(long, value_name = "CONFIG")]
    policy: Vec<PathBuf>,
    /// The answer as JSON
    #[arg(long)]
    json: bool,
}

/// How the replay of one segment went.
#[derive(Serialize)]
struct Answer {
    segment: String,
    version: String,
    inputs: u64,
    /// Outputs proven to be the same.
    outputs: u64,
    /// `closed`, `cut` or `torn`; `None` when the replay did not come to the end.
    end: Option<&'static str>,
    difference: Option<Difference>,
}

/// The first output that differs.
#[derive(Serialize)]
struct Difference {
    after_input: u64,
    output: usize,
    outputs_then: usize,
    outputs_now: usize,
    inputs: Vec<String>,
    now: Option<String>,
}

/// Answers on standard output.
pub(super) fn run(args: &Args) -> ExitCode {
    let segments = match segments(&args.file) {
        Ok(segments) => segments,
        Err(error) => return fail(error),
    };
    if !args.policy.is_empty() {
        return again::run(&segments, &args.policy, args.json);
    }
    let mut answers = Vec::new();
    for path in segments {
        match replayed(&path) {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                eprintln!("hearken: {}: {error}", path.display());
                return ExitCode::from(FAILED);
            }
        }
        if !args.json {
            // A reader that has gone away does not change the answer.
            let _ = io::stdout().write_all(text(answers.last()).as_bytes());
        }
    }
    if args.json {
        match serde_json::to_string_pretty(&answers) {
            Ok(json) => println!("{json}"),
            Err(error) => return fail(error),
        }
    }
    match answers.iter().any(|answer| answer.difference.is_some()) {
        true => ExitCode::from(DIFFERS),
        false => ExitCode::SUCCESS,
    }
}

/// The segment named, or all of a directory that have their snapshots.
pub(super) fn segments(path: &Path) -> Result<Vec<PathBuf>, flight::Error> {
    if path.is_dir() { flight::segments(path) } else { Ok(vec![path.to_owned()]) }
}

fn replayed(path: &Path) -> Result<Answer, Stopped> {
    let segment = Segment::read(path)?;
    let (state, now) = flight::base(path)?;
    let mut answer = Answer {
        segment: path.display().to_string(),
        version: segment.head.version.clone(),
        inputs: 0,
        outputs: 0,
        end: None,
        difference: None,
    };
    match flight::replay(state.switch, now, &segment, 0, None, |_, _| {}) {
        Ok(course) => {
            (answer.inputs, answer.outputs) = (course.inputs, course.proven);
            answer.end = Some(match course.end {
                End::Closed => "closed",
                End::Cut => "cut",
                End::Torn => "torn",
            });
        }
        Err(Stopped::Differs { input, output, was, is, batch }) => {
            let difference = Difference {
                after_input: input,
                output,
                outputs_then: was,
                outputs_now: is,
                inputs: inputs_of(&batch, output),
                now: batch.outputs.get(output).map(shown_output),
            };
            (answer.inputs, answer.difference) = (input, Some(difference));
        }
        Err(stopped) => return Err(stopped),
    }
    Ok(answer)
}

/// The input that the output came from, or all of the batch when there was no such output.
fn inputs_of(batch: &Batch, output: usize) -> Vec<String> {
    let of = batch.ends.iter().position(|&end| end > output);
    let inputs = batch.inputs.iter().enumerate().filter(|(at, _)| of.is_none_or(|of| *at == of));
    inputs.map(|(_, (now, input))| format!("at {} us: {}", now.mono.0, shown_input(input))).collect()
}

fn shown_input(input: &Input) -> String {
    match input {
        Input::Datagram { flow, bytes, .. } | Input::Chunk { flow, bytes } => {
            format!("from {}:\n{}", flow.remote, shown(bytes))
        }
        other => format!("{other:?}"),
    }
}

fn shown_output(output: &Output) -> String {
    match output {
        Output::Send { flow, bytes } => format!("to {}:\n{}", flow.remote, shown(bytes)),
        other => format!("{other:?}"),
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_SHOWN)]).into_owned()
}

fn text(answer: Option<&Answer>) -> String {
    let Some(Answer { segment, version, inputs, outputs, end, difference }) = answer else {
        return String::new();
    };
    let Some(differs) = difference else {
        let end = match *end {
            Some("closed") => "",
            Some("torn") => "; the end of the file is torn",
            _ => "; the log goes on elsewhere, or the daemon was killed",
        };
        return format!("{segment}: {inputs} inputs, {outputs} outputs, all as they were{end}\n");
    };
    let Difference { output, outputs_then, outputs_now, inputs: of, now, .. } = differs;
    format!(
        "{segment}, written by version {version}: DIFFERS after {inputs} inputs, at output {output} of a batch with \
         {outputs_then} outputs then and {outputs_now} now\n--- the input:\n{}\n--- what comes out now:\n{}\n",
        of.join("\n"),
        now.as_deref().unwrap_or("nothing"),
    )
}
