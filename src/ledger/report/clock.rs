//! Days and hours in a zone.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::time::Wall;

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// Tells the local time of instants; quickest for those of one minute.
pub struct Clock {
    zone: TimeZone,
    /// The minute since 1970 whose offset is known: clocks are changed on the minute.
    minute: i64,
    offset: i64,
}

/// What a clock on the wall shows.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local {
    /// Days since 1970-01-01.
    pub day: i32,
    /// Minutes since midnight, of which there are 1,440 also on days when clocks are changed.
    pub minute: u16,
}

impl Clock {
    /// A clock in `zone`.
    pub fn new(zone: TimeZone) -> Clock {
        Clock { zone, minute: i64::MIN, offset: 0 }
    }

    /// The local time at `wall`; in UTC outside of all calendars.
    pub fn local(&mut self, wall: Wall) -> Local {
        let minute = wall.0.div_euclid(MINUTE);
        if minute != self.minute {
            let offset = Timestamp::from_millisecond(wall.0).map(|at| self.zone.to_offset(at).seconds());
            (self.minute, self.offset) = (minute, offset.map_or(0, |seconds| i64::from(seconds) * 1_000));
        }
        let local = wall.0.saturating_add(self.offset);
        Local {
            day: i32::try_from(local.div_euclid(DAY)).unwrap_or(i32::MAX),
            minute: (local.rem_euclid(DAY) / MINUTE) as u16,
        }
    }
}

impl Local {
    /// The date; 1970-01-01 outside of all calendars.
    pub fn date(self) -> Date {
        let first = date(1970, 1, 1);
        first.checked_add(jiff::Span::new().days(self.day)).unwrap_or(first)
    }
}
