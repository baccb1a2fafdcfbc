//! The pages that people see: a table of files built into the program.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest as _, Sha256};

use crate::octets::hex;

/// One file: the path that it is served at, its content type, its bytes.
type Page = (&'static str, &'static str, &'static [u8]);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Everything that is served without signing in, beside the API's own routes. A path that ends in `/*` stands for
/// all below it.
pub(super) const PAGES: &[Page] = &[
    ("/", HTML, include_bytes!("pages/wallboard.html")),
    ("/sign-in", HTML, include_bytes!("pages/sign-in.html")),
    ("/agent", HTML, include_bytes!("pages/agent.html")),
    ("/rules", HTML, include_bytes!("pages/rules.html")),
    ("/reports", HTML, include_bytes!("pages/reports.html")),
    ("/call/*", HTML, include_bytes!("pages/call.html")),
    ("/assets/mark.svg", "image/svg+xml", include_bytes!("pages/mark.svg")),
    ("/assets/agent.css", CSS, include_bytes!("pages/agent.css")),
    ("/assets/agent.js", JS, include_bytes!("pages/agent.js")),
    ("/assets/api.js", JS, include_bytes!("pages/api.js")),
    ("/assets/apply.js", JS, include_bytes!("pages/apply.js")),
    ("/assets/call.css", CSS, include_bytes!("pages/call.css")),
    ("/assets/call.js", JS, include_bytes!("pages/call.js")),
    ("/assets/calls.js", JS, include_bytes!("pages/calls.js")),
    ("/assets/diff.js", JS, include_bytes!("pages/diff.js")),
    ("/assets/dom.js", JS, include_bytes!("pages/dom.js")),
    ("/assets/frame.js", JS, include_bytes!("pages/frame.js")),
    ("/assets/live.js", JS, include_bytes!("pages/live.js")),
    ("/assets/past.js", JS, include_bytes!("pages/past.js")),
    ("/assets/reports.css", CSS, include_bytes!("pages/reports.css")),
    ("/assets/reports.js", JS, include_bytes!("pages/reports.js")),
    ("/assets/rules.css", CSS, include_bytes!("pages/rules.css")),
    ("/assets/rules.js", JS, include_bytes!("pages/rules.js")),
    ("/assets/sign-in.js", JS, include_bytes!("pages/sign-in.js")),
    ("/assets/style.css", CSS, include_bytes!("pages/style.css")),
    ("/assets/trend.js", JS, include_bytes!("pages/trend.js")),
    ("/assets/wallboard.css", CSS, include_bytes!("pages/wallboard.css")),
    ("/assets/wallboard.js", JS, include_bytes!("pages/wallboard.js")),
    ("/assets/words.js", JS, include_bytes!("pages/words.js")),
];

/// The file for a path, if there is one.
pub(super) fn find(path: &str) -> Option<&'static Page> {
    PAGES.iter().find(|(at, ..)| match at.strip_suffix('*') {
        Some(above) => path.strip_prefix(above).is_some_and(|rest| !rest.is_empty() && !rest.contains('/')),
        None => path == *at,
    })
}

/// What tells the bytes of each path from any others.
static TAGS: LazyLock<BTreeMap<&str, HeaderValue>> = LazyLock::new(|| {
    let tags = PAGES.iter().filter_map(|(path, _, bytes)| {
        let digest = Sha256::digest(bytes);
        let tag = hex(&digest[..8]);
        Some((*path, HeaderValue::try_from(format!("\"{tag}\"")).ok()?))
    });
    tags.collect()
});

/// The file itself, or that the client has it.
pub(super) fn response((path, kind, bytes): &Page, asked: &HeaderMap) -> Response {
    let tag = TAGS.get(path);
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| Some(known) == tag);
    let mut response = Response::new(if known { Body::empty() } else { Body::from(*bytes) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_client_that_has_a_page_is_not_sent_it_again() {
        let page = find("/").unwrap();
        let first = response(page, &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(response(page, &asked).status(), StatusCode::NOT_MODIFIED);
        assert!(find("/nowhere").is_none() && find("/../etc/passwd").is_none());
    }
}
