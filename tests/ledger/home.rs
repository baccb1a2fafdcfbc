//! Where a test's ledger is: in a file, or on a server.

use std::fs;
use std::path::PathBuf;

use hearken::ledger::{CliStorage, Entry, Keep, Settings};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

use super::server::Server;

/// A ledger of a test's own, and the directory of its other files.
pub(crate) struct Home {
    dir: TempDir,
    server: Option<Server>,
}

impl Home {
    /// With the database in a file.
    pub(crate) fn file() -> Home {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("disk")).unwrap();
        Home { dir, server: None }
    }

    /// With the database on a server.
    pub(crate) fn server() -> Home {
        Home { dir: tempfile::tempdir().unwrap(), server: Some(Server::start()) }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            path: self.server.as_ref().map_or_else(|| self.path("disk/ledger.db"), Server::url),
            cli: CliStorage::Plain,
            key_path: self.path("cli.key"),
            spool: 1000,
            side_file: self.path("ledger.side"),
            keep: Keep::default(),
            run: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A text as the database can hold it.
    pub(crate) fn held(&self, text: &str) -> String {
        if self.server.is_some() { text.replace('\0', "\u{FFFD}") } else { text.to_owned() }
    }

    /// Takes the database away, from a ledger that has it open too.
    pub(crate) fn block(&self) {
        match &self.server {
            Some(server) => server.stop(),
            None => {
                fs::rename(self.path("disk"), self.path("away")).unwrap();
                fs::write(self.path("disk"), "").unwrap();
            }
        }
    }

    pub(crate) fn unblock(&self) {
        match &self.server {
            Some(server) => server.start_again(),
            None => {
                fs::remove_file(self.path("disk")).unwrap();
                fs::rename(self.path("away"), self.path("disk")).unwrap();
            }
        }
    }

    /// What a statement finds, as any other program would see it: a line for each row, columns parted by bars.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        let Some(server) = &self.server else {
            let db = Connection::open(self.path("disk/ledger.db")).unwrap();
            let mut query = db.prepare(sql).unwrap();
            let columns = query.column_count();
            let rows = query.query_map([], |row| {
                let cells = (0..columns).map(|column| {
                    Ok(match row.get(column)? {
                        Value::Null => String::new(),
                        Value::Integer(number) => number.to_string(),
                        Value::Real(number) => number.to_string(),
                        Value::Text(text) => text,
                        Value::Blob(_) => panic!("a ledger has none"),
                    })
                });
                Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
            });
            return rows.unwrap().map(Result::unwrap).collect();
        };
        server.ask(sql)
    }

    /// The calls in the order of writing.
    pub(crate) fn calls(&self) -> Vec<u64> {
        let calls = self.ask("SELECT call FROM calls ORDER BY id");
        calls.iter().map(|call| call.parse::<i64>().unwrap().cast_unsigned()).collect()
    }

    /// The calls as a report has them.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        super::entries(&self.settings().path)
    }
}

/// Makes tests of functions that take a home: each with the ledger in a file, and each with it on a server.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod file {
            $(#[test] fn $test() { super::$test(&crate::home::Home::file()); })+
        }
        mod server {
            $(#[test] fn $test() { super::$test(&crate::home::Home::server()); })+
        }
    };
}
pub(crate) use on_both;
