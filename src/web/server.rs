//! Connections: how many, how long they may take, and what every answer carries.

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tower_service::Service as _;

use super::{Shared, routes};

/// Connections at a time; others wait to be accepted.
const CONNECTIONS: usize = 512;
/// Within what time a client must have sent the head of a request, the first or the next.
const HEAD: Duration = Duration::from_secs(30);
/// Largest head of a request.
const LARGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;

/// Where a request comes from.
#[derive(Copy, Clone, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener, web: Arc<Shared>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the web interface cannot be served");
            return std::future::pending().await;
        }
    };
    let router = routes::router(&web);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, say: others are to be closed first.
                tracing::debug!(%error, "a web client could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let router = router.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(router.clone(), peer.ip(), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(LARGEST_HEAD)
                .max_headers(MOST_HEADERS)
                .serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a web client was let go");
            }
            drop(place);
        });
    }
}

async fn answer(
    mut router: Router,
    peer: IpAddr,
    mut request: Request<Incoming>,
) -> Result<Response, std::convert::Infallible> {
    request.extensions_mut().insert(Peer(peer.to_canonical()));
    let mut response = router.call(request.map(Body::new)).await?;
    let headers = response.headers_mut();
    let always = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    Ok(response)
}
