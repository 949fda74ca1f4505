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
pub(crate) mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use parquet::data_type::{ByteArrayType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::footer;

    /// Two row groups of rows 0 to 99 and 100 to 199: `n` in hundredths, `day`, and `t` where `n` is even.
    pub(crate) fn file() -> SerializedFileReader<Bytes> {
        let text = "message m { required int64 n (DECIMAL(9,2)); required int32 day (DATE); optional binary t (UTF8); }";
        let properties = WriterProperties::builder().set_data_page_row_count_limit(7).set_write_batch_size(7);
        let schema = Arc::new(parse_message_type(text).unwrap());
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build())).unwrap();
        for start in [0_i32, 100] {
            let rows = start..start + 100;
            let numbers: Vec<i64> = rows.clone().map(i64::from).collect();
            let days: Vec<i32> = rows.clone().collect();
            let texts: Vec<ByteArray> =
                rows.clone().step_by(2).map(|n| format!("t{n}").into_bytes().into()).collect();
            let levels: Vec<i16> = rows.map(|n| i16::from(n % 2 == 0)).collect();
            let mut group = writer.next_row_group().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int64Type>().write_batch(&numbers, None, None).unwrap();
            column.close().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int32Type>().write_batch(&days, None, None).unwrap();
            column.close().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None).unwrap();
            column.close().unwrap();
            group.close().unwrap();
        }
        SerializedFileReader::new(Bytes::from(writer.into_inner().unwrap())).unwrap()
    }

    #[test]
    fn any_window_holds_its_rows() {
        let file = file();
        for (offset, count) in [(0, 5), (6, 9), (95, 10), (100, 1), (199, 1), (0, 200), (190, 50), (200, 5)] {
            let columns = read(&file, offset, count).unwrap();
            let rows: Vec<u64> = (offset..200).take(count).collect();
            let texts =
                |show: &dyn Fn(u64) -> Option<String>| rows.iter().map(|n| show(*n)).collect::<Vec<_>>();
            assert_eq!(
                columns[0],
                texts(&|n| Some(format!("{}.{:02}", n / 100, n % 100))),
                "{offset} {count}"
            );
            assert_eq!(columns[2], texts(&|n| (n % 2 == 0).then(|| format!("t{n}"))), "{offset} {count}");
        }
        assert_eq!(read(&file, 31, 1).unwrap()[1], [Some("1970-02-01".to_owned())]);
    }

    #[test]
    fn footers_merge_row_groups_by_value() {
        let footer = serde_json::to_value(footer::of(&file())).unwrap();
        let [number, _, text] = [0, 1, 2].map(|index| &footer["columns"][index]);
        assert_eq!([&number["min"], &number["max"]], ["0.00", "1.99"]);
        assert_eq!([&number["athena"], &number["parquet"]], ["decimal(9,2)", "INT64 DECIMAL(9,2)"]);
        assert_eq!([&text["nulls"], &footer["rows"]], [100, 200]);
        assert_eq!(footer["groups"].as_array().map(Vec::len), Some(2));
    }
}
