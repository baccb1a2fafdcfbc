//! Signing in by OpenID Connect: a provider says who somebody is, the users file says what that user may do.
//!
//! The authorization code flow with PKCE, state and nonce. Everything here may wait for the network, so it is called on
//! threads that nobody else waits for, of which few are taken at a time ([`aside`]); each request to the provider is
//! bounded in size and time. What is known of the provider is kept for an hour.
//!
//! | file | holds |
//! |---|---|
//! | `answers` | what browsers are answered |
//! | `pending` | those who are at the provider just now |
//! | `provider` | what is asked of the provider, and what is believed of its answers |
//! | `client` | single requests |

mod answers;
mod client;
mod pending;
mod provider;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::Semaphore;

pub(super) use self::answers::{begin, explained, finish};
use self::client::Client;
use self::pending::{Pending, Waiting};
use self::provider::Metadata;
use super::locked;
use super::problem::Problem;
use crate::access::Provider;

/// How many sign-ins are worked on at a time.
const MOST_AT_WORK: usize = 8;
/// How long another waits for its turn.
const TURN: Duration = Duration::from_secs(5);
/// For how long what is known of the provider is believed.
const FRESH: Duration = Duration::from_secs(3_600);
/// At least so long apart the provider is asked for its keys again because one is not known.
const KEYS_AGAIN: Duration = Duration::from_secs(60);
/// The same where nothing is known of it.
const AGAIN: Duration = Duration::from_secs(5);
/// Most letters of what the provider said in a log.
const LONGEST_WHY: usize = 300;

/// Why somebody is not signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// No such sign-in was begun in this browser, or it took too long.
    #[error("no such sign-in was begun in this browser within ten minutes")]
    Unknown,
    /// The provider said no.
    #[error("the provider did not sign in: {why}")]
    Denied { why: String },
    /// The provider does not answer.
    #[error("the provider does not answer: {why}")]
    Away { why: String },
    /// What the provider says is not to be believed, or not to be understood.
    #[error("the provider's answer does not hold: {why}")]
    Wrong { why: String },
}

impl Fault {
    pub(super) fn away(why: &str) -> Fault {
        Fault::Away { why: cut(why) }
    }

    pub(super) fn wrong(why: &str) -> Fault {
        Fault::Wrong { why: cut(why) }
    }

    pub(super) fn denied(why: &str) -> Fault {
        Fault::Denied { why: cut(why) }
    }
}

/// What goes into a log of a text from outside.
fn cut(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST_WHY).collect()
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        match &fault {
            Fault::Unknown => tracing::debug!(reason = %fault, "nobody was signed in by the provider"),
            Fault::Denied { .. } => tracing::info!(reason = %fault, "nobody was signed in by the provider"),
            _ => tracing::warn!(reason = %fault, "nobody was signed in by the provider"),
        }
        let (status, detail) = match fault {
            Fault::Unknown => (StatusCode::BAD_REQUEST, "the sign-in took too long, or was not begun here"),
            Fault::Denied { .. } => (StatusCode::UNAUTHORIZED, "the provider did not sign in"),
            Fault::Away { .. } => (StatusCode::SERVICE_UNAVAILABLE, "the provider does not answer"),
            Fault::Wrong { .. } => (StatusCode::BAD_GATEWAY, "the provider's answer does not hold"),
        };
        Problem::new(status, detail)
    }
}

/// A sign-in that was begun.
#[derive(Debug)]
pub(super) struct Begun {
    /// Where the browser goes.
    pub(super) url: String,
    /// By which it is known when it comes back.
    pub(super) cookie: String,
}

/// Somebody whom the provider has signed in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The value of the claim.
    pub(super) value: String,
    /// Where they wanted to be.
    pub(super) next: String,
}

/// The way by one provider.
pub(super) struct Oidc {
    provider: Provider,
    client: Client,
    pending: Mutex<Pending>,
    described: Mutex<Described>,
    at_work: Arc<Semaphore>,
}

/// What is known of the provider.
#[derive(Default)]
struct Described {
    /// And when that was asked for.
    metadata: Option<(Arc<Metadata>, Instant)>,
    /// When it was last tried.
    tried: Option<Instant>,
}

impl Oidc {
    pub(super) fn new(provider: Provider) -> Oidc {
        let client = Client::new(&provider.issuer);
        let at_work = Arc::new(Semaphore::new(MOST_AT_WORK));
        Oidc { provider, client, pending: Mutex::default(), described: Mutex::default(), at_work }
    }

    pub(super) fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Begins a sign-in that leads to the page `next`.
    pub(super) fn begin(&self, next: String, now: Instant) -> Result<Begun, Fault> {
        let metadata = self.metadata(None, now)?;
        let asked = provider::ask(&self.provider, &metadata)?;
        let waiting = Waiting { state: asked.state, nonce: asked.nonce, verifier: asked.verifier, next };
        let cookie = locked(&self.pending).open(waiting, now);
        let cookie = cookie.ok_or_else(|| Fault::away("the system gives no randomness"))?;
        Ok(Begun { url: asked.url, cookie })
    }

    /// Ends a sign-in: who has come back with this code.
    pub(super) fn finish(
        &self,
        cookie: &str,
        state: &str,
        code: Result<String, String>,
        now: Instant,
    ) -> Result<Known, Fault> {
        let waiting = locked(&self.pending).take(cookie, state, now).ok_or(Fault::Unknown)?;
        let code = code.map_err(|why| Fault::denied(&why))?;
        let Waiting { nonce, verifier, next, .. } = waiting;
        let metadata = self.metadata(None, now)?;
        let tokens = provider::exchange(&self.provider, &metadata, &self.client, code, verifier)?;
        let mut claims = provider::verify(&self.provider, &metadata, &tokens, &nonce);
        if let Err(provider::Unverified::NoKey) = claims {
            let metadata = self.metadata(Some(&metadata), now)?;
            claims = provider::verify(&self.provider, &metadata, &tokens, &nonce);
        }
        let claims = claims.map_err(|unverified| Fault::wrong(&unverified.to_string()))?;
        let value = match claims.value(&self.provider.claim) {
            Some(value) => value,
            // By the letter of the standard most claims are not in the token.
            None => provider::more(&self.provider, &metadata, &self.client, &tokens, claims)?
                .value(&self.provider.claim)
                .ok_or_else(|| Fault::wrong(&format!("there is no claim `{}`", self.provider.claim)))?,
        };
        Ok(Known { value, next })
    }

    /// What is known of the provider; something newer than `old`, if it may be asked again.
    fn metadata(&self, old: Option<&Arc<Metadata>>, now: Instant) -> Result<Arc<Metadata>, Fault> {
        // Whoever comes while the provider is asked waits for the same answer.
        let mut described = locked(&self.described);
        let Described { metadata, tried } = &mut *described;
        let since = |at: Instant| now.saturating_duration_since(at);
        let rested = tried.is_none_or(|at| since(at) >= if metadata.is_some() { KEYS_AGAIN } else { AGAIN });
        if let Some((known, at)) = metadata
            && (!rested || (since(*at) < FRESH && old.is_none_or(|old| !Arc::ptr_eq(old, known))))
        {
            return Ok(Arc::clone(known));
        }
        if !rested {
            return Err(Fault::away("it did not a moment ago"));
        }
        *tried = Some(now);
        match (provider::describe(&self.provider, &self.client), &*metadata) {
            (Ok(found), _) => Ok(Arc::clone(&metadata.insert((Arc::new(found), now)).0)),
            (Err(fault), Some((known, _))) => {
                tracing::warn!(reason = %fault, "what is known of the provider is old");
                Ok(Arc::clone(known))
            }
            (Err(fault), None) => Err(fault),
        }
    }
}

/// Does something that may wait for the provider, where nobody else waits for it.
pub(super) async fn aside<T: Send + 'static>(
    oidc: &Arc<Oidc>,
    work: impl FnOnce(&Oidc) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Problem> {
    let turn = tokio::time::timeout(TURN, Arc::clone(&oidc.at_work).acquire_owned()).await;
    let Ok(Ok(place)) = turn else { return Err(Problem::too_many("many are signing in; wait a moment", 5)) };
    let oidc = Arc::clone(oidc);
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&oidc);
        drop(place);
        done
    });
    Ok(done.await.unwrap_or_else(|_| Err(Fault::wrong("it could not be read")))?)
}
