//! Rows of a part file that wait for their row group, as columns.

use crate::column::{Column, ColumnType};
use crate::error::Failure;
use crate::limits::ROW_GROUP_BYTES;
use crate::shred::Level;

use super::Rows;

/// Raw bytes of rows that tell how large those to come are.
const ROOM_AT: usize = 1 << 20;

/// Rows that wait.
#[derive(Default)]
pub struct Waiting {
    /// Their values; no column as long as there was no row.
    pub columns: Vec<Column>,
    /// Rows of each record-level slot; unused when no column is record-level.
    pub repeats: Vec<u32>,
    /// Rows in all.
    pub rows: usize,
    /// Bytes of the values, each of a parent counted on every row.
    pub raw_bytes: usize,
    /// Bytes held.
    pub stored_bytes: usize,
    /// Bytes of the texts of parents, each counted on every row.
    repeated_bytes: usize,
    /// There is room for a whole row group.
    has_room: bool,
}

impl Waiting {
    /// No row, of columns of these types.
    pub fn of(types: impl Iterator<Item = ColumnType>) -> Self {
        Self { columns: types.map(Column::new).collect(), ..Self::default() }
    }

    /// Adds rows of a batch; `counts` are the rows of each record, `row_count` those that come.
    ///
    /// # Errors
    /// Those of [`Column::append`].
    pub fn add(
        &mut self,
        kinds: &[(Level, ColumnType)],
        columns: &[&Column],
        counts: &[u32],
        rows: &Rows<'_>,
        row_count: usize,
    ) -> Result<(), Failure> {
        let record_level = kinds.iter().any(|(level, _)| *level == Level::Record);
        let repeats = &mut self.repeats;
        let to = self.columns.iter_mut().zip(columns);
        match rows {
            Rows::All => {
                for ((to, from), (level, _)) in to.zip(kinds) {
                    if *level == Level::Record {
                        self.repeated_bytes += repeated_bytes(from, 0..counts.len(), counts);
                    }
                    to.append(from)?;
                }
                if record_level {
                    repeats.extend_from_slice(counts);
                }
            }
            Rows::Some(rows, of_record) => {
                let (records, counts) = runs(rows, of_record);
                for ((to, from), (level, _)) in to.zip(kinds) {
                    if *level == Level::Record {
                        let slots = records.iter().map(|&record| record as usize);
                        self.repeated_bytes += repeated_bytes(from, slots, &counts);
                    }
                    to.append_slots(from, if *level == Level::Row { rows } else { &records })?;
                }
                if record_level {
                    repeats.extend(counts);
                }
            }
        }
        self.rows += row_count;
        self.measure(kinds);
        Ok(())
    }

    fn measure(&mut self, kinds: &[(Level, ColumnType)]) {
        (self.raw_bytes, self.stored_bytes) = (0, self.repeats.len() * 4);
        for (column, (level, _)) in self.columns.iter().zip(kinds) {
            // A repeated value counts as its stored share times the mean number of rows: near enough for a
            // threshold. Texts are counted beside it, since one can be longer than all others together.
            self.stored_bytes += column.stored_bytes();
            let slots = column.len().max(1);
            let raw = column.raw_bytes();
            let raw = if *level == Level::Record { (raw / slots).saturating_mul(self.rows) } else { raw };
            self.raw_bytes = self.raw_bytes.saturating_add(raw);
        }
        self.raw_bytes = self.raw_bytes.max(self.repeated_bytes);
    }

    /// Takes memory for a whole row group of such rows at once, as soon as these tell how large they are: columns that
    /// grow by doubling touch three times what they hold, and every page of it is cleared before.
    pub fn make_room(&mut self) {
        if self.has_room || self.raw_bytes < ROOM_AT {
            return;
        }
        self.has_room = true;
        // An eighth more: rows differ, and the last batch goes beyond.
        let eighths = ROW_GROUP_BYTES.saturating_mul(9) / self.raw_bytes;
        let room = |now: usize| now.saturating_mul(eighths) / 8;
        self.columns.iter_mut().for_each(|column| column.reserve_for(room));
        self.repeats.reserve_exact(room(self.repeats.len()).saturating_sub(self.repeats.len()));
    }

    /// Forgets the rows and keeps their memory.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
        self.repeats.clear();
        (self.rows, self.raw_bytes, self.stored_bytes, self.repeated_bytes) = (0, 0, 0, 0);
    }
}

/// Bytes of the texts in these slots, each as often as `counts` says.
fn repeated_bytes(column: &Column, slots: impl Iterator<Item = usize>, counts: &[u32]) -> usize {
    if !column.ty().is_text() {
        return 0;
    }
    slots.zip(counts).map(|(slot, &count)| column.text_bytes(slot) * count as usize).sum()
}

/// The records of ascending rows, each once, and how many of the rows each has.
fn runs(rows: &[u32], of_record: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let (mut records, mut repeats) = (Vec::new(), Vec::new());
    for &row in rows {
        let record = of_record[row as usize];
        match (records.last(), repeats.last_mut()) {
            (Some(&last), Some(count)) if last == record => *count += 1,
            _ => {
                records.push(record);
                repeats.push(1);
            }
        }
    }
    (records, repeats)
}
