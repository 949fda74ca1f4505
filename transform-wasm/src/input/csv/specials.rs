//! Where the bytes stand that mean something in CSV: a bit for each, 64 bytes at a time.
//!
//! For: skipping over plain text at the speed of memory. Not for: what such a byte means where it
//! stands. The decision to know: a bit mask per block, so that short fields cost one bit each and no
//! new search; the idea is that of simdjson (Langdale and Lemire, 2019).

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;

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
        Self::from(buf, bytes, 0)
    }

    /// Those from a position on.
    pub(super) fn from(buf: &'a [u8], bytes: [u8; 4], base: usize) -> Self {
        let mut specials = Self { buf, bytes, base, mask: 0, non_ascii: false };
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
#[inline(always)]
fn masks(block: &[u8; BLOCK], bytes: [u8; 4]) -> (u64, bool) {
    let lanes = Lanes::load(block);
    (lanes.any_of(bytes), lanes.has_high())
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use core::arch::wasm32::v128;

/// A block to compare with bytes.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) struct Lanes([v128; BLOCK / 16]);

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
impl Lanes {
    #[inline(always)]
    pub(super) fn load(block: &[u8; BLOCK]) -> Self {
        use core::arch::wasm32::u64x2;
        let (words, _) = block.as_chunks::<8>();
        let lane = |at: usize| u64x2(u64::from_le_bytes(words[at]), u64::from_le_bytes(words[at + 1]));
        Self([lane(0), lane(2), lane(4), lane(6)])
    }

    /// A bit for each byte that is one of these.
    #[inline(always)]
    pub(super) fn any_of<const N: usize>(&self, bytes: [u8; N]) -> u64 {
        use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_splat, u64x2, v128_or};
        let wanted = bytes.map(|byte| u8x16_splat(byte));
        self.0.iter().enumerate().fold(0, |mask, (index, lane)| {
            let found = wanted.iter().fold(u64x2(0, 0), |found, byte| v128_or(found, u8x16_eq(*lane, *byte)));
            mask | u64::from(u8x16_bitmask(found)) << (16 * index)
        })
    }

    /// Whether some byte is not ASCII.
    #[inline(always)]
    pub(super) fn has_high(&self) -> bool {
        use core::arch::wasm32::{u8x16_bitmask, v128_or};
        let [a, b, c, d] = self.0;
        u8x16_bitmask(v128_or(v128_or(a, b), v128_or(c, d))) != 0
    }
}

/// The same without SIMD: eight bytes in a word.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) struct Lanes([u64; BLOCK / 8]);

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
impl Lanes {
    #[inline(always)]
    pub(super) fn load(block: &[u8; BLOCK]) -> Self {
        let mut words = [0; BLOCK / 8];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self(words)
    }

    #[inline(always)]
    pub(super) fn any_of<const N: usize>(&self, bytes: [u8; N]) -> u64 {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        let wanted = bytes.map(|byte| u64::from(byte) * ONES);
        self.0.iter().enumerate().fold(0, |mask, (index, word)| {
            let found = wanted.iter().fold(0, |found, byte| {
                // The high bit of each byte that is zero, exactly: no carry leaves a byte.
                let other = word ^ byte;
                found | !(((other & LOW) + LOW) | other | LOW)
            });
            // Gathers the eight high bits into one byte.
            mask | ((found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index)
        })
    }

    #[inline(always)]
    pub(super) fn has_high(&self) -> bool {
        self.0.iter().fold(0, |any, word| any | word) & 0x8080_8080_8080_8080 != 0
    }
}
