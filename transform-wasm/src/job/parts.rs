//! Open part files: rows wait here as columns until a row group is worth writing.
//!
//! The decision to know: columns wait unencoded, within one budget for all part files, and a row
//! group is encoded in one go, a column a step. So the memory of 365 open partitions is that of the
//! budget, and what decides is logical bytes and record counts, never the allocator.

use std::collections::{BTreeMap, VecDeque};

use crate::column::Column;
use crate::encode::{Codec, PartSchema, PartWriter, Scratch};
use crate::error::{Code, Failure};
use crate::limits::{ENCODE_BUDGET, PIECE_BYTES, ROW_GROUP_BYTES};
use crate::shred::Level;

use super::Step;
use super::trace::Trace;

/// What all part files of a table share.
pub struct PartTable {
    /// Table name.
    pub name: String,
    /// Schema of the part files.
    pub schema: PartSchema,
    /// Levels of the columns.
    pub levels: Vec<Level>,
    /// Empty columns of the right types.
    pub columns: Vec<Column>,
    /// Footer metadata.
    pub key_values: Vec<(String, String)>,
    /// Compression.
    pub codec: Codec,
}

struct Part {
    id: Option<u32>,
    columns: Vec<Column>,
    /// Rows of each record-level slot; unused when no column is record-level.
    repeats: Vec<u32>,
    rows: usize,
    raw_bytes: usize,
    stored_bytes: usize,
    total_rows: u64,
    writer: Option<PartWriter>,
    bytes: u64,
    trace: Trace,
}

type Key = (usize, String);

struct Encoding {
    key: Key,
    columns: Vec<Column>,
    repeats: Vec<u32>,
    next: usize,
}

/// All part files of a job.
pub struct Parts {
    tables: Vec<PartTable>,
    open: BTreeMap<Key, Part>,
    encoding: Option<Encoding>,
    /// Columns of the last row group: their memory serves the next one.
    spare: BTreeMap<usize, Vec<Column>>,
    next_id: u32,
    most_partitions: usize,
    opened: Vec<u64>,
    finishing: bool,
    scratch: Scratch,
    traced: Option<Traced>,
}

/// What a trace needs beside that of each open part file.
#[derive(Default)]
struct Traced {
    /// Record numbers of the batch whose rows are being added.
    numbers: Vec<u64>,
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
            encoding: None,
            spare: BTreeMap::new(),
            next_id: 0,
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
        if let Some(mut trace) = self.traced.as_mut().and_then(|traced| traced.closed.remove(&id)) {
            return trace.take();
        }
        let open = self.open.values_mut().find(|part| part.id == Some(id));
        open.map(|part| part.trace.take()).unwrap_or_default()
    }

    /// Whether a row group is being written.
    pub fn is_encoding(&self) -> bool {
        self.encoding.is_some()
    }

    /// Part files of each table.
    pub fn counts(&self) -> Vec<u64> {
        self.opened.clone()
    }

    /// Adds rows of a batch to the part file of a partition. `counts` are the rows of each record.
    ///
    /// # Errors
    /// Fault `limit`, code `too_many_partitions`.
    pub fn add(
        &mut self,
        table: usize,
        partition: &str,
        columns: &[&Column],
        counts: &[u32],
        rows: &Rows<'_>,
        row_count: usize,
    ) -> Result<(), Failure> {
        let key = (table, partition.to_owned());
        if !self.open.contains_key(&key) {
            if self.open.len() >= self.most_partitions {
                return Err(Failure::limit(
                    Code::TooManyPartitions,
                    format!("the input makes more than {} partitions", self.most_partitions),
                )
                .hint("partition by something coarser, for example month, or raise limits.partitions"));
            }
            self.opened[table] += 1;
            let part = self.new_part(table);
            self.open.insert(key.clone(), part);
        }
        let levels = &self.tables[table].levels;
        let Some(part) = self.open.get_mut(&key) else { return Ok(()) };
        let record_level = levels.contains(&Level::Record);
        let (records, repeats) = match rows {
            Rows::All => (None, record_level.then(|| counts.to_vec())),
            Rows::Some(rows, of_record) => {
                let (records, repeats) = runs(rows, of_record);
                (Some(records), record_level.then_some(repeats))
            }
        };
        for ((to, from), level) in part.columns.iter_mut().zip(columns).zip(levels) {
            match (rows, level, &records) {
                (Rows::Some(rows, _), Level::Row, _) => to.append_slots(from, rows),
                (Rows::Some(..), Level::Record, Some(records)) => to.append_slots(from, records),
                _ => to.append(from),
            }
        }
        if let Some(traced) = &self.traced {
            part.trace.add(rows, counts, &traced.numbers);
        }
        part.repeats.extend(repeats.into_iter().flatten());
        part.rows += row_count;
        part.measure(levels);
        Ok(())
    }

    /// Begins a row group where one is due: when a part has enough rows, or the budget is used up.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn keep_budget(&mut self) -> Result<(), Failure> {
        if self.encoding.is_some() {
            return Ok(());
        }
        let held: usize = self.open.values().map(|p| p.stored_bytes).sum();
        // The largest goes first; of equals the smallest key, so that every host agrees.
        let mut largest: Option<(&Key, &Part)> = None;
        for (key, part) in &self.open {
            if largest.is_none_or(|(_, l)| part.stored_bytes > l.stored_bytes) {
                largest = Some((key, part));
            }
        }
        let due = self.open.iter().find(|(_, p)| p.raw_bytes >= ROW_GROUP_BYTES).map(|(key, _)| key.clone());
        let key = match (due, largest) {
            (Some(key), _) => key,
            (None, Some((key, _))) if held >= ENCODE_BUDGET => key.clone(),
            _ => return Ok(()),
        };
        self.begin_group(key);
        Ok(())
    }

    fn begin_group(&mut self, key: Key) {
        let Some(part) = self.open.get_mut(&key) else { return };
        let empty = self.spare.remove(&key.0).unwrap_or_else(|| self.tables[key.0].columns.clone());
        let columns = std::mem::replace(&mut part.columns, empty);
        let repeats = std::mem::take(&mut part.repeats);
        part.total_rows += part.rows as u64;
        (part.rows, part.raw_bytes, part.stored_bytes) = (0, 0, 0);
        self.encoding = Some(Encoding { key, columns, repeats, next: 0 });
    }

    /// All rows have come: [`Parts::encode`] writes what is left.
    pub fn finish(&mut self) {
        self.finishing = true;
    }

    /// Writes one column of the row group under way, or finishes a part file; false when nothing is
    /// left to do.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn encode(&mut self, queue: &mut VecDeque<Step>) -> Result<bool, Failure> {
        if self.encoding.is_none() {
            if !self.finishing {
                return Ok(false);
            }
            let Some((key, part)) = self.open.first_key_value() else { return Ok(false) };
            if part.rows == 0 {
                let key = key.clone();
                self.close(&key, queue)?;
                return Ok(true);
            }
            let key = key.clone();
            self.begin_group(key);
        }
        let Some(mut group) = self.encoding.take() else { return Ok(false) };
        let table = &self.tables[group.key.0];
        let Some(part) = self.open.get_mut(&group.key) else { return Ok(false) };
        if group.next == 0 {
            if part.writer.is_none() {
                let id = self.next_id;
                self.next_id += 1;
                part.id = Some(id);
                part.writer = Some(PartWriter::new(&table.schema, &table.key_values, table.codec));
                let (table, partition) = (table.name.clone(), group.key.1.clone());
                queue.push_back(Step::PartOpened { id, table, partition });
            }
            if let Some(writer) = &mut part.writer {
                writer.begin_row_group();
            }
        }
        let Some(writer) = &mut part.writer else { return Ok(false) };
        if let Some(column) = group.columns.get(group.next) {
            let repeats = (table.levels[group.next] == Level::Record).then_some(group.repeats.as_slice());
            writer.write_column(column, repeats, &mut self.scratch)?;
            group.next += 1;
        }
        let done = group.next >= group.columns.len();
        if done {
            writer.end_row_group()?;
        }
        if done || writer.pending() >= PIECE_BYTES {
            part.send(queue);
        }
        if done {
            group.columns.iter_mut().for_each(Column::clear);
            self.spare.insert(group.key.0, group.columns);
        } else {
            self.encoding = Some(group);
        }
        Ok(true)
    }

    fn close(&mut self, key: &Key, queue: &mut VecDeque<Step>) -> Result<(), Failure> {
        let Some(mut part) = self.open.remove(key) else { return Ok(()) };
        let (Some(id), Some(writer)) = (part.id, &mut part.writer) else { return Ok(()) };
        writer.finish()?;
        part.send(queue);
        if let Some(traced) = &mut self.traced {
            traced.closed.insert(id, std::mem::take(&mut part.trace));
        }
        queue.push_back(Step::PartClosed { id, rows: part.total_rows, bytes: part.bytes });
        Ok(())
    }

    fn new_part(&self, table: usize) -> Part {
        Part {
            id: None,
            columns: self.tables[table].columns.clone(),
            repeats: Vec::new(),
            rows: 0,
            raw_bytes: 0,
            stored_bytes: 0,
            total_rows: 0,
            writer: None,
            bytes: 0,
            trace: Trace::default(),
        }
    }
}

impl Part {
    fn measure(&mut self, levels: &[Level]) {
        (self.raw_bytes, self.stored_bytes) = (0, self.repeats.len() * 4);
        for (column, level) in self.columns.iter().zip(levels) {
            // Raw bytes need a look at every slot of a repeated text: its stored share times the
            // mean number of rows is near enough for a threshold, and as deterministic.
            let stored = column.stored_bytes();
            self.stored_bytes += stored;
            let slots = column.len().max(1);
            let raw = column.raw_bytes(None);
            self.raw_bytes += if *level == Level::Record { raw / slots * self.rows } else { raw };
        }
    }

    fn send(&mut self, queue: &mut VecDeque<Step>) {
        let (Some(id), Some(writer)) = (self.id, &mut self.writer) else { return };
        let bytes = writer.take_bytes();
        self.bytes += bytes.len() as u64;
        if bytes.len() <= PIECE_BYTES {
            if !bytes.is_empty() {
                queue.push_back(Step::PartBytes { id, bytes });
            }
            return;
        }
        for piece in bytes.chunks(PIECE_BYTES) {
            queue.push_back(Step::PartBytes { id, bytes: piece.to_vec() });
        }
    }
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
