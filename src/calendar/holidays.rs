//! Bank holidays by nation, from the file that GOV.UK publishes (`https://www.gov.uk/bank-holidays.json`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::civil::{self, Date, Misread};

/// A part of the United Kingdom with bank holidays of its own.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nation {
    /// `england-and-wales`
    EnglandAndWales,
    /// `scotland`
    Scotland,
    /// `northern-ireland`
    NorthernIreland,
}

impl Nation {
    /// All of them, as in the file.
    pub const ALL: [Nation; 3] = [Nation::EnglandAndWales, Nation::Scotland, Nation::NorthernIreland];
}

impl fmt::Display for Nation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Nation::EnglandAndWales => "england-and-wales",
            Nation::Scotland => "scotland",
            Nation::NorthernIreland => "northern-ireland",
        })
    }
}

impl FromStr for Nation {
    type Err = HolidaysFault;

    fn from_str(text: &str) -> Result<Nation, HolidaysFault> {
        let found = Nation::ALL.into_iter().find(|nation| nation.to_string() == text);
        found.ok_or_else(|| HolidaysFault::UnknownNation(text.to_owned()))
    }
}

/// Why a file of bank holidays cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HolidaysFault {
    /// No nation of that name.
    #[error("`{0}` is no nation: write england-and-wales, scotland or northern-ireland")]
    UnknownNation(String),
    /// It is no JSON, or not of the shape that GOV.UK publishes.
    #[error("the bank holidays are not as GOV.UK publishes them: {0}")]
    Shape(#[from] serde_json::Error),
    /// A nation is missing.
    #[error("the bank holidays lack `{0}`")]
    Missing(Nation),
    /// A nation's events stand under another's name.
    #[error("the bank holidays of `{nation}` call themselves `{division}`")]
    Division {
        /// The key they stand under.
        nation: Nation,
        /// What they call themselves.
        division: String,
    },
    /// A nation has no events.
    #[error("the bank holidays of `{0}` are empty")]
    Empty(Nation),
    /// An event's date cannot be read.
    #[error("the bank holiday `{title}` of `{nation}`: {source}")]
    Date {
        /// Whose it is.
        nation: Nation,
        /// Its title.
        title: String,
        /// What is wrong with it.
        source: Misread,
    },
}

/// The dates that are bank holidays, by nation, with their titles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holidays {
    by_nation: BTreeMap<Nation, BTreeMap<Date, String>>,
}

impl Holidays {
    /// Reads GOV.UK's JSON; keys it does not know are left aside, as GOV.UK may add some.
    pub fn from_json(json: &[u8]) -> Result<Holidays, HolidaysFault> {
        let mut file: BTreeMap<String, Division> = serde_json::from_slice(json)?;
        let mut by_nation = BTreeMap::new();
        for nation in Nation::ALL {
            let Division { division, events } =
                file.remove(&nation.to_string()).ok_or(HolidaysFault::Missing(nation))?;
            if division != nation.to_string() {
                return Err(HolidaysFault::Division { nation, division });
            }
            let mut titles = BTreeMap::new();
            for Event { title, date } in events {
                match civil::date(&date) {
                    Ok(date) => titles.insert(date, title),
                    Err(source) => return Err(HolidaysFault::Date { nation, title, source }),
                };
            }
            if titles.is_empty() {
                return Err(HolidaysFault::Empty(nation));
            }
            by_nation.insert(nation, titles);
        }
        Ok(Holidays { by_nation })
    }

    /// The title of the bank holiday on `date`, if it is one.
    pub fn title(&self, nation: Nation, date: Date) -> Option<&str> {
        self.by_nation.get(&nation)?.get(&date).map(String::as_str)
    }

    /// All of a nation's, in order.
    pub fn of(&self, nation: Nation) -> impl Iterator<Item = (Date, &str)> {
        self.by_nation.get(&nation).into_iter().flatten().map(|(&date, title)| (date, title.as_str()))
    }

    /// The last date that is known; after it no day is taken for a bank holiday.
    pub fn last(&self, nation: Nation) -> Option<Date> {
        self.by_nation.get(&nation)?.last_key_value().map(|(&date, _)| date)
    }

    /// Whether the last known date is less than `days` after `date`, or none is known.
    pub fn end_within(&self, nation: Nation, days: u16, date: Date) -> bool {
        let limit = date.saturating_add(jiff::Span::new().days(days));
        self.last(nation).is_none_or(|last| last < limit)
    }
}

/// One nation's part of the file.
#[derive(Deserialize)]
struct Division {
    division: String,
    events: Vec<Event>,
}

/// One bank holiday of the file; its notes and whether it is for bunting do not matter here.
#[derive(Deserialize)]
struct Event {
    title: String,
    date: String,
}
