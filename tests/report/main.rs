//! `hearken report` against figures that were counted elsewhere: by a program in another language, and by hand.
//!
//! `tests/run` installs what the Python programs need beside the build.

#![allow(clippy::unwrap_used)]

mod counted;
mod formats;
mod ledgers;
// Others use more of it.
#[allow(dead_code, unreachable_pub)]
#[path = "../ledger/server.rs"]
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser as _;
use hearken::cli::report::{self, Setup};
use hearken::config;
use serde_json::Value;
use tempfile::TempDir;

/// Two practices with a fifth, one pathway, three dispositions; `more` goes into `[report]`.
fn configuration(dir: &TempDir, more: &str) -> Setup {
    let text = format!(
        r#"
[sip]
listen = ["udp:127.0.0.1:5060"]
[ledger]
path = "{}"
[report]
{more}
[practice.elm-tree]
ods = "Y00001"
name = "Elm Tree Surgery"
fifth = 2
region = "Y56"
icb = "QMJ"
sub-icb = "93C"
pcn = "U12345"
[practice.riverside]
ods = "Y00002"
fifth = 5
[practice.mill-lane]
[window.always]
[pathway.pharmacy]
kind = "pharmacy"
hours = "always"
[disposition.21]
words = "Advice"
counts-as = "advice"
[disposition.22]
words = "Own surgery"
counts-as = "referral"
[disposition.23]
words = "Ambulance"
[agent.asha]
address = "sip:asha@127.0.0.21:5080"
[agent.ben]
address = "sip:ben@127.0.0.22:5080"
[team.navigators]
agents = ["asha"]
[team.clinicians]
agents = ["asha", "ben"]
[line.elm-tree]
teams = ["navigators"]
[line.emergency]
teams = ["clinicians"]
[trunk.elm-tree]
from = ["127.0.0.2"]
practice = "elm-tree"
line = "elm-tree"
[trunk.riverside]
from = ["127.0.0.3"]
practice = "riverside"
line = "elm-tree"
[trunk.mill-lane]
from = ["127.0.0.4"]
practice = "mill-lane"
line = "elm-tree"
[trunk.as-999]
from = ["127.0.0.9"]
emergency = true
line = "emergency"
"#,
        ledger(dir).display()
    );
    let path = dir.path().join("hearken.toml");
    fs::write(&path, text).unwrap();
    let loaded =
        config::load(&path, jiff::civil::date(2026, 10, 25)).unwrap_or_else(|errors| panic!("{errors}"));
    Setup::of(&loaded.deployment).unwrap()
}

fn ledger(dir: &TempDir) -> PathBuf {
    dir.path().join("ledger.db")
}

#[derive(clap::Parser)]
struct Arguments {
    #[command(flatten)]
    args: report::Args,
}

/// What the report says of 25 and 26 October 2026, the first of which has 25 hours.
fn bytes(setup: &Setup, arguments: &[&str]) -> Vec<u8> {
    let days = ["report", "--from", "2026-10-25", "--to", "2026-10-26"];
    let Arguments { args } = Arguments::parse_from([&days, arguments].concat());
    let mut out = Vec::new();
    report::run(&args, setup, &mut out).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    out
}

fn text(setup: &Setup, arguments: &[&str]) -> String {
    String::from_utf8(bytes(setup, arguments)).unwrap()
}

fn json(setup: &Setup, arguments: &[&str]) -> Value {
    serde_json::from_str(&text(setup, &[arguments, &["--json"]].concat())).unwrap()
}

/// The rows of a report in CSV without its heading, each cell by the name of its column.
fn cells(csv: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// What a program beside this file prints.
fn python(script: &str, arguments: &[&str]) -> Value {
    let python =
        Path::new(env!("CARGO_BIN_EXE_hearken")).ancestors().nth(2).unwrap().join("python/bin/python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report").join(script);
    let output = Command::new(&python).arg("-B").arg(script).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{}: {error}; `bash tests/run` installs what is needed there", python.display())
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
