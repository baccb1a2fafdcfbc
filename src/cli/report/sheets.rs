//! Items and counts of published collections, as CSV.

use std::io::Write;
use std::time::Duration;

use super::Error;
use super::calls::{as_text, writer};
use super::setup::Setup;
use crate::ledger::report::{By, HalfHour, Item, Sheet, Value, cbt};
use crate::ledger::{Figures, Table};

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

/// One row for each group, and one for all calls: outcomes, and the waits of those answered.
pub(super) fn write_waits(table: &Table, by: By, out: &mut impl Write) -> Result<(), Error> {
    const COUNTS: [&str; 7] = ["calls", "answered", "abandoned", "refused", "lost", "released", "promised"];
    const TIMES: [&str; 7] =
        ["mean_s", "median_s", "p90_s", "p95_s", "p99_s", "longest_s", "longest_abandoned_s"];
    let mut csv = writer(out);
    csv.write_record([by.word()].into_iter().chain(COUNTS).chain(TIMES))?;
    let groups = table.lines.iter().map(|(name, figures)| (as_text(name.clone()), figures));
    for (name, figures) in groups.chain([(format!("all {}s", by.word()), &table.total)]) {
        let Figures { calls, answered, abandoned, refused, lost, released, promised, .. } = figures;
        let counts = [calls, answered, abandoned, refused, lost, released, promised].map(u64::to_string);
        let waits = figures.waits.map(|w| [w.mean, w.median, w.p90, w.p95, w.p99, w.longest].map(time));
        let waits = waits
            .unwrap_or_default()
            .into_iter()
            .chain([figures.longest_abandoned.map_or_else(String::new, time)]);
        csv.write_record([name].into_iter().chain(counts).chain(waits))?;
    }
    csv.flush()?;
    Ok(())
}

/// One row for each half hour of the day.
pub(super) fn write_half_hours(half_hours: &[HalfHour], out: &mut impl Write) -> Result<(), Error> {
    let mut csv = writer(out);
    csv.write_record(["from", "calls", "answered", "abandoned", "median_s", "p95_s"])?;
    for (at, HalfHour { calls, answered, abandoned, waits }) in half_hours.iter().enumerate() {
        let [calls, answered, abandoned] = [calls, answered, abandoned].map(u64::to_string);
        let [median, p95] = waits.map(|(median, p95)| [median, p95].map(time)).unwrap_or_default();
        csv.write_record([half_hour(at), calls, answered, abandoned, median, p95])?;
    }
    csv.flush()?;
    Ok(())
}

/// When the half hour at this place of the day begins.
pub(super) fn half_hour(at: usize) -> String {
    format!("{:02}:{:02}", at / 2, at % 2 * 30)
}

/// Counts as they are, times in seconds, shares in per cent; nothing of no calls.
fn shown(value: Option<Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Calls(calls)) => calls.to_string(),
        Some(Value::Time(length)) => time(length),
        Some(Value::Percent(percent)) => format!("{percent:.2}"),
    }
}

fn time(time: Duration) -> String {
    format!("{:.3}", seconds(time))
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
