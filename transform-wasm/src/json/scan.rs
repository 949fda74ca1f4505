//! Finding the end of a string 16 bytes at a time.
//!
//! The decision to know: one block operation with three homes (Wasm SIMD, SSE2, plain), all exact,
//! so that the result never depends on the host.

/// Bytes that are looked at together once a string is longer than a few blocks.
const WIDE: usize = 64;

/// As [`string_stop`] where its byte is within 16 bytes, and those before it are ASCII: most strings.
#[inline(always)]
pub fn near_stop(input: &[u8], at: usize) -> Option<usize> {
    let (stops, highs) = masks(input.get(at..)?.first_chunk::<16>()?);
    let before = stops.wrapping_sub(1) & !stops;
    (stops != 0 && highs & before == 0).then(|| at + stops.trailing_zeros() as usize)
}

/// First byte at or after `at` that is `"`, `\` or a control character (or the input's length), and
/// whether a byte before it is not ASCII.
#[inline]
pub fn string_stop(input: &[u8], mut at: usize) -> (usize, bool) {
    let mut high = false;
    for _ in 0..2 {
        let Some(block) = input.get(at..).and_then(<[u8]>::first_chunk::<16>) else { break };
        let (stops, highs) = masks(block);
        if stops != 0 {
            let n = stops.trailing_zeros();
            return (at + n as usize, high | (highs & ((1 << n) - 1) != 0));
        }
        high |= highs != 0;
        at += 16;
    }
    while let Some(wide) = input.get(at..).and_then(<[u8]>::first_chunk::<WIDE>) {
        let (stops, highs) = wide_masks(wide);
        if stops != 0 {
            let n = stops.trailing_zeros();
            return (at + n as usize, high | (highs & ((1 << n) - 1) != 0));
        }
        high |= highs != 0;
        at += WIDE;
    }
    while let Some(block) = input.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let (stops, highs) = masks(block);
        if stops != 0 {
            let n = stops.trailing_zeros();
            return (at + n as usize, high | (highs & ((1 << n) - 1) != 0));
        }
        high |= highs != 0;
        at += 16;
    }
    while let Some(&byte) = input.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        high |= byte >= 0x80;
        at += 1;
    }
    (at, high)
}

/// The masks of four blocks: of stops, and of bytes that are not ASCII.
#[inline(always)]
fn wide_masks(wide: &[u8; WIDE]) -> (u64, u64) {
    let each = wide.as_chunks::<16>().0.iter().map(masks);
    each.rev().fold((0, 0), |(stops, highs), (stop, high)| {
        (stops << 16 | u64::from(stop), highs << 16 | u64::from(high))
    })
}

#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn masks(block: &[u8; 16]) -> (u32, u32) {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, v128, v128_load, v128_or};
    // SAFETY: `block` is 16 readable bytes; v128_load has no alignment to keep.
    let v = unsafe { v128_load(block.as_ptr().cast::<v128>()) };
    let quote = u8x16_eq(v, u8x16_splat(b'"'));
    let slash = u8x16_eq(v, u8x16_splat(b'\\'));
    let control = u8x16_lt(v, u8x16_splat(0x20));
    (u32::from(u8x16_bitmask(v128_or(v128_or(quote, slash), control))), u32::from(u8x16_bitmask(v)))
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn masks(block: &[u8; 16]) -> (u32, u32) {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8,
    };
    // SAFETY: SSE2 is part of x86-64; `block` is 16 readable bytes and the load is unaligned.
    unsafe {
        let v = _mm_loadu_si128(block.as_ptr().cast::<__m128i>());
        let quote = _mm_cmpeq_epi8(v, _mm_set1_epi8(b'"' as i8));
        let slash = _mm_cmpeq_epi8(v, _mm_set1_epi8(b'\\' as i8));
        let control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        let stops = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
        (stops as u32, _mm_movemask_epi8(v) as u32)
    }
}

#[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
#[inline(always)]
fn masks(block: &[u8; 16]) -> (u32, u32) {
    let mut stops = 0;
    let mut highs = 0;
    for (i, &byte) in block.iter().enumerate() {
        stops |= u32::from(byte == b'"' || byte == b'\\' || byte < 0x20) << i;
        highs |= u32::from(byte >= 0x80) << i;
    }
    (stops, highs)
}
