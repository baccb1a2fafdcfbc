//! The book under test: named behaviours, restarts, and random inputs by seed.
#![allow(clippy::unwrap_used)]

mod facts;
mod restart;
mod sweep;

use super::*;

const ELM: LineId = LineId(0);
const OAK: LineId = LineId(1);
const A: AgentId = AgentId(0);
const B: AgentId = AgentId(1);

fn secs(secs: u64) -> Mono {
    Mono(secs * 1_000_000)
}

/// Three attempts five minutes apart; breach after an hour, expiry after four.
fn settings() -> Settings {
    Settings {
        attempts: 3,
        pause: Duration::from_secs(300),
        breach_after: Duration::from_secs(3_600),
        expires_after: Duration::from_secs(4 * 3_600),
        most: 100,
    }
}

fn caller(number: u8) -> CallerKey {
    CallerKey([number; 16])
}

fn request(number: u8, line: LineId, arrived: u64) -> Request {
    let text = format!("+44161496{number:04}");
    Request {
        line,
        caller: caller(number),
        number: Number::new(&text).unwrap(),
        band: Band::ROUTINE,
        arrived: secs(arrived),
    }
}

fn always(_: LineId, _: Mono) -> Hours {
    Hours { open: true, until: None }
}

/// Closed from 1,000 s to 2,000 s, on every line.
fn closed_for_lunch(_: LineId, at: Mono) -> Hours {
    let until = [secs(1_000), secs(2_000)].into_iter().find(|&change| change > at);
    Hours { open: at < secs(1_000) || at >= secs(2_000), until }
}

/// A book whose steps are written in seconds and whose orders are read back.
struct Desk {
    book: Book,
    hours: fn(LineId, Mono) -> Hours,
}

impl Desk {
    fn new(settings: Settings) -> Desk {
        Desk { book: Book::new(settings), hours: always }
    }

    fn promise(&mut self, second: u64, request: Request) -> (PromiseId, Vec<Output>) {
        let id = self.book.promise(request, secs(second), self.hours).unwrap();
        (id, self.outputs())
    }

    fn at(&mut self, second: u64, input: Input) -> Vec<Output> {
        self.book.handle(input, secs(second), self.hours).unwrap();
        self.outputs()
    }

    fn refused(&mut self, second: u64, input: Input) -> Refused {
        self.book.handle(input, secs(second), self.hours).unwrap_err()
    }

    fn wake(&mut self, second: u64) -> Vec<Output> {
        self.book.handle_timeout(secs(second), self.hours);
        self.outputs()
    }

    fn outputs(&mut self) -> Vec<Output> {
        check(&self.book);
        std::iter::from_fn(|| self.book.poll_output()).collect()
    }

    /// A promise that is dialled for agent A at the second given.
    fn dialled(&mut self, second: u64, promise: PromiseId) {
        let outputs = self.at(second, Input::Reserve { promise, agent: A });
        assert_eq!(outputs.first(), Some(&Output::Dial { promise, agent: A }));
        self.at(second, Input::Dial { promise });
    }
}

/// Every index agrees with the promises, and no number is used twice.
fn check(book: &Book) {
    let by_caller: Vec<_> = book.promises().map(|promise| (promise.request.caller, promise.id)).collect();
    assert!(
        by_caller.len() == book.by_caller.len() && by_caller.iter().all(|pair| book.by_caller.contains(pair))
    );
    let pairs: std::collections::BTreeSet<_> =
        book.promises().map(|promise| (promise.request.caller, promise.request.line)).collect();
    assert_eq!(pairs.len(), book.promises.len(), "a caller has two promises of one line");
    for promise in book.promises() {
        let taken = |promise: &Promise| !matches!(promise.state, State::Promised { .. } | State::Due);
        let same = |other: &&Promise| other.request.caller == promise.request.caller && taken(other);
        let others = book.promises().filter(same).count();
        assert!(others <= 1, "{} is dialled twice", promise.request.caller);
        let calls = book.calls.contains_key(&promise.request.caller);
        let talks = matches!(promise.state, State::Talking { .. });
        assert!(!calls || talks || !(taken(promise) || promise.state == State::Due), "{promise:?}");
        assert!(promise.missed < book.settings.attempts.max(1), "{promise:?}");
        let timed = book.deadlines.at(promise.id).is_some();
        assert!(timed || taken(promise), "nothing will end {promise:?}");
    }
    assert!(book.deadlines.len() <= book.promises.len());
}
