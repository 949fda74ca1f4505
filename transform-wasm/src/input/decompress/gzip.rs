//! gzip members over raw inflate.
//!
//! For: RFC 1952 framing, members one after the other, line ends between them, zero padding at the end (tapes, some
//! object stores). Not for: bare zlib or deflate. The decision to know: framing is ours, because ready-made
//! readers stop silently at trailing bytes, and a lost member is lost data.

use flate2::Crc;

use super::inflate::{Inflate, Inflated};
use super::{Pending, Progress};
use crate::error::{Code, Failure};

const FLAG_HEADER_CRC: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;
const FLAGS_RESERVED: u8 = 0xe0;

/// Decoder state: where in a member we are.
pub(super) struct Gzip {
    stage: Stage,
    flags: u8,
    header_crc: Crc,
    inflate: Inflate,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Before the first byte: an empty input is empty, not broken.
    Start,
    Header,
    ExtraLength,
    Extra(usize),
    Name,
    Comment,
    HeaderCrc,
    Body,
    Trailer,
    Between,
    Padding,
}

impl Default for Gzip {
    fn default() -> Self {
        Self { stage: Stage::Start, flags: 0, header_crc: Crc::new(), inflate: Inflate::default() }
    }
}

impl Gzip {
    /// See [`super::Decompressor::read`].
    pub(super) fn read(
        &mut self,
        input: &mut Pending,
        out: &mut Vec<u8>,
        max: usize,
    ) -> Result<Progress, Failure> {
        let end = out.len() + max;
        loop {
            if out.len() >= end {
                return Ok(Progress::Output);
            }
            let went_on = match self.stage {
                Stage::Start | Stage::Between | Stage::Padding => {
                    if let Some(progress) = input.starved() {
                        return Ok(progress);
                    }
                    self.between(input, out)?
                }
                Stage::Body => self.body(input, out, end)?,
                Stage::Trailer => self.trailer(input)?,
                _ => self.header(input)?,
            };
            if !went_on && input.ended {
                return Err(truncated(input));
            }
            if !went_on {
                return Ok(Progress::NeedInput);
            }
        }
    }

    /// Between members; there is at least one byte.
    fn between(&mut self, input: &mut Pending, out: &mut Vec<u8>) -> Result<bool, Failure> {
        // Whoever joined the members put them in lines: they are part of the text, where it may matter.
        if self.stage == Stage::Between && matches!(input.rest()[0], b'\n' | b'\r') {
            out.push(input.rest()[0]);
            input.take(1);
            return Ok(true);
        }
        let zeros = input.rest().iter().take_while(|byte| **byte == 0).count();
        if zeros > 0 && self.stage != Stage::Start {
            self.stage = Stage::Padding;
            input.take(zeros);
            return Ok(true);
        }
        if self.stage == Stage::Padding || (self.stage == Stage::Between && input.rest()[0] != 0x1f) {
            return Err(corrupt(input, "there are bytes after the last gzip member"));
        }
        self.stage = Stage::Header;
        Ok(true)
    }

    /// One part of a member's header; false if it is not all there.
    fn header(&mut self, input: &mut Pending) -> Result<bool, Failure> {
        let rest = input.rest();
        match self.stage {
            Stage::Header => {
                let Some(head) = rest.first_chunk::<10>() else {
                    return if b"\x1f\x8b\x08".starts_with(&rest[..rest.len().min(3)]) {
                        Ok(false)
                    } else {
                        Err(corrupt(input, "it does not begin as gzip does"))
                    };
                };
                if !head.starts_with(b"\x1f\x8b\x08") {
                    return Err(corrupt(input, "it does not begin as gzip does"));
                }
                self.flags = head[3];
                if self.flags & FLAGS_RESERVED != 0 {
                    return Err(corrupt(input, "its header has reserved flags"));
                }
                self.header_crc.reset();
                self.take_header(input, 10);
                self.stage = Stage::ExtraLength;
            }
            Stage::ExtraLength if self.flags & FLAG_EXTRA == 0 => self.stage = Stage::Name,
            Stage::ExtraLength => {
                let Some(length) = rest.first_chunk::<2>() else { return Ok(false) };
                self.stage = Stage::Extra(usize::from(u16::from_le_bytes(*length)));
                self.take_header(input, 2);
            }
            Stage::Extra(0) => self.stage = Stage::Name,
            Stage::Extra(_) if rest.is_empty() => return Ok(false),
            Stage::Extra(left) => {
                let count = left.min(rest.len());
                self.take_header(input, count);
                self.stage = Stage::Extra(left - count);
            }
            Stage::Name => return Ok(self.skip_text(input, FLAG_NAME, Stage::Comment)),
            Stage::Comment => return Ok(self.skip_text(input, FLAG_COMMENT, Stage::HeaderCrc)),
            _ => return self.header_end(input),
        }
        Ok(true)
    }

    fn take_header(&mut self, input: &mut Pending, count: usize) {
        self.header_crc.update(&input.rest()[..count]);
        input.take(count);
    }

    /// A zero-terminated text, dropped as it comes.
    fn skip_text(&mut self, input: &mut Pending, flag: u8, next: Stage) -> bool {
        if self.flags & flag == 0 {
            self.stage = next;
            return true;
        }
        let rest = input.rest();
        let end = memchr::memchr(0, rest);
        self.take_header(input, end.map_or(rest.len(), |end| end + 1));
        if end.is_some() {
            self.stage = next;
        }
        end.is_some()
    }

    fn header_end(&mut self, input: &mut Pending) -> Result<bool, Failure> {
        if self.flags & FLAG_HEADER_CRC != 0 {
            let Some(stored) = input.rest().first_chunk::<2>() else { return Ok(false) };
            // The lower half of a CRC-32 (RFC 1952, section 2.3.1).
            if u16::from_le_bytes(*stored) != (self.header_crc.sum() & 0xffff) as u16 {
                return Err(corrupt(input, "the checksum of its header is wrong"));
            }
            input.take(2);
        }
        self.inflate.begin();
        self.stage = Stage::Body;
        Ok(true)
    }

    /// One piece of inflated data; false if that takes more input.
    fn body(&mut self, input: &mut Pending, out: &mut Vec<u8>, end: usize) -> Result<bool, Failure> {
        match self.inflate.piece(input, out, end) {
            Inflated::End => self.stage = Stage::Trailer,
            Inflated::More => {}
            Inflated::Starved => return Ok(false),
            Inflated::Broken => return Err(corrupt(input, "its compressed data is broken")),
        }
        Ok(true)
    }

    fn trailer(&mut self, input: &mut Pending) -> Result<bool, Failure> {
        let Some(trailer) = input.rest().first_chunk::<8>() else { return Ok(false) };
        let stored = u64::from_le_bytes(*trailer);
        // CRC-32, then the length modulo 2^32, both little-endian.
        if stored as u32 != self.inflate.sum() {
            return Err(corrupt(input, "the checksum of its data is wrong"));
        }
        if (stored >> 32) as u32 != self.inflate.amount() {
            return Err(corrupt(input, "the length it states is wrong"));
        }
        input.take(8);
        self.stage = Stage::Between;
        Ok(true)
    }
}

fn truncated(input: &Pending) -> Failure {
    let end = input.offset + input.rest().len() as u64;
    let message = format!("the gzip input ends within a member, after byte {end} of the compressed input");
    Failure::input(Code::GzipTruncated, message)
        .hint("the upload or the writer stopped early: send the whole file again")
}

fn corrupt(input: &Pending, what: &str) -> Failure {
    let message = format!("the gzip input is broken: {what} (byte {} of the compressed input)", input.offset);
    Failure::input(Code::GzipCorrupt, message).hint("check the file with `gzip -t`")
}
