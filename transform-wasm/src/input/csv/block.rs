//! Many plain records of a buffer, cut in one sweep.
//!
//! For: the records that nearly all files are made of, so that fields can be taken column by column.
//! Not for: broken lines, a wrong number of fields, the end of the input. At the first
//! of these the block ends before its record, which [`CsvTokenizer::read`] then judges. The decision to
//! know: a block never decides anything that `read` would decide otherwise; it is only quicker.

use super::specials::Specials;
use super::sweep::{Signs, Swept, sweep};
use super::{CsvOptions, CsvTokenizer};

/// How much a block may take.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Most records, at least 1.
    pub records: usize,
    /// The block ends with the record that reaches so many bytes.
    pub bytes: usize,
    /// Largest record in bytes, its line end counted; a larger one is left to `read`.
    pub record_bytes: usize,
}

/// Consecutive records, each with the same number of fields.
#[derive(Debug, Default)]
pub struct Block {
    /// Where each field ends: at its delimiter or line feed. Before the first stands what makes the
    /// first field begin at 0.
    cuts: Vec<u32>,
    columns: usize,
    /// Some field stands in quotes.
    quoted: bool,
    quote: u8,
    /// Records.
    pub records: usize,
    /// Records that were cut: more than there are where one of them is not UTF-8. Who cannot take them must
    /// read as many one by one before another block is tried, or each is cut again and again.
    pub cut: usize,
    /// Bytes of them all.
    pub bytes: usize,
    /// The next record is there as a whole or in part, but not a plain one.
    pub odd: bool,
}

/// What goes before the first field: one less than 0.
const BEFORE: u32 = u32::MAX;

impl Block {
    /// Whether some field stands in quotes.
    pub fn has_quotes(&self) -> bool {
        self.quoted
    }

    /// Where a record begins.
    #[inline]
    pub fn start(&self, record: usize) -> usize {
        self.cuts[record * self.columns].wrapping_add(1) as usize
    }

    /// The texts of a column; `buf` is what the block was cut from.
    #[inline]
    pub fn column<'a>(&'a self, buf: &'a [u8], index: usize) -> Cells<'a> {
        Cells {
            cuts: &self.cuts,
            columns: self.columns,
            records: self.records,
            quote: self.quoted.then_some(self.quote),
            buf,
            index,
            last: index + 1 == self.columns,
        }
    }

    /// Forgets all, and has what a sweep cuts.
    fn begin(&mut self, buf: &[u8], signs: Signs, columns: usize, room: Room) -> Swept {
        let mut cuts = std::mem::take(&mut self.cuts);
        cuts.clear();
        cuts.push(BEFORE);
        let swept = sweep(buf, signs, columns, room, &mut cuts);
        cuts.truncate(swept.records * columns + 1);
        let Swept { records, quoted, .. } = swept;
        *self = Self { cuts, columns, quote: signs.quote, quoted, records, ..Self::default() };
        swept
    }

    /// Forgets the records from that one on.
    pub fn keep(&mut self, records: usize) {
        self.records = records;
        self.end(true);
    }

    /// Forgets the record that was not finished.
    fn end(&mut self, odd: bool) {
        self.cuts.truncate(self.records * self.columns + 1);
        self.odd = odd;
        self.bytes = self.start(self.records);
    }
}

/// The fields of one column of a block.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'a> {
    cuts: &'a [u32],
    columns: usize,
    records: usize,
    /// What fields may stand in.
    quote: Option<u8>,
    /// What the ranges are of.
    pub buf: &'a [u8],
    index: usize,
    last: bool,
}

impl Cells<'_> {
    /// Records of the block: each has one field here.
    #[inline]
    pub fn records(&self) -> usize {
        self.records
    }

    /// Whether some field may stand in quotes.
    #[inline]
    pub fn have_quotes(&self) -> bool {
        self.quote.is_some()
    }

    /// The same fields, none of which is in quotes: loops over them need not look.
    #[inline(always)]
    pub fn without_quotes(self) -> Self {
        Self { quote: None, ..self }
    }

    /// Bytes of all texts, and of what they stand in.
    pub fn bytes(&self) -> usize {
        let cuts = self.cuts.windows(2).skip(self.index).step_by(self.columns).take(self.records);
        cuts.map(|cuts| cuts[1].wrapping_sub(cuts[0]) as usize - 1).sum()
    }

    /// The quote if the field stands in quotes: then each one inside is still doubled.
    #[inline(always)]
    pub fn quote(&self, start: usize) -> Option<u8> {
        self.quote.filter(|quote| start > 0 && self.buf[start - 1] == *quote)
    }

    /// First byte and end of a field's text, its quotes and its line end cut off.
    #[inline(always)]
    pub fn range(&self, record: usize) -> (usize, usize) {
        let at = record * self.columns + self.index;
        let cuts = &self.cuts[at..at + 2];
        let (start, mut end) = (cuts[0].wrapping_add(1) as usize, cuts[1] as usize);
        if self.last && end > start && self.buf[end - 1] == b'\r' {
            end -= 1;
        }
        if end > start && self.quote == Some(self.buf[start]) {
            return (start + 1, end - 1);
        }
        (start, end)
    }
}

impl CsvTokenizer {
    /// Cuts the plain records of `columns` fields each that `buf` begins with.
    pub fn block(&self, buf: &[u8], columns: usize, room: Room, block: &mut Block) {
        let CsvOptions { delimiter, quote } = self.options;
        // Offsets are 32 bits wide; the rest is for the next block.
        let buf = &buf[..buf.len().min(BEFORE as usize - 1)];
        let swept = block.begin(buf, Signs { delimiter, quote }, columns, room);
        let (mut record, mut field, mut full) = (swept.end, swept.end, (block.records + 1) * columns);
        let mut specials = Specials::from(buf, [delimiter, quote, b'\n', b'\r'], record);
        let is_full = block.records == room.records || record >= room.bytes;
        while !is_full && let Some(at) = specials.next() {
            let byte = buf[at];
            if byte == delimiter {
                // Far more fields than there are columns, before the record ends, are not kept either.
                if block.cuts.len() > full {
                    block.end(true);
                    break;
                }
                block.cuts.push(at as u32);
                field = at + 1;
            } else if byte == b'\n' {
                block.cuts.push(at as u32);
                let fields = block.cuts.len() - 1 - block.records * columns;
                let blank = at == record || (at == record + 1 && buf[record] == b'\r');
                if fields != columns || blank || at + 1 - record > room.record_bytes {
                    block.end(true);
                    break;
                }
                block.records += 1;
                full += columns;
                (record, field) = (at + 1, at + 1);
                if block.records == room.records || record >= room.bytes {
                    break;
                }
            } else if byte == b'\r' {
                // A line feed after it ends the line; alone it would do so itself.
                if buf.get(at + 1) != Some(&b'\n') {
                    block.end(at + 1 < buf.len());
                    break;
                }
            } else if at == field {
                block.quoted = true;
                match close(buf, &mut specials, quote, delimiter) {
                    Close::Plain => {}
                    Close::Odd => {
                        block.end(true);
                        break;
                    }
                    Close::Cut => break,
                }
            } else if self.options.is_blank(buf[field]) && self.options.only_blanks(buf, field, at) {
                // A quoted text behind blanks, or text: `read` looks further.
                block.end(true);
                break;
            }
        }
        block.end(block.odd);
        block.cut = block.records;
        let ascii = !(swept.non_ascii || specials.non_ascii);
        // Delimiters and quotes are ASCII: the block is valid exactly if its fields are.
        if !ascii && simdutf8::basic::from_utf8(&buf[..block.bytes]).is_err() {
            block.records = 0;
            block.end(true);
        }
    }
}

/// How a quoted field goes on.
enum Close {
    /// Its closing quote stands before a delimiter or a line end.
    Plain,
    /// Text after the closing quote.
    Odd,
    /// The buffer ends inside.
    Cut,
}

fn close(buf: &[u8], specials: &mut Specials<'_>, quote: u8, delimiter: u8) -> Close {
    while let Some(at) = specials.next() {
        if buf[at] == quote {
            return match buf.get(at + 1) {
                None => Close::Cut,
                Some(byte) if *byte == quote => {
                    specials.next();
                    continue;
                }
                Some(byte) if *byte == delimiter || matches!(byte, b'\n' | b'\r') => Close::Plain,
                Some(_) => Close::Odd,
            };
        }
    }
    Close::Cut
}
