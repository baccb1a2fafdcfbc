//! Who signs people in beside the interface itself, by OpenID Connect.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use openidconnect::{IssuerUrl, RedirectUrl};
use serde_spanned::Spanned;

use super::super::plain;
use super::super::sink::{Sink, Span};
use super::super::table::shown;
use super::super::written::Oidc;
use super::files::neighbour;
use crate::access::{Provider, Secret, is_private};

/// Where people come back to, as the interface has it.
const RETURN: &str = "/api/v1/oidc/return";
/// Longest secret, in bytes.
const LONGEST_SECRET: u64 = 4_096;
/// Longest of the other texts.
const LONGEST: usize = 256;
/// Most scopes.
const MOST_SCOPES: usize = 16;

/// The provider; none, unless that is written.
pub(super) fn provider(written: &Oidc, base: &Path, sink: &mut Sink) -> Option<Provider> {
    let issuer = written.issuer.as_ref().inspect(|text| check_issuer(text, sink));
    let redirect = written.redirect.as_ref().inspect(|text| check_redirect(text, sink));
    let client = written.client_id.as_ref().inspect(|text| check_text(text, "client-id", sink));
    let secret = written.client_secret_file.as_ref().map(|file| secret(file, base, sink));
    let claim = written.claim.as_ref().inspect(|text| check_word(text, "claim", sink));
    let name = written.name.as_ref().inspect(|text| check_text(text, "name", sink));
    let scopes = written.scopes.as_ref().map(|scopes| {
        scopes.items.iter().for_each(|scope| check_word(scope, "a scope", sink));
        if scopes.items.len() > MOST_SCOPES {
            sink.error(scopes.span.clone(), format!("there may be at most {MOST_SCOPES} scopes"));
        }
        scopes.items.iter().map(|scope| scope.get_ref().clone()).collect()
    });
    let or = |text: Option<&Spanned<String>>, default: &str| {
        text.map_or_else(|| default.to_owned(), |text| text.get_ref().clone())
    };
    Some(Provider {
        issuer: issuer?.get_ref().clone(),
        client: client?.get_ref().clone(),
        secret: Secret(secret??),
        redirect: redirect?.get_ref().clone(),
        claim: or(claim, "preferred_username"),
        scopes: scopes.unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]),
        name: or(name, "your organisation"),
    })
}

/// What the claim says of each user: of no two the same.
pub(super) fn check_values<'u>(values: impl Iterator<Item = &'u Spanned<String>>, sink: &mut Sink) {
    let mut known: BTreeMap<&str, Span> = BTreeMap::new();
    for value in values {
        check_text(value, "oidc", sink);
        if let Some(first) = known.get(value.get_ref().as_str()) {
            let message = format!("two users are \"{}\" to the provider", shown(value.get_ref()));
            sink.error(value.span(), message).also(first.clone(), "the other is here");
        } else {
            known.insert(value.get_ref(), value.span());
        }
    }
}

fn check_issuer(text: &Spanned<String>, sink: &mut Sink) {
    let url = text.get_ref();
    let fits = is_private(url) && !url.contains(['?', '#']) && url.len() <= LONGEST;
    if !fits || IssuerUrl::new(url.clone()).is_err() {
        sink.error(text.span(), format!("\"{}\" is no issuer", shown(url))).help(
            "write \"https://HOST/PATH\" as the provider has it, letter by letter; http:// reaches this host alone",
        );
        return;
    }
    const DESCRIPTION: &str = "/.well-known/openid-configuration";
    if let Some(issuer) = url.strip_suffix(DESCRIPTION) {
        sink.error(text.span(), "this is where the issuer's description lies").suggest(Some(issuer));
    }
}

fn check_redirect(text: &Spanned<String>, sink: &mut Sink) {
    let url = text.get_ref();
    let fits = is_private(url) && url.len() <= LONGEST && RedirectUrl::new(url.clone()).is_ok();
    let after = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    if fits && after == Some(RETURN) {
        return;
    }
    let meant =
        after.is_none_or(|path| path == "/").then(|| format!("{}{RETURN}", url.trim_end_matches('/')));
    sink.error(text.span(), format!("nobody comes back to \"{}\"", shown(url)))
        .suggest(meant.filter(|_| fits))
        .help(format!("write \"https://HOST{RETURN}\" with the host by which browsers reach this interface"));
}

fn check_text(text: &Spanned<String>, key: &str, sink: &mut Sink) {
    let fits = |text: &str| !text.trim().is_empty() && text.len() <= LONGEST;
    if !fits(text.get_ref()) || text.get_ref().chars().any(char::is_control) {
        sink.error(text.span(), format!("`{key}` must be a line of 1 to {LONGEST} bytes"));
    }
}

/// A word as RFC 6749 has it for scopes.
fn check_word(text: &Spanned<String>, what: &str, sink: &mut Sink) {
    let of_word = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let word = text.get_ref();
    if word.is_empty() || word.len() > LONGEST || !word.bytes().all(of_word) {
        sink.error(text.span(), format!("\"{}\" is no word that {what} can be", shown(word)));
    }
}

/// What stands in the file, which nobody but its owner may read.
fn secret(file: &Spanned<String>, base: &Path, sink: &mut Sink) -> Option<String> {
    let path = base.join(file.get_ref());
    let mut text = String::new();
    // Opening a pipe would wait for whoever writes into it.
    let found = fs::metadata(&path).and_then(|found| match found.is_file() {
        true => File::open(&path).and_then(|open| open.take(LONGEST_SECRET + 1).read_to_string(&mut text)),
        false => Err(std::io::Error::other("it is no file")),
    });
    let name = shown(file.get_ref());
    if let Err(error) = found {
        let meant = neighbour(file.get_ref(), &path);
        sink.error(file.span(), format!("the secret `{name}` cannot be read: {}", plain(&error)))
            .suggest(meant)
            .help("a path that is not absolute is looked for from the configuration file's directory");
        return None;
    }
    let mode = fs::metadata(&path).map_or(0, |found| found.permissions().mode());
    if mode & 0o077 != 0 {
        sink.error(file.span(), format!("others than its owner can read the secret `{name}`"))
            .help("give it to the daemon's user, with mode 0600");
        return None;
    }
    let secret = text.trim();
    if secret.is_empty() || text.len() as u64 > LONGEST_SECRET || secret.chars().any(char::is_control) {
        sink.error(file.span(), format!("the file `{name}` holds no secret: one line is expected"));
        return None;
    }
    Some(secret.to_owned())
}
