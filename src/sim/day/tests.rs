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

/// The mean over the days of something measured of each one's samples.
fn mean_of(days: &[Tally], measure: impl Fn(&[Sample]) -> f64) -> Option<Estimate> {
    Estimate::of(&days.iter().map(|day| measure(&day.samples)).collect::<Vec<_>>())
}

fn share(samples: &[Sample], of: impl Fn(&Sample) -> bool) -> f64 {
    samples.iter().filter(|sample| of(sample)).count() as f64 / samples.len() as f64
}

/// In minutes, of all, whether they were answered or gave up.
fn mean_wait(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| f64::from(sample.waited)).sum::<f64>() / samples.len() as f64 / 60_000.0
}

/// Student's 99.5th centile over the 97.5th: of 20 days, and of 60, for which it is 1 % more than of 140.
const OF_TWENTY: f64 = 2.861 / 2.093;
const OF_SIXTY: f64 = 2.662 / 2.001;

/// The truth lies within the interval at 99 %, and that is narrow enough to prove something.
fn assert_holds(estimate: Option<Estimate>, wider: f64, truth: f64, narrow: f64, what: &str) {
    let Estimate { mean, within } = estimate.unwrap();
    let within = within.unwrap() * wider;
    println!("{what}: {mean:.6} +- {:.1} %, {truth:.6} in theory", 100.0 * within / truth);
    assert!((mean - truth).abs() <= within, "{what}: {mean} +- {within}, not {truth}");
    assert!(within < narrow * truth, "{what}: {mean} +- {within} proves little of {truth}");
}

fn of(summary: &Summary, group: Group, measure: Measure) -> Option<Estimate> {
    summary.measure(summary.position(&group).unwrap(), measure)
}

fn in_minutes(estimate: Option<Estimate>) -> Option<Estimate> {
    estimate.map(|Estimate { mean, within }| Estimate { mean: mean / 60.0, within: within.map(|w| w / 60.0) })
}

/// So many days of so many hours, of which the first does not count.
fn tallies(agents: u32, per_minute: f64, [talk, patience]: [&str; 2], days: u64, hours: u32) -> Vec<Tally> {
    let deployment = line(agents, "");
    let load = load(&markov(per_minute, talk, patience, hours, ""), &deployment);
    (1..=days).map(|seed| run(&deployment, &load, &[], seed, None, &mut |_, _| ())).collect()
}

/// P(W > 0), the mean of W and P(W > t) by Erlang C, times in minutes.
fn assert_is_erlangs_c(agents: u32, per_minute: f64, talk: (&str, f64), days: u64, [p_wait, mean]: [f64; 2]) {
    let days = tallies(agents, per_minute, [talk.0, FOR_EVER], days, 23);
    let (what, late) = (format!("{agents} agents"), 0.25);
    let beyond = p_wait * f64::exp(-(f64::from(agents) / talk.1 - per_minute) * late);
    let waited = |samples: &[Sample]| share(samples, |sample| sample.waited > 0);
    assert_holds(mean_of(&days, waited), OF_SIXTY, p_wait, 0.05, &format!("{what}, P(W > 0)"));
    assert_holds(mean_of(&days, mean_wait), OF_SIXTY, mean, 0.08, &format!("{what}, mean wait"));
    let waited = |samples: &[Sample]| share(samples, |sample| f64::from(sample.waited) > late * 60_000.0);
    assert_holds(mean_of(&days, waited), OF_SIXTY, beyond, 0.08, &format!("{what}, P(W > 15 s)"));
}

#[test]
fn ten_agents_without_impatience_are_erlangs_c() {
    assert_is_erlangs_c(10, 8.0, ("1m", 1.0), 60, [0.4091802, 0.2045901]);
}

#[test]
fn fourteen_agents_without_impatience_are_erlangs_c() {
    assert_is_erlangs_c(14, 10.0 / 3.0, ("3m", 3.0), 140, [0.1741319, 0.1305990]);
}

/// P(W > 0), the mean of W and P(abandon) by Erlang A.
fn assert_is_erlangs_a(agents: u32, patience: &str, hours: u32, [p_wait, mean, p_abandoned]: [f64; 3]) {
    let days = tallies(agents, f64::from(agents), ["1m", patience], 60, hours);
    let what = format!("{agents} agents");
    let waited = |samples: &[Sample]| share(samples, |sample| sample.waited > 0);
    assert_holds(mean_of(&days, waited), OF_SIXTY, p_wait, 0.05, &format!("{what}, P(W > 0)"));
    assert_holds(mean_of(&days, mean_wait), OF_SIXTY, mean, 0.08, &format!("{what}, mean wait"));
    let abandoned = |samples: &[Sample]| share(samples, |sample| sample.end == End::Abandoned);
    assert_holds(mean_of(&days, abandoned), OF_SIXTY, p_abandoned, 0.08, &format!("{what}, P(abandon)"));
}

#[test]
fn fifty_agents_with_exponential_patience_are_erlangs_a() {
    assert_is_erlangs_a(50, "exponential = \"2m\"", 5, [0.6011677, 0.0933692, 0.0466846]);
}

#[test]
fn a_hundred_agents_with_exponential_patience_are_erlangs_a() {
    assert_is_erlangs_a(100, "exponential = \"1m\"", 3, [0.5132988, 0.0398610, 0.0398610]);
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
    assert_holds(
        in_minutes(of(&days, Group::Emergency, Measure::Mean)),
        OF_TWENTY,
        first,
        0.1,
        "emergencies",
    );
    assert_holds(
        in_minutes(of(&days, Group::Routine, Measure::Mean)),
        OF_TWENTY,
        first / (1.0 - 0.9),
        0.2,
        "others",
    );
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

/// Two agents for so many callers that a rule offers callbacks all day, and nobody gives up.
fn with_callbacks(more: &str) -> (Deployment, Load) {
    let deployment = line(
        2,
        "[callback]\nvia = \"sip:127.0.0.9:5060\"\nattempts = 2\n\
         [[overflow]]\nname = \"offer\"\nfrom = [\"gp\"]\nwhen-any = { waiting-over = 1 }\noffer = \"callback\"\n",
    );
    let text = markov(3.0, "1m", FOR_EVER, 4, "").replace("redial = 0\n", &format!("redial = 0\n{more}"));
    let load = load(&text, &deployment);
    (deployment, load)
}

#[test]
fn whoever_takes_a_callback_is_called_back_or_not_and_everybody_is_accounted_for() {
    let (deployment, load) = with_callbacks("callback = 0.5\nreached = 0.75\n");
    let tally = run(&deployment, &load, &[], 1, None, &mut |_, _| ());
    let day = figures::figures(&tally, &deployment, &load);
    let all = &day.groups[0].1;
    assert_eq!(all.calls, all.answered + all.abandoned + all.promised + all.waiting);
    assert!(all.promised > 100, "{all:?}");
    let open = tally.samples.iter().filter(|sample| sample.end == End::StillPromised).count() as u64;
    assert_eq!(all.promised, all.called_back + all.not_called_back + open);
    assert_eq!((day.people, day.reached), (all.calls, all.answered + all.called_back));
    // Dialled twice at the most, each time with three in four who pick up.
    let missed = all.not_called_back as f64 / (all.called_back + all.not_called_back) as f64;
    assert!((0.02..0.13).contains(&missed), "{missed}");
    assert!(
        all.callback_waits.as_ref().is_some_and(|waits| waits.median > Duration::from_secs(60)),
        "{all:?}"
    );
}

#[test]
fn nobody_is_promised_a_callback_who_does_not_want_one() {
    let (deployment, load) = with_callbacks("callback = 0\n");
    let tally = run(&deployment, &load, &[], 1, None, &mut |_, _| ());
    assert!(tally.samples.iter().all(|sample| matches!(sample.end, End::Answered | End::Waiting)));
}
