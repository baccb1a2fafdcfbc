//! A SIP phone on one UDP socket, driven step by step: one dialog at a time, nothing of the daemon's code.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::message::{Message, between, compose};
use super::{Hub, SOON, wait_for};

/// A phone. What arrives must be what is expected: anything else fails the test.
pub struct Phone {
    socket: UdpSocket,
    media: UdpSocket,
    /// Packets of audio sent.
    spoken: AtomicU32,
    pub dialog: Dialog,
    /// The number of its owner, which no other phone of this test has.
    pub number: String,
    seen: HashSet<String>,
    count: u32,
}

/// Our side of a dialog.
#[derive(Clone, Debug)]
pub struct Dialog {
    pub hub: SocketAddr,
    pub call_id: String,
    /// Value of From in our requests.
    pub local: String,
    /// Value of To in our requests.
    pub remote: String,
    /// Request URI of our requests.
    pub target: String,
    pub routes: Vec<String>,
    pub cseq: u32,
    /// Branch of the last request sent.
    pub branch: String,
}

impl Phone {
    /// A phone on a free port of `host`.
    pub fn at(host: Ipv4Addr) -> Phone {
        let socket = UdpSocket::bind((host, 0)).unwrap();
        let nobody = Dialog {
            hub: socket.local_addr().unwrap(),
            call_id: String::new(),
            local: String::new(),
            remote: String::new(),
            target: String::new(),
            routes: Vec::new(),
            cseq: 0,
            branch: String::new(),
        };
        let media = UdpSocket::bind((host, 0)).unwrap();
        static OWNERS: AtomicU32 = AtomicU32::new(0);
        let number = format!("+447700900{:03}", OWNERS.fetch_add(1, Ordering::Relaxed) % 1_000);
        Phone {
            socket,
            media,
            spoken: AtomicU32::new(0),
            dialog: nobody,
            number,
            seen: HashSet::new(),
            count: 0,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.address())
    }

    /// An offer or answer of one PCMA stream.
    pub fn sdp(&self, direction: &str) -> String {
        let (media, address) = (self.media.local_addr().unwrap(), self.address().ip());
        format!(
            "v=0\r\no=- 7 {} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {} RTP/AVP 8\r\n\
             a=rtpmap:8 PCMA/8000\r\na={direction}\r\n",
            self.dialog.cseq + self.count,
            media.port(),
        )
    }

    // What callers do.

    /// Calls and is answered; gives the 200.
    pub fn call(&mut self, hub: &Hub) -> Message {
        self.invite(hub);
        let answer = self.expect("200 INVITE");
        self.ack(&answer);
        answer
    }

    /// Sends a new INVITE with an offer.
    pub fn invite(&mut self, hub: &Hub) {
        let sdp = self.sdp("sendrecv");
        let invite = self.open(hub, "INVITE", "02079460101", &["Content-Type: application/sdp"], &sdp);
        self.send(&invite);
    }

    /// A request outside of any dialog, which our side of a new dialog begins with.
    pub fn open(&mut self, hub: &Hub, method: &str, number: &str, headers: &[&str], body: &str) -> String {
        self.count += 1;
        let (address, count) = (self.address(), self.count);
        self.dialog = Dialog {
            hub: hub.udp,
            call_id: format!("{count}-{}@{address}", std::process::id()),
            local: format!("\"Patient\" <sip:{}@{address}>;tag=c{count}", self.number),
            remote: format!("<sip:{number}@{}>", hub.udp),
            target: format!("sip:{number}@{}", hub.udp),
            routes: Vec::new(),
            cseq: 0,
            branch: String::new(),
        };
        self.compose(method, headers, body)
    }

    /// Gives the call up before its answer is known.
    pub fn cancel(&mut self) {
        let dialog = &self.dialog;
        let headers = [
            format!("Via: SIP/2.0/UDP {};branch={}", self.address(), dialog.branch),
            format!("From: {}", dialog.local),
            format!("To: {}", dialog.remote),
            format!("Call-ID: {}", dialog.call_id),
            format!("CSeq: {} CANCEL", dialog.cseq),
            "Max-Forwards: 70".to_owned(),
        ];
        self.send(&compose(&format!("CANCEL {} SIP/2.0", dialog.target), &headers, ""));
    }

    /// Acknowledges a final response to our INVITE; a 2xx makes or refreshes the dialog.
    pub fn ack(&mut self, response: &Message) {
        self.ack_with(response, &[], "");
    }

    pub fn ack_with(&mut self, response: &Message, headers: &[&str], body: &str) {
        let accepted = response.start().starts_with("SIP/2.0 2");
        let (branch, cseq) = (self.dialog.branch.clone(), response.cseq().0);
        if accepted {
            self.dialog.remote = response.must("To").to_owned();
            self.dialog.target = response.contact().to_owned();
            self.dialog.routes = response.headers("Record-Route").map(str::to_owned).collect();
            self.dialog.routes.reverse();
        }
        let remote = std::mem::replace(&mut self.dialog.remote, response.must("To").to_owned());
        let last = std::mem::replace(&mut self.dialog.cseq, cseq - 1);
        let mut ack = self.compose("ACK", headers, body);
        if !accepted {
            ack = ack.replace(&self.dialog.branch, &branch);
            self.dialog.remote = remote;
        }
        self.dialog.cseq = last.max(cseq);
        self.send(&ack);
    }

    // What both do.

    /// Sends a request of the dialog.
    pub fn request(&mut self, method: &str, headers: &[&str], body: &str) {
        let request = self.compose(method, headers, body);
        self.send(&request);
    }

    /// Sends a re-INVITE that states this direction.
    pub fn reinvite(&mut self, direction: &str) {
        let sdp = self.sdp(direction);
        self.request("INVITE", &["Content-Type: application/sdp"], &sdp);
    }

    /// Hangs up.
    pub fn bye(&mut self) {
        self.request("BYE", &[], "");
        self.expect("200 BYE");
    }

    /// The other side hangs up.
    pub fn hung_up(&mut self) {
        let bye = self.expect("BYE");
        self.respond(&bye, 200);
    }

    // What agents do.

    /// Is rung, and rings.
    pub fn ring(&mut self) -> Message {
        let invite = self.expect("INVITE");
        self.respond(&invite, 180);
        invite
    }

    /// Is rung, and answers at once.
    pub fn answer(&mut self) -> Message {
        let invite = self.ring();
        self.accept(&invite);
        invite
    }

    /// Answers an INVITE that rings, or a re-INVITE.
    pub fn accept(&mut self, invite: &Message) {
        self.accept_stating(invite, "sendrecv");
    }

    pub fn accept_stating(&mut self, invite: &Message, direction: &str) {
        let sdp = self.sdp(direction);
        self.respond_with(invite, 200, &["Content-Type: application/sdp"], &sdp);
        self.expect("ACK");
    }

    /// Answers an INVITE whose CANCEL has arrived meanwhile.
    pub fn accept_crossing(&mut self, invite: &Message, cancel: &Message) {
        let sdp = self.sdp("sendrecv");
        self.respond_with(invite, 200, &["Content-Type: application/sdp"], &sdp);
        self.respond(cancel, 200);
        self.expect("ACK");
    }

    /// Dials a feature code: is answered, hears what came of it, and is let go.
    pub fn dials(&mut self, hub: &Hub, code: &str) {
        let sdp = self.sdp("sendrecv");
        let invite = self.open(hub, "INVITE", code, &["Content-Type: application/sdp"], &sdp);
        self.send(&invite);
        let answer = self.expect("200 INVITE");
        self.ack(&answer);
        self.hung_up();
    }

    /// Is asked whether it is there, and says yes.
    pub fn asked(&mut self) {
        let options = self.receive(SOON).expect("an OPTIONS");
        assert_eq!(options.what(), "OPTIONS", "{}", options.text);
        self.respond(&options, 200);
    }

    /// Turns an INVITE down.
    pub fn refuse(&mut self, invite: &Message, code: u16) {
        self.respond(invite, code);
        self.expect("ACK");
    }

    /// The call that rings is taken back.
    pub fn taken_back(&mut self, invite: &Message) {
        let cancel = self.expect("CANCEL");
        self.respond(&cancel, 200);
        self.refuse(invite, 487);
    }

    pub fn respond(&mut self, request: &Message, code: u16) {
        self.respond_with(request, code, &[], "");
    }

    pub fn respond_with(&mut self, request: &Message, code: u16, headers: &[&str], body: &str) {
        let to = request.must("To");
        let to = if to.contains(";tag=") { to.to_owned() } else { format!("{to};tag=a{}", self.count) };
        let mut lines: Vec<_> = request.headers("Via").map(|via| format!("Via: {via}")).collect();
        lines.extend([
            format!("From: {}", request.must("From")),
            format!("To: {to}"),
            format!("Call-ID: {}", request.must("Call-ID")),
            format!("CSeq: {}", request.must("CSeq")),
            format!("Contact: <{}>", self.uri("phone")),
        ]);
        lines.extend(headers.iter().map(|&header| header.to_owned()));
        self.send(&compose(&format!("SIP/2.0 {code} Whatever"), &lines, body));
    }

    // Audio.

    /// Sends packets of PCMA, all of them this byte, to where the hub wants its audio until `other` hears them.
    pub fn says_to(&self, hub: SocketAddr, byte: u8, other: &Phone) {
        wait_for("what one says is what the other hears", SOON, || {
            self.speak(hub, byte);
            other.hears(|payload| payload == [byte; 160]).then_some(())
        });
    }

    /// Whether a packet of PCMA with such a payload arrives soon.
    pub fn hears(&self, wanted: impl Fn(&[u8]) -> bool) -> bool {
        self.media.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut packet = [0; 2_048];
        while let Ok(length) = self.media.recv(&mut packet) {
            if length == 172 && packet[1] & 0x7f == 8 && wanted(&packet[12..length]) {
                return true;
            }
        }
        false
    }

    fn speak(&self, to: SocketAddr, byte: u8) {
        let sequence = self.spoken.fetch_add(1, Ordering::Relaxed);
        let mut packet = vec![0x80, 8];
        packet.extend((sequence as u16).to_be_bytes());
        packet.extend((sequence * 160).to_be_bytes());
        packet.extend([7, 7, 7, 7]);
        packet.extend([byte; 160]);
        self.media.send_to(&packet, to).unwrap();
    }

    /// Presses a key of this event code, as telephone events of this payload type.
    pub fn presses(&self, hub: SocketAddr, payload_type: u8, code: u8) {
        let first = self.spoken.fetch_add(5, Ordering::Relaxed);
        for n in 0..5u32 {
            let (marker, end) = (u8::from(n == 0) << 7, u8::from(n >= 2) << 7);
            let mut packet = vec![0x80, marker | payload_type];
            packet.extend(((first + n) as u16).to_be_bytes());
            packet.extend((first * 160).to_be_bytes());
            packet.extend([7, 7, 7, 7]);
            packet.extend([code, end | 10]);
            packet.extend((160 * (n.min(2) + 1) as u16).to_be_bytes());
            self.media.send_to(&packet, hub).unwrap();
        }
    }

    // What arrives.

    /// The next message, which must be this request (`BYE`) or response (`200 INVITE`). Repeated messages
    /// and 100s are passed over; OPTIONS is answered in passing.
    pub fn expect(&mut self, what: &str) -> Message {
        let message =
            self.next(SOON).unwrap_or_else(|| panic!("{} waits for {what} in vain", self.address()));
        assert_eq!(message.what(), what, "at {}: {}", self.address(), message.text);
        message
    }

    /// The next message, if there is one within `within`.
    pub fn next(&mut self, within: Duration) -> Option<Message> {
        let deadline = Instant::now() + within;
        loop {
            let message = self.receive(deadline.saturating_duration_since(Instant::now()))?;
            match message.what().as_str() {
                "OPTIONS" => self.respond(&message, 200),
                _ => return Some(message),
            }
        }
    }

    /// The next message of whatever kind that is none of those before again, if there is one within `within`.
    fn receive(&mut self, within: Duration) -> Option<Message> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            self.socket.set_read_timeout(Some(left)).unwrap();
            let mut buffer = [0; 65_536];
            let Ok((length, from)) = self.socket.recv_from(&mut buffer) else { continue };
            let message = Message { text: String::from_utf8(buffer[..length].to_vec()).unwrap() };
            if !self.seen.insert(message.text.clone()) || message.start().starts_with("SIP/2.0 100") {
                continue;
            }
            match message.what().as_str() {
                "INVITE" if !message.must("To").contains(";tag=") => self.rung(&message, from),
                "OPTIONS" => self.dialog.hub = from,
                _ => {}
            }
            return Some(message);
        }
    }

    /// A new INVITE: our side of the dialog it would make.
    fn rung(&mut self, invite: &Message, hub: SocketAddr) {
        self.count += 1;
        self.dialog = Dialog {
            hub,
            call_id: invite.must("Call-ID").to_owned(),
            local: format!("{};tag=a{}", invite.must("To"), self.count),
            remote: invite.must("From").to_owned(),
            target: between(invite.must("Contact")).to_owned(),
            routes: invite.headers("Record-Route").map(str::to_owned).collect(),
            cseq: 0,
            branch: String::new(),
        };
    }

    /// Sends these bytes as they are.
    pub fn send(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.dialog.hub).unwrap();
    }

    fn compose(&mut self, method: &str, headers: &[&str], body: &str) -> String {
        let address = self.address();
        self.count += 1;
        let count = self.count;
        let dialog = &mut self.dialog;
        dialog.cseq += 1;
        dialog.branch = format!("z9hG4bK{count}p{}", address.port());
        let mut lines = vec![format!("Via: SIP/2.0/UDP {address};branch={}", dialog.branch)];
        lines.extend(dialog.routes.iter().map(|route| format!("Route: {route}")));
        lines.extend([
            format!("From: {}", dialog.local),
            format!("To: {}", dialog.remote),
            format!("Call-ID: {}", dialog.call_id),
            format!("CSeq: {} {method}", dialog.cseq),
            format!("Contact: <sip:phone@{address}>"),
        ]);
        if !headers.iter().any(|header| header.starts_with("Max-Forwards")) {
            lines.push("Max-Forwards: 70".to_owned());
        }
        lines.extend(headers.iter().map(|&header| header.to_owned()));
        compose(&format!("{method} {} SIP/2.0", dialog.target), &lines, body)
    }
}
