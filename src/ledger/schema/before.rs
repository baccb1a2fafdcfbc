//! The first four versions of the schema, which only files ever had.

/// One row for each call and one for each stage of it; all times in milliseconds, `arrived_ms` since
/// 1970-01-01T00:00:00Z, `from_ms` and `to_ms` since arrival. The order of `id` is that of writing.
pub(super) const CALLS_AND_SEGMENTS: &str = "
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
pub(super) const WAYS_OUT: &str = "
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
pub(super) const PROMISES: &str = "
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
pub(super) const HEAR_AND_TREAT: &str = "
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
