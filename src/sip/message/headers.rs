//! The headers of a message, in order: the one file that names rsip.
//!
//! rsip keeps them; it reads none of the values that it is known to misread (addresses, URIs, Via, digests).
//! After the front door each header holds one element, under its full name.

use rsip::headers::UntypedHeader;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sip::grammar;
use crate::sip::name_addr::{self, NameAddr};
use crate::sip::via::Via;

use super::Method;

/// Headers in order; names are compared in any case, and no name or value holds CR, LF or NUL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<rsip::Header>);

impl Headers {
    /// None yet, and room for as many as most messages have.
    pub fn new() -> Headers {
        Headers(Vec::with_capacity(16))
    }

    /// The value of the first header called `name`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The values of all headers called `name`, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Appends a header.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push(header(name, value.into()));
    }

    /// Puts a header before all others.
    pub fn push_front(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(0, header(name, value.into()));
    }

    /// Replaces the first header called `name` in its place and removes its others; appends when there is none.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let at = self.iter().position(|(n, _)| n.eq_ignore_ascii_case(name));
        self.remove(name);
        self.0.insert(at.unwrap_or(self.0.len()), header(name, value.into()));
    }

    /// Replaces the first Via in its place, or puts it before all headers; the other Vias stay.
    pub fn set_top_via(&mut self, via: &Via) {
        let at = self.iter().position(|(n, _)| n.eq_ignore_ascii_case("Via"));
        let via = header("Via", via.text());
        match at {
            Some(at) => self.0[at] = via,
            None => self.0.insert(0, via),
        }
    }

    /// Removes all headers called `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|header| !parts(header).0.eq_ignore_ascii_case(name));
    }

    /// A copy of the headers whose names are wanted, in order.
    pub(super) fn copied(&self, wanted: impl Fn(&str) -> bool) -> Headers {
        Headers(self.0.iter().filter(|header| wanted(parts(header).0)).cloned().collect())
    }

    /// Name and value of each header, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(parts)
    }

    /// The first Via.
    pub fn top_via(&self) -> Option<Via> {
        Via::parse(self.value("Via")?).ok()
    }

    /// From.
    pub fn from(&self) -> Option<NameAddr> {
        NameAddr::parse(self.value("From")?).ok()
    }

    /// To.
    pub fn to(&self) -> Option<NameAddr> {
        NameAddr::parse(self.value("To")?).ok()
    }

    /// From's tag; builds nothing.
    pub fn from_tag(&self) -> Option<&str> {
        name_addr::split(self.value("From")?).ok()?.tag()
    }

    /// To's tag; builds nothing.
    pub fn to_tag(&self) -> Option<&str> {
        name_addr::split(self.value("To")?).ok()?.tag()
    }

    /// Call-ID.
    pub fn call_id(&self) -> Option<&str> {
        self.value("Call-ID")
    }

    /// CSeq: its number and method.
    pub fn cseq(&self) -> Option<(u32, Method)> {
        let (number, method) = read_cseq(self.value("CSeq")?)?;
        Some((number, Method::named(method)?))
    }

    /// The first Contact; `None` for `*`.
    pub fn contact(&self) -> Option<NameAddr> {
        NameAddr::parse(self.value("Contact")?).ok()
    }

    /// Max-Forwards.
    pub fn max_forwards(&self) -> Option<u8> {
        let hops = grammar::number(self.value("Max-Forwards")?, u32::from(u8::MAX))?;
        u8::try_from(hops).ok()
    }

    /// Record-Route, in the order received.
    pub fn record_routes(&self) -> Vec<NameAddr> {
        self.values("Record-Route").filter_map(|value| NameAddr::parse(value).ok()).collect()
    }

    /// Route, in the order received.
    pub fn routes(&self) -> Vec<NameAddr> {
        self.values("Route").filter_map(|value| NameAddr::parse(value).ok()).collect()
    }
}

/// Number (below 2^31, RFC 3261, 8.1.1.5) and method of a CSeq.
pub(in crate::sip) fn read_cseq(value: &str) -> Option<(u32, &str)> {
    let (number, method) = grammar::trim(value).split_once([' ', '\t'])?;
    let method = grammar::trim_start(method);
    let number = grammar::number(number, (1 << 31) - 1)?;
    grammar::is_token(method).then_some((number, method))
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Headers, D::Error> {
        let stored = Vec::<(String, String)>::deserialize(deserializer)?;
        Ok(Headers(stored.into_iter().map(|(name, value)| header(&name, value)).collect()))
    }
}

fn header(name: &str, mut value: String) -> rsip::Header {
    if memchr::memchr3(b'\r', b'\n', 0, value.as_bytes()).is_some() {
        value = value.replace(['\r', '\n', '\0'], " ");
    }
    let trimmed = grammar::trim(&value);
    if trimmed.len() < value.len() {
        value = trimmed.to_owned();
    }
    known(name, value).unwrap_or_else(|value| {
        let token = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-');
        let name = if grammar::is_token(name) { name.to_owned() } else { token.collect() };
        rsip::Header::Other(name, value)
    })
}

macro_rules! known {
    ($($variant:ident $name:literal)*) => {
        /// The header that rsip knows by this name; gives the value back when there is none.
        fn known(name: &str, value: String) -> Result<rsip::Header, String> {
            $(
                if name.eq_ignore_ascii_case($name) {
                    return Ok(rsip::Header::$variant(rsip::headers::$variant::new(value)));
                }
            )*
            Err(value)
        }

        fn parts(header: &rsip::Header) -> (&str, &str) {
            match header {
                $(rsip::Header::$variant(header) => ($name, header.value()),)*
                rsip::Header::Other(name, value) => (name, value),
            }
        }
    };
}

known! {
    Accept "Accept"
    AcceptEncoding "Accept-Encoding"
    AcceptLanguage "Accept-Language"
    AlertInfo "Alert-Info"
    Allow "Allow"
    AuthenticationInfo "Authentication-Info"
    Authorization "Authorization"
    CSeq "CSeq"
    CallId "Call-ID"
    CallInfo "Call-Info"
    Contact "Contact"
    ContentDisposition "Content-Disposition"
    ContentEncoding "Content-Encoding"
    ContentLanguage "Content-Language"
    ContentLength "Content-Length"
    ContentType "Content-Type"
    Date "Date"
    ErrorInfo "Error-Info"
    Event "Event"
    Expires "Expires"
    From "From"
    InReplyTo "In-Reply-To"
    MaxForwards "Max-Forwards"
    MimeVersion "MIME-Version"
    MinExpires "Min-Expires"
    Organization "Organization"
    Priority "Priority"
    ProxyAuthenticate "Proxy-Authenticate"
    ProxyAuthorization "Proxy-Authorization"
    ProxyRequire "Proxy-Require"
    RecordRoute "Record-Route"
    ReplyTo "Reply-To"
    Require "Require"
    RetryAfter "Retry-After"
    Route "Route"
    Server "Server"
    Subject "Subject"
    SubscriptionState "Subscription-State"
    Supported "Supported"
    Timestamp "Timestamp"
    To "To"
    Unsupported "Unsupported"
    UserAgent "User-Agent"
    Via "Via"
    Warning "Warning"
    WwwAuthenticate "WWW-Authenticate"
}
