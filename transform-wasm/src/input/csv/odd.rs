//! CSV that one sweep for single signs cannot cut: delimiters of several characters, an escape sign, no quotes at all.
//!
//! For: dialects that a spec names. Not for speed: records come one by one, byte by byte. Decisions to know: an escape
//! sign makes text of a delimiter, a quote, a line end and itself, and is text before anything else (`\N` stays `\N`);
//! a doubled quote stands for one all the same.

use super::{CsvStep, CsvTokenizer, SyntaxError, after_quote, broken_line, open_quote, step_of};

/// The shape of such an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Between fields; not empty.
    pub delimiter: Vec<u8>,
    /// Around fields, if anything is.
    pub quote: Option<u8>,
    /// Makes text of the sign behind it.
    pub escape: Option<u8>,
}

impl Odd {
    /// Bytes of the sign that `text` begins with, if an escape before it makes text of it.
    fn escaped(&self, text: &[u8]) -> usize {
        match text {
            text if text.starts_with(&self.delimiter) => self.delimiter.len(),
            [b'\r', b'\n', ..] => 2,
            [sign, ..] => {
                let is_sign =
                    matches!(sign, b'\n' | b'\r') || [self.escape, self.quote].contains(&Some(*sign));
                usize::from(is_sign)
            }
            [] => 0,
        }
    }
}

/// How a field ended.
enum End {
    Delimiter(usize),
    Line(usize),
    Buffer,
    /// A quote is open at the end of the buffer.
    Open,
    /// Something behind a closing quote.
    Behind(usize),
}

impl CsvTokenizer {
    /// As [`CsvTokenizer::read`].
    #[cold]
    pub(super) fn read_odd(&mut self, odd: &Odd, buf: &[u8], at_end: bool) -> Result<CsvStep, SyntaxError> {
        let (mut start, mut lines) = (0, 1);
        let end = loop {
            match self.odd_field(odd, buf, start, &mut lines) {
                End::Delimiter(at) => start = at + odd.delimiter.len(),
                End::Line(at) => break at,
                End::Buffer if at_end => break buf.len(),
                End::Open if at_end => return Err(open_quote(buf, start)),
                End::Behind(at) if at_end || broken_line(buf, at).is_some() => {
                    return Err(after_quote(buf, at));
                }
                End::Buffer | End::Open | End::Behind(_) => return Ok(CsvStep::Incomplete),
            }
        };
        self.validate(buf, end);
        Ok(step_of(buf, end, at_end, lines))
    }

    fn odd_field(&mut self, odd: &Odd, buf: &[u8], start: usize, lines: &mut u32) -> End {
        let quoted = odd.quote.is_some() && buf.get(start).copied() == odd.quote;
        let first = start + usize::from(quoted);
        let from = self.unescaped.len();
        let mut at = first;
        // From the first sign that is no text of its own on, the text is a copy.
        let mut is_copied = false;
        let (end, how) = loop {
            let rest = &buf[at..];
            let Some(&byte) = rest.first() else { break (at, if quoted { End::Open } else { End::Buffer }) };
            if Some(byte) == odd.escape {
                let length = odd.escaped(&rest[1..]);
                if length > 0 {
                    self.copy(&mut is_copied, &buf[first..at]);
                    self.unescaped.extend_from_slice(&rest[1..=length]);
                    *lines += u32::from(matches!(rest[1], b'\n' | b'\r'));
                    at += 1 + length;
                    continue;
                }
            } else if quoted && Some(byte) == odd.quote {
                match rest.get(1) {
                    Some(next) if Some(*next) == odd.quote => {
                        self.copy(&mut is_copied, &buf[first..at]);
                        self.unescaped.push(byte);
                        at += 2;
                        continue;
                    }
                    None => break (at, End::Buffer),
                    Some(b'\n' | b'\r') => break (at, End::Line(at + 1)),
                    Some(_) if rest[1..].starts_with(&odd.delimiter) => break (at, End::Delimiter(at + 1)),
                    Some(_) => break (at, End::Behind(at + 1)),
                }
            } else if !quoted && matches!(byte, b'\n' | b'\r') {
                break (at, End::Line(at));
            } else if !quoted && rest.starts_with(&odd.delimiter) {
                break (at, End::Delimiter(at));
            } else if quoted && (byte == b'\n' || (byte == b'\r' && rest.get(1) != Some(&b'\n'))) {
                *lines += 1;
            }
            if is_copied {
                self.unescaped.push(byte);
            }
            at += 1;
        };
        match is_copied {
            true => self.push(from, self.unescaped.len(), quoted, true),
            false => self.push(first, end, quoted, false),
        }
        how
    }

    fn copy(&mut self, is_copied: &mut bool, before: &[u8]) {
        if !std::mem::replace(is_copied, true) {
            self.unescaped.extend_from_slice(before);
        }
    }
}
