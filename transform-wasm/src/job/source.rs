//! The decoded bytes that are not read yet, and the place of each.
//!
//! The decision to know: bytes stay until their batch has passed its checks, because a record that a
//! check rejects goes to quarantine with its raw text.

use std::cell::Cell;

use crate::error::{Failure, Place};
use crate::input::decompress::{Compression, Progress};
use crate::input::encoding::{Encoding, TextReader};
use crate::limits::STEP_BYTES;
use crate::spec::{Input, InputCompression};

/// Bytes worth trying to read a record from; below it only the end of input is.
const TRY_BYTES: usize = 64 << 10;

/// The input of a job.
pub struct Source {
    text: TextReader,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes of text, the same as they came, line ends, and characters of the last line before the buffer.
    base: u64,
    base_raw: u64,
    base_lines: u64,
    base_column: u64,
    /// The position whose line was asked for last, and the line ends of the buffer before it: places are
    /// asked for one near the other, and counting goes on from there.
    counted: Cell<(usize, u64)>,
    /// The same of bytes as they came, where the text was encoded otherwise.
    measured: Cell<(usize, u64)>,
    want: usize,
    /// No more bytes will come into the buffer.
    pub finished: bool,
}

impl Source {
    /// Reads as the spec's `[input]` says.
    pub fn new(input: &Input) -> Self {
        let compression = match input.compression {
            InputCompression::Auto => Compression::Auto,
            InputCompression::None => Compression::None,
            InputCompression::Gzip => Compression::Gzip,
            InputCompression::Zstd => Compression::Zstd,
            InputCompression::Bzip2 => Compression::Bzip2,
            InputCompression::Zip => Compression::Zip,
        };
        Self {
            text: TextReader::new(compression, input.encoding.0),
            buffer: Vec::new(),
            at: 0,
            base: 0,
            base_raw: 0,
            base_lines: 0,
            base_column: 0,
            counted: Cell::new((0, 0)),
            measured: Cell::new((0, 0)),
            want: TRY_BYTES,
            finished: false,
        }
    }

    /// Takes bytes as stored.
    pub fn push(&mut self, chunk: impl Into<Vec<u8>>) {
        self.text.push(chunk);
    }

    /// No more bytes will be pushed.
    pub fn end(&mut self) {
        self.text.end();
    }

    /// Decompressed bytes so far.
    pub fn bytes_read(&self) -> u64 {
        self.text.bytes_read()
    }

    /// The compression there is.
    pub fn compression(&self) -> &'static str {
        match self.text.compression() {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
            Compression::Zip => "zip",
            Compression::Auto | Compression::None => "none",
        }
    }

    /// The bytes from here on are [`Source::rest`].
    pub fn position(&self) -> usize {
        self.at
    }

    /// All bytes held; positions count from its start.
    pub fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// The bytes that are not read yet.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Goes on to a position.
    pub fn advance_to(&mut self, at: usize) {
        self.at = at;
        self.want = TRY_BYTES;
    }

    /// A record did not end in what there is: the next try waits until that has doubled, or reading
    /// a long record byte by byte would be quadratic.
    pub fn wait(&mut self) {
        self.want = (self.rest().len() * 2).max(TRY_BYTES);
    }

    /// Sees to it that the next try is worth while, with at most one step's work; false when bytes must be
    /// pushed first.
    ///
    /// # Errors
    /// Those of decompression and decoding.
    pub fn has_enough(&mut self) -> Result<bool, Failure> {
        if self.finished || self.rest().len() >= self.want {
            return Ok(true);
        }
        match self.text.read(&mut self.buffer, STEP_BYTES)? {
            Progress::NeedInput => return Ok(false),
            Progress::Finished => self.finished = true,
            Progress::Output => {}
        }
        Ok(true)
    }

    /// Drops the bytes before the position, once they are the larger part: moving what is left then costs no
    /// more than reading what is gone did, however small the batches behind a large record are.
    pub fn forget(&mut self) {
        if self.at < self.rest().len() {
            return;
        }
        let lines = self.line_ends(self.at);
        let gone = &self.buffer[..self.at];
        match memchr::memrchr(b'\n', gone) {
            Some(last) => self.base_column = chars(&gone[last + 1..]),
            None => self.base_column += chars(gone),
        }
        self.base_lines += lines;
        self.base_raw += self.raw_bytes(self.at);
        self.base += self.at as u64;
        self.buffer.drain(..self.at);
        self.at = 0;
        self.counted.set((0, 0));
        self.measured.set((0, 0));
    }

    /// Line ends of the buffer before a position.
    fn line_ends(&self, at: usize) -> u64 {
        let at = at.min(self.buffer.len());
        let (before, lines) = self.counted.get();
        let count =
            |from: usize, to: usize| memchr::memchr_iter(b'\n', &self.buffer[from..to]).count() as u64;
        let lines = if at < before { lines - count(at, before) } else { lines + count(before, at) };
        self.counted.set((at, lines));
        lines
    }

    /// How far in the text a position is, whatever came before the buffer.
    pub fn way(&self, at: usize) -> u64 {
        self.base + at as u64
    }

    /// Byte offset in the decompressed input, behind a byte order mark.
    pub fn offset(&self, at: usize) -> u64 {
        self.base_raw + self.raw_bytes(at)
    }

    /// Bytes that the buffer before a position took as they came.
    fn raw_bytes(&self, at: usize) -> u64 {
        let encoding = self.text.encoding();
        if encoding == Encoding::Utf8 {
            return at as u64;
        }
        let at = at.min(self.buffer.len());
        let (before, bytes) = self.measured.get();
        let of = |from: usize, to: usize| encoding.bytes_of(&self.buffer[from..to]);
        let bytes = if at < before { bytes - of(at, before) } else { bytes + of(before, at) };
        self.measured.set((at, bytes));
        bytes
    }

    /// The encoding of the text, once some of it is there.
    pub fn encoding(&self) -> Encoding {
        self.text.encoding()
    }

    /// Line of a position, from 1.
    pub fn line(&self, at: usize) -> u64 {
        self.base_lines + self.line_ends(at) + 1
    }

    /// Line, column and offset of a position. The column takes a look at the whole line: not for each of the
    /// records that may stand on it.
    pub fn place(&self, at: usize) -> Place {
        let before = &self.buffer[..at.min(self.buffer.len())];
        let column = match memchr::memrchr(b'\n', before) {
            Some(last) => chars(&before[last + 1..]),
            None => self.base_column + chars(before),
        };
        Place {
            line: Some(self.line(at)),
            column: Some(column + 1),
            offset: Some(self.offset(at)),
            ..Place::default()
        }
    }
}

/// Characters of UTF-8 text; bytes that are none count where they begin one.
fn chars(text: &[u8]) -> u64 {
    text.iter().filter(|&&b| b & 0xC0 != 0x80).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_in_whatever_order_they_are_asked_for() {
        let text = "a\nbb\n\nçç x\nd".repeat(40);
        let mut source = Source::new(&Input::default());
        source.push(text.as_bytes().to_vec());
        source.end();
        while source.has_enough().unwrap() && !source.finished {}
        let place = |offset: usize| {
            let before = &text.as_bytes()[..offset];
            let line = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
            let lines = before.iter().filter(|&&b| b == b'\n').count() as u64 + 1;
            (lines, chars(&before[line..]) + 1, offset as u64)
        };
        let mut gone = 0;
        for forget in [0, 3, 100, 290, 292, 400] {
            source.advance_to(forget - gone);
            source.forget();
            gone = forget - source.position();
            for near in [0, 17, 5, 40, 39, 41, 0] {
                let at = source.position() + near;
                let found = source.place(at);
                let told = (found.line.unwrap(), found.column.unwrap(), found.offset.unwrap());
                assert_eq!(told, place(forget + near), "{forget} + {near}");
                assert_eq!(source.line(at), told.0);
            }
        }
    }
}
