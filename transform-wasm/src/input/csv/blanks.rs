//! Blanks around a quoted field: `a, "b, c" , d` has three fields, the second of which is `b, c`.
//!
//! For: fields that are blanks, one whole quoted text and blanks, and nothing else. Not for: a quote anywhere else
//! in a field that does not begin with one, which is text. Both ways are cold: most files have none of this.

use super::specials::Specials;
use super::{CsvOptions, CsvTokenizer, Ending, count_lines};
use crate::bytes::find;

/// Bytes after the opening quote within which such a field must end, or the quote is text: somebody who wrote one
/// inch mark behind a blank does not want the rest of the file in that field, nor in memory.
const REACH: usize = 1 << 20;

/// What a quote behind blanks is.
pub(super) enum Behind {
    /// A part of the text.
    Text,
    /// The first of a quoted field's quotes.
    Quoted {
        /// The last one.
        close: usize,
        /// The delimiter or line end after it, or the end of the buffer.
        end: usize,
    },
    /// Bytes still to come decide.
    Cut,
}

impl CsvOptions {
    /// Whether a byte is nothing around quotes.
    #[inline(always)]
    pub(super) fn is_blank(self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t') && byte != self.delimiter && byte != self.quote
    }

    /// Whether there is nothing but blanks before the quote at `at` in the field that begins at `start`.
    #[cold]
    pub(super) fn only_blanks(self, buf: &[u8], start: usize, at: usize) -> bool {
        buf[start..at].iter().all(|byte| self.is_blank(*byte))
    }

    /// Where the blanks that begin at `at` end.
    fn skip_blanks(self, buf: &[u8], at: usize) -> usize {
        at + buf[at..].iter().take_while(|byte| self.is_blank(**byte)).count()
    }

    /// Whether a byte may follow a quoted field.
    fn ends_field(self, byte: u8) -> bool {
        byte == self.delimiter || matches!(byte, b'\n' | b'\r')
    }
}

impl CsvTokenizer {
    /// What the quote at `at` is, in a field that begins with a blank at `start`.
    #[cold]
    pub(super) fn behind_blanks(&self, buf: &[u8], start: usize, at: usize, at_end: bool) -> Behind {
        let options = self.options;
        if !options.only_blanks(buf, start, at) {
            return Behind::Text;
        }
        let all = at + 1 + REACH;
        let settled = at_end || buf.len() > all;
        let open = if settled { Behind::Text } else { Behind::Cut };
        let text = &buf[..buf.len().min(all)];
        let mut from = at + 1;
        let close = loop {
            let Some(found) = find(options.quote, &text[from..]) else { return open };
            match text.get(from + found + 1) {
                Some(next) if *next == options.quote => from += found + 2,
                None if !settled => return Behind::Cut,
                _ => break from + found,
            }
        };
        let end = options.skip_blanks(text, close + 1);
        match text.get(end) {
            Some(byte) if options.ends_field(*byte) => Behind::Quoted { close, end },
            Some(_) => Behind::Text,
            None if at_end && end == buf.len() => Behind::Quoted { close, end },
            None => open,
        }
    }

    /// Takes the quoted field that stands behind blanks, from its opening quote on.
    #[cold]
    pub(super) fn take_padded(
        &mut self,
        buf: &[u8],
        (open, close, end): (usize, usize, usize),
        specials: &mut Specials<'_>,
        lines: &mut u32,
    ) -> Ending {
        let text = &buf[open + 1..close];
        *lines += count_lines(text);
        let escaped = find(self.options.quote, text).is_some();
        let (from, to) = if escaped { self.unescape(text) } else { (open + 1, close) };
        self.push(from, to, true, escaped);
        self.trimmed += 1;
        specials.go_behind(end);
        match buf.get(end) {
            None => Ending::Buffer,
            Some(byte) if *byte == self.options.delimiter => Ending::Delimiter(end),
            Some(_) => Ending::Line(end),
        }
    }

    /// The last of the blanks that follow the closing quote at `close`.
    ///
    /// # Errors
    /// Something else follows them than the field's end: the offset after the quote.
    #[cold]
    pub(super) fn after_blanks(&mut self, buf: &[u8], close: usize) -> Result<usize, usize> {
        let end = self.options.skip_blanks(buf, close + 1);
        match buf.get(end) {
            Some(byte) if !self.options.ends_field(*byte) => Err(close + 1),
            _ => {
                self.trimmed += 1;
                Ok(end - 1)
            }
        }
    }
}
