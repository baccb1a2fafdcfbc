//! The side file: records that found no room in memory while the database could not be written.
//!
//! One line of JSON for each record. A line that cannot be read back, such as the torn last one after a
//! power cut, is kept in `PATH.rejected`, and so is a record that the database refuses for good: nothing
//! is ever thrown away, and nothing bad is tried for ever.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::{Error, Note, private_file};

/// The longest line that is taken for a record, in bytes; SIP messages, whence the texts come, are shorter.
const LONGEST_LINE: u64 = 1 << 20;

/// The side file of one ledger.
pub(super) struct Side {
    path: PathBuf,
    present: bool,
}

/// What one line of the side file was.
pub(super) enum Line {
    Record(Box<Note>),
    Unreadable(Vec<u8>),
}

impl Side {
    /// The side file at `path`, whether or not there is one yet.
    pub(super) fn new(path: PathBuf) -> Side {
        let present = fs::metadata(&path).is_ok_and(|found| found.is_file());
        Side { path, present }
    }

    /// Whether there is something to replay.
    pub(super) fn present(&self) -> bool {
        self.present
    }

    /// Appends the records and waits until they are on the disk; after an error none of them counts as written.
    pub(super) fn append<'a>(&mut self, records: impl Iterator<Item = &'a Note>) -> Result<(), Error> {
        let mut lines = Vec::new();
        for record in records {
            lines.extend(line(record));
            lines.push(b'\n');
        }
        append(&self.path, &lines)?;
        self.present = true;
        Ok(())
    }

    /// Keeps what can never be written to the database.
    pub(super) fn reject(&self, line: &[u8]) -> Result<(), Error> {
        append(&private_file::beside(&self.path, ".rejected"), &[line, b"\n"].concat())
    }

    /// The side file's lines from its beginning; `None` when somebody removed it.
    pub(super) fn lines(&mut self) -> Result<Option<Lines>, Error> {
        match File::open(&self.path) {
            Ok(file) => Ok(Some(Lines { path: self.path.clone(), reader: BufReader::new(file) })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                self.present = false;
                Ok(None)
            }
            Err(e) => Err(Error::side(&self.path)(e)),
        }
    }

    /// Removes the file, once all of it is safe elsewhere.
    pub(super) fn remove(&mut self) -> Result<(), Error> {
        match fs::remove_file(&self.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::side(&self.path)(e)),
            _ => {
                self.present = false;
                Ok(())
            }
        }
    }
}

/// A record as a line of JSON, without its end.
pub(super) fn line(note: &Note) -> Vec<u8> {
    serde_json::to_vec(note).expect("a record is numbers, texts and lists of them, all of which JSON has")
}

/// Reads the side file in bounded steps.
pub(super) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
}

impl Lines {
    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Line>, Error> {
        loop {
            let mut line = Vec::new();
            let mut bounded = self.reader.by_ref().take(LONGEST_LINE);
            if bounded.read_until(b'\n', &mut line).map_err(Error::side(&self.path))? == 0 {
                return Ok(None);
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            if line.is_empty() {
                continue;
            }
            return Ok(Some(match serde_json::from_slice(&line) {
                Ok(entry) => Line::Record(Box::new(entry)),
                Err(_) => Line::Unreadable(line),
            }));
        }
    }
}

fn append(path: &Path, lines: &[u8]) -> Result<(), Error> {
    (|| {
        let mut file = private_file::append_to(path)?;
        let before = file.metadata()?.len();
        let written = end_torn_line(&mut file, before).and_then(|()| file.write_all(lines));
        if let Err(e) = written.and_then(|()| file.sync_data()) {
            // Half a batch would be replayed as well as the whole one that is still in memory. If even
            // this fails, the unique key of the database keeps each record single.
            let _ = file.set_len(before);
            return Err(e);
        }
        if before == 0 { private_file::sync_parent(path) } else { Ok(()) }
    })()
    .map_err(Error::side(path))
}

/// A crash may have left half a line at the end: what follows must not become part of it.
fn end_torn_line(file: &mut File, length: u64) -> io::Result<()> {
    if length == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}
