#![allow(clippy::unwrap_used)]

use super::*;

fn invite() -> Request {
    let mut request = Request::new(Method::Invite, Uri::parse("sip:hub@192.0.2.9").unwrap());
    for (name, value) in [
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport"),
        ("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKb"),
        ("Record-Route", "<sip:192.0.2.2;lr>"),
        ("From", "\"A\" <sip:a@example.com>;tag=1"),
        ("To", "<sip:hub@192.0.2.9>"),
        ("Call-ID", "c1"),
        ("CSeq", "7 INVITE"),
        ("Timestamp", "54"),
        ("Contact", "<sip:a@192.0.2.1>"),
        ("Max-Forwards", "70"),
        ("X-Practice", "elm"),
    ] {
        request.headers.push(name, value);
    }
    request
}

#[test]
fn headers_are_read_by_name_in_any_case_and_kept_in_order() {
    let headers = invite().headers;
    assert_eq!(headers.values("VIA").count(), 2);
    assert_eq!(headers.top_via().unwrap().branch(), Some("z9hG4bKa"));
    assert_eq!(headers.from().unwrap().display_name(), Some("A"));
    assert_eq!((headers.from_tag(), headers.to_tag()), (Some("1"), None));
    assert_eq!((headers.call_id(), headers.cseq()), (Some("c1"), Some((7, Method::Invite))));
    assert_eq!(headers.contact().unwrap().uri().as_str(), "sip:a@192.0.2.1");
    assert_eq!((headers.max_forwards(), headers.value("x-practice")), (Some(70), Some("elm")));
    assert_eq!((headers.record_routes().len(), headers.routes().len()), (1, 0));
    let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names[..4], ["Via", "Via", "Record-Route", "From"]);
}

#[test]
fn setting_replaces_in_place_and_removes_the_others() {
    let mut headers = invite().headers;
    headers.set("via", "SIP/2.0/TCP h");
    headers.set("Server", "hearken");
    headers.push_front("Via", "SIP/2.0/UDP first");
    headers.remove("timestamp");
    assert_eq!(headers.values("Via").collect::<Vec<_>>(), ["SIP/2.0/UDP first", "SIP/2.0/TCP h"]);
    assert_eq!(headers.iter().last(), Some(("Server", "hearken")));
    assert_eq!(headers.value("Timestamp"), None);
}

#[test]
fn setting_the_top_via_leaves_the_others() {
    let mut headers = invite().headers;
    let mut top = headers.top_via().unwrap();
    top.set_received("198.51.100.7".parse().unwrap());
    headers.set_top_via(&top);
    let vias: Vec<_> = headers.values("Via").collect();
    assert_eq!(vias, [top.to_string().as_str(), "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKb"]);
    headers.remove("Via");
    headers.set_top_via(&top);
    assert_eq!(headers.iter().next(), Some(("Via", top.to_string().as_str())));
}

#[test]
fn setting_an_unknown_header_leaves_other_unknown_headers_alone() {
    let mut headers = Headers::default();
    headers.push("X-One", "1");
    headers.push("X-Two", "2");
    headers.set("X-Three", "3");
    headers.set("X-Two", "two");
    assert_eq!(headers.iter().collect::<Vec<_>>(), [("X-One", "1"), ("X-Two", "two"), ("X-Three", "3")]);
}

#[test]
fn no_value_or_reason_can_end_its_line() {
    let mut response = invite().response(486);
    response.reason = "Busy\r\nX-Evil: 1".into();
    response.headers.push("Warning", "399 h \"a\r\n\r\nb\"");
    response.headers.push("X-A\r\nX-Evil", "1\n2\0");
    let bytes = response.to_bytes();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(text.starts_with("SIP/2.0 486 Busy  X-Evil: 1\r\n"), "{text}");
    assert!(
        text.contains("\r\nWarning: 399 h \"a    b\"\r\nX-AX-Evil: 1 2\r\nContent-Length: 0\r\n\r\n"),
        "{text}"
    );
    assert!(text.ends_with("\r\n\r\n"));
}

#[test]
fn a_response_copies_what_the_rfc_says() {
    let request = invite();
    let mut ringing = request.response(180);
    ringing.set_to_tag("t1");
    ringing.set_to_tag("t2");
    let written = ringing.to_bytes();
    let expected = "SIP/2.0 180 Ringing\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport\r\n\
        Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKb\r\n\
        Record-Route: <sip:192.0.2.2;lr>\r\n\
        From: \"A\" <sip:a@example.com>;tag=1\r\n\
        To: <sip:hub@192.0.2.9>;tag=t1\r\n\
        Call-ID: c1\r\n\
        CSeq: 7 INVITE\r\n\
        Content-Length: 0\r\n\r\n";
    assert_eq!(std::str::from_utf8(&written).unwrap(), expected);
    assert_eq!(request.response(100).headers.value("Timestamp"), Some("54"));
    assert!(ringing.is_provisional() && !ringing.is_final() && !ringing.is_success());
}

#[test]
fn the_reason_of_404_is_not_found() {
    assert_eq!(invite().response(404).reason, "Not Found");
    assert!(invite().response(404).to_bytes().starts_with(b"SIP/2.0 404 Not Found\r\n"));
    assert_eq!(standard_reason(299), "Success");
}

#[test]
fn content_length_is_counted_and_the_body_is_bytes() {
    let mut request = invite();
    request.headers.push("Content-Length", "9999");
    request.body = Bytes::from_static(b"\xff\x00\r\nx");
    let bytes = request.to_bytes();
    assert!(bytes.ends_with(b"\r\nContent-Length: 5\r\n\r\n\xff\x00\r\nx"));
    assert_eq!(bytes.windows(14).filter(|w| w.eq_ignore_ascii_case(b"content-length")).count(), 1);
}

#[test]
fn a_stored_message_comes_back_whole() {
    let mut request = invite();
    request.body = Bytes::from_static(b"v=0\xff");
    for message in [Message::Response(request.response(200)), Message::Request(request)] {
        let stored = postcard::to_stdvec(&message).unwrap();
        assert_eq!(postcard::from_bytes::<Message>(&stored).unwrap(), message);
    }
}
