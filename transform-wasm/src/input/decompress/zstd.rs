//! zstd frames, block by block.
//!
//! For: RFC 8878 frames one after the other, skippable ones between them. Not for: dictionaries.
//! The decision to know: blocks are at most 128 KiB, so a block is only decoded once all of it is
//! there; that turns the pull decoder of `ruzstd` into a push decoder with bounded buffers.

use std::io::Read;

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{PIECE, Pending, Progress};
use crate::error::{Code, Failure};

/// Largest window taken. It is held in memory: this is four times what RFC 8878 (3.1.1.1.2) asks of
/// every decoder, and covers every level of the `zstd` command up to 20 and `--long=25`.
pub const WINDOW_LIMIT: u64 = 32 << 20;

/// Block_Maximum_Size (RFC 8878, 3.1.1.2.4).
const BLOCK_LIMIT: usize = 128 << 10;

const MAGIC: u32 = 0xfd2f_b528;

/// Decoder state: where in a frame we are.
pub(super) struct Zstd {
    stage: Stage,
    decoder: FrameDecoder,
    frame: Header,
    /// Bytes read out of the current frame.
    made: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    FrameStart,
    Skip(u64),
    Block,
    /// The last block is decoded; what the window holds is still to be read.
    Drain,
}

/// What has to be known of a frame's header before it is all there.
#[derive(Clone, Copy, Default)]
struct Header {
    length: usize,
    has_checksum: bool,
    has_content_size: bool,
}

impl Default for Zstd {
    fn default() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_LIMIT);
        Self { stage: Stage::FrameStart, decoder, frame: Header::default(), made: 0 }
    }
}

impl Zstd {
    /// See [`super::Decompressor::read`].
    pub(super) fn read(
        &mut self,
        input: &mut Pending,
        out: &mut Vec<u8>,
        max: usize,
    ) -> Result<Progress, Failure> {
        let end = out.len() + max;
        // Blocks first fill the window and give nothing out: that is work, too, and bounded.
        let mut work = 0;
        loop {
            self.drain(input, out, end)?;
            if out.len() >= end || work >= max {
                return Ok(Progress::Output);
            }
            let went_on = match self.stage {
                Stage::FrameStart => {
                    if let Some(progress) = input.starved() {
                        return Ok(progress);
                    }
                    self.frame_start(input)?
                }
                Stage::Skip(left) => {
                    let count =
                        usize::try_from(left).map_or(input.rest().len(), |left| left.min(input.rest().len()));
                    input.take(count);
                    let left = left - count as u64;
                    self.stage = if left == 0 { Stage::FrameStart } else { Stage::Skip(left) };
                    left == 0
                }
                Stage::Block => {
                    work += BLOCK_LIMIT;
                    self.block(input)?
                }
                Stage::Drain => self.frame_end(input)?,
            };
            if !went_on && input.ended {
                return Err(truncated(input));
            }
            if !went_on {
                return Ok(Progress::NeedInput);
            }
        }
    }

    fn frame_start(&mut self, input: &mut Pending) -> Result<bool, Failure> {
        let rest = input.rest();
        if is_skippable(rest) {
            let Some(length) = rest.get(4..).and_then(<[u8]>::first_chunk::<4>) else { return Ok(false) };
            self.stage = Stage::Skip(u64::from(u32::from_le_bytes(*length)));
            input.take(8);
            return Ok(true);
        }
        let known = rest.len().min(4);
        if !may_be_skippable(rest) && rest[..known] != MAGIC.to_le_bytes()[..known] {
            return Err(corrupt(input, "a frame does not begin as zstd's do"));
        }
        let Some(header) = rest.get(4).map(|descriptor| Header::of(*descriptor)) else { return Ok(false) };
        let Some(mut bytes) = rest.get(..header.length) else { return Ok(false) };
        self.decoder.reset(&mut bytes).map_err(|error| frame_failure(input, &error))?;
        self.frame = header;
        self.made = 0;
        self.stage = Stage::Block;
        input.take(header.length);
        Ok(true)
    }

    /// Decodes one block if all of it is there, with the checksum after the last one.
    fn block(&mut self, input: &mut Pending) -> Result<bool, Failure> {
        let rest = input.rest();
        let Some(&[b0, b1, b2]) = rest.first_chunk::<3>() else { return Ok(false) };
        let header = u32::from_le_bytes([b0, b1, b2, 0]);
        let (is_last, block_type, size) = (header & 1 == 1, header >> 1 & 3, (header >> 3) as usize);
        // Type 1 repeats one byte `size` times.
        let content = if block_type == 1 { 1 } else { size };
        let length = 3 + content + if is_last && self.frame.has_checksum { 4 } else { 0 };
        if block_type == 3 || size > BLOCK_LIMIT {
            return Err(corrupt(input, "a block's header is invalid"));
        }
        let Some(mut bytes) = rest.get(..length) else { return Ok(false) };
        self.decoder
            .decode_blocks(&mut bytes, BlockDecodingStrategy::UptoBlocks(1))
            .map_err(|error| frame_failure(input, &error))?;
        input.take(length);
        if is_last {
            self.stage = Stage::Drain;
        }
        Ok(true)
    }

    /// Moves what the window no longer needs to `out`.
    fn drain(&mut self, input: &Pending, out: &mut Vec<u8>, end: usize) -> Result<(), Failure> {
        while out.len() < end {
            let count = self.decoder.can_collect().min(end - out.len()).min(PIECE);
            if count == 0 {
                break;
            }
            let start = out.len();
            out.resize(start + count, 0);
            let made =
                self.decoder.read(&mut out[start..]).map_err(|_| corrupt(input, "a frame cannot be read"))?;
            out.truncate(start + made);
            self.made += made as u64;
        }
        Ok(())
    }

    fn frame_end(&mut self, input: &Pending) -> Result<bool, Failure> {
        if self
            .decoder
            .get_checksum_from_data()
            .is_some_and(|stored| Some(stored) != self.decoder.get_calculated_checksum())
        {
            return Err(corrupt(input, "the checksum of a frame is wrong"));
        }
        if self.frame.has_content_size && self.decoder.content_size() != self.made {
            return Err(corrupt(input, "the length that a frame states is wrong"));
        }
        self.stage = Stage::FrameStart;
        Ok(true)
    }
}

impl Header {
    /// From the frame header descriptor (RFC 8878, 3.1.1.1.1).
    fn of(descriptor: u8) -> Self {
        let single_segment = descriptor >> 5 & 1 == 1;
        let content_size = match descriptor >> 6 {
            0 => usize::from(single_segment),
            flag => 1 << flag,
        };
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        Self {
            length: 5 + usize::from(!single_segment) + dictionary + content_size,
            has_checksum: descriptor >> 2 & 1 == 1,
            has_content_size: content_size > 0,
        }
    }
}

/// Whether a skippable frame begins here (RFC 8878, 3.1.2).
pub(super) fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Whether these first bytes are too few to tell.
pub(super) fn may_be_skippable(head: &[u8]) -> bool {
    matches!(head, [] | [0x50..=0x5f] | [0x50..=0x5f, 0x2a] | [0x50..=0x5f, 0x2a, 0x4d])
}

fn frame_failure(input: &Pending, error: &FrameDecoderError) -> Failure {
    match error {
        FrameDecoderError::WindowSizeTooBig { requested, max } => {
            let message = format!("the zstd input needs a window of {requested} bytes, the limit is {max}");
            Failure::limit(Code::ZstdWindow, message)
                .hint("compress it with `zstd -19` or lower and without `--long`")
        }
        FrameDecoderError::DictNotProvided { .. } => {
            Failure::input(Code::ZstdDictionary, "the zstd input needs a dictionary, which cannot be given")
                .hint("compress it without a dictionary")
        }
        _ => corrupt(input, "its compressed data is invalid"),
    }
}

fn truncated(input: &Pending) -> Failure {
    let end = input.offset + input.rest().len() as u64;
    let message = format!("the zstd input ends within a frame, after byte {end} of the compressed input");
    Failure::input(Code::ZstdTruncated, message)
        .hint("the upload or the writer stopped early: send the whole file again")
}

fn corrupt(input: &Pending, what: &str) -> Failure {
    let message = format!("the zstd input is broken: {what} (byte {} of the compressed input)", input.offset);
    Failure::input(Code::ZstdCorrupt, message).hint("check the file with `zstd -t`")
}
