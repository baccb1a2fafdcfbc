//! SIP as text, read by hand: nothing of `crate::sip` is used, so that its mistakes are not repeated here.

/// A message in pieces of its text.
#[derive(Clone, Debug)]
pub(super) struct Msg<'a> {
    pub(super) start: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    pub(super) body: &'a str,
}

impl<'a> Msg<'a> {
    /// Reads a message as a phone does: what looks like one is taken for one.
    pub(super) fn read(text: &'a str) -> Option<Msg<'a>> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let start = lines.next().filter(|start| start.contains("SIP/2.0"))?;
        let mut headers = Vec::with_capacity(16);
        for line in lines {
            let (name, value) = line.split_once(':')?;
            headers.push((name.trim(), value.trim()));
        }
        let msg = Msg { start, headers, body };
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            msg.header(name)?;
        }
        let (_, method) = msg.cseq()?;
        (msg.is_response() || msg.method() == method).then_some(msg)
    }

    /// Reads a message of the switch, in which nothing may be amiss.
    pub(super) fn strict(bytes: &'a [u8]) -> Result<Msg<'a>, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
        let msg = Msg::read(text).ok_or("unreadable, or without Via, From, To, Call-ID or CSeq")?;
        if text.replace("\r\n", "").contains(['\r', '\n', '\0']) {
            return Err("a stray line end".to_owned());
        }
        for name in ["From", "To", "Call-ID", "CSeq", "Content-Length", "Max-Forwards"] {
            let count = msg.headers(name).count();
            let wanted = name != "Max-Forwards" || !msg.is_response();
            if count > 1 || (wanted && count == 0) {
                return Err(format!("{count} times {name}"));
            }
        }
        let length = msg.header("Content-Length").and_then(|value| value.parse::<usize>().ok());
        if length != Some(msg.body.len()) {
            return Err(format!("Content-Length {length:?} with a body of {}", msg.body.len()));
        }
        if !msg.branch().is_some_and(|branch| branch.starts_with("z9hG4bK") || msg.is_response()) {
            return Err("no branch of RFC 3261".to_owned());
        }
        Ok(msg)
    }

    /// The Call-ID of a message that need not be readable.
    pub(super) fn call_id_of(bytes: &'a [u8]) -> Option<&'a str> {
        let line = bytes.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Call-ID: "))?;
        std::str::from_utf8(line).ok().map(str::trim)
    }

    pub(super) fn is_response(&self) -> bool {
        self.start.starts_with("SIP/2.0")
    }

    /// The method of a request.
    pub(super) fn method(&self) -> &'a str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// The Request-URI of a request.
    pub(super) fn uri(&self) -> &'a str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The status code of a response.
    pub(super) fn code(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    pub(super) fn headers(&self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|&(_, value)| value)
    }

    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, value)| value)
    }

    pub(super) fn call_id(&self) -> &'a str {
        self.header("Call-ID").unwrap_or_default()
    }

    pub(super) fn cseq(&self) -> Option<(u32, &'a str)> {
        let (number, method) = self.header("CSeq")?.split_once(' ')?;
        Some((number.parse().ok()?, method.trim()))
    }

    /// Branch of the top Via.
    pub(super) fn branch(&self) -> Option<&'a str> {
        param(self.header("Via")?, "branch")
    }

    /// Tag of From or To.
    pub(super) fn tag(&self, header: &str) -> Option<&'a str> {
        param(self.header(header)?, "tag")
    }

    /// The URI of the Contact.
    pub(super) fn contact(&self) -> Option<&'a str> {
        self.header("Contact").map(uri_of)
    }
}

/// The URI in `<>`, or all of it.
pub(super) fn uri_of(value: &str) -> &str {
    match value.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => value,
    }
}

/// A parameter behind a header's value.
fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let outside = value.rsplit_once('>').map_or(value, |(_, params)| params);
    outside.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The address of the first audio stream of a description, and its direction.
pub(super) fn audio(body: &str) -> Option<(&str, u16, &str)> {
    let address = body.lines().find_map(|line| line.strip_prefix("c=IN IP4 "))?;
    let port =
        body.lines().find_map(|line| line.strip_prefix("m=audio "))?.split(' ').next()?.parse().ok()?;
    let known = ["sendrecv", "sendonly", "recvonly", "inactive"];
    let stated =
        body.lines().find_map(|line| known.into_iter().find(|way| line.strip_prefix("a=") == Some(way)));
    Some((address, port, stated.unwrap_or("sendrecv")))
}

/// The direction in which an answer mirrors an offer.
pub(super) fn mirrored(direction: &str) -> &'static str {
    match direction {
        "sendonly" => "recvonly",
        "recvonly" => "sendonly",
        "inactive" => "inactive",
        _ => "sendrecv",
    }
}

/// A head and its body, with the length of it.
pub(super) fn with_body(mut head: String, body: &str) -> String {
    if !body.is_empty() {
        head += "Content-Type: application/sdp\r\n";
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    head + body
}

/// A response to a request: what it must copy, and what is given.
pub(super) fn response(request: &Msg<'_>, status: &str, tag: &str, more: &str, body: &str) -> String {
    let mut head = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "Record-Route"] {
        for value in request.headers(name) {
            head += &format!("{name}: {value}\r\n");
        }
    }
    for name in ["From", "Call-ID", "CSeq", "To"] {
        let value = request.header(name).unwrap_or_default();
        let tagged = name == "To" && request.tag("To").is_none() && !tag.is_empty();
        let tag = if tagged { format!(";tag={tag}") } else { String::new() };
        head += &format!("{name}: {value}{tag}\r\n");
    }
    with_body(head + more, body)
}

/// A description of one audio stream.
pub(super) fn sdp(at: (std::net::IpAddr, u16), version: u32, direction: &str) -> String {
    let (address, port) = at;
    format!(
        "v=0\r\no=- {port} {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    )
}
