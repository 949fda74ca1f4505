//! A query's result as a Parquet file: columns in Arrow's layout in, row group after row group out.
//!
//! Not for what a lake gets (the component makes that). The one decision to know: it is the `parquet` crate's own column
//! writer, without Arrow: columns are flat, and the page has made texts of all that is not.

use std::io::{Result as IoResult, Write};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::layout::{Buffers, Layout, append, bit};

/// Digits that fit into 32 and 64 bits.
const DIGITS: [u8; 2] = [9, 18];

/// A file that is being written.
pub struct ResultFile {
    writer: SerializedFileWriter<Out>,
    layouts: Vec<Layout>,
    /// The row group that comes next.
    group: Vec<Buffers>,
    out: Out,
}

/// Bytes that were written and not taken.
#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

impl ResultFile {
    /// Of columns with these names and layouts.
    ///
    /// # Errors
    /// A column that Parquet cannot have.
    pub fn new(columns: &[(String, Layout)]) -> Result<Self> {
        let fields = columns.iter().map(|(name, layout)| field(name, *layout).map(Arc::new));
        let schema =
            Type::group_type_builder("result").with_fields(fields.collect::<Result<_>>()?).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("lakegate-inspect ", env!("CARGO_PKG_VERSION")).to_owned());
        let out = Out::default();
        let writer = SerializedFileWriter::new(out.clone(), Arc::new(schema), Arc::new(properties.build()))?;
        let layouts: Vec<Layout> = columns.iter().map(|(_, layout)| *layout).collect();
        Ok(Self { writer, group: empty(&layouts), layouts, out })
    }

    /// Adds values to a column of the row group that comes next.
    ///
    /// # Errors
    /// There is no such column, or they are cut off.
    pub fn add(&mut self, column: usize, values: &Buffers) -> Result<()> {
        let layout = self.layouts.get(column).zip(self.group.get_mut(column));
        let (layout, into) = layout.ok_or_else(|| ParquetError::EOF("a column too many".into()))?;
        append(*layout, into, values)
    }

    /// Writes the row group.
    ///
    /// # Errors
    /// Its columns are of different lengths.
    pub fn write(&mut self) -> Result<()> {
        let columns = std::mem::replace(&mut self.group, empty(&self.layouts));
        let mut group = self.writer.next_row_group()?;
        for (layout, values) in self.layouts.iter().zip(&columns) {
            let mut column =
                group.next_column()?.ok_or_else(|| ParquetError::EOF("a column too many".into()))?;
            put(column.untyped(), *layout, values)?;
            column.close()?;
        }
        group.close()?;
        Ok(())
    }

    /// Takes what was written since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes the footer; take the last bytes after it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(&mut self) -> Result<()> {
        self.writer.finish().map(drop)
    }
}

fn empty(layouts: &[Layout]) -> Vec<Buffers> {
    layouts.iter().map(|layout| Buffers::new(*layout, 0)).collect()
}

fn field(name: &str, layout: Layout) -> Result<Type> {
    let (physical, logical) = match layout {
        Layout::Boolean => (Physical::BOOLEAN, None),
        Layout::Integer(bits, signed) => {
            let physical = if bits == 64 { Physical::INT64 } else { Physical::INT32 };
            let plain = signed && bits >= 32;
            (physical, (!plain).then(|| LogicalType::integer(i8::try_from(bits).unwrap_or(64), signed)))
        }
        Layout::Float => (Physical::FLOAT, None),
        Layout::Double => (Physical::DOUBLE, None),
        Layout::Date => (Physical::INT32, Some(LogicalType::Date)),
        Layout::Timestamp(digits) => {
            let unit = match digits {
                3 => TimeUnit::MILLIS,
                6 => TimeUnit::MICROS,
                _ => TimeUnit::NANOS,
            };
            (Physical::INT64, Some(LogicalType::timestamp(false, unit)))
        }
        Layout::Instant => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Layout::Time => (Physical::INT64, Some(LogicalType::time(false, TimeUnit::MICROS))),
        Layout::Decimal(precision, scale) => {
            let physical = match precision {
                precision if precision <= DIGITS[0] => Physical::INT32,
                precision if precision <= DIGITS[1] => Physical::INT64,
                _ => Physical::FIXED_LEN_BYTE_ARRAY,
            };
            (physical, Some(LogicalType::decimal(i32::from(scale), i32::from(precision))))
        }
        Layout::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Layout::Binary => (Physical::BYTE_ARRAY, None),
    };
    let mut builder = Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    if let Layout::Decimal(precision, scale) = layout {
        builder = builder.with_precision(i32::from(precision)).with_scale(i32::from(scale)).with_length(16);
    }
    builder.build()
}

/// Writes the values of a column into its chunk.
fn put(column: &mut ColumnWriter<'_>, layout: Layout, values: &Buffers) -> Result<()> {
    let levels: Vec<i16> = (0..values.rows).map(|row| i16::from(values.is_valid(row))).collect();
    let present = (0..values.rows).filter(|row| values.is_valid(*row));
    let levels = Some(levels.as_slice());
    let written = match column {
        ColumnWriter::BoolColumnWriter(column) => {
            let bits: Vec<bool> = present.map(|row| bit(&values.values, row)).collect();
            column.write_batch(&bits, levels, None)
        }
        ColumnWriter::Int32ColumnWriter(column) => {
            // Of shorter integers, what is below 32 bits; of decimals, all that a short one has.
            let numbers = present.map(|row| integer(values, layout, row).map(|value| value as i32));
            column.write_batch(&numbers.collect::<Result<Vec<i32>>>()?, levels, None)
        }
        ColumnWriter::Int64ColumnWriter(column) => {
            let numbers = present.map(|row| integer(values, layout, row));
            column.write_batch(&numbers.collect::<Result<Vec<i64>>>()?, levels, None)
        }
        ColumnWriter::FloatColumnWriter(column) => {
            let numbers = present.map(|row| fixed(values, row).map(f32::from_le_bytes));
            column.write_batch(&numbers.collect::<Result<Vec<f32>>>()?, levels, None)
        }
        ColumnWriter::DoubleColumnWriter(column) => {
            let numbers = present.map(|row| fixed(values, row).map(f64::from_le_bytes));
            column.write_batch(&numbers.collect::<Result<Vec<f64>>>()?, levels, None)
        }
        ColumnWriter::ByteArrayColumnWriter(column) => {
            let texts = present.map(|row| bytes(values, row).map(|bytes| ByteArray::from(bytes.to_vec())));
            column.write_batch(&texts.collect::<Result<Vec<ByteArray>>>()?, levels, None)
        }
        ColumnWriter::FixedLenByteArrayColumnWriter(column) => {
            let turned =
                |value: [u8; 16]| FixedLenByteArray::from(value.iter().rev().copied().collect::<Vec<u8>>());
            let numbers = present.map(|row| fixed(values, row).map(turned));
            column.write_batch(&numbers.collect::<Result<Vec<FixedLenByteArray>>>()?, levels, None)
        }
        ColumnWriter::Int96ColumnWriter(_) => return Err(ParquetError::NYI("INT96".into())),
    };
    written.map(drop)
}

/// A number of any width; of 128 bits the lower 64, which hold every decimal that is written so.
fn integer(values: &Buffers, layout: Layout, row: usize) -> Result<i64> {
    Ok(match layout {
        Layout::Integer(8, true) => i64::from(i8::from_le_bytes(fixed(values, row)?)),
        Layout::Integer(8, false) => i64::from(u8::from_le_bytes(fixed(values, row)?)),
        Layout::Integer(16, true) => i64::from(i16::from_le_bytes(fixed(values, row)?)),
        Layout::Integer(16, false) => i64::from(u16::from_le_bytes(fixed(values, row)?)),
        Layout::Integer(32, _) | Layout::Date => i64::from(i32::from_le_bytes(fixed(values, row)?)),
        Layout::Decimal(..) => i128::from_le_bytes(fixed(values, row)?) as i64,
        _ => i64::from_le_bytes(fixed(values, row)?),
    })
}

/// The bytes of a value of that width.
fn fixed<const WIDTH: usize>(values: &Buffers, row: usize) -> Result<[u8; WIDTH]> {
    let bytes = values.values.get(row * WIDTH..).and_then(|rest| rest.first_chunk());
    bytes.copied().ok_or_else(|| ParquetError::EOF("values of a result that are cut off".into()))
}

/// The bytes of a value of any length.
fn bytes(values: &Buffers, row: usize) -> Result<&[u8]> {
    let end = |index: usize| values.ends.get(index).and_then(|end| usize::try_from(*end).ok());
    let text = end(row).zip(end(row + 1)).and_then(|(start, end)| values.values.get(start..end));
    text.ok_or_else(|| ParquetError::EOF("texts of a result that are cut off".into()))
}

#[cfg(test)]
#[path = "result_tests.rs"]
mod tests;
