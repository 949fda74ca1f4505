//! The trace: which record each row of a part file came from.
//!
//! For people who look at a preview; off unless asked for. Not part of any output: the bytes of part files are the
//! same with it. The decision to know: one small number a row, the difference to the row before, so that a
//! trace costs a byte a row.

use super::parts::Rows;

/// The trace of one part file.
#[derive(Debug, Default)]
pub struct Trace {
    pending: Vec<u8>,
    last: u64,
}

impl Trace {
    /// Adds the rows of a batch: `counts` are the rows of each record (empty: one each), `numbers` the record
    /// numbers of the batch.
    pub fn add(&mut self, rows: &Rows<'_>, counts: &[u32], numbers: &[u64]) {
        match rows {
            Rows::All if counts.is_empty() => numbers.iter().for_each(|&number| self.push(number)),
            Rows::All => {
                for (&number, &count) in numbers.iter().zip(counts) {
                    (0..count).for_each(|_| self.push(number));
                }
            }
            Rows::Some(rows, of_record) => {
                for &row in *rows {
                    self.push(numbers[of_record[row as usize] as usize]);
                }
            }
        }
    }

    /// What was not taken before.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pending)
    }

    /// Rows of a part file are in the order of their records: a difference is never negative.
    fn push(&mut self, number: u64) {
        let mut rest = number - self.last;
        self.last = number;
        while rest >= 0x80 {
            self.pending.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.pending.push(rest as u8);
    }
}
