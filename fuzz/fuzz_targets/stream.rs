//! A stream in chunks of any size: the framer neither panics nor grows, and how it is cut changes nothing.
//!
//! The first byte chooses how the rest is cut.

#![no_main]

use std::net::SocketAddr;

use hearken::sip::wire::{Framer, Limits};
use libfuzzer_sys::fuzz_target;

/// What came of a stream, in words: its verdicts, and whether it broke.
fn verdicts(stream: &[u8], chunk: usize) -> (Vec<String>, bool) {
    let limits = Limits { message: 4_096, ..Limits::default() };
    let mut framer = Framer::new(SocketAddr::from(([192, 0, 2, 10], 5060)), limits);
    let mut verdicts = Vec::new();
    for piece in stream.chunks(chunk) {
        let pushed = framer.push(piece);
        for framed in framer.by_ref() {
            match framed {
                Ok(verdict) => verdicts.push(format!("{verdict:?}")),
                Err(_) => return (verdicts, true),
            }
        }
        if pushed.is_err() {
            return (verdicts, true);
        }
    }
    (verdicts, false)
}

fuzz_target!(|data: &[u8]| {
    let Some((&cut, stream)) = data.split_first() else { return };
    // No more than the framer keeps unread, lest one push be too much where many are not.
    let stream = &stream[..stream.len().min(4_096)];
    let chunk = usize::from(cut).max(1);
    assert_eq!(verdicts(stream, chunk), verdicts(stream, 1));
});
