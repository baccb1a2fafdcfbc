//! One HTTP request to the collector: OTLP as JSON (OpenTelemetry Protocol, "OTLP/HTTP").

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use crate::config::Collector;

/// How long the collector may take to be reached, and for each step of an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// As much of an answer as matters.
const HEAD: usize = 512;

/// Posts a request; an error when it was not taken.
pub(super) fn post(to: &Collector, body: &str) -> io::Result<()> {
    let Collector { host, port, path } = to;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in (bare, *port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(mut stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                write!(
                    stream,
                    "POST {path}/v1/traces HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: hearken/{}\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    env!("CARGO_PKG_VERSION"),
                    body.len()
                )?;
                return answered(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn answered(stream: TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    let mut stream = stream.take(HEAD as u64);
    let mut buffer = [0; HEAD];
    while !head.windows(2).any(|end| end == b"\r\n") {
        match stream.read(&mut buffer)? {
            0 => break,
            length => head.extend_from_slice(&buffer[..length]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some(status) if line.starts_with("HTTP/1.") && status.starts_with('2') => Ok(()),
        _ => Err(io::Error::other(format!("it answers {line:?}"))),
    }
}
