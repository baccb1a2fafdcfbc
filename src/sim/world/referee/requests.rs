//! Requests: those that the switch gets, and those that it sends.

use std::time::Duration;

use bytes::Bytes;

use super::{Asked, DialogKey, Due, Heard, Key, LIFETIME, Referee, key, must};
use crate::sim::world::text::{self, Msg};
use crate::sip::Flow;
use crate::time::Mono;

impl Referee {
    pub(super) fn heard_request(&mut self, flow: Flow, msg: &Msg<'_>, emergency: bool, now: Mono) {
        let Some(key) = key(msg) else { return };
        let call_id = msg.call_id().to_owned();
        let from_tag = msg.tag("From").unwrap_or_default().to_owned();
        let to_tag = msg.tag("To").map(str::to_owned);
        let dialog = to_tag.clone().map(|tag| (call_id.clone(), tag, from_tag.clone()));
        let dialog = dialog.filter(|key| self.dialogs.contains_key(key));
        if msg.method() == "ACK" {
            if let Some(dialog) = dialog.and_then(|key| self.dialogs.get_mut(&key)) {
                dialog.unacknowledged = None;
            }
            return;
        }
        // A far end with a longer T1 may repeat a request that the switch has forgotten.
        if let Some(heard) = self.heard.get_mut(&key).filter(|heard| now < heard.at + LIFETIME) {
            heard.times += 1;
            return;
        }
        if let Some(dialog) = dialog.and_then(|key| self.dialogs.get_mut(&key))
            && msg.method() == "INVITE"
        {
            dialog.asked.insert(key.clone());
            dialog.refreshed = msg.contact().map(str::to_owned);
        }
        self.due.push(Due::Response(key.clone()));
        let seq = msg.cseq().map_or(0, |(number, _)| number);
        let heard = Heard {
            flow,
            call_id,
            seq,
            from_tag,
            to_tag,
            at: now,
            times: 1,
            last: None,
            sends: 0,
            emergency,
            contact: msg.contact().unwrap_or_default().to_owned(),
            route: msg.header("Record-Route").map(str::to_owned),
        };
        self.heard.insert(key, heard);
    }

    pub(super) fn sent_ack(&mut self, msg: &Msg<'_>) -> Result<(), String> {
        let branch = msg.branch().unwrap_or_default();
        let to_tag = msg.tag("To").unwrap_or_default();
        let seq = msg.cseq().map_or(0, |(number, _)| number);
        let by_branch: Key = ("INVITE".to_owned(), branch.to_owned());
        let found = if self.asked.contains_key(&by_branch) {
            let code = self.asked[&by_branch].code.map_or(0, |(code, _)| code);
            must(code >= 300, "an ACK with the branch of its INVITE belongs to a refusal")?;
            by_branch
        } else {
            // The ACK of a 2xx is a transaction of its own; it is told by its dialog.
            let found = self.asked.iter().find(|((method, _), asked)| {
                method == "INVITE" && asked.call_id == msg.call_id() && asked.seq == seq
            });
            let (key, asked) = found.ok_or("an ACK of nothing")?;
            must(asked.code.is_some_and(|(code, _)| code < 300), "an ACK of a 2xx that never came")?;
            let dialog = (msg.call_id().to_owned(), asked.from_tag.clone(), to_tag.to_owned());
            let dialog = self.dialogs.get(&dialog).ok_or("an ACK outside of any dialog")?;
            must(dialog.is_target(msg.uri()), "an ACK must go to the remote target")?;
            key.clone()
        };
        self.due.retain(|due| *due != Due::Ack(found.clone(), to_tag.to_owned()));
        Ok(())
    }

    pub(super) fn sent_cancel(
        &mut self,
        flow: Flow,
        msg: &Msg<'_>,
        bytes: &Bytes,
        now: Mono,
    ) -> Result<(), String> {
        let branch = msg.branch().unwrap_or_default().to_owned();
        let invite = self.asked.get_mut(&("INVITE".to_owned(), branch)).ok_or("a CANCEL of nothing")?;
        must(invite.provisional, "a CANCEL before any provisional response")?;
        must(flow == invite.flow, "a CANCEL must take the way of its INVITE")?;
        let text = String::from_utf8_lossy(&invite.bytes);
        if let Some(original) = Msg::read(&text) {
            let same = |name: &str| original.header(name) == msg.header(name);
            must(["Via", "From", "To", "Call-ID"].into_iter().all(same), "a CANCEL must repeat its INVITE")?;
            must(original.uri() == msg.uri(), "a CANCEL must have its INVITE's URI")?;
        }
        let fresh = invite.cancelled.is_none();
        must(!fresh || invite.code.is_none(), "a CANCEL after the final response")?;
        invite.cancelled.get_or_insert(now);
        self.repeat_or_begin(flow, msg, bytes, None, now).map(|_| ())
    }

    pub(super) fn sent_request(
        &mut self,
        flow: Flow,
        msg: &Msg<'_>,
        bytes: &Bytes,
        now: Mono,
    ) -> Result<(), String> {
        let method = msg.method();
        let from_tag = msg.tag("From").ok_or("no From tag")?.to_owned();
        let call_id = msg.call_id().to_owned();
        let within = msg.tag("To").map(|to_tag| (call_id.clone(), from_tag.clone(), to_tag.to_owned()));
        let key = key(msg).ok_or("no CSeq")?;
        if !self.repeat_or_begin(flow, msg, bytes, within.clone(), now)? {
            return Ok(());
        }
        if method == "INVITE" {
            must(msg.contact().is_some(), "an INVITE without Contact")?;
            let (address, port, _) = text::audio(msg.body).ok_or("an INVITE without an offer")?;
            must(address == "192.0.2.1" && port >= 20_000, "an offer without a place for media")?;
        }
        let Some(within) = within else {
            must(matches!(method, "INVITE" | "OPTIONS"), "a request outside of any dialog")?;
            let fresh = self.asked.values().filter(|asked| asked.call_id == call_id).count() == 1;
            return must(fresh, "a second request with the same Call-ID outside of any dialog");
        };
        self.within_dialog(within, key, msg, now)
    }

    fn within_dialog(&mut self, within: DialogKey, key: Key, msg: &Msg<'_>, now: Mono) -> Result<(), String> {
        let seq = msg.cseq().map_or(0, |(number, _)| number);
        let route: Vec<_> = msg.headers("Route").collect();
        let dialog = self.dialogs.get_mut(&within).ok_or("a request outside of any dialog")?;
        must(seq > dialog.seq, "a CSeq that is not above the last")?;
        dialog.seq = seq;
        must(!dialog.said_bye, "a request after our BYE")?;
        // What has become of a transfer is told to an agent who has hung up, too (RFC 5057, 4.1).
        let may_follow = msg.method() == "NOTIFY";
        must(!dialog.heard_bye || may_follow, "a request after their BYE")?;
        must(dialog.is_target(msg.uri()), "a request must go to the remote target")?;
        must(
            route.first().copied() == dialog.route.as_deref() && route.len() < 2,
            "the route set is not the dialog's",
        )?;
        match msg.method() {
            "BYE" => {
                dialog.said_bye = true;
                let waited = dialog.unacknowledged.is_none_or(|at| now >= at + LIFETIME);
                must(waited, "a BYE before the ACK of our 2xx")
            }
            "INVITE" => {
                must(dialog.asked.is_empty(), "an INVITE while theirs is under way")?;
                must(dialog.asks.replace(key).is_none(), "an INVITE while ours is under way")
            }
            _ => Ok(()),
        }
    }

    /// Whether a request is new; a repetition must be exact, in time, and not too many.
    fn repeat_or_begin(
        &mut self,
        flow: Flow,
        msg: &Msg<'_>,
        bytes: &Bytes,
        dialog: Option<DialogKey>,
        now: Mono,
    ) -> Result<bool, String> {
        let key = key(msg).ok_or("no CSeq")?;
        let Some(asked) = self.asked.get_mut(&key) else {
            let (seq, call_id) = (msg.cseq().map_or(0, |(number, _)| number), msg.call_id().to_owned());
            let from_tag = msg.tag("From").unwrap_or_default().to_owned();
            let asked = Asked {
                flow,
                bytes: bytes.clone(),
                dialog,
                call_id,
                from_tag,
                seq,
                at: now,
                sends: 1,
                provisional: false,
                code: None,
                cancelled: None,
                slept: Duration::ZERO,
                lost: false,
            };
            self.asked.insert(key, asked);
            return Ok(true);
        };
        asked.sends += 1;
        let most = if key.0 == "INVITE" { 7 } else { 11 };
        must(asked.bytes == bytes && asked.flow == flow, "a repetition must be exact")?;
        must(!flow.transport.is_reliable(), "a repetition over TCP")?;
        must(asked.code.is_none(), "a repetition after the final response")?;
        must(
            !(asked.provisional && key.0 == "INVITE"),
            "a repetition of an INVITE after a provisional response",
        )?;
        must(asked.sends <= most, "too many repetitions")?;
        must(now < asked.at + LIFETIME + asked.slept, "a repetition after 64 x T1")?;
        Ok(false)
    }
}
