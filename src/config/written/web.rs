//! The interface that people see, as written; and the file of its users.

use std::time::Duration;

use serde_spanned::Spanned;

use super::super::sink::Sink;
use super::super::table::{List, Table};
use super::{hours, or, secs};

/// `[web]`
pub(in super::super) struct Web {
    pub(in super::super) on: bool,
    pub(in super::super) listen: Option<Spanned<String>>,
    pub(in super::super) users: Option<Spanned<String>>,
    pub(in super::super) answer_within: Duration,
    pub(in super::super) emergency_within: Duration,
    pub(in super::super) requests_per_second: u32,
    pub(in super::super) oidc: Oidc,
}

/// `[web.oidc]`
pub(in super::super) struct Oidc {
    pub(in super::super) issuer: Option<Spanned<String>>,
    pub(in super::super) client_id: Option<Spanned<String>>,
    pub(in super::super) client_secret_file: Option<Spanned<String>>,
    pub(in super::super) redirect: Option<Spanned<String>>,
    pub(in super::super) claim: Option<Spanned<String>>,
    pub(in super::super) scopes: Option<List<String>>,
    pub(in super::super) name: Option<Spanned<String>>,
}

/// `[user.NAME]` in the file of users.
pub(in super::super) struct User {
    pub(in super::super) password: Option<Spanned<String>>,
    pub(in super::super) tokens: Option<List<String>>,
    pub(in super::super) roles: Option<List<String>>,
    pub(in super::super) agent: Option<Spanned<String>>,
    pub(in super::super) oidc: Option<Spanned<String>>,
}

pub(super) fn web(table: &mut Table<'_, '_>, sink: &mut Sink) -> Web {
    Web {
        on: or(table.flag("on", sink), true),
        listen: table.text("listen", sink),
        users: table.text("users", sink),
        answer_within: or(table.duration("answer-within", secs(1)..=hours(2), sink), secs(60)),
        emergency_within: or(table.duration("emergency-within", secs(1)..=hours(2), sink), secs(5)),
        requests_per_second: or(table.number("requests-per-second", 1..=100_000, sink), 20),
        oidc: table.one("oidc", "[web.oidc]", sink, oidc),
    }
}

fn oidc(table: &mut Table<'_, '_>, sink: &mut Sink) -> Oidc {
    let parts = ["issuer", "client-id", "client-secret-file", "redirect"];
    // One of them is no use without the others; without any, nobody is signed in so.
    if parts.iter().any(|part| table.has(part)) {
        parts.iter().for_each(|part| table.need(part, sink));
    }
    Oidc {
        issuer: table.text("issuer", sink),
        client_id: table.text("client-id", sink),
        client_secret_file: table.text("client-secret-file", sink),
        redirect: table.text("redirect", sink),
        claim: table.text("claim", sink),
        scopes: table.texts("scopes", sink),
        name: table.text("name", sink),
    }
}

pub(super) fn user(table: &mut Table<'_, '_>, sink: &mut Sink) -> User {
    table.need("roles", sink);
    User {
        password: table.text("password", sink),
        tokens: table.texts("tokens", sink),
        roles: table.texts("roles", sink),
        agent: table.text("agent", sink),
        oidc: table.text("oidc", sink),
    }
}
