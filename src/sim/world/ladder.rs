//! What happened, to be read by people when a seed fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bytes::Bytes;

use crate::time::Mono;

use super::text::Msg;

/// One line of the story.
#[derive(Clone, Debug)]
struct Line {
    at: Mono,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// A message: whether to the switch, with whom, what.
    Message { to_switch: bool, far: String, bytes: Bytes },
    /// Something else, about the call with this Call-ID if about one.
    Note { call_id: String, text: String },
}

/// Everything that happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    lines: Vec<Line>,
    /// Which Call-IDs belong to which caller's.
    families: BTreeMap<String, String>,
}

/// Most lines shown.
const MOST: usize = 400;

impl Ladder {
    pub(super) fn message(&mut self, at: Mono, to_switch: bool, far: &str, bytes: &Bytes) {
        let what = What::Message { to_switch, far: far.to_owned(), bytes: bytes.clone() };
        self.lines.push(Line { at, what });
    }

    pub(super) fn note(&mut self, at: Mono, call_id: &str, text: String) {
        self.lines.push(Line { at, what: What::Note { call_id: call_id.to_owned(), text } });
    }

    /// An agent's leg belongs to a caller's call.
    pub(super) fn belongs(&mut self, leg: &str, caller: &str) {
        self.families.insert(leg.to_owned(), caller.to_owned());
    }

    /// The Call-IDs of all legs of a caller's call, the caller's first.
    pub(super) fn family_of(&self, caller: &str) -> Vec<String> {
        let legs = self.families.iter().filter(|(_, family)| *family == caller);
        std::iter::once(caller.to_owned()).chain(legs.map(|(leg, _)| leg.clone())).collect()
    }

    fn family<'a>(&'a self, call_id: &'a str) -> &'a str {
        self.families.get(call_id).map_or(call_id, String::as_str)
    }

    /// The messages of the call that this Call-ID belongs to, or of all if it is empty, and what else happened then.
    pub(super) fn of(&self, call_id: &str) -> String {
        let family = self.family(call_id);
        let mut shown = Vec::new();
        let mut seen = BTreeSet::new();
        for line in &self.lines {
            let (own, text) = match &line.what {
                What::Note { call_id, text } => (call_id.clone(), format!("        * {text}")),
                What::Message { to_switch, far, bytes } => {
                    let text = String::from_utf8_lossy(bytes);
                    let (own, told) = told(&text);
                    let arrow = if *to_switch { format!("{far:>12} -> ") } else { format!("{far:>12} <- ") };
                    let own = if own.is_empty() { "?".to_owned() } else { own };
                    (own, arrow + &told)
                }
            };
            if family.is_empty() || own.is_empty() || self.family(&own) == family {
                seen.insert(own);
                shown.push(format!("{:>11.3} {text}", line.at.0 as f64 / 1e6));
            }
        }
        let mut out = String::new();
        let skipped = shown.len().saturating_sub(MOST);
        if skipped > 0 {
            let _ = writeln!(out, "... {skipped} lines before ...");
        }
        shown.iter().map(String::as_str).skip(skipped).for_each(|line| out.extend([line, "\n"]));
        out
    }
}

/// The Call-ID of a message, and what it is in one line.
fn told(text: &str) -> (String, String) {
    let Some(msg) = Msg::read(text) else {
        let call_id = text.lines().find_map(|line| line.strip_prefix("Call-ID: ")).unwrap_or_default();
        let start: String = text.chars().take(60).collect();
        return (call_id.to_owned(), format!("(spoilt) {start:?}"));
    };
    let direction =
        super::text::audio(msg.body).map_or(String::new(), |(_, port, way)| format!(" [{port} {way}]"));
    let tags = format!("{}/{}", msg.tag("From").unwrap_or("-"), msg.tag("To").unwrap_or("-"));
    let start = msg.start.trim_start_matches("SIP/2.0 ");
    let cseq = msg.header("CSeq").unwrap_or_default();
    let branch = msg.branch().unwrap_or_default().trim_start_matches("z9hG4bK");
    (
        msg.call_id().to_owned(),
        format!("{start:<50} | {cseq:<12} {tags} {branch} {}{direction}", msg.call_id()),
    )
}
