//! Hubs and loads that come with Hearken: a configuration and a load file, made as text, to be read like any others,
//! kept and changed.
//!
//! The hub is made up; how many patients call, when, and how long they talk and wait are the published figures that
//! [`crate::config::workload`] has.

use std::fmt::Write as _;

/// A hub and its load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The configuration.
    pub config: String,
    /// The load file.
    pub load: String,
}

/// The names of all presets, with what they are.
pub const PRESETS: [(&str, &str); 4] = [
    ("pilot-monday", "112 surgeries of 1.15 million patients and their hub, on a Monday"),
    ("england-monday", "56 such hubs, for 6,272 surgeries and 2.03 million calls"),
    ("quiet-tuesday", "the pilot's hub on a Tuesday"),
    ("999-surge", "the same, with six times as many 999 calls from 10:00 to 12:00"),
];

/// Surgeries of a hub.
const SURGERIES: u32 = 112;
/// Patients of a surgery of the pilot, on average: 1.15 million in all.
const PILOT_LIST: f64 = 10_257.0;
/// Patients of a surgery in England, on average, so that 6,272 make 2.03 million calls on a Monday.
const ENGLAND_LIST: f64 = 8_916.0;
/// Patients for each receptionist who answers the telephone.
const PATIENTS_PER_RECEPTIONIST: f64 = 3_400.0;
const NAVIGATORS: u32 = 90;
const HANDLERS: u32 = 10;
/// 999 calls a day from as many patients as the pilot has; London has 6,300 to 7,000 from 9 million.
const EMERGENCIES: u32 = 830;
const MONDAY: &str = "2026-11-23";
const TUESDAY: &str = "2026-11-24";

/// The preset of this name.
pub fn named(name: &str) -> Option<Preset> {
    let (what, date, list, copies, surge) = match name {
        "pilot-monday" => (PRESETS[0].1, MONDAY, PILOT_LIST, 1, false),
        "england-monday" => (PRESETS[1].1, MONDAY, ENGLAND_LIST, 56, false),
        "quiet-tuesday" => (PRESETS[2].1, TUESDAY, PILOT_LIST, 1, false),
        "999-surge" => (PRESETS[3].1, TUESDAY, PILOT_LIST, 1, true),
        _ => return None,
    };
    let lists: Vec<u32> = (0..SURGERIES).map(|number| list_size(number, list)).collect();
    Some(Preset { config: config(name, &lists), load: load(name, what, date, &lists, copies, surge) })
}

/// Surgeries differ: lists from half the mean to twice the mean, in an order that has nothing to do with their fifth.
fn list_size(number: u32, mean: f64) -> u32 {
    let place = (f64::from(number * 37 % SURGERIES) + 0.5) / f64::from(SURGERIES);
    // The centiles of a logistic distribution are near those of a normal one; 0.23 makes its deviation 0.42.
    let size = (0.23 * (place / (1.0 - place)).ln()).exp();
    /// What such sizes add up to, so that their mean is `mean`.
    const EXCESS: f64 = 1.086;
    (mean * size / EXCESS).round() as u32
}

fn receptionists(list: u32) -> u32 {
    ((f64::from(list) / PATIENTS_PER_RECEPTIONIST).round() as u32).max(2)
}

fn config(name: &str, lists: &[u32]) -> String {
    let mut text = format!(
        "# The hub of `hearken simulate --load {name}`: made up, and for simulation only.\n\n\
         [node]\nname = \"{name}\"\n\n[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\n\n\
         [window.mornings]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]\nfrom = \"08:00\"\nto = \"13:00\"\n\
         except = [\"bank-holidays\"]\n"
    );
    let mut lines = Vec::new();
    for (number, &list) in (1u32..).zip(lists) {
        let surgery = format!("surgery-{number:03}");
        let names: Vec<String> =
            (1..=receptionists(list)).map(|seat| format!("reception-{number:03}-{seat}")).collect();
        let _ = write!(
            text,
            "\n[practice.{surgery}]\nods = \"Y{number:05}\"\n[trunk.{surgery}]\nfrom = [\"127.1.0.{number}\"]\n\
             practice = \"{surgery}\"\nline = \"{surgery}\"\n[team.reception-{number:03}]\nagents = {names:?}\n\
             [line.{surgery}]\nteams = [\"reception-{number:03}\"]\nwrap-up = \"10s\"\njoin-when-empty = false\n\
             leave-when-empty = \"goodbye\"\n"
        );
        for (seat, name) in (1u32..).zip(&names) {
            let _ = writeln!(text, "[agent.{name}]\naddress = \"sip:{seat}@127.2.0.{number}:5060\"");
        }
        lines.push(surgery);
    }
    for (team, count, net, keep) in [
        ("hub-navigators", NAVIGATORS, 3, "keep-free-for-emergency = 2\n"),
        ("call-handlers", HANDLERS, 4, ""),
    ] {
        let names: Vec<String> = (1..=count).map(|number| format!("{}-{number:02}", &team[..3])).collect();
        let _ = write!(text, "\n[team.{team}]\nagents = {names:?}\n{keep}");
        for (number, name) in (1u32..).zip(&names) {
            let _ = writeln!(text, "[agent.{name}]\naddress = \"sip:{name}@127.{net}.0.{number}:5060\"");
        }
    }
    let _ = write!(
        text,
        "\n[line.emergency]\nteams = [\"call-handlers\", \"hub-navigators\"]\nring-for = \"10s\"\nwrap-up = \"5s\"\n\
         [trunk.as-999]\nfrom = [\"127.9.0.1\"]\nemergency = true\nline = \"emergency\"\n\n\
         [[overflow]]\nname = \"morning-help\"\nfrom = {lines:?}\nduring = \"mornings\"\n\
         when-any = {{ waiting-over = 3, longest-wait-over = \"1m\" }}\nfor-at-least = \"10s\"\n\
         until = {{ waiting-under = 1 }}\nadd-teams = [\"hub-navigators\"]\n"
    );
    text
}

fn load(name: &str, what: &str, date: &str, lists: &[u32], copies: u32, surge: bool) -> String {
    let mut text = format!(
        "# {name}: {what}.\n# How many call, when, how long they talk and wait is England's, as published, unless it stands here.\n\n\
         date = \"{date}\"\n"
    );
    if copies > 1 {
        let _ = writeln!(text, "copies = {copies}");
    }
    text.push_str(
        "\n# Receptionists of the surgeries.\n[[staff]]\nteams = [\"reception-*\"]\n\
         hours = { from = \"08:00\", to = \"18:30\" }\nbreak-every = \"2h30m\"\nbreak-for = \"15m\"\nno-answer = 0.02\n\n\
         # The hub helps in the morning. Navigators talk a quarter longer than receptionists.\n\
         [[staff]]\nteams = [\"hub-navigators\"]\nagents = [\n    { from = \"07:30\", at-work = 80 },\n    \
         { from = \"09:30\", at-work = 40 },\n    { from = \"11:00\", at-work = 25 },\n    \
         { from = \"13:00\", at-work = 0 },\n]\nbreak-every = \"2h\"\nbreak-for = \"15m\"\nno-answer = 0.02\ntalk-times = 1.25\n\n\
         [[staff]]\nteams = [\"call-handlers\"]\nbreak-every = \"3h\"\nbreak-for = \"20m\"\nno-answer = 0.01\n\
         pick-up = { median = \"2s\", sigma = 0.5 }\n\n",
    );
    let hourly = f64::from(EMERGENCIES) / 24.0;
    let (emergencies, profile) = match surge {
        false => (f64::from(EMERGENCIES), ""),
        true => (hourly * (22.0 + 2.0 * 6.0), "profile = \"surge\"\n"),
    };
    let _ = write!(text, "[[calls]]\ntrunks = [\"as-999\"]\nper-day = {emergencies:.0}\n{profile}");
    if surge {
        text.push_str(
            "\n[profile.surge]\nsteps = [\n    { from = \"00:00\", share = 10 },\n    { from = \"10:00\", share = 12 },\n    \
             { from = \"12:00\", share = 12 },\n]\n",
        );
    }
    for (number, list) in (1u32..).zip(lists) {
        let fifth = (number - 1) % 5 + 1;
        let _ = write!(
            text,
            "\n[[calls]]\ntrunks = [\"surgery-{number:03}\"]\nlist-size = {list}\nfifth = {fifth}\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;
    use crate::config::{self, workload};

    #[test]
    fn presets_are_sound_and_make_the_calls_that_they_promise() {
        for (name, least, most) in [
            ("pilot-monday", 41_700.0, 0.01),
            ("england-monday", 2_030_000.0, 0.01),
            ("quiet-tuesday", 31_600.0, 0.01),
            ("999-surge", 31_600.0, 0.01),
        ] {
            let preset = named(name).unwrap();
            let today = "2026-11-23".parse().unwrap();
            let loaded = config::parse(&preset.config, name, Path::new("config"), today).unwrap();
            assert_eq!(loaded.warnings.warnings(), 0, "{}", loaded.warnings);
            let load = workload::parse(&preset.load, name, &loaded.deployment).unwrap();
            let routine = load.calls.iter().filter(|calls| calls.name != "as-999");
            let calls: f64 = routine.map(|calls| calls.per_day).sum::<f64>() * f64::from(load.copies);
            assert!((calls / least - 1.0).abs() < most, "{name}: {calls}");
        }
        assert!(PRESETS.iter().all(|(name, _)| named(name).is_some()));
        assert_eq!(named("no-such"), None);
    }
}
