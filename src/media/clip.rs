//! Clips: WAV files read once, brought to 8 kHz mono, and encoded once per codec.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec};

use crate::call::media::Codec;
use crate::media::resample::to_8_khz;
use crate::rtp::{CLOCK_HZ, g711};

/// The longest clip accepted.
pub const MAX_LENGTH: Duration = Duration::from_secs(600);

/// Sampling rates accepted, in Hz.
const RATES: [u32; 8] = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

/// A greeting or a piece of music, encoded; a copy shares its sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    alaw: Arc<[u8]>,
    mulaw: Arc<[u8]>,
}

/// Why a file cannot be a clip.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", file.display())]
pub struct ClipError {
    /// Which file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub reason: ClipFault,
}

/// What is wrong with a file or its contents.
#[derive(Debug, thiserror::Error)]
pub enum ClipFault {
    /// It cannot be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is no WAV file of PCM or floating-point samples.
    #[error("not a WAV file of plain samples: {0}")]
    NotWav(hound::Error),
    /// It has more than two channels.
    #[error("{0} channels; one or two are accepted")]
    Channels(u16),
    /// Its sampling rate is none of those accepted.
    #[error("{0} Hz; accepted are 8000, 11025, 16000, 22050, 24000, 32000, 44100 and 48000")]
    Rate(u32),
    /// It plays for longer than [`MAX_LENGTH`].
    #[error("plays for {} s; at most {} s are accepted", .0.as_secs(), MAX_LENGTH.as_secs())]
    TooLong(Duration),
    /// It holds no sample.
    #[error("no samples")]
    Empty,
}

impl Clip {
    /// Reads a WAV file: mono or stereo, 8 to 32 bits or float, 8 to 48 kHz, at most [`MAX_LENGTH`].
    pub fn read(file: &Path) -> Result<Clip, ClipError> {
        let fail = |reason| ClipError { file: file.to_path_buf(), reason };
        let opened = File::open(file).map_err(|error| fail(error.into()))?;
        Clip::from_wav(BufReader::new(opened)).map_err(fail)
    }

    /// Reads a WAV file that is in memory; `name` is for the error.
    pub(super) fn from_bytes(name: &str, bytes: &[u8]) -> Result<Clip, ClipError> {
        Clip::from_wav(bytes).map_err(|reason| ClipError { file: name.into(), reason })
    }

    /// Encodes mono samples at 8 kHz.
    pub fn from_samples(samples: &[i16]) -> Clip {
        Clip {
            alaw: samples.iter().map(|&sample| g711::alaw(sample)).collect(),
            mulaw: samples.iter().map(|&sample| g711::mulaw(sample)).collect(),
        }
    }

    /// How long it plays.
    pub fn length(&self) -> Duration {
        Duration::from_secs(self.alaw.len() as u64) / CLOCK_HZ
    }

    /// Whether it holds no sample.
    pub fn is_empty(&self) -> bool {
        self.alaw.is_empty()
    }

    /// One byte a sample.
    pub(super) fn encoded(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcma => &self.alaw,
            Codec::Pcmu => &self.mulaw,
        }
    }

    fn from_wav(input: impl Read) -> Result<Clip, ClipFault> {
        let mut wav = WavReader::new(input).map_err(fault)?;
        let spec = wav.spec();
        if !(1..=2).contains(&spec.channels) {
            return Err(ClipFault::Channels(spec.channels));
        }
        if !RATES.contains(&spec.sample_rate) {
            return Err(ClipFault::Rate(spec.sample_rate));
        }
        let length = Duration::from_secs(wav.duration().into()) / spec.sample_rate;
        if length > MAX_LENGTH {
            return Err(ClipFault::TooLong(length));
        }
        let samples = mono(&mut wav, spec)?;
        if samples.is_empty() {
            return Err(ClipFault::Empty);
        }
        let narrow = |sample: f32| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
        let samples: Vec<i16> = to_8_khz(samples, spec.sample_rate).into_iter().map(narrow).collect();
        Ok(Clip::from_samples(&samples))
    }
}

/// The byte of a linear zero.
pub(super) fn silence(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => g711::ALAW_SILENCE,
        Codec::Pcmu => g711::MULAW_SILENCE,
    }
}

/// All samples between -1 and 1, the channels averaged.
fn mono<R: Read>(wav: &mut WavReader<R>, spec: WavSpec) -> Result<Vec<f32>, ClipFault> {
    let samples: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => wav.samples::<f32>().collect::<Result<_, _>>().map_err(fault)?,
        SampleFormat::Int => {
            let full = (1i64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            let scaled = wav.samples::<i32>().map(|sample| sample.map(|sample| sample as f32 / full));
            scaled.collect::<Result<_, _>>().map_err(fault)?
        }
    };
    let channels = usize::from(spec.channels);
    let average = |frame: &[f32]| {
        let sum: f32 =
            frame.iter().map(|sample| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }).sum();
        sum / channels as f32
    };
    Ok(samples.chunks_exact(channels).map(average).collect())
}

fn fault(error: hound::Error) -> ClipFault {
    match error {
        // A file that ends too soon is also an input error to hound, but not one of the system's.
        hound::Error::IoError(error) if error.raw_os_error().is_some() => ClipFault::Io(error),
        other => ClipFault::NotWav(other),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::f32::consts::TAU;
    use std::io::Cursor;

    use hound::WavWriter;

    use super::*;

    fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16, sample_format: SampleFormat) -> WavSpec {
        WavSpec { channels, sample_rate, bits_per_sample, sample_format }
    }

    /// A quarter of a second of a 1 kHz tone at half scale, the same in every channel.
    fn tone(spec: WavSpec) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut wav = WavWriter::new(&mut bytes, spec).unwrap();
        for n in 0..spec.sample_rate / 4 {
            let value = 0.5 * (TAU * 1_000.0 * n as f32 / spec.sample_rate as f32).sin();
            for _ in 0..spec.channels {
                match spec.sample_format {
                    SampleFormat::Float => wav.write_sample(value).unwrap(),
                    SampleFormat::Int => {
                        let full = (1i64 << (spec.bits_per_sample - 1)) as f32;
                        wav.write_sample((value * full) as i32).unwrap();
                    }
                }
            }
        }
        wav.finalize().unwrap();
        bytes.into_inner()
    }

    /// How far the clip is from the tone it should be, and its greatest sample.
    fn difference(clip: &Clip) -> (i32, i32) {
        let linear =
            clip.encoded(Codec::Pcma).iter().map(|&byte| i32::from(g711::ALAW_TO_LINEAR[usize::from(byte)]));
        let middle: Vec<_> = linear.enumerate().skip(500).take(1_000).collect();
        let wanted = |n: usize| (16_384.0 * (TAU * 1_000.0 * n as f32 / 8_000.0).sin()) as i32;
        (
            middle.iter().map(|&(n, value)| (value - wanted(n)).abs()).max().unwrap(),
            middle.iter().map(|&(_, value)| value.abs()).max().unwrap(),
        )
    }

    #[test]
    fn a_tone_comes_out_the_same_whatever_the_format() {
        use SampleFormat::{Float, Int};
        let formats = [(1, 8, Int), (2, 16, Int), (1, 24, Int), (2, 32, Float)];
        let rates = RATES.into_iter().map(|rate| (rate, formats[1]));
        for (rate, (channels, bits, format)) in rates.chain(formats.map(|format| (8_000, format))) {
            let spec = spec(channels, rate, bits, format);
            let clip = Clip::from_wav(&tone(spec)[..]).unwrap();
            assert!((1_999..=2_001).contains(&clip.alaw.len()), "{spec:?}: {}", clip.alaw.len());
            let (off, peak) = difference(&clip);
            assert!(off < 700 && (15_500..17_000).contains(&peak), "{spec:?}: {off} {peak}");
        }
    }

    #[test]
    fn both_codecs_hold_the_same_samples() {
        let clip = Clip::from_samples(&[0, 1_000, -1_000, 30_000]);
        let linear = |n: usize| {
            let (a, mu) = (clip.encoded(Codec::Pcma)[n], clip.encoded(Codec::Pcmu)[n]);
            (g711::ALAW_TO_LINEAR[usize::from(a)], g711::MULAW_TO_LINEAR[usize::from(mu)])
        };
        for n in 0..4 {
            assert!((linear(n).0 - linear(n).1).abs() < 700, "{:?}", linear(n));
        }
    }

    #[test]
    fn what_cannot_be_played_is_refused_with_the_reason() {
        let int = SampleFormat::Int;
        let cases = [
            (tone(spec(3, 8_000, 16, int)), "3 channels"),
            (tone(spec(1, 9_000, 16, int)), "9000 Hz"),
            (tone(spec(1, 8_000, 16, int))[..44].to_vec(), "no samples"),
            (b"ID3 and then something".to_vec(), "not a WAV file"),
            (Vec::new(), "not a WAV file"),
        ];
        for (n, (mut bytes, reason)) in cases.into_iter().enumerate() {
            if reason == "no samples" {
                bytes[40..44].fill(0);
            }
            let error = Clip::from_wav(&bytes[..]).unwrap_err().to_string();
            assert!(error.contains(reason), "case {n}: {error}");
        }
    }

    #[test]
    fn eleven_minutes_are_too_long() {
        let mut bytes = tone(spec(1, 8_000, 8, SampleFormat::Int));
        let samples = 8_000u32 * 660;
        bytes[40..44].copy_from_slice(&samples.to_le_bytes());
        assert!(matches!(Clip::from_wav(&bytes[..]), Err(ClipFault::TooLong(_))));
    }

    #[test]
    fn the_shipped_prompts_can_be_played() {
        let prompts = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/prompts");
        for (file, seconds) in [("welcome.wav", 3..10), ("emergency.wav", 1..4), ("waiting.wav", 20..30)] {
            let length = Clip::read(&prompts.join(file)).unwrap().length();
            assert!(seconds.contains(&length.as_secs()), "{file}: {length:?}");
        }
    }

    #[test]
    fn an_error_names_the_file() {
        let error = Clip::read(Path::new("/nowhere/welcome.wav")).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/welcome.wav: No such file"), "{error}");
    }
}
