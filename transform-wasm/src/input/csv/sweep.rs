//! Plain records cut 64 bytes at a time, without a look at single bytes.
//!
//! For: what [`Block`](super::Block) does where records are as files have them: fields in quotes or not, one line
//! each or several. Not for: anything odd. Before a record with a quote inside of a text, a carriage return alone or
//! another number of fields the sweep stops, and who looks at bytes goes on. The idea is that of simdjson (Langdale
//! and Lemire, 2019): a bit a byte, and whether a byte is in quotes is the parity of the quotes before it.

use super::block::Room;
use super::specials::{BLOCK, Lanes};

/// Bits are turned into positions so many at a time; the last ones may be surplus.
const TOGETHER: usize = 4;

/// What separates fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signs {
    pub delimiter: u8,
    pub quote: u8,
}

/// Records that were cut.
#[derive(Debug, Default)]
pub(super) struct Swept {
    pub records: usize,
    /// Where the next one begins.
    pub end: usize,
    /// Some field may stand in quotes.
    pub quoted: bool,
    /// Some byte may not be ASCII.
    pub non_ascii: bool,
}

/// What a block needs to know of the one before.
#[derive(Clone, Copy, Default)]
struct Before {
    /// All ones if it ends in quotes.
    inside: u64,
    /// Its last byte is a quote that closes.
    closed: bool,
    /// Its last byte does not end a field.
    in_field: bool,
}

/// The bytes of a block that separate.
struct Separators {
    /// Delimiters and line feeds.
    all: u64,
    lines: u64,
}

impl Before {
    /// What separates in a block that has quotes or carriage returns, or is in quotes from its beginning; none if
    /// something in it is odd. `next` is the byte after it.
    fn separators(&mut self, quotes: u64, returns: u64, found: &Separators, next: u8) -> Option<Separators> {
        let inside = parity(quotes) ^ self.inside;
        let separators = Separators { all: found.all & !inside, lines: found.lines & !inside };
        // A carriage return that belongs to a line feed.
        let paired = returns & ((separators.lines >> 1) | (u64::from(next == b'\n') << (BLOCK - 1)));
        if (returns & !inside) & !paired != 0 {
            return None;
        }
        let opening = quotes & inside;
        let closing = quotes & !inside;
        let after_closing = closing << 1 | u64::from(self.closed);
        let may_open = separators.all << 1 | u64::from(!self.in_field) | after_closing;
        let may_follow = separators.all | opening | (paired & !inside);
        if opening & !may_open != 0 || after_closing & !may_follow != 0 {
            return None;
        }
        let last = 1 << (BLOCK - 1);
        self.inside = if inside & last == 0 { 0 } else { u64::MAX };
        self.closed = closing & last != 0;
        Some(separators)
    }
}

/// For each bit whether an odd number of bits is set up to it.
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Cuts records of `columns` fields; where each field ends goes into `cuts`, behind the first of it.
pub(super) fn sweep(buf: &[u8], signs: Signs, columns: usize, room: Room, cuts: &mut Vec<u32>) -> Swept {
    let mut swept = Swept::default();
    let mut before = Before::default();
    // Cuts so far, and what they are when the record at hand ends.
    let (mut count, mut full) = (1, 1 + columns);
    let mut base = 0;
    // The byte after a block is looked at too.
    while let Some((block, &next)) = buf.get(base..).and_then(|rest| rest.first_chunk().zip(rest.get(BLOCK)))
    {
        let lanes = Lanes::load(block);
        let lines = lanes.any_of([b'\n']);
        let mut found = Separators { all: lanes.any_of([signs.delimiter]) | lines, lines };
        if (lanes.any_of([signs.quote, b'\r']) | before.inside) != 0 || before.closed {
            let quotes = lanes.any_of([signs.quote]);
            match before.separators(quotes, lanes.any_of([b'\r']), &found, next) {
                Some(separators) => found = separators,
                None => break,
            }
            swept.quoted |= quotes != 0;
        }
        swept.non_ascii |= lanes.has_high();
        before.in_field = found.all >> (BLOCK - 1) == 0;
        if cuts.len() < count + BLOCK {
            cuts.resize(count + BLOCK.max(cuts.len()), 0);
        }
        positions(found.all, base, &mut cuts[count..count + BLOCK]);
        let mut lines = found.lines;
        while lines != 0 {
            let bit = lines.trailing_zeros();
            lines &= lines - 1;
            let end = base + bit as usize + 1;
            let here = count + (found.all & ((1 << bit) - 1)).count_ones() as usize + 1;
            let may_be_blank = columns == 1 && end - swept.end <= 2;
            if here != full || may_be_blank || end - swept.end > room.record_bytes {
                return swept;
            }
            full += columns;
            swept.records += 1;
            swept.end = end;
            if swept.records == room.records || end >= room.bytes {
                return swept;
            }
        }
        count += found.all.count_ones() as usize;
        if count >= full {
            break;
        }
        base += BLOCK;
    }
    swept
}

/// Where the bits of a block stand, from the lowest on; behind them come surplus ones.
#[inline(always)]
fn positions(mut bits: u64, base: usize, into: &mut [u32]) {
    for some in into.as_chunks_mut::<TOGETHER>().0 {
        if bits == 0 {
            return;
        }
        for position in some {
            *position = base as u32 + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNS: Signs = Signs { delimiter: b',', quote: b'"' };
    const ROOM: Room = Room { records: 1000, bytes: 1 << 20, record_bytes: 1 << 20 };

    /// Bytes that one record, many times, was swept of.
    fn swept(record: &str) -> (usize, usize) {
        let text = record.repeat(50);
        let mut cuts = vec![u32::MAX];
        let swept = sweep(text.as_bytes(), SIGNS, 3, ROOM, &mut cuts);
        assert_eq!(swept.end, swept.records * record.len(), "{record:?}");
        for number in 0..swept.records {
            assert_eq!(cuts[3 * number + 3] as usize + 1, (number + 1) * record.len(), "{record:?}");
        }
        (swept.end, text.len())
    }

    #[test]
    fn what_files_are_made_of_is_swept_to_the_last_block() {
        for record in [
            "1,2,3\n",
            "a,,long enough to be longer than a block of sixty-four bytes or nearly\r\n",
            "\"a\",\"b, \"\"c\"\"\",\"\"\n",
            "\"\"\"\",x,\"two\r\nlines\"\r\n",
        ] {
            let (end, all) = swept(record);
            assert!(all - end <= BLOCK + record.len(), "{record:?}: {end} of {all}");
        }
    }

    #[test]
    fn before_what_is_odd_the_sweep_stops() {
        for record in ["a\"b,2,3\n", "\"a\"b,2,3\n", " \"a\",2,3\n", "1,2,3\r", "1,2\n", "1,2,3,4\n"] {
            assert_eq!(swept(record).0, 0, "{record:?}");
        }
    }
}
