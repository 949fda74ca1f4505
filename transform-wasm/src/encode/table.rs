//! The hash table of a dictionary: from a hash to the index of an entry.
//!
//! Not for values: who asks compares them. The decision to know: the hash has no key, so probes are
//! bounded, and values chosen to collide cost the column its dictionary, not the host its time.

/// A probe longer than this means that the values were chosen to collide: give up rather than
/// take quadratic time. Random values at a load of one half stay far below.
const MAX_PROBES: u32 = 256;
/// Places of an empty table.
const FIRST_PLACES: usize = 1024;
/// Bits of a place that hold the index; the rest is the hash's.
const INDEX_BITS: u32 = 21;
/// No dictionary has more entries: an index plus one fits into a place.
pub(super) const MAX_ENTRIES: u32 = (1 << INDEX_BITS) - 1;
/// Up to here a table needs no warming: 64 KiB.
const NEAR_PLACES: usize = 16 * 1024;

/// The dictionary does not pay: write PLAIN.
pub(super) struct GivenUp;

/// Open addressing with linear probing. A place holds an index plus one in its low bits (0 is empty)
/// and a few bits of the hash above: four bytes, so that the table of a large dictionary stays in
/// nearer caches.
#[derive(Default)]
pub(super) struct Table {
    places: Vec<u32>,
    /// What `warm` has read; of no use otherwise.
    warmed: u32,
}

impl Table {
    /// Empties it.
    pub fn reset(&mut self) {
        self.resize(FIRST_PLACES);
    }

    fn resize(&mut self, places: usize) {
        self.places.clear();
        self.places.resize(places, 0);
    }

    /// Reads the places where a batch of hashes begins to be looked for, so that these reads wait
    /// for memory side by side and not one after the other.
    pub fn warm(&mut self, hashes: &[u32]) {
        let mask = self.places.len() - 1;
        self.warmed ^= hashes.iter().fold(0, |read, &hash| read ^ self.places[hash as usize & mask]);
    }

    /// The entry with this hash for which `equal` holds, or where to put it.
    #[inline(always)]
    pub fn find(&self, hash: u32, equal: impl Fn(u32) -> bool) -> Result<Found, GivenUp> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        for _ in 0..MAX_PROBES {
            let place = self.places[at];
            if place == 0 {
                return Ok(Found::Vacant(at));
            }
            if (place ^ hash) >> INDEX_BITS == 0 {
                let index = (place & MAX_ENTRIES) - 1;
                if equal(index) {
                    return Ok(Found::Entry(index));
                }
            }
            at = (at + 1) & mask;
        }
        Err(GivenUp)
    }

    /// Fills a free place that `find` has named.
    #[inline(always)]
    pub fn put(&mut self, at: usize, hash: u32, index: u32) {
        self.places[at] = place_of(hash, index);
    }

    /// Whether it is so small that `warm` is of no use.
    #[inline(always)]
    pub fn is_near(&self) -> bool {
        self.places.len() <= NEAR_PLACES
    }

    /// Whether it must grow.
    #[inline(always)]
    pub fn is_full(&self, entries: usize) -> bool {
        entries * 2 > self.places.len()
    }

    /// Makes the table larger; `hash` is that of an entry.
    #[inline(never)]
    pub fn grow(&mut self, entries: usize, hash: impl Fn(u32) -> u32) {
        self.resize(self.places.len() * 4);
        let mask = self.places.len() - 1;
        for index in 0..entries as u32 {
            let hash = hash(index);
            let mut at = hash as usize & mask;
            while self.places[at] != 0 {
                at = (at + 1) & mask;
            }
            self.places[at] = place_of(hash, index);
        }
    }
}

/// Result of a search.
pub(super) enum Found {
    /// Index of the entry.
    Entry(u32),
    /// A free place.
    Vacant(usize),
}

#[inline(always)]
fn place_of(hash: u32, index: u32) -> u32 {
    (hash & !MAX_ENTRIES) | (index + 1)
}
