//! How long a snapshot holds up the switch: `cargo bench --bench snapshot`, with `CALLS=10000` for more.
//!
//! Half of the first thousand callers talk, the others wait; a call came every 300 ms, so the last hundred still have
//! their transactions. Time is that of the thread's processor, so other work on the machine does not count.

use std::time::Duration;

use bytes::Bytes;
use hearken::config;
use hearken::flight::{self, Kept, Run};
use hearken::sip::{Flow, Listener, ListenerId, Transport};
use hearken::switch::plan::ThreadPorts;
use hearken::switch::{Input, Output, Switch};
use hearken::time::{Mono, Now, Wall};
use nix::time::{ClockId, clock_gettime};

const CALLS: u64 = 1_000;
const TALKING: u64 = 500;
const ROUNDS: usize = 20;

fn main() {
    let calls = std::env::var("CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(CALLS);
    let mut world = World::new(TALKING);
    for call in 0..calls {
        world.call(call);
        world.pass(Duration::from_millis(300));
    }
    let directory = tempfile::tempdir().expect("a directory");
    let settings = flight::Settings {
        directory: directory.path().join("flight"),
        keep_for: Duration::from_secs(3_600),
        keep_size: 1 << 30,
        snapshot_every: Duration::ZERO,
    };
    let run = Run { ledger: 1, boot: String::new(), zero: 0 };
    let opened = flight::open(settings).expect("a log");
    let mut recorder = opened.record(run, &Kept::of(&world.switch), world.now).expect("a log");
    let mut costs: Vec<_> = (0..ROUNDS)
        .map(|_| {
            recorder.flush();
            let begin = processor_time();
            recorder.snapshot(&Kept::of(&world.switch), world.now);
            processor_time() - begin
        })
        .collect();
    costs.sort();
    let kept = recorder.counters().snapshot_bytes / 1024;
    println!(
        "{} calls live, {kept} KiB: held up for {:.2?} least, {:.2?} median, {:.2?} greatest of {ROUNDS}",
        world.switch.calls(),
        costs[0],
        costs[ROUNDS / 2],
        costs[ROUNDS - 1]
    );
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Linux has it").into()
}

struct World {
    switch: Switch,
    now: Now,
}

impl World {
    fn new(agents: u64) -> World {
        let mut text = String::from(
            "[sip]\nlisten = [\"udp:192.0.2.1:5060\"]\nprobe-phones-every = \"0s\"\n[media]\ndead-media-after = \"0s\"\n\
             [trunk.t]\nfrom = [\"192.0.2.10\"]\nline = \"l\"\n[line.l]\nteams = [\"hub\"]\n",
        );
        let names: Vec<_> = (0..agents).map(|n| format!("\"a{n}\"")).collect();
        text += &format!("[team.hub]\nagents = [{}]\n", names.join(", "));
        for n in 0..agents {
            text += &format!("[agent.a{n}]\naddress = \"sip:a{n}@192.0.2.20:{}\"\n", 10_000 + n);
        }
        let today = jiff::civil::date(2026, 11, 16);
        let loaded = config::parse(&text, "bench", "".as_ref(), today)
            .unwrap_or_else(|e| panic!("{}", e.0.render(false)));
        let mut plan = loaded.deployment.plan;
        plan.sip.listeners = vec![Listener {
            transport: Transport::Udp,
            advertised: "192.0.2.1:5060".parse().expect("an address"),
        }];
        plan.media.threads = vec![ThreadPorts {
            shared: (20_000..20_016).step_by(2).collect(),
            spill: (30_000..30_512).step_by(2).collect(),
        }];
        let now = Now { mono: Mono(1), wall: Wall(1_794_816_000_000) };
        World { switch: Switch::new(plan, [7; 32], now), now }
    }

    fn from(&mut self, source: &str, text: String) -> Vec<(String, String)> {
        let flow = Flow {
            transport: Transport::Udp,
            listener: ListenerId(0),
            remote: source.parse().expect("an address"),
        };
        self.give(Input::Datagram { flow, bytes: Bytes::from(text), waited: Duration::ZERO })
    }

    fn give(&mut self, input: Input) -> Vec<(String, String)> {
        self.switch.handle(input, self.now);
        let mut sent = Vec::new();
        while let Some(output) = self.switch.poll_output() {
            if let Output::Send { flow, bytes } = output {
                sent.push((flow.remote.to_string(), String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        sent
    }

    fn pass(&mut self, duration: Duration) {
        self.now = Now { mono: self.now.mono + duration, wall: self.now.wall + duration };
        self.give(Input::Wake);
    }

    fn call(&mut self, n: u64) {
        const TRUNK: &str = "192.0.2.10:5060";
        let body = sdp("192.0.2.50", 1_024 + n * 2);
        let request = |method: &str, to: &str, branch: &str, body: &str| {
            format!(
                "{method} sip:02079460101@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {TRUNK};branch=z9hG4bK{n}{branch};rport\r\n\
                 Record-Route: <sip:192.0.2.10;lr>\r\n\
                 Max-Forwards: 70\r\nFrom: \"Patient\" <sip:07700900123@example.org>;tag=caller{n}\r\nTo: {to}\r\n\
                 Call-ID: 7b1f0c2a-4a1e-{n}@192.0.2.10\r\nCSeq: 1 {method}\r\nContact: <sip:caller{n}@{TRUNK}>\r\n\
                 User-Agent: A session border controller 7.2\r\nP-Asserted-Identity: <sip:+447700900123@example.org>\r\n\
                 Supported: timer, 100rel\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let to = "<sip:02079460101@192.0.2.1>";
        let sent = self.from(TRUNK, request("INVITE", to, "i", &body));
        let (_, ok) =
            sent.iter().find(|(_, text)| text.starts_with("SIP/2.0 200")).expect("the call is answered");
        let to = header(ok, "To");
        for (at, text) in sent.iter().filter(|(_, text)| text.starts_with("INVITE")) {
            let mut answer = String::from("SIP/2.0 200 OK\r\n");
            for name in ["Via", "From", "Call-ID", "CSeq"] {
                answer += &format!("{name}: {}\r\n", header(text, name));
            }
            let body = sdp("192.0.2.60", 1_024 + n * 2);
            answer += &format!(
                "To: {};tag=phone{n}\r\nContact: <sip:{at}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
                header(text, "To"),
                body.len()
            );
            self.from(at, answer);
        }
        self.from(TRUNK, request("ACK", &to, "a", ""));
    }
}

fn header(message: &str, name: &str) -> String {
    let lines = message.lines().take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .next()
        .expect("the header")
        .to_owned()
}

fn sdp(address: &str, port: u64) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
}
