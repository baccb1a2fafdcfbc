//! A database on a PostgreSQL server, which may be slow, hang or be gone at any moment.
//!
//! Nothing is waited for longer than [`ANSWER`], so a server that hangs is one that fails. Whether a transaction whose
//! answer did not come was done is not known: it is done again, which adds nothing twice. Sent are no more than two
//! rounds for a batch, however many records are in it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::row::{Row, Value};
use super::rows;
use crate::ledger::{Error, Note, schema};

/// How long an answer may take. A caller who was promised a callback waits for it, for three seconds at most.
const ANSWER: Duration = Duration::from_secs(2);

/// How long the schema may take to be changed, at the start, and how long a report may take to find its first row.
const PATIENCE: Duration = Duration::from_secs(600);

/// The tables that personal data were in.
const TABLES: [&str; 5] = ["calls", "segments", "promises", "cases", "events"];

/// A lock that is not had is a server that fails. A transaction that we can no longer end, as the network broke, is
/// ended by the server: what it wrote could not be written again before.
const SESSION: &str = "SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = '5s'";

/// One connection.
pub(in crate::ledger) struct Server {
    /// Drives the connection while something is waited for.
    runtime: Runtime,
    client: Client,
    prepared: BTreeMap<&'static str, Statement>,
    /// How long a row may take to come.
    patience: Cell<Duration>,
}

impl Server {
    /// Connects for writing, and brings the schema up to date.
    pub(super) fn open(config: &Config) -> Result<Server, Error> {
        let mut server = Server::connect(config)?;
        server.within(ANSWER, server.client.batch_execute(SESSION))?;
        if let Some(change) = schema::server_change(server.version()?)? {
            // The lock is for another process that would do the same now.
            let locked = "BEGIN; SELECT pg_advisory_xact_lock(1215458158)";
            server.within(PATIENCE, server.client.batch_execute(locked))?;
            if schema::server_change(server.version()?)?.is_some() {
                server.within(PATIENCE, server.client.batch_execute(&change))?;
            }
            server.within(PATIENCE, server.client.batch_execute("COMMIT"))?;
        }
        for sql in rows::WRITES {
            let statement = server.within(ANSWER, server.client.prepare(sql))?;
            server.prepared.insert(sql, statement);
        }
        Ok(server)
    }

    /// Connects for reading; `None` where there is no ledger.
    pub(in crate::ledger) fn open_to_read(config: &Config) -> Result<Option<Server>, Error> {
        let server = Server { patience: Cell::new(PATIENCE), ..Server::connect(config)? };
        let version = server.version()?;
        schema::server_change(version)?;
        Ok((version > 0).then_some(server))
    }

    fn connect(config: &Config) -> Result<Server, Error> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
        let mut config = config.clone();
        config.application_name("hearken");
        let connected = runtime.block_on(async {
            let connecting = async {
                let (client, connection) = config.connect(NoTls).await?;
                // Its error is also that of whoever waits for an answer.
                tokio::spawn(async { drop(connection.await) });
                Ok(client)
            };
            timeout(ANSWER, connecting).await
        });
        let client = connected.map_err(|_| Error::Silent(ANSWER))?.map_err(Error::Server)?;
        Ok(Server { runtime, client, prepared: BTreeMap::new(), patience: Cell::new(ANSWER) })
    }

    fn within<T>(
        &self,
        bound: Duration,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        // The timer has to be made within the runtime.
        let answer = self.runtime.block_on(async { timeout(bound, asked).await });
        answer.map_err(|_| Error::Silent(bound))?.map_err(Error::Server)
    }

    /// The version of the schema; 0 when there is none.
    fn version(&self) -> Result<usize, Error> {
        let mut found = (0, 0);
        let tables = "SELECT count(to_regclass('ledger_schema')), count(to_regclass('calls'))";
        self.query(tables, &[], &mut |row| {
            found = (row.int(0)?, row.int(1)?);
            Ok(())
        })?;
        match found {
            (0, 0) => return Ok(0),
            (0, _) => return Err(Error::ForeignServer),
            _ => {}
        }
        let mut version = 0;
        self.query("SELECT version FROM ledger_schema", &[], &mut |row| {
            version = row.int(0)?;
            Ok(())
        })?;
        Ok(usize::try_from(version).unwrap_or(usize::MAX))
    }

    /// Writes a batch in one transaction, and says how many rows it made or changed.
    pub(super) fn write(&mut self, batch: &[Note]) -> Result<usize, Error> {
        let mut statements = Vec::new();
        batch.iter().for_each(|note| rows::statements(note, &mut statements));
        let written = self.within(ANSWER, async {
            self.client.batch_execute("BEGIN").await?;
            let counts = self.send(&statements).await?;
            self.client.batch_execute("COMMIT").await?;
            Ok(counts)
        });
        self.undone(written)
    }

    /// Sends all statements before it waits for the first answer.
    async fn send(&self, statements: &[rows::Statement<'_>]) -> Result<usize, tokio_postgres::Error> {
        let mut answers = Vec::with_capacity(statements.len());
        for statement in statements {
            let prepared = &self.prepared[statement.sql];
            let mut answer = Box::pin(self.client.execute_raw(prepared, &statement.values));
            // What is polled first is sent first.
            let early = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await;
            answers.push((statement.counts, early, answer));
        }
        let mut changed = 0;
        for (counts, early, answer) in answers {
            let rows = match early {
                Poll::Ready(rows) => rows?,
                Poll::Pending => answer.await?,
            };
            if counts {
                changed += usize::try_from(rows).unwrap_or(usize::MAX);
            }
        }
        Ok(changed)
    }

    /// Makes changes in one transaction; says how many rows the last of them changed.
    pub(super) fn change(&mut self, changes: &[String], values: &[Value<'_>]) -> Result<usize, Error> {
        self.run("BEGIN")?;
        let changed = changes.iter().try_fold(0, |_, change| {
            self.within(self.patience.get(), self.client.execute_raw(change.as_str(), values))
        });
        let changed = changed.and_then(|rows| self.run("COMMIT").map(|()| rows));
        self.undone(changed).map(|rows| usize::try_from(rows).unwrap_or(usize::MAX))
    }

    /// Ends a transaction that the server refused. One whose server is silent or gone needs no end of ours, and would
    /// have to be waited for.
    fn undone<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Server(error)) = &done
            && error.as_db_error().is_some()
        {
            // If this fails too, so does what comes next.
            let _ = self.within(ANSWER, self.client.batch_execute("ROLLBACK"));
        }
        done
    }

    /// From now on it waits for locks and answers as long as a person would.
    pub(super) fn be_patient(&mut self) -> Result<(), Error> {
        self.patience.set(PATIENCE);
        self.run("SET lock_timeout = 0")
    }

    /// From now on neither an answer nor the server's work at one may take longer.
    pub(in crate::ledger) fn hurry(&self, most: Duration) -> Result<(), Error> {
        self.patience.set(most);
        // Rounded up: what the server ends of itself is over for us too.
        self.run(&format!("SET statement_timeout = {}", most.as_millis() + 1))
    }

    /// Has the server overwrite what is deleted, as far as it does.
    pub(super) fn wipe(&mut self) -> Result<(), Error> {
        TABLES.iter().try_for_each(|table| self.run(&format!("VACUUM {table}")))
    }

    /// Runs a statement whose answer is of no interest.
    pub(in crate::ledger) fn run(&self, sql: &str) -> Result<(), Error> {
        self.within(self.patience.get(), self.client.batch_execute(sql))
    }

    /// Gives `each` the rows that a query finds, as they come.
    pub(in crate::ledger) fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let rows = self.within(self.patience.get(), self.client.query_raw(sql, values))?;
        let mut rows = pin!(rows);
        while let Some(row) = self.within(self.patience.get(), rows.try_next())? {
            each(Row::Server(&row))?;
        }
        Ok(())
    }
}
