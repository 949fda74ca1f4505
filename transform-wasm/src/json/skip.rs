//! Passing over a whole value: checked, without recursion, in one loop.
//!
//! For: values that become JSON text, unknown paths, and finding the end of a rejected record.
//! Duplicate keys are found here too: they make a JSON text mean different things to different
//! readers.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::error::{Code, Failure};
use crate::keys::hash;

use super::cursor::{Cursor, Reject, Stop, unexpected};
use super::text::unescape;

/// A key where it stands: its hash, and the first byte and the end of its raw text.
pub(super) type KeySpan = (u32, usize, usize);

/// Passes over values; keeps its stacks between calls.
#[derive(Debug, Default)]
pub struct Skipper {
    /// One entry an open bracket: where its keys begin in `keys`, none for an array.
    open: Vec<Option<usize>>,
    /// Keys of the open objects.
    keys: Vec<KeySpan>,
    scratch: Vec<u8>,
}

/// What to look for besides the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// Strings' escapes and duplicate keys too.
    All,
    /// The grammar only: the record is lost already, its end is wanted.
    Grammar,
}

impl Skipper {
    /// The position after the value that begins at `at`.
    ///
    /// # Errors
    /// Syntax errors; with [`Care::All`] also rejects; `too_deep` where `depth` (levels that may
    /// still open) is used up.
    pub fn skip(&mut self, cursor: &Cursor<'_>, at: usize, depth: usize, care: Care) -> Result<usize, Stop> {
        self.open.clear();
        self.keys.clear();
        let mut at = at;
        'value: loop {
            let (here, byte) = cursor.next(at)?;
            at = match byte {
                b'{' | b'[' => {
                    if self.open.len() >= depth {
                        return Err(too_deep().into());
                    }
                    let (next, first) = cursor.next(here + 1)?;
                    self.open.push((byte == b'{').then_some(self.keys.len()));
                    if first != byte + 2 {
                        at = if byte == b'{' { self.key(cursor, next, care)? } else { next };
                        continue 'value;
                    }
                    self.close(cursor, care)?;
                    next + 1
                }
                b'"' => self.text(cursor, here, care)?,
                b't' => cursor.word(here, b"true")?,
                b'f' => cursor.word(here, b"false")?,
                b'n' => cursor.word(here, b"null")?,
                b'-' | b'0'..=b'9' => {
                    let (number, end) = cursor.number(here)?;
                    if care == Care::All
                        && let Err(misfit) = number.check_finite(&cursor.input[here..])
                    {
                        return Err(Reject::at(misfit.code(), format!("a number {misfit}"), here).into());
                    }
                    end
                }
                _ => return Err(unexpected(cursor.input, here)),
            };
            // A value is complete: close what closes here, then go on after the comma.
            loop {
                let Some(&object) = self.open.last() else { return Ok(at) };
                let (here, byte) = cursor.next(at)?;
                match (byte, object) {
                    (b',', Some(_)) => {
                        let (next, _) = cursor.next(here + 1)?;
                        at = self.key(cursor, next, care)?;
                        continue 'value;
                    }
                    (b',', None) => {
                        let (next, byte) = cursor.next(here + 1)?;
                        if byte == b']' {
                            return Err(trailing_comma(here));
                        }
                        at = next;
                        continue 'value;
                    }
                    (b'}', Some(_)) | (b']', None) => {
                        self.close(cursor, care)?;
                        at = here + 1;
                    }
                    _ => return Err(missing_comma(cursor.input, here)),
                }
            }
        }
    }

    /// What a record's stop comes to once the whole record has been looked at, and where it ends if
    /// that is known: a fault of the record as JSON wins over a value that does not fit.
    pub fn judge(
        &mut self,
        cursor: &Cursor<'_>,
        at: usize,
        depth: usize,
        stop: Stop,
    ) -> (Stop, Option<usize>) {
        let Stop::Reject(found) = &stop else { return (stop, None) };
        // As deep as a walk may go: what it did not come to is no deeper because of that.
        match self.skip(cursor, at, depth, Care::All) {
            Ok(end) => (stop, Some(end)),
            Err(Stop::Reject(mut whole)) => {
                if whole.path.is_none() && whole.at == found.at {
                    whole.path.clone_from(&found.path);
                }
                let end = self.skip(cursor, at, depth, Care::Grammar);
                let stop = if whole.code == found.code { stop } else { Stop::Reject(whole) };
                match end {
                    Ok(end) => (stop, Some(end)),
                    Err(worse) => (worse, None),
                }
            }
            Err(worse) => (worse, None),
        }
    }

    /// The position after the string whose opening quote stands at `at`.
    ///
    /// # Errors
    /// As [`Skipper::skip`].
    pub(super) fn text(&mut self, cursor: &Cursor<'_>, at: usize, care: Care) -> Result<usize, Stop> {
        match cursor.string(at) {
            Ok((text, end)) => {
                if text.escaped {
                    self.scratch.clear();
                    let result = unescape(text.raw, at + 1, &mut self.scratch);
                    if care == Care::All || matches!(result, Err(Stop::Syntax { .. })) {
                        result?;
                    }
                }
                Ok(end)
            }
            // Bytes that are no UTF-8 end at the next quote all the same.
            Err(Stop::Reject(_)) if care == Care::Grammar => {
                let mut end = at + 1;
                loop {
                    match cursor.input.get(end) {
                        None => return Err(cursor.end(end)),
                        Some(b'\\') => end += 2,
                        Some(b'"') => return Ok(end + 1),
                        Some(_) => end += 1,
                    }
                }
            }
            Err(stop) => Err(stop),
        }
    }

    /// Reads a key and its colon; the position after.
    fn key(&mut self, cursor: &Cursor<'_>, at: usize, care: Care) -> Result<usize, Stop> {
        if cursor.input.get(at) != Some(&b'"') {
            return Err(not_a_key(cursor.input, at));
        }
        let end = self.text(cursor, at, care)?;
        if care == Care::All {
            let raw = &cursor.input[at + 1..end - 1];
            let hashed = if raw.contains(&b'\\') {
                self.scratch.clear();
                unescape(raw, at + 1, &mut self.scratch)?;
                hash(&self.scratch)
            } else {
                hash(raw)
            };
            self.keys.push((hashed, at + 1, end - 1));
        }
        let (colon, byte) = cursor.next(end)?;
        if byte != b':' {
            return Err(missing_colon(colon));
        }
        Ok(colon + 1)
    }

    fn close(&mut self, cursor: &Cursor<'_>, care: Care) -> Result<(), Stop> {
        let Some(Some(first)) = self.open.pop() else { return Ok(()) };
        if care == Care::All
            && let Some(at) = repeated_key(cursor, &mut self.keys[first..])
        {
            return Err(duplicate_key(at).into());
        }
        self.keys.truncate(first);
        Ok(())
    }
}

/// Where a key of one object is that comes twice. The texts decide between equal hashes, so that keys of one
/// hash, which are easily made, are sorted like any others and not compared each with each.
pub(super) fn repeated_key(cursor: &Cursor<'_>, keys: &mut [KeySpan]) -> Option<usize> {
    keys.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| compare(cursor, *a, *b)));
    let pairs = keys.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let mut same = pairs.filter(|pair| compare(cursor, pair[0], pair[1]).is_eq());
    same.next().map(|pair| pair[0].1.max(pair[1].1))
}

/// The order of the texts of two keys.
#[inline(never)]
fn compare(cursor: &Cursor<'_>, a: KeySpan, b: KeySpan) -> Ordering {
    unescaped(&cursor.input[a.1..a.2]).cmp(&unescaped(&cursor.input[b.1..b.2]))
}

/// The text of a key whose escapes were read once already.
fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    match unescape(raw, 0, &mut out) {
        Ok(()) => Cow::Owned(out),
        // Not met: they were.
        Err(_) => Cow::Borrowed(raw),
    }
}

/// Appends a checked JSON text without the white space between its tokens.
pub fn compact(raw: &[u8], out: &mut Vec<u8>) {
    let mut in_string = false;
    let mut i = 0;
    while i < raw.len() {
        let byte = raw[i];
        if in_string {
            out.push(byte);
            if byte == b'\\' {
                i += 1;
                out.extend(raw.get(i));
            } else if byte == b'"' {
                in_string = false;
            }
        } else if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            out.push(byte);
            in_string = byte == b'"';
        }
        i += 1;
    }
}

/// The failure for a record that nests too deep.
#[cold]
pub fn too_deep() -> Failure {
    Failure::limit(Code::TooDeep, "a record is nested deeper than limits.depth allows")
        .hint("raise limits.depth in the spec if this is meant to be")
}

/// The reject for a key that comes twice.
#[cold]
pub fn duplicate_key(at: usize) -> Reject {
    Reject::at("duplicate_key", "an object has the same key twice", at)
}

/// The syntax error for a key that is none.
#[cold]
pub fn not_a_key(input: &[u8], at: usize) -> Stop {
    match input.get(at) {
        Some(b'}' | b']') => trailing_comma(at),
        Some(b'\'') => unexpected(input, at),
        Some(_) => Stop::Syntax {
            at,
            message: "a key must be a string in double quotes",
            hint: Some("quote strings and keys with \""),
        },
        None => Stop::Incomplete,
    }
}

/// The syntax error for a comma before a closing bracket.
#[cold]
pub fn trailing_comma(at: usize) -> Stop {
    Stop::Syntax { at, message: "a comma before a closing bracket", hint: Some("remove the extra comma") }
}

/// The syntax error for a key without a colon.
#[cold]
pub fn missing_colon(at: usize) -> Stop {
    Stop::Syntax {
        at,
        message: "a colon must follow a key",
        hint: Some("write : between a key and its value"),
    }
}

/// The syntax error where a comma or closing bracket should be.
#[cold]
pub fn missing_comma(input: &[u8], at: usize) -> Stop {
    match input.get(at) {
        Some(b'/' | b'#') => unexpected(input, at),
        _ => Stop::Syntax {
            at,
            message: "a comma or closing bracket is missing",
            hint: Some("is a comma or a quote missing before this place?"),
        },
    }
}
