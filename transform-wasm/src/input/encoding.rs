//! Clean text from decoded bytes: byte order mark off, other encodings to UTF-8.
//!
//! For: what must be settled before any record is read. Not for: checking UTF-8 (a broken character
//! rejects its record, so the record readers look). The decisions to know: a byte order mark decides, as in the
//! Encoding Standard, and nothing else is guessed; and what stands for no character becomes a byte that is no
//! UTF-8, so that it rejects its record as a broken character does.

use super::decompress::{Compression, Decompressor, Progress};
use crate::error::{Code, Failure, Place};

mod named;
mod single;
mod tables;
mod utf16;

pub use named::Encoding;
use utf16::Utf16;

/// What stands for no character: a byte that is in no UTF-8 text.
const BROKEN: u8 = 0xff;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes that decide: a UTF-8 mark is three, that of UTF-32 is four.
const HEAD: usize = 4;

/// Decompressed and decoded text by push; see [`Decompressor`].
pub struct TextReader {
    bytes: Decompressor,
    encoding: Encoding,
    /// The first bytes until there are [`HEAD`] of them; none once they are judged.
    head: Option<Vec<u8>>,
    /// Bytes of another encoding before they are UTF-8.
    raw: Vec<u8>,
    utf16: Utf16,
    read: u64,
}

impl TextReader {
    /// A reader of input compressed and encoded as told.
    #[must_use]
    pub fn new(compression: Compression, encoding: Encoding) -> Self {
        let bytes = Decompressor::new(compression);
        Self { bytes, encoding, head: Some(Vec::new()), raw: Vec::new(), utf16: Utf16::default(), read: 0 }
    }

    /// See [`Decompressor::push`].
    pub fn push(&mut self, chunk: impl Into<Vec<u8>>) {
        self.bytes.push(chunk);
    }

    /// See [`Decompressor::end`].
    pub fn end(&mut self) {
        self.bytes.end();
    }

    /// See [`Decompressor::compression`].
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.bytes.compression()
    }

    /// Bytes decompressed so far, a byte order mark included.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Appends at most `max` bytes of text to `out`.
    ///
    /// # Errors
    /// Those of [`Decompressor::read`]; `utf16_input`; `encoding_conflict` where another encoding was told than that of
    /// the mark.
    pub fn read(&mut self, out: &mut Vec<u8>, max: usize) -> Result<Progress, Failure> {
        if let Some(mut head) = self.head.take() {
            let missing = HEAD - head.len();
            let progress = self.count(&mut head, missing)?;
            if head.len() < HEAD && progress != Progress::Finished {
                self.head = Some(head);
                return Ok(progress);
            }
            let text = self.judge(&head)?;
            self.append(text, out);
            // `Finished` comes from the next call, which finds nothing more.
            return Ok(Progress::Output);
        }
        if self.encoding == Encoding::Utf8 {
            return self.count(out, max);
        }
        let mut raw = std::mem::take(&mut self.raw);
        raw.clear();
        // A byte becomes three at most.
        let progress = self.count(&mut raw, (max / 3).max(1))?;
        self.append(&raw, out);
        self.raw = raw;
        if progress == Progress::Finished {
            self.utf16.end(out);
        }
        Ok(progress)
    }

    /// Reads bytes and counts them.
    fn count(&mut self, out: &mut Vec<u8>, max: usize) -> Result<Progress, Failure> {
        let before = out.len();
        let progress = self.bytes.read(out, max)?;
        self.read += (out.len() - before) as u64;
        Ok(progress)
    }

    /// The first bytes without a mark, which says how the text is encoded.
    fn judge<'a>(&mut self, head: &'a [u8]) -> Result<&'a [u8], Failure> {
        let first = Place { line: Some(1), column: Some(1), offset: Some(0), ..Place::default() };
        let told = self.encoding;
        if let Some((marked, rest)) = marked(head) {
            let wide = |encoding| matches!(encoding, Encoding::Utf16 { .. });
            if told != Encoding::Utf8 && told != marked && !(wide(told) && wide(marked)) {
                let (told, marked) = (told.name(), marked.name());
                let message = format!(
                    "the spec says {told}, but the input begins with the byte order mark of {marked}"
                );
                let failure = Failure::input(Code::EncodingConflict, message);
                return Err(failure.hint("drop `encoding` from the spec's [input]").at(first));
            }
            self.encoding = marked;
            return Ok(rest);
        }
        match wide(head) {
            Some(name) if !matches!(told, Encoding::Utf16 { .. }) => {
                let message = format!("the input looks like {name} text, or it is no text");
                let hint = match name.strip_prefix("UTF-16") {
                    Some(end) => {
                        format!("if it is, set encoding = \"utf-16{}\" in [input]", end.to_lowercase())
                    }
                    None => format!("convert it to UTF-8: iconv -f {name} -t UTF-8 FILE > FILE.utf8"),
                };
                Err(Failure::input(Code::Utf16Input, message).hint(hint).at(first))
            }
            _ => Ok(head),
        }
    }

    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Utf8 => out.extend_from_slice(bytes),
            Encoding::Single(table) => single::append(table, bytes, out),
            Encoding::Utf16 { big } => self.utf16.append(big, bytes, out),
        }
    }

    /// How the text is encoded, once its first bytes are there.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }
}

/// The encoding that a byte order mark says, and what follows it; that of UTF-32 is none.
fn marked(head: &[u8]) -> Option<(Encoding, &[u8])> {
    match head {
        [0xff, 0xfe, 0, 0] => None,
        [0xff, 0xfe, rest @ ..] => Some((Encoding::Utf16 { big: false }, rest)),
        [0xfe, 0xff, rest @ ..] => Some((Encoding::Utf16 { big: true }, rest)),
        _ => head.strip_prefix(UTF8_MARK).map(|rest| (Encoding::Utf8, rest)),
    }
}

/// The name, as iconv has it, of an encoding of two or four bytes a character, which no mark of UTF-16 says.
fn wide(head: &[u8]) -> Option<&'static str> {
    // Without a mark, the zeros of a first ASCII character give it away.
    Some(match head {
        [0xff, 0xfe, 0, 0] | [1..=0x7f, 0, 0, 0] => "UTF-32LE",
        [0, 0, 0xfe, 0xff] | [0, 0, 0, _] => "UTF-32BE",
        [1..=0x7f, 0, ..] => "UTF-16LE",
        [0, _, ..] => "UTF-16BE",
        _ => return None,
    })
}
