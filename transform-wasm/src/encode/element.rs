//! Values of fixed width: how each physical type hashes, orders and is written in PLAIN.
//!
//! Not for byte strings and booleans. The decision to know: equality is that of bits (0.0 and -0.0
//! are two dictionary entries, both come back as they were), order is that of numbers.

use super::hash;

/// A value of fixed width.
pub(super) trait Element: Copy + Default + PartialOrd {
    /// Whether the bits are equal.
    fn same(self, other: Self) -> bool;

    /// Fixed hash.
    fn hash(self) -> u32;

    /// Appends values in PLAIN, `width` bytes each.
    fn put_all(values: &[Self], width: usize, out: &mut Vec<u8>);

    /// The smallest and largest value as statistics want them: a zero of unknown sign is widened
    /// (parquet.thrift, ColumnOrder: min -0.0, max +0.0).
    fn widen(min: Self, max: Self) -> (Self, Self) {
        (min, max)
    }
}

macro_rules! put_little_endian {
    ($bytes:literal) => {
        fn put_all(values: &[Self], _width: usize, out: &mut Vec<u8>) {
            let start = out.len();
            out.resize(start + values.len() * $bytes, 0);
            for (bytes, value) in out[start..].as_chunks_mut::<$bytes>().0.iter_mut().zip(values) {
                *bytes = value.to_le_bytes();
            }
        }
    };
}

impl Element for i32 {
    #[inline(always)]
    fn same(self, other: Self) -> bool {
        self == other
    }

    #[inline(always)]
    fn hash(self) -> u32 {
        hash::word(u64::from(self as u32))
    }

    put_little_endian!(4);
}

impl Element for i64 {
    #[inline(always)]
    fn same(self, other: Self) -> bool {
        self == other
    }

    #[inline(always)]
    fn hash(self) -> u32 {
        hash::word(self as u64)
    }

    put_little_endian!(8);
}

impl Element for f64 {
    #[inline(always)]
    fn same(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }

    #[inline(always)]
    fn hash(self) -> u32 {
        hash::word(self.to_bits())
    }

    put_little_endian!(8);

    fn widen(min: Self, max: Self) -> (Self, Self) {
        (if min == 0.0 { -0.0 } else { min }, if max == 0.0 { 0.0 } else { max })
    }
}

/// Decimals of more than 18 digits: FIXED_LEN_BYTE_ARRAY, big-endian two's complement.
impl Element for i128 {
    #[inline(always)]
    fn same(self, other: Self) -> bool {
        self == other
    }

    #[inline(always)]
    fn hash(self) -> u32 {
        hash::two_words(self as u64, (self >> 64) as u64)
    }

    fn put_all(values: &[Self], width: usize, out: &mut Vec<u8>) {
        for value in values {
            out.extend_from_slice(&value.to_be_bytes()[16 - width..]);
        }
    }
}
