//! Inputs out of other inputs, by a seed: the same seed makes the same ones.
//!
//! Not a good fuzzer: it sees no coverage. It is for a few seconds in every run of the tests, on a stable compiler.

use crate::simulated::Chance;

/// What is changed, and where.
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) Chance);

/// Bytes at which something often changes.
const BYTES: [u8; 12] = [0, 1, 9, 10, 13, 32, b'"', b'0', 0x7f, 0x80, 0xc3, 0xff];

impl Random {
    /// A number below `end`, which is not zero.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.number() % end.max(1) as u64).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.0.number().to_le_bytes()[0]
    }

    /// One of the pool, changed in one to eight places.
    pub(super) fn mutant(&mut self, pool: &[Vec<u8>], words: &[&str], most: usize) -> Vec<u8> {
        let mut data = pool[self.below(pool.len())].clone();
        // Small changes are the more frequent ones: 1, 2, 4 or 8.
        for _ in 0..1 << self.below(4) {
            self.change(&mut data, pool, words);
        }
        data.truncate(most);
        data
    }

    fn change(&mut self, data: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str]) {
        let at = self.below(data.len() + 1);
        let inside = at.min(data.len().saturating_sub(1));
        match self.below(10) {
            0 if !data.is_empty() => data[inside] ^= 1 << self.below(8),
            1 if !data.is_empty() => data[inside] = BYTES[self.below(BYTES.len())],
            2 => data.insert(at, self.byte()),
            3 => {
                let end = (at + 1 + self.below(8)).min(data.len());
                data.drain(at..end);
            }
            4 => {
                // A piece of itself once more, often several times: lists grow by it.
                let end = (at + 1 + self.below(64)).min(data.len());
                let piece = data[at..end].repeat(1 + self.below(3));
                data.splice(at..at, piece);
            }
            5 => {
                let other = &pool[self.below(pool.len())];
                let from = self.below(other.len() + 1);
                let to = (from + self.below(other.len() - from + 1)).min(other.len());
                let end = (at + self.below(32)).min(data.len());
                data.splice(at..end, other[from..to].iter().copied());
            }
            6 => {
                let digits = [b'0', b'1', b'9'][self.below(3)];
                let count = 1 << self.below(6);
                data.splice(at..at, std::iter::repeat_n(digits, count));
            }
            7 => {
                let run: Vec<u8> = (0..1 << self.below(7)).map(|_| self.byte()).collect();
                let end = (at + run.len()).min(data.len());
                data.splice(at..end, run);
            }
            _ if !words.is_empty() => {
                let word = words[self.below(words.len())];
                let end = (at + self.below(3) * self.below(word.len() + 1)).min(data.len());
                data.splice(at..end, word.bytes());
            }
            _ => data.push(self.byte()),
        }
    }
}
