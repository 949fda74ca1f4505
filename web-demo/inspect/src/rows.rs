//! Rows of a file, a screenful at a time.
//!
//! Not for repeated columns: the transform makes none. The one decision to know: columns are read one by one
//! and skip to the first row by whole pages, so that the last screenful of a large file comes as fast as the first.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, FileReader};
use parquet::file::serialized_reader::SerializedFileReader;

use crate::show::{Kind, double};

/// Values as text, one list a column.
pub type Columns = Vec<Vec<Option<String>>>;

/// Rows from `offset` on, at most `count`.
///
/// # Errors
/// A page cannot be read, or is of a type that the transform never writes.
pub fn read<R: ChunkReader + 'static>(
    reader: &SerializedFileReader<R>,
    offset: u64,
    count: usize,
) -> Result<Columns> {
    let schema = reader.metadata().file_metadata().schema_descr();
    let mut columns: Columns = vec![Vec::new(); schema.num_columns()];
    let mut skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut missing = count;
    for index in 0..reader.num_row_groups() {
        let group = reader.get_row_group(index)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        if skip >= rows {
            skip -= rows;
            continue;
        }
        let wanted = missing.min(rows - skip);
        for (column, values) in columns.iter_mut().enumerate() {
            let descriptor = schema.column(column);
            let window = Window { skip, wanted, nullable: descriptor.max_def_level() };
            window.read(group.get_column_reader(column)?, &Kind::of(&descriptor), values)?;
        }
        (skip, missing) = (0, missing - wanted);
        if missing == 0 {
            break;
        }
    }
    Ok(columns)
}

/// Which rows of a row group.
struct Window {
    skip: usize,
    wanted: usize,
    nullable: i16,
}

impl Window {
    fn read(&self, column: ColumnReader, kind: &Kind, into: &mut Vec<Option<String>>) -> Result<()> {
        match column {
            ColumnReader::BoolColumnReader(column) => self.typed(column, into, ToString::to_string),
            ColumnReader::Int32ColumnReader(column) => {
                self.typed(column, into, |value| kind.integer(i64::from(*value)))
            }
            ColumnReader::Int64ColumnReader(column) => self.typed(column, into, |value| kind.integer(*value)),
            ColumnReader::FloatColumnReader(column) => {
                self.typed(column, into, |value| double(f64::from(*value)))
            }
            ColumnReader::DoubleColumnReader(column) => self.typed(column, into, |value| double(*value)),
            ColumnReader::ByteArrayColumnReader(column) => {
                self.typed(column, into, |value: &ByteArray| kind.bytes(value.data()))
            }
            ColumnReader::FixedLenByteArrayColumnReader(column) => {
                self.typed(column, into, |value: &FixedLenByteArray| kind.bytes(value.data()))
            }
            ColumnReader::Int96ColumnReader(_) => Err(ParquetError::NYI("INT96".into())),
        }
    }

    fn typed<T: DataType>(
        &self,
        mut column: ColumnReaderImpl<T>,
        into: &mut Vec<Option<String>>,
        show: impl Fn(&T::T) -> String,
    ) -> Result<()> {
        column.skip_records(self.skip)?;
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let mut read = 0;
        while read < self.wanted {
            let (records, _, _) =
                column.read_records(self.wanted - read, Some(&mut levels), None, &mut values)?;
            if records == 0 {
                break;
            }
            read += records;
        }
        let mut values = values.iter();
        if self.nullable == 0 {
            into.extend(values.map(|value| Some(show(value))));
            return Ok(());
        }
        let present = levels.iter().map(|level| *level == self.nullable);
        into.extend(present.map(|present| if present { values.next().map(&show) } else { None }));
        Ok(())
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
pub(crate) mod tests;
