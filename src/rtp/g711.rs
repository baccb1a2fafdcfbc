//! G.711 (ITU-T G.711): A-law and mu-law to and from 16-bit linear, and each to the other by table.
//!
//! Every table is computed at compile time from the two laws, so there is nothing to mistype.

/// A-law of a linear zero.
pub const ALAW_SILENCE: u8 = 0xd5;
/// Mu-law of a linear zero.
pub const MULAW_SILENCE: u8 = 0xff;

/// Linear value of each A-law byte.
pub static ALAW_TO_LINEAR: [i16; 256] = decoded(Law::A);
/// Linear value of each mu-law byte.
pub static MULAW_TO_LINEAR: [i16; 256] = decoded(Law::Mu);
/// The mu-law byte nearest to each A-law byte.
pub static ALAW_TO_MULAW: [u8; 256] = transcoded(Law::A);
/// The A-law byte nearest to each mu-law byte.
pub static MULAW_TO_ALAW: [u8; 256] = transcoded(Law::Mu);

/// A-law of a linear sample.
pub const fn alaw(sample: i16) -> u8 {
    // A-law mirrors at minus one half, so the negative side is the complement and not the negation.
    let (magnitude, mask) = if sample >= 0 { (sample, 0xd5) } else { (!sample, 0x55) };
    let magnitude = (magnitude >> 3) as u16;
    let segment = if magnitude < 32 { 0 } else { magnitude.ilog2() - 4 };
    let step = if segment < 2 { magnitude >> 1 } else { magnitude >> segment };
    ((segment << 4) as u8 | (step & 0xf) as u8) ^ mask
}

/// Mu-law of a linear sample.
pub const fn mulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let clipped = if sample.unsigned_abs() > MULAW_CLIP { MULAW_CLIP } else { sample.unsigned_abs() };
    let magnitude = clipped + MULAW_BIAS;
    let segment = magnitude.ilog2() - 7;
    let step = (magnitude >> (segment + 3)) & 0xf;
    !(sign | (segment << 4) as u8 | step as u8)
}

const MULAW_BIAS: u16 = 132;
const MULAW_CLIP: u16 = 32_635;

#[derive(Copy, Clone)]
enum Law {
    A,
    Mu,
}

const fn alaw_linear(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let segment = (bits >> 4) & 7;
    let step = ((bits & 0xf) as i16) << 4;
    let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if bits & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn mulaw_linear(byte: u8) -> i16 {
    let bits = !byte;
    let biased = ((((bits & 0xf) as u16) << 3) + MULAW_BIAS) << ((bits >> 4) & 7);
    let magnitude = (biased - MULAW_BIAS) as i16;
    if bits & 0x80 != 0 { -magnitude } else { magnitude }
}

const fn decoded(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match law {
            Law::A => alaw_linear(byte as u8),
            Law::Mu => mulaw_linear(byte as u8),
        };
        byte += 1;
    }
    table
}

const fn transcoded(from: Law) -> [u8; 256] {
    let linear = decoded(from);
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match from {
            Law::A => mulaw(linear[byte]),
            Law::Mu => alaw(linear[byte]),
        };
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255u8 {
            assert_eq!(alaw(ALAW_TO_LINEAR[usize::from(byte)]), byte);
            // Mu-law has two zeros, and the negative one comes back as the positive.
            let expected = if byte == 0x7f { MULAW_SILENCE } else { byte };
            assert_eq!(mulaw(MULAW_TO_LINEAR[usize::from(byte)]), expected);
        }
    }

    #[test]
    fn known_values_of_the_recommendation_hold() {
        assert_eq!((alaw(0), mulaw(0)), (ALAW_SILENCE, MULAW_SILENCE));
        assert_eq!((ALAW_TO_LINEAR[0xaa], ALAW_TO_LINEAR[0x2a]), (32_256, -32_256));
        assert_eq!((MULAW_TO_LINEAR[0x80], MULAW_TO_LINEAR[0x00]), (32_124, -32_124));
        assert_eq!((alaw(i16::MAX), alaw(i16::MIN)), (0xaa, 0x2a));
        assert_eq!((mulaw(i16::MAX), mulaw(i16::MIN)), (0x80, 0x00));
    }

    #[test]
    fn every_sample_comes_back_within_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            let size = i32::from(sample).abs();
            let (a, mu) =
                (ALAW_TO_LINEAR[usize::from(alaw(sample))], MULAW_TO_LINEAR[usize::from(mulaw(sample))]);
            assert!((i32::from(a) - i32::from(sample)).abs() <= 8.max(size / 32 + 1).max(size - 32_256));
            assert!(
                (i32::from(mu) - i32::from(sample)).abs() <= 4 + (size + 132) / 32 + (size - 32_124).max(0)
            );
        }
    }

    #[test]
    fn transcoding_keeps_silence_sign_and_order() {
        assert_eq!(ALAW_TO_MULAW[usize::from(ALAW_SILENCE)], mulaw(8));
        assert_eq!(MULAW_TO_ALAW[usize::from(MULAW_SILENCE)], ALAW_SILENCE);
        for byte in 0..=255usize {
            let (from, to) = (ALAW_TO_LINEAR[byte], MULAW_TO_LINEAR[usize::from(ALAW_TO_MULAW[byte])]);
            assert!((i32::from(from) - i32::from(to)).abs() <= 8 + i32::from(from).abs() / 24, "{from} {to}");
        }
    }
}
