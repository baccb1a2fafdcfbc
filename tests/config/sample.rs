//! The sample file and the examples: good, complete, and true about the defaults.

use std::path::Path;

use hearken::config;

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

#[test]
fn the_sample_shows_every_key() {
    let site = Site::new();
    let single = ["node", "sip", "media", "distributor", "ledger", "drain", "log"];
    let named = ["clip", "practice", "agent", "team", "line", "trunk"];
    for table in single.into_iter().chain(named) {
        // A key that is like no other is answered with all that there are.
        let header = if named.contains(&table) { format!("[{table}.x]") } else { format!("[{table}]") };
        let report = site.report(&format!("{header}\nqqqqqqqqqqqq = 1\n"));
        let help = report.diagnostics().iter().filter_map(|found| found.help.as_deref());
        let keys = help.filter_map(|help| help.strip_prefix("its keys are ")).next().unwrap();
        let parts = SAMPLE.split("\n[").filter(|part| part.split(['.', ']']).next() == Some(table));
        let sample: Vec<&str> = parts.flat_map(str::lines).collect();
        for key in keys.split(", ") {
            let shows = |line: &&str| line.trim_start_matches('#').split(" =").next() == Some(key);
            assert!(sample.iter().any(shows), "{key} of {header} is not in the sample");
        }
    }
}
