//! When windows are open: opening hours, peaks, bank holidays, and the clocks of every zone.
//!
//! A [`Window`] is a rule for days and two times of day. On each of its days it is one interval of instants:
//! **it begins with the first instant at which the clocks there show `from` or later, and ends with the last
//! at which they show a time before `to`**. So a `from` that the clocks skip is the instant of the change; a
//! `from` that they show twice is the first; a `to` that they show twice is the second, save where they go
//! back to just that time, which is then not passed again. A window whose two times are both skipped does not
//! open on that day. A window is open while one of its intervals holds the instant and none of the windows
//! that it excepts is open. An interval past midnight belongs to the day on which it begins: that day decides
//! about bank holidays, exceptions and overrides.
//!
//! What a window says depends on who asks: a practice has its own overrides, and may have its own zone and
//! nation. Nothing here reads a clock or the host's time zones.

mod civil;
mod describe;
mod holidays;
mod lint;
mod spec;
#[cfg(test)]
mod tests;
mod view;
mod why;
mod zone;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::civil::{Date, Dates, Local, Misread, Month, TimeOfDay, Weekday};
pub use self::holidays::{Holidays, HolidaysFault, Nation};
pub use self::lint::{DstFault, Edge, Lint, Taken};
pub use self::spec::{Fault, Instead, Occasion, Override, Practice, Spec, Window};
pub use self::why::Reason;

use self::spec::Checked;
use self::zone::Zone;
use crate::id::{PracticeId, WindowId};
use crate::time::Wall;

/// How far ahead [`Calendar::next_change`] looks: a leap year and a month.
const FARTHEST: Duration = Duration::from_secs(400 * 24 * 3600);
/// How long before the last known bank holiday its nation is named, in days.
const ENDS_SOON: u16 = 90;
/// How far ahead [`Calendar::at`] looks.
const ASK_AGAIN: Duration = Duration::from_secs(8 * 24 * 3600);

/// All windows, as every practice sees them.
///
/// A window that is not there is closed; a practice that is not there sees what the node sees.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Spec", into = "Spec")]
pub struct Calendar {
    spec: Spec,
    checked: Checked,
}

/// Whether a window is open, and how long that is sure to last.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Whether it is open.
    pub open: bool,
    /// Until when it stays so at least: its next change, or some days on if none is near. Then ask again.
    pub until: Wall,
}

impl Calendar {
    /// Makes a calendar, or says all that is wrong with `spec`.
    pub fn new(spec: Spec) -> Result<Calendar, Vec<Fault>> {
        let checked = spec.check()?;
        Ok(Calendar { spec, checked })
    }

    /// What it was made from.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Whether `window` is open at `at`, as `practice` sees it.
    pub fn covers(&self, window: WindowId, practice: Option<PracticeId>, at: Wall) -> bool {
        self.view(practice).is_open(window, at)
    }

    /// The same, with how long it lasts, so that the caller need not ask at every instant.
    pub fn at(&self, window: WindowId, practice: Option<PracticeId>, at: Wall) -> Hours {
        let view = self.view(practice);
        let until = view.next_change(window, at, at + ASK_AGAIN);
        Hours { open: view.is_open(window, at), until: until.unwrap_or(at + ASK_AGAIN) }
    }

    /// The first instant after `after` at which `window` opens or closes; `None` if that is over 400 days off.
    pub fn next_change(&self, window: WindowId, practice: Option<PracticeId>, after: Wall) -> Option<Wall> {
        self.view(practice).next_change(window, after, after + FARTHEST)
    }

    /// What calendar and clock show where `practice` is.
    pub fn local(&self, at: Wall, practice: Option<PracticeId>) -> Local {
        let reading = self.view(practice).zone.reading(at);
        Local { date: reading.date(), time: TimeOfDay::showing(reading.time()) }
    }

    /// The first instant at which calendar and clock show `local` or later where `practice` is.
    pub fn instant(&self, local: Local, practice: Option<PracticeId>) -> Wall {
        self.view(practice).zone.first(local.time.on(local.date))
    }

    /// What makes `window` open or closed at `at`.
    pub fn why(&self, window: WindowId, practice: Option<PracticeId>, at: Wall) -> Reason {
        self.view(practice).why(window, at)
    }

    /// The window in readable English: `Mondays 08:00 to 09:30, not on bank holidays`.
    pub fn describe(&self, window: WindowId) -> String {
        self.spec.windows.get(window.index()).map(|window| self.words(window)).unwrap_or_default()
    }

    /// The windows that decide about `window`: itself, those it excepts and includes, and so on.
    pub fn deciding(&self, window: WindowId) -> BTreeSet<WindowId> {
        let mut found = BTreeSet::new();
        let mut open = vec![window];
        while let Some(window) = open.pop() {
            if let Some(known) = self.spec.windows.get(window.index())
                && found.insert(window)
            {
                open.extend(known.names());
            }
        }
        found
    }

    /// The nations whose bank holidays some window asks for and of which none is known more than 90 days after
    /// `today`, each with the last one known.
    pub fn holidays_ending(&self, today: Date) -> Vec<(Nation, Option<Date>)> {
        let occasions =
            |window: &Window| window.except.iter().chain(&window.include).copied().collect::<Vec<_>>();
        if !self.spec.windows.iter().any(|window| occasions(window).contains(&Occasion::BankHolidays)) {
            return Vec::new();
        }
        let own = self.spec.practices.iter().filter_map(|practice| practice.nation);
        let nations: BTreeSet<_> = own.chain([self.spec.nation]).collect();
        let known = &self.spec.holidays;
        let ending = nations.into_iter().filter(|&nation| known.end_within(nation, ENDS_SOON, today));
        ending.map(|nation| (nation, known.last(nation))).collect()
    }

    /// The opening hours of a practice, if it has stated them.
    pub fn hours(&self, practice: PracticeId) -> Option<WindowId> {
        self.spec.practices.get(practice.index())?.hours
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Calendar) -> bool {
        self.spec == other.spec
    }
}

impl Eq for Calendar {}

impl From<Calendar> for Spec {
    fn from(calendar: Calendar) -> Spec {
        calendar.spec
    }
}

impl TryFrom<Spec> for Calendar {
    type Error = Unsound;

    fn try_from(spec: Spec) -> Result<Calendar, Unsound> {
        Calendar::new(spec).map_err(Unsound)
    }
}

/// What is wrong with a stored calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the calendar is unsound: {}", .0.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
pub struct Unsound(pub Vec<Fault>);

/// Whether the time zone database that is built into the program has this zone.
pub fn is_zone(name: &str) -> bool {
    Zone::named(name).is_some()
}
