//! What came out, as one checksum for each output: enough to prove that a replay does the same, and to name the
//! first output that differs.

use serde::Serialize;

use super::format::{self, Kind};
use crate::switch::Output;
use crate::time::Now;

/// The checksums of the outputs of one batch of inputs.
#[derive(Debug, Default)]
pub(super) struct Digest {
    sums: Vec<u8>,
    scratch: Vec<u8>,
}

impl Digest {
    /// Takes an output in.
    pub(super) fn add(&mut self, output: &Output) {
        let sum = self.sum(output);
        self.sums.extend_from_slice(&sum.to_le_bytes());
    }

    /// Appends what was taken in since the last time as a record, and begins anew.
    pub(super) fn append(&mut self, buffer: &mut Vec<u8>, now: Now) {
        format::append(buffer, Kind::Outputs, now, |buffer| buffer.extend_from_slice(&self.sums));
        self.sums.clear();
    }

    /// What was taken in since the last time, as in the record; and begins anew.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sums)
    }

    fn sum(&mut self, output: &Output) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        match output {
            // Most of the bytes are messages: they are not copied.
            Output::Send { flow, bytes } => {
                self.write(flow);
                crc.update(bytes);
            }
            other => self.write(other),
        }
        crc.update(&self.scratch);
        crc.finalize()
    }

    /// The bytes of a value, in the format that is written soonest: nobody reads them.
    fn write(&mut self, value: &impl Serialize) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        self.scratch = postcard::to_extend(value, scratch).expect("plain data, into memory");
    }
}

/// The position of the first output whose checksum differs, or that one side lacks.
pub(super) fn first_difference(was: &[u8], is: &[u8]) -> Option<usize> {
    let (mut was, mut is) = (was.chunks(4), is.chunks(4));
    (0..).find_map(|at| match (was.next(), is.next()) {
        (None, None) => Some(None),
        (was, is) => (was != is).then_some(Some(at)),
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_output_that_differs_or_is_missing_is_named() {
        assert_eq!(first_difference(b"aaaabbbb", b"aaaabbbb"), None);
        assert_eq!(first_difference(b"", b""), None);
        assert_eq!(first_difference(b"aaaabbbb", b"aaaabbbc"), Some(1));
        assert_eq!(first_difference(b"aaaa", b"aaaabbbb"), Some(1));
        assert_eq!(first_difference(b"aaaa", b""), Some(0));
    }
}
