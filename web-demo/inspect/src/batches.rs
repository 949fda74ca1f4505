//! A file's columns in Arrow's layout, batch by batch: what the page gives to its SQL engine.
//!
//! Not for the stream around them, which the page writes. The one decision to know: a batch never spans row groups,
//! and all columns of a row group are read beside each other, so that memory holds a batch and a page of each.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, FileReader};
use parquet::file::serialized_reader::SerializedFileReader;

use crate::layout::{Buffers, Layout, set};
use crate::show::unscaled;

/// Where the ends of texts no longer fit.
const TEXT_BYTES: usize = i32::MAX as usize;

/// A file that is read from its first row to its last.
pub struct Batches<R: ChunkReader> {
    file: SerializedFileReader<R>,
    layouts: Vec<Layout>,
    /// The row group to open next.
    group: usize,
    /// Of the open one: its columns, and rows not read yet.
    columns: Vec<ColumnReader>,
    left: usize,
}

impl<R: ChunkReader + 'static> Batches<R> {
    /// Before the first row.
    ///
    /// # Errors
    /// It is no Parquet, or has a column of a type that the transform never writes.
    pub fn new(source: R) -> Result<Self> {
        let file = SerializedFileReader::new(source)?;
        let columns = file.metadata().file_metadata().schema_descr().columns();
        let layouts = columns.iter().map(|column| {
            Layout::of(column)
                .ok_or_else(|| ParquetError::NYI(format!("the type of column {}", column.name())))
        });
        let layouts = layouts.collect::<Result<_>>()?;
        Ok(Self { file, layouts, group: 0, columns: Vec::new(), left: 0 })
    }

    /// Of each column.
    pub fn layouts(&self) -> &[Layout] {
        &self.layouts
    }

    /// The next rows, at most `count`; none at the end.
    ///
    /// # Errors
    /// A page cannot be read.
    pub fn next(&mut self, count: usize) -> Result<Option<Vec<Buffers>>> {
        while self.left == 0 {
            if self.group == self.file.num_row_groups() {
                return Ok(None);
            }
            let group = self.file.get_row_group(self.group)?;
            self.columns =
                (0..self.layouts.len()).map(|index| group.get_column_reader(index)).collect::<Result<_>>()?;
            self.left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            self.group += 1;
        }
        let rows = count.min(self.left);
        let schema = self.file.metadata().file_metadata().schema_descr();
        let columns = self.columns.iter_mut().zip(&self.layouts).enumerate();
        let batch = columns.map(|(index, (column, layout))| {
            Filling { layout: *layout, rows, present: schema.column(index).max_def_level() }.read(column)
        });
        let batch = batch.collect::<Result<_>>()?;
        self.left -= rows;
        Ok(Some(batch))
    }
}

/// The next values of one column.
struct Filling {
    layout: Layout,
    rows: usize,
    /// Definition level of a value; 0 where there are no nulls.
    present: i16,
}

impl Filling {
    fn read(&self, column: &mut ColumnReader) -> Result<Buffers> {
        let decimal = matches!(self.layout, Layout::Decimal(..));
        let wide = |value: i128, into: &mut Buffers| into.values.extend_from_slice(&value.to_le_bytes());
        match column {
            ColumnReader::BoolColumnReader(column) => self.typed(column, |value, into| {
                if *value {
                    set(&mut into.values, into.rows);
                }
            }),
            ColumnReader::Int32ColumnReader(column) if decimal => {
                self.typed(column, |value, into| wide(i128::from(*value), into))
            }
            ColumnReader::Int64ColumnReader(column) if decimal => {
                self.typed(column, |value, into| wide(i128::from(*value), into))
            }
            ColumnReader::Int32ColumnReader(column) => {
                self.typed(column, |value, into| into.values.extend_from_slice(&value.to_le_bytes()))
            }
            ColumnReader::Int64ColumnReader(column) => {
                self.typed(column, |value, into| into.values.extend_from_slice(&value.to_le_bytes()))
            }
            ColumnReader::FloatColumnReader(column) => {
                self.typed(column, |value, into| into.values.extend_from_slice(&value.to_le_bytes()))
            }
            ColumnReader::DoubleColumnReader(column) => {
                self.typed(column, |value, into| into.values.extend_from_slice(&value.to_le_bytes()))
            }
            ColumnReader::ByteArrayColumnReader(column) => {
                self.typed(column, |value: &ByteArray, into| self.bytes(value.data(), into))
            }
            ColumnReader::FixedLenByteArrayColumnReader(column) => {
                self.typed(column, |value: &FixedLenByteArray, into| self.bytes(value.data(), into))
            }
            ColumnReader::Int96ColumnReader(_) => Err(ParquetError::NYI("INT96".into())),
        }
    }

    /// `put` adds a value that is no null.
    fn typed<T: DataType>(
        &self,
        column: &mut ColumnReaderImpl<T>,
        put: impl Fn(&T::T, &mut Buffers),
    ) -> Result<Buffers> {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let mut read = 0;
        while read < self.rows {
            let (records, _, _) =
                column.read_records(self.rows - read, Some(&mut levels), None, &mut values)?;
            if records == 0 {
                return Err(ParquetError::EOF("a column ends before its row group".into()));
            }
            read += records;
        }
        let mut into = Buffers::new(self.layout, self.rows);
        let texts = !into.ends.is_empty();
        let nothing = self.layout.width().unwrap_or(0);
        let all = values.len() == self.rows;
        let mut values = values.iter();
        for row in 0..self.rows {
            let value = if all || levels.get(row) == Some(&self.present) { values.next() } else { None };
            match value {
                Some(value) => put(value, &mut into),
                None => into.values.resize(into.values.len() + nothing, 0),
            }
            if all {
                into.rows += 1;
            } else {
                into.count(value.is_some());
            }
            if texts {
                into.ends.push(i32::try_from(into.values.len()).unwrap_or(i32::MAX));
            }
        }
        match self.layout {
            Layout::Boolean => into.values.resize(self.rows.div_ceil(8), 0),
            Layout::Text => valid_text(&into)?,
            _ => {}
        }
        if into.values.len() > TEXT_BYTES {
            Err(ParquetError::General("texts of more than 2 GiB".into()))
        } else {
            Ok(into)
        }
    }

    /// Bytes of a text, of a decimal (the highest first), or of neither.
    fn bytes(&self, value: &[u8], into: &mut Buffers) {
        match self.layout {
            Layout::Decimal(..) => {
                into.values.extend_from_slice(&unscaled(value).unwrap_or_default().to_le_bytes());
            }
            _ => into.values.extend_from_slice(value),
        }
    }
}

/// The engine takes texts as they are, and relies on UTF-8: a file that has others is refused.
fn valid_text(texts: &Buffers) -> Result<()> {
    let all = std::str::from_utf8(&texts.values).ok();
    let whole = |all: &str| {
        texts.ends.iter().all(|end| all.is_char_boundary(usize::try_from(*end).unwrap_or(usize::MAX)))
    };
    if all.is_some_and(whole) {
        Ok(())
    } else {
        Err(ParquetError::General("a text that is not UTF-8".into()))
    }
}

#[cfg(test)]
#[path = "batches_tests.rs"]
mod tests;
