//! Waits that come true in a small simulated line: arrivals and talks by seed, first come first served.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::rng::Rng;

fn secs(secs: u64) -> Mono {
    Mono(secs * 1_000_000)
}

/// A line with `agents` at work; rates are per second.
struct Line {
    rng: Rng,
    estimator: Estimator,
    now: Mono,
    agents: u32,
    /// When each talk ends.
    busy: Vec<Mono>,
    /// Who waits, since when, and when patience ends.
    waiting: VecDeque<(CallId, Mono, Mono)>,
    next_call: u64,
    arrivals: f64,
    talk: f64,
    patience: f64,
    next_arrival: Mono,
}

/// What one caller was told on arrival, without regard to trust, and how long the wait was.
struct Case {
    range: Range,
    told: bool,
    wait: Duration,
}

impl Line {
    fn new(seed: u8, agents: u32, arrivals: f64, talk: f64) -> Line {
        Line {
            rng: Rng::new([seed; 32]),
            estimator: Estimator::new(Settings::default()),
            now: Mono(0),
            agents,
            busy: Vec::new(),
            waiting: VecDeque::new(),
            next_call: 0,
            arrivals,
            talk,
            patience: 1e9,
            next_arrival: Mono(0),
        }
    }

    fn exponential(&mut self, mean: f64) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.rng.fraction()).ln() * mean)
    }

    /// Runs until `end`; gives what each caller was told who had to wait and was answered by then.
    fn run(&mut self, end: Mono) -> Vec<Case> {
        let mut asked = BTreeMap::new();
        let mut cases = Vec::new();
        loop {
            let talk_ends = self.busy.iter().min().copied();
            let leaves = self.waiting.iter().map(|&(call, _, ends)| (ends, call)).min();
            let ends = [Some(self.next_arrival), talk_ends, leaves.map(|(at, _)| at)];
            let at = ends.into_iter().flatten().min().unwrap();
            if at > end {
                self.now = end;
                return cases;
            }
            self.now = at;
            if talk_ends == Some(at) {
                let place = self.busy.iter().position(|&ends| ends == at).unwrap();
                self.busy.swap_remove(place);
            } else if at == self.next_arrival {
                self.next_call += 1;
                let call = CallId(self.next_call);
                let patience = self.exponential(self.patience);
                let ahead = self.waiting.len() as u32;
                if self.busy.len() as u32 >= self.agents {
                    let told = self.estimator.ask(call, ahead, at);
                    if let Some(range) = self.estimator.untried(ahead, at) {
                        asked.insert(call, (range, told.is_some()));
                    }
                }
                self.waiting.push_back((call, at, at + patience));
                let gap = self.exponential(1.0 / self.arrivals);
                self.next_arrival = at + gap;
            } else if let Some((_, call)) = leaves {
                self.waiting.retain(|&(other, ..)| other != call);
                self.estimator.left(call, at);
            }
            while (self.busy.len() as u32) < self.agents {
                let Some((call, since, _)) = self.waiting.pop_front() else { break };
                self.estimator.answered(call, at);
                if let Some((range, told)) = asked.remove(&call) {
                    cases.push(Case { range, told, wait: at.since(since) });
                }
                let talk = self.exponential(self.talk);
                self.busy.push(at + talk);
            }
            self.estimator.level(self.waiting.len() as u32, self.agents, at);
        }
    }
}

/// Per mille of `cases` for which `test` holds.
fn share(cases: &[Case], test: impl Fn(&Case) -> bool) -> usize {
    1_000 * cases.iter().filter(|case| test(case)).count() / cases.len().max(1)
}

fn many_lines(mut line: impl FnMut(u8) -> Line) -> Vec<Case> {
    (0..60).flat_map(|seed| line(seed).run(secs(4 * 3_600))).collect()
}

#[test]
fn nine_in_ten_wait_no_longer_than_the_range_says_and_half_no_longer_than_its_lower_end() {
    for (agents, load) in [(1, 0.9), (3, 0.97), (10, 0.9), (10, 1.1), (30, 0.95)] {
        for patience in [1e9, 900.0] {
            // Who does not wait for ever makes room for more.
            let load = if patience < 1e9 { load + 0.1 } else { load };
            let cases = many_lines(|seed| {
                let mut line = Line::new(seed, agents, load * f64::from(agents) / 180.0, 180.0);
                line.patience = patience;
                line
            });
            let nine_in_ten = share(&cases, |case| case.wait <= case.range.at_most);
            let half = share(&cases, |case| case.wait <= case.range.likely);
            let told = share(&cases, |case| case.told);
            let context = format!("{agents} agents at {load}, patience {patience}: {} cases", cases.len());
            assert!(cases.len() > 400, "{context} prove little");
            assert!((890..=940).contains(&nine_in_ten), "{context}: {nine_in_ten}");
            assert!((500..=620).contains(&half), "{context}: {half}");
            assert!(agents < 10 || told > 700, "{context}: {told} told");
        }
    }
}

#[test]
fn goes_silent_when_talks_become_four_times_as_long_and_speaks_again_once_it_is_right() {
    let mut silenced = 0;
    for seed in 0..12 {
        let mut line = Line::new(seed, 10, 10.5 / 180.0, 180.0);
        line.run(secs(7_200));
        if line.waiting.len() < 10 {
            // Few were told anything that could prove wrong.
            continue;
        }
        silenced += 1;
        line.talk = 720.0;
        line.run(secs(7_200 + 1_500));
        assert_eq!(line.estimator.range(5, line.now), None, "seed {seed}");
        assert!(line.estimator.untried(5, line.now).is_some(), "seed {seed}");
        line.arrivals = 0.95 * 10.0 / 720.0;
        let speaks = (1..600).any(|minute| {
            line.run(secs(7_200 + 1_500 + 60 * minute));
            line.estimator.range(5, line.now).is_some()
        });
        assert!(speaks, "seed {seed}");
    }
    assert!(silenced > 5);
}

#[test]
fn goes_silent_when_waits_are_much_shorter_than_it_says() {
    let mut estimator = steady(90);
    let mut verdicts = Vec::new();
    for call in 1_000..1_060 {
        let at = secs(call);
        // A caller behind twenty others, served at once.
        verdicts.push(estimator.ask(CallId(call), 20, at).is_some());
        estimator.answered(CallId(call), at + Duration::from_millis(10));
    }
    assert!(verdicts[0]);
    assert!(!verdicts[59]);
}

/// Callers are answered every ten seconds by two agents, and each was told so; `answers` of them.
fn steady(answers: u64) -> Estimator {
    let mut estimator = Estimator::new(Settings::default());
    estimator.level(3, 2, secs(0));
    for number in 1..=answers {
        estimator.ask(CallId(number), 2, secs(10 * number));
        if number > 3 {
            estimator.answered(CallId(number - 3), secs(10 * number));
        }
    }
    estimator
}

#[test]
fn says_nothing_before_enough_answers_and_enough_trials() {
    let mut estimator = Estimator::new(Settings::default());
    estimator.level(1, 1, secs(0));
    for number in 1..=7 {
        estimator.answered(CallId(number), secs(10 * number));
        assert_eq!(estimator.untried(0, secs(10 * number)), None, "{number} answers");
    }
    for number in 8..=17 {
        estimator.answered(CallId(number), secs(10 * number));
        assert!(estimator.untried(0, secs(10 * number)).is_some(), "{number} answers");
        assert_eq!(estimator.ask(CallId(number + 1), 0, secs(10 * number)), None, "{number} answers");
    }
    estimator.answered(CallId(18), secs(180));
    assert_eq!(estimator.score().tried, 10);
    assert!(estimator.range(0, secs(180)).is_some());
}

#[test]
fn even_gaps_give_a_narrow_range_about_the_truth() {
    let range = steady(60).range(2, secs(600)).unwrap();
    let (likely, at_most) = (range.likely.as_secs_f64(), range.at_most.as_secs_f64());
    assert!((26.0..=34.0).contains(&likely), "{range:?}");
    assert!((likely..1.6 * likely).contains(&at_most), "{range:?}");
}

#[test]
fn twice_the_agents_halve_the_wait_at_once() {
    let mut estimator = steady(60);
    let before = estimator.range(2, secs(600)).unwrap();
    estimator.level(3, 4, secs(600));
    let after = estimator.range(2, secs(600)).unwrap();
    assert!(after.likely.abs_diff(before.likely / 2) < Duration::from_millis(1));
    estimator.level(3, 0, secs(600));
    assert_eq!(estimator.range(2, secs(600)), None, "nobody is at work");
}

#[test]
fn the_wait_grows_while_nobody_is_answered_until_nothing_is_known() {
    let estimator = steady(60);
    let fresh = estimator.range(2, secs(600)).unwrap();
    let stalled = estimator.range(2, secs(900)).unwrap();
    assert!(stalled.likely > fresh.likely.mul_f64(1.3), "{fresh:?} {stalled:?}");
    assert_eq!(estimator.range(2, secs(600 + 1_800)), None);
}

#[test]
fn callers_answered_at_once_say_nothing_of_waiting() {
    let mut estimator = Estimator::new(Settings::default());
    for number in 1..=100 {
        estimator.level(0, 5, secs(number));
        estimator.answered(CallId(number), secs(number));
    }
    estimator.level(1, 5, secs(101));
    assert_eq!(estimator.untried(0, secs(102)), None);
}

#[test]
fn a_burst_of_answers_in_one_instant_widens_the_range() {
    let mut estimator = steady(60);
    let even = estimator.untried(2, secs(600)).unwrap();
    for number in 100..120 {
        estimator.answered(CallId(number), secs(600));
    }
    let burst = estimator.untried(2, secs(600)).unwrap();
    let width = |range: Range| range.at_most.as_secs_f64() / range.likely.as_secs_f64();
    assert!(width(burst) > 1.1 * width(even), "{even:?} {burst:?}");
}

#[test]
fn a_range_is_late_at_its_own_time_though_the_caller_waits_still() {
    let mut timely = steady(60);
    (58..=60).for_each(|call| timely.left(CallId(call), secs(600)));
    let range = timely.ask(CallId(900), 2, secs(600)).unwrap();
    let mut tardy = timely.clone();
    let end = secs(600) + range.at_most;
    timely.handle_timeout(end);
    assert_eq!(timely.score().late, 0, "exactly as long as was said");
    while let Some(at) = timely.poll_timeout().filter(|&at| at <= secs(900)) {
        timely.handle_timeout(at);
    }
    tardy.left(CallId(1), secs(900));
    timely.left(CallId(1), secs(900));
    assert_eq!(timely.score().late, 1);
    assert_eq!(postcard::to_stdvec(&tardy).unwrap(), postcard::to_stdvec(&timely).unwrap());
    tardy.answered(CallId(900), secs(901));
    assert_eq!(tardy.score().late, 1, "a range is counted once");
}

#[test]
fn who_leaves_proves_nothing() {
    let mut estimator = steady(60);
    let before = estimator.score();
    estimator.ask(CallId(900), 2, secs(600));
    estimator.left(CallId(900), secs(601));
    estimator.answered(CallId(900), secs(602));
    assert_eq!(estimator.score(), before);
}

#[test]
fn ranges_kept_are_bounded() {
    let mut estimator = steady(60);
    for call in 1_000..20_000 {
        assert!(estimator.ask(CallId(call), 50, secs(600)).is_some());
    }
    assert_eq!(estimator.given.len(), MOST_GIVEN);
}

#[test]
fn an_estimator_stored_in_mid_run_goes_on_alike() {
    let mut line = Line::new(3, 10, 10.5 / 180.0, 180.0);
    line.run(secs(7_200));
    let stored = serde_json::to_string(&line.estimator).unwrap();
    line.run(secs(9_000));
    let mut again = Line::new(3, 10, 10.5 / 180.0, 180.0);
    again.run(secs(7_200));
    again.estimator = serde_json::from_str(&stored).unwrap();
    again.run(secs(9_000));
    assert_eq!(postcard::to_stdvec(&again.estimator).unwrap(), postcard::to_stdvec(&line.estimator).unwrap());
}

proptest! {
    #[test]
    fn whatever_happens_a_range_is_in_order_and_more_callers_ahead_never_shorten_it(
        steps in proptest::collection::vec((0..5u8, 0..40u64, 0..2_000_000_000u64, 0..20u32), 20..300),
    ) {
        let mut estimator = Estimator::new(Settings { fewest_answers: 2, ..Settings::default() });
        let mut now = Mono(0);
        for (step, call, pass, many) in steps {
            now = now + Duration::from_micros(pass % [1, 50_000_000, 2_000_000_000][many as usize % 3]);
            let call = CallId(call);
            match step {
                0 => estimator.level(many, many.saturating_sub(3), now),
                1 | 2 => estimator.answered(call, now),
                3 => estimator.left(call, now),
                _ => {
                    estimator.ask(call, many * many, now);
                }
            }
            let mut last = Range { likely: Duration::ZERO, at_most: Duration::ZERO };
            for ahead in [0, 1, 2, 5, 20, 500, 20_000] {
                let Some(range) = estimator.untried(ahead, now) else { continue };
                prop_assert!(range.likely <= range.at_most && range.at_most <= Duration::from_secs(86_400));
                prop_assert!(range.likely >= last.likely && range.at_most >= last.at_most, "{:?} {:?}", last, range);
                last = range;
            }
            prop_assert!(estimator.verdicts.len() <= VERDICTS && estimator.given.len() == estimator.late_from.len());
        }
    }
}
