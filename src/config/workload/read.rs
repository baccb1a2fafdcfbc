//! The load file, read key by key against a deployment.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::nearest::nearest;
use super::super::sink::Sink;
use super::super::syntax;
use super::super::table::value::kind_of;
use super::super::table::{List, Table};
use super::{ALL, Answering, Callers, Calls, Level, Load, PER_1000, Profile, Spread, Staff, Step};
use super::{LIST_SIZE, PER_1000_MONDAY, PER_1000_TUESDAY, factor_of};
use crate::calendar::{Date, TimeOfDay, Weekday};
use crate::config::Deployment;
use crate::id::{TeamId, TrunkId};
use crate::policy::Trunk;

/// The end of the day.
pub(super) const MIDNIGHT: Duration = Duration::from_secs(86_400);

/// Most tables of one kind.
const MOST: usize = 10_000;
/// Most calls of a trunk in a day.
const MOST_CALLS: f64 = 1e7;
const LONGEST: RangeInclusive<Duration> = Duration::ZERO..=MIDNIGHT;

/// The load as written; names are still names.
struct Written {
    date: Option<Spanned<Date>>,
    ledger: Option<Spanned<Date>>,
    from: Option<Spanned<TimeOfDay>>,
    to: Option<Spanned<TimeOfDay>>,
    count_from: Option<Spanned<TimeOfDay>>,
    copies: Option<Spanned<u32>>,
    profiles: Vec<(String, Arc<Profile>)>,
    callers: Vec<(String, Arc<Callers>)>,
    calls: Vec<WrittenCalls>,
    staff: Vec<WrittenStaff>,
}

struct WrittenCalls {
    trunks: Option<List<String>>,
    per_day: Option<f64>,
    list_size: Option<u32>,
    per_1000: Option<f64>,
    fifth: Option<u8>,
    profile: Option<Spanned<String>>,
    callers: Option<Spanned<String>>,
}

struct WrittenStaff {
    teams: Option<List<String>>,
    staff: Staff,
}

pub(super) fn read(text: &str, deployment: &Deployment, sink: &mut Sink) -> Option<Load> {
    let readable = syntax::readable(text, sink);
    let (document, faults) = DeTable::parse_recoverable(&readable);
    syntax::report(&faults, text, sink);
    let mut root = Table::root(document.get_ref());
    let profiles = root.named("profile", "[profile.NAME]", sink, profile);
    let callers = root.named("callers", "[callers.NAME]", sink, |table, sink| {
        callers_like(table, Callers::patients(), sink)
    });
    let written = Written {
        date: root.civil("date", sink),
        ledger: root.civil("ledger", sink),
        from: root.civil("from", sink),
        to: root.civil("to", sink),
        count_from: root.civil("count-from", sink),
        copies: root.number("copies", 1..=1_000, sink),
        profiles: named(profiles),
        callers: named(callers),
        calls: root.each("calls", "[[calls]]", MOST, sink, calls),
        staff: root.each("staff", "[[staff]]", MOST, sink, staff),
    };
    root.close_root(sink);
    written.resolve(deployment, sink)
}

fn named<T>(tables: Vec<(Spanned<String>, T)>) -> Vec<(String, Arc<T>)> {
    tables.into_iter().map(|(name, table)| (name.into_inner(), Arc::new(table))).collect()
}

impl Written {
    fn resolve(self, deployment: &Deployment, sink: &mut Sink) -> Option<Load> {
        let date = self.ledger.as_ref().or(self.date.as_ref()).map(|date| *date.get_ref());
        if let (Some(ledger), Some(date)) = (&self.ledger, &self.date) {
            sink.error(date.span(), "the day is the ledger's").also(ledger.span(), "this one");
        }
        if let (Some(ledger), Some(copies)) = (&self.ledger, &self.copies) {
            sink.error(copies.span(), "a day of the ledger was one hub's").also(ledger.span(), "here");
        }
        let Some(date) = date else {
            sink.error_of_file("the load has no `date`").help("write date = \"2026-11-23\"");
            return None;
        };
        let at = |time: &Option<Spanned<TimeOfDay>>, default: Duration| {
            time.as_ref().map_or(default, |time| time.get_ref().since_midnight())
        };
        let from = at(&self.from, Duration::ZERO);
        let to = Some(at(&self.to, MIDNIGHT)).filter(|to| !to.is_zero()).unwrap_or(MIDNIGHT);
        if let Some(end) = self.to.as_ref().filter(|_| to <= from) {
            sink.error(end.span(), "`to` must be after `from`");
        }
        let mut calls = Vec::new();
        if self.ledger.is_none() {
            calls = self.calls(date, deployment, sink);
        } else if let Some(first) = self.calls.first().and_then(|calls| calls.trunks.as_ref()) {
            sink.error(first.span.clone(), "a load from the ledger has no calls of its own");
        }
        let patients =
            self.callers.first().map_or_else(|| Arc::new(Callers::patients()), |found| found.1.clone());
        let (teams, destinations) = self.staff(deployment, sink);
        Some(Load {
            date,
            from,
            to,
            count_from: at(&self.count_from, from).max(from),
            copies: self.copies.map_or(1, Spanned::into_inner),
            calls,
            ledger: self.ledger.map(Spanned::into_inner),
            patients,
            teams,
            destinations,
        })
    }

    /// For each trunk the first entry that names it.
    fn calls(&self, date: Date, deployment: &Deployment, sink: &mut Sink) -> Vec<Calls> {
        let trunks = &deployment.plan.ingress.trunks;
        for entry in &self.calls {
            check_names(&entry.trunks, "trunk", trunks.iter().map(|trunk| trunk.name.as_str()), sink);
        }
        let everyone = WrittenCalls::everyone();
        let entries = if self.calls.is_empty() { std::slice::from_ref(&everyone) } else { &self.calls[..] };
        let (patients, emergency) = (Arc::new(Callers::patients()), Arc::new(Callers::emergency()));
        let (practices, even) = (Arc::new(Profile::practices()), Arc::new(Profile::even()));
        let mut found = Vec::new();
        for (id, trunk) in (0u32..).map(TrunkId).zip(trunks) {
            let Some(entry) = entries.iter().find(|entry| entry.is_for(trunk)) else { continue };
            let per_day = match (entry.per_day, trunk.emergency) {
                (Some(per_day), _) => per_day,
                (None, true) => {
                    let exact = entry.names().find(|name| *name.get_ref() == trunk.name);
                    if let Some(name) = exact {
                        sink.error(name.span(), "an emergency trunk needs `per-day`");
                    }
                    continue;
                }
                (None, false) => entry.by_list(date),
            };
            let profile = entry.profile.as_ref().and_then(|name| pick("profile", name, &self.profiles, sink));
            let callers = entry.callers.as_ref().and_then(|name| pick("callers", name, &self.callers, sink));
            let (usual, people) = match trunk.emergency {
                true => (&even, &emergency),
                false => (&practices, &patients),
            };
            found.push(Calls {
                trunk: id,
                name: trunk.name.clone(),
                per_day,
                fifth: entry.fifth,
                profile: profile.unwrap_or_else(|| usual.clone()),
                callers: callers.unwrap_or_else(|| people.clone()),
            });
        }
        if found.is_empty() && !sink.has_errors() {
            sink.error_of_file("nobody calls: there is no trunk that the load names");
        }
        found
    }

    /// For each team and destination the first entry that names it.
    fn staff(&self, deployment: &Deployment, sink: &mut Sink) -> (Vec<Staff>, Vec<Answering>) {
        let plan = &deployment.plan.acd;
        let teams = || plan.teams.iter().map(|team| team.name.as_str());
        let destinations = || plan.destinations.iter().map(|destination| destination.name.as_str());
        for entry in &self.staff {
            check_names(&entry.teams, "team or destination", teams().chain(destinations()), sink);
        }
        let entry_of = |name: &str| {
            self.staff.iter().find(|entry| names(&entry.teams).any(|wanted| matches(wanted.get_ref(), name)))
        };
        let none = Staff { levels: None, breaks: None, answering: Answering::default() };
        let staff = teams().map(|name| entry_of(name).map_or(none.clone(), |entry| entry.staff.clone()));
        let staff: Vec<Staff> = staff.collect();
        for (team, staff) in (0u32..).map(TeamId).zip(&staff) {
            let members = plan.teams[team.index()].agents.len();
            let levels = staff.levels.iter().flatten().map(|level| level.agents);
            let most = levels.filter(|&agents| agents != ALL).max().unwrap_or(0);
            let name = &plan.teams[team.index()].name;
            if most as usize > members
                && let Some(list) = entry_of(name).and_then(|entry| entry.teams.as_ref())
            {
                sink.error(list.span.clone(), format!("team `{name}` has only {members} agents, not {most}"));
            }
        }
        let answering = destinations().map(|name| {
            entry_of(name).map_or_else(Answering::default, |entry| entry.staff.answering.clone())
        });
        (staff, answering.collect())
    }
}

impl WrittenCalls {
    /// Every routine trunk has patients like England's.
    fn everyone() -> WrittenCalls {
        let all = Spanned::new(0..0, "*".to_owned());
        let trunks = Some(List { items: vec![all], span: 0..0, broken: false });
        let (profile, callers) = (None, None);
        WrittenCalls { trunks, per_day: None, list_size: None, per_1000: None, fifth: None, profile, callers }
    }

    fn names(&self) -> impl Iterator<Item = &Spanned<String>> {
        names(&self.trunks)
    }

    /// A pattern means routine trunks only: 999 calls are asked for by name.
    fn is_for(&self, trunk: &Trunk) -> bool {
        self.names().any(|name| match trunk.emergency {
            true => *name.get_ref() == trunk.name,
            false => matches(name.get_ref(), &trunk.name),
        })
    }

    fn by_list(&self, date: Date) -> f64 {
        let usual = match Weekday::of(date) {
            Weekday::Monday => PER_1000_MONDAY,
            Weekday::Tuesday => PER_1000_TUESDAY,
            _ => PER_1000,
        };
        let patients = f64::from(self.list_size.unwrap_or(LIST_SIZE));
        self.per_1000.unwrap_or(usual) * self.fifth.map_or(1.0, factor_of) * patients / 1_000.0
    }
}

fn names(list: &Option<List<String>>) -> impl Iterator<Item = &Spanned<String>> {
    list.iter().flat_map(|list| &list.items)
}

/// Whether a name is meant by another, which may end in `*` for whatever follows.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == pattern,
    }
}

fn check_names<'a>(
    list: &Option<List<String>>,
    kind: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    sink: &mut Sink,
) {
    for wanted in names(list) {
        if !known.clone().any(|name| matches(wanted.get_ref(), name)) {
            let meant = nearest(wanted.get_ref(), known.clone());
            sink.error(wanted.span(), format!("there is no {kind} `{}`", wanted.get_ref())).suggest(meant);
        }
    }
}

fn pick<T>(
    kind: &str,
    name: &Spanned<String>,
    known: &[(String, Arc<T>)],
    sink: &mut Sink,
) -> Option<Arc<T>> {
    let found = known.iter().find(|(known, _)| known == name.get_ref()).map(|(_, found)| found.clone());
    if found.is_none() {
        let meant = nearest(name.get_ref(), known.iter().map(|(known, _)| known.as_str()));
        sink.error(name.span(), format!("there is no [{kind}.{}]", name.get_ref())).suggest(meant);
    }
    found
}

fn calls(table: &mut Table<'_, '_>, sink: &mut Sink) -> WrittenCalls {
    table.need("trunks", sink);
    WrittenCalls {
        trunks: table.text_or_texts("trunks", sink),
        per_day: decimal(table, "per-day", 0.0..=MOST_CALLS, sink),
        list_size: table.number("list-size", 1..=1_000_000, sink).map(Spanned::into_inner),
        per_1000: decimal(table, "per-1000", 0.0..=10_000.0, sink),
        fifth: table.number("fifth", 1..=5, sink).map(Spanned::into_inner),
        profile: table.text("profile", sink),
        callers: table.text("callers", sink),
    }
}

fn staff(table: &mut Table<'_, '_>, sink: &mut Sink) -> WrittenStaff {
    table.need("teams", sink);
    let teams = table.text_or_texts("teams", sink);
    let levels = table.has("agents").then(|| {
        let mut levels = table.each("agents", "a step of `agents`", MOST, sink, |step, sink| {
            step.need("from", sink);
            step.need("at-work", sink);
            let from: Option<Spanned<TimeOfDay>> = step.civil("from", sink);
            let agents = step.number("at-work", 0..=100_000, sink);
            Level {
                from: from.map_or(Duration::ZERO, |from| from.into_inner().since_midnight()),
                agents: agents.map_or(0, Spanned::into_inner),
            }
        });
        levels.sort_by_key(|level| level.from);
        levels
    });
    let hours = table.maybe("hours", "`hours`", sink, hours);
    if let (Some(header), Some(_), Some(_)) = (table.header(), &levels, &hours) {
        sink.error(header, "a team has `hours` or `agents`, not both");
    }
    let levels = levels.or(hours);
    let every = table.duration("break-every", Duration::from_secs(60)..=MIDNIGHT, sink);
    let length = table.duration("break-for", Duration::from_secs(1)..=MIDNIGHT, sink);
    if let Some(lone) = every.as_ref().xor(length.as_ref()) {
        sink.error(lone.span(), "`break-every` and `break-for` belong together");
    }
    let usual = Answering::default();
    let answering = Answering {
        no_answer: decimal(table, "no-answer", 0.0..=1.0, sink).unwrap_or(usual.no_answer),
        pick_up: spread(table, "pick-up", sink).unwrap_or(usual.pick_up),
        talk_times: decimal(table, "talk-times", 0.01..=100.0, sink).unwrap_or(usual.talk_times),
    };
    let breaks = every.zip(length).map(|(every, length)| (every.into_inner(), length.into_inner()));
    WrittenStaff { teams, staff: Staff { levels, breaks, answering } }
}

/// All members from an instant to another.
fn hours(table: &mut Table<'_, '_>, sink: &mut Sink) -> Vec<Level> {
    table.need("from", sink);
    table.need("to", sink);
    let from: Option<Spanned<TimeOfDay>> = table.civil("from", sink);
    let to: Option<Spanned<TimeOfDay>> = table.civil("to", sink);
    let at = |time: Option<Spanned<TimeOfDay>>| time.map(|time| time.into_inner().since_midnight());
    let first = at(from).map(|from| Level { from, agents: ALL });
    let last = at(to).filter(|to| !to.is_zero()).map(|from| Level { from, agents: 0 });
    first.into_iter().chain(last).collect()
}

fn profile(table: &mut Table<'_, '_>, sink: &mut Sink) -> Profile {
    table.need("steps", sink);
    let mut steps = table.each("steps", "a step of `steps`", MOST, sink, |step, sink| {
        step.need("from", sink);
        step.need("share", sink);
        let from: Option<Spanned<TimeOfDay>> = step.civil("from", sink);
        Step {
            from: from.map_or(Duration::ZERO, |from| from.into_inner().since_midnight()),
            share: decimal(step, "share", 0.0..=1e9, sink).unwrap_or(0.0),
        }
    });
    steps.sort_by_key(|step| step.from);
    let all: f64 = steps.iter().map(|step| step.share).sum();
    if let Some(header) = table.header().filter(|_| all <= 0.0 && !sink.has_errors()) {
        sink.error(header, "the shares of a profile must add up to more than 0");
    }
    steps.iter_mut().for_each(|step| step.share /= all.max(f64::MIN_POSITIVE));
    Profile { steps }
}

fn callers_like(table: &mut Table<'_, '_>, usual: Callers, sink: &mut Sink) -> Callers {
    Callers {
        patience: spread(table, "patience", sink).unwrap_or(usual.patience),
        talk: spread(table, "talk", sink).unwrap_or(usual.talk),
        redial: decimal(table, "redial", 0.0..=1.0, sink).unwrap_or(usual.redial),
        redial_after: spread(table, "redial-after", sink).unwrap_or(usual.redial_after),
        callback: decimal(table, "callback", 0.0..=1.0, sink).unwrap_or(usual.callback),
        reached: decimal(table, "reached", 0.0..=1.0, sink).unwrap_or(usual.reached),
    }
}

/// `{ fixed = "4s" }`, `{ exponential = "3m" }`, `{ mean = "2m", sigma = 0.7 }`, `{ median = "2m", sigma = 0.7 }` or
/// `{ hazard = [{ from = "0s", per-minute = 0.1 }, ...] }`.
fn spread(table: &mut Table<'_, '_>, key: &'static str, sink: &mut Sink) -> Option<Spread> {
    table.maybe(key, "a time that varies", sink, |table, sink| {
        let fixed = table.duration("fixed", LONGEST, sink);
        let exponential = table.duration("exponential", LONGEST, sink);
        let mean = table.duration("mean", LONGEST, sink);
        let median = table.duration("median", LONGEST, sink);
        let sigma = decimal(table, "sigma", 0.0..=10.0, sink);
        let hazard = table.has("hazard").then(|| table.each("hazard", "a step of `hazard`", 100, sink, rate));
        let log = |time: &Spanned<Duration>| time.get_ref().as_secs_f64().max(1e-6).ln();
        let read = match (fixed, exponential, &mean, &median, sigma, hazard) {
            (Some(fixed), None, None, None, None, None) => Some(Spread::Fixed(fixed.into_inner())),
            (None, Some(mean), None, None, None, None) => Some(Spread::Exponential(mean.into_inner())),
            (None, None, Some(mean), None, Some(sigma), None) => {
                Some(Spread::Lognormal { mu: log(mean) - sigma * sigma / 2.0, sigma })
            }
            (None, None, None, Some(median), Some(sigma), None) => {
                Some(Spread::Lognormal { mu: log(median), sigma })
            }
            (None, None, None, None, None, Some(mut rates)) => {
                rates.sort_by_key(|rate| rate.0);
                Some(Spread::Hazard(rates)).filter(|_| !sink.has_errors())
            }
            _ => None,
        };
        if let Some(header) = table.header().filter(|_| read.is_none() && !table.has_unknown() && !sink.has_errors()) {
            sink.error(header, "a time that varies is `fixed`, `exponential`, `hazard`, or `mean` or `median` with `sigma`");
        }
        read
    })
    .flatten()
}

fn rate(step: &mut Table<'_, '_>, sink: &mut Sink) -> (Duration, f64) {
    step.need("from", sink);
    step.need("per-minute", sink);
    let from = step.duration("from", LONGEST, sink).map_or(Duration::ZERO, Spanned::into_inner);
    (from, decimal(step, "per-minute", 0.0..=1e6, sink).unwrap_or(0.0) / 60.0)
}

/// A number that may have decimals.
fn decimal(
    table: &mut Table<'_, '_>,
    key: &'static str,
    range: RangeInclusive<f64>,
    sink: &mut Sink,
) -> Option<f64> {
    let value = table.value(key)?;
    let number = match value.get_ref() {
        DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().replace('_', "").parse().ok(),
        other => {
            let found = kind_of(other);
            sink.error(value.span(), format!("`{key}` must be a number, but this is {found}"));
            return None;
        }
    };
    let number = number.filter(|number| range.contains(number));
    if number.is_none() {
        sink.error(value.span(), format!("`{key}` must be from {} to {}", range.start(), range.end()));
    }
    number
}
