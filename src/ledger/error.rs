//! What can go wrong with the ledger's files. None of it ever reaches a call.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// The server refused, or could not be reached.
    #[error("server: {}", said(.0))]
    Server(tokio_postgres::Error),
    /// The server did not answer within this time.
    #[error("server: no answer within {0:?}")]
    Silent(Duration),
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
    /// The database on the server is that of some other program; it is left alone.
    #[error("server: the database has a table `calls`, but is not a ledger")]
    ForeignServer,
    /// The limit of a reader was reached.
    #[error("reading took too long, or is not wanted any more")]
    Stopped,
    /// There is no ledger to read.
    #[error("{0}: there is no ledger here")]
    Missing(String),
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
        match self {
            // Classes of SQLSTATE: a value that the column does not take, and a constraint.
            Error::Server(e) => e.code().is_some_and(|code| ["22", "23"].contains(&&code.code()[..2])),
            _ => self.code() == Some(ErrorCode::ConstraintViolation),
        }
    }

    /// The open connection is still good: somebody else holds the lock, the disk is full, or the database had no part in
    /// it. One to a server is made anew.
    pub(super) fn keeps_connection(&self) -> bool {
        matches!(self, Error::Side { .. })
            || matches!(
                self.code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull)
            )
    }
}

/// What a server said, without the values of the row that it speaks of.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => error.to_string(),
    }
}
