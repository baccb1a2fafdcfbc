//! The prompts of announcements, read from a directory into clips.

use std::path::Path;

use crate::call::speech::Prompt;
use crate::media::clip::{Clip, ClipError};

/// Reads every prompt, in the order of [`Prompt::ALL`]; put behind the plan's clips, their first is the one
/// after them. The error names the first file that is missing or cannot be played.
pub fn read_prompts(directory: &Path) -> Result<Vec<Clip>, ClipError> {
    Prompt::ALL.iter().map(|prompt| Clip::read(&directory.join(prompt.file()))).collect()
}

/// The prompts that come with the program, likewise.
pub fn shipped_prompts() -> Result<Vec<Clip>, ClipError> {
    Prompt::ALL.iter().map(|prompt| Clip::from_bytes(prompt.file(), prompt.wav())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::call::media::Codec;

    fn shipped() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("config/prompts")
    }

    #[test]
    fn every_shipped_prompt_can_be_said_and_is_short() {
        let clips = read_prompts(&shipped()).unwrap();
        assert_eq!(clips.len(), Prompt::ALL.len());
        assert_eq!(clips, shipped_prompts().unwrap());
        for (prompt, clip) in Prompt::ALL.iter().zip(&clips) {
            let (words, ms) = (prompt.words().split_whitespace().count() as u128, clip.length().as_millis());
            let ms = if *prompt == Prompt::RingTone { ms - 2_400 } else { ms };
            let loud = clip.encoded(Codec::Pcma).iter().any(|&byte| byte & 0x7f != 0x55);
            assert!((200 + 60 * words..800 + 400 * words).contains(&ms), "{prompt:?}: {ms} ms");
            assert_eq!(loud, *prompt != Prompt::Pause, "{prompt:?}");
        }
    }

    #[test]
    fn a_missing_prompt_is_named() {
        let directory = tempfile::tempdir().unwrap();
        for prompt in Prompt::ALL.iter().filter(|&&prompt| prompt != Prompt::InTheQueue) {
            fs::copy(shipped().join(prompt.file()), directory.path().join(prompt.file())).unwrap();
        }
        let error = read_prompts(directory.path()).unwrap_err();
        let file = directory.path().join("in-the-queue.wav");
        assert!(error.to_string().starts_with(&format!("{}: No such file", file.display())), "{error}");
    }
}
