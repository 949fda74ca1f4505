//! Compressed bytes in by push, plain bytes out in bounded pieces.
//!
//! For: gzip (RFC 1952), zstd (RFC 8878) and plain input, told apart by their first bytes. Not for:
//! text (see `encoding`). The decision to know: nothing is ever decompressed without a bound;
//! [`Decompressor::read`] stops after `max` bytes, however much a few input bytes stand for.

use crate::error::{Code, Failure};

mod gzip;
mod pending;
mod zstd;

#[cfg(test)]
#[path = "decompress_tests.rs"]
mod tests;

use gzip::Gzip;
use pending::Pending;
use zstd::Zstd;

/// How an input is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// To be told from the first bytes.
    #[default]
    Auto,
    /// Plain.
    None,
    /// One or more gzip members.
    Gzip,
    /// One or more zstd frames.
    Zstd,
}

/// What a [`Decompressor::read`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All input so far is used up: push more, or end.
    NeedInput,
    /// There may be more to read: call again. Some work was done, yet possibly nothing appended.
    Output,
    /// The input has ended and all of it was read.
    Finished,
}

/// Output is made in pieces of this size: small enough that clearing them first costs nothing.
const PIECE: usize = 64 << 10;

/// First bytes that settle what an input is, and how it is called if it cannot be read.
const MAGIC: [(&[u8], Kind); 8] = [
    (b"\x1f\x8b", Kind::Gzip),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (b"\xfd7zXZ\x00", Kind::Unsupported("xz")),
    (b"\x04\x22\x4d\x18", Kind::Unsupported("lz4")),
    (b"PK\x03\x04", Kind::Unsupported("zip")),
    (b"BZh91AY&SY", Kind::Unsupported("bzip2")),
    // With the first byte of its first page: `PAR1` alone may be a CSV header.
    (b"PAR1\x15", Kind::Unsupported("parquet")),
    (b"\xff\x06\x00\x00sNaPpY", Kind::Unsupported("snappy")),
];

#[derive(Clone, Copy)]
enum Kind {
    Gzip,
    Zstd,
    Unsupported(&'static str),
}

/// Push decoder: [`push`](Self::push) and [`end`](Self::end) take input, [`read`](Self::read) works.
pub struct Decompressor {
    input: Pending,
    decoder: Decoder,
}

enum Decoder {
    Detect,
    Plain,
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

impl Decompressor {
    /// A decoder for input that is compressed as told, or as its first bytes say.
    #[must_use]
    pub fn new(compression: Compression) -> Self {
        let decoder = match compression {
            Compression::Auto => Decoder::Detect,
            Compression::None => Decoder::Plain,
            Compression::Gzip => Decoder::Gzip(Box::default()),
            Compression::Zstd => Decoder::Zstd(Box::default()),
        };
        Self { input: Pending::default(), decoder }
    }

    /// What the input turned out to be; [`Compression::Auto`] before it is known.
    #[must_use]
    pub fn compression(&self) -> Compression {
        match self.decoder {
            Decoder::Detect => Compression::Auto,
            Decoder::Plain => Compression::None,
            Decoder::Gzip(_) => Compression::Gzip,
            Decoder::Zstd(_) => Compression::Zstd,
        }
    }

    /// Hands bytes over; no work is done. A `Vec` is kept as it is, so that plain input is copied
    /// once only, by [`read`](Self::read).
    pub fn push(&mut self, chunk: impl Into<Vec<u8>>) {
        self.input.push(chunk.into());
    }

    /// Says that no more bytes will come.
    pub fn end(&mut self) {
        self.input.ended = true;
    }

    /// Appends at most `max` decoded bytes to `out`.
    ///
    /// # Errors
    /// Input failures `gzip_truncated`, `gzip_corrupt`, `zstd_truncated`, `zstd_corrupt`,
    /// `unsupported_format`, and the limit `zstd_window`. After one of them the decoder is of no use.
    pub fn read(&mut self, out: &mut Vec<u8>, max: usize) -> Result<Progress, Failure> {
        if matches!(self.decoder, Decoder::Detect) {
            match detect(self.input.rest(), self.input.ended)? {
                Some(decoder) => self.decoder = decoder,
                None => return Ok(Progress::NeedInput),
            }
        }
        match &mut self.decoder {
            Decoder::Detect | Decoder::Plain => Ok(copy(&mut self.input, out, max)),
            Decoder::Gzip(gzip) => gzip.read(&mut self.input, out, max),
            Decoder::Zstd(zstd) => zstd.read(&mut self.input, out, max),
        }
    }
}

fn copy(input: &mut Pending, out: &mut Vec<u8>, max: usize) -> Progress {
    let rest = input.rest();
    let length = rest.len().min(max);
    out.extend_from_slice(&rest[..length]);
    input.take(length);
    input.starved().unwrap_or(Progress::Output)
}

/// The decoder that the first bytes call for; none while they may still become something else.
fn detect(head: &[u8], ended: bool) -> Result<Option<Decoder>, Failure> {
    if zstd::is_skippable(head) {
        return Ok(Some(Decoder::Zstd(Box::default())));
    }
    let skippable = zstd::may_be_skippable(head);
    if !ended
        && (skippable || MAGIC.iter().any(|(magic, _)| magic.len() > head.len() && magic.starts_with(head)))
    {
        return Ok(None);
    }
    match MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        None => Ok(Some(Decoder::Plain)),
        Some((_, Kind::Gzip)) => Ok(Some(Decoder::Gzip(Box::default()))),
        Some((_, Kind::Zstd)) => Ok(Some(Decoder::Zstd(Box::default()))),
        Some((_, Kind::Unsupported(name))) => Err(Failure::input(
            Code::UnsupportedFormat,
            format!("the input is a {name} file, which cannot be read"),
        )
        .hint("give JSON or CSV, plain or compressed with gzip or zstd")),
    }
}
