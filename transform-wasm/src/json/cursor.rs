//! The strict tokenizer: what stands at a position, and where it ends (RFC 8259).
//!
//! For: the walkers of records. The decision to know: three ways to stop are kept apart, because
//! they end differently: `Incomplete` waits for more input, `Syntax` loses the line (NDJSON) or the
//! object (a document), `Reject` loses one record of well-formed JSON.

use crate::error::Failure;
use crate::value::{Number, NumberSyntax};

use super::scan::{near_stop, string_stop};

/// Why a record was rejected; the text of values stays out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Stable name.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// JSON pointer, where it is known.
    pub path: Option<String>,
    /// Table whose rule was broken, where it is one table's.
    pub table: Option<usize>,
    /// Position in the buffer, where it is known.
    pub at: Option<usize>,
}

impl Reject {
    /// A reject at a position.
    pub fn at(code: &'static str, message: impl Into<String>, at: usize) -> Self {
        Self { code, message: message.into(), path: None, table: None, at: Some(at) }
    }
}

/// Why walking stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The buffer ends inside the value.
    Incomplete,
    /// Not JSON.
    Syntax {
        /// Position in the buffer.
        at: usize,
        /// What was wrong.
        message: &'static str,
        /// What it may have been meant to be.
        hint: Option<&'static str>,
    },
    /// JSON, but this record cannot be taken.
    Reject(Box<Reject>),
    /// A path that the contract must grow for first.
    NewPath,
    /// The job is over.
    Fail(Box<Failure>),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Fail(Box::new(failure))
    }
}

impl From<Reject> for Stop {
    fn from(reject: Reject) -> Self {
        Self::Reject(Box::new(reject))
    }
}

/// A string's raw content, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The bytes between the quotes.
    pub raw: &'a [u8],
    /// Whether they hold escapes.
    pub escaped: bool,
}

/// A position-less view of the buffer: every call takes a position and returns the one after.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    /// The bytes there are.
    pub input: &'a [u8],
    /// Whether no more will come: running off the end is then an error and not a wait.
    pub complete: bool,
}

impl<'a> Cursor<'a> {
    /// The position of the next byte that is not white space, and that byte.
    #[inline(always)]
    pub fn next(&self, at: usize) -> Result<(usize, u8), Stop> {
        // Most writers put nothing there, or one space.
        let at = at + usize::from(self.input.get(at) == Some(&b' '));
        match self.input.get(at) {
            Some(&byte) if byte > b' ' => Ok((at, byte)),
            _ => self.next_far(at),
        }
    }

    #[inline(never)]
    fn next_far(&self, mut at: usize) -> Result<(usize, u8), Stop> {
        loop {
            match self.input.get(at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => at += 1,
                Some(&byte) => return Ok((at, byte)),
                None => return Err(self.end(at)),
            }
        }
    }

    /// What running off the end means.
    #[cold]
    pub fn end(&self, at: usize) -> Stop {
        if self.complete {
            Stop::Syntax { at, message: "the input ends inside a value", hint: Some("is the file cut off?") }
        } else {
            Stop::Incomplete
        }
    }

    /// The string whose opening quote stands at `at`.
    ///
    /// # Errors
    /// Syntax errors; `Reject` with `invalid_utf8`.
    #[inline(always)]
    pub fn string(&self, at: usize) -> Result<(Text<'a>, usize), Stop> {
        let start = at + 1;
        match near_stop(self.input, start) {
            Some(stop) if self.input[stop] == b'"' => {
                Ok((Text { raw: &self.input[start..stop], escaped: false }, stop + 1))
            }
            _ => self.string_far(start),
        }
    }

    #[inline(never)]
    fn string_far(&self, start: usize) -> Result<(Text<'a>, usize), Stop> {
        let (stop, high) = string_stop(self.input, start);
        if self.input.get(stop) == Some(&b'"') {
            let raw = &self.input[start..stop];
            if high && simdutf8::basic::from_utf8(raw).is_err() {
                return Err(invalid_utf8(start));
            }
            return Ok((Text { raw, escaped: false }, stop + 1));
        }
        self.string_slow(start, stop, high)
    }

    #[cold]
    #[inline(never)]
    fn string_slow(&self, start: usize, mut stop: usize, mut high: bool) -> Result<(Text<'a>, usize), Stop> {
        loop {
            match self.input.get(stop) {
                None => return Err(self.end(stop)),
                Some(b'"') => break,
                Some(b'\\') => {
                    if stop + 1 >= self.input.len() {
                        return Err(self.end(stop + 1));
                    }
                    let (next, more) = string_stop(self.input, stop + 2);
                    high |= more || self.input[stop + 1] >= 0x80;
                    stop = next;
                }
                Some(_) => {
                    return Err(Stop::Syntax {
                        at: stop,
                        message: "a control character inside a string",
                        hint: Some("line breaks and tabs in strings are written \\n and \\t"),
                    });
                }
            }
        }
        let raw = &self.input[start..stop];
        if high && simdutf8::basic::from_utf8(raw).is_err() {
            return Err(invalid_utf8(start));
        }
        Ok((Text { raw, escaped: true }, stop + 1))
    }

    /// The number that begins at `at`, and the position after it. Inlined: as a function's answer it would lie in memory,
    /// be moved from there before all of it is written, and each of them waits for that.
    #[inline(always)]
    pub fn number(&self, at: usize) -> Result<(Number, usize), Stop> {
        match Number::scan(&self.input[at..]) {
            Ok(number) => {
                let end = at + number.len;
                match self.input.get(end) {
                    Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') => Ok((number, end)),
                    None if self.complete => Ok((number, end)),
                    None => Err(Stop::Incomplete),
                    Some(_) => Err(unexpected(self.input, end)),
                }
            }
            Err(NumberSyntax { offset, fault }) => {
                if at + offset >= self.input.len() {
                    return Err(self.end(at + offset));
                }
                Err(Stop::Syntax {
                    at: at + offset,
                    message: fault.message(),
                    hint: number_hint(self.input, at),
                })
            }
        }
    }

    /// Checks that `word` (`true`, `false`, `null`) stands at `at`; the position after it.
    #[inline]
    pub fn word(&self, at: usize, word: &'static [u8]) -> Result<usize, Stop> {
        let rest = &self.input[at..];
        if rest.starts_with(word) {
            return Ok(at + word.len());
        }
        if word.starts_with(rest) {
            return Err(self.end(self.input.len()));
        }
        Err(unexpected(self.input, at))
    }
}

#[cold]
fn invalid_utf8(at: usize) -> Stop {
    Reject::at("invalid_utf8", "a string is not valid UTF-8", at).into()
}

#[cold]
fn number_hint(input: &[u8], at: usize) -> Option<&'static str> {
    let rest = &input[at..];
    if rest.starts_with(b"0") || rest.starts_with(b"-0") {
        return Some("write the number without leading zeros, or as a string in double quotes");
    }
    if rest.starts_with(b"-I") || rest.starts_with(b"-N") {
        return Some("NaN and Infinity are not JSON: write null");
    }
    Some("numbers look like 1, -2.5 or 3e8")
}

/// The syntax error for a byte that cannot stand where it stands.
#[cold]
pub fn unexpected(input: &[u8], at: usize) -> Stop {
    let rest = &input[at.min(input.len())..];
    let (message, hint) = match rest.first() {
        Some(b'\'') => {
            ("a single quote where JSON wants a double quote", Some("quote strings and keys with \""))
        }
        Some(b'/') => ("a comment", Some("JSON has no comments: remove it")),
        Some(b'#') => ("a comment", Some("JSON has no comments: remove it")),
        Some(b'N' | b'I') => ("a word that is not JSON", Some("NaN and Infinity are not JSON: write null")),
        Some(b'T' | b'F') => ("a word that is not JSON", Some("write true and false in lower case")),
        Some(b',') => ("a comma with nothing before it", Some("remove the extra comma")),
        Some(b'}' | b']') => ("a closing bracket too early", Some("is there a comma before it?")),
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
            ("a word that is not JSON", Some("quote strings and keys with \""))
        }
        Some(_) => (
            "an unexpected character",
            Some("a value is an object, array, string, number, true, false or null"),
        ),
        None => ("the input ends too early", Some("is the file cut off?")),
    };
    Stop::Syntax { at, message, hint }
}
