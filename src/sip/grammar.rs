//! The few lexical rules that URIs and headers share (RFC 3261, 25.1): byte classes, digits, quoted strings,
//! lists and parameters.
//!
//! Everything here borrows and allocates nothing, so that the front door can use it on every packet. Text
//! is expected unfolded: the only white space is space and tab.

/// A token: method, header name, parameter name, transport.
pub(super) const TOKEN: u8 = 1;
/// What may stand in a host name; underscores occur in the field.
pub(super) const HOST: u8 = 2;
/// What may stand in the user part of a SIP URI, escapes apart; wider than the RFC by `#` and by characters
/// outside ASCII, which phones do send.
pub(super) const USER: u8 = 4;
/// What may stand in URI parameters, URI headers and opaque URIs.
pub(super) const URIC: u8 = 8;
/// What may stand in an unquoted header parameter value (wider than token or host: base64 occurs in tags).
pub(super) const VALUE: u8 = 16;
/// Not a control character, save for tab.
pub(super) const TEXT: u8 = 32;

const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let visible = b > b' ' && b != 0x7f;
        let mut class = 0;
        if b.is_ascii_alphanumeric() || contains(b"-.!%*_+`'~", b) {
            class |= TOKEN;
        }
        if b.is_ascii_alphanumeric() || contains(b"-._", b) {
            class |= HOST;
        }
        if visible && !contains(b"\"<>@\\", b) {
            class |= USER;
        }
        if visible && !contains(b"\"<>@\\;?", b) {
            class |= URIC;
        }
        if visible && !contains(b"\"<>,;\\", b) {
            class |= VALUE;
        }
        if visible || b == b' ' || b == b'\t' {
            class |= TEXT;
        }
        table[byte] = class;
        byte += 1;
    }
    table
};

const fn contains(set: &[u8], byte: u8) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

/// Whether `byte` is of `class`.
#[inline]
pub(super) fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// Whether every byte of `text` is of `class`; true of the empty text.
pub(super) fn all(text: &str, class: u8) -> bool {
    text.bytes().all(|byte| is(byte, class))
}

/// Whether `text` is a token.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && all(text, TOKEN)
}

/// Whether `c` may stand in a token.
pub(super) fn is_token_char(c: char) -> bool {
    u8::try_from(c).is_ok_and(|byte| is(byte, TOKEN))
}

/// Whether each `%` of `text` begins an escape of two hexadecimal digits.
pub(super) fn escapes_are_whole(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'%', bytes).all(|at| {
        matches!(bytes.get(at + 1..at + 3), Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
    })
}

/// Splits off the longest beginning of `text` whose bytes are all of `class`.
pub(super) fn split_class(text: &str, class: u8) -> (&str, &str) {
    let end = text.bytes().position(|byte| !is(byte, class)).unwrap_or(text.len());
    // Every class either contains all bytes above 0x7f or none, so this is a character boundary.
    text.split_at(end)
}

/// The lines of a text, without their CRLF or LF; as `str::lines`, in a third of the time.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        match line.as_bytes() {
            [] => None,
            [.., b'\r', b'\n'] => Some(&line[..end - 2]),
            [.., b'\n'] => Some(&line[..end - 1]),
            _ => Some(line),
        }
    })
}

/// `text` without the white space (space and tab) at both ends.
pub(super) fn trim(text: &str) -> &str {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    match text.as_bytes() {
        [first, .., last] if !is_blank(first) && !is_blank(last) => text,
        _ => trim_end(trim_start(text)),
    }
}

/// `text` without white space at its beginning.
pub(super) fn trim_start(text: &str) -> &str {
    let blanks = text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[blanks..]
}

/// `text` without white space at its end.
pub(super) fn trim_end(text: &str) -> &str {
    let blanks = text.bytes().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[..text.len() - blanks]
}

/// A number of digits only, leading zeros allowed; `None` when it is none or above `max`.
pub(super) fn number(text: &str, max: u32) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    let mut sum: u64 = 0;
    for byte in text.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        sum = sum * 10 + u64::from(byte - b'0');
        if sum > u64::from(max) {
            return None;
        }
    }
    u32::try_from(sum).ok()
}

/// Appends a number in decimal digits.
pub(super) fn push_number(out: &mut String, number: u32) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

/// Length of the quoted string that `text` begins with, quotes included; `None` when it never ends or holds
/// CR, LF or NUL, or another control character that is not escaped.
pub(super) fn quoted_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match *bytes.get(at + 1)? {
                b'\r' | b'\n' | 0 => return None,
                _ => at += 2,
            },
            byte if is(byte, TEXT) => at += 1,
            _ => return None,
        }
    }
}

/// What a quoted string says: without its quotes and escapes.
pub(super) fn unquote(quoted: &str) -> String {
    let inner = quoted.strip_prefix('"').unwrap_or(quoted);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

/// Appends `text` as a quoted string, dropping what may not stand in one.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars().filter(|&c| c == '\t' || !c.is_ascii_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// The text is not a list of parameters, or not a list of elements.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The elements of a header's comma-separated list, trimmed; commas within quotes or `<>` do not separate.
pub(super) struct Elements<'a> {
    rest: Option<&'a str>,
}

/// Splits `list`; the empty text has one empty element.
pub(super) fn elements(list: &str) -> Elements<'_> {
    Elements { rest: Some(list) }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<&'a str, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let bytes = rest.as_bytes();
        let mut at = 0;
        loop {
            let Some(step) = memchr::memchr3(b',', b'"', b'<', &bytes[at..]) else {
                return Some(Ok(trim(rest)));
            };
            at += step;
            match bytes[at] {
                b',' => {
                    self.rest = Some(&rest[at + 1..]);
                    return Some(Ok(trim(&rest[..at])));
                }
                b'"' => match quoted_len(&rest[at..]) {
                    Some(len) => at += len,
                    None => return Some(Err(Malformed)),
                },
                _ => match memchr::memchr(b'>', &bytes[at..]) {
                    Some(len) => at += len + 1,
                    None => return Some(Err(Malformed)),
                },
            }
        }
    }
}

/// The parameters of a header: `;name`, `;name=value`, white space allowed around each part. A quoted value
/// keeps its quotes; `;name=` has the empty value.
pub(super) struct Params<'a> {
    rest: &'a str,
}

/// Reads `text`, which is empty or begins with a semicolon.
pub(super) fn params(text: &str) -> Params<'_> {
    Params { rest: trim(text) }
}

impl<'a> Iterator for Params<'a> {
    type Item = Result<(&'a str, Option<&'a str>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let param = self.read();
        if param.is_none() {
            self.rest = "";
        }
        Some(param.ok_or(Malformed))
    }
}

impl<'a> Params<'a> {
    fn read(&mut self) -> Option<(&'a str, Option<&'a str>)> {
        let (name, rest) = split_class(trim_start(self.rest.strip_prefix(';')?), TOKEN);
        let rest = trim_start(rest);
        let (value, rest) = match rest.strip_prefix('=').map(trim_start) {
            None => (None, rest),
            Some(rest) if rest.starts_with('"') => {
                let (value, rest) = rest.split_at(quoted_len(rest)?);
                (Some(value), rest)
            }
            Some(rest) => {
                let (value, rest) = split_class(rest, VALUE);
                (Some(value), rest)
            }
        };
        self.rest = trim_start(rest);
        let ends_well = self.rest.is_empty() || self.rest.starts_with(';');
        (!name.is_empty() && ends_well).then_some((name, value))
    }
}

/// The value of the first parameter called `name`, in any case; "" for a flag.
pub(super) fn param<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    params(text).flatten().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.unwrap_or(""))
}

/// `text`'s parameters without white space, `name` left out.
pub(super) fn params_without(text: &str, name: &str) -> String {
    // One parameter is often added.
    let mut out = String::with_capacity(text.len() + 32);
    for (n, value) in params(text).flatten().filter(|(n, _)| !n.eq_ignore_ascii_case(name)) {
        out.push(';');
        out.push_str(n);
        if let Some(value) = value {
            out.push('=');
            out.push_str(value);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_separate() {
        let list = r#""a, \"b" <sip:x,y@h>;q=1 , c,"#;
        let parts: Vec<_> = elements(list).map(Result::unwrap).collect();
        assert_eq!(parts, [r#""a, \"b" <sip:x,y@h>;q=1"#, "c", ""]);
        assert_eq!(elements(r#"a "b"#).last(), Some(Err(Malformed)));
        assert_eq!(elements("<sip:a").last(), Some(Err(Malformed)));
    }

    #[test]
    fn parameters_are_read_through_white_space_and_quotes() {
        let text = "; a = 1 ;\tb;c=\"x;y=\\\"\" ;d=";
        let all: Vec<_> = params(text).map(Result::unwrap).collect();
        assert_eq!(all, [("a", Some("1")), ("b", None), ("c", Some("\"x;y=\\\"\"")), ("d", Some(""))]);
        assert_eq!(param(text, "A"), Some("1"));
        assert_eq!(param(text, "B"), Some(""));
        assert_eq!(param(text, "x"), None);
        assert_eq!(params_without(text, "A"), ";b;c=\"x;y=\\\"\";d=");
    }

    #[test]
    fn malformed_parameters_are_told() {
        for text in [";", ";;a", ";a;", ";a b", "a=1", ";a=\"b", ";a=<b>", ";a=1,b", ";a=b\rc"] {
            assert!(params(text).any(|param| param.is_err()), "{text}");
        }
    }

    #[test]
    fn lines_are_those_of_the_standard_library() {
        for text in ["", "a", "a\n", "a\r\n\r\nb\n\nc", "\n", "a\r", "\r\na"] {
            assert!(lines(text).eq(text.lines()), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for wanted in [0, 7, 10, 99, 100, 5060, 65_535, 1_000_000_000, u32::MAX] {
            let mut out = String::new();
            push_number(&mut out, wanted);
            assert_eq!(out, wanted.to_string());
        }
    }

    #[test]
    fn numbers_are_digits_within_bounds() {
        assert_eq!(number("0068", 255), Some(68));
        assert_eq!(number("4294967295", u32::MAX), Some(u32::MAX));
        for text in ["", "+5", "-5", " 5", "256", "36893488147419103232", "999999999999999999999999999999"] {
            assert_eq!(number(text, 255), None, "{text}");
        }
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        for text in ["", "Bell", "a \"b\" \\ c", "Zoë Ω"] {
            let mut out = String::new();
            push_quoted(&mut out, text);
            assert_eq!(quoted_len(&out), Some(out.len()));
            assert_eq!(unquote(&out), text);
        }
    }
}
