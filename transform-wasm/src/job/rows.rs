//! A batch's rows: derive, extend, filter, check, partition; then into part files.
//!
//! The decision to know: all tables are judged before any row moves on, because a record is taken or
//! rejected as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use lakegate_model::hive::{FOLDER_BYTES, PATH_BYTES};
use lakegate_model::tree;

use crate::column::{Column, ColumnType};
use crate::contract::{Contract, ContractColumn, Origin};
use crate::error::{Code, Failure};
use crate::expr;
use crate::hive;
use crate::json::Reject;
use crate::limits::DERIVED_TEXT_BYTES;
use crate::report::{CheckReport, Report, TableReport};
use crate::shred::{Batch, Level, TableBatch};
use crate::spec::{Check, OnFail};

use super::extend::TableExtension;
use super::parts::{Parts, Rows as PartRows};
use super::rescue;

/// Where a contract column's values are.
#[derive(Clone, Copy, Debug)]
pub enum ColumnSource {
    /// Column of the batch.
    Read(usize),
    /// Column of the batch whose values the extension replaces.
    Replaced(usize),
    /// Derived, or added by an extension.
    Made,
}

/// One table's work on rows.
pub struct TableRows {
    /// Its contract.
    pub contract: Contract,
    /// Digest of the contract's text.
    pub digest: String,
    /// Where each contract column comes from.
    pub sources: Vec<ColumnSource>,
    /// Contract columns that part files hold (partition columns live in the path).
    pub written: Vec<usize>,
    /// Derived columns: contract column and expression, in order.
    pub derives: Vec<(usize, expr::Expr)>,
    /// The extension's share.
    pub extension: Option<TableExtension>,
    /// Rows for which it is not true are dropped.
    pub filter: Option<expr::Expr>,
    /// Contract columns whose nulls drop the row.
    pub drop_nulls: Vec<usize>,
    /// Checks.
    pub checks: Vec<(Check, expr::Expr, u64)>,
    /// Partition columns: name, type and expression.
    pub partitions: Vec<(String, ColumnType, expr::Expr)>,
    /// Counts for the report.
    pub made: u64,
    /// Counts for the report.
    pub out: u64,
    /// Counts for the report.
    pub filtered: u64,
}

/// All tables' work on rows.
pub struct Rows {
    /// One a table.
    pub tables: Vec<TableRows>,
}

/// What the expressions made of one table's rows.
struct Judged {
    /// By contract column: what did not come out of the records as it is. Empty when all did.
    made: Vec<Option<Column>>,
    keep: Option<Vec<bool>>,
    partitions: Option<hive::Paths>,
    row_records: Vec<u32>,
}

impl Rows {
    /// Passes a batch on; returns the rejected records by their number in the batch. `numbers` are those of
    /// all its records, where [`Rows::uses_records`].
    ///
    /// # Errors
    /// A check with `on_fail = "fail"`; too many partitions.
    pub fn take(
        &mut self,
        batch: &mut Batch,
        numbers: &[u64],
        parts: &mut Parts,
        report: &mut Report,
    ) -> Result<Vec<(u32, Reject)>, Failure> {
        let mut rejected = BTreeMap::new();
        let mut judged = Vec::new();
        for (t, table) in self.tables.iter_mut().enumerate() {
            let records = Records { count: batch.records, numbers };
            judged.push(table.judge(t, &batch.tables[t], records, &mut rejected)?);
        }
        report.accepted -= rejected.len() as u64;
        let gone: BTreeSet<u32> = tree(rejected.keys().copied());
        rescue::count(batch, &gone, report);
        for (t, table) in self.tables.iter_mut().enumerate() {
            table.pass_on(t, &batch.tables[t], batch.records, judged.remove(0), &gone, parts)?;
        }
        Ok(rejected.into_iter().collect())
    }

    /// Whether some expression asks for the numbers of records.
    pub fn uses_records(&self) -> bool {
        self.tables.iter().flat_map(TableRows::expressions).any(expr::Expr::uses_records)
    }

    /// Adds the ledgers to the report.
    pub fn report(&self, report: &mut Report) {
        for table in &self.tables {
            report.tables.push(TableReport {
                table: table.contract.table.clone(),
                contract: table.digest.clone(),
                rows_made: table.made,
                rows_out: table.out,
                filtered: table.filtered,
                parts: 0,
            });
            for (check, _, failed) in &table.checks {
                report.checks.push(CheckReport {
                    table: table.contract.table.clone(),
                    check: check.name.clone(),
                    on_fail: check.on_fail.name().into(),
                    failed: *failed,
                });
            }
        }
    }
}

/// The records of a batch.
#[derive(Clone, Copy)]
struct Records<'a> {
    count: u32,
    /// Their numbers in the source object, where they are asked for.
    numbers: &'a [u64],
}

impl TableRows {
    /// All that it evaluates.
    pub fn expressions(&self) -> impl Iterator<Item = &expr::Expr> {
        let derives = self.derives.iter().map(|(_, expression)| expression);
        let checks = self.checks.iter().map(|(_, expression, _)| expression);
        let partitions = self.partitions.iter().map(|(_, _, expression)| expression);
        derives.chain(&self.filter).chain(checks).chain(partitions)
    }

    fn is_plain(&self) -> bool {
        self.sources.iter().all(|source| matches!(source, ColumnSource::Read(_)))
            && self.extension.is_none()
            && self.filter.is_none()
            && self.drop_nulls.is_empty()
            && self.checks.is_empty()
            && self.partitions.is_empty()
    }

    /// Runs the expressions; records that fail go into `rejected`.
    fn judge(
        &mut self,
        number: usize,
        batch: &TableBatch,
        records: Records<'_>,
        rejected: &mut BTreeMap<u32, Reject>,
    ) -> Result<Judged, Failure> {
        let mut judged = Judged { made: Vec::new(), keep: None, partitions: None, row_records: Vec::new() };
        if self.is_plain() {
            return Ok(judged);
        }
        judged.row_records = batch.row_records(records.count);
        let row_records = judged.row_records.clone();
        let mut view = View::new(self, batch, &row_records, records.numbers);
        judged.made = self.make(number, &mut view, rejected)?;
        judged.keep = self.kept(number, &mut view, rejected)?;
        let mut failed = Vec::new();
        for (check, expression, _) in &self.checks {
            let array = view.evaluate(expression, number, &check.name, rejected)?;
            failed.push(run_check(check, &array, number, &judged, rejected)?);
        }
        if !self.partitions.is_empty() {
            let mut paths = hive::Paths::new(batch.rows as usize);
            for (name, ty, expression) in &self.partitions {
                let array = view.evaluate(expression, number, name, rejected)?;
                paths.append(name, *ty, &array);
            }
            refuse_paths(&paths, number, &judged, rejected);
            judged.partitions = Some(paths);
        }
        for ((_, _, sum), failed) in self.checks.iter_mut().zip(failed) {
            *sum += failed;
        }
        Ok(judged)
    }

    /// The columns that are no column of the batch: derived ones, then those of the extension.
    fn make(
        &self,
        number: usize,
        view: &mut View<'_>,
        rejected: &mut BTreeMap<u32, Reject>,
    ) -> Result<Vec<Option<Column>>, Failure> {
        let columns = &self.contract.columns;
        let mut made = vec![None; columns.len()];
        let mut text = 0;
        for (column, expression) in &self.derives {
            let array = view.evaluate(expression, number, &columns[*column].name, rejected)?;
            text += array.as_string_opt::<i32>().map_or(0, |texts| texts.value_data().len());
            if text > DERIVED_TEXT_BYTES {
                return Err(derived_too_large());
            }
            made[*column] = Some(Column::from_arrow(columns[*column].ty, &array)?);
            view.arrays[*column] = Some(array);
        }
        if let Some(extension) = &self.extension {
            let given = extension.given.iter().map(|&column| view.array(column)).collect::<Result<_, _>>()?;
            let changed = extension.apply(&self.contract, number, given, view.row_records, rejected)?;
            for (&column, values) in extension.makes.iter().zip(changed) {
                view.arrays[column] = Some(values.to_arrow(None)?);
                made[column] = Some(values);
            }
        }
        if let Some(column) = columns.iter().position(|column| column.origin == Origin::Rescued) {
            made[column] = Some(rescue::column(view.batch, view.row_records)?);
        }
        for (column, source) in self.sources.iter().enumerate() {
            if matches!(source, ColumnSource::Made) && made[column].is_none() {
                made[column] = Some(Column::nulls(columns[column].ty, view.rows));
            }
        }
        Ok(made)
    }

    fn kept(
        &self,
        number: usize,
        view: &mut View<'_>,
        rejected: &mut BTreeMap<u32, Reject>,
    ) -> Result<Option<Vec<bool>>, Failure> {
        if self.filter.is_none() && self.drop_nulls.is_empty() {
            return Ok(None);
        }
        let mut keep = vec![true; view.rows];
        for &column in &self.drop_nulls {
            let array = view.array(column)?;
            if array.null_count() > 0 {
                for (row, keep) in keep.iter_mut().enumerate() {
                    *keep &= array.is_valid(row);
                }
            }
        }
        if let Some(filter) = &self.filter {
            let array = view.evaluate(filter, number, "filter", rejected)?;
            let array = array.as_boolean();
            for (row, keep) in keep.iter_mut().enumerate() {
                *keep &= array.is_valid(row) && array.value(row);
            }
        }
        Ok(Some(keep))
    }

    /// Moves the rows of accepted records into part files.
    fn pass_on(
        &mut self,
        number: usize,
        batch: &TableBatch,
        records: u32,
        judged: Judged,
        gone: &BTreeSet<u32>,
        parts: &mut Parts,
    ) -> Result<(), Failure> {
        let values = |&column: &usize| match self.sources[column] {
            ColumnSource::Read(i) => Some(&batch.columns[i]),
            ColumnSource::Replaced(_) | ColumnSource::Made => judged.made.get(column)?.as_ref(),
        };
        let columns: Vec<&Column> = self
            .written
            .iter()
            .map(|column| values(column).ok_or_else(|| Failure::internal("a column was not made")))
            .collect::<Result<_, _>>()?;
        let dropped = if gone.is_empty() { batch.dropped } else { dropped(batch, gone) };
        self.made += dropped;
        self.filtered += dropped;
        let rows = batch.rows as usize;
        if gone.is_empty() && judged.keep.is_none() && judged.partitions.is_none() {
            self.made += rows as u64;
            self.out += rows as u64;
            if rows > 0 {
                parts.add(number, "", &columns, &batch.counts, &PartRows::All, rows)?;
            }
            return Ok(());
        }
        let row_records =
            if judged.row_records.is_empty() { batch.row_records(records) } else { judged.row_records };
        let everywhere = hive::Paths::new(0);
        let partitions = judged.partitions.as_ref().unwrap_or(&everywhere);
        let mut by_path: Vec<Vec<u32>> = vec![Vec::new(); partitions.distinct.len()];
        for row in 0..rows {
            if gone.contains(&row_records[row]) {
                continue;
            }
            self.made += 1;
            if judged.keep.as_ref().is_some_and(|keep| !keep[row]) {
                self.filtered += 1;
                continue;
            }
            self.out += 1;
            let path = partitions.rows.get(row).map_or(0, |&path| path as usize);
            by_path[path].push(row as u32);
        }
        // In the order of the paths, so that part files are opened alike however records are batched.
        let mut filled: Vec<(&String, Vec<u32>)> = partitions.distinct.iter().zip(by_path).collect();
        filled.retain(|(_, rows)| !rows.is_empty());
        filled.sort_unstable_by_key(|(path, _)| *path);
        for (path, rows) in filled {
            let count = rows.len();
            let rows = PartRows::Some(&rows, &row_records);
            parts.add(number, path, &columns, &batch.counts, &rows, count)?;
        }
        Ok(())
    }
}

fn dropped(batch: &TableBatch, gone: &BTreeSet<u32>) -> u64 {
    let empty = |(record, count): (usize, &u32)| *count == 0 && !gone.contains(&(record as u32));
    batch.counts.iter().enumerate().filter(|&(record, count)| empty((record, count))).count() as u64
}

#[cold]
fn derived_too_large() -> Failure {
    let most = DERIVED_TEXT_BYTES >> 20;
    Failure::limit(
        Code::RowsTooLarge,
        format!("the derived columns of some rows have more than {most} MiB of text"),
    )
    .hint("are long texts of a parent derived anew on each row of an array? leave such columns out")
}

/// Rejects the records of rows whose partition could have no folder: committed, it could never be published.
fn refuse_paths(paths: &hive::Paths, table: usize, judged: &Judged, rejected: &mut BTreeMap<u32, Reject>) {
    for (row, _) in paths.rows.iter().enumerate().filter(|(_, path)| **path == hive::TOO_LONG) {
        if judged.keep.as_ref().is_none_or(|keep| keep[row]) {
            rejected.entry(judged.row_records[row]).or_insert_with(|| Reject {
                code: "partition_too_long",
                message: format!(
                    "a partition's folder may have {FOLDER_BYTES} bytes, its whole path {PATH_BYTES}"
                ),
                path: None,
                table: Some(table),
                at: None,
            });
        }
    }
}

fn run_check(
    check: &Check,
    array: &ArrayRef,
    table: usize,
    judged: &Judged,
    rejected: &mut BTreeMap<u32, Reject>,
) -> Result<u64, Failure> {
    let array = array.as_boolean();
    let mut failed = 0;
    for row in 0..array.len() {
        let kept = judged.keep.as_ref().is_none_or(|keep| keep[row]);
        if !kept || array.is_null(row) || array.value(row) {
            continue;
        }
        failed += 1;
        match check.on_fail {
            OnFail::Warn => {}
            OnFail::Fail => {
                return Err(Failure::input(Code::CheckFailed, format!("the check `{}` failed", check.name))
                    .hint("its on_fail is \"fail\": nothing of this source object was taken"));
            }
            OnFail::Reject => {
                let reject = Reject {
                    code: "check_failed",
                    message: format!("the check `{}` failed", check.name),
                    path: None,
                    table: Some(table),
                    at: None,
                };
                rejected.entry(judged.row_records[row]).or_insert(reject);
            }
        }
    }
    Ok(failed)
}

/// The rows of a batch as Arrow arrays, made when an expression asks for them.
struct View<'a> {
    table: &'a TableRows,
    batch: &'a TableBatch,
    row_records: &'a [u32],
    /// By record of the batch.
    numbers: &'a [u64],
    rows: usize,
    arrays: Vec<Option<ArrayRef>>,
    /// The number of each row's record.
    records: Option<ArrayRef>,
}

impl<'a> View<'a> {
    fn new(table: &'a TableRows, batch: &'a TableBatch, row_records: &'a [u32], numbers: &'a [u64]) -> Self {
        let arrays = vec![None; table.contract.columns.len()];
        Self { table, batch, row_records, numbers, rows: batch.rows as usize, arrays, records: None }
    }

    /// The number of each row's record, as an array.
    fn number_records(&mut self) {
        if self.records.is_none() {
            let number = |&record: &u32| self.numbers.get(record as usize).map(|&number| number as i64);
            self.records = Some(Arc::new(self.row_records.iter().map(number).collect::<Int64Array>()));
        }
    }

    fn array(&mut self, column: usize) -> Result<ArrayRef, Failure> {
        if let Some(array) = &self.arrays[column] {
            return Ok(array.clone());
        }
        let array = match self.table.sources[column] {
            ColumnSource::Read(i) | ColumnSource::Replaced(i) => {
                let slots = (self.batch.levels[i] == Level::Record).then_some(self.row_records);
                self.batch.columns[i].to_arrow(slots)?
            }
            // What is made is put here as soon as it is; nobody makes the columns of an extension that is gone.
            ColumnSource::Made => {
                Column::nulls(self.table.contract.columns[column].ty, self.rows).to_arrow(None)?
            }
        };
        self.arrays[column] = Some(array.clone());
        Ok(array)
    }

    fn evaluate(
        &mut self,
        expression: &expr::Expr,
        table: usize,
        what: &str,
        rejected: &mut BTreeMap<u32, Reject>,
    ) -> Result<ArrayRef, Failure> {
        for &column in expression.columns() {
            self.array(column)?;
        }
        if expression.uses_records() {
            self.number_records();
        }
        let mut errors = expr::RowErrors::new();
        let records = self.records.as_ref();
        let batch = expr::Batch { rows: self.rows, columns: &self.arrays, records };
        let array = expression.evaluate(&batch, &mut errors);
        for (row, error) in errors.iter() {
            rejected.entry(self.row_records[row]).or_insert_with(|| Reject {
                code: error.code,
                message: format!("{what}: {error}"),
                path: None,
                table: Some(table),
                at: None,
            });
        }
        Ok(array)
    }
}

/// Where each column of a contract comes from, given the names of the columns that are read.
pub fn sources(contract: &Contract, extension: Option<&TableExtension>) -> Vec<ColumnSource> {
    let mut read = 0;
    let mut source = |(at, column): (usize, &ContractColumn)| match column.origin {
        Origin::Pointer(_) | Origin::Rest(_) => {
            read += 1;
            match extension {
                Some(extension) if extension.makes.contains(&at) => ColumnSource::Replaced(read - 1),
                _ => ColumnSource::Read(read - 1),
            }
        }
        Origin::Rescued | Origin::Sql(_) | Origin::Transform(_) => ColumnSource::Made,
    };
    contract.columns.iter().enumerate().map(&mut source).collect()
}
