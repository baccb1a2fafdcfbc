//! Where one message of a stream ends and the next begins, for copies only: the switch has a framer of its own.

use std::collections::BTreeMap;

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem;

use super::Path;
use crate::sip::wire::content_length;

/// Most streams that are followed: more than there can be, so that some have ended unheard.
const MOST: usize = 4_096;
/// Most of a message that is waited for.
const LONGEST: usize = 65_535;

/// Where a chunk stands in its stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// The stream begins with it.
    First,
    /// It follows the one before.
    Next,
    /// What was between it and the one before was dropped.
    AfterGap,
}

/// What came of each stream and is no whole message yet.
#[derive(Debug, Default)]
pub(super) struct Streams(BTreeMap<Path, Option<BytesMut>>);

impl Streams {
    /// Takes more of a stream in and gives each message that is whole. Where a part is missing, or nobody can tell
    /// where a message ended, nothing comes until a chunk begins like a message.
    pub(super) fn take(&mut self, path: Path, chunk: &Bytes, place: Place, mut give: impl FnMut(Bytes)) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        let unread = self.0.entry(path).or_default();
        match place {
            Place::First => *unread = Some(BytesMut::new()),
            Place::Next if unread.is_some() => {}
            Place::Next | Place::AfterGap => *unread = begins_message(chunk).then(BytesMut::new),
        }
        let Some(buffer) = unread else { return };
        buffer.extend_from_slice(chunk);
        loop {
            while buffer.starts_with(b"\r\n") {
                buffer.advance(2);
            }
            let Some(end) = memmem::find(buffer, b"\r\n\r\n") else { break };
            let head = end + 4;
            let Some(body) = content_length(&buffer[..head]).filter(|&body| body <= LONGEST) else {
                *unread = None;
                return;
            };
            if buffer.len() < head + body {
                break;
            }
            give(buffer.split_to(head + body).freeze());
        }
        if buffer.len() > 2 * LONGEST {
            *unread = None;
        }
    }

    /// Forgets a stream.
    pub(super) fn close(&mut self, path: Path) {
        self.0.remove(&path);
    }
}

fn begins_message(chunk: &[u8]) -> bool {
    let line = chunk.split(|&byte| byte == b'\r').next().unwrap_or_default();
    line.starts_with(b"SIP/2.0 ") || line.ends_with(b" SIP/2.0")
}
