//! The lines that a text begins with, cut by one delimiter or another.
//!
//! For: how many fields each of them has. Not for: what follows from it. The decision to know: they are cut by the
//! tokenizer that will read the input, so that nothing is a field here that is none there.

use crate::bytes::find_line_end;

use super::super::csv::{CsvFault, CsvOptions, CsvStep, CsvTokenizer, Odd};

/// Records that say whether a delimiter fits.
pub const RECORDS: usize = 100;

/// Delimiters that are common, the most common first.
const COMMON: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A record of the text, or a line of it that begins as a comment does.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// First byte.
    pub start: usize,
    /// Byte after its line end; of a comment, that of its line end.
    pub end: usize,
    /// How many fields; 0 where there is text behind a quote.
    pub fields: usize,
    /// It begins as a comment does.
    pub aside: bool,
}

/// The text, and what does not change while delimiters are tried.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    /// The bytes.
    pub text: &'a [u8],
    /// They are all there is.
    pub whole: bool,
    /// The quote.
    pub quote: u8,
    /// What the signs alone do not say.
    pub odd: Option<&'a Odd>,
}

impl Lines<'_> {
    /// A tokenizer for a delimiter, if there can be one.
    pub fn tokenizer(&self, delimiter: u8) -> Option<CsvTokenizer> {
        let Some(odd) = self.odd else {
            return CsvOptions::new(delimiter, self.quote).map(CsvTokenizer::new);
        };
        let signs = if odd.delimiter.len() > 1 { odd.delimiter.clone() } else { vec![delimiter] };
        Some(CsvTokenizer::of_odd(Odd { delimiter: signs, ..odd.clone() }))
    }

    /// The first `most` records, and the lines before and between them that begin with `prefix`, if it is not empty.
    /// What does not end in the text is left out, unless the text is the whole.
    pub fn cut(&self, delimiter: u8, prefix: &[u8], most: usize) -> Vec<Seen> {
        let Some(mut tokenizer) = self.tokenizer(delimiter) else { return Vec::new() };
        let mut seen: Vec<Seen> = Vec::new();
        let (mut at, mut records) = (0, 0);
        while records < most {
            let (start, mut text, mut at_end) = (at, &self.text[at..], self.whole);
            let aside = !prefix.is_empty() && text.starts_with(prefix);
            if aside {
                match find_line_end(text) {
                    Some(end) => (text, at_end) = (&text[..end], true),
                    None if !self.whole => break,
                    None => {}
                }
            }
            let fields = match tokenizer.read(text, at_end) {
                Ok(CsvStep::Record { consumed, .. }) => {
                    at += consumed;
                    tokenizer.count()
                }
                Ok(CsvStep::Blank { consumed, .. }) => {
                    at += consumed;
                    continue;
                }
                Ok(CsvStep::Incomplete | CsvStep::End) => break,
                Err(error) => {
                    at += error.consumed;
                    // One that is never closed is a field too: the reader says so, by the delimiter it is closest to.
                    if error.fault == CsvFault::OpenQuote { tokenizer.count() + 1 } else { 0 }
                }
            };
            seen.push(Seen { start, end: at, fields, aside });
            records += usize::from(!aside);
        }
        seen
    }
}

/// A delimiter, and the records that it makes.
pub struct Picked {
    /// The delimiter.
    pub delimiter: u8,
    /// The first [`RECORDS`], without comments.
    pub records: Vec<Seen>,
}

impl Picked {
    /// Cuts the lines by a delimiter.
    pub fn new(lines: &Lines<'_>, delimiter: u8, comment: &[u8]) -> Self {
        let mut records = lines.cut(delimiter, comment, RECORDS);
        records.retain(|seen| !seen.aside);
        Self { delimiter, records }
    }

    /// Fields of the first record.
    pub fn fields(&self) -> usize {
        self.records.first().map_or(0, |seen| seen.fields)
    }

    /// How many records after the first have as many fields, and how many there are.
    pub fn alike(&self) -> (usize, usize) {
        let rest = self.records.get(1..).unwrap_or_default();
        (rest.iter().filter(|seen| seen.fields == self.fields()).count(), rest.len())
    }

    /// Two fields or more, and at least half of the records have as many: such a file is read, so nothing else is
    /// looked for.
    pub fn fits(&self) -> bool {
        let (alike, rest) = self.alike();
        self.fields() >= 2 && 2 * alike >= rest
    }

    /// All of two records or more have the same number of fields, `least` at least.
    pub fn is_table(&self, least: usize) -> bool {
        let (alike, rest) = self.alike();
        self.fields() >= least && rest > 0 && alike == rest
    }
}

/// Cuts the lines by the delimiter that is told; else by the common one that makes most fields of the first record,
/// unless most records contradict it and all agree on another.
pub fn pick(lines: &Lines<'_>, told: Option<u8>, comment: &[u8]) -> Picked {
    if let Some(delimiter) = told {
        return Picked::new(lines, delimiter, comment);
    }
    let first = |delimiter: u8| {
        let seen = lines.cut(delimiter, comment, 1);
        seen.iter().find(|seen| !seen.aside).map_or(0, |seen| seen.fields)
    };
    // Neither a quote nor what begins a comment: a record whose first field is empty would begin so.
    let possible = |sign: &u8| *sign != lines.quote && comment.first() != Some(sign);
    let counts: Vec<(u8, usize)> =
        COMMON.into_iter().filter(possible).map(|sign| (sign, first(sign))).collect();
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    // The first of those that are equal: the order above is that of how common they are.
    let sign = counts.iter().find(|(_, count)| *count == most).map_or(b',', |(sign, _)| *sign);
    let picked = Picked::new(lines, sign, comment);
    if picked.fits() || picked.records.is_empty() {
        return picked;
    }
    let others = counts.iter().map(|(other, _)| *other).filter(|other| *other != sign);
    let mut tables = others.map(|other| Picked::new(lines, other, comment)).filter(|other| other.is_table(2));
    let Some(mut best) = tables.next() else { return picked };
    for table in tables {
        if table.fields() > best.fields() {
            best = table;
        }
    }
    best
}
