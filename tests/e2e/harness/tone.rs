//! Tones: made as WAV files, and found again in recordings.

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::time::Duration;

const RATE: u32 = 8_000;

/// Writes `name`.wav into `dir`: a tone of `hertz`, mono, 16 bits, 8 kHz.
pub fn write(dir: &Path, name: &str, hertz: f64, length: Duration) -> PathBuf {
    let path = dir.join(format!("{name}.wav"));
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&path, spec).unwrap();
    for n in 0..(length.as_secs_f64() * f64::from(RATE)) as u32 {
        let phase = TAU * hertz * f64::from(n) / f64::from(RATE);
        wav.write_sample((phase.sin() * 10_000.0) as i16).unwrap();
    }
    wav.finalize().unwrap();
    path
}

/// The share of a recording's energy that lies at `hertz`, in its loudest half second; 0 to 1.
pub fn strength(samples: &[i16], rate: u32, hertz: f64) -> f64 {
    let window = rate as usize / 2;
    let shares = samples.chunks_exact(window).map(|chunk| share(chunk, rate, hertz));
    shares.fold(0.0, f64::max)
}

/// Goertzel's algorithm: the energy at one frequency against all of it.
fn share(samples: &[i16], rate: u32, hertz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hertz / f64::from(rate)).cos();
    let (mut last, mut before, mut energy) = (0.0, 0.0, 0.0);
    for &sample in samples {
        let sample = f64::from(sample);
        let next = sample + coefficient * last - before;
        (before, last) = (last, next);
        energy += sample * sample;
    }
    let power = last * last + before * before - coefficient * last * before;
    let count = samples.len() as f64;
    // A room as quiet as this has no tone in it.
    if energy < count * 100.0 { 0.0 } else { 2.0 * power / (count * energy) }
}

/// The samples and the rate of a WAV file that may still be written to: mono, or one channel of many.
pub fn read(path: &Path) -> (Vec<i16>, u32) {
    let Ok(bytes) = std::fs::read(path) else { return (Vec::new(), RATE) };
    let field = |at: usize, length: usize| {
        let bytes = bytes.get(at..at + length).unwrap_or_default();
        bytes.iter().rev().fold(0usize, |value, &byte| value << 8 | usize::from(byte))
    };
    let (channels, rate) = (field(22, 2).max(1), field(24, 4) as u32);
    let data = bytes.windows(4).position(|word| word == b"data").map_or(bytes.len(), |at| at + 8);
    let samples = bytes.get(data..).unwrap_or_default().chunks_exact(2);
    (samples.map(|pair| i16::from_le_bytes([pair[0], pair[1]])).step_by(channels).collect(), rate)
}

#[test]
fn a_tone_is_found_where_it_is_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let (samples, rate) = read(&write(dir.path(), "a", 440.0, Duration::from_secs(1)));
    assert_eq!(samples.len(), 8_000);
    assert!(strength(&samples, rate, 440.0) > 0.95);
    assert!(strength(&samples, rate, 620.0) < 0.01);
    assert_eq!(strength(&[0; 8_000], rate, 440.0), 0.0);
}
