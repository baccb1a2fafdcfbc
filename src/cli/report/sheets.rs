//! Items and counts of published collections, as CSV.

use std::io::Write;
use std::time::Duration;

use super::Error;
use super::calls::{as_text, writer};
use super::setup::Setup;
use crate::ledger::report::{By, Item, Sheet, Value, cbt};

/// One row for each item of each group: its code, what it is, and what it comes to.
pub(super) fn write_items(sheet: Sheet, by: Option<By>, out: &mut impl Write) -> Result<(), Error> {
    let mut csv = writer(out);
    let by = by.map(By::word);
    csv.write_record(by.into_iter().chain(["item", "meaning", "value"]))?;
    for (name, items) in sheet.items() {
        for Item { code, words, value } in items {
            let group = by.map(|by| name.clone().map_or(format!("all {by}s"), as_text));
            csv.write_record(group.into_iter().chain([code.to_owned(), words.to_owned(), shown(value)]))?;
        }
    }
    csv.flush()?;
    Ok(())
}

/// Counts as they are, times in seconds, shares in per cent; nothing of no calls.
fn shown(value: Option<Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Calls(calls)) => calls.to_string(),
        Some(Value::Time(time)) => format!("{:.3}", seconds(time)),
        Some(Value::Percent(percent)) => format!("{percent:.2}"),
    }
}

/// Seconds, rounded to a millisecond, half up.
pub(super) fn seconds(time: Duration) -> f64 {
    ((time.as_nanos() + 500_000) / 1_000_000) as f64 / 1_000.0
}

/// The counts of cloud-based telephony under the names that are set.
pub(super) fn write_cbt(counts: &cbt::Counts, setup: &Setup, out: &mut impl Write) -> Result<(), Error> {
    let mut csv = writer(out);
    let shown = |at: &usize| !setup.cbt_header[*at].is_empty();
    let columns: Vec<usize> = (0..cbt::COLUMNS).filter(shown).collect();
    csv.write_record(columns.iter().map(|&at| setup.cbt_header[at].as_str()))?;
    for row in counts.rows() {
        let cells = row.cells(&setup.terms).map(as_text);
        csv.write_record(columns.iter().map(|&at| cells[at].as_str()))?;
    }
    csv.flush()?;
    Ok(())
}
