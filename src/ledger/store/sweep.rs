//! What is not kept any longer: deleted, or made nobody's, a few rows at a time, so that nobody waits for a lock.

use super::Store;
use super::row::Value;
use crate::ledger::Error;
use crate::time::Wall;

/// The most calls, promises or cases in one transaction.
const MOST: usize = 500;
/// The most events that go by their age alone.
const MOST_EVENTS: usize = 5_000;

/// Which rows are meant: those for which all of it holds.
#[derive(Clone, Debug, Default)]
pub(in crate::ledger) struct Which {
    /// Of one of these practices; of any, and of none, when it is empty.
    pub(in crate::ledger) practices: Vec<String>,
    /// Of none of these.
    pub(in crate::ledger) of_none: Vec<String>,
    /// Of callers who are stored in one of these forms; of all when it is empty.
    pub(in crate::ledger) callers: Vec<String>,
    /// Older than this.
    pub(in crate::ledger) before: Option<Wall>,
}

/// What is done with them.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ledger) enum Deed {
    /// The rows stay, for the figures, but say of nobody whom they are about.
    Forget,
    Delete,
}

/// A table whose rows go by their own age.
struct Table {
    name: &'static str,
    time: &'static str,
    /// Rows that are over; the number of another is needed still.
    over: &'static str,
    /// What makes a row nobody's, and what says that it is somebody's.
    forget: &'static str,
    known: &'static str,
}

const CALLS: Table = Table {
    name: "calls",
    time: "arrived_ms",
    over: "outcome IS NOT NULL",
    forget: "cli = NULL, sip_call_id = ''",
    known: "(cli IS NOT NULL OR sip_call_id <> '')",
};

const PROMISES: Table = Table {
    name: "promises",
    time: "promised_ms",
    over: "settled_ms IS NOT NULL",
    forget: "cli = NULL",
    known: "cli IS NOT NULL",
};

const CASES: Table = Table { name: "cases", time: "opened_ms", over: "closed_ms IS NOT NULL", ..PROMISES };

impl Which {
    /// As SQL for a table whose time is in this column, and what goes into it.
    fn condition(&self, time: &str) -> (String, Vec<Value<'_>>) {
        let lists = [
            ("practice IN (", self.practices.as_slice(), ")"),
            ("(practice IS NULL OR practice NOT IN (", &self.of_none, "))"),
            ("cli IN (", &self.callers, ")"),
        ];
        let mut sql = format!("{time} < $1");
        let mut values = vec![Value::Int(self.before.map_or(i64::MAX, |before| before.0))];
        for (before, texts, after) in lists.into_iter().filter(|(_, texts, _)| !texts.is_empty()) {
            let first = values.len() + 1;
            values.extend(texts.iter().map(Value::from));
            let places: Vec<String> = (first..=values.len()).map(|place| format!("${place}")).collect();
            sql.push_str(&format!(" AND {before}{}{after}", places.join(", ")));
        }
        (sql, values)
    }
}

impl Deed {
    /// Does it to some rows of a table, the oldest first, and says to how many.
    fn some(self, store: &mut Store, table: &Table, which: &Which) -> Result<usize, Error> {
        let Table { name, time, over, forget, known } = table;
        let (condition, values) = which.condition(time);
        let these = |more: &str| {
            format!("(SELECT id FROM {name} WHERE {condition} AND {more} ORDER BY {time}, id LIMIT {MOST})")
        };
        let changes = match self {
            Deed::Forget => {
                vec![format!(
                    "UPDATE {name} SET {forget} WHERE id IN {}",
                    these(&format!("{over} AND {known}"))
                )]
            }
            Deed::Delete if *name == CALLS.name => vec![
                format!(
                    "DELETE FROM events WHERE call IS NOT NULL AND (run, call) IN \
                     (SELECT run, call FROM calls WHERE id IN {})",
                    these(over)
                ),
                format!("DELETE FROM calls WHERE id IN {}", these(over)),
            ],
            Deed::Delete => vec![format!("DELETE FROM {name} WHERE id IN {}", these(over))],
        };
        store.change(&changes, &values)
    }

    /// Does it to all rows that are over: how many calls, promises and cases these were.
    pub(in crate::ledger) fn all(self, store: &mut Store, which: &Which) -> Result<[u64; 3], Error> {
        let mut done = [0; 3];
        for (table, done) in [CALLS, PROMISES, CASES].iter().zip(&mut done) {
            loop {
                let some = self.some(store, table, which)?;
                *done += some as u64;
                if some < MOST {
                    break;
                }
            }
        }
        Ok(done)
    }
}

/// How many promises and cases are not over, so that their numbers are needed still.
pub(in crate::ledger) fn open(store: &Store, which: &Which) -> Result<u64, Error> {
    let mut open = 0;
    for Table { name, time, over, .. } in [PROMISES, CASES] {
        let (condition, values) = which.condition(time);
        let sql = format!("SELECT count(*) FROM {name} WHERE {condition} AND NOT ({over})");
        store.query(&sql, &values, &mut |row| {
            open += row.int(0)?.unsigned_abs();
            Ok(())
        })?;
    }
    Ok(open)
}

/// Deletes some of the rows that are over and too old; says whether there may be more.
pub(in crate::ledger) fn sweep(store: &mut Store, which: &Which) -> Result<bool, Error> {
    let mut more = false;
    for table in [CALLS, PROMISES, CASES] {
        more |= Deed::Delete.some(store, &table, which)? == MOST;
    }
    Ok(more)
}

/// Deletes some of the events and referrals that are too old, whatever they are about.
pub(in crate::ledger) fn sweep_events(store: &mut Store, before: Wall) -> Result<bool, Error> {
    let values = [before.0.into()];
    let of = |table: &str, key: &str, time: &str| {
        format!(
            "DELETE FROM {table} WHERE ({key}) IN \
             (SELECT {key} FROM {table} WHERE {time} < $1 ORDER BY {time} LIMIT {MOST_EVENTS})"
        )
    };
    let events = store.change(&[of("events", "at_ms, run, seq", "at_ms")], &values)?;
    let referrals = store.change(&[of("referrals", "id", "opened_ms")], &values)?;
    Ok(events.max(referrals) == MOST_EVENTS)
}
