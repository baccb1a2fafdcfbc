//! Puts another text in the place of the configuration file: as a whole, or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use crate::ledger::private_file::{beside, sync_parent};

/// Why the file is as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// Somebody has changed it meanwhile.
    #[error("the file has been changed since it was read")]
    Changed,
    /// It cannot be read or written.
    #[error("{} cannot be replaced: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Puts `text` in the place of the file, if that is still as it `was`; the file keeps its owner and mode, and what is
/// said here holds even if the power fails.
pub(super) fn replace(path: &Path, was: &str, text: &str) -> Result<(), Failed> {
    let failed = |error| Failed::Io { path: path.to_owned(), error };
    // A link stays one.
    let path = fs::canonicalize(path).map_err(failed)?;
    if fs::read(&path).map_err(failed)? != was.as_bytes() {
        return Err(Failed::Changed);
    }
    let aside = beside(&path, ".new");
    let replaced = write(&aside, &path, text).and_then(|()| fs::rename(&aside, &path));
    if let Err(error) = replaced {
        let _ = fs::remove_file(&aside);
        return Err(failed(error));
    }
    if let Err(error) = sync_parent(&path) {
        tracing::warn!(%error, "the directory of the configuration could not be flushed");
    }
    Ok(())
}

/// Writes a file that could stand in the place of another.
fn write(aside: &Path, like: &Path, text: &str) -> io::Result<()> {
    let like = fs::metadata(like)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(aside)?;
    let ours = file.metadata()?;
    if (ours.uid(), ours.gid()) != (like.uid(), like.gid()) {
        chown(aside, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(like.permissions())?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_where_it_lies_with_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let [real, link] = ["real.toml", "link.toml"].map(|name| directory.path().join(name));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        replace(&link, "old", "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left beside it");
    }

    #[test]
    fn what_somebody_else_wrote_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.toml");
        fs::write(&path, "by hand").unwrap();
        assert!(matches!(replace(&path, "old", "new"), Err(Failed::Changed)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "by hand");
        assert!(matches!(replace(&directory.path().join("none"), "old", "new"), Err(Failed::Io { .. })));
    }
}
