//! Shredding: one walk over a record's bytes puts every value straight into its typed column.
//!
//! The flow of a record: [`Shredder::begin`] → `walk` (JSON) or `fields` (CSV) → [`Shredder::commit`],
//! or [`Shredder::rollback`] when it is rejected. The decision to know: there is no value tree
//! between the bytes and the columns; a rejected record is taken back by cutting the columns.

mod absent;
pub mod batch;
mod block;
mod clean;
mod convert;
mod fields;
mod forms;
mod learner;
mod losses;
mod mask;
mod plan;
mod rescue;
mod rest;
mod scope;
mod sure;
mod unknown;
mod walk;

pub use batch::{Batch, Level, TableBatch};
pub use block::FieldRules;
pub use learner::Learner;
pub use plan::{Plan, Usual, below};
pub use scope::Scope;
pub use unknown::UnknownPaths;

use std::collections::BTreeMap;

use crate::json::{Lost, Reject, Skipper, Stop};
use crate::keys::Keys;
use crate::limits::RECORD_ROWS_BYTES;
use crate::report::Warning;
use crate::spec::Empty;

use losses::Losses;

/// Puts records into a batch.
#[derive(Debug)]
pub struct Shredder {
    /// What goes where.
    pub plan: Plan,
    /// The rows since the last [`Batch::clear`].
    pub batch: Batch,
    /// True when nothing may widen any more.
    pub final_pass: bool,
    /// Values of the records taken that `mode = "discard"` dropped.
    pub discarded: u64,
    /// Paths that no contract has and that records were rejected for.
    pub unknown: UnknownPaths,
    /// What columns did not keep of their values.
    losses: Losses,
    /// What the record at hand adds to [`Batch::spread`].
    spread: usize,
    /// Bytes of its rows so far, in all tables, their texts left out.
    rows_bytes: usize,
    /// What it adds to `discarded`.
    dropped: u64,
    stamp: u32,
    element: Option<usize>,
    /// A path that nothing was learned of, since what learned refused the record: why it did comes first.
    unlearned: Option<Reject>,
    depth: usize,
    skipper: Skipper,
    scratch: Vec<u8>,
    /// A number that was cleaned.
    cleaned: Vec<u8>,
    lost: Lost,
    /// Members of objects that no column but the one for the rest takes, by node.
    rest: BTreeMap<u32, Vec<u8>>,
    /// Those of [`crate::json::NOWHERE`]: none.
    no_keys: Keys,
}

impl Shredder {
    /// Shreds by `plan`; records nest at most `depth` levels.
    pub fn new(plan: Plan, depth: usize, final_pass: bool) -> Self {
        let batch = Batch::new(&plan);
        let losses = Losses::new(&plan.tables);
        Self {
            plan,
            batch,
            final_pass,
            discarded: 0,
            unknown: UnknownPaths::default(),
            losses,
            spread: 0,
            rows_bytes: 0,
            dropped: 0,
            stamp: 0,
            element: None,
            unlearned: None,
            depth,
            skipper: Skipper::default(),
            scratch: Vec::new(),
            cleaned: Vec::new(),
            lost: Lost::default(),
            rest: BTreeMap::new(),
            no_keys: Keys::default(),
        }
    }

    /// Begins a record.
    pub fn begin(&mut self) {
        for table in &mut self.batch.tables {
            table.elements = 0;
            table.rescued_before = table.rescued.len();
        }
        self.spread = 0;
        self.rows_bytes = 0;
        self.dropped = 0;
        self.element = None;
        self.unlearned = None;
        self.lost.clear();
        if !self.rest.is_empty() {
            self.rest.clear();
        }
        self.losses.forget();
    }

    /// The record is whole: fills what it did not have and counts its rows.
    pub fn commit(&mut self) {
        let records = self.batch.records as usize + 1;
        for (t, table) in self.batch.tables.iter_mut().enumerate() {
            let plan = &self.plan.tables[t];
            if plan.rows.is_some() {
                // Taken, so that a rollback between two records takes nothing back.
                let mut rows = std::mem::take(&mut table.elements);
                if rows == 0 && plan.empty == Empty::Keep {
                    rows = 1;
                    table.rows += 1;
                    table.fill_rows();
                } else if rows == 0 {
                    table.dropped += 1;
                }
                table.counts.push(rows);
            } else {
                table.rows += 1;
            }
            table.fill_records(records);
        }
        self.batch.records += 1;
        self.batch.spread += std::mem::take(&mut self.spread);
        self.discarded += std::mem::take(&mut self.dropped);
        self.losses.settle();
    }

    /// What was cut off or not held, a warning a column; `tables` are the names of the tables.
    pub fn losses(&self, tables: &[&str]) -> Vec<Warning> {
        self.losses.warnings(&self.plan.tables, tables)
    }

    /// Weighs the record, which is whole.
    ///
    /// # Errors
    /// Codes `rows_too_large` and, after all that else could be wrong with the record, `unknown_column`.
    pub fn weigh(&mut self, at: usize) -> Result<(), Stop> {
        if let Some(reject) = self.unlearned.take() {
            return Err(reject.into());
        }
        let record = self.batch.records as usize;
        let repeated = self.batch.tables.iter().map(|table| table.repeated(record));
        // Saturating, here and below: counts of a 32-bit guest must not begin anew.
        let repeated = repeated.fold(0, usize::saturating_add);
        self.spread_by(repeated, 0, at)
    }

    /// Counts text of the record that is held another time.
    ///
    /// # Errors
    /// Code `rows_too_large`.
    fn spread_by(&mut self, bytes: usize, node: u32, at: usize) -> Result<(), Stop> {
        self.spread = self.spread.saturating_add(bytes);
        self.check_rows(node, at)
    }

    fn check_rows(&self, node: u32, at: usize) -> Result<(), Stop> {
        let bytes = self.spread.saturating_add(self.rows_bytes);
        if bytes > RECORD_ROWS_BYTES { Err(self.too_large(node, at)) } else { Ok(()) }
    }

    #[cold]
    fn too_large(&self, node: u32, at: usize) -> Stop {
        let most = RECORD_ROWS_BYTES >> 20;
        self.reject("rows_too_large", format!("the rows of the record are larger than {most} MiB"), node, at)
    }

    /// Takes the record back.
    pub fn rollback(&mut self) {
        let records = self.batch.records as usize;
        for table in &mut self.batch.tables {
            table.rows -= table.elements;
            table.elements = 0;
            table.rescued.truncate(table.rescued_before);
            let rows = table.rows as usize;
            for (column, level) in table.columns.iter_mut().zip(&table.levels) {
                column.truncate(if *level == Level::Row { rows } else { records });
            }
        }
    }

    fn reject(&self, code: &'static str, message: impl Into<String>, node: u32, at: usize) -> Stop {
        let path = self.plan.pointer(node, self.element);
        let reject = Reject { code, message: message.into(), path: Some(path), table: None, at: Some(at) };
        reject.into()
    }
}
