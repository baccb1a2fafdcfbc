//! `hearken demo` as people run it: the program itself, its output, its exit status.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

/// The program, to be run where the sample configuration is.
fn hearken(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("RUST_LOG");
    command
}

fn text(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).unwrap()
}

fn ended(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = hearken(arguments).output().unwrap();
    (status.code(), text(&stdout), text(&stderr))
}

/// One line of the show that belongs to a call.
#[derive(Debug)]
struct Shown<'a> {
    call: &'a str,
    emergency: bool,
    line: &'a str,
    what: String,
}

impl Shown<'_> {
    /// What happened, in one word.
    fn word(&self) -> &str {
        self.what.split([' ', ',']).next().unwrap()
    }
}

fn shown(output: &str) -> Vec<Shown<'_>> {
    output.lines().filter_map(read).collect()
}

fn read(line: &str) -> Option<Shown<'_>> {
    let mut words = line.split_whitespace().peekable();
    words.next()?;
    let call = words.next().filter(|word| word.starts_with("call-"))?;
    let emergency = words.next_if_eq(&"999").is_some();
    let line = words.next()?;
    Some(Shown { call, emergency, line, what: words.collect::<Vec<_>>().join(" ") })
}

/// Calls, answered, abandoned, refused and lost by line, as the table has them.
fn table(output: &str) -> BTreeMap<String, [u64; 5]> {
    let rows = output.lines().skip_while(|line| !line.starts_with("line ")).skip(1);
    let rows = rows.take_while(|line| !line.starts_with("Waits"));
    rows.map(|row| {
        let row = row.replacen("all lines", "all-lines", 1);
        let mut cells = row.split_whitespace();
        let name = cells.next().unwrap().to_owned();
        (name, std::array::from_fn(|_| cells.next().unwrap().parse().unwrap()))
    })
    .collect()
}

#[test]
fn the_demo_serves_999_first_loses_nobody_and_says_what_happened() {
    let (code, output, errors) = ended(&["demo", "--for", "8s", "--seed", "1"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    let shown = shown(&output);

    let emergencies: Vec<_> =
        (0..shown.len()).filter(|&at| shown[at].emergency && shown[at].word() == "arrived").collect();
    assert_eq!(emergencies.len(), 3, "{output}");
    let mut overtaken = 0;
    for arrived in emergencies {
        let presented = shown[arrived..]
            .iter()
            .position(|line| line.call == shown[arrived].call && line.word() == "presented");
        let presented = arrived + presented.expect("every emergency is presented");
        let mut waiting = BTreeSet::new();
        for line in shown[..arrived].iter().filter(|line| !line.emergency) {
            match line.word() {
                "arrived" | "missed" => waiting.insert(line.call),
                _ => waiting.remove(line.call),
            };
        }
        overtaken = overtaken.max(waiting.len());
        for line in &shown[arrived..presented] {
            let served_first = waiting.contains(line.call) && line.word() == "presented";
            assert!(!served_first, "{line:?} came before {:?}\n{output}", shown[arrived]);
        }
    }
    assert!(overtaken >= 6, "only {overtaken} callers waited\n{output}");
    assert!(shown.iter().any(|line| line.what.starts_with("missed by")), "{output}");

    let mut counted: BTreeMap<String, [u64; 5]> = BTreeMap::new();
    let mut bridged = BTreeSet::new();
    for line in &shown {
        let column = match line.word() {
            "arrived" => 0,
            "bridged" if bridged.insert(line.call) => 1,
            "abandoned" => 2,
            "refused" => 3,
            "LOST" => 4,
            _ => continue,
        };
        for name in [line.line, "all-lines"] {
            counted.entry(name.to_owned()).or_default()[column] += 1;
        }
    }
    assert_eq!(table(&output), counted, "{output}");
    let placed = counted["all-lines"][0];
    assert!(
        output.contains(&format!(
            "Calls: {placed} placed, {placed} in the ledger, each with exactly one outcome"
        ))
    );
    let talks = output.split("in ").filter_map(|text| text.split_once(" talks")).map(|(talks, _)| talks);
    let talks: Vec<_> = talks.last().unwrap().split(" of ").collect();
    assert_eq!(talks[0], talks[1]);
    assert_ne!(talks[0], "0");
    assert!(!output.contains('\x1b'), "colours are for terminals");
}

/// Ends the program when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn ctrl_c_lets_calls_finish_and_a_second_one_ends_them() {
    let mut demo = Running(hearken(&["demo", "--seed", "2"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let process = demo.0.id().to_string();
    let interrupt = || assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
    lines.find(|line| line.contains("bridged to")).unwrap();
    interrupt();
    lines.find(|line| line.contains("no more callers")).unwrap();
    interrupt();
    let rest: Vec<_> = lines.collect();
    assert!(demo.0.wait().unwrap().success(), "{rest:#?}");
    // One that was being dialled may still come in; none is placed any more.
    assert!(rest.iter().filter(|line| line.contains("arrived,")).count() <= 1, "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains("the end")), "{rest:#?}");
}

#[test]
fn a_kept_ledger_can_be_reported_on_and_is_never_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let kept = home.path().join("kept");
    let demo = ["demo", "--for", "1s", "--seed", "3", "--keep", kept.to_str().unwrap()];
    let (code, output, errors) = ended(&demo);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    let hint = output.lines().find_map(|line| line.split_once("hearken report")).unwrap().1;
    let arguments: Vec<_> = ["report"].into_iter().chain(hint.split_whitespace()).collect();
    let (code, report, errors) = ended(&arguments);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(table(&report), table(&output));
    let (code, _, errors) = ended(&demo);
    assert_eq!(code, Some(1), "{errors}");
}

#[test]
fn a_hub_that_is_not_on_loopback_is_left_alone() {
    let root = env!("CARGO_MANIFEST_DIR");
    let sample = std::fs::read_to_string(format!("{root}/config/hearken.toml")).unwrap();
    let elsewhere =
        sample.replace("127.0.0.", "192.0.2.").replace("prompts/", &format!("{root}/config/prompts/"));
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("elsewhere.toml");
    std::fs::write(&file, elsewhere).unwrap();
    let (code, output, errors) = ended(&["demo", "--for", "1s", "--config", file.to_str().unwrap()]);
    assert_eq!((code, output.as_str()), (Some(2), ""), "{errors}");
    assert!(errors.contains("the demo needs a configuration with loopback addresses only"), "{errors}");
}
