//! Input that was pushed and not yet used.
//!
//! For: the decoders' view of their input as one slice. Not for: decoded bytes. The decision to
//! know: what is used up is only moved out when the next chunk comes, so that cutting the input into
//! single bytes does not make the work quadratic.

use super::Progress;

/// Pushed bytes, how many of them are used, and where in the input they stand.
#[derive(Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    used: usize,
    /// Offset of the first unused byte in the whole input.
    pub(super) offset: u64,
    /// No more will come.
    pub(super) ended: bool,
}

impl Pending {
    pub(super) fn push(&mut self, chunk: Vec<u8>) {
        if self.used == self.bytes.len() {
            self.bytes = chunk;
            self.used = 0;
            return;
        }
        if self.used > self.bytes.len() / 2 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        self.bytes.extend_from_slice(&chunk);
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    pub(super) fn take(&mut self, count: usize) {
        self.used += count;
        self.offset += count as u64;
    }

    /// What to answer when there is nothing left to read; none while there is.
    pub(super) fn starved(&self) -> Option<Progress> {
        match (self.rest().is_empty(), self.ended) {
            (false, _) => None,
            (true, true) => Some(Progress::Finished),
            (true, false) => Some(Progress::NeedInput),
        }
    }
}
