//! What a leg hears next: clips in order, the last one perhaps over and over, then silence.

use crate::call::media::Codec;
use crate::id::ClipId;
use crate::media::clip::{Clip, silence};

/// A place in a list of clips; silence by default.
#[derive(Clone, Debug, Default)]
pub(super) struct Playlist {
    /// Only clips that are not empty, so that looping always gets on. They are its own, so that a leg hears them
    /// to the end whatever the thread's clips are by then.
    clips: Vec<Clip>,
    looped: bool,
    /// The clip being played; past the last one means silence.
    at: usize,
    /// How many samples of it were played.
    played: usize,
}

impl Playlist {
    /// Starts at the first clip; unknown and empty clips are passed over, and none at all is silence.
    pub(super) fn new(clips: &[ClipId], looped: bool, known: &[Clip]) -> Playlist {
        let found = clips.iter().filter_map(|clip| known.get(clip.index()));
        Playlist { clips: found.filter(|clip| !clip.is_empty()).cloned().collect(), looped, at: 0, played: 0 }
    }

    /// Fills a frame with what comes next; clips follow one another without a gap.
    pub(super) fn fill(&mut self, mut frame: &mut [u8], codec: Codec) {
        while !frame.is_empty() {
            let Some(clip) = self.clips.get(self.at) else {
                frame.fill(silence(codec));
                return;
            };
            let rest = clip.encoded(codec).get(self.played..).unwrap_or_default();
            let taken = rest.len().min(frame.len());
            let (now, later) = frame.split_at_mut(taken);
            now.copy_from_slice(&rest[..taken]);
            frame = later;
            self.played += taken;
            if taken == rest.len() {
                self.played = 0;
                if !(self.looped && self.at + 1 == self.clips.len()) {
                    self.at += 1;
                }
            }
        }
    }

    /// Whether only silence is left.
    pub(super) fn spent(&self) -> bool {
        self.at == self.clips.len()
    }

    /// Whether only silence is left of a list that had clips.
    pub(super) fn ended(&self) -> bool {
        !self.clips.is_empty() && self.spent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::g711;

    fn clip(value: i16, samples: usize) -> Clip {
        Clip::from_samples(&vec![value; samples])
    }

    fn heard(list: &mut Playlist, samples: usize) -> Vec<u8> {
        let mut frame = vec![0; samples];
        list.fill(&mut frame, Codec::Pcma);
        frame
    }

    #[test]
    fn clips_follow_without_a_gap_and_the_last_repeats() {
        let known = [clip(1_000, 100), clip(9_000, 30)];
        let mut list = Playlist::new(&[ClipId(0), ClipId(1)], true, &known);
        let first = heard(&mut list, 160);
        assert!(first[..100].iter().all(|&byte| byte == g711::alaw(1_000)));
        assert!(first[100..].iter().all(|&byte| byte == g711::alaw(9_000)));
        assert!(heard(&mut list, 160).iter().all(|&byte| byte == g711::alaw(9_000)));
        assert!(!list.ended());
    }

    #[test]
    fn a_list_played_once_ends_in_silence() {
        let known = [clip(1_000, 200)];
        let mut list = Playlist::new(&[ClipId(0)], false, &known);
        heard(&mut list, 160);
        assert!(!list.ended());
        let second = heard(&mut list, 160);
        assert_eq!((second[39], second[40]), (g711::alaw(1_000), g711::ALAW_SILENCE));
        assert!(list.ended());
    }

    #[test]
    fn unknown_and_empty_clips_are_passed_over() {
        let known = [clip(0, 0), clip(1_000, 160)];
        let mut list = Playlist::new(&[ClipId(0), ClipId(9), ClipId(1), ClipId(0)], true, &known);
        assert!(heard(&mut list, 480).iter().all(|&byte| byte == g711::alaw(1_000)));
        let mut nothing = Playlist::new(&[ClipId(0)], true, &known);
        assert!(heard(&mut nothing, 160).iter().all(|&byte| byte == g711::ALAW_SILENCE));
        assert!(nothing.spent() && !nothing.ended());
    }
}
