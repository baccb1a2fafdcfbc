//! A draft: a configuration that somebody sends to the running daemon, and who need not have its host.
//!
//! It is as good as the file, but for what belongs to the host: who may use the interface and where things are kept stay
//! as they are, and no file is so much as looked for outside of the directories that the configuration in force uses.
//! Else whoever may send a draft could have the daemon read any file, and be told of it by what is said against the draft.

use std::path::{Component, Path, PathBuf, absolute};

use serde_spanned::Spanned;
use toml::Table;

use super::sink::Sink;
use super::table::shown;
use super::written::{self, Written};

/// Tables that only whoever has the host can change.
const OF_THE_HOST: [&str; 5] = ["web", "ledger", "flight", "hep", "telemetry"];

/// Reports what a draft has that is not for it to say; `live` is the text in force, files are looked for from `base`.
pub(super) fn check(draft: &Table, written: &Written, live: &str, base: &Path, sink: &mut Sink) {
    let in_force = live.parse::<Table>().unwrap_or_default();
    for table in OF_THE_HOST {
        if draft.get(table) != in_force.get(table) {
            sink.error_of_file(format!("[{table}] is not as in the file in force"))
                .help("this table is changed on the host alone: in the file, which is then read again");
        }
    }
    let live = written::read(live, &mut Sink::new());
    let used: Vec<PathBuf> = named(&live).map(|file| place(base, file)).collect();
    let within: Vec<PathBuf> = std::iter::once(place(base, "."))
        .chain(used.iter().filter_map(|file| Some(file.parent()?.to_owned())))
        .collect();
    for file in files(written) {
        let path = place(base, file.get_ref());
        let climbs = Path::new(file.get_ref()).components().any(|part| part == Component::ParentDir);
        if !used.contains(&path) && (climbs || !within.iter().any(|directory| path.starts_with(directory))) {
            let message = format!("`{}` is in none of the directories in use", shown(file.get_ref()));
            sink.error(file.span(), message)
                .help("files lie beside the configuration, or beside those that it names already");
        }
    }
}

/// Every file, or directory of files, that is read for a configuration.
fn files(written: &Written) -> impl Iterator<Item = &Spanned<String>> {
    let Written { node, media, clips, .. } = written;
    let named = [&node.holidays, &node.shadow, &media.prompts].into_iter().flatten();
    named.chain(clips.iter().filter_map(|(_, clip)| clip.file.as_ref()))
}

fn named(written: &Written) -> impl Iterator<Item = &str> {
    files(written).map(|file| file.get_ref().as_str())
}

fn place(base: &Path, file: &str) -> PathBuf {
    let path = base.join(file);
    absolute(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Date, draft};
    use super::*;

    const LIVE: &str = "[web]\nusers = \"users.toml\"\n[node]\nholidays = \"/usr/share/hearken/days.json\"\n";

    fn faults(text: &str) -> Vec<String> {
        faults_at("/etc/hearken/hearken.toml", text)
    }

    fn faults_at(path: &str, text: &str) -> Vec<String> {
        let today = Date::new(2026, 7, 6).unwrap();
        let found = draft(text, Path::new(path), today, LIVE).unwrap_err();
        found.0.diagnostics().iter().map(|fault| fault.message.clone()).collect()
    }

    #[test]
    fn what_is_the_hosts_stays_as_it_is() {
        let host = |table: &str| vec![format!("[{table}] is not as in the file in force")];
        assert_eq!(faults(&LIVE.replace("users.toml", "hearken.toml")), host("web"));
        assert_eq!(faults(&LIVE.replace("users = \"users.toml\"", "")), host("web"));
        assert_eq!(faults(&format!("{LIVE}[ledger]\npath = \"elsewhere.db\"\n")), host("ledger"));
        assert_eq!(faults(&format!("{LIVE}[flight]\ndirectory = \"/\"\n")), host("flight"));
        assert_eq!(faults(&format!("{LIVE}[hep]\nto = \"192.0.2.9:9060\"\n")), host("hep"));
        assert_eq!(faults(&format!("{LIVE}[telemetry]\notlp = \"http://192.0.2.9\"\n")), host("telemetry"));
    }

    #[test]
    fn no_file_is_looked_for_outside_of_the_directories_in_use() {
        let outside = |file: &str| vec![format!("`{file}` is in none of the directories in use")];
        for file in ["/etc/shadow", "../shadow", "/usr/share/hearken/../x", "a/../../x"] {
            assert_eq!(faults(&LIVE.replace("/usr/share/hearken/days.json", file)), outside(file));
            assert_eq!(faults(&format!("{LIVE}[clip.a]\nfile = \"{file}\"\n")), outside(file));
            assert_eq!(faults(&format!("{LIVE}[media]\nprompts = \"{file}\"\n")), outside(file));
            assert_eq!(
                faults(&LIVE.replace("holidays", "shadow").replace("/usr/share/hearken/days.json", file)),
                outside(file)
            );
        }
        let elsewhere = format!("{LIVE}[clip.a]\nfile = \"/etc/shadow\"\n");
        assert_eq!(faults_at("hearken.toml", &elsewhere), outside("/etc/shadow"));
        // These are looked for, and are not there.
        for file in ["days.json", "more/days.json", "/usr/share/hearken/other.json"] {
            let faults = faults(&LIVE.replace("/usr/share/hearken/days.json", file));
            assert!(faults.iter().any(|fault| fault.contains("cannot be read")), "{faults:?}");
        }
    }

    #[test]
    fn of_a_text_that_is_no_toml_nothing_else_is_looked_at() {
        let faults = faults(&format!("{LIVE}[clip.a]\nfile = \"/etc/shadow\"\n[line"));
        assert!(!faults.iter().any(|fault| fault.contains("shadow")), "{faults:?}");
        assert!(!faults.is_empty());
    }
}
