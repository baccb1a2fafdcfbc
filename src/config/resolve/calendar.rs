//! Windows, bank holidays, and the hours of practices.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_spanned::Spanned;

use super::super::civil::Civil as _;
use super::super::nearest::nearest;
use super::super::plain;
use super::super::sink::{Sink, Span};
use super::super::table::{List, Named, shown};
use super::super::written::{self, Written};
use super::files::neighbour;
use super::names::Register;
use crate::calendar::{
    self, Calendar, Date, Dates, DstFault, Edge, Fault, Holidays, Instead, Lint, Nation, Occasion, Override,
    Practice, Spec, Window,
};
use crate::id::{PracticeId, WindowId};

/// The bank holidays that are known without a file.
const SHIPPED: &str = include_str!("../../../config/bank-holidays.json");
/// Largest file of bank holidays that is read, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// The word for them in `except` and `include`.
const BANK_HOLIDAYS: &str = "bank-holidays";
/// How far ahead windows are looked through for what was hardly meant, in days: over a year and a leap day.
const LOOK_AHEAD: i64 = 400;

/// The calendar; `None` when something in it is wrong, which is then reported.
pub(super) fn calendar(
    written: &Written,
    zone: &str,
    base: &Path,
    today: Date,
    names: &mut Register<'_>,
    sink: &mut Sink,
) -> Option<Calendar> {
    let holidays = holidays(written.node.holidays.as_ref(), base, sink);
    let nation = written.node.nation.as_ref().map_or(Nation::EnglandAndWales, |nation| *nation.get_ref());
    let mut users = Vec::new();
    let windows: Vec<_> = written
        .windows
        .iter()
        .map(|(name, window)| resolved(name, window, names, &mut users, sink))
        .collect();
    let (practices, overrides) = practices(&written.practices, names, sink);
    let (overrides, stated): (Vec<_>, Vec<_>) = overrides.into_iter().unzip();
    let spec = Spec { zone: zone.to_owned(), nation, holidays: holidays?, windows, practices, overrides };
    match Calendar::new(spec) {
        Ok(calendar) => {
            if let Some(user) = users.first() {
                let place = written.node.holidays.as_ref().map_or_else(|| user.clone(), Spanned::span);
                warn_of_end(&calendar, today, place, sink);
            }
            report_lints(&calendar, written, today, sink);
            Some(calendar)
        }
        Err(faults) => {
            for fault in faults {
                report(&fault, written, &stated, sink);
            }
            None
        }
    }
}

/// The bank holidays of the file that is named, or those that are built in.
fn holidays(file: Option<&Spanned<String>>, base: &Path, sink: &mut Sink) -> Option<Holidays> {
    let Some(file) = file else {
        return Some(Holidays::from_json(SHIPPED.as_bytes()).expect("the shipped file is tested"));
    };
    let name = shown(file.get_ref());
    let read = read_bounded(&base.join(file.get_ref())).and_then(|json| {
        Holidays::from_json(&json).map_err(|fault| format!("`{name}` is of no use: {fault}"))
    });
    match read {
        Ok(holidays) => Some(holidays),
        Err(message) => {
            let meant = neighbour(file.get_ref(), &base.join(file.get_ref()));
            sink.error(file.span(), message)
                .suggest(meant)
                .help("GOV.UK publishes the file at https://www.gov.uk/bank-holidays.json");
            None
        }
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("the bank holidays cannot be read: {}", plain(&error));
    let mut json = Vec::new();
    File::open(path).map_err(cannot)?.take(LARGEST_FILE + 1).read_to_end(&mut json).map_err(cannot)?;
    if json.len() as u64 > LARGEST_FILE {
        return Err(format!("the file of bank holidays is larger than {} KiB", LARGEST_FILE / 1024));
    }
    Ok(json)
}

fn warn_of_end(calendar: &Calendar, today: Date, place: Span, sink: &mut Sink) {
    for (nation, last) in calendar.holidays_ending(today) {
        let last = last.map(|last| last.to_string()).unwrap_or_default();
        sink.warning(place.clone(), format!("the bank holidays of {nation} are known until {last} only"))
            .help(
                "after it no day counts as one: save https://www.gov.uk/bank-holidays.json beside this file, and \
                 name it as `holidays` in [node]",
            );
    }
}

/// A window with what it excepts and includes; `users` gains the places that speak of bank holidays.
fn resolved(
    name: &Spanned<String>,
    written: &written::Window,
    names: &mut Register<'_>,
    users: &mut Vec<Span>,
    sink: &mut Sink,
) -> Window {
    if name.get_ref() == BANK_HOLIDAYS {
        sink.error(name.span(), format!("`{BANK_HOLIDAYS}` means the bank holidays, and cannot be a window"));
    }
    let values = |list: &Option<List<Dates>>| {
        list.iter().flat_map(|list| &list.items).map(|dates| *dates.get_ref()).collect()
    };
    Window {
        name: name.get_ref().clone(),
        days: written.days.iter().flat_map(|list| &list.items).map(|day| *day.get_ref()).collect(),
        months: written.months.iter().flat_map(|list| &list.items).map(|month| *month.get_ref()).collect(),
        dates: values(&written.dates),
        from: written.from.as_ref().map(|time| *time.get_ref()),
        to: written.to.as_ref().map(|time| *time.get_ref()),
        except: occasions(written.except.as_ref(), names, users, sink),
        include: occasions(written.include.as_ref(), names, users, sink),
    }
}

/// Each is the bank holidays, a date or dates, or a window.
fn occasions(
    written: Option<&List<String>>,
    names: &mut Register<'_>,
    users: &mut Vec<Span>,
    sink: &mut Sink,
) -> Vec<Occasion> {
    let mut occasions = Vec::new();
    for word in written.into_iter().flat_map(|list| &list.items) {
        let text = word.get_ref().as_str();
        let is_window = names.windows.position(text).is_some();
        if text == BANK_HOLIDAYS {
            users.push(word.span());
            occasions.push(Occasion::BankHolidays);
        } else if let Ok(dates) = text.parse() {
            occasions.push(Occasion::Dates(dates));
        } else if !is_window && let Some(meant) = nearest(text, [BANK_HOLIDAYS]) {
            sink.error(word.span(), format!("there is no window `{}`", shown(text))).suggest(Some(meant));
        } else if !is_window && let Some(meant) = Dates::meant(text) {
            sink.error(word.span(), format!("\"{}\" is no date", shown(text))).suggest(Some(meant));
        } else {
            occasions.extend(names.windows.find(word, sink).map(WindowId).map(Occasion::Window));
        }
    }
    occasions
}

/// The practices' hours, and their overrides with their places.
fn practices(
    written: &Named<written::Practice>,
    names: &mut Register<'_>,
    sink: &mut Sink,
) -> (Vec<Practice>, Vec<(Override, Span)>) {
    let mut practices = Vec::with_capacity(written.len());
    let mut overrides = Vec::new();
    for (id, (_, practice)) in (0u32..).map(PracticeId).zip(written) {
        let hours = practice.hours.as_ref().and_then(|name| names.windows.find(name, sink)).map(WindowId);
        let zone = practice.zone.as_ref().filter(|zone| check_zone(zone, sink));
        practices.push(Practice {
            zone: zone.map(|zone| zone.get_ref().clone()),
            nation: practice.nation.as_ref().map(|nation| *nation.get_ref()),
            hours,
        });
        let hours_known = practice.hours.is_none() || hours.is_some();
        for exception in &practice.overrides {
            let stands = instead(exception, sink);
            let window = exception.window.as_ref().map(|name| names.windows.find(name, sink).map(WindowId));
            let (Some(hours), Some(dates)) = (stands, &exception.dates) else { continue };
            if dates.broken || matches!(window, Some(None)) || (window.is_none() && !hours_known) {
                continue;
            }
            let dates = dates.items.iter().map(|dates| *dates.get_ref()).collect();
            let stated = Override { practice: id, window: window.flatten(), dates, hours };
            overrides.push((stated, exception.header.clone()));
        }
    }
    (practices, overrides)
}

/// What holds on the dates of an override.
fn instead(written: &written::Override, sink: &mut Sink) -> Option<Instead> {
    let time = written.from.as_ref().or(written.to.as_ref());
    match (&written.closed, time) {
        (Some(closed), Some(time)) if *closed.get_ref() => {
            sink.error(time.span(), "what is closed has no times").also(closed.span(), "closed here");
            None
        }
        (Some(closed), None) if *closed.get_ref() => Some(Instead::Closed),
        (_, Some(_)) => Some(Instead::Open {
            from: written.from.as_ref().map(|from| *from.get_ref()),
            to: written.to.as_ref().map(|to| *to.get_ref()),
        }),
        (_, None) if sink.is_partial() => None,
        (_, None) => {
            sink.error(written.header.clone(), "this override says neither closed = true nor `from` or `to`");
            None
        }
    }
}

/// Whether there is such a zone; if not, that is reported.
pub(super) fn check_zone(zone: &Spanned<String>, sink: &mut Sink) -> bool {
    let name = zone.get_ref().as_str();
    let known = calendar::is_zone(name);
    if !known {
        let zones: Vec<_> =
            jiff::tz::TimeZoneDatabase::bundled().available().map(|zone| zone.to_string()).collect();
        let meant = nearest(name, zones.iter().map(String::as_str));
        sink.error(zone.span(), format!("there is no time zone `{}`", shown(name))).suggest(meant);
    }
    known
}

/// Reports what is wrong with the calendar as a whole; what is wrong with one name was reported before.
fn report(fault: &Fault, written: &Written, overrides: &[Span], sink: &mut Sink) {
    let window = |window: WindowId| written.windows[window.index()].0.span();
    match fault {
        Fault::Circle { windows, .. } => {
            let message = format!("{fault}");
            let mut spans = windows.iter().map(|&id| window(id));
            let Some(first) = spans.next() else { return };
            let draft = sink.error(first, message);
            for span in spans {
                draft.also(span, "by way of this one");
            }
        }
        Fault::TooMany { window: id, .. } => drop(sink.error(window(*id), fault.to_string())),
        Fault::NoHours { at, practice } => {
            let name = shown(written.practices[practice.index()].0.get_ref());
            sink.error(
                overrides[*at].clone(),
                format!("practice `{name}` has no `hours` that this could override"),
            )
            .help("give the practice `hours`, or the override a `window`");
        }
        Fault::NoDates { at } => drop(sink.error(overrides[*at].clone(), "this override has no dates")),
        Fault::Twice { at, date } => {
            sink.error(overrides[*at].clone(), format!("{date} is overridden twice"));
        }
        Fault::UnknownZone { .. } if sink.has_errors() => {}
        Fault::UnknownZone { .. }
        | Fault::UnknownWindow { .. }
        | Fault::UnknownHours { .. }
        | Fault::UnknownOverridden { .. } => drop(sink.error_of_file(fault.to_string())),
    }
}

/// Warns of windows that are hardly meant so: each end of a window once for each thing that clocks do.
fn report_lints(calendar: &Calendar, written: &Written, today: Date, sink: &mut Sink) {
    let until = today.saturating_add(jiff::Span::new().days(LOOK_AHEAD));
    let Ok(within) = Dates::new(today, until) else { return };
    let mut told = BTreeSet::new();
    for lint in calendar.lints(within) {
        let (id, span) = match &lint {
            Lint::NoDays { window, .. } | Lint::AllExcepted { window, .. } => (*window, None),
            Lint::IncludedInVain { window, .. } => {
                let include = written.windows[window.index()].1.include.as_ref();
                (*window, include.map(|list| list.span.clone()))
            }
            Lint::Dst(DstFault { window, edge, taken, .. }) => {
                if !told.insert((*window, *edge, *taken)) {
                    continue;
                }
                let stated = &written.windows[window.index()].1;
                let time = match edge {
                    Edge::From => &stated.from,
                    Edge::To => &stated.to,
                };
                (*window, time.as_ref().map(Spanned::span))
            }
        };
        let (name, _) = &written.windows[id.index()];
        sink.warning(
            span.unwrap_or_else(|| name.span()),
            format!("window `{}`: {lint}", shown(name.get_ref())),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_bank_holidays_can_be_read() {
        assert!(Holidays::from_json(SHIPPED.as_bytes()).is_ok());
    }
}
