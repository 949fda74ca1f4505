//! Compressed bytes in by push, plain bytes out in bounded pieces.
//!
//! For: gzip (RFC 1952), zstd (RFC 8878), bzip2, zip and plain input, told apart by their first bytes. Not for:
//! text (see `encoding`). The decision to know: nothing is ever decompressed without a bound;
//! [`Decompressor::read`] stops after `max` bytes, however much a few input bytes stand for.

use crate::error::{Code, Failure};

mod bzip2;
mod gzip;
mod inflate;
mod pending;
mod zip;
mod zstd;

#[cfg(test)]
#[path = "decompress_tests.rs"]
mod tests;

use self::bzip2::Bzip2;
use gzip::Gzip;
use pending::Pending;
use zip::Zip;
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
    /// One or more bzip2 streams.
    Bzip2,
    /// An archive of one or more files.
    Zip,
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
const MAGIC: [(&[u8], Kind); 9] = [
    (b"\x1f\x8b", Kind::Gzip),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (b"\xfd7zXZ\x00", Kind::Unsupported("xz")),
    (b"\x04\x22\x4d\x18", Kind::Unsupported("lz4")),
    (b"PK\x03\x04", Kind::Zip),
    // Without any member, and in pieces.
    (b"PK\x05\x06", Kind::Zip),
    (b"PK\x07\x08", Kind::Unsupported("zip in several pieces")),
    // With the first byte of its first page: `PAR1` alone may be a CSV header.
    (b"PAR1\x15", Kind::Unsupported("parquet")),
    (b"\xff\x06\x00\x00sNaPpY", Kind::Unsupported("snappy")),
];

#[derive(Clone, Copy)]
enum Kind {
    Gzip,
    Zstd,
    Zip,
    Unsupported(&'static str),
}

/// Push decoder: [`push`](Self::push) and [`end`](Self::end) take input, [`read`](Self::read) works.
pub struct Decompressor {
    input: Pending,
    decoder: Decoder,
    within: Within,
}

/// What is within what was decompressed.
enum Within {
    /// Its first bytes do not tell yet.
    Unknown(Vec<u8>),
    /// No more of the kind.
    Text,
    /// The same once more, as where a file was compressed twice.
    More(Box<Decompressor>),
}

/// What every gzip begins with, and no text.
const GZIP: &[u8] = b"\x1f\x8b\x08";

enum Decoder {
    Detect,
    Plain,
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
    Bzip2(Box<Bzip2>),
    Zip(Box<Zip>),
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
            Compression::Bzip2 => Decoder::Bzip2(Box::default()),
            Compression::Zip => Decoder::Zip(Box::default()),
        };
        Self { input: Pending::default(), decoder, within: Within::Unknown(Vec::new()) }
    }

    /// One for what is within: compressed once more, and no further.
    fn inner() -> Self {
        Self { within: Within::Text, ..Self::new(Compression::Gzip) }
    }

    /// What the input turned out to be; [`Compression::Auto`] before it is known.
    #[must_use]
    pub fn compression(&self) -> Compression {
        match self.decoder {
            Decoder::Detect => Compression::Auto,
            Decoder::Plain => Compression::None,
            Decoder::Gzip(_) => Compression::Gzip,
            Decoder::Zstd(_) => Compression::Zstd,
            Decoder::Bzip2(_) => Compression::Bzip2,
            Decoder::Zip(_) => Compression::Zip,
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
    /// Input failures `gzip_truncated`, `gzip_corrupt` and the same of zstd, bzip2 and zip,
    /// `unsupported_format`, and the limit `zstd_window`. After one of them the decoder is of no use.
    pub fn read(&mut self, out: &mut Vec<u8>, max: usize) -> Result<Progress, Failure> {
        if matches!(self.decoder, Decoder::Detect) {
            match detect(self.input.rest(), self.input.ended)? {
                Some(decoder) => self.decoder = decoder,
                None => return Ok(Progress::NeedInput),
            }
        }
        match std::mem::replace(&mut self.within, Within::Text) {
            Within::Text => self.decode(out, max),
            Within::Unknown(head) => self.look_within(head, out, max),
            Within::More(inner) => self.read_within(inner, out, max),
        }
    }

    fn decode(&mut self, out: &mut Vec<u8>, max: usize) -> Result<Progress, Failure> {
        match &mut self.decoder {
            Decoder::Detect | Decoder::Plain => Ok(copy(&mut self.input, out, max)),
            Decoder::Gzip(gzip) => gzip.read(&mut self.input, out, max),
            Decoder::Zstd(zstd) => zstd.read(&mut self.input, out, max),
            Decoder::Bzip2(bzip2) => bzip2.read(&mut self.input, out, max),
            Decoder::Zip(zip) => zip.read(&mut self.input, out, max),
        }
    }

    /// The first bytes tell whether there is gzip within; `head` are those that came.
    fn look_within(&mut self, mut head: Vec<u8>, out: &mut Vec<u8>, max: usize) -> Result<Progress, Failure> {
        if matches!(self.decoder, Decoder::Plain) {
            return self.decode(out, max);
        }
        let missing = GZIP.len() - head.len();
        let progress = self.decode(&mut head, missing.min(max))?;
        if head.starts_with(GZIP) {
            let mut inner = Self::inner();
            inner.push(head);
            self.within = Within::More(Box::new(inner));
            return Ok(Progress::Output);
        }
        if progress != Progress::Finished && GZIP.starts_with(&head) {
            self.within = Within::Unknown(head);
            return Ok(progress);
        }
        out.extend_from_slice(&head);
        Ok(if progress == Progress::Finished && !head.is_empty() { Progress::Output } else { progress })
    }

    fn read_within(
        &mut self,
        mut inner: Box<Self>,
        out: &mut Vec<u8>,
        max: usize,
    ) -> Result<Progress, Failure> {
        let mut progress = inner.read(out, max)?;
        if progress == Progress::NeedInput {
            let mut piece = Vec::new();
            progress = self.decode(&mut piece, max)?;
            if progress == Progress::Finished {
                inner.end();
                progress = Progress::Output;
            } else {
                inner.push(piece);
            }
        }
        self.within = Within::More(inner);
        Ok(progress)
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
    let bzip2 = bzip2::begins(head);
    if bzip2 == Some(true) {
        return Ok(Some(Decoder::Bzip2(Box::default())));
    }
    let may_be = bzip2.is_none() || zstd::may_be_skippable(head);
    if !ended
        && (may_be || MAGIC.iter().any(|(magic, _)| magic.len() > head.len() && magic.starts_with(head)))
    {
        return Ok(None);
    }
    match MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        None => Ok(Some(Decoder::Plain)),
        Some((_, Kind::Gzip)) => Ok(Some(Decoder::Gzip(Box::default()))),
        Some((_, Kind::Zstd)) => Ok(Some(Decoder::Zstd(Box::default()))),
        Some((_, Kind::Zip)) => Ok(Some(Decoder::Zip(Box::default()))),
        Some((_, Kind::Unsupported(name))) => Err(Failure::input(
            Code::UnsupportedFormat,
            format!("the input is a {name} file, which cannot be read"),
        )
        .hint("give JSON or CSV, plain or compressed with gzip, zstd, bzip2 or zip")),
    }
}
