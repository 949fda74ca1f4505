//! bzip2 streams, one after the other.

use bzip2::{Decompress, Status};

use super::{PIECE, Pending, Progress};
use crate::error::{Code, Failure};

/// What every stream begins with; behind it a digit that is not 0, and one of the next.
const MAGIC: &[u8] = b"BZh";

/// A block, and the end of a stream that has none: digits of pi and of its root.
const BLOCKS: [&[u8]; 2] = [b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"];

/// Whether an input begins as a stream does; none while it may.
pub(super) fn begins(head: &[u8]) -> Option<bool> {
    let Some(rest) = head.strip_prefix(MAGIC) else { return maybe(MAGIC.starts_with(head)) };
    match rest.split_first() {
        None => None,
        Some((b'1'..=b'9', block)) if BLOCKS.iter().any(|sign| block.starts_with(sign)) => Some(true),
        Some((b'1'..=b'9', block)) => maybe(BLOCKS.iter().any(|sign| sign.starts_with(block))),
        Some(_) => Some(false),
    }
}

fn maybe(may_be: bool) -> Option<bool> {
    if may_be { None } else { Some(false) }
}

/// Decoder state.
pub(super) struct Bzip2 {
    /// None between streams.
    stream: Option<Decompress>,
    piece: Vec<u8>,
}

impl Default for Bzip2 {
    fn default() -> Self {
        Self { stream: None, piece: vec![0; PIECE] }
    }
}

impl Bzip2 {
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
            let Some(stream) = &mut self.stream else {
                if let Some(progress) = input.starved() {
                    return Ok(progress);
                }
                let head = &input.rest()[..input.rest().len().min(MAGIC.len())];
                if !MAGIC.starts_with(head) {
                    return Err(corrupt(input, "there is something else where a stream must begin"));
                }
                self.stream = Some(Decompress::new(false));
                continue;
            };
            let room = PIECE.min(end - out.len());
            let (read_before, made_before) = (stream.total_in(), stream.total_out());
            let result = stream.decompress(input.rest(), &mut self.piece[..room]);
            let read = (stream.total_in() - read_before) as usize;
            let made = (stream.total_out() - made_before) as usize;
            out.extend_from_slice(&self.piece[..made]);
            let had_input = !input.rest().is_empty();
            input.take(read);
            match result {
                Ok(Status::StreamEnd) => self.stream = None,
                Ok(_) if read + made > 0 => {}
                Ok(_) if !had_input && input.ended => return Err(truncated(input)),
                Ok(_) if !had_input => return Ok(Progress::NeedInput),
                Ok(_) | Err(_) => return Err(corrupt(input, "its compressed data is broken")),
            }
        }
    }
}

fn truncated(input: &Pending) -> Failure {
    let message = format!("the bzip2 input ends within a stream, after byte {}", input.offset);
    Failure::input(Code::Bzip2Truncated, message)
        .hint("the upload or the writer stopped early: send the whole file again")
}

fn corrupt(input: &Pending, what: &str) -> Failure {
    let message = format!("the bzip2 input is broken: {what} (byte {})", input.offset);
    Failure::input(Code::Bzip2Corrupt, message).hint("check the file with `bzip2 -t`")
}
