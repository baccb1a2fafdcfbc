//! What went over the wire, as tshark saw it and the kernel timed it.

use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Hub, SOON, wait_for};

const FIELDS: [&str; 10] = [
    "frame.time_epoch",
    "ip.src",
    "udp.srcport",
    "ip.dst",
    "udp.dstport",
    "sip.Method",
    "sip.Status-Code",
    "sip.CSeq.method",
    "sip.Call-ID",
    "sip.from.user",
];

/// One SIP message on the wire.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Seconds since 1970.
    pub at: f64,
    /// Address and port of its sender.
    pub source: String,
    /// The same of whom it was sent to.
    pub target: String,
    /// `INVITE`, or `200 INVITE` of a response.
    pub what: String,
    pub call_id: String,
    /// User part of From.
    pub from: String,
}

/// A running tshark; ended, with its dumpcap, when it is dropped.
pub struct Capture {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Capture {
    /// Captures what the hub's net says on the hub's SIP port; `None`, loudly, where that is not permitted and
    /// HEARKEN_NO_CAPTURE says that this is known.
    pub fn start(hub: &Hub) -> Option<Capture> {
        let filter = format!("udp and {}", hub.net.filter());
        let mut child = Command::new("tshark")
            .args(["-l", "-n", "-i", "lo", "-f", &filter, "-d", &format!("udp.port=={},sip", hub.udp.port())])
            .args(["-T", "fields"])
            .args(FIELDS.iter().flat_map(|field| ["-e", field]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (output, kept) = (BufReader::new(child.stdout.take().unwrap()), Arc::clone(&lines));
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line))
        });
        let mut capture = Capture { child, lines };
        capture.is_under_way(hub).then_some(capture)
    }

    /// Sends packets until one is captured; false when tshark gives up.
    fn is_under_way(&mut self, hub: &Hub) -> bool {
        let [a, b] = [(); 2].map(|()| UdpSocket::bind((hub.net.stranger(), 0)).unwrap());
        let deadline = Instant::now() + SOON;
        while self.lines.lock().unwrap().is_empty() {
            if self.child.try_wait().unwrap().is_some() {
                let mut why = String::new();
                self.child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                let forbidden = why.contains("ermission") || why.contains("not permitted");
                let known = std::env::var_os("HEARKEN_NO_CAPTURE").is_some();
                assert!(forbidden, "tshark: {why}");
                assert!(
                    known,
                    "capturing is not permitted; HEARKEN_NO_CAPTURE=1 leaves this untested: {why}"
                );
                eprintln!("\n!!! NOT TESTED: capturing is not permitted here: {why}\n");
                return false;
            }
            assert!(Instant::now() < deadline, "tshark captures nothing");
            a.send_to(b"hello", b.local_addr().unwrap()).unwrap();
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }

    /// The SIP messages so far, once `done` is content with them.
    pub fn packets(&self, done: impl Fn(&[Packet]) -> bool) -> Vec<Packet> {
        wait_for("what should be on the wire", SOON, || {
            let packets: Vec<_> = self.lines.lock().unwrap().iter().filter_map(|line| packet(line)).collect();
            done(&packets).then_some(packets)
        })
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // Killed outright, tshark would leave its dumpcap behind, capturing for ever.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn packet(line: &str) -> Option<Packet> {
    let fields = line.split('\t').collect::<Vec<_>>();
    let [at, host, port, to_host, to_port, method, status, cseq, call_id, from] = fields[..] else {
        return None;
    };
    let what = match (method, status) {
        ("", "") => return None,
        ("", status) => format!("{status} {cseq}"),
        (method, _) => method.to_owned(),
    };
    Some(Packet {
        at: at.parse().ok()?,
        source: format!("{host}:{port}"),
        target: format!("{to_host}:{to_port}"),
        what,
        call_id: call_id.to_owned(),
        from: from.to_owned(),
    })
}
