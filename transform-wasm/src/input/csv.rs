//! CSV records and fields, cut out of a buffer in one pass.
//!
//! For: RFC 4180 with any one-byte delimiter, LF, CRLF or lone CR, quoted newlines, `""` for a quote.
//! Not for: header names, nulls, types. The decision to know: strict where laxness would move data
//! into other columns. A quote means something only as a field's first byte, or behind blanks where a
//! quoted text and nothing else follows (see [`blanks`]); what follows a closing quote must be a
//! delimiter or a line end, and a quote never closed is an error, not a long field.

mod blanks;
mod block;
mod odd;
mod specials;
mod sweep;

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;

use blanks::Behind;
pub use block::{Block, Cells, Room};
pub use odd::Odd;
use specials::Specials;

use crate::bytes::{find, find_line_end};
use crate::limits::CSV_FIELDS;

/// Shape of the input. Delimiter and quote are different ASCII characters, neither zero nor CR nor LF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// Between fields.
    delimiter: u8,
    /// Around fields.
    quote: u8,
}

impl CsvOptions {
    /// The shape with these signs; none if no tokenizer can work with them.
    #[must_use]
    pub fn new(delimiter: u8, quote: u8) -> Option<Self> {
        let is_sign = |byte: u8| byte.is_ascii() && !matches!(byte, 0 | b'\n' | b'\r');
        let tell_apart = is_sign(delimiter) && is_sign(quote) && delimiter != quote;
        tell_apart.then_some(Self { delimiter, quote })
    }
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"' }
    }
}

/// One field of a record; see [`CsvTokenizer::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// First byte of the text, without its quote.
    pub start: u32,
    /// End of the text, without its quote.
    pub end: u32,
    /// Quotes stood around it.
    pub quoted: bool,
    /// Its quotes were doubled: `start` and `end` are those of its unescaped copy.
    pub escaped: bool,
}

/// What a buffer begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvStep {
    /// A record; its fields can be asked for.
    Record {
        /// Bytes up to the next record.
        consumed: usize,
        /// Line ends in them: more than one where a field is quoted.
        lines: u32,
    },
    /// An empty line.
    Blank {
        /// Bytes up to the next record.
        consumed: usize,
        /// Line ends in them, always 1.
        lines: u32,
    },
    /// The record may go on in bytes still to come. The next try begins anew: wait until the buffer
    /// has doubled, or the work is quadratic.
    Incomplete,
    /// Nothing is left.
    End,
}

/// What breaks a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvFault {
    /// Something else than a delimiter or a line end after a closing quote.
    AfterQuote,
    /// A quote that is never closed: the rest of the input is inside it.
    OpenQuote,
}

/// Where and why a record is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Why.
    pub fault: CsvFault,
    /// Byte, from the record's start.
    pub offset: usize,
    /// Line, from 0 for the record's first.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u64,
    /// Bytes up to the line after the error, or up to the end of the input.
    pub consumed: usize,
    /// Line ends in them.
    pub lines: u32,
}

impl SyntaxError {
    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &'static str {
        match self.fault {
            CsvFault::AfterQuote => "text after a closing quote",
            CsvFault::OpenQuote => "a quoted field is never closed",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self.fault {
            CsvFault::AfterQuote => "write a quote inside a quoted field twice: \"\"",
            CsvFault::OpenQuote => "close the quote, or write it twice if it belongs to the text",
        }
    }
}

/// Cuts records; keeps nothing between calls but the last record's fields.
#[derive(Debug)]
pub struct CsvTokenizer {
    options: CsvOptions,
    /// What the options cannot say.
    odd: Option<Box<Odd>>,
    fields: Vec<Field>,
    unescaped: Vec<u8>,
    invalid: Option<usize>,
    /// Fields that are not kept.
    more: usize,
    /// Quoted fields of the last record that had blanks around the quotes.
    trimmed: u32,
}

/// How a field ended.
enum Ending {
    Delimiter(usize),
    /// Where the line end begins.
    Line(usize),
    /// Where the buffer ends.
    Buffer,
}

impl CsvTokenizer {
    /// A tokenizer for input of that shape.
    #[must_use]
    pub fn new(options: CsvOptions) -> Self {
        Self {
            options,
            odd: None,
            fields: Vec::new(),
            unescaped: Vec::new(),
            invalid: None,
            more: 0,
            trimmed: 0,
        }
    }

    /// A tokenizer for input of an odd shape.
    #[must_use]
    pub fn of_odd(odd: Odd) -> Self {
        Self { odd: Some(Box::new(odd)), ..Self::new(CsvOptions::default()) }
    }

    /// Reads the record that `buf` begins with; `at_end`: no bytes will follow those of `buf`.
    ///
    /// # Errors
    /// [`SyntaxError`], once all of the broken line is there.
    pub fn read(&mut self, buf: &[u8], at_end: bool) -> Result<CsvStep, SyntaxError> {
        self.fields.clear();
        self.unescaped.clear();
        self.invalid = None;
        self.more = 0;
        self.trimmed = 0;
        if buf.is_empty() {
            return Ok(if at_end { CsvStep::End } else { CsvStep::Incomplete });
        }
        if let Some(odd) = self.odd.take() {
            let step = self.read_odd(&odd, buf, at_end);
            self.odd = Some(odd);
            return step;
        }
        let CsvOptions { delimiter, quote } = self.options;
        let mut specials = Specials::new(buf, [delimiter, quote, b'\n', b'\r']);
        let mut start = 0;
        let mut lines = 1;
        let end = loop {
            let ending = if buf.get(start) == Some(&quote) {
                match self.quoted(buf, start, &mut specials, &mut lines) {
                    Ok(ending) => ending,
                    Err(at) if !at_end && broken_line(buf, at).is_none() => return Ok(CsvStep::Incomplete),
                    Err(at) => return Err(after_quote(buf, at)),
                }
            } else {
                self.plain(buf, start, at_end, &mut specials, &mut lines)
            };
            match ending {
                Some(Ending::Delimiter(at)) => start = at + 1,
                Some(Ending::Line(at)) => break at,
                Some(Ending::Buffer) if at_end => break buf.len(),
                None if at_end => return Err(open_quote(buf, start)),
                Some(Ending::Buffer) | None => return Ok(CsvStep::Incomplete),
            }
        };
        if specials.non_ascii {
            self.validate(buf, end);
        }
        Ok(step_of(buf, end, at_end, lines))
    }

    /// Whether many records can be cut in one sweep.
    #[must_use]
    pub fn cuts_blocks(&self) -> bool {
        self.odd.is_none()
    }

    /// Fields of the last record; at most [`CSV_FIELDS`].
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How many fields the last record has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.fields.len() + self.more
    }

    #[inline(always)]
    fn push(&mut self, start: usize, end: usize, quoted: bool, escaped: bool) {
        if self.fields.len() < CSV_FIELDS {
            self.fields.push(Field { start: start as u32, end: end as u32, quoted, escaped });
        } else {
            self.more += 1;
        }
    }

    /// Text of field `index` of the last record, unescaped; `buf` is what the record was read from.
    #[inline]
    #[must_use]
    pub fn text<'a>(&'a self, buf: &'a [u8], index: usize) -> &'a [u8] {
        let field = &self.fields[index];
        let source = if field.escaped { &self.unescaped } else { buf };
        &source[field.start as usize..field.end as usize]
    }

    /// How many fields of the last record had blanks around their quotes, which are no part of the text.
    #[must_use]
    pub fn trimmed(&self) -> u32 {
        self.trimmed
    }

    /// The first field of the last record that is not UTF-8.
    #[must_use]
    pub fn invalid_field(&self) -> Option<usize> {
        self.invalid
    }

    /// A field without quotes, or with blanks before them: quotes further inside are text. None if it cannot be
    /// told before there are more bytes.
    #[inline(always)]
    fn plain(
        &mut self,
        buf: &[u8],
        start: usize,
        at_end: bool,
        specials: &mut Specials<'_>,
        lines: &mut u32,
    ) -> Option<Ending> {
        let ending = loop {
            match specials.next() {
                Some(at) if buf[at] == self.options.delimiter => break Ending::Delimiter(at),
                Some(at) if buf[at] == self.options.quote => {
                    if !self.options.is_blank(buf[start]) {
                        continue;
                    }
                    match self.behind_blanks(buf, start, at, at_end) {
                        Behind::Text => {}
                        Behind::Cut => return None,
                        Behind::Quoted { close, end } => {
                            return Some(self.take_padded(buf, (at, close, end), specials, lines));
                        }
                    }
                }
                Some(at) => break Ending::Line(at),
                None => break Ending::Buffer,
            }
        };
        let end = match ending {
            Ending::Delimiter(at) | Ending::Line(at) => at,
            Ending::Buffer => buf.len(),
        };
        self.push(start, end, false, false);
        Some(ending)
    }

    /// A field in quotes, `start` being the first; none if the buffer ends inside, or the offset of
    /// what should not follow the closing one.
    fn quoted(
        &mut self,
        buf: &[u8],
        start: usize,
        specials: &mut Specials<'_>,
        lines: &mut u32,
    ) -> Result<Option<Ending>, usize> {
        let quote = self.options.quote;
        let mut escaped = false;
        specials.next();
        let close = loop {
            let Some(at) = specials.next() else { return Ok(None) };
            let next = buf.get(at + 1);
            if buf[at] == quote {
                if next != Some(&quote) {
                    break at;
                }
                specials.next();
                escaped = true;
            } else if buf[at] == b'\n' || (buf[at] == b'\r' && next != Some(&b'\n')) {
                *lines += 1;
            }
        };
        let (from, to) = if escaped { self.unescape(&buf[start + 1..close]) } else { (start + 1, close) };
        self.push(from, to, true, escaped);
        let mut close = close;
        if buf.get(close + 1).is_some_and(|byte| self.options.is_blank(*byte)) {
            close = self.after_blanks(buf, close)?;
        }
        match buf.get(close + 1) {
            None => Ok(Some(Ending::Buffer)),
            Some(byte) if *byte == self.options.delimiter => {
                specials.next();
                Ok(Some(Ending::Delimiter(close + 1)))
            }
            Some(b'\n' | b'\r') => Ok(Some(Ending::Line(close + 1))),
            Some(_) => Err(close + 1),
        }
    }

    fn unescape(&mut self, text: &[u8]) -> (usize, usize) {
        let from = self.unescaped.len();
        let mut rest = text;
        while let Some(at) = find(self.options.quote, rest) {
            self.unescaped.extend_from_slice(&rest[..=at]);
            rest = &rest[at + 2..];
        }
        self.unescaped.extend_from_slice(rest);
        (from, self.unescaped.len())
    }

    #[cold]
    fn validate(&mut self, buf: &[u8], end: usize) {
        // Delimiters and quotes are ASCII: a record is valid exactly if its fields are.
        if simdutf8::basic::from_utf8(&buf[..end]).is_err() {
            self.invalid =
                (0..self.fields.len()).find(|index| str::from_utf8(self.text(buf, *index)).is_err());
        }
    }
}

/// What a buffer begins with whose first record ends before the line end at `end`.
#[inline(always)]
fn step_of(buf: &[u8], end: usize, at_end: bool, lines: u32) -> CsvStep {
    let consumed = match &buf[end..] {
        [b'\r', b'\n', ..] => end + 2,
        // Only the next byte tells whether this is a CRLF.
        [b'\r'] if !at_end => return CsvStep::Incomplete,
        [] => end,
        _ => end + 1,
    };
    if end == 0 { CsvStep::Blank { consumed, lines } } else { CsvStep::Record { consumed, lines } }
}

fn line_end(text: &[u8], from: usize) -> Option<usize> {
    find_line_end(&text[from..]).map(|at| from + at)
}

/// End of the line that a broken field stands on, with its line end; none if it is not all there.
fn broken_line(buf: &[u8], at: usize) -> Option<usize> {
    let end = line_end(buf, at)?;
    match &buf[end..] {
        [b'\r', b'\n', ..] => Some(end + 2),
        [b'\r'] => None,
        _ => Some(end + 1),
    }
}

#[cold]
fn after_quote(buf: &[u8], at: usize) -> SyntaxError {
    let consumed = broken_line(buf, at).unwrap_or(buf.len());
    place(buf, CsvFault::AfterQuote, at, consumed)
}

#[cold]
fn open_quote(buf: &[u8], at: usize) -> SyntaxError {
    place(buf, CsvFault::OpenQuote, at, buf.len())
}

fn place(buf: &[u8], fault: CsvFault, offset: usize, consumed: usize) -> SyntaxError {
    let before = &buf[..offset];
    let line_start = before.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
    let characters = before[line_start..].iter().filter(|byte| (**byte as i8) >= -0x40).count();
    let line = count_lines(before);
    let lines = count_lines(&buf[..consumed]);
    SyntaxError { fault, offset, line, column: characters as u64 + 1, consumed, lines }
}

/// Line ends: LF, CRLF, lone CR.
pub(super) fn count_lines(text: &[u8]) -> u32 {
    let mut previous = 0;
    let mut lines = 0;
    for byte in text {
        lines += u32::from(*byte == b'\r' || (*byte == b'\n' && previous != b'\r'));
        previous = *byte;
    }
    lines
}
