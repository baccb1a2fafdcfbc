//! Windows, and the dated exceptions of practices, as written.

use serde_spanned::Spanned;

use super::super::sink::{Sink, Span};
use super::super::table::{List, Table};
use crate::calendar::{Dates, Month, TimeOfDay, Weekday};

/// `[window.NAME]`
pub(in super::super) struct Window {
    pub(in super::super) days: Option<List<Weekday>>,
    pub(in super::super) months: Option<List<Month>>,
    pub(in super::super) dates: Option<List<Dates>>,
    pub(in super::super) from: Option<Spanned<TimeOfDay>>,
    pub(in super::super) to: Option<Spanned<TimeOfDay>>,
    /// `bank-holidays`, dates, names of windows.
    pub(in super::super) except: Option<List<String>>,
    pub(in super::super) include: Option<List<String>>,
}

/// `[[practice.NAME.override]]`
pub(in super::super) struct Override {
    pub(in super::super) header: Span,
    pub(in super::super) window: Option<Spanned<String>>,
    pub(in super::super) dates: Option<List<Dates>>,
    pub(in super::super) closed: Option<Spanned<bool>>,
    pub(in super::super) from: Option<Spanned<TimeOfDay>>,
    pub(in super::super) to: Option<Spanned<TimeOfDay>>,
}

pub(super) fn window(table: &mut Table<'_, '_>, sink: &mut Sink) -> Window {
    Window {
        days: table.civils("days", sink),
        months: table.civils("months", sink),
        dates: table.civils("dates", sink),
        from: table.civil("from", sink),
        to: table.civil("to", sink),
        except: table.texts("except", sink),
        include: table.texts("include", sink),
    }
}

pub(super) fn exception(table: &mut Table<'_, '_>, sink: &mut Sink) -> Override {
    table.need("dates", sink);
    Override {
        header: table.header().unwrap_or_default(),
        window: table.text("window", sink),
        dates: table.civils("dates", sink),
        closed: table.flag("closed", sink),
        from: table.civil("from", sink),
        to: table.civil("to", sink),
    }
}
