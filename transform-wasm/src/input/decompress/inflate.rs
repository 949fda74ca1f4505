//! Raw inflate (RFC 1951) in pieces, with the checksum of what comes out.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{PIECE, Pending};

/// One stream after the other.
pub(super) struct Inflate {
    crc: Crc,
    inflate: Decompress,
    /// What is inflated comes here first. Room at the end of the output would have to be cleared each time,
    /// 64 KiB for a member or a chunk of a few bytes.
    piece: Vec<u8>,
}

/// What a piece came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inflated {
    /// The stream is over.
    End,
    /// There may be more.
    More,
    /// It takes more input.
    Starved,
    /// It is no such stream.
    Broken,
}

impl Default for Inflate {
    fn default() -> Self {
        Self { crc: Crc::new(), inflate: Decompress::new(false), piece: vec![0; PIECE] }
    }
}

impl Inflate {
    /// Another stream begins.
    pub(super) fn begin(&mut self) {
        self.crc.reset();
        self.inflate.reset(false);
    }

    /// Appends a piece, so that `out` is no longer than `end`.
    pub(super) fn piece(&mut self, input: &mut Pending, out: &mut Vec<u8>, end: usize) -> Inflated {
        let room = PIECE.min(end - out.len());
        let (read_before, made_before) = (self.inflate.total_in(), self.inflate.total_out());
        let result = self.inflate.decompress(input.rest(), &mut self.piece[..room], FlushDecompress::None);
        let read = (self.inflate.total_in() - read_before) as usize;
        let made = (self.inflate.total_out() - made_before) as usize;
        out.extend_from_slice(&self.piece[..made]);
        self.crc.update(&self.piece[..made]);
        let had_input = !input.rest().is_empty();
        input.take(read);
        match result {
            Ok(Status::StreamEnd) => Inflated::End,
            Ok(_) if read + made > 0 => Inflated::More,
            Ok(_) if !had_input => Inflated::Starved,
            Ok(_) | Err(_) => Inflated::Broken,
        }
    }

    /// Takes bytes that were not compressed into account.
    pub(super) fn stored(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
    }

    /// CRC-32 of what came out.
    pub(super) fn sum(&self) -> u32 {
        self.crc.sum()
    }

    /// Length of what came out, modulo 2^32.
    pub(super) fn amount(&self) -> u32 {
        self.crc.amount()
    }
}
