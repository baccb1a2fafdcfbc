//! The monthly counts of NHS England's "Cloud Based Telephony Data in General Practice": CBT001 to CBT007, by day,
//! practice, time of day, wait and duration.
//!
//! CBT001 = CBT002 + CBT003 + CBT004 + CBT005, and CBT007 = CBT003, whatever calls there were.

use std::collections::BTreeMap;

use super::clock::{Clock, Local};
use super::group::UNASSIGNED;
use super::terms::Terms;
use super::walk::Told;

/// What a routine call counts as. Waits and talks in milliseconds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// Turned away at the door, or sent elsewhere from there.
    Routing,
    /// Answered by a person.
    Answered {
        /// From joining the line to the answer.
        waited: u64,
        /// From the answer to the end.
        talked: u64,
    },
    /// Left the line without answer and without a promise.
    Missed {
        /// From joining the line to the end.
        waited: u64,
    },
    /// A callback was promised.
    Requested,
}

/// A published indicator.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Indicator {
    /// All external inbound calls.
    Cbt001,
    /// Ended during the routing stage.
    Cbt002,
    /// Answered by a person, by wait.
    Cbt003,
    /// Missed in queue or ringing, by wait.
    Cbt004,
    /// Callback requested.
    Cbt005,
    /// Automatic callback made.
    Cbt006,
    /// Answered, by duration.
    Cbt007,
}

impl Indicator {
    /// All of them.
    pub const ALL: [Indicator; 7] = {
        use Indicator::*;
        [Cbt001, Cbt002, Cbt003, Cbt004, Cbt005, Cbt006, Cbt007]
    };

    /// Its published code.
    pub fn code(self) -> &'static str {
        match self {
            Indicator::Cbt001 => "CBT001",
            Indicator::Cbt002 => "CBT002",
            Indicator::Cbt003 => "CBT003",
            Indicator::Cbt004 => "CBT004",
            Indicator::Cbt005 => "CBT005",
            Indicator::Cbt006 => "CBT006",
            Indicator::Cbt007 => "CBT007",
        }
    }

    /// Whether the call counts for it, and in which of the lengths it has, if it has any.
    fn length(self, told: &Told<'_>) -> Option<Option<Length>> {
        use Indicator::*;
        if self == Cbt006 {
            // Of calls that we made for a promise, those on which the patient's phone was rung to the end.
            return told.is_callback_made().then_some(None);
        }
        match (self, told.class?) {
            (Cbt001, _) | (Cbt002, Class::Routing) | (Cbt005, Class::Requested) => Some(None),
            (Cbt003, Class::Answered { waited, .. }) | (Cbt004, Class::Missed { waited }) => {
                Some(Some(Length::of(waited)))
            }
            (Cbt007, Class::Answered { talked, .. }) => Some(Some(Length::of(talked))),
            _ => None,
        }
    }

    /// Whether the call counts for it.
    pub fn counts(self, told: &Told<'_>) -> bool {
        self.length(told).is_some()
    }
}

/// A wait or a duration, as far as it is published.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Length {
    /// Up to and including one minute.
    UpToOne,
    /// Over one minute, up to and including two.
    ToTwo,
    /// Over two minutes, up to and including five.
    ToFive,
    /// Over five minutes.
    Over,
}

impl Length {
    /// The length that so many milliseconds have.
    pub fn of(millis: u64) -> Length {
        match millis {
            0..=60_000 => Length::UpToOne,
            60_001..=120_000 => Length::ToTwo,
            120_001..=300_000 => Length::ToFive,
            _ => Length::Over,
        }
    }

    /// Its words in the file.
    pub fn words(self) -> &'static str {
        match self {
            Length::UpToOne => "Up to 1 minute",
            Length::ToTwo => "1 to 2 minutes",
            Length::ToFive => "2 to 5 minutes",
            Length::Over => "Over 5 minutes",
        }
    }
}

/// The published bands of the day: first minute after the band, and its words.
const BANDS: [(u16, &str); 9] = [
    (6 * 60, "00:00-05:59"),
    (8 * 60, "06:00-07:59"),
    (10 * 60, "08:00-09:59"),
    (12 * 60, "10:00-11:59"),
    (14 * 60, "12:00-13:59"),
    (16 * 60, "14:00-15:59"),
    (18 * 60, "16:00-17:59"),
    (18 * 60 + 30, "18:00-18:29"),
    (24 * 60, "18:30-23:59"),
];

/// The band of the day, by its place in the published order.
fn band_of(local: Local) -> usize {
    BANDS.iter().take_while(|(end, _)| local.minute >= *end).count().min(BANDS.len() - 1)
}

/// The words of the band of the day that a time lies in.
pub fn time_category(local: Local) -> &'static str {
    BANDS[band_of(local)].1
}

/// Every row that one day of one practice can have in one band: an indicator and its length.
const CELLS: [(Indicator, Option<Length>); 16] = {
    use Indicator::*;
    use Length::*;
    [
        (Cbt001, None),
        (Cbt002, None),
        (Cbt003, Some(UpToOne)),
        (Cbt003, Some(ToTwo)),
        (Cbt003, Some(ToFive)),
        (Cbt003, Some(Over)),
        (Cbt004, Some(UpToOne)),
        (Cbt004, Some(ToTwo)),
        (Cbt004, Some(ToFive)),
        (Cbt004, Some(Over)),
        (Cbt005, None),
        (Cbt006, None),
        (Cbt007, Some(UpToOne)),
        (Cbt007, Some(ToTwo)),
        (Cbt007, Some(ToFive)),
        (Cbt007, Some(Over)),
    ]
};

type Cells = [[u64; BANDS.len()]; CELLS.len()];

/// The counts of a period.
pub struct Counts {
    clock: Clock,
    /// By day, then by practice as its calls name it.
    days: BTreeMap<i32, BTreeMap<String, Box<Cells>>>,
}

/// A row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The day.
    pub date: jiff::civil::Date,
    /// The practice as its calls name it; `None` for calls of no practice with an ODS code.
    pub practice: Option<&'a str>,
    /// The indicator.
    pub indicator: Indicator,
    /// Words of the band of the day.
    pub time: &'static str,
    /// Of CBT003 and CBT004.
    pub wait: Option<Length>,
    /// Of CBT007.
    pub duration: Option<Length>,
    /// How many calls; never none.
    pub value: u64,
}

impl Counts {
    /// No calls yet.
    pub fn new(terms: &Terms) -> Counts {
        Counts { clock: Clock::new(terms.zone.clone()), days: BTreeMap::new() }
    }

    /// Counts a call wherever it counts.
    pub fn add(&mut self, told: &Told<'_>, terms: &Terms) {
        if told.class.is_none() && !told.is_callback_made() {
            return;
        }
        let local = self.clock.local(told.call.arrived);
        let band = band_of(local);
        let practice = told.call.practice.filter(|practice| terms.is_ods(practice)).unwrap_or(UNASSIGNED);
        let practices = self.days.entry(local.day).or_default();
        let cells = match practices.get_mut(practice) {
            Some(cells) => cells,
            None => practices.entry(practice.to_owned()).or_default(),
        };
        for (at, &(indicator, length)) in CELLS.iter().enumerate() {
            cells[at][band] += u64::from(indicator.length(told) == Some(length));
        }
    }

    /// The rows that have calls: by day, practice, indicator, length and band of the day.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let days = self.days.iter().flat_map(|(&day, practices)| practices.iter().map(move |of| (day, of)));
        days.flat_map(|(day, (practice, cells))| {
            let date = Local { day, minute: 0 }.date();
            let practice = Some(practice.as_str()).filter(|&practice| practice != UNASSIGNED);
            CELLS.iter().zip(cells.iter()).flat_map(move |(&(indicator, length), bands)| {
                bands.iter().zip(BANDS).filter(|&(&value, _)| value > 0).map(move |(&value, (_, time))| Row {
                    date,
                    practice,
                    indicator,
                    time,
                    wait: length.filter(|_| indicator != Indicator::Cbt007),
                    duration: length.filter(|_| indicator == Indicator::Cbt007),
                    value,
                })
            })
        })
    }
}

/// How many columns the file can have.
pub const COLUMNS: usize = 11;

/// Their names as they are published; those of the submission are not public.
pub const HEADER: [&str; COLUMNS] = [
    "Date",
    "REGION_CODE",
    "ICB_CODE",
    "SUB_ICB_LOCATION_CODE",
    "PCN_CODE",
    "PRACTICE_CODE",
    "Indicator",
    "Time_Category",
    "Wait_Time",
    "Duration",
    "Value",
];

impl Row<'_> {
    /// Its cells in the order of [`HEADER`]; empty where there is nothing to say.
    pub fn cells(&self, terms: &Terms) -> [String; COLUMNS] {
        let known = self.practice.and_then(|code| terms.practices.get(code));
        let [region, icb, sub_icb, pcn] = known.map(|known| known.places.clone()).unwrap_or_default();
        let words =
            |length: Option<Length>| length.map(|length| length.words().to_owned()).unwrap_or_default();
        [
            self.date.to_string(),
            region,
            icb,
            sub_icb,
            pcn,
            self.practice.unwrap_or(UNASSIGNED).to_owned(),
            self.indicator.code().to_owned(),
            self.time.to_owned(),
            words(self.wait),
            words(self.duration),
            self.value.to_string(),
        ]
    }
}

impl Terms {
    /// Whether a practice's calls name it by an ODS code: as configured, or, for one that no longer is, by its look.
    fn is_ods(&self, practice: &str) -> bool {
        match self.practices.get(practice) {
            Some(known) => known.has_ods,
            None => {
                let usual = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
                practice.len() == 6
                    && practice.bytes().all(usual)
                    && practice.as_bytes()[0].is_ascii_uppercase()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_end_with_their_last_minute() {
        let cases = [
            (0, Length::UpToOne),
            (60_000, Length::UpToOne),
            (60_001, Length::ToTwo),
            (120_000, Length::ToTwo),
            (120_001, Length::ToFive),
            (300_000, Length::ToFive),
            (300_001, Length::Over),
            (u64::MAX, Length::Over),
        ];
        for (millis, length) in cases {
            assert_eq!(Length::of(millis), length, "{millis}");
        }
    }

    #[test]
    fn bands_of_the_day_begin_on_their_minute() {
        let at = |hour: u16, minute: u16| time_category(Local { day: 0, minute: hour * 60 + minute });
        let cases = [
            (at(0, 0), "00:00-05:59"),
            (at(5, 59), "00:00-05:59"),
            (at(6, 0), "06:00-07:59"),
            (at(7, 59), "06:00-07:59"),
            (at(8, 0), "08:00-09:59"),
            (at(11, 59), "10:00-11:59"),
            (at(12, 0), "12:00-13:59"),
            (at(15, 59), "14:00-15:59"),
            (at(17, 59), "16:00-17:59"),
            (at(18, 0), "18:00-18:29"),
            (at(18, 29), "18:00-18:29"),
            (at(18, 30), "18:30-23:59"),
            (at(23, 59), "18:30-23:59"),
        ];
        for (band, words) in cases {
            assert_eq!(band, words);
        }
    }
}
