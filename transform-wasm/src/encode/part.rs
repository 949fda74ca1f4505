//! One open part file: row group after row group, then the footer.
//!
//! Not for choosing where row groups and files end: the job does that by record counts and logical
//! bytes. The decision to know: bytes leave through [`PartWriter::take_bytes`] as soon as a column
//! chunk is complete; only metadata stays until the footer.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::page_index::PageIndexBuilder;
use parquet::file::metadata::{
    FileMetaData, KeyValue, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::writer::TrackedWrite;

use super::chunk::{self, Scratch};
use super::footer::{self, Chunk};
use super::out::Out;
use super::page::Codec;
use super::schema::PartSchema;
use crate::column::Column;
use crate::error::{Code, Failure};

/// First and last bytes of a Parquet file.
const MAGIC: &[u8; 4] = b"PAR1";
/// Part files end before this: offsets are 32 bits wide in Wasm, and half of that range is kept as
/// a margin. The job starts another part file long before.
const MAX_PART_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Who wrote the file; the same for all builds of one version.
const CREATED_BY: &str = concat!("lakegate-transform ", env!("CARGO_PKG_VERSION"));
/// The format's version that v1 data pages belong to.
const FORMAT_VERSION: i32 = 1;

/// A part file that is being written.
pub struct PartWriter {
    schema: PartSchema,
    key_values: Arc<[(String, String)]>,
    codec: Codec,
    out: Out,
    rows: u64,
    groups: Vec<Group>,
    /// The row group that is open.
    open: Option<OpenGroup>,
}

/// A finished row group.
struct Group {
    rows: u64,
    offset: u64,
    chunks: Vec<Chunk>,
}

struct OpenGroup {
    rows: Option<u64>,
    offset: u64,
    chunks: Vec<Chunk>,
}

impl PartWriter {
    /// Opens a part file with key-value metadata for its footer, in the order given; all files of a table
    /// share it, since it names the path of every column.
    pub fn new(schema: &PartSchema, key_values: impl Into<Arc<[(String, String)]>>, codec: Codec) -> Self {
        let mut out = Out::default();
        out.last.extend_from_slice(MAGIC);
        Self {
            schema: schema.clone(),
            key_values: key_values.into(),
            codec,
            out,
            rows: 0,
            groups: Vec::new(),
            open: None,
        }
    }

    /// Opens a row group; [`Self::write_column`] is then called once per column, in order.
    pub fn begin_row_group(&mut self) {
        let offset = self.bytes();
        self.open = Some(OpenGroup { rows: None, offset, chunks: Vec::new() });
    }

    /// Writes the next column of the row group: slot `i` makes `repeats[i]` rows (0 allowed), or
    /// one row without `repeats`.
    ///
    /// # Errors
    /// Columns that disagree in rows, type or number (a bug of the caller), or a file that grows
    /// beyond 2 GiB.
    pub fn write_column(
        &mut self,
        column: &Column,
        repeats: Option<&[u32]>,
        scratch: &mut Scratch,
    ) -> Result<(), Failure> {
        let group = self.open.as_mut().ok_or_else(|| Failure::internal("encode: no open row group"))?;
        let at = group.chunks.len();
        let field = self.schema.fields.get(at);
        let field = field.ok_or_else(|| Failure::internal("encode: more columns than the schema has"))?;
        let facts = chunk::encode(field, column, repeats, self.codec, scratch, &mut self.out)?;
        if *group.rows.get_or_insert(facts.rows) != facts.rows {
            let message =
                format!("encode: column {} has another number of rows than its row group", field.name);
            return Err(Failure::internal(message));
        }
        let descriptor = self.schema.descriptor.column(at);
        group.chunks.push(footer::chunk(&facts, descriptor, self.codec).map_err(|error| internal(&error))?);
        if self.bytes() > MAX_PART_BYTES {
            return Err(Failure::limit(Code::PartBytes, "a part file is larger than 2 GiB")
                .hint("partition the table, or compress with snappy"));
        }
        Ok(())
    }

    /// Closes the row group. One without rows leaves no trace.
    ///
    /// # Errors
    /// Not all columns were written: a bug of the caller.
    pub fn end_row_group(&mut self) -> Result<(), Failure> {
        let group = self.open.take().ok_or_else(|| Failure::internal("encode: no open row group"))?;
        if group.chunks.len() != self.schema.fields.len() {
            return Err(Failure::internal("encode: a row group lacks columns"));
        }
        let rows = group.rows.unwrap_or(0);
        if rows > 0 {
            self.rows += rows;
            self.groups.push(Group { rows, offset: group.offset, chunks: group.chunks });
        }
        Ok(())
    }

    /// Writes page index and footer. Take the last bytes after it.
    ///
    /// # Errors
    /// A row group is open: a bug of the caller.
    pub fn finish(&mut self) -> Result<(), Failure> {
        if self.open.is_some() {
            return Err(Failure::internal("encode: the part file is finished inside a row group"));
        }
        let columns = self.schema.fields.len();
        self.write_footer().map_err(|error| internal(&error))?;
        declare_type_order(&mut self.out.last, columns)
    }

    fn write_footer(&mut self) -> Result<(), ParquetError> {
        let descriptor = &self.schema.descriptor;
        let mut index = PageIndexBuilder::new(self.groups.len(), descriptor.num_columns());
        let mut groups = Vec::with_capacity(self.groups.len());
        for (number, group) in std::mem::take(&mut self.groups).into_iter().enumerate() {
            let mut chunks = Vec::with_capacity(group.chunks.len());
            let mut bytes = 0;
            for (column, chunk) in group.chunks.into_iter().enumerate() {
                bytes += chunk.metadata.uncompressed_size();
                index.put_column_index(chunk.columns, number, column);
                index.put_offset_index(chunk.offsets, number, column);
                chunks.push(chunk.metadata);
            }
            let metadata = RowGroupMetaData::builder(descriptor.clone())
                .set_column_metadata(chunks)
                .set_num_rows(group.rows as i64)
                .set_total_byte_size(bytes)
                .set_file_offset(group.offset as i64)
                .set_ordinal(number as i32);
            groups.push(metadata.build()?);
        }
        let pair = |(key, value): &(String, String)| KeyValue::new(key.clone(), value.clone());
        let pairs: Vec<KeyValue> = self.key_values.iter().map(pair).collect();
        let key_values = Some(pairs).filter(|pairs| !pairs.is_empty());
        let created_by = Some(CREATED_BY.to_owned());
        let rows = self.rows as i64;
        let file = FileMetaData::new(FORMAT_VERSION, rows, created_by, key_values, descriptor.clone(), None);
        let metadata = ParquetMetaDataBuilder::new(file)
            .set_row_groups(groups)
            .set_page_index(Some(Arc::new(index.build())))
            .build();
        let start = self.bytes();
        let behind = Behind { skip: start, out: &mut self.out.last };
        ParquetMetaDataWriter::new_with_tracked(at_offset(behind, start)?, &metadata).finish()
    }

    /// Takes what was written since the last call: pieces of some MiB at most, but for a page that is larger.
    pub fn take_bytes(&mut self) -> Vec<Vec<u8>> {
        self.out.take()
    }

    /// Bytes of the file so far, taken or not.
    pub fn bytes(&self) -> u64 {
        self.out.bytes()
    }

    /// Bytes that wait to be taken.
    pub fn pending(&self) -> usize {
        self.out.pending()
    }

    /// Rows of the finished row groups.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

fn internal(error: &ParquetError) -> Failure {
    Failure::internal(format!("encode: {error}"))
}

/// Writes to `out`, less the first `skip` bytes.
struct Behind<'a> {
    skip: u64,
    out: &'a mut Vec<u8>,
}

impl Write for Behind<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        self.out.extend_from_slice(&bytes[skipped as usize..]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The crate counts offsets itself, from 0: give it as many bytes to skip as were written before.
/// (Writing chunks through it would cost a buffer for each open part file.)
fn at_offset(behind: Behind<'_>, start: u64) -> io::Result<TrackedWrite<Behind<'_>>> {
    static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
    let mut tracked = TrackedWrite::new(behind);
    let mut left = start;
    while left > 0 {
        let part = left.min(ZEROS.len() as u64);
        tracked.write_all(&ZEROS[..part as usize])?;
        left -= part;
    }
    Ok(tracked)
}

/// Sets the column order of every column to TYPE_DEFINED_ORDER.
///
/// The crate declares IEEE_754_TOTAL_ORDER for DOUBLE, which came to the format in 2026: readers
/// that do not know it ignore the statistics of the column. Without NaN and with zeros widened both
/// orders agree. The orders are the last field of the footer, three bytes a column: a union's field
/// header (number in the upper half, struct in the lower), the empty struct's end, the union's end.
fn declare_type_order(out: &mut [u8], columns: usize) -> Result<(), Failure> {
    const TAIL: usize = 1 + 4 + MAGIC.len();
    let end = out.len().saturating_sub(TAIL);
    let orders = out.get_mut(end.saturating_sub(3 * columns)..end).unwrap_or_default();
    for order in orders.as_chunks_mut::<3>().0 {
        match order {
            [0x1C, 0, 0] => {}
            [field @ 0x2C, 0, 0] => *field = 0x1C,
            _ => return Err(Failure::internal("encode: the footer does not end in column orders")),
        }
    }
    Ok(())
}
