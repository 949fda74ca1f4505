//! What the footer of a Parquet file says: schema, sizes, statistics, lineage.
//!
//! For: `inspect` and `preview`. Not for: reading rows. The decision to know: statistics stay Arrow
//! arrays (one value a row group) until they are shown, so that row groups and files merge by the
//! column's own order and not by the order of its text.

use arrow::array::{Array, ArrayRef, UInt64Array, make_array};
use arrow::compute::{SortOptions, concat, sort_to_indices};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use lakegate_base::{Code, Error};
use lakegate_model::{Origin, footer};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::reader::ChunkReader;
use parquet::schema::types::ColumnDescriptor;
use std::collections::{BTreeMap, BTreeSet};

/// One Parquet file.
#[derive(Clone, Debug)]
pub struct Footer {
    /// Rows.
    pub rows: u64,
    /// Who wrote it, as the file says.
    pub created_by: String,
    /// Row groups in order.
    pub groups: Vec<Group>,
    /// Leaf columns in order.
    pub columns: Vec<Column>,
    /// Key-value metadata without the Arrow schema and the pointers.
    pub lineage: Vec<(String, String)>,
}

/// One row group.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Rows.
    pub rows: u64,
    /// Bytes in the file.
    pub stored: u64,
    /// Bytes before compression.
    pub raw: u64,
}

/// One column over all row groups of a file, or of several files once merged.
#[derive(Clone, Debug)]
pub struct Column {
    /// Path, joined with dots.
    pub name: String,
    /// Physical and logical type, for example `INT64 TIMESTAMP_MILLIS`.
    pub parquet: String,
    /// The type to declare in Athena or Glue.
    pub athena: String,
    /// JSON pointer or SQL it was made from, where the footer says.
    pub from: Option<String>,
    /// Bytes in the file.
    pub stored: u64,
    /// Bytes before compression.
    pub raw: u64,
    /// Encodings used.
    pub encodings: BTreeSet<String>,
    /// Compression used.
    pub compression: BTreeSet<String>,
    /// Nulls; `None` where a row group does not say.
    pub nulls: Option<u64>,
    /// Whether every row group has a page index.
    pub page_index: bool,
    mins: Vec<ArrayRef>,
    maxes: Vec<ArrayRef>,
}

impl Footer {
    /// Reads the footer of `file`; `name` is for messages.
    pub fn read<T: ChunkReader>(file: &T, name: &str) -> Result<Self, Error> {
        let metadata = ArrowReaderMetadata::load(file, ArrowReaderOptions::new()).map_err(|error| {
            Error::new(Code::NotParquet, format!("this is no readable Parquet file: {error}"))
                .with_hint("`lakegate preview` shows raw JSON and CSV; `lakegate inspect` is for Parquet")
                .in_file(name)
        })?;
        Ok(Self::of(&metadata))
    }

    fn of(metadata: &ArrowReaderMetadata) -> Self {
        let parquet = metadata.metadata();
        let pairs = parquet.file_metadata().key_value_metadata().cloned().unwrap_or_default();
        let value = |key: &str| {
            pairs
                .iter()
                .find(|pair| pair.key == key)
                .and_then(|pair| pair.value.as_deref())
                .unwrap_or_default()
        };
        let origins = footer::origins(value(footer::POINTERS));
        let count = parquet.file_metadata().schema_descr().num_columns();
        let columns = (0..count).map(|index| column(metadata, index, &origins)).collect();
        let groups = parquet.row_groups().iter().map(|group| Group {
            rows: unsigned(group.num_rows()),
            stored: unsigned(group.compressed_size()),
            raw: unsigned(group.total_byte_size()),
        });
        Self {
            rows: unsigned(parquet.file_metadata().num_rows()),
            created_by: parquet.file_metadata().created_by().unwrap_or("unknown").to_owned(),
            groups: groups.collect(),
            columns,
            lineage: pairs
                .into_iter()
                .filter(|pair| pair.key != "ARROW:schema" && pair.key != footer::POINTERS)
                .map(|pair| (pair.key, pair.value.unwrap_or_default()))
                .collect(),
        }
    }

    /// Bytes of all row groups before compression.
    pub fn raw(&self) -> u64 {
        self.groups.iter().map(|group| group.raw).sum()
    }
}

impl Column {
    /// Smallest value as text, `None` where no row group knows one.
    pub fn min(&self) -> Option<String> {
        extreme(&self.mins, false)
    }

    /// Largest value as text.
    pub fn max(&self) -> Option<String> {
        extreme(&self.maxes, true)
    }

    /// Adds what another file says of the same column.
    pub fn merge(&mut self, other: &Self) {
        self.stored += other.stored;
        self.raw += other.raw;
        self.encodings.extend(other.encodings.iter().cloned());
        self.compression.extend(other.compression.iter().cloned());
        self.nulls = self.nulls.zip(other.nulls).map(|(a, b)| a + b);
        self.page_index &= other.page_index;
        self.from = self.from.take().or_else(|| other.from.clone());
        self.mins.extend(other.mins.iter().cloned());
        self.maxes.extend(other.maxes.iter().cloned());
    }
}

fn column(metadata: &ArrowReaderMetadata, index: usize, origins: &BTreeMap<String, Origin>) -> Column {
    let parquet = metadata.metadata();
    let descriptor = parquet.file_metadata().schema_descr().column(index);
    let chunks: Vec<&ColumnChunkMetaData> =
        parquet.row_groups().iter().map(|group| group.column(index)).collect();
    let name = descriptor.path().string();
    let (mins, maxes, nulls) = statistics(metadata, parquet, descriptor.name());
    let encodings = chunks.iter().flat_map(|chunk| chunk.encodings()).map(|encoding| encoding.to_string());
    Column {
        from: origins.get(&name).map(|origin| origin.shown().into_owned()),
        name,
        parquet: parquet_type(&descriptor),
        athena: athena_type(&descriptor),
        stored: chunks.iter().map(|chunk| unsigned(chunk.compressed_size())).sum(),
        raw: chunks.iter().map(|chunk| unsigned(chunk.uncompressed_size())).sum(),
        // RLE carries the definition levels of every column: it says nothing about this one.
        encodings: encodings.filter(|encoding| encoding != "RLE").collect(),
        compression: chunks.iter().map(|chunk| codec(chunk)).collect(),
        nulls: nulls.filter(|nulls| nulls.null_count() == 0).map(|nulls| nulls.values().iter().sum()),
        page_index: chunks.iter().all(|chunk| chunk.column_index_offset().is_some()),
        mins,
        maxes,
    }
}

fn codec(chunk: &ColumnChunkMetaData) -> String {
    let name = chunk.compression().to_string();
    // `ZSTD(ZstdLevel(1))`: the level is not in the file, it is a default of the reader.
    name.split('(').next().unwrap_or_default().to_owned()
}

/// Minimum, maximum and null count per row group; nothing for columns inside lists and structs.
fn statistics(
    metadata: &ArrowReaderMetadata,
    parquet: &ParquetMetaData,
    name: &str,
) -> (Vec<ArrayRef>, Vec<ArrayRef>, Option<UInt64Array>) {
    let schema = parquet.file_metadata().schema_descr();
    let Ok(converter) = StatisticsConverter::try_new(name, metadata.schema(), schema) else {
        return (Vec::new(), Vec::new(), None);
    };
    let converter = converter.with_missing_null_counts_as_zero(false);
    let groups = parquet.row_groups();
    (
        converter.row_group_mins(groups).into_iter().collect(),
        converter.row_group_maxes(groups).into_iter().collect(),
        converter.row_group_null_counts(groups).ok(),
    )
}

fn extreme(values: &[ArrayRef], descending: bool) -> Option<String> {
    let values: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
    let all = concat(&values).ok()?;
    let options = SortOptions { descending, nulls_first: false };
    let order = sort_to_indices(&all, Some(options), Some(1)).ok()?;
    let index = usize::try_from(*order.values().first()?).ok()?;
    show(&all, index)
}

/// Value `index` of `array` as text, `None` for null.
pub fn show(array: &dyn Array, index: usize) -> Option<String> {
    if array.is_null(index) {
        return None;
    }
    let mut one = array.slice(index, 1);
    let mut options = FormatOptions::default();
    if let DataType::Timestamp(unit, Some(_)) = array.data_type() {
        // Arrow knows no time zone by name without a database of them; Parquet's instants are UTC anyway.
        let naive = one.to_data().into_builder().data_type(DataType::Timestamp(*unit, None)).build();
        one = make_array(naive.ok()?);
        // All digits of the unit.
        options = options.with_timestamp_format(Some(match unit {
            arrow::datatypes::TimeUnit::Microsecond => "%Y-%m-%dT%H:%M:%S%.6fZ",
            arrow::datatypes::TimeUnit::Nanosecond => "%Y-%m-%dT%H:%M:%S%.9fZ",
            _ => "%Y-%m-%dT%H:%M:%S%.3fZ",
        }));
    }
    let shown = ArrayFormatter::try_new(&one, &options).map(|formatter| formatter.value(0).to_string());
    Some(shown.unwrap_or_else(|error| format!("({error})")))
}

fn parquet_type(column: &ColumnDescriptor) -> String {
    let physical = match column.physical_type() {
        Type::FIXED_LEN_BYTE_ARRAY => format!("FIXED_LEN_BYTE_ARRAY({})", column.type_length()),
        other => other.to_string(),
    };
    let logical = match column.logical_type_ref() {
        Some(LogicalType::Decimal(decimal)) => format!("DECIMAL({},{})", decimal.precision, decimal.scale),
        Some(LogicalType::Timestamp(time)) => {
            let zone = if time.is_adjusted_to_u_t_c { "UTC" } else { "local" };
            format!("TIMESTAMP({}, {zone})", unit_name(&time.unit))
        }
        Some(LogicalType::Time(time)) => format!("TIME({})", unit_name(&time.unit)),
        Some(LogicalType::Integer(int)) => {
            format!("{}({})", if int.is_signed { "INT" } else { "UINT" }, int.bit_width)
        }
        Some(LogicalType::_Unknown { .. }) => "UNKNOWN".to_owned(),
        Some(other) => format!("{other:?}").to_uppercase(),
        None => match column.converted_type() {
            ConvertedType::NONE => String::new(),
            other => other.to_string(),
        },
    };
    format!("{physical} {logical}").trim_end().to_owned()
}

fn unit_name(unit: &TimeUnit) -> &'static str {
    match unit {
        TimeUnit::MILLIS => "millis",
        TimeUnit::MICROS => "micros",
        TimeUnit::NANOS => "nanos",
    }
}

/// The type to declare in Athena or Glue for a column as it is stored.
fn athena_type(column: &ColumnDescriptor) -> String {
    if column.max_rep_level() > 0 {
        return "array or map".to_owned();
    }
    match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
        (_, Some(LogicalType::Decimal(decimal)), _) => {
            format!("decimal({},{})", decimal.precision, decimal.scale)
        }
        (_, Some(LogicalType::Date), _) | (_, None, ConvertedType::DATE) => "date".to_owned(),
        (_, Some(LogicalType::Timestamp(_)), _)
        | (Type::INT96, _, _)
        | (_, None, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS) => {
            "timestamp".to_owned()
        }
        (Type::BOOLEAN, _, _) => "boolean".to_owned(),
        (Type::INT32, _, _) => "int".to_owned(),
        (Type::INT64, _, _) => "bigint".to_owned(),
        (Type::FLOAT, _, _) => "float".to_owned(),
        (Type::DOUBLE, _, _) => "double".to_owned(),
        (_, Some(LogicalType::String | LogicalType::Json | LogicalType::Enum), _)
        | (_, _, ConvertedType::UTF8 | ConvertedType::JSON | ConvertedType::ENUM) => "string".to_owned(),
        _ => "binary".to_owned(),
    }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
