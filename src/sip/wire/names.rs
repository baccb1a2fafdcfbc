//! Header names: which the door reads itself, which may occur once, which hold lists, and the compact forms.

/// A header that the door knows by name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    // These may occur once only.
    From,
    To,
    CallId,
    CSeq,
    MaxForwards,
    ContentLength,
    ContentType,
    Expires,
    MinSe,
    SessionExpires,
    ReferTo,
    Replaces,
    Event,
    // These are lists whose elements are checked.
    Via,
    Contact,
    Route,
    RecordRoute,
    /// Any other header: passed through.
    Plain,
}

impl Known {
    /// Whether a second one makes the message ambiguous.
    pub(super) fn is_single(self) -> bool {
        (self as u8) < Known::Via as u8
    }

    /// A bit of its own.
    pub(super) fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// Which header a name, compact or full and in any case, stands for.
pub(super) fn known(name: &str) -> Known {
    let name = full(name);
    // Length and a letter or two leave one candidate.
    let first = name.bytes().next().unwrap_or_default().to_ascii_lowercase();
    let (candidate, known) = match (name.len(), first) {
        (2, b't') => ("To", Known::To),
        (3, b'v') => ("Via", Known::Via),
        (4, b'f') => ("From", Known::From),
        (4, b'c') => ("CSeq", Known::CSeq),
        (5, b'r') => ("Route", Known::Route),
        (5, b'e') => ("Event", Known::Event),
        (6, b'm') => ("Min-SE", Known::MinSe),
        (7, b'e') => ("Expires", Known::Expires),
        (7, b'c') if name.as_bytes()[2].eq_ignore_ascii_case(&b'l') => ("Call-ID", Known::CallId),
        (7, b'c') => ("Contact", Known::Contact),
        (8, b'r') if name.as_bytes()[2].eq_ignore_ascii_case(&b'f') => ("Refer-To", Known::ReferTo),
        (8, b'r') => ("Replaces", Known::Replaces),
        (12, b'm') => ("Max-Forwards", Known::MaxForwards),
        (12, b'c') => ("Content-Type", Known::ContentType),
        (12, b'r') => ("Record-Route", Known::RecordRoute),
        (14, b'c') => ("Content-Length", Known::ContentLength),
        (15, b's') => ("Session-Expires", Known::SessionExpires),
        _ => return Known::Plain,
    };
    if candidate == name || candidate.eq_ignore_ascii_case(name) { known } else { Known::Plain }
}

/// The full form of a compact name (IANA registry of SIP header fields); any other name as it is.
pub(super) fn full(name: &str) -> &str {
    let &[letter] = name.as_bytes() else { return name };
    match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'n' => "Identity-Info",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => name,
    }
}

/// Whether a comma in its value separates elements that may stand in headers of their own (RFC 3261, 7.3.1:
/// not so for the authentication headers, dates and free text).
pub(super) fn is_list(full_name: &str) -> bool {
    const LISTS: &[&str] = &[
        "Accept",
        "Accept-Contact",
        "Accept-Encoding",
        "Accept-Language",
        "Alert-Info",
        "Allow",
        "Allow-Events",
        "Call-Info",
        "Contact",
        "Content-Encoding",
        "Content-Language",
        "Diversion",
        "Error-Info",
        "History-Info",
        "In-Reply-To",
        "P-Asserted-Identity",
        "P-Associated-URI",
        "P-Early-Media",
        "P-Preferred-Identity",
        "Path",
        "Proxy-Require",
        "Reason",
        "Record-Route",
        "Recv-Info",
        "Reject-Contact",
        "Request-Disposition",
        "Require",
        "Resource-Priority",
        "Route",
        "Service-Route",
        "Supported",
        "Unsupported",
        "Via",
        "Warning",
    ];
    LISTS.iter().any(|list| list.eq_ignore_ascii_case(full_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_every_form() {
        for (name, expected) in [
            ("Via", Known::Via),
            ("v", Known::Via),
            ("V", Known::Via),
            ("vIA", Known::Via),
            ("call-id", Known::CallId),
            ("I", Known::CallId),
            ("l", Known::ContentLength),
            ("MaX-fOrWaRdS", Known::MaxForwards),
            ("Refer-To", Known::ReferTo),
            ("replaces", Known::Replaces),
            ("contact", Known::Contact),
            ("Min-SE", Known::MinSe),
            ("Max-Forward", Known::Plain),
            ("Contacu", Known::Plain),
            ("Content-Lengtx", Known::Plain),
            ("C%6Fntact", Known::Plain),
            ("", Known::Plain),
        ] {
            assert_eq!(known(name), expected, "{name}");
        }
        assert!(Known::Event.is_single() && !Known::Via.is_single() && !Known::Plain.is_single());
    }
}
