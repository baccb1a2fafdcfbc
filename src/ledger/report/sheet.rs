//! Figures as lists of items, each with the code that its definition gives it, or with a name of ours.
//!
//! Where a mean stands, its centiles stand too.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::waits::Waits;
use super::cbt::Indicator;
use super::clock::Clock;
use super::figure::Figure;
use super::group::{By, Subject};
use super::terms::{Terms, Treated};
use super::walk::Told;

/// Some items, by group and of all calls.
pub struct Sheet {
    lists: &'static [List],
    by: Option<By>,
    clock: Clock,
    groups: BTreeMap<String, Vec<Sum>>,
    total: Vec<Sum>,
}

/// One item of one group.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Item {
    /// Its code, by which it can be traced.
    pub code: &'static str,
    /// What it is.
    pub words: &'static str,
    /// What it comes to; `None` of no calls.
    pub value: Option<Value>,
}

/// What an item comes to.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Value {
    /// So many calls.
    Calls(u64),
    /// So long.
    Time(Duration),
    /// So many in a hundred.
    Percent(f64),
}

/// The items that are made of one set of calls.
struct List {
    figure: Figure,
    /// What is measured of each call; `None` where calls are counted only.
    measure: Option<Measure>,
    items: &'static [(&'static str, Of, &'static str)],
}

#[derive(Copy, Clone)]
enum Measure {
    Wait,
    Talk,
}

/// What an item says of its calls.
#[derive(Copy, Clone)]
enum Of {
    Count,
    Sum,
    Mean,
    Median,
    P90,
    P95,
    P99,
    Longest,
    /// Their number, in a hundred of those of the first list.
    Share,
}

const AMBSYS: &[List] = &[
    List {
        figure: Figure::EmergencyAnswered,
        measure: Some(Measure::Wait),
        items: &[
            ("A1", Of::Count, "calls answered"),
            ("A2", Of::Sum, "total call answer time"),
            ("A3", Of::Mean, "mean call answer time"),
            ("A4", Of::Median, "median call answer time"),
            ("A114", Of::P90, "90th centile call answer time"),
            ("A5", Of::P95, "95th centile call answer time"),
            ("A6", Of::P99, "99th centile call answer time"),
        ],
    },
    List {
        figure: Figure::EmergencyLong,
        measure: None,
        items: &[("over-120s", Of::Count, "answered after more than 120 s")],
    },
    List {
        figure: Figure::HeardAndTreated,
        measure: None,
        items: &[("A17", Of::Count, "incidents with no face-to-face response")],
    },
    List {
        figure: Figure::TreatedBy(Treated::Advice),
        measure: None,
        items: &[("A18", Of::Count, "of these, closed with advice")],
    },
    List {
        figure: Figure::TreatedBy(Treated::Referral),
        measure: None,
        items: &[("A19", Of::Count, "of these, referred to another service")],
    },
];

const IUC: &[List] = &[
    List { figure: Figure::Received, measure: None, items: &[("A01", Of::Count, "calls received")] },
    List {
        figure: Figure::Answered,
        measure: Some(Measure::Wait),
        items: &[
            ("A03", Of::Count, "calls answered"),
            ("answer-mean", Of::Mean, "mean time to answer (goal: at most 20 s)"),
            ("answer-median", Of::Median, "median time to answer"),
            ("answer-90", Of::P90, "90th centile time to answer"),
            ("answer-95", Of::P95, "95th centile time to answer (goal: at most 120 s)"),
            ("answer-99", Of::P99, "99th centile time to answer"),
        ],
    },
    List {
        figure: Figure::AbandonedLate,
        measure: None,
        items: &[
            ("B02", Of::Count, "calls abandoned"),
            ("abandoned-share", Of::Share, "of 100 calls received (goal: at most 3)"),
        ],
    },
    List {
        figure: Figure::AbandonedEarly,
        measure: None,
        items: &[("abandoned-early", Of::Count, "abandoned too soon to count")],
    },
];

const GP: &[List] = &[
    List {
        figure: Figure::Cbt(Indicator::Cbt001),
        measure: None,
        items: &[("volume", Of::Count, "calls received")],
    },
    List {
        figure: Figure::Cbt(Indicator::Cbt003),
        measure: Some(Measure::Wait),
        items: &[
            ("taken", Of::Count, "calls answered"),
            ("time-to-answer", Of::Mean, "mean time to answer"),
            ("time-to-answer-median", Of::Median, "median time to answer"),
            ("time-to-answer-90", Of::P90, "90th centile time to answer"),
            ("time-to-answer-95", Of::P95, "95th centile time to answer"),
            ("time-to-answer-99", Of::P99, "99th centile time to answer"),
            ("time-to-answer-longest", Of::Longest, "longest time to answer"),
        ],
    },
    List {
        figure: Figure::Cbt(Indicator::Cbt007),
        measure: Some(Measure::Talk),
        items: &[
            ("call-length", Of::Mean, "mean call length, from the answer"),
            ("call-length-median", Of::Median, "median call length"),
            ("call-length-90", Of::P90, "90th centile call length"),
            ("call-length-95", Of::P95, "95th centile call length"),
            ("call-length-99", Of::P99, "99th centile call length"),
        ],
    },
    List {
        figure: Figure::Cbt(Indicator::Cbt004),
        measure: None,
        items: &[("missed", Of::Count, "calls missed, abandoned ones among them")],
    },
    List {
        figure: Figure::Abandoned,
        measure: Some(Measure::Wait),
        items: &[
            ("given-up", Of::Count, "calls abandoned"),
            ("wait-before-abandonment", Of::Mean, "mean wait before abandonment"),
            ("wait-before-abandonment-median", Of::Median, "median wait before abandonment"),
            ("wait-before-abandonment-90", Of::P90, "90th centile wait before abandonment"),
            ("wait-before-abandonment-95", Of::P95, "95th centile wait before abandonment"),
            ("wait-before-abandonment-99", Of::P99, "99th centile wait before abandonment"),
        ],
    },
    List {
        figure: Figure::Requested,
        measure: None,
        items: &[("callbacks-requested", Of::Count, "callbacks requested")],
    },
    List {
        figure: Figure::Cbt(Indicator::Cbt006),
        measure: None,
        items: &[("callbacks-made", Of::Count, "callbacks made")],
    },
];

/// The calls of one list.
#[derive(Clone, Default)]
struct Sum {
    count: u64,
    /// Of each call, in milliseconds; empty where nothing is measured.
    measured: Vec<u64>,
}

impl Sheet {
    /// Call answering and hear and treat, as in the Ambulance Systems Indicators.
    pub fn ambsys(by: Option<By>, terms: &Terms) -> Sheet {
        Sheet::new(AMBSYS, by, terms)
    }

    /// Call handling, as in the Integrated Urgent Care Aggregate Data Collection.
    pub fn iuc(by: Option<By>, terms: &Terms) -> Sheet {
        Sheet::new(IUC, by, terms)
    }

    /// The metrics that the GP contract asks of telephony.
    pub fn gp(by: Option<By>, terms: &Terms) -> Sheet {
        Sheet::new(GP, by, terms)
    }

    fn new(lists: &'static [List], by: Option<By>, terms: &Terms) -> Sheet {
        let total = vec![Sum::default(); lists.len()];
        Sheet { lists, by, clock: Clock::new(terms.zone.clone()), groups: BTreeMap::new(), total }
    }

    /// Counts a call wherever it counts.
    pub fn add(&mut self, told: &Told<'_>, terms: &Terms) {
        for (at, list) in self.lists.iter().enumerate() {
            if !list.figure.counts(told, terms) {
                continue;
            }
            let measured = list.measure.map(|measure| match measure {
                Measure::Wait => told.waited(),
                Measure::Talk => told.talked(),
            });
            self.total[at].add(measured);
            if let Some(by) = self.by {
                let name = by.name(&Subject::from(told.call), self.clock.local(told.call.arrived), terms);
                let group = match self.groups.get_mut(name.as_ref()) {
                    Some(group) => group,
                    None => {
                        self.groups.entry(name.into_owned()).or_insert(vec![Sum::default(); self.lists.len()])
                    }
                };
                group[at].add(measured);
            }
        }
    }

    /// The items of each group by its name, and last those of all calls, without one.
    pub fn items(self) -> Vec<(Option<String>, Vec<Item>)> {
        let Sheet { lists, groups, total, .. } = self;
        let named = groups.into_iter().map(|(name, sums)| (Some(name), sums));
        let items = |sums: Vec<Sum>| {
            let all = sums.first().map_or(0, |sum| sum.count);
            lists.iter().zip(sums).flat_map(|(list, sum)| list.items_of(sum, all)).collect()
        };
        named.chain([(None, total)]).map(|(name, sums)| (name, items(sums))).collect()
    }
}

impl Sum {
    fn add(&mut self, measured: Option<u64>) {
        self.count += 1;
        self.measured.extend(measured);
    }
}

impl List {
    fn items_of(&self, Sum { count, measured }: Sum, all: u64) -> Vec<Item> {
        let total = measured.iter().fold(0u64, |sum, &one| sum.saturating_add(one));
        let waits = Waits::of(measured);
        let value = |of| match of {
            Of::Count => Some(Value::Calls(count)),
            Of::Sum => Some(Value::Time(Duration::from_millis(total))),
            Of::Share => (all > 0).then(|| Value::Percent(100.0 * count as f64 / all as f64)),
            Of::Mean => waits.map(|waits| Value::Time(waits.mean)),
            Of::Median => waits.map(|waits| Value::Time(waits.median)),
            Of::P90 => waits.map(|waits| Value::Time(waits.p90)),
            Of::P95 => waits.map(|waits| Value::Time(waits.p95)),
            Of::P99 => waits.map(|waits| Value::Time(waits.p99)),
            Of::Longest => waits.map(|waits| Value::Time(waits.longest)),
        };
        self.items.iter().map(|&(code, of, words)| Item { code, words, value: value(of) }).collect()
    }
}

impl Figure {
    /// The calls behind a code of any report, or a word of the table.
    pub fn named(word: &str) -> Option<Figure> {
        Figure::words().find(|(name, _)| *name == word).map(|(_, figure)| figure)
    }

    /// Every word that [`Figure::named`] knows.
    pub fn names() -> Vec<&'static str> {
        Figure::words().map(|(name, _)| name).collect()
    }

    fn words() -> impl Iterator<Item = (&'static str, Figure)> {
        let of_cbt = Indicator::ALL.into_iter().map(|indicator| (indicator.code(), Figure::Cbt(indicator)));
        let lists = AMBSYS.iter().chain(IUC).chain(GP);
        let of_sheets = lists.flat_map(|list| list.items.iter().map(|(code, ..)| (*code, list.figure)));
        Figure::OF_TABLE.into_iter().chain(of_cbt).chain(of_sheets)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_figures_have_the_same_name_and_each_is_found_by_it() {
        let names = Figure::names();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        assert!(names.iter().all(|name| Figure::named(name).is_some()));
        assert_eq!(Figure::named("CBT008"), None);
    }

    #[test]
    fn where_there_is_a_mean_there_are_its_centiles() {
        for list in AMBSYS.iter().chain(IUC).chain(GP) {
            let has = |wanted: fn(&Of) -> bool| list.items.iter().any(|(_, of, _)| wanted(of));
            if has(|of| matches!(of, Of::Mean)) {
                assert!(has(|of| matches!(of, Of::P90)) && has(|of| matches!(of, Of::P95)));
                assert!(has(|of| matches!(of, Of::P99)) && has(|of| matches!(of, Of::Median)));
            }
        }
    }
}
