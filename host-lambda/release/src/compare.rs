//! What two releases make of the same input: schema, rows, and the values of each column.
//!
//! For: `lakegate diff`, and a shadow that runs beside the stable release. Not for byte equality (receipts
//! are for that). Decisions to know:
//!
//! * Both sides run as previews under the same contracts: nothing is written, and what is compared was read
//!   back from the part files that a run would make.
//! * Each column has a checksum that does not depend on the order of rows, so that a changed partition does
//!   not make every column look changed. Where both sides made the same files of as many rows, values are
//!   also compared row by row, in one pass and bounded memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::{Array, ArrayRef, make_array};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use lakegate_model::Contract;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde::Serialize;

use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::Lake;
use lakegate_lake::run::{Plan, Preview, PreviewPart, preview};
use lakegate_lake::source::Source;
use lakegate_model::hive;
use lakegate_sandbox::{TableContract, Transform};

/// Rows that are compared at once.
const BATCH: usize = 4096;
/// Characters of a value that is shown as an example.
const SHOWN: usize = 60;

/// One of the two.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// What runs.
    pub transform: &'a Transform,
    /// What it is told.
    pub plan: &'a Plan,
}

/// What both make of one input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Records in, which both must agree on.
    pub records: Pair<u64>,
    /// Records rejected.
    pub rejected: Pair<u64>,
    /// Tables of either.
    pub tables: Vec<TableComparison>,
}

/// A fact of the first side, and of the second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pair<T>(pub T, pub T);

impl<T: PartialEq> Pair<T> {
    /// True if both agree.
    pub fn same(&self) -> bool {
        self.0 == self.1
    }
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableComparison {
    /// Its name.
    pub table: String,
    /// Rows; 0 on a side that does not make it.
    pub rows: Pair<u64>,
    /// Part files.
    pub files: Pair<u64>,
    /// Columns of either, partition columns among them.
    pub columns: Vec<ColumnComparison>,
}

/// One column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ColumnComparison {
    /// Its name.
    pub column: String,
    /// Its type; `None` on a side that does not have it.
    pub types: Pair<Option<String>>,
    /// Nulls.
    pub nulls: Pair<u64>,
    /// Checksum of all values, whatever their order.
    pub checksums: Pair<String>,
    /// Rows whose value differs, where rows can be paired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<u64>,
    /// The first such pair: values of the input, for a screen only.
    #[serde(skip)]
    pub example: Option<Pair<String>>,
}

impl ColumnComparison {
    /// True if both sides have it with the same type and values.
    pub fn same(&self) -> bool {
        self.types.same() && self.nulls.same() && self.checksums.same() && self.changed.unwrap_or(0) == 0
    }
}

impl TableComparison {
    /// True if both sides make the same of it.
    pub fn same(&self) -> bool {
        self.rows.same() && self.columns.iter().all(ColumnComparison::same)
    }
}

impl Comparison {
    /// True if both sides make the same.
    pub fn same(&self) -> bool {
        self.records.same() && self.rejected.same() && self.tables.iter().all(TableComparison::same)
    }
}

/// Runs both sides over an input and compares what they make. With a lake, its live contracts hold.
///
/// # Errors
/// A side fails on the input; the message says which.
pub fn compare(
    first: Side<'_>,
    second: Side<'_>,
    source: &Source,
    lake: Option<&Lake>,
) -> Result<Comparison> {
    let make = |side: Side<'_>| preview(side.transform, source, side.plan, lake, &mut |_| {});
    let (a, b) = (make(first)?, make(second)?);
    let mut tables = Vec::new();
    let mut names: Vec<&str> = a.contracts.iter().chain(&b.contracts).map(|c| c.table.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for table in names {
        tables.push(compare_table(table, &a, &b)?);
    }
    Ok(Comparison {
        records: Pair(a.report.records, b.report.records),
        rejected: Pair(a.report.rejected, b.report.rejected),
        tables,
    })
}

fn compare_table(table: &str, a: &Preview, b: &Preview) -> Result<TableComparison> {
    let (parts_a, parts_b) = (parts(table, a), parts(table, b));
    let (mut sum_a, mut sum_b) = (Sums::default(), Sums::default());
    let shape = |part: &&PreviewPart| (part.partition.clone(), part.rows);
    let paired = parts_a.iter().map(shape).eq(parts_b.iter().map(shape));
    let mut changes = Changes::default();
    if paired {
        for (one, other) in parts_a.iter().zip(&parts_b) {
            let (mut left, mut right) = (batches(one)?, batches(other)?);
            while let (Some(x), Some(y)) = (next(&mut left)?, next(&mut right)?) {
                let (x, y) = (Columns::of(&x, &one.partition)?, Columns::of(&y, &other.partition)?);
                changes.add(&x, &y);
                sum_a.add(&x);
                sum_b.add(&y);
            }
        }
    } else {
        for (parts, sums) in [(&parts_a, &mut sum_a), (&parts_b, &mut sum_b)] {
            for part in parts {
                let mut reader = batches(part)?;
                while let Some(batch) = next(&mut reader)? {
                    sums.add(&Columns::of(&batch, &part.partition)?);
                }
            }
        }
    }
    let (types_a, types_b) = (types(table, &a.contracts), types(table, &b.contracts));
    let missing = |name: &str| !types_a.iter().any(|(other, _)| other == name);
    let names = types_a.iter().chain(types_b.iter().filter(|(name, _)| missing(name)));
    let columns = names.map(|(name, _)| {
        let of = |types: &[(String, String)]| types.iter().find(|(n, _)| n == name).map(|(_, ty)| ty.clone());
        let types = Pair(of(&types_a), of(&types_b));
        let both = paired && types.0.is_some() && types.1.is_some();
        let (changed, example) = changes.of.get(name).cloned().unwrap_or_default();
        ColumnComparison {
            column: name.clone(),
            types,
            nulls: Pair(sum_a.nulls(name), sum_b.nulls(name)),
            checksums: Pair(sum_a.text(name), sum_b.text(name)),
            changed: both.then_some(changed),
            example,
        }
    });
    let rows = |parts: &[&PreviewPart]| parts.iter().map(|part| part.rows).sum();
    Ok(TableComparison {
        table: table.into(),
        rows: Pair(rows(&parts_a), rows(&parts_b)),
        files: Pair(parts_a.len() as u64, parts_b.len() as u64),
        columns: columns.collect(),
    })
}

fn parts<'a>(table: &str, preview: &'a Preview) -> Vec<&'a PreviewPart> {
    preview.parts.iter().filter(|part| part.table == table).collect()
}

/// Columns of a contract, partition columns last, each with its type.
fn types(table: &str, contracts: &[TableContract]) -> Vec<(String, String)> {
    let text = contracts.iter().find(|contract| contract.table == table).map(|contract| &contract.text);
    let Some(contract) = text.and_then(|text| Contract::parse(text).ok()) else { return Vec::new() };
    let columns = contract.visible().map(|column| (column.name.clone(), column.ty.to_string()));
    columns.chain(contract.partition_by.iter().map(|key| (key.name.clone(), key.ty.to_string()))).collect()
}

fn batches(part: &PreviewPart) -> Result<ParquetRecordBatchReader> {
    let name = part.file.display().to_string();
    let file = File::open(&part.file).map_err(|error| Error::io(&name, error))?;
    ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.with_batch_size(BATCH).build())
        .map_err(|error| unreadable(&error.to_string()))
}

fn next(reader: &mut ParquetRecordBatchReader) -> Result<Option<RecordBatch>> {
    reader.next().transpose().map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(why: &str) -> Error {
    Error::new(Code::BadPart, format!("the transform made a part file that cannot be read: {why}"))
}

/// Values of some rows as text, by column.
struct Columns(Vec<(String, Vec<Option<String>>)>);

impl Columns {
    fn of(batch: &RecordBatch, partition: &str) -> Result<Self> {
        let mut found = Vec::new();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            found.push((field.name().clone(), texts(column)?));
        }
        for (name, value) in hive::partitions(partition) {
            found.push((name, vec![value; batch.num_rows()]));
        }
        Ok(Self(found))
    }

    fn get(&self, name: &str) -> Option<&[Option<String>]> {
        self.0.iter().find(|(column, _)| column == name).map(|(_, values)| values.as_slice())
    }
}

/// All values of a column as text, nulls as none.
fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>> {
    // Arrow knows no time zone by name without a database of them; Parquet's instants are UTC anyway.
    let naive = match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let data = column.to_data().into_builder().data_type(DataType::Timestamp(*unit, None));
            Some(make_array(data.build().map_err(|error| unreadable(&error.to_string()))?))
        }
        _ => None,
    };
    let column = naive.as_ref().unwrap_or(column);
    let options = FormatOptions::default();
    let shown = ArrayFormatter::try_new(column, &options).map_err(|error| unreadable(&error.to_string()))?;
    Ok((0..column.len()).map(|row| column.is_valid(row).then(|| shown.value(row).to_string())).collect())
}

/// Nulls and checksum of each column. The sum of hashes is the same for every order of rows.
#[derive(Default)]
struct Sums(BTreeMap<String, (u64, u64)>);

impl Sums {
    fn add(&mut self, columns: &Columns) {
        for (name, values) in &columns.0 {
            let (nulls, sum) = self.0.entry(name.clone()).or_default();
            for value in values {
                *nulls += u64::from(value.is_none());
                let mut hasher = DefaultHasher::new();
                value.hash(&mut hasher);
                *sum = sum.wrapping_add(hasher.finish());
            }
        }
    }

    fn nulls(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |(nulls, _)| *nulls)
    }

    fn text(&self, name: &str) -> String {
        self.0.get(name).map_or_else(String::new, |(_, sum)| format!("{sum:016x}"))
    }
}

/// Rows whose values differ, and the first pair of them.
#[derive(Default)]
struct Changes {
    of: BTreeMap<String, (u64, Option<Pair<String>>)>,
}

impl Changes {
    fn add(&mut self, a: &Columns, b: &Columns) {
        for (name, left) in &a.0 {
            let Some(right) = b.get(name) else { continue };
            let (count, example) = self.of.entry(name.clone()).or_default();
            for (x, y) in left.iter().zip(right).filter(|(x, y)| x != y) {
                *count += 1;
                example.get_or_insert_with(|| Pair(short(x.as_deref()), short(y.as_deref())));
            }
        }
    }
}

fn short(value: Option<&str>) -> String {
    match value {
        None => "null".into(),
        Some(text) if text.chars().count() > SHOWN => text.chars().take(SHOWN).chain(['…']).collect(),
        Some(text) => text.into(),
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
