//! What a far end makes of what it receives.

use super::{Hand, Peer, Phase, Served, T2, Tick};
use crate::sim::world::text::{self, Msg};

impl Peer {
    /// A message of the switch came.
    pub(in super::super) fn hear(&mut self, text: &str, hand: &mut Hand<'_>) {
        if self.dead {
            return;
        }
        let Some(msg) = Msg::read(text) else { return };
        if msg.is_response() { self.hear_response(&msg, hand) } else { self.hear_request(text, &msg, hand) }
    }

    fn hear_response(&mut self, msg: &Msg<'_>, hand: &mut Hand<'_>) {
        let (code, method) = (msg.code(), msg.cseq().map_or("", |(_, method)| method));
        let branch = msg.branch().unwrap_or_default();
        let found = self.asked.iter().position(|asked| asked.branch == branch && asked.method == method);
        let Some(index) = found else { return };
        let asked = &mut self.asked[index];
        if code < 200 {
            asked.provisional = true;
            if std::mem::take(&mut asked.cancel) {
                self.cancel(hand);
            }
            return;
        }
        if let (Some(_), Some(ack)) = (asked.code, &asked.ack) {
            // A repetition: so is the ACK.
            let ack = ack.clone();
            return hand.send(&ack);
        }
        if asked.code.is_some() && !(method == "INVITE" && code < 300) {
            return;
        }
        let first = asked.code.replace(code).is_none();
        match (method, code) {
            ("INVITE", 200..300) => self.accepted(index, first, msg, hand),
            ("INVITE", _) => self.refused(index, code, msg, hand),
            ("BYE", _) => self.phase = Phase::Over,
            (_, 481) if self.phase == Phase::Up => {
                hand.tally.note("gone");
                self.bye(hand);
            }
            _ => {}
        }
    }

    fn accepted(&mut self, index: usize, first: bool, msg: &Msg<'_>, hand: &mut Hand<'_>) {
        if self.far_tag.is_none() {
            self.far_tag = msg.tag("To").map(str::to_owned);
        }
        if let Some(target) = msg.contact() {
            target.clone_into(&mut self.target);
        }
        let offered = self.asked[index].text.contains("\r\nm=audio");
        let body = if offered {
            String::new()
        } else {
            let direction = text::audio(msg.body).map_or("sendrecv", |(_, _, way)| text::mirrored(way));
            self.direction = direction;
            self.describe()
        };
        let seq = self.asked[index].seq;
        let branch = format!("{}a", self.asked[index].branch);
        let ack = self.request("ACK", seq, &branch, &body);
        let late = first && self.phase == Phase::Over;
        if !self.script.never_acks {
            hand.send(&ack);
            self.asked[index].ack = Some(ack);
        }
        if self.phase == Phase::Calling || late {
            if late {
                hand.tally.note("late answers");
            }
            self.phase = Phase::Up;
            if late || self.asked[index].cancel || self.asked[index].cancelled {
                hand.tally.note("crossings");
                self.bye(hand);
            } else {
                self.begin(hand);
            }
        }
    }

    fn refused(&mut self, index: usize, code: u16, msg: &Msg<'_>, hand: &mut Hand<'_>) {
        // The ACK of a non-2xx: same branch, To as in the response (RFC 3261, 17.1.1.3).
        let asked = &self.asked[index];
        let (seq, branch) = (asked.seq, asked.branch.clone());
        let kept = std::mem::replace(&mut self.far_tag, msg.tag("To").map(str::to_owned));
        let ack = self.request("ACK", seq, &branch, "");
        self.far_tag = kept;
        hand.send(&ack);
        self.asked[index].ack = Some(ack);
        match self.phase {
            Phase::Calling => {
                self.phase = Phase::Over;
                self.turned_away(code, hand);
            }
            Phase::Up if code == 491 => {
                hand.tally.note("glares");
                let wait = hand.dice.between(200, 4_000);
                hand.after(wait, Tick::Do(super::script::Deed::Resume));
            }
            Phase::Up if code == 481 || code == 408 => self.bye(hand),
            _ => {}
        }
    }

    fn hear_request(&mut self, text: &str, msg: &Msg<'_>, hand: &mut Hand<'_>) {
        let (method, branch) = (msg.method(), msg.branch().unwrap_or_default());
        let seq = msg.cseq().map_or(0, |(number, _)| number);
        if method == "ACK" {
            let acked =
                self.served.iter_mut().filter(|served| served.method == "INVITE" && served.seq == seq);
            acked.filter(|served| served.code >= 200).for_each(|served| served.acked = true);
            return;
        }
        let repeated = self.served.iter().find(|served| served.branch == branch && served.method == method);
        if let Some(served) = repeated {
            if let Some(reply) = &served.reply {
                hand.send(&reply.clone());
            }
            return;
        }
        let begins = msg.tag("To").is_none();
        if method != "CANCEL" && !begins && !self.in_order(msg, seq, hand) {
            return;
        }
        let index = self.served.len();
        self.served.push(Served {
            method: method.to_owned(),
            seq,
            branch: branch.to_owned(),
            text: text.to_owned(),
            reply: None,
            code: 0,
            acked: false,
            interval: self.t1.min(T2),
        });
        match method {
            "CANCEL" => self.cancelled(index, hand),
            "INVITE" if begins => {
                self.far_seq = Some(seq);
                self.rung(hand);
            }
            "INVITE" => self.asked_to_change(index, msg, hand),
            "BYE" => {
                self.reply(index, "200 OK", hand);
                if self.phase == Phase::Parting {
                    hand.tally.note("both left");
                }
                self.phase = Phase::Over;
                let open: Vec<_> = (0..index).filter(|&at| self.served[at].method == "INVITE").collect();
                open.into_iter().for_each(|at| self.answer_at(at, "487 Request Terminated", None, hand));
            }
            "OPTIONS" => self.reply(index, "200 OK", hand),
            _ => self.reply(index, "405 Method Not Allowed", hand),
        }
    }

    /// Whether a request belongs to the dialog, and comes in its turn.
    fn in_order(&mut self, msg: &Msg<'_>, seq: u32, hand: &mut Hand<'_>) -> bool {
        let mine = msg.tag("To") == Some(&self.tag);
        let theirs = self.far_tag.is_none() || msg.tag("From") == self.far_tag.as_deref();
        let stands = self.is_up();
        let status = if !mine || !theirs || !stands || self.forgetful {
            "481 Call Does Not Exist"
        } else if self.far_seq.is_some_and(|last| seq <= last) {
            "500 Out of Order"
        } else {
            self.far_seq = Some(seq);
            return true;
        };
        let index = self.served.len();
        self.served.push(Served {
            method: msg.method().to_owned(),
            seq,
            branch: msg.branch().unwrap_or_default().to_owned(),
            text: String::new(),
            reply: None,
            code: 0,
            acked: true,
            interval: self.t1,
        });
        let reply = text::response(msg, status, &self.tag, "", "");
        hand.send(&reply);
        let served = &mut self.served[index];
        (served.code, served.reply) = (481, Some(reply));
        false
    }

    fn reply(&mut self, index: usize, status: &str, hand: &mut Hand<'_>) {
        let text = self.served[index].text.clone();
        let Some(request) = Msg::read(&text) else { return };
        let reply = text::response(&request, status, &self.tag, "", "");
        hand.send(&reply);
        let served = &mut self.served[index];
        (served.code, served.reply) = (200, Some(reply));
    }

    /// A CANCEL: the INVITE ends with 487, unless the answer crosses it.
    fn cancelled(&mut self, index: usize, hand: &mut Hand<'_>) {
        let branch = self.served[index].branch.clone();
        let invite =
            self.served.iter().position(|served| served.method == "INVITE" && served.branch == branch);
        let Some(invite) = invite else { return self.reply(index, "481 Call Does Not Exist", hand) };
        self.reply(index, "200 OK", hand);
        if self.served[invite].code >= 200 {
            return;
        }
        if self.script.crosses {
            hand.tally.note("crossings");
            self.answer_at(invite, "200 OK", None, hand);
        } else if !self.script.ignores_cancel {
            self.answer_at(invite, "487 Request Terminated", None, hand);
        }
    }

    fn asked_to_change(&mut self, index: usize, msg: &Msg<'_>, hand: &mut Hand<'_>) {
        let pending = self.asked.iter().any(|asked| asked.method == "INVITE" && asked.code.is_none());
        let open = (0..index).any(|at| self.served[at].method == "INVITE" && self.served[at].code < 200);
        if pending {
            hand.tally.note("glares");
            return self.answer_at(index, "491 Request Pending", None, hand);
        }
        if open {
            return self.answer_at(index, "500 Retry Later", None, hand);
        }
        if let Some(target) = msg.contact() {
            target.clone_into(&mut self.target);
        }
        let direction = text::audio(msg.body).map_or("sendrecv", |(_, _, way)| text::mirrored(way));
        self.consider(index, direction, hand);
    }

    pub(super) fn agree(&mut self, index: usize, direction: &'static str, hand: &mut Hand<'_>) {
        self.version += 1;
        self.direction = direction;
        let body = self.describe();
        self.answer_at(index, "200 OK", Some(body), hand);
    }

    pub(super) fn refuse_change(&mut self, index: usize, status: &str, hand: &mut Hand<'_>) {
        self.answer_at(index, status, None, hand);
    }

    pub(super) fn wait_over_change(&mut self, index: usize, hand: &mut Hand<'_>) {
        self.answer_at(index, "100 Trying", None, hand);
    }
}
