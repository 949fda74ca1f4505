//! A day's loads as a Parquet file with the columns of the table that SQL reads it by.
//!
//! Not for which days there are. The decision to know: columns and types come from the table's own definition, so that the
//! file cannot say otherwise than the catalog does.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::error::ArrowError;
use bytes::Bytes;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::history::{Column, rolled_table};
use lakegate_lake::lake::Load;
use lakegate_lake::operate::maintain::DayFormat;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;

/// Loads as Parquet.
pub struct DayFile;

impl DayFormat for DayFile {
    fn file(&self, loads: &[Load]) -> Result<Vec<u8>> {
        let lines: Vec<Value> = loads
            .iter()
            .map(serde_json::to_value)
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| Error::new(Code::Json, error.to_string()))?;
        let columns = rolled_table("", "").columns;
        written(&columns, &lines)
            .map_err(|error| Error::new(Code::Io, format!("a day of the history: {error}")))
    }

    fn loads(&self, file: &[u8]) -> Option<u64> {
        let reader = SerializedFileReader::new(Bytes::copy_from_slice(file)).ok()?;
        u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
    }
}

fn written(columns: &[Column], lines: &[Value]) -> std::result::Result<Vec<u8>, ArrowError> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for column in columns {
        let ty = type_of(column.ty)?;
        let values: Vec<&Value> = lines.iter().map(|line| field(line, column.name)).collect();
        arrays.push(array(&ty, &values)?);
        fields.push(Field::new(column.name, ty, true));
    }
    let schema = Arc::new(Schema::new(fields));
    let rows = RecordBatch::try_new(schema.clone(), arrays)?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&rows)?;
    Ok(writer.into_inner()?)
}

fn field<'v>(line: &'v Value, name: &str) -> &'v Value {
    line.get(name).unwrap_or(&Value::Null)
}

/// Athena's name of a type as Arrow's.
fn type_of(text: &str) -> std::result::Result<DataType, ArrowError> {
    let within = |before: &str| text.strip_prefix(before)?.strip_suffix('>');
    if let Some(item) = within("array<") {
        return Ok(DataType::List(item_field(type_of(item)?)));
    }
    if let Some(fields) = within("struct<") {
        let fields = fields.split(',').filter_map(|field| field.split_once(':'));
        let fields = fields.map(|(name, ty)| Ok(Field::new(name, type_of(ty)?, true)));
        return Ok(DataType::Struct(fields.collect::<std::result::Result<Fields, ArrowError>>()?));
    }
    match text {
        "string" => Ok(DataType::Utf8),
        "bigint" => Ok(DataType::Int64),
        "int" => Ok(DataType::Int32),
        "boolean" => Ok(DataType::Boolean),
        other => Err(ArrowError::SchemaError(format!("no type {other}"))),
    }
}

/// As Parquet's readers name the elements of a list.
fn item_field(ty: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", ty, true))
}

fn array(ty: &DataType, values: &[&Value]) -> std::result::Result<ArrayRef, ArrowError> {
    let there = || NullBuffer::from_iter(values.iter().map(|value| !value.is_null()));
    Ok(match ty {
        DataType::Utf8 => Arc::new(values.iter().map(|value| text(value)).collect::<StringArray>()),
        DataType::Int64 => Arc::new(values.iter().map(|value| value.as_i64()).collect::<Int64Array>()),
        DataType::Int32 => {
            let small = |value: &&Value| value.as_i64().and_then(|number| i32::try_from(number).ok());
            Arc::new(values.iter().map(small).collect::<Int32Array>())
        }
        DataType::Boolean => Arc::new(values.iter().map(|value| value.as_bool()).collect::<BooleanArray>()),
        DataType::List(item) => {
            let lists: Vec<&[Value]> =
                values.iter().map(|value| value.as_array().map_or(&[][..], Vec::as_slice)).collect();
            let items: Vec<&Value> = lists.iter().flat_map(|list| list.iter()).collect();
            let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.len()));
            let items = array(item.data_type(), &items)?;
            Arc::new(ListArray::try_new(item.clone(), offsets, items, Some(there()))?)
        }
        DataType::Struct(fields) => {
            let column = |one: &Arc<Field>| {
                let values: Vec<&Value> = values.iter().map(|value| field(value, one.name())).collect();
                array(one.data_type(), &values)
            };
            let columns = fields.iter().map(column).collect::<std::result::Result<_, _>>()?;
            Arc::new(StructArray::try_new(fields.clone(), columns, Some(there()))?)
        }
        other => return Err(ArrowError::SchemaError(format!("no values of {other}"))),
    })
}

/// A text; of what is more than a text its JSON, as SQL has it from a line.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        more => Some(more.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Int64Type;
    use lakegate_lake::lake::LoadedTable;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use serde_json::json;

    fn loads() -> Vec<Load> {
        let table = LoadedTable { table: "t".into(), rows: 7, ..LoadedTable::default() };
        let load = Load {
            line: 1,
            source: "s3://raw/x".into(),
            generation: 2,
            rows: 7,
            requests: None,
            as_previewed: Some(true),
            tables: vec![table.clone(), table],
            replaces: vec![1],
            told: json!({"catalog": {"tables": []}}),
            ..Load::default()
        };
        vec![load, Load::default()]
    }

    #[test]
    fn a_day_is_read_back_as_it_was_written() {
        let file = DayFile.file(&loads()).unwrap();
        assert_eq!(DayFile.loads(&file), Some(2));
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
        let rows = reader.build().unwrap().next().unwrap().unwrap();
        let columns = rolled_table("", "").columns;
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        assert_eq!(rows.schema().fields().iter().map(|field| field.name()).collect::<Vec<_>>(), names);
        let column = |name: &str| rows.column_by_name(name).unwrap().clone();
        assert_eq!(column("source").as_string::<i32>().value(0), "s3://raw/x");
        assert_eq!(column("rows").as_primitive::<Int64Type>().value(0), 7);
        assert!(column("requests").is_null(0) && column("told").is_null(1) && column("void").is_null(0));
        assert!(column("as_previewed").as_boolean().value(0));
        assert_eq!(column("told").as_string::<i32>().value(0), r#"{"catalog":{"tables":[]}}"#);
        let tables = column("tables").as_list::<i32>().value(0);
        assert_eq!(tables.len(), 2);
        let made = tables.as_struct().column_by_name("rows").unwrap().clone();
        assert_eq!(made.as_primitive::<Int64Type>().value(1), 7);
        assert_eq!(column("tables").as_list::<i32>().value(1).len(), 0);
    }

    #[test]
    fn the_same_loads_are_the_same_bytes_and_no_day_is_no_file() {
        assert_eq!(DayFile.file(&loads()).unwrap(), DayFile.file(&loads()).unwrap());
        assert_eq!(DayFile.loads(b"half of"), None);
        assert_eq!(DayFile.loads(&DayFile.file(&[]).unwrap()), Some(0));
    }
}
