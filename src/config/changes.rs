//! What differs between two configurations, in the words of the file.
//!
//! Both texts have passed every check. Comments, order of tables and spelling of values do not count; the
//! order of rules does.

use std::collections::BTreeMap;
use std::fmt;

use toml::{Table, Value};

/// Longest value shown, in characters.
const LONGEST: usize = 60;

/// What only a restart takes over, by the beginning of the key.
const AT_RESTART: [&str; 23] = [
    "node.name",
    "sip.listen",
    "sip.advertise",
    "sip.t1",
    "sip.t2",
    "sip.t4",
    "media.bind",
    "media.advertise",
    "media.threads",
    "media.first-port",
    "media.shared-ports",
    "media.spill-ports",
    "media.dead-media-after",
    "ledger.",
    "flight.",
    "hep.",
    "telemetry.",
    "web.on",
    "web.listen",
    "web.answer-within",
    "web.emergency-within",
    "web.requests-per-second",
    "log.",
];

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where: `line.elm-tree.ring-for`, or `line.elm-tree` for a table that is new or gone.
    pub key: String,
    /// What it was, as written; `None` where there was nothing.
    pub was: Option<String>,
    /// What it is, as written; `None` where there is nothing any more.
    pub is: Option<String>,
    /// Whether only a restart of the daemon takes it over.
    pub at_restart: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { key, was, is, at_restart } = self;
        match (was, is) {
            (Some(was), Some(is)) => write!(f, "~ {key}: {was} -> {is}")?,
            (None, Some(is)) if is.is_empty() => write!(f, "+ {key}")?,
            (None, Some(is)) => write!(f, "+ {key}: {is}")?,
            (Some(was), None) if was.is_empty() => write!(f, "- {key}")?,
            (Some(was), None) => write!(f, "- {key}: {was}")?,
            (None, None) => write!(f, "  {key}")?,
        }
        if *at_restart { f.write_str(" (after a restart)") } else { Ok(()) }
    }
}

/// The differences from `old` to `new`, in order of their keys; texts that are not TOML count as empty.
pub fn changes(old: &str, new: &str) -> Vec<Change> {
    let [old, new] = [old, new].map(|text| flatten(text.parse::<Table>().unwrap_or_default()));
    let mut changes: Vec<Change> = Vec::new();
    let keys: std::collections::BTreeSet<&Vec<String>> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (was, is) = (old.get(key), new.get(key));
        if was == is {
            continue;
        }
        let name = key.join(".");
        // Of a table that is new or gone, its name says enough; what a new one holds is in the file.
        let parent = (1..key.len()).any(|length| {
            let above = &key[..length];
            let known = changes.iter().any(|change| change.key == above.join("."));
            known && old.contains_key(above) != new.contains_key(above)
        });
        let at_restart =
            AT_RESTART.iter().any(|start| name.starts_with(start)) || is_keep_of_practice(&key[..]);
        if !parent || at_restart {
            let [was, is] = match name.as_str() {
                "hep.key" => [was, is].map(|value| value.map(|_| "...".to_owned())),
                _ => [was, is].map(|value| value.map(|text| shortened(&without_password(text)))),
            };
            changes.push(Change { key: name, was, is, at_restart });
        }
    }
    changes
}

/// Whether this is for how long a practice's records are kept, which the ledger is told at its start.
fn is_keep_of_practice(key: &[String]) -> bool {
    matches!(key, [table, _, last] if table == "practice" && last == "keep")
}

/// Every value by its path; tables are there too, as empty texts.
pub(super) fn flatten(table: Table) -> BTreeMap<Vec<String>, String> {
    let mut flat = BTreeMap::new();
    // One or two levels of tables have names of their own: [sip], [line.NAME].
    for (key, value) in table {
        flatten_into(&mut flat, vec![key], value);
    }
    flat
}

fn flatten_into(flat: &mut BTreeMap<Vec<String>, String>, path: Vec<String>, value: Value) {
    match value {
        Value::Table(table) if path.len() < 3 => {
            if path.len() > 1 {
                flat.insert(path.clone(), String::new());
            }
            for (key, value) in table {
                flatten_into(flat, [path.clone(), vec![key]].concat(), value);
            }
        }
        Value::Array(items) if path.len() == 1 && items.iter().all(Value::is_table) => {
            let mut order = Vec::new();
            for (at, item) in items.into_iter().enumerate() {
                let Value::Table(mut item) = item else { continue };
                let name = match item.remove("name") {
                    Some(Value::String(name)) => name,
                    _ => format!("{}", at + 1),
                };
                order.push(name.clone());
                flatten_into(flat, vec![path[0].clone(), name], Value::Table(item));
            }
            flat.insert([path, vec!["(order)".to_owned()]].concat(), order.join(", "));
        }
        value => {
            flat.insert(path, value.to_string());
        }
    }
}

/// An address without who may use it and without parameters: a password can be in either.
fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let (before, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let place = match before.rsplit_once('@') {
        // That was no beginning of parameters, but a part of a password.
        _ if parameters.contains('@') => "...\"",
        Some((_, place)) => place,
        None => before,
    };
    let more = if parameters.is_empty() || parameters.contains('@') { "" } else { "?...\"" };
    format!("{scheme}://{place}{more}")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> Vec<String> {
        changes(old, new).iter().map(Change::to_string).collect()
    }

    #[test]
    fn the_same_in_other_words_is_no_change() {
        let old = "[line.a]\nteams = ['x', 'y']\n[sip]\nmax-calls = 5\n";
        let new = "# better\n[sip]\nmax-calls = 5\n[line.a]\nteams = [\n\"x\",\n\"y\"]\n";
        assert_eq!(shown(old, new), [""; 0]);
    }

    #[test]
    fn a_changed_value_shows_what_it_was() {
        let old = "[line.a]\nring-for = \"20s\"\n[team.t]\nagents = [\"asha\"]\n";
        let new = "[line.a]\nring-for = \"30s\"\nwrap-up = \"5s\"\n[team.t]\nagents = [\"asha\", \"ben\"]\n";
        assert_eq!(
            shown(old, new),
            [
                "~ line.a.ring-for: \"20s\" -> \"30s\"",
                "+ line.a.wrap-up: \"5s\"",
                "~ team.t.agents: [\"asha\"] -> [\"asha\", \"ben\"]",
            ]
        );
    }

    #[test]
    fn a_table_that_is_new_or_gone_is_named_once() {
        let old = "[line.a]\nring-for = \"20s\"\nmusic = \"m\"\n";
        let new = "[line.b]\nring-for = \"20s\"\n";
        assert_eq!(shown(old, new), ["- line.a", "+ line.b"]);
    }

    #[test]
    fn rules_go_by_their_names_and_their_order_counts() {
        let rule = |name: &str, over: u32| {
            format!("[[overflow]]\nname = \"{name}\"\nfrom = \"a\"\nwhen-any = {{ waiting-over = {over} }}\n")
        };
        let old = rule("x", 8) + &rule("y", 9);
        assert_eq!(
            shown(&old, &(rule("x", 7) + &rule("y", 9))),
            ["~ overflow.x.when-any: { waiting-over = 8 } -> { waiting-over = 7 }"]
        );
        assert_eq!(shown(&old, &(rule("y", 9) + &rule("x", 8))), ["~ overflow.(order): x, y -> y, x"]);
    }

    #[test]
    fn what_waits_for_a_restart_is_said() {
        let changes =
            shown("[sip]\nt1 = \"500ms\"\nmax-calls = 5\n", "[sip]\nt1 = \"600ms\"\nmax-calls = 6\n");
        assert_eq!(
            changes,
            ["~ sip.max-calls: 5 -> 6", "~ sip.t1: \"500ms\" -> \"600ms\" (after a restart)"]
        );
        let node = shown(
            "[node]\nname = \"a\"\nzone = \"UTC\"\n",
            "[node]\nname = \"b\"\nzone = \"Europe/London\"\n",
        );
        assert_eq!(
            node,
            ["~ node.name: \"a\" -> \"b\" (after a restart)", "~ node.zone: \"UTC\" -> \"Europe/London\""]
        );
    }

    #[test]
    fn the_key_of_a_collector_is_not_shown() {
        let changes = shown("[hep]\nkey = \"old\"\n", "[hep]\nkey = \"new\"\n");
        assert_eq!(changes, ["~ hep.key: ... -> ... (after a restart)"]);
    }

    #[test]
    fn of_the_interface_only_who_may_use_it_is_taken_over_at_once() {
        let keys = [
            "on = true",
            "listen = \"[::1]:80\"",
            "answer-within = \"9s\"",
            "emergency-within = \"9s\"",
            "requests-per-second = 9",
        ];
        for key in keys {
            let [change] = &shown("[web]\nusers = \"a\"\n", &format!("[web]\nusers = \"a\"\n{key}\n"))[..]
            else {
                panic!("{key}")
            };
            assert!(change.ends_with(" (after a restart)"), "{change}");
        }
        assert_eq!(
            shown("[web]\nusers = \"a\"\n", "[web]\nusers = \"b\"\n"),
            ["~ web.users: \"a\" -> \"b\""]
        );
        assert_eq!(
            shown("[web.oidc]\nname = \"a\"\n", "[web.oidc]\nname = \"b\"\n"),
            ["~ web.oidc.name: \"a\" -> \"b\""]
        );
        let practice =
            shown("[practice.keep]\nods = \"Y1\"\n", "[practice.keep]\nods = \"Y2\"\nkeep = \"400d\"\n");
        let new = shown("", "[practice.elm]\nods = \"Y1\"\nkeep = \"400d\"\n");
        assert_eq!(new, ["+ practice.elm", "+ practice.elm.keep: \"400d\" (after a restart)"]);
        assert_eq!(
            practice,
            ["+ practice.keep.keep: \"400d\" (after a restart)", "~ practice.keep.ods: \"Y1\" -> \"Y2\""]
        );
    }

    #[test]
    fn no_password_of_a_server_is_shown_wherever_it_stands() {
        let path = |address: &str| format!("[ledger]\npath = \"{address}\"\n");
        for (address, seen) in [
            ("postgres://db.example:5433/calls", "postgres://db.example:5433/calls"),
            ("postgres://hearken:secret@db.example/calls", "postgres://db.example/calls"),
            ("postgres://hearken:sec@ret@db.example/calls", "postgres://db.example/calls"),
            (
                "postgresql://db.example/calls?user=hearken&password=secret",
                "postgresql://db.example/calls?...",
            ),
            ("postgres://h:secret@db.example/calls?sslpassword=secret", "postgres://db.example/calls?..."),
            ("postgres://db.example/calls?password=secret@secret", "postgres://..."),
            ("postgres://hearken:sec?ret@db.example/calls", "postgres://..."),
            ("https://hearken:secret@traces.example/v1", "https://traces.example/v1"),
        ] {
            let said = shown("[ledger]\npath = \"calls.db\"\n", &path(address));
            assert_eq!(said, [format!("~ ledger.path: \"calls.db\" -> \"{seen}\" (after a restart)")]);
        }
    }

    #[test]
    fn what_differs_behind_the_part_that_is_shown_is_a_change() {
        let path =
            |password: &str| format!("[ledger]\npath = \"postgres://h:{password}@db.example/calls\"\n");
        let same = "~ ledger.path: \"postgres://db.example/calls\" -> \"postgres://db.example/calls\" (after a restart)";
        assert_eq!(shown(&path("secret"), &path(&"long".repeat(20))), [same]);
        let agents = |last: &str| format!("[team.t]\nagents = [{}\"{last}\"]\n", "\"somebody\", ".repeat(20));
        let long = format!("[{}...", "\"somebody\", ".repeat(5).get(..59).unwrap_or_default());
        assert_eq!(shown(&agents("asha"), &agents("ben")), [format!("~ team.t.agents: {long} -> {long}")]);
    }
}
