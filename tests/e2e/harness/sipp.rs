//! SIPp processes: many calls of one scenario, and what SIPp itself says of each message.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::net::reserve;
use super::{SOON, wait_for};

/// Values that a scenario has unless a test says otherwise; times in milliseconds.
const DEFAULTS: [(&str, &str); 4] = [
    // Middle digits of the callers' numbers.
    ("series", "1"),
    // How long an agent talks.
    ("talk", "200"),
    // How long a caller stays.
    ("patience", "500"),
    // How long a phone still answers what is repeated when a call is over.
    ("linger", "200"),
];

/// A scenario of `tests/e2e/scenarios`, with `{key}` replaced by each value.
pub fn scenario(name: &str, values: &[(&str, &str)]) -> String {
    let path = format!("{}/tests/e2e/scenarios/{name}.xml", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let values = values.iter().chain(&DEFAULTS);
    values.fold(text, |text, (key, value)| text.replace(&format!("{{{key}}}"), value))
}

/// A running SIPp; killed when it is dropped.
pub struct Sipp {
    pub address: SocketAddr,
    child: Child,
    dir: TempDir,
}

/// What SIPp has to say when it has ended.
#[derive(Debug)]
pub struct Report {
    /// Its exit status: 0 when every call went as the scenario says, 1 when one did not.
    pub code: i32,
    /// Calls that went as the scenario says, and calls that did not.
    pub successful: u32,
    pub failed: u32,
    /// Messages that SIPp sent again.
    pub repeated: u32,
    /// What the scenario logged, line by line.
    pub logs: Vec<String>,
    /// Every message in order.
    pub messages: Vec<Trace>,
    /// What SIPp complained of, in its file and on its screen.
    pub errors: String,
}

/// One message as SIPp timed it.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Seconds since 1970.
    pub at: f64,
    pub call_id: String,
    /// `1 INVITE`
    pub cseq: String,
    /// `INVITE sip:...` or `SIP/2.0 200 OK`
    pub start: String,
}

impl Sipp {
    /// Starts a scenario that calls `hub` with the local address `host`, `count` times, `rate` a second.
    pub fn callers(
        host: Ipv4Addr,
        hub: SocketAddr,
        scenario: &str,
        count: u32,
        rate: u32,
        more: &[&str],
    ) -> Sipp {
        let (count, rate) = (count.to_string(), rate.to_string());
        let numbers = ["-m", &count, "-r", &rate, "-l", &count];
        Sipp::start(host, scenario, &[&[hub.to_string().as_str()], &numbers[..], more].concat())
    }

    /// Starts a scenario that waits for calls. It is ready when this returns.
    pub fn agent(host: Ipv4Addr, scenario: &str, more: &[&str]) -> Sipp {
        let sipp = Sipp::start(host, scenario, more);
        let tcp = more.contains(&"t1");
        let (path, end) = if tcp { ("/proc/net/tcp", ":0000 0A") } else { ("/proc/net/udp", "") };
        let socket = socket_entry(sipp.address);
        wait_for("SIPp's socket", SOON, || {
            let table = fs::read_to_string(path).unwrap();
            table.lines().any(|line| line.contains(&socket) && line.contains(end)).then_some(())
        });
        sipp
    }

    fn start(host: Ipv4Addr, scenario: &str, arguments: &[&str]) -> Sipp {
        let dir = tempfile::tempdir().unwrap();
        let address = reserve(host);
        fs::write(dir.path().join("scenario.xml"), scenario).unwrap();
        let (host, port) = (host.to_string(), address.port().to_string());
        let output = File::create(dir.path().join("output")).unwrap();
        let child = Command::new("sipp")
            .current_dir(dir.path())
            .args(["-sf", "scenario.xml", "-bind_local", "-nostdin", "-aa"])
            .args(["-i", &host, "-ci", &host, "-mi", &host, "-p", &port])
            .args(["-timer_resol", "1", "-timeout", "100s", "-timeout_error"])
            .args(["-trace_stat", "-stf", "stat", "-trace_err", "-error_file", "errors"])
            .args(["-trace_logs", "-log_file", "logs", "-trace_shortmsg", "-shortmessage_file", "messages"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Sipp { address, child, dir }
    }

    /// The SIP address of an agent that this SIPp plays.
    pub fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.address)
    }

    /// Waits until every call is over; all must have gone as the scenario says.
    pub fn good(self, within: Duration) -> Report {
        let report = self.finish(within);
        assert!(report.code == 0, "SIPp's calls went wrong: {report:#?}");
        report
    }

    /// Waits until SIPp has ended.
    pub fn finish(mut self, within: Duration) -> Report {
        let status = wait_for("the end of SIPp", within, || self.child.try_wait().unwrap());
        let statistics = self.statistics();
        let count = |name: &str| statistics.get(name).map_or(0, |count| count.parse().unwrap());
        Report {
            code: status.code().unwrap_or(-1),
            successful: count("SuccessfulCall(C)"),
            failed: count("FailedCall(C)"),
            repeated: count("Retransmissions(C)"),
            logs: self.file("logs").lines().map(str::to_owned).collect(),
            messages: self.file("messages").lines().filter_map(trace).collect(),
            errors: format!("{}\n{}", self.file("errors"), self.file("output")),
        }
    }

    /// Takes no more calls, and waits for the end of those that are up.
    pub fn stop(self, within: Duration) -> Report {
        kill("USR1", &self.child);
        self.finish(within)
    }

    fn file(&self, name: &str) -> String {
        fs::read(self.dir.path().join(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The last line of the statistics, by heading.
    fn statistics(&self) -> BTreeMap<String, String> {
        let text = self.file("stat");
        let mut lines = text.lines();
        let (Some(heading), Some(last)) = (lines.next(), lines.next_back()) else { return BTreeMap::new() };
        heading.split(';').map(str::to_owned).zip(last.split(';').map(str::to_owned)).collect()
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a child of ours that has not been waited for.
pub fn kill(signal: &str, child: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// A line of SIPp's short trace: date, time, epoch, S or R, Call-ID, CSeq, start line.
fn trace(line: &str) -> Option<Trace> {
    let fields: Vec<_> = line.split('\t').collect();
    let [_, _, at, _, call_id, cseq, start] = fields[..] else { return None };
    Some(Trace {
        at: at.parse().ok()?,
        call_id: call_id.to_owned(),
        cseq: cseq.trim_start_matches("CSeq:").trim().to_owned(),
        start: start.to_owned(),
    })
}

/// How the kernel's tables write a local address.
fn socket_entry(address: SocketAddr) -> String {
    let std::net::IpAddr::V4(ip) = address.ip() else { panic!("loopback is IPv4 here") };
    format!(": {:08X}:{:04X} ", u32::from(ip).swap_bytes(), address.port())
}
