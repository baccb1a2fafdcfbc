//! Cases on their way to the disk and back: one row for each, rewritten until it is closed.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{CaseEntry, Error};
use crate::acd::Band;
use crate::call::record::{CaseOutcome, CaseRecord};
use crate::id::{CallId, CaseId};
use crate::time::Wall;

/// Whether the case was not there before. One that is there takes the state, unless it has a newer one.
pub(super) fn put(tx: &Transaction<'_>, CaseEntry { run, case }: &CaseEntry) -> Result<bool, Error> {
    let id = case.case.0.cast_signed();
    let known: Option<i64> =
        tx.query_row("SELECT revision FROM cases WHERE id = ?1", [id], |row| row.get(0)).optional()?;
    let mut put = tx.prepare_cached(
        "INSERT INTO cases (id, run, call, stack, line, trunk, practice, band, ddi, number, cli, opened_ms, breach_ms, \
         breached, holder, pathway, revision, disposition, handed_to, closed_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) \
         ON CONFLICT (id) DO UPDATE SET stack = excluded.stack, number = excluded.number, \
         breached = excluded.breached, holder = excluded.holder, pathway = excluded.pathway, \
         revision = excluded.revision, disposition = excluded.disposition, handed_to = excluded.handed_to, \
         closed_ms = excluded.closed_ms \
         WHERE closed_ms IS NULL AND excluded.revision >= revision",
    )?;
    let (disposition, handed_to) = match case.closed.as_ref().map(|(outcome, _)| outcome) {
        Some(CaseOutcome::Disposed(code)) => (Some(code), None),
        Some(CaseOutcome::HandedOver(pathway)) => (None, Some(pathway)),
        None => (None, None),
    };
    put.execute(params![
        id,
        run,
        case.call.0.cast_signed(),
        case.stack,
        case.line,
        case.trunk,
        case.practice,
        case.band.0,
        case.ddi,
        case.number,
        case.cli,
        case.opened.0,
        case.breach.0,
        case.breached,
        case.holder,
        case.pathway,
        case.revision,
        disposition,
        handed_to,
        case.closed.as_ref().map(|(_, at)| at.0),
    ])?;
    Ok(known.is_none())
}

/// The cases of earlier runs that are not closed, the oldest first.
pub(super) fn open(db: &Connection, run: i64) -> Result<Vec<CaseRecord>, Error> {
    let mut query = db.prepare(
        "SELECT id, call, stack, line, trunk, practice, band, ddi, number, opened_ms, breach_ms, breached, holder, \
         pathway, revision FROM cases WHERE closed_ms IS NULL AND run <> ?1 ORDER BY opened_ms, id",
    )?;
    let rows = query.query_map([run], |row| {
        Ok(CaseRecord {
            case: CaseId(row.get::<_, i64>(0)?.cast_unsigned()),
            call: CallId(row.get::<_, i64>(1)?.cast_unsigned()),
            stack: row.get(2)?,
            line: row.get(3)?,
            trunk: row.get(4)?,
            practice: row.get(5)?,
            band: Band(row.get(6)?),
            ddi: row.get(7)?,
            number: row.get(8)?,
            cli: None,
            opened: Wall(row.get(9)?),
            breach: Wall(row.get(10)?),
            breached: row.get(11)?,
            holder: row.get(12)?,
            pathway: row.get(13)?,
            revision: row.get(14)?,
            closed: None,
        })
    })?;
    rows.collect::<Result<_, _>>().map_err(Error::from)
}
