//! What stands between CSV records and is none: comments, and the header once more.
//!
//! For: telling them from records, one by one or in a block, by the same rule. The decision to know: a record that
//! repeats the header field by field is the header of a file that was joined to another, where that has two names
//! or more and not all of them are numbers; one column named `a` may well have the value `a`.

use crate::bytes::count;
use crate::input::csv::{Block, CsvTokenizer};
use crate::input::dialect::is_name;

/// A byte order mark, as it stands before the header of a file that was joined to another.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The header as a record.
#[derive(Debug)]
pub(super) struct Header {
    fields: Vec<Vec<u8>>,
    quote: u8,
    /// Bytes of the shortest line that can be it, and how many more the longest has.
    least: usize,
    more: usize,
}

impl Header {
    /// The header with these fields; none if a record of the same would be one.
    pub(super) fn new(fields: Vec<Vec<u8>>, quote: u8) -> Option<Self> {
        let filled = fields.iter().filter(|field| !field.is_empty()).count();
        if filled < 2 || !fields.iter().any(|field| is_name(field)) {
            return None;
        }
        let bytes: usize = fields.iter().map(Vec::len).sum();
        let quotes: usize = fields.iter().map(|field| count(quote, field)).sum();
        let least = bytes + fields.len();
        // Quotes around each and doubled inside, a mark before, a carriage return behind.
        let more = 2 * fields.len() + quotes + MARK.len() + 1;
        Some(Self { fields, quote, least, more })
    }

    /// Whether the record just read from `buf` is it.
    pub(super) fn is(&self, tokenizer: &CsvTokenizer, buf: &[u8]) -> bool {
        let same = |(index, field): (usize, &Vec<u8>)| self.same(index, field, tokenizer.text(buf, index));
        tokenizer.count() == self.fields.len() && self.fields.iter().enumerate().all(same)
    }

    /// Whether a record of a block is it; the block has as many columns.
    fn is_in(&self, block: &Block, buf: &[u8], record: usize) -> bool {
        let mut plain = Vec::new();
        self.fields.iter().enumerate().all(|(index, field)| {
            let cells = block.column(buf, index);
            let (start, end) = cells.range(record);
            let text = &buf[start..end];
            match cells.quote(start).filter(|quote| text.contains(quote)) {
                None => self.same(index, field, text),
                Some(quote) => {
                    plain.clear();
                    let mut again = false;
                    plain.extend(text.iter().copied().filter(|byte| {
                        again = *byte == quote && !again;
                        *byte != quote || again
                    }));
                    self.same(index, field, &plain)
                }
            }
        })
    }

    fn same(&self, index: usize, field: &[u8], text: &[u8]) -> bool {
        if text == field {
            return true;
        }
        let Some(rest) = text.strip_prefix(MARK).filter(|_| index == 0) else { return false };
        let quote: &[u8] = &[self.quote];
        // Behind the mark a quote does not stand first in its field.
        let bare = rest.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        rest == field || bare == Some(field)
    }
}

/// The first record of a block that is none, if there is one: the header, or what begins so.
pub(super) fn first_in(
    block: &Block,
    buf: &[u8],
    header: Option<&Header>,
    beginnings: [&[u8]; 2],
) -> Option<usize> {
    let mut from = 0;
    for record in 0..block.records {
        let to = block.start(record + 1);
        let is_header = header.is_some_and(|header| {
            (to - from).wrapping_sub(header.least) <= header.more && header.is_in(block, buf, record)
        });
        let aside = |beginning: &[u8]| !beginning.is_empty() && buf[from..].starts_with(beginning);
        if is_header || beginnings.into_iter().any(aside) {
            return Some(record);
        }
        from = to;
    }
    None
}
