//! Questions about the rules, and the file's own tests of them.

use serde_spanned::Spanned;

use super::super::sink::Sink;
use super::super::table::{List, shown};
use super::super::written::{self, Given as Stated, Test};
use super::names::Names;
use super::rules::STAY;
use crate::calendar::Calendar;
use crate::id::{LineId, RuleId, TrunkId};
use crate::policy::rules::{CallerFacts, Given, Question, RuleBook, RuleTest};
use crate::policy::{Band, Ingress};

/// What questions are asked of.
pub(in super::super) struct Asked<'a> {
    pub(in super::super) ingress: &'a Ingress,
    pub(in super::super) calendar: &'a Calendar,
    pub(in super::super) rules: &'a RuleBook,
}

/// The question as it can be asked; `None` when something in it is wrong, which is then reported.
fn question(
    written: &Test,
    asked: &Asked<'_>,
    lines: &mut Names<'_>,
    trunks: &mut Names<'_>,
    sink: &mut Sink,
) -> Option<Question> {
    let mut given = Vec::new();
    let mut caller = CallerFacts::default();
    for stated in &written.given {
        match stated {
            Stated::Line(name, bare) => {
                let line = lines.seek(name, sink).map(LineId);
                given.extend(line.map(|line| Given { line, measure: bare.measure, value: bare.value }));
            }
            Stated::Redial(redial) => caller.redial = *redial,
            Stated::Withheld(withheld) => caller.withheld = *withheld,
        }
    }
    let (line, emergency) = match (&written.line, &written.trunk) {
        (Some(line), Some(trunk)) => {
            sink.error(trunk.span(), "`line` and `trunk` cannot both be given")
                .also(line.span(), "the line")
                .help("a trunk's calls join its own line");
            return None;
        }
        (None, Some(trunk)) => {
            let trunk = trunks.seek(trunk, sink).map(TrunkId)?;
            let trunk = asked.ingress.trunks.get(trunk.index())?;
            (trunk.line, trunk.emergency)
        }
        (line, None) => {
            let line = match line {
                Some(line) => lines.seek(line, sink).map(LineId)?,
                None => only_line(written, &given, sink)?,
            };
            (line, asked.rules.surroundings().lines.get(line.index())?.emergency)
        }
    };
    caller.band = if emergency { Band::EMERGENCY } else { Band::ROUTINE };
    let at = asked.calendar.instant(*written.at.as_ref()?.get_ref(), None);
    Some(Question { line, at, caller, given, lasted: None })
}

/// The one line that is spoken of.
fn only_line(written: &Test, given: &[Given], sink: &mut Sink) -> Option<LineId> {
    match given {
        [first, rest @ ..] if rest.iter().all(|other| other.line == first.line) => Some(first.line),
        _ => {
            if !sink.is_partial() {
                sink.error(
                    written.header.clone(),
                    "whose call is meant? neither `line` nor `trunk` is given",
                )
                .help("they may be left out where `given` speaks of one line only");
            }
            None
        }
    }
}

/// The file's tests, each with the place of what it expects.
pub(super) fn tests<'w>(
    written: &'w [Test],
    asked: &Asked<'_>,
    lines: &mut Names<'_>,
    trunks: &mut Names<'_>,
    rules: &mut Names<'_>,
    sink: &mut Sink,
) -> Vec<(RuleTest, &'w List<String>)> {
    let mut tests = Vec::with_capacity(written.len());
    for (at, test) in (1..).zip(written) {
        let expect = test.expect.as_ref().map(|list| (expected(list, rules, sink), list));
        let question = question(test, asked, lines, trunks, sink);
        let (Some((expect, place)), Some(question)) = (expect, question) else { continue };
        let name = test.name.as_ref().map_or_else(|| format!("number {at}"), |name| shown(name.get_ref()));
        tests.push((RuleTest { name, question, expect }, place));
    }
    tests
}

/// The rules that a test expects to count; none for `stay`.
fn expected(list: &List<String>, rules: &mut Names<'_>, sink: &mut Sink) -> Vec<RuleId> {
    let stays = |word: &&Spanned<String>| word.get_ref() == STAY;
    match list.items.iter().find(stays) {
        Some(_) if list.items.len() == 1 => Vec::new(),
        Some(word) => {
            sink.error(word.span(), format!("`{STAY}` means that no rule counts, so it stands alone"));
            Vec::new()
        }
        None => rules.seek_all(list, sink).into_iter().map(RuleId).collect(),
    }
}

/// Runs the tests; each that fails is an error that says what was expected, what came instead, and why.
pub(super) fn run(tests: &[(RuleTest, &List<String>)], asked: &Asked<'_>, sink: &mut Sink) {
    for (test, place) in tests {
        let Err(unmet) = test.run(asked.rules, asked.calendar) else { continue };
        let counting = asked.rules.explain(asked.calendar, &test.question);
        let names = |rules: &mut dyn Iterator<Item = RuleId>| {
            let names: Vec<_> = rules.map(|rule| format!("`{}`", asked.rules.rule_name(rule))).collect();
            if names.is_empty() { format!("`{STAY}`") } else { names.join(", ") }
        };
        let message = format!(
            "test `{}` fails: expected {}, got {}",
            test.name,
            names(&mut test.expect.iter().copied()),
            names(&mut counting.counting()),
        );
        let verdicts = unmet.missing.iter().chain(&unmet.unexpected);
        let why = verdicts.map(|verdict| format!("`{}`: {}", verdict.name, verdict.words));
        let line = &counting.line;
        let strangers = unmet.strangers.iter().map(|name| format!("`{name}` is no rule of line `{line}`"));
        let why: Vec<_> = why.chain(strangers).collect();
        sink.error(place.span.clone(), message).help(why.join("\n"));
    }
}

/// The words of a test that are asked by themselves.
pub(in super::super) fn ask(written: &written::Test, asked: &Asked<'_>, sink: &mut Sink) -> Option<Question> {
    let unplaced = |name: &String| Spanned::new(0..0, name.clone());
    let lines: Vec<_> = asked.rules.surroundings().lines.iter().map(|line| unplaced(&line.name)).collect();
    let trunks: Vec<_> = asked.ingress.trunks.iter().map(|trunk| unplaced(&trunk.name)).collect();
    let mut lines = Names::of("line", &lines);
    question(written, asked, &mut lines, &mut Names::of("trunk", &trunks), sink)
}
