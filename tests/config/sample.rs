//! The sample file and the examples: good, complete, and true about the defaults.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use hearken::config;

use tempfile::NamedTempFile;

use super::{Site, shorts, today};

pub(crate) const SAMPLE: &str = include_str!("../../config/hearken.toml");

#[test]
fn the_sample_and_the_examples_are_good() {
    for file in ["config/hearken.toml", "examples/surgery/hearken.toml", "examples/ambulance/hearken.toml"] {
        let loaded = config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file), today());
        let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(shorts(&loaded.warnings), [""; 0], "{file}");
    }
}

#[test]
fn what_the_sample_shows_as_defaults_are_the_defaults() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let is_key =
        |line: &str| line.starts_with('#') && line[1..].starts_with(|c: char| c.is_ascii_lowercase());
    let shown = SAMPLE.lines().filter(|line| is_key(line)).count();
    assert!(shown > 25, "only {shown} keys are commented out");
    let lines = SAMPLE.lines().map(|line| if is_key(line) { &line[1..] } else { line });
    let uncommented: String = lines.flat_map(|line| [line, "\n"]).collect();
    let stated = config::parse(&uncommented, "uncommented", &base, today())
        .unwrap_or_else(|errors| panic!("{errors}"));
    let silent = config::parse(SAMPLE, "sample", &base, today()).unwrap();
    assert_eq!(stated.deployment, silent.deployment);
}

/// A file that only its owner can read: a repository holds none.
fn secret() -> String {
    static FILE: OnceLock<NamedTempFile> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let file = NamedTempFile::new().unwrap();
        fs::write(&file, "a secret\n").unwrap();
        file
    });
    file.path().display().to_string()
}

/// The sample with its examples, which have no default, as if they were meant.
pub(crate) fn with_examples() -> String {
    let is_key = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let example = |line: &'static str| {
        let text = line.strip_prefix("# ")?;
        let stated = text.split_once(" = ").is_some_and(|(key, _)| is_key(key));
        let stated = stated || (text.starts_with('[') && text.ends_with(']'));
        stated.then_some(text)
    };
    let text: String = SAMPLE.lines().flat_map(|line| [example(line).unwrap_or(line), "\n"]).collect();
    text.replace("oidc.secret", &secret())
}

#[test]
fn what_the_sample_shows_as_examples_is_good() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let text = with_examples();
    assert!(text.matches("\nway-out = ").count() == 1 && text.matches("\n[skill.welsh]").count() == 1);
    let loaded = config::parse(&text, "examples", &base, today()).unwrap_or_else(|errors| panic!("{errors}"));
    let found = shorts(&loaded.warnings);
    assert!(
        found.len() == 1 && found[0].ends_with("`share` is used only with fair-share = true"),
        "{found:?}"
    );
}

#[test]
fn the_sample_shows_every_key() {
    let (site, text) = (Site::new(), with_examples());
    let single = [
        "node",
        "sip",
        "media",
        "distributor",
        "feature-codes",
        "callback",
        "ledger",
        "report",
        "flight",
        "web",
        "hep",
        "telemetry",
        "drain",
        "log",
    ];
    let named = [
        "clip",
        "window",
        "practice",
        "agent",
        "team",
        "line",
        "removed",
        "destination",
        "stack",
        "pathway",
        "disposition",
        "trunk",
    ]
    .map(|table| (table, "x"));
    let (override_of, oidc) = (("practice", "x.override"), ("web", "[web.oidc]".to_owned()));
    let lists = [("overflow", ""), ("test", ""), override_of];
    let single = single.map(|table| (table, format!("[{table}]")));
    let named = named.map(|(table, name)| (table, format!("[{table}.{name}]")));
    let lists = lists.map(|(table, name)| {
        let name = if name.is_empty() { table.to_owned() } else { format!("{table}.{name}") };
        (table, format!("[[{name}]]"))
    });
    for (table, header) in single.into_iter().chain(named).chain(lists).chain([oidc]) {
        // A key that is like no other is answered with all that there are.
        let report = site.report(&format!("{header}\nqqqqqqqqqqqq = 1\n"));
        let help = report.diagnostics().iter().filter_map(|found| found.help.as_deref());
        let keys = help.filter_map(|help| help.strip_prefix("its keys are ")).next().unwrap();
        let parts = text.split("\n[").filter(|part| {
            let named = part.trim_start_matches('[').split(['.', ']']).next();
            named == Some(table)
        });
        let sample: Vec<&str> = parts.flat_map(str::lines).collect();
        for key in keys.split(", ") {
            let shows = |line: &&str| line.trim_start_matches(['#', ' ']).split(" =").next() == Some(key);
            let is_table = SAMPLE.contains(&format!(".{key}]"));
            assert!(is_table || sample.iter().any(shows), "{key} of {header} is not in the sample");
        }
    }
}

#[test]
fn what_the_handbook_shows_can_be_read() {
    let handbook = include_str!("../../docs/rules.md");
    let blocks: Vec<&str> =
        handbook.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 5, "only {} examples", blocks.len());
    for block in blocks {
        // Names of other parts of the file, and a socket, are left out of an example; nothing else is wrong.
        let left_out =
            ["there is no", "without `listen`", "has no trunk", "is joined by", "in no team", "is needed"];
        let report = Site::new().report(block);
        let found = shorts(&report);
        let wrong: Vec<_> =
            found.iter().filter(|found| !left_out.iter().any(|words| found.contains(words))).collect();
        let unused = |found: &&&String| {
            !found.contains("is asked for by nothing") && !found.contains("is sent no call")
        };
        assert_eq!(wrong.iter().filter(|found| unused(found)).count(), 0, "{block}\n{wrong:#?}");
    }
}
