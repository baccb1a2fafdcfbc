//! Responses: those that the switch gets, and those that it sends.

use bytes::Bytes;

use super::{Dialog, Due, Key, LIFETIME, Referee, Taken, key, must};
use crate::sim::world::text::{self, Msg};
use crate::sip::Flow;
use crate::time::Mono;

/// Most sends of a final response for each time that its request came, and those of its own timers.
const TIMED_SENDS: u32 = 11;

impl Referee {
    pub(super) fn heard_response(&mut self, flow: Flow, msg: &Msg<'_>, now: Mono) {
        let Some(key) = key(msg) else { return };
        let Some(asked) = self.asked.get_mut(&key) else { return };
        if asked.flow.transport != flow.transport || asked.call_id != msg.call_id() {
            return;
        }
        let code = msg.code();
        if asked.code.is_none() {
            // One that comes by another connection than the one that was lost may be waited for or not.
            if asked.lost || (asked.may_be_over(now) && !asked.is_over(now)) {
                self.tainted.insert(asked.call_id.clone());
            }
            if asked.is_over(now) {
                return;
            }
        }
        if code < 200 {
            asked.provisional = true;
            return;
        }
        let (first, since) = *asked.code.get_or_insert((code, now));
        let (within, from_tag, seq) = (asked.dialog.clone(), asked.from_tag.clone(), asked.seq);
        let uri = Msg::read(&String::from_utf8_lossy(&asked.bytes)).map(|invite| invite.uri().to_owned());
        if key.0 != "INVITE" {
            return;
        }
        let to_tag = msg.tag("To").unwrap_or_default().to_owned();
        let over = now >= since + LIFETIME;
        if (first < 300) != (code < 300) || (over && asked.sends > 0) {
            return;
        }
        if !(flow.transport.is_reliable() && code >= 300 && since != now) {
            self.due.push(Due::Ack(key.clone(), to_tag.clone()));
        }
        let target = msg.contact().map(str::to_owned);
        match within {
            Some(dialog) => {
                if let Some(dialog) = self.dialogs.get_mut(&dialog) {
                    dialog.asks = None;
                    if code < 300 {
                        dialog.target = target.unwrap_or_else(|| dialog.target.clone());
                    }
                }
            }
            None if code < 300 => {
                let dialog = (msg.call_id().to_owned(), from_tag, to_tag);
                let target = || target.or(uri).unwrap_or_default();
                self.dialogs.entry(dialog).or_insert_with(|| Dialog {
                    target: target(),
                    seq,
                    ..Dialog::default()
                });
            }
            None => {}
        }
    }

    pub(super) fn sent_response(
        &mut self,
        flow: Flow,
        msg: &Msg<'_>,
        bytes: &Bytes,
        now: Mono,
    ) -> Result<(), String> {
        let key = key(msg).ok_or("no CSeq")?;
        let code = msg.code();
        let Some(heard) = self.heard.get_mut(&key) else {
            return must(self.any_spoilt, "a response to nothing");
        };
        self.due.retain(|due| *due != Due::Response(key.clone()));
        must(heard.flow == flow, "a response must go back by the way of its request")?;
        if heard.call_id != msg.call_id() {
            // A spoilt copy may be read otherwise there than it is here.
            return must(self.tainted.contains(&heard.call_id), "a response with another Call-ID");
        }
        must(msg.tag("From") == Some(&heard.from_tag), "a response with another From tag")?;
        must(msg.cseq().is_some_and(|(seq, _)| seq == heard.seq), "a response with another CSeq")?;
        heard.sends += 1;
        // A new call that was turned away unread is not remembered: repeated later, it may be taken.
        let was_shed = key.0 == "INVITE" && heard.to_tag.is_none() && code != 503;
        let over = |before: u16| before >= 200 && !(was_shed && before == 503);
        if let Some((before, text)) = heard.last.as_ref().filter(|(before, _)| over(*before)) {
            // A CANCEL that overtook its INVITE finds it when it is repeated.
            let found = key.0 == "CANCEL" && *before == 481 && code == 200;
            must(found || (code == *before && text == bytes), "a second final response")?;
            let timed = if key.0 == "INVITE" { TIMED_SENDS } else { 0 };
            must(heard.sends <= heard.times + timed + 1, "a final response repeated too often")?;
            return must(now < heard.at + 4 * LIFETIME, "a final response repeated for too long");
        }
        heard.last = Some((code, bytes.clone()));
        let to_tag = msg.tag("To").map(str::to_owned);
        if code > 100 {
            must(to_tag.is_some(), "a response without To tag")?;
        }
        if code < 200 {
            return Ok(());
        }
        self.final_response(key, code, msg, to_tag.unwrap_or_default(), now)
    }

    fn final_response(
        &mut self,
        key: Key,
        code: u16,
        msg: &Msg<'_>,
        to_tag: String,
        now: Mono,
    ) -> Result<(), String> {
        let heard = &self.heard[&key];
        let dialog = (heard.call_id.clone(), to_tag, heard.from_tag.clone());
        let within = heard.to_tag.clone();
        let emergency = heard.emergency;
        if let Some(within) = &within {
            must(*within == dialog.1, "a response in the dialog with another To tag")?;
        }
        let success = (200..300).contains(&code);
        if key.0 == "INVITE" && success {
            must(msg.contact().is_some(), "a 2xx to INVITE without Contact")?;
            let (address, port, _) = text::audio(msg.body).ok_or("a 2xx to INVITE without media")?;
            must(address == "192.0.2.1" && port >= 20_000, "a 2xx to INVITE without a place for media")?;
        }
        match (key.0.as_str(), within) {
            ("INVITE", None) => {
                let taken = Taken { code, emergency };
                let before = self.taken.insert(dialog.0.clone(), taken);
                let is_new = before.is_none_or(|before| before.code == 503);
                must(is_new || code == 482, "a call was answered twice")?;
                if let (482, Some(before)) = (code, before) {
                    self.taken.insert(dialog.0.clone(), before);
                }
                if success {
                    let (target, route) = (heard.contact.clone(), heard.route.clone());
                    let begun = Dialog { target, route, unacknowledged: Some(now), ..Dialog::default() };
                    self.dialogs.insert(dialog, begun);
                }
            }
            ("INVITE", Some(_)) => {
                if let Some(known) = self.dialogs.get_mut(&dialog) {
                    known.asked.remove(&key);
                    must(!(known.said_bye && success), "a re-INVITE was accepted after our BYE")?;
                }
            }
            ("BYE", Some(_)) if success => {
                self.dialogs.get_mut(&dialog).ok_or("a BYE of no dialog was accepted")?.heard_bye = true;
            }
            _ => {}
        }
        Ok(())
    }
}
