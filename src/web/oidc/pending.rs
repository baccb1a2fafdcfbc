//! Those who are at the provider just now, and may come back.

use std::time::{Duration, Instant};

use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};

use super::super::cookies::ByCookie;
use super::super::users::digest;

/// Within what time somebody must have come back.
pub(in super::super) const LASTS: Duration = Duration::from_secs(600);
/// Most at a time; beyond them the one that was begun first makes room.
const MOST: usize = 500;

/// A sign-in that was begun.
#[derive(Debug)]
pub(super) struct Waiting {
    /// What the provider gives back to us through the browser.
    pub(super) state: CsrfToken,
    /// What must be in the token.
    pub(super) nonce: Nonce,
    /// What proves that whoever has the code is who asked for it.
    pub(super) verifier: PkceCodeVerifier,
    /// Where they want to be.
    pub(super) next: String,
}

/// Sign-ins by cookie.
pub(super) struct Pending(ByCookie<Waiting>);

impl Default for Pending {
    fn default() -> Pending {
        Pending(ByCookie::new(LASTS, MOST))
    }
}

impl Pending {
    /// Keeps one; gives its cookie.
    pub(super) fn open(&mut self, waiting: Waiting, now: Instant) -> Option<String> {
        self.0.open(waiting, now)
    }

    /// The one of this cookie, once, if the state is its own.
    pub(super) fn take(&mut self, cookie: &str, state: &str, now: Instant) -> Option<Waiting> {
        let waiting = self.0.get(cookie, now)?;
        // Digests are compared, so how long it takes tells nothing of the state. One who guesses wrong ends nobody's.
        if digest(waiting.state.secret()) != digest(state) {
            return None;
        }
        self.0.close(cookie)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn waiting(state: &str) -> Waiting {
        Waiting {
            state: CsrfToken::new(state.to_owned()),
            nonce: Nonce::new("n".to_owned()),
            verifier: PkceCodeVerifier::new("v".repeat(43)),
            next: "/".to_owned(),
        }
    }

    #[test]
    fn one_who_comes_back_in_time_with_cookie_and_state_is_known_once() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        let cookie = pending.open(waiting("s"), now).unwrap();
        assert!(pending.take(&cookie, "other", now).is_none());
        assert!(pending.take("other", "s", now).is_none());
        assert!(pending.take(&cookie, "s", now + LASTS - Duration::from_secs(1)).is_some());
        assert!(pending.take(&cookie, "s", now).is_none(), "once");
        let late = pending.open(waiting("s"), now).unwrap();
        assert!(pending.take(&late, "s", now + LASTS).is_none());
    }

    #[test]
    fn sign_ins_are_bounded_and_the_first_makes_room() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        let first = pending.open(waiting("s"), now).unwrap();
        for n in 1..=MOST as u64 {
            pending.open(waiting("s"), now + Duration::from_millis(n)).unwrap();
        }
        assert_eq!(pending.0.len(), MOST);
        assert!(pending.take(&first, "s", now).is_none());
    }
}
