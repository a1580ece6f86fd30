//! Small deterministic hashing: the same input gives the same picture, the same latency and the
//! same file name in every run with the same seed. Not for secrets.

use std::hash::Hasher as _;

use std::hash::DefaultHasher;

/// A hash of some bytes under a seed.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    // `DefaultHasher::new` uses fixed keys, so that the value is the same in every process.
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(seed);
    hasher.write(bytes);
    hasher.finish()
}

/// A number of the same quality from another one.
pub(crate) fn mix(value: u64) -> u64 {
    let mut state = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// `length` letters and digits from a number.
pub(crate) fn name(mut value: u64, length: usize) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        value = mix(value);
        let index = usize::try_from(value % 62).unwrap_or_default();
        text.push(LETTERS.get(index).copied().map_or('0', char::from));
    }
    text
}
