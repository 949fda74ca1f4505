//! Where the bytes stand that mean something in CSV: a bit for each, 64 bytes at a time.
//!
//! For: skipping over plain text at the speed of memory. Not for: what such a byte means where it
//! stands. The decision to know: a bit mask per block, so that short fields cost one bit each and no
//! new search; the idea is that of simdjson (Langdale and Lemire, 2019).

/// Bytes of a block.
const BLOCK: usize = 64;

/// Special bytes of a buffer, first to last.
pub(super) struct Specials<'a> {
    buf: &'a [u8],
    bytes: [u8; 4],
    /// Start of the block that `mask` is of.
    base: usize,
    mask: u64,
    /// A byte above 0x7f was in one of the blocks looked at.
    pub(super) non_ascii: bool,
}

impl<'a> Specials<'a> {
    pub(super) fn new(buf: &'a [u8], bytes: [u8; 4]) -> Self {
        let mut specials = Self { buf, bytes, base: 0, mask: 0, non_ascii: false };
        specials.load();
        specials
    }

    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            self.base += BLOCK;
            if self.base >= self.buf.len() {
                // Stays there, however often it is asked again.
                self.base = self.buf.len();
                return None;
            }
            self.load();
        }
        let at = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(at)
    }

    /// Goes on behind a byte, or at the buffer's end: what stands before is not asked for any more.
    pub(super) fn go_behind(&mut self, at: usize) {
        while self.base + BLOCK <= at {
            self.base += BLOCK;
            if self.base >= self.buf.len() {
                self.base = self.buf.len();
                self.mask = 0;
                return;
            }
            self.load();
        }
        self.mask &= !(u64::MAX >> (BLOCK - 1 - (at - self.base)));
    }

    #[inline(always)]
    fn load(&mut self) {
        let rest = &self.buf[self.base..];
        let (mask, high) = match rest.first_chunk::<BLOCK>() {
            Some(block) => masks(block, self.bytes),
            None => {
                // Zero is none of the bytes looked for (see `CsvOptions`).
                let mut block = [0; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                masks(&block, self.bytes)
            }
        };
        self.mask = mask;
        self.non_ascii |= high;
    }
}

/// A bit for each byte of a block that is one of four, and whether any byte is not ASCII.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
fn masks(block: &[u8; BLOCK], bytes: [u8; 4]) -> (u64, bool) {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_splat, u64x2, v128_any_true, v128_or};
    let wanted = bytes.map(|byte| u8x16_splat(byte));
    let mut mask = 0;
    let mut any = u64x2(0, 0);
    let (lanes, _) = block.as_chunks::<16>();
    for (index, lane) in lanes.iter().enumerate() {
        let (halves, _) = lane.as_chunks::<8>();
        let lane = u64x2(u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1]));
        let found = v128_or(
            v128_or(u8x16_eq(lane, wanted[0]), u8x16_eq(lane, wanted[1])),
            v128_or(u8x16_eq(lane, wanted[2]), u8x16_eq(lane, wanted[3])),
        );
        mask |= u64::from(u8x16_bitmask(found)) << (16 * index);
        any = v128_or(any, lane);
    }
    let high = core::arch::wasm32::v128_and(any, u8x16_splat(0x80));
    (mask, v128_any_true(high))
}

/// A bit for each byte of a block that is one of four, and whether any byte is not ASCII: without
/// SIMD, eight bytes in a word.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline(always)]
fn masks(block: &[u8; BLOCK], bytes: [u8; 4]) -> (u64, bool) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let wanted = bytes.map(|byte| u64::from(byte) * ONES);
    let mut mask = 0;
    let mut any = 0;
    let (words, _) = block.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        any |= word;
        let mut found = 0;
        for byte in wanted {
            // The high bit of each byte that is zero, exactly: no carry leaves a byte.
            let other = word ^ byte;
            found |= !(((other & LOW) + LOW) | other | LOW);
        }
        // Gathers the eight high bits into one byte.
        mask |= ((found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index);
    }
    (mask, any & !LOW != 0)
}
