//! Orders that a client repeats because it heard no answer: each is given once, and answered as before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::make_room;

/// How long an answer is remembered.
const LASTS: Duration = Duration::from_secs(600);
/// Most answers that are remembered; beyond them the oldest is forgotten.
const MOST: usize = 1_000;

/// What is known of a request that has come before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing: it is to be served, and its answer told.
    New,
    /// It is being served.
    Running,
    /// It was answered so.
    Answered(u16, String),
    /// Another request had this key.
    Other,
}

/// Answers by user and key.
#[derive(Default)]
pub(super) struct Once {
    known: BTreeMap<(String, String), Known>,
}

struct Known {
    /// Of method, path and body.
    digest: [u8; 32],
    answer: Option<(u16, String)>,
    at: Instant,
}

impl Once {
    /// A request with a key has come.
    pub(super) fn begin(&mut self, who: &str, key: &str, digest: [u8; 32], now: Instant) -> Before {
        self.known.retain(|_, known| now.saturating_duration_since(known.at) < LASTS);
        let id = (who.to_owned(), key.to_owned());
        if let Some(known) = self.known.get(&id) {
            return match &known.answer {
                _ if known.digest != digest => Before::Other,
                Some((status, body)) => Before::Answered(*status, body.clone()),
                None => Before::Running,
            };
        }
        make_room(&mut self.known, MOST, |known| known.at);
        self.known.insert(id, Known { digest, answer: None, at: now });
        Before::New
    }

    /// It was answered.
    pub(super) fn end(&mut self, who: &str, key: &str, status: u16, body: String) {
        if let Some(known) = self.known.get_mut(&(who.to_owned(), key.to_owned())) {
            known.answer = Some((status, body));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_served_once_and_answered_alike_until_it_is_forgotten() {
        let (mut once, now) = (Once::default(), Instant::now());
        assert_eq!(once.begin("jo", "k", [1; 32], now), Before::New);
        assert_eq!(once.begin("jo", "k", [1; 32], now), Before::Running);
        once.end("jo", "k", 200, "{}".into());
        assert_eq!(once.begin("jo", "k", [1; 32], now), Before::Answered(200, "{}".into()));
        assert_eq!(once.begin("jo", "k", [2; 32], now), Before::Other);
        assert_eq!(once.begin("ben", "k", [1; 32], now), Before::New, "keys are each user's own");
        assert_eq!(once.begin("jo", "k", [2; 32], now + LASTS), Before::New);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut once, now) = (Once::default(), Instant::now());
        for n in 0..2 * MOST as u64 {
            once.begin("jo", &n.to_string(), [0; 32], now + Duration::from_millis(n));
        }
        assert_eq!(once.known.len(), MOST);
    }
}
