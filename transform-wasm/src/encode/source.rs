//! What fills the data pages of a chunk: PLAIN values of each kind, or indexes into a dictionary.
//!
//! Not for levels, headers and page boundaries, which are the same for all. The decision to know:
//! smallest and largest values are found slot by slot, not row by row, and for indexed texts only
//! once an entry and page.

use std::ops::Range;

use super::bits;
use super::dictionary::TextEntries;
use super::element::Element;
use super::rows::{Cursor, Live, Span, expand};
use super::stats::{self, Bounds, Extremes};
use super::strings::Strings;

/// Rows of a page. Few enough that a reader which skips by page index saves work, many enough that
/// headers and lone runs do not count.
const PAGE_ROWS: usize = 20_000;
/// Bytes of values in a PLAIN page of texts, unless one text alone is larger.
const PAGE_BYTES: u64 = 1024 * 1024;
/// Texts are copied by so many bytes at once; a call for each would cost more than the text.
const STRIDE: usize = 16;

/// The values of a column chunk, as its data pages hold them.
pub(super) trait Source {
    /// What bounds are made of.
    type Value: Copy + PartialOrd;
    /// Whether pages hold indexes into a dictionary.
    const INDEXED: bool;

    /// Rows of the page that starts at `cursor`.
    fn page_rows(&self, _cursor: &Cursor<'_>) -> usize {
        PAGE_ROWS
    }

    /// Appends the values of a page that has at least one.
    fn put(&mut self, span: &Span<'_>, body: &mut Vec<u8>);

    /// Smallest and largest value of a page.
    fn extremes(&mut self, span: &Span<'_>) -> Option<(Self::Value, Self::Value)>;

    /// How statistics hold them.
    fn bounds(&self, extremes: (Self::Value, Self::Value)) -> Bounds;

    /// Bytes of the texts of a page without lengths; `None` for other types.
    fn text_bytes(&self, _span: &Span<'_>) -> Option<u64> {
        None
    }
}

/// Booleans, a bit each.
pub(super) struct Booleans<'a> {
    pub values: &'a [u8],
    pub expanded: Vec<u8>,
}

impl Source for Booleans<'_> {
    type Value = u8;
    const INDEXED: bool = false;

    fn put(&mut self, span: &Span<'_>, body: &mut Vec<u8>) {
        let values = &self.values[span.slots.clone()];
        bits::plain_bits(expand(values, span.live, span.filled(), &mut self.expanded), body);
    }

    fn extremes(&mut self, span: &Span<'_>) -> Option<(u8, u8)> {
        stats::of_fixed(&self.values[span.slots.clone()], span.live)
    }

    fn bounds(&self, extremes: (u8, u8)) -> Bounds {
        Bounds::of_booleans(extremes)
    }
}

/// Values of fixed width as they are.
pub(super) struct PlainFixed<'a, T> {
    pub values: &'a [T],
    pub width: usize,
    pub expanded: Vec<T>,
}

impl<T: Element> Source for PlainFixed<'_, T> {
    type Value = T;
    const INDEXED: bool = false;

    fn put(&mut self, span: &Span<'_>, body: &mut Vec<u8>) {
        let values = &self.values[span.slots.clone()];
        T::put_all(expand(values, span.live, span.filled(), &mut self.expanded), self.width, body);
    }

    fn extremes(&mut self, span: &Span<'_>) -> Option<(T, T)> {
        stats::of_fixed(&self.values[span.slots.clone()], span.live)
    }

    fn bounds(&self, extremes: (T, T)) -> Bounds {
        Bounds::of_fixed(extremes, self.width)
    }
}

/// Indexes into a dictionary.
pub(super) struct Indexes<'a> {
    /// One a slot.
    pub slots: &'a [u32],
    /// Bits of one.
    pub width: u8,
    pub expanded: &'a mut Vec<u32>,
}

impl Indexes<'_> {
    fn put(&mut self, span: &Span<'_>, body: &mut Vec<u8>) {
        body.push(self.width);
        let indexes = &self.slots[span.slots.clone()];
        if let Some(counts) = span.live.counts {
            // Repeats of a slot make runs: where runs are smaller than packing (and they are made
            // without looking at rows), the page has nothing else.
            let run_bytes = 1 + usize::from(self.width).div_ceil(8);
            if indexes.len() * run_bytes * 8 <= span.filled() * usize::from(self.width) {
                let ones = std::iter::repeat(&1);
                match span.live.valid {
                    None => bits::runs(indexes.iter().zip(counts).zip(ones), self.width, body),
                    Some(valid) => bits::runs(indexes.iter().zip(counts).zip(valid), self.width, body),
                }
                return;
            }
        }
        bits::hybrid(expand(indexes, span.live, span.filled(), self.expanded), self.width, body);
    }
}

/// Values of fixed width through a dictionary.
pub(super) struct IndexedFixed<'a, T> {
    pub values: &'a [T],
    pub width: usize,
    pub indexes: Indexes<'a>,
}

impl<T: Element> Source for IndexedFixed<'_, T> {
    type Value = T;
    const INDEXED: bool = true;

    fn put(&mut self, span: &Span<'_>, body: &mut Vec<u8>) {
        self.indexes.put(span, body);
    }

    fn extremes(&mut self, span: &Span<'_>) -> Option<(T, T)> {
        stats::of_fixed(&self.values[span.slots.clone()], span.live)
    }

    fn bounds(&self, extremes: (T, T)) -> Bounds {
        Bounds::of_fixed(extremes, self.width)
    }
}

/// Texts as they are, each behind its length.
pub(super) struct PlainStrings<'a> {
    pub strings: Strings<'a>,
}

impl<'a> Source for PlainStrings<'a> {
    type Value = &'a [u8];
    const INDEXED: bool = false;

    fn page_rows(&self, cursor: &Cursor<'_>) -> usize {
        let each = Live { valid: None, counts: None };
        let whole = |slots: Range<usize>| 4 * slots.len() as u64 + self.strings.bytes(slots, each);
        cursor.fitting(PAGE_ROWS, PAGE_BYTES, |slot| 4 + self.strings.size(slot), whole)
    }

    fn put(&mut self, span: &Span<'_>, body: &mut Vec<u8>) {
        let mut at = body.len();
        let texts = self.strings.bytes(span.slots.clone(), span.live);
        let end = at + texts as usize + 4 * span.filled();
        body.resize(end + STRIDE, 0);
        let each = span.live.counts.is_none() && span.live.valid.is_none();
        for (i, slot) in span.slots.clone().enumerate() {
            let range = self.strings.range(slot);
            let times = if each { 1 } else { span.live.times(i) };
            for _ in 0..times {
                put_text(self.strings.data, range.clone(), &mut body[at..]);
                at += 4 + range.len();
            }
        }
        body.truncate(end);
    }

    fn extremes(&mut self, span: &Span<'_>) -> Option<(&'a [u8], &'a [u8])> {
        stats::of_strings(self.strings, span.slots.clone(), span.live)
    }

    fn bounds(&self, extremes: (&'a [u8], &'a [u8])) -> Bounds {
        Bounds::of_strings(extremes)
    }

    fn text_bytes(&self, span: &Span<'_>) -> Option<u64> {
        Some(self.strings.bytes(span.slots.clone(), span.live))
    }
}

/// Writes a text behind its length; may write up to a stride more, which the next one overwrites.
#[inline(always)]
fn put_text(data: &[u8], range: Range<usize>, to: &mut [u8]) {
    let length = range.len();
    let Some((head, to)) = to.split_first_chunk_mut::<4>() else { return };
    *head = (length as u32).to_le_bytes();
    if length <= STRIDE
        && let (Some(to), Some(from)) = (to.first_chunk_mut::<STRIDE>(), data[range.start..].first_chunk())
    {
        *to = *from;
        return;
    }
    let room = length.next_multiple_of(STRIDE);
    match (to.get_mut(..room), data.get(range.start..range.start + room)) {
        (Some(to), Some(from)) if length <= 4 * STRIDE => {
            for (to, from) in to.as_chunks_mut::<STRIDE>().0.iter_mut().zip(from.as_chunks::<STRIDE>().0) {
                *to = *from;
            }
        }
        _ => to[..length].copy_from_slice(&data[range]),
    }
}

/// Texts through a dictionary.
pub(super) struct IndexedStrings<'a> {
    pub strings: Strings<'a>,
    pub indexes: Indexes<'a>,
    pub entries: TextEntries<'a>,
    /// Per entry, the last page that has it, from 1.
    pub pages: Vec<u32>,
    pub page: u32,
}

impl<'a> Source for IndexedStrings<'a> {
    type Value = &'a [u8];
    const INDEXED: bool = true;

    fn put(&mut self, span: &Span<'_>, body: &mut Vec<u8>) {
        self.indexes.put(span, body);
    }

    fn extremes(&mut self, span: &Span<'_>) -> Option<(&'a [u8], &'a [u8])> {
        let indexes = &self.indexes.slots[span.slots.clone()];
        if self.pages.len() * 4 > indexes.len() {
            // Many entries: all texts one after the other are nearer than entries here and there.
            return stats::of_strings(self.strings, span.slots.clone(), span.live);
        }
        self.page += 1;
        let (page, pages) = (self.page, &mut self.pages);
        // Few entries: marking all without a branch is quicker than asking for each.
        if span.live.counts.is_none() && span.live.valid.is_none() {
            indexes.iter().for_each(|&index| pages[index as usize] = page);
        } else {
            let written = indexes.iter().enumerate().filter(|&(i, _)| span.live.times(i) > 0);
            written.for_each(|(_, &index)| pages[index as usize] = page);
        }
        let mut extremes = Extremes::default();
        let marked = pages.iter().enumerate().filter(|&(_, &last)| last == page);
        marked.for_each(|(index, _)| extremes.add(self.entries.get(index)));
        extremes.found
    }

    fn bounds(&self, extremes: (&'a [u8], &'a [u8])) -> Bounds {
        Bounds::of_strings(extremes)
    }

    fn text_bytes(&self, span: &Span<'_>) -> Option<u64> {
        Some(self.strings.bytes(span.slots.clone(), span.live))
    }
}
