//! Copying and comparing short byte strings.
//!
//! For: keys and texts, most of them below 32 bytes. Not for: bulk copies. The decision to know: in a
//! sandbox a copy of unknown length is a call out of the component, which costs more than the bytes;
//! so short ones are moved in two overlapping pieces of fixed size.

use std::ops::Range;

/// Appends `value`.
#[inline(always)]
pub fn append(out: &mut Vec<u8>, value: &[u8]) {
    match value.len() {
        16..=32 => overlapping::<16, 32>(out, value),
        8..=15 => overlapping::<8, 16>(out, value),
        4..=7 => overlapping::<4, 8>(out, value),
        0..=3 => value.iter().for_each(|&byte| out.push(byte)),
        _ => out.extend_from_slice(value),
    }
}

/// Appends a part of `input`. What stands behind a short one is copied too, and taken back: one move whatever its
/// length.
#[inline(always)]
pub fn append_part(out: &mut Vec<u8>, input: &[u8], part: Range<usize>) {
    let length = part.len();
    match input[part.start..].first_chunk::<16>() {
        Some(wide) if length <= wide.len() => {
            let at = out.len();
            out.extend_from_slice(wide);
            out.truncate(at + length);
        }
        _ => append(out, &input[part]),
    }
}

/// Appends `value` of `HALF` to `WHOLE` (twice `HALF`) bytes as its first and its last `HALF` bytes.
#[inline(always)]
fn overlapping<const HALF: usize, const WHOLE: usize>(out: &mut Vec<u8>, value: &[u8]) {
    let at = out.len();
    out.extend_from_slice(&[0; WHOLE]);
    if let (Some(first), Some(last)) = (value.first_chunk::<HALF>(), value.last_chunk::<HALF>()) {
        if let Some(to) = out[at..].first_chunk_mut::<HALF>() {
            *to = *first;
        }
        if let Some(to) = out[at + value.len() - HALF..].first_chunk_mut::<HALF>() {
            *to = *last;
        }
    }
    out.truncate(at + value.len());
}

/// Where a byte stands, out of line: for places that are no hot loops, each of which would hold a copy of the search.
#[inline(never)]
pub fn find(byte: u8, text: &[u8]) -> Option<usize> {
    memchr::memchr(byte, text)
}

/// Where the first line end begins, out of line.
#[inline(never)]
pub fn find_line_end(text: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\n', b'\r', text)
}

/// How often a byte stands there, out of line.
#[inline(never)]
pub fn count(byte: u8, text: &[u8]) -> usize {
    memchr::memchr_iter(byte, text).count()
}

/// Whether two byte strings are the same.
#[inline(always)]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        8..=16 => a.first_chunk::<8>() == b.first_chunk::<8>() && a.last_chunk::<8>() == b.last_chunk::<8>(),
        4..=7 => a.first_chunk::<4>() == b.first_chunk::<4>() && a.last_chunk::<4>() == b.last_chunk::<4>(),
        0..=3 => a.iter().zip(b).all(|(a, b)| a == b),
        17..=32 => {
            a.first_chunk::<16>() == b.first_chunk::<16>() && a.last_chunk::<16>() == b.last_chunk::<16>()
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::{append, append_part, equal};

    #[test]
    fn every_short_length_is_copied_and_compared_whole() {
        let bytes: Vec<u8> = (0..100).collect();
        for len in 0..bytes.len() {
            let mut out = vec![7, 7];
            append(&mut out, &bytes[..len]);
            assert_eq!(out[2..], bytes[..len]);
            assert_eq!(out[..2], [7, 7]);
            for part in [1..len.max(1), bytes.len() - len..bytes.len()] {
                let mut out = vec![7, 7];
                append_part(&mut out, &bytes, part.clone());
                assert_eq!(out[2..], bytes[part]);
            }
            assert!(equal(&out[2..], &bytes[..len]));
            for i in 0..len {
                let mut other = bytes[..len].to_vec();
                other[i] ^= 1;
                assert!(!equal(&other, &bytes[..len]), "byte {i} of {len}");
            }
        }
    }
}
