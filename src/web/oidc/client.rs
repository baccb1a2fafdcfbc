//! Single requests to the provider: over TLS, or on this host; no redirect is followed, and size and time are bounded.

use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse, SyncHttpClient};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

use crate::access::is_private;

/// Within what time an answer must be there, whole.
const ANSWER: Duration = Duration::from_secs(5);
/// Largest body of an answer.
const LARGEST: u64 = 256 * 1024;
/// Largest head.
const LARGEST_HEAD: usize = 32 * 1024;

/// Whoever asks the provider.
pub(super) struct Client {
    agent: Agent,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    #[error("a URL of the provider's is neither https nor of this host")]
    Open,
    #[error(transparent)]
    Failed(#[from] ureq::Error),
    #[error(transparent)]
    Http(#[from] axum::http::Error),
}

impl Client {
    /// One for this provider; what is trusted is what the host trusts.
    pub(super) fn new(issuer: &str) -> Client {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        // Nobody asks a proxy for what is on this host.
        let proxy = if issuer.starts_with("http://") { None } else { Proxy::try_from_env() };
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(proxy)
            .user_agent("hearken")
            .timeout_global(Some(ANSWER))
            .max_response_header_size(LARGEST_HEAD)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0);
        Client { agent: config.build().new_agent() }
    }
}

impl SyncHttpClient for Client {
    type Error = Unanswered;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        if !is_private(&request.uri().to_string()) {
            return Err(Unanswered::Open);
        }
        let answer = if request.body().is_empty() {
            self.agent.run(request.map(|_| ()))?
        } else {
            self.agent.run(request)?
        };
        let (head, body) = answer.into_parts();
        let mut answer = axum::http::Response::builder().status(head.status);
        if let Some(kind) = head.headers.get(axum::http::header::CONTENT_TYPE) {
            answer = answer.header(axum::http::header::CONTENT_TYPE, kind);
        }
        Ok(answer.body(body.into_with_config().limit(LARGEST).read_to_vec()?)?)
    }
}
