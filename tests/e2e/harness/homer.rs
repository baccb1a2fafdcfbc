//! A collector of HEP3, which reads it with the library of those who made the format.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{Message, SOON, wait_for};

/// Reads a datagram in hexadecimal from each line, and writes what is in it as JSON.
const DECODE: &str = "const hep = require('hep-js');
require('readline').createInterface({ input: process.stdin })
    .on('line', line => console.log(JSON.stringify(hep.decapsulate(Buffer.from(line, 'hex')))))";

/// A collector; it listens until the test ends.
pub struct Homer {
    address: SocketAddr,
    datagrams: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// One message that it was told of.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Seconds since 1970.
    pub at: f64,
    /// Addresses and ports.
    pub source: String,
    pub target: String,
    /// 17 for UDP, 6 for TCP.
    pub protocol: u64,
    pub capture_id: u64,
    pub key: String,
    pub correlation: String,
    pub message: Message,
}

impl Homer {
    pub fn at(host: Ipv4Addr) -> Homer {
        let socket = UdpSocket::bind((host, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let datagrams = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&datagrams);
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(length) = socket.recv(&mut buffer) {
                kept.lock().unwrap().push(buffer[..length].to_vec());
            }
        });
        Homer { address, datagrams }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All copies, once there are so many.
    pub fn copies(&self, count: usize) -> Vec<Copy> {
        let datagrams = wait_for("copies of all messages", SOON, || {
            let datagrams = self.datagrams.lock().unwrap();
            (datagrams.len() >= count).then(|| datagrams.clone())
        });
        let target = Path::new(env!("CARGO_BIN_EXE_hearken")).ancestors().nth(2).unwrap();
        let mut node = Command::new("node")
            .args(["-e", DECODE])
            .env("NODE_PATH", target.join("hep/node_modules"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = node.stdin.take().unwrap();
        for datagram in &datagrams {
            let hexadecimal: String = datagram.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(input, "{hexadecimal}").unwrap();
        }
        drop(input);
        let decoded = node.wait_with_output().unwrap();
        assert!(decoded.status.success(), "{decoded:?}");
        let lines = String::from_utf8(decoded.stdout).unwrap();
        let copies: Vec<_> = lines.lines().map(|line| copy(&serde_json::from_str(line).unwrap())).collect();
        assert_eq!(copies.len(), datagrams.len());
        copies
    }
}

fn copy(decoded: &Value) -> Copy {
    let info = &decoded["rcinfo"];
    let number = |key: &str| info[key].as_u64().unwrap_or_else(|| panic!("{key} in {decoded}"));
    let text = |key: &str| info[key].as_str().unwrap_or_else(|| panic!("{key} in {decoded}")).to_owned();
    assert_eq!((number("protocolFamily"), number("payloadType")), (2, 1), "IPv4, and SIP: {decoded}");
    Copy {
        at: number("timeSeconds") as f64 + number("timeUseconds") as f64 / 1e6,
        source: format!("{}:{}", text("srcIp"), number("srcPort")),
        target: format!("{}:{}", text("dstIp"), number("dstPort")),
        protocol: number("protocol"),
        capture_id: number("captureId"),
        key: text("capturePass"),
        correlation: text("correlation_id"),
        message: Message { text: decoded["payload"].as_str().unwrap().to_owned() },
    }
}
