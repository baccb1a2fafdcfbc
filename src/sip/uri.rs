//! URIs: sip, sips, tel and urn are understood, any other scheme is carried as text.
//!
//! The text is kept as received and escapes are decoded on demand, so that a URI is written back exactly
//! as it was read. Two URIs are equal when their texts are; the equivalence of RFC 3261, 19.1.4 is not here.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use super::host::Host;

use super::Transport;
use super::grammar::{self, URIC, USER};
use super::host::{BadHost, HostRef, host_port, push_ip};

/// A URI that was checked when it was read; it holds no white space, control character or bracket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uri {
    text: String,
    scheme: Scheme,
    user: Option<Range<usize>>,
    host: Option<Host>,
    port: Option<u16>,
    params: Range<usize>,
}

/// The scheme of a URI.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RFC 3261, 19.1.
    Sip,
    /// The same, over TLS.
    Sips,
    /// A telephone number, RFC 3966.
    Tel,
    /// A name, such as the emergency services' `urn:service:sos`, RFC 5031.
    Urn,
    /// Anything else.
    Other,
}

/// Why a text is no URI.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum BadUri {
    /// It does not begin with a scheme and a colon.
    #[error("no scheme")]
    Scheme,
    /// The user part is empty, or holds a character or an escape that may not stand there.
    #[error("malformed user part")]
    User,
    /// The host or port is malformed.
    #[error(transparent)]
    Host(#[from] BadHost),
    /// The number of a tel URI is none.
    #[error("malformed telephone number")]
    Number,
    /// A parameter has no name, or holds a character or an escape that may not stand there.
    #[error("malformed parameter")]
    Param,
    /// What follows the question mark, or the scheme of an opaque URI, is malformed.
    #[error("malformed headers or opaque part")]
    Opaque,
}

impl Uri {
    /// Reads a whole URI, without brackets or surrounding space.
    pub fn parse(text: &str) -> Result<Uri, BadUri> {
        let parts = read(text)?;
        let params_end = text.len() - parts.headers.len();
        Ok(Uri {
            scheme: parts.scheme,
            user: parts.user.map(|user| parts.start..parts.start + user.len()),
            host: parts.host.map(HostRef::to_host),
            port: parts.port,
            params: params_end - parts.params.len()..params_end,
            text: text.to_owned(),
        })
    }

    /// A SIP URI of an address, with the port always written, and `;transport=tcp` for TCP; `user` is
    /// escaped as needed, and left out when empty.
    pub fn sip(user: Option<&str>, addr: SocketAddr, transport: Transport) -> Uri {
        let mut text = String::with_capacity(64);
        text.push_str("sip:");
        let user = user.filter(|user| !user.is_empty()).map(|user| {
            let start = text.len();
            escape_user(&mut text, user);
            start..text.len()
        });
        if user.is_some() {
            text.push('@');
        }
        push_ip(&mut text, addr.ip());
        text.push(':');
        grammar::push_number(&mut text, addr.port().into());
        let params = text.len();
        if transport == Transport::Tcp {
            text.push_str(";transport=tcp");
        }
        Uri {
            scheme: Scheme::Sip,
            user,
            host: Some(Host::Ip(addr.ip())),
            port: Some(addr.port()),
            params: params..text.len(),
            text,
        }
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user part without password and escapes; of a tel URI the number without visual separators.
    pub fn user(&self) -> Option<Cow<'_, str>> {
        let user = self.text.get(self.user.clone()?)?;
        if self.scheme == Scheme::Tel {
            return Some(without_separators(user));
        }
        Some(decode(user.split_once(':').map_or(user, |(user, _password)| user)))
    }

    /// The host of a SIP URI; `None` for the other schemes.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The port, where one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The value of a parameter as received, "" for a flag; `name` is compared decoded and in any case.
    pub fn param(&self, name: &str) -> Option<&str> {
        let params = self.text.get(self.params.clone())?;
        params.split(';').skip(1).find_map(|param| {
            let (n, value) = param.split_once('=').unwrap_or((param, ""));
            decode(n).eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The transport asked for by the `transport` parameter, when it is one of ours.
    pub fn transport(&self) -> Option<Transport> {
        let name = self.param("transport")?;
        [Transport::Udp, Transport::Tcp]
            .into_iter()
            .find(|transport| transport.name().eq_ignore_ascii_case(name))
    }

    /// Where to send, when the host is an address and the port is not zero; port 5060 when none is written
    /// (5061 for sips).
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let Some(Host::Ip(ip)) = self.host else { return None };
        let default = if self.scheme == Scheme::Sips { 5061 } else { 5060 };
        let port = self.port.unwrap_or(default);
        (port != 0).then(|| SocketAddr::new(ip, port))
    }

    /// The whole text, as received.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Uri {
    type Error = BadUri;

    fn try_from(text: String) -> Result<Uri, BadUri> {
        Uri::parse(&text)
    }
}

impl From<Uri> for String {
    fn from(uri: Uri) -> String {
        uri.text
    }
}

/// A URI's parts, borrowed: what the front door needs of one.
#[derive(Copy, Clone, Debug)]
pub(super) struct Parts<'a> {
    pub(super) scheme: Scheme,
    /// Length of the scheme and its colon.
    start: usize,
    /// With password and escapes; the number of a tel URI.
    user: Option<&'a str>,
    host: Option<HostRef<'a>>,
    port: Option<u16>,
    /// From the first semicolon on, or empty.
    params: &'a str,
    /// From the question mark on, or empty.
    pub(super) headers: &'a str,
}

/// Checks a whole URI without allocating.
pub(super) fn read(text: &str) -> Result<Parts<'_>, BadUri> {
    let colon = memchr::memchr(b':', text.as_bytes()).ok_or(BadUri::Scheme)?;
    let scheme = read_scheme(&text[..colon])?;
    let start = colon + 1;
    let body = &text[start..];
    match scheme {
        Scheme::Sip | Scheme::Sips => read_sip(scheme, start, body),
        Scheme::Tel => {
            let (number, params) = body.split_at(memchr::memchr(b';', body.as_bytes()).unwrap_or(body.len()));
            check_number(number)?;
            check_params(params)?;
            Ok(Parts { scheme, start, user: Some(number), host: None, port: None, params, headers: "" })
        }
        Scheme::Urn | Scheme::Other => {
            let visible = !body.is_empty()
                && body.bytes().all(|byte| grammar::is(byte, URIC) || b";?@".contains(&byte));
            if !visible {
                return Err(BadUri::Opaque);
            }
            Ok(Parts { scheme, start, user: None, host: None, port: None, params: "", headers: "" })
        }
    }
}

fn read_scheme(name: &str) -> Result<Scheme, BadUri> {
    const KNOWN: [(&str, Scheme); 4] =
        [("sip", Scheme::Sip), ("sips", Scheme::Sips), ("tel", Scheme::Tel), ("urn", Scheme::Urn)];
    if name == "sip" {
        return Ok(Scheme::Sip);
    }
    if let Some(&(_, scheme)) = KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Ok(scheme);
    }
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let rest = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if begins && rest { Ok(Scheme::Other) } else { Err(BadUri::Scheme) }
}

fn read_sip(scheme: Scheme, start: usize, body: &str) -> Result<Parts<'_>, BadUri> {
    let (user, rest) = match memchr::memchr(b'@', body.as_bytes()) {
        Some(at) => (Some(&body[..at]), &body[at + 1..]),
        None => (None, body),
    };
    if let Some(user) = user {
        let whole = !user.is_empty() && !user.starts_with(':') && grammar::all(user, USER);
        if !whole || !grammar::escapes_are_whole(user) {
            return Err(BadUri::User);
        }
    }
    let host_end = memchr::memchr2(b';', b'?', rest.as_bytes()).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(host_end);
    let (host, port) = host_port(host)?;
    let params_end = memchr::memchr(b'?', rest.as_bytes()).unwrap_or(rest.len());
    let (params, headers) = rest.split_at(params_end);
    check_params(params)?;
    let hnames = headers.get(1..).unwrap_or("");
    if !grammar::all(hnames, URIC) || !grammar::escapes_are_whole(hnames) {
        return Err(BadUri::Opaque);
    }
    Ok(Parts { scheme, start, user, host: Some(host), port, params, headers })
}

/// RFC 3966, 3: digits, visual separators and a leading plus; letters up to F, star and hash in local numbers.
fn check_number(number: &str) -> Result<(), BadUri> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let is_digit = |byte: u8| byte.is_ascii_hexdigit() || b"*#".contains(&byte);
    let any = digits.bytes().any(is_digit);
    let all = digits.bytes().all(|byte| is_digit(byte) || b"-.()".contains(&byte));
    if any && all { Ok(()) } else { Err(BadUri::Number) }
}

fn check_params(params: &str) -> Result<(), BadUri> {
    if params.is_empty() {
        return Ok(());
    }
    // A semicolon is followed by the first character of a name.
    let bytes = params.as_bytes();
    let named = |at: usize| !matches!(bytes.get(at + 1), None | Some(b';' | b'='));
    let whole = bytes
        .iter()
        .enumerate()
        .all(|(at, &byte)| if byte == b';' { named(at) } else { grammar::is(byte, URIC) });
    if whole && grammar::escapes_are_whole(params) { Ok(()) } else { Err(BadUri::Param) }
}

fn without_separators(number: &str) -> Cow<'_, str> {
    const SEPARATORS: [char; 4] = ['-', '.', '(', ')'];
    if number.contains(SEPARATORS) {
        Cow::Owned(number.replace(SEPARATORS, ""))
    } else {
        Cow::Borrowed(number)
    }
}

/// Decodes `%XX`; bytes that are not UTF-8 become U+FFFD.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *byte == b'%' => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        out.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    Cow::Owned(
        String::from_utf8(out).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned()),
    )
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Writes what RFC 3261, 25.1 lets stand in a user part, and escapes of the rest.
fn escape_user(out: &mut String, user: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let (high, low) = (DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]);
            out.extend(['%', char::from(high), char::from(low)]);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn uri(text: &str) -> Uri {
        let uri = Uri::parse(text).unwrap_or_else(|bad| panic!("{text}: {bad}"));
        assert_eq!(uri.to_string(), text, "written back as read");
        uri
    }

    #[test]
    fn a_dotted_user_is_a_user_and_not_the_host() {
        let uri = uri("sip:john.smith@host");
        assert_eq!(uri.user().as_deref(), Some("john.smith"));
        assert_eq!(uri.host(), Some(&Host::Name("host".into())));
        assert_eq!(uri.port(), None);
    }

    #[test]
    fn an_ipv6_host_is_read_with_its_port() {
        let uri = uri("sips:bob@[2001:db8::1]:5071;transport=TCP");
        assert_eq!(uri.socket_addr(), Some("[2001:db8::1]:5071".parse().unwrap()));
        assert_eq!(uri.transport(), Some(Transport::Tcp));
        assert_eq!(uri.scheme(), Scheme::Sips);
    }

    #[test]
    fn a_tel_uri_is_its_number_and_has_no_host() {
        let uri = uri("tel:+44-(161)-496.0000;phone-context=example.com");
        assert_eq!(uri.user().as_deref(), Some("+441614960000"));
        assert_eq!(uri.host(), None);
        assert_eq!(uri.param("phone-context"), Some("example.com"));
    }

    #[test]
    fn a_urn_is_carried_as_text() {
        let uri = uri("urn:service:sos.ambulance");
        assert_eq!((uri.scheme(), uri.user(), uri.host()), (Scheme::Urn, None, None));
        assert_eq!(uri.as_str(), "urn:service:sos.ambulance");
    }

    #[test]
    fn unknown_schemes_are_carried_as_text() {
        for text in ["soap.beep://192.0.2.103:3002", "isbn:2983792873", "http://a@b/c?d;e"] {
            assert_eq!(uri(text).scheme(), Scheme::Other, "{text}");
        }
    }

    #[test]
    fn escapes_are_decoded_on_demand() {
        let uri1 = uri("sip:I%20have%20spaces:pass%20word@example.net;%6C%72;n%61me=v%61lue");
        assert_eq!(uri1.user().as_deref(), Some("I have spaces"));
        assert_eq!(uri1.param("lr"), Some(""));
        assert_eq!(uri1.param("NAME"), Some("v%61lue"));
        assert_eq!(uri1.param("other"), None);
        assert_eq!(uri("sip:null-%00-null@example.com").user().as_deref(), Some("null-\0-null"));
        assert_eq!(uri("sip:%ff@example.com").user().as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn a_user_part_may_hold_what_separates_elsewhere() {
        assert_eq!(
            uri("sip:user;par=u%40example.net@example.com").user().as_deref(),
            Some("user;par=u@example.net")
        );
        let odd = "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com";
        assert_eq!(uri(odd).user().as_deref(), Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
        assert_eq!(uri("sip:*21*123#@example.com").user().as_deref(), Some("*21*123#"));
    }

    #[test]
    fn the_default_port_is_that_of_the_scheme() {
        assert_eq!(uri("sip:192.0.2.1").socket_addr(), Some("192.0.2.1:5060".parse().unwrap()));
        assert_eq!(uri("sips:192.0.2.1").socket_addr(), Some("192.0.2.1:5061".parse().unwrap()));
        assert_eq!(uri("sip:192.0.2.1:0").socket_addr(), None);
        assert_eq!(uri("sip:example.com").socket_addr(), None);
    }

    #[test]
    fn malformed_uris_are_refused() {
        for (text, why) in [
            ("", BadUri::Scheme),
            ("example.com", BadUri::Scheme),
            ("<sip:user@example.com>", BadUri::Scheme),
            ("1sip:a@b", BadUri::Scheme),
            ("sip:@b", BadUri::User),
            ("sip::pw@b", BadUri::User),
            ("sip:a b@c", BadUri::User),
            ("sip:a%4@c", BadUri::User),
            ("sip:a\r\nX: y@c", BadUri::User),
            ("sip:", BadUri::Host(BadHost::Host)),
            ("sip:a@", BadUri::Host(BadHost::Host)),
            ("sip:a@b@c", BadUri::Host(BadHost::Host)),
            ("sip:a@b c", BadUri::Host(BadHost::Host)),
            ("sip:a@b:99999", BadUri::Host(BadHost::Port)),
            ("sip:a@b; lr", BadUri::Param),
            ("sip:a@b;", BadUri::Param),
            ("sip:a@b;;lr", BadUri::Param),
            ("sip:a@b;=x", BadUri::Param),
            ("sip:a@b;x=%zz", BadUri::Param),
            ("sip:a@b?x=\"", BadUri::Opaque),
            ("tel:", BadUri::Number),
            ("tel:+", BadUri::Number),
            ("tel:bob", BadUri::Number),
            ("urn:", BadUri::Opaque),
            ("isbn: 1", BadUri::Opaque),
        ] {
            assert_eq!(Uri::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_built_uri_reads_back_whatever_the_user() {
        let v6 = "[2001:db8::1]:5080".parse().unwrap();
        for user in ["bob", "a@b:c d%", "Zoë\r\n<>", "+44161"] {
            for transport in [Transport::Udp, Transport::Tcp] {
                let uri = Uri::sip(Some(user), v6, transport);
                assert_eq!(uri.user().as_deref(), Some(user));
                assert_eq!(uri.socket_addr(), Some(v6));
                assert_eq!(uri.transport(), (transport == Transport::Tcp).then_some(Transport::Tcp));
            }
        }
        assert_eq!(Uri::sip(None, v6, Transport::Udp).to_string(), "sip:[2001:db8::1]:5080");
        assert_eq!(Uri::sip(Some(""), v6, Transport::Udp).user(), None);
    }

    #[test]
    fn a_stored_uri_comes_back_whole() {
        let uri = uri("sip:a%20b:c@[::1]:5060;lr?x=y");
        let stored = serde_json::to_string(&uri).unwrap();
        assert_eq!(serde_json::from_str::<Uri>(&stored).unwrap(), uri);
        assert!(serde_json::from_str::<Uri>("\"sip:\"").is_err());
    }
}
