//! The database as its one writer sees it: a file of SQLite's, or one on a PostgreSQL server.
//!
//! Both have the same tables and are asked in the same SQL ([`rows`], [`open`]); how they are opened, and what can go
//! wrong with them, differs ([`sqlite`], [`postgres`]).

use std::time::Duration;

use super::{Error, Note};

pub(super) mod open;
mod place;
pub(super) mod postgres;
pub(super) mod row;
mod rows;
pub(super) mod sqlite;
pub(super) mod sweep;

pub(super) use place::Place;
pub(super) use row::{Row, Value};

/// The database, open for writing.
pub(super) enum Store {
    File(sqlite::File),
    Server(postgres::Server),
}

impl Store {
    /// Opens the database, with the newest schema; a file is made when it is missing.
    pub(super) fn open(place: &Place) -> Result<Store, Error> {
        Ok(match place {
            Place::File(path) => Store::File(sqlite::File::open(path)?),
            Place::Server(config) => Store::Server(postgres::Server::open(config)?),
        })
    }

    /// Whether it is still where it was opened: SQLite would go on writing to a file that somebody removed.
    pub(super) fn in_place(&self) -> bool {
        match self {
            Store::File(file) => file.in_place(),
            Store::Server(_) => true,
        }
    }

    /// Closes a database that is not in its place any more.
    pub(super) fn leave(self) -> Result<(), Error> {
        match self {
            Store::File(file) => file.leave(),
            Store::Server(_) => Ok(()),
        }
    }

    /// Writes a batch in one transaction, all or nothing, and says how many records it made or changed.
    pub(super) fn write(&mut self, batch: &[Note]) -> Result<usize, Error> {
        match self {
            Store::File(file) => file.write(batch),
            Store::Server(server) => server.write(batch),
        }
    }

    /// Makes changes in one transaction, all with the same values; says how many rows the last of them changed.
    pub(super) fn change(&mut self, changes: &[String], values: &[Value<'_>]) -> Result<usize, Error> {
        match self {
            Store::File(file) => file.change(changes, values),
            Store::Server(server) => server.change(changes, values),
        }
    }

    /// From now on it waits for locks and for answers as long as a person would.
    pub(super) fn be_patient(&mut self) -> Result<(), Error> {
        match self {
            Store::File(file) => file.be_patient(),
            Store::Server(server) => server.be_patient(),
        }
    }

    /// Sees to it that what was deleted or changed cannot be read in the files any more.
    pub(super) fn wipe(&mut self) -> Result<(), Error> {
        match self {
            Store::File(file) => file.wipe(),
            Store::Server(server) => server.wipe(),
        }
    }

    /// Whether a commit waits for the disk: needed before the only other copy of a record is removed. A server's
    /// always does, unless its administrator has set it otherwise.
    pub(super) fn sync_commits(&mut self, sync: bool) -> Result<(), Error> {
        match self {
            Store::File(file) => file.sync_commits(sync),
            Store::Server(_) => Ok(()),
        }
    }

    /// Gives `each` the rows that a query finds.
    pub(super) fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Store::File(file) => sqlite::query(&file.db, sql, values, each),
            Store::Server(server) => server.query(sql, values, each),
        }
    }
}

/// Whole milliseconds; what is left over is cut off, so that a wait is never overstated.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
