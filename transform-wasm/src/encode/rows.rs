//! From slots to rows: how often each value is written, where pages end, and the expansion of
//! slot-aligned arrays to row-aligned ones.
//!
//! Not for encoding. The decision to know: pages end at fixed row numbers, the same for all columns
//! of a row group, so a slot that several rows repeat may be cut by a page boundary.

use std::ops::Range;

use crate::error::Failure;

/// How many copies `splat` writes without asking; most records repeat a value this often or less.
const SPLAT: usize = 4;

/// The slots of a column chunk and the rows they make.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// Number of slots.
    pub slots: usize,
    /// One byte a slot, 1 is a value; `None` when no slot is null.
    pub valid: Option<&'a [u8]>,
    /// Rows per slot; `None` when each slot is one row.
    pub repeats: Option<&'a [u32]>,
    /// Number of rows.
    pub rows: u64,
    /// Number of rows that are null.
    pub nulls: u64,
}

impl<'a> Rows<'a> {
    /// Counts rows and nulls.
    ///
    /// # Errors
    /// `repeats` is not slot-aligned: a bug of the caller.
    pub fn new(valid: &'a [u8], repeats: Option<&'a [u32]>) -> Result<Self, Failure> {
        if repeats.is_some_and(|r| r.len() != valid.len()) {
            return Err(Failure::internal("encode: repeats are not aligned with the column's slots"));
        }
        let slots = valid.len();
        let live = count(Live { valid: Some(valid), counts: repeats }, slots);
        let rows = count(Live { valid: None, counts: repeats }, slots);
        let valid = (live < rows).then_some(valid);
        Ok(Self { slots, valid, repeats, rows, nulls: rows - live })
    }

    /// The part of these rows that belongs to `slots`, repeats not cut.
    pub fn live(&self, slots: Range<usize>) -> Live<'a> {
        Live { valid: self.valid.map(|v| &v[slots.clone()]), counts: self.repeats.map(|r| &r[slots.clone()]) }
    }
}

/// Which slots of a range are written, and how often.
#[derive(Clone, Copy)]
pub(super) struct Live<'a> {
    /// 1 is a value, 0 is null; `None`: all are values.
    pub valid: Option<&'a [u8]>,
    /// Rows per slot; `None`: one each.
    pub counts: Option<&'a [u32]>,
}

impl Live<'_> {
    /// The same rows, nulls taken as values.
    pub fn with_nulls(self) -> Self {
        Self { valid: None, ..self }
    }

    /// How many rows hold slot `i`'s value: 0 for a null.
    #[inline(always)]
    pub fn times(&self, i: usize) -> u32 {
        let count = self.counts.map_or(1, |c| c[i]);
        match self.valid {
            Some(valid) => count * u32::from(valid[i]),
            None => count,
        }
    }
}

/// Number of rows with a value.
pub(super) fn count(live: Live<'_>, slots: usize) -> u64 {
    match (live.counts, live.valid) {
        (None, None) => slots as u64,
        (None, Some(valid)) => valid.iter().map(|&v| u64::from(v)).sum(),
        (Some(counts), None) => counts.iter().map(|&c| u64::from(c)).sum(),
        (Some(counts), Some(valid)) => {
            counts.iter().zip(valid).map(|(&c, &v)| u64::from(c) * u64::from(v)).sum()
        }
    }
}

/// The slots of one page.
pub(super) struct Span<'a> {
    /// The slots; the first and the last may belong to neighbouring pages too.
    pub slots: Range<usize>,
    /// Which of them are written, and how often, in this page.
    pub live: Live<'a>,
    /// Rows of the page.
    pub rows: usize,
    /// Rows of the page that are null.
    pub nulls: usize,
}

impl Span<'_> {
    /// Rows of the page with a value.
    pub fn filled(&self) -> usize {
        self.rows - self.nulls
    }
}

/// Walks a column chunk page by page.
pub(super) struct Cursor<'a> {
    rows: Rows<'a>,
    slot: usize,
    /// Rows of `slot` that earlier pages hold.
    used: u32,
}

impl<'a> Cursor<'a> {
    /// At the first row.
    pub fn new(rows: Rows<'a>) -> Self {
        Self { rows, slot: 0, used: 0 }
    }

    /// The next page of at most `limit` rows; `None` at the end. `counts` is working space.
    pub fn take<'b>(&mut self, limit: usize, counts: &'b mut Vec<u32>) -> Option<Span<'b>>
    where
        'a: 'b,
    {
        let first = self.slot;
        let rows = match self.rows.repeats {
            None => {
                let rows = limit.min(self.rows.slots - first);
                self.slot += rows;
                rows
            }
            Some(repeats) => self.take_repeated(repeats, limit, counts),
        };
        if rows == 0 {
            return None;
        }
        let slots = first..self.cover();
        let counts = self.rows.repeats.map(|_| counts.as_slice());
        let valid = self.rows.valid.map(|v| &v[slots.clone()]);
        let filled = count(Live { valid, counts }, slots.len()) as usize;
        let valid = valid.filter(|_| filled < rows);
        Some(Span { slots, live: Live { valid, counts }, rows, nulls: rows - filled })
    }

    fn take_repeated(&mut self, repeats: &[u32], limit: usize, counts: &mut Vec<u32>) -> usize {
        let (first, mut rows, mut end) = (self.slot, 0usize, self.slot);
        let used = self.used;
        // Row numbers stay below 2^32 (a row group holds fewer), so `usize` is wide enough in Wasm.
        while end < repeats.len() && rows < limit {
            let skip = if end == first { used } else { 0 };
            rows += (repeats[end] - skip) as usize;
            end += 1;
        }
        counts.clear();
        counts.extend_from_slice(&repeats[first..end]);
        if let Some(count) = counts.first_mut() {
            *count -= used;
        }
        let excess = rows.saturating_sub(limit);
        if let Some(count) = counts.last_mut().filter(|_| excess > 0) {
            *count -= excess as u32;
            self.slot = end - 1;
            self.used = repeats[end - 1] - excess as u32;
        } else {
            self.slot = end;
            self.used = 0;
        }
        rows - excess
    }

    /// End of the slots that a page up to the current position touches.
    fn cover(&self) -> usize {
        if self.used > 0 { self.slot + 1 } else { self.slot }
    }

    /// Rows from here until `bytes` are full, at least 1 and at most `limit`; `size` is the bytes of
    /// one row of a slot, `whole` a bound for those of a range of slots.
    pub fn fitting(
        &self,
        limit: usize,
        bytes: u64,
        size: impl Fn(usize) -> u64,
        whole: impl Fn(Range<usize>) -> u64,
    ) -> usize {
        let live = self.rows.live(0..self.rows.slots);
        // Most pages are full of rows before they are full of bytes: one look at the whole.
        let ahead = self.slot..self.rows.slots.min(self.slot + limit);
        if live.counts.is_none() && whole(ahead) <= bytes {
            return limit;
        }
        let (mut rows, mut left, mut used) = (0usize, bytes, self.used);
        for slot in self.slot..self.rows.slots {
            let repeat = live.counts.map_or(1, |c| c[slot]) - used;
            used = 0;
            let one = if live.valid.is_some_and(|v| v[slot] == 0) { 0 } else { size(slot) };
            let need = one * u64::from(repeat);
            if need > left {
                rows += (left / one) as usize;
                break;
            }
            left -= need;
            rows += repeat as usize;
            if rows >= limit {
                break;
            }
        }
        rows.clamp(1, limit)
    }
}

/// Writes each value as often as `live` says, in order; nulls leave no trace. Without nulls and
/// repeats the values themselves come back.
pub(super) fn expand<'b, T: Copy + Default>(
    values: &'b [T],
    live: Live<'_>,
    rows: usize,
    out: &'b mut Vec<T>,
) -> &'b [T] {
    if live.counts.is_none() && live.valid.is_none() {
        return values;
    }
    if out.len() < rows + SPLAT {
        out.resize(rows + SPLAT, T::default());
    }
    let end = match (live.counts, live.valid) {
        (None, None) => 0,
        (None, Some(valid)) => {
            let mut end = 0;
            for (value, &valid) in values.iter().zip(valid) {
                out[end] = *value;
                end += usize::from(valid);
            }
            end
        }
        (Some(counts), None) => splat(values.iter().copied().zip(counts.iter().copied()), out),
        (Some(counts), Some(valid)) => {
            let times = counts.iter().zip(valid).map(|(&c, &v)| c * u32::from(v));
            splat(values.iter().copied().zip(times), out)
        }
    };
    &out[..end]
}

#[inline(always)]
fn splat<T: Copy>(runs: impl Iterator<Item = (T, u32)>, out: &mut [T]) -> usize {
    let mut end = 0usize;
    for (value, times) in runs {
        let times = times as usize;
        match out.get_mut(end..end + SPLAT) {
            Some(four) if times <= SPLAT => four.copy_from_slice(&[value; SPLAT]),
            _ => out[end..end + times].fill(value),
        }
        end += times;
    }
    end
}
