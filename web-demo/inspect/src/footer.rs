//! What a file's footer says: columns with their types and statistics, row groups, metadata.
//!
//! Not for rows. The one decision to know: extremes are merged over row groups as values, not as text, so that 9
//! is below 10.

use std::collections::{BTreeMap, BTreeSet};

use lakegate_model::Origin;
use lakegate_model::footer::{POINTERS, origins as origins_in};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, FileReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescriptor;
use serde::Serialize;

use crate::show::{Kind, double, unscaled};
use crate::types;

/// One file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Footer {
    rows: i64,
    created_by: String,
    groups: Vec<Group>,
    columns: Vec<Column>,
    /// Key-value metadata but the pointers, which stand with the columns.
    metadata: Vec<(String, String)>,
}

/// One row group.
#[derive(Serialize)]
struct Group {
    rows: i64,
    stored: i64,
    raw: i64,
}

/// One column over all row groups.
#[derive(Serialize)]
struct Column {
    name: String,
    parquet: String,
    athena: String,
    /// JSON pointer or SQL that it was made from.
    from: Option<String>,
    stored: i64,
    raw: i64,
    encodings: BTreeSet<String>,
    compression: BTreeSet<String>,
    nulls: Option<u64>,
    min: Option<String>,
    max: Option<String>,
}

/// The footer of an open file.
pub fn of<R: ChunkReader + 'static>(reader: &SerializedFileReader<R>) -> Footer {
    let file = reader.metadata().file_metadata();
    let pairs = file.key_value_metadata().cloned().unwrap_or_default();
    let origins = pairs.iter().find(|pair| pair.key == POINTERS);
    let origins = origins_in(origins.and_then(|pair| pair.value.as_deref()).unwrap_or_default());
    let groups = reader.metadata().row_groups();
    let columns = file.schema_descr().columns().iter().enumerate().map(|(index, descriptor)| {
        let chunks: Vec<&ColumnChunkMetaData> = groups.iter().map(|group| group.column(index)).collect();
        column(descriptor, &chunks, &origins)
    });
    Footer {
        rows: file.num_rows(),
        created_by: file.created_by().unwrap_or("unknown").to_owned(),
        columns: columns.collect(),
        groups: groups
            .iter()
            .map(|group| Group {
                rows: group.num_rows(),
                stored: group.compressed_size(),
                raw: group.total_byte_size(),
            })
            .collect(),
        metadata: pairs
            .into_iter()
            .filter(|pair| pair.key != POINTERS)
            .map(|pair| (pair.key, pair.value.unwrap_or_default()))
            .collect(),
    }
}

fn column(
    descriptor: &ColumnDescriptor,
    chunks: &[&ColumnChunkMetaData],
    origins: &BTreeMap<String, Origin>,
) -> Column {
    let name = descriptor.path().string();
    let from = origins.get(&name).map(|origin| origin.shown().into_owned());
    let statistics: Vec<&Statistics> = chunks.iter().filter_map(|chunk| chunk.statistics()).collect();
    let known = statistics.len() == chunks.len();
    let nulls = statistics.iter().map(|one| one.null_count_opt()).sum::<Option<u64>>();
    let (min, max) = extremes(&statistics, &Kind::of(descriptor));
    // RLE carries the definition levels of every column: it says nothing about this one.
    let encodings = chunks.iter().flat_map(|chunk| chunk.encodings()).map(|encoding| encoding.to_string());
    Column {
        from,
        name,
        parquet: types::parquet(descriptor),
        athena: types::athena(descriptor),
        stored: chunks.iter().map(|chunk| chunk.compressed_size()).sum(),
        raw: chunks.iter().map(|chunk| chunk.uncompressed_size()).sum(),
        encodings: encodings.filter(|encoding| encoding != "RLE").collect(),
        compression: chunks.iter().map(|chunk| codec(chunk)).collect(),
        nulls: nulls.filter(|_| known),
        min: min.filter(|_| known),
        max: max.filter(|_| known),
    }
}

fn codec(chunk: &ColumnChunkMetaData) -> String {
    let name = chunk.compression().to_string();
    name.split('(').next().unwrap_or_default().to_owned()
}

/// Smallest and largest value over row groups, as text; none where no group has one.
fn extremes(groups: &[&Statistics], kind: &Kind) -> (Option<String>, Option<String>) {
    let mut numbers = Range::<i64>::default();
    let mut doubles = Range::<f64>::default();
    let mut texts = Range::<&[u8]>::default();
    let mut decimals = Range::<i128>::default();
    let unscaled = |bytes: Option<&[u8]>| bytes.and_then(unscaled);
    for group in groups {
        match group {
            Statistics::Boolean(one) => {
                numbers.add(one.min_opt().map(|v| i64::from(*v)), one.max_opt().map(|v| i64::from(*v)));
            }
            Statistics::Int32(one) => {
                numbers.add(one.min_opt().map(|v| i64::from(*v)), one.max_opt().map(|v| i64::from(*v)));
            }
            Statistics::Int64(one) => numbers.add(one.min_opt().copied(), one.max_opt().copied()),
            Statistics::Float(one) => {
                doubles.add(one.min_opt().map(|v| f64::from(*v)), one.max_opt().map(|v| f64::from(*v)));
            }
            Statistics::Double(one) => doubles.add(one.min_opt().copied(), one.max_opt().copied()),
            // Decimals' bytes do not order as their values do: -1 is all ones.
            Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_) if kind.is_decimal() => {
                decimals.add(unscaled(group.min_bytes_opt()), unscaled(group.max_bytes_opt()));
            }
            Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_) => {
                texts.add(group.min_bytes_opt(), group.max_bytes_opt());
            }
            Statistics::Int96(_) => {}
        }
    }
    if matches!(groups.first(), Some(Statistics::Boolean(_))) {
        return numbers.show(|value| (*value == 1).to_string());
    }
    if numbers.min.is_some() {
        return numbers.show(|value| kind.integer(*value));
    }
    if decimals.min.is_some() {
        return decimals.show(|value| kind.wide_integer(*value));
    }
    if doubles.min.is_some() {
        return doubles.show(|value| double(*value));
    }
    texts.show(|value| kind.bytes(value))
}

/// A running minimum and maximum.
struct Range<T> {
    min: Option<T>,
    max: Option<T>,
}

impl<T> Default for Range<T> {
    fn default() -> Self {
        Self { min: None, max: None }
    }
}

impl<T: PartialOrd + Copy> Range<T> {
    fn add(&mut self, min: Option<T>, max: Option<T>) {
        if let Some(new) = min.filter(|new| self.min.is_none_or(|old| *new < old)) {
            self.min = Some(new);
        }
        if let Some(new) = max.filter(|new| self.max.is_none_or(|old| *new > old)) {
            self.max = Some(new);
        }
    }

    fn show(&self, show: impl Fn(&T) -> String) -> (Option<String>, Option<String>) {
        (self.min.as_ref().map(&show), self.max.as_ref().map(&show))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use parquet::data_type::{FixedLenByteArray, FixedLenByteArrayType};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use serde_json::Value;

    use super::*;

    /// Smallest and largest of a decimal(38,2) whose row groups hold these unscaled values.
    fn range(groups: &[&[i128]]) -> [Value; 2] {
        let schema = parse_message_type("message m { required fixed_len_byte_array(16) d (DECIMAL(38,2)); }");
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer =
            SerializedFileWriter::new(Vec::new(), Arc::new(schema.unwrap()), properties).unwrap();
        for values in groups {
            let values: Vec<FixedLenByteArray> =
                values.iter().map(|value| value.to_be_bytes().to_vec().into()).collect();
            let mut group = writer.next_row_group().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<FixedLenByteArrayType>().write_batch(&values, None, None).unwrap();
            column.close().unwrap();
            group.close().unwrap();
        }
        let file = SerializedFileReader::new(Bytes::from(writer.into_inner().unwrap())).unwrap();
        let footer = serde_json::to_value(of(&file)).unwrap();
        ["min", "max"].map(|key| footer["columns"][0][key].clone())
    }

    #[test]
    fn decimals_of_fixed_length_order_by_value() {
        assert_eq!(range(&[&[-1, 5]]), ["-0.01", "0.05"]);
        assert_eq!(range(&[&[5, 7], &[-1, 300]]), ["-0.01", "3.00"]);
        assert_eq!(range(&[&[-1], &[-300], &[-20]]), ["-3.00", "-0.01"]);
        assert_eq!(range(&[&[i128::from(i64::MAX) * 10], &[9]]), ["0.09", "922337203685477580.70"]);
    }
}
