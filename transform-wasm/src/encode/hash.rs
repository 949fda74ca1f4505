//! Fixed hash and comparison of values, for the dictionary.
//!
//! Not for anything an attacker may not influence: the hash has no key, since output must be the
//! same on every host; the dictionary bounds the length of a probe instead.
//!
//! The decision to know: all arithmetic is on `u64`, so that 32-bit Wasm and a 64-bit host agree,
//! and short byte strings are read as at most two words, because a call of `memcmp` or `memcpy`
//! costs more than the value itself in Wasm.

const K1: u64 = 0x9E37_79B9_7F4A_7C15;
const K2: u64 = 0xD6E8_FEB8_6659_FD93;
const K3: u64 = 0xA076_1D64_78BD_642F;

/// Hash of one 64-bit word.
#[inline(always)]
pub(super) fn word(value: u64) -> u32 {
    let x = value.wrapping_mul(K1);
    ((x ^ (x >> 32)).wrapping_mul(K2) >> 32) as u32
}

/// Hash of two 64-bit words.
#[inline(always)]
pub(super) fn two_words(a: u64, b: u64) -> u32 {
    let x = (a ^ K3).wrapping_mul(K1);
    word((x ^ (x >> 32)).wrapping_add(b))
}

/// A byte string as two words: with the length they determine one of up to 16 bytes, and are a
/// hash of a longer one.
#[inline(always)]
pub(super) fn words(value: &[u8]) -> (u64, u64) {
    if value.len() <= 16 {
        return two_ends(value);
    }
    let mut x = K3;
    for part in value.as_chunks::<8>().0 {
        x = (x ^ u64::from_le_bytes(*part)).wrapping_mul(K1);
        x ^= x >> 32;
    }
    (x, last_word(value))
}

/// Whether two byte strings of one length are equal, the last word of each known to be.
#[inline(always)]
pub(super) fn same_words(a: &[u8], b: &[u8]) -> bool {
    let pairs = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    pairs.fold(0, |d, (x, y)| d | (u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y))) == 0
}

/// The first 8 bytes as a number that orders as the bytes do; a shorter value is padded with zeros,
/// so equal keys say nothing.
#[inline(always)]
pub(super) fn order_key(value: &[u8]) -> u64 {
    value.first_chunk::<8>().map_or_else(|| short_key(value), |first| u64::from_be_bytes(*first))
}

/// Up to 7 bytes, the first one the most significant, padded with zeros.
#[inline]
fn short_key(value: &[u8]) -> u64 {
    let bits = 8 * value.len() as u32;
    let word = match (value.first_chunk::<4>(), value.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            (u64::from(u32::from_be_bytes(*first)) << (bits - 32)) | u64::from(u32::from_be_bytes(*last))
        }
        _ => value.iter().fold(0, |x, &b| (x << 8) | u64::from(b)),
    };
    if bits == 0 { 0 } else { word << (64 - bits) }
}

/// Up to 16 bytes as two words that may overlap; with the length they determine the value.
#[inline(always)]
fn two_ends(value: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (value.first_chunk::<8>(), value.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (value.first_chunk::<4>(), value.last_chunk::<4>()) {
        return (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
    }
    match value {
        [] => (0, 0),
        [a, .., b] => (u64::from(*a) | (u64::from(value[value.len() / 2]) << 8), u64::from(*b)),
        [a] => (u64::from(*a), 0),
    }
}

#[inline(always)]
fn last_word(value: &[u8]) -> u64 {
    value.last_chunk::<8>().map_or(0, |last| u64::from_le_bytes(*last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn words_tell_apart(a in vec(0u8..3, 0..40), b in vec(0u8..3, 0..40)) {
            let same = a.len() == b.len() && words(&a) == words(&b) && (a.len() <= 16 || same_words(&a, &b));
            prop_assert_eq!(same, a == b);
        }

        #[test]
        fn order_key_orders(a in vec(any::<u8>(), 0..20), b in vec(any::<u8>(), 0..20)) {
            let (x, y) = (order_key(&a), order_key(&b));
            if x != y {
                prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            }
        }
    }
}
