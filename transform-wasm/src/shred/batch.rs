//! A batch: the rows of some records, as columns of each table.

use crate::column::Column;

use super::plan::Plan;

/// Bytes of a row without any value: its record, its partition, why it was dropped or rejected.
const ROW_BYTES: usize = 32;

/// What a slot of a column stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// One slot a record; its rows repeat it.
    Record,
    /// One slot a row.
    Row,
}

/// A value that did not fit its column and is kept beside the row.
#[derive(Clone, Debug)]
pub struct Rescued {
    /// Whether all rows of the record have it, or one.
    pub level: Level,
    /// Number of the record, or of the row, in the batch.
    pub at: u32,
    /// Why it did not fit.
    pub code: &'static str,
    /// Its JSON pointer and text, as a member of an object.
    pub member: Box<[u8]>,
}

/// One table's share of a batch.
#[derive(Clone, Debug)]
pub struct TableBatch {
    /// Columns in the contract's order, derived ones left out.
    pub columns: Vec<Column>,
    /// Level of each column. In a table without exploded array a record is a row: all are `Row`.
    pub levels: Vec<Level>,
    /// Rows of each record; empty in a table without exploded array (one each).
    pub counts: Vec<u32>,
    /// Rows in all.
    pub rows: u32,
    /// Elements of the record that is being read.
    pub elements: u32,
    /// Records without a row because of `empty = "drop"`.
    pub dropped: u64,
    /// Bytes of a row, its texts left out.
    pub row_bytes: usize,
    /// Values that are kept beside their rows.
    pub rescued: Vec<Rescued>,
    /// So many of them before the record at hand.
    pub rescued_before: usize,
}

/// The rows of some records.
#[derive(Clone, Debug)]
pub struct Batch {
    /// One a table.
    pub tables: Vec<TableBatch>,
    /// Records taken.
    pub records: u32,
    /// Bytes of texts that stand on several rows or in several columns, beyond those of the input.
    pub spread: usize,
}

impl Batch {
    /// An empty batch for a plan's tables.
    pub fn new(plan: &Plan) -> Self {
        let tables = plan
            .tables
            .iter()
            .map(|table| TableBatch {
                columns: table.columns.iter().map(|ty| Column::new(*ty)).collect(),
                levels: table.levels.clone(),
                counts: Vec::new(),
                rows: 0,
                elements: 0,
                dropped: 0,
                rescued: Vec::new(),
                rescued_before: 0,
                row_bytes: ROW_BYTES + table.columns.iter().map(|ty| 1 + ty.width()).sum::<usize>(),
            })
            .collect();
        Self { tables, records: 0, spread: 0 }
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        for table in &mut self.tables {
            table.columns.iter_mut().for_each(Column::clear);
            table.counts.clear();
            table.rescued.clear();
            table.rescued_before = 0;
            table.rows = 0;
            table.elements = 0;
            table.dropped = 0;
        }
        self.records = 0;
        self.spread = 0;
    }

    /// Bytes of all rows, texts counted only where they are not as in the input.
    pub fn rows_bytes(&self) -> usize {
        self.tables.iter().map(|table| table.rows as usize * table.row_bytes).sum::<usize>() + self.spread
    }

    /// Records, of a row each, that a batch still takes before it has `most` bytes; at least one.
    pub fn room(&self, most: usize) -> usize {
        let record: usize = self.tables.iter().map(|table| table.row_bytes).sum();
        (most.saturating_sub(self.rows_bytes()) / record.max(1)).max(1)
    }

    /// Most rows of any table.
    pub fn rows(&self) -> usize {
        self.tables.iter().map(|t| t.rows as usize).max().unwrap_or(0)
    }
}

impl TableBatch {
    /// Bytes that the values of the record at hand, number `record` of the batch, have on all its rows.
    pub fn repeated(&self, record: usize) -> usize {
        if self.elements < 2 {
            return 0;
        }
        let parents = self.columns.iter().zip(&self.levels).filter(|(_, level)| **level == Level::Record);
        let texts: usize = parents.map(|(column, _)| column.text_bytes(record)).sum();
        texts.saturating_mul(self.elements as usize - 1)
    }

    /// Puts a null into every row-level column that the row now complete did not fill.
    #[inline]
    pub fn fill_rows(&mut self) {
        let rows = self.rows as usize;
        for (column, level) in self.columns.iter_mut().zip(&self.levels) {
            if *level == Level::Row && column.len() < rows {
                column.push_null();
            }
        }
    }

    /// Puts a null into every column that the record now complete did not fill.
    #[inline]
    pub fn fill_records(&mut self, records: usize) {
        let rows = self.rows as usize;
        for (column, level) in self.columns.iter_mut().zip(&self.levels) {
            let wanted = if *level == Level::Record { records } else { rows };
            if column.len() < wanted {
                column.push_null();
            }
        }
    }

    /// The record each row comes from.
    pub fn row_records(&self, records: u32) -> Vec<u32> {
        if self.counts.is_empty() {
            return (0..records).collect();
        }
        let mut out = Vec::with_capacity(self.rows as usize);
        for (record, &count) in self.counts.iter().enumerate() {
            out.extend(std::iter::repeat_n(record as u32, count as usize));
        }
        out
    }
}
