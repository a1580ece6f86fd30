//! A WAV: one second of a tone, 16 bits, mono.

use std::f64::consts::TAU;

use bytes::Bytes;

/// Samples in a second, which is also how many there are.
pub(crate) const SAMPLE_RATE: u16 = 16_000;
const BYTES_PER_SAMPLE: u32 = 2;
/// Bytes from the `RIFF` size field to the samples.
const HEADER: u32 = 36;

/// A tone between 220 and 475 hertz.
pub(crate) fn tone(look: u32) -> Bytes {
    let [low, ..] = look.to_le_bytes();
    let frequency = 220.0 + f64::from(low);
    let rate = u32::from(SAMPLE_RATE);
    let size = rate * BYTES_PER_SAMPLE;
    let mut file = Vec::with_capacity(size as usize + 44);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(HEADER + size).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16u32.to_le_bytes());
    // Plain samples, one channel.
    file.extend_from_slice(&1u16.to_le_bytes());
    file.extend_from_slice(&1u16.to_le_bytes());
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&(rate * BYTES_PER_SAMPLE).to_le_bytes());
    file.extend_from_slice(&2u16.to_le_bytes());
    file.extend_from_slice(&16u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&size.to_le_bytes());
    for number in 0..SAMPLE_RATE {
        let angle = TAU * frequency * f64::from(number) / f64::from(SAMPLE_RATE);
        #[expect(clippy::cast_possible_truncation, reason = "within ±8192 by construction")]
        let sample = (8192.0 * angle.sin()) as i16;
        file.extend_from_slice(&sample.to_le_bytes());
    }
    Bytes::from(file)
}
