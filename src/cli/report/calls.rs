//! One row for each call, as CSV: all calls of a period, or those behind a figure.

use std::io::Write;

use super::Error;
use crate::call::record::{CallRecord, Stage};
use crate::ledger::Entry;
use crate::ledger::report::Kind;
use crate::ledger::words;
use crate::time::Wall;

/// What a column holds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Signed,
    Unsigned,
    Time,
    Text,
}

/// The columns, in their order.
pub(super) const COLUMNS: [(&str, Type); 22] = [
    ("run", Type::Signed),
    ("call", Type::Unsigned),
    ("arrived", Type::Time),
    ("answered", Type::Time),
    ("ended", Type::Time),
    ("waited_ms", Type::Unsigned),
    ("lasted_ms", Type::Unsigned),
    ("trunk", Type::Text),
    ("practice", Type::Text),
    ("line", Type::Text),
    ("band", Type::Unsigned),
    ("ddi", Type::Text),
    ("cli", Type::Text),
    ("outcome", Type::Text),
    ("agent", Type::Text),
    ("ended_by", Type::Text),
    ("code", Type::Unsigned),
    ("presentations", Type::Unsigned),
    ("sip_call_id", Type::Text),
    ("promise", Type::Unsigned),
    ("case", Type::Unsigned),
    ("disposition", Type::Text),
];

/// A value of the type of its column, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Nothing,
    Signed(i64),
    Unsigned(u64),
    Time(Wall),
    Text(String),
}

/// The fields of a call, in the order of [`COLUMNS`].
pub(super) fn fields(Entry { run, record }: &Entry) -> [Field; COLUMNS.len()] {
    let (agent, ended_by, code) = words::particulars(&record.outcome);
    let text = |text: Option<&str>| text.map_or(Field::Nothing, |text| Field::Text(text.to_owned()));
    let number = |number: Option<u64>| number.map_or(Field::Nothing, Field::Unsigned);
    let millis = |duration: std::time::Duration| {
        Field::Unsigned(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    };
    [
        Field::Signed(*run),
        Field::Unsigned(record.call.0),
        Field::Time(record.arrived),
        agent.map_or(Field::Nothing, |_| Field::Time(record.arrived + record.waited)),
        Field::Time(record.arrived + record.lasted),
        millis(record.waited),
        millis(record.lasted),
        text(Some(&record.trunk)),
        text(record.practice.as_deref()),
        text(Some(&record.line)),
        Field::Unsigned(record.band.0.into()),
        text(Some(&record.ddi)),
        text(record.cli.as_deref()),
        text(Some(Kind::of(&record.outcome).word())),
        text(agent),
        text(ended_by),
        number(code.map(u64::from)),
        Field::Unsigned(presentations(record)),
        text(Some(&record.sip_call_id)),
        number(record.promise.map(|promise| promise.0)),
        number(record.case.map(|case| case.0)),
        text(record.disposition.as_deref()),
    ]
}

fn presentations(record: &CallRecord) -> u64 {
    record.segments.iter().filter(|segment| matches!(segment.stage, Stage::Presented { .. })).count() as u64
}

/// A file of CSV, RFC 4180.
pub(super) fn writer(out: &mut impl Write) -> csv::Writer<&mut impl Write> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out)
}

/// Takes a call, and what stands behind it in its row.
pub(super) type Give<'a, const N: usize> = dyn FnMut(Entry, [&'static str; N]) -> Result<(), Error> + 'a;

/// Writes the heading and one row for each call that `give` hands to its argument, with `more` columns behind.
pub(super) fn write<const N: usize>(
    out: &mut impl Write,
    more: [&'static str; N],
    give: impl FnOnce(&mut Give<'_, N>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut csv = writer(out);
    csv.write_record(COLUMNS.map(|(name, _)| name).into_iter().chain(more))?;
    give(&mut |entry, more| {
        fields(&entry).into_iter().try_for_each(|field| csv.write_field(field.cell()))?;
        more.iter().try_for_each(|cell| csv.write_field(cell))?;
        csv.write_record(None::<&[u8]>).map_err(Error::from)
    })?;
    csv.flush()?;
    Ok(())
}

impl Field {
    /// As a cell that no spreadsheet runs.
    fn cell(self) -> String {
        match self {
            Field::Nothing => String::new(),
            Field::Signed(number) => number.to_string(),
            Field::Unsigned(number) => number.to_string(),
            Field::Time(wall) => wall.rfc3339(),
            Field::Text(text) => as_text(text),
        }
    }

    /// As JSON: times as ISO 8601.
    pub(super) fn json(self) -> serde_json::Value {
        match self {
            Field::Nothing => serde_json::Value::Null,
            Field::Signed(number) => number.into(),
            Field::Unsigned(number) => number.into(),
            Field::Time(wall) => wall.rfc3339().into(),
            Field::Text(text) => text.into(),
        }
    }
}

/// A text that no spreadsheet runs; see the module's description.
pub(super) fn as_text(text: String) -> String {
    let telephone = text.strip_prefix('+').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    if !telephone && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_marked_as_text() {
        let cases = [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("@SUM(1)", "'@SUM(1)"),
            ("-1+1", "'-1+1"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("\t=1", "'\t=1"),
            ("+442079460123", "+442079460123"),
            ("elm-tree", "elm-tree"),
            ("", ""),
        ];
        for (given, written) in cases {
            assert_eq!(as_text(given.to_owned()), written);
        }
    }
}
