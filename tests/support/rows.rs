//! Parquet back into text: the schema and every row, through the parquet crate's reader.
//!
//! For: comparing what was written with what was expected. Not for: judging the encoding (other
//! readers do that). The decision to know: the reader is not the project's own code, so a wrong page
//! or a wrong level shows here as an error or a wrong cell.

use std::io::Write;

use anyhow::{Context, Result, bail};
use arrow::array::{
    Array, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::cells;

/// A part file as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartText {
    /// Name and type of each column; JSON text reads as `string`.
    pub schema: Vec<(String, String)>,
    /// Rows of cells.
    pub rows: Vec<Vec<String>>,
    /// Key-value metadata whose keys start with `lakegate.`, sorted.
    pub metadata: Vec<(String, String)>,
}

/// Reads a whole part file.
///
/// # Errors
/// Whatever the Parquet reader finds wrong, and types that no Lakegate column has.
pub fn read(bytes: &[u8]) -> Result<PartText> {
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).context("opening the part file")?;
    let mut metadata: Vec<(String, String)> = builder
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .into_iter()
        .flatten()
        .filter(|pair| pair.key.starts_with("lakegate."))
        .map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default()))
        .collect();
    metadata.sort();
    let schema = builder
        .schema()
        .fields()
        .iter()
        .map(|field| Ok((field.name().clone(), type_name(field)?)))
        .collect::<Result<_>>()?;
    let mut rows = Vec::new();
    for batch in builder.build()? {
        let batch = batch.context("reading rows")?;
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|column| cell(column, row)).collect::<Result<_>>()?);
        }
    }
    Ok(PartText { schema, rows, metadata })
}

fn type_name(field: &Field) -> Result<String> {
    Ok(match field.data_type() {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Utf8 => "string".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(TimeUnit::Millisecond, Some(_)) => "timestamp".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp(6)".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        other => bail!("column {} has the type {other}, which no contract knows", field.name()),
    })
}

fn cell(column: &dyn Array, row: usize) -> Result<String> {
    fn of<T: 'static>(column: &dyn Array) -> Result<&T> {
        column.as_any().downcast_ref().context("array of another type than its schema")
    }
    if column.is_null(row) {
        return Ok("null".to_owned());
    }
    Ok(match column.data_type() {
        DataType::Boolean => of::<BooleanArray>(column)?.value(row).to_string(),
        DataType::Int64 => of::<Int64Array>(column)?.value(row).to_string(),
        DataType::Float64 => cells::double(of::<Float64Array>(column)?.value(row)),
        DataType::Utf8 => cells::text(of::<StringArray>(column)?.value(row)),
        DataType::Date32 => cells::date(i64::from(of::<Date32Array>(column)?.value(row))),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            cells::timestamp_micros(of::<TimestampMicrosecondArray>(column)?.value(row))
        }
        DataType::Timestamp(..) => cells::timestamp(of::<TimestampMillisecondArray>(column)?.value(row)),
        DataType::Decimal128(_, scale) => {
            cells::decimal(of::<Decimal128Array>(column)?.value(row), usize::try_from(*scale)?)
        }
        other => bail!("no cell of type {other}"),
    })
}
