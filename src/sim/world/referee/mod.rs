//! Watches the edge of the switch: every message that it gets and every message that it sends, judged by RFC 3261.
//!
//! Independent of the switch and of the far ends: it sees what really came in, after the network, so nothing
//! that the switch does can be excused by loss.

mod requests;
mod responses;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use crate::sip::Flow;
use crate::time::Mono;

use super::text::Msg;

/// 64 x T1 of the switch.
const LIFETIME: Duration = Duration::from_secs(32);
/// How long the process may stand still and live.
pub(super) const LONGEST_STALL: Duration = Duration::from_secs(1);

/// Method and branch, which tell a transaction.
type Key = (String, String);
/// Call-ID, the switch's tag, the far end's tag.
type DialogKey = (String, String, String);

/// What is wrong, and with which call's Call-ID.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) call_id: String,
    pub(super) what: String,
}

/// A request that the switch received.
#[derive(Clone, Debug)]
struct Heard {
    flow: Flow,
    call_id: String,
    seq: u32,
    from_tag: String,
    to_tag: Option<String>,
    at: Mono,
    times: u32,
    last: Option<(u16, Bytes)>,
    sends: u32,
    emergency: bool,
    contact: String,
    route: Option<String>,
}

/// A request that the switch sent.
#[derive(Clone, Debug)]
struct Asked {
    flow: Flow,
    bytes: Bytes,
    dialog: Option<DialogKey>,
    call_id: String,
    from_tag: String,
    seq: u32,
    at: Mono,
    sends: u32,
    provisional: bool,
    code: Option<(u16, Mono)>,
    cancelled: Option<Mono>,
    /// For how long nobody was there at most, since it was sent.
    slept: Duration,
    lost: bool,
}

/// A dialog, as the switch must see it.
#[derive(Clone, Debug, Default)]
struct Dialog {
    target: String,
    /// The Contact of a re-INVITE, which may have taken its place.
    refreshed: Option<String>,
    /// The proxy that stays in the path.
    route: Option<String>,
    /// Of the switch's own requests.
    seq: u32,
    said_bye: bool,
    heard_bye: bool,
    /// INVITE of the far end that began it, whose 2xx has no ACK.
    unacknowledged: Option<Mono>,
    /// An INVITE of the switch in this dialog.
    asks: Option<Key>,
    /// INVITEs of the far end in this dialog that have no final response.
    asked: BTreeSet<Key>,
}

/// What a new call's INVITE came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) code: u16,
    pub(super) emergency: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Referee {
    heard: BTreeMap<Key, Heard>,
    asked: BTreeMap<Key, Asked>,
    dialogs: BTreeMap<DialogKey, Dialog>,
    /// Calls of which something spoilt came in, or an answer that a process away at its deadline may have waited for or
    /// not: what the switch made of that is not known.
    tainted: BTreeSet<String>,
    /// Anything spoilt came in at all.
    any_spoilt: bool,
    /// What must be answered, or acknowledged, before the next input.
    due: Vec<Due>,
    /// By Call-ID: what became of each new call.
    pub(super) taken: BTreeMap<String, Taken>,
}

/// What the switch owes within one step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Due {
    /// A response to this request.
    Response(Key),
    /// The ACK of a final response to this INVITE with this To tag.
    Ack(Key, String),
}

impl Referee {
    /// A message is about to be given to the switch; `emergency` if it comes by such a trunk.
    pub(super) fn heard(&mut self, flow: Flow, bytes: &[u8], emergency: bool, now: Mono) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Some(msg) = Msg::read(text) else { return };
        if msg.is_response() {
            self.heard_response(flow, &msg, now);
        } else {
            self.heard_request(flow, &msg, emergency, now);
        }
    }

    /// Something spoilt that was part of this call is about to be given to the switch.
    pub(super) fn spoilt(&mut self, call_id: &str, bytes: &[u8]) {
        self.any_spoilt = true;
        self.tainted.insert(call_id.to_owned());
        for line in bytes.split(|byte| b"\r\n".contains(byte)) {
            // What is not UTF-8 may be taken for Latin-1.
            let latin_1 = || line.iter().map(|&byte| char::from(byte)).collect();
            for text in [String::from_utf8_lossy(line).into_owned(), latin_1()] {
                if let Some((_, value)) =
                    text.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("call-id"))
                {
                    self.tainted.insert(value.trim().to_owned());
                }
            }
        }
    }

    /// Connections were lost: nothing can be told any more of what went over them.
    pub(super) fn connection_lost(&mut self, flow: Flow) {
        if !flow.transport.is_reliable() {
            return;
        }
        for asked in self.asked.values_mut().filter(|asked| asked.flow == flow && asked.code.is_none()) {
            asked.lost = true;
        }
    }

    /// From `died` until now there was no process: what was under way stood still from its next deadline on.
    pub(super) fn nobody_since(&mut self, died: Mono, now: Mono) {
        let away = now.since(died);
        for heard in self.heard.values_mut().filter(|heard| died < heard.at + LIFETIME) {
            heard.at = heard.at + away;
        }
        for asked in self.asked.values_mut().filter(|asked| !asked.is_over(died)) {
            asked.slept += away;
        }
    }

    /// The switch sends this.
    pub(super) fn sent(&mut self, flow: Flow, bytes: &Bytes, now: Mono) -> Result<(), Fault> {
        if bytes.as_ref() == b"\r\n" {
            return Ok(());
        }
        let msg = match Msg::strict(bytes) {
            Ok(msg) => msg,
            // What a spoilt request is answered with may repeat what was spoilt.
            Err(_) if self.any_spoilt && bytes.starts_with(b"SIP/2.0") => return Ok(()),
            Err(what) => {
                let text = String::from_utf8_lossy(bytes);
                return Err(Fault {
                    call_id: String::new(),
                    what: format!("the switch sent {what}:\n{text}"),
                });
            }
        };
        let call_id = msg.call_id();
        let judged = match (msg.is_response(), msg.method()) {
            (true, _) => self.sent_response(flow, &msg, bytes, now),
            (false, "ACK") => self.sent_ack(&msg),
            (false, "CANCEL") => self.sent_cancel(flow, &msg, bytes, now),
            (false, _) => self.sent_request(flow, &msg, bytes, now),
        };
        match judged {
            Err(_) if self.is_tainted(call_id) => Ok(()),
            Err(what) => Err(Fault { call_id: call_id.to_owned(), what: format!("{what}: {}", msg.start) }),
            Ok(()) => Ok(()),
        }
    }

    /// Whether something spoilt was part of a call: what came of nothing that any far end wrote can only come of that.
    pub(super) fn is_tainted(&self, call_id: &str) -> bool {
        self.tainted.contains(call_id)
    }

    /// All outputs of an input are out: what had to be answered at once must have been.
    pub(super) fn settled(&mut self) -> Result<(), Fault> {
        for due in std::mem::take(&mut self.due) {
            let (call_id, what) = match &due {
                Due::Response(key) => (self.heard[key].call_id.clone(), format!("no response to {}", key.0)),
                Due::Ack(key, _) => {
                    (self.asked[key].call_id.clone(), "no ACK of a final response".to_owned())
                }
            };
            if !self.is_tainted(&call_id) {
                return Err(Fault { call_id, what });
            }
        }
        Ok(())
    }

    /// Everything is over: every request was answered and every dialog ended.
    pub(super) fn finished(&self, now: Mono) -> Result<(), Fault> {
        for ((method, _), heard) in &self.heard {
            let answered = heard.last.as_ref().is_some_and(|(code, _)| *code >= 200);
            if !answered && !self.is_tainted(&heard.call_id) {
                let what = format!("no final response to {method}");
                return Err(Fault { call_id: heard.call_id.clone(), what });
            }
        }
        for ((method, _), asked) in &self.asked {
            if method == "INVITE"
                && asked.code.is_none()
                && !asked.is_over(now)
                && !self.is_tainted(&asked.call_id)
            {
                let what = "an INVITE of the switch was neither answered nor cancelled".to_owned();
                return Err(Fault { call_id: asked.call_id.clone(), what });
            }
        }
        for ((call_id, _, _), dialog) in &self.dialogs {
            if !dialog.said_bye && !dialog.heard_bye && !self.is_tainted(call_id) {
                let what = "a dialog that nobody ended".to_owned();
                return Err(Fault { call_id: call_id.clone(), what });
            }
        }
        Ok(())
    }

    /// Whether anything spoilt ever came in.
    pub(super) fn any_spoilt(&self) -> bool {
        self.any_spoilt
    }
}

impl Asked {
    /// Whether no final response is waited for any more.
    fn is_over(&self, now: Mono) -> bool {
        self.has_lasted(now, LIFETIME + self.slept)
    }

    /// Whether that may be so: which deadline came next when the process died is not known here, nor that by which a
    /// request was made during a stall, from which on its time counts.
    fn may_be_over(&self, now: Mono) -> bool {
        self.has_lasted(now, LIFETIME - LONGEST_STALL)
    }

    fn has_lasted(&self, now: Mono, lifetime: Duration) -> bool {
        let timed_out = !self.provisional && now >= self.at + lifetime;
        let cancelled = self.cancelled.is_some_and(|at| now >= at + lifetime);
        self.lost || timed_out || cancelled
    }
}

impl Dialog {
    /// Whether requests of the dialog may go there.
    fn is_target(&self, uri: &str) -> bool {
        self.target == uri || self.refreshed.as_deref() == Some(uri)
    }
}

fn key(msg: &Msg<'_>) -> Option<Key> {
    let (_, method) = msg.cseq()?;
    Some((method.to_owned(), msg.branch()?.to_owned()))
}

/// What must be, or why not.
fn must(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
