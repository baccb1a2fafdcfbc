//! What an earlier run left undone: promises that are not settled, and cases that are not closed.

use super::Store;
use crate::acd::Band;
use crate::call::record::{CaseRecord, PromiseRecord};
use crate::id::{CallId, CaseId, PromiseId};
use crate::ledger::Error;
use crate::time::Wall;

const PROMISES: &str = "SELECT id, call, line, trunk, practice, band, ddi, number, arrived_ms, promised_ms, next_ms, \
    breach_ms, expires_ms, missed, escalated, revision FROM promises \
    WHERE settled_ms IS NULL AND run IS DISTINCT FROM $1 ORDER BY promised_ms, id";

const CASES: &str = "SELECT id, call, stack, line, trunk, practice, band, ddi, number, opened_ms, breach_ms, breached, \
    holder, pathway, revision FROM cases WHERE closed_ms IS NULL AND run <> $1 ORDER BY opened_ms, id";

/// The promises that are not settled, but for those of one run, the oldest first.
pub(in crate::ledger) fn promises(store: &Store, but: Option<i64>) -> Result<Vec<PromiseRecord>, Error> {
    let mut promises = Vec::new();
    store.query(PROMISES, &[but.into()], &mut |row| {
        promises.push(PromiseRecord {
            promise: PromiseId(row.int(0)?.cast_unsigned()),
            call: CallId(row.int(1)?.cast_unsigned()),
            line: row.text(2)?.to_owned(),
            trunk: row.text(3)?.to_owned(),
            practice: row.maybe_string(4)?,
            band: band(row.int(5)?)?,
            ddi: row.text(6)?.to_owned(),
            number: row.maybe_string(7)?,
            cli: None,
            arrived: Wall(row.int(8)?),
            promised: Wall(row.int(9)?),
            next: Wall(row.int(10)?),
            breach: Wall(row.int(11)?),
            expires: Wall(row.int(12)?),
            missed: small("missed", row.int(13)?)?,
            escalated: row.flag(14)?,
            revision: small("revision", row.int(15)?)?,
            settled: None,
        });
        Ok(())
    })?;
    Ok(promises)
}

/// The cases of other runs that are not closed, the oldest first.
pub(in crate::ledger) fn cases(store: &Store, run: i64) -> Result<Vec<CaseRecord>, Error> {
    let mut cases = Vec::new();
    store.query(CASES, &[run.into()], &mut |row| {
        cases.push(CaseRecord {
            case: CaseId(row.int(0)?.cast_unsigned()),
            call: CallId(row.int(1)?.cast_unsigned()),
            stack: row.text(2)?.to_owned(),
            line: row.text(3)?.to_owned(),
            trunk: row.text(4)?.to_owned(),
            practice: row.maybe_string(5)?,
            band: band(row.int(6)?)?,
            ddi: row.text(7)?.to_owned(),
            number: row.maybe_string(8)?,
            cli: None,
            opened: Wall(row.int(9)?),
            breach: Wall(row.int(10)?),
            breached: row.flag(11)?,
            holder: row.maybe_string(12)?,
            pathway: row.maybe_string(13)?,
            revision: small("revision", row.int(14)?)?,
            closed: None,
        });
        Ok(())
    })?;
    Ok(cases)
}

/// A priority class from its column.
pub(in crate::ledger) fn band(stored: i64) -> Result<Band, Error> {
    Ok(Band(small("band", stored)?))
}

/// A number that fits into fewer bits than its column has.
pub(in crate::ledger) fn small<N: TryFrom<i64>>(column: &'static str, stored: i64) -> Result<N, Error> {
    N::try_from(stored).map_err(|_| Error::Meaningless { column, value: stored.to_string() })
}
