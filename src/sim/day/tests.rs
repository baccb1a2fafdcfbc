//! The engine held against the theory of queues, and against itself.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::figures::{Figures, Group, Measure};
use super::several::{Estimate, Summary};
use super::*;
use crate::config::{self, workload};

/// A line with so many agents who pick up at once and need no time afterwards.
fn line(agents: u32, more: &str) -> Deployment {
    let names: Vec<String> = (1..=agents).map(|number| format!("a{number}")).collect();
    let phones: String = (1u32..)
        .zip(&names)
        .map(|(number, name)| {
            format!("[agent.{name}]\naddress = \"sip:a@127.3.{}.{}:5060\"\n", number / 250, number % 250 + 1)
        })
        .collect();
    let text = format!(
        "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\n[team.all]\nagents = {names:?}\n{phones}\
         [line.gp]\nteams = [\"all\"]\nwrap-up = \"0s\"\n[trunk.gp]\nfrom = [\"127.9.0.1\"]\nline = \"gp\"\n{more}"
    );
    let today = "2026-11-23".parse().unwrap();
    config::parse(&text, "hearken.toml", Path::new("config"), today)
        .unwrap_or_else(|e| panic!("{e}"))
        .deployment
}

fn load(text: &str, deployment: &Deployment) -> Load {
    workload::parse(text, "load.toml", deployment).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Exponential in everything, in minutes; counted from the second hour on.
fn markov(per_minute: f64, talk: &str, patience: &str, hours: u32, more: &str) -> String {
    format!(
        "date = \"2026-11-23\"\nto = \"{hours:02}:00\"\ncount-from = \"01:00\"\n\
         [profile.even]\nsteps = [{{ from = \"00:00\", share = 1 }}]\n\
         [callers.all]\ntalk = {{ exponential = \"{talk}\" }}\npatience = {{ {patience} }}\nredial = 0\n\
         [[calls]]\ntrunks = [\"gp\"]\nper-day = {}\nprofile = \"even\"\ncallers = \"all\"\n\
         [[staff]]\nteams = [\"all\"]\npick-up = {{ fixed = \"0s\" }}\n{more}",
        per_minute * 1_440.0
    )
}

const FOR_EVER: &str = "fixed = \"24h\"";

fn days(deployment: &Deployment, load: &Load, seeds: u64) -> Summary {
    let days = (1..=seeds).map(|seed| {
        let tally = run(deployment, load, &[], seed, None, &mut |_, _| ());
        figures::figures(&tally, deployment, load)
    });
    Summary { days: days.collect() }
}

/// Student's 99.5th centile over the 97.5th, for 19 degrees of freedom.
const WIDER: f64 = 2.861 / 2.093;

/// The truth lies within the interval at 99 %, and the interval is narrow enough to prove something.
fn assert_holds(estimate: Option<Estimate>, truth: f64, what: &str) {
    let Estimate { mean, within } = estimate.unwrap();
    let within = within.unwrap() * WIDER;
    assert!((mean - truth).abs() <= within, "{what}: {mean} +- {within}, not {truth}");
    assert!(within < 0.2 * truth, "{what}: {mean} +- {within} proves little of {truth}");
}

fn of(summary: &Summary, group: Group, measure: Measure) -> Option<Estimate> {
    summary.measure(summary.position(&group).unwrap(), measure)
}

fn in_minutes(estimate: Option<Estimate>) -> Option<Estimate> {
    estimate.map(|Estimate { mean, within }| Estimate { mean: mean / 60.0, within: within.map(|w| w / 60.0) })
}

fn waited(estimate: Option<Estimate>) -> Option<Estimate> {
    estimate.map(|Estimate { mean, within }| Estimate { mean: 1.0 - mean, within })
}

#[test]
fn without_impatience_it_is_erlangs_c() {
    for (agents, per_minute, talk, hours, p_wait, mean) in
        [(10, 8.0, "1m", 8, 0.4091802, 0.2045901), (14, 10.0 / 3.0, "3m", 21, 0.1741319, 0.1305990)]
    {
        let deployment = line(agents, "");
        let load = load(&markov(per_minute, talk, FOR_EVER, hours, ""), &deployment);
        let days = days(&deployment, &load, 20);
        let what = format!("{agents} agents");
        assert_holds(waited(of(&days, Group::All, Measure::AtOnceShare)), p_wait, &format!("{what}, P(W>0)"));
        assert_holds(in_minutes(of(&days, Group::All, Measure::Mean)), mean, &format!("{what}, mean"));
    }
}

#[test]
fn with_exponential_patience_it_is_erlangs_a() {
    for (agents, patience, p_abandoned) in
        [(50, "exponential = \"2m\"", 0.0466846), (100, "exponential = \"1m\"", 0.0398610)]
    {
        let deployment = line(agents, "");
        let load = load(&markov(f64::from(agents), "1m", patience, 3, ""), &deployment);
        let days = days(&deployment, &load, 20);
        assert_holds(
            of(&days, Group::All, Measure::AbandonedShare),
            p_abandoned,
            &format!("{agents} agents"),
        );
    }
}

#[test]
fn emergencies_wait_as_cobham_has_it_for_the_first_of_two_priorities() {
    // M/M/10 at a = 9, a third of it emergencies: W1 = C / (n - a1), W2 = W1 / (1 - a / n), in minutes.
    let mut blocked = 1.0;
    for k in 1..=10 {
        blocked = 9.0 * blocked / (f64::from(k) + 9.0 * blocked);
    }
    let c = 10.0 * blocked / (10.0 - 9.0 * (1.0 - blocked));
    let deployment = line(
        10,
        "[line.emergency]\nteams = [\"all\"]\nwrap-up = \"0s\"\n\
         [trunk.as-999]\nfrom = [\"127.9.0.2\"]\nemergency = true\nline = \"emergency\"\n",
    );
    let emergencies =
        "[[calls]]\ntrunks = [\"as-999\"]\nper-day = 4320\nprofile = \"even\"\ncallers = \"all\"\n";
    let load = load(&markov(6.0, "1m", FOR_EVER, 20, emergencies), &deployment);
    let days = days(&deployment, &load, 20);
    let first = c / (10.0 - 3.0);
    assert_holds(in_minutes(of(&days, Group::Emergency, Measure::Mean)), first, "emergencies");
    assert_holds(in_minutes(of(&days, Group::Routine, Measure::Mean)), first / (1.0 - 0.9), "others");
}

#[test]
fn the_same_seed_gives_the_same_day_and_another_seed_another() {
    let preset = preset::named("pilot-monday").unwrap();
    let today = "2026-11-23".parse().unwrap();
    let deployment = config::parse(&preset.config, "preset", Path::new("config"), today).unwrap().deployment;
    let load = load(&preset.load, &deployment);
    let until = Some(Duration::from_secs(9 * 3_600));
    let run = |seed| run(&deployment, &load, &[], seed, until, &mut |_, _| ());
    let (first, second, other) = (run(1), run(1), run(2));
    assert_eq!((&first.samples, &first.work, first.events), (&second.samples, &second.work, second.events));
    assert_ne!(first.samples, other.samples);
    assert!(first.samples.len() > 8_000);
}

#[test]
fn two_policies_meet_the_same_callers() {
    let (few, many) = (line(8, ""), line(12, ""));
    let firsts = |deployment: &Deployment| {
        let text = markov(8.0, "1m", "exponential = \"2m\"", 3, "");
        let load = load(&text, deployment);
        let tally = run(deployment, &load, &[], 5, None, &mut |_, _| ());
        let mut arrivals: Vec<u32> = tally.samples.iter().map(|sample| sample.arrived).collect();
        arrivals.sort_unstable();
        (arrivals, figures::figures(&tally, deployment, &load))
    };
    let ((with_few, few), (with_many, many)) = (firsts(&few), firsts(&many));
    assert_eq!(with_few, with_many);
    let abandoned = |day: &figures::DayFigures| day.groups[0].1.abandoned;
    assert!(abandoned(&few) > 4 * abandoned(&many), "{} {}", abandoned(&few), abandoned(&many));
}

#[test]
fn every_call_has_one_end_and_half_of_those_who_give_up_call_again() {
    let deployment = line(5, "");
    let text = markov(8.0, "1m", "exponential = \"2m\"", 20, "")
        .replace("redial = 0\n", "redial = 0.5\nredial-after = { fixed = \"3m\" }\n");
    let load = load(&text, &deployment);
    let day = &days(&deployment, &load, 1).days[0];
    let Figures { calls, answered, abandoned, refused, released, waiting, .. } = day.groups[0].1;
    assert_eq!(calls, answered + abandoned + refused + released + waiting);
    assert_eq!(day.reached, answered);
    let redials = calls - day.people;
    let share = redials as f64 / abandoned as f64;
    assert!(abandoned > 2_000 && (0.46..0.54).contains(&share), "{redials} of {abandoned}");
}

#[test]
fn agents_come_and_go_and_have_breaks_as_the_rota_says() {
    let deployment = line(10, "");
    let text = markov(4.0, "1m", FOR_EVER, 20, "").replace(
        "pick-up = { fixed = \"0s\" }\n",
        "pick-up = { fixed = \"0s\" }\nbreak-every = \"1h\"\nbreak-for = \"15m\"\nagents = [\n\
         { from = \"00:00\", at-work = 10 }, { from = \"10:00\", at-work = 6 }, { from = \"18:00\", at-work = 0 }]\n",
    );
    let load = load(&text, &deployment);
    let tally = run(&deployment, &load, &[], 1, None, &mut |_, _| ());
    let there = |half: usize| {
        let work = tally.work[0][half];
        (work.agents() + work.paused as f64 / 1.8e9, work.paused as f64 / 1.8e9)
    };
    for (half, expected) in [(4, 10.0), (18, 10.0), (22, 6.0), (34, 6.0), (40, 0.0)] {
        assert!((there(half).0 - expected).abs() < 0.1, "{half}: {:?}", there(half));
    }
    let on_break: f64 = (4..20).map(|half| there(half).1).sum::<f64>() / 16.0;
    assert!((1.6..2.4).contains(&on_break), "a fifth of ten: {on_break}");
}

#[test]
fn a_phone_that_nobody_picks_up_rings_out_and_the_next_is_rung() {
    let deployment = line(10, "");
    let text = markov(0.5, "1m", FOR_EVER, 20, "").replace("pick-up", "no-answer = 0.3\npick-up");
    let load = load(&text, &deployment);
    let days = days(&deployment, &load, 20);
    // Almost nobody waits for an agent: a caller waits 20 s for each phone in vain.
    let mean = of(&days, Group::All, Measure::Mean).unwrap().mean;
    assert!((mean - 20.0 * 0.3 / 0.7).abs() < 1.0, "{mean}");
}
