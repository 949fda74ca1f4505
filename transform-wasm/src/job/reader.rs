//! Who reads a job's records: under agreed contracts into rows, or without one only to learn.
//!
//! Only a reader that shreds has rows and part files; once a job learns, there is nothing left to write.

use crate::error::Failure;
use crate::json::{Cursor, Reject, Stop};
use crate::limits::{BATCH_RECORDS, BATCH_ROWS, BATCH_ROWS_BYTES};
use crate::report::{Report, Warning};
use crate::shred::{Learner, Shredder};

use super::parts::Parts;
use super::rescue;
use super::rows::Rows;

/// Takes records, one after the other.
pub enum Reader {
    /// The contracts are known.
    Shred(Box<Shredding>),
    /// They are not, or a path is new.
    Learn(Box<Learner>),
}

/// From records to part files.
pub struct Shredding {
    /// Records into columns.
    pub shredder: Shredder,
    /// Rows through the spec's expressions.
    pub rows: Rows,
    /// Rows into part files.
    pub parts: Parts,
}

impl Reader {
    /// Begins a record.
    pub fn begin(&mut self) {
        if let Self::Shred(shredding) = self {
            shredding.shredder.begin();
        }
    }

    /// Reads the record at a position; where it ends.
    ///
    /// # Errors
    /// Why it cannot be taken.
    pub fn walk(&mut self, cursor: &Cursor<'_>, at: usize) -> Result<usize, Stop> {
        match self {
            Self::Shred(shredding) => shredding.shredder.walk(cursor, at),
            Self::Learn(learner) => learner.walk(cursor, at),
        }
    }

    /// Takes the record.
    pub fn commit(&mut self) {
        match self {
            Self::Shred(shredding) => shredding.shredder.commit(),
            Self::Learn(learner) => learner.commit(),
        }
    }

    /// Takes it back.
    pub fn rollback(&mut self) {
        match self {
            Self::Shred(shredding) => shredding.shredder.rollback(),
            Self::Learn(learner) => learner.rollback(),
        }
    }
}

impl Reader {
    /// Weighs the record, which is whole.
    ///
    /// # Errors
    /// Its rows are too large together; it has a path that no contract has.
    pub fn weigh(&mut self, at: usize) -> Result<(), Stop> {
        match self {
            Self::Shred(shredding) => shredding.shredder.weigh(at),
            Self::Learn(_) => Ok(()),
        }
    }

    /// Whether the batch's rows are enough.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Shred(shredding) => {
                let batch = &shredding.shredder.batch;
                batch.rows() >= BATCH_ROWS || batch.rows_bytes() >= BATCH_ROWS_BYTES
            }
            Self::Learn(_) => false,
        }
    }

    /// Records of a row each that the batch still takes.
    pub fn room(&self) -> usize {
        match self {
            Self::Shred(shredding) => shredding.shredder.batch.room(BATCH_ROWS_BYTES),
            Self::Learn(_) => BATCH_RECORDS,
        }
    }
}

impl Shredding {
    /// Moves the batch's rows into part files; the records that the spec's checks reject, by their number in
    /// the batch. `numbers` are those of all its records.
    ///
    /// # Errors
    /// A check with `on_fail = "fail"`; a limit.
    pub fn pass_on(
        &mut self,
        numbers: impl Iterator<Item = u64> + Clone,
        report: &mut Report,
    ) -> Result<Vec<(u32, Reject)>, Failure> {
        let asked = if self.rows.uses_records() { numbers.clone().collect() } else { Vec::new() };
        self.parts.trace_batch(numbers);
        let rejected = self.rows.take(&mut self.shredder.batch, &asked, &mut self.parts, report)?;
        self.shredder.batch.clear();
        self.parts.keep_budget()?;
        Ok(rejected)
    }

    /// A record was rejected.
    pub fn note_rejected(&mut self, reject: &Reject) {
        if let ("unknown_column", Some(path)) = (reject.code, &reject.path) {
            self.shredder.unknown.add(path);
        }
    }

    /// The ledgers of the tables, once all is written.
    pub fn report(&self, report: &mut Report) {
        self.rows.report(report);
        if self.shredder.discarded > 0 {
            let mut warning =
                Warning::new("discarded", "values of unknown paths were dropped (mode = \"discard\")");
            warning.count = self.shredder.discarded;
            report.warn(warning);
        }
        let tables: Vec<&str> = self.rows.tables.iter().map(|table| table.contract.table.as_str()).collect();
        if report.accepted > 0 {
            report.warn_all(self.shredder.absent(&tables));
        }
        if report.rescued > 0 {
            report.warn(rescue::warning(report));
        }
        let unknown = &self.shredder.unknown;
        if unknown.count > 0 {
            let message =
                format!("the contract has no column for {}: their records were rejected", unknown.list());
            report.warn(Warning { count: unknown.count, ..Warning::new("unknown_paths", message) });
        }
        report.warn_all(self.shredder.losses(&tables));
        for (table, parts) in report.tables.iter_mut().zip(self.parts.counts()) {
            table.parts = parts;
        }
    }
}
