//! SIP messages as text: read and written without any of the daemon's code.

use std::fmt::Write as _;

/// One message as it came.
#[derive(Clone, Debug)]
pub struct Message {
    pub text: String,
}

impl Message {
    pub fn start(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The method of a request, or status and method of a response: `INVITE`, `200 INVITE`.
    pub fn what(&self) -> String {
        match self.start().strip_prefix("SIP/2.0 ") {
            Some(status) => format!("{} {}", &status[..3], self.cseq().1),
            None => self.start().split(' ').next().unwrap_or_default().to_owned(),
        }
    }

    /// The request URI.
    pub fn uri(&self) -> &str {
        self.start().split(' ').nth(1).unwrap_or_default()
    }

    /// The first header of this name.
    pub fn header<'m>(&'m self, name: &'m str) -> Option<&'m str> {
        self.headers(name).next()
    }

    /// A header that must be there.
    pub fn must<'m>(&'m self, name: &'m str) -> &'m str {
        self.header(name).unwrap_or_else(|| panic!("no {name} in:\n{}", self.text))
    }

    /// All headers of this name, in order.
    pub fn headers<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        head.lines().skip(1).filter_map(move |line| {
            let (found, value) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    pub fn cseq(&self) -> (u32, &str) {
        let (number, method) = self.must("CSeq").split_once(' ').expect("a number and a method");
        (number.parse().unwrap(), method.trim())
    }

    /// The URI between the angle brackets of Contact.
    pub fn contact(&self) -> &str {
        between(self.must("Contact"))
    }

    /// The direction that the SDP states.
    pub fn direction(&self) -> &str {
        let stated = ["sendrecv", "sendonly", "recvonly", "inactive"];
        let lines = self.body().lines().filter_map(|line| line.strip_prefix("a="));
        lines.filter_map(|line| stated.iter().find(|&&word| word == line)).next_back().unwrap_or(&"sendrecv")
    }

    /// Where the SDP wants its audio sent.
    pub fn media(&self) -> std::net::SocketAddr {
        let field = |prefix: &str, n: usize| {
            let line = self.body().lines().find_map(|line| line.strip_prefix(prefix)).unwrap();
            line.split(' ').nth(n).unwrap().to_owned()
        };
        format!("{}:{}", field("c=", 2), field("m=audio ", 0)).parse().unwrap()
    }
}

/// The text between angle brackets.
pub fn between(value: &str) -> &str {
    value.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(value, |(uri, _)| uri)
}

/// A message of these parts, with its length.
pub fn compose(start: &str, headers: &[String], body: &str) -> String {
    let mut text = format!("{start}\r\n");
    headers.iter().for_each(|header| write!(text, "{header}\r\n").unwrap());
    write!(text, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    text
}
