//! Who may use the interface that people see, and what for.

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
}
