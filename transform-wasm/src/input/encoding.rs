//! Clean text from decoded bytes: byte order mark off, UTF-16 refused, Latin-1 to UTF-8.
//!
//! For: what must be settled before any record is read. Not for: checking UTF-8 (a broken character
//! rejects its record, so the record readers look). The decision to know: Latin-1 is ISO 8859-1, byte
//! and code point the same; Windows-1252 is not guessed.

use super::decompress::{Compression, Decompressor, Progress};
use crate::error::{Code, Failure, Place};

/// How the input's text is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    Utf8,
    /// ISO 8859-1 (CSV only).
    Latin1,
}

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes that decide: a UTF-8 mark is three, that of UTF-32 is four.
const HEAD: usize = 4;

/// Decompressed and decoded text by push; see [`Decompressor`].
pub struct TextReader {
    bytes: Decompressor,
    encoding: Encoding,
    /// The first bytes until there are [`HEAD`] of them; none once they are judged.
    head: Option<Vec<u8>>,
    /// Latin-1 before it is widened.
    narrow: Vec<u8>,
    read: u64,
}

impl TextReader {
    /// A reader of input compressed and encoded as told.
    #[must_use]
    pub fn new(compression: Compression, encoding: Encoding) -> Self {
        let bytes = Decompressor::new(compression);
        Self { bytes, encoding, head: Some(Vec::new()), narrow: Vec::new(), read: 0 }
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
    /// Those of [`Decompressor::read`]; `utf16_input`; `encoding_conflict` where Latin-1 was told and
    /// a UTF-8 mark was found.
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
        match self.encoding {
            Encoding::Utf8 => self.count(out, max),
            Encoding::Latin1 => {
                let mut narrow = std::mem::take(&mut self.narrow);
                narrow.clear();
                // A byte becomes two at most.
                let progress = self.count(&mut narrow, (max / 2).max(1))?;
                self.append(&narrow, out);
                self.narrow = narrow;
                Ok(progress)
            }
        }
    }

    /// Reads bytes and counts them.
    fn count(&mut self, out: &mut Vec<u8>, max: usize) -> Result<Progress, Failure> {
        let before = out.len();
        let progress = self.bytes.read(out, max)?;
        self.read += (out.len() - before) as u64;
        Ok(progress)
    }

    /// The first bytes without a mark.
    fn judge<'a>(&self, head: &'a [u8]) -> Result<&'a [u8], Failure> {
        let first = Place { line: Some(1), column: Some(1), offset: Some(0), ..Place::default() };
        if let Some((name, marked)) = wide(head) {
            let message = match marked {
                true => format!("the input is {name} text, by its byte order mark, and only UTF-8 is read"),
                false => format!("the input looks like {name} text without a byte order mark, or is no text"),
            };
            let hint = format!("convert it to UTF-8: iconv -f {name} -t UTF-8 FILE > FILE.utf8");
            return Err(Failure::input(Code::Utf16Input, message).hint(hint).at(first));
        }
        match (head.strip_prefix(UTF8_MARK), self.encoding) {
            (Some(rest), Encoding::Utf8) => Ok(rest),
            (Some(_), Encoding::Latin1) => Err(Failure::input(
                Code::EncodingConflict,
                "the spec says latin1, but the input begins with the byte order mark of UTF-8",
            )
            .hint("drop `encoding` from the spec's [input]")
            .at(first)),
            (None, _) => Ok(head),
        }
    }

    fn append(&self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Utf8 => out.extend_from_slice(bytes),
            Encoding::Latin1 => widen(bytes, out),
        }
    }
}

/// The name, as iconv has it, of an encoding of two or four bytes a character, and whether it has its mark.
fn wide(head: &[u8]) -> Option<(&'static str, bool)> {
    // Without a mark, the zeros of a first ASCII character give it away.
    Some(match head {
        [0xff, 0xfe, 0, 0] => ("UTF-32LE", true),
        [0, 0, 0xfe, 0xff] => ("UTF-32BE", true),
        [0xff, 0xfe, ..] => ("UTF-16LE", true),
        [0xfe, 0xff, ..] => ("UTF-16BE", true),
        [1..=0x7f, 0, 0, 0] => ("UTF-32LE", false),
        [0, 0, 0, _] => ("UTF-32BE", false),
        [1..=0x7f, 0, ..] => ("UTF-16LE", false),
        [0, _, ..] => ("UTF-16BE", false),
        _ => return None,
    })
}

/// ISO 8859-1 to UTF-8: runs of ASCII are copied, the rest takes two bytes each.
fn widen(mut bytes: &[u8], out: &mut Vec<u8>) {
    while !bytes.is_empty() {
        let ascii = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len());
        let (run, rest) = bytes.split_at(ascii);
        out.extend_from_slice(run);
        let high = rest.iter().take_while(|byte| !byte.is_ascii()).count();
        for byte in &rest[..high] {
            out.extend_from_slice(&[0xc0 | byte >> 6, 0x80 | byte & 0x3f]);
        }
        bytes = &rest[high..];
    }
}
