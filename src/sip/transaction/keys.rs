//! By what a request is told apart: the keys of RFC 3261, 17.2.3 and 8.2.2.2.
//!
//! A key is a string of its parts with a NUL between them (the front door lets no NUL in); one longer than
//! [`LONGEST`] is replaced by its digest, so that a peer cannot make the tables heavy.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::sip::message::{Method, Request};

/// Longest key kept as it is, in bytes.
const LONGEST: usize = 96;

/// What begins a branch that is unique in itself (RFC 3261, 8.1.1.7).
pub(super) const COOKIE: &str = "z9hG4bK";

/// What follows the cookie in a branch, when there is anything.
pub(super) fn unique_part(branch: Option<&str>) -> Option<&str> {
    let branch = branch?;
    let (cookie, rest) = branch.split_at_checked(COOKIE.len())?;
    (cookie.eq_ignore_ascii_case(COOKIE) && !rest.is_empty()).then_some(rest)
}

/// The key of a transaction but for its method, which is filled in for each look-up.
pub(super) struct BranchKey {
    bytes: Vec<u8>,
    base: usize,
}

impl BranchKey {
    /// Of a branch that is unique in itself, and its sent-by.
    pub(super) fn of_branch(unique_part: &str, sent_by: &str) -> BranchKey {
        let mut bytes = Vec::with_capacity(unique_part.len() + sent_by.len() + 10);
        bytes.extend_from_slice(unique_part.as_bytes());
        bytes.push(0);
        bytes.extend(sent_by.bytes().map(|byte| byte.to_ascii_lowercase()));
        BranchKey::of(bytes)
    }

    /// Of a request from a peer of RFC 2543.
    pub(super) fn of_old_request(request: &Request) -> BranchKey {
        let headers = &request.headers;
        let mut text = String::with_capacity(200);
        // An empty first part, which no unique part of a branch is, keeps the two kinds of key apart.
        let number = headers.cseq().map_or(0, |(number, _)| number);
        let _ = write!(text, "\0{}\0{number}\0{}", headers.call_id().unwrap_or_default(), request.uri);
        for part in [headers.from_tag(), headers.to_tag(), headers.value("Via")] {
            text.push('\0');
            text.push_str(part.unwrap_or_default());
        }
        BranchKey::of(text.into_bytes())
    }

    /// With the method that made the transaction.
    pub(super) fn for_method(&mut self, method: Method) -> &[u8] {
        self.bytes.truncate(self.base);
        self.bytes.push(0);
        self.bytes.extend_from_slice(method.name().as_bytes());
        &self.bytes
    }

    fn of(bytes: Vec<u8>) -> BranchKey {
        let bytes = shortened(bytes);
        BranchKey { base: bytes.len(), bytes }
    }
}

/// The key by which a request is recognised although it came by another branch: From tag, Call-ID, CSeq and the
/// To tag it came with (RFC 3261, 8.2.2.2); an ACK has that of its INVITE (13.3.1.4).
pub(super) fn request_key(
    call_id: &str,
    cseq: u32,
    method: Method,
    from_tag: Option<&str>,
    to_tag: Option<&str>,
) -> Vec<u8> {
    let (from_tag, to_tag) = (from_tag.unwrap_or_default(), to_tag.unwrap_or_default());
    let mut bytes = Vec::with_capacity(call_id.len() + from_tag.len() + to_tag.len() + 20);
    bytes.extend_from_slice(call_id.as_bytes());
    for part in [&cseq.to_be_bytes(), method.name().as_bytes(), from_tag.as_bytes(), to_tag.as_bytes()] {
        bytes.push(0);
        bytes.extend_from_slice(part);
    }
    shortened(bytes)
}

/// A To tag for responses made here, the same for the same request and different, in effect, for others.
pub(super) fn tag_of(key: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let digest = Sha256::digest(key);
    digest.iter().take(13).map(|byte| DIGITS[usize::from(byte & 31)] as char).collect()
}

fn shortened(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() <= LONGEST { bytes } else { Sha256::digest(&bytes).to_vec() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_a_cookie_with_something_after_it_is_unique() {
        assert_eq!(unique_part(Some("z9hG4bK776")), Some("776"));
        assert_eq!(unique_part(Some("Z9HG4BK776")), Some("776"));
        assert_eq!(unique_part(Some("z9hG4bK")), None);
        assert_eq!(unique_part(Some("z9hG4b")), None);
        assert_eq!(unique_part(Some("1.2.3.4/5")), None);
        assert_eq!(unique_part(Some("żółtyżółty")), None);
        assert_eq!(unique_part(None), None);
    }

    #[test]
    fn a_long_key_is_as_short_as_its_digest_and_still_tells_apart() {
        let mut a = BranchKey::of_branch(&"x".repeat(9_000), "host");
        let mut b = BranchKey::of_branch(&"x".repeat(9_001), "host");
        assert!(a.for_method(Method::Invite).len() < LONGEST);
        assert_ne!(a.for_method(Method::Invite), b.for_method(Method::Invite));
        assert_eq!(a.for_method(Method::Invite).to_vec(), a.for_method(Method::Invite).to_vec());
        assert_ne!(a.for_method(Method::Invite).to_vec(), a.for_method(Method::Cancel).to_vec());
    }

    #[test]
    fn sent_by_is_compared_without_case() {
        let mut a = BranchKey::of_branch("776", "PBX.example:5060");
        let mut b = BranchKey::of_branch("776", "pbx.example:5060");
        assert_eq!(a.for_method(Method::Bye), b.for_method(Method::Bye));
    }

    #[test]
    fn the_parts_of_a_request_key_do_not_run_into_each_other() {
        let key = |call_id, from, to| request_key(call_id, 7, Method::Invite, Some(from), Some(to));
        assert_ne!(key("ab", "c", "d"), key("a", "bc", "d"));
        assert_ne!(key("a", "bc", "d"), key("a", "b", "cd"));
    }

    #[test]
    fn a_tag_of_our_own_is_stable() {
        assert_eq!(tag_of(b"one"), tag_of(b"one"));
        assert_ne!(tag_of(b"one"), tag_of(b"two"));
        assert_eq!(tag_of(b"one").len(), 13);
    }
}
