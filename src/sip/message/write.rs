//! Messages to bytes, into one buffer.
//!
//! Nothing that was read or set can end a line early: values hold no CR or LF (see [`Headers`]), a URI holds no
//! white space, and the reason is cleaned here.

use bytes::Bytes;

use super::{Headers, Request, Response};

/// The request as sent.
pub(super) fn request(request: &Request) -> Bytes {
    let mut out = buffer(&request.headers, &request.body, request.uri.as_str().len());
    for part in [request.method.name(), " ", request.uri.as_str(), " SIP/2.0\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    finish(out, &request.headers, &request.body)
}

/// The response as sent; a code outside 100 to 699 is sent as 500.
pub(super) fn response(response: &Response) -> Bytes {
    let mut out = buffer(&response.headers, &response.body, response.reason.len());
    let code = if (100..700).contains(&response.code) { response.code } else { 500 };
    out.extend_from_slice(b"SIP/2.0 ");
    push_number(&mut out, usize::from(code));
    out.push(b' ');
    out.extend(response.reason.bytes().map(|byte| if byte.is_ascii_control() { b' ' } else { byte }));
    out.extend_from_slice(b"\r\n");
    finish(out, &response.headers, &response.body)
}

fn buffer(headers: &Headers, body: &Bytes, start_line: usize) -> Vec<u8> {
    let lines: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    Vec::with_capacity(start_line + lines + body.len() + 64)
}

fn finish(mut out: Vec<u8>, headers: &Headers, body: &Bytes) -> Bytes {
    for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("Content-Length")) {
        for part in [name, ": ", value, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    out.extend_from_slice(b"Content-Length: ");
    push_number(&mut out, body.len());
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
    Bytes::from(out)
}

fn push_number(out: &mut Vec<u8>, number: usize) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        // A remainder of ten fits a byte.
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
