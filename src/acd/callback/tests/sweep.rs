//! Random inputs by seed: whatever happens, a promise is kept or ends for one reason that is told once.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::rng::Rng;

const SEEDS: u8 = 100;
const STEPS: usize = 1_000;
const CALLERS: u64 = 5;

/// Each line is open for six of ten seconds, the second line three seconds later.
fn hours(line: LineId, at: Mono) -> Hours {
    let second = 1_000_000;
    let in_turn = (at.0 + 7 * second * u64::from(line.0)) % (10 * second);
    let open = in_turn < 6 * second;
    let left = if open { 6 * second - in_turn } else { 10 * second - in_turn };
    Hours { open, until: Some(Mono(at.0 + left)) }
}

struct Dice(Rng);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0.bits() % end
    }

    fn duration(&mut self, longest: u64) -> Duration {
        Duration::from_micros(self.below(longest))
    }

    /// An input that mostly fits the state of a promise, and sometimes is nonsense.
    fn input(&mut self, book: &Book, last: u64) -> Input {
        let agent = AgentId(self.below(3) as u32);
        let caller = caller(self.below(CALLERS) as u8);
        let some = self.below(book.promises.len().max(1) as u64) as usize;
        let known = book.promises().nth(some).filter(|_| self.below(8) > 0);
        let promise = known.map_or(PromiseId(1 + last.saturating_sub(self.below(12))), |promise| promise.id);
        match (known.map(|promise| promise.state), self.below(8)) {
            (Some(State::Due), 0..=5) => return Input::Reserve { promise, agent },
            (Some(State::Reserved { .. }), 0..=4) => return Input::Dial { promise },
            (Some(State::Dialling { .. }), 0..=3) => return Input::Reach { promise },
            (Some(State::Dialling { .. }), 4 | 5) => return Input::Miss { promise, why: Miss::NoAnswer },
            (Some(State::Talking { .. }), 0..=4) => return Input::Finish { promise },
            _ => {}
        }
        match self.below(24) {
            0 | 1 => Input::Reserve { promise, agent },
            2 | 3 => Input::Dial { promise },
            4 => Input::Reach { promise },
            5 => Input::Miss { promise, why: Miss::Busy },
            6 => Input::Finish { promise },
            7 | 8 => Input::Lose { promise },
            9 => Input::Cancel { promise },
            10 => Input::CallAnswered { caller, line: LineId(self.below(2) as u32) },
            11 | 12 => Input::CallIn { caller },
            13..=18 => Input::CallOver { caller },
            _ => Input::HoursChanged,
        }
    }
}

/// What is known of the promises from outside alone.
#[derive(Default)]
struct Watcher {
    callers: BTreeMap<PromiseId, (CallerKey, LineId)>,
    in_matching: BTreeSet<PromiseId>,
    /// Promises that hold an agent.
    held: BTreeSet<PromiseId>,
    misses: BTreeMap<PromiseId, u32>,
    escalated: BTreeSet<PromiseId>,
    ended: BTreeMap<PromiseId, Outcome>,
}

impl Watcher {
    fn accepted(&mut self, input: Input, now: Mono) {
        match input {
            Input::Reserve { promise, .. } => {
                assert!(self.in_matching.remove(&promise), "{promise} was taken from nowhere");
            }
            Input::Dial { promise } => assert!(hours(self.callers[&promise].1, now).open, "{promise}"),
            Input::Miss { promise, .. } => {
                *self.misses.entry(promise).or_default() += 1;
                self.held.remove(&promise);
            }
            Input::Finish { promise } | Input::Lose { promise } => assert!(self.held.remove(&promise)),
            _ => {}
        }
    }

    fn saw(&mut self, output: Output, now: Mono) {
        match output {
            Output::Join { promise } => {
                self.in_matching.insert(promise);
            }
            Output::Leave { promise } => assert!(self.in_matching.remove(&promise), "{promise}"),
            Output::Dial { promise, .. } => {
                let (caller, line) = self.callers[&promise];
                assert!(hours(line, now).open, "{promise} would be dialled out of hours");
                let others = self.held.iter().filter(|other| self.callers[other].0 == caller).count();
                assert_eq!(others, 0, "{promise}'s number is in use");
                self.held.insert(promise);
            }
            Output::Release { promise, .. } => assert!(self.held.remove(&promise), "{promise}"),
            Output::Escalated { promise } => assert!(self.escalated.insert(promise), "{promise} twice"),
            Output::Ended { promise, outcome } => {
                assert_eq!(self.ended.insert(promise, outcome), None, "{promise} ended twice");
                assert!(!self.in_matching.contains(&promise) && !self.held.contains(&promise), "{promise}");
            }
        }
    }
}

/// Runs one book, and one that is woken at every deadline, side by side.
fn run(seed: u8) -> Watcher {
    let mut dice = Dice(Rng::new([seed; 32]));
    let settings = Settings {
        attempts: dice.below(4) as u32,
        pause: dice.duration(5_000_000),
        breach_after: dice.duration(20_000_000),
        expires_after: dice.duration(60_000_000),
        most: 1 + dice.below(8) as usize,
    };
    let mut book = Book::new(settings);
    let mut timely = book.clone();
    let mut watcher = Watcher::default();
    let mut now = Mono(0);
    for step in 0..STEPS {
        let context = || format!("seed {seed} step {step}");
        now = match dice.below(4) {
            0 => now,
            1 => book.poll_timeout().unwrap_or(now).max(now),
            _ => now + dice.duration(1_500_000),
        };
        while let Some(at) = timely.poll_timeout().filter(|&at| at <= now) {
            timely.handle_timeout(at, hours);
        }
        if dice.below(5) == 0 {
            let line = LineId(dice.below(2) as u32);
            let arrived = Mono(now.0.saturating_sub(dice.below(5_000_000)));
            let request = Request { arrived, ..request(dice.below(CALLERS) as u8, line, 0) };
            let pair = (request.caller, request.line);
            let result = book.promise(request.clone(), now, hours);
            assert_eq!(result, timely.promise(request, now, hours), "{}", context());
            if let Ok(promise) = result {
                assert_eq!(*watcher.callers.entry(promise).or_insert(pair), pair, "{}", context());
            }
        } else {
            let input = dice.input(&book, watcher.callers.len() as u64);
            // What time alone brings about comes before what the input does.
            let mut before = book.clone();
            before.handle_timeout(now, hours);
            let result = book.handle(input, now, hours);
            assert_eq!(result, timely.handle(input, now, hours), "{} {input:?}", context());
            if result.is_err() {
                let stored = |book: &Book| postcard::to_stdvec(book).unwrap();
                assert_eq!(
                    stored(&book),
                    stored(&before),
                    "{} {input:?}: refused, but something changed",
                    context()
                );
            }
            for output in drain(&mut before) {
                assert_eq!(book.poll_output(), Some(output), "{}", context());
                assert_eq!(timely.poll_output(), Some(output), "{}", context());
                watcher.saw(output, now);
            }
            if result.is_ok() {
                watcher.accepted(input, now);
            }
        }
        let outputs = drain(&mut book);
        assert_eq!(outputs, drain(&mut timely), "{}", context());
        outputs.into_iter().for_each(|output| watcher.saw(output, now));
        check(&book);
        assert!(book.promises.len() <= settings.most);
        if step % 100 == 0 {
            book = serde_json::from_str(&serde_json::to_string(&book).unwrap()).unwrap();
        }
        assert_eq!(book.poll_timeout(), timely.poll_timeout(), "{}", context());
        for promise in book.promises() {
            assert_eq!(watcher.in_matching.contains(&promise.id), promise.state == State::Due);
        }
    }
    end_of_the_day(book, watcher, now, settings)
}

fn drain(book: &mut Book) -> Vec<Output> {
    std::iter::from_fn(|| book.poll_output()).collect()
}

/// When agents have gone and time has passed, every promise has ended.
fn end_of_the_day(mut book: Book, mut watcher: Watcher, now: Mono, settings: Settings) -> Watcher {
    let held: Vec<PromiseId> = watcher.held.iter().copied().collect();
    for promise in held {
        book.handle(Input::Lose { promise }, now, hours).unwrap();
        watcher.accepted(Input::Lose { promise }, now);
        drain(&mut book).into_iter().for_each(|output| watcher.saw(output, now));
    }
    book.handle_timeout(now + settings.expires_after, hours);
    drain(&mut book).into_iter().for_each(|output| watcher.saw(output, now));
    assert!(watcher.callers.keys().eq(watcher.ended.keys()), "a promise was lost or made up");
    assert!(watcher.misses.values().all(|&misses| misses <= settings.attempts.max(1)));
    assert_eq!((book.poll_timeout(), watcher.in_matching.len()), (None, 0));
    watcher
}

#[test]
fn every_promise_ends_once_is_dialled_in_hours_and_one_at_a_time_for_each_number() {
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut escalated = 0;
    for seed in 0..SEEDS {
        let watcher = run(seed);
        escalated += watcher.escalated.len();
        for outcome in watcher.ended.values() {
            let name = match outcome {
                Outcome::Reached => "reached",
                Outcome::GaveUp { .. } => "gave up",
                Outcome::Expired => "expired",
                Outcome::Cancelled => "cancelled",
                Outcome::AnsweredByOwnCall => "own call",
                Outcome::Merged => "merged",
            };
            *outcomes.entry(name).or_default() += 1;
        }
    }
    assert!(outcomes.len() == 5 && outcomes.values().all(|&count| count > 50), "{outcomes:?}");
    assert!(escalated > 50, "{escalated} escalations");
}
