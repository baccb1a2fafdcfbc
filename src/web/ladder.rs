//! One call as a ladder, from the log of what came in: for engineers, since it holds the caller's number in full.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::oneshot;

use super::problem::Problem;
use super::{Ask, Shared, give_way, locked};
use crate::id::CallId;

/// How long a question waits while another one is answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// Knows what was logged of each call. An answer takes seconds at worst.
pub trait Ladders: Send + Sync {
    /// The ladder of a call, as JSON.
    fn ladder(&self, call: CallId) -> Result<String, NoLadder>;
}

/// Why there is no ladder of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLadder {
    /// There was no such call.
    Unknown,
    /// It is no longer in the log.
    Forgotten,
    /// The log cannot be read.
    Unreadable(String),
}

/// The ladder of a call, as JSON. One is read at a time, on a thread of its own.
pub(super) async fn ladder(web: &Arc<Shared>, call: CallId) -> Result<String, Problem> {
    let Some(ladders) = locked(&web.ladders).clone() else {
        return Err(Problem::conflict("this daemon keeps no flight log"));
    };
    let unknown = || Problem::not_found(format!("there was no {call} since the daemon began to count"));
    if call == CallId(0) || call > web.ask(Ask::LastCall).await? {
        return Err(unknown());
    }
    let turn = tokio::time::timeout(PATIENCE, Arc::clone(&web.reading).acquire_owned()).await;
    let turn = turn.map_err(|_| Problem::too_many("others are being read", PATIENCE.as_secs()))?;
    let (answer, answered) = oneshot::channel();
    let read = move || {
        give_way();
        let found = ladders.ladder(call);
        drop(turn);
        // Whoever asked may be gone.
        let _ = answer.send(found);
    };
    thread::Builder::new().name("ladder".into()).spawn(read).map_err(|_| Problem::gone())?;
    answered.await.map_err(|_| Problem::gone())?.map_err(|none| match none {
        NoLadder::Unknown => unknown(),
        NoLadder::Forgotten => Problem::new(StatusCode::GONE, format!("the log no longer holds {call}")),
        NoLadder::Unreadable(why) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, why),
    })
}
