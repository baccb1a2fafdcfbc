//! Passwords and tokens: what is kept of them, and whose they are.

use std::collections::BTreeMap;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest as _, Sha256};

use crate::access::User;

/// All users by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    by_name: BTreeMap<String, User>,
}

impl Users {
    /// The last of a name counts.
    pub fn new(users: impl IntoIterator<Item = User>) -> Users {
        Users { by_name: users.into_iter().map(|user| (user.name.clone(), user)).collect() }
    }

    /// Whether nobody can sign in.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(super) fn named(&self, name: &str) -> Option<&User> {
        self.by_name.get(name)
    }

    /// Whom a provider means by this value of the claim.
    pub(super) fn with_oidc(&self, value: &str) -> Option<&User> {
        self.by_name.values().find(|user| user.oidc.as_deref() == Some(value))
    }

    /// Whose token it is. A digest is compared, so how long it takes tells nothing of the token.
    pub(super) fn with_token(&self, token: &str) -> Option<&User> {
        let digest = digest(token);
        self.by_name.values().find(|user| user.tokens.contains(&digest))
    }
}

/// What is kept of a token.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// What is kept of a password: Argon2id with 19 MiB and two passes, as OWASP advises.
pub fn hashed(password: &str, salt: &[u8; 16]) -> String {
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default());
    let salt = SaltString::encode_b64(salt).expect("16 bytes make a salt");
    let hash = argon.hash_password(password.as_bytes(), &salt);
    hash.expect("the parameters are the crate's own").to_string()
}

/// Whether a password is the one of which this is kept; of nobody's it takes as long. It takes its time: keep it off
/// the thread that serves others.
pub(super) fn verify(password: &str, kept: Option<&str>) -> bool {
    let Some(kept) = kept else {
        hashed(password, &[0; 16]);
        return false;
    };
    let hash = PasswordHash::new(kept);
    hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    #[test]
    fn a_password_is_known_again_and_nobodys_fits() {
        let kept = hashed("correct horse", &[7; 16]);
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify("correct horse", Some(&kept)));
        assert!(!verify("correct house", Some(&kept)));
        assert!(!verify("", None));
        assert!(!verify("x", Some("not a hash")));
    }

    #[test]
    fn a_token_is_known_by_its_digest() {
        let user = User {
            name: "screen".into(),
            password: None,
            tokens: vec![digest("secret")],
            roles: vec![Role::Viewer],
            agent: None,
            oidc: None,
        };
        let users = Users::new([user]);
        assert_eq!(users.with_token("secret").map(|user| user.name.as_str()), Some("screen"));
        assert_eq!(users.with_token("Secret"), None);
    }
}
