//! An extension: a function from `RecordBatch` to `RecordBatch` inside the pipeline.
//!
//! For: masking, scoring, looking something up: what SQL expressions cannot say. Not for: rows that come
//! or go (that is `rows` and `filter`), or another input format (that is a [`crate::Transform`] of one's own).
//!
//! The decision to know: it runs after derived columns are made and before filters, checks and
//! partitions. So it can use whatever the spec derives, and the spec can filter, check and partition by
//! whatever it makes. Derived columns cannot use the columns it adds: one order has to be fixed.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DecimalType, Field, Float64Type, Schema, SchemaRef, TimestampMicrosecondType,
    TimestampMillisecondType,
};
use serde::de::IgnoredAny;

use crate::column::{Column, ColumnType};
use crate::column_arrow::ArrowType as _;
use crate::error::{Code, Failure};
use crate::names;
use crate::value::time;

/// A function over the rows of a table.
///
/// Its answer may depend on nothing but the row, the table's name and the code: then the same input gives
/// the same bytes on every host, today and when it is replayed. It has no clock, no files, no network and
/// no random numbers; in the sandbox there are none.
pub trait Extension: Send + Sync + 'static {
    /// Name that `describe` tells and that the contract gives as the origin of added columns.
    fn name(&self) -> &'static str;

    /// Semantic version that `describe` tells.
    fn version(&self) -> &'static str;

    /// What it does to a table with these columns (read and derived ones, in the contract's order). Asked
    /// when a contract is agreed and again when a job opens; the same question must get the same answer.
    ///
    /// # Errors
    /// A sentence that says why it cannot work on such a table: the job does not open.
    fn changes(&self, table: &str, columns: &[(String, ColumnType)]) -> Result<Changes, String>;

    /// One batch of rows, at most some thousands of records; never empty.
    ///
    /// The answer has as many rows, in the same order. Its columns are found by name: every added and every
    /// replaced one must be there, in the type that [`ArrowType::arrow_type`](crate::ArrowType::arrow_type) gives; the others may be left
    /// out, and where they are there they must be the arrays that were given. A double that is not finite, a
    /// decimal with too many digits, and a date or time beyond the years 1 to 9999 reject their record.
    ///
    /// Rows of records that were rejected already are among them, with null for what failed.
    ///
    /// # Errors
    /// A sentence, without values of the input: the whole source object fails. For a bad row there is `rejects`.
    fn apply(&self, table: &str, rows: &RecordBatch, rejects: &mut Rejects) -> Result<RecordBatch, String>;
}

/// What an extension does to a table's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New columns, at the end of the contract, in this order.
    pub adds: Vec<(String, ColumnType)>,
    /// Columns whose values it replaces; name and type stay.
    pub replaces: Vec<String>,
}

impl Changes {
    /// Adds a column.
    #[must_use]
    pub fn add(mut self, name: impl Into<String>, ty: ColumnType) -> Self {
        self.adds.push((name.into(), ty));
        self
    }

    /// Replaces the values of a column.
    #[must_use]
    pub fn replace(mut self, name: impl Into<String>) -> Self {
        self.replaces.push(name.into());
        self
    }
}

/// Rows whose records go into quarantine, whole and out of every table, each with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejects {
    rows: BTreeMap<usize, String>,
}

impl Rejects {
    /// Rejects the record of a row of the batch; of two reasons the first stays. The reason is one sentence
    /// that holds no value of the input, since it may go into logs.
    pub fn row(&mut self, row: usize, why: impl Into<String>) {
        self.rows.entry(row).or_insert_with(|| why.into());
    }

    /// Rows and reasons, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &str)> {
        self.rows.iter().map(|(row, why)| (*row, why.as_str()))
    }

    /// Whether no row is rejected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Runs an extension over one batch with the checks that a job makes: for its tests. The answer holds the
/// added and the replaced columns.
///
/// # Errors
/// What a job would fail with.
pub fn try_on(
    extension: &impl Extension,
    table: &str,
    rows: &RecordBatch,
) -> Result<(RecordBatch, Rejects), Failure> {
    let column = |field: &Arc<Field>| {
        let ty = ColumnType::of_arrow(field.data_type());
        let ty = ty.ok_or_else(|| broken(extension, &format!("no column is {}", field.data_type())))?;
        Ok((field.name().clone(), ty))
    };
    let given = rows.schema_ref().fields().iter().map(column).collect::<Result<_, Failure>>()?;
    let bound = Bound::new(extension, table, given)?;
    let mut rejects = Rejects::default();
    let made = bound.apply(extension, table, rows.columns().to_vec(), rows.num_rows(), &mut rejects)?;
    let fields: Vec<Field> =
        bound.changed().map(|(name, ty)| Field::new(name, ty.arrow_type(), true)).collect();
    let arrays = made.iter().map(|column| column.to_arrow(None)).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    let made = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|error| broken(extension, &error))?;
    Ok((made, rejects))
}

/// An extension's agreed work on one table.
pub(crate) struct Bound {
    changes: Changes,
    given: Vec<(String, ColumnType)>,
    schema: SchemaRef,
}

impl Bound {
    /// Asks for the changes and checks them.
    ///
    /// # Errors
    /// The extension refuses the table, or names columns that cannot be.
    pub(crate) fn new(
        extension: &dyn Extension,
        table: &str,
        given: Vec<(String, ColumnType)>,
    ) -> Result<Self, Failure> {
        let changes = extension.changes(table, &given).map_err(|why| {
            Failure::spec(Code::ExtensionRefused, format!("table `{table}`: {}: {why}", extension.name()))
        })?;
        let is_given = |name: &String| given.iter().any(|(known, _)| known == name);
        for (at, (name, ty)) in changes.adds.iter().enumerate() {
            if is_given(name) {
                return Err(Failure::spec(
                    Code::ContractConflict,
                    format!("table `{table}`: {} adds `{name}`, which is a column already", extension.name()),
                )
                .hint("give the input's column another name in the spec, or add it under another one"));
            }
            if !names::is_valid(name) || changes.adds[..at].iter().any(|(before, _)| before == name) {
                return Err(broken(extension, &format!("`{name}` cannot be the name of an added column")));
            }
            if *ty == ColumnType::Json {
                return Err(broken(extension, &format!("`{name}` is json: add it as string")));
            }
        }
        if let Some(name) = changes.replaces.iter().find(|name| !is_given(name)) {
            return Err(broken(extension, &format!("it replaces `{name}`, which is no column of `{table}`")));
        }
        let fields: Vec<Field> =
            given.iter().map(|(name, ty)| Field::new(name, ty.arrow_type(), true)).collect();
        Ok(Self { changes, given, schema: Arc::new(Schema::new(fields)) })
    }

    /// Name and type of the columns that [`Bound::apply`] makes: the added ones, then the replaced ones.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        let ty = |name: &String| self.given.iter().find(|(n, _)| n == name).map(|(_, ty)| *ty);
        let replaced = self.changes.replaces.iter().filter_map(move |name| Some((name.as_str(), ty(name)?)));
        self.changes.adds.iter().map(|(name, ty)| (name.as_str(), *ty)).chain(replaced)
    }

    /// Columns that are added.
    pub(crate) fn adds(&self) -> &[(String, ColumnType)] {
        &self.changes.adds
    }

    /// The values of [`Bound::changed`] for these rows.
    ///
    /// # Errors
    /// The extension fails, or its answer is not what it declared.
    pub(crate) fn apply(
        &self,
        extension: &dyn Extension,
        table: &str,
        arrays: Vec<ArrayRef>,
        rows: usize,
        rejects: &mut Rejects,
    ) -> Result<Vec<Column>, Failure> {
        if rows == 0 {
            return Ok(self.changed().map(|(_, ty)| Column::new(ty)).collect());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let given = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            .map_err(|e| broken(extension, &e))?;
        let made = extension.apply(table, &given, rejects).map_err(|why| broken(extension, &why))?;
        if made.num_rows() != rows {
            let told = format!("{rows} rows went in, {} came out", made.num_rows());
            return Err(broken(extension, &told));
        }
        if let Some((row, _)) = rejects.rows.last_key_value().filter(|(row, _)| **row >= rows) {
            return Err(broken(extension, &format!("it rejects row {row} of a batch of {rows}")));
        }
        self.check_others(extension, &given, &made)?;
        self.changed()
            .map(|(name, ty)| {
                let array = made
                    .column_by_name(name)
                    .ok_or_else(|| broken(extension, &format!("`{name}` is not in its answer")))?;
                if *array.data_type() != ty.arrow_type() {
                    let (wanted, is) = (ty.arrow_type(), array.data_type());
                    return Err(broken(extension, &format!("`{name}` came as {is}, {ty} is {wanted}")));
                }
                refuse_values(name, ty, array, rejects);
                Column::from_arrow(ty, &within_calendar(ty, array))
            })
            .collect()
    }

    /// A value that changes although nobody said so would miss the part file, or worse: be thought masked.
    fn check_others(
        &self,
        extension: &dyn Extension,
        given: &RecordBatch,
        made: &RecordBatch,
    ) -> Result<(), Failure> {
        for (field, array) in made.schema_ref().fields().iter().zip(made.columns()) {
            let name = field.name();
            if self.changed().any(|(changed, _)| changed == name) {
                continue;
            }
            match given.column_by_name(name) {
                None => return Err(broken(extension, &format!("`{name}` is not among its changes"))),
                Some(before) if !array.to_data().ptr_eq(&before.to_data()) => {
                    let told = format!("`{name}` came back as another array, but is not among its changes");
                    return Err(broken(extension, &told));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Values that no column may hold reject their records.
fn refuse_values(name: &str, ty: ColumnType, array: &ArrayRef, rejects: &mut Rejects) {
    let mut refuse = |fits: &dyn Fn(usize) -> bool, why: &str| {
        for row in (0..array.len()).filter(|&row| array.is_valid(row)) {
            if !fits(row) {
                rejects.row(row, format!("{name}: {why}"));
            }
        }
    };
    match ty {
        ColumnType::Double => {
            let values = array.as_primitive::<Float64Type>();
            refuse(&|row| values.value(row).is_finite(), "the number is not finite");
        }
        ColumnType::Decimal { precision, .. } => {
            let values = array.as_primitive::<Decimal128Type>();
            let fits = |row| Decimal128Type::is_valid_decimal_precision(values.value(row), precision);
            refuse(&fits, "the number has too many digits");
        }
        ColumnType::Date => {
            let values = array.as_primitive::<Date32Type>();
            refuse(&|row| time::is_day(values.value(row)), "the date is beyond the years 1 to 9999");
        }
        ColumnType::Timestamp => {
            let values = array.as_primitive::<TimestampMillisecondType>();
            refuse(&|row| time::is_moment(values.value(row)), "the time is beyond the years 1 to 9999");
        }
        ColumnType::TimestampMicros => {
            let values = array.as_primitive::<TimestampMicrosecondType>();
            let fits = |row| time::is_moment(values.value(row).div_euclid(time::MS_US));
            refuse(&fits, "the time is beyond the years 1 to 9999");
        }
        ColumnType::Json => {
            let values = array.as_string::<i32>();
            let fits = |row| serde_json::from_str::<IgnoredAny>(values.value(row)).is_ok();
            refuse(&fits, "the text is not JSON");
        }
        _ => {}
    }
}

/// Dates and times beyond the calendar as nulls: their records are rejected, but expressions see them before.
fn within_calendar(ty: ColumnType, array: &ArrayRef) -> ArrayRef {
    match ty {
        ColumnType::Date => {
            let days = array.as_primitive::<Date32Type>().iter();
            Arc::new(days.map(|day| day.filter(|day| time::is_day(*day))).collect::<Date32Array>())
        }
        ColumnType::Timestamp => {
            let times = array.as_primitive::<TimestampMillisecondType>().iter();
            let times = times.map(|moment| moment.filter(|moment| time::is_moment(*moment)));
            Arc::new(times.collect::<TimestampMillisecondArray>())
        }
        ColumnType::TimestampMicros => {
            let times = array.as_primitive::<TimestampMicrosecondType>().iter();
            let is_moment = |micros: &i64| time::is_moment(micros.div_euclid(time::MS_US));
            let times = times.map(|moment| moment.filter(is_moment));
            Arc::new(times.collect::<TimestampMicrosecondArray>())
        }
        _ => array.clone(),
    }
}

/// The extension does not keep to what this file says.
fn broken(extension: &(impl Extension + ?Sized), why: &impl ToString) -> Failure {
    let message = format!("{} {}: {}", extension.name(), extension.version(), why.to_string());
    Failure { code: "extension_failed", ..Failure::internal(message) }
}
