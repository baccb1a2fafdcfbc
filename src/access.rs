//! Who may use the interface that people see, and what for.

use std::fmt;
use std::net::Ipv4Addr;

use serde::Serialize;

/// What somebody may do; each of them may watch.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches the board.
    Viewer,
    /// Is one of the agents, and orders what concerns this agent.
    Agent,
    /// Orders what concerns every agent and caller.
    Supervisor,
    /// Changes the plan.
    Ops,
    /// Looks into single calls, and at who ordered what.
    Engineer,
}

impl Role {
    /// Each with its word, as it is configured and published.
    pub const WORDS: [(&'static str, Role); 5] = [
        ("viewer", Role::Viewer),
        ("agent", Role::Agent),
        ("supervisor", Role::Supervisor),
        ("ops", Role::Ops),
        ("engineer", Role::Engineer),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Role::WORDS[self as usize].0
    }
}

/// One user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: String,
    /// The password's Argon2id hash, as a PHC string; `None` for one who has only tokens.
    pub password: Option<String>,
    /// SHA-256 of each token.
    pub tokens: Vec<[u8; 32]>,
    /// What the user may do.
    pub roles: Vec<Role>,
    /// Name of the agent that the user is.
    pub agent: Option<String>,
    /// By what value of the claim the provider's people are this user; `None` for one whom no provider signs in.
    pub oidc: Option<String>,
}

/// The provider of OpenID Connect that people may be signed in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its issuer identifier: a URL, letter by letter as in its own description.
    pub issuer: String,
    /// What this interface is called there.
    pub client: String,
    /// By what it proves itself there.
    pub secret: Secret,
    /// Where people come back to: the URL as their browsers see it.
    pub redirect: String,
    /// Which claim says who somebody is.
    pub claim: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// What people call the provider.
    pub name: String,
}

/// A text that no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

/// Whether what goes to this URL cannot be read on the way: it is `https`, or stays on this host.
pub fn is_private(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>".contains(&byte));
    if !plain || authority.is_empty() || authority.contains('@') {
        return false;
    }
    let host = match authority.rfind(':').filter(|&colon| !authority[colon..].contains(']')) {
        Some(colon) => &authority[..colon],
        None => authority,
    };
    let here = host == "localhost" || host == "[::1]";
    let here = here || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback());
    scheme == "https" || (scheme == "http" && here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_its_own_word() {
        for (word, role) in Role::WORDS {
            assert_eq!(role.word(), word);
        }
    }

    #[test]
    fn only_tls_and_this_host_are_private() {
        let private = [
            "https://login.example.nhs.uk/realms/trust",
            "http://localhost:8080/x",
            "http://127.0.0.2",
            "http://[::1]:1",
        ];
        for url in private {
            assert!(is_private(url), "{url}");
        }
        let open = [
            "http://login.example.nhs.uk",
            "http://127.0.0.1@example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost\\.example.com",
            "https://",
            "https://user@host",
            "ftp://localhost",
            "localhost",
            "https://a b",
        ];
        for url in open {
            assert!(!is_private(url), "{url}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret("hunter2".to_owned())), "...");
    }
}
