//! The files of a flight log: their names, their modes, and how long they are kept.
//!
//! `00000007.flight` is a segment; `00000007-0000000000.snapshot` is the state before its first input, and
//! `00000007-0000081920.snapshot` before the record at that offset.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How the name of a file ends that is not yet whole.
const ASIDE: &str = "new";

/// A place in a log: a segment, and an offset in it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) segment: u64,
    pub(super) offset: u64,
}

/// What lies in a directory, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) segments: Vec<u64>,
    pub(super) snapshots: Vec<Place>,
}

pub(super) fn segment(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:08}.flight"))
}

pub(super) fn snapshot(directory: &Path, place: Place) -> PathBuf {
    directory.join(format!("{:08}-{:010}.snapshot", place.segment, place.offset))
}

/// The number of a segment by its file's name.
pub(super) fn number_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".flight")?.parse().ok()
}

/// The snapshot before the first input of a segment.
pub(super) fn base_of(path: &Path) -> Option<PathBuf> {
    let place = Place { segment: number_of(path)?, offset: 0 };
    Some(snapshot(path.parent()?, place))
}

fn place_of(path: &Path) -> Option<Place> {
    let (segment, offset) = path.file_name()?.to_str()?.strip_suffix(".snapshot")?.split_once('-')?;
    Some(Place { segment: segment.parse().ok()?, offset: offset.parse().ok()? })
}

/// Makes the directory, for its owner alone, if it is not there.
pub(super) fn make_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Makes a file that must not exist, for its owner alone.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

/// Waits until a file is on the disk.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_data()
}

/// Puts a whole file in its place at once: a reader sees all of it or nothing. After a power cut it may be empty.
pub(super) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    rename(path, bytes, |_| Ok(()))
}

/// The same, for one that is to outlive a power cut.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A rename that outlives a power cut must not outlive the bytes.
    rename(path, bytes, File::sync_data)
}

fn rename(path: &Path, bytes: &[u8], before: impl Fn(&File) -> io::Result<()>) -> io::Result<()> {
    let aside = path.with_extension(ASIDE);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    let done = file.write_all(bytes).and_then(|()| before(&file)).and_then(|()| fs::rename(&aside, path));
    if done.is_err() {
        // It holds callers' numbers too.
        let _ = fs::remove_file(&aside);
    }
    done
}

/// What lies in the directory.
pub(super) fn list(directory: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        found.segments.extend(number_of(&path));
        found.snapshots.extend(place_of(&path));
    }
    found.segments.sort_unstable();
    found.snapshots.sort_unstable();
    Ok(found)
}

/// Removes what is kept no longer, the oldest first: segments of which the last byte was written more than
/// `keep_for` before `now`, and more until what is left has `keep_size` bytes at most. Nothing that a resume needs.
///
/// Also what no resume can use: files that never became whole, and a base snapshot whose segment is not there. Call it
/// only where nobody else puts a file aside.
pub(super) fn tidy(directory: &Path, keep_for: Duration, keep_size: u64, now: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == ASIDE) {
            remove(&path)?;
        }
    }
    let Found { segments, snapshots } = list(directory)?;
    let Some(&newest) = snapshots.last() else { return Ok(()) };
    // One more than the newest, in case that cannot be read.
    let spare = snapshots.len().saturating_sub(2);
    let needed = snapshots.get(spare).map_or(newest.segment, |place| place.segment);
    let is_base = |place: &Place| place.offset == 0 && segments.contains(&place.segment);
    for place in snapshots[..spare].iter().filter(|place| !is_base(place)) {
        remove(&snapshot(directory, *place))?;
    }
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    let mut left: u64 = segments.iter().map(|&number| size(&segment(directory, number))).sum();
    left += list(directory)?.snapshots.iter().map(|&place| size(&snapshot(directory, place))).sum::<u64>();
    for number in segments.into_iter().filter(|&number| number < needed) {
        let path = segment(directory, number);
        let base = snapshot(directory, Place { segment: number, offset: 0 });
        let written = fs::metadata(&path)?.modified()?;
        let old = now.duration_since(written).is_ok_and(|age| age > keep_for);
        if !old && left <= keep_size {
            break;
        }
        left = left.saturating_sub(size(&path) + size(&base));
        fs::remove_file(&path)?;
        remove(&base)?;
    }
    Ok(())
}

/// Removes a file that may be gone already.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
