//! What happened of late, numbered, so that a client which was away can go on where it was.

use std::cell::OnceCell;
use std::collections::VecDeque;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::stream;
use crate::acd::Band;
use crate::call::record::{EndedBy, Outcome};
use crate::switch::board::shown;
use crate::switch::callbacks::CallbackNews;
use crate::switch::{CaseNews, Event};
use crate::time::Wall;

/// How many are kept.
pub(super) const KEPT: usize = 4_096;
/// How many are given out at once: some 40 KB.
const PORTION: usize = 256;

/// The latest news, numbered from 1; each is written out once, and only when somebody asks for it.
pub(super) struct News {
    /// Of the daemon: it is part of their ids.
    run: i64,
    latest: VecDeque<Item>,
    /// The number of the newest.
    last: u64,
}

/// One of them, and the server-sent event that it is once it was asked for.
struct Item {
    at: Wall,
    /// `None` stands for those that were lost.
    event: Option<Event>,
    written: OnceCell<Box<str>>,
}

/// Some of them, one after the other.
pub(super) struct Portion {
    /// As server-sent events.
    pub(super) events: Bytes,
    /// The number of the last.
    pub(super) last: u64,
}

impl News {
    /// None so far.
    pub(super) fn of(run: i64) -> News {
        News { run, latest: VecDeque::new(), last: 0 }
    }

    /// Takes in what happened.
    pub(super) fn push(&mut self, at: Wall, event: Event) {
        if self.latest.len() >= KEPT {
            self.latest.pop_front();
        }
        self.add(at, Some(event));
    }

    /// Some were lost before they came here: whoever has not seen the ones before cannot be told what is missing.
    pub(super) fn lose(&mut self, at: Wall) {
        self.latest.clear();
        self.add(at, None);
    }

    fn add(&mut self, at: Wall, event: Option<Event>) {
        self.last += 1;
        self.latest.push_back(Item { at, event, written: OnceCell::new() });
    }

    /// The number of the newest; 0 before there is any.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The first of those after a number; `None` when some of them are no longer kept, or were never given out.
    pub(super) fn portion(&self, seen: u64) -> Option<Portion> {
        let first = self.last + 1 - self.latest.len() as u64;
        if seen > self.last || seen + 1 < first {
            return None;
        }
        let last = self.last.min(seen + PORTION as u64);
        let missed = (seen + 1..=last).zip(self.latest.range((seen + 1 - first) as usize..));
        let events: String = missed.map(|(number, news)| news.written(number, self.run)).collect();
        Some(Portion { events: events.into(), last })
    }
}

impl Item {
    fn written(&self, number: u64, run: i64) -> &str {
        self.written.get_or_init(|| {
            let mut news = self.event.as_ref().and_then(told).unwrap_or_else(|| json!({ "kind": "gap" }));
            news["seq"] = number.into();
            news["at"] = self.at.rfc3339().into();
            stream::event("news", run, number, &news).into()
        })
    }
}

/// Whether an event is published; not those of strangers at the door, who could flood everybody.
pub(super) fn is_told(event: &Event) -> bool {
    !matches!(
        event,
        Event::TurnedAway { .. }
            | Event::EntryRefused { .. }
            | Event::ReloadRefused { .. }
            | Event::Disagreement { .. }
    )
}

/// An event as it is published.
fn told(event: &Event) -> Option<Value> {
    let told = match event {
        Event::Arrived { call, trunk, line, band, waiting } => json!({
            "kind": "arrived", "call": call, "trunk": trunk, "line": line, "waiting": waiting,
            "emergency": *band == Band::EMERGENCY,
        }),
        Event::Presented { call, agent } => json!({ "kind": "presented", "call": call, "agent": agent }),
        Event::Missed { call, agent, cause } => {
            json!({ "kind": "missed", "call": call, "agent": agent, "cause": word(cause) })
        }
        Event::Bridged { call, agent, waited } => json!({
            "kind": "bridged", "call": call, "agent": agent, "waited_s": waited.as_millis() as f64 / 1_000.0,
        }),
        Event::BackInLine { call, agent, why } => {
            json!({ "kind": "back-in-line", "call": call, "agent": agent, "why": word(why) })
        }
        Event::HandedOn { call, agent, to } => {
            json!({ "kind": "handed-on", "call": call, "agent": agent, "to": to })
        }
        Event::NotHandedOn { call, agent, why } => {
            json!({ "kind": "not-handed-on", "call": call, "agent": agent, "why": why })
        }
        Event::HandedBack { call, agent, from, .. } => {
            json!({ "kind": "handed-back", "call": call, "agent": agent, "from": from })
        }
        Event::Disposed { call, agent, code } => {
            json!({ "kind": "disposed", "call": call, "agent": agent, "code": code })
        }
        Event::Case { case, stack, news } => {
            let (what, who) = of_case(news);
            json!({ "kind": "case", "case": case, "stack": stack, "what": what, "who": who })
        }
        Event::Referred { referral, pathway, agent } => {
            json!({ "kind": "referred", "referral": referral, "pathway": pathway, "agent": agent })
        }
        Event::ReferralEnded { referral, pathway, agent, outcome } => json!({
            "kind": "referral-ended", "referral": referral, "pathway": pathway, "agent": agent,
            "outcome": outcome.word(),
        }),
        Event::Ended { call, outcome, waited } => json!({
            "kind": "ended", "call": call, "outcome": of_call(outcome), "ended_by": ended_by(outcome),
            "waited_s": waited.as_millis() as f64 / 1_000.0,
        }),
        Event::Availability { agent, state } => {
            let (state, reason, call) = shown(state.clone());
            json!({ "kind": "agent", "agent": agent, "state": state, "reason": reason, "call": call })
        }
        Event::Rule { line, rule, on, .. } => json!({ "kind": "rule", "line": line, "rule": rule, "on": on }),
        Event::Announced { call, rule } => json!({ "kind": "announced", "call": call, "rule": rule }),
        Event::Offered { call, rule } => json!({ "kind": "offered", "call": call, "rule": rule }),
        Event::Callback { promise, line, news } => json!({
            "kind": "callback", "callback": promise.0.to_string(), "line": line,
            "what": match news {
                CallbackNews::Promised => "promised",
                CallbackNews::Restored => "restored",
                CallbackNews::Dialled => "dialled",
                CallbackNews::Reached => "reached",
                CallbackNews::Missed(_) => "missed",
                CallbackNews::Escalated => "late",
                CallbackNews::Ended(_) => "ended",
            },
        }),
        Event::Trunk { trunk, up } => {
            json!({ "kind": "trunk", "trunk": trunk, "health": if *up { "up" } else { "down" } })
        }
        Event::Flagged { call, line } => json!({ "kind": "flagged", "call": call, "line": line }),
        Event::Moved { call, from, to } => json!({ "kind": "moved", "call": call, "from": from, "line": to }),
        Event::Reloaded => json!({ "kind": "reloaded" }),
        Event::Draining { calls } => json!({ "kind": "draining", "calls": calls }),
        Event::Drained => json!({ "kind": "drained" }),
        Event::Resumed { calls } => json!({ "kind": "resumed", "calls": calls }),
        Event::TurnedAway { .. }
        | Event::EntryRefused { .. }
        | Event::ReloadRefused { .. }
        | Event::Disagreement { .. } => return None,
    };
    Some(told)
}

fn of_case(news: &CaseNews) -> (&'static str, Option<&str>) {
    match news {
        CaseNews::Opened => ("opened", None),
        CaseNews::Restored => ("restored", None),
        CaseNews::Taken(by) => ("taken", Some(by)),
        CaseNews::Dialled => ("dialled", None),
        CaseNews::Reached => ("reached", None),
        CaseNews::Missed(_) => ("missed", None),
        CaseNews::GivenBack => ("given-back", None),
        CaseNews::Returned(to) => ("returned", Some(to)),
        CaseNews::Breached => ("breached", None),
        CaseNews::Closed(code) => ("closed", Some(code)),
        CaseNews::HandedOver(to) => ("handed-over", Some(to)),
    }
}

fn of_call(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered { .. } => "answered",
        Outcome::Abandoned => "abandoned",
        Outcome::Refused { .. } => "refused",
        Outcome::Released { .. } => "released",
        Outcome::Promised => "promised",
        Outcome::Unreached { .. } => "unreached",
        Outcome::Withdrawn => "withdrawn",
        Outcome::Lost { .. } => "lost",
    }
}

fn ended_by(outcome: &Outcome) -> Option<String> {
    let (Outcome::Answered { ended_by, .. } | Outcome::Lost { ended_by }) = outcome else { return None };
    Some(word::<EndedBy>(ended_by))
}

/// The name of a plain variant, as words are written here: `NoAnswer` is `no-answer`.
fn word<T: std::fmt::Debug>(variant: &T) -> String {
    let mut word = String::new();
    for letter in format!("{variant:?}").chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(letter.to_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::acd::Cause;
    use crate::id::CallId;

    fn news(count: u64) -> News {
        let mut news = News::of(0x1f);
        for call in 1..=count {
            news.push(Wall(0), Event::Presented { call: CallId(call), agent: "asha".into() });
        }
        news
    }

    /// The numbers of all those after one, however many portions they are.
    fn after(news: &News, mut seen: u64) -> Option<Vec<u64>> {
        let mut numbers = Vec::new();
        loop {
            let portion = news.portion(seen)?;
            let events = String::from_utf8(portion.events.to_vec()).unwrap();
            numbers
                .extend(events.lines().filter_map(|line| line.strip_prefix("id: 1f-")?.parse::<u64>().ok()));
            if portion.last == seen {
                return Some(numbers);
            }
            assert_eq!(numbers.last(), Some(&portion.last));
            seen = portion.last;
        }
    }

    #[test]
    fn whoever_was_away_is_told_what_was_missed_as_long_as_it_is_kept() {
        let news = news(KEPT as u64 + 10);
        let last = news.last();
        assert_eq!(after(&news, last), Some(vec![]));
        assert_eq!(after(&news, last - 2), Some(vec![last - 1, last]));
        assert_eq!(after(&news, 10), Some((11..=last).collect()));
        assert_eq!(after(&news, 9), None);
        assert_eq!(after(&news, last + 1), None, "of another run, or made up");
    }

    #[test]
    fn what_one_was_told_another_is_told_too_and_what_came_since() {
        let mut news = news(5);
        assert_eq!(after(&news, 3), Some(vec![4, 5]));
        assert_eq!(after(&news, 3), Some(vec![4, 5]));
        news.push(Wall(0), Event::Reloaded);
        assert_eq!(after(&news, 3), Some(vec![4, 5, 6]));
        assert_eq!(after(&news, 4), Some(vec![5, 6]));
    }

    #[test]
    fn where_some_were_lost_nobody_is_told_that_nothing_was_missed() {
        let mut news = news(5);
        assert_eq!(after(&news, 4), Some(vec![5]));
        news.lose(Wall(0));
        assert_eq!(after(&news, 4), None);
        assert_eq!(after(&news, 5), Some(vec![6]));
        assert_eq!(after(&news, 6), Some(vec![]));
    }

    #[test]
    fn news_say_what_happened_in_words() {
        let missed = Event::Missed { call: CallId(7), agent: "ben".into(), cause: Cause::NoAnswer };
        let mut news = News::of(0x1f);
        news.push(Wall(1_000), missed);
        let events = news.portion(0).unwrap().events;
        let text = std::str::from_utf8(&events).unwrap();
        let data = text.strip_prefix("event: news\nid: 1f-1\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
        let said: Value = serde_json::from_str(data).unwrap();
        let expected = json!({
            "kind": "missed", "call": 7, "agent": "ben", "cause": "no-answer", "seq": 1,
            "at": "1970-01-01T00:00:01.000Z",
        });
        assert_eq!(said, expected);
        assert!(!is_told(&Event::TurnedAway { source: [192, 0, 2, 1].into(), code: 403 }));
    }
}
