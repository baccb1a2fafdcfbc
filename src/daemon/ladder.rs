//! The ladder of a call as the interface gives it: read from the flight log that is being written.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::flight::ladder::{self, NoLadder, Short, Step, What};
use crate::id::CallId;
use crate::web;

/// Most letters of a message that are given.
const MOST_SHOWN: usize = 8_000;
/// What we are called.
const SELF: &str = "hearken";

/// The log of this life of the switch.
pub(super) struct Log {
    pub(super) directory: PathBuf,
    pub(super) run: i64,
}

impl web::Ladders for Log {
    fn ladder(&self, call: CallId) -> Result<String, web::NoLadder> {
        let found = ladder::ladder(&self.directory, self.run, call).map_err(|none| match none {
            NoLadder::Unknown => web::NoLadder::Unknown,
            NoLadder::Forgotten => web::NoLadder::Forgotten,
            NoLadder::Log(error) => web::NoLadder::Unreadable(error.to_string()),
        })?;
        let steps: Vec<Value> = found.steps.iter().map(step).collect();
        let truncated = found.short.map(|short| match short {
            Short::Beginning => "the log no longer holds the beginning",
            Short::Steps => "there are more steps than are shown",
            Short::Bytes => "more of the log would have to be read",
            Short::Time => "it took too long to read all of it",
        });
        Ok(json!({ "call": call, "steps": steps, "truncated": truncated }).to_string())
    }
}

fn step(Step { at, what }: &Step) -> Value {
    let at = at.rfc3339();
    match what {
        What::Message { party, remote, comes, start, text } => {
            let party = party.to_string();
            let (from, to) = if *comes { (party.as_str(), SELF) } else { (SELF, party.as_str()) };
            let way = if *comes { "from" } else { "to" };
            let mut shown: String = text.chars().take(MOST_SHOWN).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            let detail = format!("{way} {remote}\n\n{shown}");
            json!({ "at": at, "kind": "message", "from": from, "to": to, "summary": start, "detail": detail })
        }
        What::Decision(what) => {
            json!({ "at": at, "kind": "decision", "from": SELF, "to": null, "summary": what, "detail": null })
        }
        What::Media(party, what) => {
            let party = party.to_string();
            json!({ "at": at, "kind": "media", "from": party, "to": null, "summary": what, "detail": null })
        }
    }
}
