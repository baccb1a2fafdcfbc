//! Server-sent events: the board whenever something has changed, and the news. What many clients are sent is written once.
//!
//! A client that reads slowly misses boards, of which only the latest counts, and is let go when it has not read for
//! half a minute. News that it missed while it was away it is sent when it comes back with `Last-Event-ID`. Before each
//! board it is asked again who the client is: whoever is signed out, or no user any more, is sent nothing.

use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::gate::who;
use super::problem::Problem;
use super::{Shared, locked};

/// Clients at a time.
pub(super) const MOST: usize = 128;
/// A board is sent so often even if nothing has happened: waits grow all the same.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Within what time a client must take what it is sent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Begins a stream.
pub(super) fn begin(web: &Arc<Shared>, headers: &HeaderMap) -> Result<Response, Problem> {
    let Ok(place) = Arc::clone(&web.streams).try_acquire_owned() else {
        return Err(Problem::too_many("as many clients as may are watching", 30));
    };
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let last = locked(&web.news).last();
    let seen = match seen {
        // It comes for the first time, and has missed nothing.
        None => Some(last),
        Some(id) => number(id, web.run),
    };
    let (chunks, sent) = mpsc::channel(4);
    let (web, headers) = (Arc::clone(web), headers.clone());
    tokio::spawn(async move {
        // Ends when the client is gone or may watch no more, or with the daemon.
        let _ = Stream { web, headers, chunks, seen: seen.unwrap_or(0) }.run(seen.is_none()).await;
        drop(place);
    });
    let mut response = Response::new(Body::new(Chunks(sent)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Proxies must not gather what is sent.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The number in an id of this run; `None` for one of another.
fn number(id: &str, run: i64) -> Option<u64> {
    let (of, number) = id.split_once('-')?;
    number.parse().ok().filter(|_| of == format!("{run:x}"))
}

/// A whole event.
pub(super) fn event(kind: &str, run: i64, number: u64, data: &impl Display) -> String {
    format!("{}data: {data}\n\n", head(kind, run, number))
}

/// The beginning of an event; its data is to follow.
fn head(kind: &str, run: i64, number: u64) -> String {
    format!("event: {kind}\nid: {run:x}-{number}\n")
}

struct Stream {
    web: Arc<Shared>,
    /// Of the request: they say who it is.
    headers: HeaderMap,
    chunks: mpsc::Sender<Bytes>,
    /// The number of the newest news that the client has.
    seen: u64,
}

/// The client is gone, has read nothing for too long or may watch no more; or the daemon ends.
struct Over;

impl Stream {
    async fn run(&mut self, away_for_too_long: bool) -> Result<(), Over> {
        let mut newest = self.web.newest.subscribe();
        if away_for_too_long {
            self.gap().await?;
        }
        loop {
            newest.borrow_and_update();
            who(&self.web, &self.headers, std::time::Instant::now()).ok_or(Over)?;
            self.news().await?;
            let board = self.web.board(self.seen).await.map_err(|_| Over)?;
            // By this number it comes back: the news that the board had before the client are missing still.
            self.send(head("board", self.web.run, self.seen).into()).await?;
            self.send(board.data()).await?;
            let heartbeat = Instant::now() + HEARTBEAT;
            // Whoever would tell of a change is gone only with the daemon.
            if let Ok(Err(_)) = timeout_at(heartbeat, newest.changed()).await {
                return Err(Over);
            }
        }
    }

    /// Sends the news since those that the client has.
    async fn news(&mut self) -> Result<(), Over> {
        loop {
            let portion = locked(&self.web.news).portion(self.seen);
            match portion {
                None => return self.gap().await,
                Some(portion) if portion.last == self.seen => return Ok(()),
                Some(portion) => {
                    self.send(portion.events).await?;
                    self.seen = portion.last;
                }
            }
        }
    }

    /// Some of the news that the client has not are no longer kept.
    async fn gap(&mut self) -> Result<(), Over> {
        self.seen = locked(&self.web.news).last();
        self.send(event("gap", self.web.run, self.seen, &"{}").into()).await
    }

    async fn send(&self, chunk: Bytes) -> Result<(), Over> {
        match timeout(PATIENCE, self.chunks.send(chunk)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over),
        }
    }
}

/// What is sent, as the body of an answer.
pub(super) struct Chunks(pub(super) mpsc::Receiver<Bytes>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn an_id_counts_only_in_its_own_run() {
        assert_eq!(number("1f-12", 0x1f), Some(12));
        for id in ["1e-12", "12", "", "1f-", "1f--1", "1f-12-1"] {
            assert_eq!(number(id, 0x1f), None, "{id}");
        }
    }
}
