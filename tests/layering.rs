//! The floors of `src/lib.rs`: every path in every file of `src` leads down, and the core stays pure.
//!
//! Reads the sources as text: comments, strings and test modules are blanked, then `crate::`, `super::` and
//! forbidden words are looked for. It knows Rust only as far as that takes.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every top-level module with its floor, as in the table of `src/lib.rs`.
const FLOORS: [(&str, u8); 22] = [
    ("time", 0),
    ("id", 0),
    ("octets", 0),
    ("rng", 0),
    ("audio", 0),
    ("access", 0),
    ("calendar", 1),
    ("policy", 1),
    ("acd", 1),
    ("sip", 2),
    ("rtp", 2),
    ("call", 3),
    ("switch", 3),
    ("net", 4),
    ("media", 4),
    ("ledger", 4),
    ("flight", 4),
    ("config", 4),
    ("web", 4),
    ("daemon", 5),
    ("sim", 5),
    ("cli", 6),
];

/// The only paths between modules of one floor.
const ACROSS: [(&str, &str); 4] =
    [("policy", "calendar"), ("acd", "calendar"), ("acd", "policy"), ("switch", "call")];

/// The highest floor of the core.
const CORE: u8 = 3;

/// What the core never names: the world, its clocks and its chances, and maps without an order.
const IMPURE: [&str; 27] = [
    "tokio",
    "async",
    "await",
    "mio",
    "nix",
    "rusqlite",
    "getrandom",
    "jiff",
    "tracing",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "Instant",
    "SystemTime",
    "HashMap",
    "HashSet",
    "Mutex",
    "RwLock",
    "Condvar",
    "mpsc",
    "thread_local",
    "static mut",
    "std::thread",
    "std::fs",
    "std::env",
    "std::process",
    "println!",
];

/// The one table of the core without an order of its own: whoever sees all of it sees it sorted.
const SORTED: &str = "acd/calls.rs";

/// What `jiff` has of the world: its clock and its time zones.
const OF_THE_HOST: [&str; 6] = ["now", "system", "try_system", "TimeZone::get", "tz::db", "from_env"];

#[test]
fn every_path_leads_down() {
    let faults: Vec<_> = sources().iter().flat_map(|(file, text)| faults(file, text)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_floors_here_are_those_of_the_map() {
    let map = fs::read_to_string(src().join("lib.rs")).unwrap();
    let rows = map.lines().filter_map(|line| line.strip_prefix("//! | "));
    let mut stated = BTreeMap::new();
    for row in rows {
        let mut cells = row.split(" | ");
        let (Some(Ok(floor)), Some(modules)) = (cells.next().map(str::parse::<u8>), cells.next()) else {
            continue;
        };
        for module in modules.split(", ") {
            stated.insert(module.trim_matches(['[', ']', '`']).to_owned(), floor);
        }
    }
    let declared: Vec<_> =
        map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(declared.len() > 10, "{declared:?}");
    for module in declared {
        assert_eq!(
            stated.get(module).copied(),
            floor(module),
            "`{module}` in the table of src/lib.rs and here"
        );
    }
}

/// What is wrong with one file: `path` is seen from `src`.
fn faults(path: &Path, text: &str) -> Vec<String> {
    let module = module_path(path);
    let Some(own) = module.first().filter(|own| !matches!(own.as_str(), "lib" | "main")) else {
        return Vec::new();
    };
    let code = without_tests(&without_words(text));
    let Some(height) = floor(own) else { return vec![format!("{}: `{own}` is on no floor", path.display())] };
    let mut found = Vec::new();
    for (line, target) in targets(&code, &module) {
        let fault = |why: String| format!("src/{}:{line}: {why}", path.display());
        match floor(&target) {
            _ if target == *own => {}
            None => found.push(fault(format!("`{target}` is on no floor"))),
            Some(other) => {
                let pair = (own.as_str(), target.as_str());
                let allowed = other < height || ACROSS.contains(&pair);
                if !allowed {
                    found.push(fault(format!("`{own}` (floor {height}) uses `{target}` (floor {other})")));
                }
            }
        }
    }
    let mut words: Vec<&str> = if height <= CORE { IMPURE.to_vec() } else { Vec::new() };
    if own == "calendar" {
        words.retain(|word| *word != "jiff");
        words.extend(OF_THE_HOST);
    }
    if path == Path::new(SORTED) {
        words.retain(|word| *word != "HashMap");
    }
    if !path.starts_with("sip/message") {
        words.push("rsip");
    }
    for word in words {
        let places = lines(&code).filter(|(_, text)| names(text, word));
        found.extend(places.map(|(line, _)| format!("src/{}:{line}: `{own}` names {word}", path.display())));
    }
    found
}

/// The top-level modules that a text's paths lead to, with their lines.
fn targets(code: &str, module: &[String]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (start, root) in
        code.match_indices("crate::").map(|(at, word)| (at, at + word.len())).chain(roots(code, module))
    {
        let line = code[..start].matches('\n').count() + 1;
        found.extend(first_names(&code[root..]).into_iter().map(|name| (line, name)));
    }
    found
}

/// Where chains of `super::` reach the crate's root: where each begins, and where it ends.
fn roots(code: &str, module: &[String]) -> Vec<(usize, usize)> {
    let word = "super::";
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = code[at..].find(word).map(|offset| at + offset) {
        let mut end = start;
        while code[end..].starts_with(word) {
            end += word.len();
        }
        if (end - start) / word.len() >= module.len() {
            found.push((start, end));
        }
        at = end;
    }
    found
}

/// The first names of what follows `crate::`: one, or each of a list in braces.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(list) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut depth = 0;
    let mut names = vec![name(list)];
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&list[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Whether a line has this word as a word of its own.
fn names(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
    })
}

fn lines(code: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(code.lines())
}

/// The text with comments, strings and characters blanked; lines stay where they are.
fn without_words(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let raw = ["r\"", "r#\"", "r##\"", "br\"", "br#\""].into_iter().find(|open| rest.starts_with(open));
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let (Some(open), true) = (raw, starts_word(&code)) {
            let close = format!("\"{}", "#".repeat(open.matches('#').count()));
            rest[open.len()..].find(&close).map_or(rest.len(), |end| open.len() + end + close.len())
        } else if first == '"' {
            string_length(rest)
        } else if first == '\'' {
            // A lifetime is no character: 'a' and '\n' end with a quote, 'a does not.
            let inner = rest[1..]
                .chars()
                .next()
                .map_or(0, |c| if c == '\\' { rest[2..].find('\'').unwrap_or(0) + 1 } else { c.len_utf8() });
            if rest[1 + inner..].starts_with('\'') { inner + 2 } else { 0 }
        } else {
            0
        };
        let (skipped, after) = rest.split_at(length);
        code.extend(skipped.chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = after;
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    code
}

fn starts_word(before: &str) -> bool {
    !before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Blank what only tests see: everything that `#[cfg(test)]` stands before.
fn without_tests(code: &str) -> String {
    let mut code = code.to_owned();
    while let Some(start) = code.find("#[cfg(test)]") {
        let rest = &code[start..];
        let opens = rest.find('{').unwrap_or(rest.len());
        let ends = rest.find(';').unwrap_or(rest.len());
        let length = if ends < opens { ends + 1 } else { block_length(rest, opens) };
        let blank: String = rest[..length].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        code.replace_range(start..start + length, &blank);
    }
    code
}

fn block_length(rest: &str, opens: usize) -> usize {
    let mut depth = 0;
    for (at, character) in rest[opens..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return opens + at + character.len_utf8();
        }
    }
    rest.len()
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|&(_, floor)| floor)
}

/// `switch/hold.rs` is `switch::hold`, `switch/mod.rs` is `switch`.
fn module_path(path: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        path.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    names
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source that is not a test, seen from `src`.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![src()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name == "tests" || name == "tests.rs" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(src()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 50, "where are the sources?");
    found.sort();
    found
}

#[test]
fn a_path_that_leads_up_or_across_is_found() {
    let cases = [
        ("acd/line.rs", "use crate::sip::Flow;", "src/acd/line.rs:1: `acd` (floor 1) uses `sip` (floor 2)"),
        (
            "policy/door.rs",
            "\nfn f(a: crate::acd::Line) {}",
            "src/policy/door.rs:2: `policy` (floor 1) uses `acd` (floor 1)",
        ),
        ("rtp/mod.rs", "use crate::{audio, sip::{Flow, wire}};", "`rtp` (floor 2) uses `sip`"),
        ("call/leg.rs", "use super::super::switch::Switch;", "`call` (floor 3) uses `switch`"),
        ("media/leg.rs", "use crate::net::Net;", "`media` (floor 4) uses `net`"),
        ("daemon/mod.rs", "use crate::cli;", "`daemon` (floor 5) uses `cli`"),
        ("time.rs", "use std::time::Instant;", "`time` names Instant"),
        ("switch/mod.rs", "let map: HashMap<u8, u8>;", "`switch` names HashMap"),
        ("switch/mod.rs", "async fn f() {}", "`switch` names async"),
        ("sip/wire/mod.rs", "use rsip::Request;", "`sip` names rsip"),
        ("policy/door.rs", "use jiff::civil::Date;", "`policy` names jiff"),
        ("calendar/mod.rs", "use crate::acd::Band;", "`calendar` (floor 1) uses `acd` (floor 1)"),
        ("calendar/zone.rs", "let at = Zoned::now();", "`calendar` names now"),
        ("calendar/zone.rs", "let zone = TimeZone::system();", "`calendar` names system"),
        ("calendar/zone.rs", "let zone = TimeZone::get(name);", "`calendar` names TimeZone::get"),
        ("novel/mod.rs", "", "`novel` is on no floor"),
    ];
    for (path, text, fault) in cases {
        let found = faults(Path::new(path), text);
        assert!(found.len() == 1 && found[0].contains(fault), "{path}: {text}: {found:?}");
    }
}

#[test]
fn what_is_allowed_is_no_fault() {
    let cases = [
        ("acd/line.rs", "use crate::policy::Band; use crate::calendar::Date;"),
        ("calendar/zone.rs", "use jiff::tz::TimeZoneDatabase;"),
        ("switch/hold.rs", "use crate::call::leg::{Leg, State}; use super::{Ask, Switch};"),
        (
            "acd/line.rs",
            "// crate::sip, HashMap\nlet s = \"crate::sip::x\"; /* tokio */ let c = '\"'; let a: &'a str;",
        ),
        (
            "acd/line.rs",
            "#[cfg(test)]\nmod tests { use std::collections::HashMap; fn f() { crate::sip::x() } }",
        ),
        ("acd/line.rs", "let s = r#\"crate::sip \" HashMap\"#; let instants = Instants;"),
        ("sip/message/mod.rs", "use rsip::Request;"),
        ("acd/calls.rs", "use std::collections::HashMap;"),
        ("media/thread.rs", "use std::thread; use crate::call::media::Command;"),
        ("lib.rs", "pub mod novel;"),
    ];
    for (path, text) in cases {
        assert_eq!(faults(Path::new(path), text), Vec::<String>::new(), "{path}: {text}");
    }
}
