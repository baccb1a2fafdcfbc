#![allow(clippy::unwrap_used)]

use super::*;
use crate::sip::message::Request;
use crate::sip::uri::{Host, Scheme};

const INVITE: &str = "INVITE sip:hub@192.0.2.9 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-1;rport
Max-Forwards: 70
From: \"Elm Tree\" <sip:elm@example.com>;tag=f1
To: <sip:hub@192.0.2.9>
Call-ID: c1@192.0.2.1
CSeq: 1 INVITE
Contact: <sip:elm@192.0.2.1:5070>
Content-Type: application/sdp
Content-Length: 5

v=0\r
";

/// `text` with CRLF line ends.
fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// The INVITE with one piece of it replaced.
fn with(old: &str, new: &str) -> Bytes {
    assert!(INVITE.contains(old), "{old}");
    Bytes::from(crlf(&INVITE.replacen(old, new, 1)))
}

fn source() -> SocketAddr {
    "198.51.100.7:5099".parse().unwrap()
}

fn judge(message: impl Into<Bytes>) -> Verdict {
    inspect(&message.into(), source(), &Limits::default())
}

fn accepted(message: impl Into<Bytes>) -> Accepted {
    match judge(message) {
        Verdict::Accept(accepted) => accepted,
        other => panic!("{other:?}"),
    }
}

fn request(message: impl Into<Bytes>) -> Request {
    match accepted(message).message().unwrap() {
        Message::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

fn refused(message: impl Into<Bytes>) -> Refusal {
    match judge(message) {
        Verdict::Answer(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_essentials_are_those_of_the_message() {
    let accepted = accepted(crlf(INVITE));
    let essentials = accepted.essentials();
    let expected = Essentials {
        start: Start::Request { method: Method::Invite },
        branch: Some("z9hG4bK-1"),
        sent_by: "192.0.2.1:5070",
        transport: "UDP",
        call_id: "c1@192.0.2.1",
        cseq: 1,
        cseq_method: Method::Invite,
        from_tag: Some("f1"),
        to_tag: None,
    };
    assert_eq!(essentials, expected);
}

// What rsip 0.4.0 misreads when it is left alone, each as our layer reads it.

#[test]
fn a_dotted_user_in_the_request_uri_is_a_user() {
    let request = request(with("sip:hub@192.0.2.9 ", "sip:john.smith@host "));
    assert_eq!(request.uri.user().as_deref(), Some("john.smith"));
    assert_eq!(request.uri.host(), Some(&Host::Name("host".into())));
}

#[test]
fn an_ipv6_request_uri_is_read() {
    let request = request(with("sip:hub@192.0.2.9 ", "sip:hub@[2001:db8::1]:5061 "));
    assert_eq!(request.uri.socket_addr(), Some("[2001:db8::1]:5061".parse().unwrap()));
}

#[test]
fn a_tel_request_uri_is_read() {
    let request = request(with("sip:hub@192.0.2.9 ", "tel:+44-161-496-0000 "));
    assert_eq!((request.uri.scheme(), request.uri.user().as_deref()), (Scheme::Tel, Some("+441614960000")));
}

#[test]
fn a_urn_request_uri_is_read() {
    let request = request(with("sip:hub@192.0.2.9 ", "urn:service:sos "));
    assert_eq!((request.uri.scheme(), request.uri.as_str()), (Scheme::Urn, "urn:service:sos"));
}

#[test]
fn an_unknown_method_is_answered_501() {
    let refusal = refused(Bytes::from(crlf(&INVITE.replace("INVITE", "NEWMETHOD"))));
    assert_eq!((refusal.code, refusal.fault), (501, Fault::UnknownMethod));
    assert!(refusal.response.starts_with(b"SIP/2.0 501 Not Implemented\r\n"));
}

#[test]
fn an_unknown_transport_in_via_is_carried() {
    let request = request(with("SIP/2.0/UDP", "SIP/2.0/QUIC"));
    assert_eq!(request.headers.top_via().unwrap().transport(), "QUIC");
}

#[test]
fn compact_names_are_expanded_and_the_top_via_is_the_first() {
    let request = request(with(
        "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-1;rport",
        "v: SIP/2.0/UDP first;branch=z9hG4bKa\nVia: SIP/2.0/UDP second;branch=z9hG4bKb\nk: 100rel\nx: 90",
    ));
    assert_eq!(request.headers.top_via().unwrap().branch(), Some("z9hG4bKa"));
    assert_eq!(request.headers.values("Via").count(), 2);
    assert_eq!(request.headers.value("Supported"), Some("100rel"));
    assert_eq!(request.headers.value("Session-Expires"), Some("90"));
}

#[test]
fn two_vias_on_a_line_become_two_headers() {
    let message =
        with("5070;branch=z9hG4bK-1;rport", "5070;branch=z9hG4bK-1, SIP/2.0/TCP h;branch=z9hG4bK-2");
    assert_eq!(accepted(message.clone()).essentials().branch, Some("z9hG4bK-1"));
    let vias: Vec<_> = request(message).headers.values("Via").map(str::to_owned).collect();
    assert_eq!(vias, ["SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-1", "SIP/2.0/TCP h;branch=z9hG4bK-2"]);
}

#[test]
fn a_branch_with_a_colon_is_whole() {
    assert_eq!(accepted(with("z9hG4bK-1", "z9hG4bK:1:2")).essentials().branch, Some("z9hG4bK:1:2"));
}

#[test]
fn an_ipv6_received_is_whole() {
    let request = request(with(";rport", ";received=2001:db8::1"));
    assert_eq!(request.headers.top_via().unwrap().received(), Some("2001:db8::1".parse().unwrap()));
}

#[test]
fn a_contact_of_star_stays_a_star() {
    let register = INVITE.replace("INVITE", "REGISTER").replace("<sip:elm@192.0.2.1:5070>", "*");
    let request = request(crlf(&register));
    assert_eq!(request.headers.value("Contact"), Some("*"));
    assert!(request.to_bytes().windows(14).any(|line| line == b"\r\nContact: *\r\n"));
    assert_eq!(refused(with("<sip:elm@192.0.2.1:5070>", "*")).fault, Fault::Contact);
}

#[test]
fn the_body_ends_where_content_length_says() {
    assert_eq!(request(with("v=0\r\n", "v=0\r\nINVITE sip:x SIP/2.0")).body, "v=0\r\n");
    assert_eq!(request(with("Content-Length: 5\n", "")).body, "v=0\r\n");
    assert_eq!(refused(with("Content-Length: 5", "Content-Length: 6")).fault, Fault::ContentLength);
}

#[test]
fn a_body_that_is_not_utf_8_is_not_touched() {
    for head in [crlf(INVITE), crlf(INVITE).replace("Elm Tree", "Elm\r\n Tree")] {
        let mut message = head.into_bytes();
        message.truncate(message.len() - 5);
        message.extend_from_slice(b"\xff\xfe\x00\r\xe9");
        let request = request(message);
        assert_eq!(request.body, &b"\xff\xfe\x00\r\xe9"[..]);
        assert!(request.to_bytes().ends_with(b"\r\n\r\n\xff\xfe\x00\r\xe9"));
    }
}

#[test]
fn an_authorization_passes_through_verbatim() {
    let digest =
        "Digest username=\"a\", realm=\"b, c\", nc=0000000a, algorithm=SHA-256, qop=auth, opaque=\"\"";
    let request = request(with("Max-Forwards: 70", &format!("Authorization: {digest}\nMax-Forwards: 70")));
    assert_eq!(request.headers.values("Authorization").collect::<Vec<_>>(), [digest]);
}

#[test]
fn unknown_headers_pass_through_in_order() {
    let request = request(with("To:", "X-B: 1, 2\nX-A: ;;,,\nx-b: 3\nTo:"));
    let kept: Vec<_> = request.headers.iter().filter(|(name, _)| name.starts_with(['X', 'x'])).collect();
    assert_eq!(kept, [("X-B", "1, 2"), ("X-A", ";;,,"), ("x-b", "3")]);
}

// The door's own rules.

#[test]
fn lists_are_split_with_quotes_and_brackets_respected() {
    let request = request(with(
        "Contact: <sip:elm@192.0.2.1:5070>",
        "m: \"Elm, Tree\" <sip:a@h;x=1,2>;q=1 , <sip:b@h>\nAllow: INVITE, ACK,,BYE\nRoute: <sip:r1;lr>,<sip:r2;lr>\nRequire:",
    ));
    let values = |name| request.headers.values(name).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(values("Contact"), ["\"Elm, Tree\" <sip:a@h;x=1,2>;q=1", "<sip:b@h>"]);
    assert_eq!(values("Allow"), ["INVITE", "ACK", "BYE"]);
    assert_eq!(values("Route"), ["<sip:r1;lr>", "<sip:r2;lr>"]);
    assert_eq!(values("Require"), [""]);
}

#[test]
fn folded_lines_are_unfolded() {
    let request =
        request(with("<sip:elm@example.com>;tag=f1", "\n\t<sip:elm@example.com>\n   ;tag=f1\n \nX-1: 1"));
    assert_eq!(request.headers.value("From"), Some("\"Elm Tree\"  <sip:elm@example.com> ;tag=f1"));
    assert_eq!(request.headers.from_tag(), Some("f1"));
    assert_eq!(request.headers.value("X-1"), Some("1"));
}

#[test]
fn latin_1_becomes_utf_8_and_utf_8_stays() {
    let mut message =
        crlf(&INVITE.replace("Elm Tree", "Zo?").replace("To:", "Subject: Zoë\nTo:")).into_bytes();
    let at = message.iter().position(|&byte| byte == b'?').unwrap();
    message[at] = 0xeb;
    let request = request(message);
    assert_eq!(request.headers.from().unwrap().display_name(), Some("Zoë"));
    assert_eq!(request.headers.value("Subject"), Some("Zoë"));
}

#[test]
fn leading_line_ends_are_skipped_and_bare_ones_keep_alive() {
    assert_eq!(accepted(format!("\r\n\r\n{}", crlf(INVITE))).essentials().call_id, "c1@192.0.2.1");
    for nothing in ["", "\r\n", "\r\n\r\n"] {
        assert!(matches!(judge(nothing), Verdict::KeepAlive));
    }
}

#[test]
fn what_is_not_sip_is_dropped_without_an_answer() {
    for junk in
        ["x", "\0\0\0\0", "GET / HTTP/1.1\r\n\r\n", "\r\n\u{0}", "\r", "jaK\0", "INVITE sip:a\r\n\r\n"]
    {
        assert!(matches!(judge(junk), Verdict::Drop(DropReason::NotSip)), "{junk:?}");
    }
}

#[test]
fn header_smuggling_is_refused() {
    for (old, new, fault) in [
        ("Max-Forwards: 70", "X: a\rVia: y", Fault::BareLineEnd),
        ("Max-Forwards: 70", "X: a\0", Fault::Nul),
        ("Max-Forwards: 70", "X y: 1", Fault::HeaderLine),
        ("Max-Forwards: 70", "no header", Fault::HeaderLine),
        ("Max-Forwards: 70", ": 1", Fault::HeaderLine),
    ] {
        let refusal = refused(with(old, new));
        assert_eq!((refusal.code, refusal.fault), (400, fault), "{new:?}");
    }
    let bare_lf = crlf(INVITE).replace("Max-Forwards: 70\r\n", "X: a\n");
    assert_eq!(refused(bare_lf).fault, Fault::BareLineEnd);
    let truncated = crlf(INVITE);
    let head = truncated.split("\r\n\r\n").next().unwrap().to_owned();
    assert_eq!(refused(head.clone()).fault, Fault::Truncated);
    assert_eq!(refused(format!("{head}\r\n\r")).fault, Fault::Truncated);
}

#[test]
fn what_must_be_single_or_present_or_well_formed_is_checked() {
    for (old, new, fault) in [
        ("To:", "t: <sip:b@h>\nTo:", Fault::Repeated),
        ("To:", "From: <sip:b@h>\nTo:", Fault::Repeated),
        ("To:", "i: x\nTo:", Fault::Repeated),
        ("To:", "L: 5\nTo:", Fault::Repeated),
        ("To:", "c: text/plain\nTo:", Fault::Repeated),
        ("To:", "cseq: 1 INVITE\nTo:", Fault::Repeated),
        ("To:", "Max-Forwards: 1\nTo:", Fault::Repeated),
        ("To: <sip:hub@192.0.2.9>\n", "", Fault::Missing),
        ("CSeq: 1 INVITE\n", "", Fault::Missing),
        ("Call-ID: c1@192.0.2.1\n", "", Fault::Missing),
        ("To: <sip:hub@192.0.2.9>", "To: hub", Fault::To),
        ("Contact: <", "Contact: , <", Fault::Contact),
        ("Max-Forwards: 70", "Max-Forwards: 256", Fault::MaxForwards),
        ("Max-Forwards: 70", "Route: <sip:a>,", Fault::Route),
        ("c1@192.0.2.1", "c1 x", Fault::CallId),
        ("Call-ID: c1@192.0.2.1", "Call-ID:", Fault::CallId),
        ("CSeq: 1 INVITE", "CSeq: 2147483648 INVITE", Fault::CSeq),
        ("CSeq: 1 INVITE", "CSeq: 1", Fault::CSeq),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", Fault::CSeqMethod),
        ("CSeq: 1 INVITE", "CSeq: 1 invite", Fault::CSeqMethod),
        ("Length: 5", "Length: -5", Fault::ContentLength),
        ("Length: 5", "Length: 99999999999999999999", Fault::ContentLength),
        ("SIP/2.0\n", "SIP/2.0 \n", Fault::StartLine),
        ("SIP/2.0\n", "SIP/2\n", Fault::StartLine),
        ("INVITE sip", "INV(TE sip", Fault::StartLine),
        ("SIP/2.0\n", "SIP/3.0\n", Fault::Version),
        ("sip:hub@192.0.2.9 ", "hub@192.0.2.9 ", Fault::RequestUri),
        ("sip:hub@192.0.2.9 ", "sip:hub@192.0.2.9?x=y ", Fault::RequestUri),
        ("sip:hub@192.0.2.9 ", "mailto:hub ", Fault::UriScheme),
    ] {
        let refusal = refused(with(old, new));
        assert_eq!((refusal.fault, refusal.code), (fault, fault.code()), "{new:?}");
    }
    let no_via = with("Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-1;rport\n", "");
    assert!(matches!(judge(no_via), Verdict::Drop(DropReason::Unanswerable(Fault::Missing))));
}

#[test]
fn limits_hold_for_the_whole_and_for_each_part() {
    let limits = Limits { message: 2_000, headers: 12, value: 200, name: 20 };
    let refused = |message: Bytes| match inspect(&message, source(), &limits) {
        Verdict::Answer(refusal) => Some(refusal.fault),
        Verdict::Accept(_) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(Bytes::from(crlf(INVITE))), None);
    assert_eq!(refused(with("v=0\r\n", &"x".repeat(2_000))), Some(Fault::TooLarge));
    assert_eq!(refused(with("To:", &format!("X-A: {}\nTo:", "x".repeat(201)))), Some(Fault::TooLarge));
    assert_eq!(refused(with("To:", &format!("X-A: {}\nTo:", "x\n ".repeat(101)))), Some(Fault::TooLarge));
    assert_eq!(refused(with("To:", &format!("{}: x\nTo:", "x".repeat(21)))), Some(Fault::TooLarge));
    assert_eq!(refused(with("sip:hub", &format!("sip:{}", "x".repeat(200)))), Some(Fault::LongStartLine));
    assert_eq!(refused(with("To:", &format!("{}To:", "X-A: 1\n".repeat(4)))), Some(Fault::TooLarge));
    assert_eq!(refused(with("To:", "Allow: A, B, C\nTo:")), None);
    assert_eq!(refused(with("To:", "Allow: A, B, C, D\nTo:")), Some(Fault::TooLarge));
    assert_eq!(refused(with("To:", "Route: <sip:a>,<sip:b>,<sip:c>,<sip:d>\nTo:")), Some(Fault::TooLarge));
}

#[test]
fn a_refusal_says_where_the_request_came_from() {
    let first = refused(with("Max-Forwards: 70", "v: SIP/2.0/TCP second ;branch=x, z\nMax-Forwards: x"));
    let expected = "SIP/2.0 400 Malformed Via\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-1;received=198.51.100.7;rport=5099\r\n\
        Via: SIP/2.0/TCP second ;branch=x, z\r\n\
        From: \"Elm Tree\" <sip:elm@example.com>;tag=f1\r\n\
        To: <sip:hub@192.0.2.9>;tag=";
    let text = std::str::from_utf8(&first.response).unwrap();
    assert!(text.starts_with(expected), "{text}");
    let (tag, rest) = text[expected.len()..].split_once("\r\n").unwrap();
    assert_eq!(tag.len(), 16);
    assert_eq!(rest, "Call-ID: c1@192.0.2.1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    let again = refused(with("Max-Forwards: 70", "v: SIP/2.0/TCP second ;branch=x, z\nMax-Forwards: x"));
    assert_eq!(first, again, "a retransmission gets the same answer");
}

#[test]
fn a_refusal_keeps_every_via_of_a_line() {
    let refusal = refused(with(
        "5070;branch=z9hG4bK-1;rport",
        "5070 ; branch=z9hG4bK-1 , SIP/2.0/TCP h\nMax-Forwards: 1",
    ));
    let text = std::str::from_utf8(&refusal.response).unwrap();
    let vias =
        "\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-1;received=198.51.100.7 , SIP/2.0/TCP h\r\nFrom";
    assert!(text.contains(vias), "{text}");
}

#[test]
fn a_to_tag_that_is_there_stays() {
    let refusal = refused(with("To: <sip:hub@192.0.2.9>", "To: <sip:hub@192.0.2.9>;tag=t9\nMax-Forwards: 1"));
    let text = std::str::from_utf8(&refusal.response).unwrap();
    assert!(text.contains("\r\nTo: <sip:hub@192.0.2.9>;tag=t9\r\n"), "{text}");
}

#[test]
fn an_ack_or_a_response_is_never_answered() {
    let ack = crlf(&INVITE.replace("INVITE", "ACK").replace("Max-Forwards: 70", "Max-Forwards: x"));
    assert!(matches!(judge(ack), Verdict::Drop(DropReason::Ack(Fault::MaxForwards))));
    let response = INVITE.replacen("INVITE sip:hub@192.0.2.9 SIP/2.0", "SIP/2.0 200 OK", 1);
    let accepted = accepted(crlf(&response));
    assert_eq!(accepted.essentials().start, Start::Response { code: 200 });
    for (old, new, fault) in [
        ("200 OK", "99 OK", Fault::StatusCode),
        ("200 OK", "000 OK", Fault::StatusCode),
        ("200 OK", "700 OK", Fault::StatusCode),
        ("200 OK", "0200 OK", Fault::StatusCode),
        ("200 OK", "2x0 OK", Fault::StatusCode),
        ("SIP/2.0 200", "SIP/3.0 200", Fault::Version),
        ("1 INVITE", "1 NEWMETHOD", Fault::UnknownMethod),
        ("Max-Forwards: 70", "To: <sip:x@y>", Fault::Repeated),
    ] {
        let verdict = judge(crlf(&response.replacen(old, new, 1)));
        assert!(
            matches!(verdict, Verdict::Drop(DropReason::Response(f)) if f == fault),
            "{new}: {verdict:?}"
        );
    }
}
