//! Bytes of a part file on their way out.
//!
//! The decision to know: they lie in pieces from the beginning. One buffer for a column chunk of ten MiB would be copied
//! while it grows, held twice meanwhile, and copied again to be handed out in pieces.

use crate::limits::SEND_BYTES;

/// Bytes that were written and not taken yet.
#[derive(Default)]
pub(super) struct Out {
    /// Bytes of the file before `last`, taken or not.
    before: u64,
    full: Vec<Vec<u8>>,
    /// What is being written: never in two pieces.
    pub(super) last: Vec<u8>,
}

impl Out {
    /// Bytes of the file so far, taken or not.
    pub(super) fn bytes(&self) -> u64 {
        self.before + self.last.len() as u64
    }

    /// Bytes that wait to be taken.
    pub(super) fn pending(&self) -> usize {
        self.full.iter().map(Vec::len).sum::<usize>() + self.last.len()
    }

    /// What follows may lie in another piece.
    pub(super) fn end_piece(&mut self) {
        if self.last.len() >= SEND_BYTES {
            let next = Vec::with_capacity(self.last.len());
            self.end(next);
        }
    }

    fn end(&mut self, next: Vec<u8>) {
        self.before += self.last.len() as u64;
        self.full.push(std::mem::replace(&mut self.last, next));
    }

    /// Takes all pieces, in their order; none is empty.
    pub(super) fn take(&mut self) -> Vec<Vec<u8>> {
        if self.last.is_empty() {
            self.last = Vec::new();
        } else {
            self.end(Vec::new());
        }
        std::mem::take(&mut self.full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_bytes_and_offsets_go_on() {
        let mut out = Out::default();
        let (mut written, mut taken) = (Vec::new(), Vec::new());
        for number in 0..40_u8 {
            out.last.extend(vec![number; SEND_BYTES / 4 + usize::from(number)]);
            written.extend(vec![number; SEND_BYTES / 4 + usize::from(number)]);
            out.end_piece();
            assert_eq!(out.bytes(), written.len() as u64);
            assert_eq!(out.pending() + taken.len(), written.len());
            if number % 7 == 0 {
                let pieces = out.take();
                assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() < 2 * SEND_BYTES));
                taken.extend(pieces.concat());
            }
        }
        taken.extend(out.take().concat());
        assert!(taken == written && out.take().is_empty() && out.pending() == 0);
    }
}
