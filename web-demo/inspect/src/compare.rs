//! Two sides of one table, column by column or row by row.
//!
//! Not for schema, counts or names of files (the page has them from the footers). Decisions to know:
//!
//! * What is compared was read from the part files, a batch of one column at a time: memory does not grow with them.
//! * Where a column's chunk is the same bytes on both sides, its values are not even decoded.
//! * Values of two types are compared as `lakegate diff` does it: as text.

use std::hash::{DefaultHasher, Hasher};

use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, FileReader};
use parquet::file::serialized_reader::SerializedFileReader;
use serde::Serialize;

use crate::values::{Cells, Column, Kept};

/// Rows that are read at once.
const BATCH: usize = 2048;
/// Bytes of two chunks that are compared at once.
const BLOCK: u64 = 1 << 20;
/// Differences that are shown.
const EXAMPLES: usize = 3;
/// Characters of a value that is shown as an example.
const SHOWN: usize = 120;

/// The part files of a table on one side, in the order in which their rows are counted.
pub struct Side<R: ChunkReader> {
    parts: Vec<Part<R>>,
}

struct Part<R: ChunkReader> {
    bytes: R,
    file: SerializedFileReader<R>,
    /// Columns that stand in the path.
    path: Vec<(String, Option<String>)>,
}

/// What became of a column's values, row by row.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct ColumnDiff {
    /// Rows whose values differ.
    pub changed: u64,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// A row whose values differ.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Counted from 0.
    pub row: u64,
    /// What the first side has.
    pub a: Option<String>,
    /// What the second side has.
    pub b: Option<String>,
}

impl<R: ChunkReader + Clone + 'static> Side<R> {
    /// A side without rows.
    pub fn new() -> Self {
        Self { parts: Vec::new() }
    }

    /// Adds a part file.
    ///
    /// # Errors
    /// It is no Parquet.
    pub fn add(&mut self, bytes: R, path: Vec<(String, Option<String>)>) -> Result<()> {
        let file = SerializedFileReader::new(bytes.clone())?;
        self.parts.push(Part { bytes, file, path });
        Ok(())
    }

    /// Row groups of all part files, by part and group.
    pub fn groups(&self) -> Vec<(usize, usize)> {
        let of =
            |(part, one): (usize, &Part<R>)| (0..one.file.num_row_groups()).map(move |group| (part, group));
        self.parts.iter().enumerate().flat_map(of).collect()
    }

    /// How the column is kept; none where there are no rows of it.
    fn kept(&self, name: &str) -> Kept {
        let Some(part) = self.parts.first() else { return Kept::Path };
        part.index(name).map_or(Kept::Path, |index| Kept::of(&part.file, index))
    }

    fn column(&self, name: &str, (part, group): (usize, usize), as_text: bool) -> Result<Column> {
        let part = &self.parts[part];
        let Some(index) = part.index(name) else {
            let value = part.path.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.clone());
            return Ok(Column::Path { value, left: part.rows(group) });
        };
        Column::open(&part.file, group, index, as_text)
    }
}

impl<R: ChunkReader + 'static> Part<R> {
    fn index(&self, name: &str) -> Option<usize> {
        let schema = self.file.metadata().file_metadata().schema_descr();
        schema.columns().iter().position(|column| column.name() == name)
    }

    fn rows(&self, group: usize) -> usize {
        usize::try_from(self.file.metadata().row_group(group).num_rows()).unwrap_or(0)
    }
}

/// Compares a column that both sides have, row by row.
///
/// # Errors
/// A page cannot be read.
pub fn column<R: ChunkReader + Clone + 'static>(a: &Side<R>, b: &Side<R>, name: &str) -> Result<ColumnDiff> {
    let (kept_a, kept_b) = (a.kept(name), b.kept(name));
    let as_text = kept_a != kept_b;
    let mut diff = ColumnDiff::default();
    let (mut left, mut right) = (Cursor::new(a, name, as_text), Cursor::new(b, name, as_text));
    let mut row = 0;
    loop {
        row += skip_same(&mut left, &mut right)?;
        let rows = left.fill()?.min(right.fill()?);
        if rows == 0 {
            return Ok(diff);
        }
        for index in 0..rows {
            let (x, y) = (left.cells.get(left.at + index), right.cells.get(right.at + index));
            if x == y {
                continue;
            }
            diff.changed += 1;
            if diff.examples.len() < EXAMPLES {
                let text =
                    |kept: &Kept, cell: Option<&[u8]>| cell.map(|cell| short(kept.text(cell, as_text)));
                let (a, b) = (text(&kept_a, x), text(&kept_b, y));
                diff.examples.push(Example { row: row + index as u64, a, b });
            }
        }
        left.at += rows;
        right.at += rows;
        row += rows as u64;
    }
}

/// Steps over row groups that hold the same bytes of the column; how many rows that were.
fn skip_same<R: ChunkReader + Clone + 'static>(
    left: &mut Cursor<'_, R>,
    right: &mut Cursor<'_, R>,
) -> Result<u64> {
    let mut skipped = 0;
    while !left.as_text && left.at_start()? && right.at_start()? {
        let (Some((x, x_group)), Some((y, y_group))) = (left.group(), right.group()) else { break };
        let rows = x.rows(x_group);
        if rows != y.rows(y_group) || !same_chunk((x, x_group), (y, y_group), left.name)? {
            break;
        }
        left.next_group += 1;
        right.next_group += 1;
        skipped += rows as u64;
    }
    Ok(skipped)
}

fn same_chunk<R: ChunkReader + 'static>(
    (a, a_group): (&Part<R>, usize),
    (b, b_group): (&Part<R>, usize),
    name: &str,
) -> Result<bool> {
    let (Some(x), Some(y)) = (a.index(name), b.index(name)) else { return Ok(false) };
    let x = a.file.metadata().row_group(a_group).column(x);
    let y = b.file.metadata().row_group(b_group).column(y);
    let ((x_start, length), (y_start, y_length)) = (x.byte_range(), y.byte_range());
    if length != y_length || x.compression() != y.compression() {
        return Ok(false);
    }
    let mut done = 0;
    while done < length {
        #[allow(clippy::cast_possible_truncation)] // at most BLOCK
        let block = BLOCK.min(length - done) as usize;
        if a.bytes.get_bytes(x_start + done, block)? != b.bytes.get_bytes(y_start + done, block)? {
            return Ok(false);
        }
        done += block as u64;
    }
    Ok(true)
}

/// Reads one column of a side, batch after batch.
struct Cursor<'a, R: ChunkReader> {
    side: &'a Side<R>,
    name: &'a str,
    as_text: bool,
    groups: Vec<(usize, usize)>,
    next_group: usize,
    column: Option<Column>,
    cells: Cells,
    /// Cells of the batch that were taken.
    at: usize,
}

impl<'a, R: ChunkReader + Clone + 'static> Cursor<'a, R> {
    fn new(side: &'a Side<R>, name: &'a str, as_text: bool) -> Self {
        let groups = side.groups();
        Self { side, name, as_text, groups, next_group: 0, column: None, cells: Cells::default(), at: 0 }
    }

    /// The row group that comes next.
    fn group(&self) -> Option<(&'a Part<R>, usize)> {
        self.groups.get(self.next_group).map(|(part, group)| (&self.side.parts[*part], *group))
    }

    /// True if everything of the row groups before was taken.
    fn at_start(&mut self) -> Result<bool> {
        if self.at < self.cells.len() {
            return Ok(false);
        }
        self.read()?;
        Ok(self.at == self.cells.len())
    }

    /// Cells that are there to be taken; 0 at the end.
    fn fill(&mut self) -> Result<usize> {
        while self.at == self.cells.len() {
            self.read()?;
            if self.at < self.cells.len() {
                break;
            }
            let Some(group) = self.groups.get(self.next_group) else { return Ok(0) };
            self.column = Some(self.side.column(self.name, *group, self.as_text)?);
            self.next_group += 1;
        }
        Ok(self.cells.len() - self.at)
    }

    /// The next batch of the open row group, if there is more of it.
    fn read(&mut self) -> Result<()> {
        self.cells.clear();
        self.at = 0;
        if let Some(column) = &mut self.column {
            column.read(BATCH, &mut self.cells)?;
            if self.cells.is_empty() {
                self.column = None;
            }
        }
        Ok(())
    }
}

/// A hash for each row of a side, over some columns, and one for each column whatever the order of its rows.
pub struct Hashes {
    columns: Vec<(String, bool)>,
    rows: Vec<u64>,
    sums: Vec<u64>,
}

/// Rows that one side has and the other has not, as often.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Only {
    /// How many.
    pub rows: u64,
    /// The first of them, counted from 0.
    pub examples: Vec<u64>,
}

impl Hashes {
    /// Of no rows yet; each column with whether its values are to be compared as text.
    pub fn new(columns: Vec<(String, bool)>) -> Self {
        let sums = vec![0; columns.len()];
        Self { columns, rows: Vec::new(), sums }
    }

    /// Adds a row group.
    ///
    /// # Errors
    /// A page cannot be read.
    pub fn add<R: ChunkReader + Clone + 'static>(
        &mut self,
        side: &Side<R>,
        group: (usize, usize),
    ) -> Result<()> {
        let start = self.rows.len();
        self.rows.resize(start + side.parts[group.0].rows(group.1), 0);
        let mut cells = Cells::default();
        for ((name, as_text), sum) in self.columns.iter().zip(&mut self.sums) {
            let mut column = side.column(name, group, *as_text)?;
            let mut rows = self.rows[start..].iter_mut();
            loop {
                cells.clear();
                column.read(BATCH, &mut cells)?;
                if cells.is_empty() {
                    break;
                }
                for index in 0..cells.len() {
                    let hash = hash(cells.get(index));
                    *sum = sum.wrapping_add(hash);
                    if let Some(row) = rows.next() {
                        // Fibonacci hashing over a rotation: the order of columns counts.
                        *row = (row.rotate_left(23) ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    }
                }
            }
        }
        Ok(())
    }

    /// For each column whether both sides hold the same values, in whatever order.
    pub fn same_columns(&self, other: &Self) -> Vec<bool> {
        self.sums.iter().zip(&other.sums).map(|(a, b)| a == b).collect()
    }

    /// Rows that only one of the sides has.
    pub fn only(&self, other: &Self) -> [Only; 2] {
        let sorted = |rows: &[u64]| {
            let mut rows = rows.to_vec();
            rows.sort_unstable();
            rows
        };
        let (a, b) = (sorted(&self.rows), sorted(&other.rows));
        [surplus(&self.rows, &a, &b), surplus(&other.rows, &b, &a)]
    }
}

/// What `mine` has more of than `theirs`, both sorted; examples in the order of `rows`.
fn surplus(rows: &[u64], mine: &[u64], theirs: &[u64]) -> Only {
    let mut only = Only::default();
    let mut other = 0;
    for hash in mine {
        while theirs.get(other).is_some_and(|their| their < hash) {
            other += 1;
        }
        if theirs.get(other) == Some(hash) {
            other += 1;
        } else {
            only.rows += 1;
        }
    }
    let count = |list: &[u64], hash: u64| {
        list.partition_point(|one| *one <= hash) - list.partition_point(|one| *one < hash)
    };
    let mut shown = Vec::new();
    for (index, hash) in rows.iter().enumerate() {
        if shown.len() as u64 == only.rows.min(EXAMPLES as u64) {
            break;
        }
        if !shown.contains(hash) && count(mine, *hash) > count(theirs, *hash) {
            shown.push(*hash);
            only.examples.push(index as u64);
        }
    }
    only
}

/// Null is no value, and no empty text.
fn hash(cell: Option<&[u8]>) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(u8::from(cell.is_some()));
    hasher.write(cell.unwrap_or_default());
    hasher.finish()
}

fn short(text: String) -> String {
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
