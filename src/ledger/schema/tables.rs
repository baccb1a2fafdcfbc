//! The tables as they are now; all times in milliseconds since 1970-01-01T00:00:00Z unless said otherwise. The order of
//! `id` is that of writing, but for promises and cases, whose own numbers they are.

/// Before the tables are made anew in a file that has them: a CHECK cannot be changed.
pub(super) const MOVE_ASIDE: &str = "
DROP VIEW calls_utc;
DROP VIEW promises_utc;
DROP VIEW cases_utc;
DROP INDEX calls_by_time;
DROP INDEX calls_by_line;
DROP INDEX calls_by_promise;
DROP INDEX calls_by_case;
DROP INDEX promises_by_time;
DROP INDEX promises_open;
DROP INDEX cases_by_time;
DROP INDEX cases_open;
ALTER TABLE segments RENAME TO old_segments;
ALTER TABLE calls RENAME TO old_calls;
ALTER TABLE promises RENAME TO old_promises;
ALTER TABLE cases RENAME TO old_cases;
";

/// Afterwards.
pub(super) const MOVE_BACK: &str = "
INSERT INTO calls SELECT * FROM old_calls;
INSERT INTO segments SELECT * FROM old_segments;
INSERT INTO promises SELECT * FROM old_promises;
INSERT INTO cases SELECT * FROM old_cases;
DROP TABLE old_segments;
DROP TABLE old_calls;
DROP TABLE old_promises;
DROP TABLE old_cases;
";

/// - `calls`: one row for each call. `promise` and `about` name the promise or case for which we made it.
/// - `segments`: one row for each stage of a call, and so for each presentation; `from_ms` and `to_ms` since arrival.
/// - `promises`, `cases`: one row for each, rewritten until it is over. The number is kept in clear as long, for it has
///   to be called.
/// - `events`: one row for each thing that happened, never rewritten: who decided what, by which rule of which plan, and
///   upon what. `detail` is a JSON object with what has no column of its own.
/// - `referrals`: one row for each patient who was referred to a pathway.
///
/// What calls and their stages may hold is listed by OR: for each `IN (...)` SQLite would fill a temporary table at each
/// insert, which took two thirds of a record's time.
pub(super) const TABLES: &str = "
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
    outcome     TEXT NOT NULL
                CHECK (outcome = 'answered' OR outcome = 'abandoned' OR outcome = 'refused' OR outcome = 'lost' OR
                       outcome = 'released' OR outcome = 'promised' OR outcome = 'unreached' OR outcome = 'withdrawn'),
    agent       TEXT,
    ended_by    TEXT
                CHECK (ended_by = 'caller' OR ended_by = 'agent' OR ended_by = 'supervisor' OR
                       ended_by = 'dead-media' OR ended_by = 'dead-peer' OR ended_by = 'shutdown' OR
                       ended_by = 'waited-too-long' OR ended_by = 'nobody-at-work' OR ended_by = 'busy' OR
                       ended_by = 'no-answer' OR ended_by = 'failed'),
    code        INTEGER,
    promise     INTEGER,
    about       INTEGER,
    disposition TEXT,
    UNIQUE (run, call),
    CHECK ((agent IS NOT NULL) = (outcome = 'answered')),
    CHECK ((ended_by IS NOT NULL) = (outcome = 'answered' OR outcome = 'lost' OR outcome = 'released'
                                        OR outcome = 'unreached')),
    CHECK ((code IS NOT NULL) = (outcome = 'refused')),
    CHECK (promise IS NOT NULL OR about IS NOT NULL OR (outcome <> 'unreached' AND outcome <> 'withdrawn')),
    CHECK (promise IS NULL OR about IS NULL)
) STRICT;

CREATE INDEX calls_by_time ON calls (arrived_ms, id);
CREATE INDEX calls_by_line ON calls (line, arrived_ms);
CREATE INDEX calls_by_promise ON calls (promise) WHERE promise IS NOT NULL;
CREATE INDEX calls_by_case ON calls (about) WHERE about IS NOT NULL;

CREATE TABLE segments (
    call    INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    stage   TEXT NOT NULL
            CHECK (stage = 'queue' OR stage = 'presented' OR stage = 'dial' OR stage = 'talk' OR
                   stage = 'transfer'),
    agent   TEXT,
    result  TEXT
            CHECK (result = 'answered' OR result = 'busy' OR result = 'rejected' OR result = 'no-answer' OR
                   result = 'unreachable' OR result = 'failed' OR result = 'caller-gone' OR
                   result = 'withdrawn' OR result = 'answered-elsewhere' OR result = 'recalled'),
    from_ms INTEGER NOT NULL CHECK (from_ms >= 0),
    to_ms   INTEGER NOT NULL CHECK (to_ms >= 0),
    target  TEXT,
    PRIMARY KEY (call, seq),
    CHECK ((agent IS NULL) = (stage = 'queue')),
    CHECK ((result IS NOT NULL) = (stage = 'presented')),
    CHECK ((target IS NOT NULL) = (stage = 'transfer'))
) STRICT, WITHOUT ROWID;

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
    CHECK ((why IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'unreached'))
) STRICT;

CREATE INDEX promises_by_time ON promises (promised_ms);
CREATE INDEX promises_open ON promises (id) WHERE settled_ms IS NULL;

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

CREATE TABLE events (
    at_ms  INTEGER NOT NULL,
    run    INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    call   INTEGER,
    line   TEXT,
    trunk  TEXT,
    agent  TEXT,
    rule   TEXT,
    plan   TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (at_ms, run, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_call ON events (run, call) WHERE call IS NOT NULL;

CREATE TABLE referrals (
    id         INTEGER PRIMARY KEY,
    run        INTEGER NOT NULL,
    referral   INTEGER NOT NULL,
    pathway    TEXT NOT NULL,
    agent      TEXT NOT NULL,
    opened_ms  INTEGER NOT NULL,
    outcome    TEXT CHECK (outcome IN ('acknowledged', 'declined', 'unacknowledged', 'withdrawn')),
    settled_ms INTEGER,
    UNIQUE (run, referral),
    CHECK ((settled_ms IS NULL) = (outcome IS NULL))
) STRICT;

CREATE INDEX referrals_by_time ON referrals (opened_ms);

CREATE VIEW calls_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', arrived_ms / 1000.0, 'unixepoch') AS arrived,
           waited_ms / 1000.0 AS waited_s, lasted_ms / 1000.0 AS lasted_s,
           trunk, practice, line, band, ddi, cli, outcome, agent, ended_by, code, promise, about, disposition, run, call
    FROM calls;

CREATE VIEW promises_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', promised_ms / 1000.0, 'unixepoch') AS promised,
           strftime('%Y-%m-%dT%H:%M:%fZ', breach_ms / 1000.0, 'unixepoch') AS breach,
           strftime('%Y-%m-%dT%H:%M:%fZ', settled_ms / 1000.0, 'unixepoch') AS settled,
           line, trunk, practice, missed, escalated, outcome, why, cli, id, run, call
    FROM promises;

CREATE VIEW cases_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', opened_ms / 1000.0, 'unixepoch') AS opened,
           strftime('%Y-%m-%dT%H:%M:%fZ', breach_ms / 1000.0, 'unixepoch') AS breach,
           strftime('%Y-%m-%dT%H:%M:%fZ', closed_ms / 1000.0, 'unixepoch') AS closed,
           stack, line, trunk, practice, band, breached, holder, pathway, disposition, handed_to, cli, id, run, call
    FROM cases;

CREATE VIEW events_utc AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS happened,
           kind, call, line, trunk, agent, rule, plan, detail, run, seq
    FROM events;
";
