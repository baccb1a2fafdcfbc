//! Who is signed in. Sessions are in memory alone: after a restart everybody signs in again.

use std::time::{Duration, Instant};

use super::cookies::ByCookie;

/// How long a session lasts.
pub(super) const LASTS: Duration = Duration::from_secs(12 * 3_600);
/// Most sessions at a time; beyond them the one that ends first makes room.
const MOST: usize = 1_000;

/// Who is signed in, by cookie.
pub(super) struct Sessions(ByCookie<String>);

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions(ByCookie::new(LASTS, MOST))
    }
}

impl Sessions {
    /// Signs somebody in; gives the cookie.
    pub(super) fn open(&mut self, name: &str, now: Instant) -> Option<String> {
        self.0.open(name.to_owned(), now)
    }

    /// Whose cookie it is.
    pub(super) fn name(&self, cookie: &str, now: Instant) -> Option<&str> {
        self.0.get(cookie, now).map(String::as_str)
    }

    /// Signs out.
    pub(super) fn close(&mut self, cookie: &str) {
        self.0.close(cookie);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_session_ends_when_it_is_closed_or_old_and_not_before() {
        let mut sessions = Sessions::default();
        let now = Instant::now();
        let (a, b) = (sessions.open("a", now).unwrap(), sessions.open("b", now).unwrap());
        assert_eq!(sessions.name(&a, now + LASTS - Duration::from_secs(1)), Some("a"));
        assert_eq!(sessions.name(&a, now + LASTS), None);
        sessions.close(&b);
        assert_eq!((sessions.name(&a, now), sessions.name(&b, now)), (Some("a"), None));
        assert_eq!(sessions.name("", now), None);
    }

    #[test]
    fn sessions_are_bounded_and_the_oldest_makes_room() {
        let mut sessions = Sessions::default();
        let now = Instant::now();
        let first = sessions.open("first", now).unwrap();
        for n in 1..=MOST as u64 {
            sessions.open("other", now + Duration::from_secs(n)).unwrap();
        }
        assert_eq!((sessions.0.len(), sessions.name(&first, now)), (MOST, None));
    }
}
