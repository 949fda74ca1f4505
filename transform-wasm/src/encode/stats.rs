//! Statistics: smallest and largest values of pages and chunks, and their order.
//!
//! Not for their place in the file. Rule source: parquet.thrift (Statistics, ColumnIndex,
//! BoundaryOrder). The decision to know: long byte strings are cut to a bound that is still right
//! (the minimum cut down, the maximum cut and raised), never dropped.

use std::ops::Range;

use super::element::Element;
use super::hash;
use super::rows::Live;
use super::strings::Strings;

/// Bytes of a minimum or maximum in statistics and column index: enough to tell values apart, small
/// enough that a footer of text columns stays small.
const LONGEST_BOUND: usize = 64;

/// Smallest and largest value, as statistics hold them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounds {
    /// At most the smallest value.
    pub min: Vec<u8>,
    /// At least the largest value.
    pub max: Vec<u8>,
    /// `min` is the smallest value itself.
    pub min_exact: bool,
    /// `max` is the largest value itself.
    pub max_exact: bool,
}

impl Bounds {
    /// Of values of fixed width.
    pub fn of_fixed<T: Element>((min, max): (T, T), width: usize) -> Self {
        let (min, max) = T::widen(min, max);
        let put = |value| {
            let mut bytes = Vec::with_capacity(width);
            T::put_all(&[value], width, &mut bytes);
            bytes
        };
        Self { min: put(min), max: put(max), min_exact: true, max_exact: true }
    }

    /// Of booleans, 0 or 1.
    pub fn of_booleans((min, max): (u8, u8)) -> Self {
        Self { min: vec![min], max: vec![max], min_exact: true, max_exact: true }
    }

    /// Of texts.
    pub fn of_strings((min, max): (&[u8], &[u8])) -> Self {
        let (low, high) = (cut(min), cut(max).and_then(raise));
        Self {
            min_exact: low.is_none(),
            max_exact: high.is_none(),
            min: low.map_or_else(|| min.to_vec(), |low| low.as_bytes().to_vec()),
            max: high.unwrap_or_else(|| max.to_vec()),
        }
    }
}

/// The longest prefix of whole characters that fits, if the value is too long.
fn cut(value: &[u8]) -> Option<&str> {
    let head = value.get(..LONGEST_BOUND).filter(|_| value.len() > LONGEST_BOUND)?;
    match std::str::from_utf8(head) {
        Ok(head) => Some(head),
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok().filter(|h| !h.is_empty()),
    }
}

/// The smallest text that is larger than every text that starts with `head`: its last character
/// that has a successor is raised, the ones behind it dropped.
fn raise(head: &str) -> Option<Vec<u8>> {
    for (at, last) in head.char_indices().rev() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            _ => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            let mut raised = head.as_bytes()[..at].to_vec();
            raised.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(raised);
        }
    }
    None
}

/// Joins the bounds of parts; `None` is a part without values.
pub(super) fn join<T: Copy + PartialOrd>(parts: &[Option<(T, T)>]) -> Option<(T, T)> {
    parts.iter().flatten().copied().reduce(|(min, max), (low, high)| {
        (if low < min { low } else { min }, if high > max { high } else { max })
    })
}

/// How the bounds of pages follow each other; pages of nulls do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Neither minima nor maxima ever fall.
    Ascending,
    /// Neither minima nor maxima ever rise.
    Descending,
    /// None of the two.
    Unordered,
}

impl Order {
    /// Of the bounds of all pages.
    pub fn of<T: Copy + PartialOrd>(pages: &[Option<(T, T)>]) -> Self {
        let all = |test: fn(T, T) -> bool| {
            let mut known = pages.iter().flatten();
            let mut last = known.next();
            known.all(|page| {
                let kept = last.is_none_or(|last| test(last.0, page.0) && test(last.1, page.1));
                last = Some(page);
                kept
            })
        };
        match (all(|a, b| a <= b), all(|a, b| a >= b)) {
            (true, _) => Self::Ascending,
            (_, true) => Self::Descending,
            _ => Self::Unordered,
        }
    }
}

/// Smallest and largest of the values that rows hold.
pub(super) fn of_fixed<T: Copy + PartialOrd>(values: &[T], live: Live<'_>) -> Option<(T, T)> {
    if live.valid.is_none() && live.counts.is_none() {
        return smallest_largest(values.iter().copied());
    }
    let first = (0..values.len()).find(|&i| live.times(i) > 0)?;
    let start = (values[first], values[first]);
    Some((first..values.len()).fold(start, |(min, max), i| {
        let (value, written) = (values[i], live.times(i) > 0);
        (if written & (value < min) { value } else { min }, if written & (value > max) { value } else { max })
    }))
}

#[inline(always)]
fn smallest_largest<T: Copy + PartialOrd>(mut values: impl Iterator<Item = T>) -> Option<(T, T)> {
    let first = values.next()?;
    Some(values.fold((first, first), |(min, max), value| {
        (if value < min { value } else { min }, if value > max { value } else { max })
    }))
}

/// Smallest and largest text that rows of `slots` hold.
pub(super) fn of_strings<'a>(
    strings: Strings<'a>,
    slots: Range<usize>,
    live: Live<'_>,
) -> Option<(&'a [u8], &'a [u8])> {
    let mut extremes = Extremes::default();
    if live.valid.is_none() && live.counts.is_none() {
        slots.for_each(|slot| extremes.add(strings.get(slot)));
    } else {
        let written = slots.enumerate().filter(|&(i, _)| live.times(i) > 0);
        written.for_each(|(_, slot)| extremes.add(strings.get(slot)));
    }
    extremes.found
}

/// Smallest and largest text so far, with their first 16 bytes: these decide nearly always, the
/// first 8 alone mostly.
#[derive(Default)]
pub(super) struct Extremes<'a> {
    /// `None`: no text yet.
    pub found: Option<(&'a [u8], &'a [u8])>,
    low: (u64, u64),
    high: (u64, u64),
}

impl<'a> Extremes<'a> {
    /// Takes a text into account.
    #[inline(always)]
    pub fn add(&mut self, value: &'a [u8]) {
        let key = hash::order_key(value);
        if self.low.0 < key && key < self.high.0 {
            return;
        }
        let keys = two_keys(value);
        if self.low < keys && keys < self.high {
            return;
        }
        self.compare(keys, value);
    }

    #[inline(never)]
    fn compare(&mut self, keys: (u64, u64), value: &'a [u8]) {
        let Some((min, max)) = &mut self.found else {
            self.found = Some((value, value));
            (self.low, self.high) = (keys, keys);
            return;
        };
        if keys < self.low || (keys == self.low && value < *min) {
            (*min, self.low) = (value, keys);
        }
        if keys > self.high || (keys == self.high && value > *max) {
            (*max, self.high) = (value, keys);
        }
    }
}

#[inline(always)]
fn two_keys(value: &[u8]) -> (u64, u64) {
    (hash::order_key(value), value.get(8..).map_or(0, hash::order_key))
}
