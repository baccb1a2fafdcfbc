//! Files spoilt at random: nothing panics, and every diagnostic lies where it says.

use std::path::Path;

use hearken::config::{self, Report};
use proptest::prelude::*;

use super::sample::with_examples;
use super::today;

/// One way to spoil a text.
#[derive(Clone, Debug)]
enum Mutation {
    Delete { at: usize, len: usize },
    Insert { at: usize, what: usize },
    Repeat { from: usize, len: usize, at: usize },
    SwapLines { a: usize, b: usize },
    DropLine { at: usize },
}

const SCRAPS: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "\"",
    "\"\"\"",
    "'",
    "'''",
    "=",
    ".",
    ",",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "#",
    "-",
    "+",
    "\\",
    "\\u12",
    "\\U0010FFFF",
    "é",
    "\u{1f691}",
    "\u{feff}",
    "\u{202e}",
    "\u{301}",
    "0",
    "0x",
    "1e400",
    "99999999999999999999",
    "nan",
    "1979-05-27",
    "true",
    "[line.elm-tree]",
    "[[trunk]]",
    "[sip]",
    "[agent]",
    "[trunk.as-999.from]",
    "line.emergency.teams = []\n",
    "a.b.c = 1\n",
    "from = {",
    "[\"127.0.0.9\"]",
    "agent = 1\n",
    "[[overflow]]",
    "[[test]]",
    "[[practice.elm-tree.override]]",
    "when-any = {}\n",
    "at = { riverside = { waiting-over = 1 } }",
    "relax = [{}]\n",
    "2026-02-30",
    "2026-12-31..2026-01-01",
    "bank-holidays",
    "monday-peak",
    "stay",
    "00:00",
    "\"\" = 1\n",
    "::ffff:127.0.0.9",
    "/0",
    "h",
    "ms",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let any = any::<usize>;
    prop_oneof![
        (any(), 0..40usize).prop_map(|(at, len)| Mutation::Delete { at, len }),
        (any(), any()).prop_map(|(at, what)| Mutation::Insert { at, what }),
        (any(), 0..60usize, any()).prop_map(|(from, len, at)| Mutation::Repeat { from, len, at }),
        (any(), any()).prop_map(|(a, b)| Mutation::SwapLines { a, b }),
        any().prop_map(|at| Mutation::DropLine { at }),
    ]
}

/// The sample with every key and without its prose, so that mutations meet keys.
fn bare_sample() -> String {
    let is_prose = |line: &&str| line.starts_with("# ") || *line == "#" || line.is_empty();
    let sample = with_examples();
    let lines = sample.lines().filter(|line| !is_prose(line));
    lines.flat_map(|line| [line.trim_start_matches('#'), "\n"]).collect()
}

fn mutate(text: &mut String, mutation: &Mutation) {
    let place = |text: &str, at: usize| text.floor_char_boundary(at % (text.len() + 1));
    let range = |text: &str, at: usize, len: usize| {
        let start = place(text, at);
        start..text.floor_char_boundary(start.saturating_add(len)).max(start)
    };
    match *mutation {
        Mutation::Delete { at, len } => drop(text.drain(range(text, at, len))),
        Mutation::Insert { at, what } => text.insert_str(place(text, at), SCRAPS[what % SCRAPS.len()]),
        Mutation::Repeat { from, len, at } => {
            let piece = text[range(text, from, len)].to_owned();
            text.insert_str(place(text, at), &piece);
        }
        Mutation::SwapLines { a, b } => {
            let mut lines: Vec<&str> = text.split('\n').collect();
            let count = lines.len();
            lines.swap(a % count, b % count);
            *text = lines.join("\n");
        }
        Mutation::DropLine { at } => {
            let mut lines: Vec<&str> = text.split('\n').collect();
            lines.remove(at % lines.len());
            *text = lines.join("\n");
        }
    }
}

/// Every place of a report lies within the file, on character boundaries, at its line and column.
fn check_places(report: &Report, text: &str) {
    for diagnostic in report.diagnostics() {
        assert!(!diagnostic.message.is_empty());
        let places = diagnostic.place.iter().chain(diagnostic.also.iter().map(|(place, _)| place));
        for place in places {
            assert!(text.get(place.span.clone()).is_some(), "{diagnostic:?}");
            let before = &text[..place.span.start];
            assert_eq!(place.line, before.matches('\n').count() + 1);
            assert_eq!(place.column, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_spoilt_file_panics_or_is_reported_out_of_place(mutations in prop::collection::vec(mutation(), 1..12)) {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let mut text = bare_sample();
        for mutation in &mutations {
            mutate(&mut text, mutation);
        }
        let report = match config::parse(&text, "spoilt", &base, today()) {
            Ok(loaded) => loaded.warnings,
            Err(errors) => {
                prop_assert!(errors.0.errors() > 0, "refused without a reason");
                errors.0
            }
        };
        check_places(&report, &text);
        prop_assert_eq!(report.render(true).is_empty(), report.diagnostics().is_empty());
    }

    #[test]
    fn no_text_at_all_panics(chars in prop::collection::vec(any::<char>(), 0..200)) {
        let text: String = chars.into_iter().collect();
        let report = match config::parse(&text, "noise", Path::new(""), today()) {
            Ok(loaded) => loaded.warnings,
            Err(errors) => errors.0,
        };
        check_places(&report, &text);
        report.render(false);
    }
}
