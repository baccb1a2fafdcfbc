//! Logs on a real disk: written, torn, replayed, resumed, tidied.

#![allow(clippy::unwrap_used)]

mod disk;
mod ladder;
mod older;
mod replaying;
mod resuming;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tempfile::TempDir;

use super::files::{self, Place};
use super::*;
use crate::acd::Band;
use crate::call::record::{PromiseOutcome, PromiseRecord};
use crate::config;
use crate::id::{CallId, PromiseId};
use crate::sip::{Flow, Listener, ListenerId, Transport};
use crate::switch::plan::ThreadPorts;
use crate::switch::{Input, Output, Switch};
use crate::time::{Mono, Now, Wall};

const TRUNK: &str = "192.0.2.10:5060";

const CONFIGURATION: &str = r#"
[sip]
listen = ["udp:192.0.2.1:5060"]
probe-phones-every = "0s"
[trunk.surgery]
from = ["192.0.2.10"]
line = "gp"
[line.gp]
teams = ["hub"]
callback-key = "1"
[callback]
via = "sip:192.0.2.10:5060"
[team.hub]
agents = ["asha"]
[agent.asha]
address = "sip:asha@192.0.2.20"
"#;

/// A switch, its clock, and the log of both.
struct World {
    switch: Switch,
    now: Now,
    recorder: Option<Recorder>,
    sent: usize,
    records: usize,
    /// The last INVITE that went out.
    invite: String,
}

fn settings(directory: &TempDir) -> Settings {
    Settings {
        directory: directory.path().join("flight"),
        keep_for: Duration::from_secs(3_600),
        keep_size: 1 << 30,
        snapshot_every: Duration::ZERO,
    }
}

/// A log that has begun in a directory of its own.
fn begun() -> (TempDir, Settings, World) {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&directory);
    let world = World::new(&settings);
    (directory, settings, world)
}

fn run(ledger: i64) -> Run {
    Run { ledger, boot: "boot".to_owned(), zero: 0 }
}

fn switch(configuration: &str, now: Now) -> Switch {
    let today = jiff::civil::date(2026, 11, 16);
    let loaded = config::parse(configuration, "test", Path::new(""), today).unwrap_or_else(|e| panic!("{e}"));
    let mut plan = loaded.deployment.plan;
    let advertised = "192.0.2.1:5060".parse().unwrap();
    plan.sip.listeners = vec![Listener { transport: Transport::Udp, advertised }];
    plan.media.threads = vec![ThreadPorts { shared: vec![20_000], spill: vec![20_002, 20_004] }];
    Switch::new(plan, [7; 32], now)
}

impl World {
    fn new(settings: &Settings) -> World {
        World::on(CONFIGURATION, settings)
    }

    fn on(configuration: &str, settings: &Settings) -> World {
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_794_816_000_000) };
        let switch = switch(configuration, now);
        let recorder = open(settings.clone()).unwrap().record(run(1), &Kept::of(&switch), now).unwrap();
        World { switch, now, recorder: Some(recorder), sent: 0, records: 0, invite: String::new() }
    }

    fn recorder(&mut self) -> &mut Recorder {
        self.recorder.as_mut().unwrap()
    }

    fn give(&mut self, input: Input) {
        self.now = Now { mono: self.now.mono + Duration::from_millis(7), ..self.now };
        let now = self.now;
        let recorder = self.recorder.as_mut().unwrap();
        recorder.input(&input, now);
        recorder.commit();
        self.switch.handle(input, now);
        while let Some(output) = self.switch.poll_output() {
            recorder.output(&output);
            self.sent += usize::from(matches!(output, Output::Send { .. }));
            if let Output::Send { bytes, .. } = &output
                && bytes.starts_with(b"INVITE")
            {
                self.invite = String::from_utf8_lossy(bytes).into_owned();
            }
            self.records += usize::from(matches!(output, Output::Record(_)));
        }
        recorder.handled(now);
    }

    fn trunk_says(&mut self, text: String) {
        let flow =
            Flow { transport: Transport::Udp, listener: ListenerId(0), remote: TRUNK.parse().unwrap() };
        self.give(Input::Datagram { flow, bytes: Bytes::from(text), waited: Duration::from_nanos(1_234) });
    }

    fn call(&mut self, name: &str) {
        self.trunk_says(invite(name));
    }

    /// The phone that was rung last is picked up.
    fn answer(&mut self) {
        let copied = ["Via: ", "From: ", "Call-ID: ", "CSeq: "];
        let lines = self.invite.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
        let to = self.invite.lines().find(|line| line.starts_with("To: ")).unwrap();
        let body = "v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
        let text = format!(
            "SIP/2.0 200 OK\r\n{}\r\n{to};tag=phone\r\nContact: <sip:asha@192.0.2.20>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            lines.collect::<Vec<_>>().join("\r\n"),
            body.len()
        );
        let remote = "192.0.2.20:5060".parse().unwrap();
        let flow = Flow { transport: Transport::Udp, listener: ListenerId(0), remote };
        self.give(Input::Datagram { flow, bytes: Bytes::from(text), waited: Duration::ZERO });
    }

    /// The daemon is killed: what is in memory is gone.
    fn kill(mut self) -> Switch {
        drop(self.recorder.take());
        self.switch
    }

    fn snapshot(&mut self) {
        let now = self.now;
        let recorder = self.recorder.as_mut().unwrap();
        recorder.snapshot(&Kept::of(&self.switch), now);
        recorder.flush();
    }
}

fn invite(name: &str) -> String {
    let port = 4_000 + 2 * name.bytes().map(u32::from).sum::<u32>();
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.50\r\ns=-\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
    );
    format!(
        "INVITE sip:02079460101@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {TRUNK};branch=z9hG4bK{name};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:07700900123@example.org>;tag={name}\r\nTo: <sip:02079460101@192.0.2.1>\r\n\
         Call-ID: {name}\r\nCSeq: 1 INVITE\r\nContact: <sip:{name}@{TRUNK}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A promise of an earlier run, as its ledger has it.
fn promise(number: u64, line: &str) -> PromiseRecord {
    let made = Wall(1_794_815_000_000);
    PromiseRecord {
        promise: PromiseId(number),
        call: CallId(7),
        line: line.to_owned(),
        trunk: "surgery".to_owned(),
        practice: None,
        band: Band::ROUTINE,
        ddi: "+442079460101".to_owned(),
        number: Some("+447700900123".to_owned()),
        cli: None,
        arrived: made,
        promised: made,
        next: made,
        breach: made + Duration::from_secs(3_600),
        expires: made + Duration::from_secs(28_800),
        missed: 0,
        escalated: false,
        revision: 1,
        settled: None,
    }
}

fn bytes_of(switch: &Switch) -> Vec<u8> {
    postcard::to_stdvec(switch).unwrap()
}

fn left(settings: &Settings) -> Left {
    open(settings.clone()).unwrap().left().unwrap().expect("calls were left")
}

/// Nothing is missing of what was left, and so many inputs came after the newest snapshot.
fn goes_on_whole(settings: &Settings, switch: &Switch, inputs: u64) {
    let left = left(settings);
    assert_eq!((left.inputs, left.incomplete), (inputs, false));
    assert_eq!(bytes_of(&left.switch), bytes_of(switch));
}

fn only_segment(settings: &Settings) -> std::path::PathBuf {
    let found = segments(&settings.directory).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}
