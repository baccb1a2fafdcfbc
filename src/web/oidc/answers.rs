//! What browsers are answered on their way to the provider and back.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::super::cookies;
use super::super::problem::Problem;
use super::super::routes::with_cookie;
use super::super::sessions::LASTS;
use super::super::{Shared, locked};
use super::{Known, Oidc, aside, cut, pending};

/// The name of the cookie of a sign-in that was begun.
const COOKIE: &str = "hearken-oidc";
/// Whereto it is sent. It comes back on the way from another site, so it is `Lax`.
const SCOPE: &str = "SameSite=Lax; Path=/api/v1/oidc";
/// Longest code or state that is taken, in bytes.
const LONGEST: usize = 4_096;
/// Longest path of a page.
const LONGEST_NEXT: usize = 512;

/// Sends a browser to the provider.
pub(in super::super) async fn begin(web: &Shared, next: Option<String>) -> Result<Response, Problem> {
    let oidc = web.oidc().ok_or_else(no_provider)?;
    let next = next.filter(|next| is_page(next)).unwrap_or_else(|| "/".to_owned());
    let begun = aside(&oidc, move |oidc| oidc.begin(next, Instant::now())).await?;
    let mut response = see_other(&begun.url);
    keep(&mut response, &oidc, &begun.cookie, pending::LASTS);
    Ok(response)
}

/// Signs in whoever comes back from the provider; and who that is, as far as it is known.
pub(in super::super) async fn finish(
    web: &Shared,
    parts: &Parts,
    mut pairs: Vec<(String, String)>,
) -> (Result<Response, Problem>, String) {
    pairs.retain(|(_, value)| value.len() <= LONGEST);
    let value = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let refused = value("error").map(|error| cut(&error));
    let code = match (refused, value("code")) {
        (Some(refused), _) => Err(refused),
        (None, Some(code)) => Ok(code),
        (None, None) => Err("there is no code".to_owned()),
    };
    let state = value("state").unwrap_or_default();
    let begun = cookies::sent(&parts.headers, COOKIE).unwrap_or_default().to_owned();
    let Some(oidc) = web.oidc() else { return (Err(no_provider()), String::new()) };
    let known = aside(&oidc, move |oidc| oidc.finish(&begun, &state, code, Instant::now())).await;
    let Known { value, next } = match known {
        Ok(known) => known,
        Err(problem) => return (Err(problem), String::new()),
    };
    let users = web.users();
    let Some(user) = users.with_oidc(&value) else {
        let value = cut(&value);
        tracing::info!(value, "the provider signed in somebody who is not in the users file");
        return (Err(Problem::new(StatusCode::FORBIDDEN, "not in the users file")), value);
    };
    let Some(session) = locked(&web.sessions).open(&user.name, Instant::now()) else {
        return (Err(Problem::gone()), user.name.clone());
    };
    let mut response = with_cookie(see_other(&next), &session, LASTS, parts);
    keep(&mut response, &oidc, "", Duration::ZERO);
    (Ok(response), user.name.clone())
}

/// Leads somebody who was not signed in to the page that says so.
pub(in super::super) fn explained(problem: Problem) -> Response {
    let fault = match problem.status() {
        StatusCode::NOT_FOUND => return problem.into_response(),
        StatusCode::BAD_REQUEST => "again",
        StatusCode::UNAUTHORIZED => "denied",
        StatusCode::FORBIDDEN => "unknown",
        StatusCode::TOO_MANY_REQUESTS => "busy",
        StatusCode::SERVICE_UNAVAILABLE => "away",
        _ => "wrong",
    };
    see_other(&format!("/sign-in?fault={fault}"))
}

/// Has the browser keep the cookie of a sign-in; it leaves by TLS alone where people come back by that.
fn keep(response: &mut Response, oidc: &Oidc, cookie: &str, lasts: Duration) {
    let secure = oidc.provider().redirect.starts_with("https://");
    cookies::set(response.headers_mut(), (COOKIE, cookie), SCOPE, lasts, secure);
}

fn no_provider() -> Problem {
    Problem::not_found("no provider is configured")
}

/// Whether it is a path on this host, whatever a browser makes of it.
fn is_page(next: &str) -> bool {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain && next.starts_with('/') && !next.starts_with("//") && next.len() <= LONGEST_NEXT
}

fn see_other(location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for page in ["/", "/agent", "/reports?from=2026-11-01&by=line", "/call/7"] {
            assert!(is_page(page), "{page}");
        }
        for other in ["", "agent", "//example.com", "/\\example.com", "https://example.com", "/a\r\nb", "/ä"]
        {
            assert!(!is_page(other), "{other}");
        }
        assert!(!is_page(&format!("/{}", "a".repeat(LONGEST_NEXT))));
    }
}
