//! Texts of a column: end to end, as the column holds them.
//!
//! Not for what the texts mean. The decision to know: sums of lengths come from the ends alone, so
//! that a count of bytes does not touch the text.

use std::ops::Range;

use super::rows::Live;

/// Texts end to end.
#[derive(Clone, Copy)]
pub(super) struct Strings<'a> {
    /// All texts.
    pub data: &'a [u8],
    /// End of each text.
    pub ends: &'a [u32],
}

impl<'a> Strings<'a> {
    /// Start and end of text `i`.
    #[inline(always)]
    pub fn range(&self, i: usize) -> Range<usize> {
        self.start(i)..self.ends[i] as usize
    }

    /// Text `i`.
    #[inline(always)]
    pub fn get(&self, i: usize) -> &'a [u8] {
        &self.data[self.range(i)]
    }

    /// Bytes of text `i`.
    #[inline(always)]
    pub fn size(&self, i: usize) -> u64 {
        self.range(i).len() as u64
    }

    /// Bytes of the texts of all rows of `slots`, without lengths.
    pub fn bytes(&self, slots: Range<usize>, live: Live<'_>) -> u64 {
        let Some(last) = slots.clone().next_back() else { return 0 };
        let start = self.start(slots.start) as u32;
        let ends = &self.ends[slots];
        let (Some(counts), valid) = (live.counts, live.valid) else {
            return match live.valid {
                None => u64::from(self.ends[last] - start),
                Some(valid) => weighted(start, ends, valid.iter().map(|&v| u64::from(v))),
            };
        };
        match valid {
            None => weighted(start, ends, counts.iter().map(|&c| u64::from(c))),
            Some(valid) => {
                weighted(start, ends, counts.iter().zip(valid).map(|(&c, &v)| u64::from(c) * u64::from(v)))
            }
        }
    }

    #[inline(always)]
    fn start(&self, i: usize) -> usize {
        if i == 0 { 0 } else { self.ends[i - 1] as usize }
    }
}

/// The sum of lengths, each times its count.
#[inline(always)]
fn weighted(start: u32, ends: &[u32], counts: impl Iterator<Item = u64>) -> u64 {
    let starts = std::iter::once(&start).chain(ends);
    starts.zip(ends).zip(counts).map(|((start, end), count)| u64::from(end - start) * count).sum()
}
