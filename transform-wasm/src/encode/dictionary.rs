//! Dictionaries: the distinct values of a column chunk and each slot's index among them.
//!
//! Not for pages. Everything is decided by values and counts alone, so that the same column makes
//! the same bytes anywhere. The decision to know: a slot is hashed once, however many rows repeat
//! it, and a dictionary is given up as soon as it cannot pay; PLAIN is then written instead.

use std::ops::Range;

use super::element::Element;
use super::hash;
use super::rows::{Live, Rows, count};
use super::strings::Strings;

/// Slots between two looks at whether the dictionary pays.
const BLOCK_SLOTS: usize = 16 * 1024;
/// Up to here a dictionary may grow while it is smaller than PLAIN: what other writers use, so
/// readers keep it in their caches.
const SOFT_BYTES: u64 = 1024 * 1024;
/// No dictionary is larger, whatever it saves: readers hold it whole.
const HARD_BYTES: usize = 8 * 1024 * 1024;
/// A probe longer than this means that the values were chosen to collide: give up rather than
/// take quadratic time. Random values at a load of one half stay far below.
const MAX_PROBES: u32 = 256;
/// Places of an empty table.
const FIRST_PLACES: usize = 1024;
/// Up to here a table is kept sparse: 128 KiB.
const NEAR_PLACES: usize = 16 * 1024;

/// The dictionary does not pay: write PLAIN.
pub(super) struct GivenUp;

/// Open addressing with linear probing: each place holds a hash and an index plus one, 0 is empty.
#[derive(Default)]
pub(super) struct Table {
    places: Vec<u64>,
    used: usize,
}

impl Table {
    fn reset(&mut self) {
        self.places.clear();
        self.places.resize(FIRST_PLACES, 0);
        self.used = 0;
    }

    /// Index of the entry with this hash for which `equal` holds, or `next` after adding it.
    #[inline(always)]
    fn find_or_add(&mut self, hash: u32, next: u32, equal: impl Fn(u32) -> bool) -> Result<u32, GivenUp> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        for _ in 0..MAX_PROBES {
            let place = self.places[at];
            if place == 0 {
                self.add(at, hash, next);
                return Ok(next);
            }
            let index = place as u32 - 1;
            if (place >> 32) as u32 == hash && equal(index) {
                return Ok(index);
            }
            at = (at + 1) & mask;
        }
        Err(GivenUp)
    }

    #[inline(never)]
    fn add(&mut self, at: usize, hash: u32, next: u32) {
        self.places[at] = (u64::from(hash) << 32) | u64::from(next + 1);
        self.used += 1;
        // A quarter full while the table fits into the nearest cache, then half full.
        let full = if self.places.len() <= NEAR_PLACES { 4 } else { 2 };
        if self.used * full > self.places.len() {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.places);
        self.places.resize(old.len() * 2, 0);
        let mask = self.places.len() - 1;
        for place in old.into_iter().filter(|&p| p != 0) {
            let mut at = (place >> 32) as usize & mask;
            while self.places[at] != 0 {
                at = (at + 1) & mask;
            }
            self.places[at] = place;
        }
    }
}

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
    type Key: Copy;

    /// Key of a slot's value.
    fn key(&self, slot: usize) -> Self::Key;
    /// Fixed hash of a key.
    fn hash(key: Self::Key) -> u32;
    /// Whether two keys are of the same value.
    fn same(&self, a: Self::Key, b: Self::Key) -> bool;
    /// Key of an entry.
    fn entry(&self, index: u32) -> Self::Key;
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
    let mut last: Option<(D::Key, u32)> = None;
    for (i, (slot, out)) in slots.zip(indexes).enumerate() {
        if !ALL && live.times(i) == 0 {
            *out = 0;
            continue;
        }
        let key = distinct.key(slot);
        let index = match last {
            Some((value, index)) if distinct.same(value, key) => index,
            _ => {
                let next = distinct.len() as u32;
                let equal = |index| distinct.same(distinct.entry(index), key);
                let index = table.find_or_add(D::hash(key), next, equal)?;
                if index == next {
                    distinct.add(key);
                    if distinct.bytes() > HARD_BYTES {
                        return Err(GivenUp);
                    }
                }
                index
            }
        };
        last = Some((key, index));
        *out = index;
    }
    Ok(())
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
    fn entry(&self, index: u32) -> T {
        self.entries[index as usize]
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
    entries: Vec<TextKey>,
    /// The entries in PLAIN: each behind its length.
    pub plain: Vec<u8>,
}

/// A text of up to 16 bytes whole, a longer one by its hash and its first place.
#[derive(Clone, Copy)]
pub(super) struct TextKey {
    words: (u64, u64),
    length: u32,
    slot: u32,
}

impl<'a> DistinctStrings<'a> {
    /// None yet.
    pub fn new(strings: Strings<'a>) -> Self {
        Self { strings, entries: Vec::new(), plain: Vec::new() }
    }
}

impl Distinct for DistinctStrings<'_> {
    type Key = TextKey;

    #[inline(always)]
    fn key(&self, slot: usize) -> TextKey {
        let value = self.strings.get(slot);
        TextKey { words: hash::words(value), length: value.len() as u32, slot: slot as u32 }
    }

    #[inline(always)]
    fn hash(key: TextKey) -> u32 {
        hash::two_words(key.words.0 ^ (u64::from(key.length) << 56), key.words.1)
    }

    #[inline(always)]
    fn same(&self, a: TextKey, b: TextKey) -> bool {
        (a.length, a.words) == (b.length, b.words)
            && (a.length <= 16
                || hash::same_words(self.strings.get(a.slot as usize), self.strings.get(b.slot as usize)))
    }

    #[inline(always)]
    fn entry(&self, index: u32) -> TextKey {
        self.entries[index as usize]
    }

    fn add(&mut self, key: TextKey) {
        self.entries.push(key);
        self.plain.extend_from_slice(&key.length.to_le_bytes());
        self.plain.extend_from_slice(self.strings.get(key.slot as usize));
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
