//! The interface that people see: where it listens, and who may use it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use argon2::Params;
use argon2::password_hash::PasswordHash;
use serde_spanned::Spanned;

use super::super::deployment::WebSettings;
use super::super::sink::Sink;
use super::super::table::{Named, chosen, shown};
use super::super::written::{self, Web};
use super::files::neighbour;
use super::oidc;
use crate::access::{Role, User};

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Most users.
const MOST_USERS: usize = 1_000;
/// Most that trying a password may cost: kibibytes, and passes.
const MOST_MEMORY: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;

/// Where to listen and what is aimed at, without users, unless it is switched off; and where the users are.
pub(super) fn web(written: &Web, base: &Path, sink: &mut Sink) -> (Option<WebSettings>, Option<PathBuf>) {
    let listen = written.listen.as_ref().map_or(DEFAULT_LISTEN, |text| {
        text.get_ref().parse().unwrap_or_else(|_| {
            let message = format!("\"{}\" is not an IP address and a port", shown(text.get_ref()));
            sink.error(text.span(), message).help("write \"127.0.0.1:8080\" or \"[::1]:8080\"");
            DEFAULT_LISTEN
        })
    });
    let Web { answer_within, emergency_within, requests_per_second, .. } = *written;
    let users = Vec::new();
    let provider = oidc::provider(&written.oidc, base, sink);
    let settings =
        WebSettings { listen, users, provider, answer_within, emergency_within, requests_per_second };
    let users = written.users.as_ref().map(|file| {
        let path = base.join(file.get_ref());
        if !path.is_file() {
            let meant = neighbour(file.get_ref(), &path);
            sink.error(file.span(), format!("there is no file `{}`", shown(file.get_ref())))
                .suggest(meant)
                .help("`hearken user NAME` prints an entry for it");
        }
        path
    });
    (written.on.then_some(settings), users)
}

/// The users of their file.
pub(in super::super) fn users(written: &Named<written::User>, sink: &mut Sink) -> Vec<User> {
    if let Some((name, _)) = written.get(MOST_USERS) {
        sink.error(name.span(), format!("there may be at most {MOST_USERS} users"));
    }
    oidc::check_values(written.iter().filter_map(|(_, user)| user.oidc.as_ref()), sink);
    let users = written.iter().map(|(name, user)| {
        if user.password.is_none() && user.tokens.is_none() && user.oidc.is_none() {
            sink.error(name.span(), "this user has neither a password nor a token, nor `oidc`")
                .help("`hearken user NAME` prints an entry");
        }
        let password = user.password.as_ref().map(|password| {
            check_hash(password, sink);
            password.get_ref().clone()
        });
        let tokens = user.tokens.iter().flat_map(|tokens| &tokens.items);
        let tokens = tokens.filter_map(|token| digest(token, sink)).collect();
        let words = user.roles.iter().flat_map(|roles| &roles.items);
        let roles: Vec<Role> = words.filter_map(|word| chosen("roles", word, &Role::WORDS, sink)).collect();
        if roles.contains(&Role::Agent) && user.agent.is_none() {
            sink.error(name.span(), "this user has the role \"agent\", but not which `agent`");
        }
        let agent = user.agent.as_ref().map(|agent| agent.get_ref().clone());
        let oidc = user.oidc.as_ref().map(|value| value.get_ref().clone());
        User { name: name.get_ref().clone(), password, tokens, roles, agent, oidc }
    });
    users.collect()
}

fn check_hash(password: &Spanned<String>, sink: &mut Sink) {
    let hash =
        PasswordHash::new(password.get_ref()).ok().filter(|hash| hash.algorithm.as_str() == "argon2id");
    let Some(hash) = hash.filter(|hash| hash.hash.is_some()) else {
        sink.error(password.span(), "this is no hash of a password")
            .help("`hearken user NAME` asks for a password and prints its hash");
        return;
    };
    let dear = |params: Params| params.m_cost() > MOST_MEMORY || params.t_cost() > MOST_PASSES;
    if Params::try_from(&hash).map_or(true, dear) {
        sink.error(password.span(), "trying this password would cost too much time or memory");
    }
}

/// What is kept of a token: `sha256:` and 64 hexadecimal digits.
fn digest(token: &Spanned<String>, sink: &mut Sink) -> Option<[u8; 32]> {
    let digits = token.get_ref().strip_prefix("sha256:");
    // A sign would be taken for a digit.
    let digits =
        digits.filter(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let digest = digits.and_then(|digits| {
        let mut digest = [0; 32];
        for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        }
        Some(digest)
    });
    if digest.is_none() {
        sink.error(token.span(), "this is no hash of a token")
            .help("`hearken user NAME --token` makes a token and prints its hash");
    }
    digest
}
