//! Reports, as written: how calls are counted, and what is said of practices.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::deployment::CallbacksCountAs;
use super::super::sink::Sink;
use super::super::table::{List, Table};
use super::{hours, or, secs};

/// `[report]`
pub(in super::super) struct Report {
    pub(in super::super) callbacks_count_as: CallbacksCountAs,
    pub(in super::super) abandoned_after: Duration,
    pub(in super::super) redials_within: Duration,
    pub(in super::super) cbt_header: Option<List<String>>,
}

/// What `[practice.NAME]` says for reports only.
pub(in super::super) struct Places {
    pub(in super::super) fifth: Option<u8>,
    pub(in super::super) region: Option<Spanned<String>>,
    pub(in super::super) icb: Option<Spanned<String>>,
    pub(in super::super) sub_icb: Option<Spanned<String>>,
    pub(in super::super) pcn: Option<Spanned<String>>,
}

pub(super) fn report(table: &mut Table<'_, '_>, sink: &mut Sink) -> Report {
    let choices = [("requested", CallbacksCountAs::Requested), ("answered", CallbacksCountAs::Answered)];
    Report {
        callbacks_count_as: table
            .choice("callbacks-count-as", &choices, sink)
            .unwrap_or(CallbacksCountAs::Requested),
        abandoned_after: or(table.duration("abandoned-after", secs(0)..=hours(1), sink), secs(30)),
        redials_within: or(table.duration("redials-within", secs(1)..=hours(24), sink), secs(1_200)),
        cbt_header: table.texts("cbt-header", sink),
    }
}

pub(super) fn places(table: &mut Table<'_, '_>, sink: &mut Sink) -> Places {
    Places {
        fifth: table.number("fifth", 1..=5, sink).map(Spanned::into_inner),
        region: table.text("region", sink),
        icb: table.text("icb", sink),
        sub_icb: table.text("sub-icb", sink),
        pcn: table.text("pcn", sink),
    }
}
