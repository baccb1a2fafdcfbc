//! What a calendar is made from, as plain data, and what may be wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::civil::{Date, Dates, Month, TimeOfDay, Weekday};
use super::holidays::{Holidays, Nation};
use super::zone::Zone;
use crate::id::{PracticeId, WindowId};

/// Most windows that one may lead to through `except` and `include`, counted once for each way.
const MOST_NAMED: usize = 256;

/// Everything a calendar knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The node's time zone, by its IANA name: `Europe/London`.
    pub zone: String,
    /// Whose bank holidays the node keeps.
    pub nation: Nation,
    /// The bank holidays of every nation.
    pub holidays: Holidays,
    /// By [`WindowId`].
    pub windows: Vec<Window>,
    /// By [`PracticeId`].
    pub practices: Vec<Practice>,
    /// Dated exceptions of single practices.
    pub overrides: Vec<Override>,
}

impl Spec {
    /// A calendar of this zone and nation, without windows, practices and bank holidays.
    pub fn empty(zone: &str, nation: Nation) -> Spec {
        Spec {
            zone: zone.to_owned(),
            nation,
            holidays: Holidays::default(),
            windows: Vec::new(),
            practices: Vec::new(),
            overrides: Vec::new(),
        }
    }
}

/// Times that come again: on which days, from when, until when.
///
/// A day is the window's if it is one of `days`, in one of `months` and one of `dates` (an empty list allows
/// every day), or if `include` names it; and if `except` does not name it, which always wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its name in the configuration.
    pub name: String,
    /// Days of the week.
    pub days: BTreeSet<Weekday>,
    /// Months of the year.
    pub months: BTreeSet<Month>,
    /// Dates.
    pub dates: Vec<Dates>,
    /// When it opens on its day; `None` is midnight.
    pub from: Option<TimeOfDay>,
    /// When it closes, itself excluded; if not after `from`, on the next day. `None` is midnight.
    pub to: Option<TimeOfDay>,
    /// Bank holidays and dates on which it does not open, and windows during which it is closed.
    pub except: Vec<Occasion>,
    /// Days on which it opens all the same: of a window, the days that are that window's.
    pub include: Vec<Occasion>,
}

impl Window {
    /// When it opens and when it closes; the second on the next day if it is not after the first.
    pub fn times(&self) -> (TimeOfDay, TimeOfDay) {
        (self.from.unwrap_or(TimeOfDay::MIDNIGHT), self.to.unwrap_or(TimeOfDay::MIDNIGHT))
    }

    /// The windows it names.
    pub(super) fn names(&self) -> impl Iterator<Item = WindowId> {
        self.except.iter().chain(&self.include).filter_map(|occasion| match occasion {
            Occasion::Window(window) => Some(*window),
            Occasion::BankHolidays | Occasion::Dates(_) => None,
        })
    }
}

/// What `except` and `include` name.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Occasion {
    /// The bank holidays of the nation.
    BankHolidays,
    /// These dates.
    Dates(Dates),
    /// Another window.
    Window(WindowId),
}

/// What of the calendar is a practice's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Practice {
    /// Its time zone, if not the node's.
    pub zone: Option<String>,
    /// Its nation, if not the node's.
    pub nation: Option<Nation>,
    /// Its opening hours, to which its overrides apply unless they name a window.
    pub hours: Option<WindowId>,
}

/// Other hours of one practice on some dates; stands above all that the window says of those days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Whose.
    pub practice: PracticeId,
    /// Of which window; `None` is the practice's hours.
    pub window: Option<WindowId>,
    /// On which dates.
    pub dates: Vec<Dates>,
    /// What holds on them.
    pub hours: Instead,
}

/// What holds on a date in place of the window's own rule.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Instead {
    /// It does not open on that date.
    Closed,
    /// It opens on that date, whatever day it is, and nothing is excepted from it.
    Open {
        /// When it opens; `None` is as usual.
        from: Option<TimeOfDay>,
        /// When it closes; `None` is as usual.
        to: Option<TimeOfDay>,
    },
}

/// Why a calendar cannot be made. An override is known by its position in [`Spec::overrides`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The node or a practice names a zone that is not in the time zone database.
    #[error("there is no time zone `{zone}`")]
    UnknownZone {
        /// The zone.
        zone: String,
        /// Whose it is; `None` for the node's.
        practice: Option<PracticeId>,
    },
    /// A window names a window that is not there.
    #[error("`{name}` names {unknown}, which is not there")]
    UnknownWindow {
        /// The window that names it.
        window: WindowId,
        /// Its name.
        name: String,
        /// What it names.
        unknown: WindowId,
    },
    /// A practice's hours are a window that is not there.
    #[error("the hours of {practice} are {unknown}, which is not there")]
    UnknownHours {
        /// The practice.
        practice: PracticeId,
        /// What it names.
        unknown: WindowId,
    },
    /// A window leads back to itself through `except` or `include`.
    #[error("`{names}`: a window cannot depend on itself")]
    Circle {
        /// The windows of the circle, each naming the next and the last the first.
        windows: Vec<WindowId>,
        /// The same by name.
        names: String,
    },
    /// A window leads to too many others.
    #[error("`{name}` leads to more than {MOST_NAMED} windows through `except` and `include`")]
    TooMany {
        /// The window.
        window: WindowId,
        /// Its name.
        name: String,
    },
    /// An override is of a practice or a window that is not there.
    #[error("the override is of a practice or a window that is not there")]
    UnknownOverridden {
        /// Which override.
        at: usize,
    },
    /// An override names no window, and its practice has no hours.
    #[error("the override names no window, and {practice} has no hours")]
    NoHours {
        /// Which override.
        at: usize,
        /// Its practice.
        practice: PracticeId,
    },
    /// An override is for no date.
    #[error("the override has no dates")]
    NoDates {
        /// Which override.
        at: usize,
    },
    /// Two overrides of one practice and window are for the same date.
    #[error("{date} is overridden twice")]
    Twice {
        /// The later of the two overrides.
        at: usize,
        /// The first date that both are for.
        date: Date,
    },
}

/// What overrides say, by practice and window: no two of a list share a date.
pub(super) type Overrides = BTreeMap<(PracticeId, WindowId), Vec<(Dates, Instead)>>;

/// What follows from a sound [`Spec`].
#[derive(Clone, Debug)]
pub(super) struct Checked {
    /// The node's zone.
    pub(super) node: Zone,
    /// The practices' own zones, by [`PracticeId`].
    pub(super) zones: Vec<Option<Zone>>,
    /// What the overrides say.
    pub(super) overrides: Overrides,
}

impl Spec {
    /// What follows from it; or everything that is wrong with it.
    pub(super) fn check(&self) -> Result<Checked, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut zone = |name: &str, practice| {
            let found = Zone::named(name);
            if found.is_none() {
                faults.push(Fault::UnknownZone { zone: name.to_owned(), practice });
            }
            found
        };
        let node = zone(&self.zone, None);
        let own = (0u32..).map(PracticeId).zip(&self.practices);
        let zones = own.map(|(id, practice)| zone(practice.zone.as_ref()?, Some(id))).collect();
        self.check_names(&mut faults);
        let overrides = self.check_overrides(&mut faults);
        match node {
            Some(node) if faults.is_empty() => Ok(Checked { node, zones, overrides }),
            _ => Err(faults),
        }
    }

    fn check_names(&self, faults: &mut Vec<Fault>) {
        for (window, written) in (0u32..).map(WindowId).zip(&self.windows) {
            for unknown in written.names().filter(|named| named.index() >= self.windows.len()) {
                faults.push(Fault::UnknownWindow { window, name: written.name.clone(), unknown });
            }
        }
        for (practice, written) in (0u32..).map(PracticeId).zip(&self.practices) {
            if let Some(unknown) = written.hours.filter(|hours| hours.index() >= self.windows.len()) {
                faults.push(Fault::UnknownHours { practice, unknown });
            }
        }
        let mut walk = Walk { counts: BTreeMap::new(), path: Vec::new(), faults };
        for window in (0u32..).map(WindowId).take(self.windows.len()) {
            self.count(window, &mut walk);
        }
    }

    /// Counts the ways that lead on from a window, and itself: a fault if they come back, or are too many.
    fn count(&self, window: WindowId, walk: &mut Walk<'_>) {
        let Some(written) = self.windows.get(window.index()).filter(|_| !walk.counts.contains_key(&window))
        else {
            return;
        };
        if let Some(first) = walk.path.iter().position(|&on_path| on_path == window) {
            return walk.faults.push(self.circle(&walk.path[first..]));
        }
        let mut ways = 1;
        let mut reported = false;
        if walk.path.len() < MOST_NAMED {
            walk.path.push(window);
            for named in written.names() {
                self.count(named, walk);
                let further = walk.counts.get(&named).copied().unwrap_or_default();
                reported |= further > MOST_NAMED;
                ways += further;
            }
            walk.path.pop();
        } else {
            // What led here leads too far, whatever is beyond.
            ways = MOST_NAMED + 1;
        }
        walk.counts.insert(window, ways.min(MOST_NAMED + 1));
        if ways > MOST_NAMED && !reported {
            let (window, written) = match walk.path.first() {
                Some(&first) if walk.path.len() == MOST_NAMED => (first, &self.windows[first.index()]),
                _ => (window, written),
            };
            walk.faults.push(Fault::TooMany { window, name: written.name.clone() });
        }
    }

    fn circle(&self, windows: &[WindowId]) -> Fault {
        // Begin with the lowest, so that one circle gives one fault wherever it is entered.
        let lowest = (0..windows.len()).min_by_key(|&at| windows[at]).unwrap_or_default();
        let mut windows = windows.to_vec();
        windows.rotate_left(lowest);
        let name = |id: &WindowId| self.windows[id.index()].name.as_str();
        let names: Vec<_> = windows.iter().chain(windows.first()).map(name).collect();
        let names = names.join("` -> `");
        Fault::Circle { windows, names }
    }

    fn check_overrides(&self, faults: &mut Vec<Fault>) -> Overrides {
        let mut overrides = Overrides::new();
        for (at, written) in self.overrides.iter().enumerate() {
            let practice = written.practice;
            let window = match self.practices.get(practice.index()) {
                Some(known) => written.window.or(known.hours),
                None => {
                    faults.push(Fault::UnknownOverridden { at });
                    continue;
                }
            };
            let Some(window) = window else {
                faults.push(Fault::NoHours { at, practice });
                continue;
            };
            if window.index() >= self.windows.len() {
                faults.push(Fault::UnknownOverridden { at });
            }
            if written.dates.is_empty() {
                faults.push(Fault::NoDates { at });
            }
            let stated: &mut Vec<(Dates, Instead)> = overrides.entry((practice, window)).or_default();
            for &dates in &written.dates {
                let both = stated
                    .iter()
                    .map(|(other, _)| other.first().max(dates.first())..=other.last().min(dates.last()));
                if let Some(date) = both.filter(|both| !both.is_empty()).map(|both| *both.start()).min() {
                    faults.push(Fault::Twice { at, date });
                }
                stated.push((dates, written.hours));
            }
        }
        overrides
    }
}

/// Following the names of windows.
struct Walk<'f> {
    /// Of each window that has been followed to the end: how many windows it leads to, in all ways.
    counts: BTreeMap<WindowId, usize>,
    /// The windows that led to the present one.
    path: Vec<WindowId>,
    /// What was found.
    faults: &'f mut Vec<Fault>,
}
