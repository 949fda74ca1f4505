//! What the footer says about a column chunk: the facts of encoding in the `parquet` crate's terms.
//!
//! Not for bytes: the crate writes page index and footer from what is built here. The decision to
//! know: NaN counts are left out, since a column never holds one and older readers do not know them.

use parquet::basic::{BoundaryOrder, Compression, Encoding, PageType, Type as PhysicalType};
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::Result;
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::ChunkFacts;
use super::page::Codec;
use super::stats::{Bounds, Order};

/// A chunk as the crate's footer writer wants it.
pub(super) struct Chunk {
    pub metadata: ColumnChunkMetaData,
    pub columns: ColumnIndexMetaData,
    pub offsets: OffsetIndexMetaData,
}

/// Translates the facts of one chunk.
pub(super) fn chunk(facts: &ChunkFacts, descriptor: ColumnDescPtr, codec: Codec) -> Result<Chunk> {
    let physical = descriptor.physical_type();
    let values = if facts.dictionary.is_some() { Encoding::RLE_DICTIONARY } else { Encoding::PLAIN };
    let compression = match codec {
        Codec::Snappy => Compression::SNAPPY,
        Codec::None => Compression::UNCOMPRESSED,
    };
    let first = facts.pages.first().map_or(0, |page| page.place.offset);
    let texts = facts.pages.iter().filter_map(|page| page.text_bytes).reduce(|a, b| a + b);
    let mut builder = ColumnChunkMetaData::builder(descriptor)
        .set_compression(compression)
        .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, values])
        .set_total_compressed_size(facts.compressed as i64)
        .set_total_uncompressed_size(facts.uncompressed as i64)
        .set_num_values(facts.rows as i64)
        .set_data_page_offset(first as i64)
        .set_dictionary_page_offset(facts.dictionary.map(|place| place.offset as i64))
        .set_page_encoding_stats(page_counts(facts, values))
        .set_unencoded_byte_array_data_bytes(texts.map(|bytes| bytes as i64))
        .set_definition_level_histogram(Some(levels(facts.rows, facts.nulls)));
    builder = builder.set_statistics(statistics(physical, facts.bounds.as_ref(), facts.nulls)?);
    Ok(Chunk {
        metadata: builder.build()?,
        columns: column_index(facts, physical)?,
        offsets: offset_index(facts),
    })
}

/// How many rows have definition level 0 and 1.
fn levels(rows: u64, nulls: u64) -> LevelHistogram {
    LevelHistogram::from(vec![nulls as i64, (rows - nulls) as i64])
}

fn page_counts(facts: &ChunkFacts, values: Encoding) -> Vec<PageEncodingStats> {
    let count = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
    let data = count(PageType::DATA_PAGE, values, facts.pages.len() as i32);
    match facts.dictionary {
        Some(_) => vec![count(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1), data],
        None => vec![data],
    }
}

fn column_index(facts: &ChunkFacts, physical: PhysicalType) -> Result<ColumnIndexMetaData> {
    let mut index = ColumnIndexBuilder::new(physical);
    for page in &facts.pages {
        let (min, max) = match &page.bounds {
            Some(bounds) => (bounds.min.clone(), bounds.max.clone()),
            None => (Vec::new(), Vec::new()),
        };
        index.append(page.bounds.is_none(), min, max, page.nulls as i64, None);
        index.append_histograms(&None, &Some(levels(page.rows, page.nulls)));
    }
    index.set_boundary_order(match facts.order {
        Order::Ascending => BoundaryOrder::ASCENDING,
        Order::Descending => BoundaryOrder::DESCENDING,
        Order::Unordered => BoundaryOrder::UNORDERED,
    });
    index.build()
}

fn offset_index(facts: &ChunkFacts) -> OffsetIndexMetaData {
    let mut index = OffsetIndexBuilder::new();
    for page in &facts.pages {
        index.append_row_count(page.rows as i64);
        index.append_offset_and_size(page.place.offset as i64, page.place.size as i32);
        index.append_unencoded_byte_array_data_bytes(page.text_bytes.map(|bytes| bytes as i64));
    }
    index.build()
}

fn statistics(physical: PhysicalType, bounds: Option<&Bounds>, nulls: u64) -> Result<Statistics> {
    Ok(match physical {
        PhysicalType::BOOLEAN => Statistics::Boolean(typed(bounds, nulls, false, |b| b.first() == Some(&1))),
        PhysicalType::INT32 => {
            Statistics::Int32(typed(bounds, nulls, true, |b| i32::from_le_bytes(array(b))))
        }
        PhysicalType::INT64 => {
            Statistics::Int64(typed(bounds, nulls, true, |b| i64::from_le_bytes(array(b))))
        }
        PhysicalType::DOUBLE => {
            Statistics::Double(typed(bounds, nulls, true, |b| f64::from_le_bytes(array(b))))
        }
        PhysicalType::FIXED_LEN_BYTE_ARRAY => {
            Statistics::FixedLenByteArray(typed(bounds, nulls, true, |b| FixedLenByteArray::from(b.to_vec())))
        }
        _ => Statistics::ByteArray(typed(bounds, nulls, false, |b| ByteArray::from(b.to_vec()))),
    })
}

/// `signed`: the older `min` and `max` fields, whose order is signed, may be filled too.
fn typed<T>(
    bounds: Option<&Bounds>,
    nulls: u64,
    signed: bool,
    read: impl Fn(&[u8]) -> T,
) -> ValueStatistics<T> {
    let min = bounds.map(|bounds| read(&bounds.min));
    let max = bounds.map(|bounds| read(&bounds.max));
    ValueStatistics::new(min, max, None, Some(nulls), false)
        .with_min_is_exact(bounds.is_some_and(|bounds| bounds.min_exact))
        .with_max_is_exact(bounds.is_some_and(|bounds| bounds.max_exact))
        .with_backwards_compatible_min_max(signed)
}

/// The bounds of a type always have its width.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}
