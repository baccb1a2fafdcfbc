//! Clocks on the wall of a zone, from the time zone database that is built into the program.
//!
//! Never the host's database: a flight log must replay alike on every machine. Never the host's clock.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use crate::time::Wall;

/// Late in the year 9890: later instants are read as this one, and negative ones as zero.
const LATEST: i64 = 250_000_000_000_000;

/// A time zone.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    zone: TimeZone,
}

/// When the clocks show a reading.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Once.
    Once(Wall),
    /// Never, because they go forward over it: the first instant after.
    Never(Wall),
    /// First, and again after they went back.
    Twice(Wall, Wall),
}

impl Zone {
    /// The zone of an IANA name, if the database has it.
    pub(super) fn named(name: &str) -> Option<Zone> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (!zone.is_unknown()).then_some(Zone { zone })
    }

    /// What the clocks show.
    pub(super) fn reading(&self, at: Wall) -> DateTime {
        self.zone.to_datetime(timestamp(at))
    }

    /// The first instant at which the clocks show `reading` or later: when what begins then begins.
    pub(super) fn first(&self, reading: DateTime) -> Wall {
        match self.shown(reading) {
            Shown::Once(at) | Shown::Never(at) | Shown::Twice(at, _) => at,
        }
    }

    /// The end of the last instant at which the clocks show a time before `reading`: when what ends then ends.
    pub(super) fn end(&self, reading: DateTime) -> Wall {
        match self.shown(reading) {
            // Where the clocks went back to just this reading, they never show an earlier one again.
            Shown::Twice(first, again) if self.changes(Wall(again.0 - 1), again).next().is_some() => first,
            Shown::Once(at) | Shown::Never(at) | Shown::Twice(_, at) => at,
        }
    }

    /// When the clocks show `reading`.
    pub(super) fn shown(&self, reading: DateTime) -> Shown {
        match self.zone.to_ambiguous_timestamp(reading).offset() {
            AmbiguousOffset::Unambiguous { offset } => Shown::Once(instant(reading, offset)),
            AmbiguousOffset::Gap { before, .. } => {
                // Had the clocks not gone forward, they would show it after they did.
                let unchanged = instant(reading, before);
                let change = self.zone.preceding(timestamp(Wall(unchanged.0 + 1))).next();
                Shown::Never(change.map_or(unchanged, |change| wall(change.timestamp())))
            }
            AmbiguousOffset::Fold { before, after } => {
                Shown::Twice(instant(reading, before), instant(reading, after))
            }
        }
    }

    /// Whether the clocks would show `reading` at `at` had they not just changed.
    pub(super) fn would_show(&self, at: Wall, reading: DateTime) -> bool {
        let just_before = self.zone.to_offset(timestamp(Wall(at.0 - 1)));
        instant(reading, just_before) == at
    }

    /// Its IANA name.
    pub(super) fn name(&self) -> &str {
        self.zone.iana_name().unwrap_or_default()
    }

    /// The instants later than `after`, and not than `until`, at which the clocks change.
    pub(super) fn changes(&self, after: Wall, until: Wall) -> impl Iterator<Item = Wall> {
        let later = self.zone.following(timestamp(after)).map(|change| wall(change.timestamp()));
        later.take_while(move |&at| at <= until)
    }
}

fn timestamp(at: Wall) -> Timestamp {
    Timestamp::from_millisecond(at.0.clamp(0, LATEST)).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn wall(at: Timestamp) -> Wall {
    Wall(at.as_millisecond())
}

fn instant(reading: DateTime, offset: Offset) -> Wall {
    wall(offset.to_timestamp(reading).unwrap_or(Timestamp::MAX))
}
