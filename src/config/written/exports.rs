//! Where copies of what happens go, as written.

use serde_spanned::Spanned;

use super::super::sink::Sink;
use super::super::table::Table;
use super::or;

/// `[hep]`
pub(in super::super) struct Hep {
    pub(in super::super) to: Option<Spanned<String>>,
    pub(in super::super) capture_id: u32,
    pub(in super::super) key: Option<Spanned<String>>,
}

/// `[telemetry]`
pub(in super::super) struct Telemetry {
    pub(in super::super) otlp: Option<Spanned<String>>,
}

pub(super) fn hep(table: &mut Table<'_, '_>, sink: &mut Sink) -> Hep {
    Hep {
        to: table.text("to", sink),
        capture_id: or(table.number("capture-id", 0..=u32::MAX, sink), 1),
        key: table.text("key", sink),
    }
}

pub(super) fn telemetry(table: &mut Table<'_, '_>, sink: &mut Sink) -> Telemetry {
    Telemetry { otlp: table.text("otlp", sink) }
}
