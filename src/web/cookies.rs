//! Cookies, and what is kept by them. A cookie is a secret; of it only a digest is kept.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, header};

use super::make_room;
use super::users::digest;
use crate::octets::hex;

/// What is kept by cookies, each for a while; beyond the most there may be, the one that ends first makes room.
pub(super) struct ByCookie<T> {
    open: BTreeMap<[u8; 32], (T, Instant)>,
    lasts: Duration,
    most: usize,
}

impl<T> ByCookie<T> {
    pub(super) fn new(lasts: Duration, most: usize) -> ByCookie<T> {
        ByCookie { open: BTreeMap::new(), lasts, most }
    }

    /// Keeps something; gives the cookie, unless the system gives no randomness.
    pub(super) fn open(&mut self, what: T, now: Instant) -> Option<String> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).ok()?;
        let cookie = hex(&secret);
        self.open.retain(|_, (_, ends)| *ends > now);
        make_room(&mut self.open, self.most, |(_, ends)| *ends);
        self.open.insert(digest(&cookie), (what, now + self.lasts));
        Some(cookie)
    }

    /// What is kept by a cookie. Digests are compared, so how long it takes tells nothing of the others.
    pub(super) fn get(&self, cookie: &str, now: Instant) -> Option<&T> {
        let (what, ends) = self.open.get(&digest(cookie))?;
        (*ends > now).then_some(what)
    }

    /// Keeps it no longer.
    pub(super) fn close(&mut self, cookie: &str) -> Option<T> {
        self.open.remove(&digest(cookie)).map(|(what, _)| what)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

/// The value of a cookie that came.
pub(super) fn sent<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies =
        cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    cookies.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Has a browser keep a cookie; `scope` says whereto it is sent, and from where. A secure one is sent by TLS alone.
pub(super) fn set(
    headers: &mut HeaderMap,
    (name, value): (&str, &str),
    scope: &str,
    lasts: Duration,
    secure: bool,
) {
    let (lasts, secure) = (lasts.as_secs(), if secure { "; Secure" } else { "" });
    let cookie = format!("{name}={value}; HttpOnly; {scope}; Max-Age={lasts}{secure}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        headers.append(header::SET_COOKIE, cookie);
    }
}
