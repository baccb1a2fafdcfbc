//! A client of the daemon's web interface: plain HTTP, one connection for each request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::SOON;

/// Somebody who uses the interface.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    /// Sent with each request.
    headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Client {
    pub fn new(address: Option<SocketAddr>) -> Client {
        Client { address: address.expect("the daemon serves the interface"), headers: Vec::new() }
    }

    /// The same with a header in each request.
    pub fn with(mut self, name: &str, value: &str) -> Client {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without a header.
    pub fn without(mut self, name: &str) -> Client {
        self.headers.retain(|(key, _)| key != name);
        self
    }

    /// Signs in; requests carry the cookie from then on.
    pub fn signed_in(self, name: &str, password: &str) -> Client {
        let answer = self.sign_in(name, password);
        assert_eq!(answer.status, 200, "{answer:?}");
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        self.with("Cookie", &cookie).with("x-hearken", "1")
    }

    pub fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post("/api/v1/session", &serde_json::json!({ "name": name, "password": password }))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body))
    }

    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut text = String::new();
        let body = body.map(Value::to_string).unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let more = format!("{kind}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        let mut stream = self.ask(method, path, &more);
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Follows what happens.
    pub fn follow(&self) -> Stream {
        let mut stream = BufReader::new(self.ask("GET", "/api/v1/stream", "\r\n"));
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert!(line.contains(" 200 "), "{line}");
        Stream { stream, last: None }
    }

    fn ask(&self, method: &str, path: &str, more: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: hearken\r\n{headers}{more}").unwrap();
        stream
    }
}

/// Server-sent events.
pub struct Stream {
    stream: BufReader<TcpStream>,
    /// The number that the client would come back with.
    last: Option<u64>,
}

/// One of them.
#[derive(Debug)]
pub struct Event {
    pub event: String,
    pub id: String,
    pub data: Value,
}

impl Stream {
    /// The next event.
    pub fn next(&mut self) -> Event {
        self.read().expect("the stream goes on")
    }

    /// Reads on until the stream ends.
    pub fn ends(&mut self) {
        while self.read().is_some() {}
    }

    /// The next event; `None` at the end.
    fn read(&mut self) -> Option<Event> {
        let (mut event, mut id) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // Lengths of chunks stand between the lines; that of the last is 0, and the connection stays for others.
            if line.trim_end() == "0" {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut event),
                Some(("id", value)) => value.clone_into(&mut id),
                Some(("data", value)) => {
                    let data = serde_json::from_str(value).unwrap();
                    self.counts_on(&event, &id);
                    return Some(Event { event, id, data });
                }
                _ => {}
            }
        }
    }

    /// Whoever comes back with the number of the latest event has missed nothing before it: each news has the next number,
    /// a board that of the news before it.
    fn counts_on(&mut self, event: &str, id: &str) {
        let number: u64 = id.split_once('-').and_then(|(_, number)| number.parse().ok()).unwrap();
        let expected = self.last.map(|last| last + u64::from(event == "news"));
        assert!(
            event == "gap" || expected.is_none_or(|expected| number == expected),
            "{event} {id}: {expected:?}"
        );
        self.last = Some(number);
    }

    /// The next news of a kind; those before are passed over.
    pub fn news(&mut self, kind: &str) -> Event {
        loop {
            let event = self.next();
            if event.event == "news" && event.data["kind"] == kind {
                return event;
            }
        }
    }

    /// The next board for which this holds.
    pub fn board(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next();
            if event.event == "board" && fits(&event.data) {
                return event.data;
            }
        }
    }
}
