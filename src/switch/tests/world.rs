//! A switch in a world without sockets: text goes in, text comes out, time is a number.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::acd;
use crate::audio::Codec;
use crate::calendar;
use crate::call::media;
use crate::call::record::{CallRecord, CaseRecord, PromiseRecord};
use crate::id::{AgentId, ClipId, LineId, TeamId};
use crate::policy::{Ingress, Trunk};
use crate::sip::{Flow, Listener, ListenerId, Transport};
use crate::switch::callbacks::CallbackPlan;
use crate::switch::codes::Codes;
use crate::switch::plan::{MediaPlan, Phone, Plan, Probes, SipPlan, ThreadPorts, Treatment};
use crate::switch::{Event, Input, Output, Switch};
use crate::time::{Mono, Now, Wall};

/// When the tests begin: 2026-11-16T08:00:00Z, a Monday.
const MONDAY: i64 = 1_794_816_000_000;

pub(super) const TRUNK: &str = "192.0.2.10:5060";
pub(super) const TRUNK_999: &str = "192.0.2.99:5060";
pub(super) const STRANGER: &str = "203.0.113.66:5060";

pub(super) struct World {
    pub(super) switch: Switch,
    pub(super) now: Now,
    pub(super) sent: Vec<(SocketAddr, String)>,
    pub(super) records: Vec<CallRecord>,
    /// Everything that was written of cases.
    pub(super) cases: Vec<CaseRecord>,
    /// Everything that was written of promises.
    pub(super) promises: Vec<PromiseRecord>,
    /// Whether what is to be written is safe at once, or never.
    pub(super) disk: bool,
    pub(super) events: Vec<Event>,
    pub(super) media: Vec<media::Command>,
    pub(super) outputs: Vec<Output>,
}

pub(super) fn flow(remote: &str) -> Flow {
    Flow { transport: Transport::Udp, listener: ListenerId(0), remote: remote.parse().unwrap() }
}

/// Address of the phone of agent `n`.
pub(super) fn phone(n: u32) -> String {
    format!("192.0.2.{}:5060", 20 + n)
}

pub(super) fn plan(agents: u32) -> Plan {
    let line = |name: &str| acd::Line {
        name: name.into(),
        teams: vec![TeamId(0)],
        ring_for: Duration::from_secs(20),
        wrap_up: Duration::from_secs(10),
        ..acd::Line::default()
    };
    let trunk = |name: &str, from: &str, line: u32, ddis: &[&str]| Trunk {
        name: name.into(),
        from: vec![format!("{from}/32").parse().unwrap()],
        emergency: name == "as-999",
        practice: None,
        line: LineId(line),
        ddis: ddis.iter().map(|ddi| (*ddi).to_owned()).collect(),
    };
    Plan {
        ingress: Ingress {
            trunks: vec![
                trunk("elm-tree", "192.0.2.10", 0, &["+442079460101"]),
                trunk("as-999", "192.0.2.99", 1, &[]),
            ],
            practices: vec![],
            country_code: "44".into(),
        },
        acd: acd::Plan {
            lines: vec![line("elm-tree"), line("emergency")],
            teams: vec![acd::Team {
                name: "hub".into(),
                agents: (0..agents).map(AgentId).collect(),
                ..acd::Team::default()
            }],
            agents: (0..agents)
                .map(|n| acd::Agent { name: format!("agent-{n}"), logged_in: true, ..acd::Agent::default() })
                .collect(),
            misses_before_pause: 3,
            rest: acd::Rests::all(Duration::from_secs(3)),
            miss_pause: Duration::from_secs(300),
            ..acd::Plan::default()
        },
        guide: guide(),
        phones: (0..agents)
            .map(|n| Phone { uri: format!("sip:agent-{n}@{}", phone(n)), flow: flow(&phone(n)), nat: false })
            .collect(),
        treatments: vec![
            Treatment { greeting: Some(ClipId(0)), music: Some(ClipId(1)), callback_key: None };
            2
        ],
        sip: SipPlan {
            listeners: vec![Listener {
                transport: Transport::Udp,
                advertised: "192.0.2.1:5060".parse().unwrap(),
            }],
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            unreachable_after: Duration::from_secs(1),
            probe_every: Duration::ZERO,
            max_calls: 100,
        },
        media: MediaPlan {
            address: "192.0.2.1".parse().unwrap(),
            threads: vec![ThreadPorts {
                shared: vec![20000, 20002],
                spill: (30000..30100).step_by(2).collect(),
            }],
            prompts: ClipId(100),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
        },
        codes: Codes::default(),
        stacks: Vec::new(),
        pathways: Vec::new(),
        dispositions: Vec::new(),
        callbacks: CallbackPlan {
            via: None,
            by_trunk: Vec::new(),
            shown: None,
            numbers: vec!["+44".to_owned()],
            ring_for: Duration::from_secs(30),
        },
        drain_limit: Duration::from_secs(600),
        probes: Probes::default(),
        red_flag_line: None,
    }
}

/// No rules, no announcements.
pub(super) fn guide() -> acd::Guide {
    let spec = calendar::Spec::empty("Europe/London", calendar::Nation::EnglandAndWales);
    acd::Guide {
        rules: Default::default(),
        calendar: calendar::Calendar::new(spec).unwrap().into(),
        announcements: Vec::new(),
        estimates: Default::default(),
        trial: None,
        redial_window: Duration::from_secs(1_200),
        callbacks: acd::Callbacks::default(),
    }
}

impl World {
    pub(super) fn new(agents: u32) -> World {
        World::on(plan(agents))
    }

    pub(super) fn on(plan: Plan) -> World {
        let now = Now { mono: Mono(1_000_000), wall: Wall(MONDAY) };
        World {
            switch: Switch::new(plan, [7; 32], now),
            now,
            sent: Vec::new(),
            records: Vec::new(),
            cases: Vec::new(),
            promises: Vec::new(),
            disk: true,
            events: Vec::new(),
            media: Vec::new(),
            outputs: Vec::new(),
        }
    }

    pub(super) fn give(&mut self, input: Input) {
        self.switch.handle(input, self.now);
        self.switch.check_invariants();
        let mut kept = Vec::new();
        while let Some(output) = self.switch.poll_output() {
            self.outputs.push(output.clone());
            match output {
                Output::Send { flow, bytes } => {
                    self.sent.push((flow.remote, String::from_utf8_lossy(&bytes).into_owned()));
                }
                Output::Media { command, .. } => self.media.push(command),
                Output::Record(record) => self.records.push(*record),
                Output::Promise(promise) => {
                    kept.push(promise.promise);
                    self.promises.push(*promise);
                }
                Output::Case(case) => self.cases.push(*case),
                Output::Event(event) => self.events.push(event),
                Output::Close { .. } => {}
            }
        }
        if self.disk {
            kept.into_iter().for_each(|promise| self.give(Input::Kept(promise)));
        }
    }

    /// A datagram from `source`.
    pub(super) fn from(&mut self, source: &str, text: &str) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        self.give(Input::Datagram { flow: flow(source), bytes, waited: Duration::ZERO });
    }

    /// A datagram from `source` that had to wait for its turn.
    pub(super) fn late_from(&mut self, source: &str, text: &str, waited: Duration) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        self.give(Input::Datagram { flow: flow(source), bytes, waited });
    }

    /// Lets time pass, waking the switch whenever it asked for it.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now.mono + duration;
        while let Some(at) = self.switch.poll_timeout().filter(|&at| at <= end) {
            self.move_to(at);
            self.give(Input::Wake);
        }
        self.move_to(end);
    }

    fn move_to(&mut self, at: Mono) {
        let millis = i64::try_from(at.since(Mono(1_000_000)).as_millis()).unwrap();
        self.now = Now { mono: at, wall: Wall(MONDAY + millis) };
    }

    /// What was sent to `target` since the last call of this, oldest first.
    pub(super) fn take_to(&mut self, target: &str) -> Vec<String> {
        let target: SocketAddr = target.parse().unwrap();
        let (mine, others) = std::mem::take(&mut self.sent).into_iter().partition(|(to, _)| *to == target);
        self.sent = others;
        let mine: Vec<(SocketAddr, String)> = mine;
        mine.into_iter().map(|(_, text)| text).collect()
    }

    /// The one message to `target` whose start line begins with `start`.
    pub(super) fn expect(&mut self, target: &str, start: &str) -> String {
        let mut found: Vec<_> =
            self.take_to(target).into_iter().filter(|text| text.starts_with(start)).collect();
        assert_eq!(found.len(), 1, "one {start:?} to {target}, not {found:#?}");
        found.remove(0)
    }
}

/// Value of the first header called `name`.
pub(super) fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_else(|| panic!("no {name} in {message}"))
}

pub(super) fn sdp(address: &str, port: u16, direction: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    )
}

fn with_body(head: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// A caller's phone, or an agent's: enough of a user agent for a test.
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) at: String,
    pub(super) to: String,
    pub(super) number: String,
    pub(super) cseq: u32,
}

impl Caller {
    pub(super) fn new(name: &str, at: &str) -> Caller {
        let to = "<sip:02079460101@192.0.2.1>".to_owned();
        Caller { name: name.into(), at: at.into(), to, number: "07700900123".to_owned(), cseq: 1 }
    }

    pub(super) fn request(&self, method: &str, cseq: u32, branch: &str, body: &str) -> String {
        let Caller { name, at, to, number, .. } = self;
        with_body(
            &format!(
                "{method} sip:02079460101@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{name}{branch};rport\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:{number}@example.org>;tag={name}\r\nTo: {to}\r\nCall-ID: {name}\r\n\
                 CSeq: {cseq} {method}\r\nContact: <sip:{name}@{at}>\r\n"
            ),
            body,
        )
    }

    pub(super) fn media_port(&self) -> u16 {
        40000 + u16::from(*self.name.as_bytes().last().unwrap()) * 2
    }

    pub(super) fn invite(&self) -> String {
        self.request("INVITE", 1, "i", &sdp("192.0.2.50", self.media_port(), "sendrecv"))
    }

    /// Calls, is answered, acknowledges.
    pub(super) fn call(&mut self, world: &mut World) -> String {
        world.take_to(&self.at);
        world.from(&self.at, &self.invite());
        let ok = world.expect(&self.at, "SIP/2.0 200");
        self.to = header(&ok, "To").to_owned();
        world.from(&self.at, &self.request("ACK", 1, "a", ""));
        ok
    }

    pub(super) fn send(&mut self, world: &mut World, method: &str, body: &str) {
        self.cseq += 1;
        let request = self.request(method, self.cseq, &format!("r{}", self.cseq), body);
        world.from(&self.at, &request);
    }
}

/// An agent's phone that was sent an INVITE.
pub(super) struct Ringing {
    pub(super) at: String,
    pub(super) invite: String,
}

impl Ringing {
    pub(super) fn of(world: &mut World, agent: u32) -> Ringing {
        let at = phone(agent);
        let invite = world.expect(&at, "INVITE");
        Ringing { at, invite }
    }

    pub(super) fn response(&self, request: &str, status: &str, body: &str) -> String {
        let mut head = format!("SIP/2.0 {status}\r\n");
        for name in ["Via", "From", "Call-ID", "CSeq"] {
            head += &format!("{name}: {}\r\n", header(request, name));
        }
        let to = header(request, "To");
        let tag = if to.contains("tag=") { "" } else { ";tag=phone" };
        head += &format!("To: {to}{tag}\r\nContact: <sip:agent@{}>\r\n", self.at);
        with_body(&head, body)
    }

    pub(super) fn reply(&self, world: &mut World, status: &str) {
        world.from(&self.at, &self.response(&self.invite, status, ""));
    }

    pub(super) fn answer(&self, world: &mut World) {
        let body = sdp("192.0.2.60", 50000, "sendrecv");
        world.from(&self.at, &self.response(&self.invite, "200 OK", &body));
    }

    /// A request of the phone's own inside the dialog.
    pub(super) fn send(&self, world: &mut World, method: &str, cseq: u32, body: &str) {
        let at = &self.at;
        let head = format!(
            "{method} sip:hearken@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{at}{cseq}\r\nMax-Forwards: 70\r\n\
             From: {};tag=phone\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContact: <sip:agent@{at}>\r\n",
            header(&self.invite, "To"),
            header(&self.invite, "From"),
            header(&self.invite, "Call-ID"),
        );
        world.from(at, &with_body(&head, body));
    }
}
