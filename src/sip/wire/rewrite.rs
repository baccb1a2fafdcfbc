//! Rewrites a head whose lines are folded or not UTF-8; the body's bytes are copied as they are.

use bytes::Bytes;

use super::fault::Fault;
use super::head::{leading_line_ends, line_end};

/// Unfolds (RFC 3261, 7.3.1) and turns each line that is not UTF-8 from Latin-1 into UTF-8, which can double
/// its length; the limits are for whoever reads the result.
pub(super) fn rewrite(whole: &[u8]) -> Result<Bytes, Fault> {
    let mut out = Vec::with_capacity(whole.len() + whole.len() / 8);
    let mut at = leading_line_ends(whole);
    loop {
        let end = line_end(whole, at)?;
        let line = &whole[at..end];
        at = end + 2;
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        if !out.is_empty() {
            out.extend_from_slice(if continues { b" " } else { b"\r\n" });
        }
        if line.is_empty() {
            break;
        }
        push_line(&mut out, if continues { line.trim_ascii_start() } else { line });
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&whole[at..]);
    Ok(Bytes::from(out))
}

fn push_line(out: &mut Vec<u8>, line: &[u8]) {
    if std::str::from_utf8(line).is_ok() {
        out.extend_from_slice(line);
        return;
    }
    for &byte in line {
        out.extend_from_slice(char::from(byte).encode_utf8(&mut [0; 2]).as_bytes());
    }
}
