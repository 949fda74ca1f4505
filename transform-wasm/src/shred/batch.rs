//! A batch: the rows of some records, as columns of each table.

use crate::column::Column;

use super::plan::Plan;

/// What a slot of a column stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// One slot a record; its rows repeat it.
    Record,
    /// One slot a row.
    Row,
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
}

/// The rows of some records.
#[derive(Clone, Debug)]
pub struct Batch {
    /// One a table.
    pub tables: Vec<TableBatch>,
    /// Records taken.
    pub records: u32,
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
            })
            .collect();
        Self { tables, records: 0 }
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        for table in &mut self.tables {
            table.columns.iter_mut().for_each(Column::clear);
            table.counts.clear();
            table.rows = 0;
            table.elements = 0;
            table.dropped = 0;
        }
        self.records = 0;
    }

    /// Most rows of any table.
    pub fn rows(&self) -> usize {
        self.tables.iter().map(|t| t.rows as usize).max().unwrap_or(0)
    }
}

impl TableBatch {
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
