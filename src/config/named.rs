//! The other files that a configuration names: which of them were written again since it was read.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::changes::{Change, flatten};

/// Length and time of the last change, by key and name, of each file that is named and there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<(String, String), (u64, Option<SystemTime>)>);

impl Files {
    /// How the files that `text` names are now; names are seen from the directory of the file at `path`.
    pub fn of(text: &str, path: &Path) -> Files {
        let base = path.parent().unwrap_or(Path::new(""));
        let values = flatten(text.parse().unwrap_or_default());
        let named = values.into_iter().filter(|(key, _)| is_file(key)).filter_map(|(key, value)| {
            let name: String = serde_json::from_str(&value).ok()?;
            let found = std::fs::metadata(base.join(&name)).ok()?;
            Some(((key.join("."), value), (found.len(), found.modified().ok())))
        });
        Files(named.collect())
    }

    /// Those that have the same names as before, but were written again.
    pub fn since(&self, before: &Files) -> Vec<Change> {
        let again = self.0.iter().filter(|(file, now)| before.0.get(file).is_some_and(|was| was != *now));
        let change = |((key, name), _): (&(String, String), _)| Change {
            key: key.clone(),
            was: Some(name.clone()),
            is: Some(format!("{name}, written again")),
            at_restart: false,
        };
        again.map(change).collect()
    }
}

/// Whether the value names a file that is read whenever the configuration is.
fn is_file(key: &[String]) -> bool {
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    matches!(
        key[..],
        ["node", "holidays" | "shadow"]
            | ["web", "users"]
            | ["web", "oidc", "client-secret-file"]
            | ["media", "prompts"]
            | ["clip", _, "file"]
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    const TEXT: &str =
        "[web]\nusers = \"users.toml\"\n[clip.hello]\nfile = \"hello.wav\"\n[node]\nname = \"n\"\n";

    #[test]
    fn a_file_that_was_written_again_is_named_and_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let (path, users) = (directory.path().join("hearken.toml"), directory.path().join("users.toml"));
        fs::write(&users, "one").unwrap();
        fs::write(directory.path().join("hello.wav"), "sound").unwrap();
        let before = Files::of(TEXT, &path);
        assert_eq!(Files::of(TEXT, &path).since(&before), []);
        fs::write(&users, "one and two").unwrap();
        let [again]: [Change; 1] = Files::of(TEXT, &path).since(&before).try_into().unwrap();
        assert_eq!(again.to_string(), "~ web.users: \"users.toml\" -> \"users.toml\", written again");
        // Another name is a change of the configuration itself, and so is one whose file was not there.
        let other = TEXT.replace("users.toml", "others.toml");
        fs::write(directory.path().join("others.toml"), "").unwrap();
        assert_eq!(Files::of(&other, &path).since(&before), []);
    }

    #[test]
    fn a_file_that_is_replaced_by_one_as_long_is_another() {
        let directory = tempfile::tempdir().unwrap();
        let (path, users) = (directory.path().join("hearken.toml"), directory.path().join("users.toml"));
        fs::write(&users, "one").unwrap();
        let before = Files::of(TEXT, &path);
        fs::write(&users, "two").unwrap();
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        fs::File::options().append(true).open(&users).unwrap().set_modified(later).unwrap();
        assert_eq!(Files::of(TEXT, &path).since(&before).len(), 1);
    }
}
