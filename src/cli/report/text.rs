//! Reports for people to read.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::table;
use crate::ledger::report::{By, Cases, Promises, Redials, Referrals, Terms};
use crate::ledger::{Figures, Table};

/// The table of waits as text, with what its figures mean.
pub fn waits_table(table: &Table) -> String {
    waits(table, By::Line)
}

/// The same, told apart otherwise.
pub(super) fn waits(table: &Table, by: By) -> String {
    let heading = [
        by.word(),
        "calls",
        "answered",
        "abandoned",
        "refused",
        "lost",
        "released",
        "promised",
        "mean wait",
        "median",
        "90th",
        "95th",
        "99th",
        "longest",
        "longest abandoned",
    ];
    let mut rows: Vec<_> = table.lines.iter().map(|(name, figures)| row(name, figures)).collect();
    rows.push(row(&format!("all {}s", by.word()), &table.total));
    let mut text = table::lay_out(&heading, &rows);
    text.push_str("Waits of answered calls in minutes:seconds; centiles are nearest-rank.\n");
    text
}

/// The table of promised callbacks; nothing when there are none.
pub(super) fn callbacks(groups: &BTreeMap<String, Promises>, by: By) -> String {
    let heading = [by.word(), "callbacks promised", "reached", "own call", "failed", "open", "late"];
    let row = |(name, of_group): (&String, &Promises)| {
        let Promises { promised, reached, own_calls, failed, open, late } = of_group;
        counts(name, &[promised, reached, own_calls, failed, open, late])
    };
    below(&heading, groups.iter().map(row).collect())
}

/// The table of cases; nothing when there are none.
pub(super) fn cases(groups: &BTreeMap<String, Cases>, by: By) -> String {
    let heading = [by.word(), "cases", "closed", "handed over", "referred, not acknowledged", "open", "late"];
    let row = |(name, of_group): (&String, &Cases)| {
        let Cases { opened, closed, handed_over, unacknowledged, open, late } = of_group;
        counts(name, &[opened, closed, handed_over, unacknowledged, open, late])
    };
    below(&heading, groups.iter().map(row).collect())
}

/// The table of referrals; nothing when there are none.
pub(super) fn referrals(pathways: &BTreeMap<String, Referrals>) -> String {
    let heading =
        ["pathway", "referrals", "acknowledged", "declined", "not acknowledged", "withdrawn", "open"];
    let row = |(name, of_pathway): (&String, &Referrals)| {
        let Referrals { made, acknowledged, declined, unacknowledged, withdrawn, open } = of_pathway;
        counts(name, &[made, acknowledged, declined, unacknowledged, withdrawn, open])
    };
    below(&heading, pathways.iter().map(row).collect())
}

/// How many callers rang again, as far as that can be told.
pub(super) fn redials(redials: &Redials, terms: &Terms) -> String {
    let Redials { calls, unnumbered, redials, repeats } = redials;
    let known = calls - unnumbered;
    let within = terms.redials_within.as_secs() / 60;
    let mut text = format!(
        "\nOf {known} calls whose number is stored, {repeats} came within 24 hours of another by the same number, \
         {redials} of them\nwithin {within} minutes of giving up."
    );
    if *unnumbered > 0 {
        text.push_str(&format!(" Of {unnumbered} calls no number is stored: nobody can tell."));
    }
    text + "\n"
}

fn below(heading: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() { String::new() } else { format!("\n{}", table::lay_out(heading, &rows)) }
}

fn counts(name: &str, counts: &[&u64]) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(counts.iter().map(|count| count.to_string())).collect()
}

fn row(name: &str, figures: &Figures) -> Vec<String> {
    let Figures { calls, answered, abandoned, refused, lost, released, promised, .. } = figures;
    let waits = figures.waits.map(|w| [w.mean, w.median, w.p90, w.p95, w.p99, w.longest]);
    let mut row = counts(name, &[calls, answered, abandoned, refused, lost, released, promised]);
    row.extend((0..6).map(|i| minutes(waits.map(|waits| waits[i]))));
    row.push(minutes(figures.longest_abandoned));
    row
}

/// Minutes, seconds and tenths, rounded half up; hours only where there are any.
pub(in super::super) fn minutes(wait: Option<Duration>) -> String {
    let Some(wait) = wait else { return "-".to_owned() };
    let tenths = (wait.as_nanos() + 50_000_000) / 100_000_000;
    let (hours, minutes) = (tenths / 36_000, tenths / 600 % 60);
    let (seconds, tenth) = (tenths / 10 % 60, tenths % 10);
    match hours {
        0 => format!("{minutes}:{seconds:02}.{tenth}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{tenth}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_shown_in_minutes_and_rounded_half_up() {
        let cases = [
            (0, "0:00.0"),
            (49, "0:00.0"),
            (50, "0:00.1"),
            (59_949, "0:59.9"),
            (59_950, "1:00.0"),
            (845_000, "14:05.0"),
            (3_600_000, "1:00:00.0"),
            (36_061_100, "10:01:01.1"),
        ];
        for (millis, text) in cases {
            assert_eq!(minutes(Some(Duration::from_millis(millis))), text);
        }
        assert_eq!(minutes(None), "-");
    }
}
