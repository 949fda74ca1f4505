//! Open part files: rows wait here as columns until a row group is worth writing.
//!
//! The decision to know: columns wait unencoded, within one budget for all part files, and a row
//! group is encoded in one go, a column a step. So the memory of 365 open partitions is that of the
//! budget, and what decides is logical bytes and record counts, never the allocator.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::column::{Column, ColumnType};
use crate::encode::{Codec, PartSchema, PartWriter, Scratch};
use crate::error::{Code, Failure};
use crate::limits::{
    ENCODE_BUDGET, ENCODE_CEILING, OPEN_CHUNKS, OPEN_COLUMNS, PIECE_BYTES, ROW_GROUP_BYTES, SEND_BYTES,
};
use crate::shred::Level;

use super::Step;
use super::trace::Trace;

mod waiting;

use waiting::Waiting;

#[cfg(test)]
mod tests;

/// Part files that each get room for a whole row group: with more of them the budget ends row groups early.
const FEW_PARTS: usize = 2;

/// What all part files of a table share.
pub struct PartTable {
    /// Table name.
    pub name: String,
    /// Schema of the part files.
    pub schema: PartSchema,
    /// Level and type of each column.
    pub columns: Vec<(Level, ColumnType)>,
    /// Footer metadata.
    pub key_values: Arc<[(String, String)]>,
    /// Compression.
    pub codec: Codec,
}

impl PartTable {
    fn nothing(&self) -> Waiting {
        Waiting::of(self.columns.iter().map(|(_, ty)| *ty))
    }
}

/// The rows of one partition of one table.
#[derive(Default)]
struct Part {
    waiting: Waiting,
    /// Where the others went, once some did.
    file: Option<PartFile>,
    trace: Trace,
}

/// A part file, from its first row group on.
struct PartFile {
    id: u32,
    writer: PartWriter,
    rows: u64,
    bytes: u64,
    /// Column chunks so far.
    chunks: usize,
}

/// Table and partition path.
type Key = (usize, String);

/// A row group that is being written, a column a step. Its part is not among the open ones meanwhile.
struct Group {
    key: Key,
    part: Part,
    written: Waiting,
    next: usize,
}

/// All part files of a job.
pub struct Parts {
    tables: Vec<PartTable>,
    open: BTreeMap<Key, Part>,
    group: Option<Group>,
    /// Of the last row group, emptied: their memory serves the next rows that a part without any gets.
    spare: BTreeMap<usize, Waiting>,
    next_id: u32,
    /// Column chunks of the part files that are not closed.
    chunks: usize,
    memory: Memory,
    most_partitions: usize,
    opened: Vec<u64>,
    finishing: bool,
    scratch: Scratch,
    traced: Option<Traced>,
}

/// What all part files may hold together; less in tests.
struct Memory {
    budget: usize,
    ceiling: usize,
    chunks: usize,
}

/// What a trace needs beside that of each open part file.
#[derive(Default)]
struct Traced {
    /// Record numbers of the batch whose rows are being added.
    numbers: Vec<u64>,
    /// Which part an open part file is of.
    open: BTreeMap<u32, Key>,
    /// Traces of part files that are closed, until they are taken.
    closed: BTreeMap<u32, Trace>,
}

/// The rows of a batch that go into one part file.
pub enum Rows<'a> {
    /// All of them.
    All,
    /// These, ascending; beside them the record of every row of the batch.
    Some(&'a [u32], &'a [u32]),
}

impl Parts {
    /// No part file yet.
    pub fn new(tables: Vec<PartTable>, most_partitions: usize) -> Self {
        let opened = vec![0; tables.len()];
        Self {
            tables,
            open: BTreeMap::new(),
            group: None,
            spare: BTreeMap::new(),
            next_id: 0,
            chunks: 0,
            memory: Memory { budget: ENCODE_BUDGET, ceiling: ENCODE_CEILING, chunks: OPEN_CHUNKS },
            most_partitions,
            opened,
            finishing: false,
            scratch: Scratch::new(),
            traced: None,
        }
    }

    /// Traces all rows that are added from here on.
    pub fn trace(&mut self) {
        self.traced = Some(Traced::default());
    }

    /// The record numbers of the next batch; they are only looked at if there is a trace.
    pub fn trace_batch(&mut self, numbers: impl Iterator<Item = u64>) {
        if let Some(traced) = &mut self.traced {
            traced.numbers.clear();
            traced.numbers.extend(numbers);
        }
    }

    /// The trace of a part file's next rows.
    pub fn take_trace(&mut self, id: u32) -> Vec<u8> {
        let Some(traced) = &mut self.traced else { return Vec::new() };
        if let Some(mut trace) = traced.closed.remove(&id) {
            return trace.take();
        }
        let Some(key) = traced.open.get(&id) else { return Vec::new() };
        let part = match &mut self.group {
            Some(group) if group.key == *key => Some(&mut group.part),
            _ => self.open.get_mut(key),
        };
        part.map(|part| part.trace.take()).unwrap_or_default()
    }

    /// Part files of each table.
    pub fn counts(&self) -> Vec<u64> {
        self.opened.clone()
    }

    /// Adds rows of a batch to the part file of a partition. `counts` are the rows of each record.
    ///
    /// # Errors
    /// Fault `limit`, code `too_many_partitions`; fault `internal` when the columns are not the table's, or a
    /// row group is being written.
    pub fn add(
        &mut self,
        table: usize,
        partition: &str,
        columns: &[&Column],
        counts: &[u32],
        rows: &Rows<'_>,
        row_count: usize,
    ) -> Result<(), Failure> {
        let PartTable { columns: kinds, .. } = &self.tables[table];
        if self.group.is_some() || columns.len() != kinds.len() {
            return Err(Failure::internal("rows came that no part file can take now"));
        }
        let open = self.open.len();
        let part = match self.open.entry((table, partition.to_owned())) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if open >= self.most_partitions => {
                return Err(Failure::limit(
                    Code::TooManyPartitions,
                    format!("the input makes more than {} partitions", self.most_partitions),
                )
                .hint("partition by something coarser, for example month, or raise limits.partitions"));
            }
            Entry::Vacant(_) if open.saturating_mul(kinds.len()) >= OPEN_COLUMNS => {
                return Err(Failure::limit(
                    Code::TooManyPartitions,
                    format!("the columns of all partitions together are more than {OPEN_COLUMNS}"),
                )
                .hint("partition by something coarser, for example month, or leave columns out"));
            }
            Entry::Vacant(entry) => {
                self.opened[table] += 1;
                entry.insert(Part::default())
            }
        };
        if part.waiting.columns.is_empty() {
            part.waiting = self.spare.remove(&table).unwrap_or_else(|| self.tables[table].nothing());
        }
        part.waiting.add(kinds, columns, counts, rows, row_count)?;
        if let Some(traced) = &self.traced {
            part.trace.add(rows, counts, &traced.numbers);
        }
        if open <= FEW_PARTS {
            part.waiting.make_room();
        }
        Ok(())
    }

    /// Begins a row group where one is due: when a part has enough rows, or the budget is used up.
    ///
    /// # Errors
    /// Fault `internal` only.
    pub fn keep_budget(&mut self) -> Result<(), Failure> {
        if self.group.is_some() {
            return Ok(());
        }
        let held: usize = self.open.values().map(|p| p.waiting.stored_bytes).sum();
        // The largest goes first; of equals the smallest key, so that every host agrees.
        let mut largest: Option<(&Key, &Part)> = None;
        for (key, part) in &self.open {
            if largest.is_none_or(|(_, l)| part.waiting.stored_bytes > l.waiting.stored_bytes) {
                largest = Some((key, part));
            }
        }
        let due = self
            .open
            .iter()
            .find(|(_, p)| p.waiting.raw_bytes >= ROW_GROUP_BYTES)
            .map(|(key, _)| key.clone());
        let key = match (due, largest) {
            (Some(key), _) => key,
            (None, Some((key, _))) if held >= self.memory.budget => key.clone(),
            _ => return Ok(()),
        };
        let part = self.open.remove(&key).ok_or_else(|| Failure::internal("a part file went missing"))?;
        self.group = Some(Self::begin_group(key, part));
        Ok(())
    }

    /// The next row group where all part files hold far more than their budget.
    fn over_ceiling(&mut self) -> Result<Option<Group>, Failure> {
        if self.open.values().map(|part| part.waiting.stored_bytes).sum::<usize>() >= self.memory.ceiling {
            self.keep_budget()?;
        }
        Ok(self.group.take())
    }

    fn begin_group(key: Key, mut part: Part) -> Group {
        let written = std::mem::take(&mut part.waiting);
        Group { key, part, written, next: 0 }
    }

    /// All rows have come: [`Parts::encode`] writes what is left.
    pub fn finish(&mut self) {
        self.finishing = true;
    }

    /// Writes one column of the row group under way, or finishes a part file; false when nothing is
    /// left to do.
    ///
    /// # Errors
    /// Fault `limit`, code `part_bytes`; fault `internal` when columns disagree.
    pub fn encode(&mut self, queue: &mut VecDeque<Step>) -> Result<bool, Failure> {
        let group = match self.group.take() {
            Some(group) => group,
            None if !self.finishing => match self.over_ceiling()? {
                Some(group) => group,
                None => return Ok(false),
            },
            None => match self.open.pop_first() {
                None => return Ok(false),
                Some((_, part)) if part.waiting.rows == 0 => {
                    self.close(part, queue)?;
                    return Ok(true);
                }
                Some((key, part)) => Self::begin_group(key, part),
            },
        };
        self.write_column(group, queue)?;
        Ok(true)
    }

    fn write_column(&mut self, mut group: Group, queue: &mut VecDeque<Step>) -> Result<(), Failure> {
        let table = &self.tables[group.key.0];
        let mut file = match group.part.file.take() {
            Some(file) => file,
            None => {
                let id = self.next_id;
                self.next_id += 1;
                if let Some(traced) = &mut self.traced {
                    traced.open.insert(id, group.key.clone());
                }
                queue.push_back(Step::PartOpened {
                    id,
                    table: table.name.clone(),
                    partition: group.key.1.clone(),
                });
                let writer = PartWriter::new(&table.schema, table.key_values.clone(), table.codec);
                PartFile { id, writer, rows: 0, bytes: 0, chunks: 0 }
            }
        };
        if group.next == 0 {
            file.writer.begin_row_group();
        }
        let Waiting { columns, repeats, rows, .. } = &group.written;
        let (Some(column), Some((level, _))) = (columns.get(group.next), table.columns.get(group.next))
        else {
            return Err(Failure::internal("a row group has no next column"));
        };
        let repeats = (*level == Level::Record).then_some(repeats.as_slice());
        file.writer.write_column(column, repeats, &mut self.scratch)?;
        group.next += 1;
        let columns = columns.len();
        let done = group.next == columns;
        if done {
            file.writer.end_row_group()?;
            file.rows += *rows as u64;
            file.chunks += columns;
            self.chunks += columns;
        }
        if done || file.writer.pending() >= SEND_BYTES {
            file.send(queue);
        }
        group.part.file = Some(file);
        if done {
            group.written.clear();
            self.spare.insert(group.key.0, group.written);
            if self.chunks > self.memory.chunks {
                return self.close(group.part, queue);
            }
            self.open.insert(group.key, group.part);
        } else {
            self.group = Some(group);
        }
        Ok(())
    }

    fn close(&mut self, part: Part, queue: &mut VecDeque<Step>) -> Result<(), Failure> {
        let mut file = part.file.ok_or_else(|| Failure::internal("a part file without rows was opened"))?;
        self.chunks -= file.chunks;
        file.writer.finish()?;
        file.send(queue);
        if let Some(traced) = &mut self.traced {
            traced.open.remove(&file.id);
            traced.closed.insert(file.id, part.trace);
        }
        queue.push_back(Step::PartClosed { id: file.id, rows: file.rows, bytes: file.bytes });
        Ok(())
    }
}

impl PartFile {
    fn send(&mut self, queue: &mut VecDeque<Step>) {
        let id = self.id;
        for piece in self.writer.take_bytes() {
            self.bytes += piece.len() as u64;
            if piece.len() <= PIECE_BYTES {
                queue.push_back(Step::PartBytes { id, bytes: piece });
            } else {
                let parts = piece.chunks(PIECE_BYTES);
                queue.extend(parts.map(|part| Step::PartBytes { id, bytes: part.to_vec() }));
            }
        }
    }
}
