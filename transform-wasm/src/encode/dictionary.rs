//! Dictionaries: the distinct values of a column chunk and each slot's index among them.
//!
//! Not for pages. Everything is decided by values and counts alone, so that the same column makes
//! the same bytes anywhere. The decision to know: a slot is hashed once, however many rows repeat
//! it, and a dictionary is given up as soon as it cannot pay; PLAIN is then written instead.

use crate::bytes::append;
use std::ops::Range;

use super::element::Element;
use super::hash;
use super::rows::{Live, Rows, count};
use super::strings::Strings;
use super::table::{Found, GivenUp, MAX_ENTRIES, Table};

/// Slots between two looks at whether the dictionary pays.
const BLOCK_SLOTS: usize = 16 * 1024;
/// Up to here a dictionary may grow while it is smaller than PLAIN: what other writers use, so
/// readers keep it in their caches.
const SOFT_BYTES: u64 = 1024 * 1024;
/// No dictionary is larger, whatever it saves: readers hold it whole.
const HARD_BYTES: usize = 8 * 1024 * 1024;
/// Slots whose hashes are made at once, see `Table::warm`.
const BATCH: usize = 64;

/// What a dictionary costs and what it saves, so far.
#[derive(Default)]
struct Cost {
    slots: u64,
    rows: u64,
    plain: u64,
}

impl Cost {
    /// Whether to go on after a block.
    fn pays(&self, entries: usize, bytes: usize) -> bool {
        let with = self.with(entries, bytes);
        if bytes as u64 > SOFT_BYTES {
            return with * 2 <= self.plain;
        }
        // Nearly every value is new: the rest will hardly be different.
        let distinct = entries as u64 * 8 > self.slots * 7;
        !distinct || with * 3 <= self.plain * 2
    }

    /// Whether it is worth it at the end: PLAIN reads quicker, so it needs to save an eighth.
    fn paid(&self, entries: usize, bytes: usize) -> bool {
        entries > 0 && self.with(entries, bytes) * 8 <= self.plain * 7
    }

    fn with(&self, entries: usize, bytes: usize) -> u64 {
        bytes as u64 + self.rows * u64::from(index_width(entries)) / 8
    }
}

/// Bits of an index into a dictionary of `entries`, at least 1: some readers stumble over 0.
pub(super) fn index_width(entries: usize) -> u8 {
    let largest = entries.saturating_sub(1) as u32;
    (u32::BITS - largest.leading_zeros()).max(1) as u8
}

/// The distinct values of a column, in order of first appearance.
pub(super) trait Distinct {
    /// What tells values apart.
    type Key: Copy + Default;
    /// Keys and hashes take a few instructions.
    const CHEAP: bool;

    /// Key of a slot's value.
    fn key(&self, slot: usize) -> Self::Key;
    /// Fixed hash of a key.
    fn hash(key: Self::Key) -> u32;
    /// Whether two slots' keys are of the same value.
    fn same(&self, a: Self::Key, b: Self::Key) -> bool;
    /// Whether an entry is a slot's value.
    fn is_entry(&self, index: u32, key: Self::Key) -> bool;
    /// Hash of an entry.
    fn entry_hash(&self, index: u32) -> u32;
    /// Appends an entry.
    fn add(&mut self, key: Self::Key);
    /// Number of entries.
    fn len(&self) -> usize;
    /// Bytes of the dictionary page.
    fn bytes(&self) -> usize;
    /// Bytes of the rows of `slots` in PLAIN; `live_rows` of them have a value.
    fn plain_bytes(&self, slots: Range<usize>, live: Live<'_>, live_rows: u64) -> u64;

    /// Fills in the entries; `indexes` becomes slot-aligned (0 for slots that are null or not written).
    fn build(&mut self, rows: &Rows<'_>, table: &mut Table, indexes: &mut Vec<u32>) -> Result<(), GivenUp>
    where
        Self: Sized,
    {
        table.reset();
        if indexes.len() < rows.slots {
            indexes.resize(rows.slots, 0);
        }
        let mut cost = Cost::default();
        for start in (0..rows.slots).step_by(BLOCK_SLOTS) {
            let block = start..rows.slots.min(start + BLOCK_SLOTS);
            let live = rows.live(block.clone());
            let indexes = &mut indexes[block.clone()];
            if live.valid.is_none() && live.counts.is_none() {
                intern::<Self, true>(self, block.clone(), live, table, indexes)?;
            } else {
                intern::<Self, false>(self, block.clone(), live, table, indexes)?;
            }
            let live_rows = count(live, block.len());
            cost.slots += block.len() as u64;
            cost.rows += live_rows;
            cost.plain += self.plain_bytes(block.clone(), live, live_rows);
            if block.end < rows.slots && !cost.pays(self.len(), self.bytes()) {
                return Err(GivenUp);
            }
        }
        if cost.paid(self.len(), self.bytes()) { Ok(()) } else { Err(GivenUp) }
    }
}

/// One block of slots; `ALL`: each is one row with a value.
fn intern<D: Distinct, const ALL: bool>(
    distinct: &mut D,
    slots: Range<usize>,
    live: Live<'_>,
    table: &mut Table,
    indexes: &mut [u32],
) -> Result<(), GivenUp> {
    let mut batch = Batch { keys: [D::Key::default(); BATCH], hashes: [0; BATCH] };
    let mut last = Last { key: D::Key::default(), hash: 0, index: None };
    for (number, indexes) in indexes.chunks_mut(BATCH).enumerate() {
        let first = number * BATCH;
        let times = |i| if ALL { 1 } else { live.times(first + i) };
        if D::CHEAP && table.is_near() {
            let key = |distinct: &D, i| {
                let key = distinct.key(slots.start + first + i);
                (key, D::hash(key))
            };
            place(distinct, table, key, times, indexes, &mut last)?;
        } else {
            batch.fill(distinct, slots.start + first, indexes.len());
            table.warm(&batch.hashes);
            let key = |_: &D, i: usize| (batch.keys[i], batch.hashes[i]);
            place(distinct, table, key, times, indexes, &mut last)?;
        }
    }
    Ok(())
}

/// Keys and hashes of some slots.
struct Batch<K> {
    keys: [K; BATCH],
    hashes: [u32; BATCH],
}

/// The last slot with a value: the next often has the same.
struct Last<K> {
    key: K,
    hash: u32,
    index: Option<u32>,
}

// The steps are functions of their own, so that each loop's few values stay in registers.
impl<K: Copy> Batch<K> {
    #[inline(never)]
    fn fill<D: Distinct<Key = K>>(&mut self, distinct: &D, first: usize, slots: usize) {
        for (i, (key, hash)) in self.keys.iter_mut().zip(&mut self.hashes).take(slots).enumerate() {
            *key = distinct.key(first + i);
            *hash = D::hash(*key);
        }
    }
}

#[inline(never)]
fn place<D: Distinct>(
    distinct: &mut D,
    table: &mut Table,
    key: impl Fn(&D, usize) -> (D::Key, u32),
    times: impl Fn(usize) -> u32,
    indexes: &mut [u32],
    last: &mut Last<D::Key>,
) -> Result<(), GivenUp> {
    for (i, out) in indexes.iter_mut().enumerate() {
        if times(i) == 0 {
            *out = 0;
            continue;
        }
        let (key, hash) = key(distinct, i);
        *out = match last.index {
            Some(index) if hash == last.hash && distinct.same(last.key, key) => index,
            _ => {
                let index = match table.find(hash, |index| distinct.is_entry(index, key))? {
                    Found::Entry(index) => index,
                    Found::Vacant(at) => add(distinct, table, at, key, hash)?,
                };
                *last = Last { key, hash, index: Some(index) };
                index
            }
        };
    }
    Ok(())
}

#[inline(never)]
fn add<D: Distinct>(
    distinct: &mut D,
    table: &mut Table,
    at: usize,
    key: D::Key,
    hash: u32,
) -> Result<u32, GivenUp> {
    let index = distinct.len() as u32;
    distinct.add(key);
    if distinct.bytes() > HARD_BYTES || index + 1 >= MAX_ENTRIES {
        return Err(GivenUp);
    }
    table.put(at, hash, index);
    if table.is_full(distinct.len()) {
        table.grow(distinct.len(), |index| distinct.entry_hash(index));
    }
    Ok(index)
}

/// Distinct values of fixed width.
pub(super) struct DistinctFixed<'a, T> {
    values: &'a [T],
    width: usize,
    /// The entries.
    pub entries: Vec<T>,
}

impl<'a, T: Element> DistinctFixed<'a, T> {
    /// None yet.
    pub fn new(values: &'a [T], width: usize) -> Self {
        Self { values, width, entries: Vec::new() }
    }
}

impl<T: Element> Distinct for DistinctFixed<'_, T> {
    type Key = T;
    const CHEAP: bool = true;

    #[inline(always)]
    fn key(&self, slot: usize) -> T {
        self.values[slot]
    }

    #[inline(always)]
    fn hash(key: T) -> u32 {
        key.hash()
    }

    #[inline(always)]
    fn same(&self, a: T, b: T) -> bool {
        a.same(b)
    }

    #[inline(always)]
    fn is_entry(&self, index: u32, key: T) -> bool {
        self.entries[index as usize].same(key)
    }

    fn entry_hash(&self, index: u32) -> u32 {
        self.entries[index as usize].hash()
    }

    fn add(&mut self, key: T) {
        self.entries.push(key);
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn bytes(&self) -> usize {
        self.entries.len() * self.width
    }

    fn plain_bytes(&self, _slots: Range<usize>, _live: Live<'_>, live_rows: u64) -> u64 {
        live_rows * self.width as u64
    }
}

/// Distinct texts.
pub(super) struct DistinctStrings<'a> {
    strings: Strings<'a>,
    entries: &'a mut Vec<TextKey>,
    /// The entries in PLAIN: each behind its length.
    plain: &'a mut Vec<u8>,
}

/// A text of up to 16 bytes whole, a longer one by its hash and its place.
#[derive(Clone, Copy, Default)]
pub(super) struct TextKey {
    words: (u64, u64),
    length: u32,
    /// Of a slot: where it starts in the column; of an entry: where in the dictionary page.
    start: u32,
}

impl TextKey {
    fn range(self) -> Range<usize> {
        self.start as usize..(self.start + self.length) as usize
    }
}

impl<'a> DistinctStrings<'a> {
    /// None yet; `entries` and `plain` are working space.
    pub fn new(strings: Strings<'a>, entries: &'a mut Vec<TextKey>, plain: &'a mut Vec<u8>) -> Self {
        entries.clear();
        plain.clear();
        Self { strings, entries, plain }
    }

    /// The texts, once they are complete.
    pub fn into_entries(self) -> TextEntries<'a> {
        TextEntries { keys: self.entries, plain: self.plain }
    }

    #[inline(never)]
    fn same_words(&self, a: &[u8], b: TextKey) -> bool {
        hash::same_words(a, &self.strings.data[b.range()])
    }
}

/// The texts of a dictionary by index.
pub(super) struct TextEntries<'a> {
    keys: &'a [TextKey],
    /// The dictionary page.
    pub plain: &'a [u8],
}

impl<'a> TextEntries<'a> {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// A text.
    pub fn get(&self, index: usize) -> &'a [u8] {
        &self.plain[self.keys[index].range()]
    }
}

impl Distinct for DistinctStrings<'_> {
    type Key = TextKey;
    const CHEAP: bool = false;

    #[inline(always)]
    fn key(&self, slot: usize) -> TextKey {
        let range = self.strings.range(slot);
        let (start, value) = (range.start as u32, &self.strings.data[range]);
        TextKey { words: hash::words(value), length: value.len() as u32, start }
    }

    #[inline(always)]
    fn hash(key: TextKey) -> u32 {
        hash::two_words(key.words.0 ^ (u64::from(key.length) << 56), key.words.1)
    }

    #[inline(always)]
    fn same(&self, a: TextKey, b: TextKey) -> bool {
        (a.length, a.words) == (b.length, b.words)
            && (a.length <= 16 || self.same_words(&self.strings.data[a.range()], b))
    }

    #[inline(always)]
    fn is_entry(&self, index: u32, key: TextKey) -> bool {
        let entry = self.entries[index as usize];
        (entry.length, entry.words) == (key.length, key.words)
            && (key.length <= 16 || self.same_words(&self.plain[entry.range()], key))
    }

    fn entry_hash(&self, index: u32) -> u32 {
        Self::hash(self.entries[index as usize])
    }

    fn add(&mut self, key: TextKey) {
        self.plain.extend_from_slice(&key.length.to_le_bytes());
        self.entries.push(TextKey { start: self.plain.len() as u32, ..key });
        append(self.plain, &self.strings.data[key.range()]);
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn bytes(&self) -> usize {
        self.plain.len()
    }

    fn plain_bytes(&self, slots: Range<usize>, live: Live<'_>, live_rows: u64) -> u64 {
        4 * live_rows + self.strings.bytes(slots, live)
    }
}
