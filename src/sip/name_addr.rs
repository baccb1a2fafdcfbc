//! A URI with a display name and parameters: one element of From, To, Contact, Route, Record-Route or
//! P-Asserted-Identity (RFC 3261, 20.10).
//!
//! Written always with angle brackets and a quoted display name, so that nothing in it can be misread.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::grammar::{self, TEXT};
use super::uri::{self, BadUri, Uri};

/// One such element; `*` is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NameAddr {
    /// Without quotes and escapes.
    display: Option<String>,
    uri: Uri,
    /// `;name=value...` without white space, or empty.
    params: String,
}

/// Why a text is no such element.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum BadNameAddr {
    /// Quotes or brackets do not match, or the display name holds a character that may not stand there.
    #[error("malformed display name or brackets")]
    Display,
    /// A URI with a comma or question mark must stand in brackets.
    #[error("URI with a comma or question mark outside of brackets")]
    Unbracketed,
    /// The URI is malformed.
    #[error(transparent)]
    Uri(#[from] BadUri),
    /// A parameter is malformed or has no name.
    #[error("malformed parameter")]
    Param,
}

impl NameAddr {
    /// Reads one element: `"name" <uri>;params`, `name <uri>;params` or `uri;params`.
    pub fn parse(one_value: &str) -> Result<NameAddr, BadNameAddr> {
        let parts = split(one_value)?;
        let uri = Uri::parse(parts.uri)?;
        read_params(parts.params)?;
        let display = match parts.display {
            "" => None,
            quoted if quoted.starts_with('"') => Some(grammar::unquote(quoted)),
            tokens => Some(tokens.to_owned()),
        };
        Ok(NameAddr {
            display: display.filter(|name| !name.is_empty()),
            uri,
            params: grammar::params_without(parts.params, ""),
        })
    }

    /// A bare URI.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, params: String::new() }
    }

    /// The display name without quotes and escapes.
    pub fn display_name(&self) -> Option<&str> {
        self.display.as_deref()
    }

    /// Sets the display name; control characters are dropped, and the empty name removes it.
    pub fn set_display_name(&mut self, name: &str) {
        let name: String = name.chars().filter(|c| !c.is_ascii_control()).collect();
        self.display = Some(name).filter(|name| !name.is_empty());
    }

    /// The URI.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The URI alone.
    pub fn into_uri(self) -> Uri {
        self.uri
    }

    /// The tag, when it is not empty.
    pub fn tag(&self) -> Option<&str> {
        tag(&self.params)
    }

    /// Sets the tag, of which only token characters are kept.
    pub fn set_tag(&mut self, tag: &str) {
        let tag = tag.chars().filter(|&c| grammar::is_token_char(c));
        let mut params = grammar::params_without(&self.params, "tag");
        params.push_str(";tag=");
        params.extend(tag);
        self.params = params;
    }

    /// As written in a header.
    pub fn text(&self) -> String {
        let display = self.display.as_deref().unwrap_or_default();
        let mut out = String::with_capacity(display.len() + self.uri.as_str().len() + self.params.len() + 8);
        if !display.is_empty() {
            grammar::push_quoted(&mut out, display);
            out.push(' ');
        }
        out.extend(["<", self.uri.as_str(), ">", &self.params]);
        out
    }

    /// The value of a parameter of the element, not of its URI; "" for a flag, quotes kept.
    pub fn param(&self, name: &str) -> Option<&str> {
        grammar::param(&self.params, name)
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl TryFrom<String> for NameAddr {
    type Error = BadNameAddr;

    fn try_from(text: String) -> Result<NameAddr, BadNameAddr> {
        NameAddr::parse(&text)
    }
}

impl From<NameAddr> for String {
    fn from(element: NameAddr) -> String {
        element.text()
    }
}

/// An element's parts, borrowed.
#[derive(Copy, Clone, Debug)]
pub(super) struct Parts<'a> {
    /// As received, quotes included; empty for none.
    display: &'a str,
    uri: &'a str,
    /// From the first semicolon on, or empty.
    params: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn tag(&self) -> Option<&'a str> {
        tag(self.params)
    }
}

/// Checks one element without allocating, and gives its tag.
pub(super) fn check(text: &str) -> Result<Option<&str>, BadNameAddr> {
    let parts = split(text)?;
    uri::read(parts.uri)?;
    read_params(parts.params)
}

/// Checks the parameters, and gives the tag among them.
fn read_params(params: &str) -> Result<Option<&str>, BadNameAddr> {
    let mut tag = None;
    for param in grammar::params(params) {
        let (name, value) = param.map_err(|_| BadNameAddr::Param)?;
        if tag.is_none() && name.eq_ignore_ascii_case("tag") {
            tag = Some(value.unwrap_or(""));
        }
    }
    Ok(tag.filter(|tag| !tag.is_empty()))
}

/// Finds the parts without looking into URI and parameters.
pub(super) fn split(text: &str) -> Result<Parts<'_>, BadNameAddr> {
    let text = grammar::trim(text);
    if text.starts_with('"') {
        let (display, rest) = text.split_at(grammar::quoted_len(text).ok_or(BadNameAddr::Display)?);
        return bracketed(display, grammar::trim_start(rest));
    }
    // A bracket after a semicolon or quote belongs to a parameter of a URI without brackets.
    match memchr::memchr3(b'<', b';', b'"', text.as_bytes()) {
        Some(at) if text.as_bytes()[at] == b'<' => {
            let display = grammar::trim_end(&text[..at]);
            if !grammar::all(display, TEXT) || display.bytes().any(|byte| matches!(byte, b'>' | b'\\')) {
                return Err(BadNameAddr::Display);
            }
            bracketed(display, &text[at..])
        }
        _ => {
            let end = memchr::memchr(b';', text.as_bytes()).unwrap_or(text.len());
            let (uri, params) = text.split_at(end);
            let uri = grammar::trim_end(uri);
            if uri.bytes().any(|byte| matches!(byte, b',' | b'?')) {
                return Err(BadNameAddr::Unbracketed);
            }
            Ok(Parts { display: "", uri, params })
        }
    }
}

fn bracketed<'a>(display: &'a str, rest: &'a str) -> Result<Parts<'a>, BadNameAddr> {
    let rest = rest.strip_prefix('<').ok_or(BadNameAddr::Display)?;
    let end = memchr::memchr(b'>', rest.as_bytes()).ok_or(BadNameAddr::Display)?;
    Ok(Parts { display, uri: &rest[..end], params: grammar::trim(&rest[end + 1..]) })
}

fn tag(params: &str) -> Option<&str> {
    grammar::param(params, "tag").filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn element(text: &str) -> NameAddr {
        NameAddr::parse(text).unwrap_or_else(|bad| panic!("{text}: {bad}"))
    }

    #[test]
    fn the_three_forms_are_read() {
        for (text, display, uri, tag) in [
            (r#""Bell, A. \"x\"" <sip:a@b;lr>;tag=1"#, Some(r#"Bell, A. "x""#), "sip:a@b;lr", Some("1")),
            ("caller<sip:a@b>;tag=323", Some("caller"), "sip:a@b", Some("323")),
            ("Bell, Alexander <sip:a@b>", Some("Bell, Alexander"), "sip:a@b", None),
            ("<sip:a@b>", None, "sip:a@b", None),
            (r#""" <sip:a@b>"#, None, "sip:a@b", None),
            ("sip:a@b;tag=x", None, "sip:a@b", Some("x")),
            ("sip:a@b ;   tag    = 1918181833n", None, "sip:a@b", Some("1918181833n")),
            ("tel:+441614960000;tag=t", None, "tel:+441614960000", Some("t")),
            ("<http://www.example.com?x>;tag=3", None, "http://www.example.com?x", Some("3")),
        ] {
            let read = element(text);
            assert_eq!((read.display_name(), read.uri().as_str(), read.tag()), (display, uri, tag), "{text}");
            assert_eq!(element(&read.to_string()), read, "{text}");
        }
    }

    #[test]
    fn parameters_outside_brackets_are_the_headers() {
        let bare = element("sip:+19725552222@gw1.example.net;unknownparam;q=0.3");
        assert_eq!((bare.param("unknownparam"), bare.param("q")), (Some(""), Some("0.3")));
        assert_eq!(bare.uri().param("unknownparam"), None);
        let inside = element("<sip:+19725552222@gw1.example.net;unknownparam>");
        assert_eq!((inside.param("unknownparam"), inside.uri().param("unknownparam")), (None, Some("")));
        let instance = element(r#"sip:a@b;+sip.instance="<urn:uuid:1>";x=y"#);
        assert_eq!(
            (instance.param("+sip.instance"), instance.param("x")),
            (Some(r#""<urn:uuid:1>""#), Some("y"))
        );
    }

    #[test]
    fn a_star_is_no_element() {
        assert_eq!(NameAddr::parse("*"), Err(BadNameAddr::Uri(BadUri::Scheme)));
    }

    #[test]
    fn malformed_elements_are_refused() {
        for text in [
            "",
            r#""Mr. J. User <sip:j.user@example.com>"#,
            r#""Watson" < sip:t.watson@example.org >"#,
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            r#""Joe" <sip:joe@example.org>;;;;"#,
            "<sip:a@b",
            "sip:a@b>",
            "a > <sip:a@b>",
            "<sip:a@b> x",
            "<sip:a@b>,<sip:c@d>",
            "sip:a@b,sip:c@d",
            "<sip:a@b>;tag=1\r\nX: y",
            "x\r\ny <sip:a@b>",
        ] {
            assert!(NameAddr::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_and_tags_are_set_without_breaking_out() {
        let mut element = element("sip:a@b;tag=old;x=1");
        element.set_display_name("Zoë \"Z\" \\\r\nVia: x");
        element.set_tag("n-1\r\n;y");
        assert_eq!(element.to_string(), r#""Zoë \"Z\" \\Via: x" <sip:a@b>;x=1;tag=n-1y"#);
        assert_eq!(NameAddr::parse(&element.to_string()), Ok(element.clone()));
        element.set_display_name("");
        assert_eq!(element.display_name(), None);
    }
}
