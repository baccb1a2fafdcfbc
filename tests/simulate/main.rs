//! `hearken simulate` as people run it, and beside Ciw.

#![allow(clippy::unwrap_used)]

mod ciw;
mod commands;
mod ledger;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The program, to be run where the sample configuration is.
fn hearken(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
    command.arg("simulate").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("RUST_LOG");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What the program says when it succeeds.
fn said(arguments: &[&str]) -> String {
    let output = hearken(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The first policy's figures.
fn figures(arguments: &[&str]) -> Value {
    let json: Value = serde_json::from_str(&said(&[arguments, &["--json"]].concat())).unwrap();
    json["policies"][0].clone()
}

fn file(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn str(path: &Path) -> &str {
    path.to_str().unwrap()
}
