//! The schema of the database and its migrations.
//!
//! `PRAGMA user_version` counts the migrations applied. A migration that was ever released is never
//! edited: a change is a new one at the end.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::Error;

/// Marks the file as a ledger (`PRAGMA application_id`): "Hrkn".
const APPLICATION: i32 = 0x4872_6b6e;

const MIGRATIONS: [&str; 4] = [CALLS_AND_SEGMENTS, WAYS_OUT, PROMISES, HEAR_AND_TREAT];

/// One row for each call and one for each stage of it; all times in milliseconds, `arrived_ms` since
/// 1970-01-01T00:00:00Z, `from_ms` and `to_ms` since arrival. The order of `id` is that of writing.
const CALLS_AND_SEGMENTS: &str = "
CREATE TABLE calls (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL,
    call        INTEGER NOT NULL,
    sip_call_id TEXT NOT NULL,
    trunk       TEXT NOT NULL,
    practice    TEXT,
    line        TEXT NOT NULL,
    band        INTEGER NOT NULL,
    ddi         TEXT NOT NULL,
    cli         TEXT,
    arrived_ms  INTEGER NOT NULL,
    waited_ms   INTEGER NOT NULL CHECK (waited_ms >= 0),
    lasted_ms   INTEGER NOT NULL CHECK (lasted_ms >= 0),
    outcome     TEXT NOT NULL CHECK (outcome IN ('answered', 'abandoned', 'refused', 'lost')),
    agent       TEXT,
    ended_by    TEXT CHECK (ended_by IN ('caller', 'agent', 'dead-media', 'dead-peer', 'shutdown')),
    code        INTEGER,
    UNIQUE (run, call),
    CHECK ((agent IS NOT NULL) = (outcome = 'answered')),
    CHECK ((ended_by IS NOT NULL) = (outcome IN ('answered', 'lost'))),
    CHECK ((code IS NOT NULL) = (outcome = 'refused'))
) STRICT;

CREATE INDEX calls_by_time ON calls (arrived_ms);
CREATE INDEX calls_by_line ON calls (line, arrived_ms);

CREATE TABLE segments (
    call    INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    stage   TEXT NOT NULL CHECK (stage IN ('queue', 'presented', 'talk')),
    agent   TEXT,
    result  TEXT CHECK (result IN ('answered', 'busy', 'rejected', 'no-answer', 'unreachable', 'failed',
                                   'caller-gone', 'withdrawn')),
    from_ms INTEGER NOT NULL CHECK (from_ms >= 0),
    to_ms   INTEGER NOT NULL CHECK (to_ms >= 0),
    PRIMARY KEY (call, seq),
    CHECK ((agent IS NULL) = (stage = 'queue')),
    CHECK ((result IS NOT NULL) = (stage = 'presented'))
) STRICT, WITHOUT ROWID;

CREATE VIEW calls_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', arrived_ms / 1000.0, 'unixepoch') AS arrived,
           waited_ms / 1000.0 AS waited_s, lasted_ms / 1000.0 AS lasted_s,
           trunk, practice, line, band, ddi, cli, outcome, agent, ended_by, code, run, call
    FROM calls;
";

/// Callers who were led out of a line, or left it for a promised callback; presentations that were answered
/// elsewhere or recalled. A CHECK cannot be changed, so both tables are made anew.
const WAYS_OUT: &str = "
DROP VIEW calls_utc;

CREATE TABLE new_calls (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL,
    call        INTEGER NOT NULL,
    sip_call_id TEXT NOT NULL,
    trunk       TEXT NOT NULL,
    practice    TEXT,
    line        TEXT NOT NULL,
    band        INTEGER NOT NULL,
    ddi         TEXT NOT NULL,
    cli         TEXT,
    arrived_ms  INTEGER NOT NULL,
    waited_ms   INTEGER NOT NULL CHECK (waited_ms >= 0),
    lasted_ms   INTEGER NOT NULL CHECK (lasted_ms >= 0),
    outcome     TEXT NOT NULL
                CHECK (outcome IN ('answered', 'abandoned', 'refused', 'lost', 'released', 'promised')),
    agent       TEXT,
    ended_by    TEXT CHECK (ended_by IN ('caller', 'agent', 'dead-media', 'dead-peer', 'shutdown',
                                         'waited-too-long', 'nobody-at-work')),
    code        INTEGER,
    UNIQUE (run, call),
    CHECK ((agent IS NOT NULL) = (outcome = 'answered')),
    CHECK ((ended_by IS NOT NULL) = (outcome IN ('answered', 'lost', 'released'))),
    CHECK ((code IS NOT NULL) = (outcome = 'refused'))
) STRICT;

INSERT INTO new_calls SELECT * FROM calls;
DROP TABLE calls;
ALTER TABLE new_calls RENAME TO calls;
CREATE INDEX calls_by_time ON calls (arrived_ms);
CREATE INDEX calls_by_line ON calls (line, arrived_ms);

CREATE TABLE new_segments (
    call    INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    stage   TEXT NOT NULL CHECK (stage IN ('queue', 'presented', 'talk')),
    agent   TEXT,
    result  TEXT CHECK (result IN ('answered', 'busy', 'rejected', 'no-answer', 'unreachable', 'failed',
                                   'caller-gone', 'withdrawn', 'answered-elsewhere', 'recalled')),
    from_ms INTEGER NOT NULL CHECK (from_ms >= 0),
    to_ms   INTEGER NOT NULL CHECK (to_ms >= 0),
    PRIMARY KEY (call, seq),
    CHECK ((agent IS NULL) = (stage = 'queue')),
    CHECK ((result IS NOT NULL) = (stage = 'presented'))
) STRICT, WITHOUT ROWID;

INSERT INTO new_segments SELECT * FROM segments;
DROP TABLE segments;
ALTER TABLE new_segments RENAME TO segments;

CREATE VIEW calls_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', arrived_ms / 1000.0, 'unixepoch') AS arrived,
           waited_ms / 1000.0 AS waited_s, lasted_ms / 1000.0 AS lasted_s,
           trunk, practice, line, band, ddi, cli, outcome, agent, ended_by, code, run, call
    FROM calls;
";

/// Promised callbacks: one row for each promise, rewritten until it is settled, and the calls made for it. The
/// number is kept in clear as long as the promise is open, for it has to be called.
const PROMISES: &str = "
DROP VIEW calls_utc;

CREATE TABLE new_calls (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL,
    call        INTEGER NOT NULL,
    sip_call_id TEXT NOT NULL,
    trunk       TEXT NOT NULL,
    practice    TEXT,
    line        TEXT NOT NULL,
    band        INTEGER NOT NULL,
    ddi         TEXT NOT NULL,
    cli         TEXT,
    arrived_ms  INTEGER NOT NULL,
    waited_ms   INTEGER NOT NULL CHECK (waited_ms >= 0),
    lasted_ms   INTEGER NOT NULL CHECK (lasted_ms >= 0),
    outcome     TEXT NOT NULL
                CHECK (outcome IN ('answered', 'abandoned', 'refused', 'lost', 'released', 'promised',
                                   'unreached', 'withdrawn')),
    agent       TEXT,
    ended_by    TEXT CHECK (ended_by IN ('caller', 'agent', 'dead-media', 'dead-peer', 'shutdown',
                                         'waited-too-long', 'nobody-at-work', 'busy', 'no-answer', 'failed')),
    code        INTEGER,
    promise     INTEGER,
    UNIQUE (run, call),
    CHECK ((agent IS NOT NULL) = (outcome = 'answered')),
    CHECK ((ended_by IS NOT NULL) = (outcome IN ('answered', 'lost', 'released', 'unreached'))),
    CHECK ((code IS NOT NULL) = (outcome = 'refused')),
    CHECK (promise IS NOT NULL OR outcome NOT IN ('unreached', 'withdrawn'))
) STRICT;

INSERT INTO new_calls SELECT *, NULL FROM calls;
DROP TABLE calls;
ALTER TABLE new_calls RENAME TO calls;
CREATE INDEX calls_by_time ON calls (arrived_ms);
CREATE INDEX calls_by_line ON calls (line, arrived_ms);
CREATE INDEX calls_by_promise ON calls (promise) WHERE promise IS NOT NULL;

CREATE TABLE new_segments (
    call    INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    stage   TEXT NOT NULL CHECK (stage IN ('queue', 'presented', 'dial', 'talk')),
    agent   TEXT,
    result  TEXT CHECK (result IN ('answered', 'busy', 'rejected', 'no-answer', 'unreachable', 'failed',
                                   'caller-gone', 'withdrawn', 'answered-elsewhere', 'recalled')),
    from_ms INTEGER NOT NULL CHECK (from_ms >= 0),
    to_ms   INTEGER NOT NULL CHECK (to_ms >= 0),
    PRIMARY KEY (call, seq),
    CHECK ((agent IS NULL) = (stage = 'queue')),
    CHECK ((result IS NOT NULL) = (stage = 'presented'))
) STRICT, WITHOUT ROWID;

INSERT INTO new_segments SELECT * FROM segments;
DROP TABLE segments;
ALTER TABLE new_segments RENAME TO segments;

CREATE TABLE promises (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL,
    call        INTEGER NOT NULL,
    line        TEXT NOT NULL,
    trunk       TEXT NOT NULL,
    practice    TEXT,
    band        INTEGER NOT NULL,
    ddi         TEXT NOT NULL,
    number      TEXT,
    cli         TEXT,
    arrived_ms  INTEGER NOT NULL,
    promised_ms INTEGER NOT NULL,
    next_ms     INTEGER NOT NULL,
    breach_ms   INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    missed      INTEGER NOT NULL CHECK (missed >= 0),
    escalated   INTEGER NOT NULL CHECK (escalated IN (0, 1)),
    revision    INTEGER NOT NULL,
    outcome     TEXT CHECK (outcome IN ('reached', 'unreached', 'expired', 'cancelled', 'own-call', 'merged',
                                        'line-gone')),
    why         TEXT CHECK (why IN ('busy', 'no-answer', 'failed')),
    settled_ms  INTEGER,
    CHECK ((settled_ms IS NULL) = (outcome IS NULL)),
    CHECK (settled_ms IS NULL OR number IS NULL),
    CHECK (settled_ms IS NOT NULL OR number IS NOT NULL),
    CHECK ((why IS NOT NULL) = (outcome IS 'unreached'))
) STRICT;

CREATE INDEX promises_by_time ON promises (promised_ms);
CREATE INDEX promises_open ON promises (id) WHERE settled_ms IS NULL;

CREATE VIEW calls_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', arrived_ms / 1000.0, 'unixepoch') AS arrived,
           waited_ms / 1000.0 AS waited_s, lasted_ms / 1000.0 AS lasted_s,
           trunk, practice, line, band, ddi, cli, outcome, agent, ended_by, code, promise, run, call
    FROM calls;

CREATE VIEW promises_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', promised_ms / 1000.0, 'unixepoch') AS promised,
           strftime('%Y-%m-%dT%H:%M:%fZ', breach_ms / 1000.0, 'unixepoch') AS breach,
           strftime('%Y-%m-%dT%H:%M:%fZ', settled_ms / 1000.0, 'unixepoch') AS settled,
           line, trunk, practice, missed, escalated, outcome, why, cli, id, run, call
    FROM promises;
";

/// How a call ended clinically, calls about a case, whose number is in `about`, transfers with their targets, and the
/// cases themselves, one row for each, rewritten until it is closed. A CHECK cannot be changed, so both tables are made
/// anew.
const HEAR_AND_TREAT: &str = "
DROP VIEW calls_utc;

CREATE TABLE new_calls (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL,
    call        INTEGER NOT NULL,
    sip_call_id TEXT NOT NULL,
    trunk       TEXT NOT NULL,
    practice    TEXT,
    line        TEXT NOT NULL,
    band        INTEGER NOT NULL,
    ddi         TEXT NOT NULL,
    cli         TEXT,
    arrived_ms  INTEGER NOT NULL,
    waited_ms   INTEGER NOT NULL CHECK (waited_ms >= 0),
    lasted_ms   INTEGER NOT NULL CHECK (lasted_ms >= 0),
    outcome     TEXT NOT NULL
                CHECK (outcome IN ('answered', 'abandoned', 'refused', 'lost', 'released', 'promised',
                                   'unreached', 'withdrawn')),
    agent       TEXT,
    ended_by    TEXT CHECK (ended_by IN ('caller', 'agent', 'dead-media', 'dead-peer', 'shutdown',
                                         'waited-too-long', 'nobody-at-work', 'busy', 'no-answer', 'failed')),
    code        INTEGER,
    promise     INTEGER,
    about       INTEGER,
    disposition TEXT,
    UNIQUE (run, call),
    CHECK ((agent IS NOT NULL) = (outcome = 'answered')),
    CHECK ((ended_by IS NOT NULL) = (outcome IN ('answered', 'lost', 'released', 'unreached'))),
    CHECK ((code IS NOT NULL) = (outcome = 'refused')),
    CHECK (promise IS NOT NULL OR about IS NOT NULL OR outcome NOT IN ('unreached', 'withdrawn')),
    CHECK (promise IS NULL OR about IS NULL)
) STRICT;

INSERT INTO new_calls SELECT *, NULL, NULL FROM calls;
DROP TABLE calls;
ALTER TABLE new_calls RENAME TO calls;
CREATE INDEX calls_by_time ON calls (arrived_ms);
CREATE INDEX calls_by_line ON calls (line, arrived_ms);
CREATE INDEX calls_by_promise ON calls (promise) WHERE promise IS NOT NULL;
CREATE INDEX calls_by_case ON calls (about) WHERE about IS NOT NULL;

CREATE TABLE new_segments (
    call    INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    stage   TEXT NOT NULL CHECK (stage IN ('queue', 'presented', 'dial', 'talk', 'transfer')),
    agent   TEXT,
    result  TEXT CHECK (result IN ('answered', 'busy', 'rejected', 'no-answer', 'unreachable', 'failed',
                                   'caller-gone', 'withdrawn', 'answered-elsewhere', 'recalled')),
    from_ms INTEGER NOT NULL CHECK (from_ms >= 0),
    to_ms   INTEGER NOT NULL CHECK (to_ms >= 0),
    target  TEXT,
    PRIMARY KEY (call, seq),
    CHECK ((agent IS NULL) = (stage = 'queue')),
    CHECK ((result IS NOT NULL) = (stage = 'presented')),
    CHECK ((target IS NOT NULL) = (stage = 'transfer'))
) STRICT, WITHOUT ROWID;

INSERT INTO new_segments SELECT *, NULL FROM segments;
DROP TABLE segments;
ALTER TABLE new_segments RENAME TO segments;

CREATE TABLE cases (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL,
    call        INTEGER NOT NULL,
    stack       TEXT NOT NULL,
    line        TEXT NOT NULL,
    trunk       TEXT NOT NULL,
    practice    TEXT,
    band        INTEGER NOT NULL,
    ddi         TEXT NOT NULL,
    number      TEXT,
    cli         TEXT,
    opened_ms   INTEGER NOT NULL,
    breach_ms   INTEGER NOT NULL,
    breached    INTEGER NOT NULL CHECK (breached IN (0, 1)),
    holder      TEXT,
    pathway     TEXT,
    revision    INTEGER NOT NULL,
    disposition TEXT,
    handed_to   TEXT,
    closed_ms   INTEGER,
    CHECK ((closed_ms IS NULL) = (disposition IS NULL AND handed_to IS NULL)),
    CHECK (disposition IS NULL OR handed_to IS NULL),
    CHECK ((closed_ms IS NULL) = (number IS NOT NULL))
) STRICT;

CREATE INDEX cases_by_time ON cases (opened_ms);
CREATE INDEX cases_open ON cases (id) WHERE closed_ms IS NULL;

CREATE VIEW cases_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', opened_ms / 1000.0, 'unixepoch') AS opened,
           strftime('%Y-%m-%dT%H:%M:%fZ', breach_ms / 1000.0, 'unixepoch') AS breach,
           strftime('%Y-%m-%dT%H:%M:%fZ', closed_ms / 1000.0, 'unixepoch') AS closed,
           stack, line, trunk, practice, band, breached, holder, pathway, disposition, handed_to, cli, id, run, call
    FROM cases;

CREATE VIEW calls_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', arrived_ms / 1000.0, 'unixepoch') AS arrived,
           waited_ms / 1000.0 AS waited_s, lasted_ms / 1000.0 AS lasted_s,
           trunk, practice, line, band, ddi, cli, outcome, agent, ended_by, code, promise, about, disposition, run, call
    FROM calls;
";

/// Brings a database that is open for writing to the newest schema; refuses one that is newer or not a ledger.
///
/// Foreign keys must not be enforced meanwhile: a table that is made anew would take its children with it.
pub(super) fn migrate(db: &mut Connection, path: &Path) -> Result<(), Error> {
    if check(db, path)? == MIGRATIONS.len() {
        return Ok(());
    }
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked again under the lock: another process may have migrated it meanwhile.
    let done = check(&tx, path)?;
    for migration in &MIGRATIONS[done.min(MIGRATIONS.len())..] {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION)?;
    tx.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    tx.commit()?;
    Ok(())
}

/// How many migrations the database has had; an error when it is newer than this version or not a ledger.
pub(super) fn check(db: &Connection, path: &Path) -> Result<usize, Error> {
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (tables > 0 || version != 0) {
        return Err(Error::Foreign(path.to_owned()));
    }
    let found = usize::try_from(version).unwrap_or(usize::MAX);
    if found > MIGRATIONS.len() {
        return Err(Error::Newer { found, known: MIGRATIONS.len() });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::ledger::store::Store;

    #[test]
    fn an_older_database_keeps_every_call_and_stage_and_takes_the_new_outcomes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("calls.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(CALLS_AND_SEGMENTS).unwrap();
        old.pragma_update(None, "application_id", APPLICATION).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute_batch(
            "INSERT INTO calls VALUES (7, 1, 1, 'a', 't', 'Y00001', 'l', 1, '', 'c', 5, 6, 7, 'answered', 'asha', 'agent', NULL);
             INSERT INTO segments VALUES (7, 0, 'queue', NULL, NULL, 0, 6), (7, 1, 'talk', 'asha', NULL, 6, 7);",
        )
        .unwrap();
        drop(old);
        let store = Store::open(&path).unwrap();
        let count = |sql: &str| store.db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM calls WHERE id = 7 AND agent = 'asha' AND lasted_ms = 7"), 1);
        assert_eq!(count("SELECT count(*) FROM segments WHERE call = 7"), 2);
        assert_eq!(count("SELECT count(*) FROM calls_utc WHERE outcome = 'answered'"), 1);
        assert_eq!(count("PRAGMA foreign_keys"), 1);
        let new = "INSERT INTO calls SELECT 8, 1, 2, sip_call_id, trunk, practice, line, band, ddi, cli, arrived_ms, \
                   waited_ms, lasted_ms, 'released', NULL, 'waited-too-long', NULL, NULL, NULL, NULL FROM calls";
        assert_eq!(store.db.execute(new, []).unwrap(), 1);
        store.db.execute("DELETE FROM calls WHERE id = 7", []).unwrap();
        assert_eq!(count("SELECT count(*) FROM segments"), 0, "stages go with their call");
    }
}
