//! A collector of OpenTelemetry, which reads what it gets with the classes of those who made the protocol.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::Value;

use super::{SOON, wait_for};

/// One span; times in nanoseconds since 1970.
#[derive(Clone, Debug, Deserialize)]
pub struct Span {
    pub service: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    pub start: i64,
    pub end: i64,
    pub attributes: BTreeMap<String, Value>,
}

impl Span {
    /// The text of an attribute, if it has that.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.attributes.get(key)?.as_str()
    }
}

/// A collector; ended when it is dropped.
pub struct Collector {
    child: Child,
    url: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    pub fn at(host: Ipv4Addr) -> Collector {
        let target = Path::new(env!("CARGO_BIN_EXE_hearken")).ancestors().nth(2).unwrap();
        let mut child = Command::new(target.join("python/bin/python"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/otlp.py"))
            .arg(host.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = said.next().expect("it says where it listens");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        std::thread::spawn(move || said.for_each(|line| kept.lock().unwrap().push(line)));
        Collector { child, url: format!("http://{host}:{port}"), lines }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// All spans, once there are those of so many calls; and as they were told.
    pub fn spans(&self, calls: usize) -> (Vec<Span>, String) {
        let lines = wait_for("traces of calls", SOON, || {
            let lines = self.lines.lock().unwrap().clone();
            let whole = lines.iter().filter(|line| line.contains("\"name\": \"call\"")).count();
            (whole >= calls).then_some(lines)
        });
        (lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect(), lines.join("\n"))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
