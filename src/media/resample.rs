//! Bringing recorded samples down to 8 kHz: a windowed sinc, by exact ratio.

use std::f64::consts::PI;

use crate::rtp::CLOCK_HZ;

/// Zero crossings of the sinc on each side: a transition band of about 400 Hz.
const CROSSINGS: f64 = 24.0;
/// Where the pass band ends, as a share of 4 kHz.
const CUTOFF: f64 = 0.94;

/// The same sound at 8,000 samples a second; `rate` is at least that.
pub(super) fn to_8_khz(samples: Vec<f32>, rate: u32) -> Vec<f32> {
    if rate == CLOCK_HZ {
        return samples;
    }
    let divisor = gcd(rate, CLOCK_HZ);
    // Output sample n lies at input position n * step / phases.
    let (phases, step) = (u64::from(CLOCK_HZ / divisor), u64::from(rate / divisor));
    let filters: Vec<Vec<f32>> =
        (0..phases).map(|phase| filter(phase as f64 / phases as f64, rate)).collect();
    let reach = reach(rate) as i64;
    let length = (samples.len() as u64 * phases).div_ceil(step);
    (0..length)
        .map(|n| {
            let first = (n * step / phases) as i64 - reach;
            let filter = &filters[(n * step % phases) as usize];
            let skipped = (-first).max(0) as usize;
            let heard = samples.iter().skip(first.max(0) as usize);
            filter.iter().skip(skipped).zip(heard).map(|(weight, sample)| weight * sample).sum()
        })
        .collect()
}

/// Input samples needed on each side of a position.
fn reach(rate: u32) -> usize {
    (CROSSINGS * f64::from(rate) / (CUTOFF * f64::from(CLOCK_HZ))).ceil() as usize
}

/// Weights of the input samples from `reach` before to `reach + 1` after, for a position `offset` past one.
fn filter(offset: f64, rate: u32) -> Vec<f32> {
    let reach = reach(rate) as i64;
    let cutoff = CUTOFF * f64::from(CLOCK_HZ) / f64::from(rate);
    let weight = |place: i64| {
        let distance = place as f64 - offset;
        let within = (distance / (reach + 1) as f64).clamp(-1.0, 1.0);
        // Blackman's window: side lobes 58 dB down.
        let window = 0.42 + 0.5 * (PI * within).cos() + 0.08 * (2.0 * PI * within).cos();
        let angle = PI * cutoff * distance;
        window * cutoff * if angle == 0.0 { 1.0 } else { angle.sin() / angle }
    };
    let weights: Vec<f64> = (-reach..=reach + 1).map(weight).collect();
    // Every phase passes a constant unchanged.
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| (weight / sum) as f32).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn loudness(frequency: f32, rate: u32) -> f32 {
        let tone = (0..rate / 4).map(|n| (TAU * frequency * n as f32 / rate as f32).sin()).collect();
        to_8_khz(tone, rate)[500..1_500].iter().fold(0.0f32, |most, sample| most.max(sample.abs()))
    }

    #[test]
    fn speech_passes_and_what_would_fold_back_does_not() {
        for rate in [11_025, 16_000, 44_100, 48_000] {
            for frequency in [300.0, 1_000.0, 3_400.0] {
                assert!((loudness(frequency, rate) - 1.0).abs() < 0.03, "{frequency} Hz of {rate}");
            }
            for frequency in [4_300.0, 5_400.0] {
                assert!(loudness(frequency, rate) < 0.003, "{frequency} Hz of {rate}");
            }
        }
    }

    #[test]
    fn a_constant_stays_constant() {
        let level = to_8_khz(vec![0.25; 4_410], 44_100);
        assert_eq!(level.len(), 800);
        assert!(level[100..700].iter().all(|sample| (sample - 0.25).abs() < 1e-5));
    }
}
