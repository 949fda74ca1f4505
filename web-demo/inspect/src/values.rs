//! Cells of one column, batch by batch, in a form that can be compared.
//!
//! Not for showing a screenful (`rows`). The one decision to know: a batch is one run of bytes with where each cell
//! ends, so that comparing and hashing take no allocation a cell.

use parquet::basic::Type;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, FileReader};
use parquet::file::serialized_reader::SerializedFileReader;

use crate::show::{Kind, double};

/// How a column is kept: two that are kept alike can be compared as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the path, as text.
    Path,
    /// In the file.
    File(Type, Kind),
}

impl Kept {
    /// Of a column of a file.
    pub fn of<R: ChunkReader + 'static>(file: &SerializedFileReader<R>, index: usize) -> Self {
        let column = file.metadata().file_metadata().schema_descr().column(index);
        Self::File(column.physical_type(), Kind::of(&column))
    }

    /// A cell as it is shown.
    pub fn text(&self, cell: &[u8], is_text: bool) -> String {
        let Self::File(physical, kind) = self else { return String::from_utf8_lossy(cell).into_owned() };
        if is_text {
            return String::from_utf8_lossy(cell).into_owned();
        }
        let four = || cell.try_into().unwrap_or_default();
        let eight = || cell.try_into().unwrap_or_default();
        match physical {
            Type::BOOLEAN => (cell == [1]).to_string(),
            Type::INT32 => kind.integer(i64::from(i32::from_le_bytes(four()))),
            Type::INT64 => kind.integer(i64::from_le_bytes(eight())),
            Type::FLOAT => double(f64::from(f32::from_le_bytes(four()))),
            Type::DOUBLE => double(f64::from_le_bytes(eight())),
            _ => kind.bytes(cell),
        }
    }
}

/// Cells of one column.
#[derive(Default)]
pub struct Cells {
    bytes: Vec<u8>,
    /// Where each cell ends, and whether it is a value rather than null.
    ends: Vec<(usize, bool)>,
}

impl Cells {
    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Takes all away, and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Bytes of a cell; none for null.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let (end, value) = self.ends[index];
        let start = if index == 0 { 0 } else { self.ends[index - 1].0 };
        value.then(|| &self.bytes[start..end])
    }

    fn push(&mut self, value: bool) {
        self.ends.push((self.bytes.len(), value));
    }
}

/// A column of one row group, to be read to its end.
pub enum Column {
    /// In the path: the same for all rows.
    Path {
        /// What the path says.
        value: Option<String>,
        /// Rows that are left.
        left: usize,
    },
    /// In the file.
    File {
        /// Where it is read from.
        reader: Box<ColumnReader>,
        /// How values are shown.
        kind: Kind,
        /// Definition level of a value; 0 where there are no nulls.
        present: i16,
        /// Cells are to be texts.
        as_text: bool,
    },
}

impl Column {
    /// Opens a column of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open<R: ChunkReader + 'static>(
        file: &SerializedFileReader<R>,
        group: usize,
        index: usize,
        as_text: bool,
    ) -> Result<Self> {
        let descriptor = file.metadata().file_metadata().schema_descr().column(index);
        let reader = Box::new(file.get_row_group(group)?.get_column_reader(index)?);
        Ok(Self::File { reader, kind: Kind::of(&descriptor), present: descriptor.max_def_level(), as_text })
    }

    /// Adds at most `count` cells, at least one unless the column is at its end.
    ///
    /// # Errors
    /// A page cannot be read, or is of a type that the transform never writes.
    pub fn read(&mut self, count: usize, into: &mut Cells) -> Result<()> {
        let (reader, kind, present, as_text) = match self {
            Self::Path { value, left } => {
                for _ in 0..count.min(*left) {
                    into.bytes.extend_from_slice(value.as_deref().unwrap_or_default().as_bytes());
                    into.push(value.is_some());
                }
                *left -= count.min(*left);
                return Ok(());
            }
            Self::File { reader, kind, present, as_text } => (reader, *kind, *present, *as_text),
        };
        let mut batch = Batch { count, present, into };
        macro_rules! cells {
            ($column:expr, $text:expr, $raw:expr) => {
                if as_text {
                    batch.typed($column, |value, bytes| bytes.extend_from_slice($text(value).as_bytes()))
                } else {
                    batch.typed($column, $raw)
                }
            };
        }
        match &mut **reader {
            ColumnReader::BoolColumnReader(column) => {
                cells!(column, |v: &bool| v.to_string(), |v, bytes| bytes.push(u8::from(*v)))
            }
            ColumnReader::Int32ColumnReader(column) => {
                cells!(column, |v: &i32| kind.integer(i64::from(*v)), |v, bytes| bytes
                    .extend(v.to_le_bytes()))
            }
            ColumnReader::Int64ColumnReader(column) => {
                cells!(column, |v: &i64| kind.integer(*v), |v, bytes| bytes.extend(v.to_le_bytes()))
            }
            ColumnReader::FloatColumnReader(column) => {
                cells!(column, |v: &f32| double(f64::from(*v)), |v, bytes| bytes.extend(v.to_le_bytes()))
            }
            ColumnReader::DoubleColumnReader(column) => {
                cells!(column, |v: &f64| double(*v), |v, bytes| bytes.extend(v.to_le_bytes()))
            }
            ColumnReader::ByteArrayColumnReader(column) => {
                cells!(column, |v: &ByteArray| kind.bytes(v.data()), |v, bytes| bytes
                    .extend_from_slice(v.data()))
            }
            ColumnReader::FixedLenByteArrayColumnReader(column) => {
                cells!(column, |v: &FixedLenByteArray| kind.bytes(v.data()), |v, bytes| bytes
                    .extend_from_slice(v.data()))
            }
            ColumnReader::Int96ColumnReader(_) => Err(ParquetError::NYI("INT96".into())),
        }
    }
}

struct Batch<'a> {
    count: usize,
    present: i16,
    into: &'a mut Cells,
}

impl Batch<'_> {
    fn typed<T: DataType>(
        &mut self,
        column: &mut ColumnReaderImpl<T>,
        put: impl Fn(&T::T, &mut Vec<u8>),
    ) -> Result<()> {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        column.read_records(self.count, Some(&mut levels), None, &mut values)?;
        let mut cell = |value: Option<&T::T>| {
            if let Some(value) = value {
                put(value, &mut self.into.bytes);
            }
            self.into.push(value.is_some());
        };
        if self.present == 0 {
            values.iter().for_each(|value| cell(Some(value)));
            return Ok(());
        }
        let mut values = values.iter();
        levels.iter().for_each(|level| cell(if *level == self.present { values.next() } else { None }));
        Ok(())
    }
}
