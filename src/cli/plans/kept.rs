//! Every configuration that was in force, each in a file of its own: a line of comment that says whose it was, and the
//! text as it was. So each can be read, compared, checked and put into force by hand, too.
//!
//! One that is about to be put into force is written aside first, as `N.toml.new`: after a crash the configuration file
//! tells whether it was.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::config::LARGEST_FILE;
use crate::web::Version;

/// What the first line of each begins with; the rest of it is JSON.
const HEAD: &str = "# ";
/// Longest such line, in bytes.
const LONGEST_HEAD: u64 = 16 * 1024;

/// The directory of all that are kept, which only its owner may read, and how many they are at most.
pub(super) struct Kept {
    directory: PathBuf,
    most: usize,
}

impl Kept {
    pub(super) fn new(directory: &Path, most: usize) -> Kept {
        Kept { directory: directory.to_owned(), most }
    }

    /// Their numbers, the oldest first.
    fn numbers(&self) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let number = |entry: io::Result<fs::DirEntry>| {
            entry.ok()?.file_name().to_str()?.strip_suffix(".toml")?.parse().ok()
        };
        let mut numbers: Vec<u64> = entries.filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The greatest number that was ever kept; 0 before the first.
    pub(super) fn last(&self) -> io::Result<u64> {
        Ok(self.numbers()?.pop().unwrap_or(0))
    }

    /// All that can be read, the newest first.
    pub(super) fn versions(&self) -> io::Result<Vec<Version>> {
        let numbers = self.numbers()?.into_iter().rev();
        Ok(numbers.filter_map(|number| head(&mut reader(&self.file(number)).ok()?).ok()).collect())
    }

    /// One of them with its text; `None` if it is not kept.
    pub(super) fn version(&self, number: u64) -> io::Result<Option<(Version, String)>> {
        match read(&self.file(number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            kept => kept.map(Some),
        }
    }

    /// Writes one aside; it is not kept before [`Kept::settle`].
    pub(super) fn prepare(&self, version: &Version, text: &str) -> io::Result<()> {
        // Where the ledger is to be is not for this to make.
        let made = DirBuilder::new().mode(0o700).create(&self.directory);
        made.or_else(|error| if self.directory.is_dir() { Ok(()) } else { Err(error) })?;
        let aside = self.aside(version.version);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        let head = serde_json::to_string(version)?;
        let written = write!(file, "{HEAD}{head}\n{text}").and_then(|()| file.sync_all());
        written.inspect_err(|_| self.forget(version.version))
    }

    /// Keeps one that is in force already.
    pub(super) fn keep(&self, version: &Version, text: &str) -> io::Result<()> {
        self.prepare(version, text)?;
        self.settle(version.version)
    }

    /// It was put into force.
    pub(super) fn settle(&self, number: u64) -> io::Result<()> {
        fs::rename(self.aside(number), self.file(number))?;
        File::open(&self.directory)?.sync_all()?;
        let numbers = self.numbers()?;
        let too_many = numbers.len().saturating_sub(self.most);
        numbers[..too_many].iter().try_for_each(|old| fs::remove_file(self.file(*old)))
    }

    /// It was not.
    pub(super) fn forget(&self, number: u64) {
        // What is left is looked at again at the next start.
        let _ = fs::remove_file(self.aside(number));
    }

    /// The one that was about to be put into force when the daemon ended, with its text.
    pub(super) fn prepared(&self) -> io::Result<Option<(Version, String)>> {
        match read(&self.aside(self.last()? + 1)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // It was being written.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            prepared => prepared.map(Some),
        }
    }

    fn file(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number}.toml"))
    }

    fn aside(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number}.toml.new"))
    }
}

fn reader(path: &Path) -> io::Result<BufReader<io::Take<File>>> {
    Ok(BufReader::new(File::open(path)?.take(LONGEST_HEAD + LARGEST_FILE)))
}

fn head(file: &mut impl io::BufRead) -> io::Result<Version> {
    let mut line = String::new();
    file.take(LONGEST_HEAD).read_line(&mut line)?;
    let head = line.strip_prefix(HEAD).and_then(|json| serde_json::from_str(json).ok());
    head.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "this is no kept configuration"))
}

fn read(path: &Path) -> io::Result<(Version, String)> {
    let mut file = reader(path)?;
    let version = head(&mut file)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok((version, text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn version(version: u64) -> Version {
        let at = "2026-07-06T08:00:00.000Z".to_owned();
        Version { version, at, by: "jo".into(), note: "a \"note\"\nof two lines".into() }
    }

    fn keep(kept: &Kept, number: u64) {
        kept.keep(&version(number), "[line.a]\r\n# no line break at the end").unwrap();
    }

    #[test]
    fn a_version_is_read_as_it_was_kept_and_nobody_else_may() {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept::new(&directory.path().join("plans"), 9);
        assert_eq!((kept.last().unwrap(), kept.versions().unwrap()), (0, vec![]));
        keep(&kept, 1);
        let text = "[line.a]\r\n# no line break at the end".to_owned();
        assert_eq!(kept.version(1).unwrap(), Some((version(1), text)));
        assert_eq!(kept.version(2).unwrap(), None);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&kept.directory), mode(&kept.file(1))), (0o700, 0o600));
    }

    #[test]
    fn the_oldest_go_and_numbers_go_on() {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept::new(directory.path(), 3);
        (1..=12).for_each(|number| keep(&kept, number));
        assert_eq!(kept.versions().unwrap(), [12, 11, 10].map(version));
        assert_eq!(kept.last().unwrap(), 12);
    }

    #[test]
    fn what_was_prepared_is_known_until_it_is_settled_or_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept::new(directory.path(), 9);
        keep(&kept, 1);
        assert_eq!(kept.prepared().unwrap(), None);
        kept.prepare(&version(2), "x").unwrap();
        assert_eq!(kept.prepared().unwrap(), Some((version(2), "x".into())));
        assert_eq!(kept.last().unwrap(), 1);
        kept.forget(2);
        assert_eq!(kept.prepared().unwrap(), None);
        // The machine died while it was written.
        fs::write(kept.aside(2), "# {\"vers").unwrap();
        assert_eq!(kept.prepared().unwrap(), None);
        fs::write(kept.file(7), "of somebody else").unwrap();
        assert_eq!(kept.versions().unwrap(), [version(1)]);
    }
}
