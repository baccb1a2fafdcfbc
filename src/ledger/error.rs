//! What can go wrong with the ledger's files. None of it ever reaches a call.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// A failure of the database, the side file or the key; numbers of callers never appear in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be made, opened, read, written or renamed.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The database was written by a later version of this program; it is left alone.
    #[error("the database has schema {found}, but this version knows no later one than {known}")]
    Newer {
        /// Its schema version.
        found: usize,
        /// The last version known here.
        known: usize,
    },
    /// The file is an SQLite database of some other program; it is left alone.
    #[error("{}: an SQLite database, but not a ledger", .0.display())]
    Foreign(PathBuf),
    /// There is no ledger to read.
    #[error("{}: there is no ledger here", .0.display())]
    Missing(PathBuf),
    /// A stored word or time is none that this version writes.
    #[error("column {column} holds {value:?}, which has no meaning there")]
    Meaningless {
        /// In which column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
    /// The side file or the file of rejected records failed.
    #[error("side file {}: {source}", path.display())]
    Side {
        /// Which of the two.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The key for callers' numbers has the wrong length.
    #[error("{}: a key for callers' numbers has {expected} bytes, this file has {found}", path.display())]
    KeyLength {
        /// The key file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// What it ought to be.
        expected: usize,
    },
    /// The operating system gave no randomness for a new key.
    #[error("no randomness for a new key: {0}")]
    Randomness(getrandom::Error),
    /// The writer thread could not be started.
    #[error("cannot start the ledger's thread: {0}")]
    Thread(io::Error),
}

impl Error {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
        |source| Error::File { path: path.to_owned(), source }
    }

    pub(super) fn side(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
        |source| Error::Side { path: path.to_owned(), source }
    }

    fn code(&self) -> Option<ErrorCode> {
        match self {
            Error::Database(e) => e.sqlite_error_code(),
            _ => None,
        }
    }

    /// The file is damaged, or no database at all: it has to be set aside.
    pub(super) fn is_corruption(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    }

    /// One record breaks a rule of the schema: the others need not wait for it.
    pub(super) fn is_constraint(&self) -> bool {
        self.code() == Some(ErrorCode::ConstraintViolation)
    }

    /// The open connection is still good: somebody else holds the lock, the disk is full, or the database had no part in it.
    pub(super) fn keeps_connection(&self) -> bool {
        matches!(self, Error::Side { .. })
            || matches!(
                self.code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull)
            )
    }
}
