//! One far end of one call: a caller's phone or an agent's, with transactions and a dialog of its own.
//!
//! Written by hand from RFC 3261 and independent of `crate::sip`: it repeats what is not answered, absorbs
//! repetitions, acknowledges, cancels, and judges requests by Call-ID, tags and CSeq. What it wants is in
//! [`script`].

mod hears;
pub(super) mod script;

use std::net::IpAddr;
use std::time::Duration;

use super::dice::Dice;
use super::site::Host;
use super::tally::Tally;
use super::text::{self, Msg, sdp};
use script::Script;

/// Where a far end stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its INVITE has no final response.
    Calling,
    /// It was invited and has not answered for good.
    Invited,
    /// Its dialog stands.
    Up,
    /// It said BYE, which has no answer.
    Parting,
    /// It is over.
    Over,
}

/// One far end.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) id: usize,
    /// Position of its host.
    pub(super) host: usize,
    pub(super) call_id: String,
    tag: String,
    far_tag: Option<String>,
    /// From or To as this end writes it, without tag.
    local: String,
    remote: String,
    target: String,
    contact: String,
    /// Where its Via and its media are.
    address: std::net::SocketAddr,
    transport: &'static str,
    reliable: bool,
    routed: bool,
    t1: Duration,
    seq: u32,
    far_seq: Option<u32>,
    pub(super) phase: Phase,
    asked: Vec<Asked>,
    served: Vec<Served>,
    pub(super) media: (IpAddr, u16),
    version: u32,
    /// What this end last stated.
    direction: &'static str,
    cli: String,
    withheld: bool,
    /// It has gone without a word: it neither hears nor speaks.
    pub(super) dead: bool,
    /// It knows nothing of its calls any more, and says so.
    pub(super) forgetful: bool,
    /// When it has begun, and when it was last a party to a dialog that stands.
    pub(super) script: Script,
}

/// A request of this end.
#[derive(Clone, Debug)]
struct Asked {
    method: &'static str,
    seq: u32,
    branch: String,
    text: String,
    interval: Duration,
    sends: u32,
    provisional: bool,
    code: Option<u16>,
    /// To be cancelled with the first provisional response.
    cancel: bool,
    cancelled: bool,
    /// The ACK that answers repetitions of the final response.
    ack: Option<String>,
}

/// A request of the switch.
#[derive(Clone, Debug)]
struct Served {
    method: String,
    seq: u32,
    branch: String,
    text: String,
    /// The last response.
    reply: Option<String>,
    code: u16,
    acked: bool,
    interval: Duration,
}

/// What a far end does.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Sends a message to the switch.
    Send(String),
    /// Wants to be woken.
    After(Duration, Tick),
    /// Calls again from the same number.
    Redial(String),
}

/// What a far end is woken for.
#[derive(Clone, Debug)]
pub(super) enum Tick {
    /// To repeat this request.
    Repeat(usize),
    /// To give it up.
    GiveUp(usize),
    /// To repeat this final response to an INVITE.
    RepeatReply(usize),
    /// To give up waiting for its ACK.
    NoAck(usize),
    /// To follow its script.
    Do(script::Deed),
}

/// What a far end has at hand while it acts.
pub(super) struct Hand<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) tally: &'a mut Tally,
    pub(super) acts: Vec<Act>,
}

impl Hand<'_> {
    pub(super) fn after(&mut self, wait: Duration, tick: Tick) {
        self.acts.push(Act::After(wait, tick));
    }

    fn send(&mut self, text: &str) {
        self.acts.push(Act::Send(text.to_owned()));
    }
}

const T2: Duration = Duration::from_secs(4);

impl Peer {
    /// One who will call `dialled` from `host`.
    pub(super) fn calling(id: usize, host: (usize, &Host), dialled: &str, cli: &str, script: Script) -> Peer {
        let (at, host) = host;
        let user = if cli.is_empty() { "anonymous" } else { cli };
        Peer {
            local: format!("\"Caller {id}\" <sip:{user}@{}>", host.at.ip()),
            remote: format!("<sip:{dialled}@192.0.2.1>"),
            target: format!("sip:{dialled}@192.0.2.1:5060"),
            call_id: format!("c{id}@{}", host.name),
            ..Peer::at(id, at, host, cli, script)
        }
    }

    /// One whom the switch invites by `invite`.
    pub(super) fn invited(id: usize, host: (usize, &Host), invite: &Msg<'_>, script: Script) -> Peer {
        let (at, host) = host;
        let bare = |name: &str| {
            let value = invite.header(name).unwrap_or_default();
            value.split(";tag=").next().unwrap_or_default().to_owned()
        };
        Peer {
            local: bare("To"),
            remote: bare("From"),
            target: invite.contact().unwrap_or_default().to_owned(),
            call_id: invite.call_id().to_owned(),
            far_tag: invite.tag("From").map(str::to_owned),
            phase: Phase::Invited,
            ..Peer::at(id, at, host, "", script)
        }
    }

    fn at(id: usize, at: usize, host: &Host, cli: &str, script: Script) -> Peer {
        let contact = match (host.behind_nat, host.transport.name()) {
            (true, _) => format!("sip:p{id}@10.0.0.7:5062"),
            (false, "TCP") => format!("sip:p{id}@{};transport=tcp", host.at),
            (false, _) => format!("sip:p{id}@{}", host.at),
        };
        let port = 10_000 + u16::try_from(id % 5_000).unwrap_or(0) * 2;
        Peer {
            id,
            host: at,
            call_id: String::new(),
            tag: format!("t{id}"),
            far_tag: None,
            local: String::new(),
            remote: String::new(),
            target: String::new(),
            contact,
            address: host.at,
            transport: host.transport.name(),
            reliable: host.transport.is_reliable(),
            routed: host.routed,
            t1: Duration::from_millis(host.t1),
            seq: u32::try_from(id).unwrap_or(0) % 7,
            far_seq: None,
            phase: Phase::Calling,
            asked: Vec::new(),
            served: Vec::new(),
            media: (host.at.ip(), port),
            version: 1,
            direction: "sendrecv",
            cli: cli.to_owned(),
            withheld: cli.ends_with('9'),
            dead: false,
            forgetful: false,
            script,
        }
    }

    /// Whether a dialog with the switch stands, as this end sees it.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up | Phase::Parting)
    }

    /// Begins the call.
    pub(super) fn call(&mut self, hand: &mut Hand<'_>) {
        let late = self.script.offers_late;
        let body = if late { String::new() } else { self.describe() };
        self.ask("INVITE", &body, hand);
    }

    fn describe(&self) -> String {
        sdp(self.media, self.version, self.direction)
    }

    /// Sends a request and sees to its repetitions.
    fn ask(&mut self, method: &'static str, body: &str, hand: &mut Hand<'_>) {
        self.seq += 1;
        let index = self.asked.len();
        let branch = format!("z9hG4bKp{}x{index}", self.id);
        let text = self.request(method, self.seq, &branch, body);
        self.launch(method, self.seq, branch, text, hand);
    }

    fn launch(&mut self, method: &'static str, seq: u32, branch: String, text: String, hand: &mut Hand<'_>) {
        let index = self.asked.len();
        hand.send(&text);
        if !self.reliable {
            hand.after(self.t1, Tick::Repeat(index));
        }
        hand.after(self.t1 * 64, Tick::GiveUp(index));
        self.asked.push(Asked {
            method,
            seq,
            branch,
            text,
            interval: self.t1,
            sends: 1,
            provisional: false,
            code: None,
            cancel: false,
            cancelled: false,
            ack: None,
        });
    }

    fn request(&self, method: &str, seq: u32, branch: &str, body: &str) -> String {
        let Peer { target, local, remote, tag, call_id, contact, transport, address, .. } = self;
        let far_tag = self.far_tag.as_ref().map_or(String::new(), |tag| format!(";tag={tag}"));
        let mut head = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/{transport} {address};branch={branch};rport\r\n\
             Max-Forwards: 70\r\nFrom: {local};tag={tag}\r\nTo: {remote}{far_tag}\r\nCall-ID: {call_id}\r\n\
             CSeq: {seq} {method}\r\n"
        );
        if matches!(method, "INVITE" | "REFER") {
            head += &format!("Contact: <{contact}>\r\n");
            if self.routed {
                head += &format!("Record-Route: <sip:{address};lr>\r\n");
            }
        }
        if method == "INVITE" && self.withheld {
            head += "Privacy: id\r\n";
        }
        if method == "REFER" {
            // Some of them the plan does not name.
            let to =
                ["agent-0", "agent-1", "agent-2", "agent-3", "call-backs", "pharmacy", "river", "nobody"];
            head += &format!("Refer-To: <sip:{}@192.0.2.1>\r\n", to[self.id % to.len()]);
        }
        text::with_body(head, body)
    }

    /// The CANCEL of the INVITE at `index`, or the wish for it until a provisional response comes.
    pub(super) fn cancel(&mut self, hand: &mut Hand<'_>) {
        let Some(index) = self.asked.iter().rposition(|asked| asked.method == "INVITE") else { return };
        let asked = &mut self.asked[index];
        if asked.code.is_some() || asked.cancelled {
            return;
        }
        if !asked.provisional && !self.script.hasty {
            asked.cancel = true;
            return;
        }
        asked.cancelled = true;
        let (seq, branch) = (asked.seq, asked.branch.clone());
        let invite = Msg::read(&asked.text).map(|invite| invite.header("To").unwrap_or_default().to_owned());
        let far_tag = self.far_tag.take();
        let mut text = self.request("CANCEL", seq, &branch, "");
        self.far_tag = far_tag;
        if let Some(to) = invite
            && let Some(written) = Msg::read(&text).and_then(|cancel| cancel.header("To").map(str::to_owned))
        {
            text = text.replace(&format!("To: {written}\r\n"), &format!("To: {to}\r\n"));
        }
        hand.tally.note("cancels");
        self.launch("CANCEL", seq, branch, text, hand);
    }

    /// Ends the dialog.
    pub(super) fn bye(&mut self, hand: &mut Hand<'_>) {
        if self.phase == Phase::Up {
            self.phase = Phase::Parting;
            self.ask("BYE", "", hand);
        }
    }

    /// Asks for another direction, if no other change is under way.
    pub(super) fn reinvite(&mut self, direction: &'static str, hand: &mut Hand<'_>) {
        if self.phase == Phase::Up && !self.changes() && self.seq > 0 {
            self.version += 1;
            self.direction = direction;
            let body = self.describe();
            self.ask("INVITE", &body, hand);
        }
    }

    /// A request within the dialog that the switch need not serve.
    pub(super) fn odd(&mut self, method: &'static str, hand: &mut Hand<'_>) {
        if self.phase == Phase::Up {
            self.ask(method, "", hand);
        }
    }

    /// A request with a number that was used before.
    pub(super) fn stale(&mut self, hand: &mut Hand<'_>) {
        if self.phase == Phase::Up && self.seq > 1 {
            let branch = format!("z9hG4bKp{}x{}", self.id, self.asked.len());
            let text = self.request("OPTIONS", self.seq - 1, &branch, "");
            self.launch("OPTIONS", self.seq - 1, branch, text, hand);
        }
    }

    /// Whether an INVITE of either side is under way in this dialog.
    fn changes(&self) -> bool {
        self.asked.iter().any(|asked| asked.method == "INVITE" && asked.code.is_none())
            || self.served.iter().any(|served| served.method == "INVITE" && served.code < 200)
    }

    /// Answers the INVITE that the switch sent last, with a description on success.
    pub(super) fn answer(&mut self, status: &str, hand: &mut Hand<'_>) {
        let Some(index) = self.served.iter().rposition(|served| served.method == "INVITE") else { return };
        self.answer_at(index, status, None, hand);
    }

    fn answer_at(&mut self, index: usize, status: &str, body: Option<String>, hand: &mut Hand<'_>) {
        if self.served[index].code >= 200 {
            return;
        }
        let code: u16 = status.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(0);
        let text = self.served[index].text.clone();
        let Some(request) = Msg::read(&text) else { return };
        let success = (200..300).contains(&code);
        let body = match body {
            Some(body) => body,
            None if success => self.describe(),
            None => String::new(),
        };
        let contact = &self.contact;
        let more = match code {
            200..300 | 180 | 183 if !self.script.no_contact => format!("Contact: <{contact}>\r\n"),
            300..400 => "Contact: <sip:elsewhere@192.0.2.200>\r\n".to_owned(),
            _ => String::new(),
        };
        let tag = if code == 100 { "" } else { &self.tag };
        let reply = text::response(&request, status, tag, &more, &body);
        hand.send(&reply);
        if self.script.forks && success && self.phase == Phase::Invited {
            hand.tally.note("forks");
            hand.send(&text::response(&request, status, &format!("{}fork", self.tag), &more, &body));
        }
        let served = &mut self.served[index];
        (served.code, served.reply) = (code, Some(reply));
        if code >= 200 {
            served.interval = self.t1;
            if success || !self.reliable {
                hand.after(self.t1, Tick::RepeatReply(index));
            }
            hand.after(self.t1 * 64, Tick::NoAck(index));
            if self.phase == Phase::Invited {
                self.phase = if success { Phase::Up } else { Phase::Over };
            }
        }
    }

    /// A wish or a deadline of its own has come.
    pub(super) fn tick(&mut self, tick: Tick, hand: &mut Hand<'_>) {
        if self.dead {
            return;
        }
        match tick {
            Tick::Repeat(index) => {
                let asked = &mut self.asked[index];
                let waits = asked.code.is_none() && !(asked.method == "INVITE" && asked.provisional);
                if waits && asked.sends < 11 && !self.forgetful {
                    asked.sends += 1;
                    let cap = if asked.method == "INVITE" { asked.interval * 2 } else { T2 };
                    asked.interval = (asked.interval * 2).min(cap);
                    let (text, interval) = (asked.text.clone(), asked.interval);
                    hand.send(&text);
                    hand.after(interval, Tick::Repeat(index));
                }
            }
            Tick::GiveUp(index) => self.given_up(index, hand),
            Tick::RepeatReply(index) => {
                let served = &mut self.served[index];
                if !served.acked && !self.forgetful {
                    served.interval = (served.interval * 2).min(T2);
                    let (reply, interval) = (served.reply.clone(), served.interval);
                    hand.send(reply.as_deref().unwrap_or_default());
                    hand.after(interval, Tick::RepeatReply(index));
                }
            }
            Tick::NoAck(index) => {
                let served = &mut self.served[index];
                if !std::mem::replace(&mut served.acked, true) && served.code < 300 {
                    hand.tally.note("unacknowledged");
                    self.bye(hand);
                }
            }
            Tick::Do(deed) => self.perform(deed, hand),
        }
    }

    fn given_up(&mut self, index: usize, hand: &mut Hand<'_>) {
        let (method, open) = (self.asked[index].method, self.asked[index].code.is_none());
        if !open {
            return;
        }
        match (method, self.phase) {
            ("INVITE", Phase::Calling) if self.asked[index].provisional => self.cancel(hand),
            ("INVITE", Phase::Calling) => self.phase = Phase::Over,
            ("INVITE", Phase::Up) => self.bye(hand),
            ("BYE", _) => self.phase = Phase::Over,
            _ => {}
        }
        self.asked[index].code.get_or_insert(408);
    }
}
